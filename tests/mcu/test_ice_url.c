#include "mcu/ice_url.h"

#include <errno.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void takes_the_forms_of_the_rfcs(void **state)
{
	static const struct {
		const char *url;
		enum ice_server_kind kind;
		const char *host;
		uint16_t port;
	} good[] = {
		{ "stun:stun.example.org", ICE_STUN, "stun.example.org", 3478 },
		{ "stun:10.0.0.1:19302", ICE_STUN, "10.0.0.1", 19302 },
		{ "stun:[2001:db8::1]", ICE_STUN, "2001:db8::1", 3478 },
		{ "turn:t.example", ICE_TURN_UDP, "t.example", 3478 },
		{ "turn:t.example:80?transport=udp", ICE_TURN_UDP, "t.example", 80 },
		{ "turn:[::1]:80?transport=tcp", ICE_TURN_TCP, "::1", 80 },
		{ "turns:t.example", ICE_TURN_TLS, "t.example", 5349 },
		{ "turns:t.example:443?transport=tcp", ICE_TURN_TLS, "t.example", 443 },
	};
	struct ice_url u;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		assert_int_equal(ice_url_parse(&u, good[i].url), 0);
		assert_int_equal(u.kind, good[i].kind);
		assert_string_equal(u.host, good[i].host);
		assert_int_equal(u.port, good[i].port);
	}
}

static void refuses_the_rest(void **state)
{
	static const char *const bad[] = {
		"", "stun", "stun:", "stun::3478", "stun:a:", "stun:a:0", "stun:a:65536", "stun:a:-1",
		"stun:a:3478x", "stun:a b", "stun:[::1", "stun:[]", "stun:a?transport=udp",
		"turn:a?transport=sctp", "turn:a?", "turns:a?transport=udp", "http://a", "stun://a",
		"STUN:a",
	};
	struct ice_url u;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(ice_url_parse(&u, bad[i]), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_the_forms_of_the_rfcs),
		cmocka_unit_test(refuses_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
