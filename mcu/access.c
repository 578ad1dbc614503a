#include "mcu/access.h"

#include <errno.h>
#include <stdio.h>

static enum access_verdict refuse(struct errmsg *why, const char *code, const char *text)
{
	errmsg_set(why, -EACCES, code, "%s", text);
	return ACCESS_REFUSE;
}

static bool is_host(const struct access_room *room, const struct access_who *who)
{
	if (who->back && who->was_host)
		return true;
	if (who->user == USER_ADMIN || who->invited == INVITED_HOST)
		return true;
	if (who->user_id && who->user_id == room->owner_id)
		return true;
	if (who->pin == PIN_OF_HOSTS && !who->pin_blocked)
		return true;
	return !room->registered && room->first && !who->device && !who->called;
}

/* Of those who are no hosts: the PIN, which only guests need. */
static enum access_verdict check_pin(const struct access_room *room, const struct access_who *who,
				     struct errmsg *why)
{
	const struct room_rules *r = room->rules;
	bool guest = who->user == USER_NONE && who->invited == INVITED_NOT;

	if (who->pin != PIN_NONE && who->pin_blocked && (r->guest_pin[0] || r->host_pin[0]))
		return refuse(why, "rate_limited", "Too many wrong PINs were tried from your network. "
			      "Wait a minute, then try again.");
	if (who->pin == PIN_WRONG && (r->guest_pin[0] || r->host_pin[0]))
		return refuse(why, "pin_wrong", "That PIN is wrong. Check it and try again.");
	if (guest && r->guest_pin[0] && who->pin == PIN_NONE)
		return refuse(why, "pin_required", "This room asks for a PIN. Enter the one you were "
			      "given.");
	return ACCESS_ADMIT;
}

enum access_verdict access_decide(const struct access_room *room, const struct access_who *who,
				  bool *host, struct errmsg *why)
{
	const struct room_rules *r = room->rules;
	bool guest = who->user == USER_NONE && who->invited == INVITED_NOT;

	*host = is_host(room, who);
	if (room->people >= room->max_people) {
		errmsg_set(why, -EUSERS, "room_full", "The room is full: %zu people are in it. Try "
			   "again when somebody has left.", room->people);
		return ACCESS_REFUSE;
	}
	if (*host || who->back || who->called)
		return ACCESS_ADMIT;
	if (r->locked)
		return refuse(why, "room_locked", "The room is locked: nobody new is let in. Ask a host "
			      "to unlock it.");
	if (check_pin(room, who, why) == ACCESS_REFUSE)
		return ACCESS_REFUSE;
	if (r->members_only && guest)
		return refuse(why, "members_only", "This room is for people with an account or an "
			      "invitation. Sign in, or ask for an invitation.");
	return r->lobby ? ACCESS_LOBBY : ACCESS_ADMIT;
}

void room_rules_default(struct room_rules *r, const char *record)
{
	*r = (struct room_rules){ .unmute = true };
	snprintf(r->record, sizeof r->record, "%s", record);
}
