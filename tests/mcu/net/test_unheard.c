/* What goes to an address that nothing was heard from. */
#include "mcu/net/unheard.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "mcu/base/clock.h"

enum { G711 = 172 };

static int64_t now;

/* A packet every ms for so long; how many went. */
static unsigned packets(struct unheard *u, size_t len, unsigned every_ms, unsigned s, bool elsewhere)
{
	unsigned n = 0;

	for (unsigned ms = 0; ms < s * 1000; ms += every_ms, now += every_ms * NS_PER_MS)
		n += unheard_take(u, len, elsewhere, now);
	return n;
}

static void sound_goes_and_more_does_not(void **state)
{
	struct unheard u = { 0 };

	(void)state;
	now = 77 * NS_PER_S;
	assert_int_equal(packets(&u, G711, 20, 600, false), 600 * 50);
	u = (struct unheard){ 0 };
	assert_in_range(packets(&u, 1200, 1, 100, false), 900,
			(100 * UNHEARD_OCTETS_PER_S + UNHEARD_BURST) / 1200);
	u = (struct unheard){ 0 };
	assert_int_equal(packets(&u, UNHEARD_BURST + 1, 1000, 10, false), 0);
}

static void not_for_ever_elsewhere(void **state)
{
	struct unheard u = { 0 };

	(void)state;
	now = 5 * NS_PER_S;
	assert_int_equal(packets(&u, G711, 20, UNHEARD_ELSEWHERE_S, true), UNHEARD_ELSEWHERE_S * 50);
	now += NS_PER_S;
	assert_int_equal(packets(&u, G711, 20, 100, true), 0);
	assert_true(unheard_take(&u, G711, false, now));
	unheard_sign(&u, now);
	assert_int_equal(packets(&u, G711, 20, 10, true), 500);
	now += UNHEARD_ELSEWHERE_S * NS_PER_S;
	assert_false(unheard_take(&u, G711, true, now));
	unheard_begin(&u);
	assert_true(unheard_take(&u, G711, true, now));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sound_goes_and_more_does_not),
		cmocka_unit_test(not_for_ever_elsewhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
