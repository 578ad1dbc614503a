#include "mcu/rtp/keyframe_gate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "mcu/base/clock.h"

#define MS NS_PER_MS

static struct keyframe_gate gate(void)
{
	struct keyframe_gate g;

	keyframe_gate_init(&g, KEYFRAME_GATE_BURST, KEYFRAME_GATE_REFILL_MS * MS);
	return g;
}

static void a_storm_makes_few(void **state)
{
	struct keyframe_gate g = gate();
	int made = 0;

	(void)state;
	for (int64_t t = 0; t < 1000; t++) /* a thousand join in one second */
		made += keyframe_gate_ask(&g, 5000 * MS + t * MS) ||
			keyframe_gate_poll(&g, 5000 * MS + t * MS);
	/* two at once, one at 500 ms; the one for the last asker at 1,000 ms */
	assert_int_equal(made, 3);
	assert_int_equal(keyframe_gate_due_ns(&g), 6000 * MS);
	assert_false(keyframe_gate_poll(&g, 6000 * MS - 1));
	assert_true(keyframe_gate_poll(&g, 6000 * MS));
	assert_false(keyframe_gate_poll(&g, 9000 * MS));
	assert_int_equal(keyframe_gate_due_ns(&g), INT64_MAX);
	assert_int_equal(g.granted, 4);
	assert_int_equal(g.coalesced, 997);
}

static void tokens_come_back_and_stop_at_the_burst(void **state)
{
	struct keyframe_gate g = gate();

	(void)state;
	assert_true(keyframe_gate_ask(&g, 0));
	assert_true(keyframe_gate_ask(&g, 100 * MS));
	assert_false(keyframe_gate_ask(&g, 499 * MS));
	assert_true(keyframe_gate_ask(&g, 500 * MS)); /* also serves the one that waits */
	assert_false(keyframe_gate_poll(&g, 999 * MS));
	assert_false(keyframe_gate_poll(&g, 1000 * MS));
	assert_true(keyframe_gate_ask(&g, 100000 * MS));
	assert_true(keyframe_gate_ask(&g, 100000 * MS));
	assert_false(keyframe_gate_ask(&g, 100000 * MS));
	assert_int_equal(keyframe_gate_due_ns(&g), 100500 * MS);
	keyframe_gate_served(&g);
	assert_int_equal(keyframe_gate_due_ns(&g), INT64_MAX);
	assert_false(keyframe_gate_poll(&g, 100500 * MS));
	assert_true(keyframe_gate_ask(&g, 100500 * MS));
}

static void refill_keeps_its_phase(void **state)
{
	struct keyframe_gate g = gate();
	int made = 0;

	(void)state;
	/* asked every 30 ms for 30 s: burst plus one per 500 ms, no less for rounding */
	for (int64_t t = 0; t < 30000; t += 30)
		made += keyframe_gate_ask(&g, t * MS);
	assert_in_range(made, 60, 61);
}

static void fir_repetitions(void **state)
{
	struct fir_dedup d = { 0 };

	(void)state;
	assert_true(fir_dedup_is_new(&d, 1, 0, 0));
	assert_false(fir_dedup_is_new(&d, 1, 0, 100 * MS));
	assert_true(fir_dedup_is_new(&d, 1, 1, 200 * MS));
	assert_false(fir_dedup_is_new(&d, 1, 1, 300 * MS));
	assert_true(fir_dedup_is_new(&d, 1, 0, 400 * MS)); /* 1 -> 0: another command */
	assert_true(fir_dedup_is_new(&d, 2, 0, 500 * MS)); /* another requester */
	assert_false(fir_dedup_is_new(&d, 1, 0, 600 * MS));
	assert_false(fir_dedup_is_new(&d, 1, 0, 2399 * MS));
	assert_true(fir_dedup_is_new(&d, 1, 0, 2400 * MS)); /* never counts up */
	for (uint32_t ssrc = 10; ssrc < 14; ssrc++)
		assert_true(fir_dedup_is_new(&d, ssrc, 9, 2500 * MS));
	assert_true(fir_dedup_is_new(&d, 1, 0, 2500 * MS)); /* forgotten: table of four */
	assert_false(fir_dedup_is_new(&d, 13, 9, 2500 * MS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_storm_makes_few),
		cmocka_unit_test(tokens_come_back_and_stop_at_the_burst),
		cmocka_unit_test(refill_keeps_its_phase),
		cmocka_unit_test(fir_repetitions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
