/* Two pictures of one leg on one connection: each has its own receiver, repairs,
 * key frames and reports. */
#include "tests/mcu/room/leg_net_rig.h"

enum { EXT_MID = 4, SCREEN = 0x5001, SCREEN_RTX = 0x5002, CAMERA_RTX = 0x5003 };

static struct leg_media agreed(void)
{
	struct leg_media m = media(true);

	m.video.rx_format[0].rtx_pt = RTX_PT;
	m.video.ext_mid = EXT_MID;
	memcpy(m.video.mid, "v", 2);
	m.content = m.video;
	m.content.tx = false;
	memcpy(m.content.mid, "s", 2);
	return m;
}

/* A packet that says its section. osn: of what it repairs; -1: it is no repair. */
static void put(const char *mid, uint32_t ssrc, uint16_t seq, int osn, bool key)
{
	static const uint8_t idr[] = { 24, 0, 4, 0x67, 0x42, 0xe0, 0x1f, 0, 2, 0x68, 0xce,
				       0, 3, 0x65, 0x88, 0x80 };
	static const uint8_t slice[] = { 0x41, 0x9a, 0x00, 0x11 };
	const uint8_t repair[] = { (uint8_t)(osn >> 8), (uint8_t)osn, 0x41, 0x9a, 0x00, 0x11 };
	uint8_t ext[32];
	struct rtp_ext_writer x = { .data = ext, .cap = sizeof ext };
	struct rtp_packet p = {
		.pt = osn < 0 ? VIDEO_PT : RTX_PT, .ssrc = ssrc, .seq = seq,
		.ts = (osn < 0 ? seq : (uint32_t)osn) * 3000u, .marker = true,
		.payload = osn >= 0 ? repair : key ? idr : slice,
		.payload_len = osn >= 0 ? sizeof repair : key ? sizeof idr : sizeof slice,
	};
	struct buf *b = buf_get(the.packets);

	assert_non_null(b);
	assert_int_equal(rtp_ext_put_mid(&x, EXT_MID, mid), 0);
	assert_int_equal(rtp_ext_finish(&x, &p), 0);
	b->len = rtp_write(b->data, b->cap, &p);
	the.ev->rtp(the.obj, b, the.now_ns);
}

static void test_two_pictures_at_once(void **state)
{
	struct leg_media m = agreed();
	struct leg_net_stats s;

	(void)state;
	role_assert_ctl();
	connect_with(&m);
	put("v", PEER_VIDEO, 100, -1, true);
	put("s", SCREEN, 7000, -1, true);
	assert_int_equal(the.pictures, 2);
	assert_int_equal(the.contents, 1);
	for (uint16_t i = 1; i <= 10; i++) {
		put("s", SCREEN, 7000 + i, -1, false);
		put("v", PEER_VIDEO, 100 + i, -1, false);
	}
	assert_int_equal(the.pictures, 22);
	assert_int_equal(the.contents, 11);
	advance(1000);
	leg_net_get_stats(the.l, &s);
	assert_int_equal(s.uplink_content.ssrc, SCREEN);
	assert_int_equal(s.uplink_content.packets, 10); /* the first is on probation */
	assert_int_equal(s.uplink_content.codec, CODEC_H264);
	assert_int_equal(s.uplink_video.ssrc, PEER_VIDEO);
	assert_int_equal(s.uplink_video.packets, 10);
	assert_int_equal(s.uplink_video.nacks + s.uplink_content.nacks, 0);
}

/* Numbers that are close to those of the other picture repair nothing of it. */
static void test_each_has_its_repairs(void **state)
{
	struct leg_media m = agreed();
	struct leg_net_stats s;
	struct rtcp_item item;
	uint16_t seq[8];
	bool nacked = false;

	(void)state;
	role_assert_ctl();
	connect_with(&m);
	put("v", PEER_VIDEO, 100, -1, true);
	put("v", PEER_VIDEO, 101, -1, false);
	put("s", SCREEN, 100, -1, true);
	put("s", SCREEN, 102, -1, false);
	assert_int_equal(the.contents, 1);
	for (int ms = 0; ms < 100 && !nacked; ms += 20) {
		the.rtcp_len = 0;
		advance(20);
		nacked = sent_item(RTCP_NACK, &item);
	}
	assert_true(nacked);
	assert_int_equal(item.media_ssrc, SCREEN);
	assert_int_equal(rtcp_item_nacks(&item, seq, 8), 1);
	assert_int_equal(seq[0], 101);
	put("v", CAMERA_RTX, 500, 101, false);
	assert_int_equal(the.contents, 1);
	put("s", SCREEN_RTX, 600, 101, false);
	assert_int_equal(the.contents, 3);
	advance(1000);
	leg_net_get_stats(the.l, &s);
	assert_int_equal(s.uplink_content.repaired, 1);
	assert_int_equal(s.uplink_content.rtx_ssrc, SCREEN_RTX);
	assert_int_equal(s.uplink_video.repaired, 0);
	assert_int_equal(s.uplink_video.rtx_ssrc, CAMERA_RTX);
}

static void test_each_has_its_key_frames(void **state)
{
	struct leg_media m = agreed();
	struct rtcp_item item;

	(void)state;
	role_assert_ctl();
	connect_with(&m);
	put("v", PEER_VIDEO, 100, -1, true);
	put("s", SCREEN, 7000, -1, true);
	the.rtcp_len = 0;
	the.content_needs_key = true;
	advance(20);
	assert_true(sent_item(RTCP_PLI, &item));
	assert_int_equal(item.media_ssrc, SCREEN);
	put("v", PEER_VIDEO, 101, -1, false); /* goes on */
	put("s", SCREEN, 7001, -1, false);    /* waits */
	assert_int_equal(the.pictures, 3);
	put("s", SCREEN, 7002, -1, true);
	assert_int_equal(the.contents, 2);
	the.rtcp_len = 0;
	the.needs_key = true;
	advance(20);
	assert_true(sent_item(RTCP_PLI, &item));
	assert_int_equal(item.media_ssrc, PEER_VIDEO);
}

static void test_reports_tell_of_both(void **state)
{
	struct leg_media m = agreed();
	struct rtcp_item item;
	struct rtcp_block k;
	bool camera = false, screen = false;

	(void)state;
	role_assert_ctl();
	m.video.remb = m.content.remb = true;
	connect_with(&m);
	leg_net_limit_uplink(the.l, 1200);
	run();
	for (uint16_t i = 0; i < 5; i++) {
		put("v", PEER_VIDEO, 100 + i, -1, !i);
		put("s", SCREEN, 7000 + i, -1, !i);
	}
	the.rtcp_len = 0;
	advance(1000);
	assert_true(sent_item(RTCP_RR, &item));
	for (unsigned i = 0; i < item.n; i++) {
		rtcp_item_block(&item, i, &k);
		camera = camera || k.ssrc == PEER_VIDEO;
		screen = screen || k.ssrc == SCREEN;
	}
	assert_true(camera && screen);
	assert_true(sent_item(RTCP_REMB, &item));
	assert_int_equal(item.bps, 1200000);
}

static void test_content_ends_and_begins_again(void **state)
{
	struct leg_media m = agreed();
	struct rtcp_item item;

	(void)state;
	role_assert_ctl();
	connect_with(&m);
	for (uint16_t i = 0; i < 3; i++) {
		put("v", PEER_VIDEO, 100 + i, -1, !i);
		put("s", SCREEN, 7000 + i, -1, !i);
	}
	m.content.rx = false;
	reconfigure(&m);
	the.rtcp_len = 0;
	advance(1000);
	assert_true(sent_item(RTCP_RR, &item));
	assert_int_equal(item.n, 1); /* of the camera */
	put("s", SCREEN, 7003, -1, false); /* what was on its way */
	put("v", PEER_VIDEO, 103, -1, false);
	assert_int_equal(the.contents, 3);
	assert_int_equal(the.pictures, 7);
	m.content.rx = true;
	reconfigure(&m);
	put("s", SCREEN, 9000, -1, false); /* refers to what nobody has */
	assert_int_equal(the.contents, 3);
	put("s", SCREEN, 9001, -1, true);
	assert_int_equal(the.contents, 4);
	put("v", PEER_VIDEO, 104, -1, false);
	assert_int_equal(the.pictures, 9);
}

/* Somebody who sends a screen and nothing else. */
static void test_content_alone(void **state)
{
	struct leg_media m = agreed();

	(void)state;
	role_assert_ctl();
	m.audio.rx = m.video.rx = false;
	connect_with(&m);
	assert_true(the.publishes);
	assert_int_equal(the.period_ns, LEG_TICK_MS * NS_PER_MS);
	put("s", SCREEN, 7000, -1, true);
	put("v", PEER_VIDEO, 100, -1, true);
	assert_int_equal(the.pictures, 1);
	assert_int_equal(the.contents, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
		T(test_two_pictures_at_once),
		T(test_each_has_its_repairs),
		T(test_each_has_its_key_frames),
		T(test_reports_tell_of_both),
		T(test_content_ends_and_begins_again),
		T(test_content_alone),
#undef T
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
