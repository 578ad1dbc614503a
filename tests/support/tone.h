/* Tones for tests: making them and measuring them (Goertzel). 48 kHz. */
#ifndef TESTS_SUPPORT_TONE_H
#define TESTS_SUPPORT_TONE_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

/* For cmocka tests, which have it for floats only. */
#define assert_near(a, b, eps) assert_true(fabs((double)(a) - (double)(b)) <= (double)(eps))

/* Sample number `at` and the n - 1 behind it of a sine, into every stride-th. */
static inline void tone_fill(float *pcm, size_t n, size_t stride, double hz, double amplitude,
			     int64_t at)
{
	for (size_t i = 0; i < n; i++)
		pcm[i * stride] = (float)(amplitude *
					  sin(2 * M_PI * hz * (double)(at + (int64_t)i) / 48000));
}

/* Amplitude of the sine of that frequency in n samples, Hann-windowed. */
static inline double tone_amplitude(const float *pcm, size_t n, size_t stride, double hz)
{
	double re = 0, im = 0, weight = 0;

	for (size_t i = 0; i < n; i++) {
		double w = 0.5 - 0.5 * cos(2 * M_PI * ((double)i + 0.5) / (double)n);
		double a = 2 * M_PI * hz * (double)i / 48000;

		re += w * (double)pcm[i * stride] * cos(a);
		im += w * (double)pcm[i * stride] * sin(a);
		weight += w;
	}
	return 2 * sqrt(re * re + im * im) / weight;
}

static inline double tone_db(double ratio)
{
	return 20 * log10(ratio + 1e-12);
}

/* RMS of what is left when the best-fitting sine is taken away, relative to it. */
static inline double tone_residue_db(const float *pcm, size_t n, size_t stride, double hz)
{
	double c = 0, s = 0, cc = 0, ss = 0, cs = 0, rest = 0, det, a, b, amp;

	for (size_t i = 0; i < n; i++) {
		double x = (double)pcm[i * stride], w = 2 * M_PI * hz * (double)i / 48000;

		c += x * cos(w);
		s += x * sin(w);
		cc += cos(w) * cos(w);
		ss += sin(w) * sin(w);
		cs += cos(w) * sin(w);
	}
	det = cc * ss - cs * cs;
	a = (c * ss - s * cs) / det;
	b = (s * cc - c * cs) / det;
	for (size_t i = 0; i < n; i++) {
		double w = 2 * M_PI * hz * (double)i / 48000;
		double d = (double)pcm[i * stride] - a * cos(w) - b * sin(w);

		rest += d * d;
	}
	amp = sqrt(a * a + b * b);
	return 20 * log10(sqrt(2 * rest / (double)n) / (amp + 1e-12) + 1e-12);
}

/* A small generator of repeatable noise, -1…1. */
static inline float tone_noise(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return (float)(*state >> 8) / 8388608.0f - 1.0f;
}

#endif
