#include "mixer/codec/rate.h"

#include <math.h>
#include <string.h>

#include "mixer/audio/dsp.h"

enum { CHUNK = 960 };

#define PI	    3.14159265358979
#define KAISER_BETA 5.65 /* 60 dB */
/* Half of the transition from pass to stop band, in cycles per sample. */
#define HALF_TRANSITION 0.0094

static double bessel_i0(double x)
{
	double sum = 1, term = 1;

	for (int k = 1; k < 30; k++) {
		term *= x / (2 * k) * (x / (2 * k));
		sum += term;
	}
	return sum;
}

static double tap(int i, double cutoff)
{
	double t = i - (RATE_TAPS - 1) / 2.0, u = 2 * t / RATE_TAPS;

	return sin(2 * PI * cutoff * t) / (PI * t) * bessel_i0(KAISER_BETA * sqrt(1 - u * u));
}

void rate_init(struct rate *r, int factor)
{
	int per = RATE_TAPS / factor;
	double h[RATE_TAPS], sum = 0;

	memset(r, 0, sizeof *r);
	r->factor = factor;
	for (int i = 0; i < RATE_TAPS; i++)
		sum += h[i] = tap(i, 0.5 / factor - HALF_TRANSITION);
	for (int i = 0; i < RATE_TAPS; i++)
		r->down[RATE_TAPS - 1 - i] = (float)(h[i] / sum);
	for (int p = 0; p < factor; p++) {
		/* Equal gain of all phases: a constant stays one. */
		sum = 0;
		for (int k = 0; k < per; k++)
			sum += h[k * factor + p];
		for (int k = 0; k < per; k++)
			r->up[p * per + per - 1 - k] = (float)(h[k * factor + p] / sum);
	}
}

void rate_reset(struct rate *r)
{
	memset(r->past, 0, sizeof r->past);
}

/* The last `keep` samples of the past and then in: contiguous. */
static void join(struct rate *r, float *buf, size_t keep, const float *in, size_t n)
{
	memcpy(buf, r->past + RATE_TAPS - keep, keep * sizeof *buf);
	memcpy(buf + keep, in, n * sizeof *buf);
	memcpy(r->past + RATE_TAPS - keep, buf + n, keep * sizeof *buf);
}

void rate_up(struct rate *r, const float *in, size_t n, float *out)
{
	size_t factor = (size_t)r->factor, per = RATE_TAPS / factor;
	float buf[RATE_TAPS + CHUNK];

	while (n) {
		size_t part = n < CHUNK ? n : CHUNK;

		join(r, buf, per - 1, in, part);
		for (size_t i = 0; i < part; i++)
			for (size_t p = 0; p < factor; p++)
				*out++ = dsp_dot(r->up + p * per, buf + i, per);
		in += part;
		n -= part;
	}
}

void rate_down(struct rate *r, const float *in, size_t n, float *out)
{
	size_t factor = (size_t)r->factor;
	float buf[RATE_TAPS + CHUNK];

	while (n) {
		size_t part = n < CHUNK ? n : CHUNK;

		join(r, buf, RATE_TAPS - 1, in, part);
		for (size_t i = 0; i < part; i += factor)
			*out++ = dsp_dot(r->down, buf + i, RATE_TAPS);
		in += part;
		n -= part;
	}
}
