/* H.264 for packetization-mode 0 and small levels: no NAL unit is larger than a packet,
 * the stream says the level that was agreed on and keeps to it, and it decodes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "mixer/codec/h264_sps.h"
#include "mixer/codec/vdec.h"
#include "mixer/codec/venc.h"
#include "tests/mixer/video/picture.h"

enum { FRAMES = 60, SLICE = 1100, PACKET = 1240 };

static struct buf_pool *pool;
static struct vframe_pool *frames;

static int group_setup(void **state)
{
	(void)state;
	return buf_pool_new(&pool, "au", 400 << 10, 2, 2) || vframe_pool_new(&frames, 2) ? -1 : 0;
}

static int group_teardown(void **state)
{
	(void)state;
	buf_pool_free(&pool);
	vframe_pool_free(&frames);
	return 0;
}

/* Nothing that a codec could foresee. */
static void draw_noise(struct vframe *f, uint32_t *seed)
{
	for (int i = 0; i < 3; i++)
		for (int y = 0; y < (i ? f->av->height / 2 : f->av->height); y++)
			for (int x = 0; x < (i ? f->av->width / 2 : f->av->width); x++) {
				*seed = *seed * 1664525 + 1013904223;
				f->av->data[i][(ptrdiff_t)y * f->av->linesize[i] + x] =
					(uint8_t)(*seed >> 24);
			}
}

struct seen {
	size_t nals, slices, largest, largest_au, most_slices;
	uint64_t octets;
	unsigned sets;
};

/* What is in an access unit. */
static void look(const struct buf *au, uint32_t id, int w, int h, struct seen *s)
{
	const uint8_t *nal;
	size_t pos = 0, len, slices = 0;

	while (h264_next_nal(au->data, au->len, &pos, &nal, &len)) {
		unsigned type = nal[0] & 0x1f;
		struct h264_sps sps;

		s->nals++;
		s->largest = len > s->largest ? len : s->largest;
		slices += type == H264_NAL_SLICE || type == H264_NAL_IDR;
		if (type != H264_NAL_SPS)
			continue;
		s->sets++;
		assert_int_equal(h264_sps_parse(&sps, nal, len), 0);
		assert_int_equal(sps.profile_idc, id >> 16);
		assert_int_equal(sps.constraint_flags, id >> 8 & 0xff);
		assert_int_equal(sps.level_idc, id & 0xff);
		assert_int_equal(sps.width, w);
		assert_int_equal(sps.height, h);
		/* level 1.3: 396 macroblocks, 2376 in the buffer of pictures */
		assert_true(sps.coded_w / 16 * (sps.coded_h / 16) <= 396);
		assert_true(sps.max_num_ref_frames * sps.coded_w / 16 * sps.coded_h / 16 <= 2376);
	}
	s->slices += slices;
	s->most_slices = slices > s->most_slices ? slices : s->most_slices;
	s->largest_au = au->len > s->largest_au ? au->len : s->largest_au;
	s->octets += au->len;
}

static void encode(struct venc_cfg cfg, bool noise, struct seen *s)
{
	static const struct vdec_limits lim = { .max_w = 1280, .max_h = 720 };
	struct vframe *f = picture_waves(cfg.w, cfg.h, 0);
	struct venc *e = NULL;
	struct vdec *d = NULL;
	uint32_t seed = 3;

	role_assert_mixv();
	assert_int_equal(venc_new(&e, &cfg), 0);
	assert_int_equal(vdec_new(&d, CODEC_H264, &lim, frames), 0);
	for (int i = 0; i < FRAMES; i++) {
		struct vframe *out = NULL;
		struct buf *au = NULL;
		bool key;

		if (noise)
			draw_noise(f, &seed);
		else
			picture_draw_waves(f, i);
		assert_int_equal(venc_encode(e, f, i * 33333333ll, i % 20 == 10, pool, &au, &key), 0);
		assert_int_equal(key, i % 20 == 10 || i == 0);
		look(au, cfg.profile_level_id, cfg.w, cfg.h, s);
		assert_int_equal(vdec_decode(d, au->data, au->len, &out), 0);
		assert_non_null(out);
		assert_int_equal(out->av->width, cfg.w);
		vframe_unref(&out);
		buf_unref(&au);
	}
	vdec_free(&d);
	venc_free(&e);
	vframe_unref(&f);
}

static void test_slices_fit_packets(void **state)
{
	static const struct {
		int w, h, fps, bps;
		uint32_t id;
	} row[] = {
		{ 416, 234, 30, 360000, 0x42e00d },  { 320, 180, 15, 150000, 0x42e00c },
		{ 208, 112, 15, 56000, 0x42e00a },   { 352, 288, 15, 768000, 0x4d000d },
		{ 352, 288, 30, 3000000, 0x64000d },
	};

	(void)state;
	role_enter(ROLE_ID_NONE);
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
		for (int noise = 0; noise < 2; noise++) {
			struct seen s = { 0 };
			struct venc_cfg cfg = { .codec = CODEC_H264, .w = row[i].w, .h = row[i].h,
						.fps = row[i].fps, .bitrate_bps = row[i].bps,
						.profile_level_id = row[i].id, .asm_ = "default",
						.max_nal_octets = SLICE };

			encode(cfg, noise, &s);
			print_message("%dx%d%s: at most %zu octets of %zu, %zu slices\n", cfg.w, cfg.h,
				      noise ? " noise" : "", s.largest, s.largest_au, s.most_slices);
			assert_true(s.largest <= PACKET);
			assert_int_equal(s.sets, 4);
			assert_true(!noise || s.most_slices > 1);
			assert_true(s.slices >= s.octets / PACKET);
		}
}

/* Without a limit it is one slice, however large. */
static void test_one_slice_otherwise(void **state)
{
	struct seen s = { 0 };
	struct venc_cfg cfg = { .codec = CODEC_H264, .w = 352, .h = 288, .fps = 30,
				.bitrate_bps = 700000, .profile_level_id = 0x42e00d,
				.asm_ = "default" };

	(void)state;
	role_enter(ROLE_ID_NONE);
	encode(cfg, true, &s);
	assert_int_equal(s.most_slices, 1);
	assert_true(s.largest > PACKET);
	cfg.max_nal_octets = -1;
	assert_int_equal(venc_new(&(struct venc *){ NULL }, &cfg), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slices_fit_packets),
		cmocka_unit_test(test_one_slice_otherwise),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
