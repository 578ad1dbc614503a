/* What a room's picture allocates when nobody comes or goes: nothing by our own
 * objects (L7). Those are linked with the allocation functions wrapped, which the
 * libraries are not; theirs are counted apart and printed. */
#include "tests/mcu/room/room_video_rig.h"
#include "tests/support/alloc_count.h"

/* Of the ticks alone, without what the rig makes for them. */
static size_t steady_ours, steady_all;

enum { SETTLE = 60, TICKS = 90 };

/* Both cameras send another grey each time, and the border moves from one to the
 * other: every tick decodes two pictures, composes, encodes, and packs packets. */
static void run_ticks(struct rig *r, int n)
{
	for (int i = 0; i < n; i++) {
		size_t all_before, ours_before;

		for (int k = 0; k < LEGS; k++)
			shoot(r, &r->cam[k], (uint8_t)(60 + 7 * ((i + 5 * k) % 20)), rig_now(r));
		r->n_out = 0;
		all_before = allocations;
		ours_before = ours;
		rig_advance(r, 33);
		steady_all += allocations - all_before;
		steady_ours += ours - ours_before;
	}
}

static void test_steady_state_allocates_nothing(void **state)
{
	struct tick_stats before, after;
	struct video_leg_stats leg;
	struct rig *r;
	uint64_t frames;

	(void)state;
	role_assert_ctl();
	r = rig_open();
	r->moving = true;
	for (int k = 0; k < LEGS; k++)
		video_leg_set_wanted(r->cam[k].leg, true);
	rig_route(r, true, 0);
	run_ticks(r, SETTLE);
	tick_get_stats(r->tick, &before);
	steady_ours = steady_all = 0;
	run_ticks(r, TICKS);
	tick_get_stats(r->tick, &after);
	for (int k = 0; k < LEGS; k++) {
		video_leg_get_stats(r->cam[k].leg, &leg);
		assert_true(leg.decoded >= TICKS);
	}
	frames = after.frames - before.frames - (after.unchanged - before.unchanged);
	assert_in_range(frames, TICKS * 8 / 10, TICKS + 1);
	print_message("%zu allocations of ours, %.1f of libraries per picture that was encoded\n",
		      steady_ours, (double)(steady_all - steady_ours) / (double)frames);
	assert_int_equal(steady_ours, 0);
	rig_close(r);
}

/* The wrapping is in force: a routing is made by our own objects alone. */
static void test_ours_are_counted(void **state)
{
	struct routing *s;
	size_t all_before = allocations, ours_before = ours;

	(void)state;
	role_assert_ctl();
	s = routing_new(1, 1, 1);
	assert_non_null(s);
	assert_true(ours > ours_before);
	assert_int_equal(allocations - all_before, ours - ours_before);
	routing_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ours_are_counted),
		cmocka_unit_test(test_steady_state_allocates_nothing),
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
