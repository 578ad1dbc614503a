#include "tests/storage/media.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include "mcu/base/clock.h"
#include "mcu/base/role.h"
#include "storage/db.h"
#include "storage/db_request.h"
#include "storage/files.h"
#include "storage/mux.h"
#include "storage/repository.h"
#include "storage/sessions.h"

enum { W = 160, H = 96, FPS = 15 };

#define STARTED_MS 1711974896000LL /* 2024-04-01 12:34:56 UTC */

static char dir[] = "/tmp/mcu-repo-XXXXXX";

static void paths_are_made_of_safe_parts(void **state)
{
	(void)state;
	static const struct {
		const char *room, *want;
	} cases[] = {
		{ "Daily", "recordings/2024/04/daily-20240401T123456Z-77.mp4" },
		{ "../../etc/passwd", "recordings/2024/04/etc-passwd-20240401T123456Z-77.mp4" },
		{ "회의실", "recordings/2024/04/room-20240401T123456Z-77.mp4" },
		{ "", "recordings/2024/04/room-20240401T123456Z-77.mp4" },
		{ "a--b  c.mp4/", "recordings/2024/04/a-b-c-mp4-20240401T123456Z-77.mp4" },
		{ "--x--", "recordings/2024/04/x-20240401T123456Z-77.mp4" },
		{ "abcdefghijklmnopqrstuvwxyz0123456789",
		  "recordings/2024/04/abcdefghijklmnopqrstuvwxyz012345-20240401T123456Z-77.mp4" },
		{ "A\n\x01;rm -rf $HOME", "recordings/2024/04/a-rm-rf-home-20240401T123456Z-77.mp4" },
	};
	char path[RECORDING_PATH_MAX + 1];
	int64_t started, id;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(repository_path(path, cases[i].room, STARTED_MS, 77), 0);
		assert_string_equal(path, cases[i].want);
		assert_true(repository_path_valid(path));
		assert_true(repository_path_parse(path, &started, &id));
		assert_int_equal(started, STARTED_MS);
		assert_int_equal(id, 77);
	}
	assert_int_equal(repository_path(path, "x", STARTED_MS, 0), -EINVAL);
}

static void other_paths_are_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"", "/etc/passwd", "recordings", "recordings/2024/04/",
		"recordings/2024/04/x.mp4",
		"recordings/2024/04/x-20240401T123456Z-.mp4",
		"recordings/2024/04/x-20240401T123456-77.mp4",
		"recordings/2024/04/x-20240401T123456Z-77.avi",
		"recordings/2024/04/x-20240401T123456Z-77.jpg",
		"recordings/2024/04/x-20240401T123456Z-77.sheet.jpg",
		"recordings/2024/04/x-20240401T123456Z-77.chapters.vtt",
		"recordings/2024/04/-20240401T123456Z-77.mp4x",
		"recordings/2024/4/x-20240401T123456Z-77.mp4",
		"recordings/2024/04/../04/x-20240401T123456Z-77.mp4",
		"recordings/2024/04/y/x-20240401T123456Z-77.mp4",
		"recordings/2024/04/..-20240401T123456Z-77.mp4/",
		"recordings/2024/04/a b-20240401T123456Z-77.mp4",
		"other/2024/04/x-20240401T123456Z-77.mp4",
		"recordings/2024/04/x-20240401T123456Z-99999999999999999.mp4",
		"recordings//2024/04/x-20240401T123456Z-77.mp4",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (repository_path_valid(bad[i]))
			fail_msg("taken: %s", bad[i]);
	assert_false(files_path_safe("a/../b"));
	assert_false(files_path_safe("/a"));
	assert_false(files_path_safe("a//b"));
	assert_false(files_path_safe("a/./b"));
	assert_false(files_path_safe("a\nb"));
	assert_true(files_path_safe("a/b..c/d"));
}

static void parts_lie_beside_the_file(void **state)
{
	static const struct {
		enum recording_part part;
		const char *ending;
	} cases[] = {
		{ RECORDING_THUMBNAIL, ".jpg" },
		{ RECORDING_SHEET, ".sheet.jpg" },
		{ RECORDING_SCRUB, ".scrub.vtt" },
		{ RECORDING_CHAPTERS, ".chapters.vtt" },
	};
	char path[RECORDING_PATH_MAX + 1], part[RECORDING_PATH_MAX + 1], full[512], want[256];

	(void)state;
	assert_int_equal(repository_path_as(path, RECORDING_MKV, "a.b", STARTED_MS, 77), 0);
	assert_string_equal(path, "recordings/2024/04/a-b-20240401T123456Z-77.mkv");
	assert_true(repository_path_valid(path));
	assert_string_equal(repository_media_type(path), "video/x-matroska");
	close(files_create(dir, path));
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(repository_part_path(part, path, cases[i].part), 0);
		snprintf(want, sizeof(want), "recordings/2024/04/a-b-20240401T123456Z-77%s",
			 cases[i].ending);
		assert_string_equal(part, want);
		assert_false(repository_path_valid(part));
		if (i)
			close(files_create(dir, part));
	}
	assert_string_equal(repository_media_type(part), "text/vtt; charset=utf-8");
	assert_int_equal(repository_part_path(part, "x", RECORDING_SHEET), -EINVAL);
	assert_int_equal(repository_part_path(part, path, (enum recording_part)3), -EINVAL);

	/* all of it goes, also when some of it has gone already */
	assert_int_equal(repository_unlink(dir, path), 0);
	snprintf(full, sizeof(full), "%s/recordings/2024/04", dir);
	assert_int_equal(rmdir(full), 0);
	assert_int_equal(repository_unlink(dir, path), 0);
	assert_int_equal(repository_unlink(dir, "../etc/passwd"), -EINVAL);
	assert_int_equal(repository_unlink(dir, "recordings/2024/04/x.mp4"), -EINVAL);
}

/* A recording of n pictures, completed or as a dead process leaves it. */
static void record(const char *path, int n, bool finish)
{
	struct mux_cfg c = { .fps = FPS, .fragment_ns = 300 * NS_PER_MS, .sync_ns = NS_PER_S };
	struct video_source v;
	struct mux *m = NULL;
	int fd = files_create(dir, path);

	assert_true(fd >= 0);
	assert_int_equal(mux_new(&m, fd, &c), 0);
	video_source_open(&v, W, H, FPS);
	for (int i = 0; i < n; i++) {
		struct au u;

		video_source_next(&v, 50 + i, i == 0, &u);
		assert_int_equal(mux_video(m, u.p, u.len, clock_scale(i, NS_PER_S, FPS), u.key), 0);
		free(u.p);
	}
	if (finish)
		assert_int_equal(mux_finish(m), 0);
	mux_free(&m);
	video_source_close(&v);
}

static void append(const char *path, const char *what)
{
	char full[256];

	snprintf(full, sizeof(full), "%s/%s", dir, path);
	int fd = open(full, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

	assert_int_equal(write(fd, what, strlen(what)), strlen(what));
	close(fd);
}

static int64_t row(struct db *db, const char *room, const char *path, enum recording_state s,
		   int64_t session)
{
	struct recording_row r = { .id = db_new_id(), .session_id = session, .state = s,
				   .started_ms = STARTED_MS };

	snprintf(r.room, sizeof(r.room), "%s", room);
	snprintf(r.path, sizeof(r.path), "%s", path);
	assert_int_equal(recording_token(r.token), 0);
	assert_int_equal(recordings_create(db, &r, NULL, NULL), 0);
	return r.id;
}

struct question {
	const char *sql, *text;
	int64_t answer;
};

static int ask_fn(sqlite3 *conn, void *obj)
{
	struct question *q = obj;

	return db_query_int(conn, &q->answer, q->sql, q->text ? "t" : "", q->text);
}

static int64_t ask(struct db *db, const char *sql, const char *text)
{
	struct question q = { sql, text, -1 };

	assert_int_equal(db_call(db, ask_fn, &q), 0);
	return q.answer;
}

static void assert_row(struct db *db, const char *path, const char *state, int64_t duration_ms)
{
	char sql[256];

	snprintf(sql, sizeof(sql), "SELECT count(*) FROM recordings WHERE path = ? AND state = '%s'",
		 state);
	if (ask(db, sql, path) != 1)
		fail_msg("%s is not %s", path, state);
	assert_int_equal(ask(db, "SELECT duration_ms FROM recordings WHERE path = ?", path),
			 duration_ms);
}

/* What is on the disk and in the registry when the process starts again. */
static const char *const p[] = {
	"recordings/2024/04/a-20240401T123456Z-101.mp4", /* killed while recording */
	"recordings/2024/04/b-20240401T123456Z-102.mp4", /* killed after completing */
	"recordings/2024/04/c-20240401T123456Z-103.mp4", /* file gone */
	"recordings/2024/04/d-20240401T123456Z-104.mp4", /* ready */
	"recordings/2024/04/e-20240401T123456Z-105.mp4", /* ready, file gone */
	"recordings/2024/05/f-20240501T000000Z-106.mp4", /* orphan, torn */
	"recordings/2024/05/g-20240501T000000Z-107.mp4", /* orphan, junk */
	"recordings/2024/04/h-20240401T123456Z-108.mp4", /* killed at once */
	"recordings/2024/05/i-20240501T000000Z-109.mp4", /* orphan, whole */
};

static void leave_a_mess(struct db *db)
{
	int64_t s = db_new_id();

	record(p[0], 30, false);
	append(p[0], "a torn tail");
	record(p[1], 30, true);
	record(p[3], 15, true);
	record(p[5], 30, false);
	append(p[5], "\x00\x00\x10");
	append(p[6], "not a movie");
	append(p[7], "");
	record(p[8], 15, true);
	append("recordings/2024/05/notes.txt", "somebody else's");
	append("recordings/README", "somebody else's");
	assert_int_equal(sessions_begin(db, s, "a", 1000, NULL, NULL), 0);
	assert_int_equal(sessions_participant_joined(db, db_new_id(), s, 1, "Ada", 0, 1000, NULL,
						     NULL), 0);
	row(db, "a", p[0], RECORDING_RECORDING, s);
	row(db, "a", p[1], RECORDING_FINISHING, s);
	row(db, "a", p[2], RECORDING_RECORDING, s);
	row(db, "a", p[3], RECORDING_READY, s);
	row(db, "a", p[4], RECORDING_READY, s);
	row(db, "a", p[7], RECORDING_RECORDING, s);
}

static void assert_rows(struct db *db)
{
	/* 300 ms fragments of 15 fps: 5 pictures each; the last 5 were not written */
	assert_row(db, p[0], "interrupted", 1666);
	assert_row(db, p[1], "ready", 2000);
	assert_row(db, p[2], "failed", 0);
	assert_row(db, p[3], "ready", 0);
	assert_row(db, p[4], "failed", 0);
	assert_row(db, p[5], "interrupted", 1666);
	assert_row(db, p[6], "failed", 0);
	assert_row(db, p[7], "failed", 0);
	assert_row(db, p[8], "interrupted", 1000);
	assert_int_equal(ask(db, "SELECT id FROM recordings WHERE path = ?", p[5]), 106);
	assert_int_equal(ask(db, "SELECT started_ms FROM recordings WHERE path = ?", p[5]),
			 1714521600000);
	assert_int_equal(ask(db, "SELECT width FROM recordings WHERE path = ?", p[5]), W);
	assert_int_equal(ask(db, "SELECT count(*) FROM recordings WHERE room_id IS NULL", NULL), 3);
	assert_int_equal(ask(db, "SELECT count(*) FROM sessions WHERE end_reason = 'crash' AND "
				 "ended_ms = 1000", NULL), 1);
	assert_int_equal(ask(db, "SELECT count(*) FROM participants WHERE leave_reason = 'crash'",
			     NULL), 1);
}

static void files_and_rows_are_reconciled(void **state)
{
	(void)state;
	struct mbox *m = NULL;
	struct db *db = NULL;
	struct errmsg why = { 0 };
	struct repository_report rep;
	struct played pl;
	char path[256];

	assert_int_equal(mbox_new(&m, 16), 0);
	snprintf(path, sizeof(path), "%s/mcu.db", dir);
	assert_int_equal(db_open(&db, path, m, &why), 0);
	leave_a_mess(db);
	if (repository_reconcile(dir, db, &rep, &why))
		fail_msg("%s", why.text);
	assert_int_equal(rep.interrupted, 1);
	assert_int_equal(rep.missing, 2);
	assert_int_equal(rep.adopted, 3);
	assert_int_equal(rep.unreadable, 2);
	assert_int_equal(rep.sessions_ended, 1);
	assert_rows(db);
	snprintf(path, sizeof(path), "%s/%s", dir, p[0]);
	assert_int_equal(play(path, true, &pl), 0);
	assert_int_equal(pl.complaints, 0);
	assert_int_equal(pl.video_frames, 25);

	/* a second start finds nothing to do; a file that came back is listed again */
	record(p[4], 15, true);
	assert_int_equal(repository_reconcile(dir, db, &rep, &why), 0);
	assert_int_equal(rep.interrupted + rep.missing + rep.adopted + rep.unreadable +
			 rep.sessions_ended, 0);
	assert_row(db, p[4], "ready", 1000);
	assert_int_equal(ask(db, "SELECT error = '' FROM recordings WHERE path = ?", p[4]), 1);
	assert_int_equal(ask(db, "SELECT count(*) FROM recordings", NULL), 9);
	snprintf(path, sizeof(path), "%s/recordings/2024/05/notes.txt", dir);
	assert_int_equal(access(path, F_OK), 0);
	snprintf(path, sizeof(path), "%s/%s", dir, p[6]);
	assert_int_equal(access(path, F_OK), 0);
	db_close(&db);
	mbox_free(&m);
}

static int setup(void **state)
{
	(void)state;
	role_enter(ROLE_ID_NONE);
	make_tree(dir);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	remove_tree(dir);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_are_made_of_safe_parts),
		cmocka_unit_test(other_paths_are_refused),
		cmocka_unit_test(parts_lie_beside_the_file),
		cmocka_unit_test(files_and_rows_are_reconciled),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
