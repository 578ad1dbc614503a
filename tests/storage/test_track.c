/* What tracks make of what is received: parts, rings that are full, pauses. */
#include "tests/storage/media.h"

#include <poll.h>

#include "mcu/base/clock.h"
#include "mcu/base/role.h"
#include "storage/track.h"
#include "storage/track_file.h"

enum { W = 320, H = 180, FPS = 25, GOP = 25, PARTS = 8, WAIT_MS = 20000 };

static char dir[] = "/tmp/mcu-track-XXXXXX";
static const uint8_t opus_silence[] = { 0xf8, 0xff, 0xfe };
static uint8_t pcmu_silence[160];
static struct au small[GOP], large[GOP];

/* What a rig was told, in order. */
struct rig {
	struct volume *v;
	struct mbox *mbox;
	struct track *t;
	struct timeline_view view;
	int64_t zero_ns;
	size_t begun, ended;
	struct track_part part[PARTS];
	bool over;
	struct track_result r;
};

static void on_begun(void *obj, const struct track_part *p)
{
	struct rig *g = obj;

	assert_true(g->begun == g->ended && g->begun < PARTS);
	g->part[g->begun++] = *p;
}

static void on_ended(void *obj, const struct track_part *p)
{
	struct rig *g = obj;

	assert_int_equal(p->id, g->part[g->ended].id);
	g->part[g->ended++] = *p;
}

static void on_over(void *obj, const struct track_result *r)
{
	struct rig *g = obj;

	g->over = true;
	g->r = *r;
}

/* The time line is not seen before the end: the volume's thread takes nothing until then,
 * whatever the machine does. */
static void rig_open(struct rig *g, size_t picture_ring, size_t sound_ring)
{
	struct errmsg why = { 0 };
	struct track_cfg cfg = { .room = "r", .started_ms = 1700000000000, .view = &g->view,
				 .picture_ring_bytes = picture_ring,
				 .sound_ring_bytes = sound_ring };

	*g = (struct rig){ .zero_ns = clock_now_ns(&clock_monotonic) + 3600 * NS_PER_S };
	g->view.line.least_ns = 0;
	assert_false(timeline_place(&g->view.line, g->zero_ns, false, &(int64_t){ 0 }));
	assert_true(timeline_place(&g->view.line, g->zero_ns, true, &(int64_t){ 0 }));
	assert_int_equal(mbox_new(&g->mbox, 64), 0);
	assert_int_equal(volume_new(&g->v, dir, &why), 0);
	assert_int_equal(track_start(&g->t, g->v, &cfg,
				     &(struct track_events){ g->mbox, g, on_begun, on_ended,
							     on_over }), 0);
}

/* All is written and told. */
static void rig_stop(struct rig *g)
{
	struct pollfd p = { .fd = mbox_fd(g->mbox), .events = POLLIN };

	track_stop(&g->t);
	while (!g->over) {
		assert_int_equal(poll(&p, 1, WAIT_MS), 1);
		mbox_run(g->mbox);
	}
	assert_int_equal(g->begun, g->ended);
	volume_free(&g->v);
	mbox_free(&g->mbox);
}

static void played_part(const struct rig *g, size_t i, struct played *p)
{
	char path[512];

	snprintf(path, sizeof path, "%s/%s", dir, g->part[i].path);
	assert_int_equal(play(path, true, p), 0);
	assert_string_equal(p->complaint, "");
	assert_int_equal(p->complaints, 0);
	assert_false(g->part[i].failed);
}

static void expect_near(double is, double want, double off)
{
	if (fabs(is - want) > off)
		fail_msg("%f instead of %f", is, want);
}

static void feed_pictures(struct rig *g, const struct au *clip, int w, int h, int from, int to)
{
	for (int i = from; i < to; i++)
		track_picture(g->t, CODEC_H264, (unsigned)w, (unsigned)h, clip[i % GOP].p,
			      clip[i % GOP].len, g->zero_ns + clock_scale(i, NS_PER_S, FPS),
			      clip[i % GOP].key);
}

static void feed_sound(struct rig *g, enum codec c, int from, int to)
{
	for (int i = from; i < to; i++)
		track_sound(g->t, c, c == CODEC_OPUS ? opus_silence : pcmu_silence,
			    c == CODEC_OPUS ? sizeof opus_silence : sizeof pcmu_silence,
			    g->zero_ns + i * 20 * NS_PER_MS);
}

static void both_are_on_the_recordings_time_line(void **state)
{
	struct rig g;
	struct played p;

	(void)state;
	rig_open(&g, 1 << 20, 1 << 16);
	feed_sound(&g, CODEC_OPUS, 100, 250); /* from 2 s to 5 s */
	feed_pictures(&g, small, W, H, 2 * FPS + 5, 5 * FPS);
	rig_stop(&g);
	assert_int_equal(g.begun, 1);
	assert_int_equal(g.part[0].picture, CODEC_H264);
	assert_int_equal(g.part[0].sound, CODEC_OPUS);
	assert_int_equal(g.part[0].width, W);
	played_part(&g, 0, &p);
	expect_near(p.audio_first_s, 2, 0.002);
	expect_near(p.video_first_s, 3, 0.002); /* the first key frame */
	expect_near(p.video_last_s, 5 - 1.0 / FPS, 0.002);
	expect_near(p.duration_s, 5, 0.05);
	expect_near((double)g.part[0].duration_ms / 1000, 5, 0.05);
	assert_int_equal(p.video_frames, 2 * FPS);
	assert_int_equal(p.audio_frames, 150);
}

/* Another size, another codec of the sound: further files, each of which plays alone. */
static void changes_begin_another_part(void **state)
{
	struct rig g;
	struct played p;

	(void)state;
	rig_open(&g, 1 << 20, 1 << 16);
	feed_sound(&g, CODEC_OPUS, 0, 99);
	feed_pictures(&g, small, W, H, 0, FPS);
	feed_pictures(&g, large, 2 * W, 2 * H, FPS, 4 * FPS);
	feed_sound(&g, CODEC_PCMU, 99, 200);
	rig_stop(&g);
	assert_int_equal(g.begun, 3);
	assert_int_equal(g.part[1].width, 2 * W);
	assert_int_equal(g.part[1].sound, CODEC_OPUS);
	assert_int_equal(g.part[2].sound, CODEC_PCMU);
	assert_int_equal(g.part[2].picture, CODEC_H264);
	for (size_t i = 0; i < 3; i++) {
		const double from[] = { 0, 1, 2 }, to[] = { 1, 2, 4 };

		played_part(&g, i, &p);
		assert_int_equal(p.width, i ? 2 * W : W);
		expect_near(p.video_first_s, from[i], 0.002);
		expect_near(p.audio_first_s, from[i], 0.022);
		expect_near(p.duration_s, to[i], 0.05);
		assert_int_equal(p.video_frames, (int)(to[i] - from[i]) * FPS);
	}
}

static void a_full_ring_drops_up_to_a_key_frame(void **state)
{
	struct rig g;
	struct played p;
	size_t room = 4096, fits = 0;

	(void)state;
	while (room < 16 * large[0].len)
		room *= 2;
	rig_open(&g, room, 4096);
	/* nothing is taken out: what does not fit is refused, and all behind it until a key */
	for (int i = 0; i < 2000; i++) {
		const struct au *u = &large[i % GOP];

		track_picture(g.t, CODEC_H264, 2 * W, 2 * H, u->p, u->len,
			      g.zero_ns + clock_scale(i, NS_PER_S, FPS), u->key);
	}
	feed_sound(&g, CODEC_OPUS, 0, 1000);
	rig_stop(&g);
	assert_true(g.r.dropped_pictures > 0 && g.r.dropped_pictures < 2000 / GOP + 1);
	assert_true(g.r.dropped_sound > 0 && g.r.dropped_sound < 1000);
	assert_int_equal(g.begun, 1);
	played_part(&g, 0, &p);
	fits = (size_t)p.video_frames;
	assert_true(fits > 0 && fits < 2000);
	assert_int_equal(p.audio_frames, 1000 - (int)g.r.dropped_sound);
}

/* One and the same gap is left out of all files. */
static void a_pause_is_left_out(void **state)
{
	struct rig g;
	struct played p;
	int64_t at;

	(void)state;
	rig_open(&g, 1 << 20, 1 << 16);
	timeline_pause(&g.view.line, g.zero_ns + 2 * NS_PER_S);
	timeline_resume(&g.view.line, g.zero_ns + 4 * NS_PER_S);
	assert_true(timeline_place(&g.view.line, g.zero_ns + 4 * NS_PER_S, true, &at));
	feed_sound(&g, CODEC_OPUS, 0, 300);
	feed_pictures(&g, small, W, H, 0, 6 * FPS);
	rig_stop(&g);
	assert_int_equal(g.begun, 1);
	played_part(&g, 0, &p);
	expect_near(p.duration_s, 4, 0.05);
	assert_int_equal(p.video_frames, 4 * FPS);
	assert_int_equal(p.audio_frames, 200);
}

static void what_no_file_holds_is_left_out(void **state)
{
	struct rig g;

	(void)state;
	rig_open(&g, 1 << 20, 1 << 16);
	track_sound(g.t, CODEC_G729, pcmu_silence, 20, g.zero_ns);
	track_picture(g.t, CODEC_H263, W, H, pcmu_silence, 20, g.zero_ns, true);
	/* a key frame without what a head must say */
	track_picture(g.t, CODEC_H264, W, H, (const uint8_t[]){ 0, 0, 0, 1, 0x65, 1 }, 6,
		      g.zero_ns + NS_PER_S, true);
	rig_stop(&g);
	assert_int_equal(g.begun, 0);
	assert_int_equal(g.r.dropped_pictures, 2);
	assert_int_equal(g.r.dropped_sound, 1);
}

static void encode(const char *name, enum codec c)
{
	const AVCodec *codec = avcodec_find_encoder_by_name(name);
	struct video_source s = { avcodec_alloc_context3(codec), av_frame_alloc(),
				  av_packet_alloc() };
	struct rig g;
	struct played p;

	assert_non_null(codec);
	s.c->width = s.frame->width = 64;
	s.c->height = s.frame->height = 64;
	s.c->pix_fmt = AV_PIX_FMT_YUV420P;
	s.frame->format = AV_PIX_FMT_YUV420P;
	s.c->time_base = (AVRational){ 1, FPS };
	s.c->thread_count = 1;
	av_opt_set(s.c->priv_data, "deadline", "realtime", 0);
	av_opt_set(s.c->priv_data, "usage", "realtime", 0);
	av_opt_set(s.c->priv_data, "cpu-used", "8", 0);
	av_opt_set(s.c->priv_data, "lag-in-frames", "0", 0);
	assert_int_equal(avcodec_open2(s.c, codec, NULL), 0);
	assert_int_equal(av_frame_get_buffer(s.frame, 64), 0);
	rig_open(&g, 1 << 20, 0);
	for (int i = 0; i < 10; i++) {
		struct au u;

		video_source_next(&s, 20 * i, !i, &u);
		track_picture(g.t, c, 64, 64, u.p, u.len,
			      g.zero_ns + clock_scale(i, NS_PER_S, FPS), u.key);
		free(u.p);
	}
	rig_stop(&g);
	video_source_close(&s);
	assert_int_equal(g.begun, 1);
	played_part(&g, 0, &p);
	assert_int_equal(p.video_frames, 10);
	assert_int_equal(p.width, 64);
}

static void other_codecs_of_pictures(void **state)
{
	(void)state;
	av_log_set_level(AV_LOG_ERROR);
	encode("libvpx", CODEC_VP8);
	encode("libvpx-vp9", CODEC_VP9);
	encode("libaom-av1", CODEC_AV1);
}

/* What a track may write depends on what the recorder knows by then. */
static void a_packet_waits_for_the_time_line(void **state)
{
	const int64_t s = NS_PER_S;
	struct timeline_view v = { .seen_ns = 100 * s };
	int64_t at = -1;

	(void)state;
	assert_int_equal(timeline_look(&v, 90 * s, &at), TIMELINE_LATER); /* it has not begun */
	timeline_place(&v.line, 80 * s, true, &at);
	assert_int_equal(timeline_look(&v, 90 * s, &at), TIMELINE_HERE);
	assert_int_equal(at, 10 * s);
	assert_int_equal(timeline_look(&v, 79 * s, &at), TIMELINE_NOWHERE);
	assert_int_equal(timeline_look(&v, 100 * s, &at), TIMELINE_LATER);
	timeline_pause(&v.line, 85 * s);
	assert_int_equal(timeline_look(&v, 84 * s, &at), TIMELINE_HERE);
	assert_int_equal(timeline_look(&v, 86 * s, &at), TIMELINE_NOWHERE);
	timeline_resume(&v.line, 90 * s);
	assert_int_equal(timeline_look(&v, 86 * s, &at), TIMELINE_NOWHERE);
	/* the key frame that ends the pause has not come */
	assert_int_equal(timeline_look(&v, 91 * s, &at), TIMELINE_LATER);
	assert_true(timeline_place(&v.line, 92 * s, true, &at));
	assert_int_equal(timeline_look(&v, 91 * s, &at), TIMELINE_NOWHERE);
	assert_int_equal(timeline_look(&v, 93 * s, &at), TIMELINE_HERE);
	assert_int_equal(at, 6 * s);
	v.seen_ns = INT64_MAX;
	assert_int_equal(timeline_look(&v, 1000 * s, &at), TIMELINE_HERE);
	v = (struct timeline_view){ .seen_ns = INT64_MAX };
	assert_int_equal(timeline_look(&v, 90 * s, &at), TIMELINE_NOWHERE);
}

static int make_media(void **state)
{
	(void)state;
	role_enter(ROLE_ID_NONE);
	make_tree(dir);
	memset(pcmu_silence, 0xff, sizeof pcmu_silence);
	for (int k = 1; k <= 2; k++) {
		struct video_source s;

		video_source_open(&s, k * W, k * H, FPS);
		for (int i = 0; i < GOP; i++)
			video_source_next(&s, 16 + 5 * i, !i, k == 1 ? &small[i] : &large[i]);
		video_source_close(&s);
	}
	return 0;
}

static int remove_media(void **state)
{
	(void)state;
	for (int i = 0; i < GOP; i++) {
		free(small[i].p);
		free(large[i].p);
	}
	remove_tree(dir);
	return 0;
}

/* The head of a file must be one that can be read again after a crash. */
static void a_parameter_set_without_end(void **state)
{
	static const uint8_t pps[] = { 0, 0, 1, 0x68, 0xce, 0x3c, 0x80 };
	static uint8_t au[20000];
	size_t n;

	(void)state;
	for (size_t len = 100; len <= sizeof au; len += sizeof au - 100) {
		memset(au, 0x55, sizeof au);
		memcpy(au, "\0\0\1\x67", 4);
		n = len - sizeof pps;
		memcpy(au + n, pps, sizeof pps);
		assert_int_equal(track_file_begins(CODEC_H264, au, len, true), len == 100);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_are_on_the_recordings_time_line),
		cmocka_unit_test(changes_begin_another_part),
		cmocka_unit_test(a_full_ring_drops_up_to_a_key_frame),
		cmocka_unit_test(a_pause_is_left_out),
		cmocka_unit_test(what_no_file_holds_is_left_out),
		cmocka_unit_test(other_codecs_of_pictures),
		cmocka_unit_test(a_packet_waits_for_the_time_line),
		cmocka_unit_test(a_parameter_set_without_end),
	};

	return cmocka_run_group_tests(tests, make_media, remove_media);
}
