#include "mixer/audio/drift.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include <libavutil/channel_layout.h>
#include <libavutil/opt.h>
#include <libswresample/swresample.h>

/* The loop: delay' = drift - correction. With the proportional part alone an
 * error of 1 ms is answered by 50 ppm, a time constant of 20 s; the integral
 * part learns the sender's drift and is set for critical damping. */
#define GAIN_PPM_PER_MS       50.0f
#define GAIN_PPM_PER_MS_S     0.625f
#define ERROR_MAX_MS          10.0f  /* more is a burst, not drift */
#define LEARNED_MAX_PPM       500.0f /* crystals are within 100 */
#define APPLY_STEP_PPM        2.0f

enum { RATE_HZ = 48000, DISTANCE_SAMPLES = 10 * RATE_HZ, RENEW_S = 5 };

struct drift {
	SwrContext *swr;
	float learned_ppm, ppm, applied_ppm;
	float since_applied_s;
};

static int apply(struct drift *d)
{
	int delta = (int)lrintf(-d->ppm * 1e-6f * (float)DISTANCE_SAMPLES);

	d->applied_ppm = d->ppm;
	d->since_applied_s = 0;
	return swr_set_compensation(d->swr, delta, DISTANCE_SAMPLES) < 0 ? -EIO : 0;
}

static int open_swr(struct drift *d, int channels)
{
	AVChannelLayout layout;
	int err = 0;

	av_channel_layout_default(&layout, channels);
	err = swr_alloc_set_opts2(&d->swr, &layout, AV_SAMPLE_FMT_FLT, RATE_HZ, &layout,
				  AV_SAMPLE_FMT_FLT, RATE_HZ, 0, NULL);
	av_channel_layout_uninit(&layout);
	if (err < 0)
		return -ENOMEM;
	/* Equal rates would be a copy, without a ratio that could be moved. With
	 * exact_rational the filter bank of 1:1 has one phase and is rebuilt at
	 * the first compensation, in the middle of the stream. */
	av_opt_set_int(d->swr, "flags", SWR_FLAG_RESAMPLE, 0);
	av_opt_set_int(d->swr, "exact_rational", 0, 0);
	av_opt_set_int(d->swr, "linear_interp", 1, 0);
	av_opt_set_int(d->swr, "filter_size", 16, 0);
	if (swr_init(d->swr) < 0)
		return -EIO;
	return apply(d);
}

int drift_new(struct drift **out, int channels)
{
	struct drift *d;
	int err;

	if (channels < 1 || channels > 2)
		return -EINVAL;
	d = calloc(1, sizeof *d);
	if (!d)
		return -ENOMEM;
	err = open_swr(d, channels);
	if (err) {
		drift_free(&d);
		return err;
	}
	*out = d;
	return 0;
}

void drift_free(struct drift **d)
{
	if (!*d)
		return;
	swr_free(&(*d)->swr);
	free(*d);
	*d = NULL;
}

void drift_reset(struct drift *d)
{
	d->learned_ppm = 0;
	d->ppm = 0;
	apply(d);
}

static float clampf(float x, float limit)
{
	return x > limit ? limit : x < -limit ? -limit : x;
}

void drift_control(struct drift *d, float error_ms, float dt_s)
{
	float e = clampf(error_ms, ERROR_MAX_MS);

	/* A large error says nothing about the clock: nothing is learned from it. */
	if (fabsf(error_ms) <= ERROR_MAX_MS)
		d->learned_ppm = clampf(d->learned_ppm + GAIN_PPM_PER_MS_S * e * dt_s,
					LEARNED_MAX_PPM);
	d->ppm = clampf(d->learned_ppm + GAIN_PPM_PER_MS * e, (float)DRIFT_MAX_PPM);
	d->since_applied_s += dt_s;
	if (fabsf(d->ppm - d->applied_ppm) >= APPLY_STEP_PPM ||
	    d->since_applied_s >= (float)RENEW_S)
		apply(d);
}

float drift_ppm(const struct drift *d)
{
	return d->ppm;
}

int drift_run(struct drift *d, const float *in, size_t n, float *out, size_t cap)
{
	const uint8_t *src = (const uint8_t *)in;
	uint8_t *dst = (uint8_t *)out;
	int got;

	if (n > INT32_MAX || cap > INT32_MAX)
		return -EINVAL;
	got = swr_convert(d->swr, &dst, (int)cap, &src, (int)n);
	return got < 0 ? -EIO : got;
}
