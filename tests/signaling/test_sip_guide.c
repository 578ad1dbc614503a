/* What a caller is told, through a call: announcements, digits, and what the keys do. */
#include "tests/signaling/sip_call_rig.h"

#include "mcu/base/role.h"
#include "signaling/ivr.h"

static const struct ivr_cfg cfg = {
	.language = "en", .key = { [IVR_MUTE] = '6', [IVR_HAND] = '5', [IVR_LAYOUT_NEXT] = '1',
				   [IVR_RECORD] = '4', [IVR_LOUDER] = '8' },
};

static const char *refuse_act; /* code of what the room says to a command; NULL: done */
static bool mute_tells;        /* the room tells of it at once, as it does */
static uint32_t prompt;        /* number of the newest list */
static bool no_prompts;

static int answer(struct errmsg *why)
{
	return refuse_act ? errmsg_set(why, -EACCES, refuse_act, "No.") : 0;
}

static int g_prompt(void *ctx, struct leg_handle *l, const struct prompt_req *p, struct errmsg *why)
{
	assert_true(l->used && !l->ended && p->replace);
	if (no_prompts)
		return errmsg_set(why, -ENOENT, "prompt_unknown", "No.");
	for (size_t i = 0; i < p->n; i++)
		say(ctx, "%s%s", i ? "+" : "play:", p->names[i]);
	if (p->n)
		prompt = p->id;
	return 0;
}

static int g_mute(void *ctx, struct leg_handle *l, enum tristate audio, enum tristate video,
		  struct errmsg *why)
{
	struct leg_event ev = { .type = LEG_EVENT_MUTED, .u.muted = { .leg = 7, .audio = audio == TRISTATE_TRUE } };

	assert_int_equal(video, TRISTATE_UNSET);
	say(ctx, audio == TRISTATE_TRUE ? "mute" : "unmute");
	if (mute_tells && !refuse_act)
		l->ev->event(l->obj, &ev);
	return answer(why);
}

static int g_act(void *ctx, struct leg_handle *l, const struct client_msg *m, struct errmsg *why)
{
	(void)l;
	if (m->type == CLIENT_MSG_HAND)
		say(ctx, m->u.hand.raised ? "hand" : "lower");
	else
		say(ctx, "layout:%s", m->u.layout.layout);
	return answer(why);
}

static int g_record(void *ctx, struct leg_handle *l, const struct record_wish *wish,
		    struct errmsg *why)
{
	(void)l;
	static const char *const words[] = {
		[RECORD_START] = "record", [RECORD_STOP] = "stop", [RECORD_PAUSE] = "pause",
		[RECORD_RESUME] = "resume",
	};

	say(ctx, "%s", words[wish->action]);
	return answer(why);
}

static int g_hear(void *ctx, struct leg_handle *l, float db, struct errmsg *why)
{
	(void)l;
	say(ctx, "%.0fdB", (double)db);
	return answer(why);
}

static struct room_api api;

static void open_rig(struct rig *r)
{
	rig_open(r);
	api = fake_api;
	api.prompt = g_prompt;
	api.mute = g_mute;
	api.act = g_act;
	api.record = g_record;
	api.hear = g_hear;
	r->set->side.api = &api;
	r->set->side.ivr = &cfg;
	refuse_act = NULL;
	mute_tells = true;
	no_prompts = false;
}

static void call_in(struct rig *r, const char *room)
{
	static char sdp[1000];
	struct fake_dialog *d = fake_dialog(r);
	struct sip_reply reply;
	struct errmsg why;
	int n = snprintf(sdp, sizeof(sdp), HEAD, 1, "192.0.2.50");
	struct sip_call_start s = {
		.dialog = d, .peer = "192.0.2.50", .local = "203.0.113.1", .room = room,
		.name = "Phone", .uri = "sip:anne@192.0.2.50", .number = "", .sdp = sdp,
	};

	snprintf(sdp + n, sizeof(sdp) - (size_t)n, "%s", SOUND);
	s.sdp_len = strlen(sdp);
	assert_int_equal(sip_call_take(r->set, &s, &r->call[d->i], &reply, &why), 0);
	sip_call_acked(r->call[d->i], NULL, 0);
}

static struct leg_handle *leg_of(struct rig *r)
{
	return r->call[0]->active->h;
}

static void tell(struct rig *r, struct leg_event ev)
{
	struct leg_handle *l = leg_of(r);

	l->ev->event(l->obj, &ev);
}

static void press(struct rig *r, const char *keys)
{
	for (; *keys && r->call[0]; keys++)
		tell(r, (struct leg_event){ .type = LEG_EVENT_DIGIT, .u.digit = *keys });
}

static void over(struct rig *r)
{
	tell(r, (struct leg_event){ .type = LEG_EVENT_PROMPT_OVER, .u.prompt_over.id = prompt });
}

static void pass(struct rig *r, int64_t ms)
{
	clock_fake_advance(&r->clock, ms * NS_PER_MS);
	sip_call_set_tick(r->set);
}

/* What was said since the last time. */
static void said(struct rig *r, const char *want)
{
	if (strcmp(r->log, want))
		fail_msg("\"%s\" instead of \"%s\"", r->log, want);
	r->log[0] = 0;
}

static void test_from_the_bridge_into_a_room(void **state)
{
	struct rig r;

	(void)state;
	role_assert_ctl();
	open_rig(&r);
	call_in(&r, "");
	said(&r, "parlour 200+sdp play:welcome +enter_number");
	press(&r, "47");
	said(&r, "");
	r.refuse = "room_unknown";
	press(&r, "#");
	said(&r, "join:47 play:wrong_number +enter_number");
	r.refuse = "pin_required";
	press(&r, "4711#");
	said(&r, "join:4711 play:enter_pin");
	r.refuse = NULL;
	press(&r, "99#");
	said(&r, "join:4711 play:only_one");
	assert_string_equal(r.call[0]->room, "4711");
	assert_int_equal(r.call[0]->pin[0], 0); /* nobody keeps it */
	rig_close(&r);
}

static void test_a_refusal_that_comes_later(void **state)
{
	struct rig r;

	(void)state;
	role_assert_ctl();
	open_rig(&r);
	call_in(&r, "");
	r.refuse_late = "room_locked";
	press(&r, "5#");
	said(&r, "parlour 200+sdp play:welcome +enter_number join:5 play:room_locked +goodbye");
	over(&r);
	said(&r, "BYE");
	assert_int_equal(r.cdr.end, SIP_END_REJECTED);
	rig_close(&r);
}

static void test_time_passes(void **state)
{
	struct rig r;

	(void)state;
	role_assert_ctl();
	open_rig(&r);
	call_in(&r, "");
	over(&r);
	said(&r, "parlour 200+sdp play:welcome +enter_number");
	pass(&r, IVR_FIRST_MS - 1);
	said(&r, "");
	pass(&r, 1);
	said(&r, "play:nothing_entered +enter_number");
	press(&r, "5");
	pass(&r, IVR_NEXT_MS);
	said(&r, "join:5 play:only_one");
	rig_close(&r);
}

/* Its announcements are gone: it goes on as if they had been heard. */
static void test_without_announcements(void **state)
{
	struct rig r;

	(void)state;
	role_assert_ctl();
	open_rig(&r);
	no_prompts = true;
	call_in(&r, "");
	r.refuse = "room_full";
	press(&r, "5#");
	said(&r, "parlour 200+sdp join:5 BYE");
	rig_close(&r);
}

static void test_the_lobby(void **state)
{
	struct rig r;

	(void)state;
	role_assert_ctl();
	open_rig(&r);
	call_in(&r, "");
	r.lobby = true;
	press(&r, "5#");
	said(&r, "parlour 200+sdp play:welcome +enter_number join:5 play:wait_lobby +music");
	welcome(r.call[0]->joining->h);
	said(&r, "play:only_one");
	rig_close(&r);
}

static void test_keys(void **state)
{
	struct rig r;

	(void)state;
	role_assert_ctl();
	open_rig(&r);
	call_in(&r, "team");
	said(&r, "join:team 200+sdp play:only_one");
	press(&r, "*6");
	said(&r, "mute play:muted");
	refuse_act = "not_allowed";
	press(&r, "*6");
	said(&r, "unmute play:cannot_unmute");
	press(&r, "*1");
	said(&r, "layout:grid play:hosts_only");
	refuse_act = NULL;
	tell(&r, (struct leg_event){ .type = LEG_EVENT_LAYOUT, .u.layout.layout = "speaker" });
	press(&r, "*1");
	said(&r, "layout:speaker-only play:layout_changed");
	press(&r, "*5*4*8");
	said(&r, "hand play:hand_raised record 3dB play:louder");
	tell(&r, (struct leg_event){ .type = LEG_EVENT_RECORDING,
				     .u.recording.state = RECORDING_IS_ON });
	said(&r, "play:recording_on");
	press(&r, "*4");
	said(&r, "stop");
	tell(&r, (struct leg_event){ .type = LEG_EVENT_MUTED, .u.muted = { .leg = 7, .by = 3 } });
	said(&r, "play:unmuted_by_host");
	tell(&r, (struct leg_event){ .type = LEG_EVENT_MUTED,
				     .u.muted = { .leg = 8, .audio = true, .by = 3 } });
	said(&r, ""); /* somebody else */
	rig_close(&r);
}

/* Who is removed is told so, and then it is over. */
static void test_farewell(void **state)
{
	struct leg_handle *l;
	struct errmsg why;
	struct rig r;

	(void)state;
	role_assert_ctl();
	open_rig(&r);
	call_in(&r, "team");
	r.log[0] = 0;
	l = leg_of(&r);
	l->ended = true;
	errmsg_set(&why, 0, "kicked", "Over.");
	l->ev->closed(l->obj, LEAVE_KICKED, &why);
	said(&r, "parlour play:removed +goodbye");
	press(&r, "*6");
	said(&r, "");
	over(&r);
	said(&r, "BYE");
	assert_int_equal(r.cdr.end, SIP_END_HANGUP_LOCAL);
	rig_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_from_the_bridge_into_a_room),
		cmocka_unit_test(test_a_refusal_that_comes_later),
		cmocka_unit_test(test_time_passes),
		cmocka_unit_test(test_without_announcements),
		cmocka_unit_test(test_the_lobby),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_farewell),
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
