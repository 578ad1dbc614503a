#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mixer/audio/audio_mixer.h"
#include "mixer/audio/vad.h"
#include "tests/support/tone.h"

enum { TICK = 960, TICKS = 10, SPAN = TICK * TICKS, MAX_LEGS = 50 };

static struct audio_mixer *new_mixer(size_t max_legs, size_t max_talkers, int channels)
{
	struct audio_mixer_cfg cfg = { .max_legs = max_legs, .max_talkers = max_talkers,
				       .channels = channels };
	struct audio_mixer *m = NULL;

	role_enter(ROLE_ID_NONE);
	assert_int_equal(audio_mixer_new(&m, &cfg), 0);
	return m;
}

static double hz_of(size_t leg)
{
	return 300 + 100 * (double)leg;
}

/* Everybody has a tone; each leg's own mix and the listener's over TICKS. */
static void run_golden(size_t n, float *own, float *listener)
{
	struct audio_mixer *m = new_mixer(MAX_LEGS, 0, 1);
	static float pcm[MAX_LEGS][TICK];
	double amp = 0.8 / (double)n;

	role_assert_mixa();
	for (size_t t = 0; t < TICKS; t++) {
		audio_mixer_begin(m);
		for (size_t i = 0; i < n; i++) {
			tone_fill(pcm[i], TICK, 1, hz_of(i), amp, (int64_t)(t * TICK));
			assert_int_equal(audio_mixer_add(m, (uint32_t)i + 1, pcm[i], -20, AUDIO_BAND_FULL), 0);
		}
		audio_mixer_sum(m);
		assert_int_equal(audio_mixer_talkers(m), n);
		memcpy(listener + t * TICK, audio_mixer_listener(m, AUDIO_BAND_FULL), TICK * sizeof *listener);
		for (size_t i = 0; i < n; i++)
			assert_true(audio_mixer_minus(m, (uint32_t)i + 1, AUDIO_BAND_FULL,
						      own + i * SPAN + t * TICK));
	}
	audio_mixer_free(&m);
	assert_null(m);
}

static void golden(size_t n)
{
	float *own = calloc(n * SPAN, sizeof *own), *listener = calloc(SPAN, sizeof *listener);
	double amp = 0.8 / (double)n;

	assert_non_null(own);
	assert_non_null(listener);
	run_golden(n, own, listener);
	for (size_t i = 0; i < n; i++) {
		double all = tone_amplitude(listener, SPAN, 1, hz_of(i)) / amp;

		assert_true(fabs(tone_db(all)) < 0.1);
		for (size_t k = 0; k < n; k++) {
			double db = tone_db(tone_amplitude(own + i * SPAN, SPAN, 1, hz_of(k)) / amp);

			if (i == k)
				assert_true(db < -60);
			else
				assert_true(fabs(db) < 0.1);
		}
	}
	free(own);
	free(listener);
}

static void test_everyone_hears_the_others_and_not_himself(void **state)
{
	(void)state;
	golden(2);
	golden(3);
	golden(10);
	golden(50);
}

static void test_silent_room_and_lone_talker(void **state)
{
	struct audio_mixer *m = new_mixer(4, 0, 1);
	float pcm[TICK], out[TICK];

	(void)state;
	role_assert_mixa();
	audio_mixer_begin(m);
	audio_mixer_sum(m);
	assert_int_equal(audio_mixer_talkers(m), 0);
	for (size_t i = 0; i < TICK; i++)
		assert_near(audio_mixer_listener(m, AUDIO_BAND_FULL)[i], 0, 0);
	tone_fill(pcm, TICK, 1, 440, 0.5, 0);
	audio_mixer_begin(m);
	audio_mixer_add(m, 7, pcm, -9, AUDIO_BAND_FULL);
	audio_mixer_sum(m);
	assert_true(audio_mixer_contains(m, 7));
	assert_false(audio_mixer_contains(m, 8));
	assert_true(audio_mixer_minus(m, 7, AUDIO_BAND_FULL, out));
	for (size_t i = 0; i < TICK; i++)
		assert_near(out[i], 0, 1e-6);
	assert_false(audio_mixer_minus(m, 8, AUDIO_BAND_FULL, out));
	assert_memory_equal(out, audio_mixer_listener(m, AUDIO_BAND_FULL), sizeof out);
	assert_memory_equal(out, pcm, sizeof out);
	audio_mixer_free(&m);
}

static void test_loud_sum_is_limited_once_for_each_listener(void **state)
{
	struct audio_mixer *m = new_mixer(8, 0, 1);
	float pcm[4][TICK], out[TICK];

	(void)state;
	role_assert_mixa();
	for (int64_t t = 0; t < 20; t++) {
		audio_mixer_begin(m);
		for (size_t i = 0; i < 4; i++) {
			tone_fill(pcm[i], TICK, 1, hz_of(i), 0.9, t * TICK);
			audio_mixer_add(m, (uint32_t)i + 1, pcm[i], -4, AUDIO_BAND_FULL);
		}
		audio_mixer_sum(m);
		for (size_t i = 0; i < TICK; i++)
			assert_true(fabsf(audio_mixer_listener(m, AUDIO_BAND_FULL)[i]) <= 1);
		for (uint32_t id = 1; id <= 4; id++) {
			assert_true(audio_mixer_minus(m, id, AUDIO_BAND_FULL, out));
			for (size_t i = 0; i < TICK; i++)
				assert_true(fabsf(out[i]) <= 1);
			/* Not a trace of himself: he is taken out ahead of the limiter. */
			assert_true(tone_amplitude(out, TICK, 1, hz_of(id - 1)) < 0.02);
		}
	}
	audio_mixer_free(&m);
}

/* One tick of n legs with the given levels; bit i: leg i + 1 is in the sum. */
static unsigned tick_levels(struct audio_mixer *m, const float *level, size_t n)
	ON_THREAD(ROLE_MIXA)
{
	static float pcm[8][TICK];
	unsigned in = 0;

	audio_mixer_begin(m);
	for (size_t i = 0; i < n; i++) {
		tone_fill(pcm[i], TICK, 1, hz_of(i), pow(10, (double)level[i] / 20), 0);
		assert_int_equal(audio_mixer_add(m, (uint32_t)i + 1, pcm[i], level[i], AUDIO_BAND_FULL), 0);
	}
	audio_mixer_sum(m);
	for (size_t i = 0; i < n; i++)
		in |= audio_mixer_contains(m, (uint32_t)i + 1) ? 1u << i : 0;
	return in;
}

static void test_max_talkers_takes_the_loudest_with_hysteresis(void **state)
{
	struct audio_mixer *m = new_mixer(8, 2, 1);
	float level[5] = { -30, -20, -40, -25, -50 };

	(void)state;
	role_assert_mixa();
	assert_int_equal(tick_levels(m, level, 5), 0x0a);
	assert_int_equal(audio_mixer_talkers(m), 2);
	/* 3 dB louder than one of the two: not enough. */
	level[0] = -22;
	for (int t = 0; t < 100; t++)
		assert_int_equal(tick_levels(m, level, 5), 0x0a);
	/* A short pause of a talker loses it no place. */
	level[3] = -60;
	assert_int_equal(tick_levels(m, level, 5), 0x0a);
	level[3] = -25;
	for (int t = 0; t < 10; t++)
		assert_int_equal(tick_levels(m, level, 5), 0x0a);
	/* 10 dB louder: in, the other fades out over one tick and is gone then. */
	level[0] = -10;
	assert_int_equal(tick_levels(m, level, 5), 0x0b);
	assert_int_equal(tick_levels(m, level, 5), 0x03);
	/* All of them again. */
	audio_mixer_set_max_talkers(m, 0);
	assert_int_equal(tick_levels(m, level, 5), 0x1f);
	audio_mixer_free(&m);
}

static void test_change_of_talkers_does_not_click(void **state)
{
	struct audio_mixer *m = new_mixer(8, 1, 1);
	float a[TICK], b[TICK], last = 0, out[TICK], own_last = 0;
	/* The steepest slope of two tones of 300 Hz that fade over. */
	const float limit = 0.5f * 2 * 3.1416f * 300 / 48000 * 1.2f;

	(void)state;
	role_assert_mixa();
	for (int64_t t = 0; t < 60; t++) {
		const float *mix;
		bool swap = t >= 10;

		tone_fill(a, TICK, 1, 300, 0.5, t * TICK);
		tone_fill(b, TICK, 1, 300, 0.5, t * TICK + 40);
		audio_mixer_begin(m);
		audio_mixer_add(m, 1, a, swap ? -40 : -10, AUDIO_BAND_FULL);
		audio_mixer_add(m, 2, b, swap ? -10 : -40, AUDIO_BAND_FULL);
		audio_mixer_sum(m);
		mix = audio_mixer_listener(m, AUDIO_BAND_FULL);
		audio_mixer_minus(m, 2, AUDIO_BAND_FULL, out);
		for (size_t i = 0; i < TICK; i++) {
			if (t || i) {
				assert_true(fabsf(mix[i] - last) < limit);
				assert_true(fabsf(out[i] - own_last) < limit);
			}
			last = mix[i];
			own_last = out[i];
		}
	}
	assert_true(audio_mixer_contains(m, 2));
	assert_false(audio_mixer_contains(m, 1));
	audio_mixer_free(&m);
}

static void test_states_are_reused_and_bounded(void **state)
{
	struct audio_mixer *m = new_mixer(2, 0, 1);
	float pcm[TICK] = { 0 }, out[TICK];

	(void)state;
	role_assert_mixa();
	for (uint32_t id = 1; id < 100; id += 2) {
		audio_mixer_begin(m);
		assert_int_equal(audio_mixer_add(m, id, pcm, -30, AUDIO_BAND_FULL), 0);
		assert_int_equal(audio_mixer_add(m, id + 1, pcm, -30, AUDIO_BAND_FULL), 0);
		assert_int_equal(audio_mixer_add(m, id + 200, pcm, -30, AUDIO_BAND_FULL), -ENOSPC);
		audio_mixer_sum(m);
		assert_int_equal(audio_mixer_talkers(m), 2);
		assert_false(audio_mixer_minus(m, id + 200, AUDIO_BAND_FULL, out));
		audio_mixer_forget(m, id);
		assert_false(audio_mixer_contains(m, id));
		assert_true(audio_mixer_contains(m, id + 1));
	}
	assert_int_equal(audio_mixer_refused_count(m), 50);
	audio_mixer_free(&m);
}

static void test_stereo_keeps_the_sides(void **state)
{
	struct audio_mixer *m = new_mixer(4, 1, 2);
	static float a[TICK * 2], b[TICK * 2], out[TICK * 2];

	(void)state;
	role_assert_mixa();
	audio_mixer_set_max_talkers(m, 0);
	tone_fill(a, TICK, 2, 500, 0.3, 0);
	tone_fill(b + 1, TICK, 2, 800, 0.3, 0);
	audio_mixer_begin(m);
	audio_mixer_add(m, 1, a, -14, AUDIO_BAND_FULL);
	audio_mixer_add(m, 2, b, -14, AUDIO_BAND_FULL);
	audio_mixer_sum(m);
	assert_near(tone_amplitude(audio_mixer_listener(m, AUDIO_BAND_FULL), TICK, 2, 500), 0.3, 0.01);
	assert_near(tone_amplitude(audio_mixer_listener(m, AUDIO_BAND_FULL) + 1, TICK, 2, 800), 0.3, 0.01);
	assert_near(tone_amplitude(audio_mixer_listener(m, AUDIO_BAND_FULL) + 1, TICK, 2, 500), 0, 1e-4);
	audio_mixer_minus(m, 1, AUDIO_BAND_FULL, out);
	assert_memory_equal(out, b, sizeof out);
	audio_mixer_free(&m);
}

static void test_bad_arguments(void **state)
{
	struct audio_mixer_cfg cfg = { .channels = 9 };
	struct audio_mixer *m = NULL;

	(void)state;
	assert_int_equal(audio_mixer_new(&m, &cfg), -EINVAL);
	assert_null(m);
	audio_mixer_free(&m);
}

/* For the reader of the log; machines differ. */
static void test_print_cost(void **state)
{
	struct audio_mixer *m = new_mixer(MAX_LEGS, 0, 1);
	static float pcm[MAX_LEGS][TICK], out[TICK];
	struct timespec t0, t1;
	enum { ROUNDS = 200 };

	(void)state;
	role_assert_mixa();
	for (size_t i = 0; i < MAX_LEGS; i++)
		tone_fill(pcm[i], TICK, 1, hz_of(i), 0.01, 0);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t0);
	for (int r = 0; r < ROUNDS; r++) {
		audio_mixer_begin(m);
		for (uint32_t i = 0; i < MAX_LEGS; i++)
			audio_mixer_add(m, i + 1, pcm[i], vad_level_dbov(pcm[i], TICK), AUDIO_BAND_FULL);
		audio_mixer_sum(m);
		for (uint32_t i = 0; i < MAX_LEGS; i++)
			assert_true(audio_mixer_minus(m, i + 1, AUDIO_BAND_FULL, out));
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t1);
	print_message("cost: level, mix and N-1 of %d legs: %.1f us per tick\n", MAX_LEGS,
		      ((double)(t1.tv_sec - t0.tv_sec) * 1e6 +
		       (double)(t1.tv_nsec - t0.tv_nsec) / 1e3) / ROUNDS);
	audio_mixer_free(&m);
}

/* A talker in each band: all are heard in every band, at their level, and nobody hears
 * himself; when they stop all is silent a tick later. */
static void test_bands_hear_each_other(void **state)
{
	enum { SPAN_TICKS = 40, FROM = 10 };
	static float own[AUDIO_BANDS][SPAN_TICKS * TICK], all[AUDIO_BANDS][SPAN_TICKS * TICK];
	static const double hz[AUDIO_BANDS] = { 500, 1100, 1700 };
	struct audio_mixer *m = new_mixer(8, 0, 1);
	float pcm[AUDIO_BANDS][TICK], out[TICK];

	(void)state;
	role_assert_mixa();
	for (size_t t = 0; t < SPAN_TICKS; t++) {
		audio_mixer_begin(m);
		for (enum audio_band b = 0; b < AUDIO_BANDS; b++) {
			size_t n = audio_band_tick(b);

			tone_fill(pcm[b], n, 1, hz[b] * 48000 / audio_band_hz(b), 0.2,
				  (int64_t)(t * n));
			audio_mixer_add(m, b + 1u, pcm[b], -17, b);
		}
		audio_mixer_sum(m);
		for (enum audio_band b = 0; b < AUDIO_BANDS; b++) {
			size_t n = audio_band_tick(b);

			assert_true(audio_mixer_minus(m, b + 1u, b, own[b] + t * n));
			memcpy(all[b] + t * n, audio_mixer_listener(m, b), n * sizeof(float));
		}
	}
	for (enum audio_band b = 0; b < AUDIO_BANDS; b++) {
		size_t n = audio_band_tick(b), from = FROM * n, len = (SPAN_TICKS - FROM) * n;

		for (int k = 0; k < AUDIO_BANDS; k++) {
			double as = hz[k] * 48000 / audio_band_hz(b);

			assert_near(tone_db(tone_amplitude(all[b] + from, len, 1, as) / 0.2), 0, 0.3);
			if (k == (int)b)
				assert_true(tone_amplitude(own[b] + from, len, 1, as) < 0.0002);
			else
				assert_near(tone_db(tone_amplitude(own[b] + from, len, 1, as) / 0.2),
					    0, 0.3);
		}
	}
	for (int t = 0; t < 3; t++) {
		audio_mixer_begin(m);
		audio_mixer_sum(m);
		for (enum audio_band b = 0; b < AUDIO_BANDS; b++) {
			assert_false(audio_mixer_minus(m, b + 1u, b, out));
			for (size_t i = 0; t && i < audio_band_tick(b); i++)
				assert_near(out[i], 0, 0);
		}
	}
	audio_mixer_free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everyone_hears_the_others_and_not_himself),
		cmocka_unit_test(test_silent_room_and_lone_talker),
		cmocka_unit_test(test_loud_sum_is_limited_once_for_each_listener),
		cmocka_unit_test(test_max_talkers_takes_the_loudest_with_hysteresis),
		cmocka_unit_test(test_change_of_talkers_does_not_click),
		cmocka_unit_test(test_states_are_reused_and_bounded),
		cmocka_unit_test(test_stereo_keeps_the_sides),
		cmocka_unit_test(test_bad_arguments),
		cmocka_unit_test(test_print_cost),
		cmocka_unit_test(test_bands_hear_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
