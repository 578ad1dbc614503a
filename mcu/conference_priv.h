/* The insides of the conference. CTL.
 *   conference.c          rooms and their events
 *   join.c, lobby.c       how somebody becomes a participant
 *   parlour.c             those who are alone, before they are
 *   prompting.c           announcements to a leg, and digits
 *   participant.c         struct room_api once it is one
 *   presence.c            how participants are shown to each other; calls
 *   referral.c            calls that telephones ask for
 *   moderation.c, chat.c  what participants and hosts do to each other
 *   hall_view.c           its views and layouts
 *   hall_record.c         its recording
 *   hall_events.c         what happens meanwhile, for its chapters
 *   hall_agenda.c         rooms that open and are recorded by a schedule
 *   quality_report.c      statistics and scores
 *   call_ports.c          sockets of calls
 *   playback*.c           recordings, files and cameras as participants
 *   uplink.c              what clients are told to send
 *   watching.c            streams over HTTP and who may watch them, pushes */
#ifndef MCU_CONFERENCE_PRIV_H
#define MCU_CONFERENCE_PRIV_H

#include <glib.h>

#include "mcu/access.h"
#include "mcu/accounts.h"
#include "mcu/address_count.h"
#include "mcu/base/quota.h"
#include "mcu/broadcast.h"
#include "mcu/conference.h"
#include "mcu/data_relay.h"
#include "mcu/digit_gate.h"
#include "mcu/dial.h"
#include "mcu/load_watch.h"
#include "mcu/net/rtp_ports.h"
#include "mcu/pushes.h"
#include "mcu/quality_log.h"
#include "mcu/tokens.h"
#include "signaling/phone_number.h"
#include "storage/sessions.h"

enum {
	CONNECT_TIMEOUT_S = 20,
	RESUME_BYTES = RESUME_LEN + 1,
	MAX_WAITING = 200,	   /* in a lobby */
	DEPARTED_MAX = 1024,	   /* who may come back to a room, remembered */
	COME_BACK_S = 600,	   /* after leaving */
	RESTART_MOST_S = 12 * 3600, /* how old they may be by then */
	RESTART_S = 300,	   /* after the server's start secrets of before it hold */
	QUALITY_S = 5,
	SUCCESSION_S = 10,
	CHAT_HISTORY = 50,
	PARLOURS_MAX = 500, /* of those who call */
	PARLOURS_KEPT = 100, /* beside them, for whom the server calls */
	CHIME_PEOPLE_MOST = 50, /* in larger rooms somebody comes or goes all the time */
	CHAT_BURST = 10, CHAT_BURST_MS = 10000, /* messages of one participant */
};

/* Somebody who left and may come back with the same secret. */
struct departed {
	char resume[RESUME_BYTES];
	bool host, removed;
	bool audio_held, video_held;
	uint32_t content_held;
	int64_t left_ns;
};

struct chat_log;

/* A room that runs, with its session in the registry. */
struct hall {
	struct conference *conf;
	struct room *room;
	int64_t session_id;
	GPtrArray *people; /* struct leg_handle, in order of joining */
	uint64_t departures; /* from it so far */
	struct recording *recording;
	bool auto_runs; /* it was begun by itself */
	bool auto_held; /* somebody has stopped it since enough people are there */
	guint auto_end; /* timer: there are too few */
	uint32_t shares; /* leg; 0: nobody */
	char shares_name[257];
	struct pushes *pushes; /* NULL: none so far */
	struct broadcast *broadcast; /* NULL: nobody watches over HTTP */
	unsigned watch_epoch; /* keys to its stream hold for this one */
	guint linger;      /* timer of an empty room */
	bool closing;
	bool parlour; /* of one leg: in no list, no registry */
	bool registered;
	char maker[64]; /* address of who opened it */
	int64_t owner_id;
	struct room_rules rules;
	char number[ROOM_NUMBER_LEN + 1]; /* that callers enter; "": none */
	GPtrArray *lobby;     /* struct leg_handle that wait, in order of coming */
	uint32_t last_waiting; /* the newest number given in the lobby */
	GArray *departed;     /* struct departed, the oldest first */
	struct chat_log *chat;
	struct data_relay *relay;
	guint quality, succession, wake; /* timers */
	uint32_t muted_by;    /* the host that is muting somebody at this moment */
};

struct playback;

struct leg_handle {
	struct conference *conf;
	struct playback *playback; /* that it is; NULL: somebody */
	struct hall *hall; /* NULL while the registry is asked for the room */
	struct leg *leg;
	struct data_member *data; /* on its data channel, while it is in the room */
	const struct leg_events *ev;
	void *obj;
	char room[257], name[257];
	enum leg_kind kind;
	bool numbered; /* its room was looked for by number too */
	bool existing; /* it opens no room that is not registered */
	bool ask_only; /* only whether it may come in */
	struct digit_gate digits; /* that came from it */
	char number[PHONE_NUMBER_BYTES], masked[PHONE_NUMBER_BYTES]; /* of a phone; "": none */
	char resume[RESUME_BYTES];      /* its own secret */
	char old_resume[RESUME_BYTES];  /* of the leg it replaces; "": none */
	char pin[PROTOCOL_MAX_PIN + 1]; /* "": none; while joining */
	char *token;		/* NULL: none; likewise */
	int64_t invitation_id;	/* used by it; 0: none; until it is in */
	char peer[64];
	char origin[64]; /* peer, or of join_req */
	struct access_who who;
	struct hall *lobby;     /* where it waits; NULL: it does not */
	uint32_t waiting;	/* its number there */
	bool host, hand;
	bool audio_held, video_held; /* muted by a host */
	uint32_t content_held;	     /* the host who has forbidden it to present; 0: none */
	int64_t chat_at_ns[CHAT_BURST]; /* of its last messages, a ring */
	unsigned chat_n;
	struct quota presenting; /* how often it begins to */
	struct quota wishing, sounding; /* `view`; `sound` and `volume` */
	int64_t row_id, joined_ms;
	unsigned admitted; /* bits of enum admission_kind: what it was let in with */
	bool gone;       /* left while the registry was asked */
	bool connected, connecting;
	bool told_audio, told_video;             /* what others were told it sends */
	bool told_audio_muted, told_video_muted;
	struct uplink_info uplink;
	uint32_t told_picture; /* which it was told the layout of, and that one's version */
	uint64_t told_version;
	guint timeout;
	uint64_t session_id; /* of o= */
	struct rtp_ports *ports; /* one reference; NULL: none */
	struct neg_sdes sdes[RTP_LINES][RTP_SUITES]; /* our keys, as local() said them */
	uint64_t down_octets, up_octets;
	int64_t stats_at_ns;
	struct quality_mark mark;
	double told_score; /* what others know of its connection; 0: nothing */
	bool knows_scores; /* it was told those of the others */
};

struct conference {
	struct conference_cfg cfg;
	struct recording_env recordings;
	struct broadcast_env broadcasts;
	struct pushes_env pushes;
	struct rtp_port_range *rtp_range;
	unsigned next_shard; /* of calls */
	GHashTable *halls; /* room name → struct hall */
	GPtrArray *parlours; /* halls without a name */
	GPtrArray *closing; /* halls that wind down */
	struct ice_server_info *ice;
	size_t n_ice;
	uint32_t pending; /* joins that wait for the registry */
	struct load_watch *load;
	struct quality_log *quality;
	const struct agenda *agenda; /* NULL: none */
	struct address_count *addresses; /* of every struct leg_handle */
	int connecting; /* legs whose media connection is being set up */
	int64_t started_ms;
	GHashTable *used; /* secrets of before the start that came back */
	struct dials *dials;
	struct playbacks *playbacks;
	bool stopping;
};

/* conference.c */
struct hall *hall_find(struct conference *c, const char *name) ON_THREAD(ROLE_CTL);
/* Whether one more may be opened. row: what the registry has; NULL: nothing. peer:
 * address of who asks, who may not open many (registered ones do not count). 0 or
 * -errno with *why. */
int hall_may_open(const struct conference *c, const struct room_row *row, const char *peer,
		  struct errmsg *why) ON_THREAD(ROLE_CTL);
/* Opens it when it is not running; the limits have been asked. The rest as above. */
int hall_open(struct conference *c, const char *name, const struct room_row *row, const char *peer,
	      struct hall **out, struct errmsg *why) ON_THREAD(ROLE_CTL);
/* In no list yet; row: as above. 0 or -errno. */
int hall_new(struct hall **out, struct conference *c, const char *name,
	     const struct room_row *row) ON_THREAD(ROLE_CTL);
/* For the audit, as done by p. */
void hall_audit(const struct leg_handle *p, const char *action, const char *detail)
	ON_THREAD(ROLE_CTL);
/* Whether p is (still) in it: a call-back may have made it leave, and then it has
 * been freed. */
bool hall_has(const struct hall *h, const struct leg_handle *p) ON_THREAD(ROLE_CTL);
/* The participant with this number; NULL: there is none, or h is NULL. */
struct leg_handle *hall_leg(const struct hall *h, uint32_t leg) ON_THREAD(ROLE_CTL);
/* Nobody may be in it: if so, it closes after a while. */
void hall_linger(struct hall *h) ON_THREAD(ROLE_CTL);
/* To everybody in the room but `but` (may be NULL). */
void hall_tell(struct hall *h, struct leg_event *ev, const struct leg_handle *but)
	ON_THREAD(ROLE_CTL);
void hall_policy_info(const struct hall *h, struct room_policy_info *out) ON_THREAD(ROLE_CTL);
size_t hall_max_people(const struct hall *h) ON_THREAD(ROLE_CTL);

/* watching.c: begins its stream where there is none. 0 or -errno with *why. */
int hall_broadcast(struct hall *h, struct errmsg *why) ON_THREAD(ROLE_CTL);
/* Its rules were those before: if others may come in now, whoever watches has to ask
 * again. */
void hall_watch_look(struct hall *h, const struct room_rules *before) ON_THREAD(ROLE_CTL);
/* A host has removed somebody, who may have a key to the stream: likewise. */
void hall_watch_removed(struct hall *h) ON_THREAD(ROLE_CTL);

/* hall_events.c: for the chapters of what is being recorded, if anything is. */
void hall_happened(struct hall *h, enum recording_event_kind kind, const struct leg_handle *p)
	ON_THREAD(ROLE_CTL);
/* That leg is the speaker from now on; 0: nobody. */
void hall_speaks(struct hall *h, uint32_t leg) ON_THREAD(ROLE_CTL);
/* Somebody else may share content from now on, or nobody. */
void hall_shares(struct hall *h) ON_THREAD(ROLE_CTL);
/* A recording begins: how things stand. */
void hall_stands(struct hall *h) ON_THREAD(ROLE_CTL);

/* Tells the others that somebody has changed (role, streams). */
void hall_tell_changed(struct hall *h, struct leg_handle *p) ON_THREAD(ROLE_CTL);

/* hall_record.c */
void hall_recording_info(const struct hall *h, struct recording_info *out) ON_THREAD(ROLE_CTL);
int hall_record(struct hall *h, const struct record_wish *wish, const char *by,
		struct errmsg *why)
	ON_THREAD(ROLE_CTL);
/* Somebody came or left, or its rules are others: whether it is recorded by itself. */
void hall_record_look(struct hall *h) ON_THREAD(ROLE_CTL);
/* The room is about to close. */
void hall_record_close(struct hall *h) ON_THREAD(ROLE_CTL);

/* hall_view.c */
/* Tells who sees another layout than it was told; only: that one, in any case. */
void hall_tell_layout(struct hall *h, struct leg_handle *only) ON_THREAD(ROLE_CTL);
/* Which views there are; only: to that one, and nothing where there is but one. */
void hall_tell_views(struct hall *h, struct leg_handle *only) ON_THREAD(ROLE_CTL);
int hall_change_views(struct hall *h, const struct views_change *v,
		      const struct layout_change *layout, struct errmsg *why)
	ON_THREAD(ROLE_CTL);

/* uplink.c */
/* Tells it what of its pictures is of use, if that has changed. */
void hall_tell_uplink(struct hall *h, struct leg_handle *p) ON_THREAD(ROLE_CTL);
void hall_tell_uplinks(struct hall *h) ON_THREAD(ROLE_CTL);

/* join.c */
int join_begin(struct conference *c, const struct join_req *req, const struct leg_events *events,
	       void *obj, struct leg_handle **out, struct errmsg *why) ON_THREAD(ROLE_CTL);
/* A leg_handle in no room yet, counted for its address; NULL: out of memory. */
struct leg_handle *join_new(struct conference *c, const struct join_req *req,
			    const struct leg_events *events, void *obj) ON_THREAD(ROLE_CTL);
void join_welcome(struct leg_handle *p) ON_THREAD(ROLE_CTL);
/* What a PIN is to these rules; "" or NULL: none was given. */
enum pin_state join_look_at_pin(const struct conference *c, const struct room_rules *r,
				const char *room, const char *pin) ON_THREAD(ROLE_CTL);
/* It is admitted: into the room. On an error p is the caller's still. */
int join_enter(struct leg_handle *p, struct hall *h, struct errmsg *why) ON_THREAD(ROLE_CTL);
/* Whoever did not come in after all: frees it. */
void join_discard(struct leg_handle *p) ON_THREAD(ROLE_CTL);
/* Remembers it, so that it can come back. */
void join_remember(struct hall *h, const struct leg_handle *p, bool removed) ON_THREAD(ROLE_CTL);

/* playback_leg.c */
struct playbacks;
/* As room_join_ports, of what is played. */
int playback_enter(struct playback *p, struct leg_handle *l, struct room *r) ON_THREAD(ROLE_CTL);
/* A host's `play`, `playback` and `playback_stop`. */
int playback_act(struct leg_handle *p, const struct client_msg *m, struct errmsg *why)
	ON_THREAD(ROLE_CTL);
/* What is played in h, to one who has come. */
void playbacks_brief(struct playbacks *all, const struct hall *h, struct leg_handle *to)
	ON_THREAD(ROLE_CTL);

/* parlour.c */
/* As join, into a parlour of its own. */
int parlour_join(struct leg_handle *p, struct errmsg *why) ON_THREAD(ROLE_CTL);
/* What of an agreement is in force there. */
void parlour_media(struct leg_media *m) ON_THREAD(ROLE_CTL);

/* prompting.c: as in struct room_api */
int prompting_play(void *ctx, struct leg_handle *p, const struct prompt_req *req,
		   struct errmsg *why);
int prompting_digits(void *ctx, struct leg_handle *p, const char *digits, struct errmsg *why);
void prompting_digit_in(void *ctx, struct leg_handle *p, char digit);
int prompting_hear(void *ctx, struct leg_handle *p, float db, struct errmsg *why);
/* Of the leg's watcher. */
void prompting_over(void *obj, uint32_t id, bool stopped);
void prompting_digit(void *obj, char digit, enum digit_source from);
/* Somebody comes or goes: "join", "leave". */
void prompting_chime(struct hall *h, const struct leg_handle *who, const char *name)
	ON_THREAD(ROLE_CTL);

/* hall_agenda.c */
/* Rules of a room that is not registered, of this name. */
void hall_unregistered_rules(const struct conference *c, const char *name, struct room_rules *out)
	ON_THREAD(ROLE_CTL);
/* Whether p may come in at this time, by the room's schedules; it is known whether it is a
 * host. 0 or -EACCES with *why. */
int hall_may_enter_now(const struct leg_handle *p, struct errmsg *why) ON_THREAD(ROLE_CTL);
/* Likewise of anybody who is no host. */
int hall_is_open_now(const struct conference *c, const char *room, struct errmsg *why)
	ON_THREAD(ROLE_CTL);
/* conference.c */
void hall_close(struct hall *h, const char *reason) ON_THREAD(ROLE_CTL);

/* lobby.c */
int lobby_wait(struct leg_handle *p, struct hall *h, struct errmsg *why) ON_THREAD(ROLE_CTL);
void lobby_leave(struct leg_handle *p) ON_THREAD(ROLE_CTL);
void lobby_tell(struct hall *h, struct leg_handle *only) ON_THREAD(ROLE_CTL);
/* waiting 0: all. -ENOENT: nobody has that number. */
int lobby_decide(struct hall *h, uint32_t waiting, bool allow) ON_THREAD(ROLE_CTL);
/* Whoever waits is refused. */
void lobby_close(struct hall *h, const char *code, const char *text) ON_THREAD(ROLE_CTL);

/* moderation.c */
int moderation_act(struct leg_handle *p, const struct client_msg *m, struct errmsg *why)
	ON_THREAD(ROLE_CTL);
/* What is told to all, or costs an encoder, has a rate: so many per second, and those
 * of 4.5 s in advance. */
bool moderation_too_often(const struct leg_handle *p, struct quota *q, int per_s)
	ON_THREAD(ROLE_CTL);
int moderation_mute(struct leg_handle *p, enum tristate audio, enum tristate video,
		    struct errmsg *why) ON_THREAD(ROLE_CTL);
bool moderation_may_record(const struct leg_handle *p) ON_THREAD(ROLE_CTL);
/* The last host may have gone: an unregistered room gets another; soon: after a
 * while, in which a lost one may come back. */
void moderation_succession(struct hall *h, bool soon) ON_THREAD(ROLE_CTL);

/* It agrees on sending content, or not: what begins presenting has a rate. 0 or -EBUSY. */
int moderation_agree_content(struct leg_handle *p, bool sends, struct errmsg *why)
	ON_THREAD(ROLE_CTL);
/* To who presented: by whom that was ended. */
void moderation_present_over(struct leg_handle *p, uint32_t by, bool by_host) ON_THREAD(ROLE_CTL);

/* What is done to its sound, to all. */
void moderation_tell_sound(struct leg_handle *p) ON_THREAD(ROLE_CTL);

/* presence.c */
/* to_host: with its number; it is borrowed. */
void participant_describe(const struct leg_handle *p, bool to_host, struct participant *out)
	ON_THREAD(ROLE_CTL);
/* NULL: none. Its name, where that would tell it, becomes the masked number. */
void participant_set_number(struct leg_handle *p, const char *number) ON_THREAD(ROLE_CTL);
/* That it has joined or changed, to everybody but `but` (may be NULL). */
void hall_tell_person(struct hall *h, struct leg_handle *p, const struct leg_handle *but)
	ON_THREAD(ROLE_CTL);
/* Of the dials: hosts hear of it. */
void presence_call_changed(void *obj, const struct dial_info *i);
/* Of the pushes of a hall, which is obj: likewise. */
void presence_push_changed(void *obj, const struct push_info *i);
/* Everybody hears of it, but only hosts have the link (i->url). Whoever else may see it
 * finds it in the list, which knows the room's own rule. */
void presence_recording_changed(struct hall *h, const struct recording_info *i)
	ON_THREAD(ROLE_CTL);
/* What hosts know beside others, to p, who has become one: the calls that the room is
 * making, and where it is sent to; numbers: and who has one. p may have left afterwards. */
void presence_brief_host(struct leg_handle *p, bool numbers) ON_THREAD(ROLE_CTL);
int presence_dial(struct leg_handle *p, const struct client_msg *m, struct errmsg *why)
	ON_THREAD(ROLE_CTL);
int presence_hangup(struct leg_handle *p, int64_t call, struct errmsg *why) ON_THREAD(ROLE_CTL);
/* h NULL, or nobody with that number: -ENOENT. name: valid. */
int presence_rename(struct hall *h, uint32_t leg, const char *name, struct errmsg *why)
	ON_THREAD(ROLE_CTL);

/* chat.c */
struct chat_log *chat_log_new(void) ON_THREAD(ROLE_CTL);
void chat_log_free(struct chat_log **l) ON_THREAD(ROLE_CTL);
int chat_say(struct leg_handle *p, const char *text, uint32_t to, struct errmsg *why)
	ON_THREAD(ROLE_CTL);
/* What was said before it came. */
void chat_replay(struct hall *h, struct leg_handle *p) ON_THREAD(ROLE_CTL);

/* quality_report.c */
int quality_stats(struct leg_handle *p, struct leg_stats *out) ON_THREAD(ROLE_CTL);
/* Its last interval, before it leaves. */
void quality_last(struct leg_handle *p) ON_THREAD(ROLE_CTL);
void quality_start(struct hall *h) ON_THREAD(ROLE_CTL);
void quality_stop(struct hall *h) ON_THREAD(ROLE_CTL);

/* call_ports.c */
/* Our side of a negotiation of a leg that has ports: opens them where they are not
 * and adds them to *out. 0; -EBUSY with *why. */
int call_ports_local(struct leg_handle *p, struct neg_policy *out, struct errmsg *why)
	ON_THREAD(ROLE_CTL);
/* Agreed: what the plan does not use is given back. */
void call_ports_agreed(struct leg_handle *p, const struct neg_plan *plan,
		       const struct leg_media *m) ON_THREAD(ROLE_CTL);

/* participant.c */
extern const struct leg_watcher participant_watcher;
/* Others hear it on their data channels, as soon as it has one. On an error its leg
 * has left. */
int participant_join_relay(struct leg_handle *p, struct hall *h) ON_THREAD(ROLE_CTL);
/* It is in no room any more. */
void participant_free(struct leg_handle *p) ON_THREAD(ROLE_CTL);
/* Ends it by the server's decision: closed() is called, the handle freed. */
void participant_end(struct leg_handle *p, enum leave_reason reason, const char *code,
		     const char *text) ON_THREAD(ROLE_CTL);

#endif
