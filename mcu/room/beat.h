/* When the video clock of a room beats: every 1/fps, at a phase of the room's
 * own. Beats are counted from time 0 of the clock, so that whoever knows the room
 * knows its next beat without asking: pictures are decoded when they are about to
 * be shown, together and by the thread that then composes them, instead of waking
 * one each. Rooms differ in phase, so that not all of them beat at once. Pure. */
#ifndef MCU_ROOM_BEAT_H
#define MCU_ROOM_BEAT_H

#include <stdint.h>

struct beat {
	int fps;
	int64_t phase_ns; /* of beat 0; less than 1/fps */
};

struct beat beat_of_room(uint32_t room_id, int fps);
int64_t beat_time_ns(const struct beat *b, int64_t count);
/* The number of the last one that is not after time_ns; of the first one not before
 * it. time_ns >= 0. */
int64_t beat_last(const struct beat *b, int64_t time_ns);
int64_t beat_next(const struct beat *b, int64_t time_ns);

#endif
