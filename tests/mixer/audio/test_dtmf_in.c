/* DTMF tones in sound: every digit is told once, and none is heard. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mixer/audio/dtmf_in.h"
#include "tests/support/tone.h"

enum { TICK = DTMF_IN_SAMPLES, MOST_S = 60 };

static const double low[] = { 697, 770, 852, 941 }, high[] = { 1209, 1336, 1477, 1633 };
static const char keys[] = "123A456B789C*0#D";

static float in[MOST_S * 48000], out[MOST_S * 48000];
static size_t length; /* of in */
static char heard[256];

static void add_silence(int ms)
{
	memset(in + length, 0, (size_t)ms * 48 * sizeof in[0]);
	length += (size_t)ms * 48;
}

static void add_tones(double a_hz, double b_hz, int ms, double amplitude)
{
	size_t n = (size_t)ms * 48;

	for (size_t i = 0; i < n; i++)
		in[length + i] = (float)(amplitude * (sin(2 * M_PI * a_hz * (double)i / 48000) +
						      sin(2 * M_PI * b_hz * (double)i / 48000)));
	length += n;
}

static void press(char key, int ms, double amplitude)
{
	size_t at = (size_t)(strchr(keys, key) - keys);

	add_tones(low[at / 4], high[at % 4], ms, amplitude);
}

static void run(void)
{
	struct dtmf_in *d;
	size_t ticks;

	add_silence(200);
	ticks = length / TICK;
	heard[0] = 0;
	assert_int_equal(dtmf_in_new(&d, 1), 0);
	for (size_t t = 0; t < ticks; t++) {
		char digits[DTMF_IN_DIGITS + 1];
		bool sound;

		memcpy(out + t * TICK, in + t * TICK, TICK * sizeof in[0]);
		sound = dtmf_in_tick(d, out + t * TICK, true, digits);
		strcat(heard, digits);
		for (size_t i = 0; i < TICK && !sound; i++)
			assert_true(fabsf(out[t * TICK + i]) <= 0);
	}
	dtmf_in_free(&d);
}

static double power(const float *x, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (double)x[i] * (double)x[i];
	return sum;
}

/* Wherever in a tick it begins, of each length and level: nothing of it is left. */
static void test_no_digit_is_heard(void **state)
{
	static const double amplitudes[] = { 0.4, 0.1, 0.03 };
	static const int lengths[] = { 45, 70, 100, 250, 1000 };
	double leaked = 0, all = 0;

	(void)state;
	for (size_t a = 0; a < 3; a++)
		for (size_t l = 0; l < 5; l++)
			for (int shift = 0; shift < 20; shift += 3) {
				char key = keys[(a + l + (size_t)shift) % 16], want[4] = { key };

				length = 0;
				add_silence(100 + shift);
				press(key, lengths[l], amplitudes[a]);
				add_silence(300);
				run();
				if (strcmp(heard, want))
					fail_msg("%d ms of %c at %.2f: \"%s\"", lengths[l], key,
						 amplitudes[a], heard);
				leaked += power(out, length);
				all += power(in, length);
			}
	print_message("of the tones' energy %.1e is heard\n", leaked / all);
	assert_true(leaked < all * 1e-9);
}

static void test_all_keys(void **state)
{
	(void)state;
	length = 0;
	for (const char *k = keys; *k; k++) {
		add_silence(60);
		press(*k, 60, 0.2);
	}
	run();
	assert_string_equal(heard, keys);
	assert_true(power(out, length) < 1e-9);
}

/* The same one again is two. */
static void test_fast_typing(void **state)
{
	(void)state;
	length = 0;
	add_silence(100);
	for (int i = 0; i < 10; i++) {
		press('5', 50, 0.2);
		add_silence(50);
	}
	run();
	assert_string_equal(heard, "5555555555");
}

/* What is no digit comes out as it went in, later. */
static void test_sound_passes(void **state)
{
	const size_t late = DTMF_IN_DELAY_TICKS * TICK;

	(void)state;
	length = 0;
	add_tones(440, 1000, 500, 0.2);
	add_tones(300, 620, 500, 0.3);
	run();
	assert_string_equal(heard, "");
	for (size_t i = 0; i + late < length / TICK * TICK; i++)
		assert_true(fabsf(out[i + late] - in[i]) <= 0);
	for (size_t i = 0; i < late; i++)
		assert_true(fabsf(out[i]) <= 0);
}

/* Noise, and tones that go up and down as voices do, are no digits. */
static void test_talk_off(void **state)
{
	uint32_t seed = 7;
	double phase = 0;

	(void)state;
	length = 0;
	add_silence(20000);
	for (size_t i = 0; i < length; i++) {
		double t = (double)i / 48000, hz = 180 + 60 * sin(2 * M_PI * 3 * t);
		double v = 0;

		phase += 2 * M_PI * hz / 48000;
		for (int k = 1; k < 12; k++)
			v += sin(k * phase) / k;
		in[i] = (float)(0.1 * v * (1 + sin(2 * M_PI * 1.3 * t))) +
			0.02f * tone_noise(&seed);
	}
	run();
	assert_string_equal(heard, "");
}

static void test_two_channels(void **state)
{
	struct dtmf_in *d;
	char digits[DTMF_IN_DIGITS + 1];
	float pcm[2 * TICK];
	size_t got = 0;

	(void)state;
	length = 0;
	press('8', 200, 0.3);
	assert_int_equal(dtmf_in_new(&d, 3), -EINVAL);
	assert_int_equal(dtmf_in_new(&d, 2), 0);
	for (size_t t = 0; t < 10; t++) {
		for (size_t i = 0; i < TICK; i++)
			pcm[2 * i] = pcm[2 * i + 1] = in[t * TICK + i];
		(void)dtmf_in_tick(d, pcm, true, digits);
		got += strlen(digits);
		for (size_t i = 0; i < 2 * TICK; i++)
			assert_true(fabsf(pcm[i]) <= 0);
	}
	assert_int_equal(got, 1);
	dtmf_in_reset(d);
	memset(pcm, 0, sizeof pcm);
	assert_false(dtmf_in_tick(d, pcm, false, digits));
	dtmf_in_free(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_digit_is_heard),
		cmocka_unit_test(test_all_keys),
		cmocka_unit_test(test_fast_typing),
		cmocka_unit_test(test_sound_passes),
		cmocka_unit_test(test_talk_off),
		cmocka_unit_test(test_two_channels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
