#include "tests/bench/input.h"

#include <libavcodec/avcodec.h>
#include <libavutil/imgutils.h>
#include <libswscale/swscale.h>
#include <libyuv/scale.h>

#include "tests/bench/floor.h"
#include "tests/bench/media.h"

struct input {
	struct media media;
	int next; /* access unit of media */
	AVCodecContext *dec;
	struct SwsContext *sws; /* NULL when copied or halved */
	int x, y, w, h;		/* where it goes in the grid */
};

struct input *input_new(const char *path)
{
	struct input *in = calloc(1, sizeof *in);
	const AVCodec *c = avcodec_find_decoder(AV_CODEC_ID_H264);

	if (!in)
		die("out of memory");
	media_load(&in->media, path);
	in->dec = avcodec_alloc_context3(c);
	if (!in->dec)
		die("no H.264 decoder");
	in->dec->thread_count = 1;
	in->dec->flags |= AV_CODEC_FLAG_LOW_DELAY;
	if (avcodec_open2(in->dec, c, NULL) < 0)
		die("cannot open the H.264 decoder");
	return in;
}

void input_free(struct input *in)
{
	avcodec_free_context(&in->dec);
	sws_freeContext(in->sws);
	media_free(&in->media);
	free(in);
}

void input_place(struct input *in, int i, int n, int width, int height)
{
	int cols = 1, rows, cw, ch, sw = in->media.width, sh = in->media.height;

	while (cols * cols < n)
		cols++;
	rows = (n + cols - 1) / cols;
	cw = width / cols;
	ch = height / rows;
	in->w = cw;
	in->h = (int)((int64_t)cw * sh / sw);
	if (in->h > ch) {
		in->h = ch;
		in->w = (int)((int64_t)ch * sw / sh);
	}
	in->w &= ~1;
	in->h &= ~1;
	if ((in->w != sw || in->h != sh) && (in->w * 2 != sw || in->h * 2 != sh)) {
		/* swscale's vector code writes whole vectors: a tile of another
		 * width would spill over its right edge. */
		in->w &= ~31;
		in->h = (int)((int64_t)in->w * sh / sw) & ~1;
	}
	in->x = (i % cols * cw + (cw - in->w) / 2) & ~1;
	in->y = (i / cols * ch + (ch - in->h) / 2) & ~1;
	if ((in->w == sw && in->h == sh) || (in->w * 2 == sw && in->h * 2 == sh))
		return;
	in->sws = sws_getContext(sw, sh, AV_PIX_FMT_YUV420P, in->w, in->h, AV_PIX_FMT_YUV420P,
				 SWS_AREA, NULL, NULL, NULL);
	if (!in->sws)
		die("cannot scale %dx%d to %dx%d", sw, sh, in->w, in->h);
}

int input_count(const struct input *in)
{
	return in->media.count;
}

int input_octets(const struct input *in)
{
	return in->media.pkt[in->next]->size;
}

void input_decode(struct input *in, AVFrame *f)
{
	if (avcodec_send_packet(in->dec, in->media.pkt[in->next]) < 0 ||
	    avcodec_receive_frame(in->dec, f) < 0 || f->width != in->media.width)
		die("decoder: not one picture per access unit");
	in->next = (in->next + 1) % in->media.count;
}

void input_draw(const struct input *in, const AVFrame *f, AVFrame *c)
{
	uint8_t *dst[4] = { c->data[0] + in->y * c->linesize[0] + in->x,
			    c->data[1] + in->y / 2 * c->linesize[1] + in->x / 2,
			    c->data[2] + in->y / 2 * c->linesize[2] + in->x / 2, NULL };

	if (in->sws)
		sws_scale(in->sws, (const uint8_t *const *)f->data, f->linesize, 0, f->height, dst,
			  c->linesize);
	else if (in->w == f->width)
		av_image_copy(dst, c->linesize, (const uint8_t **)f->data, f->linesize,
			      AV_PIX_FMT_YUV420P, in->w, in->h);
	else
		I420Scale(f->data[0], f->linesize[0], f->data[1], f->linesize[1], f->data[2],
			  f->linesize[2], f->width, f->height, dst[0], c->linesize[0], dst[1],
			  c->linesize[1], dst[2], c->linesize[2], in->w, in->h, kFilterBox);
}
