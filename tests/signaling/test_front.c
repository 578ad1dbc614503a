#include "signaling/front.h"

#include <errno.h>
#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A room that answers as the test says, and remembers what it was asked. */
struct leg_handle {
	int unused;
};

struct fixture {
	struct front_session *s;
	/* what was said to the client */
	GPtrArray *out;
	int closed_code;
	/* the fake room */
	struct leg_handle leg;
	const struct leg_events *ev;
	void *obj;
	bool late_welcome, closes_in_join, closes_in_negotiated;
	int join_err, local_err, negotiated_err, record_err;
	enum leave_reason left;
	unsigned joins, leaves, negotiations;
	bool we_offered, restart;
	uint64_t version;
	size_t n_media;
	GPtrArray *candidates;
	enum tristate audio, video;
	int recording;
};

static void send_text(void *obj, const char *text, size_t len)
{
	struct fixture *f = obj;
	assert_int_equal(strlen(text), len);
	g_ptr_array_add(f->out, g_strdup(text));
}

static void do_close(void *obj, int code, const char *reason)
{
	struct fixture *f = obj;
	(void)reason;
	assert_int_equal(f->closed_code, 0);
	f->closed_code = code;
}

static const struct front_sink sink = { send_text, do_close };

static void welcome(struct fixture *f)
{
	struct participant p = { .leg = 7, .name = "Zoë", .audio = true };
	struct ice_server_info ice = { .url = "stun:s:3478" };
	struct welcome_info w = { .leg = 7,
				  .room = "r",
				  .name = "Zoë",
				  .resume = "secret",
				  .version = "1",
				  .participants = &p,
				  .n_participants = 1,
				  .ice_servers = &ice,
				  .n_ice_servers = 1,
				  .canvas_width = 640,
				  .canvas_height = 360,
				  .canvas_fps = 15 };
	f->ev->welcome(f->obj, &w);
}

static int r_join(void *ctx, const struct join_req *req, const struct leg_events *events, void *obj,
		  struct leg_handle **out, struct errmsg *why)
{
	struct fixture *f = ctx;
	f->joins++;
	f->ev = events;
	f->obj = obj;
	assert_string_equal(req->peer, "192.0.2.7");
	if (f->join_err)
		return errmsg_set(why, f->join_err, "room_full", "The room %s is full.", req->room);
	*out = &f->leg;
	if (f->closes_in_join) {
		struct errmsg e;
		errmsg_set(&e, 0, "room_unknown", "No such room.");
		events->closed(obj, LEAVE_ERROR, &e);
	} else if (!f->late_welcome) {
		welcome(f);
	}
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
		return errmsg_set(why, f->local_err, "not_acceptable", "No.");
	neg_policy_browser(p, &(struct neg_abilities){ .rtx = true });
	p->ice_ufrag = "ufra";
	p->ice_pwd = "pwdpwdpwdpwdpwdpwdpwdpwd";
	p->fingerprint = "sha-256 "
			 "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:"
			 "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF";
	p->cname = "c";
	return 0;
}

static int r_negotiated(void *ctx, struct leg_handle *leg, const struct neg_plan *plan,
			struct errmsg *why)
{
	struct fixture *f = ctx;
	(void)leg;
	f->negotiations++;
	f->we_offered = plan->we_offered;
	f->n_media = plan->n_media;
	f->version = plan->remote_session_version;
	if (f->closes_in_negotiated) {
		struct errmsg e;
		errmsg_set(&e, 0, "internal", "It broke.");
		f->ev->closed(f->obj, LEAVE_ERROR, &e);
		return 0;
	}
	return f->negotiated_err ? errmsg_set(why, f->negotiated_err, "internal", "No memory.") : 0;
}

static void r_candidate(void *ctx, struct leg_handle *leg, const char *mid, const char *candidate)
{
	struct fixture *f = ctx;
	(void)leg;
	g_ptr_array_add(f->candidates,
			g_strdup_printf("%s|%s", mid, candidate ? candidate : "END"));
}

static void r_mute(void *ctx, struct leg_handle *leg, enum tristate audio, enum tristate video)
{
	struct fixture *f = ctx;
	(void)leg;
	f->audio = audio;
	f->video = video;
}

static int r_record(void *ctx, struct leg_handle *leg, bool start, struct errmsg *why)
{
	struct fixture *f = ctx;
	(void)leg;
	f->recording = start ? 1 : 2;
	return f->record_err ? errmsg_set(why, f->record_err, "already_recording", "It runs.") : 0;
}

static int r_stats(void *ctx, struct leg_handle *leg, struct leg_stats *out)
{
	(void)ctx;
	(void)leg;
	out->uplink.loss = 0.0125;
	out->score = 4.5;
	return 0;
}

static const struct room_api api = {
	.join = r_join,
	.leave = r_leave,
	.local = r_local,
	.negotiated = r_negotiated,
	.remote_candidate = r_candidate,
	.mute = r_mute,
	.record = r_record,
	.stats = r_stats,
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	f->out = g_ptr_array_new_with_free_func(g_free);
	f->candidates = g_ptr_array_new_with_free_func(g_free);
	assert_int_equal(front_session_new(&f->s, &api, f, &sink, f, "192.0.2.7", true), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	front_session_free(&f->s, LEAVE_LOST);
	g_ptr_array_free(f->out, TRUE);
	g_ptr_array_free(f->candidates, TRUE);
	free(f);
	return 0;
}

/* What the client says. */
static void hear(struct fixture *f, const char *text)
{
	struct client_msg m;
	struct errmsg why;
	int err = client_msg_parse(&m, text, strlen(text), &why);
	front_session_message(f->s, &m, err, &why);
	client_msg_clear(&m);
}

/* The next thing said to it has all of the parts. */
static void expect(struct fixture *f, const char *a, const char *b)
{
	if (!f->out->len)
		fail_msg("nothing was said; expected %s", a);
	char *text = g_ptr_array_steal_index(f->out, 0);
	if (!strstr(text, a) || (b && !strstr(text, b)))
		fail_msg("%s lacks %s or %s", text, a, b ? b : "");
	g_free(text);
}

static void expect_silence(struct fixture *f)
{
	if (f->out->len)
		fail_msg("unexpected: %s", (char *)f->out->pdata[0]);
}

static const char join[] = "{\"type\":\"join\",\"id\":\"j\",\"room\":\"r\",\"name\":\"Zoë\"}";

static void joined(struct fixture *f)
{
	hear(f, join);
	expect(f, "\"type\":\"welcome\"", "\"id\":\"j\"");
}

static char *sdp_file(const char *name)
{
	char *text;
	char *path = g_strconcat("tests/signaling/fixtures/", name, NULL);
	if (!g_file_get_contents(path, &text, NULL, NULL))
		fail_msg("cannot read %s", path);
	g_free(path);
	return text;
}

static void hear_sdp(struct fixture *f, const char *type, const char *sdp)
{
	char *escaped = g_strescape(sdp, NULL);
	char *text =
		g_strdup_printf("{\"type\":\"%s\",\"id\":\"s\",\"sdp\":\"%s\"}", type, escaped);
	hear(f, text);
	g_free(text);
	g_free(escaped);
}

static void hear_offer(struct fixture *f, const char *file)
{
	char *sdp = sdp_file(file);
	hear_sdp(f, "offer", sdp);
	g_free(sdp);
}

static void a_session_from_join_to_leave(void **state)
{
	struct fixture *f = *state;
	hear(f, join);
	expect(f, "\"participants\":[{\"leg\":7,\"name\":\"Zoë\"", "\"urls\":\"stun:s:3478\"");
	hear_offer(f, "chromium-av-sendrecv.sdp");
	expect(f, "\"type\":\"answer\",\"id\":\"s\"", "a=setup:passive");
	assert_int_equal(f->negotiations, 1);
	assert_false(f->we_offered);
	assert_int_equal(f->n_media, 2);
	hear(f, "{\"type\":\"ice\",\"candidate\":\"candidate:1 1 udp 5 192.0.2.1 5 typ "
		"host\",\"mid\":\"0\"}");
	hear(f, "{\"type\":\"ice\",\"candidate\":\"\"}");
	assert_int_equal(f->candidates->len, 2);
	assert_string_equal(f->candidates->pdata[0], "0|candidate:1 1 udp 5 192.0.2.1 5 typ host");
	assert_string_equal(f->candidates->pdata[1], "|END");
	f->ev->candidate(f->obj, "candidate:2 1 udp 5 192.0.2.2 5 typ host");
	expect(f, "{\"type\":\"ice\",\"candidate\":\"candidate:2", "\"mid\":\"0\"");
	f->ev->candidate(f->obj, NULL);
	expect(f, "{\"type\":\"ice\",\"candidate\":\"\"", NULL);
	hear(f, "{\"type\":\"mute\",\"audio\":true}");
	assert_int_equal(f->audio, TRISTATE_TRUE);
	assert_int_equal(f->video, TRISTATE_UNSET);
	hear(f, "{\"type\":\"stats\",\"id\":\"q\"}");
	expect(f, "\"type\":\"stats\",\"id\":\"q\",\"uplink\":{\"loss\":0.0125", "\"score\":4.5");
	hear(f, "{\"type\":\"record\",\"action\":\"start\"}");
	assert_int_equal(f->recording, 1);
	hear(f, "{\"type\":\"ping\",\"id\":\"p\"}");
	expect(f, "\"type\":\"pong\",\"id\":\"p\"", NULL);
	hear(f, "{\"type\":\"leave\",\"id\":\"l\"}");
	expect(f, "\"type\":\"bye\",\"id\":\"l\"", "\"reason\":\"left\"");
	assert_int_equal(f->left, LEAVE_LEFT);
	assert_int_equal(f->closed_code, FRONT_CLOSE_NORMAL);
	hear(f, join);
	hear(f, "{\"type\":\"ping\"}");
	expect_silence(f);
	front_session_free(&f->s, LEAVE_LOST);
	assert_int_equal(f->leaves, 1);
}

static void a_room_needs_a_join(void **state)
{
	struct fixture *f = *state;
	static const char *const msgs[] = {
		"{\"type\":\"offer\",\"sdp\":\"x\"}",
		"{\"type\":\"answer\",\"sdp\":\"x\"}",
		"{\"type\":\"ice\",\"candidate\":\"\"}",
		"{\"type\":\"mute\"}",
		"{\"type\":\"stats\"}",
		"{\"type\":\"record\",\"action\":\"start\"}",
	};
	for (size_t i = 0; i < sizeof(msgs) / sizeof(msgs[0]); i++) {
		hear(f, msgs[i]);
		expect(f, "\"code\":\"not_joined\"", "\"fatal\":false");
	}
	f->late_welcome = true;
	hear(f, join);
	hear(f, msgs[0]);
	expect(f, "not_joined", NULL);
	welcome(f);
	expect(f, "welcome", "\"id\":\"j\"");
}

static void one_connection_is_one_participant(void **state)
{
	struct fixture *f = *state;
	joined(f);
	hear(f, join);
	expect(f, "already_joined", "\"id\":\"j\"");
	assert_int_equal(f->joins, 1);
}

static void a_refused_join_may_be_tried_again(void **state)
{
	struct fixture *f = *state;
	f->join_err = -EUSERS;
	hear(f, join);
	expect(f, "\"code\":\"room_full\",\"text\":\"The room r is full.\"", "\"id\":\"j\"");
	f->join_err = 0;
	f->closes_in_join = true;
	hear(f, join);
	expect(f, "\"code\":\"room_unknown\"", "\"id\":\"j\"");
	f->closes_in_join = false;
	joined(f);
}

static void wrong_messages_are_answered(void **state)
{
	struct fixture *f = *state;
	hear(f, "{\"type\":\"join\",\"id\":\"9\",\"room\":5,\"name\":\"n\"}");
	expect(f, "\"code\":\"bad_message\",\"text\":\"The member \\\"room\\\" must be a string.\"",
	       "\"id\":\"9\"");
	hear(f, "[1]");
	expect(f, "\"code\":\"bad_json\"", "\"fatal\":false");
	struct client_msg none = { .id = "" };
	struct errmsg why;
	errmsg_set(&why, 0, "rate_limited", "Slower.");
	front_session_message(f->s, &none, -EDQUOT, &why);
	expect(f, "rate_limited", "\"fatal\":true");
}

static void bad_descriptions_leave_the_plan_in_force(void **state)
{
	struct fixture *f = *state;
	joined(f);
	hear_sdp(f, "offer", "v=0\r\nthis is not SDP\r\n");
	expect(f, "\"code\":\"bad_sdp\"", "line 2");
	hear_sdp(f, "answer", "v=0\r\n");
	expect(f, "bad_state", NULL);
	hear(f, "{\"type\":\"ice\",\"candidate\":\"candidate:1\"}");
	expect(f, "bad_state", NULL);
	hear_offer(f, "chromium-av-sendrecv.sdp");
	expect(f, "answer", NULL);
	hear_offer(f, "chromium-audio-only.sdp");
	expect(f, "bad_sdp", "fewer m= lines");
	hear(f, "{\"type\":\"ice\",\"candidate\":\"nonsense\"}");
	expect(f, "bad_message", NULL);
	f->negotiated_err = -ENOMEM;
	hear_offer(f, "chromium-av-sendrecv.sdp");
	expect(f, "\"code\":\"internal\"", "\"id\":\"s\"");
	f->negotiated_err = 0;
	hear_offer(f, "chromium-av-sendrecv.sdp"); /* again, with nothing changed */
	expect(f, "answer", "a=setup:passive");
	assert_false(f->restart);
	assert_int_equal(f->negotiations, 3);
}

static void new_credentials_are_an_ice_restart(void **state)
{
	struct fixture *f = *state;
	joined(f);
	hear_offer(f, "chromium-av-sendrecv.sdp");
	expect(f, "answer", NULL);
	f->local_err = -ENOTSUP;
	hear_offer(f, "chromium-av-recvonly.sdp"); /* of another connection: other ufrag */
	assert_true(f->restart);
	expect(f, "not_acceptable", NULL);
}

static void early_candidates_wait_for_the_answer(void **state)
{
	struct fixture *f = *state;
	joined(f);
	for (int i = 0; i < FRONT_MAX_HELD_CANDIDATES + 5; i++)
		f->ev->candidate(f->obj, "candidate:2 1 udp 5 192.0.2.2 5 typ host");
	expect_silence(f);
	hear_offer(f, "chromium-av-sendrecv.sdp");
	expect(f, "answer", NULL);
	for (int i = 0; i < FRONT_MAX_HELD_CANDIDATES; i++)
		expect(f, "candidate:2", "\"mid\":\"0\"");
	expect_silence(f);
}

static char *offered_sdp(struct fixture *f)
{
	char *text = g_ptr_array_steal_index(f->out, 0);
	assert_non_null(strstr(text, "\"type\":\"offer\""));
	char *p = strstr(text, "\"sdp\":\"");
	assert_non_null(p);
	char *end = strrchr(p + 7, '"');
	char *sdp = g_strndup(p + 7, (gsize)(end - p - 7));
	char *plain = g_strcompress(sdp);
	g_free(sdp);
	g_free(text);
	return plain;
}

/* A client's answer made from our offer: same lines, its own credentials. */
static char *answer_of(const char *offer)
{
	GString *s = g_string_new(offer);
	g_string_replace(s, "setup:actpass", "setup:active", 0);
	g_string_replace(s, "ice-ufrag:ufra", "ice-ufrag:peer", 0);
	return g_string_free(s, FALSE);
}

static void the_server_may_offer(void **state)
{
	struct fixture *f = *state;
	joined(f);
	f->ev->offer_wanted(f->obj);
	char *offer = offered_sdp(f), *answer = answer_of(offer);
	f->ev->offer_wanted(f->obj); /* not while one is under way */
	expect_silence(f);
	hear(f, "{\"type\":\"ice\",\"candidate\":\"candidate:1 1 udp 5 192.0.2.1 5 typ "
		"host\",\"mid\":\"0\"}");
	assert_int_equal(f->candidates->len, 0); /* before its answer */
	hear_sdp(f, "answer", answer);
	assert_int_equal(f->negotiations, 1);
	assert_true(f->we_offered);
	assert_int_equal(f->candidates->len, 1);
	g_free(offer);
	offer = offered_sdp(f); /* the one that had to wait */
	g_free(answer);
	answer = answer_of(offer);
	hear_sdp(f, "answer", answer);
	assert_int_equal(f->negotiations, 2);
	expect_silence(f);
	g_free(offer);
	g_free(answer);
}

static void when_both_offer_the_client_goes_first(void **state)
{
	struct fixture *f = *state;
	joined(f);
	hear_offer(f, "chromium-av-sendrecv.sdp");
	expect(f, "answer", NULL);
	f->ev->offer_wanted(f->obj);
	expect(f, "\"type\":\"offer\"", NULL);
	hear_offer(f, "chromium-av-sendrecv.sdp");
	expect(f, "\"type\":\"answer\"", NULL);
	expect(f, "\"type\":\"offer\"", "a=group:BUNDLE 0 1");
	expect_silence(f);
}

static void a_leg_may_end_at_any_time(void **state)
{
	struct fixture *f = *state;
	struct errmsg why;
	joined(f);
	f->closes_in_negotiated = true;
	hear_offer(f, "chromium-av-sendrecv.sdp");
	expect(f, "\"type\":\"error\",\"code\":\"internal\"", "\"fatal\":true");
	expect(f, "bye", "\"reason\":\"error\"");
	expect_silence(f);
	assert_int_equal(f->closed_code, FRONT_CLOSE_ERROR);
	/* it does not hurt to be told again */
	errmsg_set(&why, 0, "", "%s", "");
	f->ev->closed(f->obj, LEAVE_LOST, &why);
	f->ev->candidate(f->obj, "candidate:1");
	expect_silence(f);
	front_session_free(&f->s, LEAVE_LOST);
	assert_int_equal(f->leaves, 0);
}

static void a_lost_connection_leaves_the_room(void **state)
{
	struct fixture *f = *state;
	joined(f);
	front_session_free(&f->s, LEAVE_LOST);
	assert_int_equal(f->leaves, 1);
	assert_int_equal(f->left, LEAVE_LOST);
}

static void shutdown_is_announced(void **state)
{
	struct fixture *f = *state;
	joined(f);
	front_session_shutdown(f->s);
	expect(f, "shutting_down", "\"fatal\":true");
	expect(f, "bye", "\"reason\":\"shutdown\"");
	assert_int_equal(f->left, LEAVE_SHUTDOWN);
	assert_int_equal(f->closed_code, FRONT_CLOSE_GOING_AWAY);
	front_session_shutdown(f->s);
	expect_silence(f);
}

static void events_are_told(void **state)
{
	struct fixture *f = *state;
	struct layout_tile tile = { .leg = 3, .x = 10, .y = 20, .width = 320, .height = 180 };
	const struct {
		struct leg_event ev;
		const char *text;
	} table[] = {
		{ { .type = LEG_EVENT_JOINED,
		    .u.joined = { .leg = 2, .name = "A \"b\"", .video = true } },
		  "{\"type\":\"joined\",\"participant\":{\"leg\":2,\"name\":\"A \\\"b\\\"\","
		  "\"audio_muted\":false,\"video_muted\":false,\"audio\":false,\"video\":true}}" },
		{ { .type = LEG_EVENT_LEFT, .u.left = { 2, LEAVE_KICKED } },
		  "{\"type\":\"left\",\"leg\":2,\"reason\":\"kicked\"}" },
		{ { .type = LEG_EVENT_MUTED, .u.muted = { 2, true, false } },
		  "{\"type\":\"muted\",\"leg\":2,\"audio\":true,\"video\":false}" },
		{ { .type = LEG_EVENT_SPEAKER, .u.speaker = 0 },
		  "{\"type\":\"speaker\",\"leg\":null}" },
		{ { .type = LEG_EVENT_SPEAKER, .u.speaker = 9 },
		  "{\"type\":\"speaker\",\"leg\":9}" },
		{ { .type = LEG_EVENT_LAYOUT, .u.layout = { 4, 640, 360, &tile, 1 } },
		  "{\"type\":\"layout\",\"version\":4,\"width\":640,\"height\":360,\"tiles\":[{"
		  "\"leg\":3,"
		  "\"x\":10,\"y\":20,\"width\":320,\"height\":180}]}" },
		{ { .type = LEG_EVENT_UPLINK, .u.uplink = { 320, 180, 15, 300, true } },
		  "{\"type\":\"uplink\",\"video\":{\"width\":320,\"height\":180,\"fps\":15,\"max_"
		  "kbps\":300,"
		  "\"visible\":true}}" },
		{ { .type = LEG_EVENT_RECORDING,
		    .u.recording = { .state = RECORDING_IS_READY,
				     .id = "5",
				     .url = "/recordings/5" } },
		  "{\"type\":\"recording\",\"state\":\"ready\",\"recording\":\"5\",\"url\":\"/"
		  "recordings/5\"}" },
	};
	hear(f, "{\"type\":\"ping\"}");
	expect(f, "pong", NULL);
	joined(f);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct leg_event ev = table[i].ev;
		f->ev->event(f->obj, &ev);
		const char *first = ev.text;
		f->ev->event(f->obj, &ev); /* for the second leg the text is there */
		assert_ptr_equal(ev.text, first);
		for (int k = 0; k < 2; k++) {
			char *text = g_ptr_array_steal_index(f->out, 0);
			assert_string_equal(text, table[i].text);
			g_free(text);
		}
		leg_event_clear(&ev);
	}
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_session_from_join_to_leave),
		T(a_room_needs_a_join),
		T(one_connection_is_one_participant),
		T(a_refused_join_may_be_tried_again),
		T(wrong_messages_are_answered),
		T(bad_descriptions_leave_the_plan_in_force),
		T(new_credentials_are_an_ice_restart),
		T(early_candidates_wait_for_the_answer),
		T(the_server_may_offer),
		T(when_both_offer_the_client_goes_first),
		T(a_leg_may_end_at_any_time),
		T(a_lost_connection_leaves_the_room),
		T(shutdown_is_announced),
		T(events_are_told),
	};
	role_enter(ROLE_ID_CTL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
