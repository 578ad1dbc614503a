/* How much is sent to an address that only a description names, before anything was heard
 * from there (latch_heard): whoever calls may write anybody's into it. Sound at the rate of
 * G.711, so that who only listens hears something; of a host that is not the signaling's
 * only for a while. Pictures are withheld. Pure: time is an argument. */
#ifndef MCU_NET_UNHEARD_H
#define MCU_NET_UNHEARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	UNHEARD_OCTETS_PER_S = 12500, /* G.711 with SRTP, in packets of 10 ms */
	UNHEARD_BURST = 5000,
	UNHEARD_ELSEWHERE_S = 60, /* not the signaling's host: since it was named, or since RTCP */
};

/* All zero: new. */
struct unheard {
	int64_t since_ns; /* 0: nothing was sent so far */
	int64_t at_ns;
	int64_t octets; /* that may go */
};

/* Another address. */
void unheard_begin(struct unheard *u);
/* A report came from there. */
void unheard_sign(struct unheard *u, int64_t now_ns);
/* Whether a packet of that length may go. elsewhere: not to the signaling's host. */
bool unheard_take(struct unheard *u, size_t len, bool elsewhere, int64_t now_ns);

#endif
