/* The formats in which a room's sound is sent to its listeners: each is encoded
 * once for all who take it (L1), and is a group of receivers on each network
 * shard. A format is a codec with its variant, the length of its packets, and one
 * option. Pure. Any thread. */
#ifndef MCU_ROOM_AUDIO_FORMAT_H
#define MCU_ROOM_AUDIO_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/base/codec.h"
#include "mcu/room/leg_media.h"
#include "mixer/audio/band.h"

/* Those of packets of 20 ms without the option; the others are made by
 * audio_format_make. */
enum audio_format {
	AUDIO_FORMAT_NONE, /* hears nothing: no codec of ours was agreed on */
	AUDIO_FORMAT_OPUS,
	AUDIO_FORMAT_OPUS_STEREO, /* in stereo rooms only */
	AUDIO_FORMAT_OPUS_WIDE,	  /* for who plays at most 16 kHz, or wants little: 20 kbit/s */
	AUDIO_FORMAT_OPUS_NARROW, /* 8 kHz, 12 kbit/s */
	AUDIO_FORMAT_G722,
	AUDIO_FORMAT_PCMU,
	AUDIO_FORMAT_PCMA,
	AUDIO_FORMAT_G729,
	AUDIO_FORMAT_BASES,
	/* More than any format: they are 8 bits. */
	AUDIO_FORMAT_N = 256
};

enum {
	AUDIO_FORMAT_TICK_MS = 20,
	/* Packets of every length end with a tick again after one, two or three. */
	AUDIO_FORMAT_CYCLE = 3,
	AUDIO_FORMAT_DUE = 2, /* packets that end within a tick, at most */
	AUDIO_FORMAT_MAX_MS = 60
};

/* base: one of the above; ptime_ms: rounded down to what there is (10, 20, 30, 40,
 * 60; Opus has no 30), 0: 20. option: constant bit rate (Opus), comfort noise in
 * rests (G.711, G.722: RFC 3389; G.729: its annex B). */
enum audio_format audio_format_make(enum audio_format base, unsigned ptime_ms, bool option);

/* What a receiver with this agreement gets in a room of so many channels. */
enum audio_format audio_format_of(const struct leg_tx_format *f, int room_channels);

enum audio_format audio_format_base(enum audio_format f);
enum codec audio_format_codec(enum audio_format f);
int audio_format_channels(enum audio_format f);
/* Of the mix that is encoded for those who only listen. */
enum audio_band audio_format_band(enum audio_format f);
unsigned audio_format_ptime_ms(enum audio_format f);
bool audio_format_option(enum audio_format f);

/* Where a packet that ends in a tick began. */
struct audio_due {
	uint32_t index;	    /* of the packet, since tick 0; wraps */
	unsigned ticks_ago; /* 0: in this one */
	unsigned offset_ms; /* in that tick */
};

/* The packets that end within a tick, of all since the room's first: 0, 1 or 2. */
size_t audio_format_due(enum audio_format f, uint64_t tick, struct audio_due due[AUDIO_FORMAT_DUE]);
/* How many earlier ticks an encoder must be given that shall make packets from this
 * tick on: at least one, at most AUDIO_FORMAT_CYCLE. */
unsigned audio_format_warm_ticks(enum audio_format f, uint64_t tick);

/* Name of (room, format) among the egress groups and in batches' encode_id; 0
 * for AUDIO_FORMAT_NONE. */
static inline uint32_t audio_format_group(uint32_t room_id, enum audio_format f)
{
	return f ? room_id << 8 | (uint32_t)f : 0;
}

#endif
