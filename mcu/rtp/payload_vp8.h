/* VP8 over RTP (RFC 7741). Pure.
 *
 * Out: an encoded frame to a batch, cut into fragments of equal size (the last
 * may be shorter) behind a descriptor of one octet. No picture id: receivers
 * then order by sequence number, so that a stream may be switched from one
 * encode to another at a key frame.
 * In: the descriptor with all its options, and fragments to a frame. */
#ifndef MCU_RTP_PAYLOAD_VP8_H
#define MCU_RTP_PAYLOAD_VP8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/base/buf.h"
#include "mcu/rtp/au.h"
#include "mcu/rtp/batch.h"

/* What a payload's descriptor says. */
struct rtp_vp8_desc {
	size_t header_bytes; /* the frame's octets begin there; at least one follows */
	bool non_reference;  /* N: no other frame refers to this one */
	bool partition_start;
	uint8_t partition;
	bool first;          /* begins a frame: start of partition 0 */
	bool key;            /* valid with first: a key frame */
	int picture_id;      /* 15 or 7 bits; -1: not there */
	bool long_picture_id;
	int tl0;             /* TL0PICIDX, -1: not there */
	int tid;             /* temporal layer, -1: not there */
	bool layer_sync;     /* Y; valid with tid: refers to the base layer only */
	int key_index;       /* KEYIDX, -1: not there */
};

/* 0 or -EBADMSG; *out is filled only on 0. */
int rtp_vp8_parse(struct rtp_vp8_desc *out, const uint8_t *payload, size_t len);

/* Of a whole frame or its first octets (RFC 6386 9.1: the P bit). */
bool rtp_vp8_is_key(const uint8_t *frame, size_t len);

/* Appends the packets of one frame, the marker on the last. max_payload: octets
 * of RTP payload, 64 … 65535. 0, -EINVAL, -EBADMSG (an empty frame) or -ENOSPC
 * (the batch is unusable then). */
int rtp_vp8_packetize(struct rtp_batch *b, const uint8_t *au, size_t len, size_t max_payload);

/* Depacketizes one frame; its payloads come in sequence without a hole. */
struct rtp_vp8_depay {
	struct buf *au; /* borrowed, written */
	bool started, key;
};

/* Appends at au->len; keeps RTP_AU_TAIL octets free. */
void rtp_vp8_depay_begin(struct rtp_vp8_depay *d, struct buf *au);
/* 0, -EBADMSG (malformed, or not of one frame), -EMSGSIZE (does not fit). */
int rtp_vp8_depay_put(struct rtp_vp8_depay *d, const uint8_t *payload, size_t len);
/* 0, or -EBADMSG when there was nothing. */
int rtp_vp8_depay_end(struct rtp_vp8_depay *d);

#endif
