#include "tests/load/rtcp.h"

#include <string.h>

#include "tests/load/util.h"

enum { SR = 200, RR = 201, SDES = 202, BYE = 203, RTPFB = 205, PSFB = 206 };
enum { FMT_NACK = 1, FMT_PLI = 1, FMT_FIR = 4, FMT_AFB = 15 };
static const uint64_t NTP_OF_1970 = 2208988800U;

static uint8_t *put_packet(struct rtcp_writer *w, unsigned count, uint32_t pt, size_t bytes)
{
	uint8_t *p = w->buf + w->len;

	if (w->len + bytes > RTCP_MAX_BYTES)
		bot_die("rtcp: compound too long");
	memset(p, 0, bytes);
	p[0] = (uint8_t)(0x80 | count);
	p[1] = (uint8_t)pt;
	put16(p + 2, (uint32_t)(bytes / 4 - 1));
	w->len += bytes;
	return p;
}

void rtcp_put_sr(struct rtcp_writer *w, uint32_t ssrc, int64_t wall_ns, uint32_t rtp_ts,
		 uint32_t packets, uint32_t octets)
{
	uint8_t *p = put_packet(w, 0, SR, 28);
	uint64_t s = (uint64_t)(wall_ns / BOT_NS_PER_S) + NTP_OF_1970;
	uint64_t f = ((uint64_t)(wall_ns % BOT_NS_PER_S) << 32) / BOT_NS_PER_S;

	put32(p + 4, ssrc);
	put32(p + 8, (uint32_t)s);
	put32(p + 12, (uint32_t)f);
	put32(p + 16, rtp_ts);
	put32(p + 20, packets);
	put32(p + 24, octets);
}

void rtcp_put_rr(struct rtcp_writer *w, uint32_t ssrc, const struct rtcp_block *b, unsigned n)
{
	uint8_t *p = put_packet(w, n, RR, 8 + 24 * (size_t)n);

	put32(p + 4, ssrc);
	for (p += 8; n--; p += 24, b++) {
		put32(p, b->ssrc);
		put32(p + 4, (uint32_t)b->fraction << 24 | ((uint32_t)b->lost & 0xffffff));
		put32(p + 8, b->highest);
		put32(p + 12, b->jitter);
		put32(p + 16, b->lsr);
		put32(p + 20, b->dlsr);
	}
}

void rtcp_put_sdes(struct rtcp_writer *w, uint32_t ssrc, const char *cname)
{
	size_t n = strlen(cname);
	uint8_t *p = put_packet(w, 1, SDES, (8 + 2 + n + 1 + 3) & ~(size_t)3);

	put32(p + 4, ssrc);
	p[8] = 1;
	p[9] = (uint8_t)n;
	memcpy(p + 10, cname, n);
}

void rtcp_put_bye(struct rtcp_writer *w, uint32_t ssrc)
{
	put32(put_packet(w, 1, BYE, 8) + 4, ssrc);
}

static uint8_t *put_feedback(struct rtcp_writer *w, uint32_t pt, unsigned fmt, uint32_t ssrc,
			     uint32_t of, size_t fci)
{
	uint8_t *p = put_packet(w, fmt, pt, 12 + fci);

	put32(p + 4, ssrc);
	put32(p + 8, of);
	return p + 12;
}

void rtcp_put_pli(struct rtcp_writer *w, uint32_t ssrc, uint32_t of)
{
	put_feedback(w, PSFB, FMT_PLI, ssrc, of, 0);
}

void rtcp_put_nack(struct rtcp_writer *w, uint32_t ssrc, uint32_t of, const uint16_t *seqs,
		   size_t n)
{
	uint16_t pid[RTCP_MAX_NACKS], mask[RTCP_MAX_NACKS];
	size_t items = 0;
	uint8_t *p;

	for (size_t i = 0; i < n; i++) {
		uint16_t ahead = items ? (uint16_t)(seqs[i] - pid[items - 1]) : 0;

		if (items && ahead >= 1 && ahead <= 16) {
			mask[items - 1] = (uint16_t)(mask[items - 1] | 1U << (ahead - 1));
		} else if (items < RTCP_MAX_NACKS) {
			pid[items] = seqs[i];
			mask[items++] = 0;
		}
	}
	p = put_feedback(w, RTPFB, FMT_NACK, ssrc, of, 4 * items);
	for (size_t i = 0; i < items; i++) {
		put16(p + 4 * i, pid[i]);
		put16(p + 4 * i + 2, mask[i]);
	}
}

void rtcp_put_remb(struct rtcp_writer *w, uint32_t ssrc, uint32_t of, uint32_t bps)
{
	uint8_t *p = put_feedback(w, PSFB, FMT_AFB, ssrc, 0, 12);
	uint32_t exp = 0;

	for (; bps > 0x3ffff; bps >>= 1)
		exp++;
	memcpy(p, "REMB", 4);
	put32(p + 4, 1U << 24 | exp << 18 | bps);
	put32(p + 8, of);
}

static void read_blocks(const struct rtcp_reader *r, const uint8_t *p, const uint8_t *end,
			unsigned n)
{
	for (; n && end - p >= 24; n--, p += 24) {
		struct rtcp_block b = { .ssrc = get32(p),
					.fraction = p[4],
					.highest = get32(p + 8),
					.jitter = get32(p + 12),
					.lsr = get32(p + 16),
					.dlsr = get32(p + 20) };

		b.lost = (int32_t)(get32(p + 4) << 8) >> 8;
		r->block(r->obj, &b);
	}
}

static void read_nacks(const struct rtcp_reader *r, const uint8_t *p, const uint8_t *end)
{
	uint32_t of = get32(p + 8);

	for (p += 12; end - p >= 4; p += 4) {
		uint16_t pid = get16(p), mask = get16(p + 2);

		r->nack(r->obj, of, pid);
		for (unsigned i = 0; i < 16; i++)
			if (mask >> i & 1)
				r->nack(r->obj, of, (uint16_t)(pid + i + 1));
	}
}

static void read_one(const struct rtcp_reader *r, const uint8_t *p, size_t n)
{
	unsigned count = p[0] & 31;
	const uint8_t *end = p + n;

	r->any(r->obj, p[1], (uint8_t)count);
	if (p[1] == SR && n >= 28) {
		r->sr(r->obj, get32(p + 4), (uint64_t)get32(p + 8) << 32 | get32(p + 12),
		      get32(p + 16));
		read_blocks(r, p + 28, end, count);
	} else if (p[1] == RR && n >= 8) {
		read_blocks(r, p + 8, end, count);
	} else if (p[1] == RTPFB && count == FMT_NACK && n >= 12) {
		read_nacks(r, p, end);
	} else if (p[1] == PSFB && count == FMT_PLI && n >= 12) {
		r->key_request(r->obj, get32(p + 8), false);
	} else if (p[1] == PSFB && count == FMT_FIR && n >= 20) {
		r->key_request(r->obj, get32(p + 12), true);
	}
}

bool rtcp_read(const struct rtcp_reader *r, const uint8_t *p, size_t len)
{
	while (len >= 4) {
		size_t n = 4 * ((size_t)get16(p + 2) + 1);

		if (p[0] >> 6 != 2 || n > len)
			return false;
		read_one(r, p, n);
		p += n;
		len -= n;
	}
	return !len;
}
