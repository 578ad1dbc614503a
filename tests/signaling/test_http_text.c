#include "signaling/http_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void paths_stay_inside(void **state)
{
	static const struct {
		const char *path;
		bool safe;
	} t[] = {
		{ "/", true },	     { "/a", true },	  { "/a/b.js", true },
		{ "/a/", true },     { "/a..b/c", true }, { "", false },
		{ "a", false },	     { "/..", false },	  { "/a/../b", false },
		{ "/a/..", false },  { "/.", false },	  { "/.git/config", false },
		{ "/a/./b", false }, { "//a", false },	  { "/a//b", false },
		{ "/a\\b", false },  { "/a\nb", false },  { "/a\x7f", false },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		if (http_path_safe(t[i].path) != t[i].safe)
			fail_msg("%s", t[i].path);
}

static void ranges_are_read(void **state)
{
	static const struct {
		const char *value;
		uint64_t size;
		enum http_range want;
		uint64_t first, last;
	} t[] = {
		{ NULL, 10, HTTP_RANGE_NONE, 0, 0 },
		{ "bytes=0-", 10, HTTP_RANGE_OK, 0, 9 },
		{ "bytes=3-5", 10, HTTP_RANGE_OK, 3, 5 },
		{ "Bytes= 3-5 ", 10, HTTP_RANGE_OK, 3, 5 },
		{ "bytes=3-99", 10, HTTP_RANGE_OK, 3, 9 },
		{ "bytes=9-9", 10, HTTP_RANGE_OK, 9, 9 },
		{ "bytes=-3", 10, HTTP_RANGE_OK, 7, 9 },
		{ "bytes=-30", 10, HTTP_RANGE_OK, 0, 9 },
		{ "bytes=10-", 10, HTTP_RANGE_BAD, 0, 0 },
		{ "bytes=0-", 0, HTTP_RANGE_BAD, 0, 0 },
		{ "bytes=-0", 10, HTTP_RANGE_BAD, 0, 0 },
		{ "bytes=-1", 0, HTTP_RANGE_BAD, 0, 0 },
		{ "bytes=5-3", 10, HTTP_RANGE_NONE, 0, 0 },
		{ "bytes=1-2,4-5", 10, HTTP_RANGE_NONE, 0, 0 },
		{ "bytes=a-", 10, HTTP_RANGE_NONE, 0, 0 },
		{ "bytes=", 10, HTTP_RANGE_NONE, 0, 0 },
		{ "bytes=-", 10, HTTP_RANGE_NONE, 0, 0 },
		{ "lines=1-2", 10, HTTP_RANGE_NONE, 0, 0 },
		{ "bytes=99999999999999999999-", 10, HTTP_RANGE_BAD, 0, 0 },
		{ "bytes=0-18446744073709551615", 10, HTTP_RANGE_OK, 0, 9 },
		{ "bytes=3-99999999999999999999999999", 10, HTTP_RANGE_OK, 3, 9 },
		{ "bytes=-99999999999999999999999999", 10, HTTP_RANGE_OK, 0, 9 },
		{ "bytes=18446744073709551600-18446744073709551599", 10, HTTP_RANGE_NONE, 0, 0 },
		{ "bytes=--1", 10, HTTP_RANGE_NONE, 0, 0 },
		{ "bytes=0x1-", 10, HTTP_RANGE_NONE, 0, 0 },
		{ "bytes=0-0,-1", 10, HTTP_RANGE_NONE, 0, 0 },
		{ "bytes=4294967296-", 4294967299, HTTP_RANGE_OK, 4294967296, 4294967298 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		uint64_t first = 0, last = 0;
		enum http_range got = http_range_parse(t[i].value, t[i].size, &first, &last);
		if (got != t[i].want ||
		    (got == HTTP_RANGE_OK && (first != t[i].first || last != t[i].last)))
			fail_msg("case %zu: %d %llu-%llu", i, (int)got, (unsigned long long)first,
				 (unsigned long long)last);
	}
}

static void tags_are_compared(void **state)
{
	(void)state;
	assert_true(http_etag_in("\"a\"", "\"a\""));
	assert_true(http_etag_in("\"x\", W/\"a\"", "\"a\""));
	assert_true(http_etag_in("*", "\"a\""));
	assert_false(http_etag_in("\"ab\"", "\"a\""));
	assert_false(http_etag_in("\"a\"b", "\"a\""));
	assert_false(http_etag_in("", "\"a\""));
	assert_false(http_etag_in(NULL, "\"a\""));
}

static void compressed_is_for_those_who_take_it(void **state)
{
	static const char *const yes[] = { "gzip", "deflate, gzip;q=0.5", "GZIP ; q=1", "*",
					   "br;q=0, *;q=0.1", "identity,gzip" };
	static const char *const no[] = { "", "br", "gzip;q=0", "gzip; q=0.000", "*;q=0", "xgzip",
					  "gzipx", "gzip;q=0, *", ";;,,", "identity" };
	(void)state;
	assert_false(http_accepts_gzip(NULL));
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		if (!http_accepts_gzip(yes[i]))
			fail_msg("%s", yes[i]);
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		if (http_accepts_gzip(no[i]))
			fail_msg("%s", no[i]);
}

static void types_come_from_the_ending(void **state)
{
	(void)state;
	assert_string_equal(http_mime_type("/x/a.MJS"), "text/javascript; charset=utf-8");
	assert_string_equal(http_mime_type("/x.js/a"), "application/octet-stream");
	assert_string_equal(http_mime_type("a.mp4"), "video/mp4");
	assert_string_equal(http_mime_type("noend"), "application/octet-stream");
}

static void a_long_name_is_cut(void **state)
{
	char out[100], name[500];
	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = 0;
	http_disposition(out, sizeof(out), name);
	assert_true(strlen(out) < sizeof(out));
	http_disposition(out, sizeof(out), "a\"\r\nb");
	assert_string_equal(out, "attachment; filename=\"a___b\"; filename*=UTF-8''a%22%0D%0Ab");
}

static void add(void *obj, const char *name, size_t name_len, const char *value, size_t value_len)
{
	char *seen = obj;
	sprintf(seen + strlen(seen), "[%.*s=%.*s]", (int)name_len, name, (int)value_len, value);
}

static void patterns_match(void **state)
{
	static const struct {
		const char *pattern, *path;
		bool fits;
		const char *seen;
	} t[] = {
		{ "/a", "/a", true, "" },
		{ "/a", "/ab", false, "" },
		{ "/a/", "/a", false, "" },
		{ "/a/:x", "/a/b", true, "[x=b]" },
		{ "/a/:x", "/a/", false, "" },
		{ "/a/:x", "/a/b/c", false, "[x=b]" },
		{ "/a/:x/c/:y", "/a/b/c/d", true, "[x=b][y=d]" },
		{ "/a/*", "/a/b/c", true, "[*=b/c]" },
		{ "/a/*", "/a/", true, "[*=]" },
		{ "/a/*", "/a", false, "" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		char seen[100] = "";
		assert_int_equal(http_pattern_match(t[i].pattern, t[i].path, add, seen), t[i].fits);
		assert_string_equal(seen, t[i].seen);
	}
}

static void credentials(void **state)
{
	char name[12];
	const char *password = NULL;
	(void)state;
	assert_string_equal(http_auth_bearer("Bearer abc"), "abc");
	assert_string_equal(http_auth_bearer("bearer   abc"), "abc");
	assert_null(http_auth_bearer("Bearerabc"));
	assert_null(http_auth_bearer("Basic YTpi"));
	assert_null(http_auth_bearer(NULL));
	assert_true(http_auth_basic("Basic YTpiOmM=", name, sizeof(name), &password)); /* a:b:c */
	assert_string_equal(name, "a");
	assert_string_equal(password, "b:c");
	assert_true(http_auth_basic("basic Og==", name, sizeof(name), &password)); /* : */
	assert_string_equal(name, "");
	assert_string_equal(password, "");
	/* none, no colon, a NUL in it, too long */
	assert_false(http_auth_basic(NULL, name, sizeof(name), &password));
	assert_false(http_auth_basic("Basic YWJj", name, sizeof(name), &password));
	assert_false(http_auth_basic("Basic YQA6Yg==", name, sizeof(name), &password));
	assert_false(http_auth_basic("Basic YTphYWFhYWFhYWFh", name, sizeof(name), &password));
	assert_string_equal(name, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_stay_inside),  cmocka_unit_test(ranges_are_read),
		cmocka_unit_test(tags_are_compared),
		cmocka_unit_test(compressed_is_for_those_who_take_it),
		cmocka_unit_test(types_come_from_the_ending),
		cmocka_unit_test(a_long_name_is_cut), cmocka_unit_test(patterns_match),
		cmocka_unit_test(credentials),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
