/* ICE by libnice. All agents share one GMainContext that is iterated, never
 * waited on, by ice_nice_sweep_all. */
#include <nice/agent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/load/ice.h"
#include "tests/load/util.h"

enum { MAX_ITERATIONS = 256, MAX_EARLY = 32 };

struct nice {
	struct ice ice;
	NiceAgent *agent;
	guint stream;
	bool has_remote, selected;
	char *early[MAX_EARLY]; /* candidates that came before the answer */
	int early_n;
};

static GMainContext *context;

static struct nice *nice_of(struct ice *i)
{
	return (struct nice *)i;
}

static void on_candidate(NiceAgent *agent, NiceCandidate *c, gpointer arg)
{
	struct nice *n = arg;
	gchar *line = nice_agent_generate_local_candidate_sdp(agent, c);

	if (!n->ice.muted)
		n->ice.events->candidate(n->ice.obj, line + strlen("a="));
	g_free(line);
}

static void on_gathered(NiceAgent *agent, guint stream, gpointer arg)
{
	struct nice *n = arg;

	(void)agent;
	(void)stream;
	if (!n->ice.muted)
		n->ice.events->candidate(n->ice.obj, NULL);
}

static void on_state(NiceAgent *agent, guint stream, guint component, guint state, gpointer arg)
{
	struct nice *n = arg;

	(void)agent;
	(void)stream;
	(void)component;
	if (n->ice.muted)
		return;
	if (state == NICE_COMPONENT_STATE_FAILED) {
		n->ice.events->failed(n->ice.obj,
				      n->selected ? "consent expired" : "no candidate pair works");
	} else if (state == NICE_COMPONENT_STATE_READY && !n->selected) {
		n->selected = true;
		n->ice.events->selected(n->ice.obj);
	}
}

static void on_receive(NiceAgent *agent, guint stream, guint component, guint len, gchar *buf,
		       gpointer arg)
{
	static uint8_t copy[65536 + ICE_TAILROOM];
	struct nice *n = arg;

	(void)agent;
	(void)stream;
	(void)component;
	if (n->ice.muted || !len || len > 65536)
		return;
	memcpy(copy, buf, len);
	n->ice.events->packet(n->ice.obj, copy, len, bot_now_ns());
}

static void nice_start(struct ice *i)
{
	struct nice *n = nice_of(i);

	if (!nice_agent_gather_candidates(n->agent, n->stream))
		bot_die("libnice: cannot gather candidates");
}

static void add_now(struct nice *n, const char *sdp)
{
	NiceCandidate *c;
	GSList *list;
	char line[512];

	snprintf(line, sizeof line, "a=%s", sdp);
	c = nice_agent_parse_remote_candidate_sdp(n->agent, n->stream, line);
	if (!c)
		return;
	list = g_slist_append(NULL, c);
	nice_agent_set_remote_candidates(n->agent, n->stream, NICE_COMPONENT_TYPE_RTP, list);
	g_slist_free_full(list, (GDestroyNotify)nice_candidate_free);
}

static void nice_set_remote(struct ice *i, const char *ufrag, const char *pwd)
{
	struct nice *n = nice_of(i);

	if (!nice_agent_set_remote_credentials(n->agent, n->stream, ufrag, pwd))
		bot_die("libnice: remote credentials refused");
	n->has_remote = true;
	for (int k = 0; k < n->early_n; k++) {
		add_now(n, n->early[k]);
		free(n->early[k]);
	}
	n->early_n = 0;
}

static void nice_add_candidate(struct ice *i, const char *sdp)
{
	struct nice *n = nice_of(i);

	if (n->has_remote)
		add_now(n, sdp);
	else if (n->early_n < MAX_EARLY)
		n->early[n->early_n++] = strdup(sdp);
}

static bool nice_send(struct ice *i, const uint8_t *p, size_t len)
{
	struct nice *n = nice_of(i);

	return n->selected && nice_agent_send(n->agent, n->stream, NICE_COMPONENT_TYPE_RTP,
					      (guint)len, (const gchar *)p) == (gint)len;
}

/* libnice answers checks by itself as long as it is iterated, so the agent goes. */
static void nice_mute(struct ice *i)
{
	struct nice *n = nice_of(i);

	if (!n->agent)
		return;
	g_signal_handlers_disconnect_by_data(n->agent, n);
	nice_agent_attach_recv(n->agent, n->stream, NICE_COMPONENT_TYPE_RTP, NULL, NULL, NULL);
	nice_agent_remove_stream(n->agent, n->stream);
	g_clear_object(&n->agent);
	n->selected = false;
}

static void nice_ice_free(struct ice *i)
{
	struct nice *n = nice_of(i);

	nice_mute(i);
	for (int k = 0; k < n->early_n; k++)
		free(n->early[k]);
	free(n);
}

static const struct ice_ops OPS = {
	.start = nice_start,
	.set_remote = nice_set_remote,
	.add_candidate = nice_add_candidate,
	.send = nice_send,
	.mute = nice_mute,
	.free = nice_ice_free,
};

static void use_relay(struct nice *n)
{
	const struct ice_relay *r = ice_relay();

	if (!r->port)
		return;
	if (!nice_agent_set_relay_info(n->agent, n->stream, NICE_COMPONENT_TYPE_RTP, r->address,
				       r->port, r->user, r->password, NICE_RELAY_TYPE_TURN_UDP))
		bot_die("libnice: %s:%u is no relay", r->address, r->port);
	g_object_set(n->agent, "force-relay", TRUE, NULL);
}

struct ice *ice_nice_new(const struct ice_cfg *cfg)
{
	struct nice *n = bot_alloc(sizeof *n);
	NiceAddress local;

	if (!context)
		context = g_main_context_new();
	n->ice.ops = &OPS;
	n->agent = nice_agent_new_full(context, NICE_COMPATIBILITY_RFC5245,
				       NICE_AGENT_OPTION_ICE_TRICKLE |
					       NICE_AGENT_OPTION_CONSENT_FRESHNESS |
					       NICE_AGENT_OPTION_REGULAR_NOMINATION);
	g_object_set(n->agent, "upnp", FALSE, "ice-tcp", FALSE, "controlling-mode",
		     cfg->controlling, NULL);
	nice_address_init(&local);
	if (!nice_address_set_from_string(&local, ice_address()))
		bot_die("%s is no address", ice_address());
	nice_agent_add_local_address(n->agent, &local);
	n->stream = nice_agent_add_stream(n->agent, 1);
	if (!n->stream ||
	    !nice_agent_set_local_credentials(n->agent, n->stream, cfg->ufrag, cfg->pwd))
		bot_die("libnice: no stream");
	use_relay(n);
	g_signal_connect(n->agent, "new-candidate-full", G_CALLBACK(on_candidate), n);
	g_signal_connect(n->agent, "candidate-gathering-done", G_CALLBACK(on_gathered), n);
	g_signal_connect(n->agent, "component-state-changed", G_CALLBACK(on_state), n);
	nice_agent_attach_recv(n->agent, n->stream, NICE_COMPONENT_TYPE_RTP, context, on_receive,
			       n);
	return &n->ice;
}

void ice_nice_sweep_all(void)
{
	for (int k = 0; context && k < MAX_ITERATIONS && g_main_context_iteration(context, FALSE);
	     k++)
		;
}
