/* Where a room goes beside those who join it: its stream over HTTP, and who may watch
 * that; servers that it is sent to. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "mcu/conference_priv.h"

enum { SCOPE_BYTES = 320 };

ON_THREAD(ROLE_CTL) static int no_such_room(struct errmsg *why, const char *room)
{
	return errmsg_set(why, -ENOENT, "room_unknown", "Nobody is in a room called \"%s\". Check the "
			  "name, or wait until somebody is.", room);
}

/* As for one who joins, but that watching fills no room and makes nobody its host. */
ON_THREAD(ROLE_CTL) static int decide(struct conference *c, struct hall *h,
				      const struct watch_ask *a, struct errmsg *why)
{
	struct access_room room = { .rules = &h->rules, .registered = h->registered,
				    .owner_id = h->owner_id, .max_people = 1 };
	struct access_who who = a->who;
	bool host;

	who.device = true;
	who.pin = join_look_at_pin(c, &h->rules, a->room, a->pin);
	who.pin_blocked = who.pin != PIN_NONE && accounts_pin_blocked(c->cfg.accounts, a->room, a->peer);
	switch (access_decide(&room, &who, &host, why)) {
	case ACCESS_ADMIT: return host ? 0 : hall_is_open_now(c, a->room, why);
	case ACCESS_LOBBY:
		return errmsg_set(why, -EACCES, "lobby", "The hosts of this room let people in one by "
				  "one. Join it instead of watching.");
	default: break;
	}
	if (who.pin == PIN_WRONG && !who.pin_blocked && (h->rules.guest_pin[0] || h->rules.host_pin[0]))
		accounts_pin_wrong(c->cfg.accounts, a->room, a->peer);
	return -EACCES;
}

/* What a key is for. A player asks for the playlist with it, again and again, and is not
 * asked for more: so it ends with what it was given for. */
ON_THREAD(ROLE_CTL) static void write_scope(const struct hall *h, char out[SCOPE_BYTES])
{
	snprintf(out, SCOPE_BYTES, "%s %" PRId64 " %u", room_name(h->room), h->session_id,
		 h->watch_epoch);
}

ON_THREAD(ROLE_CTL) static bool has_key(const struct conference *c, const struct hall *h,
					const char *key)
{
	char scope[SCOPE_BYTES];

	write_scope(h, scope);
	return watch_key_valid(key, c->cfg.key, scope, clock_wall_ns() / NS_PER_MS);
}

void conference_watch_key(struct conference *c, const char *room, int hours,
			  char out[WATCH_KEY_LEN + 1])
{
	const struct hall *h = hall_find(c, room);
	char scope[SCOPE_BYTES];

	out[0] = 0;
	if (!h)
		return;
	write_scope(h, scope);
	watch_key_make(out, c->cfg.key, scope, clock_wall_ns() / NS_PER_MS, hours);
}

int conference_watch(struct conference *c, const struct watch_ask *a, struct errmsg *why)
{
	struct hall *h = hall_find(c, a->room);

	if (!strcmp(c->cfg.config->hls.start, "off"))
		return errmsg_set(why, -ENOTSUP, "stream_off", "This server makes no streams of its rooms. "
				  "Join the room instead.");
	if (!h)
		return no_such_room(why, a->room);
	return a->key && has_key(c, h, a->key) ? 0 : decide(c, h, a, why);
}

static void on_idle(void *obj)
{
	struct hall *h = obj;

	role_assert_ctl();
	broadcast_stop(&h->broadcast);
}

int hall_broadcast(struct hall *h, struct errmsg *why)
{
	if (h->broadcast)
		return 0;
	if (h->closing)
		return no_such_room(why, room_name(h->room));
	return broadcast_start(&h->broadcast, &h->conf->broadcasts, h->room, on_idle, h, why);
}

/* The names of the files can be guessed from those before: the stream begins anew, under
 * another name. */
ON_THREAD(ROLE_CTL) static void watch_anew(struct hall *h)
{
	struct errmsg why;

	h->watch_epoch++;
	if (!h->broadcast || h->closing)
		return;
	broadcast_stop(&h->broadcast);
	if (!strcmp(h->conf->cfg.config->hls.start, "always"))
		hall_broadcast(h, &why); /* it says itself why not */
}

void hall_watch_look(struct hall *h, const struct room_rules *before)
{
	const struct room_rules *now = &h->rules;

	if (now->locked != before->locked || now->lobby != before->lobby ||
	    now->members_only != before->members_only || strcmp(now->guest_pin, before->guest_pin) ||
	    strcmp(now->host_pin, before->host_pin))
		watch_anew(h);
}

/* Into a room that is open to all one may come back. */
void hall_watch_removed(struct hall *h)
{
	const struct room_rules *r = &h->rules;

	if (r->locked || r->lobby || r->members_only || r->guest_pin[0])
		watch_anew(h);
}

int conference_stream(struct conference *c, const char *room, bool start, struct hls **out,
		      struct errmsg *why)
{
	struct hall *h = hall_find(c, room);
	int err = h ? 0 : no_such_room(why, room);

	if (!err && start)
		err = hall_broadcast(h, why);
	if (!err && !h->broadcast)
		err = errmsg_set(why, -ENOENT, "not_found", "This stream has ended.");
	if (!err)
		*out = broadcast_hls(h->broadcast);
	return err;
}

struct pushes *conference_pushes(struct conference *c, const char *room, bool start)
{
	struct hall *h = hall_find(c, room);

	if (h && !h->closing && start && !h->pushes &&
	    pushes_new(&h->pushes, &c->pushes, h->room, presence_push_changed, h))
		return NULL;
	return h ? h->pushes : NULL;
}
