#include "mcu/net/shard.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "mcu/base/clock.h"
#include "mcu/base/hot.h"
#include "mcu/base/log.h"
#include "mcu/base/metrics.h"
#include "mcu/base/thread.h"
#include "mcu/net/shard_loop.h"
#include "mcu/net/udp_post.h"
#include "mcu/net/udp_recv.h"
#include "mcu/net/udp_send.h"

enum {
	EVENTS = 256, /* descriptors handled in a turn */
	MBOX_DEFAULT = 8192,
	PACKETS_DEFAULT = 16384,
	PATIENCE_DEFAULT_US = 20000,
	SLAB_PACKETS = 256,
};

METRIC_COUNTER(m_turns, "mcu_net_wakeups_total", "Times a network shard woke up");

enum urgency { PROMPT, PATIENT, URGENCIES };

struct net_fd {
	struct net_shard *s;
	enum urgency urgency;
	uint32_t events;
	net_fd_fn *fn; /* NULL: removed */
	void *obj;
	net_fd_prefetch_fn *prefetch; /* may be NULL */
	int fd;
	bool may_be_steady, steady, relaxed;
	bool odd;	   /* steady: which of the reads is its, when it is relaxed */
	uint8_t ready;	   /* reads in a row at which it was */
	uint8_t idle;	   /* steady: likewise at which it was not */
	uint64_t read_no;  /* of the last */
	size_t at;	   /* steady: in the shard's list */
	struct net_fd *next_dead;
};

struct net_shard {
	unsigned index;
	int epfd[URGENCIES];
	struct mbox *mbox;
	_Atomic(struct net_letter *) letters; /* that found the mailbox full */
	struct buf_pool *packets;
	pthread_t thread;
	bool started;
	int64_t hold_ns[URGENCIES];
	atomic_bool stop;
	atomic_size_t n_fds;
	/* below: the thread's */
	int64_t now_ns;
	int64_t read_ns[URGENCIES]; /* when they were last read */
	bool hold[URGENCIES];
	uint64_t read_no; /* of patient ones */
	struct net_fd **steady;
	size_t n_steady, cap_steady;
	struct net_timers timers;
	struct udp_sender *sender;
	struct udp_post *post;
	struct udp_receiver *receiver;
	struct sctp_shard *sctp;
	struct shard_work *work, **work_end;
	struct net_fd *dead;
	struct epoll_event events[EVENTS];
};

/* When descriptors that are held back are read next. In step with the audio ticks,
 * which are due at multiples of their period too: what has come is there when they
 * start. */
static int64_t read_due_ns(const struct net_shard *s, int u)
{
	int64_t lead = NET_READ_LEAD_US * 1000, hold = s->hold_ns[u];

	return hold ? (s->read_ns[u] + lead) / hold * hold + hold - lead : s->read_ns[u];
}

int64_t shard_patient_ns(const struct net_shard *s, int64_t at_ns)
{
	int64_t lead = NET_READ_LEAD_US * 1000, hold = s->hold_ns[PATIENT];

	return (at_ns + lead + hold - 1) / hold * hold - lead;
}

/* Sleeps until something is ready or due; tells what. Descriptors that are held
 * back are left out, and looked at anew when their time has come. */
static void wait_ready(struct net_shard *s, bool *mail, bool sockets[URGENCIES])
{
	struct pollfd fds[1 + URGENCIES] = { { .fd = mbox_fd(s->mbox), .events = POLLIN } };
	int64_t now = clock_now_ns(&clock_monotonic), until = timers_next(&s->timers);
	int64_t patient_at = now;
	struct timespec ts;
	int n;

	if (s->work)
		until = now;
	for (int u = 0; u < URGENCIES; u++) {
		int64_t at = read_due_ns(s, u);
		bool held = s->hold[u] && now < at;

		fds[1 + u] = (struct pollfd){ .fd = held ? -1 : s->epfd[u], .events = POLLIN };
		if (u == PATIENT)
			patient_at = at;
		if ((held || (u == PATIENT && s->n_steady)) && at < until)
			until = at;
	}
	if (until < now)
		until = now;
	ts = (struct timespec){ .tv_sec = (until - now) / NS_PER_S,
				.tv_nsec = (until - now) % NS_PER_S };
	n = ppoll(fds, 1 + URGENCIES, until == INT64_MAX ? NULL : &ts, NULL);
	*mail = n > 0 && fds[0].revents;
	for (int u = 0; u < URGENCIES; u++)
		sockets[u] = n > 0 && fds[1 + u].revents;
	if (s->n_steady && clock_now_ns(&clock_monotonic) >= patient_at)
		sockets[PATIENT] = true;
}

/* Nothing changes without memory. */
static void make_steady(struct net_shard *s, struct net_fd *w)
{
	if (s->n_steady == s->cap_steady) {
		size_t cap = s->cap_steady ? 2 * s->cap_steady : 64;
		struct net_fd **more = realloc(s->steady, cap * sizeof *more);

		if (!more)
			return;
		s->steady = more;
		s->cap_steady = cap;
	}
	epoll_ctl(s->epfd[PATIENT], EPOLL_CTL_DEL, w->fd, NULL);
	w->steady = true;
	w->odd = s->n_steady & 1;
	w->idle = 0;
	w->at = s->n_steady;
	s->steady[s->n_steady++] = w;
}

/* The caller has it waited for, or not. */
static void end_steady(struct net_fd *w)
{
	struct net_shard *s = w->s;
	struct net_fd *last;

	if (!w->steady)
		return;
	last = s->steady[--s->n_steady];
	s->steady[w->at] = last;
	last->at = w->at;
	w->steady = false;
	w->ready = 0;
}

static void note_ready(struct net_shard *s, struct net_fd *w)
{
	w->ready = w->read_no + 1 == s->read_no ? (uint8_t)(w->ready + 1) : 1;
	w->read_no = s->read_no;
	if (w->may_be_steady && w->ready >= NET_FD_STEADY_AFTER)
		make_steady(s, w);
	else if (w->ready == UINT8_MAX)
		w->ready--;
}

/* k: how near it is to its turn. */
static void prefetch(const struct net_fd *w, int k)
{
	if (k && w->relaxed && w->odd != (w->s->read_no & 1))
		return;
	if (!k)
		__builtin_prefetch(w);
	else if (w->fn && w->prefetch)
		w->prefetch(w->obj, (unsigned)k - 1);
}

enum { PREFETCH_AHEAD = NET_FD_PREFETCH_STEPS + 1 };

/* From the last to the first: whoever leaves the list has its place taken by one that
 * was read. What those a little behind need is fetched meanwhile. */
static void read_steady(struct net_shard *s)
{
	for (size_t i = s->n_steady; i-- > 0;) {
		struct net_fd *w = i < s->n_steady ? s->steady[i] : NULL;
		uint8_t idle;

		for (size_t k = 0; k < PREFETCH_AHEAD; k++)
			if (i >= PREFETCH_AHEAD - k && i < s->n_steady)
				prefetch(s->steady[i - (PREFETCH_AHEAD - k)], (int)k);
		if (!w || !w->fn || (w->relaxed && w->odd != (s->read_no & 1)))
			continue;
		idle = w->idle;
		w->fn(w->obj, w->fd, 0);
		if (w->idle == idle)
			w->idle = 0;
	}
}

/* Prompt ones are held back only while that makes for fewer or fuller reads: while
 * something comes about as often as they are read. */
static void read_sockets(struct net_shard *s, enum urgency u)
{
	int n = epoll_wait(s->epfd[u], s->events, EVENTS, 0);

	if (u == PATIENT)
		s->hold[u] = true;
	else if (s->hold_ns[u])
		s->hold[u] = n > 1 || s->now_ns - s->read_ns[u] < 2 * s->hold_ns[u];
	s->read_ns[u] = s->now_ns;
	if (u == PATIENT) {
		s->read_no++;
		read_steady(s);
	}
	for (int i = 0; i < n; i++) {
		struct net_fd *w = s->events[i].data.ptr;

		for (int k = 0; k < PREFETCH_AHEAD; k++)
			if (i + PREFETCH_AHEAD - k < n)
				prefetch(s->events[i + PREFETCH_AHEAD - k].data.ptr, k);
		if (w->fn)
			w->fn(w->obj, w->fd, s->events[i].events);
		if (w->fn && u == PATIENT && w->urgency == PATIENT)
			note_ready(s, w);
	}
}

static void run_work(struct net_shard *s)
{
	struct shard_work *w = s->work, *next;

	s->work = NULL;
	s->work_end = &s->work;
	for (; w; w = next) {
		next = w->next;
		w->queued = false;
		w->fn(w->obj);
	}
}

static void free_dead(struct net_shard *s)
{
	struct net_fd *w;

	while ((w = s->dead)) {
		s->dead = w->next_dead;
		hot_free(w, sizeof *w);
	}
}

void net_shard_send(struct net_shard *s, struct net_letter *l)
{
	if (!mbox_post(s->mbox, l->fn, l->obj, NULL))
		return;
	l->next = atomic_load(&s->letters);
	while (!atomic_compare_exchange_weak(&s->letters, &l->next, l))
		;
	mbox_wake(s->mbox); /* it may have been emptied since */
}

/* Whether there were any. Those that still find no room are tried again with the next mail. */
static bool post_letters(struct net_shard *s) ON_THREAD(ROLE_NET)
{
	struct net_letter *l = atomic_exchange(&s->letters, NULL), *next;
	bool any = l;

	for (; l; l = next) {
		next = l->next;
		net_shard_send(s, l);
	}
	return any;
}

/* What is sent borrows from transports that the work may free. */
static void end_turn(struct net_shard *s) ON_THREAD(ROLE_NET)
{
	udp_post_send(s->post);
	run_work(s);
	udp_post_send(s->post);
	free_dead(s);
}

static void run_turn(struct net_shard *s) ON_THREAD(ROLE_NET)
{
	bool mail, sockets[URGENCIES];

	wait_ready(s, &mail, sockets);
	metric_add(&m_turns, 1);
	s->now_ns = clock_now_ns(&clock_monotonic);
	if (mail) {
		mbox_run(s->mbox);
		(void)post_letters(s);
		s->now_ns = clock_now_ns(&clock_monotonic);
	}
	for (int u = 0; u < URGENCIES; u++) {
		if (sockets[u])
			read_sockets(s, (enum urgency)u);
		udp_post_send(s->post);
	}
	timers_run(&s->timers, s->now_ns);
	end_turn(s);
}

static void *shard_main(void *arg)
{
	struct net_shard *s = arg;

	role_enter(ROLE_ID_NET);
	role_assert_net();
	while (!atomic_load_explicit(&s->stop, memory_order_acquire))
		run_turn(s);
	while (mbox_run(s->mbox) > 0 || s->work || post_letters(s))
		end_turn(s);
	assert(s->timers.alive == 0 && "a transport or timer outlives its shard");
	assert(atomic_load(&s->n_fds) == 0 && "a watched descriptor outlives its shard");
	return NULL;
}

static int open_epolls(struct net_shard *s)
{
	for (int u = 0; u < URGENCIES; u++) {
		s->epfd[u] = epoll_create1(EPOLL_CLOEXEC);
		if (s->epfd[u] < 0)
			return -errno;
	}
	return 0;
}

int net_shard_new(struct net_shard **out, unsigned index, const struct net_shard_cfg *cfg)
{
	struct net_shard_cfg c = cfg ? *cfg : (struct net_shard_cfg){ 0 };
	struct net_shard *s = calloc(1, sizeof *s);
	char name[16];
	int err;

	if (!s)
		return -ENOMEM;
	s->index = index;
	s->hold_ns[PROMPT] = (int64_t)c.rx_holdoff_us * 1000;
	s->hold_ns[PATIENT] =
		(int64_t)(c.rx_patience_us ? c.rx_patience_us : PATIENCE_DEFAULT_US) * 1000;
	s->work_end = &s->work;
	timers_init(&s->timers);
	for (int u = 0; u < URGENCIES; u++)
		s->epfd[u] = -1;
	err = open_epolls(s);
	if (!err)
		err = mbox_new(&s->mbox, c.mbox_capacity ? c.mbox_capacity : MBOX_DEFAULT);
	if (!err)
		err = buf_pool_new(&s->packets, "net_packets", NET_PACKET_BYTES,
				   c.max_packets ? c.max_packets : PACKETS_DEFAULT, SLAB_PACKETS);
	if (!err)
		err = udp_sender_new(&s->sender, !c.no_gso);
	if (!err)
		err = udp_receiver_new(&s->receiver, s);
	if (!err)
		err = udp_post_new(&s->post);
	if (err)
		goto out;
	snprintf(name, sizeof name, "net-%u", index % 1000);
	err = thread_start(&s->thread, name, 0, shard_main, s);
	s->started = !err;
out:
	if (err)
		net_shard_free(&s);
	else
		*out = s;
	return err;
}

static void request_stop(void *obj, void *arg)
{
	struct net_shard *s = obj;

	(void)arg;
	atomic_store_explicit(&s->stop, true, memory_order_release);
}

void net_shard_stop(struct net_shard *s)
{
	const struct timespec ms = { .tv_nsec = NS_PER_MS };

	if (!s->started)
		return;
	while (mbox_post(s->mbox, request_stop, s, NULL))
		nanosleep(&ms, NULL);
	pthread_join(s->thread, NULL);
	s->started = false;
}

void net_shard_free(struct net_shard **s)
{
	struct net_shard *d = *s;

	if (!d)
		return;
	net_shard_stop(d);
	if (d->mbox)
		mbox_free(&d->mbox);
	udp_sender_free(&d->sender);
	udp_receiver_free(&d->receiver);
	udp_post_free(&d->post);
	if (d->packets)
		buf_pool_free(&d->packets);
	timers_done(&d->timers);
	free(d->steady);
	for (int u = 0; u < URGENCIES; u++)
		if (d->epfd[u] >= 0)
			close(d->epfd[u]);
	free(d);
	*s = NULL;
}

struct mbox *net_shard_mbox(struct net_shard *s)
{
	return s->mbox;
}

unsigned net_shard_index(const struct net_shard *s)
{
	return s->index;
}

struct buf_pool *net_shard_packets(struct net_shard *s)
{
	return s->packets;
}

size_t net_shard_fds(const struct net_shard *s)
{
	return atomic_load_explicit(&s->n_fds, memory_order_relaxed);
}

int64_t net_shard_now_ns(const struct net_shard *s)
{
	return s->now_ns;
}

struct udp_sender *net_shard_sender(struct net_shard *s)
{
	return s->sender;
}

struct udp_post *shard_post(struct net_shard *s)
{
	return s->post;
}

struct udp_receiver *shard_receiver(struct net_shard *s)
{
	return s->receiver;
}

struct sctp_shard **shard_sctp(struct net_shard *s)
{
	return &s->sctp;
}

struct net_timers *shard_timers(struct net_shard *s)
{
	return &s->timers;
}

void shard_work_post(struct net_shard *s, struct shard_work *w)
{
	if (w->queued)
		return;
	w->queued = true;
	w->next = NULL;
	*s->work_end = w;
	s->work_end = &w->next;
}

void net_fd_set_prefetch(struct net_fd *w, net_fd_prefetch_fn *fn)
{
	w->prefetch = fn;
}

int net_fd_add(struct net_fd **out, struct net_shard *s, int fd, uint32_t epoll_events,
	       net_fd_fn *fn, void *obj)
{
	struct net_fd *w = hot_calloc(sizeof *w);
	int err;

	if (!w)
		return -ENOMEM;
	*w = (struct net_fd){ .s = s, .fn = fn, .obj = obj, .fd = fd };
	err = net_fd_modify(w, epoll_events);
	if (err) {
		hot_free(w, sizeof *w);
		return err;
	}
	atomic_fetch_add_explicit(&s->n_fds, 1, memory_order_relaxed);
	*out = w;
	return 0;
}

int net_fd_modify(struct net_fd *w, uint32_t epoll_events)
{
	struct epoll_event e = { .events = epoll_events, .data.ptr = w };
	int epfd = w->s->epfd[w->urgency];

	w->events = epoll_events;
	end_steady(w);
	if (!epoll_ctl(epfd, EPOLL_CTL_ADD, w->fd, &e))
		return 0;
	if (errno == EEXIST && !epoll_ctl(epfd, EPOLL_CTL_MOD, w->fd, &e))
		return 0;
	return -errno;
}

void net_fd_may_be_steady(struct net_fd *w)
{
	w->may_be_steady = true;
}

void net_fd_relax(struct net_fd *w, bool relaxed)
{
	w->relaxed = relaxed;
}

void net_fd_end_steady(struct net_fd *w)
{
	if (w->steady && net_fd_modify(w, w->events)) /* no memory */
		make_steady(w->s, w);
}

void net_fd_idle(struct net_fd *w)
{
	if (w->steady && ++w->idle >= NET_FD_STEADY_IDLE)
		net_fd_end_steady(w);
}

bool net_fd_is_steady(const struct net_fd *w)
{
	return w->steady;
}

int net_fd_set_patient(struct net_fd *w, bool patient)
{
	enum urgency u = patient ? PATIENT : PROMPT;

	if (w->urgency == u)
		return 0;
	end_steady(w);
	epoll_ctl(w->s->epfd[w->urgency], EPOLL_CTL_DEL, w->fd, NULL);
	w->urgency = u;
	return net_fd_modify(w, w->events);
}

/* The kernel may still have handed out an event for it in this turn, so the
 * memory waits. A descriptor that is closed already has left by itself. */
void net_fd_remove(struct net_fd **w)
{
	struct net_fd *d = *w;

	if (!d)
		return;
	end_steady(d);
	epoll_ctl(d->s->epfd[d->urgency], EPOLL_CTL_DEL, d->fd, NULL);
	atomic_fetch_sub_explicit(&d->s->n_fds, 1, memory_order_relaxed);
	d->fn = NULL;
	d->next_dead = d->s->dead;
	d->s->dead = d;
	*w = NULL;
}

size_t net_raise_nofile_limit(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r))
		return 0;
	if (r.rlim_cur < r.rlim_max) {
		struct rlimit want = { .rlim_cur = r.rlim_max, .rlim_max = r.rlim_max };

		if (setrlimit(RLIMIT_NOFILE, &want))
			log_warn(NULL, "could not raise the limit of open files from %llu to %llu",
				 (unsigned long long)r.rlim_cur, (unsigned long long)r.rlim_max);
		getrlimit(RLIMIT_NOFILE, &r);
	}
	return (size_t)r.rlim_cur;
}
