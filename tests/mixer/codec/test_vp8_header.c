#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <libavcodec/avcodec.h>

#include "mixer/codec/vp8_header.h"
#include "tests/mixer/codec/ffmpeg_stream.h"

static void test_real_stream(void **state)
{
	struct ffmpeg_stream s;
	struct vp8_header h;

	(void)state;
	ffmpeg_stream_make(&s, "libvpx", 322, 182, AV_PIX_FMT_YUV420P, 8, 5);
	for (int i = 0; i < s.n; i++) {
		const AVPacket *p = s.pkt[i];
		size_t need;

		assert_int_equal(vp8_header_parse(&h, p->data, (size_t)p->size), 0);
		assert_int_equal(h.key, i % 5 == 0);
		assert_int_equal(!!(p->flags & AV_PKT_FLAG_KEY), h.key);
		assert_true(h.show);
		assert_int_equal(h.width, h.key ? 322 : 0);
		assert_int_equal(h.height, h.key ? 182 : 0);
		assert_int_equal(h.version, 0);
		assert_in_range(h.first_part_bytes, 1, p->size - 3);
		/* its first partition must be there */
		need = h.first_part_bytes + (h.key ? 10 : 3);
		assert_int_equal(vp8_header_parse(&h, p->data, need), 0);
		for (size_t n = 0; n < need; n++)
			assert_int_equal(vp8_header_parse(&h, p->data, n), -EBADMSG);
	}
	ffmpeg_stream_free(&s);
}

/* Key frame, version 0, shown, first partition of one octet, 16383x2, scaled. */
static const uint8_t key[] = { 0x30, 0, 0, 0x9d, 0x01, 0x2a, 0xff, 0x7f, 0x02, 0x80, 0xaa };

static void test_fields(void **state)
{
	struct vp8_header h;

	(void)state;
	assert_int_equal(vp8_header_parse(&h, key, sizeof key), 0);
	assert_true(h.key && h.show);
	assert_int_equal(h.first_part_bytes, 1);
	assert_int_equal(h.width, 16383);
	assert_int_equal(h.height, 2);
	assert_int_equal(h.scale_x, 1);
	assert_int_equal(h.scale_y, 2);
}

static void test_refusals(void **state)
{
	static const struct {
		size_t at;
		uint8_t v;
	} t[] = { { 0, 0x38 }, { 0, 0x10 }, { 0, 0x50 }, { 3, 0 }, { 4, 0 }, { 5, 0 }, { 8, 0 } };
	uint8_t bad[sizeof key];
	struct vp8_header h = { .width = 7 };

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		memcpy(bad, key, sizeof key);
		bad[t[i].at] = t[i].v;
		assert_int_equal(vp8_header_parse(&h, bad, sizeof bad), -EBADMSG);
	}
	assert_int_equal(vp8_header_parse(&h, key, 0), -EBADMSG);
	assert_int_equal(h.width, 7); /* untouched */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_real_stream),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
