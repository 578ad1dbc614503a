/* One picture of a room as its tick makes it: composes the tiles of a routing's
 * picture, and gives the canvas to the encodes of it, at their sizes. Each picture
 * has canvases of its own; the frames on it are the tick's one snapshot. Owner: the
 * room's tick; all on its strand. */
#ifndef MCU_ROOM_STAGE_H
#define MCU_ROOM_STAGE_H

#include <stdint.h>

#include "mcu/base/role.h"
#include "mcu/room/engine.h"
#include "mcu/room/passage.h"
#include "mcu/room/routing.h"

struct stage;

/* The newest frame of a source of the routing, kept so that tiles can be painted
 * again. */
struct newest {
	uint32_t id;
	struct vframe *frame;
	int64_t at_ns; /* when it was taken */
	struct passage passage;
};

/* A tick. */
struct stage_call {
	const struct routing *routing;
	struct newest *newest; /* by index of source */
	uint32_t speaker; /* a leg; 0: nobody */
	int64_t now_ns, due_ns;
	int fps; /* of the ticks */
};

/* picture: the id of a route_picture. NULL: out of memory. */
struct stage *stage_new(const struct engine *e, uint32_t picture);
/* *s may be NULL. */
void stage_free(struct stage **s);
uint32_t stage_picture(const struct stage *s);
/* There is another routing, in which its picture has index at. */
void stage_follow(struct stage *s, const struct routing *r, size_t at) ON_THREAD(ROLE_MIXV);

/* What became of it. */
enum stage_result {
	STAGE_GIVEN,	 /* to one encode at least, or what a source sent passed through */
	STAGE_UNCHANGED, /* it stood still, and none wanted it */
	STAGE_SKIPPED	 /* every canvas is in use, or out of memory */
};
/* shrunk: how many copies were made for lower rungs is added to it. */
enum stage_result stage_show(struct stage *s, const struct stage_call *c, uint64_t *shrunk)
	ON_THREAD(ROLE_MIXV);

#endif
