/* libav* prints what it dislikes in the streams of strangers to stderr, at
 * "error" and per macroblock. Here its lines go to our log at TRACE, and only
 * when that is on. Any thread. */
#ifndef MCU_MIXER_CODEC_AVLOG_H
#define MCU_MIXER_CODEC_AVLOG_H

/* Installs the hook, once for the process; further calls do nothing. */
void avlog_install(void);

/* 0 / -errno of a libav* result: AVERROR tags are mapped (invalid data and the
 * like to -EBADMSG), errno values pass. */
int avlog_errno(int averror);

#endif
