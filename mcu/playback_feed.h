/* What a media child makes, as the sound and picture of a leg (local_source.h). Which
 * of it is due follows from the playback's point alone, for both in the same way, so
 * that they are in step. The threads of the mix read; CTL sets the point. */
#ifndef MCU_PLAYBACK_FEED_H
#define MCU_PLAYBACK_FEED_H

#include <stdbool.h>
#include <stdint.h>

#include "mcu/base/role.h"
#include "mcu/media/wire.h"
#include "mcu/playback_clock.h"
#include "mcu/room/local_source.h"

struct vframe_pool;
struct playback_feed;

/* shm: of media_shm_bytes(max_w, max_h), borrowed. 0 or -ENOMEM. */
int playback_feed_new(struct playback_feed **out, struct media_shm *shm, uint32_t max_w,
		      uint32_t max_h, struct vframe_pool *pictures) ON_THREAD(ROLE_CTL);
/* Nobody pulls any more. */
void playback_feed_free(struct playback_feed **f) ON_THREAD(ROLE_CTL);

void playback_feed_set(struct playback_feed *f, const struct playback_point *p) ON_THREAD(ROLE_CTL);

bool playback_feed_sound(struct playback_feed *f, int64_t due_ns, float *out, int channels)
	ON_THREAD(ROLE_MIXA);
struct vframe *playback_feed_picture(struct playback_feed *f, int64_t now_ns) ON_THREAD(ROLE_MIXV);
/* The present picture shall be given again. Any thread. */
void playback_feed_again(struct playback_feed *f);
/* The child has written nonsense: it is to be ended. Any thread. */
bool playback_feed_broken(const struct playback_feed *f);

#endif
