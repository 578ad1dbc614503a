/* Records of calls: all for administrators, a room's for its owner and hosts. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "mcu/routes_priv.h"

static json_t *rating(double v)
{
	return v > 0 ? json_real(v) : json_null();
}

static json_t *call_json(const struct call_row *c)
{
	return json_pack("{s:I, s:o, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:s, s:s, "
			 "s:I, s:I, s:I, s:I, s:f, s:f, s:o, s:o, s:s, s:i, s:s}",
			 "id", (json_int_t)c->id,
			 "session", c->session_id ? json_integer(c->session_id) : json_null(),
			 "direction", c->out ? "out" : "in", "room", c->room, "uri", c->uri,
			 "number", c->number, "user", c->user, "trunk", c->trunk,
			 "started_ms", (json_int_t)c->started_ms,
			 "answered_ms", (json_int_t)c->answered_ms,
			 "ended_ms", (json_int_t)c->ended_ms, "audio", c->audio, "video", c->video,
			 "packets_in", (json_int_t)c->packets_in,
			 "packets_out", (json_int_t)c->packets_out,
			 "lost_in", (json_int_t)c->lost_in, "lost_out", (json_int_t)c->lost_out,
			 "jitter_ms", c->jitter_ms, "rtt_ms", c->rtt_ms,
			 "mos", rating(c->mos), "score", rating(c->score),
			 "end", c->end, "sip_status", c->sip_status, "reason", c->reason);
}

static void on_list(void *obj, int err, const struct call_row *rows, size_t n)
{
	const struct wait *w = obj;
	json_t *all = json_array();

	role_assert_ctl();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(all, call_json(&rows[i]));
	wait_reply_page(obj, err, "calls", all, n && n == w->calls.max ? rows[n - 1].id : 0);
}

ON_THREAD(ROLE_CTL) static void list(struct wait *w)
{
	w->calls.room = w->name[0] ? w->name : NULL;
	w->calls.number = w->text[0] ? w->text : NULL;
	if (calls_list(w->routes->cfg.db, &w->calls, on_list, w))
		wait_reply_busy(w);
}

ON_THREAD(ROLE_CTL) static bool read_filter(struct wait *w)
{
	const char *number = http_req_query(w->req, "number");

	w->calls.max = CALL_LIST_MAX;
	snprintf(w->text, sizeof w->text, "%s", number ? number : "");
	return rest_query_page(w, "before", &w->calls.before, &w->calls.max, CALL_LIST_MAX) &&
	       rest_query_time(w, "from", &w->calls.from_ms) &&
	       rest_query_time(w, "until", &w->calls.until_ms);
}

static void get_calls(void *ctx, struct http_req *req)
{
	struct wait *w;
	const char *room;

	role_assert_ctl();
	w = wait_new(ctx, req);
	if (!w || !read_filter(w))
		return;
	room = http_req_query(req, "room");
	snprintf(w->name, sizeof w->name, "%s", room ? room : "");
	wait_for_account(w, USER_ADMIN, list);
}

static void get_room_calls(void *ctx, struct http_req *req)
{
	struct wait *w;

	role_assert_ctl();
	w = wait_new(ctx, req);
	if (w && wait_room_name(w) && read_filter(w))
		wait_for_room_host(w, list);
}

int routes_calls_new(struct routes *r, struct server *s)
{
	int err = server_route(s, "GET", "/api/v1/calls", get_calls, r);

	return err ? err : server_route(s, "GET", "/api/v1/rooms/:room/calls", get_room_calls, r);
}
