/* What holds for every video codec: encoder and decoder together. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "mixer/codec/vdec.h"
#include "mixer/codec/venc.h"
#include "tests/mixer/video/picture.h"

enum { W = 320, H = 180, FPS = 30, N = 30, KEY_EVERY = 10, MAX_AU = 400 << 10 };

static const enum codec CODECS[] = { CODEC_H264, CODEC_VP8, CODEC_VP9, CODEC_AV1 };
enum { CODECS_N = sizeof CODECS / sizeof *CODECS };

static const struct vdec_limits LIMITS = { 1280, 720 };

/* A stream of each codec: N pictures, a key frame every KEY_EVERY. */
static struct buf_pool *bufs, *few;
static struct vframe_pool *frames;
static struct buf *stream[CODECS_N][N];
static struct vframe *picture[N];

static struct venc *encoder(enum codec codec, int w, int h, int bitrate_bps)
{
	struct venc_cfg cfg = { .codec = codec, .w = w, .h = h, .fps = FPS, .asm_ = "default",
				.bitrate_bps = bitrate_bps };
	struct venc *e = NULL;

	assert_int_equal(venc_new(&e, &cfg), 0);
	return e;
}

static struct vdec *decoder(enum codec codec)
{
	struct vdec *d = NULL;

	assert_int_equal(vdec_new(&d, codec, &LIMITS, frames), 0);
	return d;
}

static int group_setup(void **state)
{
	(void)state;
	if (buf_pool_new(&bufs, "stream", MAX_AU, CODECS_N * N, CODECS_N * N) ||
	    buf_pool_new(&few, "au", MAX_AU, 2, 2) || vframe_pool_new(&frames, 4))
		return -1;
	for (int i = 0; i < N; i++)
		picture[i] = picture_waves(W, H, i);
	for (int c = 0; c < CODECS_N; c++) {
		struct venc *e = encoder(CODECS[c], W, H, 500000);

		for (int i = 0; i < N; i++) {
			bool key;

			if (venc_encode(e, picture[i], 5 + i, i % KEY_EVERY == 0, bufs,
					&stream[c][i], &key))
				return -1;
			assert_int_equal(key, i % KEY_EVERY == 0);
			assert_int_equal(stream[c][i]->time_ns, 5 + i);
		}
		venc_free(&e);
	}
	return 0;
}

static int group_teardown(void **state)
{
	(void)state;
	for (int i = 0; i < N; i++) {
		for (int c = 0; c < CODECS_N; c++)
			buf_unref(&stream[c][i]);
		vframe_unref(&picture[i]);
	}
	buf_pool_free(&bufs);
	buf_pool_free(&few);
	vframe_pool_free(&frames);
	return 0;
}

static void assert_like(const struct vframe *got, const struct vframe *want)
{
	struct planes a, b;

	assert_int_equal(got->av->width, want->av->width);
	assert_int_equal(got->av->height, want->av->height);
	assert_int_equal(got->av->format, AV_PIX_FMT_YUV420P);
	planes_of_frame(&a, got->av);
	planes_of_frame(&b, want->av);
	assert_true(picture_psnr_y(&a, &b) > 32);
}

static int feed(struct vdec *d, const struct buf *au, struct vframe **f)
{
	return vdec_decode(d, au->data, au->len, f);
}

static void test_round_trip(void **state)
{
	(void)state;
	for (int c = 0; c < CODECS_N; c++) {
		struct vdec *d = decoder(CODECS[c]);
		struct vframe *f, *kept = NULL;
		struct vdec_stats s;

		for (int i = 0; i < N; i++) {
			assert_int_equal(feed(d, stream[c][i], &f), 0);
			assert_like(f, picture[i]);
			assert_int_not_equal(f->av->color_range, AVCOL_RANGE_JPEG);
			if (i == 7)
				kept = vframe_ref(f);
			vframe_unref(&f);
		}
		vdec_get_stats(d, &s);
		assert_int_equal(s.frames, N);
		assert_int_equal(s.errors + s.skipped + s.refused, 0);
		vdec_free(&d);
		/* a picture outlives its decoder */
		assert_like(kept, picture[7]);
		vframe_unref(&kept);
	}
}

static void test_waits_for_a_key_frame(void **state)
{
	(void)state;
	for (int c = 0; c < CODECS_N; c++) {
		struct vdec *d = decoder(CODECS[c]);
		struct vdec_stats s;
		struct vframe *f;

		for (int i = 4; i < KEY_EVERY; i++) {
			assert_int_equal(feed(d, stream[c][i], &f), -EBADMSG);
			assert_null(f);
		}
		vdec_get_stats(d, &s);
		assert_int_equal(s.skipped, KEY_EVERY - 4);
		assert_int_equal(feed(d, stream[c][KEY_EVERY], &f), 0);
		assert_like(f, picture[KEY_EVERY]);
		vframe_unref(&f);
		vdec_free(&d);
	}
}

/* The last part of a VP8 or VP9 frame has no length that could betray a cut. */
static size_t cut(int c, size_t len)
{
	return CODECS[c] == CODEC_H264 || CODECS[c] == CODEC_AV1 ? len / 2 : 2;
}

/* An error, then nothing up to the next key frame, then pictures. */
static void test_damage_is_not_shown(void **state)
{
	(void)state;
	for (int c = 0; c < CODECS_N; c++) {
		struct vdec *d = decoder(CODECS[c]);
		struct vframe *f;

		for (int i = 0; i < N; i++) {
			size_t len = stream[c][i]->len;
			int err = vdec_decode(d, stream[c][i]->data, i == 13 ? cut(c, len) : len,
					      &f);

			if (i >= 13 && i < 20) {
				assert_int_equal(err, -EBADMSG);
				assert_null(f);
				continue;
			}
			assert_int_equal(err, 0);
			assert_like(f, picture[i]);
			vframe_unref(&f);
		}
		vdec_free(&d);
	}
}

static void mutate(uint8_t *bad, size_t *len, int round, uint32_t *r)
{
	for (int k = 0; k < 1 + round % 6; k++) {
		*r = *r * 1664525u + 1013904223u;
		/* half of them in the headers */
		bad[(*r >> 8) % (round % 2 ? *len : (*len < 24 ? *len : 24))] ^=
			(uint8_t)(1u << (*r >> 5 & 7));
	}
	if (round % 5 == 0)
		*len = (*r >> 7) % *len;
	if (round % 7 == 0 && *len > 40)
		memmove(bad + 40, bad, *len - 40);
}

/* Whatever arrives: no crash, no leak, nothing over the limits, and after a key
 * frame good pictures. */
static void test_garbage(void **state)
{
	static uint8_t bad[MAX_AU];
	uint32_t r = 99;

	(void)state;
	for (int c = 0; c < CODECS_N; c++) {
		struct vdec *d = decoder(CODECS[c]);
		struct vframe *f;
		unsigned errors = 0;

		for (int round = 0; round < 600; round++) {
			const struct buf *au = stream[c][round % 3 ? (int)(r >> 8) % N : 0];
			size_t len = au->len;
			int err;

			memcpy(bad, au->data, len);
			mutate(bad, &len, round, &r);
			err = vdec_decode(d, bad, len, &f);
			assert_true(!err || err == -EAGAIN || err == -EBADMSG || err == -EMSGSIZE ||
				    err == -ENOTSUP);
			assert_int_equal(!err, f != NULL);
			assert_true(!f || f->av->width * f->av->height <= 1280 * 720);
			errors += err && err != -EAGAIN;
			vframe_unref(&f);
		}
		assert_true(errors > 100);
		for (int i = KEY_EVERY; i < KEY_EVERY + 5; i++) {
			assert_int_equal(feed(d, stream[c][i], &f), 0);
			assert_like(f, picture[i]);
			vframe_unref(&f);
		}
		vdec_free(&d);
		assert_int_equal(vframe_pool_in_use(frames), 0);
	}
}

static void test_noise(void **state)
{
	uint8_t noise[700];
	uint32_t r = 5;

	(void)state;
	for (int c = 0; c < CODECS_N; c++) {
		struct vdec *d = decoder(CODECS[c]);
		struct vframe *f;

		for (int round = 0; round < 500; round++) {
			for (size_t i = 0; i < sizeof noise; i++) {
				r = r * 1664525u + 1013904223u;
				noise[i] = (uint8_t)(r >> 24);
			}
			assert_int_not_equal(vdec_decode(d, noise, r % sizeof noise, &f), 0);
			assert_null(f);
		}
		assert_int_equal(feed(d, stream[c][0], &f), 0);
		vframe_unref(&f);
		vdec_free(&d);
	}
}

/* Senders change their size whenever the line or the tile does. */
static void test_size_changes_at_key_frames(void **state)
{
	static const int size[][2] = { { 320, 180 }, { 640, 360 }, { 160, 90 },	{ 1280, 720 },
				       { 720, 1280 }, { 426, 240 }, { 320, 180 } };

	(void)state;
	for (int c = 0; c < CODECS_N; c++) {
		struct vdec *d = decoder(CODECS[c]);
		struct vframe *before = NULL;

		for (size_t i = 0; i < sizeof size / sizeof *size; i++) {
			struct venc *e = encoder(CODECS[c], size[i][0], size[i][1], 2000000);

			for (int n = 0; n < 3; n++) {
				struct vframe *in = picture_waves(size[i][0], size[i][1], n), *f;
				struct buf *au;
				bool key;

				assert_int_equal(venc_encode(e, in, 0, false, few, &au, &key), 0);
				assert_int_equal(feed(d, au, &f), 0);
				assert_like(f, in);
				vframe_unref(&before);
				before = f;
				buf_unref(&au);
				vframe_unref(&in);
			}
			venc_free(&e);
		}
		vframe_unref(&before);
		vdec_free(&d);
	}
}

static void test_limits(void **state)
{
	static const struct {
		int w, h, err;
	} t[] = { { W, H, 0 }, { H, W, 0 }, { W - 16, H, -EMSGSIZE }, { W, H - 20, -EMSGSIZE } };

	(void)state;
	for (int c = 0; c < CODECS_N; c++) {
		for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
			struct vdec_limits limits = { t[i].w, t[i].h };
			struct vdec_stats s;
			struct vdec *d = NULL;
			struct vframe *f;

			assert_int_equal(vdec_new(&d, CODECS[c], &limits, frames), 0);
			assert_int_equal(feed(d, stream[c][0], &f), t[i].err);
			vdec_get_stats(d, &s);
			assert_int_equal(s.refused, t[i].err ? 1 : 0);
			vframe_unref(&f);
			/* what follows a refused key frame is not decoded */
			assert_int_equal(feed(d, stream[c][1], &f), t[i].err ? -EBADMSG : 0);
			vframe_unref(&f);
			vdec_free(&d);
		}
	}
}

/* Without wrappers pictures are lost, but the stream goes on: even when it was
 * the first picture that was lost. */
static void test_dry_pool(void **state)
{
	(void)state;
	for (int c = 0; c < CODECS_N; c++) {
		struct vdec *d = decoder(CODECS[c]);
		struct vframe *held[4], *f;

		for (int i = 0; i < 4; i++)
			held[i] = vframe_get(frames);
		for (int i = 0; i < 3; i++) {
			assert_int_equal(feed(d, stream[c][i], &f), -ENOBUFS);
			assert_null(f);
		}
		for (int i = 0; i < 4; i++)
			vframe_unref(&held[i]);
		assert_int_equal(feed(d, stream[c][3], &f), 0);
		assert_like(f, picture[3]);
		vframe_unref(&f);
		vdec_free(&d);
	}
}

/* A frame that the sender dropped says nothing and breaks nothing. */
static void test_dropped_frames(void **state)
{
	(void)state;
	for (int c = 0; c < CODECS_N; c++) {
		struct vdec *d = decoder(CODECS[c]);
		struct vframe *f;

		if (CODECS[c] == CODEC_H264) {
			vdec_free(&d);
			continue;
		}
		assert_int_equal(vdec_decode(d, stream[c][0]->data, 0, &f), -EAGAIN);
		assert_int_equal(feed(d, stream[c][0], &f), 0);
		vframe_unref(&f);
		assert_int_equal(vdec_decode(d, stream[c][0]->data, 0, &f), -EAGAIN);
		assert_null(f);
		assert_int_equal(feed(d, stream[c][1], &f), 0);
		assert_like(f, picture[1]);
		vframe_unref(&f);
		vdec_free(&d);
	}
}

static void draw_grain(struct vframe *f, int n)
{
	uint32_t r = (uint32_t)n * 2654435761u + 1;

	for (int y = 0; y < f->av->height; y++) {
		uint8_t *row = f->av->data[0] + (ptrdiff_t)y * f->av->linesize[0];

		for (int x = 0; x < f->av->width; x++) {
			r = r * 1664525u + 1013904223u;
			row[x] = (uint8_t)(row[x] + (r >> 28));
		}
	}
}

/* Bits per second of seconds s of a moving, grainy picture. */
static double rate(struct venc *e, struct vframe *const *clip, int seconds)
{
	size_t octets = 0;

	for (int n = 0; n < seconds * FPS; n++) {
		struct buf *au;
		bool key;
		int k = n % (2 * N - 2);

		assert_int_equal(venc_encode(e, clip[k < N ? k : 2 * N - 2 - k], 0, false, few, &au,
					     &key), 0);
		octets += au->len;
		buf_unref(&au);
	}
	return (double)octets * 8 / seconds;
}

static void test_bit_rate_is_followed(void **state)
{
	struct vframe *clip[N];

	(void)state;
	for (int i = 0; i < N; i++) {
		clip[i] = picture_waves(W, H, i);
		draw_grain(clip[i], i);
	}
	for (int c = 0; c < CODECS_N; c++) {
		struct venc *e = encoder(CODECS[c], W, H, 240000);
		double first = rate(e, clip, 4), half, more;

		assert_int_equal(venc_set_bitrate(e, 120000), 0);
		rate(e, clip, 1);
		half = rate(e, clip, 3);
		assert_int_equal(venc_set_bitrate(e, 360000), 0);
		rate(e, clip, 2);
		more = rate(e, clip, 3);
		print_message("%s: %.0f, %.0f, %.0f b/s\n", codec_name(CODECS[c]), first, half,
			      more);
		assert_true(first > 0.8 * 240000 && first < 1.2 * 240000);
		assert_true(half > 0.75 * 120000 && half < 1.2 * 120000);
		assert_true(more > 0.75 * 360000 && more < 1.2 * 360000);
		assert_int_equal(venc_set_bitrate(e, 0), -EINVAL);
		venc_free(&e);
	}
	for (int i = 0; i < N; i++)
		vframe_unref(&clip[i]);
}

/* No more than the buffer model holds, or receivers on thin lines stall. */
static void test_key_frames_are_bounded(void **state)
{
	struct vframe *f = picture_waves(640, 360, 0);

	(void)state;
	draw_grain(f, 1);
	for (int c = 0; c < CODECS_N; c++) {
		struct venc *e = encoder(CODECS[c], 640, 360, 600000);
		struct buf *au;
		bool key;

		for (int n = 0; n < 60; n++) {
			int err = venc_encode(e, f, 0, n == 45, few, &au, &key);

			assert_int_equal(key, n == 0 || n == 45);
			if (err == -EAGAIN && !key)
				continue;
			assert_int_equal(err, 0);
			assert_true(au->len < 600000 / 8 / 2);
			buf_unref(&au);
		}
		venc_free(&e);
	}
	vframe_unref(&f);
}

static void test_gop(void **state)
{
	(void)state;
	for (int c = 0; c < CODECS_N; c++) {
		struct venc *e = encoder(CODECS[c], W, H, 500000);

		assert_int_equal(venc_set_gop(e, 1), 0);
		for (int n = 0; n < 65; n++) {
			struct buf *au;
			bool key;

			assert_int_equal(
				venc_encode(e, picture[n % N], 0, n == 10, few, &au, &key), 0);
			assert_int_equal(key, n == 0 || n == 10 || n == 40);
			buf_unref(&au);
		}
		venc_free(&e);
	}
}

/* What is lost on the way out must not be a reference of what follows. */
static void test_lost_picture(void **state)
{
	struct buf_pool *small = NULL;

	(void)state;
	assert_int_equal(buf_pool_new(&small, "small", 8, 1, 1), 0);
	for (int c = 0; c < CODECS_N; c++) {
		struct venc *e = encoder(CODECS[c], W, H, 500000);
		static const bool want[] = { true, false, true, true, false };

		for (int n = 0; n < 5; n++) {
			struct buf *au;
			bool key;
			int err = venc_encode(e, picture[n], 0, false, n == 2 ? small : few,
					      &au, &key);

			assert_int_equal(err, n == 2 ? -EMSGSIZE : 0);
			assert_int_equal(key, n == 2 ? false : want[n]);
			buf_unref(&au);
		}
		venc_free(&e);
	}
	buf_pool_free(&small);
}

static void test_speed(void **state)
{
	static const struct {
		enum codec codec;
		int speed, err;
	} t[] = { { CODEC_VP8, 1, 0 },	{ CODEC_VP8, 16, 0 },	   { CODEC_VP8, 17, -EINVAL },
		  { CODEC_VP9, 5, 0 },	{ CODEC_VP9, 10, -EINVAL }, { CODEC_VP8, -1, -EINVAL } };

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct venc_cfg cfg = { .codec = t[i].codec, .w = W, .h = H, .fps = FPS,
					.bitrate_bps = 300000, .speed = t[i].speed };
		struct venc *e = NULL;

		assert_int_equal(venc_new(&e, &cfg), t[i].err);
		venc_free(&e);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_waits_for_a_key_frame),
		cmocka_unit_test(test_damage_is_not_shown),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_noise),
		cmocka_unit_test(test_size_changes_at_key_frames),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_dry_pool),
		cmocka_unit_test(test_dropped_frames),
		cmocka_unit_test(test_bit_rate_is_followed),
		cmocka_unit_test(test_key_frames_are_bounded),
		cmocka_unit_test(test_gop),
		cmocka_unit_test(test_lost_picture),
		cmocka_unit_test(test_speed),
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
