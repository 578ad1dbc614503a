/* What the parts of negotiate.c share. Pure. Any thread.
 *   neg_policy.c     the default formats and policy
 *   neg_codec.c      payload formats: table, reading rtpmap and fmtp
 *   neg_h264.c       profiles and levels
 *   neg_h263.c       sizes
 *   neg_match.c      the formats that both sides have, with their repairs
 *   neg_remote.c     facts read from the peer's m-line: transport, keys, streams
 *   neg_simulcast.c  which layer of a simulcast is taken
 *   neg_data.c       the m-line of data channels
 *   neg_sdes.c       a=crypto
 *   neg_noise.c      comfort noise beside telephone codecs
 *   neg_write.c      our m-lines
 *   neg_offer.c      our offers
 *   negotiate.c      offer/answer itself */
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
	const struct neg_codec_info *info; /* NULL: unknown to us, or none of a codec */
	bool dtmf;
	bool noise;   /* comfort noise, at 8 kHz */
	bool red;     /* RFC 2198 of sound */
	bool rtx;     /* RFC 4588 */
	uint8_t apt;  /* what it repairs */
	uint32_t clock_hz;
	const char *fmtp; /* "" without */
};
/* format: of m=; false when it is no payload type. */
bool neg_pt_read(struct neg_pt *out, const struct sdp_media *m, const char *format);

/* How well the peer's pt fits our format: 0 not at all, else higher is better. */
int neg_pt_match(const struct neg_pt *pt, const struct neg_format *f);
/* Fills name, clock, fmtp and the parameters; pt_tx = the peer's. */
void neg_codec_fill(struct neg_codec_plan *out, const struct neg_pt *pt, const struct sdp_media *m);
/* A parameter of an fmtp: its value copied to out (cut at cap), false: absent. */
bool neg_fmtp_get(const char *fmtp, const char *name, char *out, size_t cap);
/* The same of a number; `without` when it is absent or none. */
uint32_t neg_fmtp_number(const char *fmtp, const char *name, uint32_t without);

/* annexb of G.729 (RFC 4856 2.1.9): 1, 0, or -1 where it is not said, which means 1. */
int neg_annex_b(const char *fmtp);

/* The peer's profile-level-id; RFC 6184 8.1. */
uint32_t neg_h264_profile(const char *fmtp);
/* How close a profile is to constrained baseline, which decoders of all profiles
 * read. 0: cannot be used. */
int neg_h264_score(uint32_t profile_level_id);
/* max_fs, max_mbps, max_br_kbps of c by its profile and the fmtp. */
void neg_h264_limits(struct neg_codec_plan *c, const char *fmtp);
/* The profile-level-id that we say in an answer to `offered`. */
uint32_t neg_h264_answer_profile(uint32_t offered, bool asymmetry, uint32_t ours);
/* What our sequence headers show to a peer that said `theirs`. */
uint32_t neg_h264_sps(uint32_t theirs, uint32_t ours);

/* Whether the peer takes a size of ours (RFC 4629 8.1.1). */
bool neg_h263_fits(const char *fmtp);
/* max_fs, max_mbps, max_br_kbps of c by the fmtp. */
void neg_h263_limits(struct neg_codec_plan *c, const char *fmtp);

/* A format that both sides have. The peer's numbers and ours differ only in what
 * we offered and it answered. */
struct neg_match {
	const struct neg_format *format;
	struct neg_pt pt; /* as the peer's description has it */
	uint8_t rtx_pt;
	uint8_t own_pt, own_rtx_pt;
	enum neg_dir dir; /* what we can do with it */
};
struct neg_matches {
	struct neg_match v[NEG_MAX_FORMATS];
	size_t n;
	uint8_t red_pt, own_red_pt;
};
/* What we can do with a format. */
enum neg_dir neg_format_dir(const struct neg_media_policy *mp, const struct neg_format *f);
/* All that are in m and in mp, by our preference; only the best without mp->many. */
void neg_match(struct neg_matches *out, const struct sdp_media *m,
	       const struct neg_media_policy *mp);
/* m was the answer to this m-line of ours: our numbers; what is not in it goes. */
void neg_match_own(struct neg_matches *x, const struct sdp_media *ours);
/* Leaves those that are of use in this direction. */
void neg_match_keep(struct neg_matches *x, enum neg_dir dir);
/* The first that can be sent, or the first; x is not empty. */
const struct neg_match *neg_match_tx(const struct neg_matches *x);
/* Into out: agreed[], the RED numbers, codec. */
void neg_match_fill(struct neg_media *out, const struct neg_matches *x,
		    const struct sdp_media *m, const struct neg_media_policy *mp);

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
/* NEG_FB_… that the peer has for a payload type. */
uint32_t neg_remote_fb(const struct sdp_media *m, uint8_t pt);
/* fb and extensions: what both sides have. */
void neg_remote_features(struct neg_media *out, const struct sdp *s, const struct sdp_media *m,
			 const struct neg_media_policy *mp);
/* ICE, keys, address. setup: as the peer said, reversed into ours is the caller's. */
int neg_remote_transport(struct neg_transport *out, enum neg_setup *peer_setup, const struct sdp *s,
			 const struct sdp_media *m, struct errmsg *why);
/* Adds the candidates of an m-line to plan. */
int neg_remote_candidates(struct neg_plan *plan, const struct sdp *s, const struct sdp_media *m,
			  uint8_t index);

/* out->rid: the layer of a=simulcast that we ask for; "" when there is none.
 * before: the rid in force. */
void neg_simulcast_choose(struct neg_media *out, const struct sdp_media *m, const char *before);
/* The SSRC to take of a=ssrc-group:SIM (the older way); 0: there is none. */
uint32_t neg_simulcast_ssrc(const struct sdp_media *m);

/* The value of a=crypto; false: malformed beyond use. */
bool neg_sdes_read(struct neg_crypto *out, const char *value);
/* The peer's key that we can use goes first; index of our suite, -1: there is none. */
int neg_sdes_choose(struct neg_transport *t, const struct neg_media_policy *mp);

/* has_noise and its numbers: what the peer calls it, and we, if we offered (ours: that
 * m-line; or NULL). After the codec is chosen. */
void neg_noise_choose(struct neg_media *out, const struct sdp_media *m,
		      const struct sdp_media *ours);
int neg_noise_write(struct sdp *s, struct sdp_media *m, uint8_t pt);

/* Whether it is a data channel's m-line; then sctp_port and max_message of out. */
bool neg_data_read(struct neg_media *out, const struct sdp_media *m);
/* The format of m= and the attributes; proto: as of the m-line. */
int neg_data_write(struct sdp *s, struct sdp_media *m, const struct neg_media_policy *mp);

extern const char *const neg_ext_uri[NEG_N_EXTS];

/* A payload format as we write it. */
struct neg_listed {
	const struct neg_format *format;
	uint8_t pt, rtx_pt;	/* 0: no retransmissions */
	uint32_t h264_profile; /* as it is to be said */
	bool no_annex_b;       /* G.729: likewise */
	uint32_t fb;
};
struct neg_list {
	struct neg_listed v[NEG_MAX_FORMATS];
	size_t n;
	uint8_t red_pt; /* 0: none */
};

/* One m-line of ours. The formats are added first. */
struct neg_line {
	const struct neg_policy *policy;
	const struct neg_media_policy *mp;
	const struct neg_media *media; /* mid, dir, role, ext_id, rid, rtcp_rsize */
	const struct neg_transport
		*transport;	 /* ours: ice, security, setup, rtcp_mux, crypto[0] (answers) */
	bool carries_transport; /* its candidates are written here */
	bool tx_rtx;		 /* what we send may be sent again as RTX */
	bool offer;		 /* all our suites are said */
	struct neg_list list;
};
int neg_write_formats(struct sdp *s, struct sdp_media *m, const struct neg_line *l);
int neg_add_pt(struct sdp *s, struct sdp_media *m, uint8_t pt); /* to the list of m= */
int neg_write_dtmf(struct sdp *s, struct sdp_media *m, uint8_t pt, uint32_t clock_hz);
int neg_write_media(struct sdp *s, struct sdp_media *m, const struct neg_line *l);
int neg_write_refused(struct sdp *s, const struct sdp_media *offered, const char *mid);
/* a=group:BUNDLE of the m-lines of s whose index is in use. */
int neg_write_bundle(struct sdp *s, const bool *in, size_t first);

#endif
