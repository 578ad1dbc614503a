/* G.711 and G.722: the codes against libavcodec's, levels, borders, losses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libavcodec/avcodec.h>

#include "mixer/codec/adec.h"
#include "mixer/codec/aenc.h"
#include "mixer/codec/g711.h"
#include "mixer/codec/g722.h"
#include "tests/support/tone.h"

enum { TICK = 960, OCTETS = 160, TICKS = 100, SKIP = 10 };

static const enum codec codecs[] = { CODEC_PCMU, CODEC_PCMA, CODEC_G722 };

static AVCodecContext *open_lav(const AVCodec *c, int rate)
{
	AVCodecContext *ctx = avcodec_alloc_context3(c);

	assert_non_null(ctx);
	ctx->sample_rate = rate;
	ctx->sample_fmt = AV_SAMPLE_FMT_S16;
	ctx->frame_size = 320;
	av_channel_layout_default(&ctx->ch_layout, 1);
	assert_int_equal(avcodec_open2(ctx, c, NULL), 0);
	return ctx;
}

static void lav_decode(enum AVCodecID id, int rate, const uint8_t *in, int len, int16_t *out, int n)
{
	AVCodecContext *ctx = open_lav(avcodec_find_decoder(id), rate);
	AVPacket *pkt = av_packet_alloc();
	AVFrame *f = av_frame_alloc();

	assert_int_equal(av_new_packet(pkt, len), 0);
	memcpy(pkt->data, in, (size_t)len);
	assert_int_equal(avcodec_send_packet(ctx, pkt), 0);
	assert_int_equal(avcodec_receive_frame(ctx, f), 0);
	assert_int_equal(f->nb_samples, n);
	memcpy(out, f->data[0], (size_t)n * sizeof *out);
	av_frame_free(&f);
	av_packet_free(&pkt);
	avcodec_free_context(&ctx);
}

static void test_g711_codes(void **state)
{
	uint8_t all[256];
	int16_t u[256], a[256];

	(void)state;
	for (int i = 0; i < 256; i++)
		all[i] = (uint8_t)i;
	lav_decode(AV_CODEC_ID_PCM_MULAW, 8000, all, 256, u, 256);
	lav_decode(AV_CODEC_ID_PCM_ALAW, 8000, all, 256, a, 256);
	for (int i = 0; i < 256; i++) {
		assert_int_equal(g711_ulaw_decode((uint8_t)i), u[i]);
		assert_int_equal(g711_alaw_decode((uint8_t)i), a[i]);
		assert_int_equal(g711_alaw_encode(a[i]), i);
		if (i != 0x7f) /* the other zero */
			assert_int_equal(g711_ulaw_encode(u[i]), i);
	}
	/* No value is coded farther away than half of its step, plus rounding. */
	for (int x = INT16_MIN; x <= INT16_MAX; x++) {
		int step = abs(x) / 16 + 16;

		assert_in_range(abs(g711_ulaw_decode(g711_ulaw_encode((int16_t)x)) - x), 0,
				abs(x) > 32000 ? 700 : step / 2 + 2);
		assert_in_range(abs(g711_alaw_decode(g711_alaw_encode((int16_t)x)) - x), 0,
				step / 2 + 2);
	}
}

/* Noise, tones and full-scale square waves: every branch of the coder. */
static void make_hard(int16_t *x, size_t n)
{
	uint32_t seed = 5;

	for (size_t i = 0; i < n; i++) {
		float loud = (float)((i / 700) % 5) * 0.25f;

		if (i % 2800 < 300)
			x[i] = (i / 20) % 2 ? INT16_MAX : INT16_MIN;
		else
			x[i] = (int16_t)(32000 * loud * tone_noise(&seed) * (i / 1400 % 2 ? 1 : 0.1f));
	}
}

static void test_g722_is_the_recommendations(void **state)
{
	enum { N = 16000, PART = 320 };
	static int16_t x[N], want[N], got[N];
	static uint8_t code[N / 2];
	struct g722 enc, dec;
	const AVCodec *c = avcodec_find_encoder(AV_CODEC_ID_ADPCM_G722);
	AVPacket *pkt = av_packet_alloc();
	AVFrame *f = av_frame_alloc();
	AVCodecContext *ctx;

	(void)state;
	make_hard(x, N);
	g722_init(&enc);
	g722_encode(&enc, x, N, code);
	lav_decode(AV_CODEC_ID_ADPCM_G722, 16000, code, N / 2, want, N);
	g722_init(&dec);
	g722_decode(&dec, code, N / 2, got);
	assert_memory_equal(got, want, sizeof got);
	ctx = open_lav(c, 16000);
	f->nb_samples = PART;
	f->format = AV_SAMPLE_FMT_S16;
	av_channel_layout_default(&f->ch_layout, 1);
	assert_int_equal(av_frame_get_buffer(f, 0), 0);
	for (size_t at = 0; at < N; at += PART) {
		memcpy(f->data[0], x + at, PART * sizeof x[0]);
		assert_int_equal(avcodec_send_frame(ctx, f), 0);
		assert_int_equal(avcodec_receive_packet(ctx, pkt), 0);
		assert_int_equal(pkt->size, PART / 2);
		assert_memory_equal(pkt->data, code + at / 2, PART / 2);
		av_packet_unref(pkt);
		assert_int_equal(av_frame_make_writable(f), 0);
	}
	av_packet_free(&pkt);
	av_frame_free(&f);
	avcodec_free_context(&ctx);
}

static float heard[TICKS * TICK * 2];

/* A tone through encoder and decoder; every lose-th packet is lost (0: none). */
static void carry(enum codec codec, int channels, double hz, double amplitude, int lose)
{
	struct aenc_cfg cfg = { .format = codec, .channels = channels };
	struct aenc *e = NULL;
	struct adec *d = NULL;
	uint8_t data[1275];
	float pcm[TICK * 2];
	size_t ch = (size_t)channels;

	assert_int_equal(aenc_new(&e, &cfg), 0);
	assert_int_equal(adec_new(&d, codec, channels), 0);
	assert_int_equal(adec_clock_hz(d), 8000);
	for (int t = 0; t < TICKS; t++) {
		float *out = heard + (size_t)t * TICK * ch;

		for (size_t c = 0; c < ch; c++)
			tone_fill(pcm + c, TICK, ch, hz, amplitude, t * TICK);
		assert_int_equal(aenc_encode_to(e, pcm, data, sizeof data), OCTETS);
		assert_int_equal(adec_packet_samples(d, data, OCTETS), TICK);
		if (lose && t % lose == lose - 1)
			assert_int_equal(adec_conceal(d, out, TICK), TICK);
		else
			assert_int_equal(adec_decode(d, data, OCTETS, out, ADEC_MAX_SAMPLES), TICK);
	}
	aenc_free(&e);
	adec_free(&d);
}

static void test_level_and_purity(void **state)
{
	static const double hz[] = { 300, 1000, 3000, 6500 };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		for (size_t k = 0; k < (codecs[i] == CODEC_G722 ? 4 : 3); k++) {
			const float *at = heard + SKIP * TICK;
			size_t n = (TICKS - SKIP) * TICK;
			double level, rest;

			carry(codecs[i], 1, hz[k], 0.2, 0);
			level = tone_db(tone_amplitude(at, n, 1, hz[k]) / 0.2);
			rest = tone_residue_db(at, n, 1, hz[k]);
			print_message("%s %g Hz: level %+.2f dB, distortion %.1f dB\n",
				      codec_name(codecs[i]), hz[k], level, rest);
			assert_true(fabs(level) < 0.5);
			assert_true(rest < (hz[k] > 5000 ? -20 : -34));
		}
	}
}

static float largest_step(size_t from, size_t n)
{
	float most = 0;

	for (size_t i = from + 1; i < from + n; i++)
		most = fmaxf(most, fabsf(heard[i] - heard[i - 1]));
	return most;
}

static void test_no_click_at_borders(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		float tone = 0.2f * 2 * (float)M_PI * 1000 / 48000;

		carry(codecs[i], 1, 1000, 0.2, 0);
		assert_true(largest_step(SKIP * TICK, (TICKS - SKIP) * TICK) < tone * 1.15f);
		/* One packet in five is lost: concealed, and still no step. */
		carry(codecs[i], 1, 1000, 0.2, 5);
		assert_true(largest_step(SKIP * TICK, (TICKS - SKIP) * TICK) < tone * 1.3f);
		assert_near(tone_db(tone_amplitude(heard + SKIP * TICK, (TICKS - SKIP) * TICK, 1,
						   1000) / 0.2), 0, 1.0);
	}
}

static double rms(const float *x, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (double)x[i] * (double)x[i];
	return sqrt(sum / (double)n);
}

static void test_long_loss_fades_to_silence(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct aenc_cfg cfg = { .format = codecs[i] };
		struct aenc *e = NULL;
		struct adec *d = NULL;
		uint8_t data[OCTETS];
		float pcm[TICK];

		assert_int_equal(aenc_new(&e, &cfg), 0);
		assert_int_equal(adec_new(&d, codecs[i], 1), 0);
		for (int t = 0; t < 20; t++) {
			float *out = heard + (size_t)t * TICK;

			tone_fill(pcm, TICK, 1, 440, 0.3, t * TICK);
			assert_int_equal(aenc_encode_to(e, pcm, data, OCTETS), OCTETS);
			if (t >= 10 && t < 15)
				adec_conceal(d, out, TICK);
			else
				assert_int_equal(adec_decode(d, data, OCTETS, out, TICK), TICK);
		}
		assert_near(rms(heard + 10 * TICK, TICK), 0.3 / sqrt(2), 0.03);
		assert_true(rms(heard + 11 * TICK, TICK) < rms(heard + 10 * TICK, TICK));
		assert_true(rms(heard + 14 * TICK, TICK) < 1e-4);
		assert_near(rms(heard + 17 * TICK, 3 * TICK), 0.3 / sqrt(2), 0.03);
		assert_true(largest_step(TICK, 19 * TICK) < 0.3f * 2 * (float)M_PI * 440 / 48000 * 1.4f);
		aenc_free(&e);
		adec_free(&d);
	}
}

static void test_stereo_is_the_middle(void **state)
{
	struct aenc_cfg cfg = { .format = CODEC_G722, .channels = 2 };
	struct aenc *e = NULL;
	struct adec *d = NULL;
	uint8_t data[OCTETS];
	float pcm[TICK * 2];

	(void)state;
	carry(CODEC_PCMA, 2, 1000, 0.2, 0);
	for (size_t c = 0; c < 2; c++)
		assert_near(tone_amplitude(heard + SKIP * TICK * 2 + c, (TICKS - SKIP) * TICK, 2,
					   1000), 0.2, 0.01);
	/* Left alone is half of it in mono, on both sides. */
	assert_int_equal(aenc_new(&e, &cfg), 0);
	assert_int_equal(adec_new(&d, CODEC_G722, 2), 0);
	for (int t = 0; t < TICKS; t++) {
		memset(pcm, 0, sizeof pcm);
		tone_fill(pcm, TICK, 2, 1000, 0.2, t * TICK);
		assert_int_equal(aenc_encode_to(e, pcm, data, OCTETS), OCTETS);
		assert_int_equal(adec_decode(d, data, OCTETS, heard + (size_t)t * TICK * 2, TICK),
				 TICK);
	}
	for (size_t c = 0; c < 2; c++)
		assert_near(tone_amplitude(heard + SKIP * TICK * 2 + c, (TICKS - SKIP) * TICK, 2,
					   1000), 0.1, 0.01);
	aenc_free(&e);
	adec_free(&d);
}

static void test_any_packet_length(void **state)
{
	static const int octets[] = { 80, 160, 240, 320, 480, 1, 7, 960 };
	static float out[ADEC_MAX_SAMPLES];
	static uint8_t data[1500];
	struct adec *d = NULL;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(adec_new(&d, codecs[i], 1), 0);
		for (size_t k = 0; k < sizeof octets / sizeof octets[0]; k++) {
			assert_int_equal(adec_packet_samples(d, data, (size_t)octets[k]),
					 octets[k] * 6);
			assert_int_equal(adec_decode(d, data, (size_t)octets[k], out,
						     ADEC_MAX_SAMPLES), octets[k] * 6);
		}
		assert_int_equal(adec_packet_samples(d, data, 961), -EBADMSG);
		assert_int_equal(adec_packet_samples(d, data, 0), -EBADMSG);
		assert_int_equal(adec_decode(d, data, 161, out, TICK), -ENOSPC);
		assert_int_equal(adec_conceal(d, out, ADEC_MAX_SAMPLES), ADEC_MAX_SAMPLES);
		assert_false(adec_has_fec(d, data, 160));
		adec_free(&d);
	}
}

static void test_encoder_bounds(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct aenc_cfg cfg = { .format = codecs[i] };
		struct aenc *e = NULL;
		uint8_t data[OCTETS];
		float pcm[TICK];

		assert_int_equal(aenc_new(&e, &cfg), 0);
		for (int k = 0; k < TICK; k++)
			pcm[k] = k % 3 == 0 ? NAN : k % 2 ? 100.0f : -100.0f;
		assert_int_equal(aenc_encode_to(e, pcm, data, OCTETS), OCTETS);
		assert_int_equal(aenc_encode_to(e, pcm, data, OCTETS - 1), -ENOSPC);
		assert_int_equal(aenc_set_bitrate(e, 32000), -ENOTSUP);
		aenc_reset(e);
		memset(pcm, 0, sizeof pcm);
		assert_int_equal(aenc_encode_to(e, pcm, data, OCTETS), OCTETS);
		assert_int_equal(data[0], codecs[i] == CODEC_PCMU ? 0xff :
					  codecs[i] == CODEC_PCMA ? 0xd5 : data[0]);
		aenc_free(&e);
	}
}

/* What decodes to no more than 24, and only that, is faint. */
static void test_faint_codes(void **state)
{
	uint8_t all[3];

	(void)state;
	for (int c = 0; c < 256; c++) {
		uint8_t code = (uint8_t)c;

		assert_int_equal(g711_ulaw_is_faint(&code, 1), abs(g711_ulaw_decode(code)) <= 24);
		assert_int_equal(g711_alaw_is_faint(&code, 1), abs(g711_alaw_decode(code)) <= 24);
	}
	memset(all, 0xff, sizeof all);
	assert_true(g711_ulaw_is_faint(all, sizeof all));
	all[2] = 0x80;
	assert_false(g711_ulaw_is_faint(all, sizeof all));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_faint_codes),
		cmocka_unit_test(test_g711_codes),
		cmocka_unit_test(test_g722_is_the_recommendations),
		cmocka_unit_test(test_level_and_purity),
		cmocka_unit_test(test_no_click_at_borders),
		cmocka_unit_test(test_long_loss_fades_to_silence),
		cmocka_unit_test(test_stereo_is_the_middle),
		cmocka_unit_test(test_any_packet_length),
		cmocka_unit_test(test_encoder_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
