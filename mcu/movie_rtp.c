#include "mcu/movie_rtp.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "mcu/base/clock.h"
#include "mcu/rtp/bytes.h"
#include "mcu/rtp/payload_h264.h"
#include "mcu/rtp/rtcp.h"

enum {
	HEADER = 12,
	AU_HEADER = 4, /* RFC 3640: AU-headers-length, one header of 16 bits */
	PAYLOAD = TRANSPORT_MTU - HEADER,
	LEAD_TICKS = 400, /* stamps of what leads: so many before the place at first */
	AAC_MAX = 8191,	  /* sizelength=13 */
};

int movie_rtp_init(struct movie_rtp *m, struct rtp_batch_pool *batches,
		   const struct player_info *info, const bool used[PLAYER_TRACKS], int64_t now_ns)
{
	*m = (struct movie_rtp){ .batches = batches, .epoch_ns = now_ns };
	snprintf(m->cname, sizeof m->cname, "mcu-%llx", (unsigned long long)now_ns);
	for (int i = 0; i < PLAYER_TRACKS; i++) {
		struct movie_stream *s = &m->stream[i];
		const struct player_track *t = &info->track[i];
		uint32_t chance[3];

		if (getrandom(chance, sizeof chance, 0) != (ssize_t)sizeof chance)
			return -EIO;
		*s = (struct movie_stream){
			.there = used[i] && t->there, .codec = t->codec, .clock_hz = t->clock_hz,
			.ssrc = chance[0] ? chance[0] : 1, .first_ts = chance[1],
			.seq = (uint16_t)(chance[2] & 0x7fff),
			.pt = i == PLAYER_VIDEO ? 96 : 97,
		};
	}
	if (m->stream[0].ssrc == m->stream[1].ssrc)
		m->stream[1].ssrc++;
	return 0;
}

static uint32_t ticks(const struct movie_stream *s, int64_t ns)
{
	return ns < 0 ? (uint32_t)-clock_scale(-ns, s->clock_hz, NS_PER_S) :
			(uint32_t)clock_scale(ns, s->clock_hz, NS_PER_S);
}

void movie_rtp_begin(struct movie_rtp *m, int64_t now_ns)
{
	for (int i = 0; i < PLAYER_TRACKS; i++) {
		struct movie_stream *s = &m->stream[i];

		if (!s->there)
			continue;
		/* behind all that came before: what leads is older than the place */
		s->base = s->first_ts + ticks(s, now_ns - m->epoch_ns) + 2 * LEAD_TICKS;
		s->leads = 0;
	}
}

/* --- packets ------------------------------------------------------------------------------ */

/* RFC 3640, AAC-hbr: one access unit in a packet; in several when it is longer. */
static int packetize_aac(struct rtp_batch *b, const uint8_t *data, size_t len)
{
	uint8_t h[AU_HEADER] = { 0, 16, (uint8_t)(len >> 5), (uint8_t)(len << 3) };
	size_t most = PAYLOAD - AU_HEADER;
	int err = len > AAC_MAX ? -EMSGSIZE : 0;

	for (size_t at = 0; at < len && !err; at += most) {
		size_t n = len - at < most ? len - at : most;

		err = rtp_batch_add(b, h, sizeof h, data + at, n, at + n == len);
	}
	return err;
}

static int packetize(struct rtp_batch *b, const struct movie_stream *s, const uint8_t *data,
		     size_t len)
{
	if (s->codec == CODEC_H264)
		return rtp_h264_packetize(b, data, len, PAYLOAD);
	if (s->codec == CODEC_AAC)
		return packetize_aac(b, data, len);
	return len > PAYLOAD ? -EMSGSIZE : rtp_batch_add(b, NULL, 0, data, len, false);
}

static size_t send_batch(struct movie_stream *s, struct transport *t, const struct rtp_batch *b,
			 uint32_t ts) ON_THREAD(ROLE_NET)
{
	enum { AT_ONCE = 64 };
	uint8_t hdr[AT_ONCE][HEADER];
	struct out_pkt out[AT_ONCE];
	size_t octets = 0;

	for (unsigned i = 0, n = 0; i < b->n; i++) {
		uint8_t *h = hdr[n];

		h[0] = 0x80;
		h[1] = (uint8_t)(s->pt | (b->pkt[i].marker ? 0x80 : 0));
		put_be16(h + 2, s->seq++);
		put_be32(h + 4, ts);
		put_be32(h + 8, s->ssrc);
		out[n++] = (struct out_pkt){ .hdr = h, .hdr_len = HEADER, .payload = b->data + b->pkt[i].off,
					     .payload_len = b->pkt[i].len };
		octets += b->pkt[i].len;
		if (n == AT_ONCE || i + 1 == b->n) {
			transport_send_rtp(t, out, n);
			n = 0;
		}
	}
	s->packets += b->n;
	s->octets += (uint32_t)octets;
	return octets;
}

size_t movie_rtp_send(struct movie_rtp *m, struct transport *t, enum player_track_no no,
		      const uint8_t *data, size_t len, int64_t after_ns, bool lead)
{
	struct movie_stream *s = &m->stream[no];
	struct rtp_batch *b;
	uint32_t ts = s->base + ticks(s, after_ns);
	size_t octets = 0;

	if (!s->there)
		return 0;
	if (lead) {
		ts = s->base - LEAD_TICKS + (s->leads < LEAD_TICKS - 1 ? s->leads : LEAD_TICKS - 1);
		s->leads++;
	}
	b = rtp_batch_get(m->batches, len + len / 8 + 64);
	if (!b)
		return 0;
	if (!packetize(b, s, data, len))
		octets = send_batch(s, t, b, ts);
	rtp_batch_unref(&b);
	return octets;
}

void movie_rtp_report(struct movie_rtp *m, struct transport *t, int64_t after_ns, bool bye)
{
	uint64_t ntp = clock_ntp_of_wall_ns(clock_wall_ns());

	for (int i = 0; i < PLAYER_TRACKS; i++) {
		struct movie_stream *s = &m->stream[i];
		struct rtcp_sr sr = { .ntp = ntp, .rtp_ts = s->base + ticks(s, after_ns),
				      .packets = s->packets, .octets = s->octets };
		struct rtcp_builder b;
		uint8_t data[256];

		if (!s->there)
			continue;
		rtcp_build_init(&b, data, sizeof data);
		rtcp_build_sr(&b, s->ssrc, &sr, NULL, 0);
		rtcp_build_sdes(&b, s->ssrc, m->cname);
		if (bye)
			rtcp_build_bye(&b, &s->ssrc, 1);
		if (!b.error)
			(void)transport_send_rtcp(t, data, b.len);
	}
}
