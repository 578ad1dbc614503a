/* Files: the page's, and those of routes; whole, in part, compressed, unchanged. */
#include "tests/signaling/http_rig.h"

#include <zlib.h>

static void pages_are_served(void **state)
{
	static const char *const pages[] = { "/", "/index.html", "/r/my-room" };
	struct reply r;
	for (size_t i = 0; i < 3; i++) {
		get(*state, pages[i], "", &r);
		assert_int_equal(r.status, 200);
		assert_string_equal(r.body, "<!doctype html>");
		assert_true(reply_has(&r, "content-type: text/html; charset=utf-8"));
		assert_true(reply_has(&r, "cache-control: no-cache"));
		reply_clear(&r);
	}
	get(*state, "/app.js", "", &r);
	assert_int_equal(r.status, 200);
	assert_true(reply_has(&r, "content-type: text/javascript; charset=utf-8"));
	reply_clear(&r);
	get(*state, "/empty.css", "", &r);
	assert_int_equal(r.status, 200);
	assert_int_equal(r.len, 0);
	assert_true(reply_has(&r, "content-length: 0"));
	reply_clear(&r);
	ask(*state, "HEAD /app.js HTTP/1.1\r\nHost: x\r\n\r\n", &r);
	assert_int_equal(r.status, 200);
	assert_true(reply_has(&r, "content-length: 10"));
	reply_clear(&r);
}

static void nothing_outside_the_folder(void **state)
{
	static const char *const paths[] = {
		"/../../../../etc/passwd.txt",
		"/%2e%2e/%2e%2e/%2e%2e/etc/passwd.x",
		"/..%2f..%2fetc/x.y",
		"/a/../../x.js",
		"/.secret",
		"//etc/hosts.txt",
		"/x%00.js",
		"/..\\..\\x.js",
		"/none.js",
	};
	struct fixture *f = *state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct client c;
		struct reply r;
		client_open(&c, f->port);
		char *req = g_strdup_printf("GET %s HTTP/1.1\r\nHost: x\r\n\r\n", paths[i]);
		client_text(&c, req);
		if (client_reply(&c, &r, false)) /* or cut off by libwebsockets */
			assert_in_range(r.status, 400, 404);
		reply_clear(&r);
		g_free(req);
		client_close(&c);
	}
}

static void a_big_file_comes_whole(void **state)
{
	struct reply r;
	get(*state, "/big.bin", "", &r);
	assert_int_equal(r.status, 200);
	assert_int_equal(r.len, BIG);
	for (size_t i = 0; i < BIG; i++)
		if ((unsigned char)r.body[i] != big_octet(i))
			fail_msg("octet %zu differs", i);
	assert_true(reply_has(&r, "accept-ranges: bytes"));
	reply_clear(&r);
}

static void ranges_are_served(void **state)
{
	struct reply r;
	get(*state, "/files/big.bin", "Range: bytes=65530-131080\r\n", &r);
	assert_int_equal(r.status, 206);
	assert_int_equal(r.len, 131080 - 65530 + 1);
	for (size_t i = 0; i < r.len; i++)
		if ((unsigned char)r.body[i] != big_octet(65530 + i))
			fail_msg("octet %zu differs", i);
	assert_true(reply_has(&r, "content-range: bytes 65530-131080/197385"));
	assert_true(reply_has(&r, "content-type: video/mp4"));
	assert_true(reply_has(
		&r, "filename=\"S____ _1_.mp4\"; filename*=UTF-8''S%C3%BC%C3%9F%20%221%22.mp4"));
	reply_clear(&r);
	get(*state, "/files/big.bin", "Range: bytes=-10\r\n", &r);
	assert_int_equal(r.status, 206);
	assert_int_equal(r.len, 10);
	assert_int_equal((unsigned char)r.body[9], big_octet(BIG - 1));
	reply_clear(&r);
	get(*state, "/files/big.bin", "Range: bytes=197385-\r\n", &r);
	assert_int_equal(r.status, 416);
	assert_true(reply_has(&r, "content-range: bytes */197385"));
	reply_clear(&r);
}

static void an_unchanged_file_is_not_sent_again(void **state)
{
	struct reply r;
	get(*state, "/app.js", "", &r);
	char *tag = strcasestr(r.head, "etag: ");
	assert_non_null(tag);
	char *header =
		g_strdup_printf("If-None-Match: %.*s\r\n", (int)strcspn(tag + 6, "\r"), tag + 6);
	reply_clear(&r);
	get(*state, "/app.js", header, &r);
	assert_int_equal(r.status, 304);
	assert_int_equal(r.len, 0);
	reply_clear(&r);
	get(*state, "/app.js", "If-None-Match: \"other\"\r\n", &r);
	assert_int_equal(r.status, 200);
	reply_clear(&r);
	g_free(header);
}

static void put_long(struct fixture *f, const char *name, char what)
{
	char text[5000];
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i % 50 ? what : '\n';
	put_file(f, name, text, sizeof(text));
}

static void expect_unzipped(const struct reply *r, char what)
{
	unsigned char out[6000];
	z_stream z = { .next_in = (unsigned char *)r->body, .avail_in = (uInt)r->len,
		       .next_out = out, .avail_out = sizeof(out) };
	assert_int_equal(r->status, 200);
	assert_true(reply_has(r, "content-encoding: gzip"));
	assert_true(reply_has(r, "vary: accept-encoding"));
	assert_true(r->len < 500);
	assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	assert_int_equal(z.total_out, 5000);
	assert_int_equal(out[4999], what);
	inflateEnd(&z);
}

static void the_page_travels_compressed(void **state)
{
	static const char takes[] = "Accept-Encoding: gzip, deflate, br\r\n";
	struct reply r;
	put_long(*state, "long.js", 'a');
	put_long(*state, "empty.css", 'b');
	for (int i = 0; i < 2; i++) { /* made, then kept */
		get(*state, "/long.js", takes, &r);
		expect_unzipped(&r, 'a');
		reply_clear(&r);
	}
	get(*state, "/empty.css", takes, &r);
	expect_unzipped(&r, 'b');
	char *tag = strcasestr(r.head, "etag: ") + 6;
	char *header = g_strdup_printf("%sIf-None-Match: %.*s\r\n", takes, (int)strcspn(tag, "\r"), tag);
	reply_clear(&r);
	get(*state, "/empty.css", header, &r);
	assert_int_equal(r.status, 304);
	reply_clear(&r);
	g_free(header);
	/* as they are: to those who do not ask, in part, what is small, and downloads */
	static const char *const plain[][2] = {
		{ "/long.js", "" },
		{ "/long.js", "Accept-Encoding: gzip;q=0\r\n" },
		{ "/long.js", "Accept-Encoding: gzip\r\nRange: bytes=0-4999\r\n" },
		{ "/app.js", "Accept-Encoding: gzip\r\n" },
		{ "/files/long.js", "Accept-Encoding: gzip\r\n" },
	};
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		get(*state, plain[i][0], plain[i][1], &r);
		assert_false(reply_has(&r, "content-encoding:"));
		assert_int_equal(r.len, i == 3 ? 10 : 5000);
		reply_clear(&r);
	}
}

static void a_changed_file_is_compressed_anew(void **state)
{
	struct reply r;
	put_long(*state, "long.js", 'a');
	get(*state, "/long.js", "Accept-Encoding: gzip\r\n", &r);
	expect_unzipped(&r, 'a');
	reply_clear(&r);
	put_long(*state, "long.js", 'c');
	get(*state, "/long.js", "Accept-Encoding: gzip\r\n", &r);
	expect_unzipped(&r, 'c');
	reply_clear(&r);
}

static void a_missing_file_is_404(void **state)
{
	struct reply r;
	get(*state, "/files/none.mp4", "", &r);
	assert_int_equal(r.status, 404);
	assert_non_null(strstr(r.body, "not_found"));
	assert_true(reply_has(&r, "content-type: application/json"));
	reply_clear(&r);
}

static void a_reader_that_leaves_in_the_middle_harms_nobody(void **state)
{
	struct fixture *f = *state;
	struct client c;
	struct reply r;
	for (int i = 0; i < 20; i++) {
		client_open(&c, f->port);
		client_text(&c, "GET /big.bin HTTP/1.1\r\nHost: x\r\n\r\n");
		if (i % 2)
			client_wait(&c, client_has_head);
		client_close(&c);
	}
	get(f, "/app.js", "", &r);
	assert_int_equal(r.status, 200);
	reply_clear(&r);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(pages_are_served),
		T(nothing_outside_the_folder),
		T(a_big_file_comes_whole),
		T(ranges_are_served),
		T(the_page_travels_compressed),
		T(a_changed_file_is_compressed_anew),
		T(an_unchanged_file_is_not_sent_again),
		T(a_missing_file_is_404),
		T(a_reader_that_leaves_in_the_middle_harms_nobody),
	};
	role_enter(ROLE_ID_CTL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
