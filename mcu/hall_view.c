/* The views of a running room: what its hosts make of them, and who is told what. */
#include "mcu/conference_priv.h"

#include <errno.h>
#include <string.h>

#include "mcu/view.h"

/* Where it needs no telling: false. */
ON_THREAD(ROLE_CTL) static bool take_news(struct leg_handle *p, const struct leg_picture *see)
{
	if (p->told_picture == see->id && p->told_version == see->version)
		return false;
	p->told_picture = see->id;
	p->told_version = see->version;
	return true;
}

ON_THREAD(ROLE_CTL) static void describe(struct hall *h, const struct leg_picture *see,
					 struct layout_tile *tile, struct leg_event *ev)
{
	*ev = (struct leg_event){ .type = LEG_EVENT_LAYOUT };
	view_describe(h->room, see->view, see->seating,
		      &h->conf->cfg.engine->cfg, tile, &ev->u.layout);
}

/* Everybody from number first on who sees this picture: the text is made once. A
 * call-back may make somebody leave. */
ON_THREAD(ROLE_CTL) static void tell_viewers(struct hall *h, const GPtrArray *all, guint first,
					     const struct leg_picture *see)
{
	struct layout_tile tile[LAYOUT_MAX_TILES];
	uint64_t departures = h->departures;
	struct leg_event ev;

	describe(h, see, tile, &ev);
	for (guint i = first; i < all->len; i++) {
		struct leg_handle *p = g_ptr_array_index(all, i);
		struct leg_picture own;

		if (departures != h->departures && !hall_has(h, p))
			continue;
		leg_get_picture(p->leg, &own);
		if (own.id == see->id && take_news(p, &own))
			p->ev->event(p->obj, &ev);
	}
	leg_event_clear(&ev);
}

void hall_tell_layout(struct hall *h, struct leg_handle *only)
{
	struct layout_tile tile[LAYOUT_MAX_TILES];
	uint64_t departures = h->departures;
	struct leg_picture see;
	struct leg_event ev;
	GPtrArray *all;

	if (only) {
		leg_get_picture(only->leg, &see);
		take_news(only, &see);
		describe(h, &see, tile, &ev);
		only->ev->event(only->obj, &ev);
		leg_event_clear(&ev);
		return;
	}
	all = g_ptr_array_copy(h->people, NULL, NULL);
	for (guint i = 0; i < all->len; i++) {
		struct leg_handle *p = g_ptr_array_index(all, i);

		if (departures != h->departures && !hall_has(h, p))
			continue;
		leg_get_picture(p->leg, &see);
		if (see.id && (p->told_picture != see.id || p->told_version != see.version))
			tell_viewers(h, all, i, &see);
	}
	g_ptr_array_unref(all);
}

void hall_tell_views(struct hall *h, struct leg_handle *only)
{
	struct leg_event ev = { .type = LEG_EVENT_VIEWS };
	size_t n = room_view_count(h->room);
	struct view_entry *list = calloc(n, sizeof *list);
	struct room_view_info v;

	for (size_t i = 0; list && i < n; i++) {
		room_view_info(h->room, i, &v);
		list[i] = (struct view_entry){ v.name, view_rule_name(v.rule) };
	}
	ev.u.views = (struct views_info){ list, list ? n : 0 };
	if (!only)
		hall_tell(h, &ev, NULL);
	else if (n > 1)
		only->ev->event(only->obj, &ev);
	leg_event_clear(&ev);
	free(list);
}

/* VIEW_NO_RULE: there is none of that name. */
ON_THREAD(ROLE_CTL) static enum view_rule rule_of(const struct hall *h, const char *view)
{
	struct room_view_info v;

	for (size_t i = 0; i < room_view_count(h->room); i++) {
		room_view_info(h->room, i, &v);
		if (!strcmp(v.name, view))
			return v.rule;
	}
	return VIEW_NO_RULE;
}

/* layout: with this one, or not at all; NULL: as it is. */
ON_THREAD(ROLE_CTL) static int set_view(struct hall *h, const char *view, enum view_rule rule,
					const struct layout_change *layout, struct errmsg *why)
{
	enum view_rule old = rule_of(h, view);
	struct errmsg unused;
	int err = room_add_view(h->room, view, rule, why);

	if (err || !layout)
		return err;
	err = view_change(h->room, &h->conf->cfg.engine->cfg, layout, why);
	if (err && old)
		room_add_view(h->room, view, old, &unused);
	else if (err)
		room_remove_view(h->room, view, &unused);
	return err;
}

int hall_change_views(struct hall *h, const struct views_change *v,
		      const struct layout_change *layout, struct errmsg *why)
{
	enum view_rule rule = v->rule ? view_rule_parse(v->rule) : VIEW_NO_RULE;
	int err;

	if (v->rule && !rule)
		return errmsg_set(why, -EINVAL, "bad_message", "The member \"for\" must be "
				  "\"everybody\", \"hosts\", \"participants\", \"speaker\" or "
				  "\"request\".");
	err = rule ? set_view(h, v->view, rule, layout, why) :
		     room_remove_view(h->room, v->view, why);
	if (!err)
		hall_tell_views(h, NULL);
	return err;
}

ON_THREAD(ROLE_CTL) static struct hall *running(struct conference *c, const char *room,
						struct errmsg *why)
{
	struct hall *h = hall_find(c, room);

	if (!h)
		errmsg_set(why, -ENOENT, "room_unknown", "Nobody is in this room now. Its layout "
			   "is set while it runs.");
	return h;
}

int conference_set_layout(struct conference *c, const char *room, const struct layout_change *l,
			  struct errmsg *why)
{
	struct hall *h = running(c, room, why);

	return h ? view_change(h->room, &c->cfg.engine->cfg, l, why) : -ENOENT;
}

int conference_change_views(struct conference *c, const char *room, const struct views_change *v,
			    const struct layout_change *layout, struct errmsg *why)
{
	struct hall *h = running(c, room, why);

	return h ? hall_change_views(h, v, layout, why) : -ENOENT;
}

int conference_views(struct conference *c, const char *room, conference_view_cb *cb, void *obj,
		     struct errmsg *why)
{
	struct hall *h = running(c, room, why);

	for (size_t i = 0; h && i < room_view_count(h->room); i++) {
		struct layout_tile tile[LAYOUT_MAX_TILES];
		struct room_view_info v;
		struct layout_info l;

		room_view_info(h->room, i, &v);
		view_describe(h->room, v.name, room_seating(h->room, v.name),
			      &c->cfg.engine->cfg, tile, &l);
		cb(obj, &v, &l);
	}
	return h ? 0 : -ENOENT;
}
