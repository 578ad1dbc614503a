/* DTMF digits as RTP events (RFC 4733) of a leg: those that come go to CTL, those that
 * CTL has are sent in the place of sound. */
#include "mcu/room/leg_net_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/base/metrics.h"
#include "mcu/net/transport.h"
#include "mcu/rtp/bytes.h"

METRIC_COUNTER(m_in, "mcu_dtmf_events_in_total", "DTMF digits received as RTP events.");
METRIC_COUNTER(m_out, "mcu_dtmf_events_out_total", "Packets of DTMF events sent.");
METRIC_COUNTER(m_dropped, "mcu_dtmf_dropped_total",
	       "DTMF digits dropped because too many waited, in or out.");

static void ctl_digit(void *obj, void *arg)
{
	struct leg_net *l = obj;

	role_assert_ctl();
	l->cfg.ev->digit(l->cfg.obj, (char)(uintptr_t)arg);
}

bool leg_net_event_in(struct leg_net *l, struct buf *pkt, const struct rtp_packet *p,
		      const struct rtp_route *to, int64_t arrival_ns)
{
	const struct leg_stream *s = &l->media.audio;
	char digit;

	if (!s->rx || !s->rx_dtmf_pt || p->pt != s->rx_dtmf_pt || to->kind != RTP_ROUTE_UNKNOWN ||
	    (to->stream && to->stream != RTP_STREAM_AUDIO))
		return false;
	digit = telephone_event_rx(&l->events, p, s->dtmf_hz, arrival_ns);
	if (l->have_audio_rx && l->audio_rx.ssrc == p->ssrc)
		rx_stats_timeless(&l->audio_rx, p->seq, p->payload_len);
	buf_unref(&pkt);
	if (!digit)
		return true;
	metric_add(&m_in, 1);
	if (mbox_post(l->cfg.engine->ctl, ctl_digit, l, (void *)(uintptr_t)digit))
		metric_add(&m_dropped, 1);
	return true;
}

void leg_net_number_sound(struct leg_net *l, struct buf *pkt, const struct rtp_packet *p)
{
	uint16_t seq = l->media.audio.rx_dtmf_pt ?
			       telephone_event_seq(&l->events, p->ssrc, p->seq) : p->seq;

	seq = (uint16_t)(seq - sound_rest_before(&l->rest, p->ssrc, p->seq));
	if (seq != p->seq)
		put_be16(pkt->data + 2, seq);
}

/* --- out --------------------------------------------------------------------- */

ON_THREAD(ROLE_NET) static void send_event(struct leg_net *l, const struct telephone_event_out *e,
					   int64_t now_ns)
{
	uint8_t hdr[RTP_TX_HEADER_MAX];
	struct out_pkt pkt = { .hdr = hdr, .payload = e->payload,
			       .payload_len = TELEPHONE_EVENT_BYTES };

	pkt.hdr_len = (uint16_t)rtp_tx_beside(&l->audio.tx, l->media.audio.tx_dtmf_pt, e->marker,
					      e->ts, TELEPHONE_EVENT_BYTES, now_ns, hdr);
	metric_add(&m_out, 1);
	transport_send_rtp(l->audio.transport, &pkt, 1);
}

void leg_net_digits_tick(struct leg_net *l, int64_t now_ns)
{
	struct telephone_event_out e;

	/* Nothing can be placed before there was any sound. */
	if (!l->audio.transport || !l->audio.tx.started || !l->media.audio.tx_dtmf_pt)
		return;
	if (telephone_event_tx_tick(&l->digits, rtp_tx_ts_at(&l->audio.tx, now_ns),
				    l->media.audio.dtmf_hz, &e))
		send_event(l, &e, now_ns);
	l->audio.hushed = telephone_event_tx_active(&l->digits);
	if (l->audio.hushed)
		l->audio.next_index = l->audio.tx.next_index - 1; /* numbers were used in between */
}

static void digits_job(void *obj, void *arg)
{
	struct leg_net *l = obj;
	char *digits = arg;

	role_assert_net();
	if (telephone_event_tx_put(&l->digits, digits))
		metric_add(&m_dropped, (int64_t)strlen(digits));
	free(digits);
	leg_net_set_pace(l);
}

int leg_net_send_digits(struct leg_net *l, const char *digits)
{
	char *copy = strdup(digits);

	if (!copy)
		return -ENOMEM;
	engine_post(net_shard_mbox(l->shard), digits_job, l, copy);
	return 0;
}
