/* Pictures to compose and to compare, for the tests of mixer/video and
 * mixer/codec. */
#ifndef TESTS_MIXER_VIDEO_PICTURE_H
#define TESTS_MIXER_VIDEO_PICTURE_H

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mixer/video/planes.h"
#include "mixer/video/vframe.h"

/* A picture in one colour. */
static inline struct vframe *picture_flat(int w, int h, uint32_t rgb)
{
	struct vframe *f = NULL;
	struct planes p;

	if (vframe_new_canvas(&f, w, h))
		abort();
	planes_of_frame(&p, f->av);
	planes_fill(&p, yuv_of_rgb(rgb));
	return f;
}

/* Smooth waves that move with n: motion a codec and a scaler can be judged by. */
static inline void picture_draw_waves(struct vframe *f, int n)
{
	for (int i = 0; i < 3; i++) {
		int w = i ? f->av->width / 2 : f->av->width, h = i ? f->av->height / 2 : f->av->height;
		double k = i ? 2 : 1;

		for (int y = 0; y < h; y++) {
			uint8_t *row = f->av->data[i] + (ptrdiff_t)y * f->av->linesize[i];
			double a = sin(y * k * 0.05 + n * 0.11 + i) * 40;
			double b = cos(y * k * 0.013 - n * 0.07) * 30;

			for (int x = 0; x < w; x++)
				row[x] = (uint8_t)(126 + a * sin((x * k + 4 * n) * 0.031) +
						   b * cos((x * k - 3 * n) * 0.083));
		}
	}
}

static inline struct vframe *picture_waves(int w, int h, int n)
{
	struct vframe *f = NULL;

	if (vframe_new_canvas(&f, w, h))
		abort();
	picture_draw_waves(f, n);
	return f;
}

/* dB over the luma of two windows of one size; 99 when equal. */
static inline double picture_psnr_y(const struct planes *a, const struct planes *b)
{
	double sum = 0;

	for (int y = 0; y < a->h; y++) {
		const uint8_t *p = a->data[0] + (ptrdiff_t)y * a->stride[0];
		const uint8_t *q = b->data[0] + (ptrdiff_t)y * b->stride[0];

		for (int x = 0; x < a->w; x++)
			sum += (p[x] - q[x]) * (p[x] - q[x]);
	}
	if (sum <= 0)
		return 99;
	return 10 * log10(255.0 * 255.0 * a->w * a->h / sum);
}

static inline struct yuv picture_at(const struct vframe *f, int x, int y)
{
	const AVFrame *av = f->av;

	return (struct yuv){
		av->data[0][(ptrdiff_t)y * av->linesize[0] + x],
		av->data[1][(ptrdiff_t)(y / 2) * av->linesize[1] + x / 2],
		av->data[2][(ptrdiff_t)(y / 2) * av->linesize[2] + x / 2],
	};
}

static inline int picture_distance(struct yuv a, struct yuv b)
{
	int y = abs(a.y - b.y), u = abs(a.u - b.u), v = abs(a.v - b.v);

	return y > u ? (y > v ? y : v) : (u > v ? u : v);
}

#endif
