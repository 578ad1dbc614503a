/* What clients are told to send: what the tiles of their pictures can show. */
#include "mcu/conference_priv.h"

enum { CONTENT_FPS = 15 };

/* The view's rate by the tile's share of it, and `times` that, since a sender codes
 * worse than the composed picture. */
static int rate(const struct engine_cfg *e, int w, int h, int times, int least, int most)
{
	int kbps = (int)((int64_t)e->video_bps / 1000 * times * w * h / (e->width * e->height));

	return CLAMP(kbps, least, most);
}

static struct uplink_picture camera(const struct engine_cfg *e, const struct leg_info *i, int fps)
{
	return (struct uplink_picture){
		.width = i->shown_w, .height = i->shown_h, .fps = fps,
		.max_kbps = rate(e, i->shown_w, i->shown_h, 2, 100, 2500),
		.visible = i->shown_w > 0 && !i->video_muted,
	};
}

/* Of the tile's size, so that no letter is scaled twice; few pictures, and sharp ones. */
static struct uplink_picture content(const struct engine_cfg *e, const struct leg_info *i, int fps)
{
	return (struct uplink_picture){
		.width = i->content_w, .height = i->content_h,
		.fps = fps < CONTENT_FPS ? fps : CONTENT_FPS,
		.max_kbps = rate(e, i->content_w, i->content_h, 3, 500, 4000),
		.visible = i->content_w > 0,
	};
}

static bool same(const struct uplink_picture *a, const struct uplink_picture *b)
{
	return a->width == b->width && a->height == b->height && a->fps == b->fps &&
	       a->max_kbps == b->max_kbps && a->visible == b->visible;
}

void hall_tell_uplink(struct hall *h, struct leg_handle *p)
{
	const struct engine_cfg *e = &h->conf->cfg.engine->cfg;
	struct leg_event ev = { .type = LEG_EVENT_UPLINK };
	struct uplink_info *u = &ev.u.uplink;
	int fps = room_fps(h->room);
	struct leg_info i;

	leg_get_info(p->leg, &i);
	u->video = camera(e, &i, fps);
	u->has_content = i.sends_content;
	if (u->has_content)
		u->content = content(e, &i, fps);
	if (room_overload(h->room) == OVERLOAD_FROZEN)
		u->video.visible = u->content.visible = false;
	if (same(&u->video, &p->uplink.video) && same(&u->content, &p->uplink.content) &&
	    u->has_content == p->uplink.has_content)
		return;
	p->uplink = *u;
	leg_limit_uplink(p->leg, (uint32_t)(u->video.max_kbps +
					    (u->content.visible ? u->content.max_kbps : 0)));
	p->ev->event(p->obj, &ev);
	leg_event_clear(&ev);
}

void hall_tell_uplinks(struct hall *h)
{
	for (size_t i = 0; i < h->people->len; i++)
		hall_tell_uplink(h, g_ptr_array_index(h->people, i));
}
