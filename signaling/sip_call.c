#include "signaling/sip_call.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_util.h>
#include <sofia-sip/url.h>

#include "mcu/base/log.h"
#include "signaling/sip_call_nua.h"
#include "signaling/sip_sockets.h"
#include "signaling/utf8.h"

enum { TICK_MS = 200 };

/* --- what comes ------------------------------------------------------------------ */

/* What its display name, or else its user part, makes a name of. */
static void name_of(char *out, size_t cap, const sip_from_t *from)
{
	const char *d = from && from->a_display ? from->a_display : "";
	size_t n = 0;

	if (*d == '"')
		d++;
	for (; *d && n + 1 < cap; d++) {
		if (*d == '\\' && d[1])
			d++;
		else if (*d == '"')
			break;
		out[n++] = *d;
	}
	while (n && out[n - 1] == ' ')
		n--;
	out[n] = '\0';
	if (!protocol_name_valid(out) && from && from->a_url->url_user &&
	    strlen(from->a_url->url_user) < cap)
		url_unescape(out, from->a_url->url_user);
	if (!protocol_name_valid(out))
		snprintf(out, cap, "Phone");
}

ON_THREAD(ROLE_CTL) static void refuse(struct sip_calls *c, const struct sip_event *ev,
				       const struct sip_reply *r)
{
	sip_reply_send(ev->nh, NULL, NULL, r, sip_config(c->sip)->domain, false);
	nua_handle_destroy(ev->nh);
}

/* The number is the user part when that looks like one. */
static void number_of(char *out, size_t cap, const sip_from_t *from)
{
	const char *user = from && from->a_url->url_user ? from->a_url->url_user : "";

	snprintf(out, cap, "%s", strspn(user, "+0123456789-.()*#") == strlen(user) ? user : "");
}

/* Handed over to the call, or refused. */
ON_THREAD(ROLE_CTL) static void take(struct sip_calls *c, const struct sip_event *ev,
				     struct sip_dialog *d, struct sip_call_start *start)
{
	struct errmsg why = { .code = "" };
	struct sip_reply r = { .status = 500 };

	sip_handle_own(ev->nh, &d->owner);
	start->dialog = d;
	d->holds++;
	if (sip_call_take(c->set, start, &d->call, &r, &why)) {
		log_info(NULL, "call of %s refused with %d: %s", start->peer, r.status, why.text);
		nua_handle_bind(ev->nh, NULL);
		refuse(c, ev, &r);
	}
	if (!--d->holds && !d->call)
		sip_dialog_free(d);
}

void sip_call_incoming(struct sip_calls *c, const struct sip_event *ev,
		       const struct sip_arrival *in)
{
	const sip_t *msg = ev->msg;
	char name[SIP_NAME_BYTES], uri[300] = "", number[65];
	struct sip_call_start start = {
		.peer = in->from.address, .local = in->from.local, .tls = in->from.transport == SIP_TLS,
		.room = in->want == SIP_WANT_ROOM ? in->room : "", .name = name, .uri = uri,
		.number = number, .user = in->user, .trunk = in->trunk,
		.reliable = sip_has_feature(msg->sip_require, "100rel"),
	};

	if (sip_body_strange(msg)) {
		refuse(c, ev, &(struct sip_reply){ .status = 415 });
		return;
	}
	struct sip_dialog *d = sip_dialog_new(c, ev->nh);
	if (!d) {
		refuse(c, ev, &(struct sip_reply){ .status = 503, .retry_after_s = 10 });
		return;
	}
	(sip_contact)(c->sip, &in->from, in->want == SIP_WANT_ROOM ? "" : sip_config(c->sip)->bridge,
		    d->contact);
	d->established = true;
	d->updates = msg->sip_allow && sip_is_allowed(msg->sip_allow, SIP_METHOD_UPDATE);
	snprintf(d->to.route, sizeof(d->to.route), "%s", in->route);
	name_of(name, sizeof(name), msg->sip_from);
	number_of(number, sizeof(number), msg->sip_from);
	url_e(uri, sizeof(uri), msg->sip_from->a_url);
	start.sdp = sip_body_sdp(msg, &start.sdp_len);
	if (in->route[0])
		nua_set_hparams(ev->nh, NUTAG_PROXY(in->route), TAG_END());
	take(c, ev, d, &start);
}

/* --- what goes -------------------------------------------------------------------- */

/* "Anne" <sip:bridge@here>, or as the trunk wants it. */
static void from_of(struct sip_dialog *d, const struct sip *s, const struct sip_target *t,
		    const char *display)
{
	const char *domain = sip_config(s)->domain, *user = sip_config(s)->bridge;
	bool v6 = strchr(t->local, ':') && !*domain;
	char shown[100];
	uint32_t ch;
	size_t n = 0;

	for (const char *p = display, *from = p; utf8_next(&p, &ch) && n < sizeof(shown) - 6;
	     from = p) {
		if (*from == '"' || *from == '\\')
			shown[n++] = '\\';
		memcpy(shown + n, from, (size_t)(p - from));
		n += (size_t)(p - from);
	}
	shown[n] = '\0';
	snprintf(d->own_from, sizeof(d->own_from), "\"%s\" <sip:%.60s@%s%.200s%s>", shown, user,
		 v6 ? "[" : "", *domain ? domain : t->local, v6 ? "]" : "");
	if (t->from[0])
		snprintf(d->from, sizeof(d->from), "\"%s\" <%.290s>", shown, t->from);
	else
		snprintf(d->from, sizeof(d->from), "%s", d->own_from);
}

static void *dialog_new(void *obj, struct sip_call *call, const struct sip_target *t,
			const char *display)
{
	struct sip_calls *c = obj;
	struct sip_source at = { .transport = SIP_UDP };
	const char *by;
	struct sip_dialog *d;

	role_assert_ctl();
	d = sip_dialog_new(c, NULL);
	if (!d)
		return NULL;
	d->call = call;
	d->to = *t;
	/* Where it goes decides, not what it is called. */
	by = t->route[0] ? t->route : t->uri;
	if (strcasestr(by, "transport=tcp"))
		at.transport = SIP_TCP;
	if (strcasestr(by, "transport=tls") || !strncasecmp(by, "sips:", 5))
		at.transport = SIP_TLS;
	snprintf(at.local, sizeof(at.local), "%s", t->local);
	(sip_contact)(c->sip, &at, sip_config(c->sip)->bridge, d->contact);
	from_of(d, c->sip, t, display);
	d->nh = sip_handle_new(c->sip, &d->owner);
	if (!d->nh) {
		sip_dialog_free(d);
		return NULL;
	}
	return d;
}

static int sip_dial(void *ctx, const struct sip_dial_req *req, sip_dial_cb *cb, void *obj,
		    int64_t *id, struct errmsg *why)
{
	struct sip_calls *c = ctx;
	role_assert_ctl();
	return call_dial(c->set, req, cb, obj, id, why);
}

static int sip_hangup(void *ctx, int64_t id)
{
	struct sip_calls *c = ctx;
	role_assert_ctl();
	return call_hangup(c->set, id);
}

void sip_calls_dialler(struct sip_calls *c, struct sip_dialler *out)
{
	*out = (struct sip_dialler){ .ctx = c, .dial = sip_dial, .hangup = sip_hangup };
}

/* --- life ---------------------------------------------------------------------------- */

static gboolean on_tick(gpointer obj)
{
	struct sip_calls *c = obj;

	role_assert_ctl();
	sip_call_set_tick(c->set);
	return G_SOURCE_CONTINUE;
}

/* Our address on the way there, as far as that can be told without asking the DNS: else
 * the one towards the world. */
static void find_local(const struct sip *s, struct sip_target *t)
{
	struct sockaddr_in world = { .sin_family = AF_INET, .sin_port = htons(9),
				     .sin_addr.s_addr = htonl(0xc0000201) }; /* 192.0.2.1 */
	struct addrinfo hint = { .ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_DGRAM };
	struct addrinfo *at = NULL;
	su_home_t home[1] = { SU_HOME_INIT(home) };
	const char *host;
	char name[256];

	if (sip_config(s)->address[0])
		snprintf(t->local, sizeof(t->local), "%s", sip_config(s)->address);
	if (t->local[0])
		return;
	url_t *url = url_make(home, t->route[0] ? t->route + strcspn(t->route, "<") + 1 : t->uri);
	host = url && url->url_host ? url->url_host : "";
	snprintf(name, sizeof(name), "%s", *host == '[' ? host + 1 : host);
	name[strcspn(name, "]")] = '\0';
	if (!getaddrinfo(name, "9", &hint, &at))
		(void)sip_sockets_local(t->local, at->ai_addr);
	if (!t->local[0] && !sip_sockets_local(t->local, (struct sockaddr *)&world))
		snprintf(t->local, sizeof(t->local), "127.0.0.1");
	if (at)
		freeaddrinfo(at);
	su_home_deinit(home);
}

static int route(void *obj, const char *to, const char *trunk, struct sip_target *out, size_t max,
		 struct errmsg *why)
{
	struct sip_calls *c = obj;

	role_assert_ctl();
	int n = sip_targets(c->sip, to, trunk, out, max, why);
	for (int i = 0; i < n; i++)
		find_local(c->sip, &out[i]);
	return n;
}

static void refer(void *obj, const struct sip_refer_wish *wish)
{
	struct sip_calls *c = obj;

	sip_config(c->sip)->refer(c->ctx, wish);
}

static bool may_call(void *obj, const char *uri)
{
	struct sip_calls *c = obj;
	const struct sip_cfg *cfg = sip_config(c->sip);

	return !cfg->may_call || cfg->may_call(c->ctx, uri);
}

static int make_ports(void *obj, const char *local, struct rtp_ports **out, struct errmsg *why)
{
	struct sip_calls *c = obj;
	const struct sip_cfg *cfg = sip_config(c->sip);

	return cfg->ports_new(c->ctx, local, out, why);
}

static void free_ports(void *obj, struct rtp_ports **ports)
{
	struct sip_calls *c = obj;
	const struct sip_cfg *cfg = sip_config(c->sip);

	cfg->ports_free(c->ctx, ports);
}

static void withhold_ports(void *obj, struct rtp_ports *ports, bool withhold)
{
	struct sip_calls *c = obj;
	const struct sip_cfg *cfg = sip_config(c->sip);

	cfg->ports_withhold(c->ctx, ports, withhold);
}

int sip_calls_new(struct sip_calls **out, struct sip *sip, const struct room_api *api, void *ctx)
{
	struct sip_calls *c = calloc(1, sizeof(*c));
	const struct sip_cfg *cfg = sip_config(sip);
	const struct sip_calls_side side = {
		.api = api, .api_ctx = ctx, .clock = &clock_monotonic, .cdr = cfg->cdr, .ivr = cfg->ivr,
		.max_calls = cfg->max_calls, .obj = c,
		.ports_new = cfg->ports_new ? make_ports : NULL, .ports_free = free_ports,
		.ports_withhold = withhold_ports,
		.refer = cfg->refer ? refer : NULL, .may_call = may_call,
		.route = route, .dialog_new = dialog_new,
	};

	if (!c)
		return -ENOMEM;
	c->sip = sip;
	c->ctx = ctx;
	int err = sip_call_set_new(&c->set, &side, &sip_dialog_nua);
	if (err) {
		free(c);
		return err;
	}
	c->dialogs = g_ptr_array_new();
	c->referred = g_ptr_array_new();
	c->timer = g_timeout_add(TICK_MS, on_tick, c);
	*out = c;
	return 0;
}

void sip_calls_shutdown(struct sip_calls *c)
{
	sip_call_referred_shutdown(c);
	sip_call_set_shutdown(c->set);
}

bool sip_calls_idle(const struct sip_calls *c)
{
	return !c->dialogs->len;
}

void sip_calls_free(struct sip_calls **c)
{
	if (!*c)
		return;
	g_source_remove((*c)->timer);
	sip_call_set_free(&(*c)->set);
	while ((*c)->dialogs->len)
		sip_dialog_free(g_ptr_array_index((*c)->dialogs, 0));
	g_ptr_array_unref((*c)->dialogs);
	g_ptr_array_unref((*c)->referred);
	free(*c);
	*c = NULL;
}
