/* Transfers (RFC 3515): a phone asks that somebody be called into its room, or to be put
 * into another room. The progress is told by NOTIFY. */
#include "signaling/sip_call_priv.h"

#include <errno.h>
#include <string.h>

#include "mcu/base/log.h"

/* Of whom the phone wants to have called, until that call is over or was refused. */
struct sip_referral {
	struct sip_call *call; /* who asked; NULL: it is over, and nobody is told */
};

int call_refer_status(int err)
{
	switch (err) {
	case 0: return 202;
	case -EINVAL: return 400;
	case -ENOENT: return 404;
	case -EBUSY:
	case -EAGAIN:
	case -ENOMEM:
	case -ESHUTDOWN: return 503;
	default: return 403;
	}
}

void call_refer_forget(struct sip_call *c)
{
	bool asking = c->refer.asking;

	if (c->refer.r)
		c->refer.r->call = NULL; /* whom it called in stays in the room */
	c->refer.r = NULL;
	c->refer.on = c->refer.asking = false;
	if (asking && c->dialog)
		c->set->ops->refer(c->dialog, 487);
}

void call_refer_moved(struct sip_call *c, int status)
{
	if (!c->refer.on)
		return;
	c->refer.on = c->refer.move = false;
	c->set->ops->notify(c->dialog, status, NULL, true);
}

static void on_progress(void *obj, const struct sip_dial_event *ev)
{
	struct sip_referral *r = obj;
	struct sip_call *c = r->call;
	bool over = sip_dial_is_over(ev->state), last = over || ev->state == SIP_DIAL_ANSWERED;
	int status = ev->status ? ev->status : 100;

	role_assert_ctl();
	if (ev->state == SIP_DIAL_ANSWERED)
		status = 200;
	else if (over && status < 300)
		status = 503;
	if (c && last) { /* another may be wished for now */
		c->refer.on = false;
		c->refer.r = NULL;
		r->call = NULL;
	}
	if (c && call_alive(c))
		c->set->ops->notify(c->dialog, status, NULL, last);
	if (over)
		g_free(r);
}

static void on_asked(void *obj, int err, const struct errmsg *why)
{
	struct sip_referral *r = obj;
	struct sip_call *c = r->call;

	role_assert_ctl();
	if (err)
		g_free(r);
	if (!c)
		return;
	c->refer.asking = false;
	if (err) {
		log_info(NULL, "transfer by %s refused: %s", c->peer, why->text);
		c->refer.on = false;
		c->refer.r = NULL;
	}
	c->set->ops->refer(c->dialog, call_refer_status(err));
}

ON_THREAD(ROLE_CTL) static void call_in(struct sip_call *c, const char *to)
{
	struct sip_referral *r = g_new0(struct sip_referral, 1);
	const struct sip_refer_wish wish = {
		.user = c->user, .room = c->room, .to = to, .inside = true,
		.done = on_asked, .progress = on_progress, .obj = r,
	};

	r->call = c;
	c->refer.r = r;
	c->refer.on = c->refer.asking = true;
	c->set->side.refer(c->set->side.obj, &wish);
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
	return c->user[0] && c->set->side.refer ? 202 : 403;
}

void sip_call_refer(struct sip_call *c, const char *to, const char *room)
{
	int status = may_refer(c, room);

	if (status != 202 || room)
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
