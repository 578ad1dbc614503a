/* Golden pictures: every leg has a colour; who is seen where, in which state, and
 * what it cost to paint. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "mixer/video/compositor.h"
#include "mixer/video/overlay.h"
#include "tests/mixer/video/picture.h"

enum { W = 1280, H = 720, LEGS = 9 };

static const uint32_t COLOR[LEGS] = { 0xc03030, 0x30c030, 0x3030c0, 0xc0c030, 0x30c0c0,
				      0xc030c0, 0x808080, 0xe0a060, 0x60a0e0 };
static const char *const NAME[LEGS] = { "Ann", "김하늘", "Carl", "田中", "Eve",
					"Fay", "Gil",	 "Hua",	 "Ira" };

/* A room whose legs all send their colour. */
struct room {
	struct compositor *c;
	struct vframe *frame[LEGS];
	struct scene_tile tile[LEGS];
	struct scene scene;
};

static void room_lay_out(struct room *r, size_t n)
{
	struct rect rect[LAYOUT_MAX_TILES];

	assert_int_equal(layout_grid(n, W, H, rect), n);
	for (size_t i = 0; i < n; i++)
		r->tile[i].rect = rect[i];
	r->scene = (struct scene){ r->tile, n };
}

static int setup(void **state)
{
	struct room *r = calloc(1, sizeof *r);

	assert_non_null(r);
	assert_int_equal(compositor_new(&r->c, W, H), 0);
	for (size_t i = 0; i < LEGS; i++) {
		r->frame[i] = picture_flat(640, 360, COLOR[i]);
		r->tile[i] = (struct scene_tile){ .leg_id = (uint32_t)i + 1, .name = NAME[i],
						  .state = TILE_LIVE, .frame = r->frame[i] };
	}
	room_lay_out(r, 4);
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct room *r = *state;

	compositor_free(&r->c);
	for (size_t i = 0; i < LEGS; i++)
		vframe_unref(&r->frame[i]);
	free(r);
	return 0;
}

/* One paint; the caller drops the picture. */
static struct vframe *paint(struct room *r, bool *changed)
{
	struct vframe *canvas = NULL;
	bool c;

	assert_int_equal(compositor_paint(r->c, &r->scene, 5, &canvas, changed ? changed : &c), 0);
	assert_non_null(canvas);
	return canvas;
}

/* Paints until all overlays are drawn. */
static struct vframe *settle(struct room *r)
{
	struct vframe *canvas = NULL;
	bool changed = true;

	for (int i = 0; changed; i++) {
		vframe_unref(&canvas);
		canvas = paint(r, &changed);
		assert_in_range(i, 0, 20);
	}
	return canvas;
}

static struct compositor_stats stats_of(const struct room *r)
{
	struct compositor_stats s;

	compositor_get_stats(r->c, &s);
	return s;
}

static struct yuv center(const struct vframe *f, const struct rect *t)
{
	return picture_at(f, t->x + t->w / 2, t->y + t->h / 2);
}

static void test_everybody_in_place(void **state)
{
	struct room *r = *state;

	for (size_t n = 1; n <= LEGS; n++) {
		struct vframe *f;

		room_lay_out(r, n);
		f = settle(r);
		assert_int_equal(f->av->width, W);
		assert_int_equal(f->av->height, H);
		for (size_t i = 0; i < n; i++)
			assert_true(picture_distance(center(f, &r->tile[i].rect),
						     yuv_of_rgb(COLOR[i])) <= 1);
		if (n == 2 || n == 3)
			assert_int_equal(picture_distance(picture_at(f, 10, n == 2 ? 20 : 700),
							  yuv_of_rgb(OVERLAY_PAGE_RGB)), 0);
		vframe_unref(&f);
	}
}

/* Exactly the sender's samples away from label and edge. */
static void test_copy_is_exact(void **state)
{
	struct room *r = *state;
	struct rect middle = { 0, 20, 600, 280 };
	struct planes got, want;
	struct vframe *f;

	picture_draw_waves(r->frame[3], 7);
	f = settle(r);
	planes_of_frame(&want, r->frame[3]->av);
	middle.x = 20;
	planes_window(&want, &want, &middle);
	planes_of_frame(&got, f->av);
	middle.x += r->tile[3].rect.x;
	middle.y += r->tile[3].rect.y;
	planes_window(&got, &got, &middle);
	assert_true(picture_psnr_y(&got, &want) > 98);
	vframe_unref(&f);
}

static void new_frame(struct room *r, size_t i)
{
	vframe_unref(&r->frame[i]);
	r->frame[i] = picture_flat(640, 360, COLOR[i]);
	r->tile[i].frame = r->frame[i];
}

static void test_pay_once(void **state)
{
	struct room *r = *state;
	struct vframe *f = settle(r), *again;
	struct compositor_stats s, t;
	bool changed;

	s = stats_of(r);
	assert_int_equal(s.scales, 0);
	again = paint(r, &changed);
	assert_false(changed);
	assert_ptr_equal(again, f);
	vframe_unref(&again);
	vframe_unref(&f);
	t = stats_of(r);
	assert_int_equal(t.copies, s.copies);
	assert_int_equal(t.paints, s.paints);
	for (int i = 0; i < 10; i++) {
		new_frame(r, 1);
		f = paint(r, &changed);
		assert_true(changed);
		vframe_unref(&f);
	}
	t = stats_of(r);
	assert_int_equal(t.copies, s.copies + 10);
	assert_int_equal(t.tiles, s.tiles + 10);
	assert_int_equal(t.renders, s.renders);
	assert_int_equal(t.canvases, 1);
}

/* With an encoder that is two pictures late, three canvases go round: a tile that
 * stands still is painted once into each of them, a new frame once altogether. */
static void test_rotation_of_canvases(void **state)
{
	struct room *r = *state;
	struct vframe *held[3] = { NULL };
	struct compositor_stats s, t;

	held[0] = settle(r);
	for (int i = 1; i < 9; i++) {
		new_frame(r, 0);
		vframe_unref(&held[i % 3]);
		held[i % 3] = paint(r, NULL);
	}
	s = stats_of(r);
	assert_int_equal(s.canvases, 3);
	for (int i = 0; i < 30; i++) {
		struct vframe *before = held[i % 3];

		new_frame(r, 0);
		vframe_unref(&held[i % 3]);
		held[i % 3] = paint(r, NULL);
		assert_ptr_equal(held[i % 3], before);
		assert_ptr_not_equal(held[i % 3], held[(i + 1) % 3]);
		for (size_t k = 0; k < 4; k++)
			assert_true(picture_distance(center(held[i % 3], &r->tile[k].rect),
						     yuv_of_rgb(COLOR[k])) <= 1);
	}
	t = stats_of(r);
	assert_int_equal(t.copies, s.copies + 30);
	assert_int_equal(t.canvases, 3);
	for (int i = 0; i < 3; i++)
		vframe_unref(&held[i]);
}

/* A canvas that is in use is never written; when all are, the tick is dropped. */
static void test_starvation(void **state)
{
	struct room *r = *state;
	struct vframe *held[COMPOSITOR_CANVASES], *f = NULL;
	uint8_t luma[COMPOSITOR_CANVASES];
	bool changed;

	vframe_unref(&(struct vframe *){ settle(r) });
	for (int i = 0; i < COMPOSITOR_CANVASES; i++) {
		vframe_unref(&r->frame[0]);
		r->frame[0] = picture_flat(640, 360, (uint32_t)(0x101010 * (i + 2)));
		r->tile[0].frame = r->frame[0];
		held[i] = paint(r, NULL);
		luma[i] = center(held[i], &r->tile[0].rect).y;
	}
	new_frame(r, 0);
	assert_int_equal(compositor_paint(r->c, &r->scene, 0, &f, &changed), -EAGAIN);
	assert_null(f);
	assert_int_equal(stats_of(r).starved, 1);
	for (int i = 0; i < COMPOSITOR_CANVASES; i++) {
		assert_int_equal(center(held[i], &r->tile[0].rect).y, luma[i]);
		assert_true(!i || luma[i] != luma[i - 1]);
	}
	vframe_unref(&held[1]);
	f = paint(r, &changed);
	assert_true(changed);
	assert_true(picture_distance(center(f, &r->tile[0].rect), yuv_of_rgb(COLOR[0])) <= 1);
	vframe_unref(&f);
	for (int i = 0; i < COMPOSITOR_CANVASES; i++)
		vframe_unref(&held[i]);
}

static void test_states(void **state)
{
	struct room *r = *state;
	struct yuv c = yuv_of_rgb(COLOR[1]), got;
	struct vframe *f;

	r->tile[1].state = TILE_STALE;
	r->tile[2].state = TILE_MUTED;
	r->tile[3].frame = NULL;
	f = settle(r);
	got = center(f, &r->tile[1].rect);
	assert_in_range(got.y, 16 + (c.y - 16) / 2 - 1, 16 + (c.y - 16) / 2 + 1);
	for (int i = 2; i < 4; i++) {
		const struct rect *t = &r->tile[i].rect;

		/* avatar: a disc on the tile's background, nothing of the frame */
		assert_int_equal(picture_distance(picture_at(f, t->x + 60, t->y + t->h / 2),
						  yuv_of_rgb(OVERLAY_TILE_RGB)), 0);
		assert_true(picture_distance(picture_at(f, t->x + t->w / 2, t->y + t->h / 2 - 70),
					     yuv_of_rgb(OVERLAY_TILE_RGB)) > 20);
	}
	vframe_unref(&f);
	/* and back */
	r->tile[1].state = r->tile[2].state = TILE_LIVE;
	f = settle(r);
	assert_true(picture_distance(center(f, &r->tile[1].rect), c) <= 1);
	assert_true(picture_distance(center(f, &r->tile[2].rect), yuv_of_rgb(COLOR[2])) <= 1);
	vframe_unref(&f);
}

static size_t count_bright(const struct vframe *f, const struct rect *t)
{
	size_t n = 0;

	for (int y = t->y + t->h - 50; y < t->y + t->h; y++) {
		for (int x = t->x; x < t->x + 200; x++)
			n += picture_at(f, x, y).y > 210;
	}
	return n;
}

/* A label is drawn when it changes, then costs one paint of its tile. */
static void test_renaming(void **state)
{
	struct room *r = *state;
	struct vframe *f = settle(r);
	struct compositor_stats s = stats_of(r), t;
	size_t before = count_bright(f, &r->tile[2].rect);
	bool changed;

	vframe_unref(&f);
	assert_true(before > 20);
	r->tile[2].name = "Carl Gustaf Emil";
	f = paint(r, &changed);
	assert_true(changed);
	assert_true(count_bright(f, &r->tile[2].rect) > before + 30);
	vframe_unref(&f);
	t = stats_of(r);
	assert_int_equal(t.renders, s.renders + 1);
	assert_int_equal(t.tiles, s.tiles + 1);
	r->tile[2].audio_muted = true;
	vframe_unref(&(struct vframe *){ settle(r) });
	assert_int_equal(stats_of(r).renders, s.renders + 2);
}

static void test_speaking_border(void **state)
{
	struct room *r = *state;
	struct vframe *f = settle(r);
	const struct rect *t = &r->tile[3].rect;
	struct yuv quiet = picture_at(f, t->x + t->w / 2, t->y + 4), loud;
	struct compositor_stats s = stats_of(r);

	assert_int_equal(picture_distance(picture_at(f, t->x + t->w / 2, t->y),
					  yuv_of_rgb(OVERLAY_PAGE_RGB)), 0);
	assert_true(picture_distance(quiet, yuv_of_rgb(COLOR[3])) <= 1);
	vframe_unref(&f);
	r->tile[3].speaking = true;
	f = settle(r);
	loud = picture_at(f, t->x + t->w / 2, t->y + 4);
	assert_true(picture_distance(loud, quiet) > 30);
	assert_true(picture_distance(center(f, t), yuv_of_rgb(COLOR[3])) <= 1);
	assert_int_equal(stats_of(r).tiles, s.tiles + 1);
	vframe_unref(&f);
}

/* A burst of joins is spread over ticks, and what is missing follows. */
static void test_render_budget(void **state)
{
	struct room *r = *state;
	struct vframe *f;
	bool changed = true;

	room_lay_out(r, LEGS);
	for (size_t i = 0; i < LEGS; i++)
		r->tile[i].state = TILE_MUTED;
	for (int i = 1; changed; i++) {
		f = paint(r, &changed);
		vframe_unref(&f);
		assert_true(stats_of(r).renders <= (uint64_t)i * COMPOSITOR_RENDERS_PER_PAINT);
		assert_in_range(i, 0, 20);
	}
	assert_int_equal(stats_of(r).renders, LEGS * 2 + 1);
}

/* Somebody leaves: the others move, and nothing of the old picture is left. */
static void test_leaving(void **state)
{
	struct room *r = *state;
	struct vframe *f;

	vframe_unref(&(struct vframe *){ settle(r) });
	memmove(&r->tile[1], &r->tile[2], 2 * sizeof r->tile[0]);
	room_lay_out(r, 3);
	f = settle(r);
	assert_true(picture_distance(center(f, &r->tile[0].rect), yuv_of_rgb(COLOR[0])) <= 1);
	assert_true(picture_distance(center(f, &r->tile[1].rect), yuv_of_rgb(COLOR[2])) <= 1);
	assert_true(picture_distance(center(f, &r->tile[2].rect), yuv_of_rgb(COLOR[3])) <= 1);
	assert_int_equal(picture_distance(picture_at(f, 4, 540), yuv_of_rgb(OVERLAY_PAGE_RGB)), 0);
	vframe_unref(&f);
	r->scene.n = 0;
	f = settle(r);
	assert_int_equal(picture_distance(picture_at(f, 640, 100), yuv_of_rgb(OVERLAY_PAGE_RGB)), 0);
	vframe_unref(&f);
}

/* One leg with two pictures of one size and different labels. */
static void test_one_leg_twice(void **state)
{
	struct room *r = *state;
	struct compositor_stats s;
	bool changed;

	r->tile[1].leg_id = r->tile[0].leg_id;
	vframe_unref(&(struct vframe *){ settle(r) });
	s = stats_of(r);
	for (int i = 0; i < 3; i++) {
		vframe_unref(&(struct vframe *){ paint(r, &changed) });
		assert_false(changed);
	}
	assert_int_equal(stats_of(r).renders, s.renders);
}

static void test_more_sizes_than_the_cache(void **state)
{
	struct room *r = *state;
	struct vframe *f;

	for (int i = 0; i < LEGS; i++)
		r->tile[i].rect = (struct rect){ i * 140, 0, 100 + 2 * i, 90 + 2 * i };
	r->scene.n = LEGS;
	f = settle(r);
	for (size_t i = 0; i < LEGS; i++)
		assert_true(picture_distance(center(f, &r->tile[i].rect), yuv_of_rgb(COLOR[i])) <= 1);
	vframe_unref(&f);
}

static void test_bad_scenes(void **state)
{
	static const struct rect bad[] = {
		{ 1, 0, 640, 360 },    { 0, 0, 640, 361 },	{ -2, 0, 640, 360 },
		{ 642, 0, 640, 360 },  { 0, 362, 640, 360 },	{ 0, 0, 14, 360 },
		{ 0, 0, 1282, 720 },   { 1 << 30, 0, 640, 360 }, { 0, 0, -640, -360 },
	};
	struct room *r = *state;
	struct scene_tile many[LAYOUT_MAX_TILES + 1] = { 0 };
	struct vframe *f = NULL;
	struct compositor *c = NULL;
	bool changed;

	assert_int_equal(compositor_paint(r->c, &(struct scene){ many, LAYOUT_MAX_TILES + 1 }, 0, &f,
					  &changed), -EINVAL);
	assert_null(f);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		r->scene.n = 1;
		r->tile[0].rect = bad[i];
		f = settle(r);
		assert_int_equal(picture_distance(picture_at(f, 300, 200),
						  yuv_of_rgb(OVERLAY_PAGE_RGB)), 0);
		vframe_unref(&f);
	}
	assert_int_equal(compositor_new(&c, 1281, 720), -EINVAL);
	assert_int_equal(compositor_new(&c, 1280, 32), -EINVAL);
	assert_null(c);
}

/* A canvas outlives its compositor. */
static void test_canvas_survives(void **state)
{
	struct room *r = *state;
	struct vframe *f = settle(r);

	compositor_free(&r->c);
	assert_null(r->c);
	assert_true(picture_distance(center(f, &r->tile[0].rect), yuv_of_rgb(COLOR[0])) <= 1);
	vframe_unref(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_everybody_in_place, setup, teardown),
		cmocka_unit_test_setup_teardown(test_copy_is_exact, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pay_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rotation_of_canvases, setup, teardown),
		cmocka_unit_test_setup_teardown(test_starvation, setup, teardown),
		cmocka_unit_test_setup_teardown(test_states, setup, teardown),
		cmocka_unit_test_setup_teardown(test_renaming, setup, teardown),
		cmocka_unit_test_setup_teardown(test_speaking_border, setup, teardown),
		cmocka_unit_test_setup_teardown(test_render_budget, setup, teardown),
		cmocka_unit_test_setup_teardown(test_leaving, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_leg_twice, setup, teardown),
		cmocka_unit_test_setup_teardown(test_more_sizes_than_the_cache, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_scenes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_canvas_survives, setup, teardown),
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
