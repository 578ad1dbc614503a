/* Making and publishing a room's routing snapshots (routing.h). */
#include "mcu/room/room_priv.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static uint64_t oldest_held(const struct room *r)
{
	return r->audio_acked < r->video_acked ? r->audio_acked : r->video_acked;
}

uint64_t room_next_seq(const struct room *r)
{
	return r->seq + 1;
}

/* A consumer that retired snapshot n works from a later one. */
bool room_acked(const struct room *r, uint64_t seq)
{
	return oldest_held(r) + 1 >= seq && r->seq >= seq;
}

ON_THREAD(ROLE_CTL) static void add_leg(struct routing *s, size_t at, const struct leg *l)
{
	struct route_leg *o = &s->leg[at];

	o->id = l->id;
	memcpy(o->name, l->name, sizeof o->name);
	o->audio = l->audio;
	o->audio_muted = l->audio_muted;
	o->sends_audio = l->media.audio.rx;
	o->sound = l->sound;
	o->tones = l->tones;
	if (l->connected && l->media.audio.tx)
		o->format = audio_format_of(&l->media.audio.tx_format, l->room->channels);
}

/* Those that are shown. */
ON_THREAD(ROLE_CTL) static void add_sources(struct routing *s, size_t leg, const struct leg *l)
{
	for (int i = 0; i < LEG_SOURCES; i++)
		if (l->source[i].shown)
			s->source[s->n_sources++] = (struct route_source){
				.id = l->source[i].id, .leg = leg, .video = l->source[i].video,
				.sends = leg_sends(l, i), .muted = leg_muted(l, i),
				.content = leg_presents(l, i), .local = l->local,
			};
}

ON_THREAD(ROLE_CTL) static void add_picture(struct routing *s, struct route_picture *out,
					    const struct picture *p)
{
	out->id = p->id;
	out->crop = p->crop;
	out->signs = p->signs;
	for (size_t i = 0; i < p->seating.n; i++) {
		const struct seat *seat = &p->seating.seat[i];
		size_t k = 0;

		while (k < s->n_sources && s->source[k].id != seat->id)
			k++;
		if (k < s->n_sources)
			out->tile[out->n_tiles++] = (struct route_tile){ k, seat->rect };
	}
}

/* Those of picture number at. */
ON_THREAD(ROLE_CTL) static void add_encodes(struct routing *s, size_t at, const struct room *r,
					    const struct picture *p)
{
	for (const struct room_encode *e = r->encodes; e && s->n_encodes < ROUTING_MAX_ENCODES;
	     e = e->next)
		if (e->picture == p)
			s->encode[s->n_encodes++] = (struct route_encode){ e->v, e->rung, at };
}

/* The audio worker needs no pictures. */
ON_THREAD(ROLE_CTL) static struct routing *snapshot(const struct room *r, uint64_t seq,
						    bool pictures)
{
	struct routing *s;
	size_t n = 0;

	for (const struct picture *p = r->pictures; p && pictures; p = p->next)
		n += p->encodes > 0;
	s = routing_new(seq, r->n_legs, n);
	if (!s)
		return NULL;
	s->recorded_since_ns = room_recorded_since_ns(r);
	n = 0;
	for (const struct leg *l = r->legs; l; l = l->next, n++) {
		add_leg(s, n, l);
		if (s->n_pictures)
			add_sources(s, n, l);
	}
	n = 0;
	for (const struct picture *p = r->pictures; p && pictures; p = p->next) {
		if (!p->encodes)
			continue;
		add_picture(s, &s->picture[n], p);
		add_encodes(s, n++, r, p);
	}
	return s;
}

ON_THREAD(ROLE_CTL) static void publish(struct room *r)
{
	struct routing *a, *v;

	if (r->seq - oldest_held(r) > ROOM_MAX_SNAPSHOTS)
		return; /* stays dirty; the next acknowledgement publishes */
	a = snapshot(r, r->seq + 1, false);
	v = snapshot(r, r->seq + 1, true);
	if (!a || !v) {
		/* The old routing stays in force and is tried again at the next change. */
		log_error(&r->log, "out of memory: the room's routing is not updated");
		routing_free(&a);
		routing_free(&v);
		return;
	}
	r->dirty = false;
	r->seq++;
	room_audio_route(r->audio, a);
	tick_route(r->tick, v);
	if (r->layout_moved) {
		r->layout_moved = false;
		r->layout_version++;
		r->ev->layout(r->obj, r);
	}
}

static void publish_posted(void *obj, void *arg)
{
	struct room *r = obj;

	(void)arg;
	role_assert_ctl();
	if (r->stale)
		room_encode_demand(r);
	r->publish_posted = false;
	if (r->dirty && !r->stopping)
		publish(r);
	leg_tell_hidden(r);
	room_reap(r);
}

void room_touch(struct room *r)
{
	r->stale = true;
	room_touch_routing(r);
}

void room_touch_routing(struct room *r)
{
	r->dirty = true;
	if (r->publish_posted || r->stopping)
		return;
	r->publish_posted = true;
	engine_post(r->engine->ctl, publish_posted, r, NULL);
}

ON_THREAD(ROLE_CTL) static void retired(struct room *r, struct routing *old, uint64_t *acked)
{
	if (!old)
		return;
	*acked = old->seq;
	routing_free(&old);
	if (r->dirty)
		room_touch_routing(r);
	room_reap(r);
}

static void audio_retired(void *obj, void *arg)
{
	struct room *r = obj;

	role_assert_ctl();
	retired(r, arg, &r->audio_acked);
}

static void video_retired(void *obj, void *arg)
{
	struct room *r = obj;

	role_assert_ctl();
	retired(r, arg, &r->video_acked);
}

static void audio_stopped(void *obj, void *arg)
{
	struct room *r = obj;

	(void)arg;
	role_assert_ctl();
	r->audio_stopped = true;
	room_reap(r);
}

static void tick_stopped(void *obj, void *arg)
{
	struct room *r = obj;

	(void)arg;
	role_assert_ctl();
	r->tick_stopped = true;
	room_reap(r);
}

static void speaker_changed(void *obj, void *arg)
{
	struct room *r = obj;

	role_assert_ctl();
	r->speaker = (uint32_t)(uintptr_t)arg;
	tick_set_speaker(r->tick, r->speaker);
	room_view_spoke(r);
	if (!r->closing)
		r->ev->speaker(r->obj, r, r->speaker);
}

const struct room_audio_events room_audio_events = {
	.retired = audio_retired,
	.speaker = speaker_changed,
	.stopped = audio_stopped,
};

const struct tick_events room_tick_events = {
	.retired = video_retired,
	.stopped = tick_stopped,
};
