#include "mcu/schedule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define H INT64_C(3600000)
#define MIN INT64_C(60000)
#define BERLIN_2026_03_28 (1774652400 * INT64_C(1000)) /* midnight there */
#define BERLIN_2026_10_24 (1792792800 * INT64_C(1000))

static const struct zone_day spring = { 2026, 3, 28 }, autumn = { 2026, 10, 24 }; /* Saturdays */

static void check_slots(const struct schedule *s, int64_t from, const int64_t *want, size_t n)
{
	struct schedule_slot slot;

	for (size_t i = 0; i < n; i++) {
		assert_true(schedule_next(s, from, &slot));
		if (slot.from_ms != want[i])
			fail_msg("slot %zu begins at %lld, not %lld", i, (long long)slot.from_ms / 1000,
				 (long long)want[i] / 1000);
		assert_int_equal(slot.until_ms - slot.from_ms, s->minutes * MIN);
		from = slot.from_ms;
	}
}

/* At the same time of the clocks, so after 23 hours once, and after 25 once. */
static void every_day_by_the_clocks(void **state)
{
	struct zone *z = zone_new("Europe/Berlin");
	struct schedule s = { .zone = z, .repeat = SCHEDULE_DAILY, .first = spring, .start_minute = 9 * 60,
			      .minutes = 90 };
	int64_t at = BERLIN_2026_03_28 + 9 * H;

	(void)state;
	check_slots(&s, 0, (int64_t[]){ at, at + 23 * H, at + 47 * H, at + 71 * H }, 4);
	s.first = autumn;
	at = BERLIN_2026_10_24 + 9 * H;
	check_slots(&s, 0, (int64_t[]){ at, at + 25 * H, at + 49 * H }, 3);
	/* a time that clocks leave out, and one that they show twice: once each */
	s.start_minute = 2 * 60 + 30;
	s.first = spring;
	at = BERLIN_2026_03_28 + 2 * H + 30 * MIN;
	check_slots(&s, 0, (int64_t[]){ at, at + 23 * H + 30 * MIN, at + 47 * H }, 3);
	s.first = autumn;
	at = BERLIN_2026_10_24 + 2 * H + 30 * MIN;
	check_slots(&s, 0, (int64_t[]){ at, at + 24 * H, at + 49 * H }, 3);
	zone_free(&z);
}

static void on_days_of_the_week(void **state)
{
	struct zone *z = zone_new("Asia/Seoul");
	/* 2026-11-21 is a Saturday; Monday and Thursday, 09:00 */
	struct schedule s = { .zone = z, .repeat = SCHEDULE_WEEKLY, .weekdays = 1 | 8,
			      .first = { 2026, 11, 21 }, .last = { 2026, 11, 30 }, .start_minute = 540,
			      .minutes = 50 };
	int64_t monday = (1795219200 + 2 * 86400) * INT64_C(1000);
	struct schedule_slot slot;

	(void)state;
	check_slots(&s, 0, (int64_t[]){ monday, monday + 72 * H, monday + 7 * 24 * H }, 3);
	assert_false(schedule_next(&s, monday + 7 * 24 * H, &slot));
	assert_true(schedule_next(&s, monday + 7 * 24 * H - 1, &slot));
	assert_false(schedule_at(&s, monday - 1, &slot));
	assert_true(schedule_at(&s, monday, &slot));
	assert_int_equal(slot.from_ms, monday);
	assert_true(schedule_at(&s, monday + 50 * MIN - 1, &slot));
	assert_false(schedule_at(&s, monday + 50 * MIN, &slot));
	s.weekdays = 0;
	assert_false(schedule_next(&s, 0, &slot));
	zone_free(&z);
}

static void once_is_once(void **state)
{
	struct zone *z = zone_new("America/New_York");
	struct schedule s = { .zone = z, .repeat = SCHEDULE_ONCE, .first = { 2026, 11, 20 },
			      .start_minute = 19 * 60, .minutes = 60 };
	int64_t at = 1795219200 * INT64_C(1000);
	struct schedule_slot slot;

	(void)state;
	assert_true(schedule_next(&s, 0, &slot));
	assert_int_equal(slot.from_ms, at);
	assert_true(schedule_next(&s, at - 300 * 86400 * INT64_C(1000), &slot));
	assert_false(schedule_next(&s, at, &slot));
	assert_true(schedule_at(&s, at + 59 * MIN, &slot));
	zone_free(&z);
}

/* Over midnight, over a night that has an hour more, and without a gap between two. */
static void slots_pass_midnight(void **state)
{
	struct zone *z = zone_new("Europe/Berlin");
	struct schedule s = { .zone = z, .repeat = SCHEDULE_DAILY, .first = autumn, .start_minute = 23 * 60,
			      .minutes = 120 };
	struct schedule_slot slot;
	int64_t at = BERLIN_2026_10_24 + 23 * H;

	(void)state;
	assert_true(schedule_at(&s, at + 119 * MIN, &slot));
	assert_int_equal(slot.from_ms, at);
	assert_false(schedule_at(&s, at + 120 * MIN, &slot));
	s.minutes = 1440;
	/* the day has 25 hours, the slot 24: an hour between them */
	assert_true(schedule_at(&s, at + 24 * H - 1, &slot));
	assert_false(schedule_at(&s, at + 24 * H, &slot));
	assert_true(schedule_at(&s, at + 25 * H, &slot));
	assert_int_equal(slot.from_ms, at + 25 * H);
	/* and where it has 23 hours they overlap: the later one */
	s.first = spring;
	at = BERLIN_2026_03_28 + 23 * H;
	s.start_minute = 0;
	assert_true(schedule_at(&s, BERLIN_2026_03_28 + 47 * H + 30 * MIN, &slot));
	assert_int_equal(slot.from_ms, BERLIN_2026_03_28 + 47 * H);
	zone_free(&z);
}

static void words_are_read(void **state)
{
	(void)state;
	assert_int_equal(schedule_minute_parse("09:30"), 570);
	assert_int_equal(schedule_minute_parse("00:00"), 0);
	assert_int_equal(schedule_minute_parse("23:59"), 1439);
	for (size_t i = 0; i < 8; i++) {
		static const char *const bad[] = { "", "9:30", "24:00", "09:60", "09-30", "09:3x", "-1:00",
						   "09:300" };

		assert_int_equal(schedule_minute_parse(bad[i]), -1);
	}
	assert_int_equal(schedule_weekday_parse("sun"), 6);
	assert_int_equal(schedule_weekday_parse("Sun"), -1);
	assert_string_equal(schedule_weekday_name(0), "mon");
	assert_int_equal(schedule_repeat_parse("weekly"), SCHEDULE_WEEKLY);
	assert_int_equal(schedule_repeat_parse("yearly"), 0);
	assert_string_equal(schedule_repeat_name(SCHEDULE_ONCE), "once");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_day_by_the_clocks), cmocka_unit_test(on_days_of_the_week),
		cmocka_unit_test(once_is_once), cmocka_unit_test(slots_pass_midnight),
		cmocka_unit_test(words_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
