/* The receiver of one video stream: packets in as they arrive, complete access
 * units out in decoding order, never one with a hole and never one that refers
 * to a lost one. Asks for repair (NACK) and, when that fails, for a key frame
 * (PLI), dropping everything until it comes. Bounded: VIDEO_RX_WINDOW packets.
 * Owner: the leg on its network shard; one thread. */
#ifndef MCU_RTP_VIDEO_RX_H
#define MCU_RTP_VIDEO_RX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/base/buf.h"
#include "mcu/rtp/nack.h"

enum { VIDEO_RX_WINDOW = 512, VIDEO_RX_PLI_MS = 500 };

struct video_rx;

struct video_rx_cfg {
	struct buf_pool *au_pool; /* borrowed for its life; bounds the size of an access unit */
	uint8_t ext_orientation;  /* RFC 8285 id; 0: none */
	bool nack;                /* negotiated; otherwise only reordering is waited for */
	bool sps_out_of_band;     /* sprop-parameter-sets: an IDR alone is a key frame */
};

struct video_au {
	struct buf *buf;    /* Annex B; taken by the caller; RTP_H264_TAIL octets free behind it;
			     * time_ns: arrival of its last packet */
	uint32_t rtp_ts;
	bool key;           /* IDR with its parameter sets */
	unsigned rotation;  /* 0, 90, 180, 270: turn clockwise by this to show */
	uint32_t ssrc;
};

/* What to send to the sender now. */
struct video_rx_wants {
	uint32_t ssrc;  /* about whom */
	bool pli;
	size_t n_nack;
	uint16_t nack[NACK_BURST];
};

struct video_rx_stats {
	uint64_t packets, late, duplicate, malformed, dropped; /* packets */
	uint64_t frames, keys;          /* given out */
	uint64_t frames_dropped;        /* complete, but waiting for a key frame */
	uint64_t no_buffer, too_big;    /* frames lost to the au_pool */
	uint64_t holes;                 /* losses that were not repaired */
	uint64_t nacks, repaired, plis; /* packets asked for and repaired; PLIs asked for */
	uint64_t restarts;
};

int video_rx_new(struct video_rx **out, const struct video_rx_cfg *cfg);
void video_rx_free(struct video_rx **rx);

/* pkt: one decrypted RTP packet, taken. Payload type and SSRC routing is the
 * caller's; a new SSRC that sends two packets in sequence replaces the old. */
void video_rx_put(struct video_rx *rx, struct buf *pkt, int64_t arrival_ns);
/* Call until false after every put and tick. */
bool video_rx_pop(struct video_rx *rx, struct video_au *out);
/* Time passes: gives up holes that are too old and fills *wants. Call every 20 ms
 * at least, and after a burst of puts. True: there is something to send. */
bool video_rx_tick(struct video_rx *rx, int64_t now_ns, struct video_rx_wants *wants);
void video_rx_set_rtt(struct video_rx *rx, int64_t rtt_ns);
/* The decoder failed (or starts anew): drop until a key frame, and ask for one. */
void video_rx_need_key(struct video_rx *rx);
bool video_rx_waits_for_key(const struct video_rx *rx);
const struct video_rx_stats *video_rx_stats(const struct video_rx *rx);

#endif
