/* How often something may be tried: a sliding window per key (an address, a user's
 * name, an address and a room …). The table is bounded: the key that was used least
 * recently gives way. Pure, the caller's clock. One owner. */
#ifndef MCU_RATE_LIMIT_H
#define MCU_RATE_LIMIT_H

#include <stddef.h>
#include <stdint.h>

struct rate_limit;

enum { RATE_LIMIT_MAX = 256 }; /* times within a window */

/* At most max times within window_ns, for at most n_keys keys. 0, -EINVAL, -ENOMEM. */
int rate_limit_new(struct rate_limit **out, unsigned max, int64_t window_ns, size_t n_keys);
void rate_limit_free(struct rate_limit **l);

/* 0: it may be tried now; otherwise nanoseconds until then. Counts nothing. */
int64_t rate_limit_left(struct rate_limit *l, const char *key, int64_t now_ns);
/* Counts one time, also one too many (which then does not lengthen the wait). */
void rate_limit_count(struct rate_limit *l, const char *key, int64_t now_ns);
/* Both: counted when it was allowed. */
int64_t rate_limit_take(struct rate_limit *l, const char *key, int64_t now_ns);
/* The last count of this key was no harm: a right password, for example. */
void rate_limit_undo(struct rate_limit *l, const char *key);
size_t rate_limit_keys(const struct rate_limit *l);

enum { RATE_KEY_MAX = 400 };
/* An address as one guesser: all of an IPv6 network of 64 bits is one. */
void rate_limit_address(char out[64], const char *address);

#endif
