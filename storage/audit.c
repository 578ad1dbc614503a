#include "storage/audit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/base/clock.h"
#include "storage/db_request.h"

enum { TIDY_EVERY = 1000 }; /* of the ids: one row in a hundred or so */

struct audit_request {
	struct db_request base;
	audit_list_cb *cb;
	struct audit_row row;
	int64_t before;
	size_t max;
	struct audit_row *rows;
	size_t n;
};

static void clear(struct db_request *base)
{
	free(((struct audit_request *)base)->rows);
}

/* Cut between two characters of UTF-8. */
static void copy_cut(char *to, size_t cap, const char *from)
{
	size_t n = from ? strlen(from) : 0;

	if (n >= cap)
		for (n = cap - 1; n && ((unsigned char)from[n] & 0xc0) == 0x80; n--)
			;
	if (n)
		memcpy(to, from, n);
	to[n] = 0;
}

static int run_add(sqlite3 *conn, struct db_request *base)
{
	const struct audit_row *row = &((struct audit_request *)base)->row;
	int err = db_run(conn,
			 "INSERT INTO audit (id, at_ms, action, actor, address, room, detail) "
			 "VALUES (?, ?, ?, ?, ?, ?, ?)", "iittttt", row->id, row->at_ms, row->action,
			 row->actor, row->address, row->room, row->detail);

	/* By the key alone, which grows with time: no count of a long table. */
	if (!err && row->id % TIDY_EVERY == 0)
		err = db_run(conn,
			     "DELETE FROM audit WHERE id <= (SELECT id FROM audit ORDER BY id DESC "
			     "LIMIT 1 OFFSET ?)", "i", (int64_t)AUDIT_KEEP);
	return err;
}

int audit_add(struct db *db, const struct audit_entry *e)
{
	struct audit_request *r = db_request_new(sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->base = (struct db_request){ .what = "write the audit", .run = run_add };
	r->row.id = db_new_id();
	r->row.at_ms = clock_wall_ns() / NS_PER_MS;
	copy_cut(r->row.action, sizeof(r->row.action), e->action);
	copy_cut(r->row.actor, sizeof(r->row.actor), e->actor);
	copy_cut(r->row.address, sizeof(r->row.address), e->address);
	copy_cut(r->row.room, sizeof(r->row.room), e->room);
	copy_cut(r->row.detail, sizeof(r->row.detail), e->detail);
	return db_request_post(db, &r->base);
}

static void reply(struct db_request *base)
{
	struct audit_request *r = (struct audit_request *)base;

	r->cb(base->obj, base->err, r->rows, base->err ? 0 : r->n);
}

static void read_row(sqlite3_stmt *st, struct audit_row *row)
{
	row->id = sqlite3_column_int64(st, 0);
	row->at_ms = sqlite3_column_int64(st, 1);
	db_column_text(st, 2, row->action, sizeof(row->action));
	db_column_text(st, 3, row->actor, sizeof(row->actor));
	db_column_text(st, 4, row->address, sizeof(row->address));
	db_column_text(st, 5, row->room, sizeof(row->room));
	db_column_text(st, 6, row->detail, sizeof(row->detail));
}

static int run_list(sqlite3 *conn, struct db_request *base)
{
	struct audit_request *r = (struct audit_request *)base;
	sqlite3_stmt *st = NULL;
	int rc = SQLITE_DONE, err;

	r->rows = calloc(r->max + 1, sizeof(*r->rows));
	if (!r->rows)
		return -ENOMEM;
	err = db_take(conn, &st,
			 "SELECT id, at_ms, action, actor, address, room, detail FROM audit "
			 "WHERE ?1 = 0 OR id < ?1 ORDER BY id DESC LIMIT ?2", "ii", r->before,
			 (int64_t)r->max);
	if (err)
		return err;
	while (r->n < r->max && (rc = sqlite3_step(st)) == SQLITE_ROW)
		read_row(st, &r->rows[r->n++]);
	err = db_errno(conn, rc);
	db_give_back(st);
	return err;
}

int audit_list(struct db *db, int64_t before, size_t max, audit_list_cb *cb, void *obj)
{
	struct audit_request *r = db_request_new(sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->base = (struct db_request){ .what = "read the audit", .run = run_list, .reply = reply,
				       .clear = clear, .obj = obj };
	r->cb = cb;
	r->before = before;
	r->max = max < AUDIT_LIST_MAX ? max : AUDIT_LIST_MAX;
	return db_request_post(db, &r->base);
}
