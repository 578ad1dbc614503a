#include "signaling/negotiate.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "signaling/neg_internal.h"

/* The first error of a row of writes. */
#define TRY(call)                                                                                  \
	do {                                                                                       \
		int try_err = (call);                                                              \
		if (try_err)                                                                       \
			return try_err;                                                            \
	} while (0)

int neg_add_pt(struct sdp *s, struct sdp_media *m, uint8_t pt)
{
	char num[8];
	snprintf(num, sizeof(num), "%u", pt);
	return sdp_add_format(s, m, num);
}

/* What a format's fmtp says; "" when there is nothing to say. */
static void format_fmtp(char *out, size_t cap, const struct neg_media_policy *mp,
			const struct neg_listed *f)
{
	const char *extra = f->format->fmtp ? f->format->fmtp : "";
	int n = 0;

	*out = 0;
	if (f->format->codec == CODEC_H264) {
		n = snprintf(
			out, cap,
			"level-asymmetry-allowed=1;packetization-mode=%u;profile-level-id=%06x",
			f->format->h264_mode, f->h264_profile & 0xffffff);
		if (mp->max_fs)
			n += snprintf(out + n, cap - (size_t)n, ";max-fs=%u", mp->max_fs);
		if (mp->max_mbps)
			n += snprintf(out + n, cap - (size_t)n, ";max-mbps=%u", mp->max_mbps);
	}
	if (f->format->codec == CODEC_G729)
		n = snprintf(out, cap, "annexb=%s", f->no_annex_b ? "no" : "yes");
	if (*extra)
		n += snprintf(out + n, cap - (size_t)n, "%s%s", n ? ";" : "", extra);
	if (f->format->codec == CODEC_OPUS && mp->stereo && (size_t)n < cap)
		snprintf(out + n, cap - (size_t)n, "%sstereo=1;sprop-stereo=1", n ? ";" : "");
}

static int write_format(struct sdp *s, struct sdp_media *m, const struct neg_media_policy *mp,
			const struct neg_listed *f)
{
	const struct neg_codec_info *info = neg_codec_info(f->format->codec);
	char fmtp[512], channels[8] = "";

	TRY(neg_add_pt(s, m, f->pt));
	if (info->channels > 1)
		snprintf(channels, sizeof(channels), "/%u", info->channels);
	TRY(sdp_add_attr(s, m, "rtpmap", "%u %s/%u%s", f->pt, info->name, info->clock_hz,
			 channels));
	format_fmtp(fmtp, sizeof(fmtp), mp, f);
	if (fmtp[0])
		TRY(sdp_add_attr(s, m, "fmtp", "%u %s", f->pt, fmtp));
	if (!f->rtx_pt)
		return 0;
	TRY(neg_add_pt(s, m, f->rtx_pt));
	TRY(sdp_add_attr(s, m, "rtpmap", "%u rtx/%u", f->rtx_pt, info->clock_hz));
	return sdp_add_attr(s, m, "fmtp", "%u apt=%u", f->rtx_pt, f->pt);
}

int neg_write_formats(struct sdp *s, struct sdp_media *m, const struct neg_line *l)
{
	const struct neg_list *list = &l->list;

	if (l->media->role == NEG_ROLE_APPLICATION)
		return neg_data_write(s, m, l->mp);
	for (size_t i = 0; i < list->n && list->red_pt; i++)
		if (list->v[i].format->codec == CODEC_OPUS) {
			TRY(neg_add_pt(s, m, list->red_pt));
			TRY(sdp_add_attr(s, m, "rtpmap", "%u red/48000/2", list->red_pt));
			TRY(sdp_add_attr(s, m, "fmtp", "%u %u/%u", list->red_pt, list->v[i].pt,
					 list->v[i].pt));
			break;
		}
	for (size_t i = 0; i < list->n; i++)
		TRY(write_format(s, m, l->mp, &list->v[i]));
	return 0;
}

int neg_write_dtmf(struct sdp *s, struct sdp_media *m, uint8_t pt, uint32_t clock_hz)
{
	TRY(neg_add_pt(s, m, pt));
	TRY(sdp_add_attr(s, m, "rtpmap", "%u telephone-event/%u", pt, clock_hz));
	return sdp_add_attr(s, m, "fmtp", "%u 0-15", pt);
}

static int write_fb(struct sdp *s, struct sdp_media *m, uint8_t pt, uint32_t fb)
{
	static const struct {
		uint32_t bit;
		const char *text;
	} known[] = {
		{ NEG_FB_REMB, "goog-remb" }, { NEG_FB_TWCC, "transport-cc" },
		{ NEG_FB_FIR, "ccm fir" },    { NEG_FB_NACK, "nack" },
		{ NEG_FB_PLI, "nack pli" },   { NEG_FB_TMMBR, "ccm tmmbr" },
	};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (fb & known[i].bit)
			TRY(sdp_add_attr(s, m, "rtcp-fb", "%u %s", pt, known[i].text));
	return 0;
}

static const char *setup_name(enum neg_setup setup)
{
	switch (setup) {
	case NEG_SETUP_ACTPASS: return "actpass";
	case NEG_SETUP_ACTIVE: return "active";
	default: return "passive";
	}
}

/* In an answer the suite that was chosen, under the offer's tag. */
static int write_crypto(struct sdp *s, struct sdp_media *m, const struct neg_line *l)
{
	const struct neg_crypto *chosen = &l->transport->crypto[0];

	for (size_t i = 0; i < l->mp->n_sdes; i++) {
		const struct neg_sdes *k = &l->mp->sdes[i];
		if (l->offer)
			TRY(sdp_add_attr(s, m, "crypto", "%zu %s %s", i + 1, k->suite, k->key));
		else if (!strcmp(k->suite, chosen->suite))
			return sdp_add_attr(s, m, "crypto", "%u %s %s", chosen->tag, k->suite,
					    k->key);
	}
	return 0;
}

static int write_transport(struct sdp *s, struct sdp_media *m, const struct neg_line *l)
{
	const struct neg_policy *p = l->policy;
	const struct neg_transport *t = l->transport;

	if (t->ice) {
		TRY(sdp_add_attr(s, m, "ice-ufrag", "%s", p->ice_ufrag));
		TRY(sdp_add_attr(s, m, "ice-pwd", "%s", p->ice_pwd));
		if (!p->no_trickle)
			TRY(sdp_add_attr(s, m, "ice-options", "trickle"));
	}
	if (t->security == NEG_DTLS) {
		TRY(sdp_add_attr(s, m, "fingerprint", "%s", p->fingerprint));
		TRY(sdp_add_attr(s, m, "setup", "%s", setup_name(t->setup)));
	} else if (t->security == NEG_SDES) {
		TRY(write_crypto(s, m, l));
	}
	if (t->ice && l->carries_transport)
		for (size_t i = 0; i < p->n_candidates; i++) {
			const char *c = p->candidates[i];
			TRY(sdp_add_attr(s, m, "candidate", "%s",
					 strncmp(c, "candidate:", 10) ? c : c + 10));
		}
	return 0;
}

/* What we send: the stream's and track's names and its ssrcs (RFC 5576, 4588). A call
 * without ICE may be moved to another leg, with other ssrcs and the same description. */
static int write_source(struct sdp *s, struct sdp_media *m, const struct neg_line *l)
{
	const struct neg_policy *p = l->policy;
	const struct neg_media_policy *mp = l->mp;

	if (!(l->media->dir & NEG_SENDONLY) || !l->transport->ice)
		return 0;
	bool rtx = mp->ssrc && mp->rtx_ssrc && l->tx_rtx;
	if (mp->track_id && p->stream_id)
		TRY(sdp_add_attr(s, m, "msid", "%s %s", p->stream_id, mp->track_id));
	if (rtx)
		TRY(sdp_add_attr(s, m, "ssrc-group", "FID %u %u", mp->ssrc, mp->rtx_ssrc));
	if (mp->ssrc && p->cname)
		TRY(sdp_add_attr(s, m, "ssrc", "%u cname:%s", mp->ssrc, p->cname));
	if (rtx && p->cname)
		TRY(sdp_add_attr(s, m, "ssrc", "%u cname:%s", mp->rtx_ssrc, p->cname));
	return 0;
}

/* What only sections of RTP have. */
static int write_rtp(struct sdp *s, struct sdp_media *m, const struct neg_line *l)
{
	const struct neg_media *pm = l->media;

	for (unsigned i = 0; i < NEG_N_EXTS; i++)
		if (pm->ext_id[i])
			TRY(sdp_add_attr(s, m, "extmap", "%u %s", pm->ext_id[i], neg_ext_uri[i]));
	TRY(sdp_add_flag(s, m, neg_dir_name(pm->dir)));
	if (pm->role == NEG_ROLE_CONTENT)
		TRY(sdp_add_attr(s, m, "content", "slides"));
	if (l->transport->rtcp_mux)
		TRY(sdp_add_flag(s, m, "rtcp-mux"));
	/* as long as those that were asked for */
	if (pm->role == NEG_ROLE_AUDIO && pm->codec.ptime_ms >= 10)
		TRY(sdp_add_attr(s, m, "ptime", "%u",
				 pm->codec.ptime_ms < 60 ? pm->codec.ptime_ms : 60));
	if (pm->rtcp_rsize)
		TRY(sdp_add_flag(s, m, "rtcp-rsize"));
	for (size_t i = 0; i < l->list.n; i++)
		TRY(write_fb(s, m, l->list.v[i].pt, l->list.v[i].fb));
	if (pm->rid[0] && pm->dir & NEG_RECVONLY) {
		TRY(sdp_add_attr(s, m, "rid", "%s recv", pm->rid));
		TRY(sdp_add_attr(s, m, "simulcast", "recv %s", pm->rid));
	}
	return write_source(s, m, l);
}

int neg_write_media(struct sdp *s, struct sdp_media *m, const struct neg_line *l)
{
	const struct neg_media *pm = l->media;
	const char *address =
		l->transport->ice || !l->policy->address ? "0.0.0.0" : l->policy->address;

	m->conn.address = sdp_strdup(s, address);
	if (!m->conn.address)
		return -ENOMEM;
	m->conn.ip6 = strchr(address, ':') != NULL;
	m->bandwidth.as_kbps = l->mp->max_kbps;
	m->bandwidth.tias_bps = l->mp->max_kbps > 4000000 ? 0 : l->mp->max_kbps * 1000;
	TRY(write_transport(s, m, l));
	if (pm->mid[0])
		TRY(sdp_add_attr(s, m, "mid", "%s", pm->mid));
	return pm->role == NEG_ROLE_APPLICATION ? 0 : write_rtp(s, m, l);
}

int neg_write_refused(struct sdp *s, const struct sdp_media *offered, const char *mid)
{
	struct sdp_media *m = sdp_add_media(s, offered->kind, 0, offered->proto);
	if (!m)
		return -ENOMEM;
	m->conn.address = "0.0.0.0";
	TRY(sdp_add_format(s, m, offered->format[0]));
	if (mid[0])
		TRY(sdp_add_attr(s, m, "mid", "%s", mid));
	return strcmp(offered->kind, "application") ? sdp_add_flag(s, m, "inactive") : 0;
}

int neg_write_bundle(struct sdp *s, const bool *in, size_t first)
{
	char text[SDP_MAX_MEDIA * 34 + 8] = "BUNDLE";
	size_t len = 6;
	for (size_t k = 0; k <= s->n_media; k++) {
		size_t i = k ? k - 1 : first; /* the one that carries the transport goes first */
		if (k ? (!in[i] || i == first) : !in[first])
			continue;
		const char *mid = sdp_value(s, &s->media[i], "mid");
		if (mid)
			len += (size_t)snprintf(text + len, sizeof(text) - len, " %s", mid);
	}
	return len > 6 ? sdp_add_attr(s, NULL, "group", "%s", text) : 0;
}
