#include "mcu/base/crew.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "mcu/base/clock.h"
#include "mcu/base/thread.h"

static int start_one(struct crew *c, int nice, void *(*fn)(void *), void *obj)
{
	struct worker *t = &c->worker[c->n];
	pthread_condattr_t attr;
	char name[32];
	int err;

	*t = (struct worker){ .crew = c, .obj = obj, .state = WORKER_WOKEN };
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&t->wake, &attr);
	pthread_condattr_destroy(&attr);
	snprintf(name, sizeof(name), "mixv-%zu", c->n);
	err = thread_start(&t->thread, name, nice, fn, t);
	if (err)
		pthread_cond_destroy(&t->wake);
	else
		c->n++;
	return err;
}

int crew_start(struct crew *c, pthread_mutex_t *lock, size_t n, int nice, void *(*fn)(void *),
	       void *obj)
{
	int err = 0;

	*c = (struct crew){ .lock = lock };
	if (!n)
		return 0;
	c->worker = calloc(n, sizeof(*c->worker));
	if (!c->worker)
		return -ENOMEM;
	/* under the lock: those that run already look at the others */
	pthread_mutex_lock(lock);
	while (c->n < n && !err)
		err = start_one(c, nice, fn, obj);
	pthread_mutex_unlock(lock);
	return err;
}

void crew_stop(struct crew *c)
{
	pthread_mutex_lock(c->lock);
	c->stop = true;
	for (size_t i = 0; i < c->n; i++)
		pthread_cond_signal(&c->worker[i].wake);
	pthread_mutex_unlock(c->lock);
	for (size_t i = 0; i < c->n; i++) {
		pthread_join(c->worker[i].thread, NULL);
		pthread_cond_destroy(&c->worker[i].wake);
	}
	free(c->worker);
	c->worker = NULL;
}

void crew_wake(struct crew *c)
{
	struct worker *t = c->keeper;

	if (t) {
		c->keeper = NULL;
	} else if ((t = c->idle)) {
		c->idle = t->next_idle;
	} else {
		return;
	}
	t->state = WORKER_WOKEN;
	c->woken++;
	pthread_cond_signal(&t->wake);
}

bool crew_has_sleepers(const struct crew *c)
{
	return c->keeper || c->idle;
}

int64_t crew_free_in(const struct crew *c, int64_t now_ns)
{
	int64_t soonest = INT64_MAX;

	for (size_t i = 0; i < c->n; i++) {
		const struct worker *t = &c->worker[i];
		int64_t left = t->state == WORKER_WOKEN ? 0 : llabs(t->free_ns - now_ns);

		if (t->state != WORKER_IDLE && t->state != WORKER_KEEPER && left < soonest)
			soonest = left;
	}
	return soonest;
}

void crew_sleep(struct worker *t)
{
	struct crew *c = t->crew;

	t->state = WORKER_IDLE;
	t->next_idle = c->idle;
	c->idle = t;
	while (t->state == WORKER_IDLE && !c->stop)
		pthread_cond_wait(&t->wake, c->lock);
}

void crew_keep_time(struct worker *t, int64_t until_ns, int64_t at_ns)
{
	struct timespec ts = { .tv_sec = at_ns / NS_PER_S, .tv_nsec = at_ns % NS_PER_S };
	struct crew *c = t->crew;
	int err = 0;

	if (c->keeper) /* it keeps a later time: it looks again, and sleeps */
		crew_wake(c);
	t->state = WORKER_KEEPER;
	c->keeper = t;
	c->keeper_until_ns = until_ns;
	while (t->state == WORKER_KEEPER && !c->stop && err != ETIMEDOUT)
		err = pthread_cond_timedwait(&t->wake, c->lock, &ts);
	if (c->keeper == t)
		c->keeper = NULL;
}
