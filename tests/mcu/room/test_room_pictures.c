/* Several pictures of one room, composed from one snapshot: a grey for each leg, and
 * where it is in each of them. */
#include "tests/mcu/room/room_video_rig.h"

enum { PICTURES = 3, A = 0, B = 1, FULL = 2 /* a place: the whole canvas */ };

/* Who is where: by picture the sources from left to right; FULL: the first alone. */
static const struct {
	int source[LEGS];
	bool alone;
} plan[PICTURES] = {
	{ { A, B }, false },
	{ { B, A }, true },
	{ { B, A }, false },
};

/* Somebody who looks at an encode. */
struct eye {
	struct vdec *dec;
	struct vframe *seen;
	size_t frames, keys;
	struct room_sink sink;
	struct sink_link link;
};

struct show {
	struct rig *r;
	struct video_encode *encode[PICTURES];
	struct eye eye[PICTURES];
};

static void look(void *obj, struct buf *au, int64_t pts_ns, bool key)
{
	struct eye *e = obj;
	struct vframe *f;

	(void)pts_ns;
	role_assert_mixv();
	e->frames++;
	e->keys += key;
	if (vdec_decode(e->dec, au->data, au->len, &f))
		return;
	vframe_unref(&e->seen);
	e->seen = f;
}

static struct show open_show(void) ON_THREAD(ROLE_CTL)
{
	struct video_encode_cfg cfg = { .width = W, .height = H, .fps = FPS, .bitrate_bps = 300000,
					.codec = CODEC_H264, .profile_level_id = 0x42e01f };
	struct vdec_limits lim = { .max_w = W, .max_h = H };
	struct show s = { .r = rig_open() };

	for (int i = 0; i < LEGS; i++)
		video_leg_set_wanted(s.r->cam[i].leg, true);
	for (; s.r->n_more < PICTURES - 1; s.r->n_more++)
		assert_int_equal(video_encode_new(&s.r->more[s.r->n_more], &s.r->e, &cfg), 0);
	for (int i = 0; i < PICTURES; i++) {
		s.encode[i] = i ? s.r->more[i - 1] : s.r->encode;
		assert_int_equal(vdec_new(&s.eye[i].dec, CODEC_H264, &lim, s.r->e.pictures), 0);
	}
	return s;
}

static void watch(struct show *s) ON_THREAD(ROLE_CTL)
{
	for (int i = 0; i < PICTURES; i++) {
		struct eye *e = &s->eye[i];

		e->sink = (struct room_sink){ .obj = e, .video = look, .gop_s = 10 };
		e->link = (struct sink_link){ .sink = &e->sink, .done = sink_gone };
		video_encode_add_sink(s->encode[i], &e->link);
	}
}

static void close_show(struct show *s) ON_THREAD(ROLE_CTL)
{
	rig_route(s->r, false, 0);
	rig_advance(s->r, 100);
	for (int i = 0; i < PICTURES; i++) {
		vframe_unref(&s->eye[i].seen);
		vdec_free(&s->eye[i].dec);
	}
	rig_close(s->r);
}

/* Only the pictures of the mask, the last one first if turned; muted: bit i of leg i. */
static void route(struct show *s, unsigned mask, bool turned, unsigned muted) ON_THREAD(ROLE_CTL)
{
	struct rect half[LEGS], all = { 0, 0, W, H };
	struct routing *t;
	size_t n = 0;

	layout_grid(LEGS, W, H, half);
	t = routing_new(++s->r->seq, LEGS, (size_t)__builtin_popcount(mask));
	assert_non_null(t);
	for (uint32_t i = 0; i < LEGS; i++) {
		t->leg[i] = (struct route_leg){ .id = i + 1 };
		t->source[t->n_sources++] = (struct route_source){
			.id = i + 1, .leg = i, .video = s->r->cam[i].leg, .sends = true,
			.muted = muted >> i & 1,
		};
	}
	for (unsigned k = 0; k < PICTURES; k++) {
		unsigned i = turned ? PICTURES - 1 - k : k;
		struct route_picture *p = &t->picture[n];

		if (!(mask >> i & 1))
			continue;
		p->id = 100 + i;
		for (int m = 0; m < (plan[i].alone ? 1 : LEGS); m++)
			p->tile[p->n_tiles++] = (struct route_tile){
				(size_t)plan[i].source[m], plan[i].alone ? all : half[m] };
		t->encode[t->n_encodes++] = (struct route_encode){ s->encode[i], 0, n++ };
	}
	tick_route(s->r->tick, t);
	rig_run(s->r);
}

static void film(struct show *s, const uint8_t *grey, int frames)
{
	for (int i = 0; i < frames; i++) {
		for (int k = 0; k < LEGS; k++)
			shoot(s->r, &s->r->cam[k], grey[k], 0);
		rig_advance(s->r, 33);
	}
}

/* The grey in the left or right half of a picture, or a quarter from the left. */
static int grey_at(const struct show *s, int picture, int half)
{
	const struct vframe *f = s->eye[picture].seen;
	int x0 = half == FULL ? W / 4 : half * W / 2 + W / 8, sum = 0;

	assert_non_null(f);
	for (int y = 0; y < 8; y++)
		for (int x = 0; x < 8; x++)
			sum += f->av->data[0][(H / 2 + y) * f->av->linesize[0] + x0 + x];
	return sum / 64;
}

static void assert_grey(const struct show *s, int picture, int half, int want)
{
	int got = grey_at(s, picture, half);

	if (got < want - 12 || got > want + 12)
		fail_msg("picture %d, place %d: %d instead of %d", picture, half, got, want);
}

static void assert_in_place(const struct show *s, unsigned mask, const uint8_t *grey)
{
	for (int i = 0; i < PICTURES; i++) {
		if (!(mask >> i & 1))
			continue;
		if (plan[i].alone)
			assert_grey(s, i, FULL, grey[plan[i].source[0]]);
		for (int m = 0; m < LEGS; m++)
			assert_grey(s, i, m, grey[plan[i].source[plan[i].alone ? 0 : m]]);
	}
}

static void test_each_is_where_its_picture_has_it(void **state)
{
	static const uint8_t first[LEGS] = { 60, 200 }, then[LEGS] = { 150, 100 };
	struct show s;

	(void)state;
	role_assert_ctl();
	s = open_show();
	watch(&s);
	route(&s, 7, false, 0);
	film(&s, first, 8);
	assert_in_place(&s, 7, first);
	/* in the other order: each keeps its own canvases */
	route(&s, 7, true, 0);
	film(&s, then, 8);
	assert_in_place(&s, 7, then);
	close_show(&s);
}

/* A picture that comes or goes breaks none of the others: no key frame, no gap. */
static void test_pictures_come_and_go(void **state)
{
	static const uint8_t grey[LEGS] = { 70, 190 }, now[LEGS] = { 170, 90 };
	struct tick_stats a, b;
	struct show s;
	size_t frames;

	(void)state;
	role_assert_ctl();
	s = open_show();
	watch(&s);
	route(&s, 1, false, 0);
	film(&s, grey, 8);
	assert_in_place(&s, 1, grey);
	assert_int_equal(s.eye[1].frames + s.eye[2].frames, 0);
	route(&s, 5, true, 0);
	film(&s, grey, 8);
	assert_in_place(&s, 5, grey);
	assert_int_equal(s.eye[0].keys, 1);
	assert_int_equal(s.eye[2].keys, 1);
	assert_int_equal(s.eye[1].frames, 0);
	frames = s.eye[2].frames;
	tick_get_stats(s.r->tick, &a);
	route(&s, 3, false, 0);
	film(&s, now, 8);
	assert_in_place(&s, 3, now);
	tick_get_stats(s.r->tick, &b);
	assert_int_equal(s.eye[0].keys, 1);
	assert_in_range(s.eye[2].frames, frames, frames + 1);
	assert_int_equal(b.skipped, a.skipped);
	assert_in_range(b.frames - a.frames, 7, 9); /* ticks, however many pictures */
	close_show(&s);
}

/* One that has switched its camera off is seen nowhere, the others everywhere. */
static void test_a_mute_shows_in_all(void **state)
{
	static const uint8_t grey[LEGS] = { 220, 180 };
	struct show s;

	(void)state;
	role_assert_ctl();
	s = open_show();
	watch(&s);
	route(&s, 7, false, 0);
	film(&s, grey, 6);
	route(&s, 7, false, 1u << A);
	film(&s, grey, 3);
	assert_in_range(grey_at(&s, 0, 0), 0, 100);
	assert_in_range(grey_at(&s, 2, 1), 0, 100);
	assert_grey(&s, 0, 1, grey[B]);
	assert_grey(&s, 2, 0, grey[B]);
	assert_grey(&s, 1, FULL, grey[B]);
	close_show(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_is_where_its_picture_has_it),
		cmocka_unit_test(test_pictures_come_and_go),
		cmocka_unit_test(test_a_mute_shows_in_all),
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
