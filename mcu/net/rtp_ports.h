/* The UDP sockets of one call, for legs without ICE (rtp_udp.h): for sound, camera
 * and content a pair each, RTP on an even port and RTCP on the next (RFC 3550 11),
 * and our keys for SDES (RFC 4568), another for each line and suite.
 *
 * They are what the call's session description says, so that they belong to the
 * call and not to a leg: the front end makes them, and one leg after the other
 * borrows them (first in the IVR, then in a room), all on the same shard, so that
 * the one has let go before the next begins. CTL makes, opens, counts and frees; of
 * the shard is, while a leg has them, what a line keeps from leg to leg
 * (rtp_ports_kept). */
#ifndef MCU_NET_RTP_PORTS_H
#define MCU_NET_RTP_PORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/base/err.h"
#include "mcu/base/role.h"
#include "mcu/net/latch.h"
#include "mcu/net/srtp_in.h"
#include "mcu/net/srtp_keys.h"

struct rtp_ports;
struct rtp_port_range;
struct rtp_tcp;

/* The m-lines of a call; 0: the one of a bundle (transport_line). */
enum rtp_line { RTP_LINE_AUDIO = 1, RTP_LINE_CAMERA, RTP_LINE_CONTENT, RTP_LINES };

enum { RTP_ADDRESS_BYTES = 46 };

/* --- where ports come from --------------------------------------------------------- */

/* "20000-29999": the first and the last port, from 1024 on; false: it is none that
 * holds a pair. */
bool rtp_port_range_parse(const char *text, uint16_t *min, uint16_t *max);
/* 0, -EINVAL, -ENOMEM. It outlives the ports that came from it. */
int rtp_port_range_new(struct rtp_port_range **out, uint16_t min, uint16_t max)
	ON_THREAD(ROLE_CTL);
void rtp_port_range_free(struct rtp_port_range **r) ON_THREAD(ROLE_CTL);
/* Pairs in use, and those there are. */
size_t rtp_port_range_used(const struct rtp_port_range *r);
size_t rtp_port_range_pairs(const struct rtp_port_range *r);

/* --- the ports of a call ----------------------------------------------------------- */

/* address: of this machine, IPv4 or IPv6, to be bound ("0.0.0.0" and "::" too).
 * Nothing is open yet. 0; -EINVAL: no address; -ENOMEM; -EIO: no random numbers. */
int rtp_ports_new(struct rtp_ports **out, struct rtp_port_range *r, const char *address,
		  unsigned shard, struct errmsg *why) ON_THREAD(ROLE_CTL);
/* One more reference; the last that goes closes the sockets. */
struct rtp_ports *rtp_ports_ref(struct rtp_ports *p) ON_THREAD(ROLE_CTL);
void rtp_ports_unref(struct rtp_ports **p) ON_THREAD(ROLE_CTL);

/* Binds the line's pair if that was not done. 0; -EADDRINUSE (code "busy"): all
 * ports of the range are in use; -EADDRNOTAVAIL: the address is not of this machine;
 * -EMFILE and others. */
int rtp_ports_open(struct rtp_ports *p, enum rtp_line line, struct errmsg *why)
	ON_THREAD(ROLE_CTL);
/* Closes it if no leg has used it so far; the next one opened has another number. */
void rtp_ports_close_unused(struct rtp_ports *p, enum rtp_line line) ON_THREAD(ROLE_CTL);
/* A leg uses it from now on. */
void rtp_ports_use(struct rtp_ports *p, enum rtp_line line) ON_THREAD(ROLE_CTL);

const char *rtp_ports_address(const struct rtp_ports *p);
bool rtp_ports_ip6(const struct rtp_ports *p);
unsigned rtp_ports_shard(const struct rtp_ports *p);
/* 0: not open. */
uint16_t rtp_ports_port(const struct rtp_ports *p, enum rtp_line line);
/* Of an open line; the caller on NET has been told of it by CTL. */
int rtp_ports_fd(const struct rtp_ports *p, enum rtp_line line, bool rtcp);

/* Our suites by preference, and our key of each as in a=crypto: "inline:…". */
enum { RTP_SUITES = 3 };
struct rtp_sdes {
	const char *suite, *key; /* as long as the ports */
};
const struct rtp_sdes *rtp_ports_sdes(const struct rtp_ports *p, enum rtp_line line);
/* Our key of a suite; false: we have none. */
bool rtp_ports_keys(const struct rtp_ports *p, enum rtp_line line, const char *suite,
		    struct srtp_keys *out);

/* Nothing is sent while that is so: the peer has not acknowledged the call, and may be
 * another than it says. Not so at first. */
void rtp_ports_withhold(struct rtp_ports *p, bool withhold) ON_THREAD(ROLE_CTL);
bool rtp_ports_withheld(const struct rtp_ports *p);

/* That the host which the signaling comes from has agreed to be sent to is certain (it has
 * answered over TCP): pictures go there before anything was heard. Before a leg has them. */
void rtp_ports_prove(struct rtp_ports *p) ON_THREAD(ROLE_CTL);
bool rtp_ports_proven(const struct rtp_ports *p);
/* When the peer was heard last over them, on the monotonic clock; 0: never. Written by the
 * transport, read by any thread. */
void rtp_ports_hear(struct rtp_ports *p, int64_t now_ns);
int64_t rtp_ports_heard_ns(const struct rtp_ports *p);
/* What packets take of them will be needed soon. */
void rtp_ports_prefetch(const struct rtp_ports *p);

/* --- without sockets: interleaved with the signaling's connection (rtp_tcp.h) -------- */

/* The lines of new ports go over this connection, which is referenced, on its shard; they
 * are opened like others and take no port. */
void rtp_ports_set_tcp(struct rtp_ports *p, struct rtp_tcp *t) ON_THREAD(ROLE_CTL);
struct rtp_tcp *rtp_ports_tcp(const struct rtp_ports *p); /* NULL: they are sockets */
/* The channels of a line (RFC 2326 10.12), before a leg has them. */
void rtp_ports_set_channels(struct rtp_ports *p, enum rtp_line line, uint8_t rtp, uint8_t rtcp)
	ON_THREAD(ROLE_CTL);
uint8_t rtp_ports_channel(const struct rtp_ports *p, enum rtp_line line, bool rtcp);

/* What a line keeps from leg to leg: where the peer is, and how far its packets have
 * come. Owner: the transport that has the ports. */
struct rtp_kept {
	struct latch latch;
	struct srtp_in *in; /* NULL: not encrypted so far; freed with the ports */
	struct srtp_keys keys; /* of `in` */
};
struct rtp_kept *rtp_ports_kept(struct rtp_ports *p, enum rtp_line line) ON_THREAD(ROLE_NET);

/* The address of this machine from which that peer is reached; 0 or -errno. */
int rtp_local_address(const char *peer, char out[RTP_ADDRESS_BYTES]);

#endif
