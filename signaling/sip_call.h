/* Calls: each is one INVITE dialog and at most one leg in the parlour and one in a room.
 * The stack hands over INVITEs that belong to no dialog; the call owns its handle from
 * then on (sip_handle_own) and gets every further event of it. CTL. */
#ifndef MCU_SIGNALING_SIP_CALL_H
#define MCU_SIGNALING_SIP_CALL_H

#include "signaling/sip_stack.h"

struct sip_calls;

/* api: borrowed. 0 or -ENOMEM. */
int sip_calls_new(struct sip_calls **out, struct sip *sip, const struct room_api *api, void *ctx)
	ON_THREAD(ROLE_CTL);
/* An INVITE (nua_i_invite) outside of a dialog, which has passed the checks of the stack.
 * It must be answered now or later; who does not take the handle destroys it. */
void sip_call_incoming(struct sip_calls *c, const struct sip_event *ev) ON_THREAD(ROLE_CTL);
/* Every call ends: BYE, CANCEL or 503. */
void sip_calls_shutdown(struct sip_calls *c) ON_THREAD(ROLE_CTL);
/* No dialog is left. */
bool sip_calls_idle(const struct sip_calls *c) ON_THREAD(ROLE_CTL);
/* Legs leave; no handle is touched any more: the stack is gone. */
void sip_calls_free(struct sip_calls **c) ON_THREAD(ROLE_CTL);

#endif
