/* What stands on the canvas over the tiles: a banner, the time, how long it has been
 * recorded, a logo. Drawn when a text changes, at most one of them per paint. One
 * thread at a time; owner: a compositor. */
#ifndef MCU_MIXER_VIDEO_SIGNS_H
#define MCU_MIXER_VIDEO_SIGNS_H

#include <stdint.h>

#include "mixer/video/sprite.h"

enum { SIGNS = 4, SIGN_BYTES = 804 /* of a text: 200 characters, terminated */ };

/* Borrowed for the call, the logo until another call. "" or NULL: none. */
struct signs_wanted {
	const char *banner, *clock, *recording;
	const struct sprite *logo; /* at its place on the canvas */
};

struct sign {
	const struct sprite *sprite; /* NULL: nothing; until the next update */
	struct rect at;
	uint64_t version; /* changes when the drawing does */
};

struct signs;

int signs_new(struct signs **out, int canvas_w, int canvas_h);
void signs_free(struct signs **s);
/* Returns how many were drawn. */
unsigned signs_update(struct signs *s, const struct signs_wanted *w);
/* SIGNS of them. */
const struct sign *signs_get(const struct signs *s);

#endif
