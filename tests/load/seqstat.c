#include "tests/load/seqstat.h"

#include <string.h>

#include "tests/load/util.h"

static bool test_and_set(struct seqstat *s, int64_t seq)
{
	uint64_t bit = 1ULL << (seq & 63), *w = &s->seen[seq % SEQ_WINDOW / 64];
	bool was = *w & bit;

	*w |= bit;
	return was;
}

static void clear(struct seqstat *s, int64_t seq)
{
	s->seen[seq % SEQ_WINDOW / 64] &= ~(1ULL << (seq & 63));
}

static void time_it(struct seqstat *s, uint32_t ts, int64_t arrival_ns)
{
	uint32_t at = (uint32_t)(arrival_ns / 1000 * s->clock_hz / 1000000), transit = at - ts;
	int32_t d = (int32_t)(transit - s->last_transit);

	if (s->packets > 1)
		s->jitter += ((d < 0 ? -(double)d : (double)d) - s->jitter) / 16;
	s->last_transit = transit;
	if (s->last_arrival_ns && arrival_ns - s->last_arrival_ns > s->max_gap_ns)
		s->max_gap_ns = arrival_ns - s->last_arrival_ns;
	s->last_arrival_ns = arrival_ns;
}

static void start(struct seqstat *s, uint32_t ssrc, uint16_t seq)
{
	uint32_t hz = s->clock_hz;

	memset(s, 0, sizeof *s);
	s->clock_hz = hz;
	s->started = true;
	s->ssrc = ssrc;
	/* Room below, so that unwrapped numbers are never negative. */
	s->first = seq + 65536;
	s->highest = s->first - 1;
}

enum seq_kind seqstat_put(struct seqstat *s, uint32_t ssrc, uint16_t seq, uint32_t ts,
			  size_t octets, int64_t arrival_ns, int64_t *unwrapped)
{
	int64_t n;
	int16_t ahead;

	if (!s->started || s->ssrc != ssrc)
		start(s, ssrc, seq);
	ahead = (int16_t)(seq - (uint16_t)s->highest);
	n = s->highest + ahead;
	*unwrapped = n;
	s->packets++;
	s->octets += octets;
	if (ahead > 0) {
		for (int64_t k = s->highest + 1; k < n && k < s->highest + 1 + SEQ_WINDOW; k++)
			clear(s, k);
		clear(s, n);
		test_and_set(s, n);
		s->highest = n;
		s->unique++;
		time_it(s, ts, arrival_ns);
		return ahead == 1 ? SEQ_NEXT : SEQ_AHEAD;
	}
	if (ahead <= -SEQ_WINDOW || n < s->first) {
		s->ancient++;
		return SEQ_LATE;
	}
	if (test_and_set(s, n)) {
		s->dup++;
		return SEQ_DUP;
	}
	s->unique++;
	s->reordered++;
	return SEQ_LATE;
}

int64_t seqstat_lost(const struct seqstat *s)
{
	return s->started ? s->highest - s->first + 1 - (int64_t)s->unique : 0;
}

void seqstat_report(struct seqstat *s, int64_t now_ns, struct rtcp_block *b)
{
	int64_t expected = s->highest - s->first + 1, lost = seqstat_lost(s);
	int64_t span = expected - s->reported_expected;
	int64_t missing = span - ((int64_t)s->unique - s->reported_unique);

	*b = (struct rtcp_block){ .ssrc = s->ssrc,
				  .lost = (int32_t)lost,
				  .highest = (uint32_t)(s->highest - 65536),
				  .jitter = (uint32_t)s->jitter };
	if (span > 0 && missing > 0)
		b->fraction = (uint8_t)(missing * 255 / span);
	if (s->sr_ntp) {
		b->lsr = (uint32_t)(s->sr_ntp >> 16);
		b->dlsr = (uint32_t)((now_ns - s->sr_arrival_ns) * 65536 / BOT_NS_PER_S);
	}
	s->reported_expected = expected;
	s->reported_unique = (int64_t)s->unique;
}
