#include "storage/users.h"

#include <errno.h>
#include <string.h>

#include "mcu/base/clock.h"
#include "storage/db_request.h"

struct user_request {
	struct db_request base;
	user_cb *cb;
	struct user_row row;
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

static enum user_role parse_role(const char *name)
{
	for (enum user_role r = USER_PARTICIPANT; r <= USER_ADMIN; r++)
		if (!strcmp(name, role_names[r]))
			return r;
	return USER_NONE;
}

static int find(sqlite3 *conn, struct user_row *row)
{
	sqlite3_stmt *st = NULL;
	char role[16];
	int err = db_prepare(conn, &st,
			     "SELECT id, password_hash, role, created_ms FROM users "
			     "WHERE name = ?", "t", row->name);

	if (err)
		return err;
	int rc = sqlite3_step(st);

	if (rc == SQLITE_ROW) {
		row->id = sqlite3_column_int64(st, 0);
		db_column_text(st, 1, row->password_hash, sizeof(row->password_hash));
		db_column_text(st, 2, role, sizeof(role));
		row->role = parse_role(role);
		row->created_ms = sqlite3_column_int64(st, 3);
	}
	err = rc == SQLITE_DONE ? -ENOENT : db_errno(conn, rc);
	sqlite3_finalize(st);
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
