/* A class of one hour through the real recorder, with packets that were encoded
 * before: what is left to do when it is stopped, and what a player finds. */
#include "tests/storage/movie.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

#include "mcu/base/role.h"
#include "storage/db.h"
#include "storage/finish.h"
#include "storage/recorder.h"
#include "storage/recordings.h"
#include "storage/repository.h"

enum {
	SECONDS = 3600,
	FRAMES = SECONDS * MOVIE_FPS,
	LEAD_S = 60,              /* that may wait in the recorder's rings */
	WORK_BYTES = 3 << 19,     /* written behind the stop: the index, and no copy */
	READ_BYTES = 3 << 19,     /* of the finished file, to go anywhere: the index, and little else */
	WAIT_MS = 1, WAITS = 300000,
	ID = 77,
};

#define STARTED_MS 1711974896000LL /* 2024-04-01 12:34:56 UTC */

static char dir[] = "/tmp/mcu-hour-XXXXXX";
static struct movie_gop gop;
static struct mbox *box;
static struct db *db;
static struct volume *volume;
static struct recorder_result result;
static struct recording_row listed;
static bool ended, in_list;

static const char *full(const char *path)
{
	static char name[512];

	snprintf(name, sizeof(name), "%s/%s", dir, path);
	return name;
}

static void turn(void)
{
	struct pollfd p = { .fd = mbox_fd(box), .events = POLLIN };

	poll(&p, 1, WAIT_MS);
	mbox_run(box);
}

static void on_finished(void *obj, const struct recorder_result *r)
{
	(void)obj;
	result = *r;
	ended = true;
}

static void on_failed(void *obj, const struct errmsg *why, const struct recorder_result *r)
{
	(void)obj;
	(void)r;
	fail_msg("%s", why->text);
}

static void on_list(void *obj, int err, const struct recording_row *rows, size_t n)
{
	(void)obj;
	assert_int_equal(err, 0);
	in_list = n == 1 && rows[0].state == RECORDING_READY;
	if (n)
		listed = rows[0];
}

static void wait_until(struct recorder *r, int64_t ms)
{
	struct recorder_result now;
	int i = 0;

	do {
		recorder_progress(r, &now);
		if (now.duration_ms >= ms)
			return;
		volume_wake(volume);
		turn();
	} while (i++ < WAITS);
	fail_msg("the recorder has %lld of %lld ms", (long long)now.duration_ms, (long long)ms);
}

static struct buf as_buf(const struct au *u)
{
	return (struct buf){ .data = u->p, .len = u->len };
}

static void feed_the_hour(struct recorder *r)
{
	struct buf sound = as_buf(&gop.sound);
	int64_t n = 0, t;

	for (int i = 0; i < FRAMES; i++) {
		const struct au *u = &gop.bright[i % MOVIE_GOP];
		struct buf b = as_buf(u);
		int64_t at = clock_scale(i, NS_PER_S, MOVIE_FPS);

		recorder_video(r, &b, at, u->key);
		for (; (t = clock_scale(n * 1024, NS_PER_S, 48000)) <= at; n++)
			recorder_audio(r, &sound, t);
		if (i % MOVIE_FPS == 0)
			wait_until(r, (i / MOVIE_FPS - LEAD_S) * 1000);
	}
	wait_until(r, SECONDS * 1000 - 1000);
}

/* Octets that this process has written so far. */
static int64_t written(void)
{
	FILE *f = fopen("/proc/self/io", "r");
	char line[64];
	long long n = -1;

	assert_non_null(f);
	while (n < 0 && fgets(line, sizeof(line), f))
		if (sscanf(line, "wchar: %lld", &n) != 1)
			n = -1;
	fclose(f);
	return n;
}

struct span {
	int64_t n;
	double first, last, key, apart; /* key: the last key frame; apart: the most between two */
	bool falls;
};

/* Times only grow, and each stream's are those that were given, from end to end. */
static void assert_times(const char *path)
{
	AVFormatContext *fmt = NULL;
	AVPacket *p = av_packet_alloc();
	struct span span[2] = { 0 };

	assert_int_equal(avformat_open_input(&fmt, path, NULL, NULL), 0);
	assert_int_equal(fmt->nb_streams, 2);
	while (av_read_frame(fmt, p) == 0) {
		const AVStream *st = fmt->streams[p->stream_index];
		bool video = st->codecpar->codec_type == AVMEDIA_TYPE_VIDEO;
		struct span *s = &span[video ? 0 : 1];
		double t = (double)p->pts * av_q2d(st->time_base);

		if (!s->n++)
			s->first = t;
		else if (t <= s->last)
			s->falls = true;
		if (p->flags & AV_PKT_FLAG_KEY) {
			s->apart = t - s->key > s->apart ? t - s->key : s->apart;
			s->key = t;
		}
		s->last = t;
		av_packet_unref(p);
	}
	av_packet_free(&p);
	avformat_close_input(&fmt);
	assert_int_equal(span[0].n, FRAMES);
	assert_false(span[0].falls || span[1].falls);
	assert_true(span[0].apart <= 4);
	/* sound and picture, at the start and at the end, to less than a millisecond */
	assert_true(fabs(span[0].first) < 0.001 && fabs(span[1].first) < 0.001);
	assert_true(fabs(span[0].last - (double)(FRAMES - 1) / MOVIE_FPS) < 0.001);
	assert_true(fabs(span[1].last - (double)(span[1].n - 1) * 1024 / 48000) < 0.001);
	assert_true(fabs(span[1].last - span[0].last) < 0.1);
}

static void make_row(struct recording_row *row)
{
	*row = (struct recording_row){ .id = ID, .state = RECORDING_RECORDING,
				       .started_ms = STARTED_MS };
	assert_int_equal(repository_path(row->path, "class", STARTED_MS, ID), 0);
	assert_int_equal(recording_token(row->token), 0);
	assert_int_equal(recordings_create(db, row, NULL, NULL), 0);
}

/* Stops it, and waits for its row in the list, as a page does. */
static void stop(struct recorder **r)
{
	struct recording_change c = { .state = RECORDING_READY, .ended_ms = STARTED_MS + 3600000,
				      .finish = RECORDING_FINISH_QUEUED };

	recorder_stop(r);
	for (int i = 0; !ended && i < WAITS; i++)
		turn();
	c.bytes = result.bytes;
	c.duration_ms = result.duration_ms;
	assert_int_equal(recordings_update(db, ID, &c, NULL, NULL), 0);
	for (int i = 0; !in_list && i < WAITS; i++) {
		assert_int_equal(recordings_list(db, NULL, 0, 10, on_list, NULL), 0);
		turn();
	}
	assert_true(ended && in_list);
}

static void a_class_is_listed_and_playable_at_once(void **state)
{
	struct recorder_cfg c = { .fps = MOVIE_FPS,
				  .aac_config = movie_asc, .aac_config_len = sizeof(movie_asc),
				  .sample_rate = 48000, .channels = 1 };
	struct recorder_events ev = { .mbox = box, .finished = on_finished, .failed = on_failed };
	struct recording_row row;
	struct recorder *r = NULL;
	struct counted reads;
	int64_t before, began_ns;

	(void)state;
	make_row(&row);
	c.path = row.path;
	assert_int_equal(recorder_start(&r, volume, &c, &ev), 0);
	feed_the_hour(r);
	before = written();
	began_ns = clock_now_ns(&clock_monotonic);
	stop(&r);
	movie_seek(full(row.path), SECONDS / 2.0, &reads);
	print_message("listed and played %lld ms after the stop, %lld octets written\n",
		      (long long)((clock_now_ns(&clock_monotonic) - began_ns) / NS_PER_MS),
		      (long long)(written() - before));
	assert_int_equal(result.dropped_video + result.dropped_audio, 0);
	assert_true(written() - before < WORK_BYTES);
	assert_true(llabs(listed.duration_ms - SECONDS * 1000) < 100);
	assert_times(full(row.path));
}

/* The same file when it is finished. */
static void a_player_finds_its_way_with_few_reads(void **state)
{
	struct finish_cfg c = { .data_dir = dir, .path = listed.path, .remux = true };
	struct finish_result r;
	struct errmsg why = { 0 };
	struct counted early, late;

	(void)state;
	if (finish_run(&c, &r, &why))
		fail_msg("%s", why.text);
	assert_true(r.remuxed);
	assert_times(full(listed.path));
	movie_seek(full(listed.path), 60, &early);
	movie_seek(full(listed.path), SECONDS - 60, &late);
	print_message("to go to 1:00: %d jumps, %lld octets; to 59:00: %d jumps, %lld octets; all: "
		      "%lld\n", early.seeks, (long long)early.octets, late.seeks,
		      (long long)late.octets, (long long)r.bytes);
	assert_true(early.seeks <= 3 && late.seeks <= 3);
	assert_true(early.octets < READ_BYTES && late.octets < READ_BYTES);
}

static int set_up(void **state)
{
	struct errmsg why = { 0 };

	(void)state;
	role_enter(ROLE_ID_NONE);
	make_tree(dir);
	movie_gop_make(&gop);
	assert_int_equal(mbox_new(&box, 256), 0);
	assert_int_equal(db_open(&db, full("mcu.db"), box, &why), 0);
	assert_int_equal(volume_new(&volume, dir, &why), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	volume_free(&volume);
	db_close(&db);
	mbox_free(&box);
	movie_gop_free(&gop);
	remove_tree(dir);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_class_is_listed_and_playable_at_once),
		cmocka_unit_test(a_player_finds_its_way_with_few_reads),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
