/* The sound for a room's sinks: AAC is encoded once for all that take it, and Opus is
 * the listeners' packets. Lives on the room's audio worker (MIXA); starting the AAC
 * encoder allocates, once. */
#ifndef MCU_ROOM_SINK_SOUND_H
#define MCU_ROOM_SINK_SOUND_H

#include <stddef.h>
#include <stdint.h>

#include "mcu/base/role.h"
#include "mcu/room/audio_out.h"
#include "mcu/room/engine.h"
#include "mcu/room/sink.h"

struct aenc;

/* All zero: nobody listens. */
struct sink_sound {
	const struct engine *engine;
	int channels;
	struct sink_list to[ROOM_SINK_SOUNDS];
	struct aenc *aac;
	int64_t start_ns; /* media time of its first input sample */
	int64_t ticks;	  /* that it was given */
};

bool sink_sound_any(const struct sink_sound *s);
void sink_sound_add(struct sink_sound *s, struct sink_link *l) ON_THREAD(ROLE_MIXA);
void sink_sound_remove(struct sink_sound *s, struct sink_link *l) ON_THREAD(ROLE_MIXA);
void sink_sound_stop(struct sink_sound *s) ON_THREAD(ROLE_MIXA);
/* The listener format that Opus sinks take; NONE: there are no such sinks. */
enum audio_format sink_sound_format(const struct sink_sound *s) ON_THREAD(ROLE_MIXA);
/* What was made of a tick in that format; p: of length 0 in rests. delay_ns: of its
 * encoder. */
void sink_sound_opus(struct sink_sound *s, const struct audio_out_packet *p, size_t n,
		     int64_t due_ns, int64_t delay_ns) ON_THREAD(ROLE_MIXA);
/* A tick of the mix. */
void sink_sound_tick(struct sink_sound *s, const float *mix, int64_t due_ns) ON_THREAD(ROLE_MIXA);

#endif
