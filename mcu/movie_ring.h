/* Samples on their way from the volume's thread to a network shard: a bounded ring of
 * octets, one producer, one consumer, wait-free; nothing is allocated per sample. Drop
 * policy: a push to a full ring fails, and the producer keeps what it has. */
#ifndef MCU_MOVIE_RING_H
#define MCU_MOVIE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct movie_ring;

enum { MOVIE_RING_BYTES = 4 << 20 };

struct movie_item {
	int64_t npt_ns;
	uint32_t len, turn; /* turn: of the PLAY that it is for */
	uint8_t track;
	bool lead, end;     /* end: there is no more; no data */
	const uint8_t *data;
};

int movie_ring_new(struct movie_ring **out); /* 0 or -ENOMEM */
void movie_ring_free(struct movie_ring **r);
/* Producer. -EAGAIN: full; -EMSGSIZE: longer than half of it. data is copied. */
int movie_ring_push(struct movie_ring *r, const struct movie_item *item);
/* Consumer: the oldest; data is valid until movie_ring_pop. False: empty. */
bool movie_ring_peek(struct movie_ring *r, struct movie_item *out);
void movie_ring_pop(struct movie_ring *r);
/* Either: octets in use. */
size_t movie_ring_used(const struct movie_ring *r);

#endif
