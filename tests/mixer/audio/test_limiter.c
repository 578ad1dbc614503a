#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "mixer/audio/limiter.h"
#include "tests/support/tone.h"

enum { TICK = 960 };

static void test_quiet_sound_is_untouched(void **state)
{
	struct limiter l = { 0 };
	float pcm[TICK], before[TICK];

	(void)state;
	tone_fill(pcm, TICK, 1, 1000, 0.89, 0);
	memcpy(before, pcm, sizeof pcm);
	limiter_run(&l, pcm, TICK, 1, 48000);
	assert_memory_equal(pcm, before, sizeof pcm);
}

static void test_nothing_leaves_full_scale(void **state)
{
	struct limiter l = { 0 };
	float pcm[TICK * 2];
	uint32_t seed = 5;

	(void)state;
	for (int t = 0; t < 400; t++) {
		float loud = (tone_noise(&seed) + 1) * (t % 7 ? 1 : 50);

		for (size_t i = 0; i < TICK * 2; i++)
			pcm[i] = tone_noise(&seed) * loud;
		limiter_run(&l, pcm, TICK, 2, 48000);
		for (size_t i = 0; i < TICK * 2; i++)
			assert_true(fabsf(pcm[i]) <= 1);
	}
}

/* A mix that stays three times too loud is turned down, not torn. */
static double steady_distortion_db(double hz)
{
	struct limiter l = { 0 };
	static float pcm[TICK * 10];

	for (int64_t t = 0; t < 20; t++) {
		float *at = pcm + (t % 10) * TICK;

		tone_fill(at, TICK, 1, hz, 3, t * TICK);
		limiter_run(&l, at, TICK, 1, 48000);
	}
	assert_true(tone_amplitude(pcm, TICK * 10, 1, hz) > 0.8);
	return tone_residue_db(pcm, TICK * 10, 1, hz);
}

static void test_distortion_of_a_loud_tone(void **state)
{
	(void)state;
	assert_true(steady_distortion_db(1000) < -40);
	assert_true(steady_distortion_db(400) < -36);
	assert_true(steady_distortion_db(100) < -30);
}

static void test_gain_comes_back(void **state)
{
	struct limiter l = { 0 };
	float pcm[TICK], before[TICK];

	(void)state;
	tone_fill(pcm, TICK, 1, 1000, 4, 0);
	limiter_run(&l, pcm, TICK, 1, 48000);
	assert_true(l.reduction > 0.7f);
	for (int64_t t = 0; t < 40; t++) {
		tone_fill(pcm, TICK, 1, 1000, 0.5, t * TICK);
		limiter_run(&l, pcm, TICK, 1, 48000);
		if (t < 5)
			assert_true(l.reduction > 0.1f);
	}
	tone_fill(pcm, TICK, 1, 1000, 0.5, 0);
	memcpy(before, pcm, sizeof pcm);
	limiter_run(&l, pcm, TICK, 1, 48000);
	assert_memory_equal(pcm, before, sizeof pcm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_quiet_sound_is_untouched),
		cmocka_unit_test(test_nothing_leaves_full_scale),
		cmocka_unit_test(test_distortion_of_a_loud_tone),
		cmocka_unit_test(test_gain_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
