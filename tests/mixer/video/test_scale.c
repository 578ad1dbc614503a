#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "mixer/video/scale.h"
#include "tests/mixer/video/picture.h"

enum { W = 1280, H = 720 };

static const struct yuv PAGE = { 33, 120, 140 };
static const struct yuv BARS = { 50, 110, 130 };

struct fixture {
	struct scaler *s;
	struct vframe *canvas;
	struct planes planes;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	assert_non_null(f);
	assert_int_equal(scaler_new(&f->s), 0);
	f->canvas = picture_flat(W, H, 0);
	planes_of_frame(&f->planes, f->canvas->av);
	planes_fill(&f->planes, PAGE);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	scaler_free(&f->s);
	vframe_unref(&f->canvas);
	free(f);
	return 0;
}

/* Mean of the source area under each target sample: what every filter here is an
 * approximation of. */
static struct vframe *reference(const struct vframe *src, int w, int h)
{
	struct vframe *out = picture_flat(w, h, 0);
	double sx = (double)src->av->width / w, sy = (double)src->av->height / h;

	for (int y = 0; y < h; y++) {
		for (int x = 0; x < w; x++) {
			double sum = 0;

			for (int k = 0; k < 64; k++) {
				double px = (x + (k % 8 + 0.5) / 8) * sx, py = (y + (k / 8 + 0.5) / 8) * sy;

				sum += src->av->data[0][(ptrdiff_t)py * src->av->linesize[0] +
							(ptrdiff_t)px];
			}
			out->av->data[0][(ptrdiff_t)y * out->av->linesize[0] + x] =
				(uint8_t)(sum / 64 + 0.5);
		}
	}
	return out;
}

/* Nothing outside of the tile has been touched. */
static void assert_outside_untouched(const struct fixture *f, const struct rect *t)
{
	size_t wrong = 0;

	for (int y = 0; y < H; y++) {
		for (int x = 0; x < W; x++) {
			bool inside = x >= t->x && x < t->x + t->w && y >= t->y && y < t->y + t->h;

			wrong += !inside && picture_distance(picture_at(f->canvas, x, y), PAGE);
		}
	}
	assert_int_equal(wrong, 0);
}

static void check_scale(struct fixture *f, int sw, int sh, struct rect tile, double min_psnr)
{
	struct vframe *src = picture_waves(sw, sh, 3), *ref = reference(src, tile.w, tile.h);
	struct scale_job job = { .src = src->av, .tile = tile, .bars = BARS };
	struct planes got, want;
	bool copied;

	assert_int_equal(scaler_place(f->s, &job, &f->planes, &copied), 0);
	assert_int_equal(copied, sw == tile.w && sh == tile.h);
	planes_window(&got, &f->planes, &tile);
	planes_of_frame(&want, ref->av);
	if (picture_psnr_y(&got, &want) < min_psnr)
		fail_msg("%dx%d in %dx%d: %.1f dB", sw, sh, tile.w, tile.h,
			 picture_psnr_y(&got, &want));
	assert_outside_untouched(f, &tile);
	planes_fill(&got, PAGE);
	vframe_unref(&src);
	vframe_unref(&ref);
}

static void test_ratios(void **state)
{
	struct fixture *f = *state;

	check_scale(f, 640, 360, (struct rect){ 0, 0, 640, 360 }, 98);
	check_scale(f, 640, 360, (struct rect){ 640, 360, 640, 360 }, 98);
	check_scale(f, 1280, 720, (struct rect){ 640, 0, 640, 360 }, 45);
	check_scale(f, 1280, 720, (struct rect){ 320, 180, 320, 180 }, 45);
	check_scale(f, 320, 180, (struct rect){ 0, 0, 1280, 720 }, 35);
	check_scale(f, 1280, 720, (struct rect){ 852, 480, 426, 240 }, 38);
	check_scale(f, 640, 360, (struct rect){ 426, 0, 426, 240 }, 35);
	check_scale(f, 640, 360, (struct rect){ 1024, 576, 256, 144 }, 35);
	check_scale(f, 640, 360, (struct rect){ 1098, 618, 182, 102 }, 33);
}

static void test_letterbox(void **state)
{
	struct fixture *f = *state;
	struct vframe *src = picture_flat(480, 360, 0xff0000);
	struct scale_job job = { .src = src->av, .tile = { 640, 0, 640, 360 }, .bars = BARS };
	struct yuv red = yuv_of_rgb(0xff0000);
	bool copied;

	assert_int_equal(scaler_place(f->s, &job, &f->planes, &copied), 0);
	assert_true(copied);
	assert_int_equal(picture_distance(picture_at(f->canvas, 640, 0), BARS), 0);
	assert_int_equal(picture_distance(picture_at(f->canvas, 719, 180), BARS), 0);
	assert_int_equal(picture_distance(picture_at(f->canvas, 720, 180), red), 0);
	assert_int_equal(picture_distance(picture_at(f->canvas, 1199, 359), red), 0);
	assert_int_equal(picture_distance(picture_at(f->canvas, 1200, 180), BARS), 0);
	assert_outside_untouched(f, &job.tile);
	vframe_unref(&src);
}

/* A red picture with a blue left half. */
static struct vframe *halves(int w, int h)
{
	struct vframe *f = picture_flat(w, h, 0xff0000);
	struct planes p;
	const struct rect left = { 0, 0, w / 2, h };

	planes_of_frame(&p, f->av);
	planes_window(&p, &p, &left);
	planes_fill(&p, yuv_of_rgb(0x0000ff));
	return f;
}

static void test_crop(void **state)
{
	struct fixture *f = *state;
	struct vframe *src = halves(360, 640);
	struct scale_job job = { .src = src->av, .crop = true, .tile = { 0, 0, 640, 360 },
				 .bars = BARS };
	bool copied;

	assert_int_equal(scaler_place(f->s, &job, &f->planes, &copied), 0);
	assert_false(copied);
	assert_true(picture_distance(picture_at(f->canvas, 2, 2), yuv_of_rgb(0x0000ff)) < 4);
	assert_true(picture_distance(picture_at(f->canvas, 300, 180), yuv_of_rgb(0x0000ff)) < 4);
	assert_true(picture_distance(picture_at(f->canvas, 340, 180), yuv_of_rgb(0xff0000)) < 4);
	assert_true(picture_distance(picture_at(f->canvas, 637, 357), yuv_of_rgb(0xff0000)) < 4);
	assert_outside_untouched(f, &job.tile);
	vframe_unref(&src);
}

static void test_rotation(void **state)
{
	/* where the blue half goes: corners top left, top right, bottom left */
	static const struct {
		unsigned rotation;
		bool top_left, top_right, bottom_left;
	} want[] = {
		{ 0, true, false, true },
		{ 90, true, true, false },
		{ 180, false, true, false },
		{ 270, false, false, true },
	};
	struct fixture *f = *state;
	struct yuv blue = yuv_of_rgb(0x0000ff);

	for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
		struct vframe *src = halves(200, 200);
		struct scale_job job = { .src = src->av, .rotation = want[i].rotation,
					 .tile = { 0, 0, 100, 100 }, .bars = BARS };
		bool copied;

		assert_int_equal(scaler_place(f->s, &job, &f->planes, &copied), 0);
		assert_int_equal(picture_distance(picture_at(f->canvas, 4, 4), blue) < 4,
				 want[i].top_left);
		assert_int_equal(picture_distance(picture_at(f->canvas, 95, 4), blue) < 4,
				 want[i].top_right);
		assert_int_equal(picture_distance(picture_at(f->canvas, 4, 95), blue) < 4,
				 want[i].bottom_left);
		vframe_unref(&src);
	}
}

static void test_full_range_and_dim(void **state)
{
	struct fixture *f = *state;
	struct vframe *src = picture_flat(640, 360, 0);
	struct scale_job job = { .src = src->av, .tile = { 0, 0, 640, 360 }, .bars = BARS };
	struct planes p;
	bool copied;

	planes_of_frame(&p, src->av);
	planes_fill(&p, (struct yuv){ 255, 0, 255 });
	src->av->color_range = AVCOL_RANGE_JPEG;
	assert_int_equal(scaler_place(f->s, &job, &f->planes, &copied), 0);
	assert_true(picture_distance(picture_at(f->canvas, 99, 99), (struct yuv){ 235, 16, 240 }) <= 1);
	src->av->color_range = AVCOL_RANGE_MPEG;
	planes_fill(&p, (struct yuv){ 216, 28, 228 });
	job.dim = true;
	assert_int_equal(scaler_place(f->s, &job, &f->planes, &copied), 0);
	assert_int_equal(
		picture_distance(picture_at(f->canvas, 99, 99), (struct yuv){ 116, 78, 178 }), 0);
	vframe_unref(&src);
}

/* Sizes of senders are theirs to choose. */
static void test_odd_sources(void **state)
{
	static const int size[][2] = { { 2, 2 },     { 3, 3 },	   { 17, 1080 }, { 1081, 31 },
				       { 853, 479 }, { 1920, 17 }, { 426, 239 } };
	struct fixture *f = *state;
	struct rect tile = { 426, 240, 426, 240 };

	for (size_t i = 0; i < sizeof size / sizeof *size; i++) {
		for (unsigned k = 0; k < 8; k++) {
			AVFrame *av = av_frame_alloc();
			struct scale_job job = { .src = av, .tile = tile, .bars = BARS,
						 .crop = k & 1, .rotation = k / 2 * 90 };
			bool copied;

			av->format = AV_PIX_FMT_YUV420P;
			av->width = size[i][0];
			av->height = size[i][1];
			assert_int_equal(av_frame_get_buffer(av, 0), 0);
			for (int p = 0; p < 3; p++)
				memset(av->data[p], 200,
				       (size_t)av->linesize[p] *
					       (size_t)(p ? (av->height + 1) / 2 : av->height));
			assert_int_equal(scaler_place(f->s, &job, &f->planes, &copied), 0);
			assert_outside_untouched(f, &tile);
			assert_true(abs(picture_at(f->canvas, 426 + 213, 240 + 120).y - 200) <= 1);
			av_frame_free(&av);
		}
	}
}

static void test_refuses_nothing(void **state)
{
	struct fixture *f = *state;
	AVFrame *av = av_frame_alloc();
	struct scale_job job = { .src = av, .tile = { 0, 0, 64, 64 } };
	bool copied;

	assert_int_equal(scaler_place(f->s, &job, &f->planes, &copied), -EINVAL);
	av_frame_free(&av);
}

static void test_colors(void **state)
{
	(void)state;
	assert_int_equal(picture_distance(yuv_of_rgb(0xffffff), (struct yuv){ 235, 128, 128 }), 0);
	assert_int_equal(picture_distance(yuv_of_rgb(0x000000), (struct yuv){ 16, 128, 128 }), 0);
	assert_true(picture_distance(yuv_of_rgb(0xff0000), (struct yuv){ 81, 90, 240 }) <= 1);
	assert_true(picture_distance(yuv_of_rgb(0x00ff00), (struct yuv){ 145, 54, 34 }) <= 1);
	assert_true(picture_distance(yuv_of_rgb(0x0000ff), (struct yuv){ 41, 240, 110 }) <= 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ratios, setup, teardown),
		cmocka_unit_test_setup_teardown(test_letterbox, setup, teardown),
		cmocka_unit_test_setup_teardown(test_crop, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rotation, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full_range_and_dim, setup, teardown),
		cmocka_unit_test_setup_teardown(test_odd_sources, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refuses_nothing, setup, teardown),
		cmocka_unit_test(test_colors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
