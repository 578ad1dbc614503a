/* The legs of a running room with their numbers, for its owner, its hosts and
 * administrators. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "mcu/routes_priv.h"

static json_t *flow_json(const struct leg_net_flow *f, bool up)
{
	json_t *o = json_pack("{s:f, s:f, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
			      "loss", f->loss, "jitter_ms", f->jitter_ms,
			      "packets", (json_int_t)f->packets, "octets", (json_int_t)f->octets,
			      "ssrc", (json_int_t)f->ssrc, "rtx_ssrc", (json_int_t)f->rtx_ssrc,
			      "nacks", (json_int_t)f->nacks,
			      "plis", (json_int_t)f->plis, "firs", (json_int_t)f->firs,
			      "rtx_packets", (json_int_t)f->rtx_packets);

	if (!o)
		return NULL;
	json_object_set_new(o, "codec", f->codec == CODEC_NONE ? json_null() :
							    json_string(codec_name(f->codec)));
	if (up) {
		json_object_set_new(o, "rid", f->rid[0] ? json_string(f->rid) : json_null());
		json_object_set_new(o, "repaired", json_integer((json_int_t)f->repaired));
		json_object_set_new(o, "frames_dropped",
				    json_integer((json_int_t)f->frames_dropped));
	} else {
		json_object_set_new(o, "refused", json_integer((json_int_t)f->refused));
	}
	return o;
}

/* content: NULL: none can be. */
static json_t *way_json(const struct stream_stats *s, const struct leg_net_flow *audio,
			const struct leg_net_flow *video, const struct leg_net_flow *content,
			bool up)
{
	return json_pack("{s:f, s:f, s:f, s:o?, s:o?, s:o*}", "loss", s->loss, "jitter_ms",
			 s->jitter_ms, "kbps", s->kbps, "audio", flow_json(audio, up), "video",
			 flow_json(video, up), "content",
			 content && content->packets ? flow_json(content, up) : NULL);
}

static void add_leg(void *obj, const struct conference_leg *l)
{
	const struct leg_info *i = &l->info;
	json_t *tile = i->tile.w ? json_pack("{s:i, s:i, s:i, s:i}", "x", i->tile.x, "y", i->tile.y,
					     "width", i->tile.w, "height", i->tile.h) : json_null();

	json_array_append_new(obj, json_pack(
		"{s:f, s:b, s:b, "
		"s:I, s:b, s:s, s:s, s:s, s:b, s:b, s:I, s:b, s:b, s:b, s:b, s:b, s:f, s:f, s:I, s:I, s:s, s:b, "
		"s:o, s:o?, s:o?}",
		"gain_db", (double)i->volume_db, "agc", i->auto_gain,
		"noise_suppression", i->noise_suppression,
		"leg", (json_int_t)i->id, "presents", i->presents, "name", i->name, "address", l->address,
		"role", l->host ? "host" : "participant", "hand", l->hand,
		"signed_in", l->user_id != 0, "joined_ms", (json_int_t)l->joined_ms,
		"connected", i->connected, "audio", i->sends_audio, "video", i->sends_video,
		"audio_muted", i->audio_muted, "video_muted", i->video_muted,
		"score", l->stats.score, "rtt_ms", l->net.rtt_ms,
		"remb_bps", (json_int_t)l->net.remb_bps,
		"view_height", (json_int_t)i->view_height, "view", i->view,
		"switching", i->switching, "tile", tile,
		"uplink", way_json(&l->stats.uplink, &l->net.uplink_audio, &l->net.uplink_video,
				   &l->net.uplink_content, true),
		"downlink", way_json(&l->stats.downlink, &l->net.downlink_audio,
				     &l->net.downlink_video, NULL, false)));
}

ON_THREAD(ROLE_CTL) static void show(struct wait *w)
{
	json_t *legs = json_array();

	conference_legs(w->routes->cfg.conference, w->name, add_leg, legs);
	wait_reply_json(w, 0, 200, json_pack("{s:o}", "legs", legs));
}

static void get_legs(void *ctx, struct http_req *req)
{
	struct wait *w;

	role_assert_ctl();
	w = wait_new(ctx, req);
	if (w && wait_room_name(w))
		wait_for_room_host(w, show);
}

int routes_legs_new(struct routes *r, struct server *s)
{
	return server_route(s, "GET", "/api/v1/rooms/:room/legs", get_legs, r);
}
