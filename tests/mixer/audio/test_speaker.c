#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mixer/audio/speaker.h"

/* Feeds legs 1…4 (active if the level is above -50) for some ticks; returns at
 * which tick the dominant speaker changed last, or -1. */
static int feed(struct speaker *s, int ticks, const float level[4]) ON_THREAD(ROLE_MIXA)
{
	int changed_at = -1;

	for (int t = 0; t < ticks; t++) {
		bool changed;

		for (uint32_t i = 0; i < 4; i++)
			speaker_feed(s, i + 1, level[i], level[i] > -50);
		speaker_tick(s, &changed);
		if (changed)
			changed_at = t;
	}
	return changed_at;
}

static uint32_t current(struct speaker *s) ON_THREAD(ROLE_MIXA)
{
	return speaker_tick(s, NULL);
}

static struct speaker *new_speaker(void)
{
	struct speaker *s = NULL;

	role_enter(ROLE_ID_NONE);
	assert_int_equal(speaker_new(&s, 8), 0);
	return s;
}

static const float nobody[4] = { -90, -90, -90, -90 };
static const float first[4] = { -20, -90, -90, -90 };
static const float second[4] = { -90, -20, -90, -90 };
static const float both[4] = { -20, -20, -90, -90 };
static const float second_louder[4] = { -35, -20, -90, -90 };

static void test_talking_takes_the_floor(void **state)
{
	struct speaker *s = new_speaker();

	(void)state;
	role_assert_mixa();
	assert_int_equal(feed(s, 100, nobody), -1);
	assert_int_equal(current(s), 0);
	assert_in_range(feed(s, 50, first), 15, 30);
	assert_int_equal(current(s), 1);
	/* Silence changes nothing. */
	assert_int_equal(feed(s, 500, nobody), -1);
	assert_int_equal(current(s), 1);
	assert_in_range(feed(s, 50, second), 15, 30);
	assert_int_equal(current(s), 2);
	assert_int_equal(speaker_previous(s), 1);
	speaker_free(&s);
}

static void test_a_cough_does_not_switch(void **state)
{
	struct speaker *s = new_speaker();
	const float cough[4] = { -20, -5, -90, -90 };

	(void)state;
	role_assert_mixa();
	feed(s, 200, first);
	/* 200 ms, while the holder talks and while he makes a pause. */
	assert_int_equal(feed(s, 10, cough), -1);
	assert_int_equal(feed(s, 100, first), -1);
	feed(s, 50, nobody);
	assert_int_equal(feed(s, 10, second), -1);
	assert_int_equal(feed(s, 100, nobody), -1);
	assert_int_equal(current(s), 1);
	speaker_free(&s);
}

static void test_equals_do_not_flap_and_louder_wins(void **state)
{
	struct speaker *s = new_speaker();

	(void)state;
	role_assert_mixa();
	feed(s, 100, first);
	assert_int_equal(feed(s, 1000, both), -1);
	assert_int_equal(current(s), 1);
	assert_true(feed(s, 100, second_louder) >= 0);
	assert_int_equal(current(s), 2);
	speaker_free(&s);
}

static void test_changes_keep_a_second_apart(void **state)
{
	struct speaker *s = new_speaker();
	int changes = 0;

	(void)state;
	role_assert_mixa();
	for (int round = 0; round < 20; round++) {
		changes += feed(s, 15, first) >= 0;
		changes += feed(s, 15, second) >= 0;
	}
	/* 12 seconds of ping-pong. */
	assert_in_range(changes, 0, 12);
	speaker_free(&s);
}

static void test_forgotten_legs_and_full_table(void **state)
{
	struct speaker *s = new_speaker();

	(void)state;
	role_assert_mixa();
	feed(s, 100, first);
	speaker_forget(s, 1);
	assert_int_equal(current(s), 0);
	feed(s, 100, second);
	assert_int_equal(current(s), 2);
	assert_int_equal(speaker_previous(s), 0);
	for (uint32_t id = 100; id < 200; id++)
		speaker_feed(s, id, -10, true);
	assert_int_equal(current(s), 2);
	/* Those who stopped make room. */
	feed(s, 400, nobody);
	for (int t = 0; t < 50; t++) {
		speaker_feed(s, 500, -10, true);
		speaker_tick(s, NULL);
	}
	assert_int_equal(current(s), 500);
	speaker_free(&s);
	assert_null(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_talking_takes_the_floor),
		cmocka_unit_test(test_a_cough_does_not_switch),
		cmocka_unit_test(test_equals_do_not_flap_and_louder_wins),
		cmocka_unit_test(test_changes_keep_a_second_apart),
		cmocka_unit_test(test_forgotten_legs_and_full_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
