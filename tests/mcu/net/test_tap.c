#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "mcu/net/tap.h"

static void test_order_and_content(void **state)
{
	const uint8_t head[12] = { 0x80, 111, 0, 1 }, body[5] = { 1, 2, 3, 4, 5 };
	const struct tap_packet *p;
	struct tap *t;

	(void)state;
	role_assert_net();
	assert_int_equal(tap_new(&t), 0);
	assert_null(tap_peek(t));
	tap_put(t, true, false, 7, head, sizeof head, body, sizeof body);
	tap_put(t, false, true, 8, body, sizeof body, NULL, 0);
	p = tap_peek(t);
	assert_non_null(p);
	assert_true(p->out && !p->rtcp);
	assert_int_equal(p->time_ns, 7);
	assert_int_equal(p->len, 17);
	assert_memory_equal(p->octets, head, sizeof head);
	assert_memory_equal(p->octets + sizeof head, body, sizeof body);
	tap_pop(t);
	p = tap_peek(t);
	assert_true(!p->out && p->rtcp);
	assert_int_equal(p->len, 5);
	tap_pop(t);
	assert_null(tap_peek(t));
	tap_free(&t);
	assert_null(t);
}

static void test_drops_when_the_reader_is_behind(void **state)
{
	uint8_t mark[2];
	struct tap *t;

	(void)state;
	role_assert_net();
	assert_int_equal(tap_new(&t), 0);
	/* Around the end of the ring more than once. */
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < TAP_SLOTS + 10; i++) {
			mark[0] = (uint8_t)(i >> 8);
			mark[1] = (uint8_t)i;
			tap_put(t, false, false, i, mark, sizeof mark, NULL, 0);
		}
		for (int i = 0; i < TAP_SLOTS; i++) {
			const struct tap_packet *p = tap_peek(t);

			assert_non_null(p);
			assert_int_equal(p->octets[0] << 8 | p->octets[1], i);
			tap_pop(t);
		}
		assert_null(tap_peek(t));
		assert_int_equal(tap_dropped(t), 10 * (round + 1));
	}
	tap_free(&t);
}

static void test_a_long_packet_is_cut(void **state)
{
	static uint8_t big[2 * TAP_OCTETS];
	const struct tap_packet *p;
	struct tap *t;

	(void)state;
	role_assert_net();
	assert_int_equal(tap_new(&t), 0);
	memset(big, 9, sizeof big);
	tap_put(t, true, false, 0, big, TAP_OCTETS - 1, big, TAP_OCTETS + 1);
	p = tap_peek(t);
	assert_int_equal(p->len, 2 * TAP_OCTETS);
	assert_int_equal(p->octets[TAP_OCTETS - 1], 9);
	tap_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_and_content),
		cmocka_unit_test(test_drops_when_the_reader_is_behind),
		cmocka_unit_test(test_a_long_packet_is_cut),
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
