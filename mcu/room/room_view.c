/* What a room shows: its layout, and who is where in it. */
#include "mcu/room/room_priv.h"

#include <stdlib.h>
#include <string.h>

int room_set_view(struct room *r, const struct room_view *v, struct errmsg *why)
{
	const struct seating_plan *p = &v->plan;
	int err = 0;

	if (p->kind == LAYOUT_CUSTOM || p->n_regions)
		err = layout_check_regions(p->region, p->n_regions, why);
	if (err)
		return err;
	r->view = *v;
	r->view_changed = true;
	room_touch(r);
	return 0;
}

const struct room_view *room_view(const struct room *r)
{
	return &r->view;
}

const struct seating *room_seating(const struct room *r)
{
	return &r->seating;
}

uint64_t room_layout_version(const struct room *r)
{
	return r->layout_version;
}

uint32_t room_content(const struct room *r)
{
	uint32_t id = 0;

	for (const struct leg *l = r->legs; l; l = l->next)
		for (int i = 0; leg_shown(l) && i < LEG_SOURCES; i++)
			if (leg_presents(l, i) && (i == LEG_CAMERA || leg_sends(l, i)))
				id = l->source[i].id;
	return id;
}

ON_THREAD(ROLE_CTL) static const struct seat *seat_of(const struct seating *s, uint32_t id)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->seat[i].id == id)
			return &s->seat[i];
	return NULL;
}

ON_THREAD(ROLE_CTL) static bool seats_equal(const struct seating *a, const struct seating *b)
{
	if (a->n != b->n || a->page != b->page || a->pages != b->pages)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		const struct seat *s = &a->seat[i], *t = &b->seat[i];

		if (s->id != t->id || s->z != t->z || memcmp(&s->rect, &t->rect, sizeof s->rect))
			return false;
	}
	return true;
}

ON_THREAD(ROLE_CTL) static void make_seating(const struct room *r, struct seating *out)
{
	struct seating_person *person = calloc(r->n_legs * LEG_SOURCES + 1, sizeof *person);
	struct seating_people p = { person, 0, r->speaker, room_content(r) };

	for (const struct leg *l = r->legs; l && person; l = l->next)
		for (int i = 0; leg_shown(l) && i < LEG_SOURCES; i++)
			if (i == LEG_CAMERA || leg_sends(l, i))
				person[p.n++] = (struct seating_person){
					.id = l->source[i].id, .spoke = l->spoke,
					.video = leg_sends(l, i) && !l->video_muted };
	if (!person) {
		log_error(&r->log, "out of memory: the layout stays as it is");
		*out = r->seating;
		return;
	}
	seating_make(&r->view.plan, &p, r->engine->cfg.width, r->engine->cfg.height, out);
	free(person);
}

/* seat: NULL: it is not shown. */
ON_THREAD(ROLE_CTL) static void place(struct leg *l, int i, const struct seat *seat)
{
	struct leg_source *s = &l->source[i];

	s->tile = seat ? seat->rect : (struct rect){ 0 };
	s->z = seat ? seat->z : 0;
	video_leg_set_wanted(s->video, seat && !l->video_muted && leg_sends(l, i) &&
					       room_decodes(l->room));
}

bool room_lay_out(struct room *r)
{
	struct seating now;
	bool moved;

	make_seating(r, &now);
	for (struct leg *l = r->legs; l; l = l->next)
		for (int i = 0; i < LEG_SOURCES; i++)
			place(l, i, seat_of(&now, l->source[i].id));
	moved = !seats_equal(&now, &r->seating);
	r->seating = now;
	return moved;
}

void room_view_spoke(struct room *r)
{
	const struct seating_plan *p = &r->view.plan;

	r->speeches++;
	for (struct leg *l = r->legs; l; l = l->next)
		if (l->id == r->speaker)
			l->spoke = r->speeches;
	if (p->kind != LAYOUT_GRID || p->order == SEATING_BY_SPEECH)
		room_touch(r);
}
