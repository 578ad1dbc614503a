#include "storage/recording_search.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "storage/db_request.h"
#include "storage/recording_index.h"
#include "storage/recordings_priv.h"
#include "storage/search_text.h"

enum {
	INDEX_AT_SEARCH = 64, /* recordings that are indexed before an answer */
	KEYED_ROOMS_MAX = 200,
};

/* ?1 viewer, ?2 sees everything, ?3 participants see what rooms say nothing about */
#define TOOK_PART                                                                          \
	"EXISTS (SELECT 1 FROM participants p WHERE p.user_id = ?1 "                       \
	"AND p.session_id = r.session_id AND p.joined_ms <= coalesce(r.ended_ms, p.joined_ms) " \
	"AND coalesce(p.left_ms, r.started_ms) >= r.started_ms "
#define MANAGES                                                                            \
	"(?2 OR coalesce(m.owner_id = ?1, 0) OR coalesce(r.user_id = ?1, 0) OR " TOOK_PART      \
	"AND p.host)) "
#define SEES                                                                               \
	"(" MANAGES "OR (CASE coalesce(u.viewers, '') WHEN 'participants' THEN 1 "         \
	"WHEN 'hosts' THEN 0 ELSE ?3 END AND " TOOK_PART ")))"

#define HIT "SELECT " RECORDING_COLUMNS ", " MANAGES
#define JOINS "LEFT JOIN rooms m ON m.id = r.room_id "                                     \
	      "LEFT JOIN recording_rules u ON u.room_id = r.room_id "

/* ?4 below this id, ?5 limit, ?6 room, ?7 from, ?8 until, ?9 tag with line feeds */
#define FILTERS                                                                            \
	"AND r.id < ?4 AND (?6 IS NULL OR m.name = ?6) AND r.started_ms >= ?7 "            \
	"AND r.started_ms < ?8 "                                                           \
	"AND (?9 IS NULL OR instr(char(10) || r.tags || char(10), ?9)) AND " SEES

static const char sql_listed[] =
	HIT "FROM recordings r " JOINS "WHERE r.deleted_ms IS NULL AND r.parent_id IS NULL "
	FILTERS "ORDER BY r.id DESC LIMIT ?5";
static const char sql_trash[] =
	HIT "FROM recordings r " JOINS "WHERE r.deleted_ms > 1 AND r.parent_id IS NULL "
	FILTERS "ORDER BY r.id DESC LIMIT ?5";
/* ?10 the expression, ?11 trash. CROSS: the index first. */
static const char sql_matching[] =
	HIT "FROM recording_search s CROSS JOIN recordings r ON r.id = s.rowid " JOINS
	"WHERE recording_search MATCH ?10 AND s.rowid < ?4 "
	"AND (r.deleted_ms IS NOT NULL) = ?11 AND coalesce(r.deleted_ms, 2) > 1 "
	"AND r.parent_id IS NULL "
	FILTERS "ORDER BY s.rowid DESC LIMIT ?5";
static const char sql_one[] = HIT "FROM recordings r " JOINS "WHERE r.id = ?4 AND coalesce(r.deleted_ms, 2) > 1 AND " SEES;

struct search_request {
	struct db_request base;
	recording_hits_cb *cb;
	recording_index_cb *index_cb;
	struct recording_query q; /* its texts are those below */
	char text[SEARCH_QUESTION_MAX + 1], person[SEARCH_QUESTION_MAX + 1];
	char room[DB_NAME_MAX + 1], tag[RECORDING_TAGS_MAX + 3];
	int64_t id;
	struct recording_hit *hits;
	size_t n;
	bool done;
	struct search_match match;
};

static int read_hits(sqlite3 *conn, sqlite3_stmt *st, struct search_request *r, size_t limit)
{
	int rc = SQLITE_DONE, err = 0;

	r->hits = calloc(limit, sizeof(*r->hits));
	if (!r->hits)
		err = -ENOMEM;
	while (!err && r->n < limit && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		recording_read_row(st, &r->hits[r->n].row);
		r->hits[r->n].manage = sqlite3_column_int(st, RECORDING_COLUMN_COUNT) != 0;
		r->n++;
	}
	if (!err)
		err = db_errno(conn, rc);
	sqlite3_finalize(st);
	return err;
}

/* Rooms that belong to the viewer, as keys; false: so many that it does not pay. */
static int add_own_rooms(sqlite3 *conn, struct search_request *r)
{
	sqlite3_stmt *st = NULL;
	size_t start = r->match.len;
	int rc = SQLITE_DONE, n = 0;
	int err = db_prepare(conn, &st, "SELECT id FROM rooms WHERE owner_id = ? LIMIT ?", "ii",
			     r->q.viewer.user_id, (int64_t)KEYED_ROOMS_MAX + 1);

	if (err)
		return err;
	search_match_begin(&r->match);
	search_match_key(&r->match, 'u', r->q.viewer.user_id);
	while (n <= KEYED_ROOMS_MAX && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		search_match_key(&r->match, 'r', sqlite3_column_int64(st, 0));
		n++;
	}
	err = db_errno(conn, rc);
	sqlite3_finalize(st);
	search_match_end(&r->match);
	if (n > KEYED_ROOMS_MAX)
		r->match.text[r->match.len = start] = '\0';
	return err;
}

/* What narrows the search goes into the expression as far as it can; the statement
 * has the exact conditions. */
static int make_match(sqlite3 *conn, struct search_request *r)
{
	const struct recording_query *q = &r->q;
	int64_t room_id = 0;
	int n = 0, err = 0;

	if (r->text[0])
		n = search_match_words(&r->match, "- keys", r->text);
	if (n >= 0 && r->person[0])
		n = search_match_words(&r->match, "people", r->person);
	if (n >= 0 && q->tag)
		n = search_match_words(&r->match, "tags", r->tag);
	if (n < 0)
		return n;
	if (q->room) {
		err = db_query_int(conn, &room_id, "SELECT id FROM rooms WHERE name = ?", "t",
				   r->room);
		search_match_begin(&r->match);
		search_match_key(&r->match, 'r', room_id);
		search_match_end(&r->match);
	}
	if (err && err != -ENOENT)
		return err;
	if (q->from_ms || q->until_ms)
		search_match_dates(&r->match, q->from_ms, q->until_ms);
	err = q->viewer.everything ? 0 : add_own_rooms(conn, r);
	return err ? err : r->match.failed ? -E2BIG : 0;
}

static int run_search(sqlite3 *conn, struct db_request *base)
{
	struct search_request *r = (struct search_request *)base;
	const struct recording_query *q = &r->q;
	sqlite3_stmt *st = NULL;
	bool done;
	int err = recording_index_some(conn, INDEX_AT_SEARCH, &done);

	if (!err)
		err = make_match(conn, r);
	if (!err)
		err = db_prepare(conn, &st,
				 r->match.len ? sql_matching : q->trash ? sql_trash : sql_listed,
				 r->match.len ? "iiiiitiitti" : "iiiiitiit", q->viewer.user_id,
				 (int64_t)q->viewer.everything, (int64_t)q->viewer.participants,
				 q->before ? q->before : INT64_MAX, (int64_t)q->limit,
				 q->room ? r->room : NULL, q->from_ms ? q->from_ms : INT64_MIN,
				 q->until_ms ? q->until_ms : INT64_MAX, q->tag ? r->tag : NULL,
				 r->match.text, (int64_t)q->trash);
	return err ? err : read_hits(conn, st, r, q->limit);
}

static int run_open(sqlite3 *conn, struct db_request *base)
{
	struct search_request *r = (struct search_request *)base;
	sqlite3_stmt *st = NULL;
	int err = db_prepare(conn, &st, sql_one, "iiii", r->q.viewer.user_id,
			     (int64_t)r->q.viewer.everything, (int64_t)r->q.viewer.participants,
			     r->id);

	if (!err)
		err = read_hits(conn, st, r, 1);
	return !err && !r->n ? -ENOENT : err;
}

static int run_index(sqlite3 *conn, struct db_request *base)
{
	struct search_request *r = (struct search_request *)base;

	return recording_index_some(conn, r->q.limit, &r->done);
}

static void reply(struct db_request *base)
{
	struct search_request *r = (struct search_request *)base;

	r->cb(base->obj, base->err, base->err ? NULL : r->hits, base->err ? 0 : r->n);
}

static void reply_index(struct db_request *base)
{
	struct search_request *r = (struct search_request *)base;

	r->index_cb(base->obj, base->err, r->done);
}

static void clear(struct db_request *base)
{
	free(((struct search_request *)base)->hits);
}

static struct search_request *request(const char *what, int (*run)(sqlite3 *, struct db_request *),
				      void *obj)
{
	struct search_request *r = db_request_new(sizeof(*r));

	if (!r)
		return NULL;
	r->base.what = what;
	r->base.run = run;
	r->base.clear = clear;
	r->base.reply = reply;
	r->base.obj = obj;
	return r;
}

/* A tag between line feeds, as it stands in the column. */
static bool copy_tag(struct search_request *r, const char *tag)
{
	size_t n = tag ? strlen(tag) : 0;

	if (n > RECORDING_TAGS_MAX)
		return false;
	r->tag[0] = '\n';
	if (n)
		memcpy(r->tag + 1, tag, n);
	r->tag[n + 1] = '\n';
	return true;
}

int recording_search(struct db *db, const struct recording_query *q, recording_hits_cb *cb,
		     void *obj)
{
	struct search_request *r;

	if (q->limit < 1 || q->limit > RECORDING_LIST_MAX)
		return -EINVAL;
	r = request("search recordings", run_search, obj);
	if (!r)
		return -ENOMEM;
	r->q = *q;
	r->cb = cb;
	if (!db_copy_text(r->text, sizeof(r->text), q->text) ||
	    !db_copy_text(r->person, sizeof(r->person), q->person) ||
	    !db_copy_text(r->room, sizeof(r->room), q->room) || !copy_tag(r, q->tag)) {
		db_request_free(&r->base);
		return -EINVAL;
	}
	return db_request_post(db, &r->base);
}

int recording_open(struct db *db, int64_t id, const struct recording_viewer *viewer,
		   recording_hits_cb *cb, void *obj)
{
	struct search_request *r = request("find a recording", run_open, obj);

	if (!r)
		return -ENOMEM;
	r->q.viewer = *viewer;
	r->cb = cb;
	r->id = id;
	return db_request_post(db, &r->base);
}

int recording_index(struct db *db, size_t limit, recording_index_cb *cb, void *obj)
{
	struct search_request *r = request("index recordings", run_index, obj);

	if (!r)
		return -ENOMEM;
	r->base.reply = cb ? reply_index : NULL;
	r->index_cb = cb;
	r->q.limit = limit;
	return db_request_post(db, &r->base);
}
