/* Where the tiles go: pure geometry, no state. Any thread. */
#ifndef MCU_MIXER_VIDEO_LAYOUT_H
#define MCU_MIXER_VIDEO_LAYOUT_H

#include <stddef.h>

enum { LAYOUT_MAX_TILES = 49 };

/* Luma samples from the top left corner of the canvas; all four are even. */
struct rect {
	int x, y, w, h;
};

/* The largest grid of n tiles of 16:9 in the canvas: rows from the top, the last
 * one centred, the whole grid centred, tiles touching each other (a picture of
 * exactly the tile's size is then a copy; the compositor draws the separators).
 *   1: full   2: side by side   3: two above one   4: 2x2   5-6: 3x2   7-9: 3x3 …
 * out: room for LAYOUT_MAX_TILES. Returns the number of tiles laid out: n, at
 * most LAYOUT_MAX_TILES, and 0 for a canvas too small for tiles of 16x16. */
size_t layout_grid(size_t n, int canvas_w, int canvas_h, struct rect *out);

#endif
