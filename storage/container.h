/* A recording's file, in one of the two formats that mux writes: fragments of MP4
 * (fmp4.h) or clusters of Matroska (mkv.h). Owner: a mux. ROLE_STO. */
#ifndef MCU_STORAGE_CONTAINER_H
#define MCU_STORAGE_CONTAINER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "storage/h264.h"
#include "storage/mux.h"

struct container;

/* fd: an empty file, borrowed. sps, pps, width, height: of the picture; NULL: there is
 * none. 0, -EINVAL, -ENOMEM or the write's error. */
int container_new(struct container **out, int fd, const struct mux_cfg *cfg,
		  const uint8_t *aac_config, const struct h264_nal *sps,
		  const struct h264_nal *pps, unsigned width, unsigned height);
/* Forgets what was not flushed. */
void container_free(struct container **c);
/* ticks: in 90,000ths of a second for pictures, in samples for sound; otherwise as
 * fmp4_add. */
int container_add(struct container *c, bool video, const uint8_t *data, size_t len, int64_t ticks,
		  bool sync);
/* The first sample that waits: its time from the movie's start; -1: none waits. */
int64_t container_pending_since_ns(const struct container *c);
int container_flush(struct container *c);
void container_drop_pending(struct container *c);
int container_finish(struct container *c);
uint64_t container_bytes(const struct container *c);
int64_t container_duration_ms(const struct container *c);

#endif
