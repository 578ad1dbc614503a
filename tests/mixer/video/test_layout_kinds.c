#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "mixer/video/layout.h"

static void assert_rect(const struct rect *r, int x, int y, int w, int h)
{
	if (r->x != x || r->y != y || r->w != w || r->h != h)
		fail_msg("%d,%d %dx%d instead of %d,%d %dx%d", r->x, r->y, r->w, r->h, x, y, w, h);
}

static void test_names(void **state)
{
	(void)state;
	for (enum layout_kind k = LAYOUT_GRID; k <= LAYOUT_CUSTOM; k++)
		assert_int_equal(layout_kind_parse(layout_kind_name(k)), k);
	assert_string_equal(layout_kind_name(LAYOUT_PICTURE_IN_PICTURE), "picture-in-picture");
	assert_int_equal(layout_kind_parse(""), LAYOUT_NONE);
	assert_int_equal(layout_kind_parse("Grid"), LAYOUT_NONE);
}

#define S LAYOUT_FOR_SPEAKER
#define C LAYOUT_FOR_CONTENT
#define N LAYOUT_NEXT

static void test_hd_table(void **state)
{
	static const struct {
		enum layout_kind kind;
		size_t n, at;
		bool content;
		size_t slots;
		int x, y, w, h;
		enum layout_role role;
	} want[] = {
		{ LAYOUT_SPEAKER, 1, 0, 0, 1, 0, 0, 1280, 720, S },
		{ LAYOUT_SPEAKER, 2, 0, 0, 2, 128, 0, 1024, 576, S },
		{ LAYOUT_SPEAKER, 2, 1, 0, 2, 512, 576, 256, 144, N },
		{ LAYOUT_SPEAKER, 6, 1, 0, 6, 0, 576, 256, 144, N },
		{ LAYOUT_SPEAKER, 6, 5, 0, 6, 1024, 576, 256, 144, N },
		{ LAYOUT_SPEAKER, 7, 0, 0, 7, 0, 0, 1024, 576, S },
		{ LAYOUT_SPEAKER, 7, 1, 0, 7, 1024, 0, 256, 144, N },
		{ LAYOUT_SPEAKER, 7, 5, 0, 7, 1024, 576, 256, 144, N },
		{ LAYOUT_SPEAKER, 7, 6, 0, 7, 768, 576, 256, 144, N },
		{ LAYOUT_SPEAKER, 10, 9, 0, 10, 0, 576, 256, 144, N },
		{ LAYOUT_SPEAKER, 16, 0, 0, 16, 0, 0, 1120, 630, S },
		{ LAYOUT_SPEAKER, 16, 15, 0, 16, 0, 630, 160, 90, N },
		{ LAYOUT_SPEAKER, 30, 15, 0, 16, 0, 630, 160, 90, N },
		{ LAYOUT_SPEAKER_ONLY, 9, 0, 1, 1, 0, 0, 1280, 720, S },
		{ LAYOUT_LECTURE, 9, 0, 0, 1, 0, 0, 1280, 720, S },
		{ LAYOUT_LECTURE, 9, 0, 1, 1, 0, 0, 1280, 720, C },
		{ LAYOUT_PRESENTATION, 1, 0, 1, 1, 0, 0, 1280, 720, C },
		{ LAYOUT_PRESENTATION, 4, 0, 1, 4, 0, 72, 1024, 576, C },
		{ LAYOUT_PRESENTATION, 4, 1, 1, 4, 1024, 72, 256, 144, S },
		{ LAYOUT_PRESENTATION, 4, 3, 1, 4, 1024, 360, 256, 144, N },
		{ LAYOUT_PRESENTATION, 6, 5, 1, 6, 1024, 576, 256, 144, N },
		{ LAYOUT_PRESENTATION, 8, 1, 1, 8, 1024, 0, 256, 144, S },
		{ LAYOUT_PRESENTATION, 2, 0, 0, 2, 128, 0, 1024, 576, S },
		{ LAYOUT_PRESENTATION, 2, 1, 0, 2, 512, 576, 256, 144, N },
		{ LAYOUT_SIDE_BY_SIDE, 1, 0, 0, 1, 0, 0, 1280, 720, S },
		{ LAYOUT_SIDE_BY_SIDE, 5, 0, 1, 2, 0, 180, 640, 360, C },
		{ LAYOUT_SIDE_BY_SIDE, 5, 1, 1, 2, 640, 180, 640, 360, S },
		{ LAYOUT_SIDE_BY_SIDE, 5, 0, 0, 2, 0, 180, 640, 360, S },
		{ LAYOUT_PICTURE_IN_PICTURE, 1, 0, 0, 1, 0, 0, 1280, 720, S },
		{ LAYOUT_PICTURE_IN_PICTURE, 7, 0, 1, 2, 0, 0, 1280, 720, C },
		{ LAYOUT_PICTURE_IN_PICTURE, 7, 1, 1, 2, 940, 520, 320, 180, S },
		{ LAYOUT_GRID, 3, 2, 1, 3, 320, 360, 640, 360, N },
	};
	struct layout_slot s[LAYOUT_MAX_TILES];

	(void)state;
	for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
		assert_int_equal(layout_slots(want[i].kind, want[i].n, want[i].content, NULL, 0, 1280,
					      720, s), want[i].slots);
		assert_rect(&s[want[i].at].rect, want[i].x, want[i].y, want[i].w, want[i].h);
		assert_int_equal(s[want[i].at].role, want[i].role);
	}
}

static int overlaps(const struct rect *a, const struct rect *b)
{
	return a->x < b->x + b->w && b->x < a->x + a->w && a->y < b->y + b->h && b->y < a->y + a->h;
}

static void check(enum layout_kind kind, size_t n, bool content, int w, int h)
{
	struct layout_slot s[LAYOUT_MAX_TILES];
	size_t got = layout_slots(kind, n, content, NULL, 0, w, h, s);

	assert_in_range(got, 1, n);
	for (size_t i = 0; i < got; i++) {
		const struct rect *r = &s[i].rect;

		if (((r->x | r->y | r->w | r->h) & 1) || r->x < 0 || r->y < 0 || r->x + r->w > w ||
		    r->y + r->h > h || r->w < LAYOUT_MIN_TILE || r->h < LAYOUT_MIN_TILE)
			fail_msg("%s of %zu in %dx%d: tile %zu is %d,%d %dx%d", layout_kind_name(kind),
				 n, w, h, i, r->x, r->y, r->w, r->h);
		/* as near to 16:9 as even sides allow */
		assert_true(fabs(r->w * 9.0 / 16 - r->h) < 3);
		for (size_t k = 0; k < i; k++)
			if (s[k].z == s[i].z && overlaps(r, &s[k].rect))
				fail_msg("%s of %zu in %dx%d: tiles %zu and %zu overlap",
					 layout_kind_name(kind), n, w, h, k, i);
	}
}

static void test_properties(void **state)
{
	static const int size[][2] = { { 1280, 720 }, { 640, 360 },   { 1920, 1080 }, { 320, 180 },
				       { 720, 1280 }, { 1024, 768 },  { 641, 361 },   { 1279, 719 },
				       { 853, 480 },  { 1000, 1000 }, { 2560, 1080 }, { 426, 240 },
				       { 333, 777 },  { 1366, 768 } };

	(void)state;
	for (size_t i = 0; i < sizeof size / sizeof *size; i++)
		for (enum layout_kind k = LAYOUT_GRID; k < LAYOUT_CUSTOM; k++)
			for (size_t n = 1; n <= LAYOUT_MAX_TILES; n++)
				for (int content = 0; content < 2; content++)
					check(k, n, content, size[i][0], size[i][1]);
}

static void test_high_canvas(void **state)
{
	struct layout_slot s[LAYOUT_MAX_TILES];

	(void)state;
	assert_int_equal(layout_slots(LAYOUT_SPEAKER, 5, false, NULL, 0, 720, 1280, s), 5);
	assert_rect(&s[0].rect, 0, 0, 720, 406);
	assert_true(s[1].rect.y >= 406);
	assert_true(s[1].rect.w >= 360);
	assert_int_equal(layout_slots(LAYOUT_SPEAKER, 5, false, NULL, 0, 1024, 768, s), 5);
	assert_rect(&s[0].rect, 0, 0, 1024, 576);
}

static void test_limits(void **state)
{
	struct layout_slot s[LAYOUT_MAX_TILES];

	(void)state;
	for (enum layout_kind k = LAYOUT_GRID; k <= LAYOUT_CUSTOM; k++) {
		assert_int_equal(layout_slots(k, 0, true, NULL, 0, 1280, 720, s), 0);
		assert_int_equal(layout_slots(k, 1, false, NULL, 0, 14, 14, s), 0);
		assert_int_equal(layout_slots(k, 3, false, NULL, 0, -1, 1 << 20, s), 0);
	}
	/* too small for a strip or a small picture */
	assert_int_equal(layout_slots(LAYOUT_SPEAKER, 4, false, NULL, 0, 64, 36, s), 1);
	assert_int_equal(layout_slots(LAYOUT_PICTURE_IN_PICTURE, 4, false, NULL, 0, 64, 36, s), 1);
}

static void test_custom(void **state)
{
	static const struct layout_region third[] = {
		{ 0, 0, 1, 1, 0, C },
		{ 0, 0, 1.0 / 3, 1.0 / 3, 1, S },
		{ 1.0 / 3, 0, 1.0 / 3, 1.0 / 3, 1, N },
		{ 2.0 / 3, 2.0 / 3, 1.0 / 3, 1.0 / 3, 5, N },
	};
	struct layout_slot s[LAYOUT_MAX_TILES];

	(void)state;
	assert_int_equal(layout_slots(LAYOUT_CUSTOM, 9, false, third, 4, 1280, 720, s), 4);
	assert_rect(&s[0].rect, 0, 0, 1280, 720);
	assert_rect(&s[1].rect, 0, 0, 426, 240);
	assert_rect(&s[2].rect, 426, 0, 428, 240);
	assert_rect(&s[3].rect, 854, 480, 426, 240);
	assert_int_equal(s[3].z, 5);
	assert_int_equal(s[1].role, S);
	/* an odd canvas, and one on which the small regions vanish */
	assert_int_equal(layout_slots(LAYOUT_CUSTOM, 9, false, third, 4, 641, 361, s), 4);
	assert_rect(&s[0].rect, 0, 0, 640, 360);
	assert_rect(&s[3].rect, 428, 240, 212, 120);
	assert_int_equal(layout_slots(LAYOUT_CUSTOM, 9, false, third, 4, 40, 24, s), 1);
}

static void test_regions_are_checked(void **state)
{
	static const struct {
		struct layout_region r[2];
		size_t n;
		const char *says;
	} bad[] = {
		{ { { 0, 0, 1, 1, 0, N } }, 0, "1 to 49 regions" },
		{ { { 0, 0, 1, 1, 0, N } }, 50, "1 to 49 regions" },
		{ { { -0.1, 0, 0.5, 0.5, 0, N } }, 1, "Region 1 begins outside" },
		{ { { 0, 0, 0.5, 0.01, 0, N } }, 1, "Region 1 is too small" },
		{ { { 0, 0, 1, 1, 0, N }, { 0.6, 0, 0.5, 0.5, 1, N } }, 2, "Region 2 reaches beyond" },
		{ { { 0, 0, 1, 1, 101, N } }, 1, "Region 1 has a z" },
		{ { { 0, 0, 0.6, 1, 0, N }, { 0.5, 0, 0.5, 1, 0, N } }, 2, "Regions 1 and 2 overlap" },
	};
	struct layout_region nan = { (double)NAN, 0, 0.5, 0.5, 0, N };
	static const struct layout_region good[] = { { 0, 0, 0.5, 1, 0, N }, { 0.5, 0, 0.5, 1, 0, N },
						     { 0.4, 0.4, 0.2, 0.2, 1, S } };
	struct errmsg why;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_true(layout_check_regions(bad[i].r, bad[i].n, &why) < 0);
		assert_string_equal(why.code, "layout_invalid");
		if (!strstr(why.text, bad[i].says))
			fail_msg("\"%s\" instead of \"%s\"", why.text, bad[i].says);
	}
	assert_true(layout_check_regions(&nan, 1, &why) < 0);
	assert_int_equal(layout_check_regions(good, 3, &why), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),	    cmocka_unit_test(test_hd_table),
		cmocka_unit_test(test_properties),  cmocka_unit_test(test_high_canvas),
		cmocka_unit_test(test_limits),	    cmocka_unit_test(test_custom),
		cmocka_unit_test(test_regions_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
