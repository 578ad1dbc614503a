#include "signaling/sip_registrar.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sofia-sip/msg_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/su_string.h>

#include "mcu/base/clock.h"
#include "mcu/base/log.h"
#include "mcu/base/metrics.h"
#include "signaling/sip_dialplan.h"
#include "signaling/sip_trunk.h"

METRIC_COUNTER(m_registers, "mcu_sip_registers_total", "REGISTER requests that were served.");

/* --- who asks ------------------------------------------------------------------------------ */

/* For a line of the log that a program reads: what is strange in it is '?'. */
static const char *plain(const char *text, char out[64])
{
	size_t n = 0;

	for (; text[n] && n < 63; n++)
		out[n] = isgraph((unsigned char)text[n]) && text[n] != '"' ? text[n] : '?';
	out[n] = '\0';
	return out;
}

/* Of several, the one for our realm is found by trying: parameters are compared in
 * sip_auth_check(). */
static const char *const *credentials(const sip_t *msg, const char *realm)
{
	for (const sip_authorization_t *au = msg->sip_authorization; au; au = au->au_next) {
		const char *r = su_casematch(au->au_scheme, "Digest") ?
					msg_params_find(au->au_params, "realm=") : NULL;

		if (r && !strncmp(r + (*r == '"'), realm, strlen(realm)))
			return (const char *const *)au->au_params;
	}
	return NULL;
}

ON_THREAD(ROLE_CTL) static void challenge(const struct sip_event *ev, const char *address, bool stale)
{
	char md5[SIP_CHALLENGE_MAX];

	/* MD5 alone: telephones of before RFC 8760 (baresip 1.0, SIPp) give up at a challenge
	 * with SHA-256, also where one with MD5 stands beside it. */
	sip_auth_challenge(sip_parts(ev->sip)->auth, SIP_DIGEST_MD5, stale, address,
			   clock_now_ns(&clock_monotonic), md5);
	nua_respond(ev->nh, SIP_401_UNAUTHORIZED, NUTAG_WITH_THIS(sip_nua(ev->sip)),
		    SIPTAG_WWW_AUTHENTICATE_STR(md5), TAG_END());
	nua_handle_destroy(ev->nh);
}

bool sip_registrar_authenticate(const struct sip_event *ev, const struct sip_source *from,
				char user[SIP_USER_MAX + 1])
{
	const sip_t *msg = ev->msg;
	char shown[64];

	switch (sip_auth_check(sip_parts(ev->sip)->auth, credentials(msg, sip_config(ev->sip)->realm),
			       msg->sip_request->rq_method_name, from->address,
			       clock_now_ns(&clock_monotonic), user)) {
	case SIP_AUTH_RIGHT: return true;
	case SIP_AUTH_STALE: challenge(ev, from->address, true); return false;
	case SIP_AUTH_BAD:
		sip_refuse(ev, SIP_400_BAD_REQUEST, "The credentials cannot be read");
		return false;
	case SIP_AUTH_LIMITED:
		log_warn(NULL, "SIP: too many wrong passwords from %s", from->address);
		sip_refuse(ev, SIP_403_FORBIDDEN, "Too many wrong passwords: wait a minute");
		return false;
	case SIP_AUTH_WRONG:
		log_warn(NULL, "SIP: wrong password from %s for \"%s\"", from->address,
			 plain(user, shown));
		/* Asked anew, not stale=true: a telephone asks its person then. */
		challenge(ev, from->address, false);
		return false;
	case SIP_AUTH_NONE:
	default: challenge(ev, from->address, false); return false;
	}
}

/* --- REGISTER ------------------------------------------------------------------------------- */

void sip_registrar_route(const struct sip_source *from, char out[128])
{
	static const char *const name[] = { [SIP_UDP] = "udp", [SIP_TCP] = "tcp", [SIP_TLS] = "tls" };
	bool v6 = strchr(from->address, ':');

	snprintf(out, 128, "sip:%s%s%s:%d;transport=%s", v6 ? "[" : "", from->address, v6 ? "]" : "",
		 from->port, name[from->transport]);
}

/* -1: unsaid or strange (RFC 3261, 10.2.1.1: as if unsaid). */
static int64_t seconds(const char *text)
{
	char *end;
	unsigned long v;

	if (!text || !isdigit((unsigned char)*text))
		return -1;
	v = strtoul(text, &end, 10);
	return v > UINT32_MAX ? UINT32_MAX : (int64_t)v;
}

struct reading {
	struct sip_contact contacts[SIP_BINDINGS_PER_USER];
	su_home_t home[1];
};

static int read_contacts(struct reading *rd, struct sip_register *r, const sip_t *msg)
{
	for (const sip_contact_t *m = msg->sip_contact; m; m = m->m_next) {
		struct sip_contact *c = &rd->contacts[r->n];
		const char *instance;

		if (m->m_url->url_type == url_any) {
			r->all = true;
			continue;
		}
		if (r->n == SIP_BINDINGS_PER_USER)
			return 403;
		/* Neither other hosts nor header fields for the INVITE: calls go to where the
		 * telephone speaks from. */
		if ((m->m_url->url_type != url_sip && m->m_url->url_type != url_sips) ||
		    m->m_url->url_headers || url_has_param(m->m_url, "maddr"))
			return 400;
		instance = msg_params_find(m->m_params, "+sip.instance=");
		c->uri = url_as_string(rd->home, m->m_url);
		c->instance = instance;
		c->expires_s = seconds(m->m_expires);
		if (!c->uri || strpbrk(c->uri, "<> \r\n"))
			return 400;
		r->n++;
	}
	r->contacts = rd->contacts;
	return 200;
}

/* By way of whom calls go (RFC 3327). Only proxies that are known, trunks, may say so: a
 * user's telephone would have us send the room's INVITE anywhere. NULL: where it came from. */
ON_THREAD(ROLE_CTL) static const char *path_of(const struct sip_event *ev,
					       const struct sip_source *from, su_home_t *home)
{
	if (!ev->msg->sip_path ||
	    !sip_trunks_of_source(sip_parts(ev->sip)->trunks, from->address, NULL))
		return NULL;
	return url_as_string(home, ev->msg->sip_path->r_url);
}

static void append_bindings(su_home_t *home, struct sip_bindings *b, const char *user,
			    int64_t now_ms, char **out)
{
	const struct sip_binding *list;
	size_t n = sip_bindings_of(b, user, &list, now_ms);

	*out = NULL;
	for (size_t i = 0; i < n; i++)
		*out = su_sprintf(home, "%s%s<%s>;expires=%lld", *out ? *out : "", *out ? ", " : "",
				  list[i].uri, (long long)(list[i].expires_ms - now_ms) / 1000);
}

ON_THREAD(ROLE_CTL) static void answer(const struct sip_event *ev, struct reading *rd, int status,
				       const char *user, int64_t now_ms)
{
	char *contacts = NULL, min[16];

	if (status == 200)
		append_bindings(rd->home, sip_parts(ev->sip)->bindings, user, now_ms, &contacts);
	snprintf(min, sizeof min, "%d", SIP_REGISTER_MIN_S);
	nua_respond(ev->nh, status, sip_status_phrase(status), NUTAG_WITH_THIS(sip_nua(ev->sip)),
		    TAG_IF(contacts, SIPTAG_CONTACT_STR(contacts)),
		    TAG_IF(status == 423, SIPTAG_MIN_EXPIRES_STR(min)),
		    TAG_IF(status == 503 || status == 500, SIPTAG_RETRY_AFTER_STR("30")), TAG_END());
	nua_handle_destroy(ev->nh);
}

void sip_registrar_request(const struct sip_event *ev)
{
	const sip_t *msg = ev->msg;
	char user[SIP_USER_MAX + 1], route[128];
	int64_t now_ms = clock_wall_ns() / NS_PER_MS;
	struct reading rd = { .home = { SU_HOME_INIT(rd.home) } };
	struct sip_register r = { .user = user, .route = route, .expires_s = -1 };
	struct sip_source from;
	int status;

	if (!sip_event_source(ev, &from) || !sip_dialplan_is_here(ev->sip, msg->sip_to->a_url)) {
		sip_refuse(ev, SIP_404_NOT_FOUND, NULL);
		return;
	}
	if (!sip_registrar_authenticate(ev, &from, user))
		return;
	if (!msg->sip_to->a_url->url_user || strcmp(msg->sip_to->a_url->url_user, user)) {
		sip_refuse(ev, SIP_403_FORBIDDEN, "Only one's own address can be registered");
		return;
	}
	sip_registrar_route(&from, route);
	r.call_id = msg->sip_call_id->i_id;
	r.cseq = msg->sip_cseq->cs_seq;
	r.expires_s = msg->sip_expires ? (int64_t)msg->sip_expires->ex_delta : -1;
	r.agent = msg->sip_user_agent ? msg->sip_user_agent->g_string : NULL;
	su_home_init(rd.home);
	r.path = path_of(ev, &from, rd.home);
	status = read_contacts(&rd, &r, msg);
	if (status == 200)
		status = sip_bindings_register(sip_parts(ev->sip)->bindings, &r, now_ms);
	if (status == 200)
		metric_add(&m_registers, 1);
	answer(ev, &rd, status, user, now_ms);
	su_home_deinit(rd.home);
}
