#include "signaling/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/base/log.h"
#include "mcu/base/metrics.h"
#include "signaling/server_internal.h"

METRIC_GAUGE(m_sessions, "mcu_ws_sessions", "Open WebSocket sessions");
METRIC_COUNTER(m_messages, "mcu_ws_messages_total", "Messages received over WebSocket");
METRIC_COUNTER(m_slow, "mcu_ws_slow_dropped_total",
	       "WebSocket sessions dropped because they did not read what was sent");
METRIC_COUNTER(m_rate, "mcu_ws_rate_limited_total",
	       "WebSocket sessions closed because they sent too many messages");
METRIC_COUNTER(m_large, "mcu_ws_oversized_total",
	       "WebSocket sessions closed because they sent too large a message");
METRIC_COUNTER(m_timeout, "mcu_ws_timeouts_total",
	       "WebSocket sessions dropped because they gave no sign of life");

struct ws_session {
	struct conn *conn;
	struct server *srv;
	void *user;
	struct ws_session *next, **link;
	GByteArray *rx;
	struct out_block *first, **last;
	size_t queued_bytes;
	bool closing; /* after what is queued; nothing is read any more */
	bool dropped; /* at once */
	int close_code;
	char close_reason[121];
	bool ping_due, pinged;
	int64_t heard_ns;  /* the last sign of life */
	int64_t window_ns; /* when the second began that is counted */
	unsigned in_window;
};

static int64_t now_ns(const struct server *s)
{
	return clock_now_ns(s->cfg.clock);
}

/* --- sending -------------------------------------------------------------------- */

static gboolean on_reap(gpointer obj)
{
	struct server *srv = obj;
	struct ws_session *s;

	role_assert_ctl();
	do { /* closing one takes it off the list */
		for (s = srv->sessions; s && !s->dropped; s = s->next)
			;
		if (s)
			lws_set_timeout(s->conn->wsi, PENDING_TIMEOUT_CLOSE_SEND, LWS_TO_KILL_SYNC);
	} while (s);
	g_source_unref(srv->reaper);
	srv->reaper = NULL;
	return G_SOURCE_REMOVE;
}

/* Without waiting for the socket; from the loop, since this may be inside one of
 * libwebsockets' callbacks (whose own asynchronous kill waits, on GLib, until
 * something else happens). */
static void drop(struct ws_session *s)
{
	struct server *srv = s->srv;
	s->dropped = true;
	s->closing = true;
	if (srv->reaper)
		return;
	srv->reaper = g_idle_source_new();
	g_source_set_priority(srv->reaper, G_PRIORITY_DEFAULT);
	g_source_set_callback(srv->reaper, on_reap, srv, NULL);
	g_source_attach(srv->reaper, srv->gctx);
}

int ws_send_text(struct ws_session *s, const char *text, size_t len)
{
	if (s->closing)
		return -EPIPE;
	if (s->queued_bytes + len > s->srv->cfg.ws_queue_bytes) {
		metric_add(&m_slow, 1);
		log_warn(NULL, "session of %s dropped: %zu octets wait and it does not read",
			 s->conn->peer, s->queued_bytes);
		drop(s);
		return -EAGAIN;
	}
	struct out_block *b = malloc(sizeof(*b) + LWS_PRE + len);
	if (!b) {
		drop(s);
		return -ENOMEM;
	}
	b->next = NULL;
	b->len = len;
	memcpy(b->bytes + LWS_PRE, text, len);
	*s->last = b;
	s->last = &b->next;
	s->queued_bytes += len;
	lws_callback_on_writable(s->conn->wsi);
	return 0;
}

void ws_close(struct ws_session *s, int code, const char *reason)
{
	if (s->closing)
		return;
	s->closing = true;
	s->close_code = code;
	g_strlcpy(s->close_reason, reason ? reason : "", sizeof(s->close_reason));
	lws_callback_on_writable(s->conn->wsi);
}

static struct out_block *queue_pop(struct ws_session *s)
{
	struct out_block *b = s->first;
	if (b) {
		s->first = b->next;
		if (!s->first)
			s->last = &s->first;
		s->queued_bytes -= b->len;
	}
	return b;
}

static int send_ping(struct ws_session *s)
{
	unsigned char bytes[LWS_PRE + 4] = { 0 };
	s->ping_due = false;
	return lws_write(s->conn->wsi, bytes + LWS_PRE, 4, LWS_WRITE_PING) < 0 ? -1 : 0;
}

static int on_writable(struct ws_session *s)
{
	struct lws *wsi = s->conn->wsi;
	struct out_block *b;

	if (s->dropped)
		return -1;
	if (s->ping_due && send_ping(s))
		return -1;
	do {
		b = queue_pop(s);
		if (!b)
			break;
		int n = lws_write(wsi, b->bytes + LWS_PRE, b->len, LWS_WRITE_TEXT);
		free(b);
		if (n < 0)
			return -1;
	} while (!lws_send_pipe_choked(wsi));
	if (s->first) {
		lws_callback_on_writable(wsi);
	} else if (s->closing) {
		if (lws_partial_buffered(wsi)) {
			lws_callback_on_writable(wsi);
			return 0;
		}
		lws_close_reason(wsi, (enum lws_close_status)s->close_code,
				 (unsigned char *)s->close_reason, strlen(s->close_reason));
		return -1;
	}
	return 0;
}

/* --- receiving ------------------------------------------------------------------ */

static void report(struct ws_session *s, int err, const struct errmsg *why, int close_code)
	ON_THREAD(ROLE_CTL)
{
	struct client_msg none = { .id = "" };
	s->srv->events->message(s->srv->ctx, s, &none, err, why);
	ws_close(s, close_code, why->code);
}

static bool within_rate(struct ws_session *s)
{
	int64_t now = now_ns(s->srv);
	if (now - s->window_ns >= NS_PER_S) {
		s->window_ns = now;
		s->in_window = 0;
	}
	return ++s->in_window <= s->srv->cfg.ws_msgs_per_s;
}

static void on_message(struct ws_session *s) ON_THREAD(ROLE_CTL)
{
	struct client_msg msg;
	struct errmsg why = { .code = "" };

	metric_add(&m_messages, 1);
	if (!within_rate(s)) {
		metric_add(&m_rate, 1);
		int err = errmsg_set(&why, -EDQUOT, "rate_limited",
				     "More than %u messages came within a second.",
				     s->srv->cfg.ws_msgs_per_s);
		report(s, err, &why, LWS_CLOSE_STATUS_POLICY_VIOLATION);
		return;
	}
	int err = client_msg_parse(&msg, (const char *)s->rx->data, s->rx->len, &why);
	s->srv->events->message(s->srv->ctx, s, &msg, err, &why);
	client_msg_clear(&msg);
}

static int on_receive(struct ws_session *s, const void *in, size_t len) ON_THREAD(ROLE_CTL)
{
	struct lws *wsi = s->conn->wsi;
	struct errmsg why;

	s->heard_ns = now_ns(s->srv);
	s->pinged = false;
	if (s->closing)
		return 0;
	if (lws_is_first_fragment(wsi))
		g_byte_array_set_size(s->rx, 0);
	if (lws_frame_is_binary(wsi)) {
		errmsg_set(&why, 0, "bad_json", "Messages are text frames, not binary ones.");
		report(s, -EPROTO, &why, LWS_CLOSE_STATUS_UNACCEPTABLE_OPCODE);
		return 0;
	}
	if (s->rx->len + len > PROTOCOL_MAX_BYTES) {
		metric_add(&m_large, 1);
		errmsg_set(&why, 0, "bad_json", "A message has at most %d octets.",
			   PROTOCOL_MAX_BYTES);
		report(s, -EMSGSIZE, &why, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE);
		return 0;
	}
	g_byte_array_append(s->rx, in, (guint)len);
	if (lws_is_final_fragment(wsi) && !lws_remaining_packet_payload(wsi)) {
		on_message(s);
		g_byte_array_set_size(s->rx, 0);
	}
	return 0;
}

/* --- life ----------------------------------------------------------------------- */

/* Every session has to give a sign of life: a message, or the answer to a ping. */
void server_ws_tick(struct server *srv)
{
	int64_t now = now_ns(srv);
	for (struct ws_session *s = srv->sessions; s; s = s->next) {
		int64_t silent_ns = now - s->heard_ns;
		if (s->dropped)
			continue;
		if (silent_ns >= srv->cfg.ws_timeout_ms * NS_PER_MS) {
			metric_add(&m_timeout, 1);
			drop(s);
		} else if (silent_ns >= srv->cfg.ws_ping_ms * NS_PER_MS && !s->pinged) {
			s->ping_due = s->pinged = true;
			lws_callback_on_writable(s->conn->wsi);
		}
	}
}

bool server_ws_idle(const struct server *srv)
{
	return !srv->n_sessions;
}

static int on_established(struct conn *c)
{
	struct ws_session *s = calloc(1, sizeof(*s));
	if (!s)
		return -1;
	s->conn = c;
	s->srv = c->srv;
	s->rx = g_byte_array_new();
	s->last = &s->first;
	s->heard_ns = s->window_ns = now_ns(c->srv);
	s->next = c->srv->sessions;
	s->link = &c->srv->sessions;
	if (s->next)
		s->next->link = &s->next;
	c->srv->sessions = s;
	c->srv->n_sessions++;
	c->ws = s;
	metric_add(&m_sessions, 1);
	c->srv->events->opened(c->srv->ctx, s);
	return 0;
}

static void on_closed(struct ws_session *s)
{
	s->closing = s->dropped = true;
	s->srv->events->closed(s->srv->ctx, s);
	s->conn->ws = NULL;
	*s->link = s->next;
	if (s->next)
		s->next->link = s->link;
	s->srv->n_sessions--;
	metric_add(&m_sessions, -1);
	for (struct out_block *b; (b = queue_pop(s));)
		free(b);
	g_byte_array_free(s->rx, TRUE);
	free(s);
}

/* Only at /ws; a client may come with any Origin, since nothing here rests on
 * cookies. */
static int on_upgrade(struct lws *wsi)
{
	char uri[8];
	int n = lws_hdr_copy(wsi, uri, sizeof(uri), WSI_TOKEN_GET_URI);
	return n != 3 || strcmp(uri, "/ws");
}

int server_lws_ws(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
		  size_t len)
{
	struct conn *c = lws_get_opaque_user_data(wsi);
	(void)user;

	role_assert_ctl();
	if (reason == LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION)
		return !c || on_upgrade(wsi);
	if (reason == LWS_CALLBACK_ESTABLISHED)
		return c ? on_established(c) : -1;
	if (!c || !c->ws)
		return 0;
	switch (reason) {
	case LWS_CALLBACK_RECEIVE: return on_receive(c->ws, in, len);
	case LWS_CALLBACK_RECEIVE_PONG:
		c->ws->heard_ns = now_ns(c->srv);
		c->ws->pinged = false;
		return 0;
	case LWS_CALLBACK_SERVER_WRITEABLE: return on_writable(c->ws);
	case LWS_CALLBACK_CLOSED: on_closed(c->ws); return 0;
	default: return 0;
	}
}

void ws_session_set_user(struct ws_session *s, void *user)
{
	s->user = user;
}

void *ws_session_user(const struct ws_session *s)
{
	return s->user;
}

const char *ws_session_peer(const struct ws_session *s)
{
	return s->conn->peer;
}

bool ws_session_tls(const struct ws_session *s)
{
	return s->conn->tls;
}
