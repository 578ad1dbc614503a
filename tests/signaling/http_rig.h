/* A server with some routes and files, and requests to it. Included by one file per
 * program. */
#ifndef TESTS_SIGNALING_HTTP_RIG_H
#define TESTS_SIGNALING_HTTP_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "signaling/server.h"
#include "tests/signaling/client.h"

enum { BIG = 3 * 65536 + 777 };

struct fixture {
	GMainLoop *loop;
	struct clock clock;
	struct server *srv;
	int port;
	char dir[64];
	struct http_req *held;
	char seen[256];
};

static inline void no_session(void *ctx, struct ws_session *s)
{
	(void)ctx;
	(void)s;
}

static const struct server_events events = { .opened = no_session, .closed = no_session };

/* --- handlers ------------------------------------------------------------------- */

static inline void h_hello(void *ctx, struct http_req *r)
{
	(void)ctx;
	http_set_header(r, "Location", "/there");
	http_reply(r, 201, "text/plain", "hello", 5);
}

static inline void h_room(void *ctx, struct http_req *r)
{
	struct fixture *f = ctx;
	const char *q = http_req_query(r, "q"), *auth = http_req_header(r, "authorization");
	snprintf(f->seen, sizeof(f->seen), "%s|%s|%s|%s|%s|%s", http_req_method(r),
		 http_req_path(r), http_req_param(r, "room"), http_req_param(r, "what"),
		 q ? q : "-", auth ? auth : "-");
	http_reply(r, 204, NULL, NULL, 0);
}

static inline void h_echo(void *ctx, struct http_req *r)
{
	size_t len;
	const char *body = http_req_body(r, &len);
	(void)ctx;
	assert_int_equal(body[len], 0);
	http_reply(r, 200, http_req_header(r, "content-type"), body, len);
}

static inline void h_hold(void *ctx, struct http_req *r)
{
	((struct fixture *)ctx)->held = r;
}

static inline void h_file(void *ctx, struct http_req *r)
{
	struct fixture *f = ctx;
	char path[128];
	snprintf(path, sizeof(path), "%s/%s", f->dir, http_req_param(r, "name"));
	http_reply_file(r, path, "video/mp4", "Süß \"1\".mp4");
}

static inline int no_sink(void *ctx, struct http_req *r, uint64_t len, void **obj,
			  struct errmsg *why)
{
	(void)ctx;
	(void)r;
	(void)len;
	(void)obj;
	return errmsg_set(why, -ENOENT, "not_found", "Not here.");
}

static const struct http_sink refusing = { .begin = no_sink };

/* --- set-up ---------------------------------------------------------------------- */

static inline unsigned char big_octet(size_t i)
{
	return (unsigned char)(i * 7 + i / 251);
}

static inline void put_file(struct fixture *f, const char *name, const void *data, size_t len)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	assert_true(g_file_set_contents(path, data, (gssize)len, NULL));
}

static inline int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct errmsg why;
	unsigned char *big = g_malloc(BIG);

	strcpy(f->dir, "/tmp/test_server.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	for (size_t i = 0; i < BIG; i++)
		big[i] = big_octet(i);
	put_file(f, "big.bin", big, BIG);
	put_file(f, "index.html", "<!doctype html>", 15);
	put_file(f, "app.js", "export {};", 10);
	put_file(f, "empty.css", "", 0);
	put_file(f, ".secret", "x", 1);
	g_free(big);
	f->loop = g_main_loop_new(NULL, FALSE);
	clock_fake_init(&f->clock, NS_PER_S);
	struct server_cfg cfg = { .loop = f->loop,
				  .clock = &f->clock,
				  .ws_ping_ms = 20,
				  .http_timeout_ms = 1000,
				  .address = "127.0.0.1",
				  .https_port = -1,
				  .web_root = f->dir,
				  .body_max_bytes = 100000 };
	if (server_new(&f->srv, &cfg, &events, f, &why))
		fail_msg("%s", why.text);
	f->port = server_http_port(f->srv);
	server_route(f->srv, "GET", "/api/v1/hello", h_hello, f);
	server_route(f->srv, "GET", "/api/v1/rooms/:room/:what", h_room, f);
	server_route(f->srv, "DELETE", "/api/v1/rooms/:room/:what", h_room, f);
	server_route(f->srv, "POST", "/api/v1/echo", h_echo, f);
	server_route(f->srv, "GET", "/api/v1/hold", h_hold, f);
	server_route(f->srv, "GET", "/files/:name", h_file, f);
	server_route_sink(f->srv, "PUT", "/api/v1/sunk", &refusing, h_hello, f);
	*state = f;
	return 0;
}

static inline int teardown(void **state)
{
	static const char *const names[] = { "big.bin", "index.html", "app.js", "empty.css",
					     ".secret", "long.js" };
	struct fixture *f = *state;
	char path[128];
	server_free(&f->srv, 0);
	g_main_loop_unref(f->loop);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", f->dir, names[i]);
		unlink(path);
	}
	rmdir(f->dir);
	free(f);
	return 0;
}

/* One request on a connection of its own. */
static inline void ask(struct fixture *f, const char *request, struct reply *r)
{
	struct client c;
	client_open(&c, f->port);
	client_text(&c, request);
	assert_true(client_reply(&c, r, !strncmp(request, "HEAD", 4)));
	client_close(&c);
}

static inline void get(struct fixture *f, const char *path, const char *headers, struct reply *r)
{
	char *req = g_strdup_printf("GET %s HTTP/1.1\r\nHost: x\r\n%s\r\n", path, headers);
	ask(f, req, r);
	g_free(req);
}

#endif
