#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "mcu/base/clock.h"
#include "signaling/sip_auth.h"

static const char here[] = "192.0.2.1";
static struct {
	struct sip_auth *a;
	int64_t now;
	char user[SIP_USER_MAX + 1];
} f;

static int setup(void **state)
{
	char md5[SIP_HASH_MAX + 1], sha[SIP_HASH_MAX + 1];

	(void)state;
	role_enter(ROLE_ID_NONE);
	f.now = 5000 * NS_PER_S;
	assert_int_equal(sip_auth_new(&f.a, "conf"), 0);
	sip_digest_ha1(md5, SIP_DIGEST_MD5, "ada", "conf", "secret");
	sip_digest_ha1(sha, SIP_DIGEST_SHA256, "ada", "conf", "secret");
	sip_auth_set_user(f.a, "ada", md5, sha);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	sip_auth_free(&f.a);
	return 0;
}

static void nonce_for(const char *address, enum sip_digest_alg alg, char nonce[SIP_NONCE_LEN + 1])
{
	char challenge[SIP_CHALLENGE_MAX];

	sip_auth_challenge(f.a, alg, false, address, f.now, challenge);
	assert_non_null(strstr(challenge, "realm=\"conf\""));
	assert_non_null(strstr(challenge, "qop=\"auth\""));
	assert_non_null(strstr(challenge, alg == SIP_DIGEST_MD5 ? "=MD5" : "=SHA-256"));
	memcpy(nonce, strstr(challenge, "nonce=\"") + 7, SIP_NONCE_LEN);
	nonce[SIP_NONCE_LEN] = '\0';
}

static void nonce_of(enum sip_digest_alg alg, char nonce[SIP_NONCE_LEN + 1])
{
	nonce_for(here, alg, nonce);
}

static enum sip_auth_verdict answer(enum sip_digest_alg alg, const char *nonce, const char *user,
				    const char *password, unsigned nc, const char *address)
{
	struct sip_digest d = { .alg = alg, .uri = "sip:conf", .cnonce = "c" };
	char ha1[SIP_HASH_MAX + 1], p[9][400];
	const char *params[10] = { 0 };

	snprintf(d.nonce, sizeof d.nonce, "%s", nonce);
	snprintf(d.nc_text, sizeof d.nc_text, "%08x", nc);
	sip_digest_ha1(ha1, alg, user, "conf", password);
	sip_digest_response(d.response, &d, ha1, "REGISTER");
	snprintf(p[0], 400, "username=\"%s\"", user);
	snprintf(p[1], 400, "realm=\"conf\"");
	snprintf(p[2], 400, "uri=\"sip:conf\"");
	snprintf(p[3], 400, "nonce=\"%s\"", nonce);
	snprintf(p[4], 400, "nc=%s", d.nc_text);
	snprintf(p[5], 400, "cnonce=\"c\"");
	snprintf(p[6], 400, "qop=auth");
	snprintf(p[7], 400, "algorithm=%s", sip_digest_alg_name(alg));
	snprintf(p[8], 400, "response=\"%s\"", d.response);
	for (int i = 0; i < 9; i++)
		params[i] = p[i];
	return sip_auth_check(f.a, params, "REGISTER", address, f.now, f.user);
}

static void test_right_by_either_algorithm(void **state)
{
	char nonce[SIP_NONCE_LEN + 1];

	(void)state;
	assert_int_equal(sip_auth_check(f.a, NULL, "REGISTER", here, f.now, f.user), SIP_AUTH_NONE);
	for (int alg = SIP_DIGEST_MD5; alg <= SIP_DIGEST_SHA256; alg++) {
		nonce_of(alg, nonce);
		assert_int_equal(answer(alg, nonce, "ada", "secret", 1, here), SIP_AUTH_RIGHT);
		assert_string_equal(f.user, "ada");
		assert_int_equal(answer(alg, nonce, "ada", "secret", 1, here), SIP_AUTH_STALE);
		assert_int_equal(answer(alg, nonce, "ada", "secret", 2, here), SIP_AUTH_RIGHT);
	}
	nonce_of(SIP_DIGEST_MD5, nonce);
	f.now += SIP_NONCE_LIFE_S * NS_PER_S;
	assert_int_equal(answer(SIP_DIGEST_MD5, nonce, "ada", "secret", 1, here), SIP_AUTH_STALE);
	sip_auth_forget_user(f.a, "ada");
	assert_false(sip_auth_knows(f.a, "ada"));
	nonce_of(SIP_DIGEST_MD5, nonce);
	assert_int_equal(answer(SIP_DIGEST_MD5, nonce, "ada", "secret", 1, here), SIP_AUTH_WRONG);
}

/* Who only writes somebody's address on his datagrams has no nonce that was sent there. */
static void test_nobody_is_locked_out_by_another(void **state)
{
	static const char *const garbage[] = { "realm=\"conf\"", NULL };
	char nonce[4][SIP_NONCE_LEN + 1];

	(void)state;
	nonce_of(SIP_DIGEST_MD5, nonce[0]); /* is old by then */
	f.now += SIP_NONCE_LIFE_S * NS_PER_S;
	nonce_for("192.0.2.66", SIP_DIGEST_MD5, nonce[1]); /* his own */
	snprintf(nonce[2], sizeof nonce[2], "%s", "made up");
	nonce_of(SIP_DIGEST_MD5, nonce[3]);
	nonce[3][SIP_NONCE_LEN - 1] ^= 1;
	for (unsigned i = 1; i <= 5 * SIP_WRONG_BURST; i++) {
		for (int k = 0; k < 4; k++)
			assert_int_equal(answer(SIP_DIGEST_MD5, nonce[k], "ada", "guess", i, here),
					 SIP_AUTH_STALE);
		assert_int_equal(sip_auth_check(f.a, garbage, "REGISTER", here, f.now, f.user),
				 SIP_AUTH_BAD);
	}
	/* nor does he learn whether a password is right */
	assert_int_equal(answer(SIP_DIGEST_MD5, nonce[1], "ada", "secret", 1, here), SIP_AUTH_STALE);
	nonce_of(SIP_DIGEST_MD5, nonce[0]);
	assert_int_equal(answer(SIP_DIGEST_MD5, nonce[0], "ada", "secret", 1, here), SIP_AUTH_RIGHT);
}

static void test_wrong_ones_are_limited_by_source(void **state)
{
	char nonce[SIP_NONCE_LEN + 1], other[SIP_NONCE_LEN + 1];

	(void)state;
	nonce_of(SIP_DIGEST_SHA256, nonce);
	for (unsigned i = 1; i <= SIP_WRONG_BURST; i++)
		assert_int_equal(answer(SIP_DIGEST_SHA256, nonce, i % 2 ? "ada" : "eve", "guess", i, here),
				 SIP_AUTH_WRONG);
	/* Even the right one is not looked at now. */
	assert_int_equal(answer(SIP_DIGEST_SHA256, nonce, "ada", "secret", 90, here),
			 SIP_AUTH_LIMITED);
	nonce_for("192.0.2.2", SIP_DIGEST_SHA256, other);
	assert_int_equal(answer(SIP_DIGEST_SHA256, other, "ada", "secret", 91, "192.0.2.2"),
			 SIP_AUTH_RIGHT);
	f.now += 7 * NS_PER_S;
	assert_int_equal(answer(SIP_DIGEST_SHA256, nonce, "ada", "secret", 92, here), SIP_AUTH_RIGHT);
}

static void test_garbage_is_bad_and_another_realm_is_nothing(void **state)
{
	static const char *const garbage[] = { "username=\"ada\"", NULL };
	static const char *const other[] = {
		"username=\"ada\"", "realm=\"else\"", "uri=u", "nonce=n", "nc=00000001", "cnonce=c",
		"qop=auth", "response=\"8ca523f5e9506fed4657c9700eebdbec\"", NULL
	};

	(void)state;
	assert_int_equal(sip_auth_check(f.a, garbage, "REGISTER", here, f.now, f.user),
			 SIP_AUTH_BAD);
	assert_string_equal(f.user, "");
	assert_int_equal(sip_auth_check(f.a, other, "REGISTER", here, f.now, f.user), SIP_AUTH_NONE);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_right_by_either_algorithm), T(test_wrong_ones_are_limited_by_source),
		T(test_nobody_is_locked_out_by_another),
		T(test_garbage_is_bad_and_another_realm_is_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
