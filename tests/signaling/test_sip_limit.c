#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "mcu/base/clock.h"
#include "signaling/sip_limit.h"

static struct sip_limit_key key(const char *address)
{
	struct sip_limit_key k;

	assert_true(sip_limit_key_text(&k, address));
	return k;
}

static void test_a_burst_then_the_rate(void **state)
{
	struct sip_limit_key a = key("192.0.2.1"), b = key("192.0.2.2");
	int64_t now = 5 * NS_PER_S;
	struct sip_limit *l;
	int n;

	(void)state;
	assert_int_equal(sip_limit_new(&l, 10, 20, 100), 0);
	for (n = 0; sip_limit_take(l, &a, now); n++)
		;
	assert_int_equal(n, 20);
	assert_true(sip_limit_is_empty(l, &a, now));
	assert_false(sip_limit_is_empty(l, &b, now));
	assert_true(sip_limit_take(l, &b, now)); /* harms only itself */
	now += NS_PER_S;
	for (n = 0; sip_limit_take(l, &a, now); n++)
		;
	assert_int_equal(n, 10);
	now += 3600 * NS_PER_S;
	for (n = 0; sip_limit_take(l, &a, now); n++)
		;
	assert_int_equal(n, 20);
	assert_false(sip_limit_take(l, &a, now - NS_PER_S)); /* a clock that stumbles */
	sip_limit_free(&l);
	assert_null(l);
}

static void test_an_ipv6_network_is_one_source(void **state)
{
	struct sip_limit_key a = key("2001:db8::1"), b = key("2001:db8::ffff:1"),
			     c = key("2001:db8:0:1::1"), v4 = key("192.0.2.1"),
			     mapped = key("::ffff:192.0.2.1"), none;

	(void)state;
	assert_memory_equal(&a, &b, sizeof a);
	assert_memory_not_equal(&a, &c, sizeof a);
	assert_memory_equal(&v4, &mapped, sizeof v4);
	assert_false(sip_limit_key_text(&none, "example.org"));
	assert_false(sip_limit_key_of(&none, &(struct sockaddr){ .sa_family = AF_UNIX }));
}

static void test_more_sources_than_there_is_room_for(void **state)
{
	struct sip_limit *l;
	int64_t now = NS_PER_S;

	(void)state;
	assert_int_equal(sip_limit_new(&l, 1, 1, 0), -22);
	assert_int_equal(sip_limit_new(&l, 0, 1, 1), -22);
	assert_int_equal(sip_limit_new(&l, 1, 2, 64), 0);
	for (int i = 0; i < 10000; i++, now += NS_PER_MS) {
		char text[32];
		struct sip_limit_key k;

		snprintf(text, sizeof text, "10.0.%d.%d", i / 256, i % 256);
		k = key(text);
		assert_true(sip_limit_take(l, &k, now));
		assert_true(sip_limit_take(l, &k, now));
		assert_false(sip_limit_take(l, &k, now));
	}
	sip_limit_free(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_burst_then_the_rate),
		cmocka_unit_test(test_an_ipv6_network_is_one_source),
		cmocka_unit_test(test_more_sources_than_there_is_room_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
