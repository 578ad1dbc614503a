/* What lies between a front end (WebSocket, WHIP, SIP) and the rooms.
 *
 * A front end holds a struct leg_handle, which the rooms' side made for it, and
 * calls the functions of struct room_api; the rooms' side calls back the
 * functions of struct leg_events. Neither sees the other's types, and a leg
 * never knows which kind of front end it has.
 *
 *     join ─────────────▶                       a leg, or an error at once
 *          ◀───────────── events->welcome       from inside join, or later
 *     local, negotiated ▶                       once per offer/answer
 *     remote_candidate  ▶   ◀─ events->candidate
 *     prompt, digits ───▶   ◀─ event            what the leg hears alone, its DTMF digits
 *     leave ────────────▶                       the handle is dead, no event follows
 *          ◀───────────── events->closed        the handle is dead, no call follows
 *
 * All on CTL (the compiler cannot check that of a function pointer, so that
 * implementations say role_assert_ctl()). A callback may call back into the other side, except
 * where it says otherwise; every implementation copes with the leg ending in the middle. */
#ifndef MCU_SIGNALING_LEG_API_H
#define MCU_SIGNALING_LEG_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/base/codec.h"
#include "mcu/base/err.h"
#include "mcu/base/role.h"
#include "signaling/negotiate.h"
#include "signaling/protocol.h"

struct leg_handle;
struct rtp_ports;

/* What a leg has sent and received over its life. */
struct leg_totals {
	enum codec audio, video; /* that it sent last; CODEC_NONE: none */
	uint64_t packets_in, packets_out; /* all streams */
	uint64_t lost_in, lost_out; /* out: as the other side reports */
	double jitter_ms, rtt_ms; /* audio, the last known; rtt 0: unknown */
	uint64_t audio_in, audio_lost; /* the sound's share, which the score is of */
};

/* As one call moves through several legs: counts add up, the rest is the later's. */
void leg_totals_add(struct leg_totals *sum, const struct leg_totals *t);

enum leave_reason {
	LEAVE_LEFT = 1, /* it said so */
	LEAVE_LOST,	/* its signaling or media connection ended */
	LEAVE_KICKED,
	LEAVE_REPLACED, /* by the same participant coming back */
	LEAVE_ERROR,
	LEAVE_SHUTDOWN
};

/* "left", "lost", "kicked", "replaced", "error", "shutdown". */
const char *leave_reason_name(enum leave_reason r);

enum leg_event_type {
	LEG_EVENT_JOINED = 1,
	LEG_EVENT_LEFT,
	LEG_EVENT_MUTED,
	LEG_EVENT_SPEAKER,
	LEG_EVENT_LAYOUT,
	LEG_EVENT_UPLINK,
	LEG_EVENT_RECORDING,
	LEG_EVENT_CHAT,
	LEG_EVENT_HAND,
	LEG_EVENT_SOUND,   /* what is done to somebody's */
	LEG_EVENT_ROOM,	   /* its rules */
	LEG_EVENT_WAITING, /* who waits in the lobby; to hosts only */
	LEG_EVENT_QUALITY,
	LEG_EVENT_OVERLOAD,
	LEG_EVENT_SELF_VIEW,
	LEG_EVENT_VIEWS, /* which there are, and for whom */
	LEG_EVENT_PRESENT_OVER, /* only to who presented */
	LEG_EVENT_PLAYBACK, /* what is played into the room */
	LEG_EVENT_CALL, /* that the room makes; to hosts only */
	LEG_EVENT_PUSH, /* where the room is sent to; to hosts only */
	/* Only to the leg itself: */
	LEG_EVENT_DIGIT,      /* a DTMF digit from it, however it came, once */
	LEG_EVENT_PROMPT_OVER /* of each prompt that was taken, once */
};

/* Something that happened in the room. One object is handed to every leg that
 * should know; the first WebSocket front end caches its text in it. Zero it,
 * fill in type and u, hand it out, then leg_event_clear(). */
struct leg_event {
	enum leg_event_type type;
	union {
		struct participant joined;
		struct {
			uint32_t leg;
			enum leave_reason reason;
		} left;
		struct {
			uint32_t leg;
			bool audio, video;
			uint32_t by; /* the host who did it; 0: nobody else */
		} muted;
		uint32_t speaker; /* 0: nobody */
		struct layout_info layout;
		struct views_info views;
		struct uplink_info uplink;
		struct recording_info recording;
		struct chat_info chat;
		struct {
			uint32_t leg;
			bool raised;
		} hand;
		struct sound_info sound;
		struct room_policy_info room;
		struct waiting_info waiting;
		struct quality_info quality;
		struct call_info call;
		struct playback_event playback;
		struct push_told push;
		struct {
			int level;	  /* 0: over */
			const char *text; /* for people */
		} overload;
		struct {
			bool hidden; /* its own picture from itself, as it wishes */
			const char *text;
		} self_view;
		struct {
			uint32_t by;
			bool by_host;
		} present_over;
		char digit; /* one of 0123456789*#ABCD */
		struct {
			uint32_t id;  /* of the request */
			bool stopped; /* before its end */
		} prompt_over;
	} u;
	char *text; /* private */
	size_t text_len;
};

/* The event as a message of PROTOCOL.md, made once; NULL: none, or no memory. It
 * goes with leg_event_clear(). */
const char *leg_event_text(struct leg_event *ev, size_t *len);
void leg_event_clear(struct leg_event *ev);

/* Implemented by a front end. Pointers are borrowed for the call. */
struct leg_events {
	/* The join succeeded. At most once. May be called from inside join(). */
	void (*welcome)(void *obj, const struct welcome_info *w);
	/* Instead of it for now: a host has to admit the leg, then welcome() or closed()
	 * comes. NULL: a front end that cannot wait; the join then fails with the error
	 * "lobby". May be called from inside join(). */
	void (*lobby)(void *obj, const char *text);
	/* A local ICE candidate, "candidate:…"; NULL: that was the last. */
	void (*candidate)(void *obj, const char *candidate);
	/* The leg wants a new offer/answer with the server offering; the front end
	 * asks local() for the policy when it can (not while another is pending). */
	void (*offer_wanted)(void *obj);
	void (*event)(void *obj, struct leg_event *ev);
	/* The leg has ended by itself. why: code and text for the person; its code is
	 * one of PROTOCOL.md (connection_lost, connect_timeout, room_full …) or "". */
	void (*closed)(void *obj, enum leave_reason reason, const struct errmsg *why);
	/* A key frame of the camera is needed, and RTCP cannot ask for it: the peer has
	 * agreed on neither PLI nor FIR. NULL: it cannot be asked otherwise. */
	void (*key_frame_wanted)(void *obj);
	/* What the leg's media came to, once, when it ends: before closed(), or from
	 * inside leave(). NULL: of no interest. */
	void (*totals)(void *obj, const struct leg_totals *t);
};

struct join_req {
	const char *room, *name;
	const char *pin, *resume; /* NULL when absent */
	const char *token; /* NULL, or who it is: a sign-in's or an invitation's (mcu/tokens.h) */
	const char *peer;		  /* address of the client, for limits and the log */
	/* Whom wrong PINs and too many participants are counted against, at most 63 octets;
	 * NULL: the peer. Callers of a trunk have its address, and are many. */
	const char *origin;
	bool tls;
	/* The sockets of the call that the leg is of (SIP), referenced as long as it lives:
	 * local() then says what phones are offered, and what is agreed on may go over
	 * them. NULL: ICE only. */
	struct rtp_ports *ports;
	bool device; /* no person is behind it that could be a host (WHIP, WHEP) */
	enum leg_kind kind; /* 0: a browser */
	/* A phone's number or SIP address; NULL: none, or withheld. Who is no host sees it
	 * masked, and a name that would give it away is replaced (phone_number.h). */
	const char *number;
	/* Only whether it would be let in: never welcome(); closed() with LEAVE_LEFT and the code
	 * "" says yes. From inside join() that is -ECANCELED with the code "". */
	bool ask_only;
	bool existing; /* only a room that is registered or runs: none is opened for it */
	bool called; /* from the room itself: PIN, lock and lobby are not for it */
	/* Not into a room: the leg is alone, in no list and in no registry, sees nothing
	 * and hears what prompt() plays to it. room, pin, resume and token are not read. */
	bool parlour;
};

/* What a leg shall hear, above the sound of its room, which is lowered meanwhile. */
struct prompt_req {
	uint32_t id; /* comes back in LEG_EVENT_PROMPT_OVER */
	const char *language; /* "en"; NULL: the server's. What it lacks is said in English */
	const char *const *names; /* one after the other: of prompts/en.txt, or a number "=42" */
	size_t n; /* 0: nothing, and no event for it */
	bool loop;	  /* again and again until it is stopped */
	bool until_digit; /* a digit of the leg's stops it */
	bool replace;	  /* what plays or waits is stopped first; otherwise it is waited for */
};

/* Implemented by the rooms' side. ctx is the one given to the front end. Errors
 * are -errno with *why filled in (code and text of PROTOCOL.md). */
struct room_api {
	/* On success *out is a leg that the front end must leave(), or that ends with
	 * closed(). welcome may come during the call or later; on error nothing came. */
	int (*join)(void *ctx, const struct join_req *req, const struct leg_events *events,
		    void *obj, struct leg_handle **out, struct errmsg *why);
	void (*leave)(void *ctx, struct leg_handle *leg, enum leave_reason reason);

	/* Our side of the next offer/answer. Fills all of *out; strings and tables
	 * stay valid until the next call for this leg. ice_restart: fresh ufrag and
	 * pwd are needed (-ENOTSUP refuses the restart). session_version is set by
	 * the front end. Of a leg with ports: as neg_policy_phone, with address, ports and
	 * keys; the front end may change address and `offer` (NEG_SDES for a peer that is
	 * reached over TLS). -EBUSY "busy": the server has no more ports. */
	int (*local)(void *ctx, struct leg_handle *leg, bool ice_restart, struct neg_policy *out,
		     struct errmsg *why);
	/* Agreed. plan: borrowed; the front end keeps it as the previous plan. Called
	 * before the answer is sent; an error here is told to the peer instead, and
	 * the earlier plan stays in force. The SDP's own candidates are in the plan and
	 * are not repeated by remote_candidate. With ICE but without the peer's ufrag nothing
	 * is agreed on yet: the leg finds its candidates, which are to be offered then. */
	int (*negotiated)(void *ctx, struct leg_handle *leg, const struct neg_plan *plan,
			  struct errmsg *why);
	/* candidate NULL: no more will come. mid "" when unsaid. Not validated beyond
	 * its length (<= 512) and printable characters. */
	void (*remote_candidate)(void *ctx, struct leg_handle *leg, const char *mid,
				 const char *candidate);

	/* Refused (not_allowed) when a room's rules say that who is muted stays so. */
	int (*mute)(void *ctx, struct leg_handle *leg, enum tristate audio, enum tristate video,
		    struct errmsg *why);
	/* What it wants to get from now on. */
	int (*view)(void *ctx, struct leg_handle *leg, const struct view_wish *v,
		    struct errmsg *why);
	/* CHAT, HAND, MODERATE, ADMIT, POLICY, LAYOUT, VIEWS and PRESENT, VOLUME, SOUND, RENAME,
	 * DIAL and HANGUP, with m's members borrowed. What
	 * follows is told by events; the leg may have ended when it returns. */
	int (*act)(void *ctx, struct leg_handle *leg, const struct client_msg *m,
		   struct errmsg *why);
	/* What follows is told by LEG_EVENT_RECORDING. */
	int (*record)(void *ctx, struct leg_handle *leg, const struct record_wish *wish,
		      struct errmsg *why);
	int (*stats)(void *ctx, struct leg_handle *leg, struct leg_stats *out);

	/* To this leg alone, as soon as it is connected. -ENOENT (prompt_unknown), -EUSERS
	 * (busy): too many wait; -ENOMEM. Nothing is played then, and no event follows. */
	int (*prompt)(void *ctx, struct leg_handle *leg, const struct prompt_req *p,
		      struct errmsg *why);
	/* How loud the room is to it, -30 to 20 dB. -EINVAL (bad_message). */
	int (*hear)(void *ctx, struct leg_handle *leg, float db, struct errmsg *why);
	/* Sends it DTMF digits (RFC 4733), one after the other; "," is a pause of a second.
	 * -ENOTSUP (not_acceptable): that was not agreed on; -EINVAL; -EUSERS (busy). */
	int (*digits)(void *ctx, struct leg_handle *leg, const char *digits, struct errmsg *why);
	/* One that came by signaling (SIP INFO): LEG_EVENT_DIGIT follows, unless it is one
	 * that came in the media as well. */
	void (*digit_in)(void *ctx, struct leg_handle *leg, char digit);

	/* What it gets to see shall have a key frame soon: for peers that ask for it by
	 * signaling (RFC 5168). NULL: nobody does. */
	void (*key_frame)(void *ctx, struct leg_handle *leg);
};

#endif
