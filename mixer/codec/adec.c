#include "mixer/codec/adec.h"

#include <errno.h>
#include <string.h>

#include "mixer/codec/adec_ops.h"

enum { ADEC_FULL_HZ = 48000 };

int adec_new(struct adec **out, enum codec format, int channels)
{
	if (channels < 1 || channels > 2)
		return -EINVAL;
	switch (format) {
	case CODEC_OPUS:
		return adec_opus_new(out, channels);
	case CODEC_PCMU:
	case CODEC_PCMA:
	case CODEC_G722:
	case CODEC_G729:
		return adec_phone_new(out, format, channels);
	case CODEC_CN:
		return adec_noise_new(out, channels);
	default:
		return -ENOTSUP;
	}
}

void adec_free(struct adec **d)
{
	if (!*d)
		return;
	(*d)->ops->free(*d);
	*d = NULL;
}

uint32_t adec_clock_hz(const struct adec *d)
{
	return d->ops->clock_hz;
}

int adec_channels(const struct adec *d)
{
	return d->channels;
}

unsigned adec_hz(const struct adec *d)
{
	return d->hz ? d->hz : ADEC_FULL_HZ;
}

unsigned adec_own_hz(const struct adec *d)
{
	return d->ops->set_hz ? d->own_hz : ADEC_FULL_HZ;
}

int adec_set_hz(struct adec *d, unsigned hz)
{
	if (hz == adec_hz(d))
		return 0;
	return d->ops->set_hz && d->channels == 1 ? d->ops->set_hz(d, hz) : -ENOTSUP;
}

int adec_packet_samples(const struct adec *d, const uint8_t *payload, size_t len)
{
	return len ? d->ops->packet_samples(d, payload, len) : -EBADMSG;
}

int adec_decode(struct adec *d, const uint8_t *payload, size_t len, float *out,
		size_t max_samples)
{
	int n = adec_packet_samples(d, payload, len);

	if (n < 0)
		return n;
	if ((uint64_t)n * adec_hz(d) / ADEC_FULL_HZ > max_samples)
		return -ENOSPC;
	return d->ops->decode(d, payload, len, out, max_samples);
}

/* Zeroes what the codec did not fill of the n samples wanted. */
static int fill_up(const struct adec *d, float *out, int done, size_t n)
{
	size_t ch = (size_t)d->channels;
	size_t have = done > 0 ? (size_t)done : 0;

	if (have < n)
		memset(out + have * ch, 0, (n - have) * ch * sizeof *out);
	return (int)n;
}

int adec_conceal(struct adec *d, float *out, size_t n)
{
	if (n == 0)
		return 0;
	return fill_up(d, out, d->ops->conceal(d, out, n), n);
}

int adec_decode_fec(struct adec *d, const uint8_t *next, size_t len, float *out, size_t n)
{
	if (!adec_has_fec(d, next, len))
		return adec_conceal(d, out, n);
	if (n == 0)
		return 0;
	return fill_up(d, out, d->ops->decode_fec(d, next, len, out, n), n);
}

bool adec_has_fec(const struct adec *d, const uint8_t *payload, size_t len)
{
	return len && d->ops->has_fec && d->ops->has_fec(d, payload, len);
}

bool adec_rests(const struct adec *d)
{
	return d->ops->rests && d->ops->rests(d);
}

void adec_reset(struct adec *d)
{
	d->ops->reset(d);
}
