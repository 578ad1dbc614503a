/* What a sender's pictures may cost: how many, how dear, how large. */
#include "tests/mcu/room/room_video_rig.h"

#include <errno.h>

/* A sender of many pictures: as many are decoded as the limit says, and who keeps
 * to it notices nothing. */
static void test_too_many_pictures(void **state)
{
	struct video_leg_stats s;
	struct rig *r;

	(void)state;
	role_assert_ctl();
	role_assert_net();
	r = rig_open();
	r->e.cfg.max_input_fps = 70;
	for (int i = 0; i < LEGS; i++)
		video_leg_set_wanted(r->cam[i].leg, true);
	for (int ms = 0; ms < 3000; ms++) {
		if (video_leg_needs_key(r->cam[0].leg))
			r->cam[0].sent = 0;
		shoot(r, &r->cam[0], 100, 0);
		if (ms % 17 == 0)
			shoot(r, &r->cam[1], 100, 0);
		rig_advance(r, 1);
	}
	video_leg_get_stats(r->cam[0].leg, &s);
	assert_in_range(s.decoded, 3 * 70, 4 * 70 + 1); /* one second in advance */
	assert_int_equal(s.decoded + s.dropped, 3000);
	assert_int_equal(s.errors, 0);
	assert_true(s.over_limit > 0);
	video_leg_get_stats(r->cam[1].leg, &s);
	assert_int_equal(s.decoded, 3000 / 17 + 1);
	assert_int_equal(s.dropped + s.over_limit, 0);
	rig_close(r);
}

/* A sender whose pictures are dear: one of them uses up the least that can be set. */
static void test_too_much_decoding(void **state)
{
	struct video_leg_stats s;
	uint64_t decoded;
	struct rig *r;

	(void)state;
	role_assert_ctl();
	role_assert_net();
	r = rig_open();
	r->e.cfg.max_decode_ms = 1;
	video_leg_set_wanted(r->cam[0].leg, true);
	for (int ms = 0; ms < 1000; ms++) {
		r->cam[0].sent = 0; /* key frames */
		shoot(r, &r->cam[0], (uint8_t)ms, 0);
		rig_advance(r, 1);
	}
	video_leg_get_stats(r->cam[0].leg, &s);
	assert_true(s.over_limit > 0);
	assert_in_range(s.decoded, 1, 100);
	decoded = s.decoded;
	/* It is let in again when it has paid. */
	rig_advance(r, 6000);
	r->cam[0].sent = 0;
	r->e.cfg.max_decode_ms = 1000;
	shoot(r, &r->cam[0], 100, 0);
	rig_run(r);
	video_leg_get_stats(r->cam[0].leg, &s);
	assert_int_equal(s.decoded, decoded + 1);
	rig_close(r);
}

static void put_bomb(struct rig *r, struct video_leg *l, enum codec codec, const uint8_t *p,
		     size_t n) ON_THREAD(ROLE_NET)
{
	struct vdec_limits lim = { .max_w = W, .max_h = H };
	struct buf *au = buf_get(r->e.au_pool);
	struct vdec *d;
	struct vframe *f;

	role_assert_mixv();
	assert_non_null(au);
	memset(au->data, 0, 2000);
	memcpy(au->data, p, n);
	au->len = 2000;
	assert_int_equal(vdec_new(&d, codec, &lim, r->e.pictures), 0);
	assert_int_equal(vdec_decode(d, au->data, au->len, &f), -EMSGSIZE);
	vdec_free(&d);
	video_leg_put(l, au, codec, true, 0, 0);
	rig_run(r);
}

/* Key frames of 4096 x 4096 pixels in a few octets. */
static void test_bombs_are_not_decoded(void **state)
{
	static const uint8_t vp8[] = { 0x90, 0x0c, 0, 0x9d, 0x01, 0x2a, 0x00, 0x10, 0x00, 0x10 };
	/* marker 2, profile 0, shown key frame; sync code; BT.601; 16 bits of width and
	 * of height less one */
	static const uint8_t vp9[] = { 0x82, 0x49, 0x83, 0x42, 0x20, 0xff, 0xf0, 0xff, 0xf0 };
	/* temporal delimiter; sequence header, reduced, of 12 bits of each less one */
	static const uint8_t av1[] = { 0x12, 0x00, 0x0a, 0x08, 0x18, 0x2e, 0xff, 0xff, 0xff, 0xc0,
				       0x00, 0x80 };
	static const uint8_t h264[] = { 0, 0, 0, 1, 0x67, 0x42, 0xe0, 0x3e, 0xda, 0x00, 0x40, 0x00,
					0x20, 0x19, 0, 0, 0, 1, 0x65, 0x88 };
	const struct { enum codec codec; const uint8_t *p; size_t n; } t[] = {
		{ CODEC_VP8, vp8, sizeof vp8 }, { CODEC_VP9, vp9, sizeof vp9 },
		{ CODEC_AV1, av1, sizeof av1 }, { CODEC_H264, h264, sizeof h264 },
	};
	struct video_leg_stats s;
	struct rig *r;

	(void)state;
	role_assert_ctl();
	role_assert_net();
	r = rig_open();
	for (int i = 0; i < LEGS; i++)
		video_leg_set_wanted(r->cam[i].leg, true);
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		put_bomb(r, r->cam[0].leg, t[i].codec, t[i].p, t[i].n);
		video_leg_get_stats(r->cam[0].leg, &s);
		assert_int_equal(s.decoded, 0);
		assert_int_equal(s.errors, i + 1);
		assert_true(video_leg_needs_key(r->cam[0].leg));
		shoot(r, &r->cam[1], 100, 0);
		rig_run(r);
		video_leg_get_stats(r->cam[1].leg, &s);
		assert_int_equal(s.decoded, i + 1);
	}
	rig_close(r);
}

/* One that was thrown away, because for a moment nobody wanted it, is missing: what
 * refers to it is not decoded, and who passes it on knows. */
static void test_unwanted_for_a_moment_waits_for_a_key(void **state)
{
	struct video_leg_unit u;
	struct video_leg_stats s;
	struct video_leg *l;
	struct rig *r;

	(void)state;
	role_assert_ctl();
	role_assert_net();
	role_assert_mixv();
	r = rig_open();
	l = r->cam[0].leg;
	video_leg_set_wanted(l, true);
	for (int i = 0; i < 20; i++) {
		shoot(r, &r->cam[0], 100, 0);
		rig_advance(r, 33);
	}
	rig_advance(r, 100);
	video_leg_set_passing(l, true);
	(void)video_leg_needs_key(l);
	/* the second one waits longer, and what closes the decoder waits behind it */
	shoot(r, &r->cam[0], 150, 0);
	shoot(r, &r->cam[0], 150, rig_now(r) + NS_PER_S);
	video_leg_set_wanted(l, false);
	rig_advance(r, 40);
	video_leg_set_wanted(l, true);
	(void)video_leg_needs_key(l);
	rig_advance(r, 400);
	video_leg_get_stats(l, &s);
	assert_int_equal(s.decoded, 20);
	assert_int_equal(s.errors, 0);
	assert_true(video_leg_needs_key(l));
	assert_false(video_leg_pop(l, &u));
	r->cam[0].sent = 0;
	shoot(r, &r->cam[0], 150, 0);
	rig_advance(r, 40);
	video_leg_get_stats(l, &s);
	assert_int_equal(s.decoded, 21);
	assert_true(video_leg_pop(l, &u));
	assert_true(u.gap);
	buf_unref(&u.au);
	rig_close(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_too_many_pictures),
		cmocka_unit_test(test_too_much_decoding),
		cmocka_unit_test(test_bombs_are_not_decoded),
		cmocka_unit_test(test_unwanted_for_a_moment_waits_for_a_key),
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
