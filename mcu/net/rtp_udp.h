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

#include "mcu/base/role.h"
#include "mcu/net/rtp_ports.h"
#include "mcu/net/shard.h"
#include "mcu/net/srtp_keys.h"
#include "mcu/net/transport.h"

/* What was agreed on of a line. A plain value. */
struct rtp_udp_line {
	bool used;
	bool rx, tx; /* it may send to us; we to it */
	bool mux;    /* RTCP beside RTP */
	bool avpf;
	bool srtp;
	uint32_t trr_int_ms;		 /* regular reports no oftener; 0: unsaid */
	char address[RTP_ADDRESS_BYTES]; /* of the peer; "0.0.0.0": none */
	char rtcp_address[RTP_ADDRESS_BYTES];
	uint16_t port, rtcp_port;
	struct srtp_keys peer, ours;
};

/* Everything is copied but the ports, which must outlive the transport; it has them
 * for itself. */
struct rtp_udp_cfg {
	struct rtp_ports *ports;
	struct rtp_udp_line line[RTP_LINES];
	uint32_t ssrc[RTP_LINES], rtx_ssrc[RTP_LINES]; /* ours; 0: none */
	const char *signaling; /* address that the peer's comes from; NULL, "": unknown */
	unsigned silence_s;    /* nothing came for so long: closed, unless nothing need come;
				  four times that before the first packet. 0: never */
	unsigned max_rx_kbps;  /* as of struct ice_cfg, all lines together */
};

/* connected comes at the next turn of the shard's loop. ev and obj: borrowed for the
 * transport's life. 0, -EINVAL, -ENOMEM, -EIO. */
int transport_udp_new(struct transport **out, struct net_shard *s, const struct rtp_udp_cfg *cfg,
		      const struct transport_events *ev, void *obj) ON_THREAD(ROLE_NET);
/* What another negotiation has agreed on: lines, addresses, keys. The SSRCs and our
 * keys of a line stay, the suite may change: no index is protected again. Errors as
 * above; nothing flows over a line then whose keys cannot be set. */
int transport_udp_set(struct transport *t, const struct rtp_udp_cfg *cfg) ON_THREAD(ROLE_NET);

#endif
