/* A leg whose sound and pictures do not come over the network but are made in the
 * server: a file or a camera that is played into the room. Both are pulled by the
 * room's own clocks, which never wait for them (L3): what is not there in time is
 * silence, or the picture before. */
#ifndef MCU_ROOM_LOCAL_SOURCE_H
#define MCU_ROOM_LOCAL_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "mcu/base/role.h"

struct vframe;

struct local_source_ops {
	/* Writes the AUDIO_TICK_SAMPLES of the tick that is due at due_ns, in so many
	 * channels. false: there is nothing to hear. On MIXA; must not block. */
	bool (*sound)(void *obj, int64_t due_ns, float *out, int channels);
	/* The picture to show from due_ns on, the caller's reference; NULL: still the one
	 * before. On MIXV, from one job at a time; must not block. */
	struct vframe *(*picture)(void *obj, int64_t due_ns);
	/* Whether its picture is on a view at all (L2). After true the present one is to
	 * be given again. On CTL. */
	void (*wanted)(void *obj, bool on);
	/* No thread will call the others any more. On CTL. */
	void (*released)(void *obj);
};

struct local_source {
	const struct local_source_ops *ops;
	void *obj;
};

#endif
