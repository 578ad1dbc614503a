/* Pictures from PNG files of the server's owner, read at start. Any thread. */
#ifndef MCU_MIXER_VIDEO_PICTURE_FILE_H
#define MCU_MIXER_VIDEO_PICTURE_FILE_H

#include "mcu/base/err.h"
#include "mixer/video/sprite.h"
#include "mixer/video/vframe.h"

/* A logo in the lower right corner of a canvas, made smaller where it is wider than a
 * sixth or higher than an eighth of it. 0, -EINVAL with a sentence, -ENOMEM. */
int picture_file_logo(struct sprite **out, const char *path, int canvas_w, int canvas_h,
		      struct errmsg *why);
/* Fills the canvas; what stands over is cut off. Likewise. */
int picture_file_background(struct vframe **out, const char *path, int canvas_w, int canvas_h,
			    struct errmsg *why);

#endif
