/* What talks to a caller: where a call has to do with announcements and digits. */
#include "signaling/sip_call_priv.h"

#include <string.h>

/* Plays to the call's own leg; what cannot be played is not missed. */
ON_THREAD(ROLE_CTL) static void play(struct sip_call *c, const char *name, bool loop)
{
	const struct sip_calls_side *side = &c->set->side;
	const struct prompt_req req = { .names = &name, .n = 1, .loop = loop, .replace = true };
	struct errmsg why;

	if (side->api->prompt && c->active && c->active->h)
		(void)side->api->prompt(side->api_ctx, c->active->h, &req, &why);
}

void call_guide_start(struct sip_call *c)
{
	if (c->out)
		return;
	if (c->joining && c->joining->waiting)
		play(c, "wait_lobby", false);
	else
		play(c, c->guide_why == CALL_GUIDE_PIN ? "enter_pin" : "welcome", false);
}

void call_guide_event(struct sip_call *c, const struct leg_event *ev)
{
	(void)c;
	(void)ev;
}

bool call_guide_refused(struct sip_call *c, const struct errmsg *why)
{
	(void)c;
	(void)why;
	return false;
}

void call_guide_entered(struct sip_call *c)
{
	(void)c;
}

void call_guide_stop(struct sip_call *c)
{
	c->guide = NULL;
}
