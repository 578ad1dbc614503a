#include "storage/db.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "mcu/base/clock.h"
#include "mcu/base/log.h"
#include "mcu/base/metrics.h"
#include "mcu/base/thread.h"
#include "storage/db_request.h"
#include "storage/migrations.h"

METRIC_COUNTER(write_failures, "mcu_db_write_failures_total",
	       "Writes to the registry that nobody waited for and that failed.");
METRIC_COUNTER(requests_total, "mcu_db_requests_total", "Requests the registry has run.");

enum {
	MBOX_CAPACITY = 4096,
	BUSY_TIMEOUT_MS = 2000, /* an operator's sqlite3 shell or a backup holds the lock */
	NICE = 10,
	RETRY_MS = 5,
	ALIVE_MS = 10000,
	ID_SEQUENCE_BITS = 12,
};

#define ID_EPOCH_MS 1704067200000LL /* 2024-01-01: 41 bits of ms last until 2093 */

/* Outlives the database while replies are on their way. */
struct db_gate {
	_Atomic int refs;
	_Atomic bool closed;
};

struct db {
	struct mbox *mbox, *replies;
	struct db_gate *gate;
	pthread_t thread;
	_Atomic bool quit;
	int lock_fd;
	int64_t alive_ms; /* of the process before */
	/* STO only */
	int64_t told_ms; /* when it was last written that this one lives */
	sqlite3 *conn;
	struct db_request *waiting, **waiting_end; /* replies for a full mailbox */
};

static void gate_unref(struct db_gate **g)
{
	if (*g && atomic_fetch_sub(&(*g)->refs, 1) == 1)
		free(*g);
	*g = NULL;
}

void *db_request_new(size_t size)
{
	return calloc(1, size);
}

void db_request_free(struct db_request *r)
{
	if (r->clear)
		r->clear(r);
	gate_unref(&r->gate);
	free(r);
}

static void deliver(void *obj, void *arg)
{
	struct db_request *r = obj;

	(void)arg;
	if (!atomic_load(&r->gate->closed))
		r->reply(r);
	db_request_free(r);
}

static void deliver_waiting(struct db *db) ON_THREAD(ROLE_STO);
static void deliver_waiting(struct db *db)
{
	struct db_request *r;

	while ((r = db->waiting)) {
		struct db_request *next = r->next;

		if (mbox_post(db->replies, deliver, r, NULL))
			return;
		db->waiting = next;
		if (!next)
			db->waiting_end = &db->waiting;
	}
}

static void run_request(void *obj, void *arg)
{
	struct db *db = obj;
	struct db_request *r = arg;

	role_assert_sto();
	r->err = r->run(db->conn, r);
	metric_add(&requests_total, 1);
	if (r->reply) {
		r->next = NULL;
		*db->waiting_end = r;
		db->waiting_end = &r->next;
		deliver_waiting(db);
		return;
	}
	if (r->err) {
		metric_add(&write_failures, 1);
		log_error(NULL, "database: could not %s: %s (%s)", r->what, err_str(r->err),
			  sqlite3_errmsg(db->conn));
	}
	db_request_free(r);
}

int db_request_post(struct db *db, struct db_request *r)
{
	r->gate = db->gate;
	atomic_fetch_add(&db->gate->refs, 1);
	int err = mbox_post(db->mbox, run_request, db, r);

	if (err)
		db_request_free(r);
	return err;
}

struct call {
	struct db *db;
	db_call_fn *fn;
	void *obj;
	int err;
	sem_t done;
};

static void run_call(void *obj, void *arg)
{
	struct call *c = obj;

	(void)arg;
	c->err = c->fn(c->db->conn, c->obj);
	sem_post(&c->done);
}

int db_call(struct db *db, db_call_fn *fn, void *obj)
{
	struct call c = { .db = db, .fn = fn, .obj = obj };
	int err;

	sem_init(&c.done, 0, 0);
	err = mbox_post(db->mbox, run_call, &c, NULL);
	while (!err && sem_wait(&c.done))
		;
	sem_destroy(&c.done);
	return err ? err : c.err;
}

/* The lock file says when its process last lived, so that a start after a crash knows how
 * long rooms ran. 0: it does not. */
static int64_t read_alive(int fd)
{
	char text[24] = "";

	return pread(fd, text, sizeof text - 1, 0) > 0 ? strtoll(text, NULL, 10) : 0;
}

static void tell_alive(struct db *db) ON_THREAD(ROLE_STO);
static void tell_alive(struct db *db)
{
	int64_t now_ms = clock_wall_ns() / NS_PER_MS;
	char text[24];
	int n = snprintf(text, sizeof text, "%013lld\n", (long long)now_ms);

	if (llabs(now_ms - db->told_ms) < ALIVE_MS)
		return;
	db->told_ms = now_ms;
	if (pwrite(db->lock_fd, text, (size_t)n, 0) != n)
		log_debug(NULL, "the database's lock file cannot be written");
}

static void *db_main(void *arg)
{
	struct db *db = arg;
	struct pollfd pfd = { .fd = mbox_fd(db->mbox), .events = POLLIN };

	role_enter(ROLE_ID_STO);
	role_assert_sto();
	db_keep_statements(db->conn);
	while (!atomic_load(&db->quit)) {
		if (db->waiting) {
			poll(NULL, 0, RETRY_MS);
			deliver_waiting(db);
			continue;
		}
		poll(&pfd, 1, ALIVE_MS);
		mbox_run(db->mbox);
		tell_alive(db);
	}
	while (mbox_run(db->mbox) > 0)
		;
	for (struct db_request *r = db->waiting, *next; r; r = next) {
		next = r->next;
		db_request_free(r);
	}
	db_keep_statements(NULL);
	return NULL;
}

static int explain_damage(const char *path, const char *detail, struct errmsg *why)
{
	return errmsg_set(why, -EBADMSG, "db_damaged",
			  "The database %s is damaged (%.60s). Put a backup in its place with "
			  "\"mcu restore FILE\" (it is kept beside), or move it away to start with an "
			  "empty one (recordings found on the disk are listed again); it was not changed.",
			  path, detail);
}

/* Before anything is written. */
static int check(sqlite3 *conn, const char *path, struct errmsg *why)
{
	sqlite3_stmt *st = NULL;
	char text[96] = "";
	int err = db_prepare(conn, &st, "PRAGMA quick_check(1)", "");
	int rc = err ? sqlite3_errcode(conn) : sqlite3_step(st);

	if (rc == SQLITE_ROW)
		db_column_text(st, 0, text, sizeof(text));
	else
		snprintf(text, sizeof(text), "%s", sqlite3_errmsg(conn));
	sqlite3_finalize(st);
	if (rc == SQLITE_ROW && !strcmp(text, "ok"))
		return 0;
	if (rc == SQLITE_ROW || rc == SQLITE_CORRUPT || rc == SQLITE_NOTADB)
		return explain_damage(path, text, why);
	return errmsg_set(why, err ? err : db_errno(conn, rc), "db_unusable",
			  "The database %s cannot be read: %s.", path, text);
}

static int configure(sqlite3 *conn)
{
	static const char *const pragmas[] = {
		"PRAGMA journal_mode = WAL",
		"PRAGMA synchronous = NORMAL",
		"PRAGMA foreign_keys = ON",
		/* searches over many recordings read the same pages again and again */
		"PRAGMA cache_size = -65536", /* KiB */
	};
	int err = 0;

	for (size_t i = 0; i < sizeof(pragmas) / sizeof(*pragmas) && !err; i++)
		err = db_run(conn, pragmas[i], "");
	return err;
}

/* A second process on the same data would take the first one's recordings for
 * those of a dead process. */
int db_lock_file(const char *path, int *fd, struct errmsg *why)
{
	char name[4096];

	if (snprintf(name, sizeof(name), "%s.lock", path) >= (int)sizeof(name))
		return -ENAMETOOLONG;
	*fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (*fd < 0) {
		int err = -errno;

		return errmsg_set(why, err, "db_unusable",
				  "The file %s cannot be made: %s. Create its folder, or give the "
				  "user that runs the server the right to write there.",
				  name, err_str(err));
	}
	if (flock(*fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	close(*fd);
	*fd = -1;
	return errmsg_set(why, -EBUSY, "db_in_use",
			  "Another server is running on the database %s. Stop it first, or give "
			  "this one another data folder.", path);
}

static int open_conn(sqlite3 **conn, const char *path, struct errmsg *why)
{
	int rc = sqlite3_open_v2(path, conn,
				 SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
					 SQLITE_OPEN_EXRESCODE, NULL);
	int err;

	if (rc != SQLITE_OK) {
		err = db_errno(*conn, rc);
		return errmsg_set(why, err, "db_unusable",
				  "The database %s cannot be opened: %s. Check the path and the "
				  "rights of the folder.", path, sqlite3_errmsg(*conn));
	}
	sqlite3_busy_timeout(*conn, BUSY_TIMEOUT_MS);
	/* closing a damaged or newer file must not write a checkpoint into it */
	sqlite3_db_config(*conn, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	err = check(*conn, path, why);
	if (err)
		return err;
	int64_t version = 0;

	if (db_query_int(*conn, &version, "PRAGMA user_version", "") == 0 &&
	    version <= migrations_count) {
		err = configure(*conn);
		if (err)
			return errmsg_set(why, err, "db_unusable",
					  "The database %s cannot be written: %s.", path,
					  sqlite3_errmsg(*conn));
	}
	err = migrations_apply(*conn, path, migrations, migrations_count, why);
	if (!err)
		sqlite3_db_config(*conn, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
	return err;
}

static void destroy(struct db *db)
{
	mbox_free(&db->mbox);
	sqlite3_close_v2(db->conn);
	if (db->lock_fd >= 0)
		close(db->lock_fd);
	gate_unref(&db->gate);
	free(db);
}

int db_open(struct db **out, const char *path, struct mbox *replies, struct errmsg *why)
{
	struct db *db = calloc(1, sizeof(*db));
	int err = db ? 0 : -ENOMEM;

	if (!db)
		goto out;
	db->lock_fd = -1;
	db->replies = replies;
	db->waiting_end = &db->waiting;
	db->gate = calloc(1, sizeof(*db->gate));
	if (!db->gate) {
		err = -ENOMEM;
		goto out;
	}
	atomic_store(&db->gate->refs, 1);
	err = db_lock_file(path, &db->lock_fd, why);
	if (!err)
		db->alive_ms = read_alive(db->lock_fd);
	db->told_ms = clock_wall_ns() / NS_PER_MS; /* the start says first what it finds */
	if (!err)
		err = open_conn(&db->conn, path, why);
	if (err)
		goto out;
	err = mbox_new(&db->mbox, MBOX_CAPACITY);
	if (!err)
		err = thread_start(&db->thread, "sto-db", NICE, db_main, db);
	if (err)
		errmsg_set(why, err, "storage_start_failed",
			   "The database's thread could not be started: %s.", err_str(err));
out:
	if (err && db)
		destroy(db);
	else if (!err)
		*out = db;
	return err;
}

static void nothing(void *obj, void *arg)
{
	(void)obj;
	(void)arg;
}

void db_close(struct db **pdb)
{
	struct db *db = *pdb;

	if (!db)
		return;
	atomic_store(&db->gate->closed, true);
	atomic_store(&db->quit, true);
	(void)mbox_post(db->mbox, nothing, NULL, NULL);
	pthread_join(db->thread, NULL);
	destroy(db);
	*pdb = NULL;
}

int64_t db_alive_ms(const struct db *db)
{
	return db->alive_ms;
}

int64_t db_id_of_time(int64_t ms)
{
	return ms > ID_EPOCH_MS ? (ms - ID_EPOCH_MS) << ID_SEQUENCE_BITS : 0;
}

int64_t db_new_id(void)
{
	static _Atomic int64_t last;
	int64_t now = db_id_of_time(clock_wall_ns() / NS_PER_MS);
	int64_t before = atomic_load(&last), id;

	do
		id = now > before ? now : before + 1;
	while (!atomic_compare_exchange_weak(&last, &before, id));
	return id;
}
