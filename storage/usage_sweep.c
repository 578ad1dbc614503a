#include "storage/usage_sweep.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MS_PER_MINUTE 60000.0
#define POOR 3.0 /* below it a page says that the connection is unstable */

/* Times of leaving of those who are there, the earliest first. */
struct heap {
	int64_t *at;
	size_t n, cap;
};

struct room {
	int64_t id; /* 0: free */
	struct heap present;
	struct usage_sum sum;
	double scores;
	int64_t intervals;
};

struct usage_sweep {
	int64_t *bounds;
	size_t n_days, next; /* next: the day whose beginning has not been passed */
	struct usage_sum *days, total;
	double *scores, all_scores;
	int64_t *intervals, all_intervals;
	struct heap present;
	struct room *rooms; /* open addressing; a power of two */
	size_t n_rooms, cap;
};

/* --- who is there ------------------------------------------------------------ */

static int heap_push(struct heap *h, int64_t at)
{
	size_t i = h->n;

	if (h->n == h->cap) {
		size_t cap = h->cap ? 2 * h->cap : 16;
		int64_t *more = realloc(h->at, cap * sizeof *more);

		if (!more)
			return -ENOMEM;
		h->at = more;
		h->cap = cap;
	}
	h->n++;
	for (; i && h->at[(i - 1) / 2] > at; i = (i - 1) / 2)
		h->at[i] = h->at[(i - 1) / 2];
	h->at[i] = at;
	return 0;
}

static void heap_pop(struct heap *h)
{
	int64_t last = h->at[--h->n];
	size_t i = 0, child;

	while ((child = 2 * i + 1) < h->n) {
		if (child + 1 < h->n && h->at[child + 1] < h->at[child])
			child++;
		if (h->at[child] >= last)
			break;
		h->at[i] = h->at[child];
		i = child;
	}
	h->at[i] = last;
}

/* Who left by then is gone. */
static void heap_until(struct heap *h, int64_t at)
{
	while (h->n && h->at[0] <= at)
		heap_pop(h);
}

static void raise_peak(struct usage_sum *s, size_t n)
{
	if ((int64_t)n > s->peak)
		s->peak = (int64_t)n;
}

/* --- rooms ------------------------------------------------------------------- */

static struct room *slot(struct room *rooms, size_t cap, int64_t id)
{
	size_t i = (size_t)((uint64_t)id * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (cap - 1);

	while (rooms[i].id && rooms[i].id != id)
		i = (i + 1) & (cap - 1);
	return &rooms[i];
}

static int grow(struct usage_sweep *s)
{
	size_t cap = s->cap ? 2 * s->cap : 64;
	struct room *more = calloc(cap, sizeof *more);

	if (!more)
		return -ENOMEM;
	for (size_t i = 0; i < s->cap; i++)
		if (s->rooms[i].id)
			*slot(more, cap, s->rooms[i].id) = s->rooms[i];
	free(s->rooms);
	s->rooms = more;
	s->cap = cap;
	return 0;
}

/* NULL: out of memory. */
static struct room *room_of(struct usage_sweep *s, int64_t id)
{
	struct room *r;

	if (2 * (s->n_rooms + 1) > s->cap && grow(s))
		return NULL;
	r = slot(s->rooms, s->cap, id);
	s->n_rooms += !r->id;
	r->id = id;
	return r;
}

/* --- the sweep --------------------------------------------------------------- */

int usage_sweep_new(struct usage_sweep **out, const int64_t *bounds, size_t n_days)
{
	struct usage_sweep *s = calloc(1, sizeof *s);

	if (!s)
		return -ENOMEM;
	s->n_days = n_days;
	s->bounds = malloc((n_days + 1) * sizeof *bounds);
	s->days = calloc(n_days, sizeof *s->days);
	s->scores = calloc(n_days, sizeof *s->scores);
	s->intervals = calloc(n_days, sizeof *s->intervals);
	if (!s->bounds || !s->days || !s->scores || !s->intervals) {
		usage_sweep_free(&s);
		return -ENOMEM;
	}
	memcpy(s->bounds, bounds, (n_days + 1) * sizeof *bounds);
	*out = s;
	return 0;
}

void usage_sweep_free(struct usage_sweep **ps)
{
	struct usage_sweep *s = *ps;

	if (!s)
		return;
	for (size_t i = 0; i < s->cap; i++)
		free(s->rooms[i].present.at);
	free(s->rooms);
	free(s->present.at);
	free(s->bounds);
	free(s->days);
	free(s->scores);
	free(s->intervals);
	free(s);
	*ps = NULL;
}

/* The day of a time within the bounds. */
static size_t day_of(const struct usage_sweep *s, int64_t at)
{
	size_t low = 0, high = s->n_days;

	while (high - low > 1) {
		size_t mid = (low + high) / 2;

		if (s->bounds[mid] <= at)
			low = mid;
		else
			high = mid;
	}
	return low;
}

/* At the beginning of a day those count who stayed over night. */
static void pass_days(struct usage_sweep *s, int64_t until)
{
	for (; s->next < s->n_days && s->bounds[s->next] <= until; s->next++) {
		heap_until(&s->present, s->bounds[s->next]);
		raise_peak(&s->days[s->next], s->present.n);
	}
}

static void add_minutes(struct usage_sweep *s, struct room *r, int64_t from, int64_t until)
{
	for (size_t d = day_of(s, from); d < s->n_days && s->bounds[d] < until; d++) {
		int64_t a = from > s->bounds[d] ? from : s->bounds[d];
		int64_t b = until < s->bounds[d + 1] ? until : s->bounds[d + 1];
		double minutes = (double)(b - a) / MS_PER_MINUTE;

		s->days[d].minutes += minutes;
		s->total.minutes += minutes;
		r->sum.minutes += minutes;
	}
}

static void add_joined(struct usage_sweep *s, struct room *r, const struct usage_stay *t)
{
	size_t d = day_of(s, t->joined_ms);
	bool poor = t->score_n && t->score_min < POOR;

	s->days[d].participants++;
	s->total.participants++;
	r->sum.participants++;
	s->days[d].poor += poor;
	s->total.poor += poor;
	r->sum.poor += poor;
	s->scores[d] += t->score_sum;
	s->intervals[d] += t->score_n;
	r->scores += t->score_sum;
	r->intervals += t->score_n;
	s->all_scores += t->score_sum;
	s->all_intervals += t->score_n;
}

int usage_sweep_stay(struct usage_sweep *s, const struct usage_stay *t)
{
	int64_t begin = s->bounds[0], end = s->bounds[s->n_days];
	int64_t from = t->joined_ms > begin ? t->joined_ms : begin;
	int64_t until = t->left_ms < end ? t->left_ms : end;
	struct room *r;

	if (t->joined_ms >= end || t->left_ms < begin || (t->joined_ms < begin && t->left_ms == begin))
		return 0;
	r = room_of(s, t->room_id);
	if (!r)
		return -ENOMEM;
	pass_days(s, from - 1);
	heap_until(&s->present, from);
	heap_until(&r->present, from);
	if (heap_push(&s->present, t->left_ms) || heap_push(&r->present, t->left_ms))
		return -ENOMEM;
	pass_days(s, from);
	raise_peak(&s->days[day_of(s, from)], s->present.n);
	raise_peak(&s->total, s->present.n);
	raise_peak(&r->sum, r->present.n);
	if (until > from)
		add_minutes(s, r, from, until);
	if (t->joined_ms >= begin)
		add_joined(s, r, t);
	return 0;
}

int usage_sweep_session(struct usage_sweep *s, int64_t room_id, int64_t started_ms)
{
	struct room *r;

	if (started_ms < s->bounds[0] || started_ms >= s->bounds[s->n_days])
		return 0;
	r = room_of(s, room_id);
	if (!r)
		return -ENOMEM;
	r->sum.sessions++;
	s->total.sessions++;
	s->days[day_of(s, started_ms)].sessions++;
	return 0;
}

static int by_minutes(const void *a, const void *b)
{
	const struct room *x = a, *y = b;

	if (!x->id || !y->id)
		return !x->id - !y->id;
	if (x->sum.minutes != y->sum.minutes)
		return x->sum.minutes < y->sum.minutes ? 1 : -1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static double mean(double sum, int64_t n)
{
	return n ? sum / (double)n : 0;
}

void usage_sweep_end(struct usage_sweep *s, int64_t now_ms)
{
	pass_days(s, now_ms);
	for (size_t d = 0; d < s->n_days; d++)
		s->days[d].score = mean(s->scores[d], s->intervals[d]);
	s->total.score = mean(s->all_scores, s->all_intervals);
	for (size_t i = 0; i < s->cap; i++)
		s->rooms[i].sum.score = mean(s->rooms[i].scores, s->rooms[i].intervals);
	if (s->cap)
		qsort(s->rooms, s->cap, sizeof *s->rooms, by_minutes);
}

const struct usage_sum *usage_sweep_days(const struct usage_sweep *s)
{
	return s->days;
}

const struct usage_sum *usage_sweep_total(const struct usage_sweep *s)
{
	return &s->total;
}

bool usage_sweep_room(const struct usage_sweep *s, size_t i, int64_t *room_id,
		      struct usage_sum *sum)
{
	if (i >= s->n_rooms)
		return false;
	*room_id = s->rooms[i].id;
	*sum = s->rooms[i].sum;
	return true;
}
