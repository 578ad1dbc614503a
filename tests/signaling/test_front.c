#include "tests/signaling/front_rig.h"

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

/* more: members of the message. */
static void hear_content(struct fixture *f, const char *more)
{
	char *sdp = sdp_file("chromium-av-content.sdp"), *escaped = g_strescape(sdp, NULL);
	char *text = g_strdup_printf("{\"type\":\"offer\",\"sdp\":\"%s\"%s}", escaped, more);

	hear(f, text);
	g_free(text);
	g_free(escaped);
	g_free(sdp);
}

static void a_second_picture_is_content(void **state)
{
	struct fixture *f = *state;
	joined(f);
	hear_content(f, ",\"content\":2");
	expect(f, "bad_message", "content");
	hear_content(f, ",\"content\":\"9\""); /* there is no such section */
	expect(f, "\"answer\"", "a=content:slides");
	assert_string_equal(f->content, "2");
	hear_content(f, ",\"content\":\"1\""); /* too late: it is the camera */
	expect(f, "\"answer\"", "a=content:slides");
	assert_string_equal(f->content, "2");
}

static void an_offer_names_its_content(void **state)
{
	struct fixture *f = *state;
	joined(f);
	hear_content(f, ",\"content\":\"1\"");
	expect(f, "\"answer\"", "a=content:slides");
	assert_string_equal(f->content, "1");
	hear_content(f, "");
	expect(f, "\"answer\"", "a=content:slides");
	assert_string_equal(f->content, "1");
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
		T(a_second_picture_is_content),
		T(an_offer_names_its_content),
		T(new_credentials_are_an_ice_restart),
		T(early_candidates_wait_for_the_answer),
		T(the_server_may_offer),
		T(when_both_offer_the_client_goes_first),
		T(a_leg_may_end_at_any_time),
		T(a_lost_connection_leaves_the_room),
		T(shutdown_is_announced),
	};
	role_enter(ROLE_ID_CTL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
