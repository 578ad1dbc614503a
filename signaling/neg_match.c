#include <stdlib.h>
#include <string.h>

#include "signaling/neg_internal.h"

enum neg_dir neg_format_dir(const struct neg_media_policy *mp, const struct neg_format *f)
{
	unsigned dir = f->dir ? f->dir : NEG_SENDRECV, bit = 1u << f->codec;

	if (mp->send && !(mp->send & bit))
		dir &= ~(unsigned)NEG_SENDONLY;
	if (mp->recv && !(mp->recv & bit))
		dir &= ~(unsigned)NEG_RECVONLY;
	return (enum neg_dir)dir;
}

/* --- reading the lists ------------------------------------------------------- */

/* The payload type that repairs pt; 0: there is none. */
static uint8_t rtx_of(const struct sdp_media *m, uint8_t pt)
{
	for (size_t i = 0; i < m->n_formats; i++) {
		struct neg_pt r;
		if (neg_pt_read(&r, m, m->format[i]) && r.rtx && r.apt == pt && r.pt != pt)
			return r.pt;
	}
	return 0;
}

/* "111/111": every generation is this payload type. */
static bool red_is_of(const char *fmtp, uint8_t pt)
{
	char *end;
	if (!*fmtp)
		return false;
	for (;; fmtp = end + 1) {
		if (strtoul(fmtp, &end, 10) != pt || end == fmtp)
			return false;
		if (*end != '/')
			return !*end;
	}
}

static uint8_t red_of(const struct sdp_media *m, uint8_t opus)
{
	for (size_t i = 0; i < m->n_formats; i++) {
		struct neg_pt r;
		if (neg_pt_read(&r, m, m->format[i]) && r.red && red_is_of(r.fmtp, opus))
			return r.pt;
	}
	return 0;
}

static bool has_pt(const struct neg_matches *x, uint8_t pt)
{
	for (size_t i = 0; i < x->n; i++)
		if (x->v[i].pt.pt == pt)
			return true;
	return false;
}

/* The payload types of m that fit one of our formats, the best first. */
static void add_format(struct neg_matches *x, const struct sdp_media *m,
		       const struct neg_media_policy *mp, const struct neg_format *f)
{
	int score[NEG_MAX_FORMATS];
	const size_t first = x->n;

	for (size_t j = 0; j < m->n_formats && x->n < NEG_MAX_FORMATS; j++) {
		struct neg_match c = { .format = f, .dir = neg_format_dir(mp, f) };
		if (!neg_pt_read(&c.pt, m, m->format[j]) || has_pt(x, c.pt.pt))
			continue;
		int fits = neg_pt_match(&c.pt, f);
		if (!fits)
			continue;
		c.own_pt = c.pt.pt;
		if (mp->rtx)
			c.rtx_pt = c.own_rtx_pt = rtx_of(m, c.pt.pt);
		size_t at = x->n++;
		for (; at > first && score[at - 1] < fits; at--) {
			x->v[at] = x->v[at - 1];
			score[at] = score[at - 1];
		}
		x->v[at] = c;
		score[at] = fits;
	}
}

void neg_match(struct neg_matches *x, const struct sdp_media *m, const struct neg_media_policy *mp)
{
	*x = (struct neg_matches){ 0 };
	for (size_t i = 0; i < mp->n_formats; i++)
		if (neg_format_dir(mp, &mp->formats[i]))
			add_format(x, m, mp, &mp->formats[i]);
	if (!mp->many && x->n > 1)
		x->n = 1;
	for (size_t i = 0; mp->red && i < x->n && !x->red_pt; i++)
		if (x->v[i].format->codec == CODEC_OPUS)
			x->red_pt = x->own_red_pt = red_of(m, x->v[i].pt.pt);
}

/* --- our numbers --------------------------------------------------------------- */

/* Under which of ours the peer's payload type was offered: the same number, or
 * else the one that fits best. -1: not at all. */
static int own_number(const struct sdp_media *ours, const struct neg_match *x)
{
	int best = 0, number = -1;

	for (size_t i = 0; i < ours->n_formats; i++) {
		struct neg_pt pt;
		if (!neg_pt_read(&pt, ours, ours->format[i]))
			continue;
		int fits = neg_pt_match(&pt, x->format);
		if (fits && pt.pt == x->pt.pt)
			return pt.pt;
		if (fits > best) {
			best = fits;
			number = pt.pt;
		}
	}
	return number;
}

static bool has_own(const struct neg_matches *x, size_t n, int own)
{
	for (size_t i = 0; i < n; i++)
		if (x->v[i].own_pt == own)
			return true;
	return false;
}

void neg_match_own(struct neg_matches *x, const struct sdp_media *ours)
{
	size_t n = 0;

	x->own_red_pt = 0;
	for (size_t i = 0; i < x->n; i++) {
		struct neg_match c = x->v[i];
		int own = own_number(ours, &c);
		if (own < 0 || has_own(x, n, own)) /* one of ours is one of theirs */
			continue;
		c.own_pt = (uint8_t)own;
		c.own_rtx_pt = c.rtx_pt ? rtx_of(ours, c.own_pt) : 0;
		if (!c.own_rtx_pt)
			c.rtx_pt = 0;
		if (x->red_pt && c.format->codec == CODEC_OPUS && !x->own_red_pt)
			x->own_red_pt = red_of(ours, c.own_pt);
		x->v[n++] = c;
	}
	x->n = n;
	if (!x->own_red_pt)
		x->red_pt = 0;
}

/* --- the choice ------------------------------------------------------------------ */

void neg_match_keep(struct neg_matches *x, enum neg_dir dir)
{
	size_t n = 0;
	bool opus = false;

	for (size_t i = 0; i < x->n; i++)
		if (!dir || (x->v[i].dir & dir)) {
			opus = opus || x->v[i].format->codec == CODEC_OPUS;
			x->v[n++] = x->v[i];
		}
	x->n = n;
	if (!opus)
		x->red_pt = x->own_red_pt = 0;
}

const struct neg_match *neg_match_tx(const struct neg_matches *x)
{
	for (size_t i = 0; i < x->n; i++)
		if (x->v[i].dir & NEG_SENDONLY)
			return &x->v[i];
	return &x->v[0];
}

void neg_match_fill(struct neg_media *out, const struct neg_matches *x, const struct sdp_media *m,
		    const struct neg_media_policy *mp)
{
	const struct neg_match *tx = neg_match_tx(x);

	for (size_t i = 0; i < x->n; i++) {
		const struct neg_match *c = &x->v[i];
		out->agreed[i] = (struct neg_agreed){
			.codec = c->format->codec,
			.dir = c->dir,
			.pt = c->own_pt,
			.rtx_pt = c->own_rtx_pt,
			.tx_pt = c->pt.pt,
			.tx_rtx_pt = c->rtx_pt,
			.h264_mode = c->format->h264_mode,
			.h264_profile = c->format->codec == CODEC_H264
						? neg_h264_profile(c->pt.fmtp)
						: 0,
		};
	}
	out->n_agreed = x->n;
	neg_codec_fill(&out->codec, &tx->pt, m);
	out->codec.pt_rx = tx->own_pt;
	out->codec.opus_stereo = out->codec.opus_stereo && mp->stereo;
	if (out->codec.codec == CODEC_H264)
		out->codec.h264_sps =
			neg_h264_sps(out->codec.h264_profile, tx->format->h264_profile);
	out->red_pt_tx = x->red_pt;
	out->red_pt_rx = x->own_red_pt;
}
