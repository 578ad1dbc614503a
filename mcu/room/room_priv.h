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
	struct rect tile; /* empty: not shown */
	int z;
};

enum { LEG_CAMERA, LEG_SOURCES };

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
	uint32_t audio_ssrc, video_ssrc, video_rtx_ssrc;
	struct leg_media media;
	bool configured, connected, gone;
	bool audio_muted, video_muted;
	uint32_t watching; /* encode id; 0: none */
	uint32_t held;	   /* the encode it has until watching has a key frame; 0: none */
	struct leg_view view;
	unsigned best, carries; /* rungs: that it may have, that its connection carries */
	bool content;	/* its picture is a presentation */
	uint64_t spoke; /* when it became the speaker last: room.speeches then; 0: never */
	mbox_fn *tap_released; /* NULL: nobody looks at its packets */
	void *tap_obj;
	/* Winding down: the first routing without it, and who has let go. */
	uint64_t gone_seq;
	bool net_closed, video_closing;
	int videos_open;
};

/* An encode with what CTL must know to wind it down. */
struct room_encode {
	struct room_encode *next;
	struct room *room;
	struct video_encode *v;
	enum codec codec;
	uint32_t profile_level_id; /* H.264 */
	unsigned rung;
	size_t receivers;	   /* as counted by room_encode_demand */
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
	size_t n_legs;
	/* routing */
	bool dirty, publish_posted, recount;
	uint64_t seq, audio_acked, video_acked; /* last published; retired below */
	struct room_view view;
	bool view_changed; /* since the layout was last told */
	uint64_t layout_version;
	struct seating seating; /* as last published */
	uint64_t speeches;
	struct room_audio *audio;
	struct tick *tick;
	struct work_account *work; /* of the video workers for this room */
	struct overload_room overload;
	enum overload_level gave_up; /* what of it is in force */
	struct work_done done;	     /* as last looked at; ticks left out likewise */
	uint64_t skipped;
	uint32_t speaker;
	/* the main view's encodes, one per format and rung; those winding down included */
	struct room_encode *encodes;
	struct room_encode *sink_encode; /* which one the sink consumes; NULL: no sink */
	struct room_sink sink;
	bool has_sink;
	int64_t sink_since_ns;
	mbox_fn *sink_done;
	void *sink_done_obj;
	size_t sink_left;
	/* winding down */
	bool closing, stopping, audio_stopped, tick_stopped;
};

/* leg.c */
int leg_new(struct leg **out, struct room *r, const char *name, const struct leg_watcher *ev,
	    void *obj) ON_THREAD(ROLE_CTL);
/* Frees it when NET, MIXA and MIXV have let go; returns whether it did. */
bool leg_try_free(struct leg *l) ON_THREAD(ROLE_CTL);
bool leg_shown(const struct leg *l) ON_THREAD(ROLE_CTL);
/* Whether it was agreed on that it sends source i. */
bool leg_sends(const struct leg *l, int i) ON_THREAD(ROLE_CTL);
/* Whether source i is a presentation. */
bool leg_presents(const struct leg *l, int i) ON_THREAD(ROLE_CTL);

/* room_route.c */
/* The routing shall be made anew; done once for all changes of a loop turn. */
void room_touch(struct room *r) ON_THREAD(ROLE_CTL);
/* The routing that will first show a change made now. */
uint64_t room_next_seq(const struct room *r) ON_THREAD(ROLE_CTL);
bool room_acked(const struct room *r, uint64_t seq) ON_THREAD(ROLE_CTL);
extern const struct room_audio_events room_audio_events;
extern const struct tick_events room_tick_events;

/* room_view.c */
/* Gives everybody their tiles. Returns whether anything moved. */
bool room_lay_out(struct room *r) ON_THREAD(ROLE_CTL);
/* There is another speaker. */
void room_view_spoke(struct room *r) ON_THREAD(ROLE_CTL);

/* room_encode.c */
/* Starts and stops the view's encodes as the receivers and the sink demand. */
void room_encode_demand(struct room *r) ON_THREAD(ROLE_CTL);
/* The same, once for all changes of a loop turn. */
void room_encode_recount(struct room *r) ON_THREAD(ROLE_CTL);
/* The rung of an encode that runs; false: there is none of that id. */
bool room_encode_rung(const struct room *r, uint32_t id, unsigned *rung) ON_THREAD(ROLE_CTL);
/* Goes on winding down what may; after every acknowledgement. */
void room_encode_reap(struct room *r) ON_THREAD(ROLE_CTL);
/* Whether anybody gets a picture at all. */
bool room_encode_any(const struct room *r) ON_THREAD(ROLE_CTL);

/* room_overload.c */
/* The best rung that anybody gets now. */
unsigned room_top_rung(const struct room *r) ON_THREAD(ROLE_CTL);
/* Whether what is shown is decoded. */
bool room_decodes(const struct room *r) ON_THREAD(ROLE_CTL);

/* room.c */
/* Goes on winding down legs, encodes and the room itself. */
void room_reap(struct room *r) ON_THREAD(ROLE_CTL);

#endif
