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

static void test_mos(void **state)
{
	static const struct {
		double loss, jitter_ms, rtt_ms, least, most;
	} row[] = {
		{ 0, 0, 0, 4.35, 4.42 },    /* what G.107 gives for its defaults, 4.41 */
		{ 0.01, 5, 40, 4.2, 4.4 },
		{ 0.05, 5, 40, 3.6, 3.9 },
		{ 0.2, 20, 100, 2.0, 2.6 },
		{ 0, 0, 800, 2.6, 3.0 },    /* a satellite */
		{ 1, 100, 2000, 1, 1.01 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		double m = quality_mos(CODEC_PCMA, row[i].loss, row[i].jitter_ms, row[i].rtt_ms);

		if (m < row[i].least || m > row[i].most)
			fail_msg("row %zu: %.3f", i, m);
	}
	/* falls with each of them, and stays within its bounds */
	for (double loss = 0; loss < 1; loss += 0.01) {
		double a = quality_mos(CODEC_PCMU, loss, 10, 50);
		double b = quality_mos(CODEC_PCMU, loss + 0.01, 10, 50);

		assert_true(b <= a + 0.06 && a >= 1 && a <= 4.5);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_score),
		cmocka_unit_test(test_mos),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
