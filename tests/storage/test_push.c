/* Addresses of pushes, and when they are tried again; a server that does not answer. */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "mcu/base/clock.h"
#include "mcu/base/mbox.h"
#include "storage/push.h"
#include "storage/push_retry.h"
#include "tests/storage/media.h"

static void addresses_are_shown_without_their_secrets(void **state)
{
	static const struct {
		const char *url, *shown;
		enum push_kind kind;
	} good[] = {
		{ "rtmp://live.example.org/app/KEY", "rtmp://live.example.org/app/…", PUSH_RTMP },
		{ "rtmps://h:443/app/a/KEY?x=y", "rtmps://h:443/app/…", PUSH_RTMP },
		{ "RTMP://[::1]:1935/KEY", "RTMP://[::1]:1935/…", PUSH_RTMP },
		{ "rtmp://h/app?key=KEY/x", "rtmp://h/…", PUSH_RTMP },
		{ "srt://h:9000", "srt://h:9000", PUSH_SRT },
		{ "srt://10.0.0.1:9000?streamid=KEY&passphrase=KEY", "srt://10.0.0.1:9000/…", PUSH_SRT },
		{ "srt://h:9000?streamid=#!::r=a,m=publish&latency=20000&pbkeylen=16", "srt://h:9000/…",
		  PUSH_SRT },
	};
	static const char *const bad[] = {
		"", "rtmp", "rtmp://", "rtmp://h", "rtmp://h/", "srt://h", "srt://:9000", "http://h/x",
		"file:///etc/passwd", "rtmp://us er/app", "rtmp://h\n/app/x", "rtmp://u@h/app/x",
		"concat:rtmp://h/a", "rtmp://h/\xc3\xa4/x", "tee:srt://h:1|file:x",
		"srt://h:1?mode=listener", "srt://h:1?streamid=x&mode=listener", "srt://h:1?&mode=listener",
		"srt://h:1?streamid=x&rcvbuf=9", "srt://h:1/?mode=listener", "srt://h:1#?mode=listener",
		"srt://h:1?Mode=listener", "srt://h:1?streamid", "srt://h:1?", "rtmp://[::1/app/x",
		"rtmp://[::1]a/app/x", "rtmp://[]/app/x",
	};
	static char longest[PUSH_URL_MAX + 2];
	struct push_url u;
	struct errmsg why;

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		assert_int_equal(push_url_parse(&u, good[i].url, &why), 0);
		assert_string_equal(u.shown, good[i].shown);
		assert_int_equal(u.kind, good[i].kind);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(push_url_parse(&u, bad[i], &why), -EINVAL);
		assert_string_equal(why.code, "push_invalid");
	}
	memset(longest, 'a', sizeof longest - 1);
	memcpy(longest, "rtmp://h/", 9);
	assert_int_equal(push_url_parse(&u, longest, &why), -EINVAL);
}

static void hosts_are_found(void **state)
{
	static const char *const all[][2] = {
		{ "rtmp://live.example.org/app/KEY", "live.example.org" },
		{ "rtmps://h:443/app", "h" }, { "RTMP://[::1]:1935/KEY", "::1" },
		{ "rtmp://[::1]/KEY", "::1" }, { "srt://10.0.0.1:9000?streamid=a:b", "10.0.0.1" },
	};
	struct push_url u;
	struct errmsg why;

	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		assert_int_equal(push_url_parse(&u, all[i][0], &why), 0);
		assert_string_equal(u.host, all[i][1]);
	}
}

static void it_is_tried_ever_more_rarely_and_given_up(void **state)
{
	struct push_retry r = { .first_ms = 1000, .give_up_ms = 120000 };
	static const int waits_s[] = { 1, 2, 4, 8, 16, 30, 30, 30 };
	int64_t now = 5 * NS_PER_S;

	(void)state;
	for (size_t i = 0; i < sizeof waits_s / sizeof *waits_s; i++) {
		assert_true(push_retry_failed(&r, now));
		assert_int_equal(r.next_ns - now, waits_s[i] * NS_PER_S);
		now = r.next_ns;
	}
	assert_false(push_retry_failed(&r, now)); /* 121 s */
	r = (struct push_retry){ .first_ms = 1000, .give_up_ms = 10000 };
	assert_true(push_retry_failed(&r, now));
	push_retry_live(&r, now + 2 * NS_PER_S);
	assert_true(push_retry_failed(&r, now + 3 * NS_PER_S)); /* thrown out at once */
	assert_int_equal(r.next_ns, now + 5 * NS_PER_S);
	push_retry_live(&r, now + 5 * NS_PER_S);
	assert_true(push_retry_failed(&r, now + 60 * NS_PER_S)); /* it was up */
	assert_int_equal(r.next_ns, now + 61 * NS_PER_S);
}

/* --- a server that takes the connection and says nothing ------------------------------ */

static struct {
	enum push_state last;
	int n[PUSH_ENDED + 1];
	char text[256];
} told;

static void on_state(void *obj, enum push_state s, const char *text)
{
	(void)obj;
	told.last = s;
	told.n[s]++;
	snprintf(told.text, sizeof told.text, "%s", text);
}

static void wait_for(struct mbox *m, enum push_state s)
{
	struct pollfd p = { .fd = mbox_fd(m), .events = POLLIN };

	while (told.last != s) {
		assert_true(poll(&p, 1, 20000) > 0);
		mbox_run(m);
	}
}

static void a_silent_server_holds_nothing_up(void **state)
{
	static const uint8_t asc[] = { 0x11, 0x88 };
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct push_events ev = { .state = on_state };
	struct push_cfg cfg = { .aac_config = asc, .aac_config_len = 2, .sample_rate = 48000,
				.channels = 1, .width = 320, .height = 180, .give_up_s = 60,
				.timeout_ms = 200, .retry_ms = 100 };
	struct video_source v;
	struct errmsg why;
	struct push *p;
	char url[64];
	struct au u;

	(void)state;
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(listen(fd, 8), 0);
	getsockname(fd, (struct sockaddr *)&a, &len);
	snprintf(url, sizeof url, "rtmp://127.0.0.1:%d/app/SECRET", ntohs(a.sin_port));
	cfg.url = url;
	assert_int_equal(mbox_new(&ev.mbox, 64), 0);
	assert_int_equal(push_start(&p, &cfg, &ev, &why), 0);
	wait_for(ev.mbox, PUSH_CONNECTING);
	video_source_open(&v, 320, 180, 30);
	video_source_next(&v, 90, true, &u);
	struct buf b = { .data = u.p, .len = u.len };

	for (int i = 0; i < 2; i++) { /* each key frame is a try, once it is time */
		told.last = PUSH_CONNECTING;
		while (told.last != PUSH_RETRYING) {
			struct pollfd f = { .fd = mbox_fd(ev.mbox), .events = POLLIN };

			push_video(p, &b, clock_now_ns(&clock_monotonic) - NS_PER_S, true);
			poll(&f, 1, 50);
			mbox_run(ev.mbox);
		}
	}
	assert_null(strstr(told.text, "SECRET"));
	assert_non_null(strstr(told.text, "rtmp://127.0.0.1:"));
	assert_null(strchr(told.text, '(')); /* what went wrong there is not for hosts */
	push_video(p, &b, clock_now_ns(&clock_monotonic), true);
	push_stop(&p); /* in the middle of a try, perhaps */
	wait_for(ev.mbox, PUSH_ENDED);
	assert_int_equal(told.n[PUSH_LIVE], 0);
	assert_int_equal(told.n[PUSH_ENDED], 1);
	mbox_free(&ev.mbox);
	video_source_close(&v);
	free(u.p);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_shown_without_their_secrets),
		cmocka_unit_test(hosts_are_found),
		cmocka_unit_test(it_is_tried_ever_more_rarely_and_given_up),
		cmocka_unit_test(a_silent_server_holds_nothing_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
