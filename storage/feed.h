/* Bounded ring of packets, copied in: one producer thread, one consumer thread,
 * wait-free. Drop policy: a push to a full ring fails; the producer counts.
 * Octets, not packets, are the bound, so that a slow disk costs a known amount
 * of memory and none of anybody's pools. */
#ifndef MCU_STORAGE_FEED_H
#define MCU_STORAGE_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct feed;

struct feed_packet {
	const uint8_t *data; /* borrowed until feed_pop */
	size_t len;
	int64_t pts_ns;
	bool key;
	uint32_t tag; /* of feed_push_tagged */
};

enum { FEED_TAG_MAX = INT32_MAX };

/* capacity: octets, a power of two, 4 KiB…1 GiB. 0, -EINVAL, -ENOMEM. */
int feed_new(struct feed **out, size_t capacity);
void feed_free(struct feed **f);

/* Producer. False: full (or larger than the ring could ever hold). */
bool feed_push(struct feed *f, const uint8_t *data, size_t len, int64_t pts_ns, bool key);
/* The same of a packet of which more is to be known; tag: up to FEED_TAG_MAX. */
bool feed_push_tagged(struct feed *f, const uint8_t *data, size_t len, int64_t pts_ns, bool key,
		      uint32_t tag);

/* Consumer: the oldest packet; false: empty. */
bool feed_peek(struct feed *f, struct feed_packet *out);
/* Consumer: drops the packet last peeked. */
void feed_pop(struct feed *f);
/* Consumer: octets in use. */
size_t feed_used(const struct feed *f);

#endif
