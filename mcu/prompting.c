/* Announcements to one leg, and its DTMF digits. */
#include "mcu/conference_priv.h"

#include <errno.h>
#include <string.h>

int prompting_play(void *ctx, struct leg_handle *p, const struct prompt_req *req,
		   struct errmsg *why)
{
	(void)ctx;
	(void)p;
	role_assert_ctl();
	if (!req->n)
		return 0;
	return errmsg_set(why, -ENOENT, "prompt_unknown", "There is no announcement \"%s\".",
			  req->names[0]);
}

int prompting_digits(void *ctx, struct leg_handle *p, const char *digits, struct errmsg *why)
{
	(void)ctx;
	(void)p;
	(void)digits;
	role_assert_ctl();
	return errmsg_set(why, -ENOTSUP, "not_acceptable", "It takes no DTMF digits.");
}

void prompting_digit_in(void *ctx, struct leg_handle *p, char digit)
{
	struct leg_event ev = { .type = LEG_EVENT_DIGIT, .u.digit = digit };

	(void)ctx;
	role_assert_ctl();
	if (!strchr("0123456789*#ABCD", digit) || !digit)
		return;
	p->ev->event(p->obj, &ev);
	leg_event_clear(&ev);
}
