/* What the parts of whip.c share. CTL.
 *   whip.c          routes, the table of sessions
 *   whip_session.c  one session: its leg, negotiation, gathering
 *   whip_reply.c    replies with their headers */
#ifndef MCU_SIGNALING_WHIP_INTERNAL_H
#define MCU_SIGNALING_WHIP_INTERNAL_H

#include <glib.h>

#include "signaling/whip.h"
#include "signaling/whip_request.h"
#include "signaling/whip_sdpfrag.h"

enum { WHIP_ID_CHARS = 32, WHIP_ETAG_CHARS = 18 };

struct whip {
	const struct room_api *api;
	void *api_ctx;
	struct whip_cfg cfg;
	GHashTable *sessions; /* id → struct whip_session, of those that are alive */
	bool stopping;
};

struct whip_session {
	struct whip *whip;
	bool viewer;
	bool had_token;
	char id[WHIP_ID_CHARS + 1];
	char etag[WHIP_ETAG_CHARS + 1]; /* with its quotes */
	char what[80];			/* for the log: "WHIP of 192.0.2.7" */
	struct leg_handle *leg;		/* NULL: not yet, or ended */
	struct http_req *req;		/* the POST or the PATCH of a restart that waits */
	struct sdp *offer;		/* the client's, as it is now */
	struct sdp *answer;		/* the one that waits for our candidates */
	struct neg_plan *plan;
	uint64_t version;
	GPtrArray *candidates; /* ours, since the last negotiation began */
	bool gathered;	       /* these are all */
	guint timer;
	char *link;	    /* Link: our STUN and TURN servers; NULL: none */
	bool welcomed, over; /* over: out of the table, waits for the last hold */
	unsigned holds;
};

/* whip_session.c. Each may end the session. */

/* Takes the request and the offer; the answer comes now or later. */
void whip_session_begin(struct whip *w, struct http_req *req, const struct join_req *join,
			struct sdp *offer, bool viewer) ON_THREAD(ROLE_CTL);
/* New credentials of the client; takes the request. */
void whip_session_restart(struct whip_session *s, struct http_req *req, const struct sdpfrag *f)
	ON_THREAD(ROLE_CTL);
void whip_session_trickle(struct whip_session *s, const struct sdpfrag *f) ON_THREAD(ROLE_CTL);
bool whip_session_restarts(const struct whip_session *s, const struct sdpfrag *f);
void whip_session_end(struct whip_session *s, enum leave_reason reason, const struct errmsg *why)
	ON_THREAD(ROLE_CTL);

/* whip_reply.c. Each ends the request. */
void whip_reply_refusal(struct http_req *req, int status, const struct errmsg *why)
	ON_THREAD(ROLE_CTL);
void whip_reply_nothing(struct http_req *req, int status) ON_THREAD(ROLE_CTL);
void whip_reply_options(struct http_req *req, bool session) ON_THREAD(ROLE_CTL);
/* 201 with the answer. */
void whip_reply_created(struct whip_session *s, const char *sdp) ON_THREAD(ROLE_CTL);
/* 200 with our new credentials. */
void whip_reply_restarted(struct whip_session *s, const char *frag) ON_THREAD(ROLE_CTL);
/* Of the STUN and TURN servers; NULL: none. To be freed. */
char *whip_link(const struct welcome_info *w);

#endif
