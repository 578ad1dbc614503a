/* What an audio decoder implements; for the decoders and their tests only. */
#ifndef MIXER_CODEC_ADEC_OPS_H
#define MIXER_CODEC_ADEC_OPS_H

#include "mixer/codec/adec.h"

/* Contracts as in adec.h. conceal gets n > 0. fec, has_fec and rests may be NULL. */
struct adec_ops {
	const char *name;
	uint32_t clock_hz;
	int (*packet_samples)(const struct adec *d, const uint8_t *payload, size_t len);
	int (*decode)(struct adec *d, const uint8_t *payload, size_t len, float *out,
		      size_t max_samples);
	int (*conceal)(struct adec *d, float *out, size_t n);
	int (*decode_fec)(struct adec *d, const uint8_t *next, size_t len, float *out, size_t n);
	bool (*rests)(const struct adec *d);
	bool (*has_fec)(const struct adec *d, const uint8_t *payload, size_t len);
	/* NULL: nothing but 48000. Else sets d->hz too. */
	int (*set_hz)(struct adec *d, unsigned hz);
	void (*reset)(struct adec *d);
	void (*free)(struct adec *d);
};

/* First member of every decoder. */
struct adec {
	const struct adec_ops *ops;
	int channels;
	unsigned hz, own_hz; /* hz 0: 48000 */
};

int adec_opus_new(struct adec **out, int channels);
/* PCMU, PCMA, G722, G729. */
int adec_phone_new(struct adec **out, enum codec codec, int channels);
/* Comfort noise (RFC 3389). */
int adec_noise_new(struct adec **out, int channels);

#endif
