/* The media repository: the tree of recording files below the data folder, and
 * its agreement with the rows of the registry.
 *
 *   <data>/recordings/YYYY/MM/<room>-<YYYYMMDD>T<hhmmss>Z-<id>.mp4 (or .mkv)
 *
 * and beside it what belongs to it: the same name with ".jpg" (thumbnail),
 * ".sheet.jpg", ".scrub.vtt" and ".chapters.vtt" for its ending. */
#ifndef MCU_STORAGE_REPOSITORY_H
#define MCU_STORAGE_REPOSITORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/base/err.h"
#include "storage/db.h"
#include "storage/recordings.h"

/* The path of a recording relative to the data folder. Of the room's name only
 * ASCII letters and digits come through, at most 32. Pure. 0 or -EINVAL. */
int repository_path(char out[RECORDING_PATH_MAX + 1], const char *room, int64_t started_ms,
		    int64_t id);
/* The same for a file of another format. */
int repository_path_as(char out[RECORDING_PATH_MAX + 1], enum recording_format format,
		       const char *room, int64_t started_ms, int64_t id);
/* The path of one part of the recording at this path. Pure. 0 or -EINVAL. */
int repository_part_path(char out[RECORDING_PATH_MAX + 1], const char *path,
			 enum recording_part part);
/* "video/mp4", "video/x-matroska", … of a valid path, "image/jpeg" and "text/vtt" of
 * parts. */
const char *repository_media_type(const char *path);
/* Removes the file and all its parts. A file that is not there is no error: it can be
 * asked again after a crash. Blocks. 0, -EINVAL (the path), -errno. */
int repository_unlink(const char *data_dir, const char *path);
/* True when the path has the form above: nothing else is ever opened. */
bool repository_path_valid(const char *path);

/* What the path says of the recording. False: not a valid path. */
bool repository_path_parse(const char *path, int64_t *started_ms, int64_t *id);
/* Calls fn with every valid path that exists below the data folder, until it
 * returns an error. Other files are passed over. Blocks. */
typedef int repository_file_fn(void *obj, const char *path);
int repository_walk(const char *data_dir, repository_file_fn *fn, void *obj);

struct repository_report {
	size_t interrupted;   /* rows of a dead process whose file was repaired */
	size_t adopted;       /* files without a row that got one */
	size_t missing;       /* rows whose file is gone */
	size_t unreadable;    /* files in which nothing can be played; left as they are */
	size_t sessions_ended;
};

/* After a start, before anything records: ends sessions and participants of a
 * process that died (reason "crash"), cuts torn fragments off unfinished files
 * and completes their index, adopts files without rows and marks rows without
 * files. Never deletes a file. Blocks (disk): before the loop. 0 or -errno with
 * *why. */
int repository_reconcile(const char *data_dir, struct db *db, struct repository_report *report,
			 struct errmsg *why);

#endif
