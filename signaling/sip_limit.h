/* Token buckets by source address: how often it may do something, with a burst. The table
 * has a fixed size and takes no memory later; a source that was not seen for longest gives
 * way to a new one that falls into the same slots. All of an IPv6 network of 64 bits is
 * one source. Pure: the caller's clock. One owner. */
#ifndef MCU_SIGNALING_SIP_LIMIT_H
#define MCU_SIGNALING_SIP_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sip_limit;
struct sockaddr;

struct sip_limit_key {
	uint64_t half[2]; /* IPv4 as an IPv4-mapped address */
};

/* False: neither IPv4 nor IPv6. */
bool sip_limit_key_of(struct sip_limit_key *out, const struct sockaddr *sa);
/* The same of a numeric address. */
bool sip_limit_key_text(struct sip_limit_key *out, const char *address);

/* sources: how many at least, rounded up to a power of two. 0, -EINVAL or -ENOMEM. */
int sip_limit_new(struct sip_limit **out, double per_s, double burst, size_t sources);
void sip_limit_free(struct sip_limit **l);
/* True: there was a token, and it is taken. */
bool sip_limit_take(struct sip_limit *l, const struct sip_limit_key *key, int64_t now_ns);
/* Whether there is none; takes nothing. */
bool sip_limit_is_empty(struct sip_limit *l, const struct sip_limit_key *key, int64_t now_ns);

#endif
