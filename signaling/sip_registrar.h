/* REGISTER and the authentication of requests: joins sip_auth.h and sip_bindings.h with
 * messages. CTL. */
#ifndef MCU_SIGNALING_SIP_REGISTRAR_H
#define MCU_SIGNALING_SIP_REGISTRAR_H

#include "signaling/sip_auth.h"
#include "signaling/sip_bindings.h"
#include "signaling/sip_stack.h"

/* Whose request it is. Otherwise it is answered (401, 403) and the handle is gone. */
bool sip_registrar_authenticate(const struct sip_event *ev, const struct sip_source *from,
				char user[SIP_USER_MAX + 1]) ON_THREAD(ROLE_CTL);
void sip_registrar_request(const struct sip_event *ev) ON_THREAD(ROLE_CTL);
/* "sip:address:port;transport=…": where it spoke from. */
void sip_registrar_route(const struct sip_source *from, char out[128]);

#endif
