/* What live players get, part by part. */
#include "tests/storage/media.h"

#include <fcntl.h>

#include "mcu/base/clock.h"
#include "storage/av_feed.h"
#include "storage/live_cut.h"

enum { FPS = 30, PARTS_MAX = 256 };

#define ZERO 987654321000LL /* of the media clock */
#define MS NS_PER_MS

static const uint8_t asc[] = { 0x11, 0x88 }; /* AAC-LC, 48 kHz, mono */

static struct {
	struct live_cut *cut;
	struct video_source video;
	struct au sound;
	int fd, inits;
	unsigned width, height;
	char codecs[32];
	struct live_part part[PARTS_MAX];
	size_t n;
} the;

static void on_init(void *obj, const struct live_init *i)
{
	(void)obj;
	the.inits++;
	the.width = i->width;
	the.height = i->height;
	memcpy(the.codecs, i->codecs, sizeof the.codecs);
	assert_int_equal(write(the.fd, i->data, i->len), i->len);
}

static void on_part(void *obj, const struct live_part *p)
{
	(void)obj;
	assert_true(the.n < PARTS_MAX);
	the.part[the.n++] = *p;
	assert_int_equal(write(the.fd, p->data, p->len), p->len);
}

static char path[] = "/tmp/mcu-live-cut-XXXXXX";

static int setup(void **state)
{
	const struct live_cut_out to = { .init = on_init, .part = on_part };
	const struct live_cut_cfg cfg = {
		.fps = FPS, .aac_config = asc, .aac_config_len = sizeof asc, .sample_rate = 48000,
		.channels = 1, .part_ns = 350 * MS, .segment_ns = 1000 * MS,
	};

	(void)state;
	memset(&the, 0, sizeof the);
	strcpy(path, "/tmp/mcu-live-cut-XXXXXX");
	the.fd = mkstemp(path);
	assert_true(the.fd >= 0);
	assert_int_equal(live_cut_new(&the.cut, &cfg, &to), 0);
	video_source_open(&the.video, 320, 180, FPS);
	silent_frame(&the.sound);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	live_cut_free(&the.cut);
	video_source_close(&the.video);
	free(the.sound.p);
	close(the.fd);
	unlink(path);
	return 0;
}

static bool picture(int64_t ms, bool key)
{
	struct au u;
	bool taken;

	video_source_next(&the.video, 100, key, &u);
	taken = live_cut_video(the.cut, u.p, u.len, ZERO + ms * MS, u.key);
	free(u.p);
	return taken;
}

/* Pictures every third of 100 ms from one to another time, a key frame where asked. */
static void pictures(int from_ms, int to_ms, int key_every_ms)
{
	for (int i = from_ms * FPS / 1000; i < to_ms * FPS / 1000; i++) {
		int ms = i * 1000 / FPS;

		assert_true(picture(ms, ms % key_every_ms == 0));
		for (int s = ms * 48 / 1024; s < (i + 1) * 1000 / FPS * 48 / 1024; s++)
			assert_true(live_cut_audio(the.cut, the.sound.p, the.sound.len,
						   ZERO + s * 1024LL * NS_PER_S / 48000));
	}
}

static void assert_gapless(size_t from, size_t to)
{
	for (size_t i = from + 1; i < to; i++) {
		assert_int_equal(the.part[i].start_ns,
				 the.part[i - 1].start_ns + the.part[i - 1].duration_ns);
		assert_int_equal(the.part[i].first, the.part[i - 1].last);
		assert_int_equal(the.part[i].independent, the.part[i].first);
		assert_true(the.part[i].duration_ns <= 350 * MS);
	}
}

static void parts_and_segments_follow_each_other(void **state)
{
	struct played p;

	(void)state;
	pictures(0, 6000, 2000);
	live_cut_finish(the.cut);
	assert_int_equal(the.inits, 1);
	assert_int_equal(the.width, 320);
	assert_int_equal(the.height, 180);
	assert_memory_equal(the.codecs, "avc1.42c0", 9);
	assert_non_null(strstr(the.codecs, ",mp4a.40.2"));
	assert_int_equal(the.n, 18);
	assert_true(the.part[0].first && the.part[6].first && the.part[12].first);
	assert_int_equal(the.part[0].start_ns, ZERO);
	assert_true(the.part[17].last);
	assert_gapless(0, the.n);
	assert_int_equal(play(path, true, &p), 0);
	assert_int_equal(p.video_packets, 180);
	assert_int_equal(p.complaints, 0);
}

static void an_early_key_frame_begins_no_segment(void **state)
{
	(void)state;
	pictures(0, 600, 10000);
	assert_true(picture(600, true));
	pictures(634, 1000, 10000);
	assert_true(picture(1000, true));
	live_cut_finish(the.cut);
	for (size_t i = 1; i + 1 < the.n; i++)
		assert_false(the.part[i].first);
	assert_true(the.part[the.n - 1].first);
	assert_false(the.part[the.n - 1].breaks);
	assert_gapless(0, the.n);
}

/* Where nothing moves pictures come ten times a second, then thirty again. */
static void parts_are_never_too_long_at_a_change_of_rate(void **state)
{
	(void)state;
	pictures(0, 300, 10000);
	for (int ms = 300; ms < 2000; ms += 100)
		assert_true(picture(ms, false));
	pictures(2000, 3000, 10000);
	live_cut_finish(the.cut);
	assert_gapless(0, the.n);
	for (size_t i = 0; i + 1 < the.n; i++)
		assert_true(the.part[i].duration_ns >= 250 * MS);
}

static void another_size_is_another_section(void **state)
{
	(void)state;
	pictures(0, 500, 10000);
	video_source_close(&the.video);
	video_source_open(&the.video, 640, 360, FPS);
	assert_true(picture(500, true));
	live_cut_finish(the.cut);
	assert_int_equal(the.inits, 2);
	assert_int_equal(the.width, 640);
	assert_true(the.part[the.n - 2].last);
	assert_true(the.part[the.n - 1].first && the.part[the.n - 1].breaks);
	assert_false(the.part[0].breaks);
}

static void after_a_hole_it_goes_on_with_a_key_frame(void **state)
{
	struct au u;

	(void)state;
	video_source_next(&the.video, 100, true, &u); /* nobody gets it */
	free(u.p);
	assert_false(picture(34, false));
	assert_int_equal(the.inits, 0);
	assert_true(picture(500, true));
	assert_false(picture(500, false)); /* not newer */
	assert_false(picture(533, false));
	assert_false(live_cut_audio(the.cut, the.sound.p, the.sound.len, ZERO));
	assert_true(picture(5000, true));
	live_cut_finish(the.cut);
	assert_int_equal(the.n, 2);
	assert_true(the.part[1].breaks && the.part[1].first && the.part[0].last);
	assert_true(the.part[0].duration_ns < 40 * MS);
	assert_int_equal(the.part[1].start_ns, ZERO + 5000 * MS);
}

/* --- the rings before it ------------------------------------------------------------- */

static void put(struct av_feed *f, bool video, int64_t pts, bool key, size_t len)
{
	static uint8_t data[70000];
	struct buf b = { .data = data, .len = len };

	if (video)
		av_feed_video(f, &b, pts, key);
	else
		av_feed_audio(f, &b, pts);
}

static void sound_and_pictures_come_in_order_of_time(void **state)
{
	struct feed_packet p;
	struct av_feed *f;
	bool video;

	(void)state;
	assert_int_equal(av_feed_new(&f, 65536, 4096), 0);
	assert_false(av_feed_next(f, 0, 10, &p, &video));
	put(f, true, 90, false, 10); /* before the first key frame */
	put(f, true, 100, true, 10);
	assert_false(av_feed_next(f, 105, 10, &p, &video)); /* waits for its sound */
	put(f, false, 95, true, 10);
	put(f, false, 102, true, 10);
	assert_true(av_feed_next(f, 105, 10, &p, &video));
	assert_false(video);
	assert_int_equal(p.pts_ns, 95);
	av_feed_pop(f);
	assert_true(av_feed_next(f, 105, 10, &p, &video));
	assert_true(video && p.key);
	assert_int_equal(p.pts_ns, 100);
	av_feed_pop(f);
	assert_true(av_feed_next(f, 105, 10, &p, &video));
	assert_int_equal(p.pts_ns, 102);
	av_feed_pop(f);
	put(f, true, 120, false, 10); /* no sound comes any more */
	assert_false(av_feed_next(f, 129, 10, &p, &video));
	assert_true(av_feed_next(f, 130, 10, &p, &video));
	av_feed_pop(f);
	assert_int_equal(av_feed_dropped(f), 0);
	put(f, true, 130, false, 20000);
	put(f, true, 140, false, 60000); /* full */
	put(f, true, 150, false, 10);	 /* refers to it */
	assert_int_equal(av_feed_dropped(f), 1);
	assert_true(av_feed_next(f, 1000, 10, &p, &video));
	av_feed_pop(f);
	assert_false(av_feed_next(f, 1000, 10, &p, &video));
	put(f, true, 160, true, 10);
	assert_true(av_feed_next(f, 1000, 10, &p, &video));
	assert_int_equal(p.pts_ns, 160);
	av_feed_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(parts_and_segments_follow_each_other, setup, teardown),
		cmocka_unit_test_setup_teardown(an_early_key_frame_begins_no_segment, setup, teardown),
		cmocka_unit_test_setup_teardown(parts_are_never_too_long_at_a_change_of_rate, setup,
						teardown),
		cmocka_unit_test_setup_teardown(another_size_is_another_section, setup, teardown),
		cmocka_unit_test_setup_teardown(after_a_hole_it_goes_on_with_a_key_frame, setup,
						teardown),
		cmocka_unit_test(sound_and_pictures_come_in_order_of_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
