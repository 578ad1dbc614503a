/* A picture that is nothing but what one leg sends goes out as it came in, and a viewer
 * never sees anything broken. */
#include "tests/mcu/room/room_video_rig.h"

#include "mcu/room/passage.h"

enum { SENT = 8, MAX_UNIT = 1 << 16, TICK_MS = 33, NAL_FU = 28, NAL_STAP = 24 };

/* What the first camera sent lately, and what a viewer makes of what goes out. */
static struct {
	struct buf *sent[SENT];
	size_t n_sent, same, other, keys, asked;
	int grey; /* of what the viewer sees */
	int64_t last_ns;
	bool first_key; /* the first of other, since mark() */
	uint8_t au[MAX_UNIT];
	size_t len, last_nal;
} view;

static void begin_nal(uint8_t head)
{
	static const uint8_t code[] = { 0, 0, 0, 1 };

	memcpy(view.au + view.len, code, sizeof code);
	view.len += sizeof code;
	view.last_nal = view.len;
	view.au[view.len++] = head;
}

static void add(const uint8_t *d, size_t n)
{
	assert_true(view.len + n < MAX_UNIT);
	memcpy(view.au + view.len, d, n);
	view.len += n;
}

/* RFC 6184, as far as our packetizer goes. */
static void put_packet(const uint8_t *d, size_t n)
{
	if ((d[0] & 0x1f) == NAL_FU) {
		if (d[1] & 0x80)
			begin_nal((uint8_t)((d[0] & 0xe0) | (d[1] & 0x1f)));
		add(d + 2, n - 2);
	} else if ((d[0] & 0x1f) == NAL_STAP) {
		for (size_t at = 1; at + 2 < n;) {
			size_t len = (size_t)(d[at] << 8 | d[at + 1]);

			begin_nal(d[at + 2]);
			add(d + at + 3, len - 1);
			at += 2 + len;
		}
	} else {
		begin_nal(d[0]);
		add(d + 1, n - 1);
	}
}

static bool is_as_sent(void)
{
	size_t n = view.len - view.last_nal;

	for (int i = 0; i < SENT; i++) {
		const struct buf *b = view.sent[i];

		if (b && b->len >= n && !memcmp(b->data + b->len - n, view.au + view.last_nal, n))
			return true;
	}
	return false;
}

static void on_batch(struct rig *r, const struct rtp_batch *b)
{
	struct vframe *f = NULL;
	bool same;

	role_assert_mixv();
	if (b->encode_id != video_encode_id(r->encode))
		return;
	view.len = 0;
	for (size_t i = 0; i < b->n; i++)
		put_packet(b->data + b->pkt[i].off, b->pkt[i].len);
	same = is_as_sent();
	if (!same && !view.other)
		view.first_key = b->key;
	view.same += same;
	view.other += !same;
	view.keys += b->key;
	assert_true(b->time_ns > view.last_ns);
	view.last_ns = b->time_ns;
	/* whatever comes, it is whole, and follows what came before */
	assert_int_equal(vdec_decode(r->viewer, view.au, view.len, &f), 0);
	view.grey = f->av->data[0][H / 2 * f->av->linesize[0] + W / 2];
	vframe_unref(&f);
	if (b->key)
		assert_memory_equal(view.au + 4, "\x67\x42\xe0\x1f", 4);
}

ON_THREAD(ROLE_CTL) static struct rig *open_rig(bool on)
{
	struct rig *r = rig_open();

	memset(&view, 0, sizeof view);
	r->e.cfg.pass_through = on;
	r->on_batch = on_batch;
	video_leg_set_wanted(r->cam[0].leg, true);
	return r;
}

ON_THREAD(ROLE_CTL) static void close_rig(struct rig *r)
{
	r->on_batch = NULL;
	for (int i = 0; i < SENT; i++)
		buf_unref(&view.sent[i]);
	rig_close(r);
}

/* Camera 1 is all of it. */
ON_THREAD(ROLE_CTL) static void route(struct rig *r, bool names)
{
	struct routing *s = routing_new(++r->seq, LEGS, 1);

	assert_non_null(s);
	for (uint32_t i = 0; i < LEGS; i++)
		s->leg[i] = (struct route_leg){ .id = i + 1, .sends_audio = true, .name = "Ann" };
	s->source[0] = (struct route_source){ .id = 1, .video = r->cam[0].leg, .sends = true };
	s->n_sources = 1;
	s->picture[0].n_tiles = 1;
	s->picture[0].tile[0] = (struct route_tile){ 0, { 0, 0, W, H } };
	s->picture[0].signs.no_names = !names;
	s->n_encodes = 1;
	s->encode[0].v = r->encode;
	tick_route(r->tick, s);
	rig_run(r);
}

/* With a texture that is never coded twice in the same way. */
static void paint(struct camera *c, int grey)
{
	for (int p = 0; p < 3; p++)
		for (int y = 0; y < (p ? H / 2 : H); y++) {
			uint8_t *row = c->canvas->av->data[p] + y * c->canvas->av->linesize[p];

			memset(row, p ? 128 : grey, p ? W / 2 : W);
			for (int x = 0; !p && x < 64; x++)
				row[x] = (uint8_t)(row[x] + ((x * 7 ^ y * 13) & 63));
		}
}

/* A sender that gives key frames when it is asked. */
static void send_of(struct rig *r, struct camera *c, int grey, bool answers, bool damage)
{
	struct buf *au = NULL;
	bool key, asked;

	role_assert_mixv();
	role_assert_net();
	paint(c, grey);
	asked = video_leg_needs_key(c->leg);
	if (c == &r->cam[0])
		view.asked += asked;
	assert_int_equal(venc_encode(c->enc, c->canvas, rig_now(r), asked && answers, r->e.au_pool,
				     &au, &key), 0);
	if (c == &r->cam[0]) {
		buf_unref(&view.sent[view.n_sent % SENT]);
		view.sent[view.n_sent++ % SENT] = buf_ref(au);
	}
	if (damage)
		au->len = 8;
	video_leg_put(c->leg, au, CODEC_H264, key, 0, 0);
}

static void send_picture(struct rig *r, int grey, bool answers, bool damage)
{
	send_of(r, &r->cam[0], grey, answers, damage);
}

static int grey_at(int i)
{
	return 60 + 7 * (i % 20);
}

static void run_for(struct rig *r, int pictures, bool answers)
{
	for (int i = 0; i < pictures; i++) {
		send_picture(r, grey_at(i), answers, false);
		rig_advance(r, TICK_MS);
	}
}

/* Counts from here. */
static void mark(void)
{
	view.same = view.other = view.keys = view.asked = 0;
	view.first_key = false;
}

/* Where the only picture is passed on as it comes, from some pictures ago. */
static struct rig *open_passing(void) ON_THREAD(ROLE_CTL)
{
	struct rig *r = open_rig(true);

	route(r, false);
	run_for(r, 10, true);
	mark();
	return r;
}

static void test_it_passes(void **state)
{
	struct rig *r;

	(void)state;
	role_assert_ctl();
	r = open_passing();
	for (int i = 0; i < 90; i++) {
		send_picture(r, grey_at(i), true, false);
		rig_advance(r, TICK_MS);
		/* at most two pictures late */
		assert_true(i < 2 || view.grey == grey_at(i) || abs(view.grey - grey_at(i - 1)) < 5 ||
			    abs(view.grey - grey_at(i - 2)) < 5 || abs(view.grey - grey_at(i)) < 5);
	}
	assert_int_equal(view.other, 0);
	assert_in_range(view.same, 87, 91);
	assert_int_equal(view.keys, 0);
	/* two at once, and none: each has its own time */
	for (int i = 0; i < 20; i++) {
		send_picture(r, 80, true, false);
		send_picture(r, 90, true, false);
		rig_advance(r, 2 * TICK_MS);
	}
	assert_int_equal(view.other, 0);
	assert_in_range(view.same, 125, 131);
	close_rig(r);
}

static void test_it_ends_and_begins_with_key_frames(void **state)
{
	struct rig *r;

	(void)state;
	role_assert_ctl();
	r = open_passing();
	route(r, true);
	run_for(r, 30, true);
	assert_in_range(view.other, 27, 31);
	assert_in_range(view.same, 0, 1);
	assert_int_equal(view.keys, 1);
	mark();
	route(r, false);
	run_for(r, 30, true);
	assert_int_equal(view.asked, 1);
	assert_int_equal(view.keys, 1);
	assert_in_range(view.other, 1, 5);
	assert_in_range(view.same, 25, 30);
	close_rig(r);
}

static void test_key_frames_are_asked_of_the_source(void **state)
{
	struct rig *r;

	(void)state;
	role_assert_ctl();
	r = open_passing();
	for (int i = 0; i < 300; i++)
		video_encode_request_key(r->encode);
	run_for(r, 30, true);
	assert_int_equal(view.asked, 1);
	assert_int_equal(view.keys, 1);
	assert_int_equal(view.other, 0);
	/* who does not answer is helped by the encoder, and left alone */
	mark();
	video_encode_request_key(r->encode);
	run_for(r, 45, false);
	assert_in_range(view.asked, 1, 3);
	assert_in_range(view.keys, 1, 1);
	assert_in_range(view.other, 10, 20);
	mark();
	run_for(r, 200, true);
	assert_int_equal(view.asked, 0);
	assert_int_equal(view.same, 0);
	run_for(r, 100, true);
	assert_true(view.asked > 0 && view.same > 0);
	close_rig(r);
}

/* The viewer decodes every one of them: see on_batch. */
static void test_nothing_broken_is_passed_on(void **state)
{
	struct rig *r;

	(void)state;
	role_assert_ctl();
	r = open_rig(true);
	route(r, false);
	run_for(r, 20, true);
	for (int round = 0; round < 5; round++) {
		mark();
		send_picture(r, 100, true, true);
		rig_advance(r, TICK_MS);
		run_for(r, 40, true);
		assert_in_range(view.asked, 1, 2);
		assert_in_range(view.same, 30, 40);
		assert_in_range(view.keys, 1, 2);
	}
	close_rig(r);
}

static void no_picture(void *obj, struct buf *au, int64_t pts_ns, bool key)
{
	size_t *n = obj;

	(void)au;
	(void)pts_ns;
	assert_true(*n || key);
	++*n;
}

/* What is recorded has parameter sets of its own that must not change. */
static void test_a_sink_gets_our_own(void **state)
{
	size_t n = 0;
	struct room_sink sink = { .obj = &n, .video = no_picture, .audio = no_sound,
				  .gop_s = 60 };
	struct rig *r;

	(void)state;
	role_assert_ctl();
	r = open_passing();
	rig_attach(r, &sink);
	run_for(r, 30, true);
	assert_in_range(n, 25, 31);
	assert_in_range(view.same, 0, 2);
	video_encode_remove_sink(r->encode, &r->link);
	run_for(r, 10, true);
	mark();
	run_for(r, 30, true);
	assert_int_equal(view.other, 0);
	close_rig(r);
}

static void expect_none(bool on, struct venc_cfg *cfg, int grey_only)
{
	struct rig *r;

	role_assert_ctl();
	r = open_rig(on);
	if (cfg) {
		venc_free(&r->cam[0].enc);
		assert_int_equal(venc_new(&r->cam[0].enc, cfg), 0);
	}
	route(r, false);
	for (int i = 0; i < 200; i++) {
		send_picture(r, grey_only ? grey_only : grey_at(i), true, false);
		rig_advance(r, TICK_MS);
	}
	assert_int_equal(view.same, 0);
	assert_in_range(view.asked, 0, 4);
	close_rig(r);
}

static void test_what_does_not_fit_is_encoded(void **state)
{
	struct venc_cfg cfg = { .codec = CODEC_H264, .w = W, .h = H, .fps = FPS, .preset = "ultrafast",
				.bitrate_bps = 200000, .asm_ = "default" };

	(void)state;
	expect_none(false, NULL, 0);
	cfg.profile_level_id = 0x4d401f;
	expect_none(true, &cfg, 0);
	cfg.profile_level_id = 0x42e028; /* more than was agreed on */
	expect_none(true, &cfg, 0);
}

/* Each question costs the sender a key frame. */
static void test_who_never_fits_is_asked_less_and_less(void **state)
{
	struct venc_cfg cfg = { .codec = CODEC_H264, .w = W, .h = H, .fps = FPS, .preset = "ultrafast",
				.bitrate_bps = 200000, .asm_ = "default",
				.profile_level_id = 0x4d401f };
	struct rig *r;

	(void)state;
	role_assert_ctl();
	r = open_rig(true);
	venc_free(&r->cam[0].enc);
	assert_int_equal(venc_new(&r->cam[0].enc, &cfg), 0);
	route(r, false);
	for (int i = 0; i < 800; i++) {
		r->n_out = 0;
		send_picture(r, grey_at(i), true, false);
		rig_advance(r, 100);
	}
	assert_int_equal(view.same, 0);
	/* at 0, 10, 30 and 70 s, and when it was wanted */
	assert_in_range(view.asked, 4, 6);
	close_rig(r);
}

/* Each camera is all of one picture; swapped: of the other one. */
ON_THREAD(ROLE_CTL) static void route_both(struct rig *r, bool swapped)
{
	struct routing *s = routing_new(++r->seq, LEGS, 2);

	assert_non_null(s);
	for (uint32_t i = 0; i < LEGS; i++) {
		s->leg[i] = (struct route_leg){ .id = i + 1, .sends_audio = true, .name = "Ann" };
		s->source[i] = (struct route_source){ .id = i + 1, .leg = i, .sends = true,
						      .video = r->cam[i].leg };
		s->picture[i].id = i;
		s->picture[i].n_tiles = 1;
		s->picture[i].tile[0] = (struct route_tile){ swapped ? !i : i, { 0, 0, W, H } };
		s->picture[i].signs.no_names = true;
	}
	s->n_sources = LEGS;
	s->n_encodes = 2;
	s->encode[0] = (struct route_encode){ .v = r->encode, .picture = 0 };
	s->encode[1] = (struct route_encode){ .v = r->more[0], .picture = 1 };
	tick_route(r->tick, s);
	rig_run(r);
}

/* Both pass; then the second one's goes on in the stream of the first. */
ON_THREAD(ROLE_CTL) static struct rig *open_both(void)
{
	struct video_encode_cfg cfg = { .width = W, .height = H, .fps = FPS, .bitrate_bps = 300000,
					.codec = CODEC_H264, .profile_level_id = 0x42e01f };
	struct rig *r = open_rig(true);

	role_assert_mixv();
	assert_int_equal(video_encode_new(&r->more[r->n_more++], &r->e, &cfg), 0);
	video_leg_set_wanted(r->cam[1].leg, true);
	route_both(r, false);
	for (int i = 0; i < 30; i++) {
		if (i == 20)
			mark();
		send_of(r, &r->cam[0], grey_at(i), true, false);
		send_of(r, &r->cam[1], 220, true, false);
		rig_advance(r, TICK_MS);
	}
	assert_int_equal(view.other, 0);
	assert_true(video_encode_is_passing(r->encode) && video_encode_is_passing(r->more[0]));
	mark();
	return r;
}

static void test_another_source_begins_with_a_key_frame(void **state)
{
	static const bool answers[] = { false, true };

	(void)state;
	role_assert_ctl();
	role_assert_mixv();
	for (int k = 0; k < 2; k++) {
		struct rig *r = open_both();

		route_both(r, true);
		for (int i = 0; i < 40; i++) {
			send_of(r, &r->cam[0], grey_at(i), answers[k], false);
			send_of(r, &r->cam[1], 220, answers[k], false);
			rig_advance(r, TICK_MS);
			assert_true(i < 3 || abs(view.grey - 220) < 6);
		}
		assert_true(view.first_key);
		assert_int_equal(video_encode_is_passing(r->encode), answers[k]);
		close_rig(r);
	}
}

/* Nothing comes of it to be passed. */
static void test_another_source_that_stands_still_is_shown(void **state)
{
	struct rig *r;

	(void)state;
	role_assert_ctl();
	r = open_both();
	route_both(r, true);
	rig_advance(r, 5 * TICK_MS);
	assert_true(view.first_key);
	assert_in_range(view.grey, 215, 225);
	close_rig(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_passes),
		cmocka_unit_test(test_it_ends_and_begins_with_key_frames),
		cmocka_unit_test(test_key_frames_are_asked_of_the_source),
		cmocka_unit_test(test_nothing_broken_is_passed_on),
		cmocka_unit_test(test_a_sink_gets_our_own),
		cmocka_unit_test(test_what_does_not_fit_is_encoded),
		cmocka_unit_test(test_who_never_fits_is_asked_less_and_less),
		cmocka_unit_test(test_another_source_begins_with_a_key_frame),
		cmocka_unit_test(test_another_source_that_stands_still_is_shown),
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
