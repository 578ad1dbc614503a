/* Routes: who answers, what comes along, and what is refused. */
#include "tests/signaling/http_rig.h"

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

/* Who sends a body that nobody wants reads why, and goes on. */
static void a_body_that_is_refused(void **state)
{
	enum { BODY = 6 << 20 };
	struct fixture *f = *state;
	char *body = g_malloc0(BODY);
	struct client c;
	struct reply r;

	client_open(&c, f->port);
	for (int i = 0; i < 2; i++) {
		client_text(&c, "PUT /api/v1/sunk HTTP/1.1\r\nHost: x\r\nContent-Length: 6291456\r\n\r\n");
		client_write(&c, body, BODY);
		assert_true(client_reply(&c, &r, false));
		assert_int_equal(r.status, 404);
		assert_string_equal(r.body, "{\"code\":\"not_found\",\"text\":\"Not here.\"}");
		reply_clear(&r);
	}
	client_close(&c);
	g_free(body);
	ask(f, "PUT /api/v1/sunk HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n", &r);
	assert_int_equal(r.status, 404); /* at once */
	assert_true(reply_has(&r, "connection: close"));
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
		T(a_body_that_is_refused),
		T(an_answer_may_come_later),
		T(a_peer_may_leave_before_the_answer),
		T(requests_share_a_connection),
		T(rubbish_is_cut_off),
		T(who_says_nothing_is_cut_off),
	};
	role_enter(ROLE_ID_CTL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
