/* One stream to one receiver, as the fan-out sees it: where it goes and how its
 * headers look. Lives inside the leg on its shard; NET only. */
#ifndef MCU_ROOM_OUT_STREAM_H
#define MCU_ROOM_OUT_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "mcu/base/clock.h"
#include "mcu/rtp/keyframe_gate.h"
#include "mcu/rtp/red_tx.h"
#include "mcu/rtp/rtx.h"
#include "mcu/rtp/tx.h"

struct transport;
struct out_stream;

enum {
	OUT_RESENT = 128,
	OUT_STREAM_HOT_BYTES = 192, /* at the beginning: what every packet needs */
	/* Key frames that it may ask for: all who share its encode pay for them. */
	OUT_KEY_BURST = 3,
	OUT_KEY_REFILL_MS = 3000,
};

/* What was sent again lately: seq goes to slot seq % OUT_RESENT. */
struct out_resent {
	uint16_t seq;
	uint16_t set;   /* 0: empty */
	uint32_t at_ms; /* wraps */
};

struct out_stream {
	/* what every packet needs, together: OUT_STREAM_HOT_BYTES */
	struct rtp_tx tx;
	struct transport *transport; /* NULL: nothing is sent */
	uint32_t leg_id;
	uint32_t group;       /* the encode or room it is registered with; 0: none */
	uint32_t next_group;  /* waits there for a key frame, following group meanwhile; 0: none */
	uint32_t next_index;  /* expected first_index of the next batch */
	bool hushed;	      /* sound: nothing now, a digit goes out in its place */
	bool wait_key;        /* nothing until a key frame */
	bool late;            /* still being sent what the others have had */
	uint32_t pad_bps;     /* to be sent beside it, as repairs that nobody needs; 0: nothing */
	int32_t pad_octets;   /* that are still to be sent of it */
	int64_t pad_ns;	      /* until when it was counted */
	struct red_tx red;    /* sound; pt 0: never */
	uint8_t cn_pt;	      /* sound: of comfort noise; 0: it gets none */
	struct rtp_rtx rtx;   /* pt 0: retransmissions are identical packets */
	/* It has left one encode for another, whose id is now group; may be NULL. */
	void (*switched)(struct out_stream *o);
	struct keyframe_gate asks; /* its own requests, as long as it has a picture */
	/* retransmissions */
	int64_t rtt_ns;           /* 0: not known */
	uint32_t resend_window;   /* the group's, to which resend_octets belong */
	uint32_t resend_octets;
	struct out_resent *resent; /* [OUT_RESENT], from the first one on */
	uint64_t nacked, retransmitted, refused; /* packets, for ever */
};

/* Of pictures; a zeroed one is granted no key frame. */
static inline void out_stream_init(struct out_stream *o)
{
	keyframe_gate_init(&o->asks, OUT_KEY_BURST, OUT_KEY_REFILL_MS * NS_PER_MS);
}

#endif
