#include "mcu/media/film_priv.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <libavutil/display.h>
#include <libavutil/intreadwrite.h>
#include <libavutil/pixdesc.h>

enum { IO_BYTES = 65536, CAMERA_OPEN_S = 10, CAMERA_SILENT_S = 5, PROBE_BYTES = 5000000 };
/* A picture may have so many samples: a photograph, but no bomb. */
#define MAX_PIXELS "50000000"
#define MAX_PIXELS_N 50000000

/* What people have. Playlists and the like, that name other files, are not among them. */
static const char formats[] =
	"mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpegts,mpeg,mpegvideo,avi,flv,asf,ogg,wav,mp3,aac,flac,"
	"gif,png_pipe,jpeg_pipe,jpegls_pipe,webp_pipe,bmp_pipe,tiff_pipe";

int64_t film_clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static int io_read(void *obj, uint8_t *to, int len)
{
	struct film *f = obj;
	ssize_t n = pread(f->fd, to, (size_t)len, f->at);

	if (n <= 0)
		return n ? AVERROR(errno) : AVERROR_EOF;
	f->at += n;
	return (int)n;
}

static int64_t io_seek(void *obj, int64_t offset, int whence)
{
	struct film *f = obj;

	if (whence & AVSEEK_SIZE)
		return f->size;
	whence &= ~AVSEEK_FORCE;
	offset += whence == SEEK_CUR ? f->at : whence == SEEK_END ? f->size : 0;
	if (offset < 0)
		return AVERROR(EINVAL);
	f->at = offset;
	return offset;
}

/* The camera's server has sent us on. It was allowed, the one that it names was not. */
static bool redirected(const struct film *f)
{
	return f->fmt && f->fmt->url && strcmp(f->fmt->url, f->address);
}

/* A camera that is silent, or a server that is gone, ends every wait; so does a redirect,
 * before anything is said to whom it leads to. */
static int interrupted(void *obj)
{
	struct film *f = obj;
	struct pollfd p = { .fd = MEDIA_FD_SOCKET };

	return redirected(f) || (poll(&p, 1, 0) > 0 && p.revents & (POLLHUP | POLLERR)) ||
	       film_clock_ns() - f->heard_ns >
		       (f->sound.index < 0 && f->picture.index < 0 ? CAMERA_OPEN_S : CAMERA_SILENT_S) *
			       INT64_C(1000000000);
}

static int open_file(struct film *f)
{
	uint8_t *buf = av_malloc(IO_BYTES);

	f->size = lseek(f->fd, 0, SEEK_END);
	f->io = buf ? avio_alloc_context(buf, IO_BYTES, 0, f, io_read, NULL, io_seek) : NULL;
	if (!f->io) {
		av_free(buf);
		return -ENOMEM;
	}
	f->fmt->pb = f->io;
	f->fmt->format_whitelist = av_strdup(formats);
	f->fmt->protocol_whitelist = av_strdup("none");
	f->fmt->probesize = PROBE_BYTES;
	return avformat_open_input(&f->fmt, NULL, NULL, NULL) ? -EBADMSG : 0;
}

/* Over TCP: nothing need be let through a firewall, and nothing is lost. What its server
 * says cannot make it anything else. */
static int open_camera(struct film *f, const char *url)
{
	AVDictionary *o = NULL;
	int err;

	f->address = strdup(url);
	if (!f->address)
		return -ENOMEM;
	f->camera = true;
	f->heard_ns = film_clock_ns();
	f->fmt->interrupt_callback = (AVIOInterruptCB){ interrupted, f };
	f->fmt->format_whitelist = av_strdup("rtsp,sdp,rtp,mpegts");
	f->fmt->protocol_whitelist = av_strdup("rtsp,rtp,tcp,tls");
	f->fmt->max_analyze_duration = 3 * AV_TIME_BASE;
	av_dict_set(&o, "rtsp_transport", "tcp", 0);
	av_dict_set(&o, "timeout", "8000000", 0);
	err = avformat_open_input(&f->fmt, url, av_find_input_format("rtsp"), &o);
	av_dict_free(&o);
	return err ? -ECONNREFUSED : 0;
}

static void read_rotation(struct film *f, const AVStream *s)
{
	const uint8_t *m = av_stream_get_side_data(s, AV_PKT_DATA_DISPLAYMATRIX, NULL);
	double deg = m ? -av_display_rotation_get((const int32_t *)(const void *)m) : 0;

	if (!isfinite(deg))
		return;
	f->rotation = (unsigned)(((long)lround(deg / 90) % 4 + 4) % 4) * 90;
}

static bool is_too_large(const AVCodecParameters *p)
{
	return (int64_t)p->width * p->height > MAX_PIXELS_N || p->width > 4 * MEDIA_MAX_SIDE ||
	       p->height > 4 * MEDIA_MAX_SIDE;
}

/* -ENOSYS: there is one, and no decoder for it. */
static int open_stream(struct film *f, struct film_stream *s, enum AVMediaType type)
{
	const AVCodec *codec = NULL;
	AVStream *st;
	int at = av_find_best_stream(f->fmt, type, -1, -1, &codec, 0);

	if (at < 0 || !codec)
		return at == AVERROR_DECODER_NOT_FOUND ? -ENOSYS : 0;
	st = f->fmt->streams[at];
	if (type == AVMEDIA_TYPE_VIDEO && is_too_large(st->codecpar))
		return -EFBIG;
	s->dec = avcodec_alloc_context3(codec);
	if (!s->dec || avcodec_parameters_to_context(s->dec, st->codecpar))
		return -ENOMEM;
	s->dec->thread_count = 1;
	s->dec->max_pixels = MAX_PIXELS_N;
	s->dec->pkt_timebase = st->time_base;
	if (f->camera)
		s->dec->flags |= AV_CODEC_FLAG_LOW_DELAY;
	if (avcodec_open2(s->dec, codec, NULL)) {
		avcodec_free_context(&s->dec);
		return -ENOSYS;
	}
	s->index = at;
	if (type == AVMEDIA_TYPE_VIDEO)
		read_rotation(f, st);
	return 0;
}

/* A photograph has no time; the cover of a song stands still while that goes on. */
static void find_still(struct film *f)
{
	const AVStream *v = f->picture.index >= 0 ? f->fmt->streams[f->picture.index] : NULL;
	const char *name = f->fmt->iformat->name;
	size_t n = strlen(name);
	bool one = v && ((n > 5 && !strcmp(name + n - 5, "_pipe")) ||
			 v->disposition & AV_DISPOSITION_ATTACHED_PIC);

	f->still = one && f->sound.index < 0;
	f->cover = one && f->sound.index >= 0;
}

/* A film without its sound is shown, and a song without its cover heard; but nobody takes
 * the sound of a film for the film. */
static int open_streams(struct film *f)
{
	int picture = open_stream(f, &f->picture, AVMEDIA_TYPE_VIDEO), sound;
	bool film = false;

	for (unsigned i = 0; i < f->fmt->nb_streams; i++)
		film = film || (f->fmt->streams[i]->codecpar->codec_type == AVMEDIA_TYPE_VIDEO &&
				!(f->fmt->streams[i]->disposition & AV_DISPOSITION_ATTACHED_PIC));
	if (picture && (film || picture != -ENOSYS))
		return picture;
	sound = open_stream(f, &f->sound, AVMEDIA_TYPE_AUDIO);
	if (sound && (f->picture.index < 0 || sound != -ENOSYS))
		return sound;
	return f->picture.index < 0 && f->sound.index < 0 ? -EBADMSG : 0;
}

static int find_streams(struct film *f)
{
	AVDictionary **o = calloc(f->fmt->nb_streams + 1, sizeof *o);
	unsigned n = f->fmt->nb_streams;
	int err;

	if (!o)
		return -ENOMEM;
	for (unsigned i = 0; i < n; i++) {
		enum AVCodecID id = f->fmt->streams[i]->codecpar->codec_id;

		/* of these only the size is read, not the picture; the others say not even that */
		if (id != AV_CODEC_ID_PNG && id != AV_CODEC_ID_MJPEG)
			av_dict_set(&o[i], "max_pixels", MAX_PIXELS, 0);
		av_dict_set(&o[i], "threads", "1", 0);
	}
	err = avformat_find_stream_info(f->fmt, o);
	for (unsigned i = 0; i < n; i++)
		av_dict_free(&o[i]);
	free(o);
	if (err < 0)
		return -EBADMSG;
	err = open_streams(f);
	find_still(f);
	for (unsigned i = 0; i < f->fmt->nb_streams; i++)
		if ((int)i != f->picture.index && (int)i != f->sound.index)
			f->fmt->streams[i]->discard = AVDISCARD_ALL;
	return err;
}

/* libav says of a picture beyond its own limits only that it is none. */
static bool is_huge_png(int fd)
{
	static const uint8_t mark[] = { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n' };
	uint8_t b[24];

	return pread(fd, b, sizeof b, 0) == (ssize_t)sizeof b && !memcmp(b, mark, sizeof mark) &&
	       (uint64_t)AV_RB32(b + 16) * AV_RB32(b + 20) > MAX_PIXELS_N;
}

int film_open(struct film **out, int fd, const char *url, struct media_out *o)
{
	struct film *f;
	int err = -ENOMEM;

	if (fd >= 0 && is_huge_png(fd))
		return -EFBIG;
	f = calloc(1, sizeof *f);
	if (!f)
		return -ENOMEM;
	f->out = o;
	f->fd = fd;
	f->wanted = true;
	f->sound.index = f->picture.index = -1;
	f->sound.queue.end = &f->sound.queue.first;
	f->picture.queue.end = &f->picture.queue.first;
	f->passed.end = &f->passed.first;
	f->frame = av_frame_alloc();
	f->before = av_frame_alloc();
	f->fmt = avformat_alloc_context();
	if (f->frame && f->before && f->fmt)
		err = fd >= 0 ? open_file(f) : open_camera(f, url);
	if (!err)
		err = find_streams(f);
	if (err) {
		film_free(&f);
		return err;
	}
	if (!f->camera && f->fmt->start_time != AV_NOPTS_VALUE) {
		f->zero_ns = av_rescale(f->fmt->start_time, 1000000000, AV_TIME_BASE);
		f->has_zero = true;
	}
	f->heard_ns = film_clock_ns(); /* finding out what a camera sends may have taken long */
	*out = f;
	return 0;
}

void film_free(struct film **at)
{
	struct film *f = *at;

	if (!f)
		return;
	film_queue_clear(&f->sound.queue);
	film_queue_clear(&f->picture.queue);
	film_queue_clear(&f->passed);
	avcodec_free_context(&f->sound.dec);
	avcodec_free_context(&f->picture.dec);
	avformat_close_input(&f->fmt);
	free(f->address);
	if (f->io)
		av_freep(&f->io->buffer);
	avio_context_free(&f->io);
	av_frame_free(&f->frame);
	av_frame_free(&f->before);
	free(f);
	*at = NULL;
}

void film_facts(const struct film *f, struct media_note *n)
{
	const AVCodecContext *v = f->picture.dec;

	n->type = MEDIA_FACTS;
	n->audio = f->sound.index >= 0;
	n->video = f->picture.index >= 0;
	n->still = f->still;
	if (!f->camera && !n->still && f->fmt->duration > 0)
		n->duration_ns = av_rescale(f->fmt->duration, 1000000000, AV_TIME_BASE);
	if (n->duration_ns > MEDIA_MAX_NS)
		n->duration_ns = MEDIA_MAX_NS;
	if (n->video) {
		bool turned = f->rotation % 180 != 0;

		n->width = (uint32_t)(turned ? v->height : v->width);
		n->height = (uint32_t)(turned ? v->width : v->height);
	}
}
