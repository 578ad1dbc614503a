#include "storage/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mcu/base/clock.h"
#include "mcu/base/log.h"
#include "mcu/base/metrics.h"
#include "storage/feed.h"
#include "storage/files.h"
#include "storage/mux.h"

METRIC_COUNTER(dropped_total, "mcu_recorder_dropped_total",
	       "Packets that recorders dropped (disk too slow, or not fitting the file).");
METRIC_COUNTER(failures_total, "mcu_recorder_failures_total",
	       "Recordings that ended with an error (disk full, I/O error).");
METRIC_GAUGE(alarm_on, "mcu_recording_alarm",
	     "1: the last recording that ended did so because of the disk (full, too slow, I/O "
	     "error). 0 when one has ended well again.");
METRIC_GAUGE(active, "mcu_recorders", "Recorders that run now.");

enum {
	VIDEO_RING_BYTES = 4 << 20,
	AUDIO_RING_BYTES = 256 << 10,
	FRAGMENT_MS = 250,
	AAC_CONFIG_MAX = 64,
	MARKS_MAX = 1024, /* pauses and their ends */
	SOUND_WAIT_MS = 500, /* for the first of it, when there is a picture */
};

struct final_event {
	struct volume_event base;
	struct recorder_events to;
	struct recorder_result result;
	struct errmsg why;
	bool failed;
};

struct recorder {
	struct volume_job job;
	struct volume *volume;
	struct recorder_cfg cfg;
	char *path;
	uint8_t aac_config[AAC_CONFIG_MAX];
	size_t audio_ring_bytes;
	struct feed *video, *audio;
	_Atomic bool stopping, dead, overran;
	/* by turns where a pause begins and ends; written by who pauses */
	int64_t mark_ns[MARKS_MAX];
	_Atomic unsigned marks;
	_Atomic bool producer_needs_key, mux_needs_key;
	_Atomic uint64_t dropped_video, dropped_audio;
	_Atomic int64_t bytes, duration_ms;
	/* STO only */
	struct mux *mux;
	unsigned marks_taken;
	struct final_event *event; /* NULL: delivered */
};

static bool run(struct volume_job *j, int64_t now_ns, bool last) ON_THREAD(ROLE_STO);

static void recorder_destroy(struct recorder *r)
{
	feed_free(&r->video);
	feed_free(&r->audio);
	free(r->path);
	free(r->event);
	free(r);
}

int recorder_start(struct recorder **out, struct volume *v, const struct recorder_cfg *cfg,
		   const struct recorder_events *ev)
{
	struct recorder *r;
	int err = 0;

	if (!files_path_safe(cfg->path) || cfg->aac_config_len > AAC_CONFIG_MAX || cfg->fps < 0)
		return -EINVAL;
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	r->job.run = run;
	r->volume = v;
	r->cfg = *cfg;
	r->path = strdup(cfg->path);
	r->event = calloc(1, sizeof(*r->event));
	if (cfg->aac_config_len)
		memcpy(r->aac_config, cfg->aac_config, cfg->aac_config_len);
	r->audio_ring_bytes = cfg->audio_ring_bytes ? cfg->audio_ring_bytes : AUDIO_RING_BYTES;
	atomic_store(&r->producer_needs_key, true);
	if (!r->path || !r->event)
		err = -ENOMEM;
	if (!err)
		err = feed_new(&r->video,
			       cfg->video_ring_bytes ? cfg->video_ring_bytes : VIDEO_RING_BYTES);
	if (!err)
		err = feed_new(&r->audio, r->audio_ring_bytes);
	if (!err) {
		r->event->to = *ev;
		err = volume_add_job(v, &r->job);
	}
	if (err) {
		recorder_destroy(r);
		return err;
	}
	metric_add(&active, 1);
	*out = r;
	return 0;
}

void recorder_stop(struct recorder **rec)
{
	struct recorder *r = *rec;
	struct volume *v;

	if (!r)
		return;
	v = r->volume;
	*rec = NULL;
	/* from here on the volume may free it at any time */
	atomic_store_explicit(&r->stopping, true, memory_order_release);
	volume_wake(v);
}

static void count_drop(_Atomic uint64_t *which)
{
	atomic_fetch_add_explicit(which, 1, memory_order_relaxed);
	metric_add(&dropped_total, 1);
}

static void set_alarm(bool on)
{
	static _Atomic bool is_on;

	if (atomic_exchange(&is_on, on) != on)
		metric_add(&alarm_on, on ? 1 : -1);
}

/* The disk has not kept up. */
static void overrun(struct recorder *r, _Atomic uint64_t *dropped)
{
	atomic_store_explicit(&r->overran, true, memory_order_release);
	set_alarm(true);
	count_drop(dropped);
}

int recorder_pause(struct recorder *r, int64_t at_ns)
{
	unsigned n = atomic_load_explicit(&r->marks, memory_order_relaxed);

	if (n + 1 >= MARKS_MAX)
		return -EBUSY;
	if (n % 2)
		return 0;
	r->mark_ns[n] = at_ns;
	atomic_store_explicit(&r->marks, n + 1, memory_order_release);
	return 0;
}

void recorder_resume(struct recorder *r, int64_t at_ns)
{
	unsigned n = atomic_load_explicit(&r->marks, memory_order_relaxed);

	if (n % 2 == 0)
		return;
	r->mark_ns[n] = at_ns;
	atomic_store_explicit(&r->marks, n + 1, memory_order_release);
}

bool recorder_overran(const struct recorder *r)
{
	return atomic_load_explicit(&r->overran, memory_order_acquire);
}

static bool takes(const struct recorder *r)
{
	return !atomic_load_explicit(&r->dead, memory_order_relaxed) &&
	       !atomic_load_explicit(&r->overran, memory_order_relaxed);
}

void recorder_video(struct recorder *r, const struct buf *au, int64_t pts_ns, bool key)
{
	bool needs_key = atomic_load_explicit(&r->producer_needs_key, memory_order_relaxed);

	if (!takes(r) || (needs_key && !key))
		return;
	if (!feed_push(r->video, au->data, au->len, pts_ns, key)) {
		overrun(r, &r->dropped_video);
		return;
	}
	if (needs_key)
		atomic_store_explicit(&r->producer_needs_key, false, memory_order_relaxed);
}

void recorder_audio(struct recorder *r, const struct buf *frame, int64_t pts_ns)
{
	if (!takes(r) || feed_push(r->audio, frame->data, frame->len, pts_ns, true))
		return;
	overrun(r, &r->dropped_audio);
}

bool recorder_wants_key(const struct recorder *r)
{
	return !atomic_load_explicit(&r->dead, memory_order_relaxed) &&
	       (atomic_load_explicit(&r->producer_needs_key, memory_order_relaxed) ||
		atomic_load_explicit(&r->mux_needs_key, memory_order_relaxed));
}

void recorder_progress(const struct recorder *r, struct recorder_result *out)
{
	*out = (struct recorder_result){ .bytes = r->bytes,
					 .duration_ms = r->duration_ms,
					 .dropped_video = r->dropped_video,
					 .dropped_audio = r->dropped_audio };
}

static void deliver(void *obj, void *arg)
{
	struct final_event *e = obj;

	(void)arg;
	if (e->failed)
		e->to.failed(e->to.obj, &e->why, &e->result);
	else
		e->to.finished(e->to.obj, &e->result);
	free(e);
}

static void drop_event(void *obj, void *arg)
{
	(void)arg;
	free(obj);
}

static void report_progress(struct recorder *r)
{
	if (!r->mux)
		return;
	atomic_store_explicit(&r->bytes, (int64_t)mux_bytes(r->mux), memory_order_relaxed);
	atomic_store_explicit(&r->duration_ms, mux_duration_ms(r->mux), memory_order_relaxed);
}

static void send_event(struct recorder *r, bool failed) ON_THREAD(ROLE_STO);
static void send_event(struct recorder *r, bool failed)
{
	struct final_event *e = r->event;

	if (!e)
		return;
	r->event = NULL;
	if (r->cfg.view)
		r->cfg.view->seen_ns = INT64_MAX;
	r->cfg.view = NULL;
	recorder_progress(r, &e->result);
	e->failed = failed;
	e->base = (struct volume_event){ e->to.mbox, deliver, drop_event, e, NULL };
	metric_add(&active, -1);
	volume_deliver(r->volume, &e->base);
}

void recorder_explain(struct errmsg *why, int err, const char *root, const char *path)
{
	switch (err) {
	case -ENOSPC:
	case -EDQUOT:
	case -EFBIG:
		errmsg_set(why, err, "disk_full",
			   "The recording ended because the disk of %s has no room left. What was "
			   "recorded until then is kept; free some space, then start again.", root);
		break;
	case -ESTALE:
		errmsg_set(why, err, "disk_slow",
			   "The recording ended because the disk of %s is too slow. What was recorded "
			   "until then is kept; see what else uses that disk, then start again.", root);
		break;
	case -ENODATA:
		errmsg_set(why, err, "recording_empty",
			   "Nothing was recorded: no picture came before the recording was "
			   "stopped. Start it again and let it run for some seconds.");
		break;
	default:
		errmsg_set(why, err, "recording_io",
			   "The recording ended because its file %s could not be written: %s. "
			   "What was recorded until then is kept; check the disk of %s.",
			   path, err_str(err), root);
	}
}

static void fail(struct recorder *r, int err) ON_THREAD(ROLE_STO);
static void fail(struct recorder *r, int err)
{
	const char *root = volume_root(r->volume);

	atomic_store_explicit(&r->dead, true, memory_order_relaxed);
	if (r->event)
		recorder_explain(&r->event->why, err, root, r->path);
	if (r->mux)
		mux_abandon(r->mux);
	report_progress(r);
	mux_free(&r->mux);
	if (err == -ENODATA) {
		log_info(NULL, "recording %s/%s was stopped before there was a picture", root,
			 r->path);
	} else {
		metric_add(&failures_total, 1);
		set_alarm(true);
		log_error(NULL, "recording %s/%s ended: %s", root, r->path, err_str(err));
	}
	send_event(r, true);
}

static int open_file(struct recorder *r)
{
	struct mux_cfg c = { .matroska = r->cfg.matroska,
			     .fps = r->cfg.fps,
			     .opus = r->cfg.opus,
			     .aac_config = r->aac_config,
			     .aac_config_len = r->cfg.aac_config_len,
			     .sample_rate = r->cfg.sample_rate,
			     .channels = r->cfg.channels,
			     .priming_samples = r->cfg.priming_samples,
			     .sync_ns = 900 * NS_PER_MS,
			     .created_wall_ns = clock_wall_ns() };
	int fd = files_create(volume_root(r->volume), r->path);

	c.fragment_ns = (r->cfg.fragment_ms > 0 ? r->cfg.fragment_ms : FRAGMENT_MS) * NS_PER_MS;
	return fd < 0 ? fd : mux_new(&r->mux, fd, &c);
}

static void take_marks(struct recorder *r)
{
	unsigned n = atomic_load_explicit(&r->marks, memory_order_acquire);

	for (; r->marks_taken < n; r->marks_taken++)
		(r->marks_taken % 2 ? mux_resume : mux_pause)(r->mux, r->mark_ns[r->marks_taken]);
}

/* Whether the file may begin with this picture: when there is sound that goes with it. Where
 * its first packet is late, but less than a picture lasts, the picture is said to begin with
 * it. */
static bool may_begin(struct recorder *r, struct feed_packet *v, int64_t now_ns)
{
	int64_t lead_ns, priming_ns = clock_scale(r->cfg.priming_samples, NS_PER_S, 48000);
	struct feed_packet a;

	if (!r->cfg.opus && !r->cfg.aac_config_len)
		return true;
	while (feed_peek(r->audio, &a) && a.pts_ns - priming_ns < v->pts_ns - MUX_BEFORE_NS)
		feed_pop(r->audio);
	if (!feed_peek(r->audio, &a))
		return now_ns - v->pts_ns >= SOUND_WAIT_MS * NS_PER_MS;
	lead_ns = a.pts_ns - priming_ns - v->pts_ns;
	if (lead_ns > 0 && lead_ns < NS_PER_S / r->cfg.fps)
		v->pts_ns += lead_ns;
	return true;
}

/* 1: took a packet; 0: there is none to take; -errno of the file. now_ns: INT64_MAX: nothing
 * more will come. */
static int take_next(struct recorder *r, int64_t now_ns)
{
	struct feed_packet v, a;
	bool have_v = feed_peek(r->video, &v), have_a = feed_peek(r->audio, &a), video;
	int res;

	take_marks(r); /* those that were there before these packets */
	/* Sound waits for the first picture, which comes out of its encoder later. */
	if (!have_v && mux_waits(r->mux) && feed_used(r->audio) < r->audio_ring_bytes / 2)
		return 0;
	if (!have_v && !have_a)
		return 0;
	if (have_v && v.key && !mux_started(r->mux) && !may_begin(r, &v, now_ns))
		return 0;
	have_a = feed_peek(r->audio, &a);
	video = have_v && (!have_a || mux_waits(r->mux) || v.pts_ns <= a.pts_ns);
	if (video)
		res = mux_video(r->mux, v.data, v.len, v.pts_ns, v.key);
	else
		res = mux_audio(r->mux, a.data, a.len, a.pts_ns);
	feed_pop(video ? r->video : r->audio);
	if (video)
		atomic_store_explicit(&r->mux_needs_key, res != MUX_TAKEN, memory_order_relaxed);
	if (res == MUX_DROPPED)
		count_drop(video ? &r->dropped_video : &r->dropped_audio);
	return res < 0 ? res : 1;
}

/* Removes a file in which there is nothing. */
static void remove_if_empty(struct recorder *r)
{
	int dir = mux_bytes(r->mux) ? -1 : open(volume_root(r->volume), O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return;
	if (unlinkat(dir, r->path, 0))
		log_warn(NULL, "could not remove the empty recording %s", r->path);
	close(dir);
}

static bool stop(struct recorder *r) ON_THREAD(ROLE_STO);
static bool stop(struct recorder *r)
{
	int err = r->mux ? mux_finish(r->mux) : 0;

	if (err == -ENODATA)
		remove_if_empty(r);
	if (err) {
		fail(r, err);
	} else if (r->mux) {
		report_progress(r);
		mux_free(&r->mux);
		set_alarm(false);
		send_event(r, false);
	}
	recorder_destroy(r);
	return false;
}

/* All that was taken shall be in the file. */
static int slow(struct recorder *r)
{
	int err = mux_flush(r->mux);

	return err ? err : -ESTALE;
}

static void show_line(struct recorder *r, int64_t now_ns)
{
	if (r->cfg.view && r->mux)
		*r->cfg.view = (struct timeline_view){ *mux_line(r->mux), now_ns };
}

static bool run(struct volume_job *j, int64_t now_ns, bool last)
{
	struct recorder *r = (struct recorder *)j;
	bool stopping = atomic_load_explicit(&r->stopping, memory_order_acquire) || last;
	bool overran = recorder_overran(r); /* what came before is in the rings */
	int err = 0, more = 1;

	if (!r->mux && !atomic_load_explicit(&r->dead, memory_order_relaxed))
		err = open_file(r);
	if (!err && r->mux)
		take_marks(r);
	while (!err && r->mux && more > 0) {
		more = take_next(r, stopping || overran ? INT64_MAX : now_ns);
		err = more < 0 ? more : 0;
	}
	if (!err && r->mux)
		err = mux_tick(r->mux, now_ns);
	if (!err && r->mux && overran)
		err = slow(r);
	show_line(r, now_ns);
	if (err)
		fail(r, err);
	else
		report_progress(r);
	return stopping ? stop(r) : true;
}
