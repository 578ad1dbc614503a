#include "storage/recordings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "storage/db_request.h"
#include "storage/recordings_priv.h"

struct recording_request {
	struct db_request base;
	recording_cb *cb;
	recording_list_cb *list_cb;
	struct recording_row row;  /* argument of create; answer */
	struct recording_change change;
	char text[DB_NAME_MAX + 1]; /* room, error, title, who */
	char tags[RECORDING_TAGS_MAX + 1];
	char sha256[RECORDING_SHA256_LEN + 1];
	bool have_text, have_tags, have_keep, keep, have_token;
	char token[RECORDING_TOKEN_LEN + 1];
	int64_t id, at_ms;
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
static const char *const kind_names[] = {
	[RECORDING_COMPOSED] = "composed",
	[RECORDING_TRACK] = "track",
	[RECORDING_AUDIO] = "audio",
};
static const char *const format_names[] = {
	[RECORDING_MP4] = "mp4",
	[RECORDING_MKV] = "mkv",
};
static const char *const finish_names[] = {
	[RECORDING_FINISH_NONE] = "none",
	[RECORDING_FINISH_QUEUED] = "queued",
	[RECORDING_FINISH_DONE] = "done",
	[RECORDING_FINISH_FAILED] = "failed",
};

#define NAMES(list) list, sizeof(list) / sizeof(*(list))

static const char *name_of(const char *const *names, size_t n, unsigned i)
{
	return names[i < n ? i : 0];
}

static unsigned number_of(const char *const *names, size_t n, const char *name)
{
	for (unsigned i = 0; i < n; i++)
		if (!strcmp(name, names[i]))
			return i;
	return 0;
}

const char *recording_state_name(enum recording_state s)
{
	return name_of(NAMES(state_names), s);
}

const char *recording_kind_name(enum recording_kind k)
{
	return name_of(NAMES(kind_names), k);
}

const char *recording_format_name(enum recording_format f)
{
	return name_of(NAMES(format_names), f);
}

const char *recording_finish_name(enum recording_finish f)
{
	return name_of(NAMES(finish_names), f);
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

static unsigned read_name(sqlite3_stmt *st, int col, const char *const *names, size_t n)
{
	char text[16];

	db_column_text(st, col, text, sizeof(text));
	return number_of(names, n, text);
}

void recording_read_row(sqlite3_stmt *st, struct recording_row *r)
{
	*r = (struct recording_row){
		.id = sqlite3_column_int64(st, 0),
		.session_id = sqlite3_column_int64(st, 1),
		.room_id = sqlite3_column_int64(st, 2),
		.state = (enum recording_state)read_name(st, 5, NAMES(state_names)),
		.started_ms = sqlite3_column_int64(st, 6),
		.ended_ms = sqlite3_column_int64(st, 7),
		.duration_ms = sqlite3_column_int64(st, 8),
		.bytes = sqlite3_column_int64(st, 9),
		.width = sqlite3_column_int(st, 10),
		.height = sqlite3_column_int(st, 11),
		.kind = (enum recording_kind)read_name(st, 15, NAMES(kind_names)),
		.format = (enum recording_format)read_name(st, 16, NAMES(format_names)),
		.parent_id = sqlite3_column_int64(st, 19),
		.leg = sqlite3_column_int64(st, 20),
		.user_id = sqlite3_column_int64(st, 21),
		.parts = (unsigned)sqlite3_column_int64(st, 26),
		.finish = (enum recording_finish)read_name(st, 27, NAMES(finish_names)),
		.finish_tries = sqlite3_column_int(st, 28),
		.keep = sqlite3_column_int(st, 29) != 0,
		.deleted_ms = sqlite3_column_int64(st, 30),
	};
	db_column_text(st, 3, r->room, sizeof(r->room));
	db_column_text(st, 4, r->path, sizeof(r->path));
	db_column_text(st, 12, r->by, sizeof(r->by));
	db_column_text(st, 13, r->token, sizeof(r->token));
	db_column_text(st, 14, r->error, sizeof(r->error));
	db_column_text(st, 17, r->video_codec, sizeof(r->video_codec));
	db_column_text(st, 18, r->audio_codec, sizeof(r->audio_codec));
	db_column_text(st, 22, r->title, sizeof(r->title));
	db_column_text(st, 23, r->tags, sizeof(r->tags));
	db_column_text(st, 24, r->people, sizeof(r->people));
	db_column_text(st, 25, r->sha256, sizeof(r->sha256));
	db_column_text(st, 31, r->deleted_by, sizeof(r->deleted_by));
}

int recording_read_one(sqlite3 *conn, int64_t id, struct recording_row *row)
{
	sqlite3_stmt *st = NULL;
	int err = db_prepare(conn, &st,
			     "SELECT " RECORDING_COLUMNS RECORDING_TABLES "WHERE r.id = ?", "i",
			     id);

	if (err)
		return err;
	int rc = sqlite3_step(st);

	if (rc == SQLITE_ROW)
		recording_read_row(st, row);
	err = rc == SQLITE_DONE ? -ENOENT : db_errno(conn, rc);
	sqlite3_finalize(st);
	return err;
}

int recording_read_all(sqlite3 *conn, sqlite3_stmt *st, size_t limit, struct recording_row **rows,
		       size_t *n)
{
	int rc = SQLITE_DONE, err = 0;

	*n = 0;
	*rows = calloc(limit, sizeof(**rows));
	if (!*rows)
		err = -ENOMEM;
	while (!err && *n < limit && (rc = sqlite3_step(st)) == SQLITE_ROW)
		recording_read_row(st, &(*rows)[(*n)++]);
	if (!err)
		err = db_errno(conn, rc);
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
		      "ended_ms, duration_ms, bytes, width, height, by_name, token, error, kind, "
		      "format, video_codec, audio_codec, parent_id, leg, user_id, title, tags, "
		      "sha256, parts, finish, keep) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
		      "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		      "innttiniiiitttttttnintttiti", r->id, r->session_id, room_id, r->path,
		      recording_state_name(r->state), r->started_ms, r->ended_ms, r->duration_ms,
		      r->bytes, (int64_t)r->width, (int64_t)r->height, r->by, r->token, r->error,
		      recording_kind_name(r->kind), recording_format_name(r->format),
		      r->video_codec, r->audio_codec, r->parent_id, r->leg, r->user_id, r->title,
		      r->tags, r->sha256, (int64_t)r->parts, recording_finish_name(r->finish),
		      (int64_t)r->keep);
}

static int run_create(sqlite3 *conn, struct db_request *base)
{
	struct recording_request *r = (struct recording_request *)base;
	int err = db_begin(conn);

	err = db_end(conn, err ? err : insert(conn, &r->row));
	return err ? err : recording_read_one(conn, r->row.id, &r->row);
}

static int run_update(sqlite3 *conn, struct db_request *base)
{
	struct recording_request *r = (struct recording_request *)base;
	const struct recording_change *c = &r->change;
	int err = db_run(conn,
			 "UPDATE recordings SET state = coalesce(?, state), "
			 "ended_ms = coalesce(?, ended_ms), "
			 "duration_ms = coalesce(?, duration_ms), bytes = coalesce(?, bytes), "
			 "error = coalesce(?, error), sha256 = coalesce(?, sha256), "
			 "parts = parts | ?, finish = coalesce(?, finish), "
			 "finish_tries = finish_tries + ?, width = coalesce(?, width), "
			 "height = coalesce(?, height) WHERE id = ?",
			 "tnnnttitinni", c->state ? recording_state_name(c->state) : NULL,
			 c->ended_ms, c->duration_ms, c->bytes, r->text[0] ? r->text : NULL,
			 r->sha256[0] ? r->sha256 : NULL, (int64_t)c->parts,
			 c->finish ? recording_finish_name(c->finish) : NULL, (int64_t)c->tried,
			 (int64_t)c->width, (int64_t)c->height, r->id);

	return err ? err : recording_read_one(conn, r->id, &r->row);
}

static int run_edit(sqlite3 *conn, struct db_request *base)
{
	struct recording_request *r = (struct recording_request *)base;
	int err = db_run(conn,
			 "UPDATE recordings SET title = coalesce(?, title), "
			 "tags = coalesce(?, tags), keep = iif(?, ?, keep) WHERE id = ?",
			 "ttiii", r->have_text ? r->text : NULL, r->have_tags ? r->tags : NULL,
			 (int64_t)r->have_keep, (int64_t)r->keep, r->id);

	return err ? err : recording_read_one(conn, r->id, &r->row);
}

/* With its tracks; r->at_ms 0: out of the trash, but for what goes for good already. */
static int move(sqlite3 *conn, const struct recording_request *r)
{
	return db_run(conn,
		      "UPDATE recordings SET deleted_ms = ?, deleted_by = ? "
		      "WHERE (id = ? OR parent_id = ?) AND (deleted_ms IS NULL) = ? "
		      "AND deleted_ms IS NOT ?", "ntiiii", r->at_ms, r->text, r->id, r->id,
		      (int64_t)(r->at_ms != 0), (int64_t)RECORDING_PURGED_MS);
}

static int run_move(sqlite3 *conn, struct db_request *base)
{
	struct recording_request *r = (struct recording_request *)base;
	int err = recording_read_one(conn, r->id, &r->row);

	if (!err && ((r->row.deleted_ms != 0) == (r->at_ms != 0) ||
		     r->row.deleted_ms == RECORDING_PURGED_MS))
		err = -ENOENT;
	if (!err && (r->row.state == RECORDING_RECORDING || r->row.state == RECORDING_FINISHING))
		err = -EBUSY;
	if (!err)
		err = move(conn, r);
	return err ? err : recording_read_one(conn, r->id, &r->row);
}

static int run_purge(sqlite3 *conn, struct db_request *base)
{
	struct recording_request *r = (struct recording_request *)base;
	int err = db_run(conn,
			 "UPDATE recordings SET deleted_ms = ? WHERE (id = ? OR parent_id = ?) "
			 "AND deleted_ms IS NOT NULL", "iii", (int64_t)RECORDING_PURGED_MS, r->id,
			 r->id);

	if (!err && !sqlite3_changes(conn))
		return -ENOENT;
	return err ? err : recording_read_one(conn, r->id, &r->row);
}

static int run_forget(sqlite3 *conn, struct db_request *base)
{
	struct recording_request *r = (struct recording_request *)base;
	int err = recording_read_one(conn, r->id, &r->row);

	if (!err && !r->row.deleted_ms)
		err = -ENOENT;
	return err ? err : db_run(conn, "DELETE FROM recordings WHERE id = ?", "i", r->id);
}

static int run_token(sqlite3 *conn, struct db_request *base)
{
	struct recording_request *r = (struct recording_request *)base;
	int err = db_run(conn, "UPDATE recordings SET token = ? WHERE id = ?", "ti", r->token,
			 r->id);

	return err ? err : recording_read_one(conn, r->id, &r->row);
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
	int err = recording_read_one(conn, r->id, &r->row);

	if (!err && (r->row.deleted_ms || (r->have_token && !token_equal(r->token, r->row.token))))
		err = -ENOENT;
	return err;
}

static int run_list(sqlite3 *conn, struct db_request *base)
{
	struct recording_request *r = (struct recording_request *)base;
	sqlite3_stmt *st = NULL;
	int err = db_prepare(conn, &st,
			     "SELECT " RECORDING_COLUMNS RECORDING_TABLES
			     "WHERE (?1 IS NULL OR m.name = ?1) AND r.id < ?2 "
			     "ORDER BY r.id DESC LIMIT ?3",
			     "tii", r->have_text ? r->text : NULL, r->id ? r->id : INT64_MAX,
			     (int64_t)r->limit);

	return err ? err : recording_read_all(conn, st, r->limit, &r->rows, &r->n);
}

static int run_tracks(sqlite3 *conn, struct db_request *base)
{
	struct recording_request *r = (struct recording_request *)base;
	sqlite3_stmt *st = NULL;
	int err = db_prepare(conn, &st,
			     "SELECT " RECORDING_COLUMNS RECORDING_TABLES
			     "WHERE r.parent_id = ? ORDER BY r.id LIMIT ?", "ii", r->id,
			     (int64_t)r->limit);

	return err ? err : recording_read_all(conn, st, r->limit, &r->rows, &r->n);
}

static int run_to_finish(sqlite3 *conn, struct db_request *base)
{
	struct recording_request *r = (struct recording_request *)base;
	sqlite3_stmt *st = NULL;
	int err = db_prepare(conn, &st,
			     "SELECT " RECORDING_COLUMNS RECORDING_TABLES
			     "WHERE r.finish = 'queued' AND r.deleted_ms IS NULL ORDER BY r.id LIMIT ?", "i",
			     (int64_t)r->limit);

	return err ? err : recording_read_all(conn, st, r->limit, &r->rows, &r->n);
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
	r->change.error = r->change.sha256 = NULL;
	/* a sentence for a person: better cut than lost */
	snprintf(r->text, sizeof(r->text), "%s", c->error ? c->error : "");
	if (!db_copy_text(r->sha256, sizeof(r->sha256), c->sha256)) {
		db_request_free(&r->base);
		return -EINVAL;
	}
	return db_request_post(db, &r->base);
}

int recordings_edit(struct db *db, int64_t id, const struct recording_edit *e, recording_cb *cb,
		    void *obj)
{
	struct recording_request *r = request("change a recording", run_edit, cb, obj);

	if (!r)
		return -ENOMEM;
	r->id = id;
	r->have_text = e->title != NULL;
	r->have_tags = e->tags != NULL;
	r->have_keep = e->keep != NULL;
	r->keep = e->keep && *e->keep;
	if (!db_copy_text(r->text, sizeof(r->text), e->title) ||
	    !db_copy_text(r->tags, sizeof(r->tags), e->tags)) {
		db_request_free(&r->base);
		return -EINVAL;
	}
	return db_request_post(db, &r->base);
}

static int post_list(struct db *db, struct recording_request *r, int64_t id, size_t limit,
		     recording_list_cb *cb)
{
	r->base.reply = reply;
	r->list_cb = cb;
	r->id = id;
	r->limit = limit;
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
	r->have_text = room != NULL;
	if (!db_copy_text(r->text, sizeof(r->text), room)) {
		db_request_free(&r->base);
		return -EINVAL;
	}
	return post_list(db, r, before_id, limit, cb);
}

int recordings_tracks(struct db *db, int64_t id, recording_list_cb *cb, void *obj)
{
	struct recording_request *r = request("list tracks", run_tracks, NULL, obj);

	return r ? post_list(db, r, id, RECORDING_LIST_MAX, cb) : -ENOMEM;
}

int recordings_to_finish(struct db *db, size_t limit, recording_list_cb *cb, void *obj)
{
	struct recording_request *r;

	if (limit < 1 || limit > RECORDING_LIST_MAX || !cb)
		return -EINVAL;
	r = request("list what is to be finished", run_to_finish, NULL, obj);
	return r ? post_list(db, r, 0, limit, cb) : -ENOMEM;
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

int recordings_new_token(struct db *db, int64_t id, recording_cb *cb, void *obj)
{
	struct recording_request *r = request("change a link", run_token, cb, obj);

	if (!r)
		return -ENOMEM;
	r->id = id;
	if (recording_token(r->token)) {
		db_request_free(&r->base);
		return -EIO;
	}
	return db_request_post(db, &r->base);
}

int recordings_trash(struct db *db, int64_t id, int64_t now_ms, const char *by, recording_cb *cb,
		     void *obj)
{
	struct recording_request *r = request("delete a recording", run_move, cb, obj);

	if (!r)
		return -ENOMEM;
	r->id = id;
	r->at_ms = now_ms;
	snprintf(r->text, sizeof(r->text), "%s", by);
	return db_request_post(db, &r->base);
}

int recordings_restore(struct db *db, int64_t id, recording_cb *cb, void *obj)
{
	struct recording_request *r = request("restore a recording", run_move, cb, obj);

	if (!r)
		return -ENOMEM;
	r->id = id;
	return db_request_post(db, &r->base);
}

int recordings_purge(struct db *db, int64_t id, recording_cb *cb, void *obj)
{
	struct recording_request *r = request("purge a recording", run_purge, cb, obj);

	if (!r)
		return -ENOMEM;
	r->id = id;
	return db_request_post(db, &r->base);
}

int recordings_forget(struct db *db, int64_t id, recording_cb *cb, void *obj)
{
	struct recording_request *r = request("forget a recording", run_forget, cb, obj);

	if (!r)
		return -ENOMEM;
	r->id = id;
	return db_request_post(db, &r->base);
}
