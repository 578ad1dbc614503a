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
	assert_int_not_equal(conference_agenda_events.record(the.c, "nowhere", true), 0);
	assert_int_not_equal(conference_agenda_events.record(the.c, "nowhere", false), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(its_time_is_over, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nobody_is_not_recorded, set_up, tear_down),
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
