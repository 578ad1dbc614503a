/* What a front end hands on to the room and tells of it. */
#include "tests/signaling/front_rig.h"

static const struct waiting_person people[] = { { 1, "Bo" }, { 2, "Cy" } };
static const struct leg_score scores[] = { { 3, 4.321 } };
static const uint32_t pins[] = { 7, 0 };
static const struct view_entry views[] = { { "main", "everybody" }, { "backstage", "hosts" } };
static const struct layout_tile tile = { .leg = 3, .x = 10, .y = 20, .width = 320, .height = 180 };

static const struct {
	struct leg_event ev;
	const char *text;
} table[] = {
	{ { .type = LEG_EVENT_JOINED,
	    .u.joined = { .leg = 2, .name = "A \"b\"", .video = true } },
	  "{\"type\":\"joined\",\"participant\":{\"leg\":2,\"name\":\"A \\\"b\\\"\","
	  "\"audio_muted\":false,\"video_muted\":false,\"audio\":false,\"video\":true,"
	  "\"role\":\"participant\",\"hand\":false}}" },
	{ { .type = LEG_EVENT_JOINED,
	    .u.joined = { .leg = 2, .name = "B", .gain_db = -6, .agc = true,
			  .noise_suppression = true } },
	  "{\"type\":\"joined\",\"participant\":{\"leg\":2,\"name\":\"B\","
	  "\"audio_muted\":false,\"video_muted\":false,\"audio\":false,\"video\":false,"
	  "\"role\":\"participant\",\"hand\":false,\"gain_db\":-6.0,\"agc\":true,"
	  "\"noise_suppression\":true}}" },
	{ { .type = LEG_EVENT_SOUND, .u.sound = { 2, 7.25, true, false } },
	  "{\"type\":\"sound\",\"leg\":2,\"gain_db\":7.3,\"agc\":true,"
	  "\"noise_suppression\":false}" },
	{ { .type = LEG_EVENT_LEFT, .u.left = { 2, LEAVE_KICKED } },
	  "{\"type\":\"left\",\"leg\":2,\"reason\":\"kicked\"}" },
	{ { .type = LEG_EVENT_MUTED, .u.muted = { .leg = 2, .audio = true } },
	  "{\"type\":\"muted\",\"leg\":2,\"audio\":true,\"video\":false}" },
	{ { .type = LEG_EVENT_SPEAKER, .u.speaker = 0 },
	  "{\"type\":\"speaker\",\"leg\":null}" },
	{ { .type = LEG_EVENT_SPEAKER, .u.speaker = 9 },
	  "{\"type\":\"speaker\",\"leg\":9}" },
	{ { .type = LEG_EVENT_LAYOUT, .u.layout = {
		.version = 4, .width = 640, .height = 360, .tiles = &tile, .n_tiles = 1,
		.layout = "speaker", .crop = true, .speaker_view = true, .max_tiles = 9, .page = 2, .pages = 3,
		.speaker = 3, .pin = pins, .n_pins = 2, .order = "join", .banner = "Hi",
		.clock = true, .names = true, .background_rgb = 0x10203f } },
	  "{\"type\":\"layout\",\"view\":\"main\",\"version\":4,\"width\":640,\"height\":360,"
	  "\"layout\":\"speaker\",\"fit\":\"crop\",\"hide_no_video\":false,\"speaker_view\":true,"
	  "\"order\":\"join\",\"pin\":[7,null],\"max_tiles\":9,\"page\":2,\"pages\":3,\"speaker\":3,"
	  "\"content\":null,\"overlays\":{\"banner\":\"Hi\",\"clock\":true,"
	  "\"recording_time\":false,\"logo\":false,\"names\":true,\"speaker_border\":false,"
	  "\"background\":\"#10203f\"},\"tiles\":[{\"leg\":3,\"x\":10,\"y\":20,\"width\":320,"
	  "\"height\":180,\"z\":0}]}" },
	{ { .type = LEG_EVENT_VIEWS, .u.views = { views, 2 } },
	  "{\"type\":\"views\",\"views\":[{\"view\":\"main\",\"for\":\"everybody\"},"
	  "{\"view\":\"backstage\",\"for\":\"hosts\"}]}" },
	{ { .type = LEG_EVENT_UPLINK, .u.uplink = { .video = { 320, 180, 15, 300, true } } },
	  "{\"type\":\"uplink\",\"video\":{\"width\":320,\"height\":180,\"fps\":15,\"max_"
	  "kbps\":300,"
	  "\"visible\":true}}" },
	{ { .type = LEG_EVENT_UPLINK,
	    .u.uplink = { .video = { 320, 180, 15, 300, true }, .has_content = true,
			  .content = { 0, 0, 15, 500, false } } },
	  "{\"type\":\"uplink\",\"video\":{\"width\":320,\"height\":180,\"fps\":15,\"max_"
	  "kbps\":300,\"visible\":true},\"content\":{\"width\":0,\"height\":0,\"fps\":15,\"max_"
	  "kbps\":500,\"visible\":false}}" },
	{ { .type = LEG_EVENT_PRESENT_OVER, .u.present_over = { .by = 7 } },
	  "{\"type\":\"present\",\"on\":false,\"by\":7,\"reason\":\"replaced\"}" },
	{ { .type = LEG_EVENT_PRESENT_OVER, .u.present_over = { .by = 7, .by_host = true } },
	  "{\"type\":\"present\",\"on\":false,\"by\":7,\"reason\":\"host\"}" },
	{ { .type = LEG_EVENT_RECORDING,
	    .u.recording = { .state = RECORDING_IS_READY,
			     .id = "5",
			     .url = "/recordings/5" } },
	  "{\"type\":\"recording\",\"state\":\"ready\",\"recording\":\"5\",\"url\":\"/"
	  "recordings/5\"}" },
	{ { .type = LEG_EVENT_MUTED, .u.muted = { 3, true, false, 9 } },
	  "{\"type\":\"muted\",\"leg\":3,\"audio\":true,\"video\":false,\"by\":9}" },
	{ { .type = LEG_EVENT_HAND, .u.hand = { 3, true } },
	  "{\"type\":\"hand\",\"leg\":3,\"raised\":true}" },
	{ { .type = LEG_EVENT_CHAT, .u.chat = { .leg = 3, .name = "A", .text = "x\ny", .at_ms = 5 } },
	  "{\"type\":\"chat\",\"leg\":3,\"name\":\"A\",\"text\":\"x\\ny\",\"at\":5}" },
	{ { .type = LEG_EVENT_CHAT,
	    .u.chat = { .leg = 3, .to = 4, .name = "A", .text = "x", .history = true } },
	  "{\"type\":\"chat\",\"leg\":3,\"name\":\"A\",\"text\":\"x\",\"at\":0,\"to\":4,"
	  "\"history\":true}" },
	{ { .type = LEG_EVENT_ROOM, .u.room = { .lobby = true, .unmute = true,
						.record = RECORD_BY_NOBODY } },
	  "{\"type\":\"room\",\"locked\":false,\"lobby\":true,\"guest_pin\":false,"
	  "\"host_pin\":false,\"record\":\"nobody\",\"unmute\":true,\"stereo\":false}" },
	{ { .type = LEG_EVENT_WAITING, .u.waiting = { people, 2 } },
	  "{\"type\":\"waiting\",\"people\":[{\"waiting\":1,\"name\":\"Bo\"},"
	  "{\"waiting\":2,\"name\":\"Cy\"}]}" },
	{ { .type = LEG_EVENT_QUALITY, .u.quality = { scores, 1 } },
	  "{\"type\":\"quality\",\"legs\":[{\"leg\":3,\"score\":4.3}]}" },
	{ { .type = LEG_EVENT_OVERLOAD, .u.overload = { 2, "Busy." } },
	  "{\"type\":\"overload\",\"level\":2,\"text\":\"Busy.\"}" },
	{ { .type = LEG_EVENT_SELF_VIEW, .u.self_view = { false, "Not yet." } },
	  "{\"type\":\"self_view\",\"hidden\":false,\"text\":\"Not yet.\"}" },
};

static void events_are_told(void **state)
{
	struct fixture *f = *state;
	hear(f, "{\"type\":\"ping\"}");
	expect(f, "pong", NULL);
	joined(f);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct leg_event ev = table[i].ev;
		f->ev->event(f->obj, &ev);
		const char *first = ev.text;
		f->ev->event(f->obj, &ev); /* for the second leg the text is there */
		assert_ptr_equal(ev.text, first);
		for (int k = 0; k < 2; k++) {
			char *text = g_ptr_array_steal_index(f->out, 0);
			assert_string_equal(text, table[i].text);
			g_free(text);
		}
		leg_event_clear(&ev);
	}
}

static void requests_of_the_room_are_handed_on(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *text;
		enum client_msg_type type;
	} t[] = {
		{ "{\"type\":\"chat\",\"text\":\"hi\"}", CLIENT_MSG_CHAT },
		{ "{\"type\":\"hand\",\"raised\":true}", CLIENT_MSG_HAND },
		{ "{\"type\":\"moderate\",\"action\":\"mute\"}", CLIENT_MSG_MODERATE },
		{ "{\"type\":\"admit\",\"allow\":true}", CLIENT_MSG_ADMIT },
		{ "{\"type\":\"volume\",\"leg\":3,\"gain_db\":-7.5}", CLIENT_MSG_VOLUME },
		{ "{\"type\":\"sound\",\"agc\":true}", CLIENT_MSG_SOUND },
		{ "{\"type\":\"policy\",\"locked\":true,\"id\":\"p\"}", CLIENT_MSG_POLICY },
	};
	const size_t n = sizeof(t) / sizeof(t[0]);
	for (size_t i = 0; i < n; i++) {
		hear(f, t[i].text);
		expect(f, "\"code\":\"not_joined\"", NULL);
	}
	joined(f);
	for (size_t i = 0; i < n; i++) {
		hear(f, t[i].text);
		assert_int_equal(f->acted, t[i].type);
		expect_silence(f);
	}
	f->record_err = -EACCES;
	hear(f, t[n - 1].text);
	expect(f, "\"code\":\"not_allowed\"", "\"id\":\"p\"");
	hear(f, "{\"type\":\"mute\",\"audio\":false}");
	expect(f, "\"text\":\"Stay muted.\"", "\"fatal\":false");
	f->record_err = 0;
	f->closes_in_act = true; /* a host may remove itself */
	hear(f, t[2].text);
	expect(f, "\"code\":\"kicked\"", "\"fatal\":true");
	expect(f, "\"type\":\"bye\"", "\"reason\":\"kicked\"");
	assert_int_equal(f->closed_code, FRONT_CLOSE_ERROR);
}

static void waiting_in_the_lobby_is_told(void **state)
{
	struct fixture *f = *state;
	f->late_welcome = true;
	hear(f, join);
	f->ev->lobby(f->obj, "Wait.");
	expect(f, "{\"type\":\"lobby\",\"id\":\"j\",\"text\":\"Wait.\"}", NULL);
	hear(f, "{\"type\":\"chat\",\"text\":\"let me in\"}");
	expect(f, "not_joined", NULL);
	hear(f, join);
	expect(f, "already_joined", NULL);
	welcome(f);
	expect(f, "\"type\":\"welcome\"", "\"id\":\"j\"");
	front_session_free(&f->s, LEAVE_LOST);
	assert_int_equal(f->leaves, 1);
}

/* Some refusals are the end of it, whether they come at once or later. */
static void some_refusals_are_final(void **state)
{
	struct fixture *f = *state;
	struct errmsg e;
	f->late_welcome = true;
	hear(f, join);
	errmsg_set(&e, 0, "pin_wrong", "That PIN is wrong.");
	f->ev->closed(f->obj, LEAVE_ERROR, &e);
	expect(f, "\"code\":\"pin_wrong\"", "\"fatal\":false");
	f->closes_in_join = true;
	f->close_code = "room_locked";
	hear(f, join);
	expect(f, "\"code\":\"room_locked\"", "\"fatal\":true");
	expect(f, "\"type\":\"bye\"", "\"reason\":\"error\"");
	assert_int_equal(f->closed_code, FRONT_CLOSE_ERROR);
	hear(f, join);
	expect_silence(f);
	assert_int_equal(f->leaves, 0);
}

/* Whoever connects and does not join holds a place for nothing. */
static void a_connection_joins_in_time(void **state)
{
	struct fixture *f = *state;
	const int64_t s = 1000000000;
	struct errmsg e;
	front_session_tick(f->s, 5 * s);
	front_session_tick(f->s, 34 * s);
	expect_silence(f);
	f->late_welcome = true;
	hear(f, join); /* waiting for an answer, in a lobby too, is joining */
	front_session_tick(f->s, 1000 * s);
	expect_silence(f);
	/* a PIN takes longer to find and type */
	errmsg_set(&e, 0, "pin_required", "Enter the PIN.");
	f->ev->closed(f->obj, LEAVE_ERROR, &e);
	expect(f, "pin_required", NULL);
	front_session_tick(f->s, 1001 * s);
	front_session_tick(f->s, 1300 * s);
	expect_silence(f);
	front_session_tick(f->s, 1301 * s);
	expect(f, "\"code\":\"join_timeout\"", "\"fatal\":true");
	expect(f, "\"type\":\"bye\"", "\"reason\":\"error\"");
	assert_int_equal(f->closed_code, FRONT_CLOSE_ERROR);
	front_session_tick(f->s, 9999 * s);
	expect_silence(f);
}

static void a_silent_connection_is_closed(void **state)
{
	struct fixture *f = *state;
	front_session_tick(f->s, 1);
	front_session_tick(f->s, 30000000001);
	expect(f, "You have not joined a room for 30 seconds.", "join_timeout");
	expect(f, "bye", NULL);
	assert_int_equal(f->closed_code, FRONT_CLOSE_ERROR);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(events_are_told),
		T(requests_of_the_room_are_handed_on),
		T(waiting_in_the_lobby_is_told),
		T(some_refusals_are_final),
		T(a_connection_joins_in_time),
		T(a_silent_connection_is_closed),
	};
	role_enter(ROLE_ID_CTL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
