/* What an encoder sends in time: the rate, bursts, and key frames, over pictures that
 * make it hard. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "mixer/codec/h264_sps.h"
#include "mixer/codec/venc.h"
#include "tests/mixer/video/picture.h"

enum { W = 640, H = 360, FPS = 30, SECONDS = 8, N = FPS * SECONDS, WINDOW = FPS / 2 };
enum { RATE = 500000, VBV_MS = 250, MAX_AU = 800 << 10 };

/* The two that browsers and room systems get. */
static const enum codec CODECS[] = { CODEC_H264, CODEC_VP8 };
enum { CODECS_N = sizeof CODECS / sizeof *CODECS };

static struct buf_pool *pool;
static struct vframe *base[4];

static uint32_t rnd(uint32_t *r)
{
	*r = *r * 1664525u + 1013904223u;
	return *r >> 16;
}

/* Luma of f plus or minus up to `most`. */
static void add_grain(struct vframe *f, int n, int most)
{
	uint32_t r = (uint32_t)n * 2654435761u + 1;

	for (int y = 0; y < H; y++) {
		uint8_t *row = f->av->data[0] + (ptrdiff_t)y * f->av->linesize[0];

		for (int x = 0; x < W; x++) {
			int v = row[x] + (int)(rnd(&r) % (unsigned)(2 * most + 1)) - most;

			row[x] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
		}
	}
}

/* Lines of text on paper: what slides are, and hard to code. */
static struct vframe *slide(int seed)
{
	struct vframe *f = picture_flat(W, H, 0xf8f8f0);
	uint32_t r = (uint32_t)seed;

	for (int y = 20; y < H - 20; y++) {
		uint8_t *row = f->av->data[0] + (ptrdiff_t)y * f->av->linesize[0];

		for (int x = 40; y % 16 < 9 && x < W - 40; x += 2)
			if (rnd(&r) % 3 == 0)
				row[x] = row[x + 1] = 30;
	}
	return f;
}

typedef void scene_fn(struct vframe *f, int n);

static void copy(struct vframe *to, const struct vframe *from)
{
	struct planes a, b;

	planes_of_frame(&a, to->av);
	planes_of_frame(&b, from->av);
	planes_copy(&a, &b);
}

static void motion(struct vframe *f, int n)
{
	picture_draw_waves(f, n);
	add_grain(f, n, 3);
}

/* Another scene every 1.3 s. */
static void cuts(struct vframe *f, int n)
{
	copy(f, base[n / 39 % 4]);
	add_grain(f, n, 2);
}

static void noise(struct vframe *f, int n)
{
	copy(f, base[0]);
	add_grain(f, n, 60);
}

/* A picture that stands still, then moves at once. */
static void start(struct vframe *f, int n)
{
	motion(f, n < N / 2 ? 0 : n);
	if (n >= N / 2)
		add_grain(f, n, 10);
}

static void pages(struct vframe *f, int n)
{
	copy(f, base[n / 45 % 2 ? 1 : 2]);
}

static const struct {
	const char *name;
	scene_fn *draw;
	bool steady; /* there is something to spend the rate on all the time */
	bool slides;
} SCENES[] = {
	{ "motion", motion, true, false }, { "cuts", cuts, false, true },
	{ "noise", noise, true, false }, { "start", start, false, false },
	{ "pages", pages, false, true },
};
enum { SCENES_N = sizeof SCENES / sizeof *SCENES };

static int group_setup(void **state)
{
	(void)state;
	if (buf_pool_new(&pool, "au", MAX_AU, 1, 1))
		return -1;
	base[0] = picture_waves(W, H, 0);
	base[1] = slide(1);
	base[2] = slide(2);
	base[3] = picture_waves(W, H, 500);
	return 0;
}

static int group_teardown(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++)
		vframe_unref(&base[i]);
	buf_pool_free(&pool);
	return 0;
}

static struct venc *encoder(enum codec codec)
{
	struct venc_cfg cfg = { .codec = codec, .w = W, .h = H, .fps = FPS, .vbv_ms = VBV_MS,
				.asm_ = "default", .bitrate_bps = RATE };
	struct venc *e = NULL;

	assert_int_equal(venc_new(&e, &cfg), 0);
	return e;
}

static int encode(struct venc *e, scene_fn *draw, int n, bool force, bool *key)
{
	struct vframe *f = NULL;
	struct buf *au = NULL;
	int bits, err;

	assert_int_equal(vframe_new_canvas(&f, W, H), 0);
	copy(f, base[0]);
	draw(f, n);
	err = venc_encode(e, f, n, force, pool, &au, key);
	assert_true(!err || err == -EAGAIN);
	bits = au ? (int)au->len * 8 : 0;
	buf_unref(&au);
	vframe_unref(&f);
	return bits;
}

/* The most that any half second without a key frame took, over what it may. */
static double worst_window(const int *bits, const bool *key, int n, int rate)
{
	double worst = 0;

	for (int from = 0; from + WINDOW <= n; from++) {
		bool clean = true;
		double sum = 0;

		for (int i = from; i < from + WINDOW; i++) {
			clean = clean && !key[i];
			sum += bits[i];
		}
		if (clean && sum / (rate / 2.0) > worst)
			worst = sum / (rate / 2.0);
	}
	return worst;
}

static double mean_rate(const int *bits, int from, int to)
{
	double sum = 0;

	for (int i = from; i < to; i++)
		sum += bits[i];
	return sum * FPS / (to - from);
}

static void hold_rate(enum codec codec, int s)
{
	struct venc *e = encoder(codec);
	struct venc_stats st;
	double worst, mean;
	bool key[N];
	int bits[N];

	for (int i = 0; i < N; i++)
		bits[i] = encode(e, SCENES[s].draw, i, false, &key[i]);
	venc_get_stats(e, &st);
	venc_free(&e);
	worst = worst_window(bits, key, N, RATE);
	mean = mean_rate(bits, FPS, N);
	print_message("%s %s: %.0f b/s, half a second at most %.2f of the rate, %d left out\n",
		      codec_name(codec), SCENES[s].name, mean, worst, (int)st.left_out);
	assert_true(mean <= 1.1 * RATE);
	assert_true(!SCENES[s].steady || mean >= 0.8 * RATE);
	/* VP8 cannot code a slide in less than it takes at the coarsest quantiser */
	assert_true(worst <= (codec == CODEC_VP8 && SCENES[s].slides ? 3 : 1.5));
	assert_true(codec == CODEC_VP8 || !st.left_out);
}

static void test_rate_is_held(void **state)
{
	(void)state;
	for (int c = 0; c < CODECS_N; c++)
		for (int s = 0; s < SCENES_N; s++)
			hold_rate(CODECS[c], s);
}

/* Asked for in the worst places: it comes at once, and the buffer bounds it. */
static void test_key_frames(void **state)
{
	(void)state;
	for (int c = 0; c < CODECS_N; c++)
		for (int s = 0; s < SCENES_N; s++) {
			struct venc *e = encoder(CODECS[c]);

			for (int i = 0; i < 4 * FPS; i++) {
				bool force = i == 39 || i == 40 || i == 90, key;
				int bits = encode(e, SCENES[s].draw, i, force, &key);

				assert_int_equal(key, force || !i);
				if (key && CODECS[c] == CODEC_H264)
					assert_in_range(bits, 1000, RATE / 1000 * VBV_MS);
			}
			venc_free(&e);
		}
}

/* A lower rate is kept to from the next buffer on, also with fewer pictures. */
static void test_changes(void **state)
{
	(void)state;
	for (int c = 0; c < CODECS_N; c++) {
		struct venc *e = encoder(CODECS[c]);
		double full = 0, fewer = 0;
		bool key;

		for (int i = 0; i < 3 * FPS; i++)
			encode(e, motion, i, false, &key);
		assert_int_equal(venc_set_bitrate(e, RATE / 2), 0);
		for (int i = 0; i < 15; i++)
			encode(e, motion, 3 * FPS + i, false, &key);
		for (int i = 15; i < 3 * FPS; i++)
			full += encode(e, motion, 3 * FPS + i, false, &key);
		full = full * FPS / (3 * FPS - 15);
		assert_true(full < 1.15 * RATE / 2);
		assert_int_equal(venc_set_fps(e, FPS / 2), 0);
		for (int i = 0; i < 4 * FPS; i++)
			encode(e, motion, 6 * FPS + 2 * i, false, &key);
		for (int i = 0; i < 2 * FPS; i++)
			fewer += encode(e, motion, 14 * FPS + 2 * i, false, &key);
		fewer /= 4;
		print_message("%s: %.0f b/s, with half of the pictures %.0f\n",
			      codec_name(CODECS[c]), full, fewer);
		assert_true(fewer > 0.75 * RATE / 2 && fewer < 1.15 * RATE / 2);
		venc_free(&e);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rate_is_held),
		cmocka_unit_test(test_key_frames),
		cmocka_unit_test(test_changes),
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
