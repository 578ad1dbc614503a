/* A room: its legs, its layout, its encodes. CTL owns the state machine; the
 * media side works from routing snapshots (routing.h). */
#ifndef MCU_ROOM_ROOM_H
#define MCU_ROOM_ROOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/base/err.h"
#include "mcu/base/metrics.h"
#include "mcu/base/role.h"
#include "mcu/room/engine.h"
#include "mcu/room/leg.h"
#include "mcu/room/overload.h"
#include "mcu/room/sink.h"
#include "mcu/room/tick.h"
#include "mcu/room/view_rule.h"
#include "mixer/video/seating.h"

/* To whoever made the room, on CTL; one set for all rooms. After closed() the room is
 * gone. */
struct room_events {
	void (*joined)(void *obj, struct room *r, struct leg *l);
	void (*left)(void *obj, struct room *r, uint32_t leg, const char *reason);
	void (*changed)(void *obj, struct room *r, struct leg *l); /* mute, streams */
	void (*speaker)(void *obj, struct room *r, uint32_t leg);  /* 0: nobody */
	/* The picture of somebody is another, or moved in it: leg_get_picture says. */
	void (*layout)(void *obj, struct room *r);
	/* Wants room_wake to be called once after ms; NULL: speakers change at once. */
	void (*wake)(void *obj, struct room *r, int ms);
	void (*emptied)(void *obj, struct room *r);
	void (*closed)(void *obj, struct room *r);
};

/* For the life of the room. */
struct room_cfg {
	const char *name; /* copied */
	bool stereo;	  /* mixed, recorded and, where agreed on, sent in two channels */
	size_t max_views; /* the main one included, which is there in any case */
	size_t max_personal_views; /* of legs that hide themselves */
	bool speaker_view; /* at first: who is looked at sees somebody else */
};

int room_new(struct room **out, const struct engine *e, const struct room_cfg *cfg,
	     const struct room_events *ev, void *obj) ON_THREAD(ROLE_CTL);
/* Every leg is made to leave with reason, then the room winds down on all
 * threads and closed() follows. Sinks must have been detached. */
void room_close(struct room *r, const char *reason) ON_THREAD(ROLE_CTL);

const char *room_name(const struct room *r) ON_THREAD(ROLE_CTL);
uint32_t room_id(const struct room *r) ON_THREAD(ROLE_CTL);
/* Of its sound: 1 or 2. */
int room_channels(const struct room *r) ON_THREAD(ROLE_CTL);
/* Free for the owner of the events. */
void room_set_user(struct room *r, void *user) ON_THREAD(ROLE_CTL);
void *room_user(const struct room *r) ON_THREAD(ROLE_CTL);

/* name: at most 64 characters. obj of ev. joined() comes before it returns. */
int room_join(struct room *r, const char *name, const struct leg_watcher *ev, void *obj,
	      struct leg **out) ON_THREAD(ROLE_CTL);
/* Of a leg whose media may go over these (rtp_ports.h), referenced until its memory
 * goes; NULL: ICE only. */
int room_join_ports(struct room *r, const char *name, struct rtp_ports *ports,
		    const struct leg_watcher *ev, void *obj, struct leg **out)
	ON_THREAD(ROLE_CTL);

struct local_source;
/* Of one whose sound and pictures s makes (local_source.h; copied, its obj is borrowed
 * until it is released). It sends nothing before leg_set_local_media. */
int room_join_local(struct room *r, const char *name, const struct local_source *s,
		    const struct leg_watcher *ev, void *obj, struct leg **out)
	ON_THREAD(ROLE_CTL);

size_t room_leg_count(const struct room *r) ON_THREAD(ROLE_CTL);
/* In order of joining; NULL past the end. */
struct leg *room_leg(const struct room *r, size_t i) ON_THREAD(ROLE_CTL);

/* What its hosts want of a view of it. */
struct room_view {
	struct seating_plan plan;
	bool crop; /* pictures fill their tiles; what is presented never does */
	bool no_other; /* who has the speaker's tile, or lectures, sees what all see */
	struct routing_signs signs;
};
/* A room has the view VIEW_MAIN, and those that are added. name: NULL: the main one.
 * Errors: -ENOENT (view_unknown), -EINVAL (view_invalid, layout_invalid), -ENOSPC
 * (too_many_views), -ENOMEM, each with a sentence: nothing has changed.
 *
 * Makes a view (a grid, at first), or gives it another rule. */
int room_add_view(struct room *r, const char *name, enum view_rule rule, struct errmsg *why)
	ON_THREAD(ROLE_CTL);
/* Who has it gets another. */
int room_remove_view(struct room *r, const char *name, struct errmsg *why) ON_THREAD(ROLE_CTL);
/* As a whole; the event layout follows, from when on the version is another. */
int room_set_view(struct room *r, const char *name, const struct room_view *v, struct errmsg *why)
	ON_THREAD(ROLE_CTL);
/* NULL: there is none of that name. */
const struct room_view *room_view(const struct room *r, const char *name) ON_THREAD(ROLE_CTL);
/* Who is where in the picture that its receivers share. NULL: likewise. */
const struct seating *room_seating(const struct room *r, const char *name) ON_THREAD(ROLE_CTL);
struct room_view_info {
	const char *name;
	enum view_rule rule;
	size_t receivers, encoders;
};
size_t room_view_count(const struct room *r) ON_THREAD(ROLE_CTL);
/* The main one is 0, the others follow as they were made. */
void room_view_info(const struct room *r, size_t i, struct room_view_info *out) ON_THREAD(ROLE_CTL);
/* Increases with each event layout. */
uint64_t room_layout_version(const struct room *r) ON_THREAD(ROLE_CTL);
/* As asked for by the event. */
void room_wake(struct room *r) ON_THREAD(ROLE_CTL);
/* What is presented, a source (source_id.h); 0: nothing. */
uint32_t room_content(const struct room *r) ON_THREAD(ROLE_CTL);
uint32_t room_speaker(const struct room *r) ON_THREAD(ROLE_CTL);

/* Where a sink is attached. Several at a time, at most ROOM_SINKS. */
struct outlet;
enum { ROOM_SINKS = 16 };
/* s: copied. From its next key frame on, which is made soon, it gets the encode of its
 * view. 0, -EINVAL (it takes neither), -ESHUTDOWN, -ENOSPC, -ENOMEM. */
int room_sink_attach(struct room *r, const struct room_sink *s, struct outlet **out)
	ON_THREAD(ROLE_CTL);
/* NULLs *o. detached(obj, NULL) is posted to the control mailbox when no encoding
 * thread will call the sink again. */
void room_sink_detach(struct outlet **o, mbox_fn *detached, void *obj) ON_THREAD(ROLE_CTL);
/* It lost pictures: a key frame helps. */
void room_sink_want_key(struct outlet *o) ON_THREAD(ROLE_CTL);
/* What it gets: the size of its pictures, 0 where it takes none. */
void room_sink_size(const struct outlet *o, int *width, int *height) ON_THREAD(ROLE_CTL);

/* Of the video workers for this room, since the last call: what the owner of the
 * struct overload steps by. Its answer is in there when room_give_up is called. */
struct overload_room *room_load(struct room *r) ON_THREAD(ROLE_CTL);
void room_give_up(struct room *r) ON_THREAD(ROLE_CTL);
/* That is in force, and the pictures per second that follow from it. */
enum overload_level room_overload(const struct room *r) ON_THREAD(ROLE_CTL);
int room_fps(const struct room *r) ON_THREAD(ROLE_CTL);
/* Whether the room's picture is encoded in that format, at any size. */
bool room_has_encode(const struct room *r, const struct leg_tx_format *f)
	ON_THREAD(ROLE_CTL);
void room_get_work(const struct room *r, struct work_done *out) ON_THREAD(ROLE_CTL);

struct prompt;
/* To all who are in it; nothing while another is heard. s: borrowed for ever. */
void room_chime(struct room *r, const struct prompt *s) ON_THREAD(ROLE_CTL);

/* Values for /metrics. */
struct room_counts {
	size_t legs, tiles, receivers, views, pictures; /* pictures: composed */
	size_t video_encoders, video_decoders;
	size_t listener_mixes, listener_encoders, talker_encoders;
	size_t overload; /* enum overload_level */
};
void room_get_tick_stats(const struct room *r, struct tick_stats *s) ON_THREAD(ROLE_CTL);
void room_get_counts(const struct room *r, struct room_counts *c) ON_THREAD(ROLE_CTL);

#endif
