#include "storage/history.h"

#include <errno.h>
#include <stdlib.h>

#include "storage/db_request.h"

struct history_request {
	struct db_request base;
	session_list_cb *sessions_cb;
	participant_list_cb *participants_cb;
	struct history_filter filter; /* its room: this one */
	char room[DB_NAME_MAX + 1];
	struct session_row *sessions;
	struct participant_row *participants;
	size_t n;
};

static void clear(struct db_request *base)
{
	free(((struct history_request *)base)->sessions);
	free(((struct history_request *)base)->participants);
}

static void reply(struct db_request *base)
{
	struct history_request *r = (struct history_request *)base;
	size_t n = base->err ? 0 : r->n;

	if (r->sessions_cb)
		r->sessions_cb(base->obj, base->err, r->sessions, n);
	else
		r->participants_cb(base->obj, base->err, r->participants, n);
}

/* --- sessions ---------------------------------------------------------------- */

#define SESSION                                                                        \
	"SELECT s.id, r.name, s.started_ms, coalesce(s.ended_ms, 0), "                 \
	"coalesce(s.end_reason, ''), (SELECT count(*) FROM participants p "            \
	"WHERE p.session_id = s.id) FROM sessions s JOIN rooms r ON r.id = s.room_id "

static int read_sessions(sqlite3 *conn, sqlite3_stmt *st, struct history_request *r)
{
	int rc = SQLITE_DONE, err = 0;

	r->sessions = calloc(r->filter.max, sizeof *r->sessions);
	if (!r->sessions)
		err = -ENOMEM;
	while (!err && r->n < r->filter.max && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		struct session_row *s = &r->sessions[r->n++];

		s->id = sqlite3_column_int64(st, 0);
		db_column_text(st, 1, s->room, sizeof s->room);
		s->started_ms = sqlite3_column_int64(st, 2);
		s->ended_ms = sqlite3_column_int64(st, 3);
		db_column_text(st, 4, s->reason, sizeof s->reason);
		s->participants = sqlite3_column_int64(st, 5);
	}
	err = err ? err : db_errno(conn, rc);
	db_give_back(st);
	return err;
}

static int run_sessions(sqlite3 *conn, struct db_request *base)
{
	struct history_request *r = (struct history_request *)base;
	const struct history_filter *f = &r->filter;
	sqlite3_stmt *st = NULL;
	int err = db_take(conn, &st,
			     SESSION "WHERE (?1 IS NULL OR r.name = ?1) AND (?2 = 0 OR s.id = ?2) AND "
			     "s.started_ms >= ?3 AND (?4 = 0 OR s.started_ms < ?4) AND "
			     "(?5 = 0 OR s.id < ?5) ORDER BY s.id DESC LIMIT ?6", "tiiiii",
			     f->room ? r->room : NULL, f->id, f->from_ms, f->until_ms, f->cursor,
			     (int64_t)f->max);

	return err ? err : read_sessions(conn, st, r);
}

static int run_of_participant(sqlite3 *conn, struct db_request *base)
{
	struct history_request *r = (struct history_request *)base;
	sqlite3_stmt *st = NULL;
	int err = db_take(conn, &st,
			     SESSION "WHERE s.id = (SELECT session_id FROM participants WHERE id = ?)",
			     "i", r->filter.id);

	return err ? err : read_sessions(conn, st, r);
}

/* --- participants ------------------------------------------------------------ */

static void read_participant(sqlite3_stmt *st, struct participant_row *p)
{
	p->id = sqlite3_column_int64(st, 0);
	p->session_id = sqlite3_column_int64(st, 1);
	p->leg = (uint32_t)sqlite3_column_int64(st, 2);
	db_column_text(st, 3, p->name, sizeof p->name);
	db_column_text(st, 4, p->user, sizeof p->user);
	p->host = sqlite3_column_int(st, 5) != 0;
	p->joined_ms = sqlite3_column_int64(st, 6);
	p->left_ms = sqlite3_column_int64(st, 7);
	db_column_text(st, 8, p->reason, sizeof p->reason);
	p->score = sqlite3_column_double(st, 9);
	p->worst = sqlite3_column_double(st, 10);
}

static int run_participants(sqlite3 *conn, struct db_request *base)
{
	struct history_request *r = (struct history_request *)base;
	const struct history_filter *f = &r->filter;
	sqlite3_stmt *st = NULL;
	int rc = SQLITE_DONE, err;

	r->participants = calloc(f->max, sizeof *r->participants);
	if (!r->participants)
		return -ENOMEM;
	err = db_take(conn, &st,
			 "SELECT p.id, p.session_id, p.leg, p.name, coalesce(u.name, ''), p.host, "
			 "p.joined_ms, coalesce(p.left_ms, 0), coalesce(p.leave_reason, ''), "
			 "CASE WHEN p.score_n THEN p.score_sum / p.score_n ELSE 0 END, "
			 "coalesce(p.score_min, 0) FROM participants p "
			 "LEFT JOIN users u ON u.id = p.user_id "
			 "WHERE p.session_id = ? AND p.id > ? ORDER BY p.id LIMIT ?", "iii", f->id,
			 f->cursor, (int64_t)f->max);
	if (err)
		return err;
	while (r->n < f->max && (rc = sqlite3_step(st)) == SQLITE_ROW)
		read_participant(st, &r->participants[r->n++]);
	err = db_errno(conn, rc);
	db_give_back(st);
	return err;
}

/* --- requests ---------------------------------------------------------------- */

static int post(struct db *db, const struct history_request *args, const char *room)
{
	struct history_request *r;

	if (!args->filter.max || args->filter.max > HISTORY_LIST_MAX)
		return -EINVAL;
	r = db_request_new(sizeof *r);
	if (!r)
		return -ENOMEM;
	*r = *args;
	r->base.reply = reply;
	r->base.clear = clear;
	if (!db_copy_text(r->room, sizeof r->room, room)) {
		db_request_free(&r->base);
		return -EINVAL;
	}
	return db_request_post(db, &r->base);
}

int sessions_list(struct db *db, const struct history_filter *f, session_list_cb *cb, void *obj)
{
	struct history_request r = { .base = { .what = "list sessions", .run = run_sessions,
					       .obj = obj },
				     .sessions_cb = cb, .filter = *f };

	return post(db, &r, f->room);
}

int participants_list(struct db *db, const struct history_filter *f, participant_list_cb *cb,
		      void *obj)
{
	struct history_request r = { .base = { .what = "list participants", .run = run_participants,
					       .obj = obj },
				     .participants_cb = cb, .filter = *f };

	return post(db, &r, NULL);
}

int sessions_of_participant(struct db *db, int64_t participant_id, session_list_cb *cb, void *obj)
{
	struct history_request r = { .base = { .what = "find a session", .run = run_of_participant,
					       .obj = obj },
				     .sessions_cb = cb, .filter = { .id = participant_id, .max = 1 } };

	return post(db, &r, NULL);
}
