#include "tests/storage/movie.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "mcu/base/role.h"
#include "storage/db_request.h"
#include "storage/finish.h"
#include "storage/finish_copy.h"
#include "storage/mp4_scan.h"
#include "storage/mkv.h"
#include "storage/repository.h"
#include "storage/tail.h"

/* 14 s, of which the first 4 are black. */
enum { FRAMES = 14 * MOVIE_FPS, BLACK = 4 * MOVIE_FPS, SHEET_N = 4 };

#define FOLDER "recordings/2024/04"
#define BASE FOLDER "/class-20240401T123456Z-77"
#define PATH BASE ".mp4"

static char dir[] = "/tmp/mcu-finish-XXXXXX";
static struct movie_gop gop;

static const char *full(const char *path)
{
	static char names[4][256];
	static int i;

	i = (i + 1) % 4;
	snprintf(names[i], sizeof(names[i]), "%s/%s", dir, path);
	return names[i];
}

static void clean(void)
{
	char cmd[256];

	snprintf(cmd, sizeof(cmd), "rm -rf '%s/recordings'", dir);
	assert_int_equal(system(cmd), 0);
}

static void movie(bool finished)
{
	clean();
	movie_write(&gop, dir, PATH, FRAMES, BLACK, finished);
}

static int run(struct finish_result *r, const struct finish_cfg *extra)
{
	struct finish_cfg c = extra ? *extra : (struct finish_cfg){ 0 };
	struct errmsg why = { 0 };

	c.data_dir = dir;
	c.path = PATH;
	c.remux = true;
	return finish_run(&c, r, &why);
}

/* Files in the recording's folder, those of runs that did not end among them. */
static void count_files(int *all, int *fresh)
{
	DIR *d = opendir(full(FOLDER));

	assert_non_null(d);
	*all = *fresh = 0;
	for (struct dirent *e; (e = readdir(d));) {
		if (e->d_name[0] == '.')
			continue;
		++*all;
		*fresh += strstr(e->d_name, ".new") != NULL;
	}
	closedir(d);
}

/* The types of the first boxes, as "ftypmoovmdat". */
static const char *top_boxes(const char *path)
{
	static char out[64];
	uint64_t at = 0;
	int n = 0, fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	while (at < (uint64_t)st.st_size && n < 60) {
		uint8_t p[16];
		struct mp4_header h;

		assert_int_equal(files_read_at(fd, at, p, sizeof(p)), 0);
		assert_int_equal(mp4_header_read(&h, p, sizeof(p), (uint64_t)st.st_size - at), 0);
		memcpy(out + n, p + 4, 4);
		n += 4;
		at += h.size;
	}
	out[n] = '\0';
	close(fd);
	return out;
}

static void assert_plays(const char *path)
{
	struct played p;

	assert_int_equal(play(path, true, &p), 0);
	if (p.complaints)
		fail_msg("%s", p.complaint);
	assert_int_equal(p.video_frames, FRAMES);
	assert_true(p.video_first_s == 0 && fabs(p.duration_s - 14) < 0.1);
	assert_true(fabs(p.audio_end_s - p.video_last_end_s) < 0.1);
}

static void assert_picture(const char *path, int w, int h, struct played *p)
{
	assert_int_equal(play(path, true, p), 0);
	assert_int_equal(p->complaints, 0);
	assert_int_equal(p->video_frames, 1);
	assert_int_equal(p->width, w);
	assert_int_equal(p->height, h);
}

static void assert_sum(const struct finish_result *r)
{
	char cmd[512], sum[RECORDING_SHA256_LEN + 1] = "";
	FILE *f;

	snprintf(cmd, sizeof(cmd), "sha256sum '%s'", full(PATH));
	f = popen(cmd, "r");
	assert_int_equal(fread(sum, 1, RECORDING_SHA256_LEN, f), RECORDING_SHA256_LEN);
	pclose(f);
	assert_string_equal(sum, r->sha256);
}

static void assert_finished(const struct finish_result *r)
{
	struct played p;
	struct stat st;
	int all, fresh;

	assert_plays(full(PATH));
	assert_string_equal(top_boxes(full(PATH)), "ftypmoovmdat");
	assert_int_equal(stat(full(PATH), &st), 0);
	assert_int_equal(r->bytes, st.st_size);
	assert_sum(r);
	assert_int_equal(r->parts, RECORDING_THUMBNAIL | RECORDING_SHEET | RECORDING_SCRUB);
	assert_picture(full(BASE ".jpg"), 640, 384, &p);
	assert_true(p.flash_s >= 0); /* not the black one at a tenth */
	assert_picture(full(BASE ".sheet.jpg"), SHEET_N * 160, 96, &p);
	count_files(&all, &fresh);
	assert_int_equal(all, 4);
	assert_int_equal(fresh, 0);
}

static void the_index_comes_in_front(void **state)
{
	(void)state;
	struct finish_result r;
	struct stat before, after;

	movie(true);
	assert_string_equal(top_boxes(full(PATH)), "ftypmdatmoov");
	assert_int_equal(run(&r, NULL), 0);
	assert_true(r.remuxed);
	assert_string_equal(r.note, "");
	assert_finished(&r);
	/* A second time there is nothing to do. */
	assert_int_equal(stat(full(PATH), &before), 0);
	assert_int_equal(run(&r, NULL), 0);
	assert_false(r.remuxed);
	assert_int_equal(stat(full(PATH), &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_finished(&r);
}

/* Every sample has the time it had, to the tick. */
static void no_time_changes(void **state)
{
	(void)state;
	struct finish_result r;
	struct played a, b;

	movie(true);
	assert_int_equal(play(full(PATH), true, &a), 0);
	assert_int_equal(run(&r, NULL), 0);
	assert_int_equal(play(full(PATH), true, &b), 0);
	assert_memory_equal(&a, &b, sizeof(a));
}

static void the_sheet_says_where_what_is(void **state)
{
	(void)state;
	static const char want[] =
		"WEBVTT\n\n00:00:00.000 --> 00:00:04.000\nsheet.jpg#xywh=0,0,160,96\n\n"
		"00:00:04.000 --> 00:00:08.000\nsheet.jpg#xywh=160,0,160,96\n\n"
		"00:00:08.000 --> 00:00:12.000\nsheet.jpg#xywh=320,0,160,96\n\n"
		"00:00:12.000 --> 00:00:16.000\nsheet.jpg#xywh=480,0,160,96\n";
	struct finish_result r;
	char text[1024] = "";
	FILE *f;

	movie(true);
	assert_int_equal(run(&r, NULL), 0);
	f = fopen(full(BASE ".scrub.vtt"), "r");
	assert_true(fread(text, 1, sizeof(text) - 1, f) > 0);
	fclose(f);
	assert_string_equal(text, want);
}

static int dies_at(void *obj, enum finish_step s)
{
	if (s == *(enum finish_step *)obj)
		_exit(9);
	return 0;
}

static int fails_at(void *obj, enum finish_step s)
{
	return s == *(enum finish_step *)obj ? -EIO : 0;
}

/* kill -9 behind every step: it plays, and the next run finishes it. */
static void it_may_die_at_any_step(void **state)
{
	(void)state;
	for (enum finish_step s = FINISH_CLEARED; s < FINISH_STEPS; s++) {
		struct finish_cfg c = { .step = dies_at, .obj = &s };
		struct finish_result r;
		int status;

		movie(true);
		pid_t child = fork();

		if (child == 0)
			_exit(run(&r, &c) ? 1 : 0);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 9);
		assert_plays(full(PATH));
		assert_string_equal(top_boxes(full(PATH)),
				    s < FINISH_SWAPPED ? "ftypmdatmoov" : "ftypmoovmdat");
		assert_int_equal(run(&r, NULL), 0);
		assert_finished(&r);
	}
}

static void it_may_fail_at_any_step(void **state)
{
	(void)state;
	for (enum finish_step s = FINISH_CLEARED; s < FINISH_STEPS; s++) {
		struct finish_cfg c = { .step = fails_at, .obj = &s };
		struct finish_result r;
		int all, fresh;

		movie(true);
		assert_int_equal(run(&r, &c), -EIO);
		assert_plays(full(PATH));
		count_files(&all, &fresh);
		assert_int_equal(fresh, 0);
		assert_int_equal(run(&r, NULL), 0);
		assert_finished(&r);
	}
}

/* A download that has begun goes on with the old file. */
static void whoever_reads_reads_on(void **state)
{
	(void)state;
	struct finish_result r;
	struct stat st;
	uint8_t *before, *after;
	int fd;

	movie(true);
	fd = open(full(PATH), O_RDONLY | O_CLOEXEC);
	assert_int_equal(fstat(fd, &st), 0);
	before = malloc((size_t)st.st_size);
	after = malloc((size_t)st.st_size);
	assert_int_equal(files_read_at(fd, 0, before, (size_t)st.st_size), 0);
	assert_int_equal(run(&r, NULL), 0);
	assert_true(r.remuxed);
	assert_int_equal(files_read_at(fd, 0, after, (size_t)st.st_size), 0);
	assert_memory_equal(before, after, (size_t)st.st_size);
	close(fd);
	free(before);
	free(after);
}

static int deletes(void *obj, enum finish_step s)
{
	if (s == *(enum finish_step *)obj)
		assert_int_equal(repository_unlink(dir, PATH), 0);
	return 0;
}

static void what_is_deleted_meanwhile_stays_so(void **state)
{
	(void)state;
	for (enum finish_step s = FINISH_CLEARED; s <= FINISH_PLACED; s++) {
		struct finish_cfg c = { .step = deletes, .obj = &s };
		struct finish_result r;
		int all, fresh;

		movie(true);
		assert_int_equal(run(&r, &c), -ENOENT);
		count_files(&all, &fresh);
		assert_int_equal(all, 0);
	}
}

static void a_torn_one_is_repaired_and_finished(void **state)
{
	(void)state;
	struct finish_result r;
	struct mp4_scan s;
	struct played p;
	uint64_t bytes;

	movie(false);
	assert_int_equal(truncate(full(PATH), 20000), 0);
	assert_int_equal(mp4_repair_file(full(PATH), &s, &bytes), 0);
	mp4_scan_free(&s);
	assert_int_equal(run(&r, NULL), 0);
	assert_true(r.remuxed);
	assert_string_equal(top_boxes(full(PATH)), "ftypmoovmdat");
	assert_int_equal(play(full(PATH), true, &p), 0);
	assert_int_equal(p.complaints, 0);
	assert_true(p.video_frames > 10);
	/* One that was never repaired, because its end was told in time. */
	movie(false);
	assert_int_equal(run(&r, NULL), 0);
	assert_string_equal(top_boxes(full(PATH)), "ftypmoovmdat");
}

/* One bad place with hours behind it: they are cut off, and kept. */
static void what_is_behind_damage_is_kept(void **state)
{
	static const struct movie_kind kinds[] = { { 0 }, { .matroska = true } };
	static const uint8_t bad[4096];

	(void)state;
	for (int i = 0; i < 4; i++) {
		const char *path = i % 2 ? BASE ".mkv" : PATH, *tail = i % 2 ? BASE ".mkv.tail" :
									      PATH ".tail";
		struct mp4_scan s = { 0 };
		struct mkv_report r;
		struct stat st;
		uint64_t bytes;
		int fd;

		clean();
		movie_write_as(&gop, dir, path, FRAMES, BLACK, false, &kinds[i % 2]);
		assert_int_equal(stat(full(path), &st), 0);
		fd = open(full(path), O_RDWR | O_CLOEXEC);
		assert_int_equal(files_write_at(fd, (uint64_t)st.st_size, bad, sizeof(bad)), 0);
		assert_int_equal(ftruncate(fd, st.st_size + TAIL_LEAST_BYTES), 0);
		if (i < 2) /* otherwise there are but zeros behind it */
			assert_int_equal(files_write_at(fd, (uint64_t)st.st_size + TAIL_LEAST_BYTES - 7,
							"hours", 5), 0);
		close(fd);
		if (i % 2) {
			assert_int_equal(mkv_repair_file(full(path), &r), 0);
		} else {
			assert_int_equal(mp4_repair_file(full(path), &s, &bytes), 0);
			mp4_scan_free(&s);
		}
		assert_int_equal(access(full(tail), F_OK), i < 2 ? 0 : -1);
		if (i < 2) {
			struct stat kept;

			assert_int_equal(stat(full(tail), &kept), 0);
			assert_int_equal(kept.st_size, TAIL_LEAST_BYTES);
			assert_int_equal(stat(full(path), &st), 0);
			assert_true(st.st_size < TAIL_LEAST_BYTES);
		}
		assert_int_equal(repository_unlink(dir, path), 0);
		assert_int_equal(access(full(tail), F_OK), -1);
	}
}

static void a_disk_without_room_keeps_the_original(void **state)
{
	(void)state;
	struct finish_cfg c = { .spare_bytes = INT64_MAX };
	struct finish_result r;

	movie(true);
	assert_int_equal(run(&r, &c), 0);
	assert_false(r.remuxed);
	assert_true(r.note[0]);
	assert_int_equal(r.parts, RECORDING_THUMBNAIL | RECORDING_SHEET | RECORDING_SCRUB);
	assert_plays(full(PATH));
	assert_sum(&r);
}

static void junk_is_left_as_it_is(void **state)
{
	(void)state;
	struct finish_result r;
	FILE *f;
	int all, fresh;

	movie(true);
	f = fopen(full(PATH), "w");
	fputs("not a movie at all, but long enough to have a header", f);
	fclose(f);
	assert_int_equal(run(&r, NULL), 0);
	assert_true(r.note[0]);
	assert_false(r.remuxed);
	assert_int_equal(r.parts, 0);
	count_files(&all, &fresh);
	assert_int_equal(all, 1);
	assert_int_equal(unlink(full(PATH)), 0);
	assert_int_equal(run(&r, NULL), -ENOENT);
}

/* Whatever the recorder writes: the same packets at the same times, found with a few
 * reads. */
static void every_kind_is_finished(void **state)
{
	static const struct movie_kind kinds[] = {
		{ .matroska = true }, { .matroska = true, .opus = true }, { .opus = true },
		{ .no_video = true }, { .no_video = true, .matroska = true, .opus = true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		const char *path = kinds[i].matroska ? BASE ".mkv" : PATH;
		struct finish_cfg c = { .data_dir = dir, .path = path, .remux = true };
		struct finish_result r;
		struct errmsg why;
		struct counted reads;
		struct played a, b;

		clean();
		movie_write_as(&gop, dir, path, FRAMES, BLACK, true, &kinds[i]);
		assert_int_equal(play(full(path), true, &a), 0);
		assert_int_equal(finish_run(&c, &r, &why), 0);
		if (!r.remuxed || r.note[0])
			fail_msg("kind %zu: %s", i, r.note);
		assert_int_equal(!!(r.parts & RECORDING_THUMBNAIL), !kinds[i].no_video);
		assert_int_equal(play(full(path), true, &b), 0);
		assert_int_equal(b.complaints, a.complaints);
		assert_int_equal(b.video_frames, a.video_frames);
		assert_int_equal(b.audio_frames, a.audio_frames);
		if (fabs(b.duration_s - a.duration_s) >= 0.1) /* with the last frame or without it */
			fail_msg("kind %zu lasts %f s instead of %f", i, b.duration_s, a.duration_s);
		assert_true(fabs(b.video_first_s - a.video_first_s) < 0.002);
		assert_true(fabs(b.audio_end_s - a.audio_end_s) < 0.002);
		if (!kinds[i].no_video) {
			movie_seek(full(path), 9, &reads);
			assert_true(reads.reads <= 6);
		}
		assert_int_equal(finish_run(&c, &r, &why), 0);
		assert_false(r.remuxed);
	}
}

static int ask(sqlite3 *conn, void *obj)
{
	char **q = obj;
	int64_t v = -1;
	int err = db_query_int(conn, &v, q[0], "");

	snprintf(q[1], 24, "%lld", (long long)v);
	return err;
}

static int64_t of_row(struct db *db, const char *what)
{
	char sql[128], text[24] = "";

	snprintf(sql, sizeof(sql), "SELECT %s FROM recordings", what);
	assert_int_equal(db_call(db, ask, (char *[]){ sql, text }), 0);
	return strtoll(text, NULL, 10);
}

static int execute(sqlite3 *conn, void *obj)
{
	return db_run(conn, obj, "");
}

static void start_again(struct db *db)
{
	struct repository_report rep;
	struct errmsg why;

	if (repository_reconcile(dir, db, &rep, &why))
		fail_msg("%s", why.text);
	assert_int_equal(rep.unreadable, 0);
}

/* When its row is lost, or it was not there at one start: it is not one that a recorder
 * wrote, and whole all the same. */
static void a_finished_one_is_known_again(void **state)
{
	static const struct movie_kind kind = { .matroska = true };
	const char *path = BASE ".mkv";
	struct finish_cfg c = { .data_dir = dir, .path = path, .remux = true };
	struct finish_result r;
	struct errmsg why = { 0 };
	struct mbox *m = NULL;
	struct db *db = NULL;
	struct played before, after;

	(void)state;
	clean();
	movie_write_as(&gop, dir, path, FRAMES, BLACK, true, &kind);
	assert_int_equal(finish_run(&c, &r, &why), 0);
	assert_true(r.remuxed);
	assert_int_equal(play(full(path), true, &before), 0);
	assert_int_equal(mbox_new(&m, 16), 0);
	assert_int_equal(db_open(&db, full("again.db"), m, &why), 0);

	start_again(db);
	assert_int_equal(of_row(db, "state = 'interrupted' AND error = ''"), 1);
	assert_int_equal(of_row(db, "finish = 'queued'"), 1);
	assert_int_equal(of_row(db, "bytes"), r.bytes);
	assert_in_range(of_row(db, "duration_ms"), 13900, 14100);
	assert_int_equal(of_row(db, "width"), MOVIE_W);
	assert_int_equal(of_row(db, "height"), MOVIE_H);

	/* one that was finished, and is as long as it was, is not finished anew */
	assert_int_equal(db_call(db, execute, "UPDATE recordings SET finish = 'done', sha256 = "
				 "hex(zeroblob(32)), duration_ms = 14001, state = 'ready'"), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(rename(full(path), full("elsewhere")), 0);
		start_again(db);
		assert_int_equal(of_row(db, "state = 'failed' AND error <> ''"), 1);
		assert_int_equal(rename(full("elsewhere"), full(path)), 0);
		start_again(db);
		assert_int_equal(of_row(db, "state = 'ready' AND error = ''"), 1);
		assert_int_equal(of_row(db, i ? "finish = 'queued'" : "finish = 'done'"), 1);
		assert_in_range(of_row(db, "duration_ms"), i ? 13900 : 14001, i ? 14100 : 14001);
		/* and one that is not is looked at */
		assert_int_equal(db_call(db, execute, "UPDATE recordings SET bytes = 1"), 0);
	}
	db_close(&db);
	mbox_free(&m);
	assert_int_equal(play(full(path), true, &after), 0);
	assert_int_equal(after.complaints, before.complaints);
	assert_int_equal(after.video_frames, before.video_frames);
	assert_int_equal(after.audio_frames, before.audio_frames);
}

/* What has lost a picture, or has other times, is not taken for the same. */
static void a_copy_that_differs_is_noticed(void **state)
{
	(void)state;
	movie(true);
	movie_write(&gop, dir, FOLDER "/short.mp4", FRAMES - 1, BLACK, true);
	movie_write(&gop, dir, FOLDER "/same.mp4", FRAMES, BLACK, true);
	assert_int_equal(finish_compare(full(PATH), full(FOLDER "/same.mp4"), NULL), 0);
	assert_int_equal(finish_compare(full(PATH), full(FOLDER "/short.mp4"), NULL), -EBADMSG);
}

static int setup(void **state)
{
	(void)state;
	role_enter(ROLE_ID_NONE);
	make_tree(dir);
	movie_gop_make(&gop);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	movie_gop_free(&gop);
	remove_tree(dir);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_index_comes_in_front),
		cmocka_unit_test(no_time_changes),
		cmocka_unit_test(the_sheet_says_where_what_is),
		cmocka_unit_test(it_may_die_at_any_step),
		cmocka_unit_test(it_may_fail_at_any_step),
		cmocka_unit_test(whoever_reads_reads_on),
		cmocka_unit_test(what_is_deleted_meanwhile_stays_so),
		cmocka_unit_test(a_torn_one_is_repaired_and_finished),
		cmocka_unit_test(what_is_behind_damage_is_kept),
		cmocka_unit_test(a_disk_without_room_keeps_the_original),
		cmocka_unit_test(junk_is_left_as_it_is),
		cmocka_unit_test(every_kind_is_finished),
		cmocka_unit_test(a_finished_one_is_known_again),
		cmocka_unit_test(a_copy_that_differs_is_noticed),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
