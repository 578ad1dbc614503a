/* What the parts of the calls share. A call knows no nua: what it says to the other side
 * goes through struct sip_dialog_ops, what it hears comes by the functions below, so
 * that a test plays the whole dialog by table. CTL. */
#ifndef MCU_SIGNALING_SIP_CALL_PRIV_H
#define MCU_SIGNALING_SIP_CALL_PRIV_H

#include <glib.h>

#include "mcu/base/clock.h"
#include "mcu/base/role.h"
#include "signaling/leg_api.h"
#include "signaling/sip_cdr.h"
#include "signaling/sip_dial.h"
#include "signaling/sip_media.h"
#include "signaling/sip_target.h"

struct ivr_cfg;
struct rtp_ports;
struct sip_call;
struct sip_dial_group;
struct sip_referral;

enum {
	SIP_MAX_TARGETS = 8, /* phones that ring at once */
	SIP_MAX_REDIRECTS = 5,
	SIP_RING_S = 60, /* a call out that nobody answers ends after this */
	SIP_CANCEL_S = 40, /* for the end of what was cancelled or hung up (RFC 3261 B + F) */
	SIP_GATHER_MS = 2000, /* our candidates of ICE; an answer has those that are there then */
	SIP_CANDIDATES = 32,
	SIP_ASK_MS = 1000, /* between two INFOs that ask for a key frame */
	SIP_OPEN_CALLS = 400, /* that came and have no ACK; of users and trunks as many again */
	SIP_OPEN_CALLS_SOURCE = 50, /* of one address that is neither */
	SIP_KEPT_SHARE = 10, /* the tenth part of all calls is kept for calls out */
	SIP_DIALS_PER_ROOM = 20, /* that ring at the same time */
	SIP_NAME_BYTES = PROTOCOL_MAX_NAME * 4 + 1
};

/* --- the dialog -------------------------------------------------------------------- */

/* Answers a request. Strings NULL: none. */
struct sip_reply {
	int status;
	const char *phrase; /* NULL: the usual one */
	const char *sdp;
	const char *warning; /* text of a Warning header of 399, or 304 with 488 */
	const char *reason;
	int retry_after_s;
};

/* Each is done at once or queued; nothing calls back from inside. */
struct sip_dialog_ops {
	/* To the INVITE (first or again) or UPDATE that is being told of. */
	void (*respond)(void *dialog, const struct sip_reply *r);
	/* Ours: the first or a later one. sdp NULL: the other side offers. */
	void (*invite)(void *dialog, const char *sdp);
	void (*ack)(void *dialog, const char *sdp);
	void (*cancel)(void *dialog, const char *reason);
	void (*bye)(void *dialog, const char *reason);
	void (*info)(void *dialog, const char *type, const char *body);
	/* To the REFER that was told of last; after a 202 there are NOTIFYs. */
	void (*refer)(void *dialog, int status);
	void (*notify)(void *dialog, int status, const char *phrase, bool last);
	/* Another INVITE, for one that was refused, to somewhere else or (uri NULL) again
	 * there: a new dialog. */
	void (*redirect)(void *dialog, const char *uri, const char *sdp);
	/* The call is over and calls this last; it may be gone when this returns. */
	void (*done)(void *dialog);
};

/* --- all calls ------------------------------------------------------------------------ */

struct sip_calls_side {
	const struct room_api *api;
	void *api_ctx;
	const struct clock *clock;
	const struct sip_cdr_sink *cdr; /* NULL: no records */
	const struct ivr_cfg *ivr; /* NULL: English, and no menu in rooms */
	size_t max_calls;
	void *obj; /* of these: */
	/* The sockets of a call on a local address; NULL functions: there are none. */
	int (*ports_new)(void *obj, const char *local, struct rtp_ports **out, struct errmsg *why);
	void (*ports_free)(void *obj, struct rtp_ports **ports);
	/* Nothing is sent from them until then. */
	void (*ports_withhold)(void *obj, struct rtp_ports *ports, bool withhold);
	/* Where an address to dial leads: how many targets; -errno with *why. */
	int (*route)(void *obj, const char *to, const char *trunk, struct sip_target *out,
		     size_t max, struct errmsg *why);
	/* As in struct sip_cfg. */
	void (*refer)(void *obj, const struct sip_refer_wish *wish);
	bool (*may_call)(void *obj, const char *uri);
	/* The dialog of a new call out; NULL: stopping, or no memory. local: our address on
	 * the way there, from sip_target. */
	void *(*dialog_new)(void *obj, struct sip_call *c, const struct sip_target *t,
			    const char *display);
};

struct sip_call_set {
	struct sip_calls_side side;
	const struct sip_dialog_ops *ops;
	GPtrArray *calls;  /* struct sip_call, until done */
	GPtrArray *groups; /* struct sip_dial_group */
	bool stopping;
	int64_t due_ns;	 /* nothing of any call is due before; INT64_MAX: nothing at all */
	int64_t last_id; /* of groups without records */
};

int sip_call_set_new(struct sip_call_set **out, const struct sip_calls_side *side,
		     const struct sip_dialog_ops *ops) ON_THREAD(ROLE_CTL);
void sip_call_set_shutdown(struct sip_call_set *s) ON_THREAD(ROLE_CTL);
/* Forgets what is left, without a word to any dialog. */
void sip_call_set_free(struct sip_call_set **s) ON_THREAD(ROLE_CTL);
/* A few times a second: what is due. */
void sip_call_set_tick(struct sip_call_set *s) ON_THREAD(ROLE_CTL);

/* --- one call ------------------------------------------------------------------------- */

enum call_state {
	CALL_ARRIVING = 1, /* its INVITE has no final answer */
	CALL_ANSWERED,	   /* 200 was sent, ACK has not come */
	CALL_STARTING,	   /* ours: the INVITE is not sent yet */
	CALL_DIALING,	   /* ours has no final answer */
	CALL_UP,
	CALL_ENDING, /* BYE, CANCEL or a refusal was sent: the dialog's end is waited for */
	CALL_OVER
};

/* Why a call is in the parlour. */
enum call_guide_why { CALL_GUIDE_BRIDGE, CALL_GUIDE_PIN, CALL_GUIDE_LOBBY };

/* One of the legs of a call; obj of its leg_events. */
struct call_leg {
	struct sip_call *call;
	bool used;
	unsigned turn; /* whose use of it this is */
	struct leg_handle *h; /* NULL: none, or join() has not returned */
	bool parlour;
	bool welcomed, waiting; /* waiting: in the lobby */
	GPtrArray *candidates; /* of ours, as text; NULL: none */
	bool gathered;	       /* all are there */
	uint32_t id;
	char room[257]; /* that it asked for, then that it is in */
	/* when it came in: */
	unsigned others;
	bool muted, recorded, paused; /* paused: what is recorded */
};

struct sip_call {
	struct sip_call_set *set;
	void *dialog;
	enum call_state state;
	unsigned holds;
	bool out, tls;
	char peer[64];	 /* address of the other side's signaling */
	char room[257];	 /* that it is in, or called; "": not known yet */
	char name[SIP_NAME_BYTES]; /* of the participant */
	char pin[PROTOCOL_MAX_PIN + 1];
	bool called; /* by the room itself, until it is in it: no PIN, no lobby */
	char user[257]; /* who has shown his password; "": nobody, as in every call out */
	struct rtp_ports *ports;
	struct sip_media *media;
	struct call_leg leg[2];
	unsigned turns;
	struct call_leg *active;  /* whose media it is: in the parlour or in a room */
	struct call_leg *joining; /* on its way into a room, or in its lobby */
	char *offer; /* of the first INVITE, until it is answered; "": it had none */
	bool late;   /* our offer went in a 200: its answer comes in ACK */
	bool reinviting; /* ours is under way */
	bool reoffer;	 /* one is wanted as soon as possible */
	bool acked;	 /* its first INVITE's exchange is complete */
	int64_t asked_ns; /* when a key frame was asked for by INFO */
	int64_t gather_ns; /* an answer or offer of ours waits for candidates until then; 0: none */
	bool restarting; /* the peer's ICE, in the offer that is read */
	bool updating; /* it answers UPDATE, which cannot wait */
	int64_t retry_ns; /* when to try a re-INVITE again; 0: nothing waits */
	int64_t dead_ns;  /* when an end that does not come is given up; 0: none */
	struct sip_cdr cdr; /* of calls that came; otherwise the group's */
	bool recorded, end_told;
	struct sip_dial_group *group; /* NULL: it came */
	bool ringing, early;
	unsigned redirects;
	bool srtp, plain; /* SRTP is offered; and nothing better, when that was refused */
	/* a transfer that it asked for */
	struct {
		bool on;
		bool move; /* of this call to another room */
		bool asking; /* it has no answer yet */
		struct sip_referral *r; /* of whom it wants to have called; NULL: none */
	} refer;
	enum call_guide_why guide_why;
	void *guide; /* what talks to the caller; NULL: nothing does */
};

/* What a call begins with; borrowed. */
struct sip_call_start {
	void *dialog;
	const char *peer, *local; /* addresses: theirs, ours */
	bool tls;
	const char *room; /* "": to the IVR */
	const char *name, *uri, *number;
	const char *user, *trunk; /* NULL: none */
	const char *sdp; /* not terminated; NULL: a late offer */
	size_t sdp_len;
	bool reliable; /* 100rel is required: it is told that we are at work */
};

/* A call that came. 0: it answers and goes on by itself; *at, the dialog's pointer to it,
 * is set before it says anything. -errno: there is none, and *r is to be answered. */
int sip_call_take(struct sip_call_set *s, const struct sip_call_start *start,
		  struct sip_call **at, struct sip_reply *r, struct errmsg *why)
	ON_THREAD(ROLE_CTL);

/* What the dialog says. Each may end the call. */
void sip_call_reinvite(struct sip_call *c, const char *sdp, size_t len) ON_THREAD(ROLE_CTL);
void sip_call_update(struct sip_call *c, const char *sdp, size_t len) ON_THREAD(ROLE_CTL);
void sip_call_acked(struct sip_call *c, const char *sdp, size_t len) ON_THREAD(ROLE_CTL);
void sip_call_cancelled(struct sip_call *c, const char *reason) ON_THREAD(ROLE_CTL);
void sip_call_bye(struct sip_call *c, const char *reason) ON_THREAD(ROLE_CTL);
void sip_call_take_info(struct sip_call *c, const char *type, const char *body, size_t len)
	ON_THREAD(ROLE_CTL);
/* An answer to our INVITE; contact: of a 3xx, NULL without. */
struct sip_answer {
	int status;
	const char *phrase, *sdp, *contact;
	size_t sdp_len;
};
void sip_call_answer(struct sip_call *c, const struct sip_answer *a) ON_THREAD(ROLE_CTL);
/* The dialog is no more; end: why, when the call has not said so itself. */
void sip_call_over(struct sip_call *c, enum sip_end end, const char *reason) ON_THREAD(ROLE_CTL);
/* A REFER. room: it leads to this room of ours; NULL: to elsewhere. */
void sip_call_refer(struct sip_call *c, const char *to, const char *room) ON_THREAD(ROLE_CTL);

/* --- sip_call_core.c ------------------------------------------------------------------ */

struct sip_call *call_new(struct sip_call_set *s);
/* Calls of the other side may end a call: it stays until the last hold is released. */
void call_hold(struct sip_call *c) ON_THREAD(ROLE_CTL);
void call_release(struct sip_call *c) ON_THREAD(ROLE_CTL);
static inline bool call_alive(const struct sip_call *c)
{
	return c->state < CALL_ENDING;
}
/* Ends it by whatever is right now: a refusal with `status`, CANCEL, BYE. */
void call_end(struct sip_call *c, enum sip_end end, int status, const char *text)
	ON_THREAD(ROLE_CTL);
/* Answers the first INVITE with 200, by the active leg. */
void call_answer(struct sip_call *c) ON_THREAD(ROLE_CTL);
/* The candidates that an answer waited for are there, or enough was waited. */
void call_gathered(struct sip_call *c) ON_THREAD(ROLE_CTL);
/* Its leg is another, and so are its credentials and candidates of ICE: those are offered. */
void call_renew(struct sip_call *c) ON_THREAD(ROLE_CTL);
void call_refuse(struct sip_call *c, int err, const struct errmsg *why) ON_THREAD(ROLE_CTL);
int call_status(int err, const struct errmsg *why);
/* Sends a re-INVITE with our offer when one is wanted and nothing else is under way. */
void call_try_reoffer(struct sip_call *c) ON_THREAD(ROLE_CTL);
/* Its legs, ports and what guides it go. */
void call_let_go(struct sip_call *c, enum leave_reason reason) ON_THREAD(ROLE_CTL);
/* It is over, and so is its dialog. */
void call_finish(struct sip_call *c) ON_THREAD(ROLE_CTL);

/* --- sip_call_set.c ------------------------------------------------------------------------ */

int64_t call_now_ns(const struct sip_call_set *s);
/* *due_ns, of the call, is in_ns from now. */
void call_due_in(const struct sip_call *c, int64_t *due_ns, int64_t in_ns);

/* --- sip_call_limits.c --------------------------------------------------------------------- */

/* Whether one more may come. 0, or -errno with *why. */
int call_limits_in(const struct sip_call_set *s, const struct sip_call_start *start,
		   struct errmsg *why);

/* Whether two URIs lead to the same host, port and transport, as they are written; who is
 * asked for there may differ. */
bool sip_same_place(const char *a, const char *b);

/* --- sip_call_record.c --------------------------------------------------------------------- */

struct sip_cdr *call_record(struct sip_call *c);
void call_record_begin(struct sip_call *c, const struct sip_call_start *start)
	ON_THREAD(ROLE_CTL);
void call_record_answered(struct sip_call *c) ON_THREAD(ROLE_CTL);
/* media statistics and end are in; tells who keeps records. */
void call_record_end(struct sip_call *c, enum sip_end end, const char *reason)
	ON_THREAD(ROLE_CTL);

/* --- sip_call_leg.c ------------------------------------------------------------------------ */

extern const struct sip_media_side call_media_side;
/* Begins to enter a room; what follows is told by the leg. The call leaves where it is
 * (the parlour, another room) once it is in. 0, or refused at once. */
int call_enter_room(struct sip_call *c, const char *room, struct errmsg *why)
	ON_THREAD(ROLE_CTL);
int call_enter_parlour(struct sip_call *c, struct errmsg *why) ON_THREAD(ROLE_CTL);
/* It is not let into a room that it asked for. */
void call_turned_away(struct sip_call *c, int err, const struct errmsg *why)
	ON_THREAD(ROLE_CTL);
void call_leave_legs(struct sip_call *c, enum leave_reason reason) ON_THREAD(ROLE_CTL);

/* --- sip_call_out.c ------------------------------------------------------------------------- */

int call_dial(struct sip_call_set *s, const struct sip_dial_req *req, sip_dial_cb *cb, void *obj,
	      int64_t *id, struct errmsg *why) ON_THREAD(ROLE_CTL);
int call_hangup(struct sip_call_set *s, int64_t id) ON_THREAD(ROLE_CTL);
/* The parlour's leg is there: the INVITE goes out. */
void call_out_ready(struct sip_call *c) ON_THREAD(ROLE_CTL);
/* It is in the room. */
void call_out_joined(struct sip_call *c, uint32_t leg) ON_THREAD(ROLE_CTL);
/* It ended: the group hears of it. */
void call_out_ended(struct sip_call *c, enum sip_end end, int status, const char *text)
	ON_THREAD(ROLE_CTL);
void call_groups_tick(struct sip_call_set *s) ON_THREAD(ROLE_CTL);
void call_groups_free(struct sip_call_set *s) ON_THREAD(ROLE_CTL);

/* --- sip_call_guide.c: the IVR and the menu ---------------------------------------------------
 *
 * A call that has no room yet, whose room wants a PIN (c->guide_why), or which waits in a
 * lobby is answered and is in the parlour then; a call in a room has the menu. Rooms are
 * entered by call_enter_room(), with c->pin as it was typed in; the end is call_end(). */

/* Its leg in the parlour has its media: begin to talk. Also of calls out: nothing. */
void call_guide_start(struct sip_call *c) ON_THREAD(ROLE_CTL);
/* What the leg that has its media is told: digits, ends of announcements, the room. */
void call_guide_event(struct sip_call *c, const struct leg_event *ev) ON_THREAD(ROLE_CTL);
/* A room that it wanted from the parlour did not let it in. False: the call ends. */
bool call_guide_refused(struct sip_call *c, const struct errmsg *why) ON_THREAD(ROLE_CTL);
/* A few times a second: what is due. */
void call_guide_tick(struct sip_call *c) ON_THREAD(ROLE_CTL);
int64_t call_guide_due_ns(const struct sip_call *c) ON_THREAD(ROLE_CTL); /* 0: nothing is */
/* It is in c->room now. */
void call_guide_entered(struct sip_call *c) ON_THREAD(ROLE_CTL);
/* Its leg in a room has ended. True: it is told why, and then the call ends. */
bool call_guide_farewell(struct sip_call *c, enum leave_reason reason) ON_THREAD(ROLE_CTL);
/* Nothing is to be said any more: the call ends. More than once. */
void call_guide_stop(struct sip_call *c) ON_THREAD(ROLE_CTL);

/* --- sip_call_refer.c ------------------------------------------------------------------------ */

/* The call that asked for a move is in its new room, or (status >= 300) is not. */
void call_refer_moved(struct sip_call *c, int status) ON_THREAD(ROLE_CTL);
void call_refer_forget(struct sip_call *c) ON_THREAD(ROLE_CTL);
/* What a REFER is answered with, by what came of the wish. */
int call_refer_status(int err);

#endif
