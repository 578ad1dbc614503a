#include "storage/recording_index.h"

#include <errno.h>
#include <string.h>

#include "storage/db_request.h"
#include "storage/recordings_priv.h"
#include "storage/search_text.h"

enum { CHAT_MAX = 1 << 20 }; /* octets of one recording's chat that are indexed */

struct document {
	struct search_text room, title, tags, people, chat, keys;
	char names[RECORDING_PEOPLE_MAX + 1]; /* one a line */
};

static void document_clear(struct document *d)
{
	search_text_free(&d->room);
	search_text_free(&d->title);
	search_text_free(&d->tags);
	search_text_free(&d->people);
	search_text_free(&d->chat);
	search_text_free(&d->keys);
}

/* A line of its own, once, if it still fits. */
static void add_name(struct document *d, const char *name)
{
	size_t len = strlen(d->names), n = strlen(name);

	for (const char *p = d->names; *p; p += strcspn(p, "\n"), p += *p == '\n')
		if (strcspn(p, "\n") == n && !memcmp(p, name, n))
			return;
	if (strchr(name, '\n') || !n || len + n + 2 > sizeof(d->names))
		return;
	if (len)
		d->names[len++] = '\n';
	memcpy(d->names + len, name, n + 1);
}

/* Who was there while it ran. */
static int add_people(sqlite3 *conn, const struct recording_row *row, struct document *d)
{
	char name[DB_NAME_MAX + 1];
	sqlite3_stmt *st = NULL;
	int rc = SQLITE_DONE;
	int err = db_prepare(conn, &st,
			     "SELECT name, user_id FROM participants WHERE session_id = ?1 "
			     "AND (?3 IS NULL OR joined_ms <= ?3) "
			     "AND coalesce(left_ms, ?2) >= ?2 ORDER BY id", "iin",
			     row->session_id, row->started_ms, row->ended_ms);

	while (!err && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		db_column_text(st, 0, name, sizeof(name));
		add_name(d, name);
		search_text_add(&d->people, name);
		if (sqlite3_column_int64(st, 1))
			search_text_key(&d->keys, 'u', sqlite3_column_int64(st, 1));
	}
	if (!err)
		err = db_errno(conn, rc);
	sqlite3_finalize(st);
	return err;
}

/* What was written to everybody while it ran. */
static int add_chat(sqlite3 *conn, const struct recording_row *row, struct document *d)
{
	sqlite3_stmt *st = NULL;
	int rc = SQLITE_DONE;
	int err = db_prepare(conn, &st,
			     "SELECT text FROM chat WHERE session_id = ?1 "
			     "AND coalesce(to_leg, 0) = 0 AND at_ms >= ?2 "
			     "AND (?3 IS NULL OR at_ms <= ?3) ORDER BY id", "iin",
			     row->session_id, row->started_ms, row->ended_ms);

	d->chat.max = CHAT_MAX;
	while (!err && (rc = sqlite3_step(st)) == SQLITE_ROW)
		search_text_add(&d->chat, (const char *)sqlite3_column_text(st, 0));
	if (!err)
		err = db_errno(conn, rc);
	sqlite3_finalize(st);
	return err;
}

static int make_document(sqlite3 *conn, const struct recording_row *row, struct document *d)
{
	int err = 0;

	search_text_add(&d->room, row->room);
	search_text_add(&d->title, row->title);
	search_text_add(&d->tags, row->tags);
	search_text_date(&d->keys, row->started_ms);
	if (row->room_id)
		search_text_key(&d->keys, 'r', row->room_id);
	if (row->user_id)
		search_text_key(&d->keys, 'u', row->user_id);
	if (row->session_id)
		err = add_people(conn, row, d);
	if (!err && row->session_id)
		err = add_chat(conn, row, d);
	return err;
}

static int write_document(sqlite3 *conn, const struct recording_row *row, const struct document *d)
{
	int err = db_run(conn,
			 "INSERT INTO recording_search (rowid, room, title, tags, people, chat, "
			 "keys) VALUES (?, ?, ?, ?, ?, ?, ?)",
			 "itttttt", row->id, search_text_get(&d->room), search_text_get(&d->title),
			 search_text_get(&d->tags), search_text_get(&d->people),
			 search_text_get(&d->chat), search_text_get(&d->keys));

	/* not one of the columns that make a recording be indexed again */
	return err ? err : db_run(conn, "UPDATE recordings SET people = ? WHERE id = ?", "ti",
				  d->names, row->id);
}

static int index_one(sqlite3 *conn, int64_t id)
{
	struct recording_row row;
	struct document d = { 0 };
	int err = db_run(conn, "DELETE FROM recording_search WHERE rowid = ?", "i", id);

	if (!err)
		err = db_run(conn, "DELETE FROM recording_dirty WHERE id = ?", "i", id);
	if (!err)
		err = recording_read_one(conn, id, &row);
	if (err || row.parent_id) /* a track is found by what it belongs to */
		return err == -ENOENT ? 0 : err;
	err = make_document(conn, &row, &d);
	if (!err)
		err = write_document(conn, &row, &d);
	document_clear(&d);
	return err;
}

int recording_index_some(sqlite3 *conn, size_t limit, bool *done)
{
	int64_t id;
	int err = db_query_int(conn, &id, "SELECT id FROM recording_dirty LIMIT 1", "");
	size_t n = 0;

	*done = err == -ENOENT;
	if (err)
		return *done ? 0 : err;
	err = db_begin(conn);
	while (!err && n++ < limit) {
		err = index_one(conn, id);
		if (!err)
			err = db_query_int(conn, &id, "SELECT id FROM recording_dirty LIMIT 1", "");
	}
	*done = err == -ENOENT;
	return db_end(conn, *done ? 0 : err);
}
