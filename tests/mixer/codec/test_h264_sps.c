#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "mixer/codec/h264_sps.h"

/* Writes SPS bits, with emulation prevention. */
struct writer {
	uint8_t raw[128], nal[256];
	size_t bits, len;
};

static void put(struct writer *w, unsigned n, uint32_t v)
{
	while (n--) {
		if (v >> n & 1)
			w->raw[w->bits / 8] |= (uint8_t)(0x80 >> w->bits % 8);
		w->bits++;
	}
}

static void put_ue(struct writer *w, uint32_t v)
{
	unsigned n = 0;

	while ((v + 1) >> (n + 1))
		n++;
	put(w, n, 0);
	put(w, n + 1, v + 1);
}

static void finish(struct writer *w)
{
	unsigned zeros = 0;

	put(w, 1, 1);
	w->nal[0] = 0x67;
	w->len = 1;
	for (size_t i = 0; i < (w->bits + 7) / 8; i++) {
		if (zeros >= 2 && w->raw[i] <= 3) {
			w->nal[w->len++] = 3;
			zeros = 0;
		}
		zeros = w->raw[i] ? 0 : zeros + 1;
		w->nal[w->len++] = w->raw[i];
	}
}

static void put_head(struct writer *w, uint8_t profile, uint8_t flags, uint8_t level)
{
	memset(w, 0, sizeof *w);
	put(w, 8, profile);
	put(w, 8, flags);
	put(w, 8, level);
	put_ue(w, 0);
}

/* From log2_max_frame_num on. */
static void put_tail(struct writer *w, uint32_t mbs_w, uint32_t mbs_h, const uint32_t crop[4])
{
	put_ue(w, 0);
	put_ue(w, 2);
	put_ue(w, 1);
	put(w, 1, 0);
	put_ue(w, mbs_w - 1);
	put_ue(w, mbs_h - 1);
	put(w, 1, 1);
	put(w, 1, 1);
	put(w, 1, crop != NULL);
	for (int i = 0; crop && i < 4; i++)
		put_ue(w, crop[i]);
	put(w, 1, 0);
	finish(w);
}

static void test_baseline(void **state)
{
	const uint32_t crop[4] = { 0, 0, 0, 4 };
	struct h264_sps s;
	struct writer w;

	(void)state;
	put_head(&w, 66, 0xe0, 31);
	put_tail(&w, 120, 68, crop);
	assert_int_equal(h264_sps_parse(&s, w.nal, w.len), 0);
	assert_int_equal(s.profile_idc, 66);
	assert_int_equal(s.constraint_flags, 0xe0);
	assert_int_equal(s.level_idc, 31);
	assert_int_equal(s.coded_w, 1920);
	assert_int_equal(s.coded_h, 1088);
	assert_int_equal(s.width, 1920);
	assert_int_equal(s.height, 1080);
	assert_int_equal(s.chroma_format_idc, 1);
	assert_int_equal(s.max_num_ref_frames, 1);
	assert_true(s.frame_mbs_only);
}

static void test_high_with_scaling_lists(void **state)
{
	struct h264_sps s;
	struct writer w;

	(void)state;
	put_head(&w, 100, 0, 40);
	put_ue(&w, 1);
	put_ue(&w, 2);
	put_ue(&w, 0);
	put(&w, 1, 0);
	put(&w, 1, 1);
	put(&w, 1, 1); /* one list, that repeats its first value */
	put_ue(&w, 3);
	put_ue(&w, 20); /* se -10: next becomes 0 */
	put(&w, 7, 0);
	put_tail(&w, 80, 45, NULL);
	assert_int_equal(h264_sps_parse(&s, w.nal, w.len), 0);
	assert_int_equal(s.bit_depth_luma, 10);
	assert_int_equal(s.bit_depth_chroma, 8);
	assert_int_equal(s.width, 1280);
	assert_int_equal(s.height, 720);
}

/* Zero octets inside, so that the parser must drop the 03s. */
static void test_emulation_prevention(void **state)
{
	struct h264_sps s;
	struct writer w;
	bool escaped = false;

	(void)state;
	put_head(&w, 66, 0, 0);
	put_ue(&w, 0);
	put_ue(&w, 1);
	put(&w, 1, 0);
	put(&w, 31, 0); /* offset_for_non_ref_pic: the longest code there is */
	put(&w, 32, 0x80000000);
	put_ue(&w, 0);
	put_ue(&w, 0);
	put_ue(&w, 1);
	put(&w, 1, 0);
	put_ue(&w, 1023);
	put_ue(&w, 1023);
	put(&w, 4, 12);
	finish(&w);
	for (size_t i = 2; i < w.len; i++)
		escaped = escaped || (w.nal[i] == 3 && !w.nal[i - 1] && !w.nal[i - 2]);
	assert_true(escaped);
	assert_int_equal(h264_sps_parse(&s, w.nal, w.len), 0);
	assert_int_equal(s.width, 16384);
	assert_int_equal(s.height, 16384);
}

static void test_refusals(void **state)
{
	const uint32_t crop_all[4] = { 8, 8, 0, 0 };
	struct h264_sps s = { .width = 7 };
	struct writer w;

	(void)state;
	put_head(&w, 66, 0xc0, 30);
	put_tail(&w, 2, 2, crop_all);
	assert_int_equal(h264_sps_parse(&s, w.nal, w.len), -EBADMSG);
	put_head(&w, 66, 0xc0, 30);
	put_tail(&w, 1u << 30, 2, NULL);
	assert_int_equal(h264_sps_parse(&s, w.nal, w.len), -EBADMSG);
	put_head(&w, 66, 0xc0, 30);
	put_tail(&w, 40, 23, NULL);
	assert_int_equal(h264_sps_parse(&s, w.nal, w.len), 0);
	for (size_t n = 0; n < w.len - 2; n++)
		assert_int_equal(h264_sps_parse(&s, w.nal, n), -EBADMSG);
	w.nal[0] = 0x68;
	assert_int_equal(h264_sps_parse(&s, w.nal, w.len), -EBADMSG);
	assert_int_equal(s.width, 640);
}

static void test_walk(void **state)
{
	static const uint8_t au[] = { 9, 9, 0, 0, 0, 1, 0x67, 1, 0, 0, 3, 1, 0, 0, 0, 1, 0x68, 2, 0, 0,
				      0, 0, 0, 1, 0, 0, 1, 0x65, 0, 0, 1 };
	const uint8_t *nal;
	size_t pos = 0, len;

	(void)state;
	assert_true(h264_next_nal(au, sizeof au, &pos, &nal, &len));
	assert_int_equal(nal[0], 0x67);
	assert_int_equal(len, 6);
	assert_true(h264_next_nal(au, sizeof au, &pos, &nal, &len));
	assert_int_equal(nal[0], 0x68);
	assert_int_equal(len, 2);
	assert_true(h264_next_nal(au, sizeof au, &pos, &nal, &len));
	assert_int_equal(nal[0], 0x65);
	assert_int_equal(len, 1);
	assert_false(h264_next_nal(au, sizeof au, &pos, &nal, &len));
	pos = 0;
	assert_false(h264_next_nal(au, 5, &pos, &nal, &len));
	pos = 0;
	assert_false(h264_next_nal(au, 0, &pos, &nal, &len));
}

static void test_recovery_point(void **state)
{
	static const uint8_t sei[] = { 6, 6, 1, 0xc4, 0x80 }, other[] = { 6, 5, 1, 0xc4, 0x80 };

	(void)state;
	assert_true(h264_sei_is_recovery_point(sei, sizeof sei));
	assert_false(h264_sei_is_recovery_point(other, sizeof other));
	assert_false(h264_sei_is_recovery_point(sei, 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_baseline),
		cmocka_unit_test(test_high_with_scaling_lists),
		cmocka_unit_test(test_emulation_prevention),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_walk),
		cmocka_unit_test(test_recovery_point),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
