/* Levelled logging. Lines of all threads go through one bounded lock-free ring
 * to a writer thread, so that no caller ever waits for the disk or a terminal;
 * when the ring is full the line is dropped and counted (mcu_log_dropped_total).
 * A call site that logs more than LOG_BURST lines in a second is muted for the
 * rest of it and says afterwards how many it swallowed. Nothing above TRACE per
 * packet or frame. Any thread. */
#ifndef MCU_BASE_LOG_H
#define MCU_BASE_LOG_H

#include <stdint.h>
#include <stdio.h>

#include "mcu/base/clock.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG, LOG_TRACE };

enum { LOG_BURST = 10 };

/* What the line is about; NULL for the server as a whole. Strings are borrowed
 * for the call. Fields that are NULL or 0 are left out of the line. */
struct log_ctx {
	const char *room;
	const char *leg;
	uint32_t ssrc;
};

/* State of a call site for the rate limit; zero-initialised, static. */
struct log_site {
	_Atomic int64_t window_s;
	_Atomic int lines;
};

/* Starts the writer thread. Before it, and after log_stop, lines are written
 * directly to stderr. log_stop writes everything that waits. */
int log_start(FILE *to, enum log_level max);
void log_stop(void);
void log_set_level(enum log_level max);
enum log_level log_get_level(void);
/* For tests: the clock of the rate limit. Borrowed; NULL: the real one. */
void log_set_clock(const struct clock *c);
/* LOG_… of "error", "warn", "info", "debug", "trace", or -EINVAL. */
int log_level_parse(const char *name);

__attribute__((format(printf, 4, 5)))
void log_line(enum log_level level, struct log_site *site, const struct log_ctx *ctx,
	      const char *fmt, ...);

#define LOG_AT(level, ctx, ...)                                        \
	do {                                                           \
		static struct log_site log_site_;                      \
		if ((level) <= log_get_level())                        \
			log_line((level), &log_site_, (ctx), __VA_ARGS__); \
	} while (0)

#define log_error(ctx, ...) LOG_AT(LOG_ERROR, ctx, __VA_ARGS__)
#define log_warn(ctx, ...) LOG_AT(LOG_WARN, ctx, __VA_ARGS__)
#define log_info(ctx, ...) LOG_AT(LOG_INFO, ctx, __VA_ARGS__)
#define log_debug(ctx, ...) LOG_AT(LOG_DEBUG, ctx, __VA_ARGS__)
#define log_trace(ctx, ...) LOG_AT(LOG_TRACE, ctx, __VA_ARGS__)

#endif
