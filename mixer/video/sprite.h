/* Small pictures with transparency, ready to be blended over I420: colour and
 * alpha planes are converted once, when they are drawn. Immutable after new.
 * Any thread, one at a time. */
#ifndef MCU_MIXER_VIDEO_SPRITE_H
#define MCU_MIXER_VIDEO_SPRITE_H

#include <stdint.h>

#include "mixer/video/planes.h"

struct sprite;

/* argb: premultiplied native-endian ARGB32 as Cairo draws it, borrowed. at: which
 * part of it (even); it will be blended at the same place of a tile, so argb has
 * the tile's coordinates shifted by (-origin_x, -origin_y), which are even.
 * 0, -EINVAL, -ENOMEM. */
int sprite_new(struct sprite **out, const uint8_t *argb, int stride, const struct rect *at,
	       int origin_x, int origin_y);
void sprite_free(struct sprite **s);

/* Over the tile; what lies outside of it is not drawn at all. NULL is fine. */
void sprite_blend(const struct sprite *s, const struct planes *tile);
/* Only the part inside clip (even). */
void sprite_blend_in(const struct sprite *s, const struct planes *tile, const struct rect *clip);
struct rect sprite_rect(const struct sprite *s);

#endif
