/* H.263 of 1998 over RTP (RFC 4629). Pure.
 *
 * Out: a picture to a batch, cut into fragments of equal size (the last may be
 * shorter). In: the payload header with its options, and fragments to a picture. */
#ifndef MCU_RTP_PAYLOAD_H263_H
#define MCU_RTP_PAYLOAD_H263_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/base/buf.h"
#include "mcu/rtp/au.h"
#include "mcu/rtp/batch.h"

/* What a payload's header says (section 5.1). */
struct rtp_h263_desc {
	size_t header_bytes; /* coded octets begin there; at least one follows */
	bool start;	     /* P: two octets of zero are left out in front of them */
	bool picture;	     /* with start: a picture begins */
	bool key;	     /* with picture: it is an intra picture that says its size */
};

/* 0 or -EBADMSG; *out is filled only on 0. */
int rtp_h263_parse(struct rtp_h263_desc *out, const uint8_t *payload, size_t len);

/* Appends the packets of one picture, the marker on the last. max_payload: octets of RTP
 * payload, 64 … 65535. 0, -EINVAL, -EBADMSG (no picture begins it) or -ENOSPC (the
 * batch is unusable then). */
int rtp_h263_packetize(struct rtp_batch *b, const uint8_t *au, size_t len, size_t max_payload);

/* Depacketizes one picture; its payloads come in sequence without a hole. */
struct rtp_h263_depay {
	struct buf *au; /* borrowed, written */
	bool started, key;
};

/* Appends at au->len; keeps RTP_AU_TAIL octets free. */
void rtp_h263_depay_begin(struct rtp_h263_depay *d, struct buf *au);
/* 0, -EBADMSG (malformed, or not of one picture), -EMSGSIZE (does not fit). */
int rtp_h263_depay_put(struct rtp_h263_depay *d, const uint8_t *payload, size_t len);
/* 0, or -EBADMSG when there was nothing. */
int rtp_h263_depay_end(struct rtp_h263_depay *d);

#endif
