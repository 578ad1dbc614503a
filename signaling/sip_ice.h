/* Our candidates in the descriptions of a SIP call (RFC 8839, 5.1): they are all there at once,
 * for nothing trickles, and the address that is said without ICE is one of them. Pure. Any
 * thread. */
#ifndef MCU_SIGNALING_SIP_ICE_H
#define MCU_SIGNALING_SIP_ICE_H

#include "signaling/negotiate.h"

/* Whether its media goes over ICE. NULL: no. */
bool sip_ice_of(const struct neg_plan *plan);
/* Adds the policy's candidates to our answer that has none yet, and their address. 0 or
 * -ENOMEM. */
int sip_ice_answer(struct sdp *answer, const struct neg_plan *plan, const struct neg_policy *p);
/* Of a description that has its candidates: the address alone. 0 or -ENOMEM. */
int sip_ice_address(struct sdp *s, const struct neg_policy *p);

#endif
