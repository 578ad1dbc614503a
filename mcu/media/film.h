/* A file or a camera, demultiplexed and decoded by libav: packets of sound and pictures
 * wait in two short queues, so that neither holds up the other, and are decoded as the
 * rings (out.h) take them. Pictures that nobody looks at are not decoded. */
#ifndef MCU_MEDIA_FILM_H
#define MCU_MEDIA_FILM_H

#include <stdbool.h>
#include <stdint.h>

#include "mcu/media/out.h"

struct film;

/* fd: of a file, borrowed; -1: url is a camera. 0; -EBADMSG: nothing in it can be
 * played; -ENOSYS: there is no decoder for it; -EFBIG: its pictures are too large;
 * -ECONNREFUSED: the camera does not answer; -ENOMEM. */
int film_open(struct film **out, int fd, const char *url, struct media_out *o);
void film_free(struct film **f);

/* Everything of note.FACTS but the serial. */
void film_facts(const struct film *f, struct media_note *facts);
/* 0, or -EIO: stays where it is. */
int film_seek(struct film *f, int64_t pos_ns);
void film_want_pictures(struct film *f, bool wanted);

enum film_step {
	FILM_BUSY,   /* it has moved, and may do so at once again */
	FILM_WAITS,  /* the rings are full */
	FILM_END,    /* everything is in the rings */
	FILM_BROKEN, /* the camera is gone */
};
enum film_step film_step(struct film *f);
/* There is enough in the rings to begin. */
bool film_ready(const struct film *f);
int64_t film_end_ns(const struct film *f);

#endif
