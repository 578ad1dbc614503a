#include "tests/load/media.h"

#include <glob.h>
#include <libavformat/avformat.h>
#include <math.h>
#include <opus/opus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/load/media_store.h"
#include "tests/load/util.h"

enum { NAL_IDR = 5, MAX_SAMPLES = 5760 };

static struct entry {
	char *path;
	struct media media;
	struct entry *next;
} * entries;

struct media *media_store_new(const char *path)
{
	struct entry *e = bot_alloc(sizeof *e);

	e->path = strdup(path);
	e->next = entries;
	entries = e;
	return &e->media;
}

struct media_unit *media_store_add(struct media *m, const uint8_t *p, size_t len)
{
	struct media_unit *u;

	if (!(m->units & (m->units - 1))) {
		m->unit = realloc(m->unit, (m->units ? 2 * m->units : 1) * sizeof *m->unit);
		if (!m->unit)
			bot_die("out of memory");
	}
	u = &m->unit[m->units++];
	*u = (struct media_unit){ .data = bot_alloc(len), .len = len };
	memcpy(u->data, p, len);
	return u;
}

static struct media *find(const char *path)
{
	for (struct entry *e = entries; e; e = e->next)
		if (!strcmp(e->path, path))
			return &e->media;
	return NULL;
}

static bool has_idr(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i + 3 < n; i++)
		if (!p[i] && !p[i + 1] && p[i + 2] == 1 && (p[i + 3] & 31) == NAL_IDR)
			return true;
	return false;
}

static struct media *read_file(const char *path)
{
	AVFormatContext *f = NULL;
	AVPacket *p = av_packet_alloc();
	struct media *m;

	av_log_set_level(AV_LOG_ERROR);
	if (!p || avformat_open_input(&f, path, NULL, NULL) < 0 ||
	    avformat_find_stream_info(f, NULL) < 0)
		bot_die("cannot read %s: make it with tests/load/media.sh", path);
	m = media_store_new(path);
	m->width = f->streams[0]->codecpar->width;
	m->height = f->streams[0]->codecpar->height;
	while (av_read_frame(f, p) >= 0) {
		media_store_add(m, p->data, (size_t)p->size);
		av_packet_unref(p);
	}
	av_packet_free(&p);
	avformat_close_input(&f);
	if (!m->units)
		bot_die("%s is empty", path);
	return m;
}

const struct media *media_load_video(const char *path)
{
	struct media *m = find(path);

	if (m)
		return m;
	m = read_file(path);
	for (size_t i = 0; i < m->units; i++)
		m->unit[i].key = has_idr(m->unit[i].data, m->unit[i].len);
	if (!m->unit[0].key)
		bot_die("%s does not begin with an IDR picture", path);
	return m;
}

void media_load_sizes(const char *path)
{
	struct media *m = find(path);
	char pattern[4096];
	glob_t g;

	if (!m || m->other)
		return;
	snprintf(pattern, sizeof pattern, "%.*s-*x*.h264", (int)(strrchr(path, '.') - path), path);
	if (glob(pattern, 0, NULL, &g))
		return;
	for (size_t i = 0; i < g.gl_pathc; i++) {
		struct media *size = find(g.gl_pathv[i]);

		if (!size) {
			media_load_video(g.gl_pathv[i]);
			size = find(g.gl_pathv[i]);
		}
		size->other = m->other;
		m->other = size;
	}
	globfree(&g);
}

const struct media *media_fit(const struct media *m, int width, int height)
{
	const struct media *best = NULL, *smallest = m;

	for (; m; m = m->other) {
		if (m->width * m->height < smallest->width * smallest->height)
			smallest = m;
		if (m->width <= width && m->height <= height &&
		    (!best || m->width * m->height > best->width * best->height))
			best = m;
	}
	return best ? best : smallest;
}

static uint8_t level_of(const float *pcm, int n)
{
	double sum = 0, db;

	for (int i = 0; i < n; i++)
		sum += (double)pcm[i] * (double)pcm[i];
	db = n > 0 && sum > 0 ? -10 * log10(sum / n) : 127;
	return db < 0 ? 0 : db > 127 ? 127 : (uint8_t)db;
}

void media_store_levels(struct media *m)
{
	static float pcm[MAX_SAMPLES];
	OpusDecoder *d = opus_decoder_create(48000, 1, &(int){ 0 });

	if (!d)
		bot_die("no Opus decoder");
	for (size_t i = 0; i < m->units; i++) {
		struct media_unit *u = &m->unit[i];
		int n = opus_decode_float(d, u->data, (opus_int32)u->len, pcm, MAX_SAMPLES, 0);

		if (n != MEDIA_AUDIO_TICKS)
			bot_die("audio: packet %zu is not 20 ms of Opus", i);
		u->level = level_of(pcm, n);
		u->key = true;
	}
	opus_decoder_destroy(d);
}

const struct media *media_load_audio(const char *path)
{
	struct media *m = find(path);

	if (m)
		return m;
	m = read_file(path);
	media_store_levels(m);
	return m;
}

void media_free_all(void)
{
	while (entries) {
		struct entry *e = entries;

		entries = e->next;
		for (size_t i = 0; i < e->media.units; i++)
			free(e->media.unit[i].data);
		free(e->media.unit);
		free(e->path);
		free(e);
	}
}
