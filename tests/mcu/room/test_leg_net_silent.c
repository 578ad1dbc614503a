/* Receivers that are there, but say nothing. */
#include "tests/mcu/room/leg_net_rig.h"

static void report(void)
{
	uint8_t data[200];
	struct rtcp_builder b;

	rtcp_build_init(&b, data, sizeof data);
	rtcp_build_rr(&b, 1, NULL, 0);
	receive_rtcp(&b);
}

static void start(void)
{
	role_assert_ctl();
	connect_leg(false);
	leg_net_watch(the.l, ENCODE);
	run();
	assert_int_equal(the.watched, ENCODE);
}

static void test_who_stops_reporting_is_sent_nothing(void **state)
{
	(void)state;
	start();
	report();
	for (int i = 0; i < 60; i++) { /* once in a while is enough */
		advance(10000);
		report();
	}
	assert_int_equal(the.watched, ENCODE);
	advance(LEG_SILENT_MS);
	assert_int_equal(the.watched, ENCODE);
	advance(LEG_VIEWER_TICK_MS);
	assert_int_equal(the.watched, 0);
	assert_int_equal(the.listened, 0);
	assert_true(the.timer_runs);
	/* Our reports go on: it is they that are answered. */
	the.rtcp_len = 0;
	advance(LEG_VIEWER_TICK_MS);
	assert_true(the.rtcp_len > 0);
	/* Nothing that happens meanwhile makes it receive again. */
	leg_net_watch(the.l, ENCODE + 1);
	run();
	assert_int_equal(the.watched, 0);
	report();
	assert_int_equal(the.watched, ENCODE + 1);
	assert_true(the.listened != 0);
	assert_int_equal(the.lost, 0);
	run();
}

/* There are endpoints without RTCP. */
static void test_who_never_reported_is_served(void **state)
{
	(void)state;
	start();
	advance(10 * LEG_SILENT_MS);
	assert_int_equal(the.watched, ENCODE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
		T(test_who_stops_reporting_is_sent_nothing),
		T(test_who_never_reported_is_served),
#undef T
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
