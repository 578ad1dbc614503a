#include "mixer/audio/speaker.h"

#include <errno.h>
#include <stdlib.h>

/* Activity is the share of talking in the last moments, with a time constant of
 * 0.4 s: 200 ms of noise reach 0.39, talking reaches 0.6 after 370 ms, and a
 * holder who stops falls from 1 to 0.25 in 550 ms. */
#define ACTIVITY_PER_TICK 0.05f
#define ACTIVITY_TAKE     0.6f
#define ACTIVITY_SILENT   0.25f
#define ACTIVITY_GONE     0.001f
#define LEVEL_PER_TICK    0.05f
#define LOUDER_DB         6.0f

enum { HOLD_TICKS = 75 /* 1.5 s between two changes */ };

struct entry {
	uint32_t leg_id;
	float activity;
	float level_dbov; /* smoothed over what was active */
	bool active;      /* fed as active in this tick */
};

struct speaker {
	uint32_t current, previous;
	int held_ticks;
	size_t count, capacity, hint;
	struct entry legs[];
};

int speaker_new(struct speaker **out, size_t max_legs)
{
	struct speaker *s;

	if (!max_legs)
		return -EINVAL;
	s = calloc(1, sizeof *s + max_legs * sizeof s->legs[0]);
	if (!s)
		return -ENOMEM;
	s->capacity = max_legs;
	s->held_ticks = HOLD_TICKS;
	*out = s;
	return 0;
}

void speaker_free(struct speaker **s)
{
	free(*s);
	*s = NULL;
}

/* Legs are fed in the same order every tick: the next one is the usual hit. */
static struct entry *find(struct speaker *s, uint32_t leg_id)
{
	for (size_t k = 0; k < s->count; k++) {
		size_t i = (s->hint + k) % s->count;

		if (s->legs[i].leg_id == leg_id) {
			s->hint = i + 1;
			return &s->legs[i];
		}
	}
	return NULL;
}

void speaker_feed(struct speaker *s, uint32_t leg_id, float level_dbov, bool active)
{
	struct entry *e = find(s, leg_id);

	if (!e) {
		if (!active || s->count == s->capacity)
			return;
		e = &s->legs[s->count++];
		*e = (struct entry){ .leg_id = leg_id, .level_dbov = level_dbov };
	}
	e->active = active;
	if (active)
		e->level_dbov += (level_dbov - e->level_dbov) * LEVEL_PER_TICK;
}

static void advance(struct speaker *s)
{
	for (size_t i = 0; i < s->count;) {
		struct entry *e = &s->legs[i];

		e->activity += ((e->active ? 1.0f : 0.0f) - e->activity) * ACTIVITY_PER_TICK;
		if (!e->active && e->activity < ACTIVITY_GONE) {
			*e = s->legs[--s->count];
			continue;
		}
		e->active = false;
		i++;
	}
	s->hint = 0;
}

static const struct entry *challenger(const struct speaker *s)
{
	const struct entry *best = NULL;

	for (size_t i = 0; i < s->count; i++) {
		const struct entry *e = &s->legs[i];

		if (e->leg_id == s->current || e->activity < ACTIVITY_TAKE)
			continue;
		if (!best || e->level_dbov > best->level_dbov)
			best = e;
	}
	return best;
}

uint32_t speaker_tick(struct speaker *s, bool *changed)
{
	const struct entry *holder, *other;
	bool take = false;

	advance(s);
	s->held_ticks++;
	holder = s->current ? find(s, s->current) : NULL;
	other = challenger(s);
	if (other && s->held_ticks >= HOLD_TICKS)
		take = !holder || holder->activity < ACTIVITY_SILENT ||
		       other->level_dbov > holder->level_dbov + LOUDER_DB;
	if (take) {
		s->previous = s->current;
		s->current = other->leg_id;
		s->held_ticks = 0;
	}
	if (changed)
		*changed = take;
	return s->current;
}

uint32_t speaker_previous(const struct speaker *s)
{
	return s->previous;
}

void speaker_forget(struct speaker *s, uint32_t leg_id)
{
	struct entry *e = find(s, leg_id);

	if (e)
		*e = s->legs[--s->count];
	if (s->current == leg_id)
		s->current = 0;
	if (s->previous == leg_id)
		s->previous = 0;
}
