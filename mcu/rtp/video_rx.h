/* The receiver of one video stream: packets in as they arrive, complete access
 * units out in decoding order, never one with a hole and never one that refers
 * to a lost one. Asks for repair (NACK) and, when that fails, for a key frame
 * (PLI), dropping everything until it comes. Frames that are lost for good but that
 * surely nothing refers to (layers.h) cost only themselves. The sender may change
 * among the agreed codecs at any time; the new one is taken up at its first key
 * frame, behind all of the old one. Bounded: VIDEO_RX_WINDOW packets.
 * Owner: the leg on its network shard; one thread. */
#ifndef MCU_RTP_VIDEO_RX_H
#define MCU_RTP_VIDEO_RX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/base/buf.h"
#include "mcu/base/codec.h"
#include "mcu/rtp/au.h"
#include "mcu/rtp/nack.h"

enum { VIDEO_RX_WINDOW = 512, VIDEO_RX_PLI_MS = 500, VIDEO_RX_FORMATS = 16 };

struct video_rx;

struct video_rx_format {
	uint8_t pt;
	enum codec codec; /* of video */
};

struct video_rx_cfg {
	struct video_rx_format format[VIDEO_RX_FORMATS];
	size_t n_formats;
	struct buf_pool *au_pool; /* borrowed for its life; bounds the size of an access unit */
	uint8_t ext_orientation;  /* RFC 8285 id; 0: none */
	bool nack;                /* negotiated; otherwise only reordering is waited for */
	bool sps_out_of_band;     /* H.264 sprop-parameter-sets: an IDR alone is a key frame */
};

struct video_au {
	struct buf *buf;    /* taken by the caller; RTP_AU_TAIL octets free behind it; time_ns:
			     * arrival of its last packet. H.264: Annex B. VP8: a frame. VP9: a
			     * picture; several spatial layers as a superframe with an index.
			     * AV1: a temporal unit, low-overhead format */
	enum codec codec;   /* changes only at a key frame */
	uint32_t rtp_ts;
	bool key;           /* refers to nothing, and its parameter sets are known */
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
	uint64_t frames_dropped;        /* complete, but what they refer to is missing */
	uint64_t no_buffer, too_big;    /* frames lost to the au_pool */
	uint64_t holes;                 /* losses that were not repaired */
	uint64_t stepped_over;          /* of those: nothing referred to what was lost */
	uint64_t nacks, repaired, plis; /* packets asked for and repaired; PLIs asked for */
	uint64_t restarts;
};

/* 0, -EINVAL (no pool, or a format that is no video) or -ENOMEM. */
int video_rx_new(struct video_rx **out, const struct video_rx_cfg *cfg);
/* The formats after a renegotiation, for the packets from now on. 0 or -EINVAL. */
int video_rx_set_formats(struct video_rx *rx, const struct video_rx_format *f, size_t n);
void video_rx_free(struct video_rx **rx);

/* pkt: one decrypted RTP packet, taken. SSRC routing is the caller's; payload
 * types that were not agreed on are dropped; a new SSRC that sends two packets in sequence replaces the old. */
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
