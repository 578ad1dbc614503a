#include "mixer/audio/dsp.h"

#include <math.h>

/* -O2 of gcc 12 vectorises only loops whose length it knows. A second copy for twice as
 * wide vectors is chosen at start; sanitizers are not ready that early. */
#if defined(__GNUC__) && !defined(__clang__)
#define FAST optimize("O3", "no-trapping-math") /* nobody looks at the exceptions' flags */
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define VECTORISED __attribute__((FAST, target_clones("avx2", "default")))
#else
#define VECTORISED __attribute__((FAST))
#endif
#else
#define VECTORISED
#endif

enum { LANES = 8 };

VECTORISED void dsp_to_int16(int16_t *restrict out, const float *restrict x, size_t n)
{
	/* so large that nothing but whole numbers is left: rounds to the nearest */
	const float whole = 3 << 22;

	for (size_t i = 0; i < n; i++) {
		float v = x[i] * 32768;

		v = v <= 0 || v >= 0 ? v : 0; /* NaN */
		v = v < 32767 ? v : 32767;
		v = v > -32768 ? v : -32768;
		out[i] = (int16_t)(v + whole - whole);
	}
}

VECTORISED void dsp_add(float *restrict acc, const float *restrict x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		acc[i] += x[i];
}

VECTORISED void dsp_sub(float *restrict out, const float *restrict a, const float *restrict b,
			size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = a[i] - b[i];
}

VECTORISED void dsp_middle(float *restrict out, const float *restrict x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (x[2 * i] + x[2 * i + 1]) * 0.5f;
}

VECTORISED float dsp_peak(const float *x, size_t n)
{
	float lane[LANES] = { 0 }, peak = 0;
	size_t i = 0;

	for (; i + LANES <= n; i += LANES) {
		for (size_t k = 0; k < LANES; k++) {
			float a = fabsf(x[i + k]);

			lane[k] = a > lane[k] ? a : lane[k];
		}
	}
	for (; i < n; i++)
		peak = fabsf(x[i]) > peak ? fabsf(x[i]) : peak;
	for (size_t k = 0; k < LANES; k++)
		peak = lane[k] > peak ? lane[k] : peak;
	return peak;
}

bool dsp_is_silent(const float *x, size_t n)
{
	enum { LOOK = 32 }; /* sound shows at once */

	for (size_t i = 0; i < n; i += LOOK)
		if (dsp_peak(x + i, n - i < LOOK ? n - i : LOOK) > 0)
			return false;
	return true;
}

VECTORISED float dsp_dot_between(const float *x, const float *h0, const float *h1, float part,
				 size_t n)
{
	float lane[LANES] = { 0 }, sum = 0;
	size_t i = 0;

	for (; i + LANES <= n; i += LANES)
		for (size_t k = 0; k < LANES; k++)
			lane[k] += x[i + k] * (h0[i + k] + part * (h1[i + k] - h0[i + k]));
	for (; i < n; i++)
		sum += x[i] * (h0[i] + part * (h1[i] - h0[i]));
	for (size_t k = 0; k < LANES; k++)
		sum += lane[k];
	return sum;
}

VECTORISED float dsp_dot(const float *a, const float *b, size_t n)
{
	float lane[LANES] = { 0 }, sum = 0;
	size_t i = 0;

	for (; i + LANES <= n; i += LANES)
		for (size_t k = 0; k < LANES; k++)
			lane[k] += a[i + k] * b[i + k];
	for (; i < n; i++)
		sum += a[i] * b[i];
	for (size_t k = 0; k < LANES; k++)
		sum += lane[k];
	return sum;
}

float dsp_energy(const float *x, size_t n)
{
	return dsp_dot(x, x, n);
}

/* Indices of 32 bits: there is no vector instruction that makes floats of longer ones. */
VECTORISED void dsp_ramp(float *x, size_t n, int channels, float g0, float g1)
{
	float step = n ? (g1 - g0) / (float)n : 0;
	int frames = (int)n;

	if (channels == 1)
		for (int i = 0; i < frames; i++)
			x[i] *= g0 + step * (float)i;
	else
		for (int i = 0; i < 2 * frames; i++)
			x[i] *= g0 + step * (float)(i / 2);
}

VECTORISED void dsp_ramp_add(float *restrict acc, const float *restrict x, size_t n, int channels,
			     float g0, float g1)
{
	float step = n ? (g1 - g0) / (float)n : 0;
	int frames = (int)n;

	if (channels == 1)
		for (int i = 0; i < frames; i++)
			acc[i] += x[i] * (g0 + step * (float)i);
	else
		for (int i = 0; i < 2 * frames; i++)
			acc[i] += x[i] * (g0 + step * (float)(i / 2));
}
