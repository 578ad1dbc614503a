/* WHIP and WHEP over real HTTP, with a room that answers as the test says. */
#include "signaling/whip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/signaling/client.h"
#include "tests/signaling/sdp_help.h"

struct leg_handle {
	int unused;
};

struct fixture {
	GMainLoop *loop;
	struct server *srv;
	struct whip *whip;
	struct client c;
	struct reply r;
	/* the room */
	struct leg_handle leg;
	const struct leg_events *ev;
	void *obj;
	char room[80], name[80], token[80], pin[80];
	bool device, restart, late_welcome, late_candidates, no_candidates;
	bool closes_in_join, closes_in_negotiated;
	int join_err, local_err, negotiated_err;
	const char *code; /* of these errors */
	unsigned joins, leaves, negotiations;
	enum leave_reason left;
	enum neg_dir audio_dir, video_dir;
	char remote_ufrag[257];
	size_t sdp_candidates;
	GPtrArray *candidates;
	char session[80], etag[40];
};

static const struct server_events no_sessions;

static void close_leg(struct fixture *f, const char *code)
{
	struct errmsg e;
	errmsg_set(&e, 0, code, "That is how it is.");
	f->ev->closed(f->obj, LEAVE_ERROR, &e);
}

static void welcome(struct fixture *f)
{
	static const struct ice_server_info ice[] = { { .url = "stun:s:3478" },
						      { "turn:t:3478", "me", "a\"b\\" } };
	struct welcome_info w = { .leg = 7, .ice_servers = ice, .n_ice_servers = 2 };
	f->ev->welcome(f->obj, &w);
}

static int r_join(void *ctx, const struct join_req *req, const struct leg_events *events, void *obj,
		  struct leg_handle **out, struct errmsg *why)
{
	struct fixture *f = ctx;
	f->joins++;
	f->ev = events;
	f->obj = obj;
	assert_null(events->lobby);
	assert_string_equal(req->peer, "127.0.0.1");
	assert_null(req->resume);
	snprintf(f->room, sizeof(f->room), "%s", req->room);
	snprintf(f->name, sizeof(f->name), "%s", req->name);
	snprintf(f->token, sizeof(f->token), "%s", req->token ? req->token : "-");
	snprintf(f->pin, sizeof(f->pin), "%s", req->pin ? req->pin : "-");
	f->device = req->device;
	if (f->join_err)
		return errmsg_set(why, f->join_err, f->code, "Not now.");
	*out = &f->leg;
	if (f->closes_in_join)
		close_leg(f, f->code);
	else if (!f->late_welcome)
		welcome(f);
	return 0;
}

static void r_leave(void *ctx, struct leg_handle *leg, enum leave_reason reason)
{
	struct fixture *f = ctx;
	assert_ptr_equal(leg, &f->leg);
	f->leaves++;
	f->left = reason;
}

static int r_local(void *ctx, struct leg_handle *leg, bool restart, struct neg_policy *p,
		   struct errmsg *why)
{
	struct fixture *f = ctx;
	assert_ptr_equal(leg, &f->leg);
	f->restart = restart;
	if (f->local_err)
		return errmsg_set(why, f->local_err, f->code, "Not so fast.");
	*p = browser_policy();
	p->ice_ufrag = restart ? "newU" : "ourU";
	return 0;
}

static void give_candidates(struct fixture *f)
{
	f->ev->candidate(f->obj, "candidate:1 1 UDP 5 192.0.2.9 999 typ host");
	f->ev->candidate(f->obj, "candidate:2 1 UDP 4 192.0.2.8 998 typ host");
	if (!f->no_candidates)
		f->ev->candidate(f->obj, NULL);
}

static int r_negotiated(void *ctx, struct leg_handle *leg, const struct neg_plan *plan,
			struct errmsg *why)
{
	struct fixture *f = ctx;
	const struct neg_media *a = neg_plan_media(plan, NEG_ROLE_AUDIO);
	const struct neg_media *v = neg_plan_media(plan, NEG_ROLE_CAMERA);
	(void)leg;
	f->negotiations++;
	f->audio_dir = a ? a->dir : NEG_INACTIVE;
	f->video_dir = v ? v->dir : NEG_INACTIVE;
	f->sdp_candidates = plan->n_candidates;
	snprintf(f->remote_ufrag, sizeof(f->remote_ufrag), "%s",
		 neg_plan_transport(plan, a ? a : v)->ice_ufrag);
	if (f->closes_in_negotiated) {
		close_leg(f, f->code);
		return 0;
	}
	if (f->negotiated_err)
		return errmsg_set(why, f->negotiated_err, f->code, "No memory.");
	if (!f->late_candidates)
		give_candidates(f);
	return 0;
}

static void r_candidate(void *ctx, struct leg_handle *leg, const char *mid, const char *candidate)
{
	struct fixture *f = ctx;
	(void)leg;
	g_ptr_array_add(f->candidates,
			g_strdup_printf("%s|%s", mid, candidate ? candidate : "END"));
}

static const struct room_api api = { .join = r_join,
				     .leave = r_leave,
				     .local = r_local,
				     .negotiated = r_negotiated,
				     .remote_candidate = r_candidate };

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct whip_cfg cfg = { .gather_ms = 20, .max_sessions = 2 };
	struct errmsg why;

	f->loop = g_main_loop_new(NULL, FALSE);
	f->candidates = g_ptr_array_new_with_free_func(g_free);
	struct server_cfg s = { .loop = f->loop, .address = "127.0.0.1", .https_port = -1 };
	if (server_new(&f->srv, &s, &no_sessions, f, &why))
		fail_msg("%s", why.text);
	assert_int_equal(whip_new(&f->whip, &api, f, &cfg), 0);
	assert_int_equal(whip_routes(f->whip, f->srv), 0);
	client_open(&f->c, server_http_port(f->srv));
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	whip_shutdown(f->whip);
	assert_int_equal(whip_session_count(f->whip), 0);
	client_close(&f->c);
	server_free(&f->srv, 50);
	whip_free(&f->whip);
	reply_clear(&f->r);
	g_ptr_array_unref(f->candidates);
	g_main_loop_unref(f->loop);
	free(f);
	return 0;
}

static void say(struct fixture *f, const char *method, const char *path, const char *headers,
		const char *body)
{
	char *req = g_strdup_printf("%s %s HTTP/1.1\r\nHost: x\r\n%s%s%zu\r\n\r\n%s", method, path,
				    headers, "Content-Length: ", strlen(body), body);
	client_text(&f->c, req);
	g_free(req);
}

static int hear(struct fixture *f)
{
	reply_clear(&f->r);
	assert_true(client_reply(&f->c, &f->r, false));
	assert_true(reply_has(&f->r, "access-control-allow-origin: *\r\n"));
	return f->r.status;
}

static int ask(struct fixture *f, const char *method, const char *path, const char *headers,
	       const char *body)
{
	say(f, method, path, headers, body);
	return hear(f);
}

#define SDP "Content-Type: application/sdp\r\n"
#define FRAG "Content-Type: application/trickle-ice-sdpfrag\r\n"
#define NEW_ICE "a=ice-ufrag:freshU\r\na=ice-pwd:0123456789012345678901\r\n"

static void header_value(const struct fixture *f, const char *name, char *out, size_t cap)
{
	const char *p = strcasestr(f->r.head, name);
	assert_non_null(p);
	p += strlen(name);
	size_t n = strcspn(p, "\r");
	assert_true(n < cap);
	memcpy(out, p, n);
	out[n] = 0;
}

/* An offer of a browser: media both ways. */
static void publish(struct fixture *f, const char *path)
{
	char *offer = fixture_text("chromium-av-sendrecv");
	assert_int_equal(ask(f, "POST", path, SDP, offer), 201);
	header_value(f, "\nlocation: ", f->session, sizeof(f->session));
	header_value(f, "\netag: ", f->etag, sizeof(f->etag));
	free(offer);
}

static int patch(struct fixture *f, const char *if_match, const char *body)
{
	char headers[200];
	snprintf(headers, sizeof(headers), FRAG "%s%s%s", if_match ? "If-Match: " : "",
		 if_match ? if_match : "", if_match ? "\r\n" : "");
	return ask(f, "PATCH", f->session, headers, body);
}

/* --- tests -------------------------------------------------------------------------- */

static void a_publisher(void **state)
{
	struct fixture *f = *state;
	publish(f, "/whip/physics?name=OBS%20Studio&pin=1234");
	assert_string_equal(f->room, "physics");
	assert_string_equal(f->name, "OBS Studio");
	assert_string_equal(f->token, "-");
	assert_string_equal(f->pin, "1234");
	assert_true(f->device);
	assert_int_equal(f->audio_dir, NEG_RECVONLY);
	assert_int_equal(f->video_dir, NEG_RECVONLY);
	assert_true(reply_has(&f->r, "content-type: application/sdp\r\n"));
	assert_true(reply_has(&f->r, "accept-patch: application/trickle-ice-sdpfrag\r\n"));
	assert_true(reply_has(&f->r, "link: <stun:s:3478>; rel=\"ice-server\", "
				     "<turn:t:3478>; rel=\"ice-server\"; username=\"me\"; "
				     "credential=\"a\\\"b\\\\\"; credential-type=\"password\"\r\n"));
	assert_int_equal(strncmp(f->session, "/whip/session/", 14), 0);
	assert_int_equal(strlen(f->session), 14 + 32);
	assert_true(f->etag[0] == '"' && strlen(f->etag) == 18);
	expect_lines(f->r.body, (const char *[]){ "m=audio 9 ", "a=recvonly\r\n",
						  "a=candidate:1 1 UDP 5 192.0.2.9 999 typ host\r\n"
						  "a=candidate:2 1 UDP 4 192.0.2.8 998 typ host\r\n"
						  "a=end-of-candidates\r\n",
						  "m=video 9 ", "a=recvonly\r\n", NULL });
	expect_none(f->r.body, "a=ssrc:");
	assert_int_equal(whip_session_count(f->whip), 1);
	/* trickled candidates */
	assert_int_equal(patch(f, f->etag,
			       "a=ice-ufrag:VlfH\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n"
			       "a=candidate:7 1 udp 1 192.0.2.2 5 typ host\r\na=end-of-candidates\r\n"),
			 400); /* the password is missing */
	assert_int_equal(f->candidates->len, 0);
	assert_int_equal(patch(f, f->etag,
			       "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n"
			       "a=candidate:7 1 udp 1 192.0.2.2 5 typ host\r\na=end-of-candidates\r\n"),
			 204);
	assert_int_equal(f->candidates->len, 2);
	assert_string_equal(f->candidates->pdata[0], "0|candidate:7 1 udp 1 192.0.2.2 5 typ host");
	assert_string_equal(f->candidates->pdata[1], "|END");
	assert_int_equal(ask(f, "DELETE", f->session, "", ""), 200);
	assert_int_equal(f->leaves, 1);
	assert_int_equal(f->left, LEAVE_LEFT);
	assert_int_equal(ask(f, "DELETE", f->session, "", ""), 404);
	assert_int_equal(patch(f, f->etag, "a=mid:0\r\n"), 404);
}

static void a_viewer(void **state)
{
	struct fixture *f = *state;
	char *offer = fixture_text("chromium-av-recvonly");
	assert_int_equal(ask(f, "POST", "/whep/physics",
			     SDP "Authorization: bearer i1.abc\r\nAccept: text/html, application/sdp;q=1\r\n",
			     offer),
			 201);
	free(offer);
	assert_string_equal(f->name, "Viewer");
	assert_string_equal(f->token, "i1.abc");
	assert_int_equal(f->audio_dir, NEG_SENDONLY);
	assert_int_equal(f->video_dir, NEG_SENDONLY);
	assert_true(reply_has(&f->r, "location: /whep/session/"));
	expect_lines(f->r.body, (const char *[]){ "a=sendonly\r\n", "a=ssrc:1111", "a=sendonly\r\n",
						  "a=ssrc:2222", NULL });
}

static void the_wrong_way_round(void **state)
{
	struct fixture *f = *state;
	char *offer = fixture_text("chromium-av-recvonly");
	assert_int_equal(ask(f, "POST", "/whip/physics", SDP, offer), 422);
	assert_non_null(strstr(f->r.body, "use /whep/"));
	assert_int_equal(f->leaves, 1);
	assert_int_equal(f->left, LEAVE_ERROR);
	assert_int_equal(whip_session_count(f->whip), 0);
	free(offer);
}

static void what_is_refused_at_the_door(void **state)
{
	static const struct {
		const char *path, *headers, *body;
		int status;
		const char *says;
	} t[] = {
		{ "/whip/r", "Content-Type: text/plain\r\n", "x", 415, "application/sdp" },
		{ "/whip/r", "", "x", 415, "Content-Type" },
		{ "/whip/r", SDP, "", 400, "empty" },
		{ "/whip/r", SDP "Accept: text/html\r\n", "x", 406, "Accept" },
		{ "/whip/r", SDP "Authorization: Basic eDp5\r\n", "x", 401, "Bearer TOKEN" },
		{ "/whip/r", SDP "Authorization: Bearer \r\n", "x", 401, "empty" },
		{ "/whip/r", SDP "Authorization: Bearer a b\r\n", "x", 401, "blank" },
		{ "/whip/a%20b", SDP, "x", 404, "letters" },
		{ "/whip/r?name=%01", SDP, "x", 400, "name" },
		{ "/whip/r?pin=%C3%A9", SDP, "x", 400, "PIN" },
		{ "/whip/r", SDP, "hello", 400, "line 1" },
		{ "/whep/r", SDP, "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n", 400, "m=" },
	};
	struct fixture *f = *state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		int status = ask(f, "POST", t[i].path, t[i].headers, t[i].body);
		if (status != t[i].status || !strstr(f->r.body, t[i].says))
			fail_msg("case %zu: %d %s", i, status, f->r.body);
		assert_true(reply_has(&f->r, "content-type: application/json\r\n"));
		assert_int_equal(reply_has(&f->r, "www-authenticate: Bearer"), status == 401);
	}
	assert_int_equal(f->joins, 1); /* the last one, whose offer has no section */
	char *large = g_strnfill(60001, 'x');
	assert_int_equal(ask(f, "POST", "/whip/r", SDP, large), 413);
	g_free(large);
}

static void what_the_room_refuses(void **state)
{
	static const struct {
		const char *code;
		bool token;
		int status;
	} t[] = {
		{ "token_invalid", true, 401 },	 { "token_expired", true, 401 },
		{ "pin_required", false, 401 },	 { "pin_wrong", false, 403 },
		{ "members_only", false, 401 },	 { "members_only", true, 403 },
		{ "room_locked", false, 403 },	 { "lobby", false, 403 },
		{ "room_unknown", false, 404 },	 { "rate_limited", false, 429 },
		{ "room_full", false, 503 },	 { "shutting_down", false, 503 },
		{ "overloaded", false, 503 },
		{ "internal", false, 500 },
	};
	struct fixture *f = *state;
	char *offer = fixture_text("chromium-av-sendrecv");
	for (unsigned way = 0; way < 3; way++)
		for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
			f->code = t[i].code;
			f->join_err = way == 0 ? -EACCES : 0;
			f->closes_in_join = way == 1;
			f->late_welcome = way == 2; /* closed later: the registry was asked */
			say(f, "POST", "/whip/r",
			    t[i].token ? SDP "Authorization: Bearer t\r\n" : SDP, offer);
			if (way == 2) {
				unsigned before = f->joins;
				while (f->joins == before)
					g_main_context_iteration(NULL, TRUE);
				close_leg(f, t[i].code);
			}
			int status = hear(f);
			if (status != t[i].status || !strstr(f->r.body, t[i].code))
				fail_msg("case %zu: %d %s", i, status, f->r.body);
			assert_int_equal(reply_has(&f->r, "retry-after: 5"),
					 status == 429 || status == 503);
			assert_int_equal(whip_session_count(f->whip), 0);
		}
	assert_int_equal(f->leaves, 0);
	free(offer);
}

static void the_leg_may_end_at_any_time(void **state)
{
	struct fixture *f = *state;
	char *offer = fixture_text("chromium-av-sendrecv");
	f->code = "internal";
	f->closes_in_negotiated = true;
	assert_int_equal(ask(f, "POST", "/whip/r", SDP, offer), 500);
	f->closes_in_negotiated = false;
	f->negotiated_err = -ENOMEM;
	assert_int_equal(ask(f, "POST", "/whip/r", SDP, offer), 500);
	assert_int_equal(f->leaves, 1);
	f->negotiated_err = 0;
	f->local_err = -EAGAIN;
	f->code = "bad_state";
	assert_int_equal(ask(f, "POST", "/whip/r", SDP, offer), 409);
	f->local_err = 0;
	/* between the answer and the end */
	publish(f, "/whip/r");
	close_leg(f, "connection_lost");
	assert_int_equal(whip_session_count(f->whip), 0);
	assert_int_equal(ask(f, "DELETE", f->session, "", ""), 404);
	/* while candidates are awaited, and while the client has gone */
	f->late_candidates = true;
	unsigned before = f->negotiations;
	say(f, "POST", "/whip/r", SDP, offer);
	while (f->negotiations == before)
		g_main_context_iteration(NULL, TRUE);
	close_leg(f, "kicked");
	assert_int_equal(hear(f), 403);
	before = f->negotiations;
	say(f, "POST", "/whip/r", SDP, offer);
	while (f->negotiations == before)
		g_main_context_iteration(NULL, TRUE);
	client_close(&f->c);
	client_open(&f->c, server_http_port(f->srv));
	assert_int_equal(ask(f, "DELETE", "/whip/session/none", "", ""), 404);
	give_candidates(f); /* answers somebody who is not there */
	assert_int_equal(whip_session_count(f->whip), 1);
	close_leg(f, "connect_timeout");
	assert_int_equal(whip_session_count(f->whip), 0);
	free(offer);
}

static void an_answer_waits_for_candidates_only_so_long(void **state)
{
	struct fixture *f = *state;
	f->no_candidates = true; /* the end of them does not come */
	publish(f, "/whip/r");
	expect_lines(f->r.body, (const char *[]){ "a=candidate:2 ", NULL });
	expect_none(f->r.body, "end-of-candidates");
	f->ev->candidate(f->obj, "candidate:3 1 UDP 4 192.0.2.8 998 typ host");
	f->ev->candidate(f->obj, NULL); /* too late for everybody */
	f->late_candidates = true;
	publish(f, "/whip/r");
	expect_none(f->r.body, "a=candidate");
}

static void a_late_welcome(void **state)
{
	struct fixture *f = *state;
	char *offer = fixture_text("chromium-av-sendrecv");
	f->late_welcome = true;
	say(f, "POST", "/whip/r", SDP, offer);
	while (!f->joins)
		g_main_context_iteration(NULL, TRUE);
	assert_int_equal(f->negotiations, 0);
	welcome(f);
	assert_int_equal(hear(f), 201);
	free(offer);
}

static void ice_is_restarted(void **state)
{
	struct fixture *f = *state;
	char etag[40];
	publish(f, "/whip/r");
	strcpy(etag, f->etag);
	assert_int_equal(patch(f, "*",
			       NEW_ICE "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n"
			       "a=candidate:7 1 udp 1 192.0.2.2 5 typ host\r\n"),
			 200);
	assert_true(f->restart);
	assert_string_equal(f->remote_ufrag, "freshU");
	assert_int_equal(f->sdp_candidates, 1);
	assert_true(reply_has(&f->r, "content-type: application/trickle-ice-sdpfrag\r\n"));
	header_value(f, "\netag: ", f->etag, sizeof(f->etag));
	assert_string_not_equal(f->etag, etag);
	expect_lines(f->r.body, (const char *[]){ "a=group:BUNDLE 0 1\r\n", "m=audio 9 UDP/TLS/RTP/SAVPF ",
						  "a=mid:0\r\n", "a=ice-ufrag:newU\r\n",
						  "a=ice-pwd:", "a=candidate:1 1 UDP 5",
						  "a=end-of-candidates\r\n", NULL });
	expect_none(f->r.body, "m=video");
	/* the old tag is of no use now, the new one is */
	assert_int_equal(patch(f, etag, "a=end-of-candidates\r\n"), 412);
	assert_int_equal(patch(f, NULL, "a=end-of-candidates\r\n"), 428);
	assert_int_equal(f->candidates->len, 0);
	assert_int_equal(patch(f, f->etag, NEW_ICE "a=end-of-candidates\r\n"), 204);
	assert_int_equal(f->candidates->len, 1);
	assert_int_equal(f->negotiations, 2);
}

static void a_restart_that_fails_changes_nothing(void **state)
{
	struct fixture *f = *state;
	publish(f, "/whip/r");
	f->local_err = -EBUSY;
	f->code = "rate_limited";
	assert_int_equal(patch(f, "*", NEW_ICE), 429);
	f->local_err = 0;
	f->negotiated_err = -EPROTO;
	f->code = "not_acceptable";
	assert_int_equal(patch(f, "*", NEW_ICE), 422);
	f->negotiated_err = 0;
	assert_int_equal(patch(f, "*", "a=ice-ufrag:no!\r\n"), 400);
	assert_int_equal(patch(f, f->etag, "a=end-of-candidates\r\n"), 204); /* as before */
	assert_int_equal(whip_session_count(f->whip), 1);
	assert_int_equal(f->leaves, 0);
	/* one at a time */
	f->late_candidates = f->no_candidates = true;
	struct client second;
	unsigned before = f->negotiations;
	char headers[] = FRAG "If-Match: *\r\n";
	say(f, "PATCH", f->session, headers, NEW_ICE);
	while (f->negotiations == before)
		g_main_context_iteration(NULL, TRUE);
	second = f->c;
	client_open(&f->c, server_http_port(f->srv));
	assert_int_equal(patch(f, "*", "a=ice-ufrag:other\r\na=ice-pwd:0123456789012345678901\r\n"), 409);
	client_close(&f->c);
	f->c = second;
	assert_int_equal(hear(f), 200);
	/* and one during which the leg ends */
	f->closes_in_negotiated = true;
	f->code = "connection_lost";
	assert_int_equal(patch(f, "*", "a=ice-ufrag:other\r\na=ice-pwd:0123456789012345678901\r\n"), 500);
	assert_int_equal(whip_session_count(f->whip), 0);
}

static void sessions_are_counted(void **state)
{
	struct fixture *f = *state;
	char *offer = fixture_text("chromium-av-sendrecv"), first[80];
	publish(f, "/whip/r");
	strcpy(first, f->session);
	publish(f, "/whip/r");
	assert_string_not_equal(first, f->session);
	assert_int_equal(ask(f, "POST", "/whep/r", SDP, offer), 503);
	assert_int_equal(ask(f, "DELETE", first, "", ""), 200);
	publish(f, "/whip/r");
	whip_shutdown(f->whip);
	assert_int_equal(f->left, LEAVE_SHUTDOWN);
	assert_int_equal(f->leaves, 3);
	assert_int_equal(ask(f, "POST", "/whip/r", SDP, offer), 503);
	assert_non_null(strstr(f->r.body, "shutting_down"));
	free(offer);
}

static void pages_of_other_origins(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(ask(f, "OPTIONS", "/whip/r", "Origin: https://else.example\r\n", ""), 200);
	assert_true(reply_has(&f->r, "accept-post: application/sdp\r\n"));
	assert_true(reply_has(&f->r, "access-control-allow-methods: POST, OPTIONS\r\n"));
	assert_true(reply_has(&f->r, "access-control-allow-headers: Authorization, "));
	assert_int_equal(ask(f, "OPTIONS", "/whep/session/x", "", ""), 200);
	assert_true(reply_has(&f->r, "accept-patch: application/trickle-ice-sdpfrag\r\n"));
	assert_true(reply_has(&f->r, "PATCH, DELETE"));
	publish(f, "/whip/r");
	assert_true(reply_has(&f->r, "access-control-expose-headers: Location, ETag, Link"));
}

int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_publisher),
		T(a_viewer),
		T(the_wrong_way_round),
		T(what_is_refused_at_the_door),
		T(what_the_room_refuses),
		T(the_leg_may_end_at_any_time),
		T(an_answer_waits_for_candidates_only_so_long),
		T(a_late_welcome),
		T(ice_is_restarted),
		T(a_restart_that_fails_changes_nothing),
		T(sessions_are_counted),
		T(pages_of_other_origins),
	};
	role_enter(ROLE_ID_CTL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
