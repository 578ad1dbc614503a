#include "tests/load/sender.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/load/h264_pack.h"
#include "tests/load/rtcp.h"
#include "tests/load/util.h"

enum { LATE_MS = 30, LATE_MAX = 64 };
enum { HISTORY = 512, PACKET = 1280, HDR_MAX = 40, AUDIO_MS = 20, MAX_BEHIND_MS = 500 };

struct sent {
	uint16_t seq;
	size_t len; /* 0: empty */
	uint8_t plain[PACKET];
};

struct track {
	const struct media *media;
	struct sdp_media rtp;
	uint32_t ssrc, ts0, ts, clock_hz, packets, octets;
	uint16_t seq;
	size_t next;   /* unit of media */
	int64_t count; /* units sent */
	int64_t unit_ns;
	bool jump;   /* go on with an IDR */
	bool paused; /* nobody sees it */
	struct sent *history;
};

struct sender {
	struct sender_cfg cfg;
	struct track audio, video, content;
	struct track *packing; /* whose picture is being cut up */
	const struct media *camera; /* in its full size */
	uint16_t twcc;
	int64_t next_report_ns;
	uint8_t level;
	struct {
		const struct sent *packet; /* NULL: free */
		int64_t due_ns;
	} held[LATE_MAX];
	struct sender_stats stats;
};

static void track_init(struct track *t, const struct media *m, const struct sdp_media *rtp,
		       uint32_t ssrc, uint32_t clock_hz, int64_t unit_ns)
{
	t->media = rtp->accepted && rtp->receives ? m : NULL;
	t->rtp = *rtp;
	t->ssrc = ssrc;
	t->clock_hz = clock_hz;
	t->unit_ns = unit_ns;
	/* Numbers and times that wrap within half a minute. */
	t->seq = (uint16_t)(64000 + bot_random_below(1000));
	t->ts0 = t->ts = UINT32_MAX - clock_hz * (5 + bot_random_below(10));
	t->history = t->media ? bot_alloc(HISTORY * sizeof *t->history) : NULL;
}

struct sender *sender_new(const struct sender_cfg *cfg)
{
	struct sender *s = bot_alloc(sizeof *s);

	s->cfg = *cfg;
	track_init(&s->audio, cfg->audio, &cfg->answer->audio, cfg->audio_ssrc, 48000,
		   AUDIO_MS * BOT_NS_PER_MS);
	track_init(&s->video, cfg->video, &cfg->answer->video, cfg->video_ssrc, 90000,
		   cfg->frame_ns);
	track_init(&s->content, cfg->content, &cfg->answer->content, cfg->content_ssrc, 90000,
		   cfg->frame_ns);
	s->camera = cfg->video;
	if (cfg->video) {
		s->stats.width = cfg->video->width;
		s->stats.height = cfg->video->height;
	}
	s->cfg.answer = NULL;
	return s;
}

void sender_free(struct sender **s)
{
	if (!*s)
		return;
	free((*s)->audio.history);
	free((*s)->video.history);
	free((*s)->content.history);
	free(*s);
	*s = NULL;
}

/* One-byte header extensions (RFC 8285 section 4.2). */
static size_t put_header(struct sender *s, struct track *t, bool marker, uint8_t *p)
{
	size_t at = 16;

	p[0] = 0x80;
	p[1] = (uint8_t)(t->rtp.pt | (marker ? 0x80 : 0));
	put16(p + 2, t->seq);
	put32(p + 4, t->ts);
	put32(p + 8, t->ssrc);
	if (t->rtp.ext_mid && t->rtp.mid[0]) {
		size_t n = strlen(t->rtp.mid);

		p[at++] = (uint8_t)((size_t)t->rtp.ext_mid << 4 | (n - 1));
		memcpy(p + at, t->rtp.mid, n);
		at += n;
	}
	if (t->rtp.ext_twcc) {
		p[at++] = (uint8_t)(t->rtp.ext_twcc << 4 | 1);
		put16(p + at, s->twcc++);
		at += 2;
	}
	if (t == &s->audio && t->rtp.ext_level) {
		p[at++] = (uint8_t)(t->rtp.ext_level << 4);
		p[at++] = (uint8_t)((s->level < 60 ? 0x80 : 0) | s->level);
	}
	if (at == 16)
		return 12;
	while (at % 4)
		p[at++] = 0;
	p[0] |= 0x10;
	put16(p + 12, 0xbede);
	put16(p + 14, (uint32_t)(at - 16) / 4);
	return at;
}

static void transmit(struct sender *s, const struct sent *h)
{
	uint8_t buf[PACKET + SEC_OVERHEAD];

	memcpy(buf, h->plain, h->len);
	link_send_rtp(s->cfg.link, buf, h->len);
}

/* As if it had taken a longer way: others overtake it. False: no room. */
static bool hold(struct sender *s, const struct sent *h)
{
	for (size_t i = 0; i < LATE_MAX; i++) {
		if (s->held[i].packet)
			continue;
		s->held[i].packet = h;
		s->held[i].due_ns = bot_now_ns() + LATE_MS * BOT_NS_PER_MS;
		s->stats.held++;
		return true;
	}
	return false;
}

static void release_held(struct sender *s, int64_t now_ns)
{
	for (size_t i = 0; i < LATE_MAX; i++) {
		if (!s->held[i].packet || now_ns < s->held[i].due_ns)
			continue;
		transmit(s, s->held[i].packet);
		s->held[i].packet = NULL;
	}
}

static void send_packet(struct sender *s, struct track *t, const uint8_t *p, size_t n, bool marker)
{
	struct sent *h = &t->history[t->seq % HISTORY];
	size_t hdr;

	if (n > PACKET - HDR_MAX)
		return;
	hdr = put_header(s, t, marker, h->plain);
	memcpy(h->plain + hdr, p, n);
	h->len = hdr + n;
	h->seq = t->seq++;
	t->packets++;
	t->octets += (uint32_t)n;
	s->stats.octets += h->len;
	if (s->cfg.drop_permille && bot_random_below(1000) < s->cfg.drop_permille)
		s->stats.dropped++;
	else if (!s->cfg.late_permille || bot_random_below(1000) >= s->cfg.late_permille ||
		 !hold(s, h))
		transmit(s, h);
}

static void emit_video(void *obj, const uint8_t *p, size_t n, bool marker)
{
	struct sender *s = obj;

	s->stats.video_packets++;
	send_packet(s, s->packing, p, n, marker);
}

static void send_unit(struct sender *s, struct track *t)
{
	const struct media_unit *u;
	bool video = t != &s->audio;

	if (t->jump) {
		t->jump = false;
		s->stats.key_jumps++;
		while (!t->media->unit[t->next].key)
			t->next = (t->next + 1) % t->media->units;
	}
	u = &t->media->unit[t->next];
	t->ts = t->ts0 + (uint32_t)(t->count * t->unit_ns / 1000 * t->clock_hz / 1000000);
	if (video) {
		s->packing = t;
		h264_pack(u->data, u->len, emit_video, s);
		s->stats.video_frames += t == &s->video;
		s->stats.content_frames += t == &s->content;
	} else {
		s->level = u->level;
		s->stats.audio_packets++;
		send_packet(s, t, u->data, u->len, t->count == 0);
	}
	if (u->marked && s->cfg.marked)
		s->cfg.marked(s->cfg.obj, video, bot_now_ns());
	t->next = (t->next + 1) % t->media->units;
	t->count++;
}

static void run_track(struct sender *s, struct track *t, int64_t now_ns)
{
	int64_t due;

	if (!t->media)
		return;
	while ((due = s->cfg.start_ns + t->count * t->unit_ns) <= now_ns) {
		if (now_ns - due > MAX_BEHIND_MS * BOT_NS_PER_MS) {
			/* The machine stood still: skip in time, not in media. */
			t->count++;
			s->stats.late++;
			continue;
		}
		if (t->paused) {
			t->count++;
			s->stats.unseen++;
			continue;
		}
		send_unit(s, t);
	}
}

static void report(struct sender *s, struct track *t, int64_t now_ns)
{
	struct rtcp_writer w = { .len = 0 };
	uint32_t ts;

	if (!t->media || !t->packets)
		return;
	ts = t->ts0 + (uint32_t)((now_ns - s->cfg.start_ns) / 1000 * t->clock_hz / 1000000);
	rtcp_put_sr(&w, t->ssrc, bot_wall_ns(), ts, t->packets, t->octets);
	rtcp_put_sdes(&w, t->ssrc, s->cfg.cname);
	link_send_rtcp(s->cfg.link, w.buf, w.len);
}

void sender_tick(struct sender *s, int64_t now_ns)
{
	release_held(s, now_ns);
	run_track(s, &s->audio, now_ns);
	run_track(s, &s->video, now_ns);
	run_track(s, &s->content, now_ns);
	if (now_ns < s->next_report_ns)
		return;
	/* The first follows the first packets closely, for lip sync. */
	s->next_report_ns = now_ns + (s->next_report_ns ? BOT_NS_PER_S : 200 * BOT_NS_PER_MS);
	report(s, &s->audio, now_ns);
	report(s, &s->video, now_ns);
	report(s, &s->content, now_ns);
}

void sender_nack(struct sender *s, uint32_t ssrc, uint16_t seq)
{
	struct track *t = ssrc == s->video.ssrc   ? &s->video :
			  ssrc == s->content.ssrc ? &s->content : &s->audio;
	const struct sent *h;

	s->stats.nacked++;
	if (!t->history || ssrc != t->ssrc)
		return;
	h = &t->history[seq % HISTORY];
	if (!h->len || h->seq != seq)
		return;
	s->stats.retransmitted++;
	transmit(s, h);
}

void sender_key_request(struct sender *s, uint32_t ssrc)
{
	s->stats.key_requests++;
	if (s->video.media && ssrc == s->video.ssrc)
		s->video.jump = true;
	if (s->content.media && ssrc == s->content.ssrc)
		s->content.jump = true;
}

void sender_fit(struct sender *s, int width, int height, bool visible)
{
	struct track *t = &s->video;
	const struct media *m;

	if (!t->media)
		return;
	m = visible ? media_fit(s->camera, width, height) : t->media;
	if (m != t->media || (t->paused && visible)) {
		t->next %= m->units;
		t->jump = true;
	}
	t->media = m;
	t->paused = !visible;
	s->stats.width = m->width;
	s->stats.height = m->height;
}

void sender_bye(struct sender *s)
{
	struct rtcp_writer w = { .len = 0 };

	rtcp_put_rr(&w, s->audio.ssrc, NULL, 0);
	rtcp_put_bye(&w, s->audio.ssrc);
	rtcp_put_bye(&w, s->video.ssrc);
	if (s->content.media)
		rtcp_put_bye(&w, s->content.ssrc);
	link_send_rtcp(s->cfg.link, w.buf, w.len);
}

const struct sender_stats *sender_stats(const struct sender *s)
{
	return &s->stats;
}
