/* The transport over plain UDP (RTP/AVP, AVPF, SAVP, SAVPF with SDES), for SIP phones
 * and room systems: up to three lines, each with RTP and RTCP on ports of its own or
 * both on one (RFC 5761). See transport.h for calls, events and rules.
 *
 * Received packets belong to the line whose socket they came by (transport_line);
 * what is sent goes to the line that its SSRC is of, RTCP by the SSRC of its first
 * packet. Sends to the description's address until latch.h has learnt where the
 * peer's packets come from. There are no candidates and no data channels. */
#ifndef MCU_NET_RTP_UDP_H
#define MCU_NET_RTP_UDP_H

#include <stdbool.h>
#include <stdint.h>

#include "mcu/net/rtp_ports.h"
#include "mcu/net/srtp_keys.h"

/* What was agreed on of a line. A plain value. */
struct rtp_udp_line {
	bool used;
	bool rx, tx; /* it may send to us; we to it */
	bool mux;    /* RTCP beside RTP */
	bool avpf;
	uint32_t trr_int_ms;		 /* regular reports no oftener; 0: unsaid */
	char address[RTP_ADDRESS_BYTES]; /* of the peer; "0.0.0.0": none */
	char rtcp_address[RTP_ADDRESS_BYTES];
	uint16_t port, rtcp_port;
	bool srtp;
	struct srtp_keys peer, ours;
};

#endif
