#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libavcodec/avcodec.h>

#include "mixer/codec/aenc.h"
#include "tests/support/tone.h"

enum { TICK = 960, MAX_SAMPLES = 200000 };

/* What came out of an encoder, and for AAC what a player makes of it. */
struct sink {
	AVCodecContext *dec;
	int packets;
	size_t bytes;
	int64_t next_pts;
	bool gap;
	float pcm[MAX_SAMPLES]; /* by pts; what lies before 0 is dropped */
};

static struct sink sink;

static void sink_decode(const struct aenc_packet *p)
{
	AVPacket *pkt = av_packet_alloc();
	AVFrame *f = av_frame_alloc();

	assert_int_equal(av_new_packet(pkt, (int)p->len), 0);
	memcpy(pkt->data, p->data, p->len);
	assert_int_equal(avcodec_send_packet(sink.dec, pkt), 0);
	while (avcodec_receive_frame(sink.dec, f) == 0) {
		const float *from = (const float *)(const void *)f->data[0];

		assert_int_equal(f->nb_samples, 1024);
		for (int i = 0; i < f->nb_samples; i++) {
			int64_t at = p->pts_samples + i;

			if (at >= 0 && at < MAX_SAMPLES)
				sink.pcm[at] = from[i];
		}
	}
	av_packet_free(&pkt);
	av_frame_free(&f);
}

static void take(void *obj, const struct aenc_packet *p)
{
	struct sink *s = obj;

	if (s->packets && p->pts_samples != s->next_pts)
		s->gap = true;
	s->next_pts = p->pts_samples + p->samples;
	s->packets++;
	s->bytes += p->len;
	if (s->dec)
		sink_decode(p);
}

static void open_decoder(const struct aenc *e)
{
	const AVCodec *codec = avcodec_find_decoder(AV_CODEC_ID_AAC);
	size_t len;
	const uint8_t *asc = aenc_extradata(e, &len);

	assert_non_null(asc);
	sink.dec = avcodec_alloc_context3(codec);
	sink.dec->extradata = av_mallocz(len + AV_INPUT_BUFFER_PADDING_SIZE);
	memcpy(sink.dec->extradata, asc, len);
	sink.dec->extradata_size = (int)len;
	assert_int_equal(avcodec_open2(sink.dec, codec, NULL), 0);
}

static struct aenc *new_encoder(enum codec format, int channels)
{
	struct aenc_cfg cfg = { .format = format, .channels = channels };
	struct aenc *e = NULL;

	memset(&sink, 0, sizeof sink);
	assert_int_equal(aenc_new(&e, &cfg), 0);
	return e;
}

/* A tone that begins at sample 30,000 is at sample 30,000 when it is played. */
static void test_aac_keeps_its_place(void **state)
{
	struct aenc *e = new_encoder(CODEC_AAC, 1);
	float pcm[TICK];
	int64_t first = -1;

	(void)state;
	open_decoder(e);
	assert_int_equal(aenc_frame_samples(e), 1024);
	assert_in_range(aenc_priming_samples(e), 1, 2112);
	for (int64_t t = 0; t < 150; t++) {
		tone_fill(pcm, TICK, 1, 1000, 0.5, t * TICK);
		for (int i = 0; i < TICK; i++)
			if (t * TICK + i < 30000)
				pcm[i] = 0;
		assert_int_equal(aenc_encode(e, pcm, take, &sink), 0);
	}
	assert_int_equal(aenc_flush(e, take, &sink), 0);
	assert_false(sink.gap);
	assert_true(sink.next_pts >= 150 * TICK);
	for (int64_t i = 0; i < MAX_SAMPLES && first < 0; i++)
		if (fabsf(sink.pcm[i]) > 0.1f)
			first = i;
	/* Its attack is smeared by a short block at most: 3 ms. */
	assert_in_range(first, 30000 - 150, 30000 + 150);
	assert_near(tone_amplitude(sink.pcm + 60000, 48000, 1, 1000), 0.5, 0.03);
	/* And in phase: the same sample is the same sample. */
	for (int i = 0; i < 4800; i++)
		assert_near(sink.pcm[60000 + i], 0.5 * sin(2 * M_PI * 1000 * (60000 + i) / 48000.0),
			    0.08);
	avcodec_free_context(&sink.dec);
	aenc_free(&e);
	assert_null(e);
}

static void test_aac_is_declared_as_lc_48k(void **state)
{
	(void)state;
	for (int ch = 1; ch <= 2; ch++) {
		struct aenc *e = new_encoder(CODEC_AAC, ch);
		size_t len;
		const uint8_t *asc = aenc_extradata(e, &len);

		/* ISO 14496-3: object type 2 (5 bits), frequency index 3 (4), channels (4). */
		assert_true(len >= 2);
		assert_int_equal(asc[0] >> 3, 2);
		assert_int_equal((asc[0] & 7) << 1 | asc[1] >> 7, 3);
		assert_int_equal(asc[1] >> 3 & 15, ch);
		assert_int_equal(aenc_set_bitrate(e, 64000), -ENOTSUP);
		assert_int_equal(aenc_encode_to(e, NULL, NULL, 0), -ENOTSUP);
		aenc_free(&e);
	}
}

static void test_opus_rate_and_time_line(void **state)
{
	struct aenc *e = new_encoder(CODEC_OPUS, 1);
	float pcm[TICK];
	uint8_t small[3];
	size_t len;

	(void)state;
	assert_null(aenc_extradata(e, &len));
	assert_int_equal(len, 0);
	assert_int_equal(aenc_frame_samples(e), TICK);
	for (int64_t t = 0; t < 100; t++) {
		tone_fill(pcm, TICK, 1, 700, 0.5, t * TICK);
		assert_int_equal(aenc_encode(e, pcm, take, &sink), 0);
	}
	assert_int_equal(sink.packets, 100);
	assert_false(sink.gap);
	assert_int_equal(sink.next_pts, 100 * TICK - aenc_priming_samples(e));
	/* 32 kb/s for 2 s; VBR may use less for a tone. */
	assert_in_range(sink.bytes, 2000, 10000);
	assert_int_equal(aenc_flush(e, take, &sink), 0);
	assert_int_equal(aenc_set_bitrate(e, 128000), 0);
	assert_int_equal(aenc_set_bitrate(e, -5), -EINVAL);
	aenc_reset(e);
	assert_true(aenc_encode_to(e, pcm, small, sizeof small) <= (int)sizeof small);
	aenc_free(&e);
}

static void test_opus_dtx_is_silent_only_when_asked(void **state)
{
	float pcm[TICK] = { 0 };

	(void)state;
	for (int dtx = 0; dtx <= 1; dtx++) {
		/* libopus has DTX in its SILK modes, which FEC selects. */
		struct aenc_cfg cfg = { .format = CODEC_OPUS, .dtx = dtx, .fec = dtx };
		struct aenc *e = NULL;

		memset(&sink, 0, sizeof sink);
		assert_int_equal(aenc_new(&e, &cfg), 0);
		for (int t = 0; t < 200; t++)
			assert_int_equal(aenc_encode(e, pcm, take, &sink), 0);
		if (dtx)
			assert_in_range(sink.packets, 1, 60);
		else
			assert_int_equal(sink.packets, 200);
		aenc_free(&e);
	}
}

static void test_bad_arguments(void **state)
{
	struct aenc_cfg cfg = { .format = CODEC_OPUS, .channels = 7 };
	struct aenc *e = NULL;

	(void)state;
	assert_int_equal(aenc_new(&e, &cfg), -EINVAL);
	cfg.channels = 1;
	cfg.format = (enum codec)0;
	assert_int_equal(aenc_new(&e, &cfg), -ENOTSUP);
	assert_null(e);
	aenc_free(&e);
}

static void print_cost(const char *name, struct aenc_cfg cfg)
{
	struct timespec t0, t1;
	struct aenc *e = NULL;
	float pcm[TICK];
	uint32_t seed = 3;
	enum { TICKS = 200 };
	double us = 0;

	memset(&sink, 0, sizeof sink);
	assert_int_equal(aenc_new(&e, &cfg), 0);
	for (int64_t t = 0; t < TICKS; t++) {
		tone_fill(pcm, TICK, 1, 300, 0.3, t * TICK);
		for (int i = 0; i < TICK; i++)
			pcm[i] += 0.02f * tone_noise(&seed);
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t0);
		assert_int_equal(aenc_encode(e, pcm, take, &sink), 0);
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t1);
		us += (double)(t1.tv_sec - t0.tv_sec) * 1e6 + (double)(t1.tv_nsec - t0.tv_nsec) / 1e3;
	}
	print_message("cost: %s %.1f us per tick\n", name, us / TICKS);
	aenc_free(&e);
}

static void test_print_cost(void **state)
{
	(void)state;
	print_cost("Opus mono 32 kb/s", (struct aenc_cfg){ .format = CODEC_OPUS });
	print_cost("Opus mono 32 kb/s with FEC",
		   (struct aenc_cfg){ .format = CODEC_OPUS, .fec = true });
	print_cost("AAC mono 96 kb/s", (struct aenc_cfg){ .format = CODEC_AAC });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_aac_keeps_its_place),
		cmocka_unit_test(test_aac_is_declared_as_lc_48k),
		cmocka_unit_test(test_opus_rate_and_time_line),
		cmocka_unit_test(test_opus_dtx_is_silent_only_when_asked),
		cmocka_unit_test(test_bad_arguments),
		cmocka_unit_test(test_print_cost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
