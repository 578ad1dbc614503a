#include "mcu/recording_tracks.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <glib.h>

#include "mcu/base/log.h"
#include "mcu/finisher.h"
#include "mcu/room/leg.h"
#include "mcu/room/leg_record.h"
#include "storage/recordings.h"
#include "storage/track.h"

/* As in recording.c: until the registry takes it. */
enum { SAVE_AGAIN_S = 2 };
/* Of recording.buffer_kb, per participant; what it shares takes as much again. */
enum { PICTURE_RING_PART = 4, SOUND_RING_OCTETS = 64 << 10, PICTURE_RING_LEAST = 64 << 10 };
enum { CAMERA, CONTENT, SOURCES };

struct recording_tracks {
	struct recording_env *env;
	struct recording_row of;
	struct timeline_view view; /* of the volume's thread */
	bool pictures;
	GPtrArray *people; /* struct person, that are recorded */
	size_t refs;	   /* of the recording, and each struct person */
};

struct person {
	struct recording_tracks *all;
	struct leg *leg;
	uint32_t id;
	char name[DB_NAME_MAX + 1];
	struct track *track[SOURCES];
	size_t open; /* tracks that are not over, and rows that are not written */
	bool released;
};

/* What a row gets when its part has ended. */
struct ending {
	struct person *p;
	struct track_part part;
	bool told;
};

static void unref(struct recording_tracks *t)
{
	if (--t->refs)
		return;
	g_ptr_array_unref(t->people);
	free(t);
}

int recording_tracks_new(struct recording_tracks **out, struct recording_env *env,
			 const struct recording_row *of, bool pictures)
{
	struct recording_tracks *t = calloc(1, sizeof *t);

	if (!t)
		return -ENOMEM;
	t->env = env;
	t->of = *of;
	t->pictures = pictures;
	t->people = g_ptr_array_new();
	t->refs = 1;
	*out = t;
	return 0;
}

struct timeline_view *recording_tracks_view(struct recording_tracks *t)
{
	return t ? &t->view : NULL;
}

void recording_tracks_leave(struct recording_tracks **t)
{
	if (*t)
		unref(*t);
	*t = NULL;
}

ON_THREAD(ROLE_CTL) static void person_done(struct person *p)
{
	struct recording_tracks *t = p->all;

	if (p->open || !p->released)
		return;
	t->env->running--;
	free(p);
	unref(t);
}

/* --- rows ------------------------------------------------------------------------- */

/* As the registry has them: "h264", "opus". */
static void put_codec(char *out, size_t size, enum codec c)
{
	snprintf(out, size, "%s", c ? codec_name(c) : "");
	for (; *out; out++)
		*out = g_ascii_tolower(*out);
}

static void on_begun(void *obj, const struct track_part *part)
{
	const struct person *p = obj;
	const struct recording_tracks *t = p->all;
	struct recording_row row = {
		.id = part->id, .session_id = t->of.session_id, .state = RECORDING_RECORDING,
		.kind = RECORDING_TRACK, .format = RECORDING_MKV, .parent_id = t->of.id,
		.leg = p->id, .user_id = t->of.user_id,
		.started_ms = t->of.started_ms, /* its time line is the recording's */
		.width = (int)part->width, .height = (int)part->height,
	};

	role_assert_ctl();
	snprintf(row.room, sizeof row.room, "%s", t->of.room);
	snprintf(row.by, sizeof row.by, "%s", t->of.by);
	snprintf(row.title, sizeof row.title, "%s", p->name);
	snprintf(row.path, sizeof row.path, "%s", part->path);
	put_codec(row.video_codec, sizeof row.video_codec, part->picture);
	put_codec(row.audio_codec, sizeof row.audio_codec, part->sound);
	if (recording_token(row.token) || recordings_create(t->env->db, &row, NULL, NULL))
		log_warn(NULL, "the track %s is not in the registry; the next start finds it",
			 part->path);
}

static void save_end(struct ending *e) ON_THREAD(ROLE_CTL);

static gboolean save_again(gpointer obj)
{
	role_assert_ctl();
	save_end(obj);
	return G_SOURCE_REMOVE;
}

/* -ENOENT: not even its beginning is there. The next start finds the file. */
static void on_saved(void *obj, int err, const struct recording_row *row)
{
	struct ending *e = obj;
	struct person *p = e->p;

	(void)row;
	role_assert_ctl();
	if (err && err != -ENOENT && !p->all->env->stopping) {
		if (!e->told)
			log_error(NULL, "the end of track %s cannot be written into the registry (%s); "
				  "tried again until it can", e->part.path, err_str(err));
		e->told = true;
		g_timeout_add_seconds(SAVE_AGAIN_S, save_again, e);
		return;
	}
	finisher_look(p->all->env->finisher);
	free(e);
	p->open--;
	person_done(p);
}

static void save_end(struct ending *e)
{
	const struct track_part *part = &e->part;
	struct recording_change c = {
		.state = part->failed ? RECORDING_FAILED : RECORDING_READY,
		.ended_ms = e->p->all->of.started_ms + part->duration_ms,
		.duration_ms = part->duration_ms,
		.bytes = part->bytes,
		.error = part->failed ? part->why.text : NULL,
		.finish = part->duration_ms ? RECORDING_FINISH_QUEUED : RECORDING_FINISH_NONE,
	};
	int err = recordings_update(e->p->all->env->db, part->id, &c, on_saved, e);

	if (err)
		on_saved(e, err, NULL);
}

static void on_ended(void *obj, const struct track_part *part)
{
	struct ending *e = calloc(1, sizeof *e);
	struct person *p = obj;

	role_assert_ctl();
	if (!e) {
		log_error(NULL, "out of memory: the next start settles track %s", part->path);
		return;
	}
	e->p = p;
	e->part = *part;
	p->open++;
	save_end(e);
}

static void on_over(void *obj, const struct track_result *r)
{
	struct person *p = obj;

	role_assert_ctl();
	if (r->dropped_pictures || r->dropped_sound)
		log_warn(NULL, "a track of %s in %s lacks %" PRIu64 " pictures and %" PRIu64
			 " sound packets", p->name, p->all->of.room, r->dropped_pictures,
			 r->dropped_sound);
	p->open--;
	person_done(p);
}

/* --- who is recorded ----------------------------------------------------------------- */

static void on_sound(void *obj, enum codec c, const uint8_t *payload, size_t len, int64_t at_ns)
{
	struct person *p = obj;

	track_sound(p->track[CAMERA], c, payload, len, at_ns);
}

static bool on_picture(void *obj, bool content, enum codec c, unsigned width, unsigned height,
		       const struct buf *au, int64_t at_ns, bool key)
{
	struct person *p = obj;

	return track_picture(p->track[content ? CONTENT : CAMERA], c, width, height, au->data,
			     au->len, at_ns, key);
}

/* Of the leg: it has left, or recording_tracks_stop. */
static void on_released(void *obj)
{
	struct person *p = obj;

	role_assert_ctl();
	p->released = true;
	g_ptr_array_remove_fast(p->all->people, p);
	for (int i = 0; i < SOURCES; i++)
		track_stop(&p->track[i]);
	person_done(p);
}

static size_t picture_ring(const struct config *c)
{
	size_t most = ((size_t)c->recording.buffer_kb << 10) / PICTURE_RING_PART;
	size_t n = PICTURE_RING_LEAST;

	while (2 * n <= most)
		n *= 2;
	return n;
}

ON_THREAD(ROLE_CTL) static int start_track(struct person *p, int source)
{
	const struct recording_tracks *t = p->all;
	const struct track_events ev = {
		.mbox = t->env->engine->ctl, .obj = p,
		.begun = on_begun, .ended = on_ended, .over = on_over,
	};
	const struct track_cfg cfg = {
		.room = t->of.room, .started_ms = t->of.started_ms, .view = &t->view,
		.picture_ring_bytes = t->pictures ? picture_ring(t->env->config) : 0,
		.sound_ring_bytes = source == CAMERA ? SOUND_RING_OCTETS : 0,
	};
	int err = track_start(&p->track[source], t->env->volume, &cfg, &ev);

	p->open += !err;
	return err;
}

ON_THREAD(ROLE_CTL) static bool has(const struct recording_tracks *t, uint32_t leg)
{
	for (guint i = 0; i < t->people->len; i++)
		if (((struct person *)g_ptr_array_index(t->people, i))->id == leg)
			return true;
	return false;
}

ON_THREAD(ROLE_CTL) static int start(struct person *p)
{
	const struct leg_record_sink sink = {
		.obj = p, .sound = on_sound, .released = on_released,
		.picture = p->all->pictures ? on_picture : NULL,
	};
	int err = start_track(p, CAMERA);

	if (!err && p->all->pictures)
		err = start_track(p, CONTENT);
	return err ? err : leg_record(p->leg, &sink);
}

void recording_tracks_add(struct recording_tracks *t, struct leg *l, const char *name)
{
	struct person *p;
	int err;

	if (!t || leg_is_local(l) || has(t, leg_id(l)))
		return;
	p = calloc(1, sizeof *p);
	if (!p)
		return;
	p->all = t;
	p->leg = l;
	p->id = leg_id(l);
	snprintf(p->name, sizeof p->name, "%s", name);
	t->refs++;
	t->env->running++;
	g_ptr_array_add(t->people, p);
	err = start(p);
	if (!err)
		return;
	log_error(NULL, "%s in %s has no track of its own: %s", name, t->of.room, err_str(err));
	on_released(p);
}

void recording_tracks_stop(struct recording_tracks *t)
{
	for (guint i = 0; t && i < t->people->len; i++)
		leg_unrecord(((struct person *)g_ptr_array_index(t->people, i))->leg);
}
