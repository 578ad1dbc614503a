/* The dialog of a call on nua: what struct sip_call says becomes nua's calls, nua's
 * events what it hears. Internal to sip_call*.c. CTL. */
#ifndef MCU_SIGNALING_SIP_CALL_NUA_H
#define MCU_SIGNALING_SIP_CALL_NUA_H

#include "signaling/sip_call.h"
#include "signaling/sip_call_priv.h"
#include "signaling/sip_digest.h"

enum { SIP_AUTH_TRIES = 3, SIP_DIGEST_TRIES = 2 };

struct sip_calls {
	struct sip *sip;
	void *ctx; /* of the rooms' side */
	struct sip_call_set *set;
	guint timer;
	GPtrArray *dialogs; /* struct sip_dialog */
	GPtrArray *referred; /* of REFERs outside of dialogs: who waits for what comes of them */
};

struct sip_dialog {
	struct sip_owner owner;
	struct sip_calls *calls;
	struct sip_call *call; /* NULL: over */
	nua_handle_t *nh;
	const struct sip_event *now; /* the request that is being told of */
	unsigned holds;
	/* A REFER that has no answer yet: it is answered when that is known. */
	bool refer_open, refer_kept;
	nua_saved_event_t refer[1];
	unsigned auth_tries;
	char credentials[SIP_CREDENTIALS_MAX]; /* of the INVITE that ACK is for; "": nua has them */
	bool by_proxy; /* who wants them */
	char *sdp; /* of our last INVITE */
	bool established; /* nua knows a dialog: the next INVITE is a re-INVITE */
	bool bye_sent, timed_out, no_ack, updates; /* updates: the peer takes UPDATE */
	char contact[SIP_CONTACT_MAX];
	struct sip_target to; /* of calls out */
	char from[400];
	char own_from[400]; /* without what a trunk wants of it */
};

extern const struct sip_dialog_ops sip_dialog_nua;

struct sip_dialog *sip_dialog_new(struct sip_calls *c, nua_handle_t *nh) ON_THREAD(ROLE_CTL);
void sip_dialog_free(struct sip_dialog *d) ON_THREAD(ROLE_CTL);
void sip_dialog_event(struct sip_owner *o, const struct sip_event *ev) ON_THREAD(ROLE_CTL);

/* The body when it is SDP, or the part of it that is. */
const char *sip_body_sdp(const sip_t *msg, size_t *len);
/* It has a body, and in that no SDP. */
bool sip_body_strange(const sip_t *msg);
/* Answers by these means; sip_call.c needs it before there is a call. */
void sip_reply_send(nua_handle_t *nh, nua_t *with, const char *contact, const struct sip_reply *r,
		    const char *host, bool updates) ON_THREAD(ROLE_CTL);

/* Nobody hears of what came of a REFER outside of a dialog any more. */
void sip_call_referred_shutdown(struct sip_calls *c) ON_THREAD(ROLE_CTL);

/* How a call goes that a REFER has asked for (RFC 3515 2.4.5). */
void sip_notify_send(nua_handle_t *nh, int status, const char *phrase, bool last)
	ON_THREAD(ROLE_CTL);

#endif
