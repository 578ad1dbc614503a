/* Which encodes a room runs: exactly those with a receiver or a sink (L1). */
#include "mcu/room/room_priv.h"

#include <errno.h>
#include <stdlib.h>

/* H.264 level 3.1 carries 1280x720@30; larger canvases get 4.0. */
static uint8_t level_of(const struct engine_cfg *c)
{
	return c->width * c->height * c->fps <= 1280 * 720 * 30 ? 31 : 40;
}

/* What the sequence header must say: the profile that was agreed on, at the level
 * of the canvas. Baseline and constrained baseline are one format: what we send
 * is both. */
static uint32_t profile_of(const struct engine_cfg *c, enum codec codec, uint32_t agreed)
{
	uint32_t profile = agreed >> 16 & 0xff;

	if (codec != CODEC_H264)
		return 0;
	if (profile == 0x4d || profile == 0x64)
		return profile << 16 | level_of(c);
	return 0x42e000u | level_of(c);
}

static struct room_encode *find(const struct room *r, enum codec codec, uint32_t profile_level_id)
{
	for (struct room_encode *x = r->encodes; x; x = x->next)
		if (!x->closing && x->codec == codec && x->profile_level_id == profile_level_id)
			return x;
	return NULL;
}

static size_t running(const struct room *r)
{
	size_t n = 0;

	for (const struct room_encode *x = r->encodes; x; x = x->next)
		n += !x->closing;
	return n;
}

bool room_encode_any(const struct room *r)
{
	return running(r) > 0;
}

ON_THREAD(ROLE_CTL) static int encode_start(struct room *r, enum codec codec, uint32_t profile_level_id,
		      struct room_encode **out)
{
	const struct engine *e = r->engine;
	struct video_encode_cfg cfg = {
		.codec = codec, .profile_level_id = profile_level_id,
		.width = e->cfg.width, .height = e->cfg.height, .fps = e->cfg.fps,
		.bitrate_bps = e->cfg.video_bps,
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
	x->codec = codec;
	x->profile_level_id = profile_level_id;
	x->next = r->encodes;
	r->encodes = x;
	for (size_t i = 0; i < e->n_shards; i++)
		egress_open(e->egress[i], x->v);
	*out = x;
	return 0;
}

/* The encode of a format, started if need be; NULL when it cannot. */
ON_THREAD(ROLE_CTL) static struct room_encode *obtain(struct room *r, enum codec codec, uint32_t agreed)
{
	uint32_t profile = profile_of(&r->engine->cfg, codec, agreed);
	struct room_encode *x = find(r, codec, profile);
	int err;

	if (x)
		return x;
	err = running(r) < ROUTING_MAX_ENCODES ? encode_start(r, codec, profile, &x) : -ENOSPC;
	if (err)
		log_error(&r->log, "the %s encoder cannot start: %s", codec_name(codec), err_str(err));
	return x;
}

ON_THREAD(ROLE_CTL) static void watch(struct room *r, struct leg *l)
{
	const struct leg_tx_format *f = &l->media.video.tx_format;
	struct room_encode *x = NULL;
	uint32_t want;

	if (!r->closing && l->connected && l->media.video.tx)
		x = obtain(r, f->codec, f->profile_level_id);
	if (x)
		x->receivers++;
	want = x ? video_encode_id(x->v) : 0;
	if (want == l->watching)
		return;
	l->watching = want;
	leg_net_watch(l->net, want);
}

void room_encode_demand(struct room *r)
{
	for (struct room_encode *x = r->encodes; x; x = x->next)
		x->receivers = 0;
	for (struct leg *l = r->legs; l; l = l->next)
		watch(r, l);
	for (struct room_encode *x = r->encodes; x; x = x->next) {
		if (x->closing || x->receivers || x == r->sink_encode)
			continue;
		x->closing = true;
		x->gone_seq = room_next_seq(r);
	}
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

/* A sink takes H.264 constrained baseline, which the room mostly runs anyway. */
int room_sink_attach(struct room *r, const struct room_sink *s, int gop_s)
{
	struct room_encode *x;

	if (r->has_sink)
		return -EBUSY;
	if (r->closing)
		return -ESHUTDOWN;
	x = obtain(r, CODEC_H264, 0);
	if (!x)
		return -ENOMEM;
	r->sink = *s;
	r->has_sink = true;
	r->sink_encode = x;
	video_encode_set_sink(x->v, &r->sink, gop_s, NULL, NULL);
	room_encode_demand(r);
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
	r->sink_encode = NULL;
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
	video_encode_set_sink(r->sink_encode->v, NULL, 0, sink_released, r);
}
