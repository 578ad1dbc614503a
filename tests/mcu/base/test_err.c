#include "mcu/base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void fills_code_and_text_and_returns_the_error(void **state)
{
	struct errmsg m;

	(void)state;
	assert_int_equal(errmsg_set(&m, -EINVAL, "bad_thing", "port %d is taken", 80), -EINVAL);
	assert_string_equal(m.code, "bad_thing");
	assert_string_equal(m.text, "port 80 is taken");
	assert_int_equal(errmsg_set(NULL, -ENOENT, "x", "y"), -ENOENT);
}

static void cuts_what_does_not_fit(void **state)
{
	struct errmsg m;
	char big[1000];

	(void)state;
	memset(big, 'a', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	errmsg_set(&m, -1, big, "%s", big);
	assert_int_equal(strlen(m.code), sizeof(m.code) - 1);
	assert_int_equal(strlen(m.text), sizeof(m.text) - 1);
}

static void names_errors_of_either_sign(void **state)
{
	char first[128];

	(void)state;
	assert_string_equal(err_str(0), "success");
	snprintf(first, sizeof(first), "%s", err_str(-ENOENT));
	assert_string_equal(first, "No such file or directory");
	assert_string_equal(err_str(ENOENT), first);
	assert_non_null(err_str(-999999));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fills_code_and_text_and_returns_the_error),
		cmocka_unit_test(cuts_what_does_not_fit),
		cmocka_unit_test(names_errors_of_either_sign),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
