/* Which encodes a room runs: of each picture exactly those with a receiver or a sink
 * (L1). */
#include "mcu/room/room_priv.h"

#include <errno.h>
#include <stdlib.h>

#include "mcu/base/metrics.h"

METRIC_COUNTER(m_no_encoder, "mcu_video_encoders_failed_total",
	       "Video encoders that a participant should have got and that could not be opened, or "
	       "were more than a room may have.");

enum {
	ALIVE_MAX = 2 * ROUTING_MAX_ENCODES, /* of a room, those that wind down included */
	MADE_MAX = 4, /* of a room, at rungs that only some receivers' limits ask for */
	LOG_EVERY_S = 10
};

/* H.264 level 3.1 carries 1280x720@30; larger canvases get 4.0. Lower rungs say
 * what they are, for those that can take no more. */
static uint8_t level_of(const struct engine_cfg *c, unsigned rung)
{
	struct engine_rung r = ladder_rung(c, rung);

	if (rung)
		return ladder_h264_level(&r);
	return c->width * c->height * c->fps <= 1280 * 720 * 30 ? 31 : 40;
}

/* What the sequence header must say: the profile that was agreed on, at the level
 * of the rung. Baseline and constrained baseline are one format: what we send
 * is both. */
static uint32_t profile_of(const struct engine_cfg *c, const struct leg_tx_format *f, unsigned rung)
{
	uint32_t profile = f->profile_level_id >> 16 & 0xff;

	if (f->codec != CODEC_H264)
		return 0;
	if (profile == 0x4d || profile == 0x64)
		return profile << 16 | level_of(c, rung);
	return 0x42e000u | level_of(c, rung);
}

static bool is_of(const struct room_encode *x, const struct leg_tx_format *f)
{
	return x->codec == f->codec && x->single_nal == f->single_nal &&
	       x->profile_level_id == profile_of(&x->room->engine->cfg, f, x->rung);
}

static struct room_encode *find(const struct room *r, const struct picture *p,
				const struct leg_tx_format *f, unsigned rung)
{
	for (struct room_encode *x = r->encodes; x; x = x->next)
		if (x->picture == p && x->rung == rung && is_of(x, f))
			return x;
	return NULL;
}

static struct room_encode *by_id(const struct room *r, uint32_t id)
{
	for (struct room_encode *x = r->encodes; x; x = x->next)
		if (!x->closing && video_encode_id(x->v) == id)
			return x;
	return NULL;
}

bool room_encode_rung(const struct room *r, uint32_t id, unsigned *rung)
{
	const struct room_encode *x = by_id(r, id);

	if (x)
		*rung = x->rung;
	return x;
}

static size_t running(const struct room *r)
{
	size_t n = 0;

	for (const struct room_encode *x = r->encodes; x; x = x->next)
		n += !x->closing;
	return n;
}

/* Wishes that change fast leave encoders behind that wind down: they are bounded, too.
 * One place is the recording's, which takes no other encode for its own. */
ON_THREAD(ROLE_CTL) static bool has_place(const struct room *r)
{
	size_t n = 0;

	for (const struct room_encode *x = r->encodes; x; x = x->next)
		n++;
	return n < ALIVE_MAX && running(r) < ROUTING_MAX_ENCODES - (size_t)!room_films(r);
}

bool room_has_encode(const struct room *r, const struct leg_tx_format *f)
{
	for (const struct room_encode *x = r->encodes; x; x = x->next)
		if (!x->closing && is_of(x, f))
			return true;
	return false;
}

bool room_encode_any(const struct room *r)
{
	return running(r) > 0;
}

ON_THREAD(ROLE_CTL) static int encode_start(struct room *r, struct picture *p,
					    const struct leg_tx_format *f, unsigned rung,
					    struct room_encode **out)
{
	const struct engine *e = r->engine;
	struct engine_rung size = ladder_rung(&e->cfg, rung);
	struct video_encode_cfg cfg = {
		.codec = f->codec, .profile_level_id = profile_of(&e->cfg, f, rung),
		.single_nal = f->single_nal,
		.width = size.width, .height = size.height, .fps = size.fps, .bitrate_bps = size.bps,
		.account = r->work,
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
	video_encode_set_fps(x->v, room_fps(r));
	x->room = r;
	x->picture = p;
	p->encodes++;
	x->codec = f->codec;
	x->single_nal = f->single_nal;
	x->profile_level_id = cfg.profile_level_id;
	x->rung = rung;
	x->next = r->encodes;
	r->encodes = x;
	r->encodes_moved = true;
	for (size_t i = 0; i < e->n_shards; i++)
		egress_open(e->egress[i], x->v);
	*out = x;
	return 0;
}

/* For every receiver at every change: said now and then. */
ON_THREAD(ROLE_CTL) static void note_failure(struct room *r, enum codec codec, int err)
{
	int64_t now = clock_now_ns(r->engine->clock);

	metric_add(&m_no_encoder, 1);
	r->lacks_encode = true;
	if (r->failure_logged_ns && now - r->failure_logged_ns < LOG_EVERY_S * NS_PER_S)
		return;
	r->failure_logged_ns = now;
	log_error(&r->log, "the %s encoder cannot start: %s", codec_name(codec), err_str(err));
}

static size_t made(const struct room *r)
{
	size_t n = 0;

	for (const struct room_encode *x = r->encodes; x; x = x->next)
		n += !x->closing && x->codec != CODEC_H263 &&
		     ladder_is_made(&r->engine->cfg, x->rung);
	return n;
}

/* When there are as many made rungs as a room may have: one that runs and fits, or one of
 * the configuration's. (H.263 has but two.) */
ON_THREAD(ROLE_CTL) static unsigned instead_of(struct room *r, struct picture *p,
					       const struct leg_tx_format *f, unsigned rung)
{
	static const struct leg_view any;
	const struct engine_cfg *c = &r->engine->cfg;
	int plain;

	if (!ladder_is_made(c, rung) || f->codec == CODEC_H263 || find(r, p, f, rung) || made(r) < MADE_MAX)
		return rung;
	for (unsigned i = 0; i < ladder_rungs(c) + LADDER_MADE + LADDER_H263; i++)
		if (ladder_fits(c, i, f) && find(r, p, f, i))
			return i;
	plain = ladder_best_plain(c, &any, f);
	return plain < 0 ? ladder_rungs(c) - 1 : (unsigned)plain;
}

/* The encode of a picture in a format at a rung, started if need be; where it cannot, one
 * of another rung that runs, or (content goes beside it) of the main view; or NULL. */
ON_THREAD(ROLE_CTL) static struct room_encode *obtain(struct room *r, struct picture *p,
						      const struct leg_tx_format *f, unsigned rung)
{
	unsigned n = ladder_rungs(&r->engine->cfg) + LADDER_MADE + LADDER_H263;
	struct room_encode *x = find(r, p, f, rung = instead_of(r, p, f, rung));
	int err;

	if (x)
		return x;
	err = has_place(r) ? encode_start(r, p, f, rung, &x) : -ENOSPC;
	if (!err)
		return x;
	note_failure(r, f->codec, err);
	for (unsigned i = n; i-- && !x;)
		x = find(r, p, f, i);
	p = p->kind == PICTURE_CONTENT ? NULL : room_picture_shared(r, r->views[0]);
	for (unsigned i = n; i-- && !x && p;)
		x = find(r, p, f, i);
	return x;
}

int room_encode_for_sink(struct room *r, struct picture *p, unsigned rung,
			 struct room_encode **out)
{
	static const struct leg_tx_format h264 = { .codec = CODEC_H264 };

	*out = find(r, p, &h264, rung);
	if (*out)
		return 0;
	return running(r) < ROUTING_MAX_ENCODES ? encode_start(r, p, &h264, rung, out) : -ENOSPC;
}

/* What its wishes, the negotiation and its connection allow. */
ON_THREAD(ROLE_CTL) static unsigned rung_of(struct leg *l)
{
	unsigned limit, rung = room_rung(l, &limit);

	if (limit != l->best)
		leg_net_limit_rung(l->net, limit);
	l->best = limit;
	return rung;
}

/* From one picture to another: the first goes on until there is a key frame. */
static void hold(struct leg *l, uint32_t want)
{
	if (!want || !l->watching)
		l->held = 0;
	else if (!l->held)
		l->held = l->watching;
	if (l->held == want)
		l->held = 0;
}

ON_THREAD(ROLE_CTL) static void watch_content(struct room *r, struct leg *l)
{
	struct picture *p = room_picture_content(r, l);
	struct room_encode *x = p ? obtain(r, p, &l->media.content.tx_format, room_rung_content(l))
				  : NULL;

	l->counted[2] = x ? video_encode_id(x->v) : 0;
	if (x)
		x->receivers++;
	if (l->counted[2] == l->watching_content)
		return;
	l->watching_content = l->counted[2];
	leg_net_watch_content(l->net, l->watching_content);
}

ON_THREAD(ROLE_CTL) static void watch(struct room *r, struct leg *l)
{
	const struct leg_tx_format *f = &l->media.video.tx_format;
	struct room_encode *x = NULL, *held;
	uint32_t want;

	if (!r->closing && l->connected && l->media.video.tx && !l->view.no_video && l->picture)
		x = obtain(r, l->picture, f, rung_of(l));
	if (x)
		x->receivers++;
	want = x ? video_encode_id(x->v) : 0;
	if (want != l->watching) {
		hold(l, want);
		l->watching = want;
		leg_net_watch(l->net, want);
	}
	held = l->held ? by_id(r, l->held) : NULL;
	if (held)
		held->receivers++;
	l->counted[0] = want;
	l->counted[1] = held ? l->held : 0;
	watch_content(r, l);
}

static void uncount(const struct room *r, struct leg *l)
{
	for (size_t i = 0; i < 3; i++) {
		struct room_encode *x = l->counted[i] ? by_id(r, l->counted[i]) : NULL;

		if (x)
			x->receivers--;
		l->counted[i] = 0;
	}
}

/* Ends those that nobody receives. */
ON_THREAD(ROLE_CTL) static void end_unused(struct room *r)
{
	for (struct room_encode *x = r->encodes; x; x = x->next) {
		if (x->closing || x->receivers || x->sinks)
			continue;
		x->closing = true;
		x->picture->encodes--;
		x->picture = NULL;
		x->gone_seq = room_next_seq(r);
		r->encodes_moved = true;
	}
}

void room_encode_demand(struct room *r)
{
	r->stale = false;
	room_pictures_update(r);
	r->lacks_encode = false;
	for (struct room_encode *x = r->encodes; x; x = x->next)
		x->receivers = 0;
	for (struct leg *l = r->legs; l; l = l->next)
		watch(r, l);
	room_sinks_demand(r);
	end_unused(r);
	r->encodes_moved = false;
	room_place(r);
	room_touch_routing(r);
}

void room_encode_demand_of(struct leg *l)
{
	struct room *r = l->room;
	struct picture *p;

	if (r->stale || leg_may_be_seated(l) || l->media.content.tx) {
		room_encode_demand(r);
		return;
	}
	uncount(r, l);
	if (!l->gone) {
		p = room_picture_of(r, l);
		r->layout_moved = r->layout_moved || (l->picture && p != l->picture);
		l->picture = p;
		watch(r, l);
	}
	end_unused(r);
	if (r->encodes_moved)
		room_place(r);
	r->encodes_moved = false;
	room_touch_routing(r);
}

static int64_t pixels_of(const struct room *r, unsigned rung)
{
	struct engine_rung e = ladder_rung(&r->engine->cfg, rung);

	return (int64_t)e.width * e.height * e.fps;
}

int64_t leg_view_pixels(struct leg *l, const struct leg_view *v)
{
	const struct leg_tx_format *f = &l->media.video.tx_format;
	const struct room_encode *now = l->watching ? by_id(l->room, l->watching) : NULL;
	struct leg_view before = l->view;
	struct room *r = l->room;
	const struct picture *p;
	int64_t more = 0;
	unsigned rung, limit;
	bool own;

	if (!l->media.video.tx)
		return 0;
	l->view = *v;
	p = room_picture_would(r, l, &own);
	rung = room_rung(l, &limit);
	l->view = before;
	if (!v->no_video && (p || own) &&
	    !(p && find(r, p, f, rung)))
		more = pixels_of(r, rung);
	else if (now && !v->no_video && p == now->picture && rung == now->rung)
		return 0;
	if (now && now->receivers == 1 && !now->sinks)
		more -= pixels_of(r, now->rung);
	return more;
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
		/* somebody may be waiting for its place */
		if (r->lacks_encode)
			room_touch(r);
	}
}
