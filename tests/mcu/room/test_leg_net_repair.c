/* What a leg makes of retransmissions, probes, layers; what it reports of them. */
#include "tests/mcu/room/leg_net_rig.h"

enum { PEER_RTX = 0x7777, EXT_MID = 4, EXT_TWCC = 5, EXT_RID = 10, EXT_RRID = 11 };

static struct leg_media agreed(void)
{
	struct leg_media m = media(true);

	m.video.rx_format[0].rtx_pt = RTX_PT;
	m.video.ext_mid = m.audio.ext_mid = EXT_MID;
	m.video.ext_twcc = m.audio.ext_twcc = EXT_TWCC;
	m.video.ext_rid = EXT_RID;
	m.video.ext_rrid = EXT_RRID;
	memcpy(m.video.mid, "v", 2);
	memcpy(m.audio.mid, "a", 2);
	m.video.twcc = m.audio.twcc = true;
	return m;
}

/* One packet with a transport-wide number and a rid (NULL: none). */
struct wire {
	uint8_t pt;
	uint32_t ssrc;
	uint16_t seq;
	uint32_t ts;
	uint16_t twcc;
	uint8_t rid_ext;
	const char *rid;
	const uint8_t *payload;
	size_t len;
	uint8_t padding;
};

static void receive_wire(const struct wire *w)
{
	uint8_t ext[32];
	struct rtp_ext_writer x = { .data = ext, .cap = sizeof ext };
	struct rtp_packet p = { .pt = w->pt, .ssrc = w->ssrc, .seq = w->seq, .ts = w->ts,
				.marker = true, .payload = w->payload, .payload_len = w->len };
	struct buf *b = buf_get(the.packets);

	assert_non_null(b);
	assert_int_equal(rtp_ext_put_transport_seq(&x, EXT_TWCC, w->twcc), 0);
	if (w->rid)
		assert_int_equal(rtp_ext_put_mid(&x, w->rid_ext, w->rid), 0);
	assert_int_equal(rtp_ext_finish(&x, &p), 0);
	b->len = rtp_write(b->data, b->cap, &p);
	if (w->padding) {
		memset(b->data + b->len, 0, w->padding);
		b->len += w->padding;
		b->data[b->len - 1] = w->padding;
		b->data[0] |= 0x20;
	}
	the.ev->rtp(the.obj, b, the.now_ns);
}

/* The slice of receive_picture, as the repair of osn. */
static void receive_rtx(uint16_t seq, uint16_t osn, uint16_t twcc)
{
	const uint8_t payload[] = { (uint8_t)(osn >> 8), (uint8_t)osn, 0x41, 0x9a, 0x00, 0x11 };

	receive_wire(&(struct wire){ .pt = RTX_PT, .ssrc = PEER_RTX, .seq = seq, .ts = osn * 3000u,
				     .twcc = twcc, .payload = payload, .len = sizeof payload });
}

static void test_a_repair_fills_the_hole(void **state)
{
	struct leg_media m = agreed();
	struct leg_net_stats s;
	struct rtcp_item item;
	uint16_t seq[8];
	bool nacked = false;

	(void)state;
	role_assert_ctl();
	connect_with(&m);
	receive_picture(100, true);
	receive_picture(101, false);
	receive_picture(103, false);
	assert_int_equal(the.pictures, 2);
	for (int ms = 0; ms < 100 && !nacked; ms += 20) {
		the.rtcp_len = 0;
		advance(20);
		nacked = sent_item(RTCP_NACK, &item);
	}
	assert_true(nacked);
	assert_int_equal(item.media_ssrc, PEER_VIDEO);
	assert_int_equal(rtcp_item_nacks(&item, seq, 8), 1);
	assert_int_equal(seq[0], 102);
	receive_rtx(500, 102, 1);
	assert_int_equal(the.pictures, 4);
	receive_picture(104, false);
	assert_int_equal(the.pictures, 5);
	advance(1000);
	leg_net_get_stats(the.l, &s);
	assert_int_equal(s.uplink_video.rtx_packets, 1);
	assert_int_equal(s.uplink_video.repaired, 1);
	assert_int_equal(s.uplink_video.nacks, 1);
	assert_int_equal(s.uplink_video.plis, 0);
	assert_int_equal(s.uplink_video.codec, CODEC_H264);
	assert_int_equal(s.uplink_video.ssrc, PEER_VIDEO);
	assert_int_equal(s.uplink_video.rtx_ssrc, PEER_RTX);
	assert_int_equal(s.uplink_audio.codec, CODEC_NONE);
}

/* What was lost on the way stays lost in the report of the stream; the RTX
 * source has a block of its own. */
static void test_reports_tell_of_both(void **state)
{
	struct leg_media m = agreed();
	struct rtcp_block k[2];
	struct rtcp_iter it;
	struct rtcp_item item;

	(void)state;
	role_assert_ctl();
	connect_with(&m);
	for (uint16_t i = 0; i < 20; i++) {
		if (i % 5 != 3)
			receive_picture((uint16_t)(100 + i), i == 0);
		else
			receive_rtx((uint16_t)(500 + i / 5), (uint16_t)(100 + i), i);
	}
	assert_int_equal(the.pictures, 20);
	the.rtcp_len = 0;
	advance(500);
	assert_int_equal(rtcp_iter_init(&it, the.rtcp, the.rtcp_len), 0);
	while (rtcp_next(&it, &item) && (item.type != RTCP_RR || !item.n))
		; /* feedback begins with an empty one */
	assert_int_equal(item.n, 2);
	rtcp_item_block(&item, 0, &k[0]);
	rtcp_item_block(&item, 1, &k[1]);
	assert_int_equal(k[0].ssrc, PEER_VIDEO);
	assert_int_equal(k[0].lost, 4);
	assert_int_equal(k[1].ssrc, PEER_RTX);
	assert_int_equal(k[1].lost, 0);
	assert_int_equal(k[1].highest_seq & 0xffff, 503);
}

/* A repair of something long gone is no sign of a sender that began anew. */
static void test_a_far_repair_is_ignored(void **state)
{
	struct leg_media m = agreed();

	(void)state;
	role_assert_ctl();
	connect_with(&m);
	for (uint16_t i = 0; i < 10; i++)
		receive_picture((uint16_t)(30000 + i), i == 0);
	assert_int_equal(the.pictures, 10);
	for (uint16_t i = 0; i < 10; i++)
		receive_rtx((uint16_t)(500 + i), (uint16_t)(100 + i), i);
	receive_rtx(510, 30005, 10); /* there already */
	for (uint16_t i = 10; i < 20; i++)
		receive_picture((uint16_t)(30000 + i), false);
	assert_int_equal(the.pictures, 20);
}

/* The sender's estimate rests on an answer to every packet: media, repairs,
 * probes of padding, and what we do not take. */
static void test_feedback_covers_everything(void **state)
{
	static const uint8_t slice[] = { 0x41, 0x9a, 0x00, 0x11 };
	struct leg_media m = agreed();
	struct rtcp_item item;

	(void)state;
	role_assert_ctl();
	connect_with(&m);
	receive_picture(100, true);
	receive_wire(&(struct wire){ .pt = VIDEO_PT, .ssrc = PEER_VIDEO, .seq = 101, .ts = 303000,
				     .twcc = 0xfffe, .payload = slice, .len = sizeof slice });
	receive_rtx(500, 101, 0xffff);
	/* RTX that carries nothing, not even the number; and padding alone */
	receive_wire(&(struct wire){ .pt = RTX_PT, .ssrc = PEER_RTX, .seq = 501, .twcc = 0,
				     .padding = 255 });
	receive_wire(&(struct wire){ .pt = VIDEO_PT, .ssrc = PEER_VIDEO, .seq = 102, .twcc = 1,
				     .padding = 200 });
	/* other source, other payload type: nothing of ours, but of the transport */
	receive_wire(&(struct wire){ .pt = 77, .ssrc = 0x99, .seq = 9, .twcc = 2,
				     .payload = slice, .len = sizeof slice });
	the.rtcp_len = 0;
	advance(100);
	assert_true(sent_item(RTCP_TWCC, &item));
	assert_true(item.fci_len >= 8);
	assert_int_equal(item.fci[0] << 8 | item.fci[1], 0xfffe); /* base */
	assert_int_equal(item.fci[2] << 8 | item.fci[3], 5);      /* count */
	/* run of five received: symbol 1 (small delta) in a run-length chunk, or in a
	 * vector of one-bit symbols */
	assert_true((item.fci[8] == 0x20 && item.fci[9] == 5) ||
		    (item.fci[8] >> 6 == 2 && (item.fci[8] & 0x3e) == 0x3e) ||
		    item.fci[8] >> 6 == 3);
	assert_int_equal(the.pictures, 2);
}

static void test_one_layer_is_decoded(void **state)
{
	static const uint8_t slice[] = { 0x41, 0x9a, 0x00, 0x11 };
	struct leg_media m = agreed();
	struct leg_net_stats s;

	(void)state;
	role_assert_ctl();
	memcpy(m.video.rid, "h", 2);
	connect_with(&m);
	for (uint16_t i = 0; i < 10; i++) {
		receive_wire(&(struct wire){ .pt = VIDEO_PT, .ssrc = 0x50, .seq = i, .ts = i,
					     .rid_ext = EXT_RID, .rid = "l", .twcc = i,
					     .payload = slice, .len = sizeof slice });
		if (i == 0)
			receive_wire(&(struct wire){ .pt = VIDEO_PT, .ssrc = PEER_VIDEO, .seq = 99,
						     .rid_ext = EXT_RID, .rid = "h", .twcc = 99,
						     .padding = 4 });
		receive_picture((uint16_t)(100 + i), i == 0);
	}
	assert_int_equal(the.pictures, 10);
	advance(1000);
	leg_net_get_stats(the.l, &s);
	assert_string_equal(s.uplink_video.rid, "h");
	assert_int_equal(s.uplink_video.ssrc, PEER_VIDEO);
}

/* Formats that a re-offer brings are known to the demux and to the receiver. */
static void test_formats_change(void **state)
{
	struct leg_media m = agreed();

	(void)state;
	role_assert_ctl();
	connect_with(&m);
	receive_picture(100, true);
	m.video.rx_format[0].pt = 45;
	m.video.rx_format[0].rtx_pt = 46;
	reconfigure(&m);
	receive_picture(101, false);
	assert_int_equal(the.pictures, 1);
	m.video.rx_format[1] = (struct leg_rx_format){ CODEC_H264, VIDEO_PT, RTX_PT };
	m.video.n_rx_formats = 2;
	reconfigure(&m);
	receive_picture(101, false);
	receive_rtx(1, 102, 0);
	assert_int_equal(the.pictures, 3);
	/* what it was made with changes: a new receiver, which waits for a key frame */
	m.video.nack = false;
	reconfigure(&m);
	receive_picture(103, false);
	assert_int_equal(the.pictures, 3);
	receive_picture(104, true);
	assert_int_equal(the.pictures, 4);
}

static bool told_remb(uint64_t *bps)
{
	struct rtcp_item item;

	the.rtcp_len = 0;
	advance(1000);
	if (!sent_item(RTCP_REMB, &item))
		return false;
	assert_int_equal(item.n, 1);
	assert_int_equal(rtcp_item_remb(&item, 0), PEER_VIDEO);
	*bps = item.bps;
	return true;
}

static void test_remb_for_those_who_know_nothing_else(void **state)
{
	struct leg_media m = agreed();
	uint64_t bps = 0;

	(void)state;
	role_assert_ctl();
	m.video.remb = true;
	connect_with(&m);
	receive_picture(100, true);
	leg_net_limit_uplink(the.l, 800);
	run();
	assert_false(told_remb(&bps)); /* it gets transport-wide feedback */
	m.video.twcc = false;
	reconfigure(&m);
	assert_true(told_remb(&bps));
	assert_int_equal(bps, 800000);
	leg_net_limit_uplink(the.l, 0);
	run();
	assert_false(told_remb(&bps));
	leg_net_limit_uplink(the.l, 300);
	m.video.remb = false;
	reconfigure(&m);
	assert_false(told_remb(&bps));
}

static void test_numbers_of_both_ways(void **state)
{
	struct leg_media m = agreed();
	uint16_t seqs[] = { 1, 2, 3 };
	struct leg_net_stats s;
	struct rtcp_builder b;
	uint8_t data[600];

	(void)state;
	role_assert_ctl();
	m.video.tx_format.rtx_pt = RTX_PT;
	m.video.tx_rtx_ssrc = OUR_RTX;
	connect_with(&m);
	receive_picture(100, true);
	receive_sound(1);
	receive_sound(2);
	rtcp_build_init(&b, data, sizeof data);
	rtcp_build_pli(&b, 1, OUR_VIDEO);
	rtcp_build_pli(&b, 1, OUR_VIDEO);
	rtcp_build_fir(&b, 1, OUR_VIDEO, 9);
	rtcp_build_nack(&b, 1, OUR_VIDEO, seqs, 3);
	receive_rtcp(&b);
	the.l->video.retransmitted = 2;
	the.l->video.refused = 1;
	the.needs_key = true;
	advance(1000);
	leg_net_get_stats(the.l, &s);
	assert_int_equal(s.downlink_video.plis, 2);
	assert_int_equal(s.downlink_video.firs, 1);
	assert_int_equal(s.downlink_video.rtx_packets, 2);
	assert_int_equal(s.downlink_video.refused, 1);
	assert_int_equal(s.downlink_video.codec, CODEC_H264);
	assert_int_equal(s.downlink_video.ssrc, OUR_VIDEO);
	assert_int_equal(s.downlink_video.rtx_ssrc, OUR_RTX);
	assert_int_equal(s.downlink_audio.codec, CODEC_OPUS);
	assert_int_equal(s.downlink_audio.rtx_ssrc, 0);
	assert_int_equal(s.uplink_audio.codec, CODEC_OPUS);
	assert_int_equal(s.uplink_audio.ssrc, PEER_AUDIO);
	assert_true(s.uplink_video.plis > 0);
	receive_picture(101, false);
	advance(500);
	leg_net_get_stats(the.l, &s);
	assert_int_equal(s.uplink_video.packets, 1); /* of two; the first is on probation */
}

/* The source of our repairs has a name and says goodbye like others. */
static void test_the_rtx_source_is_named(void **state)
{
	struct leg_media m = agreed();
	struct rtcp_iter it;
	struct rtcp_item item;
	size_t names = 0, rtx = 0;

	(void)state;
	role_assert_ctl();
	connect_with(&m);
	the.l->video.tx.started = the.l->audio.tx.started = true;
	the.l->video.rtx.ssrc = OUR_RTX;
	the.l->video.rtx.packets = 1;
	the.rtcp_len = 0;
	advance(500);
	assert_int_equal(rtcp_iter_init(&it, the.rtcp, the.rtcp_len), 0);
	while (rtcp_next(&it, &item)) {
		names += item.type == RTCP_SDES;
		rtx += item.type == RTCP_SDES && item.ssrc == OUR_RTX;
	}
	assert_true(names >= 3);
	assert_true(rtx >= 1);
	the.rtcp_len = 0;
	leg_net_close(the.l);
	run();
	assert_true(sent_item(RTCP_BYE, &item));
	assert_int_equal(item.n, 3);
	assert_int_equal(rtcp_item_bye(&item, 2), OUR_RTX);
	the.closed = 0;
}

/* Before a better rung is tried, the way is: until the reports say how it went. */
static void test_a_better_rung_is_probed_first(void **state)
{
	struct leg_media m = agreed();
	struct rtcp_block k = { .ssrc = OUR_VIDEO, .fraction_lost = 64 };
	uint8_t data[200];
	struct rtcp_builder b;
	int seconds = 0, probed = 0;

	(void)state;
	role_assert_ctl();
	m.video.tx_rtx_ssrc = OUR_RTX;
	m.video.tx_format.rtx_pt = RTX_PT;
	m.video.remb = true;
	connect_with(&m);
	for (; the.carries == 0 && seconds < 10; seconds++) {
		rtcp_build_init(&b, data, sizeof data);
		rtcp_build_rr(&b, 1, &k, 1);
		receive_rtcp(&b);
		advance(1000);
		run();
	}
	assert_int_equal(the.carries, 1);
	k.fraction_lost = 0;
	for (seconds = 0; the.carries == 1 && seconds < 30; seconds++) {
		rtcp_build_init(&b, data, sizeof data);
		rtcp_build_rr(&b, 1, &k, 1);
		receive_rtcp(&b);
		probed += the.l->video.pad_bps == 350000;
		advance(1000);
		run();
	}
	assert_int_equal(the.carries, 0);
	assert_in_range(probed, 2, 4);
	assert_int_equal(the.l->video.pad_bps, 0);
}

/* RFC 5104 4.2: a limit chooses the rung, and is confirmed. */
static void test_a_limit_is_kept_and_confirmed(void **state)
{
	static const uint8_t limit[] = {
		0x83, 205, 0, 6, 0, 0, 0, 42, 0, 0, 0, 0,
		0, 0, 0, 99, 0, 0, 2, 40, /* somebody else's stream */
		0, 0, OUR_VIDEO >> 8, OUR_VIDEO & 0xff, 10 << 2, 1, 0x86, 40, /* 195 << 10 */
	};
	struct leg_media m = agreed();
	size_t at;

	(void)state;
	role_assert_ctl();
	connect_with(&m);
	the.rtcp_len = 0;
	the.ev->rtcp(the.obj, limit, sizeof limit, the.now_ns);
	run();
	assert_int_equal(the.carries, 1);
	/* behind our report and our name: the same entry, and whose it is */
	assert_true(the.rtcp_len > 20);
	at = the.rtcp_len - 20;
	assert_int_equal(the.rtcp[at], 0x84);
	assert_int_equal(the.rtcp[at + 1], 205);
	assert_int_equal(the.rtcp[at + 15], 42);
	/* 195 << 10 has other ways of being written; the octets of a packet have not */
	assert_int_equal(the.rtcp[at + 19], 40);
}

/* A limit of that many kb/s. */
static size_t write_limit(uint8_t *p, unsigned kbps)
{
	const uint8_t item[] = {
		0x83, 205, 0, 4, 0, 0, 0, 42, 0, 0, 0, 0,
		0, 0, OUR_VIDEO >> 8, OUR_VIDEO & 0xff,
		(uint8_t)(10 << 2 | kbps >> 15), (uint8_t)(kbps >> 7), (uint8_t)(kbps << 1), 40,
	};

	memcpy(p, item, sizeof item);
	return sizeof item;
}

static unsigned confirmations(unsigned *kbps)
{
	unsigned n = 0;

	for (size_t at = 0; at + 20 <= the.rtcp_len;) {
		const uint8_t *p = the.rtcp + at;

		if (p[0] == 0x84 && p[1] == 205) {
			n++;
			*kbps = (unsigned)(((p[16] & 3u) << 15 | p[17] << 7 | p[18] >> 1)
					   << (p[16] >> 2) >> 10);
		}
		at += 4u * (1 + (unsigned)(p[2] << 8 | p[3]));
	}
	the.rtcp_len = 0;
	return n;
}

/* What one receiver sends at its own pace neither comes back at that pace nor reaches
 * the control thread; the last limit is confirmed and kept in any case. */
static void test_a_storm_of_limits(void **state)
{
	enum { ITEMS = 50, STORM_MS = 2000 };
	struct leg_media m = agreed();
	uint8_t storm[20 * ITEMS];
	unsigned kbps = 0, answers;
	size_t len = 0;

	(void)state;
	role_assert_ctl();
	connect_with(&m);
	for (unsigned i = 0; i < ITEMS; i++)
		len += write_limit(storm + len, i % 2 ? 200 : 10000);
	the.rtcp_len = 0;
	the.ev->rtcp(the.obj, storm, len, the.now_ns);
	run();
	assert_int_equal(the.carries_told, 1);
	assert_int_equal(confirmations(&kbps), 1);
	assert_in_range(kbps, 199, 200);
	for (int ms = 0; ms < STORM_MS; ms += 20) {
		the.ev->rtcp(the.obj, storm, len - 20, the.now_ns);
		the.ev->rtcp(the.obj, storm, len, the.now_ns);
		advance(20);
		run();
	}
	assert_int_equal(the.carries_told, 1);
	answers = confirmations(&kbps);
	assert_in_range(answers, STORM_MS / LEG_TMMBN_MS - 2, STORM_MS / LEG_TMMBN_MS);
	the.ev->rtcp(the.obj, storm, len - 20, the.now_ns);
	advance(1000);
	run();
	assert_int_equal(confirmations(&kbps), 1);
	assert_in_range(kbps, 9000, 10000);
	assert_int_equal(the.carries, 1);
	advance(TIER_PICK_CLEAN_MS);
	run();
	assert_int_equal(the.carries, 0);
	assert_int_equal(the.carries_told, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
		T(test_a_repair_fills_the_hole),
		T(test_reports_tell_of_both),
		T(test_a_far_repair_is_ignored),
		T(test_feedback_covers_everything),
		T(test_one_layer_is_decoded),
		T(test_formats_change),
		T(test_remb_for_those_who_know_nothing_else),
		T(test_numbers_of_both_ways),
		T(test_the_rtx_source_is_named),
		T(test_a_better_rung_is_probed_first),
		T(test_a_limit_is_kept_and_confirmed),
		T(test_a_storm_of_limits),
#undef T
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
