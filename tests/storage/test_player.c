/* Reading recordings from any place on: MP4 and Matroska, key frames both ways. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <libavutil/log.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mcu/base/clock.h"
#include "storage/player.h"

enum { SECONDS = 12, FPS = 25, GOP_S = 4 };

static char folder[] = "/tmp/mcu-player-XXXXXX";
static char mp4[64], mkv[64], sound[64], noise[64];

__attribute__((format(printf, 1, 2))) static void make(const char *fmt, ...)
{
	char cmd[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(cmd, sizeof cmd, fmt, ap);
	va_end(ap);
	assert_int_equal(system(cmd), 0);
}

static int make_files(void **state)
{
	static const char in[] = "ffmpeg -v error -f lavfi -i testsrc=s=64x64:r=25 -f lavfi -i sine=r=48000 -t 12 "
				 "-c:v libx264 -profile:v baseline -pix_fmt yuv420p -g 100 -sc_threshold 0 -bf 0";

	(void)state;
	role_enter(ROLE_ID_NONE);
	av_log_set_level(AV_LOG_QUIET);
	assert_non_null(mkdtemp(folder));
	snprintf(mp4, sizeof mp4, "%s/a.mp4", folder);
	snprintf(mkv, sizeof mkv, "%s/a.mkv", folder);
	snprintf(sound, sizeof sound, "%s/sound.mp4", folder);
	snprintf(noise, sizeof noise, "%s/noise.mp4", folder);
	make("%s -c:a aac %s", in, mp4);
	make("%s -c:a libopus %s", in, mkv);
	make("ffmpeg -v error -f lavfi -i sine=r=48000 -t 3 -c:a aac %s", sound);
	make("head -c 20000 /dev/urandom >%s", noise);
	return 0;
}

static int remove_files(void **state)
{
	(void)state;
	make("rm -r %s", folder);
	return 0;
}

static struct player *open_it(const char *path)
{
	struct player *p = NULL;

	assert_int_equal(player_open(&p, path), 0);
	return p;
}

static double seconds(const struct player_sample *s)
{
	return (double)s->npt_ns / NS_PER_S;
}

static void near(double a, double b, double by)
{
	if (a < b - by || a > b + by)
		fail_msg("%f is not %f", a, b);
}

static void what_is_in_a_file(void **state)
{
	static const uint8_t start[] = { 0, 0, 0, 1, 0x67 };
	struct player *p = open_it(mp4);
	const struct player_info *i = player_get_info(p);

	(void)state;
	near((double)i->duration_ns / NS_PER_S, SECONDS, 0.1);
	assert_true(i->track[PLAYER_VIDEO].there && i->track[PLAYER_AUDIO].there);
	assert_int_equal(i->track[PLAYER_VIDEO].codec, CODEC_H264);
	assert_int_equal(i->track[PLAYER_VIDEO].clock_hz, 90000);
	assert_memory_equal(i->track[PLAYER_VIDEO].config, start, sizeof start);
	assert_int_equal(i->track[PLAYER_AUDIO].codec, CODEC_AAC);
	assert_int_equal(i->track[PLAYER_AUDIO].clock_hz, 48000);
	assert_true(i->track[PLAYER_AUDIO].config_len >= 2);
	player_close(&p);
	p = open_it(mkv);
	assert_int_equal(player_get_info(p)->track[PLAYER_AUDIO].codec, CODEC_OPUS);
	player_close(&p);
	p = open_it(sound);
	assert_false(player_get_info(p)->track[PLAYER_VIDEO].there);
	player_close(&p);
}

/* All of it, in order, with everything that a decoder needs in each key frame. */
static void from_the_beginning(void **state)
{
	const char *files[] = { mp4, mkv };

	(void)state;
	for (int f = 0; f < 2; f++) {
		struct player *p = open_it(files[f]);
		int64_t last[PLAYER_TRACKS] = { -1, -1 };
		int pictures = 0, keys = 0, sounds = 0, more;
		struct player_sample s;

		while ((more = player_next(p, &s)) > 0) {
			assert_true(s.npt_ns > last[s.track]);
			assert_false(s.lead);
			last[s.track] = s.npt_ns;
			pictures += s.track == PLAYER_VIDEO;
			sounds += s.track == PLAYER_AUDIO;
			keys += s.track == PLAYER_VIDEO && s.key;
			if (s.track == PLAYER_VIDEO && s.key)
				assert_non_null(memmem(s.data, s.len, "\0\0\0\1\x67", 5));
		}
		assert_int_equal(more, 0);
		assert_int_equal(pictures, SECONDS * FPS);
		assert_int_equal(keys, SECONDS / GOP_S);
		assert_true(sounds > 500);
		near((double)last[PLAYER_AUDIO] / NS_PER_S, SECONDS, 0.1);
		player_close(&p);
	}
}

static void a_place_in_the_middle(void **state)
{
	static const double places[] = { 9.3, 2.5, 8.0, 11.9, 0 };
	const char *files[] = { mp4, mkv };

	(void)state;
	for (int f = 0; f < 2; f++) {
		struct player *p = open_it(files[f]);

		for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
			int64_t from = (int64_t)(places[i] * NS_PER_S);
			struct player_sample s;
			bool first = true;

			assert_int_equal(player_seek(p, from, 1), 0);
			for (;;) {
				assert_int_equal(player_next(p, &s), 1);
				if (s.track != PLAYER_VIDEO) {
					assert_true(s.npt_ns >= from);
					continue;
				}
				if (first)
					assert_true(s.key && s.npt_ns >= from - GOP_S * NS_PER_S);
				first = false;
				assert_int_equal(s.lead, s.npt_ns < from);
				if (!s.lead)
					break;
			}
			near(seconds(&s), places[i], 1.0 / FPS + 0.01);
		}
		player_close(&p);
	}
}

static void key_frames(struct player *p, double from, int scale, const double *want, size_t n)
{
	struct player_sample s;

	assert_int_equal(player_seek(p, (int64_t)(from * NS_PER_S), scale), 0);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(player_next(p, &s), 1);
		assert_true(s.key && s.track == PLAYER_VIDEO && !s.lead);
		near(seconds(&s), want[i], 0.01); /* in Matroska Opus begins before 0 */
	}
	assert_int_equal(player_next(p, &s), 0);
}

static void key_frames_both_ways(void **state)
{
	const char *files[] = { mp4, mkv };

	(void)state;
	for (int f = 0; f < 2; f++) {
		struct player *p = open_it(files[f]);

		key_frames(p, 0, 4, (double[]){ 0, 4, 8 }, 3);
		key_frames(p, 5, 2, (double[]){ 4, 8 }, 2);
		key_frames(p, 11, -4, (double[]){ 8, 4, 0 }, 3);
		key_frames(p, 3.9, -1, (double[]){ 0 }, 1);
		player_close(&p);
	}
}

static void what_cannot_be_played(void **state)
{
	struct player *p = NULL;
	char link[80];

	(void)state;
	assert_int_equal(player_open(&p, "/tmp/there-is-no-such-file.mp4"), -ENOENT);
	assert_int_equal(player_open(&p, noise), -EBADMSG);
	assert_int_equal(player_open(&p, "/dev/null"), -EBADMSG);
	snprintf(link, sizeof link, "%s/link.mp4", folder);
	assert_int_equal(symlink(mp4, link), 0);
	assert_int_equal(player_open(&p, link), -ELOOP);
	assert_null(p);
	p = open_it(sound);
	assert_int_equal(player_seek(p, 0, 4), -EBADMSG);
	player_close(&p);
}

/* Every cut of a file: refused or read, never more than that. */
static void torn_files(void **state)
{
	char torn[80];

	(void)state;
	snprintf(torn, sizeof torn, "%s/torn.mkv", folder);
	for (int n = 0; n < 20; n++) {
		struct player *p = NULL;
		struct player_sample s;

		make("head -c %d %s >%s", 500 + n * 9000, mkv, torn);
		if (player_open(&p, torn))
			continue;
		for (int i = 0; i < 2000 && player_next(p, &s) > 0; i++)
			;
		(void)player_seek(p, 7 * NS_PER_S, -2);
		(void)player_next(p, &s);
		player_close(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_in_a_file),	cmocka_unit_test(from_the_beginning),
		cmocka_unit_test(a_place_in_the_middle), cmocka_unit_test(key_frames_both_ways),
		cmocka_unit_test(what_cannot_be_played), cmocka_unit_test(torn_files),
	};

	return cmocka_run_group_tests(tests, make_files, remove_files);
}
