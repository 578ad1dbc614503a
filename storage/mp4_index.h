/* Where every sample of a movie is: kept while fragments are written, or made
 * by scanning a file, and turned into the tables of the final 'moov'. About
 * 4 octets per sample. Pure; owner: the writer or the repair; one thread. */
#ifndef MCU_STORAGE_MP4_INDEX_H
#define MCU_STORAGE_MP4_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mp4_track_no { MP4_VIDEO, MP4_AUDIO, MP4_TRACKS }; /* track_ID is one more */

struct mp4_u32s {
	uint32_t *v;
	size_t n, cap;
};

struct mp4_index_track {
	struct mp4_u32s sizes;       /* per sample */
	struct mp4_u32s runs;        /* pairs: samples, duration (as in stts) */
	struct mp4_u32s chunks;      /* triples: offset high, low, samples */
	struct mp4_u32s syncs;       /* sample numbers from 1 */
	int64_t first_dts, last_dts; /* in ticks of the track */
	uint32_t last_duration;
	uint64_t next_offset;        /* where the last chunk ends */
};

struct mp4_index {
	struct mp4_index_track track[MP4_TRACKS];
	bool failed; /* out of memory: incomplete, not to be used */
};

struct mp4_sample {
	uint64_t offset; /* in the file */
	int64_t dts;     /* == pts: there are no B-frames; above the one before */
	uint32_t size, duration;
	bool sync;
};

/* -EINVAL: dts does not increase, or leaves a gap of more than 2^31 ticks. */
int mp4_index_add(struct mp4_index *x, enum mp4_track_no t, const struct mp4_sample *s);
void mp4_index_free(struct mp4_index *x);
/* Has both tracks end together, if they do within MP4_EVEN_MS: pictures that begin after the
 * sound's end are taken off (drop), and the last one lasts up to it. timescale: of both. */
enum { MP4_EVEN_MS = 500 };
void mp4_index_even(struct mp4_index *x, const uint32_t timescale[MP4_TRACKS], bool drop);
/* Ticks from zero to the end of the track's last sample; 0 without samples. */
int64_t mp4_index_end(const struct mp4_index *x, enum mp4_track_no t);

#endif
