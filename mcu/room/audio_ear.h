/* What is done to the sound that one leg hears, when it is not just the room's: its
 * announcements (mixer/audio/prompt.h), and how loud it wants the others. A leg for
 * which that is so has a mix and an encoder of its own, like a talker. MIXA, but for
 * what is marked. */
#ifndef MCU_ROOM_AUDIO_EAR_H
#define MCU_ROOM_AUDIO_EAR_H

#include <stdbool.h>
#include <stdint.h>

#include "mcu/base/role.h"
#include "mixer/audio/prompt.h"

struct audio_ear;

int audio_ear_new(struct audio_ear **out) ON_THREAD(ROLE_CTL);
/* Neither NET nor MIXA may know it any more. */
void audio_ear_free(struct audio_ear **e);

struct prompt_player *audio_ear_player(struct audio_ear *e) ON_THREAD(ROLE_MIXA);
/* How loud the room is to it; slides within a tick. */
void audio_ear_set_volume(struct audio_ear *e, float db) ON_THREAD(ROLE_MIXA);
/* Whether the leg hears something else than the others. */
bool audio_ear_is_busy(const struct audio_ear *e) ON_THREAD(ROLE_MIXA);
/* Free for who counts the busy ones. */
bool audio_ear_counted(const struct audio_ear *e) ON_THREAD(ROLE_MIXA);
void audio_ear_set_counted(struct audio_ear *e, bool counted) ON_THREAD(ROLE_MIXA);
/* A tick of the band: in place, of what it would hear. */
void audio_ear_tick(struct audio_ear *e, float *mix, int channels, enum audio_band band)
	ON_THREAD(ROLE_MIXA);

#endif
