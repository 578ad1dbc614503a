/* A room's picture without threads or network: a fake clock, workers that the
 * test runs, legs that send H.264 of one grey, and what the encode gives to the
 * shard. Included by one file per program. */
#ifndef TESTS_MCU_ROOM_ROOM_VIDEO_RIG_H
#define TESTS_MCU_ROOM_ROOM_VIDEO_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "mcu/room/beat.h"
#include "mcu/room/egress.h"
#include "mcu/room/tick.h"
#include "mcu/room/video_encode.h"
#include "mcu/room/video_leg.h"
#include "mixer/codec/vdec.h"
#include "mixer/codec/venc.h"

enum { W = 320, H = 180, FPS = 30, BATCHES = 400, LEGS = 2, START_S = 100 };

/* A camera: every picture is of one grey. */
struct camera {
	struct venc *enc;
	struct vframe *canvas;
	struct video_leg *leg;
	uint64_t sent;
};

struct out {
	uint32_t encode;
	int64_t time_ns;
	uint32_t ts, first_index, n;
	bool key;
};

struct rig {
	struct engine e;
	struct clock clock;
	struct mbox *ctl;
	struct tick *tick;
	struct video_encode *encode;
	struct camera cam[LEGS];
	uint64_t seq;
	size_t retired, stopped, closed;
	struct out out[BATCHES];
	size_t n_out, keys;
	size_t n_frames; /* of them those of encode */
	/* what a viewer sees, decoded from the sink */
	struct vdec *viewer;
	struct vframe *seen;
	struct buf *hostage[64];
	size_t n_hostages;
	struct video_encode *more[2]; /* at rung 1 */
	size_t n_more;
	struct beat beat;
	bool shared; /* the first leg's picture is a screen */
	void (*on_batch)(struct rig *r, const struct rtp_batch *b);
	bool moving; /* no picture is like the one before: who speaks changes */
	struct room_sink sink;
	struct sink_link link;
};

static struct rig *the;

void engine_post(struct mbox *m, mbox_fn *fn, void *obj, void *arg)
{
	assert_int_equal(mbox_post(m, fn, obj, arg), 0);
}

void egress_trim(struct egress *x)
{
	(void)x;
}

void egress_post_video(struct egress *x, struct rtp_batch *b)
{
	(void)x;
	assert_true(the->n_out < BATCHES);
	the->out[the->n_out++] = (struct out){
		.encode = b->encode_id, .time_ns = b->time_ns, .ts = b->ts, .first_index = b->first_index, .n = b->n,
		.key = b->key,
	};
	the->keys += b->key;
	if (the->on_batch)
		the->on_batch(the, b);
	the->n_frames += b->encode_id == video_encode_id(the->encode);
	rtp_batch_unref(&b);
}

static inline void on_retired(void *obj, void *arg)
{
	struct routing *r = arg;

	((struct rig *)obj)->retired++;
	routing_free(&r);
}

static inline void on_stopped(void *obj, void *arg)
{
	(void)arg;
	((struct rig *)obj)->stopped++;
}

static inline void on_closed(void *obj, void *arg)
{
	(void)arg;
	((struct rig *)obj)->closed++;
}

/* The sink decodes what a recording would hold. */
static inline void see(void *obj, struct buf *au, int64_t pts_ns, bool key)
{
	struct rig *r = obj;
	struct vframe *f;

	(void)pts_ns;
	(void)key;
	role_assert_mixv();
	if (vdec_decode(r->viewer, au->data, au->len, &f))
		return;
	vframe_unref(&r->seen);
	r->seen = f;
}

static inline void no_sound(void *obj, struct buf *frame, int64_t pts_ns)
{
	(void)obj;
	(void)frame;
	(void)pts_ns;
}

static inline void sink_gone(void *obj, void *arg)
{
	(void)obj;
	(void)arg;
}

/* With a sink on its encode. */
static inline void rig_attach(struct rig *r, const struct room_sink *s) ON_THREAD(ROLE_CTL)
{
	r->sink = *s;
	r->link = (struct sink_link){ .sink = &r->sink, .done = sink_gone };
	video_encode_add_sink(r->encode, &r->link);
}

/* A viewer sees what it gives out. */
static inline void rig_look(struct rig *r, int gop_s) ON_THREAD(ROLE_CTL)
{
	rig_attach(r, &(struct room_sink){ .obj = r, .video = see, .audio = no_sound, .gop_s = gop_s });
}

static inline int64_t rig_now(const struct rig *r)
{
	return clock_now_ns(&r->clock);
}

static inline void rig_run(struct rig *r)
{
	workers_run_due(r->e.video);
	mbox_run(r->ctl);
}

static inline void rig_advance(struct rig *r, int ms)
{
	for (int i = 0; i < ms; i++) {
		clock_fake_advance(&r->clock, NS_PER_MS);
		if (r->moving)
			tick_set_speaker(r->tick, 1 + (uint32_t)(r->n_frames & 1));
		rig_run(r);
	}
}

static inline void camera_open(struct rig *r, struct camera *c, uint32_t id) ON_THREAD(ROLE_CTL)
{
	struct venc_cfg cfg = { .codec = CODEC_H264, .w = W, .h = H, .fps = FPS,
				.bitrate_bps = 200000, .preset = "ultrafast", .asm_ = "default" };

	assert_int_equal(venc_new(&c->enc, &cfg), 0);
	assert_int_equal(vframe_new_canvas(&c->canvas, W, H), 0);
	assert_int_equal(video_leg_new(&c->leg, &r->e, &r->beat, id), 0);
}

static inline struct rig *rig_open(void) ON_THREAD(ROLE_CTL)
{
	static const struct tick_events ev = { .retired = on_retired, .stopped = on_stopped };
	struct video_encode_cfg enc = { .width = W, .height = H, .fps = FPS, .bitrate_bps = 300000,
					.codec = CODEC_H264, .profile_level_id = 0x42e01f };
	struct vdec_limits lim = { .max_w = W, .max_h = H };
	struct rig *r = calloc(1, sizeof *r);

	assert_non_null(r);
	the = r;
	clock_fake_init(&r->clock, START_S * NS_PER_S);
	assert_int_equal(mbox_new(&r->ctl, 1024), 0);
	r->e = (struct engine){
		.cfg = { .width = W, .height = H, .fps = FPS, .vbv_ms = 500, .preset = "ultrafast",
			 .asm_name = "default", .max_input_width = W, .max_input_height = H,
			 .lower = { { W / 2, H / 2 & ~1, FPS / 2, 100000 } }, .n_lower = 1 },
		.clock = &r->clock, .ctl = r->ctl, .n_shards = 1,
	};
	r->beat = (struct beat){ .fps = FPS };
	assert_int_equal(workers_new(&r->e.video, &r->clock, 0, 0), 0);
	assert_int_equal(buf_pool_new(&r->e.au_pool, "test", 1 << 18, 64, 16), 0);
	assert_int_equal(vframe_pool_new(&r->e.pictures, 64), 0);
	assert_int_equal(rtp_batch_pool_new(&r->e.video_batches, "video", RTP_BATCH_VIDEO_PACKETS,
					    RTP_BATCH_VIDEO_BYTES, 16), 0);
	for (uint32_t i = 0; i < LEGS; i++)
		camera_open(r, &r->cam[i], i + 1);
	assert_int_equal(video_encode_new(&r->encode, &r->e, &enc), 0);
	assert_int_equal(vdec_new(&r->viewer, CODEC_H264, &lim, r->e.pictures), 0);
	assert_int_equal(tick_new(&r->tick, &r->e, &r->beat, &ev, r), 0);
	return r;
}

/* With pictures that change. */
static inline struct rig *rig_open_moving(void) ON_THREAD(ROLE_CTL)
{
	struct rig *r = rig_open();

	r->moving = true;
	return r;
}

/* Both legs side by side; muted: bit i of leg i. */
static inline void rig_route(struct rig *r, bool encode, unsigned muted) ON_THREAD(ROLE_CTL)
{
	struct routing *s = routing_new(++r->seq, LEGS, encode);
	struct rect rect[LEGS];

	assert_non_null(s);
	layout_grid(LEGS, W, H, rect);
	for (uint32_t i = 0; i < LEGS; i++) {
		s->leg[i] = (struct route_leg){ .id = i + 1 };
		if (encode)
			s->source[i] = (struct route_source){
				.id = source_id(i + 1, r->shared && !i), .leg = i,
				.video = r->cam[i].leg, .sends = true,
				.muted = muted >> i & 1, .content = r->shared && !i,
			};
	}
	s->n_sources = encode ? LEGS : 0;
	for (size_t i = 0; i < s->n_sources; i++)
		s->picture[0].tile[s->picture[0].n_tiles++] = (struct route_tile){ i, rect[i] };
	s->n_encodes = encode;
	s->encode[0].v = r->encode;
	for (size_t i = 0; encode && i < r->n_more; i++)
		s->encode[s->n_encodes++] = (struct route_encode){ r->more[i], 1, 0 };
	tick_route(r->tick, s);
	rig_run(r);
}

/* One picture of that grey into the leg. */
static inline void shoot(struct rig *r, struct camera *c, uint8_t grey, int64_t due_ns)
{
	struct buf *au = NULL;
	bool key;

	role_assert_mixv();
	role_assert_net();
	for (int p = 0; p < 3; p++)
		for (int y = 0; y < (p ? H / 2 : H); y++)
			memset(c->canvas->av->data[p] + y * c->canvas->av->linesize[p], p ? 128 : grey,
			       p ? W / 2 : W);
	assert_int_equal(venc_encode(c->enc, c->canvas, rig_now(r), c->sent % 30 == 0, r->e.au_pool,
				     &au, &key), 0);
	c->sent++;
	video_leg_put(c->leg, au, CODEC_H264, key, 0, due_ns);
}

/* The grey in the middle of tile i, as a viewer sees it. */
static inline int grey_of(const struct rig *r, int i)
{
	struct rect rect[LEGS];
	const AVFrame *av;
	int sum = 0;

	assert_non_null(r->seen);
	av = r->seen->av;
	layout_grid(LEGS, W, H, rect);
	for (int y = 0; y < 8; y++)
		for (int x = 0; x < 8; x++)
			sum += av->data[0][(rect[i].y + rect[i].h / 2 + y) * av->linesize[0] +
					   rect[i].x + rect[i].w / 4 + x];
	return sum / 64;
}

static inline void rig_close(struct rig *r) ON_THREAD(ROLE_CTL)
{
	rig_route(r, false, 0);
	r->moving = false;
	rig_advance(r, 50);
	tick_stop(r->tick);
	rig_advance(r, 50);
	assert_int_equal(r->stopped, 1);
	assert_int_equal(r->retired, r->seq + 1); /* of nothing at first, and at the stop */
	tick_free(&r->tick);
	for (size_t i = 0; i < r->n_hostages; i++)
		buf_unref(&r->hostage[i]);
	video_encode_close(r->encode, on_closed, r);
	for (size_t i = 0; i < r->n_more; i++)
		video_encode_close(r->more[i], on_closed, r);
	for (int i = 0; i < LEGS; i++)
		video_leg_close(r->cam[i].leg, on_closed, r);
	rig_advance(r, 300);
	assert_int_equal(r->closed, 1 + LEGS + r->n_more);
	video_encode_free(&r->encode);
	for (size_t i = 0; i < r->n_more; i++)
		video_encode_free(&r->more[i]);
	for (int i = 0; i < LEGS; i++) {
		video_leg_free(&r->cam[i].leg);
		venc_free(&r->cam[i].enc);
		vframe_unref(&r->cam[i].canvas);
	}
	vframe_unref(&r->seen);
	vdec_free(&r->viewer);
	workers_free(&r->e.video);
	rtp_batch_pool_free(&r->e.video_batches);
	vframe_pool_free(&r->e.pictures);
	buf_pool_free(&r->e.au_pool);
	mbox_free(&r->ctl);
	free(r);
}

#endif
