#include "mcu/movie_ring.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* In front of each item, at multiples of 16; SKIP: the rest up to the end is unused. */
struct head {
	int64_t npt_ns;
	uint32_t len, turn;
	uint8_t track, flags;
	uint8_t unused[14];
};
enum { LEAD = 1, END = 2, SKIP = 4, UNIT = sizeof(struct head) };

struct movie_ring {
	_Atomic size_t head, tail; /* octets ever taken and put; at % MOVIE_RING_BYTES */
	uint8_t *store;
};

int movie_ring_new(struct movie_ring **out)
{
	struct movie_ring *r = calloc(1, sizeof *r);

	if (r)
		r->store = aligned_alloc(64, MOVIE_RING_BYTES);
	if (!r || !r->store) {
		free(r);
		return -ENOMEM;
	}
	*out = r;
	return 0;
}

void movie_ring_free(struct movie_ring **r)
{
	if (!*r)
		return;
	free((*r)->store);
	free(*r);
	*r = NULL;
}

static size_t octets_of(uint32_t len)
{
	return UNIT + (len + UNIT - 1) / UNIT * UNIT;
}

static struct head *at(const struct movie_ring *r, size_t pos)
{
	return (struct head *)(void *)(r->store + pos % MOVIE_RING_BYTES);
}

int movie_ring_push(struct movie_ring *r, const struct movie_item *item)
{
	size_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
	size_t used = tail - atomic_load_explicit(&r->head, memory_order_acquire);
	size_t need = octets_of(item->len), rest = MOVIE_RING_BYTES - tail % MOVIE_RING_BYTES;
	size_t skip = need > rest ? rest : 0;

	if (need > MOVIE_RING_BYTES / 2)
		return -EMSGSIZE;
	if (used + skip + need > MOVIE_RING_BYTES)
		return -EAGAIN;
	if (skip) {
		*at(r, tail) = (struct head){ .flags = SKIP };
		tail += skip;
	}
	*at(r, tail) = (struct head){
		.npt_ns = item->npt_ns, .len = item->len, .turn = item->turn, .track = item->track,
		.flags = (uint8_t)((item->lead ? LEAD : 0) | (item->end ? END : 0)),
	};
	if (item->len)
		memcpy(at(r, tail) + 1, item->data, item->len);
	atomic_store_explicit(&r->tail, tail + need, memory_order_release);
	return 0;
}

bool movie_ring_peek(struct movie_ring *r, struct movie_item *out)
{
	size_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
	const struct head *h;

	if (head == atomic_load_explicit(&r->tail, memory_order_acquire))
		return false;
	if (at(r, head)->flags & SKIP) { /* an item follows: both were put at once */
		head += MOVIE_RING_BYTES - head % MOVIE_RING_BYTES;
		atomic_store_explicit(&r->head, head, memory_order_release);
	}
	h = at(r, head);
	*out = (struct movie_item){
		.npt_ns = h->npt_ns, .len = h->len, .turn = h->turn, .track = h->track,
		.lead = h->flags & LEAD, .end = h->flags & END, .data = (const uint8_t *)(h + 1),
	};
	return true;
}

void movie_ring_pop(struct movie_ring *r)
{
	size_t head = atomic_load_explicit(&r->head, memory_order_relaxed);

	atomic_store_explicit(&r->head, head + octets_of(at(r, head)->len), memory_order_release);
}

size_t movie_ring_used(const struct movie_ring *r)
{
	size_t head = atomic_load_explicit(&r->head, memory_order_acquire);

	return atomic_load_explicit(&r->tail, memory_order_acquire) - head;
}
