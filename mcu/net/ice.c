#include "mcu/net/ice.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#include "mcu/base/clock.h"
#include "mcu/base/hot.h"
#include "mcu/base/log.h"
#include "mcu/base/metrics.h"
#include "mcu/net/ice_transport.h"

enum { CONSENT_MS = 30000 }; /* RFC 7675 section 5.1 */

METRIC_COUNTER(d_early, "mcu_net_rx_early_total", "Packets dropped: before the keys were there");
METRIC_GAUGE(g_transports, "mcu_net_transports", "Transports that exist");
METRIC_GAUGE(g_connected, "mcu_net_transports_connected", "Transports that media may use");

static void set_dead(struct ice_transport *t)
{
	if (t->state == ICE_CONNECTED)
		metric_add(&g_connected, -1);
	t->state = ICE_DEAD;
}

void ice_fail(struct ice_transport *t, const char *reason)
{
	if (ice_gone(t))
		return;
	set_dead(t);
	net_timer_stop(&t->timer);
	net_timer_stop(&t->silence);
	net_timer_stop(&t->linger);
	t->ev->closed(t->obj, reason);
}

/* ---- keys ---- */

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
		ice_side_set_reader(t);
		metric_add(&g_connected, 1);
		if (ice_data_follow(t))
			log_warn(NULL, "a connection has no data channels: out of memory");
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
		ice_fail(t, dtls_closed_reason(t->dtls));
		return;
	}
	if (st == DTLS_CONNECTED && t->state == ICE_SELECTED && make_sessions(t)) {
		ice_fail(t, TRANSPORT_CLOSED_DTLS);
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
	ice_agent_send(t->now->agent, p, len); /* lost: DTLS sends again */
}

void ice_start_dtls(struct ice_transport *t)
{
	if (dtls_new(&t->dtls, t->identity, t->setup, t->fingerprint, t->profiles, on_dtls_output,
		     t)) {
		ice_fail(t, TRANSPORT_CLOSED_DTLS);
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

/* ---- life ---- */

static void on_timer(void *obj, int64_t due_ns)
{
	struct ice_transport *t = obj;

	(void)due_ns;
	role_assert_net();
	if (t->dtls)
		follow_dtls(t, dtls_timeout(t->dtls));
	else
		ice_fail(t, TRANSPORT_CLOSED_ICE);
}

static int add_timers(struct ice_transport *t)
	ON_THREAD(ROLE_NET)
{
	struct net_timers *h = shard_timers(t->shard);
	int err = timers_add(h, &t->timer, on_timer, t);

	if (err)
		return err;
	err = timers_add(h, &t->silence, ice_side_on_silence, t);
	if (err)
		goto no_silence;
	err = timers_add(h, &t->linger, ice_side_on_linger, t);
	if (!err)
		return 0;
	timers_remove(&t->silence);
no_silence:
	timers_remove(&t->timer);
	return err;
}

static void remove_timers(struct ice_transport *t) ON_THREAD(ROLE_NET)
{
	timers_remove(&t->timer);
	timers_remove(&t->silence);
	timers_remove(&t->linger);
}

static void destroy(struct ice_transport *t) ON_THREAD(ROLE_NET)
{
	remove_timers(t);
	sctp_free(&t->sctp); /* its ABORT finds DTLS closed */
	dtls_free(&t->dtls);
	ice_side_free_all(t);
	srtp_in_free(&t->in);
	srtp_out_free(&t->out);
	free(t->early);
	hot_free(t, sizeof *t);
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
	if (t->state == ICE_NEW)
		t->state = ICE_GATHERING;
	ice_side_work(t);
}

/* ---- calls ---- */

static int ice_set_remote(struct transport *base, const struct transport_remote *r)
{
	struct ice_transport *t = ice_self(base);
	int err;

	role_assert_net();
	if (ice_gone(t))
		return 0;
	if (!r->ufrag || !r->pwd || strlen(r->ufrag) >= ICE_MAX_CREDENTIAL ||
	    strlen(r->pwd) >= ICE_MAX_CREDENTIAL ||
	    (r->setup != TRANSPORT_ACTIVE && r->setup != TRANSPORT_PASSIVE))
		return -EINVAL;
	err = dtls_fingerprint_check(r->fingerprint);
	if (err)
		return err;
	if (t->have_peer && strcasecmp(t->fingerprint, r->fingerprint))
		return -EALREADY;
	if (!t->have_peer) {
		t->setup = r->setup;
		snprintf(t->fingerprint, sizeof t->fingerprint, "%s", r->fingerprint);
	}
	err = ice_side_set_remote(t, r->ufrag, r->pwd);
	t->have_peer |= !err;
	return err;
}

static int ice_add_candidate(struct transport *base, const char *candidate)
{
	struct ice_transport *t = ice_self(base);

	role_assert_net();
	return ice_gone(t) ? 0 : ice_side_add_candidate(t, candidate);
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
	net_timer_stop(&t->linger);
	shard_work_post(t->shard, &t->work);
}

static const struct transport_ops ice_ops = {
	.set_remote = ice_set_remote,
	.add_candidate = ice_add_candidate,
	.send_rtp = ice_send_rtp,
	.send_rtcp = ice_send_rtcp,
	.prefetch = ice_prefetch,
	.start_data = ice_start_data,
	.send_data = ice_send_data,
	.close_data = ice_close_data,
	.hurry = ice_hurry,
	.stats = ice_stats,
	.close = ice_close,
};

int transport_ice_new(struct transport **out, struct net_shard *s, const struct ice_cfg *cfg,
		      const struct transport_events *ev, void *obj)
{
	struct ice_transport *t;
	int err;

	role_assert_net();
	assert(ev->closed);
	if (!cfg->identity)
		return -EINVAL;
	t = hot_calloc(sizeof *t);
	if (!t)
		return -ENOMEM;
	*t = (struct ice_transport){ .base.ops = &ice_ops,
				     .shard = s,
				     .ev = ev,
				     .obj = obj,
				     .state = ICE_NEW,
				     .publishes = cfg->publishes,
				     .consent_ns = (cfg->consent_ms ? cfg->consent_ms : CONSENT_MS) *
						   NS_PER_MS,
				     .profiles = cfg->srtp_profiles,
				     .rx.max_kbps = cfg->max_rx_kbps,
				     .identity = cfg->identity };
	t->work = (struct shard_work){ .fn = on_work, .obj = t };
	err = add_timers(t);
	if (!err) {
		err = ice_side_new(&t->now, t, cfg);
		if (err)
			remove_timers(t);
	}
	if (err) {
		hot_free(t, sizeof *t);
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
	int err = 0;

	role_assert_net();
	assert(base->ops == &ice_ops);
	if (ice_gone(t) || t->publishes)
		return 0;
	if (t->state == ICE_CONNECTED) {
		dtls_keys(t->dtls, &local, &remote);
		err = srtp_in_publish(t->in, &remote);
		OPENSSL_cleanse(&local, sizeof local);
		OPENSSL_cleanse(&remote, sizeof remote);
		if (err)
			return err;
	}
	t->publishes = true;
	if (t->state == ICE_CONNECTED)
		ice_side_set_reader(t);
	return 0;
}

void transport_ice_revoke_consent(struct transport *t)
{
	role_assert_net();
	assert(t->ops == &ice_ops);
	if (!ice_gone(ice_self(t)))
		ice_agent_revoke_consent(ice_self(t)->now->agent);
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
