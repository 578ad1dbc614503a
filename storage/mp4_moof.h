/* The head of a movie fragment (ISO/IEC 14496-12, 8.8): a 'moof' box and the header of
 * the 'mdat' that follows, for a file that grows and for what is sent as it is made.
 * Pure. */
#ifndef MCU_STORAGE_MP4_MOOF_H
#define MCU_STORAGE_MP4_MOOF_H

#include <stddef.h>
#include <stdint.h>

#include "storage/mp4_box.h"
#include "storage/mp4_index.h"

/* The samples of one track that go into a fragment. */
struct mp4_run {
	const struct mp4_sample *sample; /* borrowed; ->offset is not read */
	size_t n;			 /* 0: nothing of this track */
	size_t bytes;			 /* of them all */
};

/* Appends them. What follows must be the octets of run[MP4_VIDEO], then those of
 * run[MP4_AUDIO]. sequence: from 1. */
void mp4_put_moof(struct mp4_out *o, uint32_t sequence, const struct mp4_run run[MP4_TRACKS]);

#endif
