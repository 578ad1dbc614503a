/* G.711 and G.722: a tick is one packet of 160 octets (RFC 3551 4.5). */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "mixer/audio/dsp.h"
#include "mixer/codec/aenc_ops.h"
#include "mixer/codec/g711.h"
#include "mixer/codec/g722.h"
#include "mixer/codec/rate.h"

enum { OCTETS = AENC_TICK_SAMPLES / 6, MAX_NATIVE = AENC_TICK_SAMPLES / 3 };

struct aenc_phone {
	struct aenc aenc;
	enum codec codec;
	struct g722 g722;
	int factor;
	struct rate *rate;
};

static struct aenc_phone *self(struct aenc *e)
{
	return (struct aenc_phone *)e;
}

static int16_t linear(float x)
{
	float v = x * 32768;

	/* Written so that a NaN is silence. */
	return v >= 32767 ? INT16_MAX : v > -32768 ? (int16_t)lrintf(v) : v <= -32768 ? INT16_MIN : 0;
}

static int phone_encode_to(struct aenc *e, const float *pcm, uint8_t *out, size_t cap)
{
	struct aenc_phone *p = self(e);
	size_t n = AENC_TICK_SAMPLES / (size_t)p->factor;
	float mono[AENC_TICK_SAMPLES], native[MAX_NATIVE];
	int16_t x[MAX_NATIVE];

	e->pushed_samples += AENC_TICK_SAMPLES;
	if (cap < OCTETS)
		return -ENOSPC;
	if (e->channels == 2)
		dsp_middle(mono, pcm, AENC_TICK_SAMPLES);
	rate_run(p->rate, e->channels == 2 ? mono : pcm, AENC_TICK_SAMPLES, native);
	for (size_t i = 0; i < n; i++)
		x[i] = linear(native[i]);
	if (p->codec == CODEC_G722)
		g722_encode(&p->g722, x, n, out);
	for (size_t i = 0; i < n && p->codec == CODEC_PCMU; i++)
		out[i] = g711_ulaw_encode(x[i]);
	for (size_t i = 0; i < n && p->codec == CODEC_PCMA; i++)
		out[i] = g711_alaw_encode(x[i]);
	return OCTETS;
}

static int phone_encode(struct aenc *e, const float *pcm, aenc_packet_fn *fn, void *obj)
{
	uint8_t data[OCTETS];
	int n = phone_encode_to(e, pcm, data, sizeof data);
	struct aenc_packet p = {
		.data = data,
		.len = OCTETS,
		.pts_samples = e->pushed_samples - AENC_TICK_SAMPLES,
		.samples = AENC_TICK_SAMPLES,
	};

	if (n < 0)
		return -EIO;
	fn(obj, &p);
	return 0;
}

static void phone_reset(struct aenc *e)
{
	g722_init(&self(e)->g722);
	rate_reset(self(e)->rate);
}

static void phone_free(struct aenc *e)
{
	rate_free(&self(e)->rate);
	free(e);
}

static const struct aenc_ops ops = {
	.name = "telephone",
	.encode = phone_encode,
	.encode_to = phone_encode_to,
	.reset = phone_reset,
	.free = phone_free,
};

int aenc_phone_new(struct aenc **out, const struct aenc_cfg *cfg)
{
	struct aenc_phone *p = calloc(1, sizeof *p);

	if (!p)
		return -ENOMEM;
	p->aenc.ops = &ops;
	p->aenc.channels = cfg->channels;
	p->aenc.frame_samples = AENC_TICK_SAMPLES;
	p->codec = cfg->format;
	p->factor = cfg->format == CODEC_G722 ? 3 : 6;
	if (rate_new(&p->rate, p->factor, RATE_DOWN)) {
		free(p);
		return -ENOMEM;
	}
	phone_reset(&p->aenc);
	*out = &p->aenc;
	return 0;
}
