/* Chat in the registry, by session. Any thread; rules of db.h. */
#ifndef MCU_STORAGE_CHAT_H
#define MCU_STORAGE_CHAT_H

#include <stdint.h>

#include "storage/db.h"

struct chat_row {
	int64_t id, session_id, at_ms;
	uint32_t leg, to_leg; /* to_leg 0: everybody */
	const char *name, *text;
};

enum { CHAT_TEXT_MAX = 8192 }; /* octets */

/* Fire and forget: a failure is logged and counted. */
int chat_add(struct db *db, const struct chat_row *row);

#endif
