#include "tests/load/util.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static uint64_t state = 0x9e3779b97f4a7c15U;

static int64_t clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return t.tv_sec * BOT_NS_PER_S + t.tv_nsec;
}

int64_t bot_now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

int64_t bot_wall_ns(void)
{
	return clock_ns(CLOCK_REALTIME);
}

void bot_sleep_until(int64_t deadline_ns)
{
	struct timespec t = { deadline_ns / BOT_NS_PER_S, deadline_ns % BOT_NS_PER_S };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
		;
}

void bot_die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(2);
}

void *bot_alloc(size_t n)
{
	void *p = calloc(1, n ? n : 1);

	if (!p)
		bot_die("out of memory");
	return p;
}

void bot_seed(uint64_t seed)
{
	state = seed * 0x9e3779b97f4a7c15U + 0x2545f4914f6cdd1dU;
}

uint32_t bot_random(void)
{
	/* splitmix64 */
	uint64_t z = state += 0x9e3779b97f4a7c15U;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
	z = (z ^ z >> 27) * 0x94d049bb133111ebU;
	return (uint32_t)(z >> 32);
}

uint32_t bot_random_below(uint32_t n)
{
	return (uint32_t)((uint64_t)bot_random() * n >> 32);
}

void bot_random_bytes(uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)bot_random();
}

void bot_random_text(char *out, size_t n)
{
	static const char set[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < n; i++)
		out[i] = set[bot_random() % 64];
	out[n] = '\0';
}
