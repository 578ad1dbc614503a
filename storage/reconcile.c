/* The start-up comparison of files and rows; see repository.h. */
#include "storage/repository.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "mcu/base/clock.h"
#include "mcu/base/log.h"
#include "storage/db_request.h"
#include "storage/finish_copy.h"
#include "storage/mkv.h"
#include "storage/mp4_scan.h"

#define MISSING_TEXT "The file is missing."
#define UNREADABLE_TEXT "The file holds nothing that can be played."

/* One row as it was at the start. */
struct known {
	int64_t id, started_ms, bytes;
	enum recording_state state;
	bool was_missing, finished;
	char path[RECORDING_PATH_MAX + 1];
};

struct reconcile {
	const char *data_dir;
	struct db *db;
	struct repository_report *report;
	struct known *rows; /* by path */
	size_t n, cap;
	char (*orphans)[RECORDING_PATH_MAX + 1];
	size_t orphans_n, orphans_cap;
};

static int grow(void **p, size_t *cap, size_t n, size_t each)
{
	if (n < *cap)
		return 0;
	size_t more = *cap ? *cap * 2 : 256;
	void *q = realloc(*p, more * each);

	if (!q)
		return -ENOMEM;
	*p = q;
	*cap = more;
	return 0;
}

static int load_rows(sqlite3 *conn, void *obj)
{
	struct reconcile *c = obj;
	sqlite3_stmt *st = NULL;
	int rc = SQLITE_DONE;
	int err = db_prepare(conn, &st,
			     "SELECT id, path, started_ms, state IN ('recording', 'finishing'), "
			     "state = 'failed', error = ?, bytes, finish = 'done' "
			     "FROM recordings ORDER BY path", "t", MISSING_TEXT);

	while (!err && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		err = grow((void **)&c->rows, &c->cap, c->n, sizeof(*c->rows));
		if (err)
			break;
		struct known *k = &c->rows[c->n++];

		k->id = sqlite3_column_int64(st, 0);
		db_column_text(st, 1, k->path, sizeof(k->path));
		k->started_ms = sqlite3_column_int64(st, 2);
		k->state = sqlite3_column_int(st, 3)   ? RECORDING_RECORDING
			   : sqlite3_column_int(st, 4) ? RECORDING_FAILED
						       : RECORDING_READY;
		k->was_missing = k->state == RECORDING_FAILED && sqlite3_column_int(st, 5);
		k->bytes = sqlite3_column_int64(st, 6);
		k->finished = sqlite3_column_int(st, 7);
	}
	if (!err)
		err = db_errno(conn, rc);
	sqlite3_finalize(st);
	return err;
}

/* The last that is known of the process before: what it said itself, or the last thing that
 * was written of what was open then. Not now: it may have been dead for days. */
#define LAST_TRACE                                                                          \
	"SELECT max(coalesce((SELECT max(started_ms) FROM sessions WHERE ended_ms IS NULL), 0), " \
	"coalesce((SELECT max(max(joined_ms, coalesce(left_ms, 0))) FROM participants "     \
	"WHERE session_id IN (SELECT id FROM sessions WHERE ended_ms IS NULL)), 0), "       \
	"coalesce((SELECT max(q.at_ms) FROM participants p JOIN quality q "                 \
	"ON q.participant_id = p.id WHERE p.left_ms IS NULL), 0), "                         \
	"coalesce((SELECT max(at_ms) FROM chat "                                            \
	"WHERE session_id IN (SELECT id FROM sessions WHERE ended_ms IS NULL)), 0), "       \
	"coalesce((SELECT max(max(started_ms, coalesce(answered_ms, 0))) FROM calls "       \
	"WHERE ended_ms IS NULL), 0))"

static int last_lived(sqlite3 *conn, const struct reconcile *c, int64_t *ms)
{
	int64_t now_ms = clock_wall_ns() / NS_PER_MS, said_ms = db_alive_ms(c->db);
	int err = db_query_int(conn, ms, LAST_TRACE, "");

	if (said_ms > *ms)
		*ms = said_ms;
	if (*ms > now_ms)
		*ms = now_ms;
	return err;
}

static int end_sessions(sqlite3 *conn, void *obj)
{
	struct reconcile *c = obj;
	int64_t last_ms = 0;
	int err = db_begin(conn);

	if (!err)
		err = last_lived(conn, c, &last_ms);
	if (!err)
		err = db_run(conn,
			     "UPDATE participants SET left_ms = max(joined_ms, ?), "
			     "leave_reason = 'crash' WHERE left_ms IS NULL", "i", last_ms);
	if (!err)
		err = db_run(conn,
			     "UPDATE sessions SET ended_ms = max(started_ms, ?), "
			     "end_reason = 'crash' WHERE ended_ms IS NULL", "i", last_ms);
	if (!err)
		c->report->sessions_ended = (size_t)sqlite3_changes(conn);
	if (!err)
		err = db_run(conn,
			     "UPDATE calls SET ended_ms = max(started_ms, ?), "
			     "end_reason = 'interrupted' WHERE ended_ms IS NULL", "i", last_ms);
	return db_end(conn, err);
}

/* What goes into a row after its file was looked at. */
struct verdict {
	int64_t id, started_ms, ended_ms, duration_ms, bytes;
	int64_t width, height;
	enum recording_state state;
	const char *path, *error, *token, *format;
};

static int write_verdict(sqlite3 *conn, void *obj)
{
	const struct verdict *v = obj;

	return db_run(conn,
		      "UPDATE recordings SET state = ?1, ended_ms = coalesce(?, ended_ms), "
		      "duration_ms = coalesce(?, duration_ms), bytes = coalesce(?, bytes), "
		      "width = coalesce(?, width), height = coalesce(?, height), error = ?, "
		      "finish = iif(?1 = 'failed', finish, 'queued') WHERE id = ?",
		      "tnnnnnti", recording_state_name(v->state), v->ended_ms, v->duration_ms,
		      v->bytes, v->width, v->height, v->error, v->id);
}

static int write_adopted(sqlite3 *conn, void *obj)
{
	const struct verdict *v = obj;
	int64_t taken = 0;
	int err = db_query_int(conn, &taken,
			       "SELECT EXISTS (SELECT 1 FROM recordings WHERE id = ?)", "i", v->id);

	if (err)
		return err;
	return db_run(conn,
		      "INSERT INTO recordings (id, path, state, started_ms, ended_ms, duration_ms, "
		      "bytes, width, height, token, error, format, finish) "
		      "VALUES (?1, ?2, ?3, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
		      "iif(?3 = 'failed', 'none', 'queued'))",
		      "ittiniiiittt", taken ? db_new_id() : v->id, v->path,
		      recording_state_name(v->state), v->started_ms, v->ended_ms, v->duration_ms,
		      v->bytes, v->width, v->height, v->token, v->error, v->format);
}

/* What a file is, after its repair; err: what went wrong. */
struct found {
	bool playable, repaired;
	int err;
};

static struct found look_at_mp4(const char *full, struct verdict *v)
{
	struct mp4_scan s = { 0 };
	struct found f = { 0 };
	uint64_t bytes = 0;

	f.err = mp4_repair_file(full, &s, &bytes);
	v->bytes = (int64_t)bytes;
	v->duration_ms = s.duration_ms;
	v->width = s.movie.track[MP4_VIDEO].width;
	v->height = s.movie.track[MP4_VIDEO].height;
	f.playable = s.kind != MP4_UNREADABLE;
	f.repaired = s.repaired;
	mp4_scan_free(&s);
	return f;
}

/* With its index in front it was written by libavformat, and is whole. */
static struct found look_at_finished(const char *full, struct verdict *v)
{
	struct finish_size s;
	struct found f = { .err = finish_measure(full, &s) };

	v->bytes = s.bytes;
	v->duration_ms = s.duration_ms;
	v->width = s.width;
	v->height = s.height;
	f.playable = !f.err;
	return f;
}

static struct found look_at_mkv(const char *full, struct verdict *v)
{
	struct mkv_report r;
	struct found f = { 0 };

	f.err = mkv_repair_file(full, &r);
	if (f.err == -EBADMSG)
		return look_at_finished(full, v);
	v->bytes = (int64_t)r.bytes;
	v->duration_ms = r.duration_ms;
	v->width = (int)r.width;
	v->height = (int)r.height;
	f.playable = r.duration_ms > 0;
	f.repaired = !r.complete;
	return f;
}

/* Repairs the file and fills the verdict. -ENOENT: there is none. */
static int look_at(struct reconcile *c, const char *path, struct verdict *v)
{
	char full[4096];
	struct found f;

	if (!repository_path_valid(path) ||
	    snprintf(full, sizeof(full), "%s/%s", c->data_dir, path) >= (int)sizeof(full))
		return -ENOENT;
	f = (strstr(path, ".mkv") ? look_at_mkv : look_at_mp4)(full, v);
	if (f.err == -ENOMEM || f.err == -ENOENT)
		return f.err;
	v->ended_ms = v->started_ms + v->duration_ms;
	v->error = "";
	if (!f.playable) {
		v->state = RECORDING_FAILED;
		v->error = UNREADABLE_TEXT;
		c->report->unreadable++;
	} else {
		/* a file that was complete was stopped properly */
		v->state = f.repaired ? RECORDING_INTERRUPTED : RECORDING_READY;
	}
	if (f.err)
		log_warn(NULL, "recording %s: could not be repaired: %s", full, err_str(f.err));
	return 0;
}

static int settle_unfinished(struct reconcile *c, const struct known *k)
{
	struct verdict v = { .id = k->id, .started_ms = k->started_ms };
	int err = look_at(c, k->path, &v);

	if (err == -ENOENT) {
		v.state = RECORDING_FAILED;
		v.error = MISSING_TEXT;
		c->report->missing++;
		err = 0;
	} else if (!err && v.state == RECORDING_INTERRUPTED) {
		c->report->interrupted++;
	}
	return err ? err : db_call(c->db, write_verdict, &v);
}

/* -1: there is none. */
static int64_t size_of(const struct reconcile *c, const char *path)
{
	char full[4096];
	struct stat st;

	return snprintf(full, sizeof(full), "%s/%s", c->data_dir, path) < (int)sizeof(full) &&
	       lstat(full, &st) == 0 && S_ISREG(st.st_mode) ? st.st_size : -1;
}

static bool exists(const struct reconcile *c, const char *path)
{
	return size_of(c, path) >= 0;
}

static int write_back(sqlite3 *conn, void *obj)
{
	const struct known *k = obj;

	return db_run(conn, "UPDATE recordings SET state = 'ready', error = '' WHERE id = ?", "i",
		      k->id);
}

static int settle_row(struct reconcile *c, const struct known *k)
{
	struct verdict v = { .id = k->id, .started_ms = k->started_ms, .error = "" };

	/* a disk that was not mounted then may be mounted now */
	if (k->was_missing && k->finished && size_of(c, k->path) == k->bytes)
		return db_call(c->db, write_back, (void *)k);
	if (k->state == RECORDING_RECORDING || (k->was_missing && exists(c, k->path)))
		return settle_unfinished(c, k);
	if (k->state != RECORDING_READY || exists(c, k->path))
		return 0;
	v.state = RECORDING_FAILED;
	v.error = MISSING_TEXT;
	c->report->missing++;
	log_warn(NULL, "recording %lld: the file %s/%s is missing", (long long)k->id, c->data_dir,
		 k->path);
	return db_call(c->db, write_verdict, &v);
}

static int by_path(const void *key, const void *row)
{
	return strcmp(key, ((const struct known *)row)->path);
}

static int note_orphan(void *obj, const char *path)
{
	struct reconcile *c = obj;
	int err = 0;

	if (c->n && bsearch(path, c->rows, c->n, sizeof(*c->rows), by_path))
		return 0;
	err = grow((void **)&c->orphans, &c->orphans_cap, c->orphans_n, sizeof(*c->orphans));
	if (!err)
		snprintf(c->orphans[c->orphans_n++], sizeof(*c->orphans), "%s", path);
	return err;
}

static int adopt(struct reconcile *c, const char *path)
{
	struct verdict v = { .path = path };
	char token[RECORDING_TOKEN_LEN + 1];
	int err = recording_token(token);

	if (err || !repository_path_parse(path, &v.started_ms, &v.id))
		return err;
	v.token = token;
	v.format = strrchr(path, '.') + 1;
	err = look_at(c, path, &v);
	if (err)
		return err == -ENOENT ? 0 : err;
	if (v.state != RECORDING_FAILED)
		v.state = RECORDING_INTERRUPTED;
	c->report->adopted++;
	log_warn(NULL, "recording %s/%s had no row and was adopted", c->data_dir, path);
	return db_call(c->db, write_adopted, &v);
}

int repository_reconcile(const char *data_dir, struct db *db, struct repository_report *report,
			 struct errmsg *why)
{
	struct reconcile c = { .data_dir = data_dir, .db = db, .report = report };

	*report = (struct repository_report){ 0 };
	int err = db_call(db, end_sessions, &c);

	if (!err)
		err = db_call(db, load_rows, &c);
	for (size_t i = 0; i < c.n && !err; i++)
		err = settle_row(&c, &c.rows[i]);
	if (!err)
		err = repository_walk(data_dir, note_orphan, &c);
	for (size_t i = 0; i < c.orphans_n && !err; i++)
		err = adopt(&c, c.orphans[i]);
	free(c.rows);
	free(c.orphans);
	if (err)
		errmsg_set(why, err, "reconcile_failed",
			   "The recordings below %s could not be compared with the database: %s. "
			   "Check that the folder can be read and written.",
			   data_dir, err_str(err));
	return err;
}
