#include "signaling/sip_dialplan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sofia-sip/sip_status.h>
#include <sofia-sip/su_tag.h>
#include <sofia-sip/url.h>

#include "signaling/sip_registrar.h"
#include "signaling/sip_trunk.h"

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

/* --- in ------------------------------------------------------------------------------ */

/* A request that we have sent has come back (RFC 3261, 16.3, as of a proxy). */
static bool is_loop(const struct sip_event *ev, const struct sip_arrival *in) ON_THREAD(ROLE_CTL)
{
	for (const sip_via_t *v = ev->msg->sip_via; v; v = v->v_next) {
		int port = v->v_port ? atoi(v->v_port) : 5060;

		if (v->v_host && !strcmp(v->v_host, in->from.local) &&
		    (port == sip_port(ev->sip) || port == sip_tls_port(ev->sip)))
			return true;
	}
	return false;
}

/* Who says to be one of our users has to show it; and where nobody else may call, so has
 * everybody. */
static bool must_show(const struct sip_event *ev) ON_THREAD(ROLE_CTL)
{
	const sip_t *msg = ev->msg;
	const url_t *from = msg->sip_from->a_url;

	return sip_config(ev->sip)->known_only ||
	       (from->url_user && sip_dialplan_is_here(ev->sip, from) &&
		sip_has_user(ev->sip, from->url_user));
}

/* A telephone whose Contact is not where it speaks from is behind a NAT; one that came by
 * TCP or TLS is reached by its connection. */
static void find_route(const struct sip_event *ev, struct sip_arrival *in)
{
	const sip_contact_t *m = ev->msg->sip_contact;
	char host[256];

	if (!m || ev->msg->sip_record_route)
		return;
	plain_host(m->m_url, host);
	if (in->from.transport != SIP_UDP || strcmp(host, in->from.address))
		sip_registrar_route(&in->from, in->route);
}

ON_THREAD(ROLE_CTL) static enum sip_want want_by_trunk(const struct sip_event *ev,
						       const struct sip_trunk_cfg *t,
						       struct sip_arrival *out)
{
	struct sip_route_cfg r = { .domain = "", .bridge = sip_config(ev->sip)->bridge,
				   .dids = t->numbers, .n_dids = t->n_numbers, .trunk = true };
	const url_t *url = ev->msg->sip_request->rq_url;

	snprintf(out->trunk, sizeof out->trunk, "%s", t->name);
	/* Some name the account and say the number that was dialled in To. */
	if (url->url_user && !strcmp(url->url_user, t->user) && !sip_route_has_number(&r, t->user)) {
		if (!ev->msg->sip_to->a_url->url_user ||
		    !sip_route_has_number(&r, ev->msg->sip_to->a_url->url_user))
			return SIP_WANT_BRIDGE;
		url = ev->msg->sip_to->a_url;
	}
	return want_of(&r, url, out->room);
}

bool sip_dialplan_arrival(const struct sip_event *ev, struct sip_arrival *out)
{
	struct sip_route_cfg r = { .domain = sip_config(ev->sip)->domain,
				   .bridge = sip_config(ev->sip)->bridge };
	const struct sip_trunk_cfg *t;

	memset(out, 0, sizeof *out);
	sip_event_source(ev, &out->from);
	if (is_loop(ev, out)) {
		sip_refuse(ev, SIP_482_LOOP_DETECTED, NULL);
		return false;
	}
	t = sip_trunks_of_source(sip_parts(ev->sip)->trunks, out->from.address,
				 ev->msg->sip_request->rq_url->url_user);
	if (t)
		out->want = want_by_trunk(ev, t, out);
	else if ((ev->event == nua_i_refer || must_show(ev)) &&
		 !sip_registrar_authenticate(ev, &out->from, out->user))
		return false;
	else
		out->want = want_of(&r, ev->msg->sip_request->rq_url, out->room);
	find_route(ev, out);
	if (out->want != SIP_WANT_NOTHING)
		return true;
	sip_refuse(ev, SIP_404_NOT_FOUND, NULL);
	return false;
}

/* --- out ----------------------------------------------------------------------------- */

static bool to_uri(const char *to, struct sip_target *out)
{
	bool scheme = !strncasecmp(to, "sip:", 4) || !strncasecmp(to, "sips:", 5);
	const char *host = scheme ? strchr(to, ':') + 1 : strchr(to, '@');

	if (!host || !*host || strpbrk(to, " <>\"\r\n\t") || strlen(to) + 5 > sizeof out->uri)
		return false;
	snprintf(out->uri, sizeof out->uri, "%s%s", scheme ? "" : "sip:", to);
	return true;
}

static const char *host_in(const char *uri)
{
	const char *at = strchr(uri, '@');

	return at ? at + 1 : strchr(uri, ':') + 1;
}

static bool same_host(const char *a, const char *b)
{
	size_t n;

	a = host_in(a);
	b = host_in(b);
	n = *a == '[' ? strcspn(a, "]") : strcspn(a, ":;?");
	return n == (*b == '[' ? strcspn(b, "]") : strcspn(b, ":;?")) && !strncasecmp(a, b, n);
}

/* All telephones of a user. */
ON_THREAD(ROLE_CTL) static int phones_of(struct sip *s, const char *user, struct sip_target *out,
					 size_t max, struct errmsg *why)
{
	const struct sip_binding *b;
	size_t n = sip_phones(s, user, &b), used = n < max ? n : max;

	for (size_t i = 0; i < used; i++) {
		const char *route = b[i].path[0] ? b[i].path : b[i].route;
		snprintf(out[i].uri, sizeof out[i].uri, "%s", b[i].uri);
		/* Where its Contact is where it spoke from, its port counts. */
		if (b[i].path[0] || !same_host(b[i].uri, b[i].route) ||
		    !strstr(b[i].route, "transport=udp"))
			snprintf(out[i].route, sizeof out[i].route, "%s", route);
		sip_local_towards(s, host_in(b[i].route), out[i].local);
	}
	if (used)
		return (int)used;
	return errmsg_set(why, -ENOENT, "dial_not_registered", "None of this user's telephones is "
			  "registered.");
}

/* Whether uri (of to_uri) names somebody at this server: at its domain, or at an address
 * and port of its own. user gets who. */
ON_THREAD(ROLE_CTL) static bool is_here(struct sip *s, const char *uri, char user[SIP_USER_MAX + 1])
{
	const char *name = strchr(uri, ':') + 1, *at = strchr(name, '@'), *host = host_in(uri);
	const char *domain = sip_config(s)->domain;
	const char *end = *host == '[' ? strchr(host, ']') : NULL;
	size_t n = end ? (size_t)(end + 1 - host) : strcspn(host, ":;?");
	char bare[64], local[64];
	int port = host[n] == ':' ? atoi(host + n + 1) : 5060;
	bool bracket = end != NULL;

	if (!at || (size_t)(at - name) > SIP_USER_MAX || n >= sizeof bare || (bracket && n < 3))
		return false;
	snprintf(user, SIP_USER_MAX + 1, "%.*s", (int)(at - name), name);
	if (*domain && strlen(domain) == n && !strncasecmp(host, domain, n))
		return true;
	snprintf(bare, sizeof bare, "%.*s", (int)(bracket ? n - 2 : n), host + bracket);
	sip_local_towards(s, bare, local);
	return !strcmp(bare, local) && (port == sip_port(s) || port == sip_tls_port(s));
}

int sip_targets(struct sip *s, const char *to, const char *trunk, struct sip_target *out,
		size_t max, struct errmsg *why)
{
	char number[64], user[SIP_USER_MAX + 1];
	int err;

	memset(out, 0, max * sizeof *out);
	if (!max)
		return -EINVAL;
	if (!trunk && sip_has_user(s, to))
		return phones_of(s, to, out, max, why);
	if (to_uri(to, out)) {
		if (!trunk && is_here(s, out->uri, user) && sip_has_user(s, user)) {
			memset(out, 0, sizeof *out);
			return phones_of(s, user, out, max, why);
		}
		sip_local_towards(s, host_in(out->uri), out->local);
		return 1;
	}
	if (sip_route_number(to, number, sizeof number)) {
		err = sip_trunks_target(sip_parts(s)->trunks, trunk, number, out, why);
		return err ? err : 1;
	}
	return errmsg_set(why, -EINVAL, "dial_invalid", "This cannot be called: give a SIP address "
			  "(sip:name@host), a number or a user's name.");
}
