/* Which addresses may make themselves a peer: each row is a packet, at a time. */
#include "mcu/net/latch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "mcu/base/clock.h"

enum { START_MS = 1000000, A = 0x1111, B = 0x2222 };

static struct latch_address at(const char *ip, uint16_t port)
{
	struct latch_address a;

	assert_true(latch_address_read(&a, ip, port));
	return a;
}

/* The phone says 192.0.2.1:4000, and its signaling comes from 198.51.100.7. */
#define SAID "192.0.2.1", 4000
#define SAID_HOST "192.0.2.1"
#define NAT "198.51.100.7"
#define STRANGER "203.0.113.66"

static void describe(struct latch *l, const char *ip, uint16_t port, int ms)
{
	struct latch_described d = { .rtp = at(ip, port), .rtcp = at(ip, (uint16_t)(port + 1)),
				     .signaling = at(NAT, 5060) };

	latch_describe(l, &d, (START_MS + ms) * NS_PER_MS);
}

static struct latch fresh(void)
{
	struct latch l = { .learnt = false };

	describe(&l, SAID, 0);
	return l;
}

/* n packets every 20 ms from ms on; how many were taken. */
static unsigned packets(struct latch *l, const char *ip, uint16_t port, uint32_t ssrc, uint16_t seq,
			unsigned n, int ms, bool authentic)
{
	struct latch_address from = at(ip, port);
	unsigned taken = 0;

	for (unsigned i = 0; i < n; i++)
		taken += latch_rtp(l, &from, ssrc, (uint16_t)(seq + i), authentic,
				   (START_MS + ms + (int)i * 20) * NS_PER_MS);
	return taken;
}

static void expect_to(const struct latch *l, const char *ip, uint16_t port)
{
	struct latch_address want = at(ip, port), to = latch_to(l);

	if (!latch_address_equal(&want, &to))
		fail_msg("sent to port %u, want %s:%u", to.port, ip, port);
}

static void the_described_address_is_taken_at_once(void **state)
{
	struct latch l = fresh();

	(void)state;
	expect_to(&l, SAID);
	assert_int_equal(packets(&l, SAID, A, 1, 1, 100, false), 1);
	assert_int_equal(packets(&l, SAID, A, 2, 50, 120, false), 50);
	expect_to(&l, SAID);
}

/* From where, when, how many until one is taken; 0: none of 50. */
static void who_may_teach(void **state)
{
	static const struct {
		const char *ip;
		uint16_t port;
		int ms;
		bool authentic;
		unsigned nth;
	} row[] = {
		{ SAID, 0, false, 1 },
		{ SAID, 100000, false, 1 },
		{ SAID_HOST, 4444, 0, false, LATCH_RUN }, /* another port of it */
		{ SAID_HOST, 4444, 100000, false, LATCH_RUN },
		{ NAT, 61000, 0, false, LATCH_RUN }, /* that of the signaling */
		{ NAT, 61000, 100000, false, LATCH_RUN },
		{ STRANGER, 9, 0, false, LATCH_STRANGER_RUN },
		{ STRANGER, 9, LATCH_WINDOW_MS - 1000, false, LATCH_STRANGER_RUN },
		{ STRANGER, 9, LATCH_WINDOW_MS, false, 0 },
		{ STRANGER, 9, LATCH_WINDOW_MS - 100, false, 0 }, /* not ready in time */
		{ STRANGER, 9, 0, true, LATCH_RUN },
		{ STRANGER, 9, 100000, true, LATCH_RUN },
		{ "2001:db8::1", 9, 0, false, LATCH_STRANGER_RUN },
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		struct latch l = fresh();
		unsigned taken = packets(&l, row[i].ip, row[i].port, A, 65530, 50, row[i].ms,
					 row[i].authentic);

		if (taken != (row[i].nth ? 51 - row[i].nth : 0))
			fail_msg("row %zu: %u of 50", i, taken);
		if (row[i].nth)
			expect_to(&l, row[i].ip, row[i].port);
		else
			expect_to(&l, SAID);
	}
}

/* The attack: somebody sends to the port while the call is up. */
static void a_learnt_source_is_not_captured(void **state)
{
	static const struct {
		const char *ip;
		uint16_t port;
		uint32_t ssrc;
		int from_ms;
	} row[] = {
		{ STRANGER, 9, A, 200 },   /* at once, with the same SSRC */
		{ STRANGER, 9, B, 200 },
		{ STRANGER, 9, A, 5000 },
		{ NAT, 9, B, 4000 },	   /* known, but the other is heard */
		{ SAID_HOST, 5555, B, 4000 }, /* the same host with another stream */
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		struct latch l = fresh();
		unsigned taken = 0;

		for (int k = 0; k < 500; k++) {
			int ms = 100 + k * 20;

			assert_int_equal(packets(&l, SAID, A, (uint16_t)k, 1, ms, false), 1);
			if (ms >= row[i].from_ms)
				taken += packets(&l, row[i].ip, row[i].port, row[i].ssrc,
						 (uint16_t)(9000 + k), 1, ms + 1, false);
		}
		if (taken)
			fail_msg("row %zu: %u", i, taken);
		expect_to(&l, SAID);
	}
}

/* Whoever is there first and is a stranger gives way to the phone, for a while. */
static void a_better_source_replaces_a_stray_one(void **state)
{
	static const struct {
		const char *ip;
		uint16_t port;
		int ms;
		bool wins;
	} row[] = {
		{ SAID, 1000, true },
		{ NAT, 61000, 1000, true },
		{ SAID, LATCH_SETTLE_MS + 2000, false },
		{ NAT, 61000, LATCH_SETTLE_MS + 2000, false },
		{ "203.0.113.67", 9, 1000, false }, /* no better */
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		struct latch l = fresh();
		unsigned taken = 0;

		assert_int_equal(packets(&l, STRANGER, 9, B, 1, 20, 0, false), 13);
		expect_to(&l, STRANGER, 9);
		for (int k = 0; k < 100; k++) {
			packets(&l, STRANGER, 9, B, (uint16_t)(21 + k), 1, row[i].ms + k * 20, false);
			taken += packets(&l, row[i].ip, row[i].port, A, (uint16_t)k, 1,
					 row[i].ms + k * 20 + 1, false);
		}
		if (row[i].wins) {
			assert_true(taken >= 90);
			expect_to(&l, row[i].ip, row[i].port);
		} else {
			assert_int_equal(taken, 0);
			expect_to(&l, STRANGER, 9);
		}
	}
}

/* One packet with a forged source does not move a call. */
static void one_packet_moves_nothing(void **state)
{
	struct latch l = fresh();

	(void)state;
	packets(&l, NAT, 61000, A, 1, 10, 0, false);
	expect_to(&l, NAT, 61000);
	assert_int_equal(packets(&l, SAID, B, 1, 2, 400, false), 0);
	expect_to(&l, NAT, 61000);
	assert_int_equal(packets(&l, SAID, B, 3, 1, 440, false), 1); /* three are the peer's */
	expect_to(&l, SAID);
}

/* Ours is the phone behind a NAT; what happens later. */
static void relearning(void **state)
{
	static const struct {
		const char *ip;
		uint16_t port;
		uint32_t ssrc;
		uint16_t seq;
		int quiet_ms;
		bool moves;
	} row[] = {
		{ NAT, 61001, A, 101, 20, true },    /* its stream goes on from another port */
		{ NAT, 61001, A, 590, 20, true },
		{ NAT, 61001, A, 700, 20, false },   /* too far ahead */
		{ NAT, 61001, A, 50, 20, false },    /* a replay */
		{ NAT, 61001, B, 101, 20, false },
		{ NAT, 61001, B, 101, LATCH_PORT_QUIET_MS, true },
		{ SAID, A, 101, 4000, false },	     /* too soon */
		{ SAID, A, 101, LATCH_QUIET_MS, true },
		{ SAID_HOST, 777, B, 1, LATCH_QUIET_MS, true },
		{ STRANGER, 9, A, 101, LATCH_QUIET_MS, false },
		{ STRANGER, 9, A, 101, 600000, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		struct latch l = fresh();
		unsigned taken;

		packets(&l, NAT, 61000, A, 1, 100, 5000, false); /* the last one: 100 at 6,980 */
		/* past the time in which it could be replaced */
		l.learnt_ns -= LATCH_SETTLE_MS * NS_PER_MS;
		taken = packets(&l, row[i].ip, row[i].port, row[i].ssrc, row[i].seq, 10,
				6980 + row[i].quiet_ms, false);
		if ((taken > 0) != row[i].moves)
			fail_msg("row %zu: %u", i, taken);
		expect_to(&l, row[i].moves ? row[i].ip : NAT, row[i].moves ? row[i].port : 61000);
	}
}

static void runs_must_be_runs(void **state)
{
	static const uint16_t seqs[][10] = {
		{ 1, 3, 5, 7, 9, 11, 13, 15, 17, 19 },
		{ 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 },
		{ 10, 9, 8, 7, 6, 5, 4, 3, 2, 1 },
		{ 1, 2, 9, 10, 17, 18, 25, 26, 33, 34 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof seqs / sizeof *seqs; i++) {
		struct latch l = fresh();

		for (int k = 0; k < 10; k++)
			assert_int_equal(packets(&l, NAT, 61000, A, seqs[i][k], 1, k * 20, false), 0);
	}
	struct latch l = fresh();

	/* another SSRC each time */
	for (uint16_t k = 0; k < 20; k++)
		assert_int_equal(packets(&l, NAT, 61000, A + k, k, 1, k * 20, false), 0);
	/* with a pause in it */
	for (uint16_t k = 0; k < 10; k++)
		assert_int_equal(packets(&l, NAT, 61000, A, k, 1, 1000 + k * 1100, false), 0);
	/* two streams from one address in turn */
	for (uint16_t k = 0; k < 20; k++)
		assert_int_equal(packets(&l, NAT, 61000, k % 2 ? A : B, k, 1, 20000 + k * 20, false),
				 0);
}

/* Who floods with many sources does not keep the phone from being learnt. */
static void a_crowd_does_not_displace_a_known_host(void **state)
{
	struct latch l = fresh();
	unsigned taken = 0;

	(void)state;
	for (int k = 0; k < 40; k++) {
		for (uint16_t c = 0; c < 50; c++) {
			struct latch_address from = at(STRANGER, (uint16_t)(1000 + k * 50 + c));

			assert_false(latch_rtp(&l, &from, B, 1, false,
					       (START_MS + k * 20) * NS_PER_MS));
		}
		taken += packets(&l, NAT, 61000, A, (uint16_t)k, 1, k * 20 + 1, false);
	}
	assert_int_equal(taken, 40 - LATCH_RUN + 1);
}

static void kinds_of_addresses(void **state)
{
	static const struct {
		const char *ip;
		enum latch_kind kind;
	} row[] = {
		{ "192.0.2.1", LATCH_HOST }, { "10.0.0.1", LATCH_HOST }, { "223.255.255.254", LATCH_HOST },
		{ "2001:db8::1", LATCH_HOST }, { "fe80::1", LATCH_HOST },
		{ "127.0.0.1", LATCH_LOOPBACK }, { "127.255.0.3", LATCH_LOOPBACK },
		{ "::1", LATCH_LOOPBACK }, { "::ffff:127.0.0.1", LATCH_LOOPBACK },
		{ "::127.0.0.1", LATCH_LOOPBACK }, { "0.0.0.0", LATCH_NOBODY },
		{ "0.1.2.3", LATCH_NOBODY }, { "::", LATCH_NOBODY }, { "224.0.0.1", LATCH_NOBODY },
		{ "239.255.255.255", LATCH_NOBODY }, { "240.0.0.1", LATCH_NOBODY },
		{ "255.255.255.255", LATCH_NOBODY }, { "ff02::1", LATCH_NOBODY },
		{ "::ffff:224.0.0.1", LATCH_NOBODY }, { "::ffff:0.0.0.0", LATCH_NOBODY },
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		struct latch_address a = at(row[i].ip, 4000);

		if (latch_address_kind(&a) != row[i].kind)
			fail_msg("%s", row[i].ip);
	}
}

/* What has come by then, and whether its host counts as heard. */
static void who_is_heard(void **state)
{
	static const struct {
		const char *ip;
		uint16_t port, seq[6];
		unsigned n;
		bool authentic, said, from;
	} row[] = {
		{ SAID, { 1 }, 1, false, false, false },
		{ SAID, { 1, 2 }, 2, false, false, false },
		{ SAID, { 1, 2, 3 }, 3, false, true, true },
		{ SAID, { 65534, 65535, 0 }, 3, false, true, true },
		{ SAID, { 1, 1, 1, 1 }, 4, false, false, false }, /* one packet again and again */
		{ SAID, { 1, 9, 30, 77, 200 }, 5, false, false, false },
		{ SAID, { 1, 5, 6, 7 }, 4, false, true, true },
		{ SAID, { 1 }, 1, true, true, true },
		{ SAID_HOST, 9999, { 1, 2, 3 }, 3, false, true, true },
		{ NAT, 9999, { 1, 2, 3 }, 3, false, false, true },
		{ STRANGER, 9999, { 1, 2, 3 }, 3, false, false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		struct latch l = fresh();
		struct latch_address said = at(SAID), from = at(row[i].ip, 1), none = { .port = 0 };

		for (unsigned k = 0; k < row[i].n; k++)
			packets(&l, row[i].ip, row[i].port, A, row[i].seq[k], 1, (int)k * 20,
				row[i].authentic);
		if (latch_heard(&l, &said) != row[i].said || latch_heard(&l, &from) != row[i].from)
			fail_msg("row %zu", i);
		assert_false(latch_heard(&l, &none));
		/* another address of that host is known to be there, another host is not */
		describe(&l, "192.0.2.9", 6000, 1000);
		assert_int_equal(latch_heard(&l, &from), row[i].from);
		from = at("192.0.2.9", 6000);
		assert_false(latch_heard(&l, &from));
	}
}

static void another_description_begins_anew(void **state)
{
	struct latch l = fresh();

	(void)state;
	packets(&l, NAT, 61000, A, 1, 100, 0, false);
	/* a refresh of the session timer says the same, and opens nothing */
	describe(&l, SAID, 2000);
	expect_to(&l, NAT, 61000);
	assert_int_equal(packets(&l, STRANGER, 9, B, 1, 50, 2100, false), 0);
	/* on hold the old way: what is known stays */
	struct latch_described none = { .mux = false };

	latch_describe(&l, &none, (START_MS + 5000) * NS_PER_MS);
	expect_to(&l, NAT, 61000);
	/* elsewhere: at once there */
	describe(&l, "192.0.2.9", 6000, 6000);
	expect_to(&l, "192.0.2.9", 6000);
	assert_int_equal(packets(&l, "192.0.2.9", 6000, A, 200, 5, 6100, false), 5);
	/* or the one behind the NAT as before */
	describe(&l, "192.0.2.9", 6002, 8000);
	assert_int_equal(packets(&l, "192.0.2.9", 6000, A, 205, 5, 8100, false), 3);
	/* time may begin at 0 */
	struct latch z = { .learnt = false };
	struct latch_described d = { .rtp = at(SAID) };

	latch_describe(&z, &d, 0);
	latch_describe(&z, &d, 0);
	expect_to(&z, SAID);
}

static bool rtcp(struct latch *l, const char *ip, uint16_t port, bool authentic, int ms)
{
	struct latch_address from = at(ip, port);

	return latch_rtcp(l, &from, authentic, (START_MS + ms) * NS_PER_MS);
}

static void expect_rtcp_to(const struct latch *l, const char *ip, uint16_t port)
{
	struct latch_address want = at(ip, port), to = latch_rtcp_to(l);

	if (!latch_address_equal(&want, &to))
		fail_msg("RTCP to port %u, want %s:%u", to.port, ip, port);
}

static void rtcp_follows_the_rtp(void **state)
{
	struct latch l = fresh();

	(void)state;
	expect_rtcp_to(&l, SAID_HOST, 4001);
	assert_false(rtcp(&l, STRANGER, 9, false, 0));
	assert_true(rtcp(&l, SAID_HOST, 4001, false, 0));
	/* its RTP comes from elsewhere: a guess, then what is heard */
	packets(&l, NAT, 61000, A, 1, 10, 100, false);
	expect_rtcp_to(&l, NAT, 61001);
	assert_false(rtcp(&l, SAID_HOST, 4001, false, 500));
	assert_true(rtcp(&l, NAT, 62007, false, 500));
	expect_rtcp_to(&l, NAT, 62007);
	assert_false(rtcp(&l, NAT, 62008, false, 600));
	expect_rtcp_to(&l, NAT, 62007);
	assert_true(rtcp(&l, NAT, 62008, false, 500 + LATCH_RTCP_QUIET_MS));
	expect_rtcp_to(&l, NAT, 62008);
	assert_false(rtcp(&l, STRANGER, 9, true, 60000)); /* the RTP is not from there */
	/* authentic before any RTP */
	l = fresh();
	assert_true(rtcp(&l, STRANGER, 9, true, 0));
	/* on one port with it */
	struct latch_described d = { .rtp = at(SAID), .rtcp = at(SAID), .mux = true };
	struct latch m = { .learnt = false };

	latch_describe(&m, &d, START_MS * NS_PER_MS);
	assert_true(rtcp(&m, SAID, false, 0));
	assert_false(rtcp(&m, SAID_HOST, 4001, false, 0));
	expect_rtcp_to(&m, SAID);
	packets(&m, STRANGER, 9, A, 1, 10, 100, false);
	assert_true(rtcp(&m, STRANGER, 9, false, 400));
	assert_false(rtcp(&m, SAID, false, 400));
	expect_rtcp_to(&m, STRANGER, 9);
}

static void addresses_are_read(void **state)
{
	struct latch_address a, b;

	(void)state;
	assert_true(latch_address_read(&a, "192.0.2.1", 4000));
	assert_true(latch_address_read(&b, "::ffff:192.0.2.1", 4000));
	assert_true(latch_address_equal(&a, &b));
	assert_false(latch_address_read(&a, "192.0.2.1", 0));
	assert_false(latch_address_read(&b, "phone.example", 4000));
	assert_false(latch_address_equal(&a, &b)); /* none is no address */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_described_address_is_taken_at_once),
		cmocka_unit_test(who_may_teach),
		cmocka_unit_test(a_learnt_source_is_not_captured),
		cmocka_unit_test(a_better_source_replaces_a_stray_one),
		cmocka_unit_test(one_packet_moves_nothing),
		cmocka_unit_test(relearning),
		cmocka_unit_test(runs_must_be_runs),
		cmocka_unit_test(a_crowd_does_not_displace_a_known_host),
		cmocka_unit_test(another_description_begins_anew),
		cmocka_unit_test(kinds_of_addresses),
		cmocka_unit_test(who_is_heard),
		cmocka_unit_test(rtcp_follows_the_rtp),
		cmocka_unit_test(addresses_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
