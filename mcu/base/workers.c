#include "mcu/base/workers.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "mcu/base/metrics.h"
#include "mcu/base/role.h"
#include "mcu/base/strand_heap.h"
#include "mcu/base/thread.h"

METRIC_COUNTER(late_total, "mcu_video_jobs_late_total",
	       "Jobs of the video workers that started after their deadline.");
METRIC_COUNTER(refused_total, "mcu_video_jobs_refused_total",
	       "Jobs refused because their strand was full.");

struct job {
	strand_fn *fn;
	void *obj, *arg;
	int64_t not_before_ns, deadline_ns;
};

struct work_account {
	struct workers *w;
	size_t users; /* strands, and whoever made it; under the pool's lock */
	_Atomic uint64_t jobs, late, cpu_ns;
	_Atomic int64_t handicap_ns;
};

struct strand {
	struct strand_node node; /* first: the heaps hold these */
	struct workers *w;
	struct work_account *account; /* NULL: nobody's */
	const char *name;
	size_t head, count;
	bool running, freed;
	struct job jobs[STRAND_JOBS];
};

/* lock guards all of it and every strand. A thread without work waits on
 * `work`; one of them at most is the keeper, which waits on `timer` until the
 * first not-before time, so that a tick wakes one thread and not all. */
struct workers {
	pthread_mutex_t lock;
	pthread_cond_t work, timer;
	const struct clock *clock;
	struct strand_heap ready;   /* by deadline of the first job */
	struct strand_heap waiting; /* by not-before time of the first job */
	size_t strands, idle, queued;
	bool keeper, stop;
	int64_t keeper_until_ns;
	_Atomic uint64_t late;
	size_t n_threads;
	pthread_t threads[];
};

static struct job *first_job(struct strand *s)
{
	return &s->jobs[s->head];
}

/* What the heap of those ready is ordered by. */
static int64_t rank_of(struct strand *s)
{
	int64_t deadline_ns = first_job(s)->deadline_ns, more = 0;

	if (s->account && deadline_ns != INT64_MAX)
		more = atomic_load_explicit(&s->account->handicap_ns, memory_order_relaxed);
	return deadline_ns + more;
}

static void wake_one(struct workers *w)
{
	if (w->idle)
		pthread_cond_signal(&w->work);
	else if (w->keeper)
		pthread_cond_signal(&w->timer);
}

/* Puts a strand that has a job and does not run where it belongs. by_worker:
 * the caller is a thread of the pool and looks for work next, itself. */
static void schedule(struct strand *s, int64_t now_ns, bool by_worker)
{
	struct workers *w = s->w;
	const struct job *j = first_job(s);

	if (j->not_before_ns <= now_ns) {
		strand_heap_put(&w->ready, &s->node, rank_of(s));
		if (!by_worker)
			wake_one(w);
		return;
	}
	strand_heap_put(&w->waiting, &s->node, j->not_before_ns);
	if (w->keeper && j->not_before_ns < w->keeper_until_ns)
		pthread_cond_signal(&w->timer);
	else if (!w->keeper && !by_worker)
		wake_one(w);
}

static struct strand *next_ready(struct workers *w, int64_t now_ns)
{
	struct strand_node *n;

	while ((n = strand_heap_first(&w->waiting)) && n->key <= now_ns) {
		strand_heap_take(n);
		strand_heap_put(&w->ready, n, rank_of((struct strand *)n));
	}
	n = strand_heap_first(&w->ready);
	if (n)
		strand_heap_take(n);
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

/* With the lock held, which is let go of while the job runs. */
static void run_first(struct strand *s, int64_t now_ns)
{
	struct workers *w = s->w;
	struct job j = *first_job(s);
	uint64_t began;

	s->head = (s->head + 1) % STRAND_JOBS;
	s->count--;
	w->queued--;
	s->running = true;
	count_job(s, &j, now_ns);
	if (strand_heap_first(&w->ready) || (!w->keeper && strand_heap_first(&w->waiting)))
		wake_one(w);
	pthread_mutex_unlock(&w->lock);
	began = s->account ? thread_time_ns() : 0;
	j.fn(j.obj, j.arg);
	if (s->account)
		add(&s->account->cpu_ns, thread_time_ns() - began);
	pthread_mutex_lock(&w->lock);
	s->running = false;
	if (s->freed)
		destroy(s);
	else if (s->count)
		schedule(s, clock_now_ns(w->clock), true);
}

/* The pool's clock may be one that tests hold still: its distance to the time
 * wanted is laid on the monotonic clock. */
static void keep_time(struct workers *w, int64_t until_ns, int64_t now_ns)
{
	int64_t at = clock_now_ns(&clock_monotonic) + (until_ns - now_ns);
	struct timespec ts = { .tv_sec = at / NS_PER_S, .tv_nsec = at % NS_PER_S };

	w->keeper = true;
	w->keeper_until_ns = until_ns;
	pthread_cond_timedwait(&w->timer, &w->lock, &ts);
	w->keeper = false;
}

static void *worker_main(void *arg)
{
	struct workers *w = arg;

	role_enter(ROLE_ID_MIXV);
	pthread_mutex_lock(&w->lock);
	while (!w->stop) {
		int64_t now = clock_now_ns(w->clock);
		struct strand *s = next_ready(w, now);
		struct strand_node *n = strand_heap_first(&w->waiting);

		if (s) {
			run_first(s, now);
		} else if (n && !w->keeper) {
			keep_time(w, n->key, now);
		} else {
			w->idle++;
			pthread_cond_wait(&w->work, &w->lock);
			w->idle--;
		}
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

static void stop_threads(struct workers *w)
{
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_cond_broadcast(&w->work);
	pthread_cond_broadcast(&w->timer);
	pthread_mutex_unlock(&w->lock);
	for (size_t i = 0; i < w->n_threads; i++)
		pthread_join(w->threads[i], NULL);
}

static void destroy_pool(struct workers *w)
{
	strand_heap_free(&w->ready);
	strand_heap_free(&w->waiting);
	pthread_cond_destroy(&w->work);
	pthread_cond_destroy(&w->timer);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

int workers_new(struct workers **out, const struct clock *clock, size_t threads, int nice)
{
	struct workers *w = calloc(1, sizeof(*w) + threads * sizeof(*w->threads));
	pthread_condattr_t attr;
	int err = 0;

	if (!w)
		return -ENOMEM;
	w->clock = clock;
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->work, &attr);
	pthread_cond_init(&w->timer, &attr);
	pthread_condattr_destroy(&attr);
	while (w->n_threads < threads && !err) {
		char name[32];

		snprintf(name, sizeof(name), "mixv-%zu", w->n_threads);
		err = thread_start(&w->threads[w->n_threads], name, nice, worker_main, w);
		if (!err)
			w->n_threads++;
	}
	if (err) {
		stop_threads(w);
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
	stop_threads(w);
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

	assert(w->n_threads == 0);
	pthread_mutex_lock(&w->lock);
	for (;; n++) {
		int64_t now = clock_now_ns(w->clock);

		s = next_ready(w, now);
		if (!s)
			break;
		run_first(s, now);
	}
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
		late = now - first_job((struct strand *)n)->deadline_ns;
	pthread_mutex_unlock(lock_of(w));
	return late > 0 ? late : 0;
}

size_t workers_threads(const struct workers *w)
{
	return w->n_threads;
}

int strand_new(struct strand **out, struct workers *w, const char *name)
{
	struct strand *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	s->w = w;
	s->name = name;
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
	strand_heap_take(&s->node);
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
		};
		w->queued++;
		if (s->count == 1 && !s->running)
			schedule(s, now, false);
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
