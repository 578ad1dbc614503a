/* The last frames of a Matroska file that is being finished or repaired: what one of picture
 * and sound has that had not come of the other is taken off, so that both end together. A
 * frame is taken off by making its block an element to be skipped (Void): one octet. Only
 * where the head says how long packets of sound last (mkv_track.frame_ns). Owner: a writer or
 * a repair. ROLE_STO. */
#ifndef MCU_STORAGE_MKV_EVEN_H
#define MCU_STORAGE_MKV_EVEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "storage/mkv_head.h"

enum { MKV_EVEN_BLOCKS = 64, MKV_EVEN_MS = 500 };

struct mkv_even {
	struct {
		uint64_t at; /* in the file; of the cluster's body while it is gathered */
		int64_t ms;
		unsigned track; /* from 0 */
		bool gathered;
	} block[MKV_EVEN_BLOCKS];
	size_t n; /* all that there were; the newest are kept */
};

void mkv_even_add(struct mkv_even *e, unsigned track, uint64_t at, int64_t ms, bool gathered);
/* The cluster is in the file, its body here; or it was given up. */
void mkv_even_written(struct mkv_even *e, uint64_t body_at);
void mkv_even_dropped(struct mkv_even *e);
/* Takes off what is too much, in the file and of the cues. *last_ms: of the newest frame that
 * is left; untouched when none was taken off. 0 or -errno. */
int mkv_even_out(const struct mkv_even *e, int fd, const struct mkv_head *h, struct mkv_cues *c,
		 int64_t *last_ms);

#endif
