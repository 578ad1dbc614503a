/* What other senders than we do: superframes, sizes that change between key
 * frames, other chroma and depths, bombs, temporal units of other makes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <aom/aom_encoder.h>
#include <aom/aomcx.h>
#include <cmocka.h>
#include <vpx/vp8cx.h>
#include <vpx/vpx_encoder.h>

#include "mixer/codec/av1_header.h"
#include "mixer/codec/vdec.h"
#include "mixer/codec/vp8_header.h"
#include "mixer/codec/vp9_header.h"
#include "tests/mixer/codec/ffmpeg_stream.h"
#include "tests/mixer/video/picture.h"

static struct vframe_pool *frames;

static int group_setup(void **state)
{
	(void)state;
	return vframe_pool_new(&frames, 4);
}

static int group_teardown(void **state)
{
	(void)state;
	vframe_pool_free(&frames);
	return 0;
}

static struct vdec *decoder(enum codec codec, int w, int h)
{
	struct vdec *d = NULL;

	assert_int_equal(vdec_new(&d, codec, &(struct vdec_limits){ w, h }, frames), 0);
	return d;
}

static int feed(struct vdec *d, const AVPacket *p, int *w, int *h)
{
	struct vframe *f;
	int err = vdec_decode(d, p->data, (size_t)p->size, &f);

	*w = f ? f->av->width : 0;
	*h = f ? f->av->height : 0;
	vframe_unref(&f);
	return err;
}

static const struct {
	enum codec codec;
	const char *encoder;
} makers[] = { { CODEC_H264, "libx264" },
	       { CODEC_VP8, "libvpx" },
	       { CODEC_VP9, "libvpx-vp9" },
	       { CODEC_AV1, "libaom-av1" } };
enum { MAKERS = sizeof makers / sizeof *makers };

/* Odd sizes, as a camera scaled by the browser has them, come out even. H.264 of
 * 4:2:0 cannot be odd. */
static void test_odd_sizes(void **state)
{
	(void)state;
	for (int m = 1; m < MAKERS; m++) {
		struct vdec *d = decoder(makers[m].codec, 320, 180);
		struct ffmpeg_stream s;

		ffmpeg_stream_make(&s, makers[m].encoder, 319, 179, AV_PIX_FMT_YUV420P, 4, 4);
		assert_int_equal(s.n, 4);
		for (int i = 0; i < s.n; i++) {
			int w, h;

			assert_int_equal(feed(d, s.pkt[i], &w, &h), 0);
			assert_int_equal(w, 318);
			assert_int_equal(h, 178);
		}
		ffmpeg_stream_free(&s);
		vdec_free(&d);
	}
}

/* As many pictures as access units, one for each, at once. */
static void test_one_in_one_out(void **state)
{
	(void)state;
	for (int m = 0; m < MAKERS; m++) {
		struct vdec *d = decoder(makers[m].codec, 640, 360);
		struct ffmpeg_stream s;

		ffmpeg_stream_make_with(&s, makers[m].encoder, 320, 180, AV_PIX_FMT_YUV420P, 12, 12,
					m ? NULL : "preset=superfast:tune=zerolatency");
		assert_true(s.n >= 12);
		for (int i = 0; i < s.n; i++) {
			int w, h;

			assert_int_equal(feed(d, s.pkt[i], &w, &h), 0);
			assert_int_equal(w, 320);
		}
		ffmpeg_stream_free(&s);
		vdec_free(&d);
	}
}

static void test_other_formats(void **state)
{
	static const struct {
		int maker;
		enum AVPixelFormat fmt;
		const char *opts;
	} t[] = { { 0, AV_PIX_FMT_YUV444P, "tune=zerolatency" },
		  { 0, AV_PIX_FMT_YUV420P10, "tune=zerolatency" },
		  { 2, AV_PIX_FMT_YUV444P, NULL },
		  { 2, AV_PIX_FMT_YUV420P10, NULL },
		  { 3, AV_PIX_FMT_YUV444P, "usage=good" },
		  { 3, AV_PIX_FMT_YUV420P10, "usage=good" },
		  { 3, AV_PIX_FMT_GRAY8, "usage=good" } };

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct vdec *d = decoder(makers[t[i].maker].codec, 640, 360);
		struct ffmpeg_stream s;
		struct vdec_stats st;
		int w, h;

		ffmpeg_stream_make_with(&s, makers[t[i].maker].encoder, 64, 64, t[i].fmt, 1, 1,
					t[i].opts);
		assert_int_equal(s.n, 1);
		assert_int_equal(feed(d, s.pkt[0], &w, &h), -ENOTSUP);
		vdec_get_stats(d, &st);
		assert_int_equal(st.refused, 1);
		ffmpeg_stream_free(&s);
		vdec_free(&d);
	}
}

/* A picture of 16383x16383 in a few octets. */
static void test_bombs(void **state)
{
	static const uint8_t vp8[] = { 0x30, 0, 0, 0x9d, 1, 0x2a, 0xff, 0x3f, 0xff, 0x3f, 0 };
	static const uint8_t vp9[] = { 0x82, 0x49, 0x83, 0x42, 0x20, 0xff, 0xff, 0xff, 0xff, 0, 0 };
	/* a reduced still picture's sequence header, 65536x65536 */
	static const uint8_t av1[] = { 0x0a, 9,	   0x1a, 0x3f, 0xff, 0xff, 0xff, 0xff,
				       0xf8, 0x00, 0x80, 0x32, 1,    0 };
	static const struct {
		enum codec codec;
		const uint8_t *data;
		size_t len;
	} t[] = { { CODEC_VP8, vp8, sizeof vp8 },
		  { CODEC_VP9, vp9, sizeof vp9 },
		  { CODEC_AV1, av1, sizeof av1 } };

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct vdec *d = decoder(t[i].codec, 16384, 8192);
		struct vframe *f;

		assert_int_equal(vdec_decode(d, t[i].data, t[i].len, &f), -EMSGSIZE);
		vdec_free(&d);
	}
}

static size_t superframe(uint8_t *out, const AVPacket *a, const AVPacket *b)
{
	const AVPacket *part[] = { a, b };
	uint8_t marker = 0xc0 | 3 << 3 | 1;
	size_t n = 0;

	for (int i = 0; i < 2; i++) {
		memcpy(out + n, part[i]->data, (size_t)part[i]->size);
		n += (size_t)part[i]->size;
	}
	out[n++] = marker;
	for (int i = 0; i < 2; i++) {
		for (int k = 0; k < 4; k++)
			out[n++] = (uint8_t)(part[i]->size >> 8 * k);
	}
	out[n++] = marker;
	return n;
}

/* Of several pictures in one access unit the last counts. */
static void test_vp9_superframe(void **state)
{
	static uint8_t au[200 << 10];
	struct vdec *d = decoder(CODEC_VP9, 320, 180), *plain = decoder(CODEC_VP9, 320, 180);
	struct ffmpeg_stream s;
	struct vframe *f, *want;
	struct planes a, b;
	size_t len;

	(void)state;
	ffmpeg_stream_make(&s, "libvpx-vp9", 320, 180, AV_PIX_FMT_YUV420P, 3, 9);
	len = superframe(au, s.pkt[0], s.pkt[1]);
	assert_int_equal(vdec_decode(d, au, len, &f), 0);
	for (int i = 0; i < 2; i++) {
		const AVPacket *p = s.pkt[i];

		assert_int_equal(vdec_decode(plain, p->data, (size_t)p->size, &want), 0);
		planes_of_frame(&a, f->av);
		planes_of_frame(&b, want->av);
		assert_int_equal(picture_psnr_y(&a, &b) > 98, i == 1);
		vframe_unref(&want);
	}
	vframe_unref(&f);
	assert_int_equal(vdec_decode(d, s.pkt[2]->data, (size_t)s.pkt[2]->size, &f), 0);
	vframe_unref(&f);
	/* an index that asks for more than there is */
	au[len - 2] = 0x7f;
	assert_int_equal(vdec_decode(d, au, len, &f), -EBADMSG);
	ffmpeg_stream_free(&s);
	vdec_free(&d);
	vdec_free(&plain);
}

/* VP9 whose size changes in the middle, as libvpx does it when a sender scales
 * down: 320x180 and back, with references of the other size. */
enum { RESIZED = 8 };
struct resized {
	uint8_t data[RESIZED][64 << 10];
	size_t len[RESIZED];
};

static void make_resized(struct resized *out, int key_at)
{
	vpx_codec_enc_cfg_t cfg;
	vpx_codec_ctx_t ctx;

	assert_int_equal(vpx_codec_enc_config_default(vpx_codec_vp9_cx(), &cfg, 0), 0);
	cfg.g_w = 640;
	cfg.g_h = 360;
	cfg.g_timebase = (vpx_rational_t){ 1, 30 };
	cfg.g_lag_in_frames = 0;
	cfg.g_threads = 1;
	cfg.rc_end_usage = VPX_CBR;
	cfg.rc_target_bitrate = 800;
	assert_int_equal(vpx_codec_enc_init(&ctx, vpx_codec_vp9_cx(), &cfg, 0), 0);
	assert_int_equal(vpx_codec_control(&ctx, VP8E_SET_CPUUSED, 8), 0);
	for (int i = 0; i < RESIZED; i++) {
		bool small = i >= 2 && i < 6;
		struct vframe *f = picture_waves(small ? 320 : 640, small ? 180 : 360, i);
		const vpx_codec_cx_pkt_t *pkt;
		vpx_codec_iter_t iter = NULL;
		vpx_image_t img;

		cfg.g_w = (unsigned)f->av->width;
		cfg.g_h = (unsigned)f->av->height;
		assert_int_equal(vpx_codec_enc_config_set(&ctx, &cfg), 0);
		assert_non_null(vpx_img_wrap(&img, VPX_IMG_FMT_I420, cfg.g_w, cfg.g_h, 1,
					     f->av->data[0]));
		for (int p = 0; p < 3; p++) {
			img.planes[p] = f->av->data[p];
			img.stride[p] = f->av->linesize[p];
		}
		assert_int_equal(vpx_codec_encode(&ctx, &img, i, 1,
						  i == key_at ? VPX_EFLAG_FORCE_KF : 0,
						  VPX_DL_REALTIME), 0);
		pkt = vpx_codec_get_cx_data(&ctx, &iter);
		assert_non_null(pkt);
		assert_true(pkt->data.frame.sz <= sizeof out->data[i]);
		memcpy(out->data[i], pkt->data.frame.buf, pkt->data.frame.sz);
		out->len[i] = pkt->data.frame.sz;
		vframe_unref(&f);
	}
	vpx_codec_destroy(&ctx);
}

static void test_vp9_scaled_references(void **state)
{
	static struct resized r;
	struct vdec *d = decoder(CODEC_VP9, 640, 360);

	(void)state;
	make_resized(&r, 0);
	for (int i = 0; i < RESIZED; i++) {
		bool small = i >= 2 && i < 6;
		struct vframe *f, *want = picture_waves(small ? 320 : 640, small ? 180 : 360, i);
		struct vp9_header h;
		struct planes a, b;

		assert_int_equal(vp9_header_parse(&h, r.data[i], r.len[i]), 0);
		assert_int_equal(h.key, i == 0);
		assert_int_equal(vdec_decode(d, r.data[i], r.len[i], &f), 0);
		assert_int_equal(f->av->width, want->av->width);
		planes_of_frame(&a, f->av);
		planes_of_frame(&b, want->av);
		assert_true(picture_psnr_y(&a, &b) > 28);
		vframe_unref(&f);
		vframe_unref(&want);
	}
	vdec_free(&d);
}

/* The same stream, entered at a small key frame: growth without one is refused. */
static void test_vp9_growth_is_bounded(void **state)
{
	static struct resized r;
	struct vdec *d = decoder(CODEC_VP9, 320, 180);
	struct vframe *f;

	(void)state;
	make_resized(&r, 4);
	assert_int_equal(vdec_decode(d, r.data[4], r.len[4], &f), 0);
	vframe_unref(&f);
	assert_int_equal(vdec_decode(d, r.data[5], r.len[5], &f), 0);
	vframe_unref(&f);
	assert_int_equal(vdec_decode(d, r.data[6], r.len[6], &f), -EMSGSIZE);
	assert_int_equal(vdec_decode(d, r.data[7], r.len[7], &f), -EBADMSG);
	vdec_free(&d);
}

enum { FORCED_W = 640, FORCED_H = 360 };

/* A key frame of 320x180 whose sequence header allows FORCED_W x FORCED_H. */
static size_t make_small_frame(uint8_t *out, size_t cap)
{
	struct vframe *f = picture_waves(320, 180, 0);
	const aom_codec_cx_pkt_t *pkt;
	aom_codec_iter_t iter = NULL;
	aom_codec_enc_cfg_t cfg;
	aom_codec_ctx_t ctx;
	aom_image_t img;
	size_t len;

	assert_int_equal(aom_codec_enc_config_default(aom_codec_av1_cx(), &cfg,
						      AOM_USAGE_REALTIME), 0);
	cfg.g_w = 320;
	cfg.g_h = 180;
	cfg.g_forced_max_frame_width = FORCED_W;
	cfg.g_forced_max_frame_height = FORCED_H;
	cfg.g_lag_in_frames = 0;
	assert_int_equal(aom_codec_enc_init(&ctx, aom_codec_av1_cx(), &cfg, 0), 0);
	assert_int_equal(aom_codec_control(&ctx, AOME_SET_CPUUSED, 9), 0);
	assert_non_null(aom_img_wrap(&img, AOM_IMG_FMT_I420, 320, 180, 1, f->av->data[0]));
	for (int p = 0; p < 3; p++) {
		img.planes[p] = f->av->data[p];
		img.stride[p] = f->av->linesize[p];
	}
	assert_int_equal(aom_codec_encode(&ctx, &img, 0, 1, AOM_EFLAG_FORCE_KF), 0);
	pkt = aom_codec_get_cx_data(&ctx, &iter);
	assert_non_null(pkt);
	len = pkt->data.frame.sz;
	assert_true(len <= cap);
	memcpy(out, pkt->data.frame.buf, len);
	aom_codec_destroy(&ctx);
	vframe_unref(&f);
	return len;
}

static void set_bits(uint8_t *data, size_t at, unsigned n, uint32_t v)
{
	for (; n--; at++) {
		uint8_t mask = (uint8_t)(0x80 >> at % 8);

		data[at / 8] = (uint8_t)((data[at / 8] & ~mask) | (v >> n & 1 ? mask : 0));
	}
}

/* Frames may be smaller than their sequence header says. One that lies about it
 * and is larger does not get past dav1d's limit. */
static void test_av1_frame_over_its_sequence(void **state)
{
	enum { W_BITS_AT = 29 };
	static uint8_t au[64 << 10];
	struct vdec *honest = decoder(CODEC_AV1, FORCED_W, FORCED_H);
	struct vdec *small = decoder(CODEC_AV1, 320, 180), *d = decoder(CODEC_AV1, 64, 64);
	size_t len = make_small_frame(au, sizeof au), pos = 0;
	struct av1_sequence seq;
	struct vframe *f;
	struct av1_obu o;
	uint8_t *head;

	(void)state;
	assert_int_equal(vdec_decode(honest, au, len, &f), 0);
	assert_int_equal(f->av->width, 320);
	vframe_unref(&f);
	assert_int_equal(vdec_decode(small, au, len, &f), -EMSGSIZE);
	do
		assert_int_equal(av1_next_obu(&o, au, len, &pos), 0);
	while (o.type != AV1_OBU_SEQUENCE);
	head = au + (o.payload - au);
	assert_int_equal(av1_sequence_parse(&seq, o.payload, o.len), 0);
	assert_int_equal(seq.max_width, FORCED_W);
	assert_int_equal(seq.max_height, FORCED_H);
	set_bits(head, W_BITS_AT + 8, 10, 16 - 1);
	set_bits(head, W_BITS_AT + 8 + 10, 9, 16 - 1);
	assert_int_equal(av1_sequence_parse(&seq, o.payload, o.len), 0);
	assert_int_equal(seq.max_width, 16);
	assert_int_equal(seq.max_height, 16);
	assert_int_equal(vdec_decode(d, au, len, &f), -EMSGSIZE);
	vdec_free(&d);
	vdec_free(&small);
	vdec_free(&honest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_odd_sizes),
		cmocka_unit_test(test_one_in_one_out),
		cmocka_unit_test(test_other_formats),
		cmocka_unit_test(test_bombs),
		cmocka_unit_test(test_vp9_superframe),
		cmocka_unit_test(test_vp9_scaled_references),
		cmocka_unit_test(test_vp9_growth_is_bounded),
		cmocka_unit_test(test_av1_frame_over_its_sequence),
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
