/* The feedback is read back by a parser of its own, written from the draft. */
#include "mcu/rtp/twcc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mcu/base/clock.h"
#include "mcu/rtp/rtcp.h"

#define MS NS_PER_MS
#define US 1000LL

static struct twcc t;

static int setup(void **state)
{
	(void)state;
	twcc_init(&t);
	return 0;
}

struct seen {
	bool reported[65536];
	int64_t us[65536]; /* -1: lost */
	unsigned feedbacks;
	size_t covered;
};

static struct seen *seen_new(void)
{
	struct seen *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	return s;
}

static unsigned bits(const uint8_t *p, unsigned from, unsigned n)
{
	unsigned v = 0;

	for (unsigned i = from; i < from + n; i++)
		v = v << 1 | (p[i / 8] >> (7 - i % 8) & 1);
	return v;
}

/* Reads one feedback packet into *s. near_us: says which turn of the 24-bit
 * reference time is meant (it wraps after 12 days). */
static void read_feedback(struct seen *s, const uint8_t *p, size_t len, int64_t near_us)
{
	static uint8_t symbol[70000];
	size_t n = 0, count, at;
	int64_t us, turn = (1LL << 24) * 64000;
	uint16_t base;

	assert_true(len >= 20 && len % 4 == 0);
	assert_int_equal(bits(p, 0, 2), 2);
	assert_int_equal(bits(p, 3, 5), 15);
	assert_int_equal(p[1], 205);
	assert_int_equal((bits(p, 16, 16) + 1) * 4, len);
	if (bits(p, 2, 1)) {
		assert_in_range(p[len - 1], 1, 3);
		len -= p[len - 1];
	}
	assert_int_equal(bits(p, 32, 32), 0xa1a2a3a4);
	assert_int_equal(bits(p, 64, 32), 0xb1b2b3b4);
	base = (uint16_t)bits(p, 96, 16);
	count = bits(p, 112, 16);
	us = (int64_t)bits(p, 128, 24) * 64000;
	us += (near_us - us + turn / 2) / turn * turn;
	assert_int_equal(p[19], s->feedbacks & 0xff);
	s->feedbacks++;
	for (at = 20; n < count; at += 2) {
		assert_true(at + 2 <= len);
		if (!bits(p + at, 0, 1)) {
			unsigned run = bits(p + at, 3, 13);

			assert_true(run > 0 && n + run <= count);
			for (unsigned i = 0; i < run; i++)
				symbol[n++] = (uint8_t)bits(p + at, 1, 2);
		} else if (!bits(p + at, 1, 1)) {
			for (unsigned i = 0; i < 14; i++)
				symbol[n++] = (uint8_t)bits(p + at, 2 + i, 1);
		} else {
			for (unsigned i = 0; i < 7; i++)
				symbol[n++] = (uint8_t)bits(p + at, 2 + 2 * i, 2);
		}
	}
	for (size_t i = 0; i < count; i++) {
		uint16_t seq = (uint16_t)(base + i);

		assert_true(symbol[i] < 3);
		assert_true(at + symbol[i] <= len);
		if (symbol[i] == 1)
			us += p[at] * 250;
		if (symbol[i] == 2)
			us += (int16_t)bits(p + at, 0, 16) * 250;
		at += symbol[i];
		s->reported[seq] = true;
		s->us[seq] = symbol[i] ? us : -1;
	}
	for (size_t i = count; i < n; i++)
		assert_int_equal(symbol[i], 0); /* behind the last: not received */
	assert_int_equal(at, len);
	s->covered += count;
}

static void build_all(struct seen *s, int64_t now_ns, size_t cap)
{
	uint8_t out[1200];
	size_t len;

	while ((len = twcc_build(&t, now_ns, 0xa1a2a3a4, 0xb1b2b3b4, out, cap))) {
		struct rtcp_iter it;
		struct rtcp_item item;

		assert_true(len <= cap);
		assert_int_equal(rtcp_iter_init(&it, out, len), 0);
		assert_true(rtcp_next(&it, &item));
		assert_int_equal(item.type, RTCP_TWCC);
		read_feedback(s, out, len, now_ns / US);
	}
	assert_false(twcc_due(&t, now_ns + NS_PER_S));
}

static void assert_seen(const struct seen *s, uint16_t seq, int64_t arrival_ns)
{
	if (!s->reported[seq])
		fail_msg("%u not reported", seq);
	if (arrival_ns < 0)
		assert_int_equal(s->us[seq], -1);
	else
		assert_int_equal(s->us[seq], arrival_ns / (250 * US) * 250);
}

static void nothing_then_something(void **state)
{
	struct seen *s = seen_new();
	uint8_t out[1200];

	(void)state;
	assert_false(twcc_due(&t, 100 * NS_PER_S));
	assert_int_equal(twcc_build(&t, 0, 1, 2, out, sizeof(out)), 0);
	twcc_record(&t, 10, NS_PER_S);
	assert_int_equal(twcc_build(&t, NS_PER_S, 1, 2, out, TWCC_CAP_MIN - 1), 0);
	assert_true(twcc_due(&t, NS_PER_S));
	build_all(s, NS_PER_S, sizeof(out));
	twcc_record(&t, 11, NS_PER_S + MS);
	assert_false(twcc_due(&t, NS_PER_S + 249 * MS));
	assert_true(twcc_due(&t, NS_PER_S + 250 * MS));
	for (uint16_t i = 1; i < TWCC_MANY; i++) /* more of them wait less */
		twcc_record(&t, (uint16_t)(11 + i), NS_PER_S + (1 + i) * MS);
	assert_false(twcc_due(&t, NS_PER_S + 49 * MS));
	assert_true(twcc_due(&t, NS_PER_S + 50 * MS));
	build_all(s, NS_PER_S, sizeof(out));
	assert_seen(s, 10, NS_PER_S);
	assert_seen(s, 11, NS_PER_S + MS);
	assert_int_equal(s->feedbacks, 2);
	free(s);
}

static void loss_and_wrap(void **state)
{
	struct seen *s = seen_new();
	int64_t now = 12345678;

	(void)state;
	for (uint32_t i = 65500; i < 65600; i++, now += 5 * MS + 17)
		if (i % 7 && (i < 65530 || i > 65560))
			twcc_record(&t, (uint16_t)i, now);
	build_all(s, now, 1200);
	now = 12345678;
	for (uint32_t i = 65500; i < 65600; i++, now += 5 * MS + 17)
		assert_seen(s, (uint16_t)i, i % 7 && (i < 65530 || i > 65560) ? now : -1);
	assert_int_equal(s->covered, 100);
	assert_int_equal(s->feedbacks, 1);
	free(s);
}

static void late_ones_are_reported_again(void **state)
{
	struct seen *s = seen_new();

	(void)state;
	twcc_record(&t, 1, 100 * MS);
	twcc_record(&t, 3, 102 * MS);
	build_all(s, 110 * MS, 1200);
	assert_seen(s, 2, -1);
	twcc_record(&t, 2, 120 * MS);
	twcc_record(&t, 2, 125 * MS); /* a duplicate: the first arrival counts */
	twcc_record(&t, 5, 130 * MS);
	twcc_record(&t, 4, 131 * MS); /* out of order: a negative delta */
	build_all(s, 140 * MS, 1200);
	assert_seen(s, 2, 120 * MS);
	assert_seen(s, 3, 102 * MS);
	assert_seen(s, 4, 131 * MS);
	assert_seen(s, 5, 130 * MS);
	/* even before the very first */
	twcc_record(&t, 65535, 150 * MS);
	build_all(s, 160 * MS, 1200);
	assert_seen(s, 65535, 150 * MS);
	assert_seen(s, 0, -1);
	assert_seen(s, 1, 100 * MS);
	free(s);
}

static void long_pauses_split_the_feedback(void **state)
{
	struct seen *s = seen_new();

	(void)state;
	twcc_record(&t, 1, NS_PER_S);
	twcc_record(&t, 2, NS_PER_S + 8191 * MS); /* just within a 16-bit delta */
	twcc_record(&t, 3, NS_PER_S + 2 * 8192 * MS); /* not */
	twcc_record(&t, 4, 3 * NS_PER_S); /* far back */
	build_all(s, 20 * NS_PER_S, 1200);
	assert_int_equal(s->feedbacks, 3);
	assert_seen(s, 1, NS_PER_S);
	assert_seen(s, 2, NS_PER_S + 8191 * MS);
	assert_seen(s, 3, NS_PER_S + 2 * 8192 * MS);
	assert_seen(s, 4, 3 * NS_PER_S);
	free(s);
}

static void gaps(void **state)
{
	struct seen *s = seen_new();

	(void)state;
	twcc_record(&t, 100, 0);
	twcc_record(&t, 100 + TWCC_WINDOW - 1, MS); /* all that the window holds */
	build_all(s, MS, TWCC_CAP_MIN);
	assert_int_equal(s->covered, TWCC_WINDOW);
	assert_seen(s, 100, 0);
	assert_seen(s, 600, -1);
	assert_seen(s, 100 + TWCC_WINDOW - 1, MS);
	twcc_record(&t, 100 + TWCC_WINDOW + 9, 2 * MS); /* pushes the oldest out */
	twcc_record(&t, 105, 3 * MS);
	assert_int_equal(t.late, 1);
	build_all(s, 4 * MS, 1200);
	twcc_record(&t, 30000, 5 * MS); /* beyond the window: begins anew */
	build_all(s, 6 * MS, 1200);
	assert_seen(s, 30000, 5 * MS);
	assert_false(s->reported[29999]);
	/* a sender that goes back for good is followed */
	for (uint16_t i = 0; i < 40; i++)
		twcc_record(&t, (uint16_t)(500 + i), 10 * MS + i * MS);
	build_all(s, 60 * MS, 1200);
	assert_seen(s, 539, 49 * MS);
	free(s);
}

static void reference_time_wraps(void **state)
{
	struct seen *s = seen_new();
	int64_t turn = (1LL << 24) * 64 * MS; /* 12 days */

	(void)state;
	twcc_record(&t, 1, turn - 2 * MS);
	twcc_record(&t, 2, turn + 3 * MS);
	build_all(s, turn, 1200);
	assert_seen(s, 1, turn - 2 * MS);
	twcc_record(&t, 3, turn + 70 * MS);
	build_all(s, turn + 80 * MS, 1200);
	assert_seen(s, 2, turn + 3 * MS);
	assert_seen(s, 3, turn + 70 * MS);
	free(s);
}

/* Whatever the pattern: what was recorded is what is read, in order of time. */
static void random_patterns(void **state)
{
	static int64_t arrival[65536];
	unsigned seed = 1;

	(void)state;
	for (unsigned round = 0; round < 60; round++) {
		struct seen *s = seen_new();
		unsigned loss = round % 6 * 17, spread = round % 5;
		uint16_t first = (uint16_t)(round * 7919), seq = first;
		int64_t now = (int64_t)round * NS_PER_S;

		twcc_init(&t);
		for (unsigned burst = 0; burst < 20; burst++) {
			for (unsigned i = 0; i < 45; i++, seq++) {
				unsigned r = (unsigned)rand_r(&seed);

				arrival[seq] = -1;
				now += spread == 4 ? r % (200 * MS) : r % ((spread + 1) * 3 * MS);
				if (seq != first && r / 1000 % 100 < loss)
					continue;
				arrival[seq] = now - (spread == 3 ? (int64_t)(r % MS) * 2 : 0);
				if (arrival[seq] < 0)
					arrival[seq] = 0;
				twcc_record(&t, seq, arrival[seq]);
			}
			build_all(s, now, round & 1 ? 1200 : TWCC_CAP_MIN);
		}
		for (uint16_t q = first; q != (uint16_t)(t.high + 1); q++)
			assert_seen(s, q, arrival[q]);
		assert_int_equal(s->covered, (uint16_t)(t.high + 1 - first));
		free(s);
	}
}

#define T(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(nothing_then_something),
		T(loss_and_wrap),
		T(late_ones_are_reported_again),
		T(long_pauses_split_the_feedback),
		T(gaps),
		T(reference_time_wraps),
		T(random_patterns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
