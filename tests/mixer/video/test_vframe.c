#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "mixer/video/vframe.h"

static void test_pool_gives_and_takes(void **state)
{
	struct vframe_pool *p = NULL;
	struct vframe *f[3];
	uint64_t gen;

	(void)state;
	assert_int_equal(vframe_pool_new(&p, 0), -EINVAL);
	assert_int_equal(vframe_pool_new(&p, 70000), -EINVAL);
	assert_int_equal(vframe_pool_new(&p, 2), 0);
	f[0] = vframe_get(p);
	f[1] = vframe_get(p);
	assert_non_null(f[0]);
	assert_non_null(f[1]);
	assert_ptr_not_equal(f[0], f[1]);
	assert_true(f[1]->gen > f[0]->gen);
	assert_null(vframe_get(p));
	assert_int_equal(vframe_pool_empty_count(p), 1);
	gen = f[1]->gen;
	f[0]->rotation = 90;
	vframe_unref(&f[0]);
	assert_null(f[0]);
	assert_int_equal(vframe_pool_in_use(p), 1);
	f[0] = vframe_get(p);
	assert_true(f[0]->gen > gen);
	assert_int_equal(f[0]->rotation, 0);
	vframe_unref(&f[0]);
	vframe_unref(&f[1]);
	vframe_unref(&f[1]);
	vframe_pool_free(&p);
	assert_null(p);
}

static void test_references(void **state)
{
	struct vframe *f = NULL, *other;
	uint64_t gen;

	(void)state;
	assert_int_equal(vframe_new_canvas(&f, 641, 360), -EINVAL);
	assert_int_equal(vframe_new_canvas(&f, 0, 360), -EINVAL);
	assert_int_equal(vframe_new_canvas(&f, 640, 16384), -EINVAL);
	assert_null(f);
	assert_int_equal(vframe_new_canvas(&f, 642, 362), 0);
	assert_int_equal((uintptr_t)f->av->data[0] % 64, 0);
	assert_int_equal(f->av->linesize[0] % 64, 0);
	assert_true(vframe_writable(f));
	other = vframe_ref(f);
	assert_false(vframe_writable(f));
	gen = f->gen;
	vframe_unref(&other);
	assert_true(vframe_writable(f));
	vframe_renew(f);
	assert_true(f->gen > gen);
	vframe_unref(&f);
}

static void test_same(void **state)
{
	struct vframe *a = NULL, *b = NULL, *c = NULL;

	(void)state;
	assert_int_equal(vframe_new_canvas(&a, 66, 34), 0);
	assert_int_equal(vframe_new_canvas(&b, 66, 34), 0);
	assert_int_equal(vframe_new_canvas(&c, 66, 36), 0);
	for (int p = 0; p < 3; p++) {
		memset(a->av->data[p], 1, (size_t)a->av->linesize[p] * (p ? 17 : 34));
		memset(b->av->data[p], 2, (size_t)b->av->linesize[p] * (p ? 17 : 34));
		for (int y = 0; y < (p ? 17 : 34); y++) /* what is beyond the lines may differ */
			memset(b->av->data[p] + y * b->av->linesize[p], 1, p ? 33 : 66);
	}
	assert_true(vframe_same(a, b));
	assert_false(vframe_same(a, c));
	for (int p = 0; p < 3; p++) {
		int w = p ? 33 : 66, h = p ? 17 : 34;
		const int at[][2] = { { 0, 0 }, { w - 1, 0 }, { 0, h - 1 }, { w - 1, h - 1 }, { w / 2, h / 2 } };

		for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
			uint8_t *px = b->av->data[p] + at[i][1] * b->av->linesize[p] + at[i][0];

			*px = 9;
			assert_false(vframe_same(a, b));
			*px = 1;
		}
	}
	assert_true(vframe_same(a, b));
	b->rotation = 90;
	assert_false(vframe_same(a, b));
	b->rotation = 0;
	b->av->color_range = AVCOL_RANGE_JPEG;
	assert_false(vframe_same(a, b));
	vframe_unref(&a);
	vframe_unref(&b);
	vframe_unref(&c);
}

enum { ROUNDS = 20000 };

static void *take_and_give(void *arg)
{
	struct vframe_pool *p = arg;

	for (int i = 0; i < ROUNDS; i++) {
		struct vframe *a = vframe_get(p), *b = vframe_get(p);

		if (a && b && a == b)
			return "the same wrapper twice";
		if (a && a->refs != 1)
			return "a wrapper in use";
		vframe_unref(&b);
		vframe_unref(&a);
	}
	return NULL;
}

static void test_threads(void **state)
{
	struct vframe_pool *p = NULL;
	pthread_t t[3];

	(void)state;
	assert_int_equal(vframe_pool_new(&p, 4), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&t[i], NULL, take_and_give, p), 0);
	for (int i = 0; i < 3; i++) {
		void *said;

		pthread_join(t[i], &said);
		if (said)
			fail_msg("%s", (const char *)said);
	}
	assert_int_equal(vframe_pool_in_use(p), 0);
	vframe_pool_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pool_gives_and_takes),
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
