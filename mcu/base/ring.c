#include "mcu/base/ring.h"

#include <errno.h>
#include <stdatomic.h>

#include "mcu/base/hot.h"

enum { RING_MAX = 65536, LINE = 64 };

/* Each side has a line of its own with all that it needs: a copy of the other's index, so
 * that the shared line is read only when the ring looks full or empty, and of the mask.
 * Indices run free and wrap. */
struct ring {
	_Alignas(LINE) _Atomic size_t head; /* next to pop; written by the consumer */
	size_t tail_seen, pop_mask;
	_Alignas(LINE) _Atomic size_t tail; /* next to push; written by the producer */
	size_t head_seen, push_mask;
	_Alignas(LINE) void *slots[];
};

static size_t bytes_of(size_t slots)
{
	return sizeof(struct ring) + slots * sizeof(void *);
}

int ring_new(struct ring **out, size_t capacity)
{
	struct ring *r;
	size_t cap = 2;

	if (capacity == 0 || capacity > RING_MAX)
		return -EINVAL;
	while (cap < capacity)
		cap *= 2;
	r = hot_calloc(bytes_of(cap));
	if (!r)
		return -ENOMEM;
	atomic_init(&r->head, 0);
	atomic_init(&r->tail, 0);
	r->tail_seen = r->head_seen = 0;
	r->pop_mask = r->push_mask = cap - 1;
	*out = r;
	return 0;
}

void ring_free(struct ring **r)
{
	if (*r)
		hot_free(*r, bytes_of((*r)->pop_mask + 1));
	*r = NULL;
}

bool ring_push(struct ring *r, void *p)
{
	size_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);

	if (tail - r->head_seen > r->push_mask) {
		r->head_seen = atomic_load_explicit(&r->head, memory_order_acquire);
		if (tail - r->head_seen > r->push_mask)
			return false;
	}
	r->slots[tail & r->push_mask] = p;
	atomic_store_explicit(&r->tail, tail + 1, memory_order_release);
	return true;
}

void *ring_peek(struct ring *r)
{
	size_t head = atomic_load_explicit(&r->head, memory_order_relaxed);

	if (head == r->tail_seen) {
		r->tail_seen = atomic_load_explicit(&r->tail, memory_order_acquire);
		if (head == r->tail_seen)
			return NULL;
	}
	return r->slots[head & r->pop_mask];
}

void *ring_pop(struct ring *r)
{
	void *p = ring_peek(r);

	if (p) {
		size_t head = atomic_load_explicit(&r->head, memory_order_relaxed);

		atomic_store_explicit(&r->head, head + 1, memory_order_release);
	}
	return p;
}

void ring_prefetch(const struct ring *r)
{
	__builtin_prefetch((const char *)&r->head);
	__builtin_prefetch((const char *)&r->tail);
}

size_t ring_count(const struct ring *r)
{
	/* head first: it may only grow meanwhile, so the difference is never negative */
	size_t head = atomic_load_explicit(&r->head, memory_order_acquire);
	size_t n = atomic_load_explicit(&r->tail, memory_order_acquire) - head;

	return n > r->pop_mask + 1 ? r->pop_mask + 1 : n;
}
