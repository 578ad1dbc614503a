/* H.264 by libx264 through libavcodec. */
#include "mixer/codec/venc_ops.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavutil/opt.h>

#include "mixer/codec/avlog.h"
#include "mixer/codec/h264_sps.h"
#include "mixer/codec/venc_h264_asm.h"

enum {
	DEFAULT_VBV_MS = 500,
	DEFAULT_PROFILE_LEVEL_ID = 0x42e01f,
	NEVER = 1 << 30 /* x264's key interval "infinite" */
};

struct venc_h264 {
	struct venc base;
	AVCodecContext *ctx;
	AVFrame *frame; /* our own header over the planes of the shared picture */
	AVPacket *pkt;
	int64_t count;
	int vbv_ms;
	uint8_t sps_head[3]; /* profile_idc, constraint flags, level_idc as negotiated */
};

static void h264_close(struct venc *base)
{
	struct venc_h264 *e = (struct venc_h264 *)base;

	avcodec_free_context(&e->ctx);
	av_frame_free(&e->frame);
	av_packet_free(&e->pkt);
	free(e);
}

static const char *profile_name(uint8_t profile_idc)
{
	switch (profile_idc) {
	case 0x42: return "baseline"; /* x264's has none of what makes it unconstrained */
	case 0x4d: return "main";
	case 0x64: return "high";
	default: return NULL;
	}
}

static void set_rate(AVCodecContext *ctx, int bitrate_bps, int vbv_ms)
{
	ctx->bit_rate = bitrate_bps;
	ctx->rc_max_rate = bitrate_bps;
	ctx->rc_buffer_size = (int)((int64_t)bitrate_bps * vbv_ms / 1000);
}

static void set_context(AVCodecContext *ctx, const struct venc_cfg *cfg)
{
	ctx->width = cfg->w;
	ctx->height = cfg->h;
	ctx->pix_fmt = AV_PIX_FMT_YUV420P;
	ctx->time_base = (AVRational){ 1, cfg->fps };
	ctx->framerate = (AVRational){ cfg->fps, 1 };
	ctx->gop_size = NEVER;
	ctx->max_b_frames = 0;
	ctx->thread_count = 1;
	/* What cameras deliver and the overlays are converted by: without it players
	 * guess BT.709 from the height. */
	ctx->colorspace = AVCOL_SPC_SMPTE170M;
	ctx->color_primaries = AVCOL_PRI_BT709;
	ctx->color_trc = AVCOL_TRC_BT709;
	ctx->color_range = AVCOL_RANGE_MPEG;
}

static int set_options(AVDictionary **opts, const struct venc_cfg *cfg, const char *profile)
{
	const char *words = cfg->asm_ ? cfg->asm_ : "auto";
	char params[96];
	int n, err;

	if (!strcmp(words, "auto"))
		words = venc_h264_asm_choice();
	n = snprintf(params, sizeof params, "scenecut=0%s%s",
		     strcmp(words, "default") ? ":asm=" : "",
		     strcmp(words, "default") ? words : "");
	if (n < 0 || (size_t)n >= sizeof params)
		return -EINVAL;
	err = av_dict_set(opts, "preset", cfg->preset ? cfg->preset : "superfast", 0);
	if (err >= 0)
		err = av_dict_set(opts, "tune", "zerolatency", 0);
	if (err >= 0)
		err = av_dict_set(opts, "profile", profile, 0);
	if (err >= 0)
		err = av_dict_set(opts, "forced-idr", "1", 0);
	if (err >= 0)
		err = av_dict_set(opts, "x264-params", params, 0);
	return err < 0 ? -ENOMEM : 0;
}

static int h264_open(struct venc **out, const struct venc_cfg *cfg)
{
	const AVCodec *codec = avcodec_find_encoder_by_name("libx264");
	uint32_t id = cfg->profile_level_id ? cfg->profile_level_id : DEFAULT_PROFILE_LEVEL_ID;
	const char *profile = profile_name((uint8_t)(id >> 16));
	AVDictionary *opts = NULL;
	struct venc_h264 *e;
	int err = -ENOMEM;

	if (!codec)
		return -ENOTSUP;
	/* level 0 would leave the choice to x264, and a zero octet in the SPS */
	if (!profile || id > 0xffffff || !(id & 0xff))
		return -EINVAL;
	e = calloc(1, sizeof *e);
	if (!e)
		return -ENOMEM;
	e->sps_head[0] = (uint8_t)(id >> 16);
	e->sps_head[1] = (uint8_t)(id >> 8);
	e->sps_head[2] = (uint8_t)id;
	e->vbv_ms = cfg->vbv_ms ? cfg->vbv_ms : DEFAULT_VBV_MS;
	e->ctx = avcodec_alloc_context3(codec);
	e->frame = av_frame_alloc();
	e->pkt = av_packet_alloc();
	if (!e->ctx || !e->frame || !e->pkt)
		goto out;
	set_context(e->ctx, cfg);
	set_rate(e->ctx, cfg->bitrate_bps, e->vbv_ms);
	e->ctx->level = e->sps_head[2];
	err = set_options(&opts, cfg, profile);
	if (err)
		goto out;
	err = avcodec_open2(e->ctx, codec, &opts) < 0 ? -EINVAL : 0;
	if (!err)
		*out = &e->base;
out:
	av_dict_free(&opts);
	if (err)
		h264_close(&e->base);
	return err;
}

/* x264 writes constraint flags c0 and the level it deems right; receivers compare
 * with what was negotiated. None of the three octets can become part of a start
 * code or its emulation: profile_idc is never zero. */
static void patch_sps(const struct venc_h264 *e, uint8_t *au, size_t len)
{
	const uint8_t *nal;
	size_t pos = 0, nal_len;

	while (h264_next_nal(au, len, &pos, &nal, &nal_len)) {
		if ((nal[0] & 0x1f) == H264_NAL_SPS && nal_len >= 4)
			memcpy(au + (nal - au) + 1, e->sps_head, sizeof e->sps_head);
		if ((nal[0] & 0x1f) == H264_NAL_IDR)
			return;
	}
}

static bool starts_with_idr_headers(const uint8_t *au, size_t len)
{
	const uint8_t *nal;
	size_t pos = 0, nal_len;

	return h264_next_nal(au, len, &pos, &nal, &nal_len) && (nal[0] & 0x1f) == H264_NAL_SPS;
}

static int h264_encode(struct venc *base, const struct vframe *f, bool key, struct venc_au *out)
{
	struct venc_h264 *e = (struct venc_h264 *)base;
	int err;

	av_packet_unref(e->pkt);
	err = av_frame_ref(e->frame, f->av);
	if (err < 0)
		return -ENOMEM;
	e->frame->pts = e->count++;
	e->frame->pict_type = key ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
	err = avcodec_send_frame(e->ctx, e->frame);
	av_frame_unref(e->frame);
	if (err >= 0)
		err = avcodec_receive_packet(e->ctx, e->pkt);
	if (err < 0)
		return -EIO;
	out->key = (e->pkt->flags & AV_PKT_FLAG_KEY) &&
		   starts_with_idr_headers(e->pkt->data, (size_t)e->pkt->size);
	if (out->key)
		patch_sps(e, e->pkt->data, (size_t)e->pkt->size);
	out->data = e->pkt->data;
	out->len = (size_t)e->pkt->size;
	return 0;
}

static int h264_set_bitrate(struct venc *base, int bitrate_bps)
{
	struct venc_h264 *e = (struct venc_h264 *)base;
	int frame_ms = 1000 / base->fps, vbv_ms = e->vbv_ms * base->fps_now / base->fps;

	/* as many milliseconds of the true time */
	set_rate(e->ctx, bitrate_bps, vbv_ms > 2 * frame_ms ? vbv_ms : 2 * frame_ms);
	return 0;
}

const struct venc_ops venc_h264_ops = {
	.open = h264_open,
	.close = h264_close,
	.encode = h264_encode,
	.set_bitrate = h264_set_bitrate,
};
