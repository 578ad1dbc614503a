/* The threads of the worker pool: who works, who sleeps, who is woken. Of those
 * without work one at most is the keeper, which sleeps until a time; the others
 * sleep in a stack, so that the one that ran last, whose caches are warm, is the
 * first to be woken. Internal to workers.c, under its lock. */
#ifndef MCU_BASE_CREW_H
#define MCU_BASE_CREW_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct crew;

struct worker {
	struct crew *crew;
	void *obj;
	pthread_t thread;
	pthread_cond_t wake;
	enum { WORKER_BUSY, WORKER_IDLE, WORKER_KEEPER, WORKER_WOKEN } state;
	int64_t free_ns; /* when the job that it runs should be done */
	struct worker *next_idle;
};

struct crew {
	pthread_mutex_t *lock;
	struct worker *worker, *idle, *keeper;
	size_t n;
	int64_t keeper_until_ns;
	uint64_t woken;
	bool stop;
};

/* Starts up to n threads; fn gets its struct worker, whose obj is this one. 0 or the
 * error of the first that did not start: the others run. Without the lock. */
int crew_start(struct crew *c, pthread_mutex_t *lock, size_t n, int nice, void *(*fn)(void *),
	       void *obj);
/* Their functions must return when stop is set. Joins them. Without the lock. */
void crew_stop(struct crew *c);
/* The keeper, then whoever slept last; nobody if all are awake. */
void crew_wake(struct crew *c);
bool crew_has_sleepers(const struct crew *c);
/* How long until one that is awake looks for work; a job that takes longer than it
 * should is trusted less and less. INT64_MAX: all sleep. */
int64_t crew_free_in(const struct crew *c, int64_t now_ns);
/* Sleeps until it is woken; at_ns (CLOCK_MONOTONIC): or then. The keeper's
 * until_ns is what others compare with; one that kept a later time is relieved. */
void crew_sleep(struct worker *t);
void crew_keep_time(struct worker *t, int64_t until_ns, int64_t at_ns);

#endif
