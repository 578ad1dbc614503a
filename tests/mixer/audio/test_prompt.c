/* Announcements over a room's sound. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mixer/audio/prompt.h"
#include "tests/support/alloc_count.h"
#include "tests/support/tone.h"

enum { TICK = 960 };

static float mix[2 * TICK];

/* So many ticks of one value. */
static struct prompt *constant(size_t samples, int16_t v)
{
	struct prompt *p = malloc(sizeof *p + samples * sizeof p->pcm[0] + 1);

	assert_non_null(p);
	p->n = samples;
	for (size_t i = 0; i < samples; i++)
		p->pcm[i] = v;
	return p;
}

static void tick(struct prompt_player *p, float room)
{
	for (size_t i = 0; i < TICK; i++)
		mix[i] = room;
	prompt_player_tick(p, mix, 1, AUDIO_BAND_FULL);
}

static struct prompt_list list(uint32_t id, const struct prompt *s)
{
	return (struct prompt_list){ .id = id, .n = 1, .part = { s } };
}

static void over_is(struct prompt_player *p, uint32_t id, bool stopped)
{
	struct prompt_over o;

	assert_true(prompt_player_over(p, &o));
	assert_int_equal(o.id, id);
	assert_int_equal(o.stopped, stopped);
	prompt_player_fetched(p);
}

static void nothing_over(struct prompt_player *p)
{
	struct prompt_over o;

	assert_false(prompt_player_over(p, &o));
}

static void test_level_and_ducking(void **state)
{
	struct prompt *s = constant(TICK * 20, 8192);
	struct prompt_list l = list(7, s);
	struct prompt_player *p;
	int ticks = 0;

	(void)state;
	assert_int_equal(prompt_player_new(&p), 0);
	assert_true(prompt_player_is_idle(p));
	assert_int_equal(prompt_player_add(p, &l), 0);
	assert_false(prompt_player_is_idle(p));
	tick(p, 0.4f);
	/* The room goes down by a ramp, not by a step. */
	assert_true(fabsf(mix[0] - 0.65f) < 0.01f);
	for (int i = 0; i < 5; i++)
		tick(p, 0.4f);
	assert_true(fabsf(mix[TICK - 1] - (0.25f + 0.4f * PROMPT_ROOM_GAIN)) < 1e-4f);
	nothing_over(p);
	for (int i = 6; i < 20; i++)
		tick(p, 0.4f);
	over_is(p, 7, false);
	nothing_over(p);
	while (!prompt_player_is_idle(p) && ticks++ < 100) {
		float before = mix[TICK - 1];

		tick(p, 0.4f);
		assert_true(mix[0] - (ticks > 1 ? before : mix[0]) < 0.03f);
	}
	assert_in_range(ticks, 5, 30);
	tick(p, 0.4f);
	assert_true(mix[0] >= 0.4f && mix[TICK - 1] <= 0.4f);
	prompt_player_free(&p);
	free(s);
}

/* As loud as both are, nothing is cut off. */
static void test_limited(void **state)
{
	struct prompt *s = constant(TICK * 20, 32000);
	struct prompt_list l = list(1, s);
	struct prompt_player *p;

	(void)state;
	assert_int_equal(prompt_player_new(&p), 0);
	assert_int_equal(prompt_player_add(p, &l), 0);
	for (int i = 0; i < 10; i++) {
		tick(p, 0.9f);
		for (size_t k = 0; k < TICK; k++)
			assert_true(mix[k] <= 1);
	}
	prompt_player_free(&p);
	free(s);
}

/* One after the other without a gap, also inside a tick. */
static void test_parts_and_queue(void **state)
{
	struct prompt *a = constant(TICK / 2, 3277), *b = constant(TICK, 6554), *none = constant(0, 0);
	struct prompt_list l = { .id = 1, .n = 3, .part = { a, none, b } }, next = list(2, b);
	struct prompt_player *p;

	(void)state;
	assert_int_equal(prompt_player_new(&p), 0);
	assert_int_equal(prompt_player_add(p, &l), 0);
	assert_int_equal(prompt_player_add(p, &next), 0);
	tick(p, 0);
	assert_true(fabsf(mix[TICK / 2 - 1] - 0.1f) < 1e-3f);
	assert_true(fabsf(mix[TICK / 2] - 0.2f) < 1e-3f);
	tick(p, 0);
	over_is(p, 1, false);
	nothing_over(p);
	assert_true(fabsf(mix[TICK - 1] - 0.2f) < 1e-3f);
	tick(p, 0);
	over_is(p, 2, false);
	assert_true(fabsf(mix[TICK / 2 - 1] - 0.2f) < 1e-3f);
	assert_true(fabsf(mix[TICK / 2]) < 1e-6f);
	prompt_player_free(&p);
	free(a);
	free(b);
	free(none);
}

static void test_loop_goes_on_until_stopped(void **state)
{
	struct prompt *s = constant(TICK / 4 * 5, 3277);
	struct prompt_list l = list(3, s);
	struct prompt_player *p;

	(void)state;
	l.loop = true;
	assert_int_equal(prompt_player_new(&p), 0);
	assert_int_equal(prompt_player_add(p, &l), 0);
	for (int i = 0; i < 499; i++) {
		tick(p, 0);
		for (size_t k = 0; k < TICK; k++)
			assert_true(fabsf(mix[k] - 0.1f) < 1e-3f);
	}
	nothing_over(p);
	prompt_player_stop(p, true); /* it is none that a digit stops */
	nothing_over(p);
	prompt_player_stop(p, false);
	over_is(p, 3, true);
	nothing_over(p);
	/* It fades. */
	tick(p, 0);
	assert_true(mix[0] > 0.09f && mix[TICK / 2] > 0.04f && mix[TICK / 2] < 0.06f);
	assert_true(mix[TICK - 1] < 0.001f);
	tick(p, 0);
	assert_true(fabsf(mix[0]) < 1e-6f);
	prompt_player_free(&p);
	free(s);
}

/* Nothing but empty sounds, over and over: a tick must end. */
static void test_empty_loop(void **state)
{
	struct prompt *s = constant(0, 0);
	struct prompt_list l = { .id = 1, .loop = true, .n = 2, .part = { s, s } };
	struct prompt_player *p;

	(void)state;
	assert_int_equal(prompt_player_new(&p), 0);
	assert_int_equal(prompt_player_add(p, &l), 0);
	tick(p, 0);
	nothing_over(p);
	prompt_player_stop(p, false);
	over_is(p, 1, true);
	prompt_player_free(&p);
	free(s);
}

static void test_a_digit_stops_what_it_may(void **state)
{
	struct prompt *s = constant(TICK * 4, 3277);
	struct prompt_list a = list(1, s), b = list(2, s), c = list(3, s);
	struct prompt_player *p;

	(void)state;
	a.until_digit = c.until_digit = true;
	assert_int_equal(prompt_player_new(&p), 0);
	assert_int_equal(prompt_player_add(p, &a), 0);
	assert_int_equal(prompt_player_add(p, &b), 0);
	assert_int_equal(prompt_player_add(p, &c), 0);
	tick(p, 0);
	prompt_player_stop(p, true);
	over_is(p, 1, true);
	over_is(p, 3, true);
	nothing_over(p);
	for (int i = 0; i < 4; i++) {
		nothing_over(p);
		tick(p, 0);
	}
	over_is(p, 2, false);
	nothing_over(p);
	prompt_player_free(&p);
	free(s);
}

/* Also when nobody fetches: the ends that wait count. */
static void test_queue_is_bounded(void **state)
{
	struct prompt *s = constant(10, 3277);
	struct prompt_list l = list(1, s);
	struct prompt_player *p;

	(void)state;
	assert_int_equal(prompt_player_new(&p), 0);
	for (uint32_t i = 0; i < PROMPT_QUEUE; i++) {
		l.id = i;
		assert_int_equal(prompt_player_add(p, &l), 0);
	}
	assert_int_equal(prompt_player_add(p, &l), -ENOSPC);
	tick(p, 0);
	assert_int_equal(prompt_player_add(p, &l), -ENOSPC);
	for (uint32_t i = 0; i < PROMPT_QUEUE; i++)
		over_is(p, i, false);
	nothing_over(p);
	assert_int_equal(prompt_player_add(p, &l), 0);
	prompt_player_free(&p);
	free(s);
}

static void test_two_channels(void **state)
{
	struct prompt *s = constant(TICK, 3277);
	struct prompt_list l = list(1, s);
	struct prompt_player *p;

	(void)state;
	memset(mix, 0, sizeof mix);
	assert_int_equal(prompt_player_new(&p), 0);
	assert_int_equal(prompt_player_add(p, &l), 0);
	prompt_player_tick(p, mix, 2, AUDIO_BAND_FULL);
	for (size_t i = 0; i < 2 * TICK; i++)
		assert_true(fabsf(mix[i] - 0.1f) < 1e-3f);
	prompt_player_free(&p);
	free(s);
}

static void test_nothing_is_allocated(void **state)
{
	struct prompt *s = constant(TICK, 3277);
	struct prompt_list l = list(1, s);
	struct prompt_player *p;
	size_t before;

	(void)state;
	assert_int_equal(prompt_player_new(&p), 0);
	before = allocations;
	for (int i = 0; i < 50; i++) {
		struct prompt_over o;

		(void)prompt_player_add(p, &l);
		tick(p, 0.1f);
		if (i % 7 == 0)
			prompt_player_stop(p, false);
		while (prompt_player_over(p, &o))
			prompt_player_fetched(p);
	}
	assert_int_equal(allocations, before);
	prompt_player_free(&p);
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_level_and_ducking),
		cmocka_unit_test(test_limited),
		cmocka_unit_test(test_parts_and_queue),
		cmocka_unit_test(test_loop_goes_on_until_stopped),
		cmocka_unit_test(test_empty_loop),
		cmocka_unit_test(test_a_digit_stops_what_it_may),
		cmocka_unit_test(test_queue_is_bounded),
		cmocka_unit_test(test_two_channels),
		cmocka_unit_test(test_nothing_is_allocated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
