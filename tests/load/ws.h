/* A WebSocket client (RFC 6455) over plain TCP to an IPv4 address, text frames
 * only, never blocking: ws_service moves on what can be moved. */
#ifndef TESTS_LOAD_WS_H
#define TESTS_LOAD_WS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ws;

struct ws_events {
	void (*open)(void *obj);
	void (*text)(void *obj, const char *text, size_t len); /* zero-terminated; borrowed */
	/* Once, whoever ended it; not after ws_free or ws_abort. */
	void (*closed)(void *obj, const char *why);
};

struct ws_url {
	char host[64];
	uint16_t port;
};

/* "http://127.0.0.1:8080"; false: not of this form. */
bool ws_parse_url(struct ws_url *out, const char *url);
struct ws *ws_new(const struct ws_url *url, const struct ws_events *events, void *obj);
void ws_free(struct ws **w);
void ws_service(struct ws *w);
bool ws_is_open(const struct ws *w);
/* Queues a text frame. */
void ws_send_text(struct ws *w, const char *text);
/* Queues octets as they are, for those who send garbage. */
void ws_send_raw(struct ws *w, const void *p, size_t n);
/* A close frame, then the end of the stream. */
void ws_close(struct ws *w);
/* Resets the connection. */
void ws_abort(struct ws *w);

#endif
