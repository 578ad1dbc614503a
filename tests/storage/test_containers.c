/* What mux makes of pauses, other sizes and sound alone, in both formats, and of Matroska
 * files that were cut anywhere. */
#include "tests/storage/media.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "mcu/base/clock.h"
#include "storage/mkv.h"
#include "storage/mp4_scan.h"
#include "storage/mux.h"
#include "storage/timeline.h"

enum { W = 320, H = 180, FPS = 30, GOP = 30 };

static char dir[] = "/tmp/mcu-container-XXXXXX";
static const uint8_t asc[] = { 0x11, 0x88 };
static const uint8_t opus_rest[] = { 0xf8, 0xff, 0xfe };
static struct au dark, bright, dark_p, bright_p, aac;

static const char *file_path(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static struct mux *open_mux(const char *name, bool matroska, bool opus, bool video)
{
	struct mux_cfg c = { .matroska = matroska, .opus = opus, .fps = video ? FPS : 0,
			     .aac_config = asc, .aac_config_len = opus ? 0 : sizeof(asc),
			     .sample_rate = 48000, .channels = 1,
			     .fragment_ns = 500 * NS_PER_MS, .sync_ns = NS_PER_S };
	int fd = open(file_path(name), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct mux *m = NULL;

	assert_true(fd >= 0);
	assert_int_equal(mux_new(&m, fd, &c), 0);
	return m;
}

static int64_t ns_of(int64_t n, int64_t per_s)
{
	return clock_scale(n, NS_PER_S, per_s);
}

#define ZERO (1000 * NS_PER_S)

/* Pictures and sound of [from, to) seconds, the first a key frame. */
static void feed(struct mux *m, bool opus, bool video, int from, int to, bool light)
{
	int64_t frame = opus ? 960 : 1024, a = from * 48000 / frame;

	for (int i = from * FPS; i < to * FPS; i++) {
		const struct au *u = i % GOP ? light ? &bright_p : &dark_p : light ? &bright : &dark;

		if (video)
			(void)mux_video(m, u->p, u->len, ZERO + ns_of(i, FPS), i % GOP == 0);
		for (; ns_of(a * frame, 48000) < ns_of(i + 1, FPS); a++)
			(void)mux_audio(m, opus ? opus_rest : aac.p, opus ? sizeof(opus_rest) : aac.len,
					ZERO + ns_of(a * frame, 48000));
	}
}

static void expect_near(double is, double want, double off)
{
	if (fabs(is - want) > off)
		fail_msg("%f instead of %f", is, want);
}

static void plays_in_every_format(void **state)
{
	(void)state;
	struct played p;
	char name[32];

	for (int i = 0; i < 8; i++) {
		bool matroska = i & 1, opus = i & 2, video = !(i & 4);
		struct mux *m;

		snprintf(name, sizeof(name), "format%d.%s", i, matroska ? "mkv" : "mp4");
		m = open_mux(name, matroska, opus, video);
		feed(m, opus, video, 0, 4, false);
		/* as it is while it runs */
		assert_int_equal(mux_tick(m, 0), 0);
		assert_int_equal(play(file_path(name), true, &p), 0);
		assert_string_equal(p.complaint, "");
		assert_int_equal(mux_finish(m), 0);
		expect_near((double)mux_duration_ms(m) / 1000, 4, 0.06);
		mux_free(&m);
		assert_int_equal(play(file_path(name), true, &p), 0);
		assert_string_equal(p.complaint, "");
		assert_int_equal(p.video_frames, video ? 4 * FPS : 0);
		assert_true(p.audio_frames > 180);
		expect_near(p.duration_s, 4, 0.06);
		expect_near(p.audio_end_s, 4, 0.06);
	}
}

/* What came of one of picture and sound only, at the end, is not in the file when it is
 * completed, or repaired; what is too much for that is. */
static void both_end_together(void **state)
{
	(void)state;
	static const int more_ms[] = { 0, 100, -100, 300, -300, 2000, -2000 };
	struct played p;

	for (int i = 0; i < 8 * 7; i++) {
		bool matroska = i & 1, opus = i & 2, dies = i & 4;
		int more = more_ms[i / 8];
		const char *name = matroska ? "even.mkv" : "even.mp4";
		struct mux *m = open_mux(name, matroska, opus, true);
		const uint8_t *sound = opus ? opus_rest : aac.p;
		size_t sound_len = opus ? sizeof(opus_rest) : aac.len;
		int64_t frame = opus ? 960 : 1024;
		bool keeps_sound = more < 0 && (!matroska || more < -1000);
		struct mkv_report r;
		struct mp4_scan s = { 0 };
		uint64_t bytes;

		feed(m, opus, true, 0, 2, false);
		for (int k = 2 * FPS; k < 2 * FPS + more * FPS / 1000; k++)
			(void)mux_video(m, dark_p.p, dark_p.len, ZERO + ns_of(k, FPS), false);
		for (int64_t k = 2 * 48000 / frame + 2, at;
		     (at = ns_of(k * frame, 48000)) < (2000 - more) * NS_PER_MS; k++)
			(void)mux_audio(m, sound, sound_len, ZERO + at);
		assert_int_equal(dies ? mux_flush(m) : mux_finish(m), 0);
		mux_free(&m);
		if (dies)
			assert_int_equal(matroska ? mkv_repair_file(file_path(name), &r) :
						    mp4_repair_file(file_path(name), &s, &bytes), 0);
		mp4_scan_free(&s);
		assert_int_equal(play(file_path(name), true, &p), 0);
		assert_string_equal(p.complaint, "");
		assert_int_equal(p.complaints, 0);
		if (abs(more) < 1000)
			expect_near(p.audio_end_s, p.video_last_end_s, 0.02);
		else
			expect_near(fabs(p.audio_end_s - p.video_last_end_s), 2, 0.1);
		/* of MP4 the last picture is shown for longer */
		expect_near(p.audio_end_s, 2 - (keeps_sound ? more / 1000.0 : 0), 0.06);
	}
}

/* From 2 to 10 it is paused: what comes then is not in the file, what follows comes
 * at once. */
static void a_pause_leaves_no_gap(void **state)
{
	(void)state;
	struct played p;

	for (int i = 0; i < 4; i++) {
		const char *name = i & 1 ? "pause.mkv" : "pause.mp4";
		bool opus = i & 2;
		struct mux *m = open_mux(name, i & 1, opus, true);

		feed(m, opus, true, 0, 2, false);
		mux_pause(m, ZERO + 2 * NS_PER_S);
		feed(m, opus, true, 2, 6, true); /* on their way when it was paused */
		assert_false(mux_waits(m));
		mux_resume(m, ZERO + 10 * NS_PER_S);
		assert_true(mux_waits(m));
		feed(m, opus, true, 10, 13, true);
		assert_false(mux_waits(m));
		assert_int_equal(mux_finish(m), 0);
		mux_free(&m);
		assert_int_equal(play(file_path(name), true, &p), 0);
		assert_string_equal(p.complaint, "");
		assert_int_equal(p.video_frames, 5 * FPS);
		expect_near(p.flash_s, 2, 0.002);
		expect_near(p.audio_end_s, 5, 0.06);
		expect_near(p.duration_s, 5, 0.06);
	}
}

static void pauses_of_a_time_line(void **state)
{
	(void)state;
	struct timeline t = { 0 };
	int64_t at;

	assert_false(timeline_place(&t, 50, false, &at));
	assert_true(timeline_waits(&t));
	assert_true(timeline_place(&t, 100, true, &at));
	assert_int_equal(at, 0);
	assert_false(timeline_place(&t, 99, false, &at));
	timeline_pause(&t, 1000);
	timeline_pause(&t, 2000); /* it is already */
	assert_true(timeline_place(&t, 999, false, &at)); /* late */
	assert_int_equal(at, 899);
	assert_false(timeline_place(&t, 1000, true, &at));
	timeline_resume(&t, 5 * NS_PER_S);
	assert_false(timeline_place(&t, 6 * NS_PER_S, false, &at));
	assert_false(timeline_place(&t, 4 * NS_PER_S, true, &at));
	timeline_pause(&t, 6 * NS_PER_S); /* before anything came */
	assert_false(timeline_place(&t, 7 * NS_PER_S, true, &at));
	timeline_resume(&t, 8 * NS_PER_S);
	assert_true(timeline_place(&t, 8 * NS_PER_S, true, &at));
	assert_int_equal(at, 900);
	assert_true(timeline_place(&t, 998, false, &at));
	assert_int_equal(at, 898);
	assert_false(timeline_place(&t, 7 * NS_PER_S, false, &at));
	/* a second one */
	timeline_pause(&t, 9 * NS_PER_S);
	timeline_resume(&t, 20 * NS_PER_S);
	assert_true(timeline_place(&t, 20 * NS_PER_S, true, &at));
	assert_int_equal(at, 900 + NS_PER_S);
	assert_true(timeline_place(&t, 8 * NS_PER_S + 7, false, &at));
	assert_int_equal(at, 907);
	timeline_resume(&t, 0); /* it is not paused */
	assert_true(timeline_place(&t, 21 * NS_PER_S, false, &at));
	assert_int_equal(at, 900 + 2 * NS_PER_S);
	/* a picture was taken just before it */
	t.least_ns = 900 + 2 * NS_PER_S + 33;
	timeline_pause(&t, 21 * NS_PER_S);
	timeline_resume(&t, 30 * NS_PER_S);
	assert_true(timeline_place(&t, 30 * NS_PER_S, true, &at));
	assert_int_equal(at, t.least_ns);
	assert_true(timeline_place(&t, 30 * NS_PER_S + 5, false, &at));
	assert_int_equal(at, t.least_ns + 5);
	/* paused before it began */
	t = (struct timeline){ 0 };
	timeline_pause(&t, 100);
	assert_false(timeline_place(&t, 200, true, &at));
	timeline_resume(&t, NS_PER_S);
	assert_true(timeline_place(&t, NS_PER_S, true, &at));
	assert_int_equal(at, 0);
	assert_true(timeline_place(&t, 2 * NS_PER_S, false, &at));
	assert_int_equal(at, NS_PER_S);
}

/* A picture of another size, and back: the file plays. */
static void sizes_may_change(void **state)
{
	(void)state;
	struct video_source small;
	struct played p;

	video_source_open(&small, 160, 96, FPS);
	for (int i = 0; i < 2; i++) {
		const char *name = i ? "size.mkv" : "size.mp4";
		struct mux *m = open_mux(name, i, false, true);

		feed(m, false, true, 0, 1, false);
		for (int k = FPS; k < 2 * FPS; k++) {
			struct au u;

			video_source_next(&small, 40, k % GOP == 0, &u);
			assert_int_equal(mux_video(m, u.p, u.len, ZERO + ns_of(k, FPS), u.key),
					 MUX_TAKEN);
			free(u.p);
		}
		feed(m, false, true, 2, 3, true);
		assert_int_equal(mux_finish(m), 0);
		mux_free(&m);
		assert_int_equal(play(file_path(name), true, &p), 0);
		assert_string_equal(p.complaint, "");
		assert_int_equal(p.video_frames, 3 * FPS);
		expect_near(p.flash_s, 2, 0.002);
	}
	video_source_close(&small);
}

static void copy_part(const char *to, const char *from, long octets)
{
	char a[160];
	FILE *in, *out;

	snprintf(a, sizeof(a), "%s", file_path(from));
	in = fopen(a, "rb");
	out = fopen(file_path(to), "wb");
	assert_true(in && out);
	for (int c; octets-- > 0 && (c = getc(in)) != EOF;)
		putc(c, out);
	fclose(in);
	fclose(out);
}

/* Cut at any octet, it plays after the repair as far as its last whole cluster. */
static void a_cut_file_is_repaired(void **state)
{
	(void)state;
	struct mkv_report r;
	struct played p;
	struct mux *m = open_mux("whole.mkv", true, false, true);
	unsigned seed = 1;
	struct stat st;
	long open_size;

	feed(m, false, true, 0, 6, false);
	assert_int_equal(stat(file_path("whole.mkv"), &st), 0);
	open_size = st.st_size;
	copy_part("open.mkv", "whole.mkv", open_size);
	assert_int_equal(mux_finish(m), 0);
	mux_free(&m);
	assert_int_equal(mkv_repair_file(file_path("whole.mkv"), &r), 0);
	assert_true(r.complete);
	expect_near((double)r.duration_ms, 6000, 60);
	assert_int_equal(r.width, W);
	assert_int_equal(r.height, H);
	assert_int_equal(stat(file_path("whole.mkv"), &st), 0);
	for (int i = 0; i < 40; i++) {
		bool finished = i % 4 == 3; /* in the middle of being completed */
		long to = finished ? open_size + rand_r(&seed) % (st.st_size - open_size) :
				     rand_r(&seed) % open_size;
		int err;

		copy_part("cut.mkv", finished ? "whole.mkv" : "open.mkv", to);
		err = mkv_repair_file(file_path("cut.mkv"), &r);
		if (err) {
			assert_true((err == -EBADMSG || err == -ENODATA) && to < 8000);
			continue;
		}
		assert_false(r.complete);
		assert_int_equal(play(file_path("cut.mkv"), true, &p), 0);
		assert_string_equal(p.complaint, "");
		expect_near(p.duration_s, (double)r.duration_ms / 1000, 0.001);
		expect_near(p.duration_s, 6.0 * (double)to / (double)open_size, 1.1);
		assert_int_equal(mkv_repair_file(file_path("cut.mkv"), &r), 0);
		assert_true(r.complete);
	}
}

static int setup(void **state)
{
	struct video_source v;

	(void)state;
	make_tree(dir);
	video_source_open(&v, W, H, FPS);
	video_source_next(&v, 20, true, &dark);
	video_source_next(&v, 20, false, &dark_p);
	video_source_next(&v, 220, true, &bright);
	video_source_next(&v, 220, false, &bright_p);
	video_source_close(&v);
	silent_frame(&aac);
	return 0;
}

static int teardown(void **state)
{
	struct au *all[] = { &dark, &dark_p, &bright, &bright_p, &aac };

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		free(all[i]->p);
	remove_tree(dir);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plays_in_every_format),
		cmocka_unit_test(both_end_together),
		cmocka_unit_test(a_pause_leaves_no_gap),
		cmocka_unit_test(pauses_of_a_time_line),
		cmocka_unit_test(sizes_may_change),
		cmocka_unit_test(a_cut_file_is_repaired),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
