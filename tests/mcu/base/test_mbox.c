#include "mcu/base/mbox.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

enum { PRODUCERS = 4, STRESS = 20000, WAIT_MS = 30000 };

struct trace {
	uintptr_t got[64];
	size_t n;
};

static void note(void *obj, void *arg)
{
	struct trace *t = obj;

	t->got[t->n++] = (uintptr_t)arg;
}

static bool readable(const struct mbox *m, int timeout_ms)
{
	struct pollfd p = { .fd = mbox_fd(m), .events = POLLIN };

	return poll(&p, 1, timeout_ms) == 1;
}

static void runs_in_order_and_sleeps_again(void **state)
{
	struct trace t = { 0 };
	struct mbox *m;

	(void)state;
	assert_int_equal(mbox_new(&m, 4), 0);
	assert_false(readable(m, 0));
	for (int round = 0; round < 3; round++) {
		t.n = 0;
		for (uintptr_t i = 1; i <= 4; i++)
			assert_int_equal(mbox_post(m, note, &t, (void *)i), 0);
		assert_int_equal(mbox_post(m, note, &t, NULL), -EAGAIN);
		assert_true(readable(m, 0));
		assert_int_equal(mbox_run(m), 4);
		assert_int_equal(t.n, 4);
		for (size_t i = 0; i < 4; i++)
			assert_int_equal(t.got[i], i + 1);
		assert_false(readable(m, 0));
		assert_int_equal(mbox_run(m), 0);
	}
	assert_int_equal(mbox_refused_count(m), 3);
	mbox_free(&m);
	assert_null(m);
}

struct reposter {
	struct mbox *m;
	int left;
};

static void repost(void *obj, void *arg)
{
	struct reposter *r = obj;

	if (r->left-- > 0)
		assert_int_equal(mbox_post(r->m, repost, r, arg), 0);
}

static void a_message_that_posts_itself_does_not_hold_the_loop(void **state)
{
	struct reposter r = { .left = 10 };
	size_t n, total = 0;

	(void)state;
	assert_int_equal(mbox_new(&r.m, 4), 0);
	assert_int_equal(mbox_post(r.m, repost, &r, NULL), 0);
	while (readable(r.m, 0)) {
		n = mbox_run(r.m);
		assert_true(n > 0 && n <= 4);
		total += n;
	}
	assert_int_equal(total, 11);
	mbox_free(&r.m);
}

static void what_waits_is_run_before_it_is_freed(void **state)
{
	struct trace t = { 0 };
	struct mbox *m;

	(void)state;
	assert_int_equal(mbox_new(&m, 8), 0);
	assert_false(mbox_waiting(m));
	assert_int_equal(mbox_post(m, note, &t, (void *)1), 0);
	assert_true(mbox_waiting(m));
	assert_int_equal(mbox_post(m, note, &t, (void *)2), 0);
	mbox_free(&m);
	assert_int_equal(t.n, 2);
	mbox_free(&m);
}

static void refuses_a_senseless_capacity(void **state)
{
	struct mbox *m = NULL;

	(void)state;
	assert_int_equal(mbox_new(&m, 0), -EINVAL);
	assert_int_equal(mbox_new(&m, SIZE_MAX), -EINVAL);
	assert_null(m);
}

struct stress {
	struct mbox *m;
	uintptr_t last[PRODUCERS];
	size_t received;
	int disorder;
};

struct producer {
	struct stress *s;
	int id;
};

static void receive(void *obj, void *arg)
{
	struct producer *p = obj;
	uintptr_t n = (uintptr_t)arg;

	if (n != p->s->last[p->id] + 1)
		p->s->disorder++;
	p->s->last[p->id] = n;
	p->s->received++;
}

static void *produce(void *arg)
{
	struct producer *p = arg;

	for (uintptr_t i = 1; i <= STRESS; i++)
		while (mbox_post(p->s->m, receive, p, (void *)i))
			sched_yield();
	return NULL;
}

/* A lost wake-up shows as a time-out of the poll. */
static void no_message_and_no_wake_up_is_lost(void **state)
{
	struct stress s = { 0 };
	struct producer p[PRODUCERS];
	pthread_t t[PRODUCERS];

	(void)state;
	assert_int_equal(mbox_new(&s.m, 64), 0);
	for (int i = 0; i < PRODUCERS; i++) {
		p[i] = (struct producer){ &s, i };
		assert_int_equal(pthread_create(&t[i], NULL, produce, &p[i]), 0);
	}
	while (s.received < (size_t)PRODUCERS * STRESS) {
		assert_true(readable(s.m, WAIT_MS));
		assert_true(mbox_run(s.m) <= 64);
	}
	for (int i = 0; i < PRODUCERS; i++)
		pthread_join(t[i], NULL);
	assert_int_equal(s.disorder, 0);
	for (int i = 0; i < PRODUCERS; i++)
		assert_int_equal(s.last[i], STRESS);
	assert_int_equal(mbox_run(s.m), 0);
	assert_false(readable(s.m, 0));
	mbox_free(&s.m);
}

static void many_are_put_for_one_wake_up(void **state)
{
	struct trace t = { 0 };
	struct mbox *m;

	(void)state;
	assert_int_equal(mbox_new(&m, 4), 0);
	for (uintptr_t i = 1; i <= 4; i++)
		assert_int_equal(mbox_put(m, note, &t, (void *)i), 0);
	assert_int_equal(mbox_put(m, note, &t, NULL), -EAGAIN);
	assert_false(readable(m, 0));
	mbox_wake(m);
	assert_true(readable(m, 0));
	assert_int_equal(mbox_run(m), 4);
	assert_false(readable(m, 0));
	mbox_wake(m); /* for nothing: does no harm */
	assert_int_equal(mbox_run(m), 0);
	mbox_free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runs_in_order_and_sleeps_again),
		cmocka_unit_test(a_message_that_posts_itself_does_not_hold_the_loop),
		cmocka_unit_test(many_are_put_for_one_wake_up),
		cmocka_unit_test(what_waits_is_run_before_it_is_freed),
		cmocka_unit_test(refuses_a_senseless_capacity),
		cmocka_unit_test(no_message_and_no_wake_up_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
