/* How somebody becomes a participant: who it is, what the room is, whether it may,
 * and then in. Each step may have to ask the registry. */
#include "mcu/base/log.h"
#include "mcu/conference_priv.h"
#include "mcu/options.h"
#include "storage/rooms.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

METRIC_COUNTER(m_crowded, "mcu_join_address_refused_total",
	       "Joins refused: too many participants of one address");

static int64_t now_ms(void)
{
	return clock_wall_ns() / NS_PER_MS;
}

/* --- coming back ------------------------------------------------------------- */

static struct departed *find_departed(struct hall *h, const char *secret, guint *at)
{
	for (guint i = 0; i < h->departed->len; i++) {
		struct departed *d = &g_array_index(h->departed, struct departed, i);

		*at = i;
		if (secret_equal(d->resume, secret))
			return d;
	}
	return NULL;
}

void join_remember(struct hall *h, const struct leg_handle *p, bool removed)
{
	struct departed d = {
		.host = p->host, .removed = removed, .audio_held = p->audio_held,
		.video_held = p->video_held, .content_held = p->content_held,
		.left_ns = clock_now_ns(h->conf->cfg.engine->clock),
	};

	memcpy(d.resume, p->resume, sizeof d.resume);
	if (h->departed->len == DEPARTED_MAX)
		g_array_remove_index(h->departed, 0);
	g_array_append_val(h->departed, d);
}

static struct leg_handle *find_present(const struct hall *h, const char *secret)
{
	for (size_t i = 0; i < h->people->len; i++) {
		struct leg_handle *p = g_ptr_array_index(h->people, i);

		if (secret_equal(p->resume, secret))
			return p;
	}
	return NULL;
}

/* A server that was started again remembers nobody, but knows its own hand. */
ON_THREAD(ROLE_CTL) static void back_after_restart(struct leg_handle *p)
{
	struct conference *c = p->conf;
	int64_t made_ms;
	bool host;

	if (!resume_read(p->old_resume, c->cfg.key, p->room, &host, &made_ms) ||
	    made_ms >= c->started_ms ||
	    made_ms < c->started_ms - RESTART_MOST_S * INT64_C(1000) ||
	    now_ms() - c->started_ms > RESTART_S * 1000 ||
	    g_hash_table_contains(c->used, p->old_resume))
		return;
	p->who.back = true;
	p->who.was_host = host;
}

ON_THREAD(ROLE_CTL) static void recognise(struct leg_handle *p, struct hall *h)
{
	struct leg_handle *old = h ? find_present(h, p->old_resume) : NULL;
	int64_t now = clock_now_ns(p->conf->cfg.engine->clock);
	struct departed *d;
	guint at;

	p->who.back = p->who.was_host = false;
	if (!p->old_resume[0])
		return;
	d = h && !old ? find_departed(h, p->old_resume, &at) : NULL;
	if (old) {
		p->who.back = true;
		p->who.was_host = old->host;
	} else if (d) {
		p->who.back = !d->removed && now - d->left_ns < COME_BACK_S * NS_PER_S;
		p->who.was_host = p->who.back && d->host;
		p->audio_held = p->who.back && d->audio_held;
		p->video_held = p->who.back && d->video_held;
		p->content_held = p->who.back ? d->content_held : 0;
	} else {
		back_after_restart(p);
	}
}

/* Takes the place of what is left of the old leg. The secret is used up. */
ON_THREAD(ROLE_CTL) static void replace_old(struct leg_handle *p, struct hall *h)
{
	struct leg_handle *old = p->old_resume[0] ? find_present(h, p->old_resume) : NULL;
	struct departed *d;
	guint at;

	if (old) {
		p->audio_held = old->audio_held;
		p->video_held = old->video_held;
		p->content_held = old->content_held;
		p->hand = old->hand;
		participant_end(old, LEAVE_REPLACED, "", "You have joined again from elsewhere.");
		return;
	}
	d = p->who.back ? find_departed(h, p->old_resume, &at) : NULL;
	if (d && !d->removed)
		g_array_remove_index(h->departed, at);
	else if (p->who.back && !d) /* of before the restart */
		g_hash_table_add(p->conf->used, g_strdup(p->old_resume));
}

/* --- in ---------------------------------------------------------------------- */

void join_welcome(struct leg_handle *p)
{
	struct hall *h = p->hall;
	const struct engine_cfg *e = &p->conf->cfg.engine->cfg;
	struct participant *all = calloc(h->people->len, sizeof *all);
	struct welcome_info w = {
		.leg = leg_id(p->leg), .room = p->room, .name = p->name, .resume = p->resume,
		.version = options_version(), .participants = all,
		.ice_servers = p->conf->ice, .n_ice_servers = p->conf->n_ice,
		.canvas_width = e->width, .canvas_height = e->height, .canvas_fps = e->fps,
		.host = p->host,
	};

	for (size_t i = 0; all && i < h->people->len; i++)
		participant_describe(g_ptr_array_index(h->people, i), p->host,
				     &all[w.n_participants++]);
	hall_recording_info(h, &w.recording);
	hall_policy_info(h, &w.policy);
	p->ev->welcome(p->obj, &w);
	free(all);
}

/* What it has to hear, and what the others have to hear of it. */
ON_THREAD(ROLE_CTL) static void introduce(struct leg_handle *p, struct hall *h)
{
	prompting_chime(h, p, "join");
	join_welcome(p);
	if (!hall_has(h, p))
		return;
	hall_tell_person(h, p, p);
	if (hall_has(h, p))
		hall_tell_layout(h, p);
	if (hall_has(h, p) && room_overload(h->room))
		load_tell(h, p);
	if (hall_has(h, p))
		hall_tell_views(h, p);
	if (hall_has(h, p))
		playbacks_brief(p->conf->playbacks, h, p);
	if (hall_has(h, p))
		chat_replay(h, p);
	if (hall_has(h, p) && p->host && h->lobby->len)
		lobby_tell(h, p);
	if (hall_has(h, p) && p->host)
		presence_brief_host(p, false);
	if (!h->closing && h->people->len)
		moderation_succession(h, true);
}

ON_THREAD(ROLE_CTL) static void register_arrival(const struct hall *h, struct leg_handle *p)
{
	struct db *db = h->conf->cfg.db;

	p->row_id = db_new_id();
	p->joined_ms = now_ms();
	sessions_participant_joined(db, p->row_id, h->session_id, leg_id(p->leg), p->name,
				    p->who.user_id, p->joined_ms, NULL, NULL);
	if (p->host)
		sessions_participant_host(db, p->row_id);
}

int join_enter(struct leg_handle *p, struct hall *h, struct errmsg *why)
{
	struct conference *c = p->conf;
	int err;

	replace_old(p, h);
	if (h->people->len >= hall_max_people(h))
		return errmsg_set(why, -EUSERS, "room_full", "The room is full: %u people are in it. Try "
				  "again when somebody has left.", h->people->len);
	err = load_admit_join(p, why);
	if (err)
		return err;
	if (resume_make(p->resume, c->cfg.key, p->room, p->host, now_ms()))
		return errmsg_set(why, -EIO, "internal", "The server has no random numbers.");
	if (p->playback)
		err = playback_enter(p->playback, p, h->room);
	else
		err = room_join_ports(h->room, p->name, p->ports, &participant_watcher, p, &p->leg);
	if (!err)
		err = participant_join_relay(p, h);
	if (err)
		return errmsg_set(why, err, "internal", "Joining failed: %s.", err_str(err));
	if (h->linger)
		g_source_remove(h->linger);
	h->linger = 0;
	leg_set_host(p->leg, p->host);
	p->hall = h;
	p->invitation_id = 0; /* well used */
	g_ptr_array_add(h->people, p);
	register_arrival(h, p);
	p->audio_held = !p->host && !p->playback && (p->audio_held || !h->rules.unmute);
	p->video_held = !p->host && p->video_held;
	p->content_held = p->host ? 0 : p->content_held;
	leg_hold_content(p->leg, p->content_held);
	if (p->audio_held || p->video_held) {
		p->told_audio_muted = p->audio_held;
		p->told_video_muted = p->video_held;
		leg_mute(p->leg, p->audio_held ? 1 : -1, p->video_held ? 1 : -1);
	}
	hall_happened(h, RECORDING_EVENT_JOINED, p);
	introduce(p, h);
	hall_record_look(h);
	return 0;
}

/* --- whether ----------------------------------------------------------------- */

enum pin_state join_look_at_pin(const struct conference *c, const struct room_rules *r,
				const char *room, const char *pin)
{
	if (!pin || !*pin)
		return PIN_NONE;
	if (pin_right(r->host_pin, c->cfg.key, room, pin))
		return PIN_OF_HOSTS;
	return pin_right(r->guest_pin, c->cfg.key, room, pin) ? PIN_OF_GUESTS : PIN_WRONG;
}

/* Of who only asks. A lobby is a no to those who cannot wait. */
ON_THREAD(ROLE_CTL) static int say_yes(const struct leg_handle *p, enum access_verdict v,
				       struct errmsg *why)
{
	if (v == ACCESS_LOBBY && !p->ev->lobby)
		return errmsg_set(why, -EACCES, "lobby", "A host has to let people into this room, which "
				  "players cannot wait for.");
	return errmsg_set(why, -ECANCELED, "", "%s", "");
}

/* Everything is known. row: the registry's word, NULL: nothing, or the room runs
 * already. On an error p is the caller's still. */
ON_THREAD(ROLE_CTL) static int decide(struct leg_handle *p, const struct room_row *row,
				      struct errmsg *why)
{
	struct conference *c = p->conf;
	struct hall *h = hall_find(c, p->room);
	struct room_rules fresh;
	struct access_room room = { .rules = &fresh, .first = !h };
	enum access_verdict v;
	int err;

	if (c->stopping)
		return errmsg_set(why, -ESHUTDOWN, "shutting_down", "The server is shutting down.");
	room.registered = h ? h->registered : row && row->registered;
	if (!h && !room.registered && (p->existing || !c->cfg.config->room.on_demand))
		return errmsg_set(why, -ENOENT, "room_unknown", "There is no room called \"%s\". Check "
				  "the name.", p->room);
	room.max_people = (size_t)c->cfg.config->room.max_participants;
	hall_unregistered_rules(c, p->room, &fresh);
	if (h) {
		fresh = h->rules;
		room.people = h->people->len;
		room.max_people = hall_max_people(h);
		room.owner_id = h->owner_id;
	} else if (room.registered) {
		fresh = row->rules;
		room.owner_id = row->owner_id;
	}
	recognise(p, h);
	room.people -= h && p->old_resume[0] && find_present(h, p->old_resume) ? 1 : 0;
	p->who.pin = join_look_at_pin(c, &fresh, p->room, p->pin);
	p->who.pin_blocked = p->pin[0] &&
			     accounts_pin_blocked(c->cfg.accounts, p->room, p->origin);
	explicit_bzero(p->pin, sizeof p->pin);
	v = access_decide(&room, &p->who, &p->host, why);
	/* Also where something else is the reason: nobody learns by it without end. Once
	 * blocked nothing is learnt, and one address must not use up the room's share. */
	if (p->who.pin == PIN_WRONG && !p->host && !p->who.pin_blocked &&
	    (fresh.guest_pin[0] || fresh.host_pin[0])) {
		accounts_pin_wrong(c->cfg.accounts, p->room, p->origin);
		hall_audit(p, "pin_wrong", NULL);
	}
	if (v == ACCESS_REFUSE || hall_may_enter_now(p, why))
		return -EACCES;
	/* In this order: who is refused must not have processors reserved for it. */
	if (p->ask_only)
		return say_yes(p, v, why);
	err = h ? 0 : hall_may_open(c, row, p->peer, why);
	if (!err && !h)
		err = load_admit_room(p, why);
	if (!err)
		err = hall_open(c, p->room, row, p->peer, &h, why);
	if (err)
		return err;
	err = v == ACCESS_LOBBY ? lobby_wait(p, h, why) : join_enter(p, h, why);
	if (err)
		hall_linger(h);
	return err;
}

/* It was told to wait; now it cannot come in after all. */
ON_THREAD(ROLE_CTL) static void fail_later(struct leg_handle *p, const struct errmsg *why)
{
	const struct leg_events *ev = p->ev;
	void *obj = p->obj;

	join_discard(p);
	ev->closed(obj, why->code[0] ? LEAVE_ERROR : LEAVE_LEFT, why);
}

static void on_room(void *obj, int err, const struct room_row *row);

static void on_number(void *obj, int err, const struct room_row *row)
{
	struct leg_handle *p = obj;

	role_assert_ctl();
	if (!err)
		snprintf(p->room, sizeof p->room, "%s", row->name);
	p->numbered = true;
	on_room(obj, err, row);
}

/* What a telephone calls may be a room's number. True: the registry is asked. */
ON_THREAD(ROLE_CTL) static bool ask_for_number(struct leg_handle *p)
{
	if (p->numbered || p->gone || p->kind != LEG_KIND_PHONE || !p->room[0] ||
	    strspn(p->room, "0123456789") != strlen(p->room))
		return false;
	return !rooms_find_number(p->conf->cfg.db, p->room, on_number, p);
}

/* The registry's word on a room that does not run (or did not when it was asked). */
static void on_room(void *obj, int err, const struct room_row *row)
{
	struct leg_handle *p = obj;
	struct errmsg why;

	role_assert_ctl();
	if ((err == -ENOENT || (row && !row->registered)) && ask_for_number(p))
		return;
	p->conf->pending--;
	if (p->gone) {
		join_discard(p);
		return;
	}
	if (err && err != -ENOENT)
		errmsg_set(&why, err, "internal", "The registry of rooms cannot be read: %s.",
			   err_str(err));
	else
		err = decide(p, row, &why);
	if (err)
		fail_later(p, &why);
}

ON_THREAD(ROLE_CTL) static int ask_for_room(struct leg_handle *p, struct errmsg *why)
{
	int err;

	if (hall_find(p->conf, p->room))
		return decide(p, NULL, why);
	err = rooms_find(p->conf->cfg.db, p->room, on_room, p);
	if (err)
		return errmsg_set(why, err, "internal", "The registry of rooms is busy. Try again.");
	p->conf->pending++;
	return 0;
}

void join_discard(struct leg_handle *p)
{
	accounts_give_back(p->conf->cfg.accounts, p->invitation_id);
	if (p->token)
		explicit_bzero(p->token, strlen(p->token));
	free(p->token);
	participant_free(p);
}

/* Whose token it is. */
static void on_identity(void *obj, const struct account_identity *id,
			const struct account_refusal *no)
{
	struct leg_handle *p = obj;
	struct errmsg why;

	role_assert_ctl();
	p->conf->pending--;
	if (id) {
		p->who.user = id->who.user;
		p->who.user_id = id->who.user_id;
		p->who.invited = id->who.invited;
		p->invitation_id = id->invitation_id;
	}
	if (p->gone) {
		join_discard(p);
		return;
	}
	if (no)
		why = no->why;
	if (no || ask_for_room(p, &why))
		fail_later(p, &why);
}

static void identify(void *obj, void *arg)
{
	struct leg_handle *p = obj;
	char *token = p->token;

	(void)arg;
	role_assert_ctl();
	p->token = NULL;
	accounts_identify(p->conf->cfg.accounts, token, p->room, p->peer, on_identity, p);
	explicit_bzero(token, strlen(token));
	free(token);
}

/* Who comes back needs no token: an invitation may be used up by now. */
ON_THREAD(ROLE_CTL) static int ask_who(struct leg_handle *p, const char *token,
				       struct errmsg *why)
{
	recognise(p, hall_find(p->conf, p->room));
	if (!token || !*token || p->who.back)
		return ask_for_room(p, why);
	p->token = strdup(token);
	if (!p->token)
		return errmsg_set(why, -ENOMEM, "internal", "The server is out of memory.");
	p->conf->pending++;
	/* The answer may come at once, and only then may p have ended. */
	engine_post(p->conf->cfg.engine->ctl, identify, p, NULL);
	return 0;
}

ON_THREAD(ROLE_CTL) static int check_address(struct conference *c, const char *peer,
					     struct errmsg *why)
{
	size_t n = address_count_get(c->addresses, peer);

	if (n < (size_t)c->cfg.config->limits.participants_per_address)
		return 0;
	metric_add(&m_crowded, 1);
	return errmsg_set(why, -EUSERS, "too_many_from_address", "%zu people have joined from your "
			  "network address, and no more may. Ask the administrator of the server to "
			  "raise limits.participants_per_address.", n);
}

struct leg_handle *join_new(struct conference *c, const struct join_req *req,
			    const struct leg_events *events, void *obj)
{
	struct leg_handle *p = calloc(1, sizeof *p);

	if (!p)
		return NULL;
	p->conf = c;
	p->ev = events;
	p->obj = obj;
	p->who.device = req->device;
	p->ports = req->ports ? rtp_ports_ref(req->ports) : NULL;
	p->who.called = req->called;
	p->kind = req->kind;
	p->existing = req->existing;
	p->ask_only = req->ask_only;
	p->session_id = (uint64_t)db_new_id();
	snprintf(p->name, sizeof p->name, "%s", req->name ? req->name : "");
	snprintf(p->peer, sizeof p->peer, "%s", req->peer ? req->peer : "");
	participant_set_number(p, req->number);
	snprintf(p->origin, sizeof p->origin, "%s", req->origin ? req->origin : p->peer);
	address_count_add(c->addresses, p->origin);
	return p;
}

int join_begin(struct conference *c, const struct join_req *req, const struct leg_events *events,
	       void *obj, struct leg_handle **out, struct errmsg *why)
{
	struct leg_handle *p;
	int err;

	if (c->stopping)
		return errmsg_set(why, -ESHUTDOWN, "shutting_down", "The server is shutting down.");
	err = check_address(c, req->origin ? req->origin : req->peer ? req->peer : "", why);
	if (err)
		return err;
	p = join_new(c, req, events, obj);
	if (!p)
		return errmsg_set(why, -ENOMEM, "internal", "The server is out of memory.");
	*out = p;
	if (req->parlour) {
		err = parlour_join(p, why);
		goto out;
	}
	snprintf(p->room, sizeof p->room, "%s", req->room);
	snprintf(p->pin, sizeof p->pin, "%s", req->pin ? req->pin : "");
	snprintf(p->old_resume, sizeof p->old_resume, "%s", req->resume ? req->resume : "");
	err = ask_who(p, req->token, why);
out:
	if (err) {
		*out = NULL;
		join_discard(p);
	}
	return err;
}
