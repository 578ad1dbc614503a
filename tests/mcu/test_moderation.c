/* Hosts, lobby, chat and rules of a running room, as front ends see them. */
#include "tests/mcu/conference_rig.h"

static int act(struct front *f, const struct client_msg *m, struct errmsg *why)
{
	memset(why, 0, sizeof *why);
	return conference_api.act(the.c, f->leg, m, why);
}

static void must_act(struct front *f, const struct client_msg *m)
{
	struct errmsg why;

	if (act(f, m, &why))
		fail_msg("%s: %s", why.code, why.text);
}

static void must_not(struct front *f, const struct client_msg *m, const char *code, const char *says)
{
	struct errmsg why;

	assert_true(act(f, m, &why) < 0);
	assert_string_equal(why.code, code);
	assert_string_equal(why.text, says);
}

static struct client_msg moderate(enum moderation action, uint32_t leg)
{
	return (struct client_msg){ .type = CLIENT_MSG_MODERATE,
				    .u.moderate = { .action = action, .leg = leg } };
}

static struct client_msg policy(struct policy_change c)
{
	return (struct client_msg){ .type = CLIENT_MSG_POLICY, .u.policy = c };
}

static void set_policy(struct front *f, struct policy_change c)
{
	struct client_msg m = policy(c);

	must_act(f, &m);
}

static int mute(struct front *f, enum tristate audio, enum tristate video, struct errmsg *why)
{
	memset(why, 0, sizeof *why);
	return conference_api.mute(the.c, f->leg, audio, video, why);
}

static void test_roles(void **state)
{
	struct front a = { 0 }, b = { 0 }, c = { 0 };
	static const struct client_msg hosts_only[] = {
		{ .type = CLIENT_MSG_MODERATE, .u.moderate = { .action = MODERATE_MUTE } },
		{ .type = CLIENT_MSG_ADMIT, .u.admit = { .allow = true } },
		{ .type = CLIENT_MSG_POLICY, .u.policy = { .locked = TRISTATE_TRUE } },
		{ .type = CLIENT_MSG_LAYOUT, .u.layout = { .layout = "speaker" } },
	};
	struct errmsg why;

	(void)state;
	must_join(&a, "room");
	must_join(&b, "room");
	must_join(&c, "room");
	assert_true(a.host);
	assert_false(b.host);
	assert_true(b.policy.unmute && !b.policy.locked);
	assert_int_equal(b.policy.record, RECORD_BY_HOSTS);
	for (size_t i = 0; i < sizeof hosts_only / sizeof *hosts_only; i++)
		must_not(&b, &hosts_only[i], "not_allowed", "Only a host of this room may do that.");
	assert_true(record(b.leg, RECORD_START, &why) < 0);
	assert_string_equal(why.code, "not_allowed");
	assert_string_equal(why.text, "Only hosts may record this room. Ask one of them.");
	/* The last host goes: the one who has been there longest follows. */
	leave(&a, LEAVE_LEFT);
	assert_int_equal(c.last.leg, b.id);
	assert_true(c.last.host);
	set_policy(&b, (struct policy_change){ .record = RECORD_BY_NOBODY });
	assert_int_equal(c.policy.record, RECORD_BY_NOBODY);
	assert_true(record(b.leg, RECORD_START, &why) < 0);
	assert_string_equal(why.text, "Nobody may record this room.");
	leave(&b, LEAVE_LEFT);
	leave(&c, LEAVE_LEFT);
}

/* An encoder neither makes itself host of the room that it opens nor inherits it. */
static void test_devices_are_no_hosts(void **state)
{
	struct front device = { .device = true }, a = { 0 }, other = { .device = true }, b = { 0 };

	(void)state;
	must_join(&a, "room");
	must_join(&device, "room");
	must_join(&b, "room");
	assert_true(a.host);
	leave(&a, LEAVE_LEFT);
	assert_int_equal(device.last.leg, b.id);
	assert_true(device.last.host);
	leave(&device, LEAVE_LEFT);
	leave(&b, LEAVE_LEFT);
	must_join(&other, "another");
	assert_false(other.host);
	leave(&other, LEAVE_LEFT);
}

static void test_muting_others(void **state)
{
	struct front a = { 0 }, b = { 0 }, c = { 0 };
	struct client_msg m = moderate(MODERATE_MUTE, 0);
	struct errmsg why;

	(void)state;
	must_join(&a, "room");
	must_join(&b, "room");
	must_act(&a, &m);
	assert_int_equal(b.mute.leg, b.id);
	assert_int_equal(b.mute.by, a.id);
	assert_true(b.mute.audio && !b.mute.video);
	assert_int_equal(a.muted, 1); /* heard of it, but was not muted itself */
	m = moderate(MODERATE_CAMERA_OFF, b.id);
	must_act(&a, &m);
	assert_true(b.mute.video);
	/* It may undo that, until the room's rules say otherwise. */
	assert_int_equal(mute(&b, TRISTATE_FALSE, TRISTATE_FALSE, &why), 0);
	assert_false(b.mute.audio || b.mute.video);
	assert_int_equal(b.mute.by, 0);
	set_policy(&a, (struct policy_change){ .unmute = TRISTATE_FALSE });
	assert_false(b.policy.unmute);
	must_act(&a, &m);
	m = moderate(MODERATE_MUTE, b.id);
	must_act(&a, &m);
	assert_true(mute(&b, TRISTATE_FALSE, TRISTATE_UNSET, &why) < 0);
	assert_string_equal(why.code, "not_allowed");
	assert_string_equal(why.text, "A host has muted you. Raise your hand to be heard.");
	assert_true(mute(&b, TRISTATE_UNSET, TRISTATE_FALSE, &why) < 0);
	assert_string_equal(why.text,
			    "A host has switched your camera off. Raise your hand to ask for it.");
	/* Going and coming back does not help, coming as somebody else neither. */
	leave(&b, LEAVE_LEFT);
	assert_int_equal(join(&b, "room", b.resume, &why), 0);
	assert_true(mute(&b, TRISTATE_FALSE, TRISTATE_UNSET, &why) < 0);
	assert_true(mute(&b, TRISTATE_UNSET, TRISTATE_FALSE, &why) < 0);
	must_join(&c, "room");
	assert_true(mute(&c, TRISTATE_FALSE, TRISTATE_UNSET, &why) < 0);
	assert_int_equal(mute(&c, TRISTATE_TRUE, TRISTATE_TRUE, &why), 0);
	assert_int_equal(mute(&c, TRISTATE_UNSET, TRISTATE_FALSE, &why), 0); /* its own doing */
	leave(&c, LEAVE_LEFT);
	leave(&b, LEAVE_LEFT);
	leave(&a, LEAVE_LEFT);
}

static void test_sound(void **state)
{
	struct front a = { 0 }, b = { 0 }, c = { 0 };
	struct client_msg volume = { .type = CLIENT_MSG_VOLUME, .u.volume = { 0, -12.5 } };
	struct client_msg sound = { .type = CLIENT_MSG_SOUND,
				    .u.sound = { .agc = TRISTATE_TRUE } };

	(void)state;
	must_join(&a, "room");
	must_join(&b, "room");
	volume.u.volume.leg = b.id; /* his own is not his either */
	must_not(&b, &volume, "not_allowed", "Only a host of this room may do that.");
	must_act(&a, &volume);
	assert_int_equal(a.sound.leg, b.id);
	assert_true(b.sound.gain_db == -12.5 && !b.sound.agc && !b.sound.noise_suppression);
	/* one's own, then a host another's */
	must_act(&b, &sound);
	assert_int_equal(a.sound.leg, b.id);
	assert_true(a.sound.gain_db == -12.5 && a.sound.agc && !a.sound.noise_suppression);
	sound.u.sound.leg = a.id;
	must_not(&b, &sound, "not_allowed", "Only a host of this room may do that.");
	sound.u.sound.leg = b.id;
	sound.u.sound.agc = TRISTATE_FALSE;
	sound.u.sound.noise_suppression = TRISTATE_TRUE;
	must_act(&a, &sound);
	assert_true(b.sound.gain_db == -12.5 && !b.sound.agc && b.sound.noise_suppression);
	/* who comes later sees it */
	must_join(&c, "room");
	assert_int_equal(c.people, 3);
	assert_true(c.people_sound[1].gain_db == -12.5 && c.people_sound[1].noise_suppression);
	sound.u.sound.leg = volume.u.volume.leg = 99999;
	must_not(&a, &sound, "bad_message", "Nobody with that number is in the room any more.");
	must_not(&a, &volume, "bad_message", "Nobody with that number is in the room any more.");
	leave(&a, LEAVE_LEFT);
	leave(&b, LEAVE_LEFT);
	leave(&c, LEAVE_LEFT);
}

static void test_hands(void **state)
{
	struct client_msg up = { .type = CLIENT_MSG_HAND, .u.hand = { true } };
	struct front a = { 0 }, b = { 0 }, c = { 0 };
	struct client_msg m;

	(void)state;
	must_join(&a, "room");
	must_join(&b, "room");
	must_act(&b, &up);
	must_act(&b, &up); /* it is up */
	assert_int_equal(a.hands, 1);
	assert_int_equal(b.hands, 1);
	must_join(&c, "room");
	m = moderate(MODERATE_LOWER_HAND, b.id);
	must_act(&a, &m);
	assert_int_equal(c.hands, 1);
	leave(&c, LEAVE_LEFT);
	m = moderate(MODERATE_LOWER_HAND, 4711);
	must_not(&a, &m, "bad_message", "Nobody with that number is in the room any more.");
	leave(&b, LEAVE_LEFT);
	leave(&a, LEAVE_LEFT);
}

static void test_removing(void **state)
{
	struct front a = { 0 }, b = { 0 };
	struct client_msg m;
	struct errmsg why;

	(void)state;
	must_join(&a, "room");
	must_join(&b, "room");
	set_policy(&a, (struct policy_change){ .locked = TRISTATE_TRUE });
	m = moderate(MODERATE_REMOVE, b.id);
	must_act(&a, &m);
	assert_int_equal(b.closed, 1);
	assert_int_equal(b.reason, LEAVE_KICKED);
	assert_string_equal(b.code, "kicked");
	assert_string_equal(b.said, "A host has removed you from the room.");
	assert_int_equal(a.left, 1);
	/* Its secret opens no locked room. */
	assert_true(join(&b, "room", b.resume, &why) < 0);
	assert_string_equal(why.code, "room_locked");
	/* A host may remove itself in the middle of that call. */
	m = moderate(MODERATE_REMOVE, a.id);
	must_act(&a, &m);
	assert_int_equal(a.closed, 1);
}

static void test_lobby(void **state)
{
	struct front a = { 0 }, b = { 0 }, c = { 0 }, d = { 0 };
	struct client_msg admit = { .type = CLIENT_MSG_ADMIT };
	struct errmsg why;

	(void)state;
	must_join(&a, "room");
	set_policy(&a, (struct policy_change){ .lobby = TRISTATE_TRUE });
	assert_int_equal(join(&b, "room", NULL, &why), 0);
	assert_int_equal(join(&c, "room", NULL, &why), 0);
	assert_int_equal(join(&d, "room", NULL, &why), 0);
	assert_int_equal(b.lobbies + c.lobbies + d.lobbies, 3);
	assert_int_equal(b.welcomes, 0);
	assert_int_equal(a.lobby.n, 3);
	leave(&c, LEAVE_LOST);
	assert_int_equal(a.lobby.n, 2);
	admit.u.admit.waiting = a.lobby.waiting[0];
	admit.u.admit.allow = true;
	must_act(&a, &admit);
	assert_int_equal(b.welcomes, 1);
	assert_int_equal(b.waitings, 0); /* is none of a participant's business */
	assert_int_equal(a.lobby.n, 1);
	must_not(&a, &admit, "bad_message", "Whoever that was does not wait any more.");
	admit.u.admit.waiting = 0;
	admit.u.admit.allow = false;
	must_act(&a, &admit);
	assert_int_equal(d.closed, 1);
	assert_string_equal(d.code, "refused");
	assert_string_equal(d.said, "A host has not let you in.");
	/* Who was in comes back without waiting. */
	leave(&b, LEAVE_LOST);
	assert_int_equal(join(&b, "room", b.resume, &why), 0);
	assert_int_equal(b.welcomes, 2);
	/* A new host learns who waits; without the lobby they are in. */
	assert_int_equal(join(&c, "room", NULL, &why), 0);
	leave(&a, LEAVE_LEFT);
	assert_int_equal(b.lobby.n, 1);
	set_policy(&b, (struct policy_change){ .lobby = TRISTATE_FALSE });
	assert_int_equal(c.welcomes, 1);
	leave(&c, LEAVE_LEFT);
	leave(&b, LEAVE_LEFT);
}

static void test_a_lobby_ends_with_its_room(void **state)
{
	struct front a = { 0 }, b = { 0 }, c = { 0 };
	struct errmsg why;

	(void)state;
	must_join(&a, "room");
	set_policy(&a, (struct policy_change){ .lobby = TRISTATE_TRUE });
	assert_int_equal(join(&b, "room", NULL, &why), 0);
	leave(&a, LEAVE_LEFT);
	RUN_UNTIL(b.closed);
	assert_string_equal(b.code, "refused");
	assert_string_equal(b.said, "The room was closed before a host let you in.");
	must_join(&a, "room");
	assert_true(a.host);
	set_policy(&a, (struct policy_change){ .lobby = TRISTATE_TRUE });
	assert_int_equal(join(&c, "room", NULL, &why), 0);
	conference_shutdown(the.c);
	assert_string_equal(c.code, "shutting_down");
}

static void test_pins_and_locks(void **state)
{
	struct front a = { 0 }, b = { 0 }, host = { .pin = "chief" };
	struct errmsg why;

	(void)state;
	must_join(&a, "room");
	set_policy(&a, (struct policy_change){ .guest_pin = "1234", .host_pin = "chief" });
	assert_true(a.policy.guest_pin && a.policy.host_pin);
	assert_true(join(&b, "room", NULL, &why) < 0);
	assert_string_equal(why.code, "pin_required");
	b.pin = "1235";
	assert_true(join(&b, "room", NULL, &why) < 0);
	assert_string_equal(why.code, "pin_wrong");
	b.pin = "1234";
	assert_int_equal(join(&b, "room", NULL, &why), 0);
	assert_false(b.host);
	must_join(&host, "room");
	assert_true(host.host);
	/* Coming back needs no PIN, and keeps the role. */
	b.pin = host.pin = NULL;
	leave(&b, LEAVE_LOST);
	leave(&host, LEAVE_LOST);
	set_policy(&a, (struct policy_change){ .locked = TRISTATE_TRUE });
	assert_int_equal(join(&b, "room", b.resume, &why), 0);
	assert_false(b.host);
	assert_int_equal(join(&host, "room", host.resume, &why), 0);
	assert_true(host.host);
	leave(&b, LEAVE_LEFT);
	assert_true(join(&b, "room", NULL, &why) < 0);
	assert_string_equal(why.code, "room_locked");
	set_policy(&a, (struct policy_change){ .locked = TRISTATE_FALSE, .guest_pin = "" });
	assert_false(a.policy.guest_pin);
	assert_int_equal(join(&b, "room", NULL, &why), 0);
	leave(&host, LEAVE_LEFT);
	leave(&b, LEAVE_LEFT);
	leave(&a, LEAVE_LEFT);
}

/* The server was started again: it knows its own secrets of before. */
static void test_a_restart_is_survived(void **state)
{
	struct front a = { 0 }, b = { 0 };
	char before[RESUME_LEN + 1], after[RESUME_LEN + 1], forged[RESUME_LEN + 1];
	struct token_key wrong = { { 9 } };
	struct errmsg why;

	(void)state;
	must_join(&a, "room");
	set_policy(&a, (struct policy_change){ .locked = TRISTATE_TRUE });
	resume_make(before, &the.key, "room", true, the.c->started_ms - 1000);
	resume_make(after, &the.key, "room", true, the.c->started_ms + 1);
	resume_make(forged, &wrong, "room", true, the.c->started_ms - 1000);
	assert_true(join(&b, "room", after, &why) < 0);
	assert_true(join(&b, "room", forged, &why) < 0);
	assert_int_equal(join(&b, "room", before, &why), 0);
	assert_true(b.host);
	leave(&b, LEAVE_LEFT);
	the.c->started_ms -= 301000;
	resume_make(before, &the.key, "room", true, the.c->started_ms - 1000);
	assert_true(join(&b, "room", before, &why) < 0);
	leave(&a, LEAVE_LEFT);
}

static void say(struct front *f, const char *text, uint32_t to)
{
	struct client_msg m = { .type = CLIENT_MSG_CHAT, .u.chat = { .text = text, .to = to } };

	must_act(f, &m);
}

static void test_chat(void **state)
{
	struct front a = { .name = "Ann" }, b = { 0 }, c = { 0 }, late = { 0 };
	struct client_msg m = { .type = CLIENT_MSG_CHAT, .u.chat = { .text = "x", .to = 4711 } };

	(void)state;
	must_join(&a, "room");
	must_join(&b, "room");
	must_join(&c, "room");
	say(&a, "hello", 0);
	assert_int_equal(a.chats, 1);
	assert_int_equal(c.chats, 1);
	assert_string_equal(b.chat.text, "hello");
	assert_int_equal(b.chat.leg, a.id);
	assert_false(b.chat.history);
	say(&a, "psst", b.id);
	assert_string_equal(b.chat.text, "psst");
	assert_int_equal(b.chat.to, b.id);
	assert_int_equal(a.chats, 2); /* the sender sees what was sent */
	assert_int_equal(c.chats, 1);
	must_not(&a, &m, "bad_message", "Whom you write to has left the room.");
	/* Newcomers hear what was said to all. */
	must_join(&late, "room");
	assert_int_equal(late.chats, 1);
	assert_true(late.chat.history);
	assert_string_equal(late.chat.text, "hello");
	m.u.chat.to = 0;
	for (int i = 0; i < 8; i++)
		say(&a, "again", 0);
	must_not(&a, &m, "rate_limited",
		 "You have sent 10 messages within 10 seconds. Wait a moment.");
	say(&b, "still there", 0); /* the others may */
	leave(&late, LEAVE_LEFT);
	leave(&c, LEAVE_LEFT);
	leave(&b, LEAVE_LEFT);
	leave(&a, LEAVE_LEFT);
}

static void test_fifty_messages_are_kept(void **state)
{
	struct front f[7] = { 0 }, late = { 0 };
	char text[16];

	(void)state;
	for (int i = 0; i < 7; i++) {
		must_join(&f[i], "room");
		for (int k = 0; k < 10; k++) {
			snprintf(text, sizeof text, "%d", 10 * i + k);
			say(&f[i], text, 0);
		}
	}
	must_join(&late, "room");
	assert_int_equal(late.chats, 50);
	assert_string_equal(late.chat.text, "69");
	leave(&late, LEAVE_LEFT);
	for (int i = 0; i < 7; i++)
		leave(&f[i], LEAVE_LEFT);
}

/* Whoever hears of something may leave at once. */
static void test_leaving_in_the_middle(void **state)
{
	static const int at[] = { LEG_EVENT_CHAT, LEG_EVENT_HAND, LEG_EVENT_ROOM, LEG_EVENT_WAITING,
				  LEG_EVENT_MUTED, LEG_EVENT_JOINED };

	(void)state;
	for (size_t k = 0; k < sizeof at / sizeof *at; k++) {
		struct front f[4] = { 0 }, waits = { 0 };
		struct client_msg m[] = {
			{ .type = CLIENT_MSG_CHAT, .u.chat = { .text = "x" } },
			{ .type = CLIENT_MSG_HAND, .u.hand = { true } },
			moderate(MODERATE_MUTE, 0), moderate(MODERATE_LOWER_HAND, 0),
			policy((struct policy_change){ .lobby = TRISTATE_TRUE }),
			{ .type = CLIENT_MSG_ADMIT, .u.admit = { .allow = true } },
		};
		struct errmsg why;

		for (int i = 0; i < 4; i++)
			must_join(&f[i], "room");
		for (int i = 0; i < 4; i++)
			f[i].leaves_at = at[k];
		for (size_t i = 0; i < sizeof m / sizeof *m; i++) {
			if (f[0].leg)
				(void)act(&f[0], &m[i], &why);
			if (i == 4)
				(void)join(&waits, "room", NULL, &why);
		}
		for (int i = 0; i < 4; i++)
			if (f[i].leg)
				leave(&f[i], LEAVE_LEFT);
		if (waits.leg)
			leave(&waits, LEAVE_LEFT);
		RUN_UNTIL(conference_is_idle(the.c));
	}
}

static void set_layout(struct front *f, struct layout_change c)
{
	struct client_msg m = { .type = CLIENT_MSG_LAYOUT, .u.layout = c };
	uint32_t version = f->layout_version;

	must_act(f, &m);
	RUN_UNTIL(f->layout_version > version);
}

static void test_layout(void **state)
{
	struct front a = { 0 }, b = { 0 };
	struct client_msg unknown = { .type = CLIENT_MSG_LAYOUT, .u.layout = { .layout = "heap" } };
	struct client_msg empty = { .type = CLIENT_MSG_LAYOUT, .u.layout = { .layout = "custom" } };
	struct client_msg beyond = { .type = CLIENT_MSG_LAYOUT, .u.layout = {
		.layout = "custom", .has_regions = true, .n_regions = 1,
		.region = { { .x = 0.5, .width = 0.6, .height = 1 } } } };
	struct client_msg present = { .type = CLIENT_MSG_PRESENT, .u.present = { .on = true } };
	uint32_t version;

	(void)state;
	must_join(&a, "room");
	must_join(&b, "room");
	RUN_UNTIL(a.layouts && b.layouts);
	assert_string_equal(b.layout, "grid");
	set_layout(&a, (struct layout_change){ .layout = "speaker", .has_pin = true, .pin = { b.id },
					       .n_pins = 1 });
	assert_string_equal(b.layout, "speaker");
	assert_int_equal(b.pinned, b.id);
	/* What is not said stays, and so does all when something is wrong. */
	set_layout(&a, (struct layout_change){ .crop = TRISTATE_TRUE });
	assert_string_equal(b.layout, "speaker");
	assert_int_equal(b.pinned, b.id);
	must_not(&a, &empty, "layout_invalid", "A custom layout needs its regions: a list \"custom\".");
	must_not(&a, &beyond, "layout_invalid", "Region 1 reaches beyond the picture; x + width and "
		 "y + height are at most 1.");
	assert_true(act(&a, &unknown, &(struct errmsg){ 0 }) < 0);
	set_layout(&a, (struct layout_change){ .has_pin = true });
	assert_string_equal(b.layout, "speaker");
	assert_int_equal(b.pinned, 0);
	version = a.layout_version;
	shows_itself(&b); /* anybody may present */
	RUN_UNTIL(a.layout_version > version);
	version = a.layout_version;
	must_act(&b, &present);
	RUN_UNTIL(a.layout_version > version);
	leave(&a, LEAVE_LEFT);
	leave(&b, LEAVE_LEFT);
}

static bool presents(const struct front *f)
{
	struct leg_info i;

	role_assert_ctl();
	leg_get_info(f->leg->leg, &i);
	return i.presents;
}

static void test_presenting(void **state)
{
	struct client_msg on = { .type = CLIENT_MSG_PRESENT, .u.present = { .on = true } };
	struct client_msg off = { .type = CLIENT_MSG_PRESENT };
	struct front a = { 0 }, b = { 0 }, c = { 0 };
	struct client_msg stop;
	struct errmsg why;

	(void)state;
	must_join(&a, "room");
	must_join(&b, "room");
	must_join(&c, "room");
	shows_itself(&b);
	shows_itself(&c);
	must_act(&b, &on);
	must_act(&c, &on);
	assert_true(presents(&c) && !presents(&b) && b.over.n == 1);
	assert_true(b.over.by == c.id && !b.over.by_host && !a.over.n && !c.over.n);
	must_act(&b, &off); /* which it knows already */
	assert_true(presents(&c));
	stop = moderate(MODERATE_CONTENT_OFF, 0);
	must_act(&a, &stop);
	assert_false(presents(&c));
	assert_true(c.over.n == 1 && c.over.by == a.id && c.over.by_host);
	assert_int_equal(b.over.n, 1); /* had nothing to end */
	must_act(&c, &on); /* may begin again, until the rules say otherwise */
	set_policy(&a, (struct policy_change){ .unmute = TRISTATE_FALSE });
	stop = moderate(MODERATE_CONTENT_OFF, c.id);
	must_act(&a, &stop);
	assert_int_equal(c.over.n, 2);
	must_not(&c, &on, "not_allowed",
		 "A host has ended your presentation. Raise your hand to ask for it.");
	must_act(&b, &on); /* that was said of one */
	leave(&c, LEAVE_LEFT);
	assert_int_equal(join(&c, "room", c.resume, &why), 0);
	must_not(&c, &on, "not_allowed",
		 "A host has ended your presentation. Raise your hand to ask for it.");
	shows_itself(&c);
	set_policy(&a, (struct policy_change){ .unmute = TRISTATE_TRUE });
	must_act(&c, &on);
	assert_true(presents(&c));
	leave(&c, LEAVE_LEFT);
	leave(&b, LEAVE_LEFT);
	leave(&a, LEAVE_LEFT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
		T(test_roles), T(test_devices_are_no_hosts), T(test_muting_others), T(test_sound), T(test_hands),
		T(test_removing), T(test_lobby), T(test_a_lobby_ends_with_its_room), T(test_pins_and_locks),
		T(test_a_restart_is_survived), T(test_chat), T(test_fifty_messages_are_kept),
		T(test_leaving_in_the_middle), T(test_layout), T(test_presenting),
#undef T
	};
	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
