#include "mcu/view.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const enum layout_role roles[] = {
	[SHOW_NEXT] = LAYOUT_NEXT,
	[SHOW_SPEAKER] = LAYOUT_FOR_SPEAKER,
	[SHOW_CONTENT] = LAYOUT_FOR_CONTENT,
};

static void change_people(struct seating_plan *p, const struct layout_change *c)
{
	if (c->has_pin) {
		memcpy(p->pin, c->pin, sizeof p->pin);
		p->n_pins = c->n_pins;
	}
	if (c->order == ORDER_UNSET)
		return;
	p->order = c->order == ORDER_BY_SPEECH ? SEATING_BY_SPEECH :
		   c->order == ORDER_BY_HAND   ? SEATING_BY_HAND :
						 SEATING_BY_JOIN;
	memcpy(p->hand, c->hand, sizeof p->hand);
	p->n_hand = c->n_hand;
}

static void change_regions(struct seating_plan *p, const struct layout_change *c)
{
	if (!c->has_regions)
		return;
	p->n_regions = c->n_regions;
	for (size_t i = 0; i < c->n_regions; i++) {
		const struct layout_change_region *r = &c->region[i];

		p->region[i] = (struct layout_region){ r->x, r->y, r->width, r->height, r->z,
						       roles[r->show] };
	}
}

static void set(bool *to, enum tristate t, bool inverted)
{
	if (t != TRISTATE_UNSET)
		*to = (t == TRISTATE_TRUE) != inverted;
}

static int change_signs(struct routing_signs *s, const struct engine_cfg *e,
			const struct layout_change *c, struct errmsg *why)
{
	set(&s->clock, c->clock, false);
	set(&s->recording_time, c->recording_time, false);
	set(&s->logo, c->logo, false);
	set(&s->no_names, c->names, true);
	set(&s->no_border, c->border, true);
	if (c->banner)
		snprintf(s->banner, sizeof s->banner, "%s", c->banner);
	if (c->logo == TRISTATE_TRUE && !e->logo)
		return errmsg_set(why, -EINVAL, "layout_invalid", "This server has no logo: its owner "
				  "sets video.logo.");
	if (!c->has_background)
		return 0;
	if (c->background_picture && !e->background)
		return errmsg_set(why, -EINVAL, "layout_invalid", "This server has no background "
				  "picture: its owner sets video.background_picture.");
	s->picture = c->background_picture || c->background_default;
	s->page_rgb = c->background_picture || c->background_default ? e->page_rgb :
								      c->background_rgb;
	return 0;
}

int view_change(struct room *r, const struct engine_cfg *e, const struct layout_change *c,
		struct errmsg *why)
{
	const struct room_view *old = room_view(r, c->view);
	struct room_view v;
	struct seating_plan *p = &v.plan;

	if (!old)
		return errmsg_set(why, -ENOENT, "view_unknown", "The room has no view \"%s\".", c->view);
	v = *old;
	if (c->layout)
		p->kind = layout_kind_parse(c->layout);
	if (p->kind == LAYOUT_NONE)
		return errmsg_set(why, -EINVAL, "layout_invalid",
				  "There is no such layout. It is \"grid\", \"speaker\", "
				  "\"speaker-only\", \"presentation\", \"side-by-side\", "
				  "\"picture-in-picture\", \"lecture\" or \"custom\".");
	if (change_signs(&v.signs, e, c, why))
		return -EINVAL;
	change_people(p, c);
	change_regions(p, c);
	if (p->kind == LAYOUT_CUSTOM && !p->n_regions)
		return errmsg_set(why, -EINVAL, "layout_invalid",
				  "A custom layout needs its regions: a list \"custom\".");
	if (c->crop != TRISTATE_UNSET)
		v.crop = c->crop == TRISTATE_TRUE;
	set(&v.no_other, c->speaker_view, true);
	if (c->hide_no_video != TRISTATE_UNSET)
		p->hide_no_video = c->hide_no_video == TRISTATE_TRUE;
	if (c->max_tiles)
		p->max_tiles = c->max_tiles > 0 ? (size_t)c->max_tiles : 0;
	/* another layout begins with its first page */
	if (c->page || c->layout || c->max_tiles)
		p->page = c->page ? (size_t)c->page - 1 : 0;
	return room_set_view(r, c->view, &v, why);
}

static void describe_plan(const struct room_view *v, struct layout_info *out)
{
	static const char *const orders[] = { [SEATING_BY_JOIN] = "join",
					      [SEATING_BY_SPEECH] = "speech" };
	const struct seating_plan *p = &v->plan;

	out->layout = layout_kind_name(p->kind);
	out->crop = v->crop;
	out->speaker_view = !v->no_other;
	out->hide_no_video = p->hide_no_video;
	out->max_tiles = (int)p->max_tiles;
	out->pin = p->pin;
	out->n_pins = p->n_pins;
	out->order = p->order == SEATING_BY_HAND ? NULL : orders[p->order];
	out->hand = p->hand;
	out->n_hand = p->n_hand;
}

static void describe_signs(const struct routing_signs *s, const struct engine_cfg *e,
			   struct layout_info *out)
{
	out->banner = s->banner;
	out->clock = s->clock;
	out->recording_time = s->recording_time;
	out->logo = s->logo && e->logo;
	out->names = !s->no_names;
	out->border = !s->no_border;
	out->background_picture = s->picture && e->background;
	out->background_rgb = s->page_rgb;
}

void view_describe(const struct room *r, const char *name, const struct seating *s,
		   const struct engine_cfg *e, struct layout_tile *tiles, struct layout_info *out)
{
	static const struct seating nobody = { .pages = 1 };
	const struct room_view *v = room_view(r, name);

	s = s ? s : &nobody;
	*out = (struct layout_info){
		.view = name, .version = (uint32_t)room_layout_version(r), .width = e->width, .height = e->height,
		.tiles = tiles, .n_tiles = s->n, .page = (int)s->page + 1, .pages = (int)s->pages,
		.speaker = room_speaker(r), .content = source_leg(room_content(r)),
	};
	for (size_t i = 0; i < s->n; i++) {
		const struct rect *t = &s->seat[i].rect;

		tiles[i] = (struct layout_tile){
			.leg = source_leg(s->seat[i].id), .content = source_is_content(s->seat[i].id),
			.x = t->x, .y = t->y, .width = t->w, .height = t->h, .z = s->seat[i].z,
		};
	}
	describe_plan(v, out);
	describe_signs(&v->signs, e, out);
}
