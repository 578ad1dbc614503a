/* The cache of a compositor's overlays: drawn when what they show changes, found
 * again by leg and size otherwise. A budget bounds how many are drawn per paint;
 * what is over it is left out and comes with a later paint. One thread at a time;
 * owner: a compositor. */
#ifndef MCU_MIXER_VIDEO_ART_H
#define MCU_MIXER_VIDEO_ART_H

#include <stdbool.h>
#include <stdint.h>

#include "mixer/video/overlay.h"

struct art_cache;

/* What one tile wants and gets. Sprites are borrowed until the
 * next art_begin. */
struct art {
	const struct sprite *label, *avatar, *badge;
	const struct sprite *const *frame; /* OVERLAY_FRAME_SPRITES of them, or NULL */
	/* Each changes when the drawing does; 0: not drawn (yet). */
	uint64_t label_version, avatar_version, badge_version, frame_version;
};

struct art_query {
	uint32_t leg_id;
	const char *name; /* valid while it is asked */
	int w, h;         /* of the tile */
	bool audio_muted, speaking;
	bool avatar, badge, frame; /* wanted beside the label */
};

int art_cache_new(struct art_cache **out);
void art_cache_free(struct art_cache **c);

/* The colour between the tiles; what was drawn in another is drawn anew. */
void art_set_page(struct art_cache *c, uint32_t rgb);
/* Starts a paint that may draw so many overlays. */
void art_begin(struct art_cache *c, unsigned budget);
/* Never fails: what can't be had is left out of *out. */
void art_find(struct art_cache *c, const struct art_query *q, struct art *out);
/* Overlays drawn so far. */
uint64_t art_renders(const struct art_cache *c);

#endif
