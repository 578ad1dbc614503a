#include "tests/load/picture.h"

#include <errno.h>
#include <libavcodec/avcodec.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/load/util.h"

enum { HALF = 4 };

struct picture {
	AVCodecContext *dec;
	AVPacket *pkt;
	AVFrame *next, *last;
	uint64_t count;
};

struct picture *picture_new(bool vp8)
{
	struct picture *p = bot_alloc(sizeof *p);
	const AVCodec *c = avcodec_find_decoder(vp8 ? AV_CODEC_ID_VP8 : AV_CODEC_ID_H264);

	av_log_set_level(AV_LOG_QUIET);
	p->dec = avcodec_alloc_context3(c);
	p->pkt = av_packet_alloc();
	p->next = av_frame_alloc();
	p->last = av_frame_alloc();
	if (!c || !p->dec || !p->pkt || !p->next || !p->last)
		bot_die("no decoder");
	p->dec->thread_count = 1;
	p->dec->flags |= AV_CODEC_FLAG_LOW_DELAY;
	p->dec->err_recognition = AV_EF_EXPLODE;
	if (avcodec_open2(p->dec, c, NULL) < 0)
		bot_die("cannot open the decoder");
	return p;
}

void picture_free(struct picture **p)
{
	if (!*p)
		return;
	avcodec_free_context(&(*p)->dec);
	av_packet_free(&(*p)->pkt);
	av_frame_free(&(*p)->next);
	av_frame_free(&(*p)->last);
	free(*p);
	*p = NULL;
}

bool picture_decode(struct picture *p, const uint8_t *au, size_t len)
{
	bool good = false;

	if (av_new_packet(p->pkt, (int)len) < 0)
		bot_die("out of memory");
	memcpy(p->pkt->data, au, len);
	if (avcodec_send_packet(p->dec, p->pkt) >= 0) {
		while (avcodec_receive_frame(p->dec, p->next) >= 0) {
			good = !p->next->decode_error_flags;
			av_frame_unref(p->last);
			av_frame_move_ref(p->last, p->next);
			p->count++;
		}
	}
	av_packet_unref(p->pkt);
	return good;
}

int picture_width(const struct picture *p)
{
	return p->last->width;
}

int picture_height(const struct picture *p)
{
	return p->last->height;
}

uint64_t picture_count(const struct picture *p)
{
	return p->count;
}

/* Mean of a block of plane k, whose samples are 1 << shift pixels wide. */
static int mean(const AVFrame *f, int k, int shift, int x, int y)
{
	int sum = 0, n = 0;

	for (int v = (y - HALF) >> shift; v < (y + HALF) >> shift; v++)
		for (int u = (x - HALF) >> shift; u < (x + HALF) >> shift; u++, n++)
			sum += f->data[k][v * f->linesize[k] + u];
	return sum / n;
}

static bool inside(const AVFrame *f, int x, int y)
{
	return f->data[0] && x >= HALF && y >= HALF && x + HALF <= f->width &&
	       y + HALF <= f->height;
}

int picture_luma(const struct picture *p, int x, int y)
{
	return inside(p->last, x, y) ? mean(p->last, 0, 0, x, y) : -1;
}

static uint8_t clamp(double v)
{
	return v < 0 ? 0 : v > 255 ? 255 : (uint8_t)(v + 0.5);
}

/* BT.601, limited range: what a browser assumes when nothing is signalled. */
static void to_rgb(int luma, int cb, int cr, uint8_t rgb[3])
{
	double y = 1.164 * (luma - 16), u = cb - 128, v = cr - 128;

	rgb[0] = clamp(y + 1.596 * v);
	rgb[1] = clamp(y - 0.392 * u - 0.813 * v);
	rgb[2] = clamp(y + 2.017 * u);
}

bool picture_rgb(const struct picture *p, int x, int y, uint8_t rgb[3])
{
	const AVFrame *f = p->last;

	if (!inside(f, x, y))
		return false;
	to_rgb(mean(f, 0, 0, x, y), mean(f, 1, 1, x, y), mean(f, 2, 1, x, y), rgb);
	return true;
}

int picture_write_ppm(const struct picture *p, const char *path)
{
	const AVFrame *f = p->last;
	FILE *to = fopen(path, "wb");
	uint8_t rgb[3];

	if (!to)
		return -errno;
	fprintf(to, "P6\n%d %d\n255\n", f->width, f->height);
	for (int y = 0; y < f->height; y++) {
		for (int x = 0; x < f->width; x++) {
			to_rgb(f->data[0][y * f->linesize[0] + x],
			       f->data[1][y / 2 * f->linesize[1] + x / 2],
			       f->data[2][y / 2 * f->linesize[2] + x / 2], rgb);
			fwrite(rgb, 1, sizeof rgb, to);
		}
	}
	return fclose(to) ? -errno : 0;
}
