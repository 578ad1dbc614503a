/* The texts that stand on a room's picture, made anew once a second. Pure but for the
 * time zone. Owner: the room's tick. */
#ifndef MCU_ROOM_DRESS_H
#define MCU_ROOM_DRESS_H

#include "mcu/room/routing.h"
#include "mixer/video/signs.h"

struct sprite;

/* Zeroed: nothing yet. */
struct dress {
	int64_t clock_s, elapsed_s; /* what the texts say */
	char clock[8], elapsed[24];
};

/* now_ns and recorded_since_ns (0: it is not): of the media clock; wall_ns: since 1970.
 * out: borrows d's and s's texts and the logo (NULL: there is none). */
void dress_update(struct dress *d, const struct routing_signs *s, const struct sprite *logo,
		  int64_t recorded_since_ns, int64_t now_ns, int64_t wall_ns,
		  struct signs_wanted *out);

#endif
