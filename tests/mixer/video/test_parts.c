/* What a canvas says of its parts is true: whatever happens in a room, pixels that are
 * in no part that changed are those of the earlier picture. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "mixer/video/compositor.h"
#include "mixer/video/shrink.h"
#include "tests/mixer/video/picture.h"

enum { W = 480, H = 272, LEGS = 6, PAST = 4, STEPS = 400 };

struct past {
	struct vframe *f;
	uint64_t gen;
};

struct rig {
	struct compositor *c;
	struct shrink *shrink;
	struct scene_tile tile[LEGS];
	struct scene scene;
	struct signs_wanted signs;
	struct past canvas[PAST], small[PAST];
	uint64_t still, moved; /* pixels */
	uint32_t r;
	int64_t now_ns;
};

static unsigned rnd(struct rig *g, unsigned n)
{
	g->r = g->r * 1664525u + 1013904223u;
	return (g->r >> 16) % n;
}

static void copy_of(struct past *to, const struct vframe *f)
{
	struct planes a, b;

	vframe_unref(&to->f);
	assert_int_equal(vframe_new_canvas(&to->f, f->av->width, f->av->height), 0);
	planes_of_frame(&a, to->f->av);
	planes_of_frame(&b, f->av);
	planes_copy(&a, &b);
	to->gen = f->gen;
}

static bool has_changed(const struct vframe_parts *p, int x, int y, uint64_t since)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct vframe_part *a = &p->part[i];

		if (a->since > since && x >= a->x && y >= a->y && x < a->x + a->w && y < a->y + a->h)
			return true;
	}
	return false;
}

static void check(struct rig *g, const struct vframe *f, const struct past *past)
{
	int w = f->av->width, h = f->av->height;

	if (!past->f || f->parts->all_since > past->gen)
		return;
	for (int y = 0; y < h; y++)
		for (int x = 0; x < w; x++) {
			struct yuv a, b;

			if (has_changed(f->parts, x, y, past->gen)) {
				g->moved++;
				continue;
			}
			a = picture_at(f, x, y);
			b = picture_at(past->f, x, y);
			g->still++;
			if (a.y != b.y || a.u != b.u || a.v != b.v)
				fail_msg("%d,%d of %dx%d changed between %llu and %llu", x, y, w, h,
					 (unsigned long long)past->gen, (unsigned long long)f->gen);
		}
}

static void lay_out(struct rig *g, size_t n)
{
	struct rect rect[LAYOUT_MAX_TILES];

	assert_int_equal(layout_grid(n, W, H, rect), n);
	for (size_t i = 0; i < n; i++)
		g->tile[i].rect = rect[i];
	if (n > 2 && rnd(g, 2)) /* one in front of others */
		g->tile[n - 1].rect = (struct rect){ 100, 60, 200, 112 };
	g->scene = (struct scene){ g->tile, n };
}

static void change(struct rig *g)
{
	struct scene_tile *t = &g->tile[rnd(g, LEGS)];

	switch (rnd(g, 24)) {
	case 0: lay_out(g, 1 + rnd(g, LEGS)); break;
	case 1: t->speaking = !t->speaking; break;
	case 2: t->state = rnd(g, 3) ? TILE_LIVE : TILE_MUTED; break;
	case 3: t->audio_muted = !t->audio_muted; break;
	case 4: compositor_set_page(g->c, rnd(g, 2) ? 0x102030 : 0x302010, NULL); break;
	case 5:
		g->signs.banner = rnd(g, 2) ? "Break until ten" : NULL;
		compositor_set_signs(g->c, &g->signs);
		break;
	case 6: compositor_set_transition(g->c, rnd(g, 2) ? 100 : 0); break;
	case 7: case 8: case 9: case 10: case 11: break; /* nothing */
	default: {
		struct vframe *f = picture_waves(160, 90, (int)rnd(g, 1000));

		vframe_unref((struct vframe **)&t->frame);
		t->frame = f;
	}
	}
}

static void step(struct rig *g)
{
	struct vframe *f = NULL, *small = NULL;
	bool changed;

	change(g);
	g->now_ns += 33 * 1000 * 1000;
	assert_int_equal(compositor_paint(g->c, &g->scene, g->now_ns, &f, &changed), 0);
	assert_int_equal(shrink_make(g->shrink, f, &small), 0);
	assert_true(f->parts->painter && small->parts->painter);
	for (int i = 0; i < PAST; i++) {
		check(g, f, &g->canvas[i]);
		check(g, small, &g->small[i]);
	}
	copy_of(&g->canvas[rnd(g, PAST)], f);
	copy_of(&g->small[rnd(g, PAST)], small);
	vframe_unref(&f);
	vframe_unref(&small);
}

static void test_parts_are_true(void **state)
{
	struct rig g = { .r = 7 };

	(void)state;
	role_assert_mixv();
	assert_int_equal(compositor_new(&g.c, W, H), 0);
	assert_int_equal(shrink_new(&g.shrink, W / 2, H / 2), 0);
	for (unsigned i = 0; i < LEGS; i++)
		g.tile[i] = (struct scene_tile){ .leg_id = i + 1, .name = "Ann", .state = TILE_LIVE,
						 .frame = picture_waves(160, 90, (int)i) };
	lay_out(&g, LEGS);
	for (int i = 0; i < STEPS; i++)
		step(&g);
	/* and they say something */
	assert_true(g.still > g.moved);
	assert_true(g.moved > 0);
	for (int i = 0; i < PAST; i++) {
		vframe_unref(&g.canvas[i].f);
		vframe_unref(&g.small[i].f);
	}
	for (int i = 0; i < LEGS; i++)
		vframe_unref((struct vframe **)&g.tile[i].frame);
	compositor_free(&g.c);
	shrink_free(&g.shrink);
}

/* A canvas that is written by somebody who says nothing. */
static void test_nothing_is_known(void **state)
{
	struct vframe *f = picture_flat(64, 64, 0);

	(void)state;
	f->parts->painter = 5;
	vframe_renew(f);
	assert_int_equal(f->parts->painter, 0);
	vframe_unref(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parts_are_true),
		cmocka_unit_test(test_nothing_is_known),
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
