/* Retransmission in a stream of its own, there and back. */
#include "mcu/rtp/rtx.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "mcu/base/clock.h"
#include "mcu/rtp/packet.h"

enum { SSRC = 0x11223344, RTX_SSRC = 0x55667788, PT = 102, RTX_PT = 103, EXT_AST = 2, EXT_MID = 4 };

static struct rtp_batch_pool *pool;

static struct rtp_batch *frame(void)
{
	struct rtp_batch *b = rtp_batch_get(pool, 0);

	assert_non_null(b);
	b->encode_id = 1;
	b->first_index = 50;
	b->ts = 3000;
	b->time_ns = NS_PER_S;
	for (uint8_t i = 0; i < 3; i++) {
		uint8_t payload[] = { 0x41, i, (uint8_t)(i + 1) };

		assert_int_equal(rtp_batch_add(b, NULL, 0, payload, sizeof payload, i == 2), 0);
	}
	return b;
}

static void start(struct rtp_tx *tx, const struct rtp_batch *b)
{
	const struct rtp_tx_cfg cfg = {
		.ssrc = SSRC, .pt = PT, .clock_hz = 90000, .first_seq = 65534, .first_ts = 9,
		.mid = "v", .ext_mid = EXT_MID, .ext_abs_send_time = EXT_AST,
	};

	assert_int_equal(rtp_tx_init(tx, &cfg), 0);
	rtp_tx_follow(tx, b);
	rtp_tx_sent(tx, b, 0, b->n);
}

/* What is sent again says the same when it has been restored. */
static void there_and_back(void **state)
{
	struct rtp_batch *b = frame();
	struct rtp_rtx r;
	struct rtp_tx tx;

	(void)state;
	start(&tx, b);
	rtp_rtx_init(&r, RTX_SSRC, 32767);
	r.pt = RTX_PT;
	for (unsigned i = 0; i < b->n; i++) {
		uint16_t osn = rtp_tx_seq(&tx, b, i);
		uint8_t hdr[RTP_TX_HEADER_MAX], wire[200], first[RTP_TX_HEADER_MAX];
		size_t n, len = 0;
		struct rtp_packet p, o;
		uint32_t time24;
		char mid[RTP_MID_MAX + 1];

		n = rtp_rtx_write(&r, &tx, b, i, osn, 3 * NS_PER_S, hdr, wire + 64, 100, &len);
		assert_int_equal(n, rtp_tx_header_len(&tx));
		assert_int_equal(len, 5);
		memcpy(wire + 64 - n, hdr, n);
		assert_int_equal(rtp_parse(&p, wire + 64 - n, n + len), 0);
		assert_int_equal(p.ssrc, RTX_SSRC);
		assert_int_equal(p.pt, RTX_PT);
		assert_int_equal(p.seq, 32767 + i);
		assert_int_equal(p.marker, i == 2);
		assert_true(rtp_ext_mid(&p, EXT_MID, mid));
		assert_string_equal(mid, "v");
		assert_true(rtp_ext_abs_send_time(&p, EXT_AST, &time24));
		assert_int_equal(time24, rtp_abs_send_time_of_ns(3 * NS_PER_S));
		assert_int_equal(rtp_rtx_restore(wire + 64 - n, n + len, SSRC, PT), 2);
		assert_int_equal(rtp_parse(&o, wire + 64 - n + 2, n + len - 2), 0);
		assert_int_equal(o.seq, osn);
		assert_int_equal(o.ssrc, SSRC);
		assert_int_equal(o.pt, PT);
		assert_int_equal(o.marker, i == 2);
		assert_int_equal(o.payload_len, 3);
		assert_int_equal(o.payload[1], i);
		rtp_tx_header(&tx, b, i, osn, first);
		assert_memory_equal(wire + 64 - n + 2, first, RTP_HEADER_BYTES);
	}
	assert_int_equal(r.packets, 3);
	assert_int_equal(r.octets, 15);
	rtp_batch_unref(&b);
}

/* A number that was used is never used again, whatever is repaired. */
static void numbers_are_used_once(void **state)
{
	struct rtp_batch *b = frame();
	uint8_t hdr[RTP_TX_HEADER_MAX], payload[10];
	struct rtp_rtx r;
	struct rtp_tx tx;
	size_t len;

	(void)state;
	start(&tx, b);
	rtp_rtx_init(&r, RTX_SSRC, 10);
	r.pt = RTX_PT;
	for (uint16_t k = 0; k < 5; k++) {
		assert_true(rtp_rtx_write(&r, &tx, b, 1, 7, 0, hdr, payload, 10, &len));
		assert_int_equal(hdr[2] << 8 | hdr[3], 10 + k);
	}
	assert_int_equal(rtp_rtx_write(&r, &tx, b, 1, 7, 0, hdr, payload, 4, &len), 0);
	assert_int_equal(rtp_rtx_write(&r, &tx, b, 1, 7, 0, hdr, payload, 1, &len), 0);
	assert_int_equal(r.packets, 5);
	rtp_batch_unref(&b);
}

static void padding_is_a_probe(void **state)
{
	struct rtp_batch *b = frame();
	uint8_t wire[400];
	struct rtp_rtx r;
	struct rtp_packet p;
	struct rtp_tx tx;
	uint32_t time24;
	size_t n;

	(void)state;
	start(&tx, b);
	rtp_rtx_init(&r, RTX_SSRC, 32767);
	r.pt = RTX_PT;
	for (uint16_t k = 0; k < 2; k++) {
		uint8_t hdr[RTP_TX_HEADER_MAX];

		n = rtp_rtx_pad(&r, &tx, k ? 1 : 255, 3 * NS_PER_S, hdr,
				wire + rtp_tx_header_len(&tx));
		memcpy(wire, hdr, n);
		assert_int_equal(n, rtp_tx_header_len(&tx));
		assert_int_equal(rtp_parse(&p, wire, n + (k ? 1 : 255)), 0);
		assert_int_equal(p.ssrc, RTX_SSRC);
		assert_int_equal(p.pt, RTX_PT);
		assert_int_equal(p.seq, 32767 + k);
		assert_int_equal(p.payload_len, 0);
		assert_int_equal(p.ts, tx.last_ts);
		assert_true(rtp_ext_abs_send_time(&p, EXT_AST, &time24));
		assert_int_equal(time24, rtp_abs_send_time_of_ns(3 * NS_PER_S));
		assert_true(rtp_rtx_restore(wire, n + (k ? 1 : 255), SSRC, PT) < 0);
	}
	assert_int_equal(r.packets, 2);
	assert_int_equal(r.octets, 0); /* padding is not counted, RFC 3550 6.4.1 */
	rtp_batch_unref(&b);
}

/* Probes of a congestion controller: legal, and nothing to repair with. */
static void probes_hold_nothing(void **state)
{
	uint8_t empty[12] = { 0x80, RTX_PT }, one[13] = { 0x80, RTX_PT };
	uint8_t padded[12 + 255] = { 0xa0, RTX_PT };
	uint8_t osn_only[14] = { 0x80, RTX_PT, [12] = 0x12, [13] = 0x34 };
	struct rtp_packet p;

	(void)state;
	padded[12 + 254] = 255;
	assert_int_equal(rtp_rtx_restore(empty, sizeof empty, SSRC, PT), -ENODATA);
	assert_int_equal(rtp_rtx_restore(one, sizeof one, SSRC, PT), -ENODATA);
	assert_int_equal(rtp_rtx_restore(padded, sizeof padded, SSRC, PT), -ENODATA);
	/* of an original without payload */
	assert_int_equal(rtp_rtx_restore(osn_only, sizeof osn_only, SSRC, PT), 2);
	assert_int_equal(rtp_parse(&p, osn_only + 2, sizeof osn_only - 2), 0);
	assert_int_equal(p.seq, 0x1234);
	assert_int_equal(p.payload_len, 0);
}

static int set_up(void **state)
{
	(void)state;
	return rtp_batch_pool_new(&pool, "test", 16, 4096, 4);
}

static int tear_down(void **state)
{
	(void)state;
	assert_int_equal(rtp_batch_pool_in_use(pool), 0);
	rtp_batch_pool_free(&pool);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(numbers_are_used_once),
		cmocka_unit_test(padding_is_a_probe),
		cmocka_unit_test(probes_hold_nothing),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
