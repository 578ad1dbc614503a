#include "mcu/base/workers.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "mcu/base/role.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

struct bench {
	struct clock clock;
	struct workers *w;
	char trace[64];
};

static void setup_fake(struct bench *b)
{
	*b = (struct bench){ 0 };
	clock_fake_init(&b->clock, 1000);
	assert_int_equal(workers_new(&b->w, &b->clock, 0, 5), 0);
}

static void note(void *obj, void *arg)
{
	struct bench *b = obj;
	size_t n = strlen(b->trace);

	b->trace[n] = (char)(uintptr_t)arg;
	b->trace[n + 1] = '\0';
}

static void post(struct bench *b, struct strand *s, char c, int64_t not_before, int64_t deadline)
{
	assert_int_equal(strand_post(s, note, b, (void *)(uintptr_t)c, not_before, deadline), 0);
}

static void runs_by_deadline_but_a_strand_in_order(void **state)
{
	struct bench b;
	struct strand *s1, *s2;

	(void)state;
	setup_fake(&b);
	assert_int_equal(strand_new(&s1, b.w, "one"), 0);
	assert_int_equal(strand_new(&s2, b.w, "two"), 0);
	post(&b, s1, 'a', 0, 5000);
	post(&b, s1, 'b', 0, 2000); /* must not overtake a */
	post(&b, s2, 'x', 0, 3000);
	post(&b, s2, 'y', 0, 6000);
	assert_int_equal(workers_queued(b.w), 4);
	assert_int_equal(strand_queued(s1), 2);
	assert_int_equal(workers_run_due(b.w), 4);
	assert_string_equal(b.trace, "xaby");
	assert_int_equal(workers_late_count(b.w), 0);
	assert_int_equal(workers_queued(b.w), 0);
	strand_free(&s1);
	strand_free(&s2);
	assert_null(s1);
	workers_free(&b.w);
	assert_null(b.w);
}

static void nothing_starts_before_its_time_and_lateness_is_counted(void **state)
{
	struct bench b;
	struct strand *s1, *s2;

	(void)state;
	setup_fake(&b);
	assert_int_equal(strand_new(&s1, b.w, "one"), 0);
	assert_int_equal(strand_new(&s2, b.w, "two"), 0);
	post(&b, s1, 'a', 1500, 1600);
	post(&b, s2, 'x', 1400, 9000);
	post(&b, s2, 'y', 2000, 9000);
	assert_int_equal(workers_run_due(b.w), 0);
	clock_fake_advance(&b.clock, 499);
	assert_int_equal(workers_run_due(b.w), 1);
	clock_fake_advance(&b.clock, 102);
	assert_int_equal(workers_run_due(b.w), 1);
	assert_string_equal(b.trace, "xa");
	assert_int_equal(workers_late_count(b.w), 1);
	clock_fake_advance(&b.clock, 1000);
	assert_int_equal(workers_run_due(b.w), 1);
	strand_free(&s1);
	strand_free(&s2);
	workers_free(&b.w);
}

static void a_full_strand_refuses(void **state)
{
	struct bench b;
	struct strand *s;

	(void)state;
	setup_fake(&b);
	assert_int_equal(strand_new(&s, b.w, "full"), 0);
	for (int i = 0; i < STRAND_JOBS; i++)
		post(&b, s, 'a', 2000, 3000);
	assert_int_equal(strand_post(s, note, &b, NULL, 0, 3000), -EAGAIN);
	assert_int_equal(strand_queued(s), STRAND_JOBS);
	strand_free(&s); /* what waits is dropped */
	assert_int_equal(workers_queued(b.w), 0);
	clock_fake_advance(&b.clock, 5000);
	assert_int_equal(workers_run_due(b.w), 0);
	assert_string_equal(b.trace, "");
	workers_free(&b.w);
}

struct tick {
	struct bench *b;
	struct strand *s;
	int k;
};

static void tick(void *obj, void *arg)
{
	struct tick *t = obj;
	int64_t next = 1000 + clock_scale(++t->k, NS_PER_S, 30);

	(void)arg;
	if (t->k == 4)
		strand_free(&t->s); /* from inside: the pointer goes at once */
	else
		assert_int_equal(strand_post(t->s, tick, t, NULL, next, next + 100), 0);
}

static void a_tick_posts_its_successor_and_ends_itself(void **state)
{
	struct bench b;
	struct tick t = { .b = &b };

	(void)state;
	setup_fake(&b);
	assert_int_equal(strand_new(&t.s, b.w, "tick"), 0);
	assert_int_equal(strand_post(t.s, tick, &t, NULL, 1000, 1100), 0);
	assert_int_equal(workers_run_due(b.w), 1);
	for (int i = 2; i <= 4; i++) {
		clock_fake_advance(&b.clock, 33333332);
		assert_int_equal(workers_run_due(b.w), 0);
		clock_fake_advance(&b.clock, 1 + (i == 4));
		assert_int_equal(workers_run_due(b.w), 1);
	}
	assert_null(t.s);
	workers_free(&b.w);
}

enum { THREADS = 3, STRANDS = 8, JOBS = 2000 };

struct lane {
	struct strand *s;
	_Atomic int inside;
	uintptr_t last;
	_Atomic int overlaps, disorder, wrong_role;
	sem_t *done;
};

static void lane_job(void *obj, void *arg)
{
	struct lane *l = obj;

	if (atomic_fetch_add(&l->inside, 1) != 0)
		atomic_fetch_add(&l->overlaps, 1);
	if ((uintptr_t)arg != l->last + 1) /* not atomic: tsan would see an overlap */
		atomic_fetch_add(&l->disorder, 1);
	if (role_current() != ROLE_ID_MIXV)
		atomic_fetch_add(&l->wrong_role, 1);
	l->last = (uintptr_t)arg;
	atomic_fetch_sub(&l->inside, 1);
	if (l->last == JOBS)
		sem_post(l->done);
}

static void *feed(void *arg)
{
	struct lane *l = arg;

	for (uintptr_t i = 1; i <= JOBS; i++) {
		int64_t now = clock_now_ns(&clock_monotonic);
		/* some of them a little in the future, so that the timer works too */
		int64_t at = i % 16 == 0 ? now + 20000 : 0;

		while (strand_post(l->s, lane_job, l, (void *)i, at, now + NS_PER_S))
			sched_yield();
	}
	return NULL;
}

static void a_strand_is_never_in_two_threads(void **state)
{
	struct workers *w;
	struct lane lanes[STRANDS] = { 0 };
	pthread_t t[STRANDS];
	sem_t done;

	(void)state;
	sem_init(&done, 0, 0);
	assert_int_equal(workers_new(&w, &clock_monotonic, THREADS, 5), 0);
	assert_int_equal(workers_threads(w), THREADS);
	for (int i = 0; i < STRANDS; i++) {
		lanes[i].done = &done;
		assert_int_equal(strand_new(&lanes[i].s, w, "lane"), 0);
		assert_int_equal(pthread_create(&t[i], NULL, feed, &lanes[i]), 0);
	}
	for (int i = 0; i < STRANDS; i++)
		pthread_join(t[i], NULL);
	for (int i = 0; i < STRANDS; i++)
		assert_int_equal(sem_wait(&done), 0);
	for (int i = 0; i < STRANDS; i++)
		strand_free(&lanes[i].s);
	workers_free(&w);
	for (int i = 0; i < STRANDS; i++) {
		assert_int_equal(lanes[i].last, JOBS);
		assert_int_equal(lanes[i].overlaps, 0);
		assert_int_equal(lanes[i].disorder, 0);
		assert_int_equal(lanes[i].wrong_role, 0);
	}
	sem_destroy(&done);
}

struct meeting {
	pthread_barrier_t both;
	sem_t done;
};

static void meet(void *obj, void *arg)
{
	struct meeting *m = obj;

	(void)arg;
	pthread_barrier_wait(&m->both); /* returns only if both jobs run at once */
	sem_post(&m->done);
}

static void strands_run_beside_each_other(void **state)
{
	struct workers *w;
	struct strand *s[2];
	struct meeting m;

	(void)state;
	pthread_barrier_init(&m.both, NULL, 2);
	sem_init(&m.done, 0, 0);
	assert_int_equal(workers_new(&w, &clock_monotonic, 2, 5), 0);
	for (int round = 0; round < 200; round++) {
		int64_t at = clock_now_ns(&clock_monotonic) + (round % 2 ? 50000 : 0);

		/* what a strand takes is not known yet: others are woken for it */
		for (int i = 0; i < 2; i++) {
			assert_int_equal(strand_new(&s[i], w, "meet"), 0);
			assert_int_equal(strand_post(s[i], meet, &m, NULL, at, at), 0);
		}
		assert_int_equal(sem_wait(&m.done), 0);
		assert_int_equal(sem_wait(&m.done), 0);
		for (int i = 0; i < 2; i++)
			strand_free(&s[i]);
	}
	workers_free(&w);
	sem_destroy(&m.done);
	pthread_barrier_destroy(&m.both);
}

struct chain {
	struct strand *s[4];
	sem_t done;
	int links;
};

/* As a tick posts what encodes its picture. */
static void link_job(void *obj, void *arg)
{
	struct chain *c = obj;
	intptr_t at = (intptr_t)arg;

	if (at == 3)
		sem_post(&c->done);
	else
		assert_int_equal(strand_post(c->s[at + 1], link_job, c, (void *)(at + 1), 0, 0), 0);
}

static void run_chains(struct chain *c, int n)
{
	while (n--) {
		assert_int_equal(strand_post(c->s[0], link_job, c, NULL, 0, 0), 0);
		assert_int_equal(sem_wait(&c->done), 0);
	}
}

static void short_jobs_wake_nobody_else(void **state)
{
	enum { ROUNDS = 200, TRIES = 50 };
	uint64_t before, woken = UINT64_MAX;
	struct workers *w;
	struct chain c = { 0 };

	(void)state;
	sem_init(&c.done, 0, 0);
	assert_int_equal(workers_new(&w, &clock_monotonic, 4, 5), 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(strand_new(&c.s[i], w, "link"), 0);
	/* one for each chain; three more for its links while a busy machine makes them
	 * seem slow */
	for (int i = 0; i < TRIES && woken >= 2 * ROUNDS; i++) {
		run_chains(&c, 10);
		before = workers_woken_count(w);
		run_chains(&c, ROUNDS);
		woken = workers_woken_count(w) - before;
	}
	assert_true(woken < 2 * ROUNDS);
	for (int i = 0; i < 4; i++)
		strand_free(&c.s[i]);
	workers_free(&w);
	sem_destroy(&c.done);
}

struct about {
	int nice;
	char name[16];
	sem_t done;
};

static void look(void *obj, void *arg)
{
	struct about *a = obj;

	(void)arg;
	a->nice = getpriority(PRIO_PROCESS, 0);
	pthread_getname_np(pthread_self(), a->name, sizeof(a->name));
	sem_post(&a->done);
}

static void threads_are_named_and_nice(void **state)
{
	struct workers *w;
	struct strand *s;
	struct about a;
	int mine = getpriority(PRIO_PROCESS, 0);

	(void)state;
	sem_init(&a.done, 0, 0);
	assert_int_equal(workers_new(&w, &clock_monotonic, 1, mine + 1 > 19 ? 19 : mine + 1), 0);
	assert_int_equal(strand_new(&s, w, "look"), 0);
	assert_int_equal(strand_post(s, look, &a, NULL, 0, 0), 0);
	assert_int_equal(sem_wait(&a.done), 0);
	strand_free(&s);
	workers_free(&w);
	assert_string_equal(a.name, "mixv-0");
	assert_int_equal(a.nice, mine + 1 > 19 ? 19 : mine + 1);
	assert_int_equal(getpriority(PRIO_PROCESS, 0), mine);
	sem_destroy(&a.done);
}

struct suicide {
	struct strand *s;
	sem_t done;
};

static void end_self(void *obj, void *arg)
{
	struct suicide *k = obj;

	(void)arg;
	strand_free(&k->s);
	sem_post(&k->done);
}

static void strands_come_and_go_while_the_pool_runs(void **state)
{
	struct workers *w;
	struct suicide k = { 0 };

	(void)state;
	sem_init(&k.done, 0, 0);
	assert_int_equal(workers_new(&w, &clock_monotonic, 2, 5), 0);
	for (int i = 0; i < 500; i++) {
		assert_int_equal(strand_new(&k.s, w, "short"), 0);
		assert_int_equal(strand_post(k.s, end_self, &k, NULL, 0, 0), 0);
		assert_int_equal(sem_wait(&k.done), 0);
		assert_null(k.s);
	}
	workers_free(&w);
	sem_destroy(&k.done);
}

static void spend(void *obj, void *arg)
{
	struct timespec t;
	int64_t until;

	(void)obj;
	(void)arg;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	until = t.tv_sec * NS_PER_S + t.tv_nsec + 2 * NS_PER_MS;
	do
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	while (t.tv_sec * NS_PER_S + t.tv_nsec < until);
}

static void an_account_counts_the_work_of_its_strands(void **state)
{
	struct bench b;
	struct strand *mine, *other;
	struct work_account *a;
	struct work_done d;

	(void)state;
	setup_fake(&b);
	assert_int_equal(work_account_new(&a, b.w), 0);
	assert_int_equal(strand_new(&mine, b.w, "mine"), 0);
	assert_int_equal(strand_new(&other, b.w, "other"), 0);
	strand_charge(mine, a);
	strand_charge(other, NULL);
	post(&b, mine, 'a', 0, 999); /* late */
	post(&b, mine, 'b', 0, 1001);
	post(&b, mine, 'c', 0, INT64_MAX); /* what has no deadline is no measure of lateness */
	post(&b, other, 'x', 0, 999);
	assert_int_equal(strand_post(mine, spend, NULL, NULL, 0, 5000), 0);
	assert_int_equal(workers_overdue_ns(b.w), 1);
	assert_int_equal(workers_run_due(b.w), 5);
	assert_int_equal(workers_overdue_ns(b.w), 0);
	work_account_get(a, &d);
	assert_int_equal(d.jobs, 3);
	assert_int_equal(d.late, 1);
	assert_in_range(d.cpu_ns, 2 * NS_PER_MS, NS_PER_S);
	assert_int_equal(workers_late_count(b.w), 2);
	strand_missed(mine);
	strand_missed(other);
	work_account_get(a, &d);
	assert_int_equal(d.jobs, 4);
	assert_int_equal(d.late, 2);
	strand_free(&other);
	/* the strand keeps it alive */
	work_account_free(&a);
	assert_null(a);
	post(&b, mine, 'd', 0, 2000);
	assert_int_equal(workers_run_due(b.w), 1);
	strand_free(&mine);
	workers_free(&b.w);
}

static void who_has_a_handicap_waits_but_not_for_ever(void **state)
{
	struct bench b;
	struct strand *heavy, *light;
	struct work_account *a;
	struct work_done d;

	(void)state;
	setup_fake(&b);
	assert_int_equal(work_account_new(&a, b.w), 0);
	assert_int_equal(strand_new(&heavy, b.w, "heavy"), 0);
	assert_int_equal(strand_new(&light, b.w, "light"), 0);
	strand_charge(heavy, a);
	work_account_set_handicap(a, 3000);
	post(&b, heavy, 'h', 0, 2000);
	post(&b, light, 'l', 0, 4000);
	post(&b, light, 'm', 0, 5001);
	assert_int_equal(workers_run_due(b.w), 3);
	assert_string_equal(b.trace, "lhm");
	work_account_get(a, &d);
	assert_int_equal(d.late, 0);
	post(&b, heavy, 'e', 0, INT64_MAX);
	work_account_set_handicap(a, 0);
	post(&b, light, 'f', 0, 9000);
	post(&b, heavy, 'g', 0, 2000);
	assert_int_equal(workers_run_due(b.w), 3);
	assert_string_equal(b.trace, "lhmfeg");
	work_account_free(&a);
	strand_free(&heavy);
	strand_free(&light);
	workers_free(&b.w);
}

struct rooms {
	struct workers *w;
	struct strand *one, *two, *help;
	sem_t helped, ticked;
};

static void come(void *obj, void *arg)
{
	(void)arg;
	sem_post(obj);
}

/* Ends when the other thread, which was woken to help, has nothing left but the
 * second room's time to keep. */
static void first_tick(void *obj, void *arg)
{
	struct timespec while_it_lies_down = { .tv_nsec = 50 * NS_PER_MS };
	int64_t next;
	struct rooms *r = obj;

	(void)arg;
	assert_int_equal(strand_post(r->help, come, &r->helped, NULL, 0, 0), 0);
	sem_wait(&r->helped);
	nanosleep(&while_it_lies_down, NULL);
	next = clock_now_ns(&clock_monotonic) + 10 * NS_PER_MS;
	assert_int_equal(strand_post(r->one, come, &r->ticked, NULL, next, next), 0);
}

static void a_successor_is_not_kept_waiting_by_a_later_time(void **state)
{
	int64_t far = clock_now_ns(&clock_monotonic) + 5 * NS_PER_S;
	struct rooms r;

	(void)state;
	sem_init(&r.helped, 0, 0);
	sem_init(&r.ticked, 0, 0);
	assert_int_equal(workers_new(&r.w, &clock_monotonic, 2, 5), 0);
	assert_int_equal(strand_new(&r.one, r.w, "one"), 0);
	assert_int_equal(strand_new(&r.two, r.w, "two"), 0);
	assert_int_equal(strand_new(&r.help, r.w, "help"), 0);
	assert_int_equal(strand_post(r.two, come, &r.ticked, NULL, far, far), 0);
	assert_int_equal(strand_post(r.one, first_tick, &r, NULL, 0, 0), 0);
	assert_int_equal(sem_wait(&r.ticked), 0);
	assert_true(clock_now_ns(&clock_monotonic) < far);
	strand_free(&r.one);
	strand_free(&r.two);
	strand_free(&r.help);
	workers_free(&r.w);
	sem_destroy(&r.helped);
	sem_destroy(&r.ticked);
}

struct load {
	struct bench *b;
	struct strand *s;
	int runs;
};

/* As soon as it is done there is more of it. */
static void heavy(void *obj, void *arg)
{
	struct load *l = obj;

	note(l->b, arg);
	clock_fake_advance(&l->b->clock, 10 * NS_PER_MS);
	if (++l->runs < 20)
		assert_int_equal(strand_post(l->s, heavy, l, arg, 0,
					     clock_now_ns(&l->b->clock)), 0);
}

static void what_has_no_deadline_does_not_wait_for_ever(void **state)
{
	struct bench b;
	struct load l = { .b = &b };
	struct strand *s;

	(void)state;
	setup_fake(&b);
	assert_int_equal(strand_new(&l.s, b.w, "load"), 0);
	assert_int_equal(strand_new(&s, b.w, "control"), 0);
	assert_int_equal(strand_post(l.s, heavy, &l, (void *)(uintptr_t)'h', 0, 1000), 0);
	post(&b, s, 'c', 0, INT64_MAX);
	post(&b, s, 'd', 0, 2000); /* which it stands before */
	assert_int_equal(workers_run_due(b.w), 22);
	assert_string_equal(b.trace, "hhhcdhhhhhhhhhhhhhhhhh");
	strand_free(&l.s);
	strand_free(&s);
	workers_free(&b.w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runs_by_deadline_but_a_strand_in_order),
		cmocka_unit_test(nothing_starts_before_its_time_and_lateness_is_counted),
		cmocka_unit_test(a_full_strand_refuses),
		cmocka_unit_test(a_tick_posts_its_successor_and_ends_itself),
		cmocka_unit_test(a_strand_is_never_in_two_threads),
		cmocka_unit_test(strands_run_beside_each_other),
		cmocka_unit_test(short_jobs_wake_nobody_else),
		cmocka_unit_test(threads_are_named_and_nice),
		cmocka_unit_test(strands_come_and_go_while_the_pool_runs),
		cmocka_unit_test(an_account_counts_the_work_of_its_strands),
		cmocka_unit_test(who_has_a_handicap_waits_but_not_for_ever),
		cmocka_unit_test(a_successor_is_not_kept_waiting_by_a_later_time),
		cmocka_unit_test(what_has_no_deadline_does_not_wait_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
