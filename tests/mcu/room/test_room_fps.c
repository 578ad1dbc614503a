/* The rate of a room's pictures, lowered and raised while it runs. */
#include "tests/mcu/room/room_video_rig.h"

/* What came out since `from` is evenly spaced; the last of it. */
static size_t check_pace(const struct rig *r, size_t from, int64_t interval_ns)
{
	for (size_t i = from + 1; i < r->n_out; i++) {
		const struct out *a = &r->out[i - 1], *b = &r->out[i];

		assert_in_range(b->time_ns - a->time_ns, interval_ns - 2, interval_ns + 2);
		assert_in_range(b->ts - a->ts, (uint64_t)interval_ns * 9 / 100000 - 1,
				(uint64_t)interval_ns * 9 / 100000 + 2);
		assert_int_equal(b->first_index, a->first_index + a->n);
		assert_false(b->key);
	}
	return r->n_out;
}

static void test_fewer_pictures_and_back(void **state)
{
	static const int rates[] = { 20, 15, 10, 1, 10, 20, FPS };
	struct rig *r;

	(void)state;
	role_assert_ctl();
	r = rig_open_moving();
	rig_route(r, true, 0);
	rig_advance(r, 1000);
	for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
		size_t from;

		tick_set_fps(r->tick, rates[i]);
		video_encode_set_fps(r->encode, rates[i]);
		/* one more may come at the rate of before */
		rig_advance(r, 2000);
		for (from = r->n_out; r->out[from - 1].time_ns > rig_now(r) - NS_PER_S;)
			from--;
		check_pace(r, from, NS_PER_S / rates[i]);
		assert_in_range(r->n_out - from, rates[i], rates[i] + 1);
		for (size_t k = 1; k < r->n_out; k++)
			assert_true(r->out[k].time_ns > r->out[k - 1].time_ns);
	}
	rig_close(r);
}

static void test_a_still_room_takes_its_rate_later(void **state)
{
	struct rig *r;
	size_t n;

	(void)state;
	role_assert_ctl();
	r = rig_open_moving();
	tick_set_fps(r->tick, 10);
	rig_advance(r, 500);
	rig_route(r, true, 0);
	rig_advance(r, 1000);
	n = r->n_out;
	assert_in_range(n, 10, 11);
	check_pace(r, 0, NS_PER_S / 10);
	/* nobody watches, then somebody does */
	rig_route(r, false, 0);
	rig_advance(r, 1000);
	n = r->n_out;
	tick_set_fps(r->tick, FPS);
	rig_route(r, true, 0);
	rig_advance(r, 1000);
	assert_in_range(r->n_out - n, FPS, FPS + 1);
	rig_close(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fewer_pictures_and_back),
		cmocka_unit_test(test_a_still_room_takes_its_rate_later),
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
