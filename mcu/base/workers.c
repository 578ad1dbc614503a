#include "mcu/base/workers.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "mcu/base/crew.h"
#include "mcu/base/metrics.h"
#include "mcu/base/role.h"
#include "mcu/base/strand_heap.h"

METRIC_COUNTER(late_total, "mcu_video_jobs_late_total",
	       "Jobs of the video workers that started after their deadline.");
METRIC_COUNTER(refused_total, "mcu_video_jobs_refused_total",
	       "Jobs refused because their strand was full.");

struct job {
	strand_fn *fn;
	void *obj, *arg;
	int64_t not_before_ns, deadline_ns, rank_ns;
};

struct work_account {
	struct workers *w;
	size_t users; /* strands, and whoever made it; under the pool's lock */
	_Atomic uint64_t jobs, late, cpu_ns;
	_Atomic int64_t handicap_ns;
};
/* PATIENCE: so long may a job wait for a thread that is awake before another is
 * woken for it. A strand that has not run yet is taken for a slow one. */
enum { PATIENCE_NS = 4 * 1000 * 1000, UNKNOWN_COST_NS = 20 * 1000 * 1000, COST_DECAY = 64 };
/* A job without a deadline takes its turn as if it were due so long after it came:
 * behind all that have one it would never run when threads are scarce, nor would
 * what its strand has after it. */
enum { CONTROL_NS = 30 * 1000 * 1000 };

struct strand {
	struct strand_node node; /* first: the heaps hold these */
	struct workers *w;
	struct work_account *account; /* NULL: nobody's */
	const char *name;
	int64_t cost_ns; /* what a job of it takes: the longest of late */
	size_t head, count;
	bool running, freed;
	struct job jobs[STRAND_JOBS];
};

/* lock guards all of it and every strand. Waking a thread costs more than most jobs:
 * one that is awake and soon free does what is ready, before another is woken. */
struct workers {
	pthread_mutex_t lock;
	const struct clock *clock;
	struct strand_heap ready;   /* by rank of the first job */
	struct strand_heap waiting; /* by not-before time of the first job */
	int64_t ready_cost_ns;	    /* of the first jobs of those ready */
	size_t strands, queued;
	_Atomic uint64_t late;
	struct crew crew;
};

static struct job *first_job(struct strand *s)
{
	return &s->jobs[s->head];
}

/* What the heap of those ready is ordered by. */
static int64_t rank_of(struct strand *s)
{
	const struct job *j = first_job(s);
	int64_t more = 0;

	if (s->account && j->deadline_ns != INT64_MAX)
		more = atomic_load_explicit(&s->account->handicap_ns, memory_order_relaxed);
	return j->rank_ns + more;
}

/* Whether what is ready, or will be when nobody keeps the time, would wait longer
 * than it should. */
static bool needs_help(const struct workers *w, int64_t now_ns)
{
	const struct strand_node *n = strand_heap_first(&w->waiting);
	int64_t wait, ready = (int64_t)w->ready.count;
	bool kept = !n || w->crew.keeper;

	if (!crew_has_sleepers(&w->crew))
		return false;
	wait = crew_free_in(&w->crew, now_ns);
	if (wait == INT64_MAX)
		return ready || !kept;
	if (ready)
		wait += w->ready_cost_ns / ready * (ready - 1);
	return (ready && wait > PATIENCE_NS) || (!kept && now_ns + wait > n->key + PATIENCE_NS);
}

static void put_ready(struct workers *w, struct strand *s)
{
	strand_heap_put(&w->ready, &s->node, rank_of(s));
	w->ready_cost_ns += s->cost_ns;
}

static void take_out(struct workers *w, struct strand *s)
{
	if (s->node.in == &w->ready)
		w->ready_cost_ns -= s->cost_ns;
	strand_heap_take(&s->node);
}

/* Puts a strand that has a job and does not run where it belongs. */
static void schedule(struct strand *s, int64_t now_ns)
{
	struct workers *w = s->w;
	const struct job *j = first_job(s);

	if (j->not_before_ns <= now_ns)
		put_ready(w, s);
	else
		strand_heap_put(&w->waiting, &s->node, j->not_before_ns);
}

/* After something has come. A keeper that sleeps too long wakes to look again. */
static void call_help(struct workers *w, int64_t now_ns)
{
	const struct strand_node *n = strand_heap_first(&w->waiting);

	if (needs_help(w, now_ns) ||
	    (w->crew.keeper && n && n->key < w->crew.keeper_until_ns))
		crew_wake(&w->crew);
}

static struct strand *next_ready(struct workers *w, int64_t now_ns)
{
	struct strand_node *n;

	while ((n = strand_heap_first(&w->waiting)) && n->key <= now_ns) {
		strand_heap_take(n);
		put_ready(w, (struct strand *)n);
	}
	n = strand_heap_first(&w->ready);
	if (n)
		take_out(w, (struct strand *)n);
	return (struct strand *)n;
}

/* With the pool's lock held. */
static void account_unuse(struct work_account *a)
{
	if (a && --a->users == 0)
		free(a);
}

static void destroy(struct strand *s)
{
	account_unuse(s->account);
	s->w->strands--;
	free(s);
}

static uint64_t thread_time_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)(t.tv_sec * NS_PER_S + t.tv_nsec);
}

static void add(_Atomic uint64_t *to, uint64_t n)
{
	atomic_fetch_add_explicit(to, n, memory_order_relaxed);
}

static void count_job(struct strand *s, const struct job *j, int64_t now_ns)
{
	bool late = now_ns > j->deadline_ns;

	if (late) {
		add(&s->w->late, 1);
		metric_add(&late_total, 1);
	}
	if (!s->account || j->deadline_ns == INT64_MAX)
		return;
	add(&s->account->jobs, 1);
	if (late)
		add(&s->account->late, 1);
}

/* The longest of late, so that the rare slow job is not a surprise each time. In
 * processor time: that others took the processor away says nothing about it. */
static void learn_cost(struct strand *s, int64_t took_ns)
{
	int64_t less = s->cost_ns - s->cost_ns / COST_DECAY;

	s->cost_ns = took_ns > less || s->cost_ns == UNKNOWN_COST_NS ? took_ns : less;
}

/* With the lock held, which is let go of while the job runs. t: the thread, NULL
 * in a pool without. */
static void run_first(struct strand *s, struct worker *t, int64_t now_ns)
{
	struct workers *w = s->w;
	struct job j = *first_job(s);
	uint64_t began, took;

	s->head = (s->head + 1) % STRAND_JOBS;
	s->count--;
	w->queued--;
	s->running = true;
	count_job(s, &j, now_ns);
	if (t) {
		t->free_ns = now_ns + s->cost_ns;
		call_help(w, now_ns);
	}
	pthread_mutex_unlock(&w->lock);
	began = thread_time_ns();
	j.fn(j.obj, j.arg);
	took = thread_time_ns() - began;
	if (s->account)
		add(&s->account->cpu_ns, took);
	pthread_mutex_lock(&w->lock);
	learn_cost(s, (int64_t)took);
	s->running = false;
	if (s->freed)
		destroy(s);
	else if (s->count)
		schedule(s, clock_now_ns(w->clock));
}

static void *worker_main(void *arg)
{
	struct worker *t = arg;
	struct workers *w = t->obj;

	role_enter(ROLE_ID_MIXV);
	pthread_mutex_lock(&w->lock);
	while (!w->crew.stop) {
		int64_t now = clock_now_ns(w->clock);
		struct strand *s = next_ready(w, now);
		struct strand_node *n = strand_heap_first(&w->waiting);

		t->state = WORKER_BUSY;
		if (s)
			run_first(s, t, now);
		else if (n && (!w->crew.keeper || n->key < w->crew.keeper_until_ns))
			/* The pool's clock may be one that tests hold still: its distance
			 * to the time wanted is laid on the monotonic clock. */
			crew_keep_time(t, n->key, clock_now_ns(&clock_monotonic) + n->key - now);
		else
			crew_sleep(t);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

static void destroy_pool(struct workers *w)
{
	strand_heap_free(&w->ready);
	strand_heap_free(&w->waiting);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

int workers_new(struct workers **out, const struct clock *clock, size_t threads, int nice)
{
	struct workers *w = calloc(1, sizeof(*w));
	int err;

	if (!w)
		return -ENOMEM;
	w->clock = clock;
	pthread_mutex_init(&w->lock, NULL);
	err = crew_start(&w->crew, &w->lock, threads, nice, worker_main, w);
	if (err) {
		crew_stop(&w->crew);
		destroy_pool(w);
		return err;
	}
	*out = w;
	return 0;
}

void workers_free(struct workers **wp)
{
	struct workers *w = *wp;

	if (!w)
		return;
	crew_stop(&w->crew);
	if (w->strands) {
		fprintf(stderr, "workers: freed while %zu strands are left\n", w->strands);
		abort();
	}
	destroy_pool(w);
	*wp = NULL;
}

size_t workers_run_due(struct workers *w)
{
	struct strand *s;
	size_t n = 0;

	assert(w->crew.n == 0);
	pthread_mutex_lock(&w->lock);
	for (;; n++) {
		int64_t now = clock_now_ns(w->clock);

		s = next_ready(w, now);
		if (!s)
			break;
		run_first(s, NULL, now);
	}
	pthread_mutex_unlock(&w->lock);
	return n;
}

uint64_t workers_woken_count(struct workers *w)
{
	uint64_t n;

	pthread_mutex_lock(&w->lock);
	n = w->crew.woken;
	pthread_mutex_unlock(&w->lock);
	return n;
}

uint64_t workers_late_count(const struct workers *w)
{
	return atomic_load_explicit(&w->late, memory_order_relaxed);
}

static pthread_mutex_t *lock_of(const struct workers *w)
{
	return (pthread_mutex_t *)&w->lock;
}

size_t workers_queued(const struct workers *w)
{
	size_t n;

	pthread_mutex_lock(lock_of(w));
	n = w->queued;
	pthread_mutex_unlock(lock_of(w));
	return n;
}

int64_t workers_overdue_ns(const struct workers *w)
{
	int64_t now = clock_now_ns(w->clock), late = 0;
	const struct strand_node *n;

	pthread_mutex_lock(lock_of(w));
	n = strand_heap_first(&w->ready);
	if (n)
		late = now - first_job((struct strand *)n)->rank_ns;
	pthread_mutex_unlock(lock_of(w));
	return late > 0 ? late : 0;
}

size_t workers_threads(const struct workers *w)
{
	return w->crew.n;
}

int strand_new(struct strand **out, struct workers *w, const char *name)
{
	struct strand *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	s->w = w;
	s->name = name;
	s->cost_ns = UNKNOWN_COST_NS;
	pthread_mutex_lock(&w->lock);
	/* room for every strand in both heaps now, so that posting cannot fail */
	err = strand_heap_reserve(&w->ready, w->strands + 1);
	if (!err)
		err = strand_heap_reserve(&w->waiting, w->strands + 1);
	if (!err)
		w->strands++;
	pthread_mutex_unlock(&w->lock);
	if (err) {
		free(s);
		return err;
	}
	*out = s;
	return 0;
}

void strand_free(struct strand **sp)
{
	struct strand *s = *sp;
	struct workers *w;

	if (!s)
		return;
	*sp = NULL;
	w = s->w;
	pthread_mutex_lock(&w->lock);
	w->queued -= s->count;
	s->count = 0;
	s->freed = true;
	take_out(w, s);
	if (!s->running)
		destroy(s);
	pthread_mutex_unlock(&w->lock);
}

int strand_post(struct strand *s, strand_fn *fn, void *obj, void *arg, int64_t not_before_ns,
		int64_t deadline_ns)
{
	struct workers *w = s->w;
	int64_t now = clock_now_ns(w->clock);
	int err = 0;

	pthread_mutex_lock(&w->lock);
	if (s->count == STRAND_JOBS || s->freed) {
		err = -EAGAIN;
		metric_add(&refused_total, 1);
	} else {
		s->jobs[(s->head + s->count++) % STRAND_JOBS] = (struct job){
			.fn = fn, .obj = obj, .arg = arg,
			.not_before_ns = not_before_ns, .deadline_ns = deadline_ns,
			.rank_ns = deadline_ns == INT64_MAX ? now + CONTROL_NS : deadline_ns,
		};
		w->queued++;
		if (s->count == 1 && !s->running) {
			schedule(s, now);
			call_help(w, now);
		}
	}
	pthread_mutex_unlock(&w->lock);
	return err;
}

size_t strand_queued(const struct strand *s)
{
	size_t n;

	pthread_mutex_lock(lock_of(s->w));
	n = s->count;
	pthread_mutex_unlock(lock_of(s->w));
	return n;
}

int work_account_new(struct work_account **out, struct workers *w)
{
	struct work_account *a = calloc(1, sizeof(*a));

	if (!a)
		return -ENOMEM;
	a->w = w;
	a->users = 1;
	*out = a;
	return 0;
}

void work_account_free(struct work_account **ap)
{
	struct work_account *a = *ap;
	struct workers *w;

	if (!a)
		return;
	*ap = NULL;
	w = a->w;
	pthread_mutex_lock(&w->lock);
	account_unuse(a);
	pthread_mutex_unlock(&w->lock);
}

void work_account_get(const struct work_account *a, struct work_done *out)
{
	out->jobs = atomic_load_explicit(&a->jobs, memory_order_relaxed);
	out->late = atomic_load_explicit(&a->late, memory_order_relaxed);
	out->cpu_ns = atomic_load_explicit(&a->cpu_ns, memory_order_relaxed);
}

void work_account_set_handicap(struct work_account *a, int64_t ns)
{
	atomic_store_explicit(&a->handicap_ns, ns, memory_order_relaxed);
}

void strand_charge(struct strand *s, struct work_account *a)
{
	if (!a)
		return;
	pthread_mutex_lock(&a->w->lock);
	a->users++;
	s->account = a;
	pthread_mutex_unlock(&a->w->lock);
}

void strand_missed(struct strand *s)
{
	if (!s->account)
		return;
	add(&s->account->jobs, 1);
	add(&s->account->late, 1);
}
