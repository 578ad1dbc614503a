/* A participant's line in the summary. */
#include <string.h>

#include "tests/load/peer.h"
#include "tests/load/util.h"

static const char *const KINDS[PEER_KINDS] = { "sender", "viewer",  "stall",
					       "vanish", "garbage", "signaling", "flood", "rush" };
static const char *const STATES[] = { "waiting", "opening", "joining", "connecting",
				      "up",	 "leaving", "ended" };
static const char *const PROFILES[] = { "none", "gcm", "cm" };

static void put_ms(json_t *o, const char *key, double ms)
{
	json_object_set_new(o, key, ms < 0 ? json_null() : json_real(ms));
}

static void put_n(json_t *o, const char *key, uint64_t n)
{
	json_object_set_new(o, key, json_integer((json_int_t)n));
}

static json_t *describe_stream(const struct seqstat *s)
{
	json_t *o = json_object();

	put_n(o, "packets", s->packets);
	put_n(o, "bytes", s->octets);
	json_object_set_new(o, "lost", json_integer(seqstat_lost(s)));
	put_n(o, "dup", s->dup);
	put_n(o, "reordered", s->reordered);
	put_n(o, "ancient", s->ancient);
	put_ms(o, "max_gap_ms", (double)s->max_gap_ns / 1e6);
	return o;
}

static void put_delay(json_t *o, const struct delay *d)
{
	if (d->count)
		json_object_set_new(o, "delay_ms",
				    json_pack("{s:i, s:i, s:i, s:i}", "p50",
					      delay_percentile(d, 0.5), "p95",
					      delay_percentile(d, 0.95), "p99",
					      delay_percentile(d, 0.99), "max",
					      delay_percentile(d, 1)));
}

static json_t *describe_colours(const struct peer *p, const struct peer_view *v)
{
	const struct picture *pic = receiver_picture(p->receiver);
	json_t *list = json_array();
	uint8_t c[3];

	for (size_t i = 0; i < p->tiles; i++) {
		const struct peer_tile *t = &p->tile[i];
		int x = t->x + t->width / 2, y = t->y + t->height / 2;

		/* the picture may be smaller than the canvas */
		if (p->canvas_width && p->canvas_height) {
			x = x * picture_width(pic) / p->canvas_width;
			y = y * picture_height(pic) / p->canvas_height;
		}

		if (picture_rgb(pic, x, y, c))
			json_array_append_new(list,
					      json_pack("{s:i,s:b,s:i,s:i,s:[i,i,i]}", "leg", t->leg,
							"content", t->content, "x", x, "y", y, "rgb",
							c[0], c[1], c[2]));
	}
	for (size_t i = 0; i < v->points_n; i++)
		if (picture_rgb(pic, v->points[i][0], v->points[i][1], c))
			json_array_append_new(list, json_pack("{s:i,s:i,s:[i,i,i]}", "x",
							      v->points[i][0], "y", v->points[i][1],
							      "rgb", c[0], c[1], c[2]));
	return list;
}

static json_t *describe_tones(const struct peer *p, const struct peer_view *v)
{
	json_t *list = json_array();

	for (size_t i = 0; i < v->tones_n; i++)
		json_array_append_new(
			list, json_pack("{s:f,s:f}", "hz", v->tones[i], "dbfs",
					tone_level_dbfs(receiver_tone(p->receiver), v->tones[i])));
	return list;
}

static void describe_received(json_t *o, const struct peer *p, const struct peer_view *v)
{
	const struct receiver_stats *s = receiver_stats(p->receiver);
	json_t *video = describe_stream(&s->video), *audio = describe_stream(&s->audio);

	put_n(video, "frames", s->frames);
	put_n(video, "key_frames", s->key_frames);
	put_n(video, "undecodable", s->undecodable);
	put_n(video, "freezes", s->freezes);
	put_delay(video, &s->video_delay);
	put_delay(audio, &s->audio_delay);
	put_ms(video, "gap_when_ready_ms", (double)s->marked_frame_gap_ns / 1e6);
	put_ms(audio, "gap_when_ready_ms", (double)s->marked_audio_gap_ns / 1e6);
	put_ms(video, "max_frame_gap_ms", (double)s->max_frame_gap_ns / 1e6);
	put_ms(video, "fps",
	       s->frames > 1 ? (double)(s->frames - 1) * 1e9 /
				       (double)(s->last_frame_ns - s->first_frame_ns)
			     : 0);
	json_object_set_new(o, "video", video);
	json_object_set_new(o, "audio", audio);
	put_n(o, "unknown_pt", s->unknown_pt);
	put_n(o, "malformed", s->malformed);
	put_n(o, "nacks_sent", s->nacks_sent);
	put_n(o, "plis_sent", s->plis_sent);
	put_n(o, "feedback_sent", s->feedback_sent);
	if (!receiver_picture(p->receiver))
		return;
	put_n(video, "decoded", picture_count(receiver_picture(p->receiver)));
	put_n(video, "width", (uint64_t)picture_width(receiver_picture(p->receiver)));
	put_n(video, "height", (uint64_t)picture_height(receiver_picture(p->receiver)));
	put_n(audio, "decoded", tone_packets(receiver_tone(p->receiver)));
	put_n(o, "decode_errors", s->decode_errors);
	json_object_set_new(o, "colours", describe_colours(p, v));
	json_object_set_new(o, "tones", describe_tones(p, v));
}

static json_t *describe_sent(const struct sender_stats *s)
{
	json_t *o = json_object();

	put_n(o, "audio_packets", s->audio_packets);
	put_n(o, "video_packets", s->video_packets);
	put_n(o, "video_frames", s->video_frames);
	put_n(o, "content_frames", s->content_frames);
	put_n(o, "bytes", s->octets);
	put_n(o, "dropped_on_purpose", s->dropped);
	put_n(o, "nacked", s->nacked);
	put_n(o, "retransmitted", s->retransmitted);
	put_n(o, "key_requests", s->key_requests);
	put_n(o, "key_jumps", s->key_jumps);
	put_n(o, "late", s->late);
	put_n(o, "late_on_purpose", s->held);
	put_n(o, "video_width", (uint64_t)s->width);
	put_n(o, "video_height", (uint64_t)s->height);
	put_n(o, "frames_nobody_sees", s->unseen);
	return o;
}

static json_t *describe_rtcp(const struct peer *p)
{
	json_t *o = json_object();

	put_n(o, "sr", p->rtcp.sr);
	put_n(o, "rr", p->rtcp.rr);
	put_n(o, "nack", p->rtcp.nack);
	put_n(o, "pli", p->rtcp.pli);
	put_n(o, "fir", p->rtcp.fir);
	put_n(o, "remb", p->rtcp.remb);
	put_n(o, "twcc", p->rtcp.twcc);
	put_n(o, "bye", p->rtcp.bye);
	put_n(o, "other", p->rtcp.other);
	put_n(o, "malformed", p->rtcp.malformed);
	json_object_set_new(o, "worst_reported_loss", json_real(p->rtcp.worst_fraction));
	return o;
}

static json_t *describe_tiles(const struct peer *p)
{
	json_t *list = json_array();

	for (size_t i = 0; i < p->tiles; i++) {
		const struct peer_tile *t = &p->tile[i];

		json_array_append_new(list, json_pack("{s:i, s:i, s:i, s:i, s:i, s:b}", "leg", t->leg,
						      "x", t->x, "y", t->y, "width", t->width,
						      "height", t->height, "content", t->content));
	}
	return list;
}

static json_t *describe_events(const struct peer *p)
{
	json_t *o = json_object();

	put_n(o, "joined", p->seen.joined);
	put_n(o, "left", p->seen.left);
	put_n(o, "muted", p->seen.muted);
	put_n(o, "speaker", p->seen.speaker);
	put_n(o, "layout", p->seen.layout);
	put_n(o, "uplink", p->seen.uplink);
	put_n(o, "recording", p->seen.recording);
	put_n(o, "error", p->seen.error);
	put_n(o, "other", p->seen.other);
	put_n(o, "layout_tiles", p->tiles);
	if (p->cfg.decode || p->cfg.file)
		json_object_set_new(o, "tiles", describe_tiles(p));
	return o;
}

json_t *peer_describe(const struct peer *p, const struct peer_view *v)
{
	const struct link_stats *l = p->link ? link_stats(p->link) : &p->link_stats;
	json_t *o = json_pack("{s:s, s:s, s:s, s:i, s:s}", "name", p->cfg.name, "kind",
			      KINDS[p->cfg.kind], "state", STATES[p->state], "leg", p->leg,
			      "profile", PROFILES[l->profile]);

	put_ms(o, "welcome_ms", peer_welcome_ms(p));
	put_ms(o, "connected_ms", peer_connected_ms(p));
	put_ms(o, "first_frame_ms", peer_first_frame_ms(p));
	put_n(o, "auth_fail", l->auth_fail);
	put_n(o, "replayed", l->replayed);
	put_n(o, "not_media", l->not_media);
	put_n(o, "dropped_on_purpose", l->dropped);
	if (p->receiver)
		describe_received(o, p, v);
	if (p->sender)
		json_object_set_new(o, "sent", describe_sent(sender_stats(p->sender)));
	if (p->uplink.known)
		json_object_set_new(o, "uplink",
				    json_pack("{s:i, s:i, s:i, s:i, s:b}", "width", p->uplink.width,
					      "height", p->uplink.height, "fps", p->uplink.fps,
					      "max_kbps", p->uplink.max_kbps, "visible",
					      p->uplink.visible));
	json_object_set_new(o, "rtcp", describe_rtcp(p));
	json_object_set_new(o, "events", describe_events(p));
	if (p->garbage_sent)
		put_n(o, "garbage_sent", p->garbage_sent);
	if (p->last_code[0])
		json_object_set_new(o, "last_error_code", json_string(p->last_code));
	if (p->bye[0])
		json_object_set_new(o, "bye", json_string(p->bye));
	json_object_set_new(o, "error", p->error[0] ? json_string(p->error) : json_null());
	return o;
}
