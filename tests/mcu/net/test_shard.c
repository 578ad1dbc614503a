#include "mcu/net/shard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <glib-unix.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "mcu/base/clock.h"
#include "mcu/net/gpoll.h"
#include "mcu/net/shard_loop.h"
#include "mcu/net/timers.h"

/* ---- the heap, on invented times ---- */

struct tick {
	struct net_timer t;
	int64_t due[8];
	size_t n;
	int64_t again_ns;    /* restart by itself */
	struct tick *victim; /* stopped by this one */
};

static void on_tick(void *obj, int64_t due_ns)
{
	struct tick *k = obj;

	role_assert_net();
	if (k->n < 8)
		k->due[k->n] = due_ns;
	k->n++;
	if (k->again_ns)
		net_timer_start(&k->t, k->again_ns, 0);
	if (k->victim)
		net_timer_stop(&k->victim->t);
}

static void test_heap_order(void **state)
{
	enum { N = 500 };
	static struct tick k[N];
	struct net_timers h;
	uint32_t r = 7;
	size_t ran = 0, running = 0;

	(void)state;
	timers_init(&h);
	for (size_t i = 0; i < N; i++) {
		k[i] = (struct tick){ 0 };
		assert_int_equal(timers_add(&h, &k[i].t, on_tick, &k[i]), 0);
	}
	for (size_t round = 0; round < 4 * N; round++) {
		r = r * 1664525 + 1013904223;
		if (r >> 30 == 0)
			net_timer_stop(&k[r % N].t);
		else
			net_timer_start(&k[r % N].t, r >> 12, 0);
	}
	for (size_t i = 0; i < N; i++)
		running += net_timer_running(&k[i].t);
	assert_int_equal(h.n, running);
	for (int64_t last = -1; timers_next(&h) != INT64_MAX;) {
		int64_t now = timers_next(&h);

		assert_true(now > last);
		last = now;
		ran += timers_run(&h, now);
	}
	assert_int_equal(ran, running);
	for (size_t i = 0; i < N; i++) {
		assert_false(net_timer_running(&k[i].t));
		timers_remove(&k[i].t);
	}
	assert_int_equal(h.alive, 0);
	timers_done(&h);
}

/* Late: what was missed is skipped and the phase is kept. */
static void test_period(void **state)
{
	struct tick k = { 0 };
	struct net_timers h;

	(void)state;
	timers_init(&h);
	timers_add(&h, &k.t, on_tick, &k);
	net_timer_start(&k.t, 100, 20);
	timers_run(&h, 99);
	assert_int_equal(k.n, 0);
	timers_run(&h, 100);
	timers_run(&h, 121);
	timers_run(&h, 205);
	assert_int_equal(k.n, 3);
	assert_int_equal(k.due[0], 100);
	assert_int_equal(k.due[1], 120);
	assert_int_equal(k.due[2], 140);
	assert_int_equal(timers_next(&h), 220);
	net_timer_stop(&k.t);
	assert_int_equal(timers_run(&h, 1000), 0);
	timers_remove(&k.t);
	timers_done(&h);
}

static void test_restart_and_stop_inside(void **state)
{
	struct tick a = { 0 }, b = { 0 };
	struct net_timers h;

	(void)state;
	timers_init(&h);
	timers_add(&h, &a.t, on_tick, &a);
	timers_add(&h, &b.t, on_tick, &b);
	a.again_ns = 5; /* already due: not again in the same run */
	a.victim = &b;
	net_timer_start(&a.t, 10, 0);
	net_timer_start(&b.t, 20, 0);
	assert_int_equal(timers_run(&h, 50), 2); /* a, and a once more in b's place */
	assert_int_equal(b.n, 0);
	assert_int_equal(timers_next(&h), 5);
	timers_remove(&a.t);
	timers_remove(&b.t);
	assert_int_equal(h.n, 0);
	timers_done(&h);
}

/* ---- the loop ---- */

struct world {
	struct net_shard *s;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int count; /* under the lock */
	/* NET */
	struct net_timer *timer;
	struct net_fd *fd;
	struct gpoll *poll;
	int64_t not_before_ns;
	int pipe[2];
	int64_t start_ns, last_ns;
	int fired, strays;
};

static void bump(struct world *w)
{
	pthread_mutex_lock(&w->lock);
	w->count++;
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
}

static void wait_count(struct world *w, int n)
{
	struct timespec until;
	int late = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 30;
	pthread_mutex_lock(&w->lock);
	while (w->count < n && !late)
		late = pthread_cond_timedwait(&w->changed, &w->lock, &until);
	pthread_mutex_unlock(&w->lock);
	assert_int_equal(late, 0);
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof *w);
	struct net_shard_cfg cfg = { .rx_holdoff_us = 500, .max_packets = 4 };

	assert_non_null(w);
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->changed, NULL);
	assert_int_equal(net_shard_new(&w->s, 3, &cfg), 0);
	assert_int_equal(pipe(w->pipe), 0);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	net_shard_free(&w->s);
	assert_null(w->s);
	close(w->pipe[0]);
	close(w->pipe[1]);
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->changed);
	free(w);
	return 0;
}

static void post(struct world *w, mbox_fn *fn)
{
	assert_int_equal(mbox_post(net_shard_mbox(w->s), fn, w, NULL), 0);
}

static void on_period(void *obj, int64_t due_ns)
{
	struct world *w = obj;

	role_assert_net();
	if (due_ns > net_shard_now_ns(w->s) || (w->fired && due_ns <= w->last_ns))
		return;
	w->last_ns = due_ns;
	if (++w->fired == 5) {
		net_timer_free(&w->timer);
		bump(w);
	}
}

static void do_timer(void *obj, void *arg)
{
	struct world *w = obj;

	(void)arg;
	role_assert_net();
	w->start_ns = net_shard_now_ns(w->s);
	if (!net_timer_new(&w->timer, w->s, on_period, w))
		net_timer_start(w->timer, w->start_ns + NS_PER_MS, 2 * NS_PER_MS);
}

static void test_periodic_timer(void **state)
{
	struct world *w = *state;

	post(w, do_timer);
	wait_count(w, 1);
	net_shard_stop(w->s);
	assert_int_equal(w->fired, 5);
	assert_int_equal((w->last_ns - w->start_ns - NS_PER_MS) % (2 * NS_PER_MS), 0);
	assert_true(w->last_ns - w->start_ns >= 9 * NS_PER_MS);
}

static void on_readable(void *obj, int fd, uint32_t events)
{
	struct world *w = obj;
	char c;

	role_assert_net();
	if ((events & EPOLLIN) && read(fd, &c, 1) == 1 && ++w->fired == 3)
		net_fd_remove(&w->fd);
	bump(w);
}

static void do_watch(void *obj, void *arg)
{
	struct world *w = obj;

	(void)arg;
	role_assert_net();
	if (!net_fd_add(&w->fd, w->s, w->pipe[0], EPOLLIN, on_readable, w))
		bump(w);
}

static void do_nothing(void *obj, void *arg)
{
	(void)arg;
	bump(obj);
}

static void test_descriptor(void **state)
{
	struct world *w = *state;

	post(w, do_watch);
	wait_count(w, 1);
	assert_int_equal(net_shard_fds(w->s), 1);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(write(w->pipe[1], "x", 1), 1);
		wait_count(w, 2 + i);
	}
	assert_int_equal(net_shard_fds(w->s), 0);
	assert_int_equal(write(w->pipe[1], "x", 1), 1); /* nobody looks any more */
	post(w, do_nothing);
	wait_count(w, 5);
	net_shard_stop(w->s);
	assert_int_equal(w->fired, 3);
}

static int64_t slot_of(const struct net_shard *s)
{
	role_assert_net();
	return (net_shard_now_ns(s) + NET_READ_LEAD_US * 1000) / (20 * NS_PER_MS);
}

/* Once per patience at most, on its own grid: never twice in one slot. */
static void on_patient(void *obj, int fd, uint32_t events)
{
	struct world *w = obj;
	char c;

	(void)events;
	role_assert_net();
	assert_int_equal(read(fd, &c, 1), 1);
	if (w->fired++ > 0)
		w->strays += slot_of(w->s) <= w->last_ns;
	w->last_ns = slot_of(w->s);
	if (w->fired == 6)
		net_fd_remove(&w->fd);
	else
		assert_int_equal(write(w->pipe[1], "x", 1), 1);
	bump(w);
}

static void do_watch_patiently(void *obj, void *arg)
{
	struct world *w = obj;

	(void)arg;
	role_assert_net();
	assert_int_equal(net_fd_add(&w->fd, w->s, w->pipe[0], EPOLLIN, on_patient, w), 0);
	assert_int_equal(net_fd_set_patient(w->fd, true), 0);
	bump(w);
}

static void test_patient_descriptors_keep_step(void **state)
{
	struct world *w = *state;

	post(w, do_watch_patiently);
	wait_count(w, 1);
	assert_int_equal(write(w->pipe[1], "x", 1), 1);
	wait_count(w, 7);
	net_shard_stop(w->s);
	assert_int_equal(w->fired, 6);
	assert_int_equal(w->strays, 0);
}

/* Every read finds something at first, then none; then it is waited for again. */
static void on_steady(void *obj, int fd, uint32_t events)
{
	enum { ENOUGH = NET_FD_STEADY_AFTER + 10 };
	struct world *w = obj;
	char c;

	role_assert_net();
	w->strays += events == 0;
	if (read(fd, &c, 1) != 1) {
		assert_int_equal(events, 0);
		w->last_ns++; /* times without anything */
		net_fd_idle(w->fd);
		if (w->last_ns == NET_FD_STEADY_IDLE)
			bump(w);
		return;
	}
	if (++w->fired == ENOUGH)
		bump(w);
	if (w->fired < ENOUGH)
		assert_int_equal(write(w->pipe[1], "x", 1), 1);
	if (w->fired <= ENOUGH)
		return;
	assert_int_not_equal(events, 0);
	net_fd_remove(&w->fd);
	bump(w);
}

static void do_watch_steadily(void *obj, void *arg)
{
	struct world *w = obj;

	(void)arg;
	role_assert_net();
	assert_int_equal(fcntl(w->pipe[0], F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(net_fd_add(&w->fd, w->s, w->pipe[0], EPOLLIN, on_steady, w), 0);
	assert_int_equal(net_fd_set_patient(w->fd, true), 0);
	net_fd_may_be_steady(w->fd);
	bump(w);
}

static void test_steady_descriptors_are_not_asked(void **state)
{
	struct world *w = *state;

	post(w, do_watch_steadily);
	wait_count(w, 1);
	assert_int_equal(write(w->pipe[1], "x", 1), 1);
	wait_count(w, 3); /* enough came, and then nothing for long enough */
	assert_int_equal(write(w->pipe[1], "x", 1), 1);
	wait_count(w, 4);
	net_shard_stop(w->s);
	assert_in_range(w->strays, NET_FD_STEADY_IDLE + 5, NET_FD_STEADY_IDLE + 10);
	assert_int_equal(w->last_ns, NET_FD_STEADY_IDLE);
}

/* The slots of the reads that the descriptor gets, once it is steady; relaxed from some
 * point on. */
static void on_relaxed(void *obj, int fd, uint32_t events)
{
	enum { RELAXED_AT = NET_FD_STEADY_AFTER + 5, ENOUGH = RELAXED_AT + 10 };
	struct world *w = obj;
	int64_t slot;
	char c;

	role_assert_net();
	slot = slot_of(w->s);
	assert_int_equal(read(fd, &c, 1), 1);
	assert_int_equal(write(w->pipe[1], "x", 1), 1);
	w->fired++;
	if (w->fired > RELAXED_AT + 1) {
		assert_int_equal(events, 0);
		w->strays += slot < w->last_ns + 2; /* a slow machine may leave out some */
	}
	w->last_ns = slot;
	if (w->fired == RELAXED_AT)
		net_fd_relax(w->fd, true);
	if (w->fired < ENOUGH)
		return;
	net_fd_remove(&w->fd);
	bump(w);
}

static void do_watch_relaxed(void *obj, void *arg)
{
	struct world *w = obj;

	(void)arg;
	role_assert_net();
	assert_int_equal(net_fd_add(&w->fd, w->s, w->pipe[0], EPOLLIN, on_relaxed, w), 0);
	assert_int_equal(net_fd_set_patient(w->fd, true), 0);
	net_fd_may_be_steady(w->fd);
	bump(w);
}

static void test_relaxed_descriptors_are_read_every_other_time(void **state)
{
	struct world *w = *state;

	post(w, do_watch_relaxed);
	wait_count(w, 1);
	assert_int_equal(write(w->pipe[1], "x", 1), 1);
	wait_count(w, 2);
	net_shard_stop(w->s);
	assert_int_equal(w->strays, 0);
}

static gboolean on_timeout(gpointer obj)
{
	struct world *w = obj;

	role_assert_net();
	bump(w);
	if (++w->fired < 3)
		return G_SOURCE_CONTINUE;
	return G_SOURCE_REMOVE;
}

static gboolean on_pipe(gint fd, GIOCondition cond, gpointer obj)
{
	struct world *w = obj;
	char c;

	(void)cond;
	role_assert_net();
	if (read(fd, &c, 1) == 1)
		bump(w);
	gpoll_free(&w->poll); /* from inside its own dispatch */
	return G_SOURCE_REMOVE;
}

static void do_glib(void *obj, void *arg)
{
	struct world *w = obj;
	GSource *t = g_timeout_source_new(3);

	(void)arg;
	role_assert_net();
	if (gpoll_new(&w->poll, w->s))
		return;
	g_source_set_callback(t, on_timeout, w, NULL);
	g_source_attach(t, gpoll_context(w->poll));
	g_source_unref(t);
}

static void do_glib_pipe(void *obj, void *arg)
{
	struct world *w = obj;
	GSource *f = g_unix_fd_source_new(w->pipe[0], G_IO_IN);

	(void)arg;
	role_assert_net();
	g_source_set_callback(f, G_SOURCE_FUNC(on_pipe), w, NULL);
	g_source_attach(f, gpoll_context(w->poll));
	g_source_unref(f);
	gpoll_touch(w->poll);
	bump(w);
}

/* A timeout source, then one on a descriptor, then the end from within. */
static void test_glib_context(void **state)
{
	struct world *w = *state;

	post(w, do_glib);
	wait_count(w, 3);
	post(w, do_glib_pipe);
	wait_count(w, 4);
	assert_int_equal(write(w->pipe[1], "x", 1), 1);
	wait_count(w, 5);
	net_shard_stop(w->s);
	assert_int_equal(w->fired, 3);
	assert_null(w->poll);
	assert_int_equal(net_shard_fds(w->s), 0);
}

static gboolean on_patient_timeout(gpointer obj)
{
	struct world *w = obj;

	role_assert_net();
	if (clock_now_ns(&clock_monotonic) < w->not_before_ns)
		w->strays++;
	w->fired++;
	gpoll_free(&w->poll);
	bump(w);
	return G_SOURCE_REMOVE;
}

static bool on_nothing(void *obj, int fd)
{
	(void)obj;
	(void)fd;
	return false;
}

static void do_patient_glib(void *obj, void *arg)
{
	struct world *w = obj;
	int64_t due = clock_now_ns(&clock_monotonic) + 3 * NS_PER_MS;
	GSource *t = g_timeout_source_new(3);

	(void)arg;
	role_assert_net();
	w->not_before_ns = shard_patient_ns(w->s, due);
	if (gpoll_new(&w->poll, w->s))
		return;
	g_source_set_callback(t, on_patient_timeout, w, NULL);
	g_source_attach(t, gpoll_context(w->poll));
	g_source_unref(t);
	gpoll_set_reader(w->poll, w->pipe[0], true, on_nothing, w);
}

/* Its timers wait for the moments at which patient descriptors are read. */
static void test_patient_glib_context(void **state)
{
	struct world *w = *state;

	post(w, do_patient_glib);
	wait_count(w, 1);
	net_shard_stop(w->s);
	assert_int_equal(w->fired, 1);
	assert_int_equal(w->strays, 0);
}

static void test_nofile(void **state)
{
	struct rlimit r;

	(void)state;
	assert_true(net_raise_nofile_limit() > 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &r), 0);
	assert_int_equal(r.rlim_cur, r.rlim_max);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_heap_order),
		cmocka_unit_test(test_period),
		cmocka_unit_test(test_restart_and_stop_inside),
		T(test_periodic_timer),
		T(test_descriptor),
		T(test_patient_descriptors_keep_step),
		T(test_steady_descriptors_are_not_asked),
		T(test_relaxed_descriptors_are_read_every_other_time),
		T(test_glib_context),
		T(test_patient_glib_context),
		cmocka_unit_test(test_nofile),
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
