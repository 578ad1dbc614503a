#include "signaling/protocol.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int parse(struct client_msg *m, const char *text, struct errmsg *why)
{
	memset(why, 0, sizeof(*why));
	return client_msg_parse(m, text, strlen(text), why);
}

static void a_recording_is_chosen(void **state)
{
	struct client_msg m;
	struct errmsg why;

	(void)state;
	assert_int_equal(parse(&m, "{\"type\":\"record\",\"action\":\"start\",\"video\":false,"
			       "\"tracks\":true,\"container\":\"mkv\",\"audio\":\"opus\"}",
			       &why), 0);
	assert_int_equal(m.u.record.video, TRISTATE_FALSE);
	assert_int_equal(m.u.record.tracks, TRISTATE_TRUE);
	assert_int_equal(m.u.record.container, RECORD_MKV);
	assert_int_equal(m.u.record.sound, RECORD_OPUS);
	client_msg_clear(&m);
	static const char *const wrong[] = { "\"video\":1", "\"tracks\":\"all\"",
					     "\"container\":\"avi\"", "\"audio\":\"mp3\"" };
	for (size_t i = 0; i < 4; i++) {
		char text[96];

		snprintf(text, sizeof(text), "{\"type\":\"record\",\"action\":\"start\",%s}",
			 wrong[i]);
		assert_int_equal(parse(&m, text, &why), -EINVAL);
		client_msg_clear(&m);
	}
}

static void messages_are_read(void **state)
{
	struct client_msg m;
	struct errmsg why;
	(void)state;
	assert_int_equal(parse(&m,
			       "{\"type\":\"join\",\"id\":\"1\",\"room\":\"Physik-101\",\"name\":"
			       "\"김 지민\","
			       "\"pin\":\"1234\",\"resume\":null,\"more\":[1]}",
			       &why),
			 0);
	assert_int_equal(m.type, CLIENT_MSG_JOIN);
	assert_string_equal(m.id, "1");
	assert_string_equal(m.u.join.room, "Physik-101");
	assert_string_equal(m.u.join.name, "김 지민");
	assert_string_equal(m.u.join.pin, "1234");
	assert_null(m.u.join.token);
	assert_null(m.u.join.resume);
	client_msg_clear(&m);
	assert_int_equal(parse(&m, "{\"type\":\"offer\",\"sdp\":\"v=0\\r\\n\"}", &why), 0);
	assert_int_equal(m.type, CLIENT_MSG_OFFER);
	assert_string_equal(m.u.sdp.text, "v=0\r\n");
	assert_int_equal(m.u.sdp.len, 5);
	assert_string_equal(m.id, "");
	client_msg_clear(&m);
	assert_int_equal(parse(&m, "{\"type\":\"ice\",\"candidate\":null}", &why), 0);
	assert_string_equal(m.u.ice.candidate, "");
	assert_string_equal(m.u.ice.mid, "");
	client_msg_clear(&m);
	assert_int_equal(parse(&m, "{\"type\":\"mute\",\"video\":false}", &why), 0);
	assert_int_equal(m.u.mute.audio, TRISTATE_UNSET);
	assert_int_equal(m.u.mute.video, TRISTATE_FALSE);
	client_msg_clear(&m);
	assert_int_equal(parse(&m, "{\"type\":\"record\",\"action\":\"stop\"}", &why), 0);
	assert_int_equal(m.u.record.action, RECORD_STOP);
	assert_int_equal(m.u.record.video, TRISTATE_UNSET);
	client_msg_clear(&m);
	static const char *const plain[] = { "stats", "ping", "leave" };
	for (size_t i = 0; i < 3; i++) {
		char text[64];
		snprintf(text, sizeof(text), "{\"type\":\"%s\"}", plain[i]);
		assert_int_equal(parse(&m, text, &why), 0);
		assert_string_equal(client_msg_type_name(m.type), plain[i]);
		client_msg_clear(&m);
	}
}

static void wishes_are_read(void **state)
{
	struct client_msg m;
	struct errmsg why;
	(void)state;
	assert_int_equal(parse(&m, "{\"type\":\"view\",\"max_height\":360,\"max_kbps\":600}", &why), 0);
	assert_int_equal(m.type, CLIENT_MSG_VIEW);
	assert_int_equal(m.u.view.max_height, 360);
	assert_int_equal(m.u.view.max_kbps, 600);
	assert_false(m.u.view.no_video);
	assert_false(m.u.view.hide_self);
	assert_string_equal(m.u.view.view, "");
	client_msg_clear(&m);
	assert_int_equal(parse(&m, "{\"type\":\"view\",\"view\":\"wall\",\"self_view\":\"hide\"}",
			       &why), 0);
	assert_string_equal(m.u.view.view, "wall");
	assert_true(m.u.view.hide_self);
	client_msg_clear(&m);
	assert_int_equal(parse(&m, "{\"type\":\"view\",\"self_view\":\"show\"}", &why), 0);
	assert_false(m.u.view.hide_self);
	client_msg_clear(&m);
	assert_int_equal(parse(&m, "{\"type\":\"views\",\"action\":\"set\",\"view\":\"a\","
				   "\"for\":\"hosts\"}", &why), 0);
	assert_int_equal(m.type, CLIENT_MSG_VIEWS);
	assert_string_equal(m.u.views.view, "a");
	assert_string_equal(m.u.views.rule, "hosts");
	client_msg_clear(&m);
	assert_int_equal(parse(&m, "{\"type\":\"views\",\"action\":\"set\",\"view\":\"a\"}",
			       &why), 0);
	assert_string_equal(m.u.views.rule, "request");
	client_msg_clear(&m);
	assert_int_equal(parse(&m, "{\"type\":\"views\",\"action\":\"remove\",\"view\":\"a\"}",
			       &why), 0);
	assert_null(m.u.views.rule);
	client_msg_clear(&m);
	assert_int_equal(parse(&m, "{\"type\":\"view\",\"video\":false}", &why), 0);
	assert_int_equal(m.u.view.max_height, 0);
	assert_true(m.u.view.no_video);
	client_msg_clear(&m);
}

static void sound_is_read(void **state)
{
	struct client_msg m;
	struct errmsg why;
	(void)state;
	assert_int_equal(parse(&m, "{\"type\":\"volume\",\"leg\":3,\"gain_db\":-30}", &why), 0);
	assert_int_equal(m.u.volume.leg, 3);
	assert_true(m.u.volume.gain_db == -30);
	client_msg_clear(&m);
	assert_int_equal(parse(&m, "{\"type\":\"sound\",\"noise_suppression\":false}", &why), 0);
	assert_int_equal(m.u.sound.leg, 0);
	assert_int_equal(m.u.sound.agc, TRISTATE_UNSET);
	assert_int_equal(m.u.sound.noise_suppression, TRISTATE_FALSE);
	client_msg_clear(&m);
}

static void messages_of_rooms_are_read(void **state)
{
	struct client_msg m;
	struct errmsg why;
	(void)state;
	/* several lines, and an emoji of several joined characters */
	assert_int_equal(parse(&m, "{\"type\":\"chat\",\"text\":\"a\\nb 👩\\u200d💻\",\"to\":7}", &why),
			 0);
	assert_int_equal(m.type, CLIENT_MSG_CHAT);
	assert_string_equal(m.u.chat.text, "a\nb 👩\u200d💻");
	assert_int_equal(m.u.chat.to, 7);
	client_msg_clear(&m);
	assert_int_equal(parse(&m, "{\"type\":\"chat\",\"text\":\"a\",\"to\":null}", &why), 0);
	assert_int_equal(m.u.chat.to, 0);
	client_msg_clear(&m);
	assert_int_equal(parse(&m, "{\"type\":\"hand\",\"raised\":true}", &why), 0);
	assert_true(m.u.hand.raised);
	client_msg_clear(&m);
	assert_int_equal(parse(&m, "{\"type\":\"moderate\",\"action\":\"mute\"}", &why), 0);
	assert_int_equal(m.u.moderate.action, MODERATE_MUTE);
	assert_int_equal(m.u.moderate.leg, 0);
	client_msg_clear(&m);
	assert_int_equal(parse(&m, "{\"type\":\"moderate\",\"action\":\"content_off\",\"leg\":3}",
			       &why), 0);
	assert_int_equal(m.u.moderate.action, MODERATE_CONTENT_OFF);
	client_msg_clear(&m);
	assert_int_equal(parse(&m, "{\"type\":\"moderate\",\"action\":\"remove\",\"leg\":4294967295}",
			       &why),
			 0);
	assert_int_equal(m.u.moderate.action, MODERATE_REMOVE);
	assert_int_equal(m.u.moderate.leg, UINT32_MAX);
	client_msg_clear(&m);
	assert_int_equal(parse(&m, "{\"type\":\"admit\",\"allow\":false,\"waiting\":3}", &why), 0);
	assert_false(m.u.admit.allow);
	assert_int_equal(m.u.admit.waiting, 3);
	client_msg_clear(&m);
	assert_int_equal(parse(&m,
			       "{\"type\":\"policy\",\"locked\":true,\"unmute\":false,\"guest_pin\":"
			       "\"12ab\",\"host_pin\":\"\",\"record\":\"nobody\"}",
			       &why),
			 0);
	assert_int_equal(m.u.policy.locked, TRISTATE_TRUE);
	assert_int_equal(m.u.policy.lobby, TRISTATE_UNSET);
	assert_int_equal(m.u.policy.unmute, TRISTATE_FALSE);
	assert_string_equal(m.u.policy.guest_pin, "12ab");
	assert_string_equal(m.u.policy.host_pin, "");
	assert_int_equal(m.u.policy.record, RECORD_BY_NOBODY);
	client_msg_clear(&m);
	assert_int_equal(parse(&m, "{\"type\":\"policy\"}", &why), 0);
	assert_null(m.u.policy.guest_pin);
	assert_int_equal(m.u.policy.record, 0);
	client_msg_clear(&m);
}

static const struct {
	const char *text, *code, *says, *id;
} wrong[] = {
	{ "", "bad_json", "not JSON", "" },
	{ "{", "bad_json", "line 1", "" },
	{ "[]", "bad_json", "one JSON object", "" },
	{ "\"join\"", "bad_json", "", "" },
	{ "{\"a\":1}{", "bad_json", "", "" },
	{ "{\"type\":\"ping\",\"type\":\"leave\"}", "bad_json", "duplicate", "" },
	{ "{\"type\":\"p\xff\"}", "bad_json", "", "" },
	{ "{\"type\":\"p\\ud800\"}", "bad_json", "", "" },
	{ "{}", "bad_message", "\"type\" is missing", "" },
	{ "{\"type\":5,\"id\":\"x\"}", "bad_message", "\"type\" must be a string", "x" },
	{ "{\"type\":\"ping\",\"id\":5}", "bad_message", "\"id\" must be a string", "" },
	{ "{\"type\":\"ping\\u0000\"}", "bad_message", "zero", "" },
	{ "{\"type\":\"ping \",\"id\":\"x\"}", "unknown_type", "\"ping \"", "x" },
	{ "{\"type\":\"join\",\"name\":\"a\",\"id\":\"x\"}", "bad_message",
	  "\"room\" is missing", "x" },
	{ "{\"type\":\"join\",\"room\":\"a\"}", "bad_message", "\"name\" is missing", "" },
	{ "{\"type\":\"join\",\"room\":\"a\",\"name\":[]}", "bad_message",
	  "\"name\" must be a string", "" },
	{ "{\"type\":\"join\",\"room\":\"a b\",\"name\":\"a\"}", "room_name_invalid", "",
	  "" },
	{ "{\"type\":\"join\",\"room\":\"a\",\"name\":\" a\"}", "name_invalid", "", "" },
	{ "{\"type\":\"join\",\"room\":\"a\",\"name\":\"a\",\"pin\":\"\\n\"}",
	  "bad_message", "\"pin\"", "" },
	{ "{\"type\":\"offer\"}", "bad_message", "\"sdp\" is missing", "" },
	{ "{\"type\":\"ice\"}", "bad_message", "\"candidate\" is missing", "" },
	{ "{\"type\":\"ice\",\"candidate\":\"\xc3\xa4\"}", "bad_message", "visible ASCII",
	  "" },
	{ "{\"type\":\"view\",\"max_height\":0}", "bad_message", "\"max_height\"", "" },
	{ "{\"type\":\"view\",\"self_view\":\"mirror\"}", "bad_message", "\"self_view\"", "" },
	{ "{\"type\":\"view\",\"view\":\"012345678901234567890123456789012\"}", "bad_message",
	  "too long", "" },
	{ "{\"type\":\"views\",\"view\":\"a\"}", "bad_message", "\"action\" is missing", "" },
	{ "{\"type\":\"views\",\"action\":\"set\"}", "bad_message", "\"view\" is missing", "" },
	{ "{\"type\":\"views\",\"action\":\"make\",\"view\":\"a\"}", "bad_message",
	  "\"action\"", "" },
	{ "{\"type\":\"layout\",\"view\":1}", "bad_message", "\"view\"", "" },
	{ "{\"type\":\"layout\",\"speaker_view\":1}", "bad_message", "\"speaker_view\"", "" },
	{ "{\"type\":\"view\",\"video\":1}", "bad_message", "\"video\"", "" },
	{ "{\"type\":\"rename\",\"name\":\"A\"}", "bad_message", "\"leg\" is missing", "" },
	{ "{\"type\":\"rename\",\"leg\":3}", "bad_message", "\"name\" is missing", "" },
	{ "{\"type\":\"rename\",\"leg\":3,\"name\":\" A\"}", "name_invalid", "1 to 64", "" },
	{ "{\"type\":\"dial\"}", "bad_message", "\"to\" is missing", "" },
	{ "{\"type\":\"dial\",\"to\":\"1\\n2\"}", "bad_message", "visible ASCII", "" },
	{ "{\"type\":\"dial\",\"to\":\"1\",\"name\":\"\"}", "name_invalid", "1 to 64", "" },
	{ "{\"type\":\"dial\",\"to\":\"1\",\"digits\":5}", "bad_message", "must be a string", "" },
	{ "{\"type\":\"hangup\"}", "bad_message", "number of a call", "" },
	{ "{\"type\":\"hangup\",\"call\":-1}", "bad_message", "number of a call", "" },
	{ "{\"type\":\"hangup\",\"call\":\"7\"}", "bad_message", "number of a call", "" },
	{ "{\"type\":\"volume\",\"gain_db\":3}", "bad_message", "\"leg\" is missing", "" },
	{ "{\"type\":\"volume\",\"leg\":3}", "bad_message", "\"gain_db\"", "" },
	{ "{\"type\":\"volume\",\"leg\":3,\"gain_db\":20.1}", "bad_message", "from -30 to 20", "" },
	{ "{\"type\":\"volume\",\"leg\":3,\"gain_db\":-31}", "bad_message", "from -30 to 20", "" },
	{ "{\"type\":\"volume\",\"leg\":3,\"gain_db\":\"3\"}", "bad_message", "\"gain_db\"", "" },
	{ "{\"type\":\"sound\",\"agc\":1}", "bad_message", "\"agc\" must be true or false", "" },
	{ "{\"type\":\"mute\",\"audio\":1}", "bad_message",
	  "\"audio\" must be true or false", "" },
	{ "{\"type\":\"record\",\"action\":\"rest\"}", "bad_message",
	  "\"pause\" or \"resume\"", "" },
	{ "{\"type\":\"chat\"}", "bad_message", "\"text\" is missing", "" },
	{ "{\"type\":\"chat\",\"text\":\"\"}", "bad_message", "something to read", "" },
	{ "{\"type\":\"chat\",\"text\":\" \\n\\t \"}", "bad_message", "something to read", "" },
	{ "{\"type\":\"chat\",\"text\":\"a\\u001b[2J\"}", "bad_message", "control", "" },
	{ "{\"type\":\"chat\",\"text\":\"a\\u202eb\"}", "bad_message", "control", "" },
	{ "{\"type\":\"chat\",\"text\":\"a\",\"to\":0}", "bad_message", "\"to\"", "" },
	{ "{\"type\":\"chat\",\"text\":\"a\",\"to\":4294967296}", "bad_message", "\"to\"",
	  "" },
	{ "{\"type\":\"chat\",\"text\":\"a\",\"to\":1.5}", "bad_message", "\"to\"", "" },
	{ "{\"type\":\"hand\"}", "bad_message", "\"raised\" is missing", "" },
	{ "{\"type\":\"hand\",\"raised\":\"yes\"}", "bad_message", "true or false", "" },
	{ "{\"type\":\"moderate\",\"action\":\"ban\",\"leg\":1}", "bad_message",
	  "\"remove\"", "" },
	{ "{\"type\":\"moderate\",\"action\":\"\"}", "bad_message", "\"action\"", "" },
	{ "{\"type\":\"moderate\",\"action\":\"remove\"}", "bad_message",
	  "who is to be removed", "" },
	{ "{\"type\":\"moderate\",\"action\":\"mute\",\"leg\":-1}", "bad_message", "\"leg\"",
	  "" },
	{ "{\"type\":\"admit\"}", "bad_message", "\"allow\" is missing", "" },
	{ "{\"type\":\"admit\",\"waiting\":\"1\",\"allow\":true}", "bad_message",
	  "\"waiting\"", "" },
	{ "{\"type\":\"policy\",\"locked\":1}", "bad_message", "\"locked\"", "" },
	{ "{\"type\":\"policy\",\"guest_pin\":\"123\"}", "bad_message", "\"guest_pin\"", "" },
	{ "{\"type\":\"policy\",\"host_pin\":\"12 34\"}", "bad_message", "\"host_pin\"", "" },
	{ "{\"type\":\"policy\",\"record\":\"me\"}", "bad_message", "\"hosts\"", "" },
	{ "{\"type\":\"policy\",\"record\":\"\"}", "bad_message", "\"hosts\"", "" },
};

static void wrong_messages_are_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct client_msg m;
		struct errmsg why;
		assert_int_equal(parse(&m, wrong[i].text, &why), -EINVAL);
		assert_int_equal(m.type, CLIENT_MSG_INVALID);
		if (strcmp(why.code, wrong[i].code) || !strstr(why.text, wrong[i].says) ||
		    strcmp(m.id, wrong[i].id))
			fail_msg("%s: %s: %s (id %s)", wrong[i].text, why.code, why.text, m.id);
		client_msg_clear(&m);
	}
}

static void sizes_are_bounded(void **state)
{
	static char text[PROTOCOL_MAX_BYTES + 2];
	struct client_msg m;
	struct errmsg why;
	(void)state;
	memset(text, ' ', sizeof(text) - 1);
	memcpy(text, "{\"type\":\"ping\"}", 15);
	assert_int_equal(client_msg_parse(&m, text, PROTOCOL_MAX_BYTES, &why), 0);
	client_msg_clear(&m);
	assert_int_equal(client_msg_parse(&m, text, PROTOCOL_MAX_BYTES + 1, &why), -EMSGSIZE);
	assert_string_equal(why.code, "bad_json");
	client_msg_clear(&m);
	/* a name of 64 three-octet characters is fine, of 65 it is not */
	for (int n = 64; n <= 65; n++) {
		char *p = stpcpy(text, "{\"type\":\"join\",\"room\":\"r\",\"name\":\"");
		for (int i = 0; i < n; i++)
			p = stpcpy(p, "한");
		strcpy(p, "\"}");
		assert_int_equal(parse(&m, text, &why), n == 64 ? 0 : -EINVAL);
		if (n == 65)
			assert_string_equal(why.code, "name_invalid");
		client_msg_clear(&m);
	}
	char *p = text; /* a nest of arrays */
	memset(p, '[', 60000);
	p[60000] = 0;
	assert_int_equal(parse(&m, text, &why), -EINVAL);
	client_msg_clear(&m);
}

static void names_have_rules(void **state)
{
	static const struct {
		const char *name;
		bool person, room;
	} t[] = {
		{ "Ann", true, true },
		{ "a-b_c.9", true, true },
		{ "회의실", true, true },
		{ "Öffentlich", true, true },
		{ "हिन्दी", true, true }, /* with combining marks */
		{ "Ann Lee", true, false },
		{ "100 % 🎉", true, false },
		{ "a/b", true, false },
		{ "🎉", true, false },
		{ ".", true, false },
		{ "..", true, false },
		{ "...", true, true },
		{ "", false, false },
		{ " a", false, false },
		{ "a ", false, false },
		{ "a\xe3\x80\x80", false, false }, /* ideographic space at the end */
		{ "a\nb", false, false },
		{ "a\x7f", false, false },
		{ "a\xc2\x85z", false, false }, /* C1 */
		{ "a\xe2\x80\xae"
		  "b",
		  false, false }, /* right-to-left override */
		{ "a\xe2\x80\x8b"
		  "b",
		  false, false },		       /* zero width space */
		{ "a\xef\xbb\xbf", false, false },     /* byte order mark */
		{ "a\xc0\xaf", false, false },	       /* overlong */
		{ "a\xed\xa0\x80", false, false },     /* surrogate */
		{ "a\xf4\x90\x80\x80", false, false }, /* beyond U+10FFFF */
		{ "a\xe2\x82", false, false },	       /* cut off */
	};
	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		if (protocol_name_valid(t[i].name) != t[i].person ||
		    protocol_room_name_valid(t[i].name) != t[i].room)
			fail_msg("case %zu: %s", i, t[i].name);
}

static void chat_has_a_length(void **state)
{
	static char text[3 * PROTOCOL_MAX_CHAT + 64];
	struct client_msg m;
	struct errmsg why;
	(void)state;
	for (int n = PROTOCOL_MAX_CHAT; n <= PROTOCOL_MAX_CHAT + 1; n++) {
		char *p = stpcpy(text, "{\"type\":\"chat\",\"text\":\"");
		for (int i = 0; i < n; i++)
			p = stpcpy(p, "한");
		strcpy(p, "\"}");
		assert_int_equal(parse(&m, text, &why), n == PROTOCOL_MAX_CHAT ? 0 : -EINVAL);
		client_msg_clear(&m);
	}
}

static void calls_and_names_are_read(void **state)
{
	struct client_msg m;
	struct errmsg why;

	(void)state;
	assert_int_equal(parse(&m, "{\"type\":\"rename\",\"leg\":3,\"name\":\"김 철수\"}", &why), 0);
	assert_int_equal(m.type, CLIENT_MSG_RENAME);
	assert_int_equal(m.u.rename.leg, 3);
	assert_string_equal(m.u.rename.name, "김 철수");
	client_msg_clear(&m);
	assert_int_equal(parse(&m, "{\"type\":\"dial\",\"to\":\"+49 89 1\",\"name\":\"Ann\","
			       "\"trunk\":\"itsp\",\"digits\":\"1,2#\"}", &why), 0);
	assert_string_equal(m.u.dial.to, "+49 89 1");
	assert_string_equal(m.u.dial.name, "Ann");
	assert_string_equal(m.u.dial.trunk, "itsp");
	assert_string_equal(m.u.dial.digits, "1,2#");
	client_msg_clear(&m);
	assert_int_equal(parse(&m, "{\"type\":\"dial\",\"to\":\"1\",\"name\":null}", &why), 0);
	assert_null(m.u.dial.name);
	assert_null(m.u.dial.digits);
	client_msg_clear(&m);
	assert_int_equal(parse(&m, "{\"type\":\"hangup\",\"call\":9007199254740991}", &why), 0);
	assert_int_equal(m.u.hangup.call, 9007199254740991);
	client_msg_clear(&m);
}

static void expect(char *text, const char *want)
{
	json_error_t e;
	assert_non_null(text);
	json_t *o = json_loads(text, 0, &e);
	assert_non_null(o);
	json_decref(o);
	assert_string_equal(text, want);
	free(text);
}

static void what_concerns_telephones_is_written(void **state)
{
	(void)state;
	expect(msg_room(&(struct room_policy_info){ .record = RECORD_BY_ALL, .number = "4711" }),
	       "{\"type\":\"room\",\"locked\":false,\"lobby\":false,\"guest_pin\":false,"
	       "\"host_pin\":false,\"record\":\"all\",\"unmute\":false,\"stereo\":false,"
	       "\"number\":\"4711\"}");
	expect(msg_call(&(struct call_info){ 9007199254740991, "ringing", "+49891", "", "", 0 }),
	       "{\"type\":\"call\",\"call\":9007199254740991,\"state\":\"ringing\","
	       "\"number\":\"+49891\"}");
	expect(msg_push(&(struct push_told){ 7, "live", "srt://h:1", "" }),
	       "{\"type\":\"push\",\"push\":7,\"state\":\"live\",\"to\":\"srt://h:1\"}");
	expect(msg_call(&(struct call_info){ 7, "failed", "1", "Ann", "No such number.", 4 }),
	       "{\"type\":\"call\",\"call\":7,\"state\":\"failed\",\"number\":\"1\","
	       "\"name\":\"Ann\",\"text\":\"No such number.\",\"leg\":4}");
	expect(msg_joined(&(struct participant){ .leg = 2, .name = "P", .kind = LEG_KIND_PHONE,
						 .number = "••••12" }),
	       "{\"type\":\"joined\",\"participant\":{\"leg\":2,\"name\":\"P\","
	       "\"audio_muted\":false,\"video_muted\":false,\"audio\":false,\"video\":false,"
	       "\"role\":\"participant\",\"hand\":false,\"kind\":\"phone\","
	       "\"number\":\"••••12\"}}");
}

static void messages_are_written(void **state)
{
	struct errmsg why = { .code = "bad_sdp", .text = "Line 3." };
	struct ice_server_info ice = { "turn:t:3478", "u", "c" };
	struct welcome_info w = { .leg = 1,
				  .room = "r",
				  .name = "n",
				  .resume = "s",
				  .version = "1.0",
				  .ice_servers = &ice,
				  .n_ice_servers = 1,
				  .canvas_width = 1280,
				  .canvas_height = 720,
				  .canvas_fps = 30,
				  .recording = {
					  .state = RECORDING_IS_ON, .id = "4", .by = "Ann" },
				  .host = true,
				  .policy = { .locked = true, .guest_pin = true,
					      .record = RECORD_BY_ALL } };
	struct leg_stats s = { .uplink = { 0.012345678, 3.14159, 20, 512.55 },
			       .downlink = { NAN, 0, 0, 0 },
			       .view_height = 360, .score = 4.44 };
	(void)state;
	expect(msg_welcome("7", &w),
	       "{\"type\":\"welcome\",\"id\":\"7\",\"leg\":1,\"room\":\"r\",\"name\":\"n\","
	       "\"resume\":\"s\","
	       "\"participants\":[],\"ice_servers\":[{\"urls\":\"turn:t:3478\",\"username\":\"u\","
	       "\"credential\":\"c\"}],\"canvas\":{\"width\":1280,\"height\":720,\"fps\":30},"
	       "\"recording\":{\"state\":\"on\",\"recording\":\"4\",\"by\":\"Ann\"},\"version\":"
	       "\"1.0\",\"role\":\"host\",\"room_policy\":{\"locked\":true,\"lobby\":false,"
	       "\"guest_pin\":true,\"host_pin\":false,\"record\":\"all\",\"unmute\":false,"
	       "\"stereo\":false}}");
	expect(msg_answer("", "v=0\r\n"), "{\"type\":\"answer\",\"sdp\":\"v=0\\r\\n\"}");
	expect(msg_error("a\"b", &why, true), "{\"type\":\"error\",\"id\":\"a\\\"b\",\"code\":"
					      "\"bad_sdp\",\"text\":\"Line 3.\",\"fatal\":true}");
	expect(msg_ice("candidate:1", "0"),
	       "{\"type\":\"ice\",\"candidate\":\"candidate:1\",\"mid\":\"0\"}");
	expect(msg_bye(NULL, "lost", NULL), "{\"type\":\"bye\",\"reason\":\"lost\"}");
	expect(msg_stats("q", &s), "{\"type\":\"stats\",\"id\":\"q\",\"uplink\":{\"loss\":0.0123,"
				   "\"jitter_ms\":3.1,\"rtt_ms\":20.0,"
				   "\"kbps\":512.6},\"downlink\":{\"loss\":0.0,\"jitter_ms\":0.0,"
				   "\"rtt_ms\":0.0,\"kbps\":0.0},"
				   "\"view_height\":360,\"score\":4.4}");
	strcpy(why.text, "bad \xff text");
	expect(msg_error(NULL, &why, false),
	       "{\"type\":\"error\",\"code\":\"bad_sdp\",\"text\":\"bad ? text\",\"fatal\":false}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_are_read),
		cmocka_unit_test(a_recording_is_chosen),
		cmocka_unit_test(wishes_are_read), cmocka_unit_test(sound_is_read),
		cmocka_unit_test(messages_of_rooms_are_read), cmocka_unit_test(chat_has_a_length),	cmocka_unit_test(wrong_messages_are_named),
		cmocka_unit_test(sizes_are_bounded),	cmocka_unit_test(names_have_rules),
		cmocka_unit_test(messages_are_written),
		cmocka_unit_test(what_concerns_telephones_is_written), cmocka_unit_test(calls_and_names_are_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
