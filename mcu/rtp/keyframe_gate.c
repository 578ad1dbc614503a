#include "mcu/rtp/keyframe_gate.h"

#include "mcu/base/clock.h"

void keyframe_gate_init(struct keyframe_gate *g, int burst, int64_t refill_ns)
{
	*g = (struct keyframe_gate){ .burst = burst, .tokens = burst, .refill_ns = refill_ns };
}

static void refill(struct keyframe_gate *g, int64_t now_ns)
{
	int64_t n;

	if (g->tokens == g->burst)
		return;
	n = (now_ns - g->filled_ns) / g->refill_ns;
	if (n <= 0)
		return;
	g->filled_ns += n * g->refill_ns;
	g->tokens = n >= g->burst - g->tokens ? g->burst : g->tokens + (int)n;
}

static bool take(struct keyframe_gate *g, int64_t now_ns)
{
	refill(g, now_ns);
	if (!g->tokens)
		return false;
	if (g->tokens == g->burst)
		g->filled_ns = now_ns;
	g->tokens--;
	g->pending = false;
	g->granted++;
	return true;
}

bool keyframe_gate_ask(struct keyframe_gate *g, int64_t now_ns)
{
	if (take(g, now_ns))
		return true;
	g->pending = true;
	g->coalesced++;
	return false;
}

int64_t keyframe_gate_due_ns(const struct keyframe_gate *g)
{
	return g->pending ? g->filled_ns + g->refill_ns : INT64_MAX;
}

bool keyframe_gate_poll(struct keyframe_gate *g, int64_t now_ns)
{
	return g->pending && take(g, now_ns);
}

void keyframe_gate_served(struct keyframe_gate *g)
{
	g->pending = false;
}

bool fir_dedup_is_new(struct fir_dedup *d, uint32_t requester_ssrc, uint8_t seq, int64_t now_ns)
{
	for (unsigned i = 0; i < FIR_DEDUP_SENDERS; i++) {
		if (!d->e[i].used || d->e[i].ssrc != requester_ssrc)
			continue;
		if (d->e[i].seq == seq && now_ns - d->e[i].at_ns < FIR_DEDUP_MS * NS_PER_MS)
			return false;
		d->e[i].seq = seq;
		d->e[i].at_ns = now_ns;
		return true;
	}
	unsigned i = d->next++ % FIR_DEDUP_SENDERS;

	d->e[i].ssrc = requester_ssrc;
	d->e[i].seq = seq;
	d->e[i].used = true;
	d->e[i].at_ns = now_ns;
	return true;
}
