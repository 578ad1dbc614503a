/* The layouts and views of a running room, for its owner, its hosts and
 * administrators. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/routes_priv.h"
#include "signaling/layout_change.h"
#include "signaling/protocol.h"

/* Reads the whole body before anything is asked of the registry. */
ON_THREAD(ROLE_CTL) static bool read_body(struct wait *w, struct layout_change *c)
{
	struct errmsg why;
	size_t len;
	const char *text = http_req_body(w->req, &len);

	if (!w->body)
		w->body = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	if (!json_is_object(w->body)) {
		wait_refuse(w, 400, "bad_json", "The body must be one JSON object.");
		return false;
	}
	if (!layout_change_parse(c, w->body, &why))
		return true;
	wait_refuse(w, 400, why.code, "%s", why.text);
	return false;
}

ON_THREAD(ROLE_CTL) static void reply(struct wait *w, int err, const struct errmsg *why)
{
	if (err)
		wait_refuse(w, err == -ENOENT ? 404 : err == -ENOSPC ? 409 : 400, why->code, "%s",
			    why->text);
	else
		wait_reply_nothing(w);
}

ON_THREAD(ROLE_CTL) static void put(struct wait *w)
{
	struct layout_change c;
	struct errmsg why;
	int err;

	if (!read_body(w, &c))
		return;
	err = conference_set_layout(w->routes->cfg.conference, w->name, &c, &why);
	reply(w, err, &why);
}

static void put_layout(void *ctx, struct http_req *req)
{
	struct wait *w;

	role_assert_ctl();
	w = wait_new(ctx, req);
	if (w && wait_room_name(w))
		wait_for_room_host(w, put);
}

/* --- views -------------------------------------------------------------------- */

ON_THREAD(ROLE_CTL) static const char *view_name(const struct wait *w)
{
	return http_req_param(w->req, "view");
}

/* "for" makes the view or gives it another rule; with the settings of a layout these are
 * set too. */
ON_THREAD(ROLE_CTL) static void put_one(struct wait *w)
{
	struct conference *conf = w->routes->cfg.conference;
	struct layout_change c;
	struct views_change v;
	struct errmsg why;
	json_t *rule;
	int err;

	if (!read_body(w, &c))
		return;
	rule = json_object_get(w->body, "for");
	if (rule && !json_is_string(rule)) {
		wait_refuse(w, 400, "bad_message", "The member \"for\" must be a string.");
		return;
	}
	c.view = view_name(w);
	v = (struct views_change){ .view = c.view, .rule = json_string_value(rule) };
	err = rule ? conference_change_views(conf, w->name, &v, &c, &why) :
		     conference_set_layout(conf, w->name, &c, &why);
	reply(w, err, &why);
}

ON_THREAD(ROLE_CTL) static void remove_one(struct wait *w)
{
	struct views_change v = { .view = view_name(w) };
	struct errmsg why;
	int err = conference_change_views(w->routes->cfg.conference, w->name, &v, NULL, &why);

	reply(w, err, &why);
}

struct view_list {
	json_t *list;
	const char *only; /* NULL: all */
};

/* As the event says it, and whom it is for. */
static void add_view(void *obj, const struct room_view_info *v, const struct layout_info *l)
{
	struct view_list *all = obj;
	char *text;
	json_t *o;

	if (all->only && strcmp(all->only, v->name))
		return;
	text = msg_layout(l);
	o = text ? json_loads(text, 0, NULL) : NULL;
	free(text);
	json_object_del(o, "type");
	json_object_set_new(o, "for", json_string(view_rule_name(v->rule)));
	json_object_set_new(o, "receivers", json_integer((json_int_t)v->receivers));
	json_object_set_new(o, "encoders", json_integer((json_int_t)v->encoders));
	json_array_append_new(all->list, o);
}

ON_THREAD(ROLE_CTL) static void show_some(struct wait *w, const char *only)
{
	struct view_list all = { json_array(), only };
	struct errmsg why;
	int err = conference_views(w->routes->cfg.conference, w->name, add_view, &all, &why);

	if (!err && only && !json_array_size(all.list))
		err = errmsg_set(&why, -ENOENT, "view_unknown", "The room has no such view.");
	if (err)
		reply(w, err, &why);
	else if (only)
		wait_reply_json(w, 0, 200, json_incref(json_array_get(all.list, 0)));
	else
		wait_reply_json(w, 0, 200, json_pack("{s:O}", "views", all.list));
	json_decref(all.list);
}

ON_THREAD(ROLE_CTL) static void show_all(struct wait *w)
{
	show_some(w, NULL);
}

ON_THREAD(ROLE_CTL) static void show_one(struct wait *w)
{
	show_some(w, view_name(w));
}

ON_THREAD(ROLE_CTL) static void ask(struct routes *r, struct http_req *req,
				    void (*then)(struct wait *w))
{
	struct wait *w = wait_new(r, req);

	if (w && wait_room_name(w))
		wait_for_room_host(w, then);
}

static void get_views(void *ctx, struct http_req *req)
{
	role_assert_ctl();
	ask(ctx, req, show_all);
}

static void get_view(void *ctx, struct http_req *req)
{
	role_assert_ctl();
	ask(ctx, req, show_one);
}

static void put_view(void *ctx, struct http_req *req)
{
	role_assert_ctl();
	ask(ctx, req, put_one);
}

static void delete_view(void *ctx, struct http_req *req)
{
	role_assert_ctl();
	ask(ctx, req, remove_one);
}

int routes_layout_new(struct routes *r, struct server *s)
{
	int err = server_route(s, "PUT", "/api/v1/rooms/:room/layout", put_layout, r);

	if (!err)
		err = server_route(s, "GET", "/api/v1/rooms/:room/views", get_views, r);
	if (!err)
		err = server_route(s, "GET", "/api/v1/rooms/:room/views/:view", get_view, r);
	if (!err)
		err = server_route(s, "PUT", "/api/v1/rooms/:room/views/:view", put_view, r);
	return err ? err : server_route(s, "DELETE", "/api/v1/rooms/:room/views/:view",
					delete_view, r);
}
