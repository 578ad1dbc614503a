#include "signaling/negotiate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "signaling/neg_internal.h"
#include "signaling/sdp_text.h"

static const struct neg_codec_info codecs[] = {
	{ CODEC_OPUS, "audio", "opus", 48000, 2, -1 },
	{ CODEC_G722, "audio", "G722", 8000, 1, 9 },
	{ CODEC_PCMU, "audio", "PCMU", 8000, 1, 0 },
	{ CODEC_PCMA, "audio", "PCMA", 8000, 1, 8 },
	{ CODEC_G729, "audio", "G729", 8000, 1, 18 },
	{ CODEC_H264, "video", "H264", 90000, 1, -1 },
	{ CODEC_VP8, "video", "VP8", 90000, 1, -1 },
	{ CODEC_VP9, "video", "VP9", 90000, 1, -1 },
	{ CODEC_AV1, "video", "AV1", 90000, 1, -1 },
	{ CODEC_H263, "video", "H263-1998", 90000, 1, -1 },
};
enum { STATIC_NOISE_PT = 13 }; /* RFC 3551 table 4 */
enum { N_CODECS = sizeof(codecs) / sizeof(codecs[0]) };

const struct neg_codec_info *neg_codec_info(enum codec codec)
{
	for (size_t i = 0; i < N_CODECS; i++)
		if (codecs[i].codec == codec)
			return &codecs[i];
	return NULL;
}

bool neg_fmtp_get(const char *fmtp, const char *name, char *out, size_t cap)
{
	size_t n = strlen(name);
	for (const char *p = fmtp; *p;) {
		p += strspn(p, "; \t");
		size_t len = strcspn(p, ";");
		if (len > n && p[n] == '=' && !strncasecmp(p, name, n)) {
			size_t v = len - n - 1;
			while (v && (p[n + v] == ' ' || p[n + v] == '\t'))
				v--;
			if (v >= cap)
				v = cap - 1;
			memcpy(out, p + n + 1, v);
			out[v] = 0;
			return true;
		}
		p += len;
	}
	return false;
}

uint32_t neg_fmtp_number(const char *fmtp, const char *name, uint32_t without)
{
	char text[16];
	uint64_t v;
	if (!neg_fmtp_get(fmtp, name, text, sizeof(text)) || !sdp_u64(text, UINT32_MAX, &v))
		return without;
	return (uint32_t)v;
}

/* --- reading rtpmap and fmtp ------------------------------------------------ */

/* The value of a=<name>:<pt> …, behind the payload type; NULL when absent. */
static const char *pt_value(const struct sdp_media *m, const char *name, const char *format)
{
	size_t n = strlen(format);
	for (size_t i = 0; i < m->attrs.n; i++) {
		const struct sdp_attr *a = &m->attrs.v[i];
		if (!a->value || strcmp(a->name, name) || strncmp(a->value, format, n) ||
		    a->value[n] != ' ')
			continue;
		return a->value + n + strspn(a->value + n, " ");
	}
	return NULL;
}

/* "<name>/<clock>[/<channels>]" */
static bool parse_rtpmap(const char *v, char *name, size_t cap, uint32_t *clock, uint32_t *channels)
{
	size_t n = strcspn(v, "/");
	if (v[n] != '/' || n >= cap)
		return false;
	memcpy(name, v, n);
	name[n] = 0;
	char *end;
	*clock = (uint32_t)strtoul(v + n + 1, &end, 10);
	*channels = *end == '/' ? (uint32_t)strtoul(end + 1, NULL, 10) : 1;
	return *clock > 0;
}

bool neg_pt_read(struct neg_pt *out, const struct sdp_media *m, const char *format)
{
	uint64_t pt;
	char name[32];
	uint32_t clock, channels;

	if (!sdp_u64(format, 127, &pt))
		return false;
	const char *fmtp = pt_value(m, "fmtp", format), *map = pt_value(m, "rtpmap", format);
	*out = (struct neg_pt){ .pt = (uint8_t)pt, .fmtp = fmtp ? fmtp : "" };
	if (!map) {
		for (size_t i = 0; i < N_CODECS && !out->info; i++)
			if (codecs[i].static_pt == (int)pt && !strcmp(codecs[i].kind, m->kind))
				out->info = &codecs[i];
		out->clock_hz = out->info ? out->info->clock_hz : 0;
		out->noise = pt == STATIC_NOISE_PT && !strcmp(m->kind, "audio");
		return true;
	}
	if (!parse_rtpmap(map, name, sizeof(name), &clock, &channels))
		return true;
	out->clock_hz = clock;
	out->noise = !strcasecmp(name, "CN") && clock == 8000;
	out->dtmf = !strcasecmp(name, "telephone-event");
	out->red = !strcasecmp(name, "red") && clock == 48000 && channels == 2;
	out->rtx = !strcasecmp(name, "rtx");
	if (out->rtx)
		out->apt = (uint8_t)neg_fmtp_number(out->fmtp, "apt", UINT8_MAX);
	for (size_t i = 0; i < N_CODECS; i++) {
		const struct neg_codec_info *c = &codecs[i];
		if (!strcasecmp(name, c->name) && clock == c->clock_hz && channels == c->channels &&
		    !strcmp(c->kind, m->kind))
			out->info = c;
	}
	return true;
}

/* --- matching --------------------------------------------------------------- */

int neg_pt_match(const struct neg_pt *pt, const struct neg_format *f)
{
	if (!pt->info || pt->info->codec != f->codec)
		return 0;
	switch (f->codec) {
	case CODEC_H264: break;
	/* profiles of 8 bits and 4:2:0 only */
	case CODEC_VP9: return !neg_fmtp_number(pt->fmtp, "profile-id", 0);
	case CODEC_AV1: return !neg_fmtp_number(pt->fmtp, "profile", 0);
	case CODEC_H263: return neg_h263_fits(pt->fmtp);
	default: return 1;
	}
	if (neg_fmtp_number(pt->fmtp, "packetization-mode", 0) != f->h264_mode)
		return 0;
	int score = neg_h264_score(neg_h264_profile(pt->fmtp));
	/* of the same profile the one with level asymmetry is of more use */
	return score ? score * 2 + (neg_fmtp_number(pt->fmtp, "level-asymmetry-allowed", 0) == 1)
		     : 0;
}

int neg_annex_b(const char *fmtp)
{
	char text[8];

	if (!neg_fmtp_get(fmtp, "annexb", text, sizeof(text)))
		return -1;
	return !strcasecmp(text, "yes");
}

/* --- the plan --------------------------------------------------------------- */

static uint32_t media_number(const struct sdp_media *m, const char *name)
{
	const struct sdp_attr *a = sdp_attr_find(&m->attrs, name);
	uint64_t v;
	return a && a->value && sdp_u64(a->value, 10000, &v) ? (uint32_t)v : 0;
}

void neg_codec_fill(struct neg_codec_plan *out, const struct neg_pt *pt, const struct sdp_media *m)
{
	*out = (struct neg_codec_plan){
		.codec = pt->info->codec,
		.pt_tx = pt->pt,
		.pt_rx = pt->pt,
		.clock_hz = pt->info->clock_hz,
		.channels = pt->info->channels,
		.ptime_ms = media_number(m, "ptime"),
		.maxptime_ms = media_number(m, "maxptime"),
	};
	snprintf(out->name, sizeof(out->name), "%s", pt->info->name);
	snprintf(out->fmtp, sizeof(out->fmtp), "%s", pt->fmtp);
	switch (out->codec) {
	case CODEC_H264:
		out->h264_mode = (uint8_t)neg_fmtp_number(pt->fmtp, "packetization-mode", 0);
		out->h264_profile = neg_h264_profile(pt->fmtp);
		out->h264_level_asymmetry =
			neg_fmtp_number(pt->fmtp, "level-asymmetry-allowed", 0) == 1;
		neg_h264_limits(out, pt->fmtp);
		break;
	case CODEC_VP8:
	case CODEC_VP9: out->max_fs = neg_fmtp_number(pt->fmtp, "max-fs", 0); break;
	case CODEC_H263: neg_h263_limits(out, pt->fmtp); break;
	case CODEC_OPUS:
		out->opus_stereo = neg_fmtp_number(pt->fmtp, "stereo", 0) == 1;
		out->opus_fec = neg_fmtp_number(pt->fmtp, "useinbandfec", 0) == 1;
		out->opus_dtx = neg_fmtp_number(pt->fmtp, "usedtx", 0) == 1;
		out->opus_cbr = neg_fmtp_number(pt->fmtp, "cbr", 0) == 1;
		out->opus_max_bps = neg_fmtp_number(pt->fmtp, "maxaveragebitrate", 0);
		out->opus_max_playback_hz = neg_fmtp_number(pt->fmtp, "maxplaybackrate", 0);
		break;
	case CODEC_G729: out->g729_annex_b = neg_annex_b(pt->fmtp) == 1; break;
	default: break;
	}
}
