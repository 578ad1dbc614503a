/* What an audio encoder implements; for the encoders only. */
#ifndef MIXER_CODEC_AENC_OPS_H
#define MIXER_CODEC_AENC_OPS_H

#include "mixer/codec/aenc.h"

enum {
	AENC_RATE_HZ = 48000,
	AENC_TICK_SAMPLES = 960, /* what AAC takes */
	AENC_MAX_FRAME_MS = 60,
};

/* Contracts as in aenc.h; NULL: -ENOTSUP, or nothing to do. */
struct aenc_ops {
	const char *name;
	int (*encode)(struct aenc *e, const float *pcm, aenc_packet_fn *fn, void *obj);
	int (*encode_to)(struct aenc *e, const float *pcm, uint8_t *out, size_t cap);
	int (*flush)(struct aenc *e, aenc_packet_fn *fn, void *obj);
	void (*reset)(struct aenc *e);
	int (*set_bitrate)(struct aenc *e, int bitrate_bps);
	const uint8_t *(*extradata)(const struct aenc *e, size_t *len);
	void (*free)(struct aenc *e);
};

/* First member of every encoder. */
struct aenc {
	const struct aenc_ops *ops;
	int channels;
	uint32_t frame_samples;
	uint32_t priming_samples;
	int64_t pushed_samples;
};

/* cfg: with the defaults filled in. */
int aenc_opus_new(struct aenc **out, const struct aenc_cfg *cfg);
int aenc_phone_new(struct aenc **out, const struct aenc_cfg *cfg);
int aenc_aac_new(struct aenc **out, const struct aenc_cfg *cfg);

#endif
