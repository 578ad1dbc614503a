/* Offer/answer (RFC 3264, 8829, 9143), pure: no clock, no socket, no state but
 * what is passed in. Both ways:
 *
 *     (offer, policy, previous plan)          -> answer, plan
 *     (policy, previous plan)                 -> offer
 *     (our offer, its answer, previous plan)  -> plan
 *
 * The policy is what we are and want, the plan what was agreed on, in our
 * direction: "send" and "tx" are what we send. A front end of any kind (WebSocket,
 * WHIP, SIP) hands the plan to the leg; the leg sees no SDP. Any thread. */
#ifndef MCU_SIGNALING_NEGOTIATE_H
#define MCU_SIGNALING_NEGOTIATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/base/codec.h"
#include "signaling/sdp.h"

enum neg_role {
	NEG_ROLE_NONE, /* nothing we know: refused */
	NEG_ROLE_AUDIO,
	NEG_ROLE_CAMERA,
	NEG_ROLE_CONTENT,     /* a=content:slides (RFC 4796), or a second m=video; we offer it
				 only when we send it */
	NEG_ROLE_APPLICATION, /* data channels over SCTP (RFC 8841); BFCP is refused */
	NEG_N_ROLES
};

/* From our side; bits. */
enum neg_dir { NEG_INACTIVE = 0, NEG_SENDONLY = 1, NEG_RECVONLY = 2, NEG_SENDRECV = 3 };

/* How the media is keyed; bits, so that a policy can allow several. */
enum neg_security { NEG_PLAIN = 1, NEG_SDES = 2, NEG_DTLS = 4 };

enum neg_setup { NEG_SETUP_NONE, NEG_SETUP_ACTPASS, NEG_SETUP_ACTIVE, NEG_SETUP_PASSIVE };

/* RTCP feedback (RFC 4585, 5104); bits. */
enum neg_fb {
	NEG_FB_NACK = 1,
	NEG_FB_PLI = 2,
	NEG_FB_FIR = 4,
	NEG_FB_REMB = 8,
	NEG_FB_TWCC = 16,
	NEG_FB_TMMBR = 32
};

/* Header extensions (RFC 8285); index of neg_media.ext_id and, as 1 << x, bits. */
enum neg_ext {
	NEG_EXT_MID,
	NEG_EXT_AUDIO_LEVEL,
	NEG_EXT_ABS_SEND_TIME,
	NEG_EXT_TWCC,
	NEG_EXT_VIDEO_ORIENTATION,
	NEG_EXT_RID, /* RFC 8852; both only with simulcast */
	NEG_EXT_REPAIRED_RID,
	NEG_N_EXTS
};

enum {
	NEG_MAX_SSRCS = 4,
	NEG_MAX_CANDIDATES = 64, /* of a description; more are ignored */
	NEG_MAX_CRYPTOS = 8,
	NEG_MASTER_BYTES = 46, /* of the longest known suite */
	NEG_MAX_FORMATS = 16 /* agreed on in one m-line; more are left out */
};

/* --- policy: our side ------------------------------------------------------ */

/* A payload format that we know what to do with. */
struct neg_format {
	enum codec codec;
	uint8_t pt;	       /* in our offers, unless agreed on otherwise before */
	uint8_t rtx_pt;	       /* the same, of its retransmissions */
	uint8_t h264_mode;     /* packetization-mode that we need: 0 or 1 */
	uint32_t h264_profile; /* profile-level-id, e.g. 0x42e01f: in offers; our level */
	enum neg_dir dir;      /* what we can do with it; 0: send and receive */
	const char *fmtp;      /* what we say in an offer or answer besides; may be NULL */
};

/* By preference: Opus, G.722, PCMU, PCMA, G.729; H.264 (constrained baseline, mode 1),
 * VP8, VP9, AV1, H.264 mode 0, H.263. Browsers know neither G.729 nor H.263. */
extern const struct neg_format neg_audio_formats[];
extern const size_t neg_n_audio_formats;
extern const size_t neg_n_browser_audio_formats; /* the first of them */
extern const struct neg_format neg_video_formats[];
extern const size_t neg_n_video_formats;
extern const size_t neg_n_browser_video_formats; /* the first of them */

/* A suite of SDES (RFC 4568) that we do, and our key for it. */
struct neg_sdes {
	const char *suite; /* "AES_CM_128_HMAC_SHA1_80" */
	const char *key;   /* "inline:…" */
};

struct neg_media_policy {
	enum neg_dir dir;		  /* what we are willing to do at most */
	bool enabled;			  /* false: refused in answers, absent from offers */
	bool only_answered;		  /* a line of it is added by the peer, never by us */
	const struct neg_format *formats; /* by preference */
	size_t n_formats;
	uint32_t send, recv; /* 1 << CODEC_…: what of these we can encode, decode; 0: all */
	/* Answers list every common format, so that the peer may change among them;
	 * false: only the best one, as phones like it. */
	bool many;
	bool rtx;		   /* RFC 4588 */
	bool red;		   /* RFC 2198 around Opus, listed first so that browsers send it */
	bool stereo;		   /* Opus in two channels */
	bool simulcast;		   /* of several layers (RFC 8853) one is asked for */
	uint32_t ssrc;		   /* what we send with */
	uint32_t rtx_ssrc;	   /* the same, of retransmissions */
	const char *track_id;	   /* of a=msid; NULL: none */
	uint32_t fb;		   /* NEG_FB_… that we implement here */
	uint32_t exts;		   /* 1 << NEG_EXT_… that we implement here */
	uint32_t max_kbps;	   /* b=AS and b=TIAS of ours: what may be sent to us; 0: unsaid */
	uint16_t port;		   /* plain RTP: ours, RTCP on the next one; 0: only with ICE */
	const struct neg_sdes *sdes; /* by preference; another key for each m-line */
	size_t n_sdes;
	bool dtmf;		   /* telephone-event (RFC 4733) too */
	bool noise;		   /* comfort noise (RFC 3389) beside G.711 and G.722 */
	uint32_t max_fs, max_mbps; /* H.264 receive limits, said in fmtp; 0: unsaid */
	/* NEG_ROLE_APPLICATION (which has no formats): a=sctp-port, a=max-message-size */
	uint16_t sctp_port;
	uint32_t max_message;
};

/* Strings are borrowed for the call. */
struct neg_policy {
	struct neg_media_policy media[NEG_N_ROLES];
	uint32_t security;  /* allowed: NEG_PLAIN | NEG_SDES | NEG_DTLS */
	enum neg_security offer; /* what new lines of our offers say; 0: the last allowed */
	bool one_transport; /* the leg has but one of ICE: what is outside the bundle is refused */
	bool ice;	    /* we do ICE when the peer does; our offers of DTLS have it */
	bool dtls_needs_ice; /* DTLS without ICE is refused, or SDES or plain RTP instead of
				it where the line says that this is fine too (RFC 8643) */
	const char *ice_ufrag, *ice_pwd;
	const char *const *candidates; /* "candidate:…" known already; the rest trickles */
	size_t n_candidates;
	bool no_trickle; /* what the description will not have, it is not told later */
	const char *fingerprint; /* "sha-256 AA:BB:…"; NULL without DTLS */
	enum neg_setup setup;	 /* NEG_SETUP_PASSIVE (default when NONE) or _ACTIVE */
	const char *address;	 /* c=, plain RTP; NULL: 0.0.0.0 (ICE) */
	const char *cname;
	const char *stream_id;		      /* of a=msid */
	uint64_t session_id, session_version; /* of o=; the version grows with each description */
};

/* What the caller's media side can do. */
struct neg_abilities {
	uint32_t send, recv; /* 1 << CODEC_…; 0: all that we know */
	bool rtx, red, stereo, simulcast, data;
	bool content; /* a second picture of the peer's */
};

/* Fills p with what a browser leg wants: audio and camera sendrecv with the
 * default formats as far as can allows, feedback and extensions that the server
 * implements, ICE and DTLS. The caller then sets the identifiers. */
void neg_policy_browser(struct neg_policy *p, const struct neg_abilities *can);
/* What a SIP phone or room system is offered: plain RTP, SDES if it asks for it, ICE
 * with DTLS if it offers both; one format in answers; feedback for pictures. The
 * caller then sets identifiers, address, ports and keys. */
void neg_policy_phone(struct neg_policy *p, const struct neg_abilities *can);

/* --- plan: what was agreed on ---------------------------------------------- */

struct neg_codec_plan {
	enum codec codec;
	uint8_t pt_tx; /* what we put into packets */
	uint8_t pt_rx; /* what the peer puts into packets */
	uint32_t clock_hz;
	uint8_t channels;
	char name[16];	/* encoding name as in rtpmap */
	char fmtp[256]; /* the peer's, truncated; "" when there was none */
	/* H.264 (RFC 6184): what the peer can receive */
	uint8_t h264_mode;
	uint32_t h264_profile; /* its profile-level-id */
	uint32_t h264_sps;     /* the profile-level-id that our sequence headers must show */
	bool h264_level_asymmetry;
	/* macroblocks per frame, per second; kbit/s: of the level, or raised by max-fs …;
	 * of VP8 and VP9 max-fs as given. 0: unknown */
	uint32_t max_fs, max_mbps, max_br_kbps;
	/* Opus (RFC 7587), the peer's wishes; 0 or false: default. opus_stereo: and our
	 * policy has it too */
	bool opus_stereo, opus_fec, opus_dtx, opus_cbr;
	uint32_t opus_max_bps, opus_max_playback_hz;
	uint32_t ptime_ms, maxptime_ms;
	bool g729_annex_b; /* the peer said that it knows frames of noise */
};

/* One of the formats that an m-line lists. */
struct neg_agreed {
	enum codec codec;
	enum neg_dir dir;      /* what we can do with it */
	uint8_t pt;	       /* what the peer puts into packets */
	uint8_t rtx_pt;	       /* and into their repairs; 0: not agreed */
	uint8_t tx_pt, tx_rtx_pt; /* what we may put */
	uint8_t h264_mode;
	uint32_t h264_profile; /* the peer's profile-level-id */
};

struct neg_crypto {
	unsigned tag;
	char suite[40];
	char key[160]; /* key parameters, "inline:…" */
	uint8_t master[NEG_MASTER_BYTES]; /* key and salt */
	size_t master_len; /* 0: it cannot be used: several keys, a key identifier (MKI),
			      session parameters, or malformed */
};

/* Where and how packets go; valid in the m-line that carries the transport. */
struct neg_transport {
	bool ice;
	bool ice_lite, ice_trickle;	   /* of the peer */
	bool ice_restart;		   /* other credentials than in the previous plan */
	char ice_ufrag[257], ice_pwd[257]; /* of the peer; "": forgotten, ours is another side */
	enum neg_security security;
	enum neg_setup setup;	   /* ours: NEG_SETUP_ACTIVE or _PASSIVE */
	bool dtls_new;		   /* first time, or another fingerprint or role than before */
	char fingerprint_hash[16]; /* of the peer: "sha-256" */
	char fingerprint[192];	   /* upper-case hex with colons */
	struct neg_crypto crypto[NEG_MAX_CRYPTOS]; /* of the peer; the first is the chosen one */
	size_t n_cryptos;
	char address[64];	  /* of the peer, c= and m= ; "" or port 0: unknown */
	uint16_t port, rtcp_port; /* rtcp_port == port with rtcp-mux */
	char rtcp_address[64];	  /* RFC 3605; mostly address again */
	bool rtcp_mux;
};

struct neg_media {
	enum neg_role role;
	bool accepted; /* false: port 0 in its place */
	bool created;  /* not in the previous plan (or refused there) */
	char kind[16];
	char proto[32];	  /* as offered; answered with the same */
	char format[32];  /* the first one, to name it again at port 0 */
	bool avpf;	  /* feedback profile */
	char mid[33];	  /* "" without */
	enum neg_dir dir; /* ours */
	bool hold;	  /* the peer put us on hold (sendonly/inactive, or c=0.0.0.0) */
	/* What we send; the first of the formats when there is none that we can. */
	struct neg_codec_plan codec;
	struct neg_agreed agreed[NEG_MAX_FORMATS]; /* all formats, by our preference */
	size_t n_agreed;
	uint8_t red_pt_tx, red_pt_rx; /* RFC 2198 around Opus; 0: not agreed */
	bool has_dtmf; /* telephone-event, RFC 4733 */
	uint8_t dtmf_pt_tx, dtmf_pt_rx;
	uint32_t dtmf_clock_hz;
	bool has_noise; /* comfort noise at 8 kHz, RFC 3389 */
	uint8_t noise_pt_tx, noise_pt_rx;
	uint32_t fb;		    /* NEG_FB_… both sides have */
	uint8_t ext_id[NEG_N_EXTS]; /* 0: not agreed */
	bool rtcp_rsize;
	uint32_t trr_int_ms; /* RFC 4585: regular reports no oftener; 0: unsaid */
	uint32_t remote_ssrc[NEG_MAX_SSRCS]; /* media, not RTX or FEC; as far as given */
	size_t n_remote_ssrcs;
	uint32_t remote_rtx_ssrc; /* repairs of remote_ssrc[0] (a=ssrc-group:FID) */
	char rid[17];		  /* the one layer of a simulcast that we take; "": none */
	uint16_t sctp_port;	  /* NEG_ROLE_APPLICATION: of the peer */
	uint32_t max_message;	  /* octets that it takes; 0: any number */
	char remote_cname[64];
	uint32_t max_bps;	 /* the peer's b=TIAS or b=AS * 1000 for what we send; 0: unsaid */
	uint8_t transport_index; /* index of the m-line whose transport carries this */
	struct neg_transport transport;
};

struct neg_candidate {
	uint8_t media_index;
	char text[256]; /* "candidate:…", without "a=" */
};

struct neg_plan {
	bool we_offered;
	bool bundle; /* one transport for all accepted m-lines */
	bool end_of_candidates;
	struct neg_media *media; /* as many as the m-lines, in their order */
	size_t n_media;
	struct neg_candidate *candidates; /* of the peer, as far as in the SDP */
	size_t n_candidates;
	uint64_t remote_session_version;
};

void neg_plan_free(struct neg_plan **p);
/* The accepted m-line of a role; NULL when there is none. */
const struct neg_media *neg_plan_media(const struct neg_plan *p, enum neg_role role);
/* The transport of an m-line (of the bundle, when it is in one). */
const struct neg_transport *neg_plan_transport(const struct neg_plan *p, const struct neg_media *m);

/* --- the three steps ------------------------------------------------------- */

/* Whether the offer asks for new ICE credentials on our side (RFC 8839 4.4.3);
 * asked before the policy of an answer is filled in. prev may be NULL. */
bool neg_wants_ice_restart(const struct sdp *remote, const struct neg_plan *prev);

/* prev: the plan in force, or NULL. On success *answer and *plan are the
 * caller's. -EINVAL "bad_sdp" (text names what), -ENOTSUP "no_common_codec" or
 * "not_acceptable" when not one m-line can be used, -ENOMEM. */
int neg_answer(const struct sdp *offer, const struct neg_policy *policy,
	       const struct neg_plan *prev, struct sdp **answer, struct neg_plan **plan,
	       struct errmsg *why);

/* The m-lines of prev in their order, then the roles that are new. */
int neg_offer(const struct neg_policy *policy, const struct neg_plan *prev, struct sdp **offer,
	      struct errmsg *why);

/* offer: ours, as neg_offer made it, with the policy it was made from. */
int neg_accept(const struct sdp *offer, const struct neg_policy *policy, const struct sdp *answer,
	       const struct neg_plan *prev, struct neg_plan **plan, struct errmsg *why);

const char *neg_dir_name(enum neg_dir dir);
const char *neg_role_name(enum neg_role role);

#endif
