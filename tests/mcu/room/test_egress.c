/* The fan-out of one shard, with transports that only write down what they are
 * given. The test is the shard. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "mcu/net/transport.h"
#include "mcu/room/egress.h"
#include "mcu/rtp/packet.h"

enum { MAX_SENT = 4000, ROOM = 9, PACKET_BYTES = 100 };

struct sent {
	uint16_t seq;
	uint32_t ts;
	size_t len;
	uint8_t octets[PACKET_BYTES];
};

/* A receiver: its transport, its two streams, and what it was sent. */
struct viewer {
	struct transport base; /* first */
	struct out_stream video, audio;
	struct sent *sent;
	size_t n, calls;
	size_t takes; /* packets its socket takes of a call; 0: all */
};

struct video_encode {
	uint32_t id;
	size_t key_requests;
};

static struct {
	struct engine e;
	struct mbox *shard, *ctl;
	struct rtp_batch_pool *pool;
	struct egress *x;
	net_fd_fn *audio_ready;
	void *audio_obj;
	size_t closed;
	size_t sends;             /* of all viewers */
	struct rtp_batch *surprise; /* sound that comes at the first of them */
	size_t audio_at;          /* its place among the sends */
} the;

/* --- what the fan-out calls ----------------------------------------------------- */

void engine_post(struct mbox *m, mbox_fn *fn, void *obj, void *arg)
{
	assert_int_equal(mbox_post(m, fn, obj, arg), 0);
}

struct mbox *net_shard_mbox(struct net_shard *s)
{
	(void)s;
	return the.shard;
}

int net_fd_add(struct net_fd **out, struct net_shard *s, int fd, uint32_t events, net_fd_fn *fn,
	       void *obj)
{
	(void)s;
	(void)fd;
	(void)events;
	the.audio_ready = fn;
	the.audio_obj = obj;
	*out = (struct net_fd *)(void *)&the;
	return 0;
}

void net_fd_remove(struct net_fd **w)
{
	*w = NULL;
}

uint32_t video_encode_id(const struct video_encode *v)
{
	return v->id;
}

void video_encode_request_key(struct video_encode *v)
{
	v->key_requests++;
}

static size_t take(struct transport *t, const struct out_pkt *p, size_t n)
{
	struct viewer *v = (struct viewer *)(void *)t;
	size_t taken = v->takes && v->takes < n ? v->takes : n;

	v->calls++;
	the.sends++;
	if (the.surprise) {
		egress_post_audio(the.x, the.surprise);
		the.surprise = NULL;
	}
	for (size_t i = 0; i < taken; i++) {
		struct sent *s = &v->sent[v->n++];
		struct rtp_packet h;

		assert_true(v->n <= MAX_SENT);
		s->len = (size_t)p[i].hdr_len + p[i].payload_len;
		assert_true(s->len <= sizeof s->octets);
		memcpy(s->octets, p[i].hdr, p[i].hdr_len);
		memcpy(s->octets + p[i].hdr_len, p[i].payload, p[i].payload_len);
		assert_int_equal(rtp_parse(&h, s->octets, s->len), 0);
		s->seq = h.seq;
		s->ts = h.ts;
		if (h.ssrc == v->audio.tx.ssrc && !the.audio_at)
			the.audio_at = the.sends;
	}
	return taken;
}

static const struct transport_ops ops = { .send_rtp = take };

/* --- the rig --------------------------------------------------------------------- */

static int set_up(void **state)
{
	(void)state;
	role_assert_ctl();
	memset(&the, 0, sizeof the);
	assert_int_equal(mbox_new(&the.shard, 256), 0);
	assert_int_equal(mbox_new(&the.ctl, 256), 0);
	assert_int_equal(rtp_batch_pool_new(&the.pool, "test", 16, 4096, 512), 0);
	the.e = (struct engine){ .ctl = the.ctl, .n_shards = 1 };
	assert_int_equal(egress_new(&the.x, &the.e, 0), 0);
	mbox_run(the.shard);
	assert_non_null(the.audio_ready);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	role_assert_ctl();
	egress_stop(the.x);
	mbox_run(the.shard);
	egress_free(&the.x);
	assert_int_equal(rtp_batch_pool_in_use(the.pool), 0);
	rtp_batch_pool_free(&the.pool);
	mbox_free(&the.shard);
	mbox_free(&the.ctl);
	return 0;
}

static struct viewer *viewer_new(uint32_t leg)
{
	struct viewer *v = calloc(1, sizeof *v);
	struct rtp_tx_cfg cfg = { .ssrc = leg * 2, .pt = 102, .clock_hz = 90000,
				  .first_seq = 65530, .first_ts = 77, .ext_abs_send_time = 3 };

	assert_non_null(v);
	v->sent = calloc(MAX_SENT, sizeof *v->sent);
	assert_non_null(v->sent);
	v->base.ops = &ops;
	assert_int_equal(rtp_tx_init(&v->video.tx, &cfg), 0);
	cfg.ssrc++;
	cfg.pt = 111;
	cfg.clock_hz = 48000;
	assert_int_equal(rtp_tx_init(&v->audio.tx, &cfg), 0);
	v->video.transport = v->audio.transport = &v->base;
	v->video.leg_id = v->audio.leg_id = leg;
	return v;
}

static void viewer_free(struct viewer *v)
{
	role_assert_net();
	egress_unwatch(the.x, &v->video);
	egress_unlisten(the.x, &v->audio);
	free(v->sent);
	free(v);
}

/* A picture of n packets; the payload tells the index. */
static struct rtp_batch *picture(const struct video_encode *e, uint32_t index, unsigned n, bool key)
{
	struct rtp_batch *b = rtp_batch_get(the.pool, 0);

	assert_non_null(b);
	b->encode_id = e->id;
	b->first_index = index;
	b->ts = index * 3000;
	b->time_ns = (int64_t)index * NS_PER_S / 30;
	b->key = key;
	for (unsigned i = 0; i < n; i++) {
		uint8_t payload[4] = { (uint8_t)e->id, (uint8_t)((index + i) >> 8), (uint8_t)(index + i),
				       key };

		assert_int_equal(rtp_batch_add(b, NULL, 0, payload, sizeof payload, i == n - 1), 0);
	}
	return b;
}

static void show(const struct video_encode *e, uint32_t index, unsigned n, bool key)
{
	egress_post_video(the.x, picture(e, index, n, key));
	mbox_run(the.shard);
}

static struct rtp_batch *sound(uint32_t index)
{
	struct rtp_batch *b = rtp_batch_get(the.pool, 0);
	uint8_t payload = (uint8_t)index;

	assert_non_null(b);
	b->encode_id = ROOM;
	b->first_index = index;
	b->ts = index * 960;
	b->time_ns = (int64_t)index * 20 * NS_PER_MS;
	assert_int_equal(rtp_batch_add(b, NULL, 0, &payload, 1, false), 0);
	return b;
}

static void play(struct rtp_batch *b)
{
	egress_post_audio(the.x, b);
	the.audio_ready(the.audio_obj, 0, 0);
}

static void on_closed(void *obj, void *arg)
{
	(void)obj;
	(void)arg;
	the.closed++;
}

/* Sequence numbers without a hole from sent[0] on. */
static void assert_in_sequence(const struct viewer *v)
{
	for (size_t i = 1; i < v->n; i++)
		assert_int_equal(v->sent[i].seq, (uint16_t)(v->sent[i - 1].seq + 1));
}

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

static void test_another_encode_goes_on_where_the_last_ended(void **state)
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
	for (uint32_t i = 0; i < 40; i++)
		show(&e, i, 1, i == 0);
	egress_watch(the.x, 2, &v->video);
	show(&e, 40, 1, true);
	assert_int_equal(v->n, 40);
	show(&f, 1000, 1, false);
	show(&f, 1001, 1, true);
	show(&f, 1002, 1, false);
	assert_int_equal(v->n, 42);
	assert_in_sequence(v);
	for (size_t i = 1; i < v->n; i++)
		assert_true((int32_t)(v->sent[i].ts - v->sent[i - 1].ts) > 0);
	viewer_free(v);
}

static void test_retransmission_is_identical(void **state)
{
	struct video_encode e = { .id = 1 };
	struct sent *first, *again;
	struct viewer *v, *late;

	(void)state;
	role_assert_ctl();
	role_assert_net();
	v = viewer_new(1);
	late = viewer_new(2);
	egress_open(the.x, &e);
	mbox_run(the.shard);
	egress_watch(the.x, 1, &v->video);
	for (uint32_t i = 0; i < 20; i++)
		show(&e, i * 2, 2, i == 0);
	for (size_t i = 0; i < 40; i++) {
		first = &v->sent[i];
		egress_nack(the.x, &v->video, first->seq);
		again = &v->sent[v->n - 1];
		assert_int_equal(v->n, 41 + i);
		assert_int_equal(again->len, first->len);
		assert_memory_equal(again->octets, first->octets, first->len);
	}
	/* Never sent: not to this one, not yet, or not at all. */
	egress_nack(the.x, &v->video, (uint16_t)(v->sent[39].seq + 1));
	egress_nack(the.x, &v->video, (uint16_t)(v->sent[0].seq - 1));
	assert_int_equal(v->n, 80);
	egress_watch(the.x, 1, &late->video);
	for (uint32_t s = 0; s < 65536; s += 7)
		egress_nack(the.x, &late->video, (uint16_t)s);
	assert_int_equal(late->n, 0);
	/* Sending again does not move the stream. */
	show(&e, 40, 1, false);
	assert_int_equal(v->sent[80].seq, (uint16_t)(v->sent[39].seq + 1));
	viewer_free(v);
	viewer_free(late);
}

static void test_retransmissions_are_bounded(void **state)
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
	for (int i = 0; i < 3000; i++)
		egress_nack(the.x, &v->video, v->sent[0].seq);
	assert_in_range(v->n, 100, 1000);
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
	egress_nack(the.x, &slow->video, (uint16_t)(slow->sent[0].seq + 1));
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
	egress_nack(the.x, &v->video, v->sent[0].seq);
	show(&e, 1, 1, true);
	assert_int_equal(v->n, 1);
	assert_int_equal(e.key_requests, 0);
	viewer_free(v);
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
		cmocka_unit_test_setup_teardown(test_another_encode_goes_on_where_the_last_ended, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_retransmission_is_identical, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_retransmissions_are_bounded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_a_socket_does_not_take_is_lost_for_one, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_a_closed_encode_is_let_go, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_shard_that_is_behind_drops, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_sound_goes_to_whom_it_is_for, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_sound_overtakes_a_large_fan_out, set_up, tear_down),
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
