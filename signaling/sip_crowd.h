/* Which connections stay: so many of a source, so many of all. Those that are known go on
 * whatever comes later. When all places are taken, a new one of a source with few gets that
 * of the newest of the source with the most. Pure; one owner. */
#ifndef MCU_SIGNALING_SIP_CROWD_H
#define MCU_SIGNALING_SIP_CROWD_H

#include <stddef.h>
#include <stdint.h>

#include "signaling/sip_limit.h"

struct sip_crowd;

struct sip_crowd_limits {
	size_t of_source, of_all;
	uint64_t octets; /* that one may bring between two looks */
};

/* A connection that is there now. */
struct sip_crowd_member {
	int fd;
	struct sip_limit_key key;
	uint64_t octets;  /* it has brought so far */
	const char *over; /* set by the look: why it is to be ended; NULL: it stays */
};

void sip_crowd_new(struct sip_crowd **out, const struct sip_crowd_limits *limits);
void sip_crowd_free(struct sip_crowd **c);
/* All that there are, each descriptor once; what is not among them is forgotten. */
void sip_crowd_look(struct sip_crowd *c, struct sip_crowd_member *all, size_t n);
/* How many stay. */
size_t sip_crowd_size(const struct sip_crowd *c);

#endif
