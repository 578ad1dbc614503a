/* The formats in which a room's sound is sent to its listeners: each is encoded
 * once for all who take it (L1), and is a group of receivers on each network
 * shard. Pure. Any thread. */
#ifndef MCU_ROOM_AUDIO_FORMAT_H
#define MCU_ROOM_AUDIO_FORMAT_H

#include <stdint.h>

#include "mcu/base/codec.h"
#include "mcu/room/leg_media.h"

enum audio_format {
	AUDIO_FORMAT_NONE, /* hears nothing: no codec of ours was agreed on */
	AUDIO_FORMAT_OPUS,
	AUDIO_FORMAT_OPUS_STEREO, /* in stereo rooms only */
	AUDIO_FORMAT_G722,
	AUDIO_FORMAT_PCMU,
	AUDIO_FORMAT_PCMA,
	AUDIO_FORMAT_N
};

/* What a receiver with this agreement gets in a room of so many channels. */
enum audio_format audio_format_of(const struct leg_tx_format *f, int room_channels);

enum codec audio_format_codec(enum audio_format f);
int audio_format_channels(enum audio_format f);

/* Name of (room, format) among the egress groups and in batches' encode_id; 0
 * for AUDIO_FORMAT_NONE. */
static inline uint32_t audio_format_group(uint32_t room_id, enum audio_format f)
{
	return f ? room_id << 3 | (uint32_t)f : 0;
}

#endif
