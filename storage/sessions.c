#include "storage/sessions.h"

#include <errno.h>

#include "storage/db_request.h"

struct session_request {
	struct db_request base;
	session_cb *cb;
	int64_t id, session_id, user_id, at_ms, result;
	uint32_t leg;
	char text[DB_NAME_MAX + 1]; /* the room's or the participant's name, or a reason */
};

static void reply(struct db_request *base)
{
	struct session_request *r = (struct session_request *)base;

	r->cb(base->obj, base->err, r->result);
}

/* -ENOENT when the statement before changed nothing. */
static int must_have_changed(sqlite3 *conn, int err)
{
	return err ? err : sqlite3_changes(conn) ? 0 : -ENOENT;
}

static int run_begin(sqlite3 *conn, struct db_request *base)
{
	struct session_request *r = (struct session_request *)base;
	int err = db_begin(conn);

	if (!err)
		err = db_run(conn,
			     "INSERT INTO rooms (name, created_ms) VALUES (?, ?) "
			     "ON CONFLICT (name) DO NOTHING", "ti", r->text, r->at_ms);
	if (!err)
		err = db_query_int(conn, &r->result, "SELECT id FROM rooms WHERE name = ?", "t",
				   r->text);
	if (!err)
		err = db_run(conn,
			     "INSERT INTO sessions (id, room_id, started_ms) VALUES (?, ?, ?)",
			     "iii", r->id, r->result, r->at_ms);
	return db_end(conn, err);
}

static int run_end(sqlite3 *conn, struct db_request *base)
{
	struct session_request *r = (struct session_request *)base;
	int err = db_begin(conn);

	if (!err)
		err = must_have_changed(conn, db_run(conn,
					"UPDATE sessions SET ended_ms = ?, end_reason = ? "
					"WHERE id = ? AND ended_ms IS NULL",
					"iti", r->at_ms, r->text, r->id));
	if (!err)
		err = db_run(conn,
			     "UPDATE participants SET left_ms = ?, leave_reason = ? "
			     "WHERE session_id = ? AND left_ms IS NULL",
			     "iti", r->at_ms, r->text, r->id);
	return db_end(conn, err);
}

static int run_joined(sqlite3 *conn, struct db_request *base)
{
	struct session_request *r = (struct session_request *)base;

	return db_run(conn,
		      "INSERT INTO participants (id, session_id, leg, name, joined_ms, user_id) "
		      "VALUES (?, ?, ?, ?, ?, ?)",
		      "iiitin", r->id, r->session_id, (int64_t)r->leg, r->text, r->at_ms,
		      r->user_id);
}

static int run_host(sqlite3 *conn, struct db_request *base)
{
	struct session_request *r = (struct session_request *)base;

	return db_run(conn, "UPDATE participants SET host = 1 WHERE id = ?", "i", r->id);
}

static int run_left(sqlite3 *conn, struct db_request *base)
{
	struct session_request *r = (struct session_request *)base;

	return must_have_changed(conn, db_run(conn,
					      "UPDATE participants SET left_ms = ?, "
					      "leave_reason = ? WHERE id = ? AND left_ms IS NULL",
					      "iti", r->at_ms, r->text, r->id));
}

static int post(struct db *db, const struct session_request *args, const char *text)
{
	struct session_request *r = db_request_new(sizeof(*r));

	if (!r)
		return -ENOMEM;
	*r = *args;
	r->base.reply = r->cb ? reply : NULL;
	r->result = r->id;
	if (!db_copy_text(r->text, sizeof(r->text), text)) {
		db_request_free(&r->base);
		return -EINVAL;
	}
	return db_request_post(db, &r->base);
}

int sessions_begin(struct db *db, int64_t id, const char *room_name, int64_t started_ms,
		   session_cb *cb, void *obj)
{
	struct session_request r = { .base = { .what = "begin a session", .run = run_begin,
					       .obj = obj },
				     .cb = cb, .id = id, .at_ms = started_ms };

	return post(db, &r, room_name);
}

int sessions_end(struct db *db, int64_t id, int64_t ended_ms, const char *reason, session_cb *cb,
		 void *obj)
{
	struct session_request r = { .base = { .what = "end a session", .run = run_end,
					       .obj = obj },
				     .cb = cb, .id = id, .at_ms = ended_ms };

	return post(db, &r, reason);
}

int sessions_participant_joined(struct db *db, int64_t id, int64_t session_id, uint32_t leg,
				const char *name, int64_t user_id, int64_t joined_ms,
				session_cb *cb, void *obj)
{
	struct session_request r = { .base = { .what = "note a participant", .run = run_joined,
					       .obj = obj },
				     .cb = cb, .id = id, .session_id = session_id, .leg = leg,
				     .user_id = user_id, .at_ms = joined_ms };

	return post(db, &r, name);
}

int sessions_participant_host(struct db *db, int64_t id)
{
	struct session_request r = { .base = { .what = "note a host", .run = run_host },
				     .id = id };

	return post(db, &r, "");
}

int sessions_participant_left(struct db *db, int64_t id, int64_t left_ms, const char *reason,
			      session_cb *cb, void *obj)
{
	struct session_request r = { .base = { .what = "note that a participant left",
					       .run = run_left, .obj = obj },
				     .cb = cb, .id = id, .at_ms = left_ms };

	return post(db, &r, reason);
}
