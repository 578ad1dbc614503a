/* Retransmissions: what a receiver asks for again (RFC 4585 6.2.1), within bounds;
 * and those that nobody asked for, which show what its connection carries. */
#include <stdlib.h>

#include "mcu/base/clock.h"
#include "mcu/base/metrics.h"
#include "mcu/room/egress_priv.h"
#include "mcu/rtp/seq.h"

METRIC_COUNTER(m_resent, "mcu_egress_retransmissions_total", "RTP packets sent again after a NACK.");
METRIC_COUNTER(m_refused, "mcu_egress_retransmissions_refused_total",
	       "RTP packets asked for again beyond the stream's own rate.");

METRIC_COUNTER(m_probes, "mcu_egress_probe_packets_total",
	       "RTP packets sent for nothing but to see whether a connection carries more.");

enum {
	PAD_PACKETS = 12, /* at a time at most */
	PAD_EVERY_MS = 20,
	PAD_LOOK = 8,	  /* so many pictures back for packets that are worth sending */
	PAD_LARGE = 500,
	PAD_EMPTY = 255, /* octets of one that has nothing to repeat */
	PAD_MOST_MS = 100,
	PACKET_OVERHEAD = 60, /* octets of all headers and the tag, about */
	RTT_UNKNOWN_MS = 20,
	RTT_MAX_MS = 1000,
};

/* A second of media time; the budget of the next is what this one has. */
void egress_resend_count(struct group *g, const struct rtp_batch *b)
{
	if (b->time_ns - g->window_ns >= NS_PER_S || b->time_ns < g->window_ns) {
		g->window++;
		g->octets_before = g->octets;
		g->octets = 0;
		g->window_ns = b->time_ns;
	}
	g->octets += b->bytes + b->n * (uint32_t)PACKET_OVERHEAD;
}

static bool within_budget(const struct group *g, struct out_stream *o, size_t len)
{
	uint32_t budget = g->octets > g->octets_before ? g->octets : g->octets_before;

	if (o->resend_window != g->window) {
		o->resend_window = g->window;
		o->resend_octets = 0;
	}
	if (o->resend_octets + len + PACKET_OVERHEAD > budget)
		return false;
	o->resend_octets += (uint32_t)len + PACKET_OVERHEAD;
	return true;
}

/* A second request within a round trip was made before the answer to the first
 * could arrive. */
static bool too_soon(const struct out_stream *o, uint16_t seq, int64_t now_ns)
{
	int64_t rtt_ms = o->rtt_ns ? o->rtt_ns / NS_PER_MS : RTT_UNKNOWN_MS;
	const struct out_resent *r;
	uint32_t passed;

	if (!o->resent)
		return false;
	r = &o->resent[seq % OUT_RESENT];
	passed = (uint32_t)(now_ns / NS_PER_MS) - r->at_ms;
	if (rtt_ms > RTT_MAX_MS)
		rtt_ms = RTT_MAX_MS;
	return r->set && r->seq == seq && (int64_t)passed < rtt_ms;
}

/* False: there is no memory to remember it by. */
static bool remember(struct out_stream *o, uint16_t seq, int64_t now_ns)
{
	if (!o->resent)
		o->resent = calloc(OUT_RESENT, sizeof *o->resent);
	if (!o->resent)
		return false;
	o->resent[seq % OUT_RESENT] = (struct out_resent){
		.seq = seq, .set = 1, .at_ms = (uint32_t)(now_ns / NS_PER_MS),
	};
	return true;
}

ON_THREAD(ROLE_NET) static void send_rtx(struct out_stream *o, const struct rtp_batch *b, unsigned i,
					 uint16_t seq, int64_t now_ns)
{
	uint8_t hdr[RTP_TX_HEADER_MAX], payload[TRANSPORT_MAX_PACKET];
	size_t len, payload_len;
	struct out_pkt pkt;

	len = rtp_rtx_write(&o->rtx, &o->tx, b, i, seq, now_ns, hdr, payload, sizeof payload,
			    &payload_len);
	if (!len)
		return;
	pkt = (struct out_pkt){ .hdr = hdr, .hdr_len = (uint16_t)len,
				.payload = payload, .payload_len = (uint16_t)payload_len };
	egress_put(o, &pkt, 1);
}

void egress_nack(struct egress *x, struct out_stream *video, uint16_t seq, int64_t now_ns)
{
	struct group *g = video->group ? egress_group(x->video, video->group) : NULL;
	struct rtp_batch *b;
	uint32_t index;
	unsigned i;

	video->nacked++;
	if (!g || !video->transport || too_soon(video, seq, now_ns))
		return;
	/* it may be registered with another encode already, and wait for a key frame */
	if (g->id != video->tx.encode_id || !rtp_tx_index_of_seq(&video->tx, seq, &index) ||
	    !history_find(g->history, index, &b, &i))
		return;
	if (!within_budget(g, video, b->pkt[i].len) || !remember(video, seq, now_ns)) {
		video->refused++;
		metric_add(&m_refused, 1);
		return;
	}
	video->retransmitted++;
	metric_add(&m_resent, 1);
	if (video->rtx.pt)
		send_rtx(video, b, i, seq, now_ns);
	else
		egress_send(x, video, b, i, 1);
}

/* --- probes ------------------------------------------------------------------------ */

/* A picture that it has been sent lately, whose packets are large. */
static struct rtp_batch *worth_repeating(const struct group *g, const struct out_stream *o)
{
	uint32_t index = o->next_index - 1;
	struct rtp_batch *b;
	unsigned i;

	for (int k = 0; k < PAD_LOOK && history_find(g->history, index, &b, &i); k++) {
		if (ts_diff(b->first_index, o->tx.first_index) < 0)
			return NULL;
		if (b->pkt[0].len >= PAD_LARGE)
			return b;
		index = b->first_index - 1;
	}
	return NULL;
}

ON_THREAD(ROLE_NET) static void send_empty(struct out_stream *o, int64_t now_ns)
{
	uint8_t hdr[RTP_TX_HEADER_MAX], payload[PAD_EMPTY];
	struct out_pkt pkt = { .hdr = hdr, .payload = payload, .payload_len = PAD_EMPTY };

	pkt.hdr_len = (uint16_t)rtp_rtx_pad(&o->rtx, &o->tx, PAD_EMPTY, now_ns, hdr, payload);
	egress_put(o, &pkt, 1);
}

void egress_pad(struct group *g, struct out_stream *o)
{
	int64_t now = net_shard_now_ns(g->egress->shard), passed = now - o->pad_ns;
	const struct rtp_batch *b;
	int64_t due;

	if (o->pad_ns && passed < PAD_EVERY_MS * NS_PER_MS)
		return;
	if (passed > PAD_MOST_MS * NS_PER_MS)
		passed = o->pad_ns ? PAD_MOST_MS * NS_PER_MS : 0;
	o->pad_ns = now;
	due = o->pad_octets + clock_scale(passed, o->pad_bps / 8, NS_PER_S);
	if (!o->rtx.pt || !o->transport || o->tx.encode_id != g->id)
		due = 0;
	b = due > 0 ? worth_repeating(g, o) : NULL;
	for (unsigned k = 0; due > 0 && k < PAD_PACKETS; k++) {
		unsigned i = b ? k % b->n : 0;

		if (b)
			send_rtx(o, b, i, rtp_tx_seq(&o->tx, b, i), now);
		else
			send_empty(o, now);
		due -= PACKET_OVERHEAD + (b ? b->pkt[i].len : PAD_EMPTY);
		metric_add(&m_probes, 1);
	}
	o->pad_octets = due > 0 ? 0 : (int32_t)due;
}
