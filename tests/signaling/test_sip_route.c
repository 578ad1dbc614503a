#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "signaling/sip_route.h"

static const struct sip_did dids[] = {
	{ "+49 30 1234-1", "lecture" }, { "49301234-2", "" }, { "+1555", "1555" }, { "7", "no/name\n" },
};

static void test_what_an_address_means(void **state)
{
	static const struct {
		const char *user, *host, *domain;
		bool trunk;
		enum sip_want want;
		const char *room;
	} t[] = {
		{ "demo", "192.0.2.1", "", false, SIP_WANT_ROOM, "demo" },
		{ "demo", "192.0.2.1", "conf.example", false, SIP_WANT_ROOM, "demo" },
		{ "demo", "2001:db8::1", "conf.example", false, SIP_WANT_ROOM, "demo" },
		{ "demo", "Conf.Example", "conf.example", false, SIP_WANT_ROOM, "demo" },
		{ "demo", "other.example", "conf.example", false, SIP_WANT_NOTHING, "" },
		{ "demo", "other.example", "", false, SIP_WANT_ROOM, "demo" },
		/* a trunk names us as it likes */
		{ "demo", "other.example", "conf.example", true, SIP_WANT_ROOM, "demo" },
		{ "bridge", "h", "", false, SIP_WANT_BRIDGE, "" },
		{ "b%72idge", "h", "", false, SIP_WANT_BRIDGE, "" },
		{ NULL, "h", "", false, SIP_WANT_BRIDGE, "" },
		{ "", "h", "", false, SIP_WANT_BRIDGE, "" },
		{ "my%20room", "h", "", false, SIP_WANT_NOTHING, "" },
		{ "my%2Droom", "h", "", false, SIP_WANT_ROOM, "my-room" },
		{ "%ED%9A%8C%EC%9D%98", "h", "", false, SIP_WANT_ROOM, "\xED\x9A\x8C\xEC\x9D\x98" },
		{ "demo;phone-context=x", "h", "", false, SIP_WANT_ROOM, "demo" },
		{ "a%00b", "h", "", false, SIP_WANT_NOTHING, "" },
		{ "a%0Ab", "h", "", false, SIP_WANT_NOTHING, "" },
		{ "a%4", "h", "", false, SIP_WANT_NOTHING, "" },
		{ "a%zz", "h", "", false, SIP_WANT_NOTHING, "" },
		{ "%ff", "h", "", false, SIP_WANT_NOTHING, "" },
		/* numbers */
		{ "+493012341", "h", "", true, SIP_WANT_ROOM, "lecture" },
		{ "493012341", "h", "", true, SIP_WANT_ROOM, "lecture" },
		{ "+49-30-1234-2", "h", "", true, SIP_WANT_BRIDGE, "" },
		{ "+493012342", "", "", true, SIP_WANT_BRIDGE, "" },
		{ "+493012341", "", "", true, SIP_WANT_ROOM, "lecture" },
		{ "+4999", "", "", true, SIP_WANT_BRIDGE, "" },
		{ "4999", "h", "", true, SIP_WANT_ROOM, "4999" },
		{ "7", "h", "", true, SIP_WANT_NOTHING, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct sip_route_cfg cfg = { .domain = t[i].domain, .bridge = "bridge",
					     .dids = t[i].trunk ? dids : NULL,
					     .n_dids = t[i].trunk ? 4 : 0, .trunk = t[i].trunk };
		char room[SIP_ROOM_MAX + 1] = "x";

		print_message("%s@%s\n", t[i].user ? t[i].user : "", t[i].host);
		assert_int_equal(sip_route_in(&cfg, t[i].user, t[i].host, room), t[i].want);
		assert_string_equal(room, t[i].room);
	}
}

static void test_a_name_that_is_too_long_is_none(void **state)
{
	struct sip_route_cfg cfg = { .domain = "", .bridge = "bridge" };
	char room[SIP_ROOM_MAX + 1], user[2000];

	(void)state;
	memset(user, 'a', sizeof user - 1);
	user[sizeof user - 1] = '\0';
	assert_int_equal(sip_route_in(&cfg, user, "h", room), SIP_WANT_NOTHING);
}

static void test_numbers(void **state)
{
	char out[8];

	(void)state;
	assert_true(sip_route_number("+1 (2)3-4.5", out, sizeof out));
	assert_string_equal(out, "+12345");
	assert_false(sip_route_number("", out, sizeof out));
	assert_false(sip_route_number("+", out, sizeof out));
	assert_false(sip_route_number("1+2", out, sizeof out));
	assert_false(sip_route_number("12a", out, sizeof out));
	assert_true(sip_route_number("1234567", out, sizeof out));
	assert_false(sip_route_number("12345678", out, sizeof out));
}

static void test_the_longest_prefix_wins(void **state)
{
	static const char *const p[] = { "", "+4", "+49", "0" };

	(void)state;
	assert_int_equal(sip_route_prefix("+4930", p, 4), 3);
	assert_int_equal(sip_route_prefix("+44", p, 4), 2);
	assert_int_equal(sip_route_prefix("110", p, 4), 0);
	assert_int_equal(sip_route_prefix("110", p + 1, 3), -1);
	assert_int_equal(sip_route_prefix("110", p, 0), -1);
}

static void test_addresses_that_lead_nowhere_else(void **state)
{
	static const struct {
		const char *address;
		bool plain;
	} t[] = {
		{ "ann@example.org", true }, { "ann@example.org:5070", true },
		{ "ann@192.0.2.1", true }, { "a@[2001:db8::1]:5061", true }, { "a@[::1]", true },
		{ "%C3%A9va@my-host_1.example.org", true }, { "ann:secret@example.org", true },
		{ "ann@example.org;transport=udp", true }, { "ann@example.org;TRANSPORT=Tls", true },
		{ "+4989@example.org:5060;user=phone;transport=tcp", true },
		/* parameters that send it elsewhere, and what might be taken for such */
		{ "ann@example.org;maddr=192.0.2.1", false }, { "a@b:5060;maddr=192.0.2.1", false },
		{ "ann@example.org;transport=tcp;MADDR=192.0.2.1", false },
		{ "ann@example.org;%6daddr=192.0.2.1", false }, { "a@b;transport=ws", false },
		{ "a@b;transport=%75dp", false }, { "a@b;transport=", false },
		{ "a@b;transport=udp ", false }, { "a@b;transport=udp;transport=tcp", false },
		{ "a@b;user=phone;user=phone", false }, { "a@b;user=ip", false },
		{ "a@b;method=REFER", false }, { "a@b;ttl=1", false }, { "a@b;lr", false },
		{ "a@b;", false }, { "a@b;;transport=udp", false }, { "a@b; transport=udp", false },
		{ "a@b;user=phone@c", false },
		/* header fields, further hosts */
		{ "a@b?Route=%3Csip:c;lr%3E", false }, { "a@b;transport=udp?Route=c", false },
		{ "a@b/c", false }, { "a@b#c", false }, { "a@b,c", false }, { "a@b@c", false },
		{ "a@b%40c", false }, { "a;maddr=c@b", false }, { "a?b@c", false },
		{ "a/b@c", false }, { "a#@b", false },
		/* hosts and ports that are none */
		{ "a@", false }, { "@b", false }, { "ab", false }, { "", false }, { "a@:5060", false },
		{ "a@b:", false }, { "a@b:0", false }, { "a@b:65536", false }, { "a@b:065535", false },
		{ "a@b:+1", false }, { "a@b:5060x", false }, { "a@[::1", false }, { "a@[]", false },
		{ "a@[b]", false }, { "a@[::1]x", false }, { "a@[::1%lo]", false },
		{ "a@[1111:1111:1111:1111:1111:1111:1111:1111:1111:1111]", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++)
		if (sip_route_is_plain(t[i].address) != t[i].plain)
			fail_msg("\"%s\"", t[i].address);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_an_address_means),
		cmocka_unit_test(test_a_name_that_is_too_long_is_none),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_addresses_that_lead_nowhere_else),
		cmocka_unit_test(test_the_longest_prefix_wins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
