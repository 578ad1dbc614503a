/* Calls that the server makes: what whoever asks for one (REST, a host's `dial`
 * message) and the SIP front end know of each other. CTL.
 *
 * Whether somebody may call this destination is decided before by mcu/dial.c, also of
 * what comes by REFER; the front end chooses the way (a registered user, the URI's host, a trunk) and has the
 * call join the room with join_req.called. */
#ifndef MCU_SIGNALING_SIP_DIAL_H
#define MCU_SIGNALING_SIP_DIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "mcu/base/err.h"

enum sip_dial_state {
	SIP_DIAL_CALLING = 1,
	SIP_DIAL_RINGING,
	SIP_DIAL_EARLY, /* early media */
	SIP_DIAL_ANSWERED,
	/* the call is over: */
	SIP_DIAL_BUSY,
	SIP_DIAL_NO_ANSWER,
	SIP_DIAL_FAILED,
	SIP_DIAL_ENDED /* after an answer, or by hangup() */
};

/* "calling", "ringing", "early", "answered", "busy", "no_answer", "failed", "ended". */
const char *sip_dial_state_name(enum sip_dial_state s);

static inline bool sip_dial_is_over(enum sip_dial_state s)
{
	return s >= SIP_DIAL_BUSY;
}

/* Borrowed for the call of dial(). */
struct sip_dial_req {
	const char *room;
	const char *to;	    /* "sip:…", "sips:…", "user@host", or a number "+49…", "0…" */
	const char *name;   /* of the participant; NULL: what the number is shown as */
	const char *trunk;  /* NULL: the one that the number belongs to */
	const char *digits; /* sent when answered: 0-9 * # A-D, ',' waits 1 s; NULL */
	const char *by;	    /* who asks, for From's display name and the record; "" */
};

struct sip_dial_event {
	int64_t id;
	enum sip_dial_state state;
	int status;	  /* of the last SIP answer; 0: none */
	const char *text; /* a sentence for people; "" where the state says all */
	uint32_t leg;	  /* its leg in the room; 0: none (yet) */
};

/* Each change; none follows a state that is over, and the call's id is forgotten then.
 * Never from inside dial(); may be from inside hangup(). */
typedef void sip_dial_cb(void *obj, const struct sip_dial_event *ev);

/* A telephone wishes (REFER) that somebody be called. Borrowed; whoever takes the wish
 * copies it. */
struct sip_refer_wish {
	const char *user; /* who has shown his password */
	const char *room, *to;
	bool inside; /* he is in that room, by a call */
	/* err 0: it is being made, and progress() follows until it is over; otherwise -errno
	 * with *why, and nothing follows. Once; may be called from inside. */
	void (*done)(void *obj, int err, const struct errmsg *why);
	sip_dial_cb *progress;
	void *obj;
};

/* The front end's side. ctx goes with every function. */
struct sip_dialler {
	void *ctx;
	/* 0 with *id: the one of the call's record (sip_cdr.h), CALLING now. -errno with
	 * *why (its code and sentence are told to who asks): dial_invalid (it is no
	 * address), dial_no_trunk (no trunk for it), too_many_calls, shutting_down. obj
	 * must live until the call is over. */
	int (*dial)(void *ctx, const struct sip_dial_req *req, sip_dial_cb *cb, void *obj,
		    int64_t *id, struct errmsg *why);
	/* CANCEL or BYE, whichever is right now. -ENOENT: there is no such call. */
	int (*hangup)(void *ctx, int64_t id);
};

#endif
