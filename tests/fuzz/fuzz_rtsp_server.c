/* The RTSP server's connections and sessions against a made-up room, recording and clock: a
 * script says what clients send, in how many pieces, and when the rest of the server
 * answers. Each line of it is a letter and a text, ended by an octet 0xff:
 *
 *   a b c   that client sends the text: 0x01 is the last session's number, 0x02 an
 *           Authorization header with the right password; A B C: its connection ends
 *   w x l   the oldest leg that waits is welcomed, ends well, ends by an error
 *   o O     the oldest recording that is being opened is, or is not
 *   p P q e it plays, does not, has paused, is at its end
 *   s S     the oldest password is a user's, or nobody's
 *   t T     a second, or a minute, goes by
 *   i f n   from now on answers come at once or later; the next reply does not go out; the next
 *           leg ends in the middle of its negotiation
 *
 * Nothing is used after its end, and in the end nothing is left. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/rtsp_internal.h"

enum { CLIENTS = 3, MANY = 64, TEXT_MAX = 4096 };

struct leg_handle {
	const struct leg_events *ev;
	void *obj;
	bool welcomed, asks;
};

struct rtsp_movie {
	const struct rtsp_movie_events *ev;
	void *obj;
	bool opened, sent_to, play_waits, pause_waits, plays;
	struct rtsp_movie_info info;
};

struct rtp_ports {
	bool open[RTSP_TRACKS];
};

struct rtp_tcp {
	int unused;
};

struct sign_in {
	rtsp_token_cb *cb;
	void *obj;
};

static struct {
	struct clock clock;
	struct rtsp *rtsp;
	struct rtsp_conn *conn[CLIENTS];
	char session[RTSP_SESSION_MAX + 1], nonce[SIP_NONCE_LEN + 1];
	bool at_once, link_fails, leg_ends;
	GPtrArray *legs, *movies, *sign_ins;
	int ports, links;
} the;

static void check(bool ok)
{
	if (!ok)
		abort();
}

/* --- the room ---------------------------------------------------------------------------- */

static void end_leg(struct leg_handle *l, const char *code)
{
	struct leg_handle was = *l;
	struct errmsg why;

	errmsg_set(&why, 0, code, "%s", "It has ended.");
	check(g_ptr_array_remove(the.legs, l));
	free(l);
	was.ev->closed(was.obj, *code ? LEAVE_ERROR : LEAVE_LEFT, &why);
}

static int room_join(void *ctx, const struct join_req *req, const struct leg_events *ev, void *obj,
		     struct leg_handle **out, struct errmsg *why)
{
	const struct welcome_info w = { .leg = 1 };
	struct leg_handle *l;

	(void)ctx;
	check(req->existing && req->device && strlen(req->room) && req->peer);
	if (req->pin && !strcmp(req->pin, "0"))
		return errmsg_set(why, -EACCES, "pin_wrong", "No.");
	if (!req->token && !strcmp(req->room, "closed"))
		return errmsg_set(why, -EACCES, "members_only", "No.");
	if (the.at_once && req->ask_only)
		return errmsg_set(why, -ECANCELED, "", "%s", "");
	if (the.legs->len == MANY)
		return errmsg_set(why, -EUSERS, "room_full", "No.");
	l = calloc(1, sizeof *l);
	check(l != NULL);
	*l = (struct leg_handle){ .ev = ev, .obj = obj, .asks = req->ask_only };
	g_ptr_array_add(the.legs, l);
	*out = l;
	if (the.at_once) {
		l->welcomed = true;
		ev->welcome(obj, &w);
	}
	return 0;
}

static void room_leave(void *ctx, struct leg_handle *l, enum leave_reason reason)
{
	(void)ctx;
	(void)reason;
	check(g_ptr_array_remove(the.legs, l));
	free(l);
}

static int room_local(void *ctx, struct leg_handle *l, bool restart, struct neg_policy *out,
		      struct errmsg *why)
{
	static const struct neg_abilities can = { .send = 0 };

	(void)ctx;
	(void)restart;
	(void)why;
	check(g_ptr_array_find(the.legs, l, NULL) && !l->asks);
	neg_policy_phone(out, &can);
	out->address = "127.0.0.1";
	out->cname = "c";
	for (unsigned r = 0; r < NEG_N_ROLES; r++) {
		out->media[r].port = (uint16_t)(20000 + 2 * r);
		out->media[r].ssrc = 1 + r;
	}
	if (the.leg_ends) {
		the.leg_ends = false;
		end_leg(l, "connection_lost");
	}
	return 0;
}

static int room_negotiated(void *ctx, struct leg_handle *l, const struct neg_plan *plan,
			   struct errmsg *why)
{
	(void)ctx;
	(void)why;
	check(g_ptr_array_find(the.legs, l, NULL) && plan);
	return 0;
}

static void room_key_frame(void *ctx, struct leg_handle *l)
{
	(void)ctx;
	check(g_ptr_array_find(the.legs, l, NULL));
}

static const struct room_api api = {
	.join = room_join, .leave = room_leave, .local = room_local, .negotiated = room_negotiated,
	.key_frame = room_key_frame,
};

/* --- the host ------------------------------------------------------------------------------ */

static int link_new(void *ctx, int fd, struct rtp_tcp **out)
{
	(void)ctx;
	check(fd == -1);
	*out = calloc(1, sizeof **out);
	the.links++;
	return *out ? 0 : -ENOMEM;
}

static void keep(char *out, size_t cap, const char *text, const char *before, const char *end)
{
	const char *at = strstr(text, before);

	if (at)
		g_snprintf(out, (gulong)cap, "%.*s", (int)strcspn(at + strlen(before), end),
			   at + strlen(before));
}

static int link_text(struct rtp_tcp *t, const char *text, size_t len)
{
	check(t && strlen(text) == len && !strncmp(text, "RTSP/1.0 ", 9) && strstr(text, "\r\n\r\n"));
	keep(the.session, sizeof the.session, text, "\r\nSession: ", ";");
	keep(the.nonce, sizeof the.nonce, text, "nonce=\"", "\"");
	if (!the.link_fails)
		return 0;
	the.link_fails = false;
	return -EAGAIN;
}

static void link_feed(struct rtp_tcp *t, uint8_t channel, const uint8_t *p, size_t len)
{
	(void)channel;
	check(t && p && len <= RTSP_DATA_MAX);
}

static void link_free(struct rtp_tcp **t)
{
	free(*t);
	*t = NULL;
	the.links--;
}

static int ports_new(void *ctx, const char *local, struct rtp_tcp *link, bool tcp,
		     struct rtp_ports **out, struct errmsg *why)
{
	(void)ctx;
	check(*local && link);
	if (the.ports == 2 * MANY)
		return errmsg_set(why, -EBUSY, "busy", "No.");
	(void)tcp;
	*out = calloc(1, sizeof **out);
	the.ports++;
	return *out ? 0 : -ENOMEM;
}

static int ports_open(struct rtp_ports *p, enum rtsp_track t, struct errmsg *why)
{
	(void)why;
	check(!p->open[t]);
	p->open[t] = true;
	return 0;
}

static uint16_t ports_port(const struct rtp_ports *p, enum rtsp_track t)
{
	check(p->open[t]);
	return 20000;
}

static void ports_channels(struct rtp_ports *p, enum rtsp_track t, uint8_t rtp, uint8_t rtcp)
{
	check(p->open[t] && rtp != rtcp);
}

static int64_t ports_heard_ns(const struct rtp_ports *p)
{
	check(p->open[RTSP_AUDIO] || p->open[RTSP_VIDEO]);
	return 0;
}

static void ports_free(struct rtp_ports **p)
{
	free(*p);
	*p = NULL;
	the.ports--;
}

static void sign_in(void *ctx, const char *user, rtsp_token_cb *cb, void *obj)
{
	struct sign_in *s;

	(void)ctx;
	if (the.at_once) {
		cb(obj, !strcmp(user, "ann") ? "s1.of-ann" : NULL);
		return;
	}
	s = calloc(1, sizeof *s);
	check(s != NULL);
	*s = (struct sign_in){ cb, obj };
	g_ptr_array_add(the.sign_ins, s);
}

static int movie_open(void *ctx, int64_t id, const char *token, const char *peer,
		      const struct rtsp_movie_events *ev, void *obj, struct rtsp_movie **out,
		      struct errmsg *why)
{
	struct rtsp_movie *m;

	(void)ctx;
	check(*peer);
	if (!token || the.movies->len == MANY)
		return errmsg_set(why, -EACCES, "sign_in_needed", "No.");
	m = calloc(1, sizeof *m);
	check(m != NULL);
	*m = (struct rtsp_movie){ .ev = ev, .obj = obj, .info = { .title = "Film \"1\"\r\n",
								  .duration_ms = 24000 } };
	m->info.track[RTSP_VIDEO] = (struct rtsp_movie_track){ .there = true, .codec = CODEC_H264,
							      .clock_hz = 90000, .channels = 1,
							      .fmtp = "packetization-mode=1" };
	if (id % 2)
		m->info.track[RTSP_AUDIO] = (struct rtsp_movie_track){ .there = true, .codec = CODEC_AAC,
								      .clock_hz = 48000, .channels = 2 };
	g_ptr_array_add(the.movies, m);
	*out = m;
	return 0;
}

static const struct rtsp_movie_info *movie_info(const struct rtsp_movie *m)
{
	check(m->opened);
	return &m->info;
}

static int movie_send_to(struct rtsp_movie *m, struct rtp_ports *ports, const char *peer,
			 const struct rtsp_to to[RTSP_TRACKS], const struct rtsp_movie_events *ev,
			 void *obj, struct errmsg *why)
{
	(void)why;
	check(m->opened && !m->sent_to && *peer);
	for (int t = RTSP_AUDIO; t < RTSP_TRACKS; t++)
		check(!to[t].used || (ports->open[t] && m->info.track[t].there));
	m->sent_to = true;
	m->ev = ev;
	m->obj = obj;
	return 0;
}

static void tell_playing(struct rtsp_movie *m, int err)
{
	const struct rtsp_started s = { .from_ms = 1500, .scale = 1,
					.track[RTSP_VIDEO] = { .there = true, .seq = 1, .ts = 2 } };

	m->play_waits = false;
	m->plays = !err;
	m->ev->playing(m->obj, err, &s);
}

static void tell_paused(struct rtsp_movie *m)
{
	m->pause_waits = m->plays = false;
	m->ev->paused(m->obj, 1500);
}

static void movie_play(struct rtsp_movie *m, int64_t from_ms, int64_t to_ms, int scale)
{
	check(m->sent_to && !m->play_waits && !m->pause_waits && scale && from_ms >= -1 && to_ms >= -1);
	check(from_ms <= m->info.duration_ms);
	m->play_waits = true;
	if (the.at_once)
		tell_playing(m, 0);
}

static void movie_pause(struct rtsp_movie *m)
{
	check(m->sent_to && !m->play_waits && !m->pause_waits);
	m->pause_waits = true;
	if (the.at_once)
		tell_paused(m);
}

static void movie_close(struct rtsp_movie **m)
{
	check(g_ptr_array_remove(the.movies, *m));
	free(*m);
	*m = NULL;
}

static const struct rtsp_host host = {
	.link_new = link_new, .link_text = link_text, .link_feed = link_feed, .link_free = link_free,
	.ports_new = ports_new, .ports_open = ports_open, .ports_port = ports_port,
	.ports_channels = ports_channels, .ports_heard_ns = ports_heard_ns, .ports_free = ports_free,
	.sign_in = sign_in, .movie_open = movie_open, .movie_info = movie_info,
	.movie_send_to = movie_send_to, .movie_play = movie_play, .movie_pause = movie_pause,
	.movie_close = movie_close,
};

/* --- the script ------------------------------------------------------------------------------ */

static bool is_open(const struct rtsp_conn *c)
{
	return c && g_ptr_array_find(the.rtsp->conns, c, NULL);
}

/* Of the request on this line. */
static void add_password(GString *out, const char *line)
{
	char ha1[SIP_HASH_MAX + 1], method[32], response[SIP_HASH_MAX + 1];
	struct sip_digest d = { .alg = SIP_DIGEST_MD5, .bare = true };

	g_snprintf(method, sizeof method, "%.*s", (int)strcspn(line, " "), line);
	line += strcspn(line, " ");
	line += *line == ' ';
	g_snprintf(d.uri, sizeof d.uri, "%.*s", (int)strcspn(line, " \r\n\""), line);
	g_strlcpy(d.nonce, the.nonce, sizeof d.nonce);
	sip_digest_ha1(ha1, SIP_DIGEST_MD5, "ann", "mcu", "secret");
	sip_digest_response(response, &d, ha1, method);
	g_string_append_printf(out, "Authorization: Digest username=\"ann\", realm=\"mcu\", nonce=\"%s\", "
			       "uri=\"%s\", response=\"%s\"", the.nonce, d.uri, response);
}

static void send_text(int k, const uint8_t *p, size_t len)
{
	static const char *const peers[CLIENTS] = { "192.0.2.1", "192.0.2.1", "192.0.2.2" };
	GString *out = g_string_new(NULL);
	const char *request;

	if (!is_open(the.conn[k]))
		the.conn[k] = rtsp_conn_new(the.rtsp, -1, peers[k], "127.0.0.1");
	for (size_t i = 0; i < len; i++) {
		if (p[i] == 1) {
			g_string_append(out, the.session);
		} else if (p[i] == 2) {
			request = g_strrstr(out->str, "\r\n\r\n");
			add_password(out, request ? request + 4 : out->str);
		} else {
			g_string_append_c(out, (char)p[i]);
		}
	}
	rtsp_conn_input(the.conn[k], (const uint8_t *)out->str, out->len);
	g_string_free(out, TRUE);
}

static void answer_leg(char how)
{
	const struct welcome_info w = { .leg = 1 };

	for (guint i = 0; i < the.legs->len; i++) {
		struct leg_handle *l = g_ptr_array_index(the.legs, i);

		if (how != 'w') {
			end_leg(l, how == 'x' ? "" : "room_full");
			return;
		}
		if (!l->welcomed && !l->asks) {
			l->welcomed = true;
			l->ev->welcome(l->obj, &w);
			return;
		}
	}
}

/* True: it was one that this can be said to. */
static bool tell_movie(struct rtsp_movie *m, char how)
{
	struct errmsg why = { .code = "" };

	if ((how | 32) == 'o' && !m->opened) {
		m->opened = how == 'o';
		errmsg_set(&why, 0, "not_found", "No.");
		m->ev->opened(m->obj, how == 'o' ? 0 : -ENOENT, &why);
	} else if ((how | 32) == 'p' && m->play_waits) {
		tell_playing(m, how == 'p' ? 0 : -EIO);
	} else if (how == 'q' && m->pause_waits) {
		tell_paused(m);
	} else if (how == 'e' && m->plays && !m->play_waits) {
		m->plays = false;
		m->ev->ended(m->obj, 24000);
	} else {
		return false;
	}
	return true;
}

static void answer_movie(char how)
{
	for (guint i = 0; i < the.movies->len; i++)
		if (tell_movie(g_ptr_array_index(the.movies, i), how))
			return;
}

static void answer_sign_in(const char *token)
{
	struct sign_in *s;

	if (!the.sign_ins->len)
		return;
	s = g_ptr_array_remove_index(the.sign_ins, 0);
	s->cb(s->obj, token);
	free(s);
}

static void obey(char what, const uint8_t *p, size_t len)
{
	switch (what) {
	case 'a': case 'b': case 'c': send_text(what - 'a', p, len); break;
	case 'A': case 'B': case 'C':
		if (is_open(the.conn[what - 'A']))
			rtsp_conn_close(the.conn[what - 'A']);
		break;
	case 'w': case 'x': case 'l': answer_leg(what); break;
	case 's': answer_sign_in("s1.of-ann"); break;
	case 'S': answer_sign_in(NULL); break;
	case 't': case 'T':
		clock_fake_advance(&the.clock, (what == 't' ? 1 : 61) * NS_PER_S);
		rtsp_tick(the.rtsp);
		break;
	case 'i': the.at_once = !the.at_once; break;
	case 'f': the.link_fails = true; break;
	case 'n': the.leg_ends = true; break;
	default: answer_movie(what);
	}
}

static void begin(void)
{
	struct rtsp_cfg cfg = { .address = "127.0.0.1", .realm = "mcu", .max_sessions = 6,
				.sessions_per_address = 5, .connections_per_address = 10,
				.session_s = 60, .requests_per_s = 50, .clock = &the.clock, .host = &host };
	char ha1[SIP_HASH_MAX + 1];
	struct errmsg why;

	role_enter(ROLE_ID_NONE);
	memset(&the, 0, sizeof the);
	the.legs = g_ptr_array_new();
	the.movies = g_ptr_array_new();
	the.sign_ins = g_ptr_array_new();
	clock_fake_init(&the.clock, 1000 * NS_PER_S);
	check(!rtsp_new(&the.rtsp, &cfg, &api, NULL, &why));
	sip_digest_ha1(ha1, SIP_DIGEST_MD5, "ann", "mcu", "secret");
	rtsp_set_user(the.rtsp, "ann", ha1, ha1);
}

static void finish(void)
{
	rtsp_shutdown(the.rtsp);
	while (the.sign_ins->len)
		answer_sign_in(NULL);
	check(!g_hash_table_size(the.rtsp->sessions) && !the.rtsp->conns->len);
	rtsp_free(&the.rtsp);
	check(!the.legs->len && !the.movies->len && !the.ports && !the.links);
	g_ptr_array_unref(the.legs);
	g_ptr_array_unref(the.movies);
	g_ptr_array_unref(the.sign_ins);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	begin();
	while (size) {
		const uint8_t *end = memchr(data, 0xff, size);
		size_t n = end ? (size_t)(end - data) : size;

		if (n > 0 && n < TEXT_MAX)
			obey((char)data[0], data + 1, n - 1);
		n += end != NULL;
		data += n;
		size -= n;
	}
	finish();
	return 0;
}
