#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "mixer/audio/drift.h"
#include "tests/support/tone.h"

enum { TICK = 960 };

static int64_t run(struct drift *d, int ticks, double hz, float *last, size_t *n_last)
{
	static float in[TICK], out[TICK + DRIFT_SLACK];
	int64_t total = 0;

	for (int t = 0; t < ticks; t++) {
		int n;

		tone_fill(in, TICK, 1, hz, 0.5, (int64_t)t * TICK);
		n = drift_run(d, in, TICK, out, TICK + DRIFT_SLACK);
		assert_in_range(n, TICK - DRIFT_SLACK, TICK + DRIFT_SLACK);
		total += n;
		if (last && t >= ticks - 10) {
			for (int i = 0; i < n; i++)
				last[(*n_last)++] = out[i];
		}
	}
	return total;
}

static void test_without_error_it_is_transparent(void **state)
{
	static float last[12 * TICK];
	struct drift *d = NULL;
	size_t n = 0;

	(void)state;
	assert_int_equal(drift_new(&d, 1), 0);
	assert_in_range(run(d, 500, 1000, last, &n), 500 * TICK - 32, 500 * TICK);
	assert_true(tone_residue_db(last, n, 1, 1000) < -60);
	assert_near(tone_amplitude(last, n, 1, 1000), 0.5, 0.005);
	drift_free(&d);
	assert_null(d);
}

/* 10 ms too much for two seconds: the most it does, then it is turned. */
static void test_samples_go_where_the_error_says(void **state)
{
	struct drift *d = NULL;
	int64_t more, less;

	(void)state;
	assert_int_equal(drift_new(&d, 1), 0);
	run(d, 10, 1000, NULL, NULL);
	drift_control(d, 1000, 0.02f);
	assert_in_range((int)drift_ppm(d), 450, 550);
	less = run(d, 500, 1000, NULL, NULL);
	/* 500 ppm of 480,000 samples. */
	assert_in_range(less, 480000 - 280, 480000 - 200);
	drift_reset(d);
	drift_control(d, -1000, 0.02f);
	more = run(d, 500, 1000, NULL, NULL);
	assert_in_range(more, 480000 + 200, 480000 + 280);
	drift_free(&d);
}

static void test_compensation_does_not_distort(void **state)
{
	static float last[12 * TICK];
	struct drift *d = NULL;
	size_t n = 0;

	(void)state;
	assert_int_equal(drift_new(&d, 1), 0);
	for (int t = 0; t < 400; t++)
		drift_control(d, 10, 0.02f);
	run(d, 100, 1000, last, &n);
	assert_true(tone_residue_db(last, n, 1, 1000 * (1 + (double)drift_ppm(d) * 1e-6)) < -50);
	drift_free(&d);
}

/* The loop with an ideal delay: a sender 300 ppm fast, ten minutes. */
static void test_loop_learns_the_drift(void **state)
{
	struct drift *d = NULL;
	double delay_ms = 0, most = 0;

	(void)state;
	assert_int_equal(drift_new(&d, 1), 0);
	for (int t = 0; t < 30000; t++) {
		drift_control(d, (float)delay_ms, 0.02f);
		delay_ms += (300 - (double)drift_ppm(d)) * 1e-6 * 20;
		most = fabs(delay_ms) > most ? fabs(delay_ms) : most;
	}
	assert_true(most < 10);
	assert_true(fabs(delay_ms) < 0.5);
	assert_true(fabsf(drift_ppm(d) - 300) < 10);
	drift_free(&d);
}

static void test_bad_arguments(void **state)
{
	struct drift *d = NULL;

	(void)state;
	assert_int_equal(drift_new(&d, 0), -EINVAL);
	drift_free(&d);
	assert_int_equal(drift_new(&d, 2), 0);
	drift_free(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_error_it_is_transparent),
		cmocka_unit_test(test_samples_go_where_the_error_says),
		cmocka_unit_test(test_compensation_does_not_distort),
		cmocka_unit_test(test_loop_learns_the_drift),
		cmocka_unit_test(test_bad_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
