#include "mcu/base/metrics.h"
#include "mcu/room/egress_priv.h"

METRIC_COUNTER(m_audio_dropped, "mcu_egress_audio_dropped_total",
	       "Encoded audio packets dropped because a network shard was behind.");
METRIC_COUNTER(m_red, "mcu_egress_red_packets_total",
	       "Audio packets sent with earlier ones inside (RFC 2198).");

/* With earlier packets in front (RFC 2198) when the receiver loses some. */
ON_THREAD(ROLE_NET) static bool send_red(struct egress *x, struct out_stream *o,
					 const struct rtp_batch *b)
{
	uint8_t payload[RED_TX_PAYLOAD_MAX];
	size_t len = red_tx_build(&o->red, b, rtp_tx_pt(&o->tx), payload);
	struct out_pkt pkt = { .hdr = x->hdr[0], .payload = payload, .payload_len = (uint16_t)len };

	if (!len)
		return false;
	pkt.hdr_len = (uint16_t)rtp_tx_header(&o->tx, b, 0, rtp_tx_seq(&o->tx, b, 0), x->hdr[0]);
	x->hdr[0][1] = (uint8_t)((x->hdr[0][1] & 0x80) | o->red.pt);
	egress_put(o, &pkt, 1);
	o->tx.octets += (uint32_t)len - b->pkt[0].len;
	metric_add(&m_red, 1);
	return true;
}

/* Comfort noise has a payload type of its own (RFC 3389). */
ON_THREAD(ROLE_NET) static void send_comfort(struct egress *x, struct out_stream *o,
					     const struct rtp_batch *b)
{
	struct out_pkt pkt = { .hdr = x->hdr[0], .payload = b->data + b->pkt[0].off,
			       .payload_len = b->pkt[0].len };

	pkt.hdr_len = (uint16_t)rtp_tx_header(&o->tx, b, 0, rtp_tx_seq(&o->tx, b, 0), x->hdr[0]);
	x->hdr[0][1] = (uint8_t)((x->hdr[0][1] & 0x80) | o->cn_pt);
	egress_put(o, &pkt, 1);
}

ON_THREAD(ROLE_NET) static void send_audio(struct egress *x, struct out_stream *o, struct rtp_batch *b)
{
	if (!o->transport || !b->n || o->hushed || (b->comfort && !o->cn_pt))
		return;
	if (o->tx.encode_id != b->encode_id)
		red_tx_clear(&o->red);
	if (o->tx.encode_id != b->encode_id || o->next_index != b->first_index)
		rtp_tx_follow(&o->tx, b);
	if (b->comfort)
		send_comfort(x, o, b);
	else if (!send_red(x, o, b))
		egress_send(x, o, b, 0, b->n);
	rtp_tx_sent(&o->tx, b, 0, b->n);
	red_tx_sent(&o->red, b);
	o->next_index = b->first_index + b->n;
}

static void send_to_all(struct egress *x, struct rtp_batch *b) ON_THREAD(ROLE_NET)
{
	struct group *g = egress_group(x->audio, b->encode_id);

	for (size_t i = 0; g && i < g->n; i++) {
		egress_prefetch(g, i);
		if (rtp_batch_is_for(b, g->out[i]->leg_id))
			send_audio(x, g->out[i], b);
	}
}

static void fetch(const void *p, size_t octets)
{
	for (size_t at = 0; at < octets; at += 64)
		__builtin_prefetch((const char *)p + at);
}

/* The mixes of those who talk come from another core, one for each: what they and their
 * receivers need is fetched while those before them are sent, step by step. */
enum { SEE, FIND, MEET, SEND = MEET + TRANSPORT_PREFETCH_STEPS, APART = 2 };

static void take_step(struct egress *x, struct egress_waiting *w, unsigned step) ON_THREAD(ROLE_NET)
{
	struct rtp_batch *b = w->b;

	if (step == SEE) {
		fetch(b, sizeof *b + sizeof *b->pkt);
	} else if (step == FIND && b->only_leg) {
		w->to = g_hash_table_lookup(x->listener, GUINT_TO_POINTER(b->only_leg));
		fetch(b->data, b->bytes);
		fetch(w->to, w->to ? OUT_STREAM_HOT_BYTES : 0);
	} else if (step >= MEET && step < SEND && w->to) {
		transport_prefetch(w->to->transport, step - MEET);
	} else if (step == SEND) {
		if (!b->only_leg)
			send_to_all(x, b);
		else if (w->to && w->to->group == b->encode_id) /* its codec may have changed */
			send_audio(x, w->to, b);
		rtp_batch_unref(&w->b);
	}
}

static void send_waiting(struct egress *x) ON_THREAD(ROLE_NET)
{
	size_t n = x->n_waiting;

	for (size_t i = 0; i < n + SEND * APART; i++)
		for (unsigned step = SEE; step <= SEND && step * APART <= i; step++)
			if (i - step * APART < n)
				take_step(x, &x->waiting[i - step * APART], step);
	x->n_waiting = 0;
}

static void audio_job(void *obj, void *arg)
{
	struct egress *x = obj;

	role_assert_net();
	x->waiting[x->n_waiting++] = (struct egress_waiting){ .b = arg };
	if (x->n_waiting == EGRESS_WAITING)
		send_waiting(x);
}

void egress_audio(struct egress *x)
{
	mbox_run(x->audio_mbox);
	send_waiting(x);
}

void egress_audio_ready(void *obj, int fd, uint32_t events)
{
	(void)fd;
	(void)events;
	role_assert_net();
	egress_audio(obj);
}

void egress_post_audio(struct egress *x, struct rtp_batch *b)
{
	if (!mbox_put(x->audio_mbox, audio_job, x, b))
		return;
	metric_add(&m_audio_dropped, 1);
	rtp_batch_unref(&b);
}

void egress_wake_audio(struct egress *x)
{
	mbox_wake(x->audio_mbox);
}
