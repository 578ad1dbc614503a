#include "mcu/room/room.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/room/room_priv.h"

static uint32_t next_room_id = 1;

int room_new(struct room **out, const struct engine *e, const struct room_cfg *cfg,
	     const struct room_events *ev, void *obj)
{
	struct room *r = calloc(1, sizeof *r);
	struct beat beat;
	int err = -ENOMEM;

	if (!r)
		return -ENOMEM;
	r->engine = e;
	r->legs_end = &r->legs;
	r->id = next_room_id++;
	beat = beat_of_room(r->id, e->cfg.fps);
	r->ev = ev;
	r->obj = obj;
	snprintf(r->name, sizeof r->name, "%s", cfg->name);
	r->channels = cfg->stereo ? 2 : 1;
	r->log.room = r->name;
	r->cfg = *cfg;
	err = room_view_open(r, VIEW_MAIN, VIEW_EVERYBODY);
	if (!err)
		err = work_account_new(&r->work, e->video);
	if (!err)
		err = work_account_new(&r->work_in, e->video);
	if (!err)
		err = room_audio_new(&r->audio, e, r->id, r->channels, &room_audio_events, r);
	if (!err)
		err = tick_new(&r->tick, e, &beat, &room_tick_events, r);
	if (err) {
		room_views_free(r);
		work_account_free(&r->work);
		work_account_free(&r->work_in);
		/* A room's audio that never got a routing is stopped by freeing it. */
		room_audio_free(&r->audio);
		free(r);
		return err;
	}
	tick_charge(r->tick, r->work);
	room_touch(r);
	log_info(&r->log, "room opened");
	*out = r;
	return 0;
}

void room_close(struct room *r, const char *reason)
{
	if (r->closing)
		return;
	r->closing = true;
	while (r->legs) {
		struct leg *l = r->legs;
		const struct leg_watcher *ev = l->ev;
		void *obj = l->obj;

		leg_leave(l, reason);
		ev->ended(obj, reason);
	}
	room_encode_demand(r);
	room_touch(r);
	room_reap(r);
}

int room_join(struct room *r, const char *name, const struct leg_watcher *ev, void *obj,
	      struct leg **out)
{
	return room_join_ports(r, name, NULL, ev, obj, out);
}

ON_THREAD(ROLE_CTL) static void enter(struct room *r, struct leg *l, struct leg **out)
{
	*r->legs_end = l;
	r->legs_end = &l->next;
	r->n_legs++;
	*out = l;
	log_info(&l->log, "%s joined", l->name);
	room_encode_demand_of(l);
	r->ev->joined(r->obj, r, l);
}

int room_join_ports(struct room *r, const char *name, struct rtp_ports *ports,
		    const struct leg_watcher *ev, void *obj, struct leg **out)
{
	struct leg *l;
	int err;

	if (r->closing)
		return -ESHUTDOWN;
	err = leg_new(&l, r, name, ports, ev, obj);
	if (!err)
		enter(r, l, out);
	return err;
}

int room_join_local(struct room *r, const char *name, const struct local_source *s,
		    const struct leg_watcher *ev, void *obj, struct leg **out)
{
	struct leg *l;
	int err;

	if (r->closing)
		return -ESHUTDOWN;
	err = leg_new(&l, r, name, NULL, ev, obj);
	if (err)
		return err;
	err = leg_set_local(l, s);
	if (err) {
		leg_discard(&l);
		return err;
	}
	enter(r, l, out);
	return 0;
}

ON_THREAD(ROLE_CTL) static void reap_legs(struct room *r)
{
	struct leg **at = &r->leaving;

	while (*at) {
		struct leg *next = (*at)->next;

		if (leg_try_free(*at))
			*at = next;
		else
			at = &(*at)->next;
	}
}

/* The end of a room: when nothing is left in it, its two clocks are stopped;
 * when both have, it is gone. */
void room_reap(struct room *r)
{
	reap_legs(r);
	room_encode_reap(r);
	if (!r->closing || r->leaving || r->encodes || r->outlets)
		return;
	if (!r->stopping) {
		r->stopping = true;
		room_audio_stop(r->audio);
		tick_stop(r->tick);
	}
	if (!r->audio_stopped || !r->tick_stopped || r->publish_posted)
		return;
	log_info(&r->log, "room closed");
	room_audio_free(&r->audio);
	tick_free(&r->tick);
	work_account_free(&r->work);
	work_account_free(&r->work_in);
	room_pictures_free(r);
	room_views_free(r);
	r->ev->closed(r->obj, r);
	free(r);
}

const char *room_name(const struct room *r)
{
	return r->name;
}

uint32_t room_id(const struct room *r)
{
	return r->id;
}

int room_channels(const struct room *r)
{
	return r->channels;
}

void room_set_user(struct room *r, void *user)
{
	r->user = user;
}

void *room_user(const struct room *r)
{
	return r->user;
}

size_t room_leg_count(const struct room *r)
{
	return r->n_legs;
}

struct leg *room_leg(const struct room *r, size_t i)
{
	struct leg *l = r->legs;

	while (l && i--)
		l = l->next;
	return l;
}

uint32_t room_speaker(const struct room *r)
{
	return r->speaker;
}

void room_get_counts(const struct room *r, struct room_counts *c)
{
	const struct seating *main = room_seating(r, NULL);
	struct room_audio_counts a;

	room_audio_get_counts(r->audio, &a);
	*c = (struct room_counts){
		.legs = r->n_legs,
		.tiles = main ? main->n : 0,
		.views = r->n_views,
		.listener_mixes = a.listener_mixes,
		.listener_encoders = a.listener_encoders,
		.talker_encoders = a.talker_encoders,
		.overload = r->gave_up,
	};
	for (const struct room_encode *e = r->encodes; e; e = e->next)
		c->video_encoders++;
	for (const struct picture *p = r->pictures; p; p = p->next)
		c->pictures += p->encodes > 0;
	for (const struct leg *l = r->legs; l; l = l->next) {
		struct video_leg_stats s;

		c->receivers += l->watching != 0;
		for (int i = 0; i < LEG_SOURCES; i++) {
			video_leg_get_stats(l->source[i].video, &s);
			c->video_decoders += s.open;
		}
	}
}

void room_get_tick_stats(const struct room *r, struct tick_stats *s)
{
	tick_get_stats(r->tick, s);
}
