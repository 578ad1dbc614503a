/* The ladder: the sizes and rates that a room's view may be encoded at. Rung 0 is
 * the canvas itself; each further one is smaller. Which of them one receiver gets at
 * best follows from what it asked for and what was negotiated. Pure. Any thread. */
#ifndef MCU_ROOM_LADDER_H
#define MCU_ROOM_LADDER_H

#include <stdbool.h>
#include <stdint.h>

#include "mcu/room/engine.h"
#include "mcu/room/leg_media.h"
#include "mcu/room/view_rule.h"

/* What a participant wants to get. */
struct leg_view {
	unsigned max_height; /* of the picture; 0: any */
	unsigned max_kbps;   /* for the picture; 0: any */
	bool no_video;	     /* sound alone */
	bool hide_self;	     /* without its own camera */
	char view[VIEW_NAME_BYTES]; /* "": by the rules of the room's views */
};

unsigned ladder_rungs(const struct engine_cfg *c);
/* i < ladder_rungs. */
struct engine_rung ladder_rung(const struct engine_cfg *c, unsigned i);
/* The best one within all limits, otherwise the last. */
unsigned ladder_best(const struct engine_cfg *c, const struct leg_view *want,
		     const struct leg_tx_format *f);

/* "360@30/500": lines, pictures and kilobits per second. False: it is none. */
bool ladder_parse(struct engine_rung *out, const char *text);
/* Puts a rung below the others, in the shape of the canvas; left out where it is not
 * below them, or one too many. */
void ladder_add(struct engine_cfg *c, const struct engine_rung *r);

/* H.264's level_idc for a rung; RFC 6184, H.264 table A-1. */
uint8_t ladder_h264_level(const struct engine_rung *r);

#endif
