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
	bool set_title;
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

static int find(sqlite3 *conn, struct db_request *base)
{
	struct room_request *r = (struct room_request *)base;
	sqlite3_stmt *st = NULL;
	int err = db_prepare(conn, &st,
			     "SELECT id, name, title, settings, created_ms FROM rooms "
			     "WHERE name = ?", "t", r->name);

	if (err)
		return err;
	int rc = sqlite3_step(st);

	if (rc == SQLITE_ROW) {
		const char *settings = (const char *)sqlite3_column_text(st, 3);

		r->row.id = sqlite3_column_int64(st, 0);
		db_column_text(st, 1, r->row.name, sizeof(r->row.name));
		db_column_text(st, 2, r->row.title, sizeof(r->row.title));
		r->row_settings = strdup(settings ? settings : "{}");
		r->row.created_ms = sqlite3_column_int64(st, 4);
		err = r->row_settings ? 0 : -ENOMEM;
	} else {
		err = rc == SQLITE_DONE ? -ENOENT : db_errno(conn, rc);
	}
	sqlite3_finalize(st);
	return err;
}

static int upsert(sqlite3 *conn, struct db_request *base)
{
	struct room_request *r = (struct room_request *)base;
	const char *title = r->set_title ? r->title : NULL;
	int err = db_run(conn,
			 "INSERT INTO rooms (name, title, settings, created_ms) "
			 "VALUES (?1, coalesce(?2, ''), coalesce(?3, '{}'), ?4) "
			 "ON CONFLICT (name) DO UPDATE SET title = coalesce(?2, title), "
			 "settings = coalesce(?3, settings)",
			 "ttti", r->name, title, r->settings, clock_wall_ns() / NS_PER_MS);

	return err ? err : find(conn, base);
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
