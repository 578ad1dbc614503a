#include "storage/invitations.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "storage/db_request.h"

#define WEEK_MS (7 * 24 * 3600 * 1000LL)

struct invitation_request {
	struct db_request base;
	invitation_cb *cb;
	invitation_list_cb *list_cb;
	int64_t now_ms;
	struct invitation_row row;
	struct invitation_row *rows;
	size_t n;
};

#define COLUMNS                                                                        \
	"SELECT i.id, i.token_hash, r.name, i.role, i.created_ms, i.expires_ms, "      \
	"coalesce(i.uses_left, -1), i.made_by, coalesce(u.name, '') "                  \
	"FROM invitations i JOIN rooms r ON r.id = i.room_id "                         \
	"LEFT JOIN users u ON u.id = i.made_by "

static void read_row(sqlite3_stmt *st, struct invitation_row *row)
{
	char role[16];

	row->id = sqlite3_column_int64(st, 0);
	db_column_text(st, 1, row->hash, sizeof(row->hash));
	db_column_text(st, 2, row->room, sizeof(row->room));
	db_column_text(st, 3, role, sizeof(role));
	row->host = !strcmp(role, "host");
	row->created_ms = sqlite3_column_int64(st, 4);
	row->expires_ms = sqlite3_column_int64(st, 5);
	row->uses_left = sqlite3_column_int64(st, 6);
	row->made_by = sqlite3_column_int64(st, 7);
	db_column_text(st, 8, row->maker, sizeof(row->maker));
}

static void clear(struct db_request *base)
{
	free(((struct invitation_request *)base)->rows);
}

static void reply(struct db_request *base)
{
	struct invitation_request *r = (struct invitation_request *)base;

	if (r->list_cb)
		r->list_cb(base->obj, base->err, r->rows, base->err ? 0 : r->n);
	else
		r->cb(base->obj, base->err, base->err ? NULL : &r->row);
}

static int read_one(sqlite3 *conn, struct invitation_row *row)
{
	sqlite3_stmt *st = NULL;
	int err = db_take(conn, &st, COLUMNS "WHERE i.token_hash = ? AND r.name = ?", "tt",
			     row->hash, row->room);

	if (err)
		return err;
	int rc = sqlite3_step(st);

	if (rc == SQLITE_ROW)
		read_row(st, row);
	err = rc == SQLITE_DONE ? -ENOENT : db_errno(conn, rc);
	db_give_back(st);
	return err;
}

static int run_make(sqlite3 *conn, struct db_request *base)
{
	struct invitation_request *r = (struct invitation_request *)base;
	const struct invitation_row *row = &r->row;
	int64_t room_id = 0, n = 0;
	int err = db_begin(conn);

	if (!err)
		err = db_query_int(conn, &room_id,
				   "SELECT id FROM rooms WHERE name = ? AND registered = 1", "t",
				   row->room);
	if (!err)
		err = db_run(conn, "DELETE FROM invitations WHERE expires_ms < ?", "i",
			     row->created_ms - WEEK_MS);
	if (!err)
		err = db_query_int(conn, &n, "SELECT count(*) FROM invitations WHERE room_id = ?", "i",
				   room_id);
	if (!err && n >= INVITATION_LIST_MAX)
		err = -EUSERS;
	if (!err)
		err = db_run(conn,
			     "INSERT INTO invitations (id, token_hash, room_id, role, created_ms, "
			     "expires_ms, uses_left, made_by) VALUES (?, ?, ?, ?, ?, ?, "
			     "nullif(?, -1), ?)",
			     "ititiiin", row->id, row->hash, room_id,
			     row->host ? "host" : "participant", row->created_ms, row->expires_ms,
			     row->uses_left, row->made_by);
	return db_end(conn, err);
}

static int run_use(sqlite3 *conn, struct db_request *base)
{
	struct invitation_request *r = (struct invitation_request *)base;
	int err = db_begin(conn);

	if (!err)
		err = read_one(conn, &r->row);
	if (!err && r->row.expires_ms <= r->now_ms)
		err = -ETIME;
	if (!err && !r->row.uses_left)
		err = -ENOENT;
	if (!err)
		err = db_run(conn, "UPDATE invitations SET uses_left = uses_left - 1 WHERE id = ?",
			     "i", r->row.id);
	return db_end(conn, err);
}

static int run_give_back(sqlite3 *conn, struct db_request *base)
{
	struct invitation_request *r = (struct invitation_request *)base;

	return db_run(conn, "UPDATE invitations SET uses_left = uses_left + 1 WHERE id = ?", "i",
		      r->row.id);
}

static int run_delete(sqlite3 *conn, struct db_request *base)
{
	struct invitation_request *r = (struct invitation_request *)base;
	int err = db_run(conn,
			 "DELETE FROM invitations WHERE id = ? AND room_id = "
			 "(SELECT id FROM rooms WHERE name = ?)", "it", r->row.id, r->row.room);

	return err ? err : sqlite3_changes(conn) ? 0 : -ENOENT;
}

static int run_list(sqlite3 *conn, struct db_request *base)
{
	struct invitation_request *r = (struct invitation_request *)base;
	sqlite3_stmt *st = NULL;
	int rc, err;

	r->rows = calloc(INVITATION_LIST_MAX, sizeof(*r->rows));
	if (!r->rows)
		return -ENOMEM;
	err = db_take(conn, &st, COLUMNS "WHERE r.name = ? ORDER BY i.id LIMIT ?", "ti",
			 r->row.room, (int64_t)INVITATION_LIST_MAX);
	if (err)
		return err;
	while ((rc = sqlite3_step(st)) == SQLITE_ROW && r->n < INVITATION_LIST_MAX)
		read_row(st, &r->rows[r->n++]);
	err = db_errno(conn, rc);
	db_give_back(st);
	return err;
}

/* row's room and hash are copied by the struct. */
static int post(struct db *db, const struct invitation_request *args, const char *room)
{
	struct invitation_request *r = db_request_new(sizeof(*r));

	if (!r)
		return -ENOMEM;
	*r = *args;
	r->base.clear = clear;
	r->base.reply = r->cb || r->list_cb ? reply : NULL;
	if (room && !db_copy_text(r->row.room, sizeof(r->row.room), room)) {
		db_request_free(&r->base);
		return -EINVAL;
	}
	return db_request_post(db, &r->base);
}

int invitations_make(struct db *db, const struct invitation_row *row, invitation_cb *cb, void *obj)
{
	struct invitation_request r = { .base = { .what = "make an invitation", .run = run_make,
						  .obj = obj },
					.cb = cb, .row = *row };

	return post(db, &r, NULL);
}

int invitations_use(struct db *db, const char *hash, const char *room, int64_t now_ms,
		    invitation_cb *cb, void *obj)
{
	struct invitation_request r = { .base = { .what = "use an invitation", .run = run_use,
						  .obj = obj },
					.cb = cb, .now_ms = now_ms };

	return db_copy_text(r.row.hash, sizeof(r.row.hash), hash) ? post(db, &r, room) : -EINVAL;
}

int invitations_give_back(struct db *db, int64_t id)
{
	struct invitation_request r = { .base = { .what = "give an invitation back",
						  .run = run_give_back },
					.row.id = id };

	return post(db, &r, NULL);
}

int invitations_list(struct db *db, const char *room, invitation_list_cb *cb, void *obj)
{
	struct invitation_request r = { .base = { .what = "list invitations", .run = run_list,
						  .obj = obj },
					.list_cb = cb };

	return post(db, &r, room);
}

int invitations_delete(struct db *db, const char *room, int64_t id, invitation_cb *cb, void *obj)
{
	struct invitation_request r = { .base = { .what = "delete an invitation", .run = run_delete,
						  .obj = obj },
					.cb = cb, .row.id = id };

	return post(db, &r, room);
}
