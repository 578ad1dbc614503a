/* A recording of pictures and silence as the recorder writes it, and how many reads a
 * player needs for it. */
#ifndef TESTS_STORAGE_MOVIE_H
#define TESTS_STORAGE_MOVIE_H

#include "tests/storage/media.h"

#include "mcu/base/clock.h"
#include "storage/files.h"
#include "storage/mux.h"

static const uint8_t movie_asc[] = { 0x11, 0x88 }; /* AAC-LC, 48 kHz, mono */

enum { MOVIE_FPS = 15, MOVIE_W = 160, MOVIE_H = 96, MOVIE_GOP = 30 };

/* A closed group of pictures, to be repeated: the first black ones, then bright. */
struct movie_gop {
	struct au black[MOVIE_GOP], bright[MOVIE_GOP], sound;
};

static inline void movie_gop_make(struct movie_gop *g)
{
	struct video_source v;

	video_source_open(&v, MOVIE_W, MOVIE_H, MOVIE_FPS);
	for (int i = 0; i < MOVIE_GOP; i++)
		video_source_next(&v, 16, i == 0, &g->black[i]);
	for (int i = 0; i < MOVIE_GOP; i++)
		video_source_next(&v, 200, i == 0, &g->bright[i]);
	video_source_close(&v);
	silent_frame(&g->sound);
}

static inline void movie_gop_free(struct movie_gop *g)
{
	for (int i = 0; i < MOVIE_GOP; i++) {
		free(g->black[i].p);
		free(g->bright[i].p);
	}
	free(g->sound.p);
}

struct movie_kind {
	bool matroska, opus, no_video;
};

/* frames pictures, the first black_frames of them black; completed, or as a dead
 * process leaves it. */
static inline void movie_write_as(const struct movie_gop *g, const char *root, const char *path,
				  int frames, int black_frames, bool finish,
				  const struct movie_kind *kind)
{
	static const uint8_t opus_silence[] = { 0xf8, 0xff, 0xfe };
	struct mux_cfg c = { .fps = kind->no_video ? 0 : MOVIE_FPS, .matroska = kind->matroska,
			     .opus = kind->opus, .aac_config = movie_asc,
			     .aac_config_len = kind->opus ? 0 : sizeof(movie_asc),
			     .sample_rate = 48000, .channels = 1,
			     .fragment_ns = 500 * NS_PER_MS, .sync_ns = NS_PER_S };
	const uint8_t *sound = kind->opus ? opus_silence : g->sound.p;
	size_t sound_len = kind->opus ? sizeof(opus_silence) : g->sound.len;
	struct mux *m = NULL;
	int fd = files_create(root, path);
	int64_t n = 0;

	assert_true(fd >= 0);
	assert_int_equal(mux_new(&m, fd, &c), 0);
	for (int i = 0; i < frames; i++) {
		const struct au *u = (i < black_frames ? g->black : g->bright) + i % MOVIE_GOP;
		int64_t at = clock_scale(i, NS_PER_S, MOVIE_FPS), t;

		if (!kind->no_video)
			assert_int_equal(mux_video(m, u->p, u->len, at, u->key), MUX_TAKEN);
		while ((t = clock_scale(n * (kind->opus ? 960 : 1024), NS_PER_S, 48000)) <= at) {
			assert_int_equal(mux_audio(m, sound, sound_len, t), MUX_TAKEN);
			n++;
		}
	}
	if (finish)
		assert_int_equal(mux_finish(m), 0);
	mux_free(&m);
}

static inline void movie_write(const struct movie_gop *g, const char *root, const char *path,
			       int frames, int black_frames, bool finish)
{
	movie_write_as(g, root, path, frames, black_frames, finish, &(struct movie_kind){ 0 });
}

struct counted {
	FILE *f;
	int reads, seeks;
	int64_t octets;
};

static inline int counted_read(void *obj, uint8_t *p, int n)
{
	struct counted *c = obj;
	size_t got = fread(p, 1, (size_t)n, c->f);

	c->reads++;
	c->octets += (int64_t)got;
	return got ? (int)got : AVERROR_EOF;
}

static inline int64_t counted_seek(void *obj, int64_t at, int whence)
{
	struct counted *c = obj;

	if (whence == AVSEEK_SIZE) {
		int64_t now = ftell(c->f), size;

		fseek(c->f, 0, SEEK_END);
		size = ftell(c->f);
		fseek(c->f, now, SEEK_SET);
		return size;
	}
	c->seeks++;
	return fseek(c->f, at, whence) ? -1 : at;
}

/* Opens the file, goes to this time and takes a picture from there. */
static inline void movie_seek(const char *path, double at_s, struct counted *c)
{
	enum { BLOCK = 1 << 16 };
	AVFormatContext *fmt = avformat_alloc_context();
	AVPacket *p = av_packet_alloc();

	*c = (struct counted){ .f = fopen(path, "rb") };
	assert_non_null(c->f);
	fmt->pb = avio_alloc_context(av_malloc(BLOCK), BLOCK, 0, c, counted_read, NULL,
				     counted_seek);
	AVIOContext *io = fmt->pb;

	assert_int_equal(avformat_open_input(&fmt, NULL, NULL, NULL), 0);
	int no = av_find_best_stream(fmt, AVMEDIA_TYPE_VIDEO, -1, -1, NULL, 0);

	assert_true(no >= 0);
	assert_true(av_seek_frame(fmt, -1, (int64_t)(at_s * AV_TIME_BASE),
				  AVSEEK_FLAG_BACKWARD) >= 0);
	do {
		av_packet_unref(p);
		assert_int_equal(av_read_frame(fmt, p), 0);
	} while (p->stream_index != no);
	double t = (double)p->pts * av_q2d(fmt->streams[no]->time_base);

	assert_true(p->flags & AV_PKT_FLAG_KEY);
	assert_true(t <= at_s && t > at_s - 4.001);
	av_packet_free(&p);
	avformat_close_input(&fmt);
	av_freep(&io->buffer);
	avio_context_free(&io);
	fclose(c->f);
}

#endif
