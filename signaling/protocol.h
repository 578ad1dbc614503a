/* The messages of PROTOCOL.md: text to struct for what clients say, struct to
 * text for what the server says. Pure. Any thread. */
#ifndef MCU_SIGNALING_PROTOCOL_H
#define MCU_SIGNALING_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/base/err.h"
#include "signaling/layout_change.h"
#include "signaling/tristate.h"

struct json_t;

enum {
	PROTOCOL_MAX_BYTES = 65536, /* of one message */
	PROTOCOL_MAX_NAME = 64,	    /* characters of a room's or participant's name */
	PROTOCOL_MAX_ID = 64,	    /* characters of a request's id */
	PROTOCOL_MAX_CHAT = 2000,   /* characters of a chat message */
	PROTOCOL_MIN_PIN = 4,	    /* characters of a room's PIN */
	PROTOCOL_MAX_PIN = 64,
	PROTOCOL_MIN_GAIN_DB = -30,
	PROTOCOL_MAX_GAIN_DB = 20
};

enum client_msg_type {
	CLIENT_MSG_INVALID,
	CLIENT_MSG_JOIN,
	CLIENT_MSG_OFFER,
	CLIENT_MSG_ANSWER,
	CLIENT_MSG_ICE,
	CLIENT_MSG_MUTE,
	CLIENT_MSG_RECORD,
	CLIENT_MSG_STATS,
	CLIENT_MSG_PING,
	CLIENT_MSG_LEAVE,
	CLIENT_MSG_CHAT,
	CLIENT_MSG_HAND,
	CLIENT_MSG_MODERATE,
	CLIENT_MSG_ADMIT,
	CLIENT_MSG_POLICY,
	CLIENT_MSG_LAYOUT,
	CLIENT_MSG_PRESENT,
	CLIENT_MSG_VIEW,
	CLIENT_MSG_VIEWS,
	CLIENT_MSG_VOLUME,
	CLIENT_MSG_SOUND,
	CLIENT_MSG_RENAME,
	CLIENT_MSG_DIAL,
	CLIENT_MSG_HANGUP,
	CLIENT_MSG_PLAY,	   /* something begins to be played */
	CLIENT_MSG_PLAYBACK,	   /* it is paused, sought … */
	CLIENT_MSG_PLAYBACK_STOP
};

enum moderation {
	MODERATE_MUTE = 1,
	MODERATE_CAMERA_OFF,
	MODERATE_CONTENT_OFF,
	MODERATE_LOWER_HAND,
	MODERATE_REMOVE
};

/* Who may record a room. */
enum record_right {
	RECORD_BY_HOSTS = 1,
	RECORD_BY_ALL,
	RECORD_BY_NOBODY,
	RECORD_AUTO /* hosts, and by itself */
};

enum record_action { RECORD_START = 1, RECORD_STOP, RECORD_PAUSE, RECORD_RESUME };
enum record_container { RECORD_MP4 = 1, RECORD_MKV };
enum record_sound { RECORD_AAC = 1, RECORD_OPUS };

/* What somebody wants of a recording. All but the action is of START; unset or 0: as the
 * server's owner has it. */
struct record_wish {
	enum record_action action;
	enum tristate video, tracks;
	enum record_container container;
	enum record_sound sound;
};

/* What a host changes of a running room; what is unset stays. */
struct policy_change {
	enum tristate locked, lobby, unmute;
	enum record_right record;	   /* 0: unset */
	const char *guest_pin, *host_pin; /* NULL: unset; "": none from now on */
};

/* What a participant wants to get; 0: any. */
struct view_wish {
	uint32_t max_height, max_kbps;
	bool no_video, hide_self;
	const char *view; /* "": by the rules of the room's views */
};

/* What a host does to the views of a room. */
struct views_change {
	const char *view;
	const char *rule; /* whom it is for; NULL: it is removed */
};

/* What a host wants to be played into the room. */
struct play_wish {
	const char *source; /* "recording", "upload", "camera" */
	int64_t item;	    /* which recording or upload; 0: none */
	const char *token, *url, *title; /* NULL when absent */
	bool loop, paused, content;
	int64_t position_ms;
};

/* What of it a host changes; what is unset stays. */
struct playback_wish {
	uint32_t playback;
	enum tristate paused, loop, content, muted, hidden;
	int64_t position_ms; /* -1: unset */
	uint32_t page;	     /* from 1; 0: unset */
};

/* Strings live in the message and go with it. */
struct client_msg {
	enum client_msg_type type;
	const char *id; /* "" when there was none */
	union {
		struct {
			const char *room, *name;	  /* trimmed, valid */
			const char *pin, *token, *resume; /* NULL when absent */
		} join;
		struct {
			const char *text;
			size_t len;
			const char *content; /* the mid of the section of content; "": unsaid */
		} sdp; /* OFFER, ANSWER */
		struct {
			const char *candidate; /* "": no more will come */
			const char *mid;       /* "" when absent */
		} ice;
		struct {
			enum tristate audio, video;
		} mute;
		struct record_wish record;
		struct {
			const char *text; /* 1…2000 characters, not blank */
			uint32_t to;	  /* leg; 0: everybody */
		} chat;
		struct {
			bool raised;
		} hand;
		struct {
			enum moderation action;
			uint32_t leg; /* 0: everybody but oneself; never with REMOVE */
		} moderate;
		struct {
			uint32_t waiting; /* 0: all */
			bool allow;
		} admit;
		struct {
			uint32_t leg;
			double gain_db; /* PROTOCOL_MIN_GAIN_DB…PROTOCOL_MAX_GAIN_DB */
		} volume;
		struct {
			uint32_t leg; /* 0: oneself */
			enum tristate agc, noise_suppression;
		} sound;
		struct {
			uint32_t leg;
			const char *name; /* valid */
		} rename;
		struct {
			const char *to;			   /* visible ASCII and blanks */
			const char *name, *trunk, *digits; /* NULL when absent */
		} dial;
		struct {
			int64_t call;
		} hangup;
		struct play_wish play;
		struct playback_wish playback; /* PLAYBACK, PLAYBACK_STOP */
		struct policy_change policy;
		struct layout_change layout;
		struct {
			bool on;
		} present;
		struct view_wish view;
		struct views_change views;
	} u;
	struct json_t *json; /* holds the strings */
};

/* 0; -EINVAL with why->code bad_json, bad_message, unknown_type,
 * room_name_invalid or name_invalid; -ENOMEM. On error m->id is still set where
 * it could be read, and client_msg_clear(m) is still to be called. */
int client_msg_parse(struct client_msg *m, const char *text, size_t len, struct errmsg *why);
void client_msg_clear(struct client_msg *m);
const char *client_msg_type_name(enum client_msg_type type);

/* The rules of names, for REST and other front ends. Valid UTF-8 that is
 * terminated, no control or format characters, 1…64 characters, no blank at
 * either end; a room's name besides: letters and digits of any script, "._-". */
bool protocol_room_name_valid(const char *name);
bool protocol_name_valid(const char *name);
/* Any line of text, also an empty one, of such characters. */
bool protocol_line_valid(const char *text);
/* A PIN that may be set for a room: 4…64 visible ASCII characters, no blank. */
bool protocol_pin_valid(const char *pin);
/* "hosts", "all", "nobody". */
const char *record_right_name(enum record_right r);
/* 0: no such name. */
enum record_right record_right_parse(const char *name);
/* "start", "stop", "pause", "resume"; 0: none of them. */
enum record_action record_action_parse(const char *name);
/* "mp4", "mkv"; "aac", "opus"; 0: none of them. */
enum record_container record_container_parse(const char *name);
enum record_sound record_sound_parse(const char *name);

/* --- what the server says -------------------------------------------------- */

/* What somebody takes part with. */
enum leg_kind {
	LEG_KIND_BROWSER, LEG_KIND_PHONE, LEG_KIND_WHIP, LEG_KIND_RTSP, LEG_KIND_PLAYBACK
};

/* "browser", "phone", "whip", "rtsp", "playback". */
const char *leg_kind_name(enum leg_kind k);

struct participant {
	uint32_t leg;
	const char *name;
	enum leg_kind kind;
	const char *number; /* a phone's, as the receiver may see it; NULL: none */
	bool audio_muted, video_muted;
	bool audio, video; /* sends such a stream at all */
	bool host, hand;   /* its role; its hand is raised */
	double gain_db;	   /* how loud the hosts have made it */
	bool agc, noise_suppression;
};

/* What everybody may know of a room's rules. */
struct room_policy_info {
	bool locked, lobby, guest_pin, host_pin, unmute, stereo;
	enum record_right record;
	/* What of a recording may be chosen. */
	bool record_sound_only, record_tracks;
	const char *number; /* digits that callers enter; NULL or "": none */
};

struct chat_info {
	uint32_t leg, to; /* to 0: everybody */
	const char *name, *text;
	int64_t at_ms; /* since 1970 */
	bool history;  /* said before the receiver joined */
};

struct waiting_person {
	uint32_t waiting;
	const char *name;
};

struct waiting_info {
	const struct waiting_person *people;
	size_t n;
};

struct leg_score {
	uint32_t leg;
	double score;
};

struct quality_info {
	const struct leg_score *legs;
	size_t n;
};

struct ice_server_info {
	const char *url;		   /* "stun:host:port", "turn:host:port?transport=udp" */
	const char *username, *credential; /* NULL: none */
};

enum recording_event_state {
	RECORDING_IS_OFF,
	RECORDING_IS_ON,
	RECORDING_IS_FINISHING,
	RECORDING_IS_READY,
	RECORDING_IS_FAILED,
	RECORDING_IS_PAUSED
};

/* "off", "on", "finishing", "ready", "failed", "paused". */
const char *recording_event_name(enum recording_event_state s);

/* Strings may be NULL: the member is left out. */
struct recording_info {
	enum recording_event_state state;
	const char *id, *by, *url, *text;
	bool sound_only, tracks; /* while it runs: of what it is */
};

struct welcome_info {
	uint32_t leg;
	const char *room, *name, *resume, *version;
	const struct participant *participants;
	size_t n_participants;
	const struct ice_server_info *ice_servers;
	size_t n_ice_servers;
	int canvas_width, canvas_height, canvas_fps;
	struct recording_info recording;
	bool host;
	struct room_policy_info policy;
};

struct layout_tile {
	uint32_t leg;
	bool content; /* not its camera: what it shares beside that */
	int x, y, width, height, z;
};

struct layout_info {
	const char *view; /* NULL: the main one */
	uint32_t version;
	int width, height;
	const struct layout_tile *tiles;
	size_t n_tiles;
	const char *layout;
	bool crop, hide_no_video, speaker_view;
	int max_tiles, page, pages;  /* max_tiles 0: as many as the layout has */
	uint32_t speaker, content;   /* 0: nobody */
	const uint32_t *pin, *hand;
	size_t n_pins, n_hand;
	const char *order; /* NULL: hand */
	const char *banner;
	bool clock, recording_time, logo, names, border, background_picture;
	uint32_t background_rgb;
};

struct view_entry {
	const char *view, *rule;
};

struct views_info {
	const struct view_entry *views;
	size_t n;
};

/* What is of use of a picture that a client sends. */
struct uplink_picture {
	int width, height, fps, max_kbps;
	bool visible;
};

struct uplink_info {
	struct uplink_picture video, content;
	bool has_content; /* it sends some */
};

struct stream_stats {
	double loss; /* fraction, 0…1 */
	double jitter_ms, rtt_ms, kbps;
};

struct leg_stats {
	struct stream_stats uplink, downlink;
	unsigned view_height; /* of the picture it gets; 0: none */
	double score; /* 1…5 */
};

/* Each gives a terminated JSON text to be freed by the caller, or NULL without
 * memory. id: of the request that is answered, "" or NULL for none. Text that is
 * not valid UTF-8 is replaced by "?". */
char *msg_welcome(const char *id, const struct welcome_info *w);
char *msg_answer(const char *id, const char *sdp);
char *msg_offer(const char *sdp);
char *msg_ice(const char *candidate, const char *mid);
char *msg_joined(const struct participant *p);
char *msg_left(uint32_t leg, const char *reason);
/* by: the host who did it; 0: the participant itself. */
char *msg_muted(uint32_t leg, bool audio, bool video, uint32_t by);
char *msg_speaker(uint32_t leg); /* 0: null */
char *msg_layout(const struct layout_info *l);
char *msg_views(const struct views_info *v);
/* That its presenting is over, because `by` presents now, or by the host `by`. */
char *msg_present_over(uint32_t by, bool by_host);
char *msg_uplink(const struct uplink_info *u);
char *msg_recording(const char *id, const struct recording_info *r);
char *msg_stats(const char *id, const struct leg_stats *s);
char *msg_pong(const char *id);
char *msg_error(const char *id, const struct errmsg *e, bool fatal);
char *msg_bye(const char *id, const char *reason, const char *text);
char *msg_lobby(const char *id, const char *text);
char *msg_waiting(const struct waiting_info *w);
char *msg_chat(const struct chat_info *c);
char *msg_hand(uint32_t leg, bool raised);
/* What is done to somebody's sound. */
struct sound_info {
	uint32_t leg;
	double gain_db;
	bool agc, noise_suppression;
};
char *msg_sound(const struct sound_info *s);
char *msg_room(const struct room_policy_info *p);
/* A server that the room is sent to; to hosts only. */
struct push_told {
	int64_t push;
	const char *state, *to, *text; /* text: "" where there is nothing to say */
};
char *msg_push(const struct push_told *p);
/* What becomes of a call that the room makes. */
struct call_info {
	int64_t call;
	const char *state;	   /* sip_dial_state_name */
	const char *number, *name; /* "": none */
	const char *text;	   /* for people; "": the state says all */
	uint32_t leg;		   /* 0: none yet */
};
char *msg_call(const struct call_info *c);
/* What is played into the room; strings "": none. */
struct playback_event {
	uint32_t playback, leg; /* leg 0: it has not joined yet, or has left */
	const char *state, *source, *title, *by, *text, *code; /* text, code: of an error */
	int64_t position_ms, duration_ms; /* duration 0: unknown, or without an end */
	uint32_t page, pages;		  /* of a document, from 1; 0: it has none */
	bool loop, content, seekable;
};
char *msg_playback(const char *id, const struct playback_event *p);
char *msg_quality(const struct quality_info *q);
char *msg_overload(int level, const char *text);
char *msg_self_view(bool hidden, const char *text);

#endif
