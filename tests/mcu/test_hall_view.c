/* The views of a running room, as front ends see them. */
#include "tests/mcu/conference_rig.h"

enum { PEOPLE = 3 };

static int act(struct front *f, const struct client_msg *m, struct errmsg *why)
{
	memset(why, 0, sizeof *why);
	return conference_api.act(the.c, f->leg, m, why);
}

static int views(struct front *f, const char *view, const char *rule, struct errmsg *why)
{
	struct client_msg m = { .type = CLIENT_MSG_VIEWS, .u.views = { view, rule } };

	return act(f, &m, why);
}

static void set_layout(struct front *f, const char *view, const char *layout)
{
	struct client_msg m = { .type = CLIENT_MSG_LAYOUT,
				.u.layout = { .view = view, .layout = layout } };
	struct errmsg why;

	if (act(f, &m, &why))
		fail_msg("%s", why.text);
}

static int wish(struct front *f, const char *view, bool hide, struct errmsg *why)
{
	struct view_wish w = { .view = view, .hide_self = hide };

	return conference_api.view(the.c, f->leg, &w, why);
}

static void come(struct front *f)
{
	for (int i = 0; i < PEOPLE; i++)
		must_join(&f[i], "room");
}

static void go(struct front *f)
{
	for (int i = 0; i < PEOPLE; i++)
		if (f[i].leg)
			leave(&f[i], LEAVE_LEFT);
}

/* Each is told the layout of what it sees, and no other. */
static void test_each_is_told_its_own(void **state)
{
	struct front f[PEOPLE] = { 0 }, late = { 0 };
	struct errmsg why;
	size_t before;

	(void)state;
	come(f);
	assert_string_equal(f[0].view, "main");
	assert_int_equal(f[0].viewses, 0);
	assert_int_equal(views(&f[0], "stage", "hosts", &why), 0);
	for (int i = 0; i < PEOPLE; i++)
		assert_int_equal(f[i].n_views, 2);
	RUN_UNTIL(!strcmp(f[0].view, "stage"));
	assert_string_equal(f[1].view, "main");
	before = f[1].layouts;
	set_layout(&f[0], "stage", "speaker");
	RUN_UNTIL(!strcmp(f[0].layout, "speaker"));
	assert_int_equal(f[1].layouts, before);
	set_layout(&f[0], NULL, "side-by-side");
	RUN_UNTIL(!strcmp(f[1].layout, "side-by-side"));
	assert_string_equal(f[2].layout, "side-by-side");
	assert_string_equal(f[0].layout, "speaker");
	/* Newcomers hear of the views, and later ones are newer. */
	must_join(&late, "room");
	assert_int_equal(late.n_views, 2);
	assert_string_equal(late.view, "main");
	assert_int_equal(wish(&f[0], "main", false, &why), 0);
	RUN_UNTIL(!strcmp(f[0].view, "main"));
	assert_string_equal(f[0].layout, "side-by-side");
	assert_true(f[0].layout_version >= f[1].layout_version);
	assert_int_equal(views(&f[0], "stage", NULL, &why), 0);
	assert_int_equal(late.n_views, 1);
	leave(&late, LEAVE_LEFT);
	go(f);
}

static void test_what_is_not_allowed(void **state)
{
	struct client_msg layout = { .type = CLIENT_MSG_LAYOUT,
				     .u.layout = { .view = "none", .layout = "grid" } };
	struct front f[PEOPLE] = { 0 };
	struct errmsg why;

	(void)state;
	come(f);
	assert_true(views(&f[1], "a", "hosts", &why) < 0);
	assert_string_equal(why.code, "not_allowed");
	assert_true(views(&f[0], "a", "friends", &why) < 0);
	assert_string_equal(why.code, "bad_message");
	assert_true(views(&f[0], "a", NULL, &why) < 0);
	assert_string_equal(why.code, "view_unknown");
	assert_true(views(&f[0], "main", NULL, &why) < 0);
	assert_string_equal(why.code, "view_invalid");
	assert_true(act(&f[0], &layout, &why) < 0);
	assert_string_equal(why.code, "view_unknown");
	assert_int_equal(views(&f[0], "a", "hosts", &why), 0);
	assert_true(wish(&f[1], "a", false, &why) < 0);
	assert_string_equal(why.code, "not_allowed");
	assert_true(wish(&f[1], "b", false, &why) < 0);
	assert_string_equal(why.code, "view_unknown");
	for (char name[] = "b"; name[0] < 'h'; name[0]++)
		assert_int_equal(views(&f[0], name, "request", &why), 0);
	assert_true(views(&f[0], "h", "request", &why) < 0);
	assert_string_equal(why.code, "too_many_views");
	go(f);
}

/* A host's views are seen by the one who becomes a host. */
static void test_a_new_host_gets_its_view(void **state)
{
	struct front f[PEOPLE] = { 0 };
	struct errmsg why;

	(void)state;
	come(f);
	assert_int_equal(views(&f[0], "stage", "hosts", &why), 0);
	RUN_UNTIL(!strcmp(f[0].view, "stage"));
	leave(&f[0], LEAVE_LEFT);
	RUN_UNTIL(!strcmp(f[1].view, "stage"));
	assert_string_equal(f[2].view, "main");
	go(f);
}

/* A section of content that comes and goes with offers. */
static void test_content_has_a_rate(void **state)
{
	struct front f[PEOPLE] = { 0 };
	struct errmsg why;
	bool *sends;
	int n = 0;

	(void)state;
	come(f);
	sends = &f[0].leg->leg->media.content.rx;
	while (n < 100 && !moderation_agree_content(f[0].leg, true, &why))
		n++;
	assert_in_range(n, 3, 20);
	assert_string_equal(why.code, "rate_limited");
	/* what goes on, or ends, does not begin */
	assert_int_equal(moderation_agree_content(f[0].leg, false, &why), 0);
	*sends = true;
	assert_int_equal(moderation_agree_content(f[0].leg, true, &why), 0);
	*sends = false;
	assert_int_equal(moderation_agree_content(f[1].leg, true, &why), 0);
	go(f);
}

static void looks(struct front *f)
{
	shows_itself(f);
	f->leg->leg->media.video.tx = true;
	f->leg->leg->media.video.tx_format.codec = CODEC_H264;
	room_touch(f->leg->leg->room);
}

/* With a camera that comes when as many hide themselves as may; and away it goes in the
 * middle of being told. */
static void test_hiding_oneself_later(void **state)
{
	struct front f[PEOPLE] = { 0 };
	struct errmsg why;

	(void)state;
	set("room.max_personal_views=1");
	come(f);
	for (int i = 0; i < PEOPLE; i++)
		assert_int_equal(wish(&f[i], "", true, &why), 0);
	looks(&f[1]);
	for (int i = 0; i < 10; i++)
		turn();
	looks(&f[0]);
	RUN_UNTIL(f[0].hiddens == 1);
	assert_false(f[0].hidden);
	f[2].leaves_at = LEG_EVENT_SELF_VIEW;
	looks(&f[2]);
	RUN_UNTIL(!f[2].leg);
	assert_int_equal(f[1].hiddens, 0);
	leave(&f[1], LEAVE_LEFT);
	RUN_UNTIL(f[0].hiddens == 2);
	assert_true(f[0].hidden);
	go(f);
}

static void test_leaving_in_the_middle(void **state)
{
	static const int at[] = { LEG_EVENT_VIEWS, LEG_EVENT_LAYOUT };
	struct errmsg why;

	(void)state;
	for (size_t k = 0; k < sizeof at / sizeof *at; k++)
		for (int who = 0; who < PEOPLE; who++) {
			struct front f[PEOPLE] = { 0 };

			come(f);
			f[who].leaves_at = at[k];
			(void)views(&f[0], "stage", "everybody", &why);
			RUN_UNTIL(!f[who].leg);
			for (int i = 0; i < 20; i++)
				turn();
			go(f);
			RUN_UNTIL(conference_is_idle(the.c));
		}
}

/* As a whole or not at all. */
static void test_set_with_its_layout(void **state)
{
	struct layout_change good = { .view = "a", .layout = "lecture" };
	struct layout_change bad = { .view = "a", .layout = "heap" };
	struct views_change hosts = { "a", "hosts" }, all = { "a", "everybody" };
	struct front f[PEOPLE] = { 0 };
	struct errmsg why;

	(void)state;
	come(f);
	assert_true(conference_change_views(the.c, "room", &hosts, &bad, &why) < 0);
	assert_string_equal(why.code, "layout_invalid");
	assert_int_equal(f[0].viewses, 0);
	assert_true(views(&f[0], "a", NULL, &why) < 0); /* not there */
	assert_int_equal(conference_change_views(the.c, "room", &hosts, &good, &why), 0);
	RUN_UNTIL(!strcmp(f[0].layout, "lecture"));
	assert_true(conference_change_views(the.c, "room", &all, &bad, &why) < 0);
	for (int i = 0; i < 20; i++)
		turn();
	assert_string_equal(f[1].view, "main");
	assert_int_equal(conference_change_views(the.c, "other", &all, NULL, &why), -ENOENT);
	assert_string_equal(why.code, "room_unknown");
	go(f);
}

/* Whoever flaps between pictures starts no encoder each time, nor tells all each time
 * that a sound is another. */
static void test_flapping_has_a_rate(void **state)
{
	struct client_msg m = { .type = CLIENT_MSG_VOLUME };
	struct front f[PEOPLE] = { 0 };
	struct errmsg why;
	int taken = 0, err = 0;

	(void)state;
	come(f);
	while (taken < 50 && !(err = wish(&f[1], "", taken % 2, &why)))
		taken++;
	assert_in_range(taken, 5, 7);
	assert_string_equal(why.code, "rate_limited");
	assert_int_equal(wish(&f[2], "", false, &why), 0); /* each has its own */
	m.u.volume.leg = f[1].id;
	m.u.volume.gain_db = -6;
	for (taken = 0; taken < 100 && !(err = act(&f[0], &m, &why)); taken++)
		m.u.volume.gain_db = taken % 10;
	assert_in_range(taken, 20, 30);
	assert_string_equal(why.code, "rate_limited");
	go(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
		T(test_each_is_told_its_own), T(test_what_is_not_allowed),
		T(test_a_new_host_gets_its_view), T(test_leaving_in_the_middle),
		T(test_set_with_its_layout), T(test_flapping_has_a_rate), T(test_content_has_a_rate),
		T(test_hiding_oneself_later),
#undef T
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
