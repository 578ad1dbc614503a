#include "mcu/rtp/twcc.h"

#include <string.h>

#include "mcu/base/clock.h"
#include "mcu/rtp/bytes.h"
#include "mcu/rtp/rtcp_wire.h"
#include "mcu/rtp/seq.h"

enum {
	HEAD_BYTES = 20,          /* RTCP header, SSRCs, base, count, reference time, count */
	TICK_NS = 250000,         /* of a receive delta */
	TICKS_PER_REF = 256,      /* 64 ms */
	ONE_BIT_SYMBOLS = 14,     /* of a status vector chunk */
	TWO_BIT_SYMBOLS = 7,
	LATE_RUN_MAX = 16,        /* that many too old in a row: the sender began anew */
};

/* Packet status symbols. */
enum { LOST, SMALL, LARGE };

/* One feedback packet in the making. */
struct report {
	int64_t base, first_tick;
	size_t n, n_deltas, delta_bytes;
	uint8_t status[TWCC_WINDOW];
	int16_t delta[TWCC_WINDOW];
};

static int64_t *arrival(const struct twcc *t, int64_t seq)
{
	return (int64_t *)&t->arrival_ns[(uint64_t)seq % TWCC_WINDOW];
}

void twcc_init(struct twcc *t)
{
	memset(t, 0, sizeof(*t));
}

static void start_at(struct twcc *t, int64_t seq)
{
	for (size_t i = 0; i < TWCC_WINDOW; i++)
		t->arrival_ns[i] = -1;
	t->started = true;
	t->next = t->high = seq;
	t->late_run = 0;
}

static void move_up(struct twcc *t, int64_t seq)
{
	if (seq - t->high >= TWCC_WINDOW) {
		start_at(t, seq);
		return;
	}
	while (t->high < seq)
		*arrival(t, ++t->high) = -1;
	if (t->next <= t->high - TWCC_WINDOW)
		t->next = t->high - TWCC_WINDOW + 1;
}

void twcc_record(struct twcc *t, uint16_t seq16, int64_t arrival_ns)
{
	int64_t seq;

	if (!t->started)
		start_at(t, 65536 + (int64_t)seq16);
	seq = seq_unwrap(t->high, seq16);
	if (seq <= t->high - TWCC_WINDOW) {
		t->late++;
		if (++t->late_run < LATE_RUN_MAX)
			return;
		start_at(t, 65536 + (int64_t)seq16);
		seq = t->high;
	}
	t->late_run = 0;
	if (seq > t->high)
		move_up(t, seq);
	if (*arrival(t, seq) >= 0)
		return;
	*arrival(t, seq) = arrival_ns;
	/* one that was reported as lost: report again from there */
	if (seq < t->next)
		t->next = seq;
}

bool twcc_due(const struct twcc *t, int64_t now_ns)
{
	int64_t waits = t->high - t->next + 1;

	return t->started && waits > 0 &&
	       now_ns - t->built_ns >=
		       (waits >= TWCC_MANY ? TWCC_PERIOD_MS : TWCC_PATIENCE_MS) * NS_PER_MS;
}

/* Whether a packet of these sizes fits, at 7 symbols a chunk. */
static bool fits(size_t n, size_t delta_bytes, size_t cap)
{
	size_t len = HEAD_BYTES + (n + TWO_BIT_SYMBOLS - 1) / TWO_BIT_SYMBOLS * 2 + delta_bytes;

	return (len + 3) / 4 * 4 <= cap;
}

/* Takes as many packets as fit, ending with one that was received. */
static void collect(const struct twcc *t, struct report *r, size_t cap)
{
	int64_t tick = 0;
	size_t lost = 0;

	r->base = t->next;
	r->n = r->n_deltas = r->delta_bytes = 0;
	r->first_tick = 0;
	for (int64_t seq = t->next; seq <= t->high; seq++) {
		int64_t at = *arrival(t, seq), now = at / TICK_NS;
		uint8_t symbol;

		if (at < 0) {
			r->status[r->n + lost++] = LOST;
			continue;
		}
		if (!r->n_deltas)
			r->first_tick = tick = now / TICKS_PER_REF * TICKS_PER_REF;
		if (now - tick > INT16_MAX || now - tick < INT16_MIN)
			return;
		symbol = now - tick >= 0 && now - tick <= 255 ? SMALL : LARGE;
		if (!fits(r->n + lost + 1, r->delta_bytes + symbol, cap))
			return;
		r->status[r->n + lost] = symbol;
		r->delta[r->n_deltas++] = (int16_t)(now - tick);
		r->delta_bytes += symbol;
		r->n += lost + 1;
		lost = 0;
		tick = now;
	}
}

/* One status chunk for the symbols from s on; how many it covers. */
static size_t put_chunk(uint8_t *out, const uint8_t *s, size_t left)
{
	size_t run = 1, one_bit = 0, each = ONE_BIT_SYMBOLS, covers;
	uint16_t chunk;

	while (run < left && s[run] == s[0])
		run++;
	while (one_bit < left && one_bit < ONE_BIT_SYMBOLS && s[one_bit] != LARGE)
		one_bit++;
	if (run == left || run >= ONE_BIT_SYMBOLS ||
	    (run >= TWO_BIT_SYMBOLS && one_bit < ONE_BIT_SYMBOLS && one_bit < left)) {
		put_be16(out, (uint16_t)((size_t)s[0] << 13 | run));
		return run;
	}
	chunk = 0x8000;
	if (one_bit < ONE_BIT_SYMBOLS && one_bit < left) {
		chunk |= 0x4000;
		each = TWO_BIT_SYMBOLS;
	}
	covers = left < each ? left : each;
	for (size_t i = 0; i < covers; i++)
		chunk |= (uint16_t)(s[i] << (ONE_BIT_SYMBOLS - (i + 1) * (ONE_BIT_SYMBOLS / each)));
	put_be16(out, chunk);
	return covers;
}

static size_t put_body(const struct report *r, uint8_t *out)
{
	uint8_t *p = out;
	size_t d = 0;

	for (size_t i = 0; i < r->n; p += 2)
		i += put_chunk(p, r->status + i, r->n - i);
	for (size_t i = 0; i < r->n; i++) {
		if (r->status[i] == LOST)
			continue;
		if (r->status[i] == LARGE) {
			put_be16(p, (uint16_t)r->delta[d++]);
			p += 2;
		} else {
			*p++ = (uint8_t)r->delta[d++];
		}
	}
	return (size_t)(p - out);
}

size_t twcc_build(struct twcc *t, int64_t now_ns, uint32_t ssrc, uint32_t media_ssrc, uint8_t *out,
		  size_t cap)
{
	struct report r;
	size_t len, pad;

	if (!t->started || t->next > t->high || cap < TWCC_CAP_MIN)
		return 0;
	collect(t, &r, cap);
	t->built_ns = now_ns;
	t->next += (int64_t)r.n;
	len = HEAD_BYTES + put_body(&r, out + HEAD_BYTES);
	pad = (4 - len % 4) % 4;
	memset(out + len, 0, pad);
	len += pad;
	if (pad)
		out[len - 1] = (uint8_t)pad;
	out[0] = (uint8_t)(0x80 | (pad ? 0x20 : 0) | FMT_TWCC);
	out[1] = PT_RTPFB;
	put_be16(out + 2, (uint16_t)(len / 4 - 1));
	put_be32(out + 4, ssrc);
	put_be32(out + 8, media_ssrc);
	put_be16(out + 12, (uint16_t)r.base);
	put_be16(out + 14, (uint16_t)r.n);
	put_be24(out + 16, (uint32_t)(r.first_tick / TICKS_PER_REF) & 0xffffff);
	out[19] = t->fb_count++;
	return len;
}
