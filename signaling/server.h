/* HTTP(S) and WebSocket on the control loop: libwebsockets on GLib.
 *
 *   /ws           WebSocket, subprotocol mcu.v1: server_events
 *   routes        server_route(): REST, answered at once or later
 *   the rest      files below web_root (GET and HEAD)
 *
 * Files are read by a small pool of reader threads in chunks of 64 KiB, at most
 * two ahead of the socket, so that the loop never waits for a disk. Everything
 * else happens on CTL, inside the GMainContext of the loop. */
#ifndef MCU_SIGNALING_SERVER_H
#define MCU_SIGNALING_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/base/clock.h"
#include "mcu/base/err.h"
#include "mcu/base/role.h"
#include "signaling/protocol.h"

struct server;
struct ws_session;
struct http_req;
struct _GMainLoop;

/* Zeroed fields take the default. */
struct server_cfg {
	struct _GMainLoop *loop;	  /* required; it need not run yet */
	const struct clock *clock;	  /* NULL: clock_monotonic */
	const char *address;		  /* to listen on; NULL: all */
	const char *https_address;	  /* NULL: the same */
	int http_port;			  /* 0: the kernel chooses; -1: none */
	int https_port;			  /* the same; needs cert_file and key_file */
	const char *cert_file, *key_file; /* PEM; copied; read again when they change */
	const char *web_root;		  /* folder; NULL: no files */
	const char *index;		  /* of "/" and of paths without a dot: "index.html" */
	unsigned max_connections;	  /* 4096, WebSocket and HTTP together */
	unsigned max_per_address;	  /* 512 */
	size_t ws_queue_bytes;		  /* 1 MiB: what one session may have waiting */
	unsigned ws_msgs_per_s;		  /* 50 */
	int ws_ping_ms;			  /* 20000 */
	int ws_timeout_ms;		  /* 60000: without a sign of life */
	int cert_poll_ms;	 /* 2000: how often the files of the certificate are looked at */
	int http_timeout_ms;	 /* 15000: for a request to come in, or a reply to go out */
	size_t body_max_bytes;	 /* 1 MiB: of a request */
	unsigned reader_threads; /* 2 */
};

/* Callbacks; s stays valid until closed() has returned. */
struct server_events {
	void (*opened)(void *ctx, struct ws_session *s);
	/* err 0, or of client_msg_parse with *why; msg and its strings are borrowed.
	 * Over the rate or the size, or binary, err is -EDQUOT, -EMSGSIZE or -EPROTO,
	 * msg has no type, and the session is closed after the callback (once what it
	 * sent has gone). */
	void (*message)(void *ctx, struct ws_session *s, const struct client_msg *msg, int err,
			const struct errmsg *why);
	void (*closed)(void *ctx, struct ws_session *s);
};

/* Listens when it returns. events, ctx: borrowed; cfg is copied. */
int server_new(struct server **out, const struct server_cfg *cfg,
	       const struct server_events *events, void *ctx, struct errmsg *why)
	ON_THREAD(ROLE_CTL);
/* Stops listening, lets what is queued go out for at most grace_ms (iterating the
 * loop's context), then closes everything; closed() comes for every session.
 * A handler that has not answered by then must still answer or drop its
 * http_req before this is called. */
void server_free(struct server **s, int grace_ms) ON_THREAD(ROLE_CTL);
/* The ports in use; -1: not listening. */
int server_http_port(const struct server *s) ON_THREAD(ROLE_CTL);
int server_https_port(const struct server *s) ON_THREAD(ROLE_CTL);

/* Reads the certificate again at once; new connections use it. When it is wrong, the
 * one before stays in force: -EINVAL, and *why says it. Nothing without HTTPS. */
int server_reload_certificate(struct server *s, struct errmsg *why) ON_THREAD(ROLE_CTL);

/* --- WebSocket -------------------------------------------------------------- */

/* Queues a text frame (copied). A session whose queue would exceed its limit is
 * dropped: -EAGAIN, and closed() follows from the loop, never from inside. */
int ws_send_text(struct ws_session *s, const char *text, size_t len) ON_THREAD(ROLE_CTL);
/* After what is queued, close with this code; reason: at most 120 octets. Further
 * messages of the peer are ignored; closed() follows from the loop. */
void ws_close(struct ws_session *s, int code, const char *reason) ON_THREAD(ROLE_CTL);
void ws_session_set_user(struct ws_session *s, void *user) ON_THREAD(ROLE_CTL);
void *ws_session_user(const struct ws_session *s) ON_THREAD(ROLE_CTL);
const char *ws_session_peer(const struct ws_session *s) ON_THREAD(ROLE_CTL); /* address */
bool ws_session_tls(const struct ws_session *s) ON_THREAD(ROLE_CTL);

/* --- HTTP ------------------------------------------------------------------- */

/* Must answer every request exactly once, now or later, with one http_reply…();
 * that ends the handle. The peer may have gone meanwhile: replying is still right. */
typedef void http_handler(void *ctx, struct http_req *req);

/* method: "GET" (also serves HEAD), "POST", "PUT", "PATCH", "DELETE", "OPTIONS";
 * pattern: "/api/v1/rooms/:room/recordings"; ":x" matches one segment, a trailing
 * "*" the rest. Routes come before files; the first that fits wins; a path that
 * fits with another method only is answered 405. Before the loop runs. */
int server_route(struct server *s, const char *method, const char *pattern, http_handler *fn,
		 void *ctx) ON_THREAD(ROLE_CTL);

/* Where large bodies go, in place of http_req_body. */
struct http_sink {
	/* One of len octets is to come; the request's path and headers are there. 0: *obj takes
	 * it; otherwise -errno with *why, and it is answered with that. */
	int (*begin)(void *ctx, struct http_req *r, uint64_t len, void **obj, struct errmsg *why);
	/* false: no more before http_body_go_on. */
	bool (*data)(void *obj, const void *p, size_t len);
	/* The peer went away in the middle: obj is not used any more. */
	void (*gone)(void *obj);
};
/* As server_route; fn is called when all of the body has gone into the sink, whose obj
 * http_req_sunk is. sink: borrowed for ever. */
int server_route_sink(struct server *s, const char *method, const char *pattern,
		      const struct http_sink *sink, http_handler *fn, void *ctx) ON_THREAD(ROLE_CTL);
void *http_req_sunk(const struct http_req *r) ON_THREAD(ROLE_CTL);
void http_body_go_on(struct http_req *r) ON_THREAD(ROLE_CTL);

/* The i-th; false past the end. */
bool server_get_route(const struct server *s, size_t i, const char **method, const char **pattern)
	ON_THREAD(ROLE_CTL);

const char *http_req_method(const struct http_req *r) ON_THREAD(ROLE_CTL);
const char *http_req_path(const struct http_req *r) ON_THREAD(ROLE_CTL); /* decoded */
/* Of the route, as it was given to server_route. */
const char *http_req_pattern(const struct http_req *r) ON_THREAD(ROLE_CTL);
/* A ":x" segment (decoded; "*" for the rest); NULL when the pattern has none. */
const char *http_req_param(const struct http_req *r, const char *name) ON_THREAD(ROLE_CTL);
/* A member of the query, decoded; NULL when absent. */
const char *http_req_query(const struct http_req *r, const char *name) ON_THREAD(ROLE_CTL);
/* authorization, content-type, cookie, host, if-match, if-none-match, origin,
 * range, user-agent, accept-language, accept: lower case; NULL when absent. */
const char *http_req_header(const struct http_req *r, const char *name) ON_THREAD(ROLE_CTL);
/* Terminated; *len octets. */
const char *http_req_body(const struct http_req *r, size_t *len) ON_THREAD(ROLE_CTL);
const char *http_req_peer(const struct http_req *r) ON_THREAD(ROLE_CTL);
bool http_req_tls(const struct http_req *r) ON_THREAD(ROLE_CTL);
/* The peer is known to be gone; the reply will be thrown away. Mostly that shows
 * only when the reply is written. */
bool http_req_gone(const struct http_req *r) ON_THREAD(ROLE_CTL);

/* A header of the reply, before the reply: "Location", "Set-Cookie" … At most 8. One of
 * those that every reply has takes its place. */
int http_set_header(struct http_req *r, const char *name, const char *value) ON_THREAD(ROLE_CTL);
/* Cache-Control of the reply, instead of "no-store". value: borrowed for ever. */
void http_set_cache(struct http_req *r, const char *value) ON_THREAD(ROLE_CTL);
/* Copies body. content_type NULL with len 0: no body. */
void http_reply(struct http_req *r, int status, const char *content_type, const void *body,
		size_t len) ON_THREAD(ROLE_CTL);
/* {"code": …, "text": …} */
__attribute__((format(printf, 4, 5))) void http_reply_error(struct http_req *r, int status,
							    const char *code, const char *fmt, ...)
	ON_THREAD(ROLE_CTL);
/* A file of the web root by its name: what is at another address than its own. */
void http_reply_page(struct http_req *r, const char *name) ON_THREAD(ROLE_CTL);
/* A file by its path on disk, with Range, ETag and If-None-Match; download_name:
 * NULL, or the name it is to be saved as. 404 when it cannot be read. */
void http_reply_file(struct http_req *r, const char *path, const char *content_type,
		     const char *download_name) ON_THREAD(ROLE_CTL);

#endif
