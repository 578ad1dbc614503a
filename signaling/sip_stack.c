#include "signaling/sip_stack.h"

#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sofia-sip/msg_addr.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/su_glib.h>
#include <sofia-sip/su_log.h>
#include <sofia-sip/su_string.h>
#include <sofia-sip/tport_tag.h>

#include "mcu/base/log.h"
#include "mcu/base/metrics.h"
#include "signaling/sip_call.h"
#include "signaling/sip_dialplan.h"
#include "signaling/sip_guard.h"
#include "signaling/sip_registrar.h"
#include "signaling/sip_sockets.h"
#include "signaling/sip_tls.h"
#include "signaling/sip_trunk.h"

METRIC_COUNTER(m_requests, "mcu_sip_requests_total", "SIP requests outside of calls, INVITE included.");
METRIC_COUNTER(m_refused, "mcu_sip_refused_total", "Of these, refused by the stack itself.");

enum {
	PORT_TRIES = 50,	/* of free ports, when the system chooses */
	STOP_POLL_MS = 20,
	STOP_CALLS_MS = 3000,	/* for BYEs to be answered */
	STOP_TOTAL_MS = 6000,
	REQUEST_MAX_BYTES = 60000, /* of a message; SDP has 32 KiB at most in practice */
	UDP_MTU = 1300,		/* RFC 3261, 18.1.1 */
	IDLE_MS = 900000,	/* of a TCP or TLS connection */
	SESSION_S = 1800,	/* RFC 4028: what we propose, and */
	SESSION_LEAST_S = 90,	/* Min-SE: less is answered with 422 */
	MAX_BINDINGS = 20000,
	INCOMPLETE_MS = 30000,	/* for the rest of a message on it */
};

static const char methods[] = "INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE, INFO, REFER, "
			      "NOTIFY, REGISTER";
/* What the stack does not do by itself. */
static const char own_methods[] = "INVITE, REGISTER, OPTIONS, UPDATE, INFO, REFER";

struct sip {
	struct sip_cfg cfg;
	su_root_t *root;
	nua_t *nua;
	GSource *source;
	guint stop_timer;
	int stop_ms;
	int port, tls_port;
	bool stopping, nua_stopping, nua_gone;
	struct sip_calls *calls;
	struct sip_parts parts;
	struct sip_guard *guard;
	guint minute_timer;
};

/* --- what the parts ask ---------------------------------------------------------- */

nua_t *sip_nua(const struct sip *s)
{
	return s->nua;
}

struct sip_parts *sip_parts(struct sip *s)
{
	return &s->parts;
}

const struct sip_cfg *sip_config(const struct sip *s)
{
	return &s->cfg;
}

bool sip_stopping(const struct sip *s)
{
	return s->stopping;
}

void sip_get_dialler(struct sip *s, struct sip_dialler *out)
{
	sip_calls_dialler(s->calls, out);
}

int sip_port(const struct sip *s)
{
	return s->port;
}

int sip_tls_port(const struct sip *s)
{
	return s->tls_port;
}

nua_handle_t *sip_handle_new(struct sip *s, struct sip_owner *owner)
{
	return s->stopping || !s->nua ? NULL : nua_handle(s->nua, owner, TAG_END());
}

void sip_handle_own(nua_handle_t *nh, struct sip_owner *owner)
{
	nua_handle_bind(nh, owner);
}

bool sip_event_source(const struct sip_event *ev, struct sip_source *out)
{
	msg_t *request = nua_current_request(ev->sip->nua);
	su_sockaddr_t *from = request ? msg_addr(request) : NULL;
	const char *protocol = ev->msg && ev->msg->sip_via ? ev->msg->sip_via->v_protocol : NULL;

	memset(out, 0, sizeof *out);
	if (!from || !sip_sockets_name(out->address, &out->port, &from->su_sa))
		return false;
	out->transport = SIP_UDP;
	if (protocol && su_casematch(protocol, "SIP/2.0/TCP"))
		out->transport = SIP_TCP;
	if (protocol && su_casematch(protocol, "SIP/2.0/TLS"))
		out->transport = SIP_TLS;
	if (!ev->sip->cfg.address[0])
		return sip_sockets_local(out->local, &from->su_sa);
	snprintf(out->local, sizeof out->local, "%s", ev->sip->cfg.address);
	return true;
}

void sip_contact(const struct sip *s, const struct sip_source *at, const char *user,
		 char out[SIP_CONTACT_MAX])
{
	static const char *const parameter[] = { [SIP_UDP] = "", [SIP_TCP] = ";transport=tcp",
						 [SIP_TLS] = ";transport=tls" };
	bool v6 = strchr(at->local, ':');

	snprintf(out, SIP_CONTACT_MAX, "<sip:%s%s%s%s%s:%d%s>", user, user[0] ? "@" : "",
		 v6 ? "[" : "", at->local, v6 ? "]" : "",
		 at->transport == SIP_TLS ? s->tls_port : s->port, parameter[at->transport]);
}

void sip_local_towards(const struct sip *s, const char *host, char out[64])
{
	if (s->cfg.address[0])
		snprintf(out, 64, "%s", s->cfg.address);
	else if (!sip_sockets_local_text(out, host))
		snprintf(out, 64, "127.0.0.1");
}

/* --- requests outside of calls ---------------------------------------------------- */

void sip_refuse(const struct sip_event *ev, int status, const char *phrase, const char *more)
{
	char warning[200];

	metric_add(&m_refused, 1);
	snprintf(warning, sizeof warning, "399 mcu \"%s\"", more ? more : "");
	nua_respond(ev->nh, status, phrase, NUTAG_WITH_THIS(ev->sip->nua),
		    TAG_IF(more, SIPTAG_WARNING_STR(warning)), TAG_END());
	nua_handle_destroy(ev->nh);
}

static void answer_options(const struct sip_event *ev)
{
	char contact[SIP_CONTACT_MAX] = "";
	struct sip_source from;

	if (sip_event_source(ev, &from))
		sip_contact(ev->sip, &from, "", contact);
	nua_respond(ev->nh, SIP_200_OK, NUTAG_WITH_THIS(ev->sip->nua),
		    TAG_IF(contact[0], SIPTAG_CONTACT_STR(contact)),
		    SIPTAG_ACCEPT_ENCODING_STR("identity"),
		    SIPTAG_ACCEPT_LANGUAGE_STR("en"), TAG_END());
	nua_handle_destroy(ev->nh);
}

ON_THREAD(ROLE_CTL) static void on_request(const struct sip_event *ev)
{
	struct sip *s = ev->sip;
	struct sip_arrival in;

	metric_add(&m_requests, 1);
	if (s->stopping) {
		sip_refuse(ev, SIP_503_SERVICE_UNAVAILABLE, "The server is shutting down");
		return;
	}
	switch (ev->event) {
	case nua_i_invite:
		if (sip_dialplan_arrival(ev, &in))
			sip_call_incoming(s->calls, ev, &in);
		break;
	case nua_i_refer: /* somebody is to be called into a room */
		if (sip_dialplan_arrival(ev, &in))
			sip_call_referred(s->calls, ev, &in);
		break;
	case nua_i_options: answer_options(ev); break;
	case nua_i_register: sip_registrar_request(ev); break;
	default: sip_refuse(ev, SIP_405_METHOD_NOT_ALLOWED, NULL);
	}
}

static void on_event(nua_event_t event, int status, char const *phrase, nua_t *nua,
		     nua_magic_t *magic, nua_handle_t *nh, nua_hmagic_t *hmagic, sip_t const *msg,
		     tagi_t tags[])
{
	struct sip *s = magic;
	struct sip_owner *owner = hmagic;
	struct sip_event ev = { .sip = s, .event = event, .status = status, .phrase = phrase,
				.nh = nh, .msg = msg, .tags = tags };

	(void)nua;
	role_assert_ctl();
	if (event == nua_r_shutdown) {
		s->nua_gone = s->nua_gone || status >= 200;
		return;
	}
	if (!nh)
		return;
	if (owner)
		owner->event(owner, &ev);
	else if (msg && msg->sip_request && status < 200 && nua_event_is_incoming_request(event))
		on_request(&ev);
	else if (event != nua_i_state && event != nua_i_active && event != nua_i_cancel)
		nua_handle_destroy(nh); /* of nobody: it came to its end by itself */
}

/* --- users ----------------------------------------------------------------------------- */

const char *sip_realm(const struct sip *s)
{
	return s->cfg.realm;
}

void sip_set_user(struct sip *s, const char *user, const char *ha1_md5, const char *ha1_sha256)
{
	sip_auth_set_user(s->parts.auth, user, ha1_md5, ha1_sha256);
}

void sip_forget_user(struct sip *s, const char *user)
{
	sip_auth_forget_user(s->parts.auth, user);
	sip_bindings_forget_user(s->parts.bindings, user);
}

bool sip_has_user(const struct sip *s, const char *user)
{
	return sip_auth_knows(s->parts.auth, user);
}

void sip_restore_phone(struct sip *s, const char *user, const struct sip_binding *phone)
{
	if (sip_auth_knows(s->parts.auth, user))
		(void)sip_bindings_restore(s->parts.bindings, user, phone, clock_wall_ns() / NS_PER_MS);
}

size_t sip_phones(struct sip *s, const char *user, const struct sip_binding **out)
{
	return sip_bindings_of(s->parts.bindings, user, out, clock_wall_ns() / NS_PER_MS);
}

/* --- trunks ---------------------------------------------------------------------------- */

int sip_put_trunk(struct sip *s, const char *name, json_t *settings, const char *password,
		  struct errmsg *why)
{
	struct sip_trunk_cfg *cfg;
	int err = sip_trunk_parse(&cfg, name, settings, password, why);

	if (err)
		return err;
	if (sip_trunks_put(s->parts.trunks, &cfg))
		return 0;
	sip_trunk_cfg_free(&cfg);
	return errmsg_set(why, -ENOSPC, "trunk_invalid", "There are %d trunks already; delete one.",
			  SIP_TRUNKS_MAX);
}

bool sip_remove_trunk(struct sip *s, const char *name)
{
	return sip_trunks_remove(s->parts.trunks, name);
}

const char *sip_trunk_password(struct sip *s, const char *name)
{
	const struct sip_trunk_cfg *c = sip_trunks_get(s->parts.trunks, name);

	return c ? c->password : NULL;
}

json_t *sip_trunk_list(struct sip *s, const char *name)
{
	return sip_trunks_json(s->parts.trunks, name);
}

/* --- start ---------------------------------------------------------------------------- */

static void log_sofia(void *stream, char const *fmt, va_list ap)
{
	char line[512];

	(void)stream;
	vsnprintf(line, sizeof line, fmt, ap);
	line[strcspn(line, "\r\n")] = '\0';
	log_debug(NULL, "sofia-sip: %s", line);
}

static const char *url_of(char out[128], const char *scheme, const char *address, int port)
{
	bool v6 = strchr(address, ':');

	snprintf(out, 128, "%s:%s%s%s:%d", scheme, v6 ? "[" : "", address[0] ? address : "*",
		 v6 ? "]" : "", port);
	return out;
}

static nua_t *make_agent(struct sip *s)
{
	char url[128], tls_url[128];
	bool tls = s->tls_port >= 0;

	url_of(url, "sip", s->cfg.address, s->port);
	if (tls)
		url_of(tls_url, "sips", s->cfg.address, s->tls_port);
	return nua_create(s->root, on_event, s, NUTAG_URL(url), TAG_IF(tls, NUTAG_SIPS_URL(tls_url)),
			  TAG_IF(tls, NUTAG_CERTIFICATE_DIR(s->cfg.folder)),
			  TPTAG_TLS_VERSION(0), TPTAG_TLS_VERIFY_POLICY(TPTLS_VERIFY_NONE),
			  NUTAG_MEDIA_ENABLE(0), NUTAG_AUTOACK(0), NUTAG_AUTOANSWER(0), NUTAG_AUTOALERT(0),
			  NUTAG_AUTO100(1), NUTAG_AUTO302(0), SIPTAG_ALLOW_STR(methods),
			  NUTAG_APPL_METHOD(NULL), NUTAG_APPL_METHOD(own_methods),
			  SIPTAG_SUPPORTED_STR("timer, 100rel"), NUTAG_SESSION_TIMER(SESSION_S),
			  NUTAG_MIN_SE(SESSION_LEAST_S), NUTAG_SESSION_REFRESHER(nua_any_refresher),
			  NUTAG_ENABLEMESSAGE(0), SIPTAG_USER_AGENT_STR(s->cfg.agent),
			  NUTAG_OUTBOUND("no-natify no-options-keepalive no-validate"),
			  NTATAG_UDP_MTU(UDP_MTU), NTATAG_MAXSIZE(REQUEST_MAX_BYTES),
			  NTATAG_CANCEL_487(1), TPTAG_IDLE(IDLE_MS), TPTAG_TIMEOUT(INCOMPLETE_MS),
			  TAG_END());
}

static int pick_ports(struct sip *s)
{
	int err = 0;

	s->port = s->cfg.port;
	s->tls_port = s->cfg.tls_port;
	if (!s->port)
		err = sip_sockets_free_port(s->cfg.address, true);
	if (err > 0)
		s->port = err;
	if (err >= 0 && !s->tls_port)
		err = sip_sockets_free_port(s->cfg.address, false);
	if (err > 0 && !s->tls_port)
		s->tls_port = err;
	return err < 0 ? err : 0;
}

static int bind_ports(struct sip *s, struct errmsg *why)
{
	bool chosen = !s->cfg.port || !s->cfg.tls_port;
	int err = 0;

	/* Between finding a free port and taking it another may be faster. */
	for (int i = 0; i < (chosen ? PORT_TRIES : 1) && !s->nua && !err; i++) {
		err = pick_ports(s);
		if (!err)
			s->nua = make_agent(s);
	}
	if (s->nua)
		return 0;
	return errmsg_set(why, -EADDRINUSE, "sip_ports",
			  "SIP cannot listen on port %d (UDP, TCP)%s of %s. Another program may use it: "
			  "choose another sip.port and sip.tls_port, or -1 to do without.",
			  s->port, s->tls_port >= 0 ? " and sip.tls_port (TLS)" : "",
			  s->cfg.address[0] ? s->cfg.address : "this machine");
}

static void start_library(void)
{
	static bool started;

	if (started)
		return;
	started = true;
	(void)sip_tls_repair(nua_version);
	su_init();
	su_log_redirect(su_log_default, log_sofia, NULL);
	su_log_redirect(su_log_global, log_sofia, NULL);
	su_log_set_level(su_log_default, 0);
}

static gboolean on_minute(gpointer arg)
{
	struct sip *s = arg;

	sip_bindings_expire(s->parts.bindings, clock_wall_ns() / NS_PER_MS);
	return G_SOURCE_CONTINUE;
}

ON_THREAD(ROLE_CTL) static int make_parts(struct sip *s, const struct room_api *api, void *ctx)
{
	int err = sip_calls_new(&s->calls, s, api, ctx);

	if (!err)
		err = sip_auth_new(&s->parts.auth, s->cfg.realm);
	if (!err)
		err = sip_bindings_new(&s->parts.bindings, MAX_BINDINGS, s->cfg.store.bindings,
				       s->cfg.store.ctx);
	if (!err)
		err = sip_trunks_new(&s->parts.trunks, s);
	if (!err)
		s->minute_timer = g_timeout_add_seconds(60, on_minute, s);
	return err;
}

ON_THREAD(ROLE_CTL) static int start_guard(struct sip *s)
{
	struct sip_guard_cfg g = { .port = s->port, .tls_port = s->tls_port,
				   .messages_per_s = s->cfg.messages_per_s,
				   .connections = s->cfg.connections };

	return sip_guard_new(&s->guard, &g);
}

int sip_new(struct sip **out, const struct sip_cfg *cfg, const struct room_api *api, void *ctx,
	    struct errmsg *why)
{
	struct sip *s = calloc(1, sizeof *s);
	int err = -ENOMEM;

	if (!s)
		return errmsg_set(why, err, "memory", "out of memory");
	s->cfg = *cfg;
	if (!s->cfg.realm[0])
		s->cfg.realm = s->cfg.domain[0] ? s->cfg.domain : "mcu";
	start_library();
	s->root = su_glib_root_create(s);
	if (s->root)
		err = make_parts(s, api, ctx);
	if (err) {
		errmsg_set(why, err, "memory", "out of memory");
	} else {
		su_root_threading(s->root, 0);
		s->source = su_glib_root_gsource(s->root);
		g_source_attach(s->source, g_main_context_default());
		if (s->cfg.tls_port >= 0)
			err = sip_sockets_lay_out(s->cfg.folder, s->cfg.cert_file, s->cfg.key_file, why);
	}
	if (!err)
		err = bind_ports(s, why);
	if (!err && (err = start_guard(s)))
		errmsg_set(why, err, "memory", "out of memory");
	if (!err)
		sip_trunks_start(s->parts.trunks);
	if (err)
		sip_free(&s);
	else if (s->tls_port >= 0)
		log_info(NULL, "SIP: port %d (UDP, TCP), port %d (TLS)", s->port, s->tls_port);
	else
		log_info(NULL, "SIP: port %d (UDP, TCP), no TLS", s->port);
	*out = s;
	return err;
}

/* --- end ------------------------------------------------------------------------------ */

static void stop_agent(struct sip *s)
{
	if (!s->nua_stopping && s->nua)
		nua_shutdown(s->nua);
	s->nua_stopping = true;
}

static gboolean on_stop_timer(gpointer arg)
{
	struct sip *s = arg;

	role_assert_ctl();
	s->stop_ms += STOP_POLL_MS;
	if ((sip_calls_idle(s->calls) && sip_trunks_idle(s->parts.trunks)) || s->stop_ms >= STOP_CALLS_MS)
		stop_agent(s);
	if (!sip_is_idle(s))
		return G_SOURCE_CONTINUE;
	s->stop_timer = 0;
	return G_SOURCE_REMOVE;
}

void sip_shutdown(struct sip *s)
{
	if (s->stopping)
		return;
	s->stopping = true;
	sip_calls_shutdown(s->calls);
	sip_trunks_shutdown(s->parts.trunks);
	s->stop_timer = g_timeout_add(STOP_POLL_MS, on_stop_timer, s);
}

bool sip_is_idle(const struct sip *s)
{
	return s->stopping && (s->nua_gone || !s->nua || s->stop_ms >= STOP_TOTAL_MS);
}

/* Not through yet: the peers do not answer. It ends with the process. */
static void *left_behind;

void sip_free(struct sip **ps)
{
	struct sip *s = *ps;

	if (!s)
		return;
	if (s->root && s->nua) {
		s->stopping = true;
		stop_agent(s);
		for (int i = 0; i < 100 && !s->nua_gone; i++)
			su_root_step(s->root, 1);
	}
	if (s->stop_timer)
		g_source_remove(s->stop_timer);
	sip_guard_free(&s->guard); /* before its sockets are closed */
	if (s->nua && s->nua_gone)
		nua_destroy(s->nua);
	else
		left_behind = s->nua;
	if (s->minute_timer)
		g_source_remove(s->minute_timer);
	if (s->calls)
		sip_calls_free(&s->calls);
	sip_trunks_free(&s->parts.trunks);
	sip_auth_free(&s->parts.auth);
	sip_bindings_free(&s->parts.bindings);
	if (s->source)
		g_source_destroy(s->source); /* of the root, which frees it */
	if (s->root && !left_behind)
		su_root_destroy(s->root);
	if (!left_behind)
		free(s);
	*ps = NULL;
}
