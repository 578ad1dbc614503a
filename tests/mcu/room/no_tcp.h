/* In place of mcu/net/rtp_tcp.c, for programs that have no shard. Included by one file per
 * program. */
#ifndef TESTS_MCU_ROOM_NO_TCP_H
#define TESTS_MCU_ROOM_NO_TCP_H

#include <errno.h>
#include <stddef.h>

#include "mcu/net/rtp_tcp.h"

/* None of its ports are of a connection. */
struct rtp_tcp *rtp_ports_tcp(const struct rtp_ports *p)
{
	(void)p;
	return NULL;
}

int transport_tcp_new(struct transport **out, struct net_shard *s, const struct rtp_udp_cfg *cfg,
		      const struct transport_events *ev, void *obj)
{
	(void)out;
	(void)s;
	(void)cfg;
	(void)ev;
	(void)obj;
	return -ENOSPC;
}

int transport_tcp_set(struct transport *t, const struct rtp_udp_cfg *cfg)
{
	(void)t;
	(void)cfg;
	return -ENOSPC;
}

#endif
