/* What a leg wants to see. */
#include "mcu/room/leg.h"

#include <errno.h>

#include "mcu/room/room_priv.h"

/* Whether it has, or will have as soon as it is there, a picture of its own. */
ON_THREAD(ROLE_CTL) static bool hides(const struct leg *l)
{
	return l->view.hide_self && l->configured && l->connected && leg_sends(l, LEG_CAMERA);
}

/* Who sends no camera needs no picture of its own. */
ON_THREAD(ROLE_CTL) static bool may_hide(const struct leg *l)
{
	const struct room *r = l->room;
	size_t n = 0;

	if (l->view.hide_self || !l->configured || !leg_sends(l, LEG_CAMERA))
		return true;
	for (const struct leg *o = r->legs; o; o = o->next)
		n += o != l && hides(o);
	return n < r->cfg.max_personal_views;
}

int leg_check_view(const struct leg *l, const struct leg_view *v, struct errmsg *why)
{
	const struct view *view = v->view[0] ? room_view_find(l->room, v->view) : NULL;
	struct view_seeker who = { .host = l->host, .speaks = l->id == l->room->floor,
				   .asked = v->view };

	if (v->view[0] && !view)
		return errmsg_set(why, -ENOENT, "view_unknown", "The room has no view \"%s\".", v->view);
	if (view && view != l->room->views[0] && !view_allowed(view->rule, &who))
		return errmsg_set(why, -EACCES, "not_allowed", "The view \"%s\" is not for you. Ask a "
				  "host for another one.", v->view);
	if (v->hide_self && !may_hide(l))
		return errmsg_set(why, -ENOSPC, "too_many_views", "%zu participants hide themselves "
				  "already, and no more can. You go on seeing the picture that all see.",
				  l->room->cfg.max_personal_views);
	return 0;
}

int leg_set_view(struct leg *l, const struct leg_view *v, struct errmsg *why)
{
	int err = leg_check_view(l, v, why);

	if (err)
		return err;
	l->view = *v;
	room_encode_demand_of(l);
	return 0;
}

void leg_tell_hidden(struct room *r)
{
	struct leg *l = r->legs;

	if (!r->lacks_moved || r->closing)
		return;
	r->lacks_moved = false;
	while (l) {
		bool tell = l->lacks_own != l->told_lacks && l->view.hide_self && l->ev->hidden;

		l->told_lacks = l->lacks_own;
		if (tell)
			l->ev->hidden(l->obj, !l->lacks_own);
		l = tell ? r->legs : l->next;
	}
}

void leg_get_picture(const struct leg *l, struct leg_picture *out)
{
	const struct picture *p = l->picture;

	*out = (struct leg_picture){ .view = VIEW_MAIN };
	if (p && p->of)
		*out = (struct leg_picture){ p->id, p->version, p->of->name, &p->seating };
}
