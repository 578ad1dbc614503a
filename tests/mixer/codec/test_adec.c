#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mixer/codec/adec.h"
#include "mixer/codec/aenc.h"
#include "tests/support/tone.h"

enum { TICK = 960, PACKETS = 100 };

struct packet {
	uint8_t data[1500];
	size_t len;
};

/* PACKETS ticks: a tone for everybody, or what SILK takes for a voice (it spends
 * redundancy on nothing else): 150 Hz with harmonics, in syllables of 200 ms. */
static void make_sound(float *pcm, bool voice, int channels, int64_t t)
{
	float part[TICK];

	for (size_t c = 0; c < (size_t)channels; c++)
		tone_fill(pcm + c, TICK, (size_t)channels, 300, 0.4, t * TICK);
	for (int k = 1; voice && k < 15; k++) {
		tone_fill(part, TICK, 1, 150 * k, 0.2 / k, t * TICK + 31 * k);
		for (int i = 0; i < TICK; i++)
			pcm[i] += k == 2 ? 0 : part[i];
	}
	for (int i = 0; voice && i < TICK; i++)
		pcm[i] *= 0.6f + 0.4f * sinf(2 * (float)M_PI * (float)(t * TICK + i) / 9600);
}

static void encode(struct packet *p, bool fec, int channels)
{
	struct aenc_cfg cfg = { .format = CODEC_OPUS, .fec = fec, .channels = channels,
				.loss_percent = 30 };
	float pcm[TICK * 2];
	struct aenc *e = NULL;

	assert_int_equal(aenc_new(&e, &cfg), 0);
	for (int64_t t = 0; t < PACKETS; t++) {
		int n;

		make_sound(pcm, fec, channels, t);
		n = aenc_encode_to(e, pcm, p[t].data, sizeof p[t].data);
		assert_in_range(n, 3, 1275);
		p[t].len = (size_t)n;
	}
	aenc_free(&e);
}

static struct packet packets[PACKETS];

static void test_decodes_what_was_encoded(void **state)
{
	static float out[PACKETS * TICK * 2];

	(void)state;
	for (int ch = 1; ch <= 2; ch++) {
		struct adec *d = NULL;
		size_t c = (size_t)ch;

		encode(packets, false, ch);
		assert_int_equal(adec_new(&d, CODEC_OPUS, ch), 0);
		assert_int_equal(adec_clock_hz(d), 48000);
		assert_int_equal(adec_channels(d), ch);
		for (size_t t = 0; t < PACKETS; t++) {
			assert_int_equal(adec_packet_samples(d, packets[t].data, packets[t].len),
					 TICK);
			assert_int_equal(adec_decode(d, packets[t].data, packets[t].len,
						     out + t * TICK * c, ADEC_MAX_SAMPLES), TICK);
		}
		assert_near(tone_amplitude(out + 20 * TICK * c, 50 * TICK, c, 300), 0.4, 0.05);
		adec_free(&d);
		assert_null(d);
	}
}

static double amplitude_with_loss(bool fec, bool use_fec)
{
	float out[TICK];
	struct adec *d = NULL;
	double amp;

	encode(packets, fec, 1);
	assert_int_equal(adec_new(&d, CODEC_OPUS, 1), 0);
	for (size_t t = 0; t < 50; t++)
		adec_decode(d, packets[t].data, packets[t].len, out, TICK);
	/* Half a second is lost but for one packet in the middle of it. */
	for (int k = 0; k < 12; k++)
		adec_conceal(d, out, TICK);
	if (use_fec) {
		assert_int_equal(adec_has_fec(d, packets[63].data, packets[63].len), fec);
		assert_int_equal(adec_decode_fec(d, packets[63].data, packets[63].len, out, TICK),
				 TICK);
	} else {
		assert_int_equal(adec_conceal(d, out, TICK), TICK);
	}
	amp = tone_amplitude(out, TICK, 1, 300);
	adec_free(&d);
	return amp;
}

static void test_fec_brings_a_lost_packet_back(void **state)
{
	(void)state;
	assert_true(amplitude_with_loss(true, true) > 0.08);
	assert_true(amplitude_with_loss(true, false) < 0.02);
	/* Without redundancy it is concealment. */
	assert_true(amplitude_with_loss(false, true) < 0.02);
}

static void test_concealment_fades_and_fills_all(void **state)
{
	float out[1000];
	struct adec *d = NULL;

	(void)state;
	encode(packets, false, 1);
	assert_int_equal(adec_new(&d, CODEC_OPUS, 1), 0);
	for (size_t t = 0; t < 20; t++)
		adec_decode(d, packets[t].data, packets[t].len, out, TICK);
	assert_int_equal(adec_conceal(d, out, TICK), TICK);
	assert_true(tone_amplitude(out, TICK, 1, 300) > 0.2);
	for (size_t i = 0; i < 1000; i++)
		out[i] = 7;
	/* Not a multiple of 2.5 ms: the rest is zero. */
	assert_int_equal(adec_conceal(d, out, 1000), 1000);
	for (size_t i = 960; i < 1000; i++)
		assert_near(out[i], 0, 0);
	assert_int_equal(adec_conceal(d, out, 0), 0);
	adec_reset(d);
	assert_int_equal(adec_conceal(d, out, TICK), TICK);
	assert_near(tone_amplitude(out, TICK, 1, 300), 0, 1e-6);
	adec_free(&d);
}

static void test_garbage_is_refused_or_survived(void **state)
{
	static float out[ADEC_MAX_SAMPLES];
	struct adec *d = NULL;
	uint8_t junk[300];
	uint32_t seed = 11;
	/* 63 frames of 20 ms in one packet: beyond 120 ms. */
	const uint8_t too_long[] = { 0x4b, 0x3f, 0, 0 };

	(void)state;
	assert_int_equal(adec_new(&d, CODEC_OPUS, 1), 0);
	assert_int_equal(adec_decode(d, junk, 0, out, ADEC_MAX_SAMPLES), -EBADMSG);
	assert_int_equal(adec_decode(d, too_long, sizeof too_long, out, ADEC_MAX_SAMPLES),
			 -EBADMSG);
	assert_int_equal(adec_packet_samples(d, too_long, sizeof too_long), -EBADMSG);
	for (int r = 0; r < 3000; r++) {
		size_t len = (size_t)((tone_noise(&seed) + 1) * 149) + 1;
		int n;

		for (size_t i = 0; i < len; i++)
			junk[i] = (uint8_t)((tone_noise(&seed) + 1) * 127);
		n = adec_decode(d, junk, len, out, ADEC_MAX_SAMPLES);
		assert_true(n == -EBADMSG || (n > 0 && n <= ADEC_MAX_SAMPLES));
		adec_has_fec(d, junk, len);
		adec_decode_fec(d, junk, len, out, TICK);
	}
	encode(packets, false, 1);
	assert_int_equal(adec_decode(d, packets[0].data, packets[0].len, out, 480), -ENOSPC);
	adec_free(&d);
}

static void test_bad_arguments(void **state)
{
	struct adec *d = NULL;

	(void)state;
	assert_int_equal(adec_new(&d, CODEC_OPUS, 3), -EINVAL);
	assert_int_equal(adec_new(&d, (enum codec)99, 1), -ENOTSUP);
	assert_null(d);
	adec_free(&d);
}

static void test_print_cost(void **state)
{
	static float out[ADEC_MAX_SAMPLES];
	struct timespec t0, t1;
	struct adec *d = NULL;

	(void)state;
	encode(packets, false, 1);
	assert_int_equal(adec_new(&d, CODEC_OPUS, 1), 0);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t0);
	for (int r = 0; r < 5; r++)
		for (size_t t = 0; t < PACKETS; t++)
			assert_int_equal(adec_decode(d, packets[t].data, packets[t].len, out,
						     ADEC_MAX_SAMPLES), TICK);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t1);
	print_message("cost: Opus mono decode %.1f us per tick\n",
		      ((double)(t1.tv_sec - t0.tv_sec) * 1e6 +
		       (double)(t1.tv_nsec - t0.tv_nsec) / 1e3) / (5 * PACKETS));
	adec_free(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decodes_what_was_encoded),
		cmocka_unit_test(test_fec_brings_a_lost_packet_back),
		cmocka_unit_test(test_concealment_fades_and_fills_all),
		cmocka_unit_test(test_garbage_is_refused_or_survived),
		cmocka_unit_test(test_bad_arguments),
		cmocka_unit_test(test_print_cost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
