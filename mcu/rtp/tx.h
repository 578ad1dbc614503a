/* One outgoing RTP stream of one receiver: turns the packets of whatever encode
 * it follows into one continuous stream (SSRC, sequence, time stamp). Owner: the
 * receiver's leg on its network shard; plain struct, no allocation.
 *
 * While it follows an encode, seq = index + delta and ts = batch ts + ts_delta,
 * so a header is a pure function of (tx, batch, i): a retransmission is
 * identical to the first sending, which SRTP with GCM requires. Following
 * another encode (or the same one again after leaving out batches) continues
 * sequence and media time, and forgets what was sent before. */
#ifndef MCU_RTP_TX_H
#define MCU_RTP_TX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/rtp/batch.h"

enum { RTP_TX_HEADER_MAX = 48 };

struct rtp_tx_cfg {
	uint32_t ssrc;
	uint8_t pt;
	uint32_t clock_hz;
	uint16_t first_seq; /* random (RFC 3550 5.1) */
	uint32_t first_ts;  /* random */
	const char *mid;    /* at most RTP_MID_MAX characters; NULL: none */
	uint8_t ext_mid;    /* RFC 8285 ids 1 … 14; 0: not negotiated */
	uint8_t ext_abs_send_time;
};

struct rtp_tx {
	uint32_t ssrc;
	uint32_t clock_hz;
	uint32_t encode_id; /* followed now; 0: none */
	/* for sender reports */
	uint32_t packets, octets; /* payload octets; both wrap (RFC 3550 6.4.1) */
	uint32_t last_ts;         /* newest sent, as in the header */
	int64_t last_time_ns;     /* its media time */
	bool started;             /* something was sent */
	/* private */
	uint32_t ts_delta;
	uint32_t first_index; /* oldest index of this following */
	uint32_t next_index;  /* one past the newest sent */
	uint16_t delta, next_seq;
	uint8_t header_len, ast_off;
	uint8_t head[RTP_TX_HEADER_MAX];
};

/* 0 or -EINVAL (an id or a mid out of range). */
int rtp_tx_init(struct rtp_tx *tx, const struct rtp_tx_cfg *cfg);

/* After a new negotiation: another payload type, clock or other extensions from
 * the next packet on. SSRC, sequence and media time go on (those of cfg are not
 * looked at). 1: something changed, and what was sent before is forgotten, as
 * sending it again would use its SRTP index for other octets; 0: nothing
 * changed; -EINVAL: as above, tx stays as it was. */
int rtp_tx_change(struct rtp_tx *tx, const struct rtp_tx_cfg *cfg);

/* From this batch on the stream carries batch->encode_id. */
void rtp_tx_follow(struct rtp_tx *tx, const struct rtp_batch *batch);

static inline uint16_t rtp_tx_seq(const struct rtp_tx *tx, const struct rtp_batch *batch,
				  unsigned i)
{
	return (uint16_t)(batch->first_index + i + tx->delta);
}

/* The payload type of its packets. */
static inline uint8_t rtp_tx_pt(const struct rtp_tx *tx)
{
	return tx->head[1];
}

/* Octets of every header of this stream: constant. */
static inline size_t rtp_tx_header_len(const struct rtp_tx *tx)
{
	return tx->header_len;
}

/* Writes the header of packet i of a batch of the followed encode; out has room
 * for RTP_TX_HEADER_MAX octets and is written beyond the result. */
size_t rtp_tx_header(const struct rtp_tx *tx, const struct rtp_batch *batch, unsigned i,
		     uint16_t seq, uint8_t *out);

/* Packets [first, first + n) of the batch went out for the first time. */
void rtp_tx_sent(struct rtp_tx *tx, const struct rtp_batch *batch, unsigned first, unsigned n);

/* A packet of another payload type in the same stream, made beside what it follows: its
 * number is used up, and rtp_tx_follow has to be called before the next of those.
 * Writes the header as rtp_tx_header does. */
size_t rtp_tx_beside(struct rtp_tx *tx, uint8_t pt, bool marker, uint32_t ts, size_t payload_len,
		     int64_t now_ns, uint8_t *out);

/* Which packet of the followed encode went out as seq. False: too old, of an
 * encode followed before, or never sent. */
bool rtp_tx_index_of_seq(const struct rtp_tx *tx, uint16_t seq, uint32_t *index);

/* The stream's time stamp at now_ns (media clock), for a sender report. */
uint32_t rtp_tx_ts_at(const struct rtp_tx *tx, int64_t now_ns);

#endif
