/* Passing through: where a picture of a room is nothing but what one leg sends, in the
 * size and kind that its receivers get, its access units go to them as they came, and
 * nothing is composed or encoded. They have been decoded by then, so that nothing
 * broken is passed on, and the picture is at hand when it ends: then, or when
 * anything is missing, the encoder goes on with a key frame. It begins, and goes on
 * after a gap, with a key frame of the sender, who is asked for one.
 *
 * A passage is of a source; owner: the room's tick, all on its strand. */
#ifndef MCU_ROOM_PASSAGE_H
#define MCU_ROOM_PASSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/room/video_leg.h"

enum { PASSAGE_ASK_MS = 500 /* between requests for key frames */ };

struct passage {
	uint32_t source; /* its id */
	bool on;     /* the leg keeps its access units for us */
	/* of this tick */
	bool wanted; /* a picture is nothing but this source */
	bool key_wanted;
	size_t n;
	struct video_leg_unit unit[VIDEO_LEG_UNITS];
	int64_t asked_ns;
};

/* Takes what came since the last tick. */
void passage_begin(struct passage *p, struct video_leg *v) ON_THREAD(ROLE_MIXV);
/* When all pictures of the tick have used it. */
void passage_end(struct passage *p, struct video_leg *v, int64_t now_ns) ON_THREAD(ROLE_MIXV);
/* The source is shown nowhere any more. */
void passage_stop(struct passage *p, struct video_leg *v) ON_THREAD(ROLE_MIXV);

struct scene;
struct stage_call;

/* Gives each encode of the routing's picture number at its share; from: the source that
 * is all of it, or NULL. True: they want no canvas. */
bool passage_give(struct passage *from, const struct stage_call *c, size_t at)
	ON_THREAD(ROLE_MIXV);

#endif
