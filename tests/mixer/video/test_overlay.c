#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "mixer/video/overlay.h"
#include "mixer/video/text.h"
#include "tests/mixer/video/picture.h"

static const struct yuv BACK = { 120, 100, 150 };

/* A tile with one overlay over BACK. */
static struct vframe *over(struct sprite *s, int w, int h)
{
	struct vframe *f = picture_flat(w, h, 0);
	struct planes p;

	planes_of_frame(&p, f->av);
	planes_fill(&p, BACK);
	sprite_blend(s, &p);
	sprite_free(&s);
	return f;
}

static struct vframe *label(const char *name, bool muted, int w, int h)
{
	struct sprite *s = NULL;

	assert_int_equal(overlay_label(&s, name, muted, w, h), 0);
	return over(s, w, h);
}

static size_t count_luma(const struct vframe *f, int from, int to)
{
	size_t n = 0;

	for (int y = 0; y < f->av->height; y++) {
		for (int x = 0; x < f->av->width; x++) {
			int v = picture_at(f, x, y).y;

			n += v >= from && v <= to;
		}
	}
	return n;
}

static size_t count_differing(const struct vframe *a, const struct vframe *b)
{
	size_t n = 0;

	for (int y = 0; y < a->av->height; y++) {
		for (int x = 0; x < a->av->width; x++)
			n += abs(picture_at(a, x, y).y - picture_at(b, x, y).y) > 40;
	}
	return n;
}

/* Text of this size is white on dark, at the bottom left, and nowhere else. */
static void check_label(int w, int h)
{
	struct vframe *f = label("Agnes", false, w, h);
	size_t touched = 0;

	assert_true(count_luma(f, 200, 255) > 20);
	assert_true(count_luma(f, 16, 80) > 60);
	for (int y = 0; y < h; y++) {
		for (int x = 0; x < w; x++)
			touched += (y < h * 2 / 3 || x > w * 2 / 3) &&
				   picture_distance(picture_at(f, x, y), BACK);
	}
	assert_int_equal(touched, 0);
	vframe_unref(&f);
}

static void test_label_sizes(void **state)
{
	(void)state;
	check_label(160, 90);
	check_label(320, 180);
	check_label(426, 240);
	check_label(640, 360);
	check_label(1280, 720);
}

/* Syllables that look different must be drawn differently, and not as the box
 * that stands for a missing glyph (a private code point no font has). */
static void test_scripts_are_not_tofu(void **state)
{
	static const char *const names[] = { "강", "물", "한", "あ", "ぬ", "漢", "字", "Ж", "A" };
	enum { N = sizeof names / sizeof *names };
	struct vframe *f[N], *tofu = label("\xf3\xb0\x80\x80", false, 640, 360);

	(void)state;
	for (size_t i = 0; i < N; i++) {
		f[i] = label(names[i], false, 640, 360);
		assert_true(count_luma(f[i], 190, 255) > 10);
		if (count_differing(f[i], tofu) < 15)
			fail_msg("%s is drawn as a missing glyph: is a font with CJK installed?",
				 names[i]);
		for (size_t k = 0; k < i; k++) {
			if (count_differing(f[i], f[k]) < 15)
				fail_msg("%s and %s look the same", names[i], names[k]);
		}
	}
	for (size_t i = 0; i < N; i++)
		vframe_unref(&f[i]);
	vframe_unref(&tofu);
}

static void test_muted_glyph(void **state)
{
	struct vframe *open = label("Kim", false, 640, 360), *muted = label("Kim", true, 640, 360);
	struct vframe *nameless = label("", true, 640, 360), *none = label("", false, 640, 360);
	size_t red[2] = { 0 };

	(void)state;
	for (int y = 0; y < 360; y++) {
		for (int x = 0; x < 640; x++) {
			red[0] += picture_at(open, x, y).v > 170;
			red[1] += picture_at(muted, x, y).v > 170;
		}
	}
	assert_int_equal(red[0], 0);
	assert_true(red[1] > 20);
	assert_true(count_luma(nameless, 16, 90) > 50);
	assert_int_equal(count_luma(none, BACK.y, BACK.y), 640 * 360);
	vframe_unref(&open);
	vframe_unref(&muted);
	vframe_unref(&nameless);
	vframe_unref(&none);
}

/* Whatever a client calls itself. */
static void test_hostile_names(void **state)
{
	static const char *const names[] = {
		"\xff\xfe\x80", "a\nb\tc\x01", "\xe1\x84\x92\xe1\x85\xa1", "<b>&amp;",
		"\xe2\x80\xae" "abc", "ﷺ﷽", "Z̸̢̛̖̬͎͉̪a̴l̵g̶o̷", " ", "👩‍👩‍👧‍👦",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	};

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct sprite *s = NULL;
		struct vframe *f = label(names[i], i & 1, 160, 90);

		assert_int_equal(count_luma(f, BACK.y, BACK.y) > 160 * 90 / 2, 1);
		vframe_unref(&f);
		assert_int_equal(overlay_avatar(&s, names[i], (uint32_t)i, 160, 90), 0);
		assert_non_null(s);
		sprite_free(&s);
	}
}

static void test_tiny_tiles(void **state)
{
	(void)state;
	for (int h = 16; h < 80; h += 2) {
		struct sprite *s[OVERLAY_FRAME_SPRITES];

		assert_int_equal(overlay_label(&s[0], "Kim", true, h, h), 0);
		sprite_free(&s[0]);
		assert_int_equal(overlay_badge(&s[0], h, h), 0);
		sprite_free(&s[0]);
		assert_int_equal(overlay_avatar(&s[0], "Kim", 1, h, h), 0);
		sprite_free(&s[0]);
		assert_int_equal(overlay_frame(s, OVERLAY_PAGE_RGB, true, h, h), 0);
		for (int i = 0; i < OVERLAY_FRAME_SPRITES; i++)
			sprite_free(&s[i]);
	}
}

static void test_initials(void **state)
{
	static const char *const want[][2] = {
		{ "Mira Lindqvist", "ML" }, { "anna", "A" },	   { "김하늘", "김하" },
		{ "田中 美咲", "田中" },    { "이 지은", "이" },   { "jean-luc p", "JL" },
		{ "O'Neil", "O" },	    { "Ann (Seoul)", "A" }, { "  éva   nagy ", "ÉN" },
		{ "room 7", "R7" },	    { "!?", "" },	   { "", "" },
		{ "\xff", "" },		    { "\xe1\x84\x92\xe1\x85\xa1", "하" },
		{ "иван петров", "ИП" },
	};
	char got[16], small[4];

	(void)state;
	for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
		text_initials(want[i][0], got, sizeof got);
		assert_string_equal(got, want[i][1]);
	}
	text_initials("김하늘", small, sizeof small);
	assert_string_equal(small, "김");
}

/* The blending rounds so that 0 leaves and 255 replaces. */
static void test_blend_against_scalar(void **state)
{
	enum { SW = 90, SH = 38 };
	static uint8_t argb[SW * SH * 4];
	struct rect at = { 6, 4, SW, SH };
	struct sprite *s = NULL;
	struct vframe *f;
	unsigned r = 1;

	(void)state;
	for (int i = 0; i < SW * SH; i++) {
		uint32_t a, grey, px;

		r = r * 1103515245u + 12345u;
		a = i % 3 == 0 ? 0 : i % 3 == 1 ? 255 : r >> 24;
		grey = a ? (r >> 8 & 255) * a / 255 : 0;
		px = a << 24 | grey << 16 | grey << 8 | grey;
		memcpy(argb + i * 4, &px, 4);
	}
	assert_int_equal(sprite_new(&s, argb, SW * 4, &at, at.x, at.y), 0);
	f = over(s, 128, 64);
	for (int y = 0; y < SH; y++) {
		for (int x = 0; x < SW; x++) {
			uint32_t px;
			double a, want;

			memcpy(&px, argb + (y * SW + x) * 4, 4);
			a = (px >> 24) / 255.0;
			want = BACK.y * (1 - a) + 16 * a + (px & 255) * 219 / 255.0;
			assert_true(fabs(picture_at(f, x + at.x, y + at.y).y - want) <= 1.6);
			if (!(px >> 24))
				assert_int_equal(picture_at(f, x + at.x, y + at.y).y, BACK.y);
		}
	}
	assert_int_equal(picture_distance(picture_at(f, at.x - 1, 20), BACK), 0);
	assert_int_equal(picture_distance(picture_at(f, at.x + SW, 20), BACK), 0);
	vframe_unref(&f);
}

/* Rooms draw labels on several threads at once. */
static void *draw_many(void *arg)
{
	struct vframe *first = label("김하늘 Kim", true, 320, 180);
	size_t differing = 0;

	for (int i = 0; i < 15; i++) {
		struct vframe *f = label("김하늘 Kim", true, 320, 180);

		differing += count_differing(first, f);
		vframe_unref(&f);
	}
	vframe_unref(&first);
	return differing ? arg : NULL;
}

static void test_threads(void **state)
{
	pthread_t t[3];

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&t[i], NULL, draw_many, t), 0);
	for (int i = 0; i < 3; i++) {
		void *bad;

		pthread_join(t[i], &bad);
		assert_null(bad);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_label_sizes),
		cmocka_unit_test(test_scripts_are_not_tofu),
		cmocka_unit_test(test_muted_glyph),
		cmocka_unit_test(test_hostile_names),
		cmocka_unit_test(test_tiny_tiles),
		cmocka_unit_test(test_initials),
		cmocka_unit_test(test_blend_against_scalar),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
