/* Keeps what SIP knows in step with the registry: users' passwords for telephones, where
 * these are, trunks. CTL. */
#ifndef MCU_SIP_REGISTRY_H
#define MCU_SIP_REGISTRY_H

#include "mcu/base/err.h"
#include "mcu/base/role.h"
#include "signaling/rtsp.h"
#include "signaling/sip.h"

struct db;

/* What goes into sip_cfg.store. db: borrowed. */
struct sip_store sip_registry_store(struct db *db);
/* Everything that was kept, into a SIP that has just begun. Blocks: at the start. */
int sip_registry_load(struct db *db, struct sip *sip, struct errmsg *why) ON_THREAD(ROLE_CTL);

/* The passwords alone, for RTSP, whose realm is the same. */
int sip_registry_load_rtsp(struct db *db, struct rtsp *rtsp, struct errmsg *why) ON_THREAD(ROLE_CTL);

#endif
