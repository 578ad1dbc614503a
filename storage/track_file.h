/* One file of an isolated track (track.h): which formats it has, and how what was received
 * is held in Matroska. Owner: a track. ROLE_STO. */
#ifndef MCU_STORAGE_TRACK_FILE_H
#define MCU_STORAGE_TRACK_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/base/codec.h"

enum { TRACK_FILE_PICTURE, TRACK_FILE_SOUND, TRACK_FILE_KINDS };

struct track_file;

struct track_file_format {
	enum codec codec; /* CODEC_NONE: the file has none of this kind */
	unsigned width, height;
};

/* Whether a file can hold it. */
bool track_file_knows(enum codec c);
/* Whether this access unit says what a file's head must say. */
bool track_file_begins(enum codec c, const uint8_t *au, size_t len, bool key);

/* Makes the file. au: that the pictures begin with, for the head; NULL: they go on as in
 * `before`, which is NULL where there are none; all borrowed. 0, -EINVAL,
 * -ENOTSUP, -ENOMEM or the file's error. */
int track_file_new(struct track_file **out, const char *root, const char *path,
		   const struct track_file_format f[TRACK_FILE_KINDS], const uint8_t *au, size_t len,
		   const struct track_file *before);
/* Closes it as it is. */
void track_file_free(struct track_file **f);

struct track_file_format track_file_format(const struct track_file *f, int kind);
bool track_file_fits(const struct track_file *f, int kind, struct track_file_format want);
/* at_ns: from the recording's beginning. -EINVAL: it is not newer than the one before, or
 * nothing is in it. */
int track_file_add(struct track_file *f, int kind, const uint8_t *data, size_t len, int64_t at_ns,
		   bool key);
int track_file_flush(struct track_file *f);
int track_file_sync(struct track_file *f);
void track_file_drop_pending(struct track_file *f);
int track_file_finish(struct track_file *f);
uint64_t track_file_bytes(const struct track_file *f);
int64_t track_file_duration_ms(const struct track_file *f);

#endif
