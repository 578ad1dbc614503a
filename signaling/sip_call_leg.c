/* The legs of a call in the rooms: one that has its media, and one that is on its way. */
#include "signaling/sip_call_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "signaling/sip_info.h"

static void drop_candidates(struct call_leg *l)
{
	if (l->candidates)
		g_ptr_array_unref(l->candidates);
	l->candidates = NULL;
	l->gathered = false;
}

/* --- the media's side ------------------------------------------------------------ */

static int media_policy(void *obj, bool ice_restart, struct neg_policy *out, struct errmsg *why)
{
	struct sip_call *c = obj;
	const struct sip_calls_side *side = &c->set->side;
	struct call_leg *l = c->active;

	role_assert_ctl();
	if (!l || !l->h)
		return errmsg_set(why, -EAGAIN, "busy", "The call is on its way into a room.");
	if (ice_restart && c->updating)
		return errmsg_set(why, -ENOTSUP, "not_acceptable", "ICE is restarted by INVITE here.");
	int err = side->api->local(side->api_ctx, l->h, ice_restart, out, why);
	if (err)
		return err;
	c->restarting = ice_restart;
	out->candidates = l->candidates ? (const char *const *)l->candidates->pdata : NULL;
	out->n_candidates = l->candidates ? l->candidates->len : 0;
	return 0;
}

static int media_agreed(void *obj, const struct neg_plan *plan, struct errmsg *why)
{
	const struct sip_call *c = obj;
	const struct sip_calls_side *side = &c->set->side;
	struct call_leg *l = c->active;

	role_assert_ctl();
	if (!l || !l->h)
		return errmsg_set(why, -EAGAIN, "busy", "The call is on its way into a room.");
	struct call_leg before = *l;
	if (c->restarting) { /* it gathers again */
		l->candidates = NULL;
		l->gathered = false;
	}
	int err = side->api->negotiated(side->api_ctx, l->h, plan, why);
	if (err && c->restarting) { /* it stays as it was */
		drop_candidates(l);
		l->candidates = before.candidates;
		l->gathered = before.gathered;
	} else if (c->restarting && before.candidates) {
		g_ptr_array_unref(before.candidates);
	}
	return err;
}

static bool media_gathered(void *obj)
{
	const struct sip_call *c = obj;

	role_assert_ctl();
	return c->active && c->active->gathered;
}

const struct sip_media_side call_media_side = { media_policy, media_agreed, media_gathered };

/* --- leaving ---------------------------------------------------------------------- */

static void clear(struct call_leg *l)
{
	struct sip_call *c = l->call;

	if (c->active == l)
		c->active = NULL;
	if (c->joining == l)
		c->joining = NULL;
	drop_candidates(l);
	*l = (struct call_leg){ .call = c };
}

ON_THREAD(ROLE_CTL) static void leave(struct call_leg *l, enum leave_reason reason)
{
	const struct sip_calls_side *side = &l->call->set->side;
	struct leg_handle *h = l->h;

	/* While join() has not returned its result is looked at by who called it. */
	l->h = NULL;
	if (h) {
		side->api->leave(side->api_ctx, h, reason);
		clear(l);
	}
}

void call_leave_legs(struct sip_call *c, enum leave_reason reason)
{
	for (size_t i = 0; i < 2; i++)
		if (c->leg[i].used)
			leave(&c->leg[i], reason);
	c->active = c->joining = NULL;
}

/* --- in ------------------------------------------------------------------------------ */

ON_THREAD(ROLE_CTL) static void moved(struct sip_call *c, struct call_leg *l)
{
	struct errmsg why = { .code = "" };
	struct call_leg *old = c->active;
	bool renew = false;

	if (sip_media_waits(c->media) && c->state != CALL_ARRIVING)
		call_gathered(c); /* with what there is: its candidates go with the old leg */
	c->active = l;
	if (c->joining == l)
		c->joining = NULL;
	if (old)
		leave(old, LEAVE_LEFT);
	/* Of an answer that was not sent yet another is made. */
	if (!call_alive(c) || (c->state == CALL_ARRIVING && sip_media_waits(c->media)))
		return;
	int err = sip_media_moved(c->media, &renew, &why);
	if (err && call_alive(c))
		call_end(c, SIP_END_FAILED, 500, why.text);
	else if (renew && call_alive(c))
		call_renew(c);
}

/* The leg is where it wanted to be, and join() has returned. */
ON_THREAD(ROLE_CTL) static void settle(struct call_leg *l)
{
	struct sip_call *c = l->call;

	if (l->parlour && c->active)
		return;
	if (!l->parlour) {
		snprintf(c->room, sizeof(c->room), "%s", l->room);
		c->called = false; /* into another it comes like everybody */
	}
	moved(c, l);
	if (!call_alive(c))
		return;
	if (c->state == CALL_ARRIVING)
		call_answer(c);
	else if (c->state == CALL_STARTING && l->parlour)
		call_out_ready(c);
	if (call_alive(c) && l->parlour)
		call_guide_start(c);
	if (!call_alive(c) || l->parlour)
		return;
	if (c->group)
		call_out_joined(c, l->id);
	if (call_alive(c))
		call_guide_entered(c);
	if (call_alive(c) && c->refer.on && c->refer.move)
		call_refer_moved(c, 200);
	if (call_alive(c))
		call_try_reoffer(c);
}

static void see_room(struct call_leg *l, const struct welcome_info *w)
{
	l->id = w->leg;
	l->others = (unsigned)(w->n_participants ? w->n_participants - 1 : 0);
	l->paused = w->recording.state == RECORDING_IS_PAUSED;
	l->recorded = w->recording.state == RECORDING_IS_ON || l->paused;
	for (size_t i = 0; i < w->n_participants; i++)
		if (w->participants[i].leg == w->leg)
			l->muted = w->participants[i].audio_muted;
	/* It may have been a number. */
	if (w->room && w->room[0])
		snprintf(l->room, sizeof(l->room), "%s", w->room);
}

static void on_welcome(void *obj, const struct welcome_info *w)
{
	struct call_leg *l = obj;
	struct sip_call *c = l->call;

	role_assert_ctl();
	if (!l->used || !call_alive(c))
		return;
	l->welcomed = true;
	l->waiting = false;
	see_room(l, w);
	if (!l->h)
		return; /* join() goes on with it */
	call_hold(c);
	settle(l);
	call_release(c);
}

/* Somebody has to let it in: it waits where it hears music. */
static void on_lobby(void *obj, const char *text)
{
	struct call_leg *l = obj;
	struct sip_call *c = l->call;
	struct errmsg why = { .code = "" };

	(void)text;
	role_assert_ctl();
	if (!l->used || !call_alive(c))
		return;
	l->waiting = true;
	call_hold(c);
	c->guide_why = CALL_GUIDE_LOBBY;
	int err = 0;
	if (!c->active)
		err = call_enter_parlour(c, &why);
	else if (c->active->parlour)
		call_guide_start(c);
	if (err && call_alive(c))
		call_refuse(c, err, &why);
	call_release(c);
}

static void on_offer_wanted(void *obj)
{
	struct call_leg *l = obj;

	role_assert_ctl();
	if (l != l->call->active)
		return;
	l->call->reoffer = true;
	call_try_reoffer(l->call);
}

/* Nothing trickles in SIP here: an answer waits for them. */
static void on_candidate(void *obj, const char *candidate)
{
	struct call_leg *l = obj;
	struct sip_call *c = l->call;

	role_assert_ctl();
	if (!l->used || !call_alive(c))
		return;
	if (candidate) {
		if (!l->candidates)
			l->candidates = g_ptr_array_new_with_free_func(g_free);
		if (l->candidates->len < SIP_CANDIDATES)
			g_ptr_array_add(l->candidates, g_strdup(candidate));
		return;
	}
	l->gathered = true;
	if (l == c->active)
		call_gathered(c);
}

static void on_event(void *obj, struct leg_event *ev)
{
	struct call_leg *l = obj;
	struct sip_call *c = l->call;

	role_assert_ctl();
	if (l != c->active || !call_alive(c))
		return;
	call_hold(c);
	call_guide_event(c, ev);
	call_release(c);
}

/* RFC 5168, at a rate: a decoder that cannot go on says so again and again. */
static void on_key_frame_wanted(void *obj)
{
	struct call_leg *l = obj;
	struct sip_call *c = l->call;
	int64_t now = call_now_ns(c->set);

	role_assert_ctl();
	if (c->state != CALL_UP || l != c->active || now < c->asked_ns + SIP_ASK_MS * NS_PER_MS)
		return;
	c->asked_ns = now;
	c->set->ops->info(c->dialog, SIP_INFO_PICTURE_TYPE, sip_info_picture);
}

static void on_totals(void *obj, const struct leg_totals *t)
{
	struct call_leg *l = obj;

	role_assert_ctl();
	leg_totals_add(&l->call->cdr.media, t);
}

/* Why a call ends whose leg did. */
static enum sip_end end_of(enum leave_reason reason, const struct errmsg *why)
{
	if (!strcmp(why->code, "connection_lost") || reason == LEAVE_LOST)
		return SIP_END_SILENT;
	if (reason == LEAVE_SHUTDOWN && !strcmp(why->code, "shutting_down"))
		return SIP_END_SHUTDOWN;
	return reason == LEAVE_ERROR ? SIP_END_FAILED : SIP_END_HANGUP_LOCAL;
}

void call_turned_away(struct sip_call *c, int err, const struct errmsg *why)
{
	struct errmsg other = { .code = "" };

	if (c->refer.on && c->refer.move) {
		call_refer_moved(c, call_status(err, why)); /* it stays where it is */
	} else if (c->active && c->active->parlour && !c->out) {
		if (!call_guide_refused(c, why) && call_alive(c))
			call_end(c, SIP_END_REJECTED, 480, why->text);
	} else if (c->state != CALL_ARRIVING) {
		call_end(c, SIP_END_REJECTED, 480, why->text);
	} else if (!strcmp(why->code, "pin_required")) {
		c->guide_why = CALL_GUIDE_PIN;
		err = call_enter_parlour(c, &other);
		if (err && call_alive(c))
			call_refuse(c, err, &other);
	} else {
		call_refuse(c, err, why);
	}
}

static void on_closed(void *obj, enum leave_reason reason, const struct errmsg *why)
{
	struct call_leg *l = obj;
	struct sip_call *c = l->call;
	bool was_active = c->active == l, was_joining = c->joining == l;
	static const struct errmsg none = { .code = "" };

	role_assert_ctl();
	clear(l);
	if (!call_alive(c))
		return;
	if (!why)
		why = &none;
	call_hold(c);
	if (was_joining)
		call_turned_away(c, -EACCES, why);
	else if (was_active && !call_guide_farewell(c, reason))
		call_end(c, end_of(reason, why), 480, why->text);
	call_release(c);
}

static const struct leg_events leg_events = {
	.welcome = on_welcome,
	.lobby = on_lobby,
	.candidate = on_candidate,
	.offer_wanted = on_offer_wanted,
	.event = on_event,
	.closed = on_closed,
	.totals = on_totals,
	.key_frame_wanted = on_key_frame_wanted,
};

static struct call_leg *free_leg(struct sip_call *c)
{
	for (size_t i = 0; i < 2; i++)
		if (!c->leg[i].used)
			return &c->leg[i];
	return NULL;
}

ON_THREAD(ROLE_CTL) static int enter(struct sip_call *c, struct call_leg *l, struct join_req *req,
				     struct errmsg *why)
{
	const struct sip_calls_side *side = &c->set->side;
	struct leg_handle *h = NULL;
	char origin[64];

	req->name = c->name;
	req->peer = c->peer;
	/* Withheld numbers of a trunk together. */
	snprintf(origin, sizeof(origin), "%.40s@%.22s", c->cdr.number, c->cdr.trunk);
	req->origin = c->cdr.trunk[0] ? origin : NULL;
	req->tls = c->tls;
	req->device = true; /* nobody expects the first caller to be the host */
	req->kind = LEG_KIND_PHONE;
	req->number = c->cdr.number[0] ? c->cdr.number : c->cdr.uri;
	req->called = c->called;
	/* What is typed in opens no room, nor does a wish of who was called. */
	req->existing = c->out ? !c->called : c->active && c->active->parlour;
	req->ports = c->ports;
	l->used = true;
	unsigned turn = l->turn = ++c->turns;
	call_hold(c);
	int err = side->api->join(side->api_ctx, req, &leg_events, l, &h, why);
	if (err) {
		clear(l);
	} else if (l->turn != turn) {
		; /* closed() from inside; the place may be taken again */
	} else if (!call_alive(c)) {
		side->api->leave(side->api_ctx, h, LEAVE_LEFT);
		clear(l);
	} else {
		l->h = h;
		if (l->welcomed)
			settle(l);
	}
	call_release(c);
	return err;
}

int call_enter_room(struct sip_call *c, const char *room, struct errmsg *why)
{
	struct call_leg *l = c->joining ? NULL : free_leg(c);
	struct join_req req = { .room = room, .pin = c->pin[0] ? c->pin : NULL };

	if (!l)
		return errmsg_set(why, -EBUSY, "busy", "The call is on its way into another room.");
	snprintf(l->room, sizeof(l->room), "%s", room);
	req.room = l->room;
	c->joining = l;
	return enter(c, l, &req, why);
}

int call_enter_parlour(struct sip_call *c, struct errmsg *why)
{
	struct call_leg *l = free_leg(c);
	struct join_req req = { .room = "", .parlour = true };

	if (!l)
		return errmsg_set(why, -EBUSY, "busy", "The call is on its way into a room.");
	l->parlour = true;
	return enter(c, l, &req, why);
}
