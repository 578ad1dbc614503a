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
#include "mcu/net/demux.h"
#include "mcu/net/ice_agent.h"
#include "mcu/net/shard_loop.h"
#include "mcu/net/srtp_in.h"
#include "mcu/net/srtp_out.h"
#include "mcu/net/udp_send.h"

enum {
	EARLY_DATAGRAMS = 4, /* DTLS that came before we were ready */
	MAX_CREDENTIALS = 257,
	MAX_FINGERPRINT = 208,
};

/* Without any pair that works libnice reports failure, but a check of the peer
 * or a late candidate may still help. */
#define ICE_GRACE_NS (8 * NS_PER_S)

METRIC_COUNTER(d_unknown, "mcu_net_rx_unknown_total", "Datagrams dropped: not of a known protocol");
METRIC_COUNTER(d_early, "mcu_net_rx_early_total", "Packets dropped: before the keys were there");
METRIC_COUNTER(d_buffer, "mcu_net_rx_no_buffer_total", "RTP packets dropped: the pool is dry");
METRIC_COUNTER(d_size, "mcu_net_rx_oversize_total", "Packets dropped: too large");
METRIC_COUNTER(d_auth, "mcu_net_rx_auth_failed_total", "Packets dropped: authentication failed");
METRIC_COUNTER(d_replay, "mcu_net_rx_replayed_total", "Packets dropped: replayed or too old");
METRIC_COUNTER(d_streams, "mcu_net_rx_streams_total", "Packets dropped: too many SSRCs of a peer");
METRIC_COUNTER(d_unwanted, "mcu_net_rx_unwanted_total", "RTP dropped: the leg only receives");
METRIC_COUNTER(d_malformed, "mcu_net_rx_malformed_total", "Packets dropped: malformed");
METRIC_COUNTER(m_rx, "mcu_net_received_packets_total", "RTP and RTCP packets accepted");
METRIC_COUNTER(m_rx_octets, "mcu_net_received_octets_total", "Octets of those, decrypted");
METRIC_COUNTER(d_send, "mcu_net_tx_refused_total", "Packets to send dropped: not connected or relay busy");
METRIC_GAUGE(g_transports, "mcu_net_transports", "Transports that exist");
METRIC_GAUGE(g_connected, "mcu_net_transports_connected", "Transports that media may use");

enum state { NEW = 1, GATHERING, SELECTED, CONNECTED, DEAD };

struct early {
	uint16_t len;
	uint8_t octets[TRANSPORT_MTU + 300];
};

struct ice_transport {
	struct transport base;
	struct net_shard *shard;
	struct ice_agent *agent;
	const struct transport_events *ev;
	void *obj;
	struct shard_work work; /* gathering at first, destruction at last */
	struct net_timer timer; /* of the grace before, of DTLS after selection */
	enum state state;
	bool closing, publishes, direct, have_remote;
	unsigned profiles;
	const struct dtls_identity *identity;
	struct dtls *dtls;
	struct srtp_in *in;
	struct srtp_out *out;
	struct udp_path path;
	struct early *early;
	size_t n_early;
	struct transport_stats stats;
	enum transport_setup setup;
	char ufrag[MAX_CREDENTIALS], pwd[MAX_CREDENTIALS], fingerprint[MAX_FINGERPRINT];
};

static struct ice_transport *self(struct transport *t)
{
	return (struct ice_transport *)t;
}

static bool gone(const struct ice_transport *t)
{
	return t->closing || t->state == DEAD;
}

static void set_dead(struct ice_transport *t)
{
	if (t->state == CONNECTED)
		metric_add(&g_connected, -1);
	t->state = DEAD;
}

static void fail(struct ice_transport *t, const char *reason) ON_THREAD(ROLE_NET)
{
	if (gone(t))
		return;
	set_dead(t);
	net_timer_stop(&t->timer);
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
		t->state = CONNECTED;
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

	if (gone(t))
		return;
	if (st == DTLS_CLOSED) {
		fail(t, dtls_closed_reason(t->dtls));
		return;
	}
	if (st == DTLS_CONNECTED && t->state == SELECTED && make_sessions(t)) {
		fail(t, TRANSPORT_CLOSED_DTLS);
		return;
	}
	if (gone(t))
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
	if (dtls_new(&t->dtls, t->identity, t->setup, t->fingerprint, t->profiles, on_dtls_output, t)) {
		fail(t, TRANSPORT_CLOSED_DTLS);
		return;
	}
	follow_dtls(t, dtls_start(t->dtls));
	for (size_t i = 0; i < t->n_early && !gone(t); i++)
		follow_dtls(t, dtls_input(t->dtls, t->early[i].octets, t->early[i].len));
	t->n_early = 0;
	free(t->early);
	t->early = NULL;
}

/* The peer's checks may have succeeded before ours did. */
static void keep_early(struct ice_transport *t, const uint8_t *p, size_t len)
{
	if (!t->early)
		t->early = calloc(EARLY_DATAGRAMS, sizeof *t->early);
	if (!t->early || t->n_early == EARLY_DATAGRAMS || len > sizeof t->early->octets) {
		metric_add(&d_early, 1);
		return;
	}
	memcpy(t->early[t->n_early].octets, p, len);
	t->early[t->n_early++].len = (uint16_t)len;
}

/* ---- receiving ---- */

static void count_drop(struct ice_transport *t, int err)
{
	struct metric *m = &d_malformed;

	if (err == -EACCES)
		m = &d_auth;
	else if (err == -EALREADY)
		m = &d_replay;
	else if (err == -ENOSPC)
		m = &d_streams;
	else if (err == -ENOTSUP)
		m = &d_unwanted;
	metric_add(m, 1);
	t->stats.rx_dropped++;
}

static void count_input(struct ice_transport *t, size_t len)
{
	t->stats.rx_packets++;
	t->stats.rx_octets += len;
	metric_add(&m_rx, 1);
	metric_add(&m_rx_octets, (int64_t)len);
}

static void input_rtp(struct ice_transport *t, const uint8_t *p, size_t len) ON_THREAD(ROLE_NET)
{
	struct buf *b;
	int err;

	if (!t->publishes) {
		count_drop(t, -ENOTSUP);
		return;
	}
	b = buf_get(net_shard_packets(t->shard));
	if (!b) {
		metric_add(&d_buffer, 1);
		t->stats.rx_dropped++;
		return;
	}
	memcpy(b->data, p, len);
	b->len = len;
	err = srtp_in_rtp(t->in, b->data, &b->len);
	if (err || !t->ev->rtp) {
		if (err)
			count_drop(t, err);
		buf_unref(&b);
		return;
	}
	count_input(t, b->len);
	b->time_ns = clock_now_ns(&clock_monotonic);
	t->ev->rtp(t->obj, b, b->time_ns);
}

static void input_rtcp(struct ice_transport *t, const uint8_t *p, size_t len) ON_THREAD(ROLE_NET)
{
	_Alignas(8) uint8_t copy[NET_PACKET_BYTES];
	int err;

	memcpy(copy, p, len);
	err = srtp_in_rtcp(t->in, copy, &len);
	if (err) {
		count_drop(t, err);
		return;
	}
	count_input(t, len);
	if (t->ev->rtcp)
		t->ev->rtcp(t->obj, copy, len, clock_now_ns(&clock_monotonic));
}

static void input_media(struct ice_transport *t, enum demux_kind kind, const uint8_t *p, size_t len)
	ON_THREAD(ROLE_NET)
{
	if (t->state != CONNECTED) {
		metric_add(&d_early, 1);
		t->stats.rx_dropped++;
	} else if (len > NET_PACKET_BYTES) {
		metric_add(&d_size, 1);
		t->stats.rx_dropped++;
	} else if (kind == DEMUX_RTP) {
		input_rtp(t, p, len);
	} else {
		input_rtcp(t, p, len);
	}
}

static void on_input(void *obj, const uint8_t *p, size_t len)
{
	struct ice_transport *t = obj;
	enum demux_kind kind = demux_classify(p, len);

	role_assert_net();
	if (gone(t))
		return;
	switch (kind) {
	case DEMUX_RTP:
	case DEMUX_RTCP:
		input_media(t, kind, p, len);
		break;
	case DEMUX_DTLS:
		if (t->dtls)
			follow_dtls(t, dtls_input(t->dtls, p, len));
		else
			keep_early(t, p, len);
		break;
	default:
		metric_add(&d_unknown, 1);
		t->stats.rx_dropped++;
	}
}

/* ---- ICE ---- */

static void on_candidate(void *obj, const char *candidate)
{
	struct ice_transport *t = obj;

	if (!gone(t) && t->ev->candidate)
		t->ev->candidate(t->obj, candidate);
}

static void on_selected(void *obj)
{
	struct ice_transport *t = obj;

	role_assert_net();
	if (gone(t))
		return;
	t->direct = ice_agent_path(t->agent, &t->path);
	if (t->state != GATHERING)
		return;
	net_timer_stop(&t->timer);
	t->state = SELECTED;
	start_dtls(t);
}

static void on_failed(void *obj)
{
	struct ice_transport *t = obj;

	role_assert_net();
	if (t->state == SELECTED || t->state == CONNECTED)
		fail(t, TRANSPORT_CLOSED_CONSENT);
	else if (t->state == GATHERING && !gone(t) && !net_timer_running(&t->timer))
		net_timer_start(&t->timer, net_shard_now_ns(t->shard) + ICE_GRACE_NS, 0);
}

static const struct ice_agent_events agent_events = {
	.candidate = on_candidate,
	.selected = on_selected,
	.failed = on_failed,
	.input = on_input,
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

static void destroy(struct ice_transport *t) ON_THREAD(ROLE_NET)
{
	timers_remove(&t->timer);
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
	if (t->state != NEW)
		return;
	t->state = GATHERING;
	if (ice_agent_gather(t->agent))
		fail(t, TRANSPORT_CLOSED_ICE);
}

/* ---- calls ---- */

static int ice_set_remote(struct transport *base, const struct transport_remote *r)
{
	struct ice_transport *t = self(base);
	int err;

	role_assert_net();
	if (gone(t))
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
	struct ice_transport *t = self(base);

	role_assert_net();
	return gone(t) ? 0 : ice_agent_add_candidate(t->agent, candidate);
}

/* Without a socket of our own: one by one through the relay. */
static size_t send_relayed(struct ice_transport *t, struct udp_sender *s) ON_THREAD(ROLE_NET)
{
	size_t n = udp_send_queued(s), sent = 0, len;

	for (size_t i = 0; i < n; i++) {
		const uint8_t *p = udp_send_packet(s, i, &len);

		if (!ice_agent_send(t->agent, p, len))
			sent++;
	}
	metric_add(&d_send, (int64_t)(n - sent));
	udp_send_clear(s);
	return sent;
}

static size_t flush(struct ice_transport *t, struct udp_sender *s) ON_THREAD(ROLE_NET)
{
	size_t n = udp_send_queued(s);

	if (n == 0)
		return 0;
	n = t->direct ? udp_send_flush(s, &t->path) : send_relayed(t, s);
	t->stats.tx_packets += n;
	return n;
}

static size_t ice_send_rtp(struct transport *base, const struct out_pkt *pkts, size_t n)
{
	struct ice_transport *t = self(base);
	struct udp_sender *s;
	size_t sent = 0;

	role_assert_net();
	if (gone(t) || t->state != CONNECTED) {
		metric_add(&d_send, (int64_t)n);
		return 0;
	}
	s = net_shard_sender(t->shard);
	for (size_t i = 0; i < n; i++) {
		const struct out_pkt *k = &pkts[i];
		uint8_t *room = udp_send_room(s);
		int len;

		if (!room) {
			sent += flush(t, s);
			room = udp_send_room(s);
		}
		len = srtp_out_rtp(t->out, room, UDP_SEND_MAX_PACKET, k->hdr, k->hdr_len, k->payload,
				   k->payload_len);
		if (len < 0)
			continue;
		udp_send_commit(s, (size_t)len);
		t->stats.tx_octets += (size_t)len;
	}
	sent += flush(t, s);
	t->stats.tx_dropped += n - sent;
	return sent;
}

static int ice_send_rtcp(struct transport *base, const uint8_t *p, size_t len)
{
	struct ice_transport *t = self(base);
	struct udp_sender *s;
	int n;

	role_assert_net();
	if (gone(t) || t->state != CONNECTED)
		return -ENOTCONN;
	if (len > TRANSPORT_MAX_PACKET)
		return -EMSGSIZE;
	s = net_shard_sender(t->shard);
	n = srtp_out_rtcp(t->out, udp_send_room(s), UDP_SEND_MAX_PACKET, p, len);
	if (n < 0)
		return n;
	udp_send_commit(s, (size_t)n);
	if (flush(t, s) != 1) {
		t->stats.tx_dropped++;
		return -EAGAIN;
	}
	t->stats.tx_octets += (size_t)n;
	return 0;
}

static void ice_stats(const struct transport *base, struct transport_stats *out)
{
	*out = ((const struct ice_transport *)base)->stats;
}

static void ice_close(struct transport *base)
{
	struct ice_transport *t = self(base);

	role_assert_net();
	if (t->closing)
		return;
	/* close_notify leaves now; the rest goes when no callback is on the stack. */
	if (t->state == CONNECTED)
		dtls_goodbye(t->dtls);
	t->closing = true;
	set_dead(t);
	net_timer_stop(&t->timer);
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
	*t = (struct ice_transport){ .base.ops = &ice_ops, .shard = s, .ev = ev, .obj = obj,
				     .state = NEW, .publishes = cfg->publishes,
				     .profiles = cfg->srtp_profiles, .identity = cfg->identity };
	t->work = (struct shard_work){ .fn = on_work, .obj = t };
	err = timers_add(shard_timers(s), &t->timer, on_timer, t);
	if (err)
		goto out;
	err = ice_agent_new(&t->agent, s, cfg, &agent_events, t);
	if (err)
		timers_remove(&t->timer);
out:
	if (err) {
		free(t);
		return err;
	}
	metric_add(&g_transports, 1);
	shard_work_post(s, &t->work);
	*out = &t->base;
	return 0;
}

void transport_ice_revoke_consent(struct transport *t)
{
	role_assert_net();
	assert(t->ops == &ice_ops);
	if (!gone(self(t)))
		ice_agent_revoke_consent(self(t)->agent);
}

/* RFC 8839 section 5.4: ICE characters, at least 24 and 128 bits of chance. */
static void random_text(char *out, size_t n)
{
	static const char chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
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
