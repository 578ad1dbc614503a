#include "mcu/net/demux.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static enum demux_kind expected(unsigned first, unsigned second)
{
	if (first <= 3)
		return DEMUX_STUN;
	if (first >= 20 && first <= 63)
		return DEMUX_DTLS;
	if (first >= 64 && first <= 79)
		return DEMUX_TURN;
	if (first >= 128 && first <= 191)
		return second >= 192 && second <= 223 ? DEMUX_RTCP : DEMUX_RTP;
	return DEMUX_UNKNOWN;
}

/* RFC 7983 section 7, all first and second octets. */
static void test_table(void **state)
{
	uint8_t p[12] = { 0 };

	(void)state;
	for (unsigned a = 0; a < 256; a++) {
		for (unsigned b = 0; b < 256; b++) {
			p[0] = (uint8_t)a;
			p[1] = (uint8_t)b;
			assert_int_equal(demux_classify(p, sizeof p), expected(a, b));
		}
	}
}

static void test_lengths(void **state)
{
	static const uint8_t rtp[12] = { 0x80, 96 }, rtcp[12] = { 0x80, 200 };

	(void)state;
	for (size_t n = 0; n <= 12; n++) {
		assert_int_equal(demux_classify(rtp, n), n < 12 ? DEMUX_UNKNOWN : DEMUX_RTP);
		assert_int_equal(demux_classify(rtcp, n), n < 8 ? DEMUX_UNKNOWN : DEMUX_RTCP);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_table),
					    cmocka_unit_test(test_lengths) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
