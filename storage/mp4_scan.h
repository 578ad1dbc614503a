/* Reads the boxes of a recording: what is whole in it, where every sample is,
 * and how long it is. Made for files that a power cut or a kill tore: every
 * length is checked, and nothing is believed beyond the first damage. Pure but
 * for the reading. ROLE_STO or before the loop. */
#ifndef MCU_STORAGE_MP4_SCAN_H
#define MCU_STORAGE_MP4_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "storage/mp4_index.h"
#include "storage/mp4_movie.h"

struct mp4_source {
	/* Reads exactly len octets at off. 0 or -errno. */
	int (*read)(void *obj, uint64_t off, void *to, size_t len);
	void *obj;
	uint64_t size;
};

enum mp4_kind {
	MP4_UNREADABLE, /* not even one whole fragment */
	MP4_COMPLETE,   /* has its index; nothing to do */
	MP4_FRAGMENTED, /* whole fragments up to end */
};

struct mp4_scan {
	enum mp4_kind kind;
	uint64_t end;       /* of the last whole fragment; behind it: torn */
	bool repaired;      /* by mp4_repair_file: it was cut or completed */
	bool completable;   /* fmp4_complete_file(free_at, end, movie, index) fits */
	uint64_t free_at;
	int64_t duration_ms;
	struct mp4_movie movie;
	struct mp4_index index;
};

/* 0, -ENOMEM or the error of reading. Free the result in any case. */
int mp4_scan(struct mp4_scan *out, const struct mp4_source *src);
void mp4_scan_free(struct mp4_scan *s);

/* Makes the file whole: cuts what is torn, completes the index if it is one of
 * ours. *out says what was found, with kind COMPLETE where that succeeded.
 * bytes: its size afterwards. 0 or -errno; an unreadable file is left as it is. */
int mp4_repair_file(const char *path, struct mp4_scan *out, uint64_t *bytes);

#endif
