/* Retransmission history of one encode on one shard: references to its newest
 * batches, found by packet index. Kept per encode, never per receiver. Bounded
 * by frames and by octets: the oldest go first. Owner: the shard; one thread. */
#ifndef MCU_RTP_HISTORY_H
#define MCU_RTP_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/rtp/batch.h"

struct history;

enum { HISTORY_FRAMES = 64, HISTORY_BYTES = 2 * 1024 * 1024 };

/* 0 for a bound: the default above. 0, -EINVAL or -ENOMEM. */
int history_new(struct history **out, size_t max_frames, size_t max_bytes);
void history_free(struct history **h);

/* Takes a reference of its own. Batches come in the order of their indices; one
 * that does not continue after the newest (an encode that was restarted) clears
 * what was there. */
void history_put(struct history *h, struct rtp_batch *b);
/* The batch (borrowed until the next put) that holds this packet, and its place
 * in it; false: no longer, or not yet, there. */
bool history_find(const struct history *h, uint32_t index, struct rtp_batch **batch, unsigned *i);
/* The newest key frame from which on everything to the newest picture is there
 * without a gap (borrowed until the next put); NULL: there is none. */
struct rtp_batch *history_key(const struct history *h);
/* One past the newest packet; 0 when it is empty. */
uint32_t history_end(const struct history *h);
void history_clear(struct history *h);
/* Gives the older half back: the pool is dry. */
void history_trim(struct history *h);
size_t history_frames(const struct history *h);
size_t history_bytes(const struct history *h);

#endif
