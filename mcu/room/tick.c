#include "mcu/room/tick.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/base/log.h"
#include "mcu/base/metrics.h"
#include "mcu/room/beat.h"
#include "mcu/room/stage.h"
#include "mcu/room/video_leg.h"

METRIC_COUNTER(m_skipped, "mcu_video_ticks_skipped_total",
	       "Video ticks not composed because the workers were behind or every canvas was in use.");

METRIC_COUNTER(m_unchanged, "mcu_video_ticks_unchanged_total",
	       "Video ticks at which the picture stood still and nothing was encoded.");

/* For decodes that have begun. */
enum { WAIT_NS = 400 * 1000, WAIT_AT_MOST_NS = 2 * 1000 * 1000 };

const int TICK_BUCKET_MS[TICK_BUCKETS] = { 10, 20, 30, 40, 60, 100, 200, 0 };

struct tick {
	const struct engine *engine;
	struct strand *strand;
	struct tick_events ev;
	void *obj;
	_Atomic uint32_t speaker;
	_Atomic int fps; /* that is wanted */
	_Atomic uint64_t frames, skipped, unchanged, shrunk, interval_sum_ns, bucket[TICK_BUCKETS];
	/* the strand */
	struct routing *routing;
	struct newest *newest; /* by index of the routing's sources */
	size_t n_newest;
	struct stage *stage[ROUTING_MAX_PICTURES]; /* by index of the routing's pictures */
	size_t n_stages;
	bool running, stopped;
	struct beat beat; /* at the rate of now */
	int64_t count;	  /* the next tick is at beat number count */
	int64_t last_frame_ns;
};

int tick_new(struct tick **out, const struct engine *e, const struct beat *b,
	     const struct tick_events *ev, void *obj)
{
	struct tick *t = calloc(1, sizeof *t);
	int err;

	if (!t)
		return -ENOMEM;
	t->engine = e;
	t->beat = *b;
	t->fps = b->fps;
	t->ev = *ev;
	t->obj = obj;
	err = strand_new(&t->strand, e->video, "tick");
	if (err) {
		free(t);
		return err;
	}
	*out = t;
	return 0;
}

void tick_charge(struct tick *t, struct work_account *a)
{
	strand_charge(t->strand, a);
}

void tick_free(struct tick **t)
{
	free(*t);
	*t = NULL;
}

static int64_t due_of(const struct tick *t, int64_t count)
{
	return beat_time_ns(&t->beat, count);
}

/* Their frames stay those of the sources that are still shown; the others let go. */
ON_THREAD(ROLE_MIXV) static void sync_sources(struct tick *t, const struct routing *r)
{
	size_t n = r ? r->n_sources : 0;
	struct newest *next = n ? calloc(n, sizeof *next) : NULL;

	for (size_t i = 0; next && i < n; i++) {
		next[i].id = r->source[i].id;
		for (size_t k = 0; k < t->n_newest; k++)
			if (t->newest[k].id == next[i].id) {
				next[i] = t->newest[k];
				t->newest[k].frame = NULL;
				t->newest[k].passage = (struct passage){ 0 };
			}
		next[i].passage.source = next[i].id;
		if (r->source[i].muted)
			vframe_unref(&next[i].frame);
	}
	for (size_t i = 0; i < t->n_newest; i++) {
		vframe_unref(&t->newest[i].frame);
		passage_stop(&t->newest[i].passage, t->routing->source[i].video);
	}
	free(t->newest);
	t->newest = next;
	t->n_newest = next ? n : 0;
}

/* Likewise with the pictures. A missing one is tried again at the next routing. */
ON_THREAD(ROLE_MIXV) static void sync_stages(struct tick *t, const struct routing *r)
{
	struct stage *next[ROUTING_MAX_PICTURES] = { NULL };
	size_t n = r ? r->n_pictures : 0;

	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < t->n_stages; k++)
			if (t->stage[k] && stage_picture(t->stage[k]) == r->picture[i].id) {
				next[i] = t->stage[k];
				t->stage[k] = NULL;
			}
		if (!next[i])
			next[i] = stage_new(t->engine, r->picture[i].id);
		if (next[i])
			stage_follow(next[i], r, i);
	}
	for (size_t k = 0; k < t->n_stages; k++)
		stage_free(&t->stage[k]);
	memcpy(t->stage, next, sizeof next);
	t->n_stages = n;
}

/* The one snapshot that all pictures of a tick are composed from. */
ON_THREAD(ROLE_MIXV) static void take_newest(struct tick *t, int64_t now_ns, int64_t due_ns)
{
	for (size_t i = 0; i < t->n_newest; i++) {
		const struct route_source *from = &t->routing->source[i];
		struct vframe *f = video_leg_take(from->video, due_ns);

		passage_begin(&t->newest[i].passage, from->video);
		if (f && !from->muted) {
			vframe_unref(&t->newest[i].frame);
			t->newest[i].frame = f;
			t->newest[i].at_ns = now_ns;
		} else {
			vframe_unref(&f);
		}
	}
}

static void count_frame(struct tick *t, int64_t now_ns)
{
	int64_t interval = now_ns - t->last_frame_ns;
	int i = 0;

	t->frames++;
	if (t->last_frame_ns) {
		while (TICK_BUCKET_MS[i] && interval > TICK_BUCKET_MS[i] * NS_PER_MS)
			i++;
		t->bucket[i]++;
		t->interval_sum_ns += (uint64_t)interval;
	}
	t->last_frame_ns = now_ns;
}

static void skip(struct tick *t, int64_t n)
{
	t->skipped += (uint64_t)n;
	metric_add(&m_skipped, n);
}

ON_THREAD(ROLE_MIXV) static void compose(struct tick *t, int64_t due_ns)
{
	int64_t now = clock_now_ns(t->engine->clock);
	struct stage_call call = {
		.routing = t->routing, .newest = t->newest, .speaker = t->speaker, .now_ns = now,
		.due_ns = due_ns, .fps = t->beat.fps,
	};
	uint64_t shrunk = 0, result[STAGE_SKIPPED + 1] = { 0 };

	take_newest(t, now, due_ns);
	for (size_t i = 0; i < t->n_stages; i++)
		result[t->stage[i] && t->n_newest == t->routing->n_sources ?
			       stage_show(t->stage[i], &call, &shrunk) : STAGE_SKIPPED]++;
	for (size_t i = 0; i < t->n_newest; i++)
		passage_end(&t->newest[i].passage, t->routing->source[i].video, now);
	t->shrunk += shrunk;
	if (result[STAGE_SKIPPED])
		skip(t, (int64_t)result[STAGE_SKIPPED]);
	if (result[STAGE_SKIPPED] == t->n_stages)
		return;
	t->unchanged += result[STAGE_UNCHANGED];
	metric_add(&m_unchanged, (int64_t)result[STAGE_UNCHANGED]);
	count_frame(t, now);
}

static void run(void *obj, void *arg);

/* Another rate begins after the last tick: media time goes on growing. */
static void take_rate(struct tick *t)
{
	int64_t last = t->count ? due_of(t, t->count - 1) : 0;
	int fps = t->fps;

	if (fps == t->beat.fps)
		return;
	t->beat.fps = fps;
	t->count = beat_next(&t->beat, last + 1);
}

static void post(struct tick *t, int64_t not_before_ns)
{
	if (strand_post(t->strand, run, t, NULL, not_before_ns, due_of(t, t->count + 1)))
		abort(); /* routings are few and bounded: there is room */
}

static void post_next(struct tick *t)
{
	int64_t now = clock_now_ns(t->engine->clock), late;

	take_rate(t);
	late = now - due_of(t, t->count);

	/* More than one whole interval behind: those ticks are not made up for. */
	if (late > NS_PER_S / t->beat.fps) {
		int64_t reached = beat_last(&t->beat, now);

		skip(t, reached - t->count);
		t->count = reached;
	}
	post(t, due_of(t, t->count));
}

/* The decodes of a beat start before its tick, but on several threads the last one
 * may not have ended: worth a moment, for its picture would come a beat later. */
ON_THREAD(ROLE_MIXV) static bool is_in_the_making(const struct tick *t)
{
	for (size_t i = 0; i < t->n_newest; i++)
		if (video_leg_is_decoding(t->routing->source[i].video))
			return true;
	return false;
}

static void run(void *obj, void *arg)
{
	struct tick *t = obj;
	int64_t due = due_of(t, t->count), now = clock_now_ns(t->engine->clock);

	(void)arg;
	role_assert_mixv();
	if (t->stopped || !t->routing || !t->routing->n_encodes) {
		t->running = false;
		return;
	}
	if (now < due + WAIT_AT_MOST_NS && is_in_the_making(t)) {
		post(t, now + WAIT_NS);
		return;
	}
	t->count++;
	compose(t, due);
	post_next(t);
}

static void start(struct tick *t)
{
	int64_t beat = beat_last(&t->beat, clock_now_ns(t->engine->clock));

	t->running = true;
	/* At once; but no beat twice. */
	t->count = beat > t->count ? beat : t->count;
	t->last_frame_ns = 0;
	post_next(t);
}

ON_THREAD(ROLE_MIXV) static void replace(struct tick *t, struct routing *r)
{
	struct routing *old = t->routing;

	sync_sources(t, r);
	sync_stages(t, r);
	t->routing = r;
	engine_post(t->engine->ctl, t->ev.retired, t->obj, old);
}

static void route_job(void *obj, void *arg)
{
	struct tick *t = obj;

	role_assert_mixv();
	replace(t, arg);
	if (t->routing->n_encodes && !t->running)
		start(t);
}

void tick_route(struct tick *t, struct routing *r)
{
	if (strand_post(t->strand, route_job, t, r, 0, INT64_MAX))
		abort(); /* ROOM_MAX_SNAPSHOTS bounds them */
}

void tick_set_speaker(struct tick *t, uint32_t leg)
{
	t->speaker = leg;
}

void tick_set_fps(struct tick *t, int fps)
{
	t->fps = fps;
}

static void stop_job(void *obj, void *arg)
{
	struct tick *t = obj;

	(void)arg;
	role_assert_mixv();
	replace(t, NULL);
	strand_free(&t->strand);
	engine_post(t->engine->ctl, t->ev.stopped, t->obj, NULL);
}

void tick_stop(struct tick *t)
{
	if (strand_post(t->strand, stop_job, t, NULL, 0, INT64_MAX))
		abort();
}

void tick_get_stats(const struct tick *t, struct tick_stats *s)
{
	s->frames = t->frames;
	s->skipped = t->skipped;
	s->unchanged = t->unchanged;
	s->shrunk = t->shrunk;
	s->interval_sum_ns = t->interval_sum_ns;
	for (int i = 0; i < TICK_BUCKETS; i++)
		s->bucket[i] = t->bucket[i];
}
