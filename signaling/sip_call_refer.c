/* Transfers (RFC 3515): a phone asks that somebody be called into its room, or to be put
 * into another room. The progress is told by NOTIFY. */
#include "signaling/sip_call_priv.h"

#include <errno.h>
#include <string.h>

#include "mcu/base/log.h"

void call_refer_forget(struct sip_call *c)
{
	int64_t dial = c->refer.dial;

	c->refer.on = false;
	c->refer.dial = 0;
	(void)dial; /* whom it called in stays in the room */
}

void call_refer_moved(struct sip_call *c, int status)
{
	if (!c->refer.on)
		return;
	c->refer.on = c->refer.move = false;
	c->set->ops->notify(c->dialog, status, NULL, true);
}

/* Of whom the phone wants to have called. The call may have ended meanwhile: then
 * nobody is told. */
struct referral {
	struct sip_call_set *set;
	int64_t id;
};

static struct sip_call *referrer(const struct referral *r)
{
	for (guint i = 0; i < r->set->calls->len; i++) {
		struct sip_call *c = g_ptr_array_index(r->set->calls, i);
		if (c->refer.on && c->refer.dial == r->id)
			return c;
	}
	return NULL;
}

static void on_progress(void *obj, const struct sip_dial_event *ev)
{
	struct referral *r = obj;
	struct sip_call *c = referrer(r);
	bool last = ev->state == SIP_DIAL_ANSWERED || sip_dial_is_over(ev->state);
	int status = ev->status ? ev->status : 100;

	role_assert_ctl();
	if (ev->state == SIP_DIAL_ANSWERED)
		status = 200;
	else if (sip_dial_is_over(ev->state) && status < 300)
		status = 503;
	if (c && last)
		c->refer.on = false;
	if (c && call_alive(c))
		c->set->ops->notify(c->dialog, status, NULL, last);
	if (sip_dial_is_over(ev->state))
		g_free(r);
}

ON_THREAD(ROLE_CTL) static void call_in(struct sip_call *c, const char *to)
{
	struct referral *r = g_new0(struct referral, 1);
	struct errmsg why = { .code = "" };
	const struct sip_dial_req req = { .room = c->room, .to = to, .by = c->name };

	r->set = c->set;
	c->refer.on = true;
	int err = call_dial(c->set, &req, on_progress, r, &r->id, &why);
	c->refer.dial = r->id;
	if (!err)
		return;
	log_info(NULL, "transfer by %s refused: %s", c->peer, why.text);
	g_free(r);
	c->refer.on = false;
	c->set->ops->notify(c->dialog, err == -EBUSY ? 503 : 404, NULL, true);
}

ON_THREAD(ROLE_CTL) static void move(struct sip_call *c, const char *room)
{
	struct errmsg why = { .code = "" };

	c->refer.on = c->refer.move = true;
	int err = call_enter_room(c, room, &why);
	if (err && c->refer.on && call_alive(c))
		call_refer_moved(c, call_status(err, &why));
}

/* Whoever has not proved to be somebody must not make us call the world. */
static int may_refer(const struct sip_call *c, const char *room)
{
	if (c->state != CALL_UP)
		return 481;
	if (c->refer.on || c->joining)
		return 491;
	if (!c->active || c->active->parlour)
		return 403;
	if (room)
		return strcmp(room, c->room) ? 202 : 403;
	return c->user[0] ? 202 : 403;
}

void sip_call_refer(struct sip_call *c, const char *to, const char *room)
{
	int status = may_refer(c, room);

	c->set->ops->refer(c->dialog, status);
	if (status != 202)
		return;
	call_hold(c);
	if (room)
		move(c, room);
	else
		call_in(c, to);
	call_release(c);
}
