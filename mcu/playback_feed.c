#include "mcu/playback_feed.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/buffer.h>
#include <libavutil/imgutils.h>

#include "mcu/base/clock.h"
#include "mcu/base/metrics.h"
#include "mixer/video/vframe.h"

METRIC_COUNTER(m_late, "mcu_playback_late_total",
	       "Ticks of sound that a playback should have had, and had not in time.");

enum { TICK = MEDIA_BLOCK_FRAMES, RATE = 48000, TRIES = 8 };
/* What the sound may be off its place before it is moved there. */
#define SLACK_NS (15 * NS_PER_MS)
/* A picture may come so much before its time: half a tick of the fastest rooms. */
#define EARLY_NS (8 * NS_PER_MS)

/* The point, for readers that never wait: odd while it is being written. */
struct shared_point {
	_Atomic uint32_t version, serial;
	_Atomic bool runs;
	_Atomic int64_t at_ns, pos_ns;
};

struct playback_feed {
	struct shared_point shared;
	_Atomic bool again, broken;
	/* MIXA */
	struct media_reader sound;
	struct playback_point sound_point; /* last read */
	uint32_t offset; /* samples of the next block that are over */
	bool in_step;
	/* MIXV */
	struct media_reader picture;
	struct playback_point picture_point;
	struct vframe_pool *pictures;
	AVBufferPool *planes;
	size_t plane_bytes;
	struct vframe *last;
};

int playback_feed_new(struct playback_feed **out, struct media_shm *shm, uint32_t max_w,
		      uint32_t max_h, struct vframe_pool *pictures)
{
	struct playback_feed *f = calloc(1, sizeof *f);

	if (!f)
		return -ENOMEM;
	f->sound = f->picture = (struct media_reader){ .shm = shm, .max_w = max_w, .max_h = max_h };
	f->pictures = pictures;
	*out = f;
	return 0;
}

void playback_feed_free(struct playback_feed **f)
{
	vframe_unref(&(*f)->last);
	av_buffer_pool_uninit(&(*f)->planes);
	free(*f);
	*f = NULL;
}

void playback_feed_set(struct playback_feed *f, const struct playback_point *p)
{
	struct shared_point *s = &f->shared;

	s->version++;
	s->serial = p->serial;
	s->runs = p->runs;
	s->at_ns = p->at_ns;
	s->pos_ns = p->pos_ns;
	s->version++;
}

/* Into *p, which stays as it was while it is being written for too long. */
static void read_point(const struct playback_feed *f, struct playback_point *p)
{
	const struct shared_point *s = &f->shared;

	for (int i = 0; i < TRIES; i++) {
		uint32_t version = s->version;
		struct playback_point now = {
			.serial = s->serial, .runs = s->runs, .at_ns = s->at_ns, .pos_ns = s->pos_ns,
		};

		if (!(version & 1) && version == s->version) {
			*p = now;
			return;
		}
	}
}

static bool older(uint32_t serial, uint32_t than)
{
	return (int32_t)(serial - than) < 0;
}

/* --- sound ------------------------------------------------------------------------ */

static int64_t samples_ns(int64_t n)
{
	return n * NS_PER_S / RATE;
}

static uint32_t ns_samples(int64_t ns, uint32_t most)
{
	int64_t n = ns * RATE / NS_PER_S;

	return n > most ? most : (uint32_t)n;
}

static void drop_block(struct playback_feed *f)
{
	media_reader_drop_block(&f->sound);
	f->offset = 0;
}

/* The next block of this serial. */
static bool next_block(struct playback_feed *f, uint32_t serial, struct media_block *b)
{
	int got;

	while ((got = media_reader_peek_block(&f->sound, b)) > 0) {
		if (b->serial == serial && f->offset < b->n)
			return true;
		if (b->serial != serial && !older(b->serial, serial))
			return false;
		drop_block(f);
		f->in_step = f->in_step && b->serial == serial;
	}
	if (got < 0)
		f->broken = true;
	return false;
}

/* Brings the block to the place that is wanted, or the place to the block: returns how
 * many samples of silence come before; in_step: what follows is in its place. */
static uint32_t align(struct playback_feed *f, const struct media_block *b, int64_t want_ns,
		      uint32_t room)
{
	int64_t late = want_ns - b->pts_ns - samples_ns(f->offset);

	if (f->in_step && late < SLACK_NS && late > -SLACK_NS)
		return 0;
	f->in_step = true;
	if (late >= 0) {
		f->offset += ns_samples(late, b->n - f->offset);
		f->in_step = f->offset < b->n;
		return 0;
	}
	return ns_samples(-late, room);
}

/* Also while nothing plays: what was before a seek would keep what comes after it out. */
static void drop_older(struct playback_feed *f, uint32_t serial)
{
	struct media_block b;

	while (media_reader_peek_block(&f->sound, &b) > 0 && older(b.serial, serial))
		drop_block(f);
}

bool playback_feed_sound(struct playback_feed *f, int64_t due_ns, float *out, int channels)
{
	struct playback_point *p = &f->sound_point;
	uint32_t n = 0, heard = 0, serial = p->serial;
	struct media_block b;
	int64_t pos;

	read_point(f, p);
	if (serial != p->serial || !p->runs)
		f->in_step = false;
	drop_older(f, p->serial);
	if (!p->runs || f->broken)
		return false;
	pos = playback_clock_position(p, due_ns);
	atomic_store_explicit(&f->sound.shm->position_ns, pos, memory_order_relaxed);
	while (n < TICK && next_block(f, p->serial, &b)) {
		uint32_t gap = align(f, &b, pos + samples_ns(n), TICK - n), k;

		memset(out + n * (unsigned)channels, 0, gap * (unsigned)channels * sizeof *out);
		n += gap;
		k = b.n - f->offset < TICK - n ? b.n - f->offset : TICK - n;
		media_reader_copy_block(&f->sound, f->offset, k, out + n * (unsigned)channels, channels);
		n += k;
		heard += k;
		f->offset += k;
		if (f->offset >= b.n)
			drop_block(f);
	}
	memset(out + n * (unsigned)channels, 0, (TICK - n) * (unsigned)channels * sizeof *out);
	if (n < TICK) {
		f->in_step = false;
		metric_add(&m_late, 1);
	}
	return heard > 0;
}

/* --- pictures ---------------------------------------------------------------------- */

static int use_planes(struct playback_feed *f, size_t bytes)
{
	if (f->planes && f->plane_bytes == bytes)
		return 0;
	av_buffer_pool_uninit(&f->planes);
	f->planes = av_buffer_pool_init(bytes, NULL);
	f->plane_bytes = bytes;
	return f->planes ? 0 : -ENOMEM;
}

/* A copy: the child may write into its own at any time. */
static struct vframe *copy(struct playback_feed *f, const struct media_slot *s, uint32_t ahead)
{
	const uint8_t *from = media_reader_pixels(&f->picture, ahead);
	int w = (int)s->w, h = (int)s->h;
	size_t bytes = (size_t)av_image_get_buffer_size(AV_PIX_FMT_YUV420P, w, h, 64);
	struct vframe *v;
	uint8_t *in[4];
	int stride[4];

	if (use_planes(f, bytes + 64))
		return NULL;
	v = vframe_get(f->pictures);
	if (!v)
		return NULL;
	v->av->buf[0] = av_buffer_pool_get(f->planes);
	if (!v->av->buf[0]) {
		vframe_unref(&v);
		return NULL;
	}
	v->av->width = w;
	v->av->height = h;
	v->av->format = AV_PIX_FMT_YUV420P;
	v->rotation = s->rotation;
	av_image_fill_arrays(v->av->data, v->av->linesize, v->av->buf[0]->data, AV_PIX_FMT_YUV420P, w, h,
			     64);
	av_image_fill_arrays(in, stride, from, AV_PIX_FMT_YUV420P, w, h, 1);
	av_image_copy(v->av->data, v->av->linesize, (const uint8_t **)in, stride, AV_PIX_FMT_YUV420P, w,
		      h);
	return v;
}

/* Whether that one, or none, is to be shown at pos: what is of earlier serials goes. */
static bool due(struct playback_feed *f, uint32_t ahead, int64_t pos, struct media_slot *s)
{
	int got = media_reader_peek_slot(&f->picture, ahead, s);

	if (got < 0)
		f->broken = true;
	return got > 0 && s->serial == f->picture_point.serial && s->pts_ns <= pos + EARLY_NS;
}

static struct vframe *newest(struct playback_feed *f, int64_t pos)
{
	struct media_slot s, next;
	struct vframe *v;

	while (media_reader_peek_slot(&f->picture, 0, &s) > 0 &&
	       older(s.serial, f->picture_point.serial))
		media_reader_drop_slot(&f->picture);
	if (!due(f, 0, pos, &s))
		return NULL;
	while (due(f, 1, pos, &next)) {
		media_reader_drop_slot(&f->picture);
		s = next;
	}
	v = copy(f, &s, 0);
	media_reader_drop_slot(&f->picture);
	return v;
}

struct vframe *playback_feed_picture(struct playback_feed *f, int64_t now_ns)
{
	struct vframe *v = NULL;

	read_point(f, &f->picture_point);
	if (!f->broken)
		v = newest(f, playback_clock_position(&f->picture_point, now_ns));
	if (v) {
		v->pts_ns = now_ns;
		if (f->last && vframe_same(f->last, v))
			v->gen = f->last->gen;
		vframe_unref(&f->last);
		f->last = vframe_ref(v);
		f->again = false;
	} else if (f->last && atomic_exchange(&f->again, false)) {
		v = vframe_ref(f->last);
	}
	return v;
}

void playback_feed_again(struct playback_feed *f)
{
	f->again = true;
}

bool playback_feed_broken(const struct playback_feed *f)
{
	return f->broken;
}
