#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "signaling/protocol.h"

static struct client_msg msg;

static int parse(const char *text, struct errmsg *why)
{
	int err;

	client_msg_clear(&msg);
	err = client_msg_parse(&msg, text, strlen(text), why);
	return err;
}

static const struct layout_change *must_parse(const char *text)
{
	struct errmsg why;

	if (parse(text, &why))
		fail_msg("%s: %s", text, why.text);
	assert_int_equal(msg.type, CLIENT_MSG_LAYOUT);
	return &msg.u.layout;
}

static void test_nothing_is_unset(void **state)
{
	const struct layout_change *c = must_parse("{\"type\":\"layout\",\"fit\":null,\"pin\":null}");

	(void)state;
	assert_null(c->layout);
	assert_int_equal(c->crop, TRISTATE_UNSET);
	assert_int_equal(c->hide_no_video, TRISTATE_UNSET);
	assert_int_equal(c->order, ORDER_UNSET);
	assert_int_equal(c->max_tiles, 0);
	assert_int_equal(c->page, 0);
	assert_false(c->has_pin || c->has_regions);
}

static void test_all_members(void **state)
{
	const struct layout_change *c = must_parse(
		"{\"type\":\"layout\",\"layout\":\"speaker\",\"fit\":\"crop\",\"pin\":[7,null,0,9],"
		"\"hide_no_video\":true,\"order\":[3,4],\"max_tiles\":12,\"page\":2,\"custom\":["
		"{\"x\":0,\"y\":0,\"width\":1,\"height\":0.5,\"show\":\"speaker\"},"
		"{\"x\":0.25,\"y\":0.5,\"width\":0.5,\"height\":0.5,\"z\":-3,\"show\":\"content\"}]}");

	(void)state;
	assert_string_equal(c->layout, "speaker");
	assert_int_equal(c->crop, TRISTATE_TRUE);
	assert_true(c->has_pin);
	assert_int_equal(c->n_pins, 4);
	assert_int_equal(c->pin[0], 7);
	assert_int_equal(c->pin[1] + c->pin[2], 0);
	assert_int_equal(c->pin[3], 9);
	assert_int_equal(c->hide_no_video, TRISTATE_TRUE);
	assert_int_equal(c->order, ORDER_BY_HAND);
	assert_int_equal(c->n_hand, 2);
	assert_int_equal(c->hand[1], 4);
	assert_int_equal(c->max_tiles, 12);
	assert_int_equal(c->page, 2);
	assert_int_equal(c->n_regions, 2);
	assert_int_equal(c->region[0].show, SHOW_SPEAKER);
	assert_true(c->region[1].x > 0.24 && c->region[1].x < 0.26);
	assert_int_equal(c->region[1].z, -3);
	c = must_parse("{\"type\":\"layout\",\"max_tiles\":0,\"pin\":[],\"order\":\"speech\"}");
	assert_int_equal(c->max_tiles, -1);
	assert_true(c->has_pin && !c->n_pins);
	assert_int_equal(c->order, ORDER_BY_SPEECH);
}

static void test_overlays(void **state)
{
	const struct layout_change *c = must_parse(
		"{\"type\":\"layout\",\"overlays\":{\"banner\":\"Grüße, 여러분\",\"clock\":true,"
		"\"names\":false,\"background\":\"#1020fF\"}}");

	(void)state;
	assert_string_equal(c->banner, "Grüße, 여러분");
	assert_int_equal(c->clock, TRISTATE_TRUE);
	assert_int_equal(c->names, TRISTATE_FALSE);
	assert_int_equal(c->logo, TRISTATE_UNSET);
	assert_true(c->has_background && !c->background_picture && !c->background_default);
	assert_int_equal(c->background_rgb, 0x1020ff);
	c = must_parse("{\"type\":\"layout\",\"overlays\":{\"background\":\"picture\"}}");
	assert_true(c->has_background && c->background_picture);
	assert_null(c->banner);
	c = must_parse("{\"type\":\"layout\",\"overlays\":{\"background\":\"\"}}");
	assert_true(c->has_background && c->background_default);
}

static void test_what_is_wrong_is_named(void **state)
{
	static const struct {
		const char *members, *says;
	} bad[] = {
		{ "\"layout\":7", "\"layout\" must be a string" },
		{ "\"fit\":\"stretch\"", "\"fit\" must be \"fit\" or \"crop\"" },
		{ "\"pin\":7", "\"pin\" must be a list" },
		{ "\"pin\":[-1]", "\"pin\" must be a list" },
		{ "\"pin\":[4294967296]", "\"pin\" must be a list" },
		{ "\"order\":[0]", "\"order\" must be a list" },
		{ "\"order\":\"age\"", "\"order\" must be \"join\"" },
		{ "\"hide_no_video\":1", "must be true or false" },
		{ "\"max_tiles\":50", "from 0 to 49" },
		{ "\"max_tiles\":2.5", "from 0 to 49" },
		{ "\"page\":0", "from 1 to" },
		{ "\"overlays\":7", "\"overlays\" must be an object" },
		{ "\"overlays\":{\"clock\":1}", "must be true or false" },
		{ "\"overlays\":{\"banner\":\"a\\nb\"}", "must be one line" },
		{ "\"overlays\":{\"background\":\"#12345\"}", "must be a colour" },
		{ "\"overlays\":{\"background\":\"#1234567\"}", "must be a colour" },
		{ "\"overlays\":{\"background\":\"x\"}", "must be a colour" },
		{ "\"custom\":{}", "\"custom\" must be a list" },
		{ "\"custom\":[7]", "\"custom\" must be a list of regions" },
		{ "\"custom\":[{\"x\":0,\"y\":0,\"width\":1}]", "\"height\" of a region" },
		{ "\"custom\":[{\"x\":0,\"y\":0,\"width\":1,\"height\":1,\"z\":101}]", "-100 to 100" },
		{ "\"custom\":[{\"x\":0,\"y\":0,\"width\":1,\"height\":1,\"show\":\"me\"}]",
		  "\"show\" must be" },
		{ "\"pin\":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,"
		  "1,1,1,1,1,1,1,1,1,1,1,1,1]", "more than 49" },
	};
	char text[400];
	struct errmsg why;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		snprintf(text, sizeof text, "{\"type\":\"layout\",%s}", bad[i].members);
		if (!parse(text, &why))
			fail_msg("taken: %s", text);
		assert_string_equal(why.code, "bad_message");
		if (!strstr(why.text, bad[i].says))
			fail_msg("%s: \"%s\"", text, why.text);
	}
}

static void test_present(void **state)
{
	struct errmsg why;

	(void)state;
	assert_int_equal(parse("{\"type\":\"present\",\"on\":true}", &why), 0);
	assert_int_equal(msg.type, CLIENT_MSG_PRESENT);
	assert_true(msg.u.present.on);
	assert_true(parse("{\"type\":\"present\"}", &why) < 0);
	client_msg_clear(&msg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_is_unset),
		cmocka_unit_test(test_all_members),
		cmocka_unit_test(test_overlays),
		cmocka_unit_test(test_what_is_wrong_is_named),
		cmocka_unit_test(test_present),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
