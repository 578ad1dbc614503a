#include "mcu/rtp/batch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Below this much the second class of memory is not worth having. */
enum { SMALL_FROM_BYTES = 64 * 1024, SMALL_DIVISOR = 16, SLAB = 16, LINE = 64 };

/* A batch lives inside a buffer: the struct, the table of packets, the octets, so that a
 * small one takes few lines; and who is skipped, which most have no need of. */
struct rtp_batch_class {
	struct buf_pool *bufs;
	uint16_t max_packets;
	uint32_t max_bytes;
};

struct rtp_batch_pool {
	struct rtp_batch_class small, big; /* small.bufs NULL: one class only */
};

static size_t data_offset(uint16_t max_packets)
{
	size_t head = sizeof(struct rtp_batch) + max_packets * sizeof(struct rtp_batch_pkt);

	return (head + LINE - 1) / LINE * LINE;
}

static size_t skip_offset(const struct rtp_batch_class *c)
{
	return (data_offset(c->max_packets) + c->max_bytes + LINE - 1) / LINE * LINE;
}

static int class_init(struct rtp_batch_class *c, const char *name, uint16_t max_packets,
		      uint32_t max_bytes, size_t max_batches)
{
	c->max_packets = max_packets;
	c->max_bytes = max_bytes;
	return buf_pool_new(&c->bufs, name,
			    skip_offset(c) + RTP_BATCH_SKIP_MAX * sizeof(uint32_t), max_batches, SLAB);
}

int rtp_batch_pool_new(struct rtp_batch_pool **out, const char *name, uint16_t max_packets,
		       uint32_t max_bytes, size_t max_batches)
{
	struct rtp_batch_pool *p;
	int err;

	if (!max_packets || !max_bytes || !max_batches)
		return -EINVAL;
	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	err = class_init(&p->big, name, max_packets, max_bytes, max_batches);
	if (!err && max_bytes >= SMALL_FROM_BYTES)
		err = class_init(&p->small, name, max_packets, max_bytes / SMALL_DIVISOR,
				 max_batches);
	if (err) {
		rtp_batch_pool_free(&p);
		return err;
	}
	*out = p;
	return 0;
}

void rtp_batch_pool_free(struct rtp_batch_pool **p)
{
	if (!*p)
		return;
	buf_pool_free(&(*p)->small.bufs);
	buf_pool_free(&(*p)->big.bufs);
	free(*p);
	*p = NULL;
}

size_t rtp_batch_pool_in_use(const struct rtp_batch_pool *p)
{
	return (p->small.bufs ? buf_pool_in_use(p->small.bufs) : 0) + buf_pool_in_use(p->big.bufs);
}

uint64_t rtp_batch_pool_empty_count(const struct rtp_batch_pool *p)
{
	return buf_pool_empty_count(p->big.bufs);
}

struct rtp_batch *rtp_batch_get(struct rtp_batch_pool *p, size_t want_bytes)
{
	const struct rtp_batch_class *c = &p->big;
	struct buf *buf = NULL;
	struct rtp_batch *b;

	if (p->small.bufs && want_bytes && want_bytes <= p->small.max_bytes) {
		c = &p->small;
		buf = buf_get(c->bufs);
	}
	if (!buf) {
		c = &p->big;
		buf = buf_get(c->bufs);
	}
	if (!buf)
		return NULL;
	b = (struct rtp_batch *)(void *)buf->store;
	memset(b, 0, sizeof *b);
	b->buf = buf;
	b->max_packets = c->max_packets;
	b->max_bytes = c->max_bytes;
	b->pkt = (const struct rtp_batch_pkt *)(const void *)(b + 1);
	b->skip = (uint32_t *)(void *)(buf->store + skip_offset(c));
	b->data = buf->store + data_offset(c->max_packets);
	return b;
}

struct rtp_batch *rtp_batch_ref(struct rtp_batch *b)
{
	buf_ref(b->buf);
	return b;
}

void rtp_batch_unref(struct rtp_batch **b)
{
	struct buf *buf;

	if (!*b)
		return;
	buf = (*b)->buf;
	*b = NULL;
	buf_unref(&buf);
}

static struct rtp_batch_pkt *table(struct rtp_batch *b)
{
	return (struct rtp_batch_pkt *)(void *)(b + 1);
}

uint8_t *rtp_batch_reserve(struct rtp_batch *b, size_t len, bool marker)
{
	uint32_t off = b->bytes;

	if (!len || len > UINT16_MAX || b->n == b->max_packets || b->max_bytes - off < len)
		return NULL;
	table(b)[b->n++] = (struct rtp_batch_pkt){ off, (uint16_t)len, marker };
	b->bytes = off + (uint32_t)len;
	return b->buf->store + data_offset(b->max_packets) + off;
}

int rtp_batch_add(struct rtp_batch *b, const uint8_t *hdr, size_t hdr_len, const uint8_t *payload,
		  size_t len, bool marker)
{
	uint8_t *p;

	if (hdr_len > UINT16_MAX || len > UINT16_MAX)
		return -ENOSPC;
	p = rtp_batch_reserve(b, hdr_len + len, marker);
	if (!p)
		return -ENOSPC;
	if (hdr_len)
		memcpy(p, hdr, hdr_len);
	if (len)
		memcpy(p + hdr_len, payload, len);
	return 0;
}

void rtp_batch_mark_last(struct rtp_batch *b)
{
	if (b->n)
		table(b)[b->n - 1].marker = true;
}

/* Where leg_id is or would be. */
static unsigned skip_place(const struct rtp_batch *b, uint32_t leg_id)
{
	unsigned lo = 0, hi = b->n_skip;

	while (lo < hi) {
		unsigned mid = (lo + hi) / 2;

		if (b->skip[mid] < leg_id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

int rtp_batch_skip(struct rtp_batch *b, uint32_t leg_id)
{
	unsigned at = skip_place(b, leg_id);

	if (at < b->n_skip && b->skip[at] == leg_id)
		return 0;
	if (b->n_skip == RTP_BATCH_SKIP_MAX)
		return -ENOSPC;
	memmove(&b->skip[at + 1], &b->skip[at], (b->n_skip - at) * sizeof(b->skip[0]));
	b->skip[at] = leg_id;
	b->n_skip++;
	return 0;
}

bool rtp_batch_skips(const struct rtp_batch *b, uint32_t leg_id)
{
	unsigned at = skip_place(b, leg_id);

	return at < b->n_skip && b->skip[at] == leg_id;
}
