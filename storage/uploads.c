#include "storage/uploads.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage/db_request.h"

#define COLUMNS "id, room, name, by, bytes, created_ms, duration_ms, width, height, pages, audio, " \
		"video, user_id"

/* After the room's name: whether it is the administrator who asks, and whose account. */
#define SEEN "(? OR user_id = ? OR " \
	"room_id = (SELECT r.id FROM rooms r WHERE r.name = uploads.room AND r.registered = 1))"

enum { LABEL_CHARACTERS = 100 };

struct upload_request {
	struct db_request base;
	upload_cb *cb;
	upload_list_cb *list_cb;
	upload_usage_cb *usage_cb;
	struct upload_usage usage;
	struct upload_row row;
	bool of_room, admin;
	int64_t before_ms;
	struct upload_row *rows;
	size_t n;
};

void upload_path(char out[UPLOAD_PATH_MAX + 1], int64_t id)
{
	snprintf(out, UPLOAD_PATH_MAX + 1, "uploads/%" PRId64, id);
}

/* Octets of the character at p; 0: it is none. Only those that show: no control and no
 * format characters. */
static size_t shown(const unsigned char *p)
{
	uint32_t c = *p;
	size_t n = c < 0x80 ? 1 : c >= 0xc2 && c < 0xe0 ? 2 : c >= 0xe0 && c < 0xf0 ? 3 :
		   c >= 0xf0 && c < 0xf5 ? 4 : 0;

	if (!n)
		return 0;
	c &= n == 1 ? 0x7f : n == 2 ? 0x1f : n == 3 ? 0x0f : 0x07;
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c || c == 0x180e ||
	    (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	    (c >= 0x2060 && c <= 0x206f) || (c >= 0xd800 && c < 0xf900) || c == 0xfeff ||
	    (c >= 0xfff0 && c <= 0xffff) || c >= 0xe0000 || (n == 3 && c < 0x800) ||
	    (n == 4 && c < 0x10000))
		return 0;
	return n;
}

void upload_label(char out[UPLOAD_NAME_MAX + 1], const char *name)
{
	const char *p = name;
	size_t n = 0, characters = 0;

	for (const char *q = name; *q; q++)
		if (*q == '/' || *q == '\\')
			p = q + 1;
	while (*p && characters < LABEL_CHARACTERS) {
		size_t k = shown((const unsigned char *)p);

		if (k > 1 || (k == 1 && (n || *p != ' '))) {
			if (n + k > UPLOAD_NAME_MAX)
				break;
			memcpy(out + n, p, k);
			n += k;
			characters++;
		}
		p += k ? k : 1;
	}
	while (n && out[n - 1] == ' ')
		n--;
	out[n] = 0;
	if (!n || !strcmp(out, ".") || !strcmp(out, ".."))
		snprintf(out, UPLOAD_NAME_MAX + 1, "file");
}

static void clear(struct db_request *base)
{
	free(((struct upload_request *)base)->rows);
}

static void reply(struct db_request *base)
{
	struct upload_request *r = (struct upload_request *)base;

	if (r->list_cb)
		r->list_cb(base->obj, base->err, r->rows, base->err ? 0 : r->n);
	else if (r->usage_cb)
		r->usage_cb(base->obj, base->err, base->err ? NULL : &r->usage);
	else if (r->cb)
		r->cb(base->obj, base->err, &r->row);
}

static void read_row(sqlite3_stmt *st, struct upload_row *row)
{
	row->id = sqlite3_column_int64(st, 0);
	db_column_text(st, 1, row->room, sizeof row->room);
	db_column_text(st, 2, row->name, sizeof row->name);
	db_column_text(st, 3, row->by, sizeof row->by);
	row->bytes = sqlite3_column_int64(st, 4);
	row->created_ms = sqlite3_column_int64(st, 5);
	row->duration_ms = sqlite3_column_int64(st, 6);
	row->width = sqlite3_column_int(st, 7);
	row->height = sqlite3_column_int(st, 8);
	row->pages = sqlite3_column_int(st, 9);
	row->audio = sqlite3_column_int(st, 10);
	row->video = sqlite3_column_int(st, 11);
	row->user_id = sqlite3_column_int64(st, 12);
}

static struct upload_request *request(const char *what, int (*run)(sqlite3 *, struct db_request *),
				      upload_cb *cb, void *obj)
{
	struct upload_request *r = db_request_new(sizeof *r);

	if (!r)
		return NULL;
	r->base = (struct db_request){ .what = what, .run = run, .reply = reply, .clear = clear,
				       .obj = obj };
	r->cb = cb;
	return r;
}

static int run_add(sqlite3 *conn, struct db_request *base)
{
	const struct upload_row *r = &((struct upload_request *)base)->row;

	return db_run(conn, "INSERT INTO uploads (" COLUMNS ", room_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, "
		      "?, ?, ?, (SELECT id FROM users WHERE id = ?), "
		      "(SELECT id FROM rooms WHERE name = ?2 AND registered = 1))",
		      "itttiiiiiiiii", r->id, r->room, r->name, r->by, r->bytes, r->created_ms,
		      r->duration_ms, (int64_t)r->width, (int64_t)r->height, (int64_t)r->pages,
		      (int64_t)r->audio, (int64_t)r->video, r->user_id);
}

int uploads_add(struct db *db, const struct upload_row *row, upload_cb *cb, void *obj)
{
	struct upload_request *r = request("add an upload", run_add, cb, obj);

	if (!r)
		return -ENOMEM;
	r->row = *row;
	return db_request_post(db, &r->base);
}

static int run_list(sqlite3 *conn, struct db_request *base)
{
	struct upload_request *r = (struct upload_request *)base;
	sqlite3_stmt *st = NULL;
	int rc = SQLITE_DONE, err;

	r->rows = calloc(UPLOAD_LIST_MAX, sizeof *r->rows);
	if (!r->rows)
		return -ENOMEM;
	err = r->of_room ? db_prepare(conn, &st, "SELECT " COLUMNS " FROM uploads WHERE room = ? "
				      "AND " SEEN " ORDER BY id DESC LIMIT ?", "tiii", r->row.room,
				      (int64_t)r->admin, r->row.user_id, (int64_t)UPLOAD_LIST_MAX) :
			   db_prepare(conn, &st, "SELECT " COLUMNS " FROM uploads WHERE created_ms < ? "
				      "ORDER BY id LIMIT ?", "ii", r->before_ms,
				      (int64_t)UPLOAD_LIST_MAX);
	if (err)
		return err;
	while (r->n < UPLOAD_LIST_MAX && (rc = sqlite3_step(st)) == SQLITE_ROW)
		read_row(st, &r->rows[r->n++]);
	err = db_errno(conn, rc);
	sqlite3_finalize(st);
	return err;
}

/* Takes r. */
static int post_view(struct db *db, struct upload_request *r, const struct upload_view *view)
{
	r->of_room = true;
	r->admin = view->admin;
	r->row.user_id = view->user_id;
	if (!db_copy_text(r->row.room, sizeof r->row.room, view->room)) {
		db_request_free(&r->base);
		return -EINVAL;
	}
	return db_request_post(db, &r->base);
}

int uploads_list(struct db *db, const struct upload_view *view, int64_t before_ms, upload_list_cb *cb,
		 void *obj)
{
	struct upload_request *r = request("list uploads", run_list, NULL, obj);

	if (!r)
		return -ENOMEM;
	r->list_cb = cb;
	r->before_ms = before_ms;
	return view ? post_view(db, r, view) : db_request_post(db, &r->base);
}

static int find(sqlite3 *conn, struct upload_row *row)
{
	sqlite3_stmt *st = NULL;
	int err = db_prepare(conn, &st, "SELECT " COLUMNS " FROM uploads WHERE id = ?", "i", row->id), rc;

	if (err)
		return err;
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		read_row(st, row);
	err = rc == SQLITE_DONE ? -ENOENT : db_errno(conn, rc);
	sqlite3_finalize(st);
	return err;
}

static int run_get(sqlite3 *conn, struct db_request *base)
{
	struct upload_request *r = (struct upload_request *)base;
	int64_t n = 0;
	int err = db_query_int(conn, &n, "SELECT count(*) FROM uploads WHERE id = ? AND (? OR (room = ? AND "
			       SEEN "))", "iitii", r->row.id, (int64_t)r->admin, r->row.room,
			       (int64_t)r->admin, r->row.user_id);

	return err ? err : n ? find(conn, &r->row) : -ENOENT;
}

static int run_remove(sqlite3 *conn, struct db_request *base)
{
	struct upload_row *row = &((struct upload_request *)base)->row;
	int err = find(conn, row);

	return err ? err : db_run(conn, "DELETE FROM uploads WHERE id = ?", "i", row->id);
}

int uploads_get(struct db *db, int64_t id, const struct upload_view *view, upload_cb *cb, void *obj)
{
	struct upload_request *r = request("read an upload", run_get, cb, obj);

	if (!r)
		return -ENOMEM;
	r->row.id = id;
	return post_view(db, r, view);
}

int uploads_remove(struct db *db, int64_t id, upload_cb *cb, void *obj)
{
	struct upload_request *r = request("remove an upload", run_remove, cb, obj);

	if (!r)
		return -ENOMEM;
	r->row.id = id;
	return db_request_post(db, &r->base);
}

static int run_usage(sqlite3 *conn, struct db_request *base)
{
	struct upload_request *r = (struct upload_request *)base;
	sqlite3_stmt *st = NULL;
	int err = db_prepare(conn, &st, "SELECT coalesce(sum(bytes), 0), coalesce(sum(bytes * (room = ?)), 0), "
			     "coalesce(sum(bytes * (user_id = ?)), 0) FROM uploads", "ti", r->row.room,
			     r->row.user_id), rc;

	if (err)
		return err;
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		r->usage = (struct upload_usage){ .all = sqlite3_column_int64(st, 0),
						  .of_room = sqlite3_column_int64(st, 1),
						  .of_user = sqlite3_column_int64(st, 2) };
	err = rc == SQLITE_ROW ? 0 : db_errno(conn, rc);
	sqlite3_finalize(st);
	return err;
}

int uploads_usage(struct db *db, const char *room, int64_t user_id, upload_usage_cb *cb, void *obj)
{
	struct upload_request *r = request("sum up uploads", run_usage, NULL, obj);

	if (!r)
		return -ENOMEM;
	r->usage_cb = cb;
	r->row.user_id = user_id;
	if (!db_copy_text(r->row.room, sizeof r->row.room, room)) {
		db_request_free(&r->base);
		return -EINVAL;
	}
	return db_request_post(db, &r->base);
}
