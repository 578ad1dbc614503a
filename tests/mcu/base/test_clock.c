#include "mcu/base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void fake_clock_stands_until_advanced(void **state)
{
	struct clock c;

	(void)state;
	clock_fake_init(&c, 5);
	assert_int_equal(clock_now_ns(&c), 5);
	assert_int_equal(clock_now_ns(&c), 5);
	clock_fake_advance(&c, 20 * NS_PER_MS);
	assert_int_equal(clock_now_ns(&c), 5 + 20000000);
}

static void monotonic_clock_never_goes_back(void **state)
{
	int64_t last = clock_now_ns(&clock_monotonic);

	(void)state;
	assert_true(last > 0);
	for (int i = 0; i < 1000; i++) {
		int64_t now = clock_now_ns(&clock_monotonic);

		assert_true(now >= last);
		last = now;
	}
}

static void ntp_counts_from_1900(void **state)
{
	(void)state;
	assert_true(clock_ntp_of_wall_ns(0) == 2208988800ULL << 32);
	assert_true(clock_ntp_of_wall_ns(NS_PER_S / 2) == (2208988800ULL << 32 | 0x80000000U));
	/* 2036-02-07T06:28:16Z: the first second of era 1 has a zero upper half */
	assert_true(clock_ntp_of_wall_ns(2085978496LL * NS_PER_S) == 0);
	assert_true(clock_wall_ns() > 1600000000LL * NS_PER_S);
}

static void scale_neither_overflows_nor_drifts(void **state)
{
	int64_t ten_years_30fps = 10LL * 365 * 86400 * 30;

	(void)state;
	assert_int_equal(clock_scale(1, NS_PER_S, 30), 33333333);
	assert_int_equal(clock_scale(3, NS_PER_S, 30), 100000000);
	assert_int_equal(clock_scale(ten_years_30fps, NS_PER_S, 30), 10LL * 365 * 86400 * NS_PER_S);
	assert_int_equal(clock_scale(INT64_MAX, 90000, 90000), INT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fake_clock_stands_until_advanced),
		cmocka_unit_test(monotonic_clock_never_goes_back),
		cmocka_unit_test(ntp_counts_from_1900),
		cmocka_unit_test(scale_neither_overflows_nor_drifts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
