#include "mcu/base/metrics.h"

#include <math.h>
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
		cmocka_unit_test(labels_are_escaped_and_numbers_are_exact),
		cmocka_unit_test(text_grows_as_needed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
