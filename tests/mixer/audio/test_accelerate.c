#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "mixer/audio/accelerate.h"
#include "tests/support/tone.h"

enum { N = 1680, ROOM = N + ACCELERATE_MAX_LAG };

static float largest_step(const float *pcm, size_t n, size_t stride)
{
	float most = 0;

	for (size_t i = 1; i < n; i++) {
		float d = fabsf(pcm[i * stride] - pcm[(i - 1) * stride]);

		most = d > most ? d : most;
	}
	return most;
}

static void check_tone(double hz)
{
	float pcm[ROOM], step;
	size_t cut, put;

	tone_fill(pcm, N, 1, hz, 0.5, 0);
	step = largest_step(pcm, N, 1);
	cut = accelerate_shorten(48000, pcm, N, 1, ACCELERATE_MAX_LAG, 0.6f);
	assert_in_range(cut, ACCELERATE_MIN_LAG, ACCELERATE_MAX_LAG);
	assert_true(largest_step(pcm, N - cut, 1) < step * 1.15f);
	assert_true(tone_residue_db(pcm, N - cut, 1, hz) < -26);
	tone_fill(pcm, N, 1, hz, 0.5, 0);
	put = accelerate_lengthen(48000, pcm, N, 1, ACCELERATE_MAX_LAG, 0.6f);
	assert_in_range(put, ACCELERATE_MIN_LAG, ACCELERATE_MAX_LAG);
	assert_true(largest_step(pcm, N + put, 1) < step * 1.15f);
	assert_true(tone_residue_db(pcm, N + put, 1, hz) < -26);
}

static void test_tones_stay_whole(void **state)
{
	const double hz[] = { 90, 100, 150, 220, 440, 1000, 3100 };

	(void)state;
	for (size_t i = 0; i < sizeof hz / sizeof *hz; i++)
		check_tone(hz[i]);
}

static void test_voice_like_sound_loses_whole_periods(void **state)
{
	float pcm[N] = { 0 }, part[N];
	size_t cut;

	(void)state;
	/* 125 Hz and its harmonics: a period of 384 samples. */
	for (int k = 1; k < 12; k++) {
		tone_fill(part, N, 1, 125.0 * k, 0.3 / k, 13 * k);
		for (size_t i = 0; i < N; i++)
			pcm[i] += part[i];
	}
	cut = accelerate_shorten(48000, pcm, N, 1, ACCELERATE_MAX_LAG, 0.6f);
	assert_in_range(cut, 382, 386);
}

static void test_noise_is_left_alone_unless_asked(void **state)
{
	float pcm[N], before[N];
	uint32_t seed = 9;

	(void)state;
	for (size_t i = 0; i < N; i++)
		before[i] = pcm[i] = tone_noise(&seed);
	assert_int_equal(accelerate_shorten(48000, pcm, N, 1, ACCELERATE_MAX_LAG, 0.6f), 0);
	assert_memory_equal(pcm, before, sizeof pcm);
	assert_true(accelerate_shorten(48000, pcm, N, 1, ACCELERATE_MAX_LAG, 0) > 0);
}

static void test_silence_goes_at_once(void **state)
{
	float pcm[ROOM] = { 0 };

	(void)state;
	assert_int_equal(accelerate_shorten(48000, pcm, N, 1, ACCELERATE_MAX_LAG, 0),
			 ACCELERATE_MAX_LAG);
	assert_int_equal(accelerate_shorten(48000, pcm, N, 1, 500, 0), 500);
	assert_int_equal(accelerate_lengthen(48000, pcm, N, 1, ACCELERATE_MAX_LAG, 0),
			 ACCELERATE_MAX_LAG);
}

static void test_too_little_to_work_on(void **state)
{
	float pcm[ROOM] = { 0 };

	(void)state;
	assert_int_equal(accelerate_shorten(48000, pcm, 2 * ACCELERATE_MIN_LAG - 1, 1, 720, 0), 0);
	assert_int_equal(accelerate_shorten(48000, pcm, N, 1, ACCELERATE_MIN_LAG - 1, 0), 0);
	assert_int_equal(accelerate_lengthen(48000, pcm, 0, 1, 720, 0), 0);
	assert_in_range(accelerate_shorten(48000, pcm, 960, 1, 720, 0), ACCELERATE_MIN_LAG, 480);
}

static void test_stereo(void **state)
{
	static float pcm[2 * ROOM];
	size_t cut;

	(void)state;
	tone_fill(pcm, N, 2, 200, 0.5, 0);
	tone_fill(pcm + 1, N, 2, 400, 0.5, 0);
	cut = accelerate_shorten(48000, pcm, N, 2, ACCELERATE_MAX_LAG, 0.6f);
	assert_true(cut > 0);
	assert_true(tone_residue_db(pcm, N - cut, 2, 200) < -26);
	assert_true(tone_residue_db(pcm + 1, N - cut, 2, 400) < -26);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tones_stay_whole),
		cmocka_unit_test(test_voice_like_sound_loses_whole_periods),
		cmocka_unit_test(test_noise_is_left_alone_unless_asked),
		cmocka_unit_test(test_silence_goes_at_once),
		cmocka_unit_test(test_too_little_to_work_on),
		cmocka_unit_test(test_stereo),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
