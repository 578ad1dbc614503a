/* What one encode produced for one frame, as RTP payloads: built once, then
 * shared by every receiver (rtp_tx adds the header, SRTP encrypts out of place
 * from the batch). Whoever got it from the pool fills it; from the first
 * rtp_batch_ref or post to another thread on it is immutable. Reference-counted;
 * any thread; get, ref and unref are lock-free and do not allocate in the
 * steady state. Payload octets keep their place for the life of the batch.
 *
 * Sizes: all packets of a video frame are equally long except the last of each
 * run, so that a run goes out as one UDP GSO call. */
#ifndef MCU_RTP_BATCH_H
#define MCU_RTP_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/base/buf.h"

enum {
	RTP_BATCH_SKIP_MAX = 256,
	RTP_BATCH_VIDEO_PACKETS = 512,
	RTP_BATCH_VIDEO_BYTES = 600 * 1024,
	RTP_BATCH_AUDIO_PACKETS = 2,
	RTP_BATCH_AUDIO_BYTES = 1500,
};

struct rtp_batch_pkt {
	uint32_t off; /* into data */
	uint16_t len;
	bool marker;
};

struct rtp_batch {
	uint32_t encode_id;
	uint32_t first_index; /* of packet 0 in the running count of this encode; wraps */
	uint32_t ts;          /* in clock units of the encode, which starts at 0; wraps */
	int64_t time_ns;      /* media clock */
	uint32_t only_leg;    /* 0: for everybody */
	bool key;
	bool comfort;         /* sound: of the receiver's payload type of comfort noise */
	uint16_t n;
	uint32_t bytes;       /* of data in use: all payload octets */
	const struct rtp_batch_pkt *pkt; /* n of them */
	const uint8_t *data;
	/* private */
	uint16_t max_packets, n_skip;
	uint32_t max_bytes;
	struct buf *buf;
	uint32_t *skip; /* [RTP_BATCH_SKIP_MAX], behind the octets */
};

struct rtp_batch_pool;

/* At most max_batches at a time of at most max_packets and max_bytes each.
 * Video frames are small most of the time: a second, small class of memory
 * (max_bytes / 16) serves those, so size max_batches for the number of frames
 * in flight and in histories. name: borrowed for ever. 0, -EINVAL or -ENOMEM. */
int rtp_batch_pool_new(struct rtp_batch_pool **out, const char *name, uint16_t max_packets,
		       uint32_t max_bytes, size_t max_batches);
/* All batches must have been returned. */
void rtp_batch_pool_free(struct rtp_batch_pool **p);
size_t rtp_batch_pool_in_use(const struct rtp_batch_pool *p);
uint64_t rtp_batch_pool_empty_count(const struct rtp_batch_pool *p);

/* An empty batch with one reference, all fields 0; NULL when the pool is dry.
 * want_bytes: the payload octets that are coming, 0 for the maximum. */
struct rtp_batch *rtp_batch_get(struct rtp_batch_pool *p, size_t want_bytes);
struct rtp_batch *rtp_batch_ref(struct rtp_batch *b);
/* Drops the caller's reference and NULLs its pointer; NULL is fine. */
void rtp_batch_unref(struct rtp_batch **b);

/* Appends a packet of len octets for the caller to fill; NULL when the batch
 * is full (-ENOSPC) or len is 0 or above 65535. */
uint8_t *rtp_batch_reserve(struct rtp_batch *b, size_t len, bool marker);
/* Appends a packet made of two pieces (hdr may be NULL with hdr_len 0). Copies.
 * 0 or -ENOSPC. */
int rtp_batch_add(struct rtp_batch *b, const uint8_t *hdr, size_t hdr_len, const uint8_t *payload,
		  size_t len, bool marker);
/* Sets the marker of the last packet. */
void rtp_batch_mark_last(struct rtp_batch *b);

/* Legs that must not get this batch (kept sorted, duplicates ignored).
 * 0 or -ENOSPC. */
int rtp_batch_skip(struct rtp_batch *b, uint32_t leg_id);
bool rtp_batch_skips(const struct rtp_batch *b, uint32_t leg_id);

/* only_leg and the skip list together. */
static inline bool rtp_batch_is_for(const struct rtp_batch *b, uint32_t leg_id)
{
	return (!b->only_leg || b->only_leg == leg_id) &&
	       (!b->n_skip || !rtp_batch_skips(b, leg_id));
}

#endif
