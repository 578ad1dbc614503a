#include "mcu/net/gpoll.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "mcu/base/clock.h"
#include "mcu/base/log.h"
#include "mcu/net/shard_loop.h"

enum { MAX_SPINS = 2 };

/* Between turns the context is where GLib's own loop would sit in poll():
 * prepared and queried. A descriptor or the timer then leads to check and
 * dispatch, and to the next prepare and query. */
struct gpoll {
	struct net_shard *s;
	GMainContext *ctx;
	struct shard_work work;
	struct net_timer timer;
	bool dead, touched, ready;
	unsigned spins; /* turns in a row that were wanted at once */
	int wake_fd;	/* of GLib, not watched */
	int read_fd;	/* whose reader comes first; -1: none */
	bool patient;
	gpoll_reader *reader;
	void *reader_obj;
	gint n, cap;  /* of both arrays, which are parallel */
	GPollFD *fds; /* as queried, sorted by descriptor */
	struct net_fd **watch;
	GPollFD *next; /* scratch for the query */
	struct net_fd **next_watch;
};

static void set_ready(struct gpoll *g) ON_THREAD(ROLE_NET)
{
	g->ready = true;
	shard_work_post(g->s, &g->work);
}

static void on_fd(void *obj, int fd, uint32_t events)
{
	struct gpoll *g = obj;

	role_assert_net();
	if (fd == g->read_fd && events == EPOLLIN && !g->reader(g->reader_obj, fd))
		return;
	if (g->dead)
		return;
	for (gint i = 0; i < g->n; i++)
		if (g->fds[i].fd == fd)
			g->fds[i].revents = (gushort)events;
	set_ready(g);
}

static void on_timer(void *obj, int64_t due_ns)
{
	(void)due_ns;
	role_assert_net();
	set_ready(obj);
}

static int grow(struct gpoll *g, gint n)
{
	size_t cap = (size_t)n + 8;
	GPollFD *fds = realloc(g->fds, cap * sizeof *fds);
	struct net_fd **watch;
	GPollFD *next;

	if (fds)
		g->fds = fds;
	watch = realloc(g->watch, cap * sizeof *watch);
	if (watch)
		g->watch = watch;
	next = realloc(g->next, cap * sizeof *next);
	if (next)
		g->next = next;
	free(g->next_watch);
	g->next_watch = calloc(cap, sizeof *g->next_watch);
	if (!fds || !watch || !next || !g->next_watch)
		return -ENOMEM;
	g->cap = (gint)cap;
	return 0;
}

static bool same_fds(const struct gpoll *g, gint n)
{
	if (n != g->n)
		return false;
	for (gint i = 0; i < n; i++)
		if (g->fds[i].fd != g->next[i].fd || g->fds[i].events != g->next[i].events)
			return false;
	return true;
}

static void set_urgencies(struct gpoll *g) ON_THREAD(ROLE_NET)
{
	for (gint i = 0; i < g->n; i++)
		if (g->watch[i])
			net_fd_set_patient(g->watch[i], g->patient && g->fds[i].fd == g->read_fd);
}

/* Makes the watches those of g->next[0…n]. Both lists are sorted. What remains
 * is entered again, for a closed descriptor's number may have come back. */
static void adopt_fds(struct gpoll *g, gint n) ON_THREAD(ROLE_NET)
{
	gint old = 0;

	for (gint i = 0; i < n; i++) {
		uint32_t events = g->next[i].events;
		int err;

		while (old < g->n && g->fds[old].fd < g->next[i].fd)
			net_fd_remove(&g->watch[old++]);
		if (old < g->n && g->fds[old].fd == g->next[i].fd && g->watch[old]) {
			g->next_watch[i] = g->watch[old++];
			err = net_fd_modify(g->next_watch[i], events);
		} else {
			g->next_watch[i] = NULL;
			err = g->next[i].fd == g->wake_fd
				      ? 0
				      : net_fd_add(&g->next_watch[i], g->s, g->next[i].fd, events,
						   on_fd, g);
		}
		if (err)
			log_error(NULL, "epoll refuses a descriptor: %s", strerror(-err));
	}
	while (old < g->n)
		net_fd_remove(&g->watch[old++]);
	memcpy(g->watch, g->next_watch, (size_t)n * sizeof(struct net_fd *));
	g->n = n;
}

/* What is patient is so in its timers as well: consent checks of a thousand agents
 * would be hundreds of wake-ups a second. */
static void start_timer(struct gpoll *g, int64_t after_ns) ON_THREAD(ROLE_NET)
{
	int64_t due = clock_now_ns(&clock_monotonic) + after_ns;

	net_timer_start(&g->timer, g->patient ? shard_patient_ns(g->s, due) : due, 0);
}

/* libnice rounds the rest of a millisecond down to a timeout of 0 and would spin
 * through it at each consent check: a tenth of a millisecond per agent and
 * second, more than a viewer's media costs. */
static void run_again(struct gpoll *g) ON_THREAD(ROLE_NET)
{
	if (g->spins++ < MAX_SPINS)
		set_ready(g);
	else
		start_timer(g, NS_PER_MS);
}

static void prepare_next(struct gpoll *g) ON_THREAD(ROLE_NET)
{
	gint prio, timeout = -1, n;
	bool now = g_main_context_prepare(g->ctx, &prio);

	/* All priorities, so that the set does not change with what is ready. */
	n = g_main_context_query(g->ctx, G_MAXINT, &timeout, g->next, g->cap);
	if (n > g->cap) {
		if (grow(g, n))
			return;
		n = g_main_context_query(g->ctx, G_MAXINT, &timeout, g->next, g->cap);
	}
	if (g->touched || !same_fds(g, n)) {
		adopt_fds(g, n);
		memcpy(g->fds, g->next, (size_t)n * sizeof *g->fds);
		set_urgencies(g);
	}
	g->touched = false;
	for (gint i = 0; i < n; i++)
		g->fds[i].revents = 0;
	if (now || timeout == 0)
		run_again(g);
	else if (timeout > 0)
		start_timer(g, timeout * NS_PER_MS);
	else
		net_timer_stop(&g->timer);
	if (!now && timeout != 0)
		g->spins = 0;
}

static void destroy(struct gpoll *g) ON_THREAD(ROLE_NET)
{
	timers_remove(&g->timer);
	g_main_context_release(g->ctx);
	g_main_context_unref(g->ctx);
	free(g->fds);
	free(g->watch);
	free(g->next);
	free(g->next_watch);
	free(g);
}

/* The end of a turn. */
static void iterate(void *obj)
{
	struct gpoll *g = obj;
	bool ready = g->ready;

	role_assert_net();
	if (g->dead) {
		destroy(g);
		return;
	}
	g->ready = false;
	if (ready && g_main_context_check(g->ctx, G_MAXINT, g->fds, g->n))
		g_main_context_dispatch(g->ctx);
	if (!g->dead) /* else it waits in the queue again */
		prepare_next(g);
}

/* The only descriptor of a context that has no sources yet. */
static int wake_fd_of(GMainContext *ctx)
{
	gint prio, timeout;
	GPollFD fd = { .fd = -1 };

	g_main_context_prepare(ctx, &prio);
	return g_main_context_query(ctx, G_MAXINT, &timeout, &fd, 1) == 1 ? fd.fd : -1;
}

int gpoll_new(struct gpoll **out, struct net_shard *s)
{
	struct gpoll *g = calloc(1, sizeof *g);
	int err;

	if (!g)
		return -ENOMEM;
	g->s = s;
	g->work = (struct shard_work){ .fn = iterate, .obj = g };
	err = grow(g, 0);
	if (!err)
		err = timers_add(shard_timers(s), &g->timer, on_timer, g);
	if (err) {
		free(g->fds);
		free(g->watch);
		free(g->next);
		free(g->next_watch);
		free(g);
		return err;
	}
	g->ctx = g_main_context_new();
	g_main_context_acquire(g->ctx);
	g->read_fd = -1;
	g->wake_fd = wake_fd_of(g->ctx);
	gpoll_touch(g);
	*out = g;
	return 0;
}

/* The watches go at once, before their descriptors are closed: a number that is
 * used again by then must not lose its new watch. */
void gpoll_free(struct gpoll **g)
{
	struct gpoll *d = *g;

	if (!d)
		return;
	for (gint i = 0; i < d->n; i++)
		net_fd_remove(&d->watch[i]);
	d->n = 0;
	d->read_fd = -1;
	d->dead = true;
	net_timer_stop(&d->timer);
	shard_work_post(d->s, &d->work);
	*g = NULL;
}

void gpoll_set_reader(struct gpoll *g, int fd, bool patient, gpoll_reader *fn, void *obj)
{
	g->read_fd = fd;
	g->patient = patient;
	g->reader = fn;
	g->reader_obj = obj;
	set_urgencies(g);
}

GMainContext *gpoll_context(struct gpoll *g)
{
	return g->ctx;
}

void gpoll_touch(struct gpoll *g)
{
	g->touched = true;
	shard_work_post(g->s, &g->work);
}
