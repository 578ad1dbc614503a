#include "tests/load/receiver.h"

#include <stdlib.h>
#include <string.h>

#include "tests/load/h264_pack.h"
#include "tests/load/media.h"
#include "tests/load/util.h"

enum { HOLD = 512, MAX_CONCEAL = 10, REMB_BPS = 4000000 };
static const int64_t FREEZE_NS = 200 * BOT_NS_PER_MS, GIVE_UP_NS = 400 * BOT_NS_PER_MS;
static const int64_t NACK_EVERY_NS = 30 * BOT_NS_PER_MS, PLI_EVERY_NS = 500 * BOT_NS_PER_MS;
static const int64_t FIRST_PLI_NS = 300 * BOT_NS_PER_MS;

/* A packet that waits for the ones before it. */
struct held {
	int64_t seq; /* 0: empty */
	uint32_t ts;
	bool marker;
	size_t len;
	int64_t arrival_ns;
	uint8_t payload[1500];
};

struct rtp {
	uint8_t pt;
	bool marker;
	uint16_t seq;
	uint32_t ts, ssrc;
	const uint8_t *payload;
	size_t len;
};

struct receiver {
	struct receiver_cfg cfg;
	uint8_t audio_pt, video_pt;
	int64_t next_audio, next_video; /* unwrapped sequence numbers */
	struct depack depack;
	struct held *held;
	int64_t gap_since_ns, next_nack_ns, next_pli_ns, start_ns, fed, last_audio_ns;
	uint32_t last_audio_ts;
	struct picture *picture;
	struct tone *tone;
	struct receiver_stats stats;
};

struct receiver *receiver_new(const struct receiver_cfg *cfg)
{
	struct receiver *r = bot_alloc(sizeof *r);

	r->cfg = *cfg;
	r->cfg.answer = NULL;
	r->audio_pt = cfg->answer->audio.pt;
	r->video_pt = cfg->answer->video.pt;
	r->stats.audio.clock_hz = 48000;
	r->stats.video.clock_hz = 90000;
	r->stats.audio_delay.clock_hz = 48000;
	r->stats.video_delay.clock_hz = 90000;
	r->depack.need_key = true;
	r->depack.vp8 = cfg->answer->video.vp8;
	r->depack.keep = cfg->decode || cfg->file;
	r->start_ns = bot_now_ns();
	if (cfg->decode || cfg->nack)
		r->held = bot_alloc(HOLD * sizeof *r->held);
	if (cfg->decode) {
		r->picture = picture_new(cfg->answer->video.vp8);
		r->tone = tone_new();
	}
	return r;
}

void receiver_free(struct receiver **r)
{
	if (!*r)
		return;
	depack_free(&(*r)->depack);
	picture_free(&(*r)->picture);
	tone_free(&(*r)->tone);
	free((*r)->held);
	free(*r);
	*r = NULL;
}

static bool parse(struct rtp *h, const uint8_t *p, size_t len)
{
	size_t n = 12 + 4 * (size_t)(p[0] & 15);

	if (len < n || p[0] >> 6 != 2)
		return false;
	if (p[0] & 0x10) {
		if (len < n + 4 || len < n + 4 + 4 * (size_t)get16(p + n + 2))
			return false;
		n += 4 + 4 * (size_t)get16(p + n + 2);
	}
	if (p[0] & 0x20) {
		if (!p[len - 1] || p[len - 1] > len - n)
			return false;
		len -= p[len - 1];
	}
	*h = (struct rtp){ .pt = p[1] & 127,
			   .marker = p[1] & 128,
			   .seq = get16(p + 2),
			   .ts = get32(p + 4),
			   .ssrc = get32(p + 8),
			   .payload = p + n,
			   .len = len - n };
	return true;
}

static void on_frame(struct receiver *r)
{
	struct receiver_stats *s = &r->stats;
	const struct depack *d = &r->depack;
	int64_t gap = s->last_frame_ns ? d->last_arrival_ns - s->last_frame_ns : 0;

	s->frames++;
	s->key_frames += d->idr;
	s->freezes += gap > FREEZE_NS;
	if (gap > s->max_frame_gap_ns)
		s->max_frame_gap_ns = gap;
	if (gap > s->marked_frame_gap_ns)
		s->marked_frame_gap_ns = gap;
	s->marked_frames++;
	delay_put(&s->video_delay, d->ts, d->last_arrival_ns);
	s->last_frame_ns = d->last_arrival_ns;
	if (!s->first_frame_ns)
		s->first_frame_ns = d->last_arrival_ns;
	if (r->cfg.file && fwrite(d->au, d->len, 1, r->cfg.file) != 1)
		bot_die("cannot write what is received: is the disk full?");
	if (!r->picture)
		return;
	if (!picture_decode(r->picture, d->au, d->len))
		s->decode_errors++;
	else if (r->cfg.picture)
		r->cfg.picture(r->cfg.obj, r->picture, d->first_arrival_ns);
}

static void feed_video(struct receiver *r, const uint8_t *p, size_t n, uint32_t ts, bool marker,
		       int64_t arrival_ns)
{
	switch (depack_put(&r->depack, p, n, ts, marker, arrival_ns)) {
	case DEPACK_FRAME: on_frame(r); break;
	case DEPACK_UNDECODABLE: r->stats.undecodable++; break;
	case DEPACK_MORE: break;
	}
	r->next_video++;
}

static struct held *slot(struct receiver *r, int64_t seq)
{
	return &r->held[seq % HOLD];
}

static void drain(struct receiver *r, int64_t now_ns)
{
	struct held *h;

	while ((h = slot(r, r->next_video))->seq == r->next_video) {
		h->seq = 0;
		feed_video(r, h->payload, h->len, h->ts, h->marker, h->arrival_ns);
	}
	r->gap_since_ns = r->next_video <= r->stats.video.highest ? now_ns : 0;
}

static void skip_gap(struct receiver *r, int64_t now_ns)
{
	depack_gap(&r->depack);
	while (r->next_video <= r->stats.video.highest &&
	       slot(r, r->next_video)->seq != r->next_video)
		r->next_video++;
	drain(r, now_ns);
}

static void hold(struct receiver *r, int64_t seq, const struct rtp *h, int64_t arrival_ns)
{
	struct held *s = slot(r, seq);

	if (h->len > sizeof s->payload)
		return;
	if (seq - r->next_video >= HOLD)
		skip_gap(r, arrival_ns);
	s->seq = seq;
	s->ts = h->ts;
	s->marker = h->marker;
	s->len = h->len;
	s->arrival_ns = arrival_ns;
	memcpy(s->payload, h->payload, h->len);
	r->stats.held_back++;
	if (!r->gap_since_ns)
		r->gap_since_ns = arrival_ns;
}

static void on_video(struct receiver *r, const struct rtp *h, size_t len, int64_t arrival_ns)
{
	bool restart = !r->stats.video.started || r->stats.video.ssrc != h->ssrc;
	int64_t seq;
	enum seq_kind kind =
		seqstat_put(&r->stats.video, h->ssrc, h->seq, h->ts, len, arrival_ns, &seq);

	if (restart)
		r->next_video = seq;
	if (kind == SEQ_DUP || seq < r->next_video)
		return;
	if (seq > r->next_video && r->held) {
		hold(r, seq, h, arrival_ns);
		return;
	}
	if (seq > r->next_video) {
		depack_gap(&r->depack);
		r->next_video = seq;
	}
	feed_video(r, h->payload, h->len, h->ts, h->marker, arrival_ns);
	if (r->held)
		drain(r, arrival_ns);
}

/* Where nothing is to be heard nothing is sent (DTX): that is no gap. */
static void time_audio(struct receiver *r, const struct rtp *h, int64_t arrival_ns)
{
	int64_t gap = arrival_ns - r->last_audio_ns,
		left_out = (int64_t)(int32_t)(h->ts - r->last_audio_ts) - MEDIA_AUDIO_TICKS;

	if (left_out > 0)
		gap -= left_out * BOT_NS_PER_S / 48000;
	if (r->last_audio_ns && gap > r->stats.marked_audio_gap_ns)
		r->stats.marked_audio_gap_ns = gap;
	r->last_audio_ns = arrival_ns;
	r->last_audio_ts = h->ts;
	delay_put(&r->stats.audio_delay, h->ts, arrival_ns);
}

static void on_audio(struct receiver *r, const struct rtp *h, size_t len, int64_t arrival_ns)
{
	bool restart = !r->stats.audio.started || r->stats.audio.ssrc != h->ssrc;
	int64_t seq;
	enum seq_kind kind =
		seqstat_put(&r->stats.audio, h->ssrc, h->seq, h->ts, len, arrival_ns, &seq);

	if (restart)
		r->next_audio = seq;
	if (kind == SEQ_NEXT || kind == SEQ_AHEAD)
		time_audio(r, h, arrival_ns);
	if (!r->tone || kind == SEQ_DUP || seq < r->next_audio)
		return;
	for (int k = 0; r->next_audio < seq && k < MAX_CONCEAL; k++, r->next_audio++)
		tone_decode(r->tone, NULL, 0);
	r->next_audio = seq + 1;
	if (!tone_decode(r->tone, h->payload, h->len))
		r->stats.decode_errors++;
	else if (r->cfg.burst && tone_burst_began(r->tone))
		r->cfg.burst(r->cfg.obj, arrival_ns);
}

void receiver_rtp(struct receiver *r, const uint8_t *p, size_t len, int64_t arrival_ns)
{
	struct rtp h;

	if (!parse(&h, p, len))
		r->stats.malformed++;
	else if (h.pt == r->video_pt && h.len)
		on_video(r, &h, len, arrival_ns);
	else if (h.pt == r->audio_pt && h.len)
		on_audio(r, &h, len, arrival_ns);
	else
		r->stats.unknown_pt++;
}

void receiver_sr(struct receiver *r, uint32_t ssrc, uint64_t ntp, int64_t arrival_ns)
{
	struct seqstat *s = ssrc == r->stats.video.ssrc ? &r->stats.video : &r->stats.audio;

	r->stats.sr++;
	if (!s->started || s->ssrc != ssrc)
		return;
	s->sr_ntp = ntp;
	s->sr_arrival_ns = arrival_ns;
}

void receiver_bye(struct receiver *r)
{
	r->stats.bye++;
}

static void send_report(struct receiver *r, int64_t now_ns)
{
	struct rtcp_writer w = { .len = 0 };
	struct rtcp_block b[2];
	unsigned n = 0;

	if (r->stats.audio.started)
		seqstat_report(&r->stats.audio, now_ns, &b[n++]);
	if (r->stats.video.started)
		seqstat_report(&r->stats.video, now_ns, &b[n++]);
	rtcp_put_rr(&w, r->cfg.ssrc, b, n);
	rtcp_put_sdes(&w, r->cfg.ssrc, r->cfg.cname);
	link_send_rtcp(r->cfg.link, w.buf, w.len);
	r->stats.feedback_sent++;
}

static void send_remb(struct receiver *r)
{
	struct rtcp_writer w = { .len = 0 };

	rtcp_put_rr(&w, r->cfg.ssrc, NULL, 0);
	rtcp_put_remb(&w, r->cfg.ssrc, r->stats.video.ssrc, REMB_BPS);
	link_send_rtcp(r->cfg.link, w.buf, w.len);
	r->stats.feedback_sent++;
}

static void send_pli(struct receiver *r, int64_t now_ns)
{
	struct rtcp_writer w = { .len = 0 };

	rtcp_put_rr(&w, r->cfg.ssrc, NULL, 0);
	rtcp_put_pli(&w, r->cfg.ssrc, r->stats.video.ssrc);
	link_send_rtcp(r->cfg.link, w.buf, w.len);
	r->stats.plis_sent++;
	r->next_pli_ns = now_ns + PLI_EVERY_NS;
}

static void send_nack(struct receiver *r, int64_t now_ns)
{
	struct rtcp_writer w = { .len = 0 };
	uint16_t missing[RTCP_MAX_NACKS];
	size_t n = 0;

	r->next_nack_ns = now_ns + NACK_EVERY_NS;
	for (int64_t k = r->next_video; k <= r->stats.video.highest && n < RTCP_MAX_NACKS; k++)
		if (slot(r, k)->seq != k)
			missing[n++] = (uint16_t)k;
	if (!n)
		return;
	rtcp_put_rr(&w, r->cfg.ssrc, NULL, 0);
	rtcp_put_nack(&w, r->cfg.ssrc, r->stats.video.ssrc, missing, n);
	link_send_rtcp(r->cfg.link, w.buf, w.len);
	r->stats.nacks_sent += n;
}

static void ask_for_repair(struct receiver *r, int64_t now_ns)
{
	if (!r->stats.video.started)
		return;
	if (!r->next_pli_ns)
		r->next_pli_ns = now_ns + FIRST_PLI_NS;
	if (r->gap_since_ns && now_ns - r->gap_since_ns > GIVE_UP_NS)
		skip_gap(r, now_ns);
	if (r->gap_since_ns && r->cfg.nack && now_ns >= r->next_nack_ns)
		send_nack(r, now_ns);
	if (r->depack.need_key && now_ns >= r->next_pli_ns)
		send_pli(r, now_ns);
}

void receiver_tick(struct receiver *r, int64_t now_ns)
{
	unsigned hz = r->cfg.feedback_hz ? r->cfg.feedback_hz : 1;
	/* Spread over the second by SSRC, so that a crowd does not speak at once. */
	int64_t phase = (int64_t)(r->cfg.ssrc % 1000) * BOT_NS_PER_S / hz / 1000;

	ask_for_repair(r, now_ns);
	while (r->start_ns + phase + r->fed * BOT_NS_PER_S / hz <= now_ns) {
		if (now_ns - (r->start_ns + phase + r->fed * BOT_NS_PER_S / hz) < BOT_NS_PER_S) {
			if (r->fed % hz == 0)
				send_report(r, now_ns);
			else
				send_remb(r);
		}
		r->fed++;
	}
}

void receiver_mark(struct receiver *r)
{
	delay_reset(&r->stats.audio_delay);
	delay_reset(&r->stats.video_delay);
	r->stats.marked_frame_gap_ns = r->stats.marked_audio_gap_ns = 0;
	r->stats.marked_frames = 0;
}

const struct receiver_stats *receiver_stats(const struct receiver *r)
{
	return &r->stats;
}

const struct picture *receiver_picture(const struct receiver *r)
{
	return r->picture;
}

const struct tone *receiver_tone(const struct receiver *r)
{
	return r->tone;
}
