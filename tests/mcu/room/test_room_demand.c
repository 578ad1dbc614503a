/* A room's encoders and decoders by demand, on real media threads. Legs have no
 * network: the test says when one is connected and puts pictures in itself. */
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
	uint32_t watched;
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

static void watching_job(void *obj, void *arg)
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

static void closed_job(void *obj, void *arg)
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

static void on_leg(void *obj, struct room *r, struct leg *l)
{
	(void)obj;
	(void)r;
	(void)l;
}

static void on_left(void *obj, struct room *r, uint32_t leg, const char *reason)
{
	(void)obj;
	(void)r;
	(void)leg;
	(void)reason;
}

static void on_speaker(void *obj, struct room *r, uint32_t leg)
{
	(void)obj;
	(void)r;
	the.speaker = leg;
}

static void on_layout(void *obj, struct room *r)
{
	(void)obj;
	(void)r;
	the.layouts++;
}

static void on_emptied(void *obj, struct room *r)
{
	(void)obj;
	(void)r;
	the.emptied++;
}

static void on_closed(void *obj, struct room *r)
{
	(void)obj;
	(void)r;
	the.closed++;
}

static const struct room_events room_events = {
	.joined = on_leg, .left = on_left, .changed = on_leg, .speaker = on_speaker,
	.layout = on_layout, .emptied = on_emptied, .closed = on_closed,
};

static void leg_candidate(void *obj, const char *candidate)
{
	(void)obj;
	(void)candidate;
}

static void leg_connected(void *obj)
{
	(void)obj;
}

static void leg_ended(void *obj, const char *reason)
{
	(void)obj;
	(void)reason;
	the.ended++;
}

static const struct leg_watcher watcher = {
	.candidate = leg_candidate, .connected = leg_connected, .ended = leg_ended,
};

static int set_up(void **state)
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

static int tear_down(void **state)
{
	(void)state;
	role_assert_ctl();
	assert_int_equal(the.nets, 0);
	engine_stop(&the.e);
	mbox_free(&the.ctl);
	return 0;
}

static void turn(void)
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

static struct room_counts counts(const struct room *r) ON_THREAD(ROLE_CTL)
{
	struct room_counts c;

	room_get_counts(r, &c);
	return c;
}

static struct room *open_room(void) ON_THREAD(ROLE_CTL)
{
	struct room *r;

	assert_int_equal(room_new(&r, &the.e, &(struct room_cfg){ .name = "demand" },
					 &room_events, NULL), 0);
	return r;
}

static void close_room(struct room *r) ON_THREAD(ROLE_CTL)
{
	int64_t end = clock_now_ns(&clock_monotonic) + WAIT_MS * NS_PER_MS;
	size_t before = the.closed;

	room_close(r, "test");
	while (the.closed == before && clock_now_ns(&clock_monotonic) < end)
		turn();
	assert_int_equal(the.closed, before + 1);
}

static struct leg *join(struct room *r, struct leg_net **net) ON_THREAD(ROLE_CTL)
{
	struct leg *l;

	assert_int_equal(room_join(r, "L", &watcher, NULL, &l), 0);
	*net = the.last;
	return l;
}

static void negotiate_format(struct leg *l, bool sends, bool sees, enum codec codec,
			     uint32_t profile) ON_THREAD(ROLE_CTL)
{
	struct leg_media m = {
		.audio = { .rx = sends, .tx = true, LEG_FORMAT(CODEC_OPUS, 111) },
		.video = { .rx = sends, .tx = sees,
			   .tx_format = { .codec = codec, .pt = 96, .profile_level_id = profile } },
	};

	assert_int_equal(leg_set_media(l, &m), 0);
}

static void negotiate(struct leg *l, bool sends, bool sees) ON_THREAD(ROLE_CTL)
{
	negotiate_format(l, sends, sees, CODEC_H264, 0x42e01f);
}

/* --- encoders ---------------------------------------------------------------------- */

static void test_encoder_follows_its_receivers(void **state)
{
	struct leg_net *na, *nb;
	struct leg *a, *b;
	struct room *r;
	uint32_t first;

	(void)state;
	role_assert_ctl();
	r = open_room();
	a = join(r, &na);
	b = join(r, &nb);
	negotiate(a, true, true);
	assert_int_equal(counts(r).video_encoders, 0); /* not connected yet */
	na->cfg.ev->connected(na->cfg.obj);
	assert_int_equal(counts(r).video_encoders, 1);
	assert_int_equal(counts(r).receivers, 1);
	first = na->watched;
	assert_true(first);
	negotiate(b, true, true);
	nb->cfg.ev->connected(nb->cfg.obj);
	assert_int_equal(counts(r).video_encoders, 1);
	assert_int_equal(nb->watched, first);
	/* One turns the picture off, then the other leaves: nobody watches. */
	negotiate(b, true, false);
	assert_int_equal(nb->watched, 0);
	assert_int_equal(counts(r).receivers, 1);
	leg_leave(a, "left");
	RUN_UNTIL(r, video_encoders, 0);
	/* It comes back as another one. */
	negotiate(b, true, true);
	assert_true(nb->watched && nb->watched != first);
	assert_int_equal(nb->watches, 3);
	assert_int_equal(counts(r).video_encoders, 1);
	close_room(r);
	assert_int_equal(the.ended, 1);
}

/* One encode per format, whatever the number of heads and the words for the same
 * format; it goes with its last receiver. */
static void test_one_encoder_per_format(void **state)
{
	static const struct {
		enum codec codec;
		uint32_t profile;
		int group;
	} want[] = {
		{ CODEC_H264, 0x42e01f, 0 }, { CODEC_VP8, 0, 1 },	 { CODEC_H264, 0x42001f, 0 },
		{ CODEC_H264, 0x4d001f, 2 }, { CODEC_H264, 0x42c033, 0 }, { CODEC_H264, 0x64001f, 3 },
		{ CODEC_VP8, 0, 1 },	     { CODEC_H264, 0x4d401f, 2 },
	};
	enum { N = sizeof want / sizeof want[0] };
	uint32_t id[4] = { 0 };
	struct leg_net *net[N];
	struct leg *leg[N];
	struct room *r;

	(void)state;
	role_assert_ctl();
	r = open_room();
	for (int i = 0; i < N; i++) {
		leg[i] = join(r, &net[i]);
		negotiate_format(leg[i], true, true, want[i].codec, want[i].profile);
		net[i]->cfg.ev->connected(net[i]->cfg.obj);
		if (!id[want[i].group])
			id[want[i].group] = net[i]->watched;
	}
	for (int i = 0; i < N; i++)
		assert_int_equal(net[i]->watched, id[want[i].group]);
	RUN_UNTIL(r, video_encoders, 4);
	assert_int_equal(counts(r).receivers, N);
	leg_leave(leg[5], "left"); /* the only one of high profile */
	RUN_UNTIL(r, video_encoders, 3);
	/* A re-offer with another codec moves the receiver. */
	negotiate(leg[1], true, true);
	assert_int_equal(net[1]->watched, id[0]);
	RUN_UNTIL(r, video_encoders, 3);
	negotiate(leg[6], true, true);
	RUN_UNTIL(r, video_encoders, 2);
	close_room(r);
}

static unsigned height_of(const struct leg *l) ON_THREAD(ROLE_CTL)
{
	struct leg_info i;

	leg_get_info(l, &i);
	return i.view_height;
}

/* Rungs rise and fall with those who want them, one encode each whatever the heads. */
static void test_rungs_follow_their_receivers(void **state)
{
	static const struct leg_view any = { 0 }, low = { .max_height = H / 2 },
				     cheap = { .max_kbps = 100 }, sound = { .no_video = true };
	struct leg_net *net[4];
	struct leg *l[4];
	struct room *r;

	(void)state;
	role_assert_ctl();
	r = open_room();
	for (int i = 0; i < 4; i++) {
		l[i] = join(r, &net[i]);
		if (i == 1)
			leg_set_view(l[i], &low);
		negotiate_format(l[i], true, true, i == 3 ? CODEC_VP8 : CODEC_H264, 0x42e01f);
		net[i]->cfg.ev->connected(net[i]->cfg.obj);
	}
	assert_int_equal(counts(r).video_encoders, 3);
	assert_int_equal(net[0]->watched, net[2]->watched);
	assert_true(net[1]->watched != net[0]->watched);
	assert_int_equal(height_of(l[0]), H);
	assert_int_equal(height_of(l[1]), H / 2);
	/* To the rung that is there; then the top one of H.264 has nobody. */
	leg_set_view(l[0], &cheap);
	assert_int_equal(net[0]->watched, net[1]->watched);
	leg_set_view(l[2], &low);
	RUN_UNTIL(r, video_encoders, 2);
	leg_set_view(l[3], &sound);
	assert_int_equal(net[3]->watched, 0);
	assert_int_equal(height_of(l[3]), 0);
	assert_int_equal(counts(r).receivers, 3);
	RUN_UNTIL(r, video_encoders, 1);
	leg_set_view(l[3], &low);
	RUN_UNTIL(r, video_encoders, 2);
	for (int i = 0; i < 4; i++)
		leg_set_view(l[i], &any);
	RUN_UNTIL(r, video_encoders, 2);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(height_of(l[i]), H);
		leg_set_view(l[i], &sound);
	}
	RUN_UNTIL(r, video_encoders, 0);
	close_room(r);
}

/* What a receiver has goes on until its new encode has a key frame. */
static void test_the_old_rung_waits(void **state)
{
	static const struct leg_view any = { 0 }, low = { .max_height = H / 2 };
	struct leg_net *net;
	uint32_t first;
	struct room *r;
	struct leg *l;

	(void)state;
	role_assert_ctl();
	the.no_keys = true;
	r = open_room();
	l = join(r, &net);
	negotiate(l, true, true);
	net->cfg.ev->connected(net->cfg.obj);
	first = net->watched;
	leg_set_view(l, &low);
	assert_true(net->watched != first);
	for (int i = 0; i < 20; i++)
		turn();
	assert_int_equal(counts(r).video_encoders, 2);
	assert_int_equal(height_of(l), H);
	/* It thinks better of it: the first is still there. */
	leg_set_view(l, &any);
	assert_int_equal(net->watched, first);
	RUN_UNTIL(r, video_encoders, 1);
	leg_set_view(l, &low);
	for (int i = 0; i < 20; i++)
		turn();
	assert_int_equal(counts(r).video_encoders, 2);
	net->cfg.ev->watching(net->cfg.obj, net->watched);
	assert_int_equal(height_of(l), H / 2);
	RUN_UNTIL(r, video_encoders, 1);
	/* It leaves in the middle of a change. */
	leg_set_view(l, &any);
	leg_leave(l, "left");
	RUN_UNTIL(r, video_encoders, 0);
	close_room(r);
}

static void test_many_receivers_share_one(void **state)
{
	struct leg_net *net[MANY];
	struct leg *leg[MANY];
	struct room *r;

	(void)state;
	role_assert_ctl();
	r = open_room();
	for (int i = 0; i < MANY; i++) {
		leg[i] = join(r, &net[i]);
		negotiate(leg[i], false, true);
		net[i]->cfg.ev->connected(net[i]->cfg.obj);
		turn();
	}
	assert_int_equal(counts(r).video_encoders, 1);
	assert_int_equal(counts(r).receivers, MANY);
	assert_int_equal(counts(r).tiles, 0); /* viewers have none */
	for (int i = 0; i < MANY; i++)
		assert_int_equal(net[i]->watches, 1);
	for (int i = 0; i < MANY; i += 2)
		leg_leave(leg[i], "left");
	RUN_UNTIL(r, legs, MANY / 2);
	assert_int_equal(counts(r).video_encoders, 1);
	close_room(r);
	assert_int_equal(the.emptied, 0);
}

/* --- decoders ---------------------------------------------------------------------- */

/* A key frame, put in until a decoder runs or does not, as it should. */
static void shoot_until(struct room *r, struct leg_net *n, size_t decoders) ON_THREAD(ROLE_CTL)
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
		video_leg_put(n->cfg.video, au, CODEC_H264, key, 0, 0);
		turn();
		if (i > 3 && counts(r).video_decoders == decoders)
			break;
	}
	assert_int_equal(counts(r).video_decoders, decoders);
	vframe_unref(&f);
	venc_free(&enc);
}

static void test_what_is_not_shown_is_not_decoded(void **state)
{
	struct leg_net *na, *nb;
	struct leg *a, *b;
	struct room *r;

	(void)state;
	role_assert_ctl();
	r = open_room();
	a = join(r, &na);
	negotiate(a, true, false);
	na->cfg.ev->connected(na->cfg.obj);
	/* Nobody looks. */
	shoot_until(r, na, 0);
	assert_int_equal(counts(r).tiles, 1);
	b = join(r, &nb);
	negotiate(b, false, true);
	nb->cfg.ev->connected(nb->cfg.obj);
	shoot_until(r, na, 1);
	leg_mute(a, -1, true);
	RUN_UNTIL(r, video_decoders, 0);
	shoot_until(r, na, 0);
	leg_mute(a, -1, false);
	shoot_until(r, na, 1);
	leg_leave(b, "left");
	RUN_UNTIL(r, video_decoders, 0);
	RUN_UNTIL(r, video_encoders, 0);
	close_room(r);
}

static void test_layout_is_told_when_it_moves(void **state)
{
	struct leg_net *na, *nb;
	struct leg *a, *b;
	struct leg_info i;
	struct room *r;
	size_t before;

	(void)state;
	role_assert_ctl();
	r = open_room();
	a = join(r, &na);
	b = join(r, &nb);
	negotiate(a, true, true);
	na->cfg.ev->connected(na->cfg.obj);
	RUN_UNTIL(r, tiles, 1);
	leg_get_info(a, &i);
	assert_int_equal(i.tile.w, W);
	before = the.layouts;
	leg_mute(a, true, true);
	for (int k = 0; k < 20; k++)
		turn();
	assert_int_equal(the.layouts, before);
	negotiate(b, true, true);
	nb->cfg.ev->connected(nb->cfg.obj);
	RUN_UNTIL(r, tiles, 2);
	assert_int_equal(the.layouts, before + 1);
	leg_get_info(a, &i);
	assert_int_equal(i.tile.w, W / 2);
	close_room(r);
}

/* Who is on another page is not decoded, and told that nobody sees it. */
static void test_pages_decide_what_is_decoded(void **state)
{
	struct room_view view = { .plan = { .kind = LAYOUT_GRID, .max_tiles = 1, .page = 1 } };
	struct room_view wrong = { .plan = { .kind = LAYOUT_CUSTOM } };
	struct leg_net *na, *nb;
	struct leg *a, *b;
	struct leg_info i;
	struct errmsg why;
	struct room *r;
	uint64_t version;

	(void)state;
	role_assert_ctl();
	r = open_room();
	a = join(r, &na);
	negotiate(a, true, true);
	na->cfg.ev->connected(na->cfg.obj);
	shoot_until(r, na, 1);
	b = join(r, &nb);
	negotiate(b, true, false);
	nb->cfg.ev->connected(nb->cfg.obj);
	RUN_UNTIL(r, tiles, 2);
	version = room_layout_version(r);
	assert_int_equal(room_set_view(r, &view, &why), 0);
	RUN_UNTIL(r, tiles, 1);
	assert_int_equal(room_layout_version(r), version + 1);
	leg_get_info(a, &i);
	assert_int_equal(i.tile.w, 0);
	leg_get_info(b, &i);
	assert_int_equal(i.tile.w, W);
	RUN_UNTIL(r, video_decoders, 0);
	shoot_until(r, na, 0);
	/* nothing has changed */
	assert_true(room_set_view(r, &wrong, &why) < 0);
	assert_string_equal(why.code, "layout_invalid");
	assert_int_equal(room_view(r)->plan.max_tiles, 1);
	leg_mute(b, -1, true);
	view.plan.hide_no_video = true;
	assert_int_equal(room_set_view(r, &view, &why), 0);
	shoot_until(r, na, 1);
	leg_get_info(b, &i);
	assert_int_equal(i.tile.w, 0);
	assert_int_equal(room_seating(r)->pages, 1);
	close_room(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_encoder_follows_its_receivers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_one_encoder_per_format, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rungs_follow_their_receivers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_old_rung_waits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_many_receivers_share_one, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_is_not_shown_is_not_decoded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_layout_is_told_when_it_moves, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_pages_decide_what_is_decoded, set_up, tear_down),
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
