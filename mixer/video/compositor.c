#include "mixer/video/compositor.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/base/metrics.h"
#include "mixer/video/art.h"
#include "mixer/video/motion.h"
#include "mixer/video/planes.h"
#include "mixer/video/scale.h"

METRIC_COUNTER(starved_total, "mcu_canvas_starved_total",
	       "Pictures not composed because every canvas was still being encoded.");

enum { MIN_TILE = LAYOUT_MIN_TILE, NOTHING_KNOWN = LAYOUT_MAX_TILES + 1 /* canvas.n */ };

enum content { NOTHING, PICTURE, DIMMED, AVATAR };

/* All that decides what a tile looks like. Compared member by member. */
struct look {
	struct rect rect;
	enum content content;
	enum tile_fit fit;
	uint32_t leg_id;
	uint64_t frame_gen; /* 0 without picture */
	uint64_t label, avatar, badge, frame;
};

struct canvas {
	struct vframe *picture;
	uint64_t painted; /* number of the paint that wrote it last; 0: never */
	uint64_t page;    /* version of what is between its tiles */
	struct sign sign[SIGNS];
	size_t n;
	struct look look[LAYOUT_MAX_TILES];
};

struct compositor {
	int w, h;
	struct canvas canvas[COMPOSITOR_CANVASES];
	struct canvas *last;
	struct motion motion;
	struct canvas stage; /* the layout to come, while tiles move */
	struct art_cache *art;
	struct scaler *scaler;
	struct yuv page, tile;
	uint32_t page_rgb;
	uint64_t drawn_signs;
	const struct vframe *background; /* NULL: the page's colour */
	uint64_t page_version;
	struct signs *signs;
	const struct sign *sign; /* SIGNS of them, as they shall be */
	uint64_t paints;
	struct compositor_stats stats;
	/* of the paint that is going on */
	struct look want[LAYOUT_MAX_TILES];
	struct art found[LAYOUT_MAX_TILES];
	bool dirty[LAYOUT_MAX_TILES];
	/* what changed when, for the encoders; the newest picture's */
	struct vframe_parts parts;
	bool all_new, part_new[LAYOUT_MAX_TILES];
};

static_assert((int)LAYOUT_MAX_TILES <= (int)VFRAME_MAX_PARTS, "every tile is a part");

int compositor_new(struct compositor **out, int width, int height)
{
	struct compositor *c;
	int err;

	if (width < 64 || height < 64 || width > 8192 || height > 8192 || width % 2 || height % 2)
		return -EINVAL;
	c = calloc(1, sizeof *c);
	if (!c)
		return -ENOMEM;
	c->w = width;
	c->h = height;
	c->page_rgb = OVERLAY_PAGE_RGB;
	c->page = yuv_of_rgb(c->page_rgb);
	c->tile = yuv_of_rgb(OVERLAY_TILE_RGB);
	err = art_cache_new(&c->art);
	if (!err)
		err = scaler_new(&c->scaler);
	if (!err)
		err = signs_new(&c->signs, width, height);
	if (err) {
		compositor_free(&c);
		return err;
	}
	c->sign = signs_get(c->signs);
	*out = c;
	return 0;
}

void compositor_free(struct compositor **cp)
{
	struct compositor *c = *cp;

	if (!c)
		return;
	*cp = NULL;
	for (int i = 0; i < COMPOSITOR_CANVASES; i++)
		vframe_unref(&c->canvas[i].picture);
	vframe_unref(&c->stage.picture);
	art_cache_free(&c->art);
	scaler_free(&c->scaler);
	signs_free(&c->signs);
	free(c);
}

static bool rect_equal(const struct rect *a, const struct rect *b)
{
	return a->x == b->x && a->y == b->y && a->w == b->w && a->h == b->h;
}

static bool look_equal(const struct look *a, const struct look *b)
{
	return rect_equal(&a->rect, &b->rect) && a->content == b->content && a->fit == b->fit &&
	       a->leg_id == b->leg_id && a->frame_gen == b->frame_gen && a->label == b->label &&
	       a->avatar == b->avatar && a->badge == b->badge && a->frame == b->frame;
}

static bool layout_equal(const struct canvas *k, const struct look *want, size_t n)
{
	if (k->n != n)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!rect_equal(&k->look[i].rect, &want[i].rect) ||
		    (k->look[i].content == NOTHING) != (want[i].content == NOTHING))
			return false;
	}
	return true;
}

static bool overlap(const struct rect *a, const struct rect *b)
{
	return a->x < b->x + b->w && b->x < a->x + a->w && a->y < b->y + b->h && b->y < a->y + a->h;
}

/* Whether a changed sign was or will be over r. */
static bool under_new_sign(const struct compositor *c, const struct canvas *k, const struct rect *r)
{
	for (int i = 0; i < SIGNS; i++)
		if (k->sign[i].version != c->sign[i].version &&
		    (overlap(&k->sign[i].at, r) || overlap(&c->sign[i].at, r)))
			return true;
	return false;
}

/* Which tiles are to be painted: those that differ, those under a sign that does, and
 * those in front of them. Returns how many things differ. */
static size_t find_dirty(struct compositor *c, const struct canvas *k, size_t n)
{
	const struct look *want = c->want;
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		c->dirty[i] = !look_equal(&k->look[i], &want[i]) || under_new_sign(c, k, &want[i].rect);
		for (size_t j = 0; j < i && !c->dirty[i]; j++)
			c->dirty[i] = c->dirty[j] && overlap(&want[j].rect, &want[i].rect);
		count += c->dirty[i];
	}
	for (int i = 0; i < SIGNS; i++)
		count += k->sign[i].version != c->sign[i].version;
	return count;
}

/* Whether only some of it is to be painted. */
static bool usable(const struct compositor *c, const struct canvas *k, size_t n)
{
	return k->painted && k->page == c->page_version && layout_equal(k, c->want, n);
}

static bool rect_valid(const struct compositor *c, const struct rect *r)
{
	return r->x >= 0 && r->y >= 0 && r->w >= MIN_TILE && r->h >= MIN_TILE && r->w <= c->w &&
	       r->h <= c->h && r->x <= c->w - r->w && r->y <= c->h - r->h &&
	       !((r->x | r->y | r->w | r->h) & 1);
}

static enum content content_of(const struct scene_tile *t)
{
	if (!t->frame || (t->state != TILE_LIVE && t->state != TILE_STALE))
		return AVATAR;
	return t->state == TILE_STALE ? DIMMED : PICTURE;
}

static void look_up(struct compositor *c, size_t i, const struct scene_tile *t)
{
	struct look *l = &c->want[i];
	struct art *a = &c->found[i];
	struct art_query q = { .leg_id = t->leg_id, .name = t->name ? t->name : "",
			       .w = t->rect.w, .h = t->rect.h, .audio_muted = t->audio_muted };

	memset(l, 0, sizeof *l);
	memset(a, 0, sizeof *a);
	l->rect = t->rect;
	if (!rect_valid(c, &t->rect))
		return;
	l->content = content_of(t);
	l->leg_id = t->leg_id;
	l->fit = t->fit;
	q.avatar = l->content == AVATAR;
	q.badge = l->content == DIMMED;
	/* somebody alone on the canvas needs no separator, nor to be told apart */
	q.frame = t->rect.w < c->w || t->rect.h < c->h;
	q.speaking = q.frame && t->speaking;
	art_find(c->art, &q, a);
	l->frame_gen = q.avatar ? 0 : t->frame->gen;
	l->label = a->label_version;
	l->avatar = a->avatar_version;
	l->badge = a->badge_version;
	l->frame = a->frame_version;
}

/* Of the canvases that nobody else holds the one with the least to paint; a new
 * one when there is none. */
static int choose_canvas(struct compositor *c, size_t n, struct canvas **out)
{
	struct canvas *best = NULL, *empty = NULL;
	size_t least = SIZE_MAX;

	for (int i = 0; i < COMPOSITOR_CANVASES; i++) {
		struct canvas *k = &c->canvas[i];
		size_t cost;

		if (!k->picture) {
			empty = empty ? empty : k;
			continue;
		}
		if (!vframe_writable(k->picture))
			continue;
		cost = usable(c, k, n) ? find_dirty(c, k, n) : LAYOUT_MAX_TILES + SIGNS + 1;
		if (cost < least) {
			least = cost;
			best = k;
		}
	}
	if (!best && empty) {
		int err = vframe_new_canvas(&empty->picture, c->w, c->h);

		if (err)
			return err;
		c->stats.canvases++;
		best = empty;
	}
	*out = best;
	return best ? 0 : -EAGAIN;
}

static void paint_content(struct compositor *c, const struct planes *canvas,
			  const struct scene_tile *t, const struct look *l)
{
	struct scale_job job = { .tile = l->rect, .crop = l->fit == TILE_CROP,
				 .dim = l->content == DIMMED, .bars = c->tile };
	struct planes window;
	bool copied = false;

	if (l->content != AVATAR) {
		job.src = t->frame->av;
		job.rotation = t->frame->rotation;
		if (!scaler_place(c->scaler, &job, canvas, &copied)) {
			c->stats.copies += copied;
			c->stats.scales += !copied;
			return;
		}
	}
	planes_window(&window, canvas, &l->rect);
	planes_fill(&window, c->tile);
}

static void paint_tile(struct compositor *c, const struct planes *canvas,
		       const struct scene_tile *t, const struct look *l, const struct art *a)
{
	struct planes window;

	paint_content(c, canvas, t, l);
	planes_window(&window, canvas, &l->rect);
	sprite_blend(a->avatar, &window);
	sprite_blend(a->badge, &window);
	sprite_blend(a->label, &window);
	for (int i = 0; a->frame && i < OVERLAY_FRAME_SPRITES; i++)
		sprite_blend(a->frame[i], &window);
	c->stats.tiles++;
}

static void fill_page(struct compositor *c, const struct planes *canvas, const struct rect *r)
{
	struct planes to, from;

	planes_window(&to, canvas, r);
	if (!c->background) {
		planes_fill(&to, c->page);
		return;
	}
	planes_of_frame(&from, c->background->av);
	planes_window(&from, &from, r);
	planes_copy(&to, &from);
}

/* Those parts of the signs that are over r. */
static void blend_signs(struct compositor *c, const struct planes *canvas, const struct rect *r)
{
	for (int i = 0; i < SIGNS; i++)
		sprite_blend_in(c->sign[i].sprite, canvas, r);
}

static void paint_page(struct compositor *c, const struct planes *canvas)
{
	const struct rect all = { 0, 0, c->w, c->h };

	fill_page(c, canvas, &all);
	blend_signs(c, canvas, &all);
}

/* The tiles beneath are painted after it, with their part of the sign. */
static void paint_new_signs(struct compositor *c, const struct canvas *k, const struct planes *canvas)
{
	for (int i = 0; i < SIGNS; i++) {
		const struct sign *old = &k->sign[i], *now = &c->sign[i];

		if (old->version == now->version)
			continue;
		if (old->at.w)
			fill_page(c, canvas, &old->at);
		if (now->at.w)
			fill_page(c, canvas, &now->at);
		sprite_blend(now->sprite, canvas);
	}
}

static void paint_canvas(struct compositor *c, struct canvas *k, const struct scene *s)
{
	bool anew = !usable(c, k, s->n);
	struct planes planes;

	planes_of_frame(&planes, k->picture->av);
	if (anew) {
		paint_page(c, &planes);
	} else {
		find_dirty(c, k, s->n);
		paint_new_signs(c, k, &planes);
	}
	for (size_t i = 0; i < s->n; i++) {
		if (!anew && !c->dirty[i])
			continue;
		if (c->want[i].content != NOTHING) {
			paint_tile(c, &planes, &s->tile[i], &c->want[i], &c->found[i]);
			blend_signs(c, &planes, &c->want[i].rect);
		}
		k->look[i] = c->want[i];
	}
	k->n = s->n;
	k->page = c->page_version;
	memcpy(k->sign, c->sign, sizeof k->sign);
	k->painted = ++c->paints;
}

/* The tiles are painted where they will be, on the stage, and taken from there. */
static int paint_moving(struct compositor *c, struct canvas *k, const struct scene *s)
{
	static const struct sign no_signs[SIGNS];
	const struct rect all = { 0, 0, c->w, c->h };
	struct planes from, to;
	int err = c->stage.picture ? 0 : vframe_new_canvas(&c->stage.picture, c->w, c->h);

	if (err)
		return err;
	c->sign = no_signs;
	paint_canvas(c, &c->stage, s);
	c->sign = signs_get(c->signs);
	planes_of_frame(&from, c->stage.picture->av);
	planes_of_frame(&to, k->picture->av);
	fill_page(c, &to, &all);
	for (size_t i = 0; i < s->n; i++) {
		const struct rect *at = motion_at(&c->motion, i);

		if (c->want[i].content == NOTHING || !at->w)
			continue;
		motion_blit(&from, &c->want[i].rect, &to, at);
		c->stats.moves++;
	}
	blend_signs(c, &to, &all);
	k->n = NOTHING_KNOWN;
	k->painted = ++c->paints;
	return 0;
}

static bool follow(struct compositor *c, size_t n, int64_t now_ns)
{
	struct motion_tile tile[LAYOUT_MAX_TILES];
	bool moving;

	for (size_t i = 0; i < n; i++)
		tile[i] = (struct motion_tile){ c->want[i].leg_id, c->want[i].rect };
	moving = motion_follow(&c->motion, tile, n, now_ns);
	if (!moving && c->stage.picture) {
		vframe_unref(&c->stage.picture);
		c->stage.painted = 0;
	}
	return moving;
}

void compositor_set_signs(struct compositor *c, const struct signs_wanted *w)
{
	c->drawn_signs += signs_update(c->signs, w);
}

void compositor_set_page(struct compositor *c, uint32_t rgb, const struct vframe *picture)
{
	if (rgb == c->page_rgb && picture == c->background)
		return;
	c->page_rgb = rgb;
	c->page = yuv_of_rgb(rgb);
	c->background = picture;
	c->page_version++;
	art_set_page(c->art, rgb);
}

void compositor_set_transition(struct compositor *c, int ms)
{
	c->motion.duration_ns = ms * INT64_C(1000000);
}

/* Before it is painted over: how what is wanted differs from the newest picture. A tile
 * in front of a new one is not new itself; where they overlap, the other one says so. */
static void find_new(struct compositor *c, size_t n, bool moving)
{
	const struct canvas *last = c->last;

	c->all_new = moving || !last || !usable(c, last, n);
	for (int i = 0; i < SIGNS && !c->all_new; i++)
		c->all_new = last->sign[i].version != c->sign[i].version;
	for (size_t i = 0; i < n && !c->all_new; i++)
		c->part_new[i] = !look_equal(&last->look[i], &c->want[i]);
}

/* The picture is written and has its gen. */
static void tell_new(struct compositor *c, size_t n, struct vframe *f)
{
	struct vframe_parts *p = &c->parts;

	if (!p->painter)
		p->painter = f->gen;
	if (c->all_new)
		p->all_since = f->gen;
	p->n = n;
	for (size_t i = 0; i < n; i++) {
		const struct rect *r = &c->want[i].rect;
		uint64_t since = c->all_new || c->part_new[i] ? f->gen : p->part[i].since;

		p->part[i] = (struct vframe_part){ r->x, r->y, r->w, r->h, since };
	}
	memcpy(f->parts, p, offsetof(struct vframe_parts, part) + n * sizeof p->part[0]);
}

int compositor_paint(struct compositor *c, const struct scene *s, int64_t pts_ns,
		     struct vframe **canvas, bool *changed)
{
	struct canvas *k;
	bool moving;
	int err;

	*canvas = NULL;
	*changed = false;
	if (s->n > LAYOUT_MAX_TILES)
		return -EINVAL;
	art_begin(c->art, COMPOSITOR_RENDERS_PER_PAINT);
	for (size_t i = 0; i < s->n; i++)
		look_up(c, i, &s->tile[i]);
	c->stats.renders = art_renders(c->art) + c->drawn_signs;
	moving = follow(c, s->n, pts_ns);
	if (!moving && c->last && usable(c, c->last, s->n) && !find_dirty(c, c->last, s->n)) {
		*canvas = vframe_ref(c->last->picture);
		return 0;
	}
	err = choose_canvas(c, s->n, &k);
	if (err) {
		c->stats.starved += err == -EAGAIN;
		metric_add(&starved_total, err == -EAGAIN);
		return err;
	}
	find_new(c, s->n, moving);
	if (!moving)
		paint_canvas(c, k, s);
	else if ((err = paint_moving(c, k, s)))
		return err;
	vframe_renew(k->picture);
	tell_new(c, s->n, k->picture);
	k->picture->pts_ns = pts_ns;
	c->last = k;
	c->stats.paints++;
	*canvas = vframe_ref(k->picture);
	*changed = true;
	return 0;
}

void compositor_get_stats(const struct compositor *c, struct compositor_stats *out)
{
	*out = c->stats;
}

void compositor_warm_up(void)
{
	struct sprite *s = NULL;

	(void)overlay_label(&s, "Ag가漢あ", true, 640, 360);
	sprite_free(&s);
	(void)overlay_avatar(&s, "Ag", 1, 640, 360);
	sprite_free(&s);
}
