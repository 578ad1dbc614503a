/* Streams of rooms over HTTP (signaling/hls.h).
 *
 *   POST /api/v1/rooms/:room/watch    who may, and where the stream is
 *   GET  /hls/:room/index.m3u8        begins the stream where it must
 *   GET  /hls/:room/:stream/:file     of the stream that runs
 *   GET  /watch/:room                 the page for those who only watch
 *
 * A room that everybody may join may be watched by everybody. Otherwise the playlists'
 * addresses carry a key, which the first of these gives; the files have names that only
 * the playlists tell. */
#include <errno.h>
#include <string.h>

#include "mcu/routes_priv.h"
#include "signaling/hls.h"
#include "signaling/http_text.h"
#include "signaling/whip_request.h"

enum { KEY_HOURS = 12 };

static int status_of(const struct errmsg *why, bool had_token)
{
	if (!strcmp(why->code, "stream_off"))
		return 403;
	if (!strcmp(why->code, "broadcast_failed"))
		return 503;
	return !strcmp(why->code, "not_found") ? 404 : whip_status(why->code, had_token);
}

ON_THREAD(ROLE_CTL) static void refuse(struct http_req *req, const struct errmsg *why)
{
	hls_allow_origins(req);
	http_reply_error(req, status_of(why, true), why->code, "%s", why->text);
}

/* --- files ------------------------------------------------------------------------- */

/* Whoever has the address of a playlist asks again and again: by the key in it, or as
 * anybody. False: answered. */
ON_THREAD(ROLE_CTL) static bool may_watch(struct routes *r, struct http_req *req, const char *room,
					  const char *key)
{
	const struct watch_ask ask = { .room = room, .key = key, .peer = http_req_peer(req) };
	struct errmsg why;

	if (!protocol_room_name_valid(room))
		errmsg_set(&why, -EINVAL, "room_name_invalid", "There is no room of this name.");
	else if (!conference_watch(r->cfg.conference, &ask, &why))
		return true;
	refuse(req, &why);
	return false;
}

static void get_index(void *ctx, struct http_req *req)
{
	const char *room, *key;
	struct routes *r = ctx;
	struct errmsg why;
	struct hls *h;

	role_assert_ctl();
	room = http_req_param(req, "room");
	key = http_req_query(req, "key");
	if (!may_watch(r, req, room, key))
		return;
	if (conference_stream(r->cfg.conference, room, true, &h, &why))
		refuse(req, &why);
	else
		/* A key that is not ours goes nowhere. */
		hls_serve_index(h, req, key && strspn(key, "0123456789abcdef") == strlen(key) ? key
										      : NULL);
}

static void get_file(void *ctx, struct http_req *req)
{
	const char *room, *file;
	struct routes *r = ctx;
	struct errmsg why;
	struct hls *h;

	role_assert_ctl();
	room = http_req_param(req, "room");
	file = http_req_param(req, "file");
	if (!strcmp(file, "live.m3u8") && !may_watch(r, req, room, http_req_query(req, "key")))
		return;
	if (conference_stream(r->cfg.conference, room, false, &h, &why)) {
		refuse(req, &why);
	} else if (strcmp(hls_id(h), http_req_param(req, "stream"))) {
		errmsg_set(&why, -ENOENT, "not_found", "This stream has ended. Ask for index.m3u8 again.");
		refuse(req, &why);
	} else {
		hls_serve(h, req, file);
	}
}

/* --- who may ------------------------------------------------------------------------ */

ON_THREAD(ROLE_CTL) static void reply_address(struct wait *w, bool open)
{
	const struct routes *r = w->routes;
	char url[384], key[WATCH_KEY_LEN + 1] = "";

	if (!open)
		conference_watch_key(r->cfg.conference, w->name, KEY_HOURS, key);
	snprintf(url, sizeof url, "/hls/%s/index.m3u8%s%s", w->name, open ? "" : "?key=", key);
	wait_reply_json(w, 0, 200, json_pack("{s:s, s:s}", "room", w->name, "hls", url));
}

/* id: of who has a token; NULL: a guest. */
ON_THREAD(ROLE_CTL) static void decide(struct wait *w, const struct account_identity *id)
{
	struct watch_ask ask = { .room = w->name, .peer = http_req_peer(w->req) };
	struct errmsg why;
	bool open = !conference_watch(w->routes->cfg.conference, &ask, &why);

	if (!open) {
		ask.pin = json_string_value(json_object_get(w->body, "pin"));
		if (id)
			ask.who = id->who;
		if (conference_watch(w->routes->cfg.conference, &ask, &why)) {
			if (id)
				accounts_give_back(w->routes->cfg.accounts, id->invitation_id);
			wait_refuse(w, status_of(&why, id), why.code, "%s", why.text);
			return;
		}
	}
	reply_address(w, open);
}

static void on_identity(void *obj, const struct account_identity *id,
			const struct account_refusal *no)
{
	struct wait *w = obj;

	role_assert_ctl();
	if (!w->req)
		wait_end(w);
	else if (no)
		wait_refuse_account(w, no);
	else
		decide(w, id);
}

static void post_watch(void *ctx, struct http_req *req)
{
	const char *ignored = NULL, *token;
	const struct rest_field fields[] = {
		{ "pin", REST_TEXT, false, 0, PROTOCOL_MAX_PIN, .text = &ignored },
	};
	struct routes *r = ctx;
	struct wait *w;

	role_assert_ctl();
	w = wait_new(r, req);
	if (!w || !wait_room_name(w) || !rest_read(w, fields, 1))
		return;
	token = http_auth_bearer(http_req_header(req, "authorization"));
	if (token && *token)
		accounts_identify(r->cfg.accounts, token, w->name, http_req_peer(req), on_identity, w);
	else
		decide(w, NULL);
}

/* The page finds the room in its address. */
static void get_page(void *ctx, struct http_req *req)
{
	(void)ctx;
	role_assert_ctl();
	http_reply_page(req, "watch.html");
}

int routes_hls_new(struct routes *r, struct server *s)
{
	int err = server_route(s, "POST", "/api/v1/rooms/:room/watch", post_watch, r);

	if (!err)
		err = server_route(s, "GET", "/hls/:room/index.m3u8", get_index, r);
	if (!err)
		err = server_route(s, "GET", "/hls/:room/:stream/:file", get_file, r);
	return err ? err : server_route(s, "GET", "/watch/:room", get_page, r);
}
