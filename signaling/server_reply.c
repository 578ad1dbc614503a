#include "signaling/server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include <glib-unix.h>

#include "signaling/http_text.h"
#include "signaling/server_internal.h"

/* For a page of ES modules that uses camera, microphone and a WebSocket of its
 * own origin, and for nothing else. */
static const char *const security_headers[][2] = {
	{ "content-security-policy:",
	  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
	  "font-src 'self'; media-src 'self' blob:; connect-src 'self'; worker-src 'self' blob:; "
	  "manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'" },
	{ "permissions-policy:",
	  "camera=(self), microphone=(self), display-capture=(self), autoplay=(self), "
	  "fullscreen=(self), speaker-selection=(self), screen-wake-lock=(self), geolocation=()" },
	{ "x-content-type-options:", "nosniff" },
	{ "referrer-policy:", "no-referrer" },
	{ "cross-origin-opener-policy:", "same-origin" },
	{ "cross-origin-resource-policy:", "same-origin" },
};

/* --- waiting for the socket ---------------------------------------------------- */

static gboolean on_socket_writable(gint fd, GIOCondition cond, gpointer obj)
{
	struct http_req *r = obj;
	(void)fd;
	(void)cond;
	role_assert_ctl();
	http_stop_waiting(r);
	lws_rx_flow_control(r->conn->wsi, LWS_RXFLOW_REASON_APPLIES_ENABLE |
						  LWS_RXFLOW_REASON_USER_BOOL |
						  LWS_RXFLOW_REASON_FLAG_PROCESS_NOW);
	lws_callback_on_writable(r->conn->wsi);
	return G_SOURCE_REMOVE;
}

void http_pause(struct http_req *r)
{
	lws_rx_flow_control(r->conn->wsi, LWS_RXFLOW_REASON_APPLIES_DISABLE |
						  LWS_RXFLOW_REASON_USER_BOOL |
						  LWS_RXFLOW_REASON_FLAG_PROCESS_NOW);
}

void http_wake(struct http_req *r)
{
	if (r->waits)
		return;
	r->waits = g_unix_fd_source_new(lws_get_socket_fd(r->conn->wsi),
					G_IO_OUT | G_IO_ERR | G_IO_HUP);
	g_source_set_callback(r->waits, G_SOURCE_FUNC(on_socket_writable), r, NULL);
	g_source_attach(r->waits, r->srv->gctx);
}

void http_stop_waiting(struct http_req *r)
{
	if (!r->waits)
		return;
	g_source_destroy(r->waits);
	g_source_unref(r->waits);
	r->waits = NULL;
}

/* --- the reply ------------------------------------------------------------------ */

struct head {
	struct lws *wsi;
	unsigned char *p, *end;
	bool failed;
};

static void head_add(struct head *h, const char *name, const char *value)
{
	h->failed =
		h->failed || lws_add_http_header_by_name(h->wsi, (const unsigned char *)name,
							 (const unsigned char *)value,
							 (int)strlen(value), &h->p, h->end) != 0;
}

static bool is_replaced(const struct http_req *r, const char *name)
{
	for (size_t i = 0; i < r->n_reply_headers; i++)
		if (!strcmp(r->reply_header[i].name, name))
			return true;
	return false;
}

static int send_head(struct http_req *r)
{
	unsigned char bytes[LWS_PRE + 6144];
	struct lws *wsi = r->conn->wsi;
	struct head h = { wsi, bytes + LWS_PRE, bytes + sizeof(bytes), false };

	h.failed = lws_add_http_header_status(wsi, (unsigned)r->status, &h.p, h.end) != 0;
	if (r->content_type)
		head_add(&h, "content-type:", r->content_type);
	if (r->has_length)
		h.failed = h.failed ||
			   lws_add_http_header_content_length(wsi, r->length, &h.p, h.end) != 0;
	if (r->cache_control)
		head_add(&h, "cache-control:", r->cache_control);
	if (!r->keep)
		head_add(&h, "connection:", "close");
	for (size_t i = 0; i < sizeof(security_headers) / sizeof(security_headers[0]); i++)
		if (!is_replaced(r, security_headers[i][0]))
			head_add(&h, security_headers[i][0], security_headers[i][1]);
	for (size_t i = 0; i < r->n_reply_headers; i++)
		head_add(&h, r->reply_header[i].name, r->reply_header[i].value);
	if (h.failed || lws_finalize_write_http_header(wsi, bytes + LWS_PRE, &h.p, h.end))
		return -1;
	r->head_sent = true;
	return 0;
}

/* It asks for more without reading what it got: libwebsockets would then neither
 * read nor wait, but spin. */
static bool is_greedy(struct lws *wsi)
{
	int waits = 0;
	return lws_send_pipe_choked(wsi) &&
	       !ioctl(lws_get_socket_fd(wsi), FIONREAD, &waits) && waits > 0;
}

/* The answer is complete: the connection takes the next request, or closes. */
static int finish(struct http_req *r) ON_THREAD(ROLE_CTL)
{
	struct conn *c = r->conn;
	bool keep = r->keep;
	c->req = NULL;
	c->served = true;
	http_req_free(r);
	if (!keep || is_greedy(c->wsi))
		return -1;
	return lws_http_transaction_completed(c->wsi) ? -1 : 0;
}

/* The next block of the body; NULL: the reader is not so far, or it is over. */
static struct out_block *next_block(struct http_req *r) ON_THREAD(ROLE_CTL)
{
	struct out_block *b = r->block;
	if (b) {
		r->block = NULL;
		return b;
	}
	return r->file ? file_take(r->file) : NULL;
}

static int send_blocks(struct http_req *r) ON_THREAD(ROLE_CTL)
{
	struct lws *wsi = r->conn->wsi;
	do {
		struct out_block *b = next_block(r);
		if (!b)
			return r->file && file_failed(r->file) ? -1 : 0;
		if (b->len > r->left)
			b->len = (size_t)r->left;
		r->left -= b->len;
		int n = lws_write(wsi, b->bytes + LWS_PRE, b->len,
				  r->left ? LWS_WRITE_HTTP : LWS_WRITE_HTTP_FINAL);
		free(b);
		if (n < 0)
			return -1;
		r->conn->moved_ns = clock_now_ns(r->srv->cfg.clock);
	} while (r->left && !lws_send_pipe_choked(wsi));
	return 0;
}

int http_on_writable(struct conn *c)
{
	struct http_req *r = c->req;
	if (!r || r->state != REQ_SENDING)
		return 0;
	if (!r->head_sent && send_head(r))
		return -1;
	if (r->left && send_blocks(r))
		return -1;
	if (!r->left)
		return finish(r);
	http_pause(r);
	if (r->block || (r->file && file_ready(r->file)))
		http_wake(r);
	return 0;
}

/* The head is known, and the body is there or will come from r->file. */
void http_send(struct http_req *r)
{
	if (!r->conn) {
		http_req_free(r);
		return;
	}
	r->state = REQ_SENDING;
	if (!strcmp(r->method, "HEAD"))
		r->left = 0;
	r->began_ns = r->conn->moved_ns = clock_now_ns(r->srv->cfg.clock);
	http_wake(r);
}
