/* Calls by table: what the dialog and the room say, in every order that races make, and
 * what the call says to each. */
#include "tests/signaling/sip_call_words.h"

#include "mcu/base/role.h"
#include "signaling/sip_info.h"

static void calls_that_come(void **state)
{
	static const struct row rows[] = {
		{ "INVITE ACK BYE gone", "join:r 200+sdp done", SIP_END_HANGUP },
		{ "INVITE-late ACK-sdp BYE gone", "join:r 200+sdp done", SIP_END_HANGUP },
		{ "INVITE-late ACK gone", "join:r 200+sdp BYE done", SIP_END_FAILED },
		{ "INVITE-late ACK-sdp:strange gone", "join:r 200+sdp BYE done", SIP_END_FAILED },
		{ "INVITE-100rel ACK", "180 join:r 200+sdp", 0 },
		{ "INVITE-bridge ACK", "parlour 200+sdp", 0 },
		{ "late-welcome INVITE welcome ACK", "join:r 200+sdp", 0 },
		/* what is refused */
		{ "refuse:room_unknown INVITE gone", "join:r 404 done", SIP_END_REJECTED },
		{ "refuse-late:room_unknown INVITE gone", "join:r 404 done", SIP_END_REJECTED },
		{ "refuse:room_full INVITE gone", "join:r 486 done", SIP_END_BUSY },
		{ "refuse:room_locked INVITE gone", "join:r 403 done", SIP_END_REJECTED },
		{ "refuse:shutting_down INVITE", "join:r 503", SIP_END_REJECTED },
		{ "INVITE:strange", "join:r 488", SIP_END_REJECTED },
		{ "INVITE:bad", "join:r 400", SIP_END_REJECTED },
		{ "no-media INVITE", "join:r 503", SIP_END_REJECTED },
		{ "late-welcome INVITE turned-away:room_full", "join:r 486", SIP_END_BUSY },
		{ "INVITE INVITE INVITE INVITE",
		  "join:r 200+sdp join:r 200+sdp join:r 200+sdp refused:503", 0 },
		{ "shutdown INVITE", "refused:503", 0 },
		/* the PIN is asked for by prompt */
		{ "refuse:pin_required INVITE ACK BYE gone", "join:r parlour 200+sdp done",
		  SIP_END_HANGUP },
		{ "refuse-late:pin_required INVITE ACK", "join:r parlour 200+sdp", 0 },
		{ "refuse:pin_wrong INVITE", "join:r 403", SIP_END_REJECTED },
		/* somebody has to let it in */
		{ "lobby INVITE ACK welcome BYE gone", "join:r parlour 200+sdp done",
		  SIP_END_HANGUP },
		{ "lobby INVITE ACK turned-away:refused gone", "join:r parlour 200+sdp BYE done",
		  SIP_END_REJECTED },
	};
	(void)state;
	PLAY(rows);
}

static void races_of_the_end(void **state)
{
	static const struct row rows[] = {
		{ "late-welcome INVITE CANCEL gone", "join:r done", SIP_END_CANCELLED },
		{ "late-welcome INVITE CANCEL BYE gone", "join:r done", SIP_END_CANCELLED },
		{ "INVITE CANCEL gone", "join:r 200+sdp done", SIP_END_CANCELLED },
		{ "INVITE BYE gone", "join:r 200+sdp done", SIP_END_HANGUP },
		{ "INVITE gone", "join:r 200+sdp done", SIP_END_FAILED }, /* ACK never came */
		{ "INVITE ACK expired", "join:r 200+sdp done", SIP_END_TIMER },
		{ "INVITE ACK lost gone", "join:r 200+sdp BYE done", SIP_END_SILENT },
		{ "INVITE ACK kicked gone", "join:r 200+sdp BYE done", SIP_END_HANGUP_LOCAL },
		{ "INVITE kicked ACK gone", "join:r 200+sdp BYE done", SIP_END_HANGUP_LOCAL },
		{ "INVITE ACK kicked BYE gone", "join:r 200+sdp BYE done", SIP_END_HANGUP_LOCAL },
		{ "INVITE ACK shutdown gone", "join:r 200+sdp BYE done", SIP_END_SHUTDOWN },
		{ "late-welcome INVITE shutdown gone", "join:r 503 done", SIP_END_SHUTDOWN },
		/* nua says no more: it is forgotten */
		{ "INVITE ACK kicked after:39", "join:r 200+sdp BYE", SIP_END_HANGUP_LOCAL },
		{ "INVITE ACK kicked after:41", "join:r 200+sdp BYE done", SIP_END_HANGUP_LOCAL },
	};
	(void)state;
	PLAY(rows);
}

static void offers_again(void **state)
{
	static const struct row rows[] = {
		{ "INVITE ACK re:video ACK", "join:r 200+sdp 200+sdp", 0 },
		{ "INVITE ACK re:video ACK re:novideo ACK", "join:r 200+sdp 200+sdp 200+sdp", 0 },
		{ "INVITE ACK re-late ACK-sdp", "join:r 200+sdp 200+sdp", 0 },
		{ "INVITE ACK re-late ACK", "join:r 200+sdp 200+sdp", 0 },
		{ "INVITE ACK re:strange", "join:r 200+sdp 488", 0 },
		{ "INVITE ACK re:bad", "join:r 200+sdp 400", 0 },
		{ "INVITE ACK no-media re:video media re:video ACK",
		  "join:r 200+sdp 488 200+sdp", 0 },
		{ "INVITE ACK UPDATE", "join:r 200+sdp 200", 0 },
		{ "INVITE ACK UPDATE-sdp:hold", "join:r 200+sdp 200+sdp", 0 },
		/* ours, and glare */
		{ "INVITE ACK offer-wanted answer:200+sdp", "join:r 200+sdp INVITE+sdp ACK", 0 },
		{ "INVITE offer-wanted ACK answer:200+sdp", "join:r 200+sdp INVITE+sdp ACK", 0 },
		{ "INVITE ACK offer-wanted re:hold", "join:r 200+sdp INVITE+sdp 491", 0 },
		{ "INVITE ACK offer-wanted UPDATE-sdp:hold", "join:r 200+sdp INVITE+sdp 491", 0 },
		{ "INVITE ACK offer-wanted re-late", "join:r 200+sdp INVITE+sdp 491", 0 },
		{ "INVITE ACK offer-wanted answer:491 re:hold ACK after:3 answer:200+sdp",
		  "join:r 200+sdp INVITE+sdp 200+sdp INVITE+sdp ACK", 0 },
		{ "INVITE ACK offer-wanted answer:488 after:5", "join:r 200+sdp INVITE+sdp", 0 },
		{ "INVITE ACK offer-wanted answer:481 gone", "join:r 200+sdp INVITE+sdp BYE done",
		  SIP_END_FAILED },
		{ "INVITE ACK offer-wanted offer-wanted answer:200+sdp",
		  "join:r 200+sdp INVITE+sdp ACK INVITE+sdp", 0 },
		/* our decoder cannot go on, and RTCP cannot say so */
		{ "INVITE ACK blind blind after:2 blind", "join:r 200+sdp INFO INFO", 0 },
		{ "INVITE blind", "join:r 200+sdp", 0 },
		/* a refresh that nua made, without an offer: theirs comes in the 200 */
		{ "INVITE ACK answer:200+sdp", "join:r 200+sdp ACK+sdp", 0 },
		{ "INVITE ACK offer-wanted BYE gone", "join:r 200+sdp INVITE+sdp done",
		  SIP_END_HANGUP },
	};
	(void)state;
	PLAY(rows);
}

static void calls_out(void **state)
{
	static const struct row rows[] = {
		{ "srtp:optional dial:x answer:488 answer:488 gone",
		  "parlour INVITE+sdp INVITE:again dial:failed done", 0 },
		{ "srtp dial:x answer:488 gone", "parlour INVITE+sdp dial:failed done", 0 },
		{ "dial:sip:b@h answer:180 answer:200+sdp BYE gone",
		  "parlour INVITE+sdp dial:ringing ACK join:r dial:answered dial:ended done",
		  SIP_END_HANGUP },
		{ "dial:sip:b@h answer:183+sdp answer:180 answer:200 hangup gone",
		  "parlour INVITE+sdp dial:early ACK join:r dial:answered BYE dial:ended hangup:0 done",
		  SIP_END_HANGUP_LOCAL },
		{ "dial:sip:b@h answer:183+sdp answer:200+sdp",
		  "parlour INVITE+sdp dial:early ACK join:r dial:answered", 0 },
		{ "dial:sip:b@h answer:486 gone", "parlour INVITE+sdp dial:busy done", SIP_END_BUSY },
		{ "dial:sip:b@h answer:603 gone", "parlour INVITE+sdp dial:failed done",
		  SIP_END_REJECTED },
		{ "dial:sip:b@h answer:480 gone", "parlour INVITE+sdp dial:no_answer done",
		  SIP_END_NO_ANSWER },
		{ "dial:sip:b@h answer:500 gone", "parlour INVITE+sdp dial:failed done",
		  SIP_END_FAILED },
		{ "dial:sip:b@h answer:180 after:61 answer:487 gone",
		  "parlour INVITE+sdp dial:ringing CANCEL dial:no_answer done", SIP_END_NO_ANSWER },
		{ "dial:sip:b@h answer:180 hangup answer:487 gone",
		  "parlour INVITE+sdp dial:ringing CANCEL dial:ended hangup:0 done",
		  SIP_END_HANGUP_LOCAL },
		/* 200 crosses CANCEL */
		{ "dial:sip:b@h answer:180 hangup answer:200+sdp gone",
		  "parlour INVITE+sdp dial:ringing CANCEL dial:ended hangup:0 ACK BYE done",
		  SIP_END_HANGUP_LOCAL },
		{ "dial:sip:b@h hangup hangup gone",
		  "parlour INVITE+sdp CANCEL dial:ended hangup:0 hangup:-1 done", 0 },
		/* answers that are of no use */
		{ "dial:sip:b@h answer:200 gone", "parlour INVITE+sdp ACK BYE dial:ended done",
		  SIP_END_FAILED },
		{ "dial:sip:b@h answer:200+strange gone",
		  "parlour INVITE+sdp ACK BYE dial:ended done", SIP_END_FAILED },
		{ "refuse:room_full dial:sip:b@h answer:200+sdp gone",
		  "parlour INVITE+sdp ACK join:r BYE dial:ended done", SIP_END_FAILED },
		/* elsewhere, at most five times */
		{ "dial:sip:b@h answer:302 answer:200+sdp",
		  "parlour INVITE+sdp INVITE:sip:other@192.0.2.60 ACK join:r dial:answered", 0 },
		{ "dial:sip:b@h answer:302 answer:302 answer:302 answer:302 answer:302 answer:302 gone",
		  "parlour INVITE+sdp INVITE:sip:other@192.0.2.60 INVITE:sip:other@192.0.2.60 "
		  "INVITE:sip:other@192.0.2.60 INVITE:sip:other@192.0.2.60 "
		  "INVITE:sip:other@192.0.2.60 dial:failed done", SIP_END_FAILED },
		/* but not to where nobody may call */
		{ "only:@192.0.2.60 dial:sip:b@h answer:302 answer:200+sdp",
		  "parlour INVITE+sdp INVITE:sip:other@192.0.2.60 ACK join:r dial:answered", 0 },
		{ "only:@h dial:sip:b@h answer:302 gone", "parlour INVITE+sdp dial:failed done",
		  SIP_END_FAILED },
		{ "shutdown dial:sip:b@h", "dial:shutting_down", 0 },
	};
	(void)state;
	PLAY(rows);
}

/* The first that answers wins. */
static void several_phones(void **state)
{
	static const struct row rows[] = {
		{ "two dial:sip:b@h 0answer:180 1answer:180 1answer:200+sdp 0answer:487 0gone",
		  "parlour INVITE+sdp parlour INVITE+sdp dial:ringing CANCEL ACK join:r "
		  "dial:answered done", 0 },
		{ "two dial:sip:b@h 0answer:486 0gone 1answer:180 1answer:480 1gone",
		  "parlour INVITE+sdp parlour INVITE+sdp done dial:ringing dial:busy done",
		  SIP_END_BUSY },
		{ "two dial:sip:b@h 1answer:200+sdp 0answer:200+sdp 0gone 1BYE 1gone",
		  "parlour INVITE+sdp parlour INVITE+sdp CANCEL ACK join:r dial:answered ACK BYE "
		  "done dial:ended done", SIP_END_HANGUP },
		{ "two dial:sip:b@h shutdown 0gone 1gone",
		  "parlour INVITE+sdp parlour INVITE+sdp CANCEL CANCEL dial:ended done done",
		  SIP_END_SHUTDOWN },
	};
	(void)state;
	PLAY(rows);
}

static void transfers(void **state)
{
	static const struct row rows[] = {
		{ "INVITE ACK REFER-room:other BYE gone",
		  "join:r 200+sdp refer:202 join:other NOTIFY:200. done", SIP_END_HANGUP },
		{ "INVITE ACK REFER-room:r", "join:r 200+sdp refer:403", 0 },
		{ "INVITE ACK refuse:room_locked REFER-room:other",
		  "join:r 200+sdp refer:202 join:other NOTIFY:403.", 0 },
		{ "INVITE ACK late-welcome REFER-room:other turned-away:room_full",
		  "join:r 200+sdp refer:202 join:other NOTIFY:486.", 0 },
		{ "INVITE ACK late-welcome REFER-room:other welcome",
		  "join:r 200+sdp refer:202 join:other NOTIFY:200.", 0 },
		{ "INVITE ACK late-welcome REFER-room:other BYE gone",
		  "join:r 200+sdp refer:202 join:other done", SIP_END_HANGUP },
		{ "INVITE REFER-room:other", "join:r 200+sdp refer:481", 0 },
		{ "INVITE ACK late-welcome REFER-room:x REFER-room:y",
		  "join:r 200+sdp refer:202 join:x refer:491", 0 },
		{ "INVITE ACK REFER:sip:b@h 1answer:180 1answer:200+sdp 0BYE 0gone",
		  "join:r 200+sdp may:anne:r:inside parlour INVITE+sdp refer:202 NOTIFY:180 ACK join:r "
		  "NOTIFY:200. done", SIP_END_HANGUP },
		{ "INVITE ACK REFER:sip:b@h 1answer:486 1gone",
		  "join:r 200+sdp may:anne:r:inside parlour INVITE+sdp refer:202 NOTIFY:486. done", 0 },
		{ "INVITE ACK REFER:sip:b@h 0BYE 0gone 1answer:180 1answer:200+sdp 1BYE 1gone",
		  "join:r 200+sdp may:anne:r:inside parlour INVITE+sdp refer:202 done ACK join:r done", 0 },
		/* who has the right is asked for, and may take his time */
		{ "INVITE ACK forbidden REFER:sip:b@h", "join:r 200+sdp may:anne:r:inside refer:403", 0 },
		{ "INVITE ACK ask-later REFER:sip:b@h REFER:sip:c@h asked:403 BYE gone",
		  "join:r 200+sdp may:anne:r:inside refer:491 refer:403 done", SIP_END_HANGUP },
		{ "INVITE ACK ask-later REFER:sip:b@h BYE gone asked:403",
		  "join:r 200+sdp may:anne:r:inside refer:487 done", SIP_END_HANGUP },
		{ "INVITE ACK ask-later REFER:sip:b@h asked:0 told:180 told:200 told:0",
		  "join:r 200+sdp may:anne:r:inside refer:202 NOTIFY:180 NOTIFY:200.", 0 },
		{ "INVITE ACK ask-later REFER:sip:b@h BYE gone asked:0 told:180 told:0",
		  "join:r 200+sdp may:anne:r:inside refer:487 done", SIP_END_HANGUP },
	};
	(void)state;
	PLAY(rows);
}

/* A room lets in whom it has called; the others do not know him. */
static void who_was_called_is_a_stranger_elsewhere(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));
	(void)state;
	rig_open(r);
	play(r, "dial:sip:b@h answer:200+sdp");
	assert_true(living(r, false)->called);
	assert_false(living(r, false)->existing);
	play(r, "REFER-room:other");
	assert_string_equal(living(r, false)->room, "other");
	assert_false(living(r, false)->called);
	assert_true(living(r, false)->existing); /* nor does it open one */
	play(r, "REFER-room:r"); /* not even back */
	assert_string_equal(living(r, false)->room, "r");
	assert_false(living(r, false)->called);
	rig_close(r);

	/* the name of who had it called is not its own */
	rig_open(r);
	play(r, "dial:sip:b@h answer:200+sdp");
	r->log[0] = '\0';
	play(r, "REFER:sip:+1900555@192.0.2.99");
	assert_string_equal(r->log, "refer:403");
	rig_close(r);
	free(r);
}

static void places(void **state)
{
	(void)state;
	assert_true(sip_same_place("sip:a@h:5060", "sip:b@h:5060"));
	assert_true(sip_same_place("SIP:a@H.example;transport=tcp", "sip:b@h.example;transport=tcp"));
	assert_false(sip_same_place("sip:a@h", "sip:a@other"));
	assert_false(sip_same_place("sip:a@h:5060", "sip:a@h:5061"));
	assert_false(sip_same_place("sip:a@h", "sip:a@h;maddr=other"));
	assert_false(sip_same_place("sip:a@h;transport=tls", "sip:a@h"));
	assert_false(sip_same_place("sips:a@h", "sip:a@h"));
	assert_false(sip_same_place("sip:h", "sip:h"));
}

/* One more that came, of whom; 0, or what it was refused with. No dialog is made of it. */
static int comes(struct rig *r, const char *peer, const char *user, const char *trunk)
{
	const struct sip_call_start s = { .peer = peer, .user = user, .trunk = trunk };
	struct errmsg why;

	return call_limits_in(r->set, &s, &why);
}

/* Calls that wait for ACK: of one address, of all, and beside those of users and trunks. */
static void calls_without_ack(void **state)
{
	static struct sip_call open[SIP_OPEN_CALLS + SIP_OPEN_CALLS_SOURCE];
	struct rig *r = calloc(1, sizeof(*r));
	int n = 0;
	(void)state;
	rig_open(r);
	r->set->side.max_calls = 0;
	for (; n < SIP_OPEN_CALLS_SOURCE; n++) {
		assert_int_equal(comes(r, "2001:db8::1", "", ""), 0);
		open[n].state = n & 1 ? CALL_ANSWERED : CALL_ARRIVING;
		snprintf(open[n].peer, sizeof(open[n].peer), "2001:db8::%x", n);
		g_ptr_array_add(r->set->calls, &open[n]);
	}
	assert_int_equal(comes(r, "2001:db8::ffff", "", ""), -EBUSY);
	assert_int_equal(comes(r, "2001:db8::ffff", "anne", ""), 0);
	assert_int_equal(comes(r, "2001:db8::ffff", "", "office"), 0);
	open[0].state = CALL_UP; /* ACK has come */
	assert_int_equal(comes(r, "2001:db8::ffff", "", ""), 0);
	open[0].state = CALL_ANSWERED;
	for (; n < SIP_OPEN_CALLS; n++) {
		snprintf(open[n].peer, sizeof(open[n].peer), "192.0.2.%d", n % 250);
		assert_int_equal(comes(r, open[n].peer, "", ""), 0);
		open[n].state = CALL_ANSWERED;
		g_ptr_array_add(r->set->calls, &open[n]);
	}
	assert_int_equal(comes(r, "198.51.100.1", "", ""), -EBUSY);
	assert_int_equal(comes(r, "198.51.100.1", "anne", ""), 0);
	r->set->side.max_calls = (size_t)(n + n / 9 + 1); /* a tenth of them is for calls out */
	assert_int_equal(comes(r, "198.51.100.1", "anne", ""), 0);
	r->set->side.max_calls = (size_t)(n + n / 10 - 1);
	assert_int_equal(comes(r, "198.51.100.1", "anne", ""), -EUSERS);
	g_ptr_array_set_size(r->set->calls, 0);
	rig_close(r);
	free(r);
}

/* What is sent while the phone holds is its music; nobody hears it. */
static void hold(void **state)
{
	static const struct {
		const char *steps, *answered;
		enum neg_dir dir;
	} rows[] = {
		{ "INVITE ACK", "a=sendrecv", NEG_SENDRECV },
		{ "INVITE ACK re:hold", "a=recvonly", NEG_INACTIVE },
		{ "INVITE ACK re:inactive", "a=inactive", NEG_INACTIVE },
		{ "INVITE ACK re:zero", "a=recvonly", NEG_INACTIVE },
		{ "INVITE ACK UPDATE-sdp:hold", "a=recvonly", NEG_INACTIVE },
		{ "INVITE ACK re:hold ACK re", "a=sendrecv", NEG_SENDRECV },
		{ "INVITE ACK re:zero ACK re", "a=sendrecv", NEG_SENDRECV },
		{ "INVITE ACK re:hold ACK re:hold", "a=recvonly", NEG_INACTIVE },
		{ "INVITE:hold ACK", "a=recvonly", NEG_RECVONLY }, /* a source, no phone on hold */
	};
	struct rig *r = calloc(1, sizeof(*r));
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		rig_open(r);
		play(r, rows[i].steps);
		if (!strstr(r->sdp, rows[i].answered) || r->dir != rows[i].dir)
			fail_msg("%s\n%s in the plan, and\n%s", rows[i].steps, neg_dir_name(r->dir),
				 r->sdp);
		rig_close(r);
	}
	free(r);
}

static unsigned version_said(const struct rig *r)
{
	unsigned v = 0;
	assert_int_equal(sscanf(r->sdp, "v=0\r\no=- 9 %u IN IP4 203.0.113.1", &v), 1);
	return v;
}

/* RFC 3264 8: one more for each description that is another. */
/* An INVITE may come from anywhere; its ACK comes from who got the answer. */
static void nothing_is_sent_before_ack(void **state)
{
	static const char *const way[][2] = {
		{ "INVITE", "ACK" }, { "INVITE-late", "ACK-sdp:" }, { "INVITE-bridge", "ACK" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof way / sizeof *way; i++) {
		struct rig *r = malloc(sizeof(*r));

		rig_open(r);
		do_step(r, way[i][0]);
		assert_true(r->withheld);
		do_step(r, way[i][1]);
		assert_false(r->withheld);
		rig_close(r);
		free(r);
	}
}

static void versions(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));
	(void)state;
	rig_open(r);
	play(r, "INVITE ACK");
	assert_int_equal(version_said(r), 1);
	play(r, "re ACK");
	assert_int_equal(version_said(r), 1);
	play(r, "re:hold ACK");
	assert_int_equal(version_said(r), 2);
	play(r, "re:hold ACK");
	assert_int_equal(version_said(r), 2);
	play(r, "re ACK");
	assert_int_equal(version_said(r), 3);
	rig_close(r);
	free(r);
}

/* Lines stay in their places, at port 0 when they are of no use. */
static void lines_keep_their_places(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));
	(void)state;
	rig_open(r);
	play(r, "INVITE ACK re:video ACK");
	assert_non_null(strstr(r->sdp, "m=audio 40000 RTP/AVP 0 101"));
	assert_non_null(strstr(r->sdp, "m=video 40002 RTP/AVP 99"));
	play(r, "re:novideo ACK");
	assert_non_null(strstr(r->sdp, "m=video 0 RTP/AVP 99"));
	play(r, "re-late"); /* our offer has both, the second as it was refused or anew */
	assert_non_null(strstr(r->sdp, "m=audio 40000"));
	assert_non_null(strstr(r->sdp, "m=video"));
	assert_true(strstr(r->sdp, "m=audio") < strstr(r->sdp, "m=video"));
	rig_close(r);
	free(r);
}

static void infos(void **state)
{
	static const struct {
		const char *type, *body, *said;
	} rows[] = {
		{ "application/dtmf-relay", "Signal=5\r\nDuration=160\r\n", "digit:5" },
		{ "application/dtmf-relay", "Signal= *\r\nDuration=160", "digit:*" },
		{ "Application/DTMF-Relay;x=y", "Duration=160\nsignal = 11\n", "digit:#" },
		{ "application/dtmf-relay", "Duration=160\r\n", "" },
		{ "application/dtmf-relay", "Signal=55\r\n", "" },
		{ "application/dtmf-relay", "Signal=", "" },
		{ "application/dtmf", "d", "digit:D" },
		{ "application/dtmf", " 9\r\n", "digit:9" },
		{ "application/dtmf", "", "" },
		{ "application/dtmfx", "9", "" },
		{ SIP_INFO_PICTURE_TYPE, "<media_control><picture_fast_update/>", "picture" },
		{ SIP_INFO_PICTURE_TYPE, sip_info_picture, "picture" },
		{ SIP_INFO_PICTURE_TYPE, "<media_control/>", "" },
		{ "text/plain", "picture_fast_update", "" },
	};
	struct rig *r = calloc(1, sizeof(*r));
	(void)state;
	rig_open(r);
	play(r, "INVITE ACK");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		r->log[0] = '\0';
		info(r, rows[i].type, rows[i].body);
		assert_string_equal(r->log, rows[i].said);
	}
	rig_close(r);
	free(r);
}

/* The record has what the legs came to. */
static void records(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));
	(void)state;
	rig_open(r);
	play(r, "INVITE ACK REFER-room:other BYE gone");
	assert_string_equal(r->cdr.room, "other");
	assert_string_equal(r->cdr.uri, "sip:anne@192.0.2.50");
	assert_string_equal(r->cdr.user, "anne");
	assert_int_equal(r->cdr.media.packets_in, 20); /* of both legs */
	assert_int_equal(r->cdr.media.audio, CODEC_PCMU);
	assert_int_equal(r->cdr.sip_status, 200);
	assert_true(r->cdr.started_ms && r->cdr.answered_ms && r->cdr.ended_ms);
	assert_false(r->cdr.out);
	rig_close(r);
	rig_open(r);
	play(r, "dial:sip:b@h answer:200+sdp BYE gone");
	assert_true(r->cdr.out);
	assert_string_equal(r->cdr.room, "r");
	assert_int_equal(r->cdr.media.packets_in, 20);
	assert_int_equal(r->begun, 1);
	assert_int_equal(r->answered, 1);
	rig_close(r);
	free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_that_come),
		cmocka_unit_test(races_of_the_end),
		cmocka_unit_test(offers_again),
		cmocka_unit_test(calls_out),
		cmocka_unit_test(several_phones),
		cmocka_unit_test(transfers),
		cmocka_unit_test(who_was_called_is_a_stranger_elsewhere),
		cmocka_unit_test(calls_without_ack),
		cmocka_unit_test(places),
		cmocka_unit_test(hold),
		cmocka_unit_test(nothing_is_sent_before_ack),
		cmocka_unit_test(versions),
		cmocka_unit_test(lines_keep_their_places),
		cmocka_unit_test(infos),
		cmocka_unit_test(records),
	};
	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
