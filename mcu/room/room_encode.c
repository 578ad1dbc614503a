/* Which encodes a room runs: exactly those with a receiver or a sink (L1). */
#include "mcu/room/room_priv.h"

#include <errno.h>
#include <stdlib.h>

static size_t receivers(const struct room *r)
{
	size_t n = 0;

	for (const struct leg *l = r->legs; l; l = l->next)
		n += l->connected && l->media.video.tx;
	return n;
}

ON_THREAD(ROLE_CTL) static void watch_all(struct room *r)
{
	uint32_t id = r->encode ? video_encode_id(r->encode->v) : 0;

	for (struct leg *l = r->legs; l; l = l->next) {
		uint32_t want = l->connected && l->media.video.tx ? id : 0;

		if (want == l->watching)
			continue;
		l->watching = want;
		leg_net_watch(l->net, want);
	}
}

/* H.264 level 3.1 carries 1280x720@30; larger canvases get 4.0. */
static uint8_t level_of(const struct engine_cfg *c)
{
	return c->width * c->height * c->fps <= 1280 * 720 * 30 ? 31 : 40;
}

ON_THREAD(ROLE_CTL) static int encode_start(struct room *r)
{
	const struct engine *e = r->engine;
	struct video_encode_cfg cfg = {
		.width = e->cfg.width, .height = e->cfg.height, .fps = e->cfg.fps,
		.bitrate_bps = e->cfg.video_bps, .level_idc = level_of(&e->cfg),
	};
	struct room_encode *x = calloc(1, sizeof *x);
	int err;

	if (!x)
		return -ENOMEM;
	err = video_encode_new(&x->v, e, &cfg);
	if (err) {
		free(x);
		return err;
	}
	x->room = r;
	x->next = r->encodes;
	r->encodes = r->encode = x;
	for (size_t i = 0; i < e->n_shards; i++)
		egress_open(e->egress[i], x->v);
	if (r->has_sink)
		video_encode_set_sink(x->v, &r->sink, r->sink_gop_s, NULL, NULL);
	return 0;
}

ON_THREAD(ROLE_CTL) static void encode_stop(struct room *r)
{
	struct room_encode *x = r->encode;

	r->encode = NULL;
	x->closing = true;
	x->gone_seq = room_next_seq(r);
}

void room_encode_demand(struct room *r)
{
	bool want = !r->closing && (receivers(r) || r->has_sink);
	int err;

	if (want && !r->encode) {
		err = encode_start(r);
		if (err)
			log_error(&r->log, "the video encoder cannot start: %s", err_str(err));
	} else if (!want && r->encode && !r->has_sink) {
		encode_stop(r);
	}
	watch_all(r);
	room_touch(r);
}

static void encode_closed(void *obj, void *arg)
{
	struct room_encode *x = obj;

	(void)arg;
	role_assert_ctl();
	x->closed = true;
	room_reap(x->room);
}

static void egress_closed(void *obj, void *arg)
{
	struct room_encode *x = obj;

	(void)arg;
	role_assert_ctl();
	if (--x->egress_left == 0)
		video_encode_close(x->v, encode_closed, x);
}

/* tick first, then shards, then its own strand. */
ON_THREAD(ROLE_CTL) static void reap_one(struct room_encode *x)
{
	const struct engine *e = x->room->engine;

	if (!x->closing || x->closing_egress || !room_acked(x->room, x->gone_seq))
		return;
	x->closing_egress = true;
	x->egress_left = e->n_shards;
	for (size_t i = 0; i < e->n_shards; i++)
		egress_close(e->egress[i], x->v, egress_closed, x);
}

void room_encode_reap(struct room *r)
{
	struct room_encode **at = &r->encodes;

	while (*at) {
		struct room_encode *x = *at;

		reap_one(x);
		if (!x->closed) {
			at = &x->next;
			continue;
		}
		*at = x->next;
		video_encode_free(&x->v);
		free(x);
	}
}

bool room_has_sink(const struct room *r)
{
	return r->has_sink;
}

int room_sink_attach(struct room *r, const struct room_sink *s, int gop_s)
{
	if (r->has_sink)
		return -EBUSY;
	if (r->closing)
		return -ESHUTDOWN;
	r->sink = *s;
	r->has_sink = true;
	r->sink_gop_s = gop_s;
	if (r->encode)
		video_encode_set_sink(r->encode->v, &r->sink, gop_s, NULL, NULL);
	room_encode_demand(r);
	if (!r->encode) {
		r->has_sink = false;
		return -ENOMEM;
	}
	room_audio_set_sink(r->audio, &r->sink, NULL, NULL);
	return 0;
}

static void sink_released(void *obj, void *arg)
{
	struct room *r = obj;
	mbox_fn *done = r->sink_done;

	(void)arg;
	role_assert_ctl();
	if (--r->sink_left)
		return;
	r->has_sink = false;
	done(r->sink_done_obj, NULL);
	room_encode_demand(r);
	room_reap(r);
}

void room_sink_detach(struct room *r, mbox_fn *detached, void *obj)
{
	r->sink_done = detached;
	r->sink_done_obj = obj;
	r->sink_left = 2;
	room_audio_set_sink(r->audio, NULL, sink_released, r);
	video_encode_set_sink(r->encode->v, NULL, 0, sink_released, r);
}
