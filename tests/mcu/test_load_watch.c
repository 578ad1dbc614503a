/* Who is refused, and what rooms are told, when the machine cannot keep up. */
#include "tests/mcu/conference_rig.h"

enum { MANY = 400 };

static int set_up_tight(void **state)
{
	int err;

	rig_setting = "overload.high_percent=1";
	err = set_up(state);
	rig_setting = "overload.high_percent=0";
	return err;
}

/* Opens rooms until no more are; how many are open. */
static size_t open_all(struct front *f, struct errmsg *why)
{
	size_t n = 0;
	char name[16];

	for (; n < MANY; n++) {
		snprintf(name, sizeof name, "room%zu", n);
		if (join(&f[n], name, NULL, why))
			return n;
	}
	fail_msg("nobody was refused");
	return n;
}

static void test_rooms_are_refused_but_not_viewers(void **state)
{
	static struct front f[MANY];
	struct front viewer = { 0 }, back = { 0 };
	struct errmsg why;
	size_t n;

	(void)state;
	role_assert_ctl();
	memset(f, 0, sizeof f);
	set("limits.rooms_per_address=1000");
	set("room.max_rooms=1000");
	n = open_all(f, &why);
	assert_true(n > 0); /* an empty server takes the first */
	assert_string_equal(why.code, "overloaded");
	assert_non_null(strstr(why.text, "open another room"));
	assert_null(f[n].leg);
	assert_null(hall_find(the.c, "room399"));
	/* those that run are not hurt: somebody may come, and come back */
	must_join(&viewer, "room0");
	leave(&viewer, LEAVE_LEFT);
	assert_int_equal(join(&back, "room0", f[0].resume, &why), 0);
	assert_int_equal(f[0].closed, 1);
	leave(&back, LEAVE_LEFT);
	for (size_t i = 1; i < n; i++)
		leave(&f[i], LEAVE_LEFT);
}

/* Who is refused for another reason has nothing reserved for it. */
static void test_refused_rooms_reserve_nothing(void **state)
{
	struct front first = { 0 }, other = { 0 };
	struct errmsg why;

	(void)state;
	role_assert_ctl();
	set("room.max_rooms=1");
	must_join(&first, "room");
	for (int i = 0; i < 10 * MANY; i++) {
		assert_int_not_equal(join(&other, "another", NULL, &why), 0);
		assert_string_equal(why.code, "server_full");
	}
	leave(&first, LEAVE_LEFT);
}

static const struct leg_media *media(bool camera, bool microphone, bool sees) ON_THREAD(ROLE_CTL)
{
	static struct leg_media m;

	m = (struct leg_media){
		.audio = { .rx = microphone, .tx = true },
		.video = { .rx = camera, .tx = sees, .tx_format = { .codec = CODEC_H264 } },
	};
	return &m;
}

/* One guest after the other wants that, until one is refused: he is still there. */
static void until_refused(struct front *guest, bool camera, bool microphone, bool sees,
			  struct errmsg *why) ON_THREAD(ROLE_CTL)
{
	for (int i = 0; i < MANY; i++) {
		must_join(guest, "room");
		if (load_admit_media(guest->leg, media(camera, microphone, sees), why)) {
			assert_string_equal(why->code, "overloaded");
			return;
		}
		/* asked once */
		assert_int_equal(load_admit_media(guest->leg, media(camera, microphone, sees), why), 0);
		leave(guest, LEAVE_LEFT);
	}
	fail_msg("nobody was refused");
}

/* Likewise, each with a microphone, who then wants to share something. */
static void until_shared(struct front *guest, struct errmsg *why) ON_THREAD(ROLE_CTL)
{
	struct leg_media m = *media(false, true, false);

	m.content.rx = true;
	for (int i = 0; i < MANY; i++) {
		must_join(guest, "room");
		assert_int_equal(load_admit_media(guest->leg, media(false, true, false), why), 0);
		if (load_admit_media(guest->leg, &m, why)) {
			assert_string_equal(why->code, "overloaded");
			return;
		}
		leave(guest, LEAVE_LEFT);
	}
	fail_msg("nobody was refused");
}

static void test_cameras_are_refused_and_sound_is_not(void **state)
{
	struct front opener = { 0 }, guest = { 0 };
	struct errmsg why;

	(void)state;
	role_assert_ctl();
	must_join(&opener, "room");
	/* who opened the room was taken with all he has */
	assert_int_equal(load_admit_media(opener.leg, media(true, true, true), &why), 0);
	until_refused(&guest, true, true, false, &why);
	assert_non_null(strstr(why.text, "without a camera"));
	assert_int_equal(load_admit_media(guest.leg, media(false, true, false), &why), 0);
	assert_int_equal(load_admit_media(guest.leg, media(false, false, false), &why), 0);
	leave(&guest, LEAVE_LEFT);
	/* a second picture of who has been let in */
	until_shared(&guest, &why);
	assert_non_null(strstr(why.text, "what you share"));
	assert_int_equal(load_admit_media(guest.leg, media(false, true, false), &why), 0);
	leave(&guest, LEAVE_LEFT);
	/* a picture that nobody gets yet */
	until_refused(&guest, false, false, true, &why);
	assert_non_null(strstr(why.text, "another picture"));
	leave(&guest, LEAVE_LEFT);
	leave(&opener, LEAVE_LEFT);
}

/* Sees the picture of its room, and nobody else gets a smaller one. */
static void sees(struct front *f) ON_THREAD(ROLE_CTL)
{
	struct leg *l = f->leg->leg;

	shows_itself(f);
	l->media.video.tx = true;
	l->media.video.tx_format.codec = CODEC_H264;
	room_touch(l->room);
}

/* A picture of one's own is another encoder. */
static void test_wishes_are_refused(void **state)
{
	const struct leg_view hide = { .hide_self = true };
	const struct view_wish wish = { .hide_self = true, .view = "" }, none = { .view = "" };
	struct front a = { 0 }, b = { 0 };
	struct errmsg why;
	int i = 0;

	(void)state;
	role_assert_ctl();
	set("room.max_personal_views=4");
	must_join(&a, "room");
	sees(&a);
	turn();
	/* who is alone hurts nobody */
	for (; i < MANY; i++)
		assert_int_equal(load_admit_view(a.leg, &hide, &why), 0);
	must_join(&b, "room");
	sees(&b);
	for (i = 0; i < 10; i++)
		turn();
	for (i = 0; i < MANY && !load_admit_view(b.leg, &hide, &why); i++)
		;
	assert_true(i < MANY);
	assert_string_equal(why.code, "overloaded");
	assert_int_equal(conference_api.view(the.c, b.leg, &wish, &why), -EBUSY);
	assert_string_equal(why.code, "overloaded");
	assert_non_null(strstr(why.text, "another picture"));
	assert_false(b.leg->leg->view.hide_self);
	assert_ptr_equal(b.leg->leg->picture, a.leg->leg->picture);
	/* what costs nothing is not asked for */
	assert_int_equal(conference_api.view(the.c, b.leg, &none, &why), 0);
	leave(&b, LEAVE_LEFT);
	leave(&a, LEAVE_LEFT);
}

static void test_the_room_is_told(void **state)
{
	struct front a = { 0 }, late = { 0 };
	struct room *r;

	(void)state;
	role_assert_ctl();
	must_join(&a, "room");
	r = hall_find(the.c, "room")->room;
	room_load(r)->level = OVERLOAD_FROZEN;
	RUN_UNTIL(a.overloads == 1);
	assert_int_equal(a.overload, OVERLOAD_FROZEN);
	must_join(&late, "room");
	assert_int_equal(late.overloads, 1);
	assert_int_equal(late.overload, OVERLOAD_FROZEN);
	room_load(r)->level = OVERLOAD_NONE;
	RUN_UNTIL(a.overloads == 2 && late.overloads == 2);
	assert_int_equal(a.overload, OVERLOAD_NONE);
	leave(&late, LEAVE_LEFT);
	must_join(&late, "room");
	assert_int_equal(late.overloads, 0);
	leave(&late, LEAVE_LEFT);
	leave(&a, LEAVE_LEFT);
}

/* Who leaves because of what it is told takes nobody along. */
static void test_leaving_while_told(void **state)
{
	struct front a = { .leaves_at = LEG_EVENT_OVERLOAD }, b = { 0 };

	(void)state;
	role_assert_ctl();
	must_join(&a, "room");
	must_join(&b, "room");
	room_load(hall_find(the.c, "room")->room)->level = OVERLOAD_FPS_1_2;
	RUN_UNTIL(b.overloads == 1);
	assert_null(a.leg);
	leave(&b, LEAVE_LEFT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_rooms_are_refused_but_not_viewers, set_up_tight,
						tear_down),
		cmocka_unit_test_setup_teardown(test_refused_rooms_reserve_nothing, set_up_tight,
						tear_down),
		cmocka_unit_test_setup_teardown(test_cameras_are_refused_and_sound_is_not, set_up_tight,
						tear_down),
		cmocka_unit_test_setup_teardown(test_wishes_are_refused, set_up_tight, tear_down),
		cmocka_unit_test_setup_teardown(test_the_room_is_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_leaving_while_told, set_up, tear_down),
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
