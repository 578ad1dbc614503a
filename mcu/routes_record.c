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
	json_t *j;

	if (conference_recording(w->routes->cfg.conference, w->name, &i, &why)) {
		wait_refuse(w, 404, why.code, "%s", why.text);
		return;
	}
	j = json_pack("{s:s, s:s?, s:s?}", "state", recording_event_name(i.state),
		      "recording", i.id, "by", i.by);
	if (j && (i.state == RECORDING_IS_ON || i.state == RECORDING_IS_PAUSED)) {
		json_object_set_new(j, "video", json_boolean(!i.sound_only));
		json_object_set_new(j, "tracks", json_boolean(i.tracks));
	}
	wait_reply_json(w, 0, 200, j);
}

ON_THREAD(ROLE_CTL) static void act(struct wait *w)
{
	static const char *const audit[] = {
		[RECORD_START] = "recording_started", [RECORD_STOP] = "recording_stopped",
		[RECORD_PAUSE] = "recording_paused", [RECORD_RESUME] = "recording_resumed",
	};
	struct errmsg why;
	int err = conference_record(w->routes->cfg.conference, w->name, &w->record, w->who.name,
				    &why);

	if (err) {
		wait_refuse(w, err == -ENOENT && !strcmp(why.code, "room_empty") ? 404 :
			    err == -ENOENT || err == -EBUSY || err == -EINVAL ||
			    err == -EPERM ? 409 : 500, why.code, "%s", why.text);
		return;
	}
	wait_audit(w, audit[w->record.action], w->name, NULL);
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

static enum tristate tristate(const struct wait *w, const char *member)
{
	const json_t *v = json_object_get(w->body, member);

	return json_is_boolean(v) ? json_is_true(v) ? TRISTATE_TRUE : TRISTATE_FALSE :
				    TRISTATE_UNSET;
}

/* False: answered and ended. */
ON_THREAD(ROLE_CTL) static bool read_wish(struct wait *w)
{
	const char *action = NULL, *container = NULL, *sound = NULL, *wrong = NULL;
	bool flag; /* read below, where it may be absent */
	const struct rest_field field[] = {
		{ "action", REST_TEXT, true, 1, 16, .text = &action },
		{ "video", REST_BOOL, .flag = &flag },
		{ "tracks", REST_BOOL, .flag = &flag },
		{ "container", REST_TEXT, false, 1, 16, .text = &container },
		{ "audio", REST_TEXT, false, 1, 16, .text = &sound },
	};
	struct record_wish *r = &w->record;

	if (!rest_read(w, field, sizeof field / sizeof *field))
		return false;
	r->action = action ? record_action_parse(action) : 0;
	r->video = tristate(w, "video");
	r->tracks = tristate(w, "tracks");
	r->container = container ? record_container_parse(container) : 0;
	r->sound = sound ? record_sound_parse(sound) : 0;
	if (!r->action)
		wrong = "\"action\" must be \"start\", \"stop\", \"pause\" or \"resume\"";
	else if (container && !r->container)
		wrong = "\"container\" must be \"mp4\" or \"mkv\"";
	else if (sound && !r->sound)
		wrong = "\"audio\" must be \"aac\" or \"opus\"";
	if (wrong)
		wait_refuse(w, 400, "bad_json", "The member %s.", wrong);
	return !wrong;
}

static void post_recording(void *ctx, struct http_req *req)
{
	struct wait *w;

	role_assert_ctl();
	w = wait_new(ctx, req);
	if (w && wait_room_name(w) && read_wish(w))
		wait_for_room_host(w, act);
}

int routes_record_new(struct routes *r, struct server *s)
{
	int err = server_route(s, "GET", "/api/v1/rooms/:room/recording", get_recording, r);

	return err ? err : server_route(s, "POST", "/api/v1/rooms/:room/recording", post_recording, r);
}
