/* What each method does (RFC 2326 10). */
#include "signaling/rtsp_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PUBLIC "OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, TEARDOWN, GET_PARAMETER, SET_PARAMETER"

/* --- who asks --------------------------------------------------------------------------- */

static void on_sign_in(void *obj, const char *token)
{
	struct rtsp_conn *c = obj;

	role_assert_ctl();
	if (token)
		c->token = g_strdup(token);
	else
		rtsp_conn_forget(c);
	if (!c->closed && token)
		rtsp_dispatch(c);
	else if (!c->closed)
		rtsp_refuse(c, 403, "The user of this password does not exist any more.");
	rtsp_conn_release(c);
}

/* The digest's own address must be of the same thing, so that what was overheard opens
 * nothing else. */
static bool names_the_same(const struct rtsp_conn *c, const char *authorization)
{
	const char *at = strstr(authorization, "uri=\"");
	char text[RTSP_URI_MAX + 1];
	struct rtsp_uri *u;
	bool same = true;
	size_t n;

	if (!at)
		return true;
	n = strcspn(at + 5, "\"");
	if (n > RTSP_URI_MAX)
		return false;
	memcpy(text, at + 5, n);
	text[n] = '\0';
	u = malloc(sizeof *u);
	if (u && !rtsp_uri_read(u, text))
		same = u->place == RTSP_PLACE_SERVER ||
		       (u->place == c->uri.place && !strcmp(u->name, c->uri.name));
	free(u);
	return same;
}

ON_THREAD(ROLE_CTL) static void ask_again(struct rtsp_conn *c)
{
	char challenge[SIP_CHALLENGE_MAX], headers[SIP_CHALLENGE_MAX + 32];

	sip_auth_challenge_bare(c->rtsp->auth, true, c->peer, rtsp_now(c->rtsp), challenge);
	g_snprintf(headers, sizeof headers, "WWW-Authenticate: %s\r\n", challenge);
	rtsp_reply(c, 401, NULL, headers, NULL, NULL);
}

/* True: go on; otherwise it was answered, or is dispatched again when that is known. */
ON_THREAD(ROLE_CTL) static bool authorize(struct rtsp_conn *c)
{
	const char *params[24];
	char user[SIP_USER_MAX + 1], *copy;
	enum sip_auth_verdict v = SIP_AUTH_BAD;
	bool same;

	/* Authorization is a request's, not a connection's (RFC 2326 D.3 by RFC 7235 2.2; RFC 7826
	 * 19.1): over a proxy's connection come many, and who shows nothing is a guest. A session
	 * stays whose it was when it was set up; its number is the secret then. */
	if (!c->req.authorization) {
		rtsp_conn_forget(c);
		return true;
	}
	if (c->proof && !strcmp(c->proof, c->req.authorization))
		return true;
	copy = g_strdup(c->req.authorization);
	if (rtsp_digest_params(copy, params, sizeof params / sizeof *params) &&
	    names_the_same(c, c->req.authorization))
		v = sip_auth_check_bare(c->rtsp->auth, params, c->req.name, c->peer, rtsp_now(c->rtsp),
					user);
	g_free(copy);
	switch (v) {
	case SIP_AUTH_RIGHT:
		/* a proxy's connection may be of one user after the other */
		same = c->token && !g_strcmp0(c->user, user);
		if (!same)
			rtsp_conn_forget(c);
		g_free(c->proof);
		c->proof = g_strdup(c->req.authorization);
		if (same)
			return true;
		c->user = g_strdup(user);
		rtsp_conn_hold(c);
		c->rtsp->cfg.host->sign_in(c->rtsp->cfg.host_ctx, user, on_sign_in, c);
		return false;
	case SIP_AUTH_STALE:
		ask_again(c);
		return false;
	case SIP_AUTH_LIMITED:
		rtsp_refuse(c, 403, "Too many wrong passwords came from there. Wait a minute.");
		return false;
	default:
		rtsp_refuse(c, 401, "The password is wrong, or there is none for RTSP: users set theirs "
			    "as they do for telephones.");
		return false;
	}
}

static const char *token_of(const struct rtsp_conn *c)
{
	return c->uri.token[0] ? c->uri.token : c->token;
}

/* --- what is there ----------------------------------------------------------------------------- */

/* One question of DESCRIBE or of the first SETUP. */
struct rtsp_ask {
	struct rtsp_conn *conn; /* held */
	struct leg_handle *leg;
	struct rtsp_movie *movie;
};

static void ask_free(struct rtsp_ask *a) ON_THREAD(ROLE_CTL)
{
	struct rtsp_conn *c = a->conn;

	if (a->movie)
		c->rtsp->cfg.host->movie_close(&a->movie);
	free(a);
	rtsp_conn_release(c);
}

void rtsp_ask_cancel(struct rtsp_conn *c)
{
	struct rtsp_ask *a = c->ask;
	struct leg_handle *leg = a ? a->leg : NULL;

	if (!a)
		return;
	c->ask = NULL;
	a->leg = NULL;
	if (leg)
		c->rtsp->api->leave(c->rtsp->api_ctx, leg, LEAVE_LOST);
	ask_free(a);
}

ON_THREAD(ROLE_CTL) static void describe(struct rtsp_conn *c, const struct rtsp_movie_info *info)
{
	char headers[RTSP_URI_MAX * 2], url[RTSP_URI_MAX * 2 - 64], *sdp = rtsp_sdp_describe(c, info);

	rtsp_url(c, RTSP_AGGREGATE, url, sizeof url);
	g_snprintf(headers, sizeof headers, "Content-Base: %.*s/\r\n", (int)strcspn(url, "?"), url);
	rtsp_reply(c, 200, NULL, headers, "application/sdp", sdp);
	g_free(sdp);
}

/* A session that nobody has yet; the movie becomes its. */
ON_THREAD(ROLE_CTL) static void first_setup(struct rtsp_conn *c, struct rtsp_movie **movie)
{
	struct errmsg why = { .code = "" };
	struct rtsp_session *s;

	if (movie && !c->rtsp->cfg.host->movie_info(*movie)->track[c->uri.track].there) {
		rtsp_refuse(c, 404, "The recording has no such track.");
		return;
	}
	s = rtsp_session_new(c, &why);
	if (!s) {
		rtsp_refuse_why(c, &why);
		return;
	}
	if (movie) {
		s->movie = *movie;
		*movie = NULL;
	}
	rtsp_session_setup(s, c);
}

/* The answer; a goes. With the reply the next request is taken, which may ask in its turn, or
 * end the connection: what that cancels is not a any more. */
ON_THREAD(ROLE_CTL) static void answer(struct rtsp_ask *a, bool yes, const struct errmsg *why)
{
	struct rtsp_conn *c = a->conn;
	const struct rtsp_host *h = c->rtsp->cfg.host;

	c->ask = NULL;
	rtsp_conn_hold(c);
	if (c->closed)
		;
	else if (!yes)
		rtsp_refuse_why(c, why);
	else if (c->req.method == RTSP_DESCRIBE)
		describe(c, a->movie ? h->movie_info(a->movie) : NULL);
	else
		first_setup(c, a->movie ? &a->movie : NULL);
	ask_free(a);
	rtsp_conn_release(c);
}

static void on_ask_welcome(void *obj, const struct welcome_info *w)
{
	(void)obj;
	(void)w;
}

static void on_ask_closed(void *obj, enum leave_reason reason, const struct errmsg *why)
{
	struct rtsp_ask *a = obj;

	role_assert_ctl();
	a->leg = NULL;
	answer(a, reason == LEAVE_LEFT && !why->code[0], why);
}

static const struct leg_events ask_events = { .welcome = on_ask_welcome, .closed = on_ask_closed };

ON_THREAD(ROLE_CTL) static void ask_room(struct rtsp_conn *c, struct rtsp_ask *a)
{
	struct errmsg why = { .code = "" };
	struct join_req req;
	int err;

	rtsp_live_request(&req, c, c->uri.name, c->uri.pin, c->uri.display, token_of(c));
	req.ask_only = true;
	err = c->rtsp->api->join(c->rtsp->api_ctx, &req, &ask_events, a, &a->leg, &why);
	if (err)
		answer(a, err == -ECANCELED, &why);
}

static void on_opened(void *obj, int err, const struct errmsg *why);

static const struct rtsp_movie_events ask_movie_events = { .opened = on_opened };

static void on_opened(void *obj, int err, const struct errmsg *why)
{
	struct rtsp_ask *a = obj;

	role_assert_ctl();
	answer(a, !err, why);
}

ON_THREAD(ROLE_CTL) static void ask_recording(struct rtsp_conn *c, struct rtsp_ask *a)
{
	const struct rtsp_host *h = c->rtsp->cfg.host;
	struct errmsg why = { .code = "" };
	int err = h->movie_open(c->rtsp->cfg.host_ctx, g_ascii_strtoll(c->uri.name, NULL, 10), token_of(c),
				c->peer, &ask_movie_events, a, &a->movie, &why);

	if (err)
		answer(a, false, &why);
}

/* Whether the place of the address is there and may be seen: DESCRIBE or the first SETUP
 * is answered then. */
ON_THREAD(ROLE_CTL) static void ask(struct rtsp_conn *c)
{
	struct rtsp_ask *a;

	if (c->uri.place == RTSP_PLACE_ROOM && !protocol_room_name_valid(c->uri.name)) {
		rtsp_refuse(c, 404, "No room can be called that.");
		return;
	}
	if (c->uri.place != RTSP_PLACE_ROOM && c->uri.place != RTSP_PLACE_RECORDING) {
		rtsp_refuse(c, 404, "There is nothing of that name: rooms are at /rooms/NAME, recordings at "
			    "/recordings/NUMBER.");
		return;
	}
	a = calloc(1, sizeof *a);
	if (!a) {
		rtsp_refuse(c, 500, "The server is out of memory.");
		return;
	}
	a->conn = c;
	c->ask = a;
	rtsp_conn_hold(c);
	if (c->uri.place == RTSP_PLACE_ROOM)
		ask_room(c, a);
	else
		ask_recording(c, a);
}

/* --- methods -------------------------------------------------------------------------------------- */

ON_THREAD(ROLE_CTL) static void do_describe(struct rtsp_conn *c)
{
	const char *accept = c->req.accept;

	if (accept && !strstr(accept, "application/sdp") && !strstr(accept, "*/*") &&
	    !strstr(accept, "application/*"))
		rtsp_refuse(c, 406, "Descriptions are application/sdp.");
	else if (authorize(c))
		ask(c);
}

ON_THREAD(ROLE_CTL) static void do_setup(struct rtsp_conn *c)
{
	struct rtsp_session *s;

	if (c->uri.track == RTSP_AGGREGATE && c->uri.place > RTSP_PLACE_SERVER) {
		rtsp_refuse(c, 459, "SETUP is for one track: add /audio or /video to the address.");
		return;
	}
	if (!c->req.transport) {
		rtsp_refuse(c, 400, "SETUP needs a Transport header.");
		return;
	}
	if (!c->req.session) {
		if (authorize(c))
			ask(c);
		return;
	}
	s = rtsp_session_find(c);
	if (!s)
		rtsp_refuse(c, 454, "There is no such session, or it has ended.");
	else if (s->place != c->uri.place || strcmp(s->name, c->uri.name))
		rtsp_refuse(c, 459, "The session is of something else. SETUP without Session makes another.");
	else
		rtsp_session_setup(s, c);
}

static bool is_audio_or_video_of_two(const struct rtsp_session *s, const struct rtsp_conn *c)
{
	return c->uri.track != RTSP_AGGREGATE && rtsp_session_tracks(s) > 1;
}

ON_THREAD(ROLE_CTL) static void do_play(struct rtsp_conn *c, struct rtsp_session *s)
{
	struct rtsp_range range;

	if (is_audio_or_video_of_two(s, c))
		rtsp_refuse(c, 460, "The tracks of a session play together: use the address without the track.");
	else if (s->asker)
		rtsp_refuse(c, 455, "Another request for the session is under way.");
	else if (s->place == RTSP_PLACE_RECORDING)
		rtsp_session_play(s, c);
	else if (c->req.range && (rtsp_range_read(&range, c->req.range) || !range.now) &&
		 strncasecmp(c->req.range, "npt=0", 5) && strncasecmp(c->req.range, "clock", 5))
		rtsp_refuse(c, 457, "A room is live: it has no range but npt=now-.");
	else if (s->state == RTSP_STATE_PLAYING)
		rtsp_reply(c, 200, s, "Range: npt=now-\r\n", NULL, NULL);
	else
		rtsp_live_play(s, c);
}

ON_THREAD(ROLE_CTL) static void do_pause(struct rtsp_conn *c, struct rtsp_session *s)
{
	if (is_audio_or_video_of_two(s, c)) {
		rtsp_refuse(c, 460, "The tracks of a session pause together: use the address without the track.");
	} else if (s->asker) {
		rtsp_refuse(c, 455, "Another request for the session is under way.");
	} else if (s->place == RTSP_PLACE_RECORDING) {
		rtsp_session_pause(s, c);
	} else {
		rtsp_live_stop(s, LEAVE_LEFT);
		rtsp_reply(c, 200, s, NULL, NULL, NULL);
	}
}

ON_THREAD(ROLE_CTL) static void do_teardown(struct rtsp_conn *c, struct rtsp_session *s)
{
	struct errmsg why;

	errmsg_set(&why, 0, "ended", "The session was ended by TEARDOWN.");
	rtsp_session_end(s, &why);
	rtsp_reply(c, 200, NULL, NULL, NULL, NULL);
}

ON_THREAD(ROLE_CTL) static void in_session(struct rtsp_conn *c)
{
	struct rtsp_session *s = c->req.session ? rtsp_session_find(c) : NULL;

	if (!s) {
		rtsp_refuse(c, 454, "There is no such session, or it has ended.");
		return;
	}
	rtsp_session_hold(s);
	switch (c->req.method) {
	case RTSP_PLAY:
		do_play(c, s);
		break;
	case RTSP_PAUSE:
		do_pause(c, s);
		break;
	case RTSP_TEARDOWN:
		do_teardown(c, s);
		break;
	default:
		rtsp_reply(c, 200, s, NULL, NULL, NULL);
	}
	rtsp_session_release(s);
}

/* Without a body it says "I am here" (RFC 2326 10.8); a parameter that is asked for or set is
 * none of ours, but it was said all the same. */
ON_THREAD(ROLE_CTL) static void do_parameter(struct rtsp_conn *c)
{
	struct rtsp_session *s = c->req.session && c->body ? rtsp_session_find(c) : NULL;

	if (s || (c->body && !c->req.session))
		rtsp_reply(c, 451, s, NULL, "text/plain; charset=utf-8",
			   "This server has no parameters. Where a recording stands PAUSE says.");
	else if (c->req.session)
		in_session(c);
	else
		rtsp_reply(c, 200, NULL, NULL, NULL, NULL);
}

ON_THREAD(ROLE_CTL) static void do_options(struct rtsp_conn *c)
{
	/* it keeps a session awake, if it names one */
	struct rtsp_session *s = c->req.session ? rtsp_session_find(c) : NULL;

	rtsp_reply(c, 200, s, "Public: " PUBLIC "\r\n", NULL, NULL);
}

/* False: answered. */
ON_THREAD(ROLE_CTL) static bool check(struct rtsp_conn *c)
{
	char unsupported[160];

	if (c->req.major != 1 || c->req.minor != 0)
		rtsp_refuse(c, 505, "This server speaks RTSP/1.0.");
	else if (!c->req.has_cseq)
		rtsp_refuse(c, 400, "Every request needs a CSeq header.");
	else if (c->req.method == RTSP_UNKNOWN)
		rtsp_refuse(c, 501, "There is no such method.");
	else if (c->req.method == RTSP_OTHERS)
		rtsp_refuse(c, 405, "Nothing can be recorded here: publish into a room with WHIP.");
	else if (rtsp_uri_read(&c->uri, c->req.uri))
		rtsp_refuse(c, 400, "The address is not of the form rtsp://host/rooms/NAME.");
	else if (c->req.require) {
		g_snprintf(unsupported, sizeof unsupported, "Unsupported: %.120s\r\n", c->req.require);
		rtsp_reply(c, 551, NULL, unsupported, NULL, NULL);
	} else
		return true;
	return false;
}

void rtsp_dispatch(struct rtsp_conn *c)
{
	if (!check(c))
		return;
	switch (c->req.method) {
	case RTSP_OPTIONS:
		do_options(c);
		break;
	case RTSP_DESCRIBE:
		do_describe(c);
		break;
	case RTSP_SETUP:
		do_setup(c);
		break;
	case RTSP_GET_PARAMETER:
	case RTSP_SET_PARAMETER:
		do_parameter(c);
		break;
	default:
		in_session(c);
	}
}
