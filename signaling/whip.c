#include "signaling/whip.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/base/metrics.h"
#include "signaling/sdp_log.h"
#include "signaling/whip_internal.h"

enum { GATHER_MS = 1000, MAX_SESSIONS = 2000 };

METRIC_COUNTER(m_sessions, "mcu_whip_sessions_total", "WHIP and WHEP sessions that were asked for");

/* --- an endpoint ------------------------------------------------------------------- */

ON_THREAD(ROLE_CTL) static void read_request(struct whip_request *r, const struct http_req *req)
{
	*r = (struct whip_request){
		.room = http_req_param(req, "room"),
		.content_type = http_req_header(req, "content-type"),
		.accept = http_req_header(req, "accept"),
		.authorization = http_req_header(req, "authorization"),
		.if_match = http_req_header(req, "if-match"),
		.name = http_req_query(req, "name"),
		.pin = http_req_query(req, "pin"),
	};
	http_req_body(req, &r->body_len);
}

static int check_room_for_one(const struct whip *w, struct errmsg *why)
{
	if (w->stopping)
		errmsg_set(why, 0, "shutting_down",
			   "The server is shutting down; come back in a while.");
	else if (g_hash_table_size(w->sessions) >= w->cfg.max_sessions)
		errmsg_set(why, 0, "server_full",
			   "The server has as many sessions as it may. Try again later.");
	else
		return 0;
	return 503;
}

ON_THREAD(ROLE_CTL) static void post(struct whip *w, struct http_req *req, bool viewer)
{
	struct errmsg why = { .code = "" };
	struct join_req join = {
		.peer = http_req_peer(req), .tls = http_req_tls(req), .device = true, .kind = LEG_KIND_WHIP
	};
	struct whip_request r;
	struct sdp *offer = NULL;
	char line[96];
	size_t len;

	metric_add(&m_sessions, 1);
	read_request(&r, req);
	int status = whip_check_post(&r, viewer ? "Viewer" : "Stream", &join.token, &join.name, &why);
	if (!status)
		status = check_room_for_one(w, &why);
	if (!status) {
		const char *body = http_req_body(req, &len);
		snprintf(line, sizeof(line), "offer of %s of %s", viewer ? "WHEP" : "WHIP",
			 join.peer);
		sdp_log(NULL, line, body, len);
		if (sdp_parse(&offer, body, len, &why))
			status = whip_status(why.code, false);
	}
	if (status) {
		whip_reply_refusal(req, status, &why);
		return;
	}
	join.room = r.room;
	join.pin = r.pin;
	whip_session_begin(w, req, &join, offer, viewer);
}

static void post_whip(void *ctx, struct http_req *req)
{
	role_assert_ctl();
	post(ctx, req, false);
}

static void post_whep(void *ctx, struct http_req *req)
{
	role_assert_ctl();
	post(ctx, req, true);
}

static void options_endpoint(void *ctx, struct http_req *req)
{
	(void)ctx;
	role_assert_ctl();
	whip_reply_options(req, false);
}

/* --- a session --------------------------------------------------------------------- */

/* NULL: answered with 404. */
ON_THREAD(ROLE_CTL) static struct whip_session *find(struct whip *w, struct http_req *req)
{
	struct whip_session *s = g_hash_table_lookup(w->sessions, http_req_param(req, "id"));
	struct errmsg why;

	if (s)
		return s;
	errmsg_set(&why, 0, "not_found", "There is no such session, or it has ended. POST a new offer.");
	whip_reply_refusal(req, 404, &why);
	return NULL;
}

static void patch(void *ctx, struct http_req *req)
{
	struct whip *w = ctx;
	struct errmsg why = { .code = "" };
	struct whip_request r;
	struct sdpfrag frag;
	bool any = false;
	size_t len;

	role_assert_ctl();
	struct whip_session *s = find(w, req);
	if (!s)
		return;
	read_request(&r, req);
	int status = whip_check_patch(&r, s->etag, &any, &why);
	if (!status) {
		const char *body = http_req_body(req, &len);
		if (sdpfrag_parse(&frag, body, len, &why))
			status = whip_status(why.code, false);
	}
	if (status) {
		whip_reply_refusal(req, status, &why);
		return;
	}
	if (whip_session_restarts(s, &frag)) {
		whip_session_restart(s, req, &frag);
		return;
	}
	whip_session_trickle(s, &frag);
	whip_reply_nothing(req, 204);
}

static void delete(void *ctx, struct http_req *req)
{
	struct errmsg why;

	role_assert_ctl();
	struct whip_session *s = find(ctx, req);
	if (!s)
		return;
	errmsg_set(&why, 0, "bad_state", "The session was ended meanwhile.");
	whip_session_end(s, LEAVE_LEFT, &why);
	whip_reply_nothing(req, 200);
}

static void options_session(void *ctx, struct http_req *req)
{
	(void)ctx;
	role_assert_ctl();
	whip_reply_options(req, true);
}

/* --- life --------------------------------------------------------------------------- */

int whip_new(struct whip **out, const struct room_api *api, void *ctx, const struct whip_cfg *cfg)
{
	struct whip *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->api = api;
	w->api_ctx = ctx;
	if (cfg)
		w->cfg = *cfg;
	if (!w->cfg.gather_ms)
		w->cfg.gather_ms = GATHER_MS;
	if (!w->cfg.max_sessions)
		w->cfg.max_sessions = MAX_SESSIONS;
	w->sessions = g_hash_table_new(g_str_hash, g_str_equal);
	*out = w;
	return 0;
}

int whip_routes(struct whip *w, struct server *s)
{
	static const struct {
		const char *method, *pattern;
		http_handler *fn;
	} routes[] = {
		{ "POST", "/whip/:room", post_whip },
		{ "POST", "/whep/:room", post_whep },
		{ "OPTIONS", "/whip/:room", options_endpoint },
		{ "OPTIONS", "/whep/:room", options_endpoint },
		{ "PATCH", "/whip/session/:id", patch },
		{ "PATCH", "/whep/session/:id", patch },
		{ "DELETE", "/whip/session/:id", delete },
		{ "DELETE", "/whep/session/:id", delete },
		{ "OPTIONS", "/whip/session/:id", options_session },
		{ "OPTIONS", "/whep/session/:id", options_session },
	};
	int err = 0;

	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]) && !err; i++)
		err = server_route(s, routes[i].method, routes[i].pattern, routes[i].fn, w);
	return err;
}

void whip_shutdown(struct whip *w)
{
	GList *all = g_hash_table_get_values(w->sessions);
	struct errmsg why;

	w->stopping = true;
	errmsg_set(&why, 0, "shutting_down", "The server is shutting down; come back in a while.");
	/* no call of a leg ends the session of another one */
	for (GList *l = all; l; l = l->next)
		whip_session_end(l->data, LEAVE_SHUTDOWN, &why);
	g_list_free(all);
}

void whip_free(struct whip **w)
{
	if (!*w)
		return;
	g_hash_table_unref((*w)->sessions);
	free(*w);
	*w = NULL;
}

size_t whip_session_count(const struct whip *w)
{
	return g_hash_table_size(w->sessions);
}
