/* Several views of one room: who gets which, who is where in it, what runs for it. */
#include <errno.h>
#include <stdio.h>

#include "mcu/room/room_priv.h"
#include "tests/mcu/room/room_demand_rig.h"

enum { MOST_VIEWS = 3, MOST_OWN = 2, MOST_LEGS = 8 };

static size_t wakes;

static void on_wake(void *obj, struct room *r, int ms)
{
	(void)obj;
	(void)r;
	assert_int_equal(ms, ROOM_FLOOR_MS);
	wakes++;
}

static const struct room_events waking_events = {
	.joined = on_leg, .left = on_left, .changed = on_leg, .speaker = on_speaker,
	.layout = on_layout, .emptied = on_emptied, .closed = on_closed, .wake = on_wake,
};

/* A room with n legs that send and see; the first is its host. */
struct stand {
	struct room *room;
	struct leg *leg[MOST_LEGS];
	struct leg_net *net[MOST_LEGS];
	size_t n;
};

static void enter(struct stand *s, bool sends) ON_THREAD(ROLE_CTL)
{
	size_t i = s->n++;

	s->leg[i] = join(s->room, &s->net[i]);
	leg_set_host(s->leg[i], !i);
	negotiate(s->leg[i], sends, true);
	s->net[i]->cfg.ev->connected(s->net[i]->cfg.obj);
}

static struct stand open_stand(size_t n, bool waits) ON_THREAD(ROLE_CTL)
{
	struct room_cfg cfg = { .name = "views", .max_views = MOST_VIEWS,
				.max_personal_views = MOST_OWN, .speaker_view = true };
	struct stand s = { 0 };

	wakes = 0;
	assert_int_equal(room_new(&s.room, &the.e, &cfg, waits ? &waking_events : &room_events, NULL),
			 0);
	for (size_t i = 0; i < n; i++)
		enter(&s, true);
	return s;
}

static void settle(void)
{
	for (int k = 0; k < 10; k++)
		turn();
}

static void speaks(struct stand *s, size_t i) ON_THREAD(ROLE_CTL)
{
	room_audio_events.speaker(s->room, (void *)(uintptr_t)leg_id(s->leg[i]));
	settle();
}

static void lay_out(struct stand *s, const char *view, enum layout_kind kind) ON_THREAD(ROLE_CTL)
{
	struct room_view v = *room_view(s->room, view);
	struct errmsg why;

	v.plan.kind = kind;
	assert_int_equal(room_set_view(s->room, view, &v, &why), 0);
	settle();
}

static int wish(struct stand *s, size_t i, const char *view, bool hide, struct errmsg *why)
	ON_THREAD(ROLE_CTL)
{
	struct leg_view v = { .hide_self = hide };

	snprintf(v.view, sizeof v.view, "%s", view);
	return leg_set_view(s->leg[i], &v, why);
}

/* Whom leg i sees, as letters in tile order: "bac". */
static const char *sees(const struct stand *s, size_t i) ON_THREAD(ROLE_CTL)
{
	static char text[LAYOUT_MAX_TILES + 1];
	struct leg_picture p;
	size_t n = 0;

	leg_get_picture(s->leg[i], &p);
	assert_non_null(p.seating);
	for (size_t k = 0; k < p.seating->n; k++)
		for (size_t m = 0; m < s->n; m++)
			if (leg_id(s->leg[m]) == p.seating->seat[k].id)
				text[n++] = (char)('a' + m);
	text[n] = 0;
	return text;
}

static bool alike(const struct stand *s, size_t i, size_t k) ON_THREAD(ROLE_CTL)
{
	struct leg_picture a, b;

	leg_get_picture(s->leg[i], &a);
	leg_get_picture(s->leg[k], &b);
	assert_true(a.id && b.id);
	assert_int_equal(a.id == b.id, s->net[i]->watched == s->net[k]->watched);
	return a.id == b.id;
}

/* An encoder for each view that somebody gets, and none for others. */
static void test_encoders_follow_the_views(void **state)
{
	struct room_view_info v;
	struct errmsg why;
	struct stand s;

	(void)state;
	role_assert_ctl();
	s = open_stand(3, false);
	assert_int_equal(counts(s.room).video_encoders, 1);
	assert_int_equal(room_add_view(s.room, "stage", VIEW_HOSTS, &why), 0);
	assert_int_equal(room_add_view(s.room, "wall", VIEW_REQUEST, &why), 0);
	RUN_UNTIL(s.room, video_encoders, 2);
	assert_int_equal(counts(s.room).views, 3);
	assert_int_equal(counts(s.room).pictures, 2); /* nobody has asked for the wall */
	assert_false(alike(&s, 0, 1));
	assert_true(alike(&s, 1, 2));
	lay_out(&s, "stage", LAYOUT_SPEAKER_ONLY);
	assert_string_equal(sees(&s, 1), "abc");
	assert_int_equal(strlen(sees(&s, 0)), 1);
	room_view_info(s.room, 1, &v);
	assert_string_equal(v.name, "stage");
	assert_int_equal(v.receivers, 1);
	assert_int_equal(v.encoders, 1);
	assert_int_equal(wish(&s, 2, "wall", false, &why), 0);
	RUN_UNTIL(s.room, video_encoders, 3);
	assert_int_equal(wish(&s, 2, "", false, &why), 0);
	RUN_UNTIL(s.room, video_encoders, 2);
	/* The host sees the main one as everybody does, then everybody another. */
	assert_int_equal(wish(&s, 0, VIEW_MAIN, false, &why), 0);
	RUN_UNTIL(s.room, video_encoders, 1);
	assert_int_equal(room_add_view(s.room, "stage", VIEW_EVERYBODY, &why), 0);
	RUN_UNTIL(s.room, video_encoders, 2);
	assert_false(alike(&s, 0, 1));
	assert_int_equal(room_remove_view(s.room, "stage", &why), 0);
	RUN_UNTIL(s.room, video_encoders, 1);
	assert_true(alike(&s, 0, 1));
	assert_int_equal(counts(s.room).views, 2);
	close_room(s.room);
}

static void test_what_cannot_be_is_refused(void **state)
{
	struct room_view view = { .plan = { .kind = LAYOUT_GRID } };
	struct errmsg why;
	struct stand s;

	(void)state;
	role_assert_ctl();
	s = open_stand(2, false);
	assert_int_equal(room_add_view(s.room, "No", VIEW_HOSTS, &why), -EINVAL);
	assert_string_equal(why.code, "view_invalid");
	assert_int_equal(room_add_view(s.room, VIEW_MAIN, VIEW_HOSTS, &why), -EINVAL);
	assert_int_equal(room_remove_view(s.room, VIEW_MAIN, &why), -EINVAL);
	assert_int_equal(room_remove_view(s.room, "a", &why), -ENOENT);
	assert_string_equal(why.code, "view_unknown");
	assert_int_equal(room_set_view(s.room, "a", &view, &why), -ENOENT);
	assert_null(room_view(s.room, "a"));
	assert_int_equal(room_add_view(s.room, "a", VIEW_HOSTS, &why), 0);
	assert_int_equal(room_add_view(s.room, "b", VIEW_SPEAKER, &why), 0);
	assert_int_equal(room_add_view(s.room, "c", VIEW_REQUEST, &why), -ENOSPC);
	assert_string_equal(why.code, "too_many_views");
	assert_int_equal(room_add_view(s.room, "a", VIEW_PARTICIPANTS, &why), 0);
	assert_int_equal(room_add_view(s.room, "a", VIEW_HOSTS, &why), 0);
	assert_int_equal(wish(&s, 1, "c", false, &why), -ENOENT);
	assert_string_equal(why.code, "view_unknown");
	assert_int_equal(wish(&s, 1, "a", false, &why), -EACCES);
	assert_string_equal(why.code, "not_allowed");
	assert_int_equal(wish(&s, 0, "b", false, &why), 0); /* a host */
	close_room(s.room);
}

/* Who hides itself has a picture of its own only where it would see itself. */
static void test_hiding_costs_a_picture_each(void **state)
{
	struct errmsg why;
	struct stand s;

	(void)state;
	role_assert_ctl();
	s = open_stand(3, false);
	enter(&s, false);
	/* a viewer sees what all see */
	assert_int_equal(wish(&s, 3, "", true, &why), 0);
	assert_true(alike(&s, 3, 0));
	assert_int_equal(wish(&s, 0, "", true, &why), 0);
	assert_int_equal(wish(&s, 1, "", true, &why), 0);
	assert_string_equal(sees(&s, 0), "bc");
	assert_string_equal(sees(&s, 1), "ac");
	assert_string_equal(sees(&s, 2), "abc");
	assert_string_equal(sees(&s, 3), "abc");
	RUN_UNTIL(s.room, video_encoders, 3);
	assert_int_equal(counts(s.room).pictures, 3);
	/* no more than configured: it goes on seeing what all see */
	assert_int_equal(wish(&s, 2, "", true, &why), -ENOSPC);
	assert_string_equal(why.code, "too_many_views");
	assert_string_equal(sees(&s, 2), "abc");
	assert_int_equal(wish(&s, 1, "", true, &why), 0); /* said again */
	/* a camera that is off is not hidden from anybody */
	leg_mute(s.leg[0], -1, true);
	RUN_UNTIL(s.room, video_encoders, 2);
	assert_true(alike(&s, 0, 2));
	leg_mute(s.leg[0], -1, false);
	RUN_UNTIL(s.room, video_encoders, 3);
	assert_int_equal(wish(&s, 0, "", false, &why), 0);
	assert_int_equal(wish(&s, 2, "", true, &why), 0);
	assert_string_equal(sees(&s, 2), "ab");
	leg_leave(s.leg[1], "left");
	RUN_UNTIL(s.room, video_encoders, 2);
	close_room(s.room);
}

/* Whoever has the tile of the speaker sees there who spoke before. */
static void test_the_speaker_sees_another(void **state)
{
	struct errmsg why;
	struct stand s;
	uint32_t other;

	(void)state;
	role_assert_ctl();
	s = open_stand(3, false);
	lay_out(&s, NULL, LAYOUT_SPEAKER);
	speaks(&s, 0);
	speaks(&s, 1);
	assert_string_equal(sees(&s, 0), "bac");
	assert_string_equal(sees(&s, 1), "abc");
	assert_string_equal(sees(&s, 2), "bac");
	RUN_UNTIL(s.room, video_encoders, 2);
	other = s.net[1]->watched;
	speaks(&s, 2);
	assert_string_equal(sees(&s, 0), "cab");
	assert_string_equal(sees(&s, 1), "cab");
	assert_string_equal(sees(&s, 2), "bac");
	assert_int_equal(s.net[2]->watched, other); /* the same encoder for whom it is now */
	RUN_UNTIL(s.room, video_encoders, 2);
	/* who hides itself sees the one before anyway */
	assert_int_equal(wish(&s, 2, "", true, &why), 0);
	settle();
	assert_string_equal(sees(&s, 2), "ba");
	assert_int_equal(wish(&s, 2, "", false, &why), 0);
	lay_out(&s, NULL, LAYOUT_SIDE_BY_SIDE);
	RUN_UNTIL(s.room, video_encoders, 1); /* the last two are there */
	assert_true(alike(&s, 0, 2));
	lay_out(&s, NULL, LAYOUT_SPEAKER_ONLY);
	assert_string_equal(sees(&s, 0), "c");
	assert_string_equal(sees(&s, 2), "b");
	lay_out(&s, NULL, LAYOUT_GRID);
	RUN_UNTIL(s.room, video_encoders, 1);
	close_room(s.room);
}

/* A remark moves nobody to another encoder. */
static void test_a_remark_moves_nobody(void **state)
{
	struct stand s;
	uint32_t of[3];

	(void)state;
	role_assert_ctl();
	s = open_stand(3, true);
	lay_out(&s, NULL, LAYOUT_SPEAKER);
	speaks(&s, 0);
	RUN_UNTIL(s.room, video_encoders, 2);
	for (int i = 0; i < 3; i++)
		of[i] = s.net[i]->watched;
	assert_true(of[0] != of[1] && of[1] == of[2]);
	assert_int_equal(wakes, 0);
	speaks(&s, 1);
	assert_int_equal(wakes, 1);
	assert_string_equal(sees(&s, 0), "bac"); /* on its own encoder, what all see */
	assert_string_equal(sees(&s, 1), "bac");
	speaks(&s, 0);
	room_wake(s.room);
	settle();
	for (int i = 0; i < 3; i++)
		assert_int_equal(s.net[i]->watched, of[i]);
	assert_string_equal(sees(&s, 0), "bac");
	/* who goes on has the other picture after a while */
	speaks(&s, 1);
	assert_int_equal(s.net[1]->watched, of[1]);
	room_wake(s.room);
	settle();
	assert_int_equal(s.net[1]->watched, of[0]);
	assert_int_equal(s.net[0]->watched, of[1]);
	assert_string_equal(sees(&s, 1), "abc");
	leg_leave(s.leg[1], "left");
	settle();
	close_room(s.room);
}

static void test_a_lecturer_sees_the_audience(void **state)
{
	struct room_view v = { .plan = { .kind = LAYOUT_LECTURE, .n_pins = 1 } };
	struct errmsg why;
	struct stand s;

	(void)state;
	role_assert_ctl();
	s = open_stand(4, false);
	v.plan.pin[0] = leg_id(s.leg[2]);
	assert_int_equal(room_set_view(s.room, NULL, &v, &why), 0);
	speaks(&s, 0); /* a question from the floor */
	assert_string_equal(sees(&s, 0), "c");
	assert_string_equal(sees(&s, 2), "abd");
	RUN_UNTIL(s.room, video_encoders, 2);
	/* without a pin who speaks lectures */
	v.plan.n_pins = 0;
	assert_int_equal(room_set_view(s.room, NULL, &v, &why), 0);
	settle();
	assert_string_equal(sees(&s, 2), "a");
	assert_string_equal(sees(&s, 0), "bcd");
	/* switched off */
	v.no_other = true;
	assert_int_equal(room_set_view(s.room, NULL, &v, &why), 0);
	RUN_UNTIL(s.room, video_encoders, 1);
	assert_string_equal(sees(&s, 0), "a");
	close_room(s.room);
}

/* A source is asked for the largest of its tiles that somebody sees. */
static void test_sources_serve_the_views_that_are_seen(void **state)
{
	struct leg_info i;
	struct errmsg why;
	struct stand s;

	(void)state;
	role_assert_ctl();
	s = open_stand(4, false);
	settle();
	leg_get_info(s.leg[3], &i);
	assert_int_equal(i.shown_w, W / 2);
	assert_int_equal(room_add_view(s.room, "one", VIEW_REQUEST, &why), 0);
	lay_out(&s, "one", LAYOUT_SPEAKER_ONLY);
	speaks(&s, 3);
	leg_get_info(s.leg[3], &i);
	assert_int_equal(i.shown_w, W / 2); /* nobody sees that view */
	for (size_t k = 0; k < 3; k++)
		assert_int_equal(wish(&s, k, "one", false, &why), 0);
	settle();
	leg_get_info(s.leg[3], &i);
	assert_int_equal(i.shown_w, W);
	assert_int_equal(i.tile.w, W / 2); /* on the main one */
	leg_get_info(s.leg[0], &i);
	assert_int_equal(i.shown_w, W / 2);
	/* Nobody sees the main view any more, and the others with it. */
	assert_int_equal(wish(&s, 3, "one", false, &why), 0);
	RUN_UNTIL(s.room, pictures, 2); /* the speaker sees another */
	leg_get_info(s.leg[1], &i);
	assert_int_equal(i.shown_w, 0);
	close_room(s.room);
}

/* The last viewer of a view leaves: nobody moves, but senders may send less. */
static void test_the_end_of_a_view_is_told(void **state)
{
	struct leg_info i;
	struct errmsg why;
	struct stand s;
	size_t before;

	(void)state;
	role_assert_ctl();
	s = open_stand(2, false);
	assert_int_equal(room_add_view(s.room, "one", VIEW_REQUEST, &why), 0);
	lay_out(&s, "one", LAYOUT_SPEAKER_ONLY);
	enter(&s, false);
	assert_int_equal(wish(&s, 2, "one", false, &why), 0);
	settle();
	leg_get_info(s.leg[0], &i);
	assert_int_equal(i.shown_w, W);
	before = the.layouts;
	leg_leave(s.leg[2], "left");
	RUN_UNTIL(s.room, video_encoders, 1);
	leg_get_info(s.leg[0], &i);
	assert_int_equal(i.shown_w, W / 2);
	assert_true(the.layouts > before);
	close_room(s.room);
}

/* Until the new picture has a key frame the old one is composed and encoded. */
static void test_the_old_view_stays_until_the_switch(void **state)
{
	struct errmsg why;
	struct stand s;

	(void)state;
	role_assert_ctl();
	s = open_stand(2, false);
	assert_int_equal(room_add_view(s.room, "two", VIEW_EVERYBODY, &why), 0);
	the.no_keys = true;
	for (int k = 0; k < 3; k++) {
		settle();
		assert_int_equal(counts(s.room).pictures, 2);
	}
	/* Even when it is gone meanwhile. */
	assert_int_equal(wish(&s, 0, VIEW_MAIN, false, &why), 0);
	assert_int_equal(wish(&s, 1, VIEW_MAIN, false, &why), 0);
	settle();
	the.no_keys = false;
	for (size_t i = 0; i < 2; i++)
		s.net[i]->cfg.ev->watching(s.net[i]->cfg.obj, s.net[i]->watched);
	RUN_UNTIL(s.room, video_encoders, 1);
	close_room(s.room);
}

/* Who is not there yet, or sends no camera, takes nobody's place. */
static void test_only_who_is_seen_takes_a_place(void **state)
{
	struct errmsg why;
	struct stand s;

	(void)state;
	role_assert_ctl();
	s = open_stand(3, false);
	for (; s.n < 6; s.n++) {
		s.leg[s.n] = join(s.room, &s.net[s.n]);
		assert_int_equal(wish(&s, s.n, "", true, &why), 0);
	}
	negotiate(s.leg[4], true, true); /* not connected */
	negotiate(s.leg[5], false, true);
	s.net[5]->cfg.ev->connected(s.net[5]->cfg.obj);
	for (size_t i = 0; i < MOST_OWN; i++)
		assert_int_equal(wish(&s, i, "", true, &why), 0);
	assert_int_equal(wish(&s, 2, "", true, &why), -ENOSPC);
	RUN_UNTIL(s.room, video_encoders, 3);
	close_room(s.room);
}

static struct {
	const void *obj;
	size_t n;
	bool hidden;
} told;

static void on_hidden(void *obj, bool hidden)
{
	told.obj = obj;
	told.hidden = hidden;
	told.n++;
}

/* Whose camera comes when all places are taken is told so, and gets one that is given
 * back; who has one keeps it, whoever came before. */
static void test_who_comes_late_waits_for_a_place(void **state)
{
	struct leg_watcher w = watcher;
	struct errmsg why;
	struct stand s;
	char early;

	(void)state;
	role_assert_ctl();
	w.hidden = on_hidden;
	told.n = 0;
	s = open_stand(0, false);
	assert_int_equal(room_join(s.room, "E", &w, &early, &s.leg[0]), 0);
	s.net[0] = the.last;
	s.n = 1;
	assert_int_equal(wish(&s, 0, "", true, &why), 0);
	while (s.n < 4)
		enter(&s, true);
	for (size_t i = 1; i <= MOST_OWN; i++)
		assert_int_equal(wish(&s, i, "", true, &why), 0);
	negotiate(s.leg[0], true, true);
	s.net[0]->cfg.ev->connected(s.net[0]->cfg.obj);
	settle();
	assert_string_equal(sees(&s, 0), "abcd");
	assert_string_equal(sees(&s, 1), "acd");
	assert_int_equal(told.n, 1);
	assert_ptr_equal(told.obj, &early);
	assert_false(told.hidden);
	/* its camera goes off and on: it knows */
	leg_mute(s.leg[0], -1, true);
	settle();
	leg_mute(s.leg[0], -1, false);
	settle();
	assert_int_equal(told.n, 1);
	leg_leave(s.leg[2], "left");
	s.leg[2] = s.leg[3];
	s.net[2] = s.net[3];
	s.n = 3;
	settle();
	assert_string_equal(sees(&s, 0), "bc");
	assert_int_equal(told.n, 2);
	assert_true(told.hidden);
	/* who does not wish it any more need not be told anything */
	assert_int_equal(wish(&s, 0, "", false, &why), 0);
	settle();
	assert_int_equal(told.n, 2);
	close_room(s.room);
}

/* What a wish would cost, by the encoders that it would start and end. */
static void test_what_a_wish_costs(void **state)
{
	struct leg_view small = { .max_height = H / 2 }, hide = { .hide_self = true };
	struct leg_view deaf = { .no_video = true }, stage = { .view = "stage" }, any = { 0 };
	const int64_t full = (int64_t)W * H * FPS, half = (int64_t)W / 2 * (H / 2) * (FPS / 2);
	struct errmsg why;
	struct stand s;

	(void)state;
	role_assert_ctl();
	s = open_stand(2, false);
	enter(&s, false);
	assert_int_equal(leg_view_pixels(s.leg[2], &any), 0);
	assert_int_equal(leg_view_pixels(s.leg[2], &small), half);
	assert_int_equal(leg_view_pixels(s.leg[2], &deaf), 0);
	assert_int_equal(leg_view_pixels(s.leg[2], &hide), 0); /* it does not see itself */
	assert_int_equal(leg_view_pixels(s.leg[1], &hide), full);
	assert_int_equal(room_add_view(s.room, "stage", VIEW_REQUEST, &why), 0);
	settle();
	assert_int_equal(leg_view_pixels(s.leg[1], &stage), full);
	assert_int_equal(leg_set_view(s.leg[1], &hide, &why), 0);
	assert_int_equal(leg_view_pixels(s.leg[1], &hide), 0); /* said again */
	/* its own goes, and another one comes, or one that others get already */
	assert_int_equal(leg_view_pixels(s.leg[1], &stage), 0);
	hide.max_height = H / 2;
	assert_int_equal(leg_view_pixels(s.leg[1], &hide), half - full);
	assert_int_equal(leg_view_pixels(s.leg[1], &any), -full);
	/* before anything was agreed on nobody knows */
	s.leg[3] = join(s.room, &s.net[3]);
	assert_int_equal(leg_view_pixels(s.leg[3], &small), 0);
	/* nothing of this was set */
	assert_true(alike(&s, 0, 2));
	assert_int_equal(counts(s.room).video_encoders, 2);
	close_room(s.room);
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_encoders_follow_the_views),
		T(test_what_cannot_be_is_refused),
		T(test_hiding_costs_a_picture_each),
		T(test_only_who_is_seen_takes_a_place),
		T(test_who_comes_late_waits_for_a_place),
		T(test_what_a_wish_costs),
		T(test_the_speaker_sees_another),
		T(test_a_remark_moves_nobody),
		T(test_a_lecturer_sees_the_audience),
		T(test_sources_serve_the_views_that_are_seen),
		T(test_the_end_of_a_view_is_told),
		T(test_the_old_view_stays_until_the_switch),
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
