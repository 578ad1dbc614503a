#include "storage/track.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mcu/base/clock.h"
#include "mcu/base/log.h"
#include "mcu/base/metrics.h"
#include "storage/feed.h"
#include "storage/files.h"
#include "storage/recorder.h"
#include "storage/repository.h"
#include "storage/track_file.h"

METRIC_COUNTER(dropped_total, "mcu_track_dropped_total",
	       "Packets that isolated tracks dropped (disk too slow, or not fitting the file).");
static _Atomic int64_t running;

METRIC_GAUGE(active, "mcu_tracks", "Isolated tracks that are recorded now.");

enum { KINDS = TRACK_FILE_KINDS, PICTURE = TRACK_FILE_PICTURE, SOUND = TRACK_FILE_SOUND };

/* A packet's format, in the tag of a ring: the codec and the size. */
enum { SIZE_BITS = 13, CODEC_SHIFT = 2 * SIZE_BITS };
_Static_assert(TRACK_SIZE_MAX < 1 << SIZE_BITS && CODEC_N < 1 << 5, "a tag has 31 bits");

struct part_event {
	struct volume_event base;
	struct track_events to;
	struct track_part part;
	void (*tell)(void *obj, const struct track_part *p);
};

struct over_event {
	struct volume_event base;
	struct track_events to;
	struct track_result result;
};

struct track {
	struct volume_job job;
	struct volume *volume;
	struct track_events ev;
	const struct timeline_view *view;
	char room[DB_NAME_MAX + 1];
	int64_t started_ms;
	struct feed *feed[KINDS]; /* NULL: none of that */
	_Atomic bool stopping, wants_key;
	_Atomic bool pictures_come; /* were received, whatever became of them */
	_Atomic uint64_t dropped[KINDS];
	/* the producer's */
	bool skipping; /* until a key frame */
	/* STO only */
	struct over_event *over;
	bool dead; /* after an error: all is dropped */
	struct track_file *file; /* NULL: none is open */
	struct track_part part;
	struct part_event *ended; /* of that part */
	unsigned parts;
	bool needs_key;
	int64_t pending_since_ns, synced_ns; /* of run's clock; -1: nothing waits */
	int64_t sync_cost_ns;
};

static bool run(struct volume_job *j, int64_t now_ns, bool last) ON_THREAD(ROLE_STO);

static void destroy(struct track *t)
{
	for (int i = 0; i < KINDS; i++)
		feed_free(&t->feed[i]);
	free(t->over);
	free(t);
}

int track_start(struct track **out, struct volume *v, const struct track_cfg *cfg,
		const struct track_events *ev)
{
	const size_t ring[KINDS] = { cfg->picture_ring_bytes, cfg->sound_ring_bytes };
	struct track *t = calloc(1, sizeof *t);
	int err = 0;

	if (!t)
		return -ENOMEM;
	t->job.run = run;
	t->volume = v;
	t->ev = *ev;
	t->view = cfg->view;
	t->started_ms = cfg->started_ms;
	t->skipping = true;
	t->pending_since_ns = -1;
	snprintf(t->room, sizeof t->room, "%s", cfg->room);
	t->over = calloc(1, sizeof *t->over);
	if (!t->over)
		err = -ENOMEM;
	for (int i = 0; i < KINDS && !err; i++)
		err = ring[i] ? feed_new(&t->feed[i], ring[i]) : 0;
	if (!err)
		err = volume_add_job(v, &t->job);
	if (err) {
		destroy(t);
		return err;
	}
	metric_add(&active, 1);
	atomic_fetch_add(&running, 1);
	*out = t;
	return 0;
}

void track_stop(struct track **pt)
{
	struct track *t = *pt;
	struct volume *v;

	if (!t)
		return;
	v = t->volume;
	*pt = NULL;
	/* from here on the volume may free it at any time */
	atomic_store_explicit(&t->stopping, true, memory_order_release);
	volume_wake(v);
}

static void count_drop(struct track *t, int kind)
{
	atomic_fetch_add_explicit(&t->dropped[kind], 1, memory_order_relaxed);
	metric_add(&dropped_total, 1);
}

/* --- who receives --------------------------------------------------------------- */

bool track_picture(struct track *t, enum codec c, unsigned width, unsigned height,
		   const uint8_t *au, size_t len, int64_t at_ns, bool key)
{
	uint32_t tag = (uint32_t)c << CODEC_SHIFT | width << SIZE_BITS | height;
	bool wants = atomic_exchange_explicit(&t->wants_key, false, memory_order_relaxed);

	if (!t->feed[PICTURE])
		return false;
	atomic_store_explicit(&t->pictures_come, true, memory_order_relaxed);
	if (t->skipping && !key)
		return true;
	if (width > TRACK_SIZE_MAX || height > TRACK_SIZE_MAX ||
	    !feed_push_tagged(t->feed[PICTURE], au, len, at_ns, key, tag)) {
		t->skipping = true;
		count_drop(t, PICTURE);
		return false; /* not now: it has no room for one */
	}
	t->skipping = false;
	return wants && !key;
}

void track_sound(struct track *t, enum codec c, const uint8_t *p, size_t len, int64_t at_ns)
{
	if (t->feed[SOUND] &&
	    !feed_push_tagged(t->feed[SOUND], p, len, at_ns, true, (uint32_t)c << CODEC_SHIFT))
		count_drop(t, SOUND);
}

/* --- what is told ---------------------------------------------------------------- */

static void deliver_part(void *obj, void *arg)
{
	struct part_event *e = obj;

	(void)arg;
	e->tell(e->to.obj, &e->part);
	free(e);
}

static void deliver_over(void *obj, void *arg)
{
	struct over_event *e = obj;

	(void)arg;
	e->to.over(e->to.obj, &e->result);
	free(e);
}

static void drop_event(void *obj, void *arg)
{
	(void)arg;
	free(obj);
}

ON_THREAD(ROLE_STO) static void send_part(struct track *t, struct part_event *e, bool ended)
{
	e->to = t->ev;
	e->part = t->part;
	e->tell = ended ? t->ev.ended : t->ev.begun;
	e->base = (struct volume_event){ t->ev.mbox, deliver_part, drop_event, e, NULL };
	volume_deliver(t->volume, &e->base);
}

/* --- parts ------------------------------------------------------------------------ */

/* err: why it ended early; 0: it did not. The file plays either way. */
ON_THREAD(ROLE_STO) static void end_part(struct track *t, int err)
{
	struct part_event *e = t->ended;
	int res;

	if (!t->file)
		return;
	t->ended = NULL;
	if (err)
		track_file_drop_pending(t->file);
	res = track_file_finish(t->file);
	if (!err)
		err = res;
	t->part.bytes = (int64_t)track_file_bytes(t->file);
	t->part.duration_ms = track_file_duration_ms(t->file);
	track_file_free(&t->file);
	t->pending_since_ns = -1;
	if (err) {
		t->part.failed = true;
		recorder_explain(&t->part.why, err, volume_root(t->volume), t->part.path);
		log_error(NULL, "track %s/%s ended: %s", volume_root(t->volume), t->part.path,
			  err_str(err));
	}
	send_part(t, e, true);
}

/* A format of which there is none in the file, or CODEC_NONE. */
static struct track_file_format format_of(const struct feed_packet *p)
{
	return (struct track_file_format){
		.codec = (enum codec)(p->tag >> CODEC_SHIFT),
		.width = p->tag >> SIZE_BITS & TRACK_SIZE_MAX, .height = p->tag & TRACK_SIZE_MAX,
	};
}

/* key: a picture for the head; NULL: it is as before. */
ON_THREAD(ROLE_STO) static int begin_part(struct track *t, const struct track_file_format f[KINDS],
					   const struct feed_packet *key)
{
	struct part_event *begun = calloc(1, sizeof *begun), *ended = calloc(1, sizeof *ended);
	struct track_part part = {
		.id = db_new_id(), .picture = f[PICTURE].codec, .sound = f[SOUND].codec,
		.width = f[PICTURE].width, .height = f[PICTURE].height,
	};
	struct track_file *file = NULL;
	int err = begun && ended ? 0 : -ENOMEM;

	if (!err)
		err = repository_path_as(part.path, RECORDING_MKV, t->room, t->started_ms, part.id);
	if (!err)
		err = track_file_new(&file, volume_root(t->volume), part.path, f,
				     key ? key->data : NULL, key ? key->len : 0, t->file);
	if (err) {
		free(begun);
		free(ended);
		return err;
	}
	end_part(t, 0);
	t->file = file;
	t->part = part;
	t->ended = ended;
	t->parts++;
	t->needs_key = true;
	send_part(t, begun, false);
	return 0;
}

static bool begins(const struct feed_packet *p)
{
	return track_file_begins(format_of(p).codec, p->data, p->len, p->key);
}

/* Whether a packet of this kind has a place in the file as it is. */
static bool fits(const struct track *t, int kind, const struct feed_packet *p)
{
	return t->file && track_file_fits(t->file, kind, format_of(p));
}

/* What else is sent may come yet. */
static bool looks_on(const struct track *t, int kind, const struct feed_packet *p, int64_t now_ns)
{
	struct feed_packet other;
	struct feed *f = t->feed[!kind];
	bool awaits_key = kind == SOUND &&
			  atomic_load_explicit(&t->pictures_come, memory_order_relaxed);

	return !t->file && f && !feed_peek(f, &other) &&
	       now_ns - p->pts_ns < (awaits_key ? TRACK_KEY_MS : TRACK_LOOK_MS) * NS_PER_MS;
}

/* Another part, that begins with this packet. The other kind is as its next packet says,
 * or goes on as it was: pictures need a key frame for another head. -ENOTSUP: no file can
 * have that. */
ON_THREAD(ROLE_STO) static int next_part(struct track *t, int kind, const struct feed_packet *p)
{
	struct track_file_format f[KINDS] = { 0 };
	const struct feed_packet *key = kind == PICTURE ? p : NULL;
	struct feed *of = t->feed[!kind];
	struct feed_packet other;

	if (t->parts >= TRACK_PARTS_MAX || (key && !begins(key)))
		return -ENOTSUP;
	f[kind] = format_of(p);
	if (t->file)
		f[!kind] = track_file_format(t->file, !kind);
	if (of && feed_peek(of, &other) && track_file_knows(format_of(&other).codec) &&
	    (kind == PICTURE || begins(&other))) {
		f[!kind] = format_of(&other);
		key = key ? key : &other;
	}
	return begin_part(t, f, key);
}

/* --- what is received, into the file ------------------------------------------------ */

enum step { TAKEN, DROPPED, NOT_YET };

static void want_key(struct track *t)
{
	t->needs_key = true;
	atomic_store_explicit(&t->wants_key, true, memory_order_relaxed);
}

/* The older of what is first in the rings. False: they are empty. */
static bool first_of(const struct track *t, struct feed_packet *p, int *kind)
{
	struct feed_packet q;
	bool have = false;

	for (int i = 0; i < KINDS; i++) {
		if (!t->feed[i] || !feed_peek(t->feed[i], &q) || (have && q.pts_ns >= p->pts_ns))
			continue;
		*p = q;
		*kind = i;
		have = true;
	}
	return have;
}

/* A step, or -errno of the file. */
ON_THREAD(ROLE_STO) static int put(struct track *t, int kind, const struct feed_packet *p,
				   int64_t at_ns, int64_t now_ns, bool stopping)
{
	bool picture = kind == PICTURE;
	int err;

	if (!track_file_knows(format_of(p).codec))
		return DROPPED;
	if (!fits(t, kind, p)) {
		if (picture && !p->key)
			return DROPPED;
		if (!stopping && looks_on(t, kind, p, now_ns))
			return NOT_YET;
		err = next_part(t, kind, p);
		if (err)
			return err == -ENOTSUP ? DROPPED : err;
	}
	if (picture && t->needs_key && !p->key)
		return DROPPED;
	if (picture)
		t->needs_key = false;
	err = track_file_add(t->file, kind, p->data, p->len, at_ns, p->key);
	if (err)
		return err == -EINVAL ? DROPPED : err;
	if (t->pending_since_ns < 0)
		t->pending_since_ns = now_ns;
	return TAKEN;
}

/* Pictures whose key frame was before the recording's beginning, or in a pause: there is no
 * file, and none begins with them. */
ON_THREAD(ROLE_STO) static void skip_headless(struct track *t)
{
	struct feed_packet p;

	while (!t->file && t->feed[PICTURE] && feed_peek(t->feed[PICTURE], &p) && !p.key) {
		feed_pop(t->feed[PICTURE]);
		want_key(t);
	}
}

/* A step, or -errno of the file. */
ON_THREAD(ROLE_STO) static int take_next(struct track *t, int64_t now_ns, bool stopping)
{
	struct feed_packet p;
	int kind = 0, res = DROPPED;
	int64_t at_ns;
	enum timeline_verdict where;

	skip_headless(t);
	if (!first_of(t, &p, &kind))
		return NOT_YET;
	where = timeline_look(t->view, p.pts_ns, &at_ns);
	if (where == TIMELINE_LATER) {
		struct timeline_view end = *t->view;

		if (!stopping && now_ns - p.pts_ns < TRACK_STALE_MS * NS_PER_MS)
			return NOT_YET;
		end.seen_ns = INT64_MAX;
		where = timeline_look(&end, p.pts_ns, &at_ns);
	}
	if (!t->dead && where == TIMELINE_HERE)
		res = put(t, kind, &p, at_ns, now_ns, stopping);
	if (res == NOT_YET || res < 0)
		return res;
	feed_pop(t->feed[kind]);
	if (res == DROPPED && kind == PICTURE)
		want_key(t);
	if (res == DROPPED && where == TIMELINE_HERE)
		count_drop(t, kind);
	return res;
}

/* So that forcing the files of all tracks takes a quarter of the thread's time at most. */
static int64_t sync_every_ns(const struct track *t)
{
	int64_t every_ns = 4 * t->sync_cost_ns * atomic_load(&running);

	if (every_ns < TRACK_SYNC_MS * NS_PER_MS)
		return TRACK_SYNC_MS * NS_PER_MS;
	return every_ns < TRACK_SYNC_MAX_MS * NS_PER_MS ? every_ns : TRACK_SYNC_MAX_MS * NS_PER_MS;
}

ON_THREAD(ROLE_STO) static int force_out(struct track *t, int64_t now_ns)
{
	int64_t before = clock_now_ns(&clock_monotonic);
	int err = track_file_sync(t->file);

	t->sync_cost_ns = clock_now_ns(&clock_monotonic) - before;
	t->synced_ns = now_ns;
	return err;
}

ON_THREAD(ROLE_STO) static int write_due(struct track *t, int64_t now_ns)
{
	int err = 0;

	if (!t->file)
		return 0;
	if (t->pending_since_ns >= 0 &&
	    now_ns - t->pending_since_ns >= TRACK_CLUSTER_MS * NS_PER_MS) {
		err = track_file_flush(t->file);
		t->pending_since_ns = -1;
	}
	return err || now_ns - t->synced_ns < sync_every_ns(t) ? err : force_out(t, now_ns);
}

ON_THREAD(ROLE_STO) static bool stop(struct track *t)
{
	struct over_event *e = t->over;

	t->over = NULL;
	end_part(t, 0);
	e->to = t->ev;
	e->result = (struct track_result){ t->dropped[PICTURE], t->dropped[SOUND] };
	e->base = (struct volume_event){ t->ev.mbox, deliver_over, drop_event, e, NULL };
	metric_add(&active, -1);
	atomic_fetch_sub(&running, 1);
	volume_deliver(t->volume, &e->base);
	destroy(t);
	return false;
}

static bool run(struct volume_job *j, int64_t now_ns, bool last)
{
	struct track *t = (struct track *)j;
	bool stopping = atomic_load_explicit(&t->stopping, memory_order_acquire) || last;
	int res = TAKEN;

	while (res == TAKEN || res == DROPPED)
		res = take_next(t, now_ns, stopping);
	if (res == NOT_YET && !t->dead)
		res = write_due(t, now_ns);
	if (res < 0) {
		if (!t->file)
			log_error(NULL, "a track of room %s cannot be recorded: %s", t->room,
				  err_str(res));
		t->dead = true;
		end_part(t, res);
	}
	return stopping ? stop(t) : true;
}
