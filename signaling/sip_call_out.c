/* Calls out. A dial is a group of calls, one to each phone that may ring; the first that
 * answers joins the room and the others are cancelled. */
#include "signaling/sip_call_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/base/log.h"
#include "mcu/base/metrics.h"
#include "signaling/phone_number.h"

METRIC_COUNTER(m_out, "mcu_sip_dials_total", "Calls out that were begun");

struct sip_dial_group {
	struct sip_call_set *set;
	struct sip_cdr cdr;
	sip_dial_cb *cb; /* NULL: over */
	void *obj;
	enum sip_dial_state state;
	struct sip_call *calls[SIP_MAX_TARGETS]; /* that live */
	size_t n;
	struct sip_call *winner; /* it has answered */
	uint32_t leg;
	int status;   /* the best answer so far */
	int64_t until_ns; /* when nobody has answered */
	bool began;   /* dial() has returned */
	bool ended;
	enum sip_end end;
	char text[320];
	char digits[65];
};

static void tell(struct sip_dial_group *g, enum sip_dial_state state, int status, const char *text)
{
	if (g->state >= state || !g->cb)
		return;
	g->state = state;
	const struct sip_dial_event ev = {
		.id = g->cdr.id, .state = state, .status = status, .text = text ? text : "",
		.leg = g->leg,
	};
	sip_dial_cb *cb = g->cb;
	if (sip_dial_is_over(state))
		g->cb = NULL;
	cb(g->obj, &ev);
}

/* --- ends ------------------------------------------------------------------------- */

static enum sip_dial_state state_of(const struct sip_dial_group *g)
{
	if (g->winner || g->end == SIP_END_HANGUP_LOCAL || g->end == SIP_END_SHUTDOWN)
		return SIP_DIAL_ENDED;
	if (g->end == SIP_END_BUSY)
		return SIP_DIAL_BUSY;
	return g->end == SIP_END_NO_ANSWER ? SIP_DIAL_NO_ANSWER : SIP_DIAL_FAILED;
}

ON_THREAD(ROLE_CTL) static void group_over(struct sip_dial_group *g)
{
	const struct sip_cdr_sink *sink = g->set->side.cdr;

	g->cdr.ended_ms = clock_wall_ns() / NS_PER_MS;
	g->cdr.end = g->end;
	if (!g->cdr.sip_status)
		g->cdr.sip_status = g->status;
	snprintf(g->cdr.reason, sizeof(g->cdr.reason), "%.128s", g->text);
	if (sink)
		sink->ended(sink->ctx, &g->cdr);
	tell(g, state_of(g), g->status, g->text);
	g_ptr_array_remove(g->set->groups, g);
	free(g);
}

/* The end that says most: of several phones one may be busy and the others silent. */
static void note_end(struct sip_dial_group *g, enum sip_end end, int status, const char *text)
{
	static const enum sip_end order[] = { SIP_END_NONE, SIP_END_NO_ANSWER, SIP_END_FAILED,
					      SIP_END_REJECTED, SIP_END_BUSY };
	size_t now = 0, then = 0;

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		now = order[i] == end ? i : now;
		then = order[i] == g->end ? i : then;
	}
	if (g->end && now < then)
		return;
	g->end = end;
	if (status)
		g->status = status;
	snprintf(g->text, sizeof(g->text), "%s", text ? text : "");
}

void call_out_ended(struct sip_call *c, enum sip_end end, int status, const char *text)
{
	struct sip_dial_group *g = c->group;
	bool mattered = !g->winner || g->winner == c;

	c->group = NULL;
	for (size_t i = 0; i < g->n; i++)
		if (g->calls[i] == c)
			g->calls[i] = g->calls[--g->n];
	if (g->winner == c) {
		g->cdr.media = c->cdr.media;
		g->end = end;
		snprintf(g->text, sizeof(g->text), "%s", text ? text : "");
	} else if (mattered && !g->ended) {
		note_end(g, end, status, text);
	}
	g->ended = g->ended || g->winner == c || !g->n;
	if (g->ended && !g->n && g->began)
		group_over(g);
}

/* Ends all, or all but one. */
ON_THREAD(ROLE_CTL) static void end_calls(struct sip_dial_group *g, const struct sip_call *but,
					  enum sip_end end, const char *text)
{
	struct sip_call *all[SIP_MAX_TARGETS];
	size_t n = 0;

	for (size_t i = 0; i < g->n; i++)
		if (g->calls[i] != but) {
			all[n++] = g->calls[i];
			call_hold(g->calls[i]);
		}
	for (size_t i = 0; i < n; i++) {
		call_end(all[i], end, 0, text);
		call_release(all[i]);
	}
}

/* g may be gone when this returns. */
ON_THREAD(ROLE_CTL) static void group_end(struct sip_dial_group *g, enum sip_end end,
					  const char *text)
{
	g->ended = true;
	g->end = end;
	snprintf(g->text, sizeof(g->text), "%s", text);
	end_calls(g, NULL, end, text);
}

int call_hangup(struct sip_call_set *s, int64_t id)
{
	for (guint i = 0; i < s->groups->len; i++) {
		struct sip_dial_group *g = g_ptr_array_index(s->groups, i);
		if (g->cdr.id == id && !g->ended) {
			group_end(g, SIP_END_HANGUP_LOCAL, "");
			return 0;
		}
	}
	return -ENOENT;
}

void call_groups_tick(struct sip_call_set *s)
{
	int64_t now = call_now_ns(s);

	for (guint i = s->groups->len; i-- > 0;) {
		struct sip_dial_group *g = i < s->groups->len ? g_ptr_array_index(s->groups, i)
							      : NULL;
		if (g && g->began && !g->n) /* dial() could not even begin them */
			group_over(g);
		else if (g && !g->winner && !g->ended && now >= g->until_ns)
			group_end(g, SIP_END_NO_ANSWER, "Nobody answered.");
	}
}

void call_groups_free(struct sip_call_set *s)
{
	for (guint i = 0; i < s->calls->len; i++)
		((struct sip_call *)g_ptr_array_index(s->calls, i))->group = NULL;
	while (s->groups->len) {
		struct sip_dial_group *g = g_ptr_array_index(s->groups, 0);
		g->end = SIP_END_SHUTDOWN;
		g->n = 0;
		group_over(g);
	}
}

/* --- answers ------------------------------------------------------------------------ */

void call_out_ready(struct sip_call *c)
{
	struct errmsg why = { .code = "" };
	const char *sdp;
	int err = sip_media_offer(c->media, &sdp, &why);

	if (!call_alive(c))
		return;
	if (err) {
		call_end(c, SIP_END_FAILED, 0, why.text);
		return;
	}
	c->state = CALL_DIALING;
	c->set->ops->invite(c->dialog, sdp);
}

void call_out_joined(struct sip_call *c, uint32_t leg)
{
	struct sip_dial_group *g = c->group;
	const struct sip_calls_side *side = &c->set->side;
	struct errmsg why;

	if (g->leg)
		return;
	g->leg = leg;
	if (g->digits[0] && side->api->digits)
		(void)side->api->digits(side->api_ctx, c->active->h, g->digits, &why);
	tell(g, SIP_DIAL_ANSWERED, 200, NULL);
}

/* The end of what was refused, by its status. */
static enum sip_end end_of(int status)
{
	switch (status) {
	case 486:
	case 600: return SIP_END_BUSY;
	case 408:
	case 480:
	case 487: return SIP_END_NO_ANSWER;
	case 401:
	case 403:
	case 407:
	case 433:
	case 603:
	case 607:
	case 608: return SIP_END_REJECTED;
	default: return SIP_END_FAILED;
	}
}

static void refusal_text(char *out, size_t cap, const struct sip_answer *a)
{
	const char *what = a->phrase && *a->phrase ? a->phrase : "refused";

	switch (a->status) {
	case 401:
	case 407: what = "the user name or password was not accepted"; break;
	case 404:
	case 604: what = "there is no such number or address there"; break;
	case 488:
	case 606: what = "there is no codec that both sides can use"; break;
	default: break;
	}
	snprintf(out, cap, "The other side said %d: %.200s.", a->status, what);
}

/* Once, where that is allowed: an exchange that knows no SRTP says no more than that it
 * does not like the offer. */
ON_THREAD(ROLE_CTL) static bool call_in_the_clear(struct sip_call *c)
{
	struct errmsg why = { .code = "" };
	const char *sdp;

	c->srtp = false;
	sip_media_want_srtp(c->media, false);
	sip_media_drop_offer(c->media);
	if (sip_media_offer(c->media, &sdp, &why) || !call_alive(c))
		return false;
	log_info(NULL, "%s refuses SRTP and is called without", c->peer);
	c->set->ops->redirect(c->dialog, NULL, sdp);
	return true;
}

/* Who is called sends it only to where anybody may have it called. */
static bool may_redirect(const struct sip_call *c, const char *contact)
{
	const struct sip_calls_side *side = &c->set->side;

	if (!contact || c->redirects >= SIP_MAX_REDIRECTS)
		return false;
	if (!side->may_call || side->may_call(side->obj, contact))
		return true;
	log_info(NULL, "call to %s is not sent on to %s: the configuration allows no call there",
		 c->peer, contact);
	return false;
}

/* Its last answer, not 2xx. */
ON_THREAD(ROLE_CTL) static void refused(struct sip_call *c, const struct sip_answer *a)
{
	char text[300];

	if (a->status < 400 && may_redirect(c, a->contact)) {
		struct errmsg why = { .code = "" };
		const char *sdp;
		c->redirects++;
		sip_media_drop_offer(c->media);
		if (!sip_media_offer(c->media, &sdp, &why) && call_alive(c)) {
			c->set->ops->redirect(c->dialog, a->contact, sdp);
			return;
		}
	}
	if (call_alive(c) && (a->status == 488 || a->status == 606) && c->srtp && c->plain &&
	    call_in_the_clear(c))
		return;
	if (!call_alive(c))
		return;
	refusal_text(text, sizeof(text), a);
	c->state = CALL_ENDING;
	call_due_in(c, &c->dead_ns, SIP_CANCEL_S * NS_PER_S);
	call_leave_legs(c, LEAVE_LEFT);
	if (c->group)
		call_out_ended(c, end_of(a->status), a->status, text);
}

ON_THREAD(ROLE_CTL) static void answered(struct sip_call *c, const struct sip_answer *a)
{
	const struct sip_cdr_sink *sink = c->set->side.cdr;
	struct sip_dial_group *g = c->group;
	struct errmsg why = { .code = "" };
	int err;

	c->state = CALL_UP;
	g->winner = c;
	g->cdr.answered_ms = clock_wall_ns() / NS_PER_MS;
	g->cdr.sip_status = a->status;
	end_calls(g, c, SIP_END_CANCELLED, "Call completed elsewhere");
	if (sink)
		sink->answered(sink->ctx, &g->cdr);
	c->set->ops->ack(c->dialog, NULL);
	if (a->sdp)
		err = sip_media_accept(c->media, a->sdp, a->sdp_len, true, &why);
	else if (sip_media_plan(c->media)) /* the early one holds */
		err = 0, sip_media_drop_offer(c->media);
	else
		err = errmsg_set(&why, -EINVAL, "bad_sdp", "The answer has no session description.");
	if (!err && call_alive(c))
		err = call_enter_room(c, c->room, &why);
	if (err && call_alive(c))
		call_end(c, SIP_END_FAILED, 488, why.text);
}

ON_THREAD(ROLE_CTL) static void provisional(struct sip_call *c, const struct sip_answer *a)
{
	struct errmsg why = { .code = "" };

	if (!c->group || c->group->winner)
		return;
	if (a->sdp && sip_media_accept(c->media, a->sdp, a->sdp_len, false, &why))
		log_info(NULL, "early media of %s: %s", c->peer, why.text);
	if (!call_alive(c) || !c->group)
		return;
	if (a->status == 180)
		tell(c->group, SIP_DIAL_RINGING, a->status, NULL);
	else if (a->sdp)
		tell(c->group, SIP_DIAL_EARLY, a->status, NULL);
}

/* To a re-INVITE of ours, or a refresh by nua (which we did not send). */
ON_THREAD(ROLE_CTL) static void again(struct sip_call *c, const struct sip_answer *a)
{
	struct errmsg why = { .code = "" };
	const char *ours = NULL;
	bool mine = c->reinviting;

	if (a->status < 200)
		return;
	c->reinviting = false;
	if (a->status < 300) {
		if (mine && a->sdp)
			(void)sip_media_accept(c->media, a->sdp, a->sdp_len, true, &why);
		else if (!mine && a->sdp && !c->out)
			(void)sip_media_answer(c->media, a->sdp, a->sdp_len, &ours, &why);
		sip_media_drop_offer(c->media);
		if (call_alive(c))
			c->set->ops->ack(c->dialog, ours);
	} else {
		sip_media_drop_offer(c->media);
	}
	if (!call_alive(c))
		return;
	if (a->status == 491 && mine) { /* RFC 3261 14.1 */
		int64_t ms = c->out ? g_random_int_range(2100, 4000) : g_random_int_range(10, 2000);
		c->reoffer = true;
		call_due_in(c, &c->retry_ns, ms * NS_PER_MS);
	} else if (a->status == 481 || a->status == 408) {
		call_end(c, SIP_END_FAILED, 0, "The other side knows nothing of the call.");
	} else {
		call_try_reoffer(c);
	}
}

void sip_call_answer(struct sip_call *c, const struct sip_answer *a)
{
	call_hold(c);
	if (c->state == CALL_DIALING && a->status < 200)
		provisional(c, a);
	else if (c->state == CALL_DIALING && a->status < 300)
		answered(c, a);
	else if (c->state == CALL_DIALING)
		refused(c, a);
	else if (c->state == CALL_UP)
		again(c, a);
	else if (c->state == CALL_ENDING && c->out && a->status / 100 == 2) {
		/* it crossed our CANCEL */
		c->set->ops->ack(c->dialog, NULL);
		c->set->ops->bye(c->dialog, "SIP;cause=487;text=\"cancelled\"");
	}
	call_release(c);
}

/* --- dialling -------------------------------------------------------------------------- */

static size_t ringing_in(const struct sip_call_set *s, const char *room)
{
	size_t n = 0;

	for (guint i = 0; i < s->groups->len; i++) {
		const struct sip_dial_group *g = g_ptr_array_index(s->groups, i);
		n += !g->winner && !g->ended && !strcmp(g->cdr.room, room);
	}
	return n;
}

ON_THREAD(ROLE_CTL) static int begin_call(struct sip_dial_group *g, const struct sip_target *t,
					  const char *display, const char *name, struct errmsg *why)
{
	struct sip_call_set *s = g->set;
	const struct sip_calls_side *side = &s->side;
	struct sip_call *c = call_new(s);
	int err = 0;

	if (!c)
		return errmsg_set(why, -ENOMEM, "internal", "The server is out of memory.");
	c->out = c->called = true;
	c->state = CALL_STARTING;
	snprintf(c->room, sizeof(c->room), "%s", g->cdr.room);
	snprintf(c->name, sizeof(c->name), "%.256s", name);
	if (!protocol_name_valid(c->name))
		snprintf(c->name, sizeof(c->name), "Phone");
	snprintf(c->cdr.number, sizeof(c->cdr.number), "%s", g->cdr.number);
	snprintf(c->cdr.uri, sizeof(c->cdr.uri), "%.256s", t->uri);
	snprintf(c->cdr.user, sizeof(c->cdr.user), "%s", g->cdr.user);
	snprintf(c->peer, sizeof(c->peer), "%.63s", t->uri);
	c->srtp = t->srtp;
	c->plain = t->plain;
	sip_media_want_srtp(c->media, t->srtp);
	call_hold(c);
	c->group = g;
	g->calls[g->n++] = c;
	c->dialog = side->dialog_new(side->obj, c, t, display);
	if (!c->dialog)
		err = errmsg_set(why, -ESHUTDOWN, "shutting_down", "The server is shutting down.");
	if (!err && side->ports_new)
		err = side->ports_new(side->obj, t->local, &c->ports, why);
	if (!err)
		err = call_enter_parlour(c, why);
	if (err && call_alive(c))
		call_end(c, SIP_END_FAILED, 0, why->text);
	call_release(c);
	return err;
}

ON_THREAD(ROLE_CTL) static void open_record(struct sip_dial_group *g,
					    const struct sip_dial_req *req,
					    const char *number, const struct sip_target *t)
{
	const struct sip_cdr_sink *sink = g->set->side.cdr;

	g->cdr.out = true;
	g->cdr.started_ms = clock_wall_ns() / NS_PER_MS;
	snprintf(g->cdr.room, sizeof(g->cdr.room), "%s", req->room);
	snprintf(g->cdr.uri, sizeof(g->cdr.uri), "%.256s", t->uri);
	if (!strchr(number, '@'))
		snprintf(g->cdr.number, sizeof(g->cdr.number), "%.64s", number);
	snprintf(g->cdr.user, sizeof(g->cdr.user), "%.64s", req->by ? req->by : "");
	snprintf(g->cdr.trunk, sizeof(g->cdr.trunk), "%s", t->trunk);
	if (sink)
		sink->begin(sink->ctx, &g->cdr);
	if (!g->cdr.id)
		g->cdr.id = ++g->set->last_id;
}

static int check_dial(struct sip_call_set *s, const struct sip_dial_req *req, struct errmsg *why)
{
	if (s->stopping || !s->side.route)
		return errmsg_set(why, -ESHUTDOWN, "shutting_down", "The server is shutting down.");
	if (ringing_in(s, req->room) >= SIP_DIALS_PER_ROOM)
		return errmsg_set(why, -EBUSY, "too_many_calls", "%d phones ring for this room already. "
				  "Wait until some have answered.", SIP_DIALS_PER_ROOM);
	if (s->side.max_calls && s->calls->len >= s->side.max_calls)
		return errmsg_set(why, -EBUSY, "too_many_calls", "The server has %u calls and makes no "
				  "more. Try again later.", s->calls->len);
	return 0;
}

int call_dial(struct sip_call_set *s, const struct sip_dial_req *req, sip_dial_cb *cb, void *obj,
	      int64_t *id, struct errmsg *why)
{
	struct sip_target to[SIP_MAX_TARGETS];
	char number[PHONE_NUMBER_BYTES];
	int n = check_dial(s, req, why);

	if (n)
		return n;
	n = s->side.route(s->side.obj, req->to, req->trunk, to, SIP_MAX_TARGETS, why);
	if (n <= 0)
		return n ? n : errmsg_set(why, -ENOENT, "dial_invalid", "There is no way to \"%s\".",
					  req->to);
	struct sip_dial_group *g = calloc(1, sizeof(*g));
	if (!g)
		return errmsg_set(why, -ENOMEM, "internal", "The server is out of memory.");
	g->set = s;
	g->state = SIP_DIAL_CALLING;
	g->until_ns = call_now_ns(s) + SIP_RING_S * NS_PER_S;
	snprintf(g->digits, sizeof(g->digits), "%s", req->digits ? req->digits : "");
	g_ptr_array_add(s->groups, g);
	phone_number_plain(number, req->to);
	open_record(g, req, number, &to[0]);
	metric_add(&m_out, 1);
	*id = g->cdr.id;
	g->cb = cb;
	g->obj = obj;
	for (int i = 0; i < n; i++)
		(void)begin_call(g, &to[i], req->by ? req->by : "",
				 req->name && *req->name ? req->name : number, why);
	explicit_bzero(to, sizeof(to));
	g->began = true; /* an end so soon is told at the next tick */
	return 0;
}
