#include "mixer/video/motion.h"

#include <string.h>

#include <libyuv/scale.h>

enum { ONE = 1024, LEAST = 4 };

static bool same_rect(const struct rect *a, const struct rect *b)
{
	return a->x == b->x && a->y == b->y && a->w == b->w && a->h == b->h;
}

static bool same_tiles(const struct motion *m, const struct motion_tile *want, size_t n)
{
	if (m->n != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (m->to[i].leg_id != want[i].leg_id || !same_rect(&m->to[i].rect, &want[i].rect))
			return false;
	return true;
}

static struct rect start_of(const struct motion *m, const struct motion_tile *t)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->shown[i].leg_id == t->leg_id && m->shown[i].rect.w)
			return m->shown[i].rect;
	return (struct rect){ t->rect.x + t->rect.w / 2, t->rect.y + t->rect.h / 2, 0, 0 };
}

static void set_out(struct motion *m, const struct motion_tile *want, size_t n, int64_t now_ns)
{
	bool moves = false;

	for (size_t i = 0; i < n; i++) {
		m->from[i] = start_of(m, &want[i]);
		moves = moves || !same_rect(&m->from[i], &want[i].rect);
	}
	/* the first picture of all is simply there */
	m->active = moves && m->n && m->duration_ns > 0;
	if (n)
		memcpy(m->to, want, n * sizeof *want);
	m->n = n;
	m->start_ns = now_ns;
}

/* Fast first, then slowly to rest. */
static int progress(const struct motion *m, int64_t now_ns)
{
	int64_t rest = m->duration_ns - (now_ns - m->start_ns), part;

	if (rest <= 0)
		return ONE;
	part = rest >= m->duration_ns ? ONE : rest * ONE / m->duration_ns;
	return ONE - (int)(part * part / ONE * part / ONE);
}

static int between(int from, int to, int p)
{
	return (from + (to - from) * p / ONE) & ~1;
}

bool motion_follow(struct motion *m, const struct motion_tile *want, size_t n, int64_t now_ns)
{
	int p;

	if (!same_tiles(m, want, n))
		set_out(m, want, n, now_ns);
	p = m->active ? progress(m, now_ns) : ONE;
	m->active = p < ONE;
	for (size_t i = 0; i < n; i++) {
		const struct rect *a = &m->from[i], *b = &m->to[i].rect;
		struct rect r = *b;

		if (p < ONE)
			r = (struct rect){ between(a->x, b->x, p), between(a->y, b->y, p),
					   between(a->w, b->w, p), between(a->h, b->h, p) };
		if (r.w < LEAST || r.h < LEAST)
			r = (struct rect){ 0 };
		m->shown[i] = (struct motion_tile){ m->to[i].leg_id, r };
	}
	return m->active;
}

const struct rect *motion_at(const struct motion *m, size_t i)
{
	return &m->shown[i].rect;
}

void motion_blit(const struct planes *src, const struct rect *from, const struct planes *dst,
		 const struct rect *to)
{
	struct planes a, b;

	planes_window(&a, src, from);
	planes_window(&b, dst, to);
	/* without a filter libyuv takes no memory */
	for (int i = 0; i < 3; i++) {
		int half = i > 0;

		ScalePlane(a.data[i], a.stride[i], a.w >> half, a.h >> half, b.data[i], b.stride[i],
			   b.w >> half, b.h >> half, kFilterNone);
	}
}
