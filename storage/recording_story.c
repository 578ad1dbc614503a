/* Who took part in a recording, and what was written; see recording_search.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "storage/chat.h"
#include "storage/db_request.h"
#include "storage/recording_search.h"
#include "storage/recordings_priv.h"

struct story_request {
	struct db_request base;
	recording_story_cb *cb;
	int64_t id;
	struct recording_row row;
	struct recording_person *people;
	struct recording_line *lines;
	size_t n_people, n_lines;
};

/* From the start of the recording, within it. */
static int64_t offset(const struct recording_row *r, int64_t at_ms)
{
	int64_t end = r->ended_ms ? r->ended_ms : INT64_MAX;

	if (at_ms < r->started_ms)
		return 0;
	return (at_ms < end ? at_ms : end) - r->started_ms;
}

static int read_people(sqlite3 *conn, struct story_request *r)
{
	sqlite3_stmt *st = NULL;
	int rc = SQLITE_DONE;
	int err = db_prepare(conn, &st,
			     "SELECT name, joined_ms, coalesce(left_ms, ?3, joined_ms), host "
			     "FROM participants WHERE session_id = ?1 "
			     "AND (?3 IS NULL OR joined_ms <= ?3) "
			     "AND coalesce(left_ms, ?2) >= ?2 ORDER BY id LIMIT ?4", "iini",
			     r->row.session_id, r->row.started_ms, r->row.ended_ms,
			     (int64_t)RECORDING_STORY_MAX);

	r->people = calloc(RECORDING_STORY_MAX, sizeof(*r->people));
	if (!err && !r->people)
		err = -ENOMEM;
	while (!err && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		struct recording_person *p = &r->people[r->n_people++];

		db_column_text(st, 0, p->name, sizeof(p->name));
		p->joined_ms = offset(&r->row, sqlite3_column_int64(st, 1));
		p->left_ms = offset(&r->row, sqlite3_column_int64(st, 2));
		p->host = sqlite3_column_int(st, 3) != 0;
	}
	if (!err)
		err = db_errno(conn, rc);
	sqlite3_finalize(st);
	return err;
}

static int read_lines(sqlite3 *conn, struct story_request *r)
{
	sqlite3_stmt *st = NULL;
	int rc = SQLITE_DONE;
	int err = db_prepare(conn, &st,
			     "SELECT name, at_ms, text FROM chat WHERE session_id = ?1 "
			     "AND coalesce(to_leg, 0) = 0 AND at_ms >= ?2 "
			     "AND (?3 IS NULL OR at_ms <= ?3) ORDER BY id LIMIT ?4", "iini",
			     r->row.session_id, r->row.started_ms, r->row.ended_ms,
			     (int64_t)RECORDING_STORY_MAX);

	r->lines = calloc(RECORDING_STORY_MAX, sizeof(*r->lines));
	if (!err && !r->lines)
		err = -ENOMEM;
	while (!err && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		struct recording_line *l = &r->lines[r->n_lines];
		char *text = strdup((const char *)sqlite3_column_text(st, 2));

		if (!text) {
			err = -ENOMEM;
			break;
		}
		r->n_lines++;
		db_column_text(st, 0, l->name, sizeof(l->name));
		l->at_ms = offset(&r->row, sqlite3_column_int64(st, 1));
		l->text = text;
	}
	if (!err)
		err = db_errno(conn, rc);
	sqlite3_finalize(st);
	return err;
}

static int run_story(sqlite3 *conn, struct db_request *base)
{
	struct story_request *r = (struct story_request *)base;
	int err = recording_read_one(conn, r->id, &r->row);

	if (err || !r->row.session_id)
		return err;
	err = read_people(conn, r);
	return err ? err : read_lines(conn, r);
}

static void reply(struct db_request *base)
{
	struct story_request *r = (struct story_request *)base;
	struct recording_story s = { r->people, r->n_people, r->lines, r->n_lines };

	r->cb(base->obj, base->err, base->err ? NULL : &s);
}

static void clear(struct db_request *base)
{
	struct story_request *r = (struct story_request *)base;

	for (size_t i = 0; i < r->n_lines; i++)
		free((char *)r->lines[i].text);
	free(r->lines);
	free(r->people);
}

int recording_story(struct db *db, int64_t id, recording_story_cb *cb, void *obj)
{
	struct story_request *r = db_request_new(sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->base = (struct db_request){ .what = "read who took part", .run = run_story,
				       .reply = reply, .clear = clear, .obj = obj };
	r->cb = cb;
	r->id = id;
	return db_request_post(db, &r->base);
}
