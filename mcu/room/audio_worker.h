/* An audio worker (MIXA): one thread that ticks every 20 ms and runs the sound
 * of the rooms hashed to it. Owner: the engine. */
#ifndef MCU_ROOM_AUDIO_WORKER_H
#define MCU_ROOM_AUDIO_WORKER_H

#include <stdint.h>

#include "mcu/base/clock.h"
#include "mcu/base/mbox.h"
#include "mcu/base/role.h"

struct audio_worker;
struct room_audio;

/* clock: borrowed for its life. Starts the thread. */
int audio_worker_new(struct audio_worker **out, const struct clock *clock, unsigned index);
/* Its rooms must have been stopped. */
void audio_worker_free(struct audio_worker **w);
struct mbox *audio_worker_mbox(struct audio_worker *w);
uint64_t audio_worker_missed_count(const struct audio_worker *w);
/* The head of its list of rooms. */
struct room_audio **audio_worker_rooms(struct audio_worker *w) ON_THREAD(ROLE_MIXA);

#endif
