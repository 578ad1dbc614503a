/* Each rule of a room against each kind of person, with what a refused one reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mcu/access.h"

enum { GUEST, SIGNED_IN, HOST_USER, OWNER, ADMIN, INVITED, INVITED_AS_HOST, BACK, HOST_BACK, CALLED, N_WHO };

static const struct access_who people[N_WHO] = {
	[GUEST] = { 0 },
	[SIGNED_IN] = { .user = USER_PARTICIPANT, .user_id = 5 },
	[HOST_USER] = { .user = USER_HOST, .user_id = 6 }, /* of other rooms */
	[OWNER] = { .user = USER_HOST, .user_id = 7 },
	[ADMIN] = { .user = USER_ADMIN, .user_id = 8 },
	[INVITED] = { .invited = INVITED_PARTICIPANT },
	[INVITED_AS_HOST] = { .invited = INVITED_HOST },
	[BACK] = { .back = true },
	[HOST_BACK] = { .back = true, .was_host = true },
	[CALLED] = { .called = true },
};

/* Per person: "in", "host" (in, as host), "lobby", or the code of the refusal. */
struct row {
	const char *what;
	struct room_rules rules;
	size_t people;
	const char *result[N_WHO];
};

#define HOSTS_IN [OWNER] = "host", [ADMIN] = "host", [INVITED_AS_HOST] = "host", \
		 [BACK] = "in", [HOST_BACK] = "host", [CALLED] = "in"

static const struct row table[] = {
	{ "open", { .unmute = true }, 3,
	  { "in", "in", "in", [INVITED] = "in", HOSTS_IN } },
	{ "members", { .members_only = true }, 3,
	  { "members_only", "in", "in", [INVITED] = "in", HOSTS_IN } },
	{ "guest PIN", { .guest_pin = "x" }, 3,
	  { "pin_required", "in", "in", [INVITED] = "in", HOSTS_IN } },
	{ "host PIN only", { .host_pin = "x" }, 3,
	  { "in", "in", "in", [INVITED] = "in", HOSTS_IN } },
	{ "lobby", { .lobby = true }, 3,
	  { "lobby", "lobby", "lobby", [INVITED] = "lobby", HOSTS_IN } },
	{ "lobby behind a PIN", { .lobby = true, .guest_pin = "x" }, 3,
	  { "pin_required", "lobby", "lobby", [INVITED] = "lobby", HOSTS_IN } },
	{ "members and lobby", { .lobby = true, .members_only = true }, 3,
	  { "members_only", "lobby", "lobby", [INVITED] = "lobby", HOSTS_IN } },
	{ "locked", { .locked = true }, 3,
	  { "room_locked", "room_locked", "room_locked", [INVITED] = "room_locked", HOSTS_IN } },
	{ "locked before all else", { .locked = true, .members_only = true, .guest_pin = "x" }, 3,
	  { "room_locked", "room_locked", "room_locked", [INVITED] = "room_locked", HOSTS_IN } },
	{ "full", { .unmute = true }, 10,
	  { "room_full", "room_full", "room_full", "room_full", "room_full", "room_full", "room_full",
	    "room_full", "room_full", "room_full" } },
};

static const struct {
	const char *code, *says;
} sentences[] = {
	{ "members_only", "This room is for people with an account or an invitation. Sign in, or ask for "
			  "an invitation." },
	{ "pin_required", "This room asks for a PIN. Enter the one you were given." },
	{ "pin_wrong", "That PIN is wrong. Check it and try again." },
	{ "rate_limited", "Too many wrong PINs were tried from your network. Wait a minute, then try "
			  "again." },
	{ "room_locked", "The room is locked: nobody new is let in. Ask a host to unlock it." },
	{ "room_full", "The room is full: 10 people are in it. Try again when somebody has left." },
};

static void check_sentence(const struct errmsg *why)
{
	for (size_t i = 0; i < sizeof sentences / sizeof *sentences; i++)
		if (!strcmp(sentences[i].code, why->code)) {
			assert_string_equal(why->text, sentences[i].says);
			return;
		}
	fail_msg("no sentence is expected for %s", why->code);
}

static const char *outcome(const struct access_room *room, const struct access_who *who,
			   struct errmsg *why)
{
	bool host;
	enum access_verdict v = access_decide(room, who, &host, why);

	if (v == ACCESS_REFUSE) {
		check_sentence(why);
		return why->code;
	}
	return v == ACCESS_LOBBY ? "lobby" : host ? "host" : "in";
}

static void every_rule_and_person(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		for (int w = 0; w < N_WHO; w++) {
			struct access_room room = {
				.rules = &table[i].rules, .registered = true, .owner_id = 7,
				.people = table[i].people, .max_people = 10,
			};
			struct errmsg why = { 0 };
			const char *got = outcome(&room, &people[w], &why);

			if (strcmp(got, table[i].result[w]))
				fail_msg("%s, person %d: %s, not %s", table[i].what, w, got,
					 table[i].result[w]);
		}
}

static void pins(void **state)
{
	static const struct {
		enum pin_state pin;
		bool blocked, locked, lobby, guest, host;
		enum user_role user;
		const char *result;
	} t[] = {
		{ PIN_OF_GUESTS, false, false, false, true, false, USER_NONE, "in" },
		{ PIN_OF_GUESTS, false, false, true, true, false, USER_NONE, "lobby" },
		{ PIN_OF_GUESTS, false, true, false, true, false, USER_NONE, "room_locked" },
		{ PIN_OF_HOSTS, false, true, true, true, true, USER_NONE, "host" },
		{ PIN_OF_HOSTS, false, false, false, false, true, USER_PARTICIPANT, "host" },
		{ PIN_WRONG, false, false, false, true, false, USER_NONE, "pin_wrong" },
		/* Who wanted to be host and mistyped hears of it. */
		{ PIN_WRONG, false, false, false, false, true, USER_PARTICIPANT, "pin_wrong" },
		{ PIN_WRONG, false, false, false, false, false, USER_NONE, "in" }, /* none is set */
		{ PIN_WRONG, true, false, false, false, false, USER_NONE, "in" },
		{ PIN_WRONG, false, true, false, true, false, USER_NONE, "room_locked" }, /* no oracle */
		{ PIN_WRONG, true, false, false, true, false, USER_NONE, "rate_limited" },
		/* Not even a right one, or guessing would go on. */
		{ PIN_OF_GUESTS, true, false, false, true, false, USER_NONE, "rate_limited" },
		{ PIN_OF_HOSTS, true, false, false, true, true, USER_NONE, "rate_limited" },
		{ PIN_WRONG, true, false, false, true, true, USER_ADMIN, "host" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct room_rules rules = { .locked = t[i].locked, .lobby = t[i].lobby };
		struct access_room room = { .rules = &rules, .registered = true, .people = 1,
					    .max_people = 10 };
		struct access_who who = { .pin = t[i].pin, .pin_blocked = t[i].blocked,
					  .user = t[i].user, .user_id = t[i].user ? 9 : 0 };
		struct errmsg why = { 0 };

		strcpy(rules.guest_pin, t[i].guest ? "x" : "");
		strcpy(rules.host_pin, t[i].host ? "y" : "");
		if (strcmp(outcome(&room, &who, &why), t[i].result))
			fail_msg("case %zu: %s", i, outcome(&room, &who, &why));
	}
}

static void who_makes_a_room_is_its_host(void **state)
{
	struct room_rules rules;
	struct access_room room = { .rules = &rules, .first = true, .max_people = 10 };
	struct access_who guest = { 0 }, nobody = { .user_id = 0 }, device = { .device = true };
	struct errmsg why;

	(void)state;
	room_rules_default(&rules, "all");
	assert_true(rules.unmute && !rules.lobby && !rules.locked && !rules.members_only);
	assert_string_equal(rules.record, "all");
	assert_string_equal(outcome(&room, &guest, &why), "host");
	assert_string_equal(outcome(&room, &device, &why), "in");
	device.user = USER_ADMIN; /* for the rules: it may enter anything */
	assert_string_equal(outcome(&room, &device, &why), "host");
	room.first = false;
	assert_string_equal(outcome(&room, &guest, &why), "in");
	/* A registered one belongs to its owner, also when nobody is in it. */
	room.first = room.registered = true;
	assert_string_equal(outcome(&room, &guest, &why), "in");
	/* A room without owner makes no host of a guest. */
	room.owner_id = 0;
	assert_string_equal(outcome(&room, &nobody, &why), "in");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_rule_and_person),
		cmocka_unit_test(pins),
		cmocka_unit_test(who_makes_a_room_is_its_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
