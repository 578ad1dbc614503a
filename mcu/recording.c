#include "mcu/recording.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "mcu/base/log.h"
#include "mcu/finisher.h"
#include "mcu/links.h"
#include "mcu/recording_tracks.h"
#include "mixer/codec/aenc.h"
#include "storage/recorder.h"
#include "storage/recordings.h"
#include "storage/repository.h"

/* The registry may be on the disk that is full: what became of a recording is
 * written again until there is room. */
enum { SAVE_AGAIN_S = 2 };
/* Whether the disk keeps up, and whether a key frame is missing. */
enum { WATCH_S = 1 };

struct recording {
	struct recording_env *env;
	struct room *room;
	struct recorder *recorder;
	struct outlet *outlet;
	struct recording_tracks *tracks; /* NULL: none */
	recording_notify *notify;
	void *obj;
	enum recording_phase phase;
	struct recording_row row;
	bool video, opus; /* what is recorded; tracks: of those above */
	char id[24], url[LINK_LEN + 48]; /* url: "" until there is something to see */
	struct log_ctx log;
	guint watch;
	size_t events; /* that happened */
	bool detaching; /* the room's threads are letting go */
	/* Both must have happened before it can go. */
	bool detached, ended;
	struct errmsg failure; /* text empty: none */
	int64_t ended_ms;
	bool unsaved_told;
};

static void sink_video(void *obj, struct buf *au, int64_t pts_ns, bool key)
{
	struct recording *r = obj;

	recorder_video(r->recorder, au, pts_ns, key);
}

static void sink_audio(void *obj, struct buf *frame, int64_t pts_ns)
{
	struct recording *r = obj;

	recorder_audio(r->recorder, frame, pts_ns);
}

void recording_describe(const struct recording *r, struct recording_note *n)
{
	bool runs = r->phase == RECORDING_RUNS || r->phase == RECORDING_PAUSED;

	*n = (struct recording_note){ .phase = r->phase, .id = r->id, .by = r->row.by,
				      .sound_only = runs && !r->video,
				      .tracks = runs && r->tracks };
	if (r->url[0])
		n->url = r->url;
	if (r->phase == RECORDING_BROKE)
		n->text = r->failure.text;
}

/* It ends as every link does, and with the key. */
ON_THREAD(ROLE_CTL) static void make_link(struct recording *r)
{
	int64_t now_ms = clock_wall_ns() / NS_PER_MS;
	char link[LINK_LEN + 1];

	if (!r->env->link_key)
		return;
	link_write(link, r->env->link_key, &r->row,
		   now_ms + r->env->config->recording.link_days * INT64_C(86400000));
	snprintf(r->url, sizeof r->url, "/recordings/%s/%s", r->id, link);
}

ON_THREAD(ROLE_CTL) static void tell(struct recording *r, enum recording_phase phase)
{
	struct recording_note n;

	r->phase = phase;
	if (phase == RECORDING_DONE || (phase == RECORDING_BROKE && r->row.bytes))
		make_link(r);
	recording_describe(r, &n);
	if (r->notify)
		r->notify(r->obj, &n);
}

void recording_orphan(struct recording *r)
{
	r->notify = NULL;
	r->room = NULL;
}

static void save_end(struct recording *r) ON_THREAD(ROLE_CTL);

static gboolean save_again(gpointer obj)
{
	role_assert_ctl();
	save_end(obj);
	return G_SOURCE_REMOVE;
}

/* -ENOENT: not even its beginning is there. The next start finds the file. */
static void on_saved(void *obj, int err, const struct recording_row *row)
{
	struct recording *r = obj;

	(void)row;
	role_assert_ctl();
	if (err && err != -ENOENT && !r->env->stopping) {
		if (!r->unsaved_told)
			log_error(&r->log, "recording %s: its end cannot be written into the "
				  "registry (%s); tried again until it can", r->id, err_str(err));
		r->unsaved_told = true;
		g_timeout_add_seconds(SAVE_AGAIN_S, save_again, r);
		return;
	}
	finisher_look(r->env->finisher);
	r->env->running--;
	free(r);
}

static void save_end(struct recording *r)
{
	struct recording_change c = {
		.state = r->failure.text[0] ? RECORDING_FAILED : RECORDING_READY,
		.ended_ms = r->ended_ms,
		.duration_ms = r->row.duration_ms,
		.bytes = r->row.bytes,
		.error = r->failure.text[0] ? r->failure.text : NULL,
		.finish = r->row.bytes ? RECORDING_FINISH_QUEUED : RECORDING_FINISH_NONE,
	};

	int err = recordings_update(r->env->db, r->row.id, &c, on_saved, r);

	if (err)
		on_saved(r, err, NULL);
}

ON_THREAD(ROLE_CTL) static void finish(struct recording *r)
{
	bool failed = r->failure.text[0];

	if (!r->detached || !r->ended)
		return;
	r->ended_ms = clock_wall_ns() / NS_PER_MS;
	log_info(&r->log, "recording %s %s: %" PRId64 " ms, %" PRId64 " bytes, %s", r->id,
		 failed ? "failed" : "is ready", r->row.duration_ms, r->row.bytes, r->row.path);
	tell(r, failed ? RECORDING_BROKE : RECORDING_DONE);
	recording_orphan(r);
	save_end(r);
}

static void take_result(struct recording *r, const struct recorder_result *res)
{
	r->row.bytes = res->bytes;
	r->row.duration_ms = res->duration_ms;
	if (res->dropped_video || res->dropped_audio)
		log_warn(&r->log, "recording %s lost %" PRIu64 " pictures and %" PRIu64
			 " sound packets: the disk was too slow", r->id, res->dropped_video,
			 res->dropped_audio);
}

static void attach(struct recording *r) ON_THREAD(ROLE_CTL);

/* Nobody calls the recorder any more. */
ON_THREAD(ROLE_CTL) static void let_go(struct recording *r)
{
	r->detached = true;
	recorder_stop(&r->recorder);
	if (r->failure.text[0] && !r->ended) {
		/* The file may take longer. */
		tell(r, RECORDING_BROKE);
		recording_orphan(r);
	}
	finish(r);
}

static void on_detached(void *obj, void *arg)
{
	struct recording *r = obj;

	(void)arg;
	role_assert_ctl();
	r->detaching = false;
	if (r->phase == RECORDING_RUNS)
		attach(r); /* it goes on already */
	else if (r->phase != RECORDING_PAUSED)
		let_go(r);
}

ON_THREAD(ROLE_CTL) static void detach(struct recording *r)
{
	if (!r->outlet)
		return;
	r->detaching = true;
	room_sink_detach(&r->outlet, on_detached, r);
}

void recording_stop(struct recording *r)
{
	if (r->phase != RECORDING_RUNS && r->phase != RECORDING_PAUSED)
		return;
	if (r->watch)
		g_source_remove(r->watch);
	r->watch = 0;
	tell(r, RECORDING_ENDS);
	recording_tracks_stop(r->tracks);
	detach(r);
	if (!r->detaching)
		let_go(r);
}

int recording_pause(struct recording *r, bool pause, struct errmsg *why)
{
	int64_t now_ns = clock_now_ns(r->env->engine->clock);

	if (r->phase != RECORDING_RUNS && r->phase != RECORDING_PAUSED)
		return errmsg_set(why, -EINVAL, "not_recording", "The recording is ending already.");
	if (pause == (r->phase == RECORDING_PAUSED))
		return 0;
	if (pause && recorder_pause(r->recorder, now_ns))
		return errmsg_set(why, -EBUSY, "rate_limited", "This recording was paused too often. "
				  "Stop it, and start another one.");
	r->phase = pause ? RECORDING_PAUSED : RECORDING_RUNS;
	if (pause) {
		detach(r);
	} else {
		recorder_resume(r->recorder, now_ns);
		if (!r->detaching)
			attach(r);
	}
	/* Otherwise it could not go on, and that was told. */
	if (r->phase == RECORDING_PAUSED || r->phase == RECORDING_RUNS)
		tell(r, r->phase);
	return 0;
}

/* When: up to a fragment too early, which is what somebody who goes there wants. */
void recording_happened(struct recording *r, enum recording_event_kind kind, uint32_t leg,
			const char *name)
{
	struct recording_event e = { .kind = kind, .leg = leg };
	struct recorder_result now;

	if ((r->phase != RECORDING_RUNS && r->phase != RECORDING_PAUSED) ||
	    r->events == RECORDING_EVENTS_MAX)
		return;
	recorder_progress(r->recorder, &now);
	e.at_ms = now.duration_ms;
	snprintf(e.name, sizeof e.name, "%s", name);
	/* a registry that does not keep up costs a chapter */
	if (!recording_events_add(r->env->db, r->row.id, &e))
		r->events++;
}

void recording_takes(struct recording *r, struct leg *l, const char *name)
{
	if (r->phase == RECORDING_RUNS || r->phase == RECORDING_PAUSED)
		recording_tracks_add(r->tracks, l, name);
}

/* The volume may hang for long: it is told at once, and the row written when the file is
 * closed. */
ON_THREAD(ROLE_CTL) static void give_up(struct recording *r)
{
	errmsg_set(&r->failure, -EIO, "disk_slow", "The recording ended because the disk of the server "
		   "is too slow. What was recorded until then is kept.");
	log_error(&r->log, "recording %s: %s", r->id, r->failure.text);
	recording_stop(r);
}

static gboolean watch(gpointer obj)
{
	struct recording *r = obj;

	role_assert_ctl();
	if (recorder_overran(r->recorder)) {
		r->watch = 0;
		give_up(r);
		return G_SOURCE_REMOVE;
	}
	if (r->outlet && recorder_wants_key(r->recorder))
		room_sink_want_key(r->outlet);
	return G_SOURCE_CONTINUE;
}

/* The recorder's last word. */
ON_THREAD(ROLE_CTL) static void recorder_ended(struct recording *r, const struct recorder_result *res)
{
	take_result(r, res);
	recording_tracks_leave(&r->tracks);
	r->ended = true;
}

static void on_finished(void *obj, const struct recorder_result *res)
{
	struct recording *r = obj;

	role_assert_ctl();
	recorder_ended(r, res);
	finish(r);
}

static void on_failed(void *obj, const struct errmsg *why, const struct recorder_result *res)
{
	struct recording *r = obj;

	role_assert_ctl();
	recording_tracks_stop(r->tracks);
	recorder_ended(r, res);
	if (!r->failure.text[0])
		log_error(&r->log, "recording %s: %s", r->id, why->text);
	r->failure = *why;
	/* which finishes it, now or when the room has let go */
	if (r->phase == RECORDING_RUNS || r->phase == RECORDING_PAUSED)
		recording_stop(r);
	else
		finish(r);
}

/* The AAC decoder's configuration, asked of an encoder as the mix will use it. */
static int sound_config(const struct engine *e, int channels, uint8_t *out, size_t cap, size_t *len)
{
	struct aenc_cfg cfg = {
		.format = CODEC_AAC, .channels = channels,
		.bitrate_bps = e->cfg.recording_audio_bps,
	};
	const uint8_t *data;
	struct aenc *enc;
	int err = aenc_new(&enc, &cfg);

	if (err)
		return err;
	data = aenc_extradata(enc, len);
	err = data && *len <= cap ? 0 : -EINVAL;
	for (size_t i = 0; !err && i < *len; i++)
		out[i] = data[i];
	aenc_free(&enc);
	return err;
}

/* The power of two below; sound gets a sixteenth of it. */
static size_t ring_octets(size_t most)
{
	size_t n = 64 << 10;

	while (2 * n <= most)
		n *= 2;
	return n;
}

ON_THREAD(ROLE_CTL) static int start_recorder(struct recording *r)
{
	const struct config *c = r->env->config;
	const struct engine *e = r->env->engine;
	struct recorder_events ev = {
		.mbox = e->ctl, .obj = r, .finished = on_finished, .failed = on_failed,
	};
	size_t ring = ring_octets((size_t)c->recording.buffer_kb << 10);
	uint8_t aac[64];
	struct recorder_cfg cfg = {
		.path = r->row.path, .matroska = r->row.format == RECORDING_MKV,
		.fps = r->video ? e->cfg.fps : 0, .opus = r->opus,
		.aac_config = aac, .sample_rate = 48000, .channels = room_channels(r->room),
		.fragment_ms = c->recording.fragment_ms,
		.video_ring_bytes = ring, .audio_ring_bytes = ring / 16,
		.view = recording_tracks_view(r->tracks),
	};
	int err = 0;

	if (!cfg.opus)
		err = sound_config(e, cfg.channels, aac, sizeof aac, &cfg.aac_config_len);
	return err ? err : recorder_start(&r->recorder, r->env->volume, &cfg, &ev);
}

ON_THREAD(ROLE_CTL) static int try_attach(struct recording *r)
{
	const struct config *c = r->env->config;
	struct room_sink sink = {
		.obj = r, .video = r->video ? sink_video : NULL, .audio = sink_audio,
		.sound = r->opus ? ROOM_SINK_OPUS : ROOM_SINK_AAC,
		.gop_s = c->recording.gop_s, .records = true,
	};

	return room_sink_attach(r->room, &sink, &r->outlet);
}

/* After a pause. */
static void attach(struct recording *r)
{
	int err = try_attach(r);

	if (!err)
		return;
	errmsg_set(&r->failure, err, "recording_failed", "The recording could not go on: %s.",
		   err_str(err));
	recording_stop(r);
}

/* What is wanted, of what the configuration has. */
static int choose(struct recording *r, const struct record_wish *w, bool *tracks,
		  struct errmsg *why)
{
	const struct config *c = r->env->config;

	if (w->video == TRISTATE_TRUE && !c->recording.video)
		return errmsg_set(why, -EPERM, "not_recorded_here", "This server records the sound "
				  "alone (recording.video). Record without pictures.");
	if (w->tracks == TRISTATE_TRUE && !c->recording.tracks)
		return errmsg_set(why, -EPERM, "not_recorded_here", "This server keeps no tracks "
				  "of participants (recording.tracks). Record without them.");
	r->video = c->recording.video && w->video != TRISTATE_FALSE;
	*tracks = c->recording.tracks && w->tracks != TRISTATE_FALSE;
	r->opus = w->sound ? w->sound == RECORD_OPUS : !strcmp(c->recording.audio, "opus");
	r->row.format = (w->container ? w->container == RECORD_MKV :
					!strcmp(c->recording.container, "mkv")) ?
				RECORDING_MKV : RECORDING_MP4;
	return 0;
}

ON_THREAD(ROLE_CTL) static int make_row(struct recording *r, const struct recording_order *o)
{
	struct recording_row *row = &r->row;
	int err;

	row->id = db_new_id();
	row->session_id = o->session_id;
	row->state = RECORDING_RECORDING;
	row->started_ms = clock_wall_ns() / NS_PER_MS;
	row->kind = r->video ? RECORDING_COMPOSED : RECORDING_AUDIO;
	snprintf(row->audio_codec, sizeof row->audio_codec, "%s", r->opus ? "opus" : "aac");
	if (r->video) {
		snprintf(row->video_codec, sizeof row->video_codec, "h264");
		row->width = r->env->engine->cfg.width;
		row->height = r->env->engine->cfg.height;
	}
	snprintf(row->room, sizeof row->room, "%s", room_name(r->room));
	snprintf(row->by, sizeof row->by, "%s", o->by);
	err = recording_token(row->token);
	if (!err)
		err = repository_path_as(row->path, row->format, row->room, row->started_ms, row->id);
	snprintf(r->id, sizeof r->id, "%" PRId64, row->id);
	return err;
}

int recording_start(struct recording **out, struct recording_env *env, struct room *room,
		    const struct recording_order *order, recording_notify *notify, void *obj,
		    struct errmsg *why)
{
	struct recording *r = calloc(1, sizeof *r);
	int err = -ENOMEM;
	bool tracks = false;

	if (!r)
		goto out;
	r->env = env;
	r->room = room;
	r->notify = notify;
	r->obj = obj;
	r->log.room = r->row.room;
	err = choose(r, &order->wish, &tracks, why);
	if (err) {
		free(r);
		return err;
	}
	err = make_row(r, order);
	if (!err && tracks)
		err = recording_tracks_new(&r->tracks, env, &r->row, r->video);
	if (!err)
		err = start_recorder(r);
	if (err)
		goto out;
	env->running++;
	err = try_attach(r);
	if (err) {
		/* It goes when the recorder has ended. */
		r->notify = NULL;
		r->phase = RECORDING_ENDS;
		errmsg_set(&r->failure, err, "recording_failed", "The room could not be recorded.");
		let_go(r);
		r = NULL;
		goto out;
	}
	/* From here on a failure is told by the recorder's own end. */
	recordings_create(env->db, &r->row, NULL, NULL);
	*out = r;
	log_info(&r->log, "recording %s started by %s: %s", r->id, r->row.by, r->row.path);
	r->watch = g_timeout_add_seconds(WATCH_S, watch, r);
	tell(r, RECORDING_RUNS);
	return 0;
out:
	if (r)
		recording_tracks_leave(&r->tracks);
	free(r);
	return errmsg_set(why, err, "recording_failed", "The recording cannot be started: %s.",
			  err_str(err));
}
