#include "tests/mcu/room/room_video_rig.h"

static void test_interval_is_steady(void **state)
{
	struct tick_stats s;
	struct rig *r;

	(void)state;
	role_assert_ctl();
	r = rig_open_moving();
	rig_route(r, true, 0);
	rig_advance(r, 3000);
	assert_in_range(r->n_out, 3 * FPS, 3 * FPS + 1);
	for (size_t i = 0; i < r->n_out; i++) {
		int64_t due = clock_scale((int64_t)i, NS_PER_S, FPS);

		assert_int_equal(r->out[i].time_ns - r->out[0].time_ns, due);
		assert_in_range(r->out[i].ts, i ? i * 3000 - 1 : 0, i * 3000);
	}
	tick_get_stats(r->tick, &s);
	assert_int_equal(s.frames, r->n_out);
	assert_int_equal(s.skipped, 0);
	/* Run every millisecond: 33 or 34 ms apart. */
	assert_int_equal(s.bucket[3], r->n_out - 1);
	assert_in_range(s.interval_sum_ns / NS_PER_MS, 2930, 3000);
	rig_close(r);
}

static void test_late_ticks_are_not_made_up_for(void **state)
{
	struct tick_stats s;
	struct rig *r;
	size_t before;

	(void)state;
	role_assert_ctl();
	r = rig_open();
	rig_route(r, true, 0);
	rig_advance(r, 100);
	before = r->n_out;
	clock_fake_advance(&r->clock, 1000 * NS_PER_MS);
	rig_run(r);
	assert_in_range(r->n_out - before, 1, 2);
	tick_get_stats(r->tick, &s);
	assert_in_range(s.skipped, FPS - 3, FPS);
	assert_true(s.bucket[TICK_BUCKETS - 1] == 1);
	rig_advance(r, 1000);
	/* Still on its grid. */
	assert_int_equal((r->out[r->n_out - 1].time_ns - r->out[0].time_ns) % (NS_PER_S / FPS) /
				 NS_PER_MS, 0);
	rig_close(r);
}

static void test_dead_leg_costs_its_tile_only(void **state)
{
	struct rig *r;

	(void)state;
	role_assert_ctl();
	r = rig_open();
	rig_look(r, 1);
	for (int i = 0; i < LEGS; i++)
		video_leg_set_wanted(r->cam[i].leg, true);
	rig_route(r, true, 0);
	shoot(r, &r->cam[0], 200, 0);
	for (int i = 0; i < 57; i++) {
		shoot(r, &r->cam[1], i & 1 ? 203 : 197, 0);
		rig_advance(r, 33);
	}
	/* 1.9 s later it still stands, then it is dimmed; the other goes on. */
	assert_in_range(grey_of(r, 0), 190, 210);
	assert_in_range(grey_of(r, 1), 190, 210);
	for (int i = 0; i < 10; i++) {
		shoot(r, &r->cam[1], i & 1 ? 103 : 97, 0);
		rig_advance(r, 33);
	}
	assert_in_range(grey_of(r, 0), 30, 170);
	assert_in_range(grey_of(r, 1), 90, 110);
	assert_in_range(r->n_out, 65, 68);
	/* It comes back. */
	r->cam[0].sent = 0;
	for (int i = 0; i < 5; i++) {
		shoot(r, &r->cam[0], 200, 0);
		rig_advance(r, 33);
	}
	assert_in_range(grey_of(r, 0), 190, 210);
	video_encode_remove_sink(r->encode, &r->link);
	rig_close(r);
}

/* A screen sends nothing as long as nothing moves on it. */
static void test_a_screen_may_stand_still(void **state)
{
	struct rig *r;

	(void)state;
	role_assert_ctl();
	r = rig_open();
	r->shared = true;
	rig_look(r, 1);
	for (int i = 0; i < LEGS; i++)
		video_leg_set_wanted(r->cam[i].leg, true);
	rig_route(r, true, 0);
	shoot(r, &r->cam[0], 200, 0);
	for (int i = 0; i < 200; i++) {
		shoot(r, &r->cam[1], i & 1 ? 203 : 197, 0);
		rig_advance(r, 33);
	}
	assert_in_range(grey_of(r, 0), 190, 210);
	assert_in_range(grey_of(r, 1), 190, 210);
	video_encode_remove_sink(r->encode, &r->link);
	rig_close(r);
}

static void test_muted_is_gone_at_once(void **state)
{
	struct rig *r;

	(void)state;
	role_assert_ctl();
	r = rig_open();
	rig_look(r, 1);
	video_leg_set_wanted(r->cam[0].leg, true);
	rig_route(r, true, 0);
	for (int i = 0; i < 5; i++) {
		shoot(r, &r->cam[0], 235, 0);
		rig_advance(r, 33);
	}
	assert_in_range(grey_of(r, 0), 225, 245);
	rig_route(r, true, 1);
	shoot(r, &r->cam[0], 235, 0);
	rig_advance(r, 67); /* two frames */
	assert_true(grey_of(r, 0) < 200);
	rig_route(r, true, 0);
	/* Not the old picture again. */
	rig_advance(r, 100);
	assert_true(grey_of(r, 0) < 200);
	video_encode_remove_sink(r->encode, &r->link);
	rig_close(r);
}

static void test_key_requests_coalesce(void **state)
{
	struct rig *r;

	(void)state;
	role_assert_ctl();
	r = rig_open();
	rig_route(r, true, 0);
	rig_advance(r, 2000);
	assert_int_equal(r->keys, 1); /* the first picture */
	for (int ms = 0; ms < 1000; ms++) {
		for (int i = 0; i < 10; i++)
			video_encode_request_key(r->encode);
		rig_advance(r, 1);
	}
	/* A burst of two and one more every half second; who asked last is served. */
	assert_in_range(r->keys - 1, 3, 4);
	r->keys = 0;
	rig_advance(r, 600);
	assert_int_equal(r->keys, 1);
	rig_advance(r, 2000);
	assert_int_equal(r->keys, 1);
	rig_close(r);
}

static void test_lost_picture_leaves_a_gap_and_a_key_follows(void **state)
{
	struct buf *b;
	struct rig *r;
	size_t at;

	(void)state;
	role_assert_ctl();
	r = rig_open_moving();
	rig_route(r, true, 0);
	rig_advance(r, 2000);
	while ((b = buf_get(r->e.au_pool)))
		r->hostage[r->n_hostages++] = b;
	at = r->n_out;
	rig_advance(r, 100);
	assert_int_equal(r->n_out, at); /* nothing can be encoded */
	for (; r->n_hostages; r->n_hostages--)
		buf_unref(&r->hostage[r->n_hostages - 1]);
	rig_advance(r, 40);
	assert_true(r->n_out > at);
	assert_true(r->out[at].first_index != r->out[at - 1].first_index + r->out[at - 1].n);
	assert_true(r->out[at].key);
	rig_close(r);
}

static void test_no_encode_no_tick(void **state)
{
	struct rig *r;
	size_t n;

	(void)state;
	role_assert_ctl();
	r = rig_open_moving();
	rig_route(r, false, 0);
	rig_advance(r, 500);
	assert_int_equal(r->n_out, 0);
	assert_int_equal(workers_queued(r->e.video), 0);
	for (int k = 0; k < 3; k++) {
		n = r->n_out;
		rig_route(r, true, 0);
		rig_advance(r, 500);
		assert_in_range(r->n_out - n, FPS / 2, FPS / 2 + 2);
		n = r->n_out;
		rig_route(r, false, 0);
		rig_advance(r, 500);
		assert_in_range(r->n_out, n, n + 1); /* the tick that was due already */
	}
	rig_close(r);
}

/* --- a leg's picture ------------------------------------------------------------ */

static void test_decoder_is_open_while_wanted(void **state)
{
	struct video_leg_stats s;
	struct video_leg *l;
	struct vframe *f;
	struct rig *r;

	(void)state;
	role_assert_ctl();
	role_assert_net();
	role_assert_mixv();
	r = rig_open();
	l = r->cam[0].leg;
	shoot(r, &r->cam[0], 100, 0);
	rig_run(r);
	video_leg_get_stats(l, &s);
	assert_false(s.open);
	assert_int_equal(s.decoded, 0);
	assert_false(video_leg_needs_key(l));
	video_leg_set_wanted(l, true);
	assert_true(video_leg_needs_key(l));
	assert_false(video_leg_needs_key(l));
	/* What follows refers to the picture that was thrown away. */
	shoot(r, &r->cam[0], 100, 0);
	rig_run(r);
	video_leg_get_stats(l, &s);
	assert_int_equal(s.decoded, 0);
	r->cam[0].sent = 0;
	for (int i = 0; i < 3; i++) {
		shoot(r, &r->cam[0], 100, 0);
		rig_run(r);
	}
	video_leg_get_stats(l, &s);
	assert_true(s.open);
	assert_int_equal(s.decoded, 3);
	/* Hundreds of changes of mind are one job, and the last one counts. */
	for (int i = 0; i < 300; i++) {
		video_leg_set_wanted(l, false);
		video_leg_set_wanted(l, true);
	}
	rig_run(r);
	video_leg_get_stats(l, &s);
	assert_true(s.open);
	for (int i = 0; i < 300; i++) {
		video_leg_set_wanted(l, true);
		video_leg_set_wanted(l, false);
	}
	rig_run(r);
	video_leg_get_stats(l, &s);
	assert_false(s.open);
	f = video_leg_take(l, 0);
	assert_null(f);
	rig_close(r);
}

static void test_full_queue_waits_for_a_key(void **state)
{
	struct video_leg_stats s;
	struct video_leg *l;
	struct rig *r;

	(void)state;
	role_assert_ctl();
	role_assert_net();
	r = rig_open();
	l = r->cam[0].leg;
	video_leg_set_wanted(l, true);
	assert_true(video_leg_needs_key(l));
	for (int i = 0; i < VIDEO_LEG_QUEUE + 3; i++)
		shoot(r, &r->cam[0], 100, 0);
	assert_true(video_leg_needs_key(l));
	rig_run(r);
	video_leg_get_stats(l, &s);
	assert_int_equal(s.decoded, VIDEO_LEG_QUEUE);
	assert_int_equal(s.dropped, 3);
	shoot(r, &r->cam[0], 100, 0);
	rig_run(r);
	video_leg_get_stats(l, &s);
	assert_int_equal(s.dropped, 4);
	r->cam[0].sent = 0;
	shoot(r, &r->cam[0], 100, 0);
	rig_run(r);
	video_leg_get_stats(l, &s);
	assert_int_equal(s.decoded, VIDEO_LEG_QUEUE + 1);
	rig_close(r);
}

/* Lip sync may ask for 200 ms: of 60 pictures a second that is more than the
 * queue holds. */
static void test_hold_fits_the_queue(void **state)
{
	static const int period_ms[] = { 33, 16, 8 };

	(void)state;
	role_assert_ctl();
	for (size_t k = 0; k < sizeof period_ms / sizeof *period_ms; k++) {
		struct video_leg_stats s;
		struct rig *r = rig_open();

		video_leg_set_wanted(r->cam[0].leg, true);
		for (int i = 0; i < 120; i++) {
			shoot(r, &r->cam[0], 100, rig_now(r) + 200 * NS_PER_MS);
			rig_advance(r, period_ms[k]);
		}
		rig_advance(r, 300);
		video_leg_get_stats(r->cam[0].leg, &s);
		assert_int_equal(s.dropped, 0);
		assert_int_equal(s.decoded, 120);
		rig_close(r);
	}
}

static uint64_t decoded(struct rig *r)
{
	struct video_leg_stats s;

	video_leg_get_stats(r->cam[0].leg, &s);
	return s.decoded;
}

/* At the beat that shows it: the first one that is not more than the permitted lead
 * before its sound. */
static void test_pictures_wait_for_their_beat(void **state)
{
	enum { BEATS = 3, CYCLE_MS = BEATS * 1000 / FPS };
	static const struct {
		int put_ms, sound_ms, shown_ms; /* sound -1: unknown */
	} row[] = {
		{ 10, -1, 33 },
		{ 10, 30, 33 },
		{ 10, 33 + VIDEO_LEG_LEAD_MS, 33 },
		{ 10, 34 + VIDEO_LEG_LEAD_MS, 66 },
		{ 33, -1, 33 },
		{ 34, -1, 66 },
	};
	struct rig *r = rig_open();

	(void)state;
	role_assert_ctl();
	assert_int_equal(rig_now(r) % (CYCLE_MS * NS_PER_MS), 0);
	video_leg_set_wanted(r->cam[0].leg, true);
	for (int i = 0; i < 20; i++) { /* it has learned the rate of the pictures */
		shoot(r, &r->cam[0], 100, 0);
		rig_advance(r, CYCLE_MS / BEATS);
	}
	rig_advance(r, CYCLE_MS - (int)(rig_now(r) / NS_PER_MS % CYCLE_MS));
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		int64_t sound = rig_now(r) + row[i].sound_ms * NS_PER_MS;
		uint64_t before = decoded(r);

		rig_advance(r, row[i].put_ms);
		shoot(r, &r->cam[0], 100, row[i].sound_ms < 0 ? 0 : sound);
		rig_advance(r, row[i].shown_ms - row[i].put_ms);
		assert_int_equal(decoded(r), before);
		rig_advance(r, 1);
		assert_int_equal(decoded(r), before + 1);
		rig_advance(r, CYCLE_MS - row[i].shown_ms - 1);
	}
	rig_close(r);
}

/* A picture that stands still is encoded until it is sharp, then once a second, so
 * that receivers and recordings live on; time stamps stay those of the clock. */
static void test_what_stands_still_is_not_encoded(void **state)
{
	struct tick_stats s;
	struct rig *r;
	size_t at;

	(void)state;
	role_assert_ctl();
	r = rig_open();
	rig_route(r, true, 0);
	rig_advance(r, 1000);
	at = r->n_out;
	assert_in_range(at, 2, 14); /* until it is sharp */
	rig_advance(r, 5000);
	assert_int_equal(r->n_out, at + 5);
	assert_int_equal(r->keys, 1);
	for (size_t i = at; i < r->n_out; i++) {
		int64_t since = r->out[i].time_ns - r->out[i - 1].time_ns;

		assert_in_range(since / NS_PER_MS, 980, 1000);
		assert_in_range(r->out[i].ts - clock_scale(r->out[i].time_ns - r->out[0].time_ns,
							   90000, NS_PER_S) + 1, 0, 2);
	}
	tick_get_stats(r->tick, &s);
	assert_int_equal(s.frames, s.unchanged + r->n_out);
	assert_int_equal(s.skipped, 0);
	/* Whatever changes comes at once, and whoever needs a key frame has it. */
	at = r->n_out;
	tick_set_speaker(r->tick, 1);
	rig_advance(r, 40);
	assert_in_range(r->n_out - at, 1, 2);
	rig_advance(r, 400);
	at = r->n_out;
	video_encode_request_key(r->encode);
	rig_advance(r, 40);
	assert_int_equal(r->n_out, at + 1);
	assert_true(r->out[at].key);
	rig_close(r);
}

/* Somebody shows a slide: 30 pictures a second come in that look alike, and are not
 * encoded; nor is he taken for one who sends nothing. */
static void test_a_slide_is_not_encoded(void **state)
{
	struct rig *r;
	size_t at;

	(void)state;
	role_assert_ctl();
	r = rig_open();
	rig_look(r, 60);
	for (int k = 0; k < LEGS; k++)
		video_leg_set_wanted(r->cam[k].leg, true);
	rig_route(r, true, 0);
	for (int i = 0; i < 60; i++) {
		shoot(r, &r->cam[0], 100, rig_now(r));
		rig_advance(r, 33);
	}
	at = r->n_out;
	for (int i = 0; i < 150; i++) {
		shoot(r, &r->cam[0], 100, rig_now(r));
		rig_advance(r, 33);
	}
	assert_in_range(r->n_out - at, 4, 6);
	assert_in_range(grey_of(r, 0), 97, 103);
	at = r->n_out;
	shoot(r, &r->cam[0], 150, rig_now(r));
	rig_advance(r, 100);
	assert_true(r->n_out > at);
	assert_in_range(grey_of(r, 0), 147, 153);
	video_encode_remove_sink(r->encode, &r->link);
	rig_close(r);
}

/* A sink's key frames come by time, however few pictures there are. */
static void test_key_frames_of_a_still_picture(void **state)
{
	struct rig *r;
	int64_t last = 0;

	(void)state;
	role_assert_ctl();
	r = rig_open();
	rig_look(r, 2);
	rig_route(r, true, 0);
	rig_advance(r, 9000);
	for (size_t i = 0; i < r->n_out; i++) {
		if (!r->out[i].key)
			continue;
		if (last)
			assert_in_range((r->out[i].time_ns - last) / NS_PER_MS, 100, 2001);
		last = r->out[i].time_ns;
	}
	assert_in_range(r->keys, 5, 7);
	video_encode_remove_sink(r->encode, &r->link);
	rig_close(r);
}

/* Those who change rungs have another picture meanwhile: they wait for each other. */
static void test_switches_share_a_key_frame(void **state)
{
	struct rig *r;

	(void)state;
	role_assert_ctl();
	r = rig_open_moving();
	rig_route(r, true, 0);
	rig_advance(r, 100);
	assert_int_equal(r->keys, 1);
	for (int ms = 0; ms < 6000; ms++) {
		video_encode_request_switch(r->encode);
		rig_advance(r, 1);
	}
	assert_in_range(r->keys, 3, 4);
	rig_close(r);
}

static size_t outs_of(const struct rig *r, const struct video_encode *v, size_t from)
{
	size_t n = 0;

	for (size_t i = from; i < r->n_out; i++)
		n += r->out[i].encode == video_encode_id(v);
	return n;
}

/* All formats of a rung are made of one copy of the canvas, at the rung's own pace;
 * without a receiver there is no copy. */
static void test_a_rung_is_scaled_once(void **state)
{
	struct video_encode_cfg cfg = { .width = W / 2, .height = H / 2 & ~1, .fps = FPS / 2,
					.bitrate_bps = 100000 };
	static const enum codec codec[] = { CODEC_H264, CODEC_VP8 };
	struct tick_stats a, b;
	struct rig *r;
	size_t at;

	(void)state;
	role_assert_ctl();
	r = rig_open_moving();
	rig_route(r, true, 0);
	rig_advance(r, 500);
	tick_get_stats(r->tick, &a);
	assert_int_equal(a.shrunk, 0);
	for (; r->n_more < 2; r->n_more++) {
		cfg.codec = codec[r->n_more];
		assert_int_equal(video_encode_new(&r->more[r->n_more], &r->e, &cfg), 0);
	}
	rig_route(r, true, 0);
	at = r->n_out;
	rig_advance(r, 1000);
	tick_get_stats(r->tick, &b);
	assert_in_range(outs_of(r, r->encode, at), FPS, FPS + 1);
	assert_in_range(outs_of(r, r->more[0], at), FPS / 2, FPS / 2 + 1);
	assert_in_range(outs_of(r, r->more[1], at), FPS / 2, FPS / 2 + 1);
	assert_int_equal(b.shrunk, outs_of(r, r->more[0], at));
	/* Still: nothing is scaled but for the second's picture. */
	r->moving = false;
	rig_advance(r, 1500);
	tick_get_stats(r->tick, &a);
	rig_advance(r, 2000);
	tick_get_stats(r->tick, &b);
	assert_int_equal(b.shrunk, a.shrunk);
	rig_close(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_stands_still_is_not_encoded),
		cmocka_unit_test(test_a_slide_is_not_encoded),
		cmocka_unit_test(test_key_frames_of_a_still_picture),
		cmocka_unit_test(test_switches_share_a_key_frame),
		cmocka_unit_test(test_a_rung_is_scaled_once),
		cmocka_unit_test(test_interval_is_steady),
		cmocka_unit_test(test_late_ticks_are_not_made_up_for),
		cmocka_unit_test(test_dead_leg_costs_its_tile_only),
		cmocka_unit_test(test_a_screen_may_stand_still),
		cmocka_unit_test(test_muted_is_gone_at_once),
		cmocka_unit_test(test_key_requests_coalesce),
		cmocka_unit_test(test_lost_picture_leaves_a_gap_and_a_key_follows),
		cmocka_unit_test(test_no_encode_no_tick),
		cmocka_unit_test(test_decoder_is_open_while_wanted),
		cmocka_unit_test(test_full_queue_waits_for_a_key),
		cmocka_unit_test(test_hold_fits_the_queue),
		cmocka_unit_test(test_pictures_wait_for_their_beat),
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
