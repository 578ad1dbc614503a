/* One press is one digit, by however many ways it comes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mcu/base/clock.h"
#include "mcu/digit_gate.h"

/* "e5 s5": a way (event, tone, signaled) and a digit; numbers are milliseconds that
 * pass. What is taken. */
static void check(const char *script, const char *want)
{
	struct digit_gate g = { 0 };
	char got[64] = "";
	int64_t now = 0;

	for (const char *s = script; *s; s++) {
		unsigned way = *s == 'e' ? 0 : *s == 't' ? 1 : 2;
		int ms = 0;

		if (*s == ' ')
			continue;
		if (*s >= '0' && *s <= '9') {
			for (; *s >= '0' && *s <= '9'; s++)
				ms = ms * 10 + *s - '0';
			s--;
			now += ms * NS_PER_MS;
			continue;
		}
		s++;
		if (digit_gate_take(&g, *s, way, now))
			strncat(got, s, 1);
	}
	if (strcmp(got, want))
		fail_msg("%s: %s instead of %s", script, got, want);
}

static void test_table(void **state)
{
	(void)state;
	check("e1 e1 e1", "111");
	check("e1 100 s1", "1");
	check("s1 100 e1", "1");
	check("e1 200 s1 100 e2 200 s2", "12");
	check("e1 150 e1 150 e1 300 s1 s1 s1", "111");
	check("e1 150 e2 150 e3 700 s1 s2 s3", "123");
	check("e1 t1 s1", "1");
	check("e1 5000 s1", "11");
	check("e1 s2", "12");
	check("s1 s1 e1 e1 e1", "111");
	check("e1 e2 e3 e4 e5 e6 e7 e8 e9 e0 e1 e2 e3 e4 e5 e6 e7 e8 s7 s8", "123456789012345678");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_table) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
