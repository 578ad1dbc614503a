/* The sockets of a call: pairs, range, references, keys. */
#include "mcu/net/rtp_ports.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static uint16_t port_of(int fd)
{
	struct sockaddr_storage a;
	socklen_t len = sizeof a;

	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	return ntohs(a.ss_family == AF_INET ? ((struct sockaddr_in *)(void *)&a)->sin_port :
					      ((struct sockaddr_in6 *)(void *)&a)->sin6_port);
}

static void ranges_are_read(void **state)
{
	static const struct {
		const char *text;
		uint16_t min, max; /* 0: none */
	} t[] = { { "20000-29999", 20000, 29999 }, { "1024-1025", 1024, 1025 },
		  { "1025-1027", 1025, 1027 }, { "1025-1026", 0, 0 }, { "20000", 0, 0 },
		  { "1000-2000", 0, 0 }, { "3000-2000", 0, 0 }, { "60000-70000", 0, 0 },
		  { "20000-29999x", 0, 0 }, { "", 0, 0 }, { "-1-5", 0, 0 },
		  { "2000-99999999999", 0, 0 }, { "2000-2000", 0, 0 } };
	uint16_t min, max;

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		bool good = rtp_port_range_parse(t[i].text, &min, &max);

		if (good != (t[i].min != 0) || (good && (min != t[i].min || max != t[i].max)))
			fail_msg("\"%s\"", t[i].text);
	}
}

/* Who else has some of the ports is walked around; which range is free nobody knows. */
static struct rtp_port_range *make_range(uint16_t pairs)
{
	struct rtp_port_range *r;

	assert_int_equal(rtp_port_range_new(&r, 21001, (uint16_t)(21001 + 2 * pairs)), 0);
	assert_int_equal(rtp_port_range_pairs(r), pairs);
	return r;
}

static void pairs_are_even_and_odd(void **state)
{
	static const char *const address[] = { "127.0.0.1", "::1" };
	struct rtp_port_range *r = make_range(1000);
	struct errmsg why;

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct rtp_ports *p;

		assert_int_equal(rtp_ports_new(&p, r, address[i], 3, &why), 0);
		assert_int_equal(rtp_ports_shard(p), 3);
		assert_int_equal(rtp_ports_ip6(p), i);
		assert_string_equal(rtp_ports_address(p), address[i]);
		for (enum rtp_line l = RTP_LINE_AUDIO; l < RTP_LINES; l++) {
			uint16_t port;

			assert_int_equal(rtp_ports_port(p, l), 0);
			assert_int_equal(rtp_ports_open(p, l, &why), 0);
			port = rtp_ports_port(p, l);
			assert_true(port >= 21002 && port % 2 == 0);
			assert_int_equal(port_of(rtp_ports_fd(p, l, false)), port);
			assert_int_equal(port_of(rtp_ports_fd(p, l, true)), port + 1);
			assert_int_equal(rtp_ports_open(p, l, &why), 0); /* again: the same */
			assert_int_equal(rtp_ports_port(p, l), port);
		}
		assert_int_equal(rtp_port_range_used(r), 3);
		rtp_ports_unref(&p);
		assert_null(p);
		assert_int_equal(rtp_port_range_used(r), 0);
	}
	rtp_port_range_free(&r);
}

static void references_keep_them(void **state)
{
	struct rtp_port_range *r = make_range(100);
	struct rtp_ports *p, *again;
	struct errmsg why;

	(void)state;
	assert_int_equal(rtp_ports_new(&p, r, "127.0.0.1", 0, &why), 0);
	again = rtp_ports_ref(p);
	assert_int_equal(rtp_ports_open(p, RTP_LINE_AUDIO, &why), 0);
	assert_int_equal(rtp_ports_open(p, RTP_LINE_CAMERA, &why), 0);
	rtp_ports_use(p, RTP_LINE_AUDIO);
	rtp_ports_close_unused(p, RTP_LINE_AUDIO);
	rtp_ports_close_unused(p, RTP_LINE_CAMERA);
	assert_int_not_equal(rtp_ports_port(p, RTP_LINE_AUDIO), 0);
	assert_int_equal(rtp_ports_port(p, RTP_LINE_CAMERA), 0);
	rtp_ports_unref(&p);
	assert_int_equal(rtp_port_range_used(r), 1);
	assert_int_not_equal(port_of(rtp_ports_fd(again, RTP_LINE_AUDIO, false)), 0);
	rtp_ports_unref(&again);
	assert_int_equal(rtp_port_range_used(r), 0);
	rtp_port_range_free(&r);
}

/* Given in turn: the next call does not get the port of the last. */
static void a_port_rests_before_it_is_used_again(void **state)
{
	struct rtp_port_range *r = make_range(500);
	uint16_t last = 0;
	struct errmsg why;

	(void)state;
	for (int i = 0; i < 20; i++) {
		struct rtp_ports *p;

		assert_int_equal(rtp_ports_new(&p, r, "127.0.0.1", 0, &why), 0);
		assert_int_equal(rtp_ports_open(p, RTP_LINE_AUDIO, &why), 0);
		assert_int_not_equal(rtp_ports_port(p, RTP_LINE_AUDIO), last);
		last = rtp_ports_port(p, RTP_LINE_AUDIO);
		rtp_ports_unref(&p);
	}
	rtp_port_range_free(&r);
}

static void a_used_up_range_says_so(void **state)
{
	struct rtp_port_range *r = make_range(40);
	struct rtp_ports *p[41];
	struct errmsg why;
	size_t n = 0;
	int err = 0;

	(void)state;
	while (!err) {
		assert_true(n < 41);
		assert_int_equal(rtp_ports_new(&p[n], r, "127.0.0.1", 0, &why), 0);
		err = rtp_ports_open(p[n++], RTP_LINE_AUDIO, &why);
	}
	assert_int_equal(err, -EADDRINUSE);
	assert_string_equal(why.code, "busy");
	assert_non_null(strstr(why.text, "sip.rtp_ports"));
	assert_true(n > 1);
	/* one that is given back can be had */
	rtp_ports_unref(&p[0]);
	assert_int_equal(rtp_ports_open(p[n - 1], RTP_LINE_AUDIO, &why), 0);
	while (n-- > 1)
		rtp_ports_unref(&p[n]);
	rtp_port_range_free(&r);
}

static void other_addresses_are_errors(void **state)
{
	struct rtp_port_range *r = make_range(10);
	struct rtp_ports *p;
	struct errmsg why;

	(void)state;
	assert_int_equal(rtp_ports_new(&p, r, "localhost", 0, &why), -EINVAL);
	assert_int_equal(rtp_ports_new(&p, r, "192.0.2.77", 0, &why), 0);
	assert_int_equal(rtp_ports_open(p, RTP_LINE_AUDIO, &why), -EADDRNOTAVAIL);
	assert_non_null(strstr(why.text, "192.0.2.77"));
	assert_int_equal(rtp_port_range_used(r), 0);
	rtp_ports_unref(&p);
	rtp_port_range_free(&r);
}

static void keys_differ(void **state)
{
	static const struct {
		const char *suite;
		size_t text_len;
	} want[RTP_SUITES] = { { "AES_CM_128_HMAC_SHA1_80", 47 }, { "AEAD_AES_128_GCM", 47 },
			       { "AES_CM_128_HMAC_SHA1_32", 47 } };
	struct rtp_port_range *r = make_range(10);
	const char *seen[RTP_SUITES * RTP_LINES];
	struct srtp_keys keys;
	struct rtp_ports *p;
	struct errmsg why;
	size_t n = 0;

	(void)state;
	assert_int_equal(rtp_ports_new(&p, r, "127.0.0.1", 0, &why), 0);
	for (enum rtp_line l = RTP_LINE_AUDIO; l < RTP_LINES; l++)
		for (int k = 0; k < RTP_SUITES; k++) {
			const struct rtp_sdes *s = &rtp_ports_sdes(p, l)[k];

			assert_string_equal(s->suite, want[k].suite);
			assert_int_equal(strlen(s->key), want[k].text_len);
			assert_memory_equal(s->key, "inline:", 7);
			for (size_t i = 0; i < n; i++)
				assert_string_not_equal(seen[i], s->key);
			seen[n++] = s->key;
			assert_true(rtp_ports_keys(p, l, s->suite, &keys));
			assert_string_equal(srtp_profile_name(keys.profile), s->suite);
		}
	assert_false(rtp_ports_keys(p, RTP_LINE_AUDIO, "NULL", &keys));
	rtp_ports_unref(&p);
	rtp_port_range_free(&r);
}

static void the_own_address_is_found(void **state)
{
	char at[RTP_ADDRESS_BYTES];

	(void)state;
	assert_int_equal(rtp_local_address("127.0.0.1", at), 0);
	assert_string_equal(at, "127.0.0.1");
	assert_int_equal(rtp_local_address("::1", at), 0);
	assert_string_equal(at, "::1");
	assert_int_equal(rtp_local_address("here", at), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_are_read),
		cmocka_unit_test(pairs_are_even_and_odd),
		cmocka_unit_test(references_keep_them),
		cmocka_unit_test(a_port_rests_before_it_is_used_again),
		cmocka_unit_test(a_used_up_range_says_so),
		cmocka_unit_test(other_addresses_are_errors),
		cmocka_unit_test(keys_differ),
		cmocka_unit_test(the_own_address_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
