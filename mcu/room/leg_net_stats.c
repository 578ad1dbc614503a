/* The numbers of a leg: counted on NET, read by anybody. */
#include <stdatomic.h>
#include <string.h>

#include "mcu/room/leg_net_priv.h"

/* Duplicates make it negative. */
static uint64_t positive(int64_t lost)
{
	return lost > 0 ? (uint64_t)lost : 0;
}

static void up(struct leg_net_flow *f, bool have, const struct rx_stats *r)
{
	if (!have)
		return;
	f->ssrc = r->ssrc;
	f->jitter_ms = (double)rx_stats_jitter_ns(r) / 1e6;
	f->packets = r->received;
	f->octets = r->octets;
	f->lost = positive(rx_stats_lost(r));
}

static void down(struct leg_net_flow *f, const struct leg_stream *s, const struct out_stream *o,
		 const struct remote_report *r)
{
	f->codec = s->tx ? s->tx_format.codec : CODEC_NONE;
	f->ssrc = o->tx.ssrc;
	f->rtx_ssrc = o->rtx.pt ? o->rtx.ssrc : 0;
	f->loss = r->fraction_lost / 256.0;
	f->lost = positive(r->lost);
	f->jitter_ms = o->tx.clock_hz ? r->jitter * 1e3 / o->tx.clock_hz : 0;
	f->packets = o->tx.packets;
	f->octets = o->tx.octets;
	f->nacks = o->nacked;
	f->rtx_packets = o->retransmitted;
	f->refused = o->refused;
}

static void publish(struct leg_net *l)
{
	uint64_t words[sizeof l->stats / 8];

	memcpy(words, &l->stats, sizeof words);
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		atomic_store_explicit(&l->published[i], words[i], memory_order_relaxed);
}

static void up_picture(const struct picture_in *in, const char *rid)
{
	struct leg_net_flow *f = in->flow;

	up(f, in->have, &in->stats);
	f->rtx_ssrc = in->have_rtx ? in->rtx.ssrc : 0;
	memcpy(f->rid, rid, sizeof f->rid);
	if (in->rx) {
		const struct video_rx_stats *s = video_rx_stats(in->rx);

		f->nacks = s->nacks;
		f->repaired = s->repaired;
		f->frames_dropped = s->frames_dropped;
	}
}

void leg_net_publish_stats(struct leg_net *l)
{
	up(&l->stats.uplink_audio, l->have_audio_rx, &l->audio_rx);
	up_picture(&l->in[LEG_NET_CAMERA], rtp_demux_rid(&l->demux, RTP_STREAM_VIDEO));
	up_picture(&l->in[LEG_NET_CONTENT], rtp_demux_rid(&l->demux, RTP_STREAM_CONTENT));
	down(&l->stats.downlink_audio, &l->media.audio, &l->audio, &l->audio_report);
	down(&l->stats.downlink_video, &l->media.video, &l->video, &l->video_report);
	down(&l->stats.downlink_content, &l->media.content, &l->content, &l->content_report);
	l->stats.rtt_ms = (double)l->rtt_ns / 1e6;
	publish(l);
}

/* Word by word: two numbers may be of two reports. */
void leg_net_get_stats(const struct leg_net *l, struct leg_net_stats *s)
{
	uint64_t words[sizeof *s / 8];

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		words[i] = atomic_load_explicit(&l->published[i], memory_order_relaxed);
	memcpy(s, words, sizeof *s);
}
