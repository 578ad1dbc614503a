/* What a datagram on an ICE component is: RFC 7983 with RFC 5761's RTP/RTCP
 * rule. Pure; looks at two octets and the length. */
#ifndef MCU_NET_DEMUX_H
#define MCU_NET_DEMUX_H

#include <stddef.h>
#include <stdint.h>

enum demux_kind {
	DEMUX_UNKNOWN, /* drop */
	DEMUX_STUN,    /* 0…3 (libnice takes these before us) */
	DEMUX_DTLS,    /* 20…63 */
	DEMUX_TURN,    /* 64…79, channel data */
	DEMUX_RTP,     /* 128…191 */
	DEMUX_RTCP,    /* 128…191 with a second octet of 192…223 */
};

/* RTP and RTCP only if the fixed header (12, 8 octets) fits in len. */
enum demux_kind demux_classify(const uint8_t *p, size_t len);

#endif
