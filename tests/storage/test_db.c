#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "mcu/base/role.h"
#include "storage/db.h"
#include "storage/db_request.h"
#include "storage/migrations.h"
#include "storage/recordings.h"
#include "storage/rooms.h"
#include "storage/sessions.h"
#include "storage/users.h"

static char dir[] = "/tmp/mcu-db-XXXXXX";

static const char *file_path(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

struct rig {
	struct mbox *mbox;
	struct db *db;
	int replies, err;
	int64_t id;
	struct room_row room;
	char settings[256];
	struct user_row user;
	struct recording_row rec[8];
	size_t n;
};

static void rig_open(struct rig *g, const char *name)
{
	struct errmsg why = { 0 };

	*g = (struct rig){ 0 };
	assert_int_equal(mbox_new(&g->mbox, 64), 0);
	if (db_open(&g->db, file_path(name), g->mbox, &why))
		fail_msg("%s", why.text);
}

static void rig_close(struct rig *g)
{
	db_close(&g->db);
	assert_null(g->db);
	mbox_free(&g->mbox);
}

static void wait_replies(struct rig *g, int n)
{
	struct pollfd p = { .fd = mbox_fd(g->mbox), .events = POLLIN };

	while (g->replies < n) {
		assert_int_equal(poll(&p, 1, 10000), 1);
		mbox_run(g->mbox);
	}
	assert_int_equal(g->replies, n);
	g->replies = 0;
}

static void on_room(void *obj, int err, const struct room_row *row)
{
	struct rig *g = obj;

	g->replies++;
	g->err = err;
	assert_int_equal(err != 0, row == NULL);
	if (row) {
		g->room = *row;
		snprintf(g->settings, sizeof(g->settings), "%s", row->settings_json);
	}
}

static void on_user(void *obj, int err, const struct user_row *row)
{
	struct rig *g = obj;

	g->replies++;
	g->err = err;
	if (row)
		g->user = *row;
}

static void on_session(void *obj, int err, int64_t id)
{
	struct rig *g = obj;

	g->replies++;
	g->err = err;
	g->id = id;
}

static void on_recording(void *obj, int err, const struct recording_row *row)
{
	struct rig *g = obj;

	g->replies++;
	g->err = err;
	if (row)
		g->rec[0] = *row;
}

static void on_list(void *obj, int err, const struct recording_row *rows, size_t n)
{
	struct rig *g = obj;

	g->replies++;
	g->err = err;
	g->n = n;
	assert_true(n <= 8);
	memcpy(g->rec, rows, n * sizeof(*rows));
}

/* A number from the database, asked on its thread. */
struct question {
	const char *sql;
	int64_t answer;
};

static int ask_fn(sqlite3 *conn, void *obj)
{
	struct question *q = obj;

	return db_query_int(conn, &q->answer, q->sql, "");
}

static int64_t ask(struct rig *g, const char *sql)
{
	struct question q = { sql, -1 };

	assert_int_equal(db_call(g->db, ask_fn, &q), 0);
	return q.answer;
}

static void is_set_up(void **state)
{
	(void)state;
	struct rig g;

	rig_open(&g, "new.db");
	assert_int_equal(ask(&g, "PRAGMA user_version"), migrations_count);
	assert_int_equal(ask(&g, "PRAGMA foreign_keys"), 1);
	assert_int_equal(ask(&g, "PRAGMA synchronous"), 1);
	assert_int_equal(ask(&g, "SELECT count(*) FROM pragma_journal_mode "
				 "WHERE journal_mode = 'wal'"), 1);
	rig_close(&g);
	rig_open(&g, "new.db"); /* and opens again */
	assert_int_equal(ask(&g, "PRAGMA user_version"), migrations_count);
	/* two servers on one database would repair each other's recordings */
	struct db *second = NULL;
	struct errmsg why = { 0 };

	assert_int_equal(db_open(&second, file_path("new.db"), g.mbox, &why), -EBUSY);
	assert_string_equal(why.code, "db_in_use");
	rig_close(&g);
}

static void rooms_round_trip(void **state)
{
	(void)state;
	static const char *const names[] = {
		"daily", "Robert'); DROP TABLE rooms;--", "\" OR 1=1 --", "회의실", "会議室 ½",
		"%s%n_%", "a\nb\tc", "'", "?1",
	};
	const size_t n = sizeof(names) / sizeof(*names);
	struct rig g;

	rig_open(&g, "rooms.db");
	for (size_t i = 0; i < n; i++)
		assert_int_equal(rooms_upsert(g.db, names[i], names[n - 1 - i],
					      "{\"pin\":\"'1\"}", on_room, &g), 0);
	wait_replies(&g, (int)n);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(rooms_find(g.db, names[i], on_room, &g), 0);
		wait_replies(&g, 1);
		assert_int_equal(g.err, 0);
		assert_string_equal(g.room.name, names[i]);
		assert_string_equal(g.room.title, names[n - 1 - i]);
		assert_string_equal(g.settings, "{\"pin\":\"'1\"}");
		assert_true(g.room.created_ms > 1700000000000);
	}
	assert_int_equal(ask(&g, "SELECT count(*) FROM rooms"), n);
	int64_t id = g.room.id;

	/* NULL leaves as it is */
	assert_int_equal(rooms_upsert(g.db, "?1", NULL, NULL, on_room, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.room.id, id);
	assert_string_equal(g.settings, "{\"pin\":\"'1\"}");
	assert_int_equal(rooms_upsert(g.db, "?1", "new", NULL, on_room, &g), 0);
	wait_replies(&g, 1);
	assert_string_equal(g.room.title, "new");

	assert_int_equal(rooms_find(g.db, "nowhere", on_room, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.err, -ENOENT);
	assert_int_equal(rooms_upsert(g.db, "bad", NULL, "{not json", on_room, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.err, -EINVAL);
	char longer[DB_NAME_MAX + 2];

	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(rooms_find(g.db, longer, on_room, &g), -EINVAL);
	assert_int_equal(rooms_find(g.db, "", on_room, &g), -EINVAL);
	rig_close(&g);
}

static void sessions_and_participants(void **state)
{
	(void)state;
	struct rig g;
	int64_t s, p1, p2;

	rig_open(&g, "sessions.db");
	s = db_new_id();
	p1 = db_new_id();
	p2 = db_new_id();
	assert_true(s > 0 && p1 > s && p2 > p1 && p2 < 1LL << 53);
	assert_int_equal(sessions_begin(g.db, s, "room'", 1000, on_session, &g), 0);
	assert_int_equal(sessions_participant_joined(g.db, p1, s, 7, "A; --", 0, 1001, NULL, NULL),
			 0);
	assert_int_equal(sessions_participant_joined(g.db, p2, s, 8, "B", 0, 1002, on_session, &g),
			 0);
	wait_replies(&g, 2);
	assert_int_equal(g.err, 0);
	assert_int_equal(g.id, p2);
	assert_int_equal(sessions_participant_left(g.db, p1, 2000, "lost", on_session, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.err, 0);
	assert_int_equal(sessions_participant_left(g.db, p1, 2001, "left", on_session, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.err, -ENOENT); /* only once */
	assert_int_equal(sessions_end(g.db, s, 3000, "empty", on_session, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(ask(&g, "SELECT left_ms FROM participants WHERE leg = 7"), 2000);
	assert_int_equal(ask(&g, "SELECT left_ms FROM participants WHERE leg = 8 AND "
				 "leave_reason = 'empty' AND user_id IS NULL"), 3000);
	assert_int_equal(ask(&g, "SELECT ended_ms FROM sessions WHERE end_reason = 'empty'"), 3000);
	assert_int_equal(ask(&g, "SELECT count(*) FROM participants WHERE name = 'A; --'"), 1);

	/* constraints: unknown session, unknown user, id taken */
	assert_int_equal(sessions_participant_joined(g.db, db_new_id(), 99, 1, "C", 0, 1,
						     on_session, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.err, -EINVAL);
	assert_int_equal(sessions_participant_joined(g.db, db_new_id(), s, 1, "C", 99, 1,
						     on_session, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.err, -EINVAL);
	assert_int_equal(sessions_begin(g.db, s, "other", 1, on_session, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.err, -EEXIST);
	/* and a failed begin leaves nothing behind */
	assert_int_equal(ask(&g, "SELECT count(*) FROM rooms WHERE name = 'other'"), 0);
	rig_close(&g);
}

static struct recording_row recording(const char *room, const char *path)
{
	struct recording_row r = { .id = db_new_id(), .state = RECORDING_RECORDING,
				   .started_ms = 5000, .width = 1280, .height = 720 };

	snprintf(r.room, sizeof(r.room), "%s", room);
	snprintf(r.path, sizeof(r.path), "%s", path);
	snprintf(r.by, sizeof(r.by), "%s", "Ada");
	assert_int_equal(recording_token(r.token), 0);
	return r;
}

static void recordings_round_trip(void **state)
{
	(void)state;
	struct rig g;
	struct recording_row a = recording("one", "recordings/a.mp4");
	struct recording_row b = recording("two", "recordings/b.mp4");
	struct recording_row same = recording("two", "recordings/b.mp4");
	struct recording_change c = { .state = RECORDING_READY, .ended_ms = 9000,
				      .duration_ms = 4000, .bytes = 1LL << 40 };

	assert_string_not_equal(a.token, b.token);
	rig_open(&g, "rec.db");
	assert_int_equal(recordings_create(g.db, &a, on_recording, &g), 0);
	assert_int_equal(recordings_create(g.db, &b, on_recording, &g), 0);
	wait_replies(&g, 2);
	assert_int_equal(g.err, 0);
	assert_string_equal(g.rec[0].room, "two");
	assert_true(g.rec[0].room_id > 0);
	assert_int_equal(g.rec[0].session_id, 0);
	assert_int_equal(recordings_create(g.db, &same, on_recording, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.err, -EEXIST);
	a.session_id = 12345;
	a.id = db_new_id();
	snprintf(a.path, sizeof(a.path), "x");
	assert_int_equal(recordings_create(g.db, &a, on_recording, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.err, -EEXIST); /* the token */

	assert_int_equal(recordings_update(g.db, b.id, &c, on_recording, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.rec[0].state, RECORDING_READY);
	assert_int_equal(g.rec[0].bytes, 1LL << 40);
	assert_int_equal(g.rec[0].duration_ms, 4000);
	assert_string_equal(g.rec[0].by, "Ada");
	c = (struct recording_change){ .state = RECORDING_FAILED, .error = "The disk is full." };
	assert_int_equal(recordings_update(g.db, b.id, &c, on_recording, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.rec[0].state, RECORDING_FAILED);
	assert_string_equal(g.rec[0].error, "The disk is full.");
	assert_int_equal(g.rec[0].ended_ms, 9000);
	assert_int_equal(recordings_update(g.db, 1, &c, on_recording, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.err, -ENOENT);

	assert_int_equal(recordings_get(g.db, b.id, b.token, on_recording, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.err, 0);
	assert_string_equal(g.rec[0].path, "recordings/b.mp4");
	const char *wrong[] = { "", "0", a.token, "' OR 1=1 --",
				"00000000000000000000000000000000000000000000000000" };

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		assert_int_equal(recordings_get(g.db, b.id, wrong[i], on_recording, &g), 0);
		wait_replies(&g, 1);
		assert_int_equal(g.err, -ENOENT);
	}
	assert_int_equal(recordings_get(g.db, b.id, NULL, on_recording, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.err, 0);

	assert_int_equal(recordings_list(g.db, NULL, 0, 8, on_list, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.n, 2);
	assert_int_equal(g.rec[0].id, b.id);
	assert_int_equal(recordings_list(g.db, NULL, b.id, 8, on_list, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.n, 1);
	assert_int_equal(recordings_list(g.db, "two", 0, 8, on_list, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.n, 1);
	assert_int_equal(recordings_list(g.db, "' OR ''='", 0, 8, on_list, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.n, 0);
	assert_int_equal(recordings_list(g.db, NULL, 0, 0, on_list, &g), -EINVAL);
	rig_close(&g);
}

static void users_and_passwords(void **state)
{
	(void)state;
	struct rig g;
	char password[FIRST_ADMIN_PASSWORD_LEN + 1], hash[PASSWORD_HASH_MAX];
	struct errmsg why = { 0 };

	rig_open(&g, "users.db");
	assert_int_equal(users_first_admin(g.db, password, &why), 1);
	assert_int_equal(strlen(password), FIRST_ADMIN_PASSWORD_LEN);
	assert_int_equal(users_find(g.db, "admin", on_user, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.user.role, USER_ADMIN);
	assert_non_null(strstr(g.user.password_hash, "$argon2id$v=19$m=65536,t=3,p=1$"));
	assert_int_equal(password_check(g.user.password_hash, password), 0);
	password[3] ^= 1;
	assert_int_equal(password_check(g.user.password_hash, password), -EACCES);
	assert_int_equal(password_check(g.user.password_hash, ""), -EACCES);
	assert_int_equal(password_check("plain", "plain"), -EINVAL);
	assert_int_equal(users_first_admin(g.db, password, &why), 0);
	assert_string_equal(password, "");

	assert_int_equal(password_hash(hash, "pässwort"), 0);
	assert_int_equal(password_hash(hash, ""), -EINVAL);
	assert_int_equal(users_create(g.db, "o'neil", hash, USER_HOST, on_user, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.err, 0);
	assert_int_equal(users_create(g.db, "o'neil", hash, USER_HOST, on_user, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.err, -EEXIST);
	assert_int_equal(users_create(g.db, "x", "secret", USER_HOST, on_user, &g), -EINVAL);
	rig_close(&g);
}

static void *slurp(const char *path, size_t *len)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0 && fstat(fd, &st) == 0);
	void *p = malloc((size_t)st.st_size + 1);

	assert_int_equal(read(fd, p, (size_t)st.st_size), st.st_size);
	close(fd);
	*len = (size_t)st.st_size;
	return p;
}

static void refused_untouched(const char *name, int want, const char *code)
{
	struct mbox *m = NULL;
	struct db *db = NULL;
	struct errmsg why = { 0 };
	size_t before_len, after_len;
	const char *path = file_path(name);
	void *before = slurp(path, &before_len);

	assert_int_equal(mbox_new(&m, 8), 0);
	assert_int_equal(db_open(&db, path, m, &why), want);
	assert_null(db);
	assert_string_equal(why.code, code);
	assert_non_null(strstr(why.text, path));
	assert_non_null(strstr(why.text, "not changed"));
	void *after = slurp(path, &after_len);

	assert_int_equal(before_len, after_len);
	assert_memory_equal(before, after, before_len);
	free(before);
	free(after);
	mbox_free(&m);
}

static void damaged_file_is_named_and_untouched(void **state)
{
	(void)state;
	struct rig g;
	char text[4096];

	memset(text, 'x', sizeof(text));
	int fd = open(file_path("text.db"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_int_equal(write(fd, text, sizeof(text)), sizeof(text));
	close(fd);
	refused_untouched("text.db", -EBADMSG, "db_damaged");

	rig_open(&g, "hurt.db");
	for (int i = 0; i < 300; i++) {
		char name[64];

		snprintf(name, sizeof(name), "room number %d with a name of some length", i);
		assert_int_equal(rooms_upsert(g.db, name, name, NULL, i == 299 ? on_room : NULL,
					      &g), 0);
	}
	wait_replies(&g, 1);
	rig_close(&g);
	fd = open(file_path("hurt.db"), O_WRONLY | O_CLOEXEC);
	for (off_t at = 4096; at < 20 * 4096; at += 4096)
		assert_int_equal(pwrite(fd, text, 600, at), 600);
	close(fd);
	refused_untouched("hurt.db", -EBADMSG, "db_damaged");
}

static void newer_file_is_refused(void **state)
{
	(void)state;
	struct rig g;
	sqlite3 *conn;

	rig_open(&g, "newer.db");
	rig_close(&g);
	assert_int_equal(sqlite3_open(file_path("newer.db"), &conn), SQLITE_OK);
	assert_int_equal(sqlite3_exec(conn, "PRAGMA user_version = 4711", NULL, NULL, NULL), 0);
	sqlite3_close(conn);
	refused_untouched("newer.db", -EPROTO, "db_newer");
}

static void failed_migration_leaves_the_step_before(void **state)
{
	(void)state;
	static const struct migration steps[] = {
		{ "one", "CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1);" },
		{ "two", "INSERT INTO t VALUES (2); CREATE TABLE u (b TEXT);" },
		{ "three", "INSERT INTO t VALUES (3); CREATE TABLE broken (;" },
	};
	sqlite3 *conn;
	struct errmsg why = { 0 };
	int64_t v = 0;

	assert_int_equal(sqlite3_open(":memory:", &conn), SQLITE_OK);
	assert_int_equal(migrations_apply(conn, "x.db", steps, 1, &why), 0);
	assert_int_not_equal(migrations_apply(conn, "x.db", steps, 3, &why), 0);
	assert_string_equal(why.code, "db_migration_failed");
	assert_non_null(strstr(why.text, "x.db"));
	assert_non_null(strstr(why.text, "three"));
	assert_int_equal(db_query_int(conn, &v, "PRAGMA user_version", ""), 0);
	assert_int_equal(v, 2);
	assert_int_equal(db_query_int(conn, &v, "SELECT sum(a) FROM t", ""), 0);
	assert_int_equal(v, 3);
	assert_true(sqlite3_get_autocommit(conn));
	sqlite3_close(conn);
}

/* kill -9 loses no write that was answered. */
static void killed_process_loses_nothing(void **state)
{
	(void)state;
	struct rig g;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	pid_t pid = fork();

	if (pid == 0) {
		rig_open(&g, "kill.db");
		for (int i = 0;; i++) {
			char name[32];

			snprintf(name, sizeof(name), "room-%d", i);
			rooms_upsert(g.db, name, NULL, NULL, on_room, &g);
			wait_replies(&g, 1);
			if (g.err || write(fds[1], &i, sizeof(i)) != sizeof(i))
				_exit(1);
		}
	}
	int last = 0;

	close(fds[1]);
	while (last < 50)
		assert_int_equal(read(fds[0], &last, sizeof(last)), sizeof(last));
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	while (read(fds[0], &last, sizeof(last)) == sizeof(last))
		;
	close(fds[0]);
	rig_open(&g, "kill.db");
	assert_true(ask(&g, "SELECT count(*) FROM rooms") >= last + 1);
	rig_close(&g);
}

static int block(sqlite3 *conn, void *obj)
{
	(void)conn;
	(void)obj;
	return -ECHILD;
}

static void queues_are_bounded_and_close_is_clean(void **state)
{
	(void)state;
	struct rig g;
	int posted = 0;

	rig_open(&g, "bounded.db");
	assert_int_equal(db_call(g.db, block, NULL), -ECHILD);
	/* nobody runs the mailbox: replies pile up, then requests, then it says so */
	while (posted < 100000 && rooms_find(g.db, "x", on_room, &g) == 0)
		posted++;
	assert_true(posted < 100000);
	assert_int_equal(g.replies, 0);
	struct pollfd p = { .fd = mbox_fd(g.mbox), .events = POLLIN };

	assert_int_equal(poll(&p, 1, 10000), 1);
	mbox_run(g.mbox);
	assert_true(g.replies > 0);
	g.replies = 0;
	db_close(&g.db);
	/* no callback after the close, though replies were on their way */
	while (mbox_run(g.mbox))
		;
	assert_int_equal(g.replies, 0);
	mbox_free(&g.mbox);
}

static int setup(void **state)
{
	(void)state;
	role_enter(ROLE_ID_NONE);
	assert_non_null(mkdtemp(dir));
	return 0;
}

static int teardown(void **state)
{
	char cmd[256];

	(void)state;
	snprintf(cmd, sizeof(cmd), "rm -rf '%s'", dir);
	return system(cmd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(killed_process_loses_nothing),
		cmocka_unit_test(is_set_up),
		cmocka_unit_test(rooms_round_trip),
		cmocka_unit_test(sessions_and_participants),
		cmocka_unit_test(recordings_round_trip),
		cmocka_unit_test(users_and_passwords),
		cmocka_unit_test(damaged_file_is_named_and_untouched),
		cmocka_unit_test(newer_file_is_refused),
		cmocka_unit_test(failed_migration_leaves_the_step_before),
		cmocka_unit_test(queues_are_bounded_and_close_is_clean),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
