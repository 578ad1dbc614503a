/* The ladder: the sizes and rates that a room's view may be encoded at. Rung 0 is
 * the canvas itself; each further one is smaller. Which of them one receiver gets at
 * best follows from what it asked for and what was negotiated.
 *
 * Below the rungs of the configuration are those that are made for receivers whose
 * agreed limits (a level of H.264, max-fs, b=AS) leave them nothing, or much less than
 * they could have: the largest of the canvas's shape within the limits of some level. And
 * the two sizes of H.263. Pure. Any thread. */
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

enum {
	LADDER_MADE = 6,
	LADDER_H263 = 2, /* CIF, QCIF: what is coded of them, without the bars beside it */
	LADDER_MAX = ENGINE_MAX_RUNGS + LADDER_MADE + LADDER_H263
};

/* Of the configuration. */
unsigned ladder_rungs(const struct engine_cfg *c);
/* i < ladder_rungs + LADDER_MADE + LADDER_H263. */
struct engine_rung ladder_rung(const struct engine_cfg *c, unsigned i);
/* Whether a rung is none of the configuration's. */
bool ladder_is_made(const struct engine_cfg *c, unsigned i);
/* Whether a rung is within what was negotiated. */
bool ladder_fits(const struct engine_cfg *c, unsigned i, const struct leg_tx_format *f);
/* The best one within all limits, otherwise the last, or the smallest. */
unsigned ladder_best(const struct engine_cfg *c, const struct leg_view *want,
		     const struct leg_tx_format *f);

/* "360@30/500": lines, pictures and kilobits per second. False: it is none. */
bool ladder_parse(struct engine_rung *out, const char *text);
/* Puts a rung below the others, in the shape of the canvas; left out where it is not
 * below them, or one too many. */
void ladder_add(struct engine_cfg *c, const struct engine_rung *r);

/* The same among those of the configuration; -1: none is within what was negotiated. */
int ladder_best_plain(const struct engine_cfg *c, const struct leg_view *want,
		      const struct leg_tx_format *f);

/* H.264's level_idc for a rung; RFC 6184, H.264 table A-1. */
uint8_t ladder_h264_level(const struct engine_rung *r);

#endif
