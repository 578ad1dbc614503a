/* Net → decode: a leg's received RTP goes to its audio ring or, reassembled, to
 * its decoder. */
#include "mcu/base/metrics.h"
#include "mcu/room/audio_leg.h"
#include "mcu/room/leg_net_priv.h"
#include "mcu/room/video_leg.h"
#include "mcu/rtp/packet.h"

METRIC_COUNTER(m_malformed, "mcu_rtp_malformed_total", "Received packets that are not valid RTP.");
METRIC_COUNTER(m_unknown, "mcu_rtp_unknown_total",
	       "Received RTP packets of a payload type that was not agreed on.");

enum { AUDIO_HZ = 48000, VIDEO_HZ = 90000 };

bool leg_net_publishes(const struct leg_net *l)
{
	return l->media.audio.rx || l->media.video.rx;
}

ON_THREAD(ROLE_NET) static void audio_in(struct leg_net *l, struct buf *pkt, const struct rtp_packet *p,
		     int64_t arrival_ns)
{
	if (!l->have_audio_rx || l->audio_rx.ssrc != p->ssrc) {
		rx_stats_init(&l->audio_rx, p->ssrc, AUDIO_HZ);
		lipsync_reset(&l->lipsync, LIPSYNC_AUDIO);
		l->have_audio_rx = true;
	}
	rx_stats_packet(&l->audio_rx, p->seq, p->ts, p->payload_len, arrival_ns);
	pkt->tag = p->pt;
	pkt->time_ns = arrival_ns;
	audio_leg_put(l->cfg.audio, pkt);
}

ON_THREAD(ROLE_NET) static void video_out(struct leg_net *l, int64_t now_ns)
{
	struct video_au au;

	while (video_rx_pop(l->video_rx, &au)) {
		int64_t hold = lipsync_video_hold_ns(&l->lipsync, au.rtp_ts, now_ns);

		video_leg_put(l->cfg.video, au.buf, au.codec, au.key, au.rotation,
			      hold ? now_ns + hold : 0);
	}
}

ON_THREAD(ROLE_NET) static void video_in(struct leg_net *l, struct buf *pkt, const struct rtp_packet *p,
		     int64_t arrival_ns)
{
	if (!l->have_video_rx || l->video_rx_stats.ssrc != p->ssrc) {
		rx_stats_init(&l->video_rx_stats, p->ssrc, VIDEO_HZ);
		lipsync_reset(&l->lipsync, LIPSYNC_VIDEO);
		l->have_video_rx = true;
	}
	rx_stats_packet(&l->video_rx_stats, p->seq, p->ts, p->payload_len, arrival_ns);
	video_rx_put(l->video_rx, pkt, arrival_ns);
	video_out(l, arrival_ns);
}

void ingress_rtp(struct leg_net *l, struct buf *pkt, int64_t arrival_ns)
{
	uint8_t ext = l->media.video.ext_twcc ? l->media.video.ext_twcc : l->media.audio.ext_twcc;
	struct rtp_packet p;
	uint16_t seq;

	if (rtp_parse(&p, pkt->data, pkt->len)) {
		metric_add(&m_malformed, 1);
		buf_unref(&pkt);
		return;
	}
	if (rtp_ext_transport_seq(&p, ext, &seq))
		twcc_record(&l->twcc, seq, arrival_ns);
	if (l->media.audio.rx && leg_stream_codec(&l->media.audio, p.pt)) {
		audio_in(l, pkt, &p, arrival_ns);
	} else if (l->video_rx && l->media.video.rx &&
		   leg_stream_codec(&l->media.video, p.pt)) {
		video_in(l, pkt, &p, arrival_ns);
	} else {
		metric_add(&m_unknown, 1);
		buf_unref(&pkt);
	}
}

void ingress_tick(struct leg_net *l, int64_t now_ns)
{
	struct video_rx_wants wants;

	if (l->video_rx) {
		if (video_leg_needs_key(l->cfg.video))
			video_rx_need_key(l->video_rx);
		if (video_rx_tick(l->video_rx, now_ns, &wants))
			leg_rtcp_feedback(l, &wants);
		video_out(l, now_ns);
	}
	if (twcc_due(&l->twcc, now_ns))
		leg_rtcp_twcc(l, now_ns);
}
