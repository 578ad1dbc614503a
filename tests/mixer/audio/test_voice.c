#include "mixer/audio/voice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mixer/audio/dsp.h"
#include "mixer/audio/vad.h"
#include "tests/support/alloc_count.h"
#include "tests/support/tone.h"

enum { TICK = VOICE_TICK_SAMPLES, TICKS_PER_S = 50 };

struct talk {
	struct voice *v;
	int channels;
	int64_t tick;
	uint32_t seed;
	float pcm[TICK * 2], in[TICK * 2];
	double said, pause; /* power that came out, per sample */
	int n_said, n_pause;
};

static void open_talk(struct talk *t, int channels)
{
	*t = (struct talk){ .channels = channels, .seed = 7 };
	assert_int_equal(voice_new(&t->v, channels), 0);
}

/* 700 ms of voice, 500 ms of pause: harmonics of 150 Hz that swell four times a
 * second, at a level in dBov, over white noise. */
static bool make(struct talk *t, double voice_dbov, double noise_dbov)
{
	double noise = pow(10, noise_dbov / 20) * sqrt(3), voice = pow(10, voice_dbov / 20);
	bool said = t->tick % 60 < 35;
	size_t ch = (size_t)t->channels;

	for (int64_t i = 0; i < TICK; i++) {
		double at = (double)(t->tick * TICK + i) / 48000, x = 0;

		for (int k = 1; k <= 8; k++)
			x += sin(2 * M_PI * 150 * k * at + k * k) / k;
		x *= voice * 0.93 * (1 + 0.4 * sin(2 * M_PI * 4 * at)) * said;
		for (size_t c = 0; c < ch; c++)
			t->in[(size_t)i * ch + c] = (float)(x + noise * (double)tone_noise(&t->seed));
	}
	t->tick++;
	return said;
}

/* So many seconds; the last four are measured, without the edges of voice. */
static void talk(struct talk *t, int seconds, double voice_dbov, double noise_dbov)
{
	int ticks = seconds * TICKS_PER_S;
	size_t floats = (size_t)(TICK * t->channels);

	t->said = t->pause = t->n_said = t->n_pause = 0;
	for (int k = 0; k < ticks; k++) {
		bool said = make(t, voice_dbov, noise_dbov);
		int at = (int)((t->tick - 1) % 60);

		memcpy(t->pcm, t->in, floats * sizeof(float));
		voice_run(t->v, t->pcm);
		if (k < ticks - 4 * TICKS_PER_S)
			continue;
		if (said && at >= 3 && at < 33) {
			t->said += (double)dsp_energy(t->pcm, floats) / (double)floats;
			t->n_said++;
		} else if (!said && at >= 45) {
			t->pause += (double)dsp_energy(t->pcm, floats) / (double)floats;
			t->n_pause++;
		}
	}
}

static double said_dbov(const struct talk *t)
{
	return 10 * log10(t->said / t->n_said + 1e-13);
}

static double pause_dbov(const struct talk *t)
{
	return 10 * log10(t->pause / t->n_pause + 1e-13);
}

static void test_off_it_is_bit_exact(void **state)
{
	(void)state;
	for (int channels = 1; channels <= 2; channels++) {
		struct talk t;

		open_talk(&t, channels);
		for (int round = 0; round < 2; round++) {
			for (int i = 0; i < 100; i++) {
				make(&t, -20, -50);
				memcpy(t.pcm, t.in, sizeof t.pcm);
				voice_run(t.v, t.pcm);
				assert_memory_equal(t.pcm, t.in, sizeof t.pcm);
			}
			/* and again after both were on */
			voice_set(t.v, true, true);
			talk(&t, 5, -40, -60);
			assert_true(voice_gain_db(t.v) > 3);
			voice_set(t.v, false, false);
			talk(&t, 5, -40, -60);
			assert_true(fabsf(voice_gain_db(t.v)) <= 0);
		}
		voice_free(&t.v);
		assert_null(t.v);
	}
}

static void test_gain_brings_everybody_to_the_target(void **state)
{
	static const struct {
		double in, out;
	} rows[] = { { -42, -26 }, { -34, -26 }, { -26, -26 }, { -8, -26 }, { -52, -32 } };

	(void)state;
	for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
		struct talk t;

		open_talk(&t, 1);
		voice_set(t.v, true, false);
		talk(&t, 14, rows[k].in, -75);
		print_message("gain: %.0f dBov becomes %.1f\n", rows[k].in, said_dbov(&t));
		assert_near(said_dbov(&t), rows[k].out, 2.5);
		assert_true(voice_gain_db(t.v) <= VOICE_RANGE_DB);
		voice_free(&t.v);
	}
}

/* Who is silent is not made louder, whatever hums; nor in pauses. */
static void test_noise_is_not_turned_up(void **state)
{
	struct talk t;

	(void)state;
	open_talk(&t, 1);
	voice_set(t.v, true, false);
	talk(&t, 20, -120, -58);
	assert_true(fabsf(voice_gain_db(t.v)) < 1);
	voice_free(&t.v);
}

/* Both channels by the same: where somebody stands does not change. */
static void test_gain_keeps_the_sides(void **state)
{
	struct talk t;

	(void)state;
	open_talk(&t, 2);
	voice_set(t.v, true, false);
	for (int k = 0; k < 500; k++) {
		make(&t, -40, -80);
		for (size_t i = 0; i < TICK; i++)
			t.in[2 * i + 1] *= 0.25f;
		memcpy(t.pcm, t.in, sizeof t.pcm);
		voice_run(t.v, t.pcm);
		for (size_t i = 0; i < TICK; i++)
			assert_near(t.pcm[2 * i + 1] * t.in[2 * i],
				    t.pcm[2 * i] * t.in[2 * i + 1], 1e-6);
	}
	assert_true(voice_gain_db(t.v) > 10);
	voice_free(&t.v);
}

/* A shout after a whisper: turned down within the tick, for the limiter the rest. */
static void test_gain_never_clips(void **state)
{
	struct talk t;

	(void)state;
	open_talk(&t, 1);
	voice_set(t.v, true, false);
	talk(&t, 10, -45, -80);
	assert_true(voice_gain_db(t.v) > 15);
	tone_fill(t.pcm, TICK, 1, 500, 0.95, 0);
	voice_run(t.v, t.pcm);
	tone_fill(t.pcm, TICK, 1, 500, 0.95, TICK);
	voice_run(t.v, t.pcm);
	assert_true(dsp_peak(t.pcm, TICK) < 1);
	voice_free(&t.v);
}

static void test_noise_falls_and_speech_stays(void **state)
{
	(void)state;
	for (int channels = 1; channels <= 2; channels++) {
		double said, pause;
		struct talk t;

		open_talk(&t, channels);
		talk(&t, 8, -26, -50);
		said = said_dbov(&t);
		pause = pause_dbov(&t);
		assert_near(pause, -50, 0.5);
		voice_set(t.v, false, true);
		talk(&t, 12, -26, -50);
		print_message("noise %.1f dBov becomes %.1f, speech %.1f becomes %.1f\n", pause,
			      pause_dbov(&t), said, said_dbov(&t));
		assert_true(pause_dbov(&t) < pause - 12);
		assert_near(said_dbov(&t), said, 1.5);
		voice_free(&t.v);
	}
}

/* What was inside when somebody stopped is not heard when he goes on. */
static void test_a_rest_forgets(void **state)
{
	struct talk t;

	(void)state;
	open_talk(&t, 1);
	voice_set(t.v, false, true);
	for (int i = 0; i < 30; i++) {
		make(&t, -20, -60);
		memcpy(t.pcm, t.in, sizeof t.pcm);
		voice_run(t.v, t.pcm);
	}
	voice_rest(t.v);
	memset(t.pcm, 0, sizeof t.pcm);
	voice_run(t.v, t.pcm);
	assert_true(dsp_peak(t.pcm, TICK) < 0.001f);
	voice_free(&t.v);
}

static void test_switching_does_not_click(void **state)
{
	struct talk t;
	float last = 0, most = 0;

	(void)state;
	open_talk(&t, 1);
	for (int k = 0; k < 200; k++) {
		if (k % 10 == 0)
			voice_set(t.v, k % 20 == 0, k % 30 == 0);
		tone_fill(t.pcm, TICK, 1, 300, 0.1, (int64_t)k * TICK);
		voice_run(t.v, t.pcm);
		for (int i = 0; i < TICK; i++) {
			most = fabsf(t.pcm[i] - last) > most ? fabsf(t.pcm[i] - last) : most;
			last = t.pcm[i];
		}
	}
	/* the tone's own steps, at the loudest it becomes */
	assert_true(most < 0.1 * 2 * M_PI * 300 / 48000 * 2);
	voice_free(&t.v);
}

static void test_nothing_is_allocated(void **state)
{
	struct talk t;
	size_t before;

	(void)state;
	open_talk(&t, 2);
	voice_set(t.v, true, true);
	talk(&t, 1, -30, -60);
	before = allocations;
	talk(&t, 5, -30, -60);
	voice_rest(t.v);
	voice_set(t.v, false, false);
	talk(&t, 5, -30, -60);
	assert_int_equal(allocations, before);
	voice_free(&t.v);
}

static void test_bad_arguments(void **state)
{
	struct voice *v = NULL;

	(void)state;
	assert_int_equal(voice_new(&v, 0), -EINVAL);
	assert_int_equal(voice_new(&v, 3), -EINVAL);
	voice_free(&v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_off_it_is_bit_exact),
		cmocka_unit_test(test_gain_brings_everybody_to_the_target),
		cmocka_unit_test(test_noise_is_not_turned_up),
		cmocka_unit_test(test_gain_keeps_the_sides),
		cmocka_unit_test(test_gain_never_clips),
		cmocka_unit_test(test_noise_falls_and_speech_stays),
		cmocka_unit_test(test_a_rest_forgets),
		cmocka_unit_test(test_switching_does_not_click),
		cmocka_unit_test(test_nothing_is_allocated),
		cmocka_unit_test(test_bad_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
