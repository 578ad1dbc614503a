/* Playbacks: recordings, uploads and cameras that take part in rooms as legs. CTL.
 *
 * A playback is opened in a process of its own (playback_child.h), joins its room when
 * that knows what is in it, and leaves at the end, when it is stopped or removed, on an
 * error, and when nobody else is in the room any more. */
#ifndef MCU_PLAYBACK_H
#define MCU_PLAYBACK_H

#include <stdbool.h>
#include <stdint.h>

#include "mcu/base/err.h"
#include "mcu/base/role.h"
#include "mcu/playback_clock.h"
#include "signaling/tristate.h"

struct conference;
struct playbacks;

enum playback_source { PLAYBACK_RECORDING = 1, PLAYBACK_UPLOAD, PLAYBACK_CAMERA };

/* "recording", "upload", "camera"; 0: no such name. */
const char *playback_source_name(enum playback_source s);
enum playback_source playback_source_parse(const char *name);

struct playback_ask {
	const char *room;
	enum playback_source source;
	int64_t id;	   /* of the recording or upload */
	const char *token; /* of the recording's link: then it may be of another room; NULL: none */
	const char *url;   /* of the camera */
	const char *title; /* valid as a name; NULL: what it has itself */
	const char *by;	   /* who asks */
	int64_t user_id;   /* his account; 0: none */
	bool admin;	   /* who may play what is of other rooms, and cameras */
	bool loop, paused, content; /* content: in the place of what is presented */
	int64_t position_ms;
};

struct playback_info {
	uint32_t id, leg; /* leg 0: it has not joined yet */
	const char *room, *title, *by, *text, *code; /* text, code: of an error; "" */
	enum playback_source source;
	enum playback_state state;
	int64_t position_ms, duration_ms; /* duration 0: unknown, or without an end */
	uint64_t pictures;		  /* that were decoded */
	uint32_t page, pages; /* of a document, from 1; 0: it has none */
	bool loop, content, audio, video, seekable;
};

/* What is unset stays. */
struct playback_change {
	enum tristate paused, loop, content;
	enum tristate muted, hidden; /* its sound, its picture, as of anybody; once it has joined */
	int64_t position_ms; /* -1: unset */
	int64_t page;	     /* from 1; 0: unset */
};

int playbacks_new(struct playbacks **out, struct conference *c) ON_THREAD(ROLE_CTL);
void playbacks_free(struct playbacks **p) ON_THREAD(ROLE_CTL);
/* Everything ends; is_idle says when all processes are gone. */
void playbacks_shutdown(struct playbacks *p) ON_THREAD(ROLE_CTL);
bool playbacks_is_idle(const struct playbacks *p) ON_THREAD(ROLE_CTL);

/* -ENOENT (room_unknown), -EACCES (not_allowed), -EINVAL (bad_message), -EUSERS (busy),
 * -ENOMEM (internal). Whether it is there and may be played is told later, by the state. */
int playback_start(struct playbacks *p, const struct playback_ask *ask, uint32_t *id,
		   struct errmsg *why) ON_THREAD(ROLE_CTL);
/* -ENOENT (playback_unknown), -EINVAL (bad_message): it has no such place. */
int playback_change(struct playbacks *p, const char *room, uint32_t id,
		    const struct playback_change *c, struct errmsg *why) ON_THREAD(ROLE_CTL);
int playback_stop(struct playbacks *p, const char *room, uint32_t id, struct errmsg *why)
	ON_THREAD(ROLE_CTL);

/* Borrowed for the call. */
typedef void playback_info_cb(void *obj, const struct playback_info *i);
/* Of a room, or all (NULL), the oldest first. */
void playbacks_each(const struct playbacks *p, const char *room, playback_info_cb *cb, void *obj)
	ON_THREAD(ROLE_CTL);
/* -ENOENT with playback_unknown. */
int playback_get(const struct playbacks *p, const char *room, uint32_t id, playback_info_cb *cb,
		 void *obj, struct errmsg *why) ON_THREAD(ROLE_CTL);

#endif
