/* Who gets which view of a room. Pure. Any thread. */
#ifndef MCU_ROOM_VIEW_RULE_H
#define MCU_ROOM_VIEW_RULE_H

#include <stdbool.h>
#include <stddef.h>

#define VIEW_MAIN "main"

enum { VIEW_NAME_BYTES = 33 };

/* Who gets it without asking. */
enum view_rule {
	VIEW_NO_RULE, /* no such rule */
	VIEW_EVERYBODY,
	VIEW_HOSTS,
	VIEW_PARTICIPANTS, /* who is no host */
	VIEW_SPEAKER,
	VIEW_REQUEST /* nobody; who asks for it */
};

/* "everybody", "hosts", "participants", "speaker", "request". */
const char *view_rule_name(enum view_rule rule);
/* VIEW_NO_RULE: another name. */
enum view_rule view_rule_parse(const char *name);
/* 1…32 of a-z, 0-9, hyphen and underscore. */
bool view_name_valid(const char *name);

struct view_offer {
	const char *name;
	enum view_rule rule;
};

struct view_seeker {
	bool host, speaks;
	const char *asked; /* "": it has not */
};

/* Whether it may ask for a view of that rule: a host for any. */
bool view_allowed(enum view_rule rule, const struct view_seeker *who);
/* The index of the one it gets: which it asked for, if that is there and allowed;
 * otherwise by rule, the narrowest first (speaker; hosts, participants; everybody),
 * of several the one offered last; offer[0] where nothing else fits. n > 0. */
size_t view_pick(const struct view_offer *offer, size_t n, const struct view_seeker *who);

#endif
