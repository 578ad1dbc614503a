#include "mcu/room/video_leg.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <time.h>

#include "mcu/base/log.h"
#include "mcu/base/metrics.h"
#include "mcu/base/quota.h"
#include "mcu/base/ring.h"
#include "mcu/room/beat.h"
#include "mcu/room/local_source.h"
#include "mixer/codec/vdec.h"

METRIC_COUNTER(m_dropped, "mcu_video_in_dropped_total",
	       "Received pictures dropped before decoding, because the decoder was behind.");

METRIC_COUNTER(m_over_limit, "mcu_video_in_over_limit_total",
	       "Times a sender's pictures were over limits.uplink_fps or limits.decode_ms, and dropped "
	       "up to a key frame.");

METRIC_COUNTER(m_same, "mcu_video_in_unchanged_total",
	       "Received pictures that looked like the one before, so that nothing is painted.");

/* In the tag of an access unit: rotation, then these. */
enum { CODEC_SHIFT = 16, CODEC_MASK = 0xff, GAP = 1 << 24, KEY = 1 << 25 };

enum { SMOOTHING = 8 };

struct video_leg {
	const struct engine *engine;
	struct strand *strand;
	struct beat beat;
	const struct local_source *local; /* NULL: it comes in access units */
	uint32_t leg_id;
	_Atomic bool wanted;
	_Atomic bool needs_key;
	_Atomic bool checking; /* an unwanted_job waits in the strand: one is enough */
	_Atomic(struct vframe *) newest;
	_Atomic uint64_t decoded, errors, dropped, over_limit;
	_Atomic int64_t spent_ns; /* by the decoder, not charged yet */
	_Atomic int codec, width, height;
	_Atomic bool open;
	_Atomic bool decoding;
	/* NET */
	bool skipping; /* until the next key frame */
	int64_t last_put_ns, interval_ns; /* between pictures, smoothed */
	struct quota pictures, time;
	/* the strand */
	struct vdec *dec;
	enum codec dec_codec;
	bool broken; /* something is missing: nothing is decoded until a key frame */
	struct ring *units; /* to the tick, as they came */
	_Atomic bool passing, gap;
	struct vframe *last; /* the newest one again, whoever has taken it */
	mbox_fn *closed;
	void *closed_obj;
};

int video_leg_new(struct video_leg **out, const struct engine *e, const struct beat *b,
		  uint32_t leg_id)
{
	struct video_leg *v = calloc(1, sizeof *v);
	int err;

	if (!v)
		return -ENOMEM;
	v->engine = e;
	v->beat = *b;
	v->leg_id = leg_id;
	err = ring_new(&v->units, VIDEO_LEG_UNITS);
	if (!err)
		err = strand_new(&v->strand, e->video, "decode");
	if (err) {
		ring_free(&v->units);
		free(v);
		return err;
	}
	*out = v;
	return 0;
}

void video_leg_charge(struct video_leg *v, struct work_account *a)
{
	strand_charge(v->strand, a);
}

void video_leg_set_local(struct video_leg *v, const struct local_source *s)
{
	v->local = s;
}

static void drop_units(struct video_leg *v)
{
	struct buf *au;

	while ((au = ring_pop(v->units)))
		buf_unref(&au);
}

static void drop_newest(struct video_leg *v)
{
	struct vframe *old = atomic_exchange(&v->newest, NULL);

	vframe_unref(&old);
	vframe_unref(&v->last);
}

static void decoder_close(struct video_leg *v)
{
	if (!v->dec)
		return;
	vdec_free(&v->dec);
	v->open = false;
}

static void close_job(void *obj, void *arg)
{
	struct video_leg *v = obj;

	(void)arg;
	role_assert_mixv();
	decoder_close(v);
	drop_newest(v);
	drop_units(v); /* the tick has let go */
	strand_free(&v->strand);
	engine_post(v->engine->ctl, v->closed, v->closed_obj, NULL);
}

void video_leg_close(struct video_leg *v, mbox_fn *closed, void *obj)
{
	v->closed = closed;
	v->closed_obj = obj;
	/* NET stopped posting and left room: at most VIDEO_LEG_QUEUE wait. */
	if (strand_post(v->strand, close_job, v, NULL, 0, INT64_MAX) < 0)
		abort();
}

void video_leg_free(struct video_leg **v)
{
	ring_free(&(*v)->units);
	free(*v);
	*v = NULL;
}

void video_leg_discard(struct video_leg **v)
{
	if (!*v)
		return;
	strand_free(&(*v)->strand);
	video_leg_free(v);
}

/* What was thrown away is missing to all that follow it. */
static void break_off(struct video_leg *v)
{
	decoder_close(v);
	v->broken = true;
	v->gap = true;
}

static void unwanted_job(void *obj, void *arg)
{
	struct video_leg *v = obj;

	(void)arg;
	role_assert_mixv();
	v->checking = false;
	if (!v->wanted) {
		break_off(v);
		drop_newest(v);
	}
}

void video_leg_set_wanted(struct video_leg *v, bool wanted)
{
	if (v->wanted == wanted)
		return;
	v->wanted = wanted;
	if (v->local) {
		v->open = wanted;
		v->local->ops->wanted(v->local->obj, wanted);
		return;
	}
	if (wanted)
		v->needs_key = true;
	else if (!atomic_exchange(&v->checking, true) &&
		 strand_post(v->strand, unwanted_job, v, NULL, 0, INT64_MAX))
		abort(); /* pictures, this and the close are all that is ever posted */
}

static void publish(struct video_leg *v, struct vframe *f)
{
	struct vframe *old;

	if (v->last && vframe_same(v->last, f)) { /* a slide, sent over and over */
		f->gen = v->last->gen;
		metric_add(&m_same, 1);
	}
	vframe_unref(&v->last);
	v->last = vframe_ref(f);
	v->decoded++;
	v->codec = (int)v->dec_codec;
	v->width = f->av->width;
	v->height = f->av->height;
	old = atomic_exchange(&v->newest, f);
	vframe_unref(&old);
}

/* The decoder opens with the first key frame, closes when it is unwanted, and
 * makes room for another when the sender changes to another codec. */
static int decoder_open(struct video_leg *v, enum codec codec)
{
	struct vdec_limits lim = {
		.max_w = v->engine->cfg.max_input_width,
		.max_h = v->engine->cfg.max_input_height,
	};
	int err;

	if (v->dec && v->dec_codec == codec)
		return 0;
	decoder_close(v);
	err = vdec_new(&v->dec, codec, &lim, v->engine->pictures);
	if (err)
		return err;
	v->dec_codec = codec;
	v->open = true;
	return 0;
}

static enum codec codec_of(const struct buf *au)
{
	return (enum codec)(au->tag >> CODEC_SHIFT & CODEC_MASK);
}

static int64_t thread_time_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static int decode(struct video_leg *v, const struct buf *au, struct vframe **f) ON_THREAD(ROLE_MIXV)
{
	int64_t began = thread_time_ns();
	int err = decoder_open(v, codec_of(au));

	if (!err)
		err = vdec_decode(v->dec, au->data, au->len, f);
	v->spent_ns += thread_time_ns() - began;
	return err;
}

/* What does not get to the tick leaves a gap. */
static void pass_on(struct video_leg *v, struct buf *au)
{
	if (!v->passing)
		return;
	if (atomic_exchange(&v->gap, false))
		au->tag |= GAP;
	if (ring_push(v->units, buf_ref(au)))
		return;
	v->gap = true;
	buf_unref(&(struct buf *){ au });
}

static void note_drop(struct video_leg *v)
{
	v->dropped++;
	v->gap = true;
	metric_add(&m_dropped, 1);
}

/* Whether it can be decoded; if not, it is thrown away. */
ON_THREAD(ROLE_MIXV) static bool is_for_decoder(struct video_leg *v, const struct buf *au)
{
	if (!v->wanted) {
		break_off(v);
		return false;
	}
	if (au->tag & KEY)
		v->broken = false;
	if (!v->broken)
		return true;
	v->needs_key = true;
	note_drop(v);
	return false;
}

static void decode_job(void *obj, void *arg)
{
	struct video_leg *v = obj;
	struct buf *au = arg;
	struct vframe *f = NULL;
	int err;

	role_assert_mixv();
	v->decoding = true;
	if (is_for_decoder(v, au)) {
		err = decode(v, au, &f);
		if (!err) {
			f->rotation = au->tag & ((1u << CODEC_SHIFT) - 1);
			f->pts_ns = au->time_ns;
			publish(v, f);
			pass_on(v, au);
		} else if (err != -EAGAIN) {
			v->errors++;
			v->needs_key = true;
		}
		if (err)
			v->gap = true;
	}
	v->decoding = false;
	buf_unref(&au);
}

static void count_drop(struct video_leg *v, struct buf **au)
{
	note_drop(v);
	buf_unref(au);
}

/* A picture is decoded at the beat that shows it, unless the queue would fill until
 * then: a fast sender's pictures are held for less time. */
static int64_t start_of(struct video_leg *v, int64_t due_ns, int64_t now_ns)
{
	int64_t passed = now_ns - v->last_put_ns, longest, beat;

	if (v->last_put_ns && passed < NS_PER_S)
		v->interval_ns += (passed - v->interval_ns) / SMOOTHING;
	v->last_put_ns = now_ns;
	longest = now_ns + v->interval_ns * VIDEO_LEG_HELD;
	due_ns -= VIDEO_LEG_LEAD_MS * NS_PER_MS;
	if (due_ns > longest)
		due_ns = longest;
	if (due_ns < now_ns)
		due_ns = now_ns;
	beat = beat_time_ns(&v->beat, beat_next(&v->beat, due_ns));
	return beat < longest ? beat : due_ns;
}

/* Both are of one second, and that much in advance. */
static bool within_limits(struct video_leg *v, int64_t now_ns)
{
	const struct engine_cfg *c = &v->engine->cfg;
	int64_t spent_ns = atomic_exchange(&v->spent_ns, 0);

	if (c->max_decode_ms) {
		quota_charge(&v->time, now_ns, spent_ns * 1000 / c->max_decode_ms);
		if (!quota_has(&v->time, now_ns, NS_PER_S))
			return false;
	}
	return !c->max_input_fps ||
	       quota_take(&v->pictures, now_ns, NS_PER_S / c->max_input_fps, NS_PER_S);
}

/* Nothing more until a key frame. */
static void skip(struct video_leg *v)
{
	v->skipping = true;
	v->needs_key = true;
}

/* Just before that of the tick at the same beat, which is the next one. */
static int64_t deadline_of(const struct video_leg *v, int64_t start_ns)
{
	return start_ns + NS_PER_S / v->beat.fps - NS_PER_MS;
}

void video_leg_put(struct video_leg *v, struct buf *au, enum codec codec, bool key,
		   unsigned rotation, int64_t due_ns)
{
	int64_t now = clock_now_ns(v->engine->clock), start = start_of(v, due_ns, now);

	if (!v->wanted) {
		buf_unref(&au);
		v->skipping = true;
		return;
	}
	if (v->skipping && key)
		v->skipping = false;
	if (!v->skipping && !within_limits(v, now)) {
		v->over_limit++;
		metric_add(&m_over_limit, 1);
		skip(v);
	}
	if (!v->skipping && strand_queued(v->strand) >= VIDEO_LEG_QUEUE)
		skip(v);
	if (v->skipping) {
		count_drop(v, &au);
		return;
	}
	au->tag = rotation | (unsigned)codec << CODEC_SHIFT | (key ? KEY : 0);
	au->time_ns = now;
	if (strand_post(v->strand, decode_job, v, au, start, deadline_of(v, start))) {
		skip(v);
		count_drop(v, &au);
	}
}

bool video_leg_needs_key(struct video_leg *v)
{
	return atomic_exchange(&v->needs_key, false);
}

static struct vframe *take_local(struct video_leg *v, int64_t due_ns)
{
	struct vframe *f = v->local->ops->picture(v->local->obj, due_ns);

	if (f) {
		v->decoded++;
		v->width = f->av->width;
		v->height = f->av->height;
	}
	return f;
}

struct vframe *video_leg_take(struct video_leg *v, int64_t due_ns)
{
	if (v->local)
		return v->wanted ? take_local(v, due_ns) : NULL;
	return atomic_exchange(&v->newest, NULL);
}

void video_leg_set_passing(struct video_leg *v, bool on)
{
	/* The strand goes on meanwhile: what it has marked must not be among those that
	 * are dropped. */
	v->passing = false;
	drop_units(v);
	v->gap = true;
	v->passing = on;
}

bool video_leg_pop(struct video_leg *v, struct video_leg_unit *out)
{
	struct buf *au = ring_pop(v->units);

	if (au)
		*out = (struct video_leg_unit){ au, codec_of(au), au->tag & GAP };
	return au;
}

void video_leg_request_key(struct video_leg *v)
{
	v->needs_key = true;
}

bool video_leg_is_decoding(const struct video_leg *v)
{
	return v->decoding;
}

void video_leg_get_stats(const struct video_leg *v, struct video_leg_stats *s)
{
	*s = (struct video_leg_stats){
		.decoded = v->decoded, .errors = v->errors, .dropped = v->dropped,
		.over_limit = v->over_limit,
		.codec = (enum codec)v->codec, .width = v->width, .height = v->height, .open = v->open,
	};
}
