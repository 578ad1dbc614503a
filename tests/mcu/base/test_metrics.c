#include "mcu/base/metrics.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

METRIC_COUNTER(frogs, "test_b_frogs_total", "Frogs seen.");
METRIC_GAUGE(birds, "test_a_birds", "Birds here.");

static void registered_metrics_are_written_by_name(void **state)
{
	struct metrics_text t = { 0 };
	const char *a, *b;

	(void)state;
	metric_add(&frogs, 3);
	metric_add(&birds, 2);
	metric_add(&birds, -5);
	assert_int_equal(metrics_write(&t), 0);
	a = strstr(t.text, "# HELP test_a_birds Birds here.\n# TYPE test_a_birds gauge\n"
			   "test_a_birds -3\n");
	b = strstr(t.text, "# HELP test_b_frogs_total Frogs seen.\n# TYPE test_b_frogs_total counter\n"
			   "test_b_frogs_total 3\n");
	assert_non_null(a);
	assert_non_null(b);
	assert_true(a < b);
	assert_int_equal(strlen(t.text), t.len);
	metrics_text_free(&t);
	assert_null(t.text);
}

static int64_t value_of(const char *name)
{
	struct metrics_text t = { 0 };
	char line[64];
	int64_t v;

	snprintf(line, sizeof line, "\n%s ", name);
	assert_int_equal(metrics_write(&t), 0);
	v = strtoll(strstr(t.text, line) + strlen(line), NULL, 10);
	metrics_text_free(&t);
	return v;
}

enum { THREADS = 8, ADDED = 100000 };
static pthread_barrier_t all_added, all_read;

static void *add(void *obj)
{
	(void)obj;
	for (int i = 0; i < ADDED; i++) {
		metric_add(&frogs, 1);
		metric_add(&birds, i % 2 ? -1 : 2);
	}
	pthread_barrier_wait(&all_added);
	pthread_barrier_wait(&all_read);
	return NULL;
}

/* What threads added counts while they live, and no less when they are gone. */
static void threads_add_up(void **state)
{
	int64_t frog = value_of("test_b_frogs_total"), bird = value_of("test_a_birds");
	pthread_t thread[THREADS];

	(void)state;
	pthread_barrier_init(&all_added, NULL, THREADS + 1);
	pthread_barrier_init(&all_read, NULL, THREADS + 1);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, add, NULL), 0);
	pthread_barrier_wait(&all_added);
	assert_int_equal(value_of("test_b_frogs_total"), frog + THREADS * ADDED);
	pthread_barrier_wait(&all_read);
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(value_of("test_b_frogs_total"), frog + THREADS * ADDED);
	assert_int_equal(value_of("test_a_birds"), bird + THREADS * ADDED / 2);
	pthread_barrier_destroy(&all_added);
	pthread_barrier_destroy(&all_read);
}

static void labels_are_escaped_and_numbers_are_exact(void **state)
{
	struct metrics_text t = { 0 };
	const char *labels[] = { "room", "a\"b\\c\nd", "kind", "x", NULL };

	(void)state;
	assert_int_equal(metrics_family(&t, "f", "help", "gauge"), 0);
	assert_int_equal(metrics_series(&t, "f", labels, 1.5), 0);
	assert_int_equal(metrics_series(&t, "f", NULL, 4294967297.0), 0);
	assert_int_equal(metrics_series(&t, "f", NULL, -7), 0);
	assert_int_equal(metrics_series(&t, "f", NULL, INFINITY), 0);
	assert_string_equal(t.text, "# HELP f help\n# TYPE f gauge\n"
				    "f{room=\"a\\\"b\\\\c\\nd\",kind=\"x\"} 1.5\n"
				    "f 4294967297\nf -7\nf +Inf\n");
	metrics_text_free(&t);
}

static void text_grows_as_needed(void **state)
{
	struct metrics_text t = { 0 };

	(void)state;
	for (int i = 0; i < 5000; i++)
		assert_int_equal(metrics_series(&t, "series_name", NULL, i), 0);
	assert_int_equal(strlen(t.text), t.len);
	assert_non_null(strstr(t.text, "series_name 4999\n"));
	metrics_text_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(registered_metrics_are_written_by_name),
		cmocka_unit_test(threads_add_up),
		cmocka_unit_test(labels_are_escaped_and_numbers_are_exact),
		cmocka_unit_test(text_grows_as_needed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
