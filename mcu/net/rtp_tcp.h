/* RTP and RTCP interleaved with the messages of an RTSP connection (RFC 2326 10.12): the
 * writing half of the connection, and transports over it.
 *
 * Who reads the connection is CTL (signaling/rtsp_conn.c); all that is written to it,
 * replies and packets, goes through the one queue here, so that nothing is cut in two.
 * The queue is bounded: a client that does not read is sent no further picture once half
 * of it waits, whole access units at a time, until most is gone; then `opened` is told, so
 * that it goes on with a key frame. Sound goes on while there is room. Messages have a
 * reserve; when that is used up too, the connection is shut down. Waiting costs nobody
 * else anything: the shard writes when the socket takes something.
 *
 * CTL makes, references and frees; the transports are ROLE_NET, of its shard. */
#ifndef MCU_NET_RTP_TCP_H
#define MCU_NET_RTP_TCP_H

#include <stddef.h>
#include <stdint.h>

#include "mcu/base/role.h"
#include "mcu/net/rtp_udp.h"

struct rtp_tcp;

enum {
	RTP_TCP_QUEUE_BYTES = 1 << 20,
	RTP_TCP_RESERVE_BYTES = 64 << 10, /* of it, for messages */
	RTP_TCP_TRANSPORTS = 8,		  /* over one connection */
};

/* fd: taken also on errors; does not block. 0 or -ENOMEM. */
int rtp_tcp_new(struct rtp_tcp **out, struct net_shard *s, int fd) ON_THREAD(ROLE_CTL);
struct rtp_tcp *rtp_tcp_ref(struct rtp_tcp *t) ON_THREAD(ROLE_CTL);
/* The last that goes closes the descriptor, after what the socket takes at once. */
void rtp_tcp_unref(struct rtp_tcp **t) ON_THREAD(ROLE_CTL);
struct net_shard *rtp_tcp_shard(const struct rtp_tcp *t);

/* A message for the client; copied. 0, -ENOMEM, -EAGAIN. */
int rtp_tcp_text(struct rtp_tcp *t, const char *text, size_t len) ON_THREAD(ROLE_CTL);
/* A packet of the client by that channel; copied. What belongs nowhere is dropped. */
void rtp_tcp_feed(struct rtp_tcp *t, uint8_t channel, const uint8_t *p, size_t len)
	ON_THREAD(ROLE_CTL);

/* As transport_udp_new and _set; cfg->ports are of a connection, which they keep alive.
 * -ENOSPC: there are RTP_TCP_TRANSPORTS. */
int transport_tcp_new(struct transport **out, struct net_shard *s, const struct rtp_udp_cfg *cfg,
		      const struct transport_events *ev, void *obj) ON_THREAD(ROLE_NET);
int transport_tcp_set(struct transport *t, const struct rtp_udp_cfg *cfg) ON_THREAD(ROLE_NET);
/* Octets that its connection's queue would take now, without the reserve. */
size_t transport_tcp_room(const struct transport *t) ON_THREAD(ROLE_NET);

#endif
