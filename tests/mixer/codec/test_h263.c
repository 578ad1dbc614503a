/* H.263: headers, what comes out of what was put in, bars, what others send. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "mixer/codec/h263_header.h"
#include "mixer/codec/vdec.h"
#include "mixer/codec/venc.h"
#include "tests/mixer/codec/ffmpeg_stream.h"
#include "tests/mixer/video/picture.h"

static struct buf_pool *pool;
static struct vframe_pool *frames;

static const struct vdec_limits limits = { .max_w = 1280, .max_h = 720 };

static int group_setup(void **state)
{
	(void)state;
	role_enter(ROLE_ID_NONE);
	return buf_pool_new(&pool, "au", 200 << 10, 2, 2) || vframe_pool_new(&frames, 2) ? -1 : 0;
}

static int group_teardown(void **state)
{
	(void)state;
	buf_pool_free(&pool);
	vframe_pool_free(&frames);
	return 0;
}

static void test_headers(void **state)
{
	static const struct {
		size_t len;
		uint8_t p[16];
		int err;
		struct h263_header want;
	} t[] = {
		{ 6, { 0, 0, 0x80, 0x02, 0x0c, 0 }, 0, { true, 352, 288 } },
		{ 6, { 0, 0, 0x80, 0x02, 0x0e, 0 }, 0, { false, 352, 288 } },
		{ 6, { 0, 0, 0x80, 0x02, 0x08, 0 }, 0, { true, 176, 144 } },
		{ 6, { 0, 0, 0x80, 0x02, 0x04, 0 }, 0, { true, 128, 96 } },
		{ 6, { 0, 0, 0x80, 0x02, 0x14, 0 }, 0, { true, 1408, 1152 } },
		{ 6, { 0, 0, 0x80, 0x02, 0x00, 0 }, -EBADMSG, { 0 } },	  /* no size */
		{ 6, { 0, 0, 0x80, 0x02, 0x18, 0 }, -EBADMSG, { 0 } },	  /* reserved */
		{ 6, { 0, 0, 0x80, 0x00, 0x0c, 0 }, -EBADMSG, { 0 } },	  /* the 1 is missing */
		{ 6, { 0, 0, 0x80, 0x03, 0x0c, 0 }, -EBADMSG, { 0 } },	  /* H.261 */
		{ 6, { 0, 0, 0x88, 0x02, 0x0c, 0 }, -EBADMSG, { 0 } },	  /* a group of blocks */
		{ 4, { 0, 0, 0x80, 0x02 }, -EBADMSG, { 0 } },
		{ 0, { 0 }, -EBADMSG, { 0 } },
		/* extended: 111 001 010 00000000000 1000 000 000 001 0: QCIF, intra */
		{ 11, { 0, 0, 0x80, 0x02, 0x1c, 0xa0, 0x01, 0x00, 0x10, 0, 0 }, 0, { true, 176, 144 } },
		/* 111 000 001 000 001 0: inter, of the size before */
		{ 10, { 0, 0, 0x80, 0x02, 0x1c, 0x10, 0x40, 0, 0, 0 }, 0, { false, 0, 0 } },
		/* of its own format: 110 … 1000 000 000 001 0 0001 001001111 1 000111100: 320x240 */
		{ 14, { 0, 0, 0x80, 0x02, 0x1c, 0xe0, 0x01, 0x00, 0x10, 0x93, 0xe3, 0xc0, 0, 0 }, 0,
		  { true, 320, 240 } },
		{ 9, { 0, 0, 0x80, 0x02, 0x1c, 0xe0, 0x01, 0x00, 0x10 }, -EBADMSG, { 0 } },
		/* a B picture */
		{ 11, { 0, 0, 0x80, 0x02, 0x1c, 0xa0, 0x01, 0x0c, 0x10, 0, 0 }, -ENOTSUP, { 0 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		struct h263_header h = { 0 };
		int err = h263_header_parse(&h, t[i].p, t[i].len);

		if (err != t[i].err || (!err && (h.key != t[i].want.key || h.width != t[i].want.width ||
						 h.height != t[i].want.height)))
			fail_msg("row %zu: %d, %d %ux%u", i, err, h.key, h.width, h.height);
	}
}

static struct venc *open_encoder(int w, int h, int bps)
{
	struct venc_cfg cfg = { .codec = CODEC_H263, .w = w, .h = h, .fps = 15, .bitrate_bps = bps };
	struct venc *e = NULL;

	assert_int_equal(venc_new(&e, &cfg), 0);
	return e;
}

/* What is sent is what is seen, in the middle of a picture of 4:3; near the rate. */
static void check_size(int w, int h, int bps, int full_w, int full_h) ON_THREAD(ROLE_MIXV)
{
	struct venc *e = open_encoder(w, h, bps);
	struct vframe *f = picture_waves(w, h, 0);
	struct vdec *d = NULL;
	double octets = 0, worst = 100;

	assert_int_equal(vdec_new(&d, CODEC_H263, &limits, frames), 0);
	for (int i = 0; i < 60; i++) {
		struct vframe *out = NULL;
		struct buf *au = NULL;
		struct h263_header head;
		struct planes a, b;
		bool key;
		int y0 = (full_h - h) / 2 & ~1, x0 = (full_w - w) / 2 & ~1;

		picture_draw_waves(f, i);
		assert_int_equal(venc_encode(e, f, i * 66666666ll, i == 40, pool, &au, &key), 0);
		assert_int_equal(key, i == 0 || i == 40);
		assert_int_equal(h263_header_parse(&head, au->data, au->len), 0);
		assert_int_equal(head.key, key);
		octets += (double)au->len;
		assert_int_equal(vdec_decode(d, au->data, au->len, &out), 0);
		buf_unref(&au);
		assert_int_equal(out->av->width, full_w);
		assert_int_equal(out->av->height, full_h);
		if (y0 > 8)
			assert_in_range(out->av->data[0][2 * out->av->linesize[0] + full_w / 2], 12, 20);
		planes_of_frame(&a, f->av);
		planes_of_frame(&b, out->av);
		b.data[0] += (ptrdiff_t)y0 * b.stride[0] + x0;
		b.w = w;
		b.h = h;
		if (i > 5)
			worst = fmin(worst, picture_psnr_y(&a, &b));
		vframe_unref(&out);
	}
	print_message("%dx%d in %dx%d: %.0f of %d bit/s, at least %.1f dB\n", w, h, full_w, full_h,
		      octets * 8 / 4, bps, worst);
	assert_true(worst > 25);
	assert_true(octets * 8 / 4 < bps * 1.5);
	vdec_free(&d);
	venc_free(&e);
	vframe_unref(&f);
}

static void test_round_trip(void **state)
{
	(void)state;
	role_assert_mixv();
	check_size(352, 216, 256000, 352, 288);
	check_size(352, 288, 256000, 352, 288);
	check_size(176, 108, 64000, 176, 144);
	check_size(148, 288, 200000, 352, 288);
}

/* Another rate is taken up with a key frame, at once. */
static void test_the_rate_changes(void **state)
{
	struct venc *e = open_encoder(176, 108, 200000);
	struct vframe *f = picture_waves(176, 108, 0);
	double octets[2] = { 0 };

	(void)state;
	role_assert_mixv();
	for (int i = 0; i < 120; i++) {
		struct buf *au = NULL;
		bool key;

		picture_draw_waves(f, i * 3);
		if (i == 60)
			assert_int_equal(venc_set_bitrate(e, 32000), 0);
		assert_int_equal(venc_encode(e, f, i * 66666666ll, false, pool, &au, &key), 0);
		assert_int_equal(key, i == 0 || i == 60);
		octets[i >= 60] += (double)au->len;
		buf_unref(&au);
	}
	assert_true(octets[1] < octets[0] / 2);
	venc_free(&e);
	vframe_unref(&f);
}

static void test_bounds(void **state)
{
	struct venc_cfg cfg = { .codec = CODEC_H263, .w = 354, .h = 288, .fps = 15,
				.bitrate_bps = 100000 };
	struct venc *e = NULL;

	(void)state;
	assert_int_equal(venc_new(&e, &cfg), -EINVAL);
	assert_null(e);
}

/* Of 1998, with its options and a size of its own; damage is not shown. */
static void test_what_others_send(void **state)
{
	static const struct {
		const char *encoder;
		int w, h;
		const char *opts;
	} t[] = {
		{ "h263p", 320, 240, NULL }, { "h263p", 352, 288, "umv=1:aiv=1" },
		{ "h263", 176, 144, NULL },  { "h263", 704, 576, NULL },
	};

	(void)state;
	role_assert_mixv();
	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		struct ffmpeg_stream s;
		struct vdec *d = NULL;
		int shown = 0;

		ffmpeg_stream_make_with(&s, t[i].encoder, t[i].w, t[i].h, AV_PIX_FMT_YUV420P, 20, 10,
					t[i].opts);
		assert_int_equal(vdec_new(&d, CODEC_H263, &limits, frames), 0);
		/* an inter picture is nothing to start with */
		for (int k = 3; k < s.n; k++) {
			struct vframe *out = NULL;
			int err = vdec_decode(d, s.pkt[k]->data, (size_t)s.pkt[k]->size, &out);

			assert_int_equal(err, k < 10 ? -EBADMSG : 0);
			if (!err) {
				assert_int_equal(out->av->width, t[i].w);
				assert_int_equal(out->av->height, t[i].h);
				shown++;
			}
			vframe_unref(&out);
		}
		assert_int_equal(shown, 10);
		vdec_free(&d);
		ffmpeg_stream_free(&s);
	}
}

static void test_too_large_is_refused(void **state)
{
	static const uint8_t cif16[64] = { 0, 0, 0x80, 0x02, 0x14, 0 };
	struct vframe *out = NULL;
	struct vdec *d = NULL;

	(void)state;
	role_assert_mixv();
	assert_int_equal(vdec_new(&d, CODEC_H263, &limits, frames), 0);
	assert_int_equal(vdec_decode(d, cif16, sizeof cif16, &out), -EMSGSIZE);
	assert_null(out);
	vdec_free(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_the_rate_changes),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_what_others_send),
		cmocka_unit_test(test_too_large_is_refused),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
