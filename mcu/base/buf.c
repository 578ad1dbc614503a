#include "mcu/base/buf.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mcu/base/metrics.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#define POISON(p, n)   ASAN_POISON_MEMORY_REGION(p, n)
#define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION(p, n)
#else
#define POISON(p, n)   ((void)(p), (void)(n))
#define UNPOISON(p, n) ((void)(p), (void)(n))
#endif

METRIC_COUNTER(empty_total, "mcu_buf_pool_empty_total", "Buffers refused by a dry pool.");

/* Slabs beyond POPULATE_MAX are left to page faults: their buffers are rarely filled. */
enum { ALIGN = 64, NONE = 0, POPULATE_MAX = 1 << 20 };

/* The whole of the cap is one lazily backed mapping: a page costs nothing until
 * the first buffer on it is used, so that generous caps are free. Buffers are
 * numbered from 1; the free list is a stack of numbers whose head carries a
 * count of changes in its upper half, so that a head that was popped and pushed
 * back meanwhile is not mistaken for the same one (ABA). Numbers above `fresh`
 * have never been used. */
struct buf_pool {
	/* what changes with every buffer: one line to be had from another core */
	_Alignas(ALIGN) _Atomic uint64_t free_head;
	_Atomic size_t in_use;
	_Alignas(ALIGN) _Atomic uint32_t fresh;
	_Atomic uint64_t empty;
	const char *name;
	size_t buf_bytes, stride, slab_bufs;
	uint32_t max;
	struct buf *bufs;       /* [max] */
	_Atomic uint32_t *next; /* [max]: of the free list */
	uint8_t *store;         /* max * stride */
	size_t bufs_bytes, next_bytes, store_bytes;
};

static void *map_lazily(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static void unmap_all(struct buf_pool *p)
{
	if (p->bufs)
		munmap(p->bufs, p->bufs_bytes);
	if (p->next)
		munmap(p->next, p->next_bytes);
	if (p->store) {
		UNPOISON(p->store, p->fresh * p->stride);
		munmap(p->store, p->store_bytes);
	}
	free(p);
}

int buf_pool_new(struct buf_pool **out, const char *name, size_t buf_bytes, size_t max_bufs,
		 size_t slab_bufs)
{
	struct buf_pool *p;
	/* one line more than asked for: poisoned, it catches overruns under asan */
	size_t stride = (buf_bytes + ALIGN - 1) / ALIGN * ALIGN + ALIGN;

	if (!buf_bytes || !max_bufs || !slab_bufs || max_bufs >= UINT32_MAX ||
	    buf_bytes > SIZE_MAX / 4 / max_bufs)
		return -EINVAL;
	p = aligned_alloc(ALIGN, sizeof(*p));
	if (!p)
		return -ENOMEM;
	*p = (struct buf_pool){ .name = name, .buf_bytes = buf_bytes, .stride = stride,
				.slab_bufs = slab_bufs, .max = (uint32_t)max_bufs };
	p->bufs_bytes = max_bufs * sizeof(*p->bufs);
	p->next_bytes = max_bufs * sizeof(*p->next);
	p->store_bytes = max_bufs * stride;
	p->bufs = map_lazily(p->bufs_bytes);
	p->next = map_lazily(p->next_bytes);
	p->store = map_lazily(p->store_bytes);
	if (!p->bufs || !p->next || !p->store) {
		unmap_all(p);
		return -ENOMEM;
	}
	*out = p;
	return 0;
}

void buf_pool_free(struct buf_pool **pool)
{
	struct buf_pool *p = *pool;

	if (!p)
		return;
	if (buf_pool_in_use(p) != 0) {
		fprintf(stderr, "buf pool %s: freed while %zu buffers are still held\n", p->name,
			buf_pool_in_use(p));
		abort();
	}
	unmap_all(p);
	*pool = NULL;
}

size_t buf_pool_in_use(const struct buf_pool *p)
{
	return atomic_load_explicit(&p->in_use, memory_order_acquire);
}

uint64_t buf_pool_empty_count(const struct buf_pool *p)
{
	return atomic_load_explicit(&p->empty, memory_order_relaxed);
}

/* The next one to be taken was last written by another core, often: until it is, it can come
 * over here. */
static void fetch_next(const struct buf_pool *p, uint32_t id)
{
	enum { OCTETS = 5 * ALIGN }; /* of a packet of sound */
	const char *store;

	if (id == NONE)
		return;
	store = (const char *)p->store + (id - 1) * p->stride;
	__builtin_prefetch(&p->bufs[id - 1], 1);
	for (size_t at = 0; at < OCTETS && at < p->buf_bytes; at += ALIGN)
		__builtin_prefetch(store + at, 1);
}

static uint32_t pop_free(struct buf_pool *p)
{
	uint64_t head = atomic_load_explicit(&p->free_head, memory_order_acquire), want;
	uint32_t id;

	do {
		id = (uint32_t)head;
		if (id == NONE)
			return NONE;
		uint32_t next = atomic_load_explicit(&p->next[id - 1], memory_order_relaxed);

		want = ((head >> 32) + 1) << 32 | next;
	} while (!atomic_compare_exchange_weak_explicit(&p->free_head, &head, want,
							memory_order_acq_rel,
							memory_order_acquire));
	fetch_next(p, (uint32_t)want);
	return id;
}

static void push_free(struct buf_pool *p, uint32_t id)
{
	uint64_t head = atomic_load_explicit(&p->free_head, memory_order_relaxed), want;

	do {
		atomic_store_explicit(&p->next[id - 1], (uint32_t)head, memory_order_relaxed);
		want = ((head >> 32) + 1) << 32 | id;
	} while (!atomic_compare_exchange_weak_explicit(&p->free_head, &head, want,
							memory_order_acq_rel,
							memory_order_relaxed));
}

/* Backs a slab with memory in one call instead of one page fault per page. */
static void populate_slab(struct buf_pool *p, uint32_t first)
{
#ifdef MADV_POPULATE_WRITE
	size_t n = p->max - first < p->slab_bufs ? p->max - first : p->slab_bufs;
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE) - 1;
	uintptr_t from = ((uintptr_t)p->store + first * p->stride) & ~page;
	uintptr_t to = ((uintptr_t)p->store + (first + n) * p->stride) & ~page;

	/* older kernels say EINVAL: then it is page by page */
	if (to > from && to - from <= POPULATE_MAX)
		(void)madvise((void *)from, to - from, MADV_POPULATE_WRITE);
#else
	(void)p, (void)first;
#endif
}

static uint32_t take_fresh(struct buf_pool *p)
{
	uint32_t n = atomic_load_explicit(&p->fresh, memory_order_relaxed);

	do {
		if (n >= p->max)
			return NONE;
	} while (!atomic_compare_exchange_weak_explicit(&p->fresh, &n, n + 1, memory_order_relaxed,
							memory_order_relaxed));
	if (n % p->slab_bufs == 0)
		populate_slab(p, n);
	struct buf *b = &p->bufs[n];

	b->store = p->store + n * p->stride;
	b->cap = p->buf_bytes;
	b->index = n;
	b->pool = p;
	POISON(b->store, p->stride);
	return n + 1;
}

struct buf *buf_get(struct buf_pool *p)
{
	uint32_t id = pop_free(p);
	struct buf *b;

	if (id == NONE)
		id = take_fresh(p);
	if (id == NONE) {
		atomic_fetch_add_explicit(&p->empty, 1, memory_order_relaxed);
		metric_add(&empty_total, 1);
		return NULL;
	}
	atomic_fetch_add_explicit(&p->in_use, 1, memory_order_relaxed);
	b = &p->bufs[id - 1];
	UNPOISON(b->store, b->cap);
	b->data = b->store;
	b->len = 0;
	b->time_ns = 0;
	b->tag = 0;
	atomic_store_explicit(&b->refs, 1, memory_order_relaxed);
	return b;
}

struct buf *buf_ref(struct buf *b)
{
	atomic_fetch_add_explicit(&b->refs, 1, memory_order_relaxed);
	return b;
}

void buf_unref(struct buf **bp)
{
	struct buf *b = *bp;

	if (!b)
		return;
	*bp = NULL;
	/* the only one needs not count down: nobody else can take a reference */
	if (atomic_load_explicit(&b->refs, memory_order_acquire) != 1 &&
	    atomic_fetch_sub_explicit(&b->refs, 1, memory_order_acq_rel) != 1)
		return;
	struct buf_pool *p = b->pool;

	POISON(b->store, b->cap);
	push_free(p, b->index + 1);
	atomic_fetch_sub_explicit(&p->in_use, 1, memory_order_release);
}
