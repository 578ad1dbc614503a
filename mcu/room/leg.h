/* A participant of a room, whatever front end it came through. CTL only. */
#ifndef MCU_ROOM_LEG_H
#define MCU_ROOM_LEG_H

#include <stdbool.h>
#include <stdint.h>

#include "mcu/base/err.h"
#include "mcu/base/role.h"
#include "mcu/room/ladder.h"
#include "mcu/room/leg_media.h"
#include "mcu/room/leg_net.h"
#include "mcu/room/routing.h"

struct room;
struct leg;
struct seating;
struct rtp_ports;

/* What a leg that is made in the server sends. */
struct leg_local_media {
	bool audio, video;
	bool content; /* its picture is content, and presents at once */
};

enum digit_source {
	DIGIT_EVENT, /* an RTP event (RFC 4733) */
	DIGIT_TONE,  /* heard in its sound */
	DIGIT_SIGNALED,
	DIGIT_SOURCES
};

/* To the front end, on CTL. After ended() the handle is gone. Borrowed strings. */
struct leg_watcher {
	void (*candidate)(void *obj, const char *candidate); /* NULL: no more */
	void (*connected)(void *obj);
	void (*ended)(void *obj, const char *reason);
	/* Another leg presents now, and this one does not any more; may be NULL. */
	void (*outdone)(void *obj, uint32_t by);
	/* A key frame of its camera is needed, and RTCP cannot ask for it; may be NULL. */
	void (*wants_picture)(void *obj);
	/* It hides itself: its own picture is hidden from it, or not yet, because as many
	 * hide themselves as may; may be NULL. */
	void (*hidden)(void *obj, bool hidden);
	/* The leg's data channel, which the peer opens; both may be NULL. */
	void (*data_open)(void *obj, bool open);
	void (*data)(void *obj, bool binary, const uint8_t *p, size_t len);
	/* Of each list that leg_prompt took, once; may be NULL. */
	void (*prompt_over)(void *obj, uint32_t id, bool stopped);
	/* A DTMF digit of its; may be NULL. */
	void (*digit)(void *obj, char digit, enum digit_source from);
};

enum { LEG_VOLUME_MIN_DB = -30, LEG_VOLUME_MAX_DB = 20 };

struct leg_info {
	uint32_t id;
	const char *name;
	bool audio_muted, video_muted, sends_audio, sends_video, connected;
	struct rect tile; /* on the main view */
	int tile_z;
	int shown_w, shown_h; /* of its largest tile where somebody sees it; 0: nobody */
	bool sends_content, presents, content_held;
	int content_w, content_h; /* likewise, of what it shares */
	float volume_db;
	bool auto_gain, noise_suppression;
	const char *view;  /* whose picture it gets */
	bool switching;	   /* it has another until that has a key frame */
	unsigned view_height; /* of the picture it gets; 0: none */
};

uint32_t leg_id(const struct leg *l) ON_THREAD(ROLE_CTL);
struct room *leg_room(const struct leg *l) ON_THREAD(ROLE_CTL);
void leg_get_info(const struct leg *l, struct leg_info *i) ON_THREAD(ROLE_CTL);

/* What the leg's own side of a negotiation says. */
struct leg_local {
	const char *ufrag, *pwd, *cname;
	uint32_t audio_ssrc, video_ssrc, video_rtx_ssrc;
	uint32_t content_ssrc;	/* of what it is sent of others' content */
	struct rtp_ports *ports; /* NULL: it has none */
};
void leg_get_local(const struct leg *l, struct leg_local *out) ON_THREAD(ROLE_CTL);

/* The next agreement restarts ICE: leg_get_local says new credentials from now on.
 * They come into force with leg_set_media; leg_keep_ice before that takes them back.
 * 0, -EIO; -EBUSY: it was done too often of late. */
int leg_restart_ice(struct leg *l) ON_THREAD(ROLE_CTL);
void leg_keep_ice(struct leg *l) ON_THREAD(ROLE_CTL);

/* The first call starts the transport; later ones change it. 0 or -errno; -EPROTO:
 * the peer has other ICE credentials without a restart, or another fingerprint. */
int leg_set_media(struct leg *l, const struct leg_media *m) ON_THREAD(ROLE_CTL);
/* The same of a leg of room_join_local, which is connected then. */
void leg_set_local_media(struct leg *l, const struct leg_local_media *m) ON_THREAD(ROLE_CTL);
/* "candidate:…", NULL: no more. */
int leg_add_candidate(struct leg *l, const char *candidate) ON_THREAD(ROLE_CTL);
/* -1 leaves that one as it is. */
void leg_mute(struct leg *l, int audio, int video) ON_THREAD(ROLE_CTL);
/* How loud it is for all: LEG_VOLUME_MIN_DB…LEG_VOLUME_MAX_DB; -EINVAL. */
int leg_set_volume(struct leg *l, float db) ON_THREAD(ROLE_CTL);
/* Automatic gain and noise suppression; -1 leaves that one as it is. 0 or -ENOMEM:
 * nothing has changed. At first as the engine's configuration says. */
int leg_set_sound(struct leg *l, int gain, int noise) ON_THREAD(ROLE_CTL);
/* It begins or ends to present: the content that it sends or, without that, the
 * picture of its camera. One leg of a room presents, the last that began; content
 * that is agreed on begins by itself, and where it goes both ways when packets of it
 * come, until none have come for a while. Nothing happens while it is held. 0; -ENOENT:
 * it sends no picture. */
int leg_present(struct leg *l, bool on) ON_THREAD(ROLE_CTL);
/* Ends its presenting, if it does, until it is not held any more. */
void leg_hold_content(struct leg *l, bool held) ON_THREAD(ROLE_CTL);
/* What it wants to get from now on; at first anything. 0; -ENOENT (view_unknown),
 * -EACCES (not_allowed), -ENOSPC (too_many_views) with a sentence: nothing has changed. */
int leg_set_view(struct leg *l, const struct leg_view *v, struct errmsg *why) ON_THREAD(ROLE_CTL);
/* What leg_set_view would say. */
int leg_check_view(const struct leg *l, const struct leg_view *v, struct errmsg *why)
	ON_THREAD(ROLE_CTL);
/* Pixels per second that encoders would have to make for that wish, less those that
 * would not be made any more; 0 also where nothing was agreed on yet. */
int64_t leg_view_pixels(struct leg *l, const struct leg_view *v) ON_THREAD(ROLE_CTL);
/* Another name, on its tile too. */
void leg_set_name(struct leg *l, const char *name) ON_THREAD(ROLE_CTL);
/* It has asked for a key frame by other means than RTCP. */
void leg_want_picture(struct leg *l) ON_THREAD(ROLE_CTL);
/* Whether it is a host; at first it is none. */
void leg_set_host(struct leg *l, bool host) ON_THREAD(ROLE_CTL);

/* What it sees, or would see. */
struct leg_picture {
	uint32_t id;	  /* of the picture; 0: none */
	uint64_t version; /* of that one */
	const char *view; /* its name */
	const struct seating *seating; /* until the loop turns */
};
void leg_get_picture(const struct leg *l, struct leg_picture *out) ON_THREAD(ROLE_CTL);
/* On its data channel; as leg_net_send_data. */
void leg_send_data(struct leg *l, struct buf *b) ON_THREAD(ROLE_CTL);
/* Leaves the room now; the memory goes when all threads have let go of it. No
 * event follows. reason: as in the protocol's `left`. */
void leg_leave(struct leg *l, const char *reason) ON_THREAD(ROLE_CTL);

struct prompt_list;
/* It hears add (n 0: nothing) when what waits before it is over, as soon as it is
 * connected; stop: what plays and waits ends now. 0; -EUSERS: PROMPT_QUEUE are not over
 * yet; -ENOMEM. Either way nothing has changed. */
int leg_prompt(struct leg *l, const struct prompt_list *add, bool stop) ON_THREAD(ROLE_CTL);
/* Ends those that a digit ends. */
void leg_prompt_digit(struct leg *l) ON_THREAD(ROLE_CTL);
/* How loud the room is to it: LEG_VOLUME_MIN_DB…LEG_VOLUME_MAX_DB, at first 0. Others
 * than 0 take an encoder. 0, -EINVAL or -ENOMEM. */
int leg_set_hearing(struct leg *l, float db) ON_THREAD(ROLE_CTL);
/* As RTP events, one after the other, "," is a second of nothing. 0; -EINVAL: no such
 * digits, or too many; -ENOTSUP: that was not agreed on; -ENOMEM. */
int leg_send_digits(struct leg *l, const char *digits) ON_THREAD(ROLE_CTL);
float leg_hearing_db(const struct leg *l) ON_THREAD(ROLE_CTL);

struct tap;
/* Copies of the leg's packets go to tap until leg_untap or until the leg leaves;
 * then released(obj, NULL) is called on CTL, later. One at a time: -EBUSY. */
int leg_tap(struct leg *l, struct tap *tap, mbox_fn *released, void *obj) ON_THREAD(ROLE_CTL);
/* Nothing when there is none. */
void leg_untap(struct leg *l) ON_THREAD(ROLE_CTL);

/* It is made in the server. */
bool leg_is_local(const struct leg *l) ON_THREAD(ROLE_CTL);

struct leg_record_sink;
/* What it sends goes to s as well (leg_record.h; copied), until leg_unrecord or until the
 * leg leaves; then s->released is called, later. One at a time: -EBUSY. -EINVAL: it is made
 * in the server; -ENOMEM. */
int leg_record(struct leg *l, const struct leg_record_sink *s) ON_THREAD(ROLE_CTL);
/* Nothing when there is none. */
void leg_unrecord(struct leg *l) ON_THREAD(ROLE_CTL);

/* What its picture is worth on the views; 0: any rate. */
void leg_limit_uplink(struct leg *l, uint32_t kbps) ON_THREAD(ROLE_CTL);
void leg_get_stats(const struct leg *l, struct leg_net_stats *s) ON_THREAD(ROLE_CTL);

#endif
