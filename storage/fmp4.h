/* Writes a fragmented MP4 to a descriptor, and turns it into an ordinary one at
 * the end without copying anything:
 *
 *   recording:  ftyp free moov(empty) { moof mdat } { moof mdat } …
 *   finished:   ftyp mdat[ free moov moof mdat moof mdat … ] moov(all samples)
 *
 * The 'free' box is 16 octets, the room of a 64-bit 'mdat' header. The complete
 * 'moov' is appended and on the disk before that header is written, so there is
 * no moment at which the file cannot be read.
 *
 * A fragment that could not be written whole is cut off again, so that after
 * any error the file ends with a whole one. Owner: a recorder or a repair.
 * ROLE_STO. */
#ifndef MCU_STORAGE_FMP4_H
#define MCU_STORAGE_FMP4_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "storage/mp4_movie.h"

struct fmp4;

enum { FMP4_FREE_BYTES = 16, FMP4_PENDING_BYTES = 8 << 20, FMP4_PENDING_SAMPLES = 512 };

/* Writes the head to an empty file. fd: borrowed. nominal: duration in ticks of
 * a sample of each track whose successor is not known yet. 0 or -errno. */
int fmp4_new(struct fmp4 **out, int fd, const struct mp4_movie *m,
	     const uint32_t nominal[MP4_TRACKS]);
/* Forgets what was not flushed. */
void fmp4_free(struct fmp4 **f);

/* Adds a sample to the fragment being gathered; copies it. ticks: from the
 * movie's start, above the track's sample before. A fragment that has become
 * too large is written. 0, -EINVAL (ticks), -ENOMEM, or the write's error. */
int fmp4_add(struct fmp4 *f, enum mp4_track_no t, const uint8_t *data, size_t len, int64_t ticks,
	     bool sync);
/* The first sample that waits: its time from the movie's start; -1: none waits. */
int64_t fmp4_pending_since_ns(const struct fmp4 *f);
/* Writes the fragment, if there is anything in it. */
int fmp4_flush(struct fmp4 *f);
/* Gives up what waits, after an error. */
void fmp4_drop_pending(struct fmp4 *f);
/* Flushes and completes the file, which stays a readable fragmented one if that
 * fails. */
int fmp4_finish(struct fmp4 *f);

uint64_t fmp4_bytes(const struct fmp4 *f);      /* that are in the file */
int64_t fmp4_duration_ms(const struct fmp4 *f); /* of what is in the file */

/* The second half of fmp4_finish, for a file whose fragments end at end and
 * whose 'free' box is at free_at. On an error the file is as before. */
int fmp4_complete_file(int fd, uint64_t free_at, uint64_t end, const struct mp4_movie *m,
		       const struct mp4_index *x, uint64_t *bytes);

#endif
