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

enum { MADE = 3 /* rungs are those of usual */ };
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
		{ { 0 }, { .max_fs = 396, .max_mbps = 11880 }, MADE + 2 },		   /* 1.3 */
		{ { 0 }, { .max_fs = 3600, .max_mbps = 54000 }, 1 },
		{ { 0 }, { .max_bps = 600000 }, 1 },
		{ { .max_height = 360 }, { .max_bps = 200000 }, 2 },
		{ { .max_height = 180 }, { .max_fs = 396, .max_mbps = 11880 }, 2 },
		{ { 0 }, { .max_fs = 396, .max_mbps = 11880, .max_bps = 256000 }, 2 },
		{ { 0 }, { .max_fs = 396, .max_mbps = 6000, .max_bps = 384000 }, 2 },	 /* 1.2 */
		{ { 0 }, { .max_fs = 396, .max_mbps = 3000, .max_bps = 192000 }, MADE + 4 },
		{ { 0 }, { .max_fs = 99, .max_mbps = 1485, .max_bps = 64000 }, MADE + 5 }, /* 1 */
		{ { 0 }, { .max_bps = 10000 }, MADE + 5 }, /* the smallest there is */
		{ { 0 }, { .codec = CODEC_H263, .max_fs = 396 }, MADE + LADDER_MADE },
		{ { 0 }, { .codec = CODEC_H263, .max_fs = 99 }, MADE + LADDER_MADE + 1 },
		{ { 0 }, { .codec = CODEC_H263, .max_fs = 396, .max_bps = 100000 },
		  MADE + LADDER_MADE + 1 },
		{ { .max_height = 1 }, { .codec = CODEC_H263, .max_fs = 396 },
		  MADE + LADDER_MADE + 1 },
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
		{ { 208, 112, 15, 56000 }, 10 },    { { 320, 180, 15, 150000 }, 12 },
		{ { 416, 240, 30, 360000 }, 13 },   { { 640, 360, 30, 500000 }, 30 },
		{ { 1280, 720, 30, 1500000 }, 31 }, { { 1920, 1080, 30, 4000000 }, 40 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof *row; i++)
		assert_int_equal(ladder_h264_level(&row[i].r), row[i].level);
}

/* What is made fits the limits of its level, whatever the canvas is. */
static void test_made_ones(void **state)
{
	static const struct {
		unsigned fs, mbps, kbps; /* of the level */
		uint8_t level;
	} level[LADDER_MADE] = {
		{ 3600, 108000, 14000, 31 }, { 1620, 40500, 10000, 30 }, { 396, 11880, 768, 13 },
		{ 396, 6000, 384, 12 },	     { 396, 3000, 192, 11 },	 { 99, 1485, 64, 10 },
	};
	static const int canvas[][2] = { { 1280, 720 }, { 1920, 1080 }, { 640, 480 }, { 320, 240 },
					 { 720, 1280 }, { 160, 90 }, { 2560, 1080 } };

	(void)state;
	for (size_t k = 0; k < sizeof canvas / sizeof canvas[0]; k++) {
		struct engine_cfg c = ladder(canvas[k][0], canvas[k][1], usual);

		for (unsigned i = 0; i < LADDER_MADE; i++) {
			struct engine_rung r = ladder_rung(&c, ladder_rungs(&c) + i);
			unsigned mbs = (unsigned)((r.width + 15) / 16 * ((r.height + 15) / 16));
			double shape = (double)r.width * c.height / r.height / c.width;

			assert_true(ladder_is_made(&c, ladder_rungs(&c) + i));
			assert_true(r.width <= c.width && r.height <= c.height);
			assert_true(r.width % 2 == 0 && r.height % 2 == 0);
			assert_true(shape > 0.96 && shape < 1.04);
			assert_true(mbs <= level[i].fs && mbs * (unsigned)r.fps <= level[i].mbps);
			assert_true((unsigned)r.bps <= level[i].kbps * 1000);
			assert_true(ladder_h264_level(&r) <= level[i].level);
			/* and is no smaller than it must be */
			assert_true(r.height + 20 > c.height || mbs * 4 > level[i].fs * (i == 4 ? 1 : 3));
		}
		assert_false(ladder_is_made(&c, ladder_rungs(&c) - 1));
	}
}

/* The two sizes of H.263: the canvas's shape on pixels of 12:11, with room for bars. */
static void test_h263(void **state)
{
	struct engine_cfg c = ladder(1280, 720, usual);
	struct engine_rung r = ladder_rung(&c, MADE + LADDER_MADE);

	(void)state;
	assert_int_equal(r.width, 352);
	assert_int_equal(r.height, 216);
	r = ladder_rung(&c, MADE + LADDER_MADE + 1);
	assert_int_equal(r.width, 176);
	assert_int_equal(r.height, 108);
	assert_true(r.bps <= 64000);
	c = ladder(640, 480, usual);
	r = ladder_rung(&c, MADE + LADDER_MADE);
	assert_int_equal(r.width, 352);
	assert_int_equal(r.height, 288);
	c = ladder(720, 1280, usual);
	r = ladder_rung(&c, ladder_rungs(&c) + LADDER_MADE);
	assert_int_equal(r.width, 148);
	assert_int_equal(r.height, 288);
	/* and for nobody else */
	assert_false(ladder_fits(&c, ladder_rungs(&c) + LADDER_MADE,
				 &(struct leg_tx_format){ .codec = CODEC_H264 }));
	assert_false(ladder_fits(&c, 0, &(struct leg_tx_format){ .codec = CODEC_H263 }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rungs),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_best),
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_made_ones),
		cmocka_unit_test(test_h263),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
