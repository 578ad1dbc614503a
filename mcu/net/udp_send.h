/* Sends runs of packets on a datagram socket with as few system calls as may
 * be: UDP segmentation offload for packets of equal size, sendmmsg for several
 * runs, plain sendmmsg where the path does not segment. Never waits.
 *
 * The caller writes packets one behind the other into the sender's arena and
 * flushes them to one destination. Owner: a shard (one sender per thread). */
#ifndef MCU_NET_UDP_SEND_H
#define MCU_NET_UDP_SEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct udp_sender;

enum {
	UDP_SEND_PACKETS = 256,	    /* queued at most before a flush */
	UDP_SEND_SEGMENTS = 64,	    /* kernel: UDP_MAX_SEGMENTS */
	UDP_SEND_RUN_BYTES = 65000, /* of one segmented send */
	UDP_SEND_MAX_PACKET = 1472, /* room that udp_send_room promises */
};

/* Where to. fd and address are the caller's; no_gso is set here when the path
 * turns out not to segment (EIO, EINVAL). connected: fd is, to that address, so that the
 * kernel need not look up the way each time. */
struct udp_path {
	int fd;
	bool no_gso, connected;
	socklen_t to_len;
	struct sockaddr_storage to;
};

/* gso: try UDP segmentation at all. 0 or -ENOMEM. */
int udp_sender_new(struct udp_sender **out, bool gso);
void udp_sender_free(struct udp_sender **s);

/* Where the next packet goes: UDP_SEND_MAX_PACKET octets, or NULL when
 * UDP_SEND_PACKETS wait (flush first). */
uint8_t *udp_send_room(struct udp_sender *s);
/* The packet that was written there has len octets. */
void udp_send_commit(struct udp_sender *s, size_t len);
/* Sends what was committed; returns how many packets the kernel took. The rest
 * is dropped and counted. The arena is empty afterwards. */
size_t udp_send_flush(struct udp_sender *s, struct udp_path *path);
/* What would be sent, packet by packet, for paths without a socket. */
size_t udp_send_queued(const struct udp_sender *s);
const uint8_t *udp_send_packet(const struct udp_sender *s, size_t i, size_t *len);
void udp_send_clear(struct udp_sender *s);

/* For those who send otherwise (udp_post.h): what their system calls did. */
void udp_send_count(int64_t calls, int64_t packets, int64_t octets, int64_t dropped);

#endif
