/* The steady state of composing takes no memory from the system. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "mixer/video/compositor.h"
#include "tests/mixer/video/picture.h"
#include "tests/support/alloc_count.h"

enum { W = 1280, H = 720, TILES = 9, FRAMES = 3, TICKS = 30 };

static void test_compose(void **state)
{
	/* a copy, 2:1, 4:1, 1:2, odd ratios both ways, other shapes, turned ones */
	static const int size[TILES][3] = { { 426, 240, 0 },  { 852, 480, 0 },	{ 1704, 960, 0 },
					    { 212, 120, 0 },  { 640, 360, 0 },	{ 160, 90, 0 },
					    { 480, 360, 0 },  { 240, 426, 90 }, { 640, 480, 180 } };
	struct vframe *frame[TILES][FRAMES], *canvas;
	struct scene_tile tile[TILES];
	struct rect rect[LAYOUT_MAX_TILES];
	struct compositor *c = NULL;
	struct compositor_stats s;
	uint64_t before = 0;
	bool changed;

	(void)state;
	layout_grid(TILES, W, H, rect);
	for (int i = 0; i < TILES; i++) {
		for (int k = 0; k < FRAMES; k++) {
			frame[i][k] = picture_waves(size[i][0], size[i][1], k);
			frame[i][k]->rotation = (unsigned)size[i][2];
		}
		tile[i] = (struct scene_tile){ .leg_id = (uint32_t)i, .name = "김하늘 Kim",
					       .rect = rect[i], .state = TILE_LIVE,
					       .speaking = i == 1, .audio_muted = i == 2,
					       .fit = i == 6 ? TILE_CROP : TILE_FIT };
	}
	assert_int_equal(compositor_new(&c, W, H), 0);
	for (int t = 0; t < 2 * TICKS; t++) {
		if (t == TICKS)
			before = allocations;
		for (int i = 0; i < TILES; i++)
			tile[i].frame = frame[i][t % FRAMES];
		assert_int_equal(compositor_paint(c, &(struct scene){ tile, TILES }, t, &canvas,
						  &changed), 0);
		assert_true(changed);
		vframe_unref(&canvas);
	}
	assert_true(before > 100);
	assert_int_equal(allocations - before, 0);
	compositor_get_stats(c, &s);
	assert_int_equal(s.copies, 2 * TICKS * 2);
	assert_int_equal(s.scales, 2 * TICKS * 7);
	compositor_free(&c);
	for (int i = 0; i < TILES; i++) {
		for (int k = 0; k < FRAMES; k++)
			vframe_unref(&frame[i][k]);
	}
}

/* Nor do tiles on their way, once the layout's drawings are there. */
static void test_move(void **state)
{
	struct vframe *frame[TILES], *canvas;
	struct rect grid[LAYOUT_MAX_TILES];
	struct scene_tile tile[TILES];
	struct compositor *c = NULL;
	struct compositor_stats s;
	uint64_t before = 0;
	bool changed;

	(void)state;
	layout_grid(TILES, W, H, grid);
	for (int i = 0; i < TILES; i++)
		frame[i] = picture_waves(640, 360, i);
	assert_int_equal(compositor_new(&c, W, H), 0);
	compositor_set_transition(c, 300);
	for (int t = 0; t < 3 * TICKS; t++) {
		for (int i = 0; i < TILES; i++)
			tile[i] = (struct scene_tile){ .leg_id = (uint32_t)i, .name = "Kim",
						       .rect = grid[(i + t / TICKS) % TILES],
						       .state = TILE_LIVE, .frame = frame[i] };
		/* the first picture of a movement makes the stage */
		if (t == 2 * TICKS + 1)
			before = allocations;
		assert_int_equal(compositor_paint(c, &(struct scene){ tile, TILES },
						  (int64_t)t * 33333333, &canvas, &changed), 0);
		vframe_unref(&canvas);
	}
	assert_int_equal(allocations - before, 0);
	compositor_get_stats(c, &s);
	assert_true(s.moves >= TILES * 16);
	compositor_free(&c);
	for (int i = 0; i < TILES; i++)
		vframe_unref(&frame[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_compose),
					    cmocka_unit_test(test_move) };

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
