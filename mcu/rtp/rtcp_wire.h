/* Numbers of the RTCP wire format that the parser and the builder share. */
#ifndef MCU_RTP_RTCP_WIRE_H
#define MCU_RTP_RTCP_WIRE_H

enum {
	PT_SR = 200,
	PT_RR = 201,
	PT_SDES = 202,
	PT_BYE = 203,
	PT_RTPFB = 205,
	PT_PSFB = 206,

	FMT_NACK = 1,
	FMT_TMMBR = 3,
	FMT_TMMBN = 4,
	FMT_TWCC = 15,
	FMT_PLI = 1,
	FMT_FIR = 4,
	FMT_AFB = 15,

	RTCP_HEADER_BYTES = 4,
	RTCP_BLOCK_BYTES = 24,
	RTCP_SR_BYTES = 24,     /* SSRC and sender information */
	RTCP_FB_BYTES = 8,      /* both SSRCs of a feedback message */
	RTCP_COUNT_MAX = 31,

	SDES_END = 0,
	SDES_CNAME = 1,
};

#endif
