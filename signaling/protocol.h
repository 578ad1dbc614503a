/* The messages of PROTOCOL.md: text to struct for what clients say, struct to
 * text for what the server says. Pure. Any thread. */
#ifndef MCU_SIGNALING_PROTOCOL_H
#define MCU_SIGNALING_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/base/err.h"

struct json_t;

enum {
	PROTOCOL_MAX_BYTES = 65536, /* of one message */
	PROTOCOL_MAX_NAME = 64,	    /* characters of a room's or participant's name */
	PROTOCOL_MAX_ID = 64	    /* characters of a request's id */
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
	CLIENT_MSG_LEAVE
};

/* A member that may be absent. */
enum tristate { TRISTATE_UNSET, TRISTATE_FALSE, TRISTATE_TRUE };

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
		} sdp; /* OFFER, ANSWER */
		struct {
			const char *candidate; /* "": no more will come */
			const char *mid;       /* "" when absent */
		} ice;
		struct {
			enum tristate audio, video;
		} mute;
		struct {
			bool start;
		} record;
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

/* --- what the server says -------------------------------------------------- */

struct participant {
	uint32_t leg;
	const char *name;
	bool audio_muted, video_muted;
	bool audio, video; /* sends such a stream at all */
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
	RECORDING_IS_FAILED
};

/* Strings may be NULL: the member is left out. */
struct recording_info {
	enum recording_event_state state;
	const char *id, *by, *url, *text;
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
};

struct layout_tile {
	uint32_t leg;
	int x, y, width, height;
};

struct layout_info {
	uint32_t version;
	int width, height;
	const struct layout_tile *tiles;
	size_t n_tiles;
};

struct uplink_info {
	int width, height, fps, max_kbps;
	bool visible;
};

struct stream_stats {
	double loss; /* fraction, 0…1 */
	double jitter_ms, rtt_ms, kbps;
};

struct leg_stats {
	struct stream_stats uplink, downlink;
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
char *msg_muted(uint32_t leg, bool audio, bool video);
char *msg_speaker(uint32_t leg); /* 0: null */
char *msg_layout(const struct layout_info *l);
char *msg_uplink(const struct uplink_info *u);
char *msg_recording(const char *id, const struct recording_info *r);
char *msg_stats(const char *id, const struct leg_stats *s);
char *msg_pong(const char *id);
char *msg_error(const char *id, const struct errmsg *e, bool fatal);
char *msg_bye(const char *id, const char *reason, const char *text);

#endif
