/* Opus by libopus. Without FEC: OPUS_APPLICATION_AUDIO, which is CELT and cheap
 * at our complexity. In-band FEC exists in the SILK modes only, so that format
 * asks for VOIP and pays for it. */
#include <errno.h>
#include <stdlib.h>

#include <opus/opus.h>

#include "mcu/base/hot.h"
#include "mixer/codec/aenc_ops.h"

enum { MAX_PACKET_BYTES = 1275, DTX_PACKET_BYTES = 2 };

struct aenc_opus {
	struct aenc aenc;
	OpusEncoder *enc;
	bool dtx;
};

static struct aenc_opus *self(struct aenc *e)
{
	return (struct aenc_opus *)e;
}

static int opus_encode_to(struct aenc *e, const float *pcm, uint8_t *out, size_t cap)
{
	struct aenc_opus *o = self(e);
	opus_int32 max = cap > MAX_PACKET_BYTES ? MAX_PACKET_BYTES : (opus_int32)cap;
	opus_int32 n = opus_encode_float(o->enc, pcm, (int)e->frame_samples, out, max);

	e->pushed_samples += e->frame_samples;
	if (n == OPUS_BUFFER_TOO_SMALL)
		return -ENOSPC;
	if (n < 0)
		return -EIO;
	/* opus_encode: a packet of up to 2 octets need not be transmitted. */
	return o->dtx && n <= DTX_PACKET_BYTES ? 0 : (int)n;
}

static int opus_encode_tick(struct aenc *e, const float *pcm, aenc_packet_fn *fn, void *obj)
{
	uint8_t data[MAX_PACKET_BYTES];
	int n = opus_encode_to(e, pcm, data, sizeof data);
	struct aenc_packet p = {
		.data = data,
		.len = n > 0 ? (size_t)n : 0,
		.pts_samples = e->pushed_samples - e->frame_samples - e->priming_samples,
		.samples = e->frame_samples,
	};

	if (n < 0)
		return -EIO;
	if (n > 0)
		fn(obj, &p);
	return 0;
}

static void opus_reset(struct aenc *e)
{
	opus_encoder_ctl(self(e)->enc, OPUS_RESET_STATE);
}

static int opus_set_bitrate(struct aenc *e, int bitrate_bps)
{
	return opus_encoder_ctl(self(e)->enc, OPUS_SET_BITRATE(bitrate_bps)) == OPUS_OK ? 0
											: -EINVAL;
}

static size_t bytes_of(int channels)
{
	int n = opus_encoder_get_size(channels);

	return n > 0 ? (size_t)n : 0;
}

static void opus_free(struct aenc *e)
{
	hot_free(self(e)->enc, bytes_of(e->channels));
	free(e);
}

static const struct aenc_ops ops = {
	.name = "opus",
	.encode = opus_encode_tick,
	.encode_to = opus_encode_to,
	.reset = opus_reset,
	.set_bitrate = opus_set_bitrate,
	.free = opus_free,
};

static opus_int32 bandwidth(int max_hz)
{
	return max_hz <= 8000	 ? OPUS_BANDWIDTH_NARROWBAND
	       : max_hz <= 12000 ? OPUS_BANDWIDTH_MEDIUMBAND
	       : max_hz <= 16000 ? OPUS_BANDWIDTH_WIDEBAND
	       : max_hz <= 24000 ? OPUS_BANDWIDTH_SUPERWIDEBAND
				 : OPUS_BANDWIDTH_FULLBAND;
}

static int configure(struct aenc_opus *o, const struct aenc_cfg *cfg)
{
	opus_int32 lookahead = 0;
	int bad = 0;

	bad |= opus_encoder_ctl(o->enc, OPUS_SET_BITRATE(cfg->bitrate_bps));
	bad |= opus_encoder_ctl(o->enc, OPUS_SET_VBR(!cfg->cbr));
	bad |= opus_encoder_ctl(o->enc, OPUS_SET_COMPLEXITY(cfg->complexity));
	bad |= opus_encoder_ctl(o->enc, OPUS_SET_DTX(cfg->dtx));
	bad |= opus_encoder_ctl(o->enc, OPUS_SET_INBAND_FEC(cfg->fec));
	if (cfg->max_hz)
		bad |= opus_encoder_ctl(o->enc, OPUS_SET_MAX_BANDWIDTH(bandwidth(cfg->max_hz)));
	if (cfg->fec) {
		bad |= opus_encoder_ctl(o->enc, OPUS_SET_PACKET_LOSS_PERC(cfg->loss_percent));
		bad |= opus_encoder_ctl(o->enc, OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE));
	}
	bad |= opus_encoder_ctl(o->enc, OPUS_GET_LOOKAHEAD(&lookahead));
	o->aenc.priming_samples = (uint32_t)lookahead;
	return bad ? -EINVAL : 0;
}

int aenc_opus_new(struct aenc **out, const struct aenc_cfg *cfg)
{
	int app = cfg->fec ? OPUS_APPLICATION_VOIP : OPUS_APPLICATION_AUDIO;
	struct aenc_opus *o;
	int err = -ENOMEM;

	if (cfg->frame_ms == 30 || cfg->frame_ms == 50) /* opus_encode has none */
		return -EINVAL;
	o = calloc(1, sizeof *o);
	if (!o)
		return err;
	o->aenc.ops = &ops;
	o->aenc.channels = cfg->channels;
	o->aenc.frame_samples = cfg->frame_ms * (cfg->hz / 1000);
	o->dtx = cfg->dtx;
	o->enc = hot_calloc(bytes_of(cfg->channels));
	if (!o->enc)
		goto out;
	err = opus_encoder_init(o->enc, (opus_int32)cfg->hz, cfg->channels, app) == OPUS_OK ?
		      configure(o, cfg) : -EINVAL;
	if (err)
		goto out;
	*out = &o->aenc;
	return 0;
out:
	hot_free(o->enc, bytes_of(cfg->channels));
	free(o);
	return err;
}
