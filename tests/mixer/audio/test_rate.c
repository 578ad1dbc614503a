/* Between 48 kHz and telephones' rates: level, length, and nothing allocated; nor by
 * the codecs that stand on it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "mixer/codec/adec.h"
#include "mixer/codec/aenc.h"
#include "mixer/audio/rate.h"
#include "tests/support/alloc_count.h"
#include "tests/support/tone.h"

enum { TICK = 960, TICKS = 50 };

static float high[TICKS * TICK], low[TICKS * TICK / 3], back[TICKS * TICK];

static void test_there_and_back(void **state)
{
	static const size_t parts[] = { 960, 480, 240, 48 };

	(void)state;
	for (unsigned f = 3; f <= 6; f += 3) {
		for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
			size_t n = parts[i], before = 0;
			struct rate *down = NULL, *up = NULL;

			assert_int_equal(rate_new(&down, 48000, 48000 / f), 0);
			assert_int_equal(rate_new(&up, 48000 / f, 48000), 0);
			tone_fill(high, TICKS * TICK, 1, 1000, 0.3, 0);
			for (size_t at = 0; at < TICKS * TICK; at += n) {
				if (at >= 10 * n && !before)
					before = allocations;
				rate_run(down, high + at, n, low + at / f);
				rate_run(up, low + at / f, n / f, back + at);
			}
			/* at its largest n it has run long ago */
			assert_true(before > 0);
			assert_int_equal(allocations - before, 0);
			assert_near(tone_db(tone_amplitude(back + 10 * TICK, 40 * TICK, 1, 1000) / 0.3), 0,
				    0.2);
			/* what was before is not heard any more */
			rate_reset(up);
			memset(low, 0, sizeof low);
			rate_run(up, low, 160, back);
			for (size_t k = 0; k < 160 * f; k++)
				assert_near(back[k], 0, 1e-6);
			rate_free(&down);
			rate_free(&up);
			assert_null(down);
		}
	}
}

/* What is beyond half of the lower rate does not come back as something else. */
static void test_nothing_is_folded(void **state)
{
	struct rate *down = NULL;
	double sum = 0;

	(void)state;
	assert_int_equal(rate_new(&down, 48000, 8000), 0);
	tone_fill(high, TICKS * TICK, 1, 5500, 0.5, 0);
	for (size_t at = 0; at < TICKS * TICK; at += TICK)
		rate_run(down, high + at, TICK, low + at / 6);
	for (size_t i = 1600; i < TICKS * TICK / 6; i++)
		sum += (double)low[i] * (double)low[i];
	assert_true(10 * log10(sum / (TICKS * TICK / 6 - 1600) + 1e-12) < -50);
	rate_free(&down);
}

/* Packets of all codecs and lengths, each with losses. */
static void test_codecs_allocate_nothing(void **state)
{
	static const enum codec codecs[] = { CODEC_PCMU, CODEC_PCMA, CODEC_G722, CODEC_G729,
					     CODEC_OPUS, CODEC_CN };

	(void)state;
	for (size_t i = 0; i < sizeof codecs / sizeof codecs[0]; i++)
		for (unsigned ms = 10; ms <= 60; ms *= 2) {
			struct aenc_cfg cfg = { .format = codecs[i], .frame_ms = ms };
			struct aenc *e = NULL;
			struct adec *d = NULL;
			uint8_t data[1275] = { 60 };
			int len = 1;
			size_t before = 0;

			if (codecs[i] != CODEC_CN)
				assert_int_equal(aenc_new(&e, &cfg), 0);
			assert_int_equal(adec_new(&d, codecs[i], 1), 0);
			for (size_t k = 0; k < 40; k++) {
				if (k == 20)
					before = allocations;
				tone_fill(high, ms * 48, 1, 700, 0.2, (int64_t)(k * ms * 48));
				if (e)
					len = aenc_encode_to(e, high, data, sizeof data);
				assert_true(len > 0);
				if (k % 5 == 4)
					adec_conceal(d, back, ms * 48);
				else
					assert_true(adec_decode(d, data, (size_t)len, back,
								ADEC_MAX_SAMPLES) > 0);
			}
			assert_int_equal(allocations - before, 0);
			aenc_free(&e);
			adec_free(&d);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_nothing_is_folded),
		cmocka_unit_test(test_codecs_allocate_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
