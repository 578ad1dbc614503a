/* A conference on a real engine, registry and volume, without a network, and
 * front ends that count what they are told. The test is the control loop.
 * Included by one file per program. */
#ifndef TESTS_MCU_CONFERENCE_RIG_H
#define TESTS_MCU_CONFERENCE_RIG_H

#include <errno.h>
#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mcu/conference.h"
#include "mcu/conference_priv.h"
#include "mcu/net/dtls.h"
#include "mcu/net/ice.h"
#include "mcu/room/room_priv.h"
#include "mcu/tokens.h"
#include "storage/link_keys.h"
#include "storage/recordings.h"
#include "storage/rooms.h"
#include "storage/volume.h"

enum { CTL_MBOX = 4096, WAIT_MS = 20000 };

/* A front end of one participant. */
struct front {
	struct leg_handle *leg; /* NULL: not in a room */
	size_t welcomes, joined, left, muted, layouts, uplinks, closed;
	uint32_t id;
	size_t lobbies, hands, rooms, waitings, chats, qualities, scores, overloads;
	int overload; /* level, of the last event */
	size_t hiddens;
	bool hidden; /* of the last `self_view` */
	char resume[128], code[40], said[320];
	bool host; /* by the welcome */
	struct room_policy_info policy;
	struct { uint32_t leg, by; bool audio, video; } mute;
	struct { uint32_t leg, to; bool history; char text[64]; } chat;
	struct { uint32_t waiting[8]; size_t n; } lobby;
	struct { uint32_t leg; bool host, hand; } last; /* of joined */
	struct sound_info sound; /* told last */
	size_t people; /* in the welcome */
	struct sound_info people_sound[4]; /* likewise, of the first */
	enum recording_event_state recording;
	bool sound_only;
	char url[160]; /* told with it; "": none */
	enum leave_reason reason;
	struct uplink_info uplink;
	struct { size_t n; uint32_t by; bool by_host; } over; /* its presenting */
	char layout[24], view[40]; /* of the last event */
	size_t n_views, viewses;   /* told last; how often */
	uint32_t layout_version, pinned;
	/* leaves in the middle of this call-back; 0: never */
	int leaves_at;
	bool leaves_at_welcome;
	const char *name, *pin, *token; /* to join with */
	bool device, called;
	enum leg_kind kind;
	const char *number;
	const char *origin; /* NULL: the address */
	char last_name[80], last_number[80]; /* of joined */
	struct { size_t n; int64_t call; char state[16], number[80]; uint32_t leg; } call;
	struct leg_totals totals;
	size_t totalled, closed_before; /* when totals came */
};

static struct {
	char dir[64], link_key[LINK_SECRET_LEN + 1];
	struct config config;
	struct mbox *ctl;
	struct dtls_identity *id;
	struct ice_cfg ice;
	struct engine engine;
	struct db *db;
	struct volume *volume;
	struct token_key key;
	struct accounts *accounts;
	struct conference *c;
	int replies, err;
	struct recording_row row;
} the;

/* Before the conference begins. */
static const char *rig_setting = "overload.high_percent=0";

/* --- the front end ------------------------------------------------------------- */

static inline void leave(struct front *f, enum leave_reason reason)
{
	struct leg_handle *l = f->leg;

	f->leg = NULL;
	conference_api.leave(the.c, l, reason);
}

static inline void on_welcome(void *obj, const struct welcome_info *w)
{
	struct front *f = obj;

	f->welcomes++;
	f->id = w->leg;
	f->people = w->n_participants;
	for (size_t i = 0; i < w->n_participants && i < 4; i++)
		f->people_sound[i] = (struct sound_info){
			w->participants[i].leg, w->participants[i].gain_db,
			w->participants[i].agc, w->participants[i].noise_suppression };
	f->recording = w->recording.state;
	f->host = w->host;
	f->policy = w->policy;
	snprintf(f->resume, sizeof f->resume, "%s", w->resume);
	if (f->leaves_at_welcome)
		leave(f, LEAVE_LEFT);
}

static inline void on_lobby(void *obj, const char *text)
{
	struct front *f = obj;

	assert_true(strlen(text) > 10);
	f->lobbies++;
}

static inline void remember_notice(struct front *f, const struct leg_event *ev)
{
	switch (ev->type) {
	case LEG_EVENT_PRESENT_OVER:
		f->over.n++;
		f->over.by = ev->u.present_over.by;
		f->over.by_host = ev->u.present_over.by_host;
		break;
	case LEG_EVENT_OVERLOAD:
		assert_true(strlen(ev->u.overload.text) > 10);
		f->overloads++;
		f->overload = ev->u.overload.level;
		break;
	case LEG_EVENT_SELF_VIEW:
		assert_true(strlen(ev->u.self_view.text) > 10);
		f->hiddens++;
		f->hidden = ev->u.self_view.hidden;
		break;
	case LEG_EVENT_WAITING:
		f->waitings++;
		f->lobby.n = ev->u.waiting.n;
		for (size_t i = 0; i < ev->u.waiting.n && i < 8; i++)
			f->lobby.waiting[i] = ev->u.waiting.people[i].waiting;
		break;
	default: break;
	}
}

static inline void remember(struct front *f, const struct leg_event *ev)
{
	switch (ev->type) {
	case LEG_EVENT_JOINED:
		f->last.leg = ev->u.joined.leg;
		f->last.host = ev->u.joined.host;
		f->last.hand = ev->u.joined.hand;
		snprintf(f->last_name, sizeof f->last_name, "%s", ev->u.joined.name);
		snprintf(f->last_number, sizeof f->last_number, "%s",
			 ev->u.joined.number ? ev->u.joined.number : "");
		break;
	case LEG_EVENT_CALL:
		f->call.n++;
		f->call.call = ev->u.call.call;
		f->call.leg = ev->u.call.leg;
		snprintf(f->call.state, sizeof f->call.state, "%s", ev->u.call.state);
		snprintf(f->call.number, sizeof f->call.number, "%s", ev->u.call.number);
		break;
	case LEG_EVENT_MUTED:
		f->mute.leg = ev->u.muted.leg;
		f->mute.by = ev->u.muted.by;
		f->mute.audio = ev->u.muted.audio;
		f->mute.video = ev->u.muted.video;
		break;
	case LEG_EVENT_HAND: f->hands++; break;
	case LEG_EVENT_SOUND: f->sound = ev->u.sound; break;
	case LEG_EVENT_LAYOUT:
		snprintf(f->layout, sizeof f->layout, "%s", ev->u.layout.layout);
		snprintf(f->view, sizeof f->view, "%s", ev->u.layout.view);
		f->layout_version = ev->u.layout.version;
		f->pinned = ev->u.layout.n_pins ? ev->u.layout.pin[0] : 0;
		break;
	case LEG_EVENT_VIEWS:
		f->viewses++;
		f->n_views = ev->u.views.n;
		break;
	case LEG_EVENT_ROOM:
		f->rooms++;
		f->policy = ev->u.room;
		break;
	case LEG_EVENT_QUALITY:
		f->qualities++;
		f->scores = ev->u.quality.n;
		break;
	case LEG_EVENT_CHAT:
		f->chats++;
		f->chat.leg = ev->u.chat.leg;
		f->chat.to = ev->u.chat.to;
		f->chat.history = ev->u.chat.history;
		snprintf(f->chat.text, sizeof f->chat.text, "%s", ev->u.chat.text);
		break;
	default: remember_notice(f, ev);
	}
}

static inline void on_candidate(void *obj, const char *candidate)
{
	(void)obj;
	(void)candidate;
}

static inline void on_event(void *obj, struct leg_event *ev)
{
	struct front *f = obj;

	remember(f, ev);
	f->joined += ev->type == LEG_EVENT_JOINED;
	f->left += ev->type == LEG_EVENT_LEFT;
	f->muted += ev->type == LEG_EVENT_MUTED;
	f->layouts += ev->type == LEG_EVENT_LAYOUT;
	if (ev->type == LEG_EVENT_UPLINK) {
		f->uplinks++;
		f->uplink = ev->u.uplink;
	}
	if (ev->type == LEG_EVENT_RECORDING) {
		f->recording = ev->u.recording.state;
		f->sound_only = ev->u.recording.sound_only;
		snprintf(f->url, sizeof f->url, "%s", ev->u.recording.url ? ev->u.recording.url : "");
	}
	if (f->leg && f->leaves_at == (int)ev->type)
		leave(f, LEAVE_LEFT);
}

static inline void on_closed(void *obj, enum leave_reason reason, const struct errmsg *why)
{
	struct front *f = obj;

	f->closed++;
	f->leg = NULL;
	f->reason = reason;
	snprintf(f->code, sizeof f->code, "%s", why->code);
	snprintf(f->said, sizeof f->said, "%s", why->text);
}

static inline void on_totals(void *obj, const struct leg_totals *t)
{
	struct front *f = obj;

	f->closed_before = f->closed;
	f->totals = *t;
	f->totalled++;
}

static const struct leg_events events = {
	.totals = on_totals,
	.welcome = on_welcome, .lobby = on_lobby, .candidate = on_candidate, .event = on_event, .closed = on_closed,
};

/* --- the rig ------------------------------------------------------------------- */

static inline void turn(void)
{
	usleep(1000);
	mbox_run(the.ctl);
	while (g_main_context_iteration(NULL, FALSE))
		;
}

#define RUN_UNTIL(condition)                                                           \
	do {                                                                           \
		int64_t end_ = clock_now_ns(&clock_monotonic) + WAIT_MS * NS_PER_MS;   \
		while (!(condition) && clock_now_ns(&clock_monotonic) < end_)          \
			turn();                                                        \
		assert_true(condition);                                                \
	} while (0)

/* Only begins: the registry may have to be asked. */
static inline int begin(struct front *f, const char *room, const char *resume, struct errmsg *why)
{
	struct join_req req = { .room = room, .name = f->name ? f->name : "N", .pin = f->pin,
				.token = f->token, .resume = resume, .peer = "192.0.2.1",
				.device = f->device, .called = f->called, .kind = f->kind,
				.number = f->number, .origin = f->origin };

	return conference_api.join(the.c, &req, &events, f, &f->leg, why);
}

/* Until it is in, waits in the lobby, or is refused: -1 and *why. */
static inline int join(struct front *f, const char *room, const char *resume, struct errmsg *why)
{
	size_t welcomes = f->welcomes, closed = f->closed, lobbies = f->lobbies;
	int err = begin(f, room, resume, why);

	if (err)
		return err;
	RUN_UNTIL(f->welcomes > welcomes || f->closed > closed || f->lobbies > lobbies);
	if (f->closed == closed)
		return 0;
	errmsg_set(why, -1, f->code, "%s", f->said);
	return -1;
}

static inline int record(struct leg_handle *l, enum record_action action, struct errmsg *why)
{
	return conference_api.record(the.c, l, &(struct record_wish){ .action = action }, why);
}

static inline void must_join(struct front *f, const char *room)
{
	struct errmsg why;

	*f = (struct front){ .leaves_at = f->leaves_at, .name = f->name, .pin = f->pin,
			     .token = f->token, .device = f->device, .called = f->called,
			     .kind = f->kind, .number = f->number, .origin = f->origin };
	if (join(f, room, NULL, &why))
		fail_msg("%s", why.text);
	assert_int_equal(f->welcomes, 1);
}

/* As if it had agreed on a camera, and were connected. */
static inline void shows_itself(struct front *f)
{
	struct leg *l = f->leg->leg;

	l->configured = l->connected = l->media.video.rx = true;
	room_touch(l->room);
}

static inline void set(const char *assignment)
{
	struct errmsg why;

	assert_int_equal(config_set(&the.config, assignment, &why), 0);
}

static inline int set_up(void **state)
{
	struct engine_cfg e = {
		.net_threads = 1, .video_threads = 1, .audio_threads = 1, .width = 320, .height = 180,
		.fps = 30, .video_bps = 200000, .vbv_ms = 500, .preset = "ultrafast",
		.asm_name = "default", .max_input_width = 640, .max_input_height = 360,
		.listener_bps = 32000, .audio_complexity = 1, .recording_audio_bps = 64000,
		.ice = &the.ice,
	};
	struct conference_cfg cfg = { .engine = &the.engine, .config = &the.config };
	struct errmsg why;
	char path[96];

	(void)state;
	role_assert_ctl();
	memset(&the, 0, sizeof the);
	strcpy(the.dir, "/tmp/mcu-conference-XXXXXX");
	assert_non_null(mkdtemp(the.dir));
	assert_int_equal(config_init(&the.config), 0);
	set("room.linger_s=0");
	/* whatever else this machine does now */
	set("overload.degrade=false");
	set(rig_setting);
	assert_int_equal(mbox_new(&the.ctl, CTL_MBOX), 0);
	assert_int_equal(dtls_identity_new(&the.id, "localhost"), 0);
	the.ice = (struct ice_cfg){ .identity = the.id, .loopback = true };
	assert_int_equal(engine_start(&the.engine, &e, &clock_monotonic, the.ctl, &why), 0);
	assert_int_equal(volume_new(&the.volume, the.dir, &why), 0);
	snprintf(path, sizeof path, "%s/mcu.db", the.dir);
	assert_int_equal(db_open(&the.db, path, the.ctl, &why), 0);
	cfg.db = the.db;
	cfg.volume = the.volume;
	cfg.fingerprint = dtls_identity_fingerprint(the.id);
	cfg.key = &the.key;
	assert_int_equal(accounts_new(&the.accounts, &(struct accounts_cfg){
		.db = the.db, .ctl = the.ctl, .clock = &clock_monotonic, .key = &the.key,
		.sign_in_hours = 1 }), 0);
	cfg.accounts = the.accounts;
	memset(the.key.bytes, 7, sizeof the.key.bytes);
	memset(the.link_key, 'k', LINK_SECRET_LEN);
	cfg.link_key = the.link_key;
	assert_int_equal(conference_new(&the.c, &cfg), 0);
	return 0;
}

static inline int tear_down(void **state)
{
	char command[96];

	(void)state;
	role_assert_ctl();
	conference_shutdown(the.c);
	RUN_UNTIL(conference_is_idle(the.c));
	accounts_stop(the.accounts);
	db_close(&the.db);
	volume_free(&the.volume);
	engine_stop(&the.engine);
	mbox_free(&the.ctl);
	conference_free(&the.c);
	accounts_free(&the.accounts);
	dtls_identity_free(&the.id);
	config_free(&the.config);
	snprintf(command, sizeof command, "rm -rf %s", the.dir);
	assert_int_equal(system(command), 0);
	return 0;
}

#endif
