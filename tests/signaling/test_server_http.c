#include "signaling/server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>
#include <zlib.h>

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

static void no_session(void *ctx, struct ws_session *s)
{
	(void)ctx;
	(void)s;
}

static const struct server_events events = { .opened = no_session, .closed = no_session };

/* --- handlers ------------------------------------------------------------------- */

static void h_hello(void *ctx, struct http_req *r)
{
	(void)ctx;
	http_set_header(r, "Location", "/there");
	http_reply(r, 201, "text/plain", "hello", 5);
}

static void h_room(void *ctx, struct http_req *r)
{
	struct fixture *f = ctx;
	const char *q = http_req_query(r, "q"), *auth = http_req_header(r, "authorization");
	snprintf(f->seen, sizeof(f->seen), "%s|%s|%s|%s|%s|%s", http_req_method(r),
		 http_req_path(r), http_req_param(r, "room"), http_req_param(r, "what"),
		 q ? q : "-", auth ? auth : "-");
	http_reply(r, 204, NULL, NULL, 0);
}

static void h_echo(void *ctx, struct http_req *r)
{
	size_t len;
	const char *body = http_req_body(r, &len);
	(void)ctx;
	assert_int_equal(body[len], 0);
	http_reply(r, 200, http_req_header(r, "content-type"), body, len);
}

static void h_hold(void *ctx, struct http_req *r)
{
	((struct fixture *)ctx)->held = r;
}

static void h_file(void *ctx, struct http_req *r)
{
	struct fixture *f = ctx;
	char path[128];
	snprintf(path, sizeof(path), "%s/%s", f->dir, http_req_param(r, "name"));
	http_reply_file(r, path, "video/mp4", "Süß \"1\".mp4");
}

/* --- set-up ---------------------------------------------------------------------- */

static unsigned char big_octet(size_t i)
{
	return (unsigned char)(i * 7 + i / 251);
}

static void put_file(struct fixture *f, const char *name, const void *data, size_t len)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	assert_true(g_file_set_contents(path, data, (gssize)len, NULL));
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct errmsg why;
	unsigned char *big = g_malloc(BIG);

	strcpy(f->dir, "/tmp/test_server_http.XXXXXX");
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
	*state = f;
	return 0;
}

static int teardown(void **state)
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
static void ask(struct fixture *f, const char *request, struct reply *r)
{
	struct client c;
	client_open(&c, f->port);
	client_text(&c, request);
	assert_true(client_reply(&c, r, !strncmp(request, "HEAD", 4)));
	client_close(&c);
}

static void get(struct fixture *f, const char *path, const char *headers, struct reply *r)
{
	char *req = g_strdup_printf("GET %s HTTP/1.1\r\nHost: x\r\n%s\r\n", path, headers);
	ask(f, req, r);
	g_free(req);
}

/* --- tests ------------------------------------------------------------------------- */

static void a_route_answers(void **state)
{
	struct reply r;
	get(*state, "/api/v1/hello", "", &r);
	assert_int_equal(r.status, 201);
	assert_string_equal(r.body, "hello");
	assert_true(reply_has(&r, "\r\nlocation: /there\r\n"));
	assert_true(reply_has(&r, "\r\ncontent-type: text/plain\r\n"));
	assert_true(reply_has(&r, "\r\ncache-control: no-store\r\n"));
	assert_true(reply_has(&r, "\r\nx-content-type-options: nosniff\r\n"));
	assert_true(reply_has(&r, "frame-ancestors 'none'"));
	assert_true(reply_has(&r, "\r\npermissions-policy: camera=(self), microphone=(self)"));
	reply_clear(&r);
}

static void a_route_has_its_parts(void **state)
{
	struct fixture *f = *state;
	struct reply r;
	get(f, "/api/v1/rooms/caf%C3%A9%20x/recordings?a=1&q=two%20words",
	    "Authorization: Bearer t\r\n", &r);
	assert_int_equal(r.status, 204);
	assert_string_equal(
		f->seen,
		"GET|/api/v1/rooms/café x/recordings|café x|recordings|two words|Bearer t");
	reply_clear(&r);
	ask(f, "DELETE /api/v1/rooms/r/it HTTP/1.1\r\nHost: x\r\n\r\n", &r);
	assert_int_equal(r.status, 204);
	assert_string_equal(f->seen, "DELETE|/api/v1/rooms/r/it|r|it|-|-");
	reply_clear(&r);
}

static void errors_are_json(void **state)
{
	struct reply r;
	get(*state, "/api/v1/none", "", &r);
	assert_int_equal(r.status, 404);
	assert_string_equal(
		r.body, "{\"code\":\"not_found\",\"text\":\"There is nothing at this address.\"}");
	assert_true(reply_has(&r, "content-type: application/json"));
	reply_clear(&r);
	ask(*state, "PUT /api/v1/hello HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", &r);
	assert_int_equal(r.status, 405);
	assert_non_null(strstr(r.body, "method_not_allowed"));
	reply_clear(&r);
}

static void bodies_come_whole(void **state)
{
	struct fixture *f = *state;
	struct client c;
	struct reply r;
	static char body[90000];
	memset(body, 'b', sizeof(body));
	client_open(&c, f->port);
	for (int i = 0; i < 2; i++) { /* twice on the same connection */
		client_text(&c, "POST /api/v1/echo HTTP/1.1\r\nHost: x\r\nContent-Type: a/b\r\n"
				"Content-Length: 90000\r\n\r\n");
		client_write(&c, body, sizeof(body));
		assert_true(client_reply(&c, &r, false));
		assert_int_equal(r.status, 200);
		assert_int_equal(r.len, sizeof(body));
		assert_memory_equal(r.body, body, sizeof(body));
		reply_clear(&r);
	}
	client_text(&c, "POST /api/v1/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
	assert_true(client_reply(&c, &r, false));
	assert_int_equal(r.status, 200);
	assert_int_equal(r.len, 0);
	reply_clear(&r);
	client_close(&c);
}

static void bodies_have_limits(void **state)
{
	struct reply r;
	ask(*state, "POST /api/v1/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100001\r\n\r\n", &r);
	assert_int_equal(r.status, 413);
	assert_true(reply_has(&r, "connection: close"));
	reply_clear(&r);
	ask(*state, "POST /api/v1/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
	    &r);
	assert_int_equal(r.status, 411);
	reply_clear(&r);
	ask(*state, "POST /api/v1/echo HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n", &r);
	assert_int_equal(r.status, 411);
	reply_clear(&r);
}

static bool is_held(void *obj)
{
	return ((struct fixture *)obj)->held != NULL;
}

static void an_answer_may_come_later(void **state)
{
	struct fixture *f = *state;
	struct client c;
	struct reply r;
	client_open(&c, f->port);
	client_text(&c, "GET /api/v1/hold HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_true(loop_until(is_held, f));
	get(f, "/api/v1/hello", "", &r); /* meanwhile others are served */
	assert_int_equal(r.status, 201);
	reply_clear(&r);
	assert_string_equal(http_req_peer(f->held), "127.0.0.1");
	http_reply_error(f->held, 409, "busy", "Room %d is busy.", 3);
	assert_true(client_reply(&c, &r, false));
	assert_int_equal(r.status, 409);
	assert_string_equal(r.body, "{\"code\":\"busy\",\"text\":\"Room 3 is busy.\"}");
	reply_clear(&r);
	client_close(&c);
}

static void a_peer_may_leave_before_the_answer(void **state)
{
	struct fixture *f = *state;
	struct client c;
	struct reply r;
	for (int i = 0; i < 2; i++) {
		bool over = false;
		int turns = 0;
		f->held = NULL;
		client_open(&c, f->port);
		client_text(&c, "GET /api/v1/hold HTTP/1.1\r\nHost: x\r\n\r\n");
		assert_true(loop_until(is_held, f));
		client_close(&c);
		g_timeout_add(50, client_wake, &over);
		while (!over) {
			g_main_context_iteration(NULL, TRUE);
			turns++;
		}
		assert_in_range(turns, 1, 50); /* the loop sleeps meanwhile */
		if (i)
			http_reply(f->held, 200, "text/plain", "late", 4);
		else
			http_reply_file(f->held, "/etc/passwd", NULL, NULL);
		get(f, "/app.js", "", &r);
		assert_int_equal(r.status, 200);
		reply_clear(&r);
	}
}

static void pages_are_served(void **state)
{
	static const char *const pages[] = { "/", "/index.html", "/r/my-room" };
	struct reply r;
	for (size_t i = 0; i < 3; i++) {
		get(*state, pages[i], "", &r);
		assert_int_equal(r.status, 200);
		assert_string_equal(r.body, "<!doctype html>");
		assert_true(reply_has(&r, "content-type: text/html; charset=utf-8"));
		assert_true(reply_has(&r, "cache-control: no-cache"));
		reply_clear(&r);
	}
	get(*state, "/app.js", "", &r);
	assert_int_equal(r.status, 200);
	assert_true(reply_has(&r, "content-type: text/javascript; charset=utf-8"));
	reply_clear(&r);
	get(*state, "/empty.css", "", &r);
	assert_int_equal(r.status, 200);
	assert_int_equal(r.len, 0);
	assert_true(reply_has(&r, "content-length: 0"));
	reply_clear(&r);
	ask(*state, "HEAD /app.js HTTP/1.1\r\nHost: x\r\n\r\n", &r);
	assert_int_equal(r.status, 200);
	assert_true(reply_has(&r, "content-length: 10"));
	reply_clear(&r);
}

static void nothing_outside_the_folder(void **state)
{
	static const char *const paths[] = {
		"/../../../../etc/passwd.txt",
		"/%2e%2e/%2e%2e/%2e%2e/etc/passwd.x",
		"/..%2f..%2fetc/x.y",
		"/a/../../x.js",
		"/.secret",
		"//etc/hosts.txt",
		"/x%00.js",
		"/..\\..\\x.js",
		"/none.js",
	};
	struct fixture *f = *state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct client c;
		struct reply r;
		client_open(&c, f->port);
		char *req = g_strdup_printf("GET %s HTTP/1.1\r\nHost: x\r\n\r\n", paths[i]);
		client_text(&c, req);
		if (client_reply(&c, &r, false)) /* or cut off by libwebsockets */
			assert_in_range(r.status, 400, 404);
		reply_clear(&r);
		g_free(req);
		client_close(&c);
	}
}

static void a_big_file_comes_whole(void **state)
{
	struct reply r;
	get(*state, "/big.bin", "", &r);
	assert_int_equal(r.status, 200);
	assert_int_equal(r.len, BIG);
	for (size_t i = 0; i < BIG; i++)
		if ((unsigned char)r.body[i] != big_octet(i))
			fail_msg("octet %zu differs", i);
	assert_true(reply_has(&r, "accept-ranges: bytes"));
	reply_clear(&r);
}

static void ranges_are_served(void **state)
{
	struct reply r;
	get(*state, "/files/big.bin", "Range: bytes=65530-131080\r\n", &r);
	assert_int_equal(r.status, 206);
	assert_int_equal(r.len, 131080 - 65530 + 1);
	for (size_t i = 0; i < r.len; i++)
		if ((unsigned char)r.body[i] != big_octet(65530 + i))
			fail_msg("octet %zu differs", i);
	assert_true(reply_has(&r, "content-range: bytes 65530-131080/197385"));
	assert_true(reply_has(&r, "content-type: video/mp4"));
	assert_true(reply_has(
		&r, "filename=\"S____ _1_.mp4\"; filename*=UTF-8''S%C3%BC%C3%9F%20%221%22.mp4"));
	reply_clear(&r);
	get(*state, "/files/big.bin", "Range: bytes=-10\r\n", &r);
	assert_int_equal(r.status, 206);
	assert_int_equal(r.len, 10);
	assert_int_equal((unsigned char)r.body[9], big_octet(BIG - 1));
	reply_clear(&r);
	get(*state, "/files/big.bin", "Range: bytes=197385-\r\n", &r);
	assert_int_equal(r.status, 416);
	assert_true(reply_has(&r, "content-range: bytes */197385"));
	reply_clear(&r);
}

static void an_unchanged_file_is_not_sent_again(void **state)
{
	struct reply r;
	get(*state, "/app.js", "", &r);
	char *tag = strcasestr(r.head, "etag: ");
	assert_non_null(tag);
	char *header =
		g_strdup_printf("If-None-Match: %.*s\r\n", (int)strcspn(tag + 6, "\r"), tag + 6);
	reply_clear(&r);
	get(*state, "/app.js", header, &r);
	assert_int_equal(r.status, 304);
	assert_int_equal(r.len, 0);
	reply_clear(&r);
	get(*state, "/app.js", "If-None-Match: \"other\"\r\n", &r);
	assert_int_equal(r.status, 200);
	reply_clear(&r);
	g_free(header);
}

static void put_long(struct fixture *f, const char *name, char what)
{
	char text[5000];
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i % 50 ? what : '\n';
	put_file(f, name, text, sizeof(text));
}

static void expect_unzipped(const struct reply *r, char what)
{
	unsigned char out[6000];
	z_stream z = { .next_in = (unsigned char *)r->body, .avail_in = (uInt)r->len,
		       .next_out = out, .avail_out = sizeof(out) };
	assert_int_equal(r->status, 200);
	assert_true(reply_has(r, "content-encoding: gzip"));
	assert_true(reply_has(r, "vary: accept-encoding"));
	assert_true(r->len < 500);
	assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	assert_int_equal(z.total_out, 5000);
	assert_int_equal(out[4999], what);
	inflateEnd(&z);
}

static void the_page_travels_compressed(void **state)
{
	static const char takes[] = "Accept-Encoding: gzip, deflate, br\r\n";
	struct reply r;
	put_long(*state, "long.js", 'a');
	put_long(*state, "empty.css", 'b');
	for (int i = 0; i < 2; i++) { /* made, then kept */
		get(*state, "/long.js", takes, &r);
		expect_unzipped(&r, 'a');
		reply_clear(&r);
	}
	get(*state, "/empty.css", takes, &r);
	expect_unzipped(&r, 'b');
	char *tag = strcasestr(r.head, "etag: ") + 6;
	char *header = g_strdup_printf("%sIf-None-Match: %.*s\r\n", takes, (int)strcspn(tag, "\r"), tag);
	reply_clear(&r);
	get(*state, "/empty.css", header, &r);
	assert_int_equal(r.status, 304);
	reply_clear(&r);
	g_free(header);
	/* as they are: to those who do not ask, in part, what is small, and downloads */
	static const char *const plain[][2] = {
		{ "/long.js", "" },
		{ "/long.js", "Accept-Encoding: gzip;q=0\r\n" },
		{ "/long.js", "Accept-Encoding: gzip\r\nRange: bytes=0-4999\r\n" },
		{ "/app.js", "Accept-Encoding: gzip\r\n" },
		{ "/files/long.js", "Accept-Encoding: gzip\r\n" },
	};
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		get(*state, plain[i][0], plain[i][1], &r);
		assert_false(reply_has(&r, "content-encoding:"));
		assert_int_equal(r.len, i == 3 ? 10 : 5000);
		reply_clear(&r);
	}
}

static void a_changed_file_is_compressed_anew(void **state)
{
	struct reply r;
	put_long(*state, "long.js", 'a');
	get(*state, "/long.js", "Accept-Encoding: gzip\r\n", &r);
	expect_unzipped(&r, 'a');
	reply_clear(&r);
	put_long(*state, "long.js", 'c');
	get(*state, "/long.js", "Accept-Encoding: gzip\r\n", &r);
	expect_unzipped(&r, 'c');
	reply_clear(&r);
}

static void a_missing_file_is_404(void **state)
{
	struct reply r;
	get(*state, "/files/none.mp4", "", &r);
	assert_int_equal(r.status, 404);
	assert_non_null(strstr(r.body, "not_found"));
	assert_true(reply_has(&r, "content-type: application/json"));
	reply_clear(&r);
}

static void requests_share_a_connection(void **state)
{
	struct fixture *f = *state;
	struct client c;
	struct reply r;
	client_open(&c, f->port);
	for (int i = 0; i < 5; i++) {
		client_text(&c, i % 2 ? "GET /app.js HTTP/1.1\r\nHost: x\r\n\r\n"
				      : "GET /api/v1/hello HTTP/1.1\r\nHost: x\r\n\r\n");
		assert_true(client_reply(&c, &r, false));
		assert_int_equal(r.status, i % 2 ? 200 : 201);
		reply_clear(&r);
	}
	client_close(&c);
}

static void a_reader_that_leaves_in_the_middle_harms_nobody(void **state)
{
	struct fixture *f = *state;
	struct client c;
	struct reply r;
	for (int i = 0; i < 20; i++) {
		client_open(&c, f->port);
		client_text(&c, "GET /big.bin HTTP/1.1\r\nHost: x\r\n\r\n");
		if (i % 2)
			client_wait(&c, client_has_head);
		client_close(&c);
	}
	get(f, "/app.js", "", &r);
	assert_int_equal(r.status, 200);
	reply_clear(&r);
}

static void rubbish_is_cut_off(void **state)
{
	struct fixture *f = *state;
	static const char *const rubbish[] = { "\x16\x03\x01\x02\x00\x01\x00", "HELO x\r\n\r\n",
					       "GET\r\n\r\n", "GET / HTTP/9\r\n: \r\n\r\n",
					       "\r\n\r\n\r\n" };
	struct reply r;
	for (size_t i = 0; i < sizeof(rubbish) / sizeof(rubbish[0]); i++) {
		struct client c;
		client_open(&c, f->port);
		client_text(&c, rubbish[i]);
		for (int k = 0; k < 20; k++)
			g_main_context_iteration(NULL, FALSE);
		client_close(&c);
	}
	get(f, "/api/v1/hello", "", &r);
	assert_int_equal(r.status, 201);
	reply_clear(&r);
}

/* Opens a connection, says start, and lets the time pass. */
static void expect_cut_off(struct fixture *f, const char *start)
{
	struct client c;
	bool over = false;
	client_open(&c, f->port);
	client_text(&c, start);
	g_timeout_add(50, client_wake, &over);
	while (!over)
		g_main_context_iteration(NULL, TRUE);
	clock_fake_advance(&f->clock, 999 * NS_PER_MS);
	over = false;
	g_timeout_add(50, client_wake, &over);
	while (!over)
		g_main_context_iteration(NULL, TRUE);
	client_pump(&c);
	assert_false(c.eof);
	clock_fake_advance(&f->clock, NS_PER_MS);
	assert_true(client_wait(&c, client_has_eof));
	client_close(&c);
}

static void who_says_nothing_is_cut_off(void **state)
{
	expect_cut_off(*state, "");
	expect_cut_off(*state, "GET / HT");
	expect_cut_off(*state,
		       "POST /api/v1/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nab");
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_route_answers),
		T(a_route_has_its_parts),
		T(errors_are_json),
		T(bodies_come_whole),
		T(bodies_have_limits),
		T(an_answer_may_come_later),
		T(a_peer_may_leave_before_the_answer),
		T(pages_are_served),
		T(nothing_outside_the_folder),
		T(a_big_file_comes_whole),
		T(ranges_are_served),
		T(the_page_travels_compressed),
		T(a_changed_file_is_compressed_anew),
		T(an_unchanged_file_is_not_sent_again),
		T(a_missing_file_is_404),
		T(requests_share_a_connection),
		T(a_reader_that_leaves_in_the_middle_harms_nobody),
		T(rubbish_is_cut_off),
		T(who_says_nothing_is_cut_off),
	};
	role_enter(ROLE_ID_CTL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
