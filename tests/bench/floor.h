/* Clocks, pacing and errors shared by the floor programs. */
#ifndef TESTS_BENCH_FLOOR_H
#define TESTS_BENCH_FLOOR_H

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define NS_PER_S 1000000000LL

__attribute__((noreturn, format(printf, 1, 2))) static inline void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

/* User + system time of this process, all threads, without children. */
static inline double cpu_ms(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e3 +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e3;
}

static inline int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static inline void sleep_until(int64_t deadline_ns)
{
	struct timespec t = { deadline_ns / NS_PER_S, deadline_ns % NS_PER_S };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
		;
}

/* Two periodic events on one clock: video frames and audio ticks. A deadline
 * follows from the count of events so far, so rounding does not add up. */
struct schedule {
	int fps, tps;	       /* frames and ticks per second; 0 = none */
	int64_t frames, ticks; /* done so far */
	int64_t start_ns;
};

static inline int64_t schedule_at(int64_t count, int per_s)
{
	return per_s ? count * NS_PER_S / per_s : INT64_MAX;
}

/* Media time of the next event. *audio and *video say which are due then;
 * both may be: one wake-up serves them. */
static inline int64_t schedule_next(struct schedule *s, int *video, int *audio)
{
	int64_t v = schedule_at(s->frames, s->fps), a = schedule_at(s->ticks, s->tps);
	int64_t t = v < a ? v : a;

	*video = v == t;
	*audio = a == t;
	s->frames += *video;
	s->ticks += *audio;
	return t;
}

#endif
