/* The rooms' side of signaling: implements struct room_api on top of mcu/room,
 * keeps the registry's sessions and participants, and owns recordings. CTL. */
#ifndef MCU_CONFERENCE_H
#define MCU_CONFERENCE_H

#include "mcu/access.h"
#include "mcu/base/metrics.h"
#include "mcu/base/role.h"
#include "mcu/config.h"
#include "mcu/recording.h"
#include "mcu/tokens.h"
#include "signaling/leg_api.h"

struct accounts;
struct prompts;
struct conference;
struct room_row;

struct conference_cfg {
	const struct engine *engine;
	const struct config *config;
	struct db *db;
	struct volume *volume;
	struct finisher *finisher; /* NULL: off */
	const char *fingerprint; /* of a=fingerprint */
	const struct token_key *key;
	const char *link_key; /* links.h; may change. NULL: nobody is told links */
	struct accounts *accounts;
	const struct prompts *prompts; /* NULL: none */
};

/* cfg's pointers are borrowed for its life. */
int conference_new(struct conference **out, const struct conference_cfg *cfg) ON_THREAD(ROLE_CTL);
/* Every room must be gone. */
void conference_free(struct conference **c) ON_THREAD(ROLE_CTL);

extern const struct room_api conference_api; /* its ctx: the conference */

/* The registry's row of a room has changed: one that runs takes the new rules. */
void conference_room_changed(struct conference *c, const struct room_row *row)
	ON_THREAD(ROLE_CTL);
/* How many are in a room; 0: it does not run. */
size_t conference_people(const struct conference *c, const char *room) ON_THREAD(ROLE_CTL);
struct leg;
/* NULL: nobody there has this number. Valid until the loop turns. */
struct leg *conference_leg(const struct conference *c, const char *room, uint32_t leg)
	ON_THREAD(ROLE_CTL);
/* What an administrator may see of a participant. Borrowed for the call. */
struct conference_leg {
	struct leg_info info;
	const char *address; /* of its signaling */
	bool host, hand;
	enum leg_kind kind;
	const char *number; /* a phone's; "": none */
	int64_t user_id, joined_ms; /* user_id 0: a guest */
	struct leg_net_stats net;
	struct leg_stats stats; /* rates are since the last time somebody asked */
};
typedef void conference_leg_cb(void *obj, const struct conference_leg *l);
/* In order of joining. */
void conference_legs(const struct conference *c, const char *room, conference_leg_cb *cb, void *obj)
	ON_THREAD(ROLE_CTL);
struct layout_change;
/* As a host's `layout`. -ENOENT with room_unknown: it does not run; otherwise as
 * view_change. */
int conference_set_layout(struct conference *c, const char *room, const struct layout_change *l,
			  struct errmsg *why) ON_THREAD(ROLE_CTL);
/* As a host's `rename` and `volume`. -ENOENT: nobody there has this number; -EINVAL. */
int conference_rename(struct conference *c, const char *room, uint32_t leg, const char *name,
		      struct errmsg *why) ON_THREAD(ROLE_CTL);
int conference_set_volume(struct conference *c, const char *room, uint32_t leg, double gain_db,
			  struct errmsg *why) ON_THREAD(ROLE_CTL);
/* Who wants to watch a room without joining it. Borrowed; NULL: none. */
struct watch_ask {
	const char *room, *pin, *peer;
	const char *key; /* that a watch before was given (tokens.h) */
	struct access_who who; /* user, user_id and invited; the rest is found out */
};
/* Whether it may now. 0; -ENOENT (room_unknown), -ENOTSUP (stream_off), -EACCES with the
 * codes of those who join. */
int conference_watch(struct conference *c, const struct watch_ask *a, struct errmsg *why)
	ON_THREAD(ROLE_CTL);
/* A key for whoever may: of this meeting, until somebody is removed or others may come in.
 * "": the room does not run. */
void conference_watch_key(struct conference *c, const char *room, int hours,
			  char out[WATCH_KEY_LEN + 1]) ON_THREAD(ROLE_CTL);
struct hls;
/* The stream of a running room, which start begins where it is not. *out: borrowed until
 * the loop turns. -ENOENT, or as broadcast_start. */
int conference_stream(struct conference *c, const char *room, bool start, struct hls **out,
		      struct errmsg *why) ON_THREAD(ROLE_CTL);
struct pushes;
/* Where a running room is sent to (mcu/pushes.h); start: about to be. NULL: the room does
 * not run, or nothing was ever sent. Borrowed until the loop turns. */
struct pushes *conference_pushes(struct conference *c, const char *room, bool start)
	ON_THREAD(ROLE_CTL);
struct agenda;
struct agenda_events;
/* Templates and schedules, which hold from now on; freed after the conference. */
int conference_new_agenda(struct conference *c, struct agenda **out) ON_THREAD(ROLE_CTL);
/* What they do; their ctx: the conference. */
extern const struct agenda_events conference_agenda_events;
struct dials;
/* The calls that its rooms make (mcu/dial.h). Borrowed. */
struct dials *conference_dials(struct conference *c) ON_THREAD(ROLE_CTL);
struct playbacks;
/* What is played in its rooms (mcu/playback.h). Borrowed. */
struct playbacks *conference_playbacks(struct conference *c) ON_THREAD(ROLE_CTL);
struct views_change;
/* As a host's `views`; layout: of the view that is set, NULL: as it is. -ENOENT with
 * room_unknown; otherwise as room_add_view, view_change and room_remove_view: nothing
 * has changed. */
int conference_change_views(struct conference *c, const char *room, const struct views_change *v,
			    const struct layout_change *layout, struct errmsg *why) ON_THREAD(ROLE_CTL);
struct room_view_info;
/* Borrowed for the call. */
typedef void conference_view_cb(void *obj, const struct room_view_info *v,
				const struct layout_info *l);
/* -ENOENT with room_unknown. */
int conference_views(struct conference *c, const char *room, conference_view_cb *cb, void *obj,
		     struct errmsg *why) ON_THREAD(ROLE_CTL);
/* What a host, a program or a schedule (by: its name) does to the recording of a room that
 * runs. 0; -ENOENT (room_empty, not_recording), -EBUSY (already_recording), or what
 * recording.h says; with *why. */
int conference_record(struct conference *c, const char *room, const struct record_wish *wish,
		      const char *by, struct errmsg *why) ON_THREAD(ROLE_CTL);
/* Its state. Strings: valid until the loop turns. 0 or -ENOENT (room_empty). */
int conference_recording(const struct conference *c, const char *room,
			 struct recording_info *out, struct errmsg *why) ON_THREAD(ROLE_CTL);
/* Whether this user is in it now as a host. */
bool conference_hosts(const struct conference *c, const char *room, int64_t user_id)
	ON_THREAD(ROLE_CTL);

/* Calls that a telephone asks for, and redirects (struct sip_cfg). ctx: the conference. */
struct sip_refer_wish;
void conference_refer(void *ctx, const struct sip_refer_wish *wish) ON_THREAD(ROLE_CTL);
bool conference_may_call(void *ctx, const char *uri) ON_THREAD(ROLE_CTL);

/* The sockets of one call, on this address of the server; the caller's until
 * conference_ports_free. ctx: the conference. -EINVAL, -ENOMEM, -EIO with *why. */
int conference_ports_new(void *ctx, const char *local, struct rtp_ports **out, struct errmsg *why)
	ON_THREAD(ROLE_CTL);
/* The same on that network shard. */
int conference_ports_on(void *ctx, const char *local, unsigned shard, struct rtp_ports **out,
			struct errmsg *why) ON_THREAD(ROLE_CTL);
void conference_ports_withhold(void *ctx, struct rtp_ports *ports, bool withhold)
	ON_THREAD(ROLE_CTL);
void conference_ports_free(void *ctx, struct rtp_ports **ports) ON_THREAD(ROLE_CTL);

/* Nobody joins any more; every leg is told, every recording finished, every
 * room closed. */
void conference_shutdown(struct conference *c) ON_THREAD(ROLE_CTL);
/* After shutdown: nothing is left running. */
bool conference_is_idle(const struct conference *c) ON_THREAD(ROLE_CTL);

/* Appends the per-room families. 0 or -ENOMEM. */
int conference_metrics(struct conference *c, struct metrics_text *out) ON_THREAD(ROLE_CTL);

#endif
