/* The schema's steps. PRAGMA user_version says how many were applied; each step
 * runs in one transaction with the new number. Steps are never edited after a
 * release, only added. ROLE_STO or before the loop. */
#ifndef MCU_STORAGE_MIGRATIONS_H
#define MCU_STORAGE_MIGRATIONS_H

#include <stddef.h>

#include "mcu/base/err.h"

struct sqlite3;

struct migration {
	const char *title;
	const char *sql; /* one or more statements */
};

extern const struct migration migrations[];
extern const int migrations_count;

/* Applies what is missing of the first n steps. -EPROTO: the file is of a newer
 * server; nothing was changed. path: for the messages. */
int migrations_apply(struct sqlite3 *conn, const char *path, const struct migration *steps, int n,
		     struct errmsg *why);

#endif
