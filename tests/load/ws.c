#include "tests/load/ws.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/load/util.h"

enum { RX_MAX = 1 << 20, OP_CONTINUE = 0, OP_TEXT = 1, OP_CLOSE = 8, OP_PING = 9, OP_PONG = 10 };

struct bytes {
	uint8_t *p;
	size_t len, cap;
};

struct ws {
	const struct ws_events *events;
	void *obj;
	int fd;
	bool open, closed, closing;
	struct bytes in, out, message;
};

static void append(struct bytes *b, const void *p, size_t n)
{
	if (b->len + n + 1 > b->cap) {
		b->cap = 2 * (b->len + n) + 1024;
		b->p = realloc(b->p, b->cap);
		if (!b->p)
			bot_die("out of memory");
	}
	memcpy(b->p + b->len, p, n);
	b->len += n;
}

static void consume(struct bytes *b, size_t n)
{
	memmove(b->p, b->p + n, b->len - n);
	b->len -= n;
}

bool ws_parse_url(struct ws_url *out, const char *url)
{
	unsigned port;
	int end = 0;

	if (sscanf(url, "http://%63[0-9.]:%u%n", out->host, &port, &end) != 2 || port > 65535 ||
	    (url[end] && strcmp(url + end, "/")))
		return false;
	out->port = (uint16_t)port;
	return true;
}

struct ws *ws_new(const struct ws_url *url, const struct ws_events *events, void *obj)
{
	struct ws *w = bot_alloc(sizeof *w);
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(url->port) };
	char req[512];
	int on = 1, n;

	w->events = events;
	w->obj = obj;
	w->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (w->fd < 0 || inet_pton(AF_INET, url->host, &at.sin_addr) != 1)
		bot_die("WebSocket socket: %s", strerror(errno));
	setsockopt(w->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	/* An immediate refusal shows up again at the first send. */
	(void)!connect(w->fd, (struct sockaddr *)&at, sizeof at);
	n = snprintf(
		req, sizeof req,
		"GET /ws HTTP/1.1\r\nHost: %s:%u\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
		"Sec-WebSocket-Protocol: mcu.v1\r\n\r\n",
		url->host, url->port);
	append(&w->out, req, (size_t)n);
	return w;
}

static void close_fd(struct ws *w)
{
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
	w->closed = true;
}

void ws_free(struct ws **w)
{
	if (!*w)
		return;
	close_fd(*w);
	free((*w)->in.p);
	free((*w)->out.p);
	free((*w)->message.p);
	free(*w);
	*w = NULL;
}

static void end_with(struct ws *w, const char *why)
{
	if (w->closed)
		return;
	close_fd(w);
	w->events->closed(w->obj, why);
}

static void flush(struct ws *w)
{
	ssize_t n;

	while (!w->closed && w->out.len) {
		n = send(w->fd, w->out.p, w->out.len, MSG_NOSIGNAL);
		if (n < 0 && (errno == EAGAIN || errno == EINTR || errno == ENOTCONN ||
			      errno == EINPROGRESS))
			return;
		if (n < 0) {
			end_with(w, strerror(errno));
			return;
		}
		consume(&w->out, (size_t)n);
	}
	if (!w->closed && w->closing)
		shutdown(w->fd, SHUT_WR);
}

static void send_frame(struct ws *w, int opcode, const void *p, size_t n)
{
	uint8_t hdr[14] = { (uint8_t)(0x80 | opcode) };
	size_t at = 2, start;
	uint8_t mask[4];

	if (w->closed || w->closing)
		return;
	if (n < 126) {
		hdr[1] = (uint8_t)(0x80 | n);
	} else if (n < 65536) {
		hdr[1] = 0x80 | 126;
		put16(hdr + 2, (uint32_t)n);
		at = 4;
	} else {
		hdr[1] = 0x80 | 127;
		put32(hdr + 2, 0);
		put32(hdr + 6, (uint32_t)n);
		at = 10;
	}
	bot_random_bytes(mask, sizeof mask);
	memcpy(hdr + at, mask, sizeof mask);
	append(&w->out, hdr, at + sizeof mask);
	start = w->out.len;
	append(&w->out, p, n);
	for (size_t i = 0; i < n; i++)
		w->out.p[start + i] ^= mask[i % 4];
	flush(w);
}

/* The answer to the upgrade, once it is complete. */
static void take_upgrade(struct ws *w)
{
	char *end, status[64];

	append(&w->in, "", 0);
	w->in.p[w->in.len] = '\0';
	end = strstr((char *)w->in.p, "\r\n\r\n");
	if (!end)
		return;
	if (strncmp((char *)w->in.p, "HTTP/1.1 101", 12)) {
		snprintf(status, sizeof status, "%.*s", (int)strcspn((char *)w->in.p, "\r\n"),
			 (char *)w->in.p);
		end_with(w, status);
		return;
	}
	consume(&w->in, (size_t)(end + 4 - (char *)w->in.p));
	w->open = true;
	w->events->open(w->obj);
}

static void take_message(struct ws *w, int opcode, bool last, const uint8_t *p, size_t n)
{
	if (opcode == OP_PING) {
		send_frame(w, OP_PONG, p, n);
		return;
	}
	if (opcode == OP_CLOSE) {
		end_with(w, "closed by the server");
		return;
	}
	if (opcode != OP_TEXT && opcode != OP_CONTINUE)
		return;
	append(&w->message, p, n);
	if (!last)
		return;
	w->message.p[w->message.len] = '\0';
	n = w->message.len;
	w->message.len = 0;
	w->events->text(w->obj, (char *)w->message.p, n);
}

/* One frame if there is a whole one. */
static bool take_frame(struct ws *w)
{
	size_t hdr = 2, n;
	uint8_t *p = w->in.p;

	if (w->in.len < 2)
		return false;
	n = p[1] & 127;
	if (n == 126)
		hdr = 4;
	else if (n == 127)
		hdr = 10;
	if (w->in.len < hdr)
		return false;
	if (n == 126)
		n = get16(p + 2);
	else if (n == 127)
		n = get32(p + 6);
	if (p[1] & 128 || n > RX_MAX) {
		end_with(w, "the server sent a bad WebSocket frame");
		return false;
	}
	if (w->in.len < hdr + n)
		return false;
	take_message(w, p[0] & 15, p[0] & 128, p + hdr, n);
	if (w->closed)
		return false;
	consume(&w->in, hdr + n);
	return true;
}

void ws_service(struct ws *w)
{
	uint8_t buf[16384];
	ssize_t n;

	if (w->closed)
		return;
	flush(w);
	while (!w->closed) {
		n = recv(w->fd, buf, sizeof buf, 0);
		if (n < 0 && (errno == EAGAIN || errno == EINTR || errno == ENOTCONN))
			return;
		if (n <= 0) {
			end_with(w, n ? strerror(errno) : "the server closed the connection");
			return;
		}
		append(&w->in, buf, (size_t)n);
		if (!w->open)
			take_upgrade(w);
		while (w->open && !w->closed && take_frame(w))
			;
	}
}

bool ws_is_open(const struct ws *w)
{
	return w->open && !w->closed;
}

void ws_send_text(struct ws *w, const char *text)
{
	send_frame(w, OP_TEXT, text, strlen(text));
}

void ws_send_raw(struct ws *w, const void *p, size_t n)
{
	if (w->closed)
		return;
	append(&w->out, p, n);
	flush(w);
}

void ws_close(struct ws *w)
{
	static const uint8_t normal[] = { 1000 >> 8, 1000 & 255 };

	send_frame(w, OP_CLOSE, normal, sizeof normal);
	w->closing = true;
	flush(w);
}

void ws_abort(struct ws *w)
{
	struct linger now = { 1, 0 };

	if (w->fd >= 0)
		setsockopt(w->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	close_fd(w);
}
