/* The video worker pool: strands of jobs run by earliest deadline.
 *
 * A strand runs one of its jobs at a time, in the order of posting; strands run
 * beside each other on the pool's threads. Every decoder, every encoder and
 * every room's video tick is a strand. A job may have a not-before time, which
 * is how the room's clock ticks: the tick posts its successor. Among the
 * strands whose next job may start, the one with the earliest deadline runs.
 * Threads are at nice +5 and have ROLE_MIXV while they run jobs. A thread is woken
 * only for jobs that would have to wait for those that are awake, by what the last
 * jobs of each strand took.
 *
 * Who the work is for may be told by accounts: a strand that is charged to one
 * adds its jobs, the late ones among them and their processor time to it, and
 * waits behind others by the account's handicap.
 *
 * Bounded: a strand takes at most STRAND_JOBS jobs; strand_post then refuses
 * (-EAGAIN, counted). Posting does not allocate. The pool's one lock is
 * leaf-level and is never held while a job runs. */
#ifndef MCU_BASE_WORKERS_H
#define MCU_BASE_WORKERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/base/clock.h"

struct workers;
struct strand;
struct work_account;

enum { STRAND_JOBS = 64 };

typedef void strand_fn(void *obj, void *arg);

/* threads 0: none; a test runs jobs itself by workers_run_due() on a fake
 * clock. clock: borrowed for the life of the pool. */
int workers_new(struct workers **out, const struct clock *clock, size_t threads, int nice);
/* Every strand must have been freed. Joins the threads. */
void workers_free(struct workers **w);
/* threads == 0 only: runs what may start now, by deadline; returns how many. */
size_t workers_run_due(struct workers *w);
/* Times a thread was woken before the time that it kept. */
uint64_t workers_woken_count(struct workers *w);
/* Jobs that started later than their deadline, and the queue's present length. */
uint64_t workers_late_count(const struct workers *w);
size_t workers_queued(const struct workers *w);
size_t workers_threads(const struct workers *w);

/* name: borrowed for ever, for messages. Any thread. */
int strand_new(struct strand **out, struct workers *w, const char *name);
/* From inside a job of the same strand, or when it has no job left; jobs that
 * still wait are dropped. The pointer is NULLed at once, the memory goes when
 * the running job returns. */
void strand_free(struct strand **s);

/* Any thread. 0 or -EAGAIN when the strand is full. deadline_ns INT64_MAX: it is
 * never late, but takes its turn as if it were due soon. */
int strand_post(struct strand *s, strand_fn *fn, void *obj, void *arg, int64_t not_before_ns,
		int64_t deadline_ns);
size_t strand_queued(const struct strand *s);

/* How long ago the deadline of the job that is next was, or the time it was taken to
 * be due; 0: it is to come, or nobody waits for a thread. Any thread. */
int64_t workers_overdue_ns(const struct workers *w);

/* Counted since it was made; jobs without a deadline (INT64_MAX) only by their time. */
struct work_done {
	uint64_t jobs, late, cpu_ns;
};
/* Any thread. Strands charged to it keep it alive after work_account_free. */
int work_account_new(struct work_account **out, struct workers *w);
void work_account_free(struct work_account **a);
void work_account_get(const struct work_account *a, struct work_done *out);
/* While threads are scarce its jobs are taken as if they were due this much later.
 * What counts as late stays what it was. */
void work_account_set_handicap(struct work_account *a, int64_t ns);
/* A job of the strand that was not even posted, because it is behind: a late one of
 * its account. Any thread. */
void strand_missed(struct strand *s);
/* Before the strand's first job. a NULL: to nobody. */
void strand_charge(struct strand *s, struct work_account *a);

#endif
