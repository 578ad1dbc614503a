#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "mixer/audio/dsp.h"
#include "tests/support/tone.h"

enum { MAX = 2000, ROUNDS = 300 };

static float a[MAX], b[MAX], got[MAX], want[MAX];

static size_t random_input(uint32_t *seed)
{
	for (size_t i = 0; i < MAX; i++) {
		a[i] = tone_noise(seed);
		b[i] = tone_noise(seed) * 3;
		got[i] = want[i] = tone_noise(seed);
	}
	return (size_t)((tone_noise(seed) + 1) * (MAX / 2 - 1));
}

static void assert_same(size_t n)
{
	for (size_t i = 0; i < MAX; i++)
		assert_near(got[i], want[i], i < n ? 1e-6 : 0);
}

static void test_add_and_sub_match_scalar(void **state)
{
	uint32_t seed = 1;

	(void)state;
	for (int r = 0; r < ROUNDS; r++) {
		size_t n = random_input(&seed);

		dsp_add(got, a, n);
		for (size_t i = 0; i < n; i++)
			want[i] += a[i];
		assert_same(n);
		dsp_sub(got, a, b, n);
		for (size_t i = 0; i < n; i++)
			want[i] = a[i] - b[i];
		assert_same(n);
	}
}

static void test_ramps_match_scalar(void **state)
{
	uint32_t seed = 2;

	(void)state;
	for (int r = 0; r < ROUNDS; r++) {
		int ch = 1 + r % 2;
		size_t frames = random_input(&seed) / 2, n = frames * (size_t)ch;

		dsp_ramp(got, frames, ch, 0.25f, 1);
		for (size_t i = 0; i < n; i++)
			want[i] *= 0.25f + 0.75f * (float)(i / (size_t)ch) / (float)frames;
		assert_same(n);
		dsp_ramp_add(got, a, frames, ch, 1, -0.5f);
		for (size_t i = 0; i < n; i++)
			want[i] += a[i] * (1 - 1.5f * (float)(i / (size_t)ch) / (float)frames);
		assert_same(n);
	}
}

static void test_sums_match_scalar(void **state)
{
	uint32_t seed = 3;

	(void)state;
	for (int r = 0; r < ROUNDS; r++) {
		size_t n = random_input(&seed);
		double dot = 0, energy = 0;
		float peak = 0;

		for (size_t i = 0; i < n; i++) {
			dot += (double)a[i] * (double)b[i];
			energy += (double)b[i] * (double)b[i];
			peak = fabsf(b[i]) > peak ? fabsf(b[i]) : peak;
		}
		assert_near(dsp_dot(a, b, n), dot, 1e-2);
		assert_near(dsp_energy(b, n), energy, 1e-2);
		assert_true(dsp_peak(b, n) >= peak && dsp_peak(b, n) <= peak);
	}
	assert_near(dsp_peak(a, 0), 0, 0);
	assert_near(dsp_energy(a, 0), 0, 0);
}

static void test_one_sample_is_sound(void **state)
{
	enum { N = 100 };
	float x[N] = { 0 };

	(void)state;
	for (size_t n = 0; n <= N; n++)
		assert_true(dsp_is_silent(x, n));
	for (size_t i = 0; i < N; i++) {
		x[i] = i % 2 ? -1e-30f : 1e-30f;
		for (size_t n = 0; n <= N; n++)
			assert_int_equal(dsp_is_silent(x, n), n <= i);
		x[i] = 0;
	}
}

static int16_t one_to_int16(float x)
{
	float v = x * 32768;

	return v >= 32767 ? INT16_MAX : v > -32768 ? (int16_t)lrintf(v) : INT16_MIN;
}

static void test_sixteen_bits_match_scalar(void **state)
{
	static const float edges[] = { 0, -0.0f, 1, -1, 0.99999f, -0.99999f, 1e9f, -1e9f, INFINITY,
				       -INFINITY, 0.5f / 32768, 1.5f / 32768, -0.5f / 32768 };
	const float no_number = NAN;
	int16_t out[MAX];
	uint32_t seed = 5;

	(void)state;
	for (int r = 0; r < ROUNDS; r++) {
		size_t n = random_input(&seed);

		dsp_to_int16(out, b, n);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(out[i], one_to_int16(b[i]));
	}
	dsp_to_int16(out, edges, sizeof edges / sizeof edges[0]);
	for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++)
		assert_int_equal(out[i], one_to_int16(edges[i]));
	dsp_to_int16(out, &no_number, 1);
	assert_int_equal(out[0], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add_and_sub_match_scalar),
		cmocka_unit_test(test_ramps_match_scalar),
		cmocka_unit_test(test_sums_match_scalar),
		cmocka_unit_test(test_one_sample_is_sound),
		cmocka_unit_test(test_sixteen_bits_match_scalar),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
