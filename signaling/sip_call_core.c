#include "signaling/sip_call_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/base/log.h"
#include "mcu/base/metrics.h"

METRIC_COUNTER(m_in, "mcu_sip_calls_total", "Calls that came and were not refused at once");
METRIC_COUNTER(m_refused, "mcu_sip_calls_refused_total", "Calls that came and were refused");

/* --- life ---------------------------------------------------------------------- */

struct sip_call *call_new(struct sip_call_set *s)
{
	struct sip_call *c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	if (sip_media_new(&c->media, &call_media_side, c)) {
		free(c);
		return NULL;
	}
	c->set = s;
	c->leg[0].call = c->leg[1].call = c;
	g_ptr_array_add(s->calls, c);
	return c;
}

static void call_free(struct sip_call *c)
{
	sip_media_free(&c->media);
	free(c->offer);
	explicit_bzero(c->pin, sizeof(c->pin));
	free(c);
}

void call_hold(struct sip_call *c)
{
	c->holds++;
}

void call_release(struct sip_call *c)
{
	if (--c->holds || c->state != CALL_OVER)
		return;
	g_ptr_array_remove(c->set->calls, c);
	call_free(c);
}

/* Sockets and legs go at once; the dialog may take its time to end. */
void call_let_go(struct sip_call *c, enum leave_reason reason)
{
	const struct sip_calls_side *side = &c->set->side;

	call_guide_stop(c);
	call_leave_legs(c, reason);
	call_refer_forget(c);
	if (c->ports)
		side->ports_free(side->obj, &c->ports);
	c->ports = NULL;
}

void call_finish(struct sip_call *c)
{
	void *dialog = c->dialog;

	if (c->state == CALL_OVER)
		return;
	c->state = CALL_OVER;
	call_let_go(c, LEAVE_LOST);
	c->dialog = NULL;
	if (dialog)
		c->set->ops->done(dialog);
}

/* --- answers ------------------------------------------------------------------------ */

/* What a refusal of the rooms is in SIP. */
int call_status(int err, const struct errmsg *why)
{
	static const struct {
		const char *code;
		int status;
	} known[] = {
		{ "room_unknown", 404 },      { "room_name_invalid", 404 },
		{ "room_full", 486 },	      { "too_many_from_address", 486 },
		{ "room_locked", 403 },	      { "members_only", 403 },
		{ "pin_required", 403 },      { "pin_wrong", 403 },
		{ "not_allowed", 403 },	      { "refused", 603 },
		{ "lobby", 403 },	      { "bad_sdp", 400 },
		{ "no_common_codec", 488 },   { "not_acceptable", 488 },
		{ "rate_limited", 503 },      { "busy", 503 },
		{ "server_full", 503 },	      { "overload", 503 },
		{ "overloaded", 503 },	      { "shutting_down", 503 },
		{ "room_too_large", 486 },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(why->code, known[i].code))
			return known[i].status;
	switch (err) {
	case -ENOENT: return 404;
	case -EUSERS: return 486;
	case -EACCES: return 403;
	case -EBUSY:
	case -EAGAIN:
	case -ENOBUFS:
	case -ESHUTDOWN: return 503;
	default: return 500;
	}
}

static struct sip_reply refusal(int err, const struct errmsg *why)
{
	struct sip_reply r = { .status = call_status(err, why), .warning = why->text };

	if (r.status == 503)
		r.retry_after_s = 10;
	if (r.status == 500)
		r.retry_after_s = 0;
	return r;
}

void call_refuse(struct sip_call *c, int err, const struct errmsg *why)
{
	struct sip_reply r = refusal(err, why);

	metric_add(&m_refused, 1);
	c->cdr.sip_status = r.status;
	c->state = CALL_ENDING;
	call_due_in(c, &c->dead_ns, SIP_CANCEL_S * NS_PER_S);
	log_info(NULL, "call of %s refused with %d: %s", c->peer, r.status, why->text);
	call_record_end(c, r.status == 486 ? SIP_END_BUSY : SIP_END_REJECTED, why->text);
	call_let_go(c, LEAVE_ERROR);
	c->set->ops->respond(c->dialog, &r);
}

static void gather(struct sip_call *c, bool waits)
{
	c->gather_ns = 0;
	if (waits)
		call_due_in(c, &c->gather_ns, SIP_GATHER_MS * NS_PER_MS);
}

/* sdp NULL: it is not complete yet. */
ON_THREAD(ROLE_CTL) static void answer_with(struct sip_call *c, int err, const char *sdp,
					    const struct errmsg *why)
{
	if (!call_alive(c))
		return;
	if (err) {
		call_refuse(c, err, why);
		return;
	}
	gather(c, !sdp);
	if (!sdp)
		return;
	c->late = !c->offer[0];
	c->state = CALL_ANSWERED;
	call_record_answered(c);
	c->set->ops->respond(c->dialog, &(struct sip_reply){ .status = 200, .sdp = sdp });
}

void call_answer(struct sip_call *c)
{
	struct errmsg why = { .code = "" };
	const char *sdp = NULL;
	int err;

	if (c->offer[0])
		err = sip_media_answer(c->media, c->offer, strlen(c->offer), &sdp, &why);
	else
		err = sip_media_offer(c->media, &sdp, &why);
	answer_with(c, err, sdp, &why);
}

/* "SIP;cause=…" or "Q.850;cause=…" of what we end (RFC 3326). */
static void reason_header(char *out, size_t cap, enum sip_end end, const char *text)
{
	const char *what = "Q.850;cause=16";

	switch (end) {
	case SIP_END_SILENT: what = "Q.850;cause=31"; break;
	case SIP_END_SHUTDOWN: what = "Q.850;cause=41"; break;
	case SIP_END_FAILED: what = "SIP;cause=488"; break;
	case SIP_END_TIMER: what = "SIP;cause=408"; break;
	case SIP_END_NO_ANSWER: what = "Q.850;cause=19"; break;
	case SIP_END_NONE:
	case SIP_END_HANGUP:
	case SIP_END_HANGUP_LOCAL:
	case SIP_END_CANCELLED:
	case SIP_END_BUSY:
	case SIP_END_REJECTED:
	case SIP_END_TRANSFERRED: break;
	}
	int n = snprintf(out, cap, "%s;text=\"", what);
	for (const char *p = text && *text ? text : sip_end_name(end); *p && n < (int)cap - 3; p++)
		if (*p != '"' && *p != '\\' && (unsigned char)*p >= ' ' && (unsigned char)*p < 127)
			out[n++] = *p;
	snprintf(out + n, cap - (size_t)n, "\"");
}

/* What a refusal's status says of an end before the answer. */
void call_end(struct sip_call *c, enum sip_end end, int status, const char *text)
{
	const struct sip_dialog_ops *ops = c->set->ops;
	enum call_state was = c->state;
	char reason[192];

	if (!call_alive(c))
		return;
	call_hold(c);
	reason_header(reason, sizeof(reason), end, text);
	c->state = CALL_ENDING;
	call_due_in(c, &c->dead_ns, SIP_CANCEL_S * NS_PER_S);
	if (was == CALL_ARRIVING)
		c->cdr.sip_status = status;
	call_let_go(c, end == SIP_END_SHUTDOWN ? LEAVE_SHUTDOWN : LEAVE_LEFT);
	call_record_end(c, end, text);
	switch (was) {
	case CALL_ARRIVING: {
		struct sip_reply r = { .status = status, .reason = reason,
				       .retry_after_s = status == 503 ? 10 : 0 };
		ops->respond(c->dialog, &r);
		break;
	}
	case CALL_STARTING: call_finish(c); break;
	case CALL_DIALING: ops->cancel(c->dialog, reason); break;
	case CALL_ANSWERED:
	case CALL_UP: ops->bye(c->dialog, reason); break;
	case CALL_ENDING:
	case CALL_OVER: break;
	}
	if (c->group)
		call_out_ended(c, end, status, text);
	call_release(c);
}

/* --- it comes ----------------------------------------------------------------------- */

static int fill(struct sip_call *c, const struct sip_call_start *start, struct errmsg *why)
{
	const struct sip_calls_side *side = &c->set->side;

	c->dialog = start->dialog;
	c->state = CALL_ARRIVING;
	c->tls = start->tls;
	sip_media_want_srtp(c->media, c->tls); /* where the offer is ours */
	snprintf(c->peer, sizeof(c->peer), "%s", start->peer);
	snprintf(c->room, sizeof(c->room), "%s", start->room);
	snprintf(c->name, sizeof(c->name), "%s", start->name);
	snprintf(c->user, sizeof(c->user), "%s", start->user ? start->user : "");
	c->offer = start->sdp ? strndup(start->sdp, start->sdp_len) : strdup("");
	if (!c->offer)
		return errmsg_set(why, -ENOMEM, "internal", "The server is out of memory.");
	if (!side->ports_new)
		return 0;
	int err = side->ports_new(side->obj, start->local, &c->ports, why);
	if (!err) /* an INVITE may come from anywhere, its ACK from who got the answer */
		side->ports_withhold(side->obj, c->ports, true);
	return err;
}

int sip_call_take(struct sip_call_set *s, const struct sip_call_start *start,
		  struct sip_call **at, struct sip_reply *r, struct errmsg *why)
{
	int err = call_limits_in(s, start, why);
	struct sip_call *c = err ? NULL : call_new(s);

	if (!err && !c)
		err = errmsg_set(why, -ENOMEM, "internal", "The server is out of memory.");
	if (!err)
		err = fill(c, start, why);
	if (err) {
		metric_add(&m_refused, 1);
		*r = refusal(err, why);
		if (c) {
			g_ptr_array_remove(s->calls, c);
			call_free(c);
		}
		return err;
	}
	*at = c;
	metric_add(&m_in, 1);
	call_hold(c);
	call_record_begin(c, start);
	if (start->reliable)
		s->ops->respond(c->dialog, &(struct sip_reply){ .status = 180 });
	err = c->room[0] ? call_enter_room(c, c->room, why) : call_enter_parlour(c, why);
	if (err && call_alive(c))
		call_turned_away(c, err, why);
	call_release(c);
	return 0;
}

/* --- what the dialog says ------------------------------------------------------------- */

ON_THREAD(ROLE_CTL) static void answer_again_with(struct sip_call *c, int err, struct sip_reply *r,
						  const struct errmsg *why)
{
	if (!call_alive(c))
		return;
	if (err) {
		*r = refusal(err, why);
		if (r->status >= 500) /* the call goes on as it was */
			r->status = 488;
		r->retry_after_s = 0;
	}
	gather(c, !err && !r->sdp);
	if (!c->gather_ns)
		c->set->ops->respond(c->dialog, r);
}

void call_gathered(struct sip_call *c)
{
	struct errmsg why = { .code = "" };
	struct sip_reply r = { .status = 200 };

	if (!c->gather_ns || !call_alive(c))
		return;
	c->gather_ns = 0;
	if (!sip_media_waits(c->media)) {
		call_try_reoffer(c);
		return;
	}
	call_hold(c);
	int err = sip_media_complete(c->media, &r.sdp, &why);
	if (c->state == CALL_ARRIVING)
		answer_with(c, err, r.sdp, &why);
	else
		answer_again_with(c, err, &r, &why);
	call_release(c);
}

/* An offer while the call is up; the plan goes to the leg at once. */
ON_THREAD(ROLE_CTL) static void answer_again(struct sip_call *c, const char *sdp, size_t len)
{
	struct errmsg why = { .code = "" };
	struct sip_reply r = { .status = 200 };

	if (c->reinviting || c->gather_ns || sip_media_offered(c->media)) {
		c->set->ops->respond(c->dialog, &(struct sip_reply){ .status = 491 });
		return;
	}
	int err = sip_media_answer(c->media, sdp, len, &r.sdp, &why);
	answer_again_with(c, err, &r, &why);
}

void sip_call_reinvite(struct sip_call *c, const char *sdp, size_t len)
{
	struct errmsg why = { .code = "" };
	struct sip_reply r = { .status = 200 };

	if (!call_alive(c))
		return; /* nua answers 481 */
	call_hold(c);
	if (sdp) {
		answer_again(c, sdp, len);
	} else if (c->reinviting || c->gather_ns) {
		c->set->ops->respond(c->dialog, &(struct sip_reply){ .status = 491 });
	} else {
		int err = sip_media_offer(c->media, &r.sdp, &why);
		if (err)
			r = (struct sip_reply){ .status = 488, .warning = why.text };
		else
			c->late = true;
		if (call_alive(c))
			c->set->ops->respond(c->dialog, &r);
	}
	call_release(c);
}

void sip_call_update(struct sip_call *c, const char *sdp, size_t len)
{
	if (!call_alive(c))
		return;
	call_hold(c);
	c->updating = true;
	if (sdp)
		answer_again(c, sdp, len);
	else /* it refreshes the session */
		c->set->ops->respond(c->dialog, &(struct sip_reply){ .status = 200 });
	c->updating = false;
	call_release(c);
}

void sip_call_acked(struct sip_call *c, const char *sdp, size_t len)
{
	struct errmsg why = { .code = "" };
	bool first = c->state == CALL_ANSWERED;
	int err = 0;

	if (!call_alive(c))
		return;
	call_hold(c);
	if (first && c->ports)
		c->set->side.ports_withhold(c->set->side.obj, c->ports, false);
	if (c->late && sdp)
		err = sip_media_accept(c->media, sdp, len, true, &why);
	else if (c->late && first)
		err = errmsg_set(&why, -EINVAL, "bad_sdp", "ACK has no answer to the offer.");
	else
		sip_media_drop_offer(c->media); /* a refresh without an answer */
	c->late = false;
	if (err && call_alive(c)) {
		log_info(NULL, "call of %s: %s", c->peer, why.text);
		call_end(c, SIP_END_FAILED, 488, why.text);
	} else if (call_alive(c)) {
		if (first)
			c->state = CALL_UP;
		call_try_reoffer(c);
	}
	call_release(c);
}

void sip_call_cancelled(struct sip_call *c, const char *reason)
{
	if (!call_alive(c))
		return;
	call_hold(c);
	c->state = CALL_ENDING;
	call_due_in(c, &c->dead_ns, SIP_CANCEL_S * NS_PER_S);
	c->cdr.sip_status = 487;
	call_let_go(c, LEAVE_LEFT);
	call_record_end(c, SIP_END_CANCELLED, reason);
	call_release(c);
}

void sip_call_bye(struct sip_call *c, const char *reason)
{
	if (!call_alive(c))
		return;
	call_hold(c);
	c->state = CALL_ENDING;
	call_due_in(c, &c->dead_ns, SIP_CANCEL_S * NS_PER_S);
	call_let_go(c, LEAVE_LEFT);
	call_record_end(c, SIP_END_HANGUP, reason);
	if (c->group)
		call_out_ended(c, SIP_END_HANGUP, 0, reason);
	call_release(c);
}

void sip_call_over(struct sip_call *c, enum sip_end end, const char *reason)
{
	bool alive = call_alive(c);

	call_hold(c);
	if (alive) {
		c->state = CALL_ENDING;
		call_let_go(c, LEAVE_LOST);
		call_record_end(c, end, reason);
		if (c->group)
			call_out_ended(c, end, 0, reason);
	}
	call_finish(c);
	call_release(c);
}

void call_renew(struct sip_call *c)
{
	c->reoffer = true;
	c->late = false; /* the answer that ACK has is to another leg */
	gather(c, !c->active->gathered);
	call_try_reoffer(c);
}

/* --- our re-INVITE ------------------------------------------------------------------------ */

void call_try_reoffer(struct sip_call *c)
{
	struct errmsg why = { .code = "" };
	const char *sdp;

	if (!c->reoffer || c->state != CALL_UP || c->reinviting || sip_media_offered(c->media) ||
	    c->retry_ns || c->gather_ns || !sip_media_plan(c->media))
		return;
	c->reoffer = false;
	int err = sip_media_offer(c->media, &sdp, &why);
	if (err) {
		log_warn(NULL, "no offer to %s: %s", c->peer, why.text);
		return;
	}
	if (!call_alive(c))
		return;
	c->reinviting = true;
	c->set->ops->invite(c->dialog, sdp);
}
