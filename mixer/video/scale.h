/* Puts pictures into tiles: a copy where sizes are equal, libyuv's box filter at
 * exactly 2:1 and 4:1, its bilinear one at 1:2, libswscale otherwise (area filter
 * downwards, bilinear upwards). Keeps scratch memory and filter contexts for the geometries it has
 * seen, so that the steady state allocates nothing. One thread at a time; owner:
 * a compositor. */
#ifndef MCU_MIXER_VIDEO_SCALE_H
#define MCU_MIXER_VIDEO_SCALE_H

#include <stdbool.h>

#include "mixer/video/planes.h"

struct scaler;

struct scale_job {
	const AVFrame *src; /* I420, borrowed; full range is converted */
	unsigned rotation;  /* clockwise: 0, 90, 180, 270 */
	bool crop;          /* fill the tile; otherwise bars in the colour below */
	bool dim;
	struct rect tile;   /* in the canvas */
	struct yuv bars;
};

int scaler_new(struct scaler **out);
void scaler_free(struct scaler **s);

/* Writes exactly the tile. *copied: sizes were equal. 0, -EINVAL (source without
 * planes or smaller than 2x2), -ENOMEM: the tile's contents are undefined. */
int scaler_place(struct scaler *s, const struct scale_job *job, const struct planes *canvas,
		 bool *copied);

#endif
