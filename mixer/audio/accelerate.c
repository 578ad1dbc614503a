#include "mixer/audio/accelerate.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "mixer/audio/dsp.h"

/* The period is looked for at 12 kHz first, then made exact at 48; at lower rates at
 * once. */
enum { DECIMATE = 4, LOW_LEAST = 3 /* 48 kHz to the highest that is low */ };

/* A longer period that fits nearly as well takes fewer cuts. */
#define NEARLY_AS_GOOD 0.02f

static float correlation(const float *x, size_t lag, size_t window)
{
	float e0 = dsp_energy(x, window), e1 = dsp_energy(x + lag, window);

	/* Digital silence repeats perfectly. */
	if (e0 + e1 < 1e-9f)
		return 1;
	return dsp_dot(x, x + lag, window) / (sqrtf(e0 * e1) + 1e-12f);
}

/* The longest lag whose repetition fits (nearly) best; low: not above 16 kHz. */
static size_t search_coarse(const float *low, size_t from, size_t to)
{
	float c[ACCELERATE_MAX_LAG / LOW_LEAST + 1], top = -1;

	for (size_t l = from; l <= to; l++) {
		c[l] = correlation(low, l, to);
		top = c[l] > top ? c[l] : top;
	}
	for (size_t l = to; l > from; l--) {
		bool peak = c[l] >= c[l - 1] && (l == to || c[l] >= c[l + 1]);

		if (peak && c[l] >= top - NEARLY_AS_GOOD)
			return l;
	}
	return from;
}

static size_t search_fine(const float *x, size_t from, size_t to, size_t window, float *best)
{
	size_t lag = from;

	*best = -2;
	for (size_t l = from; l <= to; l++) {
		float c = correlation(x, l, window);

		if (c >= *best) {
			*best = c;
			lag = l;
		}
	}
	return lag;
}

/* Mixes down to mono, and to a rate lower by the factor. */
static void downmix(const float *pcm, size_t n, int channels, size_t factor, float *mono,
		    float *low)
{
	size_t ch = (size_t)channels;

	for (size_t i = 0; i < n; i++) {
		float sum = 0;

		for (size_t c = 0; c < ch; c++)
			sum += pcm[i * ch + c];
		mono[i] = sum;
	}
	for (size_t i = 0; i < n / factor; i++) {
		low[i] = 0;
		for (size_t k = 0; k < factor; k++)
			low[i] += mono[i * factor + k];
	}
}

/* The period to cut or repeat, 0 if none is good enough. */
static size_t find_period(unsigned hz, const float *pcm, int channels, size_t max_lag,
			  float min_corr)
{
	float mono[ACCELERATE_NEED], low[ACCELERATE_NEED / LOW_LEAST], corr;
	size_t n = 2 * max_lag, factor = hz > 16000 ? DECIMATE : 1, refine = factor + 1;
	size_t min_lag = accelerate_at(ACCELERATE_MIN_LAG, hz), lag, from, to;

	downmix(pcm, n, channels, factor, mono, low);
	lag = factor * search_coarse(low, min_lag / factor, max_lag / factor);
	from = lag > min_lag + refine ? lag - refine : min_lag;
	to = lag + refine < max_lag ? lag + refine : max_lag;
	lag = search_fine(mono, from, to, max_lag, &corr);
	return min_corr <= 0 || corr >= min_corr ? lag : 0;
}

/* to[i] = from `a` fading over to `b`. to may be a. */
static void cross_fade(float *to, const float *a, const float *b, size_t n, int channels)
{
	size_t ch = (size_t)channels;

	for (size_t i = 0; i < n; i++) {
		float w = ((float)i + 0.5f) / (float)n;

		for (size_t c = 0; c < ch; c++)
			to[i * ch + c] = a[i * ch + c] * (1 - w) + b[i * ch + c] * w;
	}
}

static size_t usable_lag(unsigned hz, size_t n, size_t max_lag)
{
	size_t most = accelerate_at(ACCELERATE_MAX_LAG, hz);

	if (max_lag > most)
		max_lag = most;
	if (max_lag > n / 2)
		max_lag = n / 2;
	return max_lag < accelerate_at(ACCELERATE_MIN_LAG, hz) ? 0 : max_lag;
}

size_t accelerate_shorten(unsigned hz, float *pcm, size_t n, int channels, size_t max_lag,
			  float min_corr)
{
	size_t ch = (size_t)channels, lag;

	max_lag = usable_lag(hz, n, max_lag);
	if (!max_lag)
		return 0;
	lag = find_period(hz, pcm, channels, max_lag, min_corr);
	if (!lag)
		return 0;
	cross_fade(pcm, pcm, pcm + lag * ch, lag, channels);
	memmove(pcm + lag * ch, pcm + 2 * lag * ch, (n - 2 * lag) * ch * sizeof *pcm);
	return lag;
}

size_t accelerate_lengthen(unsigned hz, float *pcm, size_t n, int channels, size_t max_lag,
			   float min_corr)
{
	size_t ch = (size_t)channels, lag;

	max_lag = usable_lag(hz, n, max_lag);
	if (!max_lag)
		return 0;
	lag = find_period(hz, pcm, channels, max_lag, min_corr);
	if (!lag)
		return 0;
	memmove(pcm + 2 * lag * ch, pcm + lag * ch, (n - lag) * ch * sizeof *pcm);
	/* The second period was x[lag…2 lag), which now also lies one further on. */
	cross_fade(pcm + lag * ch, pcm + 2 * lag * ch, pcm, lag, channels);
	return lag;
}
