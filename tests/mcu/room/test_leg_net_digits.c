/* DTMF digits as RTP events, in and out of a leg's stream of sound. */
#include "mcu/rtp/bytes.h"
#include "mcu/rtp/telephone_event.h"
#include "tests/mcu/room/leg_net_rig.h"

enum { EVENT_PT = 101, HZ = 48000 };

static struct {
	unsigned n;
	uint16_t seq[64];
	uint32_t ts[64];
	uint8_t pt[64];
	struct telephone_event e[64];
} sent;

static size_t send_rtp(struct transport *t, const struct out_pkt *pkt, size_t n)
{
	(void)t;
	assert_int_equal(n, 1);
	assert_true(sent.n < 64);
	sent.pt[sent.n] = pkt->hdr[1];
	sent.seq[sent.n] = get_be16(pkt->hdr + 2);
	sent.ts[sent.n] = get_be32(pkt->hdr + 4);
	assert_int_equal(telephone_event_parse(&sent.e[sent.n++], pkt->payload, pkt->payload_len), 0);
	return n;
}

static void start(bool events_too) ON_THREAD(ROLE_CTL)
{
	static struct transport_ops with;
	struct leg_media m = media(true);

	if (events_too) {
		m.audio.rx_dtmf_pt = m.audio.tx_dtmf_pt = EVENT_PT;
		m.audio.dtmf_hz = HZ;
	}
	assert_int_equal(leg_net_configure(the.l, &m), 0);
	run();
	with = ops;
	with.send_rtp = send_rtp;
	the.base.ops = &with;
	the.ev->connected(the.obj, "test");
	run();
	sent.n = 0;
}

static void receive_event(uint16_t seq, uint32_t ts, uint8_t code, bool end, uint16_t duration)
{
	struct telephone_event e = { .code = code, .end = end, .duration = duration };
	uint8_t payload[TELEPHONE_EVENT_BYTES];

	telephone_event_write(&e, payload);
	receive(EVENT_PT, PEER_AUDIO, seq, ts, false, payload, sizeof payload);
}

static void test_a_digit_comes_once(void **state)
{
	(void)state;
	role_assert_ctl();
	start(true);
	for (uint16_t s = 1; s <= 10; s++)
		receive_sound(s);
	for (uint16_t s = 11; s <= 15; s++)
		receive_event(s, 11 * 960, 7, s == 15, (uint16_t)((s - 10) * 960));
	receive_event(16, 11 * 960, 7, true, 5 * 960);
	receive_event(17, 11 * 960, 7, true, 5 * 960);
	run();
	assert_string_equal(the.digits, "7");
	assert_int_equal(the.sounds, 10);
	/* Nobody waits for what was no sound. */
	receive_sound(18);
	assert_int_equal(the.sound_seq, 11);
	assert_int_equal(the.sounds, 11);
	/* Nor are they lost: the report counts them. */
	advance(LEG_REPORT_MS);
	{
		struct rtcp_item item;

		assert_true(sent_item(RTCP_SR, &item) || sent_item(RTCP_RR, &item));
	}
	assert_int_equal(rx_stats_lost(&the.l->audio_rx), 0);
}

/* What was not agreed on is nothing. */
static void test_only_where_agreed(void **state)
{
	(void)state;
	role_assert_ctl();
	start(false);
	receive_sound(1);
	receive_event(2, 960, 7, false, 960);
	run();
	assert_string_equal(the.digits, "");
	assert_int_equal(leg_net_send_digits(the.l, "5"), 0);
	advance(1000);
	assert_int_equal(sent.n, 0);
}

static void test_before_any_sound(void **state)
{
	(void)state;
	role_assert_ctl();
	start(true);
	receive_event(1, 960, 11, false, 960);
	receive_event(2, 960, 11, true, 1920);
	run();
	assert_string_equal(the.digits, "#");
}

static struct rtp_batch *sound_batch(struct rtp_batch_pool *pool, uint32_t index)
{
	struct rtp_batch *b = rtp_batch_get(pool, 0);

	assert_non_null(b);
	b->encode_id = 1;
	b->first_index = index;
	b->ts = index * 960;
	b->time_ns = the.now_ns;
	assert_int_equal(rtp_batch_add(b, NULL, 0, (const uint8_t *)"x", 1, false), 0);
	return b;
}

/* As the fan-out does. */
static bool send_sound(struct rtp_batch_pool *pool, uint32_t index, uint16_t *seq)
{
	struct out_stream *o = &the.l->audio;
	struct rtp_batch *b = sound_batch(pool, index);

	if (!o->hushed) {
		if (o->tx.encode_id != b->encode_id || o->next_index != b->first_index)
			rtp_tx_follow(&o->tx, b);
		*seq = rtp_tx_seq(&o->tx, b, 0);
		rtp_tx_sent(&o->tx, b, 0, 1);
		o->next_index = b->first_index + 1;
	}
	rtp_batch_unref(&b);
	return !o->hushed;
}

static void test_digits_go_out_in_the_place_of_sound(void **state)
{
	struct rtp_batch_pool *pool;
	unsigned sounds = 0, digit = 0;
	uint16_t seq = 0, last = 0;
	uint32_t index = 0;

	(void)state;
	role_assert_ctl();
	assert_int_equal(rtp_batch_pool_new(&pool, "test", 1, 100, 4), 0);
	start(true);
	assert_int_equal(leg_net_send_digits(the.l, "1#"), 0);
	run();
	assert_true(send_sound(pool, index++, &last));
	for (int i = 0; i < 40; i++) {
		unsigned before = sent.n;

		advance(20);
		if (sent.n > before) { /* one number each, whatever it is */
			assert_int_equal(sent.seq[before], (uint16_t)(last + 1));
			last = sent.seq[before];
		}
		if (!send_sound(pool, index++, &seq))
			continue;
		assert_int_equal(seq, (uint16_t)(last + 1));
		last = seq;
		sounds++;
	}
	assert_int_equal(sent.n, 14);
	assert_int_equal(sounds, 40 - 14);
	for (unsigned i = 0; i < sent.n; i++) {
		digit = i / 7;
		assert_int_equal(sent.e[i].code, digit ? 11 : 1);
		assert_int_equal(sent.pt[i] & 0x7f, EVENT_PT);
		assert_int_equal(sent.pt[i] >> 7, i % 7 == 0);
		assert_int_equal(sent.ts[i], sent.ts[digit * 7]);
		assert_int_equal(sent.e[i].end, i % 7 >= 4);
	}
	assert_true(sent.ts[7] - sent.ts[0] >= 10 * 960);
	assert_int_equal(sent.e[6].duration, 5 * 960);
	rtp_batch_pool_free(&pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_digit_comes_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_only_where_agreed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_before_any_sound, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_digits_go_out_in_the_place_of_sound, set_up,
						tear_down),
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
