#include "storage/room_plans.h"

#include <errno.h>
#include <stdlib.h>

#include "mcu/base/clock.h"
#include "storage/db_request.h"

struct plan_request {
	struct db_request base;
	plan_cb *cb;
	template_list_cb *templates_cb;
	schedule_list_cb *schedules_cb;
	struct template_row template;
	struct schedule_row schedule;
	struct template_row *templates;
	struct schedule_row *schedules;
	size_t n;
};

static void clear(struct db_request *base)
{
	free(((struct plan_request *)base)->templates);
	free(((struct plan_request *)base)->schedules);
}

static void reply(struct db_request *base)
{
	struct plan_request *r = (struct plan_request *)base;
	size_t n = base->err ? 0 : r->n;

	if (r->templates_cb)
		r->templates_cb(base->obj, base->err, r->templates, n);
	else if (r->schedules_cb)
		r->schedules_cb(base->obj, base->err, r->schedules, n);
	else
		r->cb(base->obj, base->err);
}

static int must_have_changed(sqlite3 *conn, int err)
{
	return err ? err : sqlite3_changes(conn) ? 0 : -ENOENT;
}

/* --- templates --------------------------------------------------------------- */

static int run_put_template(sqlite3 *conn, struct db_request *base)
{
	const struct template_row *t = &((struct plan_request *)base)->template;
	int64_t n = 0;
	int err = db_query_int(conn, &n, "SELECT count(*) FROM room_templates WHERE name <> ?", "t",
			       t->name);

	if (!err && n >= TEMPLATES_MAX)
		err = -EUSERS;
	return err ? err : db_run(conn,
				  "INSERT INTO room_templates (name, pattern, settings, created_ms) "
				  "VALUES (?1, ?2, ?3, ?4) ON CONFLICT (name) DO UPDATE SET "
				  "pattern = ?2, settings = ?3", "ttti", t->name, t->pattern,
				  t->settings, clock_wall_ns() / NS_PER_MS);
}

static int run_delete_template(sqlite3 *conn, struct db_request *base)
{
	const struct template_row *t = &((struct plan_request *)base)->template;

	return must_have_changed(conn, db_run(conn, "DELETE FROM room_templates WHERE name = ?", "t",
					      t->name));
}

static int run_list_templates(sqlite3 *conn, struct db_request *base)
{
	struct plan_request *r = (struct plan_request *)base;
	sqlite3_stmt *st = NULL;
	int rc, err;

	r->templates = calloc(TEMPLATES_MAX, sizeof *r->templates);
	if (!r->templates)
		return -ENOMEM;
	err = db_prepare(conn, &st,
			 "SELECT name, pattern, settings FROM room_templates ORDER BY name LIMIT ?", "i",
			 (int64_t)TEMPLATES_MAX);
	if (err)
		return err;
	while ((rc = sqlite3_step(st)) == SQLITE_ROW && r->n < TEMPLATES_MAX) {
		struct template_row *t = &r->templates[r->n++];

		db_column_text(st, 0, t->name, sizeof t->name);
		db_column_text(st, 1, t->pattern, sizeof t->pattern);
		db_column_text(st, 2, t->settings, sizeof t->settings);
	}
	err = db_errno(conn, rc);
	sqlite3_finalize(st);
	return err;
}

/* --- schedules --------------------------------------------------------------- */

static int run_add_schedule(sqlite3 *conn, struct db_request *base)
{
	const struct schedule_row *s = &((struct plan_request *)base)->schedule;
	int64_t all = 0, own = 0;
	int err = db_query_int(conn, &all, "SELECT count(*) FROM room_schedules", "");

	if (!err)
		err = db_query_int(conn, &own, "SELECT count(*) FROM room_schedules WHERE room = ?", "t",
				   s->room);
	if (!err && (all >= SCHEDULES_MAX || own >= SCHEDULES_OF_ROOM))
		err = -EUSERS;
	return err ? err : db_run(conn,
				  "INSERT INTO room_schedules (id, room, title, action, zone, repeat, "
				  "weekdays, first_day, last_day, start_minute, minutes, enabled, made_by, "
				  "created_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
				  "itttttittiiini", s->id, s->room, s->title,
				  s->record ? "record" : "open", s->zone, s->repeat,
				  (int64_t)s->weekdays, s->first_day, s->last_day,
				  (int64_t)s->start_minute, (int64_t)s->minutes, (int64_t)s->enabled,
				  s->made_by, clock_wall_ns() / NS_PER_MS);
}

static int run_change_schedule(sqlite3 *conn, struct db_request *base)
{
	const struct schedule_row *s = &((struct plan_request *)base)->schedule;

	return must_have_changed(conn, db_run(conn,
					      "UPDATE room_schedules SET title = ?, action = ?, zone = ?, "
					      "repeat = ?, weekdays = ?, first_day = ?, last_day = ?, "
					      "start_minute = ?, minutes = ?, enabled = ? "
					      "WHERE id = ? AND room = ?",
					      "ttttittiiiit", s->title, s->record ? "record" : "open",
					      s->zone, s->repeat, (int64_t)s->weekdays, s->first_day,
					      s->last_day, (int64_t)s->start_minute, (int64_t)s->minutes,
					      (int64_t)s->enabled, s->id, s->room));
}

static int run_delete_schedule(sqlite3 *conn, struct db_request *base)
{
	const struct schedule_row *s = &((struct plan_request *)base)->schedule;

	return must_have_changed(conn, db_run(conn,
					      "DELETE FROM room_schedules WHERE id = ? AND room = ?", "it",
					      s->id, s->room));
}

static void read_schedule(sqlite3_stmt *st, struct schedule_row *s)
{
	char action[8];

	s->id = sqlite3_column_int64(st, 0);
	db_column_text(st, 1, s->room, sizeof s->room);
	db_column_text(st, 2, s->title, sizeof s->title);
	db_column_text(st, 3, action, sizeof action);
	s->record = action[0] == 'r';
	db_column_text(st, 4, s->zone, sizeof s->zone);
	db_column_text(st, 5, s->repeat, sizeof s->repeat);
	s->weekdays = (unsigned)sqlite3_column_int(st, 6);
	db_column_text(st, 7, s->first_day, sizeof s->first_day);
	db_column_text(st, 8, s->last_day, sizeof s->last_day);
	s->start_minute = sqlite3_column_int(st, 9);
	s->minutes = sqlite3_column_int(st, 10);
	s->enabled = sqlite3_column_int(st, 11) != 0;
	s->made_by = sqlite3_column_int64(st, 12);
}

static int run_list_schedules(sqlite3 *conn, struct db_request *base)
{
	struct plan_request *r = (struct plan_request *)base;
	sqlite3_stmt *st = NULL;
	int rc, err;

	r->schedules = calloc(SCHEDULES_MAX, sizeof *r->schedules);
	if (!r->schedules)
		return -ENOMEM;
	err = db_prepare(conn, &st,
			 "SELECT id, room, title, action, zone, repeat, weekdays, first_day, last_day, "
			 "start_minute, minutes, enabled, made_by FROM room_schedules ORDER BY id LIMIT ?",
			 "i", (int64_t)SCHEDULES_MAX);
	if (err)
		return err;
	while ((rc = sqlite3_step(st)) == SQLITE_ROW && r->n < SCHEDULES_MAX)
		read_schedule(st, &r->schedules[r->n++]);
	err = db_errno(conn, rc);
	sqlite3_finalize(st);
	return err;
}

/* --- requests ---------------------------------------------------------------- */

static int post(struct db *db, const struct plan_request *args)
{
	struct plan_request *r = db_request_new(sizeof *r);

	if (!r)
		return -ENOMEM;
	*r = *args;
	r->base.clear = clear;
	r->base.reply = reply;
	return db_request_post(db, &r->base);
}

int templates_put(struct db *db, const struct template_row *row, plan_cb *cb, void *obj)
{
	struct plan_request r = { .base = { .what = "write a template", .run = run_put_template,
					    .obj = obj }, .cb = cb, .template = *row };

	return post(db, &r);
}

int templates_delete(struct db *db, const char *name, plan_cb *cb, void *obj)
{
	struct plan_request r = { .base = { .what = "delete a template", .run = run_delete_template,
					    .obj = obj }, .cb = cb };

	return db_copy_text(r.template.name, sizeof r.template.name, name) ? post(db, &r) : -EINVAL;
}

int templates_list(struct db *db, template_list_cb *cb, void *obj)
{
	struct plan_request r = { .base = { .what = "list templates", .run = run_list_templates,
					    .obj = obj }, .templates_cb = cb };

	return post(db, &r);
}

int schedules_add(struct db *db, const struct schedule_row *row, plan_cb *cb, void *obj)
{
	struct plan_request r = { .base = { .what = "write a schedule", .run = run_add_schedule,
					    .obj = obj }, .cb = cb, .schedule = *row };

	return post(db, &r);
}

int schedules_change(struct db *db, const struct schedule_row *row, plan_cb *cb, void *obj)
{
	struct plan_request r = { .base = { .what = "change a schedule", .run = run_change_schedule,
					    .obj = obj }, .cb = cb, .schedule = *row };

	return post(db, &r);
}

int schedules_delete(struct db *db, const char *room, int64_t id, plan_cb *cb, void *obj)
{
	struct plan_request r = { .base = { .what = "delete a schedule", .run = run_delete_schedule,
					    .obj = obj }, .cb = cb, .schedule.id = id };

	return db_copy_text(r.schedule.room, sizeof r.schedule.room, room) ? post(db, &r) : -EINVAL;
}

int schedules_list(struct db *db, schedule_list_cb *cb, void *obj)
{
	struct plan_request r = { .base = { .what = "list schedules", .run = run_list_schedules,
					    .obj = obj }, .schedules_cb = cb };

	return post(db, &r);
}
