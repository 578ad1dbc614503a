#include "mixer/audio/rate.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/channel_layout.h>
#include <libavutil/opt.h>
#include <libswresample/swresample.h>

enum { TAPS = 32 /* at the lower rate */ };

struct rate {
	SwrContext *swr;
	unsigned in_hz, out_hz;
};

/* The filter looks ahead by half its taps: with that much silence in front there
 * is always enough for what goes in to come out in the same call. */
static int start(struct rate *r)
{
	unsigned ahead = r->in_hz < r->out_hz ? TAPS : TAPS * (r->in_hz / r->out_hz);
	int err = swr_init(r->swr);

	if (!err)
		err = swr_inject_silence(r->swr, (int)ahead);
	return err < 0 ? -ENOMEM : 0;
}

int rate_new(struct rate **out, unsigned in_hz, unsigned out_hz)
{
	AVChannelLayout mono = AV_CHANNEL_LAYOUT_MONO;
	struct rate *r = calloc(1, sizeof *r);
	int err;

	if (!r)
		return -ENOMEM;
	r->in_hz = in_hz;
	r->out_hz = out_hz;
	err = swr_alloc_set_opts2(&r->swr, &mono, AV_SAMPLE_FMT_FLT, (int)out_hz, &mono,
				  AV_SAMPLE_FMT_FLT, (int)in_hz, 0, NULL);
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
	size_t wanted = (size_t)((uint64_t)n * r->out_hz / r->in_hz);
	const uint8_t *from = (const uint8_t *)in;
	uint8_t *to = (uint8_t *)out;
	int got = swr_convert(r->swr, &to, (int)wanted, &from, (int)n);
	size_t have = got > 0 ? (size_t)got : 0;

	memset(out + have, 0, (wanted - have) * sizeof *out);
}
