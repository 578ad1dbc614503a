#include "signaling/rtsp_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "mcu/base/log.h"
#include "mcu/base/metrics.h"

METRIC_COUNTER(m_sessions, "mcu_rtsp_sessions_total", "RTSP sessions that were set up");
METRIC_GAUGE(g_sessions, "mcu_rtsp_sessions", "RTSP sessions");

/* --- life ---------------------------------------------------------------------------------- */

static void session_free(struct rtsp_session *s)
{
	if (s->token)
		explicit_bzero(s->token, strlen(s->token));
	g_free(s->token);
	neg_plan_free(&s->plan);
	if (s->ports)
		s->rtsp->cfg.host->ports_free(&s->ports);
	free(s);
	metric_add(&g_sessions, -1);
}

void rtsp_session_hold(struct rtsp_session *s)
{
	s->holds++;
}

void rtsp_session_release(struct rtsp_session *s)
{
	if (!--s->holds && s->over)
		session_free(s);
}

static int new_id(char out[RTSP_ID_CHARS + 1])
{
	uint8_t raw[RTSP_ID_CHARS / 2];

	if (getrandom(raw, sizeof raw, 0) != (ssize_t)sizeof raw)
		return -EIO;
	for (size_t i = 0; i < sizeof raw; i++)
		snprintf(out + 2 * i, 3, "%02x", raw[i]);
	return 0;
}

static size_t of_address(const struct rtsp *r, const char *peer)
{
	GHashTableIter it;
	gpointer v;
	size_t n = 0;

	g_hash_table_iter_init(&it, r->sessions);
	while (g_hash_table_iter_next(&it, NULL, &v))
		n += !strcmp(((struct rtsp_session *)v)->peer, peer);
	return n;
}

static int check_limits(const struct rtsp_conn *c, struct errmsg *why)
{
	const struct rtsp *r = c->rtsp;

	if (r->stopping)
		return errmsg_set(why, -ESHUTDOWN, "shutting_down", "The server is shutting down.");
	if (g_hash_table_size(r->sessions) >= r->cfg.max_sessions)
		return errmsg_set(why, -EUSERS, "server_full",
				  "As many RTSP sessions as may be are open. Try again later.");
	if (of_address(r, c->peer) >= r->cfg.sessions_per_address)
		return errmsg_set(why, -EUSERS, "too_many_from_address", "Your network address has as many "
				  "RTSP sessions as it may. End one, or have rtsp.sessions_per_address raised.");
	return 0;
}

struct rtsp_session *rtsp_session_new(struct rtsp_conn *c, struct errmsg *why)
{
	struct rtsp_session *s;

	if (check_limits(c, why))
		return NULL;
	s = calloc(1, sizeof *s);
	if (!s || new_id(s->id)) {
		free(s);
		errmsg_set(why, -ENOMEM, "internal", "The server is out of memory.");
		return NULL;
	}
	s->rtsp = c->rtsp;
	s->conn = c;
	g_strlcpy(s->peer, c->peer, sizeof s->peer);
	s->place = c->uri.place;
	g_strlcpy(s->name, c->uri.name, sizeof s->name);
	g_strlcpy(s->pin, c->uri.pin, sizeof s->pin);
	g_strlcpy(s->display, c->uri.display, sizeof s->display);
	s->token = g_strdup(c->uri.token[0] ? c->uri.token : c->token);
	s->state = RTSP_STATE_READY;
	s->seen_ns = rtsp_now(c->rtsp);
	g_hash_table_insert(c->rtsp->sessions, s->id, s);
	metric_add(&m_sessions, 1);
	metric_add(&g_sessions, 1);
	return s;
}

/* The packets end first, then the ports that they go from. */
void rtsp_session_end(struct rtsp_session *s, const struct errmsg *why)
{
	struct rtsp_conn *c;

	if (s->over)
		return;
	rtsp_session_hold(s);
	s->over = true;
	for (int t = RTSP_AUDIO; s->tcp && s->conn && t < RTSP_TRACKS; t++)
		if (s->track[t].used)
			s->conn->hears[s->track[t].channel[1]] = false;
	g_hash_table_remove(s->rtsp->sessions, s->id);
	c = rtsp_session_answer(s);
	rtsp_live_stop(s, LEAVE_LEFT);
	if (s->movie)
		s->rtsp->cfg.host->movie_close(&s->movie);
	if (c) {
		rtsp_refuse_why(c, why);
		rtsp_conn_release(c);
	}
	rtsp_session_release(s);
}

struct rtsp_session *rtsp_session_find(struct rtsp_conn *c)
{
	struct rtsp_session *s = g_hash_table_lookup(c->rtsp->sessions, c->req.session);

	if (!s || strcmp(s->peer, c->peer))
		return NULL;
	s->seen_ns = rtsp_now(c->rtsp);
	return s;
}

bool rtsp_session_is_silent(const struct rtsp_session *s, int64_t now_ns)
{
	int64_t last = s->seen_ns, media = s->ports ? s->rtsp->cfg.host->ports_heard_ns(s->ports) : 0;

	if (media > last)
		last = media;
	/* reports come by the connection too */
	if (s->tcp && s->conn && s->conn->heard_ns > last)
		last = s->conn->heard_ns;
	return now_ns - last > (int64_t)s->rtsp->cfg.session_s * NS_PER_S;
}

size_t rtsp_session_tracks(const struct rtsp_session *s)
{
	return (size_t)s->track[RTSP_AUDIO].used + (size_t)s->track[RTSP_VIDEO].used;
}

/* --- whoever waits ----------------------------------------------------------------------------- */

void rtsp_session_await(struct rtsp_session *s, struct rtsp_conn *c)
{
	rtsp_conn_hold(c);
	s->asker = c;
}

struct rtsp_conn *rtsp_session_answer(struct rtsp_session *s)
{
	struct rtsp_conn *c = s->asker;

	s->asker = NULL;
	return c;
}

/* --- SETUP --------------------------------------------------------------------------------------- */

static bool channel_is_free(const struct rtsp_session *s, int channel)
{
	GHashTableIter it;
	gpointer v;

	g_hash_table_iter_init(&it, s->rtsp->sessions);
	while (g_hash_table_iter_next(&it, NULL, &v)) {
		const struct rtsp_session *o = v;

		for (int t = RTSP_AUDIO; o->tcp && o->conn == s->conn && t < RTSP_TRACKS; t++)
			if (o->track[t].used && (o->track[t].channel[0] == channel ||
						 o->track[t].channel[1] == channel))
				return false;
	}
	return true;
}

/* Those that the client wishes, or the first two that are free. */
static bool choose_channels(const struct rtsp_session *s, struct rtsp_transport *t)
{
	for (int i = 0; t->channel < 0 && i < 255; i += 2)
		if (channel_is_free(s, i) && channel_is_free(s, i + 1)) {
			t->channel = i;
			t->rtcp_channel = i + 1;
		}
	return t->channel >= 0 && channel_is_free(s, t->channel) && channel_is_free(s, t->rtcp_channel);
}

ON_THREAD(ROLE_CTL) static int add_track(struct rtsp_session *s, struct rtsp_conn *c,
					 struct rtsp_transport *t, struct errmsg *why)
{
	const struct rtsp_host *h = s->rtsp->cfg.host;
	enum rtsp_track n = c->uri.track;
	int err = 0;

	if (!rtsp_session_tracks(s))
		s->tcp = t->tcp;
	if (t->tcp != s->tcp || (t->tcp && (s->conn != c || !choose_channels(s, t))))
		return errmsg_set(why, -ENOTSUP, "not_acceptable", "All tracks of a session are sent the "
				  "same way, over channels that nothing else has.");
	if (!s->ports)
		err = h->ports_new(s->rtsp->cfg.host_ctx, c->local, c->link, t->tcp, &s->ports, why);
	if (!err)
		err = h->ports_open(s->ports, n, why);
	if (err)
		return err;
	s->track[n].used = true;
	s->track[n].port = t->port;
	s->track[n].rtcp_port = t->rtcp_port;
	s->track[n].channel[0] = (uint8_t)t->channel;
	s->track[n].channel[1] = (uint8_t)t->rtcp_channel;
	if (t->tcp) {
		h->ports_channels(s->ports, n, (uint8_t)t->channel, (uint8_t)t->rtcp_channel);
		c->hears[t->rtcp_channel] = true;
	}
	return 0;
}

ON_THREAD(ROLE_CTL) static void reply_setup(struct rtsp_session *s, struct rtsp_conn *c,
					    const struct rtsp_transport *t)
{
	unsigned port = s->rtsp->cfg.host->ports_port(s->ports, c->uri.track);
	char headers[256];

	if (t->tcp)
		snprintf(headers, sizeof headers, "Transport: RTP/AVP/TCP;unicast;interleaved=%d-%d\r\n",
			 t->channel, t->rtcp_channel);
	else
		snprintf(headers, sizeof headers, "Transport: RTP/AVP;unicast;client_port=%u-%u;"
			 "server_port=%u-%u;source=%s\r\n", t->port, t->rtcp_port, port, port + 1, c->local);
	rtsp_reply(c, 200, s, headers, NULL, NULL);
}

void rtsp_session_setup(struct rtsp_session *s, struct rtsp_conn *c)
{
	struct rtsp_transport t;
	struct errmsg why = { .code = "" };
	int err = rtsp_transport_read(&t, c->req.transport);

	if (err == -EINVAL)
		errmsg_set(&why, err, "name_invalid", "The Transport header cannot be read.");
	else if (err)
		errmsg_set(&why, err, "not_acceptable", "Media comes as RTP/AVP to one host (client_port=), or "
			   "as RTP/AVP/TCP interleaved.");
	if (!err && (s->state == RTSP_STATE_PLAYING || s->asker || s->sent_to ||
		     s->track[c->uri.track].used)) {
		rtsp_refuse(c, 455, "The track is set up already, or the session plays.");
		return;
	}
	if (!err && s->movie && !s->rtsp->cfg.host->movie_info(s->movie)->track[c->uri.track].there)
		err = errmsg_set(&why, -ENOENT, "not_found", "The recording has no such track.");
	if (!err)
		err = add_track(s, c, &t, &why);
	if (!err) {
		reply_setup(s, c, &t);
		return;
	}
	rtsp_session_hold(s); /* the next request is taken with the reply, and may end it */
	rtsp_refuse_why(c, &why);
	if (!rtsp_session_tracks(s))
		rtsp_session_end(s, &why);
	rtsp_session_release(s);
}

/* --- recordings: PLAY and PAUSE -------------------------------------------------------------------- */

static void on_playing(void *obj, int err, const struct rtsp_started *started);
static void on_paused(void *obj, int64_t at_ms);
static void on_ended(void *obj, int64_t at_ms);

static const struct rtsp_movie_events movie_events = {
	.playing = on_playing,
	.paused = on_paused,
	.ended = on_ended,
};

static void add_npt(GString *out, int64_t ms)
{
	g_string_append_printf(out, "%" G_GINT64_FORMAT ".%03d", ms / 1000, (int)(ms % 1000));
}

/* RTP-Info names what SETUP named. */
static void add_info(GString *out, const struct rtsp_session *s, const struct rtsp_conn *c,
		     const struct rtsp_started *started)
{
	char url[RTSP_URI_MAX * 2];
	bool first = true;

	for (enum rtsp_track t = RTSP_AUDIO; t < RTSP_TRACKS; t++) {
		if (!s->track[t].used || !started->track[t].there)
			continue;
		rtsp_url(c, t, url, sizeof url);
		g_string_append_printf(out, "%surl=%s;seq=%u;rtptime=%u", first ? "RTP-Info: " : ",", url,
				       started->track[t].seq, started->track[t].ts);
		first = false;
	}
	if (!first)
		g_string_append(out, "\r\n");
}

static void on_playing(void *obj, int err, const struct rtsp_started *started)
{
	struct rtsp_session *s = obj;
	const struct rtsp_movie_info *info = s->rtsp->cfg.host->movie_info(s->movie);
	struct rtsp_conn *c;
	GString *out;

	role_assert_ctl();
	c = rtsp_session_answer(s);
	s->state = err ? RTSP_STATE_READY : RTSP_STATE_PLAYING;
	if (!c)
		return;
	if (err) {
		rtsp_refuse(c, 500, "The recording cannot be read there.");
		rtsp_conn_release(c);
		return;
	}
	out = g_string_new("Range: npt=");
	add_npt(out, started->from_ms);
	g_string_append_c(out, '-');
	if (started->scale > 0)
		add_npt(out, s->to_ms >= 0 ? s->to_ms : info->duration_ms);
	g_string_append(out, "\r\n");
	if (started->scale != 1)
		g_string_append_printf(out, "Scale: %d.0\r\n", started->scale);
	add_info(out, s, c, started);
	rtsp_reply(c, 200, s, out->str, NULL, NULL);
	g_string_free(out, TRUE);
	rtsp_conn_release(c);
}

static void on_paused(void *obj, int64_t at_ms)
{
	struct rtsp_session *s = obj;
	struct rtsp_conn *c;
	GString *out;

	role_assert_ctl();
	c = rtsp_session_answer(s);
	s->state = RTSP_STATE_READY;
	if (!c)
		return;
	out = g_string_new("Range: npt=");
	add_npt(out, at_ms);
	g_string_append(out, "-\r\n");
	rtsp_reply(c, 200, s, out->str, NULL, NULL);
	g_string_free(out, TRUE);
	rtsp_conn_release(c);
}

/* PLAY may follow; the session stays until TEARDOWN or silence. */
static void on_ended(void *obj, int64_t at_ms)
{
	struct rtsp_session *s = obj;

	(void)at_ms;
	role_assert_ctl();
	s->state = RTSP_STATE_READY;
}

/* 0 or the status of the refusal. */
static int read_play(struct rtsp_session *s, const struct rtsp_conn *c, int *scale)
{
	const struct rtsp_movie_info *info = s->rtsp->cfg.host->movie_info(s->movie);
	struct rtsp_range range = { .now = true, .to_ms = -1 };

	*scale = 1;
	if (c->req.scale && rtsp_scale_read(scale, c->req.scale))
		return 400;
	if (c->req.range && rtsp_range_read(&range, c->req.range))
		return 457;
	if (!range.now && range.from_ms > info->duration_ms)
		return 457;
	if (!range.now && range.to_ms >= 0 && *scale > 0 && range.to_ms <= range.from_ms)
		return 457;
	s->from_ms = range.now ? -1 : range.from_ms;
	s->to_ms = range.to_ms >= info->duration_ms ? -1 : range.to_ms;
	return 0;
}

ON_THREAD(ROLE_CTL) static int send_to(struct rtsp_session *s, struct errmsg *why)
{
	struct rtsp_to to[RTSP_TRACKS];
	int err;

	if (s->sent_to)
		return 0;
	for (enum rtsp_track t = RTSP_AUDIO; t < RTSP_TRACKS; t++)
		to[t] = (struct rtsp_to){ s->track[t].used, s->track[t].port, s->track[t].rtcp_port };
	to[RTSP_AGGREGATE].used = false;
	err = s->rtsp->cfg.host->movie_send_to(s->movie, s->ports, s->peer, to,
						  &movie_events, s, why);
	s->sent_to = !err;
	return err;
}

void rtsp_session_play(struct rtsp_session *s, struct rtsp_conn *c)
{
	struct errmsg why = { .code = "" };
	int scale, status = read_play(s, c, &scale);

	if (status) {
		rtsp_refuse(c, status, status == 400 ? "Scale is a number other than 0." :
			    "That range is not in the recording. Ranges are like npt=12.5-.");
		return;
	}
	if (send_to(s, &why)) {
		rtsp_refuse_why(c, &why);
		return;
	}
	rtsp_session_await(s, c);
	s->rtsp->cfg.host->movie_play(s->movie, s->from_ms, s->to_ms, scale);
}

void rtsp_session_pause(struct rtsp_session *s, struct rtsp_conn *c)
{
	if (s->state != RTSP_STATE_PLAYING) {
		rtsp_reply(c, 200, s, NULL, NULL, NULL);
		return;
	}
	rtsp_session_await(s, c);
	s->rtsp->cfg.host->movie_pause(s->movie);
}
