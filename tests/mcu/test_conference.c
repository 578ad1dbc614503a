/* Participants, rooms and recordings as a front end sees them, on a real engine,
 * registry and volume, without a network. The test is the control loop. */
#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mcu/conference.h"
#include "mcu/conference_priv.h"
#include "mcu/net/dtls.h"
#include "mcu/net/ice.h"
#include "storage/recordings.h"
#include "storage/rooms.h"
#include "storage/volume.h"

enum { CTL_MBOX = 4096, WAIT_MS = 20000 };

/* A front end of one participant. */
struct front {
	struct leg_handle *leg; /* NULL: not in a room */
	size_t welcomes, joined, left, muted, layouts, uplinks, closed;
	uint32_t id;
	char resume[64], code[40];
	size_t people; /* in the welcome */
	enum recording_event_state recording;
	enum leave_reason reason;
	struct uplink_info uplink;
	/* leaves in the middle of this call-back; 0: never */
	int leaves_at;
	bool leaves_at_welcome;
};

static struct {
	char dir[64];
	struct config config;
	struct mbox *ctl;
	struct dtls_identity *id;
	struct ice_cfg ice;
	struct engine engine;
	struct db *db;
	struct volume *volume;
	struct conference *c;
	int replies, err;
	struct recording_row row;
} the;

/* --- the front end ------------------------------------------------------------- */

static void leave(struct front *f, enum leave_reason reason)
{
	struct leg_handle *l = f->leg;

	f->leg = NULL;
	conference_api.leave(the.c, l, reason);
}

static void on_welcome(void *obj, const struct welcome_info *w)
{
	struct front *f = obj;

	f->welcomes++;
	f->id = w->leg;
	f->people = w->n_participants;
	f->recording = w->recording.state;
	snprintf(f->resume, sizeof f->resume, "%s", w->resume);
	if (f->leaves_at_welcome)
		leave(f, LEAVE_LEFT);
}

static void on_candidate(void *obj, const char *candidate)
{
	(void)obj;
	(void)candidate;
}

static void on_event(void *obj, struct leg_event *ev)
{
	struct front *f = obj;

	f->joined += ev->type == LEG_EVENT_JOINED;
	f->left += ev->type == LEG_EVENT_LEFT;
	f->muted += ev->type == LEG_EVENT_MUTED;
	f->layouts += ev->type == LEG_EVENT_LAYOUT;
	if (ev->type == LEG_EVENT_UPLINK) {
		f->uplinks++;
		f->uplink = ev->u.uplink;
	}
	if (ev->type == LEG_EVENT_RECORDING)
		f->recording = ev->u.recording.state;
	if (f->leg && f->leaves_at == (int)ev->type)
		leave(f, LEAVE_LEFT);
}

static void on_closed(void *obj, enum leave_reason reason, const struct errmsg *why)
{
	struct front *f = obj;

	f->closed++;
	f->leg = NULL;
	f->reason = reason;
	snprintf(f->code, sizeof f->code, "%s", why->code);
}

static const struct leg_events events = {
	.welcome = on_welcome, .candidate = on_candidate, .event = on_event, .closed = on_closed,
};

static int join(struct front *f, const char *room, const char *resume, struct errmsg *why)
{
	struct join_req req = { .room = room, .name = "N", .resume = resume, .peer = "test" };

	return conference_api.join(the.c, &req, &events, f, &f->leg, why);
}

static void must_join(struct front *f, const char *room)
{
	struct errmsg why;

	*f = (struct front){ .leaves_at = f->leaves_at };
	assert_int_equal(join(f, room, NULL, &why), 0);
	assert_int_equal(f->welcomes, 1);
}

/* --- the rig ------------------------------------------------------------------- */

static void turn(void)
{
	usleep(1000);
	mbox_run(the.ctl);
	while (g_main_context_iteration(NULL, FALSE))
		;
}

#define RUN_UNTIL(condition)                                                           \
	do {                                                                           \
		int64_t end_ = clock_now_ns(&clock_monotonic) + WAIT_MS * NS_PER_MS;   \
		while (!(condition) && clock_now_ns(&clock_monotonic) < end_)          \
			turn();                                                        \
		assert_true(condition);                                                \
	} while (0)

static void set(const char *assignment)
{
	struct errmsg why;

	assert_int_equal(config_set(&the.config, assignment, &why), 0);
}

static int set_up(void **state)
{
	struct engine_cfg e = {
		.net_threads = 1, .video_threads = 1, .audio_threads = 1, .width = 320, .height = 180,
		.fps = 30, .video_bps = 200000, .vbv_ms = 500, .preset = "ultrafast",
		.asm_name = "default", .max_input_width = 640, .max_input_height = 360,
		.listener_bps = 32000, .audio_complexity = 1, .recording_audio_bps = 64000,
		.ice = &the.ice,
	};
	struct conference_cfg cfg = { .engine = &the.engine, .config = &the.config };
	struct errmsg why;
	char path[96];

	(void)state;
	role_assert_ctl();
	memset(&the, 0, sizeof the);
	strcpy(the.dir, "/tmp/mcu-conference-XXXXXX");
	assert_non_null(mkdtemp(the.dir));
	assert_int_equal(config_init(&the.config), 0);
	set("room.linger_s=0");
	assert_int_equal(mbox_new(&the.ctl, CTL_MBOX), 0);
	assert_int_equal(dtls_identity_new(&the.id, "localhost"), 0);
	the.ice = (struct ice_cfg){ .identity = the.id, .loopback = true };
	assert_int_equal(engine_start(&the.engine, &e, &clock_monotonic, the.ctl, &why), 0);
	assert_int_equal(volume_new(&the.volume, the.dir, &why), 0);
	snprintf(path, sizeof path, "%s/mcu.db", the.dir);
	assert_int_equal(db_open(&the.db, path, the.ctl, &why), 0);
	cfg.db = the.db;
	cfg.volume = the.volume;
	cfg.fingerprint = dtls_identity_fingerprint(the.id);
	assert_int_equal(conference_new(&the.c, &cfg), 0);
	return 0;
}

static int tear_down(void **state)
{
	char command[96];

	(void)state;
	role_assert_ctl();
	conference_shutdown(the.c);
	RUN_UNTIL(conference_is_idle(the.c));
	db_close(&the.db);
	volume_free(&the.volume);
	engine_stop(&the.engine);
	mbox_free(&the.ctl);
	conference_free(&the.c);
	dtls_identity_free(&the.id);
	config_free(&the.config);
	snprintf(command, sizeof command, "rm -rf %s", the.dir);
	assert_int_equal(system(command), 0);
	return 0;
}

static void on_list(void *obj, int err, const struct recording_row *rows, size_t n)
{
	(void)obj;
	the.err = err;
	if (n)
		the.row = rows[0];
	the.replies++;
}

static void on_room(void *obj, int err, const struct room_row *row)
{
	(void)obj;
	(void)row;
	the.err = err;
	the.replies++;
}

/* The newest recording's row. */
static const struct recording_row *newest_recording(void)
{
	int before = the.replies;

	assert_int_equal(recordings_list(the.db, NULL, 0, 10, on_list, NULL), 0);
	RUN_UNTIL(the.replies > before);
	assert_int_equal(the.err, 0);
	return &the.row;
}

/* --- coming and going ----------------------------------------------------------- */

static void test_people_hear_of_each_other(void **state)
{
	struct front a = { 0 }, b = { 0 };

	(void)state;
	must_join(&a, "room");
	assert_int_equal(a.people, 1);
	assert_int_equal(a.joined, 0);
	must_join(&b, "room");
	assert_int_equal(b.people, 2);
	assert_int_equal(a.joined, 1);
	assert_int_equal(b.layouts, 1);
	conference_api.mute(the.c, b.leg, TRISTATE_TRUE, TRISTATE_UNSET);
	assert_int_equal(a.muted, 1);
	assert_int_equal(b.muted, 1);
	conference_api.mute(the.c, b.leg, TRISTATE_TRUE, TRISTATE_UNSET);
	assert_int_equal(a.muted, 1); /* nothing has changed */
	leave(&b, LEAVE_LEFT);
	assert_int_equal(a.left, 1);
	assert_int_equal(b.closed, 0);
	leave(&a, LEAVE_LEFT);
	RUN_UNTIL(conference_is_idle(the.c));
}

static void test_a_name_is_free_while_its_room_winds_down(void **state)
{
	struct front f = { 0 };
	size_t most = 0;

	(void)state;
	for (int i = 0; i < 20; i++) {
		must_join(&f, "same");
		assert_int_equal(f.people, 1);
		leave(&f, LEAVE_LEFT);
		/* The timer of an empty room, nothing else yet. */
		while (g_hash_table_size(the.c->halls))
			g_main_context_iteration(NULL, TRUE);
		most = the.c->closing->len > most ? the.c->closing->len : most;
	}
	assert_true(most >= 2);
	RUN_UNTIL(conference_is_idle(the.c));
}

static void test_coming_back_replaces(void **state)
{
	struct front old = { 0 }, other = { 0 }, new = { 0 };
	struct errmsg why;

	(void)state;
	must_join(&old, "room");
	must_join(&other, "room");
	assert_int_equal(join(&new, "room", old.resume, &why), 0);
	assert_int_equal(old.closed, 1);
	assert_int_equal(old.reason, LEAVE_REPLACED);
	assert_int_equal(new.people, 2);
	assert_int_equal(other.left, 1);
	assert_int_equal(other.joined, 1);
	/* A secret that was used up, or is none, is a new participant. */
	leave(&new, LEAVE_LEFT);
	assert_int_equal(join(&new, "room", old.resume, &why), 0);
	assert_int_equal(other.closed, 0);
	leave(&new, LEAVE_LEFT);
	leave(&other, LEAVE_LEFT);
}

static void test_limits(void **state)
{
	struct front a = { 0 }, b = { 0 }, c = { 0 };
	struct errmsg why;

	(void)state;
	set("room.max_participants=2");
	set("room.max_rooms=1");
	must_join(&a, "one");
	must_join(&b, "one");
	assert_true(join(&c, "one", NULL, &why) < 0);
	assert_string_equal(why.code, "room_full");
	assert_true(join(&c, "two", NULL, &why) < 0);
	assert_string_equal(why.code, "server_full");
	assert_int_equal(c.welcomes + c.closed, 0);
	/* Whoever comes back has a place. */
	assert_int_equal(join(&c, "one", a.resume, &why), 0);
	assert_int_equal(a.closed, 1);
	leave(&b, LEAVE_LEFT);
	leave(&c, LEAVE_LEFT);
}

static void test_registered_rooms_only(void **state)
{
	struct front a = { 0 }, b = { 0 }, c = { 0 };
	struct errmsg why;
	int before;

	(void)state;
	set("room.on_demand=false");
	assert_int_equal(join(&a, "unknown", NULL, &why), 0);
	assert_non_null(a.leg);
	RUN_UNTIL(a.closed);
	assert_string_equal(a.code, "room_unknown");
	before = the.replies;
	assert_int_equal(rooms_upsert(the.db, "known", NULL, NULL, on_room, NULL), 0);
	RUN_UNTIL(the.replies > before);
	/* One waits, one has gone before the answer. */
	assert_int_equal(join(&a, "known", NULL, &why), 0);
	assert_int_equal(join(&b, "known", NULL, &why), 0);
	conference_api.mute(the.c, a.leg, TRISTATE_TRUE, TRISTATE_TRUE);
	assert_true(conference_api.record(the.c, a.leg, true, &why) < 0);
	leave(&b, LEAVE_LEFT);
	RUN_UNTIL(a.welcomes);
	RUN_UNTIL(!the.c->pending);
	assert_int_equal(b.welcomes + b.closed, 0);
	/* And one is still waiting when the server stops. */
	leave(&a, LEAVE_LEFT);
	RUN_UNTIL(conference_is_idle(the.c));
	assert_int_equal(join(&c, "known", NULL, &why), 0);
	conference_shutdown(the.c);
	RUN_UNTIL(c.closed);
	assert_string_equal(c.code, "shutting_down");
}

/* Call-backs that call back: everybody leaves as soon as they hear of something. */
static void test_leaving_in_the_middle(void **state)
{
	static const int at[] = { LEG_EVENT_JOINED, LEG_EVENT_LEFT, LEG_EVENT_MUTED, LEG_EVENT_LAYOUT,
				  LEG_EVENT_RECORDING };
	struct errmsg why;

	(void)state;
	for (size_t k = 0; k < sizeof at / sizeof *at; k++) {
		struct front f[5] = { 0 };
		char room[16];

		snprintf(room, sizeof room, "room%zu", k);
		for (int i = 0; i < 4; i++) {
			must_join(&f[i], room);
			if (i % 2)
				f[i].leaves_at = at[k];
		}
		must_join(&f[4], room);
		for (int i = 0; i < 5; i++)
			if (f[i].leg)
				conference_api.mute(the.c, f[i].leg, TRISTATE_TRUE, TRISTATE_TRUE);
		if (f[0].leg)
			assert_int_equal(conference_api.record(the.c, f[0].leg, true, &why), 0);
		for (int i = 0; i < 5; i++)
			if (f[i].leg)
				leave(&f[i], LEAVE_LEFT);
	}
	RUN_UNTIL(conference_is_idle(the.c));
}

static void test_leaving_inside_the_welcome(void **state)
{
	struct front f = { .leaves_at_welcome = true }, other = { 0 };
	struct errmsg why;
	int before;

	(void)state;
	/* Only where the answer comes later is there a handle to leave with. */
	set("room.on_demand=false");
	before = the.replies;
	assert_int_equal(rooms_upsert(the.db, "known", NULL, NULL, on_room, NULL), 0);
	RUN_UNTIL(the.replies > before);
	assert_int_equal(join(&f, "known", NULL, &why), 0);
	RUN_UNTIL(f.welcomes);
	assert_null(f.leg);
	assert_int_equal(join(&other, "known", NULL, &why), 0);
	RUN_UNTIL(other.welcomes);
	assert_int_equal(other.people, 1);
	leave(&other, LEAVE_LEFT);
}

static void test_shutdown_tells_everybody(void **state)
{
	struct front f[3] = { 0 };
	struct errmsg why;

	(void)state;
	for (int i = 0; i < 3; i++)
		must_join(&f[i], i ? "one" : "two");
	conference_shutdown(the.c);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(f[i].closed, 1);
		assert_int_equal(f[i].reason, LEAVE_SHUTDOWN);
		assert_string_equal(f[i].code, "shutting_down");
	}
	assert_true(join(&f[0], "one", NULL, &why) < 0);
	assert_string_equal(why.code, "shutting_down");
}

/* --- recordings ------------------------------------------------------------------ */

static void assert_file(const struct recording_row *row)
{
	char path[512];
	struct stat st;

	snprintf(path, sizeof path, "%s/%s", the.dir, row->path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, row->bytes);
	assert_true(row->bytes > 1000);
	assert_in_range(row->duration_ms, 100, 5000);
}

static void run_for_ms(int ms)
{
	int64_t end = clock_now_ns(&clock_monotonic) + ms * NS_PER_MS;

	while (clock_now_ns(&clock_monotonic) < end)
		turn();
}

static void test_recording_is_told_and_kept(void **state)
{
	struct front a = { 0 }, b = { 0 };
	struct errmsg why;

	(void)state;
	must_join(&a, "room");
	assert_true(conference_api.record(the.c, a.leg, false, &why) < 0);
	assert_string_equal(why.code, "not_recording");
	assert_int_equal(conference_api.record(the.c, a.leg, true, &why), 0);
	assert_int_equal(a.recording, RECORDING_IS_ON);
	assert_true(conference_api.record(the.c, a.leg, true, &why) < 0);
	assert_string_equal(why.code, "already_recording");
	must_join(&b, "room");
	assert_int_equal(b.recording, RECORDING_IS_ON);
	run_for_ms(700);
	assert_int_equal(conference_api.record(the.c, b.leg, false, &why), 0);
	assert_int_equal(a.recording, RECORDING_IS_FINISHING);
	RUN_UNTIL(a.recording == RECORDING_IS_READY);
	assert_int_equal(newest_recording()->state, RECORDING_READY);
	assert_file(&the.row);
	/* And once more in the same room. */
	assert_int_equal(conference_api.record(the.c, a.leg, true, &why), 0);
	leave(&a, LEAVE_LEFT);
	leave(&b, LEAVE_LEFT);
}

/* The file is finished on its own thread, after the room may have gone. */
static void test_recording_outlasts_its_room(void **state)
{
	struct front f = { 0 };
	struct errmsg why;

	(void)state;
	for (int i = 0; i < 3; i++) {
		must_join(&f, "room");
		assert_int_equal(conference_api.record(the.c, f.leg, true, &why), 0);
		run_for_ms(400);
		leave(&f, LEAVE_LEFT);
		RUN_UNTIL(conference_is_idle(the.c));
		assert_int_equal(newest_recording()->state, RECORDING_READY);
		assert_file(&the.row);
	}
}

static void test_shutdown_finishes_recordings(void **state)
{
	struct front f = { 0 };
	struct errmsg why;

	(void)state;
	must_join(&f, "room");
	assert_int_equal(conference_api.record(the.c, f.leg, true, &why), 0);
	run_for_ms(400);
	conference_shutdown(the.c);
	RUN_UNTIL(conference_is_idle(the.c));
	assert_int_equal(newest_recording()->state, RECORDING_READY);
	assert_file(&the.row);
}

/* A folder that cannot be written: the room goes on, everybody is told. */
static void test_recording_that_fails(void **state)
{
	struct front f = { 0 };
	struct errmsg why;
	char path[96];
	FILE *block;

	(void)state;
	snprintf(path, sizeof path, "%s/recordings", the.dir);
	block = fopen(path, "w"); /* where the folder would have to be */
	assert_non_null(block);
	fclose(block);
	must_join(&f, "room");
	assert_int_equal(conference_api.record(the.c, f.leg, true, &why), 0);
	RUN_UNTIL(f.recording == RECORDING_IS_FAILED);
	assert_int_equal(f.closed, 0);
	assert_int_equal(newest_recording()->state, RECORDING_FAILED);
	assert_true(the.row.error[0]);
	/* With the cause gone it works. */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(conference_api.record(the.c, f.leg, true, &why), 0);
	run_for_ms(400);
	assert_int_equal(conference_api.record(the.c, f.leg, false, &why), 0);
	RUN_UNTIL(f.recording == RECORDING_IS_READY);
	leave(&f, LEAVE_LEFT);
}

/* --- metrics --------------------------------------------------------------------- */

/* Every family that the laws are checked by is there, and none is there twice. */
static void test_metrics(void **state)
{
	static const char *const families[] = {
		"mcu_video_encoders", "mcu_audio_encoders", "mcu_video_decoders",
		"mcu_uplink_octets_total", "mcu_frame_interval_seconds", "mcu_audio_ticks_missed_total",
		"mcu_video_ticks_skipped_total", "mcu_listener_mixes", "mcu_tiles",
		"mcu_video_receivers", "mcu_egress_video_dropped_total", "mcu_egress_audio_dropped_total",
		"mcu_video_in_dropped_total", "mcu_audio_in_dropped_total", "mcu_video_out_dropped_total",
		"mcu_audio_out_dropped_total", "mcu_log_dropped_total", "mcu_recorder_dropped_total",
	};
	struct metrics_text t = { 0 };
	struct front f = { 0 };
	GHashTable *seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	char **lines;

	(void)state;
	role_assert_ctl();
	must_join(&f, "room");
	assert_int_equal(metrics_write(&t), 0);
	assert_int_equal(conference_metrics(the.c, &t), 0);
	assert_non_null(strstr(t.text, "mcu_legs{room=\"room\"} 1\n"));
	assert_non_null(strstr(t.text, "mcu_audio_encoders{room=\"room\",kind=\"talker\"} 0\n"));
	lines = g_strsplit(t.text, "\n", 0);
	for (char **l = lines; *l; l++)
		if (g_str_has_prefix(*l, "# TYPE ")) {
			char **word = g_strsplit(*l, " ", 4);

			if (!g_hash_table_add(seen, g_strdup(word[2])))
				fail_msg("%s is there twice", word[2]);
			g_strfreev(word);
		}
	for (size_t i = 0; i < sizeof families / sizeof *families; i++)
		if (!g_hash_table_contains(seen, families[i]))
			fail_msg("%s is missing", families[i]);
	g_strfreev(lines);
	g_hash_table_destroy(seen);
	metrics_text_free(&t);
	leave(&f, LEAVE_LEFT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
		T(test_people_hear_of_each_other),
		T(test_a_name_is_free_while_its_room_winds_down),
		T(test_coming_back_replaces),
		T(test_limits),
		T(test_registered_rooms_only),
		T(test_leaving_in_the_middle),
		T(test_leaving_inside_the_welcome),
		T(test_shutdown_tells_everybody),
		T(test_recording_is_told_and_kept),
		T(test_recording_outlasts_its_room),
		T(test_shutdown_finishes_recordings),
		T(test_recording_that_fails),
		T(test_metrics),
#undef T
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
