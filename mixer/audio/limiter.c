#include "mixer/audio/limiter.h"

#include <math.h>

#include "mixer/audio/dsp.h"

enum { BLOCKS_PER_S = 800 /* 1.25 ms: how fast it turns down */, MAX_BLOCKS = 96 };

#define RELEASE_PER_BLOCK 0.002f /* from silence to full gain in 0.6 s */

static float needed_gain(const float *pcm, size_t n)
{
	float peak = dsp_peak(pcm, n);

	return peak > LIMITER_THRESHOLD ? LIMITER_THRESHOLD / peak : 1;
}

/* What a block could not be turned down for in time: a peak at its very start. */
static void soft_clip(float *pcm, size_t n)
{
	const float room = 1 - LIMITER_THRESHOLD;

	for (size_t i = 0; i < n; i++) {
		float a = fabsf(pcm[i]);

		if (a > LIMITER_THRESHOLD) {
			a = LIMITER_THRESHOLD + room * tanhf((a - LIMITER_THRESHOLD) / room);
			pcm[i] = copysignf(a, pcm[i]);
		}
	}
}

static void run_blocks(struct limiter *l, float *pcm, size_t n, int channels, size_t block)
{
	float need[MAX_BLOCKS], gain = 1 - l->reduction;
	size_t ch = (size_t)channels, blocks = (n + block - 1) / block;

	for (size_t k = 0; k < blocks; k++) {
		size_t len = n - k * block < block ? n - k * block : block;

		need[k] = needed_gain(pcm + k * block * ch, len * ch);
	}
	for (size_t k = 0; k < blocks; k++) {
		size_t len = n - k * block < block ? n - k * block : block;
		float *at = pcm + k * block * ch;
		float next = need[k];

		if (k + 1 < blocks && need[k + 1] < next)
			next = need[k + 1];
		if (next > gain + RELEASE_PER_BLOCK)
			next = gain + RELEASE_PER_BLOCK;
		dsp_ramp(at, len, channels, gain, next);
		if (gain > need[k])
			soft_clip(at, len * ch);
		gain = next;
	}
	l->reduction = 1 - gain;
}

void limiter_run(struct limiter *l, float *pcm, size_t n, int channels, unsigned hz)
{
	const size_t block = hz / BLOCKS_PER_S, most = MAX_BLOCKS * block;

	if (l->reduction <= 0 && dsp_peak(pcm, n * (size_t)channels) <= LIMITER_THRESHOLD) {
		l->reduction = 0;
		return;
	}
	for (size_t at = 0; at < n; at += most)
		run_blocks(l, pcm + at * (size_t)channels, n - at < most ? n - at : most, channels,
			   block);
}
