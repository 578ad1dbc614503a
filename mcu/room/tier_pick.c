#include "mcu/room/tier_pick.h"

#include "mcu/base/clock.h"

/* In 1/256, as reports have it. */
#define LOSSY (8 * 256 / 100)
#define CLEAN (256 / 100)

enum {
	REMB_HOLD_MS = 1000, /* a poor one counts when another comes after this … */
	REMB_STILL_HOLD_MS = 3000, /* … of a picture that needs less than its rung: it may
				    * have been a key frame after a still */
	REMB_OLD_MS = 5000,
};

void tier_pick_init(struct tier_pick *p, const uint32_t *bps, size_t n, uint32_t audio_bps)
{
	*p = (struct tier_pick){
		.n = n < TIER_PICK_MAX ? (unsigned)n : TIER_PICK_MAX,
		.audio_bps = audio_bps,
		.wait_ns = TIER_PICK_CLEAN_MS * NS_PER_MS,
	};
	for (unsigned i = 0; i < p->n; i++)
		p->bps[i] = bps[i] + audio_bps;
}

/* The rung it gets. */
static unsigned rung_of(const struct tier_pick *p)
{
	unsigned rung = tier_pick_carries(p);

	return rung > p->best ? rung : p->best;
}

static void start_over(struct tier_pick *p)
{
	p->lossy_ns = p->clean_ns = p->poor_ns = p->probe_ns = 0;
}

void tier_pick_limit(struct tier_pick *p, unsigned best)
{
	if (best >= p->n)
		best = p->n ? p->n - 1 : 0;
	if (best == p->best)
		return;
	p->best = best;
	start_over(p);
}

static void wait_longer(struct tier_pick *p)
{
	p->wait_ns *= 2;
	if (p->wait_ns > TIER_PICK_WAIT_MAX_MS * NS_PER_MS)
		p->wait_ns = TIER_PICK_WAIT_MAX_MS * NS_PER_MS;
}

static bool down_to(struct tier_pick *p, unsigned rung, int64_t now_ns)
{
	bool relapse = p->up_ns && now_ns - p->up_ns < TIER_PICK_RELAPSE_MS * NS_PER_MS;

	if (rung >= p->n)
		return false;
	if (relapse)
		wait_longer(p);
	else
		p->wait_ns = TIER_PICK_CLEAN_MS * NS_PER_MS;
	p->up_ns = 0;
	p->carries = rung;
	start_over(p);
	return true;
}

/* What the rung takes, or what there was to send, if that is less. */
static uint64_t need_of(const struct tier_pick *p)
{
	uint64_t rung = p->bps[rung_of(p)];

	return p->sent_bps && p->sent_bps < rung ? p->sent_bps : rung;
}

/* Its own estimate has room for the next rung. */
static bool knows_of_more(const struct tier_pick *p, int64_t now_ns)
{
	return p->remb_ns && now_ns - p->remb_ns <= REMB_OLD_MS * NS_PER_MS &&
	       p->remb_bps * 10 >= p->bps[rung_of(p) - 1] * 13ull;
}

/* How long it must have been clean before it may have more; INT64_MAX: no. */
static int64_t wait_for_more(const struct tier_pick *p, int64_t now_ns)
{
	if (!p->remb_ns || now_ns - p->remb_ns > REMB_OLD_MS * NS_PER_MS ||
	    knows_of_more(p, now_ns))
		return p->wait_ns;
	if (p->may_probe)
		return p->remb_bps * 10 >= need_of(p) * 13 ? p->wait_ns : INT64_MAX;
	return p->remb_bps * 10 >= p->bps[rung_of(p)] * 13ull ? 2 * p->wait_ns : INT64_MAX;
}

static bool up(struct tier_pick *p, int64_t now_ns)
{
	p->carries--;
	p->up_ns = now_ns;
	start_over(p);
	return true;
}

static void begin_probe(struct tier_pick *p, int64_t now_ns)
{
	p->probe_ns = now_ns;
	p->probe_reports = 0;
	p->probe_remb_bps = p->remb_bps;
}

static void fail_probe(struct tier_pick *p)
{
	wait_longer(p);
	start_over(p);
}

static bool perhaps_up(struct tier_pick *p, int64_t now_ns)
{
	if (p->carries <= p->best || p->carries <= p->cap || !p->clean_ns || p->probe_ns ||
	    now_ns - p->clean_ns < wait_for_more(p, now_ns))
		return false;
	if (!p->may_probe || knows_of_more(p, now_ns))
		return up(p, now_ns);
	begin_probe(p, now_ns);
	return false;
}

/* A report during a probe. */
static bool probe_reported(struct tier_pick *p, uint8_t fraction_lost, int64_t now_ns)
{
	if (fraction_lost > CLEAN) {
		fail_probe(p);
		return false;
	}
	p->probe_reports++;
	if (now_ns - p->probe_ns < TIER_PICK_PROBE_MS * NS_PER_MS ||
	    p->probe_reports < TIER_PICK_PROBE_REPORTS)
		return false;
	return up(p, now_ns);
}

bool tier_pick_loss(struct tier_pick *p, uint8_t fraction_lost, int64_t now_ns)
{
	if (fraction_lost <= LOSSY)
		p->lossy_ns = 0;
	else if (!p->lossy_ns)
		p->lossy_ns = now_ns;
	if (fraction_lost > CLEAN)
		p->clean_ns = 0;
	else if (!p->clean_ns)
		p->clean_ns = now_ns;
	if (p->lossy_ns && now_ns - p->lossy_ns >= TIER_PICK_LOSS_MS * NS_PER_MS)
		return down_to(p, rung_of(p) + 1, now_ns);
	if (p->probe_ns)
		return probe_reported(p, fraction_lost, now_ns);
	return perhaps_up(p, now_ns);
}

/* The best rung below that fits; otherwise the last. */
static unsigned fitting(const struct tier_pick *p, uint64_t bps)
{
	unsigned i = rung_of(p) + 1;

	while (i + 1 < p->n && p->bps[i] > bps)
		i++;
	return i;
}

bool tier_pick_remb(struct tier_pick *p, uint64_t remb_bps, uint64_t sent_bps, int64_t now_ns)
{
	bool rises = p->remb_ns && remb_bps > p->remb_bps;
	uint64_t need;
	int hold_ms;

	p->sent_bps = sent_bps;
	need = need_of(p);
	hold_ms = need < p->bps[rung_of(p)] ? REMB_STILL_HOLD_MS : REMB_HOLD_MS;
	if (remb_bps > UINT32_MAX)
		remb_bps = UINT32_MAX;
	p->remb_bps = remb_bps;
	p->remb_ns = now_ns;
	if (p->probe_ns && remb_bps * 10 < p->probe_remb_bps * 9)
		fail_probe(p);
	if (remb_bps * 10 >= need * 9) {
		p->poor_ns = 0;
		return perhaps_up(p, now_ns);
	}
	p->clean_ns = 0;
	if (rises)
		return false;
	if (!p->poor_ns || now_ns - p->poor_ns > REMB_OLD_MS * NS_PER_MS)
		p->poor_ns = now_ns;
	else if (now_ns - p->poor_ns >= hold_ms * NS_PER_MS)
		return down_to(p, fitting(p, remb_bps), now_ns);
	return false;
}

void tier_pick_may_probe(struct tier_pick *p, bool may)
{
	p->may_probe = may;
	if (!may)
		p->probe_ns = 0;
}

uint32_t tier_pick_probe_bps(const struct tier_pick *p)
{
	unsigned now = rung_of(p);

	return p->probe_ns && now ? p->bps[now - 1] - (uint32_t)need_of(p) : 0;
}

/* A lower limit may be what keeps a connection alive; a higher one can wait. */
static bool apply_cap(struct tier_pick *p, int64_t now_ns)
{
	unsigned before = tier_pick_carries(p);

	if (p->cap_wanted == p->cap)
		return false;
	if (p->cap_wanted < p->cap && now_ns - p->cap_ns < TIER_PICK_CLEAN_MS * NS_PER_MS)
		return false;
	p->cap = p->cap_wanted;
	p->cap_ns = now_ns;
	if (tier_pick_carries(p) == before)
		return false;
	start_over(p);
	return true;
}

bool tier_pick_tick(struct tier_pick *p, int64_t now_ns)
{
	if (p->probe_ns && now_ns - p->probe_ns > TIER_PICK_PROBE_MAX_MS * NS_PER_MS)
		fail_probe(p);
	return apply_cap(p, now_ns);
}

unsigned tier_pick_carries(const struct tier_pick *p)
{
	return p->carries > p->cap ? p->carries : p->cap;
}

bool tier_pick_cap(struct tier_pick *p, uint64_t bps, int64_t now_ns)
{
	unsigned i = 0;

	while (i + 1 < p->n && p->bps[i] - p->audio_bps > bps)
		i++;
	p->cap_wanted = i;
	return apply_cap(p, now_ns);
}
