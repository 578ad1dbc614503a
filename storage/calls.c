#include "storage/calls.h"

#include <errno.h>
#include <stdlib.h>

#include "storage/db_request.h"

#define COLUMNS                                                                              \
	"id, coalesce(session_id, 0), direction = 'out', room, uri, number, user, trunk, "     \
	"started_ms, coalesce(answered_ms, 0), coalesce(ended_ms, 0), audio, video, "          \
	"packets_in, packets_out, lost_in, lost_out, jitter_ms, rtt_ms, mos, score, "          \
	"end_reason, sip_status, reason "

/* The room's session at that time: the newest that had begun and had not ended. */
#define SESSION_OF                                                                           \
	"(SELECT s.id FROM sessions s JOIN rooms m ON m.id = s.room_id WHERE m.name = ?4 "     \
	"AND (s.ended_ms IS NULL OR s.ended_ms >= coalesce(?9, ?1)) "                          \
	"AND (?10 IS NULL OR s.started_ms <= ?10) ORDER BY s.id DESC LIMIT 1)"

struct call_request {
	struct db_request base;
	call_list_cb *cb;
	struct call_row row;
	struct call_keep keep;
	struct call_filter filter;
	char room[DB_NAME_MAX + 1], number[CALL_TEXT_MAX + 1];
	struct call_row *rows;
	size_t n;
};

static void clear(struct db_request *base)
{
	free(((struct call_request *)base)->rows);
}

enum { PRUNED_AT_ONCE = 5000 /* others wait for storage meanwhile */ };

static int prune(sqlite3 *conn, const struct call_keep *keep)
{
	int err = 0;

	if (keep->since_ms)
		err = db_run(conn, "DELETE FROM calls WHERE started_ms < ?", "i", keep->since_ms);
	if (!err && keep->rows)
		err = db_run(conn,
			     "DELETE FROM calls WHERE id IN (SELECT id FROM calls ORDER BY started_ms, id "
			     "LIMIT max(0, min(?, (SELECT count(*) FROM calls) - ?)))", "ii",
			     (int64_t)PRUNED_AT_ONCE, keep->rows);
	return err;
}

static int run_write(sqlite3 *conn, struct db_request *base)
{
	const struct call_request *r = (const struct call_request *)base;
	const struct call_row *c = &r->row;
	int err = db_run(conn,
			 "INSERT OR REPLACE INTO calls (session_id, id, direction, room, uri, number, "
			 "user, trunk, started_ms, answered_ms, ended_ms, audio, video, packets_in, "
			 "packets_out, lost_in, lost_out, jitter_ms, rtt_ms, mos, score, end_reason, "
			 "sip_status, reason) VALUES (" SESSION_OF ", ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?1, "
			 "?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23)",
			 "iittttttnnttiiiirrrrtit", c->started_ms, c->id, c->out ? "out" : "in",
			 c->room, c->uri, c->number, c->user, c->trunk, c->answered_ms, c->ended_ms,
			 c->audio, c->video, c->packets_in, c->packets_out, c->lost_in, c->lost_out,
			 c->jitter_ms, c->rtt_ms, c->mos, c->score, c->end, (int64_t)c->sip_status,
			 c->reason);

	return err || !c->ended_ms ? err : prune(conn, &r->keep);
}

int calls_write(struct db *db, const struct call_row *row, const struct call_keep *keep)
{
	struct call_request *r = db_request_new(sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->base = (struct db_request){ .what = "write the record of a call", .run = run_write };
	r->row = *row;
	if (keep)
		r->keep = *keep;
	return db_request_post(db, &r->base);
}

/* --- list -------------------------------------------------------------------- */

static void reply(struct db_request *base)
{
	struct call_request *r = (struct call_request *)base;

	r->cb(base->obj, base->err, r->rows, base->err ? 0 : r->n);
}

static void read_row(sqlite3_stmt *st, struct call_row *c)
{
	*c = (struct call_row){
		.id = sqlite3_column_int64(st, 0), .session_id = sqlite3_column_int64(st, 1),
		.out = sqlite3_column_int(st, 2), .started_ms = sqlite3_column_int64(st, 8),
		.answered_ms = sqlite3_column_int64(st, 9),
		.ended_ms = sqlite3_column_int64(st, 10),
		.packets_in = sqlite3_column_int64(st, 13),
		.packets_out = sqlite3_column_int64(st, 14),
		.lost_in = sqlite3_column_int64(st, 15), .lost_out = sqlite3_column_int64(st, 16),
		.jitter_ms = sqlite3_column_double(st, 17), .rtt_ms = sqlite3_column_double(st, 18),
		.mos = sqlite3_column_double(st, 19), .score = sqlite3_column_double(st, 20),
		.sip_status = sqlite3_column_int(st, 22),
	};
	db_column_text(st, 3, c->room, sizeof(c->room));
	db_column_text(st, 4, c->uri, sizeof(c->uri));
	db_column_text(st, 5, c->number, sizeof(c->number));
	db_column_text(st, 6, c->user, sizeof(c->user));
	db_column_text(st, 7, c->trunk, sizeof(c->trunk));
	db_column_text(st, 11, c->audio, sizeof(c->audio));
	db_column_text(st, 12, c->video, sizeof(c->video));
	db_column_text(st, 21, c->end, sizeof(c->end));
	db_column_text(st, 23, c->reason, sizeof(c->reason));
}

#define LIST(room)                                                                     \
	"SELECT " COLUMNS "FROM calls WHERE " room                                      \
	" AND (?2 = '' OR instr(number, ?2) OR instr(uri, ?2)) "                        \
	"AND started_ms >= ?3 AND (?4 = 0 OR started_ms < ?4) "                         \
	"AND (?5 = 0 OR id < ?5) ORDER BY id DESC LIMIT ?6"

static int run_list(sqlite3 *conn, struct db_request *base)
{
	struct call_request *r = (struct call_request *)base;
	const struct call_filter *f = &r->filter;
	sqlite3_stmt *st = NULL;
	int rc = SQLITE_DONE, err;

	r->rows = calloc(f->max, sizeof(*r->rows));
	if (!r->rows)
		return -ENOMEM;
	/* by the index of rooms, or by the key */
	err = db_take(conn, &st, r->room[0] ? LIST("room = ?1") : LIST("?1 = ''"), "ttiiii", r->room,
		      r->number, f->from_ms, f->until_ms, f->before, (int64_t)f->max);
	if (err)
		return err;
	while (r->n < f->max && (rc = sqlite3_step(st)) == SQLITE_ROW)
		read_row(st, &r->rows[r->n++]);
	err = db_errno(conn, rc);
	db_give_back(st);
	return err;
}

int calls_list(struct db *db, const struct call_filter *f, call_list_cb *cb, void *obj)
{
	struct call_request *r;

	if (!f->max)
		return -EINVAL;
	r = db_request_new(sizeof(*r));
	if (!r)
		return -ENOMEM;
	r->base = (struct db_request){ .what = "list calls", .run = run_list, .reply = reply,
				       .clear = clear, .obj = obj };
	r->cb = cb;
	r->filter = *f;
	r->filter.max = f->max < CALL_LIST_MAX ? f->max : CALL_LIST_MAX;
	if (!db_copy_text(r->room, sizeof(r->room), f->room) ||
	    !db_copy_text(r->number, sizeof(r->number), f->number)) {
		db_request_free(&r->base);
		return -EINVAL;
	}
	return db_request_post(db, &r->base);
}
