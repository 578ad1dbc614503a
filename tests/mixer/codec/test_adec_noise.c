/* Comfort noise: as loud as the packet says, of its colour, until another comes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mixer/codec/adec.h"
#include "tests/support/tone.h"

enum { TICK = 960, TICKS = 100 };

static float out[TICKS * TICK * 2];

/* A packet and what follows it. */
static void hear(const uint8_t *packet, size_t len, int channels)
{
	struct adec *d = NULL;
	size_t ch = (size_t)channels;

	assert_int_equal(adec_new(&d, CODEC_CN, channels), 0);
	assert_int_equal(adec_clock_hz(d), 8000);
	assert_false(adec_rests(d));
	assert_int_equal(adec_packet_samples(d, packet, len), 480);
	assert_int_equal(adec_decode(d, packet, len, out, ADEC_MAX_SAMPLES), 480);
	assert_true(adec_rests(d));
	for (size_t t = 0; t < TICKS; t++)
		assert_int_equal(adec_conceal(d, out + t * TICK * ch, TICK), TICK);
	adec_reset(d);
	assert_false(adec_rests(d));
	adec_free(&d);
}

static double level_db(size_t from, size_t n)
{
	double sum = 0;

	for (size_t i = from; i < from + n; i++)
		sum += (double)out[i] * (double)out[i];
	return 10 * log10(sum / (double)n + 1e-13);
}

static void test_levels(void **state)
{
	static const uint8_t says[] = { 30, 40, 55, 70, 85 };

	(void)state;
	for (size_t i = 0; i < sizeof says; i++) {
		hear(&says[i], 1, 1);
		assert_near(level_db(20 * TICK, 80 * TICK), -says[i], 1.5);
		/* as loud at the end as at the start */
		assert_near(level_db(20 * TICK, 20 * TICK), level_db(80 * TICK, 20 * TICK), 1.5);
	}
	hear((const uint8_t[]){ 0 }, 1, 1); /* somebody wants to be very loud */
	assert_near(level_db(20 * TICK, 80 * TICK), -30, 1.5);
	hear((const uint8_t[]){ 127 }, 1, 1);
	assert_true(level_db(0, 100 * TICK) < -110);
	/* the top bit says nothing */
	hear((const uint8_t[]){ 0x80 | 40 }, 1, 1);
	assert_near(level_db(20 * TICK, 80 * TICK), -40, 1.5);
}

static double band_db(double hz)
{
	double sum = 0;

	for (size_t t = 20; t < TICKS; t++) {
		double a = tone_amplitude(out + t * TICK, TICK, 1, hz);

		sum += a * a;
	}
	return 10 * log10(sum);
}

static void test_colour(void **state)
{
	(void)state;
	/* k1 negative: an all-pole filter that favours low tones; the level stays. */
	hear((const uint8_t[]){ 40, 127 - 100 }, 2, 1);
	assert_true(band_db(300) > band_db(3000) + 6);
	assert_near(level_db(20 * TICK, 80 * TICK), -40, 2);
	hear((const uint8_t[]){ 40, 127 + 100 }, 2, 1);
	assert_true(band_db(3000) > band_db(300) + 6);
	hear((const uint8_t[]){ 40, 127 }, 2, 1);
	assert_near(band_db(300), band_db(3000), 3);
	/* nothing above what telephones have */
	assert_true(band_db(6000) < band_db(1000) - 20);
}

/* Whatever the coefficients are, it neither grows nor dies. */
static void test_hostile_packets(void **state)
{
	uint8_t packet[256];

	(void)state;
	for (int fill = 0; fill < 256; fill += 15) {
		memset(packet, fill, sizeof packet);
		packet[0] = 40;
		for (size_t len = 1; len <= sizeof packet; len += 85) {
			hear(packet, len, 2);
			for (size_t i = 0; i < TICKS * TICK * 2; i++)
				assert_true(fabsf(out[i]) < 1);
		}
	}
}

static void test_lengths(void **state)
{
	static const uint8_t packet[300] = { 50 };
	struct adec *d = NULL;

	(void)state;
	assert_int_equal(adec_new(&d, CODEC_CN, 1), 0);
	assert_int_equal(adec_packet_samples(d, packet, 0), -EBADMSG);
	assert_int_equal(adec_packet_samples(d, packet, 300), -EBADMSG);
	assert_int_equal(adec_decode(d, packet, 1, out, 479), -ENOSPC);
	assert_int_equal(adec_conceal(d, out, 120), 120);
	adec_free(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_colour),
		cmocka_unit_test(test_hostile_packets),
		cmocka_unit_test(test_lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
