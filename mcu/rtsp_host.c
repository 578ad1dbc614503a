#include "mcu/rtsp_host.h"

#include <errno.h>
#include <stdlib.h>

#include "mcu/accounts.h"
#include "mcu/conference.h"
#include "mcu/net/rtp_ports.h"
#include "mcu/net/rtp_tcp.h"
#include "mcu/room/engine.h"
#include "mcu/rtsp_movie.h"
#include "storage/users.h"

static const enum rtp_line line_of[RTSP_TRACKS] = {
	[RTSP_AUDIO] = RTP_LINE_AUDIO, [RTSP_VIDEO] = RTP_LINE_CAMERA,
};

static int link_new(void *ctx, int fd, struct rtp_tcp **out)
{
	struct rtsp_gate *g = ctx;

	role_assert_ctl();
	return rtp_tcp_new(out, g->engine->shard[g->next_shard++ % g->engine->n_shards], fd);
}

static int link_text(struct rtp_tcp *t, const char *text, size_t len)
{
	role_assert_ctl();
	return rtp_tcp_text(t, text, len);
}

static void link_feed(struct rtp_tcp *t, uint8_t channel, const uint8_t *p, size_t len)
{
	role_assert_ctl();
	rtp_tcp_feed(t, channel, p, len);
}

static void link_free(struct rtp_tcp **t)
{
	role_assert_ctl();
	rtp_tcp_unref(t);
}

/* The client's host has answered over TCP, so that nobody else is sent anything. */
static int ports_new(void *ctx, const char *local, struct rtp_tcp *link, bool tcp,
		     struct rtp_ports **out, struct errmsg *why)
{
	struct rtsp_gate *g = ctx;
	int err;

	role_assert_ctl();
	err = conference_ports_on(g->conference, local, net_shard_index(rtp_tcp_shard(link)), out, why);
	if (err)
		return err;
	rtp_ports_prove(*out);
	if (tcp)
		rtp_ports_set_tcp(*out, link);
	return 0;
}

static int ports_open(struct rtp_ports *p, enum rtsp_track t, struct errmsg *why)
{
	role_assert_ctl();
	return rtp_ports_open(p, line_of[t], why);
}

static uint16_t ports_port(const struct rtp_ports *p, enum rtsp_track t)
{
	return rtp_ports_port(p, line_of[t]);
}

static void ports_channels(struct rtp_ports *p, enum rtsp_track t, uint8_t rtp, uint8_t rtcp)
{
	role_assert_ctl();
	rtp_ports_set_channels(p, line_of[t], rtp, rtcp);
}

static void ports_free(struct rtp_ports **p)
{
	role_assert_ctl();
	rtp_ports_unref(p);
}

/* --- users -------------------------------------------------------------------------------- */

struct sign_in {
	struct rtsp_gate *gate;
	rtsp_token_cb *cb;
	void *obj;
};

static void on_user(void *obj, int err, const struct user_row *row)
{
	struct sign_in *s = obj;
	char token[TOKEN_LEN + 1];
	int64_t expires_ms;

	role_assert_ctl();
	if (!err)
		accounts_token(s->gate->accounts, row, token, &expires_ms);
	s->cb(s->obj, err ? NULL : token);
	free(s);
}

static void sign_in(void *ctx, const char *user, rtsp_token_cb *cb, void *obj)
{
	struct sign_in *s = calloc(1, sizeof *s);

	role_assert_ctl();
	if (s)
		*s = (struct sign_in){ .gate = ctx, .cb = cb, .obj = obj };
	if (s && !users_find(s->gate->db, user, on_user, s))
		return;
	free(s);
	cb(obj, NULL);
}

const struct rtsp_host rtsp_host = {
	.link_new = link_new,
	.link_text = link_text,
	.link_feed = link_feed,
	.link_free = link_free,
	.ports_new = ports_new,
	.ports_open = ports_open,
	.ports_port = ports_port,
	.ports_channels = ports_channels,
	.ports_heard_ns = rtp_ports_heard_ns,
	.ports_free = ports_free,
	.sign_in = sign_in,
	.movie_open = rtsp_movie_open,
	.movie_info = rtsp_movie_info,
	.movie_send_to = rtsp_movie_send_to,
	.movie_play = rtsp_movie_play,
	.movie_pause = rtsp_movie_pause,
	.movie_close = rtsp_movie_close,
};
