#include "signaling/whip_sdpfrag.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "signaling/whip_request.h"
#include "tests/signaling/sdp_help.h"

#define UFRAG "a=ice-ufrag:abcd\r\n"
#define PWD "a=ice-pwd:0123456789012345678901\r\n"

static int parse(struct sdpfrag *f, const char *text, struct errmsg *why)
{
	return sdpfrag_parse(f, text, strlen(text), why);
}

static void a_fragment_is_read(void **state)
{
	struct sdpfrag f;
	struct errmsg why;
	(void)state;
	assert_int_equal(parse(&f,
			       UFRAG PWD "a=group:BUNDLE 0 1\na=ice-options:trickle\n\n"
			       "m=audio 9 RTP/AVP 0\r\na=candidate:1 first\r\na=mid:0\r\n"
			       "a=candidate:2 second\r\nm=video 9 RTP/AVP 0\r\n"
			       "a=candidate:3 third\r\na=end-of-candidates\r\n" UFRAG PWD "a=mid:v",
			       &why),
			 0);
	assert_string_equal(f.ufrag, "abcd");
	assert_string_equal(f.pwd, "0123456789012345678901");
	assert_int_equal(f.n, 3);
	assert_string_equal(f.candidate[0].mid, "0"); /* though it is said behind it */
	assert_string_equal(f.candidate[1].text, "candidate:2 second");
	assert_string_equal(f.candidate[2].mid, "v");
	assert_true(f.end);
	assert_int_equal(parse(&f, "", &why), 0);
	assert_false(f.n || f.end || f.ufrag[0]);
}

static void wrong_fragments(void **state)
{
	static const struct {
		const char *text, *says;
	} t[] = {
		{ UFRAG, "belong together" },
		{ PWD, "belong together" },
		{ "a=ice-ufrag:abc\r\n" PWD, "line 1: a=ice-ufrag" },
		{ UFRAG "a=ice-pwd:short\r\n", "line 2: a=ice-pwd" },
		{ "a=ice-ufrag:ab cd\r\n" PWD, "a=ice-ufrag" },
		{ UFRAG PWD "m=audio 9 RTP/AVP 0\r\na=ice-ufrag:other\r\n", "line 4: all sections" },
		{ "a=mid:\r\n", "a=mid" },
		{ "a=mid:012345678901234567890123456789012\r\n", "a=mid" },
		{ "a=mid:a b\r\n", "a=mid" },
		{ "hello\r\n", "line 1: a line must be" },
		{ "\r\nA=x\r\n", "line 2" },
		{ "a=x\001\r\n", "control character" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct sdpfrag f;
		struct errmsg why = { .code = "" };
		if (parse(&f, t[i].text, &why) != -EINVAL || !strstr(why.text, t[i].says))
			fail_msg("case %zu: %s", i, why.text);
		assert_string_equal(why.code, "bad_sdpfrag");
	}
}

static void limits(void **state)
{
	static struct sdpfrag f;
	struct errmsg why;
	char text[SDPFRAG_MAX_BYTES + 2];
	(void)state;
	text[0] = 0;
	for (int i = 0; i < 40; i++)
		strcat(text, "a=candidate:1 1 udp 1 192.0.2.1 1 typ host\n");
	assert_int_equal(parse(&f, text, &why), 0);
	assert_int_equal(f.n, SDPFRAG_MAX_CANDIDATES);
	memset(text, 'a', 300);
	memcpy(text, "a=candidate:", 12);
	text[300] = 0;
	assert_int_equal(parse(&f, text, &why), 0); /* too long for one: passed over */
	assert_int_equal(f.n, 0);
	memset(text, 'a', sizeof(text));
	text[1] = '=';
	assert_int_equal(sdpfrag_parse(&f, text, 1023, &why), 0);
	assert_int_equal(sdpfrag_parse(&f, text, 1024, &why), -EINVAL);
	assert_int_equal(sdpfrag_parse(&f, text, sizeof(text), &why), -EINVAL);
	for (int i = 0; i < 600; i++)
		memcpy(text + 4 * i, "a=x\n", 4);
	assert_int_equal(sdpfrag_parse(&f, text, 512 * 4, &why), 0);
	assert_int_equal(sdpfrag_parse(&f, text, 513 * 4, &why), -EINVAL);
}

static void an_offer_gets_new_credentials(void **state)
{
	struct sdp *offer = fixture_sdp("chromium-gathered");
	struct sdpfrag f;
	struct errmsg why;
	(void)state;
	assert_int_equal(parse(&f, UFRAG PWD "a=candidate:9 1 udp 1 192.0.2.1 1 typ host\n"
					     "a=end-of-candidates\n", &why), 0);
	assert_int_equal(sdpfrag_apply(offer, &f), 0);
	char *text = text_of(offer);
	static const char *const lines[] = { "m=audio", "a=ice-ufrag:abcd\r\n",
					     "a=ice-pwd:0123456789012345678901\r\n",
					     "a=candidate:9 1 udp", "a=end-of-candidates\r\n",
					     "m=video", "a=ice-ufrag:abcd\r\n",
					     "a=candidate:9 1 udp", NULL };
	expect_lines(text, lines);
	expect_none(text, "a=candidate:2601049331"); /* one of the earlier ones */
	free(text);
	sdp_free(&offer);
}

static void accept_is_looked_at(void **state)
{
	static const struct {
		const char *accept;
		int status;
	} t[] = {
		{ NULL, 0 },			 { "", 0 },
		{ "application/sdp", 0 },	 { "*/*", 0 },
		{ "text/html, Application/SDP;q=0.5", 0 }, { "text/html,application/*", 0 },
		{ "application/sdpx", 406 },	 { "text/html, text/plain", 406 },
		{ ",", 406 },			 { "text/html;x=application/sdp", 406 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct whip_request r = { .room = "r", .content_type = "APPLICATION/sdp; charset=x",
					  .accept = t[i].accept, .body_len = 1 };
		const char *token, *name;
		struct errmsg why;
		int status = whip_check_post(&r, "Somebody", &token, &name, &why);
		if (status != t[i].status)
			fail_msg("%s: %d", t[i].accept, status);
		if (!status)
			assert_string_equal(name, "Somebody");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fragment_is_read),
		cmocka_unit_test(wrong_fragments),
		cmocka_unit_test(limits),
		cmocka_unit_test(an_offer_gets_new_credentials),
		cmocka_unit_test(accept_is_looked_at),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
