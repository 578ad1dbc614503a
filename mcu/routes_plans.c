/* Templates of rooms, for administrators to write and hosts to use; schedules of a room, for
 * its owner. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/agenda.h"
#include "mcu/routes_priv.h"
#include "signaling/protocol.h"
#include "storage/room_plans.h"

struct plan_ask {
	struct template_row template;
	struct schedule_row schedule;
};

/* NULL: answered and ended. */
ON_THREAD(ROLE_CTL) static struct plan_ask *ask_new(struct wait *w)
{
	w->plan = calloc(1, sizeof *w->plan);
	if (!w->plan)
		wait_reply_busy(w);
	return w->plan;
}

/* --- templates --------------------------------------------------------------- */

static json_t *template_json(const struct template_row *t)
{
	return json_pack("{s:s, s:s, s:o?}", "name", t->name, "pattern", t->pattern, "settings",
			 json_loads(t->settings, 0, NULL));
}

static void on_templates(void *obj, int err, const struct template_row *rows, size_t n)
{
	json_t *all = json_array();

	role_assert_ctl();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(all, template_json(&rows[i]));
	wait_reply_part(obj, err, "templates", all, "name", false);
}

ON_THREAD(ROLE_CTL) static void list_templates(struct wait *w)
{
	if (templates_list(w->routes->cfg.db, on_templates, w))
		wait_reply_busy(w);
}

static void get_templates(void *ctx, struct http_req *req)
{
	struct wait *w;

	role_assert_ctl();
	w = wait_new(ctx, req);
	if (w && rest_query_names(w))
		wait_for_account(w, USER_HOST, list_templates);
}

static void on_template_put(void *obj, int err)
{
	struct wait *w = obj;

	role_assert_ctl();
	if (err == -EUSERS) {
		wait_refuse(w, 409, "too_many", "There are %d templates. Delete some first.",
			    TEMPLATES_MAX);
		return;
	}
	if (err) {
		wait_reply_json(w, err, 0, NULL);
		return;
	}
	wait_audit(w, "template_changed", NULL, w->name);
	agenda_load(w->routes->cfg.agenda);
	wait_reply_json(w, 0, 200, template_json(&w->plan->template));
}

ON_THREAD(ROLE_CTL) static void write_template(struct wait *w)
{
	if (templates_put(w->routes->cfg.db, &w->plan->template, on_template_put, w))
		wait_reply_busy(w);
}

ON_THREAD(ROLE_CTL) static bool template_name(struct wait *w)
{
	const char *name = http_req_param(w->req, "name");

	if (protocol_room_name_valid(name)) {
		snprintf(w->name, sizeof w->name, "%s", name);
		return true;
	}
	wait_refuse(w, 400, "room_name_invalid", "A template's name has 1 to 64 letters, digits and "
		    ". _ - only.");
	return false;
}

static void put_template(void *ctx, struct http_req *req)
{
	struct errmsg why;
	struct wait *w;
	const char *text;
	size_t len;

	role_assert_ctl();
	text = http_req_body(req, &len);
	w = wait_new(ctx, req);
	if (!w || !template_name(w) || !ask_new(w))
		return;
	if (agenda_read_template(text, len, &w->plan->template, &why)) {
		wait_refuse(w, 400, "bad_json", "%s", why.text);
		return;
	}
	g_strlcpy(w->plan->template.name, w->name, sizeof w->plan->template.name);
	wait_for_account(w, USER_ADMIN, write_template);
}

static void on_template_gone(void *obj, int err)
{
	struct wait *w = obj;

	role_assert_ctl();
	if (err == -ENOENT) {
		wait_refuse(w, 404, "not_found", "There is no template called \"%s\".", w->name);
		return;
	}
	if (err) {
		wait_reply_json(w, err, 0, NULL);
		return;
	}
	wait_audit(w, "template_deleted", NULL, w->name);
	agenda_load(w->routes->cfg.agenda);
	wait_reply_nothing(w);
}

ON_THREAD(ROLE_CTL) static void drop_template(struct wait *w)
{
	if (templates_delete(w->routes->cfg.db, w->name, on_template_gone, w))
		wait_reply_busy(w);
}

static void delete_template(void *ctx, struct http_req *req)
{
	struct wait *w;

	role_assert_ctl();
	w = wait_new(ctx, req);
	if (w && template_name(w))
		wait_for_account(w, USER_ADMIN, drop_template);
}

/* --- schedules --------------------------------------------------------------- */

static json_t *schedule_json(const struct schedule_row *s)
{
	int64_t now = clock_wall_ns() / NS_PER_MS;
	json_t *weekdays = json_array(), *next = json_null();
	struct schedule_slot slot;
	struct schedule when;
	struct zone *zone;
	char id[24], start[16];
	bool runs = false;

	for (int i = 0; i < 7; i++)
		if (s->weekdays >> i & 1)
			json_array_append_new(weekdays, json_string(schedule_weekday_name(i)));
	if (s->enabled && agenda_compile(&when, &zone, s)) {
		runs = schedule_at(&when, now, &slot);
		if (schedule_next(&when, now, &slot))
			next = json_integer(slot.from_ms);
		zone_free(&zone);
	}
	snprintf(id, sizeof id, "%" PRId64, s->id);
	snprintf(start, sizeof start, "%02d:%02d", s->start_minute / 60, s->start_minute % 60);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:s, s:s?, s:s, s:i, s:b, s:b, s:o}",
			 "id", id, "room", s->room, "title", s->title, "action",
			 s->record ? "record" : "open", "zone", s->zone, "repeat", s->repeat,
			 "weekdays", weekdays, "from", s->first_day, "to",
			 s->last_day[0] ? s->last_day : NULL, "start", start, "minutes", s->minutes,
			 "enabled", s->enabled, "now", runs, "next_ms", next);
}

static void on_schedules(void *obj, int err, const struct schedule_row *rows, size_t n)
{
	struct wait *w = obj;
	json_t *all = json_array();

	role_assert_ctl();
	for (size_t i = 0; i < n; i++)
		if (!w->name[0] || !strcmp(rows[i].room, w->name))
			json_array_append_new(all, schedule_json(&rows[i]));
	wait_reply_part(w, err, "schedules", all, "id", false);
}

ON_THREAD(ROLE_CTL) static void list_schedules(struct wait *w)
{
	if (schedules_list(w->routes->cfg.db, on_schedules, w))
		wait_reply_busy(w);
}

ON_THREAD(ROLE_CTL) static bool read_page(struct wait *w)
{
	w->calls.max = REST_PAGE_MAX;
	return rest_query_page(w, "after", &w->calls.before, &w->calls.max, REST_PAGE_MAX);
}

static void get_schedules(void *ctx, struct http_req *req)
{
	struct wait *w;

	role_assert_ctl();
	w = wait_new(ctx, req);
	if (w && read_page(w))
		wait_for_account(w, USER_ADMIN, list_schedules);
}

static void get_room_schedules(void *ctx, struct http_req *req)
{
	struct wait *w;

	role_assert_ctl();
	w = wait_new(ctx, req);
	if (w && wait_room_name(w) && read_page(w))
		wait_for_own_room(w, list_schedules);
}

/* w->id: of the one that was written anew; 0: it is a new one. */
static void on_scheduled(void *obj, int err)
{
	struct wait *w = obj;

	role_assert_ctl();
	if (err == -ENOENT) {
		wait_refuse(w, 404, "not_found", "This room has no such schedule.");
		return;
	}
	if (err == -EUSERS) {
		wait_refuse(w, 409, "too_many", "A room has %d schedules at most, and all rooms %d. Delete "
			    "some first.", SCHEDULES_OF_ROOM, SCHEDULES_MAX);
		return;
	}
	if (err) {
		wait_reply_json(w, err, 0, NULL);
		return;
	}
	wait_audit(w, w->id ? "schedule_changed" : "schedule_made", w->name,
		   w->plan->schedule.record ? "record" : "open");
	agenda_load(w->routes->cfg.agenda);
	wait_reply_json(w, 0, w->id ? 200 : 201, schedule_json(&w->plan->schedule));
}

ON_THREAD(ROLE_CTL) static void add_schedule(struct wait *w)
{
	struct schedule_row *s = &w->plan->schedule;

	s->id = db_new_id();
	s->made_by = w->who.id;
	memcpy(s->room, w->name, sizeof s->room);
	if (schedules_add(w->routes->cfg.db, s, on_scheduled, w))
		wait_reply_busy(w);
}

ON_THREAD(ROLE_CTL) static void change_schedule(struct wait *w)
{
	struct schedule_row *s = &w->plan->schedule;

	s->id = w->id;
	memcpy(s->room, w->name, sizeof s->room);
	if (schedules_change(w->routes->cfg.db, s, on_scheduled, w))
		wait_reply_busy(w);
}

static void write_schedule(void *ctx, struct http_req *req, bool anew)
{
	struct errmsg why;
	struct wait *w;
	const char *text;
	size_t len;

	role_assert_ctl();
	text = http_req_body(req, &len);
	w = wait_new(ctx, req);
	if (!w || !wait_room_name(w) || (anew && !rest_path_id(w, "id", &w->id)) || !ask_new(w))
		return;
	if (agenda_read_schedule(text, len, &w->plan->schedule, &why)) {
		wait_refuse(w, 400, "bad_json", "%s", why.text);
		return;
	}
	wait_for_own_room(w, anew ? change_schedule : add_schedule);
}

static void post_schedule(void *ctx, struct http_req *req)
{
	role_assert_ctl();
	write_schedule(ctx, req, false);
}

static void put_schedule(void *ctx, struct http_req *req)
{
	role_assert_ctl();
	write_schedule(ctx, req, true);
}

static void on_schedule_gone(void *obj, int err)
{
	struct wait *w = obj;

	role_assert_ctl();
	if (err == -ENOENT) {
		wait_refuse(w, 404, "not_found", "This room has no such schedule.");
		return;
	}
	if (err) {
		wait_reply_json(w, err, 0, NULL);
		return;
	}
	wait_audit(w, "schedule_deleted", w->name, NULL);
	agenda_load(w->routes->cfg.agenda);
	wait_reply_nothing(w);
}

ON_THREAD(ROLE_CTL) static void drop_schedule(struct wait *w)
{
	if (schedules_delete(w->routes->cfg.db, w->name, w->id, on_schedule_gone, w))
		wait_reply_busy(w);
}

static void delete_schedule(void *ctx, struct http_req *req)
{
	struct wait *w;

	role_assert_ctl();
	w = wait_new(ctx, req);
	if (w && wait_room_name(w) && rest_path_id(w, "id", &w->id))
		wait_for_own_room(w, drop_schedule);
}

int routes_plans_new(struct routes *r, struct server *s)
{
	int err = server_route(s, "GET", "/api/v1/templates", get_templates, r);

	if (!err)
		err = server_route(s, "PUT", "/api/v1/templates/:name", put_template, r);
	if (!err)
		err = server_route(s, "DELETE", "/api/v1/templates/:name", delete_template, r);
	if (!err)
		err = server_route(s, "GET", "/api/v1/schedules", get_schedules, r);
	if (!err)
		err = server_route(s, "GET", "/api/v1/rooms/:room/schedules", get_room_schedules, r);
	if (!err)
		err = server_route(s, "POST", "/api/v1/rooms/:room/schedules", post_schedule, r);
	if (!err)
		err = server_route(s, "PUT", "/api/v1/rooms/:room/schedules/:id", put_schedule, r);
	return err ? err : server_route(s, "DELETE", "/api/v1/rooms/:room/schedules/:id",
					delete_schedule, r);
}
