/* Where a room goes beside those who join it: its stream over HTTP, and who may watch
 * that; servers that it is sent to. */
#include <errno.h>

#include "mcu/conference_priv.h"

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
	case ACCESS_ADMIT: return 0;
	case ACCESS_LOBBY:
		return errmsg_set(why, -EACCES, "lobby", "The hosts of this room let people in one by "
				  "one. Join it instead of watching.");
	default: break;
	}
	if (who.pin == PIN_WRONG && !who.pin_blocked && (h->rules.guest_pin[0] || h->rules.host_pin[0]))
		accounts_pin_wrong(c->cfg.accounts, a->room, a->peer);
	return -EACCES;
}

int conference_watch(struct conference *c, const struct watch_ask *a, struct errmsg *why)
{
	struct hall *h = hall_find(c, a->room);

	if (!strcmp(c->cfg.config->hls.start, "off"))
		return errmsg_set(why, -ENOTSUP, "stream_off", "This server makes no streams of its rooms. "
				  "Join the room instead.");
	if (a->key && watch_key_valid(a->key, c->cfg.key, a->room, clock_wall_ns() / NS_PER_MS))
		return h ? 0 : no_such_room(why, a->room);
	return h ? decide(c, h, a, why) : no_such_room(why, a->room);
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
