#include "mcu/rtp/rtcp.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "mcu/base/clock.h"

static struct rtcp_item next(struct rtcp_iter *it, enum rtcp_type type)
{
	struct rtcp_item item;

	assert_true(rtcp_next(it, &item));
	assert_int_equal(item.type, type);
	return item;
}

static const struct rtcp_block block_a = {
	.ssrc = 0x11111111, .fraction_lost = 25, .lost = -3, .highest_seq = 0x20001,
	.jitter = 77, .lsr = 0xaabbccdd, .dlsr = 65536,
};
static const struct rtcp_block block_b = { .ssrc = 0x22222222, .lost = 0x7fffff };

static void assert_block(const struct rtcp_block *a, const struct rtcp_block *b)
{
	assert_int_equal(a->ssrc, b->ssrc);
	assert_int_equal(a->fraction_lost, b->fraction_lost);
	assert_int_equal(a->lost, b->lost);
	assert_int_equal(a->highest_seq, b->highest_seq);
	assert_int_equal(a->jitter, b->jitter);
	assert_int_equal(a->lsr, b->lsr);
	assert_int_equal(a->dlsr, b->dlsr);
}

static void reports_round_trip(void **state)
{
	const struct rtcp_sr sr = { 0x0123456789abcdef, 90000, 12, 3456 };
	const struct rtcp_block blocks[] = { block_a, block_b };
	const uint32_t gone[] = { 5, 6, 7 };
	uint8_t data[512];
	struct rtcp_builder b;
	struct rtcp_iter it;
	struct rtcp_item i;
	struct rtcp_block got;

	(void)state;
	rtcp_build_init(&b, data, sizeof(data));
	rtcp_build_sr(&b, 1, &sr, blocks, 2);
	rtcp_build_rr(&b, 2, blocks + 1, 1);
	rtcp_build_rr(&b, 3, NULL, 0);
	rtcp_build_sdes(&b, 1, "mcu@example");
	rtcp_build_bye(&b, gone, 3);
	assert_int_equal(b.error, 0);
	assert_int_equal(rtcp_iter_init(&it, data, b.len), 0);
	i = next(&it, RTCP_SR);
	assert_int_equal(i.ssrc, 1);
	assert_int_equal(i.n, 2);
	assert_true(i.sr.ntp == sr.ntp);
	assert_int_equal(i.sr.rtp_ts, sr.rtp_ts);
	assert_int_equal(i.sr.packets, sr.packets);
	assert_int_equal(i.sr.octets, sr.octets);
	rtcp_item_block(&i, 0, &got);
	assert_block(&got, &block_a);
	rtcp_item_block(&i, 1, &got);
	assert_block(&got, &block_b);
	i = next(&it, RTCP_RR);
	rtcp_item_block(&i, 0, &got);
	assert_block(&got, &block_b);
	assert_int_equal(next(&it, RTCP_RR).n, 0);
	i = next(&it, RTCP_SDES);
	assert_int_equal(i.ssrc, 1);
	assert_int_equal(i.cname_len, 11);
	assert_memory_equal(i.cname, "mcu@example", 11);
	i = next(&it, RTCP_BYE);
	assert_int_equal(i.n, 3);
	assert_int_equal(rtcp_item_bye(&i, 2), 7);
	assert_false(rtcp_next(&it, &i));
	assert_int_equal(it.error, 0);
}

static void sdes_of_every_length(void **state)
{
	char cname[301];

	(void)state;
	for (size_t n = 0; n <= 300; n++) {
		uint8_t data[300];
		struct rtcp_builder b;
		struct rtcp_iter it;
		struct rtcp_item i;

		memset(cname, 'x', n);
		cname[n] = 0;
		rtcp_build_init(&b, data, sizeof(data));
		rtcp_build_sdes(&b, 9, cname);
		assert_int_equal(b.error, 0);
		assert_int_equal(b.len % 4, 0);
		assert_int_equal(rtcp_iter_init(&it, data, b.len), 0);
		i = next(&it, RTCP_SDES);
		assert_int_equal(i.cname_len, n < 255 ? n : 255);
		assert_false(rtcp_next(&it, &i));
		assert_int_equal(it.error, 0);
	}
}

static void feedback_round_trip(void **state)
{
	/* spans a wrap, a full mask, and one just beyond it */
	const uint16_t lost[] = { 65534, 65535, 0, 14, 15, 40, 41, 57, 58 };
	const uint32_t about[] = { 8, 9 };
	uint8_t data[512], seq;
	struct rtcp_builder b;
	struct rtcp_iter it;
	struct rtcp_item i;
	uint16_t got[64];
	uint32_t ssrc;

	(void)state;
	rtcp_build_init(&b, data, sizeof(data));
	rtcp_build_nack(&b, 1, 2, lost, 9);
	rtcp_build_pli(&b, 1, 3);
	rtcp_build_fir(&b, 1, 4, 200);
	rtcp_build_remb(&b, 1, 5000000123, about, 2);
	assert_int_equal(b.error, 0);
	assert_int_equal(rtcp_iter_init(&it, data, b.len), 0); /* reduced size: no report first */
	i = next(&it, RTCP_NACK);
	assert_int_equal(i.media_ssrc, 2);
	assert_int_equal(i.n, 4);
	assert_int_equal(rtcp_item_nacks(&i, got, 64), 9);
	assert_memory_equal(got, lost, sizeof(lost));
	assert_int_equal(rtcp_item_nacks(&i, got, 4), 4);
	i = next(&it, RTCP_PLI);
	assert_int_equal(i.ssrc, 1);
	assert_int_equal(i.media_ssrc, 3);
	i = next(&it, RTCP_FIR);
	assert_int_equal(i.n, 1);
	rtcp_item_fir(&i, 0, &ssrc, &seq);
	assert_int_equal(ssrc, 4);
	assert_int_equal(seq, 200);
	i = next(&it, RTCP_REMB);
	assert_int_equal(i.n, 2);
	assert_int_equal(rtcp_item_remb(&i, 1), 9);
	assert_true(i.bps <= 5000000123 && i.bps > 4999900000);
	assert_false(rtcp_next(&it, &i));
	assert_int_equal(it.error, 0);
}

static void builder_leaves_out_what_does_not_fit(void **state)
{
	uint8_t data[28];
	struct rtcp_builder b;
	struct rtcp_iter it;
	struct rtcp_item i;

	(void)state;
	rtcp_build_init(&b, data, sizeof(data));
	rtcp_build_pli(&b, 1, 2);
	rtcp_build_rr(&b, 1, &block_a, 1);
	assert_int_equal(b.error, -ENOSPC);
	assert_int_equal(b.len, 12);
	rtcp_build_pli(&b, 1, 2);
	assert_int_equal(b.len, 12);
	assert_int_equal(rtcp_iter_init(&it, data, b.len), 0);
	next(&it, RTCP_PLI);
	assert_false(rtcp_next(&it, &i));
	rtcp_build_init(&b, data, sizeof(data));
	rtcp_build_bye(&b, (const uint32_t[32]){ 0 }, 32);
	assert_int_equal(b.error, -EINVAL);
	rtcp_build_init(&b, data, sizeof(data));
	rtcp_build_nack(&b, 1, 2, NULL, 0);
	rtcp_build_raw(&b, (const uint8_t *)"\x80\xc9\x00\x01\x00\x00\x00\x09", 8);
	assert_int_equal(b.len, 8);
}

struct wire_row {
	const char *what;
	size_t len;
	int items; /* before the end or the error */
	bool error;
	uint8_t p[48];
};

#define RR_0  0x80, 201, 0, 1, 0, 0, 0, 1
#define PLI_1 0x81, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2

static const struct wire_row rows[] = {
	{ "empty report", 8, 1, false, { RR_0 } },
	{ "report and PLI", 20, 2, false, { RR_0, PLI_1 } },
	{ "trailing octets", 10, 1, true, { RR_0, 0x80, 201 } },
	{ "zero-length RR", 4, 0, true, { 0x80, 201, 0, 0 } },
	{ "zero-length BYE", 4, 0, false, { 0x80, 203, 0, 0 } },
	{ "BYE that counts more than it has", 8, 0, true, { 0x82, 203, 0, 1, 0, 0, 0, 1 } },
	{ "RR with a count beyond the packet", 8, 0, true, { 0x81, 201, 0, 1, 0, 0, 0, 1 } },
	{ "RR with count 31", 32, 0, true, { 0x9f, 201, 0, 7 } },
	{ "length beyond the datagram", 8, 0, true, { 0x80, 201, 0, 2, 0, 0, 0, 1 } },
	{ "length of 65535 words", 8, 0, true, { 0x80, 201, 255, 255, 0, 0, 0, 1 } },
	{ "SR without its information", 8, 0, true, { 0x80, 200, 0, 1, 0, 0, 0, 1 } },
	{ "version 1 in second place", 20, 1, true, { RR_0, 0x41, 206, 0, 2 } },
	{ "unknown type passed over", 20, 1, false, { 0x80, 204, 0, 1, 1, 2, 3, 4, PLI_1 } },
	{ "XR passed over", 20, 1, false, { 0x80, 207, 0, 1, 1, 2, 3, 4, PLI_1 } },
	{ "unknown feedback passed over", 24, 1, false,
	  { 0x9e, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, PLI_1 } },
	{ "padding of 4", 12, 1, false, { 0xa0, 201, 0, 2, 0, 0, 0, 1, 0, 0, 0, 4 } },
	{ "padding of 0", 12, 0, true, { 0xa0, 201, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0 } },
	{ "padding longer than the packet", 12, 0, true,
	  { 0xa0, 201, 0, 2, 0, 0, 0, 1, 0, 0, 0, 9 } },
	{ "padding into the report", 12, 0, true, { 0xa0, 201, 0, 2, 0, 0, 0, 1, 0, 0, 0, 8 } },
	{ "padding without a body", 4, 0, true, { 0xa0, 201, 0, 0 } },
	{ "PLI cut off", 8, 0, true, { 0x81, 206, 0, 1, 0, 0, 0, 1 } },
	{ "NACK without an entry", 12, 0, true, { 0x81, 205, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2 } },
	{ "FIR with half an entry", 16, 0, true,
	  { 0x84, 206, 0, 3, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2 } },
	{ "REMB", 20, 1, false,
	  { 0x8f, 206, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0, 'R', 'E', 'M', 'B', 0, 4, 0, 1 } },
	{ "REMB that counts more than it has", 20, 0, true,
	  { 0x8f, 206, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0, 'R', 'E', 'M', 'B', 1, 4, 0, 1 } },
	{ "other application feedback", 20, 0, false,
	  { 0x8f, 206, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0, 'X', 'E', 'M', 'B', 9, 4, 0, 1 } },
	{ "TWCC cut off", 16, 0, true, { 0x8f, 205, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 1 } },
	{ "SDES without chunks", 4, 0, false, { 0x80, 202, 0, 0 } },
	{ "SDES chunk missing", 4, 0, true, { 0x81, 202, 0, 0 } },
	{ "SDES without end", 12, 0, true, { 0x81, 202, 0, 2, 0, 0, 0, 1, 1, 2, 'a', 'b' } },
	{ "SDES item beyond the packet", 12, 0, true,
	  { 0x81, 202, 0, 2, 0, 0, 0, 1, 1, 200, 'a', 0 } },
	{ "SDES with another item only", 12, 0, false,
	  { 0x81, 202, 0, 2, 0, 0, 0, 1, 2, 1, 'a', 0 } },
	{ "SDES, second chunk has it", 24, 1, false,
	  { 0x82, 202, 0, 5, 0, 0, 0, 1, 2, 1, 'a', 0, 0, 0, 0, 2, 1, 1, 'b', 0 } },
};

static void wire_table(void **state)
{
	(void)state;
	for (size_t k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
		uint8_t exact[48]; /* not longer than it says, for asan's sake */
		struct rtcp_iter it;
		struct rtcp_item i;
		int n = 0;

		memcpy(exact, rows[k].p, sizeof(exact));
		assert_int_equal(rtcp_iter_init(&it, exact, rows[k].len), 0);
		while (rtcp_next(&it, &i))
			n++;
		if (n != rows[k].items || (it.error == -EBADMSG) != rows[k].error)
			fail_msg("%s: %d items, error %d", rows[k].what, n, it.error);
	}
}

static void not_rtcp_at_all(void **state)
{
	struct rtcp_iter it;
	struct rtcp_item i;

	(void)state;
	assert_int_equal(rtcp_iter_init(&it, (const uint8_t *)"\x80\xc9\x00", 3), -EBADMSG);
	assert_int_equal(rtcp_iter_init(&it, (const uint8_t *)"", 0), -EBADMSG);
	assert_int_equal(rtcp_iter_init(&it, (const uint8_t *)"\x80\x60\x00\x00", 4), -EBADMSG);
	assert_int_equal(rtcp_iter_init(&it, (const uint8_t *)"\x40\xc9\x00\x00", 4), -EBADMSG);
	assert_false(rtcp_next(&it, &i));
}

static void rates(void **state)
{
	/* mantissa 0x3ffff, exponent 63: saturates; TMMBR 17 bits << 10 */
	static const uint8_t remb[] = { 0x8f, 206, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0,
					'R', 'E', 'M', 'B', 0, 0xff, 0xff, 0xff };
	static const uint8_t tmmbr[] = { 0x83, 205, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0,
					 0, 0, 0, 7, 10 << 2, 0x00, 0x7d << 1 & 0xff, 40 };
	struct rtcp_iter it;
	struct rtcp_item i;
	uint32_t ssrc;
	uint64_t bps;

	(void)state;
	assert_int_equal(rtcp_iter_init(&it, remb, sizeof(remb)), 0);
	assert_true(next(&it, RTCP_REMB).bps == UINT64_MAX);
	assert_int_equal(rtcp_iter_init(&it, tmmbr, sizeof(tmmbr)), 0);
	i = next(&it, RTCP_TMMBR);
	rtcp_item_tmmbr(&i, 0, &ssrc, &bps);
	assert_int_equal(ssrc, 7);
	assert_int_equal(bps, 125 << 10);
	assert_int_equal(rtcp_item_tmmbr_overhead(&i, 0), 40);
}

/* What was asked for comes back as it was, but for the kind. */
static void limits_are_confirmed(void **state)
{
	static const uint64_t limit[] = { 0, 1, 0x1ffff, 500 << 10, 1500000, 0x1ffffull << 20 };
	uint8_t data[100];

	(void)state;
	for (size_t k = 0; k < sizeof limit / sizeof *limit; k++) {
		struct rtcp_builder b;
		struct rtcp_iter it;
		struct rtcp_item i;
		uint32_t owner;
		uint64_t bps;

		rtcp_build_init(&b, data, sizeof data);
		rtcp_build_tmmbn(&b, 7, 9, limit[k], 511);
		assert_int_equal(b.error, 0);
		assert_int_equal(b.len, 20);
		assert_int_equal(data[0], 0x84);
		assert_int_equal(data[1], 205);
		data[0] = 0x83; /* the same entries */
		assert_int_equal(rtcp_iter_init(&it, data, b.len), 0);
		i = next(&it, RTCP_TMMBR);
		assert_int_equal(i.ssrc, 7);
		rtcp_item_tmmbr(&i, 0, &owner, &bps);
		assert_int_equal(owner, 9);
		assert_true(bps <= limit[k] && limit[k] - bps <= limit[k] >> 16);
		assert_int_equal(rtcp_item_tmmbr_overhead(&i, 0), 511);
	}
}

static void round_trip_time(void **state)
{
	const uint64_t now = 0x0000001080000000; /* 16.5 s; middle bits 0x00108000 */
	struct rtcp_block b = { .lsr = 0x00100000, .dlsr = 0x4000 };

	(void)state;
	assert_int_equal(rtcp_rtt_ns(&b, now), NS_PER_S / 4);
	b.dlsr = 0x9000; /* more than has passed */
	assert_int_equal(rtcp_rtt_ns(&b, now), -1);
	b = (struct rtcp_block){ .dlsr = 5 };
	assert_int_equal(rtcp_rtt_ns(&b, now), -1);
	/* the middle 32 bits wrap every 18 hours */
	b = (struct rtcp_block){ .lsr = 0xffff0000, .dlsr = 0x8000 };
	assert_int_equal(rtcp_rtt_ns(&b, 0x0000000000000000), NS_PER_S / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reports_round_trip),
		cmocka_unit_test(sdes_of_every_length),
		cmocka_unit_test(feedback_round_trip),
		cmocka_unit_test(builder_leaves_out_what_does_not_fit),
		cmocka_unit_test(wire_table),
		cmocka_unit_test(not_rtcp_at_all),
		cmocka_unit_test(rates),
		cmocka_unit_test(limits_are_confirmed),
		cmocka_unit_test(round_trip_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
