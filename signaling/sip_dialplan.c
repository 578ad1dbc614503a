#include "signaling/sip_dialplan.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <sofia-sip/sip_status.h>
#include <sofia-sip/su_tag.h>
#include <sofia-sip/url.h>

/* url_host without the brackets of IPv6. */
static void plain_host(const url_t *url, char out[256])
{
	const char *host = url->url_type == url_tel || !url->url_host ? "" : url->url_host;
	size_t len = strlen(host);

	if (len > 1 && host[0] == '[' && host[len - 1] == ']') {
		host++;
		len -= 2;
	}
	snprintf(out, 256, "%.*s", (int)(len < 255 ? len : 255), host);
}

static enum sip_want want_of(const struct sip_route_cfg *r, const url_t *url,
			     char room[SIP_ROOM_MAX + 1])
{
	char host[256];

	plain_host(url, host);
	return sip_route_in(r, url->url_user, host, room);
}

enum sip_want sip_target_here(struct sip *s, const url_t *url, char room[SIP_ROOM_MAX + 1])
{
	struct sip_route_cfg r = { .domain = sip_config(s)->domain,
				   .bridge = sip_config(s)->bridge };

	return want_of(&r, url, room);
}

bool sip_dialplan_is_here(struct sip *s, const url_t *url)
{
	struct sip_route_cfg r = { .domain = sip_config(s)->domain };
	char host[256];

	plain_host(url, host);
	return sip_route_is_here(&r, host);
}

bool sip_dialplan_arrival(const struct sip_event *ev, struct sip_arrival *out)
{
	struct sip_route_cfg r = { .domain = sip_config(ev->sip)->domain,
				   .bridge = sip_config(ev->sip)->bridge };

	memset(out, 0, sizeof *out);
	sip_event_source(ev, &out->from);
	out->want = want_of(&r, ev->msg->sip_request->rq_url, out->room);
	if (out->want != SIP_WANT_NOTHING)
		return true;
	nua_respond(ev->nh, SIP_404_NOT_FOUND, TAG_END());
	nua_handle_destroy(ev->nh);
	return false;
}

static int to_uri(const char *to, struct sip_target *out)
{
	bool scheme = !strncasecmp(to, "sip:", 4) || !strncasecmp(to, "sips:", 5);
	const char *host = scheme ? strchr(to, ':') + 1 : strchr(to, '@');

	if (!host || !*host || strpbrk(to, " <>\"\r\n\t") || strlen(to) + 5 > sizeof out->uri)
		return -EINVAL;
	snprintf(out->uri, sizeof out->uri, "%s%s", scheme ? "" : "sip:", to);
	return 1;
}

int sip_targets(struct sip *s, const char *to, const char *trunk, struct sip_target *out,
		size_t max, struct errmsg *why)
{
	(void)s;
	(void)trunk;
	memset(out, 0, max * sizeof *out);
	if (max && to_uri(to, out) == 1)
		return 1;
	return errmsg_set(why, -EINVAL, "dial_invalid", "This cannot be called: give a SIP address "
			  "(sip:name@host), a number or a user's name.");
}
