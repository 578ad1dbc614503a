#include "signaling/sip_multipart.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define SDP "v=0\r\ns=-\r\n"
#define PART "Content-Type: application/sdp\r\n\r\n" SDP

static void parts(void **state)
{
	static const struct {
		const char *boundary, *body, *found;
	} rows[] = {
		{ "b", "--b\r\n" PART "\r\n--b--\r\n", SDP },
		{ "\"b c\"", "--b c\r\n" PART "\r\n--b c--", SDP },
		{ "b", "--b\r\n" PART "--b--", "v=0\r\ns=-" }, /* without a break of its own */
		{ "b", "--b\n" "c:application/SDP;x=\"y\"\nContent-Disposition: session\n\nv=0\n\n--b--\n", "v=0\n" },
		{ "b", "preamble\r\n--b\r\nContent-Type: application/isup\r\n\r\n\x01\r\n--b \t\r\n" PART
		       "\r\n--b\r\n\r\nother\r\n--b--\r\nepilogue", SDP },
		{ "b", "--b\r\nContent-Transfer-Encoding: BINARY\r\n" PART "\r\n--b--", SDP },
		{ "b", "--b\r\nContent-Transfer-Encoding: base64\r\n" PART "\r\n--b--", NULL },
		{ "b", "--b\r\n" PART "\r\n--bc--\r\n", NULL }, /* it has no end */
		{ "b", "--b\r\nContent-Type: application/sdpx\r\n\r\n" SDP "\r\n--b--", NULL },
		{ "b", "--b\r\nContent-Type: application/sdp\r\n\r\n--b--", NULL }, /* empty */
		{ "b", "--b--\r\n" PART "\r\n--b--", NULL },
		{ "b", "", NULL },
		{ "", "--\r\n" PART "\r\n----", NULL },
		{ "\"\"", "--\r\n" PART "\r\n----", NULL },
		{ "1234567890123456789012345678901234567890123456789012345678901234567890x",
		  "--1234567890123456789012345678901234567890123456789012345678901234567890x\r\n" PART
		  "\r\n--1234567890123456789012345678901234567890123456789012345678901234567890x--", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t len = 99, want = rows[i].found ? strlen(rows[i].found) : 0;
		const char *p = sip_multipart_find(rows[i].boundary, "application/sdp", rows[i].body,
						   strlen(rows[i].body), &len);
		if (!p != !rows[i].found || len != want || (p && memcmp(p, rows[i].found, len)))
			fail_msg("row %zu: \"%.*s\"", i, (int)len, p ? p : "");
	}
}

static void many_parts(void **state)
{
	char body[4000] = "";
	size_t len;

	(void)state;
	for (int i = 0; i < SIP_MULTIPART_MAX - 1; i++)
		strcat(body, "--b\r\n\r\nx\r\n");
	strcat(body, "--b\r\n" PART "\r\n--b--\r\n");
	assert_non_null(sip_multipart_find("b", "application/sdp", body, strlen(body), &len));
	memmove(body + 10, body, strlen(body) + 1);
	memcpy(body, "--b\r\n\r\nx\r\n", 10);
	assert_null(sip_multipart_find("b", "application/sdp", body, strlen(body), &len));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts),
		cmocka_unit_test(many_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
