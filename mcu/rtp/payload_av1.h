/* AV1 over RTP (RTP Payload Format For AV1, version 1.0). Pure.
 *
 * A temporal unit is in the low-overhead format (AV1 5.2) on both sides: every
 * OBU with its size. Out: to a batch, as payloads of equal size (the last may be
 * shorter) that are cut inside an OBU wherever possible, since receivers take a
 * payload that begins with a whole OBU for the start of a frame; temporal
 * delimiters, tile lists and padding are left out.
 * In: payloads to a temporal unit, which begins with a temporal delimiter. */
#ifndef MCU_RTP_PAYLOAD_AV1_H
#define MCU_RTP_PAYLOAD_AV1_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/base/buf.h"
#include "mcu/rtp/au.h"
#include "mcu/rtp/batch.h"

enum {
	AV1_OBU_SEQUENCE = 1,
	AV1_OBU_DELIMITER = 2,
	AV1_OBU_FRAME_HEADER = 3,
	AV1_OBU_TILE_GROUP = 4,
	AV1_OBU_FRAME = 6,
	AV1_OBU_TILE_LIST = 8,
	AV1_OBU_PADDING = 15,
};

/* An aggregation header (4.4). */
struct rtp_av1_head {
	bool continues;    /* Z: the first element goes on from the packet before */
	bool continued;    /* Y: the last element goes on in the next packet */
	bool new_sequence; /* N: first packet of a coded video sequence */
	uint8_t count;     /* W: elements, the last without a size; 0: any, all with one */
};

/* 0 or -EBADMSG. */
int rtp_av1_parse(struct rtp_av1_head *out, const uint8_t *payload, size_t len);
/* Whether a key frame starts with this payload: N, or a sequence header first. */
bool rtp_av1_starts_key(const uint8_t *payload, size_t len);

/* Whether a temporal unit has a sequence header and begins with a shown key frame. */
bool rtp_av1_is_key(const uint8_t *tu, size_t len);

/* Appends the packets of one temporal unit, the marker on the last. max_payload:
 * octets of RTP payload, 64 … 65535. 0, -EINVAL, -EBADMSG (malformed, or nothing
 * in it) or -ENOSPC (the batch is unusable then). */
int rtp_av1_packetize(struct rtp_batch *b, const uint8_t *au, size_t len, size_t max_payload);

/* What has been seen of a temporal unit. */
struct rtp_av1_seen {
	bool sequence;      /* a sequence header */
	bool reduced_still; /* of that: every frame is a key frame */
	bool picture;       /* something of a frame */
	bool key;           /* the first frame is a shown key frame */
};

/* Depacketizes one temporal unit; its payloads come in sequence without a hole. */
struct rtp_av1_depay {
	struct buf *au; /* borrowed, written */
	bool in_obu;
	size_t obu_at;  /* of the OBU in the making, from au->data */
	struct rtp_av1_seen seen;
};

/* Appends at au->len; keeps RTP_AU_TAIL octets free. */
void rtp_av1_depay_begin(struct rtp_av1_depay *d, struct buf *au);
/* 0, -EBADMSG (malformed, or not in order), -EMSGSIZE (does not fit). */
int rtp_av1_depay_put(struct rtp_av1_depay *d, const uint8_t *payload, size_t len);
/* 0, or -EBADMSG when an OBU was left open or there was nothing. */
int rtp_av1_depay_end(struct rtp_av1_depay *d);

#endif
