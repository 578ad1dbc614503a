/* The profiles and levels that browsers and SIP endpoints offer: the stream says
 * exactly what was negotiated, uses nothing that the profile forbids, and decodes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "mixer/codec/h264_sps.h"
#include "mixer/codec/vdec.h"
#include "mixer/codec/venc.h"
#include "tests/mixer/codec/bits.h"
#include "tests/mixer/codec/ffmpeg_stream.h"
#include "tests/mixer/video/picture.h"

enum { W = 640, H = 360, N = 6 };

static const uint32_t ids[] = {
	0x42001f, 0x42e01f, 0x4d001f, 0x64001f, 0x640c1f, /* Chromium */
	0x640c34, 0x42e034, 0x4d0032, /* Chromium with hardware */
	0x42e01f, 0x42c01e, 0x42e00d, /* Firefox, by device */
	0x42801f, 0x42800d, 0x42f00b, /* phones; level 1b */
	0x4d401f, 0x4d801e, 0x640028, 0x640c2a, 0x64002a, 0x42c02a,
};
enum { IDS = sizeof ids / sizeof *ids };

static struct buf_pool *pool;
static struct vframe_pool *frames;
static struct vframe *picture[N];

static int group_setup(void **state)
{
	(void)state;
	if (buf_pool_new(&pool, "au", 200 << 10, 2, 2) || vframe_pool_new(&frames, 2))
		return -1;
	for (int i = 0; i < N; i++)
		picture[i] = picture_waves(W, H, i);
	return 0;
}

static int group_teardown(void **state)
{
	(void)state;
	for (int i = 0; i < N; i++)
		vframe_unref(&picture[i]);
	buf_pool_free(&pool);
	vframe_pool_free(&frames);
	return 0;
}

static int open_encoder(struct venc **e, uint32_t id)
{
	struct venc_cfg cfg = { .codec = CODEC_H264, .w = W, .h = H, .fps = 30, .asm_ = "default",
				.bitrate_bps = 600000, .profile_level_id = id };

	return venc_new(e, &cfg);
}

static struct vdec *open_decoder(void)
{
	struct vdec_limits limits = { W, H };
	struct vdec *d = NULL;

	assert_int_equal(vdec_new(&d, CODEC_H264, &limits, frames), 0);
	return d;
}

static void check_sps(const uint8_t *nal, size_t len, uint32_t id)
{
	struct h264_sps s;

	assert_int_equal(h264_sps_parse(&s, nal, len), 0);
	assert_int_equal(s.profile_idc << 16 | s.constraint_flags << 8 | s.level_idc, id);
	assert_true(s.frame_mbs_only);
	assert_int_equal(s.width, W);
	assert_int_equal(s.height, H);
}

/* Baseline knows no arithmetic coding: behind two ids of zero comes its flag. */
static void check_pps(const uint8_t *nal, size_t len, uint32_t id)
{
	assert_true(len >= 2);
	assert_int_equal(nal[1] >> 6, 3);
	assert_int_equal(nal[1] >> 5 & 1, id >> 16 != 0x42);
}

static void check_units(const struct buf *au, uint32_t id)
{
	const uint8_t *nal;
	size_t pos = 0, len;
	unsigned sps = 0, pps = 0;

	while (h264_next_nal(au->data, au->len, &pos, &nal, &len)) {
		int type = nal[0] & 0x1f;

		if (type == H264_NAL_SPS) {
			check_sps(nal, len, id);
			sps++;
		} else if (type == H264_NAL_PPS) {
			check_pps(nal, len, id);
			pps++;
		}
	}
	assert_int_equal(sps, 1);
	assert_int_equal(pps, 1);
}

static void check_picture(struct vdec *d, const struct buf *au, const struct vframe *want)
{
	struct vframe *f;
	struct planes a, b;

	assert_int_equal(vdec_decode(d, au->data, au->len, &f), 0);
	planes_of_frame(&a, f->av);
	planes_of_frame(&b, want->av);
	assert_true(picture_psnr_y(&a, &b) > 35);
	vframe_unref(&f);
}

static void test_as_negotiated(void **state)
{
	(void)state;
	for (int i = 0; i < IDS; i++) {
		struct venc *e = NULL;
		struct vdec *d = NULL;

		assert_int_equal(open_encoder(&e, ids[i]), 0);
		d = open_decoder();
		for (int n = 0; n < N; n++) {
			struct buf *au;
			bool key;

			assert_int_equal(venc_encode(e, picture[n], 0, n == 3, pool, &au, &key), 0);
			assert_int_equal(key, n == 0 || n == 3);
			if (key)
				check_units(au, ids[i]);
			check_picture(d, au, picture[n]);
			buf_unref(&au);
		}
		venc_free(&e);
		vdec_free(&d);
	}
}

/* One decoder may meet all of them: a sender renegotiates. */
static void test_one_decoder_for_all(void **state)
{
	struct vdec *d = NULL;

	(void)state;
	d = open_decoder();
	for (int i = 0; i < IDS; i++) {
		struct venc *e = NULL;

		assert_int_equal(open_encoder(&e, ids[i]), 0);
		for (int n = 0; n < 2; n++) {
			struct buf *au;
			bool key;

			assert_int_equal(venc_encode(e, picture[n], 0, false, pool, &au, &key), 0);
			check_picture(d, au, picture[n]);
			buf_unref(&au);
		}
		venc_free(&e);
	}
	vdec_free(&d);
}

struct bit_in {
	const uint8_t *data;
	size_t n;
};

/* One bit from in to out. */
static uint32_t copy_bit(struct bits_out *out, struct bit_in *in)
{
	uint32_t v = in->data[in->n / 8] >> (7 - in->n % 8) & 1;

	in->n++;
	bits_put(out, 1, v);
	return v;
}

static uint32_t copy_ue(struct bits_out *out, struct bit_in *in)
{
	unsigned zeros = 0;
	uint32_t v = 1;

	while (!copy_bit(out, in))
		zeros++;
	for (unsigned i = 0; i < zeros; i++)
		v = v << 1 | copy_bit(out, in);
	return v - 1;
}

/* The SPS of x264 without what it says on the use of the stream, as the encoders
 * of phones leave it out (7.3.2.1.1). */
static void strip_vui(struct bits_out *out, const uint8_t *sps)
{
	struct bit_in in = { sps, 0 };

	while (in.n < 32)
		copy_bit(out, &in);
	copy_ue(out, &in);
	if (sps[1] == 0x64) {
		for (int i = 0; i < 3; i++)
			copy_ue(out, &in);
		copy_bit(out, &in);
		assert_int_equal(copy_bit(out, &in), 0); /* no scaling lists */
	}
	copy_ue(out, &in);
	if (copy_ue(out, &in) == 0)
		copy_ue(out, &in);
	copy_ue(out, &in);
	copy_bit(out, &in);
	copy_ue(out, &in);
	copy_ue(out, &in);
	assert_int_equal(copy_bit(out, &in), 1); /* frames only */
	copy_bit(out, &in);
	if (copy_bit(out, &in)) {
		for (int i = 0; i < 4; i++)
			copy_ue(out, &in);
	}
	bits_puts(out, "0 1"); /* no VUI, end */
}

static size_t rewrite(uint8_t *out, const struct buf *au)
{
	static const uint8_t start[] = { 0, 0, 0, 1 };
	const uint8_t *nal;
	size_t pos = 0, len, n = 0;

	while (h264_next_nal(au->data, au->len, &pos, &nal, &len)) {
		struct bits_out sps = { .n = 0 };

		if ((nal[0] & 0x1f) == H264_NAL_SPS) {
			strip_vui(&sps, nal);
			nal = sps.data;
			len = bits_len(&sps);
		}
		memcpy(out + n, start, sizeof start);
		memcpy(out + n + sizeof start, nal, len);
		n += sizeof start + len;
	}
	return n;
}

/* Without a word on reordering a decoder may hold pictures back; ours must not. */
static void test_no_vui(void **state)
{
	static const uint32_t kinds[] = { 0x42e01f, 0x4d001f, 0x640c1f, 0x64001f };
	static uint8_t bare[200 << 10];

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct venc *e = NULL;
		struct vdec *d = NULL;

		assert_int_equal(open_encoder(&e, kinds[i]), 0);
		d = open_decoder();
		for (int n = 0; n < N; n++) {
			struct buf *au;
			bool key;

			assert_int_equal(venc_encode(e, picture[n], 0, n == 3, pool, &au, &key), 0);
			au->len = rewrite(bare, au);
			memcpy(au->data, bare, au->len);
			check_picture(d, au, picture[n]);
			buf_unref(&au);
		}
		venc_free(&e);
		vdec_free(&d);
	}
}

/* A level that does not exist, or profiles that nobody here can make. */
static void test_refusals(void **state)
{
	static const uint32_t bad[] = { 0x42e000, 0x42e0ff, 0x58e01f,
					0x6e001f, 0xf4001f, 0x142e01f };
	struct venc *e = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(open_encoder(&e, bad[i]), -EINVAL);
	assert_null(e);
}

/* Where the last slice of an access unit begins. */
static size_t last_unit(const AVPacket *p)
{
	const uint8_t *nal;
	size_t pos = 0, len, last = 0;

	while (h264_next_nal(p->data, (size_t)p->size, &pos, &nal, &len))
		last = (size_t)(nal - p->data);
	return last;
}

/* Encoders for low delay and many phones write several slices a picture. One that is
 * missing is an error, and the next key frame mends it. */
static void test_slices(void **state)
{
	struct vdec *d = open_decoder();
	struct ffmpeg_stream s;
	struct vframe *f;

	(void)state;
	ffmpeg_stream_make_with(&s, "libx264", W, H, AV_PIX_FMT_YUV420P, 24, 12,
				"slices=4:tune=zerolatency:preset=ultrafast:profile=baseline");
	assert_int_equal(s.n, 24);
	for (int i = 0; i < s.n; i++) {
		size_t len = (size_t)s.pkt[i]->size;

		if (i == 6)
			len = last_unit(s.pkt[i]) - 3;
		assert_int_equal(vdec_decode(d, s.pkt[i]->data, len, &f),
				 i < 6 || i >= 12 ? 0 : -EBADMSG);
		assert_int_equal(f != NULL, i < 6 || i >= 12);
		vframe_unref(&f);
	}
	ffmpeg_stream_free(&s);
	vdec_free(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_negotiated),
		cmocka_unit_test(test_one_decoder_for_all),
		cmocka_unit_test(test_slices),
		cmocka_unit_test(test_no_vui),
		cmocka_unit_test(test_refusals),
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
