#include "mcu/net/ice.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#include "mcu/base/clock.h"
#include "mcu/base/log.h"
#include "mcu/base/metrics.h"
#include "mcu/net/ice_transport.h"

/* Without any pair that works libnice reports failure, but a check of the peer
 * or a late candidate may still help. */
#define ICE_GRACE_NS (8 * NS_PER_S)
/* RFC 7675 section 5.1. */
#define CONSENT_NS (30 * NS_PER_S)

METRIC_COUNTER(d_early, "mcu_net_rx_early_total", "Packets dropped: before the keys were there");
METRIC_GAUGE(g_transports, "mcu_net_transports", "Transports that exist");
METRIC_GAUGE(g_connected, "mcu_net_transports_connected", "Transports that media may use");

static void set_dead(struct ice_transport *t)
{
	if (t->state == ICE_CONNECTED)
		metric_add(&g_connected, -1);
	t->state = ICE_DEAD;
}

static void fail(struct ice_transport *t, const char *reason) ON_THREAD(ROLE_NET)
{
	if (ice_gone(t))
		return;
	set_dead(t);
	net_timer_stop(&t->timer);
	net_timer_stop(&t->silence);
	t->ev->closed(t->obj, reason);
}

/* ---- keys ---- */

/* A peer that only receives sends nothing that could not wait a little. */
static void set_reader(struct ice_transport *t) ON_THREAD(ROLE_NET)
{
	bool patient = t->state == ICE_CONNECTED && !t->publishes;

	ice_agent_set_reader(t->agent, t->direct ? t->path.fd : -1, patient, ice_read, t);
}

static int make_sessions(struct ice_transport *t) ON_THREAD(ROLE_NET)
{
	struct srtp_keys local, remote;
	int err;

	dtls_keys(t->dtls, &local, &remote);
	err = srtp_out_new(&t->out, &local);
	if (!err)
		err = srtp_in_new(&t->in, &remote, t->publishes);
	if (!err) {
		t->state = ICE_CONNECTED;
		t->heard_ns = clock_now_ns(&clock_monotonic);
		set_reader(t);
		metric_add(&g_connected, 1);
		if (t->ev->connected)
			t->ev->connected(t->obj, srtp_profile_name(local.profile));
	}
	OPENSSL_cleanse(&local, sizeof local);
	OPENSSL_cleanse(&remote, sizeof remote);
	return err;
}

/* After every step of the handshake. */
static void follow_dtls(struct ice_transport *t, enum dtls_state st) ON_THREAD(ROLE_NET)
{
	int64_t in_ns;

	if (ice_gone(t))
		return;
	if (st == DTLS_CLOSED) {
		fail(t, dtls_closed_reason(t->dtls));
		return;
	}
	if (st == DTLS_CONNECTED && t->state == ICE_SELECTED && make_sessions(t)) {
		fail(t, TRANSPORT_CLOSED_DTLS);
		return;
	}
	if (ice_gone(t))
		return;
	in_ns = dtls_timeout_in_ns(t->dtls);
	if (in_ns >= 0)
		net_timer_start(&t->timer, clock_now_ns(&clock_monotonic) + in_ns + NS_PER_MS, 0);
	else
		net_timer_stop(&t->timer);
}

static void on_dtls_output(void *obj, const uint8_t *p, size_t len)
{
	struct ice_transport *t = obj;

	role_assert_net();
	ice_agent_send(t->agent, p, len); /* lost: DTLS sends again */
}

static void start_dtls(struct ice_transport *t) ON_THREAD(ROLE_NET)
{
	if (dtls_new(&t->dtls, t->identity, t->setup, t->fingerprint, t->profiles, on_dtls_output,
		     t)) {
		fail(t, TRANSPORT_CLOSED_DTLS);
		return;
	}
	follow_dtls(t, dtls_start(t->dtls));
	for (size_t i = 0; i < t->n_early && !ice_gone(t); i++)
		follow_dtls(t, dtls_input(t->dtls, t->early[i].octets, t->early[i].len));
	t->n_early = 0;
	free(t->early);
	t->early = NULL;
}

void ice_count_early(struct ice_transport *t)
{
	metric_add(&d_early, 1);
	t->stats.rx_dropped++;
}

/* The peer's checks may have succeeded before ours did. */
static void keep_early(struct ice_transport *t, const uint8_t *p, size_t len)
{
	if (!t->early)
		t->early = calloc(ICE_EARLY_DATAGRAMS, sizeof *t->early);
	if (!t->early || t->n_early == ICE_EARLY_DATAGRAMS || len > sizeof t->early->octets) {
		ice_count_early(t);
		return;
	}
	memcpy(t->early[t->n_early].octets, p, len);
	t->early[t->n_early++].len = (uint16_t)len;
}

void ice_input_dtls(struct ice_transport *t, const uint8_t *p, size_t len)
{
	if (t->dtls)
		follow_dtls(t, dtls_input(t->dtls, p, len));
	else
		keep_early(t, p, len);
}

/* ---- ICE ---- */

static void on_candidate(void *obj, const char *candidate)
{
	struct ice_transport *t = obj;

	if (!ice_gone(t) && t->ev->candidate)
		t->ev->candidate(t->obj, candidate);
}

static void on_selected(void *obj)
{
	struct ice_transport *t = obj;

	role_assert_net();
	if (ice_gone(t))
		return;
	t->direct = ice_agent_path(t->agent, &t->path);
	set_reader(t);
	if (t->state != ICE_GATHERING)
		return;
	net_timer_stop(&t->timer);
	t->state = ICE_SELECTED;
	start_dtls(t);
}

/* libnice gives up 10 s after the last answer to its checks, of which it sends one
 * in five seconds: four seconds without a network can be too much, and it does not
 * come back. RFC 7675 wants 30 s. So from then on whatever is authentic shows that
 * the peer is there, as long as we can send without libnice. */
static void await_silence(struct ice_transport *t) ON_THREAD(ROLE_NET)
{
	int64_t end_ns = t->heard_ns + CONSENT_NS;

	if (ice_gone(t))
		return;
	if (end_ns <= clock_now_ns(&clock_monotonic))
		fail(t, TRANSPORT_CLOSED_CONSENT);
	else
		net_timer_start(&t->silence, end_ns, 0);
}

static void on_silence(void *obj, int64_t due_ns)
{
	(void)due_ns;
	role_assert_net();
	await_silence(obj);
}

static void on_failed(void *obj)
{
	struct ice_transport *t = obj;

	role_assert_net();
	if (t->state == ICE_CONNECTED && t->direct)
		await_silence(t);
	else if (t->state == ICE_SELECTED || t->state == ICE_CONNECTED)
		fail(t, TRANSPORT_CLOSED_CONSENT);
	else if (t->state == ICE_GATHERING && !ice_gone(t) && !net_timer_running(&t->timer))
		net_timer_start(&t->timer, net_shard_now_ns(t->shard) + ICE_GRACE_NS, 0);
}

static const struct ice_agent_events agent_events = {
	.candidate = on_candidate,
	.selected = on_selected,
	.failed = on_failed,
	.input = ice_input,
};

static void on_timer(void *obj, int64_t due_ns)
{
	struct ice_transport *t = obj;

	(void)due_ns;
	role_assert_net();
	if (t->dtls)
		follow_dtls(t, dtls_timeout(t->dtls));
	else
		fail(t, TRANSPORT_CLOSED_ICE);
}

static int add_timers(struct ice_transport *t)
	ON_THREAD(ROLE_NET)
{
	struct net_timers *h = shard_timers(t->shard);
	int err = timers_add(h, &t->timer, on_timer, t);

	if (err)
		return err;
	err = timers_add(h, &t->silence, on_silence, t);
	if (err)
		timers_remove(&t->timer);
	return err;
}

static void remove_timers(struct ice_transport *t) ON_THREAD(ROLE_NET)
{
	timers_remove(&t->timer);
	timers_remove(&t->silence);
}

static void destroy(struct ice_transport *t) ON_THREAD(ROLE_NET)
{
	remove_timers(t);
	dtls_free(&t->dtls);
	ice_agent_free(&t->agent);
	srtp_in_free(&t->in);
	srtp_out_free(&t->out);
	free(t->early);
	free(t);
	metric_add(&g_transports, -1);
}

static void on_work(void *obj)
{
	struct ice_transport *t = obj;

	role_assert_net();
	if (t->closing) {
		destroy(t);
		return;
	}
	if (t->state != ICE_NEW)
		return;
	t->state = ICE_GATHERING;
	if (ice_agent_gather(t->agent))
		fail(t, TRANSPORT_CLOSED_ICE);
}

/* ---- calls ---- */

static int ice_set_remote(struct transport *base, const struct transport_remote *r)
{
	struct ice_transport *t = ice_self(base);
	int err;

	role_assert_net();
	if (ice_gone(t))
		return 0;
	if (!r->ufrag || !r->pwd || strlen(r->ufrag) >= sizeof t->ufrag ||
	    strlen(r->pwd) >= sizeof t->pwd ||
	    (r->setup != TRANSPORT_ACTIVE && r->setup != TRANSPORT_PASSIVE))
		return -EINVAL;
	err = dtls_fingerprint_check(r->fingerprint);
	if (err)
		return err;
	if (t->have_remote)
		return strcmp(t->ufrag, r->ufrag) || strcmp(t->pwd, r->pwd) ||
				       strcasecmp(t->fingerprint, r->fingerprint)
			       ? -EALREADY
			       : 0;
	t->setup = r->setup;
	snprintf(t->ufrag, sizeof t->ufrag, "%s", r->ufrag);
	snprintf(t->pwd, sizeof t->pwd, "%s", r->pwd);
	snprintf(t->fingerprint, sizeof t->fingerprint, "%s", r->fingerprint);
	err = ice_agent_set_remote(t->agent, r->ufrag, r->pwd);
	t->have_remote = !err;
	return err;
}

static int ice_add_candidate(struct transport *base, const char *candidate)
{
	struct ice_transport *t = ice_self(base);

	role_assert_net();
	return ice_gone(t) ? 0 : ice_agent_add_candidate(t->agent, candidate);
}

static void ice_stats(const struct transport *base, struct transport_stats *out)
{
	*out = ((const struct ice_transport *)base)->stats;
}

static void ice_close(struct transport *base)
{
	struct ice_transport *t = ice_self(base);

	role_assert_net();
	if (t->closing)
		return;
	/* close_notify leaves now; the rest goes when no callback is on the stack. */
	if (t->state == ICE_CONNECTED)
		dtls_goodbye(t->dtls);
	t->closing = true;
	set_dead(t);
	net_timer_stop(&t->timer);
	net_timer_stop(&t->silence);
	shard_work_post(t->shard, &t->work);
}

static const struct transport_ops ice_ops = {
	.set_remote = ice_set_remote,
	.add_candidate = ice_add_candidate,
	.send_rtp = ice_send_rtp,
	.send_rtcp = ice_send_rtcp,
	.stats = ice_stats,
	.close = ice_close,
};

/* ---- life ---- */

int transport_ice_new(struct transport **out, struct net_shard *s, const struct ice_cfg *cfg,
		      const struct transport_events *ev, void *obj)
{
	struct ice_transport *t;
	int err;

	role_assert_net();
	assert(ev->closed);
	if (!cfg->identity)
		return -EINVAL;
	t = calloc(1, sizeof *t);
	if (!t)
		return -ENOMEM;
	*t = (struct ice_transport){ .base.ops = &ice_ops,
				     .shard = s,
				     .ev = ev,
				     .obj = obj,
				     .state = ICE_NEW,
				     .publishes = cfg->publishes,
				     .profiles = cfg->srtp_profiles,
				     .identity = cfg->identity };
	t->work = (struct shard_work){ .fn = on_work, .obj = t };
	err = add_timers(t);
	if (!err) {
		err = ice_agent_new(&t->agent, s, cfg, &agent_events, t);
		if (err)
			remove_timers(t);
	}
	if (err) {
		free(t);
		return err;
	}
	metric_add(&g_transports, 1);
	shard_work_post(s, &t->work);
	*out = &t->base;
	return 0;
}

int transport_ice_publish(struct transport *base)
{
	struct ice_transport *t = ice_self(base);
	struct srtp_keys local, remote;
	struct srtp_in *in = NULL;
	int err = 0;

	role_assert_net();
	assert(base->ops == &ice_ops);
	if (ice_gone(t) || t->publishes)
		return 0;
	if (t->state == ICE_CONNECTED) {
		dtls_keys(t->dtls, &local, &remote);
		err = srtp_in_new(&in, &remote, true);
		OPENSSL_cleanse(&local, sizeof local);
		OPENSSL_cleanse(&remote, sizeof remote);
		if (err)
			return err;
		srtp_in_free(&t->in);
		t->in = in;
	}
	t->publishes = true;
	if (t->state == ICE_CONNECTED)
		set_reader(t);
	return 0;
}

void transport_ice_revoke_consent(struct transport *t)
{
	role_assert_net();
	assert(t->ops == &ice_ops);
	if (!ice_gone(ice_self(t)))
		ice_agent_revoke_consent(ice_self(t)->agent);
}

/* RFC 8839 section 5.4: ICE characters, at least 24 and 128 bits of chance. */
static void random_text(char *out, size_t n)
{
	static const char chars[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned char r[ICE_PWD_BYTES];

	assert(n <= sizeof r);
	if (RAND_bytes(r, (int)n) != 1)
		abort();
	for (size_t i = 0; i + 1 < n; i++)
		out[i] = chars[r[i] & 63];
	out[n - 1] = '\0';
}

void ice_credentials_new(char ufrag[ICE_UFRAG_BYTES], char pwd[ICE_PWD_BYTES])
{
	random_text(ufrag, ICE_UFRAG_BYTES);
	random_text(pwd, ICE_PWD_BYTES);
}
