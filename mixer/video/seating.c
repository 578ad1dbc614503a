#include "mixer/video/seating.h"

#include <string.h>

/* People beyond it are not laid out, and come on no page. */
enum { MAX_PEOPLE = 1024 };

struct maker {
	const struct seating_plan *plan;
	const struct seating_people *people;
	enum layout_kind kind; /* the plan's, or what takes its place */
	uint16_t order[MAX_PEOPLE]; /* of who may be shown, in the order they are seated in */
	size_t n_order;
	bool taken[MAX_PEOPLE]; /* by index of person */
	struct layout_slot slot[LAYOUT_MAX_TILES];
	int seated[LAYOUT_MAX_TILES]; /* index of person; -1: free */
	bool by_speech[LAYOUT_MAX_TILES];
	size_t n_slots;
};

static int find(const struct seating_people *p, uint32_t id)
{
	for (size_t i = 0; id && i < p->n && i < MAX_PEOPLE; i++)
		if (p->person[i].id == id)
			return (int)i;
	return -1;
}

static bool pinned(const struct seating_plan *plan, uint32_t id)
{
	for (size_t i = 0; i < plan->n_pins; i++)
		if (plan->pin[i] == id)
			return true;
	return false;
}

static size_t place_by_hand(const struct seating_plan *plan, uint32_t id)
{
	size_t i = 0;

	while (i < plan->n_hand && plan->hand[i] != id)
		i++;
	return i;
}

/* Whether a is seated before b, who joined earlier. */
static bool before(const struct maker *m, size_t a, size_t b)
{
	const struct seating_person *p = m->people->person;

	switch (m->plan->order) {
	case SEATING_BY_SPEECH: return p[a].spoke > p[b].spoke;
	case SEATING_BY_HAND:
		return place_by_hand(m->plan, p[a].id) < place_by_hand(m->plan, p[b].id);
	default: return false;
	}
}

static void line_up(struct maker *m)
{
	const struct seating_people *p = m->people;
	bool hide = false;

	for (size_t i = 0; i < p->n && i < MAX_PEOPLE; i++)
		hide = hide || (m->plan->hide_no_video && p->person[i].video);
	for (size_t i = 0; i < p->n && i < MAX_PEOPLE; i++) {
		size_t at = m->n_order;

		if (hide && !p->person[i].video && p->person[i].id != p->content &&
		    !pinned(m->plan, p->person[i].id))
			continue;
		while (at && before(m, i, m->order[at - 1])) {
			m->order[at] = m->order[at - 1];
			at--;
		}
		m->order[at] = (uint16_t)i;
		m->n_order++;
	}
}

static void sit(struct maker *m, size_t slot, int person)
{
	m->seated[slot] = person;
	m->taken[person] = true;
}

/* A pin to a tile that is not there takes the last one that is free. */
static void seat_pinned(struct maker *m)
{
	size_t first = m->kind != m->plan->kind; /* that one is the presentation's */

	for (size_t i = 0; i < m->plan->n_pins; i++) {
		int who = find(m->people, m->plan->pin[i]);
		size_t slot = i + first < m->n_slots ? i + first : m->n_slots - 1;

		if (who < 0 || m->taken[who])
			continue;
		while (slot > first && m->seated[slot] >= 0)
			slot--;
		if (slot >= first && m->seated[slot] < 0)
			sit(m, slot, who);
	}
}

/* Who speaks, or else spoke last, of those without a tile. */
static int next_speaker(const struct maker *m)
{
	const struct seating_person *p = m->people->person;
	int best = -1, avoided = -1, who = find(m->people, m->people->speaker);

	for (size_t i = 0; i < m->n_order; i++) {
		int k = m->order[i];

		if (m->taken[k])
			continue;
		if (p[k].id == m->people->avoid) {
			avoided = k;
			continue;
		}
		if (k == who)
			return k;
		if (best < 0 || p[best].shared > p[k].shared ||
		    (p[best].shared == p[k].shared && p[k].spoke > p[best].spoke))
			best = k;
	}
	return best < 0 ? avoided : best;
}

static void seat_roles(struct maker *m)
{
	int content = find(m->people, m->people->content);

	for (size_t i = 0; i < m->n_slots; i++)
		if (m->slot[i].role == LAYOUT_FOR_CONTENT && m->seated[i] < 0 && content >= 0 &&
		    !m->taken[content])
			sit(m, i, content);
	for (size_t i = 0; i < m->n_slots; i++) {
		int who = m->slot[i].role == LAYOUT_FOR_SPEAKER && m->seated[i] < 0 ?
				  next_speaker(m) : -1;

		if (who >= 0)
			sit(m, i, who);
		m->by_speech[i] = who >= 0;
	}
}

/* Slots for n people, with those who have theirs in any case. Returns how many
 * slots are left for the others. */
static size_t prepare(struct maker *m, size_t n, int w, int h)
{
	size_t left = 0;

	m->n_slots = layout_slots(m->kind, n, find(m->people, m->people->content) >= 0,
				  m->plan->region, m->plan->n_regions, w, h, m->slot);
	if (m->kind == LAYOUT_CUSTOM && m->n_slots > n)
		m->n_slots = n;
	memset(m->taken, 0, sizeof m->taken);
	memset(m->by_speech, 0, sizeof m->by_speech);
	for (size_t i = 0; i < m->n_slots; i++)
		m->seated[i] = -1;
	if (!m->n_slots)
		return 0;
	seat_pinned(m);
	seat_roles(m);
	for (size_t i = 0; i < m->n_slots; i++)
		left += m->seated[i] < 0 && m->slot[i].role == LAYOUT_NEXT;
	return left;
}

static size_t waiting(const struct maker *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n_order; i++)
		n += !m->taken[m->order[i]];
	return n;
}

static void seat_page(struct maker *m, size_t skip)
{
	size_t slot = 0;

	for (size_t i = 0; i < m->n_order; i++) {
		int who = m->order[i];

		if (m->taken[who] || (skip && skip--))
			continue;
		while (slot < m->n_slots &&
		       (m->seated[slot] >= 0 || m->slot[slot].role != LAYOUT_NEXT))
			slot++;
		if (slot == m->n_slots)
			return;
		m->seated[slot] = who;
	}
}

/* Insertion keeps tile order among equals. */
static void hand_out(const struct maker *m, struct seating *out)
{
	for (size_t i = 0; i < m->n_slots; i++) {
		size_t at = out->n;

		if (m->seated[i] < 0)
			continue;
		while (at && out->seat[at - 1].z > m->slot[i].z) {
			out->seat[at] = out->seat[at - 1];
			at--;
		}
		out->seat[at] = (struct seat){ m->people->person[m->seated[i]].id,
					       m->slot[i].rect, m->slot[i].z, m->by_speech[i] };
		out->n++;
	}
}

static bool shrinks(enum layout_kind k)
{
	return k == LAYOUT_GRID || k == LAYOUT_SPEAKER || k == LAYOUT_PRESENTATION;
}

void seating_make(const struct seating_plan *plan, const struct seating_people *people,
		  int canvas_w, int canvas_h, struct seating *out)
{
	struct maker m = { .plan = plan, .people = people, .kind = plan->kind };
	size_t most = plan->max_tiles && plan->max_tiles < LAYOUT_MAX_TILES ? plan->max_tiles :
									      LAYOUT_MAX_TILES;
	size_t left, rest, here;

	if (m.kind == LAYOUT_GRID && find(people, people->content) >= 0)
		m.kind = LAYOUT_PRESENTATION;
	out->n = out->page = 0;
	out->pages = 1;
	line_up(&m);
	left = prepare(&m, m.n_order < most ? m.n_order : most, canvas_w, canvas_h);
	rest = waiting(&m);
	if (!m.n_slots)
		return;
	if (left && rest)
		out->pages = (rest + left - 1) / left;
	out->page = plan->page < out->pages ? plan->page : out->pages - 1;
	here = rest - out->page * left < left ? rest - out->page * left : left;
	if (here < left && shrinks(m.kind))
		prepare(&m, m.n_slots - (left - here), canvas_w, canvas_h);
	seat_page(&m, out->page * left);
	hand_out(&m, out);
}
