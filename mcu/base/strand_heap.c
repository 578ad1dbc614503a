#include "mcu/base/strand_heap.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

int strand_heap_reserve(struct strand_heap *h, size_t n)
{
	size_t cap = h->cap ? h->cap : 16;
	struct strand_node **nodes;

	while (cap < n)
		cap *= 2;
	if (cap == h->cap)
		return 0;
	nodes = realloc(h->nodes, cap * sizeof(*nodes));
	if (!nodes)
		return -ENOMEM;
	h->nodes = nodes;
	h->cap = cap;
	return 0;
}

void strand_heap_free(struct strand_heap *h)
{
	free(h->nodes);
	*h = (struct strand_heap){ 0 };
}

static bool before(const struct strand_node *a, const struct strand_node *b)
{
	return a->key != b->key ? a->key < b->key : a->order < b->order;
}

static void set(struct strand_heap *h, size_t at, struct strand_node *n)
{
	h->nodes[at] = n;
	n->at = at;
}

static void sift_up(struct strand_heap *h, size_t at, struct strand_node *n)
{
	while (at > 0 && before(n, h->nodes[(at - 1) / 2])) {
		set(h, at, h->nodes[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	set(h, at, n);
}

static void sift_down(struct strand_heap *h, size_t at, struct strand_node *n)
{
	for (;;) {
		size_t child = 2 * at + 1;

		if (child + 1 < h->count && before(h->nodes[child + 1], h->nodes[child]))
			child++;
		if (child >= h->count || !before(h->nodes[child], n))
			break;
		set(h, at, h->nodes[child]);
		at = child;
	}
	set(h, at, n);
}

void strand_heap_put(struct strand_heap *h, struct strand_node *n, int64_t key)
{
	assert(!n->in && h->count < h->cap);
	n->key = key;
	n->order = h->order++;
	n->in = h;
	sift_up(h, h->count++, n);
}

struct strand_node *strand_heap_first(const struct strand_heap *h)
{
	return h->count ? h->nodes[0] : NULL;
}

void strand_heap_take(struct strand_node *n)
{
	struct strand_heap *h = n->in;
	struct strand_node *last;

	if (!h)
		return;
	n->in = NULL;
	last = h->nodes[--h->count];
	if (last == n)
		return;
	if (n->at > 0 && before(last, h->nodes[(n->at - 1) / 2]))
		sift_up(h, n->at, last);
	else
		sift_down(h, n->at, last);
}
