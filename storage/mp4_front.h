/* A recording of ours once more, with its index in front of the samples and
 * without the fragments' own headers, so that a player needs two or three reads
 * to begin, and one more to go anywhere else:
 *
 *   ftyp moov(all samples) mdat[ a fragment's pictures, its sound, … ]
 *
 * Samples and their times are those of the original to the tick. Blocks: for a
 * process of its own (finish.h). */
#ifndef MCU_STORAGE_MP4_FRONT_H
#define MCU_STORAGE_MP4_FRONT_H

#include <stdint.h>

struct mp4_front_watch {
	/* After about every MiB; not 0 ends the copying with that error. May be NULL. */
	int (*progress)(void *obj, uint64_t done, uint64_t of);
	void *obj;
};

/* in: the recording, as fmp4.h leaves it, finished or not. out: an empty file.
 * What was written is on the disk afterwards, and little of it was ever waiting
 * in memory for the disk. 0; -EALREADY: the index is in front; -ENOTSUP: not a
 * file of fmp4.h, or one with nothing in it; -ENOMEM; an error of the files or
 * of progress. */
int mp4_front_copy(int in, int out, const struct mp4_front_watch *w);

#endif
