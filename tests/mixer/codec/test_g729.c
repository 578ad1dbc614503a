/* G.729: what our encoder sends is what another decoder understands, how much of a
 * voice is left, losses, frames of noise, packets of any length. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bcg729/encoder.h>
#include <libavcodec/avcodec.h>

#include "mixer/codec/adec.h"
#include "mixer/codec/aenc.h"
#include "mixer/codec/g729.h"
#include "tests/support/tone.h"

enum { N = 8000 * 3, FRAMES = N / G729_SAMPLES };

/* Something like a voice: pulses through three formants, which come and go. */
static void make_voice(int16_t *x, size_t n)
{
	static const double hz[] = { 600, 1300, 2500 };
	double y[3][2] = { { 0 } };

	for (size_t i = 0; i < n; i++) {
		double e = i % (size_t)(60 + i / 800) == 0 ? 1 : 0, sum = 0;
		double env = 0.5 - 0.5 * cos(2 * M_PI * (double)(i % 4000) / 4000);

		for (int k = 0; k < 3; k++) {
			double r = 0.97, w = 2 * M_PI * hz[k] / 8000;
			double v = e + 2 * r * cos(w) * y[k][0] - r * r * y[k][1];

			y[k][1] = y[k][0];
			y[k][0] = v;
			sum += v / (k + 1);
		}
		x[i] = (int16_t)(env * sum * 2500);
	}
}

/* Of segments that hold something, the mean of their ratios: delay as it fits best. */
static double snr_db(const int16_t *x, const int16_t *y, size_t n)
{
	double best = -100;

	for (size_t delay = 0; delay < 160; delay++) {
		double sum = 0;
		int count = 0;

		for (size_t at = 0; at + 160 + delay <= n; at += 160) {
			double s = 1, e = 1;

			for (size_t i = at; i < at + 160; i++) {
				s += (double)x[i] * x[i];
				e += (double)(x[i] - y[i + delay]) * (x[i] - y[i + delay]);
			}
			if (s < 160 * 300.0 * 300.0)
				continue;
			sum += 10 * log10(s / e);
			count++;
		}
		if (count && sum / count > best)
			best = sum / count;
	}
	return best;
}

static int16_t voice[N], ours[N], others[N];
static uint8_t code[FRAMES * G729_OCTETS];

static void encode_voice(void)
{
	struct g729_enc *e = NULL;

	make_voice(voice, N);
	assert_int_equal(g729_enc_new(&e), 0);
	g729_encode(e, voice, N, code);
	g729_enc_free(&e);
}

/* libavcodec's decoder is another implementation of the same Recommendation. */
static void decode_otherwise(void)
{
	const AVCodec *c = avcodec_find_decoder(AV_CODEC_ID_G729);
	AVCodecContext *ctx = avcodec_alloc_context3(c);
	AVPacket *pkt = av_packet_alloc();
	AVFrame *f = av_frame_alloc();

	ctx->sample_rate = 8000;
	av_channel_layout_default(&ctx->ch_layout, 1);
	assert_int_equal(avcodec_open2(ctx, c, NULL), 0);
	for (size_t i = 0; i < FRAMES; i++) {
		assert_int_equal(av_new_packet(pkt, G729_OCTETS), 0);
		memcpy(pkt->data, code + i * G729_OCTETS, G729_OCTETS);
		assert_int_equal(avcodec_send_packet(ctx, pkt), 0);
		av_packet_unref(pkt);
		assert_int_equal(avcodec_receive_frame(ctx, f), 0);
		assert_int_equal(f->nb_samples, G729_SAMPLES);
		memcpy(others + i * G729_SAMPLES, f->data[0], G729_SAMPLES * sizeof others[0]);
	}
	av_frame_free(&f);
	av_packet_free(&pkt);
	avcodec_free_context(&ctx);
}

static void test_it_is_the_recommendations(void **state)
{
	struct g729_dec *d = NULL;
	double theirs, mine;

	(void)state;
	encode_voice();
	decode_otherwise();
	assert_int_equal(g729_dec_new(&d), 0);
	assert_int_equal(g729_decode(d, code, sizeof code, ours), N);
	g729_dec_free(&d);
	mine = snr_db(voice, ours, N);
	theirs = snr_db(voice, others, N);
	print_message("segmental SNR of a voice: %.1f dB, by libavcodec %.1f dB, between them %.1f dB\n",
		      mine, theirs, snr_db(others, ours, N));
	assert_true(mine > 4);
	assert_true(theirs > 4);
	assert_true(snr_db(others, ours, N) > 8);
}

/* The same octets whatever the packets are cut into, and after a reset. */
static void test_packets_are_cut_anywhere(void **state)
{
	static const size_t frames[] = { 1, 2, 3, 4, 6, 12 };
	static uint8_t again[sizeof code];
	static int16_t out[N];

	(void)state;
	encode_voice();
	for (size_t k = 0; k < sizeof frames / sizeof frames[0]; k++) {
		size_t n = frames[k];
		struct g729_enc *e = NULL;
		struct g729_dec *d = NULL;

		assert_int_equal(g729_enc_new(&e), 0);
		assert_int_equal(g729_dec_new(&d), 0);
		g729_encode(e, voice, 8 * G729_SAMPLES, again);
		g729_enc_reset(e);
		g729_decode(d, again, 8 * G729_OCTETS, out);
		g729_dec_reset(d);
		for (size_t i = 0; i < FRAMES; i += n) {
			g729_encode(e, voice + i * G729_SAMPLES, n * G729_SAMPLES,
				    again + i * G729_OCTETS);
			assert_int_equal(g729_decode(d, again + i * G729_OCTETS, n * G729_OCTETS,
						     out + i * G729_SAMPLES), n * G729_SAMPLES);
		}
		assert_memory_equal(again, code, sizeof code);
		if (k)
			assert_memory_equal(out, ours, sizeof out);
		else
			memcpy(ours, out, sizeof out);
		g729_enc_free(&e);
		g729_dec_free(&d);
	}
}

static double rms(const int16_t *x, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (double)x[i] * x[i];
	return sqrt(sum / (double)n);
}

/* A sender with annex B: voice, then noise that it describes now and then. */
static void test_noise_goes_on_as_described(void **state)
{
	bcg729EncoderChannelContextStruct *e = initBcg729EncoderChannel(1);
	struct g729_dec *d = NULL;
	int16_t in[G729_SAMPLES], out[G729_SAMPLES];
	uint8_t frame[G729_OCTETS], len;
	double sum_in = 0, sum_out = 0;
	int noise = 0, sent = 0;
	uint32_t seed = 7;

	(void)state;
	assert_int_equal(g729_dec_new(&d), 0);
	make_voice(voice, N);
	for (int i = 0; i < 400; i++) {
		for (int k = 0; k < G729_SAMPLES; k++)
			in[k] = (int16_t)((i < 100 ? voice[i * G729_SAMPLES + k] : 0) +
					  100 * (double)tone_noise(&seed));
		bcg729Encoder(e, in, frame, &len);
		sent += len > 0;
		noise += len == G729_NOISE_OCTETS;
		if (len)
			assert_int_equal(g729_decode(d, frame, len, out), G729_SAMPLES);
		else
			g729_conceal(d, out, G729_SAMPLES);
		assert_int_equal(g729_rests(d), len != G729_OCTETS);
		if (i >= 200) {
			sum_in += rms(in, G729_SAMPLES);
			sum_out += rms(out, G729_SAMPLES);
		}
	}
	closeBcg729EncoderChannel(e);
	print_message("%d frames of 400 sent, %d of them noise; level %+.1f dB\n", sent, noise,
		      tone_db(sum_out / sum_in));
	assert_true(noise > 0 && sent < 300);
	assert_true(fabs(tone_db(sum_out / sum_in)) < 4);
	g729_dec_free(&d);
}

/* The noise that we send in rests is next to nothing, and ends what there was. */
static void test_our_own_noise_is_hardly_heard(void **state)
{
	static const uint8_t ours_is[] = { 0, 0 };
	struct g729_dec *d = NULL;
	int16_t out[200];

	(void)state;
	encode_voice();
	assert_int_equal(g729_dec_new(&d), 0);
	g729_decode(d, code, sizeof code, ours);
	assert_int_equal(g729_decode(d, ours_is, 2, out), G729_SAMPLES);
	for (int i = 0; i < 50; i++)
		g729_conceal(d, out, 200);
	assert_true(rms(out, 200) < 10);
	g729_dec_free(&d);
}

static void test_losses_are_bridged_and_fade(void **state)
{
	struct adec *d = NULL;
	struct aenc *e = NULL;
	struct aenc_cfg cfg = { .format = CODEC_G729 };
	static float out[100 * 960];
	uint8_t data[20];
	float pcm[960];
	double sum = 0;

	(void)state;
	assert_int_equal(adec_new(&d, CODEC_G729, 1), 0);
	assert_int_equal(aenc_new(&e, &cfg), 0);
	for (int t = 0; t < 100; t++) {
		float *to = out + t * 960;

		tone_fill(pcm, 960, 1, 300, 0.2, t * 960);
		assert_int_equal(aenc_encode_to(e, pcm, data, sizeof data), 20);
		if (t % 10 == 9) /* a tick in odd pieces, as the receiving chain asks for them */
			for (int at = 0; at < 960; at += 120)
				assert_int_equal(adec_conceal(d, to + at, 120), 120);
		else
			assert_int_equal(adec_decode(d, data, 20, to, 960), 960);
	}
	for (size_t i = 20 * 960; i < 100 * 960; i++)
		sum += (double)out[i] * (double)out[i];
	assert_near(10 * log10(sum / (80 * 960) / 0.02), 0, 6);
	for (int i = 0; i < 40; i++)
		adec_conceal(d, out, 960);
	assert_true(tone_amplitude(out, 960, 1, 300) < 0.02);
	assert_false(adec_rests(d));
	aenc_free(&e);
	adec_free(&d);
}

static void test_lengths(void **state)
{
	static const struct {
		size_t octets;
		int samples; /* at 48 kHz */
	} t[] = { { 10, 480 }, { 20, 960 }, { 12, 960 }, { 2, 480 },  { 120, 5760 }, { 32, 1920 },
		  { 0, 0 },    { 1, 0 },    { 9, 0 },	 { 11, 0 },   { 130, 0 },    { 122, 0 },
		  { 15, 0 },   { 8, 0 },    { 65535, 0 } };
	static const uint8_t data[65536];
	static float out[ADEC_MAX_SAMPLES];
	struct adec *d = NULL;

	(void)state;
	assert_int_equal(adec_new(&d, CODEC_G729, 1), 0);
	assert_int_equal(adec_clock_hz(d), 8000);
	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		assert_int_equal(adec_packet_samples(d, data, t[i].octets),
				 t[i].samples ? t[i].samples : -EBADMSG);
		assert_int_equal(adec_decode(d, data, t[i].octets, out, ADEC_MAX_SAMPLES),
				 t[i].samples ? t[i].samples : -EBADMSG);
	}
	adec_free(&d);
}

/* All lengths of packets that the telephone codecs have. */
static void test_frames_of_all_lengths(void **state)
{
	static const enum codec codecs[] = { CODEC_G729, CODEC_PCMU, CODEC_PCMA, CODEC_G722 };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		for (unsigned ms = 10; ms <= 60; ms += 10) {
			struct aenc_cfg cfg = { .format = codecs[i], .frame_ms = ms };
			int octets = (int)ms * (codecs[i] == CODEC_G729 ? 1 : 8);
			static float pcm[2880], out[60 * 960];
			uint8_t data[480];
			struct aenc *e = NULL;
			struct adec *d = NULL;
			size_t n = ms * 48, at = 0;

			assert_int_equal(aenc_new(&e, &cfg), 0);
			assert_int_equal(adec_new(&d, codecs[i], 1), 0);
			assert_int_equal(aenc_frame_samples(e), n);
			for (; at + n <= 60 * 960; at += n) {
				tone_fill(pcm, n, 1, 300, 0.2, (int64_t)at);
				assert_int_equal(aenc_encode_to(e, pcm, data, sizeof data), octets);
				assert_int_equal(adec_decode(d, data, (size_t)octets, out + at, n), n);
			}
			assert_near(tone_db(tone_amplitude(out + 10 * 960, 50 * 960 - n, 1, 300) / 0.2),
				    0, 1);
			assert_int_equal(aenc_encode_to(e, pcm, data, (size_t)octets - 1), -ENOSPC);
			aenc_free(&e);
			adec_free(&d);
		}
	}
	for (unsigned ms = 5; ms <= 75; ms += 70) {
		struct aenc_cfg cfg = { .format = CODEC_PCMU, .frame_ms = ms };
		struct aenc *e = NULL;

		assert_int_equal(aenc_new(&e, &cfg), -EINVAL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_is_the_recommendations),
		cmocka_unit_test(test_packets_are_cut_anywhere),
		cmocka_unit_test(test_noise_goes_on_as_described),
		cmocka_unit_test(test_our_own_noise_is_hardly_heard),
		cmocka_unit_test(test_losses_are_bridged_and_fade),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_frames_of_all_lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
