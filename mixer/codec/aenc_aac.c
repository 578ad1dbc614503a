/* AAC-LC by libavcodec's own encoder, for recordings and HLS. Ticks of 960
 * samples are gathered to frames of 1024. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavutil/channel_layout.h>
#include <libavutil/opt.h>

#include "mixer/codec/aenc_ops.h"
#include "mixer/codec/avlog.h"

struct aenc_aac {
	struct aenc aenc;
	AVCodecContext *ctx;
	AVFrame *frame; /* planar; its first `fill` samples are waiting */
	AVPacket *pkt;
	int fill;
	int64_t framed_samples; /* given to the encoder */
};

static struct aenc_aac *self(struct aenc *e)
{
	return (struct aenc_aac *)e;
}

static int drain(struct aenc_aac *a, aenc_packet_fn *fn, void *obj)
{
	for (;;) {
		int err = avcodec_receive_packet(a->ctx, a->pkt);
		struct aenc_packet p;

		if (err == AVERROR(EAGAIN) || err == AVERROR_EOF)
			return 0;
		if (err < 0)
			return -EIO;
		p = (struct aenc_packet){
			.data = a->pkt->data,
			.len = (size_t)a->pkt->size,
			.pts_samples = a->pkt->pts,
			.samples = a->aenc.frame_samples,
		};
		fn(obj, &p);
		av_packet_unref(a->pkt);
	}
}

static int send_frame(struct aenc_aac *a, aenc_packet_fn *fn, void *obj)
{
	a->frame->pts = a->framed_samples;
	a->framed_samples += a->frame->nb_samples;
	a->fill = 0;
	if (avcodec_send_frame(a->ctx, a->frame) < 0)
		return -EIO;
	/* The encoder may have kept a reference to the samples. */
	if (av_frame_make_writable(a->frame) < 0)
		return -EIO;
	return drain(a, fn, obj);
}

static int aac_encode(struct aenc *e, const float *pcm, aenc_packet_fn *fn, void *obj)
{
	struct aenc_aac *a = self(e);
	int ch = e->channels, done = 0, err = 0;

	e->pushed_samples += AENC_TICK_SAMPLES;
	while (done < AENC_TICK_SAMPLES && !err) {
		int n = (int)e->frame_samples - a->fill;

		if (n > AENC_TICK_SAMPLES - done)
			n = AENC_TICK_SAMPLES - done;
		for (int c = 0; c < ch; c++) {
			float *plane = (float *)(void *)a->frame->data[c] + a->fill;

			for (int i = 0; i < n; i++)
				plane[i] = pcm[(done + i) * ch + c];
		}
		done += n;
		a->fill += n;
		if (a->fill == (int)e->frame_samples)
			err = send_frame(a, fn, obj);
	}
	return err;
}

static int aac_flush(struct aenc *e, aenc_packet_fn *fn, void *obj)
{
	struct aenc_aac *a = self(e);
	int err = 0;

	if (a->fill) {
		size_t rest = (size_t)((int)e->frame_samples - a->fill) * sizeof(float);

		for (int c = 0; c < e->channels; c++)
			memset((float *)(void *)a->frame->data[c] + a->fill, 0, rest);
		err = send_frame(a, fn, obj);
	}
	if (!err && avcodec_send_frame(a->ctx, NULL) < 0)
		err = -EIO;
	return err ? err : drain(a, fn, obj);
}

static const uint8_t *aac_extradata(const struct aenc *e, size_t *len)
{
	const struct aenc_aac *a = (const struct aenc_aac *)e;

	*len = (size_t)a->ctx->extradata_size;
	return a->ctx->extradata;
}

static void aac_free(struct aenc *e)
{
	struct aenc_aac *a = self(e);

	av_packet_free(&a->pkt);
	av_frame_free(&a->frame);
	avcodec_free_context(&a->ctx);
	free(a);
}

static const struct aenc_ops ops = {
	.name = "aac",
	.encode = aac_encode,
	.flush = aac_flush,
	.extradata = aac_extradata,
	.free = aac_free,
};

static int open_codec(struct aenc_aac *a, const struct aenc_cfg *cfg)
{
	const AVCodec *codec = avcodec_find_encoder_by_name("aac");

	if (!codec)
		return -ENOTSUP;
	a->ctx = avcodec_alloc_context3(codec);
	if (!a->ctx)
		return -ENOMEM;
	a->ctx->sample_rate = AENC_RATE_HZ;
	a->ctx->sample_fmt = AV_SAMPLE_FMT_FLTP;
	a->ctx->time_base = (AVRational){ 1, AENC_RATE_HZ };
	a->ctx->bit_rate = cfg->bitrate_bps;
	a->ctx->profile = FF_PROFILE_AAC_LOW;
	a->ctx->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
	a->ctx->thread_count = 1;
	av_channel_layout_default(&a->ctx->ch_layout, cfg->channels);
	/* Half of the processor time of its other one, and no worse at the rates of speech. */
	if (av_opt_set(a->ctx->priv_data, "aac_coder", "fast", 0) < 0)
		return -ENOTSUP;
	if (avcodec_open2(a->ctx, codec, NULL) < 0)
		return -EINVAL;
	a->aenc.frame_samples = (uint32_t)a->ctx->frame_size;
	a->aenc.priming_samples = (uint32_t)a->ctx->initial_padding;
	return 0;
}

static int alloc_frame(struct aenc_aac *a)
{
	a->pkt = av_packet_alloc();
	a->frame = av_frame_alloc();
	if (!a->pkt || !a->frame)
		return -ENOMEM;
	a->frame->nb_samples = a->ctx->frame_size;
	a->frame->format = a->ctx->sample_fmt;
	a->frame->sample_rate = a->ctx->sample_rate;
	if (av_channel_layout_copy(&a->frame->ch_layout, &a->ctx->ch_layout) < 0)
		return -ENOMEM;
	return av_frame_get_buffer(a->frame, 0) < 0 ? -ENOMEM : 0;
}

int aenc_aac_new(struct aenc **out, const struct aenc_cfg *cfg)
{
	struct aenc_aac *a = calloc(1, sizeof *a);
	int err;

	if (!a)
		return -ENOMEM;
	avlog_install();
	a->aenc.ops = &ops;
	a->aenc.channels = cfg->channels;
	err = open_codec(a, cfg);
	if (!err)
		err = alloc_frame(a);
	if (err) {
		aac_free(&a->aenc);
		return err;
	}
	*out = &a->aenc;
	return 0;
}
