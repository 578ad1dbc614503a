#include "mixer/video/vframe.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/base/metrics.h"

METRIC_COUNTER(frames_empty, "mcu_vframe_pool_empty_total",
	       "Pictures refused because the pool of decoded pictures was dry.");

/* Free wrappers are a stack of indices: the low half of head is the index of the
 * top + 1 (0: none), the high half counts operations against ABA. */
struct vframe_pool {
	_Atomic uint64_t head;
	_Atomic size_t in_use;
	_Atomic uint64_t empty;
	size_t max;
	_Atomic uint32_t *next;
	struct vframe *frame;
};

static _Atomic uint64_t last_gen;

static uint64_t next_gen(void)
{
	return atomic_fetch_add_explicit(&last_gen, 1, memory_order_relaxed) + 1;
}

static void pool_push(struct vframe_pool *p, uint32_t index)
{
	uint64_t old = atomic_load_explicit(&p->head, memory_order_relaxed), new;

	do {
		atomic_store_explicit(&p->next[index], (uint32_t)old, memory_order_relaxed);
		new = ((old >> 32) + 1) << 32 | (index + 1);
	} while (!atomic_compare_exchange_weak_explicit(&p->head, &old, new, memory_order_release,
							memory_order_relaxed));
}

static struct vframe *pool_pop(struct vframe_pool *p)
{
	uint64_t old = atomic_load_explicit(&p->head, memory_order_acquire), new;

	do {
		uint32_t top = (uint32_t)old;

		if (!top)
			return NULL;
		new = ((old >> 32) + 1) << 32 |
		      atomic_load_explicit(&p->next[top - 1], memory_order_relaxed);
	} while (!atomic_compare_exchange_weak_explicit(&p->head, &old, new, memory_order_acquire,
							memory_order_acquire));
	return &p->frame[(uint32_t)old - 1];
}

int vframe_pool_new(struct vframe_pool **out, size_t max)
{
	struct vframe_pool *p;

	if (max < 1 || max > UINT16_MAX)
		return -EINVAL;
	p = calloc(1, sizeof *p);
	if (!p)
		return -ENOMEM;
	p->max = max;
	p->frame = calloc(max, sizeof *p->frame);
	p->next = calloc(max, sizeof *p->next);
	if (!p->frame || !p->next)
		goto out;
	for (size_t i = max; i-- > 0;) {
		struct vframe *f = &p->frame[i];

		f->av = av_frame_alloc();
		if (!f->av)
			goto out;
		f->index = (uint32_t)i;
		f->pool = p;
		pool_push(p, f->index);
	}
	*out = p;
	return 0;
out:
	vframe_pool_free(&p);
	return -ENOMEM;
}

void vframe_pool_free(struct vframe_pool **pp)
{
	struct vframe_pool *p = *pp;

	if (!p)
		return;
	*pp = NULL;
	if (vframe_pool_in_use(p)) {
		fprintf(stderr, "vframe pool: %zu frames have not been returned\n",
			vframe_pool_in_use(p));
		abort();
	}
	for (size_t i = 0; p->frame && i < p->max; i++)
		av_frame_free(&p->frame[i].av);
	free(p->frame);
	free(p->next);
	free(p);
}

size_t vframe_pool_in_use(const struct vframe_pool *p)
{
	return atomic_load_explicit(&p->in_use, memory_order_acquire);
}

uint64_t vframe_pool_empty_count(const struct vframe_pool *p)
{
	return p->empty;
}

struct vframe *vframe_get(struct vframe_pool *p)
{
	struct vframe *f = pool_pop(p);

	if (!f) {
		atomic_fetch_add_explicit(&p->empty, 1, memory_order_relaxed);
		metric_add(&frames_empty, 1);
		return NULL;
	}
	atomic_fetch_add_explicit(&p->in_use, 1, memory_order_relaxed);
	f->pts_ns = 0;
	f->rotation = 0;
	f->gen = next_gen();
	atomic_store_explicit(&f->refs, 1, memory_order_relaxed);
	return f;
}

int vframe_new_canvas(struct vframe **out, int width, int height)
{
	struct { struct vframe frame; struct vframe_parts parts; } *canvas;
	struct vframe *f;

	if (width < 2 || height < 2 || width > 8192 || height > 8192 || width % 2 || height % 2)
		return -EINVAL;
	canvas = calloc(1, sizeof *canvas);
	if (!canvas)
		return -ENOMEM;
	f = &canvas->frame; /* first: it is what is freed */
	f->parts = &canvas->parts;
	f->av = av_frame_alloc();
	if (!f->av)
		goto out;
	f->av->format = AV_PIX_FMT_YUV420P;
	f->av->width = width;
	f->av->height = height;
	f->av->color_range = AVCOL_RANGE_MPEG;
	if (av_frame_get_buffer(f->av, 64) < 0)
		goto out;
	f->gen = next_gen();
	f->refs = 1;
	*out = f;
	return 0;
out:
	av_frame_free(&f->av);
	free(f);
	return -ENOMEM;
}

struct vframe *vframe_ref(struct vframe *f)
{
	atomic_fetch_add_explicit(&f->refs, 1, memory_order_relaxed);
	return f;
}

void vframe_unref(struct vframe **fp)
{
	struct vframe *f = *fp;
	struct vframe_pool *p;

	if (!f)
		return;
	*fp = NULL;
	if (atomic_fetch_sub_explicit(&f->refs, 1, memory_order_acq_rel) != 1)
		return;
	p = f->pool;
	if (!p) {
		av_frame_free(&f->av);
		free(f);
		return;
	}
	av_frame_unref(f->av);
	pool_push(p, f->index);
	atomic_fetch_sub_explicit(&p->in_use, 1, memory_order_release); /* the last look at p */
}

bool vframe_writable(const struct vframe *f)
{
	return atomic_load_explicit(&f->refs, memory_order_acquire) == 1;
}

/* From the middle on: what is above may be a bar, and is the same more often. */
static bool same_plane(const AVFrame *a, const AVFrame *b, int plane, int w, int h)
{
	for (int i = 0; i < h; i++) {
		ptrdiff_t y = (h / 2 + i) % h;

		if (memcmp(a->data[plane] + y * a->linesize[plane],
			   b->data[plane] + y * b->linesize[plane], (size_t)w))
			return false;
	}
	return true;
}

bool vframe_same(const struct vframe *a, const struct vframe *b)
{
	const AVFrame *f = a->av, *g = b->av;

	if (f->width != g->width || f->height != g->height || f->format != g->format ||
	    f->color_range != g->color_range || a->rotation != b->rotation)
		return false;
	for (int i = 0; i < 3; i++)
		if (!same_plane(f, g, i, i ? (f->width + 1) / 2 : f->width,
				i ? (f->height + 1) / 2 : f->height))
			return false;
	return true;
}

void vframe_renew(struct vframe *f)
{
	f->gen = next_gen();
	if (f->parts)
		f->parts->painter = 0;
}
