#include "mcu/net/candidate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

static void test_host_of_chromium(void **state)
{
	struct candidate c;

	(void)state;
	assert_int_equal(
		candidate_parse(&c, "candidate:842163049 1 udp 1677729535 203.0.113.9 46154 typ "
				    "srflx raddr 10.0.0.17 rport 46154 generation 0 "
				    "ufrag EEtu network-id 3 network-cost 10"),
		0);
	assert_string_equal(c.foundation, "842163049");
	assert_int_equal(c.component, 1);
	assert_int_equal(c.priority, 1677729535);
	assert_string_equal(c.address, "203.0.113.9");
	assert_int_equal(c.port, 46154);
	assert_int_equal(c.type, CANDIDATE_SRFLX);
	assert_string_equal(c.related_address, "10.0.0.17");
	assert_int_equal(c.related_port, 46154);
}

static void test_prefixes_and_case(void **state)
{
	struct candidate c;

	(void)state;
	assert_int_equal(
		candidate_parse(&c, "a=candidate:1 1 UDP 4294967295 2001:DB8::1 1 typ host"), 0);
	assert_string_equal(c.address, "2001:db8::1");
	assert_int_equal(c.priority, 4294967295U);
	assert_string_equal(c.related_address, "");
	assert_int_equal(
		candidate_parse(&c, "1 2 udp 7 192.0.2.1 65535 typ relay raddr 0.0.0.0 rport 0"),
		0);
	assert_int_equal(c.type, CANDIDATE_RELAY);
	assert_int_equal(c.component, 2);
	assert_string_equal(c.related_address, "");
}

static void test_legal_but_of_no_use(void **state)
{
	static const char *const text[] = {
		"candidate:1 1 udp 1 5f2e-77.local 5000 typ host",
		"candidate:1 1 udp 1 host.example.org 5000 typ host",
		"candidate:1 1 tcp 1 192.0.2.1 9 typ host tcptype active",
		"candidate:1 1 udp 1 192.0.2.1 0 typ host",
		"candidate:1 1 udp 1 0.0.0.0 5000 typ host",
		"candidate:1 1 udp 1 255.255.255.255 5000 typ host",
		"candidate:1 1 udp 1 224.0.0.1 5000 typ host",
		"candidate:1 1 udp 1 ff02::1 5000 typ host",
		"candidate:1 1 udp 1 :: 5000 typ host",
		"candidate:1 1 udp 1 fe80::1 5000 typ host",
		"candidate:1 1 udp 1 192.0.2.1 5000 typ quantum",
	};
	struct candidate c;

	(void)state;
	for (size_t i = 0; i < sizeof text / sizeof *text; i++)
		assert_int_equal(candidate_parse(&c, text[i]), -ENOTSUP);
}

static void test_malformed(void **state)
{
	static const char *const text[] = {
		"",
		"candidate:",
		"candidate:1 1 udp 1 192.0.2.1 5000 typ",
		"candidate:1 1 udp 1 192.0.2.1 5000 type host",
		"candidate: 1 udp 1 192.0.2.1 5000 typ host",
		"candidate:a,b 1 udp 1 192.0.2.1 5000 typ host",
		"candidate:123456789012345678901234567890123 1 udp 1 192.0.2.1 5000 typ host",
		"candidate:1 0 udp 1 192.0.2.1 5000 typ host",
		"candidate:1 257 udp 1 192.0.2.1 5000 typ host",
		"candidate:1 1 udp 4294967296 192.0.2.1 5000 typ host",
		"candidate:1 1 udp -1 192.0.2.1 5000 typ host",
		"candidate:1 1 udp 1 192.0.2.1 65536 typ host",
		"candidate:1 1 udp 1 192.0.2.1 5x typ host",
		"candidate:1 1 udp 1 192.0.2.1/24 5000 typ host",
		"candidate:1 1 udp 99999999999999999999 192.0.2.1 5000 typ host",
		"candidate:1 1 udp 1 192.0.2.1 5000 typ host\r\na=evil",
		"candidate:1 1 udpudpudpudpudpudp 1 192.0.2.1 5000 typ host",
	};
	struct candidate c = { .port = 77 };

	(void)state;
	for (size_t i = 0; i < sizeof text / sizeof *text; i++)
		assert_int_equal(candidate_parse(&c, text[i]), -EBADMSG);
	assert_int_equal(c.port, 77);
}

static void test_too_long(void **state)
{
	char text[2 * CANDIDATE_BYTES];
	struct candidate c;
	int n = snprintf(text, sizeof text, "candidate:1 1 udp 1 192.0.2.1 5000 typ host");

	(void)state;
	while ((size_t)n < sizeof text - 5)
		n += snprintf(text + n, sizeof text - (size_t)n, " a b");
	assert_int_equal(candidate_parse(&c, text), -EBADMSG);
	text[CANDIDATE_BYTES - 2] = '\0'; /* short enough, too many words */
	assert_int_equal(candidate_parse(&c, text), -EBADMSG);
}

static void test_write(void **state)
{
	static const char want[] =
		"candidate:nat1 1 udp 1694498815 203.0.113.7 42001 typ srflx raddr "
		"10.1.2.3 rport 42001";
	struct candidate c, back;
	char text[CANDIDATE_BYTES];

	(void)state;
	assert_int_equal(candidate_parse(&c, want), 0);
	assert_int_equal(candidate_write(&c, text, sizeof text), strlen(want));
	assert_string_equal(text, want);
	assert_int_equal(candidate_parse(&back, text), 0);
	assert_memory_equal(&back, &c, sizeof c);
	for (size_t cap = 1; cap <= strlen(want); cap++)
		assert_int_equal(candidate_write(&c, text, cap), -EMSGSIZE);
}

static void test_ufrag(void **state)
{
	static const char chromium[] = "candidate:842163049 1 udp 1677729535 198.51.100.4 46154 "
				       "typ srflx raddr 10.0.0.17 rport 46154 generation 0 ufrag "
				       "+4Bh network-cost 999";
	size_t len = 0;
	const char *u = candidate_ufrag(chromium, &len);

	(void)state;
	assert_non_null(u);
	assert_int_equal(len, 4);
	assert_memory_equal(u, "+4Bh", 4);
	/* a value that looks like the name, and a name without a value */
	assert_null(candidate_ufrag("candidate:1 1 udp 1 192.0.2.1 9 typ host x ufrag y z", &len));
	assert_null(candidate_ufrag("candidate:1 1 udp 1 192.0.2.1 9 typ host ufrag ", &len));
	assert_null(candidate_ufrag("candidate:1 1 udp ufrag a", &len));
	assert_null(candidate_ufrag("", &len));
	assert_non_null(candidate_ufrag("candidate:1 1 udp 1 192.0.2.1 9 typ host ufrag z", &len));
	assert_int_equal(len, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_host_of_chromium),
		cmocka_unit_test(test_prefixes_and_case),
		cmocka_unit_test(test_legal_but_of_no_use),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_ufrag),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
