#include "mcu/room/tick.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/base/log.h"
#include "mcu/base/metrics.h"
#include "mcu/room/beat.h"
#include "mcu/room/dress.h"
#include "mcu/room/video_encode.h"
#include "mcu/room/video_leg.h"
#include "mixer/video/compositor.h"
#include "mixer/video/shrink.h"

METRIC_COUNTER(m_skipped, "mcu_video_ticks_skipped_total",
	       "Video ticks not composed because the workers were behind or every canvas was in use.");

METRIC_COUNTER(m_unchanged, "mcu_video_ticks_unchanged_total",
	       "Video ticks at which the picture stood still and nothing was encoded.");

const int TICK_BUCKET_MS[TICK_BUCKETS] = { 10, 20, 30, 40, 60, 100, 200, 0 };

/* The newest picture of a source, kept so that its tile can be painted again. */
struct source {
	uint32_t id;
	struct vframe *frame;
	int64_t at_ns; /* when it was taken */
};

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
	struct compositor *comp;
	struct shrink *shrink[ENGINE_MAX_RUNGS]; /* of the rungs in use; [0] never */
	struct dress dress;
	struct source source[LAYOUT_MAX_TILES];
	size_t n_sources;
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

static struct source *source_of(struct tick *t, uint32_t id)
{
	for (size_t i = 0; i < t->n_sources; i++)
		if (t->source[i].id == id)
			return &t->source[i];
	return NULL;
}

/* Sources follow the routing's tiles: those that left let go of their picture. */
static void sync_sources(struct tick *t)
{
	struct source next[LAYOUT_MAX_TILES];
	size_t n = 0;

	for (size_t i = 0; t->routing && i < t->routing->n_tiles; i++) {
		const struct route_source *now = &t->routing->source[t->routing->tile[i].source];
		struct source *s = source_of(t, now->id);

		next[n] = s ? *s : (struct source){ .id = now->id };
		if (s)
			s->frame = NULL;
		if (now->muted)
			vframe_unref(&next[n].frame);
		n++;
	}
	for (size_t i = 0; i < t->n_sources; i++)
		vframe_unref(&t->source[i].frame);
	memcpy(t->source, next, n * sizeof next[0]);
	t->n_sources = n;
}

static enum tile_state state_of(const struct route_source *r, const struct source *s,
				int64_t now_ns)
{
	if (r->muted)
		return TILE_MUTED;
	if (!r->sends || !s->frame)
		return TILE_NO_VIDEO;
	return now_ns - s->at_ns > TICK_STALE_MS * NS_PER_MS ? TILE_STALE : TILE_LIVE;
}

ON_THREAD(ROLE_MIXV) static void take_newest(const struct route_source *r, struct source *s,
					     int64_t now_ns)
{
	struct vframe *f = video_leg_take(r->video);

	if (f && !r->muted) {
		vframe_unref(&s->frame);
		s->frame = f;
		s->at_ns = now_ns;
	} else {
		vframe_unref(&f);
	}
}

ON_THREAD(ROLE_MIXV) static size_t make_scene(struct tick *t, struct scene_tile *tile, int64_t now_ns)
{
	const struct routing *r = t->routing;
	bool names = !r->signs.no_names, border = !r->signs.no_border;
	uint32_t speaker = t->speaker;

	for (size_t i = 0; i < r->n_tiles; i++) {
		const struct route_source *from = &r->source[r->tile[i].source];
		const struct route_leg *l = &r->leg[from->leg];
		struct source *s = &t->source[i]; /* as sync_sources made them */

		take_newest(from, s, now_ns);
		tile[i] = (struct scene_tile){
			.leg_id = from->id, .name = names ? l->name : NULL, .rect = r->tile[i].rect,
			.state = state_of(from, s, now_ns),
			.fit = r->crop && !from->content ? TILE_CROP : TILE_FIT,
			.audio_muted = names && (l->audio_muted || !l->sends_audio),
			.speaking = border && from->id == speaker && !l->audio_muted,
			.frame = s->frame,
		};
	}
	return r->n_tiles;
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

/* The canvas at the size of a rung, made when the first encode of it wants it. */
ON_THREAD(ROLE_MIXV) static struct vframe *at_rung(struct tick *t, unsigned rung,
						   struct vframe *canvas)
{
	struct vframe *f = NULL;
	uint64_t before;
	int err = 0;

	if (!rung)
		return vframe_ref(canvas);
	if (!t->shrink[rung]) {
		const struct engine_rung *r = &t->engine->cfg.lower[rung - 1];

		err = shrink_new(&t->shrink[rung], r->width, r->height);
	}
	if (!err) {
		before = shrink_made(t->shrink[rung]);
		err = shrink_make(t->shrink[rung], canvas, &f);
		t->shrunk += shrink_made(t->shrink[rung]) - before;
	}
	if (err)
		metric_add(&m_skipped, 1);
	return f;
}

/* What no encode needs any more. */
static void drop_rungs(struct tick *t)
{
	bool used[ENGINE_MAX_RUNGS] = { false };

	for (size_t i = 0; t->routing && i < t->routing->n_encodes; i++)
		used[t->routing->encode[i].rung] = true;
	for (int i = 0; i < ENGINE_MAX_RUNGS; i++)
		if (!used[i])
			shrink_free(&t->shrink[i]);
}

/* To those encodes that want it now. */
ON_THREAD(ROLE_MIXV) static void give_out(struct tick *t, struct vframe *canvas, int64_t due_ns)
{
	size_t given = 0;

	for (size_t i = 0; i < t->routing->n_encodes; i++) {
		const struct route_encode *e = &t->routing->encode[i];
		struct vframe *f;

		if (!video_encode_due(e->v, canvas->gen, due_ns))
			continue;
		given++;
		f = at_rung(t, e->rung, canvas);
		if (f)
			video_encode_frame(e->v, f, due_ns);
		vframe_unref(&f);
	}
	if (given)
		return;
	t->unchanged++;
	metric_add(&m_unchanged, 1);
}

ON_THREAD(ROLE_MIXV) static void dress(struct tick *t, int64_t now_ns)
{
	const struct routing_signs *s = &t->routing->signs;
	struct signs_wanted wanted;

	dress_update(&t->dress, t->engine, t->routing, now_ns, clock_wall_ns(), &wanted);
	compositor_set_signs(t->comp, &wanted);
	compositor_set_page(t->comp, s->page_rgb, s->picture ? t->engine->cfg.background : NULL);
	compositor_set_transition(t->comp, t->engine->cfg.transition_ms);
}

ON_THREAD(ROLE_MIXV) static void compose(struct tick *t, int64_t due_ns)
{
	struct scene_tile tile[LAYOUT_MAX_TILES];
	struct scene scene = { .tile = tile };
	int64_t now = clock_now_ns(t->engine->clock);
	struct vframe *canvas = NULL;
	bool changed;

	if (!t->comp && compositor_new(&t->comp, t->engine->cfg.width, t->engine->cfg.height)) {
		log_error(NULL, "out of memory: a room cannot be composed");
		skip(t, 1);
		return;
	}
	dress(t, now);
	scene.n = make_scene(t, tile, now);
	if (compositor_paint(t->comp, &scene, due_ns, &canvas, &changed)) {
		skip(t, 1);
		return;
	}
	give_out(t, canvas, due_ns);
	vframe_unref(&canvas);
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

static void post_next(struct tick *t)
{
	int64_t now = clock_now_ns(t->engine->clock), due, late;

	take_rate(t);
	late = now - due_of(t, t->count);

	/* More than one whole interval behind: those ticks are not made up for. */
	if (late > NS_PER_S / t->beat.fps) {
		int64_t reached = beat_last(&t->beat, now);

		skip(t, reached - t->count);
		t->count = reached;
	}
	due = due_of(t, t->count);
	if (strand_post(t->strand, run, t, NULL, due, due_of(t, t->count + 1)))
		abort(); /* routings are few and bounded: there is room */
}

static void run(void *obj, void *arg)
{
	struct tick *t = obj;
	int64_t due = due_of(t, t->count);

	(void)arg;
	role_assert_mixv();
	if (t->stopped || !t->routing || !t->routing->n_encodes) {
		t->running = false;
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

static void replace(struct tick *t, struct routing *r)
{
	struct routing *old = t->routing;

	t->routing = r;
	sync_sources(t);
	drop_rungs(t);
	engine_post(t->engine->ctl, t->ev.retired, t->obj, old);
}

static void route_job(void *obj, void *arg)
{
	struct tick *t = obj;

	role_assert_mixv();
	replace(t, arg);
	if (t->routing->n_encodes && !t->running)
		start(t);
	if (!t->routing->n_encodes)
		compositor_free(&t->comp);
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
	compositor_free(&t->comp);
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
