/* RTSP as text: frames, requests, addresses, headers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/rtsp_text.h"

static int frame(struct rtsp_frame *f, const char *text)
{
	return rtsp_frame_read(f, (const uint8_t *)text, strlen(text));
}

static void frames_end_where_they_end(void **state)
{
	static const char two[] = "\r\nOPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\nOPTIONS";
	static const uint8_t data[] = { '$', 1, 0, 3, 'a', 'b', 'c', 'O' };
	struct rtsp_frame f;

	(void)state;
	assert_int_equal(frame(&f, two), 0);
	assert_int_equal(f.kind, RTSP_REQUEST);
	assert_int_equal(f.at, 2);
	assert_int_equal(f.total, strlen(two) - 7);
	assert_int_equal(rtsp_frame_read(&f, data, sizeof data), 0);
	assert_int_equal(f.kind, RTSP_DATA);
	assert_int_equal(f.channel, 1);
	assert_int_equal(f.total, 7);
	assert_memory_equal(data + f.at, "abc", f.len);
	assert_int_equal(frame(&f, "GET_PARAMETER * RTSP/1.0\nCseq: 1\nContent-Length: 4\n\nab"), 0);
	assert_int_equal(f.kind, RTSP_NOTHING);
	assert_int_equal(frame(&f, "GET_PARAMETER * RTSP/1.0\ncontent-length:  4 \nCseq: 1\n\nabcdX"), 0);
	assert_int_equal(f.kind, RTSP_REQUEST);
	assert_int_equal(f.body, 4);
	assert_int_equal(frame(&f, "RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n"), 0);
	assert_int_equal(f.kind, RTSP_RESPONSE);
}

/* What is cut short anywhere is waited for, and never read beyond. */
static void half_a_frame_is_nothing(void **state)
{
	static const char text[] = "SETUP rtsp://h/rooms/a/video RTSP/1.0\r\nCSeq: 3\r\nContent-Length: 2\r\n\r\nxy";
	struct rtsp_frame f;

	(void)state;
	for (size_t n = 0; n < sizeof text - 1; n++) {
		uint8_t *exact = malloc(n ? n : 1);

		memcpy(exact, text, n);
		assert_int_equal(rtsp_frame_read(&f, exact, n), 0);
		assert_int_equal(f.kind, RTSP_NOTHING);
		free(exact);
	}
}

static void frames_that_are_none(void **state)
{
	static const uint8_t long_data[] = { '$', 0, 0xff, 0xff, 0 };
	char *big = malloc(RTSP_HEAD_MAX + 10);
	struct rtsp_frame f;

	(void)state;
	assert_int_equal(frame(&f, "\x16\x03\x01"), -EBADMSG);
	assert_int_equal(frame(&f, "A B\r\nContent-Length: 99999999999999999999\r\n\r\n"), -EMSGSIZE);
	assert_int_equal(frame(&f, "A B\r\nContent-Length: x\r\n\r\n"), -EBADMSG);
	assert_int_equal(frame(&f, "A B\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"), -EBADMSG);
	assert_int_equal(frame(&f, "A B\r\nContent-Length: 1x\r\n\r\n"), -EBADMSG);
	assert_int_equal(rtsp_frame_read(&f, long_data, sizeof long_data), -EMSGSIZE);
	memset(big, 'A', RTSP_HEAD_MAX + 9);
	big[RTSP_HEAD_MAX + 9] = '\0';
	assert_int_equal(frame(&f, big), -EMSGSIZE);
	free(big);
}

static int request(struct rtsp_request *r, char *copy, const char *text)
{
	strcpy(copy, text);
	return rtsp_request_read(r, copy, strlen(copy));
}

static void requests_are_read(void **state)
{
	char copy[512];
	struct rtsp_request r;

	(void)state;
	assert_int_equal(request(&r, copy, "PLAY rtsp://h/rooms/a RTSP/1.0\r\ncseq:  7\r\n"
				 "Session: abc;timeout=60\r\nRange : npt=1-\r\nX-Other: 1\r\n\r\n"), 0);
	assert_int_equal(r.method, RTSP_PLAY);
	assert_string_equal(r.uri, "rtsp://h/rooms/a");
	assert_int_equal(r.cseq, 7);
	assert_string_equal(r.session, "abc");
	assert_string_equal(r.range, "npt=1-");
	assert_null(r.scale);
	assert_int_equal(request(&r, copy, "FLY * RTSP/2.0\n\n"), 0);
	assert_int_equal(r.method, RTSP_UNKNOWN);
	assert_int_equal(r.major, 2);
	assert_false(r.has_cseq);
	assert_int_equal(request(&r, copy, "RECORD * RTSP/1.0\n\n"), 0);
	assert_int_equal(r.method, RTSP_OTHERS);
}

static void requests_that_are_none(void **state)
{
	static const char *const bad[] = {
		"", "OPTIONS", "OPTIONS *", "OPTIONS * HTTP/1.1\r\n\r\n", "OPTIONS  RTSP/1.0\r\n\r\n",
		"OPTIONS * RTSP/1.0\r\nCSeq\r\n\r\n", "OPTIONS * RTSP/1.0\r\nCSeq: x\r\n\r\n",
		"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nCSeq: 2\r\n\r\n",
		"OPTIONS * RTSP/1.0\r\nCSeq: 4294967296\r\n\r\n", "OPTIONS * RTSP/1.0\r\n: 1\r\n\r\n",
		"OPTIONS * RTSP/1.0\r\nSession: ;\r\n\r\n", "OPTIONS * RTSP/1.0\r\nRange: a\r\nRange: b\r\n\r\n",
	};
	char copy[512];
	struct rtsp_request r;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(request(&r, copy, bad[i]), -EBADMSG);
	memcpy(copy, "OPTIONS *\0RTSP/1.0\r\n\r\n", 23);
	assert_int_equal(rtsp_request_read(&r, copy, 22), -EBADMSG);
}

static void addresses(void **state)
{
	static const struct {
		const char *uri;
		int err;
		enum rtsp_place place;
		enum rtsp_track track;
		const char *name, *token;
	} all[] = {
		{ "*", 0, RTSP_PLACE_SERVER, 0, "", "" },
		{ "rtsp://h:8554", 0, RTSP_PLACE_SERVER, 0, "", "" },
		{ "rtsp://h/", 0, RTSP_PLACE_SERVER, 0, "", "" },
		{ "rtsp://h/rooms/a", 0, RTSP_PLACE_ROOM, 0, "a", "" },
		{ "RTSP://u:p@h/rooms/a/", 0, RTSP_PLACE_ROOM, 0, "a", "" },
		{ "rtsp://[::1]:8554/rooms/%EC%88%98/video?token=a%2Bb&x=1", 0, RTSP_PLACE_ROOM, RTSP_VIDEO,
		  "\xec\x88\x98", "a+b" },
		{ "rtsp://h/recordings/12/audio", 0, RTSP_PLACE_RECORDING, RTSP_AUDIO, "12", "" },
		{ "rtsp://h/recordings/1x", 0, RTSP_PLACE_NONE, 0, "1x", "" },
		{ "rtsp://h/recordings/99999999999999999999", 0, RTSP_PLACE_NONE, 0, NULL, "" },
		{ "rtsp://h/rooms/../etc", 0, RTSP_PLACE_NONE, 0, NULL, "" },
		{ "rtsp://h/rooms/", 0, RTSP_PLACE_NONE, 0, "", "" },
		{ "rtsp://h/rooms/a%00b", 0, RTSP_PLACE_NONE, 0, NULL, "" },
		{ "rtsp://h/rooms/a%4", 0, RTSP_PLACE_NONE, 0, NULL, "" },
		{ "rtsp://h/elsewhere", 0, RTSP_PLACE_NONE, 0, "", "" },
		{ "http://h/rooms/a", -EINVAL, 0, 0, NULL, NULL },
		{ "rtsp:///rooms/a", -EINVAL, 0, 0, NULL, NULL },
		{ "rtsp://h\"x/rooms/a", -EINVAL, 0, 0, NULL, NULL },
		{ "rtsp://h/rooms/a?token=%", -EINVAL, 0, 0, NULL, NULL },
	};
	struct rtsp_uri u;

	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		assert_int_equal(rtsp_uri_read(&u, all[i].uri), all[i].err);
		if (all[i].err)
			continue;
		assert_int_equal(u.place, all[i].place);
		assert_int_equal(u.track, all[i].track);
		if (all[i].name)
			assert_string_equal(u.name, all[i].name);
		assert_string_equal(u.token, all[i].token);
	}
	assert_int_equal(rtsp_uri_read(&u, "rtsp://u:secret@h:1/rooms/a"), 0);
	assert_string_equal(u.authority, "h:1");
}

static void transports(void **state)
{
	struct rtsp_transport t;

	(void)state;
	assert_int_equal(rtsp_transport_read(&t, "RTP/AVP;unicast;client_port=5000-5001"), 0);
	assert_false(t.tcp);
	assert_int_equal(t.port, 5000);
	assert_int_equal(t.rtcp_port, 5001);
	assert_int_equal(rtsp_transport_read(&t, "RTP/AVP/UDP;unicast;mode=\"PLAY\";client_port=6000"), 0);
	assert_int_equal(t.rtcp_port, 6001);
	assert_int_equal(rtsp_transport_read(&t, "RTP/AVP;multicast, RTP/SAVP;unicast;client_port=1-2, "
						 "RTP/AVP/TCP;unicast;interleaved=2-3"), 0);
	assert_true(t.tcp);
	assert_int_equal(t.channel, 2);
	assert_int_equal(t.rtcp_channel, 3);
	assert_int_equal(rtsp_transport_read(&t, "RTP/AVP/TCP"), 0);
	assert_int_equal(t.channel, -1);
	assert_int_equal(rtsp_transport_read(&t, "RTP/AVP;multicast"), -ENOTSUP);
	assert_int_equal(rtsp_transport_read(&t, "RTP/AVP;unicast"), -ENOTSUP);
	assert_int_equal(rtsp_transport_read(&t, "RTP/AVP/TCP;mode=record"), -ENOTSUP);
	assert_int_equal(rtsp_transport_read(&t, "RAW/RAW/UDP"), -ENOTSUP);
	assert_int_equal(rtsp_transport_read(&t, ""), -ENOTSUP);
	assert_int_equal(rtsp_transport_read(&t, "RTP/AVP;client_port=70000-70001"), -EINVAL);
	assert_int_equal(rtsp_transport_read(&t, "RTP/AVP;client_port=0-1"), -EINVAL);
	assert_int_equal(rtsp_transport_read(&t, "RTP/AVP;client_port=5000-5000"), -EINVAL);
	assert_int_equal(rtsp_transport_read(&t, "RTP/AVP/TCP;interleaved=256-257"), -EINVAL);
	assert_int_equal(rtsp_transport_read(&t, "RTP/AVP/TCP;interleaved=a-b"), -EINVAL);
}

static void ranges(void **state)
{
	static const struct {
		const char *text;
		int err;
		bool now;
		int64_t from_ms, to_ms;
	} all[] = {
		{ "npt=0-", 0, false, 0, -1 },
		{ "npt=12.5-", 0, false, 12500, -1 },
		{ "npt = 1:02:03.25-2:00:00", 0, false, 3723250, 7200000 },
		{ "npt=now-", 0, true, 0, -1 },
		{ "NPT=-20", 0, true, 0, 20000 },
		{ "npt=0.0001-", 0, false, 0, -1 },
		{ "npt=5-;time=19970123T143720Z", 0, false, 5000, -1 },
		{ "npt=5", -EINVAL, 0, 0, 0 },
		{ "npt=", -EINVAL, 0, 0, 0 },
		{ "npt=a-", -EINVAL, 0, 0, 0 },
		{ "npt=1:99:00-", -EINVAL, 0, 0, 0 },
		{ "npt=99999999999-", -EINVAL, 0, 0, 0 },
		{ "npt=1-2x", -EINVAL, 0, 0, 0 },
		{ "smpte=0:10:00-", -EINVAL, 0, 0, 0 },
		{ "clock=19961108T142300Z-", -EINVAL, 0, 0, 0 },
	};
	struct rtsp_range r;

	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		assert_int_equal(rtsp_range_read(&r, all[i].text), all[i].err);
		if (all[i].err)
			continue;
		assert_int_equal(r.now, all[i].now);
		if (!r.now)
			assert_int_equal(r.from_ms, all[i].from_ms);
		assert_int_equal(r.to_ms, all[i].to_ms);
	}
}

static void scales(void **state)
{
	static const struct {
		const char *text;
		int scale;
	} all[] = { { "1", 1 }, { "1.0", 1 }, { "0.5", 1 }, { "2.0", 2 }, { "4", 4 }, { "7", 8 }, { "100", 16 },
		    { "-1", -1 }, { "-2.0", -2 }, { "-8", -8 } };
	static const char *const bad[] = { "", "x", "0", "nan", "inf", "2x" };
	int n;

	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		assert_int_equal(rtsp_scale_read(&n, all[i].text), 0);
		assert_int_equal(n, all[i].scale);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(rtsp_scale_read(&n, bad[i]), -EINVAL);
}

static void credentials(void **state)
{
	char text[] = "Digest username=\"a,b\", realm=\"r\" ,nonce=\"x\\\"y\",,response=\"00\"";
	char basic[] = "Basic abc", many[] = "Digest a,b,c";
	const char *p[8];

	(void)state;
	assert_true(rtsp_digest_params(text, p, 8));
	assert_string_equal(p[0], "username=\"a,b\"");
	assert_string_equal(p[1], "realm=\"r\"");
	assert_string_equal(p[2], "nonce=\"x\\\"y\"");
	assert_string_equal(p[3], "response=\"00\"");
	assert_null(p[4]);
	assert_false(rtsp_digest_params(basic, p, 8));
	assert_false(rtsp_digest_params(many, p, 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_end_where_they_end), cmocka_unit_test(half_a_frame_is_nothing),
		cmocka_unit_test(frames_that_are_none),	     cmocka_unit_test(requests_are_read),
		cmocka_unit_test(requests_that_are_none),    cmocka_unit_test(addresses),
		cmocka_unit_test(transports),		     cmocka_unit_test(ranges),
		cmocka_unit_test(scales),		     cmocka_unit_test(credentials),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
