#include "mixer/video/signs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mixer/video/overlay.h"

enum { TEXTS = 3, LOGO = TEXTS };

struct signs {
	int w, h;
	uint64_t version;
	char text[TEXTS][SIGN_BYTES]; /* what the sprites say */
	struct sprite *sprite[TEXTS];
	struct sign sign[SIGNS];
};

int signs_new(struct signs **out, int canvas_w, int canvas_h)
{
	struct signs *s = calloc(1, sizeof *s);

	if (!s)
		return -ENOMEM;
	s->w = canvas_w;
	s->h = canvas_h;
	*out = s;
	return 0;
}

void signs_free(struct signs **sp)
{
	struct signs *s = *sp;

	if (!s)
		return;
	*sp = NULL;
	for (int i = 0; i < TEXTS; i++)
		sprite_free(&s->sprite[i]);
	free(s);
}

static void show(struct signs *s, int i, const struct sprite *sprite)
{
	s->sign[i] = (struct sign){ .sprite = sprite, .version = ++s->version };
	if (sprite)
		s->sign[i].at = sprite_rect(sprite);
}

unsigned signs_update(struct signs *s, const struct signs_wanted *w)
{
	static const enum overlay_place place[TEXTS] = { OVERLAY_MIDDLE, OVERLAY_RIGHT,
							 OVERLAY_LEFT_WITH_DOT };
	const char *const text[TEXTS] = { w->banner, w->clock, w->recording };
	unsigned drawn = 0;

	for (int i = 0; i < TEXTS; i++) {
		const char *want = text[i] ? text[i] : "";

		if (!strncmp(want, s->text[i], SIGN_BYTES - 1) || (want[0] && drawn))
			continue;
		snprintf(s->text[i], SIGN_BYTES, "%s", want);
		sprite_free(&s->sprite[i]);
		if (want[0]) {
			(void)overlay_sign(&s->sprite[i], s->text[i], place[i], s->w, s->h);
			drawn++;
		}
		show(s, i, s->sprite[i]);
	}
	if (w->logo != s->sign[LOGO].sprite)
		show(s, LOGO, w->logo);
	return drawn;
}

const struct sign *signs_get(const struct signs *s)
{
	return s->sign;
}
