/* DTMF digits as RTP events (RFC 4733). */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mcu/base/clock.h"
#include "mcu/rtp/telephone_event.h"

enum { HZ = 8000, SSRC = 77 };

/* A packet of a script: when it comes, what it says. */
struct step {
	int at_ms;
	uint16_t seq;
	uint32_t ts;
	uint8_t code;
	bool marker, end;
	uint16_t duration;
};

struct script {
	const char *name;
	const char *want;
	size_t n;
	struct step step[24];
};

static char receive(struct telephone_event_rx *r, const struct step *s)
{
	uint8_t payload[TELEPHONE_EVENT_BYTES];
	struct telephone_event e = { .code = s->code, .end = s->end, .volume = 10,
				     .duration = s->duration };
	struct rtp_packet p = { .marker = s->marker, .seq = s->seq, .ts = s->ts, .ssrc = SSRC,
				.payload = payload, .payload_len = sizeof payload };

	telephone_event_write(&e, payload);
	return telephone_event_rx(r, &p, HZ, s->at_ms * NS_PER_MS);
}

static const struct script scripts[] = {
	{ "as it should be", "5", 7, {
		{ 0, 10, 1000, 5, true, false, 160 }, { 20, 11, 1000, 5, false, false, 320 },
		{ 40, 12, 1000, 5, false, false, 480 }, { 60, 13, 1000, 5, false, false, 640 },
		{ 80, 14, 1000, 5, false, true, 800 }, { 100, 15, 1000, 5, false, true, 800 },
		{ 120, 16, 1000, 5, false, true, 800 } } },
	{ "without markers", "12", 4, {
		{ 0, 1, 0, 1, false, false, 160 }, { 20, 2, 0, 1, false, true, 320 },
		{ 200, 3, 1600, 2, false, false, 160 }, { 220, 4, 1600, 2, false, true, 320 } } },
	{ "the first packets are lost", "9", 2, {
		{ 60, 4, 800, 9, false, false, 640 }, { 80, 5, 800, 9, false, true, 800 } } },
	{ "only an end comes", "#", 2, {
		{ 60, 4, 800, 11, false, true, 800 }, { 60, 5, 800, 11, false, true, 800 } } },
	{ "the ends are lost", "77", 4, {
		{ 0, 1, 0, 7, true, false, 160 }, { 20, 2, 0, 7, false, false, 320 },
		{ 300, 8, 2400, 7, true, false, 160 }, { 320, 9, 2400, 7, false, false, 320 } } },
	{ "the ends are lost, and there are no markers", "77", 4, {
		{ 0, 1, 0, 7, false, false, 160 }, { 20, 2, 0, 7, false, false, 320 },
		{ 300, 8, 2400, 7, false, false, 160 }, { 320, 9, 2400, 7, false, false, 320 } } },
	{ "ends come twice, and late", "3", 4, {
		{ 0, 1, 0, 3, true, false, 160 }, { 50, 2, 0, 3, false, true, 400 },
		{ 50, 2, 0, 3, false, true, 400 }, { 900, 3, 0, 3, false, true, 400 } } },
	{ "out of order", "45", 5, {
		{ 0, 2, 0, 4, false, false, 320 }, { 5, 1, 0, 4, true, false, 160 },
		{ 60, 4, 1600, 5, true, false, 160 }, { 70, 3, 0, 4, false, true, 480 },
		{ 80, 5, 1600, 5, false, true, 320 } } },
	{ "longer than a packet can say", "0", 4, {
		{ 0, 1, 0, 0, true, false, 160 }, { 8000, 400, 0, 0, false, false, 65535 },
		{ 8020, 401, 65535, 0, false, false, 160 },
		{ 8040, 402, 65535, 0, false, true, 320 } } },
	{ "a time stamp that runs on", "8", 4, {
		{ 0, 1, 0, 8, true, false, 160 }, { 20, 2, 160, 8, false, false, 320 },
		{ 40, 3, 320, 8, false, false, 480 }, { 60, 4, 480, 8, false, true, 640 } } },
	{ "a time stamp that stands still", "123", 6, {
		{ 0, 1, 9, 1, true, false, 160 }, { 20, 2, 9, 1, false, true, 320 },
		{ 100, 3, 9, 2, true, false, 160 }, { 120, 4, 9, 2, false, true, 320 },
		{ 200, 5, 9, 3, true, false, 160 }, { 220, 6, 9, 3, false, true, 320 } } },
	{ "the same under one that stands still", "66", 4, {
		{ 0, 1, 9, 6, true, false, 160 }, { 20, 2, 9, 6, false, true, 320 },
		{ 400, 3, 9, 6, true, false, 160 }, { 420, 4, 9, 6, false, true, 320 } } },
	{ "time stamps that go over the top", "12", 4, {
		{ 0, 1, 0xffffff00, 1, true, false, 160 }, { 20, 2, 0xffffff00, 1, false, true, 320 },
		{ 200, 3, 0x100, 2, true, false, 160 }, { 220, 4, 0x100, 2, false, true, 320 } } },
	{ "a clock that began anew", "12", 4, {
		{ 0, 1, 0x40000000, 1, true, false, 160 }, { 20, 2, 0x40000000, 1, false, true, 320 },
		{ 200, 3, 100, 2, true, false, 160 }, { 220, 4, 100, 2, false, true, 320 } } },
	{ "fast", "4444", 8, {
		{ 0, 1, 0, 4, true, false, 160 }, { 20, 2, 0, 4, false, true, 320 },
		{ 80, 3, 640, 4, true, false, 160 }, { 100, 4, 640, 4, false, true, 320 },
		{ 160, 5, 1280, 4, true, false, 160 }, { 180, 6, 1280, 4, false, true, 320 },
		{ 240, 7, 1920, 4, true, false, 160 }, { 260, 8, 1920, 4, false, true, 320 } } },
	{ "what is no digit", "*D", 4, {
		{ 0, 1, 0, 10, true, true, 160 }, { 200, 2, 1600, 16, true, true, 160 },
		{ 400, 3, 3200, 70, true, true, 160 }, { 600, 4, 4800, 15, true, true, 160 } } },
};

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
		const struct script *s = &scripts[i];
		struct telephone_event_rx r = { 0 };
		char got[32] = "";

		for (size_t k = 0; k < s->n; k++) {
			char c = receive(&r, &s->step[k]);

			strncat(got, &c, c ? 1 : 0);
		}
		if (strcmp(got, s->want))
			fail_msg("%s: %s instead of %s", s->name, got, s->want);
	}
}

static void test_short_payload(void **state)
{
	struct telephone_event_rx r = { 0 };
	struct telephone_event e;
	uint8_t three[3] = { 5, 0, 0 };
	struct rtp_packet p = { .ssrc = SSRC, .payload = three, .payload_len = 3 };

	(void)state;
	assert_int_equal(telephone_event_parse(&e, three, 3), -EINVAL);
	assert_int_equal(telephone_event_rx(&r, &p, HZ, 0), 0);
}

/* A flood of events is no flood of digits. */
static void test_rate(void **state)
{
	struct telephone_event_rx r = { 0 };
	int digits = 0;

	(void)state;
	for (int i = 0; i < 10000; i++) {
		struct step s = { 1000 + i / 10, (uint16_t)i, (uint32_t)i * 1600, 5, true, false, 160 };

		digits += receive(&r, &s) != 0;
	}
	assert_in_range(digits, TELEPHONE_EVENT_BURST, TELEPHONE_EVENT_BURST + 21);
}

/* Sound on both sides of an event has numbers one after the other. */
static void test_sound_is_not_missed(void **state)
{
	struct telephone_event_rx r = { 0 };
	struct step e = { 0, 102, 0, 5, false, false, 160 };

	(void)state;
	assert_int_equal(telephone_event_seq(&r, SSRC, 100), 100);
	assert_int_equal(telephone_event_seq(&r, SSRC, 101), 101);
	for (uint16_t s = 102; s < 110; s++) {
		e.seq = s;
		receive(&r, &e);
		receive(&r, &e); /* the network may double it */
	}
	assert_int_equal(telephone_event_seq(&r, SSRC, 110), 102);
	assert_int_equal(telephone_event_seq(&r, SSRC, 111), 103);
	assert_int_equal(telephone_event_seq(&r, SSRC, 101), 101); /* late */
	assert_int_equal(telephone_event_seq(&r, SSRC + 1, 110), 110); /* another stream */
	for (uint16_t s = 500; s < 504; s++) {
		e.seq = s;
		receive(&r, &e);
	}
	assert_int_equal(telephone_event_seq(&r, SSRC, 504), 504 - 12);
	/* All the way round, sound alone. */
	for (uint16_t s = 504; s != 503; s++)
		assert_int_equal(telephone_event_seq(&r, SSRC, s), (uint16_t)(s - 12));
}

/* What is sent is what is received. */
static void test_sending(void **state)
{
	struct telephone_event_tx t = { 0 };
	struct telephone_event_rx r = { 0 };
	char got[8] = "";
	int packets = 0, ends = 0, markers = 0;
	uint16_t last = 0;

	(void)state;
	assert_int_equal(telephone_event_tx_put(&t, "1,#1"), 0);
	assert_false(telephone_event_tx_active(&t));
	for (int i = 0; i < 200; i++) {
		struct telephone_event_out o;
		struct rtp_packet p = { .ssrc = SSRC, .payload = o.payload, .payload_len = 4 };
		struct telephone_event e;
		char c;

		if (!telephone_event_tx_tick(&t, (uint32_t)i * 160, HZ, &o))
			continue;
		assert_true(telephone_event_tx_active(&t));
		p.seq = (uint16_t)packets++;
		p.ts = o.ts;
		p.marker = o.marker;
		c = telephone_event_rx(&r, &p, HZ, i * 20 * NS_PER_MS);
		strncat(got, &c, c ? 1 : 0);
		assert_int_equal(telephone_event_parse(&e, o.payload, 4), 0);
		assert_true(c ? o.marker && e.duration == 160 : e.duration >= last);
		last = e.duration;
		assert_true(!e.end || e.duration == 800);
		markers += o.marker;
		ends += e.end;
	}
	assert_string_equal(got, "1#1");
	assert_int_equal(packets, 3 * 7);
	assert_int_equal(ends, 9);
	assert_int_equal(markers, 3);
	assert_false(telephone_event_tx_active(&t));
}

static void test_queue_of_digits(void **state)
{
	struct telephone_event_tx t = { 0 };
	char many[TELEPHONE_EVENT_QUEUE + 2];

	(void)state;
	assert_int_equal(telephone_event_tx_put(&t, "12x"), -EINVAL);
	assert_int_equal(telephone_event_tx_put(&t, ""), 0);
	memset(many, '5', sizeof many);
	many[TELEPHONE_EVENT_QUEUE + 1] = 0;
	assert_int_equal(telephone_event_tx_put(&t, many), -ENOSPC);
	many[TELEPHONE_EVENT_QUEUE] = 0;
	assert_int_equal(telephone_event_tx_put(&t, many), 0);
	assert_int_equal(telephone_event_tx_put(&t, "1"), -ENOSPC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_short_payload),
		cmocka_unit_test(test_rate),
		cmocka_unit_test(test_sound_is_not_missed),
		cmocka_unit_test(test_sending),
		cmocka_unit_test(test_queue_of_digits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
