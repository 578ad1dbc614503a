/* What a live stream's playlist says, and what can be asked for. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "mcu/base/clock.h"
#include "signaling/hls_window.h"

#define WALL (1763733600LL * NS_PER_S) /* 2025-11-21T14:00:00Z */

static struct hls_window *w;

static int setup(void **state)
{
	const struct hls_window_cfg cfg = { .part_ns = 350 * NS_PER_MS, .target_s = 3,
					    .window_ns = 8 * NS_PER_S, .bytes_max = 100000 };

	(void)state;
	return hls_window_new(&w, &cfg);
}

static int teardown(void **state)
{
	(void)state;
	hls_window_free(&w);
	return 0;
}

/* The k-th part of a segment of six, which says its numbers. */
static void part(unsigned segment, unsigned k, bool breaks)
{
	char text[32];

	snprintf(text, sizeof text, "<%u.%u>", segment, k);
	hls_window_add_part(w, &(struct hls_part){
		.data = text, .len = strlen(text), .duration_ns = (NS_PER_S + 2) / 3,
		.wall_ns = WALL + segment * 2 * NS_PER_S, .independent = !k, .first = !k,
		.last = k == 5, .breaks = breaks });
}

static void segments(unsigned from, unsigned to)
{
	for (unsigned s = from; s < to; s++)
		for (unsigned k = 0; k < 6; k++)
			part(s, k, false);
}

static char *playlist(const char *skip)
{
	static char text[16384];
	GString *o = g_string_new(NULL);
	struct hls_ask ask;

	assert_int_equal(hls_ask_parse(&ask, NULL, NULL, skip), 0);
	hls_window_playlist(w, &ask, o);
	assert_true(o->len < sizeof text);
	memcpy(text, o->str, o->len + 1);
	g_string_free(o, TRUE);
	return text;
}

static void assert_has(const char *text, const char *what)
{
	if (!strstr(text, what))
		fail_msg("no %s in:\n%s", what, text);
}

static enum hls_ready ready(const char *msn, const char *p)
{
	struct hls_ask ask;

	assert_int_equal(hls_ask_parse(&ask, msn, p, NULL), 0);
	return hls_window_ready(w, &ask);
}

/* "" : it is to be waited for; NULL: there is none. */
static const char *file(const char *name)
{
	static char text[256];
	uint64_t number, k;
	gsize len;
	GBytes *b;
	enum hls_file kind = hls_file_parse(name, &number, &k);
	enum hls_ready r = kind ? hls_window_file(w, kind, number, k, &b) : HLS_GONE;

	if (r != HLS_READY)
		return r == HLS_WAIT ? "" : NULL;
	const char *p = g_bytes_get_data(b, &len);

	assert_true(len < sizeof text);
	memcpy(text, p, len);
	text[len] = 0;
	return text;
}

static void the_playlist_tells_what_there_is(void **state)
{
	const char *t;

	(void)state;
	hls_window_add_map(w, "map", 3);
	segments(0, 1);
	part(1, 0, false);
	t = playlist(NULL);
	assert_has(t, "#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-TARGETDURATION:3\n");
	assert_has(t, "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.050000,CAN-SKIP-UNTIL=18\n");
	assert_has(t, "#EXT-X-PART-INF:PART-TARGET=0.350000\n#EXT-X-MEDIA-SEQUENCE:0\n"
		      "#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-MAP:URI=\"map-1.mp4\"\n"
		      "#EXT-X-PROGRAM-DATE-TIME:2025-11-21T14:00:00.000Z\n"
		      "#EXT-X-PART:DURATION=0.333333,URI=\"0.0.m4s\",INDEPENDENT=YES\n"
		      "#EXT-X-PART:DURATION=0.333333,URI=\"0.1.m4s\"\n");
	assert_has(t, "#EXTINF:2.000000,\n0.m4s\n#EXT-X-PROGRAM-DATE-TIME:2025-11-21T14:00:02.000Z\n"
		      "#EXT-X-PART:DURATION=0.333333,URI=\"1.0.m4s\",INDEPENDENT=YES\n"
		      "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"1.1.m4s\"\n");
	assert_string_equal(file("map-1.mp4"), "map");
	assert_string_equal(file("0.m4s"), "<0.0><0.1><0.2><0.3><0.4><0.5>");
	assert_string_equal(file("0.4.m4s"), "<0.4>");
	assert_string_equal(file("1.0.m4s"), "<1.0>");
	assert_string_equal(file("1.1.m4s"), "");
	assert_null(file("1.2.m4s"));
	assert_null(file("1.m4s"));
	assert_null(file("2.0.m4s"));
	assert_null(file("map-2.mp4"));
	hls_window_end(w);
	assert_has(playlist(NULL), "#EXTINF:0.333333,\n1.m4s\n#EXT-X-ENDLIST\n");
	assert_null(file("1.1.m4s"));
}

static void what_is_old_goes(void **state)
{
	const char *t;

	(void)state;
	hls_window_add_map(w, "one", 3);
	segments(0, 1);
	hls_window_add_map(w, "two", 3);
	part(1, 0, true);
	for (unsigned k = 1; k < 6; k++)
		part(1, k, false);
	segments(2, 3);
	t = playlist(NULL);
	assert_has(t, "0.m4s\n#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI=\"map-2.mp4\"\n");
	assert_null(strstr(t, "DISCONTINUITY-SEQUENCE"));
	segments(3, 9);
	t = playlist(NULL);
	assert_has(t, "#EXT-X-MEDIA-SEQUENCE:5\n#EXT-X-DISCONTINUITY-SEQUENCE:1\n");
	/* Older parts are not told, but whole segments. */
	assert_null(strstr(t, "5.0.m4s"));
	assert_has(t, "\n5.m4s\n");
	assert_non_null(file("2.m4s")); /* for those who are late */
	assert_null(file("1.m4s"));
	assert_null(file("map-1.mp4"));
	assert_non_null(file("map-2.mp4"));
	assert_true(hls_window_bytes(w) < 8 * 36);
}

static void memory_is_bounded(void **state)
{
	static char big[30000];

	(void)state;
	hls_window_add_map(w, "map", 3);
	for (int i = 0; i < 50; i++) {
		hls_window_add_part(w, &(struct hls_part){
			.data = big, .len = sizeof big, .duration_ns = NS_PER_S, .first = true,
			.last = true, .independent = true });
		assert_true(hls_window_bytes(w) <= 100000);
	}
	assert_has(playlist(NULL), "#EXT-X-MEDIA-SEQUENCE:47\n");
}

static void whoever_asks_for_more_waits(void **state)
{
	(void)state;
	assert_int_equal(ready(NULL, NULL), HLS_WAIT);
	hls_window_add_map(w, "map", 3);
	part(0, 0, false);
	assert_int_equal(ready(NULL, NULL), HLS_WAIT); /* no whole segment */
	for (unsigned k = 1; k < 6; k++)
		part(0, k, false);
	assert_int_equal(ready(NULL, NULL), HLS_READY);
	assert_int_equal(ready("0", NULL), HLS_READY);
	assert_int_equal(ready("0", "5"), HLS_READY);
	assert_int_equal(ready("0", "6"), HLS_WAIT); /* the first of the next one */
	assert_int_equal(ready("1", NULL), HLS_WAIT);
	assert_int_equal(ready("1", "0"), HLS_WAIT);
	part(1, 0, false);
	assert_int_equal(ready("0", "6"), HLS_READY);
	assert_int_equal(ready("1", "0"), HLS_READY);
	assert_int_equal(ready("1", "1"), HLS_WAIT);
	assert_int_equal(ready("1", NULL), HLS_WAIT);
	assert_int_equal(ready("3", NULL), HLS_WAIT);
	assert_int_equal(ready("4", NULL), HLS_BAD);
	hls_window_end(w);
	assert_int_equal(ready("1", "1"), HLS_READY);
	assert_int_equal(ready("9", NULL), HLS_READY);
}

static void a_part_of_the_playlist_is_enough_for_some(void **state)
{
	const struct hls_window_cfg cfg = { .part_ns = 350 * NS_PER_MS, .target_s = 3,
					    .window_ns = 60 * NS_PER_S, .bytes_max = 100000 };
	const char *t;

	(void)state;
	hls_window_free(&w);
	assert_int_equal(hls_window_new(&w, &cfg), 0);
	hls_window_add_map(w, "map", 3);
	segments(0, 30);
	assert_null(strstr(playlist("NO"), "EXT-X-SKIP"));
	t = playlist("YES");
	assert_has(t, "#EXT-X-SKIP:SKIPPED-SEGMENTS=21\n");
	assert_has(t, "#EXT-X-MEDIA-SEQUENCE:0\n");
	assert_null(strstr(t, "\n20.m4s"));
	assert_has(t, "\n21.m4s");
}

static void names_are_ours_or_none(void **state)
{
	static const char *const bad[] = {
		"", ".", "live", "live.m3u8x", "map-.mp4", "map-1.m4s", "map-01.mp4", "1.mp4", "-1.m4s",
		"01.m4s", "1..m4s", "1.2.3.m4s", "1.m4s/", "1.2.m4sx", "9999999999999999.m4s", "1 .m4s",
	};
	uint64_t number, k;
	struct hls_ask ask;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(hls_file_parse(bad[i], &number, &k), HLS_NONE);
	assert_int_equal(hls_file_parse("live.m3u8", &number, &k), HLS_PLAYLIST);
	assert_int_equal(hls_file_parse("120.34.m4s", &number, &k), HLS_PART);
	assert_int_equal(number, 120);
	assert_int_equal(k, 34);
	assert_int_equal(hls_ask_parse(&ask, "x", NULL, NULL), -EINVAL);
	assert_int_equal(hls_ask_parse(&ask, "1", "-1", NULL), -EINVAL);
	assert_int_equal(hls_ask_parse(&ask, NULL, "1", NULL), -EINVAL);
	assert_int_equal(hls_ask_parse(&ask, "12", "3", "YES"), 0);
	assert_true(ask.has_msn && ask.has_part && ask.skip && ask.msn == 12 && ask.part == 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_playlist_tells_what_there_is, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_old_goes, setup, teardown),
		cmocka_unit_test_setup_teardown(memory_is_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(whoever_asks_for_more_waits, setup, teardown),
		cmocka_unit_test_setup_teardown(a_part_of_the_playlist_is_enough_for_some, setup,
						teardown),
		cmocka_unit_test(names_are_ours_or_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
