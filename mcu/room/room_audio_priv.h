/* What the audio worker sees of a room's sound. */
#ifndef MCU_ROOM_ROOM_AUDIO_PRIV_H
#define MCU_ROOM_ROOM_AUDIO_PRIV_H

#include <stdint.h>

#include "mcu/base/role.h"

struct room_audio;

void room_audio_tick(struct room_audio *a, int64_t tick, int64_t due_ns) ON_THREAD(ROLE_MIXA);
struct room_audio *room_audio_next(struct room_audio *a) ON_THREAD(ROLE_MIXA);

#endif
