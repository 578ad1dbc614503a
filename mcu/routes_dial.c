/* Calls that a room makes, for its owner, its hosts and administrators, as far as
 * sip.dial lets them. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "mcu/dial.h"
#include "mcu/routes_priv.h"

static json_t *dial_json(const struct dial_info *i)
{
	return json_pack("{s:I, s:s, s:s, s:s, s:i, s:s, s:o}", "call", (json_int_t)i->id,
			 "state", sip_dial_state_name(i->state), "number", i->number,
			 "name", i->name, "sip_status", i->status, "text", i->text,
			 "leg", i->leg ? json_integer(i->leg) : json_null());
}

static int status_of(const struct errmsg *why, int err)
{
	if (err == -EACCES)
		return 403;
	if (err == -EINVAL)
		return 400;
	if (err == -EBUSY)
		return !strcmp(why->code, "rate_limited") ? 429 : 409;
	return err == -ENOMEM ? 500 : 503;
}

ON_THREAD(ROLE_CTL) static void dial(struct wait *w)
{
	struct dials *d = conference_dials(w->routes->cfg.conference);
	const struct dial_ask ask = {
		.room = w->name, .by = w->who.name, .user_id = w->who.id, .host = true,
		.to = json_string_value(json_object_get(w->body, "to")),
		.name = json_string_value(json_object_get(w->body, "name")),
		.trunk = json_string_value(json_object_get(w->body, "trunk")),
		.digits = json_string_value(json_object_get(w->body, "digits")),
	};
	struct dial_info i;
	struct errmsg why;
	int err = dials_start(d, &ask, &w->id, &why);

	if (err) {
		wait_refuse(w, status_of(&why, err), why.code, "%s", why.text);
		return;
	}
	wait_audit(w, "dialled", w->name, ask.to);
	if (dials_get(d, w->name, w->id, &i))
		wait_reply_json(w, -ENOENT, 0, NULL);
	else
		wait_reply_json(w, 0, 202, dial_json(&i));
}

static void post_dial(void *ctx, struct http_req *req)
{
	const char *ignored = NULL;
	const struct rest_field fields[] = {
		{ "to", REST_TEXT, true, 1, DIAL_TO_MAX, .text = &ignored },
		{ "name", REST_TEXT, false, 1, 4 * PROTOCOL_MAX_NAME, .text = &ignored },
		{ "trunk", REST_TEXT, false, 1, 64, .text = &ignored },
		{ "digits", REST_TEXT, false, 1, DIAL_DIGITS_MAX, .text = &ignored },
	};
	struct wait *w;

	role_assert_ctl();
	w = wait_new(ctx, req);
	if (w && wait_room_name(w) && rest_read(w, fields, sizeof fields / sizeof *fields))
		wait_for_room_host(w, dial);
}

/* --- one of them ----------------------------------------------------------------- */

static void refuse_unknown(struct wait *w) ON_THREAD(ROLE_CTL)
{
	wait_refuse(w, 404, "call_unknown", "The room \"%s\" has made no such call, or it was long ago: "
		    "see its records of calls.", w->name);
}

ON_THREAD(ROLE_CTL) static void show(struct wait *w)
{
	struct dial_info i;

	if (dials_get(conference_dials(w->routes->cfg.conference), w->name, w->id, &i))
		refuse_unknown(w);
	else
		wait_reply_json(w, 0, 200, dial_json(&i));
}

ON_THREAD(ROLE_CTL) static void hang_up(struct wait *w)
{
	if (dials_hangup(conference_dials(w->routes->cfg.conference), w->name, w->id))
		refuse_unknown(w);
	else
		wait_reply_nothing(w);
}

ON_THREAD(ROLE_CTL) static void with_call(void *ctx, struct http_req *req,
					  void (*next)(struct wait *w))
{
	struct wait *w = wait_new(ctx, req);

	if (!w || !wait_room_name(w))
		return;
	w->id = g_ascii_strtoll(http_req_param(req, "call"), NULL, 10);
	wait_for_room_host(w, next);
}

static void get_dial(void *ctx, struct http_req *req)
{
	role_assert_ctl();
	with_call(ctx, req, show);
}

static void delete_dial(void *ctx, struct http_req *req)
{
	role_assert_ctl();
	with_call(ctx, req, hang_up);
}

int routes_dial_new(struct routes *r, struct server *s)
{
	int err = server_route(s, "POST", "/api/v1/rooms/:room/dial", post_dial, r);

	if (!err)
		err = server_route(s, "GET", "/api/v1/rooms/:room/dial/:call", get_dial, r);
	return err ? err : server_route(s, "DELETE", "/api/v1/rooms/:room/dial/:call", delete_dial, r);
}
