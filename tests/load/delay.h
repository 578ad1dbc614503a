/* How long packets took compared with the fastest one: arrival time against RTP
 * time stamp, in steps of a millisecond. What is common to all of them (the
 * way itself, the offset between two clocks) is not in it. Pure. */
#ifndef TESTS_LOAD_DELAY_H
#define TESTS_LOAD_DELAY_H

#include <stdbool.h>
#include <stdint.h>

enum { DELAY_BINS = 1024 };

struct delay {
	uint32_t clock_hz, first_ts;
	int64_t first_ns;
	bool started;
	uint64_t count;
	uint32_t bin[DELAY_BINS]; /* the first packet is in the quarter from below */
};

void delay_put(struct delay *d, uint32_t ts, int64_t arrival_ns);
/* Forgets what was put, keeps the clock. */
void delay_reset(struct delay *d);
/* Adds what d has, counted from d's fastest packet on. */
void delay_merge(struct delay *sum, const struct delay *d);
/* Milliseconds that p of 1 of the packets do not exceed; -1: there are none. */
int delay_percentile(const struct delay *d, double p);

#endif
