#include "mcu/base/clock.h"

#include <stdatomic.h>
#include <time.h>

/* Seconds from 1900 (NTP, RFC 5905) to 1970. */
#define NTP_EPOCH_S 2208988800ULL

static int64_t read_clock(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

static int64_t monotonic_now(const struct clock *c)
{
	(void)c;
	return read_clock(CLOCK_MONOTONIC);
}

const struct clock clock_monotonic = { .now_ns = monotonic_now };

static int64_t fake_now(const struct clock *c)
{
	return atomic_load(&c->fake_ns);
}

void clock_fake_init(struct clock *c, int64_t now_ns)
{
	c->now_ns = fake_now;
	atomic_store(&c->fake_ns, now_ns);
}

void clock_fake_advance(struct clock *c, int64_t by_ns)
{
	atomic_fetch_add(&c->fake_ns, by_ns);
}

int64_t clock_wall_ns(void)
{
	return read_clock(CLOCK_REALTIME);
}

uint64_t clock_ntp_of_wall_ns(int64_t wall_ns)
{
	uint64_t s = (uint64_t)wall_ns / NS_PER_S, ns = (uint64_t)wall_ns % NS_PER_S;

	return ((s + NTP_EPOCH_S) << 32) | ((ns << 32) / NS_PER_S);
}

int64_t clock_scale(int64_t a, int64_t num, int64_t den)
{
	__extension__ typedef unsigned __int128 wide;

	return (int64_t)((wide)a * (wide)num / (wide)den);
}
