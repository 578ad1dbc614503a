/* Pictures of a recording: one for lists, and many small ones in one file, for
 * whoever drags along the time line. Only key frames are decoded. Blocks: for a
 * process of its own (finish.h). */
#ifndef MCU_STORAGE_FINISH_PICTURES_H
#define MCU_STORAGE_FINISH_PICTURES_H

#include <stdint.h>

enum {
	FINISH_THUMBNAIL_WIDTH = 640,
	FINISH_SHEET_COLUMNS = 10,
	FINISH_SHEET_MAX = 100,     /* pictures */
	FINISH_SHEET_WIDTH = 160,   /* of each */
	FINISH_SHEET_STEP_MS = 4000, /* at least so far apart, as key frames are */
};

/* Picture i is of the time from i * step_ms on, in row i / columns. n 0: there is
 * no sheet. */
struct finish_sheet {
	int n, columns, width, height;
	int64_t step_ms;
};

/* Names of files; those of the pictures are made or overwritten, and are on the
 * disk afterwards. *sheet is set. The thumbnail is of the first moment, from a
 * tenth on, at which there is something to see. step: called between pictures,
 * not 0 ends with that error. 0; -ENODATA: there are no pictures in it; -EBADMSG:
 * they cannot be decoded; -errno. */
int finish_pictures(const char *movie, const char *thumbnail, const char *sheet_file,
		    struct finish_sheet *sheet, int (*step)(void *obj, int percent), void *obj);

#endif
