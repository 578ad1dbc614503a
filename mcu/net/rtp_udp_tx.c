#include "mcu/net/rtp_udp_priv.h"

#include <errno.h>
#include <string.h>

#include "mcu/base/clock.h"
#include "mcu/base/metrics.h"
#include "mcu/net/udp_post.h"

METRIC_COUNTER(m_nowhere, "mcu_net_tx_nowhere_total",
	       "Packets over plain UDP dropped: of no line that is sent, or without an address");

METRIC_COUNTER(m_withheld, "mcu_net_tx_withheld_total",
	       "Packets over plain UDP not sent: their call was not acknowledged, or nothing had been "
	       "heard from where its description says");

static uint32_t ssrc_at(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static struct udp_line *line_of(struct udp_transport *t, uint32_t ssrc)
{
	for (int i = RTP_LINE_AUDIO; i < RTP_LINES; i++)
		if (t->line[i].ssrc == ssrc || t->line[i].rtx_ssrc == ssrc)
			return t->line[i].said.used && ssrc ? &t->line[i] : NULL;
	return NULL;
}

static size_t flush(struct udp_transport *t, struct udp_sender *s, struct udp_path *path)
{
	size_t n = udp_send_queued(s) ? udp_send_flush(s, path) : 0;

	t->stats.tx_packets += n;
	return n;
}

/* The length, or negative: it is not sent. */
static int write_rtp(struct udp_line *l, uint8_t *room, const struct out_pkt *k) ON_THREAD(ROLE_NET)
{
	if (l->said.srtp)
		return l->out ? srtp_out_rtp(l->out, room, UDP_SEND_MAX_PACKET, k->hdr, k->hdr_len,
					     k->payload, k->payload_len) : -EIO;
	if (k->hdr_len + k->payload_len > UDP_SEND_MAX_PACKET)
		return -EMSGSIZE;
	memcpy(room, k->hdr, k->hdr_len);
	memcpy(room + k->hdr_len, k->payload, k->payload_len);
	return k->hdr_len + k->payload_len;
}

/* Whether a packet may go there: pictures to whom we have heard, sound to others as well
 * if it is little. */
static bool may_go(struct udp_line *l, const struct udp_socket *to, size_t len, bool rtcp)
	ON_THREAD(ROLE_NET)
{
	struct udp_transport *t = l->t;

	bool picture = !rtcp && l->id != RTP_LINE_AUDIO;
	bool may = !rtp_ports_withheld(t->ports) &&
		   (to->heard || (!picture && unheard_take(&l->unheard, len, to->elsewhere,
							   clock_now_ns(&clock_monotonic))));

	if (may && !(picture && l->missed))
		return true;
	if (may) /* not in the middle of a picture: when opened() has been told */
		shard_work_post(t->shard, &t->work);
	metric_add(&m_withheld, 1);
	l->missed = l->missed || picture;
	l->opens = may;
	return false;
}

/* One packet, of sound mostly: it goes with those to others. */
static size_t post(struct udp_transport *t, struct udp_line *l, const struct out_pkt *k)
	ON_THREAD(ROLE_NET)
{
	struct udp_post *p = shard_post(t->shard);
	int len;

	if (!may_go(l, &l->rtp, (size_t)k->hdr_len + k->payload_len, false))
		return 0;
	len = write_rtp(l, udp_post_room(p), k);
	if (len < 0)
		return 0;
	udp_post_commit(p, (size_t)len, &l->rtp.path, &t->stats);
	t->stats.tx_octets += (size_t)len;
	return 1;
}

/* Packets of one line; how many went. */
static size_t send_line(struct udp_transport *t, struct udp_line *l, const struct out_pkt *pkts,
			size_t n) ON_THREAD(ROLE_NET)
{
	struct udp_sender *s = net_shard_sender(t->shard);
	size_t sent = 0;

	if (!l || !l->said.tx || !l->rtp.path.to_len) {
		metric_add(&m_nowhere, (int64_t)n);
		return 0;
	}
	if (n == 1)
		return post(t, l, pkts);
	for (size_t i = 0; i < n; i++) {
		uint8_t *room;
		int len;

		if (!may_go(l, &l->rtp, (size_t)pkts[i].hdr_len + pkts[i].payload_len, false))
			continue;
		room = udp_send_room(s);
		if (!room) {
			sent += flush(t, s, &l->rtp.path);
			room = udp_send_room(s);
		}
		len = write_rtp(l, room, &pkts[i]);
		if (len < 0)
			continue;
		udp_send_commit(s, (size_t)len);
		t->stats.tx_octets += (size_t)len;
	}
	return sent + flush(t, s, &l->rtp.path);
}

/* They are mostly of one stream. */
size_t udp_send_rtp(struct transport *base, const struct out_pkt *pkts, size_t n)
{
	struct udp_transport *t = udp_self(base);
	size_t sent = 0, i = 0;

	role_assert_net();
	if (udp_gone(t) || !t->told)
		return 0;
	while (i < n) {
		size_t run = 1;

		if (pkts[i].hdr_len < 12)
			break;
		while (i + run < n && pkts[i + run].hdr_len >= 12 &&
		       !memcmp(pkts[i].hdr + 8, pkts[i + run].hdr + 8, 4))
			run++;
		sent += send_line(t, line_of(t, ssrc_at(pkts[i].hdr + 8)), pkts + i, run);
		i += run;
	}
	t->stats.tx_dropped += n - sent;
	return sent;
}

int udp_send_rtcp(struct transport *base, const uint8_t *p, size_t len)
{
	struct udp_transport *t = udp_self(base);
	struct udp_socket *to;
	struct udp_sender *s;
	struct udp_line *l;
	int n = (int)len;

	role_assert_net();
	if (udp_gone(t) || !t->told)
		return -ENOTCONN;
	if (len > TRANSPORT_MAX_PACKET)
		return -EMSGSIZE;
	l = len >= 8 ? line_of(t, ssrc_at(p + 4)) : NULL;
	to = l && l->said.mux ? &l->rtp : l ? &l->rtcp : NULL;
	if (!to || !to->path.to_len || (l->said.srtp && !l->out)) {
		metric_add(&m_nowhere, 1);
		return -ENOTCONN;
	}
	if (!may_go(l, to, len, true))
		return -ENOTCONN;
	s = net_shard_sender(t->shard);
	if (l->said.srtp)
		n = srtp_out_rtcp(l->out, udp_send_room(s), UDP_SEND_MAX_PACKET, p, len);
	else
		memcpy(udp_send_room(s), p, len);
	if (n < 0)
		return n;
	udp_send_commit(s, (size_t)n);
	if (flush(t, s, &to->path) != 1) {
		t->stats.tx_dropped++;
		return -EAGAIN;
	}
	t->stats.tx_octets += (size_t)n;
	return 0;
}

void udp_prefetch(const struct transport *base, unsigned step)
{
	const struct udp_transport *t = (const struct udp_transport *)base;

	if (step > 1) {
		for (int i = RTP_LINE_AUDIO; t->keyed >> i; i++)
			if (t->keyed >> i & 1)
				srtp_out_prefetch(t->line[i].out, step - 2);
		return;
	}
	rtp_ports_prefetch(t->ports);
	for (int i = RTP_LINE_AUDIO; t->in_use >> i; i++) {
		if (!(t->in_use >> i & 1))
			continue;
		__builtin_prefetch(&t->line[i]);
		__builtin_prefetch(&t->line[i].rtp);
		__builtin_prefetch(&t->line[i].rtp.path.to);
	}
}
