#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "mcu/base/clock.h"
#include "mcu/rtp/payload_red.h"
#include "mcu/rtp/red_tx.h"

enum { PT = 111, RED_PT = 63, TICK = 960 };

static struct rtp_batch_pool *pool;

static int set_up(void **state)
{
	(void)state;
	return rtp_batch_pool_new(&pool, "test", RTP_BATCH_AUDIO_PACKETS, RTP_BATCH_AUDIO_BYTES, 16);
}

static int tear_down(void **state)
{
	(void)state;
	assert_int_equal(rtp_batch_pool_in_use(pool), 0);
	rtp_batch_pool_free(&pool);
	return 0;
}

/* Its octets are all `what`. */
static struct rtp_batch *batch(uint32_t ts, uint8_t what, size_t len)
{
	struct rtp_batch *b = rtp_batch_get(pool, 0);
	uint8_t *p;

	assert_non_null(b);
	b->ts = ts;
	p = rtp_batch_reserve(b, len, false);
	assert_non_null(p);
	memset(p, what, len);
	return b;
}

static void report(struct red_tx *r, unsigned percent_x10, int64_t s)
{
	red_tx_report(r, (uint8_t)(percent_x10 * 256 / 1000), s * NS_PER_S);
}

static void test_loss_turns_it_on_and_off(void **state)
{
	struct red_tx r = { .pt = RED_PT };

	(void)state;
	report(&r, 9, 1);
	assert_int_equal(r.level, 0);
	report(&r, 15, 2); /* 1.5 % */
	assert_int_equal(r.level, 1);
	report(&r, 9, 11); /* it stays while there is more than half a percent */
	report(&r, 9, 20);
	assert_int_equal(r.level, 1);
	report(&r, 0, 29);
	assert_int_equal(r.level, 1);
	report(&r, 4, 30);
	assert_int_equal(r.level, 0);
	report(&r, 9, 31);
	assert_int_equal(r.level, 0);
	report(&r, 60, 40);
	assert_int_equal(r.level, 2);
	report(&r, 20, 49);
	assert_int_equal(r.level, 2);
	report(&r, 20, 50);
	assert_int_equal(r.level, 1);
	report(&r, 0, 61);
	assert_int_equal(r.level, 0);
}

static void test_never_without_agreement(void **state)
{
	struct red_tx r = { 0 };
	struct rtp_batch *b = batch(0, 1, 10);
	uint8_t out[RED_TX_PAYLOAD_MAX];

	(void)state;
	report(&r, 500, 1);
	assert_int_equal(r.level, 0);
	red_tx_sent(&r, b);
	assert_int_equal(red_tx_build(&r, b, PT, out), 0);
	rtp_batch_unref(&b);
}

static size_t send(struct red_tx *r, uint32_t ts, uint8_t what, size_t len,
		   struct rtp_red_block block[RTP_RED_MAX_BLOCKS], int *n)
{
	static uint8_t out[RED_TX_PAYLOAD_MAX];
	struct rtp_batch *b = batch(ts, what, len);
	size_t got = red_tx_build(r, b, PT, out);

	*n = got ? rtp_red_parse(out, got, block) : 0;
	red_tx_sent(r, b);
	rtp_batch_unref(&b);
	return got;
}

static void test_repeats_what_was_sent(void **state)
{
	struct red_tx r = { .pt = RED_PT };
	struct rtp_red_block b[RTP_RED_MAX_BLOCKS];
	int n;

	(void)state;
	send(&r, 0, 1, 50, b, &n);
	assert_int_equal(n, 0);
	report(&r, 20, 1);
	send(&r, TICK, 2, 50, b, &n);
	assert_int_equal(n, 1); /* nothing is kept while it is off */
	send(&r, 2 * TICK, 3, 60, b, &n);
	assert_int_equal(n, 2);
	assert_int_equal(b[0].pt, PT);
	assert_int_equal(b[0].ts_offset, TICK);
	assert_int_equal(b[0].len, 50);
	assert_int_equal(b[0].data[0], 2);
	assert_int_equal(b[1].len, 60);
	assert_int_equal(b[1].data[59], 3);
	report(&r, 80, 2);
	send(&r, 3 * TICK, 4, 70, b, &n);
	assert_int_equal(n, 3);
	assert_int_equal(b[0].ts_offset, 2 * TICK);
	assert_int_equal(b[0].data[0], 2);
	assert_int_equal(b[1].ts_offset, TICK);
	assert_int_equal(b[1].data[0], 3);
	assert_int_equal(b[2].data[0], 4);
	red_tx_clear(&r);
	send(&r, 4 * TICK, 5, 70, b, &n);
	assert_int_equal(n, 1);
	red_tx_clear(&r);
}

static void test_what_has_no_place_is_left_out(void **state)
{
	struct red_tx r = { .pt = RED_PT };
	struct rtp_red_block b[RTP_RED_MAX_BLOCKS];
	struct rtp_batch *two;
	int n;

	(void)state;
	report(&r, 80, 1);
	send(&r, 0, 1, 50, b, &n);
	/* More than 14 bits of time stamp ago: 341 ms. */
	send(&r, 18 * TICK, 2, 50, b, &n);
	assert_int_equal(n, 1);
	send(&r, 19 * TICK, 3, 50, b, &n);
	assert_int_equal(n, 2);
	/* Together too large: the older one goes. */
	send(&r, 20 * TICK, 4, 600, b, &n);
	assert_int_equal(n, 3);
	send(&r, 21 * TICK, 5, 600, b, &n);
	assert_int_equal(n, 1);
	send(&r, 22 * TICK, 6, 400, b, &n);
	assert_int_equal(n, 2);
	assert_int_equal(b[0].data[0], 5);
	/* Longer than 10 bits: no block behind it can be counted either. */
	send(&r, 23 * TICK, 7, 1100, b, &n);
	assert_int_equal(n, 1);
	send(&r, 24 * TICK, 8, 50, b, &n);
	assert_int_equal(n, 1);
	/* Alone too large for a packet: plain. */
	assert_int_equal(send(&r, 25 * TICK, 9, 1200, b, &n), 0);
	/* A batch of two packets is never repeated. */
	two = batch(26 * TICK, 1, 10);
	assert_non_null(rtp_batch_reserve(two, 10, false));
	red_tx_sent(&r, two);
	rtp_batch_unref(&two);
	send(&r, 27 * TICK, 10, 50, b, &n);
	assert_int_equal(n, 1);
	red_tx_clear(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_loss_turns_it_on_and_off, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_never_without_agreement, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_repeats_what_was_sent, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_has_no_place_is_left_out, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
