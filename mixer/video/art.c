#include "mixer/video/art.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mixer/video/compositor.h"

/* Twice the tiles, so that a change of layout finds the old size for a while. */
enum { LEGS = 2 * LAYOUT_MAX_TILES, SIZES = 8 };

/* One leg's label and avatar at one size; used 0: free. */
struct leg_art {
	uint32_t leg_id;
	int w, h;
	char name[COMPOSITOR_NAME_BYTES]; /* what the drawings say */
	bool audio_muted;
	bool label_wanted, avatar_wanted; /* not drawn yet, or out of date */
	struct sprite *label, *avatar;
	uint64_t label_version, avatar_version, used;
};

/* What all tiles of one size share. */
struct size_art {
	int w, h;
	bool badge_drawn, frame_drawn[2];
	struct sprite *badge, *frame[2][OVERLAY_FRAME_SPRITES];
	uint64_t badge_version, frame_version[2], used;
};

struct art_cache {
	struct leg_art leg[LEGS];
	struct size_art size[SIZES];
	uint64_t clock, version, renders;
	uint32_t page_rgb;
	unsigned budget;
};

static void leg_clear(struct leg_art *a)
{
	sprite_free(&a->label);
	sprite_free(&a->avatar);
	memset(a, 0, sizeof *a);
}

static void size_clear(struct size_art *a)
{
	sprite_free(&a->badge);
	for (int i = 0; i < OVERLAY_FRAME_SPRITES; i++) {
		sprite_free(&a->frame[0][i]);
		sprite_free(&a->frame[1][i]);
	}
	memset(a, 0, sizeof *a);
}

int art_cache_new(struct art_cache **out)
{
	struct art_cache *c = calloc(1, sizeof *c);

	if (!c)
		return -ENOMEM;
	c->page_rgb = OVERLAY_PAGE_RGB;
	*out = c;
	return 0;
}

void art_cache_free(struct art_cache **cp)
{
	struct art_cache *c = *cp;

	if (!c)
		return;
	*cp = NULL;
	for (int i = 0; i < LEGS; i++)
		leg_clear(&c->leg[i]);
	for (int i = 0; i < SIZES; i++)
		size_clear(&c->size[i]);
	free(c);
}

void art_set_page(struct art_cache *c, uint32_t rgb)
{
	for (int i = 0; c->page_rgb != rgb && i < SIZES; i++)
		size_clear(&c->size[i]);
	c->page_rgb = rgb;
}

void art_begin(struct art_cache *c, unsigned budget)
{
	c->clock++;
	c->budget = budget;
}

uint64_t art_renders(const struct art_cache *c)
{
	return c->renders;
}

static bool spend(struct art_cache *c)
{
	if (!c->budget)
		return false;
	c->budget--;
	c->renders++;
	return true;
}

/* Cuts between characters. */
static void copy_name(char out[COMPOSITOR_NAME_BYTES], const char *name)
{
	size_t n = strnlen(name, COMPOSITOR_NAME_BYTES);

	if (n >= COMPOSITOR_NAME_BYTES) {
		n = COMPOSITOR_NAME_BYTES - 1;
		while (n && ((unsigned char)name[n] & 0xc0) == 0x80)
			n--;
	}
	memcpy(out, name, n);
	memset(out + n, 0, COMPOSITOR_NAME_BYTES - n);
}

/* A drawing that a tile of this paint has borrowed already stays as it is: a leg
 * with two tiles of one size and different labels has two entries. */
static bool leg_matches(const struct art_cache *c, const struct leg_art *a,
			const struct art_query *q, const char *name)
{
	return a->used && a->leg_id == q->leg_id && a->w == q->w && a->h == q->h &&
	       (a->used != c->clock ||
		(a->audio_muted == q->audio_muted && !strcmp(a->name, name)));
}

/* NULL when all of them are in this paint's use. */
static struct leg_art *leg_find(struct art_cache *c, const struct art_query *q, const char *name)
{
	struct leg_art *oldest = &c->leg[0];

	for (int i = 0; i < LEGS; i++) {
		struct leg_art *a = &c->leg[i];

		if (leg_matches(c, a, q, name)) {
			a->used = c->clock;
			return a;
		}
		if (a->used < oldest->used)
			oldest = a;
	}
	if (oldest->used == c->clock)
		return NULL;
	leg_clear(oldest);
	oldest->leg_id = q->leg_id;
	oldest->w = q->w;
	oldest->h = q->h;
	oldest->used = c->clock;
	oldest->label_wanted = oldest->avatar_wanted = true;
	return oldest;
}

/* NULL when all of them are in this paint's use. */
static struct size_art *size_find(struct art_cache *c, const struct art_query *q)
{
	struct size_art *oldest = &c->size[0];

	for (int i = 0; i < SIZES; i++) {
		struct size_art *a = &c->size[i];

		if (a->used && a->w == q->w && a->h == q->h) {
			a->used = c->clock;
			return a;
		}
		if (a->used < oldest->used)
			oldest = a;
	}
	if (oldest->used == c->clock)
		return NULL;
	size_clear(oldest);
	oldest->w = q->w;
	oldest->h = q->h;
	oldest->used = c->clock;
	return oldest;
}

/* name: COMPOSITOR_NAME_BYTES, zero-filled. */
static void leg_update(struct art_cache *c, struct leg_art *a, const struct art_query *q,
		       const char *name)
{
	if (strcmp(name, a->name)) {
		memcpy(a->name, name, COMPOSITOR_NAME_BYTES);
		a->label_wanted = a->avatar_wanted = true;
	}
	if (a->audio_muted != q->audio_muted) {
		a->audio_muted = q->audio_muted;
		a->label_wanted = true;
	}
	if (q->avatar && a->avatar_wanted && spend(c)) {
		sprite_free(&a->avatar);
		a->avatar_wanted = false;
		a->avatar_version = ++c->version;
		(void)overlay_avatar(&a->avatar, a->name, a->leg_id, a->w, a->h);
	}
	if (a->label_wanted && !a->name[0] && !a->audio_muted) {
		sprite_free(&a->label);
		a->label_wanted = false;
		a->label_version = ++c->version;
	}
	if (a->label_wanted && spend(c)) {
		sprite_free(&a->label);
		a->label_wanted = false;
		a->label_version = ++c->version;
		(void)overlay_label(&a->label, a->name, a->audio_muted, a->w, a->h);
	}
}

static void size_update(struct art_cache *c, struct size_art *a, const struct art_query *q)
{
	int s = q->speaking;

	if (q->frame && !a->frame_drawn[s] && spend(c)) {
		a->frame_drawn[s] = true;
		a->frame_version[s] = ++c->version;
		(void)overlay_frame(a->frame[s], c->page_rgb, q->speaking, a->w, a->h);
	}
	if (q->badge && !a->badge_drawn && spend(c)) {
		a->badge_drawn = true;
		a->badge_version = ++c->version;
		(void)overlay_badge(&a->badge, a->w, a->h);
	}
}

void art_find(struct art_cache *c, const struct art_query *q, struct art *out)
{
	char name[COMPOSITOR_NAME_BYTES];
	struct size_art *size = size_find(c, q);
	struct leg_art *leg;
	int s = q->speaking;

	copy_name(name, q->name);
	leg = leg_find(c, q, name);
	*out = (struct art){ 0 };
	if (size) {
		size_update(c, size, q);
		out->badge = q->badge ? size->badge : NULL;
		out->badge_version = q->badge ? size->badge_version : 0;
		if (q->frame && size->frame_drawn[s]) {
			out->frame = (const struct sprite *const *)size->frame[s];
			out->frame_version = size->frame_version[s];
		}
	}
	if (leg) {
		leg_update(c, leg, q, name);
		out->label = leg->label;
		out->label_version = leg->label_version;
		out->avatar = q->avatar ? leg->avatar : NULL;
		out->avatar_version = q->avatar ? leg->avatar_version : 0;
	}
}
