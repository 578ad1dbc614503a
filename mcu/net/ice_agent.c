#include "mcu/net/ice_agent.h"

#include <arpa/inet.h>
#include <errno.h>
#include <nice/agent.h>
#include <nice/interfaces.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/net/candidate.h"
#include "mcu/net/gpoll.h"

enum {
	COMPONENT = 1,
	MAX_REMOTE = 64, /* candidates of a peer */
	MIN_UFRAG = 4,
	MIN_PWD = 22,
	MAX_CREDENTIAL = 256, /* RFC 8839 section 5.4 */
	IDLE_MS = 100,
	SRFLX_PREFERENCE = 100, /* RFC 8445 section 5.1.2.2 */
};

struct ice_agent {
	NiceAgent *nice;
	struct gpoll *poll;
	guint stream;
	const struct ice_agent_events *ev;
	void *obj;
	bool have_remote, remote_done;
	unsigned n_remote;
	GSList *early; /* candidates that came before the credentials */
	char public_address[CANDIDATE_ADDRESS];
};

static bool credential_ok(const char *text, size_t min)
{
	size_t n = text ? strnlen(text, MAX_CREDENTIAL + 1) : 0;

	if (n < min || n > MAX_CREDENTIAL)
		return false;
	for (; *text; text++)
		if (*text <= ' ' || *text > '~')
			return false;
	return true;
}

static bool numeric(const char *address)
{
	struct in6_addr any;

	return address &&
	       (inet_pton(AF_INET, address, &any) == 1 || inet_pton(AF_INET6, address, &any) == 1);
}

/* candidate.h's form of libnice's. */
static bool convert(struct candidate *out, const NiceCandidate *c)
{
	char text[NICE_ADDRESS_STRING_LEN];

	*out = (struct candidate){ .component = c->component_id, .priority = c->priority };
	switch (c->type) {
	case NICE_CANDIDATE_TYPE_HOST: out->type = CANDIDATE_HOST; break;
	case NICE_CANDIDATE_TYPE_SERVER_REFLEXIVE: out->type = CANDIDATE_SRFLX; break;
	case NICE_CANDIDATE_TYPE_RELAYED: out->type = CANDIDATE_RELAY; break;
	default: return false;
	}
	if (c->transport != NICE_CANDIDATE_TRANSPORT_UDP)
		return false;
	snprintf(out->foundation, sizeof out->foundation, "%s", c->foundation);
	nice_address_to_string(&c->addr, text);
	memcpy(out->address, text, sizeof out->address - 1);
	out->port = (uint16_t)nice_address_get_port(&c->addr);
	if (out->type != CANDIDATE_HOST) {
		nice_address_to_string(&c->base_addr, text);
		memcpy(out->related_address, text, sizeof out->related_address - 1);
		out->related_port = (uint16_t)nice_address_get_port(&c->base_addr);
	}
	return true;
}

static void report(struct ice_agent *a, const struct candidate *c)
{
	char text[CANDIDATE_BYTES];

	if (candidate_write(c, text, sizeof text) > 0)
		a->ev->candidate(a->obj, text);
}

/* A 1:1 NAT: what a STUN server would say of this host candidate. */
static void report_mapped(struct ice_agent *a, const struct candidate *host)
{
	struct candidate c = *host;
	struct in_addr v4;

	if (inet_pton(AF_INET, host->address, &v4) != 1 || v4.s_addr == htonl(INADDR_LOOPBACK) ||
	    !strcmp(host->address, a->public_address))
		return;
	c.type = CANDIDATE_SRFLX;
	c.priority = (host->priority & 0x00ffffffU) | (uint32_t)SRFLX_PREFERENCE << 24;
	snprintf(c.foundation, sizeof c.foundation, "nat%.28s", host->foundation);
	memcpy(c.related_address, host->address, sizeof c.related_address);
	c.related_port = host->port;
	memcpy(c.address, a->public_address, sizeof c.address);
	report(a, &c);
}

static void on_candidate(NiceAgent *nice, NiceCandidate *nc, gpointer obj)
{
	struct ice_agent *a = obj;
	struct candidate c;

	(void)nice;
	if (!convert(&c, nc))
		return;
	report(a, &c);
	if (c.type == CANDIDATE_HOST && a->public_address[0])
		report_mapped(a, &c);
}

static void on_gathered(NiceAgent *nice, guint stream, gpointer obj)
{
	struct ice_agent *a = obj;

	(void)nice;
	(void)stream;
	a->ev->candidate(a->obj, NULL);
}

static void on_selected(NiceAgent *nice, guint stream, guint component, NiceCandidate *local,
			NiceCandidate *remote, gpointer obj)
{
	struct ice_agent *a = obj;

	(void)stream;
	(void)component;
	(void)local;
	(void)remote;
	/* It ticks at 50 Hz for this long (5 s) after the last check, in case more
	 * candidates come; now that a pair works it need not. */
	g_object_set(nice, "idle-timeout", IDLE_MS, NULL);
	a->ev->selected(a->obj);
}

static void on_state(NiceAgent *nice, guint stream, guint component, guint state, gpointer obj)
{
	struct ice_agent *a = obj;

	(void)nice;
	(void)stream;
	(void)component;
	if (state == NICE_COMPONENT_STATE_FAILED)
		a->ev->failed(a->obj);
}

static void on_input(NiceAgent *nice, guint stream, guint component, guint len, gchar *p,
		     gpointer obj)
{
	struct ice_agent *a = obj;

	(void)nice;
	(void)stream;
	(void)component;
	a->ev->input(a->obj, (const uint8_t *)p, len);
}

static void add_address(struct ice_agent *a, const char *text)
{
	NiceAddress *addr = nice_address_new();

	if (nice_address_set_from_string(addr, text))
		nice_agent_add_local_address(a->nice, addr);
	nice_address_free(addr);
}

/* libnice never takes the loopback by itself. It is also taken, unasked, by a
 * machine that has no other address: there is nobody else to talk to. */
static void add_addresses(struct ice_agent *a, bool loopback)
{
	GList *all = nice_interfaces_get_local_ips(FALSE);
	size_t n = 0;

	for (GList *l = all; l; l = l->next) {
		const char *text = l->data;

		if (!strncasecmp(text, "fe80:", 5) || strchr(text, '%'))
			continue;
		add_address(a, text);
		n++;
	}
	if (loopback || n == 0)
		add_address(a, "127.0.0.1");
	g_list_free_full(all, g_free);
}

static int add_servers(struct ice_agent *a, const struct ice_cfg *cfg)
{
	static const NiceRelayType relay[] = {
		[ICE_TURN_UDP] = NICE_RELAY_TYPE_TURN_UDP,
		[ICE_TURN_TCP] = NICE_RELAY_TYPE_TURN_TCP,
		[ICE_TURN_TLS] = NICE_RELAY_TYPE_TURN_TLS,
	};
	bool have_stun = false;

	for (size_t i = 0; i < cfg->n_servers; i++) {
		const struct ice_server *v = &cfg->servers[i];

		if (!numeric(v->host) || v->port == 0)
			return -EINVAL;
		if (v->kind == ICE_STUN && !have_stun) {
			g_object_set(a->nice, "stun-server", v->host, "stun-server-port",
				     (guint)v->port, NULL);
			have_stun = true;
		} else if (v->kind >= ICE_TURN_UDP && v->kind <= ICE_TURN_TLS) {
			if (!v->user || !v->password ||
			    !nice_agent_set_relay_info(a->nice, a->stream, COMPONENT, v->host,
						       v->port, v->user, v->password,
						       relay[v->kind]))
				return -EINVAL;
		}
	}
	return 0;
}

static int setup(struct ice_agent *a, const struct ice_cfg *cfg) ON_THREAD(ROLE_NET)
{
	NiceAgentOption options = NICE_AGENT_OPTION_ICE_TRICKLE;

	if (!cfg->no_consent)
		options |= NICE_AGENT_OPTION_CONSENT_FRESHNESS;
	a->nice = nice_agent_new_full(gpoll_context(a->poll), NICE_COMPATIBILITY_RFC5245, options);
	g_object_set(a->nice, "controlling-mode", (gboolean)cfg->controlling, "upnp", FALSE,
		     "ice-tcp", FALSE, NULL);
	a->stream = nice_agent_add_stream(a->nice, 1);
	if (!a->stream ||
	    !nice_agent_set_local_credentials(a->nice, a->stream, cfg->local_ufrag, cfg->local_pwd))
		return -EINVAL;
	if (cfg->port_min || cfg->port_max)
		nice_agent_set_port_range(a->nice, a->stream, COMPONENT, cfg->port_min,
					  cfg->port_max);
	add_addresses(a, cfg->loopback);
	g_signal_connect(a->nice, "new-candidate-full", G_CALLBACK(on_candidate), a);
	g_signal_connect(a->nice, "candidate-gathering-done", G_CALLBACK(on_gathered), a);
	g_signal_connect(a->nice, "new-selected-pair-full", G_CALLBACK(on_selected), a);
	g_signal_connect(a->nice, "component-state-changed", G_CALLBACK(on_state), a);
	nice_agent_attach_recv(a->nice, a->stream, COMPONENT, gpoll_context(a->poll), on_input, a);
	return add_servers(a, cfg);
}

int ice_agent_new(struct ice_agent **out, struct net_shard *s, const struct ice_cfg *cfg,
		  const struct ice_agent_events *ev, void *obj)
{
	struct ice_agent *a;
	int err;

	if (!credential_ok(cfg->local_ufrag, MIN_UFRAG) ||
	    !credential_ok(cfg->local_pwd, MIN_PWD) || cfg->port_min > cfg->port_max ||
	    (cfg->port_max && !cfg->port_min) ||
	    (cfg->public_address && !numeric(cfg->public_address)))
		return -EINVAL;
	a = calloc(1, sizeof *a);
	if (!a)
		return -ENOMEM;
	a->ev = ev;
	a->obj = obj;
	if (cfg->public_address)
		strncpy(a->public_address, cfg->public_address, sizeof a->public_address - 1);
	err = gpoll_new(&a->poll, s);
	if (!err)
		err = setup(a, cfg);
	if (err)
		ice_agent_free(&a);
	else
		*out = a;
	return err;
}

/* The descriptors leave the epoll before libnice closes them. */
void ice_agent_free(struct ice_agent **a)
{
	struct ice_agent *d = *a;

	if (!d)
		return;
	gpoll_free(&d->poll);
	if (d->nice) {
		g_signal_handlers_disconnect_by_data(d->nice, d);
		if (d->stream)
			nice_agent_remove_stream(d->nice, d->stream);
		g_object_unref(d->nice);
	}
	g_slist_free_full(d->early, (GDestroyNotify)nice_candidate_free);
	free(d);
	*a = NULL;
}

int ice_agent_gather(struct ice_agent *a)
{
	gboolean ok = nice_agent_gather_candidates(a->nice, a->stream);

	gpoll_touch(a->poll);
	return ok ? 0 : -EADDRNOTAVAIL;
}

int ice_agent_set_remote(struct ice_agent *a, const char *ufrag, const char *pwd)
{
	if (!credential_ok(ufrag, MIN_UFRAG) || !credential_ok(pwd, MIN_PWD) ||
	    !nice_agent_set_remote_credentials(a->nice, a->stream, ufrag, pwd))
		return -EINVAL;
	a->have_remote = true;
	if (a->early)
		nice_agent_set_remote_candidates(a->nice, a->stream, COMPONENT, a->early);
	g_slist_free_full(a->early, (GDestroyNotify)nice_candidate_free);
	a->early = NULL;
	if (a->remote_done)
		nice_agent_peer_candidate_gathering_done(a->nice, a->stream);
	gpoll_touch(a->poll);
	return 0;
}

static NiceCandidate *make_remote(const struct ice_agent *a, const struct candidate *c)
{
	static const NiceCandidateType type[] = {
		[CANDIDATE_HOST] = NICE_CANDIDATE_TYPE_HOST,
		[CANDIDATE_SRFLX] = NICE_CANDIDATE_TYPE_SERVER_REFLEXIVE,
		[CANDIDATE_PRFLX] = NICE_CANDIDATE_TYPE_PEER_REFLEXIVE,
		[CANDIDATE_RELAY] = NICE_CANDIDATE_TYPE_RELAYED,
	};
	NiceCandidate *n = nice_candidate_new(type[c->type]);

	n->transport = NICE_CANDIDATE_TRANSPORT_UDP;
	n->stream_id = a->stream;
	n->component_id = COMPONENT;
	n->priority = c->priority;
	snprintf(n->foundation, sizeof n->foundation, "%s", c->foundation);
	nice_address_set_from_string(&n->addr, c->address);
	nice_address_set_port(&n->addr, c->port);
	n->base_addr = n->addr;
	if (c->related_address[0] && c->type != CANDIDATE_HOST) {
		nice_address_set_from_string(&n->base_addr, c->related_address);
		nice_address_set_port(&n->base_addr, c->related_port);
	}
	return n;
}

int ice_agent_add_candidate(struct ice_agent *a, const char *text)
{
	struct candidate c;
	GSList *one;
	int err;

	if (!text || !*text) {
		a->remote_done = true;
		if (a->have_remote)
			nice_agent_peer_candidate_gathering_done(a->nice, a->stream);
		gpoll_touch(a->poll);
		return 0;
	}
	err = candidate_parse(&c, text);
	if (err == -ENOTSUP || (!err && c.component != COMPONENT))
		return 0;
	if (err)
		return err;
	if (a->n_remote == MAX_REMOTE)
		return -ENOSPC;
	a->n_remote++;
	one = g_slist_append(NULL, make_remote(a, &c));
	if (!a->have_remote) {
		a->early = g_slist_concat(a->early, one);
		return 0;
	}
	nice_agent_set_remote_candidates(a->nice, a->stream, COMPONENT, one);
	g_slist_free_full(one, (GDestroyNotify)nice_candidate_free);
	gpoll_touch(a->poll);
	return 0;
}

bool ice_agent_path(struct ice_agent *a, struct udp_path *path)
{
	GSocket *sock = nice_agent_get_selected_socket(a->nice, a->stream, COMPONENT);
	NiceCandidate *local, *remote;
	bool ok = sock &&
		  nice_agent_get_selected_pair(a->nice, a->stream, COMPONENT, &local, &remote) &&
		  local->type != NICE_CANDIDATE_TYPE_RELAYED;

	if (ok) {
		memset(path, 0, sizeof *path);
		path->fd = g_socket_get_fd(sock);
		nice_address_copy_to_sockaddr(&remote->addr, (struct sockaddr *)&path->to);
		path->to_len = path->to.ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
							      : sizeof(struct sockaddr_in);
	}
	if (sock)
		g_object_unref(sock); /* the agent has its own reference while the pair is in use */
	return ok && path->fd >= 0;
}

void ice_agent_set_reader(struct ice_agent *a, int fd, bool patient, ice_agent_reader *fn,
			  void *obj)
{
	gpoll_set_reader(a->poll, fd, patient, fn, obj);
}

int ice_agent_send(struct ice_agent *a, const uint8_t *p, size_t len)
{
	int n = nice_agent_send(a->nice, a->stream, COMPONENT, (guint)len, (const gchar *)p);

	return n >= 0 ? 0 : -EAGAIN;
}

void ice_agent_revoke_consent(struct ice_agent *a)
{
	nice_agent_consent_lost(a->nice, a->stream, COMPONENT);
}
