#include "signaling/front.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/base/log.h"
#include "mcu/base/metrics.h"
#include "signaling/front_held.h"
#include "signaling/sdp_log.h"

METRIC_COUNTER(m_candidates, "mcu_candidates_refused_total",
	       "Candidates refused: more than are taken with a description");

enum state {
	NEW = 1, /* connected; not in a room */
	JOINING, /* join() was called, welcome has not come */
	JOINED,
	DONE /* said goodbye; nothing is listened to any more */
};

struct front_session {
	const struct room_api *api;
	void *api_ctx;
	const struct front_sink *sink;
	void *sink_obj;
	char *peer;
	bool tls;
	enum state state;
	int64_t idle_ns; /* since when it is not joined; 0: not seen yet */
	bool tried;      /* to join */
	struct leg_handle *leg; /* while JOINING and JOINED */
	char *join_id;
	struct neg_plan *plan; /* in force */
	struct sdp *our_offer; /* not answered yet */
	bool offer_wanted;     /* as soon as no other negotiation is under way */
	uint64_t sdp_version;
	struct held local, remote;
	unsigned n_candidates; /* of the client, of this plan */
};

/* --- saying things ---------------------------------------------------------------- */

/* Takes text; NULL is a message that could not be made. */
static void say(struct front_session *s, char *text)
{
	if (text)
		s->sink->send(s->sink_obj, text, strlen(text));
	else
		log_error(NULL, "out of memory: a message to %s is lost", s->peer);
	free(text);
}

static void say_error(struct front_session *s, const char *id, const struct errmsg *why, bool fatal)
{
	say(s, msg_error(id, why, fatal));
}

__attribute__((format(printf, 4, 5))) static void refuse(struct front_session *s, const char *id,
							 const char *code, const char *fmt, ...)
{
	struct errmsg why = { .code = "" };
	char text[sizeof(why.text)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	errmsg_set(&why, 0, code, "%s", text);
	say_error(s, id, &why, false);
}

/* An error of the rooms' side, which should have given its reason. */
static void refuse_err(struct front_session *s, const char *id, int err, struct errmsg *why)
{
	if (!why->code[0])
		errmsg_set(why, err, "internal", "That failed: %s.", err_str(err));
	say_error(s, id, why, false);
}

/* --- candidates --------------------------------------------------------------------- */

/* The mid under which our candidates are announced: that of the transport. */
static const char *transport_mid(const struct front_session *s)
{
	for (size_t i = 0; s->plan && i < s->plan->n_media; i++)
		if (s->plan->media[i].accepted)
			return s->plan->media[s->plan->media[i].transport_index].mid;
	const char *mid = s->our_offer && s->our_offer->n_media
				  ? sdp_value(s->our_offer, &s->our_offer->media[0], "mid")
				  : NULL;
	return mid ? mid : "";
}

static void flush_local(struct front_session *s)
{
	for (size_t i = 0; i < s->local.n; i++)
		say(s, msg_ice(s->local.v[i].candidate, transport_mid(s)));
	held_clear(&s->local);
}

static void give_remote(struct front_session *s, const char *mid, const char *candidate)
{
	if (s->leg)
		s->api->remote_candidate(s->api_ctx, s->leg, mid, *candidate ? candidate : NULL);
}

static void flush_remote(struct front_session *s)
{
	for (size_t i = 0; i < s->remote.n; i++)
		give_remote(s, s->remote.v[i].mid, s->remote.v[i].candidate);
	held_clear(&s->remote);
}

static void refuse_candidate(struct front_session *s, const char *id)
{
	metric_add(&m_candidates, 1);
	refuse(s, id, "too_many_candidates", "Only %d candidates are taken with a description.",
	       FRONT_MAX_CANDIDATES);
}

static void do_ice(struct front_session *s, const struct client_msg *m)
{
	const char *c = m->u.ice.candidate;
	if (!strncmp(c, "a=", 2))
		c += 2;
	if (*c && strncmp(c, "candidate:", 10))
		refuse(s, m->id, "bad_message",
		       "The member \"candidate\" must begin with \"candidate:\".");
	else if (s->leg && ++s->n_candidates > FRONT_MAX_CANDIDATES)
		refuse_candidate(s, m->id);
	else if (s->plan && !s->our_offer)
		give_remote(s, m->u.ice.mid, c);
	else if (!s->our_offer)
		refuse(s, m->id, "bad_state", "Send an offer before candidates.");
	else if (!held_add(&s->remote, c, m->u.ice.mid))
		refuse(s, m->id, "bad_state", "Answer the offer before more candidates.");
}

/* --- negotiation ---------------------------------------------------------------------- */

static void note_sdp(const struct front_session *s, const char *what, const char *text, size_t len)
{
	char line[96];
	snprintf(line, sizeof(line), "%s %s", what, s->peer);
	sdp_log(NULL, line, text, len);
}

static int local_policy(struct front_session *s, bool restart, struct neg_policy *p,
			struct errmsg *why)
{
	memset(p, 0, sizeof(*p));
	int err = s->api->local(s->api_ctx, s->leg, restart, p, why);
	p->session_version = s->sdp_version;
	return err;
}

/* Hands a new plan to the leg; on success it is the one in force. */
static int agree(struct front_session *s, struct neg_plan **plan, struct errmsg *why)
{
	int err = s->api->negotiated(s->api_ctx, s->leg, *plan, why);
	if (err || s->state != JOINED)
		return err;
	neg_plan_free(&s->plan);
	s->plan = *plan;
	*plan = NULL;
	s->n_candidates = 0;
	return 0;
}

static void try_offer(struct front_session *s)
{
	struct errmsg why = { .code = "" };
	struct neg_policy policy;
	char *text = NULL;

	if (!s->offer_wanted || s->our_offer || s->state != JOINED)
		return;
	s->offer_wanted = false;
	s->sdp_version++;
	int err = local_policy(s, false, &policy, &why);
	if (!err && s->state == JOINED)
		err = neg_offer(&policy, s->plan, &s->our_offer, &why);
	if (!err && s->our_offer)
		err = sdp_write(s->our_offer, &text);
	if (text) {
		note_sdp(s, "offer to", text, strlen(text));
		say(s, msg_offer(text));
	} else {
		sdp_free(&s->our_offer);
	}
	if (text && !s->plan)
		flush_local(s);
	if (err)
		log_warn(NULL, "no offer to %s: %s", s->peer, why.text);
	free(text);
}

/* The client may say which section is content, where it cannot write it there. */
static int mark_content(struct sdp *offer, const char *mid)
{
	for (size_t i = 0; *mid && i < offer->n_media; i++) {
		const struct sdp_attr *a = sdp_attr_find(&offer->media[i].attrs, "mid");
		if (a && a->value && !strcmp(a->value, mid) &&
		    !sdp_attr_find(&offer->media[i].attrs, "content"))
			return sdp_add_attr(offer, &offer->media[i], "content", "slides");
	}
	return 0;
}

static void do_offer(struct front_session *s, const struct client_msg *m)
{
	struct errmsg why = { .code = "" };
	struct sdp *offer = NULL, *answer = NULL;
	struct neg_plan *plan = NULL;
	struct neg_policy policy;
	char *text = NULL;

	if (s->our_offer) { /* both at once: the client's goes first */
		sdp_free(&s->our_offer);
		held_clear(&s->remote);
		s->offer_wanted = true;
	}
	note_sdp(s, "offer of", m->u.sdp.text, m->u.sdp.len);
	int err = sdp_parse(&offer, m->u.sdp.text, m->u.sdp.len, &why);
	if (!err)
		err = mark_content(offer, m->u.sdp.content);
	if (err)
		goto out;
	s->sdp_version++;
	err = local_policy(s, neg_wants_ice_restart(offer, s->plan), &policy, &why);
	if (err || s->state != JOINED)
		goto out;
	err = neg_answer(offer, &policy, s->plan, &answer, &plan, &why);
	if (!err)
		err = sdp_write(answer, &text);
	if (!err)
		err = agree(s, &plan, &why);
	if (err || s->state != JOINED)
		goto out;
	note_sdp(s, "answer to", text, strlen(text));
	say(s, msg_answer(m->id, text));
	flush_local(s);
	try_offer(s);
out:
	if (err && s->state == JOINED)
		refuse_err(s, m->id, err, &why);
	free(text);
	neg_plan_free(&plan);
	sdp_free(&answer);
	sdp_free(&offer);
}

static void do_answer(struct front_session *s, const struct client_msg *m)
{
	struct errmsg why = { .code = "" };
	struct sdp *answer = NULL;
	struct neg_plan *plan = NULL;
	struct neg_policy policy;

	if (!s->our_offer) {
		refuse(s, m->id, "bad_state", "There is no offer to answer.");
		return;
	}
	note_sdp(s, "answer of", m->u.sdp.text, m->u.sdp.len);
	int err = sdp_parse(&answer, m->u.sdp.text, m->u.sdp.len, &why);
	if (!err)
		err = local_policy(s, false, &policy, &why);
	if (!err && s->state == JOINED)
		err = neg_accept(s->our_offer, &policy, answer, s->plan, &plan, &why);
	if (!err && plan)
		err = agree(s, &plan, &why);
	sdp_free(&s->our_offer);
	if (s->state == JOINED) {
		if (err)
			refuse_err(s, m->id, err, &why);
		else
			flush_remote(s);
		held_clear(&s->remote);
		try_offer(s);
	}
	neg_plan_free(&plan);
	sdp_free(&answer);
}

/* --- what the leg says ------------------------------------------------------------------ */

static void on_welcome(void *obj, const struct welcome_info *w)
{
	struct front_session *s = obj;
	role_assert_ctl();
	if (s->state != JOINING)
		return;
	s->state = JOINED;
	say(s, msg_welcome(s->join_id, w));
}

static void on_lobby(void *obj, const char *text)
{
	struct front_session *s = obj;
	role_assert_ctl();
	if (s->state == JOINING)
		say(s, msg_lobby(s->join_id, text));
}

static void on_candidate(void *obj, const char *candidate)
{
	struct front_session *s = obj;
	role_assert_ctl();
	if (s->state != JOINED && s->state != JOINING)
		return;
	if (!candidate)
		candidate = "";
	if (s->plan || s->our_offer)
		say(s, msg_ice(candidate, transport_mid(s)));
	else if (!held_add(&s->local, candidate, ""))
		log_warn(NULL, "a local candidate for %s is lost: too many before its offer",
			 s->peer);
}

static void on_offer_wanted(void *obj)
{
	struct front_session *s = obj;
	role_assert_ctl();
	s->offer_wanted = true;
	try_offer(s);
}

/* The text is made once for everybody who hears of it. */
static void on_event(void *obj, struct leg_event *ev)
{
	struct front_session *s = obj;
	role_assert_ctl();
	if (s->state != JOINED)
		return;
	size_t len;
	const char *text = leg_event_text(ev, &len);
	if (text)
		s->sink->send(s->sink_obj, text, len);
}

static void forget_leg(struct front_session *s)
{
	s->leg = NULL;
	s->offer_wanted = false;
	neg_plan_free(&s->plan);
	sdp_free(&s->our_offer);
	held_clear(&s->local);
	held_clear(&s->remote);
}

static void end(struct front_session *s, const char *id, const struct errmsg *why)
{
	s->state = DONE;
	say_error(s, id, why, true);
	say(s, msg_bye(NULL, leave_reason_name(LEAVE_ERROR), why->text));
	s->sink->close(s->sink_obj, FRONT_CLOSE_ERROR, why->code);
}

/* The client may try another room, or another PIN, unless trying is of no use. */
static void refuse_join(struct front_session *s, const char *id, const struct errmsg *why)
{
	bool fatal = !strcmp(why->code, "room_locked") || !strcmp(why->code, "refused");
	s->tried = true;
	s->idle_ns = 0;
	if (fatal) {
		end(s, id, why);
	} else {
		s->state = NEW;
		say_error(s, id, why, false);
	}
}

static void on_leg_closed(void *obj, enum leave_reason reason, const struct errmsg *why)
{
	struct front_session *s = obj;
	bool joined = s->state == JOINED;

	role_assert_ctl();
	forget_leg(s);
	if (s->state == JOINING) {
		refuse_join(s, s->join_id, why);
		return;
	}
	if (!joined)
		return;
	s->state = DONE;
	if (why && why->code[0])
		say_error(s, NULL, why, true);
	say(s, msg_bye(NULL, leave_reason_name(reason), why ? why->text : NULL));
	s->sink->close(s->sink_obj, why && why->code[0] ? FRONT_CLOSE_ERROR : FRONT_CLOSE_NORMAL,
		       leave_reason_name(reason));
}

static const struct leg_events leg_events = {
	.welcome = on_welcome,
	.lobby = on_lobby,
	.candidate = on_candidate,
	.offer_wanted = on_offer_wanted,
	.event = on_event,
	.closed = on_leg_closed,
};

/* --- what the client says ----------------------------------------------------------------- */

static void do_join(struct front_session *s, const struct client_msg *m)
{
	struct errmsg why = { .code = "" };
	struct leg_handle *leg = NULL;
	const struct join_req req = {
		.room = m->u.join.room,
		.name = m->u.join.name,
		.pin = m->u.join.pin,
		.token = m->u.join.token,
		.resume = m->u.join.resume,
		.peer = s->peer,
		.tls = s->tls,
	};

	if (s->state != NEW) {
		refuse(s, m->id, "already_joined",
		       "This connection has joined a room; open another one.");
		return;
	}
	free(s->join_id);
	s->join_id = strdup(m->id);
	s->state = JOINING;
	int err = s->api->join(s->api_ctx, &req, &leg_events, s, &leg, &why);
	if (err) {
		if (!why.code[0])
			errmsg_set(&why, err, "internal", "That failed: %s.", err_str(err));
		refuse_join(s, m->id, &why);
	} else if (s->state == JOINING || s->state == JOINED) {
		s->leg = leg;
		try_offer(s);
	}
}

static void do_leave(struct front_session *s, const struct client_msg *m)
{
	struct leg_handle *leg = s->leg;
	forget_leg(s);
	s->state = DONE;
	if (leg)
		s->api->leave(s->api_ctx, leg, LEAVE_LEFT);
	say(s, msg_bye(m->id, "left", NULL));
	s->sink->close(s->sink_obj, FRONT_CLOSE_NORMAL, "left");
}

/* What is answered by events, or by an error. */
static void do_act(struct front_session *s, const struct client_msg *m)
{
	struct errmsg why = { .code = "" };
	int err;
	if (m->type == CLIENT_MSG_RECORD)
		err = s->api->record(s->api_ctx, s->leg, &m->u.record, &why);
	else if (m->type == CLIENT_MSG_MUTE)
		err = s->api->mute(s->api_ctx, s->leg, m->u.mute.audio, m->u.mute.video, &why);
	else if (m->type == CLIENT_MSG_VIEW)
		err = s->api->view(s->api_ctx, s->leg, &m->u.view, &why);
	else
		err = s->api->act(s->api_ctx, s->leg, m, &why);
	if (err && s->state == JOINED)
		refuse_err(s, m->id, err, &why);
}

static void do_stats(struct front_session *s, const struct client_msg *m)
{
	struct errmsg why = { .code = "" };
	struct leg_stats stats = { .score = 5 };
	int err = s->api->stats(s->api_ctx, s->leg, &stats);
	if (err)
		refuse_err(s, m->id, err, &why);
	else
		say(s, msg_stats(m->id, &stats));
}

static void in_room(struct front_session *s, const struct client_msg *m)
{
	if (s->state != JOINED || !s->leg) {
		refuse(s, m->id, "not_joined",
		       "Join a room and wait for \"welcome\" before \"%s\".",
		       client_msg_type_name(m->type));
		return;
	}
	switch (m->type) {
	case CLIENT_MSG_OFFER: do_offer(s, m); break;
	case CLIENT_MSG_ANSWER: do_answer(s, m); break;
	case CLIENT_MSG_ICE: do_ice(s, m); break;
	case CLIENT_MSG_STATS: do_stats(s, m); break;
	default: do_act(s, m); break;
	}
}

void front_session_message(struct front_session *s, const struct client_msg *m, int err,
			   const struct errmsg *why)
{
	if (s->state == DONE)
		return;
	if (err) {
		/* after these the server closes the connection */
		say_error(s, m->id, why, err == -EDQUOT || err == -EMSGSIZE || err == -EPROTO);
		return;
	}
	switch (m->type) {
	case CLIENT_MSG_JOIN: do_join(s, m); break;
	case CLIENT_MSG_PING: say(s, msg_pong(m->id)); break;
	case CLIENT_MSG_LEAVE: do_leave(s, m); break;
	default: in_room(s, m); break;
	}
}

/* --- life ----------------------------------------------------------------------------------- */

int front_session_new(struct front_session **out, const struct room_api *api, void *api_ctx,
		      const struct front_sink *sink, void *sink_obj, const char *peer, bool tls)
{
	struct front_session *s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->api = api;
	s->api_ctx = api_ctx;
	s->sink = sink;
	s->sink_obj = sink_obj;
	s->tls = tls;
	s->state = NEW;
	s->peer = strdup(peer);
	if (!s->peer) {
		free(s);
		return -ENOMEM;
	}
	*out = s;
	return 0;
}

void front_session_tick(struct front_session *s, int64_t now_ns)
{
	int64_t most_ns = (s->tried ? FRONT_REJOIN_S : FRONT_JOIN_S) * 1000000000LL;
	struct errmsg why;

	if (s->state != NEW) {
		s->idle_ns = 0;
	} else if (!s->idle_ns) {
		s->idle_ns = now_ns;
	} else if (now_ns - s->idle_ns >= most_ns) {
		errmsg_set(&why, 0, "join_timeout", "You have not joined a room for %lld seconds. "
			   "Connect again.", (long long)(most_ns / 1000000000));
		end(s, NULL, &why);
	}
}

void front_session_shutdown(struct front_session *s)
{
	struct errmsg why;
	struct leg_handle *leg = s->leg;

	if (s->state == DONE)
		return;
	forget_leg(s);
	s->state = DONE;
	if (leg)
		s->api->leave(s->api_ctx, leg, LEAVE_SHUTDOWN);
	errmsg_set(&why, 0, "shutting_down", "The server is shutting down; come back in a while.");
	say_error(s, NULL, &why, true);
	say(s, msg_bye(NULL, "shutdown", why.text));
	s->sink->close(s->sink_obj, FRONT_CLOSE_GOING_AWAY, "shutting_down");
}

void front_session_free(struct front_session **sp, enum leave_reason reason)
{
	struct front_session *s = *sp;
	if (!s)
		return;
	struct leg_handle *leg = s->leg;
	forget_leg(s);
	s->state = DONE;
	if (leg)
		s->api->leave(s->api_ctx, leg, reason);
	free(s->join_id);
	free(s->peer);
	free(s);
	*sp = NULL;
}
