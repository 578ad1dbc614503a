#include "tests/storage/db_rig.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(killed_process_loses_nothing),
		cmocka_unit_test(is_set_up),
		cmocka_unit_test(damaged_file_is_named_and_untouched),
		cmocka_unit_test(newer_file_is_refused),
		cmocka_unit_test(failed_migration_leaves_the_step_before),
		cmocka_unit_test(queues_are_bounded_and_close_is_clean),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
