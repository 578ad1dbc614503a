/* A blunt client for the server's tests: a blocking-free TCP socket on the test's
 * own main loop, with just enough HTTP and WebSocket (RFC 6455) to be rude. */
#ifndef MCU_TESTS_SIGNALING_CLIENT_H
#define MCU_TESTS_SIGNALING_CLIENT_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CLIENT_PATIENCE_MS = 10000 };

struct client {
	int fd;
	GByteArray *in;
	size_t read; /* of in, how much was used */
	bool eof;
};

static gboolean client_wake(gpointer over)
{
	*(bool *)over = true;
	return G_SOURCE_REMOVE;
}

/* Runs the loop until cond(obj) or patience ends. */
static inline bool loop_until(bool (*cond)(void *), void *obj)
{
	bool over = false;
	guint t = g_timeout_add(CLIENT_PATIENCE_MS, client_wake, &over);
	while (!cond(obj) && !over)
		g_main_context_iteration(NULL, TRUE);
	if (!over)
		g_source_remove(t);
	return !over;
}

static inline void client_open(struct client *c, int port)
{
	struct sockaddr_in sa = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	*c = (struct client){ .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
			      .in = g_byte_array_new() };
	if (connect(c->fd, (struct sockaddr *)&sa, sizeof(sa)))
		abort();
	fcntl(c->fd, F_SETFL, O_NONBLOCK);
}

static inline void client_close(struct client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	g_byte_array_free(c->in, TRUE);
}

/* Takes what has come. */
static inline void client_pump(struct client *c)
{
	guint8 b[65536];
	for (;;) {
		ssize_t n = recv(c->fd, b, sizeof(b), MSG_DONTWAIT);
		if (n > 0) {
			g_byte_array_append(c->in, b, (guint)n);
			continue;
		}
		if (n == 0 || (errno != EAGAIN && errno != EINTR))
			c->eof = true;
		return;
	}
}

static gboolean client_tick(gpointer p)
{
	(void)p;
	return G_SOURCE_CONTINUE;
}

/* Writes everything, running the loop while the socket is full. */
static inline void client_write(struct client *c, const void *data, size_t len)
{
	const char *p = data;
	guint t = g_timeout_add(1, client_tick, NULL);
	while (len) {
		ssize_t n = send(c->fd, p, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		} else if (errno != EAGAIN && errno != EINTR) {
			break;
		} else {
			g_main_context_iteration(NULL, TRUE);
		}
	}
	g_source_remove(t);
}

static inline void client_text(struct client *c, const char *text)
{
	client_write(c, text, strlen(text));
}

/* Runs the loop until have(c) says so, reading meanwhile. False: EOF or patience. */
static inline bool client_wait(struct client *c, bool (*have)(struct client *))
{
	bool over = false;
	guint end = g_timeout_add(CLIENT_PATIENCE_MS, client_wake, &over);
	guint t = g_timeout_add(1, client_tick, NULL);
	for (;;) {
		client_pump(c);
		if (have(c) || c->eof || over)
			break;
		g_main_context_iteration(NULL, TRUE);
	}
	g_source_remove(t);
	if (!over)
		g_source_remove(end);
	return have(c);
}

static inline const char *client_rest(struct client *c)
{
	g_byte_array_append(c->in, (const guint8 *)"", 1);
	g_byte_array_set_size(c->in, c->in->len - 1);
	return (const char *)c->in->data + c->read;
}

static inline bool client_has_eof(struct client *c)
{
	return c->eof;
}

/* --- HTTP --------------------------------------------------------------------- */

struct reply {
	int status;
	char *head; /* with the status line, terminated */
	char *body;
	size_t len;
};

static inline size_t reply_total(struct client *c)
{
	const char *p = client_rest(c), *end = strstr(p, "\r\n\r\n");
	if (!end)
		return 0;
	const char *cl = strcasestr(p, "\ncontent-length:");
	size_t len = cl && cl < end ? (size_t)atoll(cl + 16) : 0;
	return (size_t)(end - p) + 4 + len;
}

static inline bool client_has_reply(struct client *c)
{
	size_t n = reply_total(c);
	return n && c->in->len - c->read >= n;
}

static inline bool client_has_head(struct client *c)
{
	return strstr(client_rest(c), "\r\n\r\n") != NULL;
}

/* A reply; head_only for HEAD. False when none came. */
static inline bool client_reply(struct client *c, struct reply *r, bool head_only)
{
	*r = (struct reply){ 0 };
	if (!client_wait(c, head_only ? client_has_head : client_has_reply))
		return false;
	const char *p = client_rest(c), *end = strstr(p, "\r\n\r\n");
	size_t head = (size_t)(end - p) + 4, total = head_only ? head : reply_total(c);
	r->status = atoi(p + 9);
	r->head = g_strndup(p, head);
	r->len = total - head;
	r->body = g_malloc0(r->len + 1);
	memcpy(r->body, p + head, r->len);
	c->read += total;
	return true;
}

static inline void reply_clear(struct reply *r)
{
	g_free(r->head);
	g_free(r->body);
	*r = (struct reply){ 0 };
}

static inline bool reply_has(const struct reply *r, const char *text)
{
	return strcasestr(r->head, text) != NULL;
}

/* --- WebSocket ------------------------------------------------------------------ */

struct frame {
	unsigned opcode;
	size_t len;
	char *text;
};

static inline bool client_has_frame(struct client *c)
{
	size_t n = c->in->len - c->read;
	const guint8 *p = c->in->data + c->read;
	if (n < 2)
		return false;
	size_t len = p[1] & 127, head = 2;
	if (len == 126) {
		if (n < 4)
			return false;
		len = (size_t)p[2] << 8 | p[3];
		head = 4;
	} else if (len == 127) {
		if (n < 10)
			return false;
		len = (size_t)p[6] << 24 | (size_t)p[7] << 16 | (size_t)p[8] << 8 | p[9];
		head = 10;
	}
	return n >= head + len;
}

static inline bool client_frame(struct client *c, struct frame *f)
{
	*f = (struct frame){ 0 };
	if (!client_wait(c, client_has_frame))
		return false;
	const guint8 *p = c->in->data + c->read;
	size_t len = p[1] & 127, head = 2;
	if (len == 126) {
		len = (size_t)p[2] << 8 | p[3];
		head = 4;
	} else if (len == 127) {
		len = (size_t)p[6] << 24 | (size_t)p[7] << 16 | (size_t)p[8] << 8 | p[9];
		head = 10;
	}
	f->opcode = p[0] & 15;
	f->len = len;
	f->text = g_strndup((const char *)p + head, len);
	c->read += head + len;
	return true;
}

static inline void client_send_frame(struct client *c, unsigned opcode, const void *data,
				     size_t len)
{
	GByteArray *b = g_byte_array_new();
	guint8 head[14] = { (guint8)(0x80 | opcode) };
	size_t n = 2;
	if (len < 126) {
		head[1] = (guint8)(0x80 | len);
	} else if (len < 65536) {
		head[1] = 0x80 | 126;
		head[2] = (guint8)(len >> 8);
		head[3] = (guint8)len;
		n = 4;
	} else {
		head[1] = 0x80 | 127;
		for (int i = 0; i < 8; i++)
			head[2 + i] = (guint8)(len >> (56 - 8 * i));
		n = 10;
	}
	memset(head + n, 0, 4); /* a mask of zeros */
	g_byte_array_append(b, head, (guint)n + 4);
	g_byte_array_append(b, data, (guint)len);
	client_write(c, b->data, b->len);
	g_byte_array_free(b, TRUE);
}

static inline void client_say(struct client *c, const char *text)
{
	client_send_frame(c, 1, text, strlen(text));
}

/* Opens and upgrades; the status of the answer, 101 when it worked. */
static inline int client_ws(struct client *c, int port, const char *path, const char *subprotocol)
{
	client_open(c, port);
	char *req = g_strdup_printf("GET %s HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
				    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
				    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s%s%s\r\n",
				    path, subprotocol ? "Sec-WebSocket-Protocol: " : "",
				    subprotocol ? subprotocol : "", subprotocol ? "\r\n" : "");
	client_text(c, req);
	g_free(req);
	if (!client_wait(c, client_has_head))
		return 0;
	const char *p = client_rest(c);
	int status = atoi(p + 9);
	c->read += (size_t)(strstr(p, "\r\n\r\n") - p) + 4;
	return status;
}

#endif
