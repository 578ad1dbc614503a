#include "storage/recording_events.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage/db_request.h"

struct events_request {
	struct db_request base;
	int64_t recording_id;
	struct recording_event event;
	struct recording_event *rows;
	size_t n;
	recording_events_cb *cb;
};

static const char *const names[] = {
	[RECORDING_EVENT_NONE] = "none",     [RECORDING_EVENT_JOINED] = "joined",
	[RECORDING_EVENT_LEFT] = "left",     [RECORDING_EVENT_SPEAKS] = "speaks",
	[RECORDING_EVENT_SHARES] = "shares", [RECORDING_EVENT_SHARED] = "shared",
};

static enum recording_event_kind kind_of(const char *name)
{
	for (unsigned i = 1; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(name, names[i]))
			return (enum recording_event_kind)i;
	return RECORDING_EVENT_NONE;
}

/* Of a recording whose row could not be written there are no events either. */
static int run_add(sqlite3 *conn, struct db_request *base)
{
	struct events_request *r = (struct events_request *)base;
	const struct recording_event *e = &r->event;

	return db_run(conn,
		      "INSERT INTO recording_events (recording_id, at_ms, kind, leg, name) "
		      "SELECT id, ?, ?, ?, ? FROM recordings WHERE id = ?",
		      "ititi", e->at_ms, names[e->kind], (int64_t)e->leg, e->name,
		      r->recording_id);
}

static int read_rows(struct events_request *r, sqlite3 *conn, sqlite3_stmt *st)
{
	size_t cap = 0;
	char kind[16];
	int rc;

	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		if (r->n == cap) {
			cap = cap ? cap * 2 : 64;
			void *p = realloc(r->rows, cap * sizeof(*r->rows));

			if (!p)
				return -ENOMEM;
			r->rows = p;
		}
		struct recording_event *e = &r->rows[r->n++];

		e->at_ms = sqlite3_column_int64(st, 0);
		db_column_text(st, 1, kind, sizeof(kind));
		e->kind = kind_of(kind);
		e->leg = (uint32_t)sqlite3_column_int64(st, 2);
		db_column_text(st, 3, e->name, sizeof(e->name));
	}
	return db_errno(conn, rc);
}

static int run_list(sqlite3 *conn, struct db_request *base)
{
	struct events_request *r = (struct events_request *)base;
	sqlite3_stmt *st = NULL;
	int err = db_prepare(conn, &st,
			     "SELECT at_ms, kind, leg, name FROM recording_events "
			     "WHERE recording_id = ? ORDER BY at_ms, id LIMIT ?",
			     "ii", r->recording_id, (int64_t)RECORDING_EVENTS_MAX);

	if (!err)
		err = read_rows(r, conn, st);
	sqlite3_finalize(st);
	return err;
}

static void reply(struct db_request *base)
{
	struct events_request *r = (struct events_request *)base;

	r->cb(base->obj, base->err, base->err ? NULL : r->rows, base->err ? 0 : r->n);
}

static void clear(struct db_request *base)
{
	free(((struct events_request *)base)->rows);
}

int recording_events_add(struct db *db, int64_t recording_id, const struct recording_event *e)
{
	struct events_request *r;

	if (e->kind < RECORDING_EVENT_JOINED || e->kind > RECORDING_EVENT_SHARED || e->at_ms < 0)
		return -EINVAL;
	r = db_request_new(sizeof(*r));
	if (!r)
		return -ENOMEM;
	r->base.what = "note what happened in a recorded room";
	r->base.run = run_add;
	r->recording_id = recording_id;
	r->event = *e;
	return db_request_post(db, &r->base);
}

int recording_events_list(struct db *db, int64_t recording_id, recording_events_cb *cb, void *obj)
{
	struct events_request *r = db_request_new(sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->base.what = "list what happened in a recorded room";
	r->base.run = run_list;
	r->base.reply = reply;
	r->base.clear = clear;
	r->base.obj = obj;
	r->cb = cb;
	r->recording_id = recording_id;
	return db_request_post(db, &r->base);
}
