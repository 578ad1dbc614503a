#include "mixer/codec/aenc.h"

#include <errno.h>

#include "mixer/codec/aenc_ops.h"

int aenc_new(struct aenc **out, const struct aenc_cfg *cfg)
{
	struct aenc_cfg c = *cfg;

	if (!c.channels)
		c.channels = 1;
	if (!c.hz)
		c.hz = AENC_RATE_HZ;
	if (!c.complexity)
		c.complexity = 5;
	if (!c.loss_percent)
		c.loss_percent = 10;
	if (!c.frame_ms)
		c.frame_ms = 20;
	if (c.frame_ms % 10 || c.frame_ms > AENC_MAX_FRAME_MS)
		return -EINVAL;
	if (c.channels < 1 || c.channels > 2 || c.bitrate_bps < 0)
		return -EINVAL;
	if (c.hz != AENC_RATE_HZ && (c.channels != 1 || c.format == CODEC_AAC ||
				     (c.hz != 16000 && c.hz != 8000)))
		return -EINVAL;
	switch (c.format) {
	case CODEC_OPUS:
		if (!c.bitrate_bps)
			c.bitrate_bps = 32000;
		return aenc_opus_new(out, &c);
	case CODEC_AAC:
		if (!c.bitrate_bps)
			c.bitrate_bps = 96000;
		return aenc_aac_new(out, &c);
	case CODEC_PCMU:
	case CODEC_PCMA:
	case CODEC_G722:
	case CODEC_G729:
		return aenc_phone_new(out, &c);
	default:
		return -ENOTSUP;
	}
}

void aenc_free(struct aenc **e)
{
	if (!*e)
		return;
	(*e)->ops->free(*e);
	*e = NULL;
}

int aenc_encode(struct aenc *e, const float *pcm, aenc_packet_fn *fn, void *obj)
{
	return e->ops->encode(e, pcm, fn, obj);
}

int aenc_encode_to(struct aenc *e, const float *pcm, uint8_t *out, size_t cap)
{
	return e->ops->encode_to ? e->ops->encode_to(e, pcm, out, cap) : -ENOTSUP;
}

int aenc_flush(struct aenc *e, aenc_packet_fn *fn, void *obj)
{
	return e->ops->flush ? e->ops->flush(e, fn, obj) : 0;
}

void aenc_reset(struct aenc *e)
{
	if (e->ops->reset)
		e->ops->reset(e);
}

int aenc_set_bitrate(struct aenc *e, int bitrate_bps)
{
	return e->ops->set_bitrate ? e->ops->set_bitrate(e, bitrate_bps) : -ENOTSUP;
}

uint32_t aenc_frame_samples(const struct aenc *e)
{
	return e->frame_samples;
}

uint32_t aenc_priming_samples(const struct aenc *e)
{
	return e->priming_samples;
}

const uint8_t *aenc_extradata(const struct aenc *e, size_t *len)
{
	*len = 0;
	return e->ops->extradata ? e->ops->extradata(e, len) : NULL;
}

int aenc_config(const struct aenc_cfg *cfg, uint8_t *out, size_t cap, size_t *len)
{
	const uint8_t *data;
	struct aenc *e;
	int err = aenc_new(&e, cfg);

	if (err)
		return err;
	data = aenc_extradata(e, len);
	err = !data ? -ENOENT : *len > cap ? -ENOSPC : 0;
	for (size_t i = 0; !err && i < *len; i++)
		out[i] = data[i];
	aenc_free(&e);
	return err;
}
