/* Routes for administrators, by HTTP Basic over TLS or loopback. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/routes_priv.h"
#include "signaling/protocol.h"
#include "storage/recordings.h"
#include "storage/rooms.h"
#include "storage/users.h"

enum { MAX_GUESSES = 8 };

static void deny(struct http_req *req) ON_THREAD(ROLE_CTL)
{
	http_set_header(req, "WWW-Authenticate", "Basic realm=\"mcu\", charset=\"UTF-8\"");
	http_reply_error(req, 401, "unauthorized",
			 "Sign in as an administrator. The first one's password was printed at the "
			 "server's first start.");
}

static void on_checked(void *obj, void *arg)
{
	struct wait *w = obj;

	(void)arg;
	role_assert_ctl();
	explicit_bzero(w->password, sizeof w->password);
	if (!w->req || w->verdict) {
		if (w->req)
			deny(w->req);
		wait_end(w);
		return;
	}
	if (w->next(w))
		wait_reply_busy(w);
}

/* On a thread of its own: Argon2 takes a tenth of a second. */
static void hash_job(gpointer data, gpointer user)
{
	struct wait *w = data;
	struct routes *r = user;

	(void)atomic_load_explicit(&w->handed, memory_order_acquire);
	w->verdict = password_check(w->hash, w->password);
	engine_post(r->cfg.engine->ctl, on_checked, w, NULL);
}

static void on_user(void *obj, int err, const struct user_row *row)
{
	/* An unknown user takes as long as a wrong password. */
	static const char nobody[] = "$argon2id$v=19$m=65536,t=3,p=1$bm9ib2R5bm9ib2R5$"
				     "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
	struct wait *w = obj;

	role_assert_ctl();
	if (!w->req || !w->routes->hashing) {
		wait_end(w);
		return;
	}
	snprintf(w->hash, sizeof w->hash, "%s",
		 !err && row->role == USER_ADMIN ? row->password_hash : nobody);
	atomic_store_explicit(&w->handed, true, memory_order_release);
	g_thread_pool_push(w->routes->hashing, w, NULL);
}

/* "name:password" of the request; false: there is none. */
static bool credentials(struct http_req *req, char *text, size_t cap) ON_THREAD(ROLE_CTL)
{
	const char *auth = http_req_header(req, "authorization");
	guchar *raw;
	gsize len;

	if (!auth || g_ascii_strncasecmp(auth, "Basic ", 6))
		return false;
	raw = g_base64_decode(auth + 6, &len);
	if (len < cap) {
		memcpy(text, raw, len);
		text[len] = 0;
	}
	explicit_bzero(raw, len);
	g_free(raw);
	return len < cap;
}

/* Goes on with next(w) when an administrator asks. */
static void with_admin(struct wait *w, int (*next)(struct wait *w)) ON_THREAD(ROLE_CTL)
{
	char text[DB_NAME_MAX + PASSWORD_MAX + 2] = "", *colon = NULL;

	if (credentials(w->req, text, sizeof text))
		colon = strchr(text, ':');
	/* More than a few at once is somebody guessing. */
	if (!colon || strlen(colon + 1) > PASSWORD_MAX ||
	    g_thread_pool_unprocessed(w->routes->hashing) > MAX_GUESSES) {
		deny(w->req);
		wait_end(w);
		return;
	}
	*colon = 0;
	w->next = next;
	snprintf(w->password, sizeof w->password, "%s", colon + 1);
	if (users_find(w->routes->cfg.db, text, on_user, w))
		wait_reply_busy(w);
	explicit_bzero(text, sizeof text);
}

/* Takes body. Ends w. */
static void reply_json(struct wait *w, int err, int status, json_t *body) ON_THREAD(ROLE_CTL)
{
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;

	if (w->req && !err && text)
		http_reply(w->req, status, "application/json", text, strlen(text));
	else if (w->req)
		http_reply_error(w->req, 500, "internal", "The registry failed: %s.",
				 err_str(err ? err : -ENOMEM));
	free(text);
	json_decref(body);
	wait_end(w);
}

/* --- recordings -------------------------------------------------------------- */

static json_t *recording_json(const struct recording_row *row)
{
	char url[96];

	snprintf(url, sizeof url, "/recordings/%" PRId64 "/%s", row->id, row->token);
	return json_pack("{s:I, s:s, s:s, s:I, s:I, s:I, s:I, s:i, s:i, s:s, s:s, s:s}",
			 "id", (json_int_t)row->id, "room", row->room,
			 "state", recording_state_name(row->state),
			 "started_ms", (json_int_t)row->started_ms,
			 "ended_ms", (json_int_t)row->ended_ms,
			 "duration_ms", (json_int_t)row->duration_ms,
			 "bytes", (json_int_t)row->bytes, "width", row->width, "height", row->height,
			 "by", row->by, "url", url, "error", row->error);
}

static void on_list(void *obj, int err, const struct recording_row *rows, size_t n)
{
	json_t *list = json_array();

	role_assert_ctl();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, recording_json(&rows[i]));
	reply_json(obj, err, 200, json_pack("{s:o}", "recordings", list));
}

static int list_recordings(struct wait *w)
{
	return recordings_list(w->routes->cfg.db, w->room[0] ? w->room : NULL, 0, RECORDING_LIST_MAX,
			       on_list, w);
}

static void get_recordings(void *ctx, struct http_req *req)
{
	struct wait *w;
	const char *room;

	role_assert_ctl();
	w = wait_new(ctx, req);
	if (!w)
		return;
	room = http_req_query(req, "room");
	snprintf(w->room, sizeof w->room, "%s", room ? room : "");
	with_admin(w, list_recordings);
}

/* --- rooms ------------------------------------------------------------------- */

static void on_room(void *obj, int err, const struct room_row *row)
{
	json_t *body = NULL;

	role_assert_ctl();
	if (!err)
		body = json_pack("{s:s, s:s, s:I}", "name", row->name, "title", row->title,
				 "created_ms", (json_int_t)row->created_ms);
	reply_json(obj, err, 200, body);
}

static int put_room_row(struct wait *w)
{
	return rooms_upsert(w->routes->cfg.db, w->room, w->title[0] ? w->title : NULL, NULL, on_room,
			    w);
}

/* The title of {"title": …}; an empty body is fine. 0 or -EINVAL. */
static int read_title(struct wait *w) ON_THREAD(ROLE_CTL)
{
	const char *text, *title;
	json_t *body;
	size_t len;
	int err = 0;

	text = http_req_body(w->req, &len);
	if (!len)
		return 0;
	body = json_loadb(text, len, 0, NULL);
	title = json_string_value(json_object_get(body, "title"));
	if (!json_is_object(body) || (title && strlen(title) > DB_NAME_MAX))
		err = -EINVAL;
	else if (title)
		snprintf(w->title, sizeof w->title, "%s", title);
	json_decref(body);
	return err;
}

static void put_room(void *ctx, struct http_req *req)
{
	const char *name;
	struct wait *w;

	role_assert_ctl();
	name = http_req_param(req, "room");
	if (!protocol_room_name_valid(name)) {
		http_reply_error(req, 400, "room_name_invalid",
				 "A room's name has 1 to 64 letters, digits and . _ - only.");
		return;
	}
	w = wait_new(ctx, req);
	if (!w)
		return;
	snprintf(w->room, sizeof w->room, "%s", name);
	if (read_title(w)) {
		http_reply_error(req, 400, "bad_json",
				 "The body must be a JSON object like {\"title\": \"Physics\"}.");
		wait_end(w);
		return;
	}
	with_admin(w, put_room_row);
}

int routes_admin_new(struct routes *r, struct server *s)
{
	int err = server_route(s, "GET", "/api/v1/recordings", get_recordings, r);

	if (!err)
		err = server_route(s, "PUT", "/api/v1/rooms/:room", put_room, r);
	r->hashing = g_thread_pool_new(hash_job, r, 1, FALSE, NULL);
	return err;
}

void routes_admin_stop(struct routes *r)
{
	GThreadPool *p = r->hashing;

	r->hashing = NULL;
	if (p)
		g_thread_pool_free(p, FALSE, TRUE);
}
