/* The fan-out of one shard, with transports that only write down what they are
 * given. The test is the shard. Included by one file per program. */
#ifndef TESTS_MCU_ROOM_EGRESS_RIG_H
#define TESTS_MCU_ROOM_EGRESS_RIG_H

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

enum { MAX_SENT = 4000, ROOM = 9, PACKET_BYTES = 640 };

struct sent {
	uint16_t seq;
	uint32_t ts;
	size_t len;
	size_t order;  /* among the calls of all viewers */
	int64_t at_ns;
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
	size_t key_requests, switch_requests;
	int bps;
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
	int64_t now_ns;
} the;

/* What net_timer is made of here. */
enum { MAX_TIMERS = 8 };
static struct net_timer {
	net_timer_fn *fn; /* NULL: free */
	void *obj;
	int64_t due_ns, period_ns; /* due_ns 0: stopped */
} timer[MAX_TIMERS];

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

int64_t net_shard_now_ns(const struct net_shard *s)
{
	(void)s;
	return the.now_ns;
}

int net_timer_new(struct net_timer **out, struct net_shard *s, net_timer_fn *fn, void *obj)
{
	(void)s;
	for (int i = 0; i < MAX_TIMERS; i++) {
		if (timer[i].fn)
			continue;
		timer[i] = (struct net_timer){ .fn = fn, .obj = obj };
		*out = &timer[i];
		return 0;
	}
	return -1;
}

void net_timer_start(struct net_timer *t, int64_t due_ns, int64_t period_ns)
{
	t->due_ns = due_ns;
	t->period_ns = period_ns;
}

void net_timer_stop(struct net_timer *t)
{
	t->due_ns = 0;
}

void net_timer_free(struct net_timer **t)
{
	if (*t)
		(*t)->fn = NULL;
	*t = NULL;
}

/* Time goes on; what falls due runs. */
static inline void run_until(int64_t now_ns)
{
	while (the.now_ns < now_ns) {
		the.now_ns += NS_PER_MS;
		for (int i = 0; i < MAX_TIMERS; i++) {
			struct net_timer *t = &timer[i];

			if (!t->fn || !t->due_ns || t->due_ns > the.now_ns)
				continue;
			t->due_ns += t->period_ns;
			t->fn(t->obj, the.now_ns);
		}
	}
}

static inline unsigned timers_running(void)
{
	unsigned n = 0;

	for (int i = 0; i < MAX_TIMERS; i++)
		n += timer[i].fn && timer[i].due_ns;
	return n;
}

uint32_t video_encode_id(const struct video_encode *v)
{
	return v->id;
}

void video_encode_request_key(struct video_encode *v)
{
	v->key_requests++;
}

void video_encode_request_switch(struct video_encode *v)
{
	v->switch_requests++;
}

int video_encode_bps(const struct video_encode *v)
{
	return v->bps;
}

static inline size_t take(struct transport *t, const struct out_pkt *p, size_t n)
{
	struct viewer *v = (struct viewer *)(void *)t;
	size_t taken = v->takes && v->takes < n ? v->takes : n;

	v->calls++;
	the.sends++;
	if (the.surprise) {
		egress_post_audio(the.x, the.surprise);
		egress_wake_audio(the.x);
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
		s->order = the.sends;
		s->at_ns = the.now_ns;
		if (h.ssrc == v->audio.tx.ssrc && !the.audio_at)
			the.audio_at = the.sends;
	}
	return taken;
}

static inline void prefetch(const struct transport *t, unsigned step)
{
	(void)t;
	assert_in_range(step, 1, TRANSPORT_PREFETCH_STEPS - 1);
}

static const struct transport_ops ops = { .send_rtp = take, .prefetch = prefetch };

/* --- the rig --------------------------------------------------------------------- */

static inline int set_up(void **state)
{
	(void)state;
	role_assert_ctl();
	memset(&the, 0, sizeof the);
	memset(timer, 0, sizeof timer);
	assert_int_equal(mbox_new(&the.shard, 256), 0);
	assert_int_equal(mbox_new(&the.ctl, 256), 0);
	assert_int_equal(rtp_batch_pool_new(&the.pool, "test", 16, 4096, 512), 0);
	the.e = (struct engine){ .ctl = the.ctl, .n_shards = 1 };
	assert_int_equal(egress_new(&the.x, &the.e, 0), 0);
	mbox_run(the.shard);
	assert_non_null(the.audio_ready);
	return 0;
}

static inline int tear_down(void **state)
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

static inline struct viewer *viewer_new(uint32_t leg)
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
	out_stream_init(&v->video);
	return v;
}

static inline void viewer_free(struct viewer *v)
{
	role_assert_net();
	egress_unwatch(the.x, &v->video);
	egress_unlisten(the.x, &v->audio);
	free(v->sent);
	free(v);
}

/* A picture of n packets; the payload tells the index. */
static inline struct rtp_batch *picture(const struct video_encode *e, uint32_t index, unsigned n,
					bool key)
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

static inline void show(const struct video_encode *e, uint32_t index, unsigned n, bool key)
{
	egress_post_video(the.x, picture(e, index, n, key));
	mbox_run(the.shard);
}

static inline struct rtp_batch *sound(uint32_t index)
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

static inline void play(struct rtp_batch *b)
{
	egress_post_audio(the.x, b);
	egress_wake_audio(the.x);
	the.audio_ready(the.audio_obj, 0, 0);
}

static inline void on_closed(void *obj, void *arg)
{
	(void)obj;
	(void)arg;
	the.closed++;
}

/* Of a picture's packet: the running count. */
static inline unsigned index_of(const struct sent *s)
{
	return (unsigned)s->octets[s->len - 3] << 8 | s->octets[s->len - 2];
}

/* Sequence numbers without a hole from sent[0] on. */
static inline void assert_in_sequence(const struct viewer *v)
{
	for (size_t i = 1; i < v->n; i++)
		assert_int_equal(v->sent[i].seq, (uint16_t)(v->sent[i - 1].seq + 1));
}

#endif
