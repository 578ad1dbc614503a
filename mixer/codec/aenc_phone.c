/* G.711, G.722 and G.729 (RFC 3551 4.5): packets of any number of 10 ms, which are 80
 * octets, of G.729 10. */
#include <errno.h>

#include "mcu/base/hot.h"
#include "mixer/audio/dsp.h"
#include "mixer/audio/rate.h"
#include "mixer/codec/aenc_ops.h"
#include "mixer/codec/g711.h"
#include "mixer/codec/g722.h"
#include "mixer/codec/g729.h"

/* At a time. */
enum { PART = 960, MAX_NATIVE = PART, MAX_OCTETS = AENC_MAX_FRAME_MS * 8 };

struct aenc_phone {
	struct aenc aenc;
	enum codec codec;
	struct g722 g722;
	struct g729_enc *g729;
	unsigned in_hz, own_hz;
	size_t octets, part; /* of a packet; samples that are worked on at a time */
	struct rate *rate; /* NULL: what comes in is at the codec's own */
};

static struct aenc_phone *self(struct aenc *e)
{
	return (struct aenc_phone *)e;
}

/* n samples at the codec's rate; returns octets. */
static size_t code(struct aenc_phone *p, const int16_t *x, size_t n, uint8_t *out)
{
	switch (p->codec) {
	case CODEC_G722:
		g722_encode(&p->g722, x, n, out);
		return n / 2;
	case CODEC_G729:
		g729_encode(p->g729, x, n, out);
		return n / G729_SAMPLES * G729_OCTETS;
	case CODEC_PCMU:
		g711_ulaw_encode_run(x, n, out);
		return n;
	default:
		g711_alaw_encode_run(x, n, out);
		return n;
	}
}

static int phone_encode_to(struct aenc *e, const float *pcm, uint8_t *out, size_t cap)
{
	struct aenc_phone *p = self(e);
	size_t octets = 0, left = e->frame_samples;
	float mono[PART], native[MAX_NATIVE];
	const float *from, *own;
	int16_t x[MAX_NATIVE];

	e->pushed_samples += e->frame_samples;
	if (cap < p->octets)
		return -ENOSPC;
	while (left) {
		size_t part = left < p->part ? left : p->part;
		size_t n = (size_t)((uint64_t)part * p->own_hz / p->in_hz);

		if (e->channels == 2)
			dsp_middle(mono, pcm, part);
		own = from = e->channels == 2 ? mono : pcm;
		if (p->rate) {
			rate_run(p->rate, from, part, native);
			own = native;
		}
		dsp_to_int16(x, own, n);
		octets += code(p, x, n, out + octets);
		pcm += part * (size_t)e->channels;
		left -= part;
	}
	return (int)octets;
}

static int phone_encode(struct aenc *e, const float *pcm, aenc_packet_fn *fn, void *obj)
{
	uint8_t data[MAX_OCTETS];
	int n = phone_encode_to(e, pcm, data, sizeof data);
	struct aenc_packet p = {
		.data = data,
		.len = n > 0 ? (size_t)n : 0,
		.pts_samples = e->pushed_samples - e->frame_samples,
		.samples = e->frame_samples,
	};

	if (n < 0)
		return -EIO;
	fn(obj, &p);
	return 0;
}

static void phone_reset(struct aenc *e)
{
	g722_init(&self(e)->g722);
	if (self(e)->g729)
		g729_enc_reset(self(e)->g729);
	if (self(e)->rate)
		rate_reset(self(e)->rate);
}

static void phone_free(struct aenc *e)
{
	g729_enc_free(&self(e)->g729);
	rate_free(&self(e)->rate);
	hot_free(self(e), sizeof *self(e));
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
	struct aenc_phone *p = hot_calloc(sizeof *p);

	if (!p)
		return -ENOMEM;
	p->aenc.ops = &ops;
	p->aenc.channels = cfg->channels;
	p->aenc.frame_samples = cfg->frame_ms * (cfg->hz / 1000);
	p->codec = cfg->format;
	p->in_hz = cfg->hz;
	p->own_hz = cfg->format == CODEC_G722 ? 16000 : 8000;
	p->part = cfg->hz / 50;
	p->octets = cfg->frame_ms * (cfg->format == CODEC_G729 ? 1 : 8);
	if ((p->in_hz != p->own_hz && rate_new(&p->rate, p->in_hz, p->own_hz)) ||
	    (cfg->format == CODEC_G729 && g729_enc_new(&p->g729))) {
		phone_free(&p->aenc);
		return -ENOMEM;
	}
	g722_init(&p->g722);
	*out = &p->aenc;
	return 0;
}
