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

/* Nothing goes on meanwhile: CTL need not keep the old encode for it. */
static void test_silence_ends_a_change_of_encodes(void **state)
{
	(void)state;
	start();
	report();
	the.changes = true;
	leg_net_watch(the.l, ENCODE + 1);
	run();
	assert_int_equal(the.told, ENCODE);
	the.changes = false;
	advance(LEG_SILENT_MS + LEG_VIEWER_TICK_MS);
	run();
	assert_int_equal(the.watched, 0);
	assert_int_equal(the.told, ENCODE + 1);
	/* It may have been told to change again: the newest is what it has. */
	leg_net_watch(the.l, ENCODE + 2);
	run();
	the.told = 0;
	report();
	run();
	assert_int_equal(the.watched, ENCODE + 2);
	assert_int_equal(the.told, ENCODE + 2);
}

/* There are endpoints without RTCP. */
static void test_who_never_reported_is_served(void **state)
{
	(void)state;
	start();
	advance(10 * LEG_SILENT_MS);
	assert_int_equal(the.watched, ENCODE);
}

/* It is not said to have what it has not, and gets it as soon as it can be. */
static void test_without_memory_it_is_tried_again(void **state)
{
	(void)state;
	start();
	the.no_memory = true;
	the.told = 0;
	leg_net_watch(the.l, ENCODE + 1);
	run();
	advance(3 * LEG_VIEWER_TICK_MS);
	run();
	assert_int_equal(the.watched, ENCODE);
	assert_int_equal(the.told, 0);
	the.no_memory = false;
	advance(LEG_VIEWER_TICK_MS);
	run();
	assert_int_equal(the.watched, ENCODE + 1);
	assert_int_equal(the.told, ENCODE + 1);
	/* once */
	the.told = 0;
	advance(3 * LEG_VIEWER_TICK_MS);
	run();
	assert_int_equal(the.told, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
		T(test_who_stops_reporting_is_sent_nothing),
		T(test_silence_ends_a_change_of_encodes),
		T(test_who_never_reported_is_served),
		T(test_without_memory_it_is_tried_again),
#undef T
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
