/* What receiving is to every transport: counters of what is dropped, the time of
 * arrival, the rate that a peer may send. Owner: a transport. ROLE_NET. */
#ifndef MCU_NET_RX_H
#define MCU_NET_RX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/base/clock.h"
#include "mcu/base/quota.h"

struct msghdr;

enum rx_drop {
	RX_UNKNOWN = 1, /* no protocol that belongs there */
	RX_NO_BUFFER,
	RX_SIZE,
	RX_AUTH,
	RX_REPLAY,
	RX_STREAMS,  /* more SSRCs than a peer may have */
	RX_UNWANTED, /* RTP where none was agreed on */
	RX_FLOOD,
	RX_MALFORMED,
	RX_STRANGER, /* not of the peer, or not known to be */
	RX_DROPS
};

void rx_count_drop(enum rx_drop why);
/* Of an error of srtp_in.h. */
enum rx_drop rx_drop_of(int err);
/* A packet that is passed on; len: decrypted. */
void rx_count(size_t len);
/* So many packets of silence that the kernel dropped for us. */
void rx_count_silence(size_t n);

/* The two clocks at one moment: the kernel stamps packets with the other one. */
struct rx_now {
	int64_t mono_ns, real_ns;
};
/* stamped: the socket has SO_TIMESTAMPNS. */
struct rx_now rx_now(bool stamped);
/* When the kernel got it. A time of day that was set meanwhile is not believed. */
int64_t rx_arrival_ns(struct msghdr *m, const struct rx_now *now);

/* A small packet counts as RX_LEAST_OCTETS, as it costs as much. */
enum { RX_LEAST_OCTETS = 300, RX_FLOOD_S = 10 };

struct rx_rate {
	unsigned max_kbps; /* 0: any */
	struct quota used;
	int64_t drop_ns, flood_ns; /* the last drop, the first of this flood; 0: none */
};
/* Whether a packet of that length may still come. */
static inline bool rx_rate_take(struct rx_rate *r, size_t len, int64_t now_ns)
{
	int64_t octets = len < RX_LEAST_OCTETS ? RX_LEAST_OCTETS : (int64_t)len;

	return !r->max_kbps ||
	       quota_take(&r->used, now_ns, octets * 8 * NS_PER_MS / r->max_kbps, NS_PER_S);
}
/* It may not: counts it. True when that has gone on for RX_FLOOD_S: whoever goes on and
 * on is shown the door, as dropping, too, takes time. */
bool rx_rate_flood(struct rx_rate *r, int64_t now_ns);

#endif
