/* The pictures of a room: for each view one that its receivers share, one for who has
 * its speaker's tile, and those of legs that hide themselves; and one of what is
 * presented. What would look alike is one picture (L1). */
#include "mcu/room/room_priv.h"

#include <stdlib.h>
#include <string.h>

static uint32_t next_picture_id = 1;

ON_THREAD(ROLE_CTL) static const struct seat *seat_of(const struct seating *s, uint32_t id)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->seat[i].id == id)
			return &s->seat[i];
	return NULL;
}

static bool seats_equal(const struct seating *a, const struct seating *b)
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

static struct picture *find(const struct room *r, const struct view *v, enum picture_kind kind,
			    uint32_t leg)
{
	for (struct picture *p = r->pictures; p; p = p->next)
		if (p->of == v && p->kind == kind && (kind != PICTURE_OWN || p->leg == leg))
			return p;
	return NULL;
}

struct picture *room_picture_shared(const struct room *r, const struct view *v)
{
	return find(r, v, PICTURE_SHARED, 0);
}

/* NULL: out of memory. */
ON_THREAD(ROLE_CTL) static struct picture *obtain(struct room *r, const struct view *v,
						  enum picture_kind kind, uint32_t leg)
{
	struct picture *p = find(r, v, kind, leg);

	if (p)
		return p;
	p = calloc(1, sizeof *p);
	if (!p) {
		log_error(&r->log, "out of memory: a view is not made");
		return NULL;
	}
	p->id = next_picture_id++;
	p->of = v;
	p->kind = kind;
	p->leg = leg;
	p->next = r->pictures;
	r->pictures = p;
	return p;
}

/* Everybody who is shown, but for the sources of leg `without`: all of them, or its
 * camera only. */
ON_THREAD(ROLE_CTL) static size_t gather(const struct room *r, uint32_t without, bool all,
					 struct seating_person *out)
{
	size_t n = 0;

	for (const struct leg *l = r->legs; l; l = l->next)
		for (int i = 0; leg_shown(l) && i < LEG_SOURCES; i++) {
			if (!leg_seated(l, i))
				continue;
			if (l->id == without && (all || i == LEG_CAMERA))
				continue;
			out[n++] = (struct seating_person){
				.id = l->source[i].id, .spoke = l->spoke,
				.shared = i != LEG_CAMERA,
				.video = leg_sends(l, i) && !leg_muted(l, i) };
		}
	return n;
}

/* Who is where in a picture of a view. leg: of its kind. False: out of memory. */
ON_THREAD(ROLE_CTL) static bool seat(const struct room *r, const struct view *v,
				     enum picture_kind kind, uint32_t leg, struct seating *out)
{
	struct seating_person *person = calloc(r->n_legs * LEG_SOURCES + 1, sizeof *person);
	struct seating_people p = { .person = person, .speaker = r->speaker,
				    .content = room_content(r) };
	bool lecture = v->settings.plan.kind == LAYOUT_LECTURE, aside = kind == PICTURE_OTHER;
	struct seating_plan plan = v->settings.plan;

	if (!person) {
		log_error(&r->log, "out of memory: the layout stays as it is");
		return false;
	}
	/* A lecturer sees the audience. */
	if (lecture && aside)
		plan.kind = LAYOUT_GRID;
	p.n = gather(r, kind == PICTURE_OWN || (lecture && aside) ? leg : 0, lecture && aside, person);
	if (aside)
		p.avoid = leg;
	seating_make(&plan, &p, r->engine->cfg.width, r->engine->cfg.height, out);
	free(person);
	return true;
}

ON_THREAD(ROLE_CTL) static void refresh(struct room *r, struct picture *p, const struct seating *now)
{
	const struct view *v = p->of;
	uint32_t content = room_content(r);
	bool moved = v->changed || !p->version || content != p->content ||
		     !seats_equal(now, &p->seating);

	p->seating = *now;
	p->content = content;
	p->crop = v->settings.crop;
	p->signs = v->settings.signs;
	if (!moved)
		return;
	p->version++;
	r->layout_moved = true;
}

ON_THREAD(ROLE_CTL) static struct picture *make(struct room *r, const struct view *v,
						enum picture_kind kind, uint32_t leg)
{
	struct picture *p = obtain(r, v, kind, leg);
	struct seating now;

	if (!p)
		return NULL;
	p->kept = true;
	if (seat(r, v, kind, leg, &now))
		refresh(r, p, &now);
	return p;
}

static struct leg *leg_of(const struct room *r, uint32_t id)
{
	struct leg *l = r->legs;

	while (l && l->id != id)
		l = l->next;
	return l;
}

/* Beside something larger, in a row with others: who sees itself there sees the
 * others too, and needs no picture of its own. */
static bool is_one_of_many(const struct seating *s, const struct seat *of)
{
	bool larger = false;

	for (size_t i = 0; i < s->n; i++)
		larger = larger || s->seat[i].rect.w > of->rect.w;
	return larger && s->n > 2;
}

/* Who is looked at in it, and would see itself; 0: nobody. */
ON_THREAD(ROLE_CTL) static uint32_t holder_of(const struct room *r, const struct view *v,
					      const struct seating *s)
{
	const struct seat *by_speech = NULL;
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		if (s->seat[i].by_speech) {
			by_speech = &s->seat[i];
			n++;
		}
	if (v->settings.plan.kind == LAYOUT_LECTURE && s->n && !n)
		return source_leg(s->seat[0].id);
	/* Where the last two who spoke are, the speaker sees the other one already. */
	if (n == 1 && is_one_of_many(s, by_speech))
		return 0;
	return n == 1 ? r->floor ? r->floor : source_leg(by_speech->id) : 0;
}

ON_THREAD(ROLE_CTL) static const struct view *view_of(const struct room *r, const struct leg *l)
{
	struct view_seeker who = { .host = l->host, .speaks = l->id == r->floor,
				   .asked = l->view.view };
	struct view_offer offer[ROOM_VIEWS];

	for (size_t i = 0; i < r->n_views; i++)
		offer[i] = (struct view_offer){ r->views[i]->name, r->views[i]->rule };
	return r->views[view_pick(offer, r->n_views, &who)];
}

ON_THREAD(ROLE_CTL) static bool sees(const struct leg *l)
{
	return !l->room->closing && l->connected && l->media.video.tx && !l->view.no_video;
}

/* For who has the speaker's tile. */
ON_THREAD(ROLE_CTL) static void make_other(struct room *r, const struct view *v,
					   const struct picture *shared)
{
	uint32_t id = v->settings.no_other ? 0 : holder_of(r, v, &shared->seating);
	struct leg *l = id ? leg_of(r, id) : NULL;
	struct picture *p = find(r, v, PICTURE_OTHER, 0);
	struct seating now;

	if (!l || !sees(l) || view_of(r, l) != v || !seat(r, v, PICTURE_OTHER, id, &now) || !now.n)
		return;
	/* While another speaks it looks as the shared one does, and stays. */
	if (seats_equal(&now, &shared->seating) && !(p && p->leg == id))
		return;
	p = make(r, v, PICTURE_OTHER, id);
	if (p)
		p->leg = id;
}

/* The one of its view; made already. */
ON_THREAD(ROLE_CTL) static struct picture *base_of(const struct room *r, const struct leg *l)
{
	const struct view *v = view_of(r, l);
	struct picture *other = find(r, v, PICTURE_OTHER, 0);

	return other && other->kept && other->leg == l->id ? other : room_picture_shared(r, v);
}

/* Whether it hides itself, and would see itself. */
ON_THREAD(ROLE_CTL) static bool wants_own(const struct leg *l, const struct picture *base)
{
	return l->view.hide_self && sees(l) && leg_sends(l, LEG_CAMERA) && !l->video_muted &&
	       seat_of(&base->seating, l->source[LEG_CAMERA].id);
}

/* Its own one, where it wants that and there are few enough. */
ON_THREAD(ROLE_CTL) static struct picture *pick(struct room *r, const struct leg *l, size_t *n_own)
{
	struct picture *base = base_of(r, l), *p;

	if (!base || !wants_own(l, base) || *n_own >= r->cfg.max_personal_views)
		return base;
	p = make(r, base->of, PICTURE_OWN, l->id);
	if (!p)
		return base;
	++*n_own;
	return p;
}

struct picture *room_picture_would(const struct room *r, const struct leg *l, bool *own)
{
	struct picture *base = base_of(r, l);

	*own = base && wants_own(l, base);
	return *own ? find(r, base->of, PICTURE_OWN, l->id) : base;
}

/* Those that nobody gets any more are seen until the last encode of them has ended. */
static void drop_unused(struct room *r)
{
	struct picture **at = &r->pictures;

	while (*at) {
		struct picture *p = *at;

		if (p->kept || p->encodes) {
			at = &p->next;
			continue;
		}
		*at = p->next;
		free(p);
	}
}

static bool has_own(const struct leg *l)
{
	return l->picture && l->picture->kind == PICTURE_OWN && l->picture->leg == l->id;
}

ON_THREAD(ROLE_CTL) static void give(struct room *r, struct leg *l, struct picture *p)
{
	const struct picture *base = l->view.hide_self ? base_of(r, l) : NULL;
	bool lacks = l->lacks_own && base;

	r->layout_moved = r->layout_moved || (l->picture && p != l->picture);
	l->picture = p;
	/* with its camera off it is as it was */
	if (base && wants_own(l, base))
		lacks = !has_own(l);
	l->lacks_own = lacks;
	r->lacks_moved = r->lacks_moved || lacks != l->told_lacks;
}

/* Whether it is sent what is presented, beside its view. */
ON_THREAD(ROLE_CTL) static bool gets_content(const struct leg *l, uint32_t content)
{
	return !l->room->closing && l->connected && l->media.content.tx && !l->view.no_video &&
	       content && source_leg(content) != l->id;
}

ON_THREAD(ROLE_CTL) static void make_content(struct room *r)
{
	const struct engine_cfg *c = &r->engine->cfg;
	uint32_t content = room_content(r);
	struct picture *p = NULL;

	for (const struct leg *l = r->legs; l && !p; l = l->next)
		if (gets_content(l, content))
			p = obtain(r, NULL, PICTURE_CONTENT, 0);
	if (!p)
		return;
	p->kept = true;
	p->version += !p->version || p->content != content;
	p->content = content;
	p->signs = (struct routing_signs){ .no_names = true, .no_border = true,
					   .page_rgb = c->page_rgb };
	p->seating = (struct seating){ .n = 1, .pages = 1 };
	p->seating.seat[0] = (struct seat){ .id = content,
					    .rect = { .w = c->width, .h = c->height } };
}

struct picture *room_picture_content(const struct room *r, const struct leg *l)
{
	struct picture *p = find(r, NULL, PICTURE_CONTENT, 0);

	return p && p->kept && gets_content(l, p->content) ? p : NULL;
}

void room_pictures_update(struct room *r)
{
	size_t n_own = 0;

	for (struct picture *p = r->pictures; p; p = p->next)
		p->kept = false;
	for (size_t i = 0; i < r->n_views; i++) {
		struct picture *shared = make(r, r->views[i], PICTURE_SHARED, 0);

		if (shared)
			make_other(r, r->views[i], shared);
	}
	make_content(r);
	/* Who has one keeps it, whoever came before. */
	for (struct leg *l = r->legs; l; l = l->next)
		if (has_own(l))
			give(r, l, pick(r, l, &n_own));
	for (struct leg *l = r->legs; l; l = l->next)
		if (!has_own(l) || !l->picture->kept)
			give(r, l, pick(r, l, &n_own));
	for (size_t i = 0; i < r->n_views; i++)
		r->views[i]->changed = false;
	drop_unused(r);
}

struct picture *room_picture_of(struct room *r, const struct leg *l)
{
	size_t n_own = 0;

	return pick(r, l, &n_own);
}

void room_pictures_orphan(struct room *r, const struct view *v)
{
	for (struct picture *p = r->pictures; p; p = p->next)
		if (p->of == v)
			p->of = NULL;
}

void room_pictures_free(struct room *r)
{
	while (r->pictures) {
		struct picture *next = r->pictures->next;

		free(r->pictures);
		r->pictures = next;
	}
}

ON_THREAD(ROLE_CTL) static void place(struct leg *l, int i, bool any)
{
	const struct picture *main = room_picture_shared(l->room, l->room->views[0]);
	struct leg_source *s = &l->source[i];
	bool seated = leg_shown(l) && leg_seated(l, i); /* of a thousand viewers none is */
	const struct seat *seat = main && seated ? seat_of(&main->seating, s->id) : NULL;
	int w = s->w, h = s->h;

	s->tile = seat ? seat->rect : (struct rect){ 0 };
	s->z = seat ? seat->z : 0;
	s->w = s->h = 0;
	s->shown = false;
	for (const struct picture *p = l->room->pictures; p && seated; p = p->next) {
		seat = p->encodes || (p == main && !any) ? seat_of(&p->seating, s->id) : NULL;
		if (!seat)
			continue;
		s->shown = s->shown || p->encodes;
		if (seat->rect.w * seat->rect.h > s->w * s->h) {
			s->w = seat->rect.w;
			s->h = seat->rect.h;
		}
	}
	l->room->layout_moved = l->room->layout_moved || s->w != w || s->h != h;
	video_leg_set_wanted(s->video, s->shown && !leg_muted(l, i) && leg_sends(l, i) &&
					       room_decodes(l->room));
}

void room_place(struct room *r)
{
	bool any = room_encode_any(r);

	for (struct leg *l = r->legs; l; l = l->next)
		for (int i = 0; i < LEG_SOURCES; i++)
			place(l, i, any);
}
