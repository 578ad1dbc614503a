#include "mcu/rtp/history.h"

#include <errno.h>
#include <stdlib.h>

#include "mcu/rtp/seq.h"

struct history {
	size_t max_frames, max_bytes;
	size_t first, n, bytes; /* ring[first % max_frames] is the oldest */
	struct rtp_batch *ring[];
};

int history_new(struct history **out, size_t max_frames, size_t max_bytes)
{
	struct history *h;

	if (!max_frames)
		max_frames = HISTORY_FRAMES;
	if (!max_bytes)
		max_bytes = HISTORY_BYTES;
	if (max_frames > 65536)
		return -EINVAL;
	h = calloc(1, sizeof(*h) + max_frames * sizeof(h->ring[0]));
	if (!h)
		return -ENOMEM;
	h->max_frames = max_frames;
	h->max_bytes = max_bytes;
	*out = h;
	return 0;
}

void history_free(struct history **h)
{
	if (!*h)
		return;
	history_clear(*h);
	free(*h);
	*h = NULL;
}

static struct rtp_batch **slot(const struct history *h, size_t i)
{
	return (struct rtp_batch **)&h->ring[(h->first + i) % h->max_frames];
}

static void drop_oldest(struct history *h)
{
	struct rtp_batch **b = slot(h, 0);

	h->bytes -= (*b)->bytes;
	rtp_batch_unref(b);
	h->first = (h->first + 1) % h->max_frames;
	h->n--;
}

void history_clear(struct history *h)
{
	while (h->n)
		drop_oldest(h);
}

void history_trim(struct history *h)
{
	for (size_t n = (h->n + 1) / 2; n; n--)
		drop_oldest(h);
}

void history_put(struct history *h, struct rtp_batch *b)
{
	if (!b->n)
		return;
	if (h->n) {
		const struct rtp_batch *newest = *slot(h, h->n - 1);

		if (newest->encode_id != b->encode_id ||
		    ts_diff(b->first_index, newest->first_index + newest->n) < 0)
			history_clear(h);
	}
	while (h->n && (h->n == h->max_frames || h->bytes + b->bytes > h->max_bytes))
		drop_oldest(h);
	*slot(h, h->n++) = rtp_batch_ref(b);
	h->bytes += b->bytes;
}

bool history_find(const struct history *h, uint32_t index, struct rtp_batch **batch, unsigned *i)
{
	size_t lo = 0, hi = h->n;

	/* the newest batch that does not begin after index */
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (ts_diff((*slot(h, mid))->first_index, index) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo)
		return false;
	struct rtp_batch *b = *slot(h, lo - 1);
	uint32_t at = index - b->first_index;

	if (at >= b->n)
		return false;
	*batch = b;
	*i = at;
	return true;
}

struct rtp_batch *history_key(const struct history *h)
{
	for (size_t i = h->n; i-- > 0;) {
		struct rtp_batch *b = *slot(h, i);

		if (i + 1 < h->n && b->first_index + b->n != (*slot(h, i + 1))->first_index)
			return NULL;
		if (b->key)
			return b;
	}
	return NULL;
}

uint32_t history_end(const struct history *h)
{
	const struct rtp_batch *newest;

	if (!h->n)
		return 0;
	newest = *slot(h, h->n - 1);
	return newest->first_index + newest->n;
}

size_t history_frames(const struct history *h)
{
	return h->n;
}

size_t history_bytes(const struct history *h)
{
	return h->bytes;
}
