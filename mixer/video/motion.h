/* Tiles on their way from one layout to the next: where each is at a time. Whoever
 * was shown goes from there, even in the middle of another move; who comes new grows
 * from the middle of its tile; who has gone is gone at once. Pure geometry with a
 * memory, no allocation. One thread at a time; owner: a compositor. */
#ifndef MCU_MIXER_VIDEO_MOTION_H
#define MCU_MIXER_VIDEO_MOTION_H

#include <stdint.h>

#include "mixer/video/planes.h"

struct motion_tile {
	uint32_t leg_id;
	struct rect rect;
};

/* Zeroed: everything is where it belongs at once. */
struct motion {
	int64_t duration_ns; /* 0: no movement; to be set by the owner */
	/* private */
	int64_t start_ns;
	bool active;
	size_t n;
	struct motion_tile to[LAYOUT_MAX_TILES], shown[LAYOUT_MAX_TILES];
	struct rect from[LAYOUT_MAX_TILES];
};

/* The tiles as they shall be, n <= LAYOUT_MAX_TILES; each leg at most once. True
 * while at least one is not there yet. */
bool motion_follow(struct motion *m, const struct motion_tile *want, size_t n, int64_t now_ns);
/* Where tile i is now: even, and empty while it is too small to be seen. */
const struct rect *motion_at(const struct motion *m, size_t i);

/* The part from of one picture on the part to of another, as it comes, fast: fit for
 * the fraction of a second that a movement takes. */
void motion_blit(const struct planes *src, const struct rect *from, const struct planes *dst,
		 const struct rect *to);

#endif
