/* Retransmission in a stream of its own (RFC 4588), towards the receiver: the
 * packets of one rtp_tx are sent again under another SSRC, payload type and
 * sequence, with the original sequence number in front of the payload. Every
 * repair takes a new number, so that no SRTP index is used twice. Probes are sent in
 * it as well: they disturb nothing. Owner: the
 * receiver's leg on its shard; plain struct. The way back is rtp_rtx_restore. */
#ifndef MCU_RTP_RTX_H
#define MCU_RTP_RTX_H

#include <stddef.h>
#include <stdint.h>

#include "mcu/rtp/tx.h"

enum { RTP_RTX_OSN_BYTES = 2 };

struct rtp_rtx {
	uint32_t ssrc;
	uint8_t pt; /* 0: not agreed on; packets are sent again as they were */
	uint16_t next_seq;
	uint32_t packets, octets; /* payload octets */
};

/* first_seq: random, below 2^15 (RFC 3711 3.3.1). */
void rtp_rtx_init(struct rtp_rtx *r, uint32_t ssrc, uint16_t first_seq);

/* Writes the repair of packet i of a batch that tx follows and sent as osn: the
 * header to hdr (RTP_TX_HEADER_MAX octets), OSN and payload to payload (cap).
 * The time stamp and the extensions are the original's, but for the send time.
 * Octets of the header, with those of the payload in *payload_len; 0: cap. */
size_t rtp_rtx_write(struct rtp_rtx *r, const struct rtp_tx *tx, const struct rtp_batch *batch,
		     unsigned i, uint16_t osn, int64_t now_ns, uint8_t *hdr, uint8_t *payload,
		     size_t cap, size_t *payload_len);

/* Writes a packet of nothing but padding (RFC 3550 5.1): payload gets n octets, 1 …
 * 255; the time stamp is that of what tx sent last. Octets of the header. */
size_t rtp_rtx_pad(struct rtp_rtx *r, const struct rtp_tx *tx, uint8_t n, int64_t now_ns,
		   uint8_t *hdr, uint8_t *payload);

#endif
