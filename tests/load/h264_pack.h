/* H.264 payload format (RFC 6184), packetization-mode 1: cutting an access unit
 * into packets, and putting packets together again; the latter also of VP8
 * (RFC 7741). Pure. */
#ifndef TESTS_LOAD_H264_PACK_H
#define TESTS_LOAD_H264_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { H264_PAYLOAD_MAX = 1160 };

typedef void h264_emit_fn(void *obj, const uint8_t *payload, size_t len, bool marker);

/* Parameter sets and SEI ahead of a slice go into a STAP-A, slices that are too
 * large into FU-As; access unit delimiters are left out. */
void h264_pack(const uint8_t *au, size_t len, h264_emit_fn *emit, void *obj);

struct depack {
	bool vp8;      /* not H.264; idr then says key frame */
	bool keep;     /* build access units; otherwise only look for what is in them */
	bool need_key; /* nothing is decodable until an IDR is complete */
	bool open, broken, sps, idr, in_fu;
	uint32_t ts;
	int64_t first_arrival_ns, last_arrival_ns;
	uint8_t *au;
	size_t len, cap;
};

enum depack_result { DEPACK_MORE, DEPACK_FRAME, DEPACK_UNDECODABLE };

/* Packets in order. After DEPACK_FRAME: au and len (if kept), idr, ts and the
 * arrival times are of a whole decodable access unit, until the next call. */
enum depack_result depack_put(struct depack *d, const uint8_t *p, size_t n, uint32_t ts,
			      bool marker, int64_t arrival_ns);
/* Packets are missing here. */
void depack_gap(struct depack *d);
void depack_free(struct depack *d);

#endif
