#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "mixer/codec/h264_sps.h"
#include "mixer/codec/vdec.h"
#include "mixer/codec/venc.h"
#include "tests/mixer/video/picture.h"

enum { W = 640, H = 360, FPS = 30, CLIP = 60 };

static const struct venc_cfg CFG = { .codec = CODEC_H264, .w = W, .h = H, .fps = FPS,
				     .bitrate_bps = 600000, .asm_ = "default" };

static struct buf_pool *pool;
static struct vframe *clip[CLIP];

/* Waves with grain that moves: what the rate control has to work against. */
static void draw_grain(struct vframe *f, int n)
{
	uint32_t r = (uint32_t)n * 2654435761u + 1;

	for (int y = 0; y < H; y++) {
		uint8_t *row = f->av->data[0] + (ptrdiff_t)y * f->av->linesize[0];

		for (int x = 0; x < W; x++) {
			r = r * 1664525u + 1013904223u;
			row[x] = (uint8_t)(row[x] + (r >> 28));
		}
	}
}

static int group_setup(void **state)
{
	(void)state;
	if (buf_pool_new(&pool, "au", 400 << 10, 4, 4))
		return -1;
	for (int i = 0; i < CLIP; i++) {
		clip[i] = picture_waves(W, H, i);
		draw_grain(clip[i], i);
	}
	return 0;
}

static int group_teardown(void **state)
{
	(void)state;
	for (int i = 0; i < CLIP; i++)
		vframe_unref(&clip[i]);
	buf_pool_free(&pool);
	return 0;
}

/* There and back again, so that there is no jump at the end of the clip. */
static struct vframe *clip_at(int n)
{
	int k = n % (2 * CLIP - 2);

	return clip[k < CLIP ? k : 2 * CLIP - 2 - k];
}

static size_t encode(struct venc *e, int n, bool force, bool *key)
{
	struct buf *au = NULL;
	size_t len;

	assert_int_equal(venc_encode(e, clip_at(n), n * 1000, force, pool, &au, key), 0);
	assert_non_null(au);
	assert_int_equal(au->time_ns, n * 1000);
	assert_int_equal(au->refs, 1);
	len = au->len;
	assert_true(len > 4);
	buf_unref(&au);
	return len;
}

static void check_sps(const struct buf *au, uint32_t profile_level_id)
{
	const uint8_t *nal;
	size_t pos = 0, len;
	struct h264_sps s;
	unsigned sps = 0, pps = 0, idr = 0;

	while (h264_next_nal(au->data, au->len, &pos, &nal, &len)) {
		switch (nal[0] & 0x1f) {
		case H264_NAL_SPS:
			assert_int_equal(idr, 0);
			assert_int_equal(h264_sps_parse(&s, nal, len), 0);
			assert_int_equal(s.profile_idc << 16 | s.constraint_flags << 8 | s.level_idc,
					 profile_level_id);
			assert_int_equal(s.width, W);
			assert_int_equal(s.height, H);
			sps++;
			break;
		case H264_NAL_PPS: pps++; break;
		case H264_NAL_IDR: idr++; break;
		default: break;
		}
	}
	assert_int_equal(sps, 1);
	assert_int_equal(pps, 1);
	assert_int_equal(idr, 1);
}

static void test_sps_says_what_was_negotiated(void **state)
{
	static const uint32_t ids[] = { 0, 0x42e01f, 0x42e01e, 0x42c02a, 0x4d401f, 0x640c1f };

	(void)state;
	for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
		struct venc_cfg cfg = CFG;
		struct venc *e = NULL;
		struct buf *au = NULL;
		bool key;

		cfg.profile_level_id = ids[i];
		assert_int_equal(venc_new(&e, &cfg), 0);
		for (int n = 0; n < 2; n++) {
			assert_int_equal(venc_encode(e, clip[n], 0, true, pool, &au, &key), 0);
			assert_true(key);
			check_sps(au, ids[i] ? ids[i] : 0x42e01f);
			buf_unref(&au);
		}
		venc_free(&e);
		assert_null(e);
	}
}

static void test_key_frame_when_asked(void **state)
{
	struct venc *e = NULL;
	struct venc_stats s;
	bool key;

	(void)state;
	assert_int_equal(venc_new(&e, &CFG), 0);
	for (int n = 0; n < 90; n++) {
		encode(e, n, n == 17 || n == 18 || n == 50, &key);
		assert_int_equal(key, n == 0 || n == 17 || n == 18 || n == 50);
	}
	venc_get_stats(e, &s);
	assert_int_equal(s.frames, 90);
	assert_int_equal(s.keys, 4);
	venc_free(&e);
}

static void test_gop(void **state)
{
	struct venc_cfg cfg = CFG;
	struct venc *e = NULL;
	bool key;

	(void)state;
	cfg.gop_s = 1;
	assert_int_equal(venc_new(&e, &cfg), 0);
	for (int n = 0; n < 70; n++) {
		encode(e, n, n == 10, &key);
		assert_int_equal(key, n == 0 || n == 10 || n == 40);
	}
	assert_int_equal(venc_set_gop(e, -1), -EINVAL);
	assert_int_equal(venc_set_gop(e, 0), 0);
	for (int n = 70; n < 140; n++) {
		encode(e, n, false, &key);
		assert_false(key);
	}
	assert_int_equal(venc_set_gop(e, 1), 0);
	encode(e, 140, false, &key);
	assert_true(key);
	venc_free(&e);
}

static double encode_seconds(struct venc *e, int from, int seconds)
{
	size_t octets = 0;
	bool key;

	for (int n = from; n < from + seconds * FPS; n++)
		octets += encode(e, n, false, &key);
	return (double)octets * 8 / seconds;
}

static void test_bit_rate(void **state)
{
	struct venc *e = NULL;
	double first, half, again;

	(void)state;
	assert_int_equal(venc_new(&e, &CFG), 0);
	first = encode_seconds(e, 0, 5);
	assert_true(first > 0.9 * CFG.bitrate_bps && first < 1.1 * CFG.bitrate_bps);
	assert_int_equal(venc_set_bitrate(e, CFG.bitrate_bps / 2), 0);
	encode_seconds(e, 5 * FPS, 1);
	half = encode_seconds(e, 6 * FPS, 5);
	assert_true(half > 0.45 * CFG.bitrate_bps && half < 0.55 * CFG.bitrate_bps);
	assert_int_equal(venc_set_bitrate(e, CFG.bitrate_bps), 0);
	/* x264 climbs slowly: most of it within two seconds, the rest in ten */
	encode_seconds(e, 11 * FPS, 2);
	again = encode_seconds(e, 13 * FPS, 1);
	assert_true(again > 1.4 * half);
	encode_seconds(e, 14 * FPS, 7);
	again = encode_seconds(e, 21 * FPS, 4);
	assert_true(again > 0.87 * CFG.bitrate_bps && again < 1.1 * CFG.bitrate_bps);
	assert_int_equal(venc_set_bitrate(e, 0), -EINVAL);
	venc_free(&e);
}

/* Fewer pictures have as many octets a second. */
static void test_fewer_pictures(void **state)
{
	struct venc *e = NULL;
	double full, fewer;
	bool key;

	(void)state;
	assert_int_equal(venc_new(&e, &CFG), 0);
	full = encode_seconds(e, 0, 5);
	assert_int_equal(venc_set_fps(e, FPS / 2), 0);
	/* two seconds of what the encoder is told take four */
	encode_seconds(e, 5 * FPS, 8);
	fewer = encode_seconds(e, 13 * FPS, 4) / 2;
	assert_true(fewer > 0.8 * full && fewer < 1.15 * full);
	assert_int_equal(venc_set_fps(e, 1), 0);
	for (int i = 0; i < 3; i++)
		encode(e, i, false, &key);
	assert_int_equal(venc_set_gop(e, 2), 0);
	for (int i = 0; i < 3; i++) {
		encode(e, i, i == 0, &key);
		assert_int_equal(key, i != 1);
	}
	assert_int_equal(venc_set_fps(e, 0), -EINVAL);
	assert_int_equal(venc_set_fps(e, FPS + 1), -EINVAL);
	assert_int_equal(venc_set_fps(e, FPS), 0);
	venc_free(&e);
}

/* What is lost on the way out must not be a reference of what follows. */
static void test_no_buffer(void **state)
{
	struct buf_pool *small = NULL;
	struct venc *e = NULL;
	struct venc_stats s;
	struct buf *au = NULL, *held[4];
	bool key;

	(void)state;
	assert_int_equal(buf_pool_new(&small, "small", 64, 1, 1), 0);
	assert_int_equal(venc_new(&e, &CFG), 0);
	encode(e, 0, false, &key);
	for (int i = 0; i < 4; i++)
		held[i] = buf_get(pool);
	assert_int_equal(venc_encode(e, clip[1], 0, false, pool, &au, &key), -ENOBUFS);
	assert_null(au);
	assert_false(key);
	for (int i = 0; i < 4; i++)
		buf_unref(&held[i]);
	encode(e, 2, false, &key);
	assert_true(key);
	encode(e, 3, false, &key);
	assert_false(key);
	assert_int_equal(venc_encode(e, clip[4], 0, true, small, &au, &key), -EMSGSIZE);
	assert_null(au);
	assert_int_equal(buf_pool_in_use(small), 0);
	encode(e, 5, false, &key);
	assert_true(key);
	venc_get_stats(e, &s);
	assert_int_equal(s.dropped, 2);
	venc_free(&e);
	buf_pool_free(&small);
}

static void test_refusals(void **state)
{
	struct venc_cfg cfg;
	struct venc *e = NULL;
	struct vframe *f = picture_flat(320, 180, 0);
	struct buf *au;
	bool key;

	(void)state;
	cfg = CFG;
	cfg.codec = CODEC_NONE;
	assert_int_equal(venc_new(&e, &cfg), -ENOTSUP);
	cfg = CFG;
	cfg.w = 641;
	assert_int_equal(venc_new(&e, &cfg), -EINVAL);
	cfg = CFG;
	cfg.fps = 0;
	assert_int_equal(venc_new(&e, &cfg), -EINVAL);
	cfg = CFG;
	cfg.bitrate_bps = 1;
	assert_int_equal(venc_new(&e, &cfg), -EINVAL);
	cfg = CFG;
	cfg.profile_level_id = 0x12e01f;
	assert_int_equal(venc_new(&e, &cfg), -EINVAL);
	cfg = CFG;
	cfg.preset = "hasty";
	assert_int_equal(venc_new(&e, &cfg), -EINVAL);
	assert_null(e);
	assert_int_equal(venc_new(&e, &CFG), 0);
	assert_int_equal(venc_encode(e, f, 0, false, pool, &au, &key), -EINVAL);
	assert_null(au);
	venc_free(&e);
	vframe_unref(&f);
}

/* The picture is only read, and nobody holds it afterwards. */
static void test_picture_is_left_alone(void **state)
{
	struct venc *e = NULL;
	struct vframe *f = picture_waves(W, H, 1), *same = picture_waves(W, H, 1);
	struct planes a, b;
	bool key;
	struct buf *au;

	(void)state;
	assert_int_equal(venc_new(&e, &CFG), 0);
	f->av->pts = 77;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(venc_encode(e, f, 0, false, pool, &au, &key), 0);
		buf_unref(&au);
		assert_int_equal(f->av->pts, 77);
		assert_true(vframe_writable(f));
		assert_true(av_frame_is_writable(f->av));
	}
	planes_of_frame(&a, f->av);
	planes_of_frame(&b, same->av);
	assert_true(picture_psnr_y(&a, &b) > 98);
	venc_free(&e);
	vframe_unref(&f);
	vframe_unref(&same);
}

static void fill_luma(struct vframe *f, int x0, int y0, int w, int h, int value)
{
	for (int y = y0; y < y0 + h; y++)
		memset(f->av->data[0] + (ptrdiff_t)y * f->av->linesize[0] + x0, value, (size_t)w);
}

/* As a painter would: the picture is new, the left half since `left`, the right since `right`. */
static void say(struct vframe *f, uint64_t painter, uint64_t left, uint64_t right)
{
	*f->parts = (struct vframe_parts){
		.painter = painter, .all_since = painter, .n = 2,
		.part = { { 0, 0, W / 2, H, left }, { W / 2, 0, W / 2, H, right } },
	};
}

static int luma_at(const struct vframe *f, int x, int y)
{
	return f->av->data[0][(ptrdiff_t)y * f->av->linesize[0] + x];
}

ON_THREAD(ROLE_MIXV)
static struct vframe *through(struct venc *e, struct vdec *d, const struct vframe *f, bool force)
{
	struct vframe *out = NULL;
	struct buf *au;
	bool key;

	assert_int_equal(venc_encode(e, f, 0, force, pool, &au, &key), 0);
	assert_int_equal(vdec_decode(d, au->data, au->len, &out), 0);
	buf_unref(&au);
	return out;
}

/* What is said to stand still is taken from the last picture: seen when it is a lie. */
static void test_what_stands_still(void **state)
{
	static const struct vdec_limits limits = { W, H };
	struct vframe_pool *frames = NULL;
	struct vframe *f = picture_flat(W, H, 0x808080), *out;
	struct venc *e = NULL;
	struct vdec *d = NULL;
	uint64_t painter = f->gen, before = f->gen;

	(void)state;
	assert_int_equal(vframe_pool_new(&frames, 4), 0);
	assert_int_equal(vdec_new(&d, CODEC_H264, &limits, frames), 0);
	assert_int_equal(venc_new(&e, &CFG), 0);
	fill_luma(f, 0, 0, W, H, 60);
	say(f, painter, painter, painter);
	for (int i = 0; i < 20; i++) { /* until it is as sharp as it gets */
		out = through(e, d, f, false);
		vframe_unref(&out);
	}
	/* both change, one is said to: */
	fill_luma(f, 0, 0, W, H, 160);
	vframe_renew(f);
	say(f, painter, f->gen, before);
	out = through(e, d, f, false);
	assert_in_range(luma_at(out, W / 4, H / 2), 150, 170);
	assert_in_range(luma_at(out, 3 * W / 4, H / 2), 50, 70);
	vframe_unref(&out);
	/* another painter's pictures are compared with none of the first's */
	before = f->gen;
	vframe_renew(f);
	say(f, painter + 1, before, before);
	out = through(e, d, f, false);
	assert_in_range(luma_at(out, 3 * W / 4, H / 2), 150, 170);
	vframe_unref(&out);
	/* a key frame shows all of it */
	fill_luma(f, 0, 0, W, H, 100);
	before = f->gen;
	vframe_renew(f);
	say(f, painter + 1, before, before);
	out = through(e, d, f, true);
	assert_in_range(luma_at(out, W / 4, H / 2), 95, 105);
	assert_in_range(luma_at(out, 3 * W / 4, H / 2), 95, 105);
	vframe_unref(&out);
	venc_free(&e);
	vdec_free(&d);
	vframe_unref(&f);
	vframe_pool_free(&frames);
}

/* A picture is sharp after some more of it, and costs next to nothing from then on. */
static void test_sharp(void **state)
{
	struct venc *e = NULL;
	size_t len;
	bool key;
	int n = 0;

	(void)state;
	say(clip[0], clip[0]->gen, clip[0]->gen, clip[0]->gen);
	assert_int_equal(venc_new(&e, &CFG), 0);
	encode(e, 0, false, &key);
	assert_false(venc_is_sharp(e));
	while (!venc_is_sharp(e) && n++ < 100)
		encode(e, 0, false, &key);
	assert_in_range(n, 2, 60);
	for (n = 0, len = 300; len >= 300 && n < 200; n++)
		len = encode(e, 0, false, &key);
	print_message("%zu octets after %d\n", len, n);
	assert_true(len < 300);
	clip[0]->parts->painter = 0;
	for (int i = 1; i < 30; i++)
		encode(e, i, false, &key);
	assert_false(venc_is_sharp(e));
	venc_free(&e);
}

static void test_pick_asm(void **state)
{
	const char *choice = venc_h264_pick_asm();
	struct venc_cfg cfg = CFG;
	struct venc *e = NULL;
	bool key;

	(void)state;
	assert_true(!strcmp(choice, "default") || !strcmp(choice, "avx2"));
	cfg.asm_ = NULL;
	assert_int_equal(venc_new(&e, &cfg), 0);
	encode(e, 0, false, &key);
	assert_true(key);
	venc_free(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sps_says_what_was_negotiated),
		cmocka_unit_test(test_key_frame_when_asked),
		cmocka_unit_test(test_gop),
		cmocka_unit_test(test_bit_rate),
		cmocka_unit_test(test_fewer_pictures),
		cmocka_unit_test(test_no_buffer),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_picture_is_left_alone),
		cmocka_unit_test(test_what_stands_still),
		cmocka_unit_test(test_sharp),
		cmocka_unit_test(test_pick_asm),
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
