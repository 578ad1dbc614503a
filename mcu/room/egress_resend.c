/* Retransmissions: what a receiver asks for again (RFC 4585 6.2.1), within bounds. */
#include <stdlib.h>

#include "mcu/base/clock.h"
#include "mcu/base/metrics.h"
#include "mcu/room/egress_priv.h"

METRIC_COUNTER(m_resent, "mcu_egress_retransmissions_total", "RTP packets sent again after a NACK.");
METRIC_COUNTER(m_refused, "mcu_egress_retransmissions_refused_total",
	       "RTP packets asked for again beyond the stream's own rate.");

enum {
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
