#include "mixer/video/planes.h"

#include <string.h>

/* A letterbox of less than this on a side is not worth having. */
enum { SNAP = 4 };

struct yuv yuv_of_rgb(uint32_t rgb)
{
	int r = rgb >> 16 & 255, g = rgb >> 8 & 255, b = rgb & 255;

	return (struct yuv){
		(uint8_t)((16829 * r + 33039 * g + 6416 * b + (16 << 16) + 32768) >> 16),
		(uint8_t)((-9714 * r - 19070 * g + 28784 * b + (128 << 16) + 32768) >> 16),
		(uint8_t)((28784 * r - 24103 * g - 4681 * b + (128 << 16) + 32768) >> 16),
	};
}

void planes_of_frame(struct planes *out, const AVFrame *av)
{
	for (int i = 0; i < 3; i++) {
		out->data[i] = av->data[i];
		out->stride[i] = av->linesize[i];
	}
	out->w = av->width;
	out->h = av->height;
}

void planes_window(struct planes *out, const struct planes *in, const struct rect *r)
{
	struct planes p = { .w = r->w, .h = r->h };

	for (int i = 0; i < 3; i++) {
		int shift = i ? 1 : 0;

		p.stride[i] = in->stride[i];
		p.data[i] = in->data[i] + (ptrdiff_t)(r->y >> shift) * in->stride[i] + (r->x >> shift);
	}
	*out = p;
}

static int plane_w(const struct planes *p, int i)
{
	return i ? (p->w + 1) / 2 : p->w;
}

static int plane_h(const struct planes *p, int i)
{
	return i ? (p->h + 1) / 2 : p->h;
}

void planes_fill(const struct planes *p, struct yuv c)
{
	uint8_t v[3] = { c.y, c.u, c.v };

	for (int i = 0; i < 3; i++) {
		for (int y = 0; y < plane_h(p, i); y++)
			memset(p->data[i] + (ptrdiff_t)y * p->stride[i], v[i], (size_t)plane_w(p, i));
	}
}

/* v' = add + (v - sub) * mul / 65536, rounded */
static void map_plane(const struct planes *p, int i, int sub, int mul, int add)
{
	for (int y = 0; y < plane_h(p, i); y++) {
		uint8_t *row = p->data[i] + (ptrdiff_t)y * p->stride[i];

		for (int x = 0; x < plane_w(p, i); x++)
			row[x] = (uint8_t)(add + (((row[x] - sub) * mul + 32768) >> 16));
	}
}

void planes_copy(const struct planes *to, const struct planes *from)
{
	for (int i = 0; i < 3; i++) {
		int w = i ? (to->w + 1) / 2 : to->w, h = i ? (to->h + 1) / 2 : to->h;

		for (int y = 0; y < h; y++)
			memcpy(to->data[i] + (ptrdiff_t)y * to->stride[i],
			       from->data[i] + (ptrdiff_t)y * from->stride[i], (size_t)w);
	}
}

void planes_limit_range(const struct planes *p)
{
	map_plane(p, 0, 0, 65536 * 219 / 255, 16);
	map_plane(p, 1, 128, 65536 * 224 / 255, 128);
	map_plane(p, 2, 128, 65536 * 224 / 255, 128);
}

void planes_dim(const struct planes *p)
{
	map_plane(p, 0, 16, 32768, 16);
	map_plane(p, 1, 128, 32768, 128);
	map_plane(p, 2, 128, 32768, 128);
}

static int even(int v)
{
	return v & ~1;
}

struct rect planes_fit(int src_w, int src_h, const struct rect *tile)
{
	int w = tile->w, h = tile->h;

	if ((int64_t)src_w * tile->h > (int64_t)src_h * tile->w)
		h = even((int)((int64_t)src_h * tile->w / src_w) + 1);
	else
		w = even((int)((int64_t)src_w * tile->h / src_h) + 1);
	if (tile->w - w < SNAP)
		w = tile->w;
	if (tile->h - h < SNAP)
		h = tile->h;
	w = w < 2 ? 2 : w;
	h = h < 2 ? 2 : h;
	return (struct rect){ tile->x + even((tile->w - w) / 2), tile->y + even((tile->h - h) / 2), w,
			      h };
}

struct rect planes_crop(int src_w, int src_h, const struct rect *tile)
{
	int w = src_w, h = src_h;

	if ((int64_t)src_w * tile->h > (int64_t)src_h * tile->w)
		w = even((int)((int64_t)src_h * tile->w / tile->h) + 1);
	else
		h = even((int)((int64_t)src_w * tile->h / tile->w) + 1);
	if (src_w - w < SNAP || w < 2)
		w = src_w;
	if (src_h - h < SNAP || h < 2)
		h = src_h;
	return (struct rect){ even((src_w - w) / 2), even((src_h - h) / 2), w, h };
}
