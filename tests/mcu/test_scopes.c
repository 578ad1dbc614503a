#include "mcu/scopes.h"

#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mcu/conference.h"
#include "mcu/routes.h"
#include "signaling/whip.h"

static void every_route_has_a_scope(void **state)
{
	struct server_cfg cfg = { .loop = g_main_loop_new(NULL, FALSE), .address = "127.0.0.1",
				  .https_port = -1 };
	static const struct server_events events = { 0 };
	struct routes_cfg routes_cfg = { 0 };
	const char *method, *pattern;
	struct routes *routes;
	struct whip *whip;
	struct server *s;
	struct errmsg why;
	size_t n = 0;

	(void)state;
	role_assert_ctl();
	assert_int_equal(server_new(&s, &cfg, &events, NULL, &why), 0);
	assert_int_equal(routes_new(&routes, s, &routes_cfg), 0);
	assert_int_equal(whip_new(&whip, &conference_api, NULL, NULL), 0);
	assert_int_equal(whip_routes(whip, s), 0);
	for (; server_get_route(s, n, &method, &pattern); n++)
		if (scope_of_route(method, pattern) == SCOPE_UNKNOWN)
			fail_msg("%s %s has no scope: add a row to mcu/scopes.c", method, pattern);
	assert_true(n > 20);
	whip_shutdown(whip);
	routes_stop(routes);
	server_free(&s, 0);
	routes_free(&routes);
	whip_free(&whip);
	g_main_loop_unref(cfg.loop);
}

static void routes_need_what_they_should(void **state)
{
	static const struct {
		const char *method, *pattern;
		enum scope want;
	} t[] = {
		{ "GET", "/api/v1/rooms", SCOPE_ROOMS_READ },
		{ "HEAD", "/api/v1/rooms", SCOPE_ROOMS_READ },
		{ "PUT", "/api/v1/rooms/:room", SCOPE_ROOMS_WRITE },
		{ "DELETE", "/api/v1/rooms/:room/invitations/:id", SCOPE_ROOMS_WRITE },
		{ "GET", "/api/v1/rooms/:room/calls", SCOPE_CALLS_READ },
		{ "POST", "/api/v1/rooms/:room/dial", SCOPE_CALLS_DIAL },
		{ "POST", "/api/v1/rooms/:room/legs/:leg/capture", SCOPE_SERVER_WRITE },
		{ "PATCH", "/api/v1/rooms/:room/legs/:leg", SCOPE_ROOMS_WRITE },
		{ "GET", "/api/v1/users/:name/sip", SCOPE_USERS_READ },
		{ "GET", "/api/v1/me", SCOPE_ANY },
		{ "PUT", "/api/v1/me/password", SCOPE_SIGN_IN },
		{ "POST", "/api/v1/logout", SCOPE_SIGN_IN },
		{ "POST", "/api/v1/tokens", SCOPE_SIGN_IN },
		{ "GET", "/api/v1/tokens", SCOPE_SIGN_IN },
		{ "DELETE", "/api/v1/tokens/:id", SCOPE_SIGN_IN },
		{ "GET", "/recordings/:id/:token", SCOPE_PUBLIC },
		/* what nobody has thought of is nobody's */
		{ "DELETE", "/api/v1/audit", SCOPE_UNKNOWN },
		{ "GET", "/api/v1/roomsandmore", SCOPE_UNKNOWN },
		{ "GET", "/api/v1/secrets", SCOPE_UNKNOWN },
		{ "GET", "/api/v1", SCOPE_UNKNOWN },
		{ "GET", "", SCOPE_UNKNOWN },
	};

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++)
		if (scope_of_route(t[i].method, t[i].pattern) != t[i].want)
			fail_msg("%s %s: %d", t[i].method, t[i].pattern,
				 scope_of_route(t[i].method, t[i].pattern));
}

static void words_are_read_and_written(void **state)
{
	char text[SCOPES_TEXT_MAX];
	uint32_t m = 0, all = 0;

	(void)state;
	assert_true(scopes_add(&m, "rooms:read"));
	assert_int_equal(m, 1U << SCOPE_ROOMS_READ);
	assert_true(scopes_add(&m, "users:*"));
	assert_int_equal(m, 1U << SCOPE_ROOMS_READ | 1U << SCOPE_USERS_READ | 1U << SCOPE_USERS_WRITE);
	scopes_write(text, m);
	assert_string_equal(text, "rooms:read users:read users:write");
	assert_int_equal(scopes_read(text), m);
	for (size_t i = 0; i < 7; i++) {
		static const char *const none[] = { "", ":*", "rooms", "rooms:", "rooms:delete", "ROOMS:READ",
						    "sign_in" };
		uint32_t before = m;

		assert_false(scopes_add(&m, none[i]));
		assert_int_equal(m, before);
	}
	assert_true(scopes_add(&all, "*"));
	/* what cannot be given is not in "all" either */
	assert_int_equal(all & (1U << SCOPE_UNKNOWN | 1U << SCOPE_PUBLIC | 1U << SCOPE_ANY |
				1U << SCOPE_SIGN_IN), 0);
	scopes_write(text, all);
	assert_int_equal(scopes_read(text), all);
	assert_int_equal(scopes_read("  rooms:read gone:forever  join "), 1U << SCOPE_ROOMS_READ |
							       1U << SCOPE_JOIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_route_has_a_scope),
		cmocka_unit_test(routes_need_what_they_should),
		cmocka_unit_test(words_are_read_and_written),
	};

	role_enter(ROLE_ID_CTL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
