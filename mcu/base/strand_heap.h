/* Intrusive binary min-heap of the worker pool: which strand is next. Equal
 * keys leave in the order they came. Internal to workers.c, under its lock. */
#ifndef MCU_BASE_STRAND_HEAP_H
#define MCU_BASE_STRAND_HEAP_H

#include <stddef.h>
#include <stdint.h>

struct strand_heap;

struct strand_node {
	int64_t key;
	uint64_t order;
	struct strand_heap *in; /* NULL: in none */
	size_t at;
};

struct strand_heap {
	struct strand_node **nodes;
	size_t count, cap;
	uint64_t order;
};

/* 0 or -ENOMEM; after it n nodes fit without allocation. */
int strand_heap_reserve(struct strand_heap *h, size_t n);
void strand_heap_free(struct strand_heap *h);
void strand_heap_put(struct strand_heap *h, struct strand_node *n, int64_t key);
struct strand_node *strand_heap_first(const struct strand_heap *h); /* NULL: empty */
/* Out of the heap it is in, if any. */
void strand_heap_take(struct strand_node *n);

#endif
