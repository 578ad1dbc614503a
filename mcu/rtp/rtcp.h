/* RTCP (RFC 3550 6, RFC 4585, RFC 5104, RFC 5506 reduced size, REMB): parsing as
 * an iterator over a compound packet, and building into the caller's memory.
 * Pure; items borrow from the packet's octets. */
#ifndef MCU_RTP_RTCP_H
#define MCU_RTP_RTCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum rtcp_type {
	RTCP_SR = 1,
	RTCP_RR,
	RTCP_SDES,
	RTCP_BYE,
	RTCP_NACK,  /* generic NACK, RFC 4585 6.2.1 */
	RTCP_TMMBR, /* RFC 5104 4.2.1 */
	RTCP_TWCC,  /* transport-wide feedback; body with the FCI in fci */
	RTCP_PLI,
	RTCP_FIR,
	RTCP_REMB,
};

/* One report block (RFC 3550 6.4.1). */
struct rtcp_block {
	uint32_t ssrc;
	uint8_t fraction_lost; /* of 256 */
	int32_t lost;          /* cumulative, 24 bits signed */
	uint32_t highest_seq;  /* extended */
	uint32_t jitter;       /* clock units */
	uint32_t lsr;          /* middle 32 bits of NTP; 0: no SR yet */
	uint32_t dlsr;         /* 1/65536 s */
};

struct rtcp_sr {
	uint64_t ntp;
	uint32_t rtp_ts, packets, octets;
};

struct rtcp_item {
	enum rtcp_type type;
	uint32_t ssrc;       /* who sent it */
	uint32_t media_ssrc; /* feedback: about whom (0 for FIR, REMB, TMMBR) */
	unsigned n;          /* SR, RR: blocks; BYE: SSRCs; FIR, TMMBR: entries; REMB: SSRCs */
	struct rtcp_sr sr;   /* SR */
	const char *cname;   /* SDES: of the first chunk that has one; not NUL-terminated */
	size_t cname_len;
	uint64_t bps;        /* REMB */
	const uint8_t *fci;  /* what the accessors read */
	size_t fci_len;
};

struct rtcp_iter {
	const uint8_t *p;
	size_t left;
	int error; /* -EBADMSG when the walk ended at something malformed */
};

/* p, len: one decrypted datagram. -EBADMSG when it does not start as RTCP. */
int rtcp_iter_init(struct rtcp_iter *it, const uint8_t *p, size_t len);
/* The next item of a known type; unknown ones are passed over. False: the end,
 * or it->error. Items before a malformed one were good. */
bool rtcp_next(struct rtcp_iter *it, struct rtcp_item *out);

/* i < item->n. */
void rtcp_item_block(const struct rtcp_item *item, unsigned i, struct rtcp_block *out);
uint32_t rtcp_item_bye(const struct rtcp_item *item, unsigned i);
void rtcp_item_fir(const struct rtcp_item *item, unsigned i, uint32_t *ssrc, uint8_t *seq);
void rtcp_item_tmmbr(const struct rtcp_item *item, unsigned i, uint32_t *ssrc, uint64_t *bps);
/* Octets of every packet that it counts besides its RTP. */
uint16_t rtcp_item_tmmbr_overhead(const struct rtcp_item *item, unsigned i);
uint32_t rtcp_item_remb(const struct rtcp_item *item, unsigned i);
/* Sequence numbers of a NACK in its order, at most max; how many. */
size_t rtcp_item_nacks(const struct rtcp_item *item, uint16_t *out, size_t max);

/* A compound packet in the making. The first thing that does not fit sets
 * error = -ENOSPC and is left out as a whole; later calls do nothing. */
struct rtcp_builder {
	uint8_t *data;
	size_t len, cap;
	int error;
};

void rtcp_build_init(struct rtcp_builder *b, uint8_t *data, size_t cap);
/* blocks: n_blocks <= 31. */
void rtcp_build_sr(struct rtcp_builder *b, uint32_t ssrc, const struct rtcp_sr *sr,
		   const struct rtcp_block *blocks, size_t n_blocks);
void rtcp_build_rr(struct rtcp_builder *b, uint32_t ssrc, const struct rtcp_block *blocks,
		   size_t n_blocks);
/* cname: at most 255 octets. */
void rtcp_build_sdes(struct rtcp_builder *b, uint32_t ssrc, const char *cname);
void rtcp_build_bye(struct rtcp_builder *b, const uint32_t *ssrcs, size_t n);
/* seqs ascending (with wrap); packed as PID and BLP. */
void rtcp_build_nack(struct rtcp_builder *b, uint32_t ssrc, uint32_t media_ssrc,
		     const uint16_t *seqs, size_t n);
void rtcp_build_pli(struct rtcp_builder *b, uint32_t ssrc, uint32_t media_ssrc);
void rtcp_build_fir(struct rtcp_builder *b, uint32_t ssrc, uint32_t media_ssrc, uint8_t seq);
void rtcp_build_remb(struct rtcp_builder *b, uint32_t ssrc, uint64_t bps, const uint32_t *ssrcs,
		     size_t n);
/* The answer to a TMMBR (RFC 5104 4.2.2): owner, whose limit it is; below 2^43 bit/s
 * and 512 octets. */
void rtcp_build_tmmbn(struct rtcp_builder *b, uint32_t ssrc, uint32_t owner, uint64_t bps,
		      uint16_t overhead);
/* A finished RTCP packet, as twcc_build makes it. */
void rtcp_build_raw(struct rtcp_builder *b, const uint8_t *p, size_t len);

/* Middle 32 bits of an NTP time (lsr), and the round trip that a block which
 * came back at now_ntp tells: ns, or -1 when it cannot. */
static inline uint32_t rtcp_ntp_mid(uint64_t ntp)
{
	return (uint32_t)(ntp >> 16);
}
int64_t rtcp_rtt_ns(const struct rtcp_block *block, uint64_t now_ntp);

#endif
