/* What a schedule does to a room that runs. */
#include "mcu/agenda.h"
#include "tests/mcu/conference_rig.h"

static void its_time_is_over(void **state)
{
	struct front a = { 0 }, b = { 0 }, other = { 0 }, again = { 0 };

	(void)state;
	role_assert_ctl();
	must_join(&a, "class");
	must_join(&b, "class");
	must_join(&other, "other");
	conference_agenda_events.close(the.c, "class");
	RUN_UNTIL(a.closed && b.closed);
	assert_int_equal(a.reason, LEAVE_KICKED);
	assert_string_equal(a.code, "room_closed");
	assert_int_equal(conference_people(the.c, "class"), 0);
	assert_int_equal(conference_people(the.c, "other"), 1);
	/* one that does not run is left alone, and the room can be opened anew */
	conference_agenda_events.close(the.c, "class");
	conference_agenda_events.close(the.c, "nowhere");
	must_join(&again, "class");
	assert_int_equal(conference_people(the.c, "class"), 1);
	leave(&again, LEAVE_LEFT);
	leave(&other, LEAVE_LEFT);
}

static void nobody_is_not_recorded(void **state)
{
	(void)state;
	role_assert_ctl();
	char id[AGENDA_ID_SIZE] = "1";

	assert_int_not_equal(conference_agenda_events.record(the.c, "nowhere", true, id), 0);
	assert_int_not_equal(conference_agenda_events.record(the.c, "nowhere", false, id), 0);
}

static void run_for_ms(int ms)
{
	int64_t end = clock_now_ns(&clock_monotonic) + ms * NS_PER_MS;

	while (clock_now_ns(&clock_monotonic) < end)
		turn();
}

/* A host has stopped it and begun one of his own: that one goes on. */
static void only_its_own_recording_ends(void **state)
{
	char id[AGENDA_ID_SIZE] = "", again[AGENDA_ID_SIZE] = "";
	struct front a = { 0 };
	struct errmsg why;

	(void)state;
	role_assert_ctl();
	must_join(&a, "class");
	assert_int_equal(conference_agenda_events.record(the.c, "class", true, id), 0);
	assert_true(id[0]);
	assert_int_not_equal(conference_agenda_events.record(the.c, "class", true, again), 0);
	run_for_ms(400);
	assert_int_equal(record(a.leg, RECORD_STOP, &why), 0);
	RUN_UNTIL(a.recording == RECORDING_IS_READY);
	assert_int_equal(record(a.leg, RECORD_START, &why), 0);
	assert_int_not_equal(conference_agenda_events.record(the.c, "class", false, id), 0);
	run_for_ms(400);
	assert_int_equal(a.recording, RECORDING_IS_ON);
	assert_int_equal(record(a.leg, RECORD_STOP, &why), 0);
	RUN_UNTIL(a.recording == RECORDING_IS_READY);
	/* its own does */
	assert_int_equal(conference_agenda_events.record(the.c, "class", true, id), 0);
	run_for_ms(400);
	assert_int_equal(conference_agenda_events.record(the.c, "class", false, id), 0);
	RUN_UNTIL(a.recording == RECORDING_IS_READY);
	leave(&a, LEAVE_LEFT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(its_time_is_over, set_up, tear_down),
		cmocka_unit_test_setup_teardown(only_its_own_recording_ends, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nobody_is_not_recorded, set_up, tear_down),
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
