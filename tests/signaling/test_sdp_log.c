#include "signaling/sdp_log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void lines_are_joined_and_secrets_left_out(void **state)
{
	static const char text[] = "v=0\r\na=ice-ufrag:abcd\r\na=ice-pwd:0123456789\n"
				   "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:key\r\nm=audio";
	char line[SDP_LOG_BYTES];
	(void)state;
	assert_int_equal(sdp_log_line(line, text, strlen(text)), strlen(text));
	assert_string_equal(line,
			    "v=0 | a=ice-ufrag:abcd | a=ice-pwd:... | a=crypto:... | m=audio");
	assert_int_equal(sdp_log_line(line, text, 0), 0);
	assert_int_equal(sdp_log_line(line, "\n", 1), 1);
	assert_string_equal(line, "");
}

/* Every line of the text is in exactly one of the log's, whole. */
static void long_texts_take_several(void **state)
{
	char text[4096] = "", line[SDP_LOG_BYTES], all[8192] = "";
	size_t len, n, lines = 0;
	(void)state;
	for (int i = 0; i < 100; i++)
		sprintf(text + strlen(text), "a=candidate:%d some words\r\n", i);
	len = strlen(text);
	for (const char *p = text; (n = sdp_log_line(line, p, len)); p += n, len -= n) {
		assert_true(strlen(line) < SDP_LOG_BYTES);
		lines++;
		strcat(all, line);
		strcat(all, " | ");
	}
	assert_true(lines > 5 && lines < 15);
	for (int i = 0; i < 100; i++) {
		sprintf(text, "a=candidate:%d some words | ", i);
		assert_non_null(strstr(all, text));
	}
}

static void a_line_too_long_is_cut(void **state)
{
	char text[2000], line[SDP_LOG_BYTES];
	(void)state;
	memset(text, 'x', sizeof text);
	text[999] = '\n';
	assert_int_equal(sdp_log_line(line, text, sizeof text), 1000);
	assert_int_equal(strlen(line), SDP_LOG_BYTES - 1);
	/* with a secret at the very end of the room */
	memset(text, 'y', SDP_LOG_BYTES - 12);
	strcpy(text + SDP_LOG_BYTES - 12, "\na=ice-pwd:secret\n");
	assert_int_equal(sdp_log_line(line, text, strlen(text)), SDP_LOG_BYTES - 11);
	assert_null(strstr(line, "ice"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_joined_and_secrets_left_out),
		cmocka_unit_test(long_texts_take_several),
		cmocka_unit_test(a_line_too_long_is_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
