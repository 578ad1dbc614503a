#include "mcu/rtsp_movie.h"

#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/accounts.h"
#include "mcu/links.h"
#include "mcu/movie_pump.h"
#include "mcu/rtp/payload_h264.h"
#include "mcu/rtsp_host.h"
#include "storage/recording_search.h"
#include "storage/repository.h"

enum { NEAR_END_MS = 50, PATH_BYTES = 1024 };

struct rtsp_movie {
	struct rtsp_gate *gate;
	const struct rtsp_movie_events *ev;
	void *obj;
	int64_t id;
	struct movie_pump *pump;
	struct rtsp_movie_info info;
	struct recording_row row;
	char link[LINK_LEN + 1];
	unsigned waits; /* answers of the registry, and the pump's end, that are still to come */
	bool closed;
	bool plays;
	int64_t at_ms; /* where it stands when it does not play */
	struct { /* the PLAY that waits until it is known where it stands */
		bool waits;
		int64_t to_ms;
		int scale;
	} again;
};

/* --- life ---------------------------------------------------------------------------------- */

static void release(struct rtsp_movie *m)
{
	if (--m->waits || !m->closed)
		return;
	free(m);
}

ON_THREAD(ROLE_CTL) static void fail(struct rtsp_movie *m, int err, const char *code,
				     const char *text)
{
	struct errmsg why;

	errmsg_set(&why, err, code, "%s", text);
	if (!m->closed)
		m->ev->opened(m->obj, err, &why);
}

/* --- its file ------------------------------------------------------------------------------- */

/* Base64 of each parameter set, with commas. */
static void add_sets(GString *out, const uint8_t *p, size_t len)
{
	const uint8_t *end = p + len, *nal;
	bool first = true;
	size_t n;

	while (rtp_h264_next_nal(&p, end, &nal, &n)) {
		char *text = g_base64_encode(nal, n);

		g_string_append_printf(out, "%s%s", first ? ";sprop-parameter-sets=" : ",", text);
		g_free(text);
		first = false;
	}
}

static void h264_fmtp(char *out, size_t cap, const struct player_track *t)
{
	const uint8_t *p = t->config, *nal;
	GString *s = g_string_new("packetization-mode=1");
	size_t n;

	if (rtp_h264_next_nal(&p, t->config + t->config_len, &nal, &n) && n > 4)
		g_string_append_printf(s, ";profile-level-id=%02X%02X%02X", nal[1], nal[2], nal[3]);
	add_sets(s, t->config, t->config_len);
	if (s->len < cap)
		memcpy(out, s->str, s->len + 1);
	g_string_free(s, TRUE);
}

static void aac_fmtp(char *out, size_t cap, const struct player_track *t)
{
	GString *s = g_string_new("streamtype=5;profile-level-id=1;mode=AAC-hbr;sizelength=13;"
				  "indexlength=3;indexdeltalength=3;config=");

	for (size_t i = 0; i < t->config_len; i++)
		g_string_append_printf(s, "%02X", t->config[i]);
	if (s->len < cap)
		memcpy(out, s->str, s->len + 1);
	g_string_free(s, TRUE);
}

static void describe(struct rtsp_movie *m, const struct player_info *info)
{
	for (int i = 0; i < PLAYER_TRACKS; i++) {
		const struct player_track *t = &info->track[i];
		struct rtsp_movie_track *to = &m->info.track[i == PLAYER_AUDIO ? RTSP_AUDIO : RTSP_VIDEO];

		*to = (struct rtsp_movie_track){ .there = t->there, .codec = t->codec,
						 .clock_hz = t->clock_hz, .channels = t->channels };
		if (t->codec == CODEC_H264)
			h264_fmtp(to->fmtp, sizeof to->fmtp, t);
		else if (t->codec == CODEC_AAC)
			aac_fmtp(to->fmtp, sizeof to->fmtp, t);
	}
	m->info.duration_ms = info->duration_ns ? info->duration_ns / NS_PER_MS : m->row.duration_ms;
}

static void on_opened(void *obj, int err, const struct player_info *info)
{
	struct rtsp_movie *m = obj;

	role_assert_ctl();
	if (err) {
		fail(m, err, err == -ENOENT ? "not_found" : "unreadable",
		     err == -ENOENT ? "The recording's file is missing." :
				      "The recording's file cannot be played.");
		return;
	}
	describe(m, info);
	m->ev->opened(m->obj, 0, NULL);
}

static void on_playing(void *obj, int err, const struct rtsp_started *s)
{
	struct rtsp_movie *m = obj;

	role_assert_ctl();
	m->plays = !err;
	m->ev->playing(m->obj, err, s);
}

static void on_paused(void *obj, int64_t at_ms)
{
	struct rtsp_movie *m = obj;

	role_assert_ctl();
	m->plays = false;
	m->at_ms = at_ms;
	if (!m->again.waits) {
		m->ev->paused(m->obj, at_ms);
		return;
	}
	m->again.waits = false;
	movie_pump_play(m->pump, at_ms, m->again.to_ms, m->again.scale);
}

static void on_ended(void *obj, int64_t at_ms)
{
	struct rtsp_movie *m = obj;

	role_assert_ctl();
	if (!m->plays) /* another PLAY or PAUSE has come meanwhile */
		return;
	m->plays = false;
	m->at_ms = at_ms;
	m->ev->ended(m->obj, at_ms);
}

static void on_gone(void *obj)
{
	struct rtsp_movie *m = obj;

	role_assert_ctl();
	m->gate->movies--;
	release(m);
}

static const struct movie_pump_events pump_events = {
	.opened = on_opened,
	.playing = on_playing,
	.paused = on_paused,
	.ended = on_ended,
	.gone = on_gone,
};

ON_THREAD(ROLE_CTL) static void open_file(struct rtsp_movie *m)
{
	struct rtsp_gate *g = m->gate;
	char path[PATH_BYTES];
	int err;

	if (m->row.state == RECORDING_RECORDING || m->row.state == RECORDING_FINISHING) {
		fail(m, -EBUSY, "not_ready", "This recording is still running. Watch its room instead.");
		return;
	}
	if (!repository_path_valid(m->row.path)) {
		fail(m, -ENOENT, "not_found", "There is no such recording.");
		return;
	}
	g_strlcpy(m->info.title, m->row.title[0] ? m->row.title : m->row.room, sizeof m->info.title);
	snprintf(path, sizeof path, "%s/%s", g->config->data.path, m->row.path);
	err = movie_pump_new(&m->pump, g->engine, g->volume, path, &pump_events, m);
	if (err) {
		fail(m, err, "busy", "The server cannot read another recording now. Try again later.");
		return;
	}
	m->waits++;
	g->movies++;
}

/* --- who may see it ----------------------------------------------------------------------------- */

/* Of a user, who may see it or not. */
static void on_hit(void *obj, int err, const struct recording_hit *hits, size_t n)
{
	struct rtsp_movie *m = obj;

	role_assert_ctl();
	if (m->closed) {
		;
	} else if (err || !n || hits[0].row.deleted_ms) {
		fail(m, -ENOENT, "not_found", "There is no such recording, or it is not for you.");
	} else {
		m->row = hits[0].row;
		open_file(m);
	}
	release(m);
}

/* Of whoever has a link. */
static void on_row(void *obj, int err, const struct recording_row *row)
{
	struct rtsp_movie *m = obj;
	int right;

	role_assert_ctl();
	if (m->closed) {
		release(m);
		return;
	}
	right = err || row->deleted_ms ? -EBADMSG :
		link_check(m->link, m->gate->link_key, row, clock_wall_ns() / NS_PER_MS);
	if (right == -ETIME) {
		fail(m, -EACCES, "link_expired", "This link was valid for some time only. Ask for a new one.");
	} else if (right) {
		fail(m, -ENOENT, "not_found", "There is no such recording, or the link is wrong.");
	} else {
		m->row = *row;
		open_file(m);
	}
	release(m);
}

/* Answers of the registry come later. */
ON_THREAD(ROLE_CTL) static void asked(struct rtsp_movie *m, int err)
{
	if (err)
		fail(m, -EAGAIN, "busy", "The registry is busy. Try again.");
	else
		m->waits++;
}

static void on_account(void *obj, const struct user_row *who, const struct account_refusal *no)
{
	struct rtsp_movie *m = obj;

	role_assert_ctl();
	if (m->closed) {
		release(m);
		return;
	}
	if (no) {
		m->ev->opened(m->obj, -EACCES, &no->why);
	} else {
		const struct recording_viewer v = {
			.user_id = who->id, .everything = who->role == USER_ADMIN,
			.participants = !strcmp(m->gate->config->recording.viewers, "participants"),
		};

		asked(m, recording_open(m->gate->db, m->id, &v, on_hit, m));
	}
	release(m);
}

/* A link's secret is a token of hexadecimal digits, or a time and its MAC (links.h). */
static bool is_link(const char *token)
{
	size_t n = strlen(token);

	return n && n <= LINK_LEN && strspn(token, "0123456789abcdef.") == n;
}

static gboolean begin(gpointer obj);

struct beginning {
	struct rtsp_movie *movie;
	char peer[64], token[];
};

/* Answers may come from inside, and the caller has no movie before this returns: so they
 * come at the next turn. */
int rtsp_movie_open(void *ctx, int64_t id, const char *token, const char *peer,
		    const struct rtsp_movie_events *ev, void *obj, struct rtsp_movie **out,
		    struct errmsg *why)
{
	struct rtsp_movie *m;
	struct beginning *b;

	role_assert_ctl();
	if (!token || !*token)
		return errmsg_set(why, -EACCES, "sign_in_needed", "Recordings are for those who may see "
				  "them: give a password, or the link's ?token=.");
	m = calloc(1, sizeof *m);
	b = calloc(1, sizeof *b + strlen(token) + 1);
	if (!m || !b) {
		free(m);
		free(b);
		return errmsg_set(why, -ENOMEM, "internal", "The server is out of memory.");
	}
	m->gate = ctx;
	m->ev = ev;
	m->obj = obj;
	m->id = id;
	m->waits = 1;
	b->movie = m;
	snprintf(b->peer, sizeof b->peer, "%s", peer);
	strcpy(b->token, token);
	g_idle_add_full(G_PRIORITY_DEFAULT, begin, b, NULL);
	*out = m;
	return 0;
}

static gboolean begin(gpointer obj)
{
	struct beginning *b = obj;
	struct rtsp_movie *m = b->movie;

	role_assert_ctl();
	if (m->closed) {
		release(m);
	} else if (is_link(b->token)) {
		g_strlcpy(m->link, b->token, sizeof m->link);
		asked(m, recordings_get(m->gate->db, m->id, NULL, on_row, m));
		release(m);
	} else {
		accounts_by_token(m->gate->accounts, b->token, SCOPE_RECORDINGS_READ, b->peer,
				  on_account, m);
	}
	explicit_bzero(b->token, strlen(b->token));
	free(b);
	return G_SOURCE_REMOVE;
}

/* --- what the session does with it ------------------------------------------------------------------ */

const struct rtsp_movie_info *rtsp_movie_info(const struct rtsp_movie *m)
{
	return &m->info;
}

int rtsp_movie_send_to(struct rtsp_movie *m, struct rtp_ports *ports, const char *peer,
		       const struct rtsp_to to[RTSP_TRACKS], const struct rtsp_movie_events *ev,
		       void *obj, struct errmsg *why)
{
	(void)why;
	role_assert_ctl();
	m->ev = ev;
	m->obj = obj;
	movie_pump_send_to(m->pump, ports, peer, to);
	return 0;
}

void rtsp_movie_play(struct rtsp_movie *m, int64_t from_ms, int64_t to_ms, int scale)
{
	role_assert_ctl();
	if (from_ms < 0 && m->plays) {
		m->again.waits = true;
		m->again.to_ms = to_ms;
		m->again.scale = scale;
		movie_pump_pause(m->pump);
		return;
	}
	if (from_ms < 0)
		from_ms = m->at_ms;
	/* at its end the only way is from the beginning, and the other way round */
	if (scale > 0 && from_ms >= m->info.duration_ms - NEAR_END_MS)
		from_ms = m->at_ms == from_ms ? 0 : from_ms;
	movie_pump_play(m->pump, from_ms, to_ms, scale);
}

void rtsp_movie_pause(struct rtsp_movie *m)
{
	role_assert_ctl();
	movie_pump_pause(m->pump);
}

void rtsp_movie_close(struct rtsp_movie **mp)
{
	struct rtsp_movie *m = *mp;

	role_assert_ctl();
	*mp = NULL;
	m->closed = true;
	m->waits++;
	if (m->pump)
		movie_pump_close(&m->pump);
	release(m);
}
