/* Bounded single-producer single-consumer ring of pointers, wait-free.
 * Drop policy: a push to a full ring fails; the producer drops what it holds
 * and counts. One producer thread, one consumer thread at a time. */
#ifndef MCU_BASE_RING_H
#define MCU_BASE_RING_H

#include <stdbool.h>
#include <stddef.h>

struct ring;

/* capacity: rounded up to a power of two, 2…65536. 0, -EINVAL, -ENOMEM. */
int ring_new(struct ring **out, size_t capacity);
/* What it still holds is the caller's to pop first. */
void ring_free(struct ring **r);

bool ring_push(struct ring *r, void *p); /* producer; false: full */
void *ring_pop(struct ring *r);          /* consumer; NULL: empty */
void *ring_peek(struct ring *r);         /* consumer; NULL: empty */
/* Consumer: it will pop soon. */
void ring_prefetch(const struct ring *r);
size_t ring_count(const struct ring *r); /* either; a snapshot */

#endif
