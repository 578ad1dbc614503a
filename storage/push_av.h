/* One connection of a push, by libavformat. Every call may wait, until its time-out or
 * until *stop is set. Owner: the thread of a push. */
#ifndef MCU_STORAGE_PUSH_AV_H
#define MCU_STORAGE_PUSH_AV_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "storage/push.h"

struct push_av;

/* Connects, and begins a stream of pictures like key, a key frame in Annex B form. Borrowed.
 * 0 or -errno. */
int push_av_open(struct push_av **out, const struct push_cfg *cfg, enum push_kind kind,
		 const _Atomic bool *stop, const uint8_t *key, size_t len);
/* Pictures in Annex B form. What comes before the first key frame, or is not later than
 * the one before of its kind, is left out. 0 or -errno: it is over. */
int push_av_write(struct push_av *a, bool video, const uint8_t *data, size_t len, int64_t pts_ns,
		  bool key);
/* Closes the connection; says goodbye where that does not take long. */
void push_av_close(struct push_av **a);

#endif
