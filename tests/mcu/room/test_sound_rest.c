#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mcu/room/sound_rest.h"

enum { SSRC = 77, LONG = 70000 /* beyond a roll-over of the numbers */ };

static uint16_t given; /* the number that the last packet was handed on with */

/* Whether it was handed on. */
static bool come(struct sound_rest *r, uint32_t ssrc, uint16_t seq, bool silent)
{
	if (sound_rest_holds(r, ssrc, seq, silent))
		return false;
	given = (uint16_t)(seq - sound_rest_before(r, ssrc, seq));
	return true;
}

/* The packets from `from` on; how many were handed on, whose numbers have no gap. */
static unsigned stream(struct sound_rest *r, uint16_t from, unsigned n, bool silent)
{
	unsigned passed = 0;

	for (unsigned i = 0; i < n; i++) {
		uint16_t before = given;

		if (!come(r, SSRC, (uint16_t)(from + i), silent))
			continue;
		assert_int_equal(given, (uint16_t)(before + 1));
		passed++;
	}
	return passed;
}

static void sound_is_never_kept(void **state)
{
	struct sound_rest r = { 0 };

	(void)state;
	given = 999;
	assert_int_equal(stream(&r, 1000, LONG, false), LONG);
	assert_int_equal(given, (uint16_t)(1000 + LONG - 1));
}

static void silence_is_kept_but_for_probes(void **state)
{
	struct sound_rest r = { 0 };
	unsigned passed;

	(void)state;
	given = 64999;
	assert_int_equal(stream(&r, 65000, 10, false), 10);
	assert_int_equal(stream(&r, 65010, SOUND_REST_SETTLE, true), SOUND_REST_SETTLE);
	passed = stream(&r, (uint16_t)(65010 + SOUND_REST_SETTLE), LONG, true);
	assert_int_equal(passed, LONG / SOUND_REST_PROBE);
	/* then all of it again, at once */
	assert_int_equal(stream(&r, (uint16_t)(65010 + SOUND_REST_SETTLE + LONG), 100, false), 100);
	assert_int_equal(stream(&r, (uint16_t)(65110 + SOUND_REST_SETTLE + LONG),
				SOUND_REST_SETTLE, true), SOUND_REST_SETTLE);
}

/* What is missing stays missing. */
static void losses_are_seen(void **state)
{
	struct sound_rest r = { 0 };

	(void)state;
	given = 99;
	stream(&r, 100, SOUND_REST_SETTLE + 10, true);
	given++; /* 100 + SETTLE + 10 */
	assert_true(come(&r, SSRC, 100 + SOUND_REST_SETTLE + 11, false));
	assert_int_equal(given, 100 + SOUND_REST_SETTLE + 1);
}

static void late_ones_keep_their_place(void **state)
{
	struct sound_rest r = { 0 };
	uint16_t at = 100 + SOUND_REST_SETTLE;

	(void)state;
	given = 99;
	stream(&r, 100, SOUND_REST_SETTLE, true);
	for (int i = 0; i < 5; i++)
		assert_false(come(&r, SSRC, at++, true));
	/* a loud one overtaken by two silent ones */
	assert_false(come(&r, SSRC, (uint16_t)(at + 1), true));
	assert_false(come(&r, SSRC, (uint16_t)(at + 2), true));
	assert_true(come(&r, SSRC, at, false));
	assert_int_equal(given, 100 + SOUND_REST_SETTLE);
	assert_true(come(&r, SSRC, (uint16_t)(at + 3), false));
	assert_int_equal(given, 100 + SOUND_REST_SETTLE + 1);
}

static void copies_count_once(void **state)
{
	struct sound_rest r = { 0 };
	uint16_t at = 100 + SOUND_REST_SETTLE;

	(void)state;
	given = 99;
	stream(&r, 100, SOUND_REST_SETTLE, true);
	for (int i = 0; i < 3; i++, at++) {
		assert_false(come(&r, SSRC, at, true));
		assert_false(come(&r, SSRC, at, true));
	}
	assert_false(come(&r, SSRC, (uint16_t)(at - 3), true));
	assert_true(come(&r, SSRC, at, false));
	assert_int_equal(given, 100 + SOUND_REST_SETTLE);
}

static void another_source_or_sequence_begins_anew(void **state)
{
	struct sound_rest r = { 0 };
	uint16_t offset;

	(void)state;
	given = 99;
	stream(&r, 100, 200, true);
	assert_true(come(&r, SSRC + 1, 5, true));
	assert_int_equal(given, 5);
	given = 4999;
	stream(&r, 5000, 200, true);
	/* the sender's numbers jump: they are as far apart from there on as they are */
	assert_true(come(&r, SSRC, 300, false));
	offset = given;
	assert_true(come(&r, SSRC, 301, false));
	assert_int_equal((uint16_t)(given - offset), 1);
}

/* Of its silence the kernel lets pass but some. */
static void what_is_dropped_before_is_kept_too(void **state)
{
	enum { EACH = 8 };
	struct sound_rest r = { 0 };
	unsigned passed = 0, at = 65000 + SOUND_REST_SETTLE;

	(void)state;
	given = 64999;
	assert_int_equal(stream(&r, 65000, SOUND_REST_SETTLE, true), SOUND_REST_SETTLE);
	for (unsigned i = 1; i <= LONG / EACH; i++) {
		uint16_t seq = (uint16_t)(at + i * EACH), before = given;

		sound_rest_bridge(&r, SSRC, seq);
		if (!come(&r, SSRC, seq, true))
			continue;
		assert_int_equal(given, (uint16_t)(before + 1));
		passed++;
		assert_true(sound_rest_is_on(&r));
	}
	/* a probe is the first that comes when one is due */
	assert_int_equal(passed, LONG / (SOUND_REST_PROBE + EACH - SOUND_REST_PROBE % EACH));
	at += LONG / EACH * EACH + 5;
	/* sound, before which some were dropped */
	sound_rest_bridge(&r, SSRC, (uint16_t)at);
	assert_int_equal(stream(&r, (uint16_t)at, 100, false), 100);
	assert_false(sound_rest_is_on(&r));
}

/* Nothing is bridged over to late ones, to other sources, nor from one sequence to another. */
static void only_gaps_are_bridged(void **state)
{
	struct sound_rest r = { 0 };

	(void)state;
	given = 99;
	sound_rest_bridge(&r, SSRC, 100);
	stream(&r, 100, SOUND_REST_SETTLE + 10, true);
	sound_rest_bridge(&r, SSRC, 90);
	sound_rest_bridge(&r, SSRC, 100 + SOUND_REST_SETTLE + 10);
	sound_rest_bridge(&r, SSRC, 20000);
	sound_rest_bridge(&r, SSRC + 1, 100 + SOUND_REST_SETTLE + 20);
	assert_int_equal(stream(&r, 100 + SOUND_REST_SETTLE + 10, 1, false), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sound_is_never_kept),
		cmocka_unit_test(silence_is_kept_but_for_probes),
		cmocka_unit_test(losses_are_seen),
		cmocka_unit_test(late_ones_keep_their_place),
		cmocka_unit_test(copies_count_once),
		cmocka_unit_test(another_source_or_sequence_begins_anew),
		cmocka_unit_test(what_is_dropped_before_is_kept_too),
		cmocka_unit_test(only_gaps_are_bridged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
