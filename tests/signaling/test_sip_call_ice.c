/* Calls over ICE: answers wait for candidates, and a move to another leg is offered. */
#include "tests/signaling/sip_call_rig.h"

#include "mcu/base/role.h"

#define EIGHT "00:11:22:33:44:55:66:77"
#define OCTETS EIGHT ":" EIGHT ":" EIGHT ":" EIGHT

static char text[1000];

static const char *peer_sdp(int version, const char *setup, const char *ufrag)
{
	snprintf(text, sizeof(text), HEAD "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=ice-ufrag:%s\r\n"
		 "a=ice-pwd:theirpasswordtheirpassword\r\na=rtcp-mux\r\na=setup:%s\r\n"
		 "a=fingerprint:sha-256 " OCTETS "\r\na=candidate:1 1 UDP 1 192.0.2.50 9 typ host\r\n",
		 version, "192.0.2.50", ufrag, setup);
	return text;
}

static void invite(struct rig *r)
{
	struct fake_dialog *d = fake_dialog(r);
	const char *sdp = peer_sdp(1, "actpass", "peer1");
	const struct sip_call_start s = {
		.dialog = d, .peer = "192.0.2.50", .local = "203.0.113.1", .room = "r",
		.name = "Phone", .uri = "sip:anne@192.0.2.50", .number = "", .user = "anne",
		.sdp = sdp, .sdp_len = strlen(sdp),
	};
	struct sip_reply reply;
	struct errmsg why;

	assert_int_equal(sip_call_take(r->set, &s, &r->call[d->i], &reply, &why), 0);
}

static void candidate(struct rig *r, size_t leg, const char *c)
{
	r->leg[leg].ev->candidate(r->leg[leg].obj, c);
}

static void after(struct rig *r, int64_t ms)
{
	clock_fake_advance(&r->clock, ms * NS_PER_MS);
	sip_call_set_tick(r->set);
}

static void said(const struct rig *r, const char *part, bool yes)
{
	if (!strstr(r->sdp, part) == yes)
		fail_msg("%s %s\n%s", part, yes ? "is missing:" : "is there:", r->sdp);
}

#define HOST "candidate:1 1 UDP 2113937151 10.0.0.5 41000 typ host"
#define SEEN "candidate:2 1 UDP 1677721855 198.51.100.5 42000 typ srflx raddr 10.0.0.5 rport 41000"
#define IP6 "candidate:3 1 UDP 2113937151 2001:db8::5 43000 typ host"
#define TCP "candidate:4 1 TCP 2113937151 10.0.0.5 44000 typ host tcptype passive"

static void answers_wait_for_candidates(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));

	(void)state;
	rig_open(r);
	r->ice = true;
	invite(r);
	assert_string_equal(r->log, "join:r");
	candidate(r, 0, TCP);
	candidate(r, 0, IP6);
	candidate(r, 0, HOST);
	candidate(r, 0, SEEN);
	after(r, SIP_GATHER_MS - 1);
	assert_string_equal(r->log, "join:r");
	candidate(r, 0, NULL);
	assert_string_equal(r->log, "join:r 200+sdp");
	said(r, "m=audio 42000 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 198.51.100.5\r\n", true);
	said(r, "a=" HOST "\r\na=" SEEN "\r\n", true);
	said(r, "a=ice-ufrag:leg0.0\r\n", true);
	said(r, "trickle", false);
	sip_call_acked(r->call[0], NULL, 0);

	/* They are known now, and told again. */
	const char *s = peer_sdp(2, "actpass", "peer1");
	sip_call_reinvite(r->call[0], s, strlen(s));
	assert_string_equal(r->log, "join:r 200+sdp 200+sdp");
	said(r, "a=" HOST "\r\na=" SEEN "\r\n", true);
	sip_call_acked(r->call[0], NULL, 0);

	/* The peer begins ICE again: so do we; UPDATE cannot wait for that. */
	s = peer_sdp(3, "actpass", "peer2");
	sip_call_update(r->call[0], s, strlen(s));
	assert_string_equal(r->log, "join:r 200+sdp 200+sdp 488");
	sip_call_reinvite(r->call[0], s, strlen(s));
	sip_call_reinvite(r->call[0], s, strlen(s));
	assert_string_equal(r->log, "join:r 200+sdp 200+sdp 488 491");
	candidate(r, 0, IP6);
	after(r, SIP_GATHER_MS); /* some server does not answer */
	assert_string_equal(r->log, "join:r 200+sdp 200+sdp 488 491 200+sdp");
	said(r, "m=audio 43000 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP6 2001:db8::5\r\n", true);
	said(r, "a=ice-ufrag:leg0.1\r\n", true);
	said(r, HOST, false);
	rig_close(r);
	free(r);
}

/* A plan that the leg does not take leaves the candidates as they were. */
static void refused_restart(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));
	const char *s;

	(void)state;
	rig_open(r);
	r->ice = true;
	invite(r);
	candidate(r, 0, HOST);
	candidate(r, 0, NULL);
	sip_call_acked(r->call[0], NULL, 0);
	r->negotiated_err = -EBUSY;
	s = peer_sdp(2, "actpass", "peer2");
	sip_call_reinvite(r->call[0], s, strlen(s));
	r->negotiated_err = 0;
	s = peer_sdp(3, "actpass", "peer1");
	sip_call_reinvite(r->call[0], s, strlen(s));
	assert_string_equal(r->log, "join:r 200+sdp 488 200+sdp");
	said(r, "a=" HOST "\r\n", true);
	rig_close(r);
	free(r);
}

static void ends_meanwhile(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));

	(void)state;
	rig_open(r);
	r->ice = true;
	invite(r);
	sip_call_cancelled(r->call[0], "");
	after(r, SIP_GATHER_MS);
	assert_string_equal(r->log, "join:r");
	sip_call_over(r->call[0], SIP_END_FAILED, "");
	rig_close(r);
	free(r);
}

static void answer(struct rig *r, int status, const char *sdp)
{
	const struct sip_answer a = { .status = status, .phrase = "", .sdp = sdp,
				      .sdp_len = sdp ? strlen(sdp) : 0 };
	sip_call_answer(r->call[0], &a);
}

/* Into the lobby's parlour (leg 1), then into the room (leg 0). */
static void moves_are_offered(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));

	(void)state;
	rig_open(r);
	r->ice = r->lobby = true;
	invite(r);
	candidate(r, 1, HOST);
	candidate(r, 1, NULL);
	assert_string_equal(r->log, "join:r parlour 200+sdp");
	said(r, "a=ice-ufrag:leg1.0\r\n", true);
	said(r, "a=setup:passive\r\n", true);
	sip_call_acked(r->call[0], NULL, 0);
	welcome(&r->leg[0]);
	assert_true(r->leg[1].ended);
	assert_string_equal(r->leg[0].peer_ufrag, ""); /* not known until the answer */
	assert_string_equal(r->log, "join:r parlour 200+sdp");
	candidate(r, 0, SEEN);
	candidate(r, 0, NULL);
	assert_string_equal(r->log, "join:r parlour 200+sdp INVITE+sdp");
	said(r, "a=ice-ufrag:leg0.0\r\n", true);
	said(r, "a=setup:active\r\n", true);
	said(r, "m=audio 42000 UDP/TLS/RTP/SAVPF 0", true);
	said(r, "a=" SEEN "\r\n", true);
	said(r, HOST, false);
	answer(r, 200, peer_sdp(2, "passive", "peer2"));
	assert_string_equal(r->log, "join:r parlour 200+sdp INVITE+sdp ACK");
	assert_string_equal(r->leg[0].peer_ufrag, "peer2");
	rig_close(r);
	free(r);
}

/* It is let in before the answer is complete: only the room's leg is told of. */
static void moves_before_the_answer(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));

	(void)state;
	rig_open(r);
	r->ice = r->lobby = true;
	invite(r);
	candidate(r, 1, HOST);
	welcome(&r->leg[0]);
	assert_string_equal(r->log, "join:r parlour");
	candidate(r, 0, SEEN);
	candidate(r, 0, NULL);
	assert_string_equal(r->log, "join:r parlour 200+sdp");
	said(r, "a=ice-ufrag:leg0.0\r\n", true);
	said(r, HOST, false);
	assert_string_equal(r->leg[0].peer_ufrag, "peer1");
	sip_call_acked(r->call[0], NULL, 0);
	assert_string_equal(r->log, "join:r parlour 200+sdp");
	rig_close(r);
	free(r);
}

/* It moves again while the offer of the first move is on its way. */
static void moves_twice(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));

	(void)state;
	rig_open(r);
	r->ice = r->lobby = true;
	invite(r);
	candidate(r, 1, NULL);
	sip_call_acked(r->call[0], NULL, 0);
	welcome(&r->leg[0]);
	candidate(r, 0, NULL);
	assert_string_equal(r->log, "join:r parlour 200+sdp INVITE+sdp");
	r->lobby = false;
	sip_call_refer(r->call[0], "sip:x@us", "other");
	candidate(r, 2, NULL);
	answer(r, 200, peer_sdp(2, "passive", "peer2")); /* to the first: of no use */
	assert_string_equal(r->leg[2].peer_ufrag, "");
	said(r, "a=ice-ufrag:leg2.0\r\n", true);
	answer(r, 200, peer_sdp(3, "passive", "peer3"));
	assert_string_equal(r->leg[2].peer_ufrag, "peer3");
	rig_close(r);
	free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_wait_for_candidates),
		cmocka_unit_test(refused_restart),
		cmocka_unit_test(ends_meanwhile),
		cmocka_unit_test(moves_are_offered),
		cmocka_unit_test(moves_before_the_answer),
		cmocka_unit_test(moves_twice),
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
