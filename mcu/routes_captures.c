/* Captures of a participant's packets, for administrators (capture.h). */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "mcu/capture.h"
#include "mcu/routes_priv.h"

enum { DEFAULT_SECONDS = 60 };

static json_t *capture_json(const struct capture_info *i)
{
	char url[64];

	snprintf(url, sizeof url, "/api/v1/captures/%" PRIu32, i->id);
	return json_pack("{s:I, s:s, s:I, s:s, s:I, s:b, s:I, s:I, s:I, s:s?, s:s}",
			 "id", (json_int_t)i->id, "room", i->room, "leg", (json_int_t)i->leg,
			 "name", i->name, "started_ms", (json_int_t)i->started_ms,
			 "running", i->running, "bytes", (json_int_t)i->bytes,
			 "packets", (json_int_t)i->packets, "dropped", (json_int_t)i->dropped,
			 "error", i->err ? err_str(i->err) : NULL, "url", url);
}

ON_THREAD(ROLE_CTL) static void start(struct wait *w)
{
	struct captures *c = w->routes->cfg.captures;
	struct leg *l = conference_leg(w->routes->cfg.conference, w->name, (uint32_t)w->id);
	struct capture_info i;
	struct errmsg why;
	uint32_t id;
	int err;

	role_assert_ctl();
	if (!l) {
		wait_refuse(w, 404, "not_found", "There is no participant %" PRId64 " in room \"%s\".",
			    w->id, w->name);
		return;
	}
	err = capture_start(c, l, (int)w->seconds, &id, &why);
	if (err) {
		wait_refuse(w, err == -EBUSY || err == -ENOSPC ? 409 : 500, why.code, "%s", why.text);
		return;
	}
	capture_find(c, id, &i);
	wait_audit(w, "capture_started", w->name, i.name);
	wait_reply_json(w, 0, 201, capture_json(&i));
}

static void post_capture(void *ctx, struct http_req *req)
{
	int64_t seconds = DEFAULT_SECONDS;
	const struct rest_field field[] = {
		{ .name = "seconds", .kind = REST_INT, .min = 1, .max = CAPTURE_MAX_S,
		  .number = &seconds },
	};
	struct wait *w;

	role_assert_ctl();
	w = wait_new(ctx, req);
	if (!w)
		return;
	w->id = g_ascii_strtoll(http_req_param(req, "leg"), NULL, 10);
	if (!wait_room_name(w) || !rest_read(w, field, 1))
		return;
	w->seconds = seconds;
	wait_for_account(w, USER_ADMIN, start);
}

ON_THREAD(ROLE_CTL) static void list(struct wait *w)
{
	json_t *all = json_array();
	struct capture_info i;

	role_assert_ctl();
	for (size_t k = 0; capture_get(w->routes->cfg.captures, k, &i); k++)
		json_array_append_new(all, capture_json(&i));
	wait_reply_json(w, 0, 200, json_pack("{s:o}", "captures", all));
}

static void get_captures(void *ctx, struct http_req *req)
{
	struct wait *w;

	role_assert_ctl();
	w = wait_new(ctx, req);
	if (w)
		wait_for_account(w, USER_ADMIN, list);
}

static void refuse_unknown(struct wait *w) ON_THREAD(ROLE_CTL)
{
	wait_refuse(w, 404, "not_found", "There is no such capture.");
}

ON_THREAD(ROLE_CTL) static void send_file(struct wait *w)
{
	struct capture_info i;
	char name[64];

	role_assert_ctl();
	if (!capture_find(w->routes->cfg.captures, (uint32_t)w->id, &i)) {
		refuse_unknown(w);
	} else if (i.running) {
		wait_refuse(w, 409, "not_ready", "This capture is still running. DELETE ends it.");
	} else {
		snprintf(name, sizeof name, "capture-%" PRIu32 ".pcap", i.id);
		http_reply_file(w->req, i.path, "application/vnd.tcpdump.pcap", name);
		wait_end(w);
	}
}

static void get_capture(void *ctx, struct http_req *req)
{
	struct wait *w;

	role_assert_ctl();
	w = wait_new(ctx, req);
	if (!w)
		return;
	w->id = g_ascii_strtoll(http_req_param(req, "id"), NULL, 10);
	wait_for_account(w, USER_ADMIN, send_file);
}

/* Ends one that runs; deletes one that has ended. */
ON_THREAD(ROLE_CTL) static void end_or_delete(struct wait *w)
{
	struct captures *c = w->routes->cfg.captures;
	struct capture_info i;

	role_assert_ctl();
	if (!capture_find(c, (uint32_t)w->id, &i)) {
		refuse_unknown(w);
		return;
	}
	if (i.running)
		capture_end(c, i.id);
	else
		capture_delete(c, i.id);
	wait_audit(w, i.running ? "capture_ended" : "capture_deleted", i.room, i.name);
	wait_reply_nothing(w);
}

static void delete_capture(void *ctx, struct http_req *req)
{
	struct wait *w;

	role_assert_ctl();
	w = wait_new(ctx, req);
	if (!w)
		return;
	w->id = g_ascii_strtoll(http_req_param(req, "id"), NULL, 10);
	wait_for_account(w, USER_ADMIN, end_or_delete);
}

int routes_captures_new(struct routes *r, struct server *s)
{
	int err = server_route(s, "POST", "/api/v1/rooms/:room/legs/:leg/capture", post_capture, r);

	if (!err)
		err = server_route(s, "GET", "/api/v1/captures", get_captures, r);
	if (!err)
		err = server_route(s, "GET", "/api/v1/captures/:id", get_capture, r);
	return err ? err : server_route(s, "DELETE", "/api/v1/captures/:id", delete_capture, r);
}
