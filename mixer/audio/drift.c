#include "mixer/audio/drift.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>

#include "mcu/base/hot.h"
#include "mixer/audio/dsp.h"

/* The loop: delay' = drift - correction, beyond a dead band of the delay. With the proportional part alone an
 * error of 1 ms is answered by 100 ppm, a time constant of 10 s; the integral
 * part learns the sender's drift and is set for critical damping. */
#define GAIN_PPM_PER_MS       100.0f
#define GAIN_PPM_PER_MS_S     2.5f
#define ERROR_MAX_MS          10.0f  /* more is a burst, not drift */
#define ERROR_ANSWERED_MS     5.0f   /* at most, beyond: */
#define ERROR_DEAD_MS         2.0f   /* nobody hears: not worth resampling, and no drift yet */
#define JUMP_MS               1.5f   /* from one call to the next: no clock does that */
#define LEARNED_MAX_PPM       500.0f /* crystals are within 100 */
/* Clocks that differ that much make it slide all the time, at their own speed;
 * others seldom, at this one. */
#define STEADY_PPM            200.0
#define SLIDE_PPM             500.0

/* Delays of a fraction of a sample: windowed sines, of which at 0 nothing is left
 * but the sample itself. Between two phases taps are interpolated linearly, which
 * is right to -80 dB. */
enum { TAPS = 32, PHASES = 128, CENTRE = TAPS / 2 - 1 };
#define KAISER_BETA 8.0

enum { CHUNK = 480, PAST = TAPS /* one more than needed: a slide may step back */ };

static float phase[PHASES + 1][TAPS];

struct drift {
	int channels;
	float learned_ppm, ppm;
	float last_ms;   /* the error of the last call */
	float burst_ms;  /* how much of it came at once: not ours to take out */
	double debt;   /* samples that the loop wants removed yet */
	int32_t slide; /* outputs that the slide under way takes; 0: none */
	int32_t at;    /* of them done */
	int sign;      /* +1: it removes a sample, -1: it adds one */
	int ahead;     /* samples of the next input that are used already */
	float past[2][PAST];
};

static double bessel_i0(double x)
{
	double sum = 1, term = 1;

	for (int k = 1; k < 40; k++) {
		term *= x * x / 4 / k / k;
		sum += term;
	}
	return sum;
}

static void make_phases(void)
{
	for (int p = 0; p <= PHASES; p++) {
		double sum = 0;

		for (int k = 0; k < TAPS; k++) {
			double t = k - CENTRE - (double)p / PHASES, w = t / (TAPS / 2);
			double x = M_PI * t, s = fabs(t) < 1e-9 ? 1 : sin(x) / x;

			w = w * w < 1 ? bessel_i0(KAISER_BETA * sqrt(1 - w * w)) : 0;
			phase[p][k] = (float)(s * w);
			sum += s * w;
		}
		for (int k = 0; k < TAPS; k++)
			phase[p][k] = (float)((double)phase[p][k] / sum);
	}
}

int drift_new(struct drift **out, int channels)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct drift *d;

	if (channels < 1 || channels > 2)
		return -EINVAL;
	pthread_once(&once, make_phases);
	d = hot_calloc(sizeof *d);
	if (!d)
		return -ENOMEM;
	d->channels = channels;
	*out = d;
	return 0;
}

void drift_free(struct drift **d)
{
	hot_free(*d, sizeof **d);
	*d = NULL;
}

void drift_reset(struct drift *d)
{
	*d = (struct drift){ .channels = d->channels };
}

static float clampf(float x, float limit)
{
	return x > limit ? limit : x < -limit ? -limit : x;
}

/* What of the error has crept in: what came at once (the wanted delay fell, packets
 * came late together) is taken out in the next silence, at no cost. What lacks at once
 * is ours all the same, since silence may be long in coming. */
static float creeping(struct drift *d, float error_ms)
{
	float jump = error_ms - d->last_ms, most = error_ms > 0 ? error_ms : 0;

	if (jump >= JUMP_MS || -jump >= JUMP_MS)
		d->burst_ms += jump;
	if (d->burst_ms < 0)
		d->burst_ms = 0;
	if (d->burst_ms > most)
		d->burst_ms = most;
	d->last_ms = error_ms;
	return error_ms - d->burst_ms;
}

void drift_control(struct drift *d, float error_ms, float dt_s)
{
	float crept_ms = creeping(d, error_ms);
	float e = clampf(crept_ms - clampf(crept_ms, ERROR_DEAD_MS), ERROR_ANSWERED_MS);

	/* A large error says nothing about the clock: nothing is learned from it. */
	if (fabsf(error_ms) <= ERROR_MAX_MS)
		d->learned_ppm = clampf(d->learned_ppm + GAIN_PPM_PER_MS_S * e * dt_s,
					LEARNED_MAX_PPM);
	d->ppm = clampf(d->learned_ppm + GAIN_PPM_PER_MS * e, (float)DRIFT_MAX_PPM);
}

float drift_ppm(const struct drift *d)
{
	return d->ppm;
}

void drift_prefetch(const struct drift *d)
{
	__builtin_prefetch(d);
	__builtin_prefetch((const char *)d + 64);
	__builtin_prefetch((const char *)d + 128);
}

bool drift_is_sliding(const struct drift *d)
{
	return d->slide > 0;
}

/* The next whole sample is owed: moved by it so slowly that nobody hears it. */
static void begin_slide(struct drift *d)
{
	double rate = fabs((double)d->ppm);

	if (fabs(d->debt) < 1)
		return;
	rate = rate > STEADY_PPM ? rate : SLIDE_PPM;
	d->sign = d->debt > 0 ? 1 : -1;
	d->slide = (int32_t)lrint(1e6 / rate);
	d->at = 0;
	d->debt -= d->sign;
}

/* One sample of each channel, `part` of a sample (0…1) behind x[at + CENTRE]. */
static void interpolate(const struct drift *d, float x[2][PAST + CHUNK], long at, double part,
			float *out)
{
	double p = part * PHASES;
	int i = p < PHASES - 1 ? (int)p : PHASES - 1;

	for (int c = 0; c < d->channels; c++)
		out[c] = dsp_dot_between(&x[c][at], phase[i], phase[i + 1], (float)(p - i), TAPS);
}

/* One output of a slide from x[at] on; moves *at by how much was used. */
static void slide(struct drift *d, float x[2][PAST + CHUNK], long *at, float *out)
{
	double part = (double)++d->at / d->slide;

	if (d->sign > 0)
		interpolate(d, x, *at, part, out);
	else /* between the sample before and this one */
		interpolate(d, x, *at - 1, 1 - part, out);
	(*at)++;
	if (d->at < d->slide)
		return;
	*at += d->sign;
	d->slide = 0;
	begin_slide(d);
}

/* The same for one channel between two slides, which is a copy: PAST <= n. */
static size_t pass(struct drift *d, const float *in, size_t n, float *out)
{
	size_t made = (size_t)((long)n - d->ahead);
	size_t late = (size_t)(PAST - 1 - CENTRE - d->ahead); /* of them, from the past */

	memcpy(out, d->past[0] + PAST - late, late * sizeof *out);
	memcpy(out + late, in, (made - late) * sizeof *out);
	memcpy(d->past[0], in + n - PAST, sizeof d->past[0]);
	d->ahead = 0;
	return made;
}

/* n <= CHUNK samples; returns how many came out. */
static size_t run_chunk(struct drift *d, const float *in, size_t n, float *out)
{
	size_t ch = (size_t)d->channels, made = 0;
	float x[2][PAST + CHUNK];
	long at = 1 + d->ahead, end = 1 + (long)n; /* x[at] is the first of TAPS */

	if (ch == 1 && !d->slide && n >= PAST)
		return pass(d, in, n, out);
	for (size_t c = 0; c < ch; c++) {
		memcpy(x[c], d->past[c], sizeof d->past[c]);
		for (size_t i = 0; i < n; i++)
			x[c][PAST + i] = in[i * ch + c];
		memcpy(d->past[c], x[c] + n, sizeof d->past[c]);
	}
	while (at < end) {
		if (d->slide) {
			slide(d, x, &at, out + made * ch);
		} else {
			for (size_t c = 0; c < ch; c++)
				out[made * ch + c] = x[c][at + CENTRE];
			at++;
		}
		made++;
	}
	d->ahead = (int)(at - end);
	return made;
}

int drift_run(struct drift *d, const float *in, size_t n, float *out, size_t cap)
{
	size_t ch = (size_t)d->channels, made = 0;

	if (n > INT32_MAX || cap < n + DRIFT_SLACK)
		return -EINVAL;
	d->debt += (double)d->ppm * 1e-6 * (double)n;
	if (!d->slide)
		begin_slide(d);
	for (size_t done = 0; done < n;) {
		size_t part = n - done < CHUNK ? n - done : CHUNK;

		made += run_chunk(d, in + done * ch, part, out + made * ch);
		done += part;
	}
	return (int)made;
}
