/* Telephones among participants: what is shown of them to whom, names, and the calls
 * that a room makes. */
#include "tests/mcu/conference_rig.h"

static void must_act(struct front *f, const struct client_msg *m)
{
	struct errmsg why = { 0 };

	if (conference_api.act(the.c, f->leg, m, &why))
		fail_msg("%s: %s", why.code, why.text);
}

static void must_not(struct front *f, const struct client_msg *m, const char *code)
{
	struct errmsg why = { 0 };

	assert_true(conference_api.act(the.c, f->leg, m, &why) < 0);
	assert_string_equal(why.code, code);
}

static struct client_msg rename_to(uint32_t leg, const char *name)
{
	return (struct client_msg){ .type = CLIENT_MSG_RENAME, .u.rename = { leg, name } };
}

static void test_numbers_are_for_hosts(void **state)
{
	struct front host = { .name = "Ann" }, guest = { .name = "Bob" };
	struct front phone = { .name = "+49 89 123456 12", .kind = LEG_KIND_PHONE,
			       .number = "sip:+498912345612@example.org;user=phone" };

	(void)state;
	must_join(&host, "room");
	must_join(&guest, "room");
	must_join(&phone, "room");
	assert_int_equal(host.last.leg, phone.id);
	assert_string_equal(host.last_number, "+498912345612");
	assert_string_equal(guest.last_number, "+4989••••12");
	/* nor does the name tell it, which the picture shows to all */
	assert_string_equal(host.last_name, "+4989••••12");
	assert_string_equal(guest.last_name, "+4989••••12");
	assert_string_equal(phone.leg->leg->name, "+4989••••12");
	/* who becomes a host is told */
	leave(&host, LEAVE_LEFT);
	RUN_UNTIL(!strcmp(guest.last_number, "+498912345612"));
	leave(&guest, LEAVE_LEFT);
	leave(&phone, LEAVE_LEFT);
}

static void test_names_of_phones(void **state)
{
	struct front named = { .name = "Carol", .kind = LEG_KIND_PHONE, .number = "100" };
	struct front nameless = { .name = "", .kind = LEG_KIND_PHONE, .number = "ann@example.org" };
	struct front withheld = { .name = "Caller", .kind = LEG_KIND_PHONE };
	struct front host = { .name = "Ann" };

	(void)state;
	must_join(&host, "room");
	must_join(&named, "room");
	assert_string_equal(host.last_name, "Carol");
	must_join(&nameless, "room");
	assert_string_equal(host.last_name, "a••••@example.org");
	must_join(&withheld, "room");
	assert_string_equal(host.last_name, "Caller");
	assert_string_equal(host.last_number, "");
	leave(&named, LEAVE_LEFT);
	leave(&nameless, LEAVE_LEFT);
	leave(&withheld, LEAVE_LEFT);
	leave(&host, LEAVE_LEFT);
}

static void test_renaming(void **state)
{
	struct front host = { .name = "Ann" }, guest = { .name = "Bob" };
	struct client_msg m;
	struct errmsg why;
	size_t told;

	(void)state;
	must_join(&host, "room");
	must_join(&guest, "room");
	m = rename_to(guest.id, "Robert");
	must_not(&guest, &m, "not_allowed");
	must_act(&host, &m);
	assert_string_equal(host.last_name, "Robert");
	assert_string_equal(guest.last_name, "Robert");
	assert_string_equal(guest.leg->leg->name, "Robert"); /* that is on the tile */
	told = host.joined;
	must_act(&host, &m); /* nothing new */
	assert_int_equal(host.joined, told);
	m = rename_to(4711, "X");
	must_not(&host, &m, "bad_message");
	assert_int_equal(conference_rename(the.c, "room", host.id, "Anna", &why), 0);
	assert_string_equal(guest.last_name, "Anna");
	assert_int_equal(conference_rename(the.c, "nowhere", host.id, "A", &why), -ENOENT);
	assert_int_equal(conference_set_volume(the.c, "room", guest.id, -6, &why), 0);
	assert_int_equal(host.sound.leg, guest.id);
	assert_int_equal((int)host.sound.gain_db, -6);
	assert_int_equal(conference_set_volume(the.c, "room", guest.id, 21, &why), -EINVAL);
	assert_int_equal(conference_set_volume(the.c, "room", 4711, 0, &why), -ENOENT);
	leave(&host, LEAVE_LEFT);
	leave(&guest, LEAVE_LEFT);
}

static void test_totals_come_once(void **state)
{
	struct front a = { .name = "Ann" }, b = { .name = "Bob" };
	struct client_msg remove = { .type = CLIENT_MSG_MODERATE };

	(void)state;
	must_join(&a, "room");
	must_join(&b, "room");
	remove.u.moderate.action = MODERATE_REMOVE;
	remove.u.moderate.leg = b.id;
	must_act(&a, &remove);
	assert_int_equal(b.totalled, 1);
	assert_int_equal(b.closed, 1);
	assert_int_equal(b.closed_before, 0);
	leave(&a, LEAVE_LEFT);
	assert_int_equal(a.totalled, 1);
	assert_int_equal(a.totals.audio, CODEC_NONE);
}

/* A room that asks for a PIN, is locked and has a lobby lets in whom it called. */
static void test_who_is_called_comes_in(void **state)
{
	struct front host = { .name = "Ann" };
	struct front stranger = { .name = "Bob" }, called = { .name = "Carol", .called = true };
	struct client_msg m = { .type = CLIENT_MSG_POLICY, .u.policy = {
		.locked = TRISTATE_TRUE, .lobby = TRISTATE_TRUE, .guest_pin = "1234" } };
	struct errmsg why;

	(void)state;
	must_join(&host, "room");
	must_act(&host, &m);
	assert_true(join(&stranger, "room", NULL, &why) < 0);
	must_join(&called, "room");
	assert_false(called.host);
	leave(&host, LEAVE_LEFT);
	leave(&called, LEAVE_LEFT);
}

/* --- calls ------------------------------------------------------------------- */

static struct {
	sip_dial_cb *cb;
	void *obj;
	int64_t hung_up;
} line;

static int fake_dial(void *ctx, const struct sip_dial_req *req, sip_dial_cb *cb, void *obj,
		     int64_t *id, struct errmsg *why)
{
	(void)ctx;
	(void)why;
	assert_string_equal(req->room, "room");
	assert_string_equal(req->to, "+49891");
	line.cb = cb;
	line.obj = obj;
	*id = 77;
	return 0;
}

static int fake_hangup(void *ctx, int64_t id)
{
	(void)ctx;
	line.hung_up = id;
	return 0;
}

static void test_calls_are_told_to_hosts(void **state)
{
	static const struct sip_dialler dialler = { NULL, fake_dial, fake_hangup };
	struct front host = { .name = "Ann" }, guest = { .name = "Bob" };
	struct client_msg dial = { .type = CLIENT_MSG_DIAL, .u.dial = { .to = "+49 89 1" } };
	struct client_msg hangup = { .type = CLIENT_MSG_HANGUP, .u.hangup = { 77 } };

	(void)state;
	must_join(&host, "room");
	must_join(&guest, "room");
	must_not(&host, &dial, "dial_off");
	dials_use(conference_dials(the.c), &dialler);
	must_not(&host, &dial, "dial_sign_in");
	host.leg->who.user_id = 5;
	must_act(&host, &dial);
	assert_string_equal(host.call.state, "calling");
	assert_string_equal(host.call.number, "+49891");
	line.cb(line.obj, &(struct sip_dial_event){ .id = 77, .state = SIP_DIAL_RINGING });
	assert_string_equal(host.call.state, "ringing");
	assert_int_equal(guest.call.n, 0);
	must_not(&guest, &hangup, "not_allowed");
	/* who becomes a host hears of it */
	leave(&host, LEAVE_LEFT);
	RUN_UNTIL(guest.call.n);
	assert_string_equal(guest.call.state, "ringing");
	assert_int_equal(guest.call.call, 77);
	must_act(&guest, &hangup);
	assert_int_equal(line.hung_up, 77);
	line.cb(line.obj, &(struct sip_dial_event){ .id = 77, .state = SIP_DIAL_ENDED });
	assert_string_equal(guest.call.state, "ended");
	hangup.u.hangup.call = 78;
	must_not(&guest, &hangup, "call_unknown");
	leave(&guest, LEAVE_LEFT);
}

static void must_not_push(struct pushes *p, bool admin, const char *host)
{
	struct errmsg why;
	char url[64];
	int64_t id;

	snprintf(url, sizeof url, "rtmp://%s/app/key", host);
	assert_int_equal(pushes_start(p, url, admin, &id, &why), -EACCES);
	assert_string_equal(why.code, "not_allowed");
}

/* The server connects to where they say: not everybody may. */
static void test_who_may_push(void **state)
{
	struct front host = { 0 };
	struct pushes *p;
	struct errmsg why;
	int64_t id;

	(void)state;
	must_join(&host, "room");
	p = conference_pushes(the.c, "room", true);
	must_not_push(p, false, "127.0.0.1:9");
	set("push.who=hosts");
	set("push.hosts=[one.example]");
	must_not_push(p, false, "127.0.0.1:9");
	must_not_push(p, true, "one.example.org");
	set("push.hosts=[127.0.0.1]");
	assert_int_equal(pushes_start(p, "rtmp://127.0.0.1:9/app/key", false, &id, &why), 0);
	set("push.who=nobody");
	must_not_push(p, true, "127.0.0.1:9");
	leave(&host, LEAVE_LEFT);
	RUN_UNTIL(conference_is_idle(the.c));
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_numbers_are_for_hosts), T(test_names_of_phones), T(test_renaming),
		T(test_totals_come_once), T(test_who_is_called_comes_in),
		T(test_calls_are_told_to_hosts), T(test_who_may_push),
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
