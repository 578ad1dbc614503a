#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "mixer/audio/sample_fifo.h"
#include "tests/support/tone.h"

static float next_in, next_out;

static void put(struct sample_fifo *f, size_t n)
{
	size_t room;
	float *to = sample_fifo_space(f, &room);

	assert_true(room >= n);
	for (size_t i = 0; i < n * 2; i++)
		to[i] = next_in++;
	sample_fifo_commit(f, n);
}

static void test_pieces_in_ticks_out(void **state)
{
	struct sample_fifo *f = NULL;
	float out[2 * 960];

	(void)state;
	assert_int_equal(sample_fifo_new(&f, 4000, 2), 0);
	for (int round = 0; round < 200; round++) {
		size_t n = round % 3 ? 120 : 2880;

		while (sample_fifo_count(f) < 960)
			put(f, n);
		assert_int_equal(sample_fifo_take(f, out, 960), 960);
		for (size_t i = 0; i < 2 * 960; i++)
			assert_near(out[i], next_out++, 0);
	}
	sample_fifo_free(&f);
	assert_null(f);
}

static void test_bounds(void **state)
{
	struct sample_fifo *f = NULL;
	float out[100];
	size_t room;

	(void)state;
	assert_int_equal(sample_fifo_new(&f, 0, 1), -EINVAL);
	assert_int_equal(sample_fifo_new(&f, 50, 1), 0);
	sample_fifo_silence(f, 80);
	assert_int_equal(sample_fifo_count(f), 50);
	sample_fifo_space(f, &room);
	assert_int_equal(room, 0);
	sample_fifo_commit(f, 10);
	assert_int_equal(sample_fifo_count(f), 50);
	assert_int_equal(sample_fifo_take(f, NULL, 20), 20);
	assert_int_equal(sample_fifo_take(f, out, 100), 30);
	assert_near(out[29], 0, 0);
	assert_int_equal(sample_fifo_resize(f, 51), -ENOSPC);
	assert_int_equal(sample_fifo_resize(f, 5), 0);
	sample_fifo_clear(f);
	assert_int_equal(sample_fifo_count(f), 0);
	sample_fifo_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pieces_in_ticks_out),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
