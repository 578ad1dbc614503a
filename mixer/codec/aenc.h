/* Audio encoders behind one table of functions. Input is float,
 * interleaved, full scale +-1. Owner: the room's audio tick, one thread at a
 * time (ROLE_MIXA there). Nothing is allocated after aenc_new, but by
 * libavcodec's AAC, once per room that is recorded. */
#ifndef MIXER_CODEC_AENC_H
#define MIXER_CODEC_AENC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/base/codec.h"

struct aenc;

/* Zero means the default in brackets. */
struct aenc_cfg {
	enum codec format;
	int bitrate_bps;  /* [Opus 32000, AAC 96000] per encoder, not per channel */
	unsigned hz;      /* [48000] of the input; but for AAC also 16000 and 8000, of one channel */
	int channels;     /* [1] or 2, of the input; telephone codecs send the middle */
	unsigned frame_ms; /* [20] of a packet; Opus: 10, 20, 40, 60; telephone codecs:
			      10 … 60 in steps of 10; nothing for AAC */
	bool fec;         /* Opus: in-band FEC, which needs the SILK modes and 2-3 times the CPU */
	int loss_percent; /* [10] what FEC prepares for */
	int complexity;   /* [5] Opus, 1…10 */
	bool dtx;         /* Opus: send nothing in silence; [off] */
	bool cbr;         /* Opus: all packets of one size; [off] */
	int max_hz;       /* Opus: [48000] who listens plays no more than this */
};

/* What came out; samples are the input's. pts_samples: place of its first decoded sample
 * on the input's time line, where the first sample ever pushed is 0; AAC starts at
 * -aenc_priming_samples, so that its decoded sound is in place when a player
 * drops what lies before 0 (edit list) and stays in step when it does not know
 * better and the recorder shifts it. */
struct aenc_packet {
	const uint8_t *data; /* borrowed for the call */
	size_t len;
	int64_t pts_samples;
	uint32_t samples; /* duration per channel: 1024 AAC, else of frame_ms */
};
typedef void aenc_packet_fn(void *obj, const struct aenc_packet *p);

/* 0, -EINVAL, -ENOMEM, -ENOTSUP (libavcodec without AAC). */
int aenc_new(struct aenc **out, const struct aenc_cfg *cfg);
void aenc_free(struct aenc **e);

/* AAC takes ticks of 960 samples per channel, the others aenc_frame_samples; G.729's
 * aenc_reset allocates (its library knows nothing else). Calls fn for each packet that is
 * ready: AAC none, one or two, the others one (none in DTX). 0 or -EIO. */
int aenc_encode(struct aenc *e, const float *pcm, aenc_packet_fn *fn, void *obj);
/* All but AAC: the packet straight into out. Octets, 0 (DTX), -ENOSPC, -EIO, or
 * -ENOTSUP for a format whose frames are not ticks. */
int aenc_encode_to(struct aenc *e, const float *pcm, uint8_t *out, size_t cap);
/* AAC: what is still inside, the last frame filled up with silence; nothing may
 * be encoded afterwards. */
int aenc_flush(struct aenc *e, aenc_packet_fn *fn, void *obj);

/* The sound of the next encode does not continue that of the last one: an
 * N-1 encoder that is taken into use again. Nothing for AAC. */
void aenc_reset(struct aenc *e);
int aenc_set_bitrate(struct aenc *e, int bitrate_bps); /* Opus; else -ENOTSUP */

uint32_t aenc_frame_samples(const struct aenc *e);
uint32_t aenc_priming_samples(const struct aenc *e); /* samples put ahead of the first input */
/* AAC: AudioSpecificConfig (ISO 14496-3); Opus: NULL and 0. Borrowed. */
const uint8_t *aenc_extradata(const struct aenc *e, size_t *len);
/* The same, of an encoder as cfg would make it: 0 with *len, -ENOSPC, -ENOENT (it has
 * none), or as aenc_new. */
int aenc_config(const struct aenc_cfg *cfg, uint8_t *out, size_t cap, size_t *len);

#endif
