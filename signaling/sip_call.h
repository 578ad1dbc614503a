/* Calls: each is one INVITE dialog and at most one leg in the parlour and one in a room.
 * The stack hands over INVITEs that belong to no dialog; the call owns its handle from
 * then on (sip_handle_own) and gets every further event of it. CTL. */
#ifndef MCU_SIGNALING_SIP_CALL_H
#define MCU_SIGNALING_SIP_CALL_H

#include "signaling/sip_route.h"
#include "signaling/sip_stack.h"
#include "signaling/sip_target.h"

struct sip_calls;

/* An INVITE that may come in: for whom, and from whom. */
struct sip_arrival {
	enum sip_want want; /* SIP_WANT_ROOM or SIP_WANT_BRIDGE */
	char room[SIP_ROOM_MAX + 1];
	struct sip_source from;
	char user[257];	 /* who has shown his password; "": a guest or a trunk */
	char trunk[65];	 /* by which it came; "": none */
	/* Where requests within the dialog are sent, for NUTAG_PROXY: a phone behind NAT is
	 * reached where it spoke from, whatever its Contact says; "": by its Contact. */
	char route[128];
};

/* api: borrowed. 0 or -ENOMEM. */
int sip_calls_new(struct sip_calls **out, struct sip *sip, const struct room_api *api, void *ctx)
	ON_THREAD(ROLE_CTL);
/* An INVITE (nua_i_invite) outside of a dialog, which has passed the checks of the stack.
 * It must be answered now or later; who does not take the handle destroys it. */
void sip_call_incoming(struct sip_calls *c, const struct sip_event *ev,
		       const struct sip_arrival *in) ON_THREAD(ROLE_CTL);
/* A REFER (nua_i_refer) outside of a dialog to one of our rooms: who it names is called
 * in. Only who has shown his password may (in->user). Answered here. */
void sip_call_referred(struct sip_calls *c, const struct sip_event *ev,
		       const struct sip_arrival *in) ON_THREAD(ROLE_CTL);
/* How calls out are made; the ctx is c. */
void sip_calls_dialler(struct sip_calls *c, struct sip_dialler *out) ON_THREAD(ROLE_CTL);
/* Every call ends: BYE, CANCEL or 503. */
void sip_calls_shutdown(struct sip_calls *c) ON_THREAD(ROLE_CTL);
/* No dialog is left. */
bool sip_calls_idle(const struct sip_calls *c) ON_THREAD(ROLE_CTL);
/* Legs leave; no handle is touched any more: the stack is gone. */
void sip_calls_free(struct sip_calls **c) ON_THREAD(ROLE_CTL);


/* --- for the calls, by the stack (sip_dialplan.c) --------------------------------------- */

/* Where an address to dial leads: "sip:…", "user@host", a number, or the name of a user,
 * whose phones are all of the targets. trunk: its name, NULL: the one for the number.
 * How many; -errno with *why: dial_invalid, dial_no_trunk, dial_not_registered. */
int sip_targets(struct sip *s, const char *to, const char *trunk, struct sip_target *out,
		size_t max, struct errmsg *why) ON_THREAD(ROLE_CTL);
/* Whether a URI (of a REFER) is one of ours: fills *room. */
enum sip_want sip_target_here(struct sip *s, const url_t *url, char room[SIP_ROOM_MAX + 1])
	ON_THREAD(ROLE_CTL);

#endif
