#include "mcu/rtp/nack.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "mcu/base/clock.h"

#define MS NS_PER_MS

static struct nack k;

static int setup(void **state)
{
	(void)state;
	nack_init(&k, 0);
	nack_set_rtt(&k, 40 * MS);
	return 0;
}

static size_t due(int64_t now_ns, uint16_t *first)
{
	uint16_t out[NACK_BURST] = { 0 };
	size_t n = nack_due(&k, now_ns, out, NACK_BURST);

	*first = out[0];
	return n;
}

static void a_straggler_is_not_asked_for(void **state)
{
	uint16_t q;
	int64_t lost;

	(void)state;
	nack_received(&k, 100, 0);
	nack_received(&k, 102, 0);
	assert_int_equal(due(5 * MS, &q), 0);
	nack_received(&k, 101, 6 * MS);
	assert_int_equal(due(500 * MS, &q), 0);
	assert_false(nack_gave_up(&k, 500 * MS, &lost));
	assert_int_equal(k.repaired, 0);
}

static void asks_after_the_wait_or_three_newer(void **state)
{
	uint16_t q;

	(void)state;
	nack_received(&k, 65536 + 65535, 0);
	nack_received(&k, 2 * 65536 + 1, 0); /* 0 is missing, after a wrap */
	assert_int_equal(due(9 * MS, &q), 0);
	assert_int_equal(due(10 * MS, &q), 1);
	assert_int_equal(q, 0);
	nack_received(&k, 2 * 65536 + 3, 11 * MS); /* 2 is missing */
	nack_received(&k, 2 * 65536 + 4, 11 * MS);
	assert_int_equal(due(11 * MS, &q), 0);
	nack_received(&k, 2 * 65536 + 5, 11 * MS);
	assert_int_equal(due(11 * MS, &q), 1);
	assert_int_equal(q, 2);
}

static void retries_by_the_round_trip_then_gives_up(void **state)
{
	uint16_t q;
	int64_t lost = 0;
	size_t asked = 0;

	(void)state;
	assert_int_equal(nack_max_age_ns(&k), 160 * MS);
	nack_received(&k, 1, 0);
	nack_received(&k, 4, 0);
	for (int64_t t = 0; t < 160 * MS; t += MS) {
		assert_false(nack_gave_up(&k, t, &lost));
		asked += due(t, &q);
	}
	assert_int_equal(asked, 2 * 3); /* at 10, 60 and 110 ms */
	assert_true(nack_gave_up(&k, 160 * MS, &lost));
	assert_int_equal(lost, 3);
	assert_int_equal(k.lost, 2);
	assert_int_equal(k.n, 0);
	assert_false(nack_gave_up(&k, 170 * MS, &lost));
}

static void age_is_clamped(void **state)
{
	static const struct {
		int64_t rtt_ms, age_ms;
	} rows[] = { { 0, 80 }, { 10, 80 }, { 40, 160 }, { 100, 200 }, { 5000, 200 }, { -5, 80 } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		nack_set_rtt(&k, rows[i].rtt_ms * MS);
		assert_int_equal(nack_max_age_ns(&k), rows[i].age_ms * MS);
	}
	nack_set_rtt(&k, INT64_MAX);
	assert_int_equal(nack_max_age_ns(&k), 200 * MS);
}

static void repairs_are_counted_and_forgotten(void **state)
{
	uint16_t q;

	(void)state;
	nack_received(&k, 1, 0);
	nack_received(&k, 10, 0);
	assert_int_equal(due(20 * MS, &q), 8);
	nack_received(&k, 5, 30 * MS);
	assert_int_equal(k.repaired, 1);
	nack_received(&k, 5, 30 * MS); /* twice */
	assert_int_equal(k.repaired, 1);
	assert_int_equal(k.n, 7);
	nack_forget_before(&k, 8);
	assert_int_equal(k.n, 2);
	assert_int_equal(k.e[0].seq, 8);
	nack_received(&k, 2, 30 * MS);
	assert_int_equal(k.n, 2);
}

static void bounded(void **state)
{
	uint16_t out[NACK_BURST];

	(void)state;
	nack_received(&k, 0, 0);
	assert_true(nack_received(&k, NACK_MAX + 1, 0));
	assert_int_equal(k.n, NACK_MAX);
	assert_int_equal(nack_due(&k, 10 * MS, out, NACK_BURST), NACK_BURST);
	assert_int_equal(out[0], 1);
	assert_int_equal(nack_due(&k, 11 * MS, out, NACK_BURST), NACK_BURST);
	assert_int_equal(out[0], 1 + NACK_BURST); /* the burst goes on where it stopped */
	assert_false(nack_received(&k, NACK_MAX + 3, 0));
	assert_int_equal(k.n, 0);
	assert_int_equal(k.high, NACK_MAX + 3);
	assert_false(nack_received(&k, INT64_C(1) << 40, 0));
}

#define T(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_straggler_is_not_asked_for),
		T(asks_after_the_wait_or_three_newer),
		T(retries_by_the_round_trip_then_gives_up),
		T(age_is_clamped),
		T(repairs_are_counted_and_forgotten),
		T(bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
