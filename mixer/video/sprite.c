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

/* One plane of a sprite from a point of it on; pitch: of both of its planes. */
struct layer {
	const uint8_t *color, *alpha;
	int pitch;
};

static void blend_narrow(struct layer l, uint8_t *dst, int stride, int w, int h)
{
	for (int y = 0; y < h; y++, l.color += l.pitch, l.alpha += l.pitch, dst += stride) {
		for (int x = 0; x < w; x++)
			dst[x] = (uint8_t)((l.color[x] * l.alpha[x] + dst[x] * (255 - l.alpha[x]) +
					    255) >> 8);
	}
}

static void copy_plane(struct layer l, uint8_t *dst, int stride, int w, int h)
{
	for (int y = 0; y < h; y++)
		memcpy(dst + (ptrdiff_t)y * stride, l.color + (ptrdiff_t)y * l.pitch, (size_t)w);
}

static int least(int a, int b)
{
	return a < b ? a : b;
}

static int most(int a, int b)
{
	return a > b ? a : b;
}

void sprite_blend_in(const struct sprite *s, const struct planes *tile, const struct rect *clip)
{
	struct planes to;
	struct rect r;

	if (!s || s->at.x + s->at.w > tile->w || s->at.y + s->at.h > tile->h)
		return;
	r.x = most(s->at.x, clip->x);
	r.y = most(s->at.y, clip->y);
	r.w = least(s->at.x + s->at.w, clip->x + clip->w) - r.x;
	r.h = least(s->at.y + s->at.h, clip->y + clip->h) - r.y;
	if (r.w <= 0 || r.h <= 0)
		return;
	planes_window(&to, tile, &r);
	for (int i = 0; i < 3; i++) {
		int half = i > 0, w = to.w >> half, h = to.h >> half, pitch = s->at.w >> half;
		ptrdiff_t skip = (ptrdiff_t)((r.y - s->at.y) >> half) * pitch +
				 ((r.x - s->at.x) >> half);
		struct layer l = { s->color[i] + skip, s->alpha[half] + skip, pitch };

		if (s->opaque)
			copy_plane(l, to.data[i], to.stride[i], w, h);
		else if (w < NARROW)
			blend_narrow(l, to.data[i], to.stride[i], w, h);
		else
			BlendPlane(l.color, pitch, to.data[i], to.stride[i], l.alpha, pitch,
				   to.data[i], to.stride[i], w, h);
	}
}

void sprite_blend(const struct sprite *s, const struct planes *tile)
{
	const struct rect whole = { 0, 0, tile->w, tile->h };

	sprite_blend_in(s, tile, &whole);
}

struct rect sprite_rect(const struct sprite *s)
{
	return s->at;
}
