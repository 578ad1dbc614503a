/* VP9 over RTP (RFC 9628). Pure.
 *
 * Out: an encoded frame (or superframe with hidden frames) to a batch, cut into
 * fragments of equal size (the last may be shorter) behind a descriptor of one
 * octet: non-flexible mode, no picture id, no scalability structure (4.2 asks
 * for the id only where a structure was sent). Receivers then order by sequence
 * number, so that a stream may be switched between encodes at a key frame.
 * In: the descriptor with all its options, and fragments to a picture. The
 * frames of several spatial layers become one superframe with an index. */
#ifndef MCU_RTP_PAYLOAD_VP9_H
#define MCU_RTP_PAYLOAD_VP9_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/base/buf.h"
#include "mcu/rtp/au.h"
#include "mcu/rtp/batch.h"

enum { RTP_VP9_REFS = 3, RTP_VP9_LAYERS = 8 };

/* What a payload's descriptor says. */
struct rtp_vp9_desc {
	size_t header_bytes; /* the frame's octets begin there; at least one follows */
	bool inter_picture;  /* P: refers to other pictures */
	bool flexible;
	bool begins, ends;   /* B, E: the frame of one spatial layer */
	bool not_for_upper;  /* Z: no upper spatial layer refers to it */
	bool key;            /* valid with begins: a key frame */
	int picture_id;      /* 15 or 7 bits; -1: not there */
	bool long_picture_id;
	bool has_layers;
	uint8_t tid, sid;    /* 0 without has_layers */
	bool switch_up;      /* U: later pictures of higher tid refer to none before this one
			      * of higher tid */
	bool inter_layer;    /* D: refers to the layer below */
	int tl0;             /* TL0PICIDX, -1: not there */
	uint8_t n_refs;      /* flexible mode */
	uint8_t p_diff[RTP_VP9_REFS];
	bool has_structure;  /* V */
	uint8_t n_spatial;   /* of the structure: layers; sizes 0 when not said */
	uint16_t width[RTP_VP9_LAYERS], height[RTP_VP9_LAYERS];
};

/* 0 or -EBADMSG; *out is filled only on 0. */
int rtp_vp9_parse(struct rtp_vp9_desc *out, const uint8_t *payload, size_t len);

/* Of a whole frame or its first octets (uncompressed header: frame_type). */
bool rtp_vp9_is_key(const uint8_t *frame, size_t len);

/* Appends the packets of one picture, the marker on the last. max_payload: octets
 * of RTP payload, 64 … 65535. 0, -EINVAL, -EBADMSG (empty) or -ENOSPC (the batch
 * is unusable then). */
int rtp_vp9_packetize(struct rtp_batch *b, const uint8_t *au, size_t len, size_t max_payload);

/* Depacketizes one picture; its payloads come in sequence without a hole. */
struct rtp_vp9_depay {
	struct buf *au; /* borrowed, written */
	bool in_frame, key;
	unsigned n_frames;
	uint32_t frame_bytes[RTP_VP9_LAYERS];
};

/* Appends at au->len; keeps RTP_AU_TAIL octets free. */
void rtp_vp9_depay_begin(struct rtp_vp9_depay *d, struct buf *au);
/* 0, -EBADMSG (malformed, or not in order), -EMSGSIZE (does not fit). */
int rtp_vp9_depay_put(struct rtp_vp9_depay *d, const uint8_t *payload, size_t len);
/* 0, -EMSGSIZE, or -EBADMSG when a frame was left open or there was nothing. */
int rtp_vp9_depay_end(struct rtp_vp9_depay *d);

#endif
