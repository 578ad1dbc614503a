/* What people are told of each other's connections. */
#include "tests/mcu/conference_rig.h"

static void test_quality_is_told(void **state)
{
	struct front a = { 0 }, b = { 0 };

	(void)state;
	must_join(&a, "room");
	participant_watcher.connected(a.leg);
	RUN_UNTIL(a.qualities);
	assert_int_equal(a.scores, 1);
	/* Who comes learns all, who was there what is new; nothing is repeated. */
	must_join(&b, "room");
	participant_watcher.connected(b.leg);
	RUN_UNTIL(b.qualities);
	assert_int_equal(b.scores, 2);
	RUN_UNTIL(a.qualities == 2);
	assert_int_equal(a.scores, 1);
	leave(&b, LEAVE_LEFT);
	leave(&a, LEAVE_LEFT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_quality_is_told, set_up, tear_down),
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
