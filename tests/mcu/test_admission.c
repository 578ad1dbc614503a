#include "mcu/admission.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { CORES = 2000 };

static void see(struct admission *a, unsigned permille, int windows)
{
	struct admission_load l = { .permille = permille, .memory_left = INT64_MAX };

	while (windows--)
		admission_see(a, &l);
}

static void who_costs_less_is_taken_for_longer(void **state)
{
	static const struct {
		unsigned permille;
		bool takes[ADMISSION_N]; /* room, sender, content, encoder, sound, viewer */
	} cases[] = {
		{ 0, { true, true, true, true, true, true } },
		{ 700, { true, true, true, true, true, true } },
		{ 810, { false, false, false, false, true, true } },
		{ 910, { false, false, false, false, false, true } },
		{ 965, { false } },
		{ 1000, { false } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct admission a;

		admission_init(&a, 80, CORES);
		see(&a, cases[i].permille, 30);
		for (enum admission_kind k = 0; k < ADMISSION_N; k++)
			assert_int_equal(admission_ask(&a, k, 0, 0), cases[i].takes[k]);
	}
}

static void what_it_will_cost_counts(void **state)
{
	struct admission a;

	(void)state;
	admission_init(&a, 80, CORES);
	see(&a, 750, 30);
	assert_false(admission_ask(&a, ADMISSION_ROOM, 101, 101));
	assert_true(admission_ask(&a, ADMISSION_SENDER, 90, 90));
	/* which is reserved: the next finds less */
	assert_false(admission_ask(&a, ADMISSION_SENDER, 15, 15));
	assert_int_equal(admission_permille(&a), 750 + 45);
	/* and later shows, or not */
	see(&a, 750, 30);
	assert_true(admission_ask(&a, ADMISSION_ENCODER, 50, 50));
}

static void a_storm_is_counted_before_it_shows(void **state)
{
	struct admission a;
	int taken = 0;

	(void)state;
	admission_init(&a, 80, CORES);
	while (admission_ask(&a, ADMISSION_SENDER, 100, 100) && taken < 1000)
		taken++;
	assert_int_equal(taken, 16);
}

static void what_comes_later_is_not_reserved(void **state)
{
	struct admission a;

	(void)state;
	admission_init(&a, 80, CORES);
	for (int i = 0; i < 100; i++)
		assert_true(admission_ask(&a, ADMISSION_ROOM, 140, 1));
	assert_int_equal(admission_permille(&a), 50);
	see(&a, 750, 30);
	assert_false(admission_ask(&a, ADMISSION_ROOM, 140, 1));
}

static void refused_until_a_little_below(void **state)
{
	struct admission a;

	(void)state;
	admission_init(&a, 80, CORES);
	see(&a, 810, 30);
	assert_false(admission_ask(&a, ADMISSION_SENDER, 0, 0));
	see(&a, 760, 30);
	assert_false(admission_ask(&a, ADMISSION_SENDER, 0, 0));
	assert_true(admission_ask(&a, ADMISSION_ROOM, 0, 0)); /* was not refused before */
	see(&a, 740, 30);
	assert_true(admission_ask(&a, ADMISSION_SENDER, 0, 0));
	see(&a, 790, 30);
	assert_true(admission_ask(&a, ADMISSION_SENDER, 0, 0));
}

static void one_loud_window_is_no_load(void **state)
{
	struct admission a;

	(void)state;
	admission_init(&a, 80, CORES);
	see(&a, 100, 30);
	see(&a, 1000, 1);
	assert_true(admission_ask(&a, ADMISSION_SENDER, 0, 0));
	see(&a, 1000, 3);
	assert_false(admission_ask(&a, ADMISSION_SENDER, 0, 0));
}

static struct admission seen(const struct admission_load *l)
{
	struct admission a;

	admission_init(&a, 80, CORES);
	admission_see(&a, l);
	return a;
}

static void only_cheap_ones(struct admission *a)
{
	for (enum admission_kind k = 0; k < ADMISSION_N; k++)
		assert_int_equal(admission_ask(a, k, 1, 1), k >= ADMISSION_SOUND);
}

static void strain_refuses_who_is_dear(void **state)
{
	struct admission_load l = { .permille = 100, .strained = true, .memory_left = INT64_MAX };
	struct admission a = seen(&l);

	(void)state;
	only_cheap_ones(&a);
	see(&a, 100, 1);
	assert_true(admission_ask(&a, ADMISSION_ROOM, 1, 1));
}

static void late_sound_refuses_all_but_a_hiccup_does_not(void **state)
{
	struct admission_load l = { .permille = 100, .sound_missed = true, .memory_left = INT64_MAX };
	struct admission a = seen(&l);

	(void)state;
	see(&a, 100, 1);
	admission_see(&a, &l);
	assert_true(admission_ask(&a, ADMISSION_ROOM, 1, 1));
	for (int i = 0; i < ADMISSION_SOUND_LATE; i++)
		admission_see(&a, &l);
	for (enum admission_kind k = 0; k < ADMISSION_N; k++)
		assert_false(admission_ask(&a, k, 1, 1));
	see(&a, 100, 10);
	assert_true(admission_ask(&a, ADMISSION_ROOM, 1, 1));
}

static void memory_that_is_short_refuses(void **state)
{
	struct admission_load l = { .permille = 100, .memory_left = 50 << 20 };
	struct admission a = seen(&l);

	(void)state;
	only_cheap_ones(&a);
	l.memory_left = 20 << 20;
	admission_see(&a, &l);
	assert_false(admission_ask(&a, ADMISSION_VIEWER, 1, 1));
}

static void zero_takes_everybody(void **state)
{
	struct admission_load l = { .permille = 1000, .strained = true, .sound_missed = true };
	struct admission a;

	(void)state;
	admission_init(&a, 0, CORES);
	for (int i = 0; i < 30; i++)
		admission_see(&a, &l);
	assert_true(admission_ask(&a, ADMISSION_ROOM, 100000, 100000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_costs_less_is_taken_for_longer),
		cmocka_unit_test(what_it_will_cost_counts),
		cmocka_unit_test(a_storm_is_counted_before_it_shows),
		cmocka_unit_test(what_comes_later_is_not_reserved),
		cmocka_unit_test(refused_until_a_little_below),
		cmocka_unit_test(one_loud_window_is_no_load),
		cmocka_unit_test(strain_refuses_who_is_dear),
		cmocka_unit_test(late_sound_refuses_all_but_a_hiccup_does_not),
		cmocka_unit_test(memory_that_is_short_refuses),
		cmocka_unit_test(zero_takes_everybody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
