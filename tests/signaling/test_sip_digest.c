#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "mcu/base/clock.h"
#include "signaling/sip_digest.h"

/* RFC 7616, 3.9.1: both algorithms on one request. */
#define COMMON                                                                             \
	"username=\"Mufasa\"", "realm=\"http-auth@example.org\"", "uri=\"/dir/index.html\"", \
	"nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\"", "nc=00000001",           \
	"cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\"", "qop=auth",              \
	"opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""

static void test_the_examples_of_the_rfc(void **state)
{
	static const struct {
		const char *params[11];
		enum sip_digest_alg alg;
	} t[] = {
		{ { COMMON, "algorithm=MD5", "response=\"8ca523f5e9506fed4657c9700eebdbec\"", NULL },
		  SIP_DIGEST_MD5 },
		{ { COMMON, "algorithm=SHA-256", "response=\"753927fa0e85d155564e2e272a28d1802ca10daf449"
		    "6794697cf8db5856cb6c1\"", NULL }, SIP_DIGEST_SHA256 },
	};
	struct sip_digest d;
	char ha1[SIP_HASH_MAX + 1];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(sip_digest_read(&d, t[i].params), 0);
		assert_int_equal(d.alg, t[i].alg);
		assert_int_equal(d.nc, 1);
		sip_digest_ha1(ha1, d.alg, d.user, d.realm, "Circle of Life");
		assert_true(sip_digest_is_right(&d, ha1, "GET"));
		assert_false(sip_digest_is_right(&d, ha1, "REGISTER"));
		sip_digest_ha1(ha1, d.alg, d.user, d.realm, "Circle of life");
		assert_false(sip_digest_is_right(&d, ha1, "GET"));
	}
}

#define MD5_OK "response=\"8ca523f5e9506fed4657c9700eebdbec\""

static void test_what_is_no_digest(void **state)
{
	static char long_user[400] = "username=\"";
	static const char *const wrong[][12] = {
		{ NULL },
		{ "username=\"a\"", NULL },
		{ COMMON, NULL },
		{ COMMON, "response=\"12\"", NULL },
		{ COMMON, MD5_OK, "algorithm=SHA-256", NULL },
		{ COMMON, MD5_OK, "algorithm=MD5-sess", NULL },
		{ COMMON, MD5_OK, "username=\"other\"", NULL },
		{ COMMON, MD5_OK, "nc=00000002", NULL },
		{ COMMON, MD5_OK, "algorithm=MD5", "algorithm=MD5", NULL },
		{ "username=\"a\"", "realm=r", "uri=u", "nonce=n", "nc=00000000", "cnonce=c", "qop=auth",
		  MD5_OK, NULL },
		{ "username=\"a\"", "realm=r", "uri=u", "nonce=n", "nc=1", "cnonce=c", "qop=auth", MD5_OK,
		  NULL },
		{ "username=\"a\"", "realm=r", "uri=u", "nonce=n", "nc=00000001", "cnonce=c",
		  "qop=auth-int", MD5_OK, NULL },
		{ "username=\"a\"", "realm=r", "uri=u", "nonce=n", MD5_OK, NULL }, /* without qop */
		{ "username=\"a", "realm=r", "uri=u", "nonce=n", "nc=00000001", "cnonce=c", "qop=auth",
		  MD5_OK, NULL },
		{ "username=\"a\\", "realm=r", "uri=u", "nonce=n", "nc=00000001", "cnonce=c", "qop=auth",
		  MD5_OK, NULL },
		{ "username=\"a\"b", "realm=r", "uri=u", "nonce=n", "nc=00000001", "cnonce=c", "qop=auth",
		  MD5_OK, NULL },
		{ long_user, "realm=r", "uri=u", "nonce=n", "nc=00000001", "cnonce=c", "qop=auth", MD5_OK,
		  NULL },
	};
	struct sip_digest d;

	(void)state;
	memset(long_user + 10, 'x', 300);
	strcat(long_user, "\"");
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		if (!sip_digest_read(&d, wrong[i]))
			fail_msg("row %zu was taken", i);
	assert_int_equal(sip_digest_read(&d, NULL), -22);
}

static char *value_of(char *credentials, const char *name, char out[200])
{
	char *p = strstr(credentials, name);

	assert_non_null(p);
	p += strlen(name);
	snprintf(out, 200, "%.*s", (int)strcspn(p + (*p == '"'), *p == '"' ? "\"" : ","), p + (*p == '"'));
	return out;
}

static void test_what_we_answer_is_right(void **state)
{
	static const struct {
		const char *params[6];
		int rank;
		enum sip_digest_alg alg;
	} t[] = {
		{ { "realm=\"r\"", "nonce=\"n\"", "qop=\"auth-int,auth\"", "algorithm=SHA-256" }, 2,
		  SIP_DIGEST_SHA256 },
		{ { "realm=\"r\"", "nonce=\"n\"", "qop=\"auth\"", "algorithm=md5", "opaque=\"o\"" }, 1,
		  SIP_DIGEST_MD5 },
		{ { "realm=\"r\"", "nonce=\"n\"", "qop=\"auth\"" }, 1, SIP_DIGEST_MD5 },
		{ { "realm=\"r\"", "nonce=\"n\"", "qop=\"auth-int\"" }, 0, 0 },
		{ { "realm=\"r\"", "nonce=\"n\"", "algorithm=SHA-512-256" }, 0, 0 },
		{ { "realm=\"r\"" }, 0, 0 },
		{ { "realm=\"r\"", "nonce=\"n\\\"x\"" }, 0, 0 },
	};
	char out[SIP_CREDENTIALS_MAX], ha1[SIP_HASH_MAX + 1], v[200];

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct sip_digest d = { .alg = t[i].alg };

		assert_int_equal(sip_digest_rank(t[i].params), t[i].rank);
		assert_int_equal(sip_digest_answer(out, t[i].params, "REGISTER", "sip:h", "u", "p"),
				 t[i].rank ? 0 : -22);
		if (!t[i].rank)
			continue;
		strcpy(d.nonce, "n");
		strcpy(d.uri, "sip:h");
		strcpy(d.nc_text, "00000001");
		snprintf(d.cnonce, sizeof d.cnonce, "%s", value_of(out, "cnonce=", v));
		snprintf(d.response, sizeof d.response, "%.64s", value_of(out, "response=", v));
		sip_digest_ha1(ha1, t[i].alg, "u", "r", "p");
		assert_true(sip_digest_is_right(&d, ha1, "REGISTER"));
	}
	assert_non_null(strstr(out, "algorithm=MD5"));
	/* RFC 2617 without qop: H(HA1:nonce:HA2), computed elsewhere */
	assert_int_equal(sip_digest_answer(out, (const char *const[]){ "realm=\"r\"", "nonce=\"n\"", NULL },
					   "REGISTER", "sip:h", "u", "p"), 0);
	assert_null(strstr(out, "qop"));
	assert_string_equal(value_of(out, "response=", v), "f7949f33797a7abbe390eaa95b1ca294");
}

static void test_quotes_are_taken_away(void **state)
{
	static const char *const p[] = { "Username=\"a\\\"b\\\\c\"", "realm=r", "uri=u", "nonce=n",
					 "nc=0000000A", "cnonce=\"\\c\"", "qop=\"auth\"", MD5_OK, NULL };
	struct sip_digest d;

	(void)state;
	assert_int_equal(sip_digest_read(&d, p), 0);
	assert_string_equal(d.user, "a\"b\\c");
	assert_string_equal(d.cnonce, "c");
	assert_int_equal(d.nc, 10);
}

static void test_a_nonce_holds_for_its_time_and_counts_up(void **state)
{
	char nonce[SIP_NONCE_LEN + 1], other[SIP_NONCE_LEN + 1];
	int64_t now = 1000 * NS_PER_S;
	struct sip_nonces *n, *m;

	(void)state;
	assert_int_equal(sip_nonces_new(&n, 8, 60 * NS_PER_S), 0);
	assert_int_equal(sip_nonces_new(&m, 8, 60 * NS_PER_S), 0);
	sip_nonces_make(n, "192.0.2.1", nonce, now);
	sip_nonces_make(n, "192.0.2.1", other, now);
	assert_string_not_equal(nonce, other);
	assert_false(sip_nonces_use(m, nonce, "192.0.2.1", 1, now)); /* of another key */
	assert_false(sip_nonces_use(n, nonce, "192.0.2.2", 1, now)); /* of another source */
	assert_false(sip_nonces_valid(n, nonce, "192.0.2.2", now));
	assert_true(sip_nonces_valid(n, nonce, "192.0.2.1", now));
	assert_true(sip_nonces_use(n, nonce, "192.0.2.1", 1, now));
	assert_true(sip_nonces_valid(n, nonce, "192.0.2.1", now + 59 * NS_PER_S)); /* used, not old */
	assert_false(sip_nonces_valid(n, nonce, "192.0.2.1", now + 60 * NS_PER_S));
	assert_false(sip_nonces_use(n, nonce, "192.0.2.1", 1, now));
	assert_true(sip_nonces_use(n, nonce, "192.0.2.1", 3, now));
	assert_false(sip_nonces_use(n, nonce, "192.0.2.1", 2, now));
	assert_true(sip_nonces_use(n, nonce, "192.0.2.1", 4, now + 59 * NS_PER_S));
	assert_false(sip_nonces_use(n, nonce, "192.0.2.1", 5, now + 60 * NS_PER_S));
	assert_false(sip_nonces_use(n, other, "192.0.2.1", 1, now + 60 * NS_PER_S));
	assert_false(sip_nonces_use(n, other, "192.0.2.1", 1, now - 5 * NS_PER_S)); /* not made yet */
	other[30] = other[30] == 'a' ? 'b' : 'a';
	assert_false(sip_nonces_use(n, other, "192.0.2.1", 1, now));
	assert_false(sip_nonces_use(n, "", "192.0.2.1", 1, now));
	sip_nonces_free(&n);
	sip_nonces_free(&m);
	assert_null(n);
}

static void test_what_was_forgotten_for_space_is_not_taken_again(void **state)
{
	char nonce[20][SIP_NONCE_LEN + 1];
	int64_t now = 1000 * NS_PER_S;
	struct sip_nonces *n;

	(void)state;
	assert_int_equal(sip_nonces_new(&n, 4, 60 * NS_PER_S), 0);
	for (int i = 0; i < 20; i++)
		sip_nonces_make(n, "192.0.2.1", nonce[i], now + i * NS_PER_S);
	now += 20 * NS_PER_S;
	for (int i = 0; i < 19; i++)
		assert_true(sip_nonces_use(n, nonce[i], "192.0.2.1", 1, now));
	for (int i = 0; i < 19; i++)
		assert_false(sip_nonces_use(n, nonce[i], "192.0.2.1", 1, now));
	assert_true(sip_nonces_use(n, nonce[19], "192.0.2.1", 1, now));
	sip_nonces_free(&n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_examples_of_the_rfc),
		cmocka_unit_test(test_what_is_no_digest),
		cmocka_unit_test(test_what_we_answer_is_right),
		cmocka_unit_test(test_quotes_are_taken_away),
		cmocka_unit_test(test_a_nonce_holds_for_its_time_and_counts_up),
		cmocka_unit_test(test_what_was_forgotten_for_space_is_not_taken_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
