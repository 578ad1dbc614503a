/* The insides of rooms and legs, shared by the files of this folder that run on
 * CTL. Everything here belongs to CTL. */
#ifndef MCU_ROOM_ROOM_PRIV_H
#define MCU_ROOM_ROOM_PRIV_H

#include "mcu/base/log.h"
#include "mcu/room/audio_leg.h"
#include "mcu/room/beat.h"
#include "mcu/room/egress.h"
#include "mcu/room/ladder.h"
#include "mcu/room/leg.h"
#include "mcu/room/local_source.h"
#include "mcu/room/room.h"
#include "mcu/room/room_audio.h"
#include "mcu/room/tick.h"
#include "mcu/room/video_encode.h"
#include "mcu/room/video_leg.h"

enum { ROOM_MAX_SNAPSHOTS = 8 };

/* A picture that a leg sends. */
struct leg_source {
	uint32_t id; /* source_id.h */
	struct video_leg *video;
	struct rect tile; /* on the main view; empty: not shown there */
	int z;
	bool shown; /* on a picture that somebody receives */
	int w, h;   /* of its largest tile there; 0: none */
};

enum { LEG_CAMERA, LEG_CONTENT, LEG_SOURCES };

enum {
	ROOM_VIEWS = 16,     /* at most, whatever the configuration says */
	ROOM_FLOOR_MS = 2000 /* of speaking, before a speaker gets another picture */
};

/* What some receivers of a room see, composed once for all of them. */
enum picture_kind {
	PICTURE_SHARED,
	PICTURE_OTHER, /* of who is looked at: who spoke before instead, or the audience */
	PICTURE_OWN,   /* of one leg: without its camera */
	PICTURE_CONTENT /* of no view: what is presented, and nothing else */
};

struct view {
	char name[VIEW_NAME_BYTES];
	enum view_rule rule;
	struct room_view settings;
	bool changed; /* since its pictures were last made */
};

struct picture {
	struct picture *next;
	uint32_t id; /* unique in the process */
	const struct view *of; /* NULL: that view is gone, and it soon; of CONTENT */
	enum picture_kind kind;
	uint32_t leg; /* whose: OTHER, OWN */
	bool crop;
	struct routing_signs signs;
	struct seating seating;
	uint32_t content; /* what was presented when that was made; 0: nothing */
	uint64_t version; /* from 1 */
	size_t encodes;	  /* that run, without those that wind down */
	bool kept;	  /* of use at this time */
};

struct leg {
	struct leg *next;
	struct room *room;
	uint32_t id;
	char name[ROUTING_NAME_BYTES], label[32];
	struct log_ctx log;
	const struct leg_watcher *ev;
	void *obj;
	struct leg_net *net;
	struct audio_leg *audio;
	struct leg_source source[LEG_SOURCES];
	struct leg_ice ice, new_ice; /* in force; of a restart that is being negotiated */
	bool restarting;
	int64_t restarts_ns; /* when the allowance for restarts would be full again */
	char cname[LEG_CNAME_BYTES];
	uint32_t audio_ssrc, video_ssrc, video_rtx_ssrc, content_ssrc;
	struct rtp_ports *ports; /* one reference; NULL: it has none */
	bool local; /* what it sends is made here: it has no connection */
	struct local_source source_ops; /* then */
	struct leg_media media;
	bool configured, connected, gone;
	bool audio_muted, video_muted;
	struct route_sound sound;
	struct dtmf_in *tones; /* NULL: digits are not listened for */
	uint32_t watching; /* encode id; 0: none */
	uint32_t held;	   /* the encode it has until watching has a key frame; 0: none */
	uint32_t watching_content; /* the encode of what it gets beside that; 0: none */
	uint32_t counted[3]; /* encodes whose receivers it is one of; 0: none */
	struct leg_view view;
	/* it hides itself and sees itself still, for too many do; what it was told of that */
	bool lacks_own, told_lacks;
	struct picture *picture; /* that it gets or would get; NULL: out of memory */
	bool host;
	unsigned best, carries; /* rungs: that it may have, that its connection carries */
	bool presents[LEG_SOURCES]; /* that picture is what is presented */
	bool content_held;	    /* it may not present */
	size_t prompts; /* that are not over */
	bool has_ear;   /* its sound has one (audio_ear.h) */
	float hears_db;
	bool will_present; /* said so before anything was agreed on */
	uint64_t spoke; /* when it became the speaker last: room.speeches then; 0: never */
	mbox_fn *tap_released; /* NULL: nobody looks at its packets */
	void *tap_obj;
	struct leg_record *record; /* NULL: it is not recorded by itself */
	/* Winding down: the first routing without it, and who has let go. */
	uint64_t gone_seq;
	bool net_closed, video_closing;
	int videos_open;
};

/* leg_record.c: it is muted, or not, or held back. */
void leg_record_look(struct leg *l) ON_THREAD(ROLE_CTL);

/* An encode with what CTL must know to wind it down. */
struct room_encode {
	struct room_encode *next;
	struct room *room;
	struct picture *picture; /* NULL: it winds down */
	struct video_encode *v;
	enum codec codec;
	uint32_t profile_level_id; /* H.264 */
	bool single_nal;	   /* H.264: packetization-mode 0 */
	unsigned rung;
	size_t receivers;	   /* as counted by room_encode_demand */
	size_t sinks;		   /* that have it, or will */
	bool closing, closing_egress, closed;
	uint64_t gone_seq;
	size_t egress_left; /* shards that have not yet let go */
};

struct room {
	const struct engine *engine;
	uint32_t id;
	int channels; /* of its sound */
	char name[ROUTING_NAME_BYTES];
	struct log_ctx log;
	const struct room_events *ev;
	void *obj, *user;
	struct leg *legs, *leaving;
	struct leg **legs_end; /* where the next one goes */
	size_t n_legs;
	/* routing */
	/* the routing is to be published; everything is to be laid out anew before */
	bool dirty, stale, publish_posted;
	uint64_t seq, audio_acked, video_acked; /* last published; retired below */
	struct room_cfg cfg;
	struct view *views[ROOM_VIEWS]; /* the main one first */
	size_t n_views;
	struct picture *pictures;
	bool lacks_moved;  /* somebody's lacks_own is another than it was told */
	bool layout_moved; /* since the layout was last told */
	uint64_t layout_version;
	uint64_t speeches;
	uint32_t floor; /* who has been the speaker for a while; 0: nobody */
	bool floor_waits;
	struct room_audio *audio;
	struct tick *tick;
	/* of the video workers for this room: decoding, and what is made of it */
	struct work_account *work_in, *work;
	struct overload_room overload;
	enum overload_level gave_up; /* what of it is in force */
	struct work_done done_in, done; /* as last looked at; ticks left out likewise */
	uint64_t skipped;
	uint32_t speaker;
	/* one per picture, format and rung; those winding down included */
	struct room_encode *encodes;
	bool encodes_moved;	   /* one began or ended, and nobody has been placed since */
	bool lacks_encode;	   /* somebody gets another one than it should, or none */
	int64_t failure_logged_ns; /* when that was last said; 0: never */
	struct outlet *outlets; /* those that wind down included */
	/* winding down */
	bool closing, stopping, audio_stopped, tick_stopped;
};

/* leg.c */
int leg_new(struct leg **out, struct room *r, const char *name, struct rtp_ports *ports,
	    const struct leg_watcher *ev,
	    void *obj) ON_THREAD(ROLE_CTL);
/* Of a leg that never was in a room. */
void leg_discard(struct leg **l) ON_THREAD(ROLE_CTL);
/* It sends what s makes from now on; s is released when it is freed. 0 or -ENOMEM: s is
 * the caller's still. */
int leg_set_local(struct leg *l, const struct local_source *s) ON_THREAD(ROLE_CTL);
/* Frees it when NET, MIXA and MIXV have let go; returns whether it did. */
bool leg_try_free(struct leg *l) ON_THREAD(ROLE_CTL);
bool leg_shown(const struct leg *l) ON_THREAD(ROLE_CTL);

/* leg_present.c */
/* Whether it was agreed on that it sends source i; content only while it presents it. */
bool leg_sends(const struct leg *l, int i) ON_THREAD(ROLE_CTL);
/* Whether source i is a presentation. */
bool leg_presents(const struct leg *l, int i) ON_THREAD(ROLE_CTL);
/* Whether source i is somebody in the layout, with a picture or without. */
bool leg_seated(const struct leg *l, int i) ON_THREAD(ROLE_CTL);
/* Whether it may ever be somebody in the layout, by what was agreed on: a viewer is
 * not. */
bool leg_may_be_seated(const struct leg *l) ON_THREAD(ROLE_CTL);
/* Whether source i is switched off. */
bool leg_muted(const struct leg *l, int i) ON_THREAD(ROLE_CTL);
/* What it sends has been agreed on anew; sent: whether content went one way,
 * from it, before. */
void leg_content_agreed(struct leg *l, bool sent) ON_THREAD(ROLE_CTL);
/* Packets of it come now, or come no more, where it goes both ways. */
void leg_content_comes(struct leg *l, bool comes) ON_THREAD(ROLE_CTL);

/* room_route.c */
/* Layout, encodes and routing shall be made anew; done once for all changes of a loop
 * turn. */
void room_touch(struct room *r) ON_THREAD(ROLE_CTL);
/* The routing alone. */
void room_touch_routing(struct room *r) ON_THREAD(ROLE_CTL);
/* The routing that will first show a change made now. */
uint64_t room_next_seq(const struct room *r) ON_THREAD(ROLE_CTL);
bool room_acked(const struct room *r, uint64_t seq) ON_THREAD(ROLE_CTL);
extern const struct room_audio_events room_audio_events;
extern const struct tick_events room_tick_events;

/* room_view.c */
/* name: a valid one. 0 or -ENOMEM. */
int room_view_open(struct room *r, const char *name, enum view_rule rule) ON_THREAD(ROLE_CTL);
void room_views_free(struct room *r) ON_THREAD(ROLE_CTL);
/* NULL: there is none of that name. */
struct view *room_view_find(const struct room *r, const char *name) ON_THREAD(ROLE_CTL);
/* There is another speaker. */
void room_view_spoke(struct room *r) ON_THREAD(ROLE_CTL);
/* A leg has left. */
void room_view_left(struct room *r, uint32_t leg) ON_THREAD(ROLE_CTL);

/* leg_view.c */
/* Tells whoever hides itself that it sees itself still, or does not any more. A call-back
 * may make legs leave. */
void leg_tell_hidden(struct room *r) ON_THREAD(ROLE_CTL);

/* room_picture.c */
/* Says who is where in each picture, and who gets which. */
void room_pictures_update(struct room *r) ON_THREAD(ROLE_CTL);
/* Tells the sources where they are shown, by the encodes that run now. */
void room_place(struct room *r) ON_THREAD(ROLE_CTL);
/* Which one l would get by its wishes; own: one of its own, NULL where that does not exist
 * yet. */
struct picture *room_picture_would(const struct room *r, const struct leg *l, bool *own)
	ON_THREAD(ROLE_CTL);
/* The one that l gets, where all are as room_pictures_update has left them; NULL: out of
 * memory. */
struct picture *room_picture_of(struct room *r, const struct leg *l) ON_THREAD(ROLE_CTL);
/* The one that l gets beside its view: what another leg presents. NULL: none. */
struct picture *room_picture_content(const struct room *r, const struct leg *l)
	ON_THREAD(ROLE_CTL);
struct picture *room_picture_shared(const struct room *r, const struct view *v)
	ON_THREAD(ROLE_CTL);
/* v goes. */
void room_pictures_orphan(struct room *r, const struct view *v) ON_THREAD(ROLE_CTL);
void room_pictures_free(struct room *r) ON_THREAD(ROLE_CTL);

/* room_encode.c */
/* Lays everything out anew, and starts and stops encodes as the receivers and the sink
 * demand. */
void room_encode_demand(struct room *r) ON_THREAD(ROLE_CTL);
/* Likewise, after a change of l alone: at the same cost however many viewers there are,
 * when it is one. l may have left. */
void room_encode_demand_of(struct leg *l) ON_THREAD(ROLE_CTL);
/* The rung of an encode that runs; false: there is none of that id. */
bool room_encode_rung(const struct room *r, uint32_t id, unsigned *rung) ON_THREAD(ROLE_CTL);
/* H.264 as every browser takes it, started if need be. 0, -ENOSPC, -ENOMEM. */
int room_encode_for_sink(struct room *r, struct picture *p, unsigned rung,
			 struct room_encode **out) ON_THREAD(ROLE_CTL);
/* Goes on winding down what may; after every acknowledgement. */
void room_encode_reap(struct room *r) ON_THREAD(ROLE_CTL);
/* Whether anybody gets a picture at all. */
bool room_encode_any(const struct room *r) ON_THREAD(ROLE_CTL);

/* room_sinks.c */
/* Sinks follow the views that they are of. */
void room_sinks_demand(struct room *r) ON_THREAD(ROLE_CTL);
/* Whether a sink takes pictures. */
bool room_films(const struct room *r) ON_THREAD(ROLE_CTL);
/* Whether one takes them at the best rung. */
bool room_films_top(const struct room *r) ON_THREAD(ROLE_CTL);
/* Media time since when it is recorded; 0: it is not. */
int64_t room_recorded_since_ns(const struct room *r) ON_THREAD(ROLE_CTL);

/* room_rung.c */
/* What a leg's wishes, the negotiation, its connection and the load allow; *limit: the
 * best of the configuration's rungs that its connection may be tried with. */
unsigned room_rung(const struct leg *l, unsigned *limit) ON_THREAD(ROLE_CTL);
/* The same of content, which it has no wishes for. */
unsigned room_rung_content(const struct leg *l) ON_THREAD(ROLE_CTL);

/* room_overload.c */
/* The best rung that anybody gets now. */
unsigned room_top_rung(const struct room *r) ON_THREAD(ROLE_CTL);
/* Whether what is shown is decoded. */
bool room_decodes(const struct room *r) ON_THREAD(ROLE_CTL);

/* room.c */
/* Goes on winding down legs, encodes and the room itself. */
void room_reap(struct room *r) ON_THREAD(ROLE_CTL);

#endif
