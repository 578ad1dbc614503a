/* Rooms that open and are recorded by schedules, and templates; the clock is the test's. */
#include "mcu/agenda.h"

#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MINUTE INT64_C(60000)
#define DAY (1440 * MINUTE)
#define NINE (1795219200 * INT64_C(1000)) /* Saturday 2026-11-21, 09:00 in Seoul */

static int64_t now;
static int closed, started, stopped;
static bool recordable;
static char closed_room[65], stopped_id[AGENDA_ID_SIZE];

static int64_t test_clock(void)
{
	return now;
}

static void on_close(void *ctx, const char *room)
{
	(void)ctx;
	closed++;
	snprintf(closed_room, sizeof closed_room, "%s", room);
}

static int on_record(void *ctx, const char *room, bool start, char id[AGENDA_ID_SIZE])
{
	(void)ctx;
	assert_string_equal(room, "class");
	if (start && !recordable)
		return -1;
	*(start ? &started : &stopped) += 1;
	if (start)
		snprintf(id, AGENDA_ID_SIZE, "id %d", started);
	else
		snprintf(stopped_id, sizeof stopped_id, "%s", id);
	return 0;
}

static struct agenda *begin(void)
{
	static const struct agenda_events events = { on_close, on_record };
	struct agenda_cfg cfg = { .now_ms = test_clock, .events = &events };
	struct agenda *a;

	role_assert_ctl();
	closed = started = stopped = 0;
	recordable = false;
	assert_int_equal(agenda_new(&a, &cfg), 0);
	return a;
}

static struct schedule_row daily(int64_t id, bool record, int start, int minutes)
{
	struct schedule_row r = { .id = id, .record = record, .enabled = true, .room = "class",
				  .zone = "Asia/Seoul", .repeat = "daily", .first_day = "2026-11-01",
				  .start_minute = start, .minutes = minutes };

	return r;
}

static void look(struct agenda *a, int64_t at)
{
	role_assert_ctl();
	now = at;
	agenda_look(a);
}

static bool is_open(struct agenda *a, const char *room, int64_t want_next)
{
	int64_t next;
	bool open;

	role_assert_ctl();
	open = agenda_is_open(a, room, &next);
	if (!open)
		assert_int_equal(next, want_next);
	return open;
}

static void a_room_opens_and_closes(void **state)
{
	struct schedule_row rows[] = { daily(1, false, 9 * 60, 60), daily(2, false, 14 * 60, 60),
				       daily(3, false, 11 * 60, 60) };
	struct agenda *a = begin();

	(void)state;
	role_assert_ctl();
	rows[2].enabled = false;
	now = NINE - 1;
	agenda_set_schedules(a, rows, 3);
	assert_false(is_open(a, "class", NINE));
	assert_true(is_open(a, "other", 0));
	assert_true(is_open(NULL, "class", 0));
	look(a, NINE);
	assert_true(is_open(a, "class", 0));
	look(a, NINE + 60 * MINUTE - 1);
	assert_int_equal(closed, 0);
	look(a, NINE + 60 * MINUTE);
	assert_int_equal(closed, 1);
	assert_string_equal(closed_room, "class");
	assert_false(is_open(a, "class", NINE + 300 * MINUTE));
	/* once: who let himself in afterwards, as a host may, stays */
	look(a, NINE + 61 * MINUTE);
	assert_int_equal(closed, 1);
	/* a look that comes late, after the clock was set, closes it still */
	look(a, NINE + DAY + 10 * MINUTE);
	look(a, NINE + DAY + 200 * MINUTE);
	assert_int_equal(closed, 2);
	agenda_free(&a);
}

static void times_that_join_do_not_close(void **state)
{
	struct schedule_row rows[] = { daily(1, false, 9 * 60, 60), daily(2, false, 9 * 60 + 30, 120) };
	struct agenda *a = begin();

	(void)state;
	role_assert_ctl();
	now = NINE;
	agenda_set_schedules(a, rows, 2);
	look(a, NINE + 40 * MINUTE);
	look(a, NINE + 70 * MINUTE); /* the first is over, the second is not */
	assert_int_equal(closed, 0);
	look(a, NINE + 150 * MINUTE);
	assert_int_equal(closed, 1);
	/* read anew in the middle: what was on stays so */
	look(a, NINE + DAY);
	agenda_set_schedules(a, rows, 1);
	look(a, NINE + DAY + 60 * MINUTE);
	assert_int_equal(closed, 2);
	/* one that is deleted while it is on does not close the room */
	look(a, NINE + 2 * DAY);
	agenda_set_schedules(a, NULL, 0);
	look(a, NINE + 2 * DAY + 60 * MINUTE);
	assert_int_equal(closed, 2);
	assert_true(is_open(a, "class", 0));
	agenda_free(&a);
}

static void a_recording_begins_when_somebody_is_there(void **state)
{
	struct schedule_row row = daily(1, true, 9 * 60, 60);
	struct agenda *a = begin();

	(void)state;
	role_assert_ctl();
	now = NINE - 5 * MINUTE;
	agenda_set_schedules(a, &row, 1);
	assert_true(is_open(a, "class", 0)); /* it opens nothing, and closes nothing */
	look(a, NINE);
	assert_int_equal(started, 0);
	recordable = true;
	look(a, NINE + 2000);
	assert_int_equal(started, 1);
	look(a, NINE + 4000);
	assert_int_equal(started, 1); /* a host may stop it, then it stays so */
	look(a, NINE + 60 * MINUTE);
	assert_int_equal(stopped, 1);
	assert_string_equal(stopped_id, "id 1");
	look(a, NINE + 61 * MINUTE);
	assert_int_equal(stopped, 1);
	look(a, NINE + DAY);
	assert_int_equal(started, 2);
	agenda_set_schedules(a, &row, 1); /* read anew: it goes on */
	/* nobody came: nothing to stop */
	recordable = false;
	look(a, NINE + DAY + 60 * MINUTE);
	assert_int_equal(stopped, 2);
	assert_string_equal(stopped_id, "id 2");
	look(a, NINE + 2 * DAY);
	look(a, NINE + 2 * DAY + 60 * MINUTE);
	assert_int_equal(started, 2);
	assert_int_equal(stopped, 2);
	assert_int_equal(closed, 0);
	agenda_free(&a);
}

static void templates_make_rules(void **state)
{
	static const struct template_row rows[] = {
		{ "class", "class-*", "{\"lobby\":true,\"max_participants\":30,\"record\":\"nobody\","
				      "\"title\":\"A class\"}" },
		{ "open", "", "{\"unmute\":false}" },
		{ "all", "*", "{\"locked\":true}" },
	};
	struct agenda *a = begin();
	char title[DB_NAME_MAX + 1] = "as it was";
	struct room_rules r = { .unmute = true };

	(void)state;
	role_assert_ctl();
	agenda_set_templates(a, rows, 3);
	agenda_rules(a, "class-3b", &r);
	assert_true(r.lobby && r.unmute && !r.locked);
	assert_int_equal(r.max_participants, 30);
	assert_string_equal(r.record, "nobody");
	r = (struct room_rules){ .unmute = true };
	agenda_rules(a, "classroom", &r);
	assert_true(r.locked && !r.lobby);
	agenda_rules(NULL, "classroom", &r);
	r = (struct room_rules){ .unmute = true };
	assert_true(agenda_template(a, "open", &r, title));
	assert_false(r.unmute);
	assert_string_equal(title, "as it was");
	assert_true(agenda_template(a, "class", &r, title));
	assert_string_equal(title, "A class");
	assert_false(agenda_template(a, "nobody's", &r, title));
	agenda_free(&a);
}

static void bodies_are_read_strictly(void **state)
{
	static const char *const bad_schedules[] = {
		"", "{}", "[]", "{\"action\":\"open\"}",
		"{\"action\":\"explode\",\"zone\":\"UTC\",\"repeat\":\"daily\",\"from\":\"2026-11-21\",\"start\":\"09:00\",\"minutes\":60}",
		"{\"action\":\"open\",\"zone\":\"Mars\",\"repeat\":\"daily\",\"from\":\"2026-11-21\",\"start\":\"09:00\",\"minutes\":60}",
		"{\"action\":\"open\",\"zone\":\"../../etc/passwd\",\"repeat\":\"daily\",\"from\":\"2026-11-21\",\"start\":\"09:00\",\"minutes\":60}",
		"{\"action\":\"open\",\"zone\":\"UTC\",\"repeat\":\"yearly\",\"from\":\"2026-11-21\",\"start\":\"09:00\",\"minutes\":60}",
		"{\"action\":\"open\",\"zone\":\"UTC\",\"repeat\":\"weekly\",\"from\":\"2026-11-21\",\"start\":\"09:00\",\"minutes\":60}",
		"{\"action\":\"open\",\"zone\":\"UTC\",\"repeat\":\"weekly\",\"weekdays\":[8],\"from\":\"2026-11-21\",\"start\":\"09:00\",\"minutes\":60}",
		"{\"action\":\"open\",\"zone\":\"UTC\",\"repeat\":\"daily\",\"from\":\"2026-02-30\",\"start\":\"09:00\",\"minutes\":60}",
		"{\"action\":\"open\",\"zone\":\"UTC\",\"repeat\":\"daily\",\"from\":\"2026-11-21\",\"to\":\"2026-11-20\",\"start\":\"09:00\",\"minutes\":60}",
		"{\"action\":\"open\",\"zone\":\"UTC\",\"repeat\":\"daily\",\"from\":\"2026-11-21\",\"start\":\"25:00\",\"minutes\":60}",
		"{\"action\":\"open\",\"zone\":\"UTC\",\"repeat\":\"daily\",\"from\":\"2026-11-21\",\"start\":\"09:00\",\"minutes\":0}",
		"{\"action\":\"open\",\"zone\":\"UTC\",\"repeat\":\"daily\",\"from\":\"2026-11-21\",\"start\":\"09:00\",\"minutes\":1441}",
	};
	static const char *const bad_templates[] = {
		"{}", "{\"settings\":[]}", "{\"settings\":{\"owner\":\"me\"}}", "{\"settings\":{\"lobby\":1}}",
		"{\"settings\":{\"record\":\"me\"}}", "{\"settings\":{},\"pattern\":\"a b\"}",
		"{\"settings\":{\"guest_pin\":\"1234\"}}", "{\"settings\":{\"max_participants\":-1}}",
	};
	struct schedule_row s;
	struct template_row t;
	struct schedule when;
	struct zone *zone;

	(void)state;
	for (size_t i = 0; i < sizeof bad_schedules / sizeof *bad_schedules; i++) {
		struct errmsg why = { 0 };

		if (!agenda_read_schedule(bad_schedules[i], strlen(bad_schedules[i]), &s, &why))
			fail_msg("%s is taken", bad_schedules[i]);
		assert_string_equal(why.code, "bad_json");
	}
	for (size_t i = 0; i < sizeof bad_templates / sizeof *bad_templates; i++) {
		struct errmsg why = { 0 };

		if (!agenda_read_template(bad_templates[i], strlen(bad_templates[i]), &t, &why))
			fail_msg("%s is taken", bad_templates[i]);
		assert_string_equal(why.code, "bad_json");
	}
	const char *good = "{\"action\":\"record\",\"zone\":\"Europe/Berlin\",\"repeat\":\"weekly\","
			   "\"weekdays\":[\"mon\",\"sun\"],\"from\":\"2026-11-21\",\"to\":\"2027-01-01\","
			   "\"start\":\"09:30\",\"minutes\":90,\"title\":\"'; DROP TABLE rooms; --\"}";
	struct errmsg why;

	assert_int_equal(agenda_read_schedule(good, strlen(good), &s, &why), 0);
	assert_true(s.record && s.enabled && s.weekdays == 65 && s.start_minute == 570);
	assert_true(agenda_compile(&when, &zone, &s));
	assert_int_equal(when.last.year, 2027);
	zone_free(&zone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_room_opens_and_closes),
		cmocka_unit_test(times_that_join_do_not_close),
		cmocka_unit_test(a_recording_begins_when_somebody_is_there),
		cmocka_unit_test(templates_make_rules),
		cmocka_unit_test(bodies_are_read_strictly),
	};

	role_enter(ROLE_ID_CTL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
