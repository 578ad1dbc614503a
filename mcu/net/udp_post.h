/* Single packets to many destinations, sent in a row: system calls one after the other take
 * less than each of them behind the making of a packet, for neither pushes the other's
 * instructions out of the processor's nearest cache. Owner: a shard, which sends what
 * waits before it goes on to other things, and before it sleeps. ROLE_NET. */
#ifndef MCU_NET_UDP_POST_H
#define MCU_NET_UDP_POST_H

#include <stddef.h>
#include <stdint.h>

#include "mcu/base/role.h"
#include "mcu/net/transport.h"
#include "mcu/net/udp_send.h"

struct udp_post;

enum { UDP_POST_PACKETS = 128 };

/* 0 or -ENOMEM. */
int udp_post_new(struct udp_post **out);
void udp_post_free(struct udp_post **p);

/* Where the next packet goes: UDP_SEND_MAX_PACKET octets. Sends what waits if there is no
 * room otherwise. */
uint8_t *udp_post_room(struct udp_post *p) ON_THREAD(ROLE_NET);
/* The packet that was written there has len octets and goes to path. path and counts, whose
 * tx_packets or tx_dropped it adds to, are borrowed until it is sent. */
void udp_post_commit(struct udp_post *p, size_t len, const struct udp_path *path,
		     struct transport_stats *counts) ON_THREAD(ROLE_NET);
/* In the order of their commits. What the kernel does not take is dropped and counted. */
void udp_post_send(struct udp_post *p) ON_THREAD(ROLE_NET);

#endif
