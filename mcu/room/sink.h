/* A consumer of a room's encoded output that is not a leg: the recorder now,
 * broadcast outputs later. The functions are called on the encoding threads and
 * must neither block nor allocate; what they keep they reference.
 *
 * Time stamps are the room's media clock (struct clock), so that sound and
 * picture are aligned by construction. */
#ifndef MCU_ROOM_SINK_H
#define MCU_ROOM_SINK_H

#include <stdbool.h>
#include <stdint.h>

#include "mcu/base/buf.h"
#include "mcu/base/role.h"

struct room_sink {
	void *obj;
	/* Annex B H.264 with parameter sets before each IDR. Borrowed. */
	void (*video)(void *obj, struct buf *au, int64_t pts_ns, bool key);
	/* One AAC frame of the listener mix. Borrowed. */
	void (*audio)(void *obj, struct buf *frame, int64_t pts_ns);
};

#endif
