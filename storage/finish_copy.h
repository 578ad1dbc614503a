/* Making the copy of a recording that has its index in front, and making sure
 * that nothing is lost by it. Blocks: for a process of its own (finish.h). */
#ifndef MCU_STORAGE_FINISH_COPY_H
#define MCU_STORAGE_FINISH_COPY_H

#include <stdint.h>

#include "storage/mp4_front.h"

/* As mp4_front_copy, by libavformat: for containers that are not of fmp4.h
 * (Matroska, other MP4). Names of files; to: empty, its ending says nothing.
 * 0, -EALREADY, -ENOTSUP, -errno. */
int finish_remux(const char *from, const char *to, const struct mp4_front_watch *w);

struct finish_size {
	int64_t bytes, duration_ms;
	int width, height; /* of the picture; 0: there is none */
};
/* What such a copy is, by its own head, which is none of ours. 0; -EBADMSG: nothing that
 * can be played; -errno. */
int finish_measure(const char *path, struct finish_size *out);

/* Whether a player finds the same in both: as many packets of every stream, as
 * many octets, times that differ by no more than 2 ms. 0; -EBADMSG: not so, or
 * not readable; -errno; an error of progress (octets read of both). */
int finish_compare(const char *a, const char *b, const struct mp4_front_watch *w);

#endif
