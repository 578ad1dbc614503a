#include "mixer/video/shrink.h"

#include <errno.h>
#include <stdlib.h>

#include "mixer/video/scale.h"

enum { MARGIN = 4 }; /* pixels */

struct shrink {
	int w, h;
	struct scaler *scaler;
	struct vframe *pic[SHRINK_CANVASES], *last;
	uint64_t last_gen; /* what last was made of; 0: nothing */
	uint64_t made;
};

int shrink_new(struct shrink **out, int width, int height)
{
	struct shrink *s;
	int err;

	if (width < 2 || height < 2 || width & 1 || height & 1)
		return -EINVAL;
	s = calloc(1, sizeof *s);
	if (!s)
		return -ENOMEM;
	s->w = width;
	s->h = height;
	err = scaler_new(&s->scaler);
	if (err) {
		free(s);
		return err;
	}
	*out = s;
	return 0;
}

void shrink_free(struct shrink **s)
{
	if (!*s)
		return;
	for (int i = 0; i < SHRINK_CANVASES; i++)
		vframe_unref(&(*s)->pic[i]);
	scaler_free(&(*s)->scaler);
	free(*s);
	*s = NULL;
}

/* One that nobody else holds, made if there are not yet enough. */
static int choose(struct shrink *s, struct vframe **out)
{
	for (int i = 0; i < SHRINK_CANVASES; i++) {
		int err = s->pic[i] ? 0 : vframe_new_canvas(&s->pic[i], s->w, s->h);

		if (err)
			return err;
		if (!vframe_writable(s->pic[i]))
			continue;
		*out = s->pic[i];
		return 0;
	}
	return -EAGAIN;
}

/* The parts of the copy, as of its original; filters reach a little over the edges. */
static void shrink_parts(const struct shrink *s, struct vframe *f, const struct vframe *src)
{
	int w = src->av->width, h = src->av->height;

	if (!src->parts || w * s->h != h * s->w)
		return;
	*f->parts = *src->parts;
	for (size_t i = 0; i < f->parts->n; i++) {
		struct vframe_part *p = &f->parts->part[i];
		int x1 = (p->x + p->w) * s->w / w + MARGIN, y1 = (p->y + p->h) * s->h / h + MARGIN;

		p->x = p->x * s->w / w - MARGIN;
		p->y = p->y * s->h / h - MARGIN;
		p->w = x1 - p->x;
		p->h = y1 - p->y;
	}
}

int shrink_make(struct shrink *s, const struct vframe *src, struct vframe **out)
{
	struct scale_job job = { .src = src->av, .crop = true, .tile = { 0, 0, s->w, s->h } };
	struct planes to;
	struct vframe *f;
	bool copied;
	int err;

	*out = NULL;
	if (s->last_gen == src->gen) {
		*out = vframe_ref(s->last);
		return 0;
	}
	err = choose(s, &f);
	if (err)
		return err;
	s->last_gen = 0;
	planes_of_frame(&to, f->av);
	err = scaler_place(s->scaler, &job, &to, &copied);
	if (err)
		return err;
	vframe_renew(f);
	shrink_parts(s, f, src);
	f->pts_ns = src->pts_ns;
	s->last = f;
	s->last_gen = src->gen;
	s->made++;
	*out = vframe_ref(f);
	return 0;
}

uint64_t shrink_made(const struct shrink *s)
{
	return s->made;
}
