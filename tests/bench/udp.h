/* UDP on 127.0.0.1: sockets, and a queue of packet trains sent by one system call. */
#ifndef TESTS_BENCH_UDP_H
#define TESTS_BENCH_UDP_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

enum { UDP_QUEUE = 384 }; /* trains at most */

/* A socket bound to a free port of 127.0.0.1; *at gets its address. */
int udp_socket(struct sockaddr_in *at);
/* 1 if the kernel cuts trains into packets (UDP_SEGMENT). */
int udp_has_gso(void);
/* Queues n octets, borrowed until the flush, cut into packets of seg octets
 * (the last may be shorter). seg == n: one packet, no GSO needed. */
void udp_queue(struct sockaddr_in *to, uint8_t *p, size_t n, size_t seg);
void udp_flush(int fd);
/* Calls fn for every packet (of at most 256 octets) that waits on fd. */
void udp_receive(int fd, void (*fn)(const struct sockaddr_in *from, uint8_t *p, size_t n));

#endif
