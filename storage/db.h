/* The registry's database: one storage thread that owns one SQLite connection.
 *
 * Everybody else posts requests (users.h, rooms.h, sessions.h, recordings.h) to
 * its bounded mailbox and gets a reply in a mailbox of his own, so that no
 * control or media thread ever waits for the disk. Requests run in the order of
 * posting. While replies cannot be delivered because the receiver's mailbox is
 * full, no further request is taken: both queues are bounded.
 *
 * WAL with synchronous=NORMAL: a commit does not wait for the disk, a process
 * crash loses nothing, and a power cut can lose the last commits but never
 * consistency. That is enough here, because what a recording needs to survive
 * is in its file, from which the repository restores the row.
 *
 * Rules common to all requests:
 * - they return 0, or -EAGAIN (mailbox full, counted), -ENOMEM, -EINVAL (too
 *   long a text); the callback is then not called;
 * - texts and rows given are copied; rows given to a callback are borrowed for
 *   the call; err is 0, -ENOENT, -EEXIST (unique), -EINVAL (another
 *   constraint), -ENOSPC, -EBUSY, -EIO;
 * - cb NULL: fire and forget; a failure is logged and counted
 *   (mcu_db_write_failures_total);
 * - obj must live until the reply, or be an id and not a pointer. After
 *   db_close no callback comes;
 * - times are integer milliseconds UTC; 0 means "not yet". */
#ifndef MCU_STORAGE_DB_H
#define MCU_STORAGE_DB_H

#include <stdint.h>

#include "mcu/base/err.h"
#include "mcu/base/mbox.h"

struct db;
struct sqlite3;

enum {
	DB_NAME_MAX = 256,  /* octets of a name or title, UTF-8 */
	DB_SETTINGS_MAX = 65536,
};

/* Opens or creates the file, checks it (quick_check), migrates it and starts
 * the thread. replies: where callbacks run; borrowed until db_close. A damaged
 * file, one of a newer version and a failed migration leave the file as it was;
 * *why then says what to do. Blocks: at start only. */
int db_open(struct db **out, const char *path, struct mbox *replies, struct errmsg *why);
/* Runs what waits, closes, joins the thread. Replies not yet delivered are
 * dropped. */
void db_close(struct db **db);
/* When the process before, that had it open, last lived, to some ten seconds; 0: not known. */
int64_t db_alive_ms(const struct db *db);

/* Ids are made by the caller, so that a write needs no reply: unique, growing
 * with time, below 2^53 (exact in JSON). Any thread. */
int64_t db_new_id(void);
/* Below every id that is made at this time or later. */
int64_t db_id_of_time(int64_t ms);

/* Runs fn on the database's thread and waits for what it returns: for the start
 * and the end of the process and for tests, never on a running loop. */
typedef int db_call_fn(struct sqlite3 *conn, void *obj);
int db_call(struct db *db, db_call_fn *fn, void *obj);

#endif
