#include "mcu/rtp/stream_clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "mcu/base/clock.h"

#define MS NS_PER_MS
#define T0 (1000 * NS_PER_S)

static void assert_near(int64_t is, int64_t want, int64_t off)
{
	if (is < want - off || is > want + off)
		fail_msg("%lld us instead of %lld", (long long)((is - want) / 1000), 0LL);
}

static int64_t map(struct stream_clock *c, uint32_t ts, int64_t arrival_ns)
{
	struct stream_stamp s = { .ssrc = 1, .hz = 48000, .ts = ts, .arrival_ns = arrival_ns };

	return stream_clock_map(c, &s);
}

/* Arrival jitters, times do not; the fastest packets say where the stream is. */
static void distances_are_the_senders(void **state)
{
	struct stream_clock c = { 0 };
	int64_t last = 0, at;

	(void)state;
	for (int i = 0; i < 3000; i++) {
		at = map(&c, 0xfffff000u + (uint32_t)i * 960, T0 + (i * 20 + i * 37 % 60) * MS);
		if (i)
			assert_near(at - last, 20 * MS, MS / 5);
		last = at;
	}
	assert_near(last, T0 + 2999 * 20 * MS, 3 * MS);
}

/* Hours: 100 ppm are 1.4 s. */
static void follows_a_clock_that_drifts(void **state)
{
	struct stream_clock c = { 0 };
	int64_t last = 0;

	(void)state;
	for (int64_t i = 0; i < 4 * 3600 * 50; i++) {
		int64_t sent = T0 + i * 20 * MS + i * 20 * MS / 10000, at;

		at = map(&c, (uint32_t)(i * 960), sent + i * 7 % 30 * MS);
		assert_true(at > last);
		last = at;
		if (i % 5000 == 4999)
			assert_near(at, sent, 5 * MS);
	}
}

static void jumps_are_taken_anew_and_grow(void **state)
{
	struct stream_clock c = { 0 };
	int64_t at, last = 0;

	(void)state;
	for (int i = 0; i < 100; i++)
		last = map(&c, (uint32_t)i * 960, T0 + i * 20 * MS);
	/* time stamps far ahead: where it arrives */
	at = map(&c, 100 * 960 + 480000000u, T0 + 2000 * MS);
	assert_true(at > last);
	assert_near(at, T0 + 2000 * MS, 2 * MS);
	/* another source */
	struct stream_stamp s = { .ssrc = 2, .hz = 8000, .ts = 77, .arrival_ns = T0 + 2005 * MS };

	last = at;
	at = stream_clock_map(&c, &s);
	assert_true(at > last);
	assert_near(at, T0 + 2005 * MS, 2 * MS);
	/* backwards in real time, which nothing may do: times grow still */
	last = at;
	s.arrival_ns = T0;
	s.ts -= 80000;
	at = stream_clock_map(&c, &s);
	assert_true(at > last);
}

/* Whoever holds the line does not count meanwhile; a burst that was delayed is no such. */
static void a_stopped_count_is_believed_after_a_while(void **state)
{
	struct stream_clock c = { 0 };
	int64_t at = 0;
	int i;

	(void)state;
	for (i = 0; i < 100; i++)
		map(&c, (uint32_t)i * 960, T0 + i * 20 * MS);
	/* 3 s late, all at once, and then in time again */
	for (; i < 250; i++)
		map(&c, (uint32_t)i * 960, T0 + 250 * 20 * MS + i * MS / 100);
	at = map(&c, (uint32_t)i * 960, T0 + i * 20 * MS);
	assert_near(at, T0 + i * 20 * MS, 5 * MS);
	/* 30 s of nothing, in which it has not counted */
	for (; i < 400; i++)
		at = map(&c, (uint32_t)i * 960, T0 + i * 20 * MS + 30 * NS_PER_S);
	assert_near(at, T0 + (i - 1) * 20 * MS + 30 * NS_PER_S, 5 * MS);
}

/* Where it is known when it is played, that counts, and is approached slowly. */
static void what_is_played_counts(void **state)
{
	struct stream_clock c = { 0 };
	int64_t at = 0, last = 0;

	(void)state;
	for (int i = 0; i < 2000; i++) {
		struct stream_stamp s = { .ssrc = 1, .hz = 48000, .ts = (uint32_t)i * 960,
					  .arrival_ns = T0 + i * 20 * MS, .has_play = i > 10,
					  .play_ns = T0 + (i * 20 + 80) * MS };

		at = stream_clock_map(&c, &s);
		if (i)
			assert_near(at - last, 20 * MS, MS / 5);
		last = at;
	}
	assert_near(at, T0 + (1999 * 20 + 80) * MS, MS);
}

static void late_packets_are_known(void **state)
{
	struct stream_clock c = { 0 };
	struct stream_stamp s = { .ssrc = 1, .hz = 48000, .ts = 5 };

	(void)state;
	assert_false(stream_clock_is_late(&c, &s));
	map(&c, 960, T0);
	assert_true(stream_clock_is_late(&c, &s));
	s.ts = 960;
	assert_true(stream_clock_is_late(&c, &s));
	s.ts = 961;
	assert_false(stream_clock_is_late(&c, &s));
	s.ts = UINT32_MAX - 96000; /* it began anew */
	assert_false(stream_clock_is_late(&c, &s));
	s = (struct stream_stamp){ .ssrc = 2, .hz = 48000, .ts = 5 };
	assert_false(stream_clock_is_late(&c, &s));
}

/* A sender that says anything: nothing overflows (this is for the sanitizers). */
static void survives_any_time_stamp(void **state)
{
	struct stream_clock c = { 0 };
	int64_t last = 0, at;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		struct stream_stamp s = { .ssrc = 1, .hz = 8000, .ts = (uint32_t)i * 0x7ffffff0u,
					  .arrival_ns = T0 + i * MS };

		at = stream_clock_map(&c, &s);
		assert_true(at > last);
		last = at;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(distances_are_the_senders),
		cmocka_unit_test(follows_a_clock_that_drifts),
		cmocka_unit_test(jumps_are_taken_anew_and_grow),
		cmocka_unit_test(a_stopped_count_is_believed_after_a_while),
		cmocka_unit_test(what_is_played_counts),
		cmocka_unit_test(late_packets_are_known),
		cmocka_unit_test(survives_any_time_stamp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
