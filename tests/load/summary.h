/* The JSON summary of a run, and what was not as expected. */
#ifndef TESTS_LOAD_SUMMARY_H
#define TESTS_LOAD_SUMMARY_H

#include "tests/load/options.h"

struct storm_result {
	uint64_t joins, connected, saw_pictures, auth_fail, errors;
	char first_error[200];
};

struct summary {
	json_t *json, *failures, *list;
};

/* While they are all still there: what each has seen. */
void summary_begin(struct summary *s, const struct options *o, struct peer **peer, size_t n);
/* When they have left: prints it. 0, or 1 when something was not as expected. */
int summary_end(struct summary *s, const struct options *o, struct peer **peer, size_t n,
		const struct storm_result *storm);
/* A sentence for the list of failures. */
__attribute__((format(printf, 2, 3))) void summary_fail(struct summary *s, const char *fmt, ...);

/* The value below which p of 1 of the n values lie; sorts them. */
double summary_percentile(double *v, size_t n, double p);

#endif
