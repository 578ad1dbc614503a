/* From the configuration to the template that every leg's transport is made of. */
#ifndef MCU_ICE_SETUP_H
#define MCU_ICE_SETUP_H

#include "mcu/base/err.h"
#include "mcu/config.h"
#include "mcu/net/dtls.h"
#include "mcu/net/ice.h"

struct ice_setup;

/* Resolves the servers' names, so it may block: at the start only. id, c:
 * borrowed for its life. 0, -ENOMEM. */
int ice_setup_new(struct ice_setup **out, const struct config *c, const struct dtls_identity *id);
void ice_setup_free(struct ice_setup **s);
const struct ice_cfg *ice_setup_cfg(const struct ice_setup *s);

#endif
