/* The words of a test of calls: a line of them is what happens, and what the calls said to it
 * is compared with another. Included by one file per program. */
#ifndef TESTS_SIGNALING_SIP_CALL_WORDS_H
#define TESTS_SIGNALING_SIP_CALL_WORDS_H

#include "tests/signaling/sip_call_rig.h"

static char text[2000];

/* An offer or answer of the phone. */
static inline const char *phone_sdp(int version, const char *address, const char *lines)
{
	int n = snprintf(text, sizeof(text), HEAD, version, address);
	snprintf(text + n, sizeof(text) - (size_t)n, "%s", lines);
	return text;
}

static const struct {
	const char *word, *address, *lines;
} descriptions[] = {
	{ "", "192.0.2.50", SOUND },
	{ "hold", "192.0.2.50", SOUND "a=sendonly\r\n" },
	{ "inactive", "192.0.2.50", SOUND "a=inactive\r\n" },
	{ "zero", "0.0.0.0", SOUND },
	{ "video", "192.0.2.50",
	  SOUND "m=video 16390 RTP/AVP 99\r\na=rtpmap:99 H264/90000\r\n"
		"a=fmtp:99 profile-level-id=42e01f;packetization-mode=1\r\n" },
	{ "novideo", "192.0.2.50", SOUND "m=video 0 RTP/AVP 99\r\n" },
	{ "strange", "192.0.2.50", "m=audio 16384 RTP/AVP 77\r\na=rtpmap:77 iLBC/8000\r\n" },
	{ "bad", "192.0.2.50", "m=audio\r\n" },
};

static inline const char *described(const char *word)
{
	for (size_t i = 0; i < sizeof(descriptions) / sizeof(descriptions[0]); i++)
		if (!strcmp(word, descriptions[i].word))
			return phone_sdp((int)i + 1, descriptions[i].address, descriptions[i].lines);
	fail_msg("no description \"%s\"", word);
	return NULL;
}

static inline void invite(struct rig *r, const char *sdp, const char *room, bool reliable)
{
	struct fake_dialog *d = fake_dialog(r);
	struct sip_reply reply;
	struct errmsg why;
	const struct sip_call_start s = {
		.dialog = d, .peer = "192.0.2.50", .local = "203.0.113.1", .room = room,
		.name = "Phone", .uri = "sip:anne@192.0.2.50", .number = "", .user = "anne",
		.sdp = sdp, .sdp_len = sdp ? strlen(sdp) : 0, .reliable = reliable,
	};
	if (sip_call_take(r->set, &s, &r->call[d->i], &reply, &why)) {
		say(r, "refused:%d", reply.status);
		free(d);
	}
}

/* Of the last leg in a room, or in the parlour. */
static inline struct leg_handle *living(struct rig *r, bool parlour)
{
	for (size_t i = r->n_legs; i-- > 0;)
		if (!r->leg[i].ended && r->leg[i].parlour == parlour)
			return &r->leg[i];
	fail_msg("no such leg");
	return NULL;
}

static inline void leg_ends(struct rig *r, enum leave_reason reason, const char *code)
{
	struct leg_handle *l = living(r, false);
	struct errmsg why;

	l->ended = true;
	errmsg_set(&why, 0, code, "Over.");
	l->ev->closed(l->obj, reason, &why);
}

static inline void answer(struct rig *r, size_t i, const char *word)
{
	struct sip_answer a = { .status = atoi(word), .phrase = "" };
	const char *plus = strchr(word, '+');

	if (plus)
		a.sdp = described(strcmp(plus, "+sdp") ? plus + 1 : "");
	a.sdp_len = a.sdp ? strlen(a.sdp) : 0;
	if (a.status / 100 == 3)
		a.contact = "sip:other@192.0.2.60";
	sip_call_answer(r->call[i], &a);
}

static inline void dial(struct rig *r, const char *to)
{
	const struct sip_dial_req req = { .room = "r", .to = to, .by = "Host" };
	struct errmsg why;
	int err = call_dial(r->set, &req, on_dial, r, &r->dial_id, &why);
	if (err)
		say(r, "dial:%s", why.code);
	else
		r->dial_state = SIP_DIAL_CALLING;
}

static inline void info(struct rig *r, const char *type, const char *body)
{
	sip_call_take_info(r->call[0], type, body, strlen(body));
}

/* What became of the wish that somebody be called. */
static inline void asked(struct rig *r, int err)
{
	struct errmsg why = { .code = "" };
	if (err)
		errmsg_set(&why, err, "not_allowed", "No.");
	r->wish.done(r->wish.obj, err, &why);
}

/* status 0: the call that was wished for is over. */
static inline void told(struct rig *r, int status)
{
	const struct sip_dial_event ev = {
		.state = !status ? SIP_DIAL_ENDED : status == 180 ? SIP_DIAL_RINGING : SIP_DIAL_ANSWERED,
		.status = status, .text = "",
	};
	r->wish.progress(r->wish.obj, &ev);
}

/* "word" or "word:rest"; a digit before it is the call's number. */
static inline bool is(const char *step, const char *word, const char **rest)
{
	size_t n = strlen(word);
	if (strncmp(step, word, n) || (step[n] && step[n] != ':'))
		return false;
	*rest = step[n] ? step + n + 1 : "";
	return true;
}

static inline void do_room(struct rig *r, const char *step, const char *rest)
{
	if (is(step, "welcome", &rest))
		welcome(living(r, false));
	else if (is(step, "lost", &rest))
		leg_ends(r, LEAVE_LOST, "connection_lost");
	else if (is(step, "kicked", &rest))
		leg_ends(r, LEAVE_KICKED, "");
	else if (is(step, "turned-away", &rest))
		leg_ends(r, LEAVE_ERROR, rest);
	else if (is(step, "offer-wanted", &rest))
		living(r, false)->ev->offer_wanted(living(r, false)->obj);
	else if (is(step, "blind", &rest))
		living(r, false)->ev->key_frame_wanted(living(r, false)->obj);
	else if (is(step, "late-welcome", &rest))
		r->late_welcome = true;
	else if (is(step, "lobby", &rest))
		r->lobby = true;
	else if (is(step, "open", &rest))
		r->lobby = r->late_welcome = false;
	else if (is(step, "srtp", &rest))
		r->srtp = true, r->plain = !strcmp(rest, "optional");
	else if (is(step, "refuse", &rest))
		r->refuse = rest;
	else if (is(step, "refuse-late", &rest))
		r->refuse_late = rest;
	else if (is(step, "no-media", &rest))
		r->negotiated_err = -EBUSY;
	else if (is(step, "media", &rest))
		r->negotiated_err = 0;
	else if (is(step, "after", &rest)) {
		clock_fake_advance(&r->clock, atoi(rest) * NS_PER_S);
		sip_call_set_tick(r->set);
	} else
		fail_msg("no such step: %s", step);
}

/* What the rig is to do with the next REFER, and what becomes of one. */
static inline bool do_referral(struct rig *r, const char *step)
{
	const char *rest;

	if (is(step, "only", &rest))
		r->only = !strcmp(rest, "@h") ? "@h" : "@192.0.2.60";
	else if (is(step, "forbidden", &rest))
		r->refer_err = -EACCES;
	else if (is(step, "ask-later", &rest))
		r->ask_later = true;
	else if (is(step, "asked", &rest))
		asked(r, atoi(rest) ? -EACCES : 0);
	else if (is(step, "told", &rest))
		told(r, atoi(rest));
	else
		return false;
	return true;
}

static inline void do_step(struct rig *r, const char *step)
{
	size_t i = step[0] >= '0' && step[0] <= '3' ? (size_t)(*step++ - '0') : 0;
	struct sip_call *c = r->call[i];
	const char *rest, *s;

	if (is(step, "INVITE", &rest))
		invite(r, described(rest), "r", false);
	else if (is(step, "INVITE-late", &rest))
		invite(r, NULL, "r", false);
	else if (is(step, "INVITE-100rel", &rest))
		invite(r, described(""), "r", true);
	else if (is(step, "INVITE-bridge", &rest))
		invite(r, described(""), "", false);
	else if (is(step, "ACK", &rest))
		sip_call_acked(c, NULL, 0);
	else if (is(step, "ACK-sdp", &rest))
		s = described(rest), sip_call_acked(c, s, strlen(s));
	else if (is(step, "CANCEL", &rest))
		sip_call_cancelled(c, "");
	else if (is(step, "BYE", &rest))
		sip_call_bye(c, "");
	else if (is(step, "re", &rest))
		s = described(rest), sip_call_reinvite(c, s, strlen(s));
	else if (is(step, "re-late", &rest))
		sip_call_reinvite(c, NULL, 0);
	else if (is(step, "UPDATE", &rest))
		sip_call_update(c, NULL, 0);
	else if (is(step, "UPDATE-sdp", &rest))
		s = described(rest), sip_call_update(c, s, strlen(s));
	else if (is(step, "gone", &rest))
		sip_call_over(c, SIP_END_FAILED, "gone");
	else if (is(step, "expired", &rest))
		sip_call_over(c, SIP_END_TIMER, "expired");
	else if (is(step, "answer", &rest))
		answer(r, i, rest);
	else if (is(step, "dial", &rest))
		dial(r, rest);
	else if (is(step, "hangup", &rest))
		say(r, "hangup:%d", call_hangup(r->set, r->dial_id) ? -1 : 0);
	else if (is(step, "REFER", &rest))
		sip_call_refer(c, rest, NULL);
	else if (is(step, "REFER-room", &rest))
		sip_call_refer(c, "sip:x@us", rest);
	else if (is(step, "two", &rest))
		r->n_targets = 2;
	else if (is(step, "shutdown", &rest))
		sip_call_set_shutdown(r->set);
	else if (!do_referral(r, step))
		do_room(r, step, rest);
}

static inline void play(struct rig *r, const char *steps)
{
	char copy[600], *save = NULL;

	snprintf(copy, sizeof(copy), "%s", steps);
	for (char *s = strtok_r(copy, " ", &save); s; s = strtok_r(NULL, " ", &save))
		do_step(r, s);
}

struct row {
	const char *steps, *said;
	enum sip_end end; /* of the record; 0: not looked at */
};

static inline void play_rows(const struct row *rows, size_t n)
{
	struct rig *r = calloc(1, sizeof(*r));

	for (size_t i = 0; i < n; i++) {
		rig_open(r);
		play(r, rows[i].steps);
		if (strcmp(r->log, rows[i].said))
			fail_msg("%s\nsaid:     %s\nexpected: %s", rows[i].steps, r->log,
				 rows[i].said);
		if (rows[i].end && (r->cdr.end != rows[i].end || !r->ended))
			fail_msg("%s\nended with %s, expected %s", rows[i].steps,
				 sip_end_name(r->cdr.end), sip_end_name(rows[i].end));
		rig_close(r);
	}
	free(r);
}
#define PLAY(rows) play_rows(rows, sizeof(rows) / sizeof(rows[0]))

#endif
