#include "mcu/rtp/rtcp.h"

#include <errno.h>
#include <string.h>

#include "mcu/rtp/bytes.h"
#include "mcu/rtp/rtcp_wire.h"

void rtcp_build_init(struct rtcp_builder *b, uint8_t *data, size_t cap)
{
	*b = (struct rtcp_builder){ .data = data, .cap = cap };
}

/* Room for a packet with a body of body_len octets (a multiple of 4), its
 * header written; NULL and b->error when there is none. */
static uint8_t *open_packet(struct rtcp_builder *b, uint8_t pt, size_t count, size_t body_len)
{
	uint8_t *p = b->data + b->len;

	if (b->error)
		return NULL;
	if (count > RTCP_COUNT_MAX) {
		b->error = -EINVAL;
		return NULL;
	}
	if (b->cap - b->len < RTCP_HEADER_BYTES + body_len) {
		b->error = -ENOSPC;
		return NULL;
	}
	p[0] = (uint8_t)(0x80 | count);
	p[1] = pt;
	put_be16(p + 2, (uint16_t)(body_len / 4));
	b->len += RTCP_HEADER_BYTES + body_len;
	return p + RTCP_HEADER_BYTES;
}

static void put_blocks(uint8_t *p, const struct rtcp_block *blocks, size_t n)
{
	for (size_t i = 0; i < n; i++, p += RTCP_BLOCK_BYTES) {
		put_be32(p, blocks[i].ssrc);
		p[4] = blocks[i].fraction_lost;
		put_be24(p + 5, (uint32_t)blocks[i].lost & 0xffffff);
		put_be32(p + 8, blocks[i].highest_seq);
		put_be32(p + 12, blocks[i].jitter);
		put_be32(p + 16, blocks[i].lsr);
		put_be32(p + 20, blocks[i].dlsr);
	}
}

void rtcp_build_sr(struct rtcp_builder *b, uint32_t ssrc, const struct rtcp_sr *sr,
		   const struct rtcp_block *blocks, size_t n_blocks)
{
	uint8_t *p = open_packet(b, PT_SR, n_blocks, RTCP_SR_BYTES + n_blocks * RTCP_BLOCK_BYTES);

	if (!p)
		return;
	put_be32(p, ssrc);
	put_be64(p + 4, sr->ntp);
	put_be32(p + 12, sr->rtp_ts);
	put_be32(p + 16, sr->packets);
	put_be32(p + 20, sr->octets);
	put_blocks(p + RTCP_SR_BYTES, blocks, n_blocks);
}

void rtcp_build_rr(struct rtcp_builder *b, uint32_t ssrc, const struct rtcp_block *blocks,
		   size_t n_blocks)
{
	uint8_t *p = open_packet(b, PT_RR, n_blocks, 4 + n_blocks * RTCP_BLOCK_BYTES);

	if (!p)
		return;
	put_be32(p, ssrc);
	put_blocks(p + 4, blocks, n_blocks);
}

void rtcp_build_sdes(struct rtcp_builder *b, uint32_t ssrc, const char *cname)
{
	size_t n = strnlen(cname, 255);
	size_t len = 4 + (2 + n) / 4 * 4 + 4; /* at least one octet ends the list */
	uint8_t *p = open_packet(b, PT_SDES, 1, len);

	if (!p)
		return;
	memset(p, 0, len);
	put_be32(p, ssrc);
	p[4] = SDES_CNAME;
	p[5] = (uint8_t)n;
	memcpy(p + 6, cname, n);
}

void rtcp_build_bye(struct rtcp_builder *b, const uint32_t *ssrcs, size_t n)
{
	uint8_t *p = open_packet(b, PT_BYE, n, 4 * n);

	for (size_t i = 0; p && i < n; i++)
		put_be32(p + 4 * i, ssrcs[i]);
}

static uint8_t *open_feedback(struct rtcp_builder *b, uint8_t pt, unsigned fmt, uint32_t ssrc,
			      uint32_t media_ssrc, size_t fci_len)
{
	uint8_t *p = open_packet(b, pt, fmt, RTCP_FB_BYTES + fci_len);

	if (!p)
		return NULL;
	put_be32(p, ssrc);
	put_be32(p + 4, media_ssrc);
	return p + RTCP_FB_BYTES;
}

/* One FCI entry of a NACK; how many of seqs it took. */
static size_t pack_nack(const uint16_t *seqs, size_t n, uint16_t *pid, uint16_t *blp)
{
	size_t i = 1;

	*pid = seqs[0];
	*blp = 0;
	for (; i < n; i++) {
		uint16_t ahead = (uint16_t)(seqs[i] - *pid);

		if (ahead > 16)
			break;
		if (ahead)
			*blp |= (uint16_t)(1u << (ahead - 1));
	}
	return i;
}

void rtcp_build_nack(struct rtcp_builder *b, uint32_t ssrc, uint32_t media_ssrc,
		     const uint16_t *seqs, size_t n)
{
	uint16_t pid, blp;
	size_t entries = 0;
	uint8_t *p;

	for (size_t i = 0; i < n; entries++)
		i += pack_nack(seqs + i, n - i, &pid, &blp);
	if (!entries)
		return;
	p = open_feedback(b, PT_RTPFB, FMT_NACK, ssrc, media_ssrc, 4 * entries);
	for (size_t i = 0; p && i < n; p += 4) {
		i += pack_nack(seqs + i, n - i, &pid, &blp);
		put_be16(p, pid);
		put_be16(p + 2, blp);
	}
}

void rtcp_build_pli(struct rtcp_builder *b, uint32_t ssrc, uint32_t media_ssrc)
{
	open_feedback(b, PT_PSFB, FMT_PLI, ssrc, media_ssrc, 0);
}

void rtcp_build_fir(struct rtcp_builder *b, uint32_t ssrc, uint32_t media_ssrc, uint8_t seq)
{
	/* RFC 5104 4.3.1.2: the common header's media source is 0 */
	uint8_t *p = open_feedback(b, PT_PSFB, FMT_FIR, ssrc, 0, 8);

	if (!p)
		return;
	put_be32(p, media_ssrc);
	put_be32(p + 4, (uint32_t)seq << 24);
}

void rtcp_build_remb(struct rtcp_builder *b, uint32_t ssrc, uint64_t bps, const uint32_t *ssrcs,
		     size_t n)
{
	uint8_t *p = n > 255 ? NULL : open_feedback(b, PT_PSFB, FMT_AFB, ssrc, 0, 8 + 4 * n);
	unsigned exponent = 0;

	if (!p)
		return;
	for (; bps >> exponent > 0x3ffff; exponent++)
		;
	memcpy(p, "REMB", 4);
	p[4] = (uint8_t)n;
	put_be24(p + 5, exponent << 18 | (uint32_t)(bps >> exponent));
	for (size_t i = 0; i < n; i++)
		put_be32(p + 8 + 4 * i, ssrcs[i]);
}

void rtcp_build_tmmbn(struct rtcp_builder *b, uint32_t ssrc, uint32_t owner, uint64_t bps,
		      uint16_t overhead)
{
	uint8_t *p = open_feedback(b, PT_RTPFB, FMT_TMMBN, ssrc, 0, 8);
	uint32_t exponent = 0;

	if (!p)
		return;
	for (; bps >> exponent > 0x1ffff; exponent++)
		;
	put_be32(p, owner);
	put_be32(p + 4, exponent << 26 | (uint32_t)(bps >> exponent) << 9 | (overhead & 0x1ffu));
}

void rtcp_build_raw(struct rtcp_builder *b, const uint8_t *p, size_t len)
{
	if (b->error)
		return;
	if (b->cap - b->len < len) {
		b->error = -ENOSPC;
		return;
	}
	memcpy(b->data + b->len, p, len);
	b->len += len;
}
