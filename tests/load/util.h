/* Clocks, octets, random numbers and fatal errors of the load bot. The bot
 * shares no code with the server, so that a mistake there is not cancelled by
 * the same mistake here. It is one thread; nothing in tests/load is thread-safe. */
#ifndef TESTS_LOAD_UTIL_H
#define TESTS_LOAD_UTIL_H

#include <stddef.h>
#include <stdint.h>

#define BOT_NS_PER_S  1000000000LL
#define BOT_NS_PER_MS 1000000LL

/* CLOCK_MONOTONIC, and the wall clock for NTP stamps and kernel time stamps. */
int64_t bot_now_ns(void);
int64_t bot_wall_ns(void);
void bot_sleep_until(int64_t deadline_ns);

/* The setting is wrong or the machine refuses: says so and exits with 2. */
__attribute__((noreturn, format(printf, 1, 2))) void bot_die(const char *fmt, ...);
void *bot_alloc(size_t n); /* zeroed; ends the program when there is none */

/* Repeatable pseudo-random numbers (not for keys). */
void bot_seed(uint64_t seed);
uint32_t bot_random(void);
uint32_t bot_random_below(uint32_t n);
void bot_random_bytes(uint8_t *p, size_t n);
/* n characters of the ICE alphabet (RFC 8445 section 5.3) and a zero. */
void bot_random_text(char *out, size_t n);

static inline uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

#endif
