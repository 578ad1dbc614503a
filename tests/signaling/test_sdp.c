#include "signaling/sdp.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/signaling/sdp_help.h"

#define HEAD "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"

static void a_description_is_read(void **state)
{
	struct sdp *s =
		parse_sdp("v=0\no=ann 12345678901234567890 3 IN IP6 2001:db8::1\ns=Call\nc=IN IP4 "
			  "192.0.2.1/127\nb=AS:512\nt=0 0\nr=7d 1h 0 25h\na=ice-lite\n"
			  "m=audio 5004/2 RTP/AVP 0 96\nc=IN IP6 "
			  "::1\nb=TIAS:64000\nb=X-YZ:1\na=rtpmap:96 a:b\n"
			  "m=video 0 X/Y z\ni=title\nk=x\na=flag\n");
	(void)state;
	assert_string_equal(s->origin_user, "ann");
	assert_true(s->session_id == 12345678901234567890ull);
	assert_int_equal(s->session_version, 3);
	assert_string_equal(s->origin.address, "2001:db8::1");
	assert_true(s->origin.ip6);
	assert_string_equal(s->conn.address, "192.0.2.1");
	assert_int_equal(s->bandwidth.as_kbps, 512);
	assert_int_equal(s->n_media, 2);
	const struct sdp_media *m = &s->media[0];
	assert_string_equal(m->kind, "audio");
	assert_int_equal(m->port, 5004);
	assert_int_equal(m->line, 9);
	assert_int_equal(m->n_formats, 2);
	assert_string_equal(m->format[1], "96");
	assert_string_equal(m->conn.address, "::1");
	assert_int_equal(m->bandwidth.tias_bps, 64000);
	assert_string_equal(sdp_value(s, m, "rtpmap"), "96 a:b");
	assert_true(sdp_has(s, m, "ice-lite"));
	assert_null(sdp_value(s, m, "ice-lite"));
	assert_false(sdp_has(s, m, "flag"));
	assert_true(sdp_has(s, &s->media[1], "flag"));
	sdp_free(&s);
	assert_null(s);
}

static void what_was_read_is_written_again(void **state)
{
	static const char *const names[] = { "chromium-gathered", "chromium-av-content",
					     "firefox-av-data", "firefox-gathered",
					     "chromium-av-data" };
	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *text = fixture_text(names[i]);
		struct sdp *s = parse_sdp(text);
		char *again = text_of(s);
		assert_string_equal(again, text);
		free(again);
		free(text);
		sdp_free(&s);
	}
}

static void errors_name_the_line(void **state)
{
	static const struct {
		const char *text, *says;
	} table[] = {
		{ "", "missing" },
		{ "o=- 1 1 IN IP4 x\r\n", "line 1: the first line is not v=0" },
		{ "v=1\r\n", "line 1: the version" },
		{ "v=0\r\ns=-\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n", "line 4: one of v= o= s= t=" },
		{ "v=0\r\no=- x 1 IN IP4 x\r\n", "line 2: expected o=" },
		{ "v=0\r\no=- 1 18446744073709551616 IN IP4 x\r\n", "line 2: expected o=" },
		{ "v=0\r\no=- 1 1 IN IP5 x\r\n", "line 2: expected IN IP4 or" },
		{ HEAD "c=IN IP4\r\n", "line 5: expected IN IP4 or" },
		{ HEAD "c=IN IP4 /5\r\n", "line 5: the address" },
		{ HEAD "b=AS\r\n", "line 5: expected b=" },
		{ HEAD "b=AS:-1\r\n", "line 5: expected b=" },
		{ HEAD "hello\r\n", "line 5: expected <letter>=<value>" },
		{ HEAD "A=x\r\n", "line 5: expected <letter>=<value>" },
		{ HEAD "a=\r\n", "line 5: expected a=" },
		{ HEAD "a=a b:c\r\n", "line 5: expected a=" },
		{ HEAD "\r\na=x\r\n", "line 6: the line before is empty" },
		{ HEAD "a=x\001y\r\n", "line 5: it has a control character" },
		{ HEAD "a=x\ry\r\n", "line 5: it has a control character" },
		{ HEAD "m=audio\r\n", "line 5: expected m=" },
		{ HEAD "m=audio 65536 RTP/AVP 0\r\n", "line 5: the port" },
		{ HEAD "m=audio 9x RTP/AVP 0\r\n", "line 5: the port" },
		{ HEAD "m=audio 9 RTP/AVP\r\n", "line 5: there is no format" },
		{ HEAD "m=0123456789abcdef 9 RTP/AVP 0\r\n", "line 5: expected m=" },
		{ HEAD "m=audio 9 RTP/AVP 0\r\ns=again\r\n", "line 6: a session line" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct sdp *s = NULL;
		struct errmsg why;
		assert_int_equal(sdp_parse(&s, table[i].text, strlen(table[i].text), &why),
				 -EINVAL);
		assert_null(s);
		assert_string_equal(why.code, "bad_sdp");
		if (!strstr(why.text, table[i].says))
			fail_msg("case %zu: \"%s\" lacks \"%s\"", i, why.text, table[i].says);
	}
}

/* A head and n times the line. */
static int parse_many(const char *line, size_t n, struct errmsg *why)
{
	size_t len = strlen(line);
	char *text = malloc(sizeof(HEAD) + n * len);
	char *p = stpcpy(text, HEAD);
	struct sdp *s = NULL;
	for (size_t i = 0; i < n; i++)
		p = stpcpy(p, line);
	int err = sdp_parse(&s, text, (size_t)(p - text), why);
	sdp_free(&s);
	free(text);
	return err;
}

static void limits_are_kept(void **state)
{
	struct errmsg why;
	char line[SDP_MAX_LINE_BYTES + 8];
	(void)state;
	assert_int_equal(parse_many("m=a 9 b 0\r\n", SDP_MAX_MEDIA, &why), 0);
	assert_int_equal(parse_many("m=a 9 b 0\r\n", SDP_MAX_MEDIA + 1, &why), -EINVAL);
	assert_non_null(strstr(why.text, "line 37: there are more than 32 m= lines"));
	assert_int_equal(parse_many("a=x\r\n", SDP_MAX_LINES - 4, &why), 0);
	assert_int_equal(parse_many("a=x\r\n", SDP_MAX_LINES - 3, &why), -EINVAL);
	memset(line, 'x', sizeof(line));
	memcpy(line, "a=", 2);
	strcpy(line + SDP_MAX_LINE_BYTES, "\r\n");
	assert_int_equal(parse_many(line, 1, &why), 0);
	strcpy(line + SDP_MAX_LINE_BYTES, "y\r\n");
	assert_int_equal(parse_many(line, 1, &why), -EINVAL);
	assert_int_equal(
		parse_many("a=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n", 1200, &why),
		-EINVAL);
	assert_non_null(strstr(why.text, "longer than 60000 octets"));
	struct sdp *s = NULL;
	assert_int_equal(sdp_parse(&s, HEAD "a=x\0y\r\n", sizeof(HEAD) + 6, &why), -EINVAL);
	assert_non_null(strstr(why.text, "zero octet"));
}

static void formats_have_a_limit(void **state)
{
	char text[sizeof(HEAD) + 400] = HEAD "m=a 9 b";
	struct errmsg why;
	struct sdp *s = NULL;
	(void)state;
	for (int i = 0; i < SDP_MAX_FORMATS; i++)
		strcat(text, " 0");
	assert_int_equal(sdp_parse(&s, text, strlen(text), &why), 0);
	sdp_free(&s);
	strcat(text, " 0");
	assert_int_equal(sdp_parse(&s, text, strlen(text), &why), -EINVAL);
}

static void a_description_is_built(void **state)
{
	struct sdp *s;
	(void)state;
	assert_int_equal(sdp_new(&s, 5, 6), 0);
	struct sdp_media *m = sdp_add_media(s, "audio", 9, "RTP/AVP");
	assert_int_equal(sdp_add_format(s, m, "0"), 0);
	assert_int_equal(sdp_add_attr(s, m, "ptime", "%d", 20), 0);
	assert_int_equal(sdp_add_flag(s, NULL, "ice-lite"), 0);
	assert_int_equal(sdp_add_attr(s, m, "x", "%s", "a\r\nm=evil"), -EINVAL);
	assert_int_equal(sdp_add_format(s, m, "1\n"), -EINVAL);
	char *text = text_of(s);
	assert_string_equal(text,
			    "v=0\r\no=- 5 6 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=ice-lite\r\n"
			    "m=audio 9 RTP/AVP 0\r\na=ptime:20\r\n");
	free(text);
	for (int i = 1; i < SDP_MAX_MEDIA; i++)
		assert_non_null(sdp_add_media(s, "video", 0, "x"));
	assert_null(sdp_add_media(s, "video", 0, "x"));
	sdp_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_description_is_read),
		cmocka_unit_test(what_was_read_is_written_again),
		cmocka_unit_test(errors_name_the_line),
		cmocka_unit_test(limits_are_kept),
		cmocka_unit_test(formats_have_a_limit),
		cmocka_unit_test(a_description_is_built),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
