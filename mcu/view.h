/* A room's picture as front ends speak of it. CTL. */
#ifndef MCU_VIEW_H
#define MCU_VIEW_H

#include "mcu/room/room.h"
#include "signaling/protocol.h"

/* Puts what is set in c into the view of the room that it names; what is unset stays. 0,
 * or -errno with *why (view_unknown, layout_invalid, bad_message): nothing has changed. */
int view_change(struct room *r, const struct engine_cfg *e, const struct layout_change *c,
		struct errmsg *why)
	ON_THREAD(ROLE_CTL);

/* The event `layout` of a view that is there, with seating s of a picture of it
 * (NULL: nobody is on it); tiles:
 * room for LAYOUT_MAX_TILES; both stay until the room's next layout. */
void view_describe(const struct room *r, const char *name, const struct seating *s,
		   const struct engine_cfg *e, struct layout_tile *tiles, struct layout_info *out)
	ON_THREAD(ROLE_CTL);

#endif
