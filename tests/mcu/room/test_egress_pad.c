/* Probes: how much is sent beside a picture, of what, and that it disturbs nothing. */
#include "tests/mcu/room/egress_rig.h"

enum { RTX_PT = 103, RTX_SSRC = 0x777, RTX_SEQ = 100, LARGE = 550, OVERHEAD = 60 };

static struct video_encode e;
static uint32_t next_index;

static struct viewer *start(bool rtx)
{
	struct viewer *v = viewer_new(1);

	role_assert_ctl();
	role_assert_net();
	e = (struct video_encode){ .id = 1 };
	next_index = 0;
	the.now_ns = NS_PER_S;
	egress_open(the.x, &e);
	mbox_run(the.shard);
	egress_watch(the.x, 1, &v->video);
	if (rtx) {
		rtp_rtx_init(&v->video.rtx, RTX_SSRC, RTX_SEQ);
		v->video.rtx.pt = RTX_PT;
	}
	return v;
}

/* A second of pictures of two packets each. */
static void play_second(size_t octets)
{
	static const uint8_t payload[LARGE];

	for (int i = 0; i < 30; i++) {
		struct rtp_batch *b = picture(&e, next_index, 0, next_index == 0);

		for (int k = 0; k < 2; k++)
			assert_int_equal(rtp_batch_add(b, NULL, 0, payload, octets, k), 0);
		b->time_ns = the.now_ns;
		next_index += 2;
		egress_post_video(the.x, b);
		mbox_run(the.shard);
		run_until(the.now_ns + NS_PER_S / 30);
	}
}

/* Octets on the wire, about, of the repairs since number from; all is in order. */
static size_t repairs(struct viewer *v, size_t from, size_t payload)
{
	uint16_t media = v->sent[0].seq, rtx = RTX_SEQ;
	size_t octets = 0;

	for (size_t i = 0; i < v->n; i++) {
		struct rtp_packet p;

		assert_int_equal(rtp_parse(&p, v->sent[i].octets, v->sent[i].len), 0);
		if (p.ssrc != RTX_SSRC) {
			assert_int_equal(p.seq, media++);
			continue;
		}
		assert_int_equal(p.seq, rtx++);
		assert_int_equal(p.pt, RTX_PT);
		assert_int_equal(p.payload_len, payload);
		if (i >= from)
			octets += OVERHEAD + (payload ? payload - 2 : 255);
	}
	return octets;
}

static void test_as_much_as_is_asked_for(void **state)
{
	struct viewer *v = start(true);
	size_t before;

	(void)state;
	play_second(LARGE);
	assert_int_equal(v->n, 60);
	v->video.pad_bps = 400000;
	play_second(LARGE);
	before = v->n;
	play_second(LARGE);
	assert_in_range(repairs(v, before, LARGE + 2), 48000, 52000);
	v->video.pad_bps = 0;
	before = v->n;
	play_second(LARGE);
	assert_int_equal(v->n, before + 60);
	viewer_free(v);
}

/* What is sent is what the receiver has had: repaired, it is a duplicate. */
static void test_repeats_what_was_sent(void **state)
{
	struct viewer *v = start(true);
	struct rtp_packet p;

	(void)state;
	play_second(LARGE);
	v->video.pad_bps = 100000;
	play_second(LARGE);
	for (size_t i = 60; i < v->n; i++) {
		struct sent *s = &v->sent[i];
		bool had = false;

		assert_int_equal(rtp_parse(&p, s->octets, s->len), 0);
		if (p.ssrc != RTX_SSRC)
			continue;
		assert_int_equal(rtp_rtx_restore(s->octets, s->len, v->video.tx.ssrc, 102), 2);
		assert_int_equal(rtp_parse(&p, s->octets + 2, s->len - 2), 0);
		for (size_t k = 0; k < i; k++)
			had |= v->sent[k].seq == p.seq && v->sent[k].ts == p.ts;
		assert_true(had);
	}
	viewer_free(v);
}

/* Small packets are not worth it: then there is padding alone. */
static void test_padding_alone(void **state)
{
	struct viewer *v = start(true);
	size_t before;

	(void)state;
	v->video.pad_bps = 100000;
	play_second(40);
	before = v->n;
	play_second(40);
	assert_in_range(repairs(v, before, 0), 11500, 13500);
	viewer_free(v);
}

/* A picture that stands still comes once a second: the probe does not. */
static void test_a_still_is_probed_too(void **state)
{
	struct viewer *v = start(true);
	size_t before, bursts = 0;

	(void)state;
	play_second(LARGE);
	v->video.pad_bps = 400000;
	play_second(LARGE);
	before = v->n;
	run_until(the.now_ns + NS_PER_S);
	assert_in_range(repairs(v, before, LARGE + 2), 48000, 52000);
	for (size_t i = before + 1; i < v->n; i++)
		bursts += v->sent[i].at_ns != v->sent[i - 1].at_ns;
	assert_true(bursts > 40);
	/* It ends where it is told to, and with its receiver. */
	v->video.pad_bps = 0;
	before = v->n;
	run_until(the.now_ns + NS_PER_S);
	assert_int_equal(v->n, before);
	v->video.pad_bps = 400000;
	play_second(LARGE);
	egress_unwatch(the.x, &v->video);
	before = v->n;
	run_until(the.now_ns + NS_PER_S);
	assert_int_equal(v->n, before);
	assert_int_equal(timers_running(), 0);
	viewer_free(v);
}

/* A picture that comes after a long time does not bring all that was left out. */
static void test_no_burst(void **state)
{
	struct viewer *v = start(true);
	size_t before;

	(void)state;
	play_second(LARGE);
	v->video.pad_bps = 10000000;
	the.now_ns += 5 * NS_PER_S;
	before = v->n;
	play_second(LARGE);
	assert_true(v->n <= before + 30 * 2 + 50 * 12);
	viewer_free(v);
}

static void test_not_without_rtx(void **state)
{
	struct viewer *v = start(false);

	(void)state;
	v->video.pad_bps = 400000;
	play_second(LARGE);
	assert_int_equal(v->n, 60);
	viewer_free(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
		T(test_as_much_as_is_asked_for),
		T(test_repeats_what_was_sent),
		T(test_padding_alone),
		T(test_a_still_is_probed_too),
		T(test_no_burst),
		T(test_not_without_rtx),
#undef T
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
