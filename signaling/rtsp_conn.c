#include "signaling/rtsp_internal.h"

#include <errno.h>
#include <glib-unix.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mcu/base/log.h"
#include "mcu/base/metrics.h"

METRIC_COUNTER(m_requests, "mcu_rtsp_requests_total", "RTSP requests that could be read");
METRIC_COUNTER(m_bad, "mcu_rtsp_malformed_total",
	       "RTSP connections closed for what came: no RTSP, too long or too much");
METRIC_GAUGE(g_conns, "mcu_rtsp_connections", "RTSP connections");

static void work(struct rtsp_conn *c) ON_THREAD(ROLE_CTL);

enum {
	READS = 8,
	BURST = 4,	    /* seconds' worth of requests or packets at once */
	PACKETS_PER_S = 50, /* reports of one connection: a client sends some per second */
};

/* --- life ---------------------------------------------------------------------------------- */

void rtsp_conn_forget(struct rtsp_conn *c)
{
	if (c->token)
		explicit_bzero(c->token, strlen(c->token));
	g_clear_pointer(&c->token, g_free);
	g_clear_pointer(&c->proof, g_free);
	g_clear_pointer(&c->user, g_free);
}

static void conn_free(struct rtsp_conn *c)
{
	rtsp_conn_forget(c);
	free(c->head);
	free(c->in);
	free(c);
	metric_add(&g_conns, -1);
}

void rtsp_conn_hold(struct rtsp_conn *c)
{
	c->holds++;
}

void rtsp_conn_release(struct rtsp_conn *c)
{
	if (!--c->holds && c->closed)
		conn_free(c);
}

ON_THREAD(ROLE_CTL) static void end_sessions(struct rtsp_conn *c)
{
	struct errmsg why;
	GHashTableIter it;
	gpointer v;
	bool again = true;

	errmsg_set(&why, 0, "connection_lost", "The connection was closed.");
	while (again) {
		again = false;
		g_hash_table_iter_init(&it, c->rtsp->sessions);
		while (!again && g_hash_table_iter_next(&it, NULL, &v)) {
			struct rtsp_session *s = v;

			if (s->conn != c)
				continue;
			s->conn = NULL;
			again = s->tcp;
			if (again)
				rtsp_session_end(s, &why);
		}
	}
}

void rtsp_conn_close(struct rtsp_conn *c)
{
	if (c->closed)
		return;
	rtsp_conn_hold(c);
	c->closed = true;
	g_ptr_array_remove_fast(c->rtsp->conns, c);
	if (c->source)
		g_source_remove(c->source);
	if (c->fd >= 0)
		close(c->fd);
	rtsp_ask_cancel(c);
	end_sessions(c);
	if (c->link)
		c->rtsp->cfg.host->link_free(&c->link);
	rtsp_conn_release(c);
}

/* --- what comes ------------------------------------------------------------------------------ */

ON_THREAD(ROLE_CTL) static void spoilt(struct rtsp_conn *c, int status)
{
	metric_add(&m_bad, 1);
	c->finish = true;
	rtsp_refuse(c, status, "This is no RTSP.");
}

ON_THREAD(ROLE_CTL) static void start(struct rtsp_conn *c, const struct rtsp_frame *f)
{
	const struct rtsp_cfg *cfg = &c->rtsp->cfg;

	free(c->head);
	c->head = malloc(f->len + 1);
	if (!c->head) {
		rtsp_conn_close(c);
		return;
	}
	memcpy(c->head, c->in + f->at, f->len);
	c->head[f->len] = '\0';
	c->body = f->body;
	c->busy = true;
	if (!quota_take(&c->requests, rtsp_now(c->rtsp), NS_PER_S / cfg->requests_per_s,
			BURST * NS_PER_S)) {
		c->req = (struct rtsp_request){ .major = 1 };
		c->finish = true;
		metric_add(&m_bad, 1);
		rtsp_refuse(c, 503, "Too many requests. Wait a while, then connect again.");
		return;
	}
	if (rtsp_request_read(&c->req, c->head, f->len)) {
		spoilt(c, 400);
		return;
	}
	metric_add(&m_requests, 1);
	rtsp_dispatch(c);
}

static void drop_front(struct rtsp_conn *c, size_t n)
{
	c->in_len -= n;
	memmove(c->in, c->in + n, c->in_len);
}

/* A packet between the requests. Each that is handed on takes a place in a mailbox that
 * others need too: there is no handing on without a session, and none without an end. */
ON_THREAD(ROLE_CTL) static void take_data(struct rtsp_conn *c, const struct rtsp_frame *f)
{
	uint8_t packet[RTSP_DATA_MAX];

	memcpy(packet, c->in + f->at, f->len);
	drop_front(c, f->total);
	if (!quota_take(&c->packets, rtsp_now(c->rtsp), NS_PER_S / PACKETS_PER_S, BURST * NS_PER_S)) {
		metric_add(&m_bad, 1);
		rtsp_conn_close(c);
	} else if (c->link && c->hears[f->channel]) {
		c->rtsp->cfg.host->link_feed(c->link, f->channel, packet, f->len);
	}
}

static void work(struct rtsp_conn *c)
{
	struct rtsp_frame f;

	if (c->working) /* a reply from inside */
		return;
	c->working = true;
	rtsp_conn_hold(c);
	while (!c->closed && !c->busy && !c->finish) {
		int err = rtsp_frame_read(&f, c->in, c->in_len);

		if (err) {
			c->busy = true;
			c->req = (struct rtsp_request){ .major = 1 };
			spoilt(c, err == -EMSGSIZE ? 413 : 400);
			break;
		}
		if (f.kind == RTSP_NOTHING)
			break;
		if (f.kind == RTSP_DATA) {
			take_data(c, &f);
			continue;
		}
		if (f.kind == RTSP_REQUEST)
			start(c, &f);
		if (!c->closed)
			drop_front(c, f.total);
	}
	c->working = false;
	if (c->finish && !c->busy)
		rtsp_conn_close(c);
	rtsp_conn_release(c);
}

void rtsp_conn_input(struct rtsp_conn *c, const uint8_t *p, size_t len)
{
	rtsp_conn_hold(c);
	c->heard_ns = rtsp_now(c->rtsp);
	while (len && !c->closed) {
		size_t n = RTSP_IN_BYTES - c->in_len;

		if (n > len)
			n = len;
		memcpy(c->in + c->in_len, p, n);
		c->in_len += n;
		p += n;
		len -= n;
		work(c);
		if (!n) { /* as much waits for an answer as may */
			metric_add(&m_bad, 1);
			rtsp_conn_close(c);
		}
	}
	rtsp_conn_release(c);
}

static gboolean on_readable(gint fd, GIOCondition cond, gpointer obj)
{
	struct rtsp_conn *c = obj;
	uint8_t some[4096];

	(void)cond;
	role_assert_ctl();
	rtsp_conn_hold(c);
	for (int i = 0; i < READS && !c->closed; i++) {
		ssize_t n = recv(fd, some, sizeof some, MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
			break;
		if (n <= 0)
			rtsp_conn_close(c);
		else
			rtsp_conn_input(c, some, (size_t)n);
	}
	rtsp_conn_release(c); /* the source is gone already if it was closed */
	return G_SOURCE_CONTINUE;
}

struct rtsp_conn *rtsp_conn_new(struct rtsp *r, int fd, const char *peer, const char *local)
{
	struct rtsp_conn *c = calloc(1, sizeof *c);

	if (c)
		c->in = malloc(RTSP_IN_BYTES);
	if (!c || !c->in || r->cfg.host->link_new(r->cfg.host_ctx, fd < 0 ? -1 : dup(fd), &c->link)) {
		if (c)
			free(c->in);
		free(c);
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	c->rtsp = r;
	c->fd = fd;
	g_strlcpy(c->peer, peer, sizeof c->peer);
	g_strlcpy(c->local, local, sizeof c->local);
	c->heard_ns = rtsp_now(r);
	if (fd >= 0)
		c->source = g_unix_fd_add(fd, G_IO_IN, on_readable, c);
	g_ptr_array_add(r->conns, c);
	metric_add(&g_conns, 1);
	return c;
}

/* --- replies ----------------------------------------------------------------------------------- */

static const char *text_of(int status)
{
	static const struct {
		int status;
		const char *text;
	} known[] = {
		{ 200, "OK" }, { 400, "Bad Request" }, { 401, "Unauthorized" }, { 403, "Forbidden" },
		{ 404, "Not Found" }, { 405, "Method Not Allowed" }, { 406, "Not Acceptable" },
		{ 413, "Request Entity Too Large" }, { 451, "Parameter Not Understood" },
		{ 453, "Not Enough Bandwidth" }, { 454, "Session Not Found" },
		{ 455, "Method Not Valid in This State" }, { 457, "Invalid Range" },
		{ 459, "Aggregate Operation Not Allowed" }, { 460, "Only Aggregate Operation Allowed" },
		{ 461, "Unsupported Transport" }, { 501, "Not Implemented" },
		{ 503, "Service Unavailable" }, { 505, "RTSP Version Not Supported" },
		{ 551, "Option not supported" },
	};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (known[i].status == status)
			return known[i].text;
	return "Internal Server Error";
}

void rtsp_reply(struct rtsp_conn *c, int status, const struct rtsp_session *s, const char *headers,
		const char *type, const char *body)
{
	GString *out;

	if (c->closed || !c->busy)
		return;
	out = g_string_new(NULL);
	g_string_append_printf(out, "RTSP/1.0 %d %s\r\n", status, text_of(status));
	if (c->req.has_cseq)
		g_string_append_printf(out, "CSeq: %u\r\n", c->req.cseq);
	g_string_append(out, "Server: mcu\r\n");
	if (s)
		g_string_append_printf(out, "Session: %s;timeout=%u\r\n", s->id, c->rtsp->cfg.session_s);
	if (headers)
		g_string_append(out, headers);
	if (c->finish)
		g_string_append(out, "Connection: close\r\n");
	if (body)
		g_string_append_printf(out, "Content-Type: %s\r\nContent-Length: %zu\r\n", type, strlen(body));
	g_string_append(out, "\r\n");
	if (body)
		g_string_append(out, body);
	c->busy = false;
	if (c->rtsp->cfg.host->link_text(c->link, out->str, out->len))
		c->finish = true;
	g_string_free(out, TRUE);
	work(c);
}

void rtsp_refuse(struct rtsp_conn *c, int status, const char *text)
{
	char challenge[SIP_CHALLENGE_MAX], headers[SIP_CHALLENGE_MAX + 32] = "";

	if (status == 401) {
		sip_auth_challenge_bare(c->rtsp->auth, false, c->peer, rtsp_now(c->rtsp), challenge);
		g_snprintf(headers, sizeof headers, "WWW-Authenticate: %s\r\n", challenge);
	}
	if (status == 405)
		g_strlcpy(headers, "Allow: OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, TEARDOWN, GET_PARAMETER, "
			  "SET_PARAMETER\r\n", sizeof headers);
	rtsp_reply(c, status, NULL, headers, "text/plain; charset=utf-8", text);
}

void rtsp_refuse_why(struct rtsp_conn *c, const struct errmsg *why)
{
	static const struct {
		const char *code;
		int status;
	} known[] = {
		{ "token_invalid", 401 }, { "token_expired", 401 }, { "pin_required", 401 },
		{ "members_only", 401 }, { "sign_in_needed", 401 }, { "pin_wrong", 403 },
		{ "room_locked", 403 }, { "not_allowed", 403 }, { "lobby", 403 }, { "kicked", 403 },
		{ "rate_limited", 403 }, { "room_unknown", 404 }, { "room_name_invalid", 404 },
		{ "not_found", 404 }, { "link_expired", 403 }, { "name_invalid", 400 }, { "too_many_from_address", 453 },
		{ "room_full", 453 }, { "server_full", 453 }, { "busy", 453 }, { "overloaded", 453 },
		{ "not_ready", 404 }, { "shutting_down", 503 }, { "not_acceptable", 461 },
		{ "no_common_codec", 461 }, { "timeout", 454 }, { "ended", 454 }, { "range", 457 },
	};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (!strcmp(why->code, known[i].code)) {
			rtsp_refuse(c, known[i].status, why->text);
			return;
		}
	rtsp_refuse(c, 500, why->text[0] ? why->text : "That failed.");
}

void rtsp_url(const struct rtsp_conn *c, enum rtsp_track t, char *out, size_t cap)
{
	const struct rtsp_uri *u = &c->uri;
	char *name = g_uri_escape_string(u->name, NULL, FALSE);

	g_snprintf(out, cap, "rtsp://%s/%s/%s%s%s%s%s", u->authority,
		   u->place == RTSP_PLACE_ROOM ? "rooms" : "recordings", name, t ? "/" : "",
		   rtsp_track_name(t), u->query[0] ? "?" : "", u->query);
	g_free(name);
}
