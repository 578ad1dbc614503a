#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mixer/audio/vad.h"
#include "tests/support/tone.h"

enum { TICK = 960 };

static void feed_tone(struct vad *v, double dbov, int64_t t)
{
	float pcm[TICK];

	/* A sine's level is 3 dB below its peak. */
	tone_fill(pcm, TICK, 1, 440, pow(10, (dbov + 3.0103) / 20), t * TICK);
	vad_update(v, pcm, TICK);
}

static void test_levels_follow_rfc_6464(void **state)
{
	float pcm[TICK];

	(void)state;
	for (size_t i = 0; i < TICK; i++)
		pcm[i] = i % 96 < 48 ? 1 : -1;
	assert_near(vad_level_dbov(pcm, TICK), 0, 0.01);
	tone_fill(pcm, TICK, 1, 500, 1, 0);
	assert_near(vad_level_dbov(pcm, TICK), -3.01, 0.05);
	tone_fill(pcm, TICK, 1, 500, 0.1, 0);
	assert_near(vad_level_dbov(pcm, TICK), -23.01, 0.05);
	tone_fill(pcm, TICK, 1, 500, 0, 0);
	assert_near(vad_level_dbov(pcm, TICK), -127, 0);
	pcm[5] = NAN;
	assert_near(vad_level_dbov(pcm, TICK), -127, 0);
}

static void test_a_tone_is_active_for_ever(void **state)
{
	struct vad v;

	(void)state;
	vad_init(&v);
	for (int t = 0; t < 50 * 300; t++) {
		feed_tone(&v, -45, t % 50);
		assert_true(v.active && v.speaking);
	}
}

static void test_faint_voice_above_the_floor_and_steady_hiss(void **state)
{
	struct vad v;
	int active = 0;

	(void)state;
	vad_init(&v);
	for (int t = 0; t < 1500; t++)
		feed_tone(&v, -75, t % 50);
	assert_false(v.active);
	feed_tone(&v, -58, 0);
	assert_true(v.active);
	/* Below the absolute threshold, what goes on becomes the floor. */
	for (int t = 0; t < 3000; t++) {
		feed_tone(&v, -58, t % 50);
		active = v.active ? t : active;
	}
	assert_false(v.active);
	assert_in_range(active, 100, 2000);
}

static void test_hangover_covers_gaps_between_words(void **state)
{
	struct vad v;
	int silent_ticks = 0;

	(void)state;
	vad_init(&v);
	assert_false(v.speaking);
	feed_tone(&v, -20, 0);
	assert_true(v.speaking);
	while (v.speaking) {
		vad_silence(&v);
		assert_false(v.active);
		silent_ticks++;
		assert_true(silent_ticks < 100);
	}
	assert_in_range(silent_ticks, 10, 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_levels_follow_rfc_6464),
		cmocka_unit_test(test_a_tone_is_active_for_ever),
		cmocka_unit_test(test_faint_voice_above_the_floor_and_steady_hiss),
		cmocka_unit_test(test_hangover_covers_gaps_between_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
