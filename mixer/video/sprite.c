#include "mixer/video/sprite.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <libyuv/planar_functions.h>

/* Below this width libyuv's row functions cost more than they blend. */
enum { NARROW = 16 };

/* color[i] and alpha[i > 0] are planes of their own inside mem. */
struct sprite {
	struct rect at;
	bool opaque;
	uint8_t *color[3], *alpha[2];
	uint8_t mem[];
};

static uint32_t pixel(const uint8_t *argb, int stride, int x, int y)
{
	uint32_t v;

	memcpy(&v, argb + (ptrdiff_t)y * stride + (ptrdiff_t)x * 4, sizeof v);
	return v;
}

/* Sums of premultiplied channels over a block give its mean colour by the sum of
 * its alphas. */
struct sum {
	unsigned a, r, g, b, n;
};

static void sum_add(struct sum *s, uint32_t argb)
{
	s->a += argb >> 24;
	s->r += argb >> 16 & 255;
	s->g += argb >> 8 & 255;
	s->b += argb & 255;
	s->n++;
}

static unsigned ratio(unsigned part, unsigned whole)
{
	unsigned v = whole ? (part * 255 + whole / 2) / whole : 0;

	return v > 255 ? 255 : v;
}

static struct yuv sum_color(const struct sum *s)
{
	return yuv_of_rgb(ratio(s->r, s->a) << 16 | ratio(s->g, s->a) << 8 | ratio(s->b, s->a));
}

static void convert(struct sprite *s, const uint8_t *argb, int stride, int x0, int y0)
{
	int w = s->at.w, h = s->at.h;

	s->opaque = true;
	for (int y = 0; y < h; y++) {
		for (int x = 0; x < w; x++) {
			struct sum one = { 0 };

			sum_add(&one, pixel(argb, stride, x0 + x, y0 + y));
			s->color[0][y * w + x] = sum_color(&one).y;
			s->alpha[0][y * w + x] = (uint8_t)one.a;
			s->opaque = s->opaque && one.a == 255;
		}
	}
	for (int y = 0; y < h / 2; y++) {
		for (int x = 0; x < w / 2; x++) {
			struct sum four = { 0 };
			struct yuv c;

			for (int i = 0; i < 4; i++)
				sum_add(&four, pixel(argb, stride, x0 + 2 * x + (i & 1),
						     y0 + 2 * y + (i >> 1)));
			c = sum_color(&four);
			s->color[1][y * (w / 2) + x] = c.u;
			s->color[2][y * (w / 2) + x] = c.v;
			s->alpha[1][y * (w / 2) + x] = (uint8_t)((four.a + 2) / 4);
		}
	}
}

int sprite_new(struct sprite **out, const uint8_t *argb, int stride, const struct rect *at,
	       int origin_x, int origin_y)
{
	size_t luma = (size_t)at->w * (size_t)at->h;
	struct sprite *s;

	if (at->w < 2 || at->h < 2 || ((at->x | at->y | at->w | at->h) & 1) || at->x < origin_x ||
	    at->y < origin_y)
		return -EINVAL;
	s = malloc(sizeof *s + luma * 2 + luma / 4 * 3);
	if (!s)
		return -ENOMEM;
	s->at = *at;
	s->color[0] = s->mem;
	s->alpha[0] = s->color[0] + luma;
	s->color[1] = s->alpha[0] + luma;
	s->color[2] = s->color[1] + luma / 4;
	s->alpha[1] = s->color[2] + luma / 4;
	convert(s, argb, stride, at->x - origin_x, at->y - origin_y);
	*out = s;
	return 0;
}

void sprite_free(struct sprite **s)
{
	free(*s);
	*s = NULL;
}

static void blend_narrow(const uint8_t *color, const uint8_t *alpha, uint8_t *dst, int stride,
			 int w, int h)
{
	for (int y = 0; y < h; y++, color += w, alpha += w, dst += stride) {
		for (int x = 0; x < w; x++)
			dst[x] = (uint8_t)((color[x] * alpha[x] + dst[x] * (255 - alpha[x]) + 255) >> 8);
	}
}

static void blend_plane(const uint8_t *color, const uint8_t *alpha, uint8_t *dst, int stride, int w,
			int h)
{
	if (w < NARROW)
		blend_narrow(color, alpha, dst, stride, w, h);
	else
		BlendPlane(color, w, dst, stride, alpha, w, dst, stride, w, h);
}

static void copy_plane(const uint8_t *color, uint8_t *dst, int stride, int w, int h)
{
	for (int y = 0; y < h; y++)
		memcpy(dst + (ptrdiff_t)y * stride, color + (ptrdiff_t)y * w, (size_t)w);
}

void sprite_blend(const struct sprite *s, const struct planes *tile)
{
	struct planes to;

	if (!s || s->at.x + s->at.w > tile->w || s->at.y + s->at.h > tile->h)
		return;
	planes_window(&to, tile, &s->at);
	for (int i = 0; i < 3; i++) {
		int w = i ? to.w / 2 : to.w, h = i ? to.h / 2 : to.h;

		if (s->opaque)
			copy_plane(s->color[i], to.data[i], to.stride[i], w, h);
		else
			blend_plane(s->color[i], s->alpha[i > 0], to.data[i], to.stride[i], w, h);
	}
}
