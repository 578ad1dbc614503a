#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "mixer/codec/h264_sps.h"
#include "mixer/codec/vdec.h"
#include "mixer/codec/venc.h"
#include "tests/mixer/video/picture.h"

enum { W = 320, H = 180, N = 40, KEY_EVERY = 10 };

static const struct vdec_limits LIMITS = { 1280, 720 };

/* A stream of our own: N pictures, an IDR every KEY_EVERY. */
static struct buf_pool *bufs;
static struct vframe_pool *frames;
static struct buf *au[N];
static struct vframe *picture[N];

static int group_setup(void **state)
{
	struct venc_cfg cfg = { .codec = CODEC_H264, .w = W, .h = H, .fps = 30, .asm_ = "default",
				.bitrate_bps = 400000 };
	struct venc *e = NULL;

	(void)state;
	if (buf_pool_new(&bufs, "au", 200 << 10, N, N) || vframe_pool_new(&frames, 4) ||
	    venc_new(&e, &cfg))
		return -1;
	for (int i = 0; i < N; i++) {
		bool key;

		picture[i] = picture_waves(W, H, i);
		if (venc_encode(e, picture[i], 0, i % KEY_EVERY == 0, bufs, &au[i], &key))
			return -1;
	}
	venc_free(&e);
	return 0;
}

static int group_teardown(void **state)
{
	(void)state;
	for (int i = 0; i < N; i++) {
		buf_unref(&au[i]);
		vframe_unref(&picture[i]);
	}
	buf_pool_free(&bufs);
	vframe_pool_free(&frames);
	return 0;
}

static struct vdec *decoder(void)
{
	struct vdec *d = NULL;

	assert_int_equal(vdec_new(&d, CODEC_H264, &LIMITS, frames), 0);
	return d;
}

/* Near to what went in: not grey, smeared or of another time. */
static void assert_picture(const struct vframe *got, int i)
{
	struct planes a, b;

	assert_int_equal(got->av->width, W);
	assert_int_equal(got->av->height, H);
	assert_int_equal(got->av->format, AV_PIX_FMT_YUV420P);
	planes_of_frame(&a, got->av);
	planes_of_frame(&b, picture[i]->av);
	assert_true(picture_psnr_y(&a, &b) > 30);
}

static void test_one_in_one_out(void **state)
{
	struct vdec *d = decoder();
	struct vframe *f, *kept = NULL;
	struct vdec_stats s;
	uint64_t gen = 0;

	(void)state;
	for (int i = 0; i < N; i++) {
		assert_int_equal(vdec_decode(d, au[i]->data, au[i]->len, &f), 0);
		assert_picture(f, i);
		assert_true(f->gen > gen);
		assert_true(vframe_writable(f));
		gen = f->gen;
		if (i == 3)
			kept = vframe_ref(f);
		vframe_unref(&f);
	}
	vdec_get_stats(d, &s);
	assert_int_equal(s.frames, N);
	assert_int_equal(s.errors + s.skipped + s.refused, 0);
	assert_int_equal(s.width, W);
	assert_int_equal(s.height, H);
	vdec_free(&d);
	assert_null(d);
	/* a picture outlives its decoder */
	assert_picture(kept, 3);
	vframe_unref(&kept);
	assert_int_equal(vframe_pool_in_use(frames), 0);
}

static void test_waits_for_a_key_frame(void **state)
{
	struct vdec *d = decoder();
	struct vframe *f;
	struct vdec_stats s;

	(void)state;
	for (int i = 3; i < KEY_EVERY; i++) {
		assert_int_equal(vdec_decode(d, au[i]->data, au[i]->len, &f), -EBADMSG);
		assert_null(f);
	}
	vdec_get_stats(d, &s);
	assert_int_equal(s.skipped, KEY_EVERY - 3);
	assert_int_equal(vdec_decode(d, au[KEY_EVERY]->data, au[KEY_EVERY]->len, &f), 0);
	assert_picture(f, KEY_EVERY);
	vframe_unref(&f);
	vdec_free(&d);
}

/* Parameter sets may come in an access unit of their own. */
static void test_parameter_sets_alone(void **state)
{
	struct vdec *d = decoder();
	const uint8_t *nal;
	size_t pos = 0, len, head;
	struct vframe *f;

	(void)state;
	do
		assert_true(h264_next_nal(au[0]->data, au[0]->len, &pos, &nal, &len));
	while ((nal[0] & 0x1f) != H264_NAL_PPS);
	head = (size_t)(nal - au[0]->data) + len;
	assert_int_equal(vdec_decode(d, au[0]->data, head, &f), -EAGAIN);
	assert_int_equal(vdec_decode(d, au[0]->data + head, au[0]->len - head, &f), 0);
	assert_picture(f, 0);
	vframe_unref(&f);
	vdec_free(&d);
}

/* After damage: an error for everything up to the next key frame, then pictures. */
static void test_damage_is_not_shown(void **state)
{
	struct vdec *d = decoder();
	uint8_t bad[100000];
	struct vframe *f;

	(void)state;
	for (int i = 0; i < N; i++) {
		bool broken = i == 13;
		int err;

		memcpy(bad, au[i]->data, au[i]->len);
		err = vdec_decode(d, bad, broken ? au[i]->len / 2 : au[i]->len, &f);
		if (i >= 13 && i < 20) {
			assert_int_equal(err, -EBADMSG);
			assert_null(f);
			continue;
		}
		assert_int_equal(err, 0);
		assert_picture(f, i);
		vframe_unref(&f);
	}
	vdec_free(&d);
}

/* Whatever arrives: no crash, no leak, and after a key frame a good picture. */
static void test_mutations(void **state)
{
	struct vdec *d = decoder();
	static uint8_t bad[200 << 10];
	uint32_t r = 7;
	unsigned errors = 0;

	(void)state;
	for (int round = 0; round < 400; round++) {
		int i = (int)(r >> 8) % N;
		size_t len = au[i]->len;
		struct vframe *f;
		int err;

		memcpy(bad, au[i]->data, len);
		for (int k = 0; k < 1 + round % 6; k++) {
			r = r * 1664525u + 1013904223u;
			bad[(r >> 8) % len] ^= (uint8_t)(1u << (r >> 5 & 7));
		}
		if (round % 5 == 0)
			len = (r >> 7) % len;
		if (round % 7 == 0)
			memmove(bad + 40, bad, len - (len > 40 ? 40 : len));
		err = vdec_decode(d, bad, len, &f);
		assert_true(!err || err == -EAGAIN || err == -EBADMSG || err == -EMSGSIZE ||
			    err == -ENOTSUP);
		assert_int_equal(!err, f != NULL);
		errors += err && err != -EAGAIN;
		vframe_unref(&f);
	}
	assert_true(errors > 100);
	for (int i = KEY_EVERY; i < KEY_EVERY + 5; i++) {
		struct vframe *f;

		assert_int_equal(vdec_decode(d, au[i]->data, au[i]->len, &f), 0);
		assert_picture(f, i);
		vframe_unref(&f);
	}
	vdec_free(&d);
	assert_int_equal(vframe_pool_in_use(frames), 0);
}

static void test_not_h264(void **state)
{
	static const uint8_t zeros[64], empty_nal[] = { 0, 0, 0, 1 }, one[] = { 0, 0, 1, 0x65 };
	struct vdec *d = decoder();
	struct vframe *f;

	(void)state;
	assert_int_equal(vdec_decode(d, zeros, sizeof zeros, &f), -EBADMSG);
	assert_int_equal(vdec_decode(d, zeros, 0, &f), -EBADMSG);
	assert_int_equal(vdec_decode(d, empty_nal, sizeof empty_nal, &f), -EBADMSG);
	assert_int_equal(vdec_decode(d, one, sizeof one, &f), -EBADMSG);
	assert_null(f);
	vdec_free(&d);
}

/* An SPS of 16384x16384 (Annex B), as a bomb would have it, ahead of a slice. */
static const uint8_t bomb[] = { 0,    0,    0,	  1,    0x67, 0x42, 0xc0, 0x33, 0xda, 0x00,
				0x10, 0x00, 0x00, 0x80, 0x19, 0,    0,	  1,    0x68, 0xce,
				0x3c, 0x80, 0,	  0,    1,    0x65, 0x88, 0x84, 0x21 };

static void test_bomb(void **state)
{
	struct vdec *d = decoder();
	struct vdec_stats s;
	struct vframe *f;
	static uint8_t both[200 << 10];
	struct h264_sps sps;

	(void)state;
	assert_int_equal(h264_sps_parse(&sps, bomb + 4, 11), 0);
	assert_int_equal(sps.width, 16384);
	assert_int_equal(sps.height, 16384);
	assert_int_equal(vdec_decode(d, bomb, sizeof bomb, &f), -EMSGSIZE);
	assert_null(f);
	/* hidden behind a picture that is fine */
	memcpy(both, au[0]->data, au[0]->len);
	memcpy(both + au[0]->len, bomb, sizeof bomb);
	assert_int_equal(vdec_decode(d, both, au[0]->len + sizeof bomb, &f), -EMSGSIZE);
	vdec_get_stats(d, &s);
	assert_int_equal(s.refused, 2);
	assert_int_equal(s.frames, 0);
	assert_int_equal(vdec_decode(d, au[0]->data, au[0]->len, &f), 0);
	vframe_unref(&f);
	vdec_free(&d);
}

static void test_limits(void **state)
{
	static const struct {
		int w, h, err;
	} t[] = { { 320, 180, 0 },	  { 180, 320, 0 }, { 304, 180, -EMSGSIZE },
		  { 320, 160, -EMSGSIZE }, { 1280, 720, 0 }, { 0, 0, -EINVAL } };
	static uint8_t huge[VDEC_MAX_AU_BYTES + 1];
	struct vframe *f;

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct vdec *d = NULL;
		int err = vdec_new(&d, CODEC_H264, &(struct vdec_limits){ t[i].w, t[i].h }, frames);

		if (!err)
			err = vdec_decode(d, au[0]->data, au[0]->len, &f);
		assert_int_equal(err, t[i].err);
		if (!err) {
			vframe_unref(&f);
			assert_int_equal(vdec_decode(d, huge, sizeof huge, &f), -EMSGSIZE);
		}
		vdec_free(&d);
	}
	{
		struct vdec *d = NULL;

		assert_int_equal(vdec_new(&d, CODEC_NONE, &LIMITS, frames), -ENOTSUP);
		assert_int_equal(vdec_new(&d, (enum codec)99, &LIMITS, frames), -ENOTSUP);
		assert_null(d);
	}
}

/* Without wrappers pictures are lost, but the stream goes on undamaged. */
static void test_dry_pool(void **state)
{
	struct vdec *d = decoder();
	struct vframe *held[4], *f;

	(void)state;
	assert_int_equal(vdec_decode(d, au[0]->data, au[0]->len, &f), 0);
	vframe_unref(&f);
	for (int i = 0; i < 4; i++)
		held[i] = vframe_get(frames);
	for (int i = 1; i < 4; i++) {
		assert_int_equal(vdec_decode(d, au[i]->data, au[i]->len, &f), -ENOBUFS);
		assert_null(f);
	}
	for (int i = 0; i < 4; i++)
		vframe_unref(&held[i]);
	assert_int_equal(vdec_decode(d, au[4]->data, au[4]->len, &f), 0);
	assert_picture(f, 4);
	vframe_unref(&f);
	vdec_free(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_in_one_out),
		cmocka_unit_test(test_waits_for_a_key_frame),
		cmocka_unit_test(test_parameter_sets_alone),
		cmocka_unit_test(test_damage_is_not_shown),
		cmocka_unit_test(test_mutations),
		cmocka_unit_test(test_not_h264),
		cmocka_unit_test(test_bomb),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_dry_pool),
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
