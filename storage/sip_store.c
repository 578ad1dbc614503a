#include "storage/sip_store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "storage/db_request.h"

struct sip_request {
	struct db_request base;
	sip_done_cb *cb;
	char name[DB_NAME_MAX + 1];
	struct sip_secret_row *secret;
	struct sip_trunk_row *trunk;
	struct sip_phone_row *phones;
	size_t n;
};

static void clear(struct db_request *base)
{
	struct sip_request *r = (struct sip_request *)base;

	if (r->secret)
		explicit_bzero(r->secret, sizeof(*r->secret));
	if (r->trunk)
		explicit_bzero(r->trunk, sizeof(*r->trunk));
	free(r->secret);
	free(r->trunk);
	free(r->phones);
}

static void reply(struct db_request *base)
{
	((struct sip_request *)base)->cb(base->obj, base->err);
}

static int user_id(sqlite3 *conn, const char *name, int64_t *id)
{
	return db_query_int(conn, id, "SELECT id FROM users WHERE name = ?", "t", name);
}

/* --- what runs on the database's thread ------------------------------------------------- */

static int run_put_secret(sqlite3 *conn, struct db_request *base)
{
	const struct sip_secret_row *s = ((struct sip_request *)base)->secret;
	int64_t id = 0;
	int err = user_id(conn, s->user, &id);

	return err ? err : db_run(conn,
				  "INSERT OR REPLACE INTO sip_secrets (user_id, realm, ha1_md5, "
				  "ha1_sha256) VALUES (?, ?, ?, ?)",
				  "ittt", id, s->realm, s->ha1_md5, s->ha1_sha256);
}

static int run_delete_secret(sqlite3 *conn, struct db_request *base)
{
	const char *name = ((struct sip_request *)base)->name;
	int64_t id = 0;
	int err = db_begin(conn);

	if (!err)
		err = user_id(conn, name, &id);
	if (!err)
		err = db_run(conn, "DELETE FROM sip_secrets WHERE user_id = ?", "i", id);
	if (!err)
		err = db_run(conn, "DELETE FROM sip_phones WHERE user_id = ?", "i", id);
	return db_end(conn, err);
}

static int run_put_phones(sqlite3 *conn, struct db_request *base)
{
	struct sip_request *r = (struct sip_request *)base;
	int64_t id = 0;
	int err = db_begin(conn);

	if (!err)
		err = user_id(conn, r->name, &id);
	if (!err)
		err = db_run(conn, "DELETE FROM sip_phones WHERE user_id = ?", "i", id);
	for (size_t i = 0; i < r->n && !err; i++) {
		const struct sip_phone_row *p = &r->phones[i];

		err = db_run(conn,
			     "INSERT INTO sip_phones (user_id, uri, route, path, call_id, cseq, "
			     "instance, agent, expires_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
			     "ittttitti", id, p->uri, p->route, p->path, p->call_id,
			     (int64_t)p->cseq, p->instance, p->agent, p->expires_ms);
	}
	return db_end(conn, err);
}

static int run_put_trunk(sqlite3 *conn, struct db_request *base)
{
	const struct sip_trunk_row *t = ((struct sip_request *)base)->trunk;

	return db_run(conn, "INSERT OR REPLACE INTO sip_trunks (name, settings, password) "
			    "VALUES (?, ?, ?)", "ttt", t->name, t->settings, t->password);
}

static int run_delete_trunk(sqlite3 *conn, struct db_request *base)
{
	int err = db_run(conn, "DELETE FROM sip_trunks WHERE name = ?", "t",
			 ((struct sip_request *)base)->name);

	return err ? err : sqlite3_changes(conn) ? 0 : -ENOENT;
}

/* --- requests -------------------------------------------------------------------------------- */

static struct sip_request *make(const char *what, int (*run)(sqlite3 *, struct db_request *),
				sip_done_cb *cb, void *obj)
{
	struct sip_request *r = db_request_new(sizeof(*r));

	if (!r)
		return NULL;
	r->base = (struct db_request){ .what = what, .run = run, .reply = cb ? reply : NULL,
				       .clear = clear, .obj = obj };
	r->cb = cb;
	return r;
}

static void *copy_of(const void *rows, size_t size)
{
	void *copy = malloc(size ? size : 1);

	if (copy && size)
		memcpy(copy, rows, size);
	return copy;
}

int sip_secret_put(struct db *db, const struct sip_secret_row *row, sip_done_cb *cb, void *obj)
{
	struct sip_request *r = make("keep a SIP password", run_put_secret, cb, obj);

	if (!r)
		return -ENOMEM;
	r->secret = copy_of(row, sizeof(*row));
	if (!r->secret) {
		db_request_free(&r->base);
		return -ENOMEM;
	}
	return db_request_post(db, &r->base);
}

static int post_name(struct db *db, const char *what, const char *name,
		     int (*run)(sqlite3 *, struct db_request *), sip_done_cb *cb, void *obj)
{
	struct sip_request *r = make(what, run, cb, obj);

	if (!r)
		return -ENOMEM;
	if (!db_copy_text(r->name, sizeof(r->name), name)) {
		db_request_free(&r->base);
		return -EINVAL;
	}
	return db_request_post(db, &r->base);
}

int sip_secret_delete(struct db *db, const char *user, sip_done_cb *cb, void *obj)
{
	return post_name(db, "drop a SIP password", user, run_delete_secret, cb, obj);
}

int sip_trunk_delete(struct db *db, const char *name, sip_done_cb *cb, void *obj)
{
	return post_name(db, "drop a trunk", name, run_delete_trunk, cb, obj);
}

int sip_phones_put(struct db *db, const char *user, const struct sip_phone_row *rows, size_t n)
{
	struct sip_request *r;

	if (n > SIP_PHONES_MAX)
		return -EINVAL;
	r = make("keep where telephones are", run_put_phones, NULL, NULL);
	if (!r)
		return -ENOMEM;
	r->n = n;
	r->phones = copy_of(rows, n * sizeof(*rows));
	if (!r->phones || !db_copy_text(r->name, sizeof(r->name), user)) {
		int err = r->phones ? -EINVAL : -ENOMEM;

		db_request_free(&r->base);
		return err;
	}
	return db_request_post(db, &r->base);
}

int sip_trunk_put(struct db *db, const struct sip_trunk_row *row, sip_done_cb *cb, void *obj)
{
	struct sip_request *r = make("keep a trunk", run_put_trunk, cb, obj);

	if (!r)
		return -ENOMEM;
	r->trunk = copy_of(row, sizeof(*row));
	if (!r->trunk) {
		db_request_free(&r->base);
		return -ENOMEM;
	}
	return db_request_post(db, &r->base);
}

/* --- at the start ------------------------------------------------------------------------ */

typedef void row_fn(const struct sip_load *load, sqlite3_stmt *st);

static void read_secret(const struct sip_load *load, sqlite3_stmt *st)
{
	struct sip_secret_row row = { .user = "" };

	db_column_text(st, 0, row.user, sizeof(row.user));
	db_column_text(st, 1, row.realm, sizeof(row.realm));
	db_column_text(st, 2, row.ha1_md5, sizeof(row.ha1_md5));
	db_column_text(st, 3, row.ha1_sha256, sizeof(row.ha1_sha256));
	load->secret(load->obj, &row);
}

static void read_phone(const struct sip_load *load, sqlite3_stmt *st)
{
	struct sip_phone_row row = { .user = "" };

	db_column_text(st, 0, row.user, sizeof(row.user));
	db_column_text(st, 1, row.uri, sizeof(row.uri));
	db_column_text(st, 2, row.route, sizeof(row.route));
	db_column_text(st, 3, row.path, sizeof(row.path));
	db_column_text(st, 4, row.call_id, sizeof(row.call_id));
	row.cseq = (uint32_t)sqlite3_column_int64(st, 5);
	db_column_text(st, 6, row.instance, sizeof(row.instance));
	db_column_text(st, 7, row.agent, sizeof(row.agent));
	row.expires_ms = sqlite3_column_int64(st, 8);
	load->phone(load->obj, &row);
}

static void read_trunk(const struct sip_load *load, sqlite3_stmt *st)
{
	struct sip_trunk_row row = { .name = "" };

	db_column_text(st, 0, row.name, sizeof(row.name));
	db_column_text(st, 1, row.settings, sizeof(row.settings));
	db_column_text(st, 2, row.password, sizeof(row.password));
	load->trunk(load->obj, &row);
}

static int each(sqlite3 *conn, const struct sip_load *load, const char *sql, row_fn *fn)
{
	sqlite3_stmt *st = NULL;
	int rc, err = db_prepare(conn, &st, sql, "");

	if (err)
		return err;
	while ((rc = sqlite3_step(st)) == SQLITE_ROW)
		fn(load, st);
	err = db_errno(conn, rc);
	sqlite3_finalize(st);
	return err;
}

static int load_all(sqlite3 *conn, void *obj)
{
	const struct sip_load *load = obj;
	int err = db_run(conn, "DELETE FROM sip_phones WHERE expires_ms <= ?", "i", load->now_ms);

	if (!err)
		err = each(conn, load, "SELECT name, realm, ha1_md5, ha1_sha256 FROM sip_secrets "
				       "JOIN users ON users.id = user_id", read_secret);
	if (!err)
		err = each(conn, load, "SELECT name, uri, route, path, call_id, cseq, instance, agent, "
				       "expires_ms FROM sip_phones JOIN users ON users.id = user_id "
				       "ORDER BY sip_phones.rowid", read_phone);
	return err ? err : each(conn, load, "SELECT name, settings, password FROM sip_trunks "
					    "ORDER BY name", read_trunk);
}

int sip_load(struct db *db, const struct sip_load *load)
{
	struct sip_load copy = *load;

	return db_call(db, load_all, &copy);
}
