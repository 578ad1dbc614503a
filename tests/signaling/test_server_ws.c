#include "signaling/server.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/signaling/client.h"

struct fixture {
	GMainLoop *loop;
	struct clock clock;
	struct server *srv;
	int port;
	unsigned opened, closed;
	struct ws_session *last;
	struct errmsg why;
	int err;
	bool echo;
};

static void on_opened(void *ctx, struct ws_session *s)
{
	struct fixture *f = ctx;
	f->opened++;
	f->last = s;
}

static void on_message(void *ctx, struct ws_session *s, const struct client_msg *msg, int err,
		       const struct errmsg *why)
{
	struct fixture *f = ctx;
	f->err = err;
	if (err) {
		f->why = *why;
		char *text = msg_error(msg->id, why, false);
		ws_send_text(s, text, strlen(text));
		free(text);
	} else if (f->echo) {
		char *text = msg_pong(msg->id);
		ws_send_text(s, text, strlen(text));
		free(text);
	}
}

static void on_closed(void *ctx, struct ws_session *s)
{
	struct fixture *f = ctx;
	f->closed++;
	if (f->last == s)
		f->last = NULL;
}

static const struct server_events events = { on_opened, on_message, on_closed };

static void start(struct fixture *f, struct server_cfg cfg)
{
	struct errmsg why;
	cfg.loop = f->loop;
	cfg.clock = &f->clock;
	cfg.address = "127.0.0.1";
	cfg.https_port = -1;
	if (server_new(&f->srv, &cfg, &events, f, &why))
		fail_msg("%s", why.text);
	f->port = server_http_port(f->srv);
	assert_true(f->port > 0);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	f->loop = g_main_loop_new(NULL, FALSE);
	clock_fake_init(&f->clock, NS_PER_S);
	f->echo = true;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	server_free(&f->srv, 0);
	assert_int_equal(f->opened, f->closed);
	g_main_loop_unref(f->loop);
	free(f);
	return 0;
}

static bool all_closed(void *obj)
{
	struct fixture *f = obj;
	return f->opened && f->opened == f->closed;
}

static void expect_close(struct client *c, int code)
{
	struct frame m;
	for (;;) {
		assert_true(client_frame(c, &m));
		if (m.opcode == 8)
			break;
		g_free(m.text);
	}
	assert_int_equal((guint8)m.text[0] << 8 | (guint8)m.text[1], code);
	g_free(m.text);
}

static void expect_text(struct client *c, const char *part)
{
	struct frame m;
	assert_true(client_frame(c, &m));
	assert_int_equal(m.opcode, 1);
	if (!strstr(m.text, part))
		fail_msg("%s lacks %s", m.text, part);
	g_free(m.text);
}

static void messages_go_both_ways(void **state)
{
	struct fixture *f = *state;
	struct client c;
	start(f, (struct server_cfg){ 0 });
	assert_int_equal(client_ws(&c, f->port, "/ws", "mcu.v1"), 101);
	client_say(&c, "{\"type\":\"ping\",\"id\":\"7\"}");
	expect_text(&c, "\"id\":\"7\"");
	assert_string_equal(ws_session_peer(f->last), "127.0.0.1");
	assert_false(ws_session_tls(f->last));
	client_close(&c);
	assert_true(loop_until(all_closed, f));
}

static void a_message_may_come_in_pieces(void **state)
{
	struct fixture *f = *state;
	struct client c;
	start(f, (struct server_cfg){ 0 });
	assert_int_equal(client_ws(&c, f->port, "/ws", "mcu.v1"), 101);
	/* FIN unset, then a continuation; each octet in a packet of its own */
	static const guint8 a[] = { 0x01, 0x84, 0, 0, 0, 0, '{', '"', 't', 'y' };
	static const guint8 b[] = { 0x80, 0x80 | 11, 0,	  0,   0,   0,	 'p', 'e', '"',
				    ':',  '"',	     'p', 'i', 'n', 'g', '"', '}' };
	for (size_t i = 0; i < sizeof(a); i++)
		client_write(&c, a + i, 1);
	client_write(&c, b, sizeof(b));
	expect_text(&c, "pong");
	client_close(&c);
}

static void errors_are_told_and_the_session_lives_on(void **state)
{
	struct fixture *f = *state;
	struct client c;
	start(f, (struct server_cfg){ 0 });
	assert_int_equal(client_ws(&c, f->port, "/ws", "mcu.v1"), 101);
	client_say(&c, "{not json");
	expect_text(&c, "bad_json");
	client_say(&c, "{\"type\":\"dance\"}");
	expect_text(&c, "unknown_type");
	client_say(&c, "{\"type\":\"join\",\"room\":\"a\"}");
	expect_text(&c, "bad_message");
	client_say(&c, "{\"type\":\"ping\"}");
	expect_text(&c, "pong");
	client_close(&c);
}

static void only_ws_with_the_subprotocol_is_upgraded(void **state)
{
	struct fixture *f = *state;
	struct client c;
	start(f, (struct server_cfg){ 0 });
	assert_int_not_equal(client_ws(&c, f->port, "/other", "mcu.v1"), 101);
	client_close(&c);
	assert_int_not_equal(client_ws(&c, f->port, "/ws", "mcu.v9"), 101);
	client_close(&c);
	assert_int_not_equal(client_ws(&c, f->port, "/ws", NULL), 101);
	client_close(&c);
	assert_int_equal(f->opened, 0);
}

static void too_large_a_message_ends_the_session(void **state)
{
	struct fixture *f = *state;
	struct client c;
	char *big = g_malloc(PROTOCOL_MAX_BYTES + 1);
	memset(big, ' ', PROTOCOL_MAX_BYTES + 1);
	start(f, (struct server_cfg){ 0 });
	assert_int_equal(client_ws(&c, f->port, "/ws", "mcu.v1"), 101);
	memcpy(big, "{\"type\":\"ping\"}", 15);
	client_send_frame(&c, 1, big, PROTOCOL_MAX_BYTES); /* this is the limit */
	expect_text(&c, "pong");
	client_send_frame(&c, 1, big, PROTOCOL_MAX_BYTES + 1);
	expect_text(&c, "bad_json");
	assert_int_equal(f->err, -EMSGSIZE);
	expect_close(&c, 1009);
	assert_true(loop_until(all_closed, f));
	client_close(&c);
	g_free(big);
}

static void binary_frames_are_refused(void **state)
{
	struct fixture *f = *state;
	struct client c;
	start(f, (struct server_cfg){ 0 });
	assert_int_equal(client_ws(&c, f->port, "/ws", "mcu.v1"), 101);
	client_send_frame(&c, 2, "{}", 2);
	expect_text(&c, "bad_json");
	expect_close(&c, 1003);
	client_close(&c);
}

static void a_flood_ends_the_session(void **state)
{
	struct fixture *f = *state;
	struct client c;
	start(f, (struct server_cfg){ 0 });
	assert_int_equal(client_ws(&c, f->port, "/ws", "mcu.v1"), 101);
	for (int round = 0; round < 2; round++) { /* 50 in each second are fine */
		for (int i = 0; i < 50; i++)
			client_say(&c, "{\"type\":\"ping\"}");
		for (int i = 0; i < 50; i++)
			expect_text(&c, "pong");
		clock_fake_advance(&f->clock, NS_PER_S);
	}
	for (int i = 0; i < 60; i++)
		client_say(&c, "{\"type\":\"ping\"}");
	for (int i = 0; i < 50; i++)
		expect_text(&c, "pong");
	expect_text(&c, "rate_limited");
	assert_int_equal(f->err, -EDQUOT);
	expect_close(&c, 1008);
	assert_true(loop_until(all_closed, f));
	client_close(&c);
}

static void a_silent_peer_is_pinged_then_dropped(void **state)
{
	struct fixture *f = *state;
	struct client c;
	struct frame m;
	start(f, (struct server_cfg){ .ws_ping_ms = 20, .ws_timeout_ms = 60 });
	assert_int_equal(client_ws(&c, f->port, "/ws", "mcu.v1"), 101);
	clock_fake_advance(&f->clock, 20 * NS_PER_MS);
	assert_true(client_frame(&c, &m));
	assert_int_equal(m.opcode, 9);
	client_send_frame(&c, 10, m.text, m.len); /* that is a sign of life */
	g_free(m.text);
	client_say(&c, "{\"type\":\"ping\"}");
	expect_text(&c, "pong");
	clock_fake_advance(&f->clock, 59 * NS_PER_MS);
	assert_true(client_frame(&c, &m));
	assert_int_equal(m.opcode, 9);
	g_free(m.text);
	assert_int_equal(f->closed, 0);
	clock_fake_advance(&f->clock, NS_PER_MS); /* half open: no pong came */
	assert_true(loop_until(all_closed, f));
	client_close(&c);
}

static void a_reader_that_is_too_slow_is_dropped(void **state)
{
	struct fixture *f = *state;
	struct client slow;
	static char text[32768];
	int err = 0;
	start(f, (struct server_cfg){ .ws_queue_bytes = 262144 });
	assert_int_equal(client_ws(&slow, f->port, "/ws", "mcu.v1"), 101);
	struct ws_session *s = f->last;
	memset(text, 'x', sizeof(text));
	for (int i = 0; i < 10000 && !err; i++) {
		g_main_context_iteration(NULL, FALSE);
		err = ws_send_text(s, text, sizeof(text));
	}
	assert_int_equal(err, -EAGAIN);
	assert_int_equal(f->closed, 0); /* not from inside */
	assert_true(loop_until(all_closed, f));
	client_close(&slow);
}

static void what_was_said_before_close_arrives(void **state)
{
	struct fixture *f = *state;
	struct client c;
	start(f, (struct server_cfg){ 0 });
	assert_int_equal(client_ws(&c, f->port, "/ws", "mcu.v1"), 101);
	struct ws_session *s = f->last;
	assert_int_equal(ws_send_text(s, "first", 5), 0);
	assert_int_equal(ws_send_text(s, "second", 6), 0);
	ws_close(s, 4000, "because");
	assert_int_equal(ws_send_text(s, "third", 5), -EPIPE);
	client_say(&c, "{\"type\":\"ping\"}"); /* no longer heard */
	expect_text(&c, "first");
	expect_text(&c, "second");
	expect_close(&c, 4000);
	assert_true(loop_until(all_closed, f));
	client_close(&c);
}

static void addresses_have_a_limit_of_connections(void **state)
{
	struct fixture *f = *state;
	struct client c[3];
	start(f, (struct server_cfg){ .max_per_address = 2 });
	assert_int_equal(client_ws(&c[0], f->port, "/ws", "mcu.v1"), 101);
	assert_int_equal(client_ws(&c[1], f->port, "/ws", "mcu.v1"), 101);
	assert_int_equal(client_ws(&c[2], f->port, "/ws", "mcu.v1"), 0);
	assert_true(c[2].eof);
	client_close(&c[2]);
	client_close(&c[0]);
	while (f->closed != 1)
		g_main_context_iteration(NULL, TRUE);
	assert_int_equal(client_ws(&c[0], f->port, "/ws", "mcu.v1"), 101);
	client_close(&c[0]);
	client_close(&c[1]);
}

static void shutdown_lets_the_last_words_out(void **state)
{
	struct fixture *f = *state;
	struct client c;
	start(f, (struct server_cfg){ 0 });
	assert_int_equal(client_ws(&c, f->port, "/ws", "mcu.v1"), 101);
	ws_send_text(f->last, "bye", 3);
	ws_close(f->last, 1001, "");
	server_free(&f->srv, 2000);
	assert_int_equal(f->closed, 1);
	expect_text(&c, "bye");
	client_close(&c);
}

static void many_come_and_go(void **state)
{
	struct fixture *f = *state;
	struct client c[40];
	start(f, (struct server_cfg){ 0 });
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < 40; i++)
			assert_int_equal(client_ws(&c[i], f->port, "/ws", "mcu.v1"), 101);
		for (size_t i = 0; i < 40; i++) {
			client_say(&c[i], "{\"type\":\"ping\"}");
			if (i % 2)
				expect_text(&c[i], "pong");
			client_close(&c[i]);
		}
	}
	assert_true(loop_until(all_closed, f));
	assert_int_equal(f->closed, 120);
}

static void a_port_in_use_is_told(void **state)
{
	struct fixture *f = *state;
	struct server *second = NULL;
	struct errmsg why;
	start(f, (struct server_cfg){ 0 });
	struct server_cfg cfg = {
		.loop = f->loop, .address = "127.0.0.1", .http_port = f->port, .https_port = -1
	};
	assert_int_equal(server_new(&second, &cfg, &events, f, &why), -EADDRINUSE);
	assert_null(second);
	assert_non_null(strstr(why.text, "Cannot listen on 127.0.0.1"));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(messages_go_both_ways),
		T(a_message_may_come_in_pieces),
		T(errors_are_told_and_the_session_lives_on),
		T(only_ws_with_the_subprotocol_is_upgraded),
		T(too_large_a_message_ends_the_session),
		T(binary_frames_are_refused),
		T(a_flood_ends_the_session),
		T(a_silent_peer_is_pinged_then_dropped),
		T(a_reader_that_is_too_slow_is_dropped),
		T(what_was_said_before_close_arrives),
		T(addresses_have_a_limit_of_connections),
		T(shutdown_lets_the_last_words_out),
		T(many_come_and_go),
		T(a_port_in_use_is_told),
	};
	role_enter(ROLE_ID_CTL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
