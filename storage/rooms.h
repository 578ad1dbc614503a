/* Rooms in the registry. Any thread; the rules of db.h apply. */
#ifndef MCU_STORAGE_ROOMS_H
#define MCU_STORAGE_ROOMS_H

#include <stdint.h>

#include "storage/db.h"

struct room_row {
	int64_t id;
	char name[DB_NAME_MAX + 1];  /* unique; NFC is the caller's care */
	char title[DB_NAME_MAX + 1];
	const char *settings_json;   /* "{}" when none; borrowed for the callback */
	int64_t created_ms;
};

typedef void room_cb(void *obj, int err, const struct room_row *row);

/* Creates the room or changes title and settings of the one with this name;
 * NULL leaves a column as it is. Replies with the row. */
int rooms_upsert(struct db *db, const char *name, const char *title, const char *settings_json,
		 room_cb *cb, void *obj);
/* err -ENOENT: no such room. */
int rooms_find(struct db *db, const char *name, room_cb *cb, void *obj);

#endif
