/* Has the kernel drop, unread, what a telephone sends while nobody speaks: G.711 has a
 * packet every 20 ms for that, each of which would cost a system call to find that out. A
 * socket filter (classic BPF, which needs no privilege). Any thread.
 *
 * What is not the silence described passes (other types, lengths, headers, sound that lasts
 * 4 ms in a packet or comes at its end), and of that every eighth packet, so that who is
 * alive, and what the network loses, is still seen. How many were dropped comes with those
 * that pass (SO_RXQ_OVFL): the socket's count until then, which includes what its buffer had
 * no room for. The kernel's own statistics call all of them receive errors. */
#ifndef MCU_NET_SILENCE_FILTER_H
#define MCU_NET_SILENCE_FILTER_H

#include <stdint.h>

#include "mcu/net/transport.h"

enum {
	SILENCE_FILTER_PASSES = 8,   /* packets whose number is a multiple of that */
	SILENCE_FILTER_MOST = 240,   /* octets of a payload, 30 ms: none is waited for long */
};

/* From now on. drops: those that the socket has counted so far. 0, -EINVAL: no such
 * silence, -errno. */
int silence_filter_set(int fd, const struct transport_silence *s, uint32_t *drops);
void silence_filter_clear(int fd);

#endif
