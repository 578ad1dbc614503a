/* Reading fixtures and building policies for the tests of SDP. */
#ifndef MCU_TESTS_SIGNALING_SDP_HELP_H
#define MCU_TESTS_SIGNALING_SDP_HELP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "signaling/negotiate.h"

#define OUR_FINGERPRINT                                                                            \
	"sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:"                                 \
	"00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF"

static inline char *fixture_text(const char *name)
{
	char path[200];
	snprintf(path, sizeof(path), "tests/signaling/fixtures/%s.sdp", name);
	FILE *f = fopen(path, "rb");
	if (!f)
		fail_msg("cannot open %s; tests run from the root of the repository", path);
	char *text = calloc(1, 65536);
	size_t n = fread(text, 1, 65535, f);
	fclose(f);
	assert_true(n > 0);
	return text;
}

static inline struct sdp *parse_sdp(const char *text)
{
	struct sdp *s = NULL;
	struct errmsg why;
	if (sdp_parse(&s, text, strlen(text), &why))
		fail_msg("%s", why.text);
	return s;
}

static inline struct sdp *fixture_sdp(const char *name)
{
	char *text = fixture_text(name);
	struct sdp *s = parse_sdp(text);
	free(text);
	return s;
}

static inline char *text_of(const struct sdp *s)
{
	char *text = NULL;
	assert_int_equal(sdp_write(s, &text), 0);
	return text;
}

static const struct neg_abilities everything = {
	.rtx = true, .red = true, .stereo = false, .simulcast = true, .data = true
};

static inline struct neg_policy browser_policy(void)
{
	struct neg_policy p;
	neg_policy_browser(&p, &everything);
	p.ice_ufrag = "ourU";
	p.ice_pwd = "ourpwdourpwdourpwdourpwd";
	p.fingerprint = OUR_FINGERPRINT;
	p.cname = "mixer";
	p.stream_id = "room";
	p.session_id = 42;
	p.session_version = 1;
	p.media[NEG_ROLE_AUDIO].ssrc = 1111;
	p.media[NEG_ROLE_AUDIO].track_id = "mix";
	p.media[NEG_ROLE_CAMERA].ssrc = 2222;
	p.media[NEG_ROLE_CAMERA].rtx_ssrc = 2223;
	p.media[NEG_ROLE_CAMERA].track_id = "view";
	return p;
}

/* The lines of an SDP are each in it, in this order. */
static inline void expect_lines(const char *text, const char *const *lines)
{
	const char *p = text;
	for (; *lines; lines++) {
		const char *found = strstr(p, *lines);
		if (!found)
			fail_msg("\"%s\" is missing (or out of order) in\n%s", *lines, text);
		p = found + strlen(*lines);
	}
}

static inline void expect_none(const char *text, const char *line)
{
	if (strstr(text, line))
		fail_msg("\"%s\" should not be in\n%s", line, text);
}

#endif
