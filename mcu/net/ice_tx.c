#include "mcu/net/ice_transport.h"

#include <errno.h>

#include "mcu/base/metrics.h"

METRIC_COUNTER(d_send, "mcu_net_tx_refused_total",
	       "Packets to send dropped: not connected, or the relay is busy");

/* Without a socket of our own: one by one through the relay. */
static size_t send_relayed(struct ice_transport *t, struct udp_sender *s) ON_THREAD(ROLE_NET)
{
	size_t n = udp_send_queued(s), sent = 0, len;

	for (size_t i = 0; i < n; i++) {
		const uint8_t *p = udp_send_packet(s, i, &len);

		if (!ice_agent_send(t->now->agent, p, len))
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

size_t ice_send_rtp(struct transport *base, const struct out_pkt *pkts, size_t n)
{
	struct ice_transport *t = ice_self(base);
	struct udp_sender *s;
	size_t sent = 0;

	role_assert_net();
	if (ice_gone(t) || t->state != ICE_CONNECTED) {
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
		len = srtp_out_rtp(t->out, room, UDP_SEND_MAX_PACKET, k->hdr, k->hdr_len,
				   k->payload, k->payload_len);
		if (len < 0)
			continue;
		udp_send_commit(s, (size_t)len);
		t->stats.tx_octets += (size_t)len;
	}
	sent += flush(t, s);
	t->stats.tx_dropped += n - sent;
	return sent;
}

int ice_send_rtcp(struct transport *base, const uint8_t *p, size_t len)
{
	struct ice_transport *t = ice_self(base);
	struct udp_sender *s;
	int n;

	role_assert_net();
	if (ice_gone(t) || t->state != ICE_CONNECTED)
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

void ice_prefetch(const struct transport *base, unsigned step)
{
	const struct ice_transport *t = (const struct ice_transport *)base;

	if (t->out)
		srtp_out_prefetch(t->out, step - 1);
}
