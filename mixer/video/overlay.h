/* What is drawn over (and, for avatars, instead of) the picture of a tile, as
 * sprites in the tile's coordinates. Sizes follow the tile's height and stay
 * legible at 160x90. A drawing costs 0.1 to some ms: cache it (art.h). Any thread.
 *
 * All return 0 or -ENOMEM; *out may be NULL on 0 when there is nothing to draw. */
#ifndef MCU_MIXER_VIDEO_OVERLAY_H
#define MCU_MIXER_VIDEO_OVERLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "mixer/video/sprite.h"

enum {
	OVERLAY_PAGE_RGB = 0x0f1115, /* between and around the tiles */
	OVERLAY_TILE_RGB = 0x1c2129, /* behind avatars, and letterbox bars */
	OVERLAY_FRAME_SPRITES = 8
};

/* Bottom left: name on a dark pill, a crossed microphone before it when muted. */
int overlay_label(struct sprite **out, const char *name, bool audio_muted, int tile_w, int tile_h);
/* Centre: a disc in the leg's colour with its initials. */
int overlay_avatar(struct sprite **out, const char *name, uint32_t leg_id, int tile_w, int tile_h);
/* Top right: the signal is lost. */
int overlay_badge(struct sprite **out, int tile_w, int tile_h);
/* On the whole canvas: a text on a dark pill in the upper left corner (with a red dot
 * before it), the upper right one, or in the middle between (in at most half of the
 * width). */
enum overlay_place { OVERLAY_LEFT_WITH_DOT, OVERLAY_MIDDLE, OVERLAY_RIGHT };
int overlay_sign(struct sprite **out, const char *text, enum overlay_place place, int canvas_w,
		 int canvas_h);
/* The edge: separator with rounded corners; accent border while speaking. */
int overlay_frame(struct sprite *out[OVERLAY_FRAME_SPRITES], uint32_t page_rgb, bool speaking,
		  int tile_w, int tile_h);

#endif
