#include "tests/mcu/room/leg_net_rig.h"

/* Sound is read in step with the audio ticks, pictures at once. */
static void test_who_sends_pictures_is_read_at_once(void **state)
{
	(void)state;
	role_assert_ctl();
	connect_leg(true);
	receive_sound(0);
	assert_false(the.hurried);
	receive_picture(100, true);
	assert_true(the.hurried);
	for (uint16_t i = 1; i < 60; i++) {
		advance(20);
		receive_sound(i);
		receive_picture((uint16_t)(100 + i), false);
	}
	assert_true(the.hurried);
	advance(1980);
	assert_true(the.hurried);
	advance(60);
	assert_false(the.hurried);
	receive_sound(61);
	receive_picture(161, false);
	assert_true(the.hurried);
	receive_sound(62);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_who_sends_pictures_is_read_at_once, set_up,
						tear_down),
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
