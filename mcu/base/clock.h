/* The media clock: monotonic nanoseconds, injectable. Code that needs the time
 * takes a struct clock or a now_ns argument; only main() and the threads' loops
 * name the real one. Any thread. */
#ifndef MCU_BASE_CLOCK_H
#define MCU_BASE_CLOCK_H

#include <stdint.h>

#define NS_PER_S  1000000000LL
#define NS_PER_MS 1000000LL

struct clock {
	int64_t (*now_ns)(const struct clock *c);
	_Atomic int64_t fake_ns; /* of a fake clock */
};

/* CLOCK_MONOTONIC. */
extern const struct clock clock_monotonic;

/* A clock that stands still until it is advanced. */
void clock_fake_init(struct clock *c, int64_t now_ns);
void clock_fake_advance(struct clock *c, int64_t by_ns);

static inline int64_t clock_now_ns(const struct clock *c)
{
	return c->now_ns(c);
}

/* Wall clock, for NTP stamps in sender reports, rows and file names only. */
int64_t clock_wall_ns(void);

/* NTP 32.32 (RFC 5905) of a wall time. */
uint64_t clock_ntp_of_wall_ns(int64_t wall_ns);

/* a * num / den for a >= 0 without overflow or floating point, rounded down.
 * The k-th deadline is start + clock_scale(k, NS_PER_S, fps): never a sum. */
int64_t clock_scale(int64_t a, int64_t num, int64_t den);

#endif
