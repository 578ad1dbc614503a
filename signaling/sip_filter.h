/* Sources that the kernel is to drop before they reach a UDP socket: a classic BPF program
 * by source address (IPv4, or an IPv6 network of 64 bits). Any thread. */
#ifndef MCU_SIGNALING_SIP_FILTER_H
#define MCU_SIGNALING_SIP_FILTER_H

#include <stddef.h>

#include "signaling/sip_limit.h"

enum { SIP_FILTER_MAX = 60 };

/* n 0: none is dropped. Those of the other family do not matter. 0 or -errno. */
int sip_filter_set(int fd, const struct sip_limit_key *keys, size_t n);

#endif
