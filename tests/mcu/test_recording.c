/* Recordings as a front end sees them. */
#include "tests/mcu/conference_rig.h"

#include "mcu/links.h"

#include <sys/stat.h>

static void on_list(void *obj, int err, const struct recording_row *rows, size_t n)
{
	(void)obj;
	the.err = err;
	if (n)
		the.row = rows[0];
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
	set("room.record=all");
	must_join(&a, "room");
	assert_true(record(a.leg, RECORD_STOP, &why) < 0);
	assert_string_equal(why.code, "not_recording");
	assert_int_equal(record(a.leg, RECORD_START, &why), 0);
	assert_int_equal(a.recording, RECORDING_IS_ON);
	assert_true(record(a.leg, RECORD_START, &why) < 0);
	assert_string_equal(why.code, "already_recording");
	must_join(&b, "room");
	assert_int_equal(b.recording, RECORDING_IS_ON);
	run_for_ms(700);
	assert_int_equal(record(b.leg, RECORD_STOP, &why), 0);
	assert_int_equal(a.recording, RECORDING_IS_FINISHING);
	RUN_UNTIL(a.recording == RECORDING_IS_READY);
	assert_int_equal(newest_recording()->state, RECORDING_READY);
	assert_file(&the.row);
	/* And once more in the same room. */
	assert_int_equal(record(a.leg, RECORD_START, &why), 0);
	leave(&a, LEAVE_LEFT);
	leave(&b, LEAVE_LEFT);
}

/* The link in its address, which is for hosts and ends as others do. */
static void test_hosts_are_told_a_link(void **state)
{
	struct front host = { 0 }, other = { 0 };
	int64_t now_ms = clock_wall_ns() / NS_PER_MS, days = the.config.recording.link_days;
	struct errmsg why;
	const char *link;

	(void)state;
	must_join(&host, "room");
	must_join(&other, "room");
	assert_int_equal(record(host.leg, RECORD_START, &why), 0);
	run_for_ms(700);
	assert_string_equal(host.url, "");
	assert_int_equal(record(host.leg, RECORD_STOP, &why), 0);
	RUN_UNTIL(host.recording == RECORDING_IS_READY && other.recording == RECORDING_IS_READY);
	assert_string_equal(other.url, "");
	newest_recording();
	assert_memory_equal(host.url, "/recordings/", 12);
	link = strrchr(host.url, '/') + 1;
	assert_int_equal(link_check(link, the.link_key, &the.row, now_ms), 0);
	assert_int_equal(link_check(link, the.link_key, &the.row, now_ms + (days + 1) * 86400000),
			 -ETIME);
	leave(&host, LEAVE_LEFT);
	leave(&other, LEAVE_LEFT);
}

/* Within what the server's owner has recorded. */
static void test_what_is_recorded_is_chosen(void **state)
{
	struct front a = { 0 };
	struct errmsg why;
	struct record_wish wish = { .action = RECORD_START, .tracks = TRISTATE_TRUE };

	(void)state;
	must_join(&a, "room");
	assert_false(a.policy.record_tracks || a.policy.record_sound_only);
	assert_int_equal(conference_api.record(the.c, a.leg, &wish, &why), -EPERM);
	assert_string_equal(why.code, "not_recorded_here");
	assert_non_null(strstr(why.text, "recording.tracks"));
	wish = (struct record_wish){ .action = RECORD_START, .video = TRISTATE_FALSE,
				     .container = RECORD_MKV, .sound = RECORD_OPUS };
	assert_int_equal(conference_api.record(the.c, a.leg, &wish, &why), 0);
	assert_true(a.sound_only);
	run_for_ms(700);
	assert_int_equal(record(a.leg, RECORD_STOP, &why), 0);
	RUN_UNTIL(a.recording == RECORDING_IS_READY);
	assert_int_equal(newest_recording()->kind, RECORDING_AUDIO);
	assert_int_equal(the.row.format, RECORDING_MKV);
	assert_string_equal(the.row.audio_codec, "opus");
	set("recording.video=false");
	wish = (struct record_wish){ .action = RECORD_START, .video = TRISTATE_TRUE };
	assert_int_equal(conference_api.record(the.c, a.leg, &wish, &why), -EPERM);
	assert_string_equal(why.code, "not_recorded_here");
	leave(&a, LEAVE_LEFT);
}

static struct recording_event happened[8];
static size_t n_happened;

static void on_events(void *obj, int err, const struct recording_event *rows, size_t n)
{
	(void)obj;
	assert_int_equal(err, 0);
	assert_true(n <= 8);
	n_happened = n;
	memcpy(happened, rows, n * sizeof(*rows));
	the.replies++;
}

/* Who was there at its beginning, who came and who went, by its own time. */
static void test_what_happens_is_noted(void **state)
{
	static const enum recording_event_kind want[] = {
		RECORDING_EVENT_JOINED, RECORDING_EVENT_JOINED, RECORDING_EVENT_LEFT,
	};
	struct front a = { 0 }, b = { 0 };
	struct errmsg why;
	int64_t length_ms;
	int before;

	(void)state;
	must_join(&a, "room");
	assert_int_equal(record(a.leg, RECORD_START, &why), 0);
	run_for_ms(700);
	must_join(&b, "room");
	leave(&b, LEAVE_LEFT);
	assert_int_equal(record(a.leg, RECORD_STOP, &why), 0);
	RUN_UNTIL(a.recording == RECORDING_IS_READY);
	length_ms = newest_recording()->duration_ms;
	assert_int_equal(the.row.finish, RECORDING_FINISH_QUEUED);
	before = the.replies;
	assert_int_equal(recording_events_list(the.db, the.row.id, on_events, NULL), 0);
	RUN_UNTIL(the.replies > before);
	assert_int_equal(n_happened, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(happened[i].kind, want[i]);
		assert_string_equal(happened[i].name, "N");
		assert_true(happened[i].at_ms <= length_ms);
	}
	assert_int_equal(happened[0].at_ms, 0);
	assert_int_equal(happened[1].leg, happened[2].leg);
	assert_true(happened[0].leg != happened[1].leg);
	leave(&a, LEAVE_LEFT);
}

/* The file is finished on its own thread, after the room may have gone. */
static void test_recording_outlasts_its_room(void **state)
{
	struct front f = { 0 };
	struct errmsg why;

	(void)state;
	for (int i = 0; i < 3; i++) {
		must_join(&f, "room");
		assert_int_equal(record(f.leg, RECORD_START, &why), 0);
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
	assert_int_equal(record(f.leg, RECORD_START, &why), 0);
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
	assert_int_equal(record(f.leg, RECORD_START, &why), 0);
	RUN_UNTIL(f.recording == RECORDING_IS_FAILED);
	assert_int_equal(f.closed, 0);
	assert_int_equal(newest_recording()->state, RECORDING_FAILED);
	assert_true(the.row.error[0]);
	/* With the cause gone it works. */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(record(f.leg, RECORD_START, &why), 0);
	run_for_ms(400);
	assert_int_equal(record(f.leg, RECORD_STOP, &why), 0);
	RUN_UNTIL(f.recording == RECORDING_IS_READY);
	leave(&f, LEAVE_LEFT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
		T(test_recording_is_told_and_kept),
		T(test_hosts_are_told_a_link),
		T(test_what_is_recorded_is_chosen),
		T(test_what_happens_is_noted),
		T(test_recording_outlasts_its_room),
		T(test_shutdown_finishes_recordings),
		T(test_recording_that_fails),
#undef T
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
