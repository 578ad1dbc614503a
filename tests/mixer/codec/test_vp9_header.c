#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "mixer/codec/vp9_header.h"
#include "tests/mixer/codec/bits.h"
#include "tests/mixer/codec/ffmpeg_stream.h"

static void test_real_stream(void **state)
{
	struct ffmpeg_stream s;

	(void)state;
	ffmpeg_stream_make(&s, "libvpx-vp9", 322, 181, AV_PIX_FMT_YUV420P, 8, 5);
	for (int i = 0; i < s.n; i++) {
		const AVPacket *p = s.pkt[i];
		struct vp9_superframe sf;
		struct vp9_header h;

		assert_int_equal(vp9_superframe_parse(&sf, p->data, (size_t)p->size), 0);
		assert_int_equal(sf.n, 1);
		assert_int_equal(sf.len[0], p->size);
		assert_int_equal(vp9_header_parse(&h, p->data, sf.len[0]), 0);
		assert_int_equal(h.key, i % 5 == 0);
		assert_int_equal(h.profile, 0);
		assert_true(h.show && !h.show_existing && !h.intra_only);
		assert_int_equal(h.has_size, h.key);
		if (!h.key)
			continue;
		assert_int_equal(h.width, 322);
		assert_int_equal(h.height, 181);
		assert_int_equal(h.bit_depth, 8);
		assert_int_equal(h.subsampling_x + h.subsampling_y, 2);
	}
	ffmpeg_stream_free(&s);
}

static void test_other_profiles(void **state)
{
	static const struct {
		enum AVPixelFormat fmt;
		uint8_t profile, depth, sub;
	} t[] = { { AV_PIX_FMT_YUV444P, 1, 8, 0 }, { AV_PIX_FMT_YUV420P10, 2, 10, 2 } };

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct ffmpeg_stream s;
		struct vp9_header h;

		ffmpeg_stream_make(&s, "libvpx-vp9", 64, 48, t[i].fmt, 1, 5);
		assert_int_equal(vp9_header_parse(&h, s.pkt[0]->data, (size_t)s.pkt[0]->size), 0);
		assert_int_equal(h.profile, t[i].profile);
		assert_int_equal(h.bit_depth, t[i].depth);
		assert_int_equal(h.subsampling_x + h.subsampling_y, t[i].sub);
		assert_int_equal(h.width, 64);
		assert_int_equal(h.height, 48);
		ffmpeg_stream_free(&s);
	}
}

#define SYNC "01001001 10000011 01000010 "

static int parse(struct vp9_header *h, const char *head, const char *rest)
{
	struct bits_out b = { .n = 0 };

	bits_puts(&b, head);
	bits_puts(&b, rest);
	for (size_t n = 0; n < bits_len(&b); n++)
		assert_int_equal(vp9_header_parse(h, b.data, n), -EBADMSG);
	return vp9_header_parse(h, b.data, bits_len(&b));
}

static void test_fields(void **state)
{
	struct vp9_header h;

	(void)state;
	/* marker, profile 0, not existing, key, shown; 601 limited; 65536x1 */
	assert_int_equal(parse(&h, "10 00 0 0 1 0" SYNC "001 0",
			       "1111111111111111 0000000000000000"), 0);
	assert_true(h.key && h.show && h.has_size);
	assert_int_equal(h.width, 65536);
	assert_int_equal(h.height, 1);
	/* hidden intra-only frame of profile 0: 16x8 */
	assert_int_equal(parse(&h, "10 00 0 1 0 0 1 00" SYNC "11111111",
			       "0000000000001111 0000000000000111"), 0);
	assert_true(h.intra_only && !h.key && !h.show && h.has_size);
	assert_int_equal(h.width, 16);
	assert_int_equal(h.height, 8);
	assert_int_equal(h.subsampling_y, 1);
	/* of profile 1: 4:4:0 */
	assert_int_equal(parse(&h, "10 10 0 1 0 1 1 " SYNC "001 0 0 1 0 11111111",
			       "0000000000001111 0000000000000111"), 0);
	assert_int_equal(h.profile, 1);
	assert_int_equal(h.subsampling_x, 0);
	assert_int_equal(h.subsampling_y, 1);
	/* inter frame of a size of its own: 1280x720 */
	assert_int_equal(parse(&h, "10 00 0 1 1 0 00 00000001 000000000000 000",
			       "0000010011111111 0000001011001111"), 0);
	assert_true(!h.key && !h.intra_only && h.has_size);
	assert_int_equal(h.width, 1280);
	assert_int_equal(h.height, 720);
	/* of its third reference's size */
	assert_int_equal(parse(&h, "10 00 0 1 1 1 00000001 000000000000 001", ""), 0);
	assert_false(h.has_size);
	/* shows what is there */
	assert_int_equal(parse(&h, "10 00 1 010", ""), 0);
	assert_true(h.show_existing && !h.key && !h.has_size);
	/* 12 bit, RGB */
	assert_int_equal(parse(&h, "10 11 0 0 0 1 0" SYNC "1 111 0",
			       "0000000000001111 0000000000000111"), 0);
	assert_int_equal(h.bit_depth, 12);
	assert_int_equal(h.subsampling_x, 0);
}

static void test_refusals(void **state)
{
	static const char *const bad[] = {
		"00 00 0 0 1 0" SYNC "001 0 0000000000001111 0000000000000111",
		"10 11 1 0 0 1 0" SYNC "0 001 0 0 0 0 0000000000001111 0000000000000111",
		"10 00 0 0 1 0 01001001 10000011 01000011 001 0 0000000000001111 0000000000000111",
		/* RGB in profile 0; 4:2:0 in profile 1 */
		"10 00 0 0 1 0" SYNC "111 0000000000001111 0000000000000111 00000000",
		"10 10 0 0 1 0" SYNC "001 0 1 1 0 0000000000001111 0000000000000111",
		/* reserved bit */
		"10 10 0 0 1 0" SYNC "001 0 0 0 1 0000000000001111 0000000000000111",
	};
	struct vp9_header h = { .width = 9 };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(parse(&h, bad[i], ""), -EBADMSG);
	assert_int_equal(h.width, 9); /* untouched */
}

static void test_superframe_index(void **state)
{
	/* frames of 3 and 2 octets */
	uint8_t two[] = { 1, 2, 3, 4, 5, 0xc1, 3, 2, 0xc1 };
	uint8_t wide[] = { 1, 0xd8, 1, 0, 0, 0, 0xd8 };
	uint8_t lone = 0xc0;
	struct vp9_superframe s;

	(void)state;
	assert_int_equal(vp9_superframe_parse(&s, two, sizeof two), 0);
	assert_int_equal(s.n, 2);
	assert_int_equal(s.len[0], 3);
	assert_int_equal(s.len[1], 2);
	two[6] = 4;
	assert_int_equal(vp9_superframe_parse(&s, two, sizeof two), -EBADMSG);
	two[6] = 0;
	assert_int_equal(vp9_superframe_parse(&s, two, sizeof two), -EBADMSG);
	two[5] = 0; /* no index: one frame */
	assert_int_equal(vp9_superframe_parse(&s, two, sizeof two), 0);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.len[0], sizeof two);
	assert_int_equal(vp9_superframe_parse(&s, wide, sizeof wide), 0);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.len[0], 1);
	wide[5] = 0xff; /* 4 GB */
	assert_int_equal(vp9_superframe_parse(&s, wide, sizeof wide), -EBADMSG);
	assert_int_equal(vp9_superframe_parse(&s, &lone, 1), 0);
	assert_int_equal(s.n, 1);
	assert_int_equal(vp9_superframe_parse(&s, two, 0), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_real_stream),
		cmocka_unit_test(test_other_profiles),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_superframe_index),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
