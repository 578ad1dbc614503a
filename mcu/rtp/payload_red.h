/* Redundant audio (RFC 2198): a packet that carries earlier packets again. Each
 * redundant block has a header of four octets (payload type, time stamp offset
 * of 14 bits, length of 10), the primary one of a single octet; the data follow
 * in the same order. Pure; everything is borrowed from the packet's octets. */
#ifndef MCU_RTP_PAYLOAD_RED_H
#define MCU_RTP_PAYLOAD_RED_H

#include <stddef.h>
#include <stdint.h>

enum {
	RTP_RED_MAX_BLOCKS = 16, /* primary included; more is refused */
	RTP_RED_OFFSET_MAX = (1 << 14) - 1,
	RTP_RED_LENGTH_MAX = (1 << 10) - 1,
};

struct rtp_red_block {
	uint8_t pt;
	uint16_t ts_offset; /* by how much it is older than the packet's time stamp */
	const uint8_t *data;
	size_t len; /* may be 0 */
};

/* Fills out, oldest first, the primary last; how many, or -EBADMSG. */
int rtp_red_parse(const uint8_t *payload, size_t len, struct rtp_red_block out[RTP_RED_MAX_BLOCKS]);

/* Payload type of the primary block, or -EBADMSG. */
int rtp_red_primary_pt(const uint8_t *payload, size_t len);

/* Octets written, or 0: no room, or a value that its field cannot hold. n: 1 to
 * RTP_RED_MAX_BLOCKS, the primary last (its ts_offset is 0). */
size_t rtp_red_build(uint8_t *out, size_t cap, const struct rtp_red_block *block, size_t n);

#endif
