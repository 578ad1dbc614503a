/* H.263 by libavcodec: of 1996, which whoever knows that of 1998 reads too. It has but
 * a few sizes: what is smaller is put in the middle of the next one, between black bars.
 * libavcodec allocates per picture; this is for the oldest receivers alone. */
#include "mixer/codec/venc_ops.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libavcodec/avcodec.h>

#include "mixer/codec/avlog.h"

enum { DEFAULT_VBV_MS = 250, BLACK = 16, GREY = 128, NEVER = 600 /* the most that it takes; 40 s */ };

struct venc_h263 {
	struct venc base;
	const AVCodec *codec;
	AVCodecContext *ctx;
	AVPacket *pkt;
	AVFrame *picture; /* of a standard size */
	int x, y;	  /* where in it ours is */
	int bitrate_bps, vbv_ms, fps;
	int64_t count;
};

static const int sizes[][2] = { { 176, 144 }, { 352, 288 } };

static void h263_close(struct venc *base)
{
	struct venc_h263 *e = (struct venc_h263 *)base;

	avcodec_free_context(&e->ctx);
	av_packet_free(&e->pkt);
	av_frame_free(&e->picture);
	free(e);
}

static int open_context(struct venc_h263 *e)
{
	AVCodecContext *c = avcodec_alloc_context3(e->codec);
	int err;

	if (!c)
		return -ENOMEM;
	c->width = e->picture->width;
	c->height = e->picture->height;
	c->pix_fmt = AV_PIX_FMT_YUV420P;
	c->time_base = (AVRational){ 1, e->fps };
	c->framerate = (AVRational){ e->fps, 1 };
	c->sample_aspect_ratio = (AVRational){ 12, 11 };
	c->bit_rate = c->rc_max_rate = e->bitrate_bps;
	c->rc_buffer_size = (int)((int64_t)e->bitrate_bps * e->vbv_ms / 1000);
	c->gop_size = NEVER;
	c->max_b_frames = 0;
	c->qmin = 3;
	c->qmax = 31;
	c->thread_count = 1;
	err = avcodec_open2(c, e->codec, NULL);
	if (err < 0) {
		avcodec_free_context(&c);
		return avlog_errno(err);
	}
	avcodec_free_context(&e->ctx);
	e->ctx = c;
	return 0;
}

static void paint(AVFrame *f)
{
	for (int i = 0; i < 3; i++)
		memset(f->data[i], i ? GREY : BLACK,
		       (size_t)f->linesize[i] * (size_t)(i ? f->height / 2 : f->height));
}

/* The smallest that holds it. */
static int make_picture(struct venc_h263 *e, int w, int h)
{
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		if (w > sizes[i][0] || h > sizes[i][1])
			continue;
		e->picture->width = sizes[i][0];
		e->picture->height = sizes[i][1];
		e->picture->format = AV_PIX_FMT_YUV420P;
		e->x = (sizes[i][0] - w) / 2 & ~1;
		e->y = (sizes[i][1] - h) / 2 & ~1;
		if (av_frame_get_buffer(e->picture, 0) < 0)
			return -ENOMEM;
		paint(e->picture);
		return 0;
	}
	return -EINVAL;
}

static int h263_open(struct venc **out, const struct venc_cfg *cfg)
{
	const AVCodec *codec = avcodec_find_encoder(AV_CODEC_ID_H263);
	struct venc_h263 *e;
	int err = -ENOMEM;

	if (!codec)
		return -ENOTSUP;
	e = calloc(1, sizeof *e);
	if (!e)
		return -ENOMEM;
	e->codec = codec;
	e->bitrate_bps = cfg->bitrate_bps;
	e->vbv_ms = cfg->vbv_ms ? cfg->vbv_ms : DEFAULT_VBV_MS;
	e->fps = cfg->fps;
	e->pkt = av_packet_alloc();
	e->picture = av_frame_alloc();
	if (e->pkt && e->picture)
		err = make_picture(e, cfg->w, cfg->h);
	if (!err)
		err = open_context(e);
	if (err)
		h263_close(&e->base);
	else
		*out = &e->base;
	return err;
}

/* Into the middle; the encoder may hold the last one. */
static int put_picture(struct venc_h263 *e, const struct vframe *f)
{
	AVFrame *p = e->picture;

	if (av_frame_make_writable(p) < 0)
		return -ENOMEM;
	for (int i = 0; i < 3; i++) {
		int shift = i ? 1 : 0, w = f->av->width >> shift, h = f->av->height >> shift;

		for (int y = 0; y < h; y++)
			memcpy(p->data[i] + (ptrdiff_t)(y + (e->y >> shift)) * p->linesize[i] +
				       (e->x >> shift),
			       f->av->data[i] + (ptrdiff_t)y * f->av->linesize[i], (size_t)w);
	}
	return 0;
}

static int h263_encode(struct venc *base, const struct vframe *f, bool key, struct venc_au *out)
{
	struct venc_h263 *e = (struct venc_h263 *)base;
	int err = put_picture(e, f);

	if (err)
		return err;
	e->picture->pts = e->count++;
	e->picture->pict_type = key ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
	err = avcodec_send_frame(e->ctx, e->picture);
	av_packet_unref(e->pkt);
	if (!err)
		err = avcodec_receive_packet(e->ctx, e->pkt);
	if (err < 0)
		return -EIO;
	out->data = e->pkt->data;
	out->len = (size_t)e->pkt->size;
	out->key = e->pkt->flags & AV_PKT_FLAG_KEY;
	return 0;
}

/* The library reads it only when it is opened: so it begins anew, with a key frame. */
static int h263_set_bitrate(struct venc *base, int bitrate_bps)
{
	struct venc_h263 *e = (struct venc_h263 *)base;

	if (bitrate_bps == e->bitrate_bps)
		return 0;
	e->bitrate_bps = bitrate_bps;
	return open_context(e);
}

const struct venc_ops venc_h263_ops = {
	.open = h263_open,
	.close = h263_close,
	.encode = h263_encode,
	.set_bitrate = h263_set_bitrate,
};
