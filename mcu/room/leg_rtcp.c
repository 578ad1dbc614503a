/* RTCP of a leg: reports both ways, feedback to the sender, and what the
 * receiver asks for. */
#include "mcu/base/metrics.h"
#include "mcu/room/leg_net_priv.h"
#include "mcu/rtp/rtcp.h"

METRIC_COUNTER(m_malformed, "mcu_rtcp_malformed_total", "Received RTCP that could not be read.");

enum { NACKS_PER_ITEM = 256, CAP = 1200, BLOCKS = 1 + 2 * LEG_NET_PICTURES };

/* Over UDP each line is an RTP session of its own, with reports of its own; line 0
 * stands for all of them in one. */
static enum rtp_line line_of(const struct leg_net *l, const struct picture_in *in)
{
	if (!l->media.udp)
		return 0;
	return in == &l->in[LEG_NET_CAMERA] ? RTP_LINE_CAMERA : RTP_LINE_CONTENT;
}

static bool is_of(enum rtp_line line, enum rtp_line wanted)
{
	return !line || line == wanted;
}

/* The SSRC that our feedback carries: of a stream that exists on this leg, or
 * would if the peer wanted to receive. */
static uint32_t own_ssrc(const struct leg_net *l, enum rtp_line line)
{
	if (line)
		return leg_net_stream(l, line)->tx_ssrc;
	if (l->video.tx.ssrc || l->audio.tx.ssrc)
		return l->video.tx.ssrc ? l->video.tx.ssrc : l->audio.tx.ssrc;
	return l->media.video.tx_ssrc ? l->media.video.tx_ssrc : l->media.audio.tx_ssrc;
}

ON_THREAD(ROLE_NET) static void send(struct leg_net *l, struct rtcp_builder *b)
{
	if (!b->error && b->len)
		transport_send_rtcp(l->transport, b->data, b->len);
}

/* A compound packet starts with a report and the CNAME (RFC 3550 6.1). */
static void begin(struct leg_net *l, enum rtp_line line, struct rtcp_builder *b, uint8_t *data)
{
	rtcp_build_init(b, data, CAP);
	rtcp_build_rr(b, own_ssrc(l, line), NULL, 0);
	rtcp_build_sdes(b, own_ssrc(l, line), l->media.cname);
}

void leg_rtcp_feedback(struct leg_net *l, struct picture_in *in, const struct video_rx_wants *w)
{
	enum rtp_line line = line_of(l, in);
	uint8_t data[CAP];
	struct rtcp_builder b;

	if (!w->n_nack && !(w->pli && (in->stream->pli || in->stream->fir)))
		return;
	begin(l, line, &b, data);
	if (w->n_nack)
		rtcp_build_nack(&b, own_ssrc(l, line), w->ssrc, w->nack, w->n_nack);
	if (w->pli && in->stream->pli) {
		rtcp_build_pli(&b, own_ssrc(l, line), w->ssrc);
		in->flow->plis++;
	} else if (w->pli && in->stream->fir) {
		rtcp_build_fir(&b, own_ssrc(l, line), w->ssrc, in->fir_seq++);
		in->flow->firs++;
	} else if (w->pli && in == &l->in[LEG_NET_CAMERA]) {
		leg_net_ask_picture(l);
	}
	send(l, &b);
}

void leg_rtcp_twcc(struct leg_net *l, int64_t now_ns)
{
	const struct picture_in *camera = &l->in[LEG_NET_CAMERA], *content = &l->in[LEG_NET_CONTENT];
	uint32_t media = camera->have ? camera->stats.ssrc :
			 l->have_audio_rx ? l->audio_rx.ssrc : content->stats.ssrc;
	uint8_t data[CAP], fb[CAP - 100];
	struct rtcp_builder b;
	size_t n;

	while ((n = twcc_build(&l->twcc, now_ns, own_ssrc(l, 0), media, fb, sizeof fb))) {
		begin(l, 0, &b, data);
		rtcp_build_raw(&b, fb, n);
		send(l, &b);
	}
}

static void add_sr(struct leg_net *l, struct rtcp_builder *b, const struct out_stream *o,
		   const struct rtcp_block *blocks, size_t n, int64_t now_ns)
{
	struct rtcp_sr sr = {
		.ntp = clock_ntp_of_wall_ns(clock_wall_ns()),
		.rtp_ts = rtp_tx_ts_at(&o->tx, now_ns),
		.packets = o->tx.packets,
		.octets = o->tx.octets,
	};

	(void)l;
	rtcp_build_sr(b, o->tx.ssrc, &sr, blocks, n);
}

/* The CNAME of every source that has sent (RFC 3550 6.1), at least of one. */
static void add_sdes(struct leg_net *l, enum rtp_line line, struct rtcp_builder *b)
{
	const char *cname = l->media.cname;
	bool sound = is_of(line, RTP_LINE_AUDIO) && l->audio.tx.started;
	bool pictures = is_of(line, RTP_LINE_CAMERA) && l->video.tx.started;
	bool content = is_of(line, RTP_LINE_CONTENT) && l->content.tx.started;

	if (sound)
		rtcp_build_sdes(b, l->audio.tx.ssrc, cname);
	if (pictures)
		rtcp_build_sdes(b, l->video.tx.ssrc, cname);
	if (is_of(line, RTP_LINE_CAMERA) && l->video.rtx.packets)
		rtcp_build_sdes(b, l->video.rtx.ssrc, cname);
	if (content)
		rtcp_build_sdes(b, l->content.tx.ssrc, cname);
	if (!sound && !pictures && !content)
		rtcp_build_sdes(b, own_ssrc(l, line), cname);
}

/* What we say of the streams that come, RTX included; how many. */
static size_t reception(struct leg_net *l, enum rtp_line line, struct rtcp_block block[BLOCKS],
			int64_t now_ns)
{
	size_t n = 0;

	if (is_of(line, RTP_LINE_AUDIO) && l->have_audio_rx &&
	    rx_stats_block(&l->audio_rx, now_ns, &block[n]))
		l->stats.uplink_audio.loss = block[n++].fraction_lost / 256.0;
	for (int i = 0; i < LEG_NET_PICTURES; i++) {
		struct picture_in *in = &l->in[i];

		if (!is_of(line, line_of(l, in)))
			continue;
		if (in->have && rx_stats_block(&in->stats, now_ns, &block[n]))
			in->flow->loss = block[n++].fraction_lost / 256.0;
		if (in->have_rtx && rx_stats_block(&in->rtx, now_ns, &block[n]))
			n++;
	}
	return n;
}

/* A sender that heeds transport-wide feedback estimates by itself. */
static void add_remb(struct leg_net *l, struct rtcp_builder *b)
{
	uint32_t ssrc[LEG_NET_PICTURES];
	size_t n = 0;

	for (int i = 0; i < LEG_NET_PICTURES; i++) {
		const struct leg_stream *s = l->in[i].stream;

		if (s->rx && s->remb && !s->twcc && l->in[i].have)
			ssrc[n++] = l->in[i].stats.ssrc;
	}
	if (l->limit_kbps && n)
		rtcp_build_remb(b, own_ssrc(l, 0), l->limit_kbps * 1000ull, ssrc, n);
}

/* For estimates that know no more than what there was to measure: browsers look at the
 * pictures alone for theirs. */
static void measure(struct leg_net *l, int64_t now_ns)
{
	uint32_t octets = l->video.tx.octets + l->content.tx.octets; /* wraps */

	if (l->sent_ns && now_ns > l->sent_ns)
		l->sent_bps = 1 + (uint64_t)clock_scale((uint32_t)(octets - l->sent_octets),
							8 * NS_PER_S, now_ns - l->sent_ns);
	l->sent_octets = octets;
	l->sent_ns = now_ns;
}

ON_THREAD(ROLE_NET) static void report(struct leg_net *l, enum rtp_line line, int64_t now_ns)
{
	struct rtcp_block block[BLOCKS];
	uint8_t data[CAP];
	struct rtcp_builder b;
	size_t n = reception(l, line, block, now_ns);

	rtcp_build_init(&b, data, sizeof data);
	if (is_of(line, RTP_LINE_AUDIO) && l->audio.tx.started) {
		add_sr(l, &b, &l->audio, block, n, now_ns);
		n = 0;
	}
	if (is_of(line, RTP_LINE_CAMERA) && l->video.tx.started) {
		add_sr(l, &b, &l->video, block, n, now_ns);
		n = 0;
	}
	if (is_of(line, RTP_LINE_CONTENT) && l->content.tx.started) {
		add_sr(l, &b, &l->content, block, n, now_ns);
		n = 0;
	}
	if (!b.len)
		rtcp_build_rr(&b, own_ssrc(l, line), block, n);
	add_sdes(l, line, &b);
	if (!line)
		add_remb(l, &b);
	send(l, &b);
}

/* Of one and a half times to half as long, so that reports of many do not meet (RFC
 * 3550 6.3.1). */
static int64_t some_of(struct leg_net *l, int64_t ns)
{
	l->chance = l->chance * 1664525u + 1013904223u + l->cfg.leg_id;
	return ns / 2 + clock_scale(l->chance >> 8, ns, 1 << 24);
}

/* Until the next report of a line: as often as browsers get it, if the peer knows that
 * it may come so often (RFC 4585 3.5); else as RFC 3550 6.2 says, for sound of 64 and
 * pictures of 360 kb/s and more. */
static int64_t interval_ns(struct leg_net *l, enum rtp_line line)
{
	const struct rtp_udp_line *said = &l->media.line[line];
	int64_t avpf = LEG_REPORT_MS > said->trr_int_ms ? LEG_REPORT_MS : said->trr_int_ms;

	if (said->avpf)
		return avpf * NS_PER_MS - LEG_TICK_MS * NS_PER_MS / 2;
	return some_of(l, line == RTP_LINE_AUDIO ? 5 * NS_PER_S : NS_PER_S);
}

ON_THREAD(ROLE_NET) static void report_lines(struct leg_net *l, int64_t now_ns)
{
	for (enum rtp_line i = RTP_LINE_AUDIO; i < RTP_LINES; i++) {
		if (!l->media.line[i].used || now_ns < l->line_due_ns[i])
			continue;
		if (l->line_due_ns[i]) /* the first half as late as those that follow */
			report(l, i, now_ns);
		l->line_due_ns[i] = now_ns + interval_ns(l, i) / (l->line_due_ns[i] ? 1 : 2);
	}
}

/* RFC 3550 6.2: to one receiver the first may go without delay. */
void leg_rtcp_begin(struct leg_net *l, int64_t now_ns)
{
	const struct out_stream *out[RTP_LINES] = { [RTP_LINE_AUDIO] = &l->audio,
						    [RTP_LINE_CAMERA] = &l->video,
						    [RTP_LINE_CONTENT] = &l->content };
	bool waits = false;

	for (enum rtp_line i = RTP_LINE_AUDIO; i < RTP_LINES; i++) {
		if (!l->media.line[i].used || !l->media.line[i].tx || l->line_told[i])
			continue;
		if (!out[i]->tx.started) {
			waits = true;
			continue;
		}
		l->line_told[i] = true;
		report(l, i, now_ns);
		l->line_due_ns[i] = now_ns + interval_ns(l, i);
	}
	if (waits && now_ns <= l->begins_until_ns)
		return;
	l->begins_until_ns = 0;
	leg_net_set_pace(l);
}

void leg_rtcp_report(struct leg_net *l, int64_t now_ns)
{
	if (l->media.udp)
		report_lines(l, now_ns);
	else
		report(l, 0, now_ns);
	measure(l, now_ns);
	leg_net_publish_stats(l);
}

static void bye(struct leg_net *l, enum rtp_line line) ON_THREAD(ROLE_NET)
{
	uint32_t ssrc[4];
	uint8_t data[CAP];
	struct rtcp_builder b;
	size_t n = 0;

	if (is_of(line, RTP_LINE_AUDIO) && l->audio.tx.ssrc)
		ssrc[n++] = l->audio.tx.ssrc;
	if (is_of(line, RTP_LINE_CAMERA) && l->video.tx.ssrc)
		ssrc[n++] = l->video.tx.ssrc;
	if (is_of(line, RTP_LINE_CAMERA) && l->video.rtx.packets)
		ssrc[n++] = l->video.rtx.ssrc;
	if (is_of(line, RTP_LINE_CONTENT) && l->content.tx.ssrc)
		ssrc[n++] = l->content.tx.ssrc;
	if (!n)
		return;
	begin(l, line, &b, data);
	rtcp_build_bye(&b, ssrc, n);
	send(l, &b);
}

void leg_rtcp_bye(struct leg_net *l)
{
	if (!l->media.udp) {
		bye(l, 0);
		return;
	}
	for (enum rtp_line i = RTP_LINE_AUDIO; i < RTP_LINES; i++)
		if (l->media.line[i].used)
			bye(l, i);
}

ON_THREAD(ROLE_NET) static void report_block(struct leg_net *l, const struct rtcp_block *k, int64_t now_ns)
{
	struct remote_report *r;
	int64_t rtt;

	if (k->ssrc == l->audio.tx.ssrc)
		r = &l->audio_report;
	else if (k->ssrc == l->video.tx.ssrc)
		r = &l->video_report;
	else if (k->ssrc && k->ssrc == l->content.tx.ssrc)
		r = &l->content_report;
	else
		return;
	r->fraction_lost = k->fraction_lost;
	r->lost = k->lost;
	r->jitter = k->jitter;
	if (r == &l->audio_report)
		red_tx_report(&l->audio.red, k->fraction_lost, now_ns);
	else if (r == &l->video_report && tier_pick_loss(&l->pick, k->fraction_lost, now_ns))
		leg_net_carries(l);
	leg_net_probe(l);
	rtt = rtcp_rtt_ns(k, clock_ntp_of_wall_ns(clock_wall_ns()));
	if (rtt < 0)
		return;
	l->rtt_ns = l->video.rtt_ns = l->content.rtt_ns = rtt;
	for (int i = 0; i < LEG_NET_PICTURES; i++)
		if (l->in[i].rx)
			video_rx_set_rtt(l->in[i].rx, rtt);
}

ON_THREAD(ROLE_NET) static void report_blocks(struct leg_net *l, const struct rtcp_item *i, int64_t now_ns)
{
	struct rtcp_block k;

	for (unsigned n = 0; n < i->n; n++) {
		rtcp_item_block(i, n, &k);
		report_block(l, &k, now_ns);
	}
}

/* Only the camera's picture belongs to the sound. */
static void picture_report(struct leg_net *l, int k, const struct rtcp_item *i, int64_t arrival_ns)
{
	struct picture_in *in = &l->in[k];

	if (in->have && i->ssrc == in->stats.ssrc) {
		rx_stats_sr(&in->stats, i->sr.ntp, arrival_ns);
		if (k == LEG_NET_CAMERA)
			lipsync_sr(&l->lipsync, LIPSYNC_VIDEO, i->sr.ntp, i->sr.rtp_ts);
	} else if (in->have_rtx && i->ssrc == in->rtx.ssrc) {
		rx_stats_sr(&in->rtx, i->sr.ntp, arrival_ns);
	}
}

static void sender_report(struct leg_net *l, const struct rtcp_item *i, int64_t arrival_ns)
{
	enum rtp_line line = (enum rtp_line)transport_line(l->transport);

	if (is_of(line, RTP_LINE_AUDIO) && l->have_audio_rx && i->ssrc == l->audio_rx.ssrc) {
		rx_stats_sr(&l->audio_rx, i->sr.ntp, arrival_ns);
		lipsync_sr(&l->lipsync, LIPSYNC_AUDIO, i->sr.ntp, i->sr.rtp_ts);
		return;
	}
	for (int k = 0; k < LEG_NET_PICTURES; k++)
		if (is_of(line, line_of(l, &l->in[k])))
			picture_report(l, k, i, arrival_ns);
}

/* Which picture of ours an SSRC is; NULL: none. */
static struct out_stream *picture_of(struct leg_net *l, uint32_t ssrc)
{
	if (ssrc && ssrc == l->content.tx.ssrc)
		return &l->content;
	return ssrc == l->video.tx.ssrc ? &l->video : NULL;
}

static struct leg_net_flow *flow_of(struct leg_net *l, const struct out_stream *o)
{
	return o == &l->content ? &l->stats.downlink_content : &l->stats.downlink_video;
}

ON_THREAD(ROLE_NET) static void nacks(struct leg_net *l, const struct rtcp_item *i, int64_t now_ns)
{
	uint16_t seq[NACKS_PER_ITEM];
	size_t n = rtcp_item_nacks(i, seq, NACKS_PER_ITEM);
	struct out_stream *o = picture_of(l, i->media_ssrc);

	for (size_t k = 0; o && k < n; k++)
		egress_nack(l->egress, o, seq[k], now_ns);
}

ON_THREAD(ROLE_NET) static void fir(struct leg_net *l, const struct rtcp_item *i, int64_t now_ns)
{
	for (unsigned k = 0; k < i->n; k++) {
		struct out_stream *o;
		uint32_t ssrc;
		uint8_t seq;

		rtcp_item_fir(i, k, &ssrc, &seq);
		o = picture_of(l, ssrc);
		if (!o || !fir_dedup_is_new(o == &l->content ? &l->content_fir : &l->fir, i->ssrc,
					    seq, now_ns))
			continue;
		flow_of(l, o)->firs++;
		egress_key_request(l->egress, o);
	}
}

/* Of many in a compound the last one counts: none of the others was in force. */
static void tmmbr(struct leg_net *l, const struct rtcp_item *i)
{
	for (unsigned k = 0; k < i->n; k++) {
		uint64_t bps;
		uint32_t ssrc;

		rtcp_item_tmmbr(i, k, &ssrc, &bps);
		if (!ssrc || ssrc != l->video.tx.ssrc)
			continue;
		l->limit.fresh = l->limit.unanswered = true;
		l->limit.owner = i->ssrc;
		l->limit.bps = bps;
		l->limit.overhead = rtcp_item_tmmbr_overhead(i, k);
		return;
	}
}

/* It is told that its limit was understood (RFC 5104 4.2.2). The answer is larger than
 * the question, and is paced. */
void leg_rtcp_confirm(struct leg_net *l, int64_t now_ns)
{
	struct limit_in *t = &l->limit;
	uint8_t data[CAP];
	struct rtcp_builder b;

	if (!t->unanswered ||
	    (t->answered_ns && now_ns - t->answered_ns < LEG_TMMBN_MS * NS_PER_MS))
		return;
	t->unanswered = false;
	t->answered_ns = now_ns;
	begin(l, line_of(l, &l->in[LEG_NET_CAMERA]), &b, data);
	rtcp_build_tmmbn(&b, l->video.tx.ssrc, t->owner, t->bps, t->overhead);
	send(l, &b);
}

/* A rung's rate follows no receiver: its limit chooses the rung. */
ON_THREAD(ROLE_NET) static void limited(struct leg_net *l, int64_t now_ns)
{
	l->limit.fresh = false;
	if (tier_pick_cap(&l->pick, l->limit.bps, now_ns))
		leg_net_carries(l);
	leg_net_probe(l);
	leg_rtcp_confirm(l, now_ns);
}

ON_THREAD(ROLE_NET) static void pli(struct leg_net *l, const struct rtcp_item *i)
{
	struct out_stream *o = picture_of(l, i->media_ssrc);

	if (!o)
		return;
	flow_of(l, o)->plis++;
	egress_key_request(l->egress, o);
}

ON_THREAD(ROLE_NET) static void item_in(struct leg_net *l, const struct rtcp_item *i, int64_t arrival_ns)
{
	switch (i->type) {
	case RTCP_SR:
		sender_report(l, i, arrival_ns);
		report_blocks(l, i, arrival_ns);
		break;
	case RTCP_RR:
		report_blocks(l, i, arrival_ns);
		break;
	case RTCP_NACK:
		nacks(l, i, arrival_ns);
		break;
	case RTCP_PLI:
		pli(l, i);
		break;
	case RTCP_FIR:
		fir(l, i, arrival_ns);
		break;
	case RTCP_TMMBR:
		tmmbr(l, i);
		break;
	case RTCP_REMB:
		l->stats.remb_bps = i->bps;
		if (tier_pick_remb(&l->pick, i->bps, l->sent_bps, arrival_ns))
			leg_net_carries(l);
		leg_net_probe(l);
		break;
	default:
		break;
	}
}

void leg_rtcp_in(struct leg_net *l, const uint8_t *p, size_t len, int64_t arrival_ns)
{
	struct rtcp_iter it;
	struct rtcp_item item;

	if (rtcp_iter_init(&it, p, len)) {
		metric_add(&m_malformed, 1);
		return;
	}
	while (rtcp_next(&it, &item))
		item_in(l, &item, arrival_ns);
	if (l->limit.fresh)
		limited(l, arrival_ns);
	if (it.error)
		metric_add(&m_malformed, 1);
}
