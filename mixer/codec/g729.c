#include "mixer/codec/g729.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bcg729/decoder.h>
#include <bcg729/encoder.h>

struct g729_enc {
	bcg729EncoderChannelContextStruct *ctx;
};

struct g729_dec {
	bcg729DecoderChannelContextStruct *ctx;
	bool rests;
	int16_t rest[G729_SAMPLES]; /* of an invented frame: the last n_rest are not used yet */
	size_t n_rest;
};

int g729_enc_new(struct g729_enc **out)
{
	struct g729_enc *e = calloc(1, sizeof *e);

	if (!e)
		return -ENOMEM;
	e->ctx = initBcg729EncoderChannel(0);
	if (!e->ctx) {
		free(e);
		return -ENOMEM;
	}
	*out = e;
	return 0;
}

void g729_enc_free(struct g729_enc **e)
{
	if (!*e)
		return;
	closeBcg729EncoderChannel((*e)->ctx);
	free(*e);
	*e = NULL;
}

void g729_enc_reset(struct g729_enc *e)
{
	bcg729EncoderChannelContextStruct *new = initBcg729EncoderChannel(0);

	if (!new)
		return; /* the old sound is heard a moment longer */
	closeBcg729EncoderChannel(e->ctx);
	e->ctx = new;
}

void g729_encode(struct g729_enc *e, const int16_t *pcm, size_t n, uint8_t *out)
{
	uint8_t len;

	for (; n >= G729_SAMPLES; n -= G729_SAMPLES) {
		bcg729Encoder(e->ctx, pcm, out, &len);
		pcm += G729_SAMPLES;
		out += G729_OCTETS;
	}
}

int g729_dec_new(struct g729_dec **out)
{
	struct g729_dec *d = calloc(1, sizeof *d);

	if (!d)
		return -ENOMEM;
	d->ctx = initBcg729DecoderChannel();
	if (!d->ctx) {
		free(d);
		return -ENOMEM;
	}
	*out = d;
	return 0;
}

void g729_dec_free(struct g729_dec **d)
{
	if (!*d)
		return;
	closeBcg729DecoderChannel((*d)->ctx);
	free(*d);
	*d = NULL;
}

void g729_dec_reset(struct g729_dec *d)
{
	bcg729DecoderChannelContextStruct *new = initBcg729DecoderChannel();

	d->rests = false;
	d->n_rest = 0;
	if (!new)
		return;
	closeBcg729DecoderChannel(d->ctx);
	d->ctx = new;
}

size_t g729_samples(size_t octets)
{
	size_t frames = octets / G729_OCTETS, rest = octets % G729_OCTETS;

	if (rest && rest != G729_NOISE_OCTETS)
		return 0;
	return (frames + (rest != 0)) * G729_SAMPLES;
}

size_t g729_decode(struct g729_dec *d, const uint8_t *in, size_t octets, int16_t *pcm)
{
	size_t n = 0;

	d->n_rest = 0;
	while (octets >= G729_NOISE_OCTETS) {
		bool noise = octets < G729_OCTETS;
		size_t len = noise ? G729_NOISE_OCTETS : G729_OCTETS;

		bcg729Decoder(d->ctx, in, (uint8_t)len, 0, noise, 0, pcm + n);
		d->rests = noise;
		n += G729_SAMPLES;
		in += len;
		octets -= len;
	}
	return n;
}

void g729_conceal(struct g729_dec *d, int16_t *pcm, size_t n)
{
	static const uint8_t nothing[G729_OCTETS];

	while (n) {
		size_t part = n < d->n_rest ? n : d->n_rest;

		memcpy(pcm, d->rest + G729_SAMPLES - d->n_rest, part * sizeof *pcm);
		d->n_rest -= part;
		pcm += part;
		n -= part;
		if (!n)
			break;
		/* in noise, a frame that is not there: not even zeros, which would describe it */
		bcg729Decoder(d->ctx, d->rests ? NULL : nothing, 0, 1, d->rests, 0, d->rest);
		d->n_rest = G729_SAMPLES;
	}
}

bool g729_rests(const struct g729_dec *d)
{
	return d->rests;
}
