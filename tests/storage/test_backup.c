#include "storage/backup.h"

#include <pthread.h>
#include <stdatomic.h>

#include "mcu/base/clock.h"
#include "tests/storage/db_rig.h"

static char db_path[128], other[128], third[128];

static void name_files(const char *name)
{
	snprintf(db_path, sizeof db_path, "%s/%s.db", dir, name);
	snprintf(other, sizeof other, "%s/%s.copy", dir, name);
	snprintf(third, sizeof third, "%s/%s.list", dir, name);
}

static void open_named(struct rig *g, const char *name)
{
	char file[64];

	name_files(name);
	snprintf(file, sizeof file, "%s.db", name);
	rig_open(g, file);
}

static void make_rooms(struct rig *g, int n)
{
	char name[32];

	for (int i = 0; i < n; i++) {
		snprintf(name, sizeof name, "room-%d", i);
		assert_int_equal(rooms_upsert(g->db, name, "title", NULL, i == n - 1 ? on_room : NULL, g), 0);
	}
	wait_replies(g, 1);
}

static int64_t ask_file(const char *path, const char *sql)
{
	sqlite3 *conn;
	int64_t v = -1;

	assert_int_equal(sqlite3_open_v2(path, &conn, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	if (db_query_int(conn, &v, sql, ""))
		fail_msg("%s: %s", sql, sqlite3_errmsg(conn));
	sqlite3_close(conn);
	return v;
}

static bool there(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0;
}

static void write_junk(const char *path, off_t at, size_t n)
{
	char text[4096];
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	memset(text, 'x', sizeof text);
	assert_int_equal(pwrite(fd, text, n, at), n);
	close(fd);
}

static void backup_of_a_running_server(void **state)
{
	struct backup_report rep;
	struct errmsg why = { 0 };
	struct stat st;
	struct rig g;
	char wal[160];

	(void)state;
	open_named(&g, "runs");
	make_rooms(&g, 20);
	/* what is written is still in the journal, and the copy has it */
	snprintf(wal, sizeof wal, "%s-wal", db_path);
	assert_true(there(wal));
	if (backup_write(db_path, other, &rep, &why))
		fail_msg("%s", why.text);
	assert_int_equal(rep.rooms, 20);
	assert_int_equal(rep.version, migrations_count);
	assert_int_equal(stat(other, &st), 0);
	assert_int_equal(st.st_size, rep.bytes);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(ask_file(other, "SELECT count(*) FROM rooms"), 20);
	snprintf(wal, sizeof wal, "%s-wal", other);
	assert_false(there(wal));
	snprintf(wal, sizeof wal, "%s.part", other);
	assert_false(there(wal));
	/* and the server goes on */
	make_rooms(&g, 30);
	assert_int_equal(ask(&g, "SELECT count(*) FROM rooms"), 30);
	/* never over something that is there */
	assert_int_equal(backup_write(db_path, other, &rep, &why), -EEXIST);
	assert_string_equal(why.code, "file_exists");
	assert_int_equal(ask_file(other, "SELECT count(*) FROM rooms"), 20);
	/* a restore has to wait for the server's end */
	assert_int_equal(backup_restore(db_path, other, &rep, &why), -EBUSY);
	assert_string_equal(why.code, "db_in_use");
	rig_close(&g);
}

struct writer {
	struct db *db;
	_Atomic bool stop;
	_Atomic int written;
};

/* Two rows in one transaction: a copy that has one of them is not of one moment. */
static int write_pair(sqlite3 *conn, void *obj)
{
	struct writer *w = obj;
	char name[64];
	int err = db_begin(conn);

	for (int i = 0; i < 2 && !err; i++) {
		snprintf(name, sizeof name, "pair-%d-%d", atomic_load(&w->written), i);
		err = db_run(conn, "INSERT INTO rooms (name, created_ms) VALUES (?, 1)", "t", name);
	}
	return db_end(conn, err);
}

static void *write_on(void *arg)
{
	struct writer *w = arg;

	while (!atomic_load(&w->stop)) {
		if (db_call(w->db, write_pair, w))
			abort();
		atomic_fetch_add(&w->written, 1);
	}
	return NULL;
}

static void backup_is_of_one_moment(void **state)
{
	struct writer w = { 0 };
	struct backup_report rep;
	struct errmsg why = { 0 };
	struct rig g;
	pthread_t thread;

	(void)state;
	open_named(&g, "busy");
	make_rooms(&g, 3000); /* more than is copied at once */
	w.db = g.db;
	assert_int_equal(pthread_create(&thread, NULL, write_on, &w), 0);
	for (int i = 0; i < 5; i++) {
		int before = atomic_load(&w.written);

		unlink(other);
		if (backup_write(db_path, other, &rep, &why))
			fail_msg("%s", why.text);
		assert_int_equal(ask_file(other, "SELECT count(*) FROM rooms WHERE name LIKE 'pair-%'") % 2,
				 0);
		assert_true(rep.rooms >= 3000 + 2 * before);
	}
	atomic_store(&w.stop, true);
	pthread_join(thread, NULL);
	rig_close(&g);
}

static void restore_puts_it_back_and_keeps_the_old_one(void **state)
{
	struct backup_report rep;
	struct errmsg why = { 0 };
	struct rig g;

	(void)state;
	open_named(&g, "back");
	make_rooms(&g, 7);
	rig_close(&g);
	if (backup_write(db_path, other, &rep, &why)) /* also when nobody runs */
		fail_msg("%s", why.text);
	open_named(&g, "back");
	make_rooms(&g, 9);
	rig_close(&g);
	if (backup_restore(db_path, other, &rep, &why))
		fail_msg("%s", why.text);
	assert_int_equal(rep.rooms, 7);
	assert_true(rep.kept[0]);
	assert_int_equal(ask_file(rep.kept, "SELECT count(*) FROM rooms"), 9);
	open_named(&g, "back");
	assert_int_equal(ask(&g, "SELECT count(*) FROM rooms"), 7);
	rig_close(&g);
	/* the backup is as it was, and a second one does not take the name of the first */
	assert_int_equal(ask_file(other, "SELECT count(*) FROM rooms"), 7);
	strcpy(third, rep.kept);
	assert_int_equal(backup_restore(db_path, other, &rep, &why), 0);
	assert_string_not_equal(third, rep.kept);
	assert_int_equal(ask_file(third, "SELECT count(*) FROM rooms"), 9);
}

static int fill_trash(sqlite3 *conn, void *obj)
{
	(void)obj;
	return db_run(conn, "INSERT INTO recordings (id, path, state, started_ms, token, deleted_ms, "
		      "deleted_by) VALUES (1, 'a', 'ready', 5, hex(randomblob(16)), NULL, ''), "
		      "(2, 'b', 'ready', 5, hex(randomblob(16)), 6, 'ana'), "
		      "(3, 'c', 'ready', 5, hex(randomblob(16)), 1, 'ana')", "");
}

/* It may have been taken out again since: its days begin anew. */
static void what_was_in_the_trash_gets_its_days_again(void **state)
{
	int64_t now_ms = clock_wall_ns() / NS_PER_MS;
	struct backup_report rep;
	struct errmsg why = { 0 };
	struct rig g;
	sqlite3 *conn;

	(void)state;
	open_named(&g, "trash");
	assert_int_equal(db_call(g.db, fill_trash, NULL), 0);
	rig_close(&g);
	assert_int_equal(backup_write(db_path, other, &rep, &why), 0);
	if (backup_restore(db_path, other, &rep, &why))
		fail_msg("%s", why.text);
	assert_int_equal(ask_file(db_path, "SELECT deleted_ms IS NULL FROM recordings WHERE id = 1"), 1);
	for (int i = 0; i < 2; i++)
		assert_in_range(ask_file(db_path, i ? "SELECT deleted_ms FROM recordings WHERE id = 2"
					 : "SELECT deleted_ms FROM recordings WHERE id = 3"),
				now_ms, now_ms + 60000);
	/* the backup is as it was */
	assert_int_equal(ask_file(other, "SELECT sum(deleted_ms) FROM recordings"), 7);
	/* and one of a server that had no trash */
	assert_int_equal(sqlite3_open_v2(other, &conn, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_exec(conn, "DROP TABLE recordings; CREATE TABLE recordings (id INTEGER)",
				      NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(conn);
	if (backup_restore(db_path, other, &rep, &why))
		fail_msg("%s", why.text);
}

/* A server that was killed has left a journal: it belongs to the old database. */
static void restore_over_a_killed_or_damaged_one(void **state)
{
	struct backup_report rep;
	struct errmsg why = { 0 };
	struct rig g;
	char wal[160];
	pid_t pid;

	(void)state;
	open_named(&g, "dead");
	make_rooms(&g, 3);
	assert_int_equal(backup_write(db_path, other, &rep, &why), 0);
	rig_close(&g);
	pid = fork();
	if (pid == 0) {
		open_named(&g, "dead");
		make_rooms(&g, 50);
		raise(SIGKILL);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	snprintf(wal, sizeof wal, "%s-wal", db_path);
	assert_true(there(wal));
	if (backup_restore(db_path, other, &rep, &why))
		fail_msg("%s", why.text);
	assert_false(there(wal));
	assert_int_equal(ask_file(rep.kept, "SELECT count(*) FROM rooms"), 50);
	open_named(&g, "dead");
	assert_int_equal(ask(&g, "SELECT count(*) FROM rooms"), 3);
	rig_close(&g);

	write_junk(db_path, 0, 4096);
	if (backup_restore(db_path, other, &rep, &why))
		fail_msg("%s", why.text);
	assert_true(there(rep.kept));
	assert_int_equal(ask_file(db_path, "SELECT count(*) FROM rooms"), 3);
	/* and where there is none */
	unlink(db_path);
	if (backup_restore(db_path, other, &rep, &why))
		fail_msg("%s", why.text);
	assert_string_equal(rep.kept, "");
	assert_int_equal(ask_file(db_path, "SELECT count(*) FROM rooms"), 3);
}

static void refused(const char *from, int want, const char *code)
{
	struct backup_report rep;
	struct errmsg why = { 0 };
	char part[160];

	assert_int_equal(backup_restore(db_path, from, &rep, &why), want);
	assert_string_equal(why.code, code);
	snprintf(part, sizeof part, "%s.restoring", db_path);
	assert_false(there(part));
	assert_int_equal(ask_file(db_path, "SELECT count(*) FROM rooms"), 400);
}

static void what_is_no_backup_is_refused(void **state)
{
	struct backup_report rep;
	struct errmsg why = { 0 };
	struct rig g;
	sqlite3 *conn;

	(void)state;
	open_named(&g, "strict");
	make_rooms(&g, 400);
	rig_close(&g);
	refused("/nowhere/at/all", -ENOENT, "file_unknown");
	write_junk(third, 0, 4096);
	refused(third, -EBADMSG, "db_damaged");
	unlink(third);
	write_junk(third, 0, 0); /* an empty file is an empty database */
	refused(third, -EBADMSG, "db_damaged");
	assert_int_equal(sqlite3_open(third, &conn), SQLITE_OK);
	assert_int_equal(sqlite3_exec(conn, "CREATE TABLE users (a); PRAGMA user_version = 3", NULL, NULL,
				      NULL), SQLITE_OK);
	sqlite3_close(conn);
	refused(third, -EBADMSG, "db_damaged");
	/* a damaged one */
	assert_int_equal(backup_write(db_path, other, &rep, &why), 0);
	for (off_t at = 4096; at < 30 * 4096; at += 4096)
		write_junk(other, at, 700);
	refused(other, -EBADMSG, "db_damaged");
	unlink(other);
	/* cut short */
	assert_int_equal(backup_write(db_path, other, &rep, &why), 0);
	assert_int_equal(truncate(other, rep.bytes / 2 / 4096 * 4096), 0);
	refused(other, -EBADMSG, "db_damaged");
	unlink(other);
	/* of a newer server */
	assert_int_equal(backup_write(db_path, other, &rep, &why), 0);
	assert_int_equal(sqlite3_open(other, &conn), SQLITE_OK);
	assert_int_equal(sqlite3_exec(conn, "PRAGMA user_version = 4711", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(conn);
	refused(other, -EPROTO, "db_newer");
	/* and a damaged database makes no backup */
	unlink(other);
	for (off_t at = 4096; at < 30 * 4096; at += 4096)
		write_junk(db_path, at, 700);
	assert_int_equal(backup_write(db_path, other, &rep, &why), -EBADMSG);
	assert_false(there(other));
	name_files("nobody");
	assert_int_equal(backup_write(db_path, other, &rep, &why), -ENOENT);
	assert_false(there(db_path));
}

static void manifest_lists_files(void **state)
{
	struct backup_report rep;
	struct errmsg why = { 0 };
	struct rig g;
	char line[512];
	FILE *f;

	(void)state;
	open_named(&g, "list");
	assert_int_equal(db_call(g.db, ask_fn, &(struct question){
		"INSERT INTO recordings (id, path, state, started_ms, bytes, token) VALUES "
		"(7, 'recordings/a \"b\".mp4', 'ready', 1, 1234, '0123456789abcdef0123456789abcdef') "
		"RETURNING id", 0 }), 0);
	rig_close(&g);
	assert_int_equal(backup_write(db_path, other, &rep, &why), 0);
	assert_int_equal(rep.recordings, 1);
	if (backup_manifest(other, third, &why))
		fail_msg("%s", why.text);
	f = fopen(third, "r");
	assert_non_null(f);
	assert_non_null(fgets(line, sizeof line, f));
	assert_string_equal(line, "{\"id\":7,\"path\":\"recordings/a \\\"b\\\".mp4\",\"state\":\"ready\","
				  "\"bytes\":1234}\n");
	assert_null(fgets(line, sizeof line, f));
	fclose(f);
	assert_int_not_equal(backup_manifest(other, third, &why), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(backup_of_a_running_server),
		cmocka_unit_test(backup_is_of_one_moment),
		cmocka_unit_test(restore_puts_it_back_and_keeps_the_old_one),
		cmocka_unit_test(what_was_in_the_trash_gets_its_days_again),
		cmocka_unit_test(restore_over_a_killed_or_damaged_one),
		cmocka_unit_test(what_is_no_backup_is_refused),
		cmocka_unit_test(manifest_lists_files),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
