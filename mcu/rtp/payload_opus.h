/* Opus over RTP (RFC 7587): one packet per payload; and what the TOC octet
 * (RFC 6716 3.1) tells without decoding. Pure. */
#ifndef MCU_RTP_PAYLOAD_OPUS_H
#define MCU_RTP_PAYLOAD_OPUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/rtp/batch.h"

/* marker: first packet after silence (RFC 7587 4.1). 0, -EINVAL or -ENOSPC. */
int rtp_opus_packetize(struct rtp_batch *b, const uint8_t *packet, size_t len, bool marker);

/* Samples at 48 kHz (120 … 5760) in a packet, or -EBADMSG. */
int rtp_opus_samples(const uint8_t *packet, size_t len);
/* A packet that only says "nothing to say": at most the TOC and one octet. */
bool rtp_opus_is_dtx(const uint8_t *packet, size_t len);
/* 2 when the TOC's stereo bit is set, else 1. */
int rtp_opus_channels(const uint8_t *packet, size_t len);

#endif
