#include "signaling/sip_trunk.h"

#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sofia-sip/msg_addr.h>
#include <sofia-sip/sip_tag.h>

#include "mcu/base/log.h"
#include "mcu/base/metrics.h"
#include "signaling/sip_digest.h"
#include "signaling/sip_sockets.h"

METRIC_GAUGE(m_up, "mcu_sip_trunks_registered", "Trunks that we are registered at.");
METRIC_COUNTER(m_failed, "mcu_sip_trunk_failures_total", "Registrations that a trunk refused, or "
	       "did not answer.");

enum { RETRY_FIRST_S = 5, RETRY_MAX_S = 300, AUTH_TRIES = 1, REFRESH_MIN_S = 30, LEAVE_S = 4 };

enum state { TRUNK_IDLE, TRUNK_TRYING, TRUNK_REGISTERED, TRUNK_FAILED, TRUNK_LEAVING };

static const char *const state_names[] = { "unregistered", "registering", "registered", "failed",
					   "leaving" };

struct trunk {
	struct sip_owner owner; /* first */
	struct sip_trunks *all;
	struct sip_trunk_cfg *cfg;
	nua_handle_t *nh;
	enum state state;
	int status, auth_tries, retry_s, expires_s;
	uint32_t cseq;
	char call_id[40];
	char reason[96], address[64]; /* address: that answers */
	char local[64], credentials[SIP_CREDENTIALS_MAX];
	guint timer; /* of the refresh, the next try, or the patience with its leaving */
};

struct sip_trunks {
	struct sip *sip;
	GPtrArray *list; /* struct trunk, by the order of making */
	GPtrArray *leaving; /* those that take their registrations back */
	bool started, stopping;
};

static void set_state(struct trunk *t, enum state s)
{
	metric_add(&m_up, (s == TRUNK_REGISTERED) - (t->state == TRUNK_REGISTERED));
	t->state = s;
}

/* --- registering ----------------------------------------------------------------------- */

/* Each REGISTER is a request of its own on a handle of its own, and what comes of it is
 * decided here: nua's registrations answer MD5 alone, and say nothing at all where SHA-256
 * is asked for as well. */
static int transport_of(const char *uri)
{
	if (!strncasecmp(uri, "sips:", 5) || strcasestr(uri, "transport=tls"))
		return SIP_TLS;
	return strcasestr(uri, "transport=tcp") ? SIP_TCP : SIP_UDP;
}

static void drop_request(struct trunk *t)
{
	if (t->nh && t->all->sip)
		nua_handle_destroy(t->nh);
	t->nh = NULL;
}

static void stop_timer(struct trunk *t)
{
	if (t->timer)
		g_source_remove(t->timer);
	t->timer = 0;
}

/* status: of the challenge that it answers, 0: none. */
static void send_register(struct trunk *t, int status) ON_THREAD(ROLE_CTL)
{
	struct sip_source at = { .transport = transport_of(t->cfg->uri) };
	char aor[400], contact[SIP_CONTACT_MAX], expires[16], cseq[32];

	drop_request(t);
	t->nh = nua_handle(sip_nua(t->all->sip), &t->owner, TAG_END());
	if (!t->nh)
		return;
	sip_local_towards(t->all->sip, t->cfg->host, t->local);
	snprintf(at.local, sizeof at.local, "%s", t->local);
	(sip_contact)(t->all->sip, &at, t->cfg->user, contact);
	snprintf(aor, sizeof aor, "<sip:%s@%s>", t->cfg->user, t->cfg->host);
	snprintf(expires, sizeof expires, "%d", t->state == TRUNK_LEAVING ? 0 : t->expires_s);
	snprintf(cseq, sizeof cseq, "%u REGISTER", ++t->cseq);
	nua_method(t->nh, NUTAG_METHOD("REGISTER"), NUTAG_URL(t->cfg->uri), SIPTAG_FROM_STR(aor),
		   SIPTAG_TO_STR(aor), SIPTAG_CALL_ID_STR(t->call_id), SIPTAG_CSEQ_STR(cseq),
		   SIPTAG_CONTACT_STR(contact), SIPTAG_EXPIRES_STR(expires),
		   TAG_IF(status == 401, SIPTAG_AUTHORIZATION_STR(t->credentials)),
		   TAG_IF(status == 407, SIPTAG_PROXY_AUTHORIZATION_STR(t->credentials)), TAG_END());
}

static gboolean on_timer(gpointer arg)
{
	struct trunk *t = arg;

	role_assert_ctl();
	t->timer = 0;
	t->auth_tries = 0;
	if (t->state == TRUNK_FAILED)
		set_state(t, TRUNK_TRYING);
	send_register(t, 0);
	return G_SOURCE_REMOVE;
}

static void begin(struct trunk *t) ON_THREAD(ROLE_CTL)
{
	t->auth_tries = 0;
	t->expires_s = t->cfg->expires_s;
	set_state(t, TRUNK_TRYING);
	send_register(t, 0);
}

ON_THREAD(ROLE_CTL) static void failed(struct trunk *t)
{
	metric_add(&m_failed, 1);
	set_state(t, TRUNK_FAILED);
	t->retry_s = !t->retry_s ? RETRY_FIRST_S : t->retry_s * 2 > RETRY_MAX_S ? RETRY_MAX_S :
									      t->retry_s * 2;
	log_warn(NULL, "SIP: trunk %s does not register us (%d %s); again in %d s", t->cfg->name,
		 t->status, t->reason, t->retry_s);
	stop_timer(t);
	t->timer = g_timeout_add_seconds((guint)t->retry_s, on_timer, t);
}

ON_THREAD(ROLE_CTL) static bool authenticate(struct trunk *t, const struct sip_event *ev)
{
	const sip_www_authenticate_t *h = !ev->msg ? NULL : ev->status == 401 ?
		ev->msg->sip_www_authenticate : ev->msg->sip_proxy_authenticate;
	const char *const *best = NULL;

	for (; h; h = h->au_next) {
		const char *const *params = (const char *const *)h->au_params;

		if (!strcasecmp(h->au_scheme, "Digest") &&
		    sip_digest_rank(params) > (best ? sip_digest_rank(best) : 0))
			best = params;
	}
	if (!best || !t->cfg->password[0] || t->auth_tries++ >= AUTH_TRIES ||
	    sip_digest_answer(t->credentials, best, "REGISTER", t->cfg->uri,
			      t->cfg->auth_user[0] ? t->cfg->auth_user : t->cfg->user, t->cfg->password))
		return false;
	send_register(t, ev->status);
	return true;
}

/* How long it holds: what the trunk says of our Contact, or of all. */
static int granted(const struct trunk *t, const sip_t *msg)
{
	long s = t->expires_s;

	if (msg && msg->sip_expires)
		s = (long)msg->sip_expires->ex_delta;
	for (const sip_contact_t *m = msg ? msg->sip_contact : NULL; m; m = m->m_next)
		if (m->m_url->url_user && !strcmp(m->m_url->url_user, t->cfg->user) &&
		    m->m_url->url_host && !strcmp(m->m_url->url_host, t->local) && m->m_expires)
			s = atol(m->m_expires);
	return s < REFRESH_MIN_S ? REFRESH_MIN_S : s > 86400 ? 86400 : (int)s;
}

ON_THREAD(ROLE_CTL) static void registered(struct trunk *t, const struct sip_event *ev)
{
	msg_t *answer = nua_current_request(sip_nua(t->all->sip));
	int port, s = granted(t, ev->msg);

	if (answer)
		(void)sip_sockets_name(t->address, &port, &msg_addr(answer)->su_sa);
	if (t->state != TRUNK_REGISTERED)
		log_info(NULL, "SIP: registered at trunk %s for %d s", t->cfg->name, s);
	t->retry_s = 0;
	set_state(t, TRUNK_REGISTERED);
	stop_timer(t);
	t->timer = g_timeout_add_seconds((guint)(s * 4 / 5), on_timer, t);
}

static void trunk_free(struct trunk *t)
{
	set_state(t, TRUNK_IDLE);
	stop_timer(t);
	drop_request(t);
	sip_trunk_cfg_free(&t->cfg);
	explicit_bzero(t, sizeof *t);
	free(t);
}

static bool too_brief(struct trunk *t, const struct sip_event *ev)
{
	int least = ev->status == 423 && ev->msg && ev->msg->sip_min_expires ?
			    (int)ev->msg->sip_min_expires->me_delta : 0;

	if (least <= t->expires_s || least > 86400)
		return false;
	t->expires_s = least;
	return true;
}

/* It has left, or does not answer. */
ON_THREAD(ROLE_CTL) static void gone(struct trunk *t)
{
	g_ptr_array_remove_fast(t->all->leaving, t);
	trunk_free(t);
}

static void on_event(struct sip_owner *o, const struct sip_event *ev)
{
	struct trunk *t = (struct trunk *)o;

	role_assert_ctl();
	if (ev->event != nua_r_method || ev->status < 200 || ev->nh != t->nh)
		return;
	t->status = ev->status;
	snprintf(t->reason, sizeof t->reason, "%s", ev->phrase);
	if ((ev->status == 401 || ev->status == 407) && authenticate(t, ev))
		return;
	if (t->state != TRUNK_LEAVING && too_brief(t, ev)) {
		send_register(t, 0);
		return;
	}
	if (t->state == TRUNK_LEAVING)
		gone(t);
	else if (ev->status < 300)
		registered(t, ev);
	else
		failed(t);
}

/* --- the list ------------------------------------------------------------------------------ */

int sip_trunks_new(struct sip_trunks **out, struct sip *s)
{
	struct sip_trunks *t = calloc(1, sizeof *t);

	if (!t)
		return -ENOMEM;
	t->sip = s;
	t->list = g_ptr_array_new();
	t->leaving = g_ptr_array_new();
	*out = t;
	return 0;
}

static struct trunk *find(const struct sip_trunks *all, const char *name)
{
	for (size_t i = 0; i < all->list->len; i++) {
		struct trunk *t = g_ptr_array_index(all->list, i);

		if (!strcmp(t->cfg->name, name))
			return t;
	}
	return NULL;
}

static gboolean on_patience(gpointer arg)
{
	struct trunk *t = arg;

	role_assert_ctl();
	t->timer = 0;
	gone(t);
	return G_SOURCE_REMOVE;
}

/* Takes it off the list; what may be registered is taken back first. */
static void end(struct trunk *t) ON_THREAD(ROLE_CTL)
{
	bool there = t->state == TRUNK_REGISTERED || (t->state == TRUNK_TRYING && t->nh);

	g_ptr_array_remove(t->all->list, t);
	stop_timer(t);
	if (!there) {
		trunk_free(t);
		return;
	}
	set_state(t, TRUNK_LEAVING);
	g_ptr_array_add(t->all->leaving, t);
	t->auth_tries = 0;
	t->timer = g_timeout_add_seconds(LEAVE_S, on_patience, t);
	send_register(t, 0);
}

/* Of one with this name: a registration that the new one makes again is not taken back,
 * since that might arrive later. */
static void take_place(struct sip_trunks *all, const struct sip_trunk_cfg *fresh)
	ON_THREAD(ROLE_CTL)
{
	struct trunk *t = find(all, fresh->name);

	if (!t)
		return;
	if (!fresh->registers || strcmp(t->cfg->uri, fresh->uri) || strcmp(t->cfg->user, fresh->user)) {
		end(t);
		return;
	}
	g_ptr_array_remove(all->list, t);
	trunk_free(t);
}

bool sip_trunks_put(struct sip_trunks *all, struct sip_trunk_cfg **cfg)
{
	struct trunk *t;

	if (!find(all, (*cfg)->name) && all->list->len >= SIP_TRUNKS_MAX)
		return false;
	t = calloc(1, sizeof *t);
	if (!t)
		return false;
	take_place(all, *cfg);
	t->owner.event = on_event;
	t->all = all;
	t->cfg = *cfg;
	*cfg = NULL;
	snprintf(t->call_id, sizeof t->call_id, "%08x%08x%08x@mcu", g_random_int(), g_random_int(),
		 g_random_int());
	g_ptr_array_add(all->list, t);
	if (all->started && !all->stopping && t->cfg->registers)
		begin(t);
	return true;
}

bool sip_trunks_remove(struct sip_trunks *all, const char *name)
{
	struct trunk *t = find(all, name);

	if (!t)
		return false;
	end(t);
	return true;
}

void sip_trunks_start(struct sip_trunks *all)
{
	all->started = true;
	for (size_t i = 0; i < all->list->len; i++) {
		struct trunk *t = g_ptr_array_index(all->list, i);

		if (t->cfg->registers && !t->nh)
			begin(t);
	}
}

void sip_trunks_shutdown(struct sip_trunks *all)
{
	all->stopping = true;
	while (all->list->len)
		end(g_ptr_array_index(all->list, 0));
}

bool sip_trunks_idle(const struct sip_trunks *all)
{
	return !all->leaving->len;
}

static void free_list(GPtrArray *list)
{
	for (size_t i = 0; list && i < list->len; i++)
		trunk_free(g_ptr_array_index(list, i));
	if (list)
		g_ptr_array_unref(list);
}

void sip_trunks_free(struct sip_trunks **pall)
{
	struct sip_trunks *all = *pall;

	if (!all)
		return;
	all->sip = NULL; /* the handles went with the stack */
	free_list(all->list);
	free_list(all->leaving);
	free(all);
	*pall = NULL;
}

/* --- what it is asked ------------------------------------------------------------------------ */

static bool speaks_from(const struct trunk *t, const char *address)
{
	if (t->address[0] && !strcmp(t->address, address))
		return true;
	for (size_t i = 0; i < t->cfg->n_addresses; i++)
		if (!strcmp(t->cfg->addresses[i], address))
			return true;
	return false;
}

static bool is_for(const struct trunk *t, const char *user)
{
	struct sip_route_cfg r = { .domain = "", .bridge = "", .dids = t->cfg->numbers,
				   .n_dids = t->cfg->n_numbers, .trunk = true };

	return user && *user && (!strcmp(t->cfg->user, user) || sip_route_has_number(&r, user));
}

const struct sip_trunk_cfg *sip_trunks_of_source(struct sip_trunks *all, const char *address,
						 const char *user)
{
	const struct trunk *first = NULL;

	for (size_t i = 0; i < all->list->len; i++) {
		const struct trunk *t = g_ptr_array_index(all->list, i);

		if (!speaks_from(t, address))
			continue;
		if (is_for(t, user))
			return t->cfg;
		first = first ? first : t;
	}
	return first ? first->cfg : NULL;
}

const struct sip_trunk_cfg *sip_trunks_get(struct sip_trunks *all, const char *name)
{
	const struct trunk *t = find(all, name);

	return t ? t->cfg : NULL;
}

static struct trunk *by_prefix(const struct sip_trunks *all, const char *number)
{
	struct trunk *best = NULL;
	int len = -1;

	for (size_t i = 0; i < all->list->len; i++) {
		struct trunk *t = g_ptr_array_index(all->list, i);
		int n = sip_route_prefix(number, (const char *const *)t->cfg->prefixes,
					 t->cfg->n_prefixes);

		/* Of equals the one that works now. */
		if (n > len || (n == len && n >= 0 && best->state == TRUNK_FAILED &&
				t->state != TRUNK_FAILED)) {
			best = t;
			len = n;
		}
	}
	return best;
}

int sip_trunks_target(struct sip_trunks *all, const char *name, const char *number,
		      struct sip_target *out, struct errmsg *why)
{
	const struct trunk *t = name ? find(all, name) : by_prefix(all, number);
	const struct sip_trunk_cfg *c;
	const char *parameters;

	if (!t)
		return errmsg_set(why, -ENOENT, "dial_no_trunk",
				  name ? "There is no such trunk." : "No trunk takes this number: an "
				  "administrator can give one its prefix.");
	c = t->cfg;
	parameters = strchr(c->uri, ';');
	memset(out, 0, sizeof *out);
	snprintf(out->uri, sizeof out->uri, "%.5s%.64s@%.120s%.100s",
		 strncasecmp(c->uri, "sips:", 5) ? "sip:" : "sips:", number, c->host,
		 parameters ? parameters : "");
	if (c->caller[0] || c->user[0])
		snprintf(out->from, sizeof out->from, "sip:%s@%.200s", c->caller[0] ? c->caller : c->user,
			 c->host);
	snprintf(out->user, sizeof out->user, "%s", c->auth_user[0] ? c->auth_user : c->user);
	snprintf(out->password, sizeof out->password, "%s", c->password);
	snprintf(out->trunk, sizeof out->trunk, "%s", c->name);
	sip_local_towards(all->sip, t->address[0] ? t->address : c->host, out->local);
	out->srtp = c->srtp;
	out->plain = c->srtp_optional;
	return 0;
}

static json_t *texts(char **list, size_t n)
{
	json_t *a = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(a, json_string(list[i]));
	return a;
}

static json_t *trunk_json(const struct trunk *t)
{
	const struct sip_trunk_cfg *c = t->cfg;
	json_t *numbers = json_array();

	for (size_t i = 0; i < c->n_numbers; i++)
		json_array_append_new(numbers, json_pack("{s:s, s:s}", "number", c->numbers[i].number,
							 "room", c->numbers[i].room));
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:b, s:i, s:o, s:o, s:o, s:s, s:i, s:s}",
			 "name", c->name, "uri", c->uri, "user", c->user, "auth_user", c->auth_user,
			 "caller", c->caller, "register", c->registers, "srtp", c->srtp,
			 "srtp_optional", c->srtp_optional, "expires_s",
			 c->expires_s, "numbers", numbers, "prefixes", texts(c->prefixes, c->n_prefixes),
			 "addresses", texts(c->addresses, c->n_addresses), "state",
			 state_names[t->state], "status", t->status, "reason", t->reason);
}

json_t *sip_trunks_json(struct sip_trunks *all, const char *name)
{
	json_t *list = json_array();

	for (size_t i = 0; i < all->list->len; i++) {
		const struct trunk *t = g_ptr_array_index(all->list, i);

		if (!name || !strcmp(t->cfg->name, name))
			json_array_append_new(list, trunk_json(t));
	}
	return list;
}
