#include "signaling/server.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "mcu/base/metrics.h"
#include "signaling/http_text.h"
#include "signaling/server_internal.h"
#include "signaling/utf8.h"

METRIC_COUNTER(m_requests, "mcu_http_requests_total", "HTTP requests received");

enum { REFUSED_BODY_MAX = 64 << 20 };

static const struct {
	const char *name;
	enum lws_token_indexes token;
} known_headers[] = {
	{ "authorization", WSI_TOKEN_HTTP_AUTHORIZATION },
	{ "content-type", WSI_TOKEN_HTTP_CONTENT_TYPE },
	{ "cookie", WSI_TOKEN_HTTP_COOKIE },
	{ "host", WSI_TOKEN_HOST },
	{ "if-match", WSI_TOKEN_HTTP_IF_MATCH },
	{ "if-none-match", WSI_TOKEN_HTTP_IF_NONE_MATCH },
	{ "x-forwarded-for", WSI_TOKEN_X_FORWARDED_FOR },
	{ "accept-encoding", WSI_TOKEN_HTTP_ACCEPT_ENCODING },
	{ "if-range", WSI_TOKEN_HTTP_IF_RANGE },
	{ "origin", WSI_TOKEN_ORIGIN },
	{ "range", WSI_TOKEN_HTTP_RANGE },
	{ "user-agent", WSI_TOKEN_HTTP_USER_AGENT },
	{ "accept", WSI_TOKEN_HTTP_ACCEPT },
	{ "accept-language", WSI_TOKEN_HTTP_ACCEPT_LANGUAGE },
};

/* --- pairs ---------------------------------------------------------------------- */

static void pair_clear(gpointer p)
{
	struct http_pair *pair = p;
	g_free(pair->name);
	g_free(pair->value);
}

static GArray *pairs_new(void)
{
	GArray *a = g_array_new(FALSE, TRUE, sizeof(struct http_pair));
	g_array_set_clear_func(a, pair_clear);
	return a;
}

static void pairs_add(GArray *a, char *name, char *value)
{
	struct http_pair p = { name, value };
	g_array_append_val(a, p);
}

const char *pairs_get(const GArray *pairs, const char *name)
{
	for (guint i = 0; pairs && i < pairs->len; i++) {
		const struct http_pair *p = &g_array_index(pairs, struct http_pair, i);
		if (!strcmp(p->name, name))
			return p->value;
	}
	return NULL;
}

/* --- a request's life ------------------------------------------------------------ */

void http_req_free(struct http_req *r)
{
	http_stop_waiting(r);
	g_free(r->path);
	g_array_unref(r->headers);
	g_array_unref(r->query);
	if (r->params)
		g_array_unref(r->params);
	g_byte_array_free(r->body, TRUE);
	free(r->refused);
	for (size_t i = 0; i < r->n_reply_headers; i++)
		pair_clear(&r->reply_header[i]);
	g_free(r->content_type);
	g_free(r->download_name);
	free(r->block);
	file_drop(&r->file);
	free(r);
}

/* The peer went away. A handler that has the request keeps it until it answers. */
void http_on_gone(struct conn *c)
{
	struct http_req *r = c->req;
	if (!r)
		return;
	c->req = NULL;
	r->conn = NULL;
	http_stop_waiting(r);
	if (r->state == REQ_BODY && r->sink)
		r->sink->gone(r->sunk);
	if (r->state != REQ_HANDLING)
		http_req_free(r);
}

static void read_headers(struct http_req *r, struct lws *wsi)
{
	for (size_t i = 0; i < sizeof(known_headers) / sizeof(known_headers[0]); i++) {
		int n = lws_hdr_total_length(wsi, known_headers[i].token);
		if (n <= 0)
			continue;
		char *v = g_malloc0((gsize)n + 1);
		if (lws_hdr_copy(wsi, v, n + 1, known_headers[i].token) < 0)
			g_free(v);
		else
			pairs_add(r->headers, g_strdup(known_headers[i].name), v);
	}
}

static void read_query(struct http_req *r, struct lws *wsi)
{
	char text[1024];
	for (int i = 0; i < 32; i++) {
		if (lws_hdr_copy_fragment(wsi, text, sizeof(text), WSI_TOKEN_HTTP_URI_ARGS, i) < 0)
			break;
		char *eq = strchr(text, '=');
		if (eq)
			*eq = 0;
		pairs_add(r->query, g_strdup(text), g_strdup(eq ? eq + 1 : ""));
	}
}

static const char *read_method(struct lws *wsi)
{
	static const struct {
		enum lws_token_indexes token;
		const char *name;
	} methods[] = {
		{ WSI_TOKEN_GET_URI, "GET" },	      { WSI_TOKEN_POST_URI, "POST" },
		{ WSI_TOKEN_HEAD_URI, "HEAD" },	      { WSI_TOKEN_PUT_URI, "PUT" },
		{ WSI_TOKEN_PATCH_URI, "PATCH" },     { WSI_TOKEN_DELETE_URI, "DELETE" },
		{ WSI_TOKEN_OPTIONS_URI, "OPTIONS" },
	};
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (lws_hdr_total_length(wsi, methods[i].token) > 0)
			return methods[i].name;
	return NULL;
}

/* Octets of the body that will come; -1: cannot be said. */
static int64_t body_length(struct lws *wsi)
{
	char text[24];
	if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0)
		return -1;
	if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH) <= 0)
		return 0;
	if (lws_hdr_copy(wsi, text, sizeof(text), WSI_TOKEN_HTTP_CONTENT_LENGTH) <= 0 ||
	    strlen(text) > 15 || strspn(text, "0123456789") != strlen(text))
		return -1;
	return atoll(text);
}

static struct http_req *req_new(struct conn *c, const char *method, const char *uri, size_t len)
{
	struct http_req *r = calloc(1, sizeof(*r));
	if (!r)
		return NULL;
	r->srv = c->srv;
	r->conn = c;
	memcpy(r->peer, c->peer, sizeof(r->peer));
	r->began_ns = c->moved_ns;
	r->method = method;
	r->keep = true;
	r->path = g_strndup(uri, len);
	r->headers = pairs_new();
	r->query = pairs_new();
	r->body = g_byte_array_new();
	read_headers(r, c->wsi);
	read_query(r, c->wsi);
	c->req = r;
	return r;
}

/* --- routes ----------------------------------------------------------------------- */

int server_route(struct server *s, const char *method, const char *pattern, http_handler *fn,
		 void *ctx)
{
	if (s->n_routes == SERVER_MAX_ROUTES)
		return -ENOSPC;
	s->routes[s->n_routes++] = (struct route){ g_strdup(method), g_strdup(pattern), fn, ctx, NULL };
	return 0;
}

int server_route_sink(struct server *s, const char *method, const char *pattern,
		      const struct http_sink *sink, http_handler *fn, void *ctx)
{
	int err = server_route(s, method, pattern, fn, ctx);

	if (!err)
		s->routes[s->n_routes - 1].sink = sink;
	return err;
}

bool server_get_route(const struct server *s, size_t i, const char **method, const char **pattern)
{
	if (i >= s->n_routes)
		return false;
	*method = s->routes[i].method;
	*pattern = s->routes[i].pattern;
	return true;
}

static void add_param(void *obj, const char *name, size_t name_len, const char *value,
		      size_t value_len)
{
	pairs_add(obj, g_strndup(name, name_len), g_strndup(value, value_len));
}

static bool method_fits(const char *route, const char *method)
{
	return !strcmp(route, method) || (!strcmp(route, "GET") && !strcmp(method, "HEAD"));
}

static void dispatch(struct http_req *r) ON_THREAD(ROLE_CTL)
{
	struct server *s = r->srv;
	bool known = false;

	r->state = REQ_HANDLING;
	lws_set_timeout(r->conn->wsi, NO_PENDING_TIMEOUT, 0);
	http_pause(r);
	if (r->refused) {
		http_reply_error(r, r->refused->status, r->refused->why.code, "%s", r->refused->why.text);
		return;
	}
	for (size_t i = 0; i < s->n_routes; i++) {
		GArray *params = pairs_new();
		bool fits = http_pattern_match(s->routes[i].pattern, r->path, add_param, params);
		if (fits && method_fits(s->routes[i].method, r->method)) {
			if (r->params)
				g_array_unref(r->params);
			r->params = params;
			r->pattern = s->routes[i].pattern;
			s->routes[i].fn(s->routes[i].ctx, r);
			return;
		}
		known = known || fits;
		g_array_unref(params);
	}
	if (known)
		http_reply_error(r, 405, "method_not_allowed", "%s is not possible here.",
				 r->method);
	else if (s->web_root && strncmp(r->path, "/api/", 5) && method_fits("GET", r->method))
		http_reply_web(r);
	else
		http_reply_error(r, 404, "not_found", "There is nothing at this address.");
}

/* The route of a body that is not kept; NULL: it is. Its parameters are read then. */
static const struct route *sink_route(struct http_req *r)
{
	struct server *s = r->srv;

	for (size_t i = 0; i < s->n_routes; i++) {
		GArray *params;

		if (!s->routes[i].sink || !method_fits(s->routes[i].method, r->method))
			continue;
		params = pairs_new();
		if (http_pattern_match(s->routes[i].pattern, r->path, add_param, params)) {
			r->params = params;
			return &s->routes[i];
		}
		g_array_unref(params);
	}
	return NULL;
}

static int status_of(int err)
{
	return err == -EMSGSIZE ? 413 : err == -ENOENT ? 404 : err == -EDQUOT ? 507 :
	       err == -EBUSY ? 409 : err == -EINVAL ? 400 : 503;
}

/* Whoever is still sending would not hear an answer that the end of the connection follows:
 * what is not too much is taken and thrown away first. False: it is too much. */
static bool refuse_later(struct http_req *r, int status, const struct errmsg *why, uint64_t len)
{
	if (len > REFUSED_BODY_MAX)
		return false;
	r->refused = malloc(sizeof(*r->refused));
	if (!r->refused)
		return false;
	*r->refused = (struct refusal){ status, *why };
	r->body_expected = len;
	r->state = REQ_BODY;
	return true;
}

/* -1: the connection is to be closed. */
ON_THREAD(ROLE_CTL) static int begin_sink(struct http_req *r, const struct route *to, uint64_t len)
{
	struct errmsg why;
	int err = to->sink->begin(to->ctx, r, len, &r->sunk, &why);

	if (err && refuse_later(r, status_of(err), &why, len))
		return 0;
	if (err) {
		r->keep = false;
		r->state = REQ_HANDLING;
		http_reply_error(r, status_of(err), why.code, "%s", why.text);
		return http_on_writable(r->conn);
	}
	r->sink = to->sink;
	r->body_expected = len;
	r->state = REQ_BODY;
	return 0;
}

void *http_req_sunk(const struct http_req *r)
{
	return r->sunk;
}

void http_body_go_on(struct http_req *r)
{
	if (r->conn && r->state == REQ_BODY)
		lws_rx_flow_control(r->conn->wsi, LWS_RXFLOW_REASON_APPLIES_ENABLE |
							  LWS_RXFLOW_REASON_USER_BOOL |
							  LWS_RXFLOW_REASON_FLAG_PROCESS_NOW);
}

int http_on_request(struct conn *c, const char *uri, size_t len)
{
	const char *method = read_method(c->wsi);
	int64_t body = body_length(c->wsi);

	metric_add(&m_requests, 1);
	c->moved_ns = clock_now_ns(c->srv->cfg.clock);
	if (c->req || !method)
		return -1;
	struct http_req *r = req_new(c, method, uri, len);
	if (!r)
		return -1;
	if (body > 0 && utf8_valid(r->path)) {
		const struct route *to = sink_route(r);

		if (to)
			return begin_sink(r, to, (uint64_t)body);
	}
	if (body < 0 || (uint64_t)body > c->srv->cfg.body_max_bytes || !utf8_valid(r->path)) {
		/* the rest of what it sends cannot be told from the next request */
		r->keep = false;
		r->state = REQ_HANDLING;
		if (body < 0)
			http_reply_error(r, 411, "length_required", "Say the length of the body.");
		else if (body)
			http_reply_error(r, 413, "too_large", "The body has more than %zu octets.",
					 c->srv->cfg.body_max_bytes);
		else
			http_reply_error(r, 400, "bad_path", "The path is not UTF-8.");
		return http_on_writable(c);
	}
	r->body_expected = (uint64_t)body;
	r->state = REQ_BODY;
	if (!body)
		dispatch(r);
	return 0;
}

int http_on_body(struct conn *c, const void *data, size_t len)
{
	struct http_req *r = c->req;
	if (!r || r->state != REQ_BODY)
		return 0;
	c->moved_ns = clock_now_ns(c->srv->cfg.clock);
	if (r->sink || r->refused) {
		r->sunk_bytes += len;
		if (r->sunk_bytes > r->body_expected)
			return -1;
		if (r->sink && !r->sink->data(r->sunk, data, len))
			http_pause(r);
		return 0;
	}
	if (r->body->len + len > r->body_expected)
		return -1;
	g_byte_array_append(r->body, data, (guint)len);
	return 0;
}

int http_on_body_end(struct conn *c)
{
	struct http_req *r = c->req;
	if (r && r->state == REQ_BODY)
		dispatch(r);
	return 0;
}

/* --- what a handler asks ------------------------------------------------------------ */

const char *http_req_method(const struct http_req *r)
{
	return r->method;
}

const char *http_req_path(const struct http_req *r)
{
	return r->path;
}

const char *http_req_pattern(const struct http_req *r)
{
	return r->pattern;
}

const char *http_req_param(const struct http_req *r, const char *name)
{
	return pairs_get(r->params, name);
}

const char *http_req_query(const struct http_req *r, const char *name)
{
	return pairs_get(r->query, name);
}

const char *http_req_header(const struct http_req *r, const char *name)
{
	return pairs_get(r->headers, name);
}

const char *http_req_body(const struct http_req *r, size_t *len)
{
	g_byte_array_append(r->body, (const guint8 *)"", 1);
	g_byte_array_set_size(r->body, r->body->len - 1);
	*len = r->body->len;
	return (const char *)r->body->data;
}

const char *http_req_peer(const struct http_req *r)
{
	return r->peer;
}

bool http_req_tls(const struct http_req *r)
{
	return r->conn && r->conn->tls;
}

bool http_req_gone(const struct http_req *r)
{
	return !r->conn;
}

/* --- what a handler answers ----------------------------------------------------------- */

int http_set_header(struct http_req *r, const char *name, const char *value)
{
	if (r->n_reply_headers == SERVER_MAX_REPLY_HEADERS || strpbrk(name, "\r\n: ") ||
	    strpbrk(value, "\r\n"))
		return -EINVAL;
	/* libwebsockets wants the colon in the name */
	r->reply_header[r->n_reply_headers++] =
		(struct http_pair){ g_strconcat(name, ":", NULL), g_strdup(value) };
	return 0;
}

void http_set_cache(struct http_req *r, const char *value)
{
	r->cache_control = value;
}

void http_reply(struct http_req *r, int status, const char *content_type, const void *body,
		size_t len)
{
	r->status = status;
	r->content_type = g_strdup(content_type);
	r->has_length = status != 204 && status != 304;
	r->length = r->left = len;
	if (len) {
		r->block = malloc(sizeof(*r->block) + LWS_PRE + len);
		if (!r->block) {
			r->status = 500;
			r->length = r->left = 0;
		} else {
			*r->block = (struct out_block){ .len = len };
			memcpy(r->block->bytes + LWS_PRE, body, len);
		}
	}
	if (!r->cache_control)
		r->cache_control = "no-store";
	http_send(r);
}

void http_reply_error(struct http_req *r, int status, const char *code, const char *fmt, ...)
{
	char text[320];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	json_t *o = json_pack("{s:s, s:s}", "code", code, "text", utf8_valid(text) ? text : "?");
	char *body = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	http_reply(r, status, "application/json", body ? body : "", body ? strlen(body) : 0);
	free(body);
}
