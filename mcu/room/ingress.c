/* Net → decode: a leg's received RTP goes to its audio ring or, reassembled, to
 * its decoder. */
#include "mcu/base/clock.h"
#include "mcu/base/metrics.h"
#include "mcu/net/ice.h"
#include "mcu/room/audio_faint.h"
#include "mcu/room/audio_leg.h"
#include "mcu/room/leg_net_priv.h"
#include "mcu/room/leg_record.h"
#include "mcu/room/video_leg.h"
#include "mcu/rtp/bytes.h"
#include "mcu/rtp/packet.h"
#include "mcu/rtp/payload_red.h"
#include "mcu/rtp/seq.h"
#include "mixer/codec/g711.h"

METRIC_COUNTER(m_malformed, "mcu_rtp_malformed_total", "Received packets that are not valid RTP.");
METRIC_COUNTER(m_unknown, "mcu_rtp_unknown_total",
	       "Received RTP packets of a payload type that was not agreed on.");

METRIC_COUNTER(m_layers, "mcu_rtp_other_layer_total",
	       "Received RTP packets of simulcast layers that are not taken.");
METRIC_COUNTER(m_old, "mcu_rtp_old_source_total",
	       "Received RTP packets of sources that were replaced by another one.");
METRIC_COUNTER(m_rtx, "mcu_rtp_rtx_total", "Received retransmissions (RTX), without probes.");
METRIC_COUNTER(m_rested, "mcu_audio_in_rested_total",
	       "Received packets of telephones' silence that were not handed on to the mix.");
METRIC_COUNTER(m_probes, "mcu_rtp_probes_total", "Received RTX packets without content.");
METRIC_COUNTER(m_rtx_far, "mcu_rtp_rtx_far_total",
	       "Received retransmissions of packets that nobody misses any more.");

_Static_assert((int)RTP_STREAM_AUDIO == RTP_LINE_AUDIO && (int)RTP_STREAM_VIDEO == RTP_LINE_CAMERA &&
	       (int)RTP_STREAM_CONTENT == RTP_LINE_CONTENT, "a line is of one stream");

enum {
	VIDEO_HZ = 90000,
	/* A retransmission is of a packet that far from the highest at most, so that
	 * one that is not can never pass for a sender that began anew. */
	RTX_BEHIND = VIDEO_RX_WINDOW,
	RTX_AHEAD = 256,
};
/* Who sent no picture for so long sends none. */
#define HURRY_NS (2 * NS_PER_S)
/* Packets of sound are routed anew so often, whatever they are like. */
#define AGAIN_NS (100 * NS_PER_MS)

bool leg_net_publishes(const struct leg_net *l)
{
	return l->media.audio.rx || l->media.video.rx || l->media.content.rx;
}

/* Another source, or the same one at another clock. */
static bool stats_of(struct rx_stats *s, bool *have, uint32_t ssrc, uint32_t hz)
{
	if (*have && s->ssrc == ssrc && s->clock_hz == hz)
		return false;
	rx_stats_init(s, ssrc, hz);
	*have = true;
	return true;
}

static void not_taken(struct buf *pkt, enum rtp_route_kind kind)
{
	if (kind == RTP_ROUTE_OTHER_LAYER)
		metric_add(&m_layers, 1);
	else if (kind == RTP_ROUTE_OLD_SOURCE)
		metric_add(&m_old, 1);
	else
		metric_add(&m_unknown, 1);
	buf_unref(&pkt);
}

/* Telephones send silence like anything else, and do not say so. */
static bool is_faint(enum codec c, const struct rtp_packet *p)
{
	if (c == CODEC_PCMU)
		return g711_ulaw_is_faint(p->payload, p->payload_len);
	return c == CODEC_PCMA && g711_alaw_is_faint(p->payload, p->payload_len);
}

/* Before a packet, whatever it is: silence that was dropped has come all the same. */
ON_THREAD(ROLE_NET) static void bridge(struct leg_net *l, const struct rtp_packet *p)
{
	uint32_t n = transport_skipped(l->transport);

	if (!n)
		return;
	rx_stats_unseen(&l->audio_rx, n, l->silence.payload_len);
	sound_rest_bridge(&l->rest, p->ssrc, p->seq);
	metric_add(&m_rested, n);
}

/* How to tell it by the octets of a packet; not while each is recorded. */
ON_THREAD(ROLE_NET) static struct transport_silence silence_of(const struct leg_net *l, enum codec c,
							       const struct rtp_packet *p)
{
	struct transport_silence s = { .pt = p->pt };

	if (c == CODEC_PCMU) {
		s.code = G711_ULAW_FAINT;
		s.mask = G711_ULAW_FAINT_MASK;
	} else if (c == CODEC_PCMA) {
		s.code = G711_ALAW_FAINT;
		s.mask = G711_ALAW_FAINT_MASK;
	}
	s.payload_len = s.mask && !l->record ? (uint16_t)p->payload_len : 0;
	return s;
}

/* The transport knows when nothing but silence comes. */
ON_THREAD(ROLE_NET) static void relax(struct leg_net *l, enum codec c, const struct rtp_packet *p)
{
	struct transport_silence s;

	if (sound_rest_is_on(&l->rest)) {
		s = silence_of(l, c, p);
		if (l->relaxed && transport_silence_equal(&s, &l->silence))
			return;
		l->relaxed = true;
		l->silence = s;
		transport_relax(l->transport, &s);
	} else if (l->relaxed) {
		l->relaxed = false;
		transport_relax(l->transport, NULL);
	}
}

/* What is in a packet of sound, as the decoding chain wants to know it; 0: none
 * of what was agreed on. In RED it is what the primary block says. */
static uint32_t audio_tag_of(const struct leg_net *l, const struct rtp_packet *p)
{
	bool red = l->media.audio.rx_red_pt && p->pt == l->media.audio.rx_red_pt;
	int pt = red ? rtp_red_primary_pt(p->payload, p->payload_len) : p->pt;
	enum codec c = pt < 0 ? CODEC_NONE : leg_stream_codec(&l->media.audio, (uint8_t)pt);

	return c ? audio_tag(c, (uint8_t)pt, red) : 0;
}

/* To the decoding chain, unless it is silence by its own octets (nobody need look
 * whether that is true). says_faint: its sender says so. */
ON_THREAD(ROLE_NET) static void sound_in(struct leg_net *l, struct buf *pkt,
					 const struct rtp_packet *p, uint32_t tag, bool says_faint,
					 int64_t arrival_ns)
{
	bool at_once = l->hurried && !l->cfg.engine->cfg.net.rx_holdoff_us;
	bool silence = !says_faint && !audio_tag_red(tag) && is_faint(audio_tag_codec(tag), p);
	bool held;

	bridge(l, p);
	held = sound_rest_holds(&l->rest, p->ssrc, p->seq, silence);
	pkt->tag = says_faint || silence ? tag | AUDIO_TAG_FAINT : tag;
	rx_stats_packet(&l->audio_rx, p->seq, p->ts, p->payload_len, arrival_ns);
	if (l->record)
		leg_record_sound(l->record, &l->lipsync, p, pkt->tag, arrival_ns);
	relax(l, audio_tag_codec(tag), p);
	if (held) {
		metric_add(&m_rested, 1);
		buf_unref(&pkt);
		return;
	}
	/* It was read so long before the tick that it is there for: what comes in
	 * between is late. */
	pkt->time_ns = arrival_ns + (at_once ? 0 : NET_READ_LEAD_US * 1000);
	leg_net_number_sound(l, pkt, p);
	audio_leg_put(l->cfg.audio, pkt);
}

ON_THREAD(ROLE_NET) static void audio_in(struct leg_net *l, struct buf *pkt,
					 const struct rtp_packet *p, int64_t arrival_ns)
{
	uint32_t tag = audio_tag_of(l, p), hz = codec_clock_hz(audio_tag_codec(tag));
	int level_dbov = 0;
	bool voice, leveled;

	if (!tag) {
		not_taken(pkt, RTP_ROUTE_UNKNOWN);
		return;
	}
	if (l->have_audio_rx && l->audio_rx.ssrc == p->ssrc && l->audio_rx.clock_hz != hz) {
		rx_stats_set_clock(&l->audio_rx, hz);
		lipsync_set_clock(&l->lipsync, LIPSYNC_AUDIO, hz);
	} else if (stats_of(&l->audio_rx, &l->have_audio_rx, p->ssrc, hz)) {
		lipsync_set_clock(&l->lipsync, LIPSYNC_AUDIO, hz);
	}
	l->stats.uplink_audio.codec = audio_tag_codec(tag);
	leveled = rtp_ext_audio_level(p, l->media.audio.ext_audio_level, &level_dbov, &voice);
	if (l->over_udp && !audio_tag_red(tag) && !l->media.audio.ext_audio_level)
		l->again = (struct sound_again){ .until_ns = arrival_ns + AGAIN_NS, .pt = p->pt,
						 .ssrc = p->ssrc, .tag = tag };
	sound_in(l, pkt, p, tag, leveled && level_dbov <= AUDIO_FAINT_DBOV, arrival_ns);
}

/* Another one like the last, with the plainest of headers. */
ON_THREAD(ROLE_NET) static bool is_again(const struct leg_net *l, const struct buf *pkt,
					 int64_t arrival_ns)
{
	const struct sound_again *a = &l->again;
	const uint8_t *d = pkt->data;

	return arrival_ns < a->until_ns && pkt->len >= RTP_HEADER_BYTES && d[0] == 0x80 &&
	       (d[1] & 0x7f) == a->pt && get_be32(d + 8) == a->ssrc &&
	       transport_line(l->transport) == RTP_LINE_AUDIO;
}

/* The sound belongs to the camera's picture. */
static bool is_camera(const struct leg_net *l, const struct picture_in *in)
{
	return in == &l->in[LEG_NET_CAMERA];
}

/* A key frame is asked for beside the decoder, which needs none. */
ON_THREAD(ROLE_NET) static void record(struct leg_net *l, struct picture_in *in,
				       const struct video_au *au, int64_t now_ns)
{
	const struct video_rx_wants key = { .ssrc = au->ssrc, .pli = true };

	if (leg_record_picture(l->record, !is_camera(l, in), is_camera(l, in) ? &l->lipsync : NULL,
			       au, now_ns))
		leg_rtcp_feedback(l, in, &key);
}

ON_THREAD(ROLE_NET) static void video_out(struct leg_net *l, struct picture_in *in, int64_t now_ns)
{
	struct video_au au;

	while (video_rx_pop(in->rx, &au)) {
		int64_t hold = is_camera(l, in) ?
				       lipsync_video_hold_ns(&l->lipsync, au.rtp_ts, now_ns) : 0;

		if (l->record)
			record(l, in, &au, now_ns);
		video_leg_put(in->to, au.buf, au.codec, au.key, au.rotation,
			      hold ? now_ns + hold : 0);
	}
}

ON_THREAD(ROLE_NET) static void video_in(struct leg_net *l, struct picture_in *in, struct buf *pkt,
					 const struct rtp_packet *p, enum codec codec,
					 int64_t arrival_ns)
{
	if (stats_of(&in->stats, &in->have, p->ssrc, VIDEO_HZ) && is_camera(l, in))
		lipsync_reset(&l->lipsync, LIPSYNC_VIDEO);
	rx_stats_packet(&in->stats, p->seq, p->ts, p->payload_len, arrival_ns);
	in->flow->codec = codec;
	if (!is_camera(l, in))
		leg_net_content_in(l, arrival_ns);
	video_rx_put(in->rx, pkt, arrival_ns);
	video_out(l, in, arrival_ns);
}

/* Whether the original is one that the receiver of ssrc could still use. */
static bool is_near(const struct picture_in *in, uint32_t ssrc, const uint8_t *original)
{
	uint16_t seq = (uint16_t)(original[2] << 8 | original[3]);
	int16_t d = seq_diff(seq, (uint16_t)in->stats.ext_seq);

	return in->have && in->stats.ssrc == ssrc && d > -RTX_BEHIND && d < RTX_AHEAD;
}

/* RFC 4588: the repaired packet joins its stream; reports tell of both. */
ON_THREAD(ROLE_NET) static void rtx_in(struct leg_net *l, struct picture_in *in, struct buf *pkt,
				       const struct rtp_packet *p, const struct rtp_route *to,
				       int64_t arrival_ns)
{
	int at;

	stats_of(&in->rtx, &in->have_rtx, p->ssrc, VIDEO_HZ);
	rx_stats_packet(&in->rtx, p->seq, p->ts, p->payload_len, arrival_ns);
	at = rtp_rtx_restore(pkt->data, pkt->len, to->media_ssrc, to->pt);
	if (at < 0) {
		metric_add(&m_probes, 1);
		buf_unref(&pkt);
		return;
	}
	pkt->data += at;
	pkt->len -= (size_t)at;
	if (!is_near(in, to->media_ssrc, pkt->data)) {
		metric_add(&m_rtx_far, 1);
		buf_unref(&pkt);
		return;
	}
	metric_add(&m_rtx, 1);
	in->flow->rtx_packets++;
	video_rx_put(in->rx, pkt, arrival_ns);
	video_out(l, in, arrival_ns);
}

/* NULL: it is none of pictures, or nobody takes it. */
static struct picture_in *picture_of(struct leg_net *l, enum rtp_route_stream stream)
{
	struct picture_in *in = stream == RTP_STREAM_VIDEO   ? &l->in[LEG_NET_CAMERA] :
				stream == RTP_STREAM_CONTENT ? &l->in[LEG_NET_CONTENT] : NULL;

	return in && in->rx ? in : NULL;
}

/* The same in all sections of a bundle. */
static uint8_t twcc_ext(const struct leg_media *m)
{
	uint8_t picture = m->video.ext_twcc ? m->video.ext_twcc : m->content.ext_twcc;

	return picture ? picture : m->audio.ext_twcc;
}

static void hurry(struct leg_net *l, bool on) ON_THREAD(ROLE_NET)
{
	l->hurried = on;
	if (l->transport)
		transport_hurry(l->transport, on);
}

/* A digit, or nothing that is known; it may have a number between those of the sound. */
ON_THREAD(ROLE_NET) static void beside_in(struct leg_net *l, struct buf *pkt,
					  const struct rtp_packet *p, const struct rtp_route *to,
					  int64_t arrival_ns)
{
	bridge(l, p);
	sound_rest_beside(&l->rest, p->ssrc, p->seq);
	if (!leg_net_event_in(l, pkt, p, to, arrival_ns))
		not_taken(pkt, to->kind);
}

void ingress_rtp(struct leg_net *l, struct buf *pkt, int64_t arrival_ns)
{
	struct picture_in *in;
	struct rtp_packet p;
	struct rtp_route to;
	uint16_t seq;

	if (is_again(l, pkt, arrival_ns) && !rtp_parse(&p, pkt->data, pkt->len)) {
		sound_in(l, pkt, &p, l->again.tag, false, arrival_ns);
		return;
	}
	l->again.until_ns = 0;
	if (rtp_parse(&p, pkt->data, pkt->len)) {
		metric_add(&m_malformed, 1);
		buf_unref(&pkt);
		return;
	}
	/* Whatever it is: the sender's estimate is of all its packets. */
	if (rtp_ext_transport_seq(&p, twcc_ext(&l->media), &seq))
		twcc_record(&l->twcc, seq, arrival_ns);
	rtp_demux_route(&l->demux, &p, (enum rtp_route_stream)transport_line(l->transport),
			arrival_ns, &to);
	if (to.kind != RTP_ROUTE_UNKNOWN && to.stream != RTP_STREAM_AUDIO) {
		l->picture_ns = arrival_ns;
		if (!l->hurried)
			hurry(l, true);
	}
	in = picture_of(l, to.stream);
	if (to.kind == RTP_ROUTE_MEDIA && to.stream == RTP_STREAM_AUDIO)
		audio_in(l, pkt, &p, arrival_ns);
	else if (to.kind == RTP_ROUTE_MEDIA && in)
		video_in(l, in, pkt, &p, to.codec, arrival_ns);
	else if (to.kind == RTP_ROUTE_RTX && in)
		rtx_in(l, in, pkt, &p, &to, arrival_ns);
	else
		beside_in(l, pkt, &p, &to, arrival_ns);
}

bool ingress_needs_ticks(const struct leg_net *l)
{
	return l->in[LEG_NET_CAMERA].rx || l->in[LEG_NET_CONTENT].rx || l->content_comes ||
	       l->hurried || twcc_ext(&l->media);
}

void ingress_tick(struct leg_net *l, int64_t now_ns)
{
	struct video_rx_wants wants;

	if (l->hurried && now_ns - l->picture_ns > HURRY_NS)
		hurry(l, false);
	for (int i = 0; i < LEG_NET_PICTURES; i++) {
		struct picture_in *in = &l->in[i];

		if (!in->rx)
			continue;
		if (video_leg_needs_key(in->to))
			video_rx_need_key(in->rx);
		if (video_rx_tick(in->rx, now_ns, &wants))
			leg_rtcp_feedback(l, in, &wants);
		video_out(l, in, now_ns);
	}
	if (twcc_due(&l->twcc, now_ns))
		leg_rtcp_twcc(l, now_ns);
}
