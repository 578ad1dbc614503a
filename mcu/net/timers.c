#include "mcu/net/timers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/net/shard_loop.h"

void timers_init(struct net_timers *h)
{
	memset(h, 0, sizeof *h);
}

void timers_done(struct net_timers *h)
{
	free(h->heap);
	memset(h, 0, sizeof *h);
}

static void place(struct net_timers *h, size_t at, struct net_timer *t)
{
	h->heap[at] = t;
	t->at = at;
}

static void sift_up(struct net_timers *h, size_t at, struct net_timer *t)
{
	while (at > 1 && h->heap[at / 2]->due_ns > t->due_ns) {
		place(h, at, h->heap[at / 2]);
		at /= 2;
	}
	place(h, at, t);
}

static void sift_down(struct net_timers *h, size_t at, struct net_timer *t)
{
	for (size_t child; (child = at * 2) <= h->n; at = child) {
		if (child < h->n && h->heap[child + 1]->due_ns < h->heap[child]->due_ns)
			child++;
		if (h->heap[child]->due_ns >= t->due_ns)
			break;
		place(h, at, h->heap[child]);
	}
	place(h, at, t);
}

int timers_add(struct net_timers *h, struct net_timer *t, net_timer_fn *fn, void *obj)
{
	if (h->alive + 2 > h->cap) {
		size_t cap = h->cap ? h->cap * 2 : 64;
		struct net_timer **heap = realloc(h->heap, cap * sizeof(struct net_timer *));

		if (!heap)
			return -ENOMEM;
		h->heap = heap;
		h->cap = cap;
	}
	h->alive++;
	*t = (struct net_timer){ .in = h, .fn = fn, .obj = obj };
	return 0;
}

void timers_remove(struct net_timer *t)
{
	net_timer_stop(t);
	t->in->alive--;
}

int net_timer_new(struct net_timer **out, struct net_shard *s, net_timer_fn *fn, void *obj)
{
	struct net_timer *t = malloc(sizeof *t);
	int err = t ? timers_add(shard_timers(s), t, fn, obj) : -ENOMEM;

	if (err)
		free(t);
	else
		*out = t;
	return err;
}

void net_timer_free(struct net_timer **t)
{
	if (!*t)
		return;
	timers_remove(*t);
	free(*t);
	*t = NULL;
}

void net_timer_stop(struct net_timer *t)
{
	struct net_timers *h = t->in;
	struct net_timer *last;
	size_t at = t->at;

	if (!at)
		return;
	t->at = 0;
	last = h->heap[h->n--];
	if (last == t)
		return;
	if (at > 1 && h->heap[at / 2]->due_ns > last->due_ns)
		sift_up(h, at, last);
	else
		sift_down(h, at, last);
}

void net_timer_start(struct net_timer *t, int64_t due_ns, int64_t period_ns)
{
	if (t->at && t->due_ns == due_ns) {
		t->period_ns = period_ns;
		return;
	}
	net_timer_stop(t);
	t->due_ns = due_ns;
	t->period_ns = period_ns;
	sift_up(t->in, ++t->in->n, t);
}

bool net_timer_running(const struct net_timer *t)
{
	return t->at != 0;
}

int64_t timers_next(const struct net_timers *h)
{
	return h->n ? h->heap[1]->due_ns : INT64_MAX;
}

/* A timer that starts itself again at or before now_ns waits for the next turn,
 * so that the mailbox and the sockets get theirs. */
size_t timers_run(struct net_timers *h, int64_t now_ns)
{
	size_t max = h->n, ran = 0;

	while (ran < max && timers_next(h) <= now_ns) {
		struct net_timer *t = h->heap[1];
		int64_t due = t->due_ns, next;

		net_timer_stop(t);
		if (t->period_ns > 0) {
			next = due + t->period_ns;
			if (next <= now_ns)
				next += (now_ns - next) / t->period_ns * t->period_ns +
					t->period_ns;
			net_timer_start(t, next, t->period_ns);
		}
		ran++;
		t->fn(t->obj, due);
	}
	return ran;
}
