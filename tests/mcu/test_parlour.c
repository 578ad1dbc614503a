/* Legs that are alone: in no list, in no registry, bounded in number. */
#include "tests/mcu/conference_rig.h"

static int enter(struct front *f, struct errmsg *why)
{
	struct join_req req = { .parlour = true, .name = "phone", .peer = "192.0.2.7" };

	return conference_api.join(the.c, &req, &events, f, &f->leg, why);
}

static void test_a_parlour_is_in_no_list(void **state)
{
	struct front a = { 0 }, b = { 0 }, c = { 0 };
	struct errmsg why;

	(void)state;
	assert_int_equal(enter(&a, &why), 0);
	assert_int_equal(enter(&b, &why), 0);
	assert_int_equal(a.welcomes, 1);
	assert_int_equal(a.people, 1);
	assert_int_equal(b.people, 1);
	assert_int_equal(a.joined, 0);
	assert_false(a.host);
	assert_int_equal(g_hash_table_size(the.c->halls), 0);
	assert_int_equal(the.c->parlours->len, 2);
	assert_int_equal(conference_people(the.c, ""), 0);
	assert_false(conference_is_idle(the.c));
	/* "" as a room's name is another thing. */
	must_join(&c, "room");
	assert_int_equal(c.people, 1);
	assert_int_equal(conference_people(the.c, "room"), 1);
	leave(&a, LEAVE_LEFT);
	leave(&b, LEAVE_LEFT);
	assert_int_equal(c.left, 0);
	RUN_UNTIL(!the.c->parlours->len);
	leave(&c, LEAVE_LEFT);
	RUN_UNTIL(conference_is_idle(the.c));
}

static void test_it_is_nobodys_room(void **state)
{
	struct client_msg say = { .type = CLIENT_MSG_CHAT, .u.chat = { .text = "x" } };
	struct front a = { 0 };
	struct errmsg why;

	(void)state;
	assert_int_equal(enter(&a, &why), 0);
	assert_true(conference_api.act(the.c, a.leg, &say, &why) < 0);
	assert_true(record(a.leg, RECORD_START, &why) < 0);
	leave(&a, LEAVE_LEFT);
}

static void test_they_are_bounded(void **state)
{
	static struct front f[PARLOURS_MAX], more;
	struct errmsg why;

	(void)state;
	set("limits.participants_per_address=100000");
	for (int i = 0; i < PARLOURS_MAX; i++)
		assert_int_equal(enter(&f[i], &why), 0);
	assert_true(enter(&more, &why) < 0);
	assert_string_equal(why.code, "server_full");
	leave(&f[0], LEAVE_LEFT);
	RUN_UNTIL(the.c->parlours->len < PARLOURS_MAX);
	assert_int_equal(enter(&more, &why), 0);
}

/* However many call: the server can. */
static void test_places_are_kept_for_calls_out(void **state)
{
	static struct front f[PARLOURS_MAX], out[PARLOURS_KEPT], more;
	struct join_req req = { .parlour = true, .called = true, .name = "phone", .peer = "192.0.2.7" };
	struct errmsg why;

	(void)state;
	set("limits.participants_per_address=100000");
	for (int i = 0; i < PARLOURS_MAX; i++)
		assert_int_equal(enter(&f[i], &why), 0);
	assert_true(enter(&more, &why) < 0);
	for (int i = 0; i < PARLOURS_KEPT; i++)
		assert_int_equal(conference_api.join(the.c, &req, &events, &out[i], &out[i].leg, &why), 0);
	assert_true(conference_api.join(the.c, &req, &events, &more, &more.leg, &why) < 0);
	assert_string_equal(why.code, "server_full");
}

static void on_written(void *obj, int err, const struct room_row *row)
{
	(void)obj;
	(void)row;
	the.err = err;
	the.replies++;
}

static int call_room(struct front *f, const char *room, bool existing, struct errmsg *why)
{
	struct join_req req = { .room = room, .name = "phone", .peer = "192.0.2.7", .device = true,
				.kind = LEG_KIND_PHONE, .existing = existing };
	int err;

	*f = (struct front){ 0 };
	err = conference_api.join(the.c, &req, &events, f, &f->leg, why);
	if (err)
		return err;
	RUN_UNTIL(f->welcomes || f->closed);
	if (f->closed)
		errmsg_set(why, -1, f->code, "%s", f->said);
	return f->closed ? -1 : 0;
}

/* A room by its number, by its name in digits, and none that nobody made. */
static void test_numbers_of_rooms(void **state)
{
	struct room_row row = { .name = "team", .number = "4711", .rules.unmute = true };
	struct front a, b, c;
	struct errmsg why;

	(void)state;
	assert_int_equal(rooms_write(the.db, &row, on_written, NULL), 0);
	RUN_UNTIL(the.replies);
	assert_int_equal(the.err, 0);
	assert_int_equal(call_room(&a, "4711", true, &why), 0);
	assert_int_equal(conference_people(the.c, "team"), 1);
	assert_int_equal(call_room(&b, "4711", false, &why), 0);
	assert_int_equal(conference_people(the.c, "team"), 2);
	assert_true(call_room(&c, "4712", true, &why) < 0);
	assert_string_equal(why.code, "room_unknown");
	assert_int_equal(call_room(&c, "4712", false, &why), 0); /* made on demand */
	assert_int_equal(conference_people(the.c, "4712"), 1);
	leave(&b, LEAVE_LEFT);
	assert_int_equal(call_room(&b, "4712", true, &why), 0); /* which runs now */
	leave(&a, LEAVE_LEFT);
	leave(&b, LEAVE_LEFT);
	leave(&c, LEAVE_LEFT);
	/* Others do not know numbers. */
	set("room.on_demand=false");
	assert_true(join(&c, "4711", NULL, &why) < 0);
}

/* What is left when the server stops is told. */
static void test_shutdown_ends_it(void **state)
{
	struct front a = { 0 };
	struct errmsg why;

	(void)state;
	assert_int_equal(enter(&a, &why), 0);
	conference_shutdown(the.c);
	assert_int_equal(a.closed, 1);
	assert_int_equal(a.reason, LEAVE_SHUTDOWN);
	assert_true(enter(&a, &why) < 0);
	assert_string_equal(why.code, "shutting_down");
}

static void test_a_digit_by_signaling(void **state)
{
	struct front a = { 0 };
	struct errmsg why;

	(void)state;
	assert_int_equal(enter(&a, &why), 0);
	a.leaves_at = LEG_EVENT_DIGIT;
	conference_api.digit_in(the.c, a.leg, 'x');
	conference_api.digit_in(the.c, a.leg, 0);
	assert_non_null(a.leg);
	conference_api.digit_in(the.c, a.leg, '#');
	assert_null(a.leg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_parlour_is_in_no_list, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_it_is_nobodys_room, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_they_are_bounded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_places_are_kept_for_calls_out, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_numbers_of_rooms, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_shutdown_ends_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_digit_by_signaling, set_up, tear_down),
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
