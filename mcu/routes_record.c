/* The recording of a running room: for its hosts and administrators. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "mcu/conference.h"
#include "mcu/routes_priv.h"

ON_THREAD(ROLE_CTL) static void show(struct wait *w)
{
	struct recording_info i;
	struct errmsg why;

	if (conference_recording(w->routes->cfg.conference, w->name, &i, &why)) {
		wait_refuse(w, 404, why.code, "%s", why.text);
		return;
	}
	wait_reply_json(w, 0, 200, json_pack("{s:s, s:s?, s:s?}", "state", recording_event_name(i.state),
					     "recording", i.id, "by", i.by));
}

ON_THREAD(ROLE_CTL) static void act(struct wait *w)
{
	static const char *const audit[] = {
		[RECORD_START] = "recording_started", [RECORD_STOP] = "recording_stopped",
		[RECORD_PAUSE] = "recording_paused", [RECORD_RESUME] = "recording_resumed",
	};
	enum record_action action = (enum record_action)w->id;
	struct errmsg why;
	int err = conference_record(w->routes->cfg.conference, w->name, action, w->who.name, &why);

	if (err) {
		wait_refuse(w, err == -ENOENT && !strcmp(why.code, "room_empty") ? 404 :
			    err == -ENOENT || err == -EBUSY || err == -EINVAL ? 409 : 500,
			    why.code, "%s", why.text);
		return;
	}
	wait_audit(w, audit[action], w->name, NULL);
	show(w);
}

static void get_recording(void *ctx, struct http_req *req)
{
	struct wait *w;

	role_assert_ctl();
	w = wait_new(ctx, req);
	if (w && wait_room_name(w))
		wait_for_room_host(w, show);
}

static void post_recording(void *ctx, struct http_req *req)
{
	const char *action = NULL;
	const struct rest_field field[] = {
		{ "action", REST_TEXT, true, 1, 16, .text = &action },
	};
	struct wait *w;

	role_assert_ctl();
	w = wait_new(ctx, req);
	if (!w || !wait_room_name(w) || !rest_read(w, field, 1))
		return;
	w->id = action ? (int64_t)record_action_parse(action) : 0;
	if (w->id)
		wait_for_room_host(w, act);
	else
		wait_refuse(w, 400, "bad_json", "The member \"action\" must be \"start\", \"stop\", "
			    "\"pause\" or \"resume\".");
}

int routes_record_new(struct routes *r, struct server *s)
{
	int err = server_route(s, "GET", "/api/v1/rooms/:room/recording", get_recording, r);

	return err ? err : server_route(s, "POST", "/api/v1/rooms/:room/recording", post_recording, r);
}
