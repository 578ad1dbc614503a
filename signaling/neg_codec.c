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
	{ CODEC_H264, "video", "H264", 90000, 1, -1 },
	{ CODEC_VP8, "video", "VP8", 90000, 1, -1 },
	{ CODEC_VP9, "video", "VP9", 90000, 1, -1 },
	{ CODEC_AV1, "video", "AV1", 90000, 1, -1 },
};
enum { N_CODECS = sizeof(codecs) / sizeof(codecs[0]) };

const struct neg_format neg_audio_formats[] = {
	{ .codec = CODEC_OPUS, .pt = 111, .fmtp = "minptime=10;useinbandfec=1" },
};
const size_t neg_n_audio_formats = sizeof(neg_audio_formats) / sizeof(neg_audio_formats[0]);

const struct neg_format neg_video_formats[] = {
	{ .codec = CODEC_H264, .pt = 102, .h264_mode = 1, .h264_profile = 0x42e01f },
};
const size_t neg_n_video_formats = sizeof(neg_video_formats) / sizeof(neg_video_formats[0]);

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

static uint32_t fmtp_number(const char *fmtp, const char *name, uint32_t without)
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
		return true;
	}
	if (!parse_rtpmap(map, name, sizeof(name), &clock, &channels))
		return true;
	out->clock_hz = clock;
	out->dtmf = !strcasecmp(name, "telephone-event");
	for (size_t i = 0; i < N_CODECS; i++) {
		const struct neg_codec_info *c = &codecs[i];
		if (!strcasecmp(name, c->name) && clock == c->clock_hz && channels == c->channels &&
		    !strcmp(c->kind, m->kind))
			out->info = c;
	}
	return true;
}

/* --- H.264 ------------------------------------------------------------------ */

/* RFC 6184 8.1: without the parameter it is Baseline at level 1. */
static uint32_t h264_profile(const char *fmtp)
{
	char text[16], *end;
	if (!neg_fmtp_get(fmtp, "profile-level-id", text, sizeof(text)) || strlen(text) != 6)
		return 0x42000a;
	unsigned long v = strtoul(text, &end, 16);
	return *end ? 0x42000a : (uint32_t)v;
}

/* How close a profile (table 5 of RFC 6184) is to constrained baseline, which is
 * what we send and what decoders of all of these can read. 0: cannot be used. */
static int h264_profile_score(uint32_t id)
{
	unsigned profile = id >> 16, iop = id >> 8 & 0xff;
	switch (profile) {
	case 0x42: return iop & 0x40 ? 10 : 8;
	case 0x4d: return iop & 0x80 ? 10 : 6;
	case 0x58: return (iop & 0xc0) == 0xc0 ? 10 : 0;
	case 0x64: return iop & 0x0c ? 5 : 4;
	default: return 0;
	}
}

/* 10 times the level, level 1b (between 1 and 1.1) as 105 of 100 and 110. */
static unsigned h264_level(uint32_t id)
{
	unsigned level = id & 0xff, iop = id >> 8 & 0xff;
	if (level == 9 || (level == 11 && iop & 0x10 && id >> 16 != 0x64))
		return 105;
	return level * 10;
}

/* Table A-1 of H.264: MaxFS, MaxMBPS, MaxBR (kbit/s, VCL, baseline). */
static const struct {
	unsigned level, fs, mbps, br;
} h264_levels[] = {
	{ 100, 99, 1485, 64 },		 { 105, 99, 1485, 128 },
	{ 110, 396, 3000, 192 },	 { 120, 396, 6000, 384 },
	{ 130, 396, 11880, 768 },	 { 200, 396, 11880, 2000 },
	{ 210, 792, 19800, 4000 },	 { 220, 1620, 20250, 4000 },
	{ 300, 1620, 40500, 10000 },	 { 310, 3600, 108000, 14000 },
	{ 320, 5120, 216000, 20000 },	 { 400, 8192, 245760, 20000 },
	{ 410, 8192, 245760, 50000 },	 { 420, 8704, 522240, 50000 },
	{ 500, 22080, 589824, 135000 },	 { 510, 36864, 983040, 240000 },
	{ 520, 36864, 2073600, 240000 },
};

static void h264_limits(struct neg_codec_plan *c, const char *fmtp)
{
	size_t i = 0, n = sizeof(h264_levels) / sizeof(h264_levels[0]);
	unsigned level = h264_level(c->h264_profile);
	while (i + 1 < n && h264_levels[i + 1].level <= level)
		i++;
	/* max-… can only raise what the level gives (RFC 6184 8.1) */
	uint32_t fs = fmtp_number(fmtp, "max-fs", 0), mbps = fmtp_number(fmtp, "max-mbps", 0);
	uint32_t br = fmtp_number(fmtp, "max-br", 0);
	c->max_fs = fs > h264_levels[i].fs ? fs : h264_levels[i].fs;
	c->max_mbps = mbps > h264_levels[i].mbps ? mbps : h264_levels[i].mbps;
	c->max_br_kbps = br > h264_levels[i].br ? br : h264_levels[i].br;
}

uint32_t neg_h264_answer_profile(uint32_t offered, bool asymmetry, uint32_t ours)
{
	uint32_t profile = offered & 0xffff00;
	if (asymmetry || h264_level(offered) > h264_level(ours)) {
		/* constraint_set3 says level 1b only together with level_idc 11 */
		return profile | (ours & 0xff);
	}
	return offered;
}

int neg_pt_match(const struct neg_pt *pt, const struct neg_format *f)
{
	if (!pt->info || pt->info->codec != f->codec)
		return 0;
	if (f->codec != CODEC_H264)
		return 1;
	if (fmtp_number(pt->fmtp, "packetization-mode", 0) != f->h264_mode)
		return 0;
	int score = h264_profile_score(h264_profile(pt->fmtp));
	/* of the same profile the one with level asymmetry is of more use */
	return score ? score * 2 + (fmtp_number(pt->fmtp, "level-asymmetry-allowed", 0) == 1) : 0;
}

int neg_codec_choose(const struct sdp_media *m, const struct neg_media_policy *mp,
		     struct neg_pt *out)
{
	for (size_t i = 0; i < mp->n_formats; i++) {
		int best = 0;
		for (size_t j = 0; j < m->n_formats; j++) {
			struct neg_pt pt;
			if (!neg_pt_read(&pt, m, m->format[j]))
				continue;
			int score = neg_pt_match(&pt, &mp->formats[i]);
			if (score > best) {
				best = score;
				*out = pt;
			}
		}
		if (best)
			return (int)i;
	}
	return -1;
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
		out->h264_mode = (uint8_t)fmtp_number(pt->fmtp, "packetization-mode", 0);
		out->h264_profile = h264_profile(pt->fmtp);
		out->h264_level_asymmetry =
			fmtp_number(pt->fmtp, "level-asymmetry-allowed", 0) == 1;
		h264_limits(out, pt->fmtp);
		break;
	case CODEC_VP8:
	case CODEC_VP9: out->max_fs = fmtp_number(pt->fmtp, "max-fs", 0); break;
	case CODEC_OPUS:
		out->opus_stereo = fmtp_number(pt->fmtp, "stereo", 0) == 1;
		out->opus_fec = fmtp_number(pt->fmtp, "useinbandfec", 0) == 1;
		out->opus_dtx = fmtp_number(pt->fmtp, "usedtx", 0) == 1;
		out->opus_cbr = fmtp_number(pt->fmtp, "cbr", 0) == 1;
		out->opus_max_bps = fmtp_number(pt->fmtp, "maxaveragebitrate", 0);
		out->opus_max_playback_hz = fmtp_number(pt->fmtp, "maxplaybackrate", 0);
		break;
	default: break;
	}
}
