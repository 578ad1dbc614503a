/* A room's encoders and decoders by demand, on real media threads. Legs have no
 * network: the test says when one is connected, what its connection carries and when
 * it has a key frame. Included by one file per program. */
#ifndef TESTS_MCU_ROOM_ROOM_DEMAND_RIG_H
#define TESTS_MCU_ROOM_ROOM_DEMAND_RIG_H

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "mcu/room/room.h"
#include "mcu/room/video_leg.h"
#include "mcu/rtp/lipsync.h"
#include "mixer/codec/venc.h"

enum { CTL_MBOX = 65536, WAIT_MS = 20000, W = 320, H = 180, FPS = 30, MANY = 200 };

/* In place of a leg's network side. */
struct leg_net {
	struct leg_net_cfg cfg;
	struct lipsync lipsync;
	uint32_t watched, watched_content;
	unsigned best;
	size_t watches;
};

static struct {
	struct mbox *ctl;
	struct engine e;
	struct leg_net *last; /* the newest one made */
	bool no_keys; /* the shards wait for key frames in vain */
	size_t nets, layouts, emptied, closed, ended;
	uint32_t speaker;
} the;

int leg_net_new(struct leg_net **out, const struct leg_net_cfg *cfg)
{
	struct leg_net *l = calloc(1, sizeof *l);

	assert_non_null(l);
	l->cfg = *cfg;
	lipsync_init(&l->lipsync, 48000, 90000);
	the.last = l;
	the.nets++;
	*out = l;
	return 0;
}

void leg_net_free(struct leg_net **l)
{
	if (!*l)
		return;
	the.nets--;
	free(*l);
	*l = NULL;
}

int leg_net_configure(struct leg_net *l, const struct leg_media *m)
{
	(void)l;
	(void)m;
	return 0;
}

void leg_net_send_data(struct leg_net *l, struct buf *b)
{
	(void)l;
	(void)b;
}

int leg_net_add_candidate(struct leg_net *l, const char *candidate)
{
	(void)l;
	(void)candidate;
	return 0;
}

void leg_net_limit_uplink(struct leg_net *l, uint32_t kbps)
{
	(void)l;
	(void)kbps;
}

void leg_net_limit_rung(struct leg_net *l, unsigned best)
{
	l->best = best;
}

static inline void watching_job(void *obj, void *arg)
{
	struct leg_net *l = obj;

	(void)arg;
	if (l->watched)
		l->cfg.ev->watching(l->cfg.obj, l->watched);
}

void leg_net_watch(struct leg_net *l, uint32_t encode_id)
{
	bool changes = l->watched && encode_id;

	l->watched = encode_id;
	l->watches++;
	if (changes && !the.no_keys)
		engine_post(the.ctl, watching_job, l, NULL);
}

void leg_net_watch_content(struct leg_net *l, uint32_t encode_id)
{
	assert_int_not_equal(l->watched_content, encode_id);
	l->watched_content = encode_id;
}

static inline void closed_job(void *obj, void *arg)
{
	struct leg_net *l = obj;

	(void)arg;
	l->cfg.ev->closed(l->cfg.obj);
}

void leg_net_close(struct leg_net *l)
{
	engine_post(the.ctl, closed_job, l, NULL);
}

struct lipsync *leg_net_lipsync(struct leg_net *l)
{
	return &l->lipsync;
}

void leg_net_get_stats(const struct leg_net *l, struct leg_net_stats *s)
{
	(void)l;
	memset(s, 0, sizeof *s);
}

/* --- the room's owner ------------------------------------------------------------- */

static inline void on_leg(void *obj, struct room *r, struct leg *l)
{
	(void)obj;
	(void)r;
	(void)l;
}

static inline void on_left(void *obj, struct room *r, uint32_t leg, const char *reason)
{
	(void)obj;
	(void)r;
	(void)leg;
	(void)reason;
}

static inline void on_speaker(void *obj, struct room *r, uint32_t leg)
{
	(void)obj;
	(void)r;
	the.speaker = leg;
}

static inline void on_layout(void *obj, struct room *r)
{
	(void)obj;
	(void)r;
	the.layouts++;
}

static inline void on_emptied(void *obj, struct room *r)
{
	(void)obj;
	(void)r;
	the.emptied++;
}

static inline void on_closed(void *obj, struct room *r)
{
	(void)obj;
	(void)r;
	the.closed++;
}

static const struct room_events room_events = {
	.joined = on_leg, .left = on_left, .changed = on_leg, .speaker = on_speaker,
	.layout = on_layout, .emptied = on_emptied, .closed = on_closed,
};

static inline void leg_candidate(void *obj, const char *candidate)
{
	(void)obj;
	(void)candidate;
}

static inline void leg_connected(void *obj)
{
	(void)obj;
}

static inline void leg_ended(void *obj, const char *reason)
{
	(void)obj;
	(void)reason;
	the.ended++;
}

static const struct leg_watcher watcher = {
	.candidate = leg_candidate, .connected = leg_connected, .ended = leg_ended,
};

static inline int set_up(void **state)
{
	struct engine_cfg cfg = {
		.net_threads = 1, .video_threads = 1, .audio_threads = 1, .width = W, .height = H,
		.lower = { { W / 2, H / 2, FPS / 2, 80000 } }, .n_lower = 1,
		.fps = FPS, .video_bps = 200000, .vbv_ms = 500, .preset = "ultrafast",
		.asm_name = "default", .max_input_width = W, .max_input_height = H,
		.listener_bps = 32000, .audio_complexity = 1, .recording_audio_bps = 64000,
	};
	struct errmsg why;

	(void)state;
	role_assert_ctl();
	memset(&the, 0, sizeof the);
	assert_int_equal(mbox_new(&the.ctl, CTL_MBOX), 0);
	assert_int_equal(engine_start(&the.e, &cfg, &clock_monotonic, the.ctl, &why), 0);
	return 0;
}

static inline int tear_down(void **state)
{
	(void)state;
	role_assert_ctl();
	assert_int_equal(the.nets, 0);
	engine_stop(&the.e);
	mbox_free(&the.ctl);
	return 0;
}

static inline void turn(void)
{
	struct pollfd p = { .fd = mbox_fd(the.ctl), .events = POLLIN };

	poll(&p, 1, 10);
	mbox_run(the.ctl);
}

/* Until the room runs so many of them. */
#define RUN_UNTIL(r, field, n)                                                      \
	do {                                                                        \
		int64_t end_ = clock_now_ns(&clock_monotonic) + WAIT_MS * NS_PER_MS; \
		while (counts(r).field != (n) && clock_now_ns(&clock_monotonic) < end_) \
			turn();                                                     \
		assert_int_equal(counts(r).field, n);                               \
	} while (0)

static inline struct room_counts counts(const struct room *r) ON_THREAD(ROLE_CTL)
{
	struct room_counts c;

	room_get_counts(r, &c);
	return c;
}

static inline struct room *open_room(void) ON_THREAD(ROLE_CTL)
{
	struct room *r;

	assert_int_equal(room_new(&r, &the.e, &(struct room_cfg){ .name = "demand" },
					 &room_events, NULL), 0);
	return r;
}

static inline void close_room(struct room *r) ON_THREAD(ROLE_CTL)
{
	int64_t end = clock_now_ns(&clock_monotonic) + WAIT_MS * NS_PER_MS;
	size_t before = the.closed;

	room_close(r, "test");
	while (the.closed == before && clock_now_ns(&clock_monotonic) < end)
		turn();
	assert_int_equal(the.closed, before + 1);
}

static inline struct leg *join(struct room *r, struct leg_net **net) ON_THREAD(ROLE_CTL)
{
	struct leg *l;

	assert_int_equal(room_join(r, "L", &watcher, NULL, &l), 0);
	*net = the.last;
	return l;
}

static inline void negotiate_format(struct leg *l, bool sends, bool sees, enum codec codec,
			     uint32_t profile) ON_THREAD(ROLE_CTL)
{
	struct leg_media m = {
		.audio = { .rx = sends, .tx = true, LEG_FORMAT(CODEC_OPUS, 111) },
		.video = { .rx = sends, .tx = sees,
			   .tx_format = { .codec = codec, .pt = 96, .profile_level_id = profile } },
	};

	assert_int_equal(leg_set_media(l, &m), 0);
}

static inline void negotiate(struct leg *l, bool sends, bool sees) ON_THREAD(ROLE_CTL)
{
	negotiate_format(l, sends, sees, CODEC_H264, 0x42e01f);
}

/* A key frame, put in until a decoder runs or does not, as it should. */
static inline void shoot_until(struct room *r, struct video_leg *to, size_t decoders) ON_THREAD(ROLE_CTL)
{
	struct venc_cfg cfg = { .codec = CODEC_H264, .w = W, .h = H, .fps = FPS,
				.bitrate_bps = 200000, .preset = "ultrafast", .asm_ = "default" };
	int64_t end = clock_now_ns(&clock_monotonic) + WAIT_MS * NS_PER_MS;
	struct vframe *f = NULL;
	struct venc *enc = NULL;
	struct buf *au = NULL;
	bool key;

	role_assert_mixv();
	role_assert_net();
	assert_int_equal(venc_new(&enc, &cfg), 0);
	assert_int_equal(vframe_new_canvas(&f, W, H), 0);
	memset(f->av->data[0], 100, (size_t)f->av->linesize[0] * H);
	memset(f->av->data[1], 128, (size_t)f->av->linesize[1] * H / 2);
	memset(f->av->data[2], 128, (size_t)f->av->linesize[2] * H / 2);
	for (int i = 0; clock_now_ns(&clock_monotonic) < end; i++) {
		assert_int_equal(venc_encode(enc, f, i * NS_PER_S / FPS, true, the.e.au_pool, &au,
					     &key), 0);
		video_leg_put(to, au, CODEC_H264, key, 0, 0);
		turn();
		if (i > 3 && counts(r).video_decoders == decoders)
			break;
	}
	assert_int_equal(counts(r).video_decoders, decoders);
	vframe_unref(&f);
	venc_free(&enc);
}

#endif
