/* What is sent again, how, and how often. */
#include "tests/mcu/room/egress_rig.h"

enum { RTX_PT = 103, RTX_SSRC = 0x777, RTX_SEQ = 100, SECOND = 30 };

static const int64_t RTT_NS = 80 * NS_PER_MS;

static struct video_encode e;

static void open_encode(struct viewer *v)
{
	role_assert_ctl();
	role_assert_net();
	e = (struct video_encode){ .id = 1 };
	egress_open(the.x, &e);
	mbox_run(the.shard);
	egress_watch(the.x, 1, &v->video);
	v->video.rtt_ns = RTT_NS;
}

static void use_rtx(struct viewer *v)
{
	rtp_rtx_init(&v->video.rtx, RTX_SSRC, RTX_SEQ);
	v->video.rtx.pt = RTX_PT;
}

static void test_a_retransmission_is_identical(void **state)
{
	struct viewer *v = viewer_new(1), *late = viewer_new(2);

	(void)state;
	role_assert_net();
	open_encode(v);
	for (uint32_t i = 0; i < 20; i++)
		show(&e, i * 2, 2, i == 0);
	for (size_t i = 0; i < 20; i++) {
		struct sent *first = &v->sent[2 * i], *again;

		egress_nack(the.x, &v->video, first->seq, NS_PER_S);
		again = &v->sent[v->n - 1];
		assert_int_equal(v->n, 41 + i);
		assert_int_equal(again->len, first->len);
		assert_memory_equal(again->octets, first->octets, first->len);
	}
	/* Never sent: not to this one, not yet, or not at all. */
	egress_nack(the.x, &v->video, (uint16_t)(v->sent[39].seq + 1), NS_PER_S);
	egress_nack(the.x, &v->video, (uint16_t)(v->sent[0].seq - 1), NS_PER_S);
	assert_int_equal(v->n, 60);
	the.now_ns = 2 * NS_PER_S; /* no key frame to start with */
	egress_watch(the.x, 1, &late->video);
	for (uint32_t s = 0; s < 65536; s += 7)
		egress_nack(the.x, &late->video, (uint16_t)s, NS_PER_S);
	assert_int_equal(late->n, 0);
	/* Sending again does not move the stream. */
	show(&e, 40, 1, false);
	assert_int_equal(v->sent[60].seq, (uint16_t)(v->sent[39].seq + 1));
	assert_int_equal(v->video.nacked, 22);
	assert_int_equal(v->video.retransmitted, 20);
	viewer_free(v);
	viewer_free(late);
}

/* With RTX the media's own numbers are left alone. */
static void test_rtx_is_a_stream_of_its_own(void **state)
{
	struct viewer *v = viewer_new(1);

	(void)state;
	role_assert_net();
	open_encode(v);
	use_rtx(v);
	for (uint32_t i = 0; i < 10; i++)
		show(&e, i * 2, 2, i == 0);
	for (uint16_t i = 0; i < 10; i++) {
		struct sent *first = &v->sent[i * 2], *again;
		struct rtp_packet p, o;

		egress_nack(the.x, &v->video, first->seq, NS_PER_S);
		assert_int_equal(v->n, 21 + i);
		again = &v->sent[v->n - 1];
		assert_int_equal(rtp_parse(&p, again->octets, again->len), 0);
		assert_int_equal(p.ssrc, RTX_SSRC);
		assert_int_equal(p.pt, RTX_PT);
		assert_int_equal(p.seq, RTX_SEQ + i);
		assert_int_equal(rtp_rtx_restore(again->octets, again->len, v->video.tx.ssrc, 102),
				 2);
		assert_int_equal(rtp_parse(&o, again->octets + 2, again->len - 2), 0);
		assert_int_equal(rtp_parse(&p, first->octets, first->len), 0);
		assert_int_equal(o.seq, p.seq);
		assert_int_equal(o.ts, p.ts);
		assert_int_equal(o.marker, p.marker);
		assert_int_equal(o.payload_len, p.payload_len);
		assert_memory_equal(o.payload, p.payload, p.payload_len);
	}
	assert_int_equal(v->video.tx.packets, 20);
	assert_int_equal(v->video.rtx.packets, 10);
	viewer_free(v);
}

static void test_not_again_within_a_round_trip(void **state)
{
	struct viewer *v = viewer_new(1);
	uint16_t seq;

	(void)state;
	role_assert_net();
	open_encode(v);
	for (uint32_t i = 0; i < 20; i++)
		show(&e, i, 1, i == 0);
	seq = v->sent[0].seq;
	egress_nack(the.x, &v->video, seq, NS_PER_S);
	assert_int_equal(v->n, 21);
	egress_nack(the.x, &v->video, seq, NS_PER_S);
	egress_nack(the.x, &v->video, seq, NS_PER_S + RTT_NS - NS_PER_MS);
	assert_int_equal(v->n, 21);
	egress_nack(the.x, &v->video, (uint16_t)(seq + 1), NS_PER_S + 1); /* another one */
	assert_int_equal(v->n, 22);
	egress_nack(the.x, &v->video, seq, NS_PER_S + RTT_NS);
	assert_int_equal(v->n, 23);
	/* The round trip is not known: still not twice at once. */
	v->video.rtt_ns = 0;
	egress_nack(the.x, &v->video, seq, 2 * NS_PER_S);
	egress_nack(the.x, &v->video, seq, 2 * NS_PER_S + NS_PER_MS);
	assert_int_equal(v->n, 24);
	viewer_free(v);
}

/* Whoever asks for everything again and again gets the stream twice at most. */
static void test_a_storm_does_not_amplify(void **state)
{
	struct viewer *v = viewer_new(1);
	uint32_t index = 0;
	size_t media;

	(void)state;
	role_assert_net();
	for (int rtx = 0; rtx < 2; rtx++) {
		open_encode(v);
		if (rtx)
			use_rtx(v);
		v->n = 0;
		media = 0;
		for (int frame = 0; frame < 10 * SECOND; frame++, index += 4, media += 4) {
			int64_t now = (int64_t)index * NS_PER_S / 30;
			struct rtp_batch *b = picture(&e, index, 4, frame == 0);
			uint16_t last;

			b->time_ns = now / 4; /* 30 pictures a second */
			egress_post_video(the.x, b);
			mbox_run(the.shard);
			last = (uint16_t)(v->video.tx.next_seq - 1);
			for (uint16_t k = 0; k < 200; k++)
				egress_nack(the.x, &v->video, (uint16_t)(last - k), now);
		}
		assert_true(v->n > media + media / 2);
		assert_true(v->n <= 2 * media + 4 * SECOND);
		assert_true(v->video.refused > 1000);
		egress_close(the.x, &e, on_closed, NULL);
		mbox_run(the.shard);
		mbox_run(the.ctl);
	}
	viewer_free(v);
}

/* It waits for the key frame of another encode, whose numbers are the same as
 * those that were sent of the first: until it comes the first is repaired, then
 * nothing may go out under a used number. */
static void test_nothing_of_another_encode(void **state)
{
	struct video_encode f = { .id = 2 };
	struct viewer *v = viewer_new(1);

	(void)state;
	role_assert_net();
	open_encode(v);
	role_assert_ctl();
	egress_open(the.x, &f);
	mbox_run(the.shard);
	for (uint32_t i = 0; i < 10; i++) {
		show(&e, i, 1, i == 0);
		show(&f, i, 1, i == 0);
	}
	egress_watch(the.x, 2, &v->video);
	for (int i = 0; i < 10; i++)
		egress_nack(the.x, &v->video, v->sent[i].seq, NS_PER_S);
	assert_int_equal(v->n, 20);
	for (int i = 0; i < 10; i++)
		assert_memory_equal(v->sent[i].octets, v->sent[10 + i].octets, v->sent[i].len);
	show(&f, 10, 1, true);
	for (int i = 0; i < 10; i++)
		egress_nack(the.x, &v->video, v->sent[i].seq, 3 * NS_PER_S);
	assert_int_equal(v->n, 21);
	egress_nack(the.x, &v->video, v->sent[20].seq, 3 * NS_PER_S);
	assert_int_equal(v->n, 22);
	viewer_free(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
		T(test_a_retransmission_is_identical),
		T(test_rtx_is_a_stream_of_its_own),
		T(test_not_again_within_a_round_trip),
		T(test_a_storm_does_not_amplify),
		T(test_nothing_of_another_encode),
#undef T
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
