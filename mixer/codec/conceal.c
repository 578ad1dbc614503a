#include "mixer/codec/conceal.h"

#include <math.h>
#include <string.h>

#include "mixer/audio/dsp.h"

/* The period that repeats best; a longer one must be clearly better. */
#define LONGER_BONUS 1.02f

enum {
	MIN_LAG_MS_X10 = 25,
	MAX_LAG_MS = 15,
	COMPARE_MS = 10,
	STEP_FADE_MS = 2, /* over which the step at the start is spread */
	RETURN_MS = 5,
};

static size_t samples(const struct conceal *c, int ms)
{
	return (size_t)(ms * c->rate_hz / 1000);
}

void conceal_init(struct conceal *c, int rate_hz)
{
	memset(c, 0, sizeof *c);
	c->rate_hz = rate_hz;
	c->end = CONCEAL_HISTORY;
}

static size_t find_lag(const struct conceal *c)
{
	size_t min = (size_t)(MIN_LAG_MS_X10 * c->rate_hz / 10000), max = samples(c, MAX_LAG_MS);
	size_t n = samples(c, COMPARE_MS), best = max;
	const float *end = c->past + c->end - n;
	float best_corr = 0;

	for (size_t lag = min; lag <= max; lag++) {
		float dot = dsp_dot(end, end - lag, n), energy = dsp_energy(end - lag, n);
		float corr = dot > 0 ? dot / sqrtf(energy + 1e-9f) : 0;

		if (corr > best_corr * LONGER_BONUS) {
			best_corr = corr;
			best = lag;
		}
	}
	return best;
}

/* The last lag samples, their end led over into what comes before their start,
 * so that they can follow themselves. */
static void take_period(struct conceal *c)
{
	const float *end = c->past + c->end;
	size_t lag = find_lag(c), over = lag / 4;

	memcpy(c->period, end - lag, lag * sizeof c->period[0]);
	for (size_t i = 0; i < over; i++) {
		float w = ((float)i + 0.5f) / (float)over;
		const float *before = end - lag - over + i;

		c->period[lag - over + i] = (1 - w) * c->period[lag - over + i] + w * *before;
	}
	c->lag = lag;
	c->at = 0;
	c->step = end[-1] - end[-1 - (ptrdiff_t)lag];
}

static float next_sample(struct conceal *c)
{
	size_t full = samples(c, CONCEAL_FULL_MS), none = samples(c, CONCEAL_FADE_MS);
	size_t spread = samples(c, STEP_FADE_MS);
	float x;

	if (c->made == 0)
		take_period(c);
	if (c->made >= none)
		return 0;
	x = c->period[c->at];
	c->at = c->at + 1 == c->lag ? 0 : c->at + 1;
	if (c->made < spread)
		x += c->step * (float)(spread - c->made) / (float)spread;
	if (c->made > full)
		x *= (float)(none - c->made) / (float)(none - full);
	c->made++;
	return x;
}

void conceal_make(struct conceal *c, float *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = next_sample(c);
}

static void remember(struct conceal *c, const float *pcm, size_t n)
{
	size_t keep = n < CONCEAL_HISTORY ? CONCEAL_HISTORY - n : 0;

	if (n > CONCEAL_HISTORY) {
		pcm += n - CONCEAL_HISTORY;
		n = CONCEAL_HISTORY;
	}
	if (c->end + n > sizeof c->past / sizeof c->past[0]) {
		memmove(c->past, c->past + c->end - keep, keep * sizeof *c->past);
		c->end = keep;
	}
	memcpy(c->past + c->end, pcm, n * sizeof *pcm);
	c->end += n;
}

void conceal_received(struct conceal *c, float *pcm, size_t n)
{
	size_t over = samples(c, RETURN_MS);

	for (size_t i = 0; c->made && i < n && i < over; i++) {
		float w = ((float)i + 0.5f) / (float)over;

		pcm[i] = w * pcm[i] + (1 - w) * next_sample(c);
	}
	c->made = 0;
	remember(c, pcm, n);
}
