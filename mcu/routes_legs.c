/* The legs of a running room with their numbers, for its owner, its hosts and
 * administrators. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "mcu/routes_priv.h"
#include "signaling/protocol.h"

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
		"{s:s, s:s, s:f, s:b, s:b, "
		"s:I, s:b, s:s, s:s, s:s, s:b, s:b, s:I, s:b, s:b, s:b, s:b, s:b, s:f, s:f, s:I, s:I, s:s, s:b, "
		"s:o, s:o?, s:o?}",
		"kind", leg_kind_name(l->kind), "number", l->number,
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
				     &l->net.downlink_video, &l->net.downlink_content, false)));
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

/* --- name and volume of one ------------------------------------------------------ */

ON_THREAD(ROLE_CTL) static void change(struct wait *w)
{
	struct conference *c = w->routes->cfg.conference;
	const char *name = json_string_value(json_object_get(w->body, "name"));
	const json_t *gain = json_object_get(w->body, "gain_db");
	struct errmsg why;
	int err = 0;

	if (name && !protocol_name_valid(name)) {
		wait_refuse(w, 400, "name_invalid", "A name has 1 to 64 characters, no control "
			    "characters and no blank at its ends.");
		return;
	}
	if (name)
		err = conference_rename(c, w->name, (uint32_t)w->id, name, &why);
	if (!err && gain)
		err = conference_set_volume(c, w->name, (uint32_t)w->id,
					    (double)json_integer_value(gain), &why);
	if (err == -ENOENT)
		wait_refuse(w, 404, "not_found", "%s", why.text);
	else if (err)
		wait_refuse(w, 500, why.code, "%s", why.text);
	else
		wait_reply_nothing(w);
}

static void patch_leg(void *ctx, struct http_req *req)
{
	const char *name = NULL;
	int64_t gain = 0;
	const struct rest_field fields[] = {
		{ "name", REST_TEXT, false, 1, 4 * PROTOCOL_MAX_NAME, .text = &name },
		{ "gain_db", REST_INT, false, PROTOCOL_MIN_GAIN_DB, PROTOCOL_MAX_GAIN_DB,
		  .number = &gain },
	};
	struct wait *w;

	role_assert_ctl();
	w = wait_new(ctx, req);
	if (!w || !wait_room_name(w) || !rest_read(w, fields, 2))
		return;
	w->id = g_ascii_strtoll(http_req_param(req, "leg"), NULL, 10);
	if (w->id < 1 || w->id > UINT32_MAX)
		wait_refuse(w, 404, "not_found", "Nobody has that number.");
	else
		wait_for_room_host(w, change);
}

int routes_legs_new(struct routes *r, struct server *s)
{
	int err = server_route(s, "GET", "/api/v1/rooms/:room/legs", get_legs, r);

	return err ? err : server_route(s, "PATCH", "/api/v1/rooms/:room/legs/:leg", patch_leg, r);
}
