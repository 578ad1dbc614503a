/* Where a peer over UDP sends from, and so where it is sent to: symmetric RTP
 * (RFC 4961) for peers behind a NAT, whose description names an address that does not
 * reach them. Whoever knows a port could make itself the peer (RTP has no more to show
 * than a source address), so what may teach is bounded:
 *
 *   - until a source is learnt, media goes to the described address, and comes from
 *     there at once;
 *   - another address must send a run of packets of one SSRC, each one behind the other:
 *     LATCH_RUN when it is the host that was described or that the signaling comes from
 *     (or the packets are authentic), LATCH_STRANGER_RUN otherwise, and that only within
 *     LATCH_WINDOW_MS after the description came;
 *   - for LATCH_SETTLE_MS after that a better one replaces it: the described address
 *     before its host, that before strangers (a phone of an earlier call that goes on
 *     sending is a stranger);
 *   - then all others are ignored. A known host is learnt anew when nothing has come
 *     for LATCH_QUIET_MS, and another port of the same host when its stream goes on
 *     there or nothing has come for LATCH_PORT_QUIET_MS. Another description
 *     (re-INVITE) begins anew; the same one again changes nothing.
 *
 * Pure: time is an argument. Owner: a line of rtp_udp.h; kept from leg to leg. */
#ifndef MCU_NET_LATCH_H
#define MCU_NET_LATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	LATCH_RUN = 3,
	LATCH_STRANGER_RUN = 8,
	LATCH_WINDOW_MS = 30000,
	LATCH_SETTLE_MS = 3000,
	LATCH_QUIET_MS = 5000,
	LATCH_PORT_QUIET_MS = 500,
	LATCH_RTCP_QUIET_MS = 15000, /* reports come seldom */
	LATCH_CANDIDATES = 4,
};

/* IPv4 as ::ffff:a.b.c.d; port in host order. All zero: none. */
struct latch_address {
	uint8_t ip[16];
	uint16_t port;
};

/* What a description says. */
struct latch_described {
	struct latch_address rtp, rtcp; /* rtcp: of its own port; without meaning with mux */
	struct latch_address signaling; /* port not looked at */
	bool mux;			/* RTCP comes where RTP does */
};

struct latch_run {
	struct latch_address from;
	uint32_t ssrc;
	uint16_t seq;
	uint8_t n; /* packets, 0: free */
	uint8_t rank;
	int64_t last_ns;
};

struct latch {
	struct latch_described said;
	struct latch_address before; /* learnt under the last description */
	bool before_heard;	     /* from there more than a packet or two */
	bool learnt, rtcp_learnt;
	uint8_t in_row; /* packets from `from`, each behind the other, up to LATCH_RUN */
	uint8_t rank; /* of `from` */
	struct latch_address from, rtcp_from;
	uint32_t ssrc;
	uint16_t seq;
	int64_t said_ns, learnt_ns, heard_ns, rtcp_heard_ns;
	struct latch_run run[LATCH_CANDIDATES];
};

/* Whom a description may name. */
enum latch_kind {
	LATCH_NOBODY = 1, /* unspecified, multicast, broadcast, reserved */
	LATCH_LOOPBACK,
	LATCH_HOST,
};
enum latch_kind latch_address_kind(const struct latch_address *a);
/* "192.0.2.1", "2001:db8::1"; false and *out zeroed: none. */
bool latch_address_read(struct latch_address *out, const char *ip, uint16_t port);
bool latch_address_equal(const struct latch_address *a, const struct latch_address *b);

/* What was agreed on; a zeroed latch is new. */
void latch_describe(struct latch *l, const struct latch_described *said, int64_t now_ns);

/* An RTP packet came. authentic: it is of the peer for sure (SRTP). Whether it is from
 * where the peer is by now. */
bool latch_rtp(struct latch *l, const struct latch_address *from, uint32_t ssrc, uint16_t seq,
	       bool authentic, int64_t now_ns);
/* An RTCP packet came, likewise: from where the peer's RTP is from. */
bool latch_rtcp(struct latch *l, const struct latch_address *from, bool authentic, int64_t now_ns);

/* Whether RTP that is authentic or in sequence (LATCH_RUN) came from that host: it is
 * there, and of this call as far as plain RTP can tell. Until then the address is only
 * what somebody wrote into a description. */
bool latch_heard(const struct latch *l, const struct latch_address *host);
bool latch_same_host(const struct latch_address *a, const struct latch_address *b);
/* Whether only silence or another description makes it learn another host: it was learnt
 * LATCH_SETTLE_MS ago, and heard as latch_heard says. */
bool latch_settled(const struct latch *l, int64_t now_ns);
/* Where to send; all zero: nowhere. */
struct latch_address latch_to(const struct latch *l);
struct latch_address latch_rtcp_to(const struct latch *l);

#endif
