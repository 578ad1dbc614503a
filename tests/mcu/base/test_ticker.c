#include "mcu/base/ticker.h"

#include <errno.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "mcu/base/role.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

enum { MS20 = 20 * NS_PER_MS };

struct rig {
	struct clock clock;
	struct ticker *t;
	int64_t ticks[64], due[64];
	_Atomic int n;
	sem_t ran; /* posted per tick and per message */
	enum role_id role;
	int64_t advance_in_tick; /* what each tick costs on the fake clock */
};

static void on_tick(void *obj, int64_t tick, int64_t due_ns)
{
	struct rig *r = obj;
	int n = atomic_load(&r->n);

	if (n < 64) {
		r->ticks[n] = tick;
		r->due[n] = due_ns;
	}
	r->role = role_current();
	clock_fake_advance(&r->clock, r->advance_in_tick);
	atomic_store(&r->n, n + 1);
	sem_post(&r->ran);
}

static void on_message(void *obj, void *arg)
{
	(void)arg;
	sem_post(&((struct rig *)obj)->ran);
}

static void wait_for(struct rig *r, int n)
{
	for (int i = 0; i < n; i++)
		assert_int_equal(sem_wait(&r->ran), 0);
}

static void start(struct rig *r, int64_t at_ns)
{
	*r = (struct rig){ 0 };
	sem_init(&r->ran, 0, 0);
	clock_fake_init(&r->clock, at_ns);
	assert_int_equal(ticker_new(&r->t, "mixa-0", &r->clock, MS20, 16, on_tick, r), 0);
	wait_for(r, 1); /* tick 0 is due at once */
}

/* Moves the fake clock and wakes the thread so that it looks at it. */
static void advance(struct rig *r, int64_t ns)
{
	clock_fake_advance(&r->clock, ns);
	assert_int_equal(mbox_post(ticker_mbox(r->t), on_message, r, NULL), 0);
	wait_for(r, 1);
}

static void stop(struct rig *r)
{
	ticker_free(&r->t);
	assert_null(r->t);
	sem_destroy(&r->ran);
}

static void ticks_are_due_at_multiples_of_the_period(void **state)
{
	struct rig r;

	(void)state;
	start(&r, 3 * MS20 + 7); /* in step with the clock, not with the start */
	for (int i = 1; i <= 10; i++) {
		advance(&r, MS20);
		wait_for(&r, 1);
	}
	assert_int_equal(r.n, 11);
	for (int i = 0; i < 11; i++) {
		assert_int_equal(r.ticks[i], i);
		assert_int_equal(r.due[i], 3 * MS20 + (int64_t)i * MS20);
	}
	assert_int_equal(ticker_missed_count(r.t), 0);
	assert_int_equal(r.role, ROLE_ID_MIXA);
	stop(&r);
}

static void a_short_stall_is_made_up_for(void **state)
{
	struct rig r;

	(void)state;
	start(&r, 0);
	advance(&r, 3 * MS20 + 1);
	wait_for(&r, 3);
	assert_int_equal(r.n, 4);
	for (int i = 0; i < 4; i++)
		assert_int_equal(r.ticks[i], i);
	assert_int_equal(ticker_missed_count(r.t), 2); /* the third was in time */
	stop(&r);
}

static void a_long_stall_is_skipped_but_for_the_last_few(void **state)
{
	struct rig r;

	(void)state;
	start(&r, 0);
	advance(&r, 100 * MS20);
	wait_for(&r, TICKER_CATCH_UP);
	assert_int_equal(r.n, 1 + TICKER_CATCH_UP);
	for (int i = 0; i < TICKER_CATCH_UP; i++) {
		assert_int_equal(r.ticks[1 + i], 101 - TICKER_CATCH_UP + i);
		assert_int_equal(r.due[1 + i], (101 - TICKER_CATCH_UP + i) * (int64_t)MS20);
	}
	assert_int_equal(ticker_missed_count(r.t), 99);
	stop(&r);
}

static void what_waits_is_run_before_the_end(void **state)
{
	struct rig r;

	(void)state;
	start(&r, 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(mbox_post(ticker_mbox(r.t), on_message, &r, NULL), 0);
	ticker_free(&r.t);
	wait_for(&r, 5);
	sem_destroy(&r.ran);
}

static void count_tick(void *obj, int64_t tick, int64_t due_ns)
{
	struct rig *r = obj;

	r->ticks[0] = tick;
	if (clock_now_ns(&clock_monotonic) < due_ns)
		r->ticks[1]++;
	sem_post(&r->ran);
}

static void ticks_by_itself_on_the_real_clock_and_never_early(void **state)
{
	struct rig r = { 0 };

	(void)state;
	sem_init(&r.ran, 0, 0);
	assert_int_equal(ticker_new(&r.t, "mixa-0", &clock_monotonic, NS_PER_MS, 4, count_tick, &r), 0);
	wait_for(&r, 10);
	ticker_free(&r.t);
	assert_true(r.ticks[0] >= 9);
	assert_int_equal(r.ticks[1], 0);
	sem_destroy(&r.ran);
}

/* A tick that does not end before the other worker has ticked some times. */
static void tick_held_up(void *obj, int64_t tick, int64_t due_ns)
{
	struct rig *other = obj;

	(void)tick;
	(void)due_ns;
	while (atomic_load(&other->n) < 5)
		sched_yield();
}

static void one_worker_does_not_hold_up_another(void **state)
{
	struct rig r;
	struct ticker *held;

	(void)state;
	start(&r, NS_PER_S);
	assert_int_equal(ticker_new(&held, "mixa-1", &r.clock, MS20, 4, tick_held_up, &r), 0);
	while (atomic_load(&r.n) < 5) {
		clock_fake_advance(&r.clock, MS20);
		assert_int_equal(mbox_post(ticker_mbox(r.t), on_message, &r, NULL), 0);
		wait_for(&r, 2); /* the message, and the tick after it */
	}
	assert_int_equal(ticker_missed_count(r.t), 0);
	ticker_free(&held);
	ticker_free(&r.t);
	sem_destroy(&r.ran);
}

static void refuses_a_senseless_period(void **state)
{
	struct ticker *t = NULL;

	(void)state;
	assert_int_equal(ticker_new(&t, "x", &clock_monotonic, 0, 4, count_tick, NULL), -EINVAL);
	assert_int_equal(ticker_new(&t, "x", &clock_monotonic, 1, 0, count_tick, NULL), -EINVAL);
	assert_null(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ticks_are_due_at_multiples_of_the_period),
		cmocka_unit_test(a_short_stall_is_made_up_for),
		cmocka_unit_test(a_long_stall_is_skipped_but_for_the_last_few),
		cmocka_unit_test(what_waits_is_run_before_the_end),
		cmocka_unit_test(ticks_by_itself_on_the_real_clock_and_never_early),
		cmocka_unit_test(one_worker_does_not_hold_up_another),
		cmocka_unit_test(refuses_a_senseless_period),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
