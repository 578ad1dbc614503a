/* A database with somebody who waits for its replies, for the storage tests. */
#ifndef TESTS_STORAGE_DB_RIG_H
#define TESTS_STORAGE_DB_RIG_H

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

/* Each test program's own folder. */
static char dir[] = "/tmp/mcu-db-XXXXXX";

static inline const char *file_path(const char *name)
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

static inline void rig_open(struct rig *g, const char *name)
{
	struct errmsg why = { 0 };

	*g = (struct rig){ 0 };
	assert_int_equal(mbox_new(&g->mbox, 64), 0);
	if (db_open(&g->db, file_path(name), g->mbox, &why))
		fail_msg("%s", why.text);
}

static inline void rig_close(struct rig *g)
{
	db_close(&g->db);
	assert_null(g->db);
	mbox_free(&g->mbox);
}

static inline void wait_replies(struct rig *g, int n)
{
	struct pollfd p = { .fd = mbox_fd(g->mbox), .events = POLLIN };

	while (g->replies < n) {
		assert_int_equal(poll(&p, 1, 10000), 1);
		mbox_run(g->mbox);
	}
	assert_int_equal(g->replies, n);
	g->replies = 0;
}

static inline void on_room(void *obj, int err, const struct room_row *row)
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

static inline void on_user(void *obj, int err, const struct user_row *row)
{
	struct rig *g = obj;

	g->replies++;
	g->err = err;
	if (row)
		g->user = *row;
}

static inline void on_session(void *obj, int err, int64_t id)
{
	struct rig *g = obj;

	g->replies++;
	g->err = err;
	g->id = id;
}

static inline void on_recording(void *obj, int err, const struct recording_row *row)
{
	struct rig *g = obj;

	g->replies++;
	g->err = err;
	if (row)
		g->rec[0] = *row;
}

static inline void on_list(void *obj, int err, const struct recording_row *rows, size_t n)
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

static inline int ask_fn(sqlite3 *conn, void *obj)
{
	struct question *q = obj;

	return db_query_int(conn, &q->answer, q->sql, "");
}

static inline int64_t ask(struct rig *g, const char *sql)
{
	struct question q = { sql, -1 };

	assert_int_equal(db_call(g->db, ask_fn, &q), 0);
	return q.answer;
}

static inline int setup(void **state)
{
	(void)state;
	role_enter(ROLE_ID_NONE);
	assert_non_null(mkdtemp(dir));
	return 0;
}

static inline int teardown(void **state)
{
	char cmd[256];

	(void)state;
	snprintf(cmd, sizeof(cmd), "rm -rf '%s'", dir);
	return system(cmd);
}

#endif
