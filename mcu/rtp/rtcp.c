#include "mcu/rtp/rtcp.h"

#include <errno.h>
#include <string.h>

#include "mcu/base/clock.h"
#include "mcu/rtp/bytes.h"
#include "mcu/rtp/rtcp_wire.h"

/* One RTCP packet of the compound, without header and padding. */
struct body {
	unsigned count; /* the header's five bits: RC, SC or FMT */
	const uint8_t *p;
	size_t len;
};

/* What the parsers below return besides -EBADMSG. */
enum { PASS_OVER, FOUND };

int rtcp_iter_init(struct rtcp_iter *it, const uint8_t *p, size_t len)
{
	*it = (struct rtcp_iter){ .p = p, .left = len };
	/* the range that RFC 5761 4 sets apart from RTP */
	if (len < RTCP_HEADER_BYTES || p[0] >> 6 != 2 || p[1] < 192 || p[1] > 223) {
		it->left = 0;
		it->error = -EBADMSG;
	}
	return it->error;
}

static int parse_report(struct rtcp_item *out, const struct body *b, size_t info_bytes)
{
	if (b->len < info_bytes + b->count * (size_t)RTCP_BLOCK_BYTES)
		return -EBADMSG;
	out->ssrc = get_be32(b->p);
	out->n = b->count;
	out->fci = b->p + info_bytes;
	out->fci_len = b->count * (size_t)RTCP_BLOCK_BYTES;
	return FOUND;
}

static int parse_sr(struct rtcp_item *out, const struct body *b)
{
	int r = parse_report(out, b, RTCP_SR_BYTES);

	if (r != FOUND)
		return r;
	out->type = RTCP_SR;
	out->sr.ntp = get_be64(b->p + 4);
	out->sr.rtp_ts = get_be32(b->p + 12);
	out->sr.packets = get_be32(b->p + 16);
	out->sr.octets = get_be32(b->p + 20);
	return FOUND;
}

static int parse_rr(struct rtcp_item *out, const struct body *b)
{
	out->type = RTCP_RR;
	return parse_report(out, b, 4);
}

/* Walks the items of a chunk; *pos ends behind its padding. */
static int parse_sdes_chunk(struct rtcp_item *out, const struct body *b, size_t *pos)
{
	uint32_t ssrc;

	if (b->len - *pos < 4)
		return -EBADMSG;
	ssrc = get_be32(b->p + *pos);
	*pos += 4;
	while (*pos < b->len && b->p[*pos] != SDES_END) {
		size_t n;

		if (b->len - *pos < 2)
			return -EBADMSG;
		n = b->p[*pos + 1];
		if (b->len - *pos - 2 < n)
			return -EBADMSG;
		if (b->p[*pos] == SDES_CNAME && !out->cname) {
			out->ssrc = ssrc;
			out->cname = (const char *)b->p + *pos + 2;
			out->cname_len = n;
		}
		*pos += 2 + n;
	}
	if (*pos == b->len)
		return -EBADMSG; /* no end item */
	*pos = *pos / 4 * 4 + 4;
	return *pos > b->len ? -EBADMSG : 0; /* RTCP padding may end anywhere */
}

static int parse_sdes(struct rtcp_item *out, const struct body *b)
{
	size_t pos = 0;

	out->type = RTCP_SDES;
	for (unsigned i = 0; i < b->count; i++) {
		int err = parse_sdes_chunk(out, b, &pos);

		if (err)
			return err;
	}
	return out->cname ? FOUND : PASS_OVER;
}

static int parse_bye(struct rtcp_item *out, const struct body *b)
{
	if (b->len < 4u * b->count)
		return -EBADMSG;
	out->type = RTCP_BYE;
	out->n = b->count;
	out->ssrc = b->count ? get_be32(b->p) : 0;
	out->fci = b->p;
	out->fci_len = 4u * b->count;
	return b->count ? FOUND : PASS_OVER;
}

/* A list of entries of each octets, at least one. */
static int parse_entries(struct rtcp_item *out, enum rtcp_type type, size_t each)
{
	if (out->fci_len < each || out->fci_len % each)
		return -EBADMSG;
	out->type = type;
	out->n = (unsigned)(out->fci_len / each);
	return FOUND;
}

static int parse_feedback_head(struct rtcp_item *out, const struct body *b)
{
	if (b->len < RTCP_FB_BYTES)
		return -EBADMSG;
	out->ssrc = get_be32(b->p);
	out->media_ssrc = get_be32(b->p + 4);
	out->fci = b->p + RTCP_FB_BYTES;
	out->fci_len = b->len - RTCP_FB_BYTES;
	return 0;
}

static int parse_rtpfb(struct rtcp_item *out, const struct body *b)
{
	int err = parse_feedback_head(out, b);

	if (err)
		return err;
	switch (b->count) {
	case FMT_NACK:
		return parse_entries(out, RTCP_NACK, 4);
	case FMT_TMMBR:
		return parse_entries(out, RTCP_TMMBR, 8);
	case FMT_TWCC:
		if (out->fci_len < 8)
			return -EBADMSG;
		out->type = RTCP_TWCC;
		return FOUND;
	default:
		return PASS_OVER;
	}
}

/* mantissa * 2^exponent, at most UINT64_MAX. */
static uint64_t bps_of(uint32_t mantissa, unsigned exponent)
{
	uint64_t v = (uint64_t)mantissa << exponent;

	return v >> exponent == mantissa ? v : UINT64_MAX;
}

static int parse_remb(struct rtcp_item *out)
{
	const uint8_t *f = out->fci;

	if (out->fci_len < 8 || memcmp(f, "REMB", 4))
		return PASS_OVER; /* somebody else's application feedback */
	if (out->fci_len - 8 < 4u * f[4])
		return -EBADMSG;
	out->type = RTCP_REMB;
	out->n = f[4];
	out->bps = bps_of(get_be24(f + 5) & 0x3ffff, f[5] >> 2);
	return FOUND;
}

static int parse_psfb(struct rtcp_item *out, const struct body *b)
{
	int err = parse_feedback_head(out, b);

	if (err)
		return err;
	switch (b->count) {
	case FMT_PLI:
		out->type = RTCP_PLI;
		return FOUND;
	case FMT_FIR:
		return parse_entries(out, RTCP_FIR, 8);
	case FMT_AFB:
		return parse_remb(out);
	default:
		return PASS_OVER;
	}
}

static int parse_body(struct rtcp_item *out, uint8_t pt, const struct body *b)
{
	memset(out, 0, sizeof(*out));
	switch (pt) {
	case PT_SR: return parse_sr(out, b);
	case PT_RR: return parse_rr(out, b);
	case PT_SDES: return parse_sdes(out, b);
	case PT_BYE: return parse_bye(out, b);
	case PT_RTPFB: return parse_rtpfb(out, b);
	case PT_PSFB: return parse_psfb(out, b);
	default: return PASS_OVER;
	}
}

/* Takes the next packet off the compound. */
static int take_body(struct rtcp_iter *it, uint8_t *pt, struct body *b)
{
	const uint8_t *p = it->p;
	size_t len;

	if (it->left < RTCP_HEADER_BYTES || p[0] >> 6 != 2)
		return -EBADMSG;
	len = 4u * get_be16(p + 2);
	if (it->left - RTCP_HEADER_BYTES < len)
		return -EBADMSG;
	it->p += RTCP_HEADER_BYTES + len;
	it->left -= RTCP_HEADER_BYTES + len;
	*pt = p[1];
	*b = (struct body){ .count = p[0] & 0x1f, .p = p + RTCP_HEADER_BYTES, .len = len };
	if (p[0] & 0x20) {
		uint8_t pad = len ? b->p[len - 1] : 0;

		/* not always a multiple of 4: transport-wide feedback pads by 1 to 3 */
		if (!pad || pad > len)
			return -EBADMSG;
		b->len -= pad;
	}
	return 0;
}

bool rtcp_next(struct rtcp_iter *it, struct rtcp_item *out)
{
	while (it->left) {
		struct body b;
		uint8_t pt;
		int r = take_body(it, &pt, &b);

		if (!r)
			r = parse_body(out, pt, &b);
		if (r == FOUND)
			return true;
		if (r < 0) {
			it->error = r;
			it->left = 0;
		}
	}
	return false;
}

void rtcp_item_block(const struct rtcp_item *item, unsigned i, struct rtcp_block *out)
{
	const uint8_t *p = item->fci + i * (size_t)RTCP_BLOCK_BYTES;
	uint32_t lost = get_be24(p + 5);

	*out = (struct rtcp_block){
		.ssrc = get_be32(p),
		.fraction_lost = p[4],
		.lost = (int32_t)lost - (lost & 0x800000 ? 0x1000000 : 0),
		.highest_seq = get_be32(p + 8),
		.jitter = get_be32(p + 12),
		.lsr = get_be32(p + 16),
		.dlsr = get_be32(p + 20),
	};
}

uint32_t rtcp_item_bye(const struct rtcp_item *item, unsigned i)
{
	return get_be32(item->fci + 4u * i);
}

void rtcp_item_fir(const struct rtcp_item *item, unsigned i, uint32_t *ssrc, uint8_t *seq)
{
	*ssrc = get_be32(item->fci + 8u * i);
	*seq = item->fci[8u * i + 4];
}

void rtcp_item_tmmbr(const struct rtcp_item *item, unsigned i, uint32_t *ssrc, uint64_t *bps)
{
	uint32_t word = get_be32(item->fci + 8u * i + 4);

	*ssrc = get_be32(item->fci + 8u * i);
	*bps = bps_of(word >> 9 & 0x1ffff, word >> 26);
}

uint16_t rtcp_item_tmmbr_overhead(const struct rtcp_item *item, unsigned i)
{
	return get_be16(item->fci + 8u * i + 6) & 0x1ff;
}

uint32_t rtcp_item_remb(const struct rtcp_item *item, unsigned i)
{
	return get_be32(item->fci + 8 + 4u * i);
}

size_t rtcp_item_nacks(const struct rtcp_item *item, uint16_t *out, size_t max)
{
	size_t n = 0;

	for (unsigned i = 0; i < item->n; i++) {
		uint16_t seq = get_be16(item->fci + 4u * i);
		unsigned mask = get_be16(item->fci + 4u * i + 2);

		/* the packet itself, then those that the bits name */
		for (mask = mask << 1 | 1; mask && n < max; mask >>= 1, seq++)
			if (mask & 1)
				out[n++] = seq;
	}
	return n;
}

int64_t rtcp_rtt_ns(const struct rtcp_block *block, uint64_t now_ntp)
{
	uint32_t rtt = rtcp_ntp_mid(now_ntp) - block->lsr - block->dlsr;

	if (!block->lsr || rtt > INT32_MAX)
		return -1;
	return (int64_t)rtt * NS_PER_S / 65536;
}
