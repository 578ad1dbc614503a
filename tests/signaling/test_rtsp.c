/* The RTSP server's sessions, against a made-up room, host and clock; what a client sends
 * is put in by hand, without sockets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/rtsp_internal.h"

#define BASE "rtsp://127.0.0.1:8554/rooms/math"
#define DESCRIBE "DESCRIBE " BASE " RTSP/1.0\r\nCSeq: 1\r\n\r\n"

struct rtp_ports {
	bool tcp, open[RTSP_TRACKS];
	uint8_t channel[RTSP_TRACKS][2];
};

static struct {
	struct clock clock;
	struct rtsp *rtsp;
	struct rtsp_conn *conn;
	char out[16384]; /* all replies since the last question */
	/* the room */
	const struct leg_events *ev;
	void *obj;
	int joins, asks, leaves, agreed, keys;
	bool later; /* welcome() comes when the test says so */
	const char *refuse;
	char token[128], pin[16];
	struct neg_codec_plan video, audio;
	struct neg_transport video_to;
	enum neg_dir dir;
	bool has_audio, has_video;
	/* the host */
	int ports;
	int64_t heard_ns;
	size_t fed;
} the;

/* --- the room --------------------------------------------------------------------------- */

#define LEG ((struct leg_handle *)(void *)&the)

static int fake_join(void *ctx, const struct join_req *req, const struct leg_events *ev, void *obj,
		     struct leg_handle **out, struct errmsg *why)
{
	struct welcome_info w = { .leg = 1 };

	(void)ctx;
	assert_string_equal(req->room, "math");
	assert_true(req->existing && req->device);
	snprintf(the.token, sizeof the.token, "%s", req->token ? req->token : "");
	snprintf(the.pin, sizeof the.pin, "%s", req->pin ? req->pin : "");
	the.ev = ev;
	the.obj = obj;
	if (the.refuse)
		return errmsg_set(why, -EACCES, the.refuse, "no");
	the.asks += req->ask_only;
	the.joins += !req->ask_only;
	if (req->ask_only && !the.later)
		return errmsg_set(why, -ECANCELED, "", "%s", "");
	*out = LEG;
	if (!the.later)
		ev->welcome(obj, &w);
	return 0;
}

static void fake_leave(void *ctx, struct leg_handle *leg, enum leave_reason reason)
{
	(void)ctx;
	(void)reason;
	assert_ptr_equal(leg, LEG);
	the.leaves++;
}

static int fake_local(void *ctx, struct leg_handle *leg, bool restart, struct neg_policy *out,
		      struct errmsg *why)
{
	static const struct neg_abilities can = { .send = 0 };

	(void)ctx;
	(void)leg;
	(void)why;
	assert_false(restart);
	neg_policy_phone(out, &can);
	out->address = "127.0.0.1";
	out->cname = "c";
	out->media[NEG_ROLE_AUDIO].port = 20000;
	out->media[NEG_ROLE_CAMERA].port = 20002;
	out->media[NEG_ROLE_CONTENT].port = 20004;
	out->media[NEG_ROLE_AUDIO].ssrc = 1;
	out->media[NEG_ROLE_CAMERA].ssrc = 2;
	return 0;
}

static int fake_negotiated(void *ctx, struct leg_handle *leg, const struct neg_plan *plan,
			   struct errmsg *why)
{
	const struct neg_media *a = neg_plan_media(plan, NEG_ROLE_AUDIO);
	const struct neg_media *v = neg_plan_media(plan, NEG_ROLE_CAMERA);

	(void)ctx;
	(void)leg;
	(void)why;
	the.has_audio = a != NULL;
	the.has_video = v != NULL;
	assert_null(neg_plan_media(plan, NEG_ROLE_CONTENT));
	if (a)
		the.audio = a->codec;
	if (v) {
		the.video = v->codec;
		the.video_to = *neg_plan_transport(plan, v);
		the.dir = v->dir;
	}
	the.agreed++;
	return 0;
}

static void fake_key_frame(void *ctx, struct leg_handle *leg)
{
	(void)ctx;
	(void)leg;
	the.keys++;
}

static const struct room_api api = { .join = fake_join, .leave = fake_leave, .local = fake_local,
				     .negotiated = fake_negotiated, .key_frame = fake_key_frame };

/* --- the host ------------------------------------------------------------------------------ */

static int link_new(void *ctx, int fd, struct rtp_tcp **out)
{
	(void)ctx;
	(void)fd;
	*out = (struct rtp_tcp *)(void *)&the;
	return 0;
}

static int link_text(struct rtp_tcp *t, const char *text, size_t len)
{
	size_t had = strlen(the.out);

	(void)t;
	assert_true(had + len < sizeof the.out);
	memcpy(the.out + had, text, len);
	the.out[had + len] = '\0';
	return 0;
}

static void link_feed(struct rtp_tcp *t, uint8_t channel, const uint8_t *p, size_t len)
{
	(void)t;
	(void)channel;
	(void)p;
	the.fed += len;
}

static void link_free(struct rtp_tcp **t)
{
	*t = NULL;
}

static int ports_new(void *ctx, const char *local, struct rtp_tcp *link, bool tcp,
		     struct rtp_ports **out, struct errmsg *why)
{
	(void)ctx;
	(void)local;
	(void)link;
	(void)why;
	*out = calloc(1, sizeof **out);
	(*out)->tcp = tcp;
	the.ports++;
	return 0;
}

static int ports_open(struct rtp_ports *p, enum rtsp_track t, struct errmsg *why)
{
	(void)why;
	p->open[t] = true;
	return 0;
}

static uint16_t ports_port(const struct rtp_ports *p, enum rtsp_track t)
{
	assert_true(p->open[t]);
	return t == RTSP_AUDIO ? 20000 : 20002;
}

static void ports_channels(struct rtp_ports *p, enum rtsp_track t, uint8_t rtp, uint8_t rtcp)
{
	p->channel[t][0] = rtp;
	p->channel[t][1] = rtcp;
}

static int64_t ports_heard_ns(const struct rtp_ports *p)
{
	(void)p;
	return the.heard_ns;
}

static void ports_free(struct rtp_ports **p)
{
	free(*p);
	*p = NULL;
	the.ports--;
}

static void sign_in(void *ctx, const char *user, rtsp_token_cb *cb, void *obj)
{
	(void)ctx;
	cb(obj, !strcmp(user, "ann") ? "s1.of-ann" : !strcmp(user, "bob") ? "s1.of-bob" : NULL);
}

static const struct rtsp_host host = {
	.link_new = link_new, .link_text = link_text, .link_feed = link_feed, .link_free = link_free,
	.ports_new = ports_new, .ports_open = ports_open, .ports_port = ports_port,
	.ports_channels = ports_channels, .ports_heard_ns = ports_heard_ns, .ports_free = ports_free,
	.sign_in = sign_in,
};

static struct rtsp_conn *new_conn(const char *peer)
{
	struct rtsp_conn *c = rtsp_conn_new(the.rtsp, -1, peer, "127.0.0.1");

	assert_non_null(c);
	return c;
}

static int setup(void **state)
{
	struct rtsp_cfg cfg = { .address = "127.0.0.1", .realm = "mcu", .max_sessions = 3,
				.sessions_per_address = 2, .connections_per_address = 10, .session_s = 60,
				.requests_per_s = 100, .clock = &the.clock, .host = &host };
	struct errmsg why;

	(void)state;
	role_enter(ROLE_ID_NONE);
	memset(&the, 0, sizeof the);
	clock_fake_init(&the.clock, 1000 * NS_PER_S);
	assert_int_equal(rtsp_new(&the.rtsp, &cfg, &api, NULL, &why), 0);
	the.conn = new_conn("127.0.0.1");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rtsp_shutdown(the.rtsp);
	rtsp_free(&the.rtsp);
	assert_int_equal(the.ports, 0);
	return 0;
}

/* --- the client ------------------------------------------------------------------------------- */

static void say(struct rtsp_conn *c, const char *text)
{
	the.out[0] = '\0';
	rtsp_conn_input(c, (const uint8_t *)text, strlen(text));
}

/* The status of the first reply that has come. */
static int status(void)
{
	return strncmp(the.out, "RTSP/1.0 ", 9) ? 0 : atoi(the.out + 9);
}

__attribute__((format(printf, 2, 3)))
static int ask(struct rtsp_conn *c, const char *fmt, ...)
{
	char text[4096];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	say(c, text);
	return status();
}

static const char *session(void)
{
	static char id[80];
	const char *at = strstr(the.out, "Session: ");

	assert_non_null(at);
	snprintf(id, sizeof id, "%.*s", (int)strcspn(at + 9, ";\r"), at + 9);
	return id;
}

static const char *set_up(struct rtsp_conn *c, const char *track, const char *transport, const char *id)
{
	assert_int_equal(ask(c, "SETUP " BASE "/%s RTSP/1.0\r\nCSeq: 1\r\nTransport: %s\r\n%s%s%s\r\n", track,
			     transport, id ? "Session: " : "", id ? id : "", id ? "\r\n" : ""), 200);
	return session();
}

static int play(struct rtsp_conn *c, const char *id)
{
	return ask(c, "PLAY " BASE " RTSP/1.0\r\nCSeq: 9\r\nSession: %s\r\n\r\n", id);
}

/* --- tests -------------------------------------------------------------------------------------- */

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
