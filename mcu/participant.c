/* struct room_api: what a front end may do with a leg. */
#include "mcu/base/log.h"
#include "mcu/conference_priv.h"
#include "mcu/media_plan.h"
#include "mcu/options.h"
#include "mcu/quality.h"
#include "storage/rooms.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

static int64_t now_ms(void)
{
	return clock_wall_ns() / NS_PER_MS;
}

void participant_describe(const struct leg_handle *p, struct participant *out)
{
	struct leg_info i;

	leg_get_info(p->leg, &i);
	*out = (struct participant){
		.leg = i.id, .name = p->name,
		.audio_muted = i.audio_muted, .video_muted = i.video_muted,
		.audio = i.sends_audio, .video = i.sends_video,
	};
}

/* Out of the hall, the registry and everybody's list. The leg itself has left
 * the room already, or does so next. */
ON_THREAD(ROLE_CTL) static void forget(struct leg_handle *p, enum leave_reason reason)
{
	struct leg_event ev = { .type = LEG_EVENT_LEFT };
	struct hall *h = p->hall;

	if (p->timeout)
		g_source_remove(p->timeout);
	p->timeout = 0;
	g_ptr_array_remove(h->people, p);
	h->departures++;
	sessions_participant_left(p->conf->cfg.db, p->row_id, now_ms(), leave_reason_name(reason),
				  NULL, NULL);
	ev.u.left.leg = leg_id(p->leg);
	ev.u.left.reason = reason;
	hall_tell(h, &ev, p);
}

ON_THREAD(ROLE_CTL) static void leave_now(struct leg_handle *p, enum leave_reason reason)
{
	struct leg *l = p->leg;

	forget(p, reason);
	leg_leave(l, leave_reason_name(reason));
	free(p);
}

void participant_end(struct leg_handle *p, enum leave_reason reason, const char *code,
		     const char *text)
{
	const struct leg_events *ev = p->ev;
	void *obj = p->obj;
	struct errmsg why;

	errmsg_set(&why, 0, code, "%s", text);
	leave_now(p, reason);
	ev->closed(obj, reason, &why);
}

/* --- events of the leg ------------------------------------------------------- */

static void on_candidate(void *obj, const char *candidate)
{
	struct leg_handle *p = obj;

	role_assert_ctl();
	p->ev->candidate(p->obj, candidate);
}

static void on_connected(void *obj)
{
	struct leg_handle *p = obj;

	role_assert_ctl();
	p->connected = true;
	if (p->timeout)
		g_source_remove(p->timeout);
	p->timeout = 0;
}

/* The room has let the leg go by itself. */
static void on_ended(void *obj, const char *reason)
{
	struct leg_handle *p = obj;
	const struct leg_events *ev = p->ev;
	enum leave_reason r = strcmp(reason, "lost") ? LEAVE_SHUTDOWN : LEAVE_LOST;
	void *ev_obj = p->obj;
	struct errmsg why;

	role_assert_ctl();
	if (r == LEAVE_LOST)
		errmsg_set(&why, 0, "connection_lost", "The media connection was lost.");
	else
		errmsg_set(&why, 0, "", "The room was closed.");
	forget(p, r);
	free(p);
	ev->closed(ev_obj, r, &why);
}

const struct leg_watcher participant_watcher = {
	.candidate = on_candidate,
	.connected = on_connected,
	.ended = on_ended,
};

/* --- joining ----------------------------------------------------------------- */

static int make_secret(char out[RESUME_BYTES])
{
	uint8_t raw[(RESUME_BYTES - 1) / 2];

	if (getrandom(raw, sizeof raw, 0) != sizeof raw)
		return -EIO;
	for (size_t i = 0; i < sizeof raw; i++)
		snprintf(out + 2 * i, 3, "%02x", raw[i]);
	return 0;
}

static bool same_secret(const char *a, const char *b)
{
	unsigned diff = 0;

	if (strlen(a) != strlen(b))
		return false;
	for (size_t i = 0; a[i]; i++)
		diff |= (unsigned)(a[i] ^ b[i]);
	return !diff;
}

/* Somebody who comes back takes the place of what is left of the old leg. */
ON_THREAD(ROLE_CTL) static void replace_old(struct hall *h, const char *secret)
{
	for (size_t i = 0; secret[0] && i < h->people->len; i++) {
		struct leg_handle *p = g_ptr_array_index(h->people, i);

		if (!same_secret(p->resume, secret))
			continue;
		participant_end(p, LEAVE_REPLACED, "", "You have joined again from elsewhere.");
		return;
	}
}

ON_THREAD(ROLE_CTL) static void send_welcome(struct leg_handle *p)
{
	struct hall *h = p->hall;
	const struct engine_cfg *e = &p->conf->cfg.engine->cfg;
	struct participant *all = calloc(h->people->len, sizeof *all);
	struct welcome_info w = {
		.leg = leg_id(p->leg), .room = p->room, .name = p->name, .resume = p->resume,
		.version = options_version(), .participants = all,
		.ice_servers = p->conf->ice, .n_ice_servers = p->conf->n_ice,
		.canvas_width = e->width, .canvas_height = e->height, .canvas_fps = e->fps,
	};

	for (size_t i = 0; all && i < h->people->len; i++)
		participant_describe(g_ptr_array_index(h->people, i), &all[w.n_participants++]);
	hall_recording_info(h, &w.recording);
	p->ev->welcome(p->obj, &w);
	free(all);
}

/* The room is known; enter it. On an error p is the caller's still. */
ON_THREAD(ROLE_CTL) static int enter(struct leg_handle *p, struct errmsg *why)
{
	struct conference *c = p->conf;
	struct leg_event ev = { .type = LEG_EVENT_JOINED };
	struct hall *h;
	int err;

	if (c->stopping)
		return errmsg_set(why, -ESHUTDOWN, "shutting_down", "The server is shutting down.");
	err = hall_open(c, p->room, &h, why);
	if (err)
		return err;
	replace_old(h, p->old_resume);
	if (h->people->len >= (guint)c->cfg.config->room.max_participants)
		return errmsg_set(why, -EUSERS, "room_full",
				  "The room is full: %d people are in it.", (int)h->people->len);
	err = room_join(h->room, p->name, &participant_watcher, p, &p->leg);
	if (err) {
		hall_linger(h);
		return errmsg_set(why, err, "internal", "Joining failed: %s.", err_str(err));
	}
	if (h->linger)
		g_source_remove(h->linger);
	h->linger = 0;
	p->hall = h;
	p->row_id = db_new_id();
	g_ptr_array_add(h->people, p);
	sessions_participant_joined(c->cfg.db, p->row_id, h->session_id, leg_id(p->leg), p->name, 0,
				    now_ms(), NULL, NULL);
	send_welcome(p);
	if (!hall_has(h, p))
		return 0;
	participant_describe(p, &ev.u.joined);
	hall_tell(h, &ev, p);
	if (hall_has(h, p))
		hall_tell_layout(h, p);
	return 0;
}

/* The registry's word on a room, where rooms are not made on demand. */
static void on_room(void *obj, int err, const struct room_row *row)
{
	struct leg_handle *p = obj;
	const struct leg_events *ev = p->ev;
	void *ev_obj = p->obj;
	struct errmsg why;

	(void)row;
	role_assert_ctl();
	p->conf->pending--;
	if (p->gone) {
		free(p);
		return;
	}
	if (err == -ENOENT)
		errmsg_set(&why, err, "room_unknown", "There is no room called \"%s\". Check the name.",
			   p->room);
	else if (err)
		errmsg_set(&why, err, "internal", "The registry of rooms cannot be read: %s.",
			   err_str(err));
	else
		err = enter(p, &why);
	if (!err)
		return;
	free(p);
	ev->closed(ev_obj, LEAVE_ERROR, &why);
}

static int api_join(void *ctx, const struct join_req *req, const struct leg_events *events,
		    void *obj, struct leg_handle **out, struct errmsg *why)
{
	struct conference *c = ctx;
	struct leg_handle *p = calloc(1, sizeof *p);
	int err = -ENOMEM;

	role_assert_ctl();
	if (!p || make_secret(p->resume)) {
		free(p);
		return errmsg_set(why, err, "internal", "The server is out of memory.");
	}
	p->conf = c;
	p->ev = events;
	p->obj = obj;
	p->session_id = (uint64_t)db_new_id();
	snprintf(p->room, sizeof p->room, "%s", req->room);
	snprintf(p->name, sizeof p->name, "%s", req->name);
	snprintf(p->old_resume, sizeof p->old_resume, "%s", req->resume ? req->resume : "");
	*out = p;
	if (c->cfg.config->room.on_demand || hall_find(c, p->room)) {
		err = enter(p, why);
	} else {
		err = rooms_find(c->cfg.db, p->room, on_room, p);
		if (!err)
			c->pending++;
		else
			errmsg_set(why, err, "internal", "The registry of rooms is busy. Try again.");
	}
	if (err) {
		*out = NULL;
		free(p);
	}
	return err;
}

static void api_leave(void *ctx, struct leg_handle *p, enum leave_reason reason)
{
	(void)ctx;
	role_assert_ctl();
	if (p->hall)
		leave_now(p, reason);
	else
		p->gone = true;
}

/* --- negotiation ------------------------------------------------------------- */

/* What the media side is built for, so that nothing else is agreed on. */
enum {
	MEDIA_SEND = 1 << CODEC_OPUS | 1 << CODEC_H264 | 1 << CODEC_VP8 | 1 << CODEC_VP9,
	MEDIA_RECV = 1 << CODEC_OPUS | 1 << CODEC_H264 | 1 << CODEC_VP8,
	MEDIA_RTX = false,
	MEDIA_RED = false,
	MEDIA_SIMULCAST = false,
	MEDIA_DATA = false,
};

static bool encodes(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->video.encode.n; i++)
		if (!strcasecmp(c->video.encode.items[i], name))
			return true;
	return false;
}

static struct neg_abilities abilities(const struct config *c)
{
	struct neg_abilities can = {
		.send = MEDIA_SEND, .recv = MEDIA_RECV, .rtx = MEDIA_RTX,
		.red = MEDIA_RED && c->audio.red, .simulcast = MEDIA_SIMULCAST, .data = MEDIA_DATA,
	};

	for (enum codec v = CODEC_H264; v <= CODEC_AV1; v++)
		if (!encodes(c, codec_name(v)))
			can.send &= ~(1u << v);
	return can;
}

static int api_local(void *ctx, struct leg_handle *p, bool ice_restart, struct neg_policy *out,
		     struct errmsg *why)
{
	struct conference *c = ctx;
	struct neg_abilities can = abilities(c->cfg.config);
	struct leg_local l;

	role_assert_ctl();
	if (!p->leg)
		return errmsg_set(why, -EAGAIN, "not_joined", "Wait for `welcome` before an offer.");
	/* An earlier restart that was not agreed on is forgotten either way. */
	leg_keep_ice(p->leg);
	if (ice_restart && leg_restart_ice(p->leg))
		return errmsg_set(why, -EBUSY, "rate_limited",
				  "ICE was restarted too often. Wait a few seconds.");
	leg_get_local(p->leg, &l);
	neg_policy_browser(out, &can);
	out->ice_ufrag = l.ufrag;
	out->ice_pwd = l.pwd;
	out->cname = l.cname;
	out->fingerprint = c->cfg.fingerprint;
	out->stream_id = "mcu";
	out->session_id = p->session_id;
	out->media[NEG_ROLE_AUDIO].ssrc = l.audio_ssrc;
	out->media[NEG_ROLE_AUDIO].track_id = "mix";
	out->media[NEG_ROLE_CAMERA].ssrc = l.video_ssrc;
	out->media[NEG_ROLE_CAMERA].rtx_ssrc = l.video_rtx_ssrc;
	out->media[NEG_ROLE_CAMERA].track_id = "view";
	return 0;
}

static gboolean connect_timeout(gpointer arg)
{
	struct leg_handle *p = arg;

	role_assert_ctl();
	p->timeout = 0;
	participant_end(p, LEAVE_ERROR, "connect_timeout",
			"The media connection was not up within 20 seconds. Check that UDP is not "
			"blocked between you and the server.");
	return G_SOURCE_REMOVE;
}

static int api_negotiated(void *ctx, struct leg_handle *p, const struct neg_plan *plan,
			  struct errmsg *why)
{
	struct hall *h = p->hall;
	struct leg_local local;
	struct leg_media m;
	int err;

	(void)ctx;
	role_assert_ctl();
	leg_get_local(p->leg, &local);
	err = media_plan_convert(&m, plan, &local, why);
	if (err)
		return err;
	if (!p->connected && !p->timeout)
		p->timeout = g_timeout_add_seconds(CONNECT_TIMEOUT_S, connect_timeout, p);
	err = leg_set_media(p->leg, &m);
	if (err == -EPROTO)
		return errmsg_set(why, err, "not_acceptable",
				  "A connection keeps its certificate, and new ICE credentials come "
				  "with an offer. Join again.");
	if (err)
		return errmsg_set(why, err, "internal", "The server is out of memory.");
	if (!hall_has(h, p))
		return 0;
	for (size_t i = 0; i < plan->n_candidates; i++)
		leg_add_candidate(p->leg, plan->candidates[i].text);
	if (plan->end_of_candidates)
		leg_add_candidate(p->leg, NULL);
	return 0;
}

static void api_candidate(void *ctx, struct leg_handle *p, const char *mid, const char *candidate)
{
	(void)ctx;
	(void)mid; /* one transport */
	role_assert_ctl();
	if (p->leg)
		leg_add_candidate(p->leg, candidate);
}

/* --- in the room ------------------------------------------------------------- */

static int tri(enum tristate t)
{
	return t == TRISTATE_UNSET ? -1 : t == TRISTATE_TRUE;
}

static void api_mute(void *ctx, struct leg_handle *p, enum tristate audio, enum tristate video)
{
	(void)ctx;
	role_assert_ctl();
	if (p->leg)
		leg_mute(p->leg, tri(audio), tri(video));
}

static int api_record(void *ctx, struct leg_handle *p, bool start, struct errmsg *why)
{
	(void)ctx;
	role_assert_ctl();
	if (!p->hall)
		return errmsg_set(why, -EAGAIN, "not_joined", "Wait for `welcome` first.");
	return hall_record(p->hall, start, p->name, why);
}

static double kbps(uint64_t octets, uint64_t *before, int64_t ns)
{
	uint64_t grown = octets >= *before ? octets - *before : 0;

	*before = octets;
	return ns > 0 ? (double)grown * 8e6 / (double)ns : 0;
}

static void join_flows(struct stream_stats *out, const struct leg_net_flow *a,
		       const struct leg_net_flow *v, double rtt_ms)
{
	out->loss = a->loss > v->loss ? a->loss : v->loss;
	out->jitter_ms = a->jitter_ms > v->jitter_ms ? a->jitter_ms : v->jitter_ms;
	out->rtt_ms = rtt_ms;
}

static int api_stats(void *ctx, struct leg_handle *p, struct leg_stats *out)
{
	struct conference *c = ctx;
	int64_t now = clock_now_ns(c->cfg.engine->clock), past;
	struct leg_net_stats s;
	double up, down;

	role_assert_ctl();
	if (!p->leg)
		return -EAGAIN;
	leg_get_stats(p->leg, &s);
	past = p->stats_at_ns ? now - p->stats_at_ns : 0;
	p->stats_at_ns = now;
	*out = (struct leg_stats){ 0 };
	join_flows(&out->uplink, &s.uplink_audio, &s.uplink_video, s.rtt_ms);
	join_flows(&out->downlink, &s.downlink_audio, &s.downlink_video, s.rtt_ms);
	out->uplink.kbps = kbps(s.uplink_audio.octets + s.uplink_video.octets, &p->up_octets, past);
	out->downlink.kbps = kbps(s.downlink_audio.octets + s.downlink_video.octets,
				  &p->down_octets, past);
	up = quality_score(out->uplink.loss, out->uplink.jitter_ms, s.rtt_ms);
	down = quality_score(out->downlink.loss, out->downlink.jitter_ms, s.rtt_ms);
	out->score = up < down ? up : down;
	return 0;
}

const struct room_api conference_api = {
	.join = api_join,
	.leave = api_leave,
	.local = api_local,
	.negotiated = api_negotiated,
	.remote_candidate = api_candidate,
	.mute = api_mute,
	.record = api_record,
	.stats = api_stats,
};
