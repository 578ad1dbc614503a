/* A leg over UDP: each line is an RTP session of its own, whose payload types, SSRCs and
 * reports have nothing to do with those of the others. */
#include "tests/mcu/room/leg_net_rig.h"

enum { OUR_CONTENT = 0x6668, SAME_PT = 96 };

static struct leg_media udp_media(bool avpf)
{
	struct leg_media m = media(true);

	m.udp = true;
	m.video.pli = m.video.fir = m.video.nack = false;
	m.content = m.video;
	m.content.tx = false;
	m.content.tx_ssrc = OUR_CONTENT;
	m.content.pli = true;
	/* the same number on every line */
	m.audio.rx_format[0].pt = m.video.rx_format[0].pt = m.content.rx_format[0].pt = SAME_PT;
	for (enum rtp_line i = RTP_LINE_AUDIO; i < RTP_LINES; i++)
		m.line[i] = (struct rtp_udp_line){ .used = true, .rx = true,
						   .tx = i != RTP_LINE_CONTENT, .avpf = avpf,
						   .port = (uint16_t)(4000 + i) };
	snprintf(m.peer, sizeof m.peer, "198.51.100.7");
	return m;
}

static void connect_udp(const struct leg_media *m) ON_THREAD(ROLE_CTL)
{
	assert_int_equal(leg_net_configure(the.l, m), 0);
	run();
	the.ev->connected(the.obj, "RTP/AVP");
	run();
	assert_int_equal(the.connected, 1);
}

static void come_by(enum rtp_line line)
{
	the.base.line = (uint8_t)line;
}

static void receive_on(enum rtp_line line, uint16_t seq)
{
	static const uint8_t stap[] = { 24, 0, 4, 0x67, 0x42, 0xe0, 0x1f, 0, 2, 0x68, 0xce,
					0, 3, 0x65, 0x88, 0x80 };

	come_by(line);
	receive(SAME_PT, PEER_AUDIO, seq, seq * 3000u, true, stap, sizeof stap);
}

static void the_agreement_reaches_the_transport(void **state)
{
	struct leg_media m = udp_media(false);

	(void)state;
	role_assert_ctl();
	m.video.tx_rtx_ssrc = OUR_RTX;
	connect_udp(&m);
	assert_int_equal(the.udp_sets, 0);
	assert_int_equal(the.udp.ssrc[RTP_LINE_AUDIO], OUR_AUDIO);
	assert_int_equal(the.udp.ssrc[RTP_LINE_CAMERA], OUR_VIDEO);
	assert_int_equal(the.udp.rtx_ssrc[RTP_LINE_CAMERA], OUR_RTX);
	assert_int_equal(the.udp.ssrc[RTP_LINE_CONTENT], OUR_CONTENT);
	assert_int_equal(the.udp.line[RTP_LINE_CAMERA].port, 4002);
	assert_string_equal(the.udp.signaling, "198.51.100.7");
	/* another description: the same transport */
	m.line[RTP_LINE_CAMERA].port = 5002;
	assert_int_equal(leg_net_configure(the.l, &m), 0);
	run();
	assert_int_equal(the.udp_sets, 1);
	assert_int_equal(the.udp.line[RTP_LINE_CAMERA].port, 5002);
	assert_int_equal(the.lost, 0);
}

static void the_line_says_what_it_is(void **state)
{
	struct leg_media m = udp_media(false);

	(void)state;
	role_assert_ctl();
	connect_udp(&m);
	receive_on(RTP_LINE_CAMERA, 1);
	receive_on(RTP_LINE_CONTENT, 1);
	assert_int_equal(the.pictures, 2);
	assert_int_equal(the.contents, 1);
	the.hurried = true; /* pictures came */
	receive_on(RTP_LINE_AUDIO, 1);
	receive_on(RTP_LINE_AUDIO, 2);
	assert_int_equal(the.sounds, 2);
	receive_on(RTP_LINE_CAMERA, 2);
	assert_int_equal(the.pictures, 3);
}

/* How many reports of a sender or receiver each of our SSRCs made. */
struct counts {
	unsigned audio, video, content, blocks, byes;
};

static struct counts reports(void)
{
	struct counts c = { 0 };
	size_t at = 0;

	/* compounds follow each other: read packet by packet */
	while (at + 8 <= the.rtcp_len) {
		size_t len = 4 * ((size_t)(the.rtcp[at + 2] << 8 | the.rtcp[at + 3]) + 1);
		uint32_t ssrc = (uint32_t)the.rtcp[at + 4] << 24 | (uint32_t)the.rtcp[at + 5] << 16 |
				(uint32_t)the.rtcp[at + 6] << 8 | the.rtcp[at + 7];

		if (the.rtcp[at + 1] == 200 || the.rtcp[at + 1] == 201) {
			c.audio += ssrc == OUR_AUDIO;
			c.video += ssrc == OUR_VIDEO;
			c.content += ssrc == OUR_CONTENT;
			c.blocks += the.rtcp[at] & 31;
		}
		c.byes += the.rtcp[at + 1] == 203;
		at += len;
	}
	assert_int_equal(at, the.rtcp_len);
	return c;
}

static void reports_are_of_their_line(void **state)
{
	struct leg_media m = udp_media(true);
	struct counts c;

	(void)state;
	role_assert_ctl();
	connect_udp(&m);
	advance(2000);
	for (enum rtp_line i = RTP_LINE_AUDIO; i < RTP_LINES; i++) {
		if (i == RTP_LINE_AUDIO)
			the.hurried = false;
		receive_on(i, 1);
		receive_on(i, 2);
	}
	the.rtcp_len = 0;
	advance(480);
	c = reports();
	assert_int_equal(c.audio, 1);
	assert_int_equal(c.video, 1);
	assert_int_equal(c.content, 1);
	assert_int_equal(c.blocks, 3); /* one each, though the peer has one SSRC */
	the.rtcp_len = 0;
	leg_net_close(the.l);
	run();
	c = reports();
	assert_int_equal(c.byes, 2); /* of what we send */
	assert_int_equal(the.closed, 1);
	the.closed = 0;
	the.connected = 0;
}

/* How often: as RFC 3550 says to who does not know better, as browsers get it to who
 * does, or as it wants to. */
static void reports_come_as_often_as_agreed(void **state)
{
	static const struct {
		bool avpf;
		uint32_t trr_int_ms;
		unsigned min, max; /* of sound in a minute */
	} row[] = { { false, 0, 8, 24 }, { true, 0, 100, 125 }, { true, 5000, 11, 13 } };

	(void)state;
	role_assert_ctl();
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		struct leg_media m = udp_media(row[i].avpf);
		struct counts c;

		m.line[RTP_LINE_AUDIO].trr_int_ms = row[i].trr_int_ms;
		if (i)
			assert_int_equal(leg_net_configure(the.l, &m), 0);
		else
			connect_udp(&m);
		run();
		advance(10000);
		the.rtcp_len = 0;
		advance(60000);
		c = reports();
		if (c.audio < row[i].min || c.audio > row[i].max)
			fail_msg("row %zu: %u reports of sound", i, c.audio);
		assert_true(c.video > 35 && c.video < 125);
	}
}

/* One who only watches is told at once which times of sound and picture are the same, and
 * after that as seldom as before. */
static void streams_begin_with_a_report(void **state)
{
	struct leg_media m = udp_media(false);
	struct rtcp_item item;

	(void)state;
	role_assert_ctl();
	for (enum rtp_line i = RTP_LINE_AUDIO; i < RTP_LINES; i++)
		m.line[i].rx = false;
	m.audio.rx = m.video.rx = m.content.rx = false;
	connect_udp(&m);
	assert_false(leg_net_publishes(the.l));
	the.rtcp_len = 0;
	advance(100);
	assert_false(sent_item(RTCP_SR, &item));
	the.l->audio.tx.started = true;
	advance(20);
	assert_true(sent_item(RTCP_SR, &item));
	assert_int_equal(item.ssrc, OUR_AUDIO);
	assert_int_equal(reports().video, 0);
	the.rtcp_len = 0;
	advance(300); /* until there is a key frame */
	assert_int_equal(the.period_ns, LEG_TICK_MS * NS_PER_MS);
	the.l->video.tx.started = true;
	advance(20);
	assert_true(sent_item(RTCP_SR, &item));
	assert_int_equal(item.ssrc, OUR_VIDEO);
	assert_int_equal(the.period_ns, LEG_VIEWER_TICK_MS * NS_PER_MS);
	the.rtcp_len = 0;
	advance(200);
	assert_int_equal(the.rtcp_len, 0);
}

/* A peer whose RTCP stops is not sent to any more; one whose sound goes on is. */
static void sound_is_a_sign_of_life(void **state)
{
	struct leg_media m = udp_media(false);
	uint8_t data[64];
	struct rtcp_builder b;

	(void)state;
	role_assert_ctl();
	connect_udp(&m);
	rtcp_build_init(&b, data, sizeof data);
	rtcp_build_rr(&b, PEER_AUDIO, NULL, 0);
	come_by(RTP_LINE_AUDIO);
	receive_rtcp(&b);
	for (uint16_t s = 0; s < 60; s++) {
		advance(1000);
		receive_on(RTP_LINE_AUDIO, s);
	}
	assert_false(the.l->silent);
	advance(30000);
	assert_true(the.l->silent);
	receive_on(RTP_LINE_AUDIO, 100);
	assert_false(the.l->silent);
}

/* Asked for by the way that its line has agreed on, with its line's SSRC; or not. */
static void key_frames_are_asked_for_on_the_line(void **state)
{
	struct leg_media m = udp_media(false);
	struct rtcp_item item;

	(void)state;
	role_assert_ctl();
	connect_udp(&m);
	receive_on(RTP_LINE_CAMERA, 1);
	receive_on(RTP_LINE_CONTENT, 1);
	advance(2000);
	the.rtcp_len = 0;
	the.needs_key = true; /* the camera's line has neither PLI nor FIR */
	advance(40);
	assert_false(sent_item(RTCP_PLI, &item));
	assert_false(sent_item(RTCP_FIR, &item));
	the.content_needs_key = true;
	advance(200);
	assert_true(sent_item(RTCP_PLI, &item));
	assert_int_equal(item.ssrc, OUR_CONTENT);
}

/* --- content both ways ------------------------------------------------------------- */

static struct leg_media both_ways(void)
{
	struct leg_media m = udp_media(true);

	m.content.tx = m.line[RTP_LINE_CONTENT].tx = true;
	m.video.nack = m.content.nack = m.video.fir = m.content.fir = true;
	return m;
}

static void content_is_sent_beside_the_picture(void **state)
{
	struct leg_media m = both_ways();

	(void)state;
	role_assert_ctl();
	leg_net_watch(the.l, ENCODE);
	leg_net_watch_content(the.l, ENCODE + 1);
	connect_udp(&m);
	assert_int_equal(the.watched, ENCODE);
	assert_int_equal(the.content_watched, ENCODE + 1);
	assert_int_equal(the.l->content.tx.ssrc, OUR_CONTENT);
	assert_int_equal(the.told, ENCODE); /* nobody waits for the other one */
	leg_net_watch_content(the.l, 0);
	run();
	assert_int_equal(the.watched, ENCODE);
	assert_int_equal(the.content_watched, 0);
	leg_net_watch_content(the.l, ENCODE + 2);
	run();
	assert_int_equal(the.content_watched, ENCODE + 2);
	/* what is on its way is of the former codec */
	m.content.tx_format.codec = CODEC_VP8;
	reconfigure(&m);
	assert_int_equal(the.content_watched, 0);
	assert_int_equal(the.watched, ENCODE);
	leg_net_watch_content(the.l, ENCODE + 3);
	run();
	assert_int_equal(the.content_watched, ENCODE + 3);
	m.content.tx = false;
	reconfigure(&m);
	assert_int_equal(the.content_watched, 0);
	assert_null(the.l->content.transport);
}

static void feedback_is_of_the_stream_it_names(void **state)
{
	const struct rtcp_block block = { .ssrc = OUR_CONTENT, .fraction_lost = 64, .lost = 9 };
	const uint16_t seq[] = { 5, 6 };
	struct leg_media m = both_ways();
	struct leg_net_stats s;
	struct rtcp_builder b;
	uint8_t data[256];

	(void)state;
	role_assert_ctl();
	connect_udp(&m);
	come_by(RTP_LINE_CONTENT);
	for (int i = 0; i < 5; i++) {
		rtcp_build_init(&b, data, sizeof data);
		rtcp_build_rr(&b, PEER_VIDEO, &block, 1);
		if (!i) {
			rtcp_build_pli(&b, PEER_VIDEO, OUR_CONTENT);
			/* the same number to both is no repetition */
			rtcp_build_fir(&b, PEER_VIDEO, OUR_CONTENT, 1);
			rtcp_build_fir(&b, PEER_VIDEO, OUR_VIDEO, 1);
			rtcp_build_fir(&b, PEER_VIDEO, OUR_CONTENT, 1);
			rtcp_build_nack(&b, PEER_VIDEO, OUR_CONTENT, seq, 2);
			rtcp_build_nack(&b, PEER_VIDEO, OUR_VIDEO, seq, 1);
			rtcp_build_pli(&b, PEER_VIDEO, 0x99999999);
		}
		receive_rtcp(&b);
		advance(1000);
	}
	run();
	assert_int_equal(the.content_key_requests, 2);
	assert_int_equal(the.key_requests, 1);
	assert_int_equal(the.content_nacks, 2);
	assert_int_equal(the.n_nacks, 3);
	assert_int_equal(the.carries_told, 0); /* the rung follows the main picture */
	leg_net_get_stats(the.l, &s);
	assert_int_equal(s.downlink_content.plis, 1);
	assert_int_equal(s.downlink_content.firs, 1);
	assert_int_equal(s.downlink_video.firs, 1);
	assert_int_equal(s.downlink_content.lost, 9);
	assert_true(s.downlink_content.loss > 0.249 && s.downlink_content.loss < 0.251);
	assert_true(s.downlink_video.loss == 0);
	/* by signaling: it does not say which */
	leg_net_want_picture(the.l);
	run();
	assert_int_equal(the.content_key_requests, 3);
	assert_int_equal(the.key_requests, 2);
}

static void content_has_reports_of_its_own(void **state)
{
	struct leg_media m = both_ways();
	struct rtcp_item item;
	struct counts c;

	(void)state;
	role_assert_ctl();
	connect_udp(&m);
	advance(1000);
	the.rtcp_len = 0;
	advance(1000);
	assert_false(sent_item(RTCP_SR, &item)); /* nothing was sent yet */
	the.l->content.tx.started = true;
	the.l->content.tx.packets = 12;
	the.rtcp_len = 0;
	advance(1000);
	assert_true(sent_item(RTCP_SR, &item));
	assert_int_equal(item.ssrc, OUR_CONTENT);
	assert_int_equal(item.sr.packets, 12);
	the.rtcp_len = 0;
	leg_net_close(the.l);
	run();
	c = reports();
	assert_int_equal(c.byes, 3);
	the.closed = 0;
	the.connected = 0;
}

/* It presents while packets of it come. */
static void content_comes_and_ends(void **state)
{
	struct leg_media m = both_ways();
	uint16_t seq = 0;

	(void)state;
	role_assert_ctl();
	connect_udp(&m);
	receive_on(RTP_LINE_CAMERA, 1);
	run();
	assert_int_equal(the.content_told, 0);
	for (int i = 0; i < 10; i++) {
		receive_on(RTP_LINE_CONTENT, ++seq);
		run();
		assert_true(the.content_comes);
		assert_int_equal(the.content_told, 1);
		advance(LEG_CONTENT_QUIET_MS - 20);
	}
	advance(60);
	run();
	assert_false(the.content_comes);
	assert_int_equal(the.content_told, 2);
	receive_on(RTP_LINE_CONTENT, ++seq);
	run();
	assert_true(the.content_comes);
	/* one way only: that is another matter */
	m.content.tx = false;
	reconfigure(&m);
	advance(10000);
	receive_on(RTP_LINE_CONTENT, ++seq);
	advance(10000);
	run();
	assert_int_equal(the.content_told, 3);
	/* both ways again: it was presented until now, and nothing comes */
	m.content.tx = true;
	reconfigure(&m);
	advance(LEG_CONTENT_QUIET_MS + 60);
	run();
	assert_int_equal(the.content_told, 4);
	assert_false(the.content_comes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_agreement_reaches_the_transport, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_line_says_what_it_is, set_up, tear_down),
		cmocka_unit_test_setup_teardown(reports_are_of_their_line, set_up, tear_down),
		cmocka_unit_test_setup_teardown(reports_come_as_often_as_agreed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(streams_begin_with_a_report, set_up, tear_down),
		cmocka_unit_test_setup_teardown(sound_is_a_sign_of_life, set_up, tear_down),
		cmocka_unit_test_setup_teardown(key_frames_are_asked_for_on_the_line, set_up, tear_down),
		cmocka_unit_test_setup_teardown(content_is_sent_beside_the_picture, set_up, tear_down),
		cmocka_unit_test_setup_teardown(feedback_is_of_the_stream_it_names, set_up, tear_down),
		cmocka_unit_test_setup_teardown(content_has_reports_of_its_own, set_up, tear_down),
		cmocka_unit_test_setup_teardown(content_comes_and_ends, set_up, tear_down),
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
