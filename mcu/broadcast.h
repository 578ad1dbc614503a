/* A room's live stream over HTTP (signaling/hls.h): takes what its viewers get, cuts it
 * and hands it to those who ask. It has no encoder of its own. CTL, but for what the
 * sink's functions say. */
#ifndef MCU_BROADCAST_H
#define MCU_BROADCAST_H

#include "mcu/base/err.h"
#include "mcu/base/role.h"
#include "mcu/config.h"
#include "mcu/room/room.h"
#include "signaling/hls.h"

struct broadcast;

/* What all use; everything is borrowed. */
struct broadcast_env {
	const struct engine *engine;
	const struct config *config;
	size_t running; /* not yet gone */
};

/* Nobody has asked for it for a while: stop it, from inside or later. */
typedef void broadcast_idle(void *obj);

/* 0 or -errno with *why. env: borrowed for its life. */
int broadcast_start(struct broadcast **out, struct broadcast_env *env, struct room *room,
		    broadcast_idle *idle, void *obj, struct errmsg *why) ON_THREAD(ROLE_CTL);
/* Whoever waits is answered; idle is not called any more. Before room_close. */
void broadcast_stop(struct broadcast **b) ON_THREAD(ROLE_CTL);

struct hls *broadcast_hls(struct broadcast *b) ON_THREAD(ROLE_CTL);

#endif
