/* Participants and rooms as a front end sees them. */
#include "tests/mcu/conference_rig.h"

static void on_room(void *obj, int err, const struct room_row *row)
{
	(void)obj;
	(void)row;
	the.err = err;
	the.replies++;
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
	conference_api.mute(the.c, b.leg, TRISTATE_TRUE, TRISTATE_UNSET, NULL);
	assert_int_equal(a.muted, 1);
	assert_int_equal(b.muted, 1);
	conference_api.mute(the.c, b.leg, TRISTATE_TRUE, TRISTATE_UNSET, NULL);
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
	assert_true(most >= 1); /* the next one came while it was */
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
	/* Whoever comes back has a place. */
	assert_int_equal(join(&c, "one", a.resume, &why), 0);
	assert_int_equal(a.closed, 1);
	leave(&b, LEAVE_LEFT);
	leave(&c, LEAVE_LEFT);
}

/* People of one address, also when they are in different rooms; whoever left makes
 * room for another. */
static void test_address_limit(void **state)
{
	struct front a = { 0 }, b = { 0 }, c = { 0 };
	struct errmsg why;

	(void)state;
	set("limits.participants_per_address=2");
	must_join(&a, "one");
	must_join(&b, "two");
	assert_int_equal(join(&c, "one", NULL, &why), -EUSERS);
	assert_string_equal(why.code, "too_many_from_address");
	assert_non_null(strstr(why.text, "2 people"));
	leave(&a, LEAVE_LEFT);
	must_join(&c, "one");
	leave(&b, LEAVE_LEFT);
	leave(&c, LEAVE_LEFT);
	assert_int_equal(address_count_size(the.c->addresses), 0);
}

/* Callers of a trunk have its address: each number is counted by itself. */
static void test_people_of_a_trunk(void **state)
{
	struct front a = { .origin = "1@itsp" }, b = { .origin = "2@itsp" },
		     c = { .origin = "1@itsp" }, d = { 0 };
	struct errmsg why;

	(void)state;
	set("limits.participants_per_address=1");
	must_join(&a, "one");
	must_join(&b, "one");
	must_join(&d, "one");
	assert_int_equal(join(&c, "one", NULL, &why), -EUSERS);
	assert_string_equal(why.code, "too_many_from_address");
	leave(&a, LEAVE_LEFT);
	must_join(&c, "one");
	leave(&b, LEAVE_LEFT);
	leave(&c, LEAVE_LEFT);
	leave(&d, LEAVE_LEFT);
	assert_int_equal(address_count_size(the.c->addresses), 0);
}

/* Who guesses by a trunk shuts himself out, and nobody else who comes by it. */
static void test_wrong_pins_by_a_trunk(void **state)
{
	struct front a = { 0 }, guesser = { .origin = "1@itsp", .pin = "1235" },
		     other = { .origin = "2@itsp", .pin = "1234" };
	struct client_msg m = { .type = CLIENT_MSG_POLICY, .u.policy.guest_pin = "1234" };
	struct errmsg why;

	(void)state;
	must_join(&a, "room");
	assert_int_equal(conference_api.act(the.c, a.leg, &m, &why), 0);
	for (int i = 0; i < GUESS_PINS_ADDRESS; i++) {
		assert_true(join(&guesser, "room", NULL, &why) < 0);
		assert_string_equal(why.code, "pin_wrong");
	}
	guesser.pin = "1234";
	assert_true(join(&guesser, "room", NULL, &why) < 0);
	assert_string_equal(why.code, "rate_limited");
	must_join(&other, "room");
	leave(&other, LEAVE_LEFT);
	leave(&a, LEAVE_LEFT);
}

/* Nobody takes all rooms: who has opened enough of them joins those that run. */
static void test_rooms_of_an_address(void **state)
{
	struct front a = { 0 }, b = { 0 }, c = { 0 };
	struct errmsg why;

	(void)state;
	set("limits.rooms_per_address=2");
	must_join(&a, "one");
	must_join(&b, "two");
	assert_true(join(&c, "three", NULL, &why) < 0);
	assert_string_equal(why.code, "too_many_from_address");
	assert_non_null(strstr(why.text, "2 rooms"));
	must_join(&c, "two");
	leave(&a, LEAVE_LEFT);
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
	assert_int_equal(begin(&a, "unknown", NULL, &why), 0);
	assert_non_null(a.leg);
	RUN_UNTIL(a.closed);
	assert_string_equal(a.code, "room_unknown");
	before = the.replies;
	assert_int_equal(rooms_upsert(the.db, "known", NULL, NULL, on_room, NULL), 0);
	RUN_UNTIL(the.replies > before);
	/* One waits, one has gone before the answer. */
	assert_int_equal(begin(&a, "known", NULL, &why), 0);
	assert_int_equal(begin(&b, "known", NULL, &why), 0);
	conference_api.mute(the.c, a.leg, TRISTATE_TRUE, TRISTATE_TRUE, NULL);
	assert_true(record(a.leg, RECORD_START, &why) < 0);
	leave(&b, LEAVE_LEFT);
	RUN_UNTIL(a.welcomes);
	RUN_UNTIL(!the.c->pending);
	assert_int_equal(b.welcomes + b.closed, 0);
	/* And one is still waiting when the server stops. */
	leave(&a, LEAVE_LEFT);
	RUN_UNTIL(conference_is_idle(the.c));
	assert_int_equal(begin(&c, "known", NULL, &why), 0);
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
				conference_api.mute(the.c, f[i].leg, TRISTATE_TRUE, TRISTATE_TRUE, NULL);
		if (f[0].leg)
			assert_int_equal(record(f[0].leg, RECORD_START, &why), 0);
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
	assert_int_equal(begin(&f, "known", NULL, &why), 0);
	RUN_UNTIL(f.welcomes);
	assert_null(f.leg);
	assert_int_equal(begin(&other, "known", NULL, &why), 0);
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

/* --- metrics --------------------------------------------------------------------- */

/* Every family that the laws are checked by is there, and none is there twice. */
static void test_metrics(void **state)
{
	static const char *const families[] = {
		"mcu_video_encoders", "mcu_audio_encoders", "mcu_video_decoders",
		"mcu_uplink_octets_total", "mcu_frame_interval_seconds", "mcu_audio_ticks_missed_total",
		"mcu_video_ticks_skipped_total", "mcu_listener_mixes", "mcu_tiles",
		"mcu_views", "mcu_pictures", "mcu_view_encoders",
		"mcu_video_receivers", "mcu_egress_video_dropped_total", "mcu_egress_audio_dropped_total",
		"mcu_video_in_dropped_total", "mcu_audio_in_dropped_total", "mcu_video_out_dropped_total",
		"mcu_audio_out_dropped_total", "mcu_log_dropped_total", "mcu_recorder_dropped_total",
		"mcu_overload_level", "mcu_overload_transitions_total", "mcu_load_ratio", "mcu_processors",
		"mcu_room_video_jobs_late_total", "mcu_room_video_cpu_seconds_total",
		"mcu_admission_refused_total",
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
		T(test_address_limit),
		T(test_people_of_a_trunk),
		T(test_wrong_pins_by_a_trunk),
		T(test_rooms_of_an_address),
		T(test_registered_rooms_only),
		T(test_leaving_in_the_middle),
		T(test_leaving_inside_the_welcome),
		T(test_shutdown_tells_everybody),
		T(test_metrics),
#undef T
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
