/* What is done to a recording's files after it was stopped, when there is time: a
 * copy with its index in front takes the original's place, pictures and chapters
 * are laid beside it, its checksum is taken.
 *
 *   x.mp4 ──► x.mp4.new ──► compared, pictured, summed ──► both change places,
 *                                                          and the old one goes
 *
 * Every new file is written under a name ending in ".new", is on the disk, and
 * only then gets its own name. The recording's own name leads to a whole recording
 * at every moment, whatever ends the process; a run that was ended is run again
 * from the start, and one that had succeeded finds nothing to do. Whoever reads the
 * old file reads on; a recording that was deleted meanwhile stays deleted.
 *
 * Blocks for as long as it takes, and decodes: in a process of its own (mcu/finisher.h). */
#ifndef MCU_STORAGE_FINISH_H
#define MCU_STORAGE_FINISH_H

#include <stdbool.h>
#include <stdint.h>

#include "mcu/base/err.h"
#include "storage/recordings.h"

/* In this order; those that a run leaves out are not reported. */
enum finish_step {
	FINISH_CLEARED = 1, /* what an earlier run left is gone */
	FINISH_COPIED,
	FINISH_COMPARED,
	FINISH_PICTURED,
	FINISH_SUMMED,
	FINISH_PLACED,  /* what lies beside it has its names */
	FINISH_SWAPPED, /* the old file still has the name ending in ".new" */
	FINISH_STEPS,
};

struct finish_cfg {
	const char *data_dir, *path; /* path: of the row */
	const char *chapters;        /* WebVTT; NULL: none */
	size_t chapters_len;
	bool remux;
	int64_t spare_bytes;         /* of the disk that a copy must leave free */
	/* Not 0 ends the run there with that error. Both may be NULL. */
	int (*step)(void *obj, enum finish_step step);
	int (*progress)(void *obj, int percent);
	void *obj;
};

struct finish_result {
	int64_t bytes;  /* of the recording, as it is now */
	char sha256[RECORDING_SHA256_LEN + 1];
	unsigned parts; /* enum recording_part that were made */
	bool remuxed;
	char note[160]; /* why something was left out; "": nothing was, or nothing could be */
};

/* 0; -ENOENT: there is no such file (any more); -errno with *why. */
int finish_run(const struct finish_cfg *cfg, struct finish_result *out, struct errmsg *why);
/* Removes what a run that was ended left behind. Blocks. 0 or -errno. */
int finish_clear(const char *data_dir, const char *path);

#endif
