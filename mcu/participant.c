/* struct room_api: what a front end may do with a leg. */
#include "mcu/conference_priv.h"
#include "mcu/media_plan.h"
#include "mcu/net/ice.h"
#include "mcu/net/rx.h"
#include "storage/audit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

METRIC_COUNTER(m_busy, "mcu_connecting_refused_total",
	       "Offers refused: too many media connections were being set up");

static int64_t now_ms(void)
{
	return clock_wall_ns() / NS_PER_MS;
}

void hall_audit(const struct leg_handle *p, const char *action, const char *detail)
{
	audit_add(p->conf->cfg.db, &(struct audit_entry){
		.action = action, .actor = p->name, .address = p->peer, .room = p->room,
		.detail = detail });
}

/* Its media connection is up, or will not be. */
ON_THREAD(ROLE_CTL) static void connecting_done(struct leg_handle *p)
{
	if (!p->connecting)
		return;
	p->connecting = false;
	p->conf->connecting--;
	if (p->timeout)
		g_source_remove(p->timeout);
	p->timeout = 0;
}

ON_THREAD(ROLE_CTL) static void tell_totals(struct leg_handle *p)
{
	const struct leg_net_flow *in, *out;
	struct leg_net_stats s;
	struct leg_totals t;

	if (!p->ev->totals)
		return;
	leg_get_stats(p->leg, &s);
	in = &s.uplink_audio;
	out = &s.downlink_audio;
	t = (struct leg_totals){
		.audio = in->packets ? in->codec : out->packets ? out->codec : CODEC_NONE,
		.video = s.uplink_video.packets ? s.uplink_video.codec : CODEC_NONE,
		.packets_in = in->packets + s.uplink_video.packets + s.uplink_content.packets,
		.packets_out = out->packets + s.downlink_video.packets + s.downlink_content.packets,
		.lost_in = in->lost + s.uplink_video.lost + s.uplink_content.lost,
		.lost_out = out->lost + s.downlink_video.lost + s.downlink_content.lost,
		.jitter_ms = in->jitter_ms, .rtt_ms = s.rtt_ms,
		.audio_in = in->packets, .audio_lost = in->lost,
	};
	p->ev->totals(p->obj, &t);
}

void participant_free(struct leg_handle *p)
{
	address_count_remove(p->conf->addresses, p->origin);
	rtp_ports_unref(&p->ports);
	free(p);
}

/* Out of the hall, the registry and everybody's list. The leg itself has left
 * the room already, or does so next. */
ON_THREAD(ROLE_CTL) static void forget(struct leg_handle *p, enum leave_reason reason)
{
	struct leg_event ev = { .type = LEG_EVENT_LEFT };
	struct hall *h = p->hall;

	connecting_done(p);
	tell_totals(p);
	g_ptr_array_remove(h->people, p);
	data_relay_leave(&p->data);
	h->departures++;
	if (h->parlour)
		return;
	quality_last(p);
	hall_happened(h, RECORDING_EVENT_LEFT, p);
	prompting_chime(h, p, "leave");
	if (reason != LEAVE_REPLACED)
		join_remember(h, p, reason == LEAVE_KICKED);
	sessions_participant_left(p->conf->cfg.db, p->row_id, now_ms(), leave_reason_name(reason),
				  NULL, NULL);
	ev.u.left.leg = leg_id(p->leg);
	ev.u.left.reason = reason;
	hall_tell(h, &ev, p);
	if (p->host && reason != LEAVE_REPLACED)
		moderation_succession(h, reason == LEAVE_LOST);
	hall_record_look(h);
}

ON_THREAD(ROLE_CTL) static void leave_now(struct leg_handle *p, enum leave_reason reason)
{
	struct leg *l = p->leg;

	forget(p, reason);
	leg_leave(l, leave_reason_name(reason));
	participant_free(p);
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
	connecting_done(p);
}

/* The room has let the leg go by itself. */
static void on_ended(void *obj, const char *reason)
{
	struct leg_handle *p = obj;
	const struct leg_events *ev = p->ev;
	bool flood = !strcmp(reason, TRANSPORT_CLOSED_FLOOD);
	bool silence = !strcmp(reason, TRANSPORT_CLOSED_SILENCE);
	enum leave_reason r = flood ? LEAVE_ERROR :
			      silence || !strcmp(reason, "lost") ? LEAVE_LOST : LEAVE_SHUTDOWN;
	void *ev_obj = p->obj;
	struct errmsg why;

	role_assert_ctl();
	if (flood)
		errmsg_set(&why, 0, "too_much_media", "You sent more than %d kilobits per second for "
			   "%d seconds. Send a smaller picture, or ask the administrator of the server "
			   "to raise limits.uplink_kbps.", p->conf->cfg.config->limits.uplink_kbps,
			   RX_FLOOD_S);
	else if (silence)
		errmsg_set(&why, 0, "connection_lost", "Nothing was heard from you for too long. Call "
			   "again.");
	else if (r == LEAVE_LOST)
		errmsg_set(&why, 0, "connection_lost", "The media connection was lost.");
	else
		errmsg_set(&why, 0, "", "The room was closed.");
	forget(p, r);
	participant_free(p);
	ev->closed(ev_obj, r, &why);
}

static void on_outdone(void *obj, uint32_t by)
{
	role_assert_ctl();
	moderation_present_over(obj, by, false);
}

static void on_wants_picture(void *obj)
{
	struct leg_handle *p = obj;

	role_assert_ctl();
	if (p->ev->key_frame_wanted)
		p->ev->key_frame_wanted(p->obj);
}

static void on_hidden(void *obj, bool hidden)
{
	struct leg_event ev = { .type = LEG_EVENT_SELF_VIEW };
	struct leg_handle *p = obj;

	role_assert_ctl();
	ev.u.self_view.hidden = hidden;
	ev.u.self_view.text = hidden ? "Your own picture is hidden from you now." :
			      "Too many participants hide themselves: you see yourself until one of them "
			      "stops.";
	p->ev->event(p->obj, &ev);
	leg_event_clear(&ev);
}

static void on_data_open(void *obj, bool open)
{
	struct leg_handle *p = obj;

	role_assert_ctl();
	data_member_open(p->data, open);
}

static void on_data(void *obj, bool binary, const uint8_t *octets, size_t len)
{
	struct leg_handle *p = obj;

	role_assert_ctl();
	data_member_message(p->data, binary, octets, len);
}

static void send_data(void *obj, struct buf *b)
{
	role_assert_ctl();
	leg_send_data(((struct leg_handle *)obj)->leg, b);
}

int participant_join_relay(struct leg_handle *p, struct hall *h)
{
	int err = data_relay_join(h->relay, &p->data, leg_id(p->leg), p->name, send_data, p);

	if (!err)
		return 0;
	leg_leave(p->leg, "error");
	p->leg = NULL;
	return err;
}

const struct leg_watcher participant_watcher = {
	.data_open = on_data_open,
	.data = on_data,
	.candidate = on_candidate,
	.connected = on_connected,
	.ended = on_ended,
	.outdone = on_outdone,
	.wants_picture = on_wants_picture,
	.hidden = on_hidden,
	.prompt_over = prompting_over,
	.digit = prompting_digit,
};

static int api_join(void *ctx, const struct join_req *req, const struct leg_events *events,
		    void *obj, struct leg_handle **out, struct errmsg *why)
{
	role_assert_ctl();
	return join_begin(ctx, req, events, obj, out, why);
}

static void api_leave(void *ctx, struct leg_handle *p, enum leave_reason reason)
{
	(void)ctx;
	role_assert_ctl();
	if (p->hall)
		leave_now(p, reason);
	else if (p->lobby)
		lobby_leave(p);
	else
		p->gone = true;
}

/* --- negotiation ------------------------------------------------------------- */

/* What the media side is built for, so that nothing else is agreed on. */
enum {
	MEDIA_VIDEO = 1 << CODEC_H264 | 1 << CODEC_VP8 | 1 << CODEC_VP9 | 1 << CODEC_AV1 |
		      1 << CODEC_H263,
	MEDIA_AUDIO = 1 << CODEC_OPUS | 1 << CODEC_G722 | 1 << CODEC_PCMU | 1 << CODEC_PCMA |
		      1 << CODEC_G729,
	MEDIA_RTX = true,
	MEDIA_SIMULCAST = true,
	MEDIA_DATA = true,
	MEDIA_CONTENT = true,
};

static bool encodes(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->video.encode.n; i++)
		if (!strcasecmp(c->video.encode.items[i], name))
			return true;
	return false;
}

static struct neg_abilities abilities(const struct config *c, bool stereo)
{
	struct neg_abilities can = {
		.send = MEDIA_AUDIO | MEDIA_VIDEO, .recv = MEDIA_AUDIO | MEDIA_VIDEO,
		.rtx = MEDIA_RTX, .red = c->audio.red, .stereo = stereo,
		.simulcast = MEDIA_SIMULCAST, .data = MEDIA_DATA, .content = MEDIA_CONTENT,
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
	struct neg_abilities can;
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
	can = abilities(c->cfg.config, room_channels(leg_room(p->leg)) == 2);
	if (p->ports)
		neg_policy_phone(out, &can);
	else
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
	out->media[NEG_ROLE_CONTENT].ssrc = l.content_ssrc;
	out->media[NEG_ROLE_CONTENT].track_id = "content";
	return p->ports ? call_ports_local(p, out, why) : 0;
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

/* Each takes sockets and a handshake. */
ON_THREAD(ROLE_CTL) static int connecting_begin(struct leg_handle *p, struct errmsg *why)
{
	struct conference *c = p->conf;

	if (p->connected || p->connecting)
		return 0;
	if (c->connecting >= c->cfg.config->limits.connecting) {
		metric_add(&m_busy, 1);
		return errmsg_set(why, -EBUSY, "busy", "The server is connecting %d people at this "
				  "moment. Try again in a few seconds.", c->connecting);
	}
	p->connecting = true;
	c->connecting++;
	p->timeout = g_timeout_add_seconds(CONNECT_TIMEOUT_S, connect_timeout, p);
	return 0;
}

/* What it began to send is not shown. */
ON_THREAD(ROLE_CTL) static void tell_held(struct leg_handle *p)
{
	struct leg_info i;

	leg_get_info(p->leg, &i);
	if (i.sends_content && i.content_held)
		moderation_present_over(p, p->content_held, true);
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
	if (!err && h->parlour)
		parlour_media(&m);
	snprintf(m.peer, sizeof m.peer, "%s", p->peer);
	if (!err)
		err = moderation_agree_content(p, m.content.rx, why);
	if (!err)
		err = load_admit_media(p, &m, why);
	if (err)
		return err;
	err = connecting_begin(p, why);
	if (err)
		return err;
	err = leg_set_media(p->leg, &m);
	if (err == -EPROTO)
		return errmsg_set(why, err, "not_acceptable",
				  "A connection keeps its certificate, and new ICE credentials come "
				  "with an offer. Join again.");
	if (err)
		return errmsg_set(why, err, "internal", "The server is out of memory.");
	if (p->ports)
		call_ports_agreed(p, plan, &m);
	if (!hall_has(h, p))
		return 0;
	tell_held(p);
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

static int api_mute(void *ctx, struct leg_handle *p, enum tristate audio, enum tristate video,
		    struct errmsg *why)
{
	(void)ctx;
	role_assert_ctl();
	return p->leg ? moderation_mute(p, audio, video, why) : 0;
}

static int api_view(void *ctx, struct leg_handle *p, const struct view_wish *v, struct errmsg *why)
{
	struct leg_view want = { .max_height = v->max_height, .max_kbps = v->max_kbps,
				 .no_video = v->no_video, .hide_self = v->hide_self };
	int err;

	(void)ctx;
	role_assert_ctl();
	if (!p->leg)
		return errmsg_set(why, -EAGAIN, "not_joined", "Wait for `welcome` first.");
	if (moderation_too_often(p, &p->wishing, 1))
		return errmsg_set(why, -EBUSY, "rate_limited", "You ask for other pictures too often. "
				  "Wait a few seconds; the one you have goes on.");
	snprintf(want.view, sizeof want.view, "%s", v->view);
	err = leg_check_view(p->leg, &want, why);
	if (!err)
		err = load_admit_view(p, &want, why);
	return err ? err : leg_set_view(p->leg, &want, why);
}

static int api_act(void *ctx, struct leg_handle *p, const struct client_msg *m, struct errmsg *why)
{
	(void)ctx;
	role_assert_ctl();
	if (!p->hall || p->hall->parlour)
		return errmsg_set(why, -EAGAIN, "not_joined", "Wait for `welcome` first.");
	return moderation_act(p, m, why);
}

static int api_record(void *ctx, struct leg_handle *p, const struct record_wish *wish,
		      struct errmsg *why)
{
	static const char *const audit[] = {
		[RECORD_START] = "recording_started", [RECORD_STOP] = "recording_stopped",
		[RECORD_PAUSE] = "recording_paused", [RECORD_RESUME] = "recording_resumed",
	};

	(void)ctx;
	role_assert_ctl();
	if (!p->hall || p->hall->parlour)
		return errmsg_set(why, -EAGAIN, "not_joined", "Wait for `welcome` first.");
	if (!moderation_may_record(p))
		return errmsg_set(why, -EACCES, "not_allowed", !strcmp(p->hall->rules.record, "nobody") ?
				  "Nobody may record this room." :
				  "Only hosts may record this room. Ask one of them.");
	hall_audit(p, audit[wish->action], NULL);
	return hall_record(p->hall, wish, p->name, why);
}

static int api_stats(void *ctx, struct leg_handle *p, struct leg_stats *out)
{
	(void)ctx;
	role_assert_ctl();
	return p->leg ? quality_stats(p, out) : -EAGAIN;
}

static void api_key_frame(void *ctx, struct leg_handle *p)
{
	(void)ctx;
	role_assert_ctl();
	if (p->leg)
		leg_want_picture(p->leg);
}

const struct room_api conference_api = {
	.key_frame = api_key_frame,
	.join = api_join,
	.leave = api_leave,
	.local = api_local,
	.negotiated = api_negotiated,
	.remote_candidate = api_candidate,
	.mute = api_mute,
	.view = api_view,
	.act = api_act,
	.record = api_record,
	.stats = api_stats,
	.prompt = prompting_play,
	.hear = prompting_hear,
	.digits = prompting_digits,
	.digit_in = prompting_digit_in,
};
