#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "mcu/rtp/payload_red.h"

/* RFC 2198 section 3: one redundant block (pt 5, 160 ticks older, 3 octets) and
 * the primary (pt 7, 2 octets). */
static const uint8_t example[] = { 0x85, 0x02, 0x80, 0x03, 0x07, 'a', 'b', 'c', 'X', 'Y' };

static void test_reads_the_layout(void **state)
{
	struct rtp_red_block b[RTP_RED_MAX_BLOCKS];

	(void)state;
	assert_int_equal(rtp_red_parse(example, sizeof example, b), 2);
	assert_int_equal(b[0].pt, 5);
	assert_int_equal(b[0].ts_offset, 160);
	assert_int_equal(b[0].len, 3);
	assert_memory_equal(b[0].data, "abc", 3);
	assert_int_equal(b[1].pt, 7);
	assert_int_equal(b[1].ts_offset, 0);
	assert_int_equal(b[1].len, 2);
	assert_memory_equal(b[1].data, "XY", 2);
	assert_int_equal(rtp_red_primary_pt(example, sizeof example), 7);
	/* The primary alone, and an empty one. */
	assert_int_equal(rtp_red_parse(example + 4, 3, b), 1);
	assert_int_equal(b[0].len, 2);
	assert_int_equal(rtp_red_parse(example + 4, 1, b), 1);
	assert_int_equal(b[0].len, 0);
}

static void test_refuses_what_does_not_fit(void **state)
{
	struct rtp_red_block b[RTP_RED_MAX_BLOCKS];
	uint8_t many[(RTP_RED_MAX_BLOCKS + 1) * 4 + 1];

	(void)state;
	/* Cut anywhere in the headers or the redundant data. */
	for (size_t len = 0; len < 8; len++)
		assert_int_equal(rtp_red_parse(example, len, b), -EBADMSG);
	assert_int_equal(rtp_red_parse(example, 8, b), 2);
	for (size_t len = 0; len < 5; len++)
		assert_int_equal(rtp_red_primary_pt(example, len), -EBADMSG);
	memset(many, 0, sizeof many);
	for (size_t i = 0; i + 1 < sizeof many; i += 4)
		many[i] = 0x80;
	assert_int_equal(rtp_red_parse(many + 8, sizeof many - 8, b), RTP_RED_MAX_BLOCKS);
	assert_int_equal(rtp_red_parse(many + 4, sizeof many - 4, b), -EBADMSG);
	assert_int_equal(rtp_red_parse(many, sizeof many, b), -EBADMSG);
}

static void test_builds_what_it_reads(void **state)
{
	struct rtp_red_block b[RTP_RED_MAX_BLOCKS], big;
	uint8_t out[64], data[RTP_RED_LENGTH_MAX + 2], large[2 * sizeof data];

	(void)state;
	assert_int_equal(rtp_red_parse(example, sizeof example, b), 2);
	assert_int_equal(rtp_red_build(out, sizeof out, b, 2), sizeof example);
	assert_memory_equal(out, example, sizeof example);
	assert_int_equal(rtp_red_build(out, sizeof example, b, 2), sizeof example);
	assert_int_equal(rtp_red_build(out, sizeof example - 1, b, 2), 0);
	assert_int_equal(rtp_red_build(out, sizeof out, b, 0), 0);
	assert_int_equal(rtp_red_build(out, sizeof out, b, RTP_RED_MAX_BLOCKS + 1), 0);
	memset(data, 1, sizeof data);
	big = (struct rtp_red_block){ .pt = 5, .ts_offset = RTP_RED_OFFSET_MAX, .data = data,
				      .len = RTP_RED_LENGTH_MAX };
	b[0] = big;
	assert_int_equal(rtp_red_build(large, sizeof large, b, 2), 4 + 1 + RTP_RED_LENGTH_MAX + 2);
	b[0].len++;
	assert_int_equal(rtp_red_build(large, sizeof large, b, 2), 0);
	b[0] = big;
	b[0].ts_offset++;
	assert_int_equal(rtp_red_build(large, sizeof large, b, 2), 0);
	b[0] = big;
	b[0].pt = 128;
	assert_int_equal(rtp_red_build(large, sizeof large, b, 2), 0);
	/* The primary's length has no field. */
	b[0] = big;
	b[0].len = sizeof data;
	assert_int_equal(rtp_red_build(large, sizeof large, b, 1), 1 + sizeof data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_the_layout),
		cmocka_unit_test(test_refuses_what_does_not_fit),
		cmocka_unit_test(test_builds_what_it_reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
