/* The RTSP server's sessions. */
#include "tests/signaling/rtsp_rig.h"

static void a_viewer_over_udp(void **state)
{
	char id[80];

	(void)state;
	assert_int_equal(ask(the.conn, "DESCRIBE " BASE "?pin=1234 RTSP/1.0\r\nCSeq: 7\r\n\r\n"), 200);
	assert_string_equal(the.pin, "1234");
	assert_non_null(strstr(the.out, "CSeq: 7\r\n"));
	assert_non_null(strstr(the.out, "Content-Base: " BASE "/\r\n"));
	assert_non_null(strstr(the.out, "a=control:" BASE "/video?pin=1234\r\n"));
	strcpy(id, set_up(the.conn, "audio", "RTP/AVP;unicast;client_port=5000-5001", NULL));
	assert_non_null(strstr(the.out, "client_port=5000-5001;server_port=20000-20001"));
	assert_non_null(strstr(the.out, ";timeout=60\r\n"));
	assert_string_equal(set_up(the.conn, "video", "RTP/AVP;unicast;client_port=5002-5003", id), id);
	assert_int_equal(the.joins, 0);
	assert_int_equal(play(the.conn, id), 200);
	assert_int_equal(the.joins, 1);
	assert_int_equal(the.video.codec, CODEC_H264);
	assert_int_equal(the.video.h264_mode, 1);
	assert_int_equal(the.video.pt_tx, 96);
	assert_int_equal(the.audio.codec, CODEC_OPUS);
	assert_int_equal(the.audio.pt_tx, 97);
	assert_int_equal(the.dir, NEG_SENDONLY);
	assert_int_equal(the.video_to.port, 5002);
	assert_int_equal(the.video_to.rtcp_port, 5003);
	assert_string_equal(the.video_to.address, "127.0.0.1");
	/* a key frame now and then, for what was lost */
	clock_fake_advance(&the.clock, 2 * NS_PER_S);
	rtsp_tick(the.rtsp);
	rtsp_tick(the.rtsp);
	assert_int_equal(the.keys, 1);
	assert_int_equal(ask(the.conn, "PAUSE " BASE " RTSP/1.0\r\nCSeq: 3\r\nSession: %s\r\n\r\n", id), 200);
	assert_int_equal(the.leaves, 1);
	assert_int_equal(play(the.conn, id), 200);
	assert_int_equal(ask(the.conn, "TEARDOWN " BASE " RTSP/1.0\r\nCSeq: 4\r\nSession: %s\r\n\r\n", id), 200);
	assert_int_equal(the.leaves, 2);
	assert_int_equal(the.ports, 0);
	assert_int_equal(play(the.conn, id), 454);
}

static void one_track_over_the_connection(void **state)
{
	static const uint8_t rr[] = { '$', 1, 0, 4, 0x80, 201, 0, 0 };
	char id[80];

	(void)state;
	strcpy(id, set_up(the.conn, "video", "RTP/AVP/TCP;unicast", NULL));
	assert_non_null(strstr(the.out, "interleaved=0-1"));
	assert_int_equal(play(the.conn, id), 200);
	assert_true(the.has_video && !the.has_audio);
	rtsp_conn_input(the.conn, rr, sizeof rr);
	assert_int_equal(the.fed, 4);
	/* the end of the connection is the end of the session */
	rtsp_conn_close(the.conn);
	assert_int_equal(the.leaves, 1);
	assert_int_equal(the.ports, 0);
}

static void silence_ends_a_session(void **state)
{
	char id[80];

	(void)state;
	strcpy(id, set_up(the.conn, "video", "RTP/AVP;unicast;client_port=5002-5003", NULL));
	assert_int_equal(play(the.conn, id), 200);
	rtsp_conn_close(the.conn); /* over UDP it goes on without */
	clock_fake_advance(&the.clock, 40 * NS_PER_S);
	the.heard_ns = clock_now_ns(&the.clock); /* a report */
	clock_fake_advance(&the.clock, 40 * NS_PER_S);
	rtsp_tick(the.rtsp);
	assert_int_equal(the.leaves, 0);
	the.conn = new_conn("127.0.0.1");
	assert_int_equal(ask(the.conn, "GET_PARAMETER " BASE " RTSP/1.0\r\nCSeq: 1\r\nSession: %s\r\n\r\n", id), 200);
	clock_fake_advance(&the.clock, 59 * NS_PER_S);
	rtsp_tick(the.rtsp);
	assert_int_equal(the.leaves, 0);
	clock_fake_advance(&the.clock, 2 * NS_PER_S);
	rtsp_tick(the.rtsp);
	assert_int_equal(the.leaves, 1);
	assert_int_equal(the.ports, 0);
}

static void another_address_has_no_part_in_it(void **state)
{
	struct rtsp_conn *other = new_conn("127.0.0.2");
	char id[80];

	(void)state;
	strcpy(id, set_up(the.conn, "video", "RTP/AVP;unicast;client_port=5002-5003", NULL));
	assert_int_equal(play(other, id), 454);
	assert_int_equal(the.joins, 0);
}

/* A request that is answered later, the answer, and what is read on with it. */
static int answered_late(const char *requests)
{
	struct errmsg yes = { .code = "" };

	the.later = true;
	say(the.conn, requests);
	assert_string_equal(the.out, "");
	the.ev->closed(the.obj, LEAVE_LEFT, &yes);
	the.later = false;
	return status();
}

static void requests_wait_for_each_other(void **state)
{
	(void)state;
	assert_int_equal(answered_late(DESCRIBE "OPTIONS * RTSP/1.0\r\nCSeq: 2\r\n\r\n"), 200);
	assert_true(strstr(the.out, "CSeq: 1\r\n") < strstr(the.out, "CSeq: 2\r\n"));
	assert_non_null(strstr(the.out, "CSeq: 1\r\n"));
}

static void what_follows_a_late_answer(void **state)
{
	(void)state;
	assert_int_equal(answered_late(DESCRIBE DESCRIBE), 200);
	rtsp_conn_close(the.conn); /* the second question is given up */
	assert_int_equal(the.leaves, 1);
	the.conn = new_conn("127.0.0.1");
	assert_int_equal(answered_late(DESCRIBE "nonsense\r\n\r\n"), 200);
	assert_int_equal(the.rtsp->conns->len, 0);
	the.conn = new_conn("127.0.0.1");
	set_up(the.conn, "video", "RTP/AVP/TCP;interleaved=0-1", NULL);
	assert_int_equal(answered_late("SETUP " BASE "/video RTSP/1.0\r\nCSeq: 1\r\nTransport: RTP/AVP/TCP;"
				       "interleaved=0-1\r\n\r\nnonsense\r\n\r\n"), 461);
	assert_int_equal(g_hash_table_size(the.rtsp->sessions), 0);
}

static void whoever_goes_while_it_is_asked(void **state)
{
	const char *id;

	(void)state;
	the.later = true;
	say(the.conn, DESCRIBE);
	rtsp_conn_close(the.conn);
	assert_int_equal(the.leaves, 1);
	the.later = false;
	the.conn = new_conn("127.0.0.1");
	id = set_up(the.conn, "video", "RTP/AVP/TCP;unicast", NULL);
	the.later = true;
	assert_int_equal(play(the.conn, id), 0);
	rtsp_conn_close(the.conn);
	assert_int_equal(the.leaves, 2);
	assert_int_equal(the.ports, 0);
}

static void a_leg_that_ends_by_itself(void **state)
{
	struct errmsg why;
	char id[80];

	(void)state;
	strcpy(id, set_up(the.conn, "video", "RTP/AVP/TCP;unicast", NULL));
	the.later = true;
	assert_int_equal(play(the.conn, id), 0);
	errmsg_set(&why, 0, "room_full", "The room is full.");
	the.ev->closed(the.obj, LEAVE_ERROR, &why);
	assert_int_equal(status(), 453);
	assert_non_null(strstr(the.out, "The room is full."));
	assert_int_equal(the.leaves, 0);
	assert_int_equal(the.ports, 0);
}

static void no_more_than_may_be(void **state)
{
	struct rtsp_conn *other = new_conn("127.0.0.2"), *third = new_conn("127.0.0.3");
	static const char more[] = "SETUP " BASE "/video RTSP/1.0\r\nCSeq: 1\r\nTransport: RTP/AVP/TCP\r\n\r\n";

	(void)state;
	set_up(the.conn, "video", "RTP/AVP/TCP", NULL);
	set_up(the.conn, "video", "RTP/AVP/TCP", NULL);
	assert_non_null(strstr(the.out, "interleaved=2-3"));
	assert_int_equal(ask(the.conn, "%s", more), 453); /* of one address */
	assert_int_equal(ask(other, "%s", more), 200);
	assert_int_equal(ask(third, "%s", more), 453); /* of all */
	assert_int_equal(g_hash_table_size(the.rtsp->sessions), 3);
}

static char nonce[SIP_NONCE_LEN + 1], response[SIP_HASH_MAX + 1];

/* DESCRIBE with the password of that user. */
static int describe_as(struct rtsp_conn *c, const char *user)
{
	char ha1[SIP_HASH_MAX + 1];
	struct sip_digest d = { .alg = SIP_DIGEST_MD5, .bare = true, .uri = BASE };
	const char *refuse = the.refuse, *at;

	sip_digest_ha1(ha1, SIP_DIGEST_MD5, user, "mcu", "secret");
	rtsp_set_user(the.rtsp, user, ha1, ha1);
	the.refuse = "members_only";
	assert_int_equal(ask(c, DESCRIBE), 401);
	the.refuse = refuse;
	at = strstr(the.out, "nonce=\"");
	assert_non_null(at);
	snprintf(nonce, sizeof nonce, "%.*s", (int)strcspn(at + 7, "\""), at + 7);
	strcpy(d.nonce, nonce);
	sip_digest_response(response, &d, ha1, "DESCRIBE");
	return ask(c, "DESCRIBE " BASE " RTSP/1.0\r\nCSeq: 2\r\nAuthorization: Digest username=\"%s\", "
		   "realm=\"mcu\", nonce=\"%s\", uri=\"" BASE "\", response=\"%s\"\r\n\r\n", user, nonce, response);
}

static void passwords(void **state)
{
	(void)state;
	assert_int_equal(describe_as(the.conn, "ann"), 200);
	assert_string_equal(the.token, "s1.of-ann");
	/* overheard, and sent for another place; or wrong */
	assert_int_equal(ask(new_conn("127.0.0.1"), "DESCRIBE rtsp://127.0.0.1/rooms/x RTSP/1.0\r\nCSeq: 3\r\nAuthorization: Digest "
			     "username=\"ann\", realm=\"mcu\", nonce=\"%s\", uri=\"" BASE "\", response=\"%s\"\r\n\r\n",
			     nonce, response), 401);
	assert_int_equal(ask(the.conn, "DESCRIBE " BASE " RTSP/1.0\r\nCSeq: 4\r\nAuthorization: Digest username=\"ann\", "
			     "realm=\"mcu\", nonce=\"%s\", uri=\"" BASE "\", response=\"%032d\"\r\n\r\n", nonce, 0), 401);
}

/* A connection of several users, as a proxy has: each comes in as itself. */
static void one_user_after_the_other(void **state)
{
	char id[80];

	(void)state;
	assert_int_equal(describe_as(the.conn, "ann"), 200);
	assert_string_equal(the.token, "s1.of-ann");
	assert_int_equal(describe_as(the.conn, "bob"), 200);
	assert_string_equal(the.token, "s1.of-bob");
	assert_int_equal(describe_as(the.conn, "ann"), 200);
	assert_string_equal(the.token, "s1.of-ann");
	/* who shows nothing is none of them, in the first SETUP either */
	assert_int_equal(ask(the.conn, "DESCRIBE " BASE " RTSP/1.0\r\nCSeq: 3\r\n\r\n"), 200);
	assert_string_equal(the.token, "");
	assert_int_equal(describe_as(the.conn, "ann"), 200);
	strcpy(id, set_up(the.conn, "video", "RTP/AVP/TCP", NULL));
	assert_string_equal(the.token, "");
	assert_int_equal(play(the.conn, id), 200);
	assert_string_equal(the.token, "");
	/* who does not exist any more is nobody else */
	assert_int_equal(describe_as(the.conn, "carl"), 403);
	assert_int_equal(ask(the.conn, "DESCRIBE " BASE " RTSP/1.0\r\nCSeq: 3\r\n\r\n"), 200);
	assert_string_equal(the.token, "");
}

/* It keeps the session awake too. */
static void parameters_are_not_understood(void **state)
{
	char id[80];

	(void)state;
	strcpy(id, set_up(the.conn, "video", "RTP/AVP;unicast;client_port=5002-5003", NULL));
	assert_int_equal(ask(the.conn, "GET_PARAMETER * RTSP/1.0\r\nCSeq: 1\r\n\r\n"), 200);
	for (int i = 0; i < 2; i++) {
		clock_fake_advance(&the.clock, 50 * NS_PER_S);
		assert_int_equal(ask(the.conn, "%s_PARAMETER " BASE " RTSP/1.0\r\nCSeq: 2\r\nSession: %s\r\n"
				     "Content-Length: 8\r\n\r\njitter\r\n", i ? "SET" : "GET", id), 451);
		assert_string_equal(session(), id);
		rtsp_tick(the.rtsp);
	}
	assert_int_equal(ask(the.conn, "GET_PARAMETER " BASE " RTSP/1.0\r\nCSeq: 3\r\nSession: %s\r\n\r\n", id), 200);
	assert_int_equal(ask(the.conn, "GET_PARAMETER " BASE " RTSP/1.0\r\nCSeq: 4\r\nSession: none\r\n"
			     "Content-Length: 8\r\n\r\njitter\r\n"), 454);
}

static void floods_end(void **state)
{
	(void)state;
	for (int i = 0; i < 401; i++)
		ask(the.conn, "OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n");
	assert_int_equal(status(), 503);
	assert_int_equal(the.rtsp->conns->len, 0);
}

/* Packets that belong to no session go nowhere, and there may not be any number of them. */
static void packets_without_end(void **state)
{
	static const uint8_t rr[] = { '$', 1, 0, 4, 0x80, 201, 0, 0 }, other[] = { '$', 9, 0, 0 };
	struct rtsp_conn *c = new_conn("127.0.0.2");
	char id[80];

	(void)state;
	rtsp_conn_input(c, rr, sizeof rr);
	assert_int_equal(the.fed, 0);
	strcpy(id, set_up(c, "video", "RTP/AVP/TCP;unicast", NULL));
	rtsp_conn_input(c, rr, sizeof rr);
	rtsp_conn_input(c, other, sizeof other);
	rtsp_conn_input(the.conn, rr, sizeof rr); /* of another connection */
	assert_int_equal(the.fed, 4);
	assert_int_equal(ask(c, "TEARDOWN " BASE " RTSP/1.0\r\nCSeq: 4\r\nSession: %s\r\n\r\n", id), 200);
	rtsp_conn_input(c, rr, sizeof rr);
	assert_int_equal(the.fed, 4);
	assert_int_equal(the.rtsp->conns->len, 2);
	clock_fake_advance(&the.clock, 10 * NS_PER_S);
	for (int i = 0; i < 200; i++)
		rtsp_conn_input(c, other, sizeof other);
	assert_int_equal(the.rtsp->conns->len, 2);
	rtsp_conn_input(c, other, sizeof other);
	assert_int_equal(the.rtsp->conns->len, 1);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_viewer_over_udp), T(one_track_over_the_connection), T(silence_ends_a_session),
		T(another_address_has_no_part_in_it), T(requests_wait_for_each_other),
		T(whoever_goes_while_it_is_asked), T(a_leg_that_ends_by_itself), T(no_more_than_may_be),
		T(passwords), T(floods_end), T(packets_without_end), T(what_follows_a_late_answer),
		T(one_user_after_the_other), T(parameters_are_not_understood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
