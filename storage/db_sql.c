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
	int err = db_vprepare(conn, &st, sql, kinds, ap);

	va_end(ap);
	if (err)
		return err;
	while ((rc = sqlite3_step(st)) == SQLITE_ROW)
		;
	err = db_errno(conn, rc);
	sqlite3_finalize(st);
	return err;
}

int db_query_int(sqlite3 *conn, int64_t *out, const char *sql, const char *kinds, ...)
{
	sqlite3_stmt *st = NULL;
	va_list ap;

	va_start(ap, kinds);
	int err = db_vprepare(conn, &st, sql, kinds, ap);

	va_end(ap);
	if (err)
		return err;
	int rc = sqlite3_step(st);

	if (rc == SQLITE_ROW)
		*out = sqlite3_column_int64(st, 0);
	err = rc == SQLITE_DONE ? -ENOENT : db_errno(conn, rc);
	sqlite3_finalize(st);
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
