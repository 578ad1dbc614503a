#include "storage/link_keys.h"

#include <errno.h>
#include <string.h>

#include "mcu/base/clock.h"
#include "storage/db_request.h"
#include "storage/recordings.h"

struct key_request {
	struct db_request base;
	link_key_cb *cb;
	char secret[LINK_SECRET_LEN + 1];
};

static int make_secret(char secret[LINK_SECRET_LEN + 1])
{
	_Static_assert(LINK_SECRET_LEN == 2 * RECORDING_TOKEN_LEN, "two tokens");
	int err = recording_token(secret);

	return err ? err : recording_token(secret + RECORDING_TOKEN_LEN);
}

static int replace(sqlite3 *conn, char secret[LINK_SECRET_LEN + 1])
{
	int err = make_secret(secret);

	if (!err)
		err = db_begin(conn);
	if (err)
		return err;
	err = db_run(conn, "DELETE FROM link_keys", "");
	if (!err)
		err = db_run(conn, "INSERT INTO link_keys (secret, created_ms) VALUES (?, ?)", "ti",
			     secret, clock_wall_ns() / NS_PER_MS);
	return db_end(conn, err);
}

static int load(sqlite3 *conn, void *obj)
{
	char *secret = obj;
	sqlite3_stmt *st = NULL;
	int err = db_prepare(conn, &st, "SELECT secret FROM link_keys ORDER BY id DESC LIMIT 1", "");

	if (err)
		return err;
	int rc = sqlite3_step(st);

	if (rc == SQLITE_ROW)
		db_column_text(st, 0, secret, LINK_SECRET_LEN + 1);
	err = db_errno(conn, rc);
	sqlite3_finalize(st);
	return rc == SQLITE_DONE ? replace(conn, secret) : err;
}

int link_key_load(struct db *db, char secret[LINK_SECRET_LEN + 1])
{
	return db_call(db, load, secret);
}

static int run_rotate(sqlite3 *conn, struct db_request *base)
{
	return replace(conn, ((struct key_request *)base)->secret);
}

static void reply(struct db_request *base)
{
	struct key_request *r = (struct key_request *)base;

	r->cb(base->obj, base->err, base->err ? NULL : r->secret);
}

static void clear(struct db_request *base)
{
	struct key_request *r = (struct key_request *)base;

	explicit_bzero(r->secret, sizeof(r->secret));
}

int link_key_rotate(struct db *db, link_key_cb *cb, void *obj)
{
	struct key_request *r = db_request_new(sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->base = (struct db_request){ .what = "change the key of links", .run = run_rotate,
				       .reply = reply, .clear = clear, .obj = obj };
	r->cb = cb;
	return db_request_post(db, &r->base);
}
