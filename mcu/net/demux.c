#include "mcu/net/demux.h"

enum { RTP_HDR = 12, RTCP_HDR = 8 };

enum demux_kind demux_classify(const uint8_t *p, size_t len)
{
	if (len < 2)
		return DEMUX_UNKNOWN;
	if (p[0] <= 3)
		return DEMUX_STUN;
	if (p[0] >= 20 && p[0] <= 63)
		return DEMUX_DTLS;
	if (p[0] >= 64 && p[0] <= 79)
		return DEMUX_TURN;
	if (p[0] < 128 || p[0] > 191)
		return DEMUX_UNKNOWN;
	if (p[1] >= 192 && p[1] <= 223)
		return len >= RTCP_HDR ? DEMUX_RTCP : DEMUX_UNKNOWN;
	return len >= RTP_HDR ? DEMUX_RTP : DEMUX_UNKNOWN;
}
