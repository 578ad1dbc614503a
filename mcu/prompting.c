/* Announcements to one leg, and its DTMF digits. */
#include "mcu/conference_priv.h"
#include "mcu/prompts.h"
#include "mcu/rtp/telephone_event.h"

#include <errno.h>
#include <string.h>

/* The list is long: it is copied on its way to the audio worker, and made here. */
int prompting_play(void *ctx, struct leg_handle *p, const struct prompt_req *req,
		   struct errmsg *why)
{
	struct conference *c = ctx;
	const char *language = req->language ? req->language : c->cfg.config->sip.language;
	struct prompt_list l = { .id = req->id, .loop = req->loop, .until_digit = req->until_digit };
	const char *missing = "";
	int err;

	role_assert_ctl();
	if (!p->leg)
		return errmsg_set(why, -EAGAIN, "not_joined", "Wait for `welcome` first.");
	if (req->n && c->cfg.prompts)
		l.n = prompts_list(c->cfg.prompts, language, req->names, req->n, l.part, &missing);
	if (req->n && !l.n)
		return errmsg_set(why, -ENOENT, "prompt_unknown", "There is no announcement \"%s\".",
				  missing);
	err = leg_prompt(p->leg, &l, req->replace);
	if (err == -EUSERS)
		return errmsg_set(why, err, "busy", "Too many announcements wait to be heard.");
	return err ? errmsg_set(why, err, "internal", "The server is out of memory.") : 0;
}

int prompting_hear(void *ctx, struct leg_handle *p, float db, struct errmsg *why)
{
	(void)ctx;
	role_assert_ctl();
	if (!p->leg)
		return errmsg_set(why, -EAGAIN, "not_joined", "Wait for `welcome` first.");
	if (leg_set_hearing(p->leg, db))
		return errmsg_set(why, -EINVAL, "bad_message", "The volume is %d to %d dB.",
				  LEG_VOLUME_MIN_DB, LEG_VOLUME_MAX_DB);
	return 0;
}

void prompting_over(void *obj, uint32_t id, bool stopped)
{
	struct leg_event ev = { .type = LEG_EVENT_PROMPT_OVER, .u.prompt_over = { id, stopped } };
	struct leg_handle *p = obj;

	role_assert_ctl();
	p->ev->event(p->obj, &ev);
	leg_event_clear(&ev);
}

/* A chime for all of a room: somebody comes or goes. */
void prompting_chime(struct hall *h, const struct leg_handle *who, const char *name)
{
	const struct conference *c = h->conf;
	const char *when = c->cfg.config->sip.chimes;
	const struct prompt *s;

	if (!c->cfg.prompts || who->playback || !strcmp(when, "none") || h->people->len > CHIME_PEOPLE_MOST ||
	    (!strcmp(when, "phones") && who->kind != LEG_KIND_PHONE))
		return;
	s = prompts_find(c->cfg.prompts, "en", name);
	if (s)
		room_chime(h->room, s);
}

int prompting_digits(void *ctx, struct leg_handle *p, const char *digits, struct errmsg *why)
{
	int err;

	(void)ctx;
	role_assert_ctl();
	err = p->leg ? leg_send_digits(p->leg, digits) : -ENOTSUP;
	if (err == -EINVAL)
		return errmsg_set(why, err, "bad_message", "DTMF digits are 0 to 9, *, #, A to D, and a "
				  "comma for a pause of a second; at most %d at a time.",
				  TELEPHONE_EVENT_QUEUE);
	if (err == -ENOTSUP)
		return errmsg_set(why, err, "not_acceptable", "It takes no DTMF digits.");
	return err ? errmsg_set(why, err, "internal", "The server is out of memory.") : 0;
}

void prompting_digit(void *obj, char digit, enum digit_source from)
{
	struct leg_event ev = { .type = LEG_EVENT_DIGIT, .u.digit = digit };
	struct leg_handle *p = obj;

	role_assert_ctl();
	if (!digit_gate_take(&p->digits, digit, from, clock_now_ns(p->conf->cfg.engine->clock)))
		return;
	if (p->leg)
		leg_prompt_digit(p->leg);
	p->ev->event(p->obj, &ev);
	leg_event_clear(&ev);
}

void prompting_digit_in(void *ctx, struct leg_handle *p, char digit)
{
	(void)ctx;
	role_assert_ctl();
	if (digit && strchr(telephone_event_digits, digit))
		prompting_digit(p, digit, DIGIT_SIGNALED);
}
