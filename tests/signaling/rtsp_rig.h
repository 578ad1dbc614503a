/* A made-up room, host and clock for the RTSP server; what a client sends is put in by hand,
 * without sockets. */
#ifndef TESTS_SIGNALING_RTSP_RIG_H
#define TESTS_SIGNALING_RTSP_RIG_H

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

static inline int fake_join(void *ctx, const struct join_req *req, const struct leg_events *ev,
			    void *obj, struct leg_handle **out, struct errmsg *why)
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

static inline void fake_leave(void *ctx, struct leg_handle *leg, enum leave_reason reason)
{
	(void)ctx;
	(void)reason;
	assert_ptr_equal(leg, LEG);
	the.leaves++;
}

static inline int fake_local(void *ctx, struct leg_handle *leg, bool restart,
			     struct neg_policy *out, struct errmsg *why)
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

static inline int fake_negotiated(void *ctx, struct leg_handle *leg, const struct neg_plan *plan,
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

static inline void fake_key_frame(void *ctx, struct leg_handle *leg)
{
	(void)ctx;
	(void)leg;
	the.keys++;
}

static const struct room_api api = { .join = fake_join, .leave = fake_leave, .local = fake_local,
				     .negotiated = fake_negotiated, .key_frame = fake_key_frame };

/* --- the host ------------------------------------------------------------------------------ */

static inline int link_new(void *ctx, int fd, struct rtp_tcp **out)
{
	(void)ctx;
	(void)fd;
	*out = (struct rtp_tcp *)(void *)&the;
	return 0;
}

static inline int link_text(struct rtp_tcp *t, const char *text, size_t len)
{
	size_t had = strlen(the.out);

	(void)t;
	assert_true(had + len < sizeof the.out);
	memcpy(the.out + had, text, len);
	the.out[had + len] = '\0';
	return 0;
}

static inline void link_feed(struct rtp_tcp *t, uint8_t channel, const uint8_t *p, size_t len)
{
	(void)t;
	(void)channel;
	(void)p;
	the.fed += len;
}

static inline void link_free(struct rtp_tcp **t)
{
	*t = NULL;
}

static inline int ports_new(void *ctx, const char *local, struct rtp_tcp *link, bool tcp,
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

static inline int ports_open(struct rtp_ports *p, enum rtsp_track t, struct errmsg *why)
{
	(void)why;
	p->open[t] = true;
	return 0;
}

static inline uint16_t ports_port(const struct rtp_ports *p, enum rtsp_track t)
{
	assert_true(p->open[t]);
	return t == RTSP_AUDIO ? 20000 : 20002;
}

static inline void ports_channels(struct rtp_ports *p, enum rtsp_track t, uint8_t rtp, uint8_t rtcp)
{
	p->channel[t][0] = rtp;
	p->channel[t][1] = rtcp;
}

static inline int64_t ports_heard_ns(const struct rtp_ports *p)
{
	(void)p;
	return the.heard_ns;
}

static inline void ports_free(struct rtp_ports **p)
{
	free(*p);
	*p = NULL;
	the.ports--;
}

static inline void sign_in(void *ctx, const char *user, rtsp_token_cb *cb, void *obj)
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

static inline struct rtsp_conn *new_conn(const char *peer)
{
	struct rtsp_conn *c = rtsp_conn_new(the.rtsp, -1, peer, "127.0.0.1");

	assert_non_null(c);
	return c;
}

static inline int setup(void **state)
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

static inline int teardown(void **state)
{
	(void)state;
	rtsp_shutdown(the.rtsp);
	rtsp_free(&the.rtsp);
	assert_int_equal(the.ports, 0);
	return 0;
}

/* --- the client ------------------------------------------------------------------------------- */

static inline void say(struct rtsp_conn *c, const char *text)
{
	the.out[0] = '\0';
	rtsp_conn_input(c, (const uint8_t *)text, strlen(text));
}

/* The status of the first reply that has come. */
static inline int status(void)
{
	return strncmp(the.out, "RTSP/1.0 ", 9) ? 0 : atoi(the.out + 9);
}

__attribute__((format(printf, 2, 3)))
static inline int ask(struct rtsp_conn *c, const char *fmt, ...)
{
	char text[4096];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	say(c, text);
	return status();
}

static inline const char *session(void)
{
	static char id[80];
	const char *at = strstr(the.out, "Session: ");

	assert_non_null(at);
	snprintf(id, sizeof id, "%.*s", (int)strcspn(at + 9, ";\r"), at + 9);
	return id;
}

static inline const char *set_up(struct rtsp_conn *c, const char *track, const char *transport,
				 const char *id)
{
	assert_int_equal(ask(c, "SETUP " BASE "/%s RTSP/1.0\r\nCSeq: 1\r\nTransport: %s\r\n%s%s%s\r\n", track,
			     transport, id ? "Session: " : "", id ? id : "", id ? "\r\n" : ""), 200);
	return session();
}

static inline int play(struct rtsp_conn *c, const char *id)
{
	return ask(c, "PLAY " BASE " RTSP/1.0\r\nCSeq: 9\r\nSession: %s\r\n\r\n", id);
}

#endif
