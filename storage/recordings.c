#include "storage/recordings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "storage/db_request.h"

#define COLUMNS                                                                             \
	"r.id, r.session_id, r.room_id, coalesce(m.name, ''), r.path, r.state, r.started_ms, " \
	"r.ended_ms, r.duration_ms, r.bytes, r.width, r.height, r.by_name, r.token, r.error " \
	"FROM recordings r LEFT JOIN rooms m ON m.id = r.room_id "

struct recording_request {
	struct db_request base;
	recording_cb *cb;
	recording_list_cb *list_cb;
	struct recording_row row;  /* argument of create; answer */
	struct recording_change change;
	char text[DB_NAME_MAX + 1]; /* room, error */
	bool have_room, have_token;
	char token[RECORDING_TOKEN_LEN + 1];
	int64_t id;
	struct recording_row *rows;
	size_t n, limit;
};

static const char *const state_names[] = {
	[RECORDING_NONE] = "none",
	[RECORDING_RECORDING] = "recording",
	[RECORDING_FINISHING] = "finishing",
	[RECORDING_READY] = "ready",
	[RECORDING_INTERRUPTED] = "interrupted",
	[RECORDING_FAILED] = "failed",
};

const char *recording_state_name(enum recording_state s)
{
	return (unsigned)s < sizeof(state_names) / sizeof(*state_names) ? state_names[s] : "none";
}

static enum recording_state parse_state(const char *name)
{
	for (enum recording_state s = RECORDING_RECORDING; s <= RECORDING_FAILED; s++)
		if (!strcmp(name, state_names[s]))
			return s;
	return RECORDING_NONE;
}

int recording_token(char out[RECORDING_TOKEN_LEN + 1])
{
	uint8_t raw[RECORDING_TOKEN_LEN / 2];

	if (getrandom(raw, sizeof(raw), 0) != (ssize_t)sizeof(raw))
		return -EIO;
	for (size_t i = 0; i < sizeof(raw); i++)
		snprintf(out + 2 * i, 3, "%02x", raw[i]);
	return 0;
}

static void read_row(sqlite3_stmt *st, struct recording_row *r)
{
	char state[16];

	*r = (struct recording_row){
		.id = sqlite3_column_int64(st, 0),
		.session_id = sqlite3_column_int64(st, 1),
		.room_id = sqlite3_column_int64(st, 2),
		.started_ms = sqlite3_column_int64(st, 6),
		.ended_ms = sqlite3_column_int64(st, 7),
		.duration_ms = sqlite3_column_int64(st, 8),
		.bytes = sqlite3_column_int64(st, 9),
		.width = sqlite3_column_int(st, 10),
		.height = sqlite3_column_int(st, 11),
	};
	db_column_text(st, 3, r->room, sizeof(r->room));
	db_column_text(st, 4, r->path, sizeof(r->path));
	db_column_text(st, 5, state, sizeof(state));
	r->state = parse_state(state);
	db_column_text(st, 12, r->by, sizeof(r->by));
	db_column_text(st, 13, r->token, sizeof(r->token));
	db_column_text(st, 14, r->error, sizeof(r->error));
}

static int read_one(sqlite3 *conn, int64_t id, struct recording_row *row)
{
	sqlite3_stmt *st = NULL;
	int err = db_prepare(conn, &st, "SELECT " COLUMNS "WHERE r.id = ?", "i", id);

	if (err)
		return err;
	int rc = sqlite3_step(st);

	if (rc == SQLITE_ROW)
		read_row(st, row);
	err = rc == SQLITE_DONE ? -ENOENT : db_errno(conn, rc);
	sqlite3_finalize(st);
	return err;
}

static int insert(sqlite3 *conn, const struct recording_row *r)
{
	int64_t room_id = 0;
	int err = 0;

	if (r->room[0])
		err = db_run(conn,
			     "INSERT INTO rooms (name, created_ms) VALUES (?, ?) "
			     "ON CONFLICT (name) DO NOTHING", "ti", r->room, r->started_ms);
	if (!err && r->room[0])
		err = db_query_int(conn, &room_id, "SELECT id FROM rooms WHERE name = ?", "t",
				   r->room);
	if (err)
		return err;
	return db_run(conn,
		      "INSERT INTO recordings (id, session_id, room_id, path, state, started_ms, "
		      "ended_ms, duration_ms, bytes, width, height, by_name, token, error) "
		      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		      "innttiniiiittt", r->id, r->session_id, room_id, r->path,
		      recording_state_name(r->state), r->started_ms, r->ended_ms, r->duration_ms,
		      r->bytes, (int64_t)r->width, (int64_t)r->height, r->by, r->token, r->error);
}

static int run_create(sqlite3 *conn, struct db_request *base)
{
	struct recording_request *r = (struct recording_request *)base;
	int err = db_begin(conn);

	err = db_end(conn, err ? err : insert(conn, &r->row));
	return err ? err : read_one(conn, r->row.id, &r->row);
}

static int run_update(sqlite3 *conn, struct db_request *base)
{
	struct recording_request *r = (struct recording_request *)base;
	const struct recording_change *c = &r->change;
	const char *state = c->state ? recording_state_name(c->state) : NULL;
	int err = db_run(conn,
			 "UPDATE recordings SET state = coalesce(?, state), "
			 "ended_ms = coalesce(?, ended_ms), "
			 "duration_ms = coalesce(?, duration_ms), bytes = coalesce(?, bytes), "
			 "error = coalesce(?, error) WHERE id = ?",
			 "tnnnti", state, c->ended_ms, c->duration_ms, c->bytes,
			 r->text[0] ? r->text : NULL, r->id);

	return err ? err : read_one(conn, r->id, &r->row);
}

/* Takes the same time whatever the first difference is. */
static bool token_equal(const char *a, const char *b)
{
	unsigned diff = 0;

	if (strlen(a) != RECORDING_TOKEN_LEN || strlen(b) != RECORDING_TOKEN_LEN)
		return false;
	for (size_t i = 0; i < RECORDING_TOKEN_LEN; i++)
		diff |= (unsigned char)a[i] ^ (unsigned char)b[i];
	return diff == 0;
}

static int run_get(sqlite3 *conn, struct db_request *base)
{
	struct recording_request *r = (struct recording_request *)base;
	int err = read_one(conn, r->id, &r->row);

	if (!err && r->have_token && !token_equal(r->token, r->row.token))
		err = -ENOENT;
	return err;
}

static int run_list(sqlite3 *conn, struct db_request *base)
{
	struct recording_request *r = (struct recording_request *)base;
	sqlite3_stmt *st = NULL;
	int rc = SQLITE_DONE;
	int err = db_prepare(conn, &st,
			     "SELECT " COLUMNS
			     "WHERE (?1 IS NULL OR m.name = ?1) AND r.id < ?2 "
			     "ORDER BY r.id DESC LIMIT ?3",
			     "tii", r->have_room ? r->text : NULL, r->id ? r->id : INT64_MAX,
			     (int64_t)r->limit);

	r->rows = err ? NULL : calloc(r->limit, sizeof(*r->rows));
	if (!err && !r->rows)
		err = -ENOMEM;
	while (!err && r->n < r->limit && (rc = sqlite3_step(st)) == SQLITE_ROW)
		read_row(st, &r->rows[r->n++]);
	if (!err)
		err = db_errno(conn, rc);
	sqlite3_finalize(st);
	return err;
}

static void reply(struct db_request *base)
{
	struct recording_request *r = (struct recording_request *)base;

	if (r->list_cb)
		r->list_cb(base->obj, base->err, base->err ? NULL : r->rows, base->err ? 0 : r->n);
	else
		r->cb(base->obj, base->err, base->err ? NULL : &r->row);
}

static void clear(struct db_request *base)
{
	free(((struct recording_request *)base)->rows);
}

static struct recording_request *request(const char *what,
					 int (*run)(sqlite3 *, struct db_request *),
					 recording_cb *cb, void *obj)
{
	struct recording_request *r = db_request_new(sizeof(*r));

	if (!r)
		return NULL;
	r->base.what = what;
	r->base.run = run;
	r->base.clear = clear;
	r->base.reply = cb ? reply : NULL;
	r->base.obj = obj;
	r->cb = cb;
	return r;
}

int recordings_create(struct db *db, const struct recording_row *row, recording_cb *cb, void *obj)
{
	struct recording_request *r;

	if (row->state == RECORDING_NONE || strlen(row->token) != RECORDING_TOKEN_LEN)
		return -EINVAL;
	r = request("list a recording", run_create, cb, obj);
	if (!r)
		return -ENOMEM;
	r->row = *row;
	return db_request_post(db, &r->base);
}

int recordings_update(struct db *db, int64_t id, const struct recording_change *c,
		      recording_cb *cb, void *obj)
{
	struct recording_request *r = request("update a recording", run_update, cb, obj);

	if (!r)
		return -ENOMEM;
	r->id = id;
	r->change = *c;
	r->change.error = NULL;
	/* a sentence for a person: better cut than lost */
	snprintf(r->text, sizeof(r->text), "%s", c->error ? c->error : "");
	return db_request_post(db, &r->base);
}

int recordings_list(struct db *db, const char *room, int64_t before_id, size_t limit,
		    recording_list_cb *cb, void *obj)
{
	struct recording_request *r;

	if (limit < 1 || limit > RECORDING_LIST_MAX || !cb)
		return -EINVAL;
	r = request("list recordings", run_list, NULL, obj);
	if (!r)
		return -ENOMEM;
	r->base.reply = reply;
	r->list_cb = cb;
	r->id = before_id;
	r->limit = limit;
	r->have_room = room != NULL;
	if (!db_copy_text(r->text, sizeof(r->text), room)) {
		db_request_free(&r->base);
		return -EINVAL;
	}
	return db_request_post(db, &r->base);
}

int recordings_get(struct db *db, int64_t id, const char *token, recording_cb *cb, void *obj)
{
	struct recording_request *r = request("find a recording", run_get, cb, obj);

	if (!r)
		return -ENOMEM;
	r->id = id;
	r->have_token = token != NULL;
	/* one that does not fit becomes "", which is never right */
	(void)db_copy_text(r->token, sizeof(r->token), token);
	return db_request_post(db, &r->base);
}
