#include "mcu/base/ring.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

enum { STRESS = 100000 };

static void refuses_when_full_and_keeps_order(void **state)
{
	int items[5];
	struct ring *r;

	(void)state;
	assert_int_equal(ring_new(&r, 3), 0); /* rounded up to 4 */
	assert_null(ring_pop(r));
	assert_null(ring_peek(r));
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 4; i++)
			assert_true(ring_push(r, &items[i]));
		assert_false(ring_push(r, &items[4]));
		assert_int_equal(ring_count(r), 4);
		assert_ptr_equal(ring_peek(r), &items[0]);
		for (int i = 0; i < 4; i++)
			assert_ptr_equal(ring_pop(r), &items[i]);
		assert_null(ring_pop(r));
		assert_int_equal(ring_count(r), 0);
	}
	ring_free(&r);
	assert_null(r);
}

static void refuses_a_senseless_capacity(void **state)
{
	struct ring *r = NULL;

	(void)state;
	assert_int_equal(ring_new(&r, 0), -EINVAL);
	assert_int_equal(ring_new(&r, 65537), -EINVAL);
	assert_null(r);
}

static void *produce(void *arg)
{
	for (uintptr_t i = 1; i <= STRESS; i++)
		while (!ring_push(arg, (void *)i))
			sched_yield();
	return NULL;
}

static void nothing_is_lost_between_two_threads(void **state)
{
	struct ring *r;
	pthread_t t;

	(void)state;
	assert_int_equal(ring_new(&r, 16), 0);
	assert_int_equal(pthread_create(&t, NULL, produce, r), 0);
	for (uintptr_t want = 1; want <= STRESS; want++) {
		void *p;

		while (!(p = ring_pop(r)))
			sched_yield();
		assert_int_equal((uintptr_t)p, want);
		assert_true(ring_count(r) <= 16);
	}
	pthread_join(t, NULL);
	assert_null(ring_pop(r));
	ring_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_when_full_and_keeps_order),
		cmocka_unit_test(refuses_a_senseless_capacity),
		cmocka_unit_test(nothing_is_lost_between_two_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
