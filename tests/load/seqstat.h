/* What a receiver learns from sequence numbers and arrival times of one RTP
 * stream (RFC 3550 appendix A): continuity, and a report block. Pure. */
#ifndef TESTS_LOAD_SEQSTAT_H
#define TESTS_LOAD_SEQSTAT_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/load/rtcp.h"

enum { SEQ_WINDOW = 1024 };

struct seqstat {
	bool started;
	uint32_t ssrc, clock_hz;
	int64_t first, highest; /* unwrapped sequence numbers */
	uint64_t packets, octets, unique, dup, reordered, ancient;
	uint64_t seen[SEQ_WINDOW / 64]; /* of highest and the ones before it */
	int64_t last_arrival_ns, max_gap_ns;
	double jitter; /* in clock units */
	uint32_t last_transit;
	uint64_t sr_ntp;
	int64_t sr_arrival_ns;
	int64_t reported_expected, reported_unique;
};

enum seq_kind { SEQ_NEXT, SEQ_AHEAD, SEQ_LATE, SEQ_DUP };

/* One packet. *unwrapped: its number in a row that does not wrap. */
enum seq_kind seqstat_put(struct seqstat *s, uint32_t ssrc, uint16_t seq, uint32_t ts,
			  size_t octets, int64_t arrival_ns, int64_t *unwrapped);
int64_t seqstat_lost(const struct seqstat *s);
void seqstat_report(struct seqstat *s, int64_t now_ns, struct rtcp_block *b);

#endif
