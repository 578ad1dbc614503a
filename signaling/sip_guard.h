/* Floods: what one source may send us. A source of GLib looks at each datagram before
 * sofia-sip reads it (MSG_PEEK), and takes away what is above its source's token bucket: a
 * system call or two instead of a parser, a transaction and an answer. A source that has
 * gone over it is dropped by the kernel for a second (sip_filter.h). Of TCP and TLS it
 * looks now and then how many connections a source has and how fast each brings octets,
 * and ends those that are too many or too fast. Nothing is answered. CTL. */
#ifndef MCU_SIGNALING_SIP_GUARD_H
#define MCU_SIGNALING_SIP_GUARD_H

#include <stdbool.h>
#include <stddef.h>

#include "mcu/base/role.h"

struct sip_guard;

struct sip_guard_cfg {
	int port, tls_port;	/* those of ours, -1: none */
	unsigned messages_per_s; /* of a source; twice as many at once. 0: no limit */
	unsigned connections;	/* of a source */
};

enum {
	SIP_GUARD_ALL_CONNECTIONS = 2000, /* of all sources */
	SIP_GUARD_OCTETS_PER_S = 500000, /* of a connection, over SIP_GUARD_LOOK_S */
	SIP_GUARD_LOOK_S = 2,
};

/* When the ports are bound: it finds their sockets among those of this process. 0,
 * -ENOMEM, -EIO. */
int sip_guard_new(struct sip_guard **out, const struct sip_guard_cfg *cfg) ON_THREAD(ROLE_CTL);
void sip_guard_free(struct sip_guard **g) ON_THREAD(ROLE_CTL);

#endif
