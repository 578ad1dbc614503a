/* Who may join a room, and as what: one decision from the room's rules, who asks,
 * and the room's state. Pure. Any thread. */
#ifndef MCU_ACCESS_H
#define MCU_ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/base/err.h"
#include "storage/rooms.h"
#include "storage/users.h"

enum access_verdict {
	ACCESS_ADMIT = 1,
	ACCESS_LOBBY, /* a host has to let it in */
	ACCESS_REFUSE /* with *why */
};

enum invited { INVITED_NOT, INVITED_PARTICIPANT, INVITED_HOST };

/* A PIN against the room's two. */
enum pin_state { PIN_NONE, PIN_WRONG, PIN_OF_GUESTS, PIN_OF_HOSTS };

struct access_who {
	enum user_role user; /* USER_NONE: not signed in */
	int64_t user_id;
	enum invited invited;
	enum pin_state pin;
	bool pin_blocked;  /* too many wrong ones came from there */
	bool back, was_host; /* comes back with a resume secret; its role then */
	bool called;	     /* by the room itself: nothing but a full room keeps it out */
	bool device;	     /* an encoder or a player: does not become host by being first */
};

struct access_room {
	const struct room_rules *rules;
	bool registered;
	int64_t owner_id;
	size_t people, max_people; /* without the one who is replaced */
	bool first; /* nobody is in it: who joins an unregistered room now makes it */
};

/* The order in which reasons are given: full, locked, PIN, members, lobby. A host
 * (administrator, owner, host's invitation or PIN, maker of the room) is only ever
 * refused a full room. *host: the role when admitted. */
enum access_verdict access_decide(const struct access_room *room, const struct access_who *who,
				  bool *host, struct errmsg *why);

/* A room's rules when nobody made any. record: "hosts", "all" or "nobody". */
void room_rules_default(struct room_rules *r, const char *record);

#endif
