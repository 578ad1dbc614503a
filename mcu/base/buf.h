/* Pooled, reference-counted byte buffers: the only objects that are counted.
 *
 * A buffer with one reference may be written by its holder; with more it is
 * const for everybody. buf_get and buf_unref are lock-free and never allocate,
 * so that they may be used per packet; a pool that has run dry returns NULL and
 * counts (the caller drops, and counts what it dropped). Any thread. */
#ifndef MCU_BASE_BUF_H
#define MCU_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf_pool;

struct buf {
	uint8_t *data;    /* first octet in use; may be moved inside the store */
	size_t len;       /* octets in use */
	uint8_t *store;   /* cap octets, 64-byte aligned */
	size_t cap;
	int64_t time_ns;  /* what the stage that fills it says: arrival, capture … */
	uint32_t tag;     /* free for the stage that fills it */
	/* private */
	_Atomic uint32_t refs;
	uint32_t index;
	struct buf_pool *pool;
};

/* A pool of at most max_bufs buffers of buf_bytes octets each, taken from the
 * system in slabs of slab_bufs when first needed (buf_get then allocates; the
 * steady state does not). name: for metrics and messages, borrowed for ever. */
int buf_pool_new(struct buf_pool **out, const char *name, size_t buf_bytes, size_t max_bufs,
		 size_t slab_bufs);
/* All buffers must have been returned; otherwise it aborts with their number. */
void buf_pool_free(struct buf_pool **p);
size_t buf_pool_in_use(const struct buf_pool *p);
uint64_t buf_pool_empty_count(const struct buf_pool *p); /* times buf_get returned NULL */

/* One reference, len 0, data = store; NULL when the pool is dry. */
struct buf *buf_get(struct buf_pool *p);
struct buf *buf_ref(struct buf *b);
/* Drops the caller's reference and NULLs its pointer; NULL is fine. */
void buf_unref(struct buf **b);
static inline bool buf_writable(const struct buf *b)
{
	return b->refs == 1;
}

#endif
