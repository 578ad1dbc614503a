/* RTP packets (RFC 3550 5.1) and their header extensions (RFC 8285): parsing
 * of what came from the network and writing of whole packets. The hot path out
 * is tx.h. Pure; everything is borrowed from the packet's octets. */
#ifndef MCU_RTP_PACKET_H
#define MCU_RTP_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	RTP_HEADER_BYTES = 12,
	RTP_MID_MAX = 16, /* longest mid the one-byte form carries */
	RTP_EXT_ONE_BYTE = 0xbede,
	RTP_EXT_TWO_BYTE = 0x1000, /* low four bits: appbits */
};

struct rtp_packet {
	bool marker;
	uint8_t pt;
	uint16_t seq;
	uint32_t ts, ssrc;
	uint8_t n_csrc;
	uint16_t ext_profile; /* 0 with ext == NULL: no extension */
	const uint8_t *ext;   /* behind the extension's own 4-octet header */
	size_t ext_len;
	const uint8_t *payload; /* without padding; may be empty (probing) */
	size_t payload_len;
};

/* 0 or -EBADMSG; *out is filled only on 0. Padding is taken off. */
int rtp_parse(struct rtp_packet *out, const uint8_t *p, size_t len);

/* Writes header, extension and payload (no CSRCs, no padding); ext_len must be
 * a multiple of 4. Octets, or 0 when cap is too small. */
size_t rtp_write(uint8_t *out, size_t cap, const struct rtp_packet *pkt);

/* One- and two-byte extension elements. id 0 (not negotiated) finds nothing. */
bool rtp_ext_find(const struct rtp_packet *pkt, uint8_t id, const uint8_t **data, size_t *len);

/* RFC 6464: level 0 … -127 dBov; voice: the sender's own voice detection. */
bool rtp_ext_audio_level(const struct rtp_packet *pkt, uint8_t id, int *level_dbov, bool *voice);
/* 24 bits, 6.18 fixed-point seconds. */
bool rtp_ext_abs_send_time(const struct rtp_packet *pkt, uint8_t id, uint32_t *time24);
bool rtp_ext_transport_seq(const struct rtp_packet *pkt, uint8_t id, uint16_t *seq);
/* 3GPP TS 26.114 CVO: by how much the receiver turns the picture clockwise
 * before showing it: 0, 90, 180 or 270. */
bool rtp_ext_orientation(const struct rtp_packet *pkt, uint8_t id, unsigned *degrees);
/* A NUL-terminated mid (or rid: same form) of 1 … RTP_MID_MAX characters. */
bool rtp_ext_mid(const struct rtp_packet *pkt, uint8_t id, char mid[RTP_MID_MAX + 1]);

/* Builds a one-byte-form extension in the caller's memory. */
struct rtp_ext_writer {
	uint8_t *data;
	size_t len, cap;
};

/* id 1 … 14, len 1 … 16. 0, -EINVAL or -ENOSPC. */
int rtp_ext_put(struct rtp_ext_writer *w, uint8_t id, const void *data, size_t len);
int rtp_ext_put_audio_level(struct rtp_ext_writer *w, uint8_t id, int level_dbov, bool voice);
int rtp_ext_put_abs_send_time(struct rtp_ext_writer *w, uint8_t id, uint32_t time24);
int rtp_ext_put_transport_seq(struct rtp_ext_writer *w, uint8_t id, uint16_t seq);
int rtp_ext_put_orientation(struct rtp_ext_writer *w, uint8_t id, unsigned degrees);
int rtp_ext_put_mid(struct rtp_ext_writer *w, uint8_t id, const char *mid);
/* Pads to a multiple of 4 octets and points pkt's extension at the result. */
int rtp_ext_finish(struct rtp_ext_writer *w, struct rtp_packet *pkt);

/* time24 of a monotonic time >= 0. */
static inline uint32_t rtp_abs_send_time_of_ns(int64_t ns)
{
	uint64_t s = (uint64_t)ns / 1000000000u, rest = (uint64_t)ns % 1000000000u;

	return (uint32_t)((s << 18) + (rest << 18) / 1000000000u) & 0xffffff;
}

/* RFC 4588: turns a retransmission in place into the original packet, which then
 * starts that many octets behind p: 2, or -EBADMSG, or -ENODATA when there is
 * nothing in it (less than a sequence number: padding sent as a probe). ssrc and pt: the original's, known
 * from signaling. */
int rtp_rtx_restore(uint8_t *p, size_t len, uint32_t ssrc, uint8_t pt);

#endif
