#include "mixer/video/layout.h"

#include <errno.h>
#include <string.h>

enum { MIN_TILE = LAYOUT_MIN_TILE, MAX_CANVAS = 16384 };

static int even(int v)
{
	return v & ~1;
}

/* The largest even 16:9 tile that fits a cell. */
static void fit_tile(int cell_w, int cell_h, int *w, int *h)
{
	*w = cell_w;
	*h = cell_w * 9 / 16;
	if (*h > cell_h) {
		*h = cell_h;
		*w = cell_h * 16 / 9;
	}
	/* 426 wide makes 239.6 high: rather two thirds of a sample too many than a
	 * row too few. */
	if (*h % 2 && *h < cell_h)
		(*h)++;
	*w = even(*w);
	*h = even(*h);
}

/* Columns of the grid with the largest tiles; the wider grid when two are equal. */
static int best_columns(int n, int canvas_w, int canvas_h, int *w, int *h)
{
	int best = 0;

	*w = *h = 0;
	for (int cols = 1; cols <= n; cols++) {
		int rows = (n + cols - 1) / cols, tw, th;

		fit_tile(canvas_w / cols, canvas_h / rows, &tw, &th);
		if (tw * th < *w * *h)
			continue;
		best = cols;
		*w = tw;
		*h = th;
	}
	return best;
}

size_t layout_grid(size_t n, int canvas_w, int canvas_h, struct rect *out)
{
	int count = n < LAYOUT_MAX_TILES ? (int)n : LAYOUT_MAX_TILES;
	int w, h, cols, rows, top;

	if (!count || canvas_w < MIN_TILE || canvas_h < MIN_TILE || canvas_w > MAX_CANVAS ||
	    canvas_h > MAX_CANVAS)
		return 0;
	cols = best_columns(count, canvas_w, canvas_h, &w, &h);
	if (w < MIN_TILE || h < MIN_TILE)
		return 0;
	rows = (count + cols - 1) / cols;
	top = even((canvas_h - rows * h) / 2);
	for (int i = 0; i < count; i++) {
		int row = i / cols;
		int in_row = row < rows - 1 ? cols : count - row * cols;
		int left = even((canvas_w - in_row * w) / 2);

		out[i] = (struct rect){ left + i % cols * w, top + row * h, w, h };
	}
	return (size_t)count;
}

/* --- names ------------------------------------------------------------------- */

static const char *const names[] = {
	[LAYOUT_NONE] = "",
	[LAYOUT_GRID] = "grid",
	[LAYOUT_SPEAKER] = "speaker",
	[LAYOUT_SPEAKER_ONLY] = "speaker-only",
	[LAYOUT_PRESENTATION] = "presentation",
	[LAYOUT_SIDE_BY_SIDE] = "side-by-side",
	[LAYOUT_PICTURE_IN_PICTURE] = "picture-in-picture",
	[LAYOUT_LECTURE] = "lecture",
	[LAYOUT_CUSTOM] = "custom",
};

enum layout_kind layout_kind_parse(const char *name)
{
	for (enum layout_kind k = LAYOUT_GRID; k <= LAYOUT_CUSTOM; k++)
		if (!strcmp(name, names[k]))
			return k;
	return LAYOUT_NONE;
}

const char *layout_kind_name(enum layout_kind kind)
{
	return kind <= LAYOUT_CUSTOM ? names[kind] : "";
}

/* --- parts of the canvas ------------------------------------------------------ */

/* The largest tile in the middle of an area. */
static struct rect tile_in(const struct rect *area)
{
	int w, h;

	fit_tile(area->w, area->h, &w, &h);
	return (struct rect){ area->x + even((area->w - w) / 2), area->y + even((area->h - h) / 2), w,
			      h };
}

static size_t grid_in(const struct rect *area, size_t n, struct layout_slot *out)
{
	struct rect r[LAYOUT_MAX_TILES];

	n = layout_grid(n, area->w, area->h, r);
	for (size_t i = 0; i < n; i++) {
		r[i].x += area->x;
		r[i].y += area->y;
		out[i] = (struct layout_slot){ .rect = r[i] };
	}
	return n;
}

static bool large_enough(const struct rect *r)
{
	return r->w >= LAYOUT_MIN_TILE && r->h >= LAYOUT_MIN_TILE;
}

/* How the canvas is divided by k: one tile of (k-1)/k of it, at its upper left, and
 * a column to the right and a row below that hold up to k - 1 and k of 1/k. */
struct angle {
	struct rect main;
	int k, w, h; /* small tiles */
};

static struct angle angle_of(const struct rect *stage, int k)
{
	struct angle a = { .k = k };

	fit_tile(stage->w / k, stage->h / k, &a.w, &a.h);
	fit_tile(stage->w - a.w, stage->h - a.h, &a.main.w, &a.main.h);
	a.main.x = stage->x;
	a.main.y = stage->y;
	return a;
}

static int larger(int a, int b)
{
	return a > b ? a : b;
}

/* The column from the top, then the row from the right corner to the left. */
static void angle_small(const struct angle *a, size_t n, struct layout_slot *out)
{
	int column = a->k - 1;
	int right = a->main.x + larger(a->main.w, column * a->w);
	int bottom = a->main.y + larger(a->main.h, column * a->h);

	for (size_t i = 0; i < n; i++) {
		int k = (int)i;
		struct rect r = { right, a->main.y + k * a->h, a->w, a->h };

		if (k >= column) {
			r.x = right - (k - column) * a->w;
			r.y = bottom;
		}
		out[i] = (struct layout_slot){ .rect = r };
	}
}

enum { STRIP = 5, MOST_SMALL = 15 /* more would be too small to see */ };

/* Up to STRIP small tiles stand in a row below, or in a column beside, the large one. */
static void strip(const struct rect *stage, size_t n, bool column, struct layout_slot *out)
{
	struct angle a = angle_of(stage, STRIP);
	int count = (int)n;

	out[0].rect = a.main;
	if (column)
		out[0].rect.y += even((stage->h - a.main.h) / 2);
	else
		out[0].rect.x += even((stage->w - a.main.w) / 2);
	for (int i = 0; i < count; i++) {
		struct rect r = { stage->x + a.main.w, stage->y + i * a.h, a.w, a.h };

		if (!column) {
			r.x = stage->x + even((stage->w - count * a.w) / 2) + i * a.w;
			r.y = stage->y + a.main.h;
		} else if (count < STRIP) {
			r.y = out[0].rect.y + i * a.h;
		}
		out[1 + i] = (struct layout_slot){ .rect = r };
	}
}

/* One large tile and n - 1 small ones. A canvas that is clearly higher than 16:9
 * has the small ones in a grid below. */
static size_t large_and_strip(size_t n, int w, int h, bool column, struct layout_slot *out)
{
	const struct rect canvas = { 0, 0, w, h };
	struct rect stage = tile_in(&canvas), below = { 0, stage.h, w, h - stage.h };
	size_t others = n - 1 < MOST_SMALL ? n - 1 : MOST_SMALL;
	int k = STRIP;

	if (!large_enough(&stage))
		return 0;
	out[0] = (struct layout_slot){ .rect = stage };
	if (!others)
		return 1;
	if (below.h >= h / STRIP && stage.w >= even(w) - 2) {
		out[0].rect.y = 0;
		return 1 + grid_in(&below, others, out + 1);
	}
	if (others <= STRIP) {
		strip(&stage, others, column, out);
	} else {
		struct angle a;

		while (2 * k - 1 < (int)others)
			k++;
		a = angle_of(&stage, k);
		out[0].rect = a.main;
		angle_small(&a, others, out + 1);
	}
	return large_enough(&out[1].rect) ? 1 + others : 1;
}

/* --- layouts -------------------------------------------------------------------- */

static size_t alone(int w, int h, struct layout_slot *out)
{
	const struct rect canvas = { 0, 0, w, h };

	out[0] = (struct layout_slot){ .rect = tile_in(&canvas) };
	return large_enough(&out[0].rect);
}

static size_t picture_in_picture(size_t n, int w, int h, struct layout_slot *out)
{
	size_t done = alone(w, h, out);
	const struct rect *r = &out[0].rect;
	int small_w, small_h, margin = even(r->h / 36);

	fit_tile(r->w / 4, r->h / 4, &small_w, &small_h);
	if (!done || n < 2 || small_w < LAYOUT_MIN_TILE || small_h < LAYOUT_MIN_TILE)
		return done;
	out[1] = (struct layout_slot){
		.rect = { r->x + r->w - margin - small_w, r->y + r->h - margin - small_h, small_w,
			  small_h },
		.z = 1,
	};
	return 2;
}

static int nearest_even(double v)
{
	return 2 * (int)(v / 2 + 0.5);
}

/* Both edges are rounded, so that regions that touch go on touching. */
static size_t custom(const struct layout_region *region, size_t n, int w, int h,
		     struct layout_slot *out)
{
	size_t k = 0;

	for (size_t i = 0; i < n && k < LAYOUT_MAX_TILES; i++) {
		const struct layout_region *g = &region[i];
		struct rect r = { nearest_even(g->x * w), nearest_even(g->y * h),
				  nearest_even((g->x + g->w) * w), nearest_even((g->y + g->h) * h) };

		r.w = (r.w < even(w) ? r.w : even(w)) - r.x;
		r.h = (r.h < even(h) ? r.h : even(h)) - r.y;
		if (large_enough(&r))
			out[k++] = (struct layout_slot){ r, g->z, g->role };
	}
	return k;
}

static size_t shape(enum layout_kind kind, size_t n, bool content, int w, int h,
		    struct layout_slot *out)
{
	const struct rect canvas = { 0, 0, w, h };

	switch (kind) {
	case LAYOUT_SPEAKER: return large_and_strip(n, w, h, false, out);
	case LAYOUT_PRESENTATION: return large_and_strip(n, w, h, content, out);
	case LAYOUT_SPEAKER_ONLY:
	case LAYOUT_LECTURE: return alone(w, h, out);
	case LAYOUT_SIDE_BY_SIDE: return grid_in(&canvas, n < 2 ? n : 2, out);
	case LAYOUT_PICTURE_IN_PICTURE: return picture_in_picture(n, w, h, out);
	default: return grid_in(&canvas, n, out);
	}
}

static void assign_roles(enum layout_kind kind, bool content, struct layout_slot *out, size_t n)
{
	bool shows_content = content && kind != LAYOUT_SPEAKER && kind != LAYOUT_SPEAKER_ONLY;

	if (kind == LAYOUT_GRID || !n)
		return;
	out[0].role = shows_content ? LAYOUT_FOR_CONTENT : LAYOUT_FOR_SPEAKER;
	if (n > 1 && (shows_content || kind == LAYOUT_SIDE_BY_SIDE ||
		      kind == LAYOUT_PICTURE_IN_PICTURE))
		out[1].role = LAYOUT_FOR_SPEAKER;
}

size_t layout_slots(enum layout_kind kind, size_t n, bool content,
		    const struct layout_region *region, size_t n_regions, int canvas_w,
		    int canvas_h, struct layout_slot *out)
{
	if (!n || canvas_w < LAYOUT_MIN_TILE || canvas_h < LAYOUT_MIN_TILE ||
	    canvas_w > MAX_CANVAS || canvas_h > MAX_CANVAS)
		return 0;
	if (kind == LAYOUT_CUSTOM)
		return custom(region, n_regions, canvas_w, canvas_h, out);
	n = shape(kind, n < LAYOUT_MAX_TILES ? n : LAYOUT_MAX_TILES, content, canvas_w, canvas_h, out);
	assign_roles(kind, content, out, n);
	return n;
}

/* --- custom layouts -------------------------------------------------------------- */

static const char *wrong_with(const struct layout_region *r)
{
	/* a NaN fails each of these */
	if (!(r->x >= 0 && r->x <= 1 && r->y >= 0 && r->y <= 1))
		return "begins outside of the picture; x and y are fractions from 0 to 1";
	if (!(r->w >= 0.02 && r->h >= 0.02))
		return "is too small; width and height are fractions of at least 0.02";
	if (!(r->x + r->w <= 1.0001 && r->y + r->h <= 1.0001))
		return "reaches beyond the picture; x + width and y + height are at most 1";
	if (r->z < LAYOUT_MIN_Z || r->z > LAYOUT_MAX_Z)
		return "has a z that is not between -100 and 100";
	return NULL;
}

static bool overlap(const struct layout_region *a, const struct layout_region *b)
{
	const double slack = 0.0005;

	return a->x + slack < b->x + b->w && b->x + slack < a->x + a->w &&
	       a->y + slack < b->y + b->h && b->y + slack < a->y + a->h;
}

int layout_check_regions(const struct layout_region *region, size_t n, struct errmsg *why)
{
	if (!n || n > LAYOUT_MAX_TILES)
		return errmsg_set(why, -EINVAL, "layout_invalid",
				  "A custom layout has 1 to %d regions; this one has %zu.",
				  LAYOUT_MAX_TILES, n);
	for (size_t i = 0; i < n; i++) {
		const char *wrong = wrong_with(&region[i]);

		if (wrong)
			return errmsg_set(why, -EINVAL, "layout_invalid", "Region %zu %s.", i + 1,
					  wrong);
		for (size_t k = 0; k < i; k++)
			if (region[k].z == region[i].z && overlap(&region[k], &region[i]))
				return errmsg_set(why, -EINVAL, "layout_invalid",
						  "Regions %zu and %zu overlap and have the same z. "
						  "Give the one in front a higher z.", k + 1, i + 1);
	}
	return 0;
}
