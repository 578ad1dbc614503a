/* Where the tiles go: pure geometry, no state. Any thread.
 *
 * layout_slots() says which places a layout has for so many people; seating.h says
 * who takes them. */
#ifndef MCU_MIXER_VIDEO_LAYOUT_H
#define MCU_MIXER_VIDEO_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

#include "mcu/base/err.h"

enum { LAYOUT_MAX_TILES = 49, LAYOUT_MIN_TILE = 16 };

/* Luma samples from the top left corner of the canvas; all four are even. */
struct rect {
	int x, y, w, h;
};

enum layout_kind {
	LAYOUT_NONE, /* no such layout */
	LAYOUT_GRID,
	LAYOUT_SPEAKER,	     /* the speaker large, the others in a strip */
	LAYOUT_SPEAKER_ONLY, /* the speaker alone */
	LAYOUT_PRESENTATION, /* what is presented large, the speaker and the others beside it;
				without a presentation as LAYOUT_SPEAKER */
	LAYOUT_SIDE_BY_SIDE, /* what is presented, or the speaker, and who speaks (or spoke) */
	LAYOUT_PICTURE_IN_PICTURE, /* the same two, the second small in a corner of the first */
	LAYOUT_LECTURE,		   /* the lecturer alone: who is pinned, presents, or speaks */
	LAYOUT_CUSTOM		   /* the regions of the room */
};

/* Whom a slot is for, unless somebody is pinned to it. */
enum layout_role { LAYOUT_NEXT, LAYOUT_FOR_SPEAKER, LAYOUT_FOR_CONTENT };

struct layout_slot {
	struct rect rect;
	int z; /* higher is nearer; equal ones do not overlap in the layouts built in */
	enum layout_role role;
};

/* Of a custom layout: fractions of the canvas. */
struct layout_region {
	double x, y, w, h;
	int z; /* LAYOUT_MIN_Z … LAYOUT_MAX_Z */
	enum layout_role role;
};

enum { LAYOUT_MIN_Z = -100, LAYOUT_MAX_Z = 100 };

/* "grid", "speaker", "speaker-only", …; LAYOUT_NONE for another. */
enum layout_kind layout_kind_parse(const char *name);
const char *layout_kind_name(enum layout_kind kind);

/* The largest grid of n tiles of 16:9 in the canvas: rows from the top, the last
 * one centred, the whole grid centred, tiles touching each other (a picture of
 * exactly the tile's size is then a copy; the compositor draws the separators).
 *   1: full   2: side by side   3: two above one   4: 2x2   5-6: 3x2   7-9: 3x3 …
 * out: room for LAYOUT_MAX_TILES. Returns the number of tiles laid out: n, at
 * most LAYOUT_MAX_TILES, and 0 for a canvas too small for tiles of 16x16. */
size_t layout_grid(size_t n, int canvas_w, int canvas_h, struct rect *out);

/* The slots for n people (at most LAYOUT_MAX_TILES): at most n, 16 where one is
 * large, in the order in which they are filled; of a custom layout all its regions that are large enough.
 * content: something is presented. out: room for LAYOUT_MAX_TILES. Tiles are of
 * 16:9, custom ones of the region's shape; all are inside the canvas. 0 where
 * layout_grid gives 0. */
size_t layout_slots(enum layout_kind kind, size_t n, bool content,
		    const struct layout_region *region, size_t n_regions, int canvas_w,
		    int canvas_h, struct layout_slot *out);

/* Whether these regions are a layout, as a whole. 0 or -EINVAL with code
 * "layout_invalid" and a sentence. */
int layout_check_regions(const struct layout_region *region, size_t n, struct errmsg *why);

#endif
