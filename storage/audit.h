/* Who did what, from where, when. Rows are only added; the oldest go when there are
 * more than AUDIT_KEEP. Any thread; rules of db.h. */
#ifndef MCU_STORAGE_AUDIT_H
#define MCU_STORAGE_AUDIT_H

#include <stddef.h>
#include <stdint.h>

#include "storage/db.h"

enum { AUDIT_KEEP = 1000000, AUDIT_LIST_MAX = 1000, AUDIT_TEXT_MAX = 256 };

/* Never a password, PIN, token or other secret. Texts may be NULL; longer ones are
 * cut. */
struct audit_entry {
	const char *action; /* "sign_in", "sign_in_failed", "room_changed", … */
	const char *actor;  /* a user's or participant's name */
	const char *address, *room, *detail;
};

struct audit_row {
	int64_t id, at_ms;
	char action[64], actor[AUDIT_TEXT_MAX + 1], address[64];
	char room[AUDIT_TEXT_MAX + 1], detail[AUDIT_TEXT_MAX + 1];
};

typedef void audit_list_cb(void *obj, int err, const struct audit_row *rows, size_t n);

/* Fire and forget. */
int audit_add(struct db *db, const struct audit_entry *e);
/* The newest first, those before this id (0: from the newest on), at most max and
 * AUDIT_LIST_MAX. */
int audit_list(struct db *db, int64_t before, size_t max, audit_list_cb *cb, void *obj);

#endif
