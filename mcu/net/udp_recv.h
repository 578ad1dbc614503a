/* Reads what waits on datagram sockets, several packets with one system call. What it
 * has in hand for that, buffers above all, serves one socket after the other, until the
 * end of the shard's turn. Owner: a shard (one per thread). ROLE_NET. */
#ifndef MCU_NET_UDP_RECV_H
#define MCU_NET_UDP_RECV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "mcu/base/buf.h"
#include "mcu/base/role.h"

struct net_shard;
struct udp_receiver;

enum { UDP_RECV_AT_ONCE = 4 };

/* One that was read. from: valid until the next read. */
struct udp_datagram {
	const struct sockaddr_storage *from;
	struct buf **b; /* who takes it leaves NULL; len and time_ns (of arrival) are set */
	bool truncated;
	uint32_t drops; /* the socket's count of such, with SO_RXQ_OVFL; 0: none, or not said */
};

/* 0 or -ENOMEM. */
int udp_receiver_new(struct udp_receiver **out, struct net_shard *s);
void udp_receiver_free(struct udp_receiver **r);

/* At most `most` (1 to UDP_RECV_AT_ONCE); how many came, -ENOBUFS: the pool is dry. That
 * there are no more costs to find out: ask for one where one is expected. Sockets should
 * have SO_TIMESTAMPNS. */
int udp_receive(struct udp_receiver *r, int fd, unsigned most) ON_THREAD(ROLE_NET);
/* Of those, from 0 on. */
struct udp_datagram udp_received(struct udp_receiver *r, unsigned i) ON_THREAD(ROLE_NET);

#endif
