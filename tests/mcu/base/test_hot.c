#include "mcu/base/hot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

enum { COUNT = 200, LARGE = 200000 };

static const size_t sizes[] = { 0, 1, 63, 64, 65, 840, 4500, 16448, 96 << 10, (96 << 10) + 1, LARGE };
enum { SIZES = sizeof sizes / sizeof sizes[0] };

static bool is_zero(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

static void test_zeroed_and_aligned(void **state)
{
	(void)state;
	for (int round = 0; round < 3; round++)
		for (size_t i = 0; i < SIZES; i++) {
			uint8_t *p = hot_calloc(sizes[i]);

			assert_non_null(p);
			assert_int_equal((uintptr_t)p % HOT_LINE, 0);
			assert_true(is_zero(p, sizes[i]));
			memset(p, 0xa5, sizes[i]);
			hot_free(p, sizes[i]);
		}
	hot_free(NULL, 64);
}

/* More than a chunk of each; nobody's is anybody else's. */
static void test_apart(void **state)
{
	static uint8_t *p[SIZES][COUNT];

	(void)state;
	for (size_t i = 0; i < SIZES - 1; i++)
		for (size_t k = 0; k < COUNT; k++) {
			p[i][k] = hot_calloc(sizes[i]);
			assert_non_null(p[i][k]);
			memset(p[i][k], (int)(i * 31 + k), sizes[i]);
		}
	for (size_t i = 0; i < SIZES - 1; i++)
		for (size_t k = 0; k < COUNT; k++) {
			uint8_t is = (uint8_t)(i * 31 + k);

			for (size_t at = 0; at < sizes[i]; at++)
				if (p[i][k][at] != is)
					fail_msg("size %zu, number %zu", sizes[i], k);
			hot_free(p[i][k], sizes[i]);
		}
}

static void *churn(void *arg)
{
	uint8_t *p[16] = { 0 };
	size_t of[16] = { 0 };
	uint8_t mine = (uint8_t)(uintptr_t)arg;
	uintptr_t wrong = 0;

	for (unsigned i = 0; i < 20000; i++) {
		unsigned at = i * 7 % 16;

		if (p[at])
			wrong += of[at] && (p[at][0] != mine || p[at][of[at] - 1] != mine);
		hot_free(p[at], of[at]);
		of[at] = sizes[i % (SIZES - 3)];
		p[at] = hot_calloc(of[at]);
		if (!p[at])
			return (void *)(uintptr_t)1;
		memset(p[at], mine, of[at]);
	}
	for (unsigned at = 0; at < 16; at++)
		hot_free(p[at], of[at]);
	return (void *)wrong;
}

static void test_threads(void **state)
{
	pthread_t t[4];
	void *wrong;

	(void)state;
	for (uintptr_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&t[i], NULL, churn, (void *)(i + 1)), 0);
	for (int i = 0; i < 4; i++) {
		pthread_join(t[i], &wrong);
		assert_null(wrong);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zeroed_and_aligned),
		cmocka_unit_test(test_apart),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
