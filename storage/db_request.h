/* What a store (users.c, rooms.c, …) needs to be one: a request that runs on the
 * database's thread and is answered in the caller's mailbox. Private to storage. */
#ifndef MCU_STORAGE_DB_REQUEST_H
#define MCU_STORAGE_DB_REQUEST_H

#include <sqlite3.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/base/role.h"
#include "storage/db.h"

struct db_gate;

/* First member of a store's own request, which holds copies of the arguments
 * and room for the answer. */
struct db_request {
	const char *what; /* for the log: "begin a session" */
	/* On the database's thread; returns the callback's err. */
	int (*run)(sqlite3 *conn, struct db_request *r);
	/* In the caller's mailbox; NULL: fire and forget. */
	void (*reply)(struct db_request *r);
	/* Frees what the request points to, not itself; may be NULL. */
	void (*clear)(struct db_request *r);
	int err;
	void *obj;
	/* private */
	struct db *db;
	struct db_gate *gate;
	struct db_request *next;
};

/* size octets, zeroed. NULL: out of memory. */
void *db_request_new(size_t size);
/* Takes the request in any case. 0 or -EAGAIN. */
int db_request_post(struct db *db, struct db_request *r);
void db_request_free(struct db_request *r);

/* Copies a text; NULL is "". False: it does not fit. */
bool db_copy_text(char *to, size_t cap, const char *from);

/* -errno of an SQLite result: 0 for OK, ROW, DONE. */
int db_errno(sqlite3 *conn, int rc);

/* Prepares sql and binds by kinds: i int64_t, n int64_t of which 0 is NULL,
 * r double, t text (NULL is NULL; must live until the statement is done). */
int db_prepare(sqlite3 *conn, sqlite3_stmt **out, const char *sql, const char *kinds, ...);
int db_vprepare(sqlite3 *conn, sqlite3_stmt **out, const char *sql, const char *kinds, va_list ap);
/* As db_prepare, but the statement is kept for the next time where this thread keeps them:
 * sql is to be a constant. Given back and not finalised, once all of it has been read. */
int db_take(sqlite3 *conn, sqlite3_stmt **out, const char *sql, const char *kinds, ...);
int db_vtake(sqlite3 *conn, sqlite3_stmt **out, const char *sql, const char *kinds, va_list ap);
void db_give_back(sqlite3_stmt *st);
/* From now on this thread keeps statements of this connection; NULL: none any more. */
void db_keep_statements(sqlite3 *conn);
/* Prepares, runs to the end, finalises. Rows are skipped. */
int db_run(sqlite3 *conn, const char *sql, const char *kinds, ...);
/* First column of the first row. -ENOENT: no row. */
int db_query_int(sqlite3 *conn, int64_t *out, const char *sql, const char *kinds, ...);
/* A text column; NULL gives "". Cut at cap - 1 octets. */
void db_column_text(sqlite3_stmt *st, int col, char *to, size_t cap);
/* Runs "BEGIN IMMEDIATE"; ends with COMMIT, or ROLLBACK when err is not 0.
 * db_end returns err or the commit's error. */
int db_begin(sqlite3 *conn);
int db_end(sqlite3 *conn, int err);

/* The lock of whoever works with this database: a server, or a restore. *fd is closed to let
 * it go. -EBUSY: somebody else has it. */
int db_lock_file(const char *path, int *fd, struct errmsg *why);

#endif
