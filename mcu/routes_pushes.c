/* Servers that a running room is sent to, for its owner, its hosts and administrators. */
#include <errno.h>

#include "mcu/pushes.h"
#include "mcu/routes_priv.h"

static json_t *push_json(const struct push_info *i)
{
	return json_pack("{s:I, s:s, s:s, s:s, s:I}", "id", (json_int_t)i->id,
			 "state", push_state_name(i->state), "to", i->to, "text", i->text,
			 "started_ms", (json_int_t)i->started_ms);
}

ON_THREAD(ROLE_CTL) static struct pushes *pushes_of(const struct wait *w, bool start)
{
	return conference_pushes(w->routes->cfg.conference, w->name, start);
}

static void add_push(void *obj, const struct push_info *i)
{
	json_array_append_new(obj, push_json(i));
}

ON_THREAD(ROLE_CTL) static void list(struct wait *w)
{
	struct pushes *p = pushes_of(w, false);
	json_t *all = json_array();

	if (p)
		pushes_each(p, add_push, all);
	wait_reply_json(w, 0, 200, json_pack("{s:o}", "pushes", all));
}

ON_THREAD(ROLE_CTL) static void start(struct wait *w)
{
	struct pushes *p = pushes_of(w, true);
	struct push_info i;
	struct errmsg why;
	int err;

	if (!p) {
		wait_refuse(w, 404, "room_unknown", "Nobody is in a room called \"%s\".", w->name);
		return;
	}
	err = pushes_start(p, json_string_value(json_object_get(w->body, "url")),
			   w->who.role == USER_ADMIN, &w->id, &why);
	if (err || pushes_get(p, w->id, &i)) {
		wait_refuse(w, err == -EINVAL ? 400 : err == -EACCES ? 403 : err == -EUSERS ? 409 : 500,
			    why.code, "%s", why.text);
		return;
	}
	wait_audit(w, "push_started", w->name, i.to);
	wait_reply_json(w, 0, 201, push_json(&i));
}

ON_THREAD(ROLE_CTL) static void show(struct wait *w)
{
	struct pushes *p = pushes_of(w, false);
	struct push_info i;

	if (p && !pushes_get(p, w->id, &i))
		wait_reply_json(w, 0, 200, push_json(&i));
	else
		wait_refuse(w, 404, "not_found", "The room is not sent there (any more).");
}

ON_THREAD(ROLE_CTL) static void stop(struct wait *w)
{
	struct pushes *p = pushes_of(w, false);
	struct push_info i;

	if (!p || pushes_get(p, w->id, &i)) {
		wait_refuse(w, 404, "not_found", "The room is not sent there (any more).");
		return;
	}
	wait_audit(w, "push_stopped", w->name, i.to);
	pushes_stop(p, w->id);
	wait_reply_nothing(w);
}

/* --- requests -------------------------------------------------------------------------- */

ON_THREAD(ROLE_CTL) static void begin(void *ctx, struct http_req *req, void (*next)(struct wait *w))
{
	const char *id = http_req_param(req, "push");
	struct wait *w = wait_new(ctx, req);

	if (!w || !wait_room_name(w))
		return;
	w->id = id ? g_ascii_strtoll(id, NULL, 10) : 0;
	wait_for_room_host(w, next);
}

static void get_pushes(void *ctx, struct http_req *req)
{
	role_assert_ctl();
	begin(ctx, req, list);
}

static void post_push(void *ctx, struct http_req *req)
{
	const char *ignored = NULL;
	const struct rest_field fields[] = {
		{ "url", REST_TEXT, true, 1, PUSH_URL_MAX, .text = &ignored },
	};
	struct wait *w;

	role_assert_ctl();
	w = wait_new(ctx, req);
	if (w && wait_room_name(w) && rest_read(w, fields, 1))
		wait_for_room_host(w, start);
}

static void get_push(void *ctx, struct http_req *req)
{
	role_assert_ctl();
	begin(ctx, req, show);
}

static void delete_push(void *ctx, struct http_req *req)
{
	role_assert_ctl();
	begin(ctx, req, stop);
}

int routes_pushes_new(struct routes *r, struct server *s)
{
	int err = server_route(s, "GET", "/api/v1/rooms/:room/pushes", get_pushes, r);

	if (!err)
		err = server_route(s, "POST", "/api/v1/rooms/:room/pushes", post_push, r);
	if (!err)
		err = server_route(s, "GET", "/api/v1/rooms/:room/pushes/:push", get_push, r);
	return err ? err : server_route(s, "DELETE", "/api/v1/rooms/:room/pushes/:push", delete_push, r);
}
