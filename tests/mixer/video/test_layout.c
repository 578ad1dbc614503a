#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "mixer/video/layout.h"

static void assert_rect(const struct rect *r, int x, int y, int w, int h)
{
	assert_int_equal(r->x, x);
	assert_int_equal(r->y, y);
	assert_int_equal(r->w, w);
	assert_int_equal(r->h, h);
}

static void test_hd_table(void **state)
{
	static const struct {
		size_t n;
		struct rect first, last;
	} want[] = {
		{ 1, { 0, 0, 1280, 720 }, { 0, 0, 1280, 720 } },
		{ 2, { 0, 180, 640, 360 }, { 640, 180, 640, 360 } },
		{ 3, { 0, 0, 640, 360 }, { 320, 360, 640, 360 } },
		{ 4, { 0, 0, 640, 360 }, { 640, 360, 640, 360 } },
		{ 5, { 0, 120, 426, 240 }, { 640, 360, 426, 240 } },
		{ 6, { 0, 120, 426, 240 }, { 852, 360, 426, 240 } },
		{ 7, { 0, 0, 426, 240 }, { 426, 480, 426, 240 } },
		{ 9, { 0, 0, 426, 240 }, { 852, 480, 426, 240 } },
		{ 12, { 0, 90, 320, 180 }, { 960, 450, 320, 180 } },
		{ 16, { 0, 0, 320, 180 }, { 960, 540, 320, 180 } },
		{ 25, { 0, 0, 256, 144 }, { 1024, 576, 256, 144 } },
	};
	struct rect r[LAYOUT_MAX_TILES];

	(void)state;
	for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
		const struct rect *f = &want[i].first, *l = &want[i].last;

		assert_int_equal(layout_grid(want[i].n, 1280, 720, r), want[i].n);
		assert_rect(&r[0], f->x, f->y, f->w, f->h);
		assert_rect(&r[want[i].n - 1], l->x, l->y, l->w, l->h);
	}
}

static int overlaps(const struct rect *a, const struct rect *b)
{
	return a->x < b->x + b->w && b->x < a->x + a->w && a->y < b->y + b->h && b->y < a->y + a->h;
}

static void check_grid(size_t n, int w, int h)
{
	struct rect r[LAYOUT_MAX_TILES];

	assert_int_equal(layout_grid(n, w, h, r), n);
	for (size_t i = 0; i < n; i++) {
		double shape = (double)r[i].w / r[i].h;

		assert_int_equal((r[i].x | r[i].y | r[i].w | r[i].h) & 1, 0);
		assert_true(r[i].x >= 0 && r[i].y >= 0);
		assert_true(r[i].x + r[i].w <= w && r[i].y + r[i].h <= h);
		assert_int_equal(r[i].w, r[0].w);
		assert_int_equal(r[i].h, r[0].h);
		/* as near to 16:9 as even sides allow */
		assert_true(shape > (r[i].w - 2.0) / (r[i].w * 9.0 / 16 + 2));
		assert_true(shape < (r[i].w + 2.0) / (r[i].w * 9.0 / 16 - 2));
		for (size_t k = 0; k < i; k++)
			assert_false(overlaps(&r[i], &r[k]));
	}
	/* the last row is centred */
	{
		int left = r[n - 1].x, right;

		for (size_t i = n; i-- > 0 && r[i].y == r[n - 1].y;)
			left = r[i].x;
		right = w - (r[n - 1].x + r[n - 1].w);
		assert_in_range(right - left + 2, 0, 4);
	}
}

static void test_properties(void **state)
{
	static const int size[][2] = { { 1280, 720 }, { 640, 360 },  { 1920, 1080 },
				       { 320, 180 },  { 720, 1280 }, { 1024, 768 } };

	(void)state;
	for (size_t s = 0; s < sizeof size / sizeof *size; s++) {
		for (size_t n = 1; n <= LAYOUT_MAX_TILES; n++)
			check_grid(n, size[s][0], size[s][1]);
	}
}

/* One more participant never makes the tiles larger. */
static void test_monotonous(void **state)
{
	struct rect r[LAYOUT_MAX_TILES];
	int last = 1 << 30;

	(void)state;
	for (size_t n = 1; n <= LAYOUT_MAX_TILES; n++) {
		layout_grid(n, 1280, 720, r);
		assert_true(r[0].w * r[0].h <= last);
		last = r[0].w * r[0].h;
	}
}

static void test_limits(void **state)
{
	struct rect r[LAYOUT_MAX_TILES];

	(void)state;
	assert_int_equal(layout_grid(0, 1280, 720, r), 0);
	assert_int_equal(layout_grid(500, 1280, 720, r), LAYOUT_MAX_TILES);
	assert_int_equal(layout_grid(4, 30, 30, r), 0);
	assert_int_equal(layout_grid(1, -2, 1 << 20, r), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hd_table),
		cmocka_unit_test(test_properties),
		cmocka_unit_test(test_monotonous),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
