/* Where a playback is in its film, by a clock that the test moves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mcu/base/clock.h"
#include "mcu/playback_clock.h"

#define MS NS_PER_MS

enum { FILM_MS = 60000 };

static int64_t ms(const struct playback_clock *c, int64_t now)
{
	return playback_clock_position(&c->point, now) / MS;
}

/* Open, and ready at its beginning; plays from time 1,000 ms on. */
static struct playback_clock playing(bool live)
{
	struct playback_clock c;

	playback_clock_init(&c, true, false);
	assert_int_equal(playback_clock_state(&c), PLAYBACK_OPENING);
	playback_clock_opened(&c, FILM_MS * MS, live, false);
	assert_int_equal(playback_clock_seek(&c, 0, 0), 0);
	assert_int_equal(playback_clock_state(&c), PLAYBACK_BUFFERING);
	playback_clock_ready(&c, 1000 * MS, c.point.serial, 0);
	assert_int_equal(playback_clock_state(&c), PLAYBACK_PLAYING);
	return c;
}

static void test_it_stands_until_it_is_ready(void **state)
{
	struct playback_clock c = playing(false);

	(void)state;
	assert_int_equal(ms(&c, 1000 * MS), 0);
	assert_int_equal(ms(&c, 1020 * MS), 20);
	assert_int_equal(ms(&c, 900 * MS), 0); /* never backwards */
}

static void test_pause_and_play(void **state)
{
	struct playback_clock c = playing(false);

	(void)state;
	playback_clock_play(&c, 3000 * MS, false);
	assert_int_equal(playback_clock_state(&c), PLAYBACK_PAUSED);
	assert_int_equal(ms(&c, 9000 * MS), 2000);
	playback_clock_play(&c, 9000 * MS, true);
	assert_int_equal(ms(&c, 9500 * MS), 2500);
}

static void test_seek_waits_for_its_own_answer(void **state)
{
	struct playback_clock c = playing(false);
	uint32_t before = c.point.serial;

	(void)state;
	assert_int_equal(playback_clock_seek(&c, 2000 * MS, 30000 * MS), 30000 * MS);
	assert_int_equal(ms(&c, 5000 * MS), 30000);
	playback_clock_ready(&c, 2500 * MS, before, 0); /* of the seek before */
	assert_false(c.point.runs);
	playback_clock_ready(&c, 3000 * MS, c.point.serial, 30000 * MS);
	assert_int_equal(ms(&c, 4000 * MS), 31000);
	/* Within the film, whatever was asked for. */
	assert_int_equal(playback_clock_seek(&c, 0, INT64_MAX), FILM_MS * MS);
	assert_int_equal(playback_clock_seek(&c, 0, -5), 0);
}

static void test_a_seek_while_paused_stays_paused(void **state)
{
	struct playback_clock c = playing(false);

	(void)state;
	playback_clock_play(&c, 2000 * MS, false);
	playback_clock_seek(&c, 3000 * MS, 10000 * MS);
	playback_clock_ready(&c, 3100 * MS, c.point.serial, 10000 * MS);
	assert_int_equal(playback_clock_state(&c), PLAYBACK_PAUSED);
	assert_int_equal(ms(&c, 8000 * MS), 10000);
}

static void test_it_stands_while_nothing_comes(void **state)
{
	struct playback_clock c = playing(false);

	(void)state;
	/* Sound up to 1 s: a little later it stands. */
	assert_int_equal(playback_clock_turn(&c, 2100 * MS, 1000 * MS), PLAYBACK_GOES_ON);
	assert_int_equal(playback_clock_state(&c), PLAYBACK_PLAYING);
	playback_clock_turn(&c, 2300 * MS, 1000 * MS);
	assert_int_equal(playback_clock_state(&c), PLAYBACK_BUFFERING);
	assert_int_equal(ms(&c, 9000 * MS), 1300);
	/* Not for a little that comes, but for enough. */
	playback_clock_turn(&c, 9000 * MS, 1400 * MS);
	assert_int_equal(playback_clock_state(&c), PLAYBACK_BUFFERING);
	playback_clock_turn(&c, 9100 * MS, 1800 * MS);
	assert_int_equal(playback_clock_state(&c), PLAYBACK_PLAYING);
	assert_int_equal(ms(&c, 9200 * MS), 1400);
}

static void test_the_end(void **state)
{
	struct playback_clock c = playing(false);

	(void)state;
	playback_clock_end(&c, c.point.serial - 1, 2000 * MS); /* of a seek before */
	assert_int_equal(playback_clock_turn(&c, 3100 * MS, 3000 * MS), PLAYBACK_GOES_ON);
	playback_clock_end(&c, c.point.serial, 5000 * MS);
	assert_int_equal(playback_clock_turn(&c, 5900 * MS, 5000 * MS), PLAYBACK_GOES_ON);
	assert_int_equal(playback_clock_turn(&c, 6000 * MS, 5000 * MS), PLAYBACK_OVER);
	assert_int_equal(playback_clock_state(&c), PLAYBACK_ENDED);
	assert_int_equal(ms(&c, 99000 * MS), 5000);
}

static void test_it_loops(void **state)
{
	struct playback_clock c = playing(false);

	(void)state;
	c.loop = true;
	playback_clock_end(&c, c.point.serial, 5000 * MS);
	assert_int_equal(playback_clock_turn(&c, 6500 * MS, 5000 * MS), PLAYBACK_AGAIN);
	playback_clock_seek(&c, 6500 * MS, 0);
	assert_int_equal(playback_clock_turn(&c, 7000 * MS, 0), PLAYBACK_GOES_ON);
	playback_clock_ready(&c, 7000 * MS, c.point.serial, 0);
	assert_int_equal(ms(&c, 7500 * MS), 500);
}

static void test_a_camera_keeps_up(void **state)
{
	struct playback_clock c = playing(true);

	(void)state;
	assert_int_equal(c.duration_ns, 0);
	assert_int_equal(playback_clock_turn(&c, 2000 * MS, 2000 * MS), PLAYBACK_GOES_ON);
	assert_int_equal(ms(&c, 2000 * MS), 1000);
	/* It has fallen behind by more than it may: what is late is left out. */
	playback_clock_turn(&c, 3000 * MS, 5000 * MS);
	assert_int_equal(ms(&c, 3000 * MS), 4700);
	/* Its clock was set back: that place never comes again. */
	assert_int_equal(playback_clock_turn(&c, 4000 * MS, 2000 * MS), PLAYBACK_GOES_ON);
	assert_int_equal(ms(&c, 4000 * MS), 1700);
	assert_int_equal(playback_clock_state(&c), PLAYBACK_PLAYING);
}

static void test_a_camera_that_is_set_back_while_nothing_comes(void **state)
{
	struct playback_clock c = playing(true);

	(void)state;
	playback_clock_turn(&c, 6000 * MS, 4700 * MS);
	assert_int_equal(playback_clock_state(&c), PLAYBACK_BUFFERING);
	playback_clock_turn(&c, 7000 * MS, 500 * MS);
	assert_int_equal(playback_clock_state(&c), PLAYBACK_PLAYING);
	assert_int_equal(ms(&c, 7000 * MS), 200);
}

static void test_a_picture_has_no_time(void **state)
{
	struct playback_clock c;

	(void)state;
	playback_clock_init(&c, true, false);
	playback_clock_opened(&c, 5 * MS, false, true);
	playback_clock_seek(&c, 0, 9000 * MS);
	playback_clock_ready(&c, 0, c.point.serial, 7);
	playback_clock_end(&c, c.point.serial, 1);
	assert_int_equal(playback_clock_turn(&c, 99000 * MS, 0), PLAYBACK_GOES_ON);
	assert_int_equal(ms(&c, 99000 * MS), 0);
	assert_int_equal(playback_clock_state(&c), PLAYBACK_PLAYING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_stands_until_it_is_ready),
		cmocka_unit_test(test_pause_and_play),
		cmocka_unit_test(test_seek_waits_for_its_own_answer),
		cmocka_unit_test(test_a_seek_while_paused_stays_paused),
		cmocka_unit_test(test_it_stands_while_nothing_comes),
		cmocka_unit_test(test_the_end),
		cmocka_unit_test(test_it_loops),
		cmocka_unit_test(test_a_camera_keeps_up),
		cmocka_unit_test(test_a_camera_that_is_set_back_while_nothing_comes),
		cmocka_unit_test(test_a_picture_has_no_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
