/* Which rungs there are, and who may have which: by tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mcu/room/ladder.h"

static struct engine_cfg ladder(int w, int h, const char *const *text)
{
	struct engine_cfg c = { .width = w, .height = h, .fps = 30, .video_bps = 1500000 };
	struct engine_rung r;

	for (; *text; text++) {
		assert_true(ladder_parse(&r, *text));
		ladder_add(&c, &r);
	}
	return c;
}

static const char *const usual[] = { "720@30/1500", "360@30/500", "180@15/150", NULL };

static void test_rungs(void **state)
{
	struct engine_cfg c = ladder(1280, 720, usual);
	struct engine_rung r;

	(void)state;
	assert_int_equal(ladder_rungs(&c), 3); /* the canvas is the first */
	r = ladder_rung(&c, 0);
	assert_int_equal(r.width, 1280);
	assert_int_equal(r.bps, 1500000);
	r = ladder_rung(&c, 1);
	assert_int_equal(r.width, 640);
	assert_int_equal(r.height, 360);
	assert_int_equal(r.bps, 500000);
	r = ladder_rung(&c, 2);
	assert_int_equal(r.width, 320);
	assert_int_equal(r.fps, 15);
	c = ladder(640, 480, usual);
	assert_int_equal(ladder_rungs(&c), 3);
	assert_int_equal(ladder_rung(&c, 1).width, 480); /* in its shape */
	assert_int_equal(ladder_rung(&c, 2).width, 240);
	c = ladder(160, 90, usual);
	assert_int_equal(ladder_rungs(&c), 1);
	c = ladder(1920, 1080, (const char *const[]){ "900@60/1400", "720@60/1300", "540@60/900",
						      "360@30/500", NULL });
	assert_int_equal(ladder_rungs(&c), ENGINE_MAX_RUNGS);
	assert_int_equal(ladder_rung(&c, 1).fps, 30); /* not more than the canvas */
}

static void test_text(void **state)
{
	static const char *const wrong[] = { "", "360", "360@30", "360@30/", "360@30/500k", "x@30/500",
					     "360@0/500", "360@30/5", "20@30/500", "360@99/500" };
	struct engine_rung r;

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_false(ladder_parse(&r, wrong[i]));
}

static void test_best(void **state)
{
	static const struct {
		struct leg_view want;
		struct leg_tx_format f;
		unsigned best;
	} row[] = {
		{ { 0 }, { 0 }, 0 },
		{ { .max_height = 720 }, { 0 }, 0 },
		{ { .max_height = 719 }, { 0 }, 1 },
		{ { .max_height = 360 }, { 0 }, 1 },
		{ { .max_height = 1 }, { 0 }, 2 },
		{ { .max_kbps = 1499 }, { 0 }, 1 },
		{ { .max_kbps = 499 }, { 0 }, 2 },
		{ { 0 }, { .max_fs = 3600, .max_mbps = 108000, .max_bps = 14000000 }, 0 }, /* 3.1 */
		{ { 0 }, { .max_fs = 1620, .max_mbps = 40500 }, 1 },			   /* 3.0 */
		{ { 0 }, { .max_fs = 396, .max_mbps = 11880 }, 2 },			   /* 1.3 */
		{ { 0 }, { .max_fs = 3600, .max_mbps = 54000 }, 1 },
		{ { 0 }, { .max_bps = 600000 }, 1 },
		{ { .max_height = 360 }, { .max_bps = 200000 }, 2 },
	};
	struct engine_cfg c = ladder(1280, 720, usual);

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof *row; i++)
		assert_int_equal(ladder_best(&c, &row[i].want, &row[i].f), row[i].best);
}

static void test_levels(void **state)
{
	static const struct {
		struct engine_rung r;
		int level;
	} row[] = {
		{ { 320, 180, 15, 150000 }, 13 },   { { 640, 360, 30, 500000 }, 30 },
		{ { 1280, 720, 30, 1500000 }, 31 }, { { 1920, 1080, 30, 4000000 }, 40 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof *row; i++)
		assert_int_equal(ladder_h264_level(&row[i].r), row[i].level);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rungs),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_best),
		cmocka_unit_test(test_levels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
