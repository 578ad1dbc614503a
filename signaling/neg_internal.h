/* What the parts of negotiate.c share. Pure. Any thread.
 *   neg_codec.c   payload formats: table, matching, fmtp
 *   neg_remote.c  facts read from the peer's m-line: transport, keys, streams
 *   neg_write.c   our m-lines
 *   negotiate.c   offer/answer itself */
#ifndef MCU_SIGNALING_NEG_INTERNAL_H
#define MCU_SIGNALING_NEG_INTERNAL_H

#include "signaling/negotiate.h"

struct neg_codec_info {
	enum codec codec;
	const char *kind, *name;
	uint32_t clock_hz;
	uint8_t channels;
	int static_pt; /* RFC 3551; -1: none */
};

const struct neg_codec_info *neg_codec_info(enum codec codec);

/* A payload type of an m-line, as its description says. */
struct neg_pt {
	uint8_t pt;
	const struct neg_codec_info *info; /* NULL: unknown to us */
	bool dtmf;
	uint32_t clock_hz;
	const char *fmtp; /* "" without */
};
/* format: of m=; false when it is no payload type. */
bool neg_pt_read(struct neg_pt *out, const struct sdp_media *m, const char *format);

/* How well the peer's pt fits our format: 0 not at all, else higher is better. */
int neg_pt_match(const struct neg_pt *pt, const struct neg_format *f);
/* Fills name, clock, fmtp and the parameters; pt_tx = the peer's. */
void neg_codec_fill(struct neg_codec_plan *out, const struct neg_pt *pt, const struct sdp_media *m);
/* Picks the best of the m-line; returns its index in mp->formats, or -1. */
int neg_codec_choose(const struct sdp_media *m, const struct neg_media_policy *mp,
		     struct neg_pt *out);
/* A parameter of an fmtp: its value copied to out (cut at cap), false: absent. */
bool neg_fmtp_get(const char *fmtp, const char *name, char *out, size_t cap);
/* The profile-level-id that we say in an answer to `offered`. */
uint32_t neg_h264_answer_profile(uint32_t offered, bool asymmetry, uint32_t ours);

enum neg_role neg_role_of(const struct sdp_media *m);
/* The peer's direction, in its own words. */
enum neg_dir neg_remote_dir(const struct sdp *s, const struct sdp_media *m);
static inline enum neg_dir neg_dir_reverse(enum neg_dir d)
{
	return (enum neg_dir)(((unsigned)d & 1) << 1 | ((unsigned)d & 2) >> 1);
}

/* mid, ssrcs, cname, bandwidth, rsize, proto. -EINVAL when malformed. */
int neg_remote_media(struct neg_media *out, const struct sdp *s, const struct sdp_media *m,
		     struct errmsg *why);
/* fb and extensions: what both sides have. */
void neg_remote_features(struct neg_media *out, const struct sdp *s, const struct sdp_media *m,
			 const struct neg_media_policy *mp);
/* ICE, keys, address. setup: as the peer said, reversed into ours is the caller's. */
int neg_remote_transport(struct neg_transport *out, enum neg_setup *peer_setup, const struct sdp *s,
			 const struct sdp_media *m, struct errmsg *why);
/* Adds the candidates of an m-line to plan. */
int neg_remote_candidates(struct neg_plan *plan, const struct sdp *s, const struct sdp_media *m,
			  uint8_t index);

extern const char *const neg_ext_uri[NEG_N_EXTS];

/* One m-line of ours. The formats are added first. */
struct neg_line {
	const struct neg_policy *policy;
	const struct neg_media_policy *mp;
	const struct neg_media *media; /* mid, dir, role, ext_id, fb, rtcp_rsize */
	const struct neg_transport
		*transport;	      /* ours: ice, security, setup, rtcp_mux, crypto[0].tag */
	bool carries_transport;	      /* its candidates are written here */
	uint8_t pts[SDP_MAX_FORMATS]; /* with feedback */
	size_t n_pts;
};
int neg_write_media(struct sdp *s, struct sdp_media *m, const struct neg_line *l);
int neg_write_refused(struct sdp *s, const struct sdp_media *offered, const char *mid);
/* h264_profile: as it is to be said. */
int neg_write_format(struct sdp *s, struct sdp_media *m, const struct neg_media_policy *mp,
		     const struct neg_format *f, uint8_t pt, uint32_t h264_profile);
int neg_write_dtmf(struct sdp *s, struct sdp_media *m, uint8_t pt, uint32_t clock_hz);
/* a=group:BUNDLE of the m-lines of s whose index is in use. */
int neg_write_bundle(struct sdp *s, const bool *in, size_t first);

#endif
