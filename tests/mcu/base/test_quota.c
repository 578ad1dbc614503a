#include "mcu/base/quota.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const int64_t COST = NS_PER_S / 50;

static int take_all(struct quota *q, int64_t now_ns)
{
	int n = 0;

	while (quota_take(q, now_ns, COST, NS_PER_S))
		n++;
	return n;
}

static void test_rate_and_advance(void **state)
{
	struct quota q = { 0 };
	int64_t now = 7 * NS_PER_S;
	int n = 0;

	(void)state;
	assert_int_equal(take_all(&q, now), 50);
	/* a thousand tries a second for ten seconds: fifty of each second */
	for (int i = 0; i < 10000; i++) {
		now += NS_PER_MS;
		n += quota_take(&q, now, COST, NS_PER_S);
	}
	assert_int_equal(n, 500);
	/* rest does not save up more than the advance */
	now += 3600 * NS_PER_S;
	assert_int_equal(take_all(&q, now), 50);
}

static void test_debt_is_bounded(void **state)
{
	struct quota q = { 0 };
	int64_t now = NS_PER_S;

	(void)state;
	quota_charge(&q, now, INT64_MAX / 2);
	assert_false(quota_has(&q, now + (QUOTA_DEBT_S - 1) * NS_PER_S, NS_PER_S));
	assert_true(quota_has(&q, now + (QUOTA_DEBT_S - 1) * NS_PER_S + 1, NS_PER_S));
	quota_charge(&q, now, INT64_MAX / 2);
	assert_true(quota_has(&q, now + QUOTA_DEBT_S * NS_PER_S, NS_PER_S));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rate_and_advance),
		cmocka_unit_test(test_debt_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
