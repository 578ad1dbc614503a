#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "mcu/base/role.h"
#include "mixer/video/compositor.h"
#include "mixer/video/motion.h"
#include "tests/mixer/video/picture.h"

enum { W = 1280, H = 720, MS = 300 };

#define AT(ms) ((int64_t)(ms) * 1000000)

static const struct motion_tile alone[] = { { 7, { 0, 0, W, H } } };
static const struct motion_tile two[] = { { 7, { 0, 180, 640, 360 } },
					  { 9, { 640, 180, 640, 360 } } };

static void assert_at(const struct motion *m, size_t i, int x, int y, int w, int h)
{
	const struct rect *r = motion_at(m, i);

	if (r->x != x || r->y != y || r->w != w || r->h != h)
		fail_msg("tile %zu at %d,%d %dx%d", i, r->x, r->y, r->w, r->h);
}

static void test_from_one_to_two(void **state)
{
	struct motion m = { .duration_ns = AT(MS) };
	int last_w = W, new_w = 0;

	(void)state;
	assert_false(motion_follow(&m, alone, 1, AT(0)));
	assert_at(&m, 0, 0, 0, W, H);
	for (int t = 0; t < MS - 20; t += 33) {
		const struct rect *old = motion_at(&m, 0), *new = motion_at(&m, 1);

		assert_true(motion_follow(&m, two, 2, AT(1000 + t)));
		assert_int_equal((old->x | old->y | old->w | old->h) & 1, 0);
		assert_true(old->w <= last_w && new->w >= new_w);
		assert_true(!new->w || (new->x >= 640 && new->x + new->w <= W));
		last_w = old->w;
		new_w = new->w;
	}
	/* begun where it was */
	assert_true(last_w < 700 && new_w > 500);
	assert_false(motion_follow(&m, two, 2, AT(1000 + MS)));
	assert_at(&m, 0, 0, 180, 640, 360);
	assert_at(&m, 1, 640, 180, 640, 360);
	/* and gone at once */
	assert_true(motion_follow(&m, alone, 1, AT(2000)));
	assert_at(&m, 0, 0, 180, 640, 360);
	assert_false(motion_follow(&m, alone, 1, AT(9000)));
}

static void test_turned_round_on_the_way(void **state)
{
	struct motion m = { .duration_ns = AT(MS) };
	struct rect before;

	(void)state;
	motion_follow(&m, alone, 1, AT(0));
	motion_follow(&m, two, 2, AT(1000));
	motion_follow(&m, two, 2, AT(1050));
	before = *motion_at(&m, 0);
	assert_true(before.w < W && before.w > 640);
	assert_true(motion_follow(&m, alone, 1, AT(1083)));
	assert_at(&m, 0, before.x, before.y, before.w, before.h);
	/* who comes back had been seen until a moment ago, but is new */
	assert_true(motion_follow(&m, two, 2, AT(1116)));
	assert_at(&m, 1, 0, 0, 0, 0);
}

static void test_switched_off(void **state)
{
	struct motion m = { 0 };

	(void)state;
	assert_false(motion_follow(&m, alone, 1, AT(0)));
	assert_false(motion_follow(&m, two, 2, AT(1)));
	assert_at(&m, 1, 640, 180, 640, 360);
	assert_false(motion_follow(&m, NULL, 0, AT(2)));
}

enum { RED = 0xc03030, GREEN = 0x30c030 };

static void scene_of(struct scene_tile *tile, const struct motion_tile *at, size_t n,
		     struct vframe *const *frame)
{
	for (size_t i = 0; i < n; i++)
		tile[i] = (struct scene_tile){ .leg_id = at[i].leg_id, .rect = at[i].rect,
					       .state = TILE_LIVE, .frame = frame[i] };
}

static bool is(const struct vframe *f, int x, int y, uint32_t rgb)
{
	return picture_distance(picture_at(f, x, y), yuv_of_rgb(rgb)) <= 1;
}

/* On the canvas: seen on the way, each tile once per picture, and at its place. */
static void test_tiles_glide(void **state)
{
	struct vframe *frame[2] = { picture_flat(640, 360, RED), picture_flat(640, 360, GREEN) };
	struct compositor *c = NULL;
	struct compositor_stats s;
	struct scene_tile tile[2];
	struct vframe *f = NULL;
	bool changed = true, between = false;

	(void)state;
	assert_int_equal(compositor_new(&c, W, H), 0);
	compositor_set_transition(c, MS);
	scene_of(tile, alone, 1, frame);
	for (int t = 0; changed; t++) {
		assert_int_equal(compositor_paint(c, &(struct scene){ tile, 1 }, AT(t), &f, &changed), 0);
		vframe_unref(&f);
	}
	scene_of(tile, two, 2, frame);
	for (int t = 0; t < 9; t++) {
		assert_int_equal(compositor_paint(c, &(struct scene){ tile, 2 }, AT(1000 + 33 * t), &f,
						  &changed), 0);
		assert_true(changed);
		assert_true(is(f, 300, 300, RED));
		if (!t)
			assert_true(is(f, 1200, 600, RED));
		/* neither the old place nor the new one */
		between = between || (is(f, 300, 100, RED) && !is(f, 300, 10, RED));
		vframe_unref(&f);
	}
	assert_true(between);
	compositor_get_stats(c, &s);
	assert_in_range(s.moves, 9 + 7, 2 * 9);
	for (int t = 0; changed; t++) {
		assert_int_equal(compositor_paint(c, &(struct scene){ tile, 2 }, AT(2000 + t), &f,
						  &changed), 0);
		assert_true(is(f, 300, 360, RED) && is(f, 900, 360, GREEN));
		assert_true(is(f, 300, 100, 0x0f1115));
		vframe_unref(&f);
	}
	compositor_free(&c);
	vframe_unref(&frame[0]);
	vframe_unref(&frame[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_from_one_to_two),
		cmocka_unit_test(test_turned_round_on_the_way),
		cmocka_unit_test(test_switched_off),
		cmocka_unit_test(test_tiles_glide),
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
