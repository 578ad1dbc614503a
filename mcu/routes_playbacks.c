/* What is played into a running room, for its owner, its hosts and administrators. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "mcu/playback.h"
#include "mcu/routes_priv.h"
#include "mcu/uploads.h"
#include "signaling/protocol.h"

enum { URL_MAX = 1000, ID_DIGITS = 19 };

static json_t *playback_json(const struct playback_info *i)
{
	return json_pack("{s:I, s:o, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:o, s:o, s:o, s:b, s:b, s:b, s:b, s:b}",
			 "playback", (json_int_t)i->id,
			 "leg", i->leg ? json_integer(i->leg) : json_null(),
			 "source", playback_source_name(i->source),
			 "state", playback_state_name(i->state), "title", i->title, "by", i->by,
			 "text", i->text, "position_ms", (json_int_t)i->position_ms,
			 "pictures", (json_int_t)i->pictures,
			 "duration_ms", i->duration_ms ? json_integer(i->duration_ms) : json_null(),
			 "page", i->pages ? json_integer(i->page) : json_null(),
			 "pages", i->pages ? json_integer(i->pages) : json_null(),
			 "loop", i->loop, "content", i->content, "audio", i->audio,
			 "video", i->video, "seekable", i->seekable);
}

static int status_of(const struct errmsg *why, int err)
{
	if (err == -EACCES)
		return 403;
	if (err == -ENOENT)
		return 404;
	if (err == -EINVAL)
		return 400;
	return !strcmp(why->code, "busy") ? 409 : 503;
}

static struct playbacks *playbacks_of(const struct wait *w) ON_THREAD(ROLE_CTL)
{
	return conference_playbacks(w->routes->cfg.conference);
}

static void keep(void *obj, const struct playback_info *i)
{
	*(json_t **)obj = playback_json(i);
}

static void collect(void *obj, const struct playback_info *i)
{
	json_array_append_new(obj, playback_json(i));
}

ON_THREAD(ROLE_CTL) static void reply_one(struct wait *w, uint32_t id, int status)
{
	json_t *o = NULL;
	struct errmsg why;

	if (playback_get(playbacks_of(w), w->name, id, keep, &o, &why))
		wait_refuse(w, 404, why.code, "%s", why.text);
	else
		wait_reply_json(w, 0, status, o);
}

/* --- all of a room ------------------------------------------------------------------- */

ON_THREAD(ROLE_CTL) static void list(struct wait *w)
{
	json_t *all = json_array();

	playbacks_each(playbacks_of(w), w->name, collect, all);
	wait_reply_json(w, 0, 200, json_pack("{s:o}", "playbacks", all));
}

static void get_playbacks(void *ctx, struct http_req *req)
{
	struct wait *w;

	role_assert_ctl();
	w = wait_new(ctx, req);
	if (w && wait_room_name(w))
		wait_for_room_host(w, list);
}

static const char *text_of(const struct wait *w, const char *name)
{
	return json_string_value(json_object_get(w->body, name));
}

static int64_t id_of(const char *text)
{
	return text && strspn(text, "0123456789") == strlen(text) ? g_ascii_strtoll(text, NULL, 10) : 0;
}

/* What is to be played; -EINVAL. */
static int read_ask(const struct wait *w, struct playback_ask *ask, struct errmsg *why)
{
	const char *source = text_of(w, "source");

	*ask = (struct playback_ask){
		.room = w->name, .by = w->who.name, .user_id = w->who.id, .admin = w->who.role == USER_ADMIN,
		.source = playback_source_parse(source), .token = text_of(w, "token"),
		.url = text_of(w, "url"), .title = text_of(w, "title"),
		.loop = json_is_true(json_object_get(w->body, "loop")),
		.paused = json_is_true(json_object_get(w->body, "paused")),
		.content = json_is_true(json_object_get(w->body, "content")),
		.position_ms = json_integer_value(json_object_get(w->body, "position_ms")),
	};
	if (!ask->source)
		return errmsg_set(why, -EINVAL, "bad_json", "The member \"source\" must be \"recording\", "
				  "\"upload\" or \"camera\".");
	if (ask->title && !protocol_name_valid(ask->title))
		return errmsg_set(why, -EINVAL, "name_invalid", "A title has 1 to 64 characters, no control "
				  "characters and no blank at its ends.");
	if (ask->source == PLAYBACK_CAMERA && !ask->url)
		return errmsg_set(why, -EINVAL, "bad_json", "The member \"url\" is missing.");
	if (ask->source != PLAYBACK_CAMERA)
		ask->id = id_of(text_of(w, source));
	if (ask->source != PLAYBACK_CAMERA && ask->id <= 0)
		return errmsg_set(why, -EINVAL, "bad_json", "The member \"%s\" must be its id as a string.",
				  source);
	return 0;
}

ON_THREAD(ROLE_CTL) static void start(struct wait *w)
{
	struct playback_ask ask;
	struct errmsg why;
	uint32_t id;
	int err = read_ask(w, &ask, &why);

	if (!err)
		err = playback_start(playbacks_of(w), &ask, &id, &why);
	if (err) {
		wait_refuse(w, status_of(&why, err), why.code, "%s", why.text);
		return;
	}
	wait_audit(w, "playback_started", w->name, playback_source_name(ask.source));
	reply_one(w, id, 202);
}

static void post_playback(void *ctx, struct http_req *req)
{
	const char *ignored = NULL;
	bool flag;
	int64_t number;
	const struct rest_field fields[] = {
		{ "source", REST_TEXT, true, 1, 16, .text = &ignored },
		{ "recording", REST_TEXT, false, 1, ID_DIGITS, .text = &ignored },
		{ "upload", REST_TEXT, false, 1, ID_DIGITS, .text = &ignored },
		{ "token", REST_TEXT, false, 1, 64, .text = &ignored },
		{ "url", REST_TEXT, false, 1, URL_MAX, .text = &ignored },
		{ "title", REST_TEXT, false, 1, 4 * PROTOCOL_MAX_NAME, .text = &ignored },
		{ "loop", REST_BOOL, .flag = &flag },
		{ "paused", REST_BOOL, .flag = &flag },
		{ "content", REST_BOOL, .flag = &flag },
		{ "position_ms", REST_INT, false, 0, INT32_MAX, .number = &number },
	};
	struct wait *w;

	role_assert_ctl();
	w = wait_new(ctx, req);
	if (w && wait_room_name(w) && rest_read(w, fields, sizeof fields / sizeof *fields))
		wait_for_room_host(w, start);
}

/* --- one of them --------------------------------------------------------------------- */

ON_THREAD(ROLE_CTL) static void with_playback(void *ctx, struct http_req *req,
					      void (*next)(struct wait *w))
{
	struct wait *w = wait_new(ctx, req);

	if (!w || !wait_room_name(w))
		return;
	w->id = g_ascii_strtoll(http_req_param(req, "playback"), NULL, 10);
	if (w->id < 1 || w->id > UINT32_MAX)
		wait_refuse(w, 404, "playback_unknown", "There is no such playback.");
	else
		wait_for_room_host(w, next);
}

ON_THREAD(ROLE_CTL) static void show(struct wait *w)
{
	reply_one(w, (uint32_t)w->id, 200);
}

static void get_playback(void *ctx, struct http_req *req)
{
	role_assert_ctl();
	with_playback(ctx, req, show);
}

ON_THREAD(ROLE_CTL) static void stop(struct wait *w)
{
	struct errmsg why;

	if (playback_stop(playbacks_of(w), w->name, (uint32_t)w->id, &why)) {
		wait_refuse(w, 404, why.code, "%s", why.text);
		return;
	}
	wait_audit(w, "playback_stopped", w->name, NULL);
	wait_reply_nothing(w);
}

static void delete_playback(void *ctx, struct http_req *req)
{
	role_assert_ctl();
	with_playback(ctx, req, stop);
}

static enum tristate tristate_of(const struct wait *w, const char *name)
{
	const json_t *v = json_object_get(w->body, name);

	return !json_is_boolean(v) ? TRISTATE_UNSET : json_is_true(v) ? TRISTATE_TRUE : TRISTATE_FALSE;
}

ON_THREAD(ROLE_CTL) static void change(struct wait *w)
{
	const json_t *pos = json_object_get(w->body, "position_ms");
	const struct playback_change c = {
		.paused = tristate_of(w, "paused"), .loop = tristate_of(w, "loop"),
		.content = tristate_of(w, "content"), .muted = tristate_of(w, "muted"),
		.hidden = tristate_of(w, "hidden"),
		.position_ms = json_is_integer(pos) ? json_integer_value(pos) : -1,
		.page = json_integer_value(json_object_get(w->body, "page")),
	};
	struct errmsg why;
	int err = playback_change(playbacks_of(w), w->name, (uint32_t)w->id, &c, &why);

	if (err)
		wait_refuse(w, status_of(&why, err), why.code, "%s", why.text);
	else
		reply_one(w, (uint32_t)w->id, 200);
}

static void patch_playback(void *ctx, struct http_req *req)
{
	bool flag;
	int64_t number;
	const struct rest_field fields[] = {
		{ "loop", REST_BOOL, .flag = &flag },
		{ "paused", REST_BOOL, .flag = &flag },
		{ "content", REST_BOOL, .flag = &flag },
		{ "muted", REST_BOOL, .flag = &flag },
		{ "hidden", REST_BOOL, .flag = &flag },
		{ "position_ms", REST_INT, false, 0, INT32_MAX, .number = &number },
		{ "page", REST_INT, false, 1, INT32_MAX, .number = &number },
	};
	struct wait *w;

	role_assert_ctl();
	w = wait_new(ctx, req);
	if (!w || !wait_room_name(w) || !rest_read(w, fields, sizeof fields / sizeof *fields))
		return;
	w->id = g_ascii_strtoll(http_req_param(req, "playback"), NULL, 10);
	if (w->id < 1 || w->id > UINT32_MAX)
		wait_refuse(w, 404, "playback_unknown", "There is no such playback.");
	else
		wait_for_room_host(w, change);
}

/* --- files ---------------------------------------------------------------------------- */

static json_t *upload_json(const struct upload_row *r)
{
	char id[24];

	snprintf(id, sizeof id, "%" PRId64, r->id);
	return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:i, s:i, s:i, s:b, s:b}", "upload", id,
			 "room", r->room, "name", r->name, "by", r->by, "bytes", (json_int_t)r->bytes,
			 "created_ms", (json_int_t)r->created_ms, "duration_ms",
			 (json_int_t)r->duration_ms, "width", r->width, "height", r->height, "pages",
			 r->pages, "audio", r->audio, "video", r->video);
}

static void on_uploads(void *obj, int err, const struct upload_row *rows, size_t n)
{
	json_t *all = json_array();

	role_assert_ctl();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(all, upload_json(&rows[i]));
	wait_reply_part(obj, err, "uploads", all, "upload", true);
}

static struct upload_view view_of(const struct wait *w)
{
	return (struct upload_view){ .room = w->name, .user_id = w->who.id,
				     .admin = w->who.role == USER_ADMIN };
}

ON_THREAD(ROLE_CTL) static void list_uploads(struct wait *w)
{
	const struct upload_view view = view_of(w);

	if (uploads_list(w->routes->cfg.db, &view, 0, on_uploads, w))
		wait_reply_busy(w);
}

static void get_uploads(void *ctx, struct http_req *req)
{
	struct wait *w;

	role_assert_ctl();
	w = wait_new(ctx, req);
	if (!w)
		return;
	w->calls.max = UPLOAD_LIST_MAX;
	if (wait_room_name(w) &&
	    rest_query_page(w, "before", &w->calls.before, &w->calls.max, UPLOAD_LIST_MAX))
		wait_for_room_host(w, list_uploads);
}

static void on_ticket(void *obj, int err, const char *url, const struct errmsg *why)
{
	struct wait *w = obj;

	role_assert_ctl();
	if (err)
		wait_refuse(w, err == -EDQUOT ? 409 : err == -ENOSPC ? 507 : 503, why->code, "%s", why->text);
	else
		wait_reply_json(w, 0, 201, json_pack("{s:s}", "url", url));
}

ON_THREAD(ROLE_CTL) static void ticket(struct wait *w)
{
	struct errmsg why;
	const struct upload_ask ask = {
		.room = w->name, .by = w->who.name, .user_id = w->who.id, .name = text_of(w, "name"),
		.bytes = json_integer_value(json_object_get(w->body, "bytes")),
	};
	int err = uploads_ticket(w->routes->cfg.uploads, &ask, on_ticket, w, &why);

	if (!err)
		wait_audit(w, "uploaded", w->name, NULL);
	else
		wait_refuse(w, err == -EMSGSIZE ? 413 : err == -EINVAL ? 422 :
			    !strcmp(why.code, "rate_limited") ? 429 : 503, why.code, "%s", why.text);
}

static void post_upload(void *ctx, struct http_req *req)
{
	const char *ignored = NULL;
	int64_t bytes;
	const struct rest_field fields[] = {
		{ "name", REST_TEXT, true, 1, 1000, .text = &ignored },
		{ "bytes", REST_INT, true, 0, INT64_C(1) << 50, .number = &bytes },
	};
	struct wait *w;

	role_assert_ctl();
	w = wait_new(ctx, req);
	if (w && wait_room_name(w) && rest_read(w, fields, sizeof fields / sizeof *fields))
		wait_for_room_host(w, ticket);
}

static void on_deleted(void *obj, int err, const struct upload_row *row)
{
	(void)row;
	role_assert_ctl();
	if (err == -ENOENT)
		wait_refuse(obj, 404, "not_found", "There is no such file.");
	else if (err)
		wait_reply_busy(obj);
	else
		wait_reply_nothing(obj);
}

ON_THREAD(ROLE_CTL) static void remove_upload(struct wait *w)
{
	const struct upload_view view = view_of(w);

	wait_audit(w, "upload_deleted", w->name, NULL);
	uploads_delete(w->routes->cfg.uploads, &view, w->id, on_deleted, w);
}

static void delete_upload(void *ctx, struct http_req *req)
{
	struct wait *w;

	role_assert_ctl();
	w = wait_new(ctx, req);
	if (!w || !wait_room_name(w))
		return;
	w->id = id_of(http_req_param(req, "upload"));
	wait_for_room_host(w, remove_upload);
}

int routes_playbacks_new(struct routes *r, struct server *s)
{
	static const char all[] = "/api/v1/rooms/:room/playbacks";
	static const char one[] = "/api/v1/rooms/:room/playbacks/:playback";
	int err = server_route(s, "GET", all, get_playbacks, r);

	if (!err)
		err = server_route(s, "GET", "/api/v1/rooms/:room/uploads", get_uploads, r);
	if (!err)
		err = server_route(s, "POST", "/api/v1/rooms/:room/uploads", post_upload, r);
	if (!err)
		err = server_route(s, "DELETE", "/api/v1/rooms/:room/uploads/:upload", delete_upload, r);
	if (!err)
		err = uploads_routes(r->cfg.uploads, s);
	if (!err)
		err = server_route(s, "POST", all, post_playback, r);
	if (!err)
		err = server_route(s, "GET", one, get_playback, r);
	if (!err)
		err = server_route(s, "PATCH", one, patch_playback, r);
	return err ? err : server_route(s, "DELETE", one, delete_playback, r);
}
