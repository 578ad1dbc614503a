/* An encoder of a listener format, of the room's mix or of one talker's: puts ticks
 * together to packets of the format's length, and knows when silence need not be
 * sent. One thread at a time (MIXA); nothing is allocated after audio_out_new but by
 * what the codec itself does. */
#ifndef MCU_ROOM_AUDIO_OUT_H
#define MCU_ROOM_AUDIO_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/base/role.h"
#include "mcu/room/audio_format.h"
#include "mcu/room/engine.h"

struct audio_out;

struct audio_out_packet {
	const uint8_t *data; /* of audio_out_made, or for ever */
	size_t len;	     /* 0: nothing is to be sent in its place */
	bool first;	     /* after a rest: it has the marker (RFC 3551 section 4.1) */
	bool comfort;	     /* has the payload type of comfort noise */
};

enum { AUDIO_OUT_PACKET_MAX = 1275 };

/* What a tick gives; one for all encoders, so that it stays in the cache. */
struct audio_out_made {
	struct audio_out_packet packet[AUDIO_FORMAT_DUE];
	uint8_t octets[AUDIO_FORMAT_DUE][AUDIO_OUT_PACKET_MAX];
};

/* band: of what it is given; lower ones of one channel only. 0, or what aenc_new says. */
int audio_out_new(struct audio_out **out, const struct engine *e, enum audio_format f,
		  enum audio_band band) ON_THREAD(ROLE_MIXA);
void audio_out_free(struct audio_out **o);
enum audio_format audio_out_format(const struct audio_out *o);
enum audio_band audio_out_band(const struct audio_out *o);
/* How much earlier the sound that a decoder makes of a packet began than what the encoder
 * was given for it. */
int64_t audio_out_delay_ns(const struct audio_out *o);

/* A tick before those that are sent; pcm: as below. */
void audio_out_warm(struct audio_out *o, const float *pcm) ON_THREAD(ROLE_MIXA);
/* It will have a tick soon: fetched into the processor's cache, in two steps, 0 and 1. */
void audio_out_prefetch(const struct audio_out *o, unsigned step) ON_THREAD(ROLE_MIXA);
/* A tick of the band, in the format's channels. Fills one packet for each that is complete,
 * which are as many as audio_format_due says if the encoder was warmed as long as
 * audio_format_warm_ticks says. Returns how many. */
size_t audio_out_tick(struct audio_out *o, const float *pcm, struct audio_out_made *made)
	ON_THREAD(ROLE_MIXA);

#endif
