#include "mcu/routes.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/dial.h"
#include "mcu/openapi.h"
#include "mcu/options.h"
#include "mcu/routes_priv.h"

static void get_health(void *ctx, struct http_req *req)
{
	(void)ctx;
	role_assert_ctl();
	http_reply(req, 200, "application/json", "{\"status\":\"ok\"}\n", 16);
}

/* How a telephone gets here; NULL: SIP is off. */
ON_THREAD(ROLE_CTL) static json_t *dial_in_json(const struct routes *r)
{
	const struct config *c = r->cfg.config;

	if (!dials_ready(conference_dials(r->cfg.conference)))
		return NULL;
	return json_pack("{s:s, s:s, s:s, s:s}", "number", c->sip.dial_in, "domain", c->sip.domain,
			 "bridge", c->sip.bridge, "dial", c->sip.dial);
}

static void get_server(void *ctx, struct http_req *req)
{
	struct routes *r = ctx;
	json_t *body;
	char *text;

	role_assert_ctl();
	body = json_pack("{s:s, s:s, s:b, s:o*}", "name", r->cfg.config->server.name, "version",
			 options_version(), "sign_in", 1, "dial_in", dial_in_json(r));
	text = json_dumps(body, JSON_COMPACT);
	if (text)
		http_reply(req, 200, "application/json", text, strlen(text));
	else
		http_reply_error(req, 503, "internal", "The server is out of memory.");
	free(text);
	json_decref(body);
}

static void get_openapi(void *ctx, struct http_req *req)
{
	size_t len;
	const char *text = openapi_document(&len);

	(void)ctx;
	role_assert_ctl();
	http_reply(req, 200, "application/yaml", text, len);
}

static int pool_metric(struct metrics_text *out, const char *pool, size_t in_use)
{
	const char *labels[] = { "pool", pool, NULL };

	return metrics_series(out, "mcu_pool_in_use", labels, (double)in_use);
}

static int engine_metrics(const struct engine *e, struct metrics_text *out)
{
	int err = metrics_family(out, "mcu_pool_in_use", "Buffers of a pool in use.", "gauge");

	if (!err)
		err = pool_metric(out, "access_units", buf_pool_in_use(e->au_pool));
	if (!err)
		err = pool_metric(out, "pictures", vframe_pool_in_use(e->pictures));
	if (!err)
		err = pool_metric(out, "video_batches", rtp_batch_pool_in_use(e->video_batches));
	if (!err)
		err = pool_metric(out, "audio_batches", rtp_batch_pool_in_use(e->audio_batches));
	return err;
}

ON_THREAD(ROLE_CTL) static void reply_metrics(struct routes *r, struct http_req *req)
{
	struct metrics_text t = { 0 };
	int err = metrics_write(&t);

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

/* A program on this machine; not somebody whom a reverse proxy on it speaks for. */
ON_THREAD(ROLE_CTL) static bool is_local(const struct http_req *req)
{
	const char *peer = http_req_peer(req);
	bool local = g_str_has_prefix(peer, "127.") || !strcmp(peer, "::1") ||
		     g_str_has_prefix(peer, "::ffff:127.");

	return local && !http_req_header(req, "x-forwarded-for");
}

ON_THREAD(ROLE_CTL) static void metrics_for_admin(struct wait *w)
{
	if (w->req)
		reply_metrics(w->routes, w->req);
	wait_end(w);
}

/* They name the rooms that are running. */
static void get_metrics(void *ctx, struct http_req *req)
{
	struct routes *r = ctx;
	struct wait *w;

	role_assert_ctl();
	if (r->cfg.config->http.public_metrics || is_local(req)) {
		reply_metrics(r, req);
		return;
	}
	w = wait_new(r, req);
	if (w)
		wait_for_account(w, USER_ADMIN, metrics_for_admin);
}

struct wait *wait_new(struct routes *r, struct http_req *req)
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

static void wait_free(struct wait *w)
{
	json_decref(w->body);
	if (w->secret)
		explicit_bzero(w->secret, sizeof *w->secret);
	free(w->secret);
	free(w->usage);
	free(w->rec);
	free(w->plan);
	explicit_bzero(w, sizeof *w);
	free(w);
}

void wait_end(struct wait *w)
{
	g_ptr_array_remove_fast(w->routes->waiting, w);
	wait_free(w);
}

void wait_reply_busy(struct wait *w)
{
	if (w->req)
		http_reply_error(w->req, 503, "internal", "The registry is busy. Try again.");
	wait_end(w);
}

void wait_reply_json(struct wait *w, int err, int status, json_t *body)
{
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;

	if (w->req && !err && text)
		http_reply(w->req, status, "application/json", text, strlen(text));
	else if (w->req)
		http_reply_error(w->req, 500, "internal", "The registry failed: %s.",
				 err_str(err ? err : -ENOMEM));
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
	json_decref(body);
	wait_end(w);
}

void wait_reply_nothing(struct wait *w)
{
	if (w->req)
		http_reply(w->req, 204, NULL, NULL, 0);
	wait_end(w);
}

ON_THREAD(ROLE_CTL) static int own_routes(struct routes *r, struct server *s)
{
	int err = server_route(s, "GET", "/healthz", get_health, r);

	if (!err)
		err = server_route(s, "GET", "/metrics", get_metrics, r);
	if (!err)
		err = server_route(s, "GET", "/api/v1/server", get_server, r);
	return err ? err : server_route(s, "GET", "/api/v1/openapi.yaml", get_openapi, r);
}

int routes_new(struct routes **out, struct server *s, const struct routes_cfg *cfg)
{
	struct routes *r = calloc(1, sizeof *r);
	int err;

	if (!r)
		return -ENOMEM;
	r->cfg = *cfg;
	r->waiting = g_ptr_array_new();
	err = own_routes(r, s);
	if (!err)
		err = routes_admin_new(r, s);
	if (!err)
		err = routes_captures_new(r, s);
	if (!err)
		err = routes_auth_new(r, s);
	if (!err)
		err = routes_users_new(r, s);
	if (!err)
		err = routes_sip_new(r, s);
	if (!err)
		err = routes_trunks_new(r, s);
	if (!err)
		err = routes_tokens_new(r, s);
	if (!err)
		err = routes_rooms_new(r, s);
	if (!err)
		err = routes_invitations_new(r, s);
	if (!err)
		err = routes_legs_new(r, s);
	if (!err)
		err = routes_layout_new(r, s);
	if (!err)
		err = routes_history_new(r, s);
	if (!err)
		err = routes_statistics_new(r, s);
	if (!err)
		err = routes_plans_new(r, s);
	if (!err)
		err = routes_calls_new(r, s);
	if (!err)
		err = routes_dial_new(r, s);
	if (!err)
		err = routes_hls_new(r, s);
	if (!err)
		err = routes_pushes_new(r, s);
	if (!err)
		err = routes_record_new(r, s);
	if (!err)
		err = routes_playbacks_new(r, s);
	if (!err)
		err = routes_recordings_new(r, s);
	if (!err)
		err = routes_recording_rules_new(r, s);
	if (!err)
		err = routes_recording_files_new(r, s);
	*out = r;
	return err;
}

void routes_stop(struct routes *r)
{
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
		wait_free(g_ptr_array_index((*r)->waiting, i));
	g_ptr_array_unref((*r)->waiting);
	free(*r);
	*r = NULL;
}
