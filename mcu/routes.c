#include "mcu/routes.h"

#include <errno.h>
#include <glib.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/base/log.h"
#include "mcu/room/audio_worker.h"
#include "storage/recordings.h"
#include "storage/repository.h"
#include "storage/users.h"

struct routes {
	struct routes_cfg cfg;
	GThreadPool *hashing; /* one password at a time: 64 MiB each */
	GPtrArray *waiting;   /* struct wait */
};

/* A request that waits for the registry or for a password's hash. */
struct wait {
	struct routes *routes;
	struct http_req *req; /* NULL: answered already, at the stop */
	char room[DB_NAME_MAX + 1], password[PASSWORD_MAX + 1], hash[PASSWORD_HASH_MAX];
	int verdict;
};

static void get_health(void *ctx, struct http_req *req)
{
	(void)ctx;
	role_assert_ctl();
	http_reply(req, 200, "application/json", "{\"status\":\"ok\"}\n", 16);
}

static int engine_metrics(const struct engine *e, struct metrics_text *out)
{
	int err = metrics_family(out, "mcu_audio_ticks_missed_total",
				 "Audio ticks that were not run in time.", "counter");

	for (size_t i = 0; !err && i < e->n_audio; i++) {
		char n[8];
		const char *labels[] = { "worker", n, NULL };

		snprintf(n, sizeof n, "%zu", i);
		err = metrics_series(out, "mcu_audio_ticks_missed_total", labels,
				     (double)audio_worker_missed_count(e->audio[i]));
	}
	if (!err)
		err = metrics_family(out, "mcu_pool_in_use", "Buffers of a pool in use.", "gauge");
	if (!err) {
		const char *au[] = { "pool", "access_units", NULL };
		const char *pic[] = { "pool", "pictures", NULL };
		const char *vb[] = { "pool", "video_batches", NULL };

		err = metrics_series(out, "mcu_pool_in_use", au, (double)buf_pool_in_use(e->au_pool));
		if (!err)
			err = metrics_series(out, "mcu_pool_in_use", pic,
					     (double)vframe_pool_in_use(e->pictures));
		if (!err)
			err = metrics_series(out, "mcu_pool_in_use", vb,
					     (double)rtp_batch_pool_in_use(e->video_batches));
	}
	return err;
}

static void get_metrics(void *ctx, struct http_req *req)
{
	struct routes *r = ctx;
	struct metrics_text t = { 0 };
	int err;

	role_assert_ctl();
	err = metrics_write(&t);
	if (!err)
		err = engine_metrics(r->cfg.engine, &t);
	if (!err)
		err = conference_metrics(r->cfg.conference, &t);
	if (err)
		http_reply_error(req, 500, "internal", "The metrics cannot be written: %s.",
				 err_str(err));
	else
		http_reply(req, 200, "text/plain; version=0.0.4", t.text, t.len);
	metrics_text_free(&t);
}

ON_THREAD(ROLE_CTL) static struct wait *wait_new(struct routes *r, struct http_req *req)
{
	struct wait *w = calloc(1, sizeof *w);

	if (!w) {
		http_reply_error(req, 503, "internal", "The server is out of memory.");
		return NULL;
	}
	w->routes = r;
	w->req = req;
	g_ptr_array_add(r->waiting, w);
	return w;
}

static void wait_end(struct wait *w)
{
	g_ptr_array_remove_fast(w->routes->waiting, w);
	explicit_bzero(w, sizeof *w);
	free(w);
}

ON_THREAD(ROLE_CTL) static void busy(struct http_req *req)
{
	http_reply_error(req, 503, "internal", "The registry is busy. Try again.");
}

/* --- the file of a recording -------------------------------------------------- */

static void on_file_row(void *obj, int err, const struct recording_row *row)
{
	struct wait *w = obj;
	char path[1024], name[64];

	role_assert_ctl();
	if (!w->req) {
		wait_end(w);
		return;
	}
	if (err || !repository_path_valid(row->path)) {
		http_reply_error(w->req, 404, "not_found",
				 "There is no such recording, or the link is wrong.");
	} else if (row->state == RECORDING_RECORDING || row->state == RECORDING_FINISHING) {
		http_reply_error(w->req, 409, "not_ready", "This recording is still running.");
	} else {
		snprintf(path, sizeof path, "%s/%s", w->routes->cfg.config->data.path, row->path);
		snprintf(name, sizeof name, "recording-%" PRId64 ".mp4", row->id);
		http_reply_file(w->req, path, "video/mp4",
				http_req_query(w->req, "download") ? name : NULL);
	}
	wait_end(w);
}

ON_THREAD(ROLE_CTL) static void get_file(void *ctx, struct http_req *req)
{
	struct routes *r = ctx;
	int64_t id = g_ascii_strtoll(http_req_param(req, "id"), NULL, 10);
	struct wait *w;

	role_assert_ctl();
	w = wait_new(r, req);
	if (w && recordings_get(r->cfg.db, id, http_req_param(req, "token"), on_file_row, w)) {
		busy(req);
		wait_end(w);
	}
}

/* --- the list, for administrators --------------------------------------------- */

static json_t *row_json(const struct recording_row *row)
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
	struct wait *w = obj;
	json_t *list = json_array();
	char *text;

	role_assert_ctl();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, row_json(&rows[i]));
	list = json_pack("{s:o}", "recordings", list);
	text = json_dumps(list, JSON_COMPACT);
	if (w->req && !err && text)
		http_reply(w->req, 200, "application/json", text, strlen(text));
	else if (w->req)
		http_reply_error(w->req, 500, "internal", "The registry cannot be read: %s.",
				 err_str(err));
	free(text);
	json_decref(list);
	wait_end(w);
}

ON_THREAD(ROLE_CTL) static void deny(struct http_req *req)
{
	http_set_header(req, "WWW-Authenticate", "Basic realm=\"mcu\", charset=\"UTF-8\"");
	http_reply_error(req, 401, "unauthorized",
			 "Sign in as an administrator. The first one's password was printed at the "
			 "server's first start.");
}

static void on_checked(void *obj, void *arg)
{
	struct wait *w = obj;
	const char *room = w->room[0] ? w->room : NULL;

	(void)arg;
	role_assert_ctl();
	if (!w->req) {
		wait_end(w);
		return;
	}
	if (w->verdict) {
		deny(w->req);
		wait_end(w);
		return;
	}
	if (recordings_list(w->routes->cfg.db, room, 0, RECORDING_LIST_MAX, on_list, w)) {
		busy(w->req);
		wait_end(w);
	}
}

/* On a thread of its own: Argon2 takes a tenth of a second. */
static void hash_job(gpointer data, gpointer user)
{
	struct wait *w = data;
	struct routes *r = user;

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
	snprintf(w->hash, sizeof w->hash, "%s",
		 !err && row->role == USER_ADMIN ? row->password_hash : nobody);
	g_thread_pool_push(w->routes->hashing, w, NULL);
}

ON_THREAD(ROLE_CTL) static void get_list(void *ctx, struct http_req *req)
{
	struct routes *r = ctx;
	const char *auth = http_req_header(req, "authorization"), *room = http_req_query(req, "room");
	char text[DB_NAME_MAX + PASSWORD_MAX + 2] = "", *colon;
	struct wait *w;
	gsize len;
	guchar *raw;

	role_assert_ctl();
	if (auth && !g_ascii_strncasecmp(auth, "Basic ", 6)) {
		raw = g_base64_decode(auth + 6, &len);
		if (len < sizeof text)
			memcpy(text, raw, len);
		g_free(raw);
	}
	colon = strchr(text, ':');
	/* More than a few at once is somebody guessing. */
	if (!colon || strlen(colon + 1) > PASSWORD_MAX || g_thread_pool_unprocessed(r->hashing) > 8) {
		deny(req);
		return;
	}
	*colon = 0;
	w = wait_new(r, req);
	if (!w)
		return;
	snprintf(w->room, sizeof w->room, "%s", room ? room : "");
	snprintf(w->password, sizeof w->password, "%s", colon + 1);
	if (users_find(r->cfg.db, text, on_user, w)) {
		busy(req);
		wait_end(w);
	}
	explicit_bzero(text, sizeof text);
}

int routes_new(struct routes **out, struct server *s, const struct routes_cfg *cfg)
{
	struct routes *r = calloc(1, sizeof *r);
	int err;

	if (!r)
		return -ENOMEM;
	r->cfg = *cfg;
	r->waiting = g_ptr_array_new();
	r->hashing = g_thread_pool_new(hash_job, r, 1, FALSE, NULL);
	err = server_route(s, "GET", "/healthz", get_health, r);
	if (!err)
		err = server_route(s, "GET", "/metrics", get_metrics, r);
	if (!err)
		err = server_route(s, "GET", "/api/v1/recordings", get_list, r);
	if (!err)
		err = server_route(s, "GET", "/recordings/:id/:token", get_file, r);
	*out = r;
	return err;
}

void routes_stop(struct routes *r)
{
	g_thread_pool_free(r->hashing, FALSE, TRUE);
	r->hashing = NULL;
	for (size_t i = 0; i < r->waiting->len; i++) {
		struct wait *w = g_ptr_array_index(r->waiting, i);

		if (w->req)
			http_reply_error(w->req, 503, "shutting_down", "The server is shutting down.");
		w->req = NULL;
	}
}

void routes_free(struct routes **r)
{
	if (!*r)
		return;
	for (size_t i = 0; i < (*r)->waiting->len; i++)
		free(g_ptr_array_index((*r)->waiting, i));
	g_ptr_array_unref((*r)->waiting);
	free(*r);
	*r = NULL;
}
