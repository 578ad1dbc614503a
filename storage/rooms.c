#include "storage/rooms.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/base/clock.h"
#include "storage/db_request.h"

struct room_request {
	struct db_request base;
	room_cb *cb;
	char name[DB_NAME_MAX + 1], title[DB_NAME_MAX + 1];
	bool set_title, by_number;
	char *settings; /* NULL: leave */
	struct room_row row;
	char *row_settings;
};

static void clear(struct db_request *base)
{
	struct room_request *r = (struct room_request *)base;

	free(r->settings);
	free(r->row_settings);
}

static void reply(struct db_request *base)
{
	struct room_request *r = (struct room_request *)base;

	r->row.settings_json = r->row_settings;
	r->cb(base->obj, base->err, base->err ? NULL : &r->row);
}

#define ROOM_COLUMNS                                                                       \
	"r.id, r.name, r.title, r.settings, r.created_ms, r.registered, r.owner_id, "       \
	"coalesce(u.name, ''), r.members_only, r.lobby, r.locked, r.unmute, r.stereo, "     \
	"r.max_participants, CASE WHEN r.auto_record THEN 'auto' ELSE r.record END, "             \
	"r.guest_pin, r.host_pin, r.number, r.auto_people "                                  \
	"FROM rooms r LEFT JOIN users u ON u.id = r.owner_id "

static void read_row(sqlite3_stmt *st, struct room_row *row)
{
	struct room_rules *u = &row->rules;

	row->id = sqlite3_column_int64(st, 0);
	db_column_text(st, 1, row->name, sizeof(row->name));
	db_column_text(st, 2, row->title, sizeof(row->title));
	row->created_ms = sqlite3_column_int64(st, 4);
	row->registered = sqlite3_column_int(st, 5) != 0;
	row->owner_id = sqlite3_column_int64(st, 6);
	db_column_text(st, 7, row->owner, sizeof(row->owner));
	u->members_only = sqlite3_column_int(st, 8) != 0;
	u->lobby = sqlite3_column_int(st, 9) != 0;
	u->locked = sqlite3_column_int(st, 10) != 0;
	u->unmute = sqlite3_column_int(st, 11) != 0;
	u->stereo = sqlite3_column_int(st, 12) != 0;
	u->max_participants = sqlite3_column_int(st, 13);
	db_column_text(st, 14, u->record, sizeof(u->record));
	db_column_text(st, 15, u->guest_pin, sizeof(u->guest_pin));
	db_column_text(st, 16, u->host_pin, sizeof(u->host_pin));
	db_column_text(st, 17, row->number, sizeof(row->number));
	u->auto_people = sqlite3_column_int(st, 18);
}

static int find(sqlite3 *conn, struct db_request *base)
{
	struct room_request *r = (struct room_request *)base;
	sqlite3_stmt *st = NULL;
	const char *sql = r->by_number ? "SELECT " ROOM_COLUMNS "WHERE r.number = ? AND r.registered" :
					 "SELECT " ROOM_COLUMNS "WHERE r.name = ?";
	int err = db_take(conn, &st, sql, "t", r->name);

	if (err)
		return err;
	int rc = sqlite3_step(st);

	if (rc == SQLITE_ROW) {
		const char *settings = (const char *)sqlite3_column_text(st, 3);

		read_row(st, &r->row);
		free(r->row_settings);
		r->row_settings = strdup(settings ? settings : "{}");
		err = r->row_settings ? 0 : -ENOMEM;
	} else {
		err = rc == SQLITE_DONE ? -ENOENT : db_errno(conn, rc);
	}
	db_give_back(st);
	return err;
}

static int upsert(sqlite3 *conn, struct db_request *base)
{
	struct room_request *r = (struct room_request *)base;
	const char *title = r->set_title ? r->title : NULL;
	int err = db_run(conn,
			 "INSERT INTO rooms (name, title, settings, created_ms, registered) "
			 "VALUES (?1, coalesce(?2, ''), coalesce(?3, '{}'), ?4, 1) "
			 "ON CONFLICT (name) DO UPDATE SET title = coalesce(?2, title), "
			 "settings = coalesce(?3, settings), registered = 1",
			 "ttti", r->name, title, r->settings, clock_wall_ns() / NS_PER_MS);

	return err ? err : find(conn, base);
}

static int run_write(sqlite3 *conn, struct db_request *base)
{
	struct room_request *r = (struct room_request *)base;
	const struct room_rules *u = &r->row.rules;
	bool automatic = !strcmp(u->record, "auto");
	int err = db_run(conn,
			 "INSERT INTO rooms (name, created_ms) VALUES (?, ?) "
			 "ON CONFLICT (name) DO NOTHING", "ti", r->name,
			 clock_wall_ns() / NS_PER_MS);

	if (!err)
		err = db_run(conn,
			     "UPDATE rooms SET registered = 1, title = ?, owner_id = ?, "
			     "members_only = ?, lobby = ?, locked = ?, unmute = ?, stereo = ?, "
			     "max_participants = ?, record = ?, auto_record = ?, auto_people = ?, "
			     "guest_pin = ?, host_pin = ?, number = ? WHERE name = ?",
			     "tniiiiiitiitttt", r->title, r->row.owner_id, (int64_t)u->members_only,
			     (int64_t)u->lobby, (int64_t)u->locked, (int64_t)u->unmute,
			     (int64_t)u->stereo, (int64_t)u->max_participants,
			     automatic ? "hosts" : u->record, (int64_t)automatic,
			     (int64_t)u->auto_people, u->guest_pin, u->host_pin, r->row.number, r->name);
	return err ? err : find(conn, base);
}

static int run_forget(sqlite3 *conn, struct db_request *base)
{
	struct room_request *r = (struct room_request *)base;
	int err = find(conn, base);

	if (!err && !r->row.registered)
		err = -ENOENT;
	if (err)
		return err;
	err = db_begin(conn);
	if (!err)
		err = db_run(conn, "DELETE FROM invitations WHERE room_id = ?", "i", r->row.id);
	if (!err) /* the name is not shut by times that nobody could change any more */
		err = db_run(conn, "DELETE FROM room_schedules WHERE room = ?", "t", r->row.name);
	if (!err) /* whoever has the name next does not have its files */
		err = db_run(conn, "UPDATE uploads SET room_id = NULL WHERE room_id = ?", "i", r->row.id);
	if (!err)
		err = db_run(conn,
			     "UPDATE rooms SET registered = 0, title = '', settings = '{}', "
			     "owner_id = NULL, members_only = 0, lobby = 0, locked = 0, unmute = 1, "
			     "stereo = 0, max_participants = 0, record = '', auto_record = 0, "
			     "auto_people = 0, guest_pin = '', host_pin = '', number = '' WHERE id = ?", "i", r->row.id);
	return db_end(conn, err);
}

static int post(struct db *db, struct room_request *r, const char *name, const char *title,
		const char *settings_json, room_cb *cb, void *obj)
{
	if (!r)
		return -ENOMEM;
	r->base.clear = clear;
	r->base.reply = cb ? reply : NULL;
	r->base.obj = obj;
	r->cb = cb;
	r->set_title = title != NULL;
	if (!name[0] || !db_copy_text(r->name, sizeof(r->name), name) ||
	    !db_copy_text(r->title, sizeof(r->title), title) ||
	    (settings_json && strlen(settings_json) > DB_SETTINGS_MAX)) {
		db_request_free(&r->base);
		return -EINVAL;
	}
	if (settings_json && !(r->settings = strdup(settings_json))) {
		db_request_free(&r->base);
		return -ENOMEM;
	}
	return db_request_post(db, &r->base);
}

int rooms_upsert(struct db *db, const char *name, const char *title, const char *settings_json,
		 room_cb *cb, void *obj)
{
	struct room_request *r = db_request_new(sizeof(*r));

	if (r) {
		r->base.what = "write a room";
		r->base.run = upsert;
	}
	return post(db, r, name, title, settings_json, cb, obj);
}

int rooms_find(struct db *db, const char *name, room_cb *cb, void *obj)
{
	struct room_request *r = db_request_new(sizeof(*r));

	if (r) {
		r->base.what = "find a room";
		r->base.run = find;
	}
	return post(db, r, name, NULL, NULL, cb, obj);
}

int rooms_find_number(struct db *db, const char *number, room_cb *cb, void *obj)
{
	struct room_request *r = db_request_new(sizeof(*r));

	if (r) {
		r->base.what = "find a room by its number";
		r->base.run = find;
		r->by_number = true;
	}
	return post(db, r, number, NULL, NULL, cb, obj);
}

int rooms_write(struct db *db, const struct room_row *row, room_cb *cb, void *obj)
{
	struct room_request *r = db_request_new(sizeof(*r));

	if (r) {
		r->base.what = "write a room";
		r->base.run = run_write;
		r->row = *row;
	}
	return post(db, r, row->name, row->title, NULL, cb, obj);
}

int rooms_forget(struct db *db, const char *name, room_cb *cb, void *obj)
{
	struct room_request *r = db_request_new(sizeof(*r));

	if (r) {
		r->base.what = "forget a room";
		r->base.run = run_forget;
	}
	return post(db, r, name, NULL, NULL, cb, obj);
}

/* --- lists ------------------------------------------------------------------- */

struct list_request {
	struct db_request base;
	char after[DB_NAME_MAX + 1];
	size_t max;
	room_list_cb *cb;
	int64_t owner_id;
	struct room_row *rows;
	size_t n;
};

static void clear_list(struct db_request *base)
{
	free(((struct list_request *)base)->rows);
}

static void reply_list(struct db_request *base)
{
	struct list_request *r = (struct list_request *)base;

	r->cb(base->obj, base->err, r->rows, base->err ? 0 : r->n);
}

static int run_list(sqlite3 *conn, struct db_request *base)
{
	struct list_request *r = (struct list_request *)base;
	sqlite3_stmt *st = NULL;
	int rc, err = db_take(conn, &st,
				 "SELECT " ROOM_COLUMNS "WHERE r.registered = 1 AND "
				 "(?1 IS NULL OR r.owner_id = ?1) AND r.name > ?2 "
			      "ORDER BY r.name LIMIT ?3", "nti", r->owner_id, r->after,
			      (int64_t)r->max);

	if (err)
		return err;
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		struct room_row *rows = realloc(r->rows, (r->n + 1) * sizeof(*rows));

		if (!rows) {
			rc = SQLITE_NOMEM;
			break;
		}
		r->rows = rows;
		r->rows[r->n] = (struct room_row){ .settings_json = "" };
		read_row(st, &r->rows[r->n++]);
	}
	err = rc == SQLITE_NOMEM ? -ENOMEM : db_errno(conn, rc);
	db_give_back(st);
	return err;
}

int rooms_list(struct db *db, int64_t owner_id, const char *after, size_t max, room_list_cb *cb,
	       void *obj)
{
	struct list_request *r = db_request_new(sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->base = (struct db_request){ .what = "list rooms", .run = run_list, .reply = reply_list,
				       .clear = clear_list, .obj = obj };
	r->max = max;
	if (!db_copy_text(r->after, sizeof(r->after), after)) {
		db_request_free(&r->base);
		return -EINVAL;
	}
	r->cb = cb;
	r->owner_id = owner_id;
	return db_request_post(db, &r->base);
}
