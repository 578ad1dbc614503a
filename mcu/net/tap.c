#include "mcu/net/tap.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/base/metrics.h"

METRIC_COUNTER(m_dropped, "mcu_capture_dropped_total",
	       "Packets missing in captures because the disk was behind.");

struct tap {
	_Atomic size_t put, taken; /* counts; they wrap */
	_Atomic uint64_t dropped;
	struct tap_packet slot[TAP_SLOTS];
};

int tap_new(struct tap **out)
{
	*out = calloc(1, sizeof **out);
	return *out ? 0 : -ENOMEM;
}

void tap_free(struct tap **t)
{
	free(*t);
	*t = NULL;
}

static size_t append(struct tap_packet *p, size_t at, const uint8_t *from, size_t len)
{
	size_t room = TAP_OCTETS - at, n = len < room ? len : room;

	if (n)
		memcpy(p->octets + at, from, n);
	return at + n;
}

void tap_put(struct tap *t, bool out, bool rtcp, int64_t time_ns, const uint8_t *head,
	     size_t head_len, const uint8_t *rest, size_t rest_len)
{
	size_t at = atomic_load_explicit(&t->put, memory_order_relaxed);
	struct tap_packet *p = &t->slot[at % TAP_SLOTS];

	if (at - atomic_load_explicit(&t->taken, memory_order_acquire) >= TAP_SLOTS) {
		atomic_fetch_add_explicit(&t->dropped, 1, memory_order_relaxed);
		metric_add(&m_dropped, 1);
		return;
	}
	p->time_ns = time_ns;
	p->out = out;
	p->rtcp = rtcp;
	p->len = (uint16_t)(head_len + rest_len);
	append(p, append(p, 0, head, head_len), rest, rest_len);
	atomic_store_explicit(&t->put, at + 1, memory_order_release);
}

const struct tap_packet *tap_peek(const struct tap *t)
{
	size_t at = atomic_load_explicit(&t->taken, memory_order_relaxed);

	if (at == atomic_load_explicit(&t->put, memory_order_acquire))
		return NULL;
	return &t->slot[at % TAP_SLOTS];
}

void tap_pop(struct tap *t)
{
	atomic_fetch_add_explicit(&t->taken, 1, memory_order_release);
}

uint64_t tap_dropped(const struct tap *t)
{
	return atomic_load_explicit(&t->dropped, memory_order_relaxed);
}
