/* Who may watch a room over HTTP, and for how long the key for that holds. */
#include "tests/mcu/conference_rig.h"

static int watch(const char *pin, const char *key, struct errmsg *why)
{
	struct watch_ask ask = { .room = "room", .pin = pin, .key = key, .peer = "192.0.2.1" };

	return conference_watch(the.c, &ask, why);
}

static void assert_refused(const char *key, const char *code)
{
	struct errmsg why;

	assert_true(watch(NULL, key, &why) < 0);
	assert_string_equal(why.code, code);
}

static void set_policy(struct front *f, struct policy_change c)
{
	struct client_msg m = { .type = CLIENT_MSG_POLICY, .u.policy = c };
	struct errmsg why;

	assert_int_equal(conference_api.act(the.c, f->leg, &m, &why), 0);
}

/* Of whoever knows the PIN. */
static void get_key(char key[WATCH_KEY_LEN + 1], const char *pin)
{
	struct errmsg why;

	assert_int_equal(watch(pin, NULL, &why), 0);
	conference_watch_key(the.c, "room", 12, key);
	assert_int_equal(strlen(key), WATCH_KEY_LEN);
	assert_int_equal(watch(NULL, key, &why), 0);
}

static void test_a_key_ends_with_what_it_was_given_for(void **state)
{
	struct front host = { 0 }, other = { 0 };
	struct client_msg remove = { .type = CLIENT_MSG_MODERATE };
	char key[WATCH_KEY_LEN + 1];
	struct errmsg why;

	(void)state;
	must_join(&host, "room");
	must_join(&other, "room");
	assert_int_equal(watch(NULL, NULL, &why), 0); /* open to all */
	set_policy(&host, (struct policy_change){ .guest_pin = "1234" });
	assert_refused(NULL, "pin_required");
	get_key(key, "1234");
	set_policy(&host, (struct policy_change){ .unmute = TRISTATE_FALSE });
	assert_int_equal(watch(NULL, key, &why), 0); /* that is something else */
	set_policy(&host, (struct policy_change){ .locked = TRISTATE_TRUE });
	assert_refused(key, "room_locked");
	set_policy(&host, (struct policy_change){ .locked = TRISTATE_FALSE });
	assert_refused(key, "pin_required");
	get_key(key, "1234");
	set_policy(&host, (struct policy_change){ .guest_pin = "5678" });
	assert_refused(key, "pin_required");
	get_key(key, "5678");
	remove.u.moderate.action = MODERATE_REMOVE;
	remove.u.moderate.leg = other.id;
	assert_int_equal(conference_api.act(the.c, host.leg, &remove, &why), 0);
	assert_refused(key, "pin_required");
	/* Another meeting, whoever's. */
	get_key(key, "5678");
	leave(&host, LEAVE_LEFT);
	RUN_UNTIL(conference_is_idle(the.c));
	assert_refused(key, "room_unknown");
	must_join(&host, "room");
	set_policy(&host, (struct policy_change){ .guest_pin = "5678" });
	assert_refused(key, "pin_required");
	leave(&host, LEAVE_LEFT);
}

/* Nor do the names of its files, which can be guessed from each other. */
static void test_the_stream_begins_anew(void **state)
{
	struct front host = { 0 };
	struct hls *h;
	struct errmsg why;
	char id[64];

	(void)state;
	must_join(&host, "room");
	assert_int_equal(conference_stream(the.c, "room", true, &h, &why), 0);
	snprintf(id, sizeof id, "%s", hls_id(h));
	set_policy(&host, (struct policy_change){ .locked = TRISTATE_TRUE });
	assert_int_equal(conference_stream(the.c, "room", false, &h, &why), -ENOENT);
	assert_int_equal(conference_stream(the.c, "room", true, &h, &why), 0);
	assert_string_not_equal(id, hls_id(h));
	leave(&host, LEAVE_LEFT);
	RUN_UNTIL(conference_is_idle(the.c));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
		T(test_a_key_ends_with_what_it_was_given_for),
		T(test_the_stream_begins_anew),
#undef T
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
