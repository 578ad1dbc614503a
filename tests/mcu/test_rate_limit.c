#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "mcu/rate_limit.h"

enum { WINDOW = 1000 };

static struct rate_limit *make(unsigned max, size_t keys)
{
	struct rate_limit *l = NULL;

	assert_int_equal(rate_limit_new(&l, max, WINDOW, keys), 0);
	return l;
}

static void the_window_slides(void **state)
{
	struct rate_limit *l = make(3, 10);

	(void)state;
	assert_int_equal(rate_limit_take(l, "a", 0), 0);
	assert_int_equal(rate_limit_take(l, "a", 400), 0);
	assert_int_equal(rate_limit_take(l, "a", 800), 0);
	assert_int_equal(rate_limit_take(l, "a", 900), 100);
	assert_int_equal(rate_limit_take(l, "b", 900), 0); /* another key */
	assert_int_equal(rate_limit_take(l, "a", 999), 1);
	assert_int_equal(rate_limit_take(l, "a", 1000), 0); /* the first is over */
	/* not twice as many around the end of a window */
	assert_int_equal(rate_limit_take(l, "a", 1001), 399);
	assert_int_equal(rate_limit_take(l, "a", 1400), 0);
	assert_int_equal(rate_limit_take(l, "a", 100000), 0);
	rate_limit_free(&l);
	assert_null(l);
}

static void who_hammers_waits_no_longer(void **state)
{
	struct rate_limit *l = make(2, 10);

	(void)state;
	for (int64_t t = 0; t < 1000; t += 10)
		rate_limit_count(l, "a", t);
	assert_int_equal(rate_limit_left(l, "a", 990), 10);
	assert_int_equal(rate_limit_left(l, "a", 1000), 0);
	rate_limit_free(&l);
}

static void what_was_right_is_taken_back(void **state)
{
	struct rate_limit *l = make(2, 10);

	(void)state;
	for (int i = 0; i < 100; i++) {
		assert_int_equal(rate_limit_take(l, "a", i), 0);
		rate_limit_undo(l, "a");
	}
	assert_int_equal(rate_limit_keys(l), 0);
	rate_limit_undo(l, "a"); /* of nothing */
	assert_int_equal(rate_limit_left(l, "a", 100), 0);
	rate_limit_free(&l);
}

static void the_table_is_bounded(void **state)
{
	struct rate_limit *l = make(1, 3);
	char key[16];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		snprintf(key, sizeof key, "%d", i);
		assert_int_equal(rate_limit_take(l, key, 1), 0);
		assert_true(rate_limit_keys(l) <= 3);
	}
	/* who is used stays, the others give way */
	rate_limit_count(l, "997", 2);
	assert_int_equal(rate_limit_take(l, "new", 2), 0);
	assert_true(rate_limit_left(l, "997", 3) > 0);
	assert_true(rate_limit_left(l, "999", 3) > 0);
	assert_int_equal(rate_limit_left(l, "998", 3), 0);
	rate_limit_free(&l);
}

static void wrong_numbers_are_refused(void **state)
{
	struct rate_limit *l = NULL;

	(void)state;
	assert_int_equal(rate_limit_new(&l, 0, 1, 1), -EINVAL);
	assert_int_equal(rate_limit_new(&l, RATE_LIMIT_MAX + 1, 1, 1), -EINVAL);
	assert_int_equal(rate_limit_new(&l, 1, 0, 1), -EINVAL);
	assert_int_equal(rate_limit_new(&l, 1, 1, 0), -EINVAL);
	assert_null(l);
}

static void a_network_is_one_guesser(void **state)
{
	char a[64], b[64];

	(void)state;
	rate_limit_address(a, "192.0.2.1");
	assert_string_equal(a, "192.0.2.1");
	rate_limit_address(a, "2001:db8:1:2:3:4:5:6");
	rate_limit_address(b, "2001:db8:1:2::ffff");
	assert_string_equal(a, b);
	rate_limit_address(b, "2001:db8:1:3::1");
	assert_string_not_equal(a, b);
	rate_limit_address(b, "unknown");
	assert_string_equal(b, "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_window_slides),
		cmocka_unit_test(who_hammers_waits_no_longer),
		cmocka_unit_test(what_was_right_is_taken_back),
		cmocka_unit_test(the_table_is_bounded),
		cmocka_unit_test(wrong_numbers_are_refused),
		cmocka_unit_test(a_network_is_one_guesser),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
