#include "signaling/sip_call.h"

#include <errno.h>
#include <stdlib.h>

#include <sofia-sip/sip_status.h>
#include <sofia-sip/su_tag.h>

struct sip_calls {
	struct sip *sip;
	const struct room_api *api;
	void *ctx;
};

int sip_calls_new(struct sip_calls **out, struct sip *sip, const struct room_api *api, void *ctx)
{
	struct sip_calls *c = calloc(1, sizeof *c);

	if (!c)
		return -ENOMEM;
	*c = (struct sip_calls){ .sip = sip, .api = api, .ctx = ctx };
	*out = c;
	return 0;
}

void sip_call_incoming(struct sip_calls *c, const struct sip_event *ev,
		       const struct sip_arrival *in)
{
	(void)c;
	(void)in;
	nua_respond(ev->nh, SIP_480_TEMPORARILY_UNAVAILABLE, TAG_END());
	nua_handle_destroy(ev->nh);
}

void sip_calls_shutdown(struct sip_calls *c)
{
	(void)c;
}

bool sip_calls_idle(const struct sip_calls *c)
{
	(void)c;
	return true;
}

void sip_calls_free(struct sip_calls **c)
{
	free(*c);
	*c = NULL;
}
