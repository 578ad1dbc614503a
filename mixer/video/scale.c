#include "mixer/video/scale.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include <libavutil/mem.h>
#include <libswscale/swscale.h>
#include <libyuv/planar_functions.h>
#include <libyuv/rotate.h>
#include <libyuv/scale.h>

/* CONTEXTS: more geometries than this at once would open one per frame, but a
 * view of 49 tiles has one tile size and rarely that many kinds of sender.
 * VECTOR: libswscale writes whole vectors past the end of a row. */
enum { CONTEXTS = 16, VECTOR = 64 };

struct context {
	struct SwsContext *sws;
	int src_w, src_h, dst_w, dst_h;
	uint64_t used;
};

struct scratch {
	uint8_t *mem;
	size_t size;
};

struct scaler {
	struct context context[CONTEXTS];
	struct scratch turned, scaled;
	uint64_t clock;
};

int scaler_new(struct scaler **out)
{
	struct scaler *s = calloc(1, sizeof *s);

	if (!s)
		return -ENOMEM;
	*out = s;
	return 0;
}

void scaler_free(struct scaler **sp)
{
	struct scaler *s = *sp;

	if (!s)
		return;
	*sp = NULL;
	for (int i = 0; i < CONTEXTS; i++)
		sws_freeContext(s->context[i].sws);
	av_free(s->turned.mem);
	av_free(s->scaled.mem);
	free(s);
}

/* An I420 picture in scratch memory, rows padded for vectors. */
static int scratch_planes(struct scratch *m, int w, int h, struct planes *out)
{
	int stride_y = (w + 2 * VECTOR - 1) & ~(VECTOR - 1);
	int stride_c = ((w + 1) / 2 + 2 * VECTOR - 1) & ~(VECTOR - 1);
	int half = (h + 1) / 2;
	size_t size = (size_t)stride_y * (size_t)h + 2 * (size_t)stride_c * (size_t)half + VECTOR;

	if (m->size < size) {
		av_free(m->mem);
		m->mem = av_malloc(size);
		m->size = m->mem ? size : 0;
		if (!m->mem)
			return -ENOMEM;
	}
	*out = (struct planes){ .stride = { stride_y, stride_c, stride_c }, .w = w, .h = h };
	out->data[0] = m->mem;
	out->data[1] = m->mem + (ptrdiff_t)stride_y * h;
	out->data[2] = out->data[1] + (ptrdiff_t)stride_c * half;
	return 0;
}

static struct SwsContext *find_context(struct scaler *s, const struct planes *src,
				       const struct planes *dst)
{
	struct context *oldest = &s->context[0];
	bool larger = src->w <= dst->w && src->h <= dst->h;

	s->clock++;
	for (int i = 0; i < CONTEXTS; i++) {
		struct context *c = &s->context[i];

		if (c->sws && c->src_w == src->w && c->src_h == src->h && c->dst_w == dst->w &&
		    c->dst_h == dst->h) {
			c->used = s->clock;
			return c->sws;
		}
		if (c->used < oldest->used)
			oldest = c;
	}
	sws_freeContext(oldest->sws);
	oldest->sws = sws_getContext(src->w, src->h, AV_PIX_FMT_YUV420P, dst->w, dst->h,
				     AV_PIX_FMT_YUV420P, larger ? SWS_BILINEAR : SWS_AREA, NULL,
				     NULL, NULL);
	oldest->src_w = src->w;
	oldest->src_h = src->h;
	oldest->dst_w = dst->w;
	oldest->dst_h = dst->h;
	oldest->used = s->clock;
	return oldest->sws;
}

static void copy_planes(const struct planes *src, const struct planes *dst)
{
	for (int i = 0; i < 3; i++)
		CopyPlane(src->data[i], src->stride[i], dst->data[i], dst->stride[i],
			  i ? (dst->w + 1) / 2 : dst->w, i ? (dst->h + 1) / 2 : dst->h);
}

static void scale_yuv(const struct planes *src, const struct planes *dst, enum FilterMode mode)
{
	I420Scale(src->data[0], src->stride[0], src->data[1], src->stride[1], src->data[2],
		  src->stride[2], src->w, src->h, dst->data[0], dst->stride[0], dst->data[1],
		  dst->stride[1], dst->data[2], dst->stride[2], dst->w, dst->h, mode);
}

static int scale_sws(struct scaler *s, const struct planes *src, const struct planes *dst)
{
	const uint8_t *in[4] = { src->data[0], src->data[1], src->data[2], NULL };
	int in_stride[4] = { src->stride[0], src->stride[1], src->stride[2], 0 };
	struct SwsContext *sws = find_context(s, src, dst);
	bool direct = dst->w % (2 * VECTOR) == 0;
	struct planes to = *dst;

	if (!sws)
		return -ENOMEM;
	if (!direct && scratch_planes(&s->scaled, dst->w, dst->h, &to))
		return -ENOMEM;
	sws_scale(sws, in, in_stride, 0, src->h,
		  (uint8_t *const[4]){ to.data[0], to.data[1], to.data[2], NULL },
		  (int[4]){ to.stride[0], to.stride[1], to.stride[2], 0 });
	if (!direct)
		copy_planes(&to, dst);
	return 0;
}

/* libyuv only where it has a kernel for the ratio: elsewhere it is slower, blurs,
 * and allocates rows for each plane. */
static int scale_planes(struct scaler *s, const struct planes *src, const struct planes *dst,
			bool *copied)
{
	*copied = src->w == dst->w && src->h == dst->h;
	if (*copied)
		copy_planes(src, dst);
	else if ((src->w == 2 * dst->w && src->h == 2 * dst->h) ||
		 (src->w == 4 * dst->w && src->h == 4 * dst->h))
		scale_yuv(src, dst, kFilterBox);
	else if (2 * src->w == dst->w && 2 * src->h == dst->h)
		scale_yuv(src, dst, kFilterBilinear);
	else
		return scale_sws(s, src, dst);
	return 0;
}

static int turn(struct scaler *s, struct planes *p, unsigned rotation)
{
	bool side = rotation == 90 || rotation == 270;
	struct planes t;

	if (rotation != 180 && !side)
		return 0;
	if (scratch_planes(&s->turned, side ? p->h : p->w, side ? p->w : p->h, &t))
		return -ENOMEM;
	if (rotation == 180) /* a negative height turns it upside down; I420Rotate allocates */
		I420Mirror(p->data[0], p->stride[0], p->data[1], p->stride[1], p->data[2],
			   p->stride[2], t.data[0], t.stride[0], t.data[1], t.stride[1], t.data[2],
			   t.stride[2], p->w, -p->h);
	else
		I420Rotate(p->data[0], p->stride[0], p->data[1], p->stride[1], p->data[2],
			   p->stride[2], t.data[0], t.stride[0], t.data[1], t.stride[1], t.data[2],
			   t.stride[2], p->w, p->h, (enum RotationMode)rotation);
	*p = t;
	return 0;
}

static void fill_bars(const struct scale_job *job, const struct planes *canvas,
		      const struct rect *in)
{
	const struct rect *t = &job->tile;
	const struct rect bar[4] = {
		{ t->x, t->y, t->w, in->y - t->y },
		{ t->x, in->y + in->h, t->w, t->y + t->h - in->y - in->h },
		{ t->x, in->y, in->x - t->x, in->h },
		{ in->x + in->w, in->y, t->x + t->w - in->x - in->w, in->h },
	};
	struct planes p;

	for (int i = 0; i < 4; i++) {
		if (bar[i].w <= 0 || bar[i].h <= 0)
			continue;
		planes_window(&p, canvas, &bar[i]);
		planes_fill(&p, job->bars);
	}
}

int scaler_place(struct scaler *s, const struct scale_job *job, const struct planes *canvas,
		 bool *copied)
{
	struct rect to = job->tile, from;
	struct planes src, dst;
	int err;

	if (!job->src->data[0] || !job->src->data[1] || !job->src->data[2] || job->src->width < 2 ||
	    job->src->height < 2)
		return -EINVAL;
	planes_of_frame(&src, job->src);
	/* a last odd row or column has chroma of its own; leave it out */
	src.w &= ~1;
	src.h &= ~1;
	err = turn(s, &src, job->rotation);
	if (err)
		return err;
	if (job->crop) {
		from = planes_crop(src.w, src.h, &job->tile);
		planes_window(&src, &src, &from);
	} else {
		to = planes_fit(src.w, src.h, &job->tile);
		fill_bars(job, canvas, &to);
	}
	planes_window(&dst, canvas, &to);
	err = scale_planes(s, &src, &dst, copied);
	if (err)
		return err;
	if (job->src->color_range == AVCOL_RANGE_JPEG)
		planes_limit_range(&dst);
	if (job->dim)
		planes_dim(&dst);
	return 0;
}
