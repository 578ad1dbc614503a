/* Smaller copies of a canvas: made once, of the right picture, without growing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "mixer/video/shrink.h"

static struct vframe *picture(int w, int h, uint8_t left, uint8_t right)
{
	struct vframe *f;

	assert_int_equal(vframe_new_canvas(&f, w, h), 0);
	for (int y = 0; y < h; y++) {
		memset(f->av->data[0] + y * f->av->linesize[0], left, (size_t)w / 2);
		memset(f->av->data[0] + y * f->av->linesize[0] + w / 2, right, (size_t)w / 2);
	}
	for (int p = 1; p < 3; p++)
		for (int y = 0; y < h / 2; y++)
			memset(f->av->data[p] + y * f->av->linesize[p], p * 60, (size_t)w / 2);
	return f;
}

static int at(const struct vframe *f, int plane, int x, int y)
{
	return f->av->data[plane][y * f->av->linesize[plane] + x];
}

static void test_the_whole_picture(void **state)
{
	static const int size[][2] = { { 640, 360 }, { 320, 180 }, { 426, 240 }, { 1280, 720 } };

	(void)state;
	role_assert_mixv();
	for (size_t i = 0; i < sizeof size / sizeof *size; i++) {
		struct vframe *src = picture(1280, 720, 40, 200), *f;
		int w = size[i][0], h = size[i][1];
		struct shrink *s;

		assert_int_equal(shrink_new(&s, w, h), 0);
		src->pts_ns = 77;
		assert_int_equal(shrink_make(s, src, &f), 0);
		assert_int_equal(f->av->width, w);
		assert_int_equal(f->av->height, h);
		assert_int_equal(f->pts_ns, 77);
		for (int k = 0; k < 4; k++) {
			int x = k & 1 ? w - 1 : 0, y = k & 2 ? h - 1 : 0;

			assert_in_range(at(f, 0, x, y), k & 1 ? 199 : 39, k & 1 ? 201 : 41);
			assert_in_range(at(f, 1, x / 2, y / 2), 59, 61);
			assert_in_range(at(f, 2, x / 2, y / 2), 119, 121);
		}
		vframe_unref(&f);
		vframe_unref(&src);
		shrink_free(&s);
		assert_null(s);
	}
}

static void test_once_per_picture(void **state)
{
	struct vframe *src = picture(640, 360, 40, 200), *f, *g, *held[SHRINK_CANVASES];
	struct shrink *s;

	(void)state;
	role_assert_mixv();
	assert_int_equal(shrink_new(&s, 320, 180), 0);
	assert_int_equal(shrink_make(s, src, &f), 0);
	assert_int_equal(shrink_make(s, src, &g), 0);
	assert_ptr_equal(f, g);
	assert_int_equal(shrink_made(s), 1);
	vframe_unref(&g);
	held[0] = f;
	for (int i = 1; i < SHRINK_CANVASES; i++) {
		vframe_renew(src);
		assert_int_equal(shrink_make(s, src, &held[i]), 0);
		assert_ptr_not_equal(held[i], held[i - 1]);
		assert_true(held[i]->gen > held[i - 1]->gen);
	}
	vframe_renew(src);
	assert_int_equal(shrink_make(s, src, &g), -EAGAIN);
	assert_null(g);
	f = held[1];
	vframe_unref(&held[1]);
	assert_int_equal(shrink_make(s, src, &g), 0);
	assert_ptr_equal(g, f);
	assert_int_equal(shrink_made(s), SHRINK_CANVASES + 1);
	vframe_unref(&g);
	shrink_free(&s);
	for (int i = 0; i < SHRINK_CANVASES; i++)
		vframe_unref(&held[i]);
	vframe_unref(&src);
	assert_int_equal(shrink_new(&s, 321, 180), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_whole_picture),
		cmocka_unit_test(test_once_per_picture),
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
