#include "mcu/zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void days_are_read_strictly(void **state)
{
	static const char *const bad[] = { "", "2026", "2026-1-01", "2026-13-01", "2026-02-29", "2026-11-31",
					   "0000-01-01", "1969-12-31", "2026-11-21x", "2026/11/21",
					   "2026-11-2 ", "-026-11-21" };
	struct zone_day d;
	char text[11];

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (zone_day_parse(&d, bad[i]))
			fail_msg("\"%s\" is a day", bad[i]);
	assert_true(zone_day_parse(&d, "2028-02-29"));
	zone_day_write(text, zone_day_add(d, 1));
	assert_string_equal(text, "2028-03-01");
	zone_day_write(text, zone_day_add(d, -60));
	assert_string_equal(text, "2027-12-31");
	assert_int_equal(zone_weekday((struct zone_day){ 2026, 11, 21 }), 5);
	assert_int_equal(zone_weekday((struct zone_day){ 1970, 1, 1 }), 3);
	assert_int_equal(zone_days_between((struct zone_day){ 2026, 11, 21 },
					   (struct zone_day){ 2027, 11, 21 }), 365);
	assert_int_equal(zone_day_compare((struct zone_day){ 2026, 11, 21 },
					  (struct zone_day){ 2026, 12, 1 }), -1);
}

static void names_are_those_of_the_database(void **state)
{
	static const char *const bad[] = { "", "Mars/Olympus", "../../etc/passwd", "/etc/localtime",
					   ":Asia/Seoul", "Asia/../Asia/Seoul", "+09:00", "Asia Seoul",
					   "x'; DROP TABLE rooms; --" };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (zone_new(bad[i]))
			fail_msg("\"%s\" is a time zone", bad[i]);
}

static void times_follow_the_clocks(void **state)
{
	static const struct {
		const char *zone;
		struct zone_day day;
		int minute;
		int64_t utc_s;
	} t[] = {
		{ "UTC", { 2026, 11, 21 }, 0, 1795219200 },
		{ "Asia/Seoul", { 2026, 11, 21 }, 9 * 60, 1795219200 },
		{ "Asia/Kolkata", { 2026, 11, 21 }, 5 * 60 + 30, 1795219200 },
		{ "America/New_York", { 2026, 11, 20 }, 19 * 60, 1795219200 },
		/* Europe: 2026-03-29 02:00 becomes 03:00 at 01:00 UTC */
		{ "Europe/Berlin", { 2026, 3, 29 }, 0, 1774738800 },
		{ "Europe/Berlin", { 2026, 3, 29 }, 60 + 59, 1774738800 + 119 * 60 },
		{ "Europe/Berlin", { 2026, 3, 29 }, 2 * 60, 1774746000 },
		{ "Europe/Berlin", { 2026, 3, 29 }, 2 * 60 + 30, 1774746000 }, /* never shown */
		{ "Europe/Berlin", { 2026, 3, 29 }, 3 * 60, 1774746000 },
		{ "Europe/Berlin", { 2026, 3, 29 }, 9 * 60, 1774746000 + 6 * 3600 },
		{ "Europe/Berlin", { 2026, 3, 30 }, 0, 1774738800 + 23 * 3600 },
		/* 2026-10-25 03:00 becomes 02:00 at 01:00 UTC */
		{ "Europe/Berlin", { 2026, 10, 25 }, 0, 1792879200 },
		{ "Europe/Berlin", { 2026, 10, 25 }, 2 * 60 + 30, 1792879200 + 150 * 60 }, /* the first */
		{ "Europe/Berlin", { 2026, 10, 25 }, 3 * 60, 1792879200 + 4 * 3600 },
		{ "Europe/Berlin", { 2026, 10, 26 }, 0, 1792879200 + 25 * 3600 },
		{ "America/New_York", { 2026, 3, 8 }, 2 * 60 + 30, 1772953200 }, /* never shown */
		{ "America/New_York", { 2026, 11, 1 }, 60 + 30, 1793511000 }, /* the first */
		/* half an hour of summer time */
		{ "Australia/Lord_Howe", { 2026, 10, 4 }, 2 * 60 + 15, 1791041400 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct zone *z = zone_new(t[i].zone);
		int64_t is;

		assert_non_null(z);
		is = zone_time(z, t[i].day, t[i].minute);
		if (is != t[i].utc_s * 1000)
			fail_msg("%s %d-%d-%d %d: %lld, not %lld", t[i].zone, t[i].day.year, t[i].day.month,
				 t[i].day.day, t[i].minute, (long long)is / 1000, (long long)t[i].utc_s);
		zone_free(&z);
	}
}

/* Every day begins where the one before has ended, all year round. */
static void days_join(void **state)
{
	static const char *const zones[] = { "UTC", "Europe/Berlin", "America/New_York", "Asia/Seoul",
					     "Australia/Lord_Howe", "America/St_Johns", "Africa/Cairo" };

	(void)state;
	for (size_t i = 0; i < sizeof zones / sizeof *zones; i++) {
		struct zone *z = zone_new(zones[i]);
		struct zone_day d = { 2026, 1, 1 };
		int64_t at;

		assert_non_null(z);
		at = zone_time(z, d, 0);
		for (int n = 0; n < 400; n++) {
			struct zone_day next = zone_day_add(d, 1);
			int64_t then = zone_time(z, next, 0);

			assert_true(then - at >= 23 * 3600000 && then - at <= 25 * 3600000);
			assert_int_equal(zone_day_compare(zone_day_at(z, at), d), 0);
			assert_int_equal(zone_day_compare(zone_day_at(z, then - 1000), d), 0);
			d = next;
			at = then;
		}
		zone_free(&z);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(days_are_read_strictly),
		cmocka_unit_test(names_are_those_of_the_database),
		cmocka_unit_test(times_follow_the_clocks),
		cmocka_unit_test(days_join),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
