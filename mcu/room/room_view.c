/* What a room shows: its views, and what its hosts want of each. */
#include "mcu/room/room_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct view *room_view_find(const struct room *r, const char *name)
{
	for (size_t i = 0; i < r->n_views; i++)
		if (!strcmp(r->views[i]->name, name))
			return r->views[i];
	return NULL;
}

ON_THREAD(ROLE_CTL) static struct view *main_or(const struct room *r, const char *name)
{
	return name ? room_view_find(r, name) : r->views[0];
}

ON_THREAD(ROLE_CTL) static int unknown(struct errmsg *why)
{
	return errmsg_set(why, -ENOENT, "view_unknown", "The room has no such view. Its hosts make "
			  "views with `views`.");
}

int room_view_open(struct room *r, const char *name, enum view_rule rule)
{
	struct view *v = calloc(1, sizeof *v);

	if (!v)
		return -ENOMEM;
	memcpy(v->name, name, strlen(name));
	v->rule = rule;
	v->settings.plan.kind = LAYOUT_GRID;
	v->settings.no_other = !r->cfg.speaker_view;
	v->settings.signs.page_rgb = r->engine->cfg.page_rgb;
	v->settings.signs.picture = v->settings.signs.logo = true; /* where there are some */
	r->views[r->n_views++] = v;
	return 0;
}

void room_views_free(struct room *r)
{
	while (r->n_views)
		free(r->views[--r->n_views]);
}

int room_add_view(struct room *r, const char *name, enum view_rule rule, struct errmsg *why)
{
	struct view *v = room_view_find(r, name);
	size_t most = r->cfg.max_views < ROOM_VIEWS ? r->cfg.max_views : ROOM_VIEWS;
	int err;

	if (!view_name_valid(name))
		return errmsg_set(why, -EINVAL, "view_invalid", "A view's name has 1 to 32 small letters, "
				  "digits, hyphens or underscores.");
	if (v == r->views[0])
		return errmsg_set(why, -EINVAL, "view_invalid", "The view \"%s\" is there for everybody, "
				  "always.", VIEW_MAIN);
	if (!v && r->n_views >= most)
		return errmsg_set(why, -ENOSPC, "too_many_views", "The room has %zu views already, as many "
				  "as it may. Remove one, or ask the server's owner to raise "
				  "room.max_views.", r->n_views);
	if (v) {
		v->rule = rule;
	} else {
		err = room_view_open(r, name, rule);
		if (err)
			return errmsg_set(why, err, "internal", "The server is out of memory.");
	}
	room_touch(r);
	return 0;
}

int room_remove_view(struct room *r, const char *name, struct errmsg *why)
{
	size_t i = 0;

	while (i < r->n_views && strcmp(r->views[i]->name, name))
		i++;
	if (i == r->n_views)
		return unknown(why);
	if (!i)
		return errmsg_set(why, -EINVAL, "view_invalid", "The view \"%s\" cannot be removed.",
				  VIEW_MAIN);
	room_pictures_orphan(r, r->views[i]);
	free(r->views[i]);
	r->n_views--;
	memmove(&r->views[i], &r->views[i + 1], (r->n_views - i) * sizeof r->views[0]);
	room_touch(r);
	return 0;
}

int room_set_view(struct room *r, const char *name, const struct room_view *v, struct errmsg *why)
{
	const struct seating_plan *p = &v->plan;
	struct view *view = main_or(r, name);
	int err = 0;

	if (!view)
		return unknown(why);
	if (p->kind == LAYOUT_CUSTOM || p->n_regions)
		err = layout_check_regions(p->region, p->n_regions, why);
	if (err)
		return err;
	view->settings = *v;
	view->changed = true;
	room_touch(r);
	return 0;
}

const struct room_view *room_view(const struct room *r, const char *name)
{
	const struct view *v = main_or(r, name);

	return v ? &v->settings : NULL;
}

const struct seating *room_seating(const struct room *r, const char *name)
{
	const struct view *v = main_or(r, name);
	const struct picture *p = v ? room_picture_shared(r, v) : NULL;

	return p ? &p->seating : NULL;
}

size_t room_view_count(const struct room *r)
{
	return r->n_views;
}

void room_view_info(const struct room *r, size_t i, struct room_view_info *out)
{
	const struct view *v = r->views[i];

	*out = (struct room_view_info){ .name = v->name, .rule = v->rule };
	for (const struct leg *l = r->legs; l; l = l->next)
		out->receivers += l->watching && l->picture && l->picture->of == v;
	for (const struct room_encode *x = r->encodes; x; x = x->next)
		out->encoders += x->picture && x->picture->of == v;
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
			if (leg_presents(l, i) && leg_seated(l, i))
				id = l->source[i].id;
	return id;
}

/* The floor follows the speaker when that has spoken for a while, so that nobody
 * changes pictures for a remark. */
ON_THREAD(ROLE_CTL) static void follow_speaker(struct room *r)
{
	r->floor_waits = false;
	if (r->floor == r->speaker)
		return;
	r->floor = r->speaker;
	room_touch(r);
}

void room_wake(struct room *r)
{
	if (r->floor_waits)
		follow_speaker(r);
}

void room_view_spoke(struct room *r)
{
	r->speeches++;
	for (struct leg *l = r->legs; l; l = l->next)
		if (l->id == r->speaker)
			l->spoke = r->speeches;
	for (size_t i = 0; i < r->n_views; i++) {
		const struct seating_plan *p = &r->views[i]->settings.plan;

		if (p->kind != LAYOUT_GRID || p->order == SEATING_BY_SPEECH || room_content(r))
			room_touch(r);
	}
	if (!r->floor || !r->ev->wake) {
		follow_speaker(r);
	} else if (r->floor != r->speaker) {
		r->floor_waits = true;
		r->ev->wake(r->obj, r, ROOM_FLOOR_MS);
	}
}

void room_view_left(struct room *r, uint32_t leg)
{
	if (r->floor == leg)
		r->floor = r->speaker == leg ? 0 : r->speaker;
}
