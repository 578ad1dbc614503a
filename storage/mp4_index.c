#include "storage/mp4_index.h"

#include <errno.h>
#include <stdlib.h>

#include "mcu/base/clock.h"

static void push(struct mp4_index *x, struct mp4_u32s *a, uint32_t v)
{
	if (a->n == a->cap) {
		size_t cap = a->cap ? a->cap * 2 : 256;
		uint32_t *p = realloc(a->v, cap * sizeof(*p));

		if (!p) {
			x->failed = true;
			return;
		}
		a->v = p;
		a->cap = cap;
	}
	a->v[a->n++] = v;
}

/* The sample before lasts until this one. */
static void close_last(struct mp4_index *x, struct mp4_index_track *t, uint32_t duration)
{
	if (t->runs.n && t->runs.v[t->runs.n - 1] == duration) {
		t->runs.v[t->runs.n - 2]++;
		return;
	}
	push(x, &t->runs, 1);
	push(x, &t->runs, duration);
}

int mp4_index_add(struct mp4_index *x, enum mp4_track_no no, const struct mp4_sample *s)
{
	struct mp4_index_track *t = &x->track[no];

	if (x->failed)
		return 0;
	if (t->sizes.n == 0)
		t->first_dts = s->dts;
	else if (s->dts <= t->last_dts || s->dts - t->last_dts > INT32_MAX)
		return -EINVAL;
	else
		close_last(x, t, (uint32_t)(s->dts - t->last_dts));
	if (t->sizes.n == 0 || s->offset != t->next_offset) {
		push(x, &t->chunks, (uint32_t)(s->offset >> 32));
		push(x, &t->chunks, (uint32_t)s->offset);
		push(x, &t->chunks, 0);
	}
	push(x, &t->sizes, s->size);
	if (s->sync && no == MP4_VIDEO)
		push(x, &t->syncs, (uint32_t)t->sizes.n);
	if (!x->failed)
		t->chunks.v[t->chunks.n - 1]++;
	t->last_dts = s->dts;
	t->last_duration = s->duration;
	t->next_offset = s->offset + s->size;
	return 0;
}

void mp4_index_free(struct mp4_index *x)
{
	for (size_t i = 0; i < MP4_TRACKS; i++) {
		free(x->track[i].sizes.v);
		free(x->track[i].runs.v);
		free(x->track[i].chunks.v);
		free(x->track[i].syncs.v);
	}
	*x = (struct mp4_index){ 0 };
}

int64_t mp4_index_end(const struct mp4_index *x, enum mp4_track_no no)
{
	const struct mp4_index_track *t = &x->track[no];

	return t->sizes.n ? t->last_dts + t->last_duration : 0;
}

/* The track's last sample. */
static void drop_last(struct mp4_index_track *t)
{
	uint32_t *chunk = &t->chunks.v[t->chunks.n - 1];

	if (t->syncs.n && t->syncs.v[t->syncs.n - 1] == t->sizes.n)
		t->syncs.n--;
	t->next_offset -= t->sizes.v[--t->sizes.n];
	if (--*chunk == 0) {
		t->chunks.n -= 3;
		t->next_offset = 0; /* whatever comes begins another chunk */
	}
	t->last_duration = t->runs.v[t->runs.n - 1];
	t->last_dts -= t->last_duration;
	if (--t->runs.v[t->runs.n - 2] == 0)
		t->runs.n -= 2;
}

void mp4_index_even(struct mp4_index *x, const uint32_t timescale[MP4_TRACKS], bool drop)
{
	struct mp4_index_track *v = &x->track[MP4_VIDEO], *a = &x->track[MP4_AUDIO];
	int64_t most = clock_scale(MP4_EVEN_MS, timescale[MP4_VIDEO], 1000);
	int64_t end = clock_scale(mp4_index_end(x, MP4_AUDIO), timescale[MP4_VIDEO],
				  timescale[MP4_AUDIO]);
	int64_t ahead = mp4_index_end(x, MP4_VIDEO) - end;

	if (x->failed || !v->sizes.n || !a->sizes.n || ahead > most || ahead < -most)
		return;
	while (drop && v->sizes.n > 1 && v->last_dts >= end)
		drop_last(v);
	if (v->last_dts < end)
		v->last_duration = (uint32_t)(end - v->last_dts);
}
