/* What the RTSP server (signaling/rtsp.h) needs of the rest: connections' writing halves
 * and ports on the network shards, users, recordings. CTL. */
#ifndef MCU_RTSP_HOST_H
#define MCU_RTSP_HOST_H

#include "mcu/config.h"
#include "signaling/rtsp.h"

struct accounts;
struct conference;
struct db;
struct engine;
struct volume;

/* The ctx of rtsp_host; everything is borrowed. */
struct rtsp_gate {
	const struct engine *engine;
	const struct config *config;
	struct db *db;
	struct volume *volume;
	struct conference *conference;
	struct accounts *accounts;
	const char *link_key; /* of links to recordings; may change */
	unsigned next_shard;
	size_t movies; /* that are open, or not gone yet */
};

extern const struct rtsp_host rtsp_host;

#endif
