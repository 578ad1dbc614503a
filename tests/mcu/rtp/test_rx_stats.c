#include "mcu/rtp/rx_stats.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "mcu/base/clock.h"

#define MS NS_PER_MS

static struct rx_stats s;
static int64_t now;

/* A packet of 20 ms of 48 kHz, on time. */
static enum rx_verdict put(uint16_t seq)
{
	now += 20 * MS;
	return rx_stats_packet(&s, seq, (uint32_t)(now / MS * 48), 100, now);
}

static int setup(void **state)
{
	(void)state;
	now = 1000 * MS;
	rx_stats_init(&s, 7, 48000);
	return 0;
}

static void two_in_sequence_make_a_source(void **state)
{
	struct rtcp_block b;

	(void)state;
	assert_int_equal(put(10), RX_PROBATION);
	assert_int_equal(put(20), RX_PROBATION);
	assert_false(rx_stats_block(&s, now, &b));
	assert_int_equal(rx_stats_lost(&s), 0);
	assert_int_equal(put(21), RX_OK);
	assert_true(rx_stats_block(&s, now, &b));
	assert_int_equal(b.ssrc, 7);
	assert_int_equal(b.highest_seq, 21);
	assert_int_equal(b.lost, 0);
}

static void loss_over_a_wrap(void **state)
{
	struct rtcp_block b;

	(void)state;
	put(65500);
	for (uint32_t q = 65501; q < 65600; q++)
		if (q % 10) /* 9 of 99 are lost: 65510 … 65590 */
			assert_int_equal(put((uint16_t)q), RX_OK);
	assert_true(rx_stats_block(&s, now, &b));
	assert_int_equal(b.highest_seq, 65599); /* one roll-over, 63 */
	assert_int_equal(b.lost, 9);
	assert_int_equal(b.fraction_lost, 9 * 256 / 99);
	/* the next interval is without loss; the total stays */
	for (uint32_t q = 65600; q < 65650; q++)
		put((uint16_t)q);
	assert_true(rx_stats_block(&s, now, &b));
	assert_int_equal(b.fraction_lost, 0);
	assert_int_equal(b.lost, 9);
	/* an interval without packets */
	assert_true(rx_stats_block(&s, now, &b));
	assert_int_equal(b.fraction_lost, 0);
}

static void reordered_and_duplicate(void **state)
{
	static const uint16_t order[] = { 1, 2, 4, 3, 3, 3, 5 };
	struct rtcp_block b;

	(void)state;
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		put(order[i]);
	assert_true(rx_stats_block(&s, now, &b));
	assert_int_equal(b.highest_seq, 5);
	assert_int_equal(b.lost, -2); /* duplicates count as received, A.3 */
	assert_int_equal(b.fraction_lost, 0);
}

static void jumps_and_restarts(void **state)
{
	struct rtcp_block b;

	(void)state;
	put(100);
	put(101);
	assert_int_equal(put(101 + 2999), RX_OK);      /* MAX_DROPOUT - 1 ahead */
	assert_int_equal(put(3100 + 3000), RX_JUMP);
	assert_int_equal(put(3101), RX_OK);             /* it was a stray */
	assert_int_equal(put(3101 - 99), RX_OK);        /* merely late */
	assert_int_equal(put(3101 - 100), RX_JUMP);
	assert_int_equal(put(50000), RX_JUMP);
	assert_int_equal(put(50002), RX_JUMP);
	assert_int_equal(put(50003), RX_RESTART);
	assert_int_equal(put(50004), RX_OK);
	assert_int_equal(s.restarts, 1);
	assert_true(rx_stats_block(&s, now, &b));
	assert_int_equal(b.highest_seq, 50004);
	assert_int_equal(b.lost, 0);
}

static void jitter_follows_the_formula(void **state)
{
	int64_t arrivals[] = { 0, 20, 45, 60, 80 }; /* one 5 ms late */

	(void)state;
	/* probation */
	rx_stats_packet(&s, 0, 0, 0, 0);
	for (uint16_t i = 0; i < 5; i++)
		rx_stats_packet(&s, (uint16_t)(i + 1), 0xffffff00u + i * 960u, 0,
				arrivals[i] * MS);
	/* |D| = 0, 240, 240, 0 with the /16 filter: 240 → 15, then 15 + 225/16 */
	assert_in_range(rx_stats_jitter_ns(&s), 500000, 600000);
	for (uint16_t i = 5; i < 300; i++)
		rx_stats_packet(&s, (uint16_t)(i + 1), 0xffffff00u + i * 960u, 0, i * 20 * MS);
	assert_in_range(rx_stats_jitter_ns(&s), 0, 21000);
	/* a pause of the sender's clock is not jitter */
	rx_stats_packet(&s, 301, 0x70000000, 0, 301 * 20 * MS);
	assert_in_range(rx_stats_jitter_ns(&s), 0, 21000);
}

static void delay_since_the_last_report(void **state)
{
	struct rtcp_block b;

	(void)state;
	put(1);
	put(2);
	rx_stats_block(&s, now, &b);
	assert_int_equal(b.lsr, 0);
	assert_int_equal(b.dlsr, 0);
	rx_stats_sr(&s, 0x1122334455667788, now);
	rx_stats_block(&s, now + 1500 * MS, &b);
	assert_int_equal(b.lsr, 0x33445566);
	assert_int_equal(b.dlsr, 65536 * 3 / 2);
}

#define T(f) cmocka_unit_test_setup(f, setup)

/* 20 ms of 8 kHz instead of 48 kHz: no jump of jitter, and loss is still counted. */
static void another_clock_is_no_jitter(void **state)
{
	int64_t before;

	(void)state;
	for (uint16_t i = 0; i < 50; i++) {
		now += 20 * MS;
		rx_stats_packet(&s, i, (uint32_t)(now / MS * 48), 100, now + (i & 1) * 8 * MS);
	}
	before = rx_stats_jitter_ns(&s);
	assert_true(before > 6 * MS);
	rx_stats_set_clock(&s, 8000);
	assert_in_range(rx_stats_jitter_ns(&s), before - MS / 2, before + MS / 2);
	for (uint16_t i = 51; i < 151; i++) {
		now += 20 * MS;
		assert_int_equal(rx_stats_packet(&s, i, (uint32_t)(now / MS * 8), 100, now), RX_OK);
	}
	assert_true(rx_stats_jitter_ns(&s) < MS);
	assert_int_equal(rx_stats_lost(&s), 1);
}

/* What was not looked at is not lost. */
static void unseen_ones_have_come(void **state)
{
	struct rtcp_block b;

	(void)state;
	rx_stats_unseen(&s, 5, 100); /* of a source that is none yet */
	for (uint16_t seq = 10; seq < 20; seq++)
		put(seq);
	assert_int_equal(s.octets, 900);
	rx_stats_block(&s, now, &b);
	rx_stats_unseen(&s, 6, 100);
	put(27); /* one of seven was lost */
	assert_int_equal(s.octets, 900 + 700);
	assert_int_equal(rx_stats_lost(&s), 1);
	assert_true(rx_stats_block(&s, now, &b));
	assert_int_equal(b.lost, 1);
	assert_int_equal(b.fraction_lost, 256 / 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(two_in_sequence_make_a_source),
		T(loss_over_a_wrap),
		T(reordered_and_duplicate),
		T(jumps_and_restarts),
		T(jitter_follows_the_formula),
		T(delay_since_the_last_report),
		T(another_clock_is_no_jitter),
		T(unseen_ones_have_come),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
