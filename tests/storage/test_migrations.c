/* Every version that was ever in use opens, with all that was in it. */
#include "tests/storage/db_rig.h"

/* What a database of a version holds, in the words of that version. */
static const char *const rows[] = {
	[1] = "INSERT INTO users (id, name, password_hash, role, created_ms) VALUES"
	      " (1, 'admin', '$argon2id$x', 'admin', 1000), (2, '선생님', '$argon2id$y', 'host', 2000);"
	      "INSERT INTO rooms (id, name, title, settings, created_ms) VALUES"
	      " (1, 'class', 'Class 3b', '{\"lobby\":true}', 1000), (2, 'demand', '', '{}', 1000),"
	      " (3, 'unused', '', '{}', 1000);"
	      "INSERT INTO sessions VALUES (10, 1, 5000, 9000, 'empty'), (11, 2, 6000, NULL, NULL);"
	      "INSERT INTO participants VALUES (100, 10, 1, 'Kim''; DROP TABLE rooms; --', 5000, 9000,"
	      " 'left', 2), (101, 11, 1, 'guest', 6000, NULL, NULL, NULL);"
	      "INSERT INTO recordings (id, session_id, room_id, path, state, started_ms, ended_ms,"
	      " duration_ms, bytes, by_name, token) VALUES (1000, 10, 1, 'recordings/a.mp4', 'ready',"
	      " 5500, 8500, 3000, 4711, 'Kim', '0123456789abcdef0123456789abcdef'),"
	      " (1001, NULL, NULL, 'recordings/b.mp4', 'interrupted', 1, NULL, 0, 0, '',"
	      " 'fedcba9876543210fedcba9876543210');",
	[2] = "UPDATE users SET display_name = 'Frau Kim', generation = 4 WHERE id = 2;"
	      "UPDATE rooms SET registered = 1, owner_id = 2, lobby = 1, record = 'all',"
	      " guest_pin = 'abc' WHERE id = 1;"
	      "INSERT INTO invitations (id, token_hash, room_id, role, created_ms, expires_ms, made_by)"
	      " VALUES (20, '0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef', 1,"
	      " 'host', 1, 99999, 2);"
	      "INSERT INTO audit VALUES (30, 1, 'sign_in', 'admin', '127.0.0.1', '', '');"
	      "INSERT INTO chat VALUES (40, 10, 5100, 1, NULL, 'Kim', '안녕하세요');",
	[3] = "INSERT INTO calls VALUES (50, 10, 'in', 'class', 'sip:a@b', '+4989', 'admin', 'trunk',"
	      " 5000, 5100, 6000, 'opus', 'H264', 1, 2, 3, 4, 5.5, 6.5, 4.2, 4.8, 'hangup', 200, '');",
	[4] = "INSERT INTO sip_secrets VALUES (2, 'mcu', '0123456789abcdef0123456789abcdef',"
	      " '0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef');"
	      "INSERT INTO sip_phones VALUES (2, 'sip:k@c', '', '', 'x', 1, '', 'phone', 99999);"
	      "INSERT INTO sip_trunks VALUES ('main', '{\"host\":\"a\"}', 'secret');",
	[5] = "UPDATE rooms SET number = '4711' WHERE id = 1;",
	[6] = "UPDATE recordings SET title = 'Optics', tags = 'light' WHERE id = 1000;"
	      "INSERT INTO recording_rules VALUES (1, 30, NULL, 'hosts');",
	[7] = "INSERT INTO api_tokens (id, token_hash, user_id, name, scopes, created_ms) VALUES (60,"
	      " '0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef', 2, 'x', 'join', 1);"
	      "INSERT INTO quality VALUES (70, 100, 6000, 30000, 0.1, 0, 5, 6, 20, 100, 900, 720, 4.5);"
	      "INSERT INTO room_templates VALUES ('class', 'class-*', '{\"lobby\":true}', 1);"
	      "INSERT INTO room_schedules VALUES (80, 'class', '', 'open', 'Asia/Seoul', 'weekly', 21,"
	      " '2026-11-21', '', 540, 90, 1, 2, 1);",
};

enum { ROWS = sizeof rows / sizeof *rows };

/* What must be there afterwards, from which version on. */
static const struct expectation {
	int since;
	const char *sql;
	int64_t want;
} expectations[] = {
	{ 1, "SELECT count(*) FROM users", 2 },
	{ 1, "SELECT count(*) FROM users WHERE name = '선생님' AND role = 'host' AND created_ms = 2000", 1 },
	{ 1, "SELECT count(*) FROM rooms WHERE title = 'Class 3b' AND registered = 1", 1 },
	{ 1, "SELECT registered FROM rooms WHERE name = 'demand'", 0 },
	{ 1, "SELECT count(*) FROM participants WHERE name LIKE '%DROP TABLE%' AND user_id = 2", 1 },
	{ 1, "SELECT count(*) FROM sessions", 2 },
	{ 1, "SELECT bytes FROM recordings WHERE path = 'recordings/a.mp4' AND room_id = 1", 4711 },
	{ 1, "SELECT count(*) FROM recordings WHERE state = 'interrupted'", 1 },
	{ 2, "SELECT generation FROM users WHERE display_name = 'Frau Kim'", 4 },
	{ 2, "SELECT count(*) FROM invitations i JOIN rooms r ON r.id = i.room_id "
	     "WHERE r.name = 'class' AND r.owner_id = 2 AND r.record = 'all'", 1 },
	{ 2, "SELECT count(*) FROM audit", 1 },
	{ 2, "SELECT count(*) FROM chat WHERE text = '안녕하세요'", 1 },
	{ 3, "SELECT count(*) FROM calls WHERE mos > 4.1 AND end_reason = 'hangup'", 1 },
	{ 4, "SELECT count(*) FROM sip_secrets s JOIN sip_phones p USING (user_id)", 1 },
	{ 4, "SELECT count(*) FROM sip_trunks WHERE password = 'secret'", 1 },
	{ 5, "SELECT count(*) FROM rooms WHERE number = '4711'", 1 },
	{ 6, "SELECT count(*) FROM recordings WHERE title = 'Optics'", 1 },
	{ 6, "SELECT keep_days FROM recording_rules WHERE room_id = 1", 30 },
	{ 7, "SELECT count(*) FROM api_tokens WHERE user_id = 2 AND expires_ms IS NULL", 1 },
	{ 7, "SELECT height FROM quality WHERE participant_id = 100", 720 },
	{ 7, "SELECT count(*) FROM room_templates WHERE pattern = 'class-*'", 1 },
	{ 7, "SELECT weekdays FROM room_schedules WHERE room = 'class'", 21 },
};

static void make_old(const char *path, int version)
{
	struct errmsg why = { 0 };
	sqlite3 *conn;

	assert_int_equal(sqlite3_open(path, &conn), SQLITE_OK);
	assert_int_equal(sqlite3_exec(conn, "PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON", NULL,
				      NULL, NULL), SQLITE_OK);
	/* Rows of a version are written when it was the newest one. */
	for (int v = 1; v <= version; v++) {
		if (migrations_apply(conn, path, migrations, v, &why))
			fail_msg("%s", why.text);
		if (v < ROWS && rows[v] && sqlite3_exec(conn, rows[v], NULL, NULL, NULL))
			fail_msg("version %d: %s", v, sqlite3_errmsg(conn));
	}
	sqlite3_close(conn);
}

/* The tables and columns, in the order of their names. */
static char *schema(struct db *db);

struct text {
	char *all;
	size_t len;
};

static int read_schema(sqlite3 *conn, void *obj)
{
	struct text *t = obj;
	FILE *f = open_memstream(&t->all, &t->len);
	sqlite3_stmt *st = NULL;
	int err = db_prepare(conn, &st,
			     "SELECT type, name, coalesce(sql, '') FROM sqlite_schema ORDER BY type, name",
			     "");

	while (!err && sqlite3_step(st) == SQLITE_ROW)
		fprintf(f, "%s %s %s\n", sqlite3_column_text(st, 0), sqlite3_column_text(st, 1),
			sqlite3_column_text(st, 2));
	sqlite3_finalize(st);
	fclose(f);
	return err;
}

static char *schema(struct db *db)
{
	struct text t = { 0 };

	assert_int_equal(db_call(db, read_schema, &t), 0);
	return t.all;
}

static void check_opened(const char *name, int version)
{
	struct rig g, fresh;
	char *has, *wants;

	rig_open(&g, name);
	assert_int_equal(ask(&g, "PRAGMA user_version"), migrations_count);
	for (size_t i = 0; i < sizeof expectations / sizeof *expectations; i++) {
		const struct expectation *e = &expectations[i];
		int64_t v;

		if (e->since > version)
			continue;
		v = ask(&g, e->sql);
		if (v != e->want)
			fail_msg("from version %d: %s gives %lld, not %lld", version, e->sql,
				 (long long)v, (long long)e->want);
	}
	assert_int_equal(ask(&g, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
	assert_int_equal(ask(&g, "SELECT count(*) FROM pragma_integrity_check "
				 "WHERE integrity_check <> 'ok'"), 0);
	/* whatever it came from, it is now like one that was made today */
	rig_open(&fresh, "fresh.db");
	has = schema(g.db);
	wants = schema(fresh.db);
	assert_string_equal(has, wants);
	free(has);
	free(wants);
	rig_close(&fresh);
	/* and it works */
	assert_int_equal(rooms_upsert(g.db, "class", NULL, NULL, on_room, &g), 0);
	wait_replies(&g, 1);
	assert_int_equal(g.err, 0);
	assert_string_equal(g.room.title, "Class 3b");
	rig_close(&g);
}

static void every_version_opens(void **state)
{
	(void)state;
	for (int v = 1; v <= migrations_count; v++) {
		char name[32];

		snprintf(name, sizeof name, "v%d.db", v);
		make_old(file_path(name), v);
		check_opened(name, v);
	}
}

/* Files that the programs of those days have made (see the folder's README). */
static void files_of_old_programs_open(void **state)
{
	static const int versions[] = { 1, 2, 3, 4, 5 };

	(void)state;
	for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
		char name[32], cmd[256];

		snprintf(name, sizeof name, "registry-v%d.db", versions[i]);
		snprintf(cmd, sizeof cmd, "cp tests/storage/fixtures/%s '%s/%s'", name, dir, name);
		assert_int_equal(system(cmd), 0);
		check_opened(name, versions[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_version_opens),
		cmocka_unit_test(files_of_old_programs_open),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
