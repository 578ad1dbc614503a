#include "storage/feed.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { LINE = 64, ALIGN = 16 };

#define WRAP UINT32_MAX /* len of a record that fills the rest of the ring */

struct record {
	uint32_t len, key; /* key: the tag twice, and whether it is one */
	int64_t pts_ns;
};

/* head and tail count octets for ever; their difference is what is in use. */
struct feed {
	_Alignas(LINE) _Atomic size_t tail; /* producer */
	_Alignas(LINE) _Atomic size_t head; /* consumer */
	size_t cap, peeked;
	_Alignas(LINE) uint8_t store[];
};

int feed_new(struct feed **out, size_t capacity)
{
	struct feed *f;

	if (capacity < 4096 || capacity > 1U << 30 || (capacity & (capacity - 1)))
		return -EINVAL;
	f = aligned_alloc(LINE, sizeof(*f) + capacity);
	if (!f)
		return -ENOMEM;
	atomic_init(&f->tail, 0);
	atomic_init(&f->head, 0);
	f->cap = capacity;
	f->peeked = 0;
	*out = f;
	return 0;
}

void feed_free(struct feed **f)
{
	free(*f);
	*f = NULL;
}

static size_t record_size(size_t len)
{
	return (sizeof(struct record) + len + ALIGN - 1) / ALIGN * ALIGN;
}

bool feed_push(struct feed *f, const uint8_t *data, size_t len, int64_t pts_ns, bool key)
{
	return feed_push_tagged(f, data, len, pts_ns, key, 0);
}

bool feed_push_tagged(struct feed *f, const uint8_t *data, size_t len, int64_t pts_ns, bool key,
		      uint32_t tag)
{
	size_t tail = atomic_load_explicit(&f->tail, memory_order_relaxed);
	size_t used = tail - atomic_load_explicit(&f->head, memory_order_acquire);
	size_t at = tail & (f->cap - 1), skip = 0, need = record_size(len);

	if (len > f->cap / 2)
		return false;
	if (f->cap - at < need)
		skip = f->cap - at;
	if (f->cap - used < skip + need)
		return false;
	if (skip) {
		memcpy(f->store + at, &(struct record){ .len = WRAP }, sizeof(struct record));
		at = 0;
	}
	struct record r = { .len = (uint32_t)len, .key = tag << 1 | key, .pts_ns = pts_ns };

	memcpy(f->store + at, &r, sizeof(r));
	if (len)
		memcpy(f->store + at + sizeof(r), data, len);
	atomic_store_explicit(&f->tail, tail + skip + need, memory_order_release);
	return true;
}

bool feed_peek(struct feed *f, struct feed_packet *out)
{
	size_t head = atomic_load_explicit(&f->head, memory_order_relaxed);
	size_t tail = atomic_load_explicit(&f->tail, memory_order_acquire);
	size_t at = head & (f->cap - 1), skip = 0;
	struct record r;

	if (head == tail)
		return false;
	memcpy(&r, f->store + at, sizeof(r));
	if (r.len == WRAP) {
		skip = f->cap - at;
		at = 0;
		memcpy(&r, f->store, sizeof(r));
	}
	*out = (struct feed_packet){ f->store + at + sizeof(r), r.len, r.pts_ns, r.key & 1, r.key >> 1 };
	f->peeked = skip + record_size(r.len);
	return true;
}

void feed_pop(struct feed *f)
{
	atomic_fetch_add_explicit(&f->head, f->peeked, memory_order_release);
	f->peeked = 0;
}

size_t feed_used(const struct feed *f)
{
	return atomic_load_explicit(&f->tail, memory_order_acquire) -
	       atomic_load_explicit(&f->head, memory_order_relaxed);
}
