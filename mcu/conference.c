#include "mcu/conference.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/base/log.h"
#include "mcu/conference_priv.h"
#include "mcu/playback.h"

static int64_t now_ms(void)
{
	return clock_wall_ns() / NS_PER_MS;
}

static struct leg_handle *person(const struct hall *h, size_t i)
{
	return g_ptr_array_index(h->people, i);
}

bool hall_has(const struct hall *h, const struct leg_handle *p)
{
	return g_ptr_array_find(h->people, p, NULL);
}

/* A call-back may make somebody leave: work from a copy, and skip who is gone. */
void hall_tell(struct hall *h, struct leg_event *ev, const struct leg_handle *but)
{
	GPtrArray *all = g_ptr_array_copy(h->people, NULL, NULL);
	uint64_t departures = h->departures;

	for (size_t i = 0; i < all->len; i++) {
		struct leg_handle *p = g_ptr_array_index(all, i);

		if (p != but && (departures == h->departures || hall_has(h, p)))
			p->ev->event(p->obj, ev);
	}
	g_ptr_array_unref(all);
	leg_event_clear(ev);
}

/* --- events of a room -------------------------------------------------------- */

static void on_joined(void *obj, struct room *r, struct leg *l)
{
	(void)obj;
	(void)r;
	(void)l; /* participant.c tells it, when the handle is complete */
}

static void on_left(void *obj, struct room *r, uint32_t leg, const char *reason)
{
	(void)obj;
	(void)r;
	(void)leg;
	(void)reason; /* likewise */
}

static struct leg_handle *find_person(const struct hall *h, const struct leg *l)
{
	for (size_t i = 0; i < h->people->len; i++)
		if (person(h, i)->leg == l)
			return person(h, i);
	return NULL;
}

struct leg_handle *hall_leg(const struct hall *h, uint32_t leg)
{
	for (size_t i = 0; h && i < h->people->len; i++)
		if (leg_id(person(h, i)->leg) == leg)
			return person(h, i);
	return NULL;
}

void hall_tell_changed(struct hall *h, struct leg_handle *p)
{
	hall_tell_person(h, p, NULL);
}

/* What a leg sends, or has muted, has changed. */
ON_THREAD(ROLE_CTL) static void on_changed(void *obj, struct room *r, struct leg *l)
{
	struct hall *h = room_user(r);
	struct leg_handle *p = find_person(h, l);
	struct leg_info i;

	(void)obj;
	role_assert_ctl();
	if (!p)
		return;
	leg_get_info(l, &i);
	if (i.sends_audio != p->told_audio || i.sends_video != p->told_video) {
		p->told_audio = i.sends_audio;
		p->told_video = i.sends_video;
		hall_tell_changed(h, p);
		if (!hall_has(h, p))
			return;
	}
	if (i.audio_muted != p->told_audio_muted || i.video_muted != p->told_video_muted) {
		struct leg_event ev = { .type = LEG_EVENT_MUTED };

		p->told_audio_muted = ev.u.muted.audio = i.audio_muted;
		p->told_video_muted = ev.u.muted.video = i.video_muted;
		ev.u.muted.leg = i.id;
		ev.u.muted.by = h->muted_by;
		hall_tell(h, &ev, NULL);
		if (hall_has(h, p))
			hall_tell_uplink(h, p);
	}
}

static void on_speaker(void *obj, struct room *r, uint32_t leg)
{
	struct leg_event ev = { .type = LEG_EVENT_SPEAKER, .u.speaker = leg };

	(void)obj;
	role_assert_ctl();
	hall_speaks(room_user(r), leg);
	hall_tell(room_user(r), &ev, NULL);
}

ON_THREAD(ROLE_CTL) static void on_layout(void *obj, struct room *r)
{
	struct hall *h = room_user(r);

	(void)obj;
	role_assert_ctl();
	hall_shares(h);
	hall_tell_layout(h, NULL);
	hall_tell_uplinks(h);
}

void hall_close(struct hall *h, const char *reason)
{
	struct conference *c = h->conf;

	if (h->closing)
		return;
	h->closing = true;
	if (h->linger)
		g_source_remove(h->linger);
	h->linger = 0;
	quality_stop(h);
	if (h->succession)
		g_source_remove(h->succession);
	h->succession = 0;
	if (h->wake)
		g_source_remove(h->wake);
	h->wake = 0;
	lobby_close(h, "refused", "The room was closed before a host let you in.");
	if (h->recording)
		recording_stop(h->recording);
	broadcast_stop(&h->broadcast);
	pushes_close(&h->pushes);
	if (h->parlour) {
		g_ptr_array_remove_fast(c->parlours, h);
	} else {
		sessions_end(c->cfg.db, h->session_id, now_ms(), reason, NULL, NULL);
		g_hash_table_remove(c->halls, room_name(h->room));
	}
	g_ptr_array_add(c->closing, h);
	room_close(h->room, reason);
}

static gboolean wake_due(gpointer arg)
{
	struct hall *h = arg;

	role_assert_ctl();
	h->wake = 0;
	room_wake(h->room);
	return G_SOURCE_REMOVE;
}

/* Only the last time asked for counts. */
ON_THREAD(ROLE_CTL) static void on_wake(void *obj, struct room *r, int ms)
{
	struct hall *h = room_user(r);

	(void)obj;
	role_assert_ctl();
	if (h->wake)
		g_source_remove(h->wake);
	h->wake = h->closing ? 0 : g_timeout_add((guint)ms, wake_due, h);
}

static gboolean linger_over(gpointer arg)
{
	struct hall *h = arg;

	role_assert_ctl();
	h->linger = 0;
	hall_close(h, "empty");
	return G_SOURCE_REMOVE;
}

void hall_linger(struct hall *h)
{
	if (h->closing || room_leg_count(h->room))
		return;
	/* In a registered room they wait for a host to come; otherwise its end is theirs. */
	if (h->registered && h->lobby->len)
		return;
	if (h->linger)
		g_source_remove(h->linger);
	h->linger = g_timeout_add_seconds(h->parlour ? 0 : (guint)h->conf->cfg.config->room.linger_s,
					  linger_over, h);
}

static void on_emptied(void *obj, struct room *r)
{
	(void)obj;
	role_assert_ctl();
	hall_linger(room_user(r));
}

ON_THREAD(ROLE_CTL) static void hall_free(struct hall *h)
{
	g_ptr_array_unref(h->people);
	if (h->lobby)
		g_ptr_array_unref(h->lobby);
	if (h->departed)
		g_array_unref(h->departed);
	chat_log_free(&h->chat);
	data_relay_free(&h->relay);
	free(h);
}

ON_THREAD(ROLE_CTL) static void on_closed(void *obj, struct room *r)
{
	struct hall *h = room_user(r);

	(void)obj;
	role_assert_ctl();
	/* The file may take longer than the room. */
	if (h->recording)
		recording_orphan(h->recording);
	g_ptr_array_remove_fast(h->conf->closing, h);
	hall_free(h);
}

static const struct room_events room_events = {
	.joined = on_joined,
	.left = on_left,
	.changed = on_changed,
	.speaker = on_speaker,
	.layout = on_layout,
	.wake = on_wake,
	.emptied = on_emptied,
	.closed = on_closed,
};

/* --- rooms ------------------------------------------------------------------- */

struct hall *hall_find(struct conference *c, const char *name)
{
	return g_hash_table_lookup(c->halls, name);
}

static void take_rules(struct hall *h, const char *name, const struct room_row *row)
	ON_THREAD(ROLE_CTL)
{
	const char *record = h->conf->cfg.config->room.record;

	h->registered = row && row->registered;
	h->owner_id = h->registered ? row->owner_id : 0;
	snprintf(h->number, sizeof h->number, "%s", h->registered ? row->number : "");
	if (!h->registered) {
		hall_unregistered_rules(h->conf, name, &h->rules);
		return;
	}
	h->rules = row->rules;
	if (!h->rules.record[0])
		snprintf(h->rules.record, sizeof h->rules.record, "%s", record);
}

int hall_new(struct hall **out, struct conference *c, const char *name, const struct room_row *row)
{
	struct room_cfg room = { .name = name };
	const struct data_relay_cfg relay = {
		.pool = c->cfg.engine->data_pool, .clock = c->cfg.engine->clock,
		.messages_per_s = c->cfg.config->limits.data_messages_per_s,
		.octets_per_s = c->cfg.config->limits.data_octets_per_s,
	};
	struct hall *h = calloc(1, sizeof *h);
	int err;

	if (!h)
		return -ENOMEM;
	h->conf = c;
	h->people = g_ptr_array_new();
	h->lobby = g_ptr_array_new();
	h->departed = g_array_new(FALSE, FALSE, sizeof(struct departed));
	h->chat = chat_log_new();
	take_rules(h, name, row);
	room.stereo = c->cfg.config->audio.stereo || h->rules.stereo;
	room.max_views = (size_t)c->cfg.config->room.max_views;
	room.max_personal_views = (size_t)c->cfg.config->room.max_personal_views;
	room.speaker_view = c->cfg.config->room.speaker_view;
	err = h->chat ? data_relay_new(&h->relay, &relay) : -ENOMEM;
	if (!err)
		err = room_new(&h->room, c->cfg.engine, &room, &room_events, c);
	if (err) {
		hall_free(h);
		return err;
	}
	h->session_id = db_new_id();
	room_set_user(h->room, h);
	*out = h;
	return 0;
}

/* Rooms made on demand that were opened from an address. */
ON_THREAD(ROLE_CTL) static int rooms_made_from(const struct conference *c, const char *peer)
{
	GHashTableIter i;
	gpointer h;
	int n = 0;

	g_hash_table_iter_init(&i, c->halls);
	while (g_hash_table_iter_next(&i, NULL, &h))
		n += !((struct hall *)h)->registered && !strcmp(((struct hall *)h)->maker, peer);
	return n;
}

int hall_may_open(const struct conference *c, const struct room_row *row, const char *peer,
		  struct errmsg *why)
{
	int most = c->cfg.config->limits.rooms_per_address;

	if (g_hash_table_size(c->halls) >= (guint)c->cfg.config->room.max_rooms)
		return errmsg_set(why, -EUSERS, "server_full",
				  "The server runs as many rooms as it may. Try again later.");
	if (!(row && row->registered) && rooms_made_from(c, peer) >= most)
		return errmsg_set(why, -EUSERS, "too_many_from_address",
				  "%d rooms were opened from your network address. Join one of them, or "
				  "try again when one has closed.", most);
	return 0;
}

int hall_open(struct conference *c, const char *name, const struct room_row *row, const char *peer,
	      struct hall **out, struct errmsg *why)
{
	struct hall *h = hall_find(c, name);
	int err;

	*out = h;
	if (h)
		return 0;
	err = hall_new(&h, c, name, row);
	if (err)
		return errmsg_set(why, err, "internal", "The room cannot be opened: %s.", err_str(err));
	snprintf(h->maker, sizeof h->maker, "%s", peer);
	g_hash_table_insert(c->halls, (gpointer)room_name(h->room), h);
	sessions_begin(c->cfg.db, h->session_id, name, now_ms(), NULL, NULL);
	quality_start(h);
	load_watch_start(c->load);
	if (!strcmp(c->cfg.config->hls.start, "always"))
		hall_broadcast(h, why); /* it says itself why not, and whoever asks tries again */
	*out = h;
	return 0;
}

struct playbacks *conference_playbacks(struct conference *c)
{
	return c->playbacks;
}

struct leg *conference_leg(const struct conference *c, const char *room, uint32_t leg)
{
	const struct hall *h = g_hash_table_lookup(c->halls, room);

	for (guint i = 0; h && i < h->people->len; i++) {
		const struct leg_handle *p = g_ptr_array_index(h->people, i);

		if (p->leg && leg_id(p->leg) == leg)
			return p->leg;
	}
	return NULL;
}

size_t conference_people(const struct conference *c, const char *room)
{
	const struct hall *h = g_hash_table_lookup(c->halls, room);

	return h ? h->people->len : 0;
}

bool conference_hosts(const struct conference *c, const char *room, int64_t user_id)
{
	const struct hall *h = g_hash_table_lookup(c->halls, room);

	for (size_t i = 0; h && user_id && i < h->people->len; i++)
		if (person(h, i)->host && person(h, i)->who.user_id == user_id)
			return true;
	return false;
}

void conference_legs(const struct conference *c, const char *room, conference_leg_cb *cb, void *obj)
{
	struct hall *h = g_hash_table_lookup(c->halls, room);

	for (size_t i = 0; h && i < h->people->len; i++) {
		struct leg_handle *p = person(h, i);
		struct conference_leg l = {
			.address = p->peer, .host = p->host, .hand = p->hand, .user_id = p->who.user_id,
			.kind = p->kind, .number = p->number, .joined_ms = p->joined_ms,
		};

		leg_get_info(p->leg, &l.info);
		leg_get_stats(p->leg, &l.net);
		quality_stats(p, &l.stats);
		cb(obj, &l);
	}
}

void conference_room_changed(struct conference *c, const struct room_row *row)
{
	struct hall *h = hall_find(c, row->name);
	struct leg_event ev = { .type = LEG_EVENT_ROOM };
	struct room_rules before;

	if (!h)
		return;
	before = h->rules;
	take_rules(h, row->name, row);
	hall_watch_look(h, &before);
	hall_policy_info(h, &ev.u.room);
	hall_tell(h, &ev, NULL);
	hall_record_look(h);
}

void hall_policy_info(const struct hall *h, struct room_policy_info *out)
{
	const struct room_rules *r = &h->rules;

	*out = (struct room_policy_info){
		.locked = r->locked, .lobby = r->lobby, .guest_pin = r->guest_pin[0],
		.host_pin = r->host_pin[0], .unmute = r->unmute,
		.stereo = room_channels(h->room) == 2, .number = h->number,
		.record = record_right_parse(r->record),
		.record_sound_only = !h->conf->cfg.config->recording.video,
		.record_tracks = h->conf->cfg.config->recording.tracks,
	};
}

size_t hall_max_people(const struct hall *h)
{
	int most = h->conf->cfg.config->room.max_participants, own = h->rules.max_participants;

	return (size_t)(own > 0 && own < most ? own : most);
}

/* --- life -------------------------------------------------------------------- */

static int copy_ice_servers(struct conference *c)
{
	const struct config *cfg = c->cfg.config;
	size_t n = cfg->ice.stun.n + cfg->ice.turn.n;

	c->ice = calloc(n ? n : 1, sizeof *c->ice);
	if (!c->ice)
		return -ENOMEM;
	for (size_t i = 0; i < cfg->ice.stun.n; i++)
		c->ice[c->n_ice++].url = cfg->ice.stun.items[i];
	for (size_t i = 0; i < cfg->ice.turn.n; i++) {
		const struct config_turn *t = &cfg->ice.turn.items[i];

		c->ice[c->n_ice++] = (struct ice_server_info){ t->url, t->username, t->credential };
	}
	return 0;
}

ON_THREAD(ROLE_CTL) static int make_port_range(struct conference *c)
{
	uint16_t min, max;

	/* The configuration has been checked. */
	if (!rtp_port_range_parse(c->cfg.config->sip.rtp_ports, &min, &max))
		abort();
	return rtp_port_range_new(&c->rtp_range, min, max);
}

int conference_new(struct conference **out, const struct conference_cfg *cfg)
{
	struct conference *c = calloc(1, sizeof *c);

	if (!c)
		return -ENOMEM;
	c->cfg = *cfg;
	c->started_ms = now_ms();
	if (copy_ice_servers(c) || make_port_range(c) || address_count_new(&c->addresses) ||
	    load_watch_new(&c->load, c) ||
	    quality_log_new(&c->quality, cfg->db, cfg->config->statistics.interval_s,
			    cfg->config->statistics.keep_days) ||
	    dials_new(&c->dials, cfg->config, cfg->engine->clock, presence_call_changed, c) ||
	    playbacks_new(&c->playbacks, c)) {
		if (c->dials)
			dials_free(&c->dials);
		rtp_port_range_free(&c->rtp_range);
		address_count_free(&c->addresses);
		free(c->ice);
		if (c->load)
			load_watch_free(&c->load);
		quality_log_free(&c->quality);
		free(c);
		return -ENOMEM;
	}
	c->recordings = (struct recording_env){
		.engine = cfg->engine, .config = cfg->config, .db = cfg->db, .volume = cfg->volume,
		.finisher = cfg->finisher, .link_key = cfg->link_key,
	};
	c->pushes = (struct pushes_env){ .engine = cfg->engine, .config = cfg->config };
	c->broadcasts = (struct broadcast_env){ .engine = cfg->engine, .config = cfg->config };
	c->halls = g_hash_table_new(g_str_hash, g_str_equal);
	c->parlours = g_ptr_array_new();
	c->closing = g_ptr_array_new();
	c->used = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	*out = c;
	return 0;
}

void conference_free(struct conference **c)
{
	if (!*c)
		return;
	load_watch_free(&(*c)->load);
	quality_log_free(&(*c)->quality);
	dials_free(&(*c)->dials);
	playbacks_free(&(*c)->playbacks);
	g_hash_table_destroy((*c)->halls);
	g_ptr_array_unref((*c)->parlours);
	g_ptr_array_unref((*c)->closing);
	g_hash_table_destroy((*c)->used);
	free((*c)->ice);
	address_count_free(&(*c)->addresses);
	rtp_port_range_free(&(*c)->rtp_range);
	free(*c);
	*c = NULL;
}

void conference_shutdown(struct conference *c)
{
	GList *all = g_hash_table_get_values(c->halls);

	for (guint i = 0; i < c->parlours->len; i++)
		all = g_list_prepend(all, g_ptr_array_index(c->parlours, i));
	c->stopping = c->recordings.stopping = true;
	playbacks_shutdown(c->playbacks);
	for (GList *l = all; l; l = l->next) {
		struct hall *h = l->data;

		lobby_close(h, "shutting_down", "The server is shutting down. Try again later.");
		while (h->people->len)
			participant_end(person(h, 0), LEAVE_SHUTDOWN, "shutting_down",
					"The server is shutting down.");
		hall_close(h, "shutdown");
	}
	g_list_free(all);
	quality_log_flush(c->quality);
}

bool conference_is_idle(const struct conference *c)
{
	return !g_hash_table_size(c->halls) && !c->parlours->len && !c->closing->len &&
	       !c->recordings.running && !c->broadcasts.running && !c->pushes.running && !c->pending &&
	       playbacks_is_idle(c->playbacks);
}
