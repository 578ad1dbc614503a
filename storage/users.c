#include "storage/users.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/base/clock.h"
#include "storage/db_request.h"

struct user_request {
	struct db_request base;
	user_cb *cb;
	struct user_row row;
	/* of a change */
	bool set_hash, set_display, sign_out;
	enum user_role set_role;
	char hash[PASSWORD_HASH_MAX], display[DB_NAME_MAX + 1];
};

static const char *const role_names[] = {
	[USER_NONE] = "none",
	[USER_PARTICIPANT] = "participant",
	[USER_HOST] = "host",
	[USER_ADMIN] = "admin",
};

const char *user_role_name(enum user_role r)
{
	return (unsigned)r < sizeof(role_names) / sizeof(*role_names) ? role_names[r] : "none";
}

enum user_role user_role_parse(const char *name)
{
	for (enum user_role r = USER_PARTICIPANT; r <= USER_ADMIN; r++)
		if (!strcmp(name, role_names[r]))
			return r;
	return USER_NONE;
}

#define USER_COLUMNS "id, name, password_hash, role, created_ms, display_name, generation"

static void read_row(sqlite3_stmt *st, struct user_row *row)
{
	char role[16];

	row->id = sqlite3_column_int64(st, 0);
	db_column_text(st, 1, row->name, sizeof(row->name));
	db_column_text(st, 2, row->password_hash, sizeof(row->password_hash));
	db_column_text(st, 3, role, sizeof(role));
	row->role = user_role_parse(role);
	row->created_ms = sqlite3_column_int64(st, 4);
	db_column_text(st, 5, row->display_name, sizeof(row->display_name));
	row->generation = (uint32_t)sqlite3_column_int64(st, 6);
}

/* By name, or by id when there is no name. */
static int find(sqlite3 *conn, struct user_row *row)
{
	sqlite3_stmt *st = NULL;
	int err = row->name[0] ? db_take(conn, &st, "SELECT " USER_COLUMNS " FROM users "
					    "WHERE name = ?", "t", row->name) :
				 db_take(conn, &st, "SELECT " USER_COLUMNS " FROM users "
					    "WHERE id = ?", "i", row->id);

	if (err)
		return err;
	int rc = sqlite3_step(st);

	if (rc == SQLITE_ROW)
		read_row(st, row);
	err = rc == SQLITE_DONE ? -ENOENT : db_errno(conn, rc);
	db_give_back(st);
	return err;
}

static int create(sqlite3 *conn, const struct user_row *row)
{
	return db_run(conn,
		      "INSERT INTO users (id, name, password_hash, role, created_ms) "
		      "VALUES (?, ?, ?, ?, ?)",
		      "ittti", row->id, row->name, row->password_hash, user_role_name(row->role),
		      row->created_ms);
}

static int run_find(sqlite3 *conn, struct db_request *base)
{
	return find(conn, &((struct user_request *)base)->row);
}

static int run_create(sqlite3 *conn, struct db_request *base)
{
	return create(conn, &((struct user_request *)base)->row);
}

static void reply(struct db_request *base)
{
	struct user_request *r = (struct user_request *)base;

	r->cb(base->obj, base->err, base->err ? NULL : &r->row);
}

static bool fill(struct user_row *row, const char *name, const char *hash, enum user_role role)
{
	row->id = db_new_id();
	row->role = role;
	row->generation = 1;
	row->created_ms = clock_wall_ns() / NS_PER_MS;
	return name[0] && db_copy_text(row->name, sizeof(row->name), name) &&
	       db_copy_text(row->password_hash, sizeof(row->password_hash), hash);
}

static int post(struct db *db, const struct db_request *base, const char *name, const char *hash,
		enum user_role role, user_cb *cb)
{
	struct user_request *r = db_request_new(sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->base = *base;
	r->base.reply = cb ? reply : NULL;
	r->cb = cb;
	if (!fill(&r->row, name, hash, role)) {
		db_request_free(&r->base);
		return -EINVAL;
	}
	return db_request_post(db, &r->base);
}

int users_create(struct db *db, const char *name, const char *hash, enum user_role role,
		 user_cb *cb, void *obj)
{
	struct db_request base = { .what = "create a user", .run = run_create, .obj = obj };

	if (role == USER_NONE || strncmp(hash, "$argon2id$", 10))
		return -EINVAL;
	return post(db, &base, name, hash, role, cb);
}

int users_find(struct db *db, const char *name, user_cb *cb, void *obj)
{
	struct db_request base = { .what = "find a user", .run = run_find, .obj = obj };

	return post(db, &base, name, NULL, USER_NONE, cb);
}

int users_get(struct db *db, int64_t id, user_cb *cb, void *obj)
{
	struct user_request *r = db_request_new(sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->base = (struct db_request){ .what = "find a user", .run = run_find, .reply = reply,
				       .obj = obj };
	r->cb = cb;
	r->row.id = id;
	return db_request_post(db, &r->base);
}

/* --- changes ----------------------------------------------------------------- */

/* -EPERM when there is no administrator any more. */
static int must_have_admin(sqlite3 *conn)
{
	int64_t any = 0;
	int err = db_query_int(conn, &any,
			       "SELECT EXISTS (SELECT 1 FROM users WHERE role = 'admin')", "");

	return err ? err : any ? 0 : -EPERM;
}

static int run_change(sqlite3 *conn, struct db_request *base)
{
	struct user_request *r = (struct user_request *)base;
	const char *role = r->set_role ? user_role_name(r->set_role) : NULL;
	int err = db_begin(conn);

	if (!err)
		err = find(conn, &r->row);
	if (!err) {
		bool raise = r->set_hash || r->sign_out || (r->set_role && r->set_role != r->row.role);

		err = db_run(conn,
			     "UPDATE users SET password_hash = coalesce(?, password_hash), "
			     "display_name = coalesce(?, display_name), role = coalesce(?, role), "
			     "generation = (generation + ?) & 4294967295 WHERE id = ?",
			     "tttii", r->set_hash ? r->hash : NULL, r->set_display ? r->display : NULL,
			     role, (int64_t)raise, r->row.id);
	}
	if (!err)
		err = must_have_admin(conn);
	if (!err)
		err = find(conn, &r->row);
	return db_end(conn, err);
}

static int run_delete(sqlite3 *conn, struct db_request *base)
{
	struct user_request *r = (struct user_request *)base;
	int err = db_begin(conn);

	if (!err)
		err = find(conn, &r->row);
	if (!err)
		err = db_run(conn, "DELETE FROM users WHERE id = ?", "i", r->row.id);
	if (!err)
		err = must_have_admin(conn);
	return db_end(conn, err);
}

static int post_change(struct db *db, int (*run)(sqlite3 *, struct db_request *), const char *name,
		       const struct user_change *c, user_cb *cb, void *obj)
{
	struct user_request *r = db_request_new(sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->base = (struct db_request){ .what = "change a user", .run = run,
				       .reply = cb ? reply : NULL, .obj = obj };
	r->cb = cb;
	r->set_hash = c->hash;
	r->set_display = c->display_name;
	r->set_role = c->role;
	r->sign_out = c->sign_out;
	if (!name[0] || !db_copy_text(r->row.name, sizeof(r->row.name), name) ||
	    !db_copy_text(r->hash, sizeof(r->hash), c->hash) ||
	    !db_copy_text(r->display, sizeof(r->display), c->display_name) ||
	    (c->hash && strncmp(c->hash, "$argon2id$", 10))) {
		db_request_free(&r->base);
		return -EINVAL;
	}
	return db_request_post(db, &r->base);
}

int users_change(struct db *db, const char *name, const struct user_change *change, user_cb *cb,
		 void *obj)
{
	return post_change(db, run_change, name, change, cb, obj);
}

int users_delete(struct db *db, const char *name, user_cb *cb, void *obj)
{
	return post_change(db, run_delete, name, &(struct user_change){ 0 }, cb, obj);
}

/* --- lists ------------------------------------------------------------------- */

struct user_list_request {
	struct db_request base;
	user_list_cb *cb;
	char after[DB_NAME_MAX + 1];
	size_t max;
	struct user_row *rows;
	size_t n, cap;
};

static void clear_list(struct db_request *base)
{
	free(((struct user_list_request *)base)->rows);
}

static void reply_list(struct db_request *base)
{
	struct user_list_request *r = (struct user_list_request *)base;

	r->cb(base->obj, base->err, r->rows, base->err ? 0 : r->n);
}

static bool grow(struct user_list_request *r)
{
	struct user_row *rows;

	if (r->n < r->cap)
		return true;
	r->cap = r->cap ? 2 * r->cap : 16;
	rows = realloc(r->rows, r->cap * sizeof(*rows));
	if (!rows)
		return false;
	r->rows = rows;
	return true;
}

static int run_list(sqlite3 *conn, struct db_request *base)
{
	struct user_list_request *r = (struct user_list_request *)base;
	sqlite3_stmt *st = NULL;
	int rc, err = db_take(conn, &st, "SELECT " USER_COLUMNS " FROM users WHERE name > ? "
			      "ORDER BY name LIMIT ?", "ti", r->after, (int64_t)r->max);

	if (err)
		return err;
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		if (!grow(r)) {
			rc = SQLITE_NOMEM;
			break;
		}
		memset(&r->rows[r->n], 0, sizeof(r->rows[0]));
		read_row(st, &r->rows[r->n]);
		explicit_bzero(r->rows[r->n++].password_hash, PASSWORD_HASH_MAX);
	}
	err = rc == SQLITE_NOMEM ? -ENOMEM : db_errno(conn, rc);
	db_give_back(st);
	return err;
}

int users_list(struct db *db, const char *after, size_t max, user_list_cb *cb, void *obj)
{
	struct user_list_request *r = db_request_new(sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->base = (struct db_request){ .what = "list users", .run = run_list, .reply = reply_list,
				       .clear = clear_list, .obj = obj };
	r->max = max;
	if (!db_copy_text(r->after, sizeof(r->after), after)) {
		db_request_free(&r->base);
		return -EINVAL;
	}
	r->cb = cb;
	return db_request_post(db, &r->base);
}

/* --- the first --------------------------------------------------------------- */

static int any_user(sqlite3 *conn, void *obj)
{
	return db_query_int(conn, obj, "SELECT EXISTS (SELECT 1 FROM users)", "");
}

static int create_row(sqlite3 *conn, void *obj)
{
	return create(conn, obj);
}

int users_first_admin(struct db *db, char password_out[FIRST_ADMIN_PASSWORD_LEN + 1],
		      struct errmsg *why)
{
	char hash[PASSWORD_HASH_MAX];
	struct user_row row = { 0 };
	int64_t any = 0;
	int err = db_call(db, any_user, &any);

	password_out[0] = '\0';
	if (!err && any)
		return 0;
	if (!err)
		err = password_random(password_out, FIRST_ADMIN_PASSWORD_LEN);
	if (!err)
		err = password_hash(hash, password_out);
	if (!err)
		err = fill(&row, "admin", hash, USER_ADMIN) ? db_call(db, create_row, &row) : -EINVAL;
	if (!err)
		return 1;
	password_out[0] = '\0';
	return errmsg_set(why, err, "admin_failed",
			  "The first administrator could not be created: %s.", err_str(err));
}
