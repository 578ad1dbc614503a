#include "storage/api_tokens.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "storage/db_request.h"

struct token_request {
	struct db_request base;
	api_token_cb *cb;
	api_token_list_cb *list_cb;
	int64_t now_ms;
	struct api_token_row row;
	struct user_row who;
	struct api_token_row *rows;
	size_t n, max;
};

#define COLUMNS                                                                        \
	"SELECT t.id, t.name, t.scopes, t.user_id, u.name, t.created_ms, "             \
	"coalesce(t.expires_ms, 0), coalesce(t.used_ms, 0), u.role, u.created_ms, "    \
	"u.display_name, u.generation FROM api_tokens t JOIN users u ON u.id = t.user_id "

static void read_row(sqlite3_stmt *st, struct api_token_row *row)
{
	row->id = sqlite3_column_int64(st, 0);
	db_column_text(st, 1, row->name, sizeof row->name);
	db_column_text(st, 2, row->scopes, sizeof row->scopes);
	row->user_id = sqlite3_column_int64(st, 3);
	db_column_text(st, 4, row->user, sizeof row->user);
	row->created_ms = sqlite3_column_int64(st, 5);
	row->expires_ms = sqlite3_column_int64(st, 6);
	row->used_ms = sqlite3_column_int64(st, 7);
}

static void read_user(sqlite3_stmt *st, const struct api_token_row *row, struct user_row *who)
{
	char role[16];

	who->id = row->user_id;
	memcpy(who->name, row->user, sizeof who->name);
	db_column_text(st, 8, role, sizeof role);
	who->role = user_role_parse(role);
	who->created_ms = sqlite3_column_int64(st, 9);
	db_column_text(st, 10, who->display_name, sizeof who->display_name);
	who->generation = (uint32_t)sqlite3_column_int64(st, 11);
}

static void clear(struct db_request *base)
{
	free(((struct token_request *)base)->rows);
}

static void reply(struct db_request *base)
{
	struct token_request *r = (struct token_request *)base;

	if (r->list_cb)
		r->list_cb(base->obj, base->err, r->rows, base->err ? 0 : r->n);
	else
		r->cb(base->obj, base->err, base->err ? NULL : &r->row, base->err ? NULL : &r->who);
}

static int run_make(sqlite3 *conn, struct db_request *base)
{
	struct token_request *r = (struct token_request *)base;
	const struct api_token_row *row = &r->row;
	int64_t n = 0;
	int err = db_begin(conn);

	if (!err)
		err = db_query_int(conn, &n, "SELECT id FROM users WHERE id = ?", "i", row->user_id);
	if (!err)
		err = db_query_int(conn, &n, "SELECT count(*) FROM api_tokens WHERE user_id = ?", "i",
				   row->user_id);
	if (!err && n >= API_TOKENS_OF_USER)
		err = -EUSERS;
	if (!err)
		err = db_run(conn,
			     "INSERT INTO api_tokens (id, token_hash, user_id, name, scopes, "
			     "created_ms, expires_ms) VALUES (?, ?, ?, ?, ?, ?, ?)", "itittin",
			     row->id, row->hash, row->user_id, row->name, row->scopes,
			     row->created_ms, row->expires_ms);
	return db_end(conn, err);
}

static int run_use(sqlite3 *conn, struct db_request *base)
{
	struct token_request *r = (struct token_request *)base;
	sqlite3_stmt *st = NULL;
	int err = db_take(conn, &st, COLUMNS "WHERE t.token_hash = ?", "t", r->row.hash), rc;

	if (err)
		return err;
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW) {
		read_row(st, &r->row);
		read_user(st, &r->row, &r->who);
	}
	err = rc == SQLITE_DONE ? -ENOENT : db_errno(conn, rc);
	db_give_back(st);
	if (!err && r->row.expires_ms && r->row.expires_ms <= r->now_ms)
		err = -ETIME;
	/* Not at each request: that would be a write for every read. */
	if (!err && r->now_ms - r->row.used_ms >= API_TOKEN_SEEN_MS)
		err = db_run(conn, "UPDATE api_tokens SET used_ms = ? WHERE id = ?", "ii", r->now_ms,
			     r->row.id);
	return err;
}

static int run_list(sqlite3 *conn, struct db_request *base)
{
	struct token_request *r = (struct token_request *)base;
	sqlite3_stmt *st = NULL;
	int rc, err;

	r->rows = calloc(r->max, sizeof *r->rows);
	if (!r->rows)
		return -ENOMEM;
	err = db_take(conn, &st, COLUMNS "WHERE (?1 IS NULL OR t.user_id = ?1) AND t.id > ?2 "
		      "ORDER BY t.id LIMIT ?3", "nii", r->row.user_id, r->row.id, (int64_t)r->max);
	if (err)
		return err;
	while ((rc = sqlite3_step(st)) == SQLITE_ROW && r->n < r->max)
		read_row(st, &r->rows[r->n++]);
	err = db_errno(conn, rc);
	db_give_back(st);
	return err;
}

static int run_revoke(sqlite3 *conn, struct db_request *base)
{
	struct token_request *r = (struct token_request *)base;
	sqlite3_stmt *st = NULL;
	int err, rc;

	err = db_take(conn, &st, COLUMNS "WHERE t.id = ?1 AND (?2 IS NULL OR t.user_id = ?2)", "in",
			 r->row.id, r->row.user_id);
	if (err)
		return err;
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		read_row(st, &r->row);
	err = rc == SQLITE_DONE ? -ENOENT : db_errno(conn, rc);
	db_give_back(st);
	return err ? err : db_run(conn, "DELETE FROM api_tokens WHERE id = ?", "i", r->row.id);
}

static int post(struct db *db, const struct token_request *args)
{
	struct token_request *r = db_request_new(sizeof *r);

	if (!r)
		return -ENOMEM;
	*r = *args;
	r->base.clear = clear;
	r->base.reply = reply;
	return db_request_post(db, &r->base);
}

int api_tokens_make(struct db *db, const struct api_token_row *row, api_token_cb *cb, void *obj)
{
	struct token_request r = { .base = { .what = "make an API token", .run = run_make, .obj = obj },
				   .cb = cb, .row = *row };

	return post(db, &r);
}

int api_tokens_use(struct db *db, const char *hash, int64_t now_ms, api_token_cb *cb, void *obj)
{
	struct token_request r = { .base = { .what = "look an API token up", .run = run_use,
					     .obj = obj },
				   .cb = cb, .now_ms = now_ms };

	return db_copy_text(r.row.hash, sizeof r.row.hash, hash) ? post(db, &r) : -EINVAL;
}

int api_tokens_list(struct db *db, int64_t user_id, int64_t after, size_t max,
		    api_token_list_cb *cb, void *obj)
{
	struct token_request r = { .base = { .what = "list API tokens", .run = run_list, .obj = obj },
				   .list_cb = cb, .row = { .id = after, .user_id = user_id },
				   .max = max };

	if (!max || max > API_TOKEN_LIST_MAX)
		return -EINVAL;
	return post(db, &r);
}

int api_tokens_revoke(struct db *db, int64_t id, int64_t user_id, api_token_cb *cb, void *obj)
{
	struct token_request r = { .base = { .what = "revoke an API token", .run = run_revoke,
					     .obj = obj },
				   .cb = cb, .row = { .id = id, .user_id = user_id } };

	return post(db, &r);
}
