#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mcu/quality.h"
#include "tests/support/tone.h"

static void test_score(void **state)
{
	static const struct {
		double loss, jitter_ms, rtt_ms, score;
	} row[] = {
		{ 0, 0, 0, 5 },
		{ 0, 30, 150, 5 },      /* bounds belong to the better side */
		{ 0.01, 0, 0, 4.8 },
		{ 0.05, 0, 0, 4 },
		{ 0.1, 0, 0, 3 },
		{ 0.2, 0, 0, 1 },
		{ 1, 0, 0, 1 },         /* never below 1 */
		{ 0, 31, 0, 4 },
		{ 0, 50, 0, 4 },
		{ 0, 51, 0, 3 },
		{ 0, 0, 151, 4.5 },
		{ 0, 0, 300, 4.5 },
		{ 0, 0, 301, 3.5 },
		{ 0, 51, 301, 1.5 },
		{ 0.02, 51, 301, 1.1 },
		{ 0.05, 51, 301, 1 },
		{ 0.05, 40, 200, 2.5 },
		{ -0.1, 0, 0, 5 },      /* duplicates: never above 5 */
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof *row; i++)
		assert_near(quality_score(row[i].loss, row[i].jitter_ms, row[i].rtt_ms), row[i].score,
			    1e-9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_score),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
