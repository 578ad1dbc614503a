/* A smaller copy of a view's canvas: what one rung of the ladder below the top one
 * is encoded from. Made once per picture, whatever the number of encodes, and not
 * at all while the picture stands still.
 *
 * Rotates up to SHRINK_CANVASES pictures of its own, so that the steady state
 * allocates nothing; one that somebody still holds (an encoder) is left alone.
 * Owner: the view's tick strand. */
#ifndef MCU_MIXER_VIDEO_SHRINK_H
#define MCU_MIXER_VIDEO_SHRINK_H

#include <stdint.h>

#include "mcu/base/role.h"
#include "mixer/video/vframe.h"

enum { SHRINK_CANVASES = 4 };

struct shrink;

/* width, height: of the copies, even. 0, -EINVAL, -ENOMEM. Any thread. */
int shrink_new(struct shrink **out, int width, int height);
/* Copies that others hold stay theirs. */
void shrink_free(struct shrink **s);

/* *out: a reference for the caller to the copy of src (borrowed), the same as the
 * last one while src's gen is. 0, -EAGAIN (every copy is in use: leave this
 * picture out), -ENOMEM; *out is NULL on error. */
int shrink_make(struct shrink *s, const struct vframe *src, struct vframe **out)
	ON_THREAD(ROLE_MIXV);
/* Copies made so far. */
uint64_t shrink_made(const struct shrink *s) ON_THREAD(ROLE_MIXV);

#endif
