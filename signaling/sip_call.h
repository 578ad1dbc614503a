/* The calls of the SIP front end: each struct sip_call is one INVITE dialog and goes
 * through struct room_api like every front end, with at most one leg in the IVR's
 * parlour and one in a room at a time. The stack (signaling/sip.h) owns nua, decides who
 * may call, and hands over
 *   - an INVITE outside a dialog that it lets in: sip_calls_invite();
 *   - every later event of a handle to the handle's owner (sip_event.h).
 * Calls out are made through sip_calls_dialler (sip_dial.h); each call leaves a record
 * (sip_cdr.h).
 *
 *   sip_call.c        life of a call, what comes in
 *   sip_call_leg.c    its legs in the rooms
 *   sip_call_out.c    calls out, several phones at once
 *   sip_call_refer.c  transfers
 *   sip_call_info.c   INFO
 *   sip_call_nua.c    binding to nua
 *   sip_media.c       offer and answer
 *
 * nua's parameters that calls rely on, set by the stack: NUTAG_MEDIA_ENABLE(0),
 * NUTAG_AUTOACK(0), NUTAG_AUTOANSWER(0), NUTAG_AUTOALERT(0), NUTAG_AUTO302(0),
 * NUTAG_APPL_METHOD("INFO, REFER, UPDATE, NOTIFY"),
 * NUTAG_ALLOW("INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK, REFER, NOTIFY"),
 * SIPTAG_SUPPORTED_STR("timer, 100rel, replaces"), NUTAG_SESSION_TIMER(1800),
 * NUTAG_MIN_SE(90), NUTAG_SESSION_REFRESHER(nua_no_refresher). CTL. */
#ifndef MCU_SIGNALING_SIP_CALL_H
#define MCU_SIGNALING_SIP_CALL_H

#include "mcu/base/err.h"
#include "mcu/base/role.h"
#include "signaling/leg_api.h"
#include "signaling/sip_event.h"

struct rtp_ports;
struct sip_calls;
struct sip_cdr_sink;
struct sip_dial_event;
struct sip_dial_req;

enum {
	SIP_MAX_TARGETS = 8, /* phones that ring at once */
	SIP_MAX_REDIRECTS = 5,
	SIP_RING_S = 60, /* a call out that nobody answers ends after this */
	SIP_DIALS_PER_ROOM = 20 /* that ring at the same time */
};

/* One place to send an INVITE to. */
struct sip_target {
	char uri[300];	 /* Request-URI and To */
	char route[300]; /* "<sip:proxy;lr>"; "": by the URI */
	char from[300];	 /* "sip:user@domain"; "": the server's own */
	char user[65], password[129]; /* for 401 and 407; "": none */
	char trunk[65];	 /* for the record; "": none */
	bool tls;	 /* SRTP is offered */
};

struct sip_calls_cfg {
	const struct room_api *api;
	void *api_ctx;
	nua_t *nua;
	const struct sip_cdr_sink *cdr; /* NULL: no records */
	const char *bridge; /* the user part that reaches the IVR, "bridge" */
	const char *domain; /* of our From and Contact URIs */
	const char *address; /* that peers see us at, for SDP; "": that of the interface */
	size_t max_calls; /* more are answered 503 */
	void *obj; /* of these functions: */
	/* The sockets of one call on this local address, released by ports_free. */
	int (*ports_new)(void *obj, const char *local, struct rtp_ports **out, struct errmsg *why);
	void (*ports_free)(void *obj, struct rtp_ports **ports);
	/* Where `to` (see sip_dial_req) leads; trunk: NULL or its name. The number of
	 * targets, all called at once; -errno with *why: dial_invalid, dial_no_trunk. */
	int (*route)(void *obj, const char *to, const char *trunk, struct sip_target *out,
		     size_t max, struct errmsg *why);
};

/* cfg: copied; what it points to is borrowed for the life. */
int sip_calls_new(struct sip_calls **out, const struct sip_calls_cfg *cfg) ON_THREAD(ROLE_CTL);
/* Ends every call (BYE, CANCEL or 503); none begins any more. */
void sip_calls_shutdown(struct sip_calls *c) ON_THREAD(ROLE_CTL);
size_t sip_calls_count(const struct sip_calls *c) ON_THREAD(ROLE_CTL);
/* Every call that is left is forgotten without a word. Before nua_destroy. */
void sip_calls_free(struct sip_calls **c) ON_THREAD(ROLE_CTL);

/* An INVITE that is let in. */
struct sip_invite {
	const struct sip_event *ev; /* nua_i_invite of a handle that is nobody's */
	const char *peer; /* address that it came from, without port */
	bool tls;
	const char *user;  /* who it has proved to be: a registered user; NULL: nobody */
	const char *trunk; /* that it came by; NULL: none */
	const char *room;  /* where it leads (a trunk's DID); NULL: as the Request-URI says */
};
/* Answers it, now or later, and owns the handle from now on. */
void sip_calls_invite(struct sip_calls *c, const struct sip_invite *in) ON_THREAD(ROLE_CTL);

/* A REFER outside of every dialog that the stack has authenticated: who it names is
 * called into the room of the Request-URI, or refused. Owns the handle. */
void sip_calls_refer(struct sip_calls *c, const struct sip_invite *in) ON_THREAD(ROLE_CTL);

/* Of sip_dial.h; its ctx is the struct sip_calls. */
int sip_calls_dial(void *ctx, const struct sip_dial_req *req,
		   void (*cb)(void *obj, const struct sip_dial_event *ev), void *obj, int64_t *id,
		   struct errmsg *why);
int sip_calls_hangup(void *ctx, int64_t id);

#endif
