/* The layout of a running room, for its owner, its hosts and administrators. */
#include <errno.h>

#include "mcu/routes_priv.h"
#include "signaling/layout_change.h"

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

ON_THREAD(ROLE_CTL) static void put(struct wait *w)
{
	struct layout_change c;
	struct errmsg why;
	int err;

	if (!read_body(w, &c))
		return;
	err = conference_set_layout(w->routes->cfg.conference, w->name, &c, &why);
	if (err)
		wait_refuse(w, err == -ENOENT ? 404 : 400, why.code, "%s", why.text);
	else
		wait_reply_nothing(w);
}

static void put_layout(void *ctx, struct http_req *req)
{
	struct wait *w;

	role_assert_ctl();
	w = wait_new(ctx, req);
	if (w && wait_room_name(w))
		wait_for_room_host(w, put);
}

int routes_layout_new(struct routes *r, struct server *s)
{
	return server_route(s, "PUT", "/api/v1/rooms/:room/layout", put_layout, r);
}
