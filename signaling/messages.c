#include "signaling/protocol.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/utf8.h"

/* Text from outside may be anything; JSON must be UTF-8. */
static json_t *text_json(const char *text)
{
	if (utf8_valid(text))
		return json_string(text);
	char *copy = strdup(text);
	if (!copy)
		return NULL;
	for (const char *p = copy; *p;) {
		uint32_t c;
		if (!utf8_next(&p, &c))
			copy[p - copy] = '?';
	}
	json_t *v = json_string(copy);
	free(copy);
	return v;
}

static void set_text(json_t *o, const char *name, const char *text)
{
	if (text)
		json_object_set_new(o, name, text_json(text));
}

static void set_int(json_t *o, const char *name, int64_t v)
{
	json_object_set_new(o, name, json_integer(v));
}

static void set_bool(json_t *o, const char *name, bool v)
{
	json_object_set_new(o, name, json_boolean(v));
}

/* Rounded, so that a message is not full of digits nobody reads. */
static void set_real(json_t *o, const char *name, double v, double steps)
{
	json_object_set_new(o, name, json_real(isfinite(v) ? round(v * steps) / steps : 0.0));
}

static json_t *msg_new(const char *type, const char *id)
{
	json_t *o = json_object();
	set_text(o, "type", type);
	if (id && *id)
		set_text(o, "id", id);
	return o;
}

static char *msg_done(json_t *o)
{
	char *text = o ? json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(6)) : NULL;
	json_decref(o);
	return text;
}

const char *leg_kind_name(enum leg_kind k)
{
	static const char *const names[] = { "browser", "phone", "whip", "rtsp", "playback" };

	return names[(unsigned)k < 5 ? k : LEG_KIND_BROWSER];
}

static json_t *participant_json(const struct participant *p)
{
	json_t *o = json_object();
	set_int(o, "leg", p->leg);
	set_text(o, "name", p->name);
	set_bool(o, "audio_muted", p->audio_muted);
	set_bool(o, "video_muted", p->video_muted);
	set_bool(o, "audio", p->audio);
	set_bool(o, "video", p->video);
	set_text(o, "role", p->host ? "host" : "participant");
	set_bool(o, "hand", p->hand);
	/* what is the rule is not said */
	if (p->kind != LEG_KIND_BROWSER)
		set_text(o, "kind", leg_kind_name(p->kind));
	set_text(o, "number", p->number);
	if (p->gain_db > 0 || p->gain_db < 0)
		set_real(o, "gain_db", p->gain_db, 10);
	if (p->agc)
		set_bool(o, "agc", true);
	if (p->noise_suppression)
		set_bool(o, "noise_suppression", true);
	return o;
}

static void set_policy(json_t *o, const struct room_policy_info *p)
{
	set_bool(o, "locked", p->locked);
	set_bool(o, "lobby", p->lobby);
	set_bool(o, "guest_pin", p->guest_pin);
	set_bool(o, "host_pin", p->host_pin);
	set_text(o, "record", record_right_name(p->record));
	set_bool(o, "unmute", p->unmute);
	set_bool(o, "stereo", p->stereo);
	if (p->record_sound_only)
		set_bool(o, "record_video", false);
	if (p->record_tracks)
		set_bool(o, "record_tracks", true);
	if (p->number && *p->number)
		set_text(o, "number", p->number);
}

static void set_recording(json_t *o, const struct recording_info *r)
{
	set_text(o, "state", recording_event_name(r->state));
	set_text(o, "recording", r->id);
	set_text(o, "by", r->by);
	set_text(o, "url", r->url);
	set_text(o, "text", r->text);
	if (r->sound_only)
		set_bool(o, "video", false);
	if (r->tracks)
		set_bool(o, "tracks", true);
}

static json_t *ice_server_json(const struct ice_server_info *s)
{
	json_t *o = json_object();
	set_text(o, "urls", s->url);
	set_text(o, "username", s->username);
	set_text(o, "credential", s->credential);
	return o;
}

char *msg_welcome(const char *id, const struct welcome_info *w)
{
	json_t *o = msg_new("welcome", id);
	set_int(o, "leg", w->leg);
	set_text(o, "room", w->room);
	set_text(o, "name", w->name);
	set_text(o, "resume", w->resume);
	json_t *list = json_array();
	for (size_t i = 0; i < w->n_participants; i++)
		json_array_append_new(list, participant_json(&w->participants[i]));
	json_object_set_new(o, "participants", list);
	list = json_array();
	for (size_t i = 0; i < w->n_ice_servers; i++)
		json_array_append_new(list, ice_server_json(&w->ice_servers[i]));
	json_object_set_new(o, "ice_servers", list);
	json_t *canvas = json_object();
	set_int(canvas, "width", w->canvas_width);
	set_int(canvas, "height", w->canvas_height);
	set_int(canvas, "fps", w->canvas_fps);
	json_object_set_new(o, "canvas", canvas);
	json_t *recording = json_object();
	set_recording(recording, &w->recording);
	json_object_set_new(o, "recording", recording);
	set_text(o, "version", w->version);
	set_text(o, "role", w->host ? "host" : "participant");
	json_t *policy = json_object();
	set_policy(policy, &w->policy);
	json_object_set_new(o, "room_policy", policy);
	return msg_done(o);
}

char *msg_answer(const char *id, const char *sdp)
{
	json_t *o = msg_new("answer", id);
	set_text(o, "sdp", sdp);
	return msg_done(o);
}

char *msg_offer(const char *sdp)
{
	json_t *o = msg_new("offer", NULL);
	set_text(o, "sdp", sdp);
	return msg_done(o);
}

char *msg_ice(const char *candidate, const char *mid)
{
	json_t *o = msg_new("ice", NULL);
	set_text(o, "candidate", candidate);
	set_text(o, "mid", mid);
	return msg_done(o);
}

char *msg_joined(const struct participant *p)
{
	json_t *o = msg_new("joined", NULL);
	json_object_set_new(o, "participant", participant_json(p));
	return msg_done(o);
}

char *msg_left(uint32_t leg, const char *reason)
{
	json_t *o = msg_new("left", NULL);
	set_int(o, "leg", leg);
	set_text(o, "reason", reason);
	return msg_done(o);
}

char *msg_muted(uint32_t leg, bool audio, bool video, uint32_t by)
{
	json_t *o = msg_new("muted", NULL);
	set_int(o, "leg", leg);
	set_bool(o, "audio", audio);
	set_bool(o, "video", video);
	if (by)
		set_int(o, "by", by);
	return msg_done(o);
}

char *msg_speaker(uint32_t leg)
{
	json_t *o = msg_new("speaker", NULL);
	json_object_set_new(o, "leg", leg ? json_integer(leg) : json_null());
	return msg_done(o);
}

static json_t *legs_json(const uint32_t *leg, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, leg[i] ? json_integer(leg[i]) : json_null());
	return list;
}

static void set_leg(json_t *o, const char *name, uint32_t leg)
{
	json_object_set_new(o, name, leg ? json_integer(leg) : json_null());
}

static json_t *overlays_json(const struct layout_info *l)
{
	json_t *o = json_object();
	char rgb[16];

	snprintf(rgb, sizeof rgb, "#%06x", (unsigned)l->background_rgb & 0xffffff);
	set_text(o, "banner", l->banner ? l->banner : "");
	set_bool(o, "clock", l->clock);
	set_bool(o, "recording_time", l->recording_time);
	set_bool(o, "logo", l->logo);
	set_bool(o, "names", l->names);
	set_bool(o, "speaker_border", l->border);
	set_text(o, "background", l->background_picture ? "picture" : rgb);
	return o;
}

static void set_layout_settings(json_t *o, const struct layout_info *l)
{
	set_text(o, "layout", l->layout);
	set_text(o, "fit", l->crop ? "crop" : "fit");
	set_bool(o, "hide_no_video", l->hide_no_video);
	set_bool(o, "speaker_view", l->speaker_view);
	if (l->order)
		set_text(o, "order", l->order);
	else
		json_object_set_new(o, "order", legs_json(l->hand, l->n_hand));
	json_object_set_new(o, "pin", legs_json(l->pin, l->n_pins));
	set_int(o, "max_tiles", l->max_tiles);
	set_int(o, "page", l->page);
	set_int(o, "pages", l->pages);
	set_leg(o, "speaker", l->speaker);
	set_leg(o, "content", l->content);
	json_object_set_new(o, "overlays", overlays_json(l));
}

char *msg_layout(const struct layout_info *l)
{
	json_t *o = msg_new("layout", NULL), *tiles = json_array();
	set_text(o, "view", l->view ? l->view : "main");
	set_int(o, "version", l->version);
	set_int(o, "width", l->width);
	set_int(o, "height", l->height);
	if (l->layout)
		set_layout_settings(o, l);
	for (size_t i = 0; i < l->n_tiles; i++) {
		const struct layout_tile *t = &l->tiles[i];
		json_t *tile = json_object();
		set_int(tile, "leg", t->leg);
		if (t->content)
			set_bool(tile, "content", true);
		set_int(tile, "x", t->x);
		set_int(tile, "y", t->y);
		set_int(tile, "width", t->width);
		set_int(tile, "height", t->height);
		set_int(tile, "z", t->z);
		json_array_append_new(tiles, tile);
	}
	json_object_set_new(o, "tiles", tiles);
	return msg_done(o);
}

char *msg_views(const struct views_info *v)
{
	json_t *o = msg_new("views", NULL), *list = json_array();

	for (size_t i = 0; i < v->n; i++) {
		json_t *view = json_object();

		set_text(view, "view", v->views[i].view);
		set_text(view, "for", v->views[i].rule);
		json_array_append_new(list, view);
	}
	json_object_set_new(o, "views", list);
	return msg_done(o);
}

static json_t *uplink_json(const struct uplink_picture *p)
{
	json_t *o = json_object();
	set_int(o, "width", p->width);
	set_int(o, "height", p->height);
	set_int(o, "fps", p->fps);
	set_int(o, "max_kbps", p->max_kbps);
	set_bool(o, "visible", p->visible);
	return o;
}

char *msg_uplink(const struct uplink_info *u)
{
	json_t *o = msg_new("uplink", NULL);
	json_object_set_new(o, "video", uplink_json(&u->video));
	if (u->has_content)
		json_object_set_new(o, "content", uplink_json(&u->content));
	return msg_done(o);
}

char *msg_present_over(uint32_t by, bool by_host)
{
	json_t *o = msg_new("present", NULL);
	set_bool(o, "on", false);
	set_int(o, "by", by);
	set_text(o, "reason", by_host ? "host" : "replaced");
	return msg_done(o);
}

char *msg_recording(const char *id, const struct recording_info *r)
{
	json_t *o = msg_new("recording", id);
	set_recording(o, r);
	return msg_done(o);
}

static json_t *stream_json(const struct stream_stats *s)
{
	json_t *o = json_object();
	set_real(o, "loss", s->loss, 10000);
	set_real(o, "jitter_ms", s->jitter_ms, 10);
	set_real(o, "rtt_ms", s->rtt_ms, 10);
	set_real(o, "kbps", s->kbps, 10);
	return o;
}

char *msg_stats(const char *id, const struct leg_stats *s)
{
	json_t *o = msg_new("stats", id);
	json_object_set_new(o, "uplink", stream_json(&s->uplink));
	json_object_set_new(o, "downlink", stream_json(&s->downlink));
	set_int(o, "view_height", s->view_height);
	set_real(o, "score", s->score, 10);
	return msg_done(o);
}

char *msg_pong(const char *id)
{
	return msg_done(msg_new("pong", id));
}

char *msg_error(const char *id, const struct errmsg *e, bool fatal)
{
	json_t *o = msg_new("error", id);
	set_text(o, "code", e->code);
	set_text(o, "text", e->text);
	set_bool(o, "fatal", fatal);
	return msg_done(o);
}

char *msg_bye(const char *id, const char *reason, const char *text)
{
	json_t *o = msg_new("bye", id);
	set_text(o, "reason", reason);
	set_text(o, "text", text);
	return msg_done(o);
}

char *msg_lobby(const char *id, const char *text)
{
	json_t *o = msg_new("lobby", id);
	set_text(o, "text", text);
	return msg_done(o);
}

char *msg_waiting(const struct waiting_info *w)
{
	json_t *o = msg_new("waiting", NULL), *people = json_array();
	for (size_t i = 0; i < w->n; i++) {
		json_t *one = json_object();
		set_int(one, "waiting", w->people[i].waiting);
		set_text(one, "name", w->people[i].name);
		json_array_append_new(people, one);
	}
	json_object_set_new(o, "people", people);
	return msg_done(o);
}

char *msg_chat(const struct chat_info *c)
{
	json_t *o = msg_new("chat", NULL);
	set_int(o, "leg", c->leg);
	set_text(o, "name", c->name);
	set_text(o, "text", c->text);
	set_int(o, "at", c->at_ms);
	if (c->to)
		set_int(o, "to", c->to);
	if (c->history)
		set_bool(o, "history", true);
	return msg_done(o);
}

char *msg_hand(uint32_t leg, bool raised)
{
	json_t *o = msg_new("hand", NULL);
	set_int(o, "leg", leg);
	set_bool(o, "raised", raised);
	return msg_done(o);
}

char *msg_sound(const struct sound_info *s)
{
	json_t *o = msg_new("sound", NULL);

	set_int(o, "leg", s->leg);
	set_real(o, "gain_db", s->gain_db, 10);
	set_bool(o, "agc", s->agc);
	set_bool(o, "noise_suppression", s->noise_suppression);
	return msg_done(o);
}

char *msg_room(const struct room_policy_info *p)
{
	json_t *o = msg_new("room", NULL);
	set_policy(o, p);
	return msg_done(o);
}

char *msg_call(const struct call_info *c)
{
	json_t *o = msg_new("call", NULL);

	set_int(o, "call", c->call);
	set_text(o, "state", c->state);
	set_text(o, "number", c->number);
	if (*c->name)
		set_text(o, "name", c->name);
	if (*c->text)
		set_text(o, "text", c->text);
	if (c->leg)
		set_int(o, "leg", c->leg);
	return msg_done(o);
}

char *msg_playback(const char *id, const struct playback_event *p)
{
	json_t *o = msg_new("playback", id);

	set_int(o, "playback", p->playback);
	set_text(o, "state", p->state);
	set_text(o, "source", p->source);
	set_text(o, "title", *p->title ? p->title : NULL);
	set_text(o, "by", *p->by ? p->by : NULL);
	set_text(o, "text", *p->text ? p->text : NULL);
	set_text(o, "code", *p->code ? p->code : NULL);
	if (p->leg)
		set_int(o, "leg", p->leg);
	set_int(o, "position_ms", p->position_ms);
	if (p->duration_ms)
		set_int(o, "duration_ms", p->duration_ms);
	if (p->pages) {
		set_int(o, "page", p->page);
		set_int(o, "pages", p->pages);
	}
	set_bool(o, "loop", p->loop);
	set_bool(o, "content", p->content);
	set_bool(o, "seekable", p->seekable);
	return msg_done(o);
}

char *msg_push(const struct push_told *p)
{
	json_t *o = msg_new("push", NULL);

	set_int(o, "push", p->push);
	set_text(o, "state", p->state);
	set_text(o, "to", p->to);
	if (*p->text)
		set_text(o, "text", p->text);
	return msg_done(o);
}

char *msg_quality(const struct quality_info *q)
{
	json_t *o = msg_new("quality", NULL), *legs = json_array();
	for (size_t i = 0; i < q->n; i++) {
		json_t *one = json_object();
		set_int(one, "leg", q->legs[i].leg);
		set_real(one, "score", q->legs[i].score, 10);
		json_array_append_new(legs, one);
	}
	json_object_set_new(o, "legs", legs);
	return msg_done(o);
}

char *msg_overload(int level, const char *text)
{
	json_t *o = msg_new("overload", NULL);

	set_int(o, "level", level);
	json_object_set_new(o, "text", json_string(text));
	return msg_done(o);
}

char *msg_self_view(bool hidden, const char *text)
{
	json_t *o = msg_new("self_view", NULL);

	set_bool(o, "hidden", hidden);
	json_object_set_new(o, "text", json_string(text));
	return msg_done(o);
}
