/* Composes rooms as people will see them and writes them as PNG beside this
 * program (in the build folder), to be looked at; checks that what was drawn is
 * there at all. */
#include <libgen.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cairo.h>
#include <cmocka.h>
#include <libyuv/convert.h>
#include <libyuv/convert_argb.h>

#include "mixer/video/compositor.h"
#include "tests/mixer/video/picture.h"

enum { W = 1280, H = 720 };

static char folder[4096];

static void write_png(const struct vframe *f, const char *name)
{
	cairo_surface_t *s = cairo_image_surface_create(CAIRO_FORMAT_RGB24, f->av->width,
							f->av->height);
	const AVFrame *av = f->av;
	char path[4200];

	I420ToARGB(av->data[0], av->linesize[0], av->data[1], av->linesize[1], av->data[2],
		   av->linesize[2], cairo_image_surface_get_data(s),
		   cairo_image_surface_get_stride(s), av->width, av->height);
	cairo_surface_mark_dirty(s);
	snprintf(path, sizeof path, "%s/%s.png", folder, name);
	assert_int_equal(cairo_surface_write_to_png(s, path), CAIRO_STATUS_SUCCESS);
	cairo_surface_destroy(s);
}

/* Somebody in front of a wall. */
static struct vframe *draw_sitter(int w, int h, double hue)
{
	cairo_surface_t *s = cairo_image_surface_create(CAIRO_FORMAT_RGB24, w, h);
	cairo_t *cr = cairo_create(s);
	cairo_pattern_t *wall = cairo_pattern_create_linear(0, 0, w, h);
	struct vframe *f = NULL;

	cairo_pattern_add_color_stop_rgb(wall, 0, 0.55 + 0.3 * sin(hue), 0.55 + 0.3 * sin(hue + 2.1),
					 0.55 + 0.3 * sin(hue + 4.2));
	cairo_pattern_add_color_stop_rgb(wall, 1, 0.22 + 0.1 * sin(hue), 0.22 + 0.1 * sin(hue + 2.1),
					 0.25 + 0.1 * sin(hue + 4.2));
	cairo_set_source(cr, wall);
	cairo_paint(cr);
	cairo_pattern_destroy(wall);
	cairo_set_source_rgb(cr, 0.2 + 0.2 * sin(hue * 3), 0.25, 0.4 + 0.2 * cos(hue * 2));
	cairo_arc(cr, w * 0.5, h * 1.08, h * 0.46, 0, 7);
	cairo_fill(cr);
	cairo_set_source_rgb(cr, 0.87, 0.68 + 0.08 * cos(hue), 0.55 + 0.08 * sin(hue));
	cairo_arc(cr, w * 0.5, h * 0.42, h * 0.2, 0, 7);
	cairo_fill(cr);
	cairo_set_source_rgb(cr, 0.2 + 0.1 * sin(hue), 0.14, 0.1);
	cairo_arc(cr, w * 0.5, h * 0.40, h * 0.2, 3.3, 6.1);
	cairo_fill(cr);
	cairo_destroy(cr);
	cairo_surface_flush(s);
	assert_int_equal(vframe_new_canvas(&f, w, h), 0);
	ARGBToI420(cairo_image_surface_get_data(s), cairo_image_surface_get_stride(s),
		   f->av->data[0], f->av->linesize[0], f->av->data[1], f->av->linesize[1],
		   f->av->data[2], f->av->linesize[2], w, h);
	cairo_surface_destroy(s);
	return f;
}

/* Paints until nothing changes any more and returns the picture. */
static struct vframe *settle(struct compositor *c, const struct scene *s)
{
	struct vframe *canvas = NULL;
	bool changed = true;
	int paints = 0;

	while (changed) {
		vframe_unref(&canvas);
		assert_int_equal(compositor_paint(c, s, 0, &canvas, &changed), 0);
		assert_in_range(++paints, 1, 40);
	}
	return canvas;
}

static void compose(struct scene_tile *tile, size_t n, int w, int h, const char *name)
{
	struct compositor *c = NULL;
	struct rect rect[LAYOUT_MAX_TILES];
	struct vframe *canvas, *mine[LAYOUT_MAX_TILES] = { 0 };
	struct compositor_stats stats;

	assert_int_equal(layout_grid(n, w, h, rect), n);
	assert_int_equal(compositor_new(&c, w, h), 0);
	for (size_t i = 0; i < n; i++) {
		tile[i].rect = rect[i];
		if (tile[i].state == TILE_LIVE || tile[i].state == TILE_STALE) {
			mine[i] = draw_sitter(i == 1 ? 480 : 640, 360, 0.9 * (double)i);
			tile[i].frame = mine[i];
		}
	}
	canvas = settle(c, &(struct scene){ tile, n });
	write_png(canvas, name);
	compositor_get_stats(c, &stats);
	assert_true(stats.renders >= n);
	vframe_unref(&canvas);
	for (size_t i = 0; i < n; i++)
		vframe_unref(&mine[i]);
	compositor_free(&c);
}

static void test_three(void **state)
{
	struct scene_tile tile[] = {
		{ .leg_id = 11, .name = "Mira Lindqvist", .state = TILE_LIVE, .speaking = true },
		{ .leg_id = 12, .name = "김하늘 (서울)", .state = TILE_LIVE, .audio_muted = true },
		{ .leg_id = 13, .name = "Jonas Weber", .state = TILE_MUTED, .audio_muted = true },
	};

	(void)state;
	compose(tile, 3, W, H, "room3");
}

static const struct scene_tile nine[] = {
	{ .leg_id = 21, .name = "박서준", .state = TILE_LIVE, .speaking = true },
	{ .leg_id = 22, .name = "Amélie Dupont", .state = TILE_LIVE },
	{ .leg_id = 23, .name = "田中 美咲", .state = TILE_MUTED },
	{ .leg_id = 24, .name = "Олег Иванов", .state = TILE_LIVE, .audio_muted = true },
	{ .leg_id = 25, .name = "이지은", .state = TILE_STALE },
	{ .leg_id = 26, .name = "최민호 선생님 — 3학년 2반 담임, 과학부장", .state = TILE_LIVE },
	{ .leg_id = 27, .name = "한소희", .state = TILE_NO_VIDEO, .audio_muted = true },
	{ .leg_id = 28, .name = "O'Neil", .state = TILE_NO_VIDEO, .speaking = true },
	{ .leg_id = 29, .name = "", .state = TILE_NO_VIDEO, .audio_muted = true },
};

static void test_nine(void **state)
{
	struct scene_tile tile[9];

	(void)state;
	memcpy(tile, nine, sizeof tile);
	compose(tile, 9, W, H, "room9");
}

static void test_nine_small(void **state)
{
	struct scene_tile tile[9];

	(void)state;
	memcpy(tile, nine, sizeof tile);
	compose(tile, 9, 640, 360, "room9_small");
}

static void test_sixteen_small(void **state)
{
	struct scene_tile tile[16];

	(void)state;
	for (size_t i = 0; i < 16; i++)
		tile[i] = nine[i % 9];
	for (uint32_t i = 0; i < 16; i++)
		tile[i].leg_id = 40 + i;
	compose(tile, 16, 640, 360, "room16_small");
}

static void test_one(void **state)
{
	struct scene_tile tile[] = {
		{ .leg_id = 31, .name = "정유진", .state = TILE_LIVE, .speaking = true },
	};

	(void)state;
	compose(tile, 1, W, H, "room1");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one),	   cmocka_unit_test(test_three),
		cmocka_unit_test(test_nine),	   cmocka_unit_test(test_nine_small),
		cmocka_unit_test(test_sixteen_small),
	};
	char path[4096];

	snprintf(path, sizeof path, "%s", argc > 0 ? argv[0] : "./x");
	snprintf(folder, sizeof folder, "%s", dirname(path));
	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
