/* Paints a scene into canvases: one compositor per view.
 *
 * "Pay once": the compositor rotates up to COMPOSITOR_CANVASES canvases and
 * remembers for each what every tile of it holds (frame, state, overlays). Only
 * tiles that differ from what the canvas at hand holds are painted, each straight
 * from its source frame; a tile that stands still costs nothing, a new frame is
 * scaled once; what is in front of a painted tile is painted with it. When rectangles change, the whole canvas is painted anew.
 * A canvas that somebody else still holds (an encoder) is left alone.
 *
 * Labels, badges, borders and avatars are drawn with Pango and Cairo when their
 * text, size or state changes, kept as alpha masks, and blended over the tile.
 * Drawing one costs up to some milliseconds, so that at most
 * COMPOSITOR_RENDERS_PER_PAINT are drawn in one call; the others follow in the
 * next ones, and *changed stays true until they have.
 *
 * Each canvas says which of its tiles changed since when (vframe.h), so that encoders
 * need not look.
 *
 * With a transition tiles glide to new places: the coming layout is painted aside, as
 * ever only what changed, and each tile is taken from there once per paint.
 *
 * No allocation in the steady state. Owner: the view's tick strand. */
#ifndef MCU_MIXER_VIDEO_COMPOSITOR_H
#define MCU_MIXER_VIDEO_COMPOSITOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/base/role.h"
#include "mixer/video/layout.h"
#include "mixer/video/signs.h"
#include "mixer/video/vframe.h"

enum {
	COMPOSITOR_CANVASES = 4,
	COMPOSITOR_RENDERS_PER_PAINT = 4,
	COMPOSITOR_NAME_BYTES = 96 /* of a name; the rest is not shown */
};

enum tile_state {
	TILE_NO_VIDEO, /* none yet, or none any more: avatar */
	TILE_LIVE,     /* its frame; an avatar while frame is NULL */
	TILE_STALE,    /* the last frame, dimmed, with a "signal lost" badge */
	TILE_MUTED     /* camera off: avatar */
};

enum tile_fit {
	TILE_FIT, /* the whole picture, bars in the tile's background colour */
	TILE_CROP /* the tile is filled, what stands over is cut off */
};

struct scene_tile {
	uint32_t leg_id;
	const char *name; /* UTF-8, borrowed for the call; NULL or "": no label */
	struct rect rect; /* even; inside the canvas */
	enum tile_state state;
	enum tile_fit fit;
	bool audio_muted; /* microphone glyph in the label */
	bool speaking;    /* accent border */
	/* The newest frame, borrowed for the call; whoever builds the scene holds it.
	 * Rotated by frame->rotation, full range is converted. */
	const struct vframe *frame;
};

struct scene {
	const struct scene_tile *tile; /* the farthest first: later ones hide earlier ones */
	size_t n; /* at most LAYOUT_MAX_TILES */
};

struct compositor;

struct compositor_stats {
	uint64_t paints;   /* calls that painted something */
	uint64_t tiles;    /* tiles painted */
	uint64_t copies;   /* of them: pictures of exactly the tile's size */
	uint64_t scales;   /* of them: pictures that had to be scaled */
	uint64_t renders;  /* labels, avatars, badges and borders drawn */
	uint64_t moves;    /* tiles shown on their way to another place */
	uint64_t canvases; /* allocated now */
	uint64_t starved;  /* calls refused because every canvas was in use */
};

/* Loads the fonts and draws once, so that the first tick does not pay for it
 * (some 100 ms). Call at start; not needed for correctness. Any thread. */
void compositor_warm_up(void);

/* width, height: of the canvas; even, 64…8192. 0, -EINVAL, -ENOMEM. Any thread. */
int compositor_new(struct compositor **out, int width, int height);
/* Canvases that others hold stay theirs. Any thread, after the last paint. */
void compositor_free(struct compositor **c);

/* What stands over the tiles from the next paint on. */
void compositor_set_signs(struct compositor *c, const struct signs_wanted *w) ON_THREAD(ROLE_MIXV);
/* What is between the tiles: a colour, 0xRRGGBB, or a picture of the canvas's size, which
 * is borrowed until another call (NULL: none). */
void compositor_set_page(struct compositor *c, uint32_t rgb, const struct vframe *picture)
	ON_THREAD(ROLE_MIXV);
/* How long tiles take to their place in a new layout; 0 (as at first): no time. */
void compositor_set_transition(struct compositor *c, int ms) ON_THREAD(ROLE_MIXV);

/* *canvas: a reference for the caller, which must drop it when the picture has
 * been encoded. *changed: whether it differs from what the last call returned;
 * when not, it is the same canvas and nothing has been done. pts_ns becomes the
 * canvas's. A tile whose rectangle is odd, too small (< 16) or outside is left
 * out. 0, -EAGAIN (every canvas is in use: drop this tick, counted), -EINVAL
 * (too many tiles), -ENOMEM; *canvas is NULL on error. */
int compositor_paint(struct compositor *c, const struct scene *s, int64_t pts_ns,
		     struct vframe **canvas, bool *changed) ON_THREAD(ROLE_MIXV);

void compositor_get_stats(const struct compositor *c, struct compositor_stats *out)
	ON_THREAD(ROLE_MIXV);

#endif
