/* Who gets which batch. */
#include "mcu/rtp/payload_red.h"
#include "tests/mcu/room/egress_rig.h"

/* --- video ----------------------------------------------------------------------- */

static void test_a_viewer_starts_with_a_key_frame(void **state)
{
	struct video_encode e = { .id = 1 };
	struct viewer *a, *b;

	(void)state;
	role_assert_ctl();
	role_assert_net();
	a = viewer_new(1);
	b = viewer_new(2);
	egress_watch(the.x, 1, &a->video);
	assert_int_equal(a->video.group, 0); /* there is no such encode yet */
	egress_open(the.x, &e);
	mbox_run(the.shard);
	egress_watch(the.x, 1, &a->video);
	assert_int_equal(e.key_requests, 1);
	show(&e, 0, 2, false);
	assert_int_equal(a->n, 0);
	assert_int_equal(e.key_requests, 2); /* it still waits */
	show(&e, 2, 3, true);
	assert_int_equal(a->n, 3);
	assert_int_equal(e.key_requests, 2);
	the.now_ns = 2 * NS_PER_S; /* the key frame is old */
	egress_watch(the.x, 1, &b->video);
	show(&e, 5, 1, false);
	assert_int_equal(a->n, 4);
	assert_int_equal(b->n, 0);
	show(&e, 6, 1, true);
	assert_int_equal(a->n, 5);
	assert_int_equal(b->n, 1);
	assert_in_sequence(a);
	assert_int_equal(a->sent[0].seq, 65530);
	/* One call of the transport per picture. */
	assert_int_equal(a->calls, 3);
	egress_unwatch(the.x, &a->video);
	show(&e, 7, 1, true);
	assert_int_equal(a->n, 5);
	assert_int_equal(b->n, 2);
	viewer_free(a);
	viewer_free(b);
}

static void test_a_gap_waits_for_a_key_frame(void **state)
{
	struct video_encode e = { .id = 1 };
	struct viewer *v;

	(void)state;
	role_assert_ctl();
	role_assert_net();
	v = viewer_new(1);
	egress_open(the.x, &e);
	mbox_run(the.shard);
	egress_watch(the.x, 1, &v->video);
	show(&e, 0, 2, true);
	e.key_requests = 0;
	show(&e, 3, 2, false); /* number 2 was lost on the way here */
	assert_int_equal(v->n, 2);
	assert_int_equal(e.key_requests, 1);
	show(&e, 5, 2, false);
	assert_int_equal(v->n, 2);
	show(&e, 7, 2, true);
	show(&e, 9, 2, false);
	assert_int_equal(v->n, 6);
	assert_in_sequence(v);
	assert_int_equal(v->sent[2].ts - v->sent[0].ts, 7 * 3000);
	viewer_free(v);
}

static struct out_stream *switched;

static void on_switched(struct out_stream *o)
{
	switched = o;
}

/* The old picture goes on until there is a key frame of the new one. */
static void test_another_encode_takes_over_without_a_break(void **state)
{
	struct video_encode e = { .id = 1, .bps = 500 }, f = { .id = 2, .bps = 1500 };
	struct viewer *v;

	(void)state;
	role_assert_ctl();
	role_assert_net();
	switched = NULL;
	v = viewer_new(1);
	v->video.switched = on_switched;
	egress_open(the.x, &e);
	egress_open(the.x, &f);
	mbox_run(the.shard);
	egress_watch(the.x, 1, &v->video);
	for (uint32_t i = 0; i < 40; i++)
		show(&e, i, 1, i == 0);
	egress_watch(the.x, 2, &v->video);
	assert_int_equal(f.key_requests, 0); /* more than it has: nothing urgent */
	assert_int_equal(f.switch_requests, 1);
	show(&e, 40, 1, false);
	show(&f, 40, 1, false);
	show(&e, 41, 1, false);
	assert_int_equal(v->n, 42);
	assert_int_equal(f.switch_requests, 2);
	assert_null(switched);
	show(&f, 41, 1, true);
	assert_ptr_equal(switched, &v->video);
	show(&e, 42, 1, true);
	show(&f, 42, 1, false);
	assert_int_equal(v->n, 44);
	assert_int_equal(v->sent[42].octets[v->sent[42].len - 4], 2);
	assert_in_sequence(v);
	for (size_t i = 1; i < v->n; i++)
		assert_true((int32_t)(v->sent[i].ts - v->sent[i - 1].ts) > 0);
	/* Down again is urgent, and one may think better of it. */
	switched = NULL;
	e.key_requests = 0;
	egress_watch(the.x, 1, &v->video);
	assert_int_equal(e.key_requests, 1);
	egress_watch(the.x, 2, &v->video);
	show(&e, 43, 1, true);
	show(&f, 43, 1, false);
	assert_int_equal(v->n, 45);
	assert_null(switched);
	viewer_free(v);
}

/* Whoever has no picture takes the first there is; an encode that goes while it is
 * waited for, or waited away from, leaves nothing behind. */
static void test_an_encode_goes_in_the_middle_of_a_change(void **state)
{
	struct video_encode e = { .id = 1 }, f = { .id = 2 };
	struct viewer *v;

	(void)state;
	role_assert_ctl();
	role_assert_net();
	v = viewer_new(1);
	egress_open(the.x, &e);
	egress_open(the.x, &f);
	mbox_run(the.shard);
	egress_watch(the.x, 1, &v->video);
	egress_watch(the.x, 2, &v->video);
	show(&e, 0, 1, true); /* it has none of it yet: the newest wish counts */
	assert_int_equal(v->n, 0);
	show(&f, 0, 1, true);
	assert_int_equal(v->n, 1);
	egress_watch(the.x, 1, &v->video);
	egress_close(the.x, &e, on_closed, NULL);
	mbox_run(the.shard);
	assert_int_equal(v->video.next_group, 0);
	show(&f, 1, 1, false);
	assert_int_equal(v->n, 2);
	egress_open(the.x, &e);
	mbox_run(the.shard);
	egress_watch(the.x, 1, &v->video);
	egress_close(the.x, &f, on_closed, NULL);
	mbox_run(the.shard);
	assert_int_equal(v->video.group, 0);
	e.key_requests = 0;
	show(&e, 1, 1, false);
	assert_int_equal(v->n, 2);
	assert_int_equal(e.key_requests, 1); /* its picture stands still: urgent now */
	show(&e, 2, 1, true);
	assert_int_equal(v->n, 3);
	assert_int_equal(v->video.group, 1);
	assert_in_sequence(v);
	mbox_run(the.ctl);
	viewer_free(v);
}

static void test_what_a_socket_does_not_take_is_lost_for_one(void **state)
{
	struct video_encode e = { .id = 1 };
	struct viewer *slow, *fast;

	(void)state;
	role_assert_ctl();
	role_assert_net();
	slow = viewer_new(1);
	fast = viewer_new(2);
	egress_open(the.x, &e);
	mbox_run(the.shard);
	egress_watch(the.x, 1, &slow->video);
	egress_watch(the.x, 1, &fast->video);
	slow->takes = 1;
	show(&e, 0, 3, true);
	slow->takes = 0;
	show(&e, 3, 1, false);
	assert_int_equal(fast->n, 4);
	assert_int_equal(slow->n, 2);
	/* The number is used up: the receiver sees the loss, and asks. */
	assert_int_equal(slow->sent[1].seq, (uint16_t)(slow->sent[0].seq + 3));
	egress_nack(the.x, &slow->video, (uint16_t)(slow->sent[0].seq + 1), 0);
	assert_int_equal(slow->n, 3);
	viewer_free(slow);
	viewer_free(fast);
}

static void test_a_closed_encode_is_let_go(void **state)
{
	struct video_encode e = { .id = 1 };
	struct viewer *v;

	(void)state;
	role_assert_ctl();
	role_assert_net();
	v = viewer_new(1);
	egress_open(the.x, &e);
	mbox_run(the.shard);
	egress_watch(the.x, 1, &v->video);
	show(&e, 0, 1, true);
	egress_close(the.x, &e, on_closed, NULL);
	mbox_run(the.shard);
	mbox_run(the.ctl);
	assert_int_equal(the.closed, 1);
	assert_int_equal(rtp_batch_pool_in_use(the.pool), 0);
	assert_int_equal(v->video.group, 0);
	e.key_requests = 0;
	egress_key_request(the.x, &v->video);
	egress_nack(the.x, &v->video, v->sent[0].seq, 0);
	show(&e, 1, 1, true);
	assert_int_equal(v->n, 1);
	assert_int_equal(e.key_requests, 0);
	viewer_free(v);
}

/* One that never has enough is refused, and only that one; the last request that was
 * refused is granted later, unless a key frame came meanwhile. */
static void test_one_receiver_does_not_ask_for_all(void **state)
{
	int64_t refill = OUT_KEY_REFILL_MS * NS_PER_MS;
	struct video_encode e = { .id = 1 };
	struct viewer *v, *other;

	(void)state;
	role_assert_ctl();
	role_assert_net();
	v = viewer_new(1);
	other = viewer_new(2);
	the.now_ns = NS_PER_S;
	egress_open(the.x, &e);
	mbox_run(the.shard);
	egress_watch(the.x, 1, &v->video);
	egress_watch(the.x, 1, &other->video);
	for (int i = 0; i < 20; i++) /* what it waits for it may ask for */
		egress_key_request(the.x, &v->video);
	show(&e, 0, 1, true);
	e.key_requests = 0;
	for (; the.now_ns < NS_PER_S + 2 * refill; the.now_ns += NS_PER_MS)
		egress_key_request(the.x, &v->video);
	assert_int_equal(e.key_requests, OUT_KEY_BURST + 1);
	egress_key_request(the.x, &other->video);
	assert_int_equal(e.key_requests, OUT_KEY_BURST + 2);
	e.key_requests = 0;
	egress_key_request(the.x, &v->video); /* it is time again */
	egress_key_request(the.x, &v->video);
	egress_key_poll(the.x, &v->video);
	assert_int_equal(e.key_requests, 1);
	the.now_ns += refill;
	egress_key_poll(the.x, &v->video);
	egress_key_poll(the.x, &v->video);
	assert_int_equal(e.key_requests, 2);
	egress_key_request(the.x, &v->video);
	show(&e, 1, 1, true); /* somebody else's answers it as well */
	the.now_ns += refill;
	egress_key_poll(the.x, &v->video);
	assert_int_equal(e.key_requests, 2);
	for (int i = 0; i < 10; i++)
		egress_key_request(the.x, &v->video);
	e.key_requests = 0;
	show(&e, 5, 1, false); /* some were lost on the way here: the fan-out itself asks */
	assert_int_equal(e.key_requests, 1);
	viewer_free(v);
	viewer_free(other);
}

static void test_a_shard_that_is_behind_drops(void **state)
{
	struct video_encode e = { .id = 1 };
	struct viewer *v;

	(void)state;
	role_assert_ctl();
	role_assert_net();
	v = viewer_new(1);
	egress_open(the.x, &e);
	mbox_run(the.shard);
	egress_watch(the.x, 1, &v->video);
	for (uint32_t i = 0; i < 400; i++) /* its mailbox holds 256 */
		egress_post_video(the.x, picture(&e, i, 1, i == 0));
	mbox_run(the.shard);
	assert_int_equal(v->n, 256);
	e.key_requests = 0;
	show(&e, 400, 1, false);
	assert_int_equal(v->n, 256);
	assert_int_equal(e.key_requests, 1);
	show(&e, 401, 1, true);
	assert_int_equal(v->n, 257);
	assert_in_sequence(v);
	viewer_free(v);
}

/* --- sound ----------------------------------------------------------------------- */

/* Its payload type is the receiver's; sequence and time go on as with the others. */
static void test_comfort_noise_has_a_payload_type_of_its_own(void **state)
{
	struct viewer *v[2];

	(void)state;
	role_assert_ctl();
	role_assert_net();
	for (uint32_t i = 0; i < 2; i++) {
		v[i] = viewer_new(i + 1);
		egress_listen(the.x, ROOM, &v[i]->audio);
	}
	v[0]->audio.cn_pt = 13; /* the other one has none */
	for (uint32_t i = 0; i < 6; i++) {
		struct rtp_batch *b = sound(i);

		b->comfort = i == 2 || i == 3;
		play(b);
	}
	assert_int_equal(v[0]->n, 6);
	assert_in_sequence(v[0]);
	for (int i = 0; i < 6; i++)
		assert_int_equal(v[0]->sent[i].octets[1] & 0x7f,
				 i == 2 || i == 3 ? 13 : v[0]->sent[0].octets[1] & 0x7f);
	assert_int_equal(v[0]->sent[5].ts - v[0]->sent[0].ts, 5 * 960);
	assert_int_equal(v[1]->n, 4);
	assert_in_sequence(v[1]);
	assert_int_equal(v[1]->sent[3].ts - v[1]->sent[0].ts, 5 * 960);
	for (int i = 0; i < 2; i++)
		viewer_free(v[i]);
}

static void test_sound_goes_to_whom_it_is_for(void **state)
{
	struct viewer *v[3];
	struct rtp_batch *b;

	(void)state;
	role_assert_ctl();
	role_assert_net();
	for (uint32_t i = 0; i < 3; i++) {
		v[i] = viewer_new(i + 1);
		egress_listen(the.x, ROOM, &v[i]->audio);
		egress_listen(the.x, ROOM, &v[i]->audio); /* again: nothing */
	}
	for (uint32_t i = 0; i < 10; i++) {
		b = sound(i);
		assert_int_equal(rtp_batch_skip(b, 2), 0);
		play(b);
		b = sound(i);
		b->only_leg = 2;
		play(b);
	}
	for (int i = 0; i < 3; i++) {
		assert_int_equal(v[i]->n, 10);
		assert_in_sequence(v[i]);
		for (int k = 1; k < 10; k++)
			assert_int_equal(v[i]->sent[k].ts - v[i]->sent[k - 1].ts, 960);
	}
	egress_unlisten(the.x, &v[1]->audio);
	b = sound(10);
	b->only_leg = 2;
	play(b);
	play(sound(10));
	assert_int_equal(v[0]->n, 11);
	assert_int_equal(v[1]->n, 10);
	for (int i = 0; i < 3; i++)
		viewer_free(v[i]);
	play(sound(11)); /* nobody is left */
}

/* Nobody speaks: ticks without a packet are missing from the time stamps and not from
 * the sequence, in the shared mix and in one's own; a copy of what was said 400 ms
 * ago has no place in RED. */
static void test_a_rest_is_time_and_not_loss(void **state)
{
	static const uint32_t at[] = { 0, 1, 21, 22, 42, 43 };
	struct viewer *v[2];

	(void)state;
	role_assert_ctl();
	role_assert_net();
	for (uint32_t i = 0; i < 2; i++) {
		v[i] = viewer_new(i + 1);
		v[i]->audio.red.pt = 63;
		egress_listen(the.x, ROOM, &v[i]->audio);
	}
	red_tx_report(&v[1]->audio.red, 10, NS_PER_S);
	for (size_t k = 0; k < 6; k++) {
		struct rtp_batch *b = sound(at[k]);

		if (k & 1) { /* by turns its own and the shared one */
			b->only_leg = 2;
			play(b);
			b = sound(at[k]);
			rtp_batch_skip(b, 2);
		}
		play(b);
	}
	for (int i = 0; i < 2; i++) {
		assert_int_equal(v[i]->n, 6);
		assert_in_sequence(v[i]);
		for (size_t k = 1; k < 6; k++)
			assert_int_equal(v[i]->sent[k].ts - v[i]->sent[k - 1].ts,
					 (at[k] - at[k - 1]) * 960);
	}
	for (size_t k = 0; k < 6; k++) {
		struct rtp_red_block block[RTP_RED_MAX_BLOCKS];
		struct rtp_packet p;

		assert_int_equal(rtp_parse(&p, v[1]->sent[k].octets, v[1]->sent[k].len), 0);
		assert_int_equal(p.pt, 63);
		assert_int_equal(rtp_red_parse(p.payload, p.payload_len, block), k & 1 ? 2 : 1);
	}
	for (int i = 0; i < 2; i++)
		viewer_free(v[i]);
}

/* Who loses packets gets earlier ones again, shared and own in one stream; who
 * does not gets the plain packets of the same encode. */
static void test_loss_brings_red(void **state)
{
	struct viewer *lossy, *fine;

	(void)state;
	role_assert_ctl();
	role_assert_net();
	lossy = viewer_new(1);
	fine = viewer_new(2);
	lossy->audio.red.pt = fine->audio.red.pt = 63;
	egress_listen(the.x, ROOM, &lossy->audio);
	egress_listen(the.x, ROOM, &fine->audio);
	red_tx_report(&lossy->audio.red, 10, NS_PER_S);
	red_tx_report(&fine->audio.red, 1, NS_PER_S);
	for (uint32_t i = 0; i < 6; i++) {
		struct rtp_batch *b = sound(i);

		if (i & 1) {
			b->only_leg = 1;
			play(b);
			b = sound(i);
			rtp_batch_skip(b, 1);
		}
		play(b);
	}
	assert_int_equal(lossy->n, 6);
	assert_in_sequence(lossy);
	assert_in_sequence(fine);
	for (size_t i = 0; i < 6; i++) {
		struct rtp_red_block block[RTP_RED_MAX_BLOCKS];
		struct rtp_packet plain, red;

		assert_int_equal(rtp_parse(&plain, fine->sent[i].octets, fine->sent[i].len), 0);
		assert_int_equal(rtp_parse(&red, lossy->sent[i].octets, lossy->sent[i].len), 0);
		assert_int_equal(plain.pt, 111);
		assert_int_equal(red.pt, 63);
		assert_int_equal(rtp_red_parse(red.payload, red.payload_len, block), i ? 2 : 1);
		assert_int_equal(block[i ? 1 : 0].pt, 111);
		assert_int_equal(block[i ? 1 : 0].len, plain.payload_len);
		assert_memory_equal(block[i ? 1 : 0].data, plain.payload, plain.payload_len);
		if (!i)
			continue;
		assert_int_equal(block[0].ts_offset, 960);
		assert_int_equal(rtp_parse(&plain, fine->sent[i - 1].octets, fine->sent[i - 1].len), 0);
		assert_memory_equal(block[0].data, plain.payload, plain.payload_len);
	}
	/* What it was sent is let go with it. */
	viewer_free(lossy);
	viewer_free(fine);
}

/* Another codec is another group; what is on its way of the former is not for it. */
static void test_another_format_is_another_group(void **state)
{
	struct rtp_batch *b;
	struct viewer *v;

	(void)state;
	role_assert_ctl();
	role_assert_net();
	v = viewer_new(1);
	egress_listen(the.x, ROOM, &v->audio);
	play(sound(0));
	egress_listen(the.x, ROOM + 1, &v->audio);
	play(sound(1));
	b = sound(1);
	b->only_leg = 1;
	play(b);
	assert_int_equal(v->n, 1);
	b = sound(1);
	b->encode_id = ROOM + 1;
	play(b);
	b = sound(2);
	b->encode_id = ROOM + 1;
	b->only_leg = 1;
	play(b);
	assert_int_equal(v->n, 3);
	assert_in_sequence(v);
	viewer_free(v);
}

/* Sound that comes while a picture goes to many does not wait for all of them. */
static void test_sound_overtakes_a_large_fan_out(void **state)
{
	enum { N = 4 * EGRESS_YIELD };
	struct video_encode e = { .id = 1 };
	struct viewer *v[N];

	(void)state;
	role_assert_ctl();
	role_assert_net();
	egress_open(the.x, &e);
	mbox_run(the.shard);
	for (uint32_t i = 0; i < N; i++) {
		v[i] = viewer_new(i + 1);
		egress_watch(the.x, 1, &v[i]->video);
	}
	egress_listen(the.x, ROOM, &v[N - 1]->audio);
	the.surprise = sound(0);
	show(&e, 0, 1, true);
	assert_in_range(the.audio_at, 2, EGRESS_YIELD + 1);
	for (int i = 0; i < N; i++) {
		assert_int_equal(v[i]->n, i == N - 1 ? 2 : 1);
		viewer_free(v[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_viewer_starts_with_a_key_frame, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_gap_waits_for_a_key_frame, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_another_encode_takes_over_without_a_break, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_an_encode_goes_in_the_middle_of_a_change, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_what_a_socket_does_not_take_is_lost_for_one, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_a_closed_encode_is_let_go, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_one_receiver_does_not_ask_for_all, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_a_shard_that_is_behind_drops, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_comfort_noise_has_a_payload_type_of_its_own, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_sound_goes_to_whom_it_is_for, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_rest_is_time_and_not_loss, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_loss_brings_red, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_another_format_is_another_group, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_sound_overtakes_a_large_fan_out, set_up, tear_down),
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
