/* A live stream as its players ask for it: who waits, for how long, and with which
 * headers they are answered. */
#include "tests/signaling/http_rig.h"

#include "signaling/hls.h"

static struct hls *h;

static void serve_index(void *ctx, struct http_req *r)
{
	(void)ctx;
	hls_serve_index(h, r, http_req_query(r, "key"));
}

static void serve(void *ctx, struct http_req *r)
{
	(void)ctx;
	hls_serve(h, r, http_req_param(r, "file"));
}

static int set_up(void **state)
{
	int err = setup(state);
	struct fixture *f = *state;
	const struct hls_cfg cfg = {
		.clock = &f->clock, .bandwidth_bps = 1000000, .fps = 29.97, .waiting_max = 2,
		.window = { .part_ns = 350 * NS_PER_MS, .target_s = 3, .window_ns = 10 * NS_PER_S,
			    .bytes_max = 100000 },
	};

	server_route(f->srv, "GET", "/index.m3u8", serve_index, f);
	server_route(f->srv, "GET", "/s/:file", serve, f);
	return err ? err : hls_new(&h, &cfg);
}

static int tear_down(void **state)
{
	hls_free(&h);
	return teardown(state);
}

static void add_part(const char *text, bool first, bool last)
{
	hls_add_part(h, &(struct hls_part){ .data = text, .len = strlen(text), .first = first,
					    .last = last, .independent = first,
					    .duration_ns = NS_PER_S / 3 });
}

/* Asks, and returns once the server has the request. */
static void begin(struct fixture *f, struct client *c, const char *path)
{
	char *req = g_strdup_printf("GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);
	struct hls_counts before, now;

	hls_get_counts(h, &before);
	client_open(c, f->port);
	client_text(c, req);
	g_free(req);
	do {
		g_main_context_iteration(NULL, TRUE);
		hls_get_counts(h, &now);
	} while (now.requests == before.requests);
}

static size_t waiting(void)
{
	struct hls_counts n;

	hls_get_counts(h, &n);
	return n.waiting;
}

static void answered(struct client *c, int status, const char *has)
{
	struct reply r;

	assert_true(client_reply(c, &r, false));
	assert_int_equal(r.status, status);
	if (has && !g_strstr_len(r.body, (gssize)r.len, has))
		fail_msg("no %s in %.*s", has, (int)r.len, r.body);
	reply_clear(&r);
	client_close(c);
}

static void a_player_is_answered_when_there_is_something(void **state)
{
	struct fixture *f = *state;
	struct client index, part;

	begin(f, &index, "/index.m3u8?key=ab12");
	assert_int_equal(waiting(), 1);
	hls_set_picture(h, "avc1.42e01f,mp4a.40.2", 1280, 720, "map", 3);
	add_part("one", true, false);
	assert_int_equal(waiting(), 1);
	begin(f, &part, "/s/0.1.m4s"); /* hinted at */
	assert_int_equal(waiting(), 2);
	add_part("two", false, true);
	assert_int_equal(waiting(), 0);
	answered(&part, 200, "two");
	answered(&index, 200, "CODECS=\"avc1.42e01f,mp4a.40.2\",RESOLUTION=1280x720,FRAME-RATE=29.970");
	begin(f, &index, "/s/live.m3u8?_HLS_msn=1&_HLS_part=0");
	assert_int_equal(waiting(), 1);
	add_part("three", true, false);
	answered(&index, 200, "\"1.0.m4s\",INDEPENDENT=YES\n#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"1.1.m4s\"");
	begin(f, &index, "/s/live.m3u8?_HLS_msn=1");
	hls_end(h);
	answered(&index, 200, "#EXT-X-ENDLIST");
}

static void nobody_waits_for_ever(void **state)
{
	struct fixture *f = *state;
	struct client a, b, c;

	hls_set_picture(h, "avc1.42e01f", 640, 360, "map", 3);
	add_part("one", true, true);
	begin(f, &a, "/s/live.m3u8?_HLS_msn=1");
	clock_fake_advance(&f->clock, 5 * NS_PER_S);
	begin(f, &b, "/s/1.0.m4s");
	begin(f, &c, "/s/live.m3u8?_HLS_msn=2"); /* one too many */
	answered(&c, 503, "busy");
	assert_int_equal(waiting(), 2);
	clock_fake_advance(&f->clock, 3999 * NS_PER_MS);
	hls_tick(h);
	assert_int_equal(waiting(), 2);
	clock_fake_advance(&f->clock, 1 * NS_PER_MS); /* three target durations */
	hls_tick(h);
	assert_int_equal(waiting(), 1);
	answered(&a, 503, "busy");
	hls_free(&h);
	answered(&b, 404, "not_found");
}

static void what_never_changes_may_be_kept(void **state)
{
	struct fixture *f = *state;
	struct reply r;

	hls_set_picture(h, "avc1.42e01f", 640, 360, "map", 3);
	add_part("one", true, true);
	get(f, "/s/0.m4s", "", &r);
	assert_int_equal(r.status, 200);
	assert_true(reply_has(&r, "cache-control: public, max-age=31536000, immutable"));
	assert_true(reply_has(&r, "access-control-allow-origin: *"));
	assert_true(reply_has(&r, "cross-origin-resource-policy: cross-origin"));
	reply_clear(&r);
	get(f, "/s/live.m3u8", "", &r);
	assert_true(reply_has(&r, "cache-control: public, max-age=1"));
	assert_true(reply_has(&r, "content-type: application/vnd.apple.mpegurl"));
	reply_clear(&r);
	get(f, "/s/7.m4s", "", &r);
	assert_int_equal(r.status, 404);
	assert_true(reply_has(&r, "cache-control: no-store"));
	reply_clear(&r);
	get(f, "/s/live.m3u8?_HLS_msn=9", "", &r);
	assert_int_equal(r.status, 400);
	reply_clear(&r);
	get(f, "/s/live.m3u8?_HLS_msn=x", "", &r);
	assert_int_equal(r.status, 400);
	reply_clear(&r);
	get(f, "/s/index.html", "", &r);
	assert_int_equal(r.status, 404);
	reply_clear(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_player_is_answered_when_there_is_something, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(nobody_waits_for_ever, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_never_changes_may_be_kept, set_up, tear_down),
	};

	role_enter(ROLE_ID_CTL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
