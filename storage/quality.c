#include "storage/quality.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "storage/db_request.h"

struct quality_request {
	struct db_request base;
	quality_cb *cb;
	quality_list_cb *list_cb;
	struct quality_filter filter;
	int64_t keep_since_ms;
	struct quality_row *rows;
	size_t n;
};

static void clear(struct db_request *base)
{
	free(((struct quality_request *)base)->rows);
}

static void reply(struct db_request *base)
{
	struct quality_request *r = (struct quality_request *)base;

	if (r->list_cb)
		r->list_cb(base->obj, base->err, r->rows, base->err ? 0 : r->n);
	else
		r->cb(base->obj, base->err);
}

/* The participant's row first: it says whether there is one. */
static int write_row(sqlite3 *conn, const struct quality_row *q)
{
	int err = db_run(conn,
			 "UPDATE participants SET score_n = score_n + 1, score_sum = score_sum + ?1, "
			 "score_min = min(coalesce(score_min, ?1), ?1) WHERE id = ?2", "ri", q->score,
			 q->participant_id);

	if (err || !sqlite3_changes(conn))
		return err;
	return db_run(conn,
		      "INSERT INTO quality (id, participant_id, at_ms, interval_ms, loss_up, loss_down, "
		      "jitter_up_ms, jitter_down_ms, rtt_ms, kbps_up, kbps_down, height, score) "
		      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		      "iiiirrrrrrrir", q->id, q->participant_id, q->at_ms, q->interval_ms, q->loss_up,
		      q->loss_down, q->jitter_up_ms, q->jitter_down_ms, q->rtt_ms, q->kbps_up,
		      q->kbps_down, (int64_t)q->height, q->score);
}

static int run_write(sqlite3 *conn, struct db_request *base)
{
	struct quality_request *r = (struct quality_request *)base;
	int err = db_begin(conn);

	for (size_t i = 0; i < r->n && !err; i++)
		err = write_row(conn, &r->rows[i]);
	/* By the key, which grows with time: no look at the whole table. */
	if (!err && r->keep_since_ms)
		err = db_run(conn,
			     "DELETE FROM quality WHERE id IN "
			     "(SELECT id FROM quality WHERE id < ? ORDER BY id LIMIT ?)", "ii",
			     db_id_of_time(r->keep_since_ms), (int64_t)QUALITY_PRUNE_ROWS);
	return db_end(conn, err);
}

static void read_row(sqlite3_stmt *st, struct quality_row *q)
{
	*q = (struct quality_row){
		.id = sqlite3_column_int64(st, 0), .participant_id = sqlite3_column_int64(st, 1),
		.at_ms = sqlite3_column_int64(st, 2), .interval_ms = sqlite3_column_int64(st, 3),
		.loss_up = sqlite3_column_double(st, 4), .loss_down = sqlite3_column_double(st, 5),
		.jitter_up_ms = sqlite3_column_double(st, 6),
		.jitter_down_ms = sqlite3_column_double(st, 7),
		.rtt_ms = sqlite3_column_double(st, 8), .kbps_up = sqlite3_column_double(st, 9),
		.kbps_down = sqlite3_column_double(st, 10), .height = sqlite3_column_int(st, 11),
		.score = sqlite3_column_double(st, 12),
	};
}

static int run_list(sqlite3 *conn, struct db_request *base)
{
	struct quality_request *r = (struct quality_request *)base;
	const struct quality_filter *f = &r->filter;
	sqlite3_stmt *st = NULL;
	int rc, err;

	r->rows = calloc(f->max, sizeof *r->rows);
	if (!r->rows)
		return -ENOMEM;
	err = db_take(conn, &st,
			 "SELECT id, participant_id, at_ms, interval_ms, loss_up, loss_down, "
			 "jitter_up_ms, jitter_down_ms, rtt_ms, kbps_up, kbps_down, height, score "
			 "FROM quality WHERE participant_id = ?1 AND id > ?2 AND at_ms >= ?3 AND "
			 "(?4 = 0 OR at_ms < ?4) ORDER BY id LIMIT ?5", "iiiii", f->participant_id,
			 f->after, f->from_ms, f->until_ms, (int64_t)f->max);
	if (err)
		return err;
	while ((rc = sqlite3_step(st)) == SQLITE_ROW && r->n < f->max)
		read_row(st, &r->rows[r->n++]);
	err = db_errno(conn, rc);
	db_give_back(st);
	return err;
}

int quality_write(struct db *db, const struct quality_row *rows, size_t n, int64_t keep_since_ms,
		  quality_cb *cb, void *obj)
{
	struct quality_request *r;

	if (n > QUALITY_BATCH_MAX)
		return -EINVAL;
	r = db_request_new(sizeof *r);
	if (!r)
		return -ENOMEM;
	r->base = (struct db_request){ .what = "write the quality of connections", .run = run_write,
				       .reply = cb ? reply : NULL, .clear = clear, .obj = obj };
	r->cb = cb;
	r->keep_since_ms = keep_since_ms;
	r->n = n;
	r->rows = malloc((n ? n : 1) * sizeof *rows);
	if (!r->rows) {
		db_request_free(&r->base);
		return -ENOMEM;
	}
	if (n)
		memcpy(r->rows, rows, n * sizeof *rows);
	return db_request_post(db, &r->base);
}

int quality_list(struct db *db, const struct quality_filter *f, quality_list_cb *cb, void *obj)
{
	struct quality_request *r;

	if (!f->max || f->max > QUALITY_LIST_MAX)
		return -EINVAL;
	r = db_request_new(sizeof *r);
	if (!r)
		return -ENOMEM;
	r->base = (struct db_request){ .what = "list the quality of a connection", .run = run_list,
				       .reply = reply, .clear = clear, .obj = obj };
	r->list_cb = cb;
	r->filter = *f;
	return db_request_post(db, &r->base);
}
