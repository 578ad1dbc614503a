#include "storage/db_request.h"

#include <errno.h>
#include <string.h>

bool db_copy_text(char *to, size_t cap, const char *from)
{
	size_t n = from ? strlen(from) : 0;

	if (n >= cap)
		return false;
	if (n)
		memcpy(to, from, n);
	to[n] = '\0';
	return true;
}

int db_errno(sqlite3 *conn, int rc)
{
	int extended = conn ? sqlite3_extended_errcode(conn) : rc;

	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_CONSTRAINT:
		return extended == SQLITE_CONSTRAINT_UNIQUE ||
				       extended == SQLITE_CONSTRAINT_PRIMARYKEY ?
			       -EEXIST : -EINVAL;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_READONLY:
	case SQLITE_PERM:
		return -EACCES;
	case SQLITE_TOOBIG:
	case SQLITE_MISMATCH:
		return -EINVAL;
	default:
		return -EIO;
	}
}

static int bind(sqlite3_stmt *st, const char *kinds, va_list ap)
{
	int rc = SQLITE_OK;

	for (int i = 1; kinds[i - 1] && rc == SQLITE_OK; i++) {
		if (kinds[i - 1] == 't') {
			rc = sqlite3_bind_text(st, i, va_arg(ap, const char *), -1, SQLITE_STATIC);
			continue;
		}
		if (kinds[i - 1] == 'r') {
			rc = sqlite3_bind_double(st, i, va_arg(ap, double));
			continue;
		}
		int64_t v = va_arg(ap, int64_t);

		rc = kinds[i - 1] == 'n' && v == 0 ? sqlite3_bind_null(st, i) :
						     sqlite3_bind_int64(st, i, v);
	}
	return rc;
}

/* --- statements that are kept -------------------------------------------------- */

enum { KEPT = 256, PROBES = 4 };

/* Preparing costs more than running. Of one thread and one connection; in use: not to be
 * used again by whoever it calls. */
static _Thread_local struct {
	sqlite3 *conn; /* NULL: nothing is kept */
	struct kept {
		const char *sql; /* as it was given: to find it, not to read */
		sqlite3_stmt *st;
		bool in_use;
	} all[KEPT];
} kept;

void db_keep_statements(sqlite3 *conn)
{
	for (size_t i = 0; i < KEPT; i++)
		sqlite3_finalize(kept.all[i].st);
	memset(&kept, 0, sizeof kept);
	kept.conn = conn;
}

/* NULL: none can be kept for it. The text is compared as well: another one may be at the
 * same place by now. */
static struct kept *find_kept(sqlite3 *conn, const char *sql)
{
	size_t at = (size_t)((uintptr_t)sql * UINT64_C(0x9e3779b97f4a7c15) >> 40);

	for (size_t i = 0; conn && conn == kept.conn && i < PROBES; i++) {
		struct kept *k = &kept.all[(at + i) % KEPT];

		if (!k->st || (k->sql == sql && !strcmp(sqlite3_sql(k->st), sql)))
			return k->in_use ? NULL : k;
	}
	return NULL;
}

int db_vtake(sqlite3 *conn, sqlite3_stmt **out, const char *sql, const char *kinds, va_list ap)
{
	struct kept *k = find_kept(conn, sql);
	int rc = SQLITE_OK;

	if (!k)
		return db_vprepare(conn, out, sql, kinds, ap);
	if (!k->st)
		rc = sqlite3_prepare_v3(conn, sql, -1, SQLITE_PREPARE_PERSISTENT, &k->st, NULL);
	if (rc == SQLITE_OK)
		rc = bind(k->st, kinds, ap);
	int err = db_errno(conn, rc);

	if (err) {
		sqlite3_finalize(k->st);
		*k = (struct kept){ 0 };
		*out = NULL;
		return err;
	}
	k->sql = sql;
	k->in_use = true;
	*out = k->st;
	return 0;
}

int db_take(sqlite3 *conn, sqlite3_stmt **out, const char *sql, const char *kinds, ...)
{
	va_list ap;

	va_start(ap, kinds);
	int err = db_vtake(conn, out, sql, kinds, ap);

	va_end(ap);
	return err;
}

void db_give_back(sqlite3_stmt *st)
{
	for (size_t i = 0; st && kept.conn && i < KEPT; i++) {
		if (kept.all[i].st != st)
			continue;
		sqlite3_reset(st);
		sqlite3_clear_bindings(st);
		kept.all[i].in_use = false;
		return;
	}
	sqlite3_finalize(st);
}

/* --- one after the other --------------------------------------------------------- */

int db_vprepare(sqlite3 *conn, sqlite3_stmt **out, const char *sql, const char *kinds, va_list ap)
{
	int rc = sqlite3_prepare_v2(conn, sql, -1, out, NULL);

	if (rc == SQLITE_OK)
		rc = bind(*out, kinds, ap);
	int err = db_errno(conn, rc);

	if (err) {
		sqlite3_finalize(*out);
		*out = NULL;
	}
	return err;
}

int db_prepare(sqlite3 *conn, sqlite3_stmt **out, const char *sql, const char *kinds, ...)
{
	va_list ap;

	va_start(ap, kinds);
	int err = db_vprepare(conn, out, sql, kinds, ap);

	va_end(ap);
	return err;
}

int db_run(sqlite3 *conn, const char *sql, const char *kinds, ...)
{
	sqlite3_stmt *st = NULL;
	va_list ap;
	int rc;

	va_start(ap, kinds);
	int err = db_vtake(conn, &st, sql, kinds, ap);

	va_end(ap);
	if (err)
		return err;
	while ((rc = sqlite3_step(st)) == SQLITE_ROW)
		;
	err = db_errno(conn, rc);
	db_give_back(st);
	return err;
}

int db_query_int(sqlite3 *conn, int64_t *out, const char *sql, const char *kinds, ...)
{
	sqlite3_stmt *st = NULL;
	va_list ap;

	va_start(ap, kinds);
	int err = db_vtake(conn, &st, sql, kinds, ap);

	va_end(ap);
	if (err)
		return err;
	int rc = sqlite3_step(st);

	if (rc == SQLITE_ROW)
		*out = sqlite3_column_int64(st, 0);
	err = rc == SQLITE_DONE ? -ENOENT : db_errno(conn, rc);
	db_give_back(st);
	return err;
}

void db_column_text(sqlite3_stmt *st, int col, char *to, size_t cap)
{
	const unsigned char *p = sqlite3_column_text(st, col);
	size_t n = p ? (size_t)sqlite3_column_bytes(st, col) : 0;

	n = n < cap ? n : cap - 1;
	if (n)
		memcpy(to, p, n);
	to[n] = '\0';
}

int db_begin(sqlite3 *conn)
{
	return db_run(conn, "BEGIN IMMEDIATE", "");
}

int db_end(sqlite3 *conn, int err)
{
	if (!err)
		err = db_run(conn, "COMMIT", "");
	if (err && !sqlite3_get_autocommit(conn))
		(void)db_run(conn, "ROLLBACK", "");
	return err;
}
