#include "mcu/base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "mcu/base/err.h"
#include "mcu/base/metrics.h"
#include "mcu/base/thread.h"

METRIC_COUNTER(dropped_total, "mcu_log_dropped_total", "Log lines dropped by a full ring.");

enum { LINE_BYTES = 480, RING_LINES = 2048, NICE = 10 };

/* Bounded array queue as in mbox.c: seq says who may use the slot. */
struct slot {
	_Atomic size_t seq;
	char line[LINE_BYTES];
};

static struct {
	_Alignas(64) _Atomic size_t tail;
	_Alignas(64) size_t head; /* the writer's */
	/* callers inside the ring; log_stop waits until they have left it */
	_Alignas(64) _Atomic int inside;
	_Atomic bool running;
	_Atomic bool asleep;
	_Atomic bool stopping;
	_Atomic int level;
	_Atomic uint64_t dropped; /* since the writer last said so */
	_Atomic(const struct clock *) clock;
	sem_t wake;
	pthread_t thread;
	FILE *to;
	struct slot slots[RING_LINES];
} lg = { .level = LOG_INFO };

static const char *const level_names[] = { "error", "warn", "info", "debug", "trace" };

int log_level_parse(const char *name)
{
	for (int i = 0; i <= LOG_TRACE; i++)
		if (!strcmp(name, level_names[i]))
			return i;
	return -EINVAL;
}

void log_set_level(enum log_level max)
{
	atomic_store_explicit(&lg.level, (int)max, memory_order_relaxed);
}

enum log_level log_get_level(void)
{
	return (enum log_level)atomic_load_explicit(&lg.level, memory_order_relaxed);
}

void log_set_clock(const struct clock *c)
{
	atomic_store(&lg.clock, c);
}

/* False: this line is over the site's limit. *swallowed: how many lines of the
 * site were left out in its previous window. */
static bool within_limit(struct log_site *site, int *swallowed)
{
	const struct clock *c = atomic_load(&lg.clock);
	/* + 1: a site that never logged has window 0 */
	int64_t now_s = clock_now_ns(c ? c : &clock_monotonic) / NS_PER_S + 1;
	int64_t window = atomic_load_explicit(&site->window_s, memory_order_relaxed);

	*swallowed = 0;
	if (window != now_s &&
	    atomic_compare_exchange_strong_explicit(&site->window_s, &window, now_s,
						    memory_order_relaxed, memory_order_relaxed)) {
		int n = atomic_exchange_explicit(&site->lines, 1, memory_order_relaxed);

		*swallowed = n > LOG_BURST ? n - LOG_BURST : 0;
		return true;
	}
	return atomic_fetch_add_explicit(&site->lines, 1, memory_order_relaxed) < LOG_BURST;
}

static size_t put(char *line, size_t at, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Appends and keeps one octet for the newline; a line too long is cut. */
static size_t vput(char *line, size_t at, const char *fmt, va_list ap)
{
	size_t room = LINE_BYTES - 1 - at;
	int n = vsnprintf(line + at, room, fmt, ap);

	return n < 0 ? at : at + ((size_t)n < room ? (size_t)n : room - 1);
}

static size_t put(char *line, size_t at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	at = vput(line, at, fmt, ap);
	va_end(ap);
	return at;
}

static size_t put_head(char *line, enum log_level level, const struct log_ctx *ctx)
{
	int64_t wall = clock_wall_ns();
	time_t s = (time_t)(wall / NS_PER_S);
	struct tm tm;
	size_t at;

	gmtime_r(&s, &tm);
	at = strftime(line, LINE_BYTES, "%Y-%m-%dT%H:%M:%S", &tm);
	at = put(line, at, ".%03dZ %-5s ", (int)(wall % NS_PER_S / NS_PER_MS), level_names[level]);
	if (ctx && ctx->room)
		at = put(line, at, "room=%.64s ", ctx->room);
	if (ctx && ctx->leg)
		at = put(line, at, "leg=%.64s ", ctx->leg);
	if (ctx && ctx->ssrc)
		at = put(line, at, "ssrc=%08" PRIx32 " ", ctx->ssrc);
	return at;
}

/* What a peer sent may be in the text: no control character reaches a terminal. */
static void finish_line(char *line, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
			line[i] = line[i] == '\n' ? ' ' : '?';
	line[at] = '\n';
	line[at + 1] = '\0';
}

static struct slot *claim(size_t *pos)
{
	*pos = atomic_load_explicit(&lg.tail, memory_order_relaxed);
	for (;;) {
		struct slot *s = &lg.slots[*pos % RING_LINES];
		/* seq is kept relative to the slot's number, so that zeroed memory is a
		 * ring that is empty */
		size_t seq = atomic_load_explicit(&s->seq, memory_order_acquire) + *pos % RING_LINES;
		intptr_t ahead = (intptr_t)(seq - *pos);

		if (ahead < 0)
			return NULL;
		if (ahead > 0)
			*pos = atomic_load_explicit(&lg.tail, memory_order_relaxed);
		else if (atomic_compare_exchange_weak_explicit(&lg.tail, pos, *pos + 1,
							       memory_order_relaxed,
							       memory_order_relaxed))
			return s;
	}
}

static void enqueue(const char *line)
{
	size_t pos;
	struct slot *s = claim(&pos);

	if (!s) {
		atomic_fetch_add_explicit(&lg.dropped, 1, memory_order_relaxed);
		metric_add(&dropped_total, 1);
		return;
	}
	strcpy(s->line, line);
	atomic_store(&s->seq, pos + 1 - pos % RING_LINES);
	if (atomic_load(&lg.asleep) && atomic_exchange(&lg.asleep, false))
		sem_post(&lg.wake);
}

void log_line(enum log_level level, struct log_site *site, const struct log_ctx *ctx,
	      const char *fmt, ...)
{
	char line[LINE_BYTES + 1];
	int swallowed = 0;
	va_list ap;
	size_t at;

	if (site && !within_limit(site, &swallowed))
		return;
	at = put_head(line, level, ctx);
	va_start(ap, fmt);
	at = vput(line, at, fmt, ap);
	va_end(ap);
	if (swallowed)
		at = put(line, at, " [%d more of these were left out]", swallowed);
	finish_line(line, at);

	atomic_fetch_add(&lg.inside, 1);
	if (atomic_load(&lg.running))
		enqueue(line);
	else
		fputs(line, stderr);
	atomic_fetch_sub(&lg.inside, 1);
}

static bool line_waits(void)
{
	size_t i = lg.head % RING_LINES;

	return atomic_load(&lg.slots[i].seq) + i == lg.head + 1;
}

static void write_waiting(void)
{
	uint64_t dropped;

	while (line_waits()) {
		struct slot *s = &lg.slots[lg.head % RING_LINES];

		fputs(s->line, lg.to);
		atomic_store_explicit(&s->seq, lg.head + RING_LINES - lg.head % RING_LINES,
				      memory_order_release);
		lg.head++;
	}
	dropped = atomic_exchange_explicit(&lg.dropped, 0, memory_order_relaxed);
	if (dropped)
		fprintf(lg.to, "log: %" PRIu64 " lines were dropped, the ring was full\n", dropped);
	fflush(lg.to);
}

static void *writer_main(void *arg)
{
	(void)arg;
	while (!atomic_load(&lg.stopping)) {
		write_waiting();
		atomic_store(&lg.asleep, true);
		if (line_waits() || atomic_load(&lg.stopping)) {
			if (atomic_exchange(&lg.asleep, false))
				continue;
		}
		while (sem_wait(&lg.wake) && errno == EINTR)
			;
	}
	return NULL;
}

int log_start(FILE *to, enum log_level max)
{
	int err;

	log_set_level(max);
	if (atomic_load(&lg.running))
		return -EALREADY;
	lg.to = to;
	atomic_store(&lg.stopping, false);
	atomic_store(&lg.asleep, false);
	sem_init(&lg.wake, 0, 0);
	err = thread_start(&lg.thread, "log", NICE, writer_main, NULL);
	if (err)
		return err;
	atomic_store(&lg.running, true);
	return 0;
}

void log_stop(void)
{
	if (!atomic_exchange(&lg.running, false))
		return;
	while (atomic_load(&lg.inside) > 0)
		sched_yield();
	atomic_store(&lg.stopping, true);
	if (atomic_exchange(&lg.asleep, false))
		sem_post(&lg.wake);
	pthread_join(lg.thread, NULL);
	write_waiting();
	sem_destroy(&lg.wake);
}
