#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "mixer/video/seating.h"

enum { W = 1280, H = 720, MANY = 60 };

static struct seating_person person[MANY];

/* Legs 1, 2, 3 …, all with video; who speaks spoke last. */
static struct seating_people people(size_t n, uint32_t speaker, uint32_t content)
{
	for (size_t i = 0; i < MANY; i++)
		person[i] = (struct seating_person){ .id = (uint32_t)i + 1, .video = true };
	if (speaker)
		person[speaker - 1].spoke = 1000;
	return (struct seating_people){ person, n, speaker, content, 0 };
}

/* "3 1 2": the ids in the order of tiles. */
static void assert_seats(const struct seating_plan *plan, const struct seating_people *p,
			 const char *want)
{
	struct seating s;
	char got[400] = "";

	seating_make(plan, p, W, H, &s);
	for (size_t i = 0; i < s.n; i++)
		snprintf(got + strlen(got), sizeof got - strlen(got), "%s%u", i ? " " : "",
			 s.seat[i].id);
	assert_string_equal(got, want);
}

static void test_layouts(void **state)
{
	struct seating_people p = people(5, 3, 0), talk = people(5, 3, 2), none = people(0, 0, 0);
	struct seating_plan plan = { 0 };

	(void)state;
	plan.kind = LAYOUT_GRID;
	assert_seats(&plan, &p, "1 2 3 4 5");
	assert_seats(&plan, &none, "");
	plan.kind = LAYOUT_SPEAKER;
	assert_seats(&plan, &p, "3 1 2 4 5");
	plan.kind = LAYOUT_SPEAKER_ONLY;
	assert_seats(&plan, &p, "3");
	assert_seats(&plan, &talk, "3");
	plan.kind = LAYOUT_PRESENTATION;
	assert_seats(&plan, &talk, "2 3 1 4 5");
	assert_seats(&plan, &p, "3 1 2 4 5");
	plan.kind = LAYOUT_LECTURE;
	assert_seats(&plan, &talk, "2");
	assert_seats(&plan, &p, "3");
	plan.kind = LAYOUT_PICTURE_IN_PICTURE;
	assert_seats(&plan, &talk, "2 3");
	plan.kind = LAYOUT_SIDE_BY_SIDE;
	person[4].spoke = 999;
	assert_seats(&plan, &p, "3 5");
}

/* 5 is a screen, shared beside the camera of 2. */
static void test_shared_beside_a_camera(void **state)
{
	struct seating_people p = people(5, 2, 5);
	struct seating_plan plan = { 0 };

	(void)state;
	person[4].shared = true;
	person[4].spoke = 1000; /* as the camera of its leg */
	person[2].spoke = 1;
	plan.kind = LAYOUT_GRID;
	assert_seats(&plan, &p, "5 2 1 3 4");
	plan.pin[0] = 4;
	plan.n_pins = 1;
	assert_seats(&plan, &p, "5 4 1 2 3");
	plan.n_pins = 0;
	plan.kind = LAYOUT_PRESENTATION;
	assert_seats(&plan, &p, "5 2 1 3 4");
	plan.kind = LAYOUT_SIDE_BY_SIDE;
	assert_seats(&plan, &p, "5 2");
	plan.kind = LAYOUT_PICTURE_IN_PICTURE;
	assert_seats(&plan, &p, "5 2");
	plan.kind = LAYOUT_LECTURE;
	assert_seats(&plan, &p, "5");
	/* it does not speak */
	plan.kind = LAYOUT_SPEAKER_ONLY;
	assert_seats(&plan, &p, "2");
	p.speaker = 0;
	person[1].spoke = 0;
	assert_seats(&plan, &p, "3");
	plan.kind = LAYOUT_SPEAKER;
	assert_seats(&plan, &p, "3 1 2 4 5");
	/* but it is better than nothing */
	p.person = &person[4];
	p.n = 1;
	assert_seats(&plan, &p, "5");
}

static void test_nobody_speaks(void **state)
{
	struct seating_people p = people(4, 0, 0);
	struct seating_plan plan = { .kind = LAYOUT_SPEAKER };

	(void)state;
	assert_seats(&plan, &p, "1 2 3 4");
	person[3].spoke = 7;
	person[1].spoke = 9;
	assert_seats(&plan, &p, "2 1 3 4");
	/* one who has left */
	p.speaker = 99;
	p.content = 98;
	assert_seats(&plan, &p, "2 1 3 4");
	plan.kind = LAYOUT_PRESENTATION;
	assert_seats(&plan, &p, "2 1 3 4");
}

/* What the speaker itself sees: who spoke before has the large tile, it is in the strip. */
static void test_who_is_avoided(void **state)
{
	static const struct {
		enum layout_kind kind;
		uint32_t content;
		const char *all, *aside;
		size_t by_speech; /* tiles, of all */
	} table[] = {
		{ LAYOUT_GRID, 0, "1 2 3 4", "1 2 3 4", 0 },
		{ LAYOUT_SPEAKER, 0, "3 1 2 4", "2 1 3 4", 1 },
		{ LAYOUT_SPEAKER_ONLY, 0, "3", "2", 1 },
		{ LAYOUT_PRESENTATION, 4, "4 3 1 2", "4 2 1 3", 1 },
		{ LAYOUT_SIDE_BY_SIDE, 0, "3 2", "2 1", 2 },
		{ LAYOUT_SIDE_BY_SIDE, 4, "4 3", "4 2", 1 },
		{ LAYOUT_LECTURE, 4, "4", "4", 0 },
		{ LAYOUT_LECTURE, 0, "3", "2", 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct seating_people p = people(4, 3, table[i].content), alone = people(1, 1, 0);
		struct seating_plan plan = { .kind = table[i].kind };
		struct seating s;
		size_t n = 0;

		p = people(4, 3, table[i].content);
		person[1].spoke = 500;
		assert_seats(&plan, &p, table[i].all);
		seating_make(&plan, &p, W, H, &s);
		for (size_t k = 0; k < s.n; k++)
			n += s.seat[k].by_speech;
		assert_int_equal(n, table[i].by_speech);
		p.avoid = 3;
		assert_seats(&plan, &p, table[i].aside);
		/* one that is not there changes nothing; who is alone has it after all */
		p.avoid = 9;
		assert_seats(&plan, &p, table[i].all);
		alone.avoid = 1;
		assert_seats(&plan, &alone, "1");
	}
	/* by a pin it has the tile nevertheless */
	struct seating_plan pinned = { .kind = LAYOUT_SPEAKER_ONLY, .pin = { 3 }, .n_pins = 1 };
	struct seating_people p = people(4, 3, 0);
	struct seating s;

	p.avoid = 3;
	assert_seats(&pinned, &p, "3");
	seating_make(&pinned, &p, W, H, &s);
	assert_false(s.seat[0].by_speech);
}

static void test_pins(void **state)
{
	struct seating_people p = people(5, 3, 0);
	struct seating_plan plan = { .kind = LAYOUT_GRID, .pin = { 0, 5 }, .n_pins = 2 };

	(void)state;
	assert_seats(&plan, &p, "1 5 2 3 4");
	plan.kind = LAYOUT_SPEAKER;
	assert_seats(&plan, &p, "3 5 1 2 4");
	plan.pin[0] = 4;
	assert_seats(&plan, &p, "4 5 1 2 3");
	plan.kind = LAYOUT_LECTURE;
	assert_seats(&plan, &p, "4");
	/* not there; twice; beyond the last tile */
	plan = (struct seating_plan){ .kind = LAYOUT_GRID, .pin = { 77, 2, 2 }, .n_pins = 3 };
	assert_seats(&plan, &p, "1 2 3 4 5");
	plan = (struct seating_plan){ .kind = LAYOUT_GRID, .n_pins = 9 };
	plan.pin[8] = 1;
	assert_seats(&plan, &p, "2 3 4 5 1");
}

static void test_order(void **state)
{
	struct seating_people p = people(5, 4, 0);
	struct seating_plan plan = { .kind = LAYOUT_GRID, .order = SEATING_BY_SPEECH,
				     .hand = { 5, 77, 2 }, .n_hand = 3 };

	(void)state;
	person[1].spoke = 3;
	assert_seats(&plan, &p, "4 2 1 3 5");
	plan.order = SEATING_BY_HAND;
	assert_seats(&plan, &p, "5 2 1 3 4");
	plan.kind = LAYOUT_SPEAKER;
	assert_seats(&plan, &p, "4 5 2 1 3");
}

static void test_without_video(void **state)
{
	struct seating_people p = people(5, 3, 0);
	struct seating_plan plan = { .kind = LAYOUT_GRID, .hide_no_video = true };

	(void)state;
	person[0].video = person[2].video = false;
	assert_seats(&plan, &p, "2 4 5");
	/* a speaker without video does not take the large tile */
	plan.kind = LAYOUT_SPEAKER;
	person[4].spoke = 3;
	assert_seats(&plan, &p, "5 2 4");
	plan.pin[0] = 1;
	plan.n_pins = 1;
	assert_seats(&plan, &p, "1 2 4 5");
	plan.n_pins = 0;
	plan.kind = LAYOUT_GRID;
	for (size_t i = 0; i < 5; i++)
		person[i].video = false;
	assert_seats(&plan, &p, "1 2 3 4 5");
}

static void test_pages(void **state)
{
	struct seating_people p = people(8, 3, 0);
	struct seating_plan plan = { .kind = LAYOUT_GRID, .max_tiles = 3 };
	struct seating s;

	(void)state;
	assert_seats(&plan, &p, "1 2 3");
	plan.page = 1;
	assert_seats(&plan, &p, "4 5 6");
	plan.page = 2;
	assert_seats(&plan, &p, "7 8");
	seating_make(&plan, &p, W, H, &s);
	assert_int_equal(s.pages, 3);
	/* two on the last page: as large as two are */
	assert_int_equal(s.seat[0].rect.y, 180);
	plan.page = 9;
	seating_make(&plan, &p, W, H, &s);
	assert_int_equal(s.page, 2);
	assert_int_equal(s.seat[0].id, 7);
	/* who is pinned, and the speaker, are on all of them */
	plan = (struct seating_plan){ .kind = LAYOUT_SPEAKER, .max_tiles = 4, .page = 1,
				      .pin = { 0, 8 }, .n_pins = 2 };
	assert_seats(&plan, &p, "3 8 4 5");
	plan.page = 2;
	assert_seats(&plan, &p, "3 8 6 7");
	plan.max_tiles = 1;
	assert_seats(&plan, &p, "8");
	plan.n_pins = 0;
	seating_make(&plan, &p, W, H, &s);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.seat[0].id, 3);
	assert_int_equal(s.pages, 1);
}

/* Everybody is on exactly one page. */
static void test_pages_miss_nobody(void **state)
{
	struct seating_plan plan = { 0 };
	struct seating s;

	(void)state;
	for (enum layout_kind k = LAYOUT_GRID; k <= LAYOUT_PRESENTATION; k++) {
		for (size_t n = 1; n < MANY; n++) {
			struct seating_people p = people(n, 0, 0);
			size_t seen[MANY] = { 0 }, pages = 1;

			plan = (struct seating_plan){ .kind = k };
			for (plan.page = 0; plan.page < pages; plan.page++) {
				seating_make(&plan, &p, W, H, &s);
				pages = s.pages;
				for (size_t i = 0; i < s.n; i++)
					seen[s.seat[i].id - 1]++;
			}
			for (size_t i = 0; i < n && k != LAYOUT_SPEAKER_ONLY; i++)
				assert_int_equal(seen[i], k != LAYOUT_GRID && !i ? pages : 1);
		}
	}
}

static void test_custom(void **state)
{
	struct seating_people p = people(5, 3, 2);
	struct seating_plan plan = {
		.kind = LAYOUT_CUSTOM, .n_regions = 3,
		.region = { { 0.5, 0.5, 0.5, 0.5, 9, LAYOUT_FOR_SPEAKER },
			    { 0, 0, 1, 1, 0, LAYOUT_FOR_CONTENT },
			    { 0, 0, 0.2, 0.2, 4, LAYOUT_NEXT } },
	};
	struct seating s;

	(void)state;
	/* from the back to the front */
	assert_seats(&plan, &p, "2 1 3");
	seating_make(&plan, &p, W, H, &s);
	assert_int_equal(s.pages, 3);
	assert_int_equal(s.seat[2].z, 9);
	assert_int_equal(s.seat[2].rect.x, 640);
	plan.page = 2;
	assert_seats(&plan, &p, "2 5 3");
	/* nothing is presented: its place stays empty */
	p.content = 0;
	assert_seats(&plan, &p, "4 3");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shared_beside_a_camera), cmocka_unit_test(test_who_is_avoided),
		cmocka_unit_test(test_layouts),	      cmocka_unit_test(test_nobody_speaks),
		cmocka_unit_test(test_pins),	      cmocka_unit_test(test_order),
		cmocka_unit_test(test_without_video), cmocka_unit_test(test_pages),
		cmocka_unit_test(test_pages_miss_nobody), cmocka_unit_test(test_custom),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
