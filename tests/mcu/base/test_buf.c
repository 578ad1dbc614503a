#include "mcu/base/buf.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void gives_clean_buffers_until_dry(void **state)
{
	struct buf_pool *p;
	struct buf *b[3];

	(void)state;
	assert_int_equal(buf_pool_new(&p, "test", 100, 3, 2), 0);
	for (int i = 0; i < 3; i++) {
		b[i] = buf_get(p);
		assert_non_null(b[i]);
		assert_int_equal(b[i]->cap, 100);
		assert_int_equal(b[i]->len, 0);
		assert_ptr_equal(b[i]->data, b[i]->store);
		assert_int_equal((uintptr_t)b[i]->store % 64, 0);
		memset(b[i]->store, i, b[i]->cap);
		b[i]->data += 10;
		b[i]->len = 5;
		b[i]->tag = 7;
		b[i]->time_ns = 9;
	}
	assert_null(buf_get(p));
	assert_int_equal(buf_pool_empty_count(p), 1);
	assert_int_equal(buf_pool_in_use(p), 3);
	for (int i = 0; i < 3; i++)
		assert_int_equal(b[i]->store[99], i);
	buf_unref(&b[1]);
	assert_null(b[1]);
	b[1] = buf_get(p);
	assert_int_equal(b[1]->len, 0);
	assert_int_equal(b[1]->tag, 0);
	assert_int_equal(b[1]->time_ns, 0);
	assert_ptr_equal(b[1]->data, b[1]->store);
	for (int i = 0; i < 3; i++)
		buf_unref(&b[i]);
	assert_int_equal(buf_pool_in_use(p), 0);
	buf_pool_free(&p);
	assert_null(p);
}

static void is_writable_by_a_single_holder_only(void **state)
{
	struct buf_pool *p;
	struct buf *a, *b, *none = NULL;

	(void)state;
	assert_int_equal(buf_pool_new(&p, "test", 64, 1, 1), 0);
	a = buf_get(p);
	assert_true(buf_writable(a));
	b = buf_ref(a);
	assert_ptr_equal(a, b);
	assert_false(buf_writable(a));
	buf_unref(&b);
	assert_true(buf_writable(a));
	assert_int_equal(buf_pool_in_use(p), 1);
	buf_unref(&a);
	buf_unref(&none);
	buf_pool_free(&p);
}

static void a_huge_cap_costs_nothing_until_used(void **state)
{
	struct buf_pool *p;
	struct buf *b;

	(void)state;
	/* 32 GiB of address space */
	assert_int_equal(buf_pool_new(&p, "test", 1 << 20, 1 << 15, 64), 0);
	b = buf_get(p);
	assert_non_null(b);
	b->store[b->cap - 1] = 1;
	buf_unref(&b);
	buf_pool_free(&p);
}

static void refuses_senseless_sizes(void **state)
{
	struct buf_pool *p = NULL;

	(void)state;
	assert_int_equal(buf_pool_new(&p, "test", 0, 1, 1), -EINVAL);
	assert_int_equal(buf_pool_new(&p, "test", 1, 0, 1), -EINVAL);
	assert_int_equal(buf_pool_new(&p, "test", 1, 1, 0), -EINVAL);
	assert_int_equal(buf_pool_new(&p, "test", SIZE_MAX / 2, 8, 1), -EINVAL);
	assert_null(p);
}

enum { THREADS = 4, ROUNDS = 20000, HELD = 3 };

static _Atomic int clashes;

/* Takes and gives back all the time; a buffer handed to two threads at once
 * would show another's mark. */
static void *churn(void *arg)
{
	struct buf_pool *p = arg;

	for (int i = 0; i < ROUNDS; i++) {
		struct buf *b[HELD];

		for (int k = 0; k < HELD; k++) {
			b[k] = buf_get(p);
			if (b[k])
				memcpy(b[k]->store, &(struct buf **){ &b[k] }, sizeof(void *));
		}
		for (int k = 0; k < HELD; k++) {
			if (!b[k])
				continue;
			if (memcmp(b[k]->store, &(struct buf **){ &b[k] }, sizeof(void *)) ||
			    !buf_writable(b[k]))
				atomic_fetch_add(&clashes, 1);
			buf_unref(&b[k]);
		}
	}
	return NULL;
}

static void threads_never_share_a_buffer(void **state)
{
	struct buf_pool *p;
	pthread_t t[THREADS];
	struct buf *all[8];

	(void)state;
	assert_int_equal(buf_pool_new(&p, "test", 64, 8, 2), 0); /* fewer than they want */
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, churn, p), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	assert_int_equal(clashes, 0);
	assert_int_equal(buf_pool_in_use(p), 0);
	for (int i = 0; i < 8; i++) {
		all[i] = buf_get(p);
		assert_non_null(all[i]);
		for (int k = 0; k < i; k++)
			assert_ptr_not_equal(all[k], all[i]);
	}
	assert_null(buf_get(p));
	for (int i = 0; i < 8; i++)
		buf_unref(&all[i]);
	buf_pool_free(&p);
}

static void *drop(void *arg)
{
	struct buf *b = arg;

	buf_unref(&b);
	return NULL;
}

static void the_last_of_many_holders_returns_it(void **state)
{
	struct buf_pool *p;

	(void)state;
	assert_int_equal(buf_pool_new(&p, "test", 64, 1, 1), 0);
	for (int round = 0; round < 50; round++) {
		struct buf *b = buf_get(p);
		pthread_t t[THREADS];

		assert_non_null(b);
		for (int i = 0; i < THREADS; i++)
			assert_int_equal(pthread_create(&t[i], NULL, drop, buf_ref(b)), 0);
		buf_unref(&b);
		for (int i = 0; i < THREADS; i++)
			pthread_join(t[i], NULL);
		assert_int_equal(buf_pool_in_use(p), 0);
	}
	buf_pool_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_clean_buffers_until_dry),
		cmocka_unit_test(is_writable_by_a_single_holder_only),
		cmocka_unit_test(a_huge_cap_costs_nothing_until_used),
		cmocka_unit_test(refuses_senseless_sizes),
		cmocka_unit_test(threads_never_share_a_buffer),
		cmocka_unit_test(the_last_of_many_holders_returns_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
