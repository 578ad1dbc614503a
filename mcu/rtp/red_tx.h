/* RED (RFC 2198) towards one receiver: whether it needs it, by the loss that it
 * reports, and the last packets to repeat: the encoded batches themselves, by
 * reference. Off costs nothing. On above 1 % (the previous packet is repeated),
 * above 5 % two; off after ten seconds below 0.5 %. Plain struct, zero: never;
 * owner: the receiver's stream on its shard. */
#ifndef MCU_RTP_RED_TX_H
#define MCU_RTP_RED_TX_H

#include <stddef.h>
#include <stdint.h>

#include "mcu/rtp/batch.h"

enum { RED_TX_DEPTH = 2, RED_TX_PAYLOAD_MAX = 1200 };

struct red_tx {
	uint8_t pt; /* of RED; 0: not agreed on */
	uint8_t level; /* how many packets are repeated */
	int64_t until_ns[RED_TX_DEPTH]; /* level 1, level 2 */
	struct rtp_batch *past[RED_TX_DEPTH]; /* newest first; each is one packet */
};

/* A report of the receiver; lost of 256. */
void red_tx_report(struct red_tx *r, uint8_t fraction_lost, int64_t now_ns);
/* The payload of the only packet of b, with what is to be repeated in front.
 * primary_pt: of what is inside. 0: send it plain. */
size_t red_tx_build(const struct red_tx *r, const struct rtp_batch *b, uint8_t primary_pt,
		    uint8_t out[RED_TX_PAYLOAD_MAX]);
/* b was sent (references it); anything that is not one packet is forgotten. */
void red_tx_sent(struct red_tx *r, struct rtp_batch *b);
/* What comes next does not follow what was sent: other codec, other number. */
void red_tx_clear(struct red_tx *r);

#endif
