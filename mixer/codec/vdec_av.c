#include "mixer/codec/vdec_av.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mixer/codec/avlog.h"

enum {
	FIRST_INPUT_BYTES = 64 << 10,
	LINE_ALIGN = 64 /* at most: what libavcodec rounds widths up to before it compares */
};

void vdec_av_close(struct vdec *base)
{
	struct vdec_av *d = (struct vdec_av *)base;

	avcodec_free_context(&d->ctx);
	av_packet_free(&d->pkt);
	av_buffer_unref(&d->input);
	av_frame_free(&d->picture);
	free(d);
}

static void set_limits(struct vdec_av *d, const struct vdec_limits *limits)
{
	int mask = d->codec->align - 1, w = (limits->max_w + mask) & ~mask;
	int h = (limits->max_h + mask) & ~mask;

	d->max_long = w > h ? w : h;
	d->max_area = w * h;
}

int vdec_av_open(struct vdec **out, const struct vdec_av_codec *how,
		 const struct vdec_limits *limits, struct vframe_pool *pool)
{
	const AVCodec *codec = avcodec_find_decoder_by_name(how->decoder);
	struct vdec_av *d;

	if (!codec)
		return -ENOTSUP;
	d = calloc(1, sizeof *d);
	if (!d)
		return -ENOMEM;
	d->codec = how;
	d->pool = pool;
	d->need_key = true;
	set_limits(d, limits);
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
	/* with 0 the second slice of every picture counts as an error; what was
	 * concealed is flagged and refused by judge_picture() */
	d->ctx->error_concealment = FF_EC_FAVOR_INTER;
	/* the second line of defence behind our own reading of the headers */
	d->ctx->max_pixels = d->max_area + (int64_t)LINE_ALIGN * d->max_long;
	if (avcodec_open2(d->ctx, codec, NULL) < 0)
		goto out;
	*out = &d->base;
	return 0;
out:
	vdec_av_close(&d->base);
	return -ENOMEM;
}

int vdec_av_check_size(const struct vdec_av *d, uint32_t w, uint32_t h)
{
	if (!w || !h)
		return -EBADMSG;
	if ((w > h ? w : h) > (uint32_t)d->max_long || (uint64_t)w * h > (uint64_t)d->max_area)
		return -EMSGSIZE;
	return 0;
}

static int load_input(struct vdec_av *d, const uint8_t *au, size_t len)
{
	size_t want = len + AV_INPUT_BUFFER_PADDING_SIZE;

	if (d->input->size < want || !av_buffer_is_writable(d->input)) {
		AVBufferRef *larger =
			av_buffer_alloc(want > d->input->size ? want * 2 : d->input->size);

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

static int judge_picture(const struct vdec_av *d, const AVFrame *av)
{
	if (av->decode_error_flags || (av->flags & AV_FRAME_FLAG_CORRUPT) || av->width < 2 ||
	    av->height < 2)
		return -EBADMSG;
	if (av->format != AV_PIX_FMT_YUV420P && av->format != AV_PIX_FMT_YUVJ420P)
		return -ENOTSUP;
	return vdec_av_check_size(d, (uint32_t)av->width, (uint32_t)av->height);
}

static int hand_over(struct vdec_av *d, struct vframe **out)
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
	/* VP8, VP9 and AV1 may be odd; the last line or column is let go */
	f->av->width &= ~1;
	f->av->height &= ~1;
	vframe_unref(out);
	*out = f;
	return 0;
}

/* The newest picture that is ready: a stream that reorders may give several, and
 * so may one with spatial layers. */
static int take_picture(struct vdec_av *d, struct vframe **out)
{
	int got, err = -EAGAIN;

	while ((got = avcodec_receive_frame(d->ctx, d->picture)) >= 0) {
		int bad = judge_picture(d, d->picture);

		if (bad) {
			av_frame_unref(d->picture);
			vframe_unref(out);
			return bad;
		}
		err = hand_over(d, out);
	}
	if (got != AVERROR(EAGAIN)) {
		vframe_unref(out);
		/* dav1d's word for a picture over the limit */
		return got == AVERROR(ERANGE) ? -EMSGSIZE : avlog_errno(got);
	}
	return err;
}

static int decode_now(struct vdec_av *d, const uint8_t *au, size_t len, struct vframe **out)
{
	int err = load_input(d, au, len);

	if (err)
		return err;
	err = avcodec_send_packet(d->ctx, d->pkt);
	d->pkt->buf = NULL;
	d->pkt->data = NULL;
	d->pkt->size = 0;
	/* a full output queue cannot be: it is emptied after every packet */
	if (err < 0)
		return err == AVERROR(ERANGE) ? -EMSGSIZE : avlog_errno(err);
	return take_picture(d, out);
}

static int give_up(struct vdec_av *d, int err)
{
	d->need_key = true;
	avcodec_flush_buffers(d->ctx);
	if (err != -ENOTSUP && err != -EMSGSIZE && err != -ENOMEM)
		err = -EBADMSG;
	d->base.stats.errors += err == -EBADMSG;
	return err;
}

int vdec_av_decode(struct vdec *base, const uint8_t *au, size_t len, struct vframe **out)
{
	struct vdec_av *d = (struct vdec_av *)base;
	struct vdec_av_info info = { 0 };
	int err = d->codec->inspect(d, au, len, &info);

	if (err) {
		d->need_key = true;
		base->stats.errors += err == -EBADMSG;
		return err;
	}
	if (info.kind == VDEC_AV_NOTHING)
		return -EAGAIN;
	if (d->need_key && !info.key && info.kind == VDEC_AV_PICTURE) {
		base->stats.skipped++;
		return -EBADMSG;
	}
	/* a reordering depth that another stream, or damage, asked for would stay as
	 * a delay; the headers say it anew */
	if (info.key)
		d->ctx->has_b_frames = 0;
	err = decode_now(d, au, len, out);
	if (info.kind == VDEC_AV_HEADERS)
		return err == -ENOMEM ? err : -EAGAIN;
	if (err && err != -EAGAIN && err != -ENOBUFS)
		return give_up(d, err);
	if (info.key)
		d->need_key = false;
	return err;
}
