/* What the parts of the server share. CTL, but for the reader jobs.
 *   server.c         context, listeners, connections and their limits
 *   server_tls.c     the certificate of HTTPS
 *   server_ws.c      WebSocket sessions
 *   server_http.c    requests, routes, replies
 *   server_reply.c   writing a reply to the socket
 *   server_file.c    files through the reader threads, web root
 *   http_text.c      pure helpers: paths, types, ranges */
#ifndef MCU_SIGNALING_SERVER_INTERNAL_H
#define MCU_SIGNALING_SERVER_INTERNAL_H

#include <glib.h>
#include <libwebsockets.h>

#include "signaling/readers.h"
#include "signaling/server.h"

enum {
	SERVER_CHUNK_BYTES = 65536,
	SERVER_CHUNKS_AHEAD = 2,
	SERVER_MAX_ROUTES = 128,
	SERVER_MAX_REPLY_HEADERS = 8
};

/* An accepted connection; hangs on the wsi as its opaque user data. */
struct conn {
	struct server *srv;
	struct lws *wsi;
	struct conn *next, **link;
	char peer[INET6_ADDRSTRLEN];
	bool tls;
	int64_t moved_ns;      /* when something last went in or out, of HTTP */
	bool served;	       /* has had a request answered */
	struct http_req *req;  /* the request under way */
	struct ws_session *ws; /* after the upgrade */
};

struct route {
	const char *method, *pattern; /* copies */
	http_handler *fn;
	void *ctx;
	const struct http_sink *sink; /* NULL: bodies are kept */
};

struct server {
	struct server_cfg cfg;
	char *web_root, *index;
	const struct server_events *events;
	void *ctx;
	struct lws_context *lws;
	struct lws_vhost *plain, *tls;
	int plain_port, tls_port;
	struct ssl_ctx_st *no_client;
	struct tls_cert *cert; /* NULL: no HTTPS */
	GMainContext *gctx;
	GSource *tick, *reaper;	 /* reaper: while sessions wait to be dropped */
	GHashTable *per_address; /* peer -> number of connections */
	struct conn *conns;
	unsigned n_conns;
	bool closing;
	struct route routes[SERVER_MAX_ROUTES];
	size_t n_routes;
	struct readers *readers;
	struct gzip_copies *gzip_copies;
	struct ws_session *sessions;
	size_t n_sessions;
};

/* A block that waits for the socket; data begins at bytes + LWS_PRE. */
struct out_block {
	struct out_block *next;
	size_t len;
	unsigned char bytes[];
};

struct http_pair {
	char *name, *value;
};

struct refusal {
	int status;
	struct errmsg why;
};

enum req_state { REQ_BODY = 1, REQ_HANDLING, REQ_OPENING, REQ_SENDING };

struct http_req {
	struct server *srv;
	struct conn *conn; /* NULL: gone */
	char peer[INET6_ADDRSTRLEN];
	enum req_state state;
	const char *method; /* static; HEAD is "HEAD" */
	bool keep;	    /* the connection can take another request */
	char *path;
	const char *pattern; /* of its route; NULL: none */
	GArray *headers, *query, *params; /* of struct http_pair */
	GByteArray *body;
	uint64_t body_expected;
	const struct http_sink *sink; /* takes the body; NULL: it is kept */
	void *sunk;
	uint64_t sunk_bytes;
	struct refusal *refused; /* what the sink said: the answer, when the body has come */
	int64_t began_ns; /* coming in, or going out */
	struct http_pair reply_header[SERVER_MAX_REPLY_HEADERS];
	size_t n_reply_headers;
	/* the reply */
	int status;
	char *content_type;
	bool head_sent;
	bool has_length;
	uint64_t length, left;	 /* of the body; what is still to be written */
	struct out_block *block; /* a body from memory */
	struct file *file;
	char *download_name;
	const char *cache_control;
	GSource *waits; /* for the socket to take more */
};

/* server.c */
int server_lws_http(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
		    size_t len);
/* server_tls.c */
int tls_cert_new(struct tls_cert **out, const char *cert_file, const char *key_file,
		 struct errmsg *why);
/* After the context it is bound to. */
void tls_cert_free(struct tls_cert **t);
void tls_cert_bind(struct tls_cert *t, struct ssl_ctx_st *ctx);
void tls_cert_poll(struct tls_cert *t, int64_t now_ns, int64_t every_ns);
/* server_ws.c */
int server_lws_ws(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
		  size_t len);
void server_ws_tick(struct server *s) ON_THREAD(ROLE_CTL);
bool server_ws_idle(const struct server *s) ON_THREAD(ROLE_CTL);
/* server_http.c; each returns what the lws callback returns */
int http_on_request(struct conn *c, const char *uri, size_t len) ON_THREAD(ROLE_CTL);
int http_on_body(struct conn *c, const void *data, size_t len) ON_THREAD(ROLE_CTL);
int http_on_body_end(struct conn *c) ON_THREAD(ROLE_CTL);
void http_on_gone(struct conn *c) ON_THREAD(ROLE_CTL);
void http_req_free(struct http_req *r) ON_THREAD(ROLE_CTL);
const char *pairs_get(const GArray *pairs, const char *name);
/* server_reply.c */
int http_on_writable(struct conn *c) ON_THREAD(ROLE_CTL);
void http_send(struct http_req *r) ON_THREAD(ROLE_CTL);
/* libwebsockets polls a connection for input all the time, but takes none while
 * a request is under way: a peer that has sent more, or half closed, would keep
 * the loop spinning. So the connection is paused while we wait for a handler, a
 * reader or the socket, and resumed by http_wake for each write. */
void http_pause(struct http_req *r) ON_THREAD(ROLE_CTL);
/* There is something to write: http_on_writable comes when the socket takes it. */
void http_wake(struct http_req *r) ON_THREAD(ROLE_CTL);
void http_stop_waiting(struct http_req *r) ON_THREAD(ROLE_CTL);
/* server_file.c */
void http_reply_web(struct http_req *r) ON_THREAD(ROLE_CTL);
struct out_block *file_take(struct file *f) ON_THREAD(ROLE_CTL);
bool file_ready(const struct file *f) ON_THREAD(ROLE_CTL);
bool file_failed(const struct file *f) ON_THREAD(ROLE_CTL);
void file_drop(struct file **f) ON_THREAD(ROLE_CTL);

#endif
