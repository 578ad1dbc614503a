/* Recorded sounds from WAV files, read at start: PCM of 8, 16, 24 or 32 bits or 32-bit
 * float, one or two channels, 8 to 192 kHz. Any thread. */
#ifndef MIXER_AUDIO_PROMPT_FILE_H
#define MIXER_AUDIO_PROMPT_FILE_H

#include "mcu/base/err.h"
#include "mixer/audio/prompt.h"

enum { PROMPT_FILE_MOST_S = 600 };

/* The caller frees *out. -ENOENT; -EINVAL with a sentence: of another kind; -EFBIG:
 * longer than PROMPT_FILE_MOST_S; -ENOMEM. */
int prompt_file_read(struct prompt **out, const char *path, struct errmsg *why);

#endif
