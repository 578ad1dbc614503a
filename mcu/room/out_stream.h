/* One stream to one receiver, as the fan-out sees it: where it goes and how its
 * headers look. Lives inside the leg on its shard; NET only. */
#ifndef MCU_ROOM_OUT_STREAM_H
#define MCU_ROOM_OUT_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "mcu/rtp/tx.h"

struct transport;

struct out_stream {
	struct rtp_tx tx;
	struct transport *transport; /* NULL: nothing is sent */
	uint32_t leg_id;
	uint32_t group;       /* the encode or room it is registered with; 0: none */
	uint32_t next_index;  /* expected first_index of the next batch */
	bool wait_key;        /* nothing until a key frame */
	uint32_t resent;      /* retransmissions since the last report interval */
};

#endif
