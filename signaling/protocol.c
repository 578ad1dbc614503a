#include "signaling/protocol.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "signaling/utf8.h"

/* --- names -------------------------------------------------------------------- */

static bool blank(uint32_t c)
{
	return c == ' ' || c == 0xa0 || c == 0x3000 || (c >= 0x2000 && c <= 0x200a);
}

/* Control, format and other characters that do not show or that turn the text
 * around them: C0, C1, soft hyphen, zero width, bidirectional, line separators,
 * byte order mark, surrogates, private use, tags. */
static bool hidden(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c || c == 0x180e ||
	       (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff0 && c <= 0xfffb) ||
	       (c & 0xfffe) == 0xfffe || (c >= 0xe000 && c <= 0xf8ff) || c >= 0xe0000;
}

bool protocol_name_valid(const char *name)
{
	size_t n = 0;
	uint32_t first = 0, c = 0;
	for (const char *p = name; *p; n++) {
		if (!utf8_next(&p, &c) || hidden(c) || n == PROTOCOL_MAX_NAME)
			return false;
		if (!n)
			first = c;
	}
	return n && !blank(first) && !blank(c);
}

bool protocol_line_valid(const char *text)
{
	for (uint32_t c; *text;)
		if (!utf8_next(&text, &c) || hidden(c))
			return false;
	return true;
}

bool protocol_room_name_valid(const char *name)
{
	if (!protocol_name_valid(name))
		return false;
	uint32_t c;
	for (const char *p = name; *p;) {
		if (!utf8_next(&p, &c))
			return false;
		bool ascii = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			     (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
		if (c < 0x80 ? !ascii : !utf8_is_letter(c))
			return false;
	}
	/* "." and ".." are not names of folders and paths */
	return strcmp(name, ".") && strcmp(name, "..");
}

bool protocol_pin_valid(const char *pin)
{
	size_t n = strlen(pin);
	if (n < PROTOCOL_MIN_PIN || n > PROTOCOL_MAX_PIN)
		return false;
	for (const char *p = pin; *p; p++)
		if (*p < 0x21 || *p > 0x7e)
			return false;
	return true;
}

/* --- what clients say ----------------------------------------------------------- */

static const char *const type_names[] = {
	[CLIENT_MSG_INVALID] = "",	[CLIENT_MSG_JOIN] = "join",   [CLIENT_MSG_OFFER] = "offer",
	[CLIENT_MSG_ANSWER] = "answer", [CLIENT_MSG_ICE] = "ice",     [CLIENT_MSG_MUTE] = "mute",
	[CLIENT_MSG_RECORD] = "record", [CLIENT_MSG_STATS] = "stats", [CLIENT_MSG_PING] = "ping",
	[CLIENT_MSG_LEAVE] = "leave",	[CLIENT_MSG_CHAT] = "chat",   [CLIENT_MSG_HAND] = "hand",
	[CLIENT_MSG_MODERATE] = "moderate", [CLIENT_MSG_ADMIT] = "admit",
	[CLIENT_MSG_POLICY] = "policy", [CLIENT_MSG_LAYOUT] = "layout",
	[CLIENT_MSG_PRESENT] = "present", [CLIENT_MSG_VIEW] = "view",
	[CLIENT_MSG_VIEWS] = "views",	[CLIENT_MSG_VOLUME] = "volume",
	[CLIENT_MSG_SOUND] = "sound",	[CLIENT_MSG_RENAME] = "rename",
	[CLIENT_MSG_DIAL] = "dial",	[CLIENT_MSG_HANGUP] = "hangup",
	[CLIENT_MSG_PLAY] = "play",	[CLIENT_MSG_PLAYBACK] = "playback",
	[CLIENT_MSG_PLAYBACK_STOP] = "playback_stop",
};
enum {
	MAX_VIEW = 32,	/* characters of a view's name */
	MAX_DIAL = 256, /* of whom to call */
	MAX_URL = 1000, /* of a camera */
};
enum { N_TYPES = sizeof(type_names) / sizeof(type_names[0]) };

const char *client_msg_type_name(enum client_msg_type type)
{
	return (unsigned)type < N_TYPES ? type_names[type] : "";
}

static int bad_member(struct errmsg *why, const char *name, const char *what)
{
	return errmsg_set(why, -EINVAL, "bad_message", "The member \"%s\" %s.", name, what);
}

/* A string of at most max characters; without != NULL: what it is when absent. */
static int get_string(json_t *o, const char *name, size_t max, const char *without, bool required,
		      const char **out, struct errmsg *why)
{
	json_t *v = json_object_get(o, name);
	if (!v || json_is_null(v)) {
		*out = without;
		return required ? bad_member(why, name, "is missing") : 0;
	}
	if (!json_is_string(v))
		return bad_member(why, name, "must be a string");
	const char *s = json_string_value(v);
	if (strlen(s) != json_string_length(v))
		return bad_member(why, name, "must not contain a zero character");
	if (utf8_length(s) > max)
		return bad_member(why, name, "is too long");
	*out = s;
	return 0;
}

/* Secrets and candidates: visible ASCII and blanks only. */
static int get_token(json_t *o, const char *name, size_t max, const char *without, bool required,
		     const char **out, struct errmsg *why)
{
	int err = get_string(o, name, max, without, required, out, why);
	for (const char *p = err ? NULL : *out; p && *p; p++)
		if (*p < 0x20 || *p > 0x7e)
			return bad_member(why, name, "must be visible ASCII characters");
	return err;
}

static int get_tristate(json_t *o, const char *name, enum tristate *out, struct errmsg *why)
{
	json_t *v = json_object_get(o, name);
	*out = TRISTATE_UNSET;
	if (!v)
		return 0;
	if (!json_is_boolean(v))
		return bad_member(why, name, "must be true or false");
	*out = json_is_true(v) ? TRISTATE_TRUE : TRISTATE_FALSE;
	return 0;
}

static int name_invalid(struct errmsg *why)
{
	return errmsg_set(why, -EINVAL, "name_invalid",
			  "A name has 1 to 64 characters, no control characters and no blank at "
			  "its ends.");
}

static int parse_join(struct client_msg *m, json_t *o, struct errmsg *why)
{
	/* one more than allowed, so that a name that is too long is told as such */
	int err = get_string(o, "room", 1000, NULL, true, &m->u.join.room, why);
	if (!err)
		err = get_string(o, "name", 1000, NULL, true, &m->u.join.name, why);
	if (!err)
		err = get_token(o, "pin", 64, NULL, false, &m->u.join.pin, why);
	if (!err)
		err = get_token(o, "token", 4096, NULL, false, &m->u.join.token, why);
	if (!err)
		err = get_token(o, "resume", 128, NULL, false, &m->u.join.resume, why);
	if (err)
		return err;
	if (!protocol_room_name_valid(m->u.join.room))
		return errmsg_set(why, -EINVAL, "room_name_invalid",
				  "A room's name has 1 to 64 letters, digits, dots, hyphens or "
				  "underscores.");
	return protocol_name_valid(m->u.join.name) ? 0 : name_invalid(why);
}

static int parse_sdp(struct client_msg *m, json_t *o, struct errmsg *why)
{
	int err = get_string(o, "sdp", PROTOCOL_MAX_BYTES, NULL, true, &m->u.sdp.text, why);
	m->u.sdp.len = err ? 0 : strlen(m->u.sdp.text);
	return err ? err : get_token(o, "content", 32, "", false, &m->u.sdp.content, why);
}

static int parse_ice(struct client_msg *m, json_t *o, struct errmsg *why)
{
	/* browsers say null, or a member with an empty string, for the last one */
	json_t *v = json_object_get(o, "candidate");
	if (!v)
		return bad_member(why, "candidate", "is missing");
	int err = get_token(o, "candidate", 512, "", false, &m->u.ice.candidate, why);
	return err ? err : get_token(o, "mid", 32, "", false, &m->u.ice.mid, why);
}

static int parse_mute(struct client_msg *m, json_t *o, struct errmsg *why)
{
	int err = get_tristate(o, "audio", &m->u.mute.audio, why);
	return err ? err : get_tristate(o, "video", &m->u.mute.video, why);
}

static int parse_record(struct client_msg *m, json_t *o, struct errmsg *why)
{
	struct record_wish *w = &m->u.record;
	const char *action, *container, *sound;
	int err = get_string(o, "action", 16, NULL, true, &action, why);
	if (!err)
		err = get_tristate(o, "video", &w->video, why);
	if (!err)
		err = get_tristate(o, "tracks", &w->tracks, why);
	if (!err)
		err = get_string(o, "container", 16, NULL, false, &container, why);
	if (!err)
		err = get_string(o, "audio", 16, NULL, false, &sound, why);
	if (err)
		return err;
	w->action = record_action_parse(action);
	if (!w->action)
		return bad_member(why, "action", "must be \"start\", \"stop\", \"pause\" or "
				  "\"resume\"");
	if (container && !(w->container = record_container_parse(container)))
		return bad_member(why, "container", "must be \"mp4\" or \"mkv\"");
	if (sound && !(w->sound = record_sound_parse(sound)))
		return bad_member(why, "audio", "must be \"aac\" or \"opus\"");
	return 0;
}

static int get_bool(json_t *o, const char *name, bool *out, struct errmsg *why)
{
	enum tristate t;
	int err = get_tristate(o, name, &t, why);
	if (err)
		return err;
	*out = t == TRISTATE_TRUE;
	return t == TRISTATE_UNSET ? bad_member(why, name, "is missing") : 0;
}

/* A number of somebody, from 1; absent or null: 0. */
static int get_number(json_t *o, const char *name, uint32_t *out, struct errmsg *why)
{
	json_t *v = json_object_get(o, name);
	*out = 0;
	if (!v || json_is_null(v))
		return 0;
	json_int_t n = json_integer_value(v);
	if (!json_is_integer(v) || n < 1 || n > UINT32_MAX)
		return bad_member(why, name, "must be a whole number greater than 0");
	*out = (uint32_t)n;
	return 0;
}

/* Text of several lines: no control characters but line feeds and tabs, none
 * that turn the text around them, and not only blanks. */
static bool chat_text_valid(const char *text)
{
	bool seen = false;
	uint32_t c;
	for (const char *p = text; *p;) {
		if (!utf8_next(&p, &c))
			return false;
		if (c == '\n' || c == '\t')
			continue;
		/* joiners make emoji and the shapes of some scripts */
		if (hidden(c) && c != 0x200c && c != 0x200d)
			return false;
		seen = seen || !blank(c);
	}
	return seen;
}

static int parse_chat(struct client_msg *m, json_t *o, struct errmsg *why)
{
	int err = get_string(o, "text", PROTOCOL_MAX_CHAT, NULL, true, &m->u.chat.text, why);
	if (!err && !chat_text_valid(m->u.chat.text))
		err = bad_member(why, "text", "must have something to read and no control characters");
	return err ? err : get_number(o, "to", &m->u.chat.to, why);
}

static int parse_moderate(struct client_msg *m, json_t *o, struct errmsg *why)
{
	static const char *const actions[] = {
		[MODERATE_MUTE] = "mute", [MODERATE_CAMERA_OFF] = "camera_off",
		[MODERATE_CONTENT_OFF] = "content_off",
		[MODERATE_LOWER_HAND] = "lower_hand", [MODERATE_REMOVE] = "remove",
	};
	const char *name;
	int err = get_string(o, "action", 16, NULL, true, &name, why);
	if (!err)
		err = get_number(o, "leg", &m->u.moderate.leg, why);
	if (err)
		return err;
	for (enum moderation a = MODERATE_MUTE; a <= MODERATE_REMOVE; a++)
		if (!strcmp(name, actions[a]))
			m->u.moderate.action = a;
	if (!m->u.moderate.action)
		return bad_member(why, "action",
				  "must be \"mute\", \"camera_off\", \"content_off\", \"lower_hand\" or "
				  "\"remove\"");
	if (m->u.moderate.action == MODERATE_REMOVE && !m->u.moderate.leg)
		return bad_member(why, "leg", "is missing: say who is to be removed");
	return 0;
}

static int get_new_pin(json_t *o, const char *name, const char **out, struct errmsg *why)
{
	int err = get_string(o, name, PROTOCOL_MAX_PIN, NULL, false, out, why);
	if (!err && *out && **out && !protocol_pin_valid(*out))
		err = bad_member(why, name, "must have 4 to 64 letters, digits or signs, or be empty");
	return err;
}

static int parse_volume(struct client_msg *m, json_t *o, struct errmsg *why)
{
	const json_t *v = json_object_get(o, "gain_db");
	int err = get_number(o, "leg", &m->u.volume.leg, why);

	if (err)
		return err;
	if (!m->u.volume.leg)
		return bad_member(why, "leg", "is missing: say whose volume it is");
	m->u.volume.gain_db = json_number_value(v);
	if (!json_is_number(v) || m->u.volume.gain_db < PROTOCOL_MIN_GAIN_DB ||
	    m->u.volume.gain_db > PROTOCOL_MAX_GAIN_DB)
		return bad_member(why, "gain_db", "must be a number of decibels from -30 to 20");
	return 0;
}

static int parse_sound(struct client_msg *m, json_t *o, struct errmsg *why)
{
	int err = get_number(o, "leg", &m->u.sound.leg, why);

	if (!err)
		err = get_tristate(o, "agc", &m->u.sound.agc, why);
	if (!err)
		err = get_tristate(o, "noise_suppression", &m->u.sound.noise_suppression, why);
	return err;
}

static int parse_rename(struct client_msg *m, json_t *o, struct errmsg *why)
{
	int err = get_number(o, "leg", &m->u.rename.leg, why);

	if (!err && !m->u.rename.leg)
		err = bad_member(why, "leg", "is missing: say who is to be renamed");
	if (!err)
		err = get_string(o, "name", 1000, NULL, true, &m->u.rename.name, why);
	return err || protocol_name_valid(m->u.rename.name) ? err : name_invalid(why);
}

static int parse_dial(struct client_msg *m, json_t *o, struct errmsg *why)
{
	int err = get_token(o, "to", MAX_DIAL, NULL, true, &m->u.dial.to, why);

	if (!err)
		err = get_string(o, "name", 1000, NULL, false, &m->u.dial.name, why);
	if (!err && m->u.dial.name && !protocol_name_valid(m->u.dial.name))
		err = name_invalid(why);
	if (!err)
		err = get_token(o, "trunk", 64, NULL, false, &m->u.dial.trunk, why);
	return err ? err : get_token(o, "digits", 64, NULL, false, &m->u.dial.digits, why);
}

static int parse_hangup(struct client_msg *m, json_t *o, struct errmsg *why)
{
	const json_t *v = json_object_get(o, "call");

	m->u.hangup.call = json_integer_value(v);
	return m->u.hangup.call > 0 ? 0 : bad_member(why, "call", "must be the number of a call");
}

/* Milliseconds; absent: without. */
static int get_ms(json_t *o, const char *name, int64_t without, int64_t *out, struct errmsg *why)
{
	json_t *v = json_object_get(o, name);

	*out = v && !json_is_null(v) ? json_integer_value(v) : without;
	return !v || json_is_null(v) || (json_is_integer(v) && *out >= 0) ? 0 :
		bad_member(why, name, "must be a whole number of milliseconds");
}

/* Numbers of rows are longer than those that JavaScript knows: texts of digits. */
static int get_row(json_t *o, const char *name, int64_t *out, struct errmsg *why)
{
	const char *text;
	int err = get_token(o, name, 18, "", true, &text, why);

	if (err)
		return err;
	*out = 0;
	for (const char *p = text; *p >= '0' && *p <= '9'; p++)
		*out = *out * 10 + (*p - '0');
	return *out > 0 && strspn(text, "0123456789") == strlen(text) ? 0 :
		bad_member(why, name, "must be a number as a string");
}

static int parse_play(struct client_msg *m, json_t *o, struct errmsg *why)
{
	struct play_wish *p = &m->u.play;
	enum tristate loop, paused, content;
	int err = get_string(o, "source", 16, NULL, true, &p->source, why);

	if (!err && !strcmp(p->source, "camera"))
		err = get_token(o, "url", MAX_URL, NULL, true, &p->url, why);
	else if (!err && (!strcmp(p->source, "recording") || !strcmp(p->source, "upload")))
		err = get_row(o, p->source, &p->item, why);
	else if (!err)
		err = bad_member(why, "source", "must be \"recording\", \"upload\" or \"camera\"");
	if (!err)
		err = get_token(o, "token", 64, NULL, false, &p->token, why);
	if (!err)
		err = get_string(o, "title", 1000, NULL, false, &p->title, why);
	if (!err && p->title && !protocol_name_valid(p->title))
		err = name_invalid(why);
	if (err || (err = get_tristate(o, "loop", &loop, why)) ||
	    (err = get_tristate(o, "paused", &paused, why)) ||
	    (err = get_tristate(o, "content", &content, why)))
		return err;
	p->loop = loop == TRISTATE_TRUE;
	p->paused = paused == TRISTATE_TRUE;
	p->content = content == TRISTATE_TRUE;
	return get_ms(o, "position_ms", 0, &p->position_ms, why);
}

static int parse_playback(struct client_msg *m, json_t *o, struct errmsg *why)
{
	struct playback_wish *p = &m->u.playback;
	int err = get_number(o, "playback", &p->playback, why);

	if (!err && !p->playback)
		err = bad_member(why, "playback", "is missing: say which is meant");
	if (!err)
		err = get_tristate(o, "paused", &p->paused, why);
	if (!err)
		err = get_tristate(o, "loop", &p->loop, why);
	if (!err)
		err = get_tristate(o, "content", &p->content, why);
	if (!err)
		err = get_tristate(o, "muted", &p->muted, why);
	if (!err)
		err = get_tristate(o, "hidden", &p->hidden, why);
	if (!err)
		err = get_number(o, "page", &p->page, why);
	return err ? err : get_ms(o, "position_ms", -1, &p->position_ms, why);
}

static int parse_policy(struct client_msg *m, json_t *o, struct errmsg *why)
{
	struct policy_change *c = &m->u.policy;
	const char *record;
	int err = get_tristate(o, "locked", &c->locked, why);
	if (!err)
		err = get_tristate(o, "lobby", &c->lobby, why);
	if (!err)
		err = get_tristate(o, "unmute", &c->unmute, why);
	if (!err)
		err = get_new_pin(o, "guest_pin", &c->guest_pin, why);
	if (!err)
		err = get_new_pin(o, "host_pin", &c->host_pin, why);
	if (!err)
		err = get_string(o, "record", 16, NULL, false, &record, why);
	if (err || !record)
		return err;
	c->record = record_right_parse(record);
	return c->record ? 0 : bad_member(why, "record", "must be \"hosts\", \"all\", \"nobody\" or "
						     "\"auto\"");
}

static int parse_admit(struct client_msg *m, json_t *o, struct errmsg *why)
{
	int err = get_number(o, "waiting", &m->u.admit.waiting, why);
	return err ? err : get_bool(o, "allow", &m->u.admit.allow, why);
}

static int parse_view(struct client_msg *m, json_t *o, struct errmsg *why)
{
	struct view_wish *v = &m->u.view;
	const char *self;
	enum tristate video;
	int err = get_number(o, "max_height", &v->max_height, why);

	if (!err)
		err = get_number(o, "max_kbps", &v->max_kbps, why);
	if (!err)
		err = get_tristate(o, "video", &video, why);
	if (!err)
		err = get_string(o, "view", MAX_VIEW, "", false, &v->view, why);
	if (!err)
		err = get_string(o, "self_view", 8, "show", false, &self, why);
	if (err)
		return err;
	v->no_video = video == TRISTATE_FALSE;
	v->hide_self = !strcmp(self, "hide");
	return v->hide_self || !strcmp(self, "show") ? 0 :
		bad_member(why, "self_view", "must be \"show\" or \"hide\"");
}

static int parse_views(struct client_msg *m, json_t *o, struct errmsg *why)
{
	struct views_change *v = &m->u.views;
	const char *action;
	int err = get_string(o, "action", 16, NULL, true, &action, why);

	if (!err)
		err = get_string(o, "view", MAX_VIEW, NULL, true, &v->view, why);
	if (err)
		return err;
	if (!strcmp(action, "remove"))
		return 0;
	if (strcmp(action, "set"))
		return bad_member(why, "action", "must be \"set\" or \"remove\"");
	return get_string(o, "for", 16, "request", false, &v->rule, why);
}

static int parse_members(struct client_msg *m, json_t *o, struct errmsg *why)
{
	switch (m->type) {
	case CLIENT_MSG_JOIN: return parse_join(m, o, why);
	case CLIENT_MSG_OFFER:
	case CLIENT_MSG_ANSWER: return parse_sdp(m, o, why);
	case CLIENT_MSG_ICE: return parse_ice(m, o, why);
	case CLIENT_MSG_MUTE: return parse_mute(m, o, why);
	case CLIENT_MSG_RECORD: return parse_record(m, o, why);
	case CLIENT_MSG_CHAT: return parse_chat(m, o, why);
	case CLIENT_MSG_HAND: return get_bool(o, "raised", &m->u.hand.raised, why);
	case CLIENT_MSG_MODERATE: return parse_moderate(m, o, why);
	case CLIENT_MSG_ADMIT: return parse_admit(m, o, why);
	case CLIENT_MSG_POLICY: return parse_policy(m, o, why);
	case CLIENT_MSG_VOLUME: return parse_volume(m, o, why);
	case CLIENT_MSG_SOUND: return parse_sound(m, o, why);
	case CLIENT_MSG_RENAME: return parse_rename(m, o, why);
	case CLIENT_MSG_DIAL: return parse_dial(m, o, why);
	case CLIENT_MSG_HANGUP: return parse_hangup(m, o, why);
	case CLIENT_MSG_PLAY: return parse_play(m, o, why);
	case CLIENT_MSG_PLAYBACK:
	case CLIENT_MSG_PLAYBACK_STOP: return parse_playback(m, o, why);
	case CLIENT_MSG_LAYOUT: return layout_change_parse(&m->u.layout, o, why);
	case CLIENT_MSG_PRESENT: return get_bool(o, "on", &m->u.present.on, why);
	case CLIENT_MSG_VIEW: return parse_view(m, o, why);
	case CLIENT_MSG_VIEWS: return parse_views(m, o, why);
	default: return 0;
	}
}

int client_msg_parse(struct client_msg *m, const char *text, size_t len, struct errmsg *why)
{
	json_error_t e;
	const char *type;

	*m = (struct client_msg){ .id = "" };
	if (len > PROTOCOL_MAX_BYTES)
		return errmsg_set(why, -EMSGSIZE, "bad_json", "A message has at most %d octets.",
				  PROTOCOL_MAX_BYTES);
	m->json = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &e);
	if (!m->json)
		return errmsg_set(why, -EINVAL, "bad_json",
				  "This is not JSON (line %d, column %d): %s.", e.line, e.column,
				  e.text);
	if (!json_is_object(m->json))
		return errmsg_set(why, -EINVAL, "bad_json", "A message is one JSON object.");
	int err = get_string(m->json, "id", PROTOCOL_MAX_ID, "", false, &m->id, why);
	if (err) {
		m->id = "";
		return err;
	}
	err = get_string(m->json, "type", 64, NULL, true, &type, why);
	if (err)
		return err;
	for (unsigned i = 1; i < N_TYPES; i++)
		if (!strcmp(type, type_names[i]))
			m->type = (enum client_msg_type)i;
	if (m->type == CLIENT_MSG_INVALID)
		return errmsg_set(why, -EINVAL, "unknown_type",
				  "There is no message of type \"%s\".", type);
	err = parse_members(m, m->json, why);
	if (err)
		m->type = CLIENT_MSG_INVALID;
	return err;
}

void client_msg_clear(struct client_msg *m)
{
	json_decref(m->json);
	*m = (struct client_msg){ .id = "" };
}
