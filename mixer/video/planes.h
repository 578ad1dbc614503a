/* Windows into I420 pictures and the plain things done to them. Colours are
 * BT.601, limited range. Pure; no allocation. Any thread. */
#ifndef MCU_MIXER_VIDEO_PLANES_H
#define MCU_MIXER_VIDEO_PLANES_H

#include <stdbool.h>
#include <stdint.h>

#include <libavutil/frame.h>

#include "mixer/video/layout.h"

/* Borrowed samples; chroma has (w + 1) / 2 x (h + 1) / 2. */
struct planes {
	uint8_t *data[3];
	int stride[3];
	int w, h;
};

struct yuv {
	uint8_t y, u, v;
};

/* rgb: 0xRRGGBB. */
struct yuv yuv_of_rgb(uint32_t rgb);

void planes_of_frame(struct planes *out, const AVFrame *av);
/* r: inside *in, x and y even. */
void planes_window(struct planes *out, const struct planes *in, const struct rect *r);
void planes_fill(const struct planes *p, struct yuv c);
/* Two of one size. */
void planes_copy(const struct planes *to, const struct planes *from);
/* Full range to limited range, in place. */
void planes_limit_range(const struct planes *p);
/* Half as bright, half as colourful, in place. */
void planes_dim(const struct planes *p);

/* The largest rectangle of the source's shape inside the tile, centred and even;
 * the whole tile when it would miss it by a few samples only. */
struct rect planes_fit(int src_w, int src_h, const struct rect *tile);
/* The largest part of the source that has the tile's shape, centred, with even
 * corner. */
struct rect planes_crop(int src_w, int src_h, const struct rect *tile);

#endif
