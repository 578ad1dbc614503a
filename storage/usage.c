#include "storage/usage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "storage/db_request.h"
#include "storage/usage_sweep.h"

#define DAY_MS INT64_C(86400000)

/* Goes from request to request until all has been seen. */
struct job {
	struct db *db;
	usage_cb *cb;
	void *obj;
	char room[DB_NAME_MAX + 1];
	int64_t room_id; /* 0: all */
	int64_t until_ms, now_ms;
	int64_t last_ms, last_id; /* the stay that was seen last */
	int64_t from_ms;
	bool begun, done;
	struct usage_sweep *sweep;
	size_t n_days;
	struct usage_room *rooms;
	size_t n_rooms;
};

struct usage_request {
	struct db_request base;
	struct job *job; /* owned; NULL: handed on */
};

static void job_free(struct job *j)
{
	usage_sweep_free(&j->sweep);
	free(j->rooms);
	free(j);
}

static void clear(struct db_request *base)
{
	struct usage_request *r = (struct usage_request *)base;

	if (r->job)
		job_free(r->job);
}

static int read_sessions(sqlite3 *conn, struct job *j)
{
	sqlite3_stmt *st = NULL;
	int rc, err = db_prepare(conn, &st,
				 "SELECT room_id, started_ms FROM sessions WHERE started_ms >= ?1 AND "
				 "started_ms < ?2 AND (?3 = 0 OR room_id = ?3)", "iii", j->from_ms,
				 j->until_ms, j->room_id);

	if (err)
		return err;
	while (!err && (rc = sqlite3_step(st)) == SQLITE_ROW)
		err = usage_sweep_session(j->sweep, sqlite3_column_int64(st, 0),
					  sqlite3_column_int64(st, 1));
	if (!err)
		err = db_errno(conn, rc);
	sqlite3_finalize(st);
	return err;
}

/* The columns of a stay. */
#define STAY "p.joined_ms, p.id, coalesce(p.left_ms, ?4), s.room_id, p.score_n, p.score_sum, " \
	     "coalesce(p.score_min, 0) "

static int take_stay(struct job *j, sqlite3_stmt *st)
{
	const struct usage_stay t = {
		.joined_ms = sqlite3_column_int64(st, 0), .left_ms = sqlite3_column_int64(st, 2),
		.room_id = sqlite3_column_int64(st, 3), .score_n = sqlite3_column_int64(st, 4),
		.score_sum = sqlite3_column_double(st, 5),
		.score_min = sqlite3_column_double(st, 6),
	};

	return usage_sweep_stay(j->sweep, &t);
}

/* Who was there for more than USAGE_STAY_DAYS: devices, mostly. By sessions, which are few. */
static int read_long_stays(sqlite3 *conn, struct job *j)
{
	sqlite3_stmt *st = NULL;
	int rc = SQLITE_DONE;
	int err = db_prepare(conn, &st,
			     "SELECT " STAY "FROM sessions s JOIN participants p ON p.session_id = s.id "
			     "WHERE s.started_ms >= ?1 AND s.started_ms < ?2 AND "
			     "coalesce(s.ended_ms, ?4) > ?3 AND p.joined_ms < ?2 AND "
			     "coalesce(p.left_ms, ?4) > ?3 AND (?5 = 0 OR s.room_id = ?5) "
			     "ORDER BY p.joined_ms, p.id", "iiiii",
			     j->from_ms - USAGE_SESSION_DAYS * DAY_MS, j->last_ms, j->from_ms, j->now_ms,
			     j->room_id);

	if (err)
		return err;
	while (!err && (rc = sqlite3_step(st)) == SQLITE_ROW)
		err = take_stay(j, st);
	if (!err)
		err = db_errno(conn, rc);
	sqlite3_finalize(st);
	return err;
}

static int begin(sqlite3 *conn, struct job *j)
{
	int err = 0;

	if (j->room[0])
		err = db_query_int(conn, &j->room_id, "SELECT id FROM rooms WHERE name = ?", "t", j->room);
	if (err == -ENOENT) {
		j->done = true; /* it never ran */
		return 0;
	}
	if (!err)
		err = read_sessions(conn, j);
	return err ? err : read_long_stays(conn, j);
}

static int read_stays(sqlite3 *conn, struct job *j)
{
	sqlite3_stmt *st = NULL;
	int rc = SQLITE_DONE, n = 0;
	int err = db_prepare(conn, &st,
			     "SELECT " STAY "FROM participants p JOIN sessions s ON s.id = p.session_id WHERE (p.joined_ms, p.id) > (?1, ?2) "
			     "AND p.joined_ms < ?3 AND (?5 = 0 OR s.room_id = ?5) "
			     "ORDER BY p.joined_ms, p.id LIMIT ?6", "iiiiii", j->last_ms, j->last_id,
			     j->until_ms, j->now_ms, j->room_id, (int64_t)USAGE_STEP_ROWS);

	if (err)
		return err;
	while (!err && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		j->last_ms = sqlite3_column_int64(st, 0);
		j->last_id = sqlite3_column_int64(st, 1);
		n++;
		err = take_stay(j, st);
	}
	if (!err)
		err = db_errno(conn, rc);
	sqlite3_finalize(st);
	j->done = n < USAGE_STEP_ROWS;
	return err;
}

static int name_rooms(sqlite3 *conn, struct job *j)
{
	int64_t id;
	int err = 0;

	j->rooms = calloc(USAGE_ROOMS_MAX, sizeof *j->rooms);
	if (!j->rooms)
		return -ENOMEM;
	while (!err && j->n_rooms < USAGE_ROOMS_MAX &&
	       usage_sweep_room(j->sweep, j->n_rooms, &id, &j->rooms[j->n_rooms].sum)) {
		sqlite3_stmt *st = NULL;

		err = db_prepare(conn, &st, "SELECT name FROM rooms WHERE id = ?", "i", id);
		if (!err && sqlite3_step(st) == SQLITE_ROW)
			db_column_text(st, 0, j->rooms[j->n_rooms].name, sizeof j->rooms->name);
		sqlite3_finalize(st);
		j->n_rooms++;
	}
	return err;
}

static int run(sqlite3 *conn, struct db_request *base)
{
	struct job *j = ((struct usage_request *)base)->job;
	int err = 0;

	if (!j->begun)
		err = begin(conn, j);
	j->begun = true;
	if (!err && !j->done)
		err = read_stays(conn, j);
	if (err || !j->done)
		return err;
	usage_sweep_end(j->sweep, j->now_ms);
	return name_rooms(conn, j);
}

static int post(struct job *j);

static void tell(struct job *j, int err)
{
	struct usage u = { .n_days = j->n_days, .n_rooms = j->n_rooms, .rooms = j->rooms };

	if (!err) {
		u.total = *usage_sweep_total(j->sweep);
		/* the caller looks only */
		u.days = (struct usage_sum *)(uintptr_t)usage_sweep_days(j->sweep);
	}
	j->cb(j->obj, err, err ? NULL : &u);
}

static void reply(struct db_request *base)
{
	struct usage_request *r = (struct usage_request *)base;
	struct job *j = r->job;
	usage_cb *cb = j->cb;
	void *obj = j->obj;
	int err;

	if (base->err || j->done) {
		tell(j, base->err);
		return;
	}
	r->job = NULL;
	err = post(j);
	if (err)
		cb(obj, err, NULL);
}

/* Takes j in any case. */
static int post(struct job *j)
{
	struct usage_request *r = db_request_new(sizeof *r);

	if (!r) {
		job_free(j);
		return -ENOMEM;
	}
	r->base = (struct db_request){ .what = "read the use of rooms", .run = run, .reply = reply,
				       .clear = clear };
	r->job = j;
	return db_request_post(j->db, &r->base);
}

int usage_read(struct db *db, const char *room, const int64_t *bounds, size_t n_days,
	       int64_t now_ms, usage_cb *cb, void *obj)
{
	struct job *j;
	int err;

	if (!n_days || n_days > USAGE_DAYS_MAX)
		return -EINVAL;
	j = calloc(1, sizeof *j);
	if (!j)
		return -ENOMEM;
	*j = (struct job){ .db = db, .cb = cb, .obj = obj, .n_days = n_days, .now_ms = now_ms,
			   .from_ms = bounds[0], .until_ms = bounds[n_days],
			   .last_ms = bounds[0] - USAGE_STAY_DAYS * DAY_MS };
	err = db_copy_text(j->room, sizeof j->room, room) ?
		      usage_sweep_new(&j->sweep, bounds, n_days) : -EINVAL;
	if (!err)
		return post(j);
	job_free(j);
	return err;
}
