#include "mcu/media/out.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/channel_layout.h>
#include <libavutil/frame.h>
#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>
#include <libswresample/swresample.h>
#include <libswscale/swscale.h>

#define NS INT64_C(1000000000)
/* A packet of sound may be that long: so much must be free before one is decoded. */
enum { RATE = 48000, SPARE_BLOCKS = 32, JUMP_MS = 40 };

struct media_out {
	struct media_shm *shm;
	uint32_t max_w, max_h, serial;
	uint32_t block_head, slot_head;
	unsigned blocks, pictures;
	struct SwsContext *sws;
	struct SwrContext *swr;
	/* what it was made for */
	int in_rate, in_format, in_channels;
	bool sounds;	   /* base_ns holds */
	bool no_sound;
	int64_t base_ns;   /* of the first sample since the last jump */
	int64_t converted; /* samples since then that were put */
	int64_t taken;	   /* and that went in, at RATE */
	int64_t sound_ns, picture_ns;
	struct media_block block; /* that is being filled */
};

int media_out_new(struct media_out **out, struct media_shm *shm, uint32_t max_w, uint32_t max_h)
{
	struct media_out *o = calloc(1, sizeof *o);

	if (!o)
		return -ENOMEM;
	o->shm = shm;
	o->max_w = max_w;
	o->max_h = max_h;
	/* the child before this one may have been lost in the middle */
	o->block_head = atomic_load(&shm->block_head);
	o->slot_head = atomic_load(&shm->slot_head);
	*out = o;
	return 0;
}

void media_out_free(struct media_out **o)
{
	if (!*o)
		return;
	sws_freeContext((*o)->sws);
	swr_free(&(*o)->swr);
	free(*o);
	*o = NULL;
}

static void publish(struct media_out *o)
{
	atomic_store(&o->shm->sound_ns, o->no_sound ? MEDIA_MAX_NS : o->sound_ns);
	atomic_store(&o->shm->picture_ns, o->picture_ns);
}

void media_out_begin(struct media_out *o, uint32_t serial)
{
	o->serial = serial;
	o->blocks = o->pictures = 0;
	o->sounds = o->no_sound = false;
	o->sound_ns = o->picture_ns = 0;
	o->block.n = 0;
	swr_free(&o->swr);
	publish(o);
}

static uint32_t waiting_blocks(const struct media_out *o)
{
	return o->block_head - atomic_load_explicit(&o->shm->block_tail, memory_order_acquire);
}

bool media_out_takes_picture(const struct media_out *o)
{
	return o->slot_head - atomic_load_explicit(&o->shm->slot_tail, memory_order_acquire) <
	       MEDIA_SLOTS;
}

bool media_out_takes_sound(const struct media_out *o)
{
	return waiting_blocks(o) + SPARE_BLOCKS < MEDIA_BLOCKS;
}

/* --- pictures --------------------------------------------------------------------- */

/* The shape of f in what fits; even, at least 2. */
static void fit(const struct media_out *o, const AVFrame *f, bool turned, uint32_t *w, uint32_t *h)
{
	double sar = f->sample_aspect_ratio.num > 0 && f->sample_aspect_ratio.den > 0 ?
			     av_q2d(f->sample_aspect_ratio) : 1;
	double fw = f->width * (sar > 1 ? sar : 1), fh = f->height / (sar < 1 ? sar : 1);
	double max_w = turned ? o->max_h : o->max_w, max_h = turned ? o->max_w : o->max_h;
	double scale = 1;

	if (fw * scale > max_w)
		scale = max_w / fw;
	if (fh * scale > max_h)
		scale = max_h / fh;
	/* a turned one lies in the slot as it came */
	if (fw * scale > o->max_w)
		scale = o->max_w / fw;
	if (fh * scale > o->max_h)
		scale = o->max_h / fh;
	*w = (uint32_t)(fw * scale) & ~1u;
	*h = (uint32_t)(fh * scale) & ~1u;
	*w = *w < 2 ? 2 : *w;
	*h = *h < 2 ? 2 : *h;
}

static bool is_full_range(const AVFrame *f)
{
	return f->color_range == AVCOL_RANGE_JPEG || f->format == AV_PIX_FMT_YUVJ420P ||
	       f->format == AV_PIX_FMT_YUVJ422P || f->format == AV_PIX_FMT_YUVJ444P;
}

static bool is_rgb(const AVFrame *f)
{
	const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(f->format);

	return d && (d->flags & (AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL));
}

static int scaler(struct media_out *o, const AVFrame *f, uint32_t w, uint32_t h)
{
	const int *of = sws_getCoefficients(is_rgb(f) ? SWS_CS_ITU601 : (int)f->colorspace);

	o->sws = sws_getCachedContext(o->sws, f->width, f->height, f->format, (int)w, (int)h,
				      AV_PIX_FMT_YUV420P,
				      (uint32_t)f->width > w ? SWS_AREA : SWS_BICUBIC, NULL, NULL, NULL);
	if (!o->sws)
		return -EBADMSG;
	/* the room keeps the sender's matrix, and takes the range of television */
	(void)sws_setColorspaceDetails(o->sws, of, is_full_range(f), of, 0, 0, 1 << 16, 1 << 16);
	return 0;
}

int media_out_picture(struct media_out *o, const AVFrame *f, int64_t pts_ns, unsigned rotation)
{
	uint32_t at = o->slot_head % MEDIA_SLOTS, w, h;
	uint8_t *to = (uint8_t *)(o->shm + 1) + at * media_slot_bytes(o->max_w, o->max_h);
	uint8_t *plane[4];
	int stride[4], err;

	if (f->width < 2 || f->height < 2 || f->width > 4 * MEDIA_MAX_SIDE ||
	    f->height > 4 * MEDIA_MAX_SIDE)
		return -EBADMSG;
	fit(o, f, rotation % 180 != 0, &w, &h);
	err = scaler(o, f, w, h);
	if (err)
		return err;
	av_image_fill_arrays(plane, stride, to, AV_PIX_FMT_YUV420P, (int)w, (int)h, 1);
	if (sws_scale(o->sws, (const uint8_t *const *)f->data, f->linesize, 0, f->height, plane,
		      stride) <= 0)
		return -EBADMSG;
	o->shm->slot[at] = (struct media_slot){
		.pts_ns = pts_ns, .serial = o->serial, .w = w, .h = h, .rotation = rotation,
	};
	atomic_store_explicit(&o->shm->slot_head, ++o->slot_head, memory_order_release);
	o->pictures++;
	media_out_passed(o, pts_ns);
	return 0;
}

void media_out_passed(struct media_out *o, int64_t picture_ns)
{
	if (picture_ns > o->picture_ns)
		o->picture_ns = picture_ns;
	publish(o);
}

void media_out_no_sound(struct media_out *o, bool none)
{
	if (o->no_sound == none)
		return;
	o->no_sound = none;
	publish(o);
}

void media_out_decoded(struct media_out *o)
{
	atomic_fetch_add(&o->shm->decoded, 1);
}

/* --- sound ------------------------------------------------------------------------ */

static int64_t samples_ns(int64_t n)
{
	return n * NS / RATE;
}

static void put_block(struct media_out *o)
{
	struct media_block *b = &o->shm->block[o->block_head % MEDIA_BLOCKS];

	o->block.serial = o->serial;
	o->block.pts_ns = o->base_ns + samples_ns(o->converted);
	o->block.pts_ns = o->block.pts_ns > 0 ? o->block.pts_ns : 0;
	o->converted += o->block.n;
	*b = o->block;
	o->block.n = 0;
	atomic_store_explicit(&o->shm->block_head, ++o->block_head, memory_order_release);
	o->blocks++;
	o->sound_ns = o->base_ns + samples_ns(o->converted);
	publish(o);
}

static int resampler(struct media_out *o, const AVFrame *f)
{
	AVChannelLayout stereo = AV_CHANNEL_LAYOUT_STEREO, in;
	int err;

	if (o->swr && o->in_rate == f->sample_rate && o->in_format == f->format &&
	    o->in_channels == f->ch_layout.nb_channels)
		return 0;
	if (f->sample_rate < 1000 || f->sample_rate > 768000 || f->ch_layout.nb_channels < 1 ||
	    f->ch_layout.nb_channels > 16)
		return -EBADMSG;
	if (f->ch_layout.order == AV_CHANNEL_ORDER_UNSPEC)
		av_channel_layout_default(&in, f->ch_layout.nb_channels);
	else if (av_channel_layout_copy(&in, &f->ch_layout))
		return -ENOMEM;
	swr_free(&o->swr);
	err = swr_alloc_set_opts2(&o->swr, &stereo, AV_SAMPLE_FMT_S16, RATE, &in, f->format,
				  f->sample_rate, 0, NULL);
	av_channel_layout_uninit(&in);
	/* one channel is as loud in two */
	if (!err && f->ch_layout.nb_channels == 1)
		err = swr_set_matrix(o->swr, (const double[]){ 1, 1 }, 1);
	if (err || swr_init(o->swr))
		return -EBADMSG;
	o->in_rate = f->sample_rate;
	o->in_format = f->format;
	o->in_channels = f->ch_layout.nb_channels;
	return 0;
}

/* Fills and puts blocks while there is room. */
static int convert(struct media_out *o, const uint8_t **in, int n)
{
	for (;;) {
		uint8_t *to = (uint8_t *)&o->block.pcm[o->block.n * 2];
		int got;

		if (waiting_blocks(o) >= MEDIA_BLOCKS) /* the rest stays in the resampler */
			return n ? swr_convert(o->swr, NULL, 0, in, n) : 0;
		got = swr_convert(o->swr, &to, (int)(MEDIA_BLOCK_FRAMES - o->block.n), in, n);
		if (got < 0)
			return got;
		in = NULL;
		n = 0;
		o->block.n += (uint32_t)got;
		if (o->block.n < MEDIA_BLOCK_FRAMES)
			return 0;
		put_block(o);
	}
}

int media_out_sound(struct media_out *o, const AVFrame *f, int64_t pts_ns)
{
	int64_t off = o->sounds ? pts_ns - o->base_ns - samples_ns(o->taken) : 0;

	if (!o->sounds || off > JUMP_MS * NS / 1000 || off < -JUMP_MS * NS / 1000) {
		if (o->block.n)
			put_block(o);
		swr_free(&o->swr);
		o->sounds = true;
		o->base_ns = pts_ns;
		o->converted = o->taken = 0;
	}
	if (resampler(o, f))
		return -EBADMSG;
	o->taken += (int64_t)f->nb_samples * RATE / f->sample_rate;
	return convert(o, (const uint8_t **)f->extended_data, f->nb_samples) < 0 ? -EBADMSG : 0;
}

bool media_out_drain(struct media_out *o)
{
	if (!o->swr)
		return true;
	(void)convert(o, NULL, 0);
	if (waiting_blocks(o) >= MEDIA_BLOCKS)
		return false;
	if (o->block.n)
		put_block(o);
	return true;
}

int64_t media_out_position(const struct media_out *o)
{
	return atomic_load(&o->shm->position_ns);
}

int64_t media_out_sound_ns(const struct media_out *o)
{
	return o->sound_ns;
}

int64_t media_out_picture_ns(const struct media_out *o)
{
	return o->picture_ns;
}

unsigned media_out_blocks(const struct media_out *o)
{
	return o->blocks;
}

unsigned media_out_pictures(const struct media_out *o)
{
	return o->pictures;
}
