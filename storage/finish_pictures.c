#include "storage/finish_pictures.h"

#include <errno.h>
#include <fcntl.h>
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libswscale/swscale.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "storage/files.h"

enum {
	QUALITY = 4,           /* of JPEG: 2 is the best, 31 the worst */
	DARK = 32,             /* mean luma of a picture in which nothing is seen */
	THUMBNAIL_TRIES = 9,   /* at 10 %, 20 %, … of the length */
	PACKETS_MAX = 100000,  /* read in search of one key frame */
	HEIGHT_MAX = 2160,
};

struct movie {
	AVFormatContext *fmt;
	AVStream *st;
	AVCodecContext *dec;
	AVPacket *pkt;
	AVFrame *frame;
	int64_t duration_ms;
};

static int from_av(int err)
{
	return err >= 0 ? 0 : err == AVERROR(ENOMEM) ? -ENOMEM : -EBADMSG;
}

static void movie_close(struct movie *m)
{
	avcodec_free_context(&m->dec);
	av_packet_free(&m->pkt);
	av_frame_free(&m->frame);
	avformat_close_input(&m->fmt);
}

static int open_decoder(struct movie *m, const AVCodec *codec)
{
	m->dec = avcodec_alloc_context3(codec);
	m->pkt = av_packet_alloc();
	m->frame = av_frame_alloc();
	if (!m->dec || !m->pkt || !m->frame)
		return -ENOMEM;
	int err = avcodec_parameters_to_context(m->dec, m->st->codecpar);

	m->dec->thread_count = 1;
	m->dec->skip_frame = AVDISCARD_NONKEY;
	m->dec->max_pixels = 4096 * 4096;
	return from_av(err < 0 ? err : avcodec_open2(m->dec, codec, NULL));
}

static int movie_open(struct movie *m, const char *path)
{
	const AVCodec *codec = NULL;
	char url[4096];
	int err, no = -1;

	if (snprintf(url, sizeof(url), "file:%s", path) >= (int)sizeof(url))
		return -ENAMETOOLONG;
	err = avformat_open_input(&m->fmt, url, NULL, NULL);
	if (err >= 0)
		err = avformat_find_stream_info(m->fmt, NULL);
	if (err >= 0)
		no = av_find_best_stream(m->fmt, AVMEDIA_TYPE_VIDEO, -1, -1, &codec, 0);
	if (err < 0)
		return from_av(err);
	if (no < 0 || !codec)
		return -ENODATA;
	for (unsigned i = 0; i < m->fmt->nb_streams; i++)
		m->fmt->streams[i]->discard = (int)i == no ? AVDISCARD_DEFAULT : AVDISCARD_ALL;
	m->st = m->fmt->streams[no];
	m->duration_ms = m->fmt->duration > 0 ? m->fmt->duration / 1000 : 1;
	return open_decoder(m, codec);
}

/* One key picture alone, whatever the decoder holds back otherwise. */
static int decode_packet(struct movie *m)
{
	int err = avcodec_send_packet(m->dec, m->pkt);

	if (err >= 0)
		err = avcodec_send_packet(m->dec, NULL);
	if (err >= 0)
		err = avcodec_receive_frame(m->dec, m->frame);
	avcodec_flush_buffers(m->dec);
	return from_av(err);
}

/* The key picture at this time or before; the first one where there is none
 * before. In m->frame until the next call. */
static int movie_picture_at(struct movie *m, int64_t at_ms)
{
	int64_t ts = av_rescale_q(at_ms, (AVRational){ 1, 1000 }, m->st->time_base);
	int err;

	if (m->st->start_time != AV_NOPTS_VALUE)
		ts += m->st->start_time;
	err = av_seek_frame(m->fmt, m->st->index, ts, AVSEEK_FLAG_BACKWARD);
	if (err < 0)
		err = av_seek_frame(m->fmt, m->st->index, ts, 0);
	av_frame_unref(m->frame);
	for (int i = 0; err >= 0 && i < PACKETS_MAX; i++) {
		err = av_read_frame(m->fmt, m->pkt);
		if (err < 0)
			break;
		bool wanted = m->pkt->stream_index == m->st->index &&
			      m->pkt->flags & AV_PKT_FLAG_KEY;

		err = wanted ? decode_packet(m) : 0;
		av_packet_unref(m->pkt);
		if (wanted)
			return err;
	}
	return -EBADMSG;
}

static int even(int64_t v)
{
	return (int)(v < 2 ? 2 : v & ~1);
}

/* The height that goes with this width. */
static int height_for(const struct movie *m, int width)
{
	AVRational sar = m->st->sample_aspect_ratio;
	int64_t w = m->frame->width, h = m->frame->height;

	if (sar.num > 0 && sar.den > 0 && sar.num < 100 * sar.den && sar.den < 100 * sar.num)
		w = w * sar.num / sar.den;
	int height = even((h * width + w / 2) / (w > 0 ? w : 1));

	return height > HEIGHT_MAX ? HEIGHT_MAX : height;
}

static AVFrame *canvas_new(int width, int height)
{
	AVFrame *f = av_frame_alloc();

	if (!f)
		return NULL;
	f->width = width;
	f->height = height;
	f->format = AV_PIX_FMT_YUVJ420P;
	f->color_range = AVCOL_RANGE_JPEG;
	if (av_frame_get_buffer(f, 64) < 0)
		av_frame_free(&f);
	for (int i = 0; f && i < 3; i++)
		for (int y = 0; y < (i ? height / 2 : height); y++)
			for (int x = 0; x < (i ? width / 2 : width); x++)
				f->data[i][y * f->linesize[i] + x] = i ? 128 : 0;
	return f;
}

/* The movie's picture in a place of the canvas; x, y, w, h even. */
static int paint(struct SwsContext **sws, const AVFrame *from, AVFrame *to, int x, int y, int w,
		 int h)
{
	uint8_t *dst[4] = { to->data[0] + y * to->linesize[0] + x,
			    to->data[1] + y / 2 * to->linesize[1] + x / 2,
			    to->data[2] + y / 2 * to->linesize[2] + x / 2, NULL };

	*sws = sws_getCachedContext(*sws, from->width, from->height,
				    (enum AVPixelFormat)from->format, w, h, AV_PIX_FMT_YUVJ420P,
				    SWS_AREA, NULL, NULL, NULL);
	if (!*sws)
		return -EBADMSG;
	sws_scale(*sws, (const uint8_t *const *)from->data, from->linesize, 0, from->height, dst,
		  to->linesize);
	return 0;
}

static int mean_luma(const AVFrame *f)
{
	int64_t sum = 0, n = 0;

	for (int y = 0; y < f->height; y += 4)
		for (int x = 0; x < f->width; x += 4, n++)
			sum += f->data[0][y * f->linesize[0] + x];
	return n ? (int)(sum / n) : 0;
}

static int encode(const AVFrame *f, AVPacket *out)
{
	const AVCodec *codec = avcodec_find_encoder(AV_CODEC_ID_MJPEG);
	AVCodecContext *c = codec ? avcodec_alloc_context3(codec) : NULL;

	if (!c)
		return -ENOMEM;
	c->width = f->width;
	c->height = f->height;
	c->pix_fmt = AV_PIX_FMT_YUVJ420P;
	c->time_base = (AVRational){ 1, 25 };
	c->flags |= AV_CODEC_FLAG_QSCALE | AV_CODEC_FLAG_BITEXACT;
	c->global_quality = QUALITY * FF_QP2LAMBDA;
	c->thread_count = 1;
	int err = avcodec_open2(c, codec, NULL);

	if (err >= 0)
		err = avcodec_send_frame(c, f);
	if (err >= 0)
		err = avcodec_receive_packet(c, out);
	avcodec_free_context(&c);
	return from_av(err);
}

static int write_jpeg(const AVFrame *f, const char *path)
{
	AVPacket *p = av_packet_alloc();
	int fd = -1, err = p ? encode(f, p) : -ENOMEM;

	if (!err) {
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0640);
		err = fd < 0 ? -errno : files_write_at(fd, 0, p->data, (size_t)p->size);
	}
	if (!err && fdatasync(fd))
		err = -errno;
	if (fd >= 0)
		close(fd);
	av_packet_free(&p);
	return err;
}

static int make_thumbnail(struct movie *m, const char *path)
{
	struct SwsContext *sws = NULL;
	AVFrame *canvas = NULL;
	int err = 0, brightest = -1;

	for (int i = 1; !err && i <= THUMBNAIL_TRIES && brightest < DARK; i++) {
		err = movie_picture_at(m, m->duration_ms * i / 10);
		int luma = err ? 0 : mean_luma(m->frame);

		if (err && canvas) { /* torn at the end: what there was is enough */
			err = 0;
			break;
		}
		if (err || luma <= brightest)
			continue;
		int height = height_for(m, FINISH_THUMBNAIL_WIDTH);

		brightest = luma;
		av_frame_free(&canvas);
		canvas = canvas_new(FINISH_THUMBNAIL_WIDTH, height);
		err = canvas ? paint(&sws, m->frame, canvas, 0, 0, FINISH_THUMBNAIL_WIDTH, height)
			     : -ENOMEM;
	}
	if (!err)
		err = canvas ? write_jpeg(canvas, path) : -EBADMSG;
	av_frame_free(&canvas);
	sws_freeContext(sws);
	return err;
}

static void plan_sheet(struct movie *m, struct finish_sheet *s)
{
	s->step_ms = (m->duration_ms + FINISH_SHEET_MAX - 1) / FINISH_SHEET_MAX;
	if (s->step_ms < FINISH_SHEET_STEP_MS)
		s->step_ms = FINISH_SHEET_STEP_MS;
	s->n = (int)((m->duration_ms + s->step_ms - 1) / s->step_ms);
	s->columns = s->n < FINISH_SHEET_COLUMNS ? s->n : FINISH_SHEET_COLUMNS;
	s->width = FINISH_SHEET_WIDTH;
	s->height = height_for(m, FINISH_SHEET_WIDTH);
}

static int make_sheet(struct movie *m, const char *path, struct finish_sheet *s,
		      int (*step)(void *obj, int percent), void *obj)
{
	struct SwsContext *sws = NULL;
	AVFrame *canvas = NULL;
	int err = movie_picture_at(m, 0);

	if (err)
		return err;
	plan_sheet(m, s);
	canvas = canvas_new(s->columns * s->width, (s->n + s->columns - 1) / s->columns * s->height);
	if (!canvas)
		err = -ENOMEM;
	for (int i = 0; !err && i < s->n; i++) {
		int64_t middle = s->step_ms * i + s->step_ms / 2;

		/* one that cannot be decoded stays black */
		if (!movie_picture_at(m, middle < m->duration_ms ? middle : m->duration_ms))
			err = paint(&sws, m->frame, canvas, i % s->columns * s->width,
				    i / s->columns * s->height, s->width, s->height);
		if (!err && step)
			err = step(obj, (i + 1) * 100 / s->n);
	}
	if (!err)
		err = write_jpeg(canvas, path);
	av_frame_free(&canvas);
	sws_freeContext(sws);
	return err;
}

int finish_pictures(const char *movie, const char *thumbnail, const char *sheet_file,
		    struct finish_sheet *sheet, int (*step)(void *obj, int percent), void *obj)
{
	struct movie m = { 0 };
	int err = movie_open(&m, movie);

	*sheet = (struct finish_sheet){ 0 };
	if (!err)
		err = make_thumbnail(&m, thumbnail);
	if (!err)
		err = make_sheet(&m, sheet_file, sheet, step, obj);
	if (err)
		*sheet = (struct finish_sheet){ 0 };
	movie_close(&m);
	return err;
}
