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

/* So slowly that it is no burst, in no time. */
static void creep_to(struct drift *d, float ms)
{
	float step = ms < 0 ? -1 : 1;

	for (float e = step; e * step < ms * step; e += step)
		drift_control(d, e, 0);
	drift_control(d, ms, 0.02f);
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

/* Noise of two channels: what went in comes out, later. */
static void test_without_error_it_is_a_copy(void **state)
{
	static float in[30 * TICK * 2], out[31 * TICK * 2];
	struct drift *d = NULL;
	uint32_t seed = 4;
	size_t made = 0;

	(void)state;
	for (size_t i = 0; i < 30 * TICK * 2; i++)
		in[i] = tone_noise(&seed);
	assert_int_equal(drift_new(&d, 2), 0);
	for (size_t at = 0; at < 30 * TICK; at += 600) /* not in our ticks */
		made += (size_t)drift_run(d, in + 2 * at, 600, out + 2 * made, 1000);
	assert_int_equal(made, 30 * TICK);
	assert_memory_equal(out + 2 * 16, in, (30 * TICK - 16) * 2 * sizeof *in);
	drift_free(&d);
}

/* 300 ppm, both ways: it slides all the time, and every tone comes out pure and
 * as loud as before, only a little higher or lower. */
static void test_a_steady_slide_is_pure(void **state)
{
	static const double hz[] = { 440, 3100, 9000, 16000 };
	static float last[12 * TICK];

	(void)state;
	for (int sign = -1; sign <= 1; sign += 2) {
		for (size_t k = 0; k < sizeof hz / sizeof *hz; k++) {
			struct drift *d = NULL;
			double out_hz;
			size_t n = 0;

			assert_int_equal(drift_new(&d, 1), 0);
			creep_to(d, (float)sign * 5);
			run(d, 100, hz[k], last, &n);
			assert_true(drift_is_sliding(d));
			out_hz = hz[k] * (1 + (double)drift_ppm(d) * 1e-6);
			assert_true(tone_residue_db(last, n, 1, out_hz) < -60);
			assert_near(tone_amplitude(last, n, 1, out_hz), 0.5, 0.005);
			drift_free(&d);
		}
	}
}

/* 40 ppm: it slides a twelfth of the time; where that begins and ends nothing is
 * heard: neither a step nor a bend that the tone has not itself. */
static void test_seldom_slides_do_not_click(void **state)
{
	static const double hz = 1500;
	static float in[TICK], out[TICK + DRIFT_SLACK];
	float bend_max = 0, was = 0, before = 0;
	struct drift *d = NULL;
	int64_t made = 0;
	int sliding = 0;

	(void)state;
	assert_int_equal(drift_new(&d, 1), 0);
	creep_to(d, 2.4f);
	assert_near(drift_ppm(d), 40, 1);
	for (int t = 0; t < 1000; t++) {
		int n;

		tone_fill(in, TICK, 1, hz, 0.5, (int64_t)t * TICK);
		n = drift_run(d, in, TICK, out, TICK + DRIFT_SLACK);
		for (int i = 0; i < n; i++) {
			float bend = fabsf(out[i] - 2 * was + before);

			if (made + i > 100)
				bend_max = bend > bend_max ? bend : bend_max;
			before = was;
			was = out[i];
		}
		made += n;
		sliding += drift_is_sliding(d);
	}
	assert_in_range(made, 960000 - 40, 960000 - 36); /* 38.4 */
	assert_in_range(sliding, 60, 110);
	assert_near(bend_max, 0.5 * pow(2 * M_PI * hz / 48000, 2), 0.0005);
	drift_free(&d);
}

/* 10 ms too much for two seconds: the most it does, then it is turned. */
static void test_samples_go_where_the_error_says(void **state)
{
	struct drift *d = NULL;
	int64_t more, less;

	(void)state;
	assert_int_equal(drift_new(&d, 1), 0);
	run(d, 10, 1000, NULL, NULL);
	creep_to(d, 1000);
	assert_in_range((int)drift_ppm(d), 450, 550);
	less = run(d, 500, 1000, NULL, NULL);
	/* 500 ppm of 480,000 samples. */
	assert_in_range(less, 480000 - 280, 480000 - 200);
	drift_reset(d);
	creep_to(d, -1000);
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
	creep_to(d, 10);
	for (int t = 0; t < 400; t++)
		drift_control(d, 10, 0.02f);
	assert_true(drift_ppm(d) > 500);
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
	assert_near(delay_ms, 2, 0.5); /* the edge of what is let be */
	assert_true(fabsf(drift_ppm(d) - 300) < 10);
	drift_free(&d);
}

/* A wanted delay that fell is no clock: nothing slides, nothing is learned. */
static void test_what_comes_at_once_is_left_alone(void **state)
{
	struct drift *d = NULL;

	(void)state;
	assert_int_equal(drift_new(&d, 1), 0);
	for (int t = 0; t < 500; t++)
		drift_control(d, t < 100 ? 1 : 6, 0.02f);
	assert_near(drift_ppm(d), 0, 0.01);
	/* Part of it is taken out elsewhere; what creeps in afterwards is ours. */
	drift_control(d, 3, 0.02f);
	assert_near(drift_ppm(d), 0, 0.01);
	creep_to(d, 0);
	creep_to(d, 4);
	assert_true(drift_ppm(d) > 100);
	/* What lacks at once is ours too. */
	drift_reset(d);
	drift_control(d, -6, 0.02f);
	assert_true(drift_ppm(d) < -100);
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
		cmocka_unit_test(test_without_error_it_is_a_copy),
		cmocka_unit_test(test_a_steady_slide_is_pure),
		cmocka_unit_test(test_seldom_slides_do_not_click),
		cmocka_unit_test(test_samples_go_where_the_error_says),
		cmocka_unit_test(test_compensation_does_not_distort),
		cmocka_unit_test(test_loop_learns_the_drift),
		cmocka_unit_test(test_what_comes_at_once_is_left_alone),
		cmocka_unit_test(test_bad_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
