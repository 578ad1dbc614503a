/* One SCTP association over DTLS (RFC 8261, RFC 8831 section 5), by usrsctp:
 * messages on streams, stream resets (RFC 6525). Packets in and out by calls.
 *
 * Owner: a transport; ROLE_NET, on its shard. sctp_stack.h says how usrsctp and
 * several shards go together. */
#ifndef MCU_NET_SCTP_H
#define MCU_NET_SCTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/base/role.h"
#include "mcu/net/shard.h"

struct sctp_assoc;

enum {
	SCTP_OUR_PORT = 5000,
	SCTP_MTU = 1120,	   /* with DTLS not above TRANSPORT_MTU */
	SCTP_MAX_MESSAGE = 65536,  /* that is taken from a peer */
	SCTP_MAX_SEND = 65536 + 4, /* one of those with its sender's number in front */
	SCTP_SEND_BYTES = 262144,  /* that wait for a slow peer; what is above is refused */
	SCTP_RECEIVE_BYTES = 262144,
	SCTP_STREAMS = 256,
};

/* Come inside sctp_input or from the shard's tick. An event may call sctp_send and
 * sctp_reset, but not sctp_free. */
struct sctp_events {
	void (*output)(void *obj, const uint8_t *p, size_t len); /* a packet, borrowed */
	/* A whole message, borrowed. Longer ones than SCTP_MAX_MESSAGE are left out. */
	void (*message)(void *obj, uint16_t stream, uint32_t ppid, const uint8_t *p, size_t len);
	/* The peer has reset its side of a stream. Whoever has not reset the other
	 * side does so now (RFC 8831 section 6.7), once: each is told of the other's. */
	void (*reset)(void *obj, uint16_t stream);
	/* The association is over and does not come back. */
	void (*lost)(void *obj);
};

/* Both sides connect; ev: borrowed for ever. peer_port 0: ours. 0, -ENOMEM, -EIO. */
int sctp_new(struct sctp_assoc **out, struct net_shard *s, uint16_t peer_port,
	     const struct sctp_events *ev, void *obj) ON_THREAD(ROLE_NET);
/* Aborts it; what is queued is gone. NULLs *a; NULL is fine. */
void sctp_free(struct sctp_assoc **a) ON_THREAD(ROLE_NET);

/* A packet from the peer, borrowed. */
void sctp_input(struct sctp_assoc *a, const uint8_t *p, size_t len) ON_THREAD(ROLE_NET);
/* Ordered and reliable. 0; -EAGAIN: too much waits, dropped and counted; -EMSGSIZE;
 * -ENOTCONN. */
int sctp_send(struct sctp_assoc *a, uint16_t stream, uint32_t ppid, const uint8_t *p, size_t len)
	ON_THREAD(ROLE_NET);
/* Resets our side of a stream when what was sent on it has arrived. */
void sctp_reset(struct sctp_assoc *a, uint16_t stream) ON_THREAD(ROLE_NET);

#endif
