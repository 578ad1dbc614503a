#include "mcu/base/ticker.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "mcu/base/metrics.h"
#include "mcu/base/role.h"
#include "mcu/base/thread.h"

METRIC_COUNTER(missed_total, "mcu_audio_ticks_missed_total",
	       "Audio ticks that ran after the next one was due, or not at all.");

struct ticker {
	const struct clock *clock;
	int64_t start_ns, period_ns;
	int64_t next; /* number of the next tick; the thread's */
	ticker_fn *fn;
	void *obj;
	struct mbox *mbox;
	_Atomic uint64_t missed;
	bool stop; /* the thread's; set by a message */
	pthread_t thread;
};

static void count_missed(struct ticker *t, int64_t n)
{
	atomic_fetch_add_explicit(&t->missed, (uint64_t)n, memory_order_relaxed);
	metric_add(&missed_total, n);
}

/* Runs the next tick if it is due; false: it is not. */
static bool run_tick(struct ticker *t)
{
	int64_t now = clock_now_ns(t->clock);
	int64_t latest = (now - t->start_ns) / t->period_ns;
	int64_t tick;

	if (latest < t->next)
		return false;
	if (latest - t->next >= TICKER_CATCH_UP) {
		int64_t first = latest - TICKER_CATCH_UP + 1;

		count_missed(t, first - t->next);
		t->next = first;
	}
	if (latest > t->next)
		count_missed(t, 1);
	tick = t->next++;
	t->fn(t->obj, tick, t->start_ns + tick * t->period_ns);
	return true;
}

static void wait_for_work(struct ticker *t)
{
	int64_t due = t->start_ns + t->next * t->period_ns;
	int64_t left = due - clock_now_ns(t->clock);
	struct pollfd p = { .fd = mbox_fd(t->mbox), .events = POLLIN };
	struct timespec ts = { 0 };

	if (left > 0)
		ts = (struct timespec){ .tv_sec = left / NS_PER_S, .tv_nsec = left % NS_PER_S };
	if (ppoll(&p, 1, &ts, NULL) > 0)
		mbox_run(t->mbox);
}

static void *ticker_main(void *arg)
{
	struct ticker *t = arg;

	role_enter(ROLE_ID_MIXA);
	while (!t->stop) {
		wait_for_work(t);
		if (!t->stop)
			run_tick(t);
	}
	return NULL;
}

int ticker_new(struct ticker **out, const char *name, const struct clock *clock, int64_t period_ns,
	       size_t mbox_capacity, ticker_fn *fn, void *obj)
{
	struct ticker *t;
	int err;

	if (period_ns <= 0)
		return -EINVAL;
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->clock = clock;
	t->period_ns = period_ns;
	t->start_ns = clock_now_ns(clock) / period_ns * period_ns;
	t->fn = fn;
	t->obj = obj;
	err = mbox_new(&t->mbox, mbox_capacity);
	if (!err)
		err = thread_start(&t->thread, name, TICKER_NICE, ticker_main, t);
	if (err) {
		mbox_free(&t->mbox);
		free(t);
		return err;
	}
	*out = t;
	return 0;
}

static void stop_ticker(void *obj, void *arg)
{
	(void)arg;
	((struct ticker *)obj)->stop = true;
}

void ticker_free(struct ticker **tp)
{
	struct ticker *t = *tp;

	if (!t)
		return;
	while (mbox_post(t->mbox, stop_ticker, t, NULL))
		sched_yield();
	pthread_join(t->thread, NULL);
	mbox_free(&t->mbox);
	free(t);
	*tp = NULL;
}

struct mbox *ticker_mbox(struct ticker *t)
{
	return t->mbox;
}

uint64_t ticker_missed_count(const struct ticker *t)
{
	return atomic_load_explicit(&t->missed, memory_order_relaxed);
}
