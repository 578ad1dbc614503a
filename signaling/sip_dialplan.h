/* Who may call in, and where it leads; where a call out leads. Joins the registrar, the
 * trunks and sip_route.h; what calls ask of it is in sip_call.h. CTL. */
#ifndef MCU_SIGNALING_SIP_DIALPLAN_H
#define MCU_SIGNALING_SIP_DIALPLAN_H

#include "signaling/sip_call.h"

/* Of an INVITE outside of a dialog. False: answered, and the handle is gone. */
bool sip_dialplan_arrival(const struct sip_event *ev, struct sip_arrival *out)
	ON_THREAD(ROLE_CTL);

/* Whether an address is one of this server's. */
bool sip_dialplan_is_here(struct sip *s, const url_t *url) ON_THREAD(ROLE_CTL);

#endif
