/* Process-wide counters and gauges in Prometheus text format 0.0.4.
 *
 * A module defines its metrics at file level with METRIC_COUNTER or
 * METRIC_GAUGE; they register themselves before main(). Each thread adds to numbers of
 * its own, without a locked instruction (and allocates them at its first); they are summed
 * up when written. Series that carry labels (per room, per leg) are written by whoever owns
 * the state, through metrics_series(). Any thread. */
#ifndef MCU_BASE_METRICS_H
#define MCU_BASE_METRICS_H

#include <stddef.h>
#include <stdint.h>

struct metric {
	const char *name, *help, *type;
	size_t id;
	_Atomic int64_t value; /* of threads that have ended */
	struct metric *next;
};

void metrics_register(struct metric *m);
/* What this thread has added, by id; NULL: nothing yet, or it ends. */
extern _Thread_local int64_t *metrics_mine;
void metrics_add_first(struct metric *m, int64_t n);

#define METRIC_DEFINE(var, name_, help_, type_)                                          \
	static struct metric var = { .name = name_, .help = help_, .type = type_ };      \
	__attribute__((constructor)) static void var##_register(void) { metrics_register(&var); } \
	struct metric

#define METRIC_COUNTER(var, name, help) METRIC_DEFINE(var, name, help, "counter")
#define METRIC_GAUGE(var, name, help) METRIC_DEFINE(var, name, help, "gauge")

static inline void metric_add(struct metric *m, int64_t n)
{
	int64_t *mine = metrics_mine;

	if (!mine)
		metrics_add_first(m, n);
	else /* others only read it */
		__atomic_store_n(&mine[m->id], mine[m->id] + n, __ATOMIC_RELAXED);
}

/* A growing text; allocated by the first append, freed by the holder. */
struct metrics_text {
	char *text;
	size_t len, cap;
};

/* All registered metrics, then nothing more. 0 or -ENOMEM. */
int metrics_write(struct metrics_text *out);
/* The "# HELP" and "# TYPE" lines of a labelled family, then its series. */
int metrics_family(struct metrics_text *out, const char *name, const char *help, const char *type);
/* labels: NULL, or pairs of name, value, …, NULL; values are escaped. */
int metrics_series(struct metrics_text *out, const char *name, const char *const *labels,
		   double value);
void metrics_text_free(struct metrics_text *t);

#endif
