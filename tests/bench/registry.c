/* Reads and writes of the registry, as a busy server asks for them:
 *
 *   registry server FOLDER SECONDS     through the storage thread and its mailboxes
 *   registry floor FOLDER SECONDS      the same statements by SQLite alone, prepared once,
 *                                      in one thread
 *
 * A round is 16 statements: 6 rooms found, 2 users found, 1 list of 20 calls, 2 who join, 2 who
 * leave, 2 lines of audit, 1 list of a session's participants. Prints operations, seconds and
 * milliseconds of processor. */
#include <poll.h>
#include <sqlite3.h>

#include "mcu/base/mbox.h"
#include "mcu/base/role.h"
#include "storage/audit.h"
#include "storage/calls.h"
#include "storage/db.h"
#include "storage/history.h"
#include "storage/rooms.h"
#include "storage/sessions.h"
#include "storage/users.h"
#include "tests/bench/floor.h"

enum { ROUND = 16, ROOMS = 1000, PEOPLE = 20, CALLS = 2000, IN_FLIGHT = 256 };

static const char pragmas[] = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; "
			      "PRAGMA foreign_keys = ON;";

static int fill(sqlite3 *conn, void *obj)
{
	char *why = NULL;

	(void)obj;
	if (sqlite3_exec(conn,
		"BEGIN; WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) "
		"INSERT INTO rooms (name, title, created_ms, registered) SELECT 'room-' || i, 'Room ' || i, i, 1 "
		"FROM n;"
		"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) "
		"INSERT INTO users (name, password_hash, role, created_ms) SELECT 'user-' || i, 'x', 'host', i FROM n;"
		"INSERT INTO sessions (id, room_id, started_ms) VALUES (1, 1, 1), (2, 1, 1);"
		"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20) "
		"INSERT INTO participants (id, session_id, leg, name, joined_ms) SELECT i, 2, i, 'Ann', 1 FROM n;"
		"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) "
		"INSERT INTO calls SELECT i, 1, 'in', 'room-' || (i % 50), 'sip:a@b', '+4989' || i, '', '', i, i, i + 9, "
		"'opus', '', 1, 1, 0, 0, 0.5, 10, 4, 5, 'hangup', 200, '' FROM n; COMMIT;", NULL, NULL, &why))
		die("%s", why);
	return 0;
}

static void name_of(char out[32], const char *kind, int64_t i)
{
	snprintf(out, 32, "%s-%d", kind, (int)(i * 7919 % ROOMS) + 1);
}

static void report(int64_t ops, int64_t began, double cpu)
{
	printf("{\"ops\": %lld, \"seconds\": %.6f, \"cpu_ms\": %.3f}\n", (long long)ops,
	       (double)(now_ns() - began) / 1e9, cpu_ms() - cpu);
}

/* --- through the storage thread ------------------------------------------------ */

struct load {
	struct db *db;
	int64_t replies, asked;
};

static void count(struct load *l, int err)
{
	l->replies++;
	if (err)
		die("a request failed: %d", err);
}

static void on_room(void *obj, int err, const struct room_row *row)
{
	(void)row;
	count(obj, err);
}

static void on_user(void *obj, int err, const struct user_row *row)
{
	(void)row;
	count(obj, err);
}

static void on_calls(void *obj, int err, const struct call_row *rows, size_t n)
{
	(void)rows;
	count(obj, err || n != 20 ? -1 : 0);
}

static void on_people(void *obj, int err, const struct participant_row *rows, size_t n)
{
	(void)rows;
	count(obj, err || n != PEOPLE ? -1 : 0);
}

static void ask(struct load *l, int64_t i, int64_t id)
{
	static const struct call_filter calls = { .room = "room-7", .max = 20 };
	static const struct history_filter people = { .id = 2, .max = 100 };
	int err = 0;
	char name[32];

	switch (i % ROUND) {
	case 0: case 3: case 5: case 8: case 11: case 14:
		name_of(name, "room", i);
		err = rooms_find(l->db, name, on_room, l);
		break;
	case 1: case 9:
		name_of(name, "user", i);
		err = users_find(l->db, name, on_user, l);
		break;
	case 2: err = calls_list(l->db, &calls, on_calls, l); break;
	case 10: err = participants_list(l->db, &people, on_people, l); break;
	case 4: case 12:
		err = sessions_participant_joined(l->db, id, 1, 1, "Ann", 0, id, NULL, NULL);
		break;
	case 6: case 13:
		err = sessions_participant_left(l->db, id, id + 1, "left", NULL, NULL);
		break;
	default:
		err = audit_add(l->db, &(struct audit_entry){ .action = "room_changed", .actor = "admin",
							     .address = "127.0.0.1", .room = "room-1" });
	}
	if (err)
		die("not taken: %d", err);
}

/* Those that nobody waits for are answered with the next one that somebody does. */
static bool has_reply(int64_t i)
{
	int64_t k = i % ROUND;

	return k != 4 && k != 12 && k != 6 && k != 13 && k != 7 && k != 15;
}

static void serve(const char *path, double seconds)
{
	struct load l = { 0 };
	struct errmsg why;
	struct mbox *replies;
	struct pollfd p = { .events = POLLIN };
	int64_t began, until, i = 0, id = 0;
	double cpu;

	role_enter(ROLE_ID_NONE);
	if (mbox_new(&replies, 2 * IN_FLIGHT) || db_open(&l.db, path, replies, &why))
		die("%s", why.text);
	db_call(l.db, fill, NULL);
	p.fd = mbox_fd(replies);
	began = now_ns();
	until = began + (int64_t)(seconds * 1e9);
	cpu = cpu_ms();
	while (now_ns() < until || l.replies < l.asked) {
		while (l.asked - l.replies < IN_FLIGHT && now_ns() < until) {
			for (int k = 0; k < ROUND; k++, i++) {
				if (i % ROUND == 4 || i % ROUND == 12)
					id = 1000000 + i;
				ask(&l, i, id);
				l.asked += has_reply(i);
			}
		}
		if (poll(&p, 1, 10000) == 1)
			mbox_run(replies);
	}
	report(i, began, cpu);
	db_close(&l.db);
}

/* --- SQLite alone ---------------------------------------------------------------- */

static const char *const statements[] = {
	"SELECT r.id, r.name, r.title, r.settings, r.created_ms, r.registered, r.owner_id, "
	"coalesce(u.name, ''), r.members_only, r.lobby, r.locked, r.unmute, r.stereo, r.max_participants, "
	"r.record, r.guest_pin, r.host_pin, r.number FROM rooms r LEFT JOIN users u ON u.id = r.owner_id "
	"WHERE r.name = ?",
	"SELECT id, name, password_hash, role, created_ms, display_name, generation FROM users WHERE name = ?",
	"SELECT * FROM calls WHERE room = ?1 AND ('' = '' OR instr(number, '') OR instr(uri, '')) "
	"AND started_ms >= 0 AND (0 = 0 OR started_ms < 0) AND (0 = 0 OR id < 0) ORDER BY id DESC LIMIT 20",
	"SELECT p.*, u.name FROM participants p LEFT JOIN users u ON u.id = p.user_id "
	"WHERE p.session_id = 2 ORDER BY p.id LIMIT 100",
	"INSERT INTO participants (id, session_id, leg, name, joined_ms, user_id) VALUES (?1, 1, 1, 'Ann', ?1, "
	"NULL)",
	"UPDATE participants SET left_ms = ?1 + 1, leave_reason = 'left' WHERE id = ?1 AND left_ms IS NULL",
	"INSERT INTO audit (id, at_ms, action, actor, address, room, detail) VALUES (?1, ?1, 'room_changed', "
	"'admin', '127.0.0.1', 'room-1', '')",
};

enum { FIND_ROOM, FIND_USER, LIST_CALLS, LIST_PEOPLE, JOIN, LEAVE, AUDIT, STATEMENTS };

static const int kinds[ROUND] = { FIND_ROOM, FIND_USER, LIST_CALLS, FIND_ROOM, JOIN, FIND_ROOM, LEAVE, AUDIT,
				  FIND_ROOM, FIND_USER, LIST_PEOPLE, FIND_ROOM, JOIN, LEAVE, FIND_ROOM, AUDIT };

static void step(sqlite3 *conn, sqlite3_stmt *st)
{
	int rc;

	while ((rc = sqlite3_step(st)) == SQLITE_ROW)
		for (int c = 0; c < sqlite3_column_count(st); c++)
			(void)sqlite3_column_text(st, c);
	if (rc != SQLITE_DONE)
		die("%s", sqlite3_errmsg(conn));
	sqlite3_reset(st);
}

static void alone(const char *path, double seconds)
{
	sqlite3_stmt *st[STATEMENTS];
	int64_t began, until, i = 0, id = 0;
	char name[32];
	sqlite3 *conn;
	double cpu;

	if (sqlite3_open(path, &conn) || sqlite3_exec(conn, pragmas, NULL, NULL, NULL))
		die("cannot open %s", path);
	fill(conn, NULL);
	for (int k = 0; k < STATEMENTS; k++)
		if (sqlite3_prepare_v2(conn, statements[k], -1, &st[k], NULL))
			die("%s", sqlite3_errmsg(conn));
	began = now_ns();
	until = began + (int64_t)(seconds * 1e9);
	cpu = cpu_ms();
	for (; i % ROUND || now_ns() < until; i++) {
		int kind = kinds[i % ROUND];

		if (kind == JOIN)
			id = 1000000 + i;
		if (kind <= FIND_USER) {
			name_of(name, kind == FIND_ROOM ? "room" : "user", i);
			sqlite3_bind_text(st[kind], 1, name, -1, SQLITE_STATIC);
		} else if (kind == LIST_CALLS) {
			sqlite3_bind_text(st[kind], 1, "room-7", -1, SQLITE_STATIC);
		} else if (kind != LIST_PEOPLE) {
			sqlite3_bind_int64(st[kind], 1, kind == AUDIT ? 1000000 + i : id);
		}
		step(conn, st[kind]);
	}
	report(i, began, cpu);
}

int main(int argc, char **argv)
{
	char path[512];
	struct errmsg why;
	struct mbox *replies;
	struct db *db;

	if (argc != 4)
		die("usage: registry server|floor FOLDER SECONDS");
	snprintf(path, sizeof path, "%s/mcu.db", argv[2]);
	if (!strcmp(argv[1], "server")) {
		serve(path, atof(argv[3]));
		return 0;
	}
	/* the server's schema */
	role_enter(ROLE_ID_NONE);
	if (mbox_new(&replies, 16) || db_open(&db, path, replies, &why))
		die("%s", why.text);
	db_close(&db);
	alone(path, atof(argv[3]));
	return 0;
}
