/* The sinks of a room: each has the encode of its view, and goes to another when that
 * view goes. */
#include "mcu/room/room_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct outlet {
	struct outlet *next;
	struct room *room;
	struct room_sink sink;
	char view[VIEW_NAME_BYTES]; /* "": the main one */
	struct sink_link video, audio;
	/* encode: of which thread video is on the list; then: the one it goes to, while the
	 * first lets go of it. NULL: none. */
	struct room_encode *encode, *then;
	int64_t since_ns;
	bool closing;
	size_t left; /* threads that have not yet let go */
	mbox_fn *detached;
	void *obj;
};

bool room_films(const struct room *r)
{
	for (const struct outlet *o = r->outlets; o; o = o->next)
		if (o->encode)
			return true;
	return false;
}

bool room_films_top(const struct room *r)
{
	for (const struct outlet *o = r->outlets; o; o = o->next)
		if (o->encode && !o->encode->rung)
			return true;
	return false;
}

int64_t room_recorded_since_ns(const struct room *r)
{
	int64_t since_ns = 0;

	for (const struct outlet *o = r->outlets; o; o = o->next)
		if (o->sink.records && !o->closing && (!since_ns || o->since_ns < since_ns))
			since_ns = o->since_ns;
	return since_ns;
}

/* Only plain rungs: what is made for one receiver's limits has no place in a file. */
static unsigned rung_of(const struct room *r, const struct room_sink *s)
{
	static const struct leg_tx_format h264 = { .codec = CODEC_H264 };
	struct leg_view want = { .max_height = s->max_height };
	int rung = ladder_best_plain(&r->engine->cfg, &want, &h264);

	return rung < 0 ? 0 : (unsigned)rung;
}

ON_THREAD(ROLE_CTL) static struct picture *picture_of(const struct outlet *o)
{
	const struct room *r = o->room;
	const struct view *v = o->view[0] ? room_view_find(r, o->view) : NULL;

	return room_picture_shared(r, v ? v : r->views[0]);
}

ON_THREAD(ROLE_CTL) static void finish(struct outlet *o)
{
	struct outlet **at = &o->room->outlets;
	struct room *r = o->room;

	if (--o->left)
		return;
	while (*at != o)
		at = &(*at)->next;
	*at = o->next;
	o->detached(o->obj, NULL);
	free(o);
	room_encode_demand(r);
	room_reap(r);
}

static void video_gone(void *obj, void *arg)
{
	struct outlet *o = obj;

	(void)arg;
	role_assert_ctl();
	o->encode->sinks--;
	o->encode = o->then;
	o->then = NULL;
	if (!o->closing) {
		video_encode_add_sink(o->encode->v, &o->video);
		room_touch(o->room);
		return;
	}
	if (o->encode)
		o->encode->sinks--;
	o->encode = NULL;
	finish(o);
}

static void audio_gone(void *obj, void *arg)
{
	(void)arg;
	role_assert_ctl();
	finish(obj);
}

/* Its view has gone: what it gets is of the main one. Where that cannot be encoded, it
 * keeps what it has, and this is tried again. */
ON_THREAD(ROLE_CTL) static void follow(struct outlet *o)
{
	struct picture *want = picture_of(o);
	struct room_encode *x;

	if (o->closing || !o->encode || o->then || !want || o->encode->picture == want)
		return;
	if (room_encode_for_sink(o->room, want, o->encode->rung, &x))
		return;
	x->sinks++;
	o->then = x;
	video_encode_remove_sink(o->encode->v, &o->video);
}

void room_sinks_demand(struct room *r)
{
	for (struct outlet *o = r->outlets; o; o = o->next)
		follow(o);
}

static size_t count(const struct room *r)
{
	size_t n = 0;

	for (const struct outlet *o = r->outlets; o; o = o->next)
		n++;
	return n;
}

ON_THREAD(ROLE_CTL) static int attach_video(struct outlet *o)
{
	struct picture *p;
	int err;

	room_pictures_update(o->room);
	p = picture_of(o);
	if (!p)
		return -ENOMEM;
	err = room_encode_for_sink(o->room, p, rung_of(o->room, &o->sink), &o->encode);
	if (err)
		return err;
	o->encode->sinks++;
	video_encode_add_sink(o->encode->v, &o->video);
	return 0;
}

int room_sink_attach(struct room *r, const struct room_sink *s, struct outlet **out)
{
	struct outlet *o;
	int err;

	if (!s->video && !s->audio)
		return -EINVAL;
	if (r->closing)
		return -ESHUTDOWN;
	if (count(r) >= ROOM_SINKS)
		return -ENOSPC;
	o = calloc(1, sizeof *o);
	if (!o)
		return -ENOMEM;
	o->room = r;
	o->sink = *s;
	if (s->view)
		snprintf(o->view, sizeof o->view, "%s", s->view);
	o->sink.view = NULL;
	o->video = (struct sink_link){ .sink = &o->sink, .done = video_gone, .obj = o };
	o->audio = (struct sink_link){ .sink = &o->sink, .done = audio_gone, .obj = o };
	o->since_ns = clock_now_ns(r->engine->clock);
	err = s->video ? attach_video(o) : 0;
	if (err) {
		free(o);
		return err;
	}
	o->next = r->outlets;
	r->outlets = o;
	room_encode_demand(r);
	if (s->audio)
		room_audio_add_sink(r->audio, &o->audio);
	*out = o;
	return 0;
}

void room_sink_detach(struct outlet **po, mbox_fn *detached, void *obj)
{
	struct outlet *o = *po;

	*po = NULL;
	o->closing = true;
	o->detached = detached;
	o->obj = obj;
	o->left = (size_t)!!o->sink.audio + !!o->sink.video;
	if (o->sink.audio)
		room_audio_remove_sink(o->room->audio, &o->audio);
	/* Otherwise it is on its way already. */
	if (o->encode && !o->then)
		video_encode_remove_sink(o->encode->v, &o->video);
	room_touch_routing(o->room);
}

void room_sink_want_key(struct outlet *o)
{
	if (o->encode)
		video_encode_request_key(o->encode->v);
}

void room_sink_size(const struct outlet *o, int *width, int *height)
{
	struct engine_rung e = { 0 };

	if (o->encode)
		e = ladder_rung(&o->room->engine->cfg, o->encode->rung);
	*width = e.width;
	*height = e.height;
}
