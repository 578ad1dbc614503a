#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "mixer/codec/av1_header.h"
#include "tests/mixer/codec/bits.h"
#include "tests/mixer/codec/ffmpeg_stream.h"

/* Walks a temporal unit; seq: of its last sequence header, if any. */
static void walk(const AVPacket *p, struct av1_sequence *seq, unsigned *sequences,
		 unsigned *frames, struct av1_frame *first)
{
	size_t pos = 0;

	*sequences = *frames = 0;
	while (pos < (size_t)p->size) {
		struct av1_frame f = { 0 };
		struct av1_obu o;

		assert_int_equal(av1_next_obu(&o, p->data, (size_t)p->size, &pos), 0);
		assert_ptr_equal(o.payload + o.len, p->data + pos);
		if (o.type == AV1_OBU_SEQUENCE) {
			assert_int_equal(av1_sequence_parse(seq, o.payload, o.len), 0);
			++*sequences;
		} else if (o.type == AV1_OBU_FRAME || o.type == AV1_OBU_FRAME_HEADER) {
			assert_int_equal(av1_frame_parse(&f, o.payload, o.len, seq->reduced), 0);
			if (!(*frames)++)
				*first = f;
		}
	}
}

static void check_stream(const char *encoder, enum AVPixelFormat fmt, const char *opts)
{
	struct av1_sequence seq = { 0 };
	struct ffmpeg_stream s;

	ffmpeg_stream_make_with(&s, encoder, 322, 182, fmt, 8, 5, opts);
	assert_true(s.n >= 1);
	for (int i = 0; i < s.n; i++) {
		unsigned sequences, frames;
		struct av1_frame f = { 0 };

		walk(s.pkt[i], &seq, &sequences, &frames, &f);
		assert_true(frames >= 1);
		assert_int_equal(f.key && f.show, !!(s.pkt[i]->flags & AV_PKT_FLAG_KEY));
		assert_int_equal(sequences >= 1, f.key || i == 0);
	}
	assert_int_equal(seq.max_width, 322);
	assert_int_equal(seq.max_height, 182);
	assert_int_equal(seq.bit_depth, fmt == AV_PIX_FMT_YUV420P10 ? 10 : 8);
	assert_int_equal(seq.subsampling_x, fmt != AV_PIX_FMT_YUV444P);
	assert_int_equal(seq.subsampling_y, fmt != AV_PIX_FMT_YUV444P);
	assert_int_equal(seq.profile, fmt == AV_PIX_FMT_YUV444P ? 1 : 0);
	assert_int_equal(seq.mono, fmt == AV_PIX_FMT_GRAY8);
	assert_false(seq.reduced);
	ffmpeg_stream_free(&s);
}

static void test_real_streams(void **state)
{
	(void)state;
	check_stream("libaom-av1", AV_PIX_FMT_YUV420P, NULL);
	check_stream("libaom-av1", AV_PIX_FMT_YUV420P, "aom-params=timing-info=model");
	check_stream("libaom-av1", AV_PIX_FMT_YUV420P, "color_primaries=bt709:colorspace=bt709");
	check_stream("libaom-av1", AV_PIX_FMT_YUV420P10, "usage=good");
	check_stream("libaom-av1", AV_PIX_FMT_YUV444P, "usage=good");
	check_stream("libaom-av1", AV_PIX_FMT_GRAY8, "usage=good");
}

/* profile, still, reduced, level; then 8 bits for each side; 64x48 */
#define SIZE "0101 0101 111111 101111 "

static int parse(struct av1_sequence *s, const char *bits)
{
	struct bits_out b = { .n = 0 };

	bits_puts(&b, bits);
	for (size_t n = 0; n < bits_len(&b); n++)
		assert_int_equal(av1_sequence_parse(s, b.data, n), -EBADMSG);
	return av1_sequence_parse(s, b.data, bits_len(&b));
}

static void test_fields(void **state)
{
	struct av1_sequence s;

	(void)state;
	/* a reduced still picture */
	assert_int_equal(parse(&s, "000 1 1 01000" SIZE "000 000 0 0 0 0 00 0 0"), 0);
	assert_true(s.still && s.reduced && !s.mono);
	assert_int_equal(s.max_width, 64);
	assert_int_equal(s.max_height, 48);
	assert_int_equal(s.bit_depth, 8);
	/* two operating points, the second with a tier; ids; no order hints; tools
	 * chosen: screen content off; 65536x1 */
	assert_int_equal(parse(&s, "000 0 0 0 0 00001 000000000000 00111 000000000000 01000 1"
				   "1111 0000 1111111111111111 0 1 0000 000 000 0000 0 0 0 000"
				   "0 0 0 0 00 0 0"), 0);
	assert_int_equal(s.max_width, 65536);
	assert_int_equal(s.max_height, 1);
	/* timing with equal intervals, decoder model of 5 bits, display delays */
	assert_int_equal(parse(&s, "000 0 0 1 00000000000000000000000000000001"
				   "00000000000000000000000000011110 1 00101 1 00100"
				   "00000000000000000000000000000001 00000 00000 1"
				   "00000 000000000000 00100 1 11111 00000 0 1 0011" SIZE
				   "0 000 0000 1 11 1 1 111 111 0 0 0 0 00 0 0"), 0);
	assert_int_equal(s.max_width, 64);
	/* 12 bit 4:2:0 of profile 2, sRGB words in profile 1 */
	assert_int_equal(parse(&s, "010 1 1 01000" SIZE "000 000 1 1 0 0 0 1 1 10 0 0"), 0);
	assert_int_equal(s.bit_depth, 12);
	assert_int_equal(s.subsampling_y, 1);
	assert_int_equal(parse(&s, "001 1 1 01000" SIZE
				   "000 000 0 1 00000001 00001101 00000000 0 0"), 0);
	assert_int_equal(s.subsampling_x, 0);
	/* refused: profile 3, reduced but not still, sRGB in profile 0 */
	assert_int_equal(parse(&s, "011 1 1 01000" SIZE "000 000 0 0 0 0 00 0 0"), -EBADMSG);
	assert_int_equal(parse(&s, "000 0 1 01000" SIZE "000 000 0 0 0 0 00 0 0"), -EBADMSG);
	assert_int_equal(parse(&s, "000 1 1 01000" SIZE
				   "000 000 0 0 1 00000001 00001101 00000000 00000000"), -EBADMSG);
}

static void test_obus(void **state)
{
	static const uint8_t good[] = { 0x12, 0, 0x0e, 0x28, 2, 7, 8, 0x30, 9, 9 };
	static const uint8_t bad[][10] = {
		{ 1, 0x80 },                    /* forbidden bit */
		{ 2, 0x12, 1 },                 /* longer than what is there */
		{ 1, 0x0e },                    /* no extension */
		{ 2, 0x12, 0x80 },              /* half a length */
		{ 9, 0x12, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80 },
		{ 6, 0x12, 0xff, 0xff, 0xff, 0xff, 0x7f },
	};
	struct av1_obu o;
	size_t pos = 0;

	(void)state;
	assert_int_equal(av1_next_obu(&o, good, sizeof good, &pos), 0);
	assert_int_equal(o.type, AV1_OBU_DELIMITER);
	assert_int_equal(o.len, 0);
	assert_int_equal(av1_next_obu(&o, good, sizeof good, &pos), 0);
	assert_int_equal(o.type, AV1_OBU_SEQUENCE);
	assert_int_equal(o.temporal_id, 1);
	assert_int_equal(o.spatial_id, 1);
	assert_int_equal(o.len, 2);
	assert_int_equal(o.payload[0], 7);
	assert_int_equal(av1_next_obu(&o, good, sizeof good, &pos), 0);
	assert_int_equal(o.type, AV1_OBU_FRAME); /* without a length: the rest */
	assert_int_equal(o.len, 2);
	assert_int_equal(pos, sizeof good);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		pos = 0;
		assert_int_equal(av1_next_obu(&o, bad[i] + 1, bad[i][0], &pos), -EBADMSG);
		assert_int_equal(pos, 0);
	}
}

static void test_frames(void **state)
{
	static const struct {
		uint8_t octet;
		bool reduced, existing, key, show;
	} t[] = { { 0x10, false, false, true, true },  { 0x00, false, false, true, false },
		  { 0x30, false, false, false, true }, { 0x80, false, true, false, true },
		  { 0x80, true, false, true, true } };
	struct av1_frame f;

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		assert_int_equal(av1_frame_parse(&f, &t[i].octet, 1, t[i].reduced), 0);
		assert_int_equal(f.show_existing, t[i].existing);
		assert_int_equal(f.key, t[i].key);
		assert_int_equal(f.show, t[i].show);
		assert_int_equal(av1_frame_parse(&f, &t[i].octet, 0, t[i].reduced), -EBADMSG);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_real_streams),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_obus),
		cmocka_unit_test(test_frames),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
