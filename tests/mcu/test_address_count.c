#include "mcu/address_count.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_counts(void **state)
{
	struct address_count *c;

	(void)state;
	assert_int_equal(address_count_new(&c), 0);
	assert_int_equal(address_count_get(c, "192.0.2.1"), 0);
	address_count_add(c, "192.0.2.1");
	address_count_add(c, "192.0.2.1");
	address_count_add(c, "192.0.2.2");
	assert_int_equal(address_count_get(c, "192.0.2.1"), 2);
	assert_int_equal(address_count_get(c, "192.0.2.2"), 1);
	address_count_remove(c, "192.0.2.1");
	assert_int_equal(address_count_get(c, "192.0.2.1"), 1);
	assert_int_equal(address_count_size(c), 2);
	address_count_remove(c, "192.0.2.1");
	address_count_remove(c, "192.0.2.2");
	/* nothing stays of who has left */
	assert_int_equal(address_count_size(c), 0);
	address_count_free(&c);
}

static void test_ipv6_network(void **state)
{
	struct address_count *c;

	(void)state;
	assert_int_equal(address_count_new(&c), 0);
	address_count_add(c, "2001:db8::1");
	address_count_add(c, "2001:db8::ffff:1");
	address_count_add(c, "2001:db8:0:1::1");
	assert_int_equal(address_count_get(c, "2001:db8::77"), 2);
	assert_int_equal(address_count_get(c, "2001:db8:0:1::"), 1);
	address_count_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_ipv6_network),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
