/* What INFO says to a call: digits, and that a picture is wanted. */
#include "signaling/sip_call_priv.h"

#include "signaling/sip_info.h"

void sip_call_take_info(struct sip_call *c, const char *type, const char *body, size_t len)
{
	const struct sip_calls_side *side = &c->set->side;
	char digit;

	if (!call_alive(c) || !c->active || !c->active->h)
		return;
	call_hold(c);
	digit = sip_info_digit(type, body, len);
	if (digit && side->api->digit_in)
		side->api->digit_in(side->api_ctx, c->active->h, digit);
	else if (sip_info_wants_picture(type, body, len) && side->api->key_frame)
		side->api->key_frame(side->api_ctx, c->active->h);
	call_release(c);
}
