/* H.264 over RTP (RFC 6184), packetization-mode 1, and out also 0. Pure.
 *
 * Out: an Annex B access unit to a batch. Small NAL units that follow each other
 * (SPS, PPS, SEI, a small slice) share a STAP-A; one that does not fit is cut
 * into FU-As of equal size (the last may be shorter). Access unit delimiters and
 * filler are left out.
 * In: single NAL units, STAP-A and FU-A to an Annex B access unit; STAP-B, MTAP
 * and FU-B belong to mode 2 and are refused. */
#ifndef MCU_RTP_PAYLOAD_H264_H
#define MCU_RTP_PAYLOAD_H264_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/base/buf.h"
#include "mcu/rtp/au.h"
#include "mcu/rtp/batch.h"

enum {
	H264_NAL_SLICE = 1,
	H264_NAL_IDR = 5,
	H264_NAL_SEI = 6,
	H264_NAL_SPS = 7,
	H264_NAL_PPS = 8,
	H264_NAL_AUD = 9,
	H264_NAL_FILLER = 12,
	H264_NAL_STAP_A = 24,
	H264_NAL_FU_A = 28,
	RTP_H264_TAIL = RTP_AU_TAIL,
};

/* The next NAL unit of an Annex B stream: *p moves behind it. False: no more.
 * Zero octets at the end of a unit are not part of it. */
bool rtp_h264_next_nal(const uint8_t **p, const uint8_t *end, const uint8_t **nal, size_t *len);

/* Appends the packets of one access unit, the marker on the last.
 * max_payload: octets of RTP payload, 64 … 65535. 0, -EINVAL, -EBADMSG (no NAL unit in it) or
 * -ENOSPC (the batch is unusable then). */
int rtp_h264_packetize(struct rtp_batch *b, const uint8_t *au, size_t len, size_t max_payload);

/* The same of packetization-mode 0: each NAL unit is a packet of its own. -EMSGSIZE: one
 * is longer than max_payload (the batch is unusable then). */
int rtp_h264_packetize_single(struct rtp_batch *b, const uint8_t *au, size_t len,
			      size_t max_payload);

/* What a payload starts, without depacketizing it. */
enum rtp_h264_start {
	RTP_H264_OTHER = 1,
	RTP_H264_STARTS_SPS, /* an SPS, alone or first in a STAP-A (after a delimiter) */
	RTP_H264_STARTS_IDR, /* first octet of an IDR slice */
};
enum rtp_h264_start rtp_h264_classify(const uint8_t *payload, size_t len);

/* Depacketizes one access unit; its payloads come in sequence without a hole. */
struct rtp_h264_depay {
	struct buf *au; /* borrowed, written */
	bool in_fu;
	bool has_idr, has_sps, has_pps, has_slice;
};

/* Appends at au->len; keeps RTP_H264_TAIL octets free. */
void rtp_h264_depay_begin(struct rtp_h264_depay *d, struct buf *au);
/* 0, -EBADMSG (malformed or of another mode), -EMSGSIZE (does not fit). */
int rtp_h264_depay_put(struct rtp_h264_depay *d, const uint8_t *payload, size_t len);
/* 0, or -EBADMSG when a fragment was left open or there was nothing. */
int rtp_h264_depay_end(struct rtp_h264_depay *d);

#endif
