/* The ring of samples between two threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/movie_ring.h"

enum { ITEMS = 20000, MOST = 90000 };

static void in_order_and_whole(void **state)
{
	struct movie_ring *r;
	struct movie_item in = { .npt_ns = 7, .len = 5, .turn = 3, .track = 1, .lead = true,
				 .data = (const uint8_t *)"hello" };
	struct movie_item end = { .npt_ns = 8, .end = true }, out;

	(void)state;
	assert_int_equal(movie_ring_new(&r), 0);
	assert_false(movie_ring_peek(r, &out));
	assert_int_equal(movie_ring_push(r, &in), 0);
	assert_int_equal(movie_ring_push(r, &end), 0);
	assert_true(movie_ring_peek(r, &out));
	assert_true(out.npt_ns == 7 && out.len == 5 && out.turn == 3 && out.track == 1);
	assert_true(out.lead && !out.end);
	assert_memory_equal(out.data, "hello", 5);
	movie_ring_pop(r);
	assert_true(movie_ring_peek(r, &out) && out.end && !out.len);
	movie_ring_pop(r);
	assert_false(movie_ring_peek(r, &out));
	assert_int_equal(movie_ring_used(r), 0);
	movie_ring_free(&r);
}

static void full_is_full(void **state)
{
	uint8_t *big = calloc(1, MOVIE_RING_BYTES);
	struct movie_item in = { .len = MOVIE_RING_BYTES / 3, .data = big }, out;
	struct movie_ring *r;

	(void)state;
	assert_int_equal(movie_ring_new(&r), 0);
	assert_int_equal(movie_ring_push(r, &in), 0);
	assert_int_equal(movie_ring_push(r, &in), 0);
	assert_int_equal(movie_ring_push(r, &in), -EAGAIN);
	in.len = MOVIE_RING_BYTES / 2 + 1;
	assert_int_equal(movie_ring_push(r, &in), -EMSGSIZE);
	/* around the end, with a gap */
	assert_true(movie_ring_peek(r, &out));
	movie_ring_pop(r);
	in.len = MOVIE_RING_BYTES / 3 - 100;
	assert_int_equal(movie_ring_push(r, &in), 0);
	assert_int_equal(movie_ring_push(r, &in), -EAGAIN);
	assert_true(movie_ring_peek(r, &out) && out.len == MOVIE_RING_BYTES / 3);
	movie_ring_pop(r);
	assert_true(movie_ring_peek(r, &out) && out.len == in.len);
	movie_ring_pop(r);
	assert_false(movie_ring_peek(r, &out));
	movie_ring_free(&r);
	free(big);
}

static uint32_t length_of(uint32_t i)
{
	return (i * 2654435761u >> 8) % (i % 10 ? 3000 : MOST);
}

static void *produce(void *obj)
{
	struct movie_ring *r = obj;
	uint8_t *data = malloc(MOST);

	for (uint32_t i = 0; i < ITEMS; i++) {
		struct movie_item in = { .npt_ns = i, .len = length_of(i), .data = data };

		memset(data, (int)(i & 0xff), in.len);
		while (movie_ring_push(r, &in))
			sched_yield();
	}
	free(data);
	return NULL;
}

static void between_two_threads(void **state)
{
	struct movie_item out;
	struct movie_ring *r;
	pthread_t t;

	(void)state;
	assert_int_equal(movie_ring_new(&r), 0);
	assert_int_equal(pthread_create(&t, NULL, produce, r), 0);
	for (uint32_t i = 0; i < ITEMS; i++) {
		while (!movie_ring_peek(r, &out))
			sched_yield();
		assert_int_equal(out.npt_ns, i);
		assert_int_equal(out.len, length_of(i));
		if (out.len)
			assert_true(out.data[0] == (i & 0xff) && out.data[out.len - 1] == (i & 0xff));
		movie_ring_pop(r);
	}
	pthread_join(t, NULL);
	movie_ring_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_order_and_whole),
		cmocka_unit_test(full_is_full),
		cmocka_unit_test(between_two_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
