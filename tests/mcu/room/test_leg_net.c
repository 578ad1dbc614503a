/* What a leg's network side makes of a negotiation, of packets, of feedback. */
#include "tests/mcu/room/leg_net_rig.h"

/* --- life ----------------------------------------------------------------------- */

static void test_streams_need_connection_and_agreement(void **state)
{
	struct leg_media m = media(true);

	(void)state;
	role_assert_ctl();
	leg_net_watch(the.l, ENCODE);
	run();
	assert_int_equal(the.watched, 0);
	configure(true);
	assert_true(the.publishes);
	assert_int_equal(the.watched, 0);
	assert_int_equal(the.listened, 0);
	the.ev->connected(the.obj, "test");
	run();
	assert_int_equal(the.watched, ENCODE);
	assert_int_equal(the.listened, audio_format_group(ROOM, AUDIO_FORMAT_OPUS));
	assert_true(the.timer_runs);
	leg_net_watch(the.l, 0);
	run();
	assert_int_equal(the.watched, 0);
	leg_net_watch(the.l, ENCODE + 1);
	run();
	assert_int_equal(the.watched, ENCODE + 1);
	assert_int_equal(the.told, ENCODE + 1); /* the old encode need not go on */
	m.video.tx = m.audio.tx = false;
	assert_int_equal(leg_net_configure(the.l, &m), 0);
	run();
	assert_int_equal(the.watched, 0);
	assert_int_equal(the.listened, 0);
}

static void test_new_credentials_restart_ice(void **state)
{
	struct leg_media m = media(true);

	(void)state;
	role_assert_ctl();
	connect_leg(true);
	configure(true); /* an agreement that repeats them */
	assert_int_equal(the.restarts, 0);
	m.local = (struct leg_ice){ "other", "secret" };
	for (int i = 0; i < 2; i++) {
		assert_int_equal(leg_net_configure(the.l, &m), 0);
		run();
		assert_int_equal(the.restarts, 1);
		assert_string_equal(the.local_ufrag, "other");
	}
	assert_int_equal(the.listened, audio_format_group(ROOM, AUDIO_FORMAT_OPUS));
	assert_true(the.timer_runs);
}

static void test_says_goodbye(void **state)
{
	struct rtcp_item item;

	(void)state;
	role_assert_ctl();
	connect_leg(true);
	the.rtcp_len = 0;
	leg_net_close(the.l);
	run();
	assert_true(sent_item(RTCP_BYE, &item));
	assert_int_equal(item.n, 2);
	assert_false(the.open);
	/* What was on its way when it closed does nothing. */
	leg_net_watch(the.l, ENCODE);
	leg_net_add_candidate(the.l, "candidate:1 1 udp 1 127.0.0.1 9 typ host");
	configure(true);
	assert_false(the.open);
	assert_int_equal(the.watched, 0);
	the.closed = 0;
}

static void test_a_transport_that_ends_is_told(void **state)
{
	(void)state;
	role_assert_ctl();
	leg_net_watch(the.l, ENCODE);
	connect_leg(true);
	the.ev->closed(the.obj, "consent");
	run();
	assert_int_equal(the.lost, 1);
	assert_int_equal(the.watched, 0);
	assert_int_equal(the.listened, 0);
	assert_false(the.timer_runs);
}

static void test_a_transport_that_cannot_be_set_up_is_closed(void **state)
{
	(void)state;
	role_assert_ctl();
	the.refuse = -ENOTSUP;
	configure(true);
	assert_int_equal(the.lost, 1);
	assert_false(the.open);
	the.refuse = 0;
	configure(true); /* too late */
	assert_false(the.open);
	assert_int_equal(the.lost, 1);
}

static void test_candidates_wait_for_nothing(void **state)
{
	(void)state;
	role_assert_ctl();
	configure(false);
	assert_int_equal(leg_net_add_candidate(the.l, "candidate:1 1 udp 1 127.0.0.1 9 typ host"), 0);
	assert_int_equal(leg_net_add_candidate(the.l, NULL), 0);
	run();
	assert_int_equal(the.candidates, 1);
}

static void test_a_viewer_may_begin_to_send(void **state)
{
	(void)state;
	role_assert_ctl();
	connect_leg(false);
	assert_false(the.publishes);
	assert_int_equal(the.period_ns, LEG_VIEWER_TICK_MS * NS_PER_MS);
	receive_sound(1);
	assert_int_equal(the.sounds, 0);
	configure(true);
	assert_true(the.publishes);
	assert_int_equal(the.period_ns, LEG_TICK_MS * NS_PER_MS);
	receive_sound(2);
	assert_int_equal(the.sounds, 1);
}

/* --- another negotiation --------------------------------------------------------- */

static struct rtp_batch *an_encoded_picture(struct rtp_batch_pool *pool)
{
	struct rtp_batch *b = rtp_batch_get(pool, 0);

	assert_non_null(b);
	b->encode_id = ENCODE;
	assert_int_equal(rtp_batch_add(b, NULL, 0, (const uint8_t *)"picture", 7, true), 0);
	return b;
}

static void test_payload_types_change_in_place(void **state)
{
	struct rtp_batch_pool *pool;
	struct rtp_tx *tx = &the.l->video.tx;
	struct leg_media m = media(false);
	uint8_t out[RTP_TX_HEADER_MAX];
	struct rtp_batch *b;
	uint32_t index;
	uint16_t seq;

	(void)state;
	role_assert_ctl();
	assert_int_equal(rtp_batch_pool_new(&pool, "test", 4, 100, 1), 0);
	b = an_encoded_picture(pool);
	leg_net_watch(the.l, ENCODE);
	connect_leg(false);
	the.l->video.wait_key = false;
	rtp_tx_follow(tx, b);
	seq = rtp_tx_seq(tx, b, 0);
	rtp_tx_sent(tx, b, 0, 1);
	configure(false); /* the same again: nothing is asked for or forgotten */
	assert_true(rtp_tx_index_of_seq(tx, seq, &index));
	assert_int_equal(the.key_requests, 0);
	m.video.tx_format.pt = 45;
	m.video.ext_mid = 9;
	memcpy(m.video.mid, "v", 2);
	assert_int_equal(leg_net_configure(the.l, &m), 0);
	run();
	assert_false(rtp_tx_index_of_seq(tx, seq, &index));
	assert_int_equal(rtp_tx_seq(tx, b, 1), (uint16_t)(seq + 1));
	assert_int_equal(tx->ssrc, OUR_VIDEO);
	assert_int_equal(tx->packets, 1);
	assert_true(rtp_tx_header(tx, b, 0, 1, out) > RTP_HEADER_BYTES);
	assert_int_equal(out[1] & 0x7f, 45);
	/* its decoder begins anew */
	assert_int_equal(the.key_requests, 1);
	assert_true(the.l->video.wait_key);
	assert_int_equal(the.watched, ENCODE);
	/* the stream goes and comes back */
	m.video.tx = false;
	assert_int_equal(leg_net_configure(the.l, &m), 0);
	run();
	assert_int_equal(the.watched, 0);
	m.video.tx = true;
	assert_int_equal(leg_net_configure(the.l, &m), 0);
	run();
	assert_int_equal(the.watched, ENCODE);
	assert_int_equal(tx->packets, 1);
	assert_int_equal(rtp_tx_seq(tx, b, 1), (uint16_t)(seq + 1));
	rtp_batch_unref(&b);
	rtp_batch_pool_free(&pool);
}

/* What the former encode still sends is not what the new payload type says. */
static void test_another_codec_waits_for_its_encode(void **state)
{
	struct leg_media m = media(false);

	(void)state;
	role_assert_ctl();
	leg_net_watch(the.l, ENCODE);
	connect_leg(false);
	assert_int_equal(the.watched, ENCODE);
	m.video.tx_format.codec = CODEC_VP8;
	m.video.tx_format.pt = 96;
	assert_int_equal(leg_net_configure(the.l, &m), 0);
	run();
	assert_int_equal(the.watched, 0);
	leg_net_watch(the.l, ENCODE + 1);
	run();
	assert_int_equal(the.watched, ENCODE + 1);
}

static void test_repairs_have_their_own_numbers(void **state)
{
	struct leg_media m = media(false);
	struct rtp_rtx *rtx = &the.l->video.rtx;
	uint16_t seq;

	(void)state;
	role_assert_ctl();
	connect_leg(false);
	assert_int_equal(rtx->pt, 0);
	m.video.tx_format.rtx_pt = 103; /* but no SSRC of ours was signalled */
	assert_int_equal(leg_net_configure(the.l, &m), 0);
	run();
	assert_int_equal(rtx->pt, 0);
	m.video.tx_rtx_ssrc = OUR_RTX;
	assert_int_equal(leg_net_configure(the.l, &m), 0);
	run();
	assert_int_equal(rtx->pt, 103);
	assert_int_equal(rtx->ssrc, OUR_RTX);
	assert_true(rtx->next_seq < 0x8000);
	seq = rtx->next_seq += 5;
	m.video.tx_format.rtx_pt = 104;
	assert_int_equal(leg_net_configure(the.l, &m), 0);
	run();
	assert_int_equal(rtx->pt, 104);
	m.video.tx_rtx_ssrc = 0;
	assert_int_equal(leg_net_configure(the.l, &m), 0);
	run();
	assert_int_equal(rtx->pt, 0);
	m.video.tx_rtx_ssrc = OUR_RTX;
	assert_int_equal(leg_net_configure(the.l, &m), 0);
	run();
	assert_int_equal(rtx->pt, 104);
	assert_int_equal(rtx->next_seq, seq);
}

/* --- packets in ------------------------------------------------------------------ */

static void test_packets_go_by_payload_type(void **state)
{
	uint8_t payload[] = { 1, 2, 3 };
	struct buf *b;

	(void)state;
	role_assert_ctl();
	connect_leg(true);
	for (uint16_t i = 0; i < 10; i++)
		receive_sound(i);
	receive_picture(100, true);
	receive_picture(101, false);
	receive(99, PEER_AUDIO, 10, 0, false, payload, sizeof payload);
	b = buf_get(the.packets);
	memset(b->data, 0xff, 50);
	b->len = 50;
	the.ev->rtp(the.obj, b, the.now_ns);
	assert_int_equal(the.sounds, 10);
	assert_int_equal(the.tag, audio_tag(CODEC_OPUS, AUDIO_PT, false));
	assert_int_equal(the.pictures, 2);
	assert_int_equal(the.keys, 1);
}

/* Several codecs were agreed on, and RED: each packet says what it is. */
static void test_sound_of_every_codec_is_told(void **state)
{
	static const struct {
		uint8_t pt, payload[6];
		uint32_t tag; /* 0: not taken */
	} rows[] = {
		{ AUDIO_PT, { 1 }, CODEC_OPUS << 8 | AUDIO_PT },
		{ 63, { AUDIO_PT, 1 }, 1 << 16 | CODEC_OPUS << 8 | AUDIO_PT },
		{ 63, { 0x80 | AUDIO_PT, 0, 0, 0, AUDIO_PT, 1 }, 1 << 16 | CODEC_OPUS << 8 | AUDIO_PT },
		{ 63, { 99, 1 }, 0 },
		{ 63, { 63, 1 }, 0 },
		{ 63, { 0x80, 0, 0, 0, 0x80, 0 }, 0 },
		{ 0, { 1 }, CODEC_PCMU << 8 },
		{ 9, { 1 }, CODEC_G722 << 8 | 9 },
		{ 8, { 1 }, 0 },
	};
	struct leg_media m = media(true);
	size_t taken = 0;

	(void)state;
	role_assert_ctl();
	connect_leg(true);
	m.audio.rx_format[m.audio.n_rx_formats++] = (struct leg_rx_format){ CODEC_PCMU, 0, 0 };
	m.audio.rx_format[m.audio.n_rx_formats++] = (struct leg_rx_format){ CODEC_G722, 9, 0 };
	m.audio.rx_red_pt = 63;
	assert_int_equal(leg_net_configure(the.l, &m), 0);
	run();
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		receive(rows[i].pt, PEER_AUDIO, (uint16_t)i, 0, false, rows[i].payload,
			sizeof rows[i].payload);
		taken += rows[i].tag != 0;
		assert_int_equal(the.sounds, taken);
		if (rows[i].tag)
			assert_int_equal(the.tag, rows[i].tag);
	}
}

static void test_holes_are_asked_for_then_a_key_frame(void **state)
{
	struct rtcp_item item;
	uint16_t seq[8];
	bool nacked = false, pli = false;

	(void)state;
	role_assert_ctl();
	connect_leg(true);
	receive_picture(100, true);
	receive_picture(101, false);
	receive_picture(103, false);
	for (int ms = 0; ms < 1000 && !pli; ms += 20) {
		the.rtcp_len = 0;
		advance(20);
		if (sent_item(RTCP_NACK, &item)) {
			assert_int_equal(item.media_ssrc, PEER_VIDEO);
			assert_int_equal(rtcp_item_nacks(&item, seq, 8), 1);
			assert_int_equal(seq[0], 102);
			nacked = true;
		}
		pli = sent_item(RTCP_PLI, &item);
	}
	assert_true(nacked);
	assert_true(pli);
	assert_int_equal(item.media_ssrc, PEER_VIDEO);
	assert_int_equal(item.ssrc, OUR_VIDEO);
	/* Nothing with a hole came out. */
	assert_int_equal(the.pictures, 2);
	receive_picture(104, false);
	assert_int_equal(the.pictures, 2);
	receive_picture(105, true);
	assert_int_equal(the.pictures, 3);
}

static void test_a_decoder_that_starts_asks(void **state)
{
	struct leg_media m = media(true);
	struct rtcp_item item;

	(void)state;
	role_assert_ctl();
	connect_leg(true);
	receive_picture(100, true);
	advance(1000);
	the.rtcp_len = 0;
	the.needs_key = true;
	advance(20);
	assert_true(sent_item(RTCP_PLI, &item));
	/* A sender without PLI is asked by FIR. */
	m.video.pli = false;
	assert_int_equal(leg_net_configure(the.l, &m), 0);
	run();
	receive_picture(101, true);
	advance(1000);
	the.rtcp_len = 0;
	the.needs_key = true;
	advance(20);
	assert_false(sent_item(RTCP_PLI, &item));
	assert_true(sent_item(RTCP_FIR, &item));
}

/* --- RTCP ------------------------------------------------------------------------ */

static void test_feedback_of_a_receiver(void **state)
{
	uint16_t seqs[] = { 65535, 0, 5 };
	uint8_t data[1200];
	struct rtcp_builder b;

	(void)state;
	role_assert_ctl();
	connect_leg(false);
	rtcp_build_init(&b, data, sizeof data);
	rtcp_build_pli(&b, 1, OUR_VIDEO);
	receive_rtcp(&b);
	assert_int_equal(the.key_requests, 1);
	rtcp_build_init(&b, data, sizeof data);
	rtcp_build_fir(&b, 1, OUR_VIDEO, 9);
	receive_rtcp(&b);
	receive_rtcp(&b); /* repeated: the same request */
	assert_int_equal(the.key_requests, 2);
	rtcp_build_init(&b, data, sizeof data);
	rtcp_build_nack(&b, 1, OUR_VIDEO, seqs, 3);
	receive_rtcp(&b);
	assert_int_equal(the.n_nacks, 3);
	assert_int_equal(the.nack[0], 65535);
	assert_int_equal(the.nack[2], 5);
	/* About a stream that is not ours to send. */
	rtcp_build_init(&b, data, sizeof data);
	rtcp_build_pli(&b, 1, PEER_VIDEO);
	rtcp_build_fir(&b, 1, PEER_VIDEO, 10);
	rtcp_build_nack(&b, 1, OUR_AUDIO, seqs, 3);
	receive_rtcp(&b);
	assert_int_equal(the.key_requests, 2);
	assert_int_equal(the.n_nacks, 3);
	memset(data, 0xff, 100);
	the.ev->rtcp(the.obj, data, 100, the.now_ns);
	the.ev->rtcp(the.obj, data, 1, the.now_ns);
	assert_int_equal(the.key_requests, 2);
}

static void test_reports_become_numbers(void **state)
{
	uint64_t ntp = clock_ntp_of_wall_ns(clock_wall_ns());
	struct rtcp_block k = {
		.ssrc = OUR_VIDEO, .fraction_lost = 64, .jitter = 900,
		.lsr = rtcp_ntp_mid(ntp) - 65536 / 10, /* sent 100 ms ago, answered at once */
	};
	struct leg_net_stats s;
	uint8_t data[1200];
	struct rtcp_builder b;

	(void)state;
	role_assert_ctl();
	connect_leg(true);
	for (uint16_t i = 0; i < 50; i++) {
		if (i % 10 != 5)
			receive_sound(i);
		advance(20);
	}
	rtcp_build_init(&b, data, sizeof data);
	rtcp_build_rr(&b, 1, &k, 1);
	rtcp_build_remb(&b, 1, 1234000, &k.ssrc, 1);
	receive_rtcp(&b);
	advance(1000);
	leg_net_get_stats(the.l, &s);
	assert_in_range(s.rtt_ms, 90, 1000);
	assert_int_equal(s.remb_bps, 1234000);
	assert_true(s.downlink_video.loss > 0.249 && s.downlink_video.loss < 0.251);
	assert_true(s.downlink_video.jitter_ms > 9.9 && s.downlink_video.jitter_ms < 10.1);
	/* The first packet of a source is on probation. */
	assert_in_range(s.uplink_audio.packets, 44, 45);
	assert_in_range(s.uplink_audio.octets, 44 * 20, 45 * 20);
}

/* Meanwhile it is sent so much. */
static void report_while(int seconds, uint8_t lost, uint64_t remb_bps, int sound_bps,
			 int picture_bps) ON_THREAD(ROLE_CTL)
{
	struct rtcp_block k = { .ssrc = OUR_VIDEO, .fraction_lost = lost };
	uint8_t data[1200];
	struct rtcp_builder b;

	for (int i = 0; i < seconds; i++) {
		rtcp_build_init(&b, data, sizeof data);
		rtcp_build_rr(&b, 1, &k, 1);
		if (remb_bps)
			rtcp_build_remb(&b, 1, remb_bps, &k.ssrc, 1);
		receive_rtcp(&b);
		for (int ms = 0; ms < 1000; ms += 20) {
			the.l->audio.tx.octets += (uint32_t)sound_bps / 8 / 50;
			the.l->video.tx.octets += (uint32_t)picture_bps / 8 / 50;
			advance(20);
		}
		run();
	}
}

static void report_for(int seconds, uint8_t lost, uint64_t remb_bps) ON_THREAD(ROLE_CTL)
{
	report_while(seconds, lost, remb_bps, 32000, 2000000);
}

/* Browsers measure pictures; of one that stands still there is next to nothing. */
static void test_sound_is_in_no_estimate(void **state)
{
	(void)state;
	role_assert_ctl();
	connect_leg(true);
	report_while(60, 0, 10168, 32000, 0);
	assert_int_equal(the.carries, 0);
	report_while(5, 0, 10168, 32000, 400000);
	assert_int_equal(the.carries, 1);
}

/* What the receiver reports chooses the rung; CTL is told of each change. */
static void test_reports_choose_the_rung(void **state)
{
	(void)state;
	role_assert_ctl();
	connect_leg(true);
	report_for(2, 64, 0);
	assert_int_equal(the.carries, 0);
	report_for(1, 64, 0);
	assert_int_equal(the.carries, 1);
	report_for(10, 0, 0);
	assert_int_equal(the.carries, 1);
	report_for(1, 0, 0);
	assert_int_equal(the.carries, 0);
	report_for(3, 0, 200000);
	assert_int_equal(the.carries, 1);
	/* One that may have no better is not tried with it. */
	leg_net_limit_rung(the.l, 1);
	report_for(100, 0, 5000000);
	assert_int_equal(the.carries, 1);
	leg_net_limit_rung(the.l, 0);
	report_for(22, 0, 5000000);
	assert_int_equal(the.carries, 0);
}

static void test_reports_what_it_sends(void **state)
{
	struct rtcp_item item;

	(void)state;
	role_assert_ctl();
	connect_leg(true);
	receive_sound(1);
	receive_sound(2);
	receive_sound(3);
	the.rtcp_len = 0;
	advance(1000);
	assert_true(sent_item(RTCP_RR, &item)); /* nothing was sent yet */
	assert_int_equal(item.n, 1);
	the.l->video.tx.started = true;
	the.l->video.tx.packets = 12;
	the.l->video.tx.octets = 3456;
	the.rtcp_len = 0;
	advance(1000);
	assert_true(sent_item(RTCP_SR, &item));
	assert_int_equal(item.ssrc, OUR_VIDEO);
	assert_int_equal(item.sr.packets, 12);
	assert_int_equal(item.sr.octets, 3456);
	assert_true(sent_item(RTCP_SDES, &item));
	assert_int_equal(item.cname_len, 2);
}

/* CTL keeps the old encode until it is told. */
static void test_a_change_of_encodes_is_told(void **state)
{
	(void)state;
	role_assert_ctl();
	leg_net_watch(the.l, ENCODE);
	configure(true);
	the.ev->connected(the.obj, "test");
	run();
	assert_int_equal(the.told, ENCODE); /* CTL may hold an earlier one for it */
	leg_net_watch(the.l, ENCODE + 1);
	run();
	assert_int_equal(the.told, ENCODE + 1); /* nothing goes on meanwhile */
	the.changes = true;
	leg_net_watch(the.l, ENCODE + 2);
	run();
	assert_int_equal(the.told, ENCODE + 1);
	the.l->video.next_group = 0;
	the.l->video.group = ENCODE + 2;
	the.l->video.switched(&the.l->video);
	run();
	assert_int_equal(the.told, ENCODE + 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
		T(test_streams_need_connection_and_agreement),
		T(test_a_change_of_encodes_is_told),
		T(test_reports_choose_the_rung),
		T(test_sound_is_in_no_estimate),
		T(test_new_credentials_restart_ice),
		T(test_says_goodbye),
		T(test_a_transport_that_ends_is_told),
		T(test_a_transport_that_cannot_be_set_up_is_closed),
		T(test_candidates_wait_for_nothing),
		T(test_a_viewer_may_begin_to_send),
		T(test_payload_types_change_in_place),
		T(test_another_codec_waits_for_its_encode),
		T(test_repairs_have_their_own_numbers),
		T(test_packets_go_by_payload_type),
		T(test_sound_of_every_codec_is_told),
		T(test_holes_are_asked_for_then_a_key_frame),
		T(test_a_decoder_that_starts_asks),
		T(test_feedback_of_a_receiver),
		T(test_reports_become_numbers),
		T(test_reports_what_it_sends),
#undef T
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
