/* From what signaling negotiated to what a leg's media side needs: the one place
 * that knows both. Pure. Any thread. */
#ifndef MCU_MEDIA_PLAN_H
#define MCU_MEDIA_PLAN_H

#include "mcu/base/err.h"
#include "mcu/room/leg.h"
#include "signaling/negotiate.h"

/* 0, or -ENOTSUP with *why: the plan lacks ICE or DTLS. */
int media_plan_convert(struct leg_media *out, const struct neg_plan *plan,
		       const struct leg_local *local, struct errmsg *why);

#endif
