#include "mcu/base/mbox.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "mcu/base/metrics.h"

METRIC_COUNTER(refused_total, "mcu_mbox_refused_total", "Messages refused by a full mailbox.");

enum { MBOX_MAX = 1 << 20, LINE = 64 };

/* Bounded array queue after Vyukov: seq == position: free for the producer that
 * claims this position; seq == position + 1: holds its message. */
struct cell {
	_Atomic size_t seq;
	mbox_fn *fn;
	void *obj, *arg;
};

struct mbox {
	_Alignas(LINE) _Atomic size_t tail; /* producers */
	_Alignas(LINE) size_t head;         /* consumer */
	/* 0: the consumer may sleep, whoever posts must write the eventfd;
	 * 1: it runs, or has been told */
	_Alignas(LINE) _Atomic int awake;
	_Atomic uint64_t refused;
	size_t mask;
	int fd;
	struct cell cells[];
};

int mbox_new(struct mbox **out, size_t capacity)
{
	struct mbox *m;
	size_t cap = 2, bytes;

	if (capacity == 0 || capacity > MBOX_MAX)
		return -EINVAL;
	while (cap < capacity)
		cap *= 2;
	bytes = sizeof(*m) + cap * sizeof(*m->cells);
	m = aligned_alloc(LINE, (bytes + LINE - 1) / LINE * LINE);
	if (!m)
		return -ENOMEM;
	m->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (m->fd < 0) {
		free(m);
		return -errno;
	}
	atomic_init(&m->tail, 0);
	atomic_init(&m->awake, 0);
	atomic_init(&m->refused, 0);
	m->head = 0;
	m->mask = cap - 1;
	for (size_t i = 0; i < cap; i++)
		atomic_init(&m->cells[i].seq, i);
	*out = m;
	return 0;
}

static void signal_fd(struct mbox *m)
{
	uint64_t one = 1;
	/* -EAGAIN only after 2^64 - 2 of them, and then it is readable anyway */
	ssize_t n = write(m->fd, &one, sizeof(one));

	(void)n;
}

static int refuse(struct mbox *m)
{
	atomic_fetch_add_explicit(&m->refused, 1, memory_order_relaxed);
	metric_add(&refused_total, 1);
	return -EAGAIN;
}

int mbox_put(struct mbox *m, mbox_fn *fn, void *obj, void *arg)
{
	size_t pos = atomic_load_explicit(&m->tail, memory_order_relaxed);
	struct cell *c;

	for (;;) {
		c = &m->cells[pos & m->mask];
		size_t seq = atomic_load_explicit(&c->seq, memory_order_acquire);
		intptr_t ahead = (intptr_t)(seq - pos);

		if (ahead < 0)
			return refuse(m);
		if (ahead > 0)
			pos = atomic_load_explicit(&m->tail, memory_order_relaxed);
		else if (atomic_compare_exchange_weak_explicit(&m->tail, &pos, pos + 1,
							       memory_order_relaxed,
							       memory_order_relaxed))
			break;
	}
	c->fn = fn;
	c->obj = obj;
	c->arg = arg;
	/* Sequentially consistent against the consumer's "awake = 0, then look":
	 * either it sees this message or whoever wakes it sees that it may sleep. */
	atomic_store(&c->seq, pos + 1);
	return 0;
}

void mbox_wake(struct mbox *m)
{
	if (atomic_load(&m->awake) == 0 && atomic_exchange(&m->awake, 1) == 0)
		signal_fd(m);
}

int mbox_post(struct mbox *m, mbox_fn *fn, void *obj, void *arg)
{
	int err = mbox_put(m, fn, obj, arg);

	if (!err)
		mbox_wake(m);
	return err;
}

int mbox_fd(const struct mbox *m)
{
	return m->fd;
}

static bool has_message(const struct mbox *m)
{
	return atomic_load(&m->cells[m->head & m->mask].seq) == m->head + 1;
}

static void run_one(struct mbox *m)
{
	struct cell *c = &m->cells[m->head & m->mask];
	mbox_fn *fn = c->fn;
	void *obj = c->obj, *arg = c->arg;

	atomic_store_explicit(&c->seq, m->head + m->mask + 1, memory_order_release);
	m->head++;
	fn(obj, arg);
}

size_t mbox_run(struct mbox *m)
{
	uint64_t count;
	ssize_t got = read(m->fd, &count, sizeof(count));
	size_t n = 0;

	(void)got;
	atomic_store(&m->awake, 1);
	for (;;) {
		for (; has_message(m); n++) {
			if (n > m->mask) {
				signal_fd(m); /* the rest in the loop's next round */
				return n;
			}
			run_one(m);
		}
		atomic_store(&m->awake, 0);
		if (!has_message(m) || atomic_exchange(&m->awake, 1) == 1)
			return n;
	}
}

bool mbox_waiting(const struct mbox *m)
{
	return has_message(m);
}

void mbox_free(struct mbox **m)
{
	if (!*m)
		return;
	while (mbox_run(*m) > 0)
		;
	close((*m)->fd);
	free(*m);
	*m = NULL;
}

uint64_t mbox_refused_count(const struct mbox *m)
{
	return atomic_load_explicit(&m->refused, memory_order_relaxed);
}
