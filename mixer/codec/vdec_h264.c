/* H.264 by libavcodec's native decoder. */
#include "mixer/codec/vdec_ops.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libavcodec/avcodec.h>

#include "mixer/codec/avlog.h"
#include "mixer/codec/h264_sps.h"

enum { FIRST_INPUT_BYTES = 64 << 10 };

struct vdec_h264 {
	struct vdec base;
	AVCodecContext *ctx;
	AVPacket *pkt;
	/* What the decoder reads: a copy with the padding it wants, referenced by
	 * the packet, because libavcodec allocates and copies an unreferenced one. */
	AVBufferRef *input;
	struct vframe_pool *pool;
	AVFrame *picture; /* what the decoder gave last */
	int max_long, max_area;
	bool need_key;
};

/* What the NAL units of an access unit say. */
struct au_info {
	bool key, slice, units;
};

static void h264_close(struct vdec *base)
{
	struct vdec_h264 *d = (struct vdec_h264 *)base;

	avcodec_free_context(&d->ctx);
	av_packet_free(&d->pkt);
	av_buffer_unref(&d->input);
	av_frame_free(&d->picture);
	free(d);
}

static int h264_open(struct vdec **out, const struct vdec_limits *limits, struct vframe_pool *pool)
{
	const AVCodec *codec = avcodec_find_decoder(AV_CODEC_ID_H264);
	struct vdec_h264 *d;

	if (!codec)
		return -ENOTSUP;
	d = calloc(1, sizeof *d);
	if (!d)
		return -ENOMEM;
	d->pool = pool;
	d->need_key = true;
	/* coded sizes are whole macroblocks: 1080 is coded as 1088 */
	d->max_long = ((limits->max_w > limits->max_h ? limits->max_w : limits->max_h) + 15) & ~15;
	d->max_area = ((limits->max_w + 15) & ~15) * ((limits->max_h + 15) & ~15);
	d->ctx = avcodec_alloc_context3(codec);
	d->pkt = av_packet_alloc();
	d->picture = av_frame_alloc();
	d->input = av_buffer_alloc(FIRST_INPUT_BYTES);
	if (!d->ctx || !d->pkt || !d->picture || !d->input)
		goto out;
	d->ctx->thread_count = 1;
	d->ctx->flags |= AV_CODEC_FLAG_LOW_DELAY;
	d->ctx->flags &= ~AV_CODEC_FLAG_OUTPUT_CORRUPT;
	d->ctx->err_recognition = AV_EF_EXPLODE;
	d->ctx->error_concealment = 0;
	/* the second line of defence behind our own reading of the SPS */
	d->ctx->max_pixels = d->max_area;
	if (avcodec_open2(d->ctx, codec, NULL) < 0)
		goto out;
	*out = &d->base;
	return 0;
out:
	h264_close(&d->base);
	return -ENOMEM;
}

static int check_sps(const struct vdec_h264 *d, const uint8_t *nal, size_t len)
{
	struct h264_sps sps;
	int err = h264_sps_parse(&sps, nal, len);

	if (err)
		return err;
	if ((int)(sps.coded_w > sps.coded_h ? sps.coded_w : sps.coded_h) > d->max_long ||
	    (int64_t)sps.coded_w * sps.coded_h > d->max_area)
		return -EMSGSIZE;
	if (sps.chroma_format_idc != 1 || sps.bit_depth_luma != 8 || sps.bit_depth_chroma != 8)
		return -ENOTSUP;
	return 0;
}

/* Every NAL unit is looked at: a second SPS behind a slice would reach the
 * decoder as well. */
static int inspect(const struct vdec_h264 *d, const uint8_t *au, size_t len, struct au_info *info)
{
	const uint8_t *nal;
	size_t pos = 0, nal_len;
	int err;

	*info = (struct au_info){ 0 };
	while (h264_next_nal(au, len, &pos, &nal, &nal_len)) {
		info->units = true;
		switch (nal[0] & 0x1f) {
		case H264_NAL_SPS:
			err = check_sps(d, nal, nal_len);
			if (err)
				return err;
			break;
		case H264_NAL_IDR:
			info->key = true;
			info->slice = true;
			break;
		case H264_NAL_SLICE:
		case H264_NAL_SLICE + 1: /* data partitions: no decoder of ours */
		case H264_NAL_SLICE + 2:
		case H264_NAL_SLICE + 3:
			info->slice = true;
			break;
		case H264_NAL_SEI:
			if (h264_sei_is_recovery_point(nal, nal_len))
				info->key = true;
			break;
		default:
			break;
		}
	}
	return 0;
}

static int load_input(struct vdec_h264 *d, const uint8_t *au, size_t len)
{
	size_t want = len + AV_INPUT_BUFFER_PADDING_SIZE;

	if (d->input->size < want || !av_buffer_is_writable(d->input)) {
		AVBufferRef *larger = av_buffer_alloc(want > d->input->size ? want * 2 : d->input->size);

		if (!larger)
			return -ENOMEM;
		av_buffer_unref(&d->input);
		d->input = larger;
	}
	memcpy(d->input->data, au, len);
	memset(d->input->data + len, 0, AV_INPUT_BUFFER_PADDING_SIZE);
	d->pkt->buf = d->input;
	d->pkt->data = d->input->data;
	d->pkt->size = (int)len;
	return 0;
}

static bool picture_good(const struct vdec_h264 *d, const AVFrame *av)
{
	return !av->decode_error_flags && !(av->flags & AV_FRAME_FLAG_CORRUPT) &&
	       (av->format == AV_PIX_FMT_YUV420P || av->format == AV_PIX_FMT_YUVJ420P) &&
	       av->width >= 2 && av->height >= 2 &&
	       (int64_t)av->width * av->height <= d->max_area;
}

static int hand_over(struct vdec_h264 *d, struct vframe **out)
{
	struct vframe *f = vframe_get(d->pool);

	if (!f) {
		av_frame_unref(d->picture);
		return -ENOBUFS;
	}
	av_frame_move_ref(f->av, d->picture);
	if (f->av->format == AV_PIX_FMT_YUVJ420P) {
		f->av->format = AV_PIX_FMT_YUV420P;
		f->av->color_range = AVCOL_RANGE_JPEG;
	}
	vframe_unref(out);
	*out = f;
	return 0;
}

/* The newest picture that is ready; a stream that reorders may give several. */
static int take_picture(struct vdec_h264 *d, struct vframe **out)
{
	int got, err = -EAGAIN;

	while ((got = avcodec_receive_frame(d->ctx, d->picture)) >= 0) {
		if (!picture_good(d, d->picture)) {
			av_frame_unref(d->picture);
			got = AVERROR_INVALIDDATA;
			break;
		}
		err = hand_over(d, out);
	}
	if (got != AVERROR(EAGAIN)) {
		vframe_unref(out);
		return avlog_errno(got);
	}
	return err;
}

static int decode_now(struct vdec_h264 *d, const uint8_t *au, size_t len, struct vframe **out)
{
	int err = load_input(d, au, len);

	if (err)
		return err;
	err = avcodec_send_packet(d->ctx, d->pkt);
	d->pkt->buf = NULL;
	d->pkt->data = NULL;
	d->pkt->size = 0;
	/* a full output queue cannot be: it is emptied after every packet */
	return err < 0 ? avlog_errno(err) : take_picture(d, out);
}

static int h264_decode(struct vdec *base, const uint8_t *au, size_t len, struct vframe **out)
{
	struct vdec_h264 *d = (struct vdec_h264 *)base;
	struct au_info info;
	int err = inspect(d, au, len, &info);

	if (err) {
		d->need_key = true;
		base->stats.errors += err == -EBADMSG;
		return err;
	}
	if (d->need_key && !info.key && info.slice) {
		base->stats.skipped++;
		return -EBADMSG;
	}
	err = decode_now(d, au, len, out);
	if (err == -ENOMEM || err == -ENOBUFS)
		return err;
	if (!info.slice && info.units) /* parameter sets ahead of their picture */
		return -EAGAIN;
	if (err && err != -EAGAIN) {
		base->stats.errors++;
		d->need_key = true;
		avcodec_flush_buffers(d->ctx);
		return err == -ENOTSUP ? err : -EBADMSG;
	}
	if (info.key)
		d->need_key = false;
	return err;
}

const struct vdec_ops vdec_h264_ops = {
	.open = h264_open,
	.close = h264_close,
	.decode = h264_decode,
};
