#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mcu/base/clock.h"
#include "mcu/room/beat.h"

static void every_beat_is_found_from_all_sides(void **state)
{
	static const int rates[] = { 1, 5, 10, 15, 24, 25, 29, 30, 50, 60 };

	(void)state;
	for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
		for (uint32_t room = 1; room < 20; room++) {
			struct beat b = beat_of_room(room, rates[i]);

			/* at the start, and after half a year */
			for (int64_t n = 1; n < 600000000; n = n < 100 ? n + 1 : n * 7 + 3) {
				int64_t at = beat_time_ns(&b, n);

				assert_int_equal(beat_last(&b, at), n);
				assert_int_equal(beat_next(&b, at), n);
				assert_int_equal(beat_last(&b, at - 1), n - 1);
				assert_int_equal(beat_next(&b, at - 1), n);
				assert_int_equal(beat_last(&b, at + 1), n);
				assert_int_equal(beat_next(&b, at + 1), n + 1);
			}
		}
	}
}

static void beats_do_not_drift(void **state)
{
	struct beat b = { .fps = 30, .phase_ns = 7 };

	(void)state;
	assert_int_equal(beat_time_ns(&b, 30LL * 86400), 86400 * NS_PER_S + 7);
	assert_int_equal(beat_last(&b, 0), 0);
	assert_int_equal(beat_next(&b, 0), 0);
}

/* Half the rate: every other beat. */
static void a_lower_rate_has_some_of_the_same_beats(void **state)
{
	struct beat b = beat_of_room(3, 30), half = b;

	(void)state;
	half.fps = 15;
	for (int64_t n = 0; n < 1000; n++)
		assert_int_equal(beat_time_ns(&half, n), beat_time_ns(&b, 2 * n));
}

/* Any number of rooms leaves no gap that is much larger than its fair share. */
static void rooms_are_spread(void **state)
{
	enum { FPS = 25, INTERVAL = 1000000000 / FPS };

	(void)state;
	for (uint32_t rooms = 2; rooms < 50; rooms++) {
		for (uint32_t i = 0; i < rooms; i++) {
			int64_t own = beat_of_room(i, FPS).phase_ns, nearest = INTERVAL;

			assert_in_range(own, 0, INTERVAL - 1);
			for (uint32_t k = 0; k < rooms; k++) {
				int64_t after = beat_of_room(k, FPS).phase_ns - own;

				if (after <= 0)
					after += INTERVAL;
				if (k != i && after < nearest)
					nearest = after;
			}
			assert_true(nearest < 3 * INTERVAL / (int64_t)rooms);
			assert_true(nearest > INTERVAL / (int64_t)rooms / 3);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_beat_is_found_from_all_sides),
		cmocka_unit_test(beats_do_not_drift),
		cmocka_unit_test(a_lower_rate_has_some_of_the_same_beats),
		cmocka_unit_test(rooms_are_spread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
