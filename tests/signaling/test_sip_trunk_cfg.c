#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "signaling/sip_trunk.h"

static int parse(struct sip_trunk_cfg **c, const char *name, const char *json, struct errmsg *why)
{
	json_t *settings = json_loads(json, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	int err;

	assert_non_null(settings);
	err = sip_trunk_parse(c, name, settings, "secret", why);
	json_decref(settings);
	return err;
}

static void test_all_settings(void **state)
{
	struct sip_trunk_cfg *c = NULL;
	struct errmsg why;

	(void)state;
	assert_int_equal(parse(&c, "itsp",
			       "{\"uri\": \"sip:[2001:db8::1]:5070;transport=tcp\", \"user\": \"u\","
			       "\"auth_user\": \"a\", \"register\": true, \"expires_s\": 60, \"caller\": \"+1\","
			       "\"numbers\": [{\"number\": \"+1 (2) 3\", \"room\": \"r\"}, {\"number\": \"4\"}],"
			       "\"prefixes\": [\"\", \"+\"], \"addresses\": [\"192.0.2.1\", \"2001:db8::2\"],"
			       "\"srtp\": true, \"srtp_optional\": true}", &why), 0);
	assert_string_equal(c->host, "[2001:db8::1]:5070");
	assert_string_equal(c->password, "secret");
	assert_string_equal(c->auth_user, "a");
	assert_true(c->registers && c->srtp && c->srtp_optional);
	assert_int_equal(c->n_numbers, 2);
	assert_string_equal(c->numbers[0].number, "+123");
	assert_string_equal(c->numbers[1].room, "");
	assert_int_equal(c->n_prefixes, 2);
	assert_int_equal(c->n_addresses, 2);
	sip_trunk_cfg_free(&c);
	assert_null(c);
	assert_int_equal(parse(&c, "ip", "{\"uri\": \"sips:gw.example\"}", &why), 0);
	assert_string_equal(c->host, "gw.example");
	assert_int_equal(c->expires_s, 600);
	sip_trunk_cfg_free(&c);
}

static void test_what_is_wrong_is_named(void **state)
{
	static const struct {
		const char *json, *member;
	} t[] = {
		{ "[]", "object" },
		{ "{}", "\"uri\"" },
		{ "{\"uri\": 5}", "\"uri\"" },
		{ "{\"uri\": \"tel:1\"}", "\"uri\"" },
		{ "{\"uri\": \"sip:\"}", "\"uri\"" },
		{ "{\"uri\": \"sip:u@h\"}", "\"uri\"" },
		{ "{\"uri\": \"sip:h\\r\\nX: y\"}", "\"uri\"" },
		{ "{\"uri\": \"sip:h>\"}", "\"uri\"" },
		{ "{\"uri\": \"sip:h\", \"user\": \"a\\\"b\"}", "\"user\"" },
		{ "{\"uri\": \"sip:h\", \"user\": \"a\\u0000b\"}", "\"user\"" },
		{ "{\"uri\": \"sip:h\", \"register\": true}", "\"user\"" },
		{ "{\"uri\": \"sip:h\", \"register\": 1}", "\"register\"" },
		{ "{\"uri\": \"sip:h\", \"expires_s\": 59}", "\"expires_s\"" },
		{ "{\"uri\": \"sip:h\", \"expires_s\": \"600\"}", "\"expires_s\"" },
		{ "{\"uri\": \"sip:h\", \"numbers\": {}}", "\"numbers\"" },
		{ "{\"uri\": \"sip:h\", \"numbers\": [1]}", "\"numbers\"" },
		{ "{\"uri\": \"sip:h\", \"numbers\": [{\"number\": \"x\"}]}", "\"numbers\"" },
		{ "{\"uri\": \"sip:h\", \"numbers\": [{\"number\": \"1\", \"room\": \"a b\"}]}",
		  "\"numbers\"" },
		{ "{\"uri\": \"sip:h\", \"prefixes\": [5]}", "\"prefixes\"" },
		{ "{\"uri\": \"sip:h\", \"addresses\": [\"h\"]}", "\"addresses\"" },
		{ "{\"uri\": \"sip:h\", \"adresses\": []}", "\"adresses\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct sip_trunk_cfg *c = NULL;
		struct errmsg why = { .text = "" };

		assert_int_equal(parse(&c, "n", t[i].json, &why), -22);
		assert_string_equal(why.code, "trunk_invalid");
		if (!strstr(why.text, t[i].member))
			fail_msg("%s: %s", t[i].json, why.text);
		assert_null(c);
	}
}

static void test_names(void **state)
{
	static const char *const wrong[] = { "", "a/b", "a b", "a:b", "\xc3\xa4" };
	struct sip_trunk_cfg *c = NULL;
	struct errmsg why;

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_int_equal(parse(&c, wrong[i], "{\"uri\": \"sip:h\"}", &why), -22);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_settings),
		cmocka_unit_test(test_what_is_wrong_is_named),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
