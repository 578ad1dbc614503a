#include "mixer/audio/dtmf_in.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <spandsp.h>

#include "mixer/audio/dsp.h"

enum {
	DOWN = 6, /* to the detector's 8 kHz */
	TAPS = 60,
	NARROW = DTMF_IN_SAMPLES / DOWN,
	MAX_CHANNELS = 2,
};

struct dtmf_in {
	dtmf_rx_state_t *rx;
	int channels;
	bool in_tone;
	unsigned at; /* the oldest tick of the delay */
	bool sound[DTMF_IN_DELAY_TICKS];
	float tap[TAPS];
	float past[TAPS - 1 + DTMF_IN_SAMPLES]; /* of one channel; the end of the last tick first */
	float out[DTMF_IN_SAMPLES * MAX_CHANNELS];
	float delay[DTMF_IN_DELAY_TICKS][DTMF_IN_SAMPLES * MAX_CHANNELS];
};

/* Low-pass at 3 kHz, a windowed sinc. */
static void make_filter(struct dtmf_in *d)
{
	double sum = 0;

	for (int i = 0; i < TAPS; i++) {
		double t = i - (TAPS - 1) / 2.0, x = 2 * M_PI * 3000 / 48000 * t;
		double v = (fabs(x) < 1e-9 ? 1 : sin(x) / x) *
			   (0.5 - 0.5 * cos(2 * M_PI * (i + 0.5) / TAPS));

		d->tap[i] = (float)v;
		sum += v;
	}
	for (int i = 0; i < TAPS; i++)
		d->tap[i] = (float)(d->tap[i] / sum);
}

int dtmf_in_new(struct dtmf_in **out, int channels)
{
	struct dtmf_in *d;

	if (channels < 1 || channels > MAX_CHANNELS)
		return -EINVAL;
	d = calloc(1, sizeof *d);
	if (!d)
		return -ENOMEM;
	d->channels = channels;
	d->rx = dtmf_rx_init(NULL, NULL, NULL);
	if (!d->rx) {
		free(d);
		return -ENOMEM;
	}
	make_filter(d);
	*out = d;
	return 0;
}

void dtmf_in_free(struct dtmf_in **d)
{
	if (!*d)
		return;
	dtmf_rx_free((*d)->rx);
	free(*d);
	*d = NULL;
}

void dtmf_in_reset(struct dtmf_in *d)
{
	dtmf_rx_init(d->rx, NULL, NULL);
	d->in_tone = false;
	memset(d->sound, 0, sizeof d->sound);
	memset(d->past, 0, sizeof d->past);
	memset(d->delay, 0, sizeof d->delay);
}

static int16_t to_s16(float v)
{
	v *= 32768;
	return (int16_t)(v > 32767 ? 32767 : v < -32768 ? -32768 : lrintf(v));
}

/* What the detector says of a tick. */
static void detect(struct dtmf_in *d, const float *pcm, char digits[DTMF_IN_DIGITS + 1])
{
	int16_t narrow[NARROW];
	int status, n;

	memmove(d->past, d->past + DTMF_IN_SAMPLES, (TAPS - 1) * sizeof d->past[0]);
	if (d->channels == 2)
		dsp_middle(d->past + TAPS - 1, pcm, DTMF_IN_SAMPLES);
	else
		memcpy(d->past + TAPS - 1, pcm, DTMF_IN_SAMPLES * sizeof *pcm);
	for (int i = 0; i < NARROW; i++)
		narrow[i] = to_s16(dsp_dot(d->past + i * DOWN, d->tap, TAPS));
	dtmf_rx(d->rx, narrow, NARROW);
	n = (int)dtmf_rx_get(d->rx, digits, DTMF_IN_DIGITS);
	digits[n] = 0;
	/* 'x': a tone that is not certain yet, or not certainly over. */
	status = dtmf_rx_status(d->rx);
	d->in_tone = n || (status && status != 'x') || (status == 'x' && d->in_tone);
}

bool dtmf_in_tick(struct dtmf_in *d, float *pcm, bool sound, char digits[DTMF_IN_DIGITS + 1])
{
	size_t bytes = DTMF_IN_SAMPLES * (size_t)d->channels * sizeof *pcm;
	bool was = d->sound[d->at], gate = d->in_tone;

	detect(d, pcm, digits);
	memcpy(d->out, d->delay[d->at], bytes);
	memcpy(d->delay[d->at], pcm, bytes);
	d->sound[d->at] = sound;
	d->at = (d->at + 1) % DTMF_IN_DELAY_TICKS;
	if (d->in_tone || gate) {
		/* It began in what is in the delay, and ends in this tick. */
		memset(d->delay, 0, sizeof d->delay);
		memset(d->sound, 0, sizeof d->sound);
		memset(d->out, 0, bytes);
		was = false;
	}
	memcpy(pcm, d->out, bytes);
	return was;
}
