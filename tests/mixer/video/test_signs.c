/* What stands over the tiles and between them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cairo.h>
#include <cmocka.h>

#include "mixer/video/compositor.h"
#include "mixer/video/overlay.h"
#include "mixer/video/picture_file.h"
#include "tests/mixer/video/picture.h"

enum { W = 1280, H = 720, TILES = 4, RED = 0xc03030, BLUE = 0x3030c0 };

struct room {
	struct compositor *c;
	struct vframe *frame[TILES];
	struct scene_tile tile[TILES];
};

static int setup(void **state)
{
	struct room *r = calloc(1, sizeof *r);
	struct rect rect[LAYOUT_MAX_TILES];

	assert_non_null(r);
	layout_grid(TILES, W, H, rect);
	assert_int_equal(compositor_new(&r->c, W, H), 0);
	for (int i = 0; i < TILES; i++) {
		r->frame[i] = picture_flat(640, 360, RED);
		r->tile[i] = (struct scene_tile){ .leg_id = (uint32_t)i + 1, .rect = rect[i],
						  .state = TILE_LIVE, .frame = r->frame[i] };
	}
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct room *r = *state;

	compositor_free(&r->c);
	for (int i = 0; i < TILES; i++)
		vframe_unref(&r->frame[i]);
	free(r);
	return 0;
}

static struct vframe *paint(struct room *r, size_t n, bool *changed)
{
	struct vframe *f;

	assert_int_equal(compositor_paint(r->c, &(struct scene){ r->tile, n }, 5, &f, changed), 0);
	return f;
}

static struct vframe *settle(struct room *r, size_t n, const struct signs_wanted *w)
{
	struct vframe *f = NULL;
	bool changed = true;

	for (int i = 0; changed; i++) {
		vframe_unref(&f);
		compositor_set_signs(r->c, w);
		f = paint(r, n, &changed);
		assert_in_range(i, 0, 20);
	}
	return f;
}

/* Whether anything but one colour is in a part of the picture. */
static bool marked(const struct vframe *f, int x, int y, int w, int h, uint32_t rgb)
{
	for (int j = y; j < y + h; j++)
		for (int i = x; i < x + w; i++)
			if (picture_distance(picture_at(f, i, j), yuv_of_rgb(rgb)) > 3)
				return true;
	return false;
}

static bool same(const struct vframe *a, const struct vframe *b)
{
	struct planes p, q;

	planes_of_frame(&p, a->av);
	planes_of_frame(&q, b->av);
	return picture_psnr_y(&p, &q) >= 99;
}

static void test_signs_come_and_go(void **state)
{
	const struct signs_wanted none = { 0 }, all = { .banner = "Physics — 물리학", .clock = "09:41",
							.recording = "0:12:07" };
	struct room *r = *state;
	struct vframe *before = settle(r, TILES, &none), *f;

	f = settle(r, TILES, &all);
	assert_true(marked(f, 20, 20, 100, 24, RED));
	assert_true(marked(f, 560, 20, 160, 24, RED));
	assert_true(marked(f, W - 100, 20, 80, 24, RED));
	assert_false(marked(f, 200, 100, 300, 150, RED));
	vframe_unref(&f);
	f = settle(r, TILES, &none);
	assert_true(same(f, before));
	vframe_unref(&f);
	vframe_unref(&before);
}

/* Whatever is painted under a sign, it looks as it did: nothing is blended twice. */
static void test_new_pictures_beneath(void **state)
{
	const struct signs_wanted w = { .banner = "A banner over two tiles", .clock = "12:00" };
	struct room *r = *state;
	struct vframe *first = settle(r, TILES, &w), *f;
	struct compositor_stats s, t;
	bool changed;

	for (int i = 0; i < 12; i++) {
		vframe_unref(&r->frame[i % TILES]);
		r->frame[i % TILES] = picture_flat(640, 360, RED);
		r->tile[i % TILES].frame = r->frame[i % TILES];
		compositor_get_stats(r->c, &s);
		compositor_set_signs(r->c, &w);
		f = paint(r, TILES, &changed);
		compositor_get_stats(r->c, &t);
		assert_true(changed);
		assert_true(t.tiles - s.tiles <= TILES);
		assert_int_equal(t.renders, s.renders);
		assert_true(same(f, first));
		vframe_unref(&f);
	}
	vframe_unref(&first);
}

static void test_a_second_costs_one_drawing(void **state)
{
	struct signs_wanted w = { .banner = "x", .clock = "12:00", .recording = "0:00:01" };
	struct room *r = *state;
	struct vframe *f = settle(r, TILES, &w);
	struct compositor_stats s, t;

	vframe_unref(&f);
	compositor_get_stats(r->c, &s);
	w.recording = "0:00:02";
	f = settle(r, TILES, &w);
	compositor_get_stats(r->c, &t);
	assert_int_equal(t.renders - s.renders, 1);
	assert_int_equal(t.paints - s.paints, 1);
	assert_int_equal(t.tiles - s.tiles, 1);
	vframe_unref(&f);
}

static void test_page(void **state)
{
	const struct signs_wanted none = { 0 }, banner = { .banner = "Over the page" };
	struct vframe *f, *picture = picture_flat(W, H, BLUE);
	struct room *r = *state;

	/* two tiles leave room above and below */
	r->tile[0].rect.y = r->tile[1].rect.y = 180;
	f = settle(r, 2, &none);
	assert_false(marked(f, 0, 0, W, 170, OVERLAY_PAGE_RGB));
	vframe_unref(&f);
	compositor_set_page(r->c, 0x104020, NULL);
	f = settle(r, 2, &none);
	assert_false(marked(f, 0, 0, W, 170, 0x104020));
	assert_false(marked(f, 100, 230, 400, 250, RED));
	vframe_unref(&f);
	compositor_set_page(r->c, 0x104020, picture);
	f = settle(r, 2, &banner);
	assert_true(marked(f, 560, 20, 160, 24, BLUE));
	vframe_unref(&f);
	f = settle(r, 2, &none);
	assert_false(marked(f, 0, 0, W, 170, BLUE));
	vframe_unref(&f);
	vframe_unref(&picture);
}

static void write_png(const char *path, int w, int h, double red)
{
	cairo_surface_t *s = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, w, h);
	cairo_t *cr = cairo_create(s);

	cairo_set_source_rgba(cr, red, 0, 1 - red, 1);
	cairo_paint(cr);
	cairo_destroy(cr);
	assert_int_equal(cairo_surface_write_to_png(s, path), CAIRO_STATUS_SUCCESS);
	cairo_surface_destroy(s);
}

static void test_files(void **state)
{
	char path[] = "/tmp/mcu-logo-XXXXXX";
	struct room *r = *state;
	struct sprite *logo = NULL;
	struct vframe *back = NULL, *f;
	struct errmsg why;
	struct rect at;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	close(fd);
	assert_true(picture_file_logo(&logo, path, W, H, &why) < 0);
	assert_non_null(strstr(why.text, "PNG"));
	write_png(path, 800, 200, 1);
	assert_int_equal(picture_file_logo(&logo, path, W, H, &why), 0);
	at = sprite_rect(logo);
	assert_in_range(at.w, W / 6, W / 6 + 4);
	assert_true(at.x + at.w < W && at.y + at.h < H && at.x > W / 2 && at.y > H / 2);
	f = settle(r, TILES, &(struct signs_wanted){ .logo = logo });
	assert_true(picture_distance(picture_at(f, at.x + at.w / 2, at.y + at.h / 2),
				     yuv_of_rgb(0xff0000)) <= 2);
	vframe_unref(&f);
	write_png(path, 300, 300, 0);
	assert_int_equal(picture_file_background(&back, path, W, H, &why), 0);
	assert_false(marked(back, 0, 0, W, H, 0x0000ff));
	vframe_unref(&back);
	unlink(path);
	assert_true(picture_file_background(&back, path, W, H, &why) < 0);
	f = settle(r, TILES, &(struct signs_wanted){ 0 });
	vframe_unref(&f);
	sprite_free(&logo);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = { T(test_signs_come_and_go), T(test_new_pictures_beneath),
					    T(test_a_second_costs_one_drawing), T(test_page),
					    T(test_files) };
#undef T

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
