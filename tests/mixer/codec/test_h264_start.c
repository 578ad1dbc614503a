#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "mixer/codec/h264_start.h"
#include "mixer/codec/venc.h"
#include "tests/mixer/video/picture.h"

enum { W = 320, H = 180, ID = 0x42e01f };

static struct buf_pool *pool;

static int setup(void **state)
{
	(void)state;
	return buf_pool_new(&pool, "au", 1 << 17, 4, 4);
}

static int teardown(void **state)
{
	(void)state;
	buf_pool_free(&pool);
	return 0;
}

/* A key frame and the picture behind it. */
static void make(uint32_t profile_level_id, int w, int h, struct buf *au[2])
{
	struct venc_cfg cfg = { .codec = CODEC_H264, .w = w, .h = h, .fps = 30, .asm_ = "default",
				.bitrate_bps = 300000, .profile_level_id = profile_level_id };
	struct venc *e = NULL;
	bool key;

	assert_int_equal(venc_new(&e, &cfg), 0);
	for (int i = 0; i < 2; i++) {
		struct vframe *f = picture_waves(w, h, i);

		assert_int_equal(venc_encode(e, f, 0, false, pool, &au[i], &key), 0);
		vframe_unref(&f);
	}
	venc_free(&e);
}

static void drop(struct buf *au[2])
{
	buf_unref(&au[0]);
	buf_unref(&au[1]);
}

static void test_table(void **state)
{
	static const struct {
		uint32_t id;
		int w, h;
		enum h264_start want;
	} row[] = {
		{ 0x42e01f, W, H, H264_START_FITS }, { 0x42c01f, W, H, H264_START_FITS },
		{ 0x42e00d, W, H, H264_START_FITS }, { 0x42e020, W, H, H264_START_OTHER },
		{ 0x42801f, W, H, H264_START_OTHER }, { 0x4d401f, W, H, H264_START_OTHER },
		{ 0x640c1f, W, H, H264_START_OTHER }, { 0x42e01f, W, H + 2, H264_START_OTHER },
		{ 0x42e01f, W - 16, H, H264_START_OTHER },
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		struct buf *au[2];

		make(row[i].id, row[i].w, row[i].h, au);
		assert_int_equal(h264_start_of(au[0]->data, au[0]->len, ID, W, H), row[i].want);
		assert_int_equal(h264_start_of(au[1]->data, au[1]->len, ID, W, H), H264_START_NONE);
		drop(au);
	}
}

static void test_parameter_sets_are_in_it(void **state)
{
	static const uint8_t idr[] = { 0, 0, 0, 1, 0x65, 0x88, 0x84, 0x21 };
	struct buf *au[2];

	(void)state;
	assert_int_equal(h264_start_of(idr, sizeof idr, ID, W, H), H264_START_OTHER);
	assert_int_equal(h264_start_of(idr, 0, ID, W, H), H264_START_NONE);
	make(ID, W, H, au);
	/* new ones without a picture */
	assert_int_equal(h264_start_of(au[0]->data, 40, ID, W, H), H264_START_OTHER);
	drop(au);
}

static void test_what_it_says(void **state)
{
	struct buf *au[2];

	(void)state;
	make(0x42c00d, W, H, au);
	assert_memory_equal(au[0]->data + 5, "\x42\xc0\x0d", 3);
	h264_say_profile(au[0]->data, au[0]->len, ID);
	assert_memory_equal(au[0]->data + 5, "\x42\xe0\x1f", 3);
	h264_say_profile(au[0]->data, 6, ID); /* cut off: left alone */
	drop(au);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_parameter_sets_are_in_it),
		cmocka_unit_test(test_what_it_says),
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, setup, teardown);
}
