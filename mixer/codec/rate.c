#include "mixer/codec/rate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/channel_layout.h>
#include <libavutil/opt.h>
#include <libswresample/swresample.h>

enum {
	HIGH_HZ = 48000,
	TAPS = 32, /* at the lower rate */
};

struct rate {
	SwrContext *swr;
	int factor;
	enum rate_direction direction;
};

/* The filter looks ahead by half its taps: with that much silence in front there
 * is always enough for what goes in to come out in the same call. */
static int start(struct rate *r)
{
	int ahead = r->direction == RATE_UP ? TAPS : TAPS * r->factor;
	int err = swr_init(r->swr);

	if (!err)
		err = swr_inject_silence(r->swr, ahead);
	return err < 0 ? -ENOMEM : 0;
}

int rate_new(struct rate **out, int factor, enum rate_direction direction)
{
	int low = HIGH_HZ / factor, in = direction == RATE_UP ? low : HIGH_HZ;
	AVChannelLayout mono = AV_CHANNEL_LAYOUT_MONO;
	struct rate *r = calloc(1, sizeof *r);
	int err;

	if (!r)
		return -ENOMEM;
	r->factor = factor;
	r->direction = direction;
	err = swr_alloc_set_opts2(&r->swr, &mono, AV_SAMPLE_FMT_FLT, HIGH_HZ + low - in, &mono,
				  AV_SAMPLE_FMT_FLT, in, 0, NULL);
	if (!err)
		err = av_opt_set_int(r->swr, "filter_size", TAPS, 0);
	/* Below the lower rate's Nyquist frequency already: nothing is folded back. */
	if (!err)
		err = av_opt_set_double(r->swr, "cutoff", 0.9, 0);
	if (!err)
		err = start(r);
	if (err) {
		rate_free(&r);
		return -ENOMEM;
	}
	*out = r;
	return 0;
}

void rate_free(struct rate **r)
{
	if (!*r)
		return;
	swr_free(&(*r)->swr);
	free(*r);
	*r = NULL;
}

void rate_reset(struct rate *r)
{
	swr_close(r->swr);
	start(r);
}

void rate_run(struct rate *r, const float *in, size_t n, float *out)
{
	size_t factor = (size_t)r->factor, wanted = r->direction == RATE_UP ? n * factor : n / factor;
	const uint8_t *from = (const uint8_t *)in;
	uint8_t *to = (uint8_t *)out;
	int got = swr_convert(r->swr, &to, (int)wanted, &from, (int)n);
	size_t have = got > 0 ? (size_t)got : 0;

	memset(out + have, 0, (wanted - have) * sizeof *out);
}
