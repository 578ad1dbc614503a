#include "mcu/base/strand_heap.h"

#include <stdlib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

enum { N = 200 };

static void leaves_by_key_then_by_arrival(void **state)
{
	struct strand_heap h = { 0 };
	struct strand_node n[N] = { 0 };
	struct strand_node *last = NULL;

	(void)state;
	srand(1);
	assert_int_equal(strand_heap_reserve(&h, N), 0);
	for (int i = 0; i < N; i++)
		strand_heap_put(&h, &n[i], rand() % 20);
	for (int i = 0; i < N; i++) {
		struct strand_node *f = strand_heap_first(&h);

		assert_non_null(f);
		if (last) {
			assert_true(last->key <= f->key);
			if (last->key == f->key)
				assert_true(last < f);
		}
		strand_heap_take(f);
		last = f;
	}
	assert_null(strand_heap_first(&h));
	strand_heap_free(&h);
}

static void taking_from_the_middle_keeps_the_order(void **state)
{
	struct strand_heap h = { 0 };
	struct strand_node n[N] = { 0 };
	int64_t last = -1;
	int left = N;

	(void)state;
	srand(2);
	assert_int_equal(strand_heap_reserve(&h, N), 0);
	for (int i = 0; i < N; i++)
		strand_heap_put(&h, &n[i], rand() % 1000);
	for (int i = 0; i < N; i += 3, left--) {
		strand_heap_take(&n[i]);
		strand_heap_take(&n[i]); /* in none: nothing happens */
	}
	for (; left > 0; left--) {
		struct strand_node *f = strand_heap_first(&h);

		assert_non_null(f);
		assert_true((f - n) % 3 != 0);
		assert_true(f->key >= last);
		last = f->key;
		strand_heap_take(f);
	}
	assert_null(strand_heap_first(&h));
	strand_heap_free(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaves_by_key_then_by_arrival),
		cmocka_unit_test(taking_from_the_middle_keeps_the_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
