/* Golden pictures: a colour per leg through every layout, who is where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "mixer/video/compositor.h"
#include "mixer/video/seating.h"
#include "tests/mixer/video/picture.h"

enum { W = 1280, H = 720, LEGS = 7 };

static const uint32_t COLOR[LEGS] = { 0xc03030, 0x30c030, 0x3030c0, 0xc0c030,
				      0x30c0c0, 0xc030c0, 0x808080 };

struct room {
	struct compositor *c;
	struct vframe *frame[LEGS];
	struct seating_person person[LEGS];
	struct scene_tile tile[LAYOUT_MAX_TILES];
	struct scene scene;
};

static int setup(void **state)
{
	struct room *r = calloc(1, sizeof *r);

	assert_non_null(r);
	assert_int_equal(compositor_new(&r->c, W, H), 0);
	for (size_t i = 0; i < LEGS; i++) {
		r->frame[i] = picture_flat(640, 360, COLOR[i]);
		r->person[i] = (struct seating_person){ .id = (uint32_t)i + 1, .video = true };
	}
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

static void lay_out(struct room *r, const struct seating_plan *plan, uint32_t speaker,
		    uint32_t content)
{
	struct seating_people p = { r->person, LEGS, speaker, content, 0 };
	struct seating s;

	seating_make(plan, &p, W, H, &s);
	for (size_t i = 0; i < s.n; i++)
		r->tile[i] = (struct scene_tile){ .leg_id = s.seat[i].id, .rect = s.seat[i].rect,
						  .state = TILE_LIVE,
						  .frame = r->frame[s.seat[i].id - 1] };
	r->scene.tile = r->tile;
	r->scene.n = s.n;
}

static struct vframe *settle(struct room *r)
{
	struct vframe *canvas = NULL;
	bool changed = true;

	for (int i = 0; changed; i++) {
		vframe_unref(&canvas);
		assert_int_equal(compositor_paint(r->c, &r->scene, 5, &canvas, &changed), 0);
		assert_in_range(i, 0, 20);
	}
	return canvas;
}

/* 0: nobody. */
static uint32_t who_is_at(const struct vframe *f, int x, int y)
{
	for (uint32_t i = 0; i < LEGS; i++)
		if (picture_distance(picture_at(f, x, y), yuv_of_rgb(COLOR[i])) <= 1)
			return i + 1;
	return 0;
}

static void test_every_layout(void **state)
{
	static const struct {
		enum layout_kind kind;
		uint32_t speaker, content;
		struct {
			int x, y;
			uint32_t leg;
		} at[6];
	} want[] = {
		{ LAYOUT_GRID, 3, 0, { { 200, 100, 1 }, { 1000, 100, 3 }, { 640, 600, 7 } } },
		{ LAYOUT_SPEAKER, 3, 0, { { 500, 300, 3 }, { 1100, 70, 1 }, { 1100, 200, 2 },
					  { 1100, 640, 6 }, { 900, 640, 7 } } },
		{ LAYOUT_SPEAKER_ONLY, 5, 2, { { 100, 100, 5 }, { 1200, 600, 5 } } },
		{ LAYOUT_PRESENTATION, 5, 2, { { 500, 300, 2 }, { 1100, 70, 5 }, { 1100, 200, 1 },
					       { 1100, 640, 6 }, { 900, 640, 7 } } },
		{ LAYOUT_SIDE_BY_SIDE, 5, 2, { { 300, 360, 2 }, { 900, 360, 5 } } },
		{ LAYOUT_PICTURE_IN_PICTURE, 5, 2, { { 300, 360, 2 }, { 1100, 600, 5 },
						     { 1274, 600, 2 }, { 1100, 714, 2 } } },
		{ LAYOUT_LECTURE, 5, 2, { { 300, 360, 2 }, { 1100, 600, 2 } } },
		{ LAYOUT_CUSTOM, 5, 2, { { 100, 600, 2 }, { 100, 100, 5 }, { 600, 360, 1 },
					 { 1200, 100, 2 } } },
	};
	struct room *r = *state;

	for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
		struct seating_plan plan = {
			.kind = want[i].kind, .n_regions = 3,
			.region = { { 0.4, 0.4, 0.2, 0.2, 2, LAYOUT_NEXT },
				    { 0, 0, 1, 1, 0, LAYOUT_FOR_CONTENT },
				    { 0, 0, 0.5, 0.5, 1, LAYOUT_FOR_SPEAKER } },
		};
		struct vframe *f;

		lay_out(r, &plan, want[i].speaker, want[i].content);
		f = settle(r);
		for (size_t k = 0; k < 6 && want[i].at[k].leg; k++)
			if (who_is_at(f, want[i].at[k].x, want[i].at[k].y) != want[i].at[k].leg)
				fail_msg("%s: leg %u instead of %u at %d,%d",
					 layout_kind_name(want[i].kind),
					 who_is_at(f, want[i].at[k].x, want[i].at[k].y),
					 want[i].at[k].leg, want[i].at[k].x, want[i].at[k].y);
		vframe_unref(&f);
	}
}

/* A new picture behind does not hide what is in front; one in front costs no more
 * than itself. */
static void test_what_is_in_front_stays(void **state)
{
	struct seating_plan plan = { .kind = LAYOUT_PICTURE_IN_PICTURE };
	struct compositor_stats before, after;
	struct room *r = *state;
	struct vframe *f = NULL;
	bool changed;

	lay_out(r, &plan, 5, 2);
	for (int i = 0; i < 10; i++) {
		struct vframe **newer = &r->frame[i < 5 ? 1 : 4];
		uint32_t leg = i < 5 ? 2 : 5;

		f = settle(r);
		vframe_unref(&f);
		vframe_unref(newer);
		*newer = picture_flat(640, 360, COLOR[leg - 1]);
		lay_out(r, &plan, 5, 2);
		compositor_get_stats(r->c, &before);
		assert_int_equal(compositor_paint(r->c, &r->scene, 5, &f, &changed), 0);
		compositor_get_stats(r->c, &after);
		assert_int_equal(after.tiles - before.tiles, i < 5 ? 2 : 1);
		assert_int_equal(who_is_at(f, 1100, 600), 5);
		assert_int_equal(who_is_at(f, 300, 360), 2);
		assert_int_equal(who_is_at(f, 1274, 600), 2);
		vframe_unref(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_every_layout, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_is_in_front_stays, setup, teardown),
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
